/* Another rank as a process. A pidfd cannot be mistaken for a later process with the same number,
 * and any process may look, not the parent alone. */
#include "peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"

/* The kernel is told by its boot id, the namespace by the inode of its file. */
static uint64_t pid_space(void)
{
    struct {
        char boot[40];
        uint64_t space;
    } where;
    struct stat status;
    memset(&where, 0, sizeof where);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL) {
        if (fgets(where.boot, sizeof where.boot, file) == NULL)
            where.boot[0] = '\0';
        fclose(file);
    }
    if (stat("/proc/self/ns/pid", &status) == 0)
        where.space = (uint64_t)status.st_ino;
    return hash64_of(&where, sizeof where);
}

static void read_cpu(char *to, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    text_copy(to, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        text_copy(to, size, value + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

void peer_self(struct peer *self)
{
    memset(self, 0, sizeof *self);
    if (gethostname(self->host, sizeof self->host - 1) != 0)
        text_copy(self->host, sizeof self->host, "unknown");
    read_cpu(self->cpu, sizeof self->cpu);
    self->pid = getpid();
    self->pid_space = pid_space();
}

int peer_watch(const struct peer *peer)
{
    if (peer->pid_space != pid_space())
        return -1;
    /* By number: glibc has had the function since 2.36 only. The descriptor closes on exec. */
    return (int)syscall(SYS_pidfd_open, (pid_t)peer->pid, 0);
}

bool peer_has_ended(int watch)
{
    struct pollfd descriptor = {.fd = watch, .events = POLLIN};
    return watch >= 0 && poll(&descriptor, 1, 0) == 1;
}

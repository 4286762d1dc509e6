/* The text of a lock's file: a "name: value" line each. */
#include "holder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/storage.h"
#include "base/text.h"

#define HOLDER_SIZE 512

static void host_name(char *to, size_t size)
{
    if (gethostname(to, size) != 0)
        text_copy(to, size, "unknown");
    to[size - 1] = '\0';
}

/* How often SLURM has started this job anew. */
static long restart_count(void)
{
    const char *count = getenv("SLURM_RESTART_COUNT");
    return count == NULL ? 0 : strtol(count, NULL, 10);
}

/* The value of a "name: value" line, up to the end of the line. */
static void take_line(const char *text, const char *name, char *to, size_t size)
{
    const char *line = strstr(text, name);
    text_copy(to, size, line == NULL ? "" : line + strlen(name));
    to[strcspn(to, "\n")] = '\0';
}

struct holder holder_read(int fd)
{
    char text[HOLDER_SIZE + 1];
    ssize_t length = pread(fd, text, HOLDER_SIZE, 0);
    text[length < 0 ? 0 : length] = '\0';
    struct holder holder;
    take_line(text, "host: ", holder.host, sizeof holder.host);
    take_line(text, "pid: ", holder.pid, sizeof holder.pid);
    take_line(text, "job: ", holder.job, sizeof holder.job);
    take_line(text, "restart: ", holder.restart, sizeof holder.restart);
    take_line(text, "since: ", holder.since, sizeof holder.since);
    take_line(text, "generation: ", holder.generation, sizeof holder.generation);
    return holder;
}

int holder_write(int fd, char generation[STORE_GENERATION_SIZE], struct error *err)
{
    char text[HOLDER_SIZE], host[64], since[32];
    const char *job = getenv("SLURM_JOB_ID");
    uint64_t number;
    time_t now = time(NULL);
    struct tm utc;
    host_name(host, sizeof host);
    strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return error_set(err, ERROR_RESOURCE, "no random number for its lock: %s", strerror(errno));
    snprintf(generation, STORE_GENERATION_SIZE, "%016llx", (unsigned long long)number);
    int length =
        snprintf(text, sizeof text,
                 "host: %s\npid: %ld\njob: %.31s\nrestart: %ld\nsince: %s\ngeneration: %s\n", host,
                 (long)getpid(), job == NULL ? "" : job, restart_count(), since, generation);
    errno = ENOSPC; /* what a short write means */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length || fsync(fd) != 0)
        return storage_error(err, errno, "its lock file cannot be written");
    return 0;
}

bool holder_is_here(const struct holder *holder)
{
    char host[64];
    host_name(host, sizeof host);
    return strcmp(holder->host, host) == 0;
}

bool holder_is_given_up(const struct holder *holder)
{
    const char *job = getenv("SLURM_JOB_ID");
    return job != NULL && *job != '\0' && strcmp(holder->job, job) == 0 &&
           strtol(holder->restart, NULL, 10) < restart_count();
}

void holder_describe(const struct holder *holder, char *to, size_t size)
{
    snprintf(to, size, "process %s on %s%s%s, since %s", holder->pid, holder->host,
             holder->job[0] == '\0' ? "" : ", SLURM job ", holder->job, holder->since);
}

/* Owns the reading of a batch system's file of hosts, and the number of workers there is room for.
 */
#include "hosts.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "dist/run.h"

#define MOST_BYTES (16 << 20)
#define BLANKS " \t\r\n"

/* The host of each line is its first word. */
static void count_hosts(char *text, struct hosts *hosts)
{
    char *rest = NULL, *first = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *host = line + strspn(line, BLANKS);
        host[strcspn(host, BLANKS)] = '\0';
        if (*host == '\0')
            continue;
        hosts->slots++;
        first = first == NULL ? host : first;
        hosts->several = hosts->several || strcmp(host, first) != 0;
    }
}

int hosts_read(struct hosts *hosts, struct error *err)
{
    static const char *const variables[] = {"PBS_NODEFILE", "LSB_DJOB_HOSTFILE"};
    const char *name = NULL;
    char *text;
    size_t length;
    *hosts = (struct hosts){0};
    for (size_t i = 0; i < sizeof variables / sizeof *variables && hosts->file == NULL; i++) {
        name = variables[i];
        hosts->file = getenv(name);
    }
    if (hosts->file == NULL)
        return 0;
    if (file_read(hosts->file, MOST_BYTES, &text, &length, err) != 0)
        return error_prefix(err, "%s, the batch system's file of hosts", name);
    count_hosts(text, hosts);
    free(text);
    if (hosts->slots > 0)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: %s names no host; unset %s to run on this host alone",
                     name, hosts->file, name);
}

static int cores_allowed(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int run_room(int threads, int *workers, struct error *err)
{
    struct hosts hosts;
    if (hosts_read(&hosts, err) != 0)
        return -1;
    *workers = (hosts.file != NULL ? hosts.slots : cores_allowed()) / threads;
    if (*workers < 1)
        *workers = 1;
    return 0;
}

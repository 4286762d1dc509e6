/* sweepstake verify: what is wrong with a store, which tasks have to run again, and with --repair,
 * under the lock that runs take, setting them back so that the next run does. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "command.h"
#include "store/store.h"

struct verification {
    const char *path;
    struct store *store;
    int64_t tasks;
    struct store_finding *findings; /* [tasks] */
};

static bool runs_again(const struct store_finding *finding)
{
    return finding->fault != STORE_SOUND && finding->fault != STORE_FAULT_TASKS;
}

static int64_t count_again(const struct verification *verification)
{
    int64_t count = 0;
    for (int64_t i = 0; i < verification->tasks; i++)
        count += runs_again(&verification->findings[i]);
    return count;
}

static int64_t count_all(const struct verification *verification)
{
    int64_t count = 0;
    for (int64_t i = 0; i < verification->tasks; i++)
        count += verification->findings[i].fault != STORE_SOUND;
    return count;
}

/* --- what is told --- */

/* "3-6, 9" */
static void print_ranges(const struct verification *verification)
{
    const char *separator = "";
    for (int64_t first = 0; first < verification->tasks; first++) {
        int64_t last = first;
        if (!runs_again(&verification->findings[first]))
            continue;
        while (last + 1 < verification->tasks && runs_again(&verification->findings[last + 1]))
            last++;
        printf("%s%lld", separator, (long long)first);
        if (last > first)
            printf("-%lld", (long long)last);
        separator = ", ";
        first = last;
    }
}

static void print_findings(const struct verification *verification)
{
    for (int64_t i = 0; i < verification->tasks; i++) {
        if (verification->findings[i].fault != STORE_SOUND)
            printf("task %lld: %s\n", (long long)i, verification->findings[i].text);
    }
}

static void print_end(const struct verification *verification, bool repaired)
{
    int64_t again = count_again(verification), lasting = count_all(verification) - again;
    if (again + lasting == 0)
        printf("%s: every finished task of %lld holds its checksum and fits its lineage\n",
               verification->path, (long long)verification->tasks);
    if (again > 0) {
        printf("%s: %lld of %lld tasks %s: ", verification->path, (long long)again,
               (long long)verification->tasks,
               repaired ? "are set back, and the next run trains them" : "have to run again");
        print_ranges(verification);
        printf(repaired ? "\n" : "\n(verify --repair sets them back; the next run trains them)\n");
    }
    if (lasting > 0)
        printf("%s: /tasks is damaged in %lld places, which no run writes again: run the grid into "
               "another file\n",
               verification->path, (long long)lasting);
}

/* --- setting back --- */

static int repair(const struct verification *verification, struct error *err)
{
    for (int64_t i = 0; i < verification->tasks; i++) {
        if (runs_again(&verification->findings[i]) &&
            (store_reset_result(verification->store, i, err) != 0 ||
             store_write_attempts(verification->store, i, 0, err) != 0))
            return -1;
    }
    return 0;
}

/* Returns whether something is wrong, or -1. */
static int examine(struct verification *verification, bool repairing, struct error *err)
{
    verification->tasks = store_task_count(verification->store);
    verification->findings =
        mem_zeroed((size_t)verification->tasks, sizeof *verification->findings, err);
    if (verification->findings == NULL ||
        store_examine(verification->store, verification->findings, err) != 0)
        return -1;
    print_findings(verification);
    if (repairing && repair(verification, err) != 0)
        return -1;
    print_end(verification, repairing);
    return count_all(verification) > 0;
}

static int verify(const char *path, bool repairing, struct error *err)
{
    struct verification verification = {.path = path};
    struct store_lock *lock = repairing ? store_lock_take(path, err) : NULL;
    int status = -1;
    if (!repairing || lock != NULL)
        verification.store = store_open(path, repairing ? STORE_WRITE : STORE_READ, NULL, err);
    if (verification.store != NULL)
        status = examine(&verification, repairing, err);
    free(verification.findings);
    store_close(verification.store);
    store_lock_release(lock);
    return status;
}

static int run_verify(const struct command *command, int argc, char **argv)
{
    bool repairing = false;
    const struct option_row rows[] = {
        {"repair", OPTION_FLAG, NULL, "set what has to run again back to pending", &repairing, 0,
         0},
    };
    const char *path;
    struct error err = {0};
    enum options_result options = options_read(command, rows, 1, argc, argv, &path, 1);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    int wrong = verify(path, repairing, &err);
    return wrong < 0 ? command_fail(&err) : command_finish_output(wrong);
}

const struct command command_verify = {
    .name = "verify",
    .operands = "STORE",
    .summary = "Check structure, checksums and lineage of a store",
    .details = "Names each task that is wrong, and each that was made from one. Exit status 0 when "
               "nothing\n"
               "is, 1 when tasks have to run again (with --repair: the next run trains them), 2 "
               "when this\n"
               "is no store, or --repair while a run holds it.\n",
    .run = run_verify,
};

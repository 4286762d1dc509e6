/* sweepstake merge: two stores become a third that holds what both hold. */
#include <unistd.h>

#include "command.h"
#include "store/store.h"
#include "work/work.h"

static int merge_into(struct store *one, struct store *other, const char *into, struct error *err)
{
    if (access(into, F_OK) == 0)
        return error_set(err, ERROR_USAGE, "%s: exists already: give --into a new file", into);
    struct store_lock *lock = store_lock_take(into, err);
    if (lock == NULL)
        return -1;
    int failed = work_merge(one, other, into, err);
    store_lock_release(lock);
    return failed;
}

static int merge(const char *const *paths, const char *into, struct error *err)
{
    struct store *one = store_open(paths[0], STORE_READ, NULL, err);
    struct store *other = one == NULL ? NULL : store_open(paths[1], STORE_READ, NULL, err);
    int failed = other == NULL || merge_into(one, other, into, err) != 0;
    store_close(one);
    store_close(other);
    return failed ? -1 : 0;
}

static int run_merge(const struct command *command, int argc, char **argv)
{
    const char *into = NULL, *paths[2];
    const struct option_row rows[] = {
        {"into", OPTION_TEXT, "FILE", "the store to be made (required)", &into, 0, 0},
    };
    struct error err = {0};
    enum options_result options = options_read(command, rows, 1, argc, argv, paths, 2);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    if (into == NULL) {
        error_set(&err, ERROR_USAGE, "merge needs --into FILE, the store to be made");
        return command_fail(&err);
    }
    return merge(paths, into, &err) != 0 ? command_fail(&err) : 0;
}

const struct command command_merge = {
    .name = "merge",
    .operands = "A B",
    .summary = "Join two stores into a third",
    .details =
        "Experiments, points and tasks of both, each task once; a task that is done in one of "
        "them\n"
        "is done. Neither A nor B is changed. `run` goes on with the result, with the grid of the\n"
        "one, of the other, or one that asks for both.\n",
    .run = run_merge,
};

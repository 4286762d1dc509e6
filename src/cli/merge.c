/* sweepstake merge: several stores become one that holds what all of them hold. */
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "command.h"
#include "store/store.h"
#include "work/work.h"

struct merge {
    const char *into, *grid, *data;
    char **paths;
    int count;
};

static int merge_stores(const struct merge *merge, struct store *const *stores,
                        const struct plan *plan, struct error *err)
{
    if (access(merge->into, F_OK) == 0)
        return error_set(err, ERROR_USAGE, "%s: exists already: give --into a new file",
                         merge->into);
    struct store_lock *lock = store_lock_take(merge->into, err);
    if (lock == NULL)
        return -1;
    int failed = work_merge(stores, merge->count, plan, merge->into, err);
    store_lock_release(lock);
    return failed;
}

static int open_and_merge(const struct merge *merge, const struct plan *plan, struct error *err)
{
    struct store **stores = mem_zeroed((size_t)merge->count, sizeof *stores, err);
    int failed = stores == NULL;
    for (int i = 0; i < merge->count && !failed; i++) {
        stores[i] = store_open(merge->paths[i], STORE_READ, NULL, err);
        failed = stores[i] == NULL;
    }
    if (!failed)
        failed = merge_stores(merge, stores, plan, err) != 0;
    for (int i = 0; i < merge->count && stores != NULL; i++)
        store_close(stores[i]);
    free(stores);
    return failed ? -1 : 0;
}

static int merge_for_grid(const struct merge *merge, struct error *err)
{
    struct plan_options options = {.data_folder = merge->data};
    struct grid *grid = grid_read(merge->grid, err);
    struct plan *plan = grid != NULL ? plan_create(grid, &options, err) : NULL;
    int failed = plan == NULL || open_and_merge(merge, plan, err) != 0;
    plan_destroy(plan);
    grid_destroy(grid);
    return failed ? -1 : 0;
}

static int run_merge(const struct command *command, int argc, char **argv)
{
    struct merge merge = {0};
    const struct option_row rows[] = {
        {"into", OPTION_TEXT, "FILE", "the store to be made (required)", &merge.into, 0, 0},
        {"grid", OPTION_TEXT, "GRID", "make it as if this grid had been run in it", &merge.grid, 0,
         0},
        {"data", OPTION_TEXT, "FOLDER", "where the grid's datasets are (default: $SWEEPSTAKE_DATA)",
         &merge.data, 0, 0},
    };
    struct error err = {0};
    enum options_result options =
        options_read_list(command, rows, 3, argc, argv, 2, &merge.paths, &merge.count);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    if (merge.into == NULL) {
        error_set(&err, ERROR_USAGE, "merge needs --into FILE, the store to be made");
        return command_fail(&err);
    }
    int failed =
        merge.grid != NULL ? merge_for_grid(&merge, &err) : open_and_merge(&merge, NULL, &err);
    return failed ? command_fail(&err) : 0;
}

const struct command command_merge = {
    .name = "merge",
    .operands = "A B...",
    .summary = "Join stores into another",
    .details =
        "Experiments, points and tasks of all, each task once; a task that is done in one of them\n"
        "is done. None of them is changed. `run` goes on with the result, with the grid of one of\n"
        "them or one that asks for all. The parts of a grid (`run --part`) become with --grid the\n"
        "store that one run of the whole would have left.\n",
    .run = run_merge,
};

/* Makes the sample store that the notebook module is tested on:
 *   make_sample PATH [TASKS]    with the first TASKS tasks run (all by default). */
#include <stddef.h>
#include <stdint.h>

#include "store_sample.h"

static int make(const char *path, int64_t run, struct error *err)
{
    struct store_layout layout = sample_layout();
    struct store_table tasks = {0};
    int status = store_create(path, &layout, err);
    struct store *store = status == 0 ? store_open(path, STORE_WRITE, NULL, err) : NULL;
    status = store == NULL ? -1 : store_read_table(store, "tasks", &tasks, err);
    for (int64_t task = 0; task < run && status == 0; task++)
        status = sample_run_task(store, &tasks, task, err);
    store_table_finish(&tasks);
    store_close(store);
    sample_layout_finish(&layout);
    return status;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    if (argc < 2)
        return 2;
    if (make(argv[1], argc > 2 ? atoi(argv[2]) : SAMPLE_TASKS, &err) == 0)
        return 0;
    fprintf(stderr, "make_sample: %s\n", err.text);
    return 1;
}

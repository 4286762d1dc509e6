/* Several ranks write one store through MPI-IO: the file is, byte for byte, what one process writes
 * alone, and an open that fails on one rank fails on all with that rank's reason. */
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "store_sample.h"

static int rank, ranks;

#define CHECK(condition, text)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: rank %d: %s: %s\n", __FILE__, __LINE__, rank, #condition,      \
                    text);                                                                         \
            MPI_Abort(MPI_COMM_WORLD, 1);                                                          \
        }                                                                                          \
    } while (0)

/* Every rank writes its share of the payloads; rank 0 commits all. Collective. */
static void write_together(struct store *store, const struct store_table *tasks)
{
    struct error err = {0};
    uint64_t mine[SAMPLE_TASKS] = {0}, digests[SAMPLE_TASKS];
    for (int64_t task = rank; task < SAMPLE_TASKS; task += ranks) {
        struct sample_payload made;
        CHECK(sample_payload_make(store, tasks, task, &made, &err) == 0, err.text);
        CHECK(store_write_payload(store, &made.payload, &mine[task], &err) == 0, err.text);
        sample_payload_free(&made);
    }
    MPI_Allreduce(mine, digests, SAMPLE_TASKS, MPI_UINT64_T, MPI_BXOR, MPI_COMM_WORLD);
    for (int64_t task = 0; task < SAMPLE_TASKS && rank == 0; task++) {
        struct store_result result = sample_result(task);
        CHECK(store_commit(store, task, digests[task], &result, &err) == 0, err.text);
        CHECK(store_write_attempts(store, task, 1, &err) == 0, err.text);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

/* What others wrote is there for every rank. Not collective. */
static void read_all(struct store *store)
{
    struct error err = {0};
    uint8_t bad[SAMPLE_TASKS], attempts[SAMPLE_TASKS];
    struct store_result results[SAMPLE_TASKS];
    CHECK(store_verify(store, bad, &err) == 0, err.text);
    CHECK(store_read_results(store, 0, SAMPLE_TASKS, results, &err) == 0, err.text);
    CHECK(store_read_attempts(store, SAMPLE_TASKS, attempts, &err) == 0, err.text);
    for (int task = 0; task < SAMPLE_TASKS; task++)
        CHECK(results[task].status == STORE_DONE && attempts[task] == 1, "not done");
}

static void test_write(const char *path)
{
    struct error err = {0};
    const MPI_Comm world = MPI_COMM_WORLD;
    struct store_table tasks;
    struct store *store = store_open(path, STORE_WRITE, &world, &err);
    CHECK(store != NULL, err.text);
    CHECK(store_read_table(store, "tasks", &tasks, &err) == 0, err.text);
    write_together(store, &tasks);
    read_all(store);
    store_table_finish(&tasks);
    store_close(store);
    store = store_open(path, STORE_READ, &world, &err);
    CHECK(store != NULL, err.text);
    read_all(store);
    store_close(store);
}

/* Rank 0: the same by one process, and both files compared. */
static void compare_with_serial(const char *path, const char *serial)
{
    struct error err = {0};
    struct store_table tasks;
    struct store *store = store_open(serial, STORE_WRITE, NULL, &err);
    CHECK(store != NULL, err.text);
    CHECK(store_read_table(store, "tasks", &tasks, &err) == 0, err.text);
    for (int64_t task = 0; task < SAMPLE_TASKS; task++) {
        CHECK(sample_run_task(store, &tasks, task, &err) == 0, err.text);
        CHECK(store_write_attempts(store, task, 1, &err) == 0, err.text);
    }
    store_table_finish(&tasks);
    store_close(store);
    char *a, *b;
    size_t a_length, b_length;
    CHECK(file_read(path, (size_t)1 << 30, &a, &a_length, &err) == 0, err.text);
    CHECK(file_read(serial, (size_t)1 << 30, &b, &b_length, &err) == 0, err.text);
    CHECK(a_length == b_length && memcmp(a, b, a_length) == 0, "the files differ");
    free(a);
    free(b);
}

/* One rank's node does not have the file. */
static void test_agreement(const char *path)
{
    const MPI_Comm world = MPI_COMM_WORLD;
    struct error err = {0};
    char elsewhere[160];
    snprintf(elsewhere, sizeof elsewhere, "%s%s", path, rank == ranks - 1 ? ".not" : "");
    struct store *store = store_open(elsewhere, STORE_WRITE, &world, &err);
    CHECK(store == NULL && err.class == ERROR_USAGE, "opened");
    CHECK(strstr(err.text, "there is no such file") != NULL, err.text);
}

int main(int argc, char **argv)
{
    char folder[64] = "", path[128], serial[128];
    struct error err = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0)
        sample_folder(folder);
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/parallel.h5", folder);
    snprintf(serial, sizeof serial, "%s/serial.h5", folder);
    struct store_layout layout = sample_layout();
    if (rank == 0) {
        CHECK(store_create(path, &layout, &err) == 0, err.text);
        CHECK(store_create(serial, &layout, &err) == 0, err.text);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    test_write(path);
    if (rank == 0)
        compare_with_serial(path, serial);
    test_agreement(path);
    sample_layout_finish(&layout);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        unlink(path);
        unlink(serial);
        CHECK(rmdir(folder) == 0, "something was left behind");
    }
    MPI_Finalize();
    return 0;
}

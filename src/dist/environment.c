/* The rows of /environment. A row is written once, at the start of a run, and lasts: results point
 * at it. The table has a fixed size; when it is full, its last row stands for all that came
 * after. */
#include "environment.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "nn/network.h"

/* Where the next row goes and which run this is. */
static int find_end(struct store *store, int64_t *row, int64_t *run, struct error *err)
{
    struct store_table table = {0};
    if (store_read_table(store, "environment", &table, err) != 0)
        return -1;
    int run_column = store_table_column(&table, "run");
    int host_column = store_table_column(&table, "host");
    char host[64];
    *row = 0;
    *run = 0;
    while (*row < table.row_count &&
           store_table_text(&table, *row, host_column, host, sizeof host)[0] != '\0') {
        int64_t earlier = store_table_integer(&table, *row, run_column);
        *run = earlier > *run ? earlier : *run;
        (*row)++;
    }
    *run += 1;
    store_table_finish(&table);
    return 0;
}

static void describe_libraries(char *to, size_t size)
{
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING], store[32];
    int length;
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0'; /* the rest says who built it */
    store_library_version(store, sizeof store);
    snprintf(to, size, "%.60s, %s", mpi, store);
}

static void describe(const struct peer *peer, int64_t run, struct store_environment *environment)
{
    time_t now = time(NULL);
    struct tm utc;
    const char *job = getenv("SLURM_JOB_ID");
    memset(environment, 0, sizeof *environment);
    text_copy(environment->host, sizeof environment->host, peer->host);
    text_copy(environment->cpu, sizeof environment->cpu, peer->cpu);
    snprintf(environment->blas, sizeof environment->blas, "OpenBLAS %s", kernels_blas_core());
    describe_libraries(environment->libraries, sizeof environment->libraries);
    text_copy(environment->slurm_job, sizeof environment->slurm_job, job != NULL ? job : "");
    strftime(environment->started, sizeof environment->started, "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&now, &utc));
    environment->run = run;
}

static int first_on_host(const struct peer *peers, int peer)
{
    int first = 0;
    while (strcmp(peers[first].host, peers[peer].host) != 0)
        first++;
    return first;
}

int environment_record(struct store *store, const struct peer *peers, int count,
                       struct worker_place *places, struct error *err)
{
    int64_t row, run;
    if (find_end(store, &row, &run, err) != 0)
        return -1;
    for (int i = 0; i < count; i++) {
        int first = first_on_host(peers, i);
        memset(&places[i], 0, sizeof places[i]);
        text_copy(places[i].host, sizeof places[i].host, peers[i].host);
        if (first < i) {
            places[i].environment = places[first].environment;
            continue;
        }
        struct store_environment environment;
        describe(&peers[i], run, &environment);
        places[i].environment =
            (int32_t)(row < STORE_ENVIRONMENT_ROWS ? row : STORE_ENVIRONMENT_ROWS - 1);
        if (store_write_environment(store, places[i].environment, &environment, err) != 0)
            return -1;
        row++;
    }
    return 0;
}

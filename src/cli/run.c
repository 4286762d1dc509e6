/* sweepstake run: decides what this process is (one worker, the supervisor, a rank of a launch),
 * shows progress, and prints the table at the end. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "command.h"
#include "dist/run.h"
#include "part.h"
#include "simulate.h"
#include "store/store.h"
#include "view/view.h"

/* How the supervisor's terminal tells its ranks, whose stderr is a pipe: "live COLUMNS", "lines",
 * "quiet". */
#define PROGRESS_VARIABLE "SWEEPSTAKE_PROGRESS"
#define STORE_PATH_SIZE 4096

struct run_options {
    const char *grid, *store, *data, *kernels, *simulate, *part_text;
    struct plan_part part;
    int workers, threads, attempts;
    double silence, save_every, task_seconds, task_gigabytes, seconds;
    bool quiet, verbose;
};

static enum options_result read_options(const struct command *command, int argc, char **argv,
                                        struct run_options *options)
{
    const struct option_row rows[] = {
        {"store", OPTION_TEXT, "FILE", "results file (default: the grid's name with .h5)",
         &options->store, 0, 0},
        {"workers", OPTION_INTEGER, "N",
         "tasks trained at a time (default: the cores allowed, or a PBS or LSF job's slots)",
         &options->workers, 1, 100000},
        {"threads", OPTION_INTEGER, "N",
         "cores of each worker, for networks with large layers (default 1); the bits are the same",
         &options->threads, 1, NET_MOST_THREADS},
        {"data", OPTION_TEXT, "FOLDER", "where datasets are (default: $SWEEPSTAKE_DATA)",
         &options->data, 0, 0},
        {"part", OPTION_TEXT, "N/K", PART_HELP, &options->part_text, 0, 0},
        {"kernels", OPTION_TEXT, "HOW",
         "how pruned layers compute: dense, sparse, or auto, the faster (default)",
         &options->kernels, 0, 0},
        {"silence", OPTION_REAL, "SECONDS", "a worker silent for so long is given up (default 60)",
         &options->silence, 0.5, 1e6},
        {"attempts", OPTION_INTEGER, "N", "how often a task is tried at most (default 3)",
         &options->attempts, 1, 100},
        {"save-every", OPTION_REAL, "SECONDS",
         "how often a running task's state is saved (default 300; 0 = never)", &options->save_every,
         0, 1e9},
        {"time-limit", OPTION_REAL, "SECONDS",
         "stop, saved and resumable, before so much time has passed", &options->seconds, 1, 1e9},
        {"task-limit", OPTION_REAL, "SECONDS", "a try that takes longer fails (default: none)",
         &options->task_seconds, 0.1, 1e9},
        {"task-memory", OPTION_REAL, "GB", "a task that needs more fails (default: none)",
         &options->task_gigabytes, 0.01, 1e6},
        {"simulate", OPTION_TEXT, "WORDS", "say how it would go, e.g. on ranks=4096; see above",
         &options->simulate, 0, 0},
        {"quiet", OPTION_FLAG, NULL, "no progress, no table", &options->quiet, 0, 0},
        {"verbose", OPTION_FLAG, NULL, "say more of what happens", &options->verbose, 0, 0},
    };
    return options_read(command, rows, sizeof rows / sizeof *rows, argc, argv, &options->grid, 1);
}

/* --- progress --- */

static int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/* Puts how to show progress into the environment, for the ranks and for this process alike. */
static int choose_progress(bool quiet)
{
    char value[32] = "lines";
    if (quiet)
        text_copy(value, sizeof value, "quiet");
    else if (isatty(STDERR_FILENO))
        snprintf(value, sizeof value, "live %d", terminal_columns());
    return setenv(PROGRESS_VARIABLE, value, 1);
}

static struct view_progress *open_progress(bool quiet, struct error *err)
{
    if (getenv(PROGRESS_VARIABLE) == NULL && choose_progress(quiet) != 0) {
        error_set(err, ERROR_RESOURCE, "the environment could not be extended");
        return NULL;
    }
    const char *value = getenv(PROGRESS_VARIABLE);
    enum view_progress_mode mode = VIEW_LINES;
    int columns = 80;
    if (sscanf(value, "live %d", &columns) == 1)
        mode = VIEW_LIVE;
    else if (strcmp(value, "quiet") == 0)
        mode = VIEW_QUIET;
    return view_progress_create(mode, columns, stderr, err);
}

/* --- the end --- */

static int print_summary(const char *path, struct error *err)
{
    struct store *store = store_open(path, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    int failed = view_summary(store, path, stdout, err);
    store_close(store);
    return failed;
}

static int report_end(int status, const char *path, bool quiet, const struct error *err)
{
    struct error trouble = {0};
    if (err->text[0] != '\0')
        fprintf(stderr, "sweepstake: %s\n", err->text);
    if (status == RUN_USAGE || quiet)
        return status;
    if (status == RUN_RESUMABLE)
        fprintf(stderr, "sweepstake: stopped; the same command goes on where it stopped (%s)\n",
                path);
    else if (print_summary(path, &trouble) != 0)
        fprintf(stderr, "sweepstake: %s\n", trouble.text);
    return status;
}

/* --- what this process is --- */

struct here {
    const struct run_options *options;
    const struct run_job *job;
    struct view_progress *progress; /* NULL = is closed */
};

static void close_progress(struct here *here)
{
    log_set_before_line(NULL, NULL);
    view_progress_destroy(here->progress);
    here->progress = NULL;
}

/* Of a plain mpirun: its rank 0 speaks for all. */
static void end_of_ranks(void *user, int status, const struct error *err)
{
    struct here *here = user;
    close_progress(here);
    report_end(status, here->job->store_file, here->options->quiet, err);
    fflush(stdout);
}

static int run_here(const struct run_options *options, struct run_job *job, bool rank,
                    struct error *err)
{
    struct here here = {options, job, open_progress(options->quiet, err)};
    if (here.progress == NULL)
        return 1;
    job->show = view_progress_show;
    job->show_user = here.progress;
    job->end = end_of_ranks;
    job->end_user = &here;
    log_set_before_line(view_progress_clear, here.progress);
    int status = rank ? run_rank(job, err) : run_single(job, err);
    close_progress(&here);
    return status;
}

/* The ranks run this very program with the same words. */
static int run_supervised(const struct run_job *job, bool quiet, int argc, char **argv,
                          struct error *err)
{
    char program[STORE_PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char **words = calloc((size_t)argc + 2, sizeof *words);
    if (length < 0 || words == NULL || choose_progress(quiet) != 0) {
        free(words);
        error_set(err, ERROR_RESOURCE, "the ranks' command line could not be made");
        return 1;
    }
    program[length] = '\0';
    words[0] = program;
    memcpy(words + 1, argv, (size_t)argc * sizeof *words);
    int status = run_supervise(job, words, err);
    free(words);
    return status;
}

static int default_store(const struct run_options *options, char *to, struct error *err)
{
    char whole[GRID_NAME_SIZE + 8];
    struct grid *grid = grid_read(options->grid, err);
    if (grid == NULL)
        return -1;
    snprintf(whole, sizeof whole, "%s.h5", grid->name);
    grid_destroy(grid);
    return part_store(whole, options->part, to, STORE_PATH_SIZE, err);
}

static int run_simulation(const struct run_options *options, struct error *err)
{
    struct simulate_job job = {
        .grid_file = options->grid,
        .store_file = options->store,
        .data_folder = options->data,
        .part = options->part,
        .words.conditions = {.workers = options->workers,
                             .max_attempts = options->attempts,
                             .silence = options->silence,
                             .seed = 1},
    };
    if (simulate_read_words(options->simulate, &job.words, err) != 0 ||
        simulate_run(&job, err) != 0)
        return command_fail(err);
    return command_finish_output(0);
}

static int run_run(const struct command *command, int argc, char **argv)
{
    struct run_options options = {.threads = 1, .attempts = 3, .silence = 60, .save_every = 300};
    enum options_result read = read_options(command, argc, argv, &options);
    if (read != OPTIONS_GO_ON)
        return read == OPTIONS_WRONG ? STATUS_USAGE : 0;
    struct error err = {0};
    char store[STORE_PATH_SIZE];
    enum net_kernels kernels;
    if (command_read_kernels(options.kernels, &kernels, &err) != 0 ||
        part_read(options.part_text, &options.part, &err) != 0 ||
        (options.workers == 0 && !run_is_rank() &&
         run_room(options.threads, &options.workers, &err) != 0))
        return command_fail(&err);
    kernels_use_threads(options.threads);
    if (options.simulate != NULL)
        return run_simulation(&options, &err);
    if (options.store == NULL && default_store(&options, store, &err) != 0)
        return command_fail(&err);
    if (options.verbose)
        log_set_level(LOG_DEBUG);
    else if (options.quiet)
        log_set_level(LOG_WARNING);
    struct run_job job = {
        .grid_file = options.grid,
        .store_file = options.store != NULL ? options.store : store,
        .data_folder = options.data,
        .part = options.part,
        .workers = options.workers,
        .threads = options.threads,
        .kernels = options.kernels,
        .silence = options.silence,
        .max_attempts = options.attempts,
        .save_every = options.save_every,
        .task_seconds = options.task_seconds,
        .task_gigabytes = options.task_gigabytes,
        .seconds = options.seconds,
        .verbose = options.verbose,
        .fake = getenv("SWEEPSTAKE_FAKE"),
    };
    if (run_is_rank())
        return run_here(&options, &job, true, &err);
    int status = options.workers == 1 ? run_here(&options, &job, false, &err)
                                      : run_supervised(&job, options.quiet, argc, argv, &err);
    return report_end(status, job.store_file, options.quiet, &err);
}

const struct command command_run = {
    .name = "run",
    .operands = "GRID",
    .summary = "Run a grid, or go on with one that was interrupted",
    .details =
        "One worker runs in this process; several run under mpirun with a master. Finished tasks\n"
        "are kept: the same command goes on after any interruption. A changed grid extends the "
        "store\n"
        "that is there and deletes nothing; `plan GRID --store FILE` says what it would add.\n"
        "\n" SIMULATE_HELP,
    .run = run_run,
};

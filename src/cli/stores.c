/* The subcommands that read a store: status, export. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"
#include "store/store.h"
#include "view/view.h"

/* --- status --- */

static int run_status(const struct command *command, int argc, char **argv)
{
    bool follow = false;
    const char *format = "text";
    const struct option_row rows[] = {
        {"follow", OPTION_FLAG, NULL, "show it again every two seconds until all is done", &follow,
         0, 0},
        {"format", OPTION_TEXT, "FORMAT", "text (default) or json: an object a line", &format, 0, 0},
    };
    const char *path;
    enum options_result options = options_read(command, rows, 2, argc, argv, &path, 1);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0) {
        fprintf(stderr, "sweepstake status: --format '%s': expected text or json\n", format);
        return STATUS_USAGE;
    }
    struct error err = {0};
    for (;;) {
        struct store *store = store_open(path, STORE_READ, NULL, &err);
        if (store == NULL)
            return command_fail(&err);
        bool complete = false;
        int failed = (json ? view_status_json : view_status)(store, path, stdout, &complete, &err);
        store_close(store);
        if (failed)
            return command_fail(&err);
        if (!follow || complete || command_finish_output(0) != 0)
            return command_finish_output(0);
        sleep(2);
    }
}

const struct command command_status = {
    .name = "status",
    .operands = "STORE",
    .summary = "How far a grid is, and what failed",
    .details = "May be asked while the grid runs.\n",
    .run = run_status,
};

/* --- export --- */

static int export_store(const char *path, enum view_rows what, enum view_format format)
{
    struct error err = {0};
    struct store *store = store_open(path, STORE_READ, NULL, &err);
    if (store == NULL)
        return command_fail(&err);
    int failed = view_export(store, what, format, stdout, &err);
    store_close(store);
    return failed ? command_fail(&err) : command_finish_output(0);
}

static int run_export(const struct command *command, int argc, char **argv)
{
    const char *format = "csv", *path;
    bool curves = false;
    const struct option_row rows[] = {
        {"format", OPTION_TEXT, "FORMAT", "csv (default) or jsonl: a JSON object a line", &format,
         0, 0},
        {"curves", OPTION_FLAG, NULL, "the training curves instead of the points", &curves, 0, 0},
    };
    enum options_result options = options_read(command, rows, 2, argc, argv, &path, 1);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    bool json = strcmp(format, "jsonl") == 0;
    if (!json && strcmp(format, "csv") != 0) {
        fprintf(stderr, "sweepstake export: --format '%s': expected csv or jsonl\n", format);
        return STATUS_USAGE;
    }
    return export_store(path, curves ? VIEW_CURVES : VIEW_POINTS,
                        json ? VIEW_JSON_LINES : VIEW_CSV);
}

const struct command command_export = {
    .name = "export",
    .operands = "STORE",
    .summary = "CSV or JSON lines of points joined with experiments, tasks and results",
    .details =
        "Missing values are empty in CSV and null in JSON; -1 is missing too, except in the "
        "grid's\n"
        "fields (dataset.train -1 = all, prune.at -1 = end). JSON also has null for infinities.\n"
        "Columns of one name in two tables: the later gets task_, result_ or experiment_ in "
        "front.\n"
        "--curves: a row a point and evaluation of finished tasks; a task shared by experiments\n"
        "appears for each. Numbers are exact: in pandas, read_csv(..., "
        "float_precision=\"round_trip\").\n",
    .run = run_export,
};

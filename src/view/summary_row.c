/* Rows of the summary: statistics over seeds and draws, and how they are printed. */
#include "summary_row.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "number.h"

#define CELL_SIZE 96

static void spread_add(struct spread *spread, double value)
{
    if (isnan(value))
        return;
    spread->least = spread->count == 0 ? value : fmin(spread->least, value);
    spread->most = spread->count == 0 ? value : fmax(spread->most, value);
    spread->sum += value;
    spread->count++;
}

struct summary_columns summary_columns_find(const struct store_table *results)
{
    return (struct summary_columns){
        .percent = store_table_column(results, "percent_remaining"),
        .early = store_table_column(results, "test_accuracy_early_stop"),
        .end = store_table_column(results, "test_accuracy_final"),
        .iteration = store_table_column(results, "early_stop_iteration"),
    };
}

void summary_row_add(struct summary_row *row, const struct join *join,
                     const struct summary_columns *columns, int64_t task)
{
    const struct store_table *results = &join->tables[JOIN_RESULTS];
    enum store_status status = join_status(join, task);
    row->tasks++;
    if (status != STORE_DONE && status != STORE_DIVERGED)
        return;
    int64_t iteration = store_table_integer(results, task, columns->iteration);
    row->done += status == STORE_DONE;
    row->diverged += status == STORE_DIVERGED;
    spread_add(&row->percent, store_table_real(results, task, columns->percent));
    spread_add(&row->early, 100 * store_table_real(results, task, columns->early));
    spread_add(&row->end, 100 * store_table_real(results, task, columns->end));
    spread_add(&row->iteration, iteration < 0 ? (double)NAN : (double)iteration);
}

/* --- printing --- */

static const char *number(char to[NUMBER_SIZE], double value, bool percent)
{
    if (!percent)
        return number_thousands(to, value);
    snprintf(to, NUMBER_SIZE, "%.2f", value);
    return to;
}

/* "97.81 (97.70-97.92)"; no range where there is none to show. */
static const char *spread_cell(char to[CELL_SIZE], const struct spread *spread, bool percent,
                               int width)
{
    char mean[NUMBER_SIZE] = "-", least[NUMBER_SIZE] = "", most[NUMBER_SIZE] = "";
    if (spread->count > 0) {
        number(mean, spread->sum / (double)spread->count, percent);
        number(least, spread->least, percent);
        number(most, spread->most, percent);
    }
    if (strcmp(least, most) == 0)
        snprintf(to, CELL_SIZE, "%*s", width, mean);
    else
        snprintf(to, CELL_SIZE, "%*s (%s-%s)", width, mean, least, most);
    return to;
}

void summary_print_heading(FILE *out)
{
    fprintf(out, "%5s %7s  %-15s %5s  %-45s  %s\n", "", "", "", "",
            "test accuracy in %: mean (min-max)", "early-stop iteration:");
    fprintf(out, "%5s %7s  %-15s %5s  %-21s  %-22s  %s\n", "level", "P_m %", "trained as", "runs",
            " at early stop", " at the end", " mean (min-max)");
}

static const char *runs_cell(char to[CELL_SIZE], const struct summary_row *row)
{
    int64_t finished = row->done + row->diverged;
    if (finished == row->tasks)
        snprintf(to, CELL_SIZE, "%lld", (long long)row->tasks);
    else
        snprintf(to, CELL_SIZE, "%lld/%lld", (long long)finished, (long long)row->tasks);
    return to;
}

void summary_row_print(const struct summary_row *row, int64_t level, const char *trained_as,
                       FILE *out)
{
    char level_cell[24] = "", percent[CELL_SIZE] = "", runs[CELL_SIZE];
    char early[CELL_SIZE], end[CELL_SIZE], iteration[CELL_SIZE], diverged[48] = "";
    if (level >= 0) {
        snprintf(level_cell, sizeof level_cell, "%lld", (long long)level);
        spread_cell(percent, &(struct spread){row->percent.count, row->percent.sum, 0, 0}, true, 7);
    }
    if (row->diverged > 0)
        snprintf(diverged, sizeof diverged, "  %lld diverged", (long long)row->diverged);
    fprintf(out, "%5s %7s  %-15s %5s  %-21s  %-22s  %s%s\n", level_cell, percent, trained_as,
            runs_cell(runs, row), spread_cell(early, &row->early, true, 6),
            spread_cell(end, &row->end, true, 6), spread_cell(iteration, &row->iteration, false, 7),
            diverged);
}

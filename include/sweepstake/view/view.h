/* What people see of a store: the table of tickets and controls, exports, status, and the progress line of a run.
 * Reads stores, never writes one. Output goes to a FILE of the caller's. */
#ifndef SWEEPSTAKE_VIEW_VIEW_H
#define SWEEPSTAKE_VIEW_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/progress.h"
#include "store/store.h"

/* The table at the end of a run: one block for each group of experiments that differ in seeds only; rows are levels (P_m), for the
 * tickets and for each control: mean and min-max over seeds and draws of test accuracy at early stop and at the end, and of the
 * early-stop iteration; then what to type next. */
int view_summary(struct store *store, const char *path, FILE *out, struct error *err);

/* Counts, failures grouped by what they share, how far the grid is. *complete: nothing is left to run. */
int view_status(struct store *store, const char *path, FILE *out, bool *complete, struct error *err);
/* The counts as one line of JSON, and how many iterations of pending tasks are saved beside the store. */
int view_status_json(struct store *store, const char *path, FILE *out, bool *complete, struct error *err);

enum view_format { VIEW_CSV, VIEW_JSON_LINES };
enum view_rows { VIEW_POINTS /* joined with experiments, tasks and results */, VIEW_CURVES };
/* Points: a row a point; where two tables have a column of one name, the later one's gets a prefix (task_level). Curves: a row a
 * point and evaluation, so that a task that several experiments share is told for each. Missing values (NaN; -1 outside the fields
 * of experiments) are empty in CSV, null in JSON. Numbers read back as they were. */
int view_export(struct store *store, enum view_rows rows, enum view_format format, FILE *out, struct error *err);

/* --- progress --- */

enum view_progress_mode { VIEW_LIVE /* one line, redrawn */, VIEW_LINES /* a line now and then */, VIEW_QUIET };

struct view_progress;
/* `columns`: terminal width for VIEW_LIVE. Draws on `out` (stderr). */
struct view_progress *view_progress_create(enum view_progress_mode mode, int columns, FILE *out, struct error *err);
/* Fits struct run_job's show(). `user` is the struct view_progress. */
void view_progress_show(void *user, const struct progress *progress);
/* Clears the live line so that something else can be printed. Fits log_set_before_line. */
void view_progress_clear(void *user);
void view_progress_destroy(struct view_progress *progress); /* accepts NULL */

#endif

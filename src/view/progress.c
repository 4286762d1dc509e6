/* The progress line. Nothing here has a clock: what is drawn, and when, follows from the numbers
 * handed in, so that the terminal shows exactly what the master knows.
 *
 * Live: one line, redrawn in place by a single write (no flicker), never as wide as the terminal
 * (the last column would wrap). Parts are added in the order of what a user wants most, as long as
 * they fit. Lines: a line at the start, then at most one every LINE_SECONDS or a tenth of the
 * tasks, and the last one always. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "number.h"
#include "view/view.h"

#define LINE_SECONDS 10
#define BAR_CELLS 10

struct view_progress {
    enum view_progress_mode mode;
    size_t width; /* of a live line, at most */
    FILE *out;
    bool drawn;         /* a live line is on the terminal */
    struct text line;   /* the newest */
    bool unsaid;        /* it was not printed yet (VIEW_LINES) */
    bool started;       /* some line was printed */
    double said_at;     /* progress->elapsed of the last line printed */
    int64_t said_tenth; /* bar cells full then; all = the last was said */
};

struct view_progress *view_progress_create(enum view_progress_mode mode, int columns, FILE *out,
                                           struct error *err)
{
    struct view_progress *progress = mem_zeroed(1, sizeof *progress, err);
    if (progress == NULL)
        return NULL;
    progress->mode = mode;
    progress->width = columns > 20 ? (size_t)columns - 1 : 20;
    progress->out = out;
    return progress;
}

/* --- building the line --- */

static int32_t finished_tasks(const struct progress *progress)
{
    return progress->done + progress->diverged + progress->failed + progress->skipped +
           progress->unreachable;
}

static int tenths(const struct progress *progress)
{
    return progress->total > 0
               ? (int)((int64_t)BAR_CELLS * finished_tasks(progress) / progress->total)
               : BAR_CELLS;
}

static void add_bar(struct text *line, const struct progress *progress)
{
    int full = tenths(progress);
    text_add(line, "[");
    for (int i = 0; i < BAR_CELLS; i++)
        text_add(line, "%s", i < full ? "#" : ".");
    text_add(line, "] ");
}

static void add_rate(struct text *part, const struct progress *progress)
{
    char number[NUMBER_SIZE];
    if (isfinite(progress->iterations_a_second))
        text_add(part, " | %s it/s", number_thousands(number, progress->iterations_a_second));
}

static void add_time(struct text *part, const struct progress *progress)
{
    char time[32];
    if (finished_tasks(progress) >= progress->total)
        text_add(part, " | took %s", text_duration(time, sizeof time, progress->elapsed));
    else if (isfinite(progress->seconds_left))
        text_add(part, " | %s left", text_duration(time, sizeof time, progress->seconds_left));
}

static void add_worker(struct text *part, const struct progress *progress, int32_t number)
{
    const struct progress_worker *worker = &progress->workers[number];
    text_add(part, "%s w%d ", number == 0 ? " |" : "", number + 1);
    if (worker->task < 0) {
        text_add(part, "idle");
        return;
    }
    text_add(part, "%s", worker->what);
    if (worker->level > 0)
        text_add(part, " L%d", worker->level);
    if (worker->iterations > 0)
        text_add(part, " %.0f%%", floor(100 * worker->iteration / worker->iterations));
}

/* Moves a part to the line when it fits. */
static bool take_part(struct text *line, struct text *part, size_t width)
{
    bool fits = line->length + part->length <= width;
    if (fits && part->length > 0)
        text_add_bytes(line, part->bytes, part->length);
    line->failed |= part->failed;
    text_finish(part);
    return fits;
}

/* What went wrong comes first: it must be seen on the narrowest terminal. */
static void add_counts(struct text *line, const struct progress *progress, size_t width)
{
    const struct {
        int32_t count;
        const char *what;
    } counts[] = {
        {progress->failed, "failed"},   {progress->diverged, "diverged"},
        {progress->skipped, "skipped"}, {progress->unreachable, "unreachable"},
        {progress->running, "running"},
    };
    struct text part = {0};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (counts[i].count > 0)
            text_add(&part, ", %d %s", counts[i].count, counts[i].what);
        take_part(line, &part, width);
    }
}

static void add_workers(struct text *line, const struct progress *progress, size_t width)
{
    struct text part = {0};
    bool fits = progress->running > 0;
    for (int32_t i = 0; fits && i < progress->worker_count; i++) {
        add_worker(&part, progress, i);
        fits = take_part(line, &part, width);
    }
}

static void build_line(struct text *line, const struct progress *progress, size_t width)
{
    struct text part = {0};
    add_bar(line, progress);
    text_add(line, "%d/%d done", progress->done, progress->total);
    add_counts(line, progress, width);
    add_rate(&part, progress);
    take_part(line, &part, width);
    add_time(&part, progress);
    take_part(line, &part, width);
    add_workers(line, progress, width);
}

/* --- printing it --- */

static void draw_live(struct view_progress *view)
{
    struct text drawing = {0};
    text_add(&drawing, "\r%s\033[K", view->line.bytes);
    if (!drawing.failed) {
        fwrite(drawing.bytes, 1, drawing.length, view->out);
        fflush(view->out);
        view->drawn = true;
    }
    text_finish(&drawing);
}

static void print_line(struct view_progress *view)
{
    fprintf(view->out, "%s\n", view->line.bytes);
    fflush(view->out);
    view->unsaid = false;
}

static bool line_is_due(const struct view_progress *view, const struct progress *progress)
{
    return !view->started || tenths(progress) > view->said_tenth ||
           progress->elapsed >= view->said_at + LINE_SECONDS;
}

static void show_line(struct view_progress *view, const struct progress *progress)
{
    bool all_said = view->started && view->said_tenth == BAR_CELLS;
    view->unsaid = !all_said;
    if (all_said || !line_is_due(view, progress))
        return;
    print_line(view);
    view->started = true;
    view->said_at = progress->elapsed;
    view->said_tenth = tenths(progress);
}

void view_progress_show(void *user, const struct progress *progress)
{
    struct view_progress *view = user;
    if (view->mode == VIEW_QUIET)
        return;
    text_finish(&view->line);
    build_line(&view->line, progress, view->mode == VIEW_LIVE ? view->width : SIZE_MAX);
    if (view->line.failed)
        return;
    if (view->mode == VIEW_LIVE)
        draw_live(view);
    else
        show_line(view, progress);
}

void view_progress_clear(void *user)
{
    struct view_progress *view = user;
    if (!view->drawn)
        return;
    fputs("\r\033[K", view->out);
    fflush(view->out);
    view->drawn = false;
}

void view_progress_destroy(struct view_progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->drawn)
        fputs("\n", progress->out);
    if (progress->unsaid && !progress->line.failed)
        print_line(progress);
    fflush(progress->out);
    text_finish(&progress->line);
    free(progress);
}

/* The table at the end of a run: one block for each group of experiments that differ in seeds only,
 * its rows by level, the ticket first and then what it is compared with.
 *
 * A lane is a way to train: the ticket, or one control of the grid. Points of the groups shown
 * become entries {group, level, lane, task}; one sort brings together what is averaged, lanes in
 * the order of the grid's list of controls. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "groups.h"
#include "join.h"
#include "summary_row.h"
#include "view/view.h"

#define GROUPS_SHOWN 20
#define LANES_MOST 1024
#define LABEL_SIZE 64

struct lane {
    char kind[STORE_NAME_SIZE]; /* "ticket" first */
    int64_t control;            /* number in the grid's list, -1 for the ticket */
    char label[LABEL_SIZE];
};

struct entry {
    int32_t group, lane;
    int64_t level, control, task;
};

struct summary {
    struct join join;
    struct groups groups;
    struct lane *lanes;
    int32_t lane_count;
    struct entry *entries;
    int64_t entry_count;
};

/* --- lanes --- */

/* The lane of a point, added when new; -1 = out of memory or too many. */
static int32_t lane_of(struct summary *summary, size_t *capacity, int64_t point, struct error *err)
{
    const struct store_table *points = &summary->join.tables[JOIN_POINTS];
    struct lane lane = {0};
    store_table_text(points, point, summary->join.point.control, lane.kind, sizeof lane.kind);
    lane.control = store_table_integer(points, point, summary->join.point.control_index);
    for (int32_t i = 0; i < summary->lane_count; i++)
        if (summary->lanes[i].control == lane.control &&
            strcmp(summary->lanes[i].kind, lane.kind) == 0)
            return i;
    if (summary->lane_count == LANES_MOST)
        return error_set(err, ERROR_USAGE, "/points has more than %d kinds of controls",
                         LANES_MOST);
    if (mem_grow((void **)&summary->lanes, capacity, (size_t)summary->lane_count + 1, sizeof lane,
                 err) != 0)
        return -1;
    summary->lanes[summary->lane_count] = lane;
    return summary->lane_count++;
}

/* Two controls of one kind are told apart by their place in the grid's list. */
static void label_lanes(struct summary *summary)
{
    for (int32_t i = 0; i < summary->lane_count; i++) {
        struct lane *lane = &summary->lanes[i];
        int alike = 0;
        for (int32_t j = 0; j < summary->lane_count; j++)
            alike += strcmp(summary->lanes[j].kind, lane->kind) == 0;
        if (alike > 1)
            snprintf(lane->label, sizeof lane->label, "%.32s #%lld", lane->kind,
                     (long long)lane->control + 1);
        else
            text_copy(lane->label, sizeof lane->label, lane->kind);
    }
}

/* --- entries --- */

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    if (a->control != b->control)
        return a->control < b->control ? -1 : 1;
    if (a->lane != b->lane)
        return a->lane < b->lane ? -1 : 1;
    return (a->task > b->task) - (a->task < b->task);
}

static int collect_entries(struct summary *summary, struct error *err)
{
    const struct join *join = &summary->join;
    int64_t points = join->tables[JOIN_POINTS].row_count;
    size_t capacity = 0;
    summary->entries = mem_zeroed((size_t)points, sizeof *summary->entries, err);
    if (summary->entries == NULL)
        return -1;
    for (int64_t point = 0; point < points; point++) {
        int64_t experiment = join_row(join, JOIN_EXPERIMENTS, point);
        int64_t task = join_row(join, JOIN_TASKS, point);
        if (experiment < 0 || task < 0 || summary->groups.of[experiment] >= GROUPS_SHOWN)
            continue;
        int32_t lane = lane_of(summary, &capacity, point, err);
        if (lane < 0)
            return -1;
        summary->entries[summary->entry_count++] = (struct entry){
            .group = summary->groups.of[experiment],
            .lane = lane,
            .level = store_table_integer(&join->tables[JOIN_POINTS], point, join->point.level),
            .control = summary->lanes[lane].control,
            .task = task,
        };
    }
    qsort(summary->entries, (size_t)summary->entry_count, sizeof *summary->entries,
          compare_entries);
    label_lanes(summary);
    return 0;
}

/* --- printing --- */

static const char *trained_as(const struct summary *summary, const struct entry *entry)
{
    const struct lane *lane = &summary->lanes[entry->lane];
    return entry->level == 0 && strcmp(lane->kind, "ticket") == 0 ? "dense" : lane->label;
}

/* Prints the row that starts at entry `first`; returns where the next one starts. A task that
 * several experiments of the group share counts once. */
static int64_t print_row(const struct summary *summary, const struct summary_columns *columns,
                         int64_t first, FILE *out)
{
    const struct entry *entry = &summary->entries[first];
    struct summary_row row = {0};
    int64_t next = first;
    for (; next < summary->entry_count; next++) {
        const struct entry *other = &summary->entries[next];
        if (other->group != entry->group || other->level != entry->level ||
            other->lane != entry->lane)
            break;
        if (next == first || other->task != other[-1].task)
            summary_row_add(&row, &summary->join, columns, other->task);
    }
    bool same_level =
        first > 0 && entry[-1].group == entry->group && entry[-1].level == entry->level;
    summary_row_print(&row, same_level ? -1 : entry->level, trained_as(summary, entry), out);
    return next;
}

static void print_group_name(const struct summary *summary, int32_t group, FILE *out)
{
    struct text name = {0};
    int64_t size = summary->groups.sizes[group];
    groups_name(&summary->groups, &summary->join.tables[JOIN_EXPERIMENTS], group, &name);
    fprintf(out, "\n%s%s(%lld %s)\n", name.length > 0 ? name.bytes : "",
            name.length > 0 ? "  " : "", (long long)size,
            size == 1 ? "experiment" : "experiments that differ in seeds");
    text_finish(&name);
}

static void print_blocks(const struct summary *summary, FILE *out)
{
    struct summary_columns columns = summary_columns_find(&summary->join.tables[JOIN_RESULTS]);
    for (int64_t i = 0; i < summary->entry_count;) {
        if (i == 0 || summary->entries[i].group != summary->entries[i - 1].group) {
            print_group_name(summary, summary->entries[i].group, out);
            summary_print_heading(out);
        }
        i = print_row(summary, &columns, i, out);
    }
}

static void print_counts(const struct summary *summary, const char *path, FILE *out)
{
    int64_t counts[JOIN_STATUSES];
    int64_t damaged = join_count_statuses(&summary->join, counts);
    fprintf(out, "%s: %lld of %lld tasks done", path, (long long)counts[STORE_DONE],
            (long long)summary->join.tables[JOIN_RESULTS].row_count);
    for (int i = 0; i < JOIN_STATUSES; i++) {
        enum store_status status = join_status_order[i];
        if (status != STORE_DONE && counts[status] > 0)
            fprintf(out, ", %lld %s", (long long)counts[status], store_status_name(status));
    }
    if (damaged > 0)
        fprintf(out, ", %lld damaged (run `sweepstake verify %s`)", (long long)damaged, path);
    if (summary->join.orphans > 0)
        fprintf(out, "; %lld more of an earlier grid are kept", (long long)summary->join.orphans);
    fprintf(out, "\n");
    if (counts[STORE_FAILED] + counts[STORE_DIVERGED] > 0)
        fprintf(out, "`sweepstake status %s` says what went wrong and what those tasks share\n",
                path);
}

static void print_next_steps(const char *path, FILE *out)
{
    fprintf(out,
            "\nWhat next:\n"
            "  sweepstake export %s > points.csv\n"
            "or in a notebook (sweepstake.py is in notebooks/):\n"
            "  import sweepstake\n"
            "  points = sweepstake.open(\"%s\").points\n",
            path, path);
}

static void print_summary(const struct summary *summary, const char *path, FILE *out)
{
    print_counts(summary, path, out);
    print_blocks(summary, out);
    if (summary->groups.count > GROUPS_SHOWN)
        fprintf(out, "\n%d more groups of experiments are not shown; the export below has all %d\n",
                summary->groups.count - GROUPS_SHOWN, summary->groups.count);
    print_next_steps(path, out);
}

int view_summary(struct store *store, const char *path, FILE *out, struct error *err)
{
    struct summary summary = {0};
    int status = join_read(&summary.join, store, err);
    if (status == 0)
        status = groups_find(&summary.groups, &summary.join.tables[JOIN_EXPERIMENTS], err);
    if (status == 0)
        status = collect_entries(&summary, err);
    if (status == 0)
        print_summary(&summary, path, out);
    free(summary.lanes);
    free(summary.entries);
    groups_finish(&summary.groups);
    join_finish(&summary.join);
    return status;
}

/* Owns the reading of job files and site profiles: one table of keys, each value checked at its
 * place. What a text may hold is decided here, so that whoever writes a batch script has no
 * character to fear: no control characters, quotes or anything else a shell reads as more than a
 * letter. */
#include "grid/job_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "grid/grid.h"
#include "tree.h"

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SHELL_CHARACTERS "\"'`\\$;&|<>(){}[]*?!#~%"
#define MOST_COUNT 100000
#define MOST_WALL_SECONDS (365 * 86400)

enum value_kind {
    VALUE_PATH,
    VALUE_NAME,
    VALUE_MAIL,
    VALUE_COUNT,
    VALUE_MEMORY,
    VALUE_WALL_TIME,
    VALUE_PREEMPTION,
    VALUE_MODULES,
    VALUE_ENVIRONMENT,
};

struct key {
    const char *name;
    enum value_kind kind;
    size_t offset;    /* in struct job_file */
    bool of_job_only; /* no site profile has it */
};

#define KEY(name, kind, ...)                                                                       \
    {                                                                                              \
#name, kind, offsetof(struct job_file, name), __VA_ARGS__                                  \
    }
static const struct key keys[] = {
    KEY(grid, VALUE_PATH, true),
    KEY(store, VALUE_PATH, true),
    KEY(data, VALUE_PATH, false),
    KEY(workers, VALUE_COUNT, false),
    KEY(nodes, VALUE_COUNT, false),
    KEY(ranks_per_node, VALUE_COUNT, false),
    KEY(cores_per_rank, VALUE_COUNT, false),
    KEY(memory, VALUE_MEMORY, false),
    {"wall_time", VALUE_WALL_TIME, offsetof(struct job_file, wall_seconds), false},
    KEY(partition, VALUE_NAME, false),
    KEY(account, VALUE_NAME, false),
    KEY(qos, VALUE_NAME, false),
    KEY(mail, VALUE_MAIL, false),
    KEY(preemption, VALUE_PREEMPTION, false),
    {"modules", VALUE_MODULES, 0, false},
    {"environment", VALUE_ENVIRONMENT, 0, false},
};
#define KEY_COUNT (sizeof keys / sizeof *keys)

/* A job with the memory that its texts are in. */
struct reading {
    struct job_file job;
    struct arena arena;
};

/* --- texts --- */

static bool consists_of(const char *text, const char *allowed)
{
    return *text != '\0' && *text != '-' && text[strspn(text, allowed)] == '\0';
}

static bool is_harmless(const char *text)
{
    return strpbrk(text, SHELL_CHARACTERS) == NULL;
}

static bool is_path(const char *text)
{
    return *text != '\0' && *text != '-' && is_harmless(text);
}

static bool is_variable_name(const char *text)
{
    return consists_of(text, ALPHANUMERIC "_") && (*text < '0' || *text > '9');
}

/* --- numbers --- */

static bool read_count(const char *text, int64_t *count)
{
    char *end;
    if (!consists_of(text, "0123456789"))
        return false;
    *count = strtoll(text, &end, 10);
    return *count >= 1 && *count <= MOST_COUNT;
}

/* 800M, 4G, 1T: decimal units, as elsewhere. */
static bool read_memory(const char *text, int64_t *megabytes)
{
    static const char units[] = "MGT";
    size_t digits = strspn(text, "0123456789");
    const char *unit =
        digits > 0 && digits <= 6 && text[digits] != '\0' ? strchr(units, text[digits]) : NULL;
    if (unit == NULL || text[digits + 1] != '\0')
        return false;
    *megabytes = strtoll(text, NULL, 10);
    for (const char *at = units; at < unit; at++)
        *megabytes *= 1000;
    return *megabytes >= 1 && *megabytes <= INT64_C(1000000000);
}

/* HH:MM:SS or D-HH:MM:SS. */
static bool read_wall_time(const char *text, int64_t *total)
{
    int days = 0, hours, minutes, seconds, end = 0;
    if (!consists_of(text, "0123456789:-"))
        return false;
    const char *clock = strchr(text, '-');
    if (clock != NULL && (sscanf(text, "%3d-%n", &days, &end) != 1 || text + end != clock + 1))
        return false;
    clock = clock != NULL ? clock + 1 : text;
    if (strchr(clock, '-') != NULL ||
        sscanf(clock, "%4d:%2d:%2d%n", &hours, &minutes, &seconds, &end) != 3 ||
        clock[end] != '\0' || minutes > 59 || seconds > 59)
        return false;
    *total = ((int64_t)days * 24 + hours) * 3600 + minutes * 60 + seconds;
    return *total >= 60 && *total <= MOST_WALL_SECONDS;
}

static bool read_preemption(const char *text, enum job_preemption *preemption)
{
    *preemption = strcmp(text, "cancel") == 0 ? JOB_CANCEL : JOB_REQUEUE;
    return *preemption == JOB_CANCEL || strcmp(text, "requeue") == 0;
}

/* --- values --- */

static const char *const expectations[] = {
    [VALUE_PATH] = "a path without quotes or characters that a shell reads (" SHELL_CHARACTERS
                   "), not beginning with -",
    [VALUE_NAME] = "a name of letters, digits and . _ + - ,",
    [VALUE_MAIL] = "a mail address of letters, digits and . _ + - @",
    [VALUE_COUNT] = "an integer from 1 to 100000",
    [VALUE_MEMORY] = "the memory of a rank, as in 800M, 4G or 1T",
    [VALUE_WALL_TIME] = "HH:MM:SS or D-HH:MM:SS, from a minute to a year",
    [VALUE_PREEMPTION] = "requeue or cancel",
    [VALUE_MODULES] = "names of modules of letters, digits and . _ + - /, as in [gcc, openmpi/4.1]",
    [VALUE_ENVIRONMENT] = "a map as in {NAME: value}, without quotes or characters that a shell "
                          "reads (" SHELL_CHARACTERS ")",
};

static bool read_text(const struct key *key, const char *text, void *to)
{
    switch (key->kind) {
    case VALUE_COUNT:
        return read_count(text, to);
    case VALUE_MEMORY:
        return read_memory(text, to);
    case VALUE_WALL_TIME:
        return read_wall_time(text, to);
    case VALUE_PREEMPTION:
        return read_preemption(text, to);
    case VALUE_NAME:
        *(const char **)to = text;
        return consists_of(text, ALPHANUMERIC "._+-,");
    case VALUE_MAIL:
        *(const char **)to = text;
        return consists_of(text, ALPHANUMERIC "._+-@");
    default:
        *(const char **)to = text;
        return is_path(text);
    }
}

static int fail_value(const struct reader *reader, const struct key *key, const struct node *value)
{
    if (value->kind != NODE_SCALAR || node_is_null(value))
        return reader_fail(reader, value->mark, key->name, "%s; give %s", node_kind_name(value),
                           expectations[key->kind]);
    return reader_fail(reader, value->mark, key->name, "\"%s\" is not right; give %s",
                       value->scalar.text, expectations[key->kind]);
}

static bool is_scalar(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node_is_null(node);
}

/* Both add to what the profile brought. */
static int read_modules(const struct reader *reader, const struct key *key,
                        const struct node *value, struct job_file *job)
{
    if (value->kind != NODE_LIST)
        return fail_value(reader, key, value);
    const char **modules = reader_zeroed(reader, job->module_count + value->count, sizeof *modules);
    if (modules == NULL)
        return -1;
    for (size_t i = 0; i < job->module_count; i++)
        modules[i] = job->modules[i];
    job->modules = modules;
    for (size_t i = 0; i < value->count; i++) {
        const struct node *item = value->items[i];
        if (!is_scalar(item) || !consists_of(item->scalar.text, ALPHANUMERIC "._+-/"))
            return fail_value(reader, key, item);
        modules[job->module_count++] = item->scalar.text;
    }
    return 0;
}

static int read_environment(const struct reader *reader, const struct key *key,
                            const struct node *value, struct job_file *job)
{
    if (value->kind != NODE_MAP)
        return fail_value(reader, key, value);
    struct job_variable *variables =
        reader_zeroed(reader, job->variable_count + value->count, sizeof *variables);
    if (variables == NULL)
        return -1;
    for (size_t i = 0; i < job->variable_count; i++)
        variables[i] = job->variables[i];
    job->variables = variables;
    for (size_t i = 0; i < value->count; i++) {
        const struct scalar *name = &value->keys[i];
        if (!is_variable_name(name->text))
            return reader_fail(reader, name->mark, key->name, "\"%s\" names no variable; give %s",
                               name->text, expectations[key->kind]);
        if (!is_scalar(value->items[i]) || !is_harmless(value->items[i]->scalar.text))
            return fail_value(reader, key, value->items[i]);
        variables[job->variable_count++] =
            (struct job_variable){name->text, value->items[i]->scalar.text};
    }
    return 0;
}

static int read_value(const struct reader *reader, const struct key *key, const struct node *value,
                      struct job_file *job)
{
    if (key->kind == VALUE_MODULES)
        return read_modules(reader, key, value, job);
    if (key->kind == VALUE_ENVIRONMENT)
        return read_environment(reader, key, value, job);
    if (!is_scalar(value) || !read_text(key, value->scalar.text, (char *)job + key->offset))
        return fail_value(reader, key, value);
    return 0;
}

/* --- files --- */

static int fail_unknown(const struct reader *reader, const struct scalar *key, bool profile)
{
    const char *known[KEY_COUNT + 1];
    size_t count = 0;
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (!profile || !keys[i].of_job_only)
            known[count++] = keys[i].name;
    if (!profile)
        known[count++] = "cluster";
    return reader_unknown(reader, key->mark, key->text, key->text, known, count);
}

static int read_pair(const struct reader *reader, const struct scalar *key,
                     const struct node *value, bool profile, struct job_file *job)
{
    if (!profile && strcmp(key->text, "cluster") == 0)
        return 0; /* was read before all others */
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].name, key->text) == 0 && !(profile && keys[i].of_job_only))
            return read_value(reader, &keys[i], value, job);
    return fail_unknown(reader, key, profile);
}

static int read_pairs(const struct reader *reader, const struct node *map, bool profile,
                      struct job_file *job)
{
    for (size_t i = 0; i < map->count; i++)
        if (read_pair(reader, &map->keys[i], map->items[i], profile, job) != 0)
            return -1;
    return 0;
}

static struct node *read_tree(const struct reader *reader)
{
    char *text;
    size_t length;
    if (file_read(reader->file, GRID_MAX_BYTES, &text, &length, reader->err) != 0)
        return NULL;
    struct node *root = tree_read(reader, text, length);
    free(text);
    return root;
}

/* The site's values come first, so that the job's own go over them. */
static int read_profile(const struct reader *reader, const struct node *map, struct job_file *job)
{
    const struct node *cluster = node_find(map, "cluster");
    if (cluster == NULL)
        return 0;
    if (!is_scalar(cluster) || !consists_of(cluster->scalar.text, ALPHANUMERIC "_-"))
        return reader_fail(reader, cluster->mark, "cluster",
                           "give the name of a profile slurm/NAME.yaml: letters, digits, _ and -");
    char file[GRID_PATH_SIZE + 16];
    snprintf(file, sizeof file, "slurm/%s.yaml", cluster->scalar.text);
    struct reader site = *reader;
    site.file = file;
    const struct node *root = read_tree(&site);
    if (root == NULL || read_pairs(&site, root, true, job) != 0)
        return error_prefix(reader->err, "%s:%u:%u: cluster", reader->file, cluster->mark.line,
                            cluster->mark.column);
    return 0;
}

static int check_together(const struct reader *reader, const struct node *map,
                          const struct job_file *job)
{
    struct mark top = {0, 0};
    const struct node *nodes = node_find(map, "nodes");
    struct mark mark = nodes != NULL ? nodes->mark : top;
    if (job->grid == NULL)
        return reader_fail(reader, top, "grid", "is missing; give the grid file to run");
    if (job->nodes > 0 && job->ranks_per_node == 0)
        return reader_fail(reader, mark, "nodes",
                           "comes with ranks_per_node; give both, or workers");
    if (job->nodes > 0 && job->workers > job->nodes * job->ranks_per_node)
        return reader_fail(reader, mark, "nodes",
                           "%lld nodes of %lld ranks have no room for %lld workers; leave one out",
                           (long long)job->nodes, (long long)job->ranks_per_node,
                           (long long)job->workers);
    return 0;
}

struct job_file *job_file_read(const char *file, struct error *err)
{
    struct reading *reading = mem_zeroed(1, sizeof *reading, err);
    if (reading == NULL)
        return NULL;
    struct reader reader = {.file = file, .arena = &reading->arena, .err = err};
    struct job_file *job = &reading->job;
    const struct node *root = read_tree(&reader);
    if (root != NULL && read_profile(&reader, root, job) == 0 &&
        read_pairs(&reader, root, false, job) == 0 && check_together(&reader, root, job) == 0)
        return job;
    job_file_destroy(job);
    return NULL;
}

void job_file_destroy(struct job_file *job)
{
    struct reading *reading = (struct reading *)job; /* its first member */
    if (reading == NULL)
        return;
    arena_finish(&reading->arena);
    free(reading);
}

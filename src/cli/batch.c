/* Owns the rendering of a job's batch script. Whatever comes from outside stands in single quotes
 * in the script's commands; what sbatch itself reads (#SBATCH lines) holds only characters that
 * job_file lets pass. */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch_embedded.h" /* BATCH_TEMPLATE */
#include "part.h"

#define PATH_SIZE 4096
#define MOST_WARNING 120 /* seconds before the end */
#define LEAST_WARNING 30

static void add_quoted(struct text *text, const char *value)
{
    text_add(text, "'");
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            text_add(text, "'\\''");
        else
            text_add_bytes(text, value, 1);
    }
    text_add(text, "'");
}

static int64_t ceiling(int64_t dividend, int64_t divisor)
{
    return (dividend + divisor - 1) / divisor;
}

/* --- places of the template --- */

static void add_directive(struct text *text, const char *name, const char *value)
{
    if (value != NULL)
        text_add(text, "#SBATCH --%s=%s\n", name, value);
}

static void add_number(struct text *text, const char *name, int64_t value)
{
    if (value > 0)
        text_add(text, "#SBATCH --%s=%lld\n", name, (long long)value);
}

static void add_layout(struct text *text, const struct batch *batch)
{
    const struct job_file *job = batch->job;
    int64_t cores = job->cores_per_rank > 0 ? job->cores_per_rank : 1, nodes = job->nodes;
    if (nodes == 0 && job->ranks_per_node > 0)
        nodes = ceiling(batch->workers, job->ranks_per_node);
    add_number(text, "nodes", nodes);
    add_number(text, "ntasks", batch->workers);
    add_number(text, "ntasks-per-node", job->ranks_per_node);
    add_number(text, "cpus-per-task", cores);
    if (job->memory > 0) /* SLURM's M is 2^20 bytes */
        text_add(text, "#SBATCH --mem-per-cpu=%lldM\n",
                 (long long)ceiling(job->memory * 1000000, cores << 20));
}

/* A short job is not to be warned as soon as it starts. */
static int64_t warning_seconds(int64_t wall_seconds)
{
    int64_t fifth = wall_seconds / 5;
    if (fifth < LEAST_WARNING)
        return LEAST_WARNING;
    return fifth < MOST_WARNING ? fifth : MOST_WARNING;
}

static void add_directives(struct text *text, const struct batch *batch)
{
    const struct job_file *job = batch->job;
    bool requeue = job->preemption == JOB_REQUEUE;
    add_directive(text, "job-name", batch->name);
    text_add(text, "#SBATCH --output=\"%s.%%j.log\"\n#SBATCH --open-mode=append\n", batch->store);
    add_layout(text, batch);
    add_number(text, "time", ceiling(batch->wall_seconds, 60));
    text_add(text, "#SBATCH --signal=B:USR1@%lld\n#SBATCH --%s",
             (long long)warning_seconds(batch->wall_seconds),
             requeue ? "requeue\n" : "no-requeue\n");
    add_directive(text, "partition", job->partition);
    add_directive(text, "account", job->account);
    add_directive(text, "qos", job->qos);
    add_directive(text, "mail-user", job->mail);
    add_directive(text, "mail-type", job->mail != NULL ? "END,FAIL,REQUEUE,TIME_LIMIT" : NULL);
}

static void add_environment(struct text *text, const struct batch *batch)
{
    const struct job_file *job = batch->job;
    if (job->module_count > 0)
        text_add(text, "type module >/dev/null 2>&1 || . /etc/profile\n");
    for (size_t i = 0; i < job->module_count; i++) {
        text_add(text, "module load ");
        add_quoted(text, job->modules[i]);
        text_add(text, " || exit 2\n");
    }
    for (size_t i = 0; i < job->variable_count; i++) {
        text_add(text, "export %s=", job->variables[i].name);
        add_quoted(text, job->variables[i].value);
        text_add(text, "\n");
    }
}

static void add_workers(struct text *text, const struct batch *batch)
{
    text_add(text, "%lld", (long long)batch->workers);
    if (batch->job->cores_per_rank > 1)
        text_add(text, " --threads %lld", (long long)batch->job->cores_per_rank);
}

static void add_data(struct text *text, const struct batch *batch)
{
    if (batch->job->data == NULL)
        return;
    text_add(text, " --data ");
    add_quoted(text, batch->job->data);
}

static void add_part(struct text *text, const struct batch *batch)
{
    if (batch->part.count > 0)
        text_add(text, " --part %d/%d", batch->part.number, batch->part.count);
}

/* The stores of all parts; what would not fit was refused when the parts were prepared. */
static void add_parts(struct text *text, const struct batch *batch)
{
    char store[PATH_SIZE];
    for (int number = 1; number <= batch->part.count; number++) {
        struct plan_part part = {number, batch->part.count};
        if (part_store(batch->whole, part, store, sizeof store, NULL) != 0)
            continue;
        if (number > 1)
            text_add(text, " ");
        add_quoted(text, store);
    }
}

static bool is_word(const char *word, const char *name, size_t length)
{
    return strlen(word) == length && memcmp(word, name, length) == 0;
}

/* `name` is a place's, without its @; false where there is none of this name. */
static bool add_place(struct text *text, const char *name, size_t length, const struct batch *batch,
                      const char *program, const char *folder)
{
    const struct {
        const char *name, *quoted;
    } values[] = {
        {"program", program},
        {"folder", folder},
        {"grid", batch->job->grid},
        {"store", batch->store},
        {"whole", batch->whole},
        {"preemption", batch->job->preemption == JOB_REQUEUE ? "requeue" : "cancel"},
    };
    static const struct {
        const char *name;
        void (*add)(struct text *text, const struct batch *batch);
    } pieces[] = {
        {"directives", add_directives},
        {"environment", add_environment},
        {"workers", add_workers},
        {"data", add_data},
        {"part", add_part},
        {"parts", add_parts},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (is_word(values[i].name, name, length)) {
            add_quoted(text, values[i].quoted);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (is_word(pieces[i].name, name, length)) {
            pieces[i].add(text, batch);
            return true;
        }
    }
    return false;
}

static void fill_in(struct text *text, const struct batch *batch, const char *program,
                    const char *folder)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    const char *at = BATCH_TEMPLATE;
    while (*at != '\0') {
        size_t plain = strcspn(at, "@");
        text_add_bytes(text, at, plain);
        at += plain;
        size_t length = *at == '@' ? strspn(at + 1, letters) : 0;
        if (length > 0 && at[1 + length] == '@' &&
            add_place(text, at + 1, length, batch, program, folder)) {
            at += length + 2;
        } else if (*at != '\0') {
            text_add_bytes(text, at++, 1);
        }
    }
}

int batch_render(const struct batch *batch, struct text *script, struct error *err)
{
    char program[PATH_SIZE], folder[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0 || getcwd(folder, sizeof folder) == NULL)
        return error_set(err, ERROR_RESOURCE, "where this is cannot be told: %s", strerror(errno));
    program[length] = '\0';
    fill_in(script, batch, program, folder);
    return script->failed ? error_set(err, ERROR_RESOURCE, "not enough memory") : 0;
}

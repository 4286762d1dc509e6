/* The fake executor: tasks that take a set time and meet set mishaps, for testing what surrounds
 * an executor. Which attempt it is stands in the store, as the master wrote it. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "work/work.h"

#define SLICE_NANOSECONDS 1000000L

enum mishap { MISHAP_SLOW, MISHAP_FAIL, MISHAP_CRASH, MISHAP_SILENT };
static const char *const mishap_names[] = {"slow", "fail", "crash", "silent"};

struct rule {
    enum mishap mishap;
    int32_t task;
    double number; /* seconds (slow) or attempts */
};

struct fake {
    const struct plan *plan;
    struct store *store;
    struct store_table tasks;
    double seconds;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    uint8_t *attempts;
    pid_t victim;
};

static const struct rule *find_rule(const struct fake *fake, enum mishap mishap, int32_t task)
{
    for (size_t i = 0; i < fake->rule_count; i++) {
        if (fake->rules[i].mishap == mishap && fake->rules[i].task == task)
            return &fake->rules[i];
    }
    return NULL;
}

static bool meets(const struct fake *fake, enum mishap mishap, int32_t task)
{
    const struct rule *rule = find_rule(fake, mishap, task);
    return rule != NULL && fake->attempts[task] <= rule->number;
}

static void sleep_slice(void)
{
    nanosleep(&(struct timespec){.tv_nsec = SLICE_NANOSECONDS}, NULL);
}

/* Returns whether it was interrupted. */
static bool pass_time(const struct fake *fake, int32_t task, const struct work_hooks *hooks)
{
    const struct rule *slow = find_rule(fake, MISHAP_SLOW, task);
    double seconds = slow != NULL ? slow->number : fake->seconds;
    double start = clock_seconds(), passed = 0;
    double iterations = (double)fake->plan->trainings[fake->plan->tasks[task].training].iterations;
    while (passed < seconds) {
        if (hooks != NULL && hooks->progress != NULL &&
            hooks->progress(hooks->user, iterations * passed / seconds))
            return true;
        sleep_slice();
        passed = clock_seconds() - start;
    }
    return false;
}

static void fail(struct work_outcome *outcome, const char *message)
{
    outcome->status = WORK_FAILED;
    outcome->result.status = STORE_FAILED;
    outcome->result.reason = STORE_REASON_ERROR;
    text_copy(outcome->result.message, sizeof outcome->result.message, message);
}

/* A real task could not have been trained before its parent. */
static int check_parent(const struct fake *fake, int32_t task, struct work_outcome *outcome,
                        struct error *err)
{
    int32_t parent = fake->plan->tasks[task].parent;
    struct store_result row;
    if (parent < 0)
        return 0;
    if (store_read_results(fake->store, parent, 1, &row, err) != 0)
        return -1;
    if (row.status != STORE_DONE)
        fail(outcome, "was handed out before its parent was done");
    return 0;
}

/* The payload is what its place in the store holds already. */
static int finish_task(struct fake *fake, int32_t task, struct work_outcome *outcome,
                       struct error *err)
{
    struct store_payload payload;
    outcome->status = WORK_DONE;
    outcome->result.status = STORE_DONE;
    if (store_task_payload(fake->store, &fake->tasks, task, &payload, err) != 0)
        return -1;
    return store_read_digest(fake->store, &payload, &outcome->digest, err);
}

static int fake_run(void *self, int32_t task, const struct work_hooks *hooks,
                    struct work_outcome *outcome, struct error *err)
{
    struct fake *fake = self;
    double start = clock_seconds();
    *outcome = (struct work_outcome){.status = WORK_INTERRUPTED, .result = store_result_pending()};
    if (store_read_attempts(fake->store, fake->plan->task_count, fake->attempts, err) != 0)
        return -1;
    while (meets(fake, MISHAP_SILENT, task))
        sleep_slice();
    if (pass_time(fake, task, hooks))
        return 0;
    if (meets(fake, MISHAP_CRASH, task))
        kill(fake->victim, SIGKILL);
    if (meets(fake, MISHAP_FAIL, task))
        fail(outcome, "failed as it was told to");
    else if (finish_task(fake, task, outcome, err) != 0 ||
             check_parent(fake, task, outcome, err) != 0)
        return -1;
    outcome->seconds = outcome->result.seconds = clock_seconds() - start;
    return 0;
}

static void fake_destroy(void *self)
{
    struct fake *fake = self;
    store_table_finish(&fake->tasks);
    free(fake->rules);
    free(fake->attempts);
    free(fake);
}

/* --- the description --- */

static int read_rule(struct fake *fake, const char *word, struct error *err)
{
    struct rule rule;
    char name[16];
    int end = 0;
    if (sscanf(word, "%15[a-z]=%" SCNd32 ":%lf%n", name, &rule.task, &rule.number, &end) != 3 ||
        word[end] != '\0')
        return -1;
    for (size_t i = 0; i < sizeof mishap_names / sizeof *mishap_names; i++) {
        if (strcmp(name, mishap_names[i]) != 0)
            continue;
        rule.mishap = (enum mishap)i;
        if (mem_grow((void **)&fake->rules, &fake->rule_capacity, fake->rule_count + 1, sizeof rule,
                     err) != 0)
            return -1;
        fake->rules[fake->rule_count++] = rule;
        return 0;
    }
    return -1;
}

static int read_word(struct fake *fake, const char *word, struct error *err)
{
    int end = 0;
    error_set(err, ERROR_USAGE,
              "fake executor: '%s' is none of seconds=S, slow=T:S, fail=T:N, crash=T:N, silent=T:N",
              word);
    if (sscanf(word, "seconds=%lf%n", &fake->seconds, &end) == 1 && word[end] == '\0')
        return 0;
    return read_rule(fake, word, err);
}

static int read_description(struct fake *fake, const char *description, struct error *err)
{
    struct error wrong;
    char *copy = mem_string(description, err), *rest = copy, *word;
    if (copy == NULL)
        return -1;
    int failed = 0;
    while (failed == 0 && (word = strsep(&rest, " ")) != NULL) {
        if (word[0] != '\0' && (failed = read_word(fake, word, &wrong)) != 0)
            *err = wrong;
    }
    free(copy);
    return failed;
}

int executor_check_fake(const char *description, struct error *err)
{
    struct fake fake = {0};
    int failed = read_description(&fake, description, err);
    free(fake.rules);
    return failed;
}

int executor_create_fake(struct executor *executor, const char *description,
                         const struct plan *plan, struct store *store, pid_t victim,
                         struct error *err)
{
    struct fake *fake = mem_zeroed(1, sizeof *fake, err);
    if (fake == NULL)
        return -1;
    fake->plan = plan;
    fake->store = store;
    fake->victim = victim;
    fake->attempts = mem_zeroed((size_t)plan->task_count, 1, err);
    if (fake->attempts == NULL || read_description(fake, description, err) != 0 ||
        store_read_table(store, "tasks", &fake->tasks, err) != 0) {
        fake_destroy(fake);
        return -1;
    }
    *executor = (struct executor){.self = fake, .run = fake_run, .destroy = fake_destroy};
    return 0;
}

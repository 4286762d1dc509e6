/* The real executor: a task's mask and weights come from its parent in the store, it is trained,
 * and what it leaves is written.
 *
 * Network and dataset are kept for the next task, which mostly uses the same. They are no state: a
 * task sets all of the network it uses. What fails before the payload is written is the task's own
 * failure; a store that cannot be written ends the process. */
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/shared_block.h"
#include "base/text.h"
#include "inflight.h"
#include "keep.h"
#include "origin.h"
#include "ticket/ticket.h"
#include "work/work.h"

struct real {
    const struct plan *plan;
    struct store *store;
    const struct work_saving *saving;
    enum net_kernels kernels;
    struct network *net;
    int32_t net_index;
    int64_t net_batch;
    struct dataset *dataset;
    int32_t dataset_index;
    bool told_private; /* that datasets cannot be shared */
};

/* One task on its way. */
struct attempt {
    struct real *real;
    int32_t number;
    const struct plan_task *task;
    const struct plan_training *training;
    const struct work_hooks *hooks;
    double started; /* seconds, monotonic */
    struct origin origin;
    struct keep keep;
    struct inflight inflight;
    struct train_spec spec;
    struct train_result result;
};

/* --- what is kept from task to task --- */

static void forget(struct real *real)
{
    net_destroy(real->net);
    dataset_destroy(real->dataset);
    real->net = NULL;
    real->dataset = NULL;
}

static int use_network(struct attempt *attempt, struct error *err)
{
    struct real *real = attempt->real;
    int32_t index = attempt->task->network;
    int64_t batch = attempt->training->batch;
    if (real->net != NULL && real->net_index == index && real->net_batch == batch)
        return 0;
    struct net_options options = {.train_batch = (int32_t)batch, .kernels = real->kernels};
    net_destroy(real->net);
    real->net = net_create(&real->plan->networks[index].spec, options, err);
    real->net_index = index;
    real->net_batch = batch;
    return real->net == NULL ? -1 : 0;
}

static void tell_private(struct real *real, const struct error *private)
{
    if (private->text[0] != '\0' && !real->told_private)
        log_line(LOG_WARNING, "this worker keeps datasets for itself: %s", private->text);
    real->told_private = real->told_private || private->text[0] != '\0';
}

/* Another view of the same examples is opened before this one is closed, which may be the last to
 * use them. */
static int use_dataset(struct attempt *attempt, struct error *err)
{
    struct real *real = attempt->real;
    int32_t index = attempt->task->dataset;
    const struct plan_dataset *planned = &real->plan->datasets[index];
    struct dataset *before = real->dataset;
    struct error private = {0};
    if (before != NULL && real->dataset_index == index)
        return 0;
    if (before != NULL && memcmp(&before->content, &planned->content, sizeof planned->content)) {
        dataset_destroy(before);
        before = NULL;
    }
    real->dataset =
        dataset_share(&planned->request, &planned->info, planned->content, &private, err);
    real->dataset_index = index;
    dataset_destroy(before);
    tell_private(real, &private);
    return real->dataset == NULL ? -1 : 0;
}

/* --- training --- */

static struct rng_stream stream_of(const struct plan_task *task, enum rng_purpose purpose,
                                   int64_t seed)
{
    return (struct rng_stream){
        .seed = (uint64_t)seed,
        .purpose = purpose,
        .draw = task->control == CONTROL_FORK ? (uint32_t)task->draw : 0,
    };
}

static void make_spec(struct attempt *attempt)
{
    const struct plan_task *task = attempt->task;
    const struct plan_training *training = attempt->training;
    struct train_spec *spec = &attempt->spec;
    int64_t last = training->iterations;
    *spec = (struct train_spec){
        .optimizer = training->optimizer,
        .schedule = training->schedule,
        .fixed_rate = task->fixed_rate ? schedule_rate(&training->schedule, last - 1) : NAN,
        .batch = training->batch,
        .evaluate_batch = net_evaluate_batch(&attempt->real->plan->networks[task->network].spec),
        .start = task->start_iteration,
        .iterations = last,
        .evaluate_every = training->evaluate_every,
        .at_count = training->at_count,
        .test_curve = task->test_curve,
        .order = stream_of(task, RNG_ORDER, task->seed_order),
        .augment = stream_of(task, RNG_AUGMENT, task->seed_augment),
        .dropout = stream_of(task, RNG_DROPOUT, task->seed_dropout),
        .capture_count = attempt->keep.capture_count,
    };
    memcpy(spec->at, training->at, (size_t)training->at_count * sizeof *spec->at);
    memcpy(spec->captures, attempt->keep.captures,
           (size_t)attempt->keep.capture_count * sizeof *spec->captures);
}

static enum train_wish hear_progress(void *user, int64_t iteration)
{
    const struct attempt *attempt = user;
    const struct work_hooks *hooks = attempt->hooks;
    bool stop =
        hooks != NULL && hooks->progress != NULL && hooks->progress(hooks->user, (double)iteration);
    if (stop)
        return TRAIN_STOP;
    return inflight_is_due(&attempt->inflight) ? TRAIN_SAVE : TRAIN_GO_ON;
}

/* An evaluation goes to its end even where the task is to stop. */
static void hear_evaluating(void *user, double iteration)
{
    const struct attempt *attempt = user;
    const struct work_hooks *hooks = attempt->hooks;
    if (hooks != NULL && hooks->progress != NULL)
        hooks->progress(hooks->user, iteration);
}

static int save(void *user, int64_t iteration, struct train_saving *saving, struct error *err)
{
    struct attempt *attempt = user;
    return inflight_save(&attempt->inflight, iteration, saving, err);
}

static int capture(void *user, int32_t which, const struct network *net, struct error *err)
{
    struct attempt *attempt = user;
    return keep_capture(&attempt->keep, which, net, err);
}

/* From the state that was saved, if there is one, else from the beginning. */
static int train_once(struct attempt *attempt, struct error *err)
{
    struct network *net = attempt->real->net;
    struct train_hooks hooks = {.user = attempt,
                                .progress = hear_progress,
                                .evaluating = hear_evaluating,
                                .capture = capture,
                                .save = save,
                                .resume = inflight_stream(&attempt->inflight)};
    if (net_set_mask(net, attempt->origin.mask, err) != 0)
        return -1;
    net_write_weights(net, attempt->origin.weights);
    return train_run(&attempt->spec, net, attempt->real->dataset, &hooks, &attempt->result, err);
}

static int train(struct attempt *attempt, struct error *err)
{
    make_spec(attempt);
    inflight_begin(&attempt->inflight, attempt->real->saving, attempt->task, &attempt->keep,
                   attempt->started);
    int failed = train_once(attempt, err);
    if (failed && attempt->inflight.is_resumed && err->class == ERROR_INTERNAL) {
        inflight_forget(&attempt->inflight);
        failed = train_once(attempt, err);
    }
    return failed;
}

/* --- the outcome --- */

static void fill_scores(const struct train_result *from, struct store_result *to)
{
    _Static_assert((int)STORE_SCORES == (int)TRAIN_WHENS, "the same columns");
    for (int part = 0; part <= PART_TEST; part++) {
        for (int when = 0; when < TRAIN_WHENS; when++) {
            to->scores[part][when].loss = from->scores[part][when].loss;
            to->scores[part][when].accuracy = from->scores[part][when].accuracy;
        }
    }
}

static void fill_result(const struct attempt *attempt, struct work_outcome *outcome)
{
    struct store_result *result = &outcome->result;
    int count;
    int64_t remaining, total;
    const struct parameter_spec *parameters = net_parameters(attempt->real->net, &count);
    bool diverged = attempt->result.outcome == TRAIN_DIVERGED;
    ticket_count(parameters, count, attempt->origin.mask, &remaining, &total);
    outcome->status = diverged ? WORK_DIVERGED : WORK_DONE;
    result->status = diverged ? STORE_DIVERGED : STORE_DONE;
    result->sparse_layers = net_sparse_layers(attempt->real->net);
    result->weights_remaining = remaining;
    result->percent_remaining = 100.0 * (double)remaining / (double)total;
    result->early_stop_iteration = attempt->result.early_stop_iteration;
    fill_scores(&attempt->result, result);
}

/* What a task that fails says of itself. Memory may be there once network and dataset are
 * forgotten. */
static void fill_failure(struct attempt *attempt, const struct error *why,
                         struct work_outcome *outcome)
{
    struct store_result *result = &outcome->result;
    bool no_memory = why->class == ERROR_RESOURCE && errno == ENOMEM;
    outcome->status = WORK_FAILED;
    result->status = STORE_FAILED;
    result->reason = no_memory ? STORE_REASON_MEMORY : STORE_REASON_ERROR;
    text_copy(result->message, sizeof result->message, why->text);
    forget(attempt->real);
}

static int write_result(struct attempt *attempt, struct work_outcome *outcome, struct error *err)
{
    if (keep_write(&attempt->keep, &attempt->origin, &attempt->result, &outcome->digest, err) != 0)
        return -1;
    fill_result(attempt, outcome);
    return 0;
}

/* --- one task --- */

static int make_and_train(struct attempt *attempt, struct error *err)
{
    struct real *real = attempt->real;
    if (use_network(attempt, err) != 0 || use_dataset(attempt, err) != 0 ||
        origin_make(real->plan, real->store, attempt->number, &attempt->origin, err) != 0)
        return -1;
    return train(attempt, err);
}

static int run_attempt(struct attempt *attempt, struct work_outcome *outcome, struct error *err)
{
    struct error own = {0};
    errno = 0;
    if (make_and_train(attempt, &own) != 0) {
        if (own.class == ERROR_INTERNAL || own.class == ERROR_STORAGE ||
            attempt->inflight.is_broken) {
            *err = own;
            return -1;
        }
        fill_failure(attempt, &own, outcome);
        return 0;
    }
    if (attempt->result.outcome == TRAIN_INTERRUPTED)
        return 0;
    return write_result(attempt, outcome, err);
}

static int real_run(void *self, int32_t task, const struct work_hooks *hooks,
                    struct work_outcome *outcome, struct error *err)
{
    struct real *real = self;
    struct attempt attempt = {.real = real, .number = task, .hooks = hooks};
    attempt.started = clock_seconds();
    attempt.task = &real->plan->tasks[task];
    attempt.training = &real->plan->trainings[attempt.task->training];
    *outcome = (struct work_outcome){.status = WORK_INTERRUPTED, .result = store_result_pending()};
    keep_init(&attempt.keep, real->plan, real->store, task);
    int failed = run_attempt(&attempt, outcome, err);
    train_result_finish(&attempt.result);
    keep_finish(&attempt.keep);
    origin_finish(&attempt.origin);
    outcome->seconds = outcome->result.seconds =
        attempt.inflight.seconds_before + clock_seconds() - attempt.started;
    return failed;
}

/* Blocks come and go from task to task. Large ones go back to the system, or the holes between them
 * would make a worker larger than what the plan says; of the others so much is kept for the next
 * task, for which the system would have to clear every page anew. */
#define LARGE_BLOCK (1 << 20)
#define KEPT_BYTES (16 << 20)

/* The keeper's has no dataset; trainers that were killed may have left theirs. */
static void real_destroy(void *self)
{
    forget(self);
    shared_block_clear();
    free(self);
}

int executor_create_real(struct executor *executor, const struct plan *plan, struct store *store,
                         const struct work_saving *saving, struct error *err)
{
    struct real *real = mem_zeroed(1, sizeof *real, err);
    if (real == NULL)
        return -1;
    if (work_read_kernel_mode(store_identity(store)->kernel_mode, &real->kernels, err) != 0) {
        free(real);
        return -1;
    }
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    real->plan = plan;
    real->store = store;
    real->saving = saving;
    *executor = (struct executor){.self = real, .run = real_run, .destroy = real_destroy};
    return 0;
}

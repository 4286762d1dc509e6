/* What the master does with what ranks send: an input is a sequence of messages
 *
 *     worker       one byte
 *     length       two bytes
 *     bytes        as they come from MPI
 *
 * which goes through the checks of remote.c into the real master, with a real plan and store. The
 * same bytes are tried as orders. Where the input ends, the launch does. */
#include "../../src/dist/master.h"
#include "base/log.h"
#include "work/work.h"

#include "support.h"

#define WORKERS 3
#define GRID                                                                                       \
    "name: fuzz\narchitecture: lenet-4-3\n"                                                        \
    "dataset: {name: digits, train: 30, test: 10, validation: 10}\n"                               \
    "train: {iterations: 4, batch: 10}\nprune: {rounds: 2}\ncontrols: [{kind: reinit}]\n"

static struct plan *plan;
static struct store *store;

static void must_work(int status, const struct error *err)
{
    if (status != 0)
        fprintf(stderr, "%s\n", err->text);
    MUST(status == 0);
}

static void make_store(struct error *err)
{
    char folder[MEMORY_PATH_SIZE], path[MEMORY_PATH_SIZE + 8];
    struct store_identity identity = {.name = "fuzz"};
    struct store_layout layout;
    memory_folder(folder);
    snprintf(path, sizeof path, "%s/s.h5", folder);
    memcpy(identity.plan_hash, plan->hash, sizeof identity.plan_hash);
    must_work(work_layout_create(plan, &identity, &layout, err), err);
    must_work(store_create(path, &layout, err), err);
    work_layout_finish(&layout);
    store = store_open(path, STORE_WRITE, NULL, err);
    must_work(store == NULL, err);
    unlink(path);
    rmdir(folder);
}

static void prepare(void)
{
    struct error err = {0};
    log_set_level(LOG_ERROR);
    struct grid *grid = grid_parse("fuzz.yaml", GRID, sizeof GRID - 1, &err);
    must_work(grid == NULL, &err);
    plan = plan_create(grid, &(struct plan_options){0}, &err);
    must_work(plan == NULL, &err);
    make_store(&err);
}

/* The store as it was before anything ran. */
static void begin_anew(void)
{
    struct error err = {0};
    for (int32_t i = 0; i < plan->task_count; i++) {
        must_work(store_reset_result(store, i, &err), &err);
        must_work(store_write_attempts(store, i, 0, &err), &err);
    }
}

/* --- a channel out of an input --- */

static void try_order(struct input bytes)
{
    struct order order = {0};
    memcpy(&order, bytes.bytes, bytes.left < sizeof order ? bytes.left : sizeof order);
    if (order_is_valid(&order, bytes.left, plan->task_count) && order.kind == ORDER_TASK)
        MUST(order.task >= 0 && order.task < plan->task_count);
}

static int receive(void *self, int32_t *worker, struct report *report, struct error *err)
{
    struct input *input = self;
    if (input->left == 0)
        return error_set(err, ERROR_RESOURCE, "the input ends");
    *worker = (int32_t)(input_number(input, 1) % WORKERS);
    struct input bytes = input_take(input, input_number(input, 2));
    try_order(bytes);
    if (bytes.left > sizeof *report)
        return 0;
    memcpy(report, bytes.bytes, bytes.left);
    return report_is_valid(report, bytes.left, plan->task_count);
}

static bool send(void *self, int32_t worker, const struct order *order)
{
    (void)self;
    MUST(worker >= 0 && worker < WORKERS);
    MUST(order_is_valid(order, sizeof *order, plan->task_count));
    return true;
}

static bool has_ended(void *self, int32_t worker)
{
    (void)self;
    (void)worker;
    return false;
}

static void wait_a_moment(void *self, bool something_happened)
{
    (void)self;
    (void)something_happened;
}

static void show(void *user, const struct progress *progress)
{
    (void)user;
    MUST(progress->left >= 0 && progress->done + progress->left <= progress->total);
}

static void beat(void *user)
{
    (void)user;
}

/* Whatever came, the store's rows are ones that it knows. */
static void check_rows(void)
{
    struct error err = {0};
    for (int32_t i = 0; i < plan->task_count; i++) {
        struct store_result row;
        must_work(store_read_results(store, i, 1, &row, &err), &err);
        MUST(row.status >= STORE_PENDING && row.status <= STORE_UNREACHABLE);
        MUST(row.reason >= STORE_REASON_NONE && row.reason < STORE_REASON_COUNT);
        if (row.status != STORE_PENDING)
            MUST(memchr(row.message, '\0', sizeof row.message) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct worker_place places[WORKERS] = {
        {.host = "one"}, {.host = "two"}, {.host = "three", .environment = -1}};
    if (store == NULL)
        prepare();
    begin_anew();
    struct input input = {bytes, size};
    struct channel channel = {.self = &input,
                              .workers = WORKERS,
                              .receive = receive,
                              .send = send,
                              .has_ended = has_ended,
                              .wait = wait_a_moment};
    struct master_setup setup = {.plan = plan,
                                 .store = store,
                                 .channel = &channel,
                                 .limits = {.max_attempts = 2, .ahead = 2},
                                 .places = places,
                                 .show = show,
                                 .beat = beat};
    struct master_end end;
    struct error err = {0};
    if (master_run(&setup, &end, &err) != 0)
        must_say_why(&err);
    check_rows();
    return 0;
}

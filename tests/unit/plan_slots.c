/* Where the store keeps what: what is read was written by an ancestor, what two tasks share is the
 * same by construction, and nothing else is shared. */
#include "plan_support.h"

enum family { MASK, REWIND, AT, EARLY_STOP, FINAL, FAMILIES };

static int64_t slot_of(const struct plan_task *task, enum family family)
{
    const int64_t slots[] = {task->mask_slot, task->rewind_slot, task->at_slot,
                             task->early_stop_slot, task->final_slot};
    return slots[family];
}

static int64_t slot_count(const struct plan_network *network, enum family family)
{
    const int64_t counts[] = {network->mask_slots, network->rewind_slots, network->at_slots,
                              network->early_stop_slots, network->final_slots};
    return counts[family];
}

/* Every slot of a network is written by exactly one task, but initial values. */
static void assert_slots_are_apart(const struct plan *plan, int32_t network)
{
    for (enum family family = 0; family < FAMILIES; family++) {
        int64_t count = slot_count(&plan->networks[network], family);
        int *writers = calloc((size_t)count + 1, sizeof *writers);
        for (int32_t i = 0; i < plan->task_count; i++) {
            const struct plan_task *task = &plan->tasks[i];
            int64_t slot = slot_of(task, family);
            if (task->network != network || slot < 0)
                continue;
            assert_true(slot < count);
            writers[slot] += family != REWIND || task->rewind_set != 0;
        }
        for (int64_t slot = 0; slot < count; slot++)
            assert_int_equal(writers[slot], 1);
        free(writers);
    }
}

/* Tasks with one init slot make or inherit the same values; those with two make others. */
static void assert_inits(const struct plan *plan)
{
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        assert_int_equal(task->writes_init, task->start == START_INIT && task->init_slot >= 0);
        if (task->start != START_INIT) {
            assert_int_equal(task->init_slot, plan->tasks[task->root].init_slot);
            continue;
        }
        for (int32_t j = 0; j < i; j++) {
            const struct plan_task *other = &plan->tasks[j];
            if (other->start != START_INIT || other->network != task->network)
                continue;
            bool alike =
                other->seed_init == task->seed_init &&
                (other->diverts_init ? other->draw : 0) == (task->diverts_init ? task->draw : 0);
            if (task->init_slot >= 0 || alike)
                assert_int_equal(other->init_slot == task->init_slot, alike);
        }
    }
}

static int bit_index(const int64_t *iterations, int32_t count, int64_t iteration)
{
    for (int32_t i = 0; i < count; i++)
        if (iterations[i] == iteration)
            return i;
    fail_msg("iteration %lld is not kept", (long long)iteration);
    return -1;
}

/* What the task reads is written by those it comes after. */
static void assert_inputs(const struct plan *plan, const struct plan_task *task)
{
    if (task->parent < 0)
        return;
    const struct plan_task *root = &plan->tasks[task->root], *parent = &plan->tasks[task->parent];
    const struct plan_network *network = &plan->networks[task->network];
    assert_true(parent->writes_final);
    assert_true(parent->level == 0 || parent->writes_mask);
    if (task->start == START_REWIND && task->start_iteration == 0) {
        assert_true(root->writes_init);
        assert_int_equal(task->rewind_slot, -1);
    } else if (task->start == START_REWIND) {
        int bit = bit_index(network->rewinds, network->rewind_count, task->start_iteration);
        assert_true(root->rewind_set >> bit & 1);
        assert_int_equal(task->rewind_slot, root->rewind_slot);
    }
    int64_t at = task->pruning < 0 ? PRUNE_AT_END : plan->prunings[task->pruning].at;
    if (at == 0)
        assert_true(root->writes_init);
    if (at > 0) {
        int bit = bit_index(network->ats, network->at_count, at);
        assert_true(parent->at_set >> bit & 1);
        assert_true(parent->at_slot >= 0);
        assert_true(at >= parent->start_iteration);
    }
}

static void assert_ascending(const int64_t *iterations, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        assert_true(iterations[i - 1] < iterations[i]);
}

static void assert_sound(const struct plan *plan)
{
    int64_t curve = 0;
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        assert_true(task->parent < i);
        assert_int_equal(task->level == 0, task->pruning < 0);
        assert_int_equal(task->root, task->parent < 0 ? i : plan->tasks[task->parent].root);
        assert_int_equal(task->writes_mask, task->level > 0);
        assert_true(task->rewind_set == 0 || task->root == i);
        assert_int_equal(task->at_set != 0, task->at_slot >= 0);
        assert_inputs(plan, task);
        assert_int_equal(task->curve_offset, curve);
        assert_true(task->curve_count >= 2);
        curve += task->curve_count;
    }
    assert_int_equal(plan->curve_rows, curve);
    assert_inits(plan);
    for (int32_t i = 0; i < plan->network_count; i++) {
        assert_ascending(plan->networks[i].rewinds, plan->networks[i].rewind_count);
        assert_ascending(plan->networks[i].ats, plan->networks[i].at_count);
        assert_slots_are_apart(plan, i);
    }
}

static void slots_are_sound_in_many_grids(void **state)
{
    (void)state;
    static const char *const grids[] = {
        "prune: {rounds: 3}\n",
        "prune: {rounds: 3}\nsnapshots: []\n",
        "prune: {rounds: 0}\nsnapshots: []\n",
        "prune: {rounds: 2}\nsnapshots: [init, rewind, early-stop, final]\n"
        "axes: {seed: [1, 2], rewind.to: [70, 0, 5]}\n",
        "prune: {rounds: 2}\nsnapshots: []\naxes: {prune.at: [90, 30, init, end], "
        "train.optimizer.learning_rate: [1e-3, 1e-2]}\nrewind: {to: 20}\n"
        "controls: [{kind: reinit, draws: 2, levels: [0, 2]}, {kind: fork, levels: [0, 1]},"
        " {kind: random-mask}, {kind: same, set: {dataset.seed: 3}}]\n",
        "prune: {rounds: 3}\nsnapshots: [rewind]\n"
        "axes: {rewind.what: [weights, learning-rate, none], rewind.to: [0, 10],"
        " prune.schedule: [iterative, one-shot], prune.at: [end, init]}\n"
        "controls: [{kind: fork, draws: 2, levels: [0, 3]}]\n",
        "prune: {rounds: 2}\naxes: {architecture: [fc-9, lenet-8-9], seed: 1..3}\n"
        "zip: [{rewind.to: [0, 50], train.dropout: [0, 0.5]}]\n"
        "controls: [{kind: reinit}]\n",
    };
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s", SMALL, grids[i]);
        struct plan *plan = plan_of(text);
        assert_sound(plan);
        plan_drop(plan);
    }
}

static void nothing_is_kept_that_nobody_asked_for(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 2}\nrewind: {to: 10}\nsnapshots: []\n");
    const struct plan_network *network = &plan->networks[0];
    assert_int_equal(network->init_slots, 0);
    assert_int_equal(network->rewind_slots, 1);
    assert_int_equal(network->early_stop_slots, 0);
    assert_int_equal(network->final_slots, 2); /* of the tasks with children */
    assert_int_equal(network->mask_slots, 2);
    plan_drop(plan);
}

static void lineages_share_initial_values_and_rewind_points(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 2}\n"
                                      "axes: {train.batch: [20, 25], rewind.to: [9, 0, 3]}\n"
                                      "controls: [{kind: reinit, draws: 3}]\n");
    const struct plan_network *network = &plan->networks[0];
    assert_int_equal(network->init_slots, 1 + 3);
    assert_int_equal(network->rewind_slots, 2); /* one for each dense run */
    assert_int_equal(network->rewind_count, 2);
    assert_int_equal(network->rewinds[0], 3);
    assert_int_equal(network->rewinds[1], 9);
    assert_int_equal(plan->tasks[ticket_at(plan, 0, 0)].rewind_set, 3);
    assert_int_equal(plan->tasks[ticket_at(plan, 0, 0)].init_slot,
                     plan->tasks[ticket_at(plan, 5, 2)].init_slot);
    plan_drop(plan);
}

/* The start, multiples of `every`, the marks and T: counted by hand. */
static void curves_have_a_row_for_each_evaluation(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        int32_t dense, ticket;
    } cases[] = {
        {"train: {evaluate: {every: 25}}, rewind: {to: 0}", 5, 5},
        {"train: {evaluate: {every: 25}}, rewind: {to: 50}", 5, 3},
        {"train: {evaluate: {every: 25}}, rewind: {to: 51}", 5, 3},
        {"train: {evaluate: {every: 30}}, rewind: {to: 99}", 5, 2},
        {"train: {evaluate: {every: 1000}}, rewind: {to: 10}", 2, 2},
        {"train: {evaluate: {every: 1}}, rewind: {to: 10}", 101, 91},
        {"train: {evaluate: {every: 40, at: [0, 7, 40, 41, 100]}}, rewind: {to: 7}", 6, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%sprune: {rounds: 1}\nexperiments: [{%s}]\n", SMALL,
                 cases[i].fields);
        struct plan *plan = plan_of(text);
        assert_int_equal(plan->tasks[0].curve_count, cases[i].dense);
        assert_int_equal(plan->tasks[1].curve_count, cases[i].ticket);
        plan_drop(plan);
    }
}

static void hash_of(const char *rest, char hash[HASH_HEX_SIZE])
{
    char text[1024];
    snprintf(text, sizeof text, "%s%s", SMALL, rest);
    struct plan *plan = plan_of(text);
    memcpy(hash, plan->hash, HASH_HEX_SIZE);
    plan_drop(plan);
}

static void hash_tells_layouts_apart(void **state)
{
    (void)state;
    static const char *const others[] = {
        "prune: {rounds: 3}\n",
        "prune: {rounds: 2}\nseed: 2\n",
        "prune: {rounds: 2}\nsnapshots: [early-stop]\n",
        "prune: {rounds: 2}\naxes: {prune.rounds: [1, 2]}\n",
        "prune: {rounds: 2}\nexperiments: [{train: {evaluate: {test: every}}}]\n",
        "prune: {rounds: 2}\nseed: {dropout: 9}\n", /* a column of /experiments */
    };
    char hash[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
    hash_of("prune: {rounds: 2}\n", hash);
    hash_of("# the same\nprune:\n  rounds: 2\nexperiments: [{dataset: {folder: elsewhere}}]\n",
            other);
    assert_string_equal(hash, other);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        hash_of(others[i], other);
        assert_string_not_equal(hash, other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_sound_in_many_grids),
        cmocka_unit_test(nothing_is_kept_that_nobody_asked_for),
        cmocka_unit_test(lineages_share_initial_values_and_rewind_points),
        cmocka_unit_test(curves_have_a_row_for_each_evaluation),
        cmocka_unit_test(hash_tells_layouts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Whole runs: learning, starting in the middle, repeating, masks, captures, stopping, divergence.
 */
#include "train_support.h"

static void test_it_learns(void **state)
{
    (void)state;
    const struct train_spec specs[] = {plain_sgd(400), adam(400)};
    for (int i = 0; i < 2; i++) {
        struct world world;
        world_begin(&world, 0);
        struct train_result result = run_from(&world, &specs[i], NULL, NULL);
        assert_int_equal(result.outcome, TRAIN_FINISHED);
        for (int part = PART_TRAIN; part <= PART_TEST; part++) {
            assert_true(result.scores[part][TRAIN_AT_END].accuracy > 0.95);
            assert_true(result.scores[part][TRAIN_AT_EARLY_STOP].accuracy > 0.95);
        }
        assert_true(result.curve[0].validation_accuracy < 0.7);
        assert_true(result.curve[40].train_loss < 0.5 * result.curve[1].train_loss);
        train_result_finish(&result);
        world_end(&world);
    }
}

/* Without moments, training on from W_k is the same training: batches, dropout and rates are those
 * of the absolute iterations. */
static void test_a_run_from_k_continues_the_first(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.25);
    struct train_spec spec = plain_sgd(100); /* more than three epochs of 30 */
    spec.schedule.kind = SCHEDULE_COSINE;
    spec.capture_count = 1;
    spec.captures[0] = 37;
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result whole = run_from(&world, &spec, NULL, &hooks);
    float *last = malloc((size_t)world.size * sizeof *last);
    net_read_weights(world.net, last);
    assert_int_equal(captured.calls, 1);

    spec.start = 37;
    spec.capture_count = 0;
    struct train_result rest = run_from(&world, &spec, captured.weights[0], NULL);
    assert_same_weights(&world, weights_of(world.net), last);
    assert_int_equal(rest.curve[0].iteration, 37);
    assert_true(isnan(rest.curve[0].train_loss));
    for (int i = 2; i < rest.curve_count; i++) /* from 50 on; 40's train loss is of 3 batches */
        assert_same_point(&rest.curve[i], &whole.curve[i + 3]);
    assert_same_score(rest.scores[PART_TEST][TRAIN_AT_END], whole.scores[PART_TEST][TRAIN_AT_END]);

    spec.order.seed = 2; /* a fork: another order is another training */
    struct train_result fork = run_from(&world, &spec, captured.weights[0], NULL);
    assert_memory_not_equal(weights_of(world.net), last, (size_t)world.size * sizeof *last);
    train_result_finish(&fork);
    train_result_finish(&rest);
    train_result_finish(&whole);
    captured_end(&captured);
    free(last);
    world_end(&world);
}

/* A run is nothing but these steps. */
static void train_by_hand(struct world *world, const struct train_spec *spec)
{
    enum { COLUMNS = 32 };
    uint8_t labels[COLUMNS];
    struct batch_order *order = batch_order_create(&world->dataset, spec->batch, spec->order, NULL);
    float *inputs = net_train_input(world->net);
    struct net_batch batch = {inputs, labels, (int32_t)spec->batch, COLUMNS};
    net_write_weights(world->net, world->initial);
    assert_int_equal(net_set_optimizer(world->net, &spec->optimizer, NULL), 0);
    for (int64_t t = spec->start; t < spec->iterations; t++) {
        batch_assemble(&world->dataset, PART_TRAIN, batch_order_at(order, t), batch.examples,
                       COLUMNS, inputs, labels);
        net_train_step(world->net, &batch, schedule_rate(&spec->schedule, t), t, spec->dropout);
    }
    batch_order_destroy(order);
}

static void test_steps_are_those_of_the_iterations(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.25);
    struct train_spec spec = adam(50);
    spec.start = 5;
    spec.schedule.kind = SCHEDULE_COSINE;
    spec.schedule.warmup = 20;
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    float *last = malloc((size_t)world.size * sizeof *last);
    net_read_weights(world.net, last);
    train_by_hand(&world, &spec);
    assert_same_weights(&world, weights_of(world.net), last);
    free(last);
    train_result_finish(&result);
    world_end(&world);
}

static void assert_same_results(const struct world *world, const struct train_result *a,
                                const struct train_result *b)
{
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->curve_count, b->curve_count);
    for (int i = 0; i < a->curve_count; i++)
        assert_same_point(&a->curve[i], &b->curve[i]);
    assert_int_equal(a->early_stop_iteration, b->early_stop_iteration);
    assert_same_weights(world, a->early_stop_weights, b->early_stop_weights);
    for (int part = PART_TRAIN; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            assert_same_score(a->scores[part][when], b->scores[part][when]);
}

static void test_what_ran_before_does_not_matter(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.25);
    struct train_spec spec = adam(70), other = plain_sgd(45), diverging = plain_sgd(20);
    spec.test_curve = true;
    other.optimizer.momentum = 0.9;
    other.start = 13;
    diverging.fixed_rate = 1e30;
    struct train_result first = run_from(&world, &spec, NULL, NULL);
    float *last = malloc((size_t)world.size * sizeof *last);
    net_read_weights(world.net, last);
    struct train_result between = run_from(&world, &other, last, NULL);
    struct train_result broken = run_from(&world, &diverging, NULL, NULL);
    assert_int_equal(broken.outcome, TRAIN_DIVERGED);
    struct train_result second = run_from(&world, &spec, NULL, NULL);
    assert_same_weights(&world, weights_of(world.net), last);
    assert_same_results(&world, &first, &second);
    train_result_finish(&first);
    train_result_finish(&between);
    train_result_finish(&broken);
    train_result_finish(&second);
    free(last);
    world_end(&world);
}

static void test_masked_weights_stay_zero(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.25);
    uint8_t *mask = malloc((size_t)world.size);
    memset(mask, 1, (size_t)world.size);
    int count;
    const struct parameter_spec *parameters = net_parameters(world.net, &count);
    for (int p = 0; p < count; p++)
        for (int64_t i = 0; parameters[p].is_prunable && i < parameters[p].count; i++)
            mask[parameters[p].offset + i] = i % 3 == 0;
    float *start = malloc((size_t)world.size * sizeof *start);
    for (int64_t i = 0; i < world.size; i++)
        start[i] = mask[i] ? world.initial[i] : 0.0f;
    assert_int_equal(net_set_mask(world.net, mask, NULL), 0);
    struct train_spec spec = adam(60);
    spec.optimizer.weight_decay = 1e-3;
    spec.capture_count = 61;
    for (int32_t i = 0; i < spec.capture_count; i++)
        spec.captures[i] = i;
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result result = run_from(&world, &spec, start, &hooks);
    assert_int_equal(captured.calls, 61);
    int64_t moved = 0;
    for (int64_t i = 0; i < world.size; i++) {
        for (int c = 0; c < captured.calls && !mask[i]; c++)
            assert_true(captured.weights[c][i] == 0.0f);
        if (!mask[i])
            assert_true(result.early_stop_weights[i] == 0.0f);
        moved += captured.weights[60][i] != start[i];
    }
    assert_true(moved > 100);
    free(mask);
    free(start);
    captured_end(&captured);
    train_result_finish(&result);
    world_end(&world);
}

static void test_captures_see_the_weights_before_the_step(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(10);
    const int64_t captures[] = {0, 1, 5, 5, 10, 11};
    spec.capture_count = 6;
    memcpy(spec.captures, captures, sizeof captures);
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(captured.calls, 5);
    for (int i = 0; i < captured.calls; i++)
        assert_int_equal(captured.which[i], i);
    assert_same_weights(&world, captured.weights[0], world.initial);
    assert_memory_not_equal(captured.weights[1], world.initial, (size_t)world.size * sizeof(float));
    assert_same_weights(&world, captured.weights[2], captured.weights[3]);
    assert_same_weights(&world, captured.weights[4], weights_of(world.net));
    train_result_finish(&result);
    captured_end(&captured);

    struct captured later = {.size = world.size};
    hooks.user = &later;
    spec.start = 5;
    result = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(later.calls, 3);
    assert_int_equal(later.which[0], 2);
    assert_same_weights(&world, later.weights[0], world.initial);
    train_result_finish(&result);
    captured_end(&later);
    world_end(&world);
}

static int refuse_capture(void *user, int32_t which, const struct network *net, struct error *err)
{
    (void)user, (void)net;
    return error_set(err, ERROR_RESOURCE, "no room for capture %d", which);
}

static void test_a_failing_capture_ends_the_run(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(10);
    spec.capture_count = 1;
    spec.captures[0] = 4;
    struct train_hooks hooks = {.capture = refuse_capture};
    struct train_result result;
    struct error err = {0};
    assert_int_equal(train_run(&spec, world.net, &world.dataset, &hooks, &result, &err), -1);
    assert_int_equal(err.class, ERROR_RESOURCE);
    assert_string_equal(err.text, "no room for capture 0");
    assert_null(result.curve);
    world_end(&world);
}

/* --- stopping --- */

struct interruption {
    int64_t calls, last, at;
};

static enum train_wish interrupt_at(void *user, int64_t iteration)
{
    struct interruption *interruption = user;
    if (interruption->calls++ > 0)
        assert_int_equal(iteration, interruption->last + 1);
    interruption->last = iteration;
    return iteration == interruption->at ? TRAIN_STOP : TRAIN_GO_ON;
}

static void test_progress_can_interrupt(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(60);
    spec.start = 3;
    struct interruption interruption = {.at = 37};
    struct train_hooks hooks = {.user = &interruption, .progress = interrupt_at};
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(result.outcome, TRAIN_INTERRUPTED);
    assert_int_equal(interruption.calls, 37 - 3 + 1);
    assert_int_equal(result.curve[3].iteration, 30);
    assert_true(!isnan(result.curve[3].validation_loss));
    assert_int_equal(result.curve[4].iteration, 40);
    assert_true(isnan(result.curve[4].validation_loss));
    assert_no_scores(&result, TRAIN_AT_END);
    train_result_finish(&result);

    interruption = (struct interruption){.at = -1};
    result = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(result.outcome, TRAIN_FINISHED);
    assert_int_equal(interruption.last, 60);
    train_result_finish(&result);
    world_end(&world);
}

/* The rate jumps at iteration 50 to what no training survives. */
static void test_divergence_keeps_what_was_before(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec sane = plain_sgd(100), spec = sane;
    sane.iterations = sane.schedule.iterations = 50;
    spec.schedule = (struct schedule_spec){.base = 0.3,
                                           .kind = SCHEDULE_STEP,
                                           .drop_count = 1,
                                           .drops = {50},
                                           .factor = 1e30,
                                           .iterations = 100};
    spec.at_count = spec.capture_count = 2;
    spec.at[0] = spec.captures[0] = 20;
    spec.at[1] = spec.captures[1] = 70;
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result expected = run_from(&world, &sane, NULL, NULL);
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(result.outcome, TRAIN_DIVERGED);
    assert_int_equal(result.curve_count, 11);
    for (int i = 0; i <= 5; i++)
        assert_same_point(&result.curve[i], &expected.curve[i]);
    for (int i = 6; i < 11; i++) {
        struct train_point nothing = {10 * i, NAN, NAN, NAN, NAN, NAN};
        assert_same_point(&result.curve[i], &nothing);
    }
    assert_int_equal(captured.calls, 1);
    assert_int_equal(result.early_stop_iteration, expected.early_stop_iteration);
    assert_same_weights(&world, result.early_stop_weights, expected.early_stop_weights);
    assert_scores_of(&world, &result, TRAIN_AT_EARLY_STOP, expected.early_stop_weights);
    assert_scores_of(&world, &result, TRAIN_AT_MARK, captured.weights[0]);
    assert_no_scores(&result, TRAIN_AT_MARK + 1);
    assert_no_scores(&result, TRAIN_AT_END);
    captured_end(&captured);
    train_result_finish(&expected);
    train_result_finish(&result);
    world_end(&world);
}

static void test_divergence_from_the_first_step(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(20);
    float *broken = malloc((size_t)world.size * sizeof *broken);
    memcpy(broken, world.initial, (size_t)world.size * sizeof *broken);
    broken[0] = NAN;
    struct train_result result = run_from(&world, &spec, broken, NULL);
    assert_int_equal(result.outcome, TRAIN_DIVERGED);
    assert_int_equal(result.early_stop_iteration, -1);
    assert_null(result.early_stop_weights);
    assert_no_scores(&result, TRAIN_AT_EARLY_STOP);
    free(broken);
    train_result_finish(&result);
    world_end(&world);
}

/* --- rates and bounds --- */

static void test_a_fixed_rate_overrides_the_schedule(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec constant = adam(30), fixed = constant;
    fixed.schedule.kind = SCHEDULE_COSINE;
    fixed.schedule.warmup = 10;
    fixed.fixed_rate = constant.schedule.base;
    struct train_result expected = run_from(&world, &constant, NULL, NULL);
    struct train_result result = run_from(&world, &fixed, NULL, NULL);
    assert_same_results(&world, &result, &expected);
    train_result_finish(&expected);
    train_result_finish(&result);
    world_end(&world);
}

static void test_no_iterations_left(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(30);
    spec.start = 30;
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    assert_int_equal(result.outcome, TRAIN_FINISHED);
    assert_int_equal(result.curve_count, 1);
    assert_int_equal(result.early_stop_iteration, 30);
    assert_same_weights(&world, weights_of(world.net), world.initial);
    assert_scores_of(&world, &result, TRAIN_AT_END, world.initial);
    assert_scores_of(&world, &result, TRAIN_AT_EARLY_STOP, world.initial);
    train_result_finish(&result);
    world_end(&world);
}

static void assert_refused(struct world *world, struct train_spec spec, enum error_class class)
{
    struct train_result result;
    struct error err = {0};
    assert_int_equal(train_run(&spec, world->net, &world->dataset, NULL, &result, &err), -1);
    assert_int_equal(err.class, class);
    assert_null(result.curve);
    assert_null(result.early_stop_weights);
    train_result_finish(&result);
}

static void test_bad_specs_are_refused(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(30);
    spec.batch = TRAIN + 1;
    assert_refused(&world, spec, ERROR_USAGE);
    spec = adam(30);
    spec.optimizer.beta1 = 1;
    assert_refused(&world, spec, ERROR_USAGE);
    spec = adam(30);
    spec.start = 31;
    assert_refused(&world, spec, ERROR_INTERNAL);
    spec = adam(30);
    spec.evaluate_every = 0;
    assert_refused(&world, spec, ERROR_INTERNAL);
    spec = adam(30);
    spec.at_count = 2;
    spec.at[0] = 20;
    spec.at[1] = 10;
    assert_refused(&world, spec, ERROR_INTERNAL);
    spec.at[1] = 31;
    assert_refused(&world, spec, ERROR_INTERNAL);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_a_run_from_k_continues_the_first),
        cmocka_unit_test(test_steps_are_those_of_the_iterations),
        cmocka_unit_test(test_what_ran_before_does_not_matter),
        cmocka_unit_test(test_masked_weights_stay_zero),
        cmocka_unit_test(test_captures_see_the_weights_before_the_step),
        cmocka_unit_test(test_a_failing_capture_ends_the_run),
        cmocka_unit_test(test_progress_can_interrupt),
        cmocka_unit_test(test_divergence_keeps_what_was_before),
        cmocka_unit_test(test_divergence_from_the_first_step),
        cmocka_unit_test(test_a_fixed_rate_overrides_the_schedule),
        cmocka_unit_test(test_no_iterations_left),
        cmocka_unit_test(test_bad_specs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

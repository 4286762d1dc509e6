/* Early stop: the earliest minimum wins, NaN never does, and the weights are those of that point.
 */
#include "../../src/train/state.h"
#include "train_support.h"

/* Feeds validation losses to the rule, the weights being the number of the point; returns where it
 * stopped. */
static int32_t early_stop_of(const double *losses, int32_t count)
{
    struct train_spec spec = {.iterations = count - 1, .evaluate_every = 1};
    struct train_state made;
    assert_int_equal(train_state_init(&made, &spec, 1, NULL), 0);
    assert_int_equal(made.curve_count, count);
    while (made.points < count) {
        const float weight = (float)made.points;
        made.curve[made.points].validation_loss = losses[made.points];
        made.points++;
        if (early_stop_consider(&made))
            made.early_stop_weights[0] = weight;
    }
    int32_t found = made.early_stop;
    if (found >= 0)
        assert_true(made.early_stop_weights[0] == (float)found);
    train_state_finish(&made);
    return found;
}

#define EARLY_STOP_OF(...)                                                                         \
    early_stop_of((const double[]){__VA_ARGS__},                                                   \
                  (int32_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static void test_the_earliest_minimum_wins(void **state)
{
    (void)state;
    assert_int_equal(EARLY_STOP_OF(3, 2, 1, 2, 3), 2);
    assert_int_equal(EARLY_STOP_OF(1, 2, 3), 0);
    assert_int_equal(EARLY_STOP_OF(3, 2, 1), 2);
    assert_int_equal(EARLY_STOP_OF(2, 1, 1, 1, 2), 1);
    assert_int_equal(EARLY_STOP_OF(5, 5, 5), 0);
    assert_int_equal(EARLY_STOP_OF(0.25), 0);
}

static void test_nan_never_wins(void **state)
{
    (void)state;
    assert_int_equal(EARLY_STOP_OF(NAN, 3, 2, NAN, 2, 5), 2);
    assert_int_equal(EARLY_STOP_OF(NAN, NAN, 7, NAN), 2);
    assert_int_equal(EARLY_STOP_OF(4, NAN, NAN), 0);
    assert_int_equal(EARLY_STOP_OF(NAN, NAN), -1);
    assert_int_equal(EARLY_STOP_OF(INFINITY, 9, NAN), 1);
    assert_int_equal(EARLY_STOP_OF(NAN, INFINITY, INFINITY), 1);
}

static void test_scores_at_early_stop_are_of_its_weights(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(300);
    spec.schedule.base = 0.1; /* overshoots: validation loss has its minimum on the way */
    spec.capture_count = 31;
    for (int32_t i = 0; i < spec.capture_count; i++)
        spec.captures[i] = 10 * i;
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    int least = 0;
    for (int i = 1; i < result.curve_count; i++)
        if (result.curve[i].validation_loss < result.curve[least].validation_loss)
            least = i;
    assert_true(least > 0 && least < result.curve_count - 1);
    assert_int_equal(result.early_stop_iteration, 10 * least);
    assert_same_weights(&world, result.early_stop_weights, captured.weights[least]);
    assert_same_weights(&world, weights_of(world.net), captured.weights[30]);
    assert_scores_of(&world, &result, TRAIN_AT_END, captured.weights[30]);
    assert_scores_of(&world, &result, TRAIN_AT_EARLY_STOP, captured.weights[least]);
    captured_end(&captured);
    train_result_finish(&result);
    world_end(&world);
}

static void test_early_stop_at_the_end_is_the_end(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = plain_sgd(40);
    spec.schedule.base = 0.01;
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    assert_int_equal(result.early_stop_iteration, 40);
    assert_same_weights(&world, result.early_stop_weights, weights_of(world.net));
    for (int part = PART_TRAIN; part <= PART_TEST; part++)
        assert_same_score(result.scores[part][TRAIN_AT_EARLY_STOP],
                          result.scores[part][TRAIN_AT_END]);
    assert_scores_of(&world, &result, TRAIN_AT_EARLY_STOP, result.early_stop_weights);
    train_result_finish(&result);
    world_end(&world);
}

static void test_standing_still_stops_at_the_start(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(30);
    spec.start = 5;
    spec.fixed_rate = 0;
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    assert_int_equal(result.early_stop_iteration, 5);
    assert_same_weights(&world, result.early_stop_weights, world.initial);
    assert_same_weights(&world, weights_of(world.net), world.initial);
    train_result_finish(&result);
    world_end(&world);
}

static void test_no_validation_examples_no_early_stop(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    world.dataset.info.validation = 0;
    struct train_spec spec = adam(20);
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    assert_int_equal(result.outcome, TRAIN_FINISHED);
    assert_int_equal(result.early_stop_iteration, -1);
    assert_null(result.early_stop_weights);
    assert_no_scores(&result, TRAIN_AT_EARLY_STOP);
    assert_true(isnan(result.curve[1].validation_loss));
    assert_true(!isnan(result.scores[PART_TEST][TRAIN_AT_END].loss));
    train_result_finish(&result);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_earliest_minimum_wins),
        cmocka_unit_test(test_nan_never_wins),
        cmocka_unit_test(test_scores_at_early_stop_are_of_its_weights),
        cmocka_unit_test(test_early_stop_at_the_end_is_the_end),
        cmocka_unit_test(test_standing_still_stops_at_the_start),
        cmocka_unit_test(test_no_validation_examples_no_early_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

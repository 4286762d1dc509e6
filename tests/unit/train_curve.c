/* Which iterations are evaluated, and what the points and the scores say. */
#include "../../src/train/state.h"
#include "train_support.h"

struct expected_curve {
    int64_t start, iterations, every;
    int64_t at[4]; /* up to 0; a 0 mark comes first */
    int32_t at_count;
    int64_t points[12]; /* ends at -1 */
};

static void test_iterations_of_a_curve(void **state)
{
    (void)state;
    static const struct expected_curve curves[] = {
        {0, 50, 10, {0}, 0, {0, 10, 20, 30, 40, 50, -1}},
        {0, 45, 10, {0}, 0, {0, 10, 20, 30, 40, 45, -1}},
        {7, 31, 10, {0}, 0, {7, 10, 20, 30, 31, -1}},
        {10, 30, 10, {0}, 0, {10, 20, 30, -1}},
        {0, 20, 100, {0}, 0, {0, 20, -1}},
        {0, 0, 10, {0}, 0, {0, -1}},
        {20, 20, 10, {20}, 1, {20, -1}},
        {0, 30, 10, {5, 10, 25, 30}, 4, {0, 5, 10, 20, 25, 30, -1}},
        {0, 12, 10, {0, 11, 11, 12}, 4, {0, 10, 11, 12, -1}},
        {15, 30, 10, {3, 15, 16, 29}, 4, {15, 16, 20, 29, 30, -1}},
        {0, 3, 1, {0}, 0, {0, 1, 2, 3, -1}},
        {0, 40, INT64_MAX, {7}, 1, {0, 7, 40, -1}},
        {INT64_MAX - 2,
         INT64_MAX,
         INT64_MAX / 2,
         {0},
         0,
         {INT64_MAX - 2, INT64_MAX - 1, INT64_MAX, -1}},
    };
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
        const struct expected_curve *expected = &curves[c];
        struct train_spec spec = {.start = expected->start,
                                  .iterations = expected->iterations,
                                  .evaluate_every = expected->every,
                                  .at_count = expected->at_count};
        memcpy(spec.at, expected->at, sizeof expected->at);
        struct train_state made;
        assert_int_equal(train_state_init(&made, &spec, 16, NULL), 0);
        assert_int_equal(made.curve_count, train_curve_length(&spec));
        for (int i = 0; i < made.curve_count; i++)
            assert_int_equal(made.curve[i].iteration, expected->points[i]);
        assert_int_equal(expected->points[made.curve_count], -1);
        train_state_finish(&made);
    }
}

static void test_train_loss_is_the_mean_since_the_point_before(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec each = plain_sgd(23), tens = each;
    each.evaluate_every = 1;
    struct train_result fine = run_from(&world, &each, NULL, NULL);
    struct train_result coarse = run_from(&world, &tens, NULL, NULL);
    assert_int_equal(coarse.curve_count, 4);
    assert_true(isnan(coarse.curve[0].train_loss));
    for (int i = 1; i < coarse.curve_count; i++) {
        int64_t first = coarse.curve[i - 1].iteration, last = coarse.curve[i].iteration;
        double sum = 0;
        for (int64_t t = first + 1; t <= last; t++)
            sum += fine.curve[t].train_loss;
        assert_same(coarse.curve[i].train_loss, sum / (double)(last - first));
    }
    train_result_finish(&fine);
    train_result_finish(&coarse);
    world_end(&world);
}

static void test_scores_are_those_of_the_weights_then(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(40);
    const int64_t at[] = {0, 7, 20, 33, 35};
    spec.at_count = spec.capture_count = 5;
    memcpy(spec.at, at, sizeof at);
    memcpy(spec.captures, at, sizeof at);
    struct captured captured = {.size = world.size};
    struct train_hooks hooks = {.user = &captured, .capture = keep_capture};
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    float *last = malloc((size_t)world.size * sizeof *last);
    net_read_weights(world.net, last);
    assert_int_equal(captured.calls, 5);
    for (int mark = 0; mark < TRAIN_MARKS; mark++)
        assert_scores_of(&world, &result, TRAIN_AT_MARK + mark, captured.weights[mark]);
    assert_scores_of(&world, &result, TRAIN_AT_END, last);
    /* The curve's points are of the same weights; the fifth mark is only there. */
    assert_same(result.curve[1].validation_loss, result.scores[PART_VALIDATION][3].loss);
    assert_same(result.curve[1].validation_accuracy, result.scores[PART_VALIDATION][3].accuracy);
    assert_int_equal(result.curve[1].iteration, 7);
    assert_int_equal(result.curve[6].iteration, 35);
    assert_true(!isnan(result.curve[6].validation_loss));
    free(last);
    captured_end(&captured);
    train_result_finish(&result);
    world_end(&world);
}

static void test_marks_outside_the_run_have_no_scores(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(30);
    spec.start = 10;
    spec.at_count = 3;
    spec.at[0] = 5;
    spec.at[1] = 10;
    spec.at[2] = 30;
    struct train_result result = run_from(&world, &spec, NULL, NULL);
    assert_no_scores(&result, TRAIN_AT_MARK);
    assert_no_scores(&result, TRAIN_AT_MARK + 3);
    assert_scores_of(&world, &result, TRAIN_AT_MARK + 1, world.initial);
    for (int part = PART_TRAIN; part <= PART_TEST; part++)
        assert_same_score(result.scores[part][TRAIN_AT_MARK + 2],
                          result.scores[part][TRAIN_AT_END]);
    train_result_finish(&result);
    world_end(&world);
}

static void test_a_test_curve_changes_nothing_else(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(60);
    spec.at_count = 1;
    spec.at[0] = 15;
    struct train_result without = run_from(&world, &spec, NULL, NULL);
    spec.test_curve = true;
    struct train_result with = run_from(&world, &spec, NULL, NULL);
    assert_same_score((struct train_score){with.curve[2].test_loss, with.curve[2].test_accuracy},
                      without.scores[PART_TEST][TRAIN_AT_MARK]);
    for (int i = 0; i < with.curve_count; i++) {
        assert_true(!isnan(with.curve[i].test_loss) && !isnan(with.curve[i].test_accuracy));
        with.curve[i].test_loss = with.curve[i].test_accuracy = NAN;
        assert_same_point(&with.curve[i], &without.curve[i]);
    }
    for (int part = PART_TRAIN; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            assert_same_score(with.scores[part][when], without.scores[part][when]);
    assert_same_weights(&world, with.early_stop_weights, without.early_stop_weights);
    train_result_finish(&with);
    train_result_finish(&without);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iterations_of_a_curve),
        cmocka_unit_test(test_train_loss_is_the_mean_since_the_point_before),
        cmocka_unit_test(test_scores_are_those_of_the_weights_then),
        cmocka_unit_test(test_marks_outside_the_run_have_no_scores),
        cmocka_unit_test(test_a_test_curve_changes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

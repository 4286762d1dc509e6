/* A run that is saved, stopped and resumed ends in the same bits as one that never was. */
#include "train_support.h"

/* A state in memory. */
struct shelf {
    unsigned char *bytes;
    size_t capacity, used, read;
    int64_t wish_at, saved_at; /* iterations */
    enum train_wish wish;
};

static int put(void *user, void *bytes, size_t size, struct error *err)
{
    struct shelf *shelf = user;
    (void)err;
    assert_true(shelf->used + size <= shelf->capacity);
    memcpy(shelf->bytes + shelf->used, bytes, size);
    shelf->used += size;
    return 0;
}

static int take(void *user, void *bytes, size_t size, struct error *err)
{
    struct shelf *shelf = user;
    (void)err;
    assert_true(shelf->read + size <= shelf->used);
    memcpy(bytes, shelf->bytes + shelf->read, size);
    shelf->read += size;
    return 0;
}

static enum train_wish wish(void *user, int64_t iteration)
{
    struct shelf *shelf = user;
    return iteration == shelf->wish_at ? shelf->wish : TRAIN_GO_ON;
}

static int save(void *user, int64_t iteration, struct train_saving *saving, struct error *err)
{
    struct shelf *shelf = user;
    struct train_stream stream = {.user = shelf, .pass = put};
    shelf->used = 0;
    shelf->saved_at = iteration;
    return train_save(saving, &stream, err);
}

static struct shelf shelf_for(const struct world *world, const struct train_spec *spec)
{
    struct shelf shelf = {.capacity = (size_t)train_state_bytes(
                              &spec->optimizer, train_curve_length(spec), world->size),
                          .wish_at = -1};
    shelf.bytes = malloc(shelf.capacity);
    return shelf;
}

static void assert_same_run(const struct world *world, const struct train_result *a,
                            const struct train_result *b)
{
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->early_stop_iteration, b->early_stop_iteration);
    for (int32_t i = 0; i < a->curve_count; i++)
        assert_same_point(&a->curve[i], &b->curve[i]);
    for (int part = 0; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++) {
            assert_same(a->scores[part][when].loss, b->scores[part][when].loss);
            assert_same(a->scores[part][when].accuracy, b->scores[part][when].accuracy);
        }
    if (a->outcome == TRAIN_FINISHED)
        assert_same_weights(world, a->weights, b->weights);
    if (a->early_stop_iteration >= 0)
        assert_same_weights(world, a->early_stop_weights, b->early_stop_weights);
}

/* Stops at `at` and goes on in a network that another training has been in meanwhile. */
static struct train_result stop_and_resume(struct world *world, const struct train_spec *spec,
                                           int64_t at)
{
    struct shelf shelf = shelf_for(world, spec);
    struct train_stream stream = {.user = &shelf, .pass = take};
    struct train_hooks hooks = {.user = &shelf, .progress = wish, .save = save};
    struct train_spec other = *spec;
    shelf.wish = TRAIN_STOP;
    shelf.wish_at = at;
    struct train_result result = run_from(world, spec, NULL, &hooks);
    assert_int_equal(result.outcome, TRAIN_INTERRUPTED);
    assert_int_equal(shelf.saved_at, at);
    train_result_finish(&result);
    other.order.seed++;
    other.test_curve = false;
    result = run_from(world, &other, NULL, NULL);
    train_result_finish(&result);
    shelf.wish_at = -1;
    hooks.resume = &stream;
    result = run_from(world, spec, NULL, &hooks);
    assert_int_equal(shelf.read, shelf.used);
    free(shelf.bytes);
    return result;
}

static void check_stops(struct world *world, const struct train_spec *spec)
{
    struct train_result whole = run_from(world, spec, NULL, NULL);
    for (int64_t at = spec->start; at <= spec->iterations; at += 9) {
        struct train_result resumed = stop_and_resume(world, spec, at);
        assert_same_run(world, &whole, &resumed);
        train_result_finish(&resumed);
    }
    train_result_finish(&whole);
}

static void test_adam(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.2);
    struct train_spec spec = adam(60);
    spec.test_curve = true;
    spec.at_count = 1;
    spec.at[0] = 23;
    check_stops(&world, &spec);
    world_end(&world);
}

static void test_momentum_from_k(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = plain_sgd(60);
    spec.optimizer.momentum = 0.9;
    spec.start = 15;
    check_stops(&world, &spec);
    world_end(&world);
}

/* Few weights are left: layers train on their survivors. */
static void test_sparse(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    uint8_t *mask = malloc((size_t)world.size);
    int count;
    const struct parameter_spec *parameters = net_parameters(world.net, &count);
    memset(mask, 1, (size_t)world.size);
    for (int p = 0; p < count; p++)
        for (int64_t i = 0; parameters[p].is_prunable && i < parameters[p].count; i++)
            mask[parameters[p].offset + i] = i % 5 == 0;
    assert_int_equal(net_set_mask(world.net, mask, NULL), 0);
    assert_true(net_sparse_layers(world.net) != 0);
    struct train_spec spec = adam(40);
    check_stops(&world, &spec);
    free(mask);
    world_end(&world);
}

static void test_saving_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0.2);
    struct train_spec spec = adam(50);
    struct train_result whole = run_from(&world, &spec, NULL, NULL);
    struct shelf shelf = shelf_for(&world, &spec);
    struct train_hooks hooks = {.user = &shelf, .progress = wish, .save = save};
    shelf.wish = TRAIN_SAVE;
    shelf.wish_at = 33;
    struct train_result saved = run_from(&world, &spec, NULL, &hooks);
    assert_int_equal(shelf.saved_at, 33);
    assert_same_run(&world, &whole, &saved);
    train_result_finish(&whole);
    train_result_finish(&saved);
    free(shelf.bytes);
    world_end(&world);
}

static void test_the_state_of_another_run_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 0);
    struct train_spec spec = adam(50), other = adam(80);
    struct shelf shelf = shelf_for(&world, &spec);
    struct train_stream stream = {.user = &shelf, .pass = take};
    struct train_hooks hooks = {.user = &shelf, .progress = wish, .save = save};
    shelf.wish = TRAIN_STOP;
    shelf.wish_at = 20;
    struct train_result result = run_from(&world, &spec, NULL, &hooks);
    train_result_finish(&result);
    hooks.resume = &stream;
    struct error err = {0};
    assert_int_equal(train_run(&other, world.net, &world.dataset, &hooks, &result, &err), -1);
    assert_int_equal(err.class, ERROR_INTERNAL);
    free(shelf.bytes);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_momentum_from_k),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_saving_changes_nothing),
        cmocka_unit_test(test_the_state_of_another_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

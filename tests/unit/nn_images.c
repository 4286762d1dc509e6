/* Gradients of the layers of convolutional networks against finite differences of a plain network
 * in double precision: every kind of layer, kernel, stride and padding, odd sides, residual blocks.
 */
#include "nn_plain.h"

#define CLASSES 3

#define CONV(channels, side, step, pad)                                                            \
    {                                                                                              \
        .kind = LAYER_CONV, .outputs = channels, .kernel = side, .stride = step, .padding = pad,   \
        .has_bias = true                                                                           \
    }
#define PLAIN_CONV(channels, side, step, pad)                                                      \
    {                                                                                              \
        .kind = LAYER_CONV, .outputs = channels, .kernel = side, .stride = step, .padding = pad    \
    }
#define POOL(side, step)                                                                           \
    {                                                                                              \
        .kind = LAYER_MAX_POOL, .kernel = side, .stride = step                                     \
    }
#define RELU                                                                                       \
    {                                                                                              \
        .kind = LAYER_RELU                                                                         \
    }
#define NORM                                                                                       \
    {                                                                                              \
        .kind = LAYER_BATCH_NORM                                                                   \
    }
#define AVERAGE                                                                                    \
    {                                                                                              \
        .kind = LAYER_AVERAGE_POOL                                                                 \
    }
#define RESIDUAL                                                                                   \
    {                                                                                              \
        .kind = LAYER_RESIDUAL                                                                     \
    }
#define SHORTCUT                                                                                   \
    {                                                                                              \
        .kind = LAYER_SHORTCUT                                                                     \
    }
#define ADD                                                                                        \
    {                                                                                              \
        .kind = LAYER_ADD                                                                          \
    }
#define DROPOUT                                                                                    \
    {                                                                                              \
        .kind = LAYER_DROPOUT, .drop = 0.4                                                         \
    }
#define FC(units)                                                                                  \
    {                                                                                              \
        .kind = LAYER_FC, .outputs = units                                                         \
    }

#define MOST_LAYERS 16

struct subject {
    struct shape input;
    struct layer_spec layers[MOST_LAYERS]; /* up to one that is all zero: FC(0) */
};

static struct net_spec spec_of(const struct subject *subject)
{
    struct net_spec spec = {.input = subject->input, .classes = CLASSES};
    for (const struct layer_spec *layer = subject->layers;
         layer < subject->layers + MOST_LAYERS && (layer->kind != LAYER_FC || layer->outputs > 0);
         layer++)
        spec.layers[spec.layer_count++] = *layer;
    spec.layers[spec.layer_count++] =
        (struct layer_spec){.kind = LAYER_FC, .outputs = CLASSES, .is_output = true};
    return spec;
}

static void check_subjects(const struct subject *subjects, size_t count, const int32_t *batches,
                           size_t batch_count)
{
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        for (size_t s = 0; s < count; s++) {
            const struct net_spec spec = spec_of(&subjects[s]);
            for (size_t b = 0; b < batch_count; b++)
                check_gradients(&spec, (struct gradient_check){batches[b], 0.4f, 5, 1e-4});
        }
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CHECK(subjects, batches) check_subjects(subjects, COUNT(subjects), batches, COUNT(batches))

static const int32_t all_batches[] = {1, 7, 60, 61};
static const int32_t some_batches[] = {2, 19};

static void convolutions(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{1, 5, 4}, {CONV(3, 3, 1, 1), RELU}},
        {{3, 7, 5}, {CONV(5, 3, 1, 1), RELU, CONV(4, 3, 1, 1)}},
        {{2, 7, 6}, {CONV(3, 3, 2, 1), RELU, CONV(4, 3, 2, 1), RELU}},
        {{1, 1, 1}, {CONV(2, 3, 1, 1), CONV(2, 3, 2, 1)}},
        {{2, 3, 9}, {PLAIN_CONV(3, 1, 1, 0), RELU, CONV(2, 1, 2, 0)}},
    };
    CHECK(subjects, all_batches);
}

static void convolutions_of_other_kernels(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{2, 6, 5}, {CONV(3, 5, 1, 2), RELU, CONV(2, 2, 2, 0)}},
        {{2, 9, 8}, {CONV(3, 3, 1, 0), PLAIN_CONV(2, 3, 3, 2), RELU}},
        {{2, 9, 8}, {CONV(3, 4, 2, 3), CONV(2, 3, 1, 2), RELU}},
        {{2, 5, 5}, {CONV(3, 5, 1, 0), RELU, CONV(2, 1, 1, 0)}},
        {{17, 4, 3}, {CONV(33, 3, 1, 1), RELU, CONV(18, 3, 2, 1), CONV(3, 3, 1, 1)}},
    };
    CHECK(subjects, some_batches);
}

static void pools(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{2, 6, 4}, {CONV(3, 3, 1, 1), RELU, POOL(2, 2), CONV(2, 3, 1, 1), POOL(2, 2), RELU}},
        {{1, 7, 5}, {CONV(3, 3, 1, 1), POOL(2, 2), CONV(4, 1, 1, 0), AVERAGE, RELU}},
        {{2, 7, 6}, {CONV(3, 3, 1, 1), RELU, POOL(3, 2), CONV(2, 1, 1, 0), RELU, POOL(2, 1)}},
        {{2, 8, 5}, {POOL(1, 1), CONV(3, 3, 1, 1), POOL(2, 3), RELU, DROPOUT}},
        {{3, 3, 3}, {AVERAGE, CONV(4, 1, 1, 0), RELU, POOL(1, 1)}},
    };
    CHECK(subjects, all_batches);
}

static void batch_norms(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{1, 5, 4}, {PLAIN_CONV(3, 3, 1, 1), NORM, RELU}},
        {{2, 5, 3}, {NORM, CONV(3, 3, 1, 1), RELU, NORM, CONV(2, 3, 2, 1), NORM}},
        {{2, 6, 4}, {PLAIN_CONV(3, 3, 1, 1), NORM, RELU, POOL(2, 2), CONV(2, 1, 1, 0), DROPOUT}},
        {{2, 6, 4}, {PLAIN_CONV(3, 3, 1, 1), NORM, NORM, RELU, AVERAGE}},
    };
    CHECK(subjects, all_batches);
    static const struct subject flat[] = {{{2, 2, 2}, {FC(7), NORM, RELU, FC(4), NORM}}};
    CHECK(flat, some_batches);
}

static void residual_blocks(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{2, 5, 4}, {RESIDUAL, CONV(2, 3, 1, 1), RELU, CONV(2, 3, 1, 1), ADD, RELU}},
        {{2, 5, 4}, /* the block's input is read before its relu, and kept */
         {CONV(3, 3, 1, 1), RESIDUAL, RELU, CONV(3, 3, 1, 1), ADD, CONV(2, 1, 1, 0)}},
        {{2, 5, 4}, /* the body ends in a relu */
         {CONV(3, 3, 1, 1), RELU, RESIDUAL, CONV(3, 3, 1, 1), RELU, ADD, RELU, AVERAGE}},
        {{2, 5, 4}, /* no relu behind the additions, nor between them */
         {CONV(3, 3, 1, 1), RESIDUAL, CONV(3, 3, 1, 1), ADD, RESIDUAL, CONV(3, 1, 1, 0), ADD}},
        {{2, 5, 4}, {CONV(3, 3, 1, 1), RESIDUAL, RELU, DROPOUT, ADD, RESIDUAL, DROPOUT, ADD}},
    };
    CHECK(subjects, all_batches);
}

static void residual_blocks_with_norms(void **state)
{
    (void)state;
    static const struct subject subjects[] = {
        {{2, 6, 5},
         {PLAIN_CONV(4, 3, 1, 1), NORM, RELU, RESIDUAL, PLAIN_CONV(4, 3, 1, 1), NORM, RELU,
          PLAIN_CONV(4, 3, 1, 1), NORM, ADD, RELU}},
        {{2, 7, 5},
         {PLAIN_CONV(3, 3, 1, 1), NORM, RELU, RESIDUAL, PLAIN_CONV(4, 3, 2, 1), NORM, RELU,
          PLAIN_CONV(4, 3, 1, 1), NORM, SHORTCUT, PLAIN_CONV(4, 1, 2, 0), NORM, ADD, RELU}},
        {{2, 4, 4}, /* pre-activation */
         {CONV(3, 3, 1, 1), RESIDUAL, NORM, RELU, CONV(3, 3, 1, 1), NORM, RELU, CONV(3, 3, 1, 1),
          ADD, NORM, RELU}},
        {{3, 4, 4}, /* an identity behind a mark, layers without weights in the shortcut */
         {RESIDUAL, CONV(3, 3, 1, 1), NORM, SHORTCUT, ADD, RELU, RESIDUAL, CONV(3, 3, 2, 1), NORM,
          RELU, SHORTCUT, POOL(2, 2), DROPOUT, ADD}},
    };
    CHECK(subjects, some_batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),    cmocka_unit_test(convolutions_of_other_kernels),
        cmocka_unit_test(pools),           cmocka_unit_test(batch_norms),
        cmocka_unit_test(residual_blocks), cmocka_unit_test(residual_blocks_with_norms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

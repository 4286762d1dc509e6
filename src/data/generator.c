/* The built-in generators as sources of data. Both parts of a dataset are drawn example by example;
 * what they hold follows from name, version, seed and counts, so that these are hashed in place of
 * the examples. */
#include "generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

/* Streams of random numbers. */
enum { STREAM_TRAINING, STREAM_TEST };

static const struct generator *generator_of(const struct dataset_request *request)
{
    return strcmp(request->name, digits_generator.name) == 0 ? &digits_generator
                                                             : &shapes_generator;
}

static int describe(const struct dataset_request *request, struct dataset_info *info,
                    struct error *err)
{
    (void)err;
    const struct generator *generator = generator_of(request);
    *info = (struct dataset_info){
        .channels = generator->channels,
        .height = generator->height,
        .width = generator->width,
        .classes = generator->classes,
        .train = request->train == -1 ? generator->train : request->train,
        .test = request->test == -1 ? generator->test : request->test,
    };
    return 0;
}

static void draw_part(const struct dataset_request *request, uint32_t part, int64_t count,
                      uint8_t *images, uint8_t *labels)
{
    const struct generator *generator = generator_of(request);
    const struct rng_stream stream = {(uint64_t)request->seed, RNG_GENERATOR, part};
    const int64_t bytes = (int64_t)generator->channels * generator->height * generator->width;
    for (int64_t i = 0; i < count; i++)
        labels[i] = generator->draw(stream, (uint64_t)i, images + i * bytes);
}

static int fill(const struct dataset_request *request, struct dataset *dataset, struct error *err)
{
    (void)err;
    const struct dataset_info *info = &dataset->info;
    draw_part(request, STREAM_TRAINING, info->train + info->validation, dataset->train_images,
              dataset->train_labels);
    draw_part(request, STREAM_TEST, info->test, dataset->test_images, dataset->test_labels);
    return 0;
}

static struct hash128 content(const struct dataset_info *info,
                              const struct dataset_request *request)
{
    const struct generator *generator = generator_of(request);
    char text[128];
    int length =
        snprintf(text, sizeof text,
                 "%s %d: seed %" PRId64 ", %" PRId64 " training, %" PRId64 " test", generator->name,
                 generator->version, request->seed, info->train + info->validation, info->test);
    return hash128_of(text, (size_t)length);
}

const struct data_source generated_source = {
    .describe = describe, .fill = fill, .content = content};

/* The built-in generators as sources of data. Both parts of a dataset are drawn example by example;
 * what they hold follows from name, version, seed and counts, so that these are hashed in place of
 * the examples. */
#include "generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

#define MOST_BYTES (3 * 32 * 32) /* of an image */

/* Streams of random numbers. */
static const uint32_t streams[INTAKE_PARTS] = {[INTAKE_TRAIN] = 0, [INTAKE_TEST] = 1};

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

static void draw_part(const struct dataset_request *request, enum intake_part part,
                      struct intake *intake)
{
    const struct generator *generator = generator_of(request);
    const struct rng_stream stream = {(uint64_t)request->seed, RNG_GENERATOR, streams[part]};
    const size_t bytes =
        (size_t)generator->channels * (size_t)generator->height * (size_t)generator->width;
    uint8_t image[MOST_BYTES];
    for (int64_t i = 0; i < intake->count[part]; i++) {
        intake->labels[part][i] = generator->draw(stream, (uint64_t)i, image);
        intake_images(intake, part, image, bytes);
    }
}

static int draw(const struct dataset_request *request, const struct dataset_info *info,
                struct intake *intake, struct error *err)
{
    (void)info;
    (void)err;
    draw_part(request, INTAKE_TRAIN, intake);
    draw_part(request, INTAKE_TEST, intake);
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
    .describe = describe, .read = draw, .content = content};

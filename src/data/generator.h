/* A built-in dataset is one function that draws an example; generator.c makes a source of it. */
#ifndef DATA_GENERATOR_H
#define DATA_GENERATOR_H

#include <stdint.h>

#include "base/rng.h"

struct generator {
    const char *name;
    int version; /* raised with every change of the examples: it is in task keys */
    int32_t channels, height, width, classes;
    int64_t train, test; /* examples, where the request leaves it open */
    /* Draws example i of the part that `stream` belongs to, a function of these two alone; returns
     * its label. */
    uint8_t (*draw)(struct rng_stream stream, uint64_t example, uint8_t *image);
};

extern const struct generator digits_generator, shapes_generator;

#endif

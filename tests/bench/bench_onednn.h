/* oneDNN's convolutions on the layouts it likes best, on one thread. */
#ifndef SWEEPSTAKE_BENCH_ONEDNN_H
#define SWEEPSTAKE_BENCH_ONEDNN_H

#include <stdbool.h>
#include <stdint.h>

struct conv_shape;
struct onednn;

enum onednn_method { ONEDNN_DIRECT, ONEDNN_WINOGRAD, ONEDNN_METHODS };

/* Before anything else is called: no more than `isa` has (NULL: all that the CPU has). */
void onednn_limit(const char *isa);

/* `pass` 0: forward; 1: gradient of the argument; 2: of the weights. NULL where oneDNN is missing
 * or does not offer it. */
struct onednn *onednn_create(const struct conv_shape *shape, int64_t columns, int pass,
                             enum onednn_method method);
void onednn_run(const struct onednn *onednn);
void onednn_destroy(struct onednn *onednn);

#endif

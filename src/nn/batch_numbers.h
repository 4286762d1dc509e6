/* A batch as a sparse matrix: its numbers that are not zero. */
#ifndef SWEEPSTAKE_NN_BATCH_NUMBERS_H
#define SWEEPSTAKE_NN_BATCH_NUMBERS_H

#include "operation.h"

/* In memory of the caller, batch_numbers_floats. */
struct batch_numbers {
    struct sparse_pattern pattern;
    const float *values;
};

/* Enough for either way. */
int64_t batch_numbers_floats(int64_t inputs, int64_t columns);

/* x [inputs][columns] turned: rows are the columns of x, padding included. Returns false, and lists
 * nothing of use, where so many are not zero that dense products are as fast. */
bool batch_numbers_by_example(const struct kernels *kernels, const float *x, int64_t inputs,
                              int64_t columns, float *memory, struct batch_numbers *numbers);

/* x as it is, but for its padding: rows are inputs. There must be as few numbers as the other
 * function takes. */
void batch_numbers_by_input(const struct kernels *kernels, const float *x, int64_t inputs,
                            int64_t columns, int64_t examples, float *memory,
                            struct batch_numbers *numbers);

#endif

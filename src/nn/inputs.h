/* Which inputs of a layer a batch has: those that are not zero in all of its examples, or in all
 * those of a panel. */
#ifndef SWEEPSTAKE_NN_INPUTS_H
#define SWEEPSTAKE_NN_INPUTS_H

#include "operation.h"

/* Lists for panels of so many columns: how many int32_t they take. */
int64_t inputs_size(const struct layer *layer, int64_t columns, int64_t panel);

/* Lists what x [inputs][pass->columns] has, if the layer skips zeros. Of the result lists is NULL
 * where it does not, and where they are so many that it is as well to take all. */
struct row_lists inputs_find(const struct layer *layer, const struct pass *pass, const float *x,
                             int64_t panel, int32_t *lists);

/* The same, of lists that were found before. */
struct row_lists inputs_found(const struct layer *layer, const struct pass *pass, int64_t panel,
                              const int32_t *lists);

#endif

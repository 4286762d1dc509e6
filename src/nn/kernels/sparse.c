/* Sizes of the sparse kernels; the same for every instruction set. */
#include "sparse.h"

/* Rows of x with 64 columns: what a first-level cache holds, and half of a second-level one. */
#define LEAST_BAND 192
#define MOST_BAND 1024
#define ROW_ENTRIES 24 /* of a band, for which it pays to fetch and store a row's sums */

int64_t sparse_product_band(int64_t columns, double density)
{
    double most = density > 0 ? ROW_ENTRIES / density : MOST_BAND;
    most = most < LEAST_BAND ? LEAST_BAND : most > MOST_BAND ? MOST_BAND : most;
    const int64_t bands = (columns + (int64_t)most - 1) / (int64_t)most;
    return (columns + bands - 1) / bands;
}

/* Sizes of the sparse kernels; the same for every instruction set. */
#include "sparse.h"

/* Rows of x with 64 columns that fill half of 512 kB of cache. */
#define PRODUCT_BAND 1024

int64_t sparse_product_band(int64_t columns)
{
    const int64_t bands = (columns + PRODUCT_BAND - 1) / PRODUCT_BAND;
    return (columns + bands - 1) / bands;
}

#include "convolution.h"
#include "winograd_data.h"

int64_t winograd_data_scratch(const struct conv_shape *shape, int64_t columns, bool backward)
{
    return winograd_data_layout(shape, columns, backward).total;
}

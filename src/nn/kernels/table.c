/* The table of this instruction set. */
#include "isa.h"

#define TEXT_OF(word) #word
#define EXPANDED_TEXT_OF(word) TEXT_OF(word)

const struct kernels KERNEL(kernels) = {
    .isa = EXPANDED_TEXT_OF(KERNEL_ISA),
    .product = KERNEL(product),
    .transpose = KERNEL(transpose),
    .nonzero_rows = KERNEL(nonzero_rows),
    .nonzero_entries = KERNEL(nonzero_entries),
    .rectify = KERNEL(rectify),
    .add_gradients = KERNEL(add_gradients),
    .add = KERNEL(add),
    .row_sums = KERNEL(row_sums),
    .multiply = KERNEL(multiply),
    .max_pool = KERNEL(max_pool),
    .max_pool_gradient = KERNEL(max_pool_gradient),
    .mean_of_rows = KERNEL(mean_of_rows),
    .spread_over_rows = KERNEL(spread_over_rows),
    .moments = KERNEL(moments),
    .normalize = KERNEL(normalize),
    .norm_gradient_sums = KERNEL(norm_gradient_sums),
    .norm_gradient = KERNEL(norm_gradient),
    .softmax_loss = KERNEL(softmax_loss),
    .sgd = KERNEL(sgd),
    .adam = KERNEL(adam),
    .clear_masked = KERNEL(clear_masked),
    .sparse_product = KERNEL(sparse_product),
    .sparse_gradient = KERNEL(sparse_gradient),
    .sparse_select = KERNEL(sparse_select),
    .sparse_spread = KERNEL(sparse_spread),
    .sparse_conv_data = KERNEL(sparse_conv_data),
    .sparse_conv_gradient = KERNEL(sparse_conv_gradient),
    .gather = KERNEL(gather),
    .conv_data = {[CONV_DIRECT] = KERNEL(direct_data),
                  [CONV_SMALL] = KERNEL(small_data),
                  [CONV_WINOGRAD] = KERNEL(winograd_data)},
    .conv_gradient = {[CONV_DIRECT] = KERNEL(direct_gradient),
                      [CONV_SMALL] = KERNEL(small_gradient),
                      [CONV_WINOGRAD] = KERNEL(winograd_gradient)},
};

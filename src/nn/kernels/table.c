/* The table of this instruction set. */
#include "isa.h"

#define TEXT_OF(word) #word
#define EXPANDED_TEXT_OF(word) TEXT_OF(word)

const struct kernels KERNEL(kernels) = {
    .isa = EXPANDED_TEXT_OF(KERNEL_ISA),
    .product = KERNEL(product),
    .transpose = KERNEL(transpose),
    .rectify = KERNEL(rectify),
    .rectify_gradient = KERNEL(rectify_gradient),
    .row_sums = KERNEL(row_sums),
    .multiply = KERNEL(multiply),
    .softmax_loss = KERNEL(softmax_loss),
    .sgd = KERNEL(sgd),
    .adam = KERNEL(adam),
    .clear_masked = KERNEL(clear_masked),
    .direct_data = KERNEL(direct_data),
    .direct_gradient = KERNEL(direct_gradient),
    .small_data = KERNEL(small_data),
    .small_gradient = KERNEL(small_gradient),
    .winograd_data = KERNEL(winograd_data),
    .winograd_gradient = KERNEL(winograd_gradient),
};

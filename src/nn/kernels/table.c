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
    .conv_data = {[CONV_DIRECT] = KERNEL(direct_data),
                  [CONV_SMALL] = KERNEL(small_data),
                  [CONV_WINOGRAD] = KERNEL(winograd_data)},
    .conv_gradient = {[CONV_DIRECT] = KERNEL(direct_gradient),
                      [CONV_SMALL] = KERNEL(small_gradient),
                      [CONV_WINOGRAD] = KERNEL(winograd_gradient)},
};

/* How convolutions are cut for products: a panel and a slice of filters, and the activations they
 * meet, fit the first-level cache. */
#ifndef SWEEPSTAKE_NN_PANELS_H
#define SWEEPSTAKE_NN_PANELS_H

#define FILTER_WIDTH 3
#define FILTER_TAPS (FILTER_WIDTH * FILTER_WIDTH)
#define RESULT_PANEL 48   /* channels of the result of a convolution of activations */
#define ARGUMENT_SLICE 64 /* its argument's, at most */
#define INPUT_PANEL 48    /* channels of x in a gradient of weights */
#define INPUT_UNIT 6      /* of these, which stay together: the rows of a product's tile */
#define OUTPUT_PANEL 64   /* of dy */
#define BLOCK_COLUMNS 64  /* that products take at a time */

#endif

/* The order in which a part's examples are evaluated. */
#ifndef DATA_EVALUATION_ORDER_H
#define DATA_EVALUATION_ORDER_H

#include "data/dataset.h"

/* Fills dataset->evaluated from its split: like examples stand together, so that those of a batch
 * have many blank pixels in common, which networks pass over. A function of the examples alone. */
int evaluation_order_make(struct dataset *dataset, struct error *err);

#endif

#ifndef DATA_STANDARDIZE_H
#define DATA_STANDARDIZE_H

#include "data/dataset.h"

/* Sets dataset->scales from its training examples, those held out for validation included. */
int standardize(struct dataset *dataset, struct error *err);

#endif

/* The front of a store: all of its metadata, in one piece before the first dataset. */
#ifndef SWEEPSTAKE_STORE_FRONT_H
#define SWEEPSTAKE_STORE_FRONT_H

#include "datasets.h"

/* Makes a new file with groups, attributes and datasets, nothing of them allocated, and says where
 * it ends. Takes over `access`. */
int front_make(const char *path, hid_t access, const struct store_layout *layout,
               const struct dataset_list *list, int64_t *end, struct error *err);

/* Where it would end: made in memory. */
int front_measure(const struct store_layout *layout, const struct dataset_list *list, int64_t *end,
                  struct error *err);

#endif

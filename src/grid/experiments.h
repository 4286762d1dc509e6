/* All experiments of a grid in little memory: a million of them differ from each other in a few
 * bytes of two thousand. An experiment's bytes are cut into pieces, and equal pieces are kept
 * once. */
#ifndef SWEEPSTAKE_GRID_EXPERIMENTS_H
#define SWEEPSTAKE_GRID_EXPERIMENTS_H

#include <stddef.h>

#include "base/error.h"
#include "grid/experiment.h"

struct experiment_list;

/* An empty list with room for `most`; NULL on failure. */
struct experiment_list *experiment_list_create(size_t most, struct error *err);
void experiment_list_destroy(struct experiment_list *list); /* accepts NULL */

/* Keeps a copy as number `number`, at most one more than the last. */
int experiment_list_set(struct experiment_list *list, int32_t number,
                        const struct experiment *experiment, struct error *err);
void experiment_list_get(const struct experiment_list *list, int32_t number,
                         struct experiment *experiment);
void experiment_list_move(struct experiment_list *list, int32_t from, int32_t to);

#endif

/* From layered fields to an experiment: what depends on several fields at once. */
#ifndef SWEEPSTAKE_GRID_RESOLVE_H
#define SWEEPSTAKE_GRID_RESOLVE_H

#include "layers.h"

/* `output: half` becomes a number; fractions set the rounds; contradictions are errors. */
int layers_resolve(const struct reader *reader, struct layers *layers);

#endif

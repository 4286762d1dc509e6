/* Parts of a grid as the command line has them: "2/5", and the store that one has. */
#ifndef SWEEPSTAKE_CLI_PART_H
#define SWEEPSTAKE_CLI_PART_H

#include <stddef.h>

#include "base/error.h"
#include "plan/plan.h"

#define PART_MOST 256 /* merge has all of them open at once */
#define PART_HELP "only this part of the grid, of K that share no task: 1/K to K/K"

/* NULL, where --part is not given, is the whole grid. */
int part_read(const char *text, struct plan_part *part, struct error *err);

/* What a part has in place of the whole grid's store: of grid.h5 grid.2-of-5.h5. */
int part_store(const char *whole, struct plan_part part, char *to, size_t size, struct error *err);

#endif

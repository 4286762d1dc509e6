/* The recipes that `recipe` may name. */
#ifndef SWEEPSTAKE_GRID_RECIPES_H
#define SWEEPSTAKE_GRID_RECIPES_H

/* What may be written: "none", then the recipes there are; NULL-terminated. */
extern const char *const recipe_choices[];

#endif

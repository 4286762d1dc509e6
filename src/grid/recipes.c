/* The embedded recipes: src/grid/recipes/NAME.yaml, put into recipes_embedded.h by the build. A
 * recipe is a map of fields (no axes, no seeds); a grid file's own fields are merged over it. */
#include "recipes.h"

#include <stddef.h>
#include <string.h>

#include "grid/grid.h"

#include "recipes_embedded.h" /* RECIPE_NAMES and RECIPE_TEXTS, in the same order */

const char *const recipe_choices[] = {"none", RECIPE_NAMES NULL};
static const char *const texts[] = {RECIPE_TEXTS};

const char *recipe_text(const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(recipe_choices[i + 1], name) == 0)
            return texts[i];
    return NULL;
}

const char *const *recipe_names(void)
{
    return recipe_choices + 1;
}

/* The one list of names that are known and not there yet. */
#include "later.h"

#include <stddef.h>
#include <string.h>

static const char *const criteria[] = {"large-final",
                                       "small-final",
                                       "large-init",
                                       "small-init",
                                       "large-init-large-final",
                                       "magnitude-increase",
                                       "movement",
                                       "random",
                                       "snip",
                                       "grasp",
                                       "synflow",
                                       "optimal-brain-damage",
                                       NULL};
static const char *const controls[] = {"shuffle", "invert", NULL};

static const struct {
    const char *path;
    const char *const *names;
} later[] = {
    {"prune.criterion", criteria},
    {"controls.kind", controls},
};

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
            return false;
    return *a == *b;
}

bool name_is_later(const char *path, const char *name)
{
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(later[i].path, path) == 0)
            for (const char *const *known = later[i].names; *known != NULL; known++)
                if (same_name(*known, name))
                    return true;
    return false;
}

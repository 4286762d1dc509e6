/* Merging: two stores become a third. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "unite.h"

/* What fixes rounding must be the same: their results stand side by side from here on. */
static int check_alike(const struct store_identity *one, const struct store_identity *other,
                       struct error *err)
{
    const struct {
        const char *what, *one, *other;
    } rows[] = {{"kernel mode", one->kernel_mode, other->kernel_mode},
                {"instruction set", one->isa, other->isa},
                {"BLAS core", one->blas_core, other->blas_core}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].one, rows[i].other) != 0)
            return error_set(err, ERROR_USAGE,
                             "these stores round differently and cannot be merged: %s '%s' in the "
                             "one, '%s' in the other",
                             rows[i].what, rows[i].one, rows[i].other);
    return 0;
}

/* Made for no plan: whichever grid is run on it makes it its own. */
static struct store_identity identity_of(const struct store_identity *one,
                                         const struct store_identity *other)
{
    struct store_identity identity = *one;
    time_t now = time(NULL);
    struct tm utc;
    memset(identity.created, 0, sizeof identity.created);
    strftime(identity.created, sizeof identity.created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    memset(identity.plan_hash, 0, sizeof identity.plan_hash);
    memcpy(identity.plan_hash, "merged", sizeof "merged");
    if (strcmp(one->name, other->name) != 0)
        snprintf(identity.name, sizeof identity.name, "%.30s + %.30s", one->name, other->name);
    return identity;
}

static int lay_out(struct unite *unite, struct store *one, struct store *other, struct error *err)
{
    unite->layout.identity = identity_of(store_identity(one), store_identity(other));
    if (unite_add_source(unite, one, err) != 0 || unite_add_source(unite, other, err) != 0 ||
        unite_grids(unite, err) != 0 || unite_rows(unite, err) != 0)
        return -1;
    return unite_slots(unite, err);
}

int work_merge(struct store *one, struct store *other, const char *path, struct error *err)
{
    struct unite unite = {0};
    const struct store_filling filling = {.fill = unite_fill, .user = &unite};
    if (check_alike(store_identity(one), store_identity(other), err) != 0)
        return -1;
    int status = lay_out(&unite, one, other, err);
    if (status == 0)
        status = store_create_filled(path, &unite.layout, &filling, err);
    unite_finish(&unite);
    return status;
}

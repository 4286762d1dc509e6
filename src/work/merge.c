/* Merging: several stores become one. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
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

/* Without a plan it is made for none: whichever grid is run on it makes it its own. */
static struct store_identity identity_of(struct store *const *stores, int count,
                                         const struct plan *plan)
{
    struct store_identity identity = *store_identity(stores[0]);
    const char *last = store_identity(stores[count - 1])->name;
    time_t now = time(NULL);
    struct tm utc;
    memset(identity.created, 0, sizeof identity.created);
    strftime(identity.created, sizeof identity.created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    memset(identity.plan_hash, 0, sizeof identity.plan_hash);
    text_copy(identity.plan_hash, sizeof identity.plan_hash, plan != NULL ? plan->hash : "merged");
    if (plan != NULL)
        text_copy(identity.name, sizeof identity.name, plan->grid->name);
    else if (strcmp(identity.name, last) != 0)
        snprintf(identity.name, sizeof identity.name, "%.30s + %.30s",
                 store_identity(stores[0])->name, last);
    return identity;
}

int work_merge(struct store *const *stores, int count, const struct plan *plan, const char *path,
               struct error *err)
{
    struct unite unite = {0};
    const struct store_filling filling = {.fill = unite_fill, .user = &unite};
    for (int i = 1; i < count; i++)
        if (check_alike(store_identity(stores[0]), store_identity(stores[i]), err) != 0)
            return -1;
    struct store_identity identity = identity_of(stores, count, plan);
    int status = unite_lay_out(&unite, plan, &identity, stores, count, err);
    if (status == 0)
        status = store_create_filled(path, &unite.layout, &filling, err);
    unite_finish(&unite);
    return status;
}

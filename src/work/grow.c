/* Growing: the store of an earlier grid becomes that of a plan. The plan's rows come first, as a
 * store made for it would have them; what the plan lacks follows as orphans. */
#include <string.h>

#include "base/text.h"
#include "unite.h"

/* It goes on being the store that was begun then, with what fixes rounding. */
static struct store_identity identity_of(const struct plan *plan, const struct store *store)
{
    struct store_identity identity = *store_identity(store);
    text_copy(identity.name, sizeof identity.name, plan->grid->name);
    text_copy(identity.plan_hash, sizeof identity.plan_hash, plan->hash);
    return identity;
}

static int lay_out(struct unite *unite, const struct plan *plan, struct store *store,
                   struct error *err)
{
    struct store_identity identity = identity_of(plan, store);
    return unite_lay_out(unite, plan, &identity, &store, 1, err);
}

static void count(const struct unite *unite, struct work_growth *growth)
{
    *growth = (struct work_growth){
        .orphans = unite->layout.tasks.row_count - unite->planned,
        .bytes = store_layout_bytes(&unite->layout),
    };
    for (int64_t row = 0; row < unite->planned; row++) {
        growth->fresh += unite->rows[row].from[0] < 0;
        growth->kept += unite->rows[row].from[0] >= 0;
        growth->again += unite->rows[row].lacks;
    }
}

static enum store_status status_of(const struct unite *unite, const struct plan *plan, int32_t task,
                                   const enum store_status *statuses)
{
    int32_t parent = plan->tasks[task].parent;
    enum store_status above = parent < 0 ? STORE_DONE : statuses[parent];
    if (unite->rows[task].lacks || unite_chosen(unite, task) < 0)
        return STORE_PENDING;
    int32_t status = unite->sources[0].results[unite->rows[task].from[0]].status;
    if (status == STORE_SKIPPED && above != STORE_DIVERGED && above != STORE_SKIPPED)
        return STORE_PENDING;
    return (enum store_status)status;
}

int work_foresee_growth(const struct plan *plan, struct store *store, enum store_status *statuses,
                        struct work_growth *growth, struct error *err)
{
    struct unite unite = {0};
    int status = lay_out(&unite, plan, store, err);
    if (status == 0) {
        count(&unite, growth);
        for (int32_t i = 0; i < plan->task_count; i++)
            statuses[i] = status_of(&unite, plan, i, statuses);
    }
    unite_finish(&unite);
    return status;
}

int work_grow(const struct plan *plan, struct store *store, const char *path,
              const struct work_hooks *hooks, struct work_growth *growth, struct error *err)
{
    struct unite unite = {.hooks = hooks};
    const struct store_filling filling = {.fill = unite_fill, .user = &unite, .replaces = true};
    int status = lay_out(&unite, plan, store, err);
    if (status == 0) {
        count(&unite, growth);
        status = store_create_filled(path, &unite.layout, &filling, err);
    }
    unite_finish(&unite);
    return status;
}

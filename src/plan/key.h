/* The canonical text of a task and of its parts. Frozen: see key.c. */
#ifndef PLAN_KEY_H
#define PLAN_KEY_H

#include "plan/plan.h"

void key_add_network(const struct plan_network *network, struct text *text);
void key_add_dataset(const struct plan_dataset *dataset, struct text *text);
void key_add_training(const struct plan_training *training, struct text *text);
void key_add_pruning(const struct plan_pruning *pruning, struct text *text);

/* The texts of a task's parts, made by the functions above. `pruning` is NULL at level 0. */
struct key_parts {
    const struct text *network, *dataset, *training, *pruning;
};

/* The whole text. `tasks` holds the parent's key. */
void key_add_task(const struct plan_task *tasks, const struct plan_task *task,
                  struct key_parts parts, struct text *text);

#endif

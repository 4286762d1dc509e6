/* Costs in floating-point operations. Estimates: they order the work and are told to the user; no
 * result depends on them. */
#include <math.h>

#include "builder.h"
#include "nn/network.h"

#define SCORED_MARKS 4 /* the first `at` marks are scored on all three parts */

static bool is_multiple(int64_t iteration, int64_t every)
{
    return iteration % every == 0;
}

/* The start, multiples of `every`, the `at` marks and T, each counted once. */
int64_t cost_evaluations(const struct plan_training *training, int64_t start)
{
    int64_t every = training->evaluate_every, last = training->iterations;
    int64_t count = last / every - (start + every - 1) / every + 1;
    count += !is_multiple(start, every);
    count += last != start && !is_multiple(last, every);
    for (int32_t i = 0; i < training->at_count; i++) {
        int64_t at = training->at[i];
        count += at > start && at < last && !is_multiple(at, every);
    }
    return count;
}

static int64_t scored_marks(const struct plan_training *training, int64_t start)
{
    int64_t marks = 0;
    for (int32_t i = 0; i < training->at_count && i < SCORED_MARKS; i++)
        marks += training->at[i] >= start;
    return marks;
}

/* Sets cost and end_cost. */
static void assign(const struct plan *plan, struct plan_task *task, double density)
{
    const struct net_spec *spec = &plan->networks[task->network].spec;
    const struct dataset_info *data = &plan->datasets[task->dataset].info;
    const struct plan_training *training = &plan->trainings[task->training];
    int64_t start = task->start_iteration;
    double step = net_spec_step_operations(spec, training->batch, density);
    int64_t examples = data->validation + (task->test_curve ? data->test : 0);
    /* Early stop, the end and the marks are scored on the whole of the other parts too. */
    int64_t others = data->train + (task->test_curve ? 0 : data->test);
    double point = net_spec_evaluation_operations(spec, examples, density);
    double score = net_spec_evaluation_operations(spec, others, density);
    task->end_cost = score * (double)(2 + scored_marks(training, start));
    task->cost = step * (double)(training->iterations - start) +
                 point * (double)cost_evaluations(training, start) + task->end_cost;
}

void cost_assign(struct builder *builder)
{
    struct plan *plan = builder->plan;
    for (int32_t i = 0; i < plan->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        assign(plan, task, builder->wants[i].density);
        plan->cost += task->cost;
    }
    plan->unshared_tasks = plan->point_count;
    for (int32_t i = 0; i < plan->point_count; i++)
        plan->unshared_cost += plan->tasks[plan->points[i].task].cost;
}

double plan_end_iteration(const struct plan *plan, const struct plan_task *task)
{
    double last = (double)plan->trainings[task->training].iterations;
    double before = task->cost - task->end_cost;
    return last + (last - (double)task->start_iteration) * task->end_cost / before;
}

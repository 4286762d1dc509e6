/* Evaluation of whole parts, a batch at a time. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state.h"

struct evaluator {
    struct network *net;
    const struct dataset *dataset;
    int32_t batch;
    uint8_t *labels; /* [batch] */
    void (*pulse)(void *user);
    void *pulse_user;
};

struct evaluator *evaluator_create(struct network *net, const struct dataset *dataset,
                                   int32_t batch, struct error *err)
{
    struct evaluator *evaluator = mem_zeroed(1, sizeof *evaluator, err);
    if (!evaluator)
        return NULL;
    *evaluator = (struct evaluator){
        .net = net,
        .dataset = dataset,
        .batch = batch,
        .labels = mem_zeroed((size_t)batch, sizeof *evaluator->labels, err),
    };
    if (evaluator->labels)
        return evaluator;
    evaluator_destroy(evaluator);
    return NULL;
}

void evaluator_destroy(struct evaluator *evaluator)
{
    if (!evaluator)
        return;
    free(evaluator->labels);
    free(evaluator);
}

void evaluator_set_pulse(struct evaluator *evaluator, void (*pulse)(void *user), void *user)
{
    evaluator->pulse = pulse;
    evaluator->pulse_user = user;
}

static void add_batch(struct evaluator *evaluator, enum dataset_part part, int64_t first,
                      int32_t examples, struct net_score *sum)
{
    struct net_batch batch = {.inputs = net_evaluate_input(evaluator->net),
                              .labels = evaluator->labels,
                              .examples = examples,
                              .columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES};
    batch_assemble_part(evaluator->dataset, part, first, examples, batch.columns,
                        net_evaluate_input(evaluator->net), evaluator->labels);
    net_evaluate(evaluator->net, &batch, sum);
    if (evaluator->pulse)
        evaluator->pulse(evaluator->pulse_user);
}

struct train_score evaluator_score(struct evaluator *evaluator, enum dataset_part part)
{
    struct net_score sum = {0};
    int64_t count = dataset_part_count(evaluator->dataset, part);
    for (int64_t first = 0; first < count; first += evaluator->batch) {
        int64_t left = count - first;
        int32_t examples = left < evaluator->batch ? (int32_t)left : evaluator->batch;
        add_batch(evaluator, part, first, examples, &sum);
    }
    if (count == 0)
        return (struct train_score){NAN, NAN};
    return (struct train_score){sum.loss_sum / (double)count, (double)sum.correct / (double)count};
}

int train_evaluate(struct network *net, const struct dataset *dataset, enum dataset_part part,
                   int32_t batch, struct train_score *score, struct error *err)
{
    struct evaluator *evaluator = evaluator_create(net, dataset, batch, err);
    if (!evaluator)
        return -1;
    *score = evaluator_score(evaluator, part);
    evaluator_destroy(evaluator);
    return 0;
}

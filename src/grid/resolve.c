/* Owns the rules between fields that need nothing but the grid. Where two fields contradict each
 * other and one was set at a later layer (a block over the file, an axis over both), the later one
 * is meant; set at the same layer they are an error. */
#include "resolve.h"

#include "grid/fields.h"
#include "value.h"

/* The number of the field that is this member. */
static int number_of(size_t offset)
{
    for (int i = 0; i < field_count(); i++)
        if (field_at(i)->offset == offset)
            return i;
    return -1;
}
#define FIELD(member) number_of(offsetof(struct experiment_fields, member))

static bool is_later(const struct layers *layers, int field, int than)
{
    return layers->origin[field] > layers->origin[than];
}

static int fail(const struct reader *reader, const struct layers *layers, int field,
                const char *what)
{
    return reader_fail(reader, layers->marks[field], field_at(field)->path, "%s", what);
}

static int resolve_fractions(const struct reader *reader, struct layers *layers)
{
    struct experiment_fields *fields = &layers->fields;
    int fractions = FIELD(prune.fractions), schedule = FIELD(prune.schedule);
    int rounds = FIELD(prune.rounds);
    if (fields->prune.fractions.count == 0)
        return 0;
    if (fields->prune.schedule != FIELD_ONE_SHOT) {
        if (!is_later(layers, schedule, fractions))
            return fail(reader, layers, fractions,
                        "belongs to one-shot pruning; add schedule: one-shot");
        fields->prune.fractions = (struct real_list){0};
        return 0;
    }
    if (!is_later(layers, fractions, rounds) &&
        fields->prune.rounds != fields->prune.fractions.count)
        return reader_fail(reader, layers->marks[rounds], "prune.rounds",
                           "is %lld, and prune.fractions has %d; leave rounds out",
                           (long long)fields->prune.rounds, fields->prune.fractions.count);
    fields->prune.rounds = fields->prune.fractions.count;
    return 0;
}

/* The rate whose mark is best for "nothing is pruned": one that the user set, if any. */
static int marked_rate(const struct layers *layers)
{
    const int rates[] = {FIELD(prune.rate.fc), FIELD(prune.rate.conv), FIELD(prune.rate.output)};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (layers->marks[rates[i]].line > 0)
            return rates[i];
    return FIELD(prune.rounds);
}

static int check_rates(const struct reader *reader, const struct layers *layers)
{
    const struct experiment_fields *fields = &layers->fields;
    bool some =
        fields->prune.rate.conv > 0 || fields->prune.rate.fc > 0 || fields->prune.rate.output > 0;
    if (some || fields->prune.rounds == 0)
        return 0;
    int field = marked_rate(layers);
    return reader_fail(reader, layers->marks[field], "prune.rate",
                       "all rates are 0, so nothing is pruned; give a rate above 0, or rounds: 0");
}

static int check_drops(const struct reader *reader, const struct layers *layers)
{
    const struct experiment_fields *fields = &layers->fields;
    int drops = FIELD(train.schedule.drops), name = FIELD(train.schedule.name);
    if (fields->train.schedule.name == FIELD_DECAY_STEP)
        return fields->train.schedule.drops.count > 0
                   ? 0
                   : fail(reader, layers, name, "step without drops; add drops: [...]");
    if (fields->train.schedule.drops.count > 0 && !is_later(layers, name, drops))
        return fail(reader, layers, drops, "belongs to the schedule step; add name: step");
    return 0;
}

static int resolve_sigma(const struct reader *reader, struct layers *layers)
{
    struct experiment_fields *fields = &layers->fields;
    int sigma = FIELD(init.sigma), name = FIELD(init.name);
    if (fields->init.name == FIELD_INIT_NORMAL)
        return fields->init.sigma > 0
                   ? 0
                   : fail(reader, layers, name, "normal without its deviation; add sigma: 0.05");
    if (fields->init.sigma > 0 && !is_later(layers, name, sigma))
        return fail(reader, layers, sigma,
                    "belongs to the initialisation normal; add name: normal");
    fields->init.sigma = 0;
    return 0;
}

int layers_resolve(const struct reader *reader, struct layers *layers)
{
    struct experiment_fields *fields = &layers->fields;
    if (fields->prune.rate.output == VALUE_HALF)
        fields->prune.rate.output = fields->prune.rate.fc / 2;
    if (resolve_fractions(reader, layers) != 0 || resolve_sigma(reader, layers) != 0 ||
        check_rates(reader, layers) != 0)
        return -1;
    return check_drops(reader, layers);
}

/* What a plan looks like as a store: columns by name, values as readers expect them. */
#include "work_support.h"

static int64_t integer(const struct store_table *table, int64_t row, const char *column)
{
    int index = store_table_column(table, column);
    if (index < 0)
        fail_msg("there is no column %s", column);
    return store_table_integer(table, row, index);
}

static double real(const struct store_table *table, int64_t row, const char *column)
{
    int index = store_table_column(table, column);
    if (index < 0)
        fail_msg("there is no column %s", column);
    return store_table_real(table, row, index);
}

static void assert_text(const struct store_table *table, int64_t row, const char *column,
                        const char *expected)
{
    char text[256];
    int index = store_table_column(table, column);
    if (index < 0)
        fail_msg("there is no column %s", column);
    assert_string_equal(store_table_text(table, row, index, text, sizeof text), expected);
}

static void lay_out(const char *grid, struct plan **plan, struct store_layout *layout)
{
    struct error err = {0};
    struct store_identity identity = {.name = "x"};
    *plan = plan_of(grid);
    bench_check(work_layout_create(*plan, &identity, layout, &err) != 0, &err);
}

static void drop(struct plan *plan, struct store_layout *layout)
{
    work_layout_finish(layout);
    plan_drop(plan);
}

static void every_field_is_a_column(void **state)
{
    struct plan *plan;
    struct store_layout layout;
    (void)state;
    lay_out(WORK_GRID "axes: {seed: 3..4}\n", &plan, &layout);
    const struct store_table *table = &layout.experiments;
    assert_int_equal(table->row_count, 2);
    assert_int_equal(table->column_count, field_count() + 1); /* and orphan */
    assert_text(table, 0, "architecture", "lenet-12-8");
    assert_text(table, 0, "dataset.name", "digits");
    assert_int_equal(integer(table, 0, "dataset.train"), 300);
    /* 240 examples in batches of 20 are an epoch of 12. */
    assert_int_equal(integer(table, 0, "train.iterations"), 24);
    assert_int_equal(integer(table, 0, "rewind.to"), 5);
    assert_text(table, 0, "train.optimizer.name", "adam");
    assert_text(table, 0, "train.evaluate.at", "[10]");
    assert_true(real(table, 0, "train.dropout") == 0.1);
    assert_true(real(table, 0, "prune.rate.output") == real(table, 0, "prune.rate.fc") / 2);
    assert_int_equal(integer(table, 0, "prune.at"), -1);
    assert_int_equal(integer(table, 0, "seed.init"), 3);
    assert_int_equal(integer(table, 1, "seed.init"), 4);
    drop(plan, &layout);
}

/* Measured without rows, as a million tasks want it, and with them. */
static void its_size_is_known_before_its_rows(void **state)
{
    struct plan *plan;
    struct store_layout layout;
    struct error err = {0};
    int64_t bytes = 0;
    (void)state;
    lay_out(WORK_GRID "axes: {seed: 3..4}\n", &plan, &layout);
    bench_check(work_store_bytes(plan, &bytes, &err) != 0, &err);
    assert_true(bytes > 0);
    assert_int_equal(bytes, store_layout_bytes(&layout));
    drop(plan, &layout);
}

static void points_name_their_tasks(void **state)
{
    struct plan *plan;
    struct store_layout layout;
    (void)state;
    lay_out(WORK_GRID, &plan, &layout);
    const struct store_table *table = &layout.points;
    assert_int_equal(table->row_count, 9);
    assert_text(table, 0, "control", "ticket");
    assert_int_equal(integer(table, 0, "control_index"), -1);
    for (int64_t row = 0; row < table->row_count; row++) {
        assert_int_equal(integer(table, row, "experiment"), 0);
        assert_int_equal(integer(table, row, "dense_task"), integer(table, 0, "task"));
        assert_int_equal(integer(table, row, "task"), plan->points[row].task);
        assert_int_equal(integer(table, row, "level"), plan->points[row].level);
        assert_int_equal(integer(table, row, "draw"), plan->points[row].draw);
    }
    drop(plan, &layout);
}

static void a_task_says_what_its_key_holds(void **state)
{
    struct plan *plan;
    struct store_layout layout;
    char key[HASH_HEX_SIZE];
    (void)state;
    lay_out(WORK_GRID, &plan, &layout);
    const struct store_table *table = &layout.tasks;
    int32_t dense = task_at(plan, 0, 0, CONTROL_NONE, 0);
    int32_t ticket = task_at(plan, 0, 1, CONTROL_NONE, 0);
    int32_t reinit = task_at(plan, 0, 1, CONTROL_REINIT, 1);
    assert_int_equal(table->row_count, plan->task_count);
    hash128_hex(plan->tasks[ticket].key, key);
    assert_text(table, ticket, "key", key);
    assert_int_equal(integer(table, dense, "parent"), -1);
    assert_int_equal(integer(table, ticket, "parent"), dense);
    assert_int_equal(integer(table, ticket, "root"), dense);
    assert_text(table, dense, "criterion", "");
    assert_text(table, dense, "prune_at", "");
    assert_true(isnan(real(table, dense, "rate_fc")));
    assert_text(table, ticket, "criterion", "magnitude");
    assert_text(table, ticket, "prune_at", "end");
    assert_int_equal(integer(table, ticket, "rounds"), 1);
    assert_text(table, dense, "start", "init");
    assert_text(table, ticket, "start", "rewind");
    assert_int_equal(integer(table, ticket, "start_iteration"), 5);
    assert_int_equal(integer(table, ticket, "iterations"), 24);
    assert_text(table, reinit, "start", "init");
    assert_text(table, reinit, "control", "reinit");
    assert_int_equal(integer(table, reinit, "draw"), 1);
    assert_text(table, ticket, "optimizer", "adam");
    assert_true(isnan(real(table, ticket, "momentum")));
    assert_int_equal(integer(table, ticket, "train_examples"), 240);
    assert_int_equal(integer(table, ticket, "mask_slot"), plan->tasks[ticket].mask_slot);
    assert_int_equal(integer(table, dense, "mask_slot"), -1);
    assert_int_equal(integer(table, ticket, "writes_final"), 1);
    drop(plan, &layout);
}

static void networks_keep_what_somebody_wants(void **state)
{
    struct plan *plan;
    struct store_layout layout;
    (void)state;
    lay_out(WORK_GRID, &plan, &layout);
    assert_int_equal(layout.network_count, 1);
    const struct store_network *network = &layout.networks[0];
    const char *const whens[] = {"init", "rewind-5", "early-stop", "final"};
    assert_int_equal(network->when_count, 4);
    for (int32_t i = 0; i < network->when_count; i++)
        assert_string_equal(network->whens[i].name, whens[i]);
    assert_int_equal(network->whens[1].slots, 1); /* a lineage has one */
    assert_int_equal(network->whens[3].slots, 9);
    assert_int_equal(network->mask_slots, 8);
    assert_int_equal(network->parameter_count, 6);
    assert_string_equal(network->parameters[0].name, "fc1.weight");
    assert_string_equal(network->parameters[0].kind, "fc");
    assert_string_equal(network->parameters[4].kind, "output");
    assert_string_equal(network->parameters[5].kind, "bias");
    assert_true(network->parameters[4].prunable && !network->parameters[5].prunable);
    drop(plan, &layout);

    lay_out(SMALL "snapshots: []\n", &plan, &layout);
    for (int32_t i = 0; i < layout.networks[0].when_count; i++)
        assert_string_not_equal(layout.networks[0].whens[i].name, "early-stop");
    drop(plan, &layout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_a_column),
        cmocka_unit_test(its_size_is_known_before_its_rows),
        cmocka_unit_test(points_name_their_tasks),
        cmocka_unit_test(a_task_says_what_its_key_holds),
        cmocka_unit_test(networks_keep_what_somebody_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

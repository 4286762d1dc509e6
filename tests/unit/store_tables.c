/* Tables that take rows of others, and results that are compared. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/store.h"

struct old_row {
    char name[4];
    int32_t task;
    float rate;
} __attribute__((packed));

struct new_row {
    int64_t task;
    char name[6];
    double rate;
    int8_t orphan;
} __attribute__((packed));

static struct store_column old_columns[] = {
    {"name", STORE_TEXT, 4, offsetof(struct old_row, name)},
    {"task", STORE_INT32, 4, offsetof(struct old_row, task)},
    {"rate", STORE_FLOAT32, 4, offsetof(struct old_row, rate)},
};
static struct store_column new_columns[] = {
    {"task", STORE_INT64, 8, offsetof(struct new_row, task)},
    {"name", STORE_TEXT, 6, offsetof(struct new_row, name)},
    {"rate", STORE_FLOAT64, 8, offsetof(struct new_row, rate)},
    {"orphan", STORE_INT8, 1, offsetof(struct new_row, orphan)},
};

static struct old_row old_rows[] = {{"abcd", 7, 0.5f}, {"e", -1, NAN}};
static struct new_row new_rows[] = {{1LL << 40, "fghijk", 0.1, 0}, {2, "l", 0.2, 1}};

static const struct store_table old = {.columns = old_columns,
                                       .column_count = 3,
                                       .row_size = sizeof(struct old_row),
                                       .row_count = 2,
                                       .rows = old_rows};
static const struct store_table recent = {.columns = new_columns,
                                          .column_count = 4,
                                          .row_size = sizeof(struct new_row),
                                          .row_count = 2,
                                          .rows = new_rows};

static int64_t integer(const struct store_table *table, int64_t row, const char *column)
{
    return store_table_integer(table, row, store_table_column(table, column));
}

static double real(const struct store_table *table, int64_t row, const char *column)
{
    return store_table_real(table, row, store_table_column(table, column));
}

static void assert_name(const struct store_table *table, int64_t row, const char *expected)
{
    char text[16];
    assert_string_equal(
        store_table_text(table, row, store_table_column(table, "name"), text, sizeof text),
        expected);
}

/* The narrow table first: its texts widen, its integers keep their type. */
static void rows_of_both(void **state)
{
    (void)state;
    struct store_table table = {0};
    assert_int_equal(store_table_extend(&table, &recent, 4, NULL), 0);
    assert_int_equal(store_table_append(&table, &recent, 0), 0);
    assert_int_equal(store_table_extend(&table, &old, 4, NULL), 0);
    assert_int_equal(table.column_count, 4);
    assert_int_equal(store_table_append(&table, &old, 0), 1);
    assert_int_equal(store_table_append(&table, &old, 1), 2);
    assert_int_equal(store_table_append(&table, &recent, 1), 3);
    assert_true(integer(&table, 0, "task") == 1LL << 40);
    assert_name(&table, 0, "fghijk");
    assert_true(real(&table, 0, "rate") == 0.1);
    assert_int_equal(integer(&table, 1, "task"), 7);
    assert_name(&table, 1, "abcd");
    assert_true(real(&table, 1, "rate") == 0.5);
    assert_int_equal(integer(&table, 1, "orphan"), -1); /* missing */
    assert_int_equal(integer(&table, 2, "task"), -1);
    assert_true(isnan(real(&table, 2, "rate")));
    assert_name(&table, 2, "e");
    assert_int_equal(store_table_live_rows(&table), 3);
    store_table_finish(&table);
}

static void texts_widen_where_they_are(void **state)
{
    (void)state;
    struct store_table table = {0};
    assert_int_equal(store_table_extend(&table, &old, 3, NULL), 0);
    store_table_append(&table, &old, 0);
    assert_int_equal(store_table_extend(&table, &recent, 3, NULL), 0);
    store_table_append(&table, &recent, 0);
    assert_name(&table, 0, "abcd");
    assert_name(&table, 1, "fghijk");
    assert_int_equal(integer(&table, 0, "orphan"), -1);
    assert_int_equal(integer(&table, 1, "orphan"), 0);
    store_table_set_integer(&table, 0, store_table_column(&table, "task"), -5);
    store_table_set_integer(&table, 1, store_table_column(&table, "rate"), 3);
    store_table_set_integer(&table, 1, -1, 3);
    assert_int_equal(integer(&table, 0, "task"), -5);
    assert_true(real(&table, 1, "rate") == 3);
    assert_int_equal(store_table_live_rows(&table), 2);
    assert_int_equal(store_table_live_rows(&old), 2); /* from before there were orphans */
    store_table_finish(&table);
}

static struct store_result finished(void)
{
    struct store_result row = store_result_pending();
    row.status = STORE_DONE;
    row.sparse_layers = 3;
    row.weights_remaining = 100;
    row.percent_remaining = 50;
    row.early_stop_iteration = 20;
    row.scores[0][0].loss = 0.25;
    row.scores[2][1].accuracy = 0.75;
    return row;
}

static void results_agree_up_to_what_is_missing(void **state)
{
    (void)state;
    struct store_result a = finished(), b = finished(), pending = store_result_pending();
    b.status = STORE_PENDING; /* to be run again */
    b.seconds = 7;
    b.scores[2][1].accuracy = NAN;
    b.scores[1][0].loss = 1;
    assert_true(store_results_agree(&a, &b));
    assert_true(store_results_agree(&a, &pending));
    assert_true(store_results_agree(&pending, &a));
    b.scores[2][1].accuracy = 0.75000001;
    assert_false(store_results_agree(&a, &b));
    b = finished();
    b.weights_remaining++;
    assert_false(store_results_agree(&a, &b));
    b = finished();
    b.early_stop_iteration = 10;
    assert_false(store_results_agree(&a, &b));
    b = finished();
    b.sparse_layers = 1;
    assert_false(store_results_agree(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_both),
        cmocka_unit_test(texts_widen_where_they_are),
        cmocka_unit_test(results_agree_up_to_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

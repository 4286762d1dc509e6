/* Everything that goes into a store comes out again, bit for bit, and stands in the file as the
 * README says. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "store_sample.h"

struct fixture {
    char folder[64], path[128];
    struct store_layout layout;
    struct store_table tasks;
    struct store *store;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct error err = {0};
    memset(&fixture, 0, sizeof fixture);
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/sample.h5", fixture.folder);
    fixture.layout = sample_layout();
    if (store_create(fixture.path, &fixture.layout, &err) != 0)
        fail_msg("%s", err.text);
    fixture.store = store_open(fixture.path, STORE_WRITE, NULL, &err);
    if (fixture.store == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(store_read_table(fixture.store, "tasks", &fixture.tasks, &err), 0);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    store_table_finish(&fixture->tasks);
    store_close(fixture->store);
    sample_layout_finish(&fixture->layout);
    unlink(fixture->path);
    return rmdir(fixture->folder); /* fails when anything else was left behind */
}

static void reopen(struct fixture *fixture, enum store_mode mode)
{
    struct error err = {0};
    store_close(fixture->store);
    fixture->store = store_open(fixture->path, mode, NULL, &err);
    if (fixture->store == NULL)
        fail_msg("%s", err.text);
}

static void run_task(struct fixture *fixture, int64_t task)
{
    struct error err = {0};
    if (sample_run_task(fixture->store, &fixture->tasks, task, &err) != 0)
        fail_msg("%s", err.text);
}

/* --- what is there from the start --- */

static void test_size_is_predicted(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(store_layout_bytes(&fixture->layout), status.st_size);
    assert_true(status.st_blocks * 512 >= status.st_size); /* reserved, not sparse */
}

static void test_identity_and_grid(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture, STORE_READ);
    const struct store_identity *identity = store_identity(fixture->store);
    assert_memory_equal(identity, &fixture->layout.identity, sizeof *identity);
    char *text;
    size_t length;
    assert_int_equal(store_read_grid(fixture->store, &text, &length, NULL), 0);
    assert_int_equal(length, sizeof sample_grid - 1);
    assert_string_equal(text, sample_grid);
    free(text);
}

static void test_networks_keep_their_order(void **state)
{
    struct fixture *fixture = *state;
    for (int32_t n = 0; n < 2; n++) {
        const struct store_network *from = &fixture->layout.networks[n];
        const struct store_network *to = store_network(fixture->store, n);
        assert_string_equal(to->name, from->name);
        assert_int_equal(to->block_size, from->block_size);
        assert_int_equal(to->mask_slots, from->mask_slots);
        assert_int_equal(to->when_count, from->when_count);
        for (int32_t w = 0; w < from->when_count; w++) {
            assert_string_equal(to->whens[w].name, from->whens[w].name);
            assert_int_equal(to->whens[w].slots, from->whens[w].slots);
        }
        assert_int_equal(to->parameter_count, from->parameter_count);
        for (int32_t p = 0; p < from->parameter_count; p++) {
            const struct store_parameter *a = &to->parameters[p], *b = &from->parameters[p];
            assert_string_equal(a->name, b->name);
            assert_string_equal(a->kind, b->kind);
            assert_int_equal(a->rank, b->rank);
            assert_int_equal(a->count, b->count);
            assert_int_equal(a->offset, b->offset);
            assert_int_equal(a->prunable, b->prunable);
            for (int32_t d = 0; d < 4; d++)
                assert_int_equal(a->dims[d], d < b->rank ? b->dims[d] : -1);
        }
    }
}

static void test_tables(void **state)
{
    struct fixture *fixture = *state;
    struct store_table table;
    char text[32];
    assert_int_equal(store_read_table(fixture->store, "experiments", &table, NULL), 0);
    assert_int_equal(table.row_count, 2);
    assert_int_equal(table.column_count, 4);
    assert_string_equal(
        store_table_text(&table, 1, store_table_column(&table, "name"), text, sizeof text),
        "wide \xc3\xa4");
    assert_string_equal(store_table_text(&table, 1, 0, text, 4), "wid");
    assert_int_equal(store_table_integer(&table, 1, store_table_column(&table, "batch")), 128);
    assert_true(store_table_real(&table, 0, store_table_column(&table, "learning_rate")) ==
                (double)1.2e-3f);
    assert_true(isnan(store_table_real(&table, 1, store_table_column(&table, "factor"))));
    assert_int_equal(store_table_column(&table, "colour"), -1);
    assert_int_equal(store_table_integer(&table, 0, -1), -1);
    assert_true(isnan(store_table_real(&table, 2, 1)));
    store_table_finish(&table);
    assert_int_equal(fixture->tasks.row_count, SAMPLE_TASKS);
    assert_int_equal(store_table_integer(&fixture->tasks, 1,
                                         store_table_column(&fixture->tasks, "curve_offset")),
                     4);
    assert_int_equal(
        store_table_integer(&fixture->tasks, 0, store_table_column(&fixture->tasks, "parent")), -1);
}

static void test_a_new_store_is_pending(void **state)
{
    struct fixture *fixture = *state;
    struct store_result results[SAMPLE_TASKS], pending = store_result_pending();
    uint8_t attempts[SAMPLE_TASKS];
    assert_int_equal(store_read_results(fixture->store, 0, SAMPLE_TASKS, results, NULL), 0);
    assert_int_equal(store_read_attempts(fixture->store, SAMPLE_TASKS, attempts, NULL), 0);
    for (int i = 0; i < SAMPLE_TASKS; i++) {
        assert_memory_equal(&results[i], &pending, sizeof pending);
        assert_int_equal(attempts[i], 0);
    }
    assert_string_equal(store_status_name((enum store_status)results[0].status), "pending");
}

/* --- payloads --- */

static void check_weights(struct store *store, int32_t network, const char *when_name, int64_t slot,
                          int64_t task)
{
    const struct store_network *of = store_network(store, network);
    float block[64];
    int32_t when = 0;
    while (strcmp(of->whens[when].name, when_name) != 0)
        when++;
    assert_int_equal(store_read_weights(store, network, when, slot, block, NULL), 0);
    for (int32_t p = 0; p < of->parameter_count; p++)
        for (int64_t e = of->parameters[p].offset;
             e < of->parameters[p].offset + of->parameters[p].count; e++)
            assert_true(block[e] == sample_weight(task, when, e));
}

static void check_mask(struct store *store, int32_t network, int64_t slot, int64_t task)
{
    const struct store_network *of = store_network(store, network);
    uint8_t mask[64], expected[64];
    assert_int_equal(store_read_mask(store, network, slot, mask, NULL), 0);
    memset(expected, 1, sizeof expected); /* what is not prunable is kept, gaps too */
    for (int32_t p = 0; p < of->parameter_count; p++)
        for (int64_t e = 0; e < of->parameters[p].count && of->parameters[p].prunable; e++)
            expected[of->parameters[p].offset + e] =
                sample_mask_bit(task, of->parameters[p].offset + e);
    assert_memory_equal(mask, expected, (size_t)of->block_size);
}

static void test_payloads(void **state)
{
    struct fixture *fixture = *state;
    for (int64_t task = 0; task < SAMPLE_TASKS; task++)
        run_task(fixture, task);
    reopen(fixture, STORE_READ);
    check_weights(fixture->store, 0, "init", 0, 0);
    check_weights(fixture->store, 0, "init", 1, 2);
    check_weights(fixture->store, 0, "rewind-5", 0, 0);
    check_weights(fixture->store, 0, "rewind-10", 0, 0);
    check_weights(fixture->store, 0, "early-stop", 2, 2);
    check_weights(fixture->store, 0, "final", 1, 1);
    check_weights(fixture->store, 1, "init", 0, 3);
    check_weights(fixture->store, 1, "at-3", 0, 3);
    check_weights(fixture->store, 1, "at-3", 1, 4);
    check_weights(fixture->store, 1, "final", 0, 3);
    check_mask(fixture->store, 0, 0, 1);
    check_mask(fixture->store, 0, 1, 2);
    check_mask(fixture->store, 1, 0, 4);
    for (int64_t task = 0; task < SAMPLE_TASKS; task++) {
        struct store_curve_point curve[SAMPLE_CURVE];
        assert_int_equal(
            store_read_curve(fixture->store, task * SAMPLE_CURVE, SAMPLE_CURVE, curve, NULL), 0);
        for (int32_t i = 0; i < SAMPLE_CURVE; i++) {
            struct store_curve_point expected = sample_curve_point(task, i);
            assert_memory_equal(&curve[i], &expected, sizeof expected);
        }
    }
}

static void test_what_is_missing_is_nan(void **state)
{
    struct fixture *fixture = *state;
    struct sample_payload made;
    uint64_t written, read;
    float block[64];
    assert_int_equal(sample_payload_make(fixture->store, &fixture->tasks, 1, &made, NULL), 0);
    assert_int_equal(made.payload.weights_count, 2);
    made.payload.weights[1].block = NULL; /* final: the task diverged */
    assert_int_equal(store_write_payload(fixture->store, &made.payload, &written, NULL), 0);
    assert_int_equal(store_read_digest(fixture->store, &made.payload, &read, NULL), 0);
    assert_true(written == read);
    check_weights(fixture->store, 0, "early-stop", 1, 1);
    assert_int_equal(store_read_weights(fixture->store, 0, 4, 1, block, NULL), 0);
    assert_true(isnan(block[0]) && isnan(block[25]));
    assert_true(block[31] == 0.0f); /* a gap */
    sample_payload_free(&made);
}

static bool page_starts_with(const char *file, size_t length, const unsigned char *bytes,
                             size_t count)
{
    for (size_t page = 0; page + count <= length; page += 4096)
        if (memcmp(file + page, bytes, count) == 0)
            return true;
    return false;
}

/* numpy.unpackbits: the first element is the highest bit. Worked out by hand. Slot 0 of a dataset
 * starts a page. */
static void test_bit_order(void **state)
{
    struct fixture *fixture = *state;
    static const char fc1[] = "110000100000001", fc2[] = "011101";
    static const unsigned char packed_fc1[] = {0xC2, 0x02}, packed_fc2[] = {0x74, 0x00};
    uint8_t mask[32] = {0};
    for (size_t i = 0; i < 15; i++)
        mask[i] = fc1[i] == '1';
    for (size_t i = 0; i < 6; i++)
        mask[18 + i] = fc2[i] == '1';
    struct store_payload payload = {.network = 0, .mask_slot = 0, .mask = mask};
    uint64_t digest;
    char *file;
    size_t length;
    assert_int_equal(store_write_payload(fixture->store, &payload, &digest, NULL), 0);
    assert_int_equal(file_read(fixture->path, (size_t)1 << 30, &file, &length, NULL), 0);
    assert_true(page_starts_with(file, length, packed_fc1, 2));
    assert_true(page_starts_with(file, length, packed_fc2, 2));
    free(file);
}

/* --- rows --- */

static void test_results(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result = sample_result(3), read;
    memset(result.message + 10, 'x', 20); /* rubbish behind the end of a text */
    snprintf(result.message, sizeof result.message, "fine");
    assert_int_equal(store_commit(fixture->store, 3, 42, &result, NULL), 0);
    reopen(fixture, STORE_WRITE);
    assert_int_equal(store_read_results(fixture->store, 3, 1, &read, NULL), 0);
    assert_memory_equal(&read, &result, sizeof read);
    assert_int_equal(read.message[12], 0);
    assert_int_equal((int64_t)store_result_checksum(42, &read), read.checksum);
    assert_int_equal(store_reset_result(fixture->store, 3, NULL), 0);
    assert_int_equal(store_read_results(fixture->store, 3, 1, &read, NULL), 0);
    assert_int_equal(read.status, STORE_PENDING);
}

static void test_results_by_column(void **state)
{
    struct fixture *fixture = *state;
    struct store_table table;
    struct store_result result = sample_result(2);
    assert_int_equal(store_commit(fixture->store, 2, 1, &result, NULL), 0);
    assert_int_equal(store_read_table(fixture->store, "results", &table, NULL), 0);
    assert_true(store_table_real(&table, 2, store_table_column(&table, "test_accuracy_final")) ==
                result.scores[2][1].accuracy);
    assert_true(store_table_real(&table, 2, store_table_column(&table, "train_loss_early_stop")) ==
                result.scores[0][0].loss);
    assert_int_equal(store_table_integer(&table, 2, store_table_column(&table, "checksum")),
                     result.checksum);
    assert_true(
        isnan(store_table_real(&table, 2, store_table_column(&table, "validation_accuracy_at_4"))));
    store_table_finish(&table);
}

/* The lasting columns count, the others do not, and one NaN is like another. */
static void test_checksum_covers_what_lasts(void **state)
{
    (void)state;
    struct store_result a = sample_result(1), b = a;
    b.seconds = 99;
    b.environment = 7;
    b.attempts_used = 3;
    snprintf(b.host, sizeof b.host, "elsewhere");
    b.scores[2][5].loss = -(double)NAN;
    assert_true(store_result_checksum(5, &a) == store_result_checksum(5, &b));
    assert_true(store_result_checksum(5, &a) != store_result_checksum(6, &a));
    b.early_stop_iteration++;
    assert_true(store_result_checksum(5, &a) != store_result_checksum(5, &b));
}

/* Frozen: a store made today must verify in years. Computed apart from this code, with h5py and
 * libxxhash. */
static void test_checksum_is_frozen(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result = sample_result(1);
    struct store_result row;
    run_task(fixture, 1);
    assert_int_equal(store_read_results(fixture->store, 1, 1, &row, NULL), 0);
    assert_true(store_result_checksum(0x0123456789abcdef, &result) == UINT64_C(0xa34205c1d2ed8273));
    assert_true((uint64_t)row.checksum == UINT64_C(0x3d67fffab201dd61));
}

static void test_attempts_and_environment(void **state)
{
    struct fixture *fixture = *state;
    uint8_t attempts[SAMPLE_TASKS];
    struct store_environment environment = {.host = "node-1", .cpu = "a CPU", .run = 5};
    struct store_table table;
    char text[64];
    assert_int_equal(store_write_attempts(fixture->store, 2, 3, NULL), 0);
    assert_int_equal(store_write_environment(fixture->store, 7, &environment, NULL), 0);
    environment.run = 6;
    assert_int_equal(store_write_environment(fixture->store, 1 << 20, &environment, NULL), 0);
    reopen(fixture, STORE_READ);
    assert_int_equal(store_read_attempts(fixture->store, SAMPLE_TASKS, attempts, NULL), 0);
    assert_int_equal(attempts[2], 3);
    assert_int_equal(attempts[1] + attempts[3], 0);
    assert_int_equal(store_read_table(fixture->store, "environment", &table, NULL), 0);
    assert_int_equal(table.row_count, STORE_ENVIRONMENT_ROWS);
    assert_string_equal(
        store_table_text(&table, 7, store_table_column(&table, "cpu"), text, sizeof text), "a CPU");
    int run = store_table_column(&table, "run");
    assert_int_equal(store_table_integer(&table, 7, run), 5);
    assert_int_equal(store_table_integer(&table, STORE_ENVIRONMENT_ROWS - 1, run), 6);
    store_table_finish(&table);
}

/* --- misuse --- */

static void test_misuse_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store_result result = sample_result(0);
    struct store_payload payload = {.network = 2, .mask_slot = -1};
    float block[64];
    uint64_t digest;
    assert_int_equal(store_commit(fixture->store, SAMPLE_TASKS, 0, &result, &err), -1);
    assert_int_equal(err.class, ERROR_INTERNAL);
    assert_non_null(strstr(err.text, "/results"));
    assert_int_equal(store_write_payload(fixture->store, &payload, &digest, &err), -1);
    assert_int_equal(store_read_weights(fixture->store, 0, 0, 2, block, &err), -1);
    assert_non_null(strstr(err.text, "/weights/tiny.5-3-2/fc1.weight/init"));
    reopen(fixture, STORE_READ);
    assert_int_equal(store_commit(fixture->store, 0, 0, &result, &err), -1);
    assert_int_equal(err.class, ERROR_INTERNAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_size_is_predicted),
        TEST(test_identity_and_grid),
        TEST(test_networks_keep_their_order),
        TEST(test_tables),
        TEST(test_a_new_store_is_pending),
        TEST(test_payloads),
        TEST(test_what_is_missing_is_nan),
        TEST(test_bit_order),
        TEST(test_results),
        TEST(test_results_by_column),
        TEST(test_checksum_covers_what_lasts),
        TEST(test_checksum_is_frozen),
        TEST(test_attempts_and_environment),
        TEST(test_misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

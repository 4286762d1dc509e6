/* What tasks of a lineage owe each other, in stores whose every checksum holds: masks nest unless
 * they are drawn, masked weights are 0.0f, a ticket starts from its root's weights, and what was
 * made from a task with a fault has one too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_sample.h"

#define TASKS 3

/* A dense task, its ticket, and a ticket or control below that. */
struct fixture {
    char folder[64], path[128];
    struct sample_task tasks[TASKS];
    struct store_layout layout;
    struct store *store;
    struct store_table table;
    struct store_finding findings[TASKS];
};

static int setup(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/sample.h5", fixture.folder);
    memcpy(fixture.tasks, sample_tasks, sizeof fixture.tasks);
    fixture.tasks[2].parent = 1;
    fixture.tasks[2].level = 2;
    fixture.layout = sample_layout();
    fixture.layout.tasks.rows = fixture.tasks;
    fixture.layout.tasks.row_count = TASKS;
    fixture.layout.points.row_count = TASKS;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    store_table_finish(&fixture->table);
    store_close(fixture->store);
    sample_layout_finish(&fixture->layout);
    unlink(fixture->path);
    return rmdir(fixture->folder);
}

/* An element that `task` writes otherwise than it ought to. */
struct oddity {
    int task;
    int mask_element;   /* kept nonetheless; -1 = none */
    int weight_element; /* `value` in all its sets of weights; -1 = none */
    float value;
};
static const struct oddity no_oddity = {-1, -1, -1, 0};

/* fc1.weight are elements 0 to 14; level 1 keeps 12 of them, level 2 keeps 6; fc2 is not pruned. */
static void make_lawful(struct sample_payload *made, int task, const struct oddity *oddity)
{
    bool odd = oddity->task == task;
    int kept = task == 0 ? 15 : 6 * (3 - task);
    for (int e = 0; e < 26; e++)
        made->mask[e] = e < kept || e >= 15 || (odd && e == oddity->mask_element);
    for (int32_t set = 0; set < made->payload.weights_count; set++) {
        for (int e = 0; e < 26; e++)
            if (made->mask[e] == 0 && task > 0)
                made->blocks[set][e] = 0.0f;
        if (odd && oddity->weight_element >= 0)
            made->blocks[set][oddity->weight_element] = oddity->value;
    }
}

static void run_task(struct fixture *fixture, int task, const struct oddity *oddity)
{
    struct sample_payload made;
    struct error err = {0};
    uint64_t digest;
    struct store_result result = sample_result(task);
    result.status = STORE_DONE;
    result.early_stop_iteration = 10;
    assert_int_equal(sample_payload_make(fixture->store, &fixture->table, task, &made, &err), 0);
    make_lawful(&made, task, oddity);
    assert_int_equal(store_write_payload(fixture->store, &made.payload, &digest, &err), 0);
    assert_int_equal(store_commit(fixture->store, task, digest, &result, &err), 0);
    sample_payload_free(&made);
}

static void examine(struct fixture *fixture)
{
    struct error err = {0};
    memset(fixture->findings, 0, sizeof fixture->findings);
    if (store_examine(fixture->store, fixture->findings, &err) != 0)
        fail_msg("%s", err.text);
}

static void open_store(struct fixture *fixture)
{
    struct error err = {0};
    if (store_create(fixture->path, &fixture->layout, &err) != 0)
        fail_msg("%s", err.text);
    fixture->store = store_open(fixture->path, STORE_WRITE, NULL, &err);
    assert_non_null(fixture->store);
    assert_int_equal(store_read_table(fixture->store, "tasks", &fixture->table, &err), 0);
}

/* All tasks done, one thing odd, every checksum in order. */
static void make_store(struct fixture *fixture, const struct oddity *oddity)
{
    uint8_t bad[TASKS];
    open_store(fixture);
    for (int task = 0; task < TASKS; task++)
        run_task(fixture, task, oddity);
    assert_int_equal(store_verify(fixture->store, bad, NULL), 0);
    examine(fixture);
}

static void assert_faults(const struct fixture *fixture, enum store_fault dense,
                          enum store_fault first, enum store_fault second)
{
    const enum store_fault expected[TASKS] = {dense, first, second};
    for (int i = 0; i < TASKS; i++)
        if (fixture->findings[i].fault != expected[i])
            fail_msg("task %d: fault %d, '%s'", i, fixture->findings[i].fault,
                     fixture->findings[i].text);
}

static void test_lawful(void **state)
{
    make_store(*state, &no_oddity);
    assert_faults(*state, STORE_SOUND, STORE_SOUND, STORE_SOUND);
}

static void test_a_mask_beyond_its_parents(void **state)
{
    struct fixture *fixture = *state;
    make_store(fixture, &(struct oddity){2, 13, -1, 0});
    assert_faults(fixture, STORE_SOUND, STORE_SOUND, STORE_FAULT_LINEAGE);
    assert_string_equal(fixture->findings[2].text,
                        "its mask keeps fc1.weight[13], which its parent's (task 1) does not");
}

static void test_a_random_mask_need_not_nest(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->tasks[2].control, sizeof fixture->tasks[2].control, "random-mask");
    make_store(fixture, &(struct oddity){2, 13, -1, 0});
    assert_faults(fixture, STORE_SOUND, STORE_SOUND, STORE_SOUND);
}

static void test_a_masked_weight_that_is_not_zero(void **state)
{
    struct fixture *fixture = *state;
    make_store(fixture, &(struct oddity){1, -1, 14, 0.5f});
    assert_faults(fixture, STORE_SOUND, STORE_FAULT_LINEAGE, STORE_FAULT_PARENT);
    assert_string_equal(fixture->findings[1].text,
                        "fc1.weight[14] of its final weights is 0.5, but masked");
    assert_string_equal(fixture->findings[2].text, "it came from task 1");
}

static void test_minus_zero_is_not_zero(void **state)
{
    make_store(*state, &(struct oddity){2, -1, 12, -0.0f});
    assert_faults(*state, STORE_SOUND, STORE_SOUND, STORE_FAULT_LINEAGE);
}

/* A result that waits for its own turn is not made from anything. */
static void test_a_pending_task_has_no_fault(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    make_store(fixture, &(struct oddity){1, -1, 14, 0.5f});
    assert_int_equal(store_reset_result(fixture->store, 2, &err), 0);
    examine(fixture);
    assert_faults(fixture, STORE_SOUND, STORE_FAULT_LINEAGE, STORE_SOUND);
}

/* Where a ticket's initial values have a slot of their own, they are its root's. */
static void test_a_start_that_is_not_the_roots(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->tasks[2].start, sizeof fixture->tasks[2].start, "rewind");
    make_store(fixture, &no_oddity);
    assert_faults(fixture, STORE_SOUND, STORE_SOUND, STORE_FAULT_LINEAGE);
    assert_string_equal(fixture->findings[2].text,
                        "its init weights are not those of its root, task 0");
}

static void test_places_that_two_tasks_write(void **state)
{
    struct fixture *fixture = *state;
    fixture->tasks[2].final_slot = fixture->tasks[1].final_slot;
    fixture->tasks[1].curve_offset = fixture->tasks[0].curve_offset + 3;
    open_store(fixture);
    examine(fixture);
    assert_faults(fixture, STORE_FAULT_TASKS, STORE_FAULT_TASKS, STORE_FAULT_TASKS);
    assert_string_equal(fixture->findings[0].text, "its part of /curves is task 1's too");
    assert_string_equal(fixture->findings[2].text, "its final_slot is task 1's too");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_lawful),
        TEST(test_a_mask_beyond_its_parents),
        TEST(test_a_random_mask_need_not_nest),
        TEST(test_a_masked_weight_that_is_not_zero),
        TEST(test_minus_zero_is_not_zero),
        TEST(test_a_pending_task_has_no_fault),
        TEST(test_a_start_that_is_not_the_roots),
        TEST(test_places_that_two_tasks_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

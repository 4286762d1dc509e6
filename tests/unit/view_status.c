/* What `sweepstake status` prints, word for word. */
#include "store/checkpoint.h"
#include "view_sample.h"

/* view_status or view_status_json. */
typedef int printer(struct store *store, const char *path, FILE *out, bool *complete,
                    struct error *err);

/* The caller frees it. */
static char *print_by(printer *print, const struct sample *sample, const char *path, bool *complete)
{
    char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    FILE *out = open_memstream(&text, &length);
    struct store *store = sample_open(sample, STORE_READ);
    assert_int_equal(print(store, path, out, complete, &err), 0);
    store_close(store);
    fclose(out);
    return text;
}

static char *print_status(const struct sample *sample, bool *complete)
{
    return print_by(view_status, sample, "my.h5", complete);
}

static void assert_status(const struct sample *sample, bool complete, const char *expected)
{
    bool is_complete = !complete;
    char *text = print_status(sample, &is_complete);
    assert_string_equal(text, expected);
    assert_int_equal(is_complete, complete);
    free(text);
}

static void test_complete(void **state)
{
    (void)state;
    struct sample sample = sample_grid(sample_result);
    assert_status(&sample, true,
                  "my.h5: 10 of 10 tasks finished, 100.0%\n"
                  "  done               10\n"
                  "one task done takes 2.5 s on average; all took 25.0 s of one worker's time, "
                  "400 iterations a second\n");
    sample_remove(&sample);
}

static void test_not_begun(void **state)
{
    (void)state;
    struct sample sample = sample_rows();
    sample_create(&sample);
    assert_status(&sample, false,
                  "my.h5: 0 of 10 tasks finished, 0.0%\n"
                  "  pending            10\n");
    sample_remove(&sample);
}

/* Everything of rate 0.4 fails; of rate 0.2 a ticket is pending and a control diverged. */
static struct store_result troubled(int64_t task)
{
    if (task >= 6)
        return sample_failed(STORE_FAILED, "not enough memory for 3.2 GB");
    if (task == 5)
        return sample_failed(STORE_DIVERGED, "the training loss is not finite");
    return task == 4 ? store_result_pending() : sample_result(task);
}

/* What is pending is a sixth of the work that is done: 10 s of it. */
static void test_failures_say_what_they_share(void **state)
{
    (void)state;
    struct sample sample = sample_grid(troubled);
    assert_status(
        &sample, false,
        "my.h5: 9 of 10 tasks finished, 90.0%\n"
        "  done                4\n"
        "  diverged            1\n"
        "  failed              4\n"
        "  pending             1\n"
        "one task done takes 2.5 s on average; all took 10.0 s of one worker's time, "
        "400 iterations a second\n"
        "what is pending will take about 1.7 s of one worker's time\n"
        "\n4 tasks failed, all on node0: not enough memory for 3.2 GB (the first is task 6)\n"
        "  what they share and others do not: prune.rate.fc = 0.4, level = 1\n"
        "\n1 task diverged on node0: the training loss is not finite (task 5)\n"
        "  what sets it apart: prune.rate.fc = 0.2, seed.init = 2, level = 1, "
        "control = reinit\n"
        "\n`sweepstake run` tries failed tasks again and keeps what is done\n");
    sample_remove(&sample);
}

/* One of each experiment fails: their fields say nothing, the control does. */
static struct store_result controls_fail(int64_t task)
{
    bool control = task > 2 && task % 2 == 1;
    return control ? sample_failed(STORE_FAILED, "lost") : sample_result(task);
}

static void test_values_that_others_have_too_are_not_named(void **state)
{
    (void)state;
    struct sample sample = sample_grid(controls_fail);
    assert_status(&sample, true,
                  "my.h5: 10 of 10 tasks finished, 100.0%\n"
                  "  done                6\n"
                  "  failed              4\n"
                  "one task done takes 2.5 s on average; all took 15.0 s of one worker's time, "
                  "400 iterations a second\n"
                  "\n4 tasks failed, all on node0: lost (the first is task 3)\n"
                  "  what they share and others do not: level = 1, control = reinit\n"
                  "\n`sweepstake run` tries failed tasks again and keeps what is done\n");
    sample_remove(&sample);
}

/* The first three tasks fail, each on its host; all others are done. */
static const char *host_of_failure[SAMPLE_TASKS];

static struct store_result fails_on_hosts(int64_t task)
{
    struct store_result result = sample_failed(STORE_FAILED, "lost");
    memset(result.host, 0, sizeof result.host);
    snprintf(result.host, sizeof result.host, "%s", host_of_failure[task]);
    if (task >= 3)
        result.status = STORE_DONE;
    return result;
}

static void assert_where(const char *first, const char *second, const char *third,
                         const char *others, const char *expected)
{
    bool complete;
    for (int i = 0; i < SAMPLE_TASKS; i++)
        host_of_failure[i] = i == 0 ? first : i == 1 ? second : i == 2 ? third : others;
    struct sample sample = sample_grid(fails_on_hosts);
    char *text = print_status(&sample, &complete);
    assert_non_null(strstr(text, expected));
    free(text);
    sample_remove(&sample);
}

static void test_hosts_of_failures(void **state)
{
    (void)state;
    assert_where("a", "b", "a", "c", "\n3 tasks failed on 2 of 3 hosts: lost");
    assert_where("a", "a", "a", "c", "\n3 tasks failed, all on a: lost");
    assert_where("a", "a", "a", "a", "\n3 tasks failed: lost");
    assert_where("a", "", "a", "b", "\n3 tasks failed: lost");
}

/* Statuses that there are none of: somebody wrote into the file. */
static struct store_result tampered(int64_t task)
{
    struct store_result result = sample_result(task);
    if (task >= 8)
        result.status = task == 8 ? 77 : -3;
    return result;
}

static void test_an_unknown_status_is_damage(void **state)
{
    (void)state;
    struct sample sample = sample_grid(tampered);
    assert_status(&sample, false,
                  "my.h5: 8 of 10 tasks finished, 80.0%\n"
                  "  done                8\n"
                  "  damaged             2; run `sweepstake verify my.h5`\n"
                  "one task done takes 2.5 s on average; all took 20.0 s of one worker's time, "
                  "400 iterations a second\n");
    sample_remove(&sample);
}

/* --- as JSON --- */

static void assert_json(const struct sample *sample, bool complete, const char *expected)
{
    bool is_complete = !complete;
    char *text = print_by(view_status_json, sample, sample->path, &is_complete);
    assert_string_equal(text, expected);
    assert_int_equal(is_complete, complete);
    free(text);
}

static void test_json_has_every_status(void **state)
{
    (void)state;
    struct sample sample = sample_grid(troubled);
    assert_json(&sample, false,
                "{\"tasks\": 10, \"finished\": 9, \"done\": 4, \"diverged\": 1, \"failed\": 4, "
                "\"skipped\": 0, \"unreachable\": 0, \"pending\": 1, \"damaged\": 0, "
                "\"orphans\": 0, \"saved_iterations\": 0}\n");
    sample_remove(&sample);
    sample = sample_grid(tampered);
    assert_json(&sample, false,
                "{\"tasks\": 10, \"finished\": 8, \"done\": 8, \"diverged\": 0, \"failed\": 0, "
                "\"skipped\": 0, \"unreachable\": 0, \"pending\": 0, \"damaged\": 2, "
                "\"orphans\": 0, \"saved_iterations\": 0}\n");
    sample_remove(&sample);
    sample = sample_grid(sample_result);
    assert_json(&sample, true,
                "{\"tasks\": 10, \"finished\": 10, \"done\": 10, \"diverged\": 0, \"failed\": 0, "
                "\"skipped\": 0, \"unreachable\": 0, \"pending\": 0, \"damaged\": 0, "
                "\"orphans\": 0, \"saved_iterations\": 0}\n");
    sample_remove(&sample);
}

/* Saves the state of a worker's task beside the store, at an iteration. */
static void save_state(const struct sample *sample, int32_t worker, const struct hash128 *key,
                       int64_t iteration)
{
    struct error err = {0};
    char byte = 1;
    struct checkpoint *checkpoint = checkpoint_open(sample->path, worker, &err);
    assert_non_null(checkpoint);
    assert_int_equal(checkpoint_begin(checkpoint, &err), 0);
    assert_int_equal(checkpoint_put(checkpoint, &byte, 1, &err), 0);
    assert_int_equal(checkpoint_end(checkpoint, key, iteration, 1.0, &err), 0);
    checkpoint_close(checkpoint);
}

/* Only task 4 of the troubled grid is pending. */
static void test_json_counts_what_pending_tasks_saved(void **state)
{
    (void)state;
    const struct hash128 keys[] = {{{4}}, {{1}}};
    const struct store_identity identity = {.isa = "avx2", .blas_core = "Haswell"};
    struct error err = {0};
    struct sample sample = sample_rows();
    hash128_hex(keys[0], sample.tasks[4].key);
    hash128_hex(keys[1], sample.tasks[1].key);
    sample_create(&sample);
    sample_fill(&sample, troubled);
    struct checkpoint_setup setup = {sample.path, &identity, 2, 100, keys, 2};
    assert_int_equal(checkpoint_renew(&setup, &err), 0);
    save_state(&sample, 0, &keys[0], 350);
    save_state(&sample, 1, &keys[1], 999); /* done meanwhile */
    bool complete;
    char *text = print_by(view_status_json, &sample, sample.path, &complete);
    assert_non_null(strstr(text, "\"saved_iterations\": 350}"));
    free(text);
    checkpoint_remove(sample.path);
    sample_remove(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_not_begun),
        cmocka_unit_test(test_failures_say_what_they_share),
        cmocka_unit_test(test_hosts_of_failures),
        cmocka_unit_test(test_an_unknown_status_is_damage),
        cmocka_unit_test(test_values_that_others_have_too_are_not_named),
        cmocka_unit_test(test_json_has_every_status),
        cmocka_unit_test(test_json_counts_what_pending_tasks_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table at the end of a run, word for word. */
#include "view_sample.h"

static char *summary_of(const struct sample *sample)
{
    char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    FILE *out = open_memstream(&text, &length);
    struct store *store = sample_open(sample, STORE_READ);
    assert_int_equal(view_summary(store, "my.h5", out, &err), 0);
    store_close(store);
    fclose(out);
    return text;
}

static void assert_summary(const struct sample *sample, const char *expected)
{
    char *text = summary_of(sample);
    assert_string_equal(text, expected);
    free(text);
}

#define HEADING                                                                                    \
    "                                      test accuracy in %: mean (min-max)             "        \
    "early-stop iteration:\n"                                                                      \
    "level   P_m %  trained as       runs   at early stop          at the end              "       \
    "mean (min-max)\n"
#define NEXT_STEPS                                                                                 \
    "\nWhat next:\n"                                                                               \
    "  sweepstake export my.h5 > points.csv\n"                                                     \
    "or in a notebook (sweepstake.py is in notebooks/):\n"                                         \
    "  import sweepstake\n"                                                                        \
    "  points = sweepstake.open(\"my.h5\").points\n"
#define DENSE                                                                                      \
    "    0  100.00  dense               2   97.05 (97.00-97.10)    96.05 (96.00-96.10)      "      \
    "1,000 (500-1,500)\n"
#define RATE_02                                                                                    \
    "\nprune.rate.fc = 0.2  (2 experiments that differ in seeds)\n" HEADING DENSE                  \
    "    1   80.04  ticket              2   97.30 (97.20-97.40)    96.30 (96.20-96.40)      "      \
    "3,500 (2,500-4,500)\n"                                                                        \
    "               reinit              2   97.40 (97.30-97.50)    96.40 (96.30-96.50)      "      \
    "4,500 (3,500-5,500)\n"
#define RATE_04 "\nprune.rate.fc = 0.4  (2 experiments that differ in seeds)\n" HEADING DENSE

static void test_complete(void **state)
{
    (void)state;
    struct sample sample = sample_grid(sample_result);
    assert_summary(&sample, "my.h5: 10 of 10 tasks done\n" RATE_02 RATE_04
                            "    1   80.04  ticket              2   97.70 (97.60-97.80)    "
                            "96.70 (96.60-96.80)      7,500 (6,500-8,500)\n"
                            "               reinit              2   97.80 (97.70-97.90)    "
                            "96.80 (96.70-96.90)      8,500 (7,500-9,500)\n" NEXT_STEPS);
    sample_remove(&sample);
}

/* At rate 0.4 a ticket is pending, the other diverged, and a control failed. */
static struct store_result troubled(int64_t task)
{
    if (task == 6)
        return store_result_pending();
    if (task == 8)
        return sample_failed(STORE_DIVERGED, "the training loss is not finite");
    if (task == 9)
        return sample_failed(STORE_FAILED, "no memory");
    return sample_result(task);
}

static void test_missing_results_are_dashes(void **state)
{
    (void)state;
    struct sample sample = sample_grid(troubled);
    assert_summary(
        &sample,
        "my.h5: 7 of 10 tasks done, 1 diverged, 1 failed, 1 pending\n"
        "`sweepstake status my.h5` says what went wrong and what those tasks share\n" RATE_02
            RATE_04 "    1       -  ticket            1/2       -                      -"
        "                        -  1 diverged\n"
        "               reinit            1/2   97.70                  96.70"
        "                    7,500\n" NEXT_STEPS);
    sample_remove(&sample);
}

/* Two controls of one kind are told apart; they come in the grid's order, whatever the points'. */
static void test_controls_of_one_kind(void **state)
{
    (void)state;
    struct sample sample = sample_rows();
    for (int i = 0; i < SAMPLE_POINTS; i += 3) {
        sample.points[i + 1].control_index = 1;
        snprintf(sample.points[i + 1].control, sizeof sample.points[i + 1].control, "reinit");
    }
    sample_create(&sample);
    char *text = summary_of(&sample);
    const char *first = strstr(text, "reinit #1 "), *second = strstr(text, "reinit #2 ");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    free(text);
    sample_remove(&sample);
}

static void test_one_group_needs_no_name(void **state)
{
    (void)state;
    struct sample sample = sample_rows();
    for (int i = 0; i < SAMPLE_EXPERIMENTS; i++)
        sample.experiments[i] = (struct sample_experiment){"lenet", 100, 0.2, 0.1f, 1 + i, 10 + i};
    sample_create(&sample);
    char *text = summary_of(&sample);
    assert_non_null(strstr(text, "\n\n(4 experiments that differ in seeds)\n"));
    assert_null(strstr(text, " = 0.2"));
    free(text);
    sample_remove(&sample);
}

/* All four differ; two fields tell them apart, and -1 is said in the grid's words. */
static void test_groups_are_named_by_as_few_fields_as_tell_them_apart(void **state)
{
    (void)state;
    struct sample sample = sample_rows();
    for (int i = 0; i < SAMPLE_EXPERIMENTS; i++)
        sample.experiments[i].train = i % 2 == 0 ? -1 : 1000;
    sample_create(&sample);
    char *text = summary_of(&sample);
    assert_non_null(strstr(text, "\ndataset.train = all, prune.rate.fc = 0.2  (1 experiment)\n"));
    assert_non_null(strstr(text, "\ndataset.train = 1000, prune.rate.fc = 0.4  (1 experiment)\n"));
    free(text);
    sample_remove(&sample);
}

/* Nothing was run, and a row points at a task that is not there. */
static void test_an_empty_and_damaged_store(void **state)
{
    (void)state;
    struct sample sample = sample_rows();
    sample.points[2].task = 99;
    sample.points[5].experiment = -7;
    sample_create(&sample);
    char *text = summary_of(&sample);
    assert_non_null(strstr(text, "my.h5: 0 of 10 tasks done, 10 pending\n"));
    assert_non_null(strstr(text, "    1       -  ticket            0/2       - "));
    free(text);
    sample_remove(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_missing_results_are_dashes),
        cmocka_unit_test(test_controls_of_one_kind),
        cmocka_unit_test(test_one_group_needs_no_name),
        cmocka_unit_test(test_groups_are_named_by_as_few_fields_as_tell_them_apart),
        cmocka_unit_test(test_an_empty_and_damaged_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

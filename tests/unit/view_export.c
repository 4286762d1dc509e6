/* CSV and JSON lines, byte for byte. */
#include "view_sample.h"

static char *export_of(const struct sample *sample, enum view_rows rows, enum view_format format)
{
    char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    FILE *out = open_memstream(&text, &length);
    struct store *store = sample_open(sample, STORE_READ);
    assert_int_equal(view_export(store, rows, format, out, &err), 0);
    store_close(store);
    fclose(out);
    return text;
}

/* Line `number` of a text, without its end; the caller frees it. */
static char *line_of(const char *text, int number)
{
    for (; number > 0; number--) {
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    return strndup(text, strcspn(text, "\n"));
}

static void assert_starts_and_ends(const char *line, const char *start, const char *end)
{
    assert_true(strlen(line) > strlen(start) + strlen(end));
    if (strncmp(line, start, strlen(start)) != 0)
        assert_string_equal(line, start);
    assert_string_equal(line + strlen(line) - strlen(end), end);
}

/* Only the first dense network is done; its message needs every kind of escape, and was cut inside
 * a character of two bytes. */
static struct store_result one_done(int64_t task)
{
    struct store_result result = sample_result(task);
    snprintf(result.message, sizeof result.message, "a \"b\", c\td \xc3");
    result.sparse_layers = 5;
    result.scores[0][0].loss = 1.0 / 3;
    result.scores[0][1].loss = INFINITY;
    return task == 0 ? result : store_result_pending();
}

/* --- points --- */

static const char points_header[] =
    "experiment,level,control,draw,task,dense_task,control_index,key,parent,task_level,network,"
    "curve_count,curve_offset,iterations,start_iteration,seed_dropout,rate,cost,status,reason,"
    "message,sparse_layers,weights_remaining,percent_remaining,early_stop_iteration,"
    "train_loss_early_stop,train_accuracy_early_stop,train_loss_final,train_accuracy_final,"
    "train_loss_at_1,train_accuracy_at_1,train_loss_at_2,train_accuracy_at_2,"
    "train_loss_at_3,train_accuracy_at_3,train_loss_at_4,train_accuracy_at_4,"
    "validation_loss_early_stop,validation_accuracy_early_stop,"
    "validation_loss_final,validation_accuracy_final,"
    "validation_loss_at_1,validation_accuracy_at_1,validation_loss_at_2,validation_accuracy_at_2,"
    "validation_loss_at_3,validation_accuracy_at_3,validation_loss_at_4,validation_accuracy_at_4,"
    "test_loss_early_stop,test_accuracy_early_stop,test_loss_final,test_accuracy_final,"
    "test_loss_at_1,test_accuracy_at_1,test_loss_at_2,test_accuracy_at_2,"
    "test_loss_at_3,test_accuracy_at_3,test_loss_at_4,test_accuracy_at_4,"
    "seconds,host,environment,attempts_used,checksum,"
    "recipe,dataset.train,prune.rate.fc,prune.rate.output,seed.init,seed.order";

static void test_points_as_csv(void **state)
{
    (void)state;
    struct sample sample = sample_grid(one_done);
    char *text = export_of(&sample, VIEW_POINTS, VIEW_CSV);
    char *header = line_of(text, 0), *done = line_of(text, 1), *pending = line_of(text, 2);
    assert_string_equal(header, points_header);
    assert_starts_and_ends(done,
                           "0,0,ticket,0,0,0,,key-0,,0,0,2,0,1000,0,,,2000000000,done,,"
                           "\"a \"\"b\"\", c\td \",5,100,100,500,"
                           "0.3333333333333333,,inf,,,,,,,,,,,,,,,,,,,,,,0.1,0.97,,0.96,,,,,,,,,"
                           "2.5,node0,,0,",
                           ",\"lenet, \"\"small\"\"\",-1,0.2,0.1,1,1");
    assert_starts_and_ends(pending,
                           "0,1,ticket,0,2,0,,key-2,0,1,0,2,4,1000,0,,0.2,1000000000,pending,,,,,,"
                           ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,",
                           ",\"lenet, \"\"small\"\"\",-1,0.2,0.1,1,1");
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1 + SAMPLE_POINTS);
    free(header);
    free(done);
    free(pending);
    free(text);
    sample_remove(&sample);
}

static void test_points_as_json(void **state)
{
    (void)state;
    struct sample sample = sample_grid(one_done);
    char *text = export_of(&sample, VIEW_POINTS, VIEW_JSON_LINES);
    char *done = line_of(text, 0), *pending = line_of(text, 1);
    assert_starts_and_ends(
        done,
        "{\"experiment\":0,\"level\":0,\"control\":\"ticket\",\"draw\":0,\"task\":0,"
        "\"dense_task\":0,\"control_index\":null,\"key\":\"key-0\",\"parent\":null,"
        "\"task_level\":0,\"network\":0,\"curve_count\":2,\"curve_offset\":0,"
        "\"iterations\":1000,\"start_iteration\":0,\"seed_dropout\":null,\"rate\":null,"
        "\"cost\":2000000000,\"status\":\"done\",\"reason\":\"\","
        "\"message\":\"a \\\"b\\\", c\\u0009d \",\"sparse_layers\":5,\"weights_remaining\":100,"
        "\"percent_remaining\":100,\"early_stop_iteration\":500,"
        "\"train_loss_early_stop\":0.3333333333333333,\"train_accuracy_early_stop\":null,"
        "\"train_loss_final\":null,\"train_accuracy_final\":null,",
        ",\"recipe\":\"lenet, \\\"small\\\"\",\"dataset.train\":-1,\"prune.rate.fc\":0.2,"
        "\"prune.rate.output\":0.1,\"seed.init\":1,\"seed.order\":1}");
    assert_non_null(strstr(pending, "\"status\":\"pending\",\"reason\":\"\",\"message\":\"\","
                                    "\"sparse_layers\":null,\"weights_remaining\":null,\"percent_remaining\":null,"));
    free(done);
    free(pending);
    free(text);
    sample_remove(&sample);
}

/* --- curves --- */

/* The dense network of seed 1 belongs to both rates, and is told for both. */
static void test_curves_as_csv(void **state)
{
    (void)state;
    struct sample sample = sample_grid(one_done);
    char *text = export_of(&sample, VIEW_CURVES, VIEW_CSV);
    assert_string_equal(text,
                        "experiment,level,control,draw,task,key,iteration,"
                        "train_loss,validation_loss,validation_accuracy,test_loss,test_accuracy\n"
                        "0,0,ticket,0,0,key-0,0,,2.5,0.1,,\n"
                        "0,0,ticket,0,0,key-0,1000,0.25,0.30000000000000004,0.9,,0\n"
                        "2,0,ticket,0,0,key-0,0,,2.5,0.1,,\n"
                        "2,0,ticket,0,0,key-0,1000,0.25,0.30000000000000004,0.9,,0\n");
    free(text);
    sample_remove(&sample);
}

static void test_curves_as_json(void **state)
{
    (void)state;
    struct sample sample = sample_grid(one_done);
    char *text = export_of(&sample, VIEW_CURVES, VIEW_JSON_LINES), *line = line_of(text, 3);
    assert_string_equal(line, "{\"experiment\":2,\"level\":0,\"control\":\"ticket\",\"draw\":0,"
                              "\"task\":0,\"key\":\"key-0\",\"iteration\":1000,"
                              "\"train_loss\":0.25,\"validation_loss\":0.30000000000000004,"
                              "\"validation_accuracy\":0.9,\"test_loss\":null,"
                              "\"test_accuracy\":0}");
    free(line);
    free(text);
    sample_remove(&sample);
}

/* --- output that cannot be written --- */

static void test_a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct error err = {0};
    struct sample sample = sample_grid(sample_result);
    struct store *store = sample_open(&sample, STORE_READ);
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    assert_int_equal(view_export(store, VIEW_POINTS, VIEW_CSV, out, &err), -1);
    assert_int_equal(err.class, ERROR_RESOURCE);
    assert_string_equal(err.text, "the export could not be written");
    fclose(out);
    store_close(store);
    sample_remove(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points_as_csv),           cmocka_unit_test(test_points_as_json),
        cmocka_unit_test(test_curves_as_csv),           cmocka_unit_test(test_curves_as_json),
        cmocka_unit_test(test_a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

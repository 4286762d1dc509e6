/* Datasets whose examples are shared: the bytes of loaded ones, read once, whatever views of them
 * are asked for; and files that changed since they were planned are found out. */
#include "data_folder.h"

/* What a plan knows of the request. */
struct planned {
    struct dataset_request request;
    struct dataset_info info;
    struct hash128 content;
};

static struct planned plan(const struct place *place)
{
    struct planned planned = {.request = request_for(place)};
    struct error err = {0};
    put_set(place);
    setenv(SHARED_BLOCK_VARIABLE, place->root, 1);
    planned.content = content_of(&planned.request);
    assert_int_equal(dataset_describe(&planned.request, &planned.info, &err), 0);
    return planned;
}

static struct dataset *share(const struct planned *planned)
{
    struct error private, err = {0};
    struct dataset *dataset =
        dataset_share(&planned->request, &planned->info, planned->content, &private, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    assert_string_equal(private.text, "");
    return dataset;
}

static void assert_equal(const struct dataset *a, const struct dataset *b)
{
    assert_memory_equal(&a->info, &b->info, sizeof a->info);
    assert_memory_equal(&a->content, &b->content, sizeof a->content);
    assert_memory_equal(a->train_images, b->train_images, TRAIN * PIXELS);
    assert_memory_equal(a->train_labels, b->train_labels, TRAIN);
    assert_memory_equal(a->test_images, b->test_images, TEST * PIXELS);
    assert_memory_equal(a->test_labels, b->test_labels, TEST);
    assert_memory_equal(a->train_index, b->train_index, (TRAIN - 3) * sizeof(uint32_t));
    assert_memory_equal(a->validation_index, b->validation_index, 3 * sizeof(uint32_t));
    assert_memory_equal(a->scales, b->scales, sizeof *a->scales);
}

static void shared_and_loaded_are_the_same(void **state)
{
    struct planned planned = plan(*state);
    struct error err = {0};
    planned.request.preprocessing = DATA_STANDARDIZE;
    struct dataset *shared = share(&planned), *loaded = dataset_load(&planned.request, &err);
    assert_true(shared->examples.file >= 0);
    assert_int_equal(loaded->examples.file, -1);
    assert_equal(shared, loaded);
    dataset_destroy(shared);
    dataset_destroy(loaded);
}

static void files_are_read_once_for_all_views(void **state)
{
    const struct place *place = *state;
    struct planned planned = plan(place);
    struct dataset *first = share(&planned);
    remove_files(place->set);
    planned.request.split_seed = 1;
    struct dataset *second = share(&planned);
    assert_memory_equal(second->train_images, first->train_images, TRAIN * PIXELS);
    assert_memory_not_equal(second->validation_index, first->validation_index,
                            3 * sizeof(uint32_t));
    dataset_destroy(first);
    dataset_destroy(second);
}

static void files_that_changed_are_refused(void **state)
{
    const struct place *place = *state;
    struct planned planned = plan(place);
    struct error private, err = {0};
    struct bytes labels = labels_of(TEST);
    labels.at[8] = 9;
    put(place, 3, &labels);
    for (int is_private = 0; is_private < 2; is_private++) {
        assert_null(
            dataset_share(&planned.request, &planned.info, planned.content, &private, &err));
        assert_int_equal(err.class, ERROR_TASK);
        assert_string_equal(err.text, "the dataset toy changed since the run began");
        setenv(SHARED_BLOCK_VARIABLE, "", 1);
    }
}

/* Nothing but the set may be left in the place. */
static int remove_empty_place(void **state)
{
    struct place *place = *state;
    char root[64];
    strcpy(root, place->root);
    remove_place(state);
    return access(root, F_OK) == 0;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_empty_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(shared_and_loaded_are_the_same),
        IN_PLACE(files_are_read_once_for_all_views),
        IN_PLACE(files_that_changed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

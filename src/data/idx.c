/* The source behind "mnist", "fashion-mnist" and any folder with four files in IDX format.
 *
 * The files are looked for in folder/name, then in folder itself; each may be raw or .gz. All four
 * are opened and compared with each other before any is decoded. */
#include <inttypes.h>
#include <string.h>

#include "idx_file.h"
#include "source.h"

#define CLASSES 10

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, FILES };

static const char *const names[FILES + 1] = {
    [TRAIN_IMAGES] = "train-images-idx3-ubyte",
    [TRAIN_LABELS] = "train-labels-idx1-ubyte",
    [TEST_IMAGES] = "t10k-images-idx3-ubyte",
    [TEST_LABELS] = "t10k-labels-idx1-ubyte",
};

struct idx_set {
    struct idx_file files[FILES];
};

static int check_pair(const struct idx_file *images, const struct idx_file *labels,
                      struct error *err)
{
    if (images->count == labels->count)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: %" PRId64 " labels for the %" PRId64 " images of %s",
                     labels->data.path, labels->count, images->count, images->data.path);
}

static int check_set(const struct idx_set *set, struct error *err)
{
    const struct idx_file *train = &set->files[TRAIN_IMAGES], *test = &set->files[TEST_IMAGES];
    if (check_pair(train, &set->files[TRAIN_LABELS], err) ||
        check_pair(test, &set->files[TEST_LABELS], err))
        return -1;
    if (train->height == test->height && train->width == test->width)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: images of %dx%d; those of %s have %dx%d",
                     test->data.path, test->height, test->width, train->data.path, train->height,
                     train->width);
}

static void set_close(struct idx_set *set)
{
    for (int i = 0; i < FILES; i++)
        idx_close(&set->files[i]);
}

static int set_open_file(struct idx_file *file, const char *folder, int part, struct error *err)
{
    bool is_images = part == TRAIN_IMAGES || part == TEST_IMAGES;
    if (!data_file_find(&file->data, folder, names[part]))
        return error_set(err, ERROR_USAGE, "%s: neither %s nor %s.gz is there", folder, names[part],
                         names[part]);
    return idx_open(file, is_images ? IDX_IMAGES : IDX_LABELS, err);
}

static int set_open(struct idx_set *set, const struct dataset_request *request, struct error *err)
{
    char folder[DATA_FOLDER_SIZE];
    *set = (struct idx_set){0};
    int status = data_folder_find(request, names, folder, err);
    for (int i = 0; status == 0 && i < FILES; i++)
        status = set_open_file(&set->files[i], folder, i, err);
    if (status == 0)
        status = check_set(set, err);
    if (status)
        set_close(set);
    return status;
}

static int idx_describe(const struct dataset_request *request, struct dataset_info *info,
                        struct error *err)
{
    struct idx_set set;
    if (set_open(&set, request, err))
        return -1;
    *info = (struct dataset_info){
        .channels = 1,
        .height = set.files[TRAIN_IMAGES].height,
        .width = set.files[TRAIN_IMAGES].width,
        .classes = CLASSES,
        .train = set.files[TRAIN_IMAGES].count,
        .test = set.files[TEST_IMAGES].count,
    };
    set_close(&set);
    return 0;
}

/* Files are opened anew to be read: they may have been replaced since they were described. */
static int check_unchanged(const struct idx_set *set, const struct dataset_info *info,
                           struct error *err)
{
    const struct idx_file *train = &set->files[TRAIN_IMAGES], *test = &set->files[TEST_IMAGES];
    if (train->height == info->height && train->width == info->width &&
        train->count >= info->train + info->validation && test->count >= info->test)
        return 0;
    return error_set(err, ERROR_RESOURCE, "%s: changed while it was being loaded",
                     train->data.path);
}

static int check_labels(const struct idx_file *file, const uint8_t *labels, int64_t count,
                        struct error *err)
{
    for (int64_t i = 0; i < count; i++)
        if (labels[i] >= CLASSES)
            return error_set(err, ERROR_USAGE,
                             "%s: label %d of example %" PRId64 " (the first is 0); labels go from "
                             "0 to %d",
                             file->data.path, labels[i], i, CLASSES - 1);
    return 0;
}

static void take_labels(void *user, const uint8_t *bytes, size_t size)
{
    uint8_t **to = user;
    memcpy(*to, bytes, size);
    *to += size;
}

static int read_labels(struct idx_file *file, const struct intake *intake, enum intake_part part,
                       struct error *err)
{
    uint8_t *to = intake->labels[part];
    if (idx_read(file, intake->count[part], take_labels, &to, err))
        return -1;
    return check_labels(file, intake->labels[part], intake->count[part], err);
}

struct image_place {
    struct intake *intake;
    enum intake_part part;
};

static void take_images(void *user, const uint8_t *bytes, size_t size)
{
    const struct image_place *place = user;
    intake_images(place->intake, place->part, bytes, size);
}

static int read_images(struct idx_file *file, struct intake *intake, enum intake_part part,
                       struct error *err)
{
    struct image_place place = {intake, part};
    return idx_read(file, intake->count[part], take_images, &place, err);
}

/* Labels first: they are quick to check. */
static int idx_source_read(const struct dataset_request *request, const struct dataset_info *info,
                           struct intake *intake, struct error *err)
{
    struct idx_set set;
    if (set_open(&set, request, err))
        return -1;
    struct idx_file *files = set.files;
    bool failed = check_unchanged(&set, info, err) ||
                  read_labels(&files[TRAIN_LABELS], intake, INTAKE_TRAIN, err) ||
                  read_labels(&files[TEST_LABELS], intake, INTAKE_TEST, err) ||
                  read_images(&files[TRAIN_IMAGES], intake, INTAKE_TRAIN, err) ||
                  read_images(&files[TEST_IMAGES], intake, INTAKE_TEST, err);
    set_close(&set);
    return failed ? -1 : 0;
}

const struct data_source idx_source = {.describe = idx_describe, .read = idx_source_read};

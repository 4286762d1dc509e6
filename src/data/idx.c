/* The source behind "mnist", "fashion-mnist" and any folder with four files in IDX format.
 *
 * The files are looked for in folder/name, then in folder itself; each may be raw or .gz. All four
 * are opened and compared with each other before any is decoded. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idx_file.h"
#include "source.h"

#define CLASSES 10
#define FOLDER_SIZE (DATA_PATH_SIZE + DATA_NAME_SIZE)

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, FILES };

static const struct {
    const char *name;
    enum idx_kind kind;
} set_files[FILES] = {
    [TRAIN_IMAGES] = {"train-images-idx3-ubyte", IDX_IMAGES},
    [TRAIN_LABELS] = {"train-labels-idx1-ubyte", IDX_LABELS},
    [TEST_IMAGES] = {"t10k-images-idx3-ubyte", IDX_IMAGES},
    [TEST_LABELS] = {"t10k-labels-idx1-ubyte", IDX_LABELS},
};

struct idx_set {
    struct idx_file files[FILES];
};

/* Writes the path of folder/name, raw or else .gz, and says whether it exists. `path` has
 * IDX_PATH_SIZE bytes. */
static bool find_file(const char *folder, const char *name, char *path)
{
    static const char *const endings[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        int length = snprintf(path, IDX_PATH_SIZE, "%s/%s%s", folder, name, endings[i]);
        if (length < IDX_PATH_SIZE && access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static bool has_any_file(const char *folder)
{
    char path[IDX_PATH_SIZE];
    for (int i = 0; i < FILES; i++)
        if (find_file(folder, set_files[i].name, path))
            return true;
    return false;
}

/* "; did you mean 'mnist'?" where the name looks like a known one that it is not. */
static void suggest(const char *name, char *to, size_t size)
{
    static const char *const known[] = {"mnist", "fashion-mnist", "digits"};
    const char *nearest = text_nearest(name, known, sizeof known / sizeof *known);
    to[0] = '\0';
    if (nearest && strcmp(nearest, name) != 0)
        snprintf(to, size, "; did you mean '%s'?", nearest);
}

static int find_folder(const struct dataset_request *request, char folder[FOLDER_SIZE],
                       struct error *err)
{
    char hint[64];
    struct stat status;
    suggest(request->name, hint, sizeof hint);
    if (request->folder[0] == '\0')
        return error_set(err, ERROR_USAGE,
                         "dataset '%s' is read from files: name their folder with --data or "
                         "SWEEPSTAKE_DATA%s",
                         request->name, hint);
    if (stat(request->folder, &status) || !S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE,
                         "%s: no such folder; dataset '%s' is read from the folder that --data or "
                         "SWEEPSTAKE_DATA names%s",
                         request->folder, request->name, hint);
    snprintf(folder, FOLDER_SIZE, "%s/%s", request->folder, request->name);
    if (has_any_file(folder))
        return 0;
    snprintf(folder, FOLDER_SIZE, "%s", request->folder);
    if (has_any_file(folder))
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: neither this folder nor its folder '%s' holds %s or %s.gz and the other "
                     "files of dataset '%s'%s",
                     request->folder, request->name, set_files[0].name, set_files[0].name,
                     request->name, hint);
}

static int check_pair(const struct idx_file *images, const struct idx_file *labels,
                      struct error *err)
{
    if (images->count == labels->count)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: %" PRId64 " labels for the %" PRId64 " images of %s",
                     labels->path, labels->count, images->count, images->path);
}

static int check_set(const struct idx_set *set, struct error *err)
{
    const struct idx_file *train = &set->files[TRAIN_IMAGES], *test = &set->files[TEST_IMAGES];
    if (check_pair(train, &set->files[TRAIN_LABELS], err) ||
        check_pair(test, &set->files[TEST_LABELS], err))
        return -1;
    if (train->height == test->height && train->width == test->width)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: images of %dx%d; those of %s have %dx%d", test->path,
                     test->height, test->width, train->path, train->height, train->width);
}

static void set_close(struct idx_set *set)
{
    for (int i = 0; i < FILES; i++)
        idx_close(&set->files[i]);
}

static int set_open_file(struct idx_file *file, const char *folder, int part, struct error *err)
{
    if (!find_file(folder, set_files[part].name, file->path))
        return error_set(err, ERROR_USAGE, "%s: neither %s nor %s.gz is there", folder,
                         set_files[part].name, set_files[part].name);
    return idx_open(file, set_files[part].kind, err);
}

static int set_open(struct idx_set *set, const struct dataset_request *request, struct error *err)
{
    char folder[FOLDER_SIZE];
    *set = (struct idx_set){0};
    int status = find_folder(request, folder, err);
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
    return error_set(err, ERROR_RESOURCE, "%s: changed while it was being loaded", train->path);
}

static int check_labels(const struct idx_file *file, const uint8_t *labels, int64_t count,
                        struct error *err)
{
    for (int64_t i = 0; i < count; i++)
        if (labels[i] >= CLASSES)
            return error_set(err, ERROR_USAGE,
                             "%s: label %d of example %" PRId64 " (the first is 0); labels go from "
                             "0 to %d",
                             file->path, labels[i], i, CLASSES - 1);
    return 0;
}

static int idx_fill(const struct dataset_request *request, struct dataset *dataset,
                    struct error *err)
{
    const struct dataset_info *info = &dataset->info;
    int64_t training = info->train + info->validation;
    struct idx_set set;
    if (set_open(&set, request, err))
        return -1;
    struct idx_file *files = set.files;
    int status = check_unchanged(&set, info, err) ||
                         idx_read(&files[TRAIN_LABELS], training, dataset->train_labels, err) ||
                         check_labels(&files[TRAIN_LABELS], dataset->train_labels, training, err) ||
                         idx_read(&files[TEST_LABELS], info->test, dataset->test_labels, err) ||
                         check_labels(&files[TEST_LABELS], dataset->test_labels, info->test, err) ||
                         idx_read(&files[TRAIN_IMAGES], training, dataset->train_images, err) ||
                         idx_read(&files[TEST_IMAGES], info->test, dataset->test_images, err)
                     ? -1
                     : 0;
    set_close(&set);
    return status;
}

const struct data_source idx_source = {.describe = idx_describe, .fill = idx_fill};

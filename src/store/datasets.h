/* Every dataset of a store, in the order they stand in the file: one list from which the file is
 * made, its size is computed and its first content is written. */
#ifndef SWEEPSTAKE_STORE_DATASETS_H
#define SWEEPSTAKE_STORE_DATASETS_H

#include <hdf5.h>

#include "base/error.h"
#include "store/store.h"

#define DATASET_PATH_SIZE 256
#define DATASET_MAX_RANK 5
#define DATASET_ALIGNMENT 4096

enum dataset_content {
    CONTENT_NONE,    /* rows are written before anybody reads them */
    CONTENT_ROWS,    /* the caller's */
    CONTENT_ZERO,    /* attempts, environments */
    CONTENT_PENDING, /* results */
};

struct dataset {
    char path[DATASET_PATH_SIZE];
    hid_t type;
    int rank;
    hsize_t dims[DATASET_MAX_RANK];
    int64_t bytes;
    enum dataset_content content;
    const void *rows; /* CONTENT_ROWS; not owned */
    void *owned;      /* rows made for this list, or NULL */
};

struct dataset_list {
    struct dataset *items;
    size_t count, capacity;
};

/* Checks the layout (names, columns, offsets) and lists what it needs. The layout must outlive the
 * list. */
int datasets_list(const struct store_layout *layout, struct dataset_list *list, struct error *err);
void datasets_finish(struct dataset_list *list);

/* Size of a file whose metadata ends at `metadata`, each dataset that follows aligned. */
int64_t datasets_file_bytes(const struct dataset_list *list, int64_t metadata);

/* Paths. `to` has DATASET_PATH_SIZE bytes. */
void datasets_mask_path(char *to, const struct store_network *network, int32_t parameter);
void datasets_weights_path(char *to, const struct store_network *network, int32_t parameter,
                           int32_t when);

/* Bytes of a parameter's bit-packed mask. */
int64_t datasets_mask_bytes(const struct store_parameter *parameter);

#endif

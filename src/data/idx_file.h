/* One IDX file, raw or gzip: a big-endian magic number that tells images from labels, the sizes,
 * and one byte a pixel or label. */
#ifndef DATA_IDX_FILE_H
#define DATA_IDX_FILE_H

#include "data_file.h"

enum idx_kind { IDX_IMAGES, IDX_LABELS };

struct idx_file {
    struct data_file data;
    enum idx_kind kind;
    int64_t count;
    int32_t height, width; /* of an example; 1 x 1 for labels */
};

/* Opens file->data.path and checks the header, and the length as far as it is known without
 * decoding. On failure the file is closed. */
int idx_open(struct idx_file *file, enum idx_kind kind, struct error *err);

/* Reads the first `count` <= file->count examples; what follows them is decoded and checked too. */
int idx_read(struct idx_file *file, int64_t count, uint8_t *examples, struct error *err);

void idx_close(struct idx_file *file); /* accepts a closed file */

#endif

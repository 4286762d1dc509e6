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

/* Hands over the first `count` <= file->count examples, in pieces; what follows them is decoded and
 * checked too. */
typedef void idx_take(void *user, const uint8_t *bytes, size_t size);
int idx_read(struct idx_file *file, int64_t count, idx_take *take, void *user, struct error *err);

void idx_close(struct idx_file *file); /* accepts a closed file */

#endif

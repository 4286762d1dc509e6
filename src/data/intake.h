/* The way of examples out of a source: into memory, and into the content hash. Images come in file
 * order, those of training first; they need not be kept for their hash. */
#ifndef DATA_INTAKE_H
#define DATA_INTAKE_H

#include "data/dataset.h"

enum intake_part { INTAKE_TRAIN, INTAKE_TEST, INTAKE_PARTS };

struct intake {
    int64_t count[INTAKE_PARTS];   /* examples wanted */
    uint8_t *labels[INTAKE_PARTS]; /* [count], the source's to write before the part's last image */
    uint8_t *images[INTAKE_PARTS]; /* where the next go; NULL = they are not kept */
    struct hash_stream *hash;      /* NULL = not wanted */
    bool is_testing;               /* an image of INTAKE_TEST came */
};

/* The hash, where it is wanted, begins with the sizes, so that no two datasets give the same bytes:
 * then images and labels of training, and of the test. */
int intake_begin(struct intake *intake, const struct dataset_info *info, bool wants_hash,
                 struct error *err);
void intake_images(struct intake *intake, enum intake_part part, const uint8_t *images,
                   size_t bytes);
struct hash128 intake_content(struct intake *intake); /* once all came */
void intake_finish(struct intake *intake);

#endif

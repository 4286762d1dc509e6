/* Where examples come from: a source says what it has and hands its examples over.
 * dataset.c owns everything around it: subsets, memory, the split, the content hash. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/dataset.h"
#include "intake.h"

struct data_source {
    /* Sizes of everything there is: info->train counts all training examples, info->validation
     * is left 0. Cheap: nothing is decoded beyond headers. */
    int (*describe)(const struct dataset_request *request, struct dataset_info *info,
                    struct error *err);
    /* Hands over the first examples of each part, as many as `info` says. */
    int (*read)(const struct dataset_request *request, const struct dataset_info *info,
                struct intake *intake, struct error *err);
    /* The content hash without the data; NULL = the decoded data are hashed. */
    struct hash128 (*content)(const struct dataset_info *info,
                              const struct dataset_request *request);
};

extern const struct data_source idx_source;       /* four IDX files in a folder */
extern const struct data_source cifar_source;     /* CIFAR-10's binary version */
extern const struct data_source generated_source; /* generator.h */

/* The known dataset that `name` looks like, or NULL. */
const char *source_nearest(const char *name);

#endif

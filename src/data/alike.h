/* Which examples go well together. */
#ifndef DATA_ALIKE_H
#define DATA_ALIKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* As many as fully connected networks evaluate at once (net_evaluate_batch). */
#define ALIKE_GROUP 176

/* Examples of [example][bytes]. */
struct alike_images {
    const uint8_t *images;
    size_t bytes; /* of one */
};

/* Reorders `examples` [count], so that those of a group, ALIKE_GROUP one after the other, have many
 * bytes in common that are blank, 0. A function of the examples and their order alone; what stands
 * near one another is likelier to be put together. */
int alike_arrange(const struct alike_images *of, uint32_t *examples, int64_t count,
                  struct error *err);

#endif

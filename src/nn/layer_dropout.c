/* Dropout (Srivastava et al. 2014), scaled while training so that evaluation is the identity. */
#include <stdio.h>
#include <stdlib.h>

#include "operation.h"

static int dropout_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                          struct error *err)
{
    if (!(layer->drop > 0 && layer->drop < 1))
        return error_set(err, ERROR_USAGE, "the probability of dropping is between 0 and 1, not %g",
                         layer->drop);
    *output = input;
    return 0;
}

/* The shortest decimal that reads back as the same number. */
static void dropout_text(const struct layer_spec *layer, struct text *text)
{
    char digits[32];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, layer->drop);
        if (strtod(digits, NULL) == layer->drop)
            break;
    }
    text_add(text, " %s", digits);
}

const struct operation operation_dropout = {
    .name = "dropout",
    .output = dropout_output,
    .text = dropout_text,
};

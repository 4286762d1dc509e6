/* Residual blocks: two marks that compute nothing (trace.c resolves who reads what), and the
 * addition at the end. */
#include "operation.h"

const struct operation operation_residual = {.name = "residual"};

const struct operation operation_shortcut = {.name = "shortcut"};

const struct operation operation_add = {.name = "add"};

/* Rectifier: y = max(x, 0). */
#include "operation.h"

const struct operation operation_relu = {.name = "relu"};

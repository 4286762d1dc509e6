/* What is wrong with a file before it is YAML: bytes that are no UTF-8, NUL, tabs as indentation.
 */
#ifndef SWEEPSTAKE_GRID_CHARACTERS_H
#define SWEEPSTAKE_GRID_CHARACTERS_H

#include <stddef.h>

#include "reader.h"

int characters_check(const struct reader *reader, const char *text, size_t length);

#endif

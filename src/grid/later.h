/* Names that the grid language will know and this release does not. They are refused as "not there
 * yet" instead of "unknown"; bringing one means moving it from here to where its kind is listed. */
#ifndef SWEEPSTAKE_GRID_LATER_H
#define SWEEPSTAKE_GRID_LATER_H

#include <stdbool.h>

/* `path` is the field's ("prune.criterion") or "controls.kind". "_" and "-" are alike. */
bool name_is_later(const char *path, const char *name);

#endif

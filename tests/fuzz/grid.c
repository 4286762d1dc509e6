/* The grid reader: any bytes are a grid, or refused with a mark. */
#include "grid/grid.h"

#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    struct grid *grid = grid_parse("g.yaml", (const char *)bytes, size, &err);
    if (grid == NULL) {
        must_say_why(&err);
        MUST(err.class == ERROR_USAGE);
        return 0;
    }
    MUST(grid->experiment_count >= 1 && grid->experiment_count <= GRID_MAX_EXPERIMENTS);
    MUST(grid->text_length == size && memcmp(grid->text, bytes, size) == 0);
    grid_destroy(grid);
    return 0;
}

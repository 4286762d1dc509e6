/* The IDX reader: four files, raw or gzip, as a data set. */
#include "folder.h"

static const char *const names[FOLDER_FILES] = {
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
};
static struct folder folder = {.dataset = "fuzz", .names = names};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return folder_fuzz(&folder, bytes, size);
}

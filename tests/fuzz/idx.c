/* The IDX reader: four files, raw or gzip, as a data set. */
#include "folder.h"

static const char *const names[FOLDER_FILES] = {
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
};
static struct folder folder = {.dataset = "fuzz", .names = names};

static void remove_folder(void)
{
    folder_remove(&folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (folder.path[0] == '\0') {
        folder_create(&folder);
        atexit(remove_folder);
    }
    folder_try(&folder, bytes, size);
    return 0;
}

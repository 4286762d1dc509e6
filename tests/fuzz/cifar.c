/* The CIFAR-10 reader: training batches and a test batch, raw or gzip. */
#include "folder.h"

static const char *const names[FOLDER_FILES] = {
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "test_batch.bin",
};
static struct folder folder = {.dataset = "cifar10", .names = names};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return folder_fuzz(&folder, bytes, size);
}

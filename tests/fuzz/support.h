/* What the fuzz targets share: taking an input apart, files in memory for readers that want a path,
 * and the check that a refusal says why. */
#ifndef TESTS_FUZZ_SUPPORT_H
#define TESTS_FUZZ_SUPPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A finding: libFuzzer keeps the input. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Every refusal has a class and a text. */
static inline void must_say_why(const struct error *err)
{
    MUST(err->class != ERROR_NONE && err->text[0] != '\0');
    MUST(memchr(err->text, '\0', sizeof err->text) != NULL);
}

/* --- an input, taken from its front; what is not there any more is zero --- */

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline struct input input_take(struct input *input, size_t size)
{
    struct input taken = {input->bytes, size < input->left ? size : input->left};
    input->bytes += taken.left;
    input->left -= taken.left;
    return taken;
}

static inline uint32_t input_number(struct input *input, size_t size)
{
    struct input taken = input_take(input, size);
    uint32_t value = 0;
    for (size_t i = 0; i < taken.left; i++)
        value |= (uint32_t)taken.bytes[i] << (8 * i);
    return value;
}

/* --- files in memory --- */

#define MEMORY_PATH_SIZE 64

/* A folder for readers that do not open a descriptor's path. tests/fuzz/run gives one that it
 * removes itself, since a finding ends the process. */
static inline void memory_folder(char path[MEMORY_PATH_SIZE])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, MEMORY_PATH_SIZE, "%s/fuzz-XXXXXX", base == NULL ? "/dev/shm" : base);
    MUST(mkdtemp(path) != NULL);
}

static inline int memory_file(char path[MEMORY_PATH_SIZE])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(fd >= 0);
    snprintf(path, MEMORY_PATH_SIZE, "/proc/self/fd/%d", fd);
    return fd;
}

static inline void memory_file_set(int fd, const void *bytes, size_t size)
{
    MUST(ftruncate(fd, 0) == 0);
    MUST(pwrite(fd, bytes, size, 0) == (ssize_t)size);
}

#endif

/* Flips and crops: a function of (stream, epoch, position) and the example alone, so that neither
 * the batch nor a restart changes what an epoch sees. One block of random bits an example: which
 * word means what is part of what a task's key stands for. */
#include "augment.h"

#include <string.h>

#define PADDING 4 /* black pixels around the image, on each side */

/* The window into the padded image, then whether it is mirrored. */
struct view {
    int32_t down, right; /* from the image's own corner, -PADDING..PADDING */
    bool is_mirrored;
};

static int32_t offset_of(uint32_t word)
{
    return (int32_t)((uint64_t)word * (2 * PADDING + 1) >> 32) - PADDING;
}

static struct view draw_view(const struct augmentation *augmentation, uint32_t position)
{
    uint32_t words[4];
    uint64_t epoch = (uint64_t)augmentation->epoch;
    rng_block(augmentation->stream, (epoch << 32) + position, words);
    return (struct view){offset_of(words[0]), offset_of(words[1]), words[2] >> 31};
}

static void mirror(uint8_t *row, int32_t width)
{
    for (int32_t i = 0, j = width - 1; i < j; i++, j--) {
        uint8_t pixel = row[i];
        row[i] = row[j];
        row[j] = pixel;
    }
}

static void view_row(const uint8_t *from, uint8_t *to, int32_t width, const struct view *view)
{
    int32_t cut = view->right > 0 ? view->right : 0, blank = view->right < 0 ? -view->right : 0;
    int32_t seen = width - cut - blank;
    if (seen > 0)
        memcpy(to + blank, from + cut, (size_t)seen);
    if (view->is_mirrored)
        mirror(to, width);
}

void augment_example(const struct augmentation *augmentation, uint32_t position, uint8_t *to)
{
    const struct dataset_info *info = &augmentation->dataset->info;
    struct view view = draw_view(augmentation, position);
    size_t width = (size_t)info->width, plane = (size_t)info->height * width;
    size_t bytes = (size_t)info->channels * plane;
    const uint8_t *image = augmentation->dataset->train_images + position * bytes;
    memset(to, 0, bytes);
    for (int32_t channel = 0; channel < info->channels; channel++, image += plane, to += plane)
        for (int32_t row = 0; row < info->height; row++) {
            int32_t from = row + view.down;
            if (from >= 0 && from < info->height)
                view_row(image + (size_t)from * width, to + (size_t)row * width, info->width,
                         &view);
        }
}

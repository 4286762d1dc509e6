/* Each channel's mean and deviation. Bytes and their squares are summed as integers, so that the
 * order of the sums changes nothing. */
#include "standardize.h"

#include <math.h>

#include "base/memory.h"

struct moments {
    uint64_t sum, squares;
};

/* One row: narrow sums, which vectorise. A row of 4096 squares fits. */
static void add_row(const uint8_t *row, int32_t width, struct moments *moments)
{
    uint32_t sum = 0, squares = 0;
    for (int32_t i = 0; i < width; i++) {
        uint32_t byte = row[i];
        sum += byte;
        squares += byte * byte;
    }
    moments->sum += sum;
    moments->squares += squares;
}

static struct moments sum_channel(const struct dataset *dataset, int32_t channel)
{
    const struct dataset_info *info = &dataset->info;
    size_t width = (size_t)info->width, plane = (size_t)info->height * width;
    struct moments moments = {0};
    for (int64_t i = 0; i < info->train + info->validation; i++) {
        size_t number = (size_t)i * (size_t)info->channels + (size_t)channel;
        for (int32_t row = 0; row < info->height; row++)
            add_row(dataset->train_images + number * plane + (size_t)row * width, info->width,
                    &moments);
    }
    return moments;
}

/* (byte / 255 - mean) / deviation, where mean and deviation are those of byte / 255. */
static struct data_scale scale_of(struct moments moments, double pixels)
{
    double mean = (double)moments.sum / pixels;
    double variance = (double)moments.squares / pixels - mean * mean;
    double factor = variance > 0 ? 255.0 / sqrt(variance) : 1.0;
    return (struct data_scale){(float)factor, (float)(-mean / 255.0 * factor)};
}

int standardize(struct dataset *dataset, struct error *err)
{
    const struct dataset_info *info = &dataset->info;
    double pixels = (double)(info->train + info->validation) * info->height * info->width;
    dataset->scales = mem_zeroed((size_t)info->channels, sizeof *dataset->scales, err);
    if (!dataset->scales)
        return -1;
    for (int32_t channel = 0; channel < info->channels; channel++)
        dataset->scales[channel] = scale_of(sum_channel(dataset, channel), pixels);
    return 0;
}

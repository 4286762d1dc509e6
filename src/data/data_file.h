/* The files of a dataset: where they are, and reading one of them, raw or gzip. The container is
 * told by its content, not by its name. */
#ifndef DATA_DATA_FILE_H
#define DATA_DATA_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

#include "base/error.h"
#include "data/dataset.h"

#define DATA_FOLDER_SIZE (DATA_PATH_SIZE + DATA_NAME_SIZE)
#define DATA_FILE_PATH_SIZE (DATA_FOLDER_SIZE + 64)
#define DATA_GZIP_RATIO 1032 /* deflate cannot pack better than this */

/* The folder that holds any of the files `names` (NULL-terminated): request->folder/name, or else
 * request->folder itself. Usage error when neither does, naming the first of them. */
int data_folder_find(const struct dataset_request *request, const char *const *names,
                     char folder[DATA_FOLDER_SIZE], struct error *err);

struct data_file {
    char path[DATA_FILE_PATH_SIZE];
    gzFile stream;   /* NULL while closed */
    int64_t on_disk; /* bytes, as they are stored */
};

/* Writes the path of folder/name, raw or else .gz, and says whether it exists. */
bool data_file_find(struct data_file *file, const char *folder, const char *name);

/* Opens file->path. On failure the file is closed. */
int data_file_open(struct data_file *file, struct error *err);
void data_file_close(struct data_file *file); /* accepts a closed file */

/* Decoded bytes are the bytes on disk. */
bool data_file_is_raw(const struct data_file *file);

/* Reads up to `wanted` decoded bytes; fewer only at the end of the data. -1 on failure. */
int64_t data_file_read(struct data_file *file, void *to, int64_t wanted, struct error *err);

#endif

/* NAME.h5.status: a line with the code, whether the ranks end together, and the error's class, then
 * the error's text. Written whole or not at all (file_replace). */
#include "status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define STATUS_FILE_LIMIT 4096

static void name_file(const char *store_file, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s.status", store_file);
}

int status_write(const char *store_file, const struct status *status, struct error *err)
{
    char path[PATH_MAX], content[STATUS_FILE_LIMIT];
    name_file(store_file, path);
    int length = snprintf(content, sizeof content, "%d %d %d\n%s", status->code, status->together,
                          (int)status->err.class, status->err.text);
    return file_replace(path, content, (size_t)length, err);
}

bool status_read(const char *store_file, struct status *status)
{
    char path[PATH_MAX], *content;
    size_t length;
    int together, class;
    name_file(store_file, path);
    if (access(path, F_OK) != 0 || file_read(path, STATUS_FILE_LIMIT, &content, &length, NULL) != 0)
        return false;
    *status = (struct status){0};
    char *text = strchr(content, '\n');
    bool read = text != NULL &&
                sscanf(content, "%d %d %d", &status->code, &together, &class) == 3 &&
                class >= ERROR_NONE && class <= ERROR_INTERNAL;
    if (read) {
        status->together = together != 0;
        status->err.class = (enum error_class) class;
        text_copy(status->err.text, sizeof status->err.text, text + 1);
    }
    free(content);
    return read;
}

void status_remove(const char *store_file)
{
    char path[PATH_MAX];
    char temporary[PATH_MAX + sizeof FILE_TEMPORARY];
    name_file(store_file, path);
    unlink(path);
    snprintf(temporary, sizeof temporary, "%s" FILE_TEMPORARY, path);
    unlink(temporary); /* of a writer that was killed */
}

/* Owns the note's name and form; the script reads and writes the same (slurm/sweep.sbatch.in). */
#include "note.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define PATH_SIZE 4096
#define NOTE_BYTES 4096

static void name_note(const char *store, char to[PATH_SIZE])
{
    snprintf(to, PATH_SIZE, "%s.job", store);
}

long long note_read(const char *store)
{
    char path[PATH_SIZE], *text;
    size_t length;
    name_note(store, path);
    if (access(path, F_OK) != 0 || file_read(path, NOTE_BYTES, &text, &length, NULL) != 0)
        return 0;
    long long number = strtoll(text, NULL, 10);
    free(text);
    return number > 0 ? number : 0;
}

/* The number, then what the script keeps: restarts without progress, and how far it was. */
int note_write(const char *store, long long number, struct error *err)
{
    char path[PATH_SIZE], text[64];
    name_note(store, path);
    int length = snprintf(text, sizeof text, "%lld 0 0 0\n", number);
    return file_replace(path, text, (size_t)length, err);
}

void note_remove(const char *store)
{
    char path[PATH_SIZE];
    name_note(store, path);
    unlink(path);
}

/* Error messages of a grid file: where, what, and what would be right. */
#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define FEW_KEYS_LENGTH 160 /* a list of known keys that is longer is not printed */

int reader_fail(const struct reader *reader, struct mark mark, const char *path, const char *format,
                ...)
{
    char what[sizeof reader->err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    error_set(reader->err, ERROR_USAGE, "%s", what);
    if (path != NULL)
        error_prefix(reader->err, "%s", path);
    if (mark.line > 0)
        return error_prefix(reader->err, "%s:%u:%u", reader->file, mark.line, mark.column);
    return error_prefix(reader->err, "%s", reader->file);
}

static void list_words(struct text *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(text, "%s%s", i > 0 ? ", " : "", words[i]);
}

int reader_unknown(const struct reader *reader, struct mark mark, const char *path, const char *key,
                   const char *const *known, size_t count)
{
    const char *nearest = text_nearest(key, known, count);
    if (nearest != NULL)
        return reader_fail(reader, mark, path, "unknown key; did you mean %s?", nearest);
    struct text words = {0};
    list_words(&words, known, count);
    if (words.bytes != NULL && words.length <= FEW_KEYS_LENGTH)
        reader_fail(reader, mark, path, "unknown key; known here: %s", words.bytes);
    else
        reader_fail(reader, mark, path,
                    "unknown key; `sweepstake fields` lists what there is");
    text_finish(&words);
    return -1;
}

void *reader_zeroed(const struct reader *reader, size_t count, size_t size)
{
    return arena_zeroed(reader->arena, count, size, reader->err);
}

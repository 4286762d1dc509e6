/* Errors as values. The struct belongs to the caller and has a fixed size, so that reporting an
 * error never allocates and never fails. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum error_class class, const char *format, ...)
{
    if (err == NULL)
        return -1;
    /* Through a buffer: the arguments may point into the text that is replaced. */
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(err->text, text, sizeof text);
    err->class = class;
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    char prefix[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return error_set(err, err->class, "%s: %s", prefix, err->text);
}

int error_exit_status(const struct error *err)
{
    switch (err->class) {
    case ERROR_USAGE:
        return 2;
    case ERROR_STORAGE:
        return 75;
    default:
        return 1;
    }
}

/* Log lines on stderr. The level and the hook are process-wide by nature: there is one stderr.
 * A line goes out as one write, so that lines of several threads and ranks do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static enum log_level least_level = LOG_INFO;
static void (*before_line)(void *user);
static void *before_line_user;

static const char *level_prefix(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug: ";
    case LOG_WARNING:
        return "warning: ";
    case LOG_ERROR:
        return "error: ";
    case LOG_INFO:
        break;
    }
    return "";
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level < least_level)
        return;
    char line[2048];
    size_t limit = sizeof line - 1; /* the last place is the newline's */
    size_t used = (size_t)snprintf(line, limit, "sweepstake: %s", level_prefix(level));
    va_list args;
    va_start(args, format);
    vsnprintf(line + used, limit - used, format, args);
    va_end(args);
    strcat(line, "\n");
    if (before_line != NULL)
        before_line(before_line_user);
    fputs(line, stderr);
}

void log_set_level(enum log_level least)
{
    least_level = least;
}

void log_set_before_line(void (*hook)(void *user), void *user)
{
    before_line = hook;
    before_line_user = user;
}

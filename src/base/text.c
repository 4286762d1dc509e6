/* Text: the growing string, bounded copies, and numbers as people read them. A growing string's
 * failure is sticky, so that a writer of many pieces checks once, at the end. */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Room for `more` bytes and the terminator. */
static bool text_reserve(struct text *text, size_t more)
{
    size_t needed;
    if (__builtin_add_overflow(text->length, more, &needed) ||
        __builtin_add_overflow(needed, (size_t)1, &needed) ||
        mem_grow((void **)&text->bytes, &text->capacity, needed, 1, NULL) != 0)
        text->failed = true;
    return !text->failed;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        text->failed = true;
    if (!text->failed && text_reserve(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    if (text->failed || !text_reserve(text, length))
        return;
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_json(struct text *text, const char *string)
{
    text_add_bytes(text, "\"", 1);
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            text_add(text, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            text_add(text, "\\u%04x", (unsigned)*c);
        else
            text_add_bytes(text, c, 1);
    }
    text_add_bytes(text, "\"", 1);
}

void text_finish(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

bool text_copy(char *to, size_t size, const char *from)
{
    if (size == 0)
        return false;
    size_t length = strnlen(from, size);
    bool fits = length < size;
    if (!fits)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
    return fits;
}

char *text_bytes(char *to, size_t size, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    /* 999.5 would be printed as 1000. */
    while (fabs(bytes) >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    int decimals = unit > 0 && fabs(bytes) < 9.95 ? 1 : 0;
    snprintf(to, size, "%.*f %s", decimals, bytes, units[unit]);
    return to;
}

char *text_duration(char *to, size_t size, double seconds)
{
    if (!isfinite(seconds) || seconds < 0) {
        snprintf(to, size, "unknown");
    } else if (seconds < 59.95) {
        snprintf(to, size, "%.1f s", seconds);
    } else if (seconds < 3599.5) {
        double whole = round(seconds);
        snprintf(to, size, "%.0f min %.0f s", floor(whole / 60), fmod(whole, 60));
    } else if (seconds < 86370) {
        double minutes = round(seconds / 60);
        snprintf(to, size, "%.0f h %.0f min", floor(minutes / 60), fmod(minutes, 60));
    } else {
        double hours = round(seconds / 3600);
        snprintf(to, size, "%.0f d %.0f h", floor(hours / 24), fmod(hours, 24));
    }
    return to;
}

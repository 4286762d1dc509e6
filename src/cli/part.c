/* Owns the notation of parts. */
#include "part.h"

#include <stdio.h>
#include <string.h>

#define SUFFIX ".h5"

int part_read(const char *text, struct plan_part *part, struct error *err)
{
    int number = 0, count = 0, end = 0;
    *part = (struct plan_part){0};
    if (text == NULL)
        return 0;
    if (sscanf(text, "%4d/%4d%n", &number, &count, &end) != 2 || text[end] != '\0' || number < 1 ||
        number > count || count > PART_MOST)
        return error_set(err, ERROR_USAGE,
                         "--part is 1/K to K/K, K from 1 to %d, as in 2/5; not '%s'", PART_MOST,
                         text);
    *part = (struct plan_part){number, count};
    return 0;
}

int part_store(const char *whole, struct plan_part part, char *to, size_t size, struct error *err)
{
    const char *suffix = "";
    size_t length = strlen(whole), ending = sizeof SUFFIX - 1;
    if (length > ending && strcmp(whole + length - ending, SUFFIX) == 0) {
        suffix = SUFFIX;
        length -= ending;
    }
    int written = part.count == 0 ? snprintf(to, size, "%s", whole)
                                  : snprintf(to, size, "%.*s.%d-of-%d%s", (int)length, whole,
                                             part.number, part.count, suffix);
    if (written >= 0 && (size_t)written < size)
        return 0;
    return error_set(err, ERROR_USAGE, "store: the path is too long");
}

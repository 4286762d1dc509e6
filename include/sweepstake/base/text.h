/* Text: a growing string whose failure is sticky (checked once, at the end), bounded copies,
 * the nearest of several names for error messages, and numbers as people read them. */
#ifndef SWEEPSTAKE_BASE_TEXT_H
#define SWEEPSTAKE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes; /* always terminated once something was added; NULL while empty */
    size_t length, capacity;
    bool failed; /* memory ran out: the content is not complete */
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const char *bytes, size_t length);
/* Adds a JSON string, quotes included (RFC 8259; bytes above 127 are passed on as they are). */
void text_add_json(struct text *text, const char *string);
void text_finish(struct text *text); /* frees; the struct may be used again */

/* Copies with truncation, always terminates. Returns false when the text did not fit. */
bool text_copy(char *to, size_t size, const char *from);

/* The candidate with the smallest edit distance to `word`, or NULL when none is near (more than
 * a third of the word's length + 1 edits). */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* "1.2 GB", "340 kB": decimal units. `to` has `size` bytes. Returns `to`. */
char *text_bytes(char *to, size_t size, double bytes);
/* "3 d 4 h", "2 h 5 min", "12.3 s". Returns `to`. */
char *text_duration(char *to, size_t size, double seconds);

#endif

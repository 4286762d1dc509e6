/* Owns the check of a grid file's characters, so that YAML sees UTF-8 text only and each error
 * bears a line and a column (libyaml reports some of these without a place). */
#include "characters.h"

#include <stdbool.h>
#include <stdint.h>

struct cursor {
    const unsigned char *bytes;
    size_t length, at;
    struct mark mark;
    bool indenting; /* only white space since the start of the line */
};

/* Bytes of the character that `first` begins, 0 when none does. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Decodes the character at the cursor; returns its length, 0 when it is no UTF-8. */
static size_t decode(const struct cursor *cursor, uint32_t *code)
{
    const unsigned char *bytes = cursor->bytes + cursor->at;
    size_t length = sequence_length(bytes[0]);
    if (length == 0 || length > cursor->length - cursor->at)
        return 0;
    *code = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[length] || surrogate || *code > 0x10ffff ? 0 : length;
}

static bool is_control(uint32_t code)
{
    if (code < 0x20)
        return code != '\t' && code != '\n' && code != '\r';
    return (code >= 0x7f && code < 0xa0 && code != 0x85) || code == 0xfffe || code == 0xffff;
}

static int check_character(const struct reader *reader, const struct cursor *cursor, uint32_t code)
{
    if (code == 0)
        return reader_fail(reader, cursor->mark, NULL, "a NUL byte; write YAML text in UTF-8");
    if (is_control(code))
        return reader_fail(reader, cursor->mark, NULL,
                           "the control character U+%04X; write YAML text in UTF-8", code);
    if (code == '\t' && cursor->indenting)
        return reader_fail(reader, cursor->mark, NULL, "a tab as indentation; use spaces");
    return 0;
}

static void advance(struct cursor *cursor, uint32_t code, size_t length)
{
    cursor->at += length;
    if (code == '\n') {
        cursor->mark = (struct mark){cursor->mark.line + 1, 1};
        cursor->indenting = true;
    } else {
        cursor->mark.column++;
        cursor->indenting = cursor->indenting && (code == ' ' || code == '\r');
    }
}

int characters_check(const struct reader *reader, const char *text, size_t length)
{
    struct cursor cursor = {(const unsigned char *)text, length, 0, {1, 1}, true};
    while (cursor.at < length) {
        uint32_t code;
        size_t bytes = decode(&cursor, &code);
        if (bytes == 0)
            return reader_fail(reader, cursor.mark, NULL,
                               "the byte 0x%02X is no UTF-8; save the file as UTF-8",
                               cursor.bytes[cursor.at]);
        if (check_character(reader, &cursor, code) != 0)
            return -1;
        advance(&cursor, code, bytes);
    }
    return 0;
}

/* The two formats of an export.
 *
 * CSV is quoted as RFC 4180 says, with newlines as line ends. What is missing is empty in CSV and
 * null in JSON, and so is an infinity in JSON, which has none. Numbers are as short as they can be
 * and read back as they were. Text goes out in large pieces. */
#include "export_writer.h"

#include <math.h>
#include <string.h>

#include "number.h"

#define FLUSH_BYTES 65536

static bool is_json(const struct writer *writer)
{
    return writer->format == VIEW_JSON_LINES;
}

static void add(struct writer *writer, const char *bytes)
{
    text_add_bytes(&writer->text, bytes, strlen(bytes));
}

/* What stands between fields, and the name where the format repeats it. */
void writer_begin_field(struct writer *writer, const char *name)
{
    if (writer->in_row)
        add(writer, ",");
    else if (is_json(writer))
        add(writer, "{");
    writer->in_row = true;
    if (is_json(writer)) {
        text_add_json(&writer->text, name);
        add(writer, ":");
    }
}

void writer_missing(struct writer *writer)
{
    if (is_json(writer))
        add(writer, "null");
}

static void add_csv(struct writer *writer, const char *value)
{
    if (strpbrk(value, ",\"\r\n") == NULL) {
        add(writer, value);
        return;
    }
    add(writer, "\"");
    for (const char *c = value; *c != '\0'; c++)
        text_add_bytes(&writer->text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    add(writer, "\"");
}

void writer_text(struct writer *writer, const char *value)
{
    if (is_json(writer))
        text_add_json(&writer->text, value);
    else
        add_csv(writer, value);
}

void writer_integer(struct writer *writer, int64_t value)
{
    text_add(&writer->text, "%lld", (long long)value);
}

void writer_real(struct writer *writer, double value, bool single)
{
    char number[NUMBER_SIZE];
    if (isnan(value) || (isinf(value) && is_json(writer)))
        writer_missing(writer);
    else
        add(writer, number_shortest(number, value, single));
}

int writer_flush(struct writer *writer, struct error *err)
{
    size_t length = writer->text.length;
    if (writer->text.failed)
        return error_set(err, ERROR_RESOURCE, "not enough memory for a row");
    if (length > 0 && fwrite(writer->text.bytes, 1, length, writer->out) != length)
        return error_set(err, ERROR_RESOURCE, "the export could not be written");
    writer->text.length = 0;
    return 0;
}

int writer_end_row(struct writer *writer, struct error *err)
{
    add(writer, is_json(writer) ? "}\n" : "\n");
    writer->in_row = false;
    bool full = writer->text.length >= FLUSH_BYTES || writer->text.failed;
    return full ? writer_flush(writer, err) : 0;
}

void writer_finish(struct writer *writer)
{
    text_finish(&writer->text);
}

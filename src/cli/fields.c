/* sweepstake fields: the reference of everything a grid may set. */
#include <stdio.h>

#include "base/text.h"
#include "command.h"
#include "grid/fields.h"

static int run_fields(const struct command *command, int argc, char **argv)
{
    enum options_result read = options_read(command, NULL, 0, argc, argv, NULL, 0);
    if (read != OPTIONS_GO_ON)
        return read == OPTIONS_WRONG ? STATUS_USAGE : 0;
    struct text reference = {0};
    field_reference(&reference);
    int failed = reference.failed || fputs(reference.bytes, stdout) == EOF || fflush(stdout) != 0;
    text_finish(&reference);
    return failed;
}

const struct command command_fields = {
    .name = "fields",
    .operands = "",
    .summary = "The reference of everything a grid may set",
    .run = run_fields,
};

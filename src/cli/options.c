/* Options: one table a command, read by getopt_long, printed by --help. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "command.h"

#define MAX_OPTIONS 24
#define HELP_COLUMN 24

static void print_help(const struct command *command, const struct option_row *rows, size_t count)
{
    printf("usage: sweepstake %s%s%s%s\n\n%s.\n", command->name, count > 0 ? " [options]" : "",
           command->operands[0] != '\0' ? " " : "", command->operands, command->summary);
    if (command->details != NULL)
        printf("\n%s", command->details);
    printf("\noptions:\n");
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].argument != NULL ? " " : "",
                 rows[i].argument != NULL ? rows[i].argument : "");
        printf("  %-*s %s\n", HELP_COLUMN, left, rows[i].meaning);
    }
    printf("  %-*s %s\n", HELP_COLUMN, "--help", "show this");
}

static int complain(const struct command *command, const char *text)
{
    fprintf(stderr, "sweepstake %s: %s\nTry: sweepstake %s --help\n", command->name, text,
            command->name);
    return -1;
}

static bool read_number(const struct option_row *row, const char *text, double *number)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(*number))
        return false;
    if (row->kind == OPTION_INTEGER && *number != floor(*number))
        return false;
    return *number >= row->least && *number <= row->most;
}

static int store_value(const struct command *command, const struct option_row *row,
                       const char *text)
{
    double number;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->target = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)row->target = text;
        return 0;
    case OPTION_INTEGER:
    case OPTION_REAL:
        break;
    }
    if (!read_number(row, text, &number)) {
        char wrong[256];
        snprintf(wrong, sizeof wrong, "--%s '%s': expected %s from %g to %g", row->name, text,
                 row->kind == OPTION_INTEGER ? "a whole number" : "a number", row->least,
                 row->most);
        return complain(command, wrong);
    }
    if (row->kind == OPTION_INTEGER)
        *(int *)row->target = (int)number;
    else
        *(double *)row->target = number;
    return 0;
}

/* What getopt_long refused, with the nearest known name. */
static int complain_of_option(const struct command *command, const struct option_row *rows,
                              size_t count, const char *given)
{
    const char *names[MAX_OPTIONS];
    char word[64], wrong[256];
    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].name;
    text_copy(word, sizeof word, given + strspn(given, "-"));
    word[strcspn(word, "=")] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, names[i]) == 0) {
            snprintf(wrong, sizeof wrong, "--%s %s", word,
                     rows[i].kind == OPTION_FLAG ? "takes no value" : "needs a value");
            return complain(command, wrong);
        }
    }
    const char *near = text_nearest(word, names, count);
    snprintf(wrong, sizeof wrong, "unknown option '%s'%s%s%s", given,
             near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
             near != NULL ? "?" : "");
    return complain(command, wrong);
}

static int check_operands(const struct command *command, int given, int wanted, bool or_more)
{
    char wrong[256];
    if (given == wanted || (or_more && given > wanted))
        return 0;
    if (wanted == 0)
        snprintf(wrong, sizeof wrong, "takes no operands, %d given", given);
    else
        snprintf(wrong, sizeof wrong, "expected %s, %d operand%s given", command->operands, given,
                 given == 1 ? "" : "s");
    return complain(command, wrong);
}

/* Operands are the last words of argv then, from optind. */
static enum options_result read_options(const struct command *command,
                                        const struct option_row *rows, size_t row_count, int argc,
                                        char **argv)
{
    struct option longs[MAX_OPTIONS + 2] = {{0}};
    for (size_t i = 0; i < row_count; i++)
        longs[i] = (struct option){rows[i].name,
                                   rows[i].kind == OPTION_FLAG ? no_argument : required_argument,
                                   NULL, (int)i + 256};
    longs[row_count] = (struct option){"help", no_argument, NULL, 'h'};
    opterr = 0;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        if (found == 'h') {
            print_help(command, rows, row_count);
            return OPTIONS_HELP_SHOWN;
        }
        if (found == '?') {
            complain_of_option(command, rows, row_count, argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (store_value(command, &rows[found - 256], optarg) != 0)
            return OPTIONS_WRONG;
    }
    return OPTIONS_GO_ON;
}

enum options_result options_read(const struct command *command, const struct option_row *rows,
                                 size_t row_count, int argc, char **argv, const char **operands,
                                 int operand_count)
{
    enum options_result result = read_options(command, rows, row_count, argc, argv);
    if (result != OPTIONS_GO_ON)
        return result;
    if (check_operands(command, argc - optind, operand_count, false) != 0)
        return OPTIONS_WRONG;
    for (int i = 0; i < operand_count; i++)
        operands[i] = argv[optind + i];
    return OPTIONS_GO_ON;
}

enum options_result options_read_list(const struct command *command, const struct option_row *rows,
                                      size_t row_count, int argc, char **argv, int least,
                                      char ***operands, int *operand_count)
{
    enum options_result result = read_options(command, rows, row_count, argc, argv);
    *operands = argv + optind;
    *operand_count = argc - optind;
    if (result == OPTIONS_GO_ON && check_operands(command, *operand_count, least, true) != 0)
        return OPTIONS_WRONG;
    return result;
}

int command_read_kernels(const char *name, enum net_kernels *kernels, struct error *err)
{
    *kernels = NET_KERNELS_AUTO;
    if (name == NULL || net_kernels_named(name, kernels) == 0)
        return 0;
    return error_set(err, ERROR_USAGE, "--kernels is auto, dense or sparse, not '%s'", name);
}

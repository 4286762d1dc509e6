/* The subcommands and what they share: options from one table a command (which makes its --help
 * too), numbers on the command line, and how an error ends the program. */
#ifndef SWEEPSTAKE_CLI_COMMAND_H
#define SWEEPSTAKE_CLI_COMMAND_H

#include <stddef.h>

#include "base/error.h"
#include "nn/network.h"

#define STATUS_USAGE 2

struct command {
    const char *name;
    const char *operands; /* "GRID" */
    const char *summary;  /* one line for the list of commands */
    const char *details;  /* the rest of --help; may be NULL */
    int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command command_plan, command_run, command_status, command_verify,
    command_export, command_merge, command_submit, command_fields;

enum option_kind {
    OPTION_FLAG /* bool */,
    OPTION_TEXT /* const char * */,
    OPTION_INTEGER /* int */,
    OPTION_REAL /* double */
};

struct option_row {
    const char *name; /* without the dashes */
    enum option_kind kind;
    const char *argument; /* "FOLDER"; NULL for flags */
    const char *meaning;
    void *target;
    double least, most; /* numbers */
};

enum options_result { OPTIONS_GO_ON, OPTIONS_HELP_SHOWN, OPTIONS_WRONG };

/* Reads options and `operand_count` operands. Prints help on stdout or what is wrong on stderr. */
enum options_result options_read(const struct command *command, const struct option_row *rows,
                                 size_t row_count, int argc, char **argv, const char **operands,
                                 int operand_count);

/* As options_read, of a command that takes `least` operands or more; they stay argv's. */
enum options_result options_read_list(const struct command *command, const struct option_row *rows,
                                      size_t row_count, int argc, char **argv, int least,
                                      char ***operands, int *operand_count);

/* The value of --kernels; NULL, where it is not given, is auto. */
int command_read_kernels(const char *name, enum net_kernels *kernels, struct error *err);

/* Prints the error on stderr and returns the exit status it stands for. */
int command_fail(const struct error *err);

/* The exit status of a command that printed results: those that did not reach the reader (a full
 * disk, a closed pipe) are an error, not a success. */
int command_finish_output(int status);

#endif

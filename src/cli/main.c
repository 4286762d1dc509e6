/* sweepstake's command line: finds the subcommand and hands over. Each subcommand is a file of its
 * own. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "command.h"

static const struct command *const commands[] = {&command_plan,   &command_run,    &command_status,
                                                 &command_verify, &command_export, &command_merge,
                                                 &command_submit, &command_fields};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

int command_fail(const struct error *err)
{
    fprintf(stderr, "sweepstake: %s\n", err->text);
    return error_exit_status(err);
}

int command_finish_output(int status)
{
    if (status == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
        fprintf(stderr, "sweepstake: standard output could not be written\n");
        return 1;
    }
    return status;
}

static void print_usage(FILE *out)
{
    fprintf(out, "sweepstake: lottery-ticket experiments at cluster scale\n\n"
                 "usage: sweepstake COMMAND [options] ...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-7s %-6s %s\n", commands[i]->name, commands[i]->operands,
                commands[i]->summary);
    fprintf(out, "\nsweepstake COMMAND --help tells more. Exit status: 0 complete, 1 some tasks "
                 "failed,\n2 wrong input, 75 stopped and resumable by the same command.\n");
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    const char *near = text_nearest(word, names, COMMAND_COUNT);
    fprintf(stderr, "sweepstake: there is no command '%s'%s%s%s\nTry: sweepstake --help\n", word,
            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("sweepstake %s (%s)\n", version_text(), version_commit());
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    }
    return unknown_command(argv[1]);
}

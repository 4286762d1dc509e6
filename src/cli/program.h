/* Other programs, called without a shell. */
#ifndef SWEEPSTAKE_CLI_PROGRAM_H
#define SWEEPSTAKE_CLI_PROGRAM_H

#include "base/error.h"
#include "base/text.h"

/* Runs words[0], looked for in PATH, with `input` (may be NULL) on its standard input, and adds its
 * standard output to `output`. An exit status other than 0 is an error, and so is a program that is
 * not there; what it said on standard error is seen. */
int program_run(const char *const *words, const char *input, struct text *output,
                struct error *err);

#endif

/* Owns calls of other programs. Input and output go through nameless temporary files, so that
 * neither side ever waits for the other. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127

static void become(const char *const *words, FILE *in, FILE *out)
{
    if (dup2(fileno(in), STDIN_FILENO) >= 0 && dup2(fileno(out), STDOUT_FILENO) >= 0)
        execvp(words[0], (char *const *)(size_t)words);
    _exit(NOT_FOUND);
}

/* Waits for it; 0 = it ended well. */
static int wait_for(pid_t child, const char *name, struct error *err)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, ERROR_RESOURCE, "%s: %s", name, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        return error_set(err, ERROR_USAGE,
                         "there is no program %s in PATH; type this where SLURM's commands are, on "
                         "a login node",
                         name);
    return error_set(err, ERROR_RESOURCE, "%s failed (%s %d)", name,
                     WIFEXITED(status) ? "exit status" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void read_all(FILE *file, struct text *text)
{
    char piece[4096];
    size_t length;
    rewind(file);
    while ((length = fread(piece, 1, sizeof piece, file)) > 0)
        text_add_bytes(text, piece, length);
}

static int run_with(const char *const *words, const char *input, FILE *in, FILE *out,
                    struct text *output, struct error *err)
{
    if (input != NULL && fputs(input, in) == EOF)
        return error_set(err, ERROR_RESOURCE, "%s: its input could not be written", words[0]);
    rewind(in);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return error_set(err, ERROR_RESOURCE, "%s: %s", words[0], strerror(errno));
    if (child == 0)
        become(words, in, out);
    if (wait_for(child, words[0], err) != 0)
        return -1;
    read_all(out, output);
    return output->failed ? error_set(err, ERROR_RESOURCE, "not enough memory") : 0;
}

int program_run(const char *const *words, const char *input, struct text *output, struct error *err)
{
    FILE *in = tmpfile(), *out = tmpfile();
    int status = -1;
    if (in == NULL || out == NULL)
        error_set(err, ERROR_RESOURCE, "no temporary file: %s", strerror(errno));
    else
        status = run_with(words, input, in, out, output, err);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        fclose(out);
    return status;
}

/* Errors as values: every fallible function takes a `struct error *` last, fills it through
 * error_set and returns -1 (or NULL). The class says what the caller should do with it. */
#ifndef SWEEPSTAKE_BASE_ERROR_H
#define SWEEPSTAKE_BASE_ERROR_H

enum error_class {
    ERROR_NONE,
    ERROR_USAGE,    /* the user's input is wrong: exit status 2, nothing was written */
    ERROR_TASK,     /* this task failed by itself; the rest of the grid can go on */
    ERROR_RESOURCE, /* memory, disk, file system: the same thing may work later */
    ERROR_STORAGE,  /* the results' file system is full or fails: the whole run stops, to go on later */
    ERROR_INTERNAL, /* a broken promise inside the program: stop */
};

struct error {
    enum error_class class;
    char text[1024];
};

/* Fills `err` (which may be NULL) and returns -1. Long texts are cut. */
int error_set(struct error *err, enum error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text already there; returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The process exit status a run that ends with this error reports: 2 for usage, 75 (resumable) for
 * storage, else 1. */
int error_exit_status(const struct error *err);

#endif

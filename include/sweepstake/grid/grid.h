/* A grid file: YAML -> tree with marks -> fields checked one by one -> experiments.
 *
 * Which value a field has: its default, over that the recipe's, over that the file's, over that the
 * block's, over that its axis's. `prune.rate: 0.8` sets conv, fc and output; in the same place a
 * longer path wins. `seed: 3` sets every sub-seed that no longer path sets at any place. Where
 * fields contradict each other (fractions and rounds, fractions and iterative), the one from the
 * later place is meant; from the same place they are an error. */
#ifndef SWEEPSTAKE_GRID_GRID_H
#define SWEEPSTAKE_GRID_GRID_H

#include <stdbool.h>

#include "base/error.h"
#include "grid/experiment.h"
#include "grid/fields.h"
#include "grid/networks.h"

#define GRID_MAX_BYTES (1 << 20) /* a longer file is refused */
#ifndef GRID_MAX_EXPERIMENTS /* lowered by tests/fuzz: so many take seconds */
#define GRID_MAX_EXPERIMENTS 1000000
#endif

#define GRID_FILE_SIZE 512 /* a longer path is cut in messages */

struct grid {
    char file[GRID_FILE_SIZE]; /* for messages */
    char name[GRID_NAME_SIZE];
    char *text; /* exactly what was read, text_length bytes, terminated */
    size_t text_length;
    struct experiment_list *experiments; /* see grid_experiment */
    int32_t experiment_count;
    struct control **controls; /* the lists that experiments point into */
    int32_t control_list_count;
    struct grid_network *networks; /* that it defines itself */
    int32_t network_count;
};

/* Parses and expands. Usage errors read "file:line:column: key: what is wrong; what would be
 * right". Experiments come in the order: block, then axes (the first varies slowest), then zip
 * groups. Equal experiments are kept once. */
struct grid *grid_parse(const char *file, const char *text, size_t length, struct error *err);
struct grid *grid_read(const char *file, struct error *err);
void grid_destroy(struct grid *grid); /* accepts NULL */

/* `to` = the experiment of that number, as it was expanded. */
void grid_experiment(const struct grid *grid, int32_t number, struct experiment *to);

/* Drops the experiments i whose keep[i] is false; the others stay in their order. */
void grid_keep(struct grid *grid, const bool *keep);

/* Sets err to a usage error at a field's mark: "file:line:column: path: ..." ("file: path: ..."
 * where the value is a default). Returns -1. */
int grid_error_at(struct error *err, const struct grid *grid, const struct experiment *experiment,
                  int field, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The grid's own network of this name, or NULL. */
const struct grid_network *grid_network_find(const struct grid *grid, const char *name);

/* As grid_error_at, of a network, at its mark or one of its layers': "file:line:column:
 * networks.mine: ...". */
int grid_network_error(struct error *err, const struct grid *grid,
                       const struct grid_network *network, struct mark at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The embedded recipe's YAML, or NULL. */
const char *recipe_text(const char *name);
/* Names of recipes there are, NULL-terminated. */
const char *const *recipe_names(void);

#endif

/* The columns of the tables whose rows are structs of ours, and the names the store speaks in. The
 * order and names are a promise to readers (README, "The store"). */
#ifndef SWEEPSTAKE_STORE_SCHEMA_H
#define SWEEPSTAKE_STORE_SCHEMA_H

#include "store/store.h"

struct schema {
    const struct store_column *columns;
    int32_t count;
    size_t row_size;
};

extern const struct schema schema_results;     /* struct store_result */
extern const struct schema schema_curves;      /* struct store_curve_point */
extern const struct schema schema_environment; /* struct store_environment */
extern const struct schema schema_parameters;  /* struct store_parameter, dims filled with -1 */

/* Tables by name, in the order they stand in the file. */
enum table {
    TABLE_EXPERIMENTS,
    TABLE_POINTS,
    TABLE_TASKS,
    TABLE_RESULTS,
    TABLE_CURVES,
    TABLE_ENVIRONMENT
};
#define TABLE_COUNT 6
extern const char *const schema_table_names[TABLE_COUNT];

/* Root attributes that are texts: members of struct store_identity. */
struct schema_attribute {
    const char *name;
    size_t offset, size;
};
#define SCHEMA_IDENTITY_COUNT 8
extern const struct schema_attribute schema_identity[SCHEMA_IDENTITY_COUNT];

/* What the numbers in /results mean, as attributes beside them. */
#define SCHEMA_LABEL_SIZE 16
#define SCHEMA_STATUS_COUNT 6
#define SCHEMA_REASON_COUNT STORE_REASON_COUNT
extern const char schema_status_names[SCHEMA_STATUS_COUNT][SCHEMA_LABEL_SIZE];
extern const char schema_reason_names[SCHEMA_REASON_COUNT][SCHEMA_LABEL_SIZE];

#endif

/* base/conf.h: settings as a struct and a field table together. The table parses YAML (libyaml), checks, prints the
   defaults and writes the manual page. Errors carry "FILE:LINE:COLUMN" in err->place. Not thread-safe: read once at the
   start. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum conf_kind {
    CONF_TEXT,     /* struct slice */
    CONF_INT,      /* int64_t */
    CONF_BOOL,     /* bool */
    CONF_SIZE,     /* uint64_t bytes; "10MiB" */
    CONF_DURATION, /* int64_t microseconds; "30d", "250ms" */
    CONF_LIST,     /* struct conf_list of text */
    CONF_ROWS,     /* struct conf_rows: a list of maps, each read by a table of its own */
};

struct conf_list {
    struct slice *items;
    size_t n;
};

struct conf_rows {
    void *items; /* n structs as the table's fields fill them */
    size_t n;
};

struct conf_table {
    const struct conf_field *fields;
    size_t n, size; /* of the struct */
};

struct conf_field {
    const char *name; /* "listen", or "tls.certificate" for a nested map */
    enum conf_kind kind;
    size_t offset;                 /* in the settings struct */
    const char *standard;          /* default as text, a list's items between commas; NULL: must be given */
    const char *help;              /* one sentence */
    int64_t min, max;              /* for INT, SIZE, DURATION; both 0: no check */
    const struct conf_table *rows; /* for ROWS, whose default is none; a row holds no rows */
};

/* Unknown keys, keys that stand twice, values of the wrong kind or out of range, and missing ones are errors. What is
   read lives in `a`; texts have a NUL behind and none inside. At most 1 MiB, 10,000 rows, one document, no aliases. */
int conf_read(struct arena *a, const char *path, const struct conf_field *fields, size_t n, void *settings_out,
              struct err *err);
int conf_parse(struct arena *a, const char *name, struct slice text, const struct conf_field *fields, size_t n,
               void *settings_out, struct err *err);
void conf_print_defaults(const struct conf_field *fields, size_t n,
                         struct buf *out); /* a YAML file with help as comments */
void conf_print_manual(const struct conf_field *fields, size_t n, struct buf *out); /* lines for a manual page */
void conf_print_kind(const struct conf_field *field, struct buf *out);              /* "size from 1KiB to 1GiB" */

#endif

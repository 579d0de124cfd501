/* base/log.h: events with fields, one JSON object a line, to standard error or a file. The calling thread only copies
   into a ring; a writer thread writes (a pipe or journald may block). When the ring is full events are dropped and
   counted, never waited for; an event log_dropped tells how many. A line is cut to 1 KiB (then "cut":true is its last
   member) and is valid JSON whatever bytes the fields hold. Any thread, but fork() before log_open(): a child has no
   writer. Never log content of objects, credentials or who submitted. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

struct log_field {
    const char *key;
    enum { LOG_END, LOG_TEXT, LOG_NUM, LOG_ERR } kind;
    struct slice text;
    int64_t num;
    const struct err *err;
};

#define TEXT(key, slice_value) ((struct log_field){key, LOG_TEXT, slice_value, 0, NULL})
#define NUM(key, value)        ((struct log_field){key, LOG_NUM, {NULL, 0}, (int64_t)(value), NULL})
#define ERROR_FIELD(error)     ((struct log_field){"error", LOG_ERR, {NULL, 0}, 0, error}) /* code, place, text */

/* log_event("indicator_announced", TEXT("id", id), NUM("took_us", us)); */
#define log_event(...)               log_event_fields_(__VA_ARGS__, ((struct log_field){NULL, LOG_END, {NULL, 0}, 0, NULL}))
#define log_event_fields_(name, ...) log_write((name), (const struct log_field[]){__VA_ARGS__})

int log_open(const char *process, const char *path, struct err *err); /* path NULL: standard error; starts the writer */
void log_close(void);                                                 /* writes what is in the ring */
void log_write(const char *event, const struct log_field *fields);    /* before log_open: straight to standard error */

#endif

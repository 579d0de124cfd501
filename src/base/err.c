#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct err_row {
    const char *name;
    int http;
    const char *text;
};

static const struct err_row rows[ERR_COUNT] = {
    [ERR_NONE] = {"NONE", 200, "no error"},
#define ERROR(name, http, text) [ERR_##name] = {#name, http, text},
#include "base/errors.def"
#undef ERROR
};

/* A peer's bytes end up in terminals and log lines: no control character passes. */
static void make_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static int fill(struct err *err, enum err_code code, const char *format, va_list args)
{
    assert(code < ERR_COUNT);
    err->code = code;
    err->retry_s = 0;
    if (format == NULL || format[0] == '\0')
        snprintf(err->text, sizeof err->text, "%s", rows[code].text);
    else
        vsnprintf(err->text, sizeof err->text, format, args);
    make_printable(err->text);
    make_printable(err->place);
    return -1;
}

int err_set(struct err *err, enum err_code code, const char *place, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    snprintf(err->place, sizeof err->place, "%s", place != NULL ? place : "");
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return -1;
}

int err_set_at(struct err *err, enum err_code code, struct slice place, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    snprintf(err->place, sizeof err->place, SLICE_FMT, SLICE_ARG(place));
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return -1;
}

int err_copy(struct err *to, const struct err *from)
{
    if (to != NULL)
        *to = *from;
    return -1;
}

const char *err_name(enum err_code code)
{
    return rows[code].name;
}

int err_http(enum err_code code)
{
    return rows[code].http;
}

const char *err_text(enum err_code code)
{
    return rows[code].text;
}

#include "base/conf.h"

#include "base/json.h"

static const char *const kind_names[] = {
    [CONF_TEXT] = "text",         [CONF_INT] = "number", [CONF_BOOL] = "true or false", [CONF_SIZE] = "size",
    [CONF_DURATION] = "duration", [CONF_LIST] = "list",  [CONF_ROWS] = "list of maps",
};

/* A range is told in the largest unit that says it exactly. */
static void put_number(struct buf *out, enum conf_kind kind, int64_t value)
{
    static const struct {
        enum conf_kind kind;
        int64_t one;
        const char *name;
    } units[] = {
        {CONF_SIZE, (int64_t)1 << 40, "TiB"},
        {CONF_SIZE, 1 << 30, "GiB"},
        {CONF_SIZE, 1 << 20, "MiB"},
        {CONF_SIZE, 1 << 10, "KiB"},
        {CONF_DURATION, (int64_t)86400 * 1000000, "d"},
        {CONF_DURATION, (int64_t)3600 * 1000000, "h"},
        {CONF_DURATION, 60 * 1000000, "m"},
        {CONF_DURATION, 1000000, "s"},
        {CONF_DURATION, 1000, "ms"},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].kind == kind && value >= units[i].one && value % units[i].one == 0) {
            buf_printf(out, "%lld%s", (long long)(value / units[i].one), units[i].name);
            return;
        }
    buf_printf(out, "%lld%s", (long long)value, kind == CONF_DURATION ? "us" : "");
}

void conf_print_kind(const struct conf_field *f, struct buf *out)
{
    buf_printf(out, "%s", kind_names[f->kind]);
    if (f->min == 0 && f->max == 0)
        return;
    buf_printf(out, " from ");
    put_number(out, f->kind, f->min);
    buf_printf(out, " to ");
    put_number(out, f->kind, f->max);
}

/* As YAML reads it back. The escapes of JSON strings are those of YAML's double quotes. */
static void put_value(struct buf *out, const struct conf_field *f)
{
    struct slice rest = slice_of(f->standard), item;

    if (f->kind == CONF_TEXT) {
        json_put_string(out, rest);
    } else if (f->kind == CONF_LIST) {
        json_put_open(out, '[');
        while (rest.len != 0 && slice_cut(&rest, ',', &item))
            json_put_string(out, slice_trim(item));
        json_put_close(out, ']');
    } else {
        buf_put(out, rest);
    }
}

static void put_field(struct buf *out, const struct conf_field *f, struct slice name, int indent)
{
    buf_printf(out, "%*s# %s (", indent, "", f->help);
    conf_print_kind(f, out);
    buf_printf(out, f->standard == NULL ? "; must be given)\n" : ")\n");
    buf_printf(out, "%*s%s%.*s: ", indent, "", f->standard == NULL ? "#" : "", SLICE_ARG(name));
    if (f->standard != NULL)
        put_value(out, f);
    buf_put_byte(out, '\n');
}

/* Whether a field before this one already opened the map: its members need not stand together in the table. */
static bool map_is_printed(const struct conf_field *fields, size_t at, struct slice map)
{
    for (size_t i = 0; i < at; i++)
        if (slice_starts(slice_of(fields[i].name), map))
            return true;
    return false;
}

static void put_level(struct buf *out, const struct conf_field *fields, size_t n, struct slice prefix, int indent)
{
    for (size_t i = 0; i < n; i++) {
        struct slice name = slice_of(fields[i].name);
        if (!slice_starts(name, prefix))
            continue;
        struct slice rest = slice_from(name, prefix.len);
        size_t dot = slice_find(rest, SLICE("."));
        struct slice map = slice_to(name, prefix.len + dot + 1); /* with its dot */
        if (dot == rest.len) {
            put_field(out, &fields[i], rest, indent);
        } else if (!map_is_printed(fields, i, map)) {
            buf_printf(out, "%*s%.*s:\n", indent, "", SLICE_ARG(slice_to(rest, dot)));
            put_level(out, fields, n, map, indent + 2);
        }
    }
}

void conf_print_defaults(const struct conf_field *fields, size_t n, struct buf *out)
{
    put_level(out, fields, n, SLICE(""), 0);
}

/* Text inside man(7): a hyphen that can be copied, no escape and no request by accident. */
static void put_roff(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i == 0 && (c == '.' || c == '\''))
            buf_put(out, SLICE("\\&"));
        if (c == '\\')
            buf_put(out, SLICE("\\e"));
        else if (c == '-')
            buf_put(out, SLICE("\\-"));
        else
            buf_put_byte(out, c == '\n' ? ' ' : c);
    }
}

void conf_print_manual(const struct conf_field *fields, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct conf_field *f = &fields[i];
        struct buf kind = BUF_INIT;

        conf_print_kind(f, &kind);
        buf_put(out, SLICE(".TP\n\\fB"));
        put_roff(out, slice_of(f->name));
        buf_put(out, SLICE("\\fR ("));
        put_roff(out, buf_slice(&kind));
        buf_free(&kind);
        if (f->standard == NULL) {
            buf_put(out, SLICE("; must be given"));
        } else {
            buf_put(out, SLICE("; default "));
            put_roff(out, f->standard[0] != '\0' ? slice_of(f->standard) : SLICE("empty"));
        }
        buf_put(out, SLICE(")\n"));
        put_roff(out, slice_of(f->help));
        buf_put(out, SLICE(".\n"));
    }
}

#include "base/conf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/file.h"
#include "base/time.h"

enum { CONF_FILE_MAX = 1 << 20, CONF_ROWS_MAX = 10000 };

struct target { /* what is being filled: the settings, or one row of a list */
    const struct conf_field *fields;
    size_t n;
    bool *given;           /* per field */
    struct conf_list maps; /* dotted names of the nested maps read so far */
    char *settings;
};

struct reader {
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one; all zero before the first */
    struct arena *arena;
    const char *name; /* of the file, for err->place */
    struct target target;
    struct err *err;
};

static int fail(struct reader *r, yaml_mark_t at, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int fail(struct reader *r, yaml_mark_t at, enum err_code code, const char *format, ...)
{
    struct err *err = r->err;
    char text[sizeof err->text];
    struct slice place = arena_printf(r->arena, "%s:%zu:%zu", r->name, at.line + 1, at.column + 1);
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set_at(err, code, place, "%s", text);
}

/* ---- values ---- */

static bool read_int(struct slice s, int64_t *value_out)
{
    bool negative = s.len != 0 && s.ptr[0] == '-';
    uint64_t value;

    if (!slice_u64(slice_from(s, negative), &value) || value > (uint64_t)INT64_MAX + negative)
        return false;
    *value_out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool read_bool(struct slice s, bool *value_out)
{
    static const struct {
        struct slice text;
        bool value;
    } words[] = {
        {SLICE_INIT("true"), true},   {SLICE_INIT("yes"), true}, {SLICE_INIT("on"), true},
        {SLICE_INIT("false"), false}, {SLICE_INIT("no"), false}, {SLICE_INIT("off"), false},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_eq(s, words[i].text)) {
            *value_out = words[i].value;
            return true;
        }
    return false;
}

static bool read_size(struct slice s, int64_t *value_out)
{
    static const struct {
        struct slice name;
        int64_t bytes;
    } units[] = {
        {SLICE_INIT(""), 1},
        {SLICE_INIT("B"), 1},
        {SLICE_INIT("KiB"), (int64_t)1 << 10},
        {SLICE_INIT("MiB"), (int64_t)1 << 20},
        {SLICE_INIT("GiB"), (int64_t)1 << 30},
        {SLICE_INIT("TiB"), (int64_t)1 << 40},
    };
    size_t n = 0;
    uint64_t count;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    if (!slice_u64(slice_to(s, n), &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (slice_eq(slice_from(s, n), units[i].name) && count <= (uint64_t)(INT64_MAX / units[i].bytes)) {
            *value_out = (int64_t)count * units[i].bytes;
            return true;
        }
    return false;
}

struct kind {
    const char *expected;
    bool (*number)(struct slice s, int64_t *value_out); /* for those with a range */
};

static const struct kind kinds[] = {
    [CONF_TEXT] = {"a text", NULL},
    [CONF_INT] = {"a whole number", read_int},
    [CONF_BOOL] = {"true or false", NULL},
    [CONF_SIZE] = {"a size such as 64KiB or 10MiB", read_size},
    [CONF_DURATION] = {"a duration such as 30d, 12h, 5m, 10s or 250ms", time_parse_duration},
    [CONF_LIST] = {"a list", NULL},
    [CONF_ROWS] = {"a list of maps", NULL},
};

/* NULL, or what was expected. The text gets a copy of its own, with a NUL behind. */
static const char *set_scalar(struct arena *a, const struct conf_field *f, struct slice text, char *settings)
{
    void *to = settings + f->offset;
    int64_t value;

    if (memchr(text.ptr, '\0', text.len) != NULL)
        return "a text without NUL";
    if (f->kind == CONF_TEXT)
        *(struct slice *)to = arena_copy(a, text);
    else if (f->kind == CONF_BOOL)
        return read_bool(text, to) ? NULL : kinds[f->kind].expected;
    if (kinds[f->kind].number == NULL)
        return NULL;
    if (!kinds[f->kind].number(text, &value))
        return kinds[f->kind].expected;
    if ((f->min != 0 || f->max != 0) && (value < f->min || value > f->max)) {
        struct buf kind = BUF_INIT;
        conf_print_kind(f, &kind);
        const char *range = arena_copy(a, buf_slice(&kind)).ptr;
        buf_free(&kind);
        return range;
    }
    memcpy(to, &value, sizeof value); /* uint64_t for CONF_SIZE: never negative */
    return NULL;
}

static void list_add(struct arena *a, struct conf_list *list, struct slice text)
{
    /* Full whenever n is a power of two: room doubles. */
    if ((list->n & (list->n - 1)) == 0) {
        struct slice *items = arena_array(a, struct slice, list->n == 0 ? 1 : 2 * list->n);
        if (list->n != 0)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
    }
    list->items[list->n++] = arena_copy(a, text);
}

/* In a field table the items of a list stand between commas. */
static struct conf_list list_standard(struct arena *a, const char *text)
{
    struct conf_list list = {NULL, 0};
    struct slice rest = slice_of(text), item;

    while (rest.len != 0 && slice_cut(&rest, ',', &item))
        list_add(a, &list, slice_trim(item));
    return list;
}

/* ---- YAML events ---- */

static int fail_yaml(struct reader *r)
{
    const yaml_parser_t *y = &r->yaml;
    const char *problem = y->problem != NULL ? y->problem : "cannot be read";

    return fail(r, y->problem_mark, ERR_CONF_SYNTAX, "%s%s%s", problem, y->context != NULL ? " " : "",
                y->context != NULL ? y->context : "");
}

static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    memset(&r->event, 0, sizeof r->event);
    if (!yaml_parser_parse(&r->yaml, &r->event))
        return fail_yaml(r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return fail(r, r->event.start_mark, ERR_CONF_SYNTAX, "aliases are not accepted");
    return 0;
}

static struct slice scalar(const struct reader *r)
{
    return slice_n((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
}

/* "key:" with nothing behind it, or an explicit null. */
static bool is_nothing(const struct reader *r)
{
    if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    struct slice text = scalar(r);
    return text.len == 0 || slice_eq(text, SLICE("~")) || slice_eq(text, SLICE("null"));
}

static int fail_kind(struct reader *r, const struct conf_field *f)
{
    static const char *const found[] = {[YAML_SCALAR_EVENT] = "one value",
                                        [YAML_SEQUENCE_START_EVENT] = "a list",
                                        [YAML_MAPPING_START_EVENT] = "a map"};

    return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: expected %s, found %s", f->name, kinds[f->kind].expected,
                is_nothing(r) ? "nothing" : found[r->event.type]);
}

static int read_list(struct reader *r, const struct conf_field *f)
{
    struct conf_list list = {NULL, 0};

    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return fail_kind(r, f);
    for (;;) {
        if (next(r) != 0)
            return -1;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (r->event.type != YAML_SCALAR_EVENT || is_nothing(r))
            return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: expected a list of texts", f->name);
        if (memchr(scalar(r).ptr, '\0', scalar(r).len) != NULL)
            return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: expected texts without NUL", f->name);
        list_add(r->arena, &list, scalar(r));
    }
    memcpy(r->target.settings + f->offset, &list, sizeof list);
    return 0;
}

static int read_map(struct reader *r, struct slice prefix);
static int fill_in(struct reader *r);

/* One map of a list, by the table of its rows: what is told of the outer table waits. */
static int read_row(struct reader *r, const struct conf_table *table, void *item)
{
    struct target outer = r->target;

    r->target = (struct target){table->fields, table->n, arena_array(r->arena, bool, table->n), {NULL, 0}, item};
    int result = read_map(r, SLICE("")) == 0 && fill_in(r) == 0 ? 0 : -1;
    r->target = outer;
    return result;
}

static int read_rows(struct reader *r, const struct conf_field *f)
{
    struct conf_rows rows = {NULL, 0};
    size_t size = f->rows->size;

    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return fail_kind(r, f);
    for (;;) {
        if (next(r) != 0)
            return -1;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (r->event.type != YAML_MAPPING_START_EVENT)
            return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: expected a list of maps", f->name);
        if (rows.n == CONF_ROWS_MAX)
            return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: more than %d rows", f->name, (int)CONF_ROWS_MAX);
        if ((rows.n & (rows.n - 1)) == 0) { /* full: room doubles */
            void *items = arena_zero(r->arena, (rows.n == 0 ? 1 : 2 * rows.n) * size);
            if (rows.n != 0)
                memcpy(items, rows.items, rows.n * size);
            rows.items = items;
        }
        if (read_row(r, f->rows, (char *)rows.items + rows.n++ * size) != 0)
            return -1;
    }
    memcpy(r->target.settings + f->offset, &rows, sizeof rows);
    return 0;
}

static int read_field(struct reader *r, const struct conf_field *f)
{
    if (f->kind == CONF_LIST)
        return read_list(r, f);
    if (f->kind == CONF_ROWS)
        return read_rows(r, f);
    if (r->event.type != YAML_SCALAR_EVENT || is_nothing(r))
        return fail_kind(r, f);
    const char *expected = set_scalar(r->arena, f, scalar(r), r->target.settings);
    if (expected == NULL)
        return 0;
    return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%s: expected %s, found \"%.*s\"", f->name, expected,
                SLICE_ARG(slice_to(scalar(r), 60)));
}

static const struct conf_field *find_field(const struct reader *r, struct slice name)
{
    for (size_t i = 0; i < r->target.n; i++)
        if (slice_eq(slice_of(r->target.fields[i].name), name))
            return &r->target.fields[i];
    return NULL;
}

/* "tls" is a map when there is a field "tls.certificate". */
static bool is_map(const struct reader *r, struct slice name)
{
    for (size_t i = 0; i < r->target.n; i++) {
        struct slice field = slice_of(r->target.fields[i].name);
        if (field.len > name.len && field.ptr[name.len] == '.' && slice_starts(field, name))
            return true;
    }
    return false;
}

static bool list_has(const struct conf_list *list, struct slice text)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_eq(list->items[i], text))
            return true;
    return false;
}

/* The current event is a key. As deep as the names in the table, whatever the file says: unknown maps are not entered.
 */
static int read_member(struct reader *r, struct slice prefix)
{
    yaml_mark_t at = r->event.start_mark;

    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, at, ERR_CONF_SYNTAX, "a key was expected");
    struct slice name = arena_printf(r->arena, SLICE_FMT SLICE_FMT, SLICE_ARG(prefix), SLICE_ARG(scalar(r)));
    const struct conf_field *f = find_field(r, name);
    if (f == NULL && !is_map(r, name))
        return fail(r, at, ERR_CONF_SYNTAX, "\"%.*s\" is not a setting", SLICE_ARG(name));
    if (f != NULL ? r->target.given[f - r->target.fields] : list_has(&r->target.maps, name))
        return fail(r, at, ERR_CONF_SYNTAX, "\"%.*s\" stands twice", SLICE_ARG(name));
    if (next(r) != 0)
        return -1;
    if (f != NULL) {
        r->target.given[f - r->target.fields] = true;
        return read_field(r, f);
    }
    list_add(r->arena, &r->target.maps, name);
    if (is_nothing(r))
        return 0; /* all that is in it is commented out */
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail(r, r->event.start_mark, ERR_CONF_VALUE, "%.*s: expected a map", SLICE_ARG(name));
    return read_map(r, arena_printf(r->arena, SLICE_FMT ".", SLICE_ARG(name)));
}

static int read_map(struct reader *r, struct slice prefix)
{
    for (;;) {
        if (next(r) != 0)
            return -1;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return 0;
        if (read_member(r, prefix) != 0)
            return -1;
    }
}

static int expect(struct reader *r, yaml_event_type_t type, const char *sentence)
{
    if (next(r) != 0)
        return -1;
    return r->event.type == type ? 0 : fail(r, r->event.start_mark, ERR_CONF_SYNTAX, "%s", sentence);
}

/* One document whose root is a map; an empty file is one in which nothing is set. */
static int read_file(struct reader *r)
{
    if (expect(r, YAML_STREAM_START_EVENT, "cannot be read") != 0 || next(r) != 0)
        return -1;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return 0;
    if (next(r) != 0)
        return -1;
    if (!is_nothing(r)) {
        if (r->event.type != YAML_MAPPING_START_EVENT)
            return fail(r, r->event.start_mark, ERR_CONF_SYNTAX, "expected \"name: value\" lines");
        if (read_map(r, SLICE("")) != 0)
            return -1;
    }
    if (expect(r, YAML_DOCUMENT_END_EVENT, "the document does not end here") != 0)
        return -1;
    return expect(r, YAML_STREAM_END_EVENT, "a second document is not accepted");
}

/* ---- defaults ---- */

static void set_standard(struct arena *a, const struct conf_field *f, char *settings)
{
    if (f->kind == CONF_ROWS) {
        memset(settings + f->offset, 0, sizeof(struct conf_rows));
        return;
    }
    if (f->kind == CONF_LIST) {
        struct conf_list list = list_standard(a, f->standard);
        memcpy(settings + f->offset, &list, sizeof list);
        return;
    }
    const char *expected = set_scalar(a, f, slice_of(f->standard), settings);
    assert(expected == NULL); /* the table is ours */
    (void)expected;
}

static int fill_in(struct reader *r)
{
    for (size_t i = 0; i < r->target.n; i++) {
        const struct conf_field *f = &r->target.fields[i];
        if (r->target.given[i])
            continue;
        if (f->standard == NULL)
            return fail(r, r->event.end_mark, ERR_CONF_VALUE, "\"%s\" must be given: %s", f->name, f->help);
        set_standard(r->arena, f, r->target.settings);
    }
    return 0;
}

int conf_parse(struct arena *a, const char *name, struct slice text, const struct conf_field *fields, size_t n,
               void *settings_out, struct err *err)
{
    struct reader r = {.arena = a, .name = name, .target = {fields, n, NULL, {NULL, 0}, settings_out}, .err = err};

    r.target.given = arena_array(a, bool, n);
    if (!yaml_parser_initialize(&r.yaml))
        return err_set(err, ERR_SYSTEM, name, "out of memory");
    yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)(text.len != 0 ? text.ptr : ""), text.len);
    int result = read_file(&r) == 0 && fill_in(&r) == 0 ? 0 : -1;
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.yaml);
    return result;
}

int conf_read(struct arena *a, const char *path, const struct conf_field *fields, size_t n, void *settings_out,
              struct err *err)
{
    struct slice text;

    if (file_read(a, path, CONF_FILE_MAX, &text, err) != 0)
        return -1;
    return conf_parse(a, path, text, fields, n, settings_out, err);
}

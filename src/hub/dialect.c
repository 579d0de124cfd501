/* hub/dialect.c: the compatibility switches in a member's row: what its tool needs that TAXII 2.1 does not say, for
   this member alone. How they act on a page is compat.c. */
#include "hub/internal.h"

enum { PAGE_SIZE_MAX = 100000 };

static const struct {
    const char *word;
    uint32_t bit;
} compat_rows[] = {
    {"empty-list", HUB_COMPAT_EMPTY_LIST},
    {"tlp1", HUB_COMPAT_TLP1},
    {"flatten", HUB_COMPAT_FLATTEN},
    {"stix20", HUB_COMPAT_STIX20},
};
enum { N_COMPAT = sizeof compat_rows / sizeof compat_rows[0] };

static uint32_t compat_bit(struct slice word)
{
    for (size_t i = 0; i < N_COMPAT; i++)
        if (slice_eq(word, slice_of(compat_rows[i].word)))
            return compat_rows[i].bit;
    return 0;
}

/* A row may come from a hub that is newer than this one: what is not known here does not count. */
void hub_dialect_read(struct arena *a, struct json row, struct hub_dialect *out)
{
    int64_t size = 0;

    *out = (struct hub_dialect){.compat = 0};
    json_each (v, json_get(row, SLICE("compat")))
        out->compat |= compat_bit(json_string(a, v));
    if (json_int(json_get(row, SLICE("page_size")), &size) && size > 0 && size <= PAGE_SIZE_MAX)
        out->page_size = (uint32_t)size;
    json_each (v, json_get(row, SLICE("types")))
        if (json_kind(v) == JSON_STRING && out->types.n < HUB_DIALECT_TYPES_MAX)
            out->types.items[out->types.n++] = json_string(a, v);
}

void hub_dialect_put(const struct hub_dialect *d, struct buf *out)
{
    json_put_key(out, SLICE("compat"));
    json_put_open(out, '[');
    for (size_t i = 0; i < N_COMPAT; i++)
        if (d->compat & compat_rows[i].bit)
            json_put_string(out, slice_of(compat_rows[i].word));
    json_put_close(out, ']');
    json_put_key(out, SLICE("types"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < d->types.n; i++)
        json_put_string(out, d->types.items[i]);
    json_put_close(out, ']');
    json_put_number(out, "page_size", d->page_size);
}

static int check_compat(struct arena *a, struct json list, struct err *err)
{
    json_each (v, list)
        if (compat_bit(json_string(a, v)) == 0)
            return err_set(err, ERR_CONF_VALUE, "/compat",
                           "\"" SLICE_FMT "\" is none of empty-list, tlp1, flatten, stix20",
                           SLICE_ARG(json_string(a, v)));
    return 0;
}

static bool is_type_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-'))
            return false;
    return s.len >= 3 && s.len <= 250; /* STIX 2.1 section 3.1 */
}

static int check_types(struct arena *a, struct json list, struct err *err)
{
    if (json_count(list) > HUB_DIALECT_TYPES_MAX)
        return err_set(err, ERR_CONF_VALUE, "/types", "at most %d types", HUB_DIALECT_TYPES_MAX);
    json_each (v, list)
        if (!is_type_name(json_string(a, v)))
            return err_set(err, ERR_CONF_VALUE, "/types", "\"" SLICE_FMT "\" is not the name of a STIX type",
                           SLICE_ARG(json_string(a, v)));
    return 0;
}

static int check_collections(const struct hub_directory *d, struct arena *a, struct json row, const char *place,
                             struct err *err)
{
    json_each (v, json_get(row, slice_of(place + 1)))
        if (hub_directory_collection(d, json_string(a, v)) == NULL)
            return err_set(err, ERR_CONF_VALUE, place, "no collection \"" SLICE_FMT "\" here",
                           SLICE_ARG(json_string(a, v)));
    return 0;
}

int hub_dialect_check(const struct hub_directory *d, struct arena *a, struct json row, struct err *err)
{
    struct json size = json_get(row, SLICE("page_size"));
    int64_t n = 0;

    if (json_kind(size) != JSON_ABSENT && (!json_int(size, &n) || n < 0 || n > PAGE_SIZE_MAX))
        return err_set(err, ERR_CONF_VALUE, "/page_size", "a page has 1 to %d objects; 0: as the hub has it",
                       PAGE_SIZE_MAX);
    return check_compat(a, json_get(row, SLICE("compat")), err) != 0 ||
                   check_types(a, json_get(row, SLICE("types")), err) != 0 ||
                   check_collections(d, a, row, "/read_only", err) != 0 ||
                   check_collections(d, a, row, "/write_only", err) != 0
               ? -1
               : 0;
}

static bool stays(struct slice key)
{
    return slice_eq(key, SLICE("name")) || slice_eq(key, SLICE("viewer")) || slice_eq(key, SLICE("epoch"));
}

static void put_member(struct arena *a, struct json v, struct buf *out)
{
    json_put_key(out, json_key(a, v));
    json_put_raw(out, json_raw(v));
}

int hub_member_row_changed(struct arena *a, const struct hub_member *m, struct json change, struct slice *row_out,
                           struct err *err)
{
    static const struct json_limits limits = {16, 10000, 1000, 1 << 20, 1 << 21};
    struct json row;
    struct buf out = BUF_INIT;

    if (json_parse(a, m->row, &limits, &row, err) != 0)
        return -1;
    json_put_open(&out, '{');
    json_each (v, row)
        if (stays(json_key(a, v)) || json_kind(json_get(change, json_key(a, v))) == JSON_ABSENT)
            put_member(a, v, &out);
    json_each (v, change)
        if (!stays(json_key(a, v)))
            put_member(a, v, &out);
    json_put_close(&out, '}');
    *row_out = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return 0;
}

#include "share/internal.h"

#include <stdlib.h>

/* ---- what the submitter coined ---- */

static bool is_coined(struct slice id, share_foreign_fn *is_foreign, void *arg)
{
    struct stix_id parts;

    if (!stix_id_parse(id, &parts))
        return false;
    if (slice_eq(parts.type, SLICE("marking-definition")) || slice_eq(parts.type, SLICE("extension-definition")))
        return false;
    /* the id of an SCO in version 5 is its value (STIX 2.1 section 2.9) and names nobody; that of an SDO is its
     * producer's choice */
    if (parts.version == 5 && stix_type_class(stix_type_find(parts.type)) == STIX_SCO)
        return false;
    return is_foreign == NULL || !is_foreign(arg, id);
}

struct finding {
    struct arena *arena;
    share_foreign_fn *is_foreign;
    void *arg;
    struct share_name *items;
    size_t n, cap;
    struct slice *texts; /* ids inside text, in any order and number */
    size_t n_texts, cap_texts;
};

static void name_add(struct finding *f, struct json at, struct slice id)
{
    if (f->n == f->cap) {
        struct share_name *more = arena_array(f->arena, struct share_name, f->cap * 2 + 8);
        if (f->n != 0)
            memcpy(more, f->items, f->n * sizeof *more);
        f->items = more;
        f->cap = f->cap * 2 + 8;
    }
    f->items[f->n++] = (struct share_name){.at = at, .id = id};
}

static void text_add(struct finding *f, struct slice id)
{
    if (f->n_texts == f->cap_texts) {
        struct slice *more = arena_array(f->arena, struct slice, f->cap_texts * 2 + 8);
        if (f->n_texts != 0)
            memcpy(more, f->texts, f->n_texts * sizeof *more);
        f->texts = more;
        f->cap_texts = f->cap_texts * 2 + 8;
    }
    f->texts[f->n_texts++] = id;
}

static void find_in_text(struct finding *f, struct slice text)
{
    struct share_mention m;
    size_t from = 0;

    while (share_mention_next(f->arena, text, &from, &m))
        if (m.id.len != 0 && is_coined(m.id, f->is_foreign, f->arg))
            text_add(f, m.id);
}

/* A string that is an identifier and no more is a reference wherever it stands, also where this version of STIX knows
 * none. */
static void find_in_string(struct finding *f, struct json v)
{
    struct slice text = json_string(f->arena, v);
    struct stix_id parts;

    if (text.len < SHARE_UUID_TEXT)
        return;
    if (!stix_id_parse(text, &parts))
        find_in_text(f, text);
    else if (is_coined(text, f->is_foreign, f->arg))
        name_add(f, v, share_id_lower(f->arena, text));
}

static void find(struct finding *f, struct json container)
{
    bool named = json_kind(container) == JSON_OBJECT;

    json_each (v, container) {
        enum json_kind kind = json_kind(v);
        if (named)
            find_in_text(f, json_key(f->arena, v));
        if (kind == JSON_STRING)
            find_in_string(f, v);
        else if (kind == JSON_OBJECT || kind == JSON_ARRAY)
            find(f, v);
    }
}

static int by_slice(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Each id inside text once, and not at all where a reference has it already. */
static void texts_append(struct finding *f)
{
    struct share_names so_far = {f->items, f->n};
    struct share_name_index ix;

    if (f->n_texts == 0)
        return;
    share_name_index_make(f->arena, &so_far, &ix);
    qsort(f->texts, f->n_texts, sizeof *f->texts, by_slice);
    for (size_t i = 0; i < f->n_texts; i++)
        if ((i == 0 || !slice_eq(f->texts[i], f->texts[i - 1])) && share_name_of(&ix, f->texts[i]) == NULL)
            name_add(f, (struct json){NULL, 0}, f->texts[i]);
}

int share_names_find(struct arena *a, const struct stix_object *o, share_foreign_fn *is_foreign, void *arg,
                     struct share_names *out, struct err *err)
{
    struct finding f = {.arena = a, .is_foreign = is_foreign, .arg = arg};

    if (json_kind(o->json) != JSON_OBJECT)
        return err_set(err, ERR_STIX_SYNTAX, "", "not an object");
    find(&f, o->json);
    texts_append(&f);
    *out = (struct share_names){f.items, f.n};
    return 0;
}

/* ---- minted ids ---- */

/* The first 16 bytes of the MAC in the shape of a UUID of version 4 (RFC 9562 section 5.4): who has no key cannot tell
 * it from a random one. */
struct slice share_minted_id(struct arena *a, struct slice id, const uint8_t mac[32])
{
    static const char digits[] = "0123456789abcdef";
    size_t type = slice_find(id, SLICE("--")), len = type + 2 + SHARE_UUID_TEXT;
    char *text = arena_alloc(a, len), *to = text;

    memcpy(to, id.ptr, type);
    to += type;
    *to++ = '-';
    *to++ = '-';
    for (int i = 0; i < 16; i++) {
        uint8_t byte = i == 6 ? (mac[i] & 0x0F) | 0x40 : i == 8 ? (mac[i] & 0x3F) | 0x80 : mac[i];
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return slice_n(text, len);
}

/* ---- lookups ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static struct slice uuid_of(struct slice id)
{
    return slice_from(id, id.len - SHARE_UUID_TEXT);
}

static int uuid_cmp(struct slice a, struct slice b)
{
    for (size_t i = 0; i < SHARE_UUID_TEXT; i++)
        if (a.ptr[i] != b.ptr[i] && lower(a.ptr[i]) != lower(b.ptr[i]))
            return lower(a.ptr[i]) < lower(b.ptr[i]) ? -1 : 1;
    return 0;
}

static int id_cmp(struct slice a, struct slice b)
{
    int order = uuid_cmp(uuid_of(a), uuid_of(b));

    return order != 0 ? order : slice_cmp(slice_to(a, a.len - SHARE_UUID_TEXT), slice_to(b, b.len - SHARE_UUID_TEXT));
}

static int by_id(const void *a, const void *b)
{
    return id_cmp((*(const struct share_name *const *)a)->id, (*(const struct share_name *const *)b)->id);
}

void share_name_index_make(struct arena *a, const struct share_names *names, struct share_name_index *out)
{
    out->items = arena_array(a, const struct share_name *, names->n);
    out->n = 0;
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i].id.len > SHARE_UUID_TEXT)
            out->items[out->n++] = &names->items[i];
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, by_id);
}

/* The first that does not stand before: by the whole id, or by its UUID alone. */
static const struct share_name *first_from(const struct share_name_index *ix, struct slice id, bool whole)
{
    size_t low = 0, high = ix->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct slice other = ix->items[middle]->id;
        if ((whole ? id_cmp(other, id) : uuid_cmp(uuid_of(other), id)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ix->n ? ix->items[low] : NULL;
}

const struct share_name *share_name_of(const struct share_name_index *ix, struct slice id)
{
    const struct share_name *n = id.len > SHARE_UUID_TEXT ? first_from(ix, id, true) : NULL;

    return n != NULL && id_cmp(n->id, id) == 0 ? n : NULL;
}

bool share_name_has_uuid(const struct share_name_index *ix, struct slice uuid)
{
    const struct share_name *n = first_from(ix, uuid, false);

    return n != NULL && uuid_cmp(uuid_of(n->id), uuid) == 0;
}

/* The `objects` of a 2.0 observed-data become SCOs. Between each other they are named by the keys of the dictionary;
   an SCO's id may be made of the ids of others (network-traffic of its ends), so ids come first, bodies after. */
#include "stix/upgrade.h"

#include <stdlib.h>

#include "stix/types.h"

struct upgrade_contained {
    struct slice key, type, id;
    struct json json;
    const struct stix_type *kind;
    bool busy;             /* its id is being made */
    bool again;            /* the same as an earlier one, byte for byte */
    uint32_t place;        /* in object_refs */
    struct slice image_id; /* of the file that a process' name became; else empty */
    struct slice *markings;
    uint32_t n_markings; /* those of selectors into it */
};

typedef struct upgrade_container container;
typedef struct upgrade_contained contained;

static int id_make(container *c, contained *o);

/* The place of `at` in the object. */
static int fail(const container *c, enum err_code code, struct json at, const char *sentence)
{
    struct slice whole = json_pointer(c->arena, c->owner->json), place = json_pointer(c->arena, at);

    return err_set_at(c->err, code, slice_from(place, whole.len), "%s", sentence);
}

/* ---- names ---- */

static const struct {
    struct slice of, name, with; /* in 2.0, in 2.1 */
} names[] = {
    {SLICE_INIT("file"), SLICE_INIT("created"), SLICE_INIT("ctime")},
    {SLICE_INIT("file"), SLICE_INIT("modified"), SLICE_INIT("mtime")},
    {SLICE_INIT("file"), SLICE_INIT("accessed"), SLICE_INIT("atime")},
    {SLICE_INIT("directory"), SLICE_INIT("created"), SLICE_INIT("ctime")},
    {SLICE_INIT("directory"), SLICE_INIT("modified"), SLICE_INIT("mtime")},
    {SLICE_INIT("directory"), SLICE_INIT("accessed"), SLICE_INIT("atime")},
    {SLICE_INIT("process"), SLICE_INIT("created"), SLICE_INIT("created_time")},
    {SLICE_INIT("process"), SLICE_INIT("binary_ref"), SLICE_INIT("image_ref")},
    {SLICE_INIT("user-account"), SLICE_INIT("password_last_changed"), SLICE_INIT("credential_last_changed")},
    {SLICE_INIT("windows-registry-key"), SLICE_INIT("modified"), SLICE_INIT("modified_time")},
    {SLICE_INIT("hashes"), SLICE_INIT("ssdeep"), SLICE_INIT("SSDEEP")},
    /* without a successor in 2.1 */
    {SLICE_INIT("file"), SLICE_INIT("is_encrypted"), SLICE_INIT("x_stix20_is_encrypted")},
    {SLICE_INIT("file"), SLICE_INIT("encryption_algorithm"), SLICE_INIT("x_stix20_encryption_algorithm")},
    {SLICE_INIT("file"), SLICE_INIT("decryption_key"), SLICE_INIT("x_stix20_decryption_key")},
    {SLICE_INIT("process"), SLICE_INIT("arguments"), SLICE_INIT("x_stix20_arguments")},
    {SLICE_INIT("archive-ext"), SLICE_INIT("version"), SLICE_INIT("x_stix20_version")},
    {SLICE_INIT("raster-image-ext"), SLICE_INIT("image_compression_algorithm"),
     SLICE_INIT("x_stix20_image_compression_algorithm")},
    {SLICE_INIT("socket-ext"), SLICE_INIT("protocol_family"), SLICE_INIT("x_stix20_protocol_family")},
};
enum { N_NAMES = sizeof names / sizeof *names };

struct slice upgrade_name(struct slice of, struct slice name)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (slice_eq(names[i].of, of) && slice_eq(names[i].name, name))
            return names[i].with;
    return name;
}

struct slice downgrade_name(struct slice of, struct slice name)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (slice_eq(names[i].of, of) && slice_eq(names[i].with, name))
            return names[i].name;
    return name;
}

/* ---- references ---- */

static int by_key(const void *a, const void *b)
{
    const contained *x = *(contained *const *)a, *y = *(contained *const *)b;

    return slice_cmp(x->key, y->key);
}

static contained *find(const container *c, struct slice key)
{
    const contained wanted = {.key = key}, *at = &wanted;
    contained **found = c->n != 0 ? bsearch(&at, c->by_key, c->n, sizeof *c->by_key, by_key) : NULL;

    return found != NULL ? *found : NULL;
}

/* An id stands there already with some producers; a custom property may end in _ref and be none. */
static int ref_put(container *c, struct json v, struct slice key, struct buf *out)
{
    struct slice text = json_string(c->arena, v);
    contained *o = text.ptr != NULL ? find(c, text) : NULL;
    struct stix_id id;

    if (++c->references > STIX_UPGRADE_REFS_MAX)
        return fail(c, ERR_LIMIT_VALUES, v, "too many references in one observed-data");
    if (o != NULL) {
        if (id_make(c, o) != 0)
            return -1;
        json_put_string(out, o->id);
        return 0;
    }
    if (text.ptr != NULL && !stix_id_parse(text, &id) && !slice_starts(key, SLICE("x_")))
        return fail(c, ERR_STIX_REFERENCE, v, "names no object of this observed-data");
    json_put_raw(out, json_raw(v));
    return 0;
}

static int refs_put(container *c, struct json list, struct slice key, struct buf *out)
{
    json_put_open(out, '[');
    json_each (v, list)
        if (ref_put(c, v, key, out) != 0)
            return -1;
    json_put_close(out, ']');
    return 0;
}

/* ---- values ---- */

/* 2.1 has a list for every header field, since one may stand there twice. */
static void headers_put(struct json headers, struct arena *a, struct buf *out)
{
    json_put_open(out, '{');
    json_each (v, headers) {
        bool is_text = json_kind(v) == JSON_STRING;
        json_put_key(out, json_key(a, v));
        if (is_text)
            json_put_open(out, '[');
        json_put_raw(out, json_raw(v));
        if (is_text)
            json_put_close(out, ']');
    }
    json_put_close(out, '}');
}

static bool is_headers(struct slice of, struct slice key)
{
    return (slice_eq(of, SLICE("email-message")) && slice_eq(key, SLICE("additional_header_fields"))) ||
           (slice_eq(of, SLICE("http-request-ext")) && slice_eq(key, SLICE("request_header")));
}

/* What the members of this member are properties of. */
static struct slice below(struct slice of, struct slice key)
{
    if (slice_eq(of, SLICE("extensions")))
        return key;
    if (slice_ends(key, SLICE("hashes")))
        return SLICE("hashes");
    return slice_eq(key, SLICE("extensions")) ? key : SLICE("");
}

static int member_put(container *c, struct json object, struct json v, struct slice of, struct buf *out);

/* Depth is bounded by the JSON reader. */
static int value_put(container *c, struct json v, struct slice of, struct buf *out)
{
    enum json_kind kind = json_kind(v);

    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        json_put_raw(out, json_raw(v));
        return 0;
    }
    json_put_open(out, kind == JSON_OBJECT ? '{' : '[');
    json_each (inner, v)
        if ((kind == JSON_OBJECT ? member_put(c, v, inner, of, out) : value_put(c, inner, of, out)) != 0)
            return -1;
    json_put_close(out, kind == JSON_OBJECT ? '}' : ']');
    return 0;
}

/* A producer that used the new name beside the old one keeps both. */
static struct slice name_in(container *c, struct json object, struct slice of, struct slice key)
{
    struct slice with = upgrade_name(of, key);

    if (with.ptr != key.ptr && json_kind(json_get(object, with)) != JSON_ABSENT)
        return arena_printf(c->arena, "x_stix20_" SLICE_FMT, SLICE_ARG(key));
    return with;
}

static int member_put(container *c, struct json object, struct json v, struct slice of, struct buf *out)
{
    struct slice key = json_key(c->arena, v);

    json_put_key(out, name_in(c, object, of, key));
    if (json_kind(v) == JSON_STRING && slice_ends(key, SLICE("_ref")))
        return ref_put(c, v, key, out);
    if (json_kind(v) == JSON_ARRAY && slice_ends(key, SLICE("_refs")))
        return refs_put(c, v, key, out);
    if (json_kind(v) == JSON_OBJECT && is_headers(of, key)) {
        headers_put(v, c->arena, out);
        return 0;
    }
    return value_put(c, v, below(of, key), out);
}

/* ---- ids ---- */

/* Of the bytes of the whole dictionary: where anything in it changes, that is another observation, and no version of
   the SCOs of the first, which have no versions. */
static struct slice id_of_bytes(const container *c, const contained *o)
{
    uint8_t hash[CRYPTO_SHA1];
    struct buf text = BUF_INIT;
    char uuid[36];

    buf_printf(&text, "tocsin stix 2.0\n" SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(c->owner->id), SLICE_ARG(o->key));
    buf_put(&text, slice_n((const char *)c->digest, sizeof c->digest));
    crypto_sha1(buf_slice(&text), hash);
    buf_free(&text);
    crypto_put_uuid(uuid, hash);
    return arena_printf(c->arena, SLICE_FMT "--%.36s", SLICE_ARG(o->type), uuid);
}

/* An SCO of the contributing properties alone. */
static int id_deterministic(container *c, contained *o, struct slice *id_out)
{
    struct buf text = BUF_INIT;
    struct json root;
    int result = 0;

    json_put_open(&text, '{');
    json_put_text(&text, "type", o->type);
    for (const struct slice *name = o->kind->id_from; result == 0 && name->ptr != NULL; name++) {
        struct json v = json_get(o->json, *name);
        if (json_kind(v) != JSON_ABSENT)
            result = member_put(c, o->json, v, o->type, &text);
    }
    json_put_close(&text, '}');
    *id_out = slice_n("", 0);
    if (result == 0 && (json_parse(c->arena, arena_copy(c->arena, buf_slice(&text)), NULL, &root, NULL) != 0 ||
                        !stix_id_deterministic(c->arena, root, id_out)))
        *id_out = slice_n("", 0); /* none of the properties is there */
    buf_free(&text);
    return result;
}

/* One value under two keys is one object; two that share what makes the id, and differ, are two. */
static void id_take(container *c, contained *o, struct slice id)
{
    for (uint32_t i = 0; i < c->n && id.len != 0; i++) {
        const contained *other = &c->items[i];
        if (other == o || other->again || !slice_eq(other->id, id))
            continue;
        o->again = slice_eq(json_raw(other->json), json_raw(o->json)) && o->n_markings + other->n_markings == 0;
        if (!o->again)
            id = slice_n("", 0);
        break;
    }
    o->id = id.len != 0 ? id : id_of_bytes(c, o);
}

static int id_make(container *c, contained *o)
{
    struct slice id = slice_n("", 0);

    if (o->id.len != 0)
        return 0;
    if (o->busy || o->kind == NULL || o->kind->id_from == NULL) { /* an archive within itself cannot be its own name */
        id_take(c, o, id);
        return 0;
    }
    if (c->depth == STIX_UPGRADE_DEPTH_MAX)
        return fail(c, ERR_LIMIT_DEPTH, o->json, "objects name each other too deeply");
    c->depth++;
    o->busy = true;
    int result = id_deterministic(c, o, &id);
    o->busy = false;
    c->depth--;
    if (result == 0 && o->id.len == 0)
        id_take(c, o, id);
    return result;
}

/* ---- markings ---- */

/* Each once. What cannot be read as a marking is no reason to share. */
static int marking_add(container *c, struct slice **list, uint32_t *n, struct json ref)
{
    struct slice text = json_string(c->arena, ref);
    struct stix_id id;

    if (text.ptr == NULL || !stix_id_parse(text, &id))
        return fail(c, ERR_STIX_ID, ref, "not the id of a marking-definition");
    for (uint32_t i = 0; i < *n; i++)
        if (slice_eq((*list)[i], text))
            return 0;
    if (*n == STIX_UPGRADE_MARKINGS_MAX)
        return fail(c, ERR_LIMIT_MEMBERS, ref, "too many markings on one observed-data");
    if (*n == 0)
        *list = arena_array(c->arena, struct slice, STIX_UPGRADE_MARKINGS_MAX);
    (*list)[(*n)++] = text;
    return 0;
}

/* A selector into `objects` (2.0 part 1 section 4.3.1) marks the whole SCO: every marking must allow, so that none gets
   weaker by it. */
static int selector_mark(container *c, struct slice selector, struct json ref)
{
    struct slice word, key;

    if (!slice_cut(&selector, '.', &word) || !slice_eq(word, SLICE("objects")))
        return 0;
    if (!slice_cut(&selector, '.', &key))
        return marking_add(c, &c->markings, &c->n_markings, ref);
    contained *o = find(c, key);
    return o != NULL ? marking_add(c, &o->markings, &o->n_markings, ref) : 0;
}

static int markings_read(container *c)
{
    struct json refs = json_get(c->owner->json, SLICE("object_marking_refs"));
    uint32_t n = 0;

    json_each (ref, refs)
        if (marking_add(c, &c->markings, &c->n_markings, ref) != 0)
            return -1;
    json_each (entry, json_get(c->owner->json, SLICE("granular_markings"))) {
        struct json ref = json_get(entry, SLICE("marking_ref"));
        json_each (v, json_get(entry, SLICE("selectors"))) {
            if (++n > STIX_UPGRADE_SELECTORS_MAX)
                return fail(c, ERR_LIMIT_MEMBERS, v, "too many selectors in one object");
            struct slice selector = json_string(c->arena, v);
            if (json_kind(ref) != JSON_ABSENT && selector.ptr != NULL && selector_mark(c, selector, ref) != 0)
                return -1;
        }
    }
    return 0;
}

static void markings_put(const container *c, const contained *o, struct buf *out)
{
    if (c->n_markings + o->n_markings == 0)
        return;
    json_put_key(out, SLICE("object_marking_refs"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < c->n_markings; i++)
        json_put_string(out, c->markings[i]);
    for (uint32_t i = 0; i < o->n_markings; i++)
        json_put_string(out, o->markings[i]);
    json_put_close(out, ']');
}

/* ---- bodies ---- */

static void head_put(const container *c, const contained *o, struct slice type, struct slice id, struct buf *out)
{
    json_put_open(out, '{');
    json_put_text(out, "type", type);
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", id);
    markings_put(c, o, out);
}

static void part_add(container *c, const contained *o, struct buf *body)
{
    struct buf place = BUF_INIT;

    buf_put(&place, SLICE("/objects/"));
    for (size_t i = 0; i < o->key.len; i++) { /* RFC 6901 section 3 */
        char ch = o->key.ptr[i];
        buf_put_byte(&place, ch == '/' ? '~' : ch);
        if (ch == '~' || ch == '/')
            buf_put_byte(&place, ch == '~' ? '0' : '1');
    }
    c->parts[c->n_parts++] = (struct stix_upgraded_part){.body = arena_copy(c->arena, buf_slice(body)),
                                                         .place = arena_copy(c->arena, buf_slice(&place))};
    buf_free(&place);
}

/* A process' own name, where nothing else tells its image (2.0 part 4 section 2.13: "the name of the process"). */
static bool is_image_name(const contained *o, struct slice key)
{
    return slice_eq(o->type, SLICE("process")) && slice_eq(key, SLICE("name")) &&
           json_kind(json_get(o->json, SLICE("name"))) == JSON_STRING &&
           json_kind(json_get(o->json, SLICE("binary_ref"))) == JSON_ABSENT &&
           json_kind(json_get(o->json, SLICE("image_ref"))) == JSON_ABSENT;
}

/* {"type":"file","name":...}: gives its id. The caller closes and keeps the body. */
static struct slice image_id(container *c, struct slice name)
{
    struct buf text = BUF_INIT;
    struct slice id = slice_n("", 0);
    struct json root;

    json_put_open(&text, '{');
    json_put_text(&text, "type", SLICE("file"));
    json_put_text(&text, "name", name);
    json_put_close(&text, '}');
    if (json_parse(c->arena, arena_copy(c->arena, buf_slice(&text)), NULL, &root, NULL) == 0)
        stix_id_deterministic(c->arena, root, &id);
    buf_free(&text);
    return id;
}

static bool is_part(const container *c, struct slice id)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (slice_eq(c->items[i].id, id) || slice_eq(c->items[i].image_id, id))
            return true;
    return false;
}

static void image_put(container *c, contained *o, struct json v, struct buf *out)
{
    struct slice name = json_string(c->arena, v), id = image_id(c, name);

    json_put_text(out, "image_ref", id);
    if (is_part(c, id))
        return;
    o->image_id = id;
    struct buf body = BUF_INIT;
    head_put(c, o, SLICE("file"), id, &body);
    json_put_text(&body, "name", name);
    json_put_close(&body, '}');
    part_add(c, o, &body);
    buf_free(&body);
}

static int body_member_put(container *c, contained *o, struct json v, struct buf *out)
{
    static const struct slice ours[] = {SLICE_INIT("type"), SLICE_INIT("id"), SLICE_INIT("spec_version")};
    struct slice key = json_key(c->arena, v);

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (slice_eq(ours[i], key))
            return 0;
    if (slice_eq(key, SLICE("object_marking_refs")) || slice_eq(key, SLICE("granular_markings")))
        return fail(c, ERR_STIX_RULE, v, "STIX 2.0 marks the observed-data, not what is in it");
    if (is_image_name(o, key)) {
        image_put(c, o, v, out);
        return 0;
    }
    if (slice_eq(o->type, SLICE("process")) && slice_eq(key, SLICE("name"))) {
        json_put_key(out, SLICE("x_stix20_name"));
        json_put_raw(out, json_raw(v));
        return 0;
    }
    return member_put(c, o->json, v, o->type, out);
}

static int body_make(container *c, contained *o)
{
    struct buf body = BUF_INIT;
    int result = 0;

    head_put(c, o, o->type, o->id, &body);
    json_each (v, o->json) {
        result = body_member_put(c, o, v, &body);
        if (result != 0)
            break;
    }
    json_put_close(&body, '}');
    if (result == 0)
        part_add(c, o, &body);
    buf_free(&body);
    return result;
}

/* ---- the dictionary ---- */

static int contained_read(container *c, struct json v, contained *out)
{
    struct json type = json_get(v, SLICE("type"));

    *out = (contained){.key = json_key(c->arena, v), .json = v, .type = json_string(c->arena, type), .id = SLICE("")};
    if (json_kind(v) != JSON_OBJECT || out->type.ptr == NULL || out->type.len == 0)
        return fail(c, ERR_STIX_VALUE, v, "an object with a type is expected");
    out->kind = stix_type_find(out->type);
    if (out->kind != NULL && stix_type_class(out->kind) != STIX_SCO)
        return fail(c, ERR_STIX_VALUE, type, "only cyber-observable objects may stand here");
    return 0;
}

static int dictionary_read(container *c)
{
    struct json objects = json_get(c->owner->json, SLICE("objects"));
    uint32_t n = json_count(objects);

    if (json_kind(objects) == JSON_ABSENT)
        return err_set(c->err, ERR_STIX_REQUIRED, "/objects", "an observed-data of STIX 2.0 has objects");
    if (json_kind(objects) != JSON_OBJECT || n == 0)
        return fail(c, ERR_STIX_VALUE, objects, "\"objects\" must be a dictionary with at least one object");
    if (n > STIX_UPGRADE_OBJECTS_MAX)
        return fail(c, ERR_LIMIT_MEMBERS, objects, "too many objects in one observed-data");
    crypto_sha1(json_raw(objects), c->digest);
    c->items = arena_array(c->arena, contained, n);
    c->by_key = arena_array(c->arena, contained *, n);
    json_each (v, objects) {
        if (contained_read(c, v, &c->items[c->n]) != 0)
            return -1;
        c->by_key[c->n] = &c->items[c->n];
        c->n++;
    }
    qsort(c->by_key, c->n, sizeof *c->by_key, by_key);
    return 0;
}

/* An object under two keys stands once. */
static void places_set(container *c)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < c->n; i++)
        if (!c->items[i].again)
            c->items[i].place = next++;
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t k = 0; c->items[i].again && k < c->n; k++)
            if (!c->items[k].again && slice_eq(c->items[k].id, c->items[i].id))
                c->items[i].place = c->items[k].place;
}

int upgrade_container_read(struct arena *a, const struct stix_object *owner, container *out, struct err *err)
{
    *out = (container){.arena = a, .owner = owner, .err = err};
    if (dictionary_read(out) != 0 || markings_read(out) != 0)
        return -1;
    for (uint32_t i = 0; i < out->n; i++)
        if (id_make(out, &out->items[i]) != 0)
            return -1;
    places_set(out);
    out->parts = arena_array(a, struct stix_upgraded_part, 2 * (size_t)out->n + 1);
    out->n_parts = 1;
    for (uint32_t i = 0; i < out->n; i++)
        if (!out->items[i].again && body_make(out, &out->items[i]) != 0)
            return -1;
    return 0;
}

void upgrade_container_refs_put(const container *c, struct buf *out)
{
    json_put_open(out, '[');
    for (uint32_t i = 0; i < c->n; i++)
        if (!c->items[i].again)
            json_put_string(out, c->items[i].id);
    for (uint32_t i = 0; i < c->n; i++)
        if (c->items[i].image_id.len != 0)
            json_put_string(out, c->items[i].image_id);
    json_put_close(out, ']');
}

uint32_t upgrade_container_place(const container *c, struct slice key)
{
    const contained *o = find(c, key);

    return o != NULL ? o->place : UINT32_MAX;
}

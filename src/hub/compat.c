/* hub/compat.c: objects in the dialects of members' tools. Pure; everything that is not named comes out byte for byte.
 */
#include "hub/internal.h"

/* ---- TLP 1 beside TLP 2 ---- */

static bool has_element(struct json list, struct slice text)
{
    json_each (v, list)
        if (slice_eq(json_text(v), text))
            return true;
    return false;
}

static struct slice splice_one(struct arena *a, struct json root, struct json at, struct slice with)
{
    struct buf out = BUF_INIT;
    struct json_edit edit = {at, with, 0};

    json_splice(&out, root, &edit, 1, SLICE(""));
    struct slice text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

struct slice hub_compat_tlp1(struct arena *a, struct slice object)
{
    struct json root;
    struct buf list = BUF_INIT;
    bool added = false;

    if (json_parse(a, object, &json_limits_default, &root, NULL) != 0)
        return object;
    struct json refs = json_get(root, SLICE("object_marking_refs"));
    json_put_open(&list, '[');
    json_each (v, refs) {
        struct slice one = share_tlp1_for(json_text(v));
        json_put_raw(&list, json_raw(v));
        if (one.ptr == NULL || has_element(refs, one))
            continue;
        json_put_string(&list, one);
        added = true;
    }
    json_put_close(&list, ']');
    struct slice text = added ? splice_one(a, root, refs, arena_copy(a, buf_slice(&list))) : object;
    buf_free(&list);
    return text;
}

/* ---- STIX 2.0 ---- */

bool hub_compat_stix20(struct arena *a, struct slice object, struct slice *out)
{
    struct stix_object o;
    struct json root;

    return json_parse(a, object, &json_limits_default, &root, NULL) == 0 && stix_object_read(a, root, &o, NULL) == 0 &&
           stix_downgrade(a, &o, share_tlp1_instead, out, NULL) == 0;
}

/* ---- one comparison an indicator ---- */

struct splitting {
    struct arena *a;
    struct slice id;
    struct hub_part *parts;
    size_t n, room;
};

static bool is_plain_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return s.len != 0;
}

static void put_quoted(struct buf *out, struct slice s)
{
    buf_put_byte(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'' || s.ptr[i] == '\\')
            buf_put_byte(out, '\\');
        buf_put_byte(out, s.ptr[i]);
    }
    buf_put_byte(out, '\'');
}

/* STIX 2.1 section 9.7: names with anything but letters, digits and '_' are quoted. */
static void put_path(struct buf *out, const struct stix_node *node)
{
    buf_put(out, node->type);
    for (const struct stix_step *s = node->path; s != NULL; s = s->next) {
        if (s->kind == STIX_STEP_INDEX)
            buf_printf(out, "[%lld]", (long long)s->index);
        else if (s->kind == STIX_STEP_ANY)
            buf_put(out, SLICE("[*]"));
        else
            buf_put_byte(out, s == node->path ? ':' : '.');
        if (s->kind == STIX_STEP_NAME && is_plain_name(s->name))
            buf_put(out, s->name);
        else if (s->kind == STIX_STEP_NAME)
            put_quoted(out, s->name);
    }
}

static const char *operator_text(const struct stix_node *node)
{
    switch (node->op) {
    case STIX_EQ:
    case STIX_IN: /* a set is split, each member its own part */
        return node->negated ? NULL : "=";
    case STIX_NE:
        return node->negated ? NULL : "!=";
    case STIX_LIKE:
        return node->negated ? "NOT LIKE" : "LIKE";
    case STIX_MATCHES:
        return node->negated ? "NOT MATCHES" : "MATCHES";
    case STIX_ISSUBSET:
        return node->negated ? NULL : "ISSUBSET";
    default:
        return NULL;
    }
}

static bool add_part(struct splitting *s, const struct stix_node *node, const struct stix_const *value)
{
    const char *op = operator_text(node);
    uint8_t hash[CRYPTO_HASH];
    struct buf text = BUF_INIT;

    if (op == NULL || (value->kind != STIX_STRING && value->kind != STIX_INT) || s->n == HUB_PARTS_MAX)
        return false;
    buf_put_byte(&text, '[');
    put_path(&text, node);
    buf_printf(&text, " %s ", op);
    if (value->kind == STIX_STRING)
        put_quoted(&text, value->text);
    else
        buf_put(&text, value->text);
    buf_put_byte(&text, ']');
    struct slice pattern = arena_copy(s->a, buf_slice(&text));
    buf_clear(&text);
    buf_printf(&text, "tocsin part|" SLICE_FMT "|" SLICE_FMT, SLICE_ARG(s->id), SLICE_ARG(pattern));
    crypto_sha256(buf_slice(&text), hash);
    buf_free(&text);
    if (s->n == s->room) {
        s->room = s->room * 2 + 8;
        struct hub_part *more = arena_array(s->a, struct hub_part, s->room);
        if (s->n != 0)
            memcpy(more, s->parts, s->n * sizeof *more);
        s->parts = more;
    }
    s->parts[s->n++] = (struct hub_part){share_minted_id(s->a, SLICE("indicator--"), hash), pattern};
    return true;
}

/* The tree is balanced (stix.h): recursion stays shallow. */
static bool split_node(struct splitting *s, const struct stix_node *node)
{
    switch (node->kind) {
    case STIX_OBS:
        return split_node(s, node->left);
    case STIX_OBS_OR:
    case STIX_CMP_OR:
        return split_node(s, node->left) && split_node(s, node->right);
    case STIX_CMP:
        for (const struct stix_const *value = node->constant; value != NULL; value = value->next)
            if (!add_part(s, node, value))
                return false;
        return true;
    default:
        return false;
    }
}

/* The same value twice in a pattern is one part. */
static size_t drop_doubles(struct hub_part *parts, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept && !slice_eq(parts[k].id, parts[i].id))
            k++;
        if (k == kept)
            parts[kept++] = parts[i];
    }
    return kept;
}

size_t hub_compat_parts(struct arena *a, struct slice object, const struct hub_part **parts_out)
{
    const struct stix_pattern *pattern;
    struct json root;

    if (json_parse(a, object, &json_limits_default, &root, NULL) != 0 ||
        !slice_eq(json_text(json_get(root, SLICE("type"))), SLICE("indicator")) ||
        !slice_eq(json_text(json_get(root, SLICE("pattern_type"))), SLICE("stix")) ||
        stix_pattern_parse(a, json_string(a, json_get(root, SLICE("pattern"))), &pattern, NULL) != 0)
        return 0;
    if (pattern->root->kind != STIX_OBS_OR && pattern->root->kind != STIX_OBS)
        return 0;
    struct splitting s = {.a = a, .id = json_string(a, json_get(root, SLICE("id")))};
    if (!split_node(&s, pattern->root))
        return 0;
    s.n = drop_doubles(s.parts, s.n);
    *parts_out = s.parts;
    size_t rest = object.len - json_raw(json_get(root, SLICE("pattern"))).len; /* stands in every part */
    return s.n > 1 && s.n * rest <= HUB_PARTS_BYTES_MAX ? s.n : 0;
}

/* What the part is of, as the standard lets an object say it (STIX 2.1 section 2.5). */
static void put_origin(struct buf *out, struct slice id)
{
    json_put_open(out, '{');
    json_put_text(out, "source_name", SLICE("tocsin"));
    json_put_text(out, "description", SLICE("one alternative of this indicator's pattern"));
    json_put_text(out, "external_id", id);
    json_put_close(out, '}');
}

static struct slice quoted(struct arena *a, struct slice text)
{
    struct buf out = BUF_INIT;

    json_put_string(&out, text);
    struct slice copy = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return copy;
}

struct part_edits {
    struct json_edit items[8];
    size_t n;
    struct buf append;
};

static void put_value(struct part_edits *e, struct json root, const char *name, struct slice raw)
{
    struct json at = json_get(root, slice_of(name));

    if (json_kind(at) != JSON_ABSENT) {
        e->items[e->n++] = (struct json_edit){at, raw, 0};
    } else {
        json_put_key(&e->append, slice_of(name));
        json_put_raw(&e->append, raw);
    }
}

/* Behind those that are there: selectors of granular markings count from the front. */
static struct slice references_with(struct arena *a, struct json old, struct slice id)
{
    struct buf list = BUF_INIT;

    json_put_open(&list, '[');
    json_each (v, old)
        json_put_raw(&list, json_raw(v));
    put_origin(&list, id);
    json_put_close(&list, ']');
    struct slice text = arena_copy(a, buf_slice(&list));
    buf_free(&list);
    return text;
}

struct slice hub_compat_part(struct arena *a, struct slice object, const struct hub_part *part,
                             struct slice revoked_modified)
{
    struct part_edits e = {.append = BUF_INIT};
    struct buf out = BUF_INIT;
    struct json root;

    if (json_parse(a, object, &json_limits_default, &root, NULL) != 0)
        return object;
    struct slice id = json_string(a, json_get(root, SLICE("id")));
    if (part != NULL) {
        put_value(&e, root, "id", quoted(a, part->id));
        put_value(&e, root, "pattern", quoted(a, part->pattern));
        put_value(&e, root, "external_references",
                  references_with(a, json_get(root, SLICE("external_references")), id));
    }
    if (revoked_modified.len != 0) {
        put_value(&e, root, "modified", quoted(a, revoked_modified));
        put_value(&e, root, "revoked", SLICE("true"));
    }
    json_edit_sort(e.items, e.n);
    json_splice(&out, root, e.items, e.n, buf_slice(&e.append));
    struct slice text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    buf_free(&e.append);
    return text;
}

#include "base/json.h"

#include "base/json_tape.h"

static const struct json absent = {NULL, 0};

static struct json_node node(struct json v)
{
    return v.doc->nodes[v.at];
}

enum json_kind json_kind(struct json v)
{
    /* By the first byte; the closing brackets, which end a walk, are not there and so JSON_ABSENT. */
    static const uint8_t kinds[256] = {
        ['n'] = JSON_NULL,   ['f'] = JSON_FALSE,  ['t'] = JSON_TRUE,   ['"'] = JSON_STRING, ['['] = JSON_ARRAY,
        ['{'] = JSON_OBJECT, ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER, ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER,
        ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER, ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER,
        ['8'] = JSON_NUMBER, ['9'] = JSON_NUMBER,
    };

    return v.doc == NULL ? JSON_ABSENT : (enum json_kind)kinds[(unsigned char)v.doc->text[node(v).start]];
}

static bool is_container(struct json v)
{
    enum json_kind kind = json_kind(v);

    return kind == JSON_OBJECT || kind == JSON_ARRAY;
}

static bool is_member(struct json v)
{
    return v.doc != NULL && v.at != 0 && v.doc->nodes[v.at - 1].start & JSON_KEY;
}

/* The value at a node, behind its key where it has one; JSON_ABSENT at a closing bracket or behind the root. */
static struct json value_at(const struct json_doc *doc, uint32_t at)
{
    if (at >= doc->n_nodes)
        return absent;
    if (doc->nodes[at].start & JSON_KEY)
        return (struct json){doc, at + 1};
    char c = doc->text[doc->nodes[at].start];
    return c == '}' || c == ']' ? absent : (struct json){doc, at};
}

struct json json_first(struct json container)
{
    return is_container(container) ? value_at(container.doc, container.at + 1) : absent;
}

struct json json_next(struct json v)
{
    return v.doc != NULL ? value_at(v.doc, json_node_skip(v.doc->text, v.doc->nodes, v.at)) : absent;
}

uint32_t json_count(struct json container)
{
    return is_container(container) ? container.doc->nodes[node(container).end - 1].end : 0;
}

struct slice json_node_plain(struct arena *a, const char *text, struct json_node n)
{
    struct slice raw = json_node_text(text, n);

    if (!(n.end & JSON_ESCAPED))
        return raw;
    char *plain = arena_alloc(a, raw.len);
    return slice_n(plain, json_unescape(plain, raw));
}

struct json json_get(struct json object, struct slice key)
{
    if (json_kind(object) != JSON_OBJECT)
        return absent;
    const struct json_doc *doc = object.doc;
    for (uint32_t at = object.at + 1; doc->nodes[at].start & JSON_KEY;
         at = json_node_skip(doc->text, doc->nodes, at + 1)) {
        struct slice raw = json_node_text(doc->text, doc->nodes[at]);
        if (doc->nodes[at].end & JSON_ESCAPED ? json_same(raw, true, key, false) : slice_eq(raw, key))
            return (struct json){doc, at + 1};
    }
    return absent;
}

struct slice json_key(struct arena *a, struct json member)
{
    return is_member(member) ? json_node_plain(a, member.doc->text, member.doc->nodes[member.at - 1])
                             : slice_n(NULL, 0);
}

struct slice json_string(struct arena *a, struct json v)
{
    return json_kind(v) == JSON_STRING ? json_node_plain(a, v.doc->text, node(v)) : slice_n(NULL, 0);
}

struct slice json_text(struct json v)
{
    if (json_kind(v) != JSON_STRING || node(v).end & JSON_ESCAPED)
        return slice_n(NULL, 0);
    return json_node_text(v.doc->text, node(v));
}

static uint32_t end_of(struct json v)
{
    struct json_node n = node(v);

    return is_container(v) ? v.doc->nodes[n.end - 1].start + 1 : n.end & JSON_OFFSET;
}

struct slice json_raw(struct json v)
{
    if (json_kind(v) == JSON_ABSENT)
        return slice_n(NULL, 0);
    return slice_n(v.doc->text + node(v).start, end_of(v) - node(v).start);
}

struct slice json_raw_member(struct json member)
{
    if (!is_member(member))
        return json_raw(member);
    uint32_t start = member.doc->nodes[member.at - 1].start & JSON_OFFSET;
    return slice_n(member.doc->text + start, end_of(member) - start);
}

bool json_int(struct json v, int64_t *value_out)
{
    struct slice digits = json_raw(v);
    uint64_t value;

    if (json_kind(v) != JSON_NUMBER)
        return false;
    bool negative = digits.ptr[0] == '-';
    if (!slice_u64(slice_from(digits, negative), &value) || value > (uint64_t)INT64_MAX + negative)
        return false;
    *value_out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool json_bool(struct json v, bool *value_out)
{
    enum json_kind kind = json_kind(v);

    *value_out = kind == JSON_TRUE;
    return kind == JSON_TRUE || kind == JSON_FALSE;
}

struct slice json_pointer(struct arena *a, struct json v)
{
    struct buf out = BUF_INIT;
    struct json at = {v.doc, 0};

    /* Down from the root: at each level into the last child that does not begin behind v. */
    while (v.doc != NULL && at.at != v.at) {
        uint32_t index = 0;
        struct json child = json_first(at);
        for (struct json next = json_next(child); json_kind(next) != JSON_ABSENT && next.at <= v.at; index++) {
            child = next;
            next = json_next(child);
        }
        if (json_kind(child) == JSON_ABSENT)
            break;
        if (is_member(child)) {
            json_put_token(&out, json_key(a, child));
        } else {
            buf_put_byte(&out, '/');
            buf_put_u64(&out, index);
        }
        at = child;
    }
    struct slice result = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return result;
}

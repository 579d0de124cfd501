#include "share/internal.h"

enum { TYPE_MAX = 250 }; /* STIX 2.1 section 3.1: what is longer is no type */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_type(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_uuid(const char *p)
{
    for (size_t i = 0; i < SHARE_UUID_TEXT; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? p[i] != '-' : !is_hex(p[i]))
            return false;
    }
    return true;
}

/* Where the type in front of "--uuid" begins; `uuid` itself when none stands there. */
static size_t type_start(struct slice text, size_t from, size_t uuid)
{
    size_t at;

    if (uuid < from + 3 || text.ptr[uuid - 1] != '-' || text.ptr[uuid - 2] != '-')
        return uuid;
    at = uuid - 2;
    while (at > from && is_type(text.ptr[at - 1]) && !(text.ptr[at - 1] == '-' && text.ptr[at] == '-'))
        at--;
    while (at < uuid - 2 && text.ptr[at] == '-')
        at++;
    return at < uuid - 2 ? at : uuid;
}

struct slice share_id_lower(struct arena *a, struct slice id)
{
    struct slice copy = {NULL, 0};

    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] < 'A' || id.ptr[i] > 'Z')
            continue;
        if (copy.ptr == NULL)
            copy = arena_copy(a, id);
        ((char *)(uintptr_t)copy.ptr)[i] = (char)(id.ptr[i] + 32);
    }
    return copy.ptr != NULL ? copy : id;
}

/* A UUID is looked for from its first dash on: text has few of them. */
bool share_mention_next(struct arena *a, struct slice text, size_t *from, struct share_mention *out)
{
    size_t at = *from;

    while (at + SHARE_UUID_TEXT <= text.len) {
        const char *dash = memchr(text.ptr + at + 8, '-', text.len - at - 8);
        if (dash == NULL)
            break;
        at = (size_t)(dash - text.ptr) - 8;
        if (at + SHARE_UUID_TEXT > text.len)
            break;
        if (!is_uuid(text.ptr + at)) {
            at++;
            continue;
        }
        out->at = type_start(text, *from, at);
        if (at - out->at > TYPE_MAX + 2)
            out->at = at;
        out->text = slice_n(text.ptr + out->at, at + SHARE_UUID_TEXT - out->at);
        out->id = out->at < at ? share_id_lower(a, out->text) : (struct slice){NULL, 0};
        *from = at + SHARE_UUID_TEXT;
        return true;
    }
    *from = text.len;
    return false;
}

struct slice share_text_replace(struct arena *a, struct slice text, share_replace_fn *fn, void *arg)
{
    struct buf out = BUF_INIT;
    struct share_mention m;
    size_t from = 0, copied = 0;

    while (share_mention_next(a, text, &from, &m)) {
        struct slice with = m.id.len != 0 ? fn(arg, m.id) : (struct slice){NULL, 0};
        if (with.ptr == NULL)
            continue;
        buf_put(&out, slice_n(text.ptr + copied, m.at - copied));
        buf_put(&out, with);
        copied = from;
    }
    if (copied == 0)
        return text;
    buf_put(&out, slice_from(text, copied));
    text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

struct slice share_quote(struct arena *a, struct slice text)
{
    struct buf out = BUF_INIT;
    struct slice quoted;

    json_put_string(&out, text);
    quoted = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return quoted;
}

void share_edits_add(struct arena *a, struct share_edits *edits, struct json at, struct slice with)
{
    if (edits->n == edits->cap) {
        struct json_edit *more = arena_array(a, struct json_edit, edits->cap * 2 + 16);
        if (edits->n != 0)
            memcpy(more, edits->items, edits->n * sizeof *more);
        edits->items = more;
        edits->cap = edits->cap * 2 + 16;
    }
    edits->items[edits->n++] = (struct json_edit){.at = at, .with = with};
}

#include "base/json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json_tape.h"

static int compare_edits(const void *a, const void *b)
{
    const struct json_edit *x = a, *y = b;

    return x->at.at < y->at.at ? -1 : x->at.at > y->at.at;
}

void json_edit_sort(struct json_edit *edits, size_t n)
{
    if (n > 1)
        qsort(edits, n, sizeof *edits, compare_edits);
}

static const char *skip_blanks(const char *p)
{
    while (json_is_blank(*p))
        p++;
    return p;
}

static const char *skip_blanks_back(const char *p, const char *from)
{
    while (p > from && json_is_blank(p[-1]))
        p--;
    return p;
}

static void copy(struct buf *out, const char *from, const char *to)
{
    buf_put(out, slice_n(from, (size_t)(to - from)));
}

/* Leaves out one member or element and one comma: the one before it where a kept sibling stands there, else the one
   behind it. The text tells which: `copied` stands past the comma before it only when a dropped first sibling took that
   comma. Returns where copying goes on. */
static const char *drop(struct buf *out, const char *copied, struct json v)
{
    struct slice gone = json_raw_member(v);
    const char *from = gone.ptr, *to = gone.ptr + gone.len;
    const char *before = skip_blanks_back(from, copied);

    if (before > copied && before[-1] == ',') {
        copy(out, copied, before - 1);
        return to;
    }
    copy(out, copied, from);
    to = skip_blanks(to);
    return *to == ',' ? skip_blanks(to + 1) : gone.ptr + gone.len;
}

/* Puts the new members in front of the closing bracket, with a comma unless nothing is left before them. */
static void put_append(struct buf *out, const char *copied, const char *close, struct slice append)
{
    const char *last = skip_blanks_back(close, copied);

    copy(out, copied, last);
    size_t at = out->len;
    while (json_is_blank(out->ptr[at - 1]))
        at--;
    if (out->ptr[at - 1] != '{' && out->ptr[at - 1] != '[')
        buf_put_byte(out, ',');
    buf_put(out, append);
    copy(out, last, close);
}

void json_splice(struct buf *out, struct json root, struct json_edit *edits, size_t n, struct slice append)
{
    struct slice whole = json_raw(root);
    const char *copied = whole.ptr, *end = whole.ptr + whole.len;
    size_t began = out->len;

    buf_reserve(out, whole.len + append.len + 1);
    for (size_t i = 0; i < n; i++) {
        struct slice old = json_raw(edits[i].at);
        assert(old.ptr >= copied && old.ptr + old.len <= end); /* sorted, disjoint, below root */
        if (edits[i].with.ptr == NULL) {
            copied = drop(out, copied, edits[i].at);
            continue;
        }
        copy(out, copied, old.ptr);
        edits[i].out_at = out->len - began;
        buf_put(out, edits[i].with);
        copied = old.ptr + old.len;
    }
    if (append.len != 0) {
        assert(json_kind(root) == JSON_OBJECT || json_kind(root) == JSON_ARRAY);
        put_append(out, copied, end - 1, append);
        copied = end - 1;
    }
    copy(out, copied, end);
}

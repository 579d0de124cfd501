/* Bytes to json_parse(). What it accepts is walked whole, and edits of it must read back. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

static const struct json_limits limits = {32, 5000, 100, 2000, 1 << 16};

static struct json parse_again(struct arena *a, const struct buf *text)
{
    struct json root = {NULL, 0};
    struct err err = ERR_INIT;

    if (json_parse(a, buf_slice(text), NULL, &root, &err) != 0)
        abort();
    return root;
}

/* Every accessor on every value; `all` gets them in the order of the text. */
static void walk(struct arena *a, struct json v, struct json *all, size_t *n)
{
    int64_t number;
    bool truth;
    uint32_t count = 0;
    struct slice text = json_text(v), string = json_string(a, v), raw = json_raw(v);

    assert(raw.len != 0 && json_raw_member(v).len >= raw.len);
    assert(text.ptr == NULL || slice_eq(text, string));
    json_int(v, &number);
    json_bool(v, &truth);
    all[(*n)++] = v;
    json_each (child, v) {
        struct slice key = json_key(a, child);
        if (json_kind(v) == JSON_OBJECT)
            assert(json_get(v, key).at == child.at);
        walk(a, child, all, n);
        count++;
    }
    assert(count == json_count(v));
}

static void check_identity(struct arena *a, struct json root)
{
    struct buf out = BUF_INIT;

    json_splice(&out, root, NULL, 0, SLICE(""));
    assert(slice_eq(buf_slice(&out), json_raw(root)));
    buf_free(&out);
}

/* Drops or replaces some of the root's children; the result has as many as it should. */
static void check_edits(struct arena *a, struct json root, uint32_t choice, bool append)
{
    struct json_edit edits[32];
    struct buf out = BUF_INIT;
    size_t n = 0;
    uint32_t dropped = 0, at = 0;
    struct slice more = json_kind(root) == JSON_OBJECT ? SLICE("\"\xc2\xa0 new\":1") : SLICE("1");

    json_each (v, root) {
        uint32_t bits = choice >> (at++ * 2 % 32) & 3;
        if (bits < 2 || n == 32)
            continue;
        dropped += bits == 2;
        edits[n++] = (struct json_edit){v, bits == 2 ? slice_n(NULL, 0) : SLICE("[{}]"), 0};
    }
    json_splice(&out, root, edits, n, append ? more : SLICE(""));
    if (!append || json_kind(json_get(root, SLICE("\xc2\xa0 new"))) == JSON_ABSENT) {
        assert(json_count(parse_again(a, &out)) == json_count(root) - dropped + append);
        for (size_t i = 0; i < n; i++)
            assert(edits[i].with.ptr == NULL || memcmp(out.ptr + edits[i].out_at, "[{}]", 4) == 0);
    }
    buf_free(&out);
}

/* One value anywhere, dropped by its pointer's place. */
static void check_drop_anywhere(struct arena *a, struct json root, struct json victim)
{
    struct buf out = BUF_INIT;
    struct json_edit edit = {victim, {NULL, 0}, 0};

    json_splice(&out, root, &edit, 1, SLICE(""));
    parse_again(a, &out);
    buf_free(&out);
    json_pointer(a, victim);
}

/* What the writer makes of every string reads back as that string. */
static void check_writer(struct arena *a, const struct json *all, size_t n)
{
    struct buf out = BUF_INIT;

    json_put_open(&out, '[');
    for (size_t i = 0; i < n; i++)
        if (json_kind(all[i]) == JSON_STRING)
            json_put_string(&out, json_string(a, all[i]));
    json_put_close(&out, ']');
    struct json written = json_first(parse_again(a, &out));
    for (size_t i = 0; i < n; i++) {
        if (json_kind(all[i]) != JSON_STRING)
            continue;
        assert(slice_eq(json_string(a, all[i]), json_string(a, written)));
        written = json_next(written);
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct json root;

    if (size < 4)
        return 0;
    uint32_t choice;
    memcpy(&choice, data, sizeof choice);
    /* A copy of exactly that size: a read past the end is seen. */
    char *text = malloc(size);
    memcpy(text, data, size);
    if (json_parse(&a, slice_n(text, size), &limits, &root, &err) == 0) {
        struct json *all = arena_array(&a, struct json, limits.values);
        size_t n = 0;
        walk(&a, root, all, &n);
        check_identity(&a, root);
        if (json_kind(root) == JSON_OBJECT || json_kind(root) == JSON_ARRAY) {
            check_edits(&a, root, (uint32_t)size * 2654435761u ^ choice, size % 2);
            if (n > 1)
                check_drop_anywhere(&a, root, all[1 + choice % (n - 1)]);
        }
        check_writer(&a, all, n);
    } else {
        assert(err.code != ERR_NONE && err.text[0] != '\0');
    }
    free(text);
    arena_free(&a);
    return 0;
}

/* tests/share/release_test.h: a release from an object's text, with MACs that stand for those of keys. */
#ifndef TESTS_RELEASE_TEST_H
#define TESTS_RELEASE_TEST_H

#include "share_test.h"

#define COVER   "identity--c0c0c0c0-0000-4000-8000-00000000c0c0"
#define INSTANT "1970-01-01T00:00:00.000000Z"

/* Not a MAC: only the same for the same id, and different for others. */
static inline void test_mac(struct slice id, uint8_t mac[32])
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < 32; i++) {
        for (size_t k = 0; k < id.len; k++)
            h = (h ^ (unsigned char)id.ptr[k]) * UINT64_C(1099511628211);
        mac[i] = (uint8_t)(h >> 32);
    }
}

static inline struct slice test_minted(struct arena *a, struct slice id)
{
    uint8_t mac[32];

    test_mac(id, mac);
    return share_minted_id(a, id, mac);
}

/* Objects of one known producer: their UUIDs begin so. */
static inline bool test_is_foreign(void *arg, struct slice id)
{
    return slice_find(id, SLICE("--f0f0f0f0-")) != id.len;
}

/* The names of ask->object, and then its release. */
static inline int test_release(struct arena *a, struct share_release_ask *ask, struct share_release *out,
                               struct err *err)
{
    struct share_names *names = arena_new(a, struct share_names);

    if (share_names_find(a, ask->object, test_is_foreign, NULL, names, err) != 0)
        return -1;
    for (size_t i = 0; i < names->n; i++)
        test_mac(names->items[i].id, names->items[i].mac);
    ask->names = names;
    return share_release_make(a, ask, out, err);
}

/* Expected text: an id behind '~' stands for the one minted for it. */
static inline struct slice test_expected(struct arena *a, const char *text)
{
    struct buf out = BUF_INIT;
    struct slice rest = slice_of(text), result;

    while (rest.len != 0) {
        size_t at = slice_find(rest, SLICE("~")), end;
        buf_put(&out, slice_to(rest, at));
        rest = slice_from(rest, at + 1);
        if (rest.len == 0)
            break;
        end = slice_find(rest, SLICE("--")) + 2 + 36;
        buf_put(&out, test_minted(a, slice_to(rest, end)));
        rest = slice_from(rest, end);
    }
    result = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return result;
}

static inline void test_text_at(const struct share_release *r, size_t at, const char *text)
{
    if (at != SIZE_MAX)
        assert_slice(slice_to(slice_from(r->body, at), strlen(text)), text);
}

static inline void test_places(const struct share_release *r)
{
    test_text_at(r, r->created_at, INSTANT);
    test_text_at(r, r->modified_at, INSTANT);
    test_text_at(r, r->valid_until_at, INSTANT);
    test_text_at(r, r->cover_at, COVER);
}

#endif

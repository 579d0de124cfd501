#include "test.h"

#include <stdlib.h>

#include "match/internal.h"

/* What a lookup gave: the indicators in order, and the last hit's slices. */
struct seen {
    uint64_t indicators[8];
    uint32_t n;
    char value[64], seen[64], field[16];
};

static void note_text(char *to, size_t size, struct slice s)
{
    snprintf(to, size, SLICE_FMT, SLICE_ARG(s));
}

static void note(void *arg, const struct match_hit *hit)
{
    struct seen *s = arg;

    if (s->n < ROWS(s->indicators))
        s->indicators[s->n] = hit->indicator;
    s->n++;
    note_text(s->value, sizeof s->value, hit->value);
    note_text(s->seen, sizeof s->seen, hit->seen);
    note_text(s->field, sizeof s->field, hit->field);
}

static struct seen look(struct match_reader *r, enum stix_value_kind kind, const char *text)
{
    struct seen s = {.n = 0};
    uint32_t hits = match_value(r, kind, slice_of(text), slice_of(text), SLICE("test"), note, &s);

    assert_int_equal(hits, s.n);
    return s;
}

static void add(struct match_index *ix, uint64_t indicator, enum stix_value_kind kind, const char *text)
{
    struct err err = ERR_INIT;

    if (match_index_add(ix, indicator, kind, slice_of(text), &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

static void test_match_index__exact_and_suffix(void **state)
{
    struct match_index *ix = match_index_new(0);
    struct match_reader *r = match_reader_new(ix);
    static const struct {
        enum stix_value_kind kind;
        const char *text;
        uint32_t hits;
        uint64_t indicator;
    } rows[] = {
        {STIX_VALUE_IPV4, "198.51.100.7", 1, 1},
        {STIX_VALUE_IPV4, "198.51.100.70", 0, 0},
        {STIX_VALUE_DOMAIN, "198.51.100.7", 0, 0}, /* the kind belongs to the key */
        {STIX_VALUE_IPV6, "2001:db8::7", 1, 2},
        {STIX_VALUE_DOMAIN, "bad.example", 1, 3},
        {STIX_VALUE_DOMAIN, "www.bad.example", 1, 3},
        {STIX_VALUE_DOMAIN, "a.b.c.d.bad.example", 1, 3},
        {STIX_VALUE_DOMAIN, "notbad.example", 0, 0}, /* a suffix by label, not by letter */
        {STIX_VALUE_DOMAIN, "example", 0, 0},
        {STIX_VALUE_DOMAIN, "other.example", 0, 0},
        {STIX_VALUE_DOMAIN, "co.uk", 1, 4}, /* public suffixes match exactly */
        {STIX_VALUE_DOMAIN, "bank.co.uk", 0, 0},
        {STIX_VALUE_DOMAIN, "github.io", 1, 5}, /* those of companies too */
        {STIX_VALUE_DOMAIN, "someone.github.io", 0, 0},
        {STIX_VALUE_DOMAIN, "test", 1, 6}, /* one label: itself alone */
        {STIX_VALUE_DOMAIN, "anything.test", 0, 0},
        {STIX_VALUE_DOMAIN, "..bad.example", 1, 3}, /* no name, and no crash */
        {STIX_VALUE_DOMAIN, ".", 0, 0},
        {STIX_VALUE_DOMAIN, "", 0, 0},
        {STIX_VALUE_URL, "http://bad.example/a", 1, 7},
        {STIX_VALUE_URL, "http://bad.example/b", 0, 0},
        {STIX_VALUE_EMAIL, "x@bad.example", 1, 8},
        {STIX_VALUE_MD5, "d41d8cd98f00b204e9800998ecf8427f", 1, 9},
        {STIX_VALUE_SHA1, "d41d8cd98f00b204e9800998ecf8427f", 0, 0},
        {STIX_VALUE_IPV4_NET, "198.51.100.0/24", 0, 0},
    };

    add(ix, 1, STIX_VALUE_IPV4, "198.51.100.7");
    add(ix, 2, STIX_VALUE_IPV6, "2001:db8::7");
    add(ix, 3, STIX_VALUE_DOMAIN, "bad.example");
    add(ix, 4, STIX_VALUE_DOMAIN, "co.uk");
    add(ix, 5, STIX_VALUE_DOMAIN, "github.io");
    add(ix, 6, STIX_VALUE_DOMAIN, "test");
    add(ix, 7, STIX_VALUE_URL, "http://bad.example/a");
    add(ix, 8, STIX_VALUE_EMAIL, "x@bad.example");
    add(ix, 9, STIX_VALUE_MD5, "d41d8cd98f00b204e9800998ecf8427f");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct seen s = look(r, rows[i].kind, rows[i].text);
        if (s.n != rows[i].hits || (s.n != 0 && s.indicators[0] != rows[i].indicator))
            fail_row(i, "%s gave %u hits, first %llu", rows[i].text, s.n, (unsigned long long)s.indicators[0]);
    }
    struct seen s = look(r, STIX_VALUE_DOMAIN, "www.bad.example");
    assert_string_equal(s.value, "bad.example");
    assert_string_equal(s.seen, "www.bad.example");
    assert_string_equal(s.field, "test");
    match_reader_free(&r);
    match_index_free(&ix);
}

static void test_match_index__several_indicators(void **state)
{
    struct match_index *ix = match_index_new(0);
    struct match_reader *r = match_reader_new(ix);

    add(ix, 1, STIX_VALUE_DOMAIN, "bad.example");
    add(ix, 2, STIX_VALUE_DOMAIN, "bad.example");
    add(ix, 2, STIX_VALUE_DOMAIN, "bad.example"); /* again: no change */
    add(ix, 2, STIX_VALUE_DOMAIN, "worse.bad.example");
    assert_int_equal(match_index_count(ix), 3);
    struct seen s = look(r, STIX_VALUE_DOMAIN, "worse.bad.example");
    assert_int_equal(s.n, 3);
    assert_int_equal(s.indicators[0], 2);
    assert_int_equal(s.indicators[1], 1);
    assert_int_equal(s.indicators[2], 2);
    match_index_remove(ix, 1, STIX_VALUE_DOMAIN, SLICE("bad.example"));
    match_index_remove(ix, 1, STIX_VALUE_DOMAIN, SLICE("bad.example"));   /* gone already */
    match_index_remove(ix, 7, STIX_VALUE_DOMAIN, SLICE("bad.example"));   /* never was */
    match_index_remove(ix, 2, STIX_VALUE_DOMAIN, SLICE("other.example")); /* nor this */
    match_index_remove(ix, 2, STIX_VALUE_OTHER, SLICE("other.example"));
    assert_int_equal(match_index_count(ix), 2);
    s = look(r, STIX_VALUE_DOMAIN, "bad.example");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.indicators[0], 2);
    match_index_remove(ix, 2, STIX_VALUE_DOMAIN, SLICE("bad.example"));
    assert_int_equal(look(r, STIX_VALUE_DOMAIN, "bad.example").n, 0);
    assert_int_equal(look(r, STIX_VALUE_DOMAIN, "worse.bad.example").n, 1);
    assert_int_equal(match_index_count(ix), 1);
    match_reader_free(&r);
    match_index_free(&ix);
}

static void test_match_index__limits(void **state)
{
    struct match_index *ix = match_index_new(0);
    struct err err = ERR_INIT;
    static char text[MATCH_VALUE_MAX + 1];

    memset(text, 'a', sizeof text);
    assert_int_equal(match_index_add(ix, 1, STIX_VALUE_URL, slice_n(text, MATCH_VALUE_MAX), &err), 0);
    assert_int_equal(match_index_add(ix, 1, STIX_VALUE_URL, slice_n(text, MATCH_VALUE_MAX + 1), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_STRING);
    assert_int_equal(match_index_add(ix, 1, STIX_VALUE_URL, SLICE(""), &err), -1);
    assert_int_equal(err.code, ERR_STIX_VALUE);
    for (int kind = 0; kind < STIX_VALUE_KINDS; kind++) {
        bool matched = kind == STIX_VALUE_IPV4 || kind == STIX_VALUE_IPV6 ||
                       (kind >= STIX_VALUE_DOMAIN && kind <= STIX_VALUE_SHA512);
        assert_int_equal(match_index_add(ix, 1, (enum stix_value_kind)kind, SLICE("x"), &err), matched ? 0 : -1);
        if (!matched)
            assert_int_equal(err.code, ERR_PATTERN_UNSUPPORTED);
    }
    for (uint64_t i = 1; i <= MATCH_INDICATORS_MAX; i++)
        add(ix, i, STIX_VALUE_IPV4, "192.0.2.1");
    assert_int_equal(match_index_add(ix, 1, STIX_VALUE_IPV4, SLICE("192.0.2.1"), &err), 0); /* there already */
    assert_int_equal(match_index_add(ix, MATCH_INDICATORS_MAX + 1, STIX_VALUE_IPV4, SLICE("192.0.2.1"), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_MEMBERS);
    for (uint64_t i = 1; i <= MATCH_INDICATORS_MAX; i++)
        match_index_remove(ix, i, STIX_VALUE_IPV4, SLICE("192.0.2.1"));
    assert_int_equal(match_index_count(ix), 10);
    match_index_free(&ix);
    assert_null(ix);
    match_index_free(&ix);
}

static void test_match_index__readers_run_out(void **state)
{
    struct match_index *ix = match_index_new(0);
    struct match_reader *readers[MATCH_READERS_MAX];

    for (size_t i = 0; i < MATCH_READERS_MAX; i++)
        assert_non_null(readers[i] = match_reader_new(ix));
    assert_null(match_reader_new(ix));
    match_reader_free(&readers[5]);
    assert_null(readers[5]);
    assert_non_null(readers[5] = match_reader_new(ix));
    for (size_t i = 0; i < MATCH_READERS_MAX; i++)
        match_reader_free(&readers[i]);
    match_reader_free(&readers[0]);
    match_index_free(&ix);
}

static struct slice number_name(char *to, size_t size, uint64_t i)
{
    return slice_n(to, (size_t)snprintf(to, size, "n%llu.bad.example", (unsigned long long)i));
}

/* Grows many times over from nothing, loses every third value, gets half of them back: after each step exactly the
   right ones are found. Entries of all sizes go round through the free lists. */
static void test_match_index__grows_and_shrinks(void **state)
{
    enum { N = 60000 };
    struct match_index *ix = match_index_new(0);
    struct match_reader *r = match_reader_new(ix);
    char text[64];

    for (uint64_t i = 0; i < N; i++) {
        assert_int_equal(match_index_add(ix, i, STIX_VALUE_EMAIL, number_name(text, sizeof text, i), NULL), 0);
        assert_int_equal(look(r, STIX_VALUE_EMAIL, text).n, 1);
        number_name(text, sizeof text, i / 2); /* also while it is growing */
        assert_int_equal(look(r, STIX_VALUE_EMAIL, text).n, 1);
    }
    for (uint64_t i = 0; i < N; i += 3)
        match_index_remove(ix, i, STIX_VALUE_EMAIL, number_name(text, sizeof text, i));
    for (uint64_t i = 0; i < N; i += 6)
        match_index_add(ix, i + N, STIX_VALUE_EMAIL, number_name(text, sizeof text, i), NULL);
    for (uint64_t i = 0; i < N; i++) {
        number_name(text, sizeof text, i);
        struct seen s = look(r, STIX_VALUE_EMAIL, text);
        if (s.n != (i % 3 != 0 || i % 6 == 0))
            fail_row(i, "%u hits", s.n);
        if (s.n == 1)
            assert_int_equal(s.indicators[0], i % 6 == 0 ? i + N : i);
    }
    assert_int_equal(match_index_count(ix), N - N / 3 + N / 6);
    match_reader_free(&r);
    match_index_free(&ix);
}

/* Indicators that come and go (C2 lists do) need no more memory than once, unless a reader stays inside. */
static void test_match_index__reuses_memory(void **state)
{
    struct match_index *ix = match_index_new(1000);
    struct match_reader *r = match_reader_new(ix);
    char text[64];

    for (uint64_t round = 0; round < 200; round++)
        for (uint64_t i = 0; i < 2000; i++) {
            number_name(text, sizeof text, i % 1000);
            if (i < 1000)
                match_index_add(ix, i, STIX_VALUE_DOMAIN, slice_of(text), NULL);
            else
                match_index_remove(ix, i - 1000, STIX_VALUE_DOMAIN, slice_of(text));
        }
    assert_int_equal(match_index_count(ix), 0);
    assert_int_equal(ix->cells.n_chunks, 1);
    assert_true(ix->retired_n < 200);
    match_reader_enter(r);
    for (uint64_t i = 0; i < 1000; i++) {
        match_index_add(ix, i, STIX_VALUE_DOMAIN, number_name(text, sizeof text, i), NULL);
        match_index_remove(ix, i, STIX_VALUE_DOMAIN, slice_of(text));
    }
    assert_true(ix->retired_n >= 1000);
    match_reader_leave(r);
    for (uint64_t i = 0; i < 64; i++) {
        match_index_add(ix, i, STIX_VALUE_DOMAIN, SLICE("bad.example"), NULL);
        match_index_remove(ix, i, STIX_VALUE_DOMAIN, SLICE("bad.example"));
    }
    assert_true(ix->retired_n < 200);
    match_reader_free(&r);
    match_index_free(&ix);
}

/* A full bucket overflows into the next ones and round the end, and a search goes on past the slots that were freed. */
static void test_match_index__buckets_overflow(void **state)
{
    struct cells cells;
    struct table *t = table_new(0);
    struct slot slots[40];
    uint64_t hash = UINT32_MAX; /* home: the last bucket */

    cells_open(&cells);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t ref = cells_take(&cells, entry_size(1, 1));
        struct entry *e = cells_at(&cells, ref);
        *e = (struct entry){.n = 1, .len = 1, .kind = STIX_VALUE_URL};
        *(char *)&e->indicators[1] = (char)('0' + i);
        slots[i] = table_insert(t, hash, ref);
    }
    assert_int_equal(slots[0].bucket, t->n_buckets - 1);
    assert_int_equal(slots[39].bucket, 1);
    for (uint32_t i = 0; i < 39; i++)
        table_remove(t, hash, slots[i]);
    char last = '0' + 39;
    assert_non_null(table_find(t, &cells, hash, STIX_VALUE_URL, slice_n(&last, 1), NULL));
    assert_null(table_find(t, &cells, hash, STIX_VALUE_EMAIL, slice_n(&last, 1), NULL)); /* same hash, another kind */
    assert_null(table_find(t, &cells, hash, STIX_VALUE_URL, SLICE("0"), NULL));
    table_remove(t, hash, slots[39]);
    for (uint32_t i = 0; i < t->n_buckets; i++)
        assert_int_equal(t->buckets[i].past, 0);
    assert_int_equal(t->used, 0);
    table_free(&t);
    cells_close(&cells);
}

/* The reference values of SipHash-1-3 with the key 00 01 .. 0f over the bytes 00, 00 01, ... (as CPython and Rust test
 * them). */
static void test_match_index__hash(void **state)
{
    static const struct match_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {2, 0x82cb9b024dc7d44d},  {3, 0x8bf80ab8e7ddf7fb},
        {4, 0xcf75576088d38328},  {5, 0xdef9d52f49533b67},  {6, 0xc50d2b50c59f22a7},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {10, 0x79de85ee92ff097f}, {11, 0x70c118c1f94dc352},
        {12, 0x78a384b157b4d9a2}, {13, 0x306f760c1229ffa7}, {14, 0x605aa111c0f95d34}, {15, 0xd320d86d2a519956},
        {16, 0xcc4fdd1a7d908b66},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t hash = match_hash(&key, slice_n(bytes, rows[i].len));
        if (hash != rows[i].hash)
            fail_row(i, "%016llx", (unsigned long long)hash);
    }
    /* Two indexes, two keys; and a key for each kind. */
    struct match_index *a = match_index_new(0), *b = match_index_new(0);
    assert_true(memcmp(a->keys, b->keys, sizeof a->keys) != 0);
    assert_true(a->keys[STIX_VALUE_URL].k0 != a->keys[STIX_VALUE_EMAIL].k0);
    match_index_free(&a);
    match_index_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_index__exact_and_suffix),
        cmocka_unit_test(test_match_index__several_indicators),
        cmocka_unit_test(test_match_index__limits),
        cmocka_unit_test(test_match_index__readers_run_out),
        cmocka_unit_test(test_match_index__grows_and_shrinks),
        cmocka_unit_test(test_match_index__reuses_memory),
        cmocka_unit_test(test_match_index__buckets_overflow),
        cmocka_unit_test(test_match_index__hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "hub_test.h"

static void take(struct hub_rows *r, uint64_t seq, uint64_t key, uint64_t id_hash, int64_t source_us, uint64_t subject,
                 enum store_kind kind)
{
    hub_rows_take(r, &(struct hub_row){.seq = seq,
                                       .key = key,
                                       .id_hash = id_hash,
                                       .subject = subject,
                                       .source_us = source_us,
                                       .added_us = (int64_t)seq * 10,
                                       .kind = kind});
}

/* One row: taken, then shown, as a commit does it. */
static void add(struct hub_rows *r, uint64_t seq, uint64_t key, uint64_t id_hash, int64_t source_us, uint64_t subject,
                enum store_kind kind)
{
    take(r, seq, key, id_hash, source_us, subject, kind);
    if (subject != 0 && kind != STORE_RESTRICT)
        hub_rows_supersede(r, subject, seq);
}

static void test_hub_rows__versions_take_each_others_place(void **state)
{
    struct hub_rows r;

    hub_rows_init(&r);
    assert_int_equal(hub_rows_find(&r, 77, 5), 0);
    add(&r, 1, 5, 77, 100, 0, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 5), 1);
    assert_int_equal(hub_rows_find(&r, 77, 6), 0);
    assert_int_equal(hub_rows_find(&r, 78ull << 32, 5), 0);
    add(&r, 2, 5, 77, 200, 1, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 5), 2);
    assert_true(bits_has(&r.superseded, 1));
    assert_false(bits_has(&r.superseded, 2));
    assert_int_equal(r.later[1], 2);
    assert_true(hub_row_is_newer(&r, 2, 201));
    assert_false(hub_row_is_newer(&r, 2, 200));
    add(&r, 3, 5, 77, 200, 2, STORE_RETRACT); /* a recall of the same version stands for it */
    assert_int_equal(hub_rows_find(&r, 77, 5), 3);
    add(&r, 4, 5, 77, 200, 3, STORE_RESTRICT); /* this one does not: others keep the object */
    assert_int_equal(hub_rows_find(&r, 77, 5), 3);
    assert_false(bits_has(&r.superseded, 3));
    hub_rows_free(&r);
}

static void test_hub_rows__late_older_version_stands_behind(void **state)
{
    struct hub_rows r;

    hub_rows_init(&r);
    add(&r, 1, 5, 77, 500, 0, STORE_ADD);
    add(&r, 2, 5, 77, 300, 1, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 5), 1);
    assert_true(bits_has(&r.superseded, 2));
    assert_false(bits_has(&r.superseded, 1));
    add(&r, 3, 5, 77, 600, 1, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 5), 3);
    add(&r, 4, 5, 77, 400, 3, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 5), 3);
    assert_true(bits_has(&r.superseded, 4));
    /* every version hangs on the current one, the late ones too */
    bool seen[5] = {false};
    for (uint64_t seq = 3; seq != 0; seq = r.subject[seq]) {
        assert_false(seen[seq]);
        seen[seq] = true;
    }
    for (size_t i = 1; i < 5; i++)
        assert_true(seen[i]);
    hub_rows_free(&r);
}

/* What a partner lets expire without a version of its own stays on pages as it was; followers alone are told. */
static void test_hub_rows__a_bare_expiry_replaces_nothing(void **state)
{
    struct hub_rows r;

    hub_rows_init(&r);
    add(&r, 1, 5, 77, 100, 0, STORE_ADD);
    hub_rows_take(
        &r, &(struct hub_row){
                .seq = 2, .key = 5, .id_hash = 77, .subject = 1, .source_us = 100, .kind = STORE_EXPIRE, .bare = true});
    hub_rows_supersede(&r, 1, 2);
    assert_int_equal(hub_rows_find(&r, 77, 5), 2);
    assert_true(bits_has(&r.superseded, 1));
    assert_false(bits_has(&r.replaced, 1));
    add(&r, 3, 5, 77, 200, 2, STORE_ADD); /* a version takes the place of both */
    assert_true(bits_has(&r.replaced, 1));
    assert_true(bits_has(&r.replaced, 2));
    assert_false(bits_has(&r.replaced, 3));
    hub_rows_free(&r);
}

/* Thousands of versions of one object: whoever asks for the last one of each does not walk the chain each time. */
static void test_hub_rows__latest_of_a_long_chain(void **state)
{
    enum { MANY = 200000 };
    struct hub_rows r;

    hub_rows_init(&r);
    for (uint64_t i = 1; i <= MANY; i++)
        add(&r, i, 5, 77, (int64_t)i, i - 1, STORE_ADD);
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(hub_row_latest(&r, i, MANY), MANY);
    assert_int_equal(r.leap[1], MANY);
    assert_int_equal(hub_row_latest(&r, 1, 150000), 150000); /* an older head is asked for the old way */
    assert_int_equal(hub_row_latest(&r, 200, 200), 200);
    add(&r, MANY + 1, 5, 77, MANY + 1, MANY, STORE_ADD);
    assert_int_equal(hub_row_latest(&r, 1, MANY + 1), MANY + 1);
    assert_int_equal(hub_row_latest(&r, 1, MANY), MANY);
    hub_rows_free(&r);
}

static void test_hub_rows__forget_undoes_in_reverse(void **state)
{
    struct hub_rows r;
    uint64_t *found;
    struct arena a = ARENA_INIT;

    hub_rows_init(&r);
    add(&r, 1, 5, 77, 100, 0, STORE_ADD);
    /* a transaction that fails: nothing was superseded yet */
    take(&r, 2, 5, 77, 200, 1, STORE_ADD);
    take(&r, 3, 5, 77, 150, 2, STORE_ADD);
    take(&r, 4, 6, 77, 100, 0, STORE_ADD);
    take(&r, 5, 5, 77, 200, 2, STORE_RESTRICT);
    assert_int_equal(hub_rows_find(&r, 77, 5), 2);
    assert_int_equal(hub_rows_find(&r, 77, 6), 4);
    for (uint64_t seq = 5; seq > 1; seq--)
        hub_rows_forget(&r, seq, 77);
    assert_int_equal(hub_rows_find(&r, 77, 5), 1);
    assert_int_equal(hub_rows_find(&r, 77, 6), 0);
    assert_int_equal(hub_rows_candidates(&r, 77, &a, &found), 1);
    assert_int_equal(found[0], 1);
    assert_false(bits_has(&r.superseded, 1));
    /* the same numbers are given again */
    add(&r, 2, 6, 77, 100, 0, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 77, 6), 2);
    assert_int_equal(hub_rows_find(&r, 77, 5), 1);
    arena_free(&a);
    hub_rows_free(&r);
}

static uint64_t hash_of(uint64_t n)
{
    return n * UINT64_C(0x9E3779B97F4A7C15);
}

static void test_hub_rows__grows(void **state)
{
    enum { MANY = 20000 };
    struct hub_rows r;

    hub_rows_init(&r);
    for (uint64_t i = 1; i <= MANY; i++) {
        take(&r, i, i, hash_of(i), 0, 0, STORE_ADD);
        if (i % 7 == 0) /* gone cells fill the table too */
            hub_rows_forget(&r, i, hash_of(i));
    }
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(hub_rows_find(&r, hash_of(i), i), i % 7 == 0 ? 0 : i);
    hub_rows_free(&r);
}

static void test_hub_rows__equal_tags_are_told_apart_by_key(void **state)
{
    enum { MANY = 300 };
    struct hub_rows r;
    uint64_t *found;
    struct arena a = ARENA_INIT;

    hub_rows_init(&r);
    for (uint64_t i = 1; i <= MANY; i++)
        add(&r, i, 1000 + i, 0x1234567800000000 + i, 0, 0, STORE_ADD);
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(hub_rows_find(&r, 0x1234567800000000, 1000 + i), i);
    assert_int_equal(hub_rows_candidates(&r, 0x1234567800000000, &a, &found), MANY);
    arena_free(&a);
    add(&r, MANY + 1, 1000 + 5, 0x1234567800000000, 1, 5, STORE_ADD);
    assert_int_equal(hub_rows_find(&r, 0x1234567800000000, 1000 + 5), MANY + 1);
    assert_int_equal(hub_rows_find(&r, 0x1234567800000000, 1000 + 6), 6);
    hub_rows_free(&r);
}

static void test_hub_rows__keys_tell_everything_apart(void **state)
{
    const struct slice rows[][4] = {
        {SLICE("a"), SLICE("b"), SLICE("c"), SLICE("")},  {SLICE("ab"), SLICE(""), SLICE("c"), SLICE("")},
        {SLICE("a"), SLICE("bc"), SLICE(""), SLICE("")},  {SLICE(""), SLICE("a"), SLICE("b"), SLICE("c")},
        {SLICE("a"), SLICE("b"), SLICE(""), SLICE("c")},  {SLICE("a"), SLICE("b"), SLICE("c"), SLICE("d")},
        {SLICE("a2"), SLICE("b"), SLICE("c"), SLICE("")}, {SLICE(""), SLICE(""), SLICE(""), SLICE("")},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t k = 0; k < ROWS(rows); k++)
            if ((hub_row_key(rows[i][0], rows[i][1], rows[i][2], rows[i][3]) ==
                 hub_row_key(rows[k][0], rows[k][1], rows[k][2], rows[k][3])) != (i == k))
                fail_row(i, "same key as row %zu", k);
}

static int set_up(void **state)
{
    return crypto_start(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_rows__versions_take_each_others_place),
        cmocka_unit_test(test_hub_rows__late_older_version_stands_behind),
        cmocka_unit_test(test_hub_rows__a_bare_expiry_replaces_nothing),
        cmocka_unit_test(test_hub_rows__latest_of_a_long_chain),
        cmocka_unit_test(test_hub_rows__forget_undoes_in_reverse),
        cmocka_unit_test(test_hub_rows__grows),
        cmocka_unit_test(test_hub_rows__equal_tags_are_told_apart_by_key),
        cmocka_unit_test(test_hub_rows__keys_tell_everything_apart),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}

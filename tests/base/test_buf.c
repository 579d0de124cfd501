#include "test.h"

static void test_base_buf__grows(void **state)
{
    struct buf b = BUF_INIT;

    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    buf_drop_front(&b, b.len - 4);
    assert_slice(buf_slice(&b), "999,");
    buf_put_u64(&b, UINT64_MAX);
    assert_slice(buf_slice(&b), "999,18446744073709551615");
    buf_free(&b);
}

static void test_base_buf__shared(void **state)
{
    struct buf b = BUF_INIT;
    buf_put(&b, SLICE("bytes"));
    struct buf_ref *one = buf_ref_take(&b), *two = buf_ref_hold(one);

    assert_int_equal(b.len, 0);
    buf_ref_drop(&one);
    assert_null(one);
    assert_slice(buf_ref_slice(two), "bytes");
    buf_ref_drop(&two);
    buf_ref_drop(&two); /* NULL is fine */
}

static void test_base_buf__bits(void **state)
{
    struct bits s = BITS_INIT, t = BITS_INIT;

    assert_false(bits_has(&s, 1000));
    bits_set(&s, 1000, true);
    bits_set(&s, 3, true);
    bits_set(&s, 5000, false); /* clearing what is not there does not grow */
    assert_true(bits_has(&s, 1000) && bits_has(&s, 3) && !bits_has(&s, 4));
    bits_copy(&t, &s);
    bits_set(&s, 3, false);
    assert_int_equal(bits_count(&s), 1);
    assert_int_equal(bits_count(&t), 2);
    bits_free(&s);
    bits_free(&t);
}

static void test_base_arena__keeps_what_it_gave(void **state)
{
    struct arena a = ARENA_INIT;
    char *first = arena_alloc(&a, 1);
    struct slice big = arena_copy(&a, SLICE("kept"));

    for (int i = 0; i < 100; i++)
        memset(arena_alloc(&a, 10000), i, 10000);
    assert_slice(big, "kept");
    assert_int_equal((uintptr_t)first % 16, 0);
    assert_slice(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    char *newest = arena_alloc(&a, 1 << 20);
    arena_give_back(&a, newest, 17);
    assert_ptr_equal(arena_alloc(&a, 1), newest + 32);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 10));
    arena_free(&a);
}

static void test_base_err__prints_peer_bytes_safely(void **state)
{
    struct err err = ERR_INIT;

    assert_int_equal(err_set(&err, ERR_STIX_SYNTAX, "/pattern", "bad \x1b[31m byte"), -1);
    assert_string_equal(err.text, "bad ?[31m byte");
    assert_string_equal(err.place, "/pattern");
    assert_string_equal(err_name(err.code), "STIX_SYNTAX");
    assert_int_equal(err_http(err.code), 422);
    err_set(&err, ERR_BUSY, NULL, "");
    assert_string_equal(err.text, err_text(ERR_BUSY));
    assert_int_equal(err_set(NULL, ERR_BUSY, NULL, ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_buf__grows),
        cmocka_unit_test(test_base_buf__shared),
        cmocka_unit_test(test_base_buf__bits),
        cmocka_unit_test(test_base_arena__keeps_what_it_gave),
        cmocka_unit_test(test_base_err__prints_peer_bytes_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

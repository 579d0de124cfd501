#include "test.h"

static void test_base_slice__u64(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0}, /* one more than fits */
        {"", false, 0},
        {"+1", false, 0},
        {"-1", false, 0},
        {"1 ", false, 0},
        {"007", true, 7},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t value = 0;
        if (slice_u64(slice_of(rows[i].text), &value) != rows[i].good || (rows[i].good && value != rows[i].value))
            fail_row(i, "%s gave %llu", rows[i].text, (unsigned long long)value);
    }
}

static void test_base_slice__cut(void **state)
{
    struct slice rest = SLICE("a,,b"), head;

    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "a");
    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "");
    assert_true(slice_cut(&rest, ',', &head));
    assert_slice(head, "b");
    assert_false(slice_cut(&rest, ',', &head));
}

static void test_base_slice__parts(void **state)
{
    struct slice nothing = {NULL, 0}, some = SLICE("abc");

    assert_slice(slice_from(some, 1), "bc");
    assert_slice(slice_from(some, 3), "");
    assert_slice(slice_from(some, 9), "");
    assert_slice(slice_to(some, 9), "abc");
    assert_null(slice_from(nothing, 0).ptr); /* an absent text stays absent, and no pointer is moved */
    assert_null(slice_from(nothing, 2).ptr);
}

static void test_base_slice__compare(void **state)
{
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
    assert_int_equal(slice_cmp(SLICE(""), SLICE("")), 0);
    assert_true(slice_eq_nocase(SLICE("Content-Length"), SLICE("content-length")));
    assert_false(slice_eq_nocase(SLICE("a@"), SLICE("a`"))); /* only letters fold */
    assert_int_equal(slice_find(SLICE("abc"), SLICE("bc")), 1);
    assert_int_equal(slice_find(SLICE("abc"), SLICE("x")), 3);
    assert_slice(slice_trim(SLICE(" \ta b\r\n")), "a b");
    assert_true(slice_ends(SLICE("www.bad.example"), SLICE(".bad.example")));
    assert_false(slice_ends(SLICE("a"), SLICE("ba")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_slice__u64),
        cmocka_unit_test(test_base_slice__cut),
        cmocka_unit_test(test_base_slice__parts),
        cmocka_unit_test(test_base_slice__compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

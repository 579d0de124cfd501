#include "test.h"

#include <stdlib.h>

#include "base/file.h"
#include "stix/stix.h"

static struct slice canon(struct arena *a, struct slice text)
{
    struct json root;
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;

    if (json_parse(a, text, &json_limits_default, &root, &err) != 0)
        fail_msg("%.*s: %s", SLICE_ARG(text), err.text);
    stix_canon(a, &out, root);
    struct slice copy = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return copy;
}

static void test_stix_canon__rows(void **state)
{
    static const struct {
        const char *text, *canon;
    } rows[] = {
        {" { \"b\" : 1 , \"a\" : [ true , null , \"x\" ] } ", "{\"a\":[true,null,\"x\"],\"b\":1}"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[0, -0, -0.0, 1.0, 1.50, 100, 1e2, 1e20, 1e21, 123456789012345678901]",
         "[0,0,0,1,1.5,100,100,100000000000000000000,1e+21,123456789012345680000]"},
        {"[0.000001, 1e-7, 0.1, -1.5e-9, 5e-324, 1.7976931348623157e308, 333333333.33333329]",
         "[0.000001,1e-7,0.1,-1.5e-9,5e-324,1.7976931348623157e+308,333333333.3333333]"},
        {"[9007199254740991, 9007199254740992, -9007199254740993, 2.5e-310, 0.3, 123.456]",
         "[9007199254740991,9007199254740992,-9007199254740992,2.5e-310,0.3,123.456]"},
        {"[9007199254740993, 1.2345678901234567]", "[9007199254740992,1.2345678901234567]"},
        {"\"\\u20ac$\\u000f\\nA'\\u0042\\u0022\\u005c\\\\\\\"\\/\\b\\t\\f\\r\"",
         "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\\r\""},
        /* UTF-16 order: the surrogates of U+1F600 come before U+FB33, its bytes behind */
        {"{\"\xef\xac\xb3\":1,\"\xf0\x9f\x98\x80\":2,\"a\":3,\"\xc3\xb6\":4}",
         "{\"a\":3,\"\xc3\xb6\":4,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice got = canon(&a, slice_of(rows[i].text));
        if (!slice_eq(got, slice_of(rows[i].canon)))
            fail_row(i, "%s gave %.*s", rows[i].text, SLICE_ARG(got));
        arena_free(&a);
    }
}

/* RFC 8785 appendix B: doubles by their bits. */
static void test_stix_canon__numbers(void **state)
{
    static const struct {
        uint64_t bits;
        const char *canon;
    } rows[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
        /* and where the neighbours are not equally far: powers of two */
        {0x3d10000000000000, "1.4210854715202004e-14"},
        {0x0010000000000000, "2.2250738585072014e-308"},
        {0x000fffffffffffff, "2.225073858507201e-308"},
        {0x0000000000000003, "1.5e-323"},
        {0x4350000000000000, "18014398509481984"},
        {0x0060000000000000, "7.120236347223045e-307"}, /* the nearest of 16 digits, ...044, is another double */
        {0x0100000000000000, "7.291122019556398e-304"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        double value;
        memcpy(&value, &rows[i].bits, sizeof value);
        struct slice got = canon(&a, arena_printf(&a, "%.17g", value));
        if (!slice_eq(got, slice_of(rows[i].canon)))
            fail_row(i, "%s gave %.*s", rows[i].canon, SLICE_ARG(got));
        arena_free(&a);
    }
}

static void test_stix_canon__no_form(void **state)
{
    static const struct {
        const char *text, *place; /* NULL: it has one */
    } rows[] = {
        {"[1e308,-1e308,\"1e400\"]", NULL},
        {"{\"a\":[0,1e400]}", "/a/1"},
        {"-1e309", ""},
        {"1e-400", NULL}, /* nearest: 0 */
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct json root;
        assert_int_equal(json_parse(&a, slice_of(rows[i].text), NULL, &root, NULL), 0);
        assert_int_equal(stix_canon_check(&a, root, &err), rows[i].place == NULL ? 0 : -1);
        assert_string_equal(err.place, rows[i].place != NULL ? rows[i].place : "");
        arena_free(&a);
    }
}

/* "7b 22 ..." in lines */
static void hex_check(struct slice got, struct slice hex)
{
    size_t n = 0, digits = 0;

    for (size_t i = 0, byte = 0; i < hex.len; i++) {
        if (hex.ptr[i] == ' ' || hex.ptr[i] == '\n' || hex.ptr[i] == '\r')
            continue;
        char digit[2] = {hex.ptr[i], '\0'};
        byte = byte << 4 | strtoul(digit, NULL, 16);
        if (++digits % 2 == 0)
            assert_int_equal(n < got.len ? (unsigned char)got.ptr[n++] : 256, byte & 0xff);
    }
    assert_int_equal(n, got.len);
}

/* The published vectors of RFC 8785. */
static void test_stix_canon__vectors(void **state)
{
    static const char *const names[] = {"arrays", "french", "structures", "unicode", "values", "weird"};
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;
    size_t n = 0;

    for (size_t i = 0; shared != NULL && i < ROWS(names); i++) {
        struct slice in, out, hex;
        if (file_read(&a, arena_printf(&a, "%s/vectors/jcs/testdata/input/%s.json", shared, names[i]).ptr, 1 << 20, &in,
                      NULL) != 0 ||
            file_read(&a, arena_printf(&a, "%s/vectors/jcs/testdata/output/%s.json", shared, names[i]).ptr, 1 << 20,
                      &out, NULL) != 0 ||
            file_read(&a, arena_printf(&a, "%s/vectors/jcs/testdata/outhex/%s.txt", shared, names[i]).ptr, 1 << 20,
                      &hex, NULL) != 0)
            continue;
        struct slice got = canon(&a, in);
        if (!slice_eq(got, slice_trim(out)))
            fail_row(i, "%s gave %.*s", names[i], SLICE_ARG(got));
        hex_check(got, hex);
        n++;
    }
    arena_free(&a);
    if (n == 0) {
        leave_out("TOCSIN_SHARED names no RFC 8785 vectors");
    }
    assert_int_equal(n, ROWS(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_canon__rows),
        cmocka_unit_test(test_stix_canon__numbers),
        cmocka_unit_test(test_stix_canon__no_form),
        cmocka_unit_test(test_stix_canon__vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

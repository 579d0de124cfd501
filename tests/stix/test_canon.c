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

/* The published vectors of RFC 8785. */
static void test_stix_canon__vectors(void **state)
{
    static const char *const names[] = {"arrays", "french", "structures", "unicode", "values", "weird"};
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;
    size_t n = 0;

    for (size_t i = 0; shared != NULL && i < ROWS(names); i++) {
        struct slice in, out;
        if (file_read(&a, arena_printf(&a, "%s/vectors/jcs/testdata/input/%s.json", shared, names[i]).ptr, 1 << 20, &in,
                      NULL) != 0 ||
            file_read(&a, arena_printf(&a, "%s/vectors/jcs/testdata/output/%s.json", shared, names[i]).ptr, 1 << 20,
                      &out, NULL) != 0)
            continue;
        struct slice got = canon(&a, in);
        if (!slice_eq(got, slice_trim(out)))
            fail_row(i, "%s gave %.*s", names[i], SLICE_ARG(got));
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
        cmocka_unit_test(test_stix_canon__vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

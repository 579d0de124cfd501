/* Built twice: with the vector scan and, as test_json_portable, without it. */
#include "test.h"

#include <stdlib.h>

#include "base/json.h"

/* The text in memory of exactly its size, so that a read past its end is an error under ASan. */
struct exact {
    char *ptr;
    struct slice text;
};

static struct exact exact_copy(struct slice s)
{
    struct exact e = {malloc(s.len != 0 ? s.len : 1), {NULL, s.len}};

    assert_non_null(e.ptr);
    if (s.len != 0)
        memcpy(e.ptr, s.ptr, s.len);
    e.text.ptr = e.ptr;
    return e;
}

static int parse(struct arena *a, struct slice text, struct json *root_out, struct err *err)
{
    return json_parse(a, text, NULL, root_out, err);
}

static struct json parsed(struct arena *a, const char *text)
{
    struct json root = {NULL, 0};
    struct err err = ERR_INIT;

    if (parse(a, slice_of(text), &root, &err) != 0)
        fail_msg("%s: %s %s", text, err.place, err.text);
    return root;
}

static void test_base_json__refuses(void **state)
{
    static const struct {
        struct slice text;
        enum err_code code;
        const char *place;
    } rows[] = {
        {SLICE_INIT(""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("  \n"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("["), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("[1"), ERR_JSON_SYNTAX, "/0"},
        {SLICE_INIT("[1,"), ERR_JSON_SYNTAX, "/1"},
        {SLICE_INIT("{\"a\""), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("{\"a\":"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("{\"a\":1"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("\"a"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"a\\"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"a\\\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\u12"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("tru"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("truex"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("True"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("NULL"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("undefined"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{\"objects\":[{\"id\":1, \"x\":tru}]}"), ERR_JSON_SYNTAX, "/objects/0/x"},
        {SLICE_INIT("1 2"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{} {}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{}x"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("]"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("[1]]"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("[1}"), ERR_JSON_SYNTAX, "/0"},
        {SLICE_INIT("{\"a\":1]"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("[,1]"), ERR_JSON_SYNTAX, "/0"},
        {SLICE_INIT("[1,,2]"), ERR_JSON_SYNTAX, "/1"},
        {SLICE_INIT("[1,]"), ERR_JSON_SYNTAX, "/1"},
        {SLICE_INIT("{\"a\":1,}"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("{,}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{a:1}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{'a':1}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{1:1}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("{\"a\" 1}"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("{\"a\"::1}"), ERR_JSON_SYNTAX, "/a"},
        {SLICE_INIT("[1 2]"), ERR_JSON_SYNTAX, "/0"},
        {SLICE_INIT("[1] // x"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("/* x */ 1"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\xef\xbb\xbf{}"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("[1]\0"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\f1"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\xc2\xa0"
                    "1"),
         ERR_JSON_SYNTAX, ""},
        /* numbers */
        {SLICE_INIT("01"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("-01"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("00"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1."), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1.e1"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT(".5"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("-"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("-a"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("+1"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1e"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1e+"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1e1.5"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("0x10"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("1_000"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("NaN"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("Infinity"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("-Infinity"), ERR_JSON_SYNTAX, ""},
        /* strings */
        {SLICE_INIT("'a'"), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("[\"a\nb\"]"), ERR_JSON_SYNTAX, "/0"},
        {SLICE_INIT("\"a\tb\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"a\0b\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"a\x1f\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\u0000\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\x41\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\'\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\\0\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\u00g0\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\u 041\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\U0041\""), ERR_JSON_SYNTAX, ""},
        {SLICE_INIT("\"\\ud800\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\ud800x\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\ud800\\n\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\ud800\\ud800\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\ud800\\u0041\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\udc00\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\udfff\\ud800\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\\ud83d\\ude0"), ERR_JSON_UTF8, ""},
        {SLICE_INIT("{\"k\":\"\xff\"}"), ERR_JSON_UTF8, "/k"},
        {SLICE_INIT("\"\x80\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xc0\x80\""), ERR_JSON_UTF8, ""},         /* overlong NUL */
        {SLICE_INIT("\"\xc1\xbf\""), ERR_JSON_UTF8, ""},         /* overlong */
        {SLICE_INIT("\"\xe0\x9f\xbf\""), ERR_JSON_UTF8, ""},     /* overlong */
        {SLICE_INIT("\"\xf0\x8f\xbf\xbf\""), ERR_JSON_UTF8, ""}, /* overlong */
        {SLICE_INIT("\"\xed\xa0\x80\""), ERR_JSON_UTF8, ""},     /* a surrogate, encoded */
        {SLICE_INIT("\"\xed\xbf\xbf\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xf4\x90\x80\x80\""), ERR_JSON_UTF8, ""}, /* above U+10FFFF */
        {SLICE_INIT("\"\xf5\x80\x80\x80\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xe2\x82\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xe2\x82"), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xf0\x9f\x98\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xc3"), ERR_JSON_UTF8, ""},
        {SLICE_INIT("\"\xc3(\""), ERR_JSON_UTF8, ""},
        {SLICE_INIT("{\"\xff\":1}"), ERR_JSON_UTF8, ""},
        /* one key twice */
        {SLICE_INIT("{\"a\":1,\"a\":1}"), ERR_JSON_DUPLICATE_KEY, "/a"},
        {SLICE_INIT("{\"\":1,\"\":1}"), ERR_JSON_DUPLICATE_KEY, "/"},
        {SLICE_INIT("{\"a\":1,\"\\u0061\":1}"), ERR_JSON_DUPLICATE_KEY, "/a"},
        {SLICE_INIT("{\"\\u0061\":1,\"a\":1}"), ERR_JSON_DUPLICATE_KEY, "/a"},
        {SLICE_INIT("{\"\\/\":1,\"\\u002F\":1}"), ERR_JSON_DUPLICATE_KEY, "/~1"},
        {SLICE_INIT("{\"x\":{\"b\":[1],\"c\":{},\"b\":2}}"), ERR_JSON_DUPLICATE_KEY, "/x/b"},
        {SLICE_INIT("{\"\\n\":1,\"b\":2,\"b\":3}"), ERR_JSON_DUPLICATE_KEY, "/b"},
        {SLICE_INIT("[{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":1}]"), ERR_JSON_DUPLICATE_KEY, "/0/\xf0\x9f\x98\x80"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct json root;
        struct exact text = exact_copy(rows[i].text);
        if (parse(&a, text.text, &root, &err) != -1)
            fail_row(i, "accepted: %.*s", SLICE_ARG(rows[i].text));
        if (err.code != rows[i].code || strcmp(err.place, rows[i].place) != 0)
            fail_row(i, "%.*s: got %s at \"%s\": %s", SLICE_ARG(rows[i].text), err_name(err.code), err.place, err.text);
        /* The same behind 40 bytes, where the vector scan runs. */
        struct buf longer = BUF_INIT;
        buf_put(&longer, SLICE("[\"0123456789abcdef0123456789abcdef\","));
        buf_put(&longer, rows[i].text);
        buf_put_byte(&longer, ']');
        if (parse(&a, buf_slice(&longer), &root, NULL) != -1)
            fail_row(i, "accepted in an array: %.*s", SLICE_ARG(rows[i].text));
        buf_free(&longer);
        free(text.ptr);
        arena_free(&a);
    }
}

static void test_base_json__accepts_and_keeps_bytes(void **state)
{
    static const struct {
        struct slice text;
        enum json_kind kind;
        struct slice raw;
    } rows[] = {
        {SLICE_INIT("null"), JSON_NULL, SLICE_INIT("null")},
        {SLICE_INIT(" true\t"), JSON_TRUE, SLICE_INIT("true")},
        {SLICE_INIT("\r\nfalse\r\n"), JSON_FALSE, SLICE_INIT("false")},
        {SLICE_INIT("0"), JSON_NUMBER, SLICE_INIT("0")},
        {SLICE_INIT("-0"), JSON_NUMBER, SLICE_INIT("-0")},
        {SLICE_INIT("1.50"), JSON_NUMBER, SLICE_INIT("1.50")},
        {SLICE_INIT("-0.0e-00"), JSON_NUMBER, SLICE_INIT("-0.0e-00")},
        {SLICE_INIT("1E+2"), JSON_NUMBER, SLICE_INIT("1E+2")},
        {SLICE_INIT("1e400"), JSON_NUMBER, SLICE_INIT("1e400")},
        {SLICE_INIT("123456789012345678901234567890"), JSON_NUMBER, SLICE_INIT("123456789012345678901234567890")},
        {SLICE_INIT("\"\""), JSON_STRING, SLICE_INIT("\"\"")},
        {SLICE_INIT("\"\x7f\""), JSON_STRING, SLICE_INIT("\"\x7f\"")},
        {SLICE_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), JSON_STRING, SLICE_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
        {SLICE_INIT(
             "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
         JSON_STRING,
         SLICE_INIT(
             "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")},
        {SLICE_INIT(" [ ] "), JSON_ARRAY, SLICE_INIT("[ ]")},
        {SLICE_INIT("{}"), JSON_OBJECT, SLICE_INIT("{}")},
        {SLICE_INIT("{\"a\" :\n[1 , {\"b\":null}] } "), JSON_OBJECT, SLICE_INIT("{\"a\" :\n[1 , {\"b\":null}] }")},
        {SLICE_INIT("{\"\\u0061\":1,\"\\u0061b\":2,\"ab\\n\":3,\"\\u0062\":4,\"\\\\u0061\":5}"), JSON_OBJECT,
         SLICE_INIT("{\"\\u0061\":1,\"\\u0061b\":2,\"ab\\n\":3,\"\\u0062\":4,\"\\\\u0061\":5}")},
        {SLICE_INIT("{\"a\":{\"a\":{\"a\":1}},\"A\":2,\"aa\":3,\"\":4}"), JSON_OBJECT,
         SLICE_INIT("{\"a\":{\"a\":{\"a\":1}},\"A\":2,\"aa\":3,\"\":4}")},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct json root;
        struct exact text = exact_copy(rows[i].text);
        if (parse(&a, text.text, &root, &err) != 0)
            fail_row(i, "refused: %s", err.text);
        if (json_kind(root) != rows[i].kind || !slice_eq(json_raw(root), rows[i].raw))
            fail_row(i, "kind %d, raw %.*s", json_kind(root), SLICE_ARG(json_raw(root)));
        free(text.ptr);
        arena_free(&a);
    }
}

/* Every special byte at every place of a string, around the width of a vector. */
static void test_base_json__scans_strings_of_every_length(void **state)
{
    static const struct {
        struct slice piece;
        bool good;
    } rows[] = {
        {SLICE_INIT("x"), true},
        {SLICE_INIT("\\n"), true},
        {SLICE_INIT("\xd7\xa9"), true},
        {SLICE_INIT("\xf0\x9f\x94\x94"), true},
        {SLICE_INIT("\\ud83d\\ude00"), true},
        {SLICE_INIT("\n"), false},
        {SLICE_INIT("\xff"), false},
        {SLICE_INIT("\\u0000"), false},
        {SLICE_INIT("\xe2\x82"), false},
        {SLICE_INIT("\0"), false},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t before = 0; before < 40; before++)
            for (size_t behind = 0; behind < 20; behind++) {
                struct arena a = ARENA_INIT;
                struct json root;
                struct buf b = BUF_INIT;
                buf_put_byte(&b, '"');
                for (size_t k = 0; k < before; k++)
                    buf_put_byte(&b, (char)('a' + k % 26));
                buf_put(&b, rows[i].piece);
                for (size_t k = 0; k < behind; k++)
                    buf_put_byte(&b, 'z');
                buf_put_byte(&b, '"');
                struct exact text = exact_copy(buf_slice(&b));
                bool accepted = parse(&a, text.text, &root, NULL) == 0;
                if (accepted != rows[i].good)
                    fail_row(i, "%zu before, %zu behind: accepted %d", before, behind, accepted);
                if (accepted)
                    assert_true(slice_eq(json_raw(root), text.text));
                /* Every shorter text is refused. */
                assert_int_equal(parse(&a, slice_to(text.text, text.text.len - 1), &root, NULL), -1);
                free(text.ptr);
                buf_free(&b);
                arena_free(&a);
            }
}

static void test_base_json__unescapes(void **state)
{
    static const struct {
        const char *text, *value;
        bool escaped;
    } rows[] = {
        {"\"plain\"", "plain", false},
        {"\"\"", "", false},
        {"\"a\\\"b\\\\c\\/d\"", "a\"b\\c/d", true},
        {"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t", true},
        {"\"\\u0041\\u007f\\u0080\\u07ff\\u0800\\uFfFf\"", "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", true},
        {"\"x\\uD83D\\uDE00y\"", "x\xf0\x9f\x98\x80y", true},
        {"\"\\udbff\\udfff\\ud800\\udc00\"", "\xf4\x8f\xbf\xbf\xf0\x90\x80\x80", true},
        {"\"\\u05e9\xd7\xa9\"", "\xd7\xa9\xd7\xa9", true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct json v = parsed(&a, rows[i].text);
        assert_slice(json_string(&a, v), rows[i].value);
        assert_int_equal(json_text(v).ptr == NULL, rows[i].escaped);
        struct json member = json_first(parsed(&a, arena_printf(&a, "{%s:1}", rows[i].text).ptr));
        assert_slice(json_key(&a, member), rows[i].value);
        arena_free(&a);
    }
}

static void test_base_json__walks(void **state)
{
    struct arena a = ARENA_INIT;
    struct json root = parsed(&a, "{\"a\":[1,[],{},[[2],3],\"x\"],\"b\\u0062\":{\"c\":true},\"d\":null,\"e\":{}}");
    struct json list = json_get(root, SLICE("a"));
    static const char *const raws[] = {"1", "[]", "{}", "[[2],3]", "\"x\""};
    size_t n = 0;

    assert_int_equal(json_count(root), 4);
    assert_int_equal(json_count(list), 5);
    json_each (v, list) {
        assert_slice(json_raw(v), raws[n]);
        assert_null(json_key(&a, v).ptr);
        n++;
    }
    assert_int_equal(n, 5);
    struct json b = json_next(list);
    assert_slice(json_key(&a, b), "bb");
    assert_int_equal(json_get(root, SLICE("bb")).at, b.at);
    assert_slice(json_raw_member(b), "\"b\\u0062\":{\"c\":true}");
    assert_int_equal(json_kind(json_get(root, SLICE("b"))), JSON_ABSENT);
    assert_int_equal(json_kind(json_get(root, SLICE("b\\u0062"))), JSON_ABSENT);
    assert_int_equal(json_kind(json_get(root, SLICE("c"))), JSON_ABSENT); /* not a child's */
    assert_int_equal(json_kind(json_get(list, SLICE("a"))), JSON_ABSENT);
    assert_int_equal(json_kind(json_next(json_get(root, SLICE("e")))), JSON_ABSENT);
    assert_int_equal(json_kind(json_next(root)), JSON_ABSENT);
    assert_int_equal(json_kind(json_first(json_get(root, SLICE("e")))), JSON_ABSENT);
    assert_int_equal(json_kind(json_first(json_get(root, SLICE("d")))), JSON_ABSENT);
    assert_int_equal(json_count(json_get(root, SLICE("d"))), 0);
    arena_free(&a);
}

static void test_base_json__absent_is_harmless(void **state)
{
    struct arena a = ARENA_INIT;
    struct json none = {NULL, 0};
    int64_t number;
    bool truth;

    assert_int_equal(json_kind(none), JSON_ABSENT);
    assert_int_equal(json_kind(json_get(none, SLICE("x"))), JSON_ABSENT);
    assert_int_equal(json_kind(json_first(none)), JSON_ABSENT);
    assert_int_equal(json_kind(json_next(none)), JSON_ABSENT);
    assert_int_equal(json_count(none), 0);
    assert_null(json_key(&a, none).ptr);
    assert_null(json_string(&a, none).ptr);
    assert_null(json_text(none).ptr);
    assert_null(json_raw(none).ptr);
    assert_null(json_raw_member(none).ptr);
    assert_false(json_int(none, &number));
    assert_false(json_bool(none, &truth));
    assert_slice(json_pointer(&a, none), "");
    arena_free(&a);
}

static void test_base_json__reads_integers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"3.0", false, 0},
        {"3e1", false, 0},
        {"\"3\"", false, 0},
        {"true", false, 0},
        {"[3]", false, 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        int64_t value = 0;
        bool good = json_int(parsed(&a, rows[i].text), &value);
        if (good != rows[i].good || value != rows[i].value)
            fail_row(i, "%s: %d %lld", rows[i].text, good, (long long)value);
        arena_free(&a);
    }
}

static void test_base_json__points(void **state)
{
    struct arena a = ARENA_INIT;
    struct json root = parsed(&a, "{\"a/b\":[0,{\"m~n\":[[],[7]]}],\"\":{\"\\u0078\":1}}");
    struct json list = json_first(root);
    struct json seven = json_first(json_next(json_first(json_first(json_next(json_first(list))))));

    assert_slice(json_raw(seven), "7");
    assert_slice(json_pointer(&a, seven), "/a~1b/1/m~0n/1/0");
    assert_slice(json_pointer(&a, root), "");
    assert_slice(json_pointer(&a, list), "/a~1b");
    assert_slice(json_pointer(&a, json_first(list)), "/a~1b/0");
    assert_slice(json_pointer(&a, json_first(json_next(list))), "//x");
    arena_free(&a);
}

/* Each limit: what just fits is accepted, one more is refused by its own name. */
static void test_base_json__limits(void **state)
{
    static const struct json_limits max = {3, 6, 4, 5, 60};
    static const struct {
        const char *text;
        enum err_code code;
        const char *place;
    } rows[] = {
        {"[[[1]]]", ERR_NONE, ""},
        {"[[[[1]]]]", ERR_LIMIT_DEPTH, "/0/0/0"},
        {"[[[[", ERR_LIMIT_DEPTH, "/0/0/0"},
        {"[{\"a\":{}}]", ERR_NONE, ""},
        {"[{\"a\":{\"b\":{}}}]", ERR_LIMIT_DEPTH, "/0/a/b"},
        {"[1,2,3,4,5]", ERR_NONE, ""},
        {"[1,2,3,4,5,6]", ERR_LIMIT_VALUES, "/5"},
        {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", ERR_NONE, ""},
        {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}", ERR_LIMIT_MEMBERS, "/d"},
        {"\"12345\"", ERR_NONE, ""},
        {"[\"123456\"]", ERR_LIMIT_STRING, "/0"},
        {"{\"12345\":1}", ERR_NONE, ""},
        {"{\"123456\":1}", ERR_LIMIT_STRING, ""},
        {"                                                           1", ERR_NONE, ""},
        {"                                                            1", ERR_LIMIT_BYTES, ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct json root;
        int result = json_parse(&a, slice_of(rows[i].text), &max, &root, &err);
        if (err.code != rows[i].code || (result == 0) != (rows[i].code == ERR_NONE) || strcmp(err.place, rows[i].place))
            fail_row(i, "%s: %s at \"%s\"", rows[i].text, err_name(err.code), err.place);
        arena_free(&a);
    }
}

static void test_base_json__deep_texts_need_no_stack(void **state)
{
    struct arena a = ARENA_INIT;
    struct buf b = BUF_INIT;
    struct json root;
    struct json_limits max = json_limits_default;
    enum { DEEP = 1000000 };

    for (int i = 0; i < DEEP; i++)
        buf_put_byte(&b, '[');
    assert_int_equal(json_parse(&a, buf_slice(&b), NULL, &root, NULL), -1);
    for (int i = 0; i < DEEP; i++)
        buf_put_byte(&b, ']');
    max.depth = DEEP;
    assert_int_equal(json_parse(&a, buf_slice(&b), &max, &root, NULL), 0);
    max.depth = DEEP - 1;
    assert_int_equal(json_parse(&a, buf_slice(&b), &max, &root, NULL), -1);
    buf_free(&b);
    arena_free(&a);
}

/* However small the texts, a document keeps no more of the arena than its nodes. */
static void test_base_json__gives_back_what_the_tape_does_not_need(void **state)
{
    struct arena a = ARENA_INIT;
    struct json first =
        parsed(&a, "[\"0123456789012345678901234567890123456789012345678901234567890123456789\",{\"a\":0}]");
    const char *before = a.at;

    parsed(&a, "[\"0123456789012345678901234567890123456789012345678901234567890123456789\",{\"a\":0}]");
    assert_true(a.at - before <= 128);
    assert_int_equal(json_count(first), 2);
    arena_free(&a);
}

/* Keys "k0", "k1", ...; the last one becomes key number `again` once more. */
static void put_members(struct buf *b, uint32_t n, uint32_t again, bool escaped)
{
    buf_put_byte(b, '{');
    for (uint32_t i = 0; i < n; i++)
        buf_printf(b, "%s\"k%u\":{\"k\":1}", i == 0 ? "" : ",", i);
    if (again < n)
        buf_printf(b, escaped ? ",\"\\u006b%u\":0" : ",\"k%u\":0", again);
    buf_put_byte(b, '}');
}

static void test_base_json__finds_duplicates_in_objects_of_any_size(void **state)
{
    static const uint32_t sizes[] = {1, 2, 30, 31, 32, 33, 34, 64, 65, 1000, 99999};

    for (size_t i = 0; i < ROWS(sizes); i++)
        for (int which = 0; which < 4; which++) {
            struct arena a = ARENA_INIT;
            struct buf b = BUF_INIT;
            struct err err = ERR_INIT;
            struct json root;
            uint32_t again = which == 0 ? sizes[i] : which == 1 ? 0 : which == 2 ? sizes[i] - 1 : sizes[i] / 2;
            put_members(&b, sizes[i], again, which == 3);
            int result = json_parse(&a, buf_slice(&b), NULL, &root, &err);
            if (which == 0 ? result != 0 : err.code != ERR_JSON_DUPLICATE_KEY)
                fail_row(i, "%u members, key %u again: %s", sizes[i], again, err_name(err.code));
            if (which != 0)
                assert_string_equal(err.place, arena_printf(&a, "/k%u", again).ptr);
            buf_free(&b);
            arena_free(&a);
        }
}

static void test_base_json__long_place_is_cut_between_characters(void **state)
{
    struct arena a = ARENA_INIT;
    struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct json root;

    buf_put(&b, SLICE("{\""));
    for (int i = 0; i < 200; i++)
        buf_put(&b, SLICE("\xe2\x82\xac"));
    buf_put(&b, SLICE("\":x}"));
    assert_int_equal(json_parse(&a, buf_slice(&b), NULL, &root, &err), -1);
    assert_int_equal(strlen(err.place), 1 + 66 * 3);
    buf_free(&b);
    arena_free(&a);
}

/* Edits by pointer-like words: "-a" drops member a, "a=X" replaces it. */
static void test_base_json__splices(void **state)
{
    static const struct {
        const char *text, *edits[6], *append, *expected;
    } rows[] = {
        {"{\"a\":1,\"b\":2,\"c\":3}", {NULL}, "", "{\"a\":1,\"b\":2,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-a"}, "", "{\"b\":2,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-b"}, "", "{\"a\":1,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-c"}, "", "{\"a\":1,\"b\":2}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-a", "-b"}, "", "{\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-b", "-c"}, "", "{\"a\":1}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-a", "-c"}, "", "{\"b\":2}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-a", "-b", "-c"}, "", "{}"},
        {"{\"a\":1}", {"-a"}, "", "{}"},
        {"{\"a\":1}", {"-a"}, "\"z\":9", "{\"z\":9}"},
        {"{}", {NULL}, "\"z\":9", "{\"z\":9}"},
        {"{ }", {NULL}, "\"z\":9", "{\"z\":9 }"},
        {"{\"a\":1}", {NULL}, "\"y\":8,\"z\":9", "{\"a\":1,\"y\":8,\"z\":9}"},
        {"{\n  \"a\": 1\n}", {NULL}, "\"z\":9", "{\n  \"a\": 1,\"z\":9\n}"},
        {"{\n  \"a\": 1\n}", {"-a"}, "\"z\":9", "{\n  \"z\":9\n}"},
        {"{\"a\":1,\"b\":2}", {"-a", "-b"}, "\"z\":9", "{\"z\":9}"},
        {"{\"a\":1,\"b\":2}", {"-b"}, "\"z\":9", "{\"a\":1,\"z\":9}"},
        {"{\"a\":1,\"b\":{}}", {NULL}, "\"z\":9", "{\"a\":1,\"b\":{},\"z\":9}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"a=\"new\"", "-b", "c=[ 0 ]"}, "", "{\"a\":\"new\",\"c\":[ 0 ]}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"-a", "b={}", "-c"}, "\"z\":9", "{\"b\":{},\"z\":9}"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", {"-a"}, "", "{ \"b\" : 2 , \"c\" : 3 }"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", {"-b"}, "", "{ \"a\" : 1  , \"c\" : 3 }"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", {"-c"}, "", "{ \"a\" : 1 , \"b\" : 2  }"},
        {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", {"-a", "-b", "-c"}, "", "{  }"},
        {"{\"a\":\",\",\"b\":\"{\",\"c\":1.50}", {"-b"}, "", "{\"a\":\",\",\"c\":1.50}"},
        {"[10,11,12]", {"-0"}, "", "[11,12]"},
        {"[10,11,12]", {"-1"}, "13", "[10,12,13]"},
        {"[10,11,12]", {"-0", "-1", "-2"}, "13", "[13]"},
        {"[]", {NULL}, "13", "[13]"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct json root = parsed(&a, rows[i].text), again;
        struct json_edit edits[6];
        struct buf out = BUF_INIT;
        size_t n = 0;
        for (; n < 6 && rows[i].edits[n] != NULL; n++) {
            const char *edit = rows[i].edits[n], *with = strchr(edit, '=');
            struct slice name = with != NULL ? slice_n(edit, (size_t)(with - edit)) : slice_of(edit + 1);
            struct json at = json_get(root, name);
            if (json_kind(root) == JSON_ARRAY)
                for (at = json_first(root); name.ptr[0] != json_pointer(&a, at).ptr[1];)
                    at = json_next(at);
            edits[n] = (struct json_edit){at, with != NULL ? slice_of(with + 1) : slice_n(NULL, 0), 0};
        }
        buf_put(&out, SLICE("before "));
        json_splice(&out, root, edits, n, slice_of(rows[i].append));
        struct slice result = slice_from(buf_slice(&out), 7);
        if (!slice_eq(result, slice_of(rows[i].expected)))
            fail_row(i, "got %.*s, expected %s", SLICE_ARG(result), rows[i].expected);
        assert_int_equal(parse(&a, result, &again, NULL), 0);
        for (size_t k = 0; k < n; k++)
            if (edits[k].with.ptr != NULL)
                assert_true(slice_starts(slice_from(result, edits[k].out_at), edits[k].with));
        buf_free(&out);
        arena_free(&a);
    }
}

/* Every choice of dropped members at two levels, in four layouts: what is left reads as it should. */
static void test_base_json__every_choice_of_drops_reads_back(void **state)
{
    static const char *const layouts[] = {
        "{\"a\":1,\"b\":{\"e\":1,\"f\":[],\"g\":\",}\"},\"c\":[3],\"d\":\"x\"}",
        "{ \"a\": 1, \"b\": { \"e\": 1, \"f\": [ ], \"g\": \"{,\" }, \"c\": [ 3 ], \"d\": \"x\" }",
        "{\n\t\"a\" : 1 ,\n\t\"b\" : {\n\"e\" : 1 ,\n\"f\":[] , \"g\" : \",\"\n} ,\n\t\"c\" :\n[3] , \"d\" : \"x\"\n}",
        "{\"a\":1 ,\"b\":{\"e\":1 ,\"f\":[] ,\"g\":\"\\\"\" } ,\"c\":[3] ,\"d\":\"x\" }",
    };

    for (size_t i = 0; i < ROWS(layouts); i++)
        for (unsigned choice = 0; choice < 256; choice++) {
            struct arena a = ARENA_INIT;
            struct json root = parsed(&a, layouts[i]), inner = json_get(root, SLICE("b")), again;
            struct json_edit edits[8];
            struct buf out = BUF_INIT;
            size_t n = 0;
            static const char names[] = "aecdfg"; /* not in the order of the text */
            for (unsigned k = 0; k < 6; k++) {
                struct slice name = slice_n(&names[k], 1);
                if (choice >> k & 1)
                    edits[n++] =
                        (struct json_edit){json_get(k == 0 || k == 2 || k == 3 ? root : inner, name), {NULL, 0}, 0};
            }
            json_edit_sort(edits, n);
            bool append = choice >> 6 & 1;
            json_splice(&out, root, edits, n, append ? SLICE("\"z\":[]") : SLICE(""));
            if (parse(&a, buf_slice(&out), &again, NULL) != 0)
                fail_row(i, "choice %u: %.*s", choice, SLICE_ARG(buf_slice(&out)));
            assert_int_equal(json_count(again) + json_count(json_get(again, SLICE("b"))), 7 - n + append);
            for (unsigned k = 0; k < 6; k++) {
                bool outer = k == 0 || k == 2 || k == 3;
                struct json was = json_get(outer ? root : inner, slice_n(&names[k], 1));
                struct json is = json_get(outer ? again : json_get(again, SLICE("b")), slice_n(&names[k], 1));
                if (choice >> k & 1)
                    assert_int_equal(json_kind(is), JSON_ABSENT);
                else
                    assert_true(slice_eq(json_raw_member(is), json_raw_member(was)));
            }
            buf_free(&out);
            arena_free(&a);
        }
}

static void test_base_json__splices_below_a_root_inside(void **state)
{
    struct arena a = ARENA_INIT;
    struct json root = parsed(&a, "{\"objects\":[{\"id\":1,\"x\":2}, {\"id\":3,\"x\":4} ]}");
    struct json second = json_next(json_first(json_get(root, SLICE("objects"))));
    struct json_edit edit = {json_get(second, SLICE("id")), SLICE("\"new\""), 0};
    struct buf out = BUF_INIT;

    json_splice(&out, second, &edit, 1, SLICE("\"y\":5"));
    assert_slice(buf_slice(&out), "{\"id\":\"new\",\"x\":4,\"y\":5}");
    assert_int_equal(edit.out_at, 6);
    buf_free(&out);
    arena_free(&a);
}

static void test_base_json__writes(void **state)
{
    struct arena a = ARENA_INIT;
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_put_text(&out, "a", SLICE("q\"\\/\b\f\n\r\t\x01\x1f\x7f\xd7\xa9"));
    json_put_number(&out, "n", INT64_MIN);
    json_put_key(&out, SLICE("l\n"));
    json_put_open(&out, '[');
    json_put_int(&out, 0);
    json_put_int(&out, INT64_MAX);
    json_put_bool(&out, true);
    json_put_string(&out, SLICE(""));
    json_put_open(&out, '{');
    json_put_close(&out, '}');
    json_put_open(&out, '[');
    json_put_close(&out, ']');
    json_put_raw(&out, SLICE(" 1.50 \n"));
    json_put_bool(&out, false);
    json_put_close(&out, ']');
    json_put_close(&out, '}');
    assert_slice(buf_slice(&out),
                 "{\"a\":\"q\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xd7\xa9\",\"n\":-9223372036854775808,"
                 "\"l\\n\":[0,9223372036854775807,true,\"\",{},[],1.50,false]}");
    assert_int_equal(json_count(parsed(&a, arena_copy(&a, buf_slice(&out)).ptr)), 3);
    buf_put_byte(&out, '\n'); /* the next line of JSON lines: no comma */
    size_t at = out.len;
    json_put_open(&out, '[');
    assert_int_equal(out.ptr[at], '[');
    buf_free(&out);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_json__refuses),
        cmocka_unit_test(test_base_json__accepts_and_keeps_bytes),
        cmocka_unit_test(test_base_json__scans_strings_of_every_length),
        cmocka_unit_test(test_base_json__unescapes),
        cmocka_unit_test(test_base_json__walks),
        cmocka_unit_test(test_base_json__absent_is_harmless),
        cmocka_unit_test(test_base_json__reads_integers),
        cmocka_unit_test(test_base_json__points),
        cmocka_unit_test(test_base_json__limits),
        cmocka_unit_test(test_base_json__deep_texts_need_no_stack),
        cmocka_unit_test(test_base_json__gives_back_what_the_tape_does_not_need),
        cmocka_unit_test(test_base_json__finds_duplicates_in_objects_of_any_size),
        cmocka_unit_test(test_base_json__long_place_is_cut_between_characters),
        cmocka_unit_test(test_base_json__splices),
        cmocka_unit_test(test_base_json__every_choice_of_drops_reads_back),
        cmocka_unit_test(test_base_json__splices_below_a_root_inside),
        cmocka_unit_test(test_base_json__writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "net/http_server.h"

static void test_net_http_text__percent(void **state)
{
    static const struct {
        struct slice in;
        const char *out; /* NULL: refused */
    } rows[] = {
        {SLICE_INIT(""), ""},
        {SLICE_INIT("plain+text"), "plain+text"},
        {SLICE_INIT("%41%5b%5D"), "A[]"},
        {SLICE_INIT("a%20"), "a "},
        {SLICE_INIT("%2"), NULL},
        {SLICE_INIT("%"), NULL},
        {SLICE_INIT("%zz"), NULL},
        {SLICE_INIT("%4g"), NULL},
        {SLICE_INIT("a%00b"), NULL},
        {SLICE_INIT("a\0b"), NULL},
        {SLICE_INIT("%c3%bc"), "\xc3\xbc"},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice out;
        bool ok = http_percent_decode(&a, rows[i].in, &out);
        if (ok != (rows[i].out != NULL))
            fail_row(i, "decoded: %d", ok);
        if (ok)
            assert_slice(out, rows[i].out);
    }
    arena_free(&a);
}

static void test_net_http_text__query(void **state)
{
    static const struct {
        const char *query, *name, *value; /* NULL: absent */
    } rows[] = {
        {"limit=5&next=a%3Db", "next", "a=b"},
        {"limit=5&next=a%3Db", "limit", "5"},
        {"limit=5", "lim", NULL},
        {"match%5Btype%5D=indicator,malware", "match[type]", "indicator,malware"},
        {"match[type]=indicator", "match[type]", "indicator"},
        {"next=", "next", ""},
        {"next", "next", ""},
        {"a=1&a=2", "a", "1"},
        {"&&a=1&", "a", "1"},
        {"added_after=2024-01-17T16:11:20+00:00", "added_after", "2024-01-17T16:11:20+00:00"},
        {"a=%zz", "a", "%zz"}, /* as sent: whoever reads the value refuses it */
        {"", "a", NULL},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice got = http_query_get(&a, slice_of(rows[i].query), slice_of(rows[i].name));
        if ((got.ptr == NULL) != (rows[i].value == NULL))
            fail_row(i, "%s in %s: %s", rows[i].name, rows[i].query, got.ptr == NULL ? "absent" : "there");
        if (got.ptr != NULL)
            assert_slice(got, rows[i].value);
    }
    arena_free(&a);
}

static void test_net_http_text__header(void **state)
{
    const struct http_header headers[] = {{SLICE("Accept"), SLICE("a")}, {SLICE("accept"), SLICE("b")}};
    struct http_head head = {.headers = headers, .n_headers = 2};

    assert_slice(http_head_get(&head, SLICE("ACCEPT")), "a");
    assert_null(http_head_get(&head, SLICE("Accep")).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_http_text__percent),
        cmocka_unit_test(test_net_http_text__query),
        cmocka_unit_test(test_net_http_text__header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "net/sse.h"

/* Events as "[type|id|data]". */
static int write_event(void *arg, const struct http_event *e)
{
    buf_printf(arg, "[" SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT "]", SLICE_ARG(e->type), SLICE_ARG(e->id),
               SLICE_ARG(e->data));
    return 0;
}

static const struct {
    struct slice in;
    const char *out;
    int64_t retry_us;
} rows[] = {
    {SLICE_INIT("data: a\n\n"), "[||a]", 0},
    {SLICE_INIT("data:a\n\n"), "[||a]", 0},
    {SLICE_INIT("data:  a\n\n"), "[|| a]", 0}, /* one blank alone belongs to the syntax */
    {SLICE_INIT("data: a\r\rdata: b\r\r"), "[||a][||b]", 0},
    {SLICE_INIT("data: a\r\n\r\ndata: b\r\n\r\n"), "[||a][||b]", 0},
    {SLICE_INIT("data: a\r\ndata: b\r\n\r\n"), "[||a\nb]", 0},
    {SLICE_INIT("data: a\r\n\ndata: b\n\r\n"), "[||a][||b]", 0},
    {SLICE_INIT("data: a\ndata: b\ndata\n\n"), "[||a\nb\n]", 0},
    {SLICE_INIT("data\n\n"), "[||]", 0},
    {SLICE_INIT("data: a"), "", 0}, /* unfinished at the end: none */
    {SLICE_INIT("data: a\n"), "", 0},
    {SLICE_INIT(": comment\n\n:\n\ndata: a\n\n"), "[||a]", 0},
    {SLICE_INIT("event: add\nid: 7\ndata: a\n\ndata: b\n\n"), "[add|7|a][|7|b]",
     0},                                                   /* the id stays, the type does not */
    {SLICE_INIT("event: add\n\ndata: b\n\n"), "[||b]", 0}, /* no data: no event, and its type is gone */
    {SLICE_INIT("id: 7\n\ndata: b\n\n"), "[|7|b]", 0},     /* but its id counts */
    {SLICE_INIT("id: 7\ndata: a\n\nid\ndata: b\n\n"), "[|7|a][||b]", 0},
    {SLICE_INIT("id: 7\ndata: a\n\nid: 8\0x\ndata: b\n\n"), "[|7|a][|7|b]", 0}, /* an id with NUL is ignored */
    {SLICE_INIT("\xef\xbb\xbf"
                "data: a\n\n"),
     "[||a]", 0},
    {SLICE_INIT("\xef\xbb\xbf"
                "data: a\n\n\xef\xbb\xbf"
                "data: b\n\n"),
     "[||a]", 0}, /* later it is part of a name */
    {SLICE_INIT("retry: 1500\ndata: a\n\n"), "[||a]", 1500000},
    {SLICE_INIT("retry: 15s\nretry: -1\ndata: a\n\n"), "[||a]", 0},
    {SLICE_INIT("retry: 99999999999999\ndata: a\n\n"), "[||a]", 0},
    {SLICE_INIT("Data: a\nunknown: x\nnocolon\n\n"), "", 0}, /* names are case-sensitive */
    {SLICE_INIT("data: a:b: c\n\n"), "[||a:b: c]", 0},
};

/* Every row whole, byte by byte, and cut in two at every place. */
static void test_net_sse__rows(void **state)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t cut = 0; cut <= rows[i].in.len; cut++) {
            struct sse s;
            struct buf out = BUF_INIT;
            struct err err = ERR_INIT;
            sse_init(&s, 1000);
            if (cut == 0)
                for (size_t at = 0; at < rows[i].in.len; at++)
                    assert_int_equal(sse_feed(&s, slice_n(rows[i].in.ptr + at, 1), write_event, &out, &err), 0);
            else {
                assert_int_equal(sse_feed(&s, slice_to(rows[i].in, cut), write_event, &out, &err), 0);
                assert_int_equal(sse_feed(&s, slice_from(rows[i].in, cut), write_event, &out, &err), 0);
            }
            if (!slice_eq(buf_slice(&out), slice_of(rows[i].out)))
                fail_row(i, "cut %zu: got " SLICE_FMT ", expected %s", cut, SLICE_ARG(buf_slice(&out)), rows[i].out);
            assert_int_equal(s.retry_us, rows[i].retry_us);
            buf_free(&out);
            sse_free(&s);
        }
}

static int stop_at_first(void *arg, const struct http_event *e)
{
    (void)e;
    ++*(int *)arg;
    return 1;
}

static void test_net_sse__stops(void **state)
{
    struct sse s;
    struct err err = ERR_INIT;
    int n = 0;

    sse_init(&s, 1000);
    assert_int_equal(sse_feed(&s, SLICE("data: a\n\ndata: b\n\n"), stop_at_first, &n, &err), 1);
    assert_int_equal(n, 1);
    sse_free(&s);
}

static void test_net_sse__limits(void **state)
{
    struct sse s;
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    int result = 0;

    sse_init(&s, 100); /* one line */
    for (int i = 0; i < 20 && result == 0; i++)
        result = sse_feed(&s, SLICE("data data "), write_event, &out, &err);
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    sse_free(&s);
    sse_init(&s, 100); /* the data of one event */
    for (int i = result = 0; i < 20 && result == 0; i++)
        result = sse_feed(&s, SLICE("data: 0123456789\n"), write_event, &out, &err);
    assert_int_equal(result, -1);
    assert_int_equal(out.len, 0);
    sse_free(&s);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_sse__rows),
        cmocka_unit_test(test_net_sse__stops),
        cmocka_unit_test(test_net_sse__limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

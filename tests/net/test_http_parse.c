#include "test.h"

#include "net/http_parse.h"

/* Feeds `in` in pieces of `step` bytes; writes "METHOD path?query body\n" a request, "!CODE" where refused, "..." where
 * unfinished. */
static void describe(struct slice in, size_t piece, struct buf *out)
{
    struct http_parse p;
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct http_head head = {0};
    struct buf raw = BUF_INIT;
    bool refused = false;

    http_parse_init(&p, 2000, 1000);
    for (size_t at = 0; at < in.len && !refused; at += piece) {
        struct slice part = slice_to(slice_from(in, at), piece);
        enum http_parse_step step;
        while (!refused && (part.len != 0 || (p.state == HTTP_IN_BODY && p.complete))) {
            step = http_parse_feed(&p, &part, &err);
            if (step == HTTP_PARSE_HEAD) {
                buf_free(&raw);
                head = (struct http_head){0};
                refused = http_parse_head(&p, &a, &raw, &head, &err) != 0;
                if (!refused)
                    buf_printf(out, SLICE_FMT " " SLICE_FMT "?" SLICE_FMT, SLICE_ARG(head.method), SLICE_ARG(head.path),
                               SLICE_ARG(head.query));
            } else if (step == HTTP_PARSE_BODY) {
                buf_printf(out, " " SLICE_FMT "\n", SLICE_ARG(buf_slice(&p.body)));
                buf_clear(&p.body);
            } else {
                refused = step == HTTP_PARSE_REFUSED;
            }
        }
    }
    if (refused)
        buf_printf(out, "!%s", err_name(err.code));
    else if (!http_parse_is_idle(&p))
        buf_put(out, SLICE("..."));
    buf_free(&raw);
    http_parse_free(&p);
    arena_free(&a);
}

#define H "Host: h.example\r\n"

static const struct {
    struct slice in;
    const char *out;
} rows[] = {
    {SLICE_INIT("GET /a?b=c HTTP/1.1\r\n" H "\r\n"), "GET /a?b=c \n"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n"), "GET /? \nGET /2? \n"},
    {SLICE_INIT("POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" H "\r\n"),
     "POST /a? abc\nGET /? \n"},
    {SLICE_INIT("POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), "POST /a? \n"},
    {SLICE_INIT("POST /a HTTP/1.1\r\n" H
                "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"),
     "POST /a? abc\nGET /? \n"},
    {SLICE_INIT("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"),
     "POST /a? abc\n"},
    {SLICE_INIT("\r\nGET / HTTP/1.1\r\n" H "\r\n"), "GET /? \n"}, /* one empty line in front */
    {SLICE_INIT("GET / HTTP/1.0\r\n\r\n"), "GET /? \n"},
    {SLICE_INIT("GET http://h.example/x?y HTTP/1.1\r\n" H "\r\n"), "GET /x?y \n"},
    {SLICE_INIT("GET https://h.example HTTP/1.1\r\n" H "\r\n"), "GET /? \n"},
    {SLICE_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), "OPTIONS *? \n"},
    {SLICE_INIT("GET / HTTP/1.1\r\nhost:\r\n\r\n"), "GET /? \n"}, /* empty is allowed (RFC 9110 section 7.2) */
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\n" H "\r\n"),
     "GET /? \nGET /2? \n"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n" H "\r\n"), "GET /? \nGET /2? \n"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H), "..."},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"), "POST /?..."},
    /* refused: where a message ends must be told in one way */
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
     "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n"), "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nabX0\r\n\r\n"), "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nab\n0\r\n\r\n"), "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n"),
     "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n"),
     "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\n"), "POST /?!BAD_REQUEST"},
    {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
     "POST /?!BAD_REQUEST"},
    /* refused: whom the request is for */
    {SLICE_INIT("GET / HTTP/1.1\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.0\r\n" H H "\r\n"), "!BAD_REQUEST"},
    /* refused: bytes that two servers may read differently */
    {SLICE_INIT("GET / HTTP/1.1\r\nHost : h.example\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost\t: h.example\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n X: a\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n b:c\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\n\tb:c\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET /\0 HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\nHost: h.example\n\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\nHost: h.example\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("\nGET / HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "nocolon\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H ": noname\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1\r\n" H "na me: a\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("\r\n\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    /* refused: not a request of ours */
    {SLICE_INIT("GET / HTTP/2.0\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/0.9\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET /\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("get / HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("CONNECT h.example:443 HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("CONNECT /x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("CONNECT http://h.example/ HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"), "!BAD_REQUEST"},
    {SLICE_INIT("POST /a HTTP/1.1\r\n" H
                "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" H "\r\n"),
     "POST /a? abc\nGET /? \n"},
    {SLICE_INIT("DESCRIBE rtsp://h.example/ RTSP/1.0\r\n\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET x HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET /a#b HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET /\xc3\xbc HTTP/1.1\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("GET / HTTP/1.1 x\r\n" H "\r\n"), "!BAD_REQUEST"},
    {SLICE_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), "!BAD_REQUEST"}, /* TLS to a plain port */
};

static void test_net_http_parse__rows(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 16, 100000};

    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t k = 0; k < ROWS(pieces); k++) {
            struct buf out = BUF_INIT;
            describe(rows[i].in, pieces[k], &out);
            if (!slice_eq(buf_slice(&out), slice_of(rows[i].out)))
                fail_row(i, "in pieces of %zu: got " SLICE_FMT ", expected %s", pieces[k], SLICE_ARG(buf_slice(&out)),
                         rows[i].out);
            buf_free(&out);
        }
}

static void expect(struct buf *in, const char *wanted)
{
    struct buf out = BUF_INIT;

    describe(buf_slice(in), 64, &out);
    if (!slice_ends(buf_slice(&out), slice_of(wanted)))
        fail_msg("got " SLICE_FMT ", expected %s", SLICE_ARG(buf_slice(&out)), wanted);
    buf_free(&out);
    buf_clear(in);
}

static void test_net_http_parse__limits(void **state)
{
    struct buf in = BUF_INIT;

    buf_printf(&in, "GET / HTTP/1.1\r\n" H "X: %01900d\r\n\r\n", 0); /* just below 2,000 */
    expect(&in, "GET /? \n");
    buf_printf(&in, "GET / HTTP/1.1\r\n" H "X: %02000d\r\n\r\n", 0);
    expect(&in, "!HEAD_TOO_LARGE");
    buf_printf(&in, "GET /%02000d", 0); /* no line end at all */
    expect(&in, "!HEAD_TOO_LARGE");
    buf_put(&in, SLICE("GET / HTTP/1.1\r\n" H));
    for (int i = 0; i < HTTP_PARSE_HEADERS; i++)
        buf_put(&in, SLICE("a: b\r\n"));
    buf_put(&in, SLICE("\r\n"));
    expect(&in, "!HEAD_TOO_LARGE");
    buf_printf(&in, "POST / HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n%01001d", 0);
    expect(&in, "!TOO_LARGE");
    buf_printf(&in, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3e8\r\n%01000d\r\n1\r\nx\r\n0\r\n\r\n",
               0);
    expect(&in, "!TOO_LARGE");
    buf_printf(&in, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;a=%05000d\r\nx\r\n0\r\n\r\n", 0);
    expect(&in, "!BAD_REQUEST"); /* chunk extensions without end */
    buf_printf(&in, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: %05000d\r\n\r\n", 0);
    expect(&in, "!BAD_REQUEST");
    buf_free(&in);
}

static void head_of(struct slice in, struct http_parse *p, struct http_head *head, struct arena *a, struct buf *raw)
{
    struct err err = ERR_INIT;

    http_parse_init(p, 2000, 1000);
    assert_int_equal(http_parse_feed(p, &in, &err), HTTP_PARSE_HEAD);
    assert_int_equal(http_parse_head(p, a, raw, head, &err), 0);
}

static void test_net_http_parse__head(void **state)
{
    static const struct {
        struct slice in;
        bool keep_alive, expects, has_body;
        uint64_t length;
    } heads[] = {
        {SLICE_INIT("GET / HTTP/1.1\r\n" H "\r\n"), true, false, false, 0},
        {SLICE_INIT("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), false, false, false, 0},
        {SLICE_INIT("GET / HTTP/1.1\r\n" H "connection: x, Close\r\n\r\n"), false, false, false, 0},
        {SLICE_INIT("GET / HTTP/1.0\r\n\r\n"), false, false, false, 0},
        {SLICE_INIT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true, false, false, 0},
        {SLICE_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 7\r\nExpect: 100-Continue\r\n\r\n"), true, true, true, 7},
        {SLICE_INIT("POST / HTTP/1.0\r\n" H "Content-Length: 7\r\nExpect: 100-continue\r\n\r\n"), false, false, true,
         7},
        {SLICE_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"), true, false, true, UINT64_MAX},
    };
    for (size_t i = 0; i < ROWS(heads); i++) {
        struct http_parse p;
        struct http_head head = {0};
        struct arena a = ARENA_INIT;
        struct buf raw = BUF_INIT;
        head_of(heads[i].in, &p, &head, &a, &raw);
        if (p.keep_alive != heads[i].keep_alive || p.expects_continue != heads[i].expects ||
            head.has_body != heads[i].has_body || head.content_length != heads[i].length)
            fail_row(i, "keep %d expects %d body %d %llu", p.keep_alive, p.expects_continue, head.has_body,
                     (unsigned long long)head.content_length);
        arena_free(&a);
        buf_free(&raw);
        http_parse_free(&p);
    }
}

static void test_net_http_parse__header_values(void **state)
{
    struct http_parse p;
    struct http_head head = {0};
    struct arena a = ARENA_INIT;
    struct buf raw = BUF_INIT;

    head_of(SLICE("GET / HTTP/1.1\r\n" H
                  "A:b\r\nC:  d e \t\r\nEmpty:\r\nConnection:  keep-alive \r\nContent-Length: 0 \r\n\r\n"),
            &p, &head, &a, &raw);
    assert_int_equal(head.n_headers, 6);
    assert_slice(http_head_get(&head, SLICE("a")), "b");
    assert_slice(http_head_get(&head, SLICE("c")), "d e");
    assert_slice(http_head_get(&head, SLICE("empty")), "");
    assert_slice(http_head_get(&head, SLICE("connection")), "keep-alive");
    assert_slice(http_head_get(&head, SLICE("content-length")), "0");
    arena_free(&a);
    buf_free(&raw);
    http_parse_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_http_parse__rows),
        cmocka_unit_test(test_net_http_parse__limits),
        cmocka_unit_test(test_net_http_parse__head),
        cmocka_unit_test(test_net_http_parse__header_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

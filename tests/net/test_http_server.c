#include "net/web.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define H "Host: h.example\r\n"

static int start(void **state)
{
    struct web *w = mem_zero(1, sizeof *w);

    web_start(w, NULL);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    web_stop(*state);
    free(*state);
    return 0;
}

/* Sends `in` on a connection of its own and reads until the server closes. */
static void exchange(struct web *w, struct slice in, struct buf *out)
{
    int fd = raw_connect(w->port);

    raw_send(fd, in);
    if (!raw_read(fd, out, 10000))
        fail_msg("not closed; got " SLICE_FMT, SLICE_ARG(buf_slice(out)));
    close(fd);
}

static const struct {
    struct slice in;
    int status;
} closed_rows[] = {
    {SLICE_INIT("POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400},
    {SLICE_INIT("POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {SLICE_INIT("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\nGET /hello HTTP/1.1\r\n" H "\r\n"),
     400},
    {SLICE_INIT("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\n\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\n" H H "\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\nHost : h.example\r\n\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\n" H "A: \0\r\n\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\nHost: h.example\n\n"), 400},
    {SLICE_INIT("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n"), 400},
    {SLICE_INIT("GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 200},
    {SLICE_INIT("GET /hello HTTP/1.0\r\n\r\n"), 200},
    {SLICE_INIT("POST /never-body HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\n"),
     403}, /* before the body, which never comes */
    {SLICE_INIT("POST /never-body HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"), 403},
    {SLICE_INIT("POST /small HTTP/1.1\r\n" H "Content-Length: 101\r\n\r\n"), 413},
    {SLICE_INIT("POST /small HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n"), 413},
    {SLICE_INIT("POST /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n64\r\n"
                "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r"
                "\n1\r\nx\r\n0\r\n\r\n"),
     413},
    {SLICE_INIT("POST /echo HTTP/1.1\r\n" H "Content-Length: 10485761\r\n\r\n"), 413}, /* over the server's own limit */
};

static void test_net_http_server__answers_and_closes(void **state)
{
    struct web *w = *state;

    for (size_t i = 0; i < ROWS(closed_rows); i++) {
        struct buf out = BUF_INIT;
        exchange(w, closed_rows[i].in, &out);
        if (raw_status(&out) != closed_rows[i].status || count_of(buf_slice(&out), "HTTP/1.1 ") != 1 ||
            count_of(buf_slice(&out), "\r\nConnection: close\r\n") != 1)
            fail_row(i, "got " SLICE_FMT, SLICE_ARG(buf_slice(&out)));
        buf_free(&out);
    }
    assert_int_equal(atomic_load(&w->requests), 2); /* only the two answered 200 reached the application */
    web_wait(&w->dones, 6);                         /* those whose head was let in */
}

static void test_net_http_server__pipelining(void **state)
{
    struct web *w = *state;
    struct buf in = BUF_INIT, out = BUF_INIT;

    for (int i = 0; i < 50; i++) /* answers of the thread come late, and still in order */
        buf_printf(&in, "GET /%s HTTP/1.1\r\n" H "\r\nPOST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n%03d",
                   i % 10 == 0 ? "thread" : "hello", i);
    buf_put(&in, SLICE("GET /nothing HTTP/1.1\r\n" H "Connection: close\r\n\r\n"));
    exchange(w, buf_slice(&in), &out);
    struct slice rest = buf_slice(&out);
    for (int i = 0; i < 50; i++) {
        char number[8];
        snprintf(number, sizeof number, "\r\n\r\n%03d", i);
        size_t at = slice_find(rest, slice_of(number));
        if (at == rest.len)
            fail_msg("echo %d is missing or out of order", i);
        rest = slice_from(rest, at + 7);
    }
    assert_int_equal(count_of(buf_slice(&out), "HTTP/1.1 200 OK"), 100);
    assert_int_equal(count_of(buf_slice(&out), "from another thread"), 5);
    assert_int_equal(count_of(rest, "HTTP/1.1 404 Not Found"), 1);
    buf_free(&in);
    buf_free(&out);
}

static void test_net_http_server__pipelined_refusals(void **state)
{
    struct web *w = *state;
    struct buf in = BUF_INIT, out = BUF_INIT;

    for (int i = 0; i < 500; i++) /* answered without the application: deep in one turn */
        buf_put(&in, SLICE("GET /never-body HTTP/1.1\r\n" H "\r\n"));
    buf_put(&in, SLICE("GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n"));
    exchange(w, buf_slice(&in), &out);
    assert_int_equal(count_of(buf_slice(&out), "HTTP/1.1 403 Forbidden"), 500);
    assert_int_equal(count_of(buf_slice(&out), "HTTP/1.1 200 OK"), 1);
    buf_free(&in);
    buf_free(&out);
}

static void test_net_http_server__keep_alive(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("GET /hello HTTP/1.1\r\n" H "\r\n"));
    raw_read_until(fd, &out, "hello", 1);
    raw_send(fd, SLICE("HEAD /hello HTTP/1.1\r\n" H "\r\n")); /* a length, no body */
    raw_read_until(fd, &out, "Content-Length: 5\r\n\r\n", 2);
    raw_send(fd, SLICE("GET /never-body HTTP/1.1\r\n" H "\r\n")); /* no body unread: the connection stays */
    raw_read_until(fd, &out, "not here\n", 1);
    raw_send(fd, SLICE("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    raw_read_until(fd, &out, "hello", 2);
    assert_int_equal(count_of(buf_slice(&out), "Connection: keep-alive"), 1);
    assert_int_equal(count_of(buf_slice(&out), "Connection: close"), 0);
    close(fd);
    buf_free(&out);
}

static void test_net_http_server__head_callback(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;

    exchange(w, SLICE("GET http://x.example/head?a=%41&b HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), &out);
    if (count_of(buf_slice(&out), "GET /head a=%41&b 127.0.0.1 2 0") != 1)
        fail_msg(SLICE_FMT, SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

static void test_net_http_server__admits_later(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;

    exchange(w,
             SLICE("POST /sign-in HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcPOST /sign-out HTTP/1.1\r\n" H
                   "Content-Length: 3\r\n\r\n"),
             &out);
    assert_int_equal(raw_status(&out), 200);
    assert_int_equal(count_of(buf_slice(&out), "HTTP/1.1 401 Unauthorized"), 1);
    assert_int_equal(count_of(buf_slice(&out), "WWW-Authenticate: Basic"), 1);
    assert_int_equal(atomic_load(&w->requests), 1);
    web_wait(&w->dones, 2);
    buf_free(&out);
}

static void test_net_http_server__continue(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
    raw_read_until(fd, &out, "HTTP/1.1 100 Continue\r\n\r\n", 1);
    assert_int_equal(count_of(buf_slice(&out), "200"), 0);
    raw_send(fd, SLICE("abc"));
    raw_read_until(fd, &out, "\r\n\r\nabc", 1);
    raw_send(fd,
             SLICE("GET /hello HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n")); /* no body: nothing to go on with */
    raw_read_until(fd, &out, "hello", 1);
    assert_int_equal(count_of(buf_slice(&out), "100 Continue"), 1);
    close(fd);
    buf_free(&out);
}

static void test_net_http_server__large_answer(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;

    exchange(w, SLICE("GET /big HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), &out);
    size_t head = slice_find(buf_slice(&out), SLICE("\r\n\r\n")) + 4;
    assert_int_equal(out.len - head, 5 * 1000 * 1000);
    for (int i = 0; i < 500 * 1000; i += 997) {
        char line[16];
        snprintf(line, sizeof line, "%09d\n", i);
        assert_memory_equal(out.ptr + head + (size_t)i * 10, line, 10);
    }
    buf_free(&out);
}

static void test_net_http_server__half_closed_client(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("GET /thread HTTP/1.1\r\n" H "\r\n"));
    shutdown(fd, SHUT_WR); /* it may still listen */
    assert_true(raw_read(fd, &out, 10000));
    assert_int_equal(raw_status(&out), 200);
    close(fd);
    buf_free(&out);
}

static void test_net_http_server__client_gone(void **state)
{
    struct web *w = *state;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("POST /hold HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"));
    struct http_request *r = web_take_held(w);
    struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    usleep(50 * 1000);
    assert_slice(http_request_body(r), "abc"); /* it outlives its connection */
    assert_slice(http_request_head(r)->path, "/hold");
    assert_int_equal(atomic_load(&w->dones), 0);
    struct http_answer answer = {200, SLICE("text/plain"), NULL, 0, buf_ref_copy(SLICE("into nothing"))};
    http_reply(r, &answer);
    web_wait(&w->dones, 1);
    fd = raw_connect(w->port); /* in the middle of a body: the request never was */
    raw_send(fd, SLICE("POST /hold HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"));
    web_wait(&w->heads, 2);
    close(fd);
    web_wait(&w->dones, 2);
    assert_int_equal(atomic_load(&w->requests), 1);
}

static void test_net_http_server__answered_after_stop(void **state)
{
    struct web *w = *state;
    int fd = raw_connect(w->port);
    struct buf out = BUF_INIT;

    raw_send(fd, SLICE("GET /hold HTTP/1.1\r\n" H "\r\n"));
    struct http_request *r = web_take_held(w);
    http_server_stop(&w->server);
    assert_null(w->server);
    assert_true(raw_read(fd, &out, 1000));
    assert_int_equal(atomic_load(&w->dones), 0);
    struct err err = ERR_INIT;
    err_set(&err, ERR_BUSY, "", "");
    http_reply_error(r, &err, NULL, 0);
    assert_int_equal(atomic_load(&w->dones), 1);
    close(fd);
    buf_free(&out);
}

static void test_net_http_server__stop_waits_for_answers(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("GET /thread HTTP/1.1\r\n" H "\r\n"));
    web_wait(&w->requests, 1);
    http_server_stop(&w->server);
    assert_true(raw_read(fd, &out, 1000));
    assert_int_equal(raw_status(&out), 200);
    close(fd);
    buf_free(&out);
}

static void test_net_http_server__many_connections(void **state)
{
    struct web *w = *state;
    int fds[200];
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < ROWS(fds); i++)
        fds[i] = raw_connect(w->port);
    for (size_t i = 0; i < ROWS(fds); i++)
        raw_send(fds[i], i % 2 == 0 ? SLICE("GET /thread HTTP/1.1\r\n" H "\r\n")
                                    : SLICE("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhe"));
    for (size_t i = 1; i < ROWS(fds); i += 2)
        raw_send(fds[i], SLICE("llo"));
    for (size_t i = 0; i < ROWS(fds); i++) {
        buf_clear(&out);
        raw_read_until(fds[i], &out, i % 2 == 0 ? "from another thread" : "hello", 1);
    }
    struct http_server_counts counts;
    http_server_count(w->server, &counts);
    assert_int_equal(counts.connections, 200);
    assert_int_equal(counts.requests, 200);
    for (size_t i = 0; i < ROWS(fds); i++)
        close(fds[i]);
    buf_free(&out);
}

static void test_net_http_server__header_values_are_safe(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("GET /hold HTTP/1.1\r\n" H "\r\n"));
    const struct http_header headers[] = {{SLICE("X-Next"), SLICE("a\r\nSet-Cookie: b")}};
    struct http_answer answer = {200, SLICE("text/plain"), headers, 1, NULL};
    http_reply(web_take_held(w), &answer);
    raw_read_until(fd, &out, "\r\n\r\n", 1);
    assert_int_equal(count_of(buf_slice(&out), "\r\nSet-Cookie"), 0);
    assert_int_equal(count_of(buf_slice(&out), "X-Next: a  Set-Cookie: b\r\n"), 1);
    close(fd);
    buf_free(&out);
}

static int other_head(void *arg, struct http_request *r, uint64_t *max_body, void **user, struct err *err)
{
    *user = arg;
    *max_body = 3;
    return slice_eq(http_request_head(r)->path, SLICE("/other/refused")) ? err_set(err, ERR_FORBIDDEN, NULL, "") : 0;
}

static void other_request(void *arg, struct http_request *r)
{
    struct http_answer answer = {201, SLICE("text/plain"), NULL, 0, NULL};

    http_reply(r, &answer);
}

static void other_error_body(void *arg, const struct err *err, int status, struct buf *body, struct slice *media_type)
{
    buf_put(body, SLICE("the other's error"));
    *media_type = SLICE("text/other");
}

static void other_done(void *arg, void *user)
{
    assert_ptr_equal(arg, user);
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* A mount has its requests from the head to `done`; what only looks like its path is not its. */
static void test_net_http_server__mounts(void **state)
{
    static const struct {
        struct slice in;
        int status, others_errors;
    } rows[] = {
        {SLICE_INIT("POST /other HTTP/1.1\r\n" H "Connection: close\r\nContent-Length: 3\r\n\r\nabc"), 201, 0},
        {SLICE_INIT("GET /other/deep?a=b HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 201, 0},
        {SLICE_INIT("GET /other/refused HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 403, 1},
        {SLICE_INIT("POST /other HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\n"), 413, 1},
        {SLICE_INIT("GET /others HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 404, 0},
        {SLICE_INIT("GET /oth HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 404, 0},
        {SLICE_INIT("GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 200, 0},
        {SLICE_INIT("GET /x/other HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 404, 0},
    };
    atomic_int dones = 0;
    struct http_mount mount = {SLICE("/other"),
                               {.arg = &dones,
                                .head = other_head,
                                .request = other_request,
                                .error_body = other_error_body,
                                .done = other_done}};
    struct http_server_conf conf = http_server_conf_default;
    struct web w;

    (void)state;
    conf.mounts = &mount;
    conf.n_mounts = 1;
    web_start(&w, &conf);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out = BUF_INIT;
        exchange(&w, rows[i].in, &out);
        if (raw_status(&out) != rows[i].status ||
            count_of(buf_slice(&out), "the other's error") != (size_t)rows[i].others_errors)
            fail_row(i, SLICE_FMT, (int)out.len, out.ptr);
        buf_free(&out);
    }
    web_stop(&w);
    assert_int_equal(dones, 3);   /* those that its head let in */
    assert_int_equal(w.heads, 4); /* of the others */
}

static void test_net_http_listen__rows(void **state)
{
    static const struct {
        const char *address;
        enum err_code code;
    } rows[] = {
        {"127.0.0.1:0", ERR_NONE},
        {"[::1]:0", ERR_NONE},
        {"localhost:0", ERR_CONF_VALUE},
        {"127.0.0.1", ERR_CONF_VALUE},
        {"127.0.0.1:65536", ERR_CONF_VALUE},
        {"::1:80", ERR_CONF_VALUE},
        {":80", ERR_CONF_VALUE},
        {"", ERR_CONF_VALUE},
        {"[127.0.0.1]:80", ERR_CONF_VALUE},
        {"203.0.113.1:0", ERR_CONF_VALUE},
    };
    uint16_t port;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct err err = ERR_INIT;
        int fd = -1;
        http_listen(slice_of(rows[i].address), 16, &fd, &port, &err);
        if (err.code != rows[i].code)
            fail_row(i, "%s: %s", rows[i].address, err.text);
        if (fd >= 0)
            close(fd);
    }
}

static void test_net_http_listen__busy_port(void **state)
{
    struct err err = ERR_INIT;
    char text[32];
    uint16_t port;
    int fd, second;

    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 16, &fd, &port, &err), 0);
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    assert_int_equal(http_listen(slice_of(text), 16, &second, &port, &err), -1);
    assert_int_equal(err.code, ERR_PORT_IN_USE);
    close(fd);
}

#define WEB(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB(test_net_http_server__answers_and_closes),
        WEB(test_net_http_server__pipelining),
        WEB(test_net_http_server__pipelined_refusals),
        WEB(test_net_http_server__keep_alive),
        WEB(test_net_http_server__head_callback),
        WEB(test_net_http_server__admits_later),
        WEB(test_net_http_server__continue),
        WEB(test_net_http_server__large_answer),
        WEB(test_net_http_server__half_closed_client),
        WEB(test_net_http_server__client_gone),
        WEB(test_net_http_server__answered_after_stop),
        WEB(test_net_http_server__stop_waits_for_answers),
        WEB(test_net_http_server__many_connections),
        WEB(test_net_http_server__header_values_are_safe),
        cmocka_unit_test(test_net_http_server__mounts),
        cmocka_unit_test(test_net_http_listen__rows),
        cmocka_unit_test(test_net_http_listen__busy_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "net/web.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

struct fixture {
    struct web web;
    struct http_client *client;
    pthread_t thread;
};

static int start(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);
    struct err err = ERR_INIT;
    char url[64];

    web_start(&f->web, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->web.port);
    struct http_client_conf conf = {.url = slice_of(url), .total_us = 1500 * 1000};
    assert_int_equal(http_client_open(&conf, &f->client, &err), 0);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;

    http_client_close(&f->client);
    web_stop(&f->web);
    free(f);
    return 0;
}

static int send_text(struct fixture *f, const char *method, const char *path, const char *body,
                     struct http_result *result, struct err *err)
{
    *err = (struct err)ERR_INIT;
    return http_client_send(f->client, method, slice_of(path), NULL, 0, slice_of(body), 1000, result, err);
}

static void test_net_http_client__statuses(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *answer;
    } rows[] = {
        {"GET", "/hello", "", 200, "hello"},
        {"HEAD", "/hello", "", 200, ""},
        {"POST", "/echo", "abc", 200, "abc"},
        {"POST", "/echo", "", 200, ""},
        {"PUT", "/echo", "abc", 200, "abc"},
        {"DELETE", "/hello", "", 200, "hello"},
        {"GET", "/nothing", "", 404, "nothing here\n"},
        {"GET", "/never-body", "", 403, "not here\n"},
        {"POST", "/never-body", "abc", 403, "not here\n"},
        {"GET", "/thread", "", 200, "from another thread"},
        {"GET", "/head?a=%20b", "", 200,
         "GET /head a=%20b 127.0.0.1 4 0"},                /* Host, User-Agent, Accept, Accept-Encoding */
        {"GET", "/x/../hello", "", 404, "nothing here\n"}, /* paths go out as they are */
    };
    struct fixture *f = *state;
    struct http_result result;
    struct err err;

    for (size_t i = 0; i < ROWS(rows); i++) {
        if (send_text(f, rows[i].method, rows[i].path, rows[i].body, &result, &err) != 0)
            fail_row(i, "%s", err.text);
        if (result.status != rows[i].status || !slice_eq(buf_slice(&result.body), slice_of(rows[i].answer)))
            fail_row(i, "%d " SLICE_FMT, result.status, SLICE_ARG(buf_slice(&result.body)));
        http_result_free(&result);
    }
}

static void test_net_http_client__headers(void **state)
{
    struct fixture *f = *state;
    struct http_result result;
    struct err err = ERR_INIT;

    assert_int_equal(send_text(f, "GET", "/sign-out", "", &result, &err), 0);
    assert_int_equal(result.status, 401);
    assert_slice(http_result_header(&result, SLICE("www-authenticate")), "Basic realm=\"test\"");
    assert_slice(http_result_header(&result, SLICE("CONTENT-TYPE")), "text/plain; charset=utf-8");
    assert_null(http_result_header(&result, SLICE("X-None")).ptr);
    http_result_free(&result);
}

static void test_net_http_client__too_large(void **state)
{
    struct fixture *f = *state;
    struct http_result result;
    struct err err = ERR_INIT;

    assert_int_equal(send_text(f, "GET", "/big", "", &result, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    assert_int_equal(send_text(f, "GET", "/hello", "", &result, &err), 0); /* the client goes on */
    http_result_free(&result);
}

static void test_net_http_client__timeout(void **state)
{
    struct fixture *f = *state;
    struct http_result result;
    struct err err = ERR_INIT;
    int64_t from = time_steady_us();

    assert_int_equal(send_text(f, "GET", "/hold", "", &result, &err), -1);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_in_range(time_steady_us() - from, 1200 * 1000, 8 * 1000 * 1000);
    http_reply_error(web_take_held(&f->web), &err, NULL, 0);
}

static void *stop_soon(void *arg)
{
    struct fixture *f = arg;
    int64_t *at = mem_alloc(sizeof *at);

    usleep(400 * 1000); /* by now the client sleeps in its poll, for a second */
    *at = time_steady_us();
    http_client_stop(f->client);
    return at;
}

static int64_t stopped_at(struct fixture *f)
{
    void *at;

    pthread_join(f->thread, &at);
    int64_t us = *(int64_t *)at;
    free(at);
    return us;
}

static void test_net_http_client__stop_ends_send(void **state)
{
    struct fixture *f = *state;
    struct http_result result;
    struct err err = ERR_INIT;

    pthread_create(&f->thread, NULL, stop_soon, f);
    assert_int_equal(send_text(f, "GET", "/hold", "", &result, &err), -1);
    int64_t now = time_steady_us();
    assert_true(now - stopped_at(f) < 250 * 1000); /* at once, were this machine idle */
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(send_text(f, "GET", "/hello", "", &result, &err), -1); /* for good */
    err_set(&err, ERR_BUSY, "", "");
    http_reply_error(web_take_held(&f->web), &err, NULL, 0);
}

/* ---- following ---- */

static int collect(void *arg, const struct http_event *e)
{
    buf_printf(arg, "[" SLICE_FMT " " SLICE_FMT " " SLICE_FMT "]", SLICE_ARG(e->type), SLICE_ARG(e->id),
               SLICE_ARG(e->data));
    return slice_eq(e->data, SLICE("end"));
}

static int follow(struct fixture *f, const char *path, int64_t silent_us, struct buf *got, struct err *err)
{
    struct slice headers[] = {SLICE("Last-Event-ID: 7")};

    *err = (struct err)ERR_INIT;
    return http_client_follow(f->client, slice_of(path), headers, 1, silent_us, collect, got, err);
}

static void *feed(void *arg)
{
    struct fixture *f = arg;
    struct http_stream *s = web_take_stream(&f->web);
    static const char *const pieces[] = {": hello\n\nevent: add\nid: 8\nda", "ta: a\n", "\ndata: b\r\n", "\r\n",
                                         "data: end\n\ndata: after\n\n"};

    for (size_t i = 0; i < ROWS(pieces); i++) {
        http_stream_send(s, buf_ref_copy(slice_of(pieces[i])));
        usleep(10 * 1000);
    }
    return s;
}

static void test_net_http_client__follows(void **state)
{
    struct fixture *f = *state;
    struct buf got = BUF_INIT;
    struct err err;
    void *stream;

    pthread_create(&f->thread, NULL, feed, f);
    if (follow(f, "/stream", 5 * 1000000, &got, &err) != 0)
        fail_msg("%s", err.text);
    assert_slice(buf_slice(&got), "[add 8 a][ 8 b][ 8 end]");
    pthread_join(f->thread, &stream);
    web_wait(&f->web.closeds, 1); /* ended by the client: its connection is closed */
    http_stream_release(stream);
    buf_free(&got);
}

static void *close_soon(void *arg)
{
    struct fixture *f = arg;
    struct http_stream *s = web_take_stream(&f->web);

    http_stream_send(s, buf_ref_copy(SLICE("data: a\n\ndata: unfinished\n")));
    http_stream_close(s);
    return s;
}

static void test_net_http_client__stream_ends(void **state)
{
    struct fixture *f = *state;
    struct buf got = BUF_INIT;
    struct err err;
    void *stream;

    pthread_create(&f->thread, NULL, close_soon, f);
    assert_int_equal(follow(f, "/stream", 5 * 1000000, &got, &err), -1);
    assert_int_equal(err.code, ERR_CONNECT);
    assert_slice(buf_slice(&got), "[  a]");
    pthread_join(f->thread, &stream);
    web_wait(&f->web.closeds, 1);
    http_stream_release(stream);
    buf_free(&got);
}

static void test_net_http_client__silent(void **state)
{
    struct fixture *f = *state;
    struct buf got = BUF_INIT;
    struct err err;
    int64_t from = time_steady_us();

    assert_int_equal(follow(f, "/stream", 300 * 1000, &got, &err), -1);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_in_range(time_steady_us() - from, 250 * 1000, 3 * 1000 * 1000);
    struct http_stream *s = web_take_stream(&f->web);
    web_wait(&f->web.closeds, 1);
    http_stream_release(s);
    buf_free(&got);
}

static void test_net_http_client__stop_ends_follow(void **state)
{
    struct fixture *f = *state;
    struct buf got = BUF_INIT;
    struct err err;

    pthread_create(&f->thread, NULL, stop_soon, f);
    assert_int_equal(follow(f, "/stream", 60 * 1000000, &got, &err), 0);
    int64_t now = time_steady_us();
    assert_true(now - stopped_at(f) < 250 * 1000);
    struct http_stream *s = web_take_stream(&f->web);
    web_wait(&f->web.closeds, 1);
    http_stream_release(s);
    buf_free(&got);
}

static void test_net_http_client__follow_refused(void **state)
{
    static const struct {
        const char *path;
        enum err_code code;
    } rows[] = {
        {"/hello", ERR_PEER},
        {"/nothing", ERR_NOT_FOUND},
        {"/never-body", ERR_FORBIDDEN},
        {"/sign-out", ERR_UNAUTHENTICATED},
        {"/big", ERR_PEER},
    };
    struct fixture *f = *state;
    struct buf got = BUF_INIT;
    struct err err;

    for (size_t i = 0; i < ROWS(rows); i++) {
        if (follow(f, rows[i].path, 2 * 1000000, &got, &err) != -1 || err.code != rows[i].code)
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        assert_int_equal(got.len, 0);
    }
    buf_free(&got);
}

/* ---- servers that misbehave ---- */

struct script {
    int listen_fd;
    struct slice answer;
    struct buf asked;
};

/* Reads one request head, says its piece, closes. */
static void *play(void *arg)
{
    struct script *s = arg;
    int fd = -1;

    for (int i = 0; i < 5000 && fd < 0; i++) {
        fd = accept(s->listen_fd, NULL, NULL);
        if (fd < 0)
            usleep(1000);
    }
    raw_read_until(fd, &s->asked, "\r\n\r\n", 1);
    raw_send(fd, s->answer);
    shutdown(fd, SHUT_WR);
    struct buf rest = BUF_INIT;
    raw_read(fd, &rest, 2000);
    buf_free(&rest);
    close(fd);
    return NULL;
}

static const struct {
    struct slice answer;
    int status; /* 0: an error */
    enum err_code code;
    const char *body;
} scripts[] = {
    {SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 200, ERR_NONE, "ok"},
    {SLICE_INIT("HTTP/1.1 100 Continue\r\nX: old\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: new\r\n\r\nok"), 200,
     ERR_NONE, "ok"},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"), 200, ERR_NONE,
     "ok"},
    {SLICE_INIT("HTTP/1.0 200 OK\r\n\r\nuntil the end"), 200, ERR_NONE, "until the end"},
    /* not followed: credentials go to nobody else */
    {SLICE_INIT("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"), 302, ERR_NONE, ""},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ntoo short"), 0, ERR_CONNECT, ""},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"), 0, ERR_CONNECT, ""},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), 0, ERR_CONNECT, ""},
    {SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no"), 0, ERR_CONNECT, ""},
    {SLICE_INIT("HTTP/0.9 what\r\n\r\n"), 0, ERR_CONNECT, ""},
    {SLICE_INIT("SSH-2.0-OpenSSH_9.2\r\n"), 0, ERR_CONNECT, ""},
    {SLICE_INIT(""), 0, ERR_CONNECT, ""},
};

static void test_net_http_client__odd_servers(void **state)
{
    struct script s = {.asked = BUF_INIT};
    struct err err = ERR_INIT;
    uint16_t port;
    char url[64];

    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 16, &s.listen_fd, &port, &err), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    struct http_client_conf conf = {
        .url = slice_of(url), .user = SLICE("u"), .password = SLICE("p"), .total_us = 5 * 1000000};
    for (size_t i = 0; i < ROWS(scripts); i++) {
        struct http_client *c;
        struct http_result result;
        pthread_t thread;
        s.answer = scripts[i].answer;
        buf_clear(&s.asked);
        err = (struct err)ERR_INIT;
        pthread_create(&thread, NULL, play, &s);
        assert_int_equal(http_client_open(&conf, &c, &err), 0);
        int got = http_client_send(c, "GET", SLICE("/x"), NULL, 0, slice_n(NULL, 0), 1000, &result, &err);
        if (err.code != scripts[i].code || (got == 0 && result.status != scripts[i].status))
            fail_row(i, "%d, %s: %s", got, err_name(err.code), err.text);
        if (got == 0) {
            assert_slice(buf_slice(&result.body), scripts[i].body);
            assert_int_equal(count_of(buf_slice(&result.headers), "old"), 0); /* of the last answer alone */
            http_result_free(&result);
        }
        http_client_close(&c);
        pthread_join(thread, NULL);
        assert_int_equal(count_of(buf_slice(&s.asked), "Authorization: Basic dTpw\r\n"), 1);
    }
    close(s.listen_fd);
    buf_free(&s.asked);
}

static void test_net_http_client__endless_headers(void **state)
{
    struct script s = {.asked = BUF_INIT};
    struct err err = ERR_INIT;
    struct buf answer = BUF_INIT;
    struct http_client *c;
    struct http_result result;
    pthread_t thread;
    uint16_t port;
    char url[64];

    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 16, &s.listen_fd, &port, &err), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    struct http_client_conf conf = {.url = slice_of(url), .total_us = 5 * 1000000};
    buf_put(&answer, SLICE("HTTP/1.1 200 OK\r\n"));
    for (int i = 0; i < 2000; i++)
        buf_printf(&answer, "X-%d: 0123456789012345678901234567890123456789\r\n", i);
    buf_put(&answer, SLICE("\r\n"));
    s.answer = buf_slice(&answer);
    pthread_create(&thread, NULL, play, &s);
    assert_int_equal(http_client_open(&conf, &c, &err), 0);
    assert_int_equal(http_client_send(c, "GET", SLICE("/x"), NULL, 0, slice_n(NULL, 0), 1000, &result, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    http_client_close(&c);
    pthread_join(thread, NULL);
    close(s.listen_fd);
    buf_free(&s.asked);
    buf_free(&answer);
}

static void test_net_http_client__conf(void **state)
{
    static const struct {
        struct http_client_conf conf;
        enum err_code code;
    } rows[] = {
        {{.url = SLICE_INIT("https://hub.example")}, ERR_NONE},
        {{.url = SLICE_INIT("hub.example")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("file:///etc/passwd")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("https://hub.example"), .pin = SLICE_INIT("abc")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("http://hub.example"), .user = SLICE_INIT("u"), .password = SLICE_INIT("p")},
         ERR_CONF_VALUE},
        {{.url = SLICE_INIT("http://hub.example"), .password = SLICE_INIT("p")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("http://localhost.example"), .password = SLICE_INIT("p")}, ERR_CONF_VALUE},
        {{.url = SLICE_INIT("http://127.0.0.1:80"), .user = SLICE_INIT("u"), .password = SLICE_INIT("p")}, ERR_NONE},
        {{.url = SLICE_INIT("https://hub.example"), .user = SLICE_INIT("u"), .password = SLICE_INIT("p")}, ERR_NONE},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct http_client *c = NULL;
        struct err err = ERR_INIT;
        http_client_open(&rows[i].conf, &c, &err);
        if (err.code != rows[i].code)
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        http_client_close(&c);
    }
}

#define WEB(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB(test_net_http_client__statuses),
        WEB(test_net_http_client__headers),
        WEB(test_net_http_client__too_large),
        WEB(test_net_http_client__timeout),
        WEB(test_net_http_client__stop_ends_send),
        WEB(test_net_http_client__follows),
        WEB(test_net_http_client__stream_ends),
        WEB(test_net_http_client__silent),
        WEB(test_net_http_client__stop_ends_follow),
        WEB(test_net_http_client__follow_refused),
        cmocka_unit_test(test_net_http_client__odd_servers),
        cmocka_unit_test(test_net_http_client__endless_headers),
        cmocka_unit_test(test_net_http_client__conf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

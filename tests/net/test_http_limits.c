#include "net/web.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"

#define H "Host: h.example\r\n"

static struct http_server_conf short_conf(void)
{
    struct http_server_conf conf = http_server_conf_default;

    conf.head_us = conf.body_us = 300 * 1000;
    conf.idle_us = 500 * 1000;
    conf.write_us = 400 * 1000;
    return conf;
}

/* How long until the server closes, in ms; what it said is in `out`. */
static int closed_after(int fd, struct buf *out)
{
    int64_t from = time_steady_us();

    if (!raw_read(fd, out, 10000))
        fail_msg("not closed within 10 s");
    return (int)((time_steady_us() - from) / 1000);
}

static void test_net_http_limits__silent(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    int ms = closed_after(fd, &out);
    assert_in_range(ms, 200, 3000);
    assert_int_equal(out.len, 0); /* it never asked anything */
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

/* A byte now and then must not keep a head open: the clock runs from accept, and not from the last byte. */
static void test_net_http_limits__dripping_head(void **state)
{
    static const char head[] = "GET /hello HTTP/1.1\r\nHost: h.example\r\nX-Slow: "
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();
    int64_t from = time_steady_us();
    bool closed = false;

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    for (size_t i = 0; i < sizeof head - 1 && !closed; i++) {
        raw_send(fd, slice_n(head + i, 1));
        closed = raw_read(fd, &out, 50);
    }
    assert_true(closed);
    assert_in_range((time_steady_us() - from) / 1000, 250, 3000);
    assert_int_equal(raw_status(&out), 408);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

static void test_net_http_limits__dripping_second_head(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();

    conf.idle_us = 5 * 1000000; /* a head once begun has the head's time, and not what is left of idling */
    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    raw_send(fd, SLICE("GET /hello HTTP/1.1\r\n" H "\r\nGET /he"));
    raw_read_until(fd, &out, "hello", 1);
    buf_clear(&out);
    int ms = closed_after(fd, &out);
    assert_in_range(ms, 200, 3000);
    assert_int_equal(raw_status(&out), 408);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

static void test_net_http_limits__slow_body(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();
    bool closed = false;

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    raw_send(fd, SLICE("POST /echo HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\n"));
    for (int i = 0; i < 60 && !closed; i++) {
        raw_send(fd, SLICE("x"));
        closed = raw_read(fd, &out, 50);
    }
    assert_true(closed);
    assert_int_equal(raw_status(&out), 408);
    web_wait(&w.dones, 1);
    assert_int_equal(atomic_load(&w.requests), 0);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

static void test_net_http_limits__idle(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    raw_send(fd, SLICE("GET /hello HTTP/1.1\r\n" H "\r\n"));
    raw_read_until(fd, &out, "hello", 1);
    buf_clear(&out);
    int ms = closed_after(fd, &out);
    assert_in_range(ms, 350, 4000);
    assert_int_equal(out.len, 0);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

/* An application that takes its time is no reason to close. */
static void test_net_http_limits__slow_application(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    raw_send(fd, SLICE("GET /hold HTTP/1.1\r\n" H "\r\n"));
    struct http_request *r = web_take_held(&w);
    assert_false(raw_read(fd, &out, 1000)); /* over every deadline */
    struct http_answer answer = {200, SLICE("text/plain"), NULL, 0, buf_ref_copy(SLICE("at last"))};
    http_reply(r, &answer);
    raw_read_until(fd, &out, "at last", 1);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

static void test_net_http_limits__reader_that_stalls(void **state)
{
    struct web w;
    struct buf out = BUF_INIT;
    struct http_server_conf conf = short_conf();
    struct http_server_counts counts;

    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    for (int i = 0; i < 4; i++) /* 20 MB: more than the kernel takes */
        raw_send(fd, SLICE("GET /big HTTP/1.1\r\n" H "\r\n"));
    web_wait(&w.heads, 1);
    for (int i = 0; i < 500; i++) {
        http_server_count(w.server, &counts);
        if (counts.connections == 0)
            break;
        usleep(10 * 1000);
    }
    assert_int_equal(counts.connections, 0);
    close(fd);
    web_stop(&w);
    buf_free(&out);
}

static void test_net_http_limits__head_size(void **state)
{
    struct web w;
    struct buf in = BUF_INIT, out = BUF_INIT;
    struct http_server_conf conf = http_server_conf_default;

    conf.max_head = 2000;
    web_start(&w, &conf);
    int fd = raw_connect(w.port);
    buf_printf(&in, "GET /hello HTTP/1.1\r\n" H "X: %01900d\r\n\r\nGET /hello HTTP/1.1\r\n" H "X: %02000d\r\n\r\n", 0,
               0);
    raw_send(fd, buf_slice(&in));
    assert_true(raw_read(fd, &out, 10000));
    assert_int_equal(raw_status(&out), 200);
    assert_int_equal(count_of(buf_slice(&out), "HTTP/1.1 431 "), 1);
    close(fd);
    web_stop(&w);
    buf_free(&in);
    buf_free(&out);
}

/* The refusal arrives although the client is still sending: no reset destroys it. */
static void test_net_http_limits__body_size_while_sending(void **state)
{
    struct web w;
    struct buf out = BUF_INIT, body = BUF_INIT;
    struct http_server_conf conf = http_server_conf_default;

    conf.max_body = 100 * 1000;
    web_start(&w, &conf);
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = raw_connect(w.port);
        buf_clear(&body);
        buf_clear(&out);
        if (chunked)
            buf_printf(&body, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n%x\r\n", 8 * 1000 * 1000);
        else
            buf_printf(&body, "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", 8 * 1000 * 1000);
        size_t head = body.len;
        buf_reserve(&body, 8 * 1000 * 1000);
        memset(body.ptr + head, 'x', 8 * 1000 * 1000);
        body.len = head + 8 * 1000 * 1000;
        raw_send(fd, buf_slice(&body));
        assert_true(raw_read(fd, &out, 10000));
        assert_int_equal(raw_status(&out), 413);
        assert_false(raw_was_reset);
        close(fd);
    }
    web_wait(&w.dones, 2);
    assert_int_equal(atomic_load(&w.requests), 0);
    web_stop(&w);
    buf_free(&body);
    buf_free(&out);
}

static void test_net_http_limits__body_memory(void **state)
{
    struct web w;
    struct buf out = BUF_INIT, body = BUF_INIT;
    struct http_server_conf conf = http_server_conf_default;
    struct http_server_counts counts;
    int fds[4];

    conf.max_body_memory = 1000 * 1000;
    web_start(&w, &conf);
    buf_put(&body, SLICE("POST /echo HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\n"));
    for (int i = 0; i < 250 * 1000; i++)
        buf_put_byte(&body, 'x');
    for (size_t i = 0; i < ROWS(fds); i++) {
        fds[i] = raw_connect(w.port);
        raw_send(fds[i], buf_slice(&body));
    }
    size_t refused = 0; /* four quarters, with what a growing buffer keeps in reserve, are over it */
    for (size_t i = 0; i < ROWS(fds); i++) {
        buf_clear(&out);
        refused += raw_read(fds[i], &out, 500) && raw_status(&out) == 503;
        close(fds[i]);
    }
    assert_in_range(refused, 1, 3);
    for (int i = 0; i < 500; i++) {
        http_server_count(w.server, &counts);
        if (counts.body_memory == 0)
            break;
        usleep(10 * 1000);
    }
    assert_int_equal(counts.body_memory, 0);
    web_stop(&w);
    buf_free(&body);
    buf_free(&out);
}

/* max_connections and max_per_address act alike from one address. */
static void test_net_http_limits__connections(void **state)
{
    for (int which = 0; which < 2; which++) {
        struct web w;
        struct buf out = BUF_INIT;
        struct http_server_conf conf = http_server_conf_default;
        struct http_server_counts counts;
        int fds[5];

        *(which == 0 ? &conf.max_connections : &conf.max_per_address) = 5;
        web_start(&w, &conf);
        for (size_t i = 0; i < ROWS(fds); i++) {
            fds[i] = raw_connect(w.port);
            raw_send(fds[i], SLICE("GET /hello HTTP/1.1\r\n" H "\r\n"));
            raw_read_until(fds[i], &out, "hello", i + 1);
        }
        buf_clear(&out);
        int over = raw_connect(w.port);
        assert_true(raw_read(over, &out, 5000));
        assert_int_equal(raw_status(&out), 503);
        close(over);
        http_server_count(w.server, &counts);
        assert_int_equal(counts.refused, 1);
        close(fds[0]); /* one gone: one may come */
        bool in = false;
        for (int i = 0; i < 100 && !in; i++) {
            buf_clear(&out);
            over = raw_connect(w.port);
            raw_send(over, SLICE("GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n"));
            raw_read(over, &out, 1000);
            in = raw_status(&out) == 200;
            close(over);
        }
        assert_true(in);
        for (size_t i = 1; i < ROWS(fds); i++)
            close(fds[i]);
        web_stop(&w);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_http_limits__silent),
        cmocka_unit_test(test_net_http_limits__dripping_head),
        cmocka_unit_test(test_net_http_limits__dripping_second_head),
        cmocka_unit_test(test_net_http_limits__slow_body),
        cmocka_unit_test(test_net_http_limits__idle),
        cmocka_unit_test(test_net_http_limits__slow_application),
        cmocka_unit_test(test_net_http_limits__reader_that_stalls),
        cmocka_unit_test(test_net_http_limits__head_size),
        cmocka_unit_test(test_net_http_limits__body_size_while_sending),
        cmocka_unit_test(test_net_http_limits__body_memory),
        cmocka_unit_test(test_net_http_limits__connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

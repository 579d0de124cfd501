#include "net/web.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN "GET /stream HTTP/1.1\r\nHost: h.example\r\n\r\n"

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

static bool send_text(struct http_stream *s, const char *text)
{
    return http_stream_send(s, buf_ref_copy(slice_of(text)));
}

static void test_net_http_stream__sends(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    raw_read_until(fd, &out, "\r\n\r\n", 1);
    assert_int_equal(raw_status(&out), 200);
    assert_int_equal(count_of(buf_slice(&out), "Content-Type: text/event-stream\r\n"), 1);
    assert_int_equal(count_of(buf_slice(&out), "Content-Length"), 0);
    web_wait(&w->readies, 1); /* nothing queued: the reader may begin */
    web_wait(&w->dones, 1);   /* the request is over */
    for (int i = 0; i < 10; i++) {
        assert_true(send_text(s, "data: x\n\n"));
        raw_read_until(fd, &out, "data: x\n\n", (size_t)i + 1);
    }
    web_wait(&w->readies, 11); /* told each time that all was out */
    send_text(s, "data: last\n\n");
    http_stream_close(s);
    assert_false(send_text(s, "data: late\n\n"));
    assert_true(raw_read(fd, &out, 5000));
    assert_true(
        slice_ends(buf_slice(&out), SLICE("data: last\n\n"))); /* what was queued before the close still goes out */
    web_wait(&w->closeds, 1);
    http_stream_release(s);
    close(fd);
    buf_free(&out);
}

static void test_net_http_stream__client_leaves(void **state)
{
    struct web *w = *state;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    web_wait(&w->readies, 1);
    close(fd);
    web_wait(&w->closeds, 1); /* noticed without a send */
    assert_false(send_text(s, "data: x\n\n"));
    http_stream_close(s);
    http_stream_release(s);
}

/* A reader that stands still is cut off when its queue is full, and not before. */
static void test_net_http_stream__slow_reader(void **state)
{
    struct web *w = *state;
    int fd = raw_connect(w->port), small = 4096;
    struct buf event = BUF_INIT;
    size_t taken = 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    web_wait(&w->readies, 1);
    buf_printf(&event, "data: %01000d\n\n", 0);
    struct buf_ref *shared = buf_ref_take(&event);
    for (int i = 0; i < 100 * 1000 && http_stream_send(s, buf_ref_hold(shared)); i++)
        taken++;
    assert_in_range(taken, 60, 99 * 1000); /* at least the 64 KB of its queue */
    web_wait(&w->closeds, 1);
    assert_false(http_stream_send(s, buf_ref_hold(shared)));
    http_stream_release(s);
    buf_ref_drop(&shared);
    close(fd);
}

/* One that pauses and comes back loses nothing, in order, when the sender waits for `ready`. */
static void test_net_http_stream__resumes(void **state)
{
    struct web *w = *state;
    int fd = raw_connect(w->port), sent = 0;
    struct buf out = BUF_INIT, all = BUF_INIT;

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    web_wait(&w->readies, 1);
    for (int round = 2; round < 5; round++) {
        struct buf event = BUF_INIT;
        for (int i = 0; i < 30 * 1000; i++) /* 9 MB: more than the kernel takes at once */
            buf_printf(&event, "data: %0300d\n\n", sent++);
        buf_put(&all, buf_slice(&event));
        assert_true(http_stream_send(s, buf_ref_take(&event)));
        usleep(100 * 1000);
        assert_int_equal(atomic_load(&w->readies), round - 1); /* still full */
        while (atomic_load(&w->readies) < round)
            raw_read(fd, &out, 10);
    }
    http_stream_close(s);
    assert_true(raw_read(fd, &out, 10000));
    assert_true(slice_ends(buf_slice(&out), buf_slice(&all)));
    web_wait(&w->closeds, 1);
    http_stream_release(s);
    close(fd);
    buf_free(&out);
    buf_free(&all);
}

static void test_net_http_stream__one_large_event(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT, event = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    buf_printf(&event, "data: %01000000d\n\n", 0); /* over the queue, alone in it */
    assert_true(http_stream_send(s, buf_ref_take(&event)));
    raw_read_until(fd, &out, "0\n\n", 1);
    assert_true(out.len > 1000 * 1000);
    http_stream_close(s);
    web_wait(&w->closeds, 1);
    http_stream_release(s);
    close(fd);
    buf_free(&out);
}

static void test_net_http_stream__head(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE("HEAD /stream HTTP/1.1\r\nHost: h.example\r\n\r\n"));
    struct http_stream *s = web_take_stream(w);
    assert_true(raw_read(fd, &out, 5000));
    assert_int_equal(raw_status(&out), 200);
    web_wait(&w->closeds, 1);
    http_stream_release(s);
    close(fd);
    buf_free(&out);
}

static void test_net_http_stream__stop_closes(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    web_wait(&w->readies, 1);
    http_server_stop(&w->server);
    assert_int_equal(atomic_load(&w->closeds), 1);
    assert_false(send_text(s, "data: x\n\n"));
    http_stream_close(s);
    http_stream_release(s);
    assert_true(raw_read(fd, &out, 1000));
    close(fd);
    buf_free(&out);
}

struct sender {
    struct http_stream *stream;
    int n;
};

static void *send_many(void *arg)
{
    struct sender *s = arg;

    for (int i = 0; i < 200; i++)
        s->n += send_text(s->stream, "data: x\n\n");
    return NULL;
}

/* Several senders at once, readers that come and go: nothing is lost while a stream is open. */
static void test_net_http_stream__many_senders(void **state)
{
    struct web *w = *state;
    struct buf out = BUF_INIT;
    int fd = raw_connect(w->port);
    pthread_t threads[4];
    struct sender senders[4];

    raw_send(fd, SLICE(OPEN));
    struct http_stream *s = web_take_stream(w);
    for (size_t i = 0; i < ROWS(threads); i++) {
        senders[i] = (struct sender){s, 0};
        pthread_create(&threads[i], NULL, send_many, &senders[i]);
    }
    int total = 0;
    for (size_t i = 0; i < ROWS(threads); i++) {
        pthread_join(threads[i], NULL);
        total += senders[i].n;
    }
    assert_int_equal(total, 800);
    raw_read_until(fd, &out, "data: x\n\n", 800);
    for (size_t i = 0; i < ROWS(threads); i++) {
        senders[i].n = 0;
        pthread_create(&threads[i], NULL, send_many, &senders[i]);
    }
    close(fd); /* in the middle */
    for (size_t i = 0; i < ROWS(threads); i++)
        pthread_join(threads[i], NULL);
    web_wait(&w->closeds, 1);
    http_stream_release(s);
    buf_free(&out);
}

#define WEB(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEB(test_net_http_stream__sends),           WEB(test_net_http_stream__client_leaves),
        WEB(test_net_http_stream__slow_reader),     WEB(test_net_http_stream__resumes),
        WEB(test_net_http_stream__one_large_event), WEB(test_net_http_stream__head),
        WEB(test_net_http_stream__stop_closes),     WEB(test_net_http_stream__many_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

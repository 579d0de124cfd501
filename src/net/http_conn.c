#include "net/http_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/time.h"

enum {
    STEPS_A_TURN = 64,
    LINGER_US = 2 * 1000 * 1000,
    LINGER_BYTES = 16 * 1024 * 1024, /* more than anybody has under way */
    STREAM_INPUT_MAX = 64 * 1024     /* a subscriber has nothing to say */
};

enum step { STEP_ON, STEP_WAIT, STEP_END };

/* ---- one request after another ---- */

static void enter(struct http_conn *c, enum http_conn_state state, int64_t within_us)
{
    c->state = state;
    c->deadline_us = within_us == INT64_MAX ? INT64_MAX : time_steady_us() + within_us;
}

/* Answers an error and ends the request; what it had not read is why a connection is closed. */
static enum step refuse(struct http_conn *c, const struct err *err, bool keep)
{
    struct http_server *s = c->loop->server;
    struct http_request *r = c->request;
    struct arena a = ARENA_INIT;
    struct buf_ref *head, *body;

    c->request = NULL;
    c->keep = keep && !atomic_load(&s->stopping);
    http_error_answer(r, s, r != NULL ? &r->arena : &a, err, c->keep, &head, &body);
    arena_free(&a);
    if (r != NULL)
        http_request_dispose(r);
    http_conn_put(c, head);
    http_conn_put(c, body);
    enter(c, HTTP_CONN_REPLY, INT64_MAX);
    return STEP_ON;
}

/* The request may come in: the rest of it is the body. */
static enum step admit(struct http_conn *c, struct http_request *r)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct err err = ERR_INIT;

    if (r->head.has_body && r->head.content_length != UINT64_MAX && r->head.content_length > r->max_body) {
        err_set(&err, ERR_TOO_LARGE, "", "the request body is over %llu bytes", (unsigned long long)r->max_body);
        return refuse(c, &err, false);
    }
    c->parse.max_body = r->max_body;
    if (r->expects_continue && r->head.has_body)
        http_conn_put(c, buf_ref_copy(slice_n(go_on, sizeof go_on - 1)));
    enter(c, HTTP_CONN_BODY, c->loop->server->conf.body_us);
    return STEP_ON;
}

static void show_certificate(struct http_conn *c, struct http_request *r)
{
    if (c->peer_certificate == NULL)
        return;
    if (http_conn_peer_is_good(c)) {
        r->peer_certificate = http_peer_hold(c->peer_certificate);
        r->head.certificate = &r->peer_certificate->certificate;
    } else {
        r->head.certificate_refused = arena_copy(&r->arena, slice_of(c->peer_certificate->refused.text));
        r->keep_alive = false; /* the client may have a newer one by now, and shows it when it connects */
    }
}

static enum step begin_request(struct http_conn *c)
{
    struct http_server *s = c->loop->server;
    struct http_request *r = http_request_new(c);
    struct err err = ERR_INIT;

    c->request = r;
    c->fresh = false;
    int parsed = http_parse_head(&c->parse, &r->arena, &r->head_bytes, &r->head, &err);
    if (parsed != 0)
        return refuse(c, &err, false);
    r->is_head = slice_eq(r->head.method, SLICE("HEAD"));
    r->http_1_0 = c->parse.llhttp.http_minor == 0;
    r->keep_alive = c->parse.keep_alive;
    r->expects_continue = c->parse.expects_continue;
    r->max_body = s->conf.max_body;
    r->head.arrived_us = time_now_us();
    show_certificate(c, r);
    atomic_fetch_add(&s->requests, 1);
    enter(c, HTTP_CONN_BUSY, INT64_MAX);
    r->admitted = true; /* before the call: after HTTP_LATER the request may already be elsewhere */
    r->handler = http_server_handler(s, r->head.path);
    switch (r->handler->head(r->handler->arg, r, &r->max_body, &r->user, &err)) {
    case 0:
        return admit(c, r);
    case HTTP_LATER:
        return STEP_WAIT;
    default:
        r->admitted = false;
        return refuse(c, &err, r->keep_alive && !r->head.has_body);
    }
}

static enum step hand_over(struct http_conn *c)
{
    struct http_request *r = c->request;

    r->body = c->parse.body;
    c->parse.body = (struct buf)BUF_INIT;
    enter(c, HTTP_CONN_BUSY, INT64_MAX);
    r->handler->request(r->handler->arg, r);
    return STEP_WAIT;
}

static enum step parse(struct http_conn *c)
{
    struct err err = ERR_INIT;
    bool idle = http_parse_is_idle(&c->parse);

    switch (http_parse_feed(&c->parse, &c->pending, &err)) {
    case HTTP_PARSE_HEAD:
        return begin_request(c);
    case HTTP_PARSE_BODY:
        return hand_over(c);
    case HTTP_PARSE_REFUSED:
        return refuse(c, &err, false);
    case HTTP_PARSE_MORE:
        break;
    }
    if (idle && !c->fresh && c->state == HTTP_CONN_HEAD) /* the first one's clock runs since accept */
        enter(c, HTTP_CONN_HEAD, c->loop->server->conf.head_us);
    if (c->request != NULL && !http_request_count_body(c->request, c->parse.body.cap)) {
        err_set(&err, ERR_BUSY, "", "too many request bodies at once: try again later");
        return refuse(c, &err, false);
    }
    return STEP_ON;
}

/* Between reading and parsing: an end of input in the middle of a request ends it unanswered. */
static enum step step_input(struct http_conn *c)
{
    /* without a body the request is complete already */
    if (c->pending.len != 0 || (c->state == HTTP_CONN_BODY && c->parse.complete))
        return parse(c);
    if (!c->may_read)
        return STEP_WAIT;
    switch (http_conn_read(c, &c->pending)) {
    case HTTP_IO_MOVED:
        return STEP_ON;
    case HTTP_IO_BLOCKED:
        return STEP_WAIT;
    default:
        return STEP_END;
    }
}

static enum step step_replied(struct http_conn *c)
{
    if (c->keep) {
        http_parse_restart(&c->parse);
        enter(c, HTTP_CONN_HEAD, c->loop->server->conf.idle_us);
        return STEP_ON;
    }
    if (c->ssl != NULL && !c->broken) {
        ERR_clear_error();
        SSL_shutdown(c->ssl);
        c->broken = true; /* said goodbye: not again in http_conn_free */
    }
    if (shutdown(c->fd, SHUT_WR) != 0)
        return STEP_END;
    http_parse_free(&c->parse);
    c->pending = slice_n(NULL, 0);
    c->may_read = true;
    enter(c, HTTP_CONN_LINGER, LINGER_US);
    return STEP_ON;
}

static enum step step_linger(struct http_conn *c)
{
    if (!c->may_read)
        return STEP_WAIT;
    ssize_t n = recv(c->fd, c->loop->scratch, HTTP_SCRATCH, 0);
    if (n < 0 && errno == EAGAIN) {
        c->may_read = false;
        return STEP_WAIT;
    }
    c->lingered += n > 0 ? (uint64_t)n : 0;
    return n > 0 && c->lingered < LINGER_BYTES ? STEP_ON : STEP_END;
}

static enum step step_stream(struct http_conn *c)
{
    struct http_stream *s = c->stream;
    struct slice got;

    if (c->out == NULL && c->stream_closing) {
        c->keep = false;
        http_stream_detach(s);
        enter(c, HTTP_CONN_REPLY, INT64_MAX);
        return STEP_ON;
    }
    if (c->out == NULL && !c->stream_ready) {
        c->stream_ready = true;
        if (s->events.ready != NULL)
            s->events.ready(s->events.arg, s);
    }
    if (!c->may_read)
        return STEP_WAIT;
    switch (http_conn_read(c, &got)) {
    case HTTP_IO_MOVED:
        c->lingered += got.len;
        return c->lingered < STREAM_INPUT_MAX ? STEP_ON : STEP_END;
    case HTTP_IO_BLOCKED:
        return STEP_WAIT;
    default:
        return STEP_END;
    }
}

static enum step step_handshake(struct http_conn *c)
{
    ERR_clear_error();
    int result = SSL_accept(c->ssl);
    if (result == 1) {
        c->state = HTTP_CONN_HEAD; /* the deadline for the head runs since accept */
        c->peer_certificate = http_peer_of(c->ssl);
        c->may_read = true;
        http_conn_want_write(c, false);
        return STEP_ON;
    }
    return http_conn_tls_result(c, result) == HTTP_IO_BLOCKED ? STEP_WAIT : STEP_END;
}

static enum step step(struct http_conn *c)
{
    if (c->state == HTTP_CONN_HANDSHAKE)
        return step_handshake(c);
    enum http_io io = http_conn_flush(c);
    if (io == HTTP_IO_GONE)
        return STEP_END;
    if (io == HTTP_IO_BLOCKED && c->state != HTTP_CONN_STREAM)
        return STEP_WAIT;
    switch (c->state) {
    case HTTP_CONN_HEAD:
    case HTTP_CONN_BODY:
        return step_input(c);
    case HTTP_CONN_REPLY:
        return step_replied(c);
    case HTTP_CONN_STREAM:
        return step_stream(c);
    case HTTP_CONN_LINGER:
        return step_linger(c);
    default:
        return STEP_WAIT;
    }
}

/* What was read and not parsed leaves the loop's scratch. */
static void save_pending(struct http_conn *c)
{
    if (c->pending.len == 0) {
        buf_free(&c->saved);
        return;
    }
    if (c->saved.ptr != NULL && c->pending.ptr >= c->saved.ptr && c->pending.ptr < c->saved.ptr + c->saved.len)
        return;
    buf_clear(&c->saved);
    buf_put(&c->saved, c->pending);
    c->pending = buf_slice(&c->saved);
}

void http_conn_run(struct http_conn *c)
{
    enum step s = STEP_ON;

    for (int i = 0; i < STEPS_A_TURN && s == STEP_ON; i++)
        s = step(c);
    if (s == STEP_END) {
        http_conn_free(c);
        return;
    }
    save_pending(c);
    /* While a request is out the read event stays until it fires: most answers are quicker than the next request. */
    bool reading = c->state != HTTP_CONN_BUSY && c->state != HTTP_CONN_REPLY;
    if (reading || c->may_read)
        http_conn_want_read(c, reading);
    if (s == STEP_ON)
        http_loop_again(c->loop, c);
}

/* ---- from the mailbox ---- */

void http_conn_answer(struct http_conn *c, struct http_request *r)
{
    struct buf_ref *head = r->answer_head, *body = r->answer_body;

    assert(c->request == r && c->state == HTTP_CONN_BUSY);
    c->request = NULL;
    c->keep = r->keep_alive;
    r->answer_head = r->answer_body = NULL;
    http_request_dispose(r);
    http_conn_put(c, head);
    http_conn_put(c, body);
    enter(c, HTTP_CONN_REPLY, INT64_MAX);
    http_conn_run(c);
}

void http_conn_admit(struct http_conn *c, struct http_request *r)
{
    assert(c->request == r && c->state == HTTP_CONN_BUSY);
    if (r->later_refused)
        refuse(c, &r->later_err, r->keep_alive && !r->head.has_body);
    else
        admit(c, r);
    http_conn_run(c);
}

void http_conn_stream(struct http_conn *c, struct http_request *r)
{
    struct http_stream *s = r->stream;
    struct buf_ref *head = r->answer_head;

    assert(c->request == r && c->state == HTTP_CONN_BUSY);
    c->request = NULL;
    r->answer_head = NULL;
    bool is_head = r->is_head;
    http_request_dispose(r);
    buf_free(&c->saved);
    c->pending = slice_n(NULL, 0);
    enter(c, HTTP_CONN_STREAM, INT64_MAX);
    http_stream_attach(s, c);
    c->uncounted = buf_ref_slice(head).len;
    http_conn_put(c, head);
    if (is_head) {
        c->keep = false;
        http_stream_detach(s);
        enter(c, HTTP_CONN_REPLY, INT64_MAX);
    }
    http_conn_run(c);
}

/* ---- birth, deadlines, death ---- */

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;
    struct http_loop *l = c->loop;

    (void)fd;
    if (what & EV_READ)
        c->may_read = true;
    http_conn_run(c);
    http_loop_work(l);
}

void http_conn_new(struct http_loop *l, int fd, const struct http_address *address, const char *peer)
{
    struct http_server *s = l->server;
    struct http_conn *c = mem_zero(1, sizeof *c);

    c->loop = l;
    c->fd = fd;
    c->address = *address;
    memcpy(c->peer, peer, sizeof c->peer);
    c->out_end = &c->out;
    c->write_deadline_us = INT64_MAX;
    c->fresh = c->may_read = true;
    http_parse_init(&c->parse, s->conf.max_head, s->conf.max_body);
    event_assign(&c->readable, l->base, fd, EV_READ | EV_PERSIST, on_event, c);
    event_assign(&c->writable, l->base, fd, EV_WRITE | EV_PERSIST, on_event, c);
    c->next = l->conns;
    if (c->next != NULL)
        c->next->prev = c;
    l->conns = c;
    if (!http_server_is_plain(s)) {
        c->tls = http_server_tls(s);
        c->ssl = SSL_new(c->tls->ctx);
        if (c->ssl != NULL && SSL_set_fd(c->ssl, fd) != 1) {
            SSL_free(c->ssl);
            c->ssl = NULL;
        }
    }
    enter(c, c->ssl != NULL ? HTTP_CONN_HANDSHAKE : HTTP_CONN_HEAD, s->conf.head_us);
    if (c->ssl == NULL && !http_server_is_plain(s))
        http_conn_free(c);
    else
        http_conn_run(c);
}

bool http_conn_is_busy(const struct http_conn *c)
{
    switch (c->state) {
    case HTTP_CONN_BODY:
    case HTTP_CONN_BUSY:
    case HTTP_CONN_REPLY:
        return true;
    case HTTP_CONN_HEAD:
        return !http_parse_is_idle(&c->parse) || c->pending.len != 0;
    default:
        return false;
    }
}

void http_conn_expire(struct http_conn *c, int64_t now_us)
{
    struct err err = ERR_INIT;

    if (c->state == HTTP_CONN_STREAM && !http_conn_peer_is_good(c)) {
        http_conn_free(c); /* a stream makes no request at which it could be told */
        return;
    }
    if (now_us < c->deadline_us && now_us < c->write_deadline_us)
        return;
    bool says_so = c->state == HTTP_CONN_BODY || (c->state == HTTP_CONN_HEAD && !http_parse_is_idle(&c->parse));
    if (now_us >= c->write_deadline_us || !says_so) {
        http_conn_free(c);
        return;
    }
    err_set(&err, ERR_TIMEOUT, "",
            c->state == HTTP_CONN_BODY ? "the request body took too long" : "the request head took too long");
    refuse(c, &err, false);
    http_conn_run(c);
}

static void leave_loop(struct http_conn *c)
{
    struct http_loop *l = c->loop;

    http_conn_want_read(c, false);
    http_conn_want_write(c, false);
    for (struct http_conn **at = &l->again; c->in_again && *at != NULL; at = &(*at)->again)
        if (*at == c) {
            *at = c->again;
            break;
        }
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->conns = c->next;
}

void http_conn_free(struct http_conn *c)
{
    struct http_server *s = c->loop->server;

    leave_loop(c);
    if (c->ssl != NULL) {
        ERR_clear_error();
        if (c->state != HTTP_CONN_HANDSHAKE && !c->broken)
            SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    http_tls_drop(&c->tls);
    http_peer_drop(&c->peer_certificate);
    close(c->fd);
    http_addresses_leave(&s->addresses, &c->address);
    atomic_fetch_sub(&s->connections, 1);
    http_conn_drop_output(c);
    http_parse_free(&c->parse);
    buf_free(&c->saved);
    if (c->stream != NULL)
        http_stream_detach(c->stream);
    if (c->request != NULL && c->state == HTTP_CONN_BUSY)
        c->request->conn = NULL; /* it is out: whoever has it answers into nothing */
    else if (c->request != NULL)
        http_request_dispose(c->request);
    free(c);
}

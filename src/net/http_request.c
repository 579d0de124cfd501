#include <assert.h>
#include <stdlib.h>

#include "net/http_internal.h"

/* ---- life ---- */

struct http_request *http_request_new(struct http_conn *c)
{
    struct http_loop *l = c->loop;
    struct http_request *r = mem_zero(1, sizeof *r);

    r->server = http_server_hold(l->server);
    r->handler = &l->server->handler;
    r->loop = l;
    r->conn = c;
    if (l->n_spare != 0)
        r->arena = l->spare[--l->n_spare];
    memcpy(r->peer, c->peer, sizeof r->peer);
    r->head.peer = slice_of(r->peer);
    return r;
}

void http_request_dispose(struct http_request *r)
{
    struct http_server *s = r->server;
    struct http_loop *l = r->loop;

    if (r->admitted && r->handler->done != NULL)
        r->handler->done(r->handler->arg, r->user);
    atomic_fetch_sub(&s->body_memory, r->body_counted);
    http_peer_drop(&r->peer_certificate);
    buf_ref_drop(&r->answer_head);
    buf_ref_drop(&r->answer_body);
    buf_free(&r->head_bytes);
    buf_free(&r->body);
    if (http_loop_is_here(l) && l->n_spare < HTTP_SPARE_ARENAS) {
        arena_reset(&r->arena);
        l->spare[l->n_spare++] = r->arena;
    } else {
        arena_free(&r->arena);
    }
    free(r);
    http_server_drop(s);
}

bool http_request_count_body(struct http_request *r, uint64_t now)
{
    struct http_server *s = r->server;

    if (now <= r->body_counted)
        return true;
    uint64_t more = now - r->body_counted;
    r->body_counted = now;
    return atomic_fetch_add(&s->body_memory, more) + more <= s->conf.max_body_memory;
}

const struct http_head *http_request_head(const struct http_request *r)
{
    return &r->head;
}

struct slice http_request_body(const struct http_request *r)
{
    return buf_slice(&r->body);
}

struct arena *http_request_arena(struct http_request *r)
{
    return &r->arena;
}

void *http_request_user(const struct http_request *r)
{
    return r->user;
}

/* ---- the head of an answer ---- */

/* A value may hold what a peer once said: it must not begin a header of its own. */
static void put_safe(struct buf *out, struct slice text)
{
    size_t at = out->len;

    buf_put(out, text);
    for (; at < out->len; at++)
        if ((unsigned char)out->ptr[at] < 0x20 || out->ptr[at] == 0x7f)
            out->ptr[at] = ' ';
}

static void put_header(struct buf *out, struct slice name, struct slice value)
{
    put_safe(out, name);
    buf_put(out, SLICE(": "));
    put_safe(out, value);
    buf_put(out, SLICE("\r\n"));
}

struct buf_ref *http_answer_head(const struct http_answer *answer, bool keep, bool http_1_0, int64_t length)
{
    struct buf out = BUF_INIT;

    buf_reserve(&out, 256);
    buf_put(&out, SLICE("HTTP/1.1 "));
    buf_put_u64(&out, (uint64_t)answer->status);
    buf_put_byte(&out, ' ');
    buf_put(&out, slice_of(http_reason(answer->status)));
    buf_put(&out, SLICE("\r\n"));
    if (answer->media_type.len != 0)
        put_header(&out, SLICE("Content-Type"), answer->media_type);
    for (size_t i = 0; i < answer->n_headers; i++)
        put_header(&out, answer->headers[i].name, answer->headers[i].value);
    if (length != HTTP_NO_LENGTH && answer->status != 204 && answer->status != 304) {
        buf_put(&out, SLICE("Content-Length: "));
        buf_put_u64(&out, (uint64_t)length);
        buf_put(&out, SLICE("\r\n"));
    }
    if (!keep)
        buf_put(&out, SLICE("Connection: close\r\n"));
    else if (http_1_0)
        buf_put(&out, SLICE("Connection: keep-alive\r\n"));
    buf_put(&out, SLICE("\r\n"));
    return buf_ref_take(&out);
}

/* ---- answering, from any thread ---- */

static void post_once(struct http_request *r, int kind)
{
    bool before = atomic_exchange(&r->answered, true);

    assert(!before); /* a request is answered once */
    r->mail.kind = kind;
    http_loop_post(r->loop, &r->mail);
}

static void set_answer(struct http_request *r, struct buf_ref *head, struct buf_ref *body, int status)
{
    r->answer_head = head;
    r->answer_body = body;
    if (r->is_head || status == 204 || status == 304)
        buf_ref_drop(&r->answer_body);
}

void http_reply(struct http_request *r, const struct http_answer *answer)
{
    struct buf_ref *head =
        http_answer_head(answer, r->keep_alive, r->http_1_0, (int64_t)buf_ref_slice(answer->body).len);

    set_answer(r, head, answer->body, answer->status);
    post_once(r, HTTP_MAIL_REPLY);
}

static int error_status(const struct err *err)
{
    int status = err_http(err->code);

    return status >= 400 ? status : 500;
}

static void error_body(const struct http_handler *h, const struct err *err, int status, struct buf *body,
                       struct slice *media_type)
{
    if (h->error_body != NULL) {
        h->error_body(h->arg, err, status, body, media_type);
        return;
    }
    *media_type = SLICE("text/plain; charset=utf-8");
    buf_printf(body, "%s\n", err->text);
}

/* The handler's own headers for an error, then those given. */
static struct http_answer error_answer(const struct http_handler *h, struct arena *a, const struct http_head *head,
                                       const struct err *err, const struct http_header *more, size_t n_more)
{
    struct http_header *all = arena_alloc(a, (HTTP_ERROR_HEADERS + n_more) * sizeof *all);
    struct http_answer answer = {.status = error_status(err), .headers = all};
    struct buf body = BUF_INIT;

    error_body(h, err, answer.status, &body, &answer.media_type);
    if (h->error_headers != NULL)
        answer.n_headers = h->error_headers(h->arg, a, head, err, answer.status, all);
    assert(answer.n_headers <= HTTP_ERROR_HEADERS);
    for (size_t i = 0; i < n_more; i++)
        all[answer.n_headers++] = more[i];
    answer.body = buf_ref_take(&body);
    return answer;
}

void http_error_answer(struct http_request *r, struct http_server *server, struct arena *a, const struct err *err,
                       bool keep, struct buf_ref **head_out, struct buf_ref **body_out)
{
    bool parsed = r != NULL && r->head.method.len != 0;
    struct http_answer answer =
        error_answer(r != NULL ? r->handler : &server->handler, a, parsed ? &r->head : NULL, err, NULL, 0);

    *head_out = http_answer_head(&answer, keep, parsed && r->http_1_0, (int64_t)buf_ref_slice(answer.body).len);
    *body_out = answer.body;
    if (parsed && r->is_head)
        buf_ref_drop(body_out);
}

void http_reply_error(struct http_request *r, const struct err *err, const struct http_header *headers,
                      size_t n_headers)
{
    struct http_answer answer = error_answer(r->handler, &r->arena, &r->head, err, headers, n_headers);

    http_reply(r, &answer);
}

void http_admit(struct http_request *r, uint64_t max_body, void *user, const struct err *refused)
{
    r->user = user;
    if (max_body != 0)
        r->max_body = max_body;
    r->later_refused = refused != NULL;
    if (refused != NULL)
        r->later_err = *refused;
    r->mail.kind = HTTP_MAIL_ADMIT;
    http_loop_post(r->loop, &r->mail);
}

struct http_stream *http_stream_open(struct http_request *r, struct slice media_type, size_t queue_max,
                                     const struct http_stream_events *events)
{
    static const struct http_header headers[] = {{SLICE_INIT("Cache-Control"), SLICE_INIT("no-store")}};
    struct http_answer answer = {200, media_type, headers, 1, NULL};
    struct http_stream *s = http_stream_new(r->loop, queue_max, events);

    r->stream = s;
    if (events->into != NULL)
        *events->into = s;
    set_answer(r, http_answer_head(&answer, false, r->http_1_0, HTTP_NO_LENGTH), NULL, 200);
    post_once(r, HTTP_MAIL_OPEN);
    return s;
}

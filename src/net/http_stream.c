#include <assert.h>
#include <stdlib.h>

#include "net/http_internal.h"

struct http_stream *http_stream_new(struct http_loop *l, size_t queue_max, const struct http_stream_events *events)
{
    struct http_stream *s = mem_zero(1, sizeof *s);

    s->mail.kind = HTTP_MAIL_STREAM;
    atomic_init(&s->owners, 2); /* the application until it releases, the loop until closed was called */
    s->server = http_server_hold(l->server);
    s->loop = l;
    s->events = *events;
    s->pending_end = &s->pending;
    s->queue_max = queue_max;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void pieces_free(struct http_piece *p)
{
    while (p != NULL) {
        struct http_piece *next = p->next;
        buf_ref_drop(&p->bytes);
        free(p);
        p = next;
    }
}

static void stream_drop(struct http_stream *s)
{
    struct http_server *server = s->server;

    if (atomic_fetch_sub(&s->owners, 1) != 1)
        return;
    pieces_free(s->pending);
    pthread_mutex_destroy(&s->lock);
    free(s);
    http_server_drop(server);
}

void http_stream_letter_drop(struct http_stream *s)
{
    stream_drop(s);
}

/* ---- any thread ---- */

/* Under the lock: does a letter have to be posted? At most one is in the mailbox. */
static bool letter_due(struct http_stream *s)
{
    if (s->posted)
        return false;
    s->posted = true;
    atomic_fetch_add(&s->owners, 1);
    return true;
}

bool http_stream_send(struct http_stream *s, struct buf_ref *bytes)
{
    size_t len = buf_ref_slice(bytes).len;
    bool post = false, took = false;

    pthread_mutex_lock(&s->lock);
    if (!s->ended && !s->closing && !s->overflown) {
        size_t queued = atomic_load(&s->queued);
        took = queued == 0 || queued + len <= s->queue_max;
        s->overflown = !took;
        post = letter_due(s);
    }
    if (took) {
        struct http_piece *p = mem_alloc(sizeof *p);
        *p = (struct http_piece){NULL, bytes};
        *s->pending_end = p;
        s->pending_end = &p->next;
        atomic_fetch_add(&s->queued, len);
    }
    pthread_mutex_unlock(&s->lock);
    if (!took)
        buf_ref_drop(&bytes);
    if (post)
        http_loop_post(s->loop, &s->mail);
    return took;
}

void http_stream_close(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool post = !s->closing && !s->ended && letter_due(s);
    s->closing = true;
    pthread_mutex_unlock(&s->lock);
    if (post)
        http_loop_post(s->loop, &s->mail);
}

void http_stream_release(struct http_stream *s)
{
    stream_drop(s);
}

/* ---- on the loop ---- */

void http_stream_attach(struct http_stream *s, struct http_conn *c)
{
    s->conn = c;
    if (c != NULL)
        c->stream = s;
    else
        http_stream_detach(s);
}

void http_stream_detach(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    struct http_piece *unsent = s->pending;
    s->pending = NULL;
    s->pending_end = &s->pending;
    pthread_mutex_unlock(&s->lock);
    pieces_free(unsent);
    if (s->conn != NULL)
        s->conn->stream = NULL;
    s->conn = NULL;
    if (s->events.closed != NULL)
        s->events.closed(s->events.arg);
    stream_drop(s);
}

void http_stream_sent(struct http_stream *s, size_t n)
{
    atomic_fetch_sub(&s->queued, n);
}

void http_stream_mail(struct http_stream *s)
{
    pthread_mutex_lock(&s->lock);
    struct http_piece *p = s->pending;
    s->pending = NULL;
    s->pending_end = &s->pending;
    s->posted = false;
    bool closing = s->closing, overflown = s->overflown;
    pthread_mutex_unlock(&s->lock);

    struct http_conn *c = s->conn;
    if (c == NULL) {
        pieces_free(p);
    } else if (overflown) {
        pieces_free(p);
        http_conn_free(c);
    } else {
        c->stream_closing = closing;
        c->stream_ready = c->stream_ready && p == NULL;
        while (p != NULL) {
            struct http_piece *next = p->next;
            http_conn_put(c, p->bytes);
            free(p);
            p = next;
        }
        http_conn_run(c);
    }
    stream_drop(s);
}

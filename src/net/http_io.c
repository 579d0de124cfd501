#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/time.h"
#include "net/http_internal.h"

void http_conn_want_read(struct http_conn *c, bool want)
{
    if (want == c->reads)
        return;
    c->reads = want;
    if (want)
        event_add(&c->readable, NULL);
    else
        event_del(&c->readable);
}

void http_conn_want_write(struct http_conn *c, bool want)
{
    if (want == c->writes)
        return;
    c->writes = want;
    if (want)
        event_add(&c->writable, NULL);
    else
        event_del(&c->writable);
}

/* What OpenSSL waits for may be the other direction than the one that was asked for. */
enum http_io http_conn_tls_result(struct http_conn *c, int result)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        c->may_read = false;
        http_conn_want_read(c, true);
        return HTTP_IO_BLOCKED;
    case SSL_ERROR_WANT_WRITE:
        http_conn_want_write(c, true);
        return HTTP_IO_BLOCKED;
    case SSL_ERROR_ZERO_RETURN:
        return HTTP_IO_GONE;
    default:
        c->broken = true;
        return HTTP_IO_GONE;
    }
}

enum http_io http_conn_read(struct http_conn *c, struct slice *got_out)
{
    char *to = c->loop->scratch;
    size_t n;

    if (c->ssl == NULL) {
        ssize_t got = recv(c->fd, to, HTTP_SCRATCH, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            c->may_read = errno == EINTR;
            return HTTP_IO_BLOCKED;
        }
        if (got <= 0)
            return HTTP_IO_GONE;
        c->may_read = (size_t)got == HTTP_SCRATCH;
        *got_out = slice_n(to, (size_t)got);
        return HTTP_IO_MOVED;
    }
    ERR_clear_error();
    int result = SSL_read_ex(c->ssl, to, HTTP_SCRATCH, &n);
    if (result != 1)
        return http_conn_tls_result(c, result);
    c->may_read = n == HTTP_TLS_RECORD || SSL_has_pending(c->ssl); /* else the socket speaks up when there is more */
    *got_out = slice_n(to, n);
    return HTTP_IO_MOVED;
}

static enum http_io conn_write(struct http_conn *c, struct slice bytes, size_t *sent_out)
{
    if (c->ssl == NULL) {
        ssize_t n = send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            http_conn_want_write(c, true);
            return HTTP_IO_BLOCKED;
        }
        *sent_out = n > 0 ? (size_t)n : 0;
        return n > 0 ? HTTP_IO_MOVED : HTTP_IO_GONE;
    }
    ERR_clear_error();
    int result = SSL_write_ex(c->ssl, bytes.ptr, bytes.len, sent_out);
    return result == 1 ? HTTP_IO_MOVED : http_conn_tls_result(c, result);
}

void http_conn_put(struct http_conn *c, struct buf_ref *bytes)
{
    if (buf_ref_slice(bytes).len == 0) {
        buf_ref_drop(&bytes);
        return;
    }
    struct http_piece *p = mem_alloc(sizeof *p);
    *p = (struct http_piece){NULL, bytes};
    if (c->out == NULL)
        c->write_deadline_us = time_steady_us() + c->loop->server->conf.write_us;
    *c->out_end = p;
    c->out_end = &p->next;
}

/* The next bytes to send, without a copy where the first piece fills a record. Small pieces (a head and a short body,
   several events) are gathered, to be one record and one packet. After a blocked write the same bytes must come again
   in front, as OpenSSL asks: they do, since pieces are only ever added behind. */
static struct slice next_bytes(struct http_conn *c)
{
    struct slice first = slice_from(buf_ref_slice(c->out->bytes), c->out_at);

    if (first.len >= HTTP_TLS_RECORD || c->out->next == NULL)
        return c->ssl != NULL ? slice_to(first, HTTP_TLS_RECORD) : slice_to(first, HTTP_TURN);
    size_t len = 0, at = c->out_at;
    for (struct http_piece *p = c->out; p != NULL && len < HTTP_TLS_RECORD; p = p->next, at = 0) {
        struct slice part = slice_to(slice_from(buf_ref_slice(p->bytes), at), HTTP_TLS_RECORD - len);
        memcpy(c->loop->gather + len, part.ptr, part.len);
        len += part.len;
    }
    return slice_n(c->loop->gather, len);
}

static void pop_piece(struct http_conn *c)
{
    struct http_piece *p = c->out;

    c->out = p->next;
    if (c->out == NULL)
        c->out_end = &c->out;
    c->out_at = 0;
    buf_ref_drop(&p->bytes);
    free(p);
}

static void count_sent(struct http_conn *c, size_t n)
{
    size_t own = n < c->uncounted ? n : c->uncounted; /* the head is not of the subscriber's queue */

    c->uncounted -= own;
    if (c->stream != NULL)
        http_stream_sent(c->stream, n - own);
    while (n != 0) {
        size_t left = buf_ref_slice(c->out->bytes).len - c->out_at;
        if (n < left) {
            c->out_at += n;
            return;
        }
        n -= left;
        pop_piece(c);
    }
}

enum http_io http_conn_flush(struct http_conn *c)
{
    size_t turn = 0, n;

    if (c->out == NULL)
        return HTTP_IO_MOVED;
    while (c->out != NULL && turn < HTTP_TURN) {
        enum http_io io = conn_write(c, next_bytes(c), &n);
        if (io != HTTP_IO_MOVED) {
            if (turn != 0)
                c->write_deadline_us = time_steady_us() + c->loop->server->conf.write_us;
            return io;
        }
        count_sent(c, n);
        turn += n;
    }
    bool all = c->out == NULL;
    c->write_deadline_us = all ? INT64_MAX : time_steady_us() + c->loop->server->conf.write_us;
    http_conn_want_write(c, !all);
    return all ? HTTP_IO_MOVED : HTTP_IO_BLOCKED;
}

void http_conn_drop_output(struct http_conn *c)
{
    while (c->out != NULL)
        pop_piece(c);
}

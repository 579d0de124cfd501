#include "peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

void peer_die(const char *what, struct slice more)
{
    fprintf(stderr, "load: %s " SLICE_FMT "\n", what, SLICE_ARG(slice_to(more, more.len < 400 ? more.len : 400)));
    exit(1);
}

static SSL_CTX *context(void)
{
    static SSL_CTX *tls;

    if (tls == NULL) {
        tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    }
    return tls;
}

void peer_open(struct peer *p, uint16_t port, struct slice authorization)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int one = 1;

    memset(p, 0, offsetof(struct peer, head));
    p->authorization = authorization;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof to) != 0)
        peer_die("cannot connect", SLICE(""));
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    p->ssl = SSL_new(context());
    SSL_set_fd(p->ssl, p->fd);
    if (SSL_connect(p->ssl) != 1)
        peer_die("no TLS", SLICE(""));
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
}

void peer_close(struct peer *p)
{
    SSL_free(p->ssl);
    close(p->fd);
    buf_free(&p->out);
}

void peer_watch(struct peer *p, int epoll)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p};

    epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &ev);
}

static void begin(struct peer *p)
{
    p->sent = p->head_len = p->body_len = 0;
    p->left = -1;
    p->status = 0;
    p->asked_us = time_steady_us();
    peer_write(p);
}

void peer_get(struct peer *p, struct slice path, const char *accept)
{
    buf_clear(&p->out);
    buf_printf(&p->out,
               "GET " SLICE_FMT " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: %s\r\nAuthorization: " SLICE_FMT "\r\n\r\n",
               SLICE_ARG(path), accept, SLICE_ARG(p->authorization));
    begin(p);
}

void peer_post(struct peer *p, struct slice path, struct slice body)
{
    buf_clear(&p->out);
    buf_printf(&p->out,
               "POST " SLICE_FMT " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/taxii+json;version=2.1\r\n"
               "Content-Type: application/taxii+json;version=2.1\r\nAuthorization: " SLICE_FMT
               "\r\nContent-Length: %zu\r\n\r\n",
               SLICE_ARG(path), SLICE_ARG(p->authorization), body.len);
    buf_put(&p->out, body);
    begin(p);
}

void peer_write(struct peer *p)
{
    while (p->sent < p->out.len) {
        int n = SSL_write(p->ssl, p->out.ptr + p->sent, (int)(p->out.len - p->sent));
        if (n > 0) {
            p->sent += (size_t)n;
            continue;
        }
        int why = SSL_get_error(p->ssl, n);
        if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ)
            return;
        peer_die("the server closed while a request went out", SLICE(""));
    }
}

size_t peer_read(struct peer *p, char scratch[PEER_SCRATCH])
{
    int n = SSL_read(p->ssl, scratch, PEER_SCRATCH);

    if (n > 0)
        return (size_t)n;
    int why = SSL_get_error(p->ssl, n);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        peer_die("the server closed", slice_n(p->head, p->head_len));
    return 0;
}

/* The head is complete, with `before` bytes of the body behind it. */
static void read_head(struct peer *p, size_t head_len)
{
    struct slice rest = slice_n(p->head, head_len), line;
    uint64_t number;

    slice_cut(&rest, '\n', &line);
    if (line.len < 12 || !slice_u64(slice_n(line.ptr + 9, 3), &number))
        peer_die("no HTTP answer:", slice_n(p->head, head_len));
    p->status = (int)number;
    p->left = 0;
    while (slice_cut(&rest, '\n', &line)) {
        struct slice value = line, name;
        if (slice_cut(&value, ':', &name) && slice_eq_nocase(name, SLICE("Content-Length")) &&
            slice_u64(slice_trim(value), &number))
            p->left = (int64_t)number;
    }
    p->body_len = (size_t)p->left;
}

bool peer_take(struct peer *p, const char *bytes, size_t n)
{
    size_t kept = n < PEER_HEAD - p->head_len ? n : PEER_HEAD - p->head_len;

    memcpy(p->head + p->head_len, bytes, kept);
    p->head_len += kept;
    if (p->left >= 0) {
        p->left -= (int64_t)n;
    } else {
        const char *end = memmem(p->head, p->head_len, "\r\n\r\n", 4);
        if (end == NULL && p->head_len == PEER_HEAD)
            peer_die("the head is too long", SLICE(""));
        if (end == NULL)
            return false;
        size_t head_len = (size_t)(end + 4 - p->head), before = p->head_len - kept;
        read_head(p, head_len);
        p->left -= (int64_t)(before + n - head_len);
    }
    return p->left <= 0;
}

bool peer_answered(struct peer *p, char scratch[PEER_SCRATCH])
{
    bool complete = false;
    size_t n;

    peer_write(p);
    while (!complete && (n = peer_read(p, scratch)) != 0)
        complete = peer_take(p, scratch, n);
    return complete;
}

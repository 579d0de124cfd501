/* tests/net/web.h: a server on loopback with a handler that acts by path, and raw clients for it. */
#ifndef TESTS_NET_WEB_H
#define TESTS_NET_WEB_H

#include <pthread.h>
#include <stdatomic.h>

#include "test.h"

#include "net/http_client.h"
#include "net/http_server.h"

/* The handler, by path:
   /hello   "hello"                       /big      5 MB              /echo    the body back
   /thread  answered by another thread    /hold     kept in `held`    /never-body  refused 403 in head
   /small   bodies up to 100 bytes        /sign-in  admitted by another thread after 20 ms; /sign-out refused so (401)
   /certificate  the client's: its subject, why it is refused, or none
   /head    what head says about the request, as text                 /stream  a stream, kept in `stream` */
struct web {
    struct http_server_conf conf;
    struct http_server *server;
    uint16_t port;
    atomic_int heads, requests, dones, readies, closeds;
    size_t queue_max; /* of /stream */
    pthread_mutex_t lock;
    struct http_request *held;
    struct http_stream *stream;
};

void web_start(struct web *w, const struct http_server_conf *conf); /* conf NULL: the defaults */
void web_stop(struct web *w);
struct http_request *web_take_held(struct web *w); /* waits for it */
struct http_stream *web_take_stream(struct web *w);
void web_wait(atomic_int *value, int wanted); /* up to 5 s, else fails */

/* ---- raw client ---- */

int raw_connect(uint16_t port);
void raw_send(int fd, struct slice bytes); /* all of it, unless the peer closed */
/* Reads until the peer closes or `ms` pass; what came is in `out`. true: closed. */
bool raw_read(int fd, struct buf *out, int ms);
extern bool raw_was_reset; /* since the last raw_connect something ended with a reset, not with an orderly close */
/* Reads until `out` holds `text` n times. */
void raw_read_until(int fd, struct buf *out, const char *text, size_t n);
int raw_status(const struct buf *answer); /* 0: not an answer */
size_t count_of(struct slice text, const char *what);

/* ---- certificates in a directory of their own ---- */

struct certs {
    char dir[64];
    char ca[96], cert[96], key[96];
    uint8_t pin[32];
};
/* An authority and a certificate for `host`, valid from now + from_s to now + until_s. */
void certs_make(struct certs *c, const char *host, int64_t from_s, int64_t until_s);
void certs_remove(struct certs *c);

#endif

/* net/http_client.h: the client side, over libcurl. Blocking; one handle a thread. TLS 1.2 or better; the peer is
   checked against the given authority or pin and never trusted on first use. Error sentences tell what a person can
   change (wrong authority, expired, refused, name). */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http_client;

struct http_client_conf {
    struct slice url;     /* base: "https://127.0.0.1:6443" */
    struct slice ca_file; /* path of a PEM file, or PEM text itself; empty: the system's */
    struct slice
        pin; /* hex SHA-256 of the peer's public key (SPKI); empty: no pin. Without ca_file the pin alone decides */
    struct slice user, password; /* Basic; empty: none */
    struct slice header;         /* "Name: value", sent with every request; empty: none */
    /* A client certificate and its key: paths of PEM files, read again for every connection, so that a renewed one
       needs no restart; or PEM text. Both or none. */
    struct slice cert, key;
    int64_t connect_us, total_us; /* 5 s, 60 s */
    /* The peer is one particular machine (a partner hub): its own authority or key must be named, and anything that
       some authority of the system's vouches for is not it. https, or http on loopback. */
    bool known_peer;
};
int http_client_check(const struct http_client_conf *conf,
                      struct err *err); /* what open would refuse: ERR_CONF_VALUE */

struct http_result {
    int status;
    struct buf body;
    struct buf headers; /* raw lines "Name: value\r\n" of the final answer */
};

int http_client_open(const struct http_client_conf *conf, struct http_client **client_out,
                     struct err *err); /* copies conf */
void http_client_close(struct http_client **client);
/* 0 with any HTTP status; -1 when no answer came (ERR_CONNECT, ERR_TLS, ERR_TIMEOUT). `path` begins with '/'.
   headers: "Name: value" lines. result is filled anew; free with http_result_free. */
int http_client_send(struct http_client *c, const char *method, struct slice path, const struct slice *headers,
                     size_t n_headers, struct slice body, size_t max_body, struct http_result *result_out,
                     struct err *err);
struct slice http_result_header(const struct http_result *r, struct slice name);
void http_result_free(struct http_result *r);

/* Server-sent events (WHATWG HTML section 9.2). Calls fn for each event until it returns nonzero, http_client_stop() is
   called from another thread, or the connection ends: the caller decides about reconnecting. Returns 0 when fn or stop
   ended it. `silent_us`: no byte at all for so long (comments count as bytes) ends it with ERR_TIMEOUT. */
struct http_event {
    struct slice id, type, data; /* valid during the call; type "" means "message" */
    int64_t retry_us;            /* how long the server asks to wait before coming back; 0: it has not said */
};
typedef int http_event_fn(void *arg, const struct http_event *event);
int http_client_follow(struct http_client *c, struct slice path, const struct slice *headers, size_t n_headers,
                       int64_t silent_us, http_event_fn *fn, void *arg, struct err *err);
/* Any thread; also ends a send in flight (ERR_UNAVAILABLE). For good: a stopped client can only be closed. */
void http_client_stop(struct http_client *c);

#endif

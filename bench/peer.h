/* bench/peer.h: one kept TLS connection of a load generator, driven by epoll: a request goes out, its answer is
   counted. What goes wrong ends the program: a figure of a broken run is no figure. Loopback only: certificates are not
   looked at. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <openssl/ssl.h>

#include "base/arena.h"
#include "base/buf.h"

enum { PEER_HEAD = 16 * 1024, PEER_SCRATCH = 256 * 1024 };

struct peer {
    int fd;
    SSL *ssl;
    struct slice authorization; /* "Basic ..." */
    struct buf out;             /* the request under way */
    size_t sent;
    size_t head_len;
    int64_t left; /* bytes of the answer's body that have not come; -1: its head is not complete */
    int status;
    size_t body_len;
    int64_t asked_us;
    char head[PEER_HEAD]; /* the beginning of the answer, body included; the last member: not cleared */
};

void peer_die(const char *what, struct slice more) __attribute__((noreturn));
void peer_open(struct peer *p, uint16_t port, struct slice authorization); /* blocks; then non-blocking */
void peer_close(struct peer *p);
void peer_watch(struct peer *p, int epoll); /* edges of both directions; data.ptr is p */
void peer_get(struct peer *p, struct slice path, const char *accept);
void peer_post(struct peer *p, struct slice path, struct slice body);
void peer_write(struct peer *p);                                /* as much as goes out now */
size_t peer_read(struct peer *p, char scratch[PEER_SCRATCH]);   /* 0: nothing there now */
bool peer_take(struct peer *p, const char *bytes, size_t n);    /* true: the answer is complete */
bool peer_answered(struct peer *p, char scratch[PEER_SCRATCH]); /* writes and reads what it can; true: as above */

#endif

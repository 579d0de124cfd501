/* net/http_internal.h: what the server's files share. Who touches what: a connection belongs to its loop's thread; a
   request belongs to the loop until it is handed over, then to whoever answers it, and comes back through the loop's
   mailbox; a stream's queue has a lock. */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "base/crypto_cert.h"
#include "net/http_parse.h"
#include "net/http_server.h"

enum {
    HTTP_SCRATCH = 64 * 1024,    /* one read */
    HTTP_TLS_RECORD = 16 * 1024, /* one TLS record */
    HTTP_TURN = 256 * 1024,      /* bytes one connection may move before the others have their turn */
    HTTP_SPARE_ARENAS = 32
};

/* ---- mailbox: what other threads have for a loop ---- */

struct http_mail {
    struct http_mail *next;
    enum { HTTP_MAIL_REPLY, HTTP_MAIL_ADMIT, HTTP_MAIL_OPEN, HTTP_MAIL_STREAM } kind;
};

/* ---- connections an address: IPv4, or the /64 of IPv6 (one customer has a /64) ---- */

struct http_address {
    uint8_t bytes[9]; /* family, then 4 or 8 bytes */
};

struct http_address_row;
struct http_addresses {
    pthread_mutex_t lock;
    struct http_address_row **rows;
    size_t n_rows; /* a power of two */
    uint64_t seed;
};

void http_addresses_init(struct http_addresses *t, uint32_t max_connections);
void http_addresses_free(struct http_addresses *t);
bool http_addresses_enter(struct http_addresses *t, const struct http_address *a, uint32_t max); /* false: too many */
void http_addresses_leave(struct http_addresses *t, const struct http_address *a);
void http_address_of(const struct sockaddr_storage *from, struct http_address *out, char peer_out[INET6_ADDRSTRLEN]);

/* ---- what TLS is done with: immutable, counted, swapped whole ---- */

struct http_tls {
    atomic_uint owners;
    SSL_CTX *ctx;
    struct crypto_trust *trust; /* NULL: no client certificates */
    struct slice ocsp;          /* a response to staple until ocsp_until_us; empty: none */
    int64_t cert_until_us, ocsp_until_us;
};

enum http_tls_file { HTTP_TLS_CERT, HTTP_TLS_KEY, HTTP_TLS_CLIENTS, HTTP_TLS_CRL, HTTP_TLS_OCSP, HTTP_TLS_FILES };
struct http_tls_files {
    char *path[HTTP_TLS_FILES];     /* NULL: none */
    uint64_t stamp[HTTP_TLS_FILES]; /* of what was there when last looked at; 0: nothing */
};
int http_tls_make(const struct http_tls_files *files, struct http_tls **tls_out, struct err *err);
struct http_tls *http_tls_hold(struct http_tls *t);
void http_tls_drop(struct http_tls **t);
bool http_tls_look(struct http_tls_files *files); /* takes the stamps; has one changed? */

/* http_peer.c: the certificate that one connection's client has shown; counted, since requests survive connections. */
struct http_peer {
    atomic_uint owners;
    struct arena arena;
    struct http_certificate certificate;
    struct slice der, *chain;
    size_t n_chain;
    unsigned judged_by; /* loop only, like the next: server's tls_generation at the last check */
    struct err refused; /* ERR_NONE: it is good */
};
struct http_peer *http_peer_of(SSL *ssl); /* NULL: it has shown none */
struct http_peer *http_peer_hold(struct http_peer *p);
void http_peer_drop(struct http_peer **p);

/* ---- connection ---- */

enum http_conn_state {
    HTTP_CONN_HANDSHAKE,
    HTTP_CONN_HEAD,
    HTTP_CONN_BODY,
    HTTP_CONN_BUSY,  /* the request is with the application: nothing is read */
    HTTP_CONN_REPLY, /* the answer is going out */
    HTTP_CONN_STREAM,
    HTTP_CONN_LINGER, /* everything sent: what still comes is thrown away, so that no reset destroys the answer */
};

struct http_piece {
    struct http_piece *next;
    struct buf_ref *bytes;
};

struct http_conn {
    struct http_loop *loop;
    struct http_conn *prev, *next, *again;
    struct event readable, writable;
    SSL *ssl;                           /* NULL: plain */
    struct http_tls *tls;               /* what ssl was made of */
    struct http_peer *peer_certificate; /* NULL: none */
    int fd;
    enum http_conn_state state;
    bool may_read, reads, writes,
        in_again;             /* readable as far as known; events added; in the list of those who go on soon */
    bool keep, broken, fresh; /* after the answer; TLS failed; no request yet */
    int64_t deadline_us, write_deadline_us; /* steady clock; INT64_MAX: none */
    struct http_parse parse;
    struct slice pending; /* read and not parsed: in the loop's scratch while running, else in `saved` */
    struct buf saved;
    struct http_piece *out, **out_end;
    size_t out_at, uncounted; /* sent of the first piece; bytes ahead that are not of a stream's queue */
    uint64_t lingered;
    struct http_request *request;
    struct http_stream *stream;
    bool stream_ready, stream_closing; /* told of the current emptiness; nothing more comes */
    struct http_address address;
    char peer[INET6_ADDRSTRLEN];
};

/* http_io.c: bytes of one connection, plain or TLS, never blocking */
enum http_io { HTTP_IO_MOVED, HTTP_IO_BLOCKED, HTTP_IO_GONE };
void http_conn_want_read(struct http_conn *c, bool want);
void http_conn_want_write(struct http_conn *c, bool want);
enum http_io http_conn_tls_result(struct http_conn *c, int result);      /* of SSL_accept and the like */
enum http_io http_conn_read(struct http_conn *c, struct slice *got_out); /* into the loop's scratch */
void http_conn_put(struct http_conn *c, struct buf_ref *bytes);          /* takes the reference over */
enum http_io http_conn_flush(struct http_conn *c);                       /* MOVED: everything is out */
void http_conn_drop_output(struct http_conn *c);

/* Judges the client's certificate anew where the clock or the files have changed. Is it good, or is there none? */
bool http_conn_peer_is_good(struct http_conn *c);

/* http_conn.c */
void http_conn_new(struct http_loop *l, int fd, const struct http_address *address, const char *peer);
void http_conn_free(struct http_conn *c);
void http_conn_run(struct http_conn *c);                            /* goes on until it needs the outside; may free c */
void http_conn_expire(struct http_conn *c, int64_t now_us);         /* a deadline passed? may free c */
bool http_conn_is_busy(const struct http_conn *c);                  /* for stopping: a request is under way */
void http_conn_answer(struct http_conn *c, struct http_request *r); /* r is over after it */
void http_conn_admit(struct http_conn *c, struct http_request *r);  /* after HTTP_LATER */
void http_conn_stream(struct http_conn *c, struct http_request *r); /* r becomes its stream and is over */

/* ---- request ---- */

struct http_request {
    struct http_mail mail; /* first */
    struct http_server *server;
    const struct http_handler *handler; /* whose path it is */
    struct http_loop *loop;
    struct http_conn *conn; /* loop only; NULL: gone */
    struct arena arena;
    struct http_head head;
    struct buf head_bytes, body;
    uint64_t body_counted, max_body;
    void *user;
    char peer[INET6_ADDRSTRLEN];
    struct http_peer *peer_certificate;
    bool admitted, is_head, http_1_0, keep_alive, expects_continue, later_refused;
    struct err later_err;
    struct buf_ref *answer_head, *answer_body;
    struct http_stream *stream;
    atomic_bool answered;
};

struct http_request *http_request_new(struct http_conn *c);
void http_request_dispose(struct http_request *r); /* calls done */
/* The answer to an error: head and body. keep tells what the Connection header says. */
void http_error_answer(struct http_request *r, struct http_server *server, struct arena *a, const struct err *err,
                       bool keep, struct buf_ref **head_out, struct buf_ref **body_out);
bool http_request_count_body(struct http_request *r, uint64_t now); /* false: over max_body_memory */
const char *http_reason(int status);
enum { HTTP_NO_LENGTH = -1 };
struct buf_ref *http_answer_head(const struct http_answer *answer, bool keep, bool http_1_0, int64_t length);

/* ---- stream ---- */

struct http_stream {
    struct http_mail mail; /* first */
    atomic_uint owners;    /* the application, the loop, and one while in a mailbox */
    struct http_server *server;
    struct http_loop *loop;
    struct http_conn *conn; /* loop only */
    struct http_stream_events events;
    pthread_mutex_t lock;
    struct http_piece *pending, **pending_end;
    bool posted, closing, overflown, ended; /* under lock */
    size_t queue_max;
    atomic_size_t queued;
};

struct http_stream *http_stream_new(struct http_loop *l, size_t queue_max, const struct http_stream_events *events);
void http_stream_attach(struct http_stream *s, struct http_conn *c); /* conn NULL: it was gone before */
void http_stream_detach(struct http_stream *s);                      /* calls closed */
void http_stream_mail(struct http_stream *s);                        /* from the mailbox, on the loop */
void http_stream_sent(struct http_stream *s, size_t n);
void http_stream_letter_drop(struct http_stream *s); /* the mailbox's count */

/* ---- loop ---- */

struct http_loop {
    struct http_server *server;
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct event accepting, woken, tick;
    int wake_fd;
    bool accept_on;
    pthread_mutex_t mail_lock;
    struct http_mail *mail, **mail_end; /* under mail_lock */
    bool ended;                         /* under mail_lock: nobody empties the mailbox any more */
    struct http_conn *conns, *again;
    struct arena spare[HTTP_SPARE_ARENAS];
    size_t n_spare;
    int64_t tick_us, stop_at_us; /* stop_at_us 0: not stopping */
    char *scratch, *gather;
};

int http_loop_start(struct http_loop *l, struct http_server *server, struct err *err);
void http_loop_free(struct http_loop *l);
void http_loop_wake(struct http_loop *l);
void http_loop_post(struct http_loop *l, struct http_mail *m); /* any thread */
void http_loop_work(struct http_loop *l); /* empties mailbox and again list: at the end of every callback */
void http_loop_again(struct http_loop *l, struct http_conn *c);
bool http_loop_is_here(const struct http_loop *l); /* on its thread, and it runs */

/* ---- server ---- */

struct http_server {
    atomic_uint owners; /* its owner, every request and every stream */
    struct http_server_conf conf;
    struct http_handler handler;
    struct http_mount mounts[HTTP_MOUNTS_MAX];
    bool plain;
    pthread_mutex_t tls_lock;
    struct http_tls_files files; /* under tls_lock */
    struct http_tls *tls;        /* under tls_lock */
    atomic_uint tls_generation;  /* grows with every reload */
    struct http_addresses addresses;
    atomic_uint connections;
    atomic_ullong accepted, refused, requests, body_memory;
    atomic_bool stopping;
    struct http_loop *loops;
};

static inline bool http_server_is_plain(const struct http_server *s)
{
    return s->plain;
}
const struct http_handler *http_server_handler(const struct http_server *s, struct slice path);
struct http_server *http_server_hold(struct http_server *s);
void http_server_drop(struct http_server *s);
struct http_tls *http_server_tls(struct http_server *s); /* to be dropped; not for a plain server */

#endif

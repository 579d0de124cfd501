/* net/http_server.h: HTTP/1.1 over TLS (or plain, for tests behind a proxy): libevent for loops, OpenSSL for TLS 1.2
   and 1.3, llhttp for parsing; connections are handled here. One loop a core over one inherited listening socket.
   Deadlines for the head, the body and idling; limits on connections, on connections an address, on heads and bodies.
   Admission happens when the head is complete, before a byte of the body is kept.

   Refused here, before anything else sees them (400, connection closed): two Content-Lengths, Content-Length with
   Transfer-Encoding, a Transfer-Encoding other than exactly "chunked", no Host or two, a blank before a colon, folded
   headers, NUL, bare LF.

   Threads: `head` and `closed` run on a loop and must return within a millisecond. `request` runs on a loop too, when
   the body is complete: hand over to a worker. http_reply*, http_stream_* may be called from any thread, once the
   callback has handed the request over. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http_header {
    struct slice name, value;
};

/* A client certificate: the peer proved to hold its key, and it is good now: asked anew for every request, so that a
   revocation or a change of authorities counts from the next request on. Subject and names are what the authority
   vouches for; who that is here is for whoever signs in to say. */
struct http_certificate {
    struct slice subject, issuer; /* RFC 2253: "CN=bank,O=Example" */
    struct slice common_name;     /* empty: none */
    const struct slice *names;    /* subjectAltName: "DNS:sensor.example", "email:a@b.example", "URI:x:y", "IP:..." */
    size_t n_names;
    struct slice serial;     /* hexadecimal, lower case */
    uint8_t fingerprint[32]; /* SHA-256 of the certificate (DER) */
    int64_t until_us;        /* when it ends */
};

struct http_head {                    /* valid until the request is answered */
    struct slice method, path, query; /* path percent-decoded? no: as sent, without the query */
    const struct http_header *headers;
    size_t n_headers;
    struct slice peer;  /* "127.0.0.1" or "2001:db8::1" */
    int64_t arrived_us; /* wall clock, when the head was complete */
    bool has_body;
    uint64_t content_length;                    /* UINT64_MAX when chunked */
    const struct http_certificate *certificate; /* NULL: none was shown, or it is not good */
    struct slice certificate_refused;           /* why the one that was shown is not good; empty otherwise */
};

struct slice http_head_get(const struct http_head *head,
                           struct slice name); /* any case; {NULL,0} when absent; first one */
/* One parameter of a query, percent-decoded into the arena ('+' stays '+'); {NULL,0} when absent. */
struct slice http_query_get(struct arena *a, struct slice query, struct slice name);
bool http_percent_decode(struct arena *a, struct slice in, struct slice *out); /* false: bad escape or NUL */

struct http_request; /* one request in flight; survives its connection: replying to a dead one is a quiet no-op */

enum { HTTP_LATER = 1, HTTP_ERROR_HEADERS = 4 };

struct http_handler {
    void *arg;
    /* The head is complete; runs on a loop. Return 0 to let the body in (up to *max_body_out bytes, preset to the
       server's limit), -1 with err: answered at once with err's status, the body unread, `done` not called, or
       HTTP_LATER: nothing more is read from this connection until http_admit() is called for the request (a password
       check takes 20 ms and belongs to a worker). *user_out is kept for the request and handed to `done`. */
    int (*head)(void *arg, struct http_request *request, uint64_t *max_body_out, void **user_out, struct err *err);
    /* The body is complete. Answer later, exactly once, from any thread. */
    void (*request)(void *arg, struct http_request *request);
    /* Formats an error as this protocol's body. NULL: plain text. */
    void (*error_body)(void *arg, const struct err *err, int status, struct buf *body_out,
                       struct slice *media_type_out);
    /* Headers that an error carries (WWW-Authenticate with 401, Allow with 405, Retry-After). head is NULL when the
       head itself was refused. Texts live in `a` or for ever. NULL: none. Both are called on the loop or by whoever
       calls http_reply_error. */
    size_t (*error_headers)(void *arg, struct arena *a, const struct http_head *head, const struct err *err, int status,
                            struct http_header out[HTTP_ERROR_HEADERS]);
    /* The request is over, answered or not; on the loop, or after http_server_stop() on the thread that answered too
     * late. May be NULL. */
    void (*done)(void *arg, void *user);
};

/* Ends an HTTP_LATER, once, from any thread: refused NULL lets the body in, otherwise it is the answer. `user` replaces
   what head gave. max_body 0: the server's limit. `done` comes after HTTP_LATER in either case. */
void http_admit(struct http_request *r, uint64_t max_body, void *user, const struct err *refused);

const struct http_head *http_request_head(const struct http_request *r);
struct slice http_request_body(const struct http_request *r);
struct arena *http_request_arena(struct http_request *r); /* one thread at a time: whoever holds the request */
void *http_request_user(const struct http_request *r);

struct http_answer {
    int status;
    struct slice media_type;           /* empty: no Content-Type */
    const struct http_header *headers; /* further ones; copied */
    size_t n_headers;
    struct buf_ref *body; /* NULL: none; the reference is taken over */
};
void http_reply(struct http_request *r, const struct http_answer *answer); /* ends r */
void http_reply_error(struct http_request *r, const struct err *err, const struct http_header *headers,
                      size_t n_headers);

/* Server-sent events: the request becomes a stream, ended by the end of the connection. Bytes are queued per subscriber
   up to `queue_max` (a single event over it passes when nothing else is queued); one that does not keep up is closed
   (it comes back with Last-Event-ID). `ready` is called on the loop when everything queued has gone out to the kernel,
   so that a reader pulls the next piece; `closed` once, at the end, on the loop (or as http_server_stop says). Where
   another thread than the loop opens a stream, both may come before http_stream_open() has returned there, and after
   http_server_stop() `closed` comes from within it: use `into` for the handle, and hold no lock that they take. */
struct http_stream;
struct http_stream_events {
    void *arg;
    void (*ready)(void *arg, struct http_stream *s);
    void (*closed)(void *arg);
    struct http_stream **into; /* set to the handle before anything is called; may be NULL */
};
struct http_stream *http_stream_open(struct http_request *r, struct slice media_type, size_t queue_max,
                                     const struct http_stream_events *events); /* ends r; any thread */
bool http_stream_send(struct http_stream *s,
                      struct buf_ref *bytes);    /* takes the reference over; false: closed or over queue_max */
void http_stream_close(struct http_stream *s);   /* the last call for s: after it, only `closed` comes */
void http_stream_release(struct http_stream *s); /* after `closed` came: lets the handle go */

/* Another protocol on the same port: requests whose path is `path`, or goes on with a slash behind it, are this
   handler's from the head to `done`. */
struct http_mount {
    struct slice path; /* "/oauth2" */
    struct http_handler handler;
};
enum { HTTP_MOUNTS_MAX = 8 };

struct http_server_conf {
    int listen_fd; /* inherited, listening, non-blocking */
    uint32_t loops;
    const char *cert_file, *key_file; /* NULL: plain HTTP */
    /* A client certificate may be shown where clients_file (PEM, authorities) is there. One that does not verify does
       not end the handshake: programs show what certificate they have, and one that signs in by password must not be
       turned away for it; a client that relied on it is told why by the answer, where a TLS alert would tell it nothing
       (TLS 1.3 reports it only at the first read). crl_file: PEM, revocation lists; ocsp_file: DER, a response about
       the server's certificate to staple (RFC 6066 section 8) as long as it is valid. Each NULL or absent: none. */
    const char *clients_file, *crl_file, *ocsp_file;
    uint64_t max_head, max_body; /* bytes: 32 KiB, 10 MiB */
    uint32_t max_connections, max_per_address;
    int64_t head_us, body_us,
        idle_us;      /* 10 s from the first byte (or accept) to the complete head; 60 s for the body; 75 s idle */
    int64_t write_us; /* a peer that takes no byte for this long is closed; 30 s */
    uint64_t max_body_memory;        /* all bodies in flight together; over it: 503 */
    const struct http_mount *mounts; /* copied, their texts not; what is on none of them is the server's handler's */
    size_t n_mounts;
};
extern const struct http_server_conf http_server_conf_default;

struct http_server;
int http_server_start(const struct http_server_conf *conf, const struct http_handler *handler,
                      struct http_server **server_out, struct err *err);
/* No new connections; waits up to 2 s for requests in flight; closes all. listen_fd stays the caller's. What is
   answered later is dropped quietly: the handler's arg must live until `done` came for every request. Not on a loop. */
void http_server_stop(struct http_server **server);
/* Reads the files again; when one cannot be used, all stay as they were. Certificate, key and OCSP response are for new
   connections; authorities and revocation lists also for those that are open: a request is judged by what was read
   last, and a stream whose certificate is not good any more is closed within a second. Any thread. */
int http_server_reload(struct http_server *s, struct err *err);
bool http_server_has_changed(struct http_server *s); /* is one of the files another than when last read or asked? */
/* When something ends that the server shows or judges by, and its file; INT64_MAX: never. For warnings. */
struct http_server_ends {
    int64_t cert_us, crl_us, ocsp_us;
};
void http_server_ends(struct http_server *s, struct http_server_ends *out);

struct http_server_counts {
    uint64_t connections, accepted, refused,
        requests;         /* open now; since the start: let in, turned away at the door, heads complete */
    uint64_t body_memory; /* bytes of bodies in flight */
};
void http_server_count(const struct http_server *s, struct http_server_counts *out);

/* Binds without SO_REUSEPORT first, so that a busy port is an error and not a silent share: ERR_PORT_IN_USE says who to
   look for. "127.0.0.1:6443", "[::1]:6443", "127.0.0.1:0" (any free port). *port_out tells which. */
int http_listen(struct slice address, int backlog, int *fd_out, uint16_t *port_out, struct err *err);

#endif

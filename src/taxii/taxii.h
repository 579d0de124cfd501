/* taxii/taxii.h: TAXII 2.1 (OASIS Standard, 10 June 2021) on the wire, both sides. The server parses, checks,
   negotiates and formats; the backend means. Paths: /taxii2/ (discovery), /{root}/, /{root}/status/{id}/,
   /{root}/collections/, .../{id}/, .../{id}/manifest/, .../{id}/objects/,
   .../objects/{object-id}/, .../objects/{object-id}/versions/, and Tocsin's own .../{id}/stream/ (server-sent events)
   and .../{id}/receipts/ (POST), /{root}/markings/ (what the one who asks may see, and why) and /{root}/certificate/
   (enrolment and renewal).
   With and without the last slash, no redirect. Collections are named by id or alias.

   Sign-in comes before the body. Backend calls run on a loop and must return at once; the answer is given later, once,
   from any thread, by taxii_reply_*(). */
#ifndef TAXII_TAXII_H
#define TAXII_TAXII_H

#include "base/conf.h"
#include "base/crypto.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "stix/stix.h"

#define TAXII_MEDIA "application/taxii+json;version=2.1"

struct taxii_who; /* the backend's own: who asks; NULL is nobody (discovery may be read by nobody) */

enum {
    TAXII_FILTER_MAX = 64,
    TAXII_NEXT_FILTERS_MAX = 4096, /* bytes of filters that a next carries; longer ones must be sent again with it */
};
struct taxii_filter { /* match[...] with commas split; n 0: not given */
    struct slice items[TAXII_FILTER_MAX];
    uint32_t n;
};
enum taxii_versions { TAXII_LAST = 1, TAXII_FIRST = 2, TAXII_ALL = 4 }; /* bits; match[version] */
struct taxii_want {
    struct slice root, collection; /* collection: as in the path: id or alias */
    struct slice object_id;        /* of the object endpoints; empty otherwise */
    enum { TAXII_OBJECTS, TAXII_MANIFEST, TAXII_VERSIONS } part;
    bool receipt;           /* a POST of a receipt: whoever may read may send one */
    int64_t added_after_us; /* INT64_MIN: not given */
    struct slice next;      /* the backend's own part of it; empty: not given */
    struct slice filters;   /* the match[...] pairs as sent, or as `next` carried them where none were sent */
    uint32_t limit;         /* 0: not given; the backend caps */
    struct taxii_filter types, ids, spec_versions;
    uint32_t versions;                       /* TAXII_LAST when not given; 0 when only version_times were given */
    int64_t version_times[TAXII_FILTER_MAX]; /* match[version]=2016-01-01T01:01:01.000Z,... as instants */
    uint32_t n_version_times;
};

/* One request in flight; survives its connection. The want and the head live as long. */
struct taxii_reply;
const struct taxii_want *taxii_reply_want(const struct taxii_reply *r);
const struct http_head *taxii_reply_head(const struct taxii_reply *r);
struct arena *taxii_reply_arena(struct taxii_reply *r);
struct slice taxii_reply_body(const struct taxii_reply *r); /* of a POST */

enum taxii_describe {
    TAXII_DISCOVERY,
    TAXII_ROOT,
    TAXII_COLLECTIONS,
    TAXII_COLLECTION,
    TAXII_MARKINGS,
    TAXII_STATUS
}; /* status: object_id is the status id */

struct taxii_answered {
    const struct http_head *head;
    int status;
    const struct err *err;  /* NULL: no error */
    size_t sent;            /* bytes of the body */
    bool is_page, is_empty; /* of objects, manifest or versions; without any */
};

struct taxii_backend {
    /* Who is it? 0 with *who_out; -1 with ERR_UNAUTHENTICATED, ERR_TOO_MANY, ERR_BUSY...; HTTP_LATER: call
       taxii_signed_in() once, from any thread. For a POST also: may it write there (ERR_FORBIDDEN, ERR_NOT_FOUND), so
       that no body is read in vain. */
    int (*sign_in)(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err);
    void (*describe)(void *hub, struct taxii_who *who, enum taxii_describe what, struct taxii_reply *reply);
    void (*page)(void *hub, struct taxii_who *who,
                 struct taxii_reply *reply); /* objects, manifest, versions: want.part */
    void (*add)(void *hub, struct taxii_who *who,
                struct taxii_reply *reply); /* body: envelope or bundle, not parsed yet */
    void (*remove)(void *hub, struct taxii_who *who, struct taxii_reply *reply); /* DELETE of an object */
    /* The stream: last_event_id as sent (empty: from the beginning, or from added_after when given). The backend calls
     * http_stream_open on taxii_reply_stream(). */
    void (*follow)(void *hub, struct taxii_who *who, struct slice last_event_id, struct taxii_reply *reply);
    void (*sign_out)(void *hub, struct taxii_who **who);    /* once for every who given out */
    uint64_t (*max_body)(void *hub, struct taxii_who *who); /* max_content_length of this API root */
    void (*confirm)(void *hub, struct taxii_who *who,
                    struct taxii_reply *reply); /* body: a receipt, at most TAXII_RECEIPT_MAX bytes, not parsed yet */
    /* Each answer, refusals at the head included, just before it goes: any thread; must return at once. who NULL:
       nobody was signed in. May be NULL. */
    void (*answered)(void *hub, struct taxii_who *who, const struct taxii_answered *answer);
    /* POST to /{root}/certificate/, Tocsin's own: {"csr"} of who is signed in, or {"csr","code"} of nobody. NULL: there
       is no such path. */
    void (*certify)(void *hub, struct taxii_who *who, struct taxii_reply *reply);
};
void taxii_signed_in(struct taxii_reply *reply, struct taxii_who *who, const struct err *refused);

struct taxii_server;
/* Gives the handler to start an http_server with. Paths that are not TAXII's are answered 404. The server outlives its
   requests: taxii_server_free() after http_server_stop(), even while a request is still out. */
struct taxii_server *taxii_server_new(const struct taxii_backend *backend, void *hub, struct slice root);
void taxii_server_free(struct taxii_server **server);
const struct http_handler *taxii_server_handler(struct taxii_server *server);

/* Answers. JSON bodies are complete resources; the server sets media type, and dates for pages. */
void taxii_reply_json(struct taxii_reply *r, int status, struct buf_ref *body);
/* A page: body is the whole envelope or manifest or versions resource; first and last are date_added of the first and
 * last object (0: no objects, no headers). */
void taxii_reply_page(struct taxii_reply *r, struct buf_ref *body, int64_t first_us, int64_t last_us);
void taxii_reply_error(
    struct taxii_reply *r,
    const struct err *err); /* TAXII error resource: title, http_status as string, description, details.place */
struct http_request *
taxii_reply_stream(struct taxii_reply *r); /* for http_stream_open; ends r (free with the request) */
/* "next" of a page: the backend's token (without '~') and the filters, so that a client which sends back next and
   nothing else (Elastic) still gets what it asked for. */
void taxii_put_next(struct buf *out, const struct taxii_want *want, struct slice token);
void taxii_put_error(struct buf *out, const struct err *err, int status);

/* ---- receipts (DESIGN.md invariant 10), both sides ---- */

/* With every request of a sensor or link: which of its credential's it is. */
#define TAXII_FOLLOWER_HEADER "Tocsin-Follower"
enum { TAXII_RECEIPT_MAX = 4096, TAXII_FOLLOWER_MAX = 36, TAXII_EVENT_ID_MAX = 512 };

/* "Whatever was recalled up to this event is done here": a sensor has taken it out of its index and its files, a hub
   has passed it on and tells how many of its own recipients have confirmed it: a count, no names. */
struct taxii_receipt {
    struct slice follower; /* as in the header: 1 to 36 letters, digits, '-' */
    struct slice event;    /* event id, as the stream gave it */
    int64_t sent_us;
    int64_t lease_us; /* how long its blocks outlive the hub's last word; 0: it has none */
    int64_t done, of; /* a hub's own recipients of these recalls */
    uint8_t signature[CRYPTO_SIGNATURE];
};
bool taxii_is_follower(struct slice name);
void taxii_receipt_message(const struct taxii_receipt *r, struct buf *out); /* what is signed, as KEYS_SIGN_RECEIPT */
void taxii_receipt_put(const struct taxii_receipt *r, struct buf *out);     /* as JSON */
/* ERR_BAD_REQUEST with the place for what is missing or out of shape; the errors of json_parse. Slices in `a`. */
int taxii_receipt_read(struct arena *a, struct slice text, struct taxii_receipt *out, struct err *err);

/* ---- the client (blocking, one thread) ---- */

/* What servers get wrong; a bit each in taxii_client_quirks(). */
enum taxii_quirk {
#define QUIRK(name, what, why, does) TAXII_QUIRK_##name,
#include "taxii/quirks.def"
#undef QUIRK
    TAXII_QUIRKS
};
struct taxii_quirk_text {
    const char *name, *what, *why, *does;
};
const struct taxii_quirk_text *taxii_quirk_text(enum taxii_quirk q);

struct taxii_client;
struct taxii_client_conf {
    struct http_client_conf http;
    struct slice root, collection; /* root empty: the server's default from discovery. Always asked for on the host of
                                      http.url, whatever host the server names: a password goes nowhere else */
};
int taxii_client_open(const struct taxii_client_conf *conf, struct taxii_client **client_out, struct err *err);
void taxii_client_close(struct taxii_client **client);
struct http_client *taxii_client_http(struct taxii_client *c);
uint64_t taxii_client_quirks(const struct taxii_client *c); /* met so far */
/* Every GET below bears with what servers get wrong: other spellings of Accept after 406 or 415, no slash after 404,
   redirects on the same host and scheme (at most 5; another one is ERR_PEER and gets nothing of ours), gzip, any media
   type as long as the body is JSON. */

/* A page of objects. `objects` is the array (in `a`); more and next as sent (a numeric next is taken as text). */
struct taxii_page {
    struct json objects; /* JSON_ABSENT: none */
    bool more, guessed;  /* guessed: it did not say, but sent as many as were asked for */
    struct slice next;
    int64_t first_us, last_us; /* X-TAXII-Date-Added-*; 0: missing or not a date */
    int64_t unit_us;           /* what last_us was written to: 1, 1,000 or 1,000,000; 0 without it */
    int status;                /* HTTP; 0: no answer. Set where taxii_pull fails, too */
    int64_t retry_after_us;    /* 0: not said */
    size_t bytes;
};
int taxii_pull(struct taxii_client *c, struct arena *a, const struct taxii_want *want, struct taxii_page *page_out,
               struct err *err);
/* POST an envelope; answers with the status resource (parsed, in `a`). first_event_us 0: none, else sent as
 * Tocsin-First-Event. */
int taxii_push(struct taxii_client *c, struct arena *a, struct slice envelope, int64_t first_event_us,
               struct json *status_out, struct err *err);
int taxii_confirm(struct taxii_client *c, struct arena *a, const struct taxii_receipt *receipt, struct err *err);
int taxii_get(struct taxii_client *c, struct arena *a, struct slice path_below_root, struct json *out,
              struct err *err); /* any GET */
/* A certificate for the key of a request (PEM): by a code, or (code empty) by the certificate that the client has. The
   hub's answer: {"member","certificate","until"}, by a code also {"url","ca","collection"}. */
int taxii_certify(struct taxii_client *c, struct arena *a, struct slice code, struct slice csr, struct json *out,
                  struct err *err);
int taxii_follow(struct taxii_client *c, struct slice last_event_id, int64_t silent_us, http_event_fn *fn, void *arg,
                 struct err *err);
void taxii_client_stop(struct taxii_client *c); /* any thread */

/* ---- the walk: all that was published in one collection since a position, from any TAXII 2.1 server ---- */

enum {
    TAXII_WALK_LIMIT = 1000,        /* objects a page asked for */
    TAXII_WALK_LIMIT_MOST = 256000, /* where more objects share one date than a page holds */
    TAXII_WALK_PAGES = 100000,      /* of one run */
    TAXII_WALK_EMPTY = 20,          /* pages without objects in a row, each with another next */
    TAXII_WALK_AGAIN = 3,           /* pages in a row that this pass has met already */
    TAXII_WALK_RESTARTS = 5,        /* passes begun again without a new object */
    TAXII_WALK_WAITS = 8,           /* pauses in a row for 429, 5xx or no answer */
    TAXII_WALK_KNOWN = 100000,      /* object versions remembered beyond what the overlap needs */
    TAXII_WALK_KNOWN_MOST = 5000000 /* ... in all: what is forgotten may come again, it is never lost */
};
#define TAXII_WALK_BYTES   (64ull << 30) /* of one run */
#define TAXII_WALK_TIME_US (24 * 3600 * 1000000ll)
#define TAXII_WALK_WAIT_US (300 * 1000000ll) /* longest pause, whatever Retry-After says */
/* A run begins this far before its position: servers date objects before they publish them. */
#define TAXII_WALK_OVERLAP_US 2000000ll

struct taxii_walk_conf { /* 0: the limits above */
    uint32_t limit, max_pages;
    uint64_t max_bytes;
    int64_t max_us;
    int64_t first_pause_us; /* doubling; 1 s */
    const struct taxii_filter *types;
    bool (*pause)(void *arg, int64_t us); /* false: stop. NULL: sleeps */
    void *arg;
};
struct taxii_walk_page {
    const struct json *objects; /* those that are new, in the order they came */
    size_t n;
    struct slice position; /* after this page: for taxii_walk_at() */
};
/* Nonzero ends the run with err set; the page counts as not taken. */
typedef int taxii_walk_fn(void *arg, const struct taxii_walk_page *page, struct err *err);

struct taxii_walk;
/* `c` is the caller's and outlives the walk; NULL until taxii_walk_use(). */
struct taxii_walk *taxii_walk_new(struct taxii_client *c, const struct taxii_walk_conf *conf);
void taxii_walk_free(struct taxii_walk **w);
void taxii_walk_use(struct taxii_walk *w, struct taxii_client *c);
void taxii_walk_since(struct taxii_walk *w, int64_t after_us);
int taxii_walk_at(struct taxii_walk *w, struct slice position, struct err *err); /* empty: the beginning */
/* Position and known versions, as JSON: a run from there neither loses nor repeats. */
void taxii_walk_save(const struct taxii_walk *w, struct slice server, struct buf *out);
int taxii_walk_load(struct taxii_walk *w, struct slice state, struct slice server, struct err *err);
/* One run to the end of what is there now. Ends whatever the server does: each limit above is ERR_LIMIT_VALUES,
   ERR_LIMIT_BYTES or ERR_TIMEOUT, and the next run goes on from there. An object version comes once: by id and
   modified (else created, else the bytes). */
int taxii_walk_run(struct taxii_walk *w, taxii_walk_fn *fn, void *arg, struct err *err);
struct taxii_walk_counts {
    uint64_t pages, objects, known, bytes, restarts, waits,
        out_of_reach; /* out_of_reach: where the server would not give the rest */
};
const struct taxii_walk_counts *taxii_walk_counts(const struct taxii_walk *w);

/* ---- looking at somebody else's server ---- */

struct taxii_probe {
    uint64_t quirks; /* bits 1 << enum taxii_quirk; those met before an error, too */
    struct slice root, collection, title;
    uint32_t requests, collections, objects; /* objects: of the first page */
    int64_t oldest_us;                       /* date_added of the first object that it gives; 0: not said */
};
/* Walks discovery, API root, collections, pages, manifest, versions and errors in some 15 requests, and writes nothing.
   -1: it went no further, err says why. */
int taxii_probe(const struct taxii_client_conf *conf, struct arena *a, bool (*pause)(void *arg, int64_t us), void *arg,
                struct taxii_probe *out, struct err *err);

/* A client file, as `tocsin member add --out` writes it (YAML: url, ca, pin, user, password,
   cert, key, root, collection). */
extern const struct conf_field taxii_client_fields[];
extern const size_t taxii_client_n_fields;
struct taxii_client_file {
    struct slice url, ca, pin, user, password, cert, key, root, collection, receipt_key;
};
void taxii_client_conf_from(const struct taxii_client_file *f, struct taxii_client_conf *out);

#endif

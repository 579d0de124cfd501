/* taxii/internal.h: what the files of taxii/ share. */
#ifndef TAXII_INTERNAL_H
#define TAXII_INTERNAL_H

#include "base/time.h"
#include "taxii/taxii.h"

enum taxii_endpoint {
    TAXII_AT_NOTHING,
    TAXII_AT_DISCOVERY,   /* /taxii2/ */
    TAXII_AT_ROOT,        /* /{root}/ */
    TAXII_AT_STATUS,      /* /{root}/status/{id}/ */
    TAXII_AT_MARKINGS,    /* /{root}/markings/ */
    TAXII_AT_COLLECTIONS, /* /{root}/collections/ */
    TAXII_AT_COLLECTION,  /* .../{id}/ */
    TAXII_AT_MANIFEST,    /* .../{id}/manifest/ */
    TAXII_AT_OBJECTS,     /* .../{id}/objects/ */
    TAXII_AT_OBJECT,      /* .../objects/{object-id}/ */
    TAXII_AT_VERSIONS,    /* .../objects/{object-id}/versions/ */
    TAXII_AT_STREAM,      /* .../{id}/stream/ */
    TAXII_AT_RECEIPTS,    /* .../{id}/receipts/ */
    TAXII_AT_CERTIFICATE, /* /{root}/certificate/ */
};

/* route.c: the path into want (root, collection, object_id, part); TAXII_AT_NOTHING for any other path. */
enum taxii_endpoint taxii_route(struct arena *a, struct slice root, struct slice path, struct taxii_want *want);
bool taxii_route_allows(enum taxii_endpoint at, struct slice method);
struct slice taxii_route_methods(enum taxii_endpoint at); /* for Allow */

/* query.c: the parameters of a request (TAXII 2.1 section 3.4) into want. ERR_QUERY_FILTER names the parameter. */
int taxii_query(struct arena *a, struct slice query, struct taxii_want *want, struct err *err);

/* media.c: content negotiation (section 1.6.8) */
bool taxii_media_accepts(struct slice accept, bool stream); /* accept.ptr NULL: no header */
bool taxii_media_takes(struct slice content_type);

/* ---- the client ---- */

enum { CLIENT_BODY_MAX = 256 * 1024 * 1024 };

struct taxii_client {
    struct http_client *http;
    struct arena arena;
    struct slice root, collection, origin; /* root: "/tocsin/"; origin: "https://host:port" */
    uint32_t accept;                       /* which spelling of Accept this server takes */
    bool bare, slash;                      /* paths go without the last slash; they were seen to work with it */
    uint64_t quirks;
};

int taxii_client_make(const struct taxii_client_conf *conf, struct taxii_client **client_out,
                      struct err *err); /* without a request */
int taxii_client_find_root(struct taxii_client *c, const struct taxii_client_conf *conf, struct err *err);

/* What one GET brought besides its body. */
struct taxii_heard {
    int status;
    struct slice media_type, first, last, challenge; /* in the arena; ptr NULL: no such header */
    int64_t retry_after_us;
    size_t bytes;
};

/* ask.c: one GET, bearing with what servers get wrong. */
int taxii_ask(struct taxii_client *c, struct arena *a, struct slice path, struct taxii_heard *heard, struct json *out,
              struct err *err);
int taxii_answer(struct taxii_client *c, struct arena *a, struct http_result *r, struct json *out,
                 struct err *err); /* its status and body */
static inline void taxii_quirk(struct taxii_client *c, enum taxii_quirk q)
{
    c->quirks |= 1ull << q;
}

/* request.c: paths and queries */
void taxii_put_collection_path(const struct taxii_client *c, struct slice collection, const char *below,
                               struct buf *out); /* collection empty: the client's */
void taxii_put_page_path(const struct taxii_client *c, const struct taxii_want *want, struct buf *out);
struct slice taxii_root_path(struct arena *a, struct slice url); /* absolute or relative, to "/path/" */

/* date.c: a date header as servers send it: RFC 3339, JavaScript's Date.toString(), HTTP's own. *unit_us_out: what it
 * was written to. false: not a date. */
bool taxii_date(struct slice text, int64_t *us_out, int64_t *unit_us_out);

/* known.c: versions of objects that were met, by 128 bits of a hash; the oldest go first. */
struct taxii_known_item {
    uint8_t hash[16];
    int64_t at_us; /* published at this time or before; INT64_MAX: not known when */
    uint32_t pass; /* in which it came last */
};
struct taxii_known {
    struct taxii_known_item *items;
    uint32_t *cells; /* place + 1 */
    size_t n, room, n_cells;
};
void taxii_known_free(struct taxii_known *k);
/* The item, *new_out: added now. Valid until the next call. */
struct taxii_known_item *taxii_known_put(struct taxii_known *k, const uint8_t hash[16], bool *new_out);
void taxii_known_drop_last(struct taxii_known *k, size_t n); /* back to n items */
/* Drops the oldest that were published before `before_us`, down to `keep`; and above `most` in any case. */
void taxii_known_trim(struct taxii_known *k, int64_t before_us, size_t keep, size_t most);
void taxii_known_hash(struct json object, uint8_t out[16]);

#endif

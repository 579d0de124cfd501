/* hub/doors.h: who is it: what doors.c (signing in), claim.c (what a request says), credential.c (what members' rows
   hold) and limits.c (how often) share. */
#ifndef HUB_DOORS_H
#define HUB_DOORS_H

#include "hub/internal.h"

/* ---- claim.c: what a request says about who sends it ---- */

enum { HUB_SECRET_MAX = 1024 }; /* bytes of a user name, password or token as sent */

struct hub_claim {
    enum hub_claim_kind {
        HUB_CLAIM_NOTHING,
        HUB_CLAIM_BASIC,       /* RFC 7617: user and secret; either may be empty */
        HUB_CLAIM_BEARER,      /* RFC 6750, also "Token" and the header of the settings: secret */
        HUB_CLAIM_CERTIFICATE, /* a client certificate that the TLS layer found good, and nothing else */
    } kind;
    struct slice user, secret; /* in the arena, or in the head */
    const struct http_certificate *certificate;
};
/* Schemes are read in any case. ERR_BAD_REQUEST: two Authorization headers; ERR_UNAUTHENTICATED: one that cannot be
   read, or nothing but a certificate that is not good. Authorization goes before `header` (empty: none), and that
   before a certificate: programs show one wherever they are asked. Pure. */
int hub_claim_read(const struct http_head *head, struct slice header, struct arena *a, struct hub_claim *out,
                   struct err *err);

/* ---- credential.c: credentials of members (and partners' passwords), read from their rows ---- */

enum {
    HUB_CREDENTIALS_MAX = 32, /* of one member */
    HUB_NETWORKS_MAX = 64,    /* in the allow-list of one credential */
};
#define HUB_TOKEN_PREFIX "tocsin_" /* so that searchers for lost secrets know one when they see it */

struct hub_network { /* IPv4 as ::ffff:0:0/96 */
    uint8_t bytes[16];
    uint8_t bits;
};
bool hub_address_parse(struct slice text, uint8_t out[16]);
bool hub_network_parse(struct slice text,
                       struct hub_network *out); /* "192.0.2.0/24", "2001:db8::/32", or one address */

enum hub_rights { HUB_RIGHTS_ALL, HUB_RIGHTS_READ, HUB_RIGHTS_RETRACT }; /* RETRACT: TAXII DELETE and nothing else */

struct hub_credential {
    uint64_t id; /* made of all the rest: one that is changed is another, and ends what came in by it */
    struct slice name;
    enum hub_credential_kind { HUB_PASSWORD, HUB_TOKEN, HUB_CERTIFICATE } kind;
    struct slice check;       /* PASSWORD: its Argon2id text */
    uint8_t key[CRYPTO_HASH]; /* TOKEN: its MAC; CERTIFICATE: its fingerprint, or hub_subject_key() of its subject */
    struct slice subject;     /* CERTIFICATE, by subject */
    int64_t created_us, until_us;
    enum hub_rights rights;
    const struct hub_network *networks; /* none: from anywhere */
    size_t n_networks;
    int64_t requests, objects; /* a minute; 0: as the hub's settings say */
    uint32_t viewer;           /* whose */
};
void hub_credentials_read(struct arena *a, struct json row, uint32_t viewer, struct hub_credential **out,
                          size_t *n_out);
void hub_credentials_index(struct hub_directory *d);
/* NULL: none of this viewer's has this id */
const struct hub_credential *hub_credential_of(const struct hub_directory *d, uint32_t viewer, uint64_t id);
const struct hub_credential *hub_credential_by_key(const struct hub_directory *d, enum hub_credential_kind kind,
                                                   const uint8_t key[CRYPTO_HASH]);
const struct hub_credential *hub_credential_password(const struct hub_directory *d, struct slice user); /* or NULL */
/* Does the credential leave its member that right? A party that came in by none (id 0) is not narrowed by one. */
bool hub_credential_may_submit(const struct hub_directory *d, uint32_t viewer, uint64_t id);
bool hub_credential_is_on(const struct hub_credential *c, int64_t now_us); /* not expired */
bool hub_credential_is_from(const struct hub_credential *c, struct slice peer);
void hub_token_key(const struct hub *h, struct slice token, uint8_t out[CRYPTO_HASH]);
void hub_subject_key(struct slice subject, uint8_t out[CRYPTO_HASH]); /* RFC 4514 text, as its reader gives it */
/* Acts, on the committer. A new token is in the outcome's detail, and nowhere else ever again. */
int hub_credential_put(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
int hub_credential_remove(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
/* All of a member's, and its code for a certificate. Writes no leaf; afterwards `m` may be gone. */
int hub_credentials_end(struct hub_commit *c, struct arena *a, const struct hub_member *m, struct err *err);
const char *hub_credential_kind_word(enum hub_credential_kind kind);

/* ---- limits.c: how often; all instants are of the caller's steady clock ---- */

/* Wrong secrets. A source is an IPv4 address or the /64 of an IPv6 one. A source that failed often waits longer and
   longer, for whatever it asks. An account that many fail at waits too, but only for those sources that failed at it
   themselves: its member, from an address of its own, is never kept out. Bounded memory: of what does not fit, the
   least penalised is forgotten. Any thread. */
enum {
    HUB_FAILURES_ROWS = 8192,
    HUB_FAILURES_FREE = 10,         /* of a source, before it waits */
    HUB_FAILURES_FREE_ACCOUNT = 20, /* of an account, from all sources */
    HUB_FAILURES_WAIT_S = 900,      /* longest wait, and how long a failure is remembered after it */
};
struct hub_failures;
struct hub_failures *hub_failures_new(void);
void hub_failures_free(struct hub_failures **f);
uint32_t hub_failures_wait(struct hub_failures *f, struct slice peer, struct slice user, int64_t now_us); /* seconds */
void hub_failures_add(struct hub_failures *f, struct slice peer, struct slice user, int64_t now_us);
void hub_failures_clear(struct hub_failures *f, struct slice peer, struct slice user); /* it signed in */
size_t hub_failures_count(struct hub_failures *f);

/* Rates: a credential may use a minute's worth at once, then as it comes. Objects are counted when it is known how many
   they were, so one request may overdraw; those after it wait. Any thread. */
enum { HUB_RATES_ROWS = 16384 };
struct hub_rates;
struct hub_rates *hub_rates_new(void);
void hub_rates_free(struct hub_rates **r);
struct hub_rate {
    int64_t requests, objects; /* a minute; 0: no limit */
};
/* Counts a request: 0, or the seconds to wait, and then it is not counted. */
uint32_t hub_rates_take(struct hub_rates *r, uint64_t credential, const struct hub_rate *rate, int64_t now_us);
void hub_rates_objects(struct hub_rates *r, uint64_t credential, const struct hub_rate *rate, uint64_t n,
                       int64_t now_us);
int64_t hub_rates_last(struct hub_rates *r, uint64_t credential); /* its last request; 0: none is known */

/* ---- oauth.c: POST /oauth2/token ---- */

#define HUB_OAUTH_PATH    "/oauth2"
#define HUB_ACCESS_PREFIX "tocsina_"
/* Who the client of a token request says it is. ERR_BAD_REQUEST: the place is the parameter that is wrong. Pure. */
int hub_oauth_read(struct slice body, const struct http_head *head, struct arena *a, struct hub_claim *out,
                   struct err *err);
void hub_access_put(const struct hub *h, const struct hub_party *party, int64_t until_us, struct buf *out);
/* NULL: forged, over, or its credential has gone */
const struct hub_credential *hub_access_find(const struct hub *h, const struct hub_directory *d, struct slice text,
                                             int64_t now_us);

/* ---- enrol.c: members' own certificates ---- */

/* Acts, on the committer. HUB_INVITE: detail {"name","valid_us","ca","collection"}; the code is in the outcome's
   detail, and nowhere else ever again. HUB_CERTIFY: what the door has checked and signed, checked again where nothing
   can come between: detail {"member","fingerprint","until_us"} and "check" (of the code) or "credential" (that it
   signed in with). */
int hub_invite(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
int hub_certify_put(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);

/* ---- doors.c ---- */

struct hub_doors {
    pthread_mutex_t lock; /* of the cache */
    struct hub_cached *cache;
    struct hub_failures *failures;
    struct hub_rates *rates;
    int64_t (*clock)(void); /* steady; a test has its own */
    struct queue *waiting;  /* for a password check: 20 ms and 19 MiB each, one at a time, on a thread of its own */
    pthread_t thread;
    bool runs;
};
struct hub_ask { /* who asks: a claim, from an address */
    struct arena arena;
    struct hub_claim claim;
    struct slice peer;
    /* On the doors' thread, when it took a password check: the party, held, or NULL with why. */
    void (*done)(struct hub *h, void *arg, struct hub_party *party, const struct err *err);
    void *arg;
};
/* Takes the ask over. 0 with *party_out, held; -1; HTTP_LATER: `done` will be called. */
int hub_ask(struct hub *h, struct hub_ask *ask, struct hub_party **party_out, struct err *err);
/* Objects that a party sent or was given count against its credential's rate. */
void hub_doors_count(struct hub *h, const struct hub_party *party, uint64_t objects);

#endif

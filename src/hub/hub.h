/* hub/hub.h: the service. Content enters by hub_submit, every other change of what anybody may see by hub_act; both end
   in the one committer and the one journal. Nothing leaves but through a hub_view. Calls from any thread unless said.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include "base/conf.h"
#include "keys/keys.h"
#include "net/http_server.h"
#include "share/share.h"
#include "store/store.h"
#include "taxii/taxii.h"

/* ---- settings: DIR/tocsin.yaml ---- */

struct hub_settings {
    struct slice name, id, country, listen, url; /* id: UUID of this hub; url: how members reach it */
    uint64_t max_body;                           /* of one envelope */
    int64_t max_objects;                         /* in one envelope */
    int64_t page_default, page_max;
    int64_t page_rows; /* read for one page at most, where a filter leaves rows out */
    int64_t max_connections, max_per_address;
    int64_t default_valid_for_us; /* of indicators without valid_until, where the submitter declared no other */
    int64_t workers;              /* 0: one a core */
    bool plain_http;              /* no TLS: on a loopback address alone */
    struct slice api_key_header;  /* a header that carries a token; empty: none */
    int64_t requests, objects;    /* a minute and credential; 0: no limit */
    int64_t token_life_us;        /* of those that OAuth 2 clients are given */
};
extern const struct conf_field hub_settings_fields[];
extern const size_t hub_settings_n_fields;
int hub_settings_read(struct arena *a, const char *dir, struct hub_settings *out, struct err *err);

/* ---- opening ---- */

struct hub;
struct hub_conf {
    const char *dir;
    struct hub_settings settings;
    const int *channels; /* to the keys process: workers + 2 of them; taken over */
    size_t n_channels;
};
int hub_open(const struct hub_conf *conf, struct hub **hub_out, struct err *err);
void hub_stop(struct hub *h); /* followers are closed, workers and the committer drain and end; calls from then on fail
                                 with ERR_UNAVAILABLE */
void hub_close(struct hub **hub); /* after hub_stop and after the HTTP server has stopped */
const struct hub_settings *hub_settings(const struct hub *h);
const struct taxii_backend *hub_taxii_backend(void); /* with the hub as its argument */
struct http_mount hub_oauth_mount(struct hub *h);    /* the issuer of short tokens, beside TAXII on the same port */
void hub_tick(
    struct hub *h); /* once a second, main thread: delivery leaves, stream heartbeats, views that end by time */

/* ---- the one way in ---- */

enum hub_door { HUB_TAXII, HUB_COMMAND, HUB_PARTNER, HUB_SENSOR };

struct hub_party; /* who acts: a member, a partner, or the hub itself; counted */
struct hub_party *hub_party_hold(struct hub_party *p);
void hub_party_drop(struct hub_party **p);

/* One event of a partner's stream: already a release, never minted again. */
struct hub_event {
    enum store_kind kind;      /* ADD, EXPIRE, RETRACT, RESTRICT */
    struct slice id;           /* of the object */
    struct slice object;       /* its bytes; empty for a tombstone */
    struct slice origin, path; /* hub ids; path comma-separated */
    struct slice signature;    /* 64 bytes of the origin, keys_check(KEYS_SIGN_EVENT, hub_event_message()) */
    int64_t first_event_us;
};
void hub_event_message(struct slice origin, struct slice id, enum store_kind kind, struct slice object,
                       struct buf *out);

enum hub_verdict { HUB_ACCEPTED, HUB_UNCHANGED, HUB_HELD, HUB_REFUSED };
struct hub_outcome {
    const struct err *err;                        /* the whole submission failed; else NULL */
    uint64_t envelope, leaf, first_seq, last_seq; /* 0 where nothing was written */
    uint32_t accepted, unchanged, held, refused;
    struct slice status; /* TAXII status resource */
    struct slice detail; /* of an act: JSON */
};
typedef void
hub_done_fn(void *arg,
            const struct hub_outcome *outcome); /* once, on a worker or the committer: hand over, do not work */

struct submission {
    enum hub_door door;
    struct hub_party *from;         /* held by the hub until done */
    struct slice collection;        /* id */
    struct buf_ref *bytes;          /* envelope or bundle; taken over */
    const struct hub_event *events; /* HUB_PARTNER instead of bytes: valid until done */
    size_t n_events;
    struct slice cursor_name, cursor; /* HUB_PARTNER: commits with the rows; valid until done */
    int64_t first_event_us, received_us;
    hub_done_fn *done;
    void *arg;
};
int hub_submit(struct hub *h, const struct submission *s,
               struct err *err); /* ERR_BUSY: queue full; then done is not called */

/* ---- every other change ---- */

enum hub_act_kind {
    HUB_MEMBER_PUT,
    HUB_MEMBER_CHANGE, /* detail: "name", and what takes the place of the row's members */
    HUB_MEMBER_REMOVE,
    HUB_COLLECTION_PUT,
    HUB_PARTNER_PUT,
    HUB_PARTNER_REMOVE, /* detail: the row as JSON */
    HUB_DELETE,         /* TAXII DELETE; detail {"collection","id","version"?} */
    HUB_RECEIPT,        /* a recipient has done what was recalled; detail: see hub/receipt.c */
    HUB_DELIVERED,      /* by hub_tick */
    HUB_CREDENTIAL_PUT, /* detail {"member","name","kind"?,...}: a new one, or changed limits of one (credential.c) */
    HUB_CREDENTIAL_REMOVE, /* detail {"member","name"} */
    HUB_INVITE,            /* detail {"name","valid_us","ca","collection"}: a code for a certificate (enrol.c) */
    HUB_CERTIFY,           /* by the door alone */
    HUB_MEMBER_COMPROMISE, /* detail {"name","since_us","after"?,"dry_run"?}: its credentials end, what it sent since
                              then is held (compromise.c) */
    HUB_MEMBER_RELEASE,    /* the same: what is held of it comes back */
};
struct act {
    enum hub_act_kind kind;
    struct hub_party *by; /* NULL: the operator */
    struct slice detail;  /* copied */
    hub_done_fn *done;
    void *arg;
};
int hub_act(struct hub *h, const struct act *act, struct err *err); /* overtakes submissions in the queue */

/* ---- the operator's questions (control socket) ---- */

void hub_put_status(struct hub *h, struct buf *json_out);
void hub_put_members(struct hub *h, struct buf *json_out);
void hub_put_credentials(struct hub *h, struct buf *json_out); /* of all members; never what they are checked against */
void hub_put_collections(struct hub *h, struct buf *json_out);
/* For every member with certificates: when the one that lasts longest ends (those known by their SHA-256; of those
   known by a subject the authority keeps account). `fn` at once, in this thread. */
void hub_certificate_ends(struct hub *h, void (*fn)(void *arg, struct slice member, int64_t until_us), void *arg);
void hub_put_partners(struct hub *h, struct buf *json_out);
/* What is known of the programs that were connected since the start: guesses, findings; with a member's name its last
   requests too. Empty: all members, and who could not be signed in. */
void hub_put_clients(struct hub *h, struct slice member, struct buf *json_out);

/* Recalls, the newest first, and how far each recipient is: ask is {"since_us"?, "id"?, "limit"?}. The answer is
   bounded: "more" says that something was left out. */
int hub_put_recalls(struct hub *h, struct json ask, struct buf *json_out, struct err *err);

/* ---- links (link/) ---- */

/* Of the recalls in rows [first, last], all of one collection: how many recipients they have here, and how many of
   these have confirmed all of theirs. What cannot confirm counts among them, and never as done. */
int hub_recalls_count(struct hub *h, uint64_t first_seq, uint64_t last_seq, int64_t *done_out, int64_t *of_out,
                      struct err *err);
/* With the hub's key; waits for a worker. Not on a worker or the committer. */
int hub_sign_receipt(struct hub *h, struct slice message, uint8_t signature_out[CRYPTO_SIGNATURE], struct err *err);

struct hub_link { /* what a link needs of a partner's row; strings live in the arena given */
    struct slice name, hub_id, url, ca, user, password, root, collection; /* at the partner; ca: PEM text */
    struct slice pin, cert, key_pem; /* its key instead of ca, or besides; our client certificate there, PEM text */
    struct slice into;               /* collection id here */
    bool foreign;                    /* no Tocsin: its pages are polled, nothing is signed */
    int64_t poll_us;                 /* of a foreign one */
    struct slice cursor;             /* last event id that is committed */
    uint8_t key[CRYPTO_SIGN_PUBLIC];
};
size_t hub_links(struct hub *h, struct arena *a, struct hub_link **links_out);
struct hub_party *hub_partner_party(struct hub *h, struct slice name); /* NULL: no such partner */
uint64_t hub_directory_epoch(struct hub *h); /* grows with every change of members, partners, collections */

#endif

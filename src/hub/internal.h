/* hub/internal.h: what the files of hub/ share. Who owns what: the committer's thread alone changes rows, classes,
   viewers' grants and the directory; everybody else reads them as described at each. */
#ifndef HUB_INTERNAL_H
#define HUB_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "base/time.h"
#include "hub/hub.h"
#include "ledger/ledger.h"

enum {
    HUB_VIEWERS_MAX = 65536,   /* members and partners ever, removed ones included */
    HUB_CLASSES_MAX = 1 << 16, /* half of them for types that STIX does not know: anybody can coin those */
    HUB_ROWS_MAX = 1 << 28,    /* rows of the journal: bounds address space, not memory */
    HUB_ROWS_SPARE = 1 << 20,  /* of those, for recalls and widenings alone: a full hub can still take back */
    HUB_GROUP_OBJECTS = 2000,  /* of one durable transaction */
    HUB_QUEUE = 512,           /* submissions waiting for the committer, or for one worker */
    HUB_WORKERS_MAX = 16,
    HUB_RECIPIENTS_MAX = 64,       /* that name themselves behind one credential, in one collection */
    HUB_SPANS_MAX = 8,             /* of recalls given to a recipient in the second before they are stored */
    HUB_RECEIPT_EVERY_US = 500000, /* of one recipient; oftener: 429 */
    HUB_SENT_MAX = 20000,          /* rows of a member looked at by one HUB_MEMBER_COMPROMISE or _RELEASE */
};

/* ---- rows.c: what merging and reading need of every row, in memory; rebuilt from the journal at start ---- */

/* Arrays over seq in reserved address space: they never move, so readers need no lock. A row's cells are written before
 * the head that shows it. */
struct hub_rows {
    uint64_t *key;      /* fingerprint of (owner or origin, collection, id) */
    int64_t *source_us; /* the version, as its source tells it */
    int64_t *first_us;  /* added_us of the object's first row: `created` of every version */
    uint32_t *facts_class;
    uint32_t *subject;      /* the next of the object's versions; 0: none. A late older one stands behind the current */
    uint32_t *later;        /* the row that took its place; 0: none */
    uint32_t *leap;         /* a row further along `later`, where somebody walked that far; 0: none */
    uint32_t *first;        /* the object's first row, 0: this one; ask hub_row_first() */
    uint8_t *kind;          /* enum store_kind */
    uint64_t most;          /* rows that fit: HUB_ROWS_MAX but in tests */
    struct bits hidden;     /* versions that their owner took out of its own view */
    struct bits superseded; /* later != 0, or deleted; by seq */
    struct bits replaced;   /* so, and not by a bare expiry alone: what pages leave out */
    struct bits bare;       /* an expiry without a body, by a partner: the version before it stays the object's last */
    pthread_rwlock_t lock;  /* of the index below: held for a probe, never across anything slow */
    struct hub_cell *cells; /* open addressing: tag of the id's hash, seq of a current row */
    uint32_t n_cells, used;
};
/* Readers walk while the committer links late versions in. */
static inline uint64_t hub_row_subject(const struct hub_rows *r, uint64_t seq)
{
    return __atomic_load_n(&r->subject[seq], __ATOMIC_ACQUIRE);
}
static inline uint64_t hub_row_later(const struct hub_rows *r, uint64_t seq)
{
    return __atomic_load_n(&r->later[seq], __ATOMIC_ACQUIRE);
}
/* The object's first row: whoever read that far may hold a version of it. */
static inline uint64_t hub_row_first(const struct hub_rows *r, uint64_t seq)
{
    return r->first[seq] != 0 ? r->first[seq] : seq;
}
/* An object's current row, which may be on its way, as readers up to `upto` see it; 0: not at all. */
uint64_t hub_row_shown(const struct hub_rows *r, uint64_t seq, uint64_t upto);
/* The last row up to and with this one that says what the object is: a recall is addressed, and may have no bytes. */
uint64_t hub_row_content(const struct hub_rows *r, uint64_t seq);
void hub_rows_init(struct hub_rows *r);
void hub_rows_free(struct hub_rows *r);
uint64_t hub_id_hash(struct slice id);
uint64_t hub_row_key(struct slice who, struct slice collection, struct slice id, struct slice variant);
struct hub_row {
    uint64_t seq, key, id_hash, subject; /* subject: 0: the object's first */
    int64_t source_us, added_us;
    uint32_t facts_class;
    enum store_kind kind;
    bool bare; /* without a body */
};
/* Committer: takes a row into memory, in order of seq. */
void hub_rows_take(struct hub_rows *r, const struct hub_row *row);
void hub_rows_supersede(struct hub_rows *r, uint64_t seq,
                        uint64_t later); /* what take put off: shows at once, so only after the commit */
void hub_rows_forget(struct hub_rows *r, uint64_t seq, uint64_t id_hash);   /* undoes the last take */
uint64_t hub_rows_find(struct hub_rows *r, uint64_t id_hash, uint64_t key); /* the current row with this key; 0: none */
size_t hub_rows_candidates(struct hub_rows *r, uint64_t id_hash, struct arena *a,
                           uint64_t **seqs_out); /* current rows that may have this id: all of them */
/* The row that stands for seq's object among the rows up to `upto`. */
uint64_t hub_row_latest(struct hub_rows *r, uint64_t seq, uint64_t upto);
bool hub_row_is_newer(const struct hub_rows *r, uint64_t seq,
                      int64_t source_us); /* is a version of that instant newer than the row */

/* ---- classes ---- */

struct hub_class {
    struct share_facts facts; /* for ever */
    bool of_values;           /* of SCOs: several rows may be one object */
    struct slice key;
    uint64_t hash;
};

/* ---- member.c: the directory: members, partners, collections and the policy made of them; immutable, counted, swapped
 * whole ---- */

struct hub_default {
    struct slice collection;
    enum share_tlp tlp;
    int64_t valid_for_us;
};
enum hub_compat { /* what a member's tool needs that others are not to get: bits of hub_dialect.compat */
                  HUB_COMPAT_EMPTY_LIST = 1, /* "objects":[] where TAXII 2.1 section 3.7 leaves the key out */
                  HUB_COMPAT_TLP1 = 2,       /* the TLP 1 id beside each TLP 2 id of object_marking_refs */
                  HUB_COMPAT_FLATTEN = 4,    /* an indicator of alternatives as one indicator each */
                  HUB_COMPAT_STIX20 = 8,     /* STIX 2.0, and nothing that it has not; TLP 1 in the place of TLP 2 */
};
enum { HUB_DIALECT_TYPES_MAX = TAXII_FILTER_MAX };
struct hub_dialect { /* how a member's pages differ; all zero: not at all */
    uint32_t compat;
    uint32_t page_size;        /* objects in a page, where the client names no limit and at most; 0: the hub's */
    struct taxii_filter types; /* wanted; n 0: all */
};
struct hub_credential; /* doors.h */
struct hub_member {
    struct slice name, organisation, country, sector;
    struct hub_credential *credentials;
    size_t n_credentials;
    const struct slice *domains, *client_of;
    size_t n_domains, n_client_of;
    const struct hub_default *defaults;
    size_t n_defaults;
    enum share_consent consent;
    bool government, may_write;
    const struct slice *read_only, *write_only; /* collections, by name or id, where it has only that right */
    size_t n_read_only, n_write_only;
    struct hub_dialect dialect;
    bool has_receipt_key;
    uint8_t receipt_key[CRYPTO_SIGN_PUBLIC]; /* signs its sensors' receipts */
    uint32_t viewer;
    struct slice owner_text; /* "name|epoch": what keys makes the handle of */
    uint64_t owner;
    struct slice cover_id; /* the identity that stands for it where it is not named */
    struct slice cover_name;
    struct slice named_id; /* the identity under its organisation's name: never the same, or consent for one object
                              would name all */
    struct slice row;      /* as stored */
};
struct hub_partner {
    struct slice name, hub_id;
    struct hub_credential *credentials; /* its password */
    size_t n_credentials;
    uint8_t key[CRYPTO_SIGN_PUBLIC];
    uint32_t viewer;
    struct share_agreement agreement;
    bool foreign, has_default;  /* a TAXII server that is no Tocsin: its events carry no signature */
    enum share_tlp default_tlp; /* of what it sends unmarked */
    int64_t poll_us;
    bool follows;
    struct slice url, ca, pin, cert, key_pem, user, follow_password, root, collection, into;
    struct slice row;
};
struct hub_collection {
    struct slice id, name, title, description;
    const struct stix_profile *profile; /* NULL: it cannot be read, and nothing is taken in */
    struct share_collection audience;
    struct slice row;
};
struct hub_directory {
    atomic_uint owners;
    uint64_t epoch;
    struct arena arena;
    struct hub_member *members;
    struct hub_partner *partners;
    struct hub_collection *collections;
    size_t n_members, n_partners, n_collections;
    uint32_t *by_viewer; /* place in members + 1, or n_members + place in partners + 1; 0: nobody */
    uint32_t n_by_viewer;
    const struct hub_credential **by_key; /* tokens and certificates, sorted */
    size_t n_by_key;
    const struct share_policy *policy;
    uint8_t policy_hash[CRYPTO_HASH];
};
struct hub_raw_row { /* for building: a stored row of one of the three tables */
    enum store_table table;
    struct slice key, value;
};
/* `keys` makes owner handles and covers, of those that `before` (may be NULL) has not: a change costs one member's. */
int hub_directory_build(const struct hub_raw_row *rows, size_t n, const struct hub_directory *before, struct keys *keys,
                        uint64_t epoch, struct hub_directory **out, struct err *err);
void hub_directory_drop(struct hub_directory **d);
const struct hub_member *hub_directory_member(const struct hub_directory *d, struct slice name);
const struct hub_partner *hub_directory_partner(const struct hub_directory *d, struct slice name);
const struct hub_collection *hub_directory_collection(const struct hub_directory *d, struct slice id_or_name);
const struct hub_member *hub_directory_member_of(const struct hub_directory *d, uint32_t viewer);
const struct hub_partner *hub_directory_partner_of(const struct hub_directory *d, uint32_t viewer);
struct hub_directory *hub_directory_hold(struct hub *h); /* the current one; drop it */
/* Tools pick a collection by its title: no two have one, and it stays. `known` NULL: a new one called `name`. */
int hub_directory_check_title(const struct hub_directory *d, const struct hub_collection *known, struct slice name,
                              struct slice title, struct err *err);
/* Rights of a credential at a collection: what its view gives stands behind them. m NULL is a partner: it reads. */
bool hub_member_may_read(const struct hub_member *m, const struct hub_collection *c);
bool hub_member_may_write(const struct hub_member *m, const struct hub_collection *c);
/* dialect.c: a change that names compat, types, page_size, read_only or write_only: are they such values?
   ERR_CONF_VALUE. The row of a member with the other members of `change` in the place of its own (name, viewer and
   epoch stay), in `a`. */
int hub_dialect_check(const struct hub_directory *d, struct arena *a, struct json row, struct err *err);
int hub_member_row_changed(struct arena *a, const struct hub_member *m, struct json change, struct slice *row_out,
                           struct err *err);
void hub_dialect_read(struct arena *a, struct json row, struct hub_dialect *out);
void hub_dialect_put(const struct hub_dialect *d, struct buf *out); /* members of an object */

/* ---- viewers: one a member or partner, by number ---- */

struct hub_lists { /* what a viewer may see; immutable, counted */
    atomic_uint owners;
    uint64_t epoch;     /* of the directory it was decided by */
    uint32_t n_classes; /* classes that were looked at */
    int64_t holds_until_us;
    size_t n;
    struct store_list lists[];
};
struct hub_grant { /* a class gained by a widening: older rows come through that row */
    uint32_t facts_class;
    uint64_t from;
};
struct hub_span { /* recalls behind `from`, up to and with `to` */
    uint64_t from, to;
    int64_t at_us;
};
struct hub_recipient {                                     /* recipient.c: of one viewer and collection */
    char collection[36], follower[TAXII_FOLLOWER_MAX + 1]; /* follower "": clients that do not name themselves */
    uint64_t since_seq;                                    /* what was recalled up to there does not concern it */
    uint64_t given_seq;                                    /* the highest place of what it was given */
    int64_t last_us,
        lease_us;          /* last there; how long its blocks outlive that, as its last receipt says; 0: none came */
    int64_t receipt_us;    /* steady: the last one; 0: none since the start */
    unsigned streams;      /* open now */
    bool changed, storing; /* not durable as it is; in the open transaction */
    struct hub_span spans[HUB_SPANS_MAX]; /* given, not durable yet; the first n_storing in the open transaction */
    size_t n_spans, n_storing;
    struct hub_recipient *next;
};
static inline struct slice hub_recipient_collection(const struct hub_recipient *r)
{
    return slice_n(r->collection, sizeof r->collection);
}
struct hub_viewer {
    pthread_mutex_t lock; /* lists, grants, recipients */
    struct hub_lists *lists;
    struct hub_grant *grants;
    size_t n_grants;
    atomic_ullong delivered; /* highest seq of which bytes may have left */
    atomic_uint waiting;     /* its submissions in the committer's queue */
    atomic_bool lost;        /* something was taken from it that it may get back: see again.c */
    struct hub_recipient *recipients;
    bool read_before; /* it was given something before the store knew recipients */
    /* since the last delivery leaf */
    uint64_t from_seq, to_seq, objects;
    uint8_t root[CRYPTO_HASH];
};
struct hub_lists *hub_viewer_lists(struct hub *h, const struct hub_directory *d,
                                   uint32_t viewer); /* hold; up to date with d and all classes */
void hub_lists_drop(struct hub_lists **l);
const struct store_list *hub_lists_find(const struct hub_lists *l, uint32_t facts_class); /* NULL: denied */
/* Did the viewer read so far that it may hold the row, or an older version of its object? `from`: the widening through
 * which it has the row's class; 0: none. */
bool hub_may_hold(struct hub *h, uint32_t viewer, uint64_t seq, uint64_t from);
void hub_viewer_delivered(struct hub *h, uint32_t viewer, uint64_t first_seq, uint64_t last_seq, uint64_t n,
                          const uint8_t root[CRYPTO_HASH]);

struct hub_party {
    atomic_uint owners;
    enum { HUB_PARTY_MEMBER, HUB_PARTY_PARTNER, HUB_PARTY_SELF } kind;
    uint32_t viewer;
    uint64_t owner;      /* MEMBER: the handle in rows; else 0 */
    uint64_t credential; /* through which it came in; 0: not through the door */
    char name[];
};
struct hub_party *hub_party_new(int kind, uint32_t viewer, uint64_t owner, struct slice name);
/* Is it still a member or partner, and its credential one that holds? */
bool hub_party_is_good(const struct hub_directory *d, const struct hub_party *party);

/* ---- workers ---- */

struct hub_worker {
    struct hub *hub;
    pthread_t thread;
    struct queue *queue;
    struct keys *keys;
    struct store_reader *reader;
    struct arena arena; /* reset after every task */
};
typedef void hub_task_fn(struct hub_worker *w, void *arg);
/* `lane`: tasks of one lane run in order, on one worker. false: that worker's queue is full. */
bool hub_work(struct hub *h, uint64_t lane, bool urgent, hub_task_fn *fn, void *arg);

/* ---- jobs of the committer ---- */

struct hub_item { /* one object of a submission */
    struct stix_object object;
    enum hub_verdict verdict;
    struct err err;                  /* HELD, REFUSED */
    const struct stix_strip *strips; /* what the collection's profile leaves out of the release */
    size_t n_strips;
    bool no_op;  /* a TLP definition: success, nothing kept */
    bool by_hub; /* made by the hub (cover identity): not in the submitter's counts */
    bool own_only;
    bool is_part;       /* an SCO of a STIX 2.0 observed-data: not in the submitter's counts, and accepted only with */
    size_t part_of;     /* this item, */
    struct slice place; /* where it stood in it */
    struct slice submitted; /* the bytes that came, where they are STIX 2.0; else empty: those of the object */
    enum store_kind kind;   /* ADD, EXPIRE, RETRACT as the content asks; merging may make an ADD of it */
    struct share_facts facts;
    struct slice class_key;
    bool defaulted;
    struct share_names names;
    struct share_release release;
    struct slice id; /* of the release */
    uint64_t key, id_hash;
    int64_t source_us, valid_until_us;
    struct slice original;            /* sealed */
    struct slice source;              /* partner rows */
    const struct hub_edge_ends *ends; /* of an edge: edges.c */
    uint64_t seq;                     /* given by the committer; 0: no row was written */
    uint8_t sha256[CRYPTO_HASH];      /* of the row's body */
};
struct hub_job {
    struct hub *hub;
    bool is_act;
    struct arena arena;
    struct submission ask;           /* of a submission */
    struct hub_directory *directory; /* under which it was judged */
    const struct hub_member *member; /* in directory; NULL: partner or self */
    const struct hub_partner *partner;
    const struct hub_collection *collection;
    struct json objects; /* the envelope's array; absent for a single object */
    const struct share_definitions *definitions;
    struct hub_item *items;
    size_t n_items, room;
    struct hub_item **by_id; /* those that came, sorted by their object's id */
    struct slice *creators;  /* created_by_ref of those that came, sorted */
    size_t n_came, n_creators;
    uint8_t data_key[CRYPTO_KEY];
    struct buf wrapped; /* sealed data key; empty for partners */
    struct act act;     /* of an act */
    struct hub_outcome outcome;
    struct err err;
};
void hub_job_free(struct hub_job **job);
void hub_job_done(struct hub_job **job); /* calls done, frees */

struct hub {
    struct hub_settings settings;
    struct arena arena; /* strings of the settings */
    struct store *store;
    uint8_t token_key[CRYPTO_KEY], record_key[CRYPTO_KEY], public_key[CRYPTO_SIGN_PUBLIC];
    struct hub_rows rows;
    struct hub_class **classes;
    atomic_uint n_classes;
    uint32_t *class_cells; /* numbers by the key's hash, 0 empty, else number + 1: the committer's, and at start */
    uint32_t n_class_cells;
    struct hub_viewer **viewers;
    atomic_uint n_viewers;
    pthread_mutex_t directory_lock;
    struct hub_directory *directory;
    atomic_ullong head;    /* last seq that readers may see */
    atomic_ullong recalls; /* odd while a transaction recalls something */
    atomic_ullong ledger_size;
    uint32_t sent_most; /* HUB_SENT_MAX but in tests */
    pthread_mutex_t ledger_lock;
    struct ledger_tree tree;
    struct hub_worker workers[HUB_WORKERS_MAX];
    size_t n_workers;
    struct queue *commits;
    pthread_t committer;
    bool committer_runs;
    struct keys *committer_keys;
    atomic_bool stopping;
    struct hub_bands *bands;             /* band.c */
    struct hub_followers *followers;     /* stream.c */
    struct hub_doors *doors;             /* doors.c */
    struct hub_again *again;             /* again.c */
    struct hub_clients *clients;         /* clients.c */
    struct hub_corroborate *corroborate; /* corroborate.c */
};

/* clients.c: what the hub remembers of each connected program, for tocsin doctor: in memory alone, bounded */
struct hub_clients *hub_clients_new(void);
void hub_clients_free(struct hub_clients **clients);
void hub_clients_note(void *hub, struct taxii_who *who, const struct taxii_answered *answer); /* any thread */

/* commit.c */
int hub_commit_start(struct hub *h, struct err *err);
void hub_commit_stop(struct hub *h);
bool hub_commit_put(struct hub *h, struct hub_job *job);                   /* false: full */
uint32_t hub_class_number(struct hub *h, struct slice key, bool *new_out); /* committer */
bool hub_class_is_known(struct hub *h, struct slice key);                  /* committer */
const struct hub_class *hub_class_of(struct hub *h, uint32_t n);
struct slice hub_row_collection(struct hub *h, uint64_t seq); /* its id; for ever */

/* The open transaction. A function below that fails with ERR_STORE or ERR_DISK_FULL ends the whole group. */
struct hub_commit;
struct hub *hub_commit_hub(struct hub_commit *c);
struct arena *hub_commit_arena(struct hub_commit *c);
int hub_commit_row(struct hub_commit *c, struct store_row *row, uint64_t id_hash, int64_t reserve_us,
                   struct err *err);              /* sets seq, added_us, sha256 */
int64_t hub_commit_instant(struct hub_commit *c); /* the added_us of the next row */
uint64_t hub_commit_last_seq(const struct hub_commit *c);
int hub_commit_state(struct hub_commit *c, enum store_table t, struct slice key, struct slice value,
                     struct err *err); /* value.ptr NULL: delete */
int hub_commit_look(struct hub_commit *c, enum store_table t, struct slice key, struct buf *value_out,
                    struct err *err); /* also what this transaction put; ERR_NOT_FOUND */
int hub_commit_leaf(struct hub_commit *c, const uint8_t key[CRYPTO_KEY], struct slice record, uint64_t *leaf_out,
                    struct err *err);
void hub_commit_hide(struct hub_commit *c, uint64_t seq); /* when the transaction is durable */
void hub_commit_directory(struct hub_commit *c,
                          struct hub_directory *d); /* becomes current when the transaction is durable; takes it over */
struct hub_directory *hub_commit_directory_now(struct hub_commit *c); /* not held */
int hub_commit_viewer(struct hub_commit *c, uint32_t viewer, struct hub_grant *grants, size_t n,
                      struct err *err); /* takes grants over */
/* A row that takes `subject` back from the viewers in reach: its revoked version where the hub issued it, else a
 * tombstone. */
struct hub_recall {
    uint64_t subject;
    enum store_kind kind;
    bool deleted; /* nothing merges with it any more */
    uint32_t by;  /* its owner's viewer, who deletes it; else 0 */
    const struct bits *reach;
    const struct hub_directory *directory; /* the one that is, or will be when the transaction is durable */
};
int hub_commit_recall(struct hub_commit *c, const struct hub_recall *recall, struct err *err);
/* Viewers that see the class and may hold the row. */
void hub_commit_reach(struct hub_commit *c, uint64_t seq, struct bits *reach_out);
/* Before anybody's `delivered` is asked for a recall: a reader whose rows are on their way waits for it and looks again
 * (hub_view_close). */
void hub_commit_recalls(struct hub_commit *c);
/* The grants that this viewer will have. */
const struct hub_grant *hub_commit_grants(const struct hub_commit *c, uint32_t viewer, size_t *n_out);
/* What a leaf of this transaction tells: counted again if it fails. */
void hub_commit_told(struct hub_commit *c, uint32_t viewer, uint64_t first_seq, uint64_t last_seq, uint64_t n,
                     const uint8_t root[CRYPTO_HASH]);
struct store_reader *hub_commit_reader(struct hub_commit *c);
struct arena *hub_commit_scratch(struct hub_commit *c); /* of one recall: whoever used it resets it */
uint64_t hub_commit_envelope_number(const struct hub_commit *c);
int hub_commit_envelope(struct hub_commit *c, const struct store_envelope *e, struct err *err);
void hub_commit_recipients(struct hub_commit *c); /* some were stored: they are told how it ended */

/* A recall after which the object comes back to those in reach under another id, if it does: noted when the transaction
 * is durable. */
void hub_commit_again(struct hub_commit *c, uint64_t seq, struct slice id, struct slice reach);

/* recall.c */
struct hub_reaches;
struct hub_reaches **hub_commit_reaches(struct hub_commit *c); /* commit.c: of the transaction, NULL at its beginning */
void hub_reaches_forget_audience(struct hub_reaches *r);       /* another directory will be */
struct slice hub_reach_slice(const struct bits *reach);
void hub_commit_spare_who_sees_another(struct hub_commit *c, const struct hub_directory *d, uint64_t subject,
                                       struct slice id, struct bits *reach);
/* A version moves the object to new_class: who no longer sees it gets its restriction. */
int hub_commit_restrict_losers(struct hub_commit *c, uint64_t subject, uint32_t new_class, struct err *err);

/* merge.c: a submission's rows, leaf and envelope */
int hub_commit_submission(struct hub_commit *c, struct hub_job *job, struct err *err);

/* act.c, administer.c, change.c */
extern const struct json_limits hub_act_limits;
struct slice hub_text_of(struct arena *a, struct json row, const char *name); /* "" when absent */
/* deliver.c: one leaf for each viewer that was given something since the last one. */
struct hub_delivery {
    uint64_t first_seq, last_seq, objects;
    uint8_t root[CRYPTO_HASH];
};
int hub_commit_deliveries(struct hub_commit *c, struct err *err);
/* What the leaf's record says, as JSON. */
void hub_delivery_record(struct hub *h, const struct hub_directory *d, uint32_t viewer,
                         const struct hub_delivery *given, struct buf *out);
int hub_act_run(struct hub_commit *c, struct hub_job *job, struct err *err);
int hub_commit_change_member(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
int hub_commit_put_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                         struct err *err);
int hub_commit_put_partner(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
/* A collection's profile by its row's words: the text that came with it, or one of those compiled in; none named: open.
 */
int hub_profile_read(struct arena *a, struct json row, const struct stix_profile **out, struct err *err);
int hub_commit_put_collection(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
int hub_commit_remove_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                            struct err *err);
/* Rows for who gains and who loses classes as the directory changes. */
int hub_commit_views(struct hub_commit *c, const struct hub_directory *old, const struct hub_directory *now,
                     struct err *err);
bool hub_is_name(struct slice name); /* 1 to 64 letters, digits, '-', '_', '.' */
/* A row of members, partners or collections put, or (value.ptr NULL) taken out, with all that it means for views. */
int hub_commit_put_row(struct hub_commit *c, struct hub_job *job, enum store_table table, struct slice key,
                       struct slice value, struct err *err);
/* The same without a leaf: for an act that has one of its own. */
int hub_commit_change_row(struct hub_commit *c, enum store_table table, struct slice key, struct slice value,
                          struct err *err);
/* compromise.c: HUB_MEMBER_COMPROMISE and HUB_MEMBER_RELEASE. outcome.detail: see there. */
int hub_compromise_act(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
/* The viewer as the policy knows it; false: nobody any more. */
bool hub_viewer_is(const struct hub_directory *d, uint32_t viewer, struct share_viewer *out);
bool hub_may_see(struct hub *h, const struct hub_directory *d, uint32_t viewer, uint32_t facts_class);
struct hub_lists *hub_lists_decide(struct hub *h, const struct hub_directory *d,
                                   uint32_t viewer); /* fresh, of no grants */

/* view.c: everything that reads the store */
int hub_load(struct hub *h, struct err *err); /* at start: classes, rows, directory, viewers, tree */
/* A row for the hub's own use; slices in the arena. `viewer`: whom a row that is addressed must reach. */
int hub_read_row(struct store_reader *r, struct hub *h, uint64_t seq, uint32_t viewer, struct arena *a,
                 struct store_row *out, struct err *err);
/* A recall and whom it is addressed to, likewise. ERR_NOT_FOUND: nobody. */
int hub_recall_read(struct store_reader *r, struct hub *h, uint64_t seq, struct arena *a, struct slice *reach_out,
                    struct store_row *out, struct err *err);
/* Rows of `owner` (ADD, EXPIRE, RETRACT) behind `after` that came at `since_us` or later, give or take the second over
   which instants are drawn, in order of seq. At most HUB_SENT_MAX: *next_out is where to go on, 0: there are no more.
 */
int hub_sent_rows(struct store_reader *r, struct hub *h, uint64_t owner, int64_t since_us, uint64_t after,
                  struct arena *a, uint64_t **seqs_out, size_t *n_out, uint64_t *next_out, struct err *err);
/* When the submission came that brought this row of `viewer`'s; of an act: when it was published. */
int hub_row_received(struct store_reader *r, struct hub *h, uint64_t seq, uint32_t viewer, struct arena *a,
                     int64_t *us_out, struct err *err);
static inline bool hub_is_reached(struct slice reach, uint32_t viewer)
{
    return viewer / 8 < reach.len && ((uint8_t)reach.ptr[viewer / 8] >> (viewer % 8) & 1);
}
uint64_t hub_count_class_rows(struct hub *h, const struct bits *classes, uint64_t upto);
int hub_cursor_get(struct hub *h, struct arena *a, struct slice name, struct slice *cursor_out);
struct store_reader *hub_reader_new(struct hub *h, struct err *err);
void hub_reader_free(struct store_reader **r);

/* One open view: one worker, one call. */
struct hub_view {
    struct hub *hub;
    struct hub_worker *worker;
    struct hub_directory *directory;
    struct hub_lists *lists;
    uint32_t viewer;
    uint64_t credential; /* the party's */
    uint64_t owner;      /* 0: not a member */
    struct slice owner_text;
    bool partner;
    bool lost;         /* some ids are others for it: again.c */
    uint64_t upto;     /* head when it was opened */
    uint64_t envelope; /* whose data key is at hand; 0: none */
    uint8_t data_key[CRYPTO_KEY];
    uint64_t first_seq, last_seq, n; /* given so far */
    struct slice follower;           /* who reads, if it names itself: hub_follower_name(); set after opening */
    const struct hub_collection *collection;
    uint64_t recalls_from, recalls_to; /* the recalls between were given; 0: none */
    struct hub_given {
        uint64_t seq;
        bool own;
    } * given;
    size_t room;
    uint64_t recalls;           /* the hub's, when it was opened */
    struct crypto_hash *hashes; /* of those, one behind the other; NULL: none yet */
};
int hub_view_open(struct hub_worker *w, const struct hub_party *party, struct hub_view *out, struct err *err);
/* Counts what was given as delivered: call before the bytes leave. false: something of it was recalled meanwhile, and
 * this viewer is not told: throw the bytes away and open a view anew. */
bool hub_view_close(struct hub_view *v);
void hub_view_given(struct hub_view *v, const struct store_row *row, uint64_t at_seq, bool own); /* given.c: one row */
struct hub_view_ask {
    const struct hub_collection *collection;
    const struct taxii_filter *types; /* NULL: all */
    enum store_part part;
    bool superseded_too;
    uint32_t limit;
    size_t max_bytes;
    bool at_once; /* fn may be called inside the store's call, with bytes that end with it: it copies, and waits for
                     nothing */
};
struct hub_seen { /* what a viewer gets of a row */
    const struct store_row *row;
    struct slice id, bytes; /* its own form: the original for its owner */
    int64_t version_us;     /* as these bytes tell it */
    bool own;
};
/* given.c: it went on from one place to another, and met recalls there, or not. */
void hub_view_passed(struct hub_view *v, const struct hub_view_ask *ask, uint64_t from, uint64_t to, bool recalls);
typedef int hub_seen_fn(void *arg, const struct hub_seen *seen, const struct store_at *at);
int hub_view_page(struct hub_view *v, const struct hub_view_ask *ask, const struct store_at *after, hub_seen_fn *fn,
                  void *arg, struct store_at *at_out, bool *more_out, struct err *err);
/* By ids, its own or ours, straight from the index: every version seen (or the last of each), in order of publication,
 * after a position. */
int hub_view_objects(struct hub_view *v, const struct hub_collection *collection, const struct slice *ids, size_t n,
                     bool all_versions, const struct store_at *after, hub_seen_fn *fn, void *arg, struct err *err);
/* The envelope's data key into the view: for its owner. */
int hub_view_key(struct hub_view *v, uint64_t envelope, struct err *err);
/* form.c */
struct hub_seen hub_form_stored(const struct hub_view *v, const struct store_row *row);
/* Does the viewer's form have to be made, with keys and reads that take time? */
bool hub_form_is_work(const struct hub_view *v, const struct hub_seen *seen);
/* `place`: where the row stands for this viewer: its own seq, or that of the widening through which it has it. */
int hub_form_make(struct hub_view *v, const struct store_row *row, uint64_t place, struct hub_seen *seen,
                  struct err *err);
struct slice hub_form_id(struct hub_view *v, const struct store_row *row, uint64_t place); /* of somebody else's row */
int hub_view_position(struct hub_view *v, int64_t added_after_us, struct store_at *at_out, struct err *err);
int hub_view_status(struct hub_view *v, uint64_t envelope, struct slice *status_out, struct err *err);
struct slice hub_view_minted(struct hub_view *v, const struct hub_collection *collection,
                             struct slice id); /* its own id to ours; {NULL,0} */

/* recipient.c: who reads. Any thread, but for store and stored (committer) and load (at start). */
struct slice hub_follower_name(const struct http_head *head); /* "": it does not name itself */
struct slice hub_recipient_key(struct arena *a, uint32_t viewer, struct slice collection, struct slice follower);
struct slice hub_receipt_key(struct arena *a, struct slice recipient, char what, uint64_t seq);
void hub_recipient_given(struct hub_view *v, bool stands); /* by hub_view_close: first without, then with recalls */
/* A stream opens (1) or ends (-1); `given`: what its event id says that it was given. */
void hub_recipient_stream(struct hub *h, uint32_t viewer, struct slice collection, struct slice follower, int change,
                          uint64_t given);
/* A receipt that is good came: false: too soon after the last one, or of one too many. */
bool hub_recipient_confirms(struct hub *h, uint32_t viewer, struct slice collection, struct slice follower,
                            uint64_t upto, int64_t lease_us);
size_t hub_recipients_of(struct hub *h, uint32_t viewer, struct slice collection, struct arena *a,
                         struct hub_recipient **out);    /* copies */
bool hub_is_recipient(struct hub *h, uint32_t viewer);   /* of any collection */
bool hub_recipients_changed(const struct hub_viewer *v); /* under its lock */
int hub_recipients_store(struct hub_commit *c, uint32_t viewer, struct err *err);
void hub_recipients_stored(struct hub *h, bool good);
int hub_recipient_load(void *hub, struct slice key, struct slice value);
void hub_recipients_free(struct hub_viewer *v);

typedef int hub_pair_fn(void *arg, struct slice key, struct slice value);
int hub_receipts_scan(struct store_reader *r, struct slice from, hub_pair_fn *fn, void *arg,
                      struct err *err); /* view.c */

/* receipt.c: recipients confirm recalls */
void hub_confirm(void *hub, struct taxii_who *who, struct taxii_reply *reply); /* as taxii_backend says */
/* Checks the receipt that `by` sent and hands it to the committer; `done` is called then, and only where this returns
 * 0. `collection`: id or name. */
int hub_receipt_take(struct hub_worker *w, struct hub_party *by, struct slice collection, struct slice body,
                     hub_done_fn *done, void *arg, struct err *err);
enum { HUB_RECEIPT_NUMBERS = 5 };
struct hub_receipt {
    int64_t sent_us, at_us, counted_us;
    uint64_t done, of; /* of a hub's own recipients; of 0: it has not said */
};
/* 1: the first receipt of the recipient that covers `seq`, and the place up to which it goes; 0: none; -1. */
int hub_receipt_find(struct store_reader *r, struct arena *a, struct slice recipient, uint64_t seq,
                     struct hub_receipt *out, uint64_t *upto_out, struct err *err);
bool hub_receipt_read(struct slice value, struct hub_receipt *out);
int hub_receipt_act(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err);
enum { HUB_EVENT_NUMBERS = 7 }; /* of an event id: recalls at, content at (seq, sub, rank each), whose it is */
uint64_t hub_event_place(struct slice collection, uint32_t viewer);

/* stream.c */
struct hub_followers *hub_followers_new(struct hub *h);
void hub_followers_free(struct hub_followers **f); /* after hub_followers_stop */
void hub_followers_stop(struct hub *h);
void hub_followers_wake(struct hub *h); /* the head moved: any thread */
void hub_followers_tick(struct hub *h);
void hub_follow(void *hub, struct taxii_who *who, struct slice last_event_id, struct taxii_reply *reply);

/* compat.c: pure: bytes in, bytes out; all in `a`. What cannot be read comes out as it went in. */
enum {
    HUB_PARTS_MAX = 1000,                  /* parts of one indicator */
    HUB_PARTS_BYTES_MAX = 4 * 1024 * 1024, /* of all of them together: an indicator over either stays whole */
};
struct hub_part { /* one alternative of an indicator's pattern */
    struct slice id, pattern;
};
/* object_marking_refs with the TLP 1 id behind each TLP 2 id that has none beside it. */
struct slice hub_compat_tlp1(struct arena *a, struct slice object);
/* The parts of an indicator whose pattern is nothing but alternatives of one comparison each. A part's id is made of
   the indicator's id and of what is compared: the same in every version that has it. 0: the indicator stays whole. */
size_t hub_compat_parts(struct arena *a, struct slice object, const struct hub_part **parts_out);
/* The indicator as this part alone. `revoked_modified` empty: as the indicator is; else revoked, modified then. */
struct slice hub_compat_part(struct arena *a, struct slice object, const struct hub_part *part,
                             struct slice revoked_modified);

/* The object as STIX 2.0 has it; false: it has no such object, or this is none. */
bool hub_compat_stix20(struct arena *a, struct slice object, struct slice *out);

/* token.c: opaque, unforgeable texts for positions: a seq would count what is denied */
void hub_token_put(const struct hub *h, const char *purpose, const uint64_t *numbers, size_t n, struct buf *out);
bool hub_token_get(const struct hub *h, const char *purpose, struct slice text, uint64_t *numbers_out, size_t n);
void hub_status_id_put(const struct hub *h, uint64_t envelope, char out[36]);
bool hub_status_id_get(const struct hub *h, struct slice text, uint64_t *envelope_out);

/* again.c: releases that come back under another id. Any thread, but for put. */
struct hub_again *hub_again_new(const uint8_t token_key[CRYPTO_KEY]);
void hub_again_free(struct hub_again **again);
/* Committer, and at start: row `seq` took `id` (as rows have it) from the viewers in reach. */
void hub_again_put(struct hub *h, uint64_t seq, struct slice id, struct slice reach);
/* How often it was taken from the viewer by rows before this one. */
uint32_t hub_again_times(struct hub *h, uint32_t viewer, struct slice collection, struct slice id, uint64_t before);
struct slice hub_again_id(const struct hub *h, struct arena *a, struct slice collection, struct slice id,
                          uint32_t times);
/* The id that rows have of what some viewer reads under this one; else the id itself. */
struct slice hub_again_base(struct hub *h, struct slice id);

/* sighting.c: reports, in the transaction */
int hub_sighting_count(struct hub_commit *c, struct hub_job *job, struct hub_item *item, struct err *err);
int hub_sighting_deleted(struct hub_commit *c, uint64_t owner, struct slice id, struct err *err); /* of any id */
/* What stands in STORE_SIGHTING for each report, under "subject|owner|id of the sighting". */
struct hub_report {
    uint64_t organisation; /* as a keyed hash */
    uint64_t count;
    int64_t first_us, last_us;
    uint64_t onward; /* its reporter lets it out, in a band; 0: not, or it was withdrawn */
};
#define HUB_REPORTS_FROM ">" /* where their keys begin in that table */

/* band.c: bands, made anew after the commit where their reports or their subject changed */
struct hub_bands *hub_bands_new(void);
void hub_bands_free(struct hub_bands **b);
int hub_bands_load(struct hub *h, struct err *err);                   /* at start, before the committer */
void hub_bands_report(struct hub *h, struct slice subject);           /* committer: a report came or went */
void hub_bands_row(struct hub *h, struct slice id, uint64_t id_hash); /* committer: each row that it writes */
void hub_bands_committed(struct hub *h);                              /* committer: what it told shows now */
void hub_bands_tick(struct hub *h);                                   /* what found a queue full */
bool hub_bands_are_out(struct hub *h);                                /* none is due or on its way */
int hub_sightings_scan(struct store_reader *r, struct slice from, hub_pair_fn *fn, void *arg,
                       struct err *err); /* view.c */

/* upgrade.c */
void hub_upgrade(struct hub_job *job, size_t spare); /* items grow by those of STIX 2.0; sets room to that and spare */
void hub_upgrade_agree(
    struct hub_job *job); /* an observed-data and what was in it are accepted together or not at all */

/* corroborate.c, edges.c: edges between objects of one value */
struct hub_corroborate *hub_corroborate_new(const char *dir);
void hub_corroborate_key(struct hub *h);
void hub_corroborate_free(struct hub *h);                                  /* its workers have ended */
void hub_corroborate_wake(struct hub *h);                                  /* the head moved: any thread */
uint64_t hub_corroborate_passed(struct hub *h);                            /* the last row whose edges are durable */
void hub_corroborate_tick(struct hub *h);                                  /* what found a queue full, or a disk */
bool hub_edge_ends_stand(struct hub *h, const struct hub_edge_ends *ends); /* committer: nothing came between */
/* Does the viewer see both ends of what it is given here? Of rows that are no edges: true. It reads the store. */
bool hub_edge_is_seen(const struct hub_view *v, const struct store_row *row);

/* submit.c, attribute.c, status.c */
void hub_item_reject(struct hub_item *item, const struct err *why); /* held or refused, by the error's kind */
bool hub_item_goes_on(const struct hub_item *item);
bool hub_item_is_version(const struct stix_object *o);
struct slice hub_item_creator(const struct stix_object *o);             /* created_by_ref; {NULL,0} */
size_t hub_submit_first_of(const struct hub_job *job, struct slice id); /* in by_id; n_came: not there */
enum share_consent hub_consent_of(struct hub_job *job,
                                  struct hub_item *item); /* rejects the item where it contradicts itself */
bool hub_consent_names_everybody(enum share_consent c);
struct slice hub_creator_for(struct hub_job *job, struct slice base,
                             uint32_t tlp); /* the identity's id for this marking */
/* Of objects that the hub makes. The instant: where the committer writes it in. */
void hub_made_markings(struct buf *out, uint32_t tlp);
size_t hub_made_instant(struct buf *out, const char *name);
int hub_submit_attribute(struct hub_worker *w, struct hub_job *job, struct err *err); /* a stage */
void hub_commit_creates(struct hub_commit *c, struct hub_item *item); /* of identities that the hub makes */
struct slice hub_id_text(struct arena *a, struct slice owner_text, struct slice collection,
                         struct slice id);                    /* what a minted id is the MAC of */
void hub_submit_status(struct hub_job *job, struct buf *out); /* TAXII status resource */

/* doors.c, page.c: for taxii.c */
int hub_sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out,
                struct err *err); /* as taxii_backend says */
void hub_sign_out(void *hub, struct taxii_who **who);
struct hub_form { /* an object as it leaves */
    struct slice id, bytes;
    int64_t version_us;
};
/* flatten.c: the forms of what a viewer gets, by its member's switches; in the worker's arena. More than one only with
   HUB_COMPAT_FLATTEN: the parts, then those of earlier versions that this one no longer has, revoked. None only with
   HUB_COMPAT_STIX20. May read through the view: not inside a store's call (hub_view_ask.at_once). */
int hub_forms(struct hub_view *v, const struct hub_collection *c, uint32_t compat, const struct hub_seen *seen,
              const struct hub_form **forms_out, size_t *n_out, struct err *err);
/* markings.c: what policy lets this viewer see, with the reasons that share_decide gives. Of the viewer, the audience
   statements and the agreements alone: what the hub holds does not show. */
void hub_put_markings(const struct hub_view *v, struct buf *out);
void hub_certify(void *hub, struct taxii_who *who, struct taxii_reply *reply); /* enrol.c */
/* How a collection and a manifest name what is in a page: each version of STIX has a media type of its own. */
#define HUB_MEDIA_STIX20 "application/vnd.oasis.stix+json;version=2.0"
#define HUB_MEDIA_STIX21 "application/stix+json;version=2.1"
void hub_page(struct hub_worker *w, const struct hub_party *party, struct taxii_reply *reply);
struct hub_doors *hub_doors_new(void);
int hub_doors_start(struct hub *h, struct err *err);
void hub_doors_stop(struct hub *h); /* what waits for a password check is answered with ERR_UNAVAILABLE */
void hub_doors_free(struct hub_doors **d);

#endif

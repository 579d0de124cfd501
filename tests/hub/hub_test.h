/* tests/hub/hub_test.h: a hub in a directory of its own, with the keys process's loop in a thread, and what the tests
   do with it: members, collections, partners, submissions that wait for their answer, and the three kinds of reader. */
#ifndef TESTS_HUB_HUB_TEST_H
#define TESTS_HUB_HUB_TEST_H

#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "hub/internal.h"
#include "keys/internal.h"
#include "store/store_read.h"

#define HUB_TEST_ID "0a0a0a0a-0000-4000-8000-00000000000a"

enum { HUB_TEST_READERS = 5, HUB_TEST_CHANNELS = 3 + HUB_TEST_READERS }; /* committer, two workers, the readers */

struct hub_test {
    char dir[64];
    uint8_t secret; /* every byte of the hub's secret */
    struct keys_secrets secrets;
    int theirs[HUB_TEST_CHANNELS];
    pthread_t keys_thread;
    struct hub *hub;
    struct hub_worker readers[HUB_TEST_READERS]; /* workers without a thread: the tests read through them */
};
void hub_test_open(struct hub_test *t);  /* makes its directory */
void hub_test_start(struct hub_test *t); /* in the directory that is there */
void hub_test_stop(struct hub_test *t);  /* the directory stays */
void hub_test_close(struct hub_test *t); /* and goes */

/* ---- answers ---- */

struct hub_answer {
    bool waiting;
    int failed; /* hub_submit itself */
    struct err err;
    uint64_t envelope, leaf, first_seq, last_seq;
    uint32_t accepted, unchanged, held, refused;
    struct buf status, detail;
    pthread_mutex_t lock;
    pthread_cond_t came;
};
void hub_answer_init(struct hub_answer *a);
void hub_answer_free(struct hub_answer *a);
void hub_answer_wait(struct hub_answer *a);
void hub_answer_take(void *answer, const struct hub_outcome *o); /* a hub_done_fn */

void hub_test_act_into(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, struct slice detail,
                       struct hub_answer *a);
void hub_test_act(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* must succeed */
enum err_code hub_test_act_fails(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, const char *format,
                                 ...) __attribute__((format(printf, 4, 5)));
void hub_test_tick(struct hub_test *t);   /* delivery leaves, durable on return */
void hub_test_settle(struct hub_test *t); /* what is derived from the journal after a commit has caught up with it */

/* ---- people ---- */

/* `more`: further members of the row, each with a comma in front ("" for none). The party is the caller's. */
struct hub_party *hub_test_member(struct hub_test *t, const char *name, const char *more);
struct hub_party *hub_test_party(struct hub_test *t, const char *name); /* of a member or partner that is there */
void hub_test_collection(struct hub_test *t, const char *name, const char *more, char id_out[37]);
/* A partner whose hub's secret is all `secret`: see hub_test_sign. */
struct hub_party *hub_test_partner(struct hub_test *t, const char *name, const char *hub_id, uint8_t secret,
                                   const char *agreement);
void hub_test_sign(uint8_t secret, struct slice origin, struct slice id, enum store_kind kind, struct slice object,
                   uint8_t out[CRYPTO_SIGNATURE]);

/* What many tests begin with: collection `threats`, open to members, and three of them. Fixtures of cmocka. */
struct hub_scene {
    struct hub_test t;
    struct hub_party *bank, *clinic, *port;
    char c[37]; /* the collection's id */
    struct arena a;
};
int hub_scene_make(void **state, const char *collection, const char *bank); /* further members of those rows */
int hub_scene_set_up(void **state);
int hub_scene_tear_down(void **state);
/* The bank's, into threats; must be taken. */
void hub_scene_submit(struct hub_scene *s, unsigned n, unsigned version, const char *marking, const char *more);

/* One event of that partner, signed; must be taken. `secret` as given to hub_test_partner. */
void hub_test_receive(struct hub_test *t, struct hub_party *partner, uint8_t secret, const char *collection,
                      const struct hub_event *event);

/* ---- submitting ---- */

void hub_test_submit_into(struct hub_test *t, struct hub_party *from, const char *collection, struct slice text,
                          struct hub_answer *a); /* does not wait */
/* One envelope of these objects (comma-separated); waits. The answer is the caller's to free. */
struct hub_answer *hub_test_submit(struct hub_test *t, struct hub_party *from, const char *collection,
                                   const char *objects);
void hub_test_submit_good(struct hub_test *t, struct hub_party *from, const char *collection, const char *objects);

#define TLP_CLEAR  "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define TLP_GREEN  "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define TLP_AMBER  "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
#define TLP_STRICT "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define TLP_RED    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"

/* An indicator `n` (its id and value follow from n), modified at `version` seconds, with further members. */
struct slice hub_test_indicator(struct arena *a, unsigned n, unsigned version, const char *marking, const char *more);
/* The same, of a value that others may name too. */
struct slice hub_test_indicator_of(struct arena *a, unsigned n, unsigned value, unsigned version, const char *marking,
                                   const char *more);
struct slice hub_test_indicator_id(struct arena *a, unsigned n);
struct slice hub_test_address(struct arena *a, unsigned n, const char *marking);  /* a deterministic ipv4-addr */
struct slice hub_test_list(struct arena *a, const struct slice *items, size_t n); /* with commas */

/* ---- reading ---- */

struct hub_copy {
    struct slice id, bytes;
    uint64_t release; /* hash of the id that others read */
    int64_t added_us, version_us;
    uint64_t seq, owner;
    uint32_t facts_class;
    enum store_kind kind;
    bool own, revoked;
};
struct hub_copies {
    struct arena arena;
    struct hub_copy *items;
    size_t n, room;
};
void hub_copies_free(struct hub_copies *c);
void hub_copies_add(struct hub_copies *c, const struct hub_seen *seen);
const struct hub_copy *hub_copies_find(const struct hub_copies *c, struct slice id); /* the last of that id */

/* Everything from `at` on (moves it), in pages of `limit`. -1: the credential has ended. */
int hub_test_read_by(struct hub_worker *w, struct hub_party *p, const char *collection, enum store_part part,
                     bool superseded_too, uint32_t limit, struct store_at *at, struct hub_copies *out);
int hub_test_read(struct hub_test *t, struct hub_party *p, const char *collection, enum store_part part,
                  bool superseded_too, uint32_t limit, struct store_at *at, struct hub_copies *out);
void hub_test_fresh(struct hub_test *t, struct hub_party *p, const char *collection, struct hub_copies *out);
size_t hub_test_count(struct hub_test *t, struct hub_party *p, const char *collection); /* live ids, the hub's own
                                                                                           identities left out */
/* The live object whose bytes hold `text`: its id and bytes in the arena; {NULL,0}: none. */
struct slice hub_test_find(struct hub_test *t, struct hub_party *p, const char *collection, const char *text,
                           struct arena *a, struct slice *bytes_out);
int hub_test_get(struct hub_test *t, struct hub_party *p, const char *collection, struct slice id, bool all,
                 struct hub_copies *out);
bool hub_copy_is_recall(const struct hub_copy *c);

/* What a reader holds in the end, by id: of what came the later date counts, since whoever follows recalls and content
   meets them out of order. */
struct hub_entry {
    uint64_t id; /* hash of the id as it reads it */
    uint64_t release;
    int64_t added_us;
    struct slice bytes;
    bool live, own;
};
struct hub_holding {
    struct arena arena;
    struct hub_entry *items; /* sorted by id */
    size_t n, room;
    size_t revived; /* ids of others that came back after a revoked version: STIX revocation is final */
};
void hub_holding_free(struct hub_holding *h);
void hub_holding_take(struct hub_holding *h, const struct hub_copy *c, bool live);
const struct hub_entry *hub_holding_find(const struct hub_holding *h, uint64_t id);

bool hub_holds(struct slice text, const char *what); /* substring, in any case */

/* Files of the store grow by at most so many bytes from now on (a full disk); -1: as they like. */
void hub_test_disk(struct hub_test *t, long bytes);

/* The tree of the hub against the leaves in the store. */
void hub_test_ledger(struct hub_test *t);

/* ---- chance: the same cases for the same seed ---- */

struct chance {
    uint64_t state;
};
uint64_t chance_next(struct chance *c);
uint32_t chance_below(struct chance *c, uint32_t n);
bool chance_one_in(struct chance *c, uint32_t n);

#endif

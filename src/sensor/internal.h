/* sensor/internal.h: the parts of a sensor, for sensor/ alone.

   map.c        text to a small number, for the tables below
   brakes.c     what is never blocked, whoever submits it
   enforce.c    what is blocked: offers of indicators, leases, ceilings
   release.c    what the member let go, and the files for the enforcement points
   live.c       the live set and its journal on disk
   apply.c      what the hub says into live set, index and blocks
   follow.c     the connection: snapshot, stream, coming back
   telemetry.c  inputs that grow
   sight.c      alerts and sightings
   renew.c      the member's certificate
   receipt.c    tells the hub what is done of its recalls
   settings.c, sensor.c  settings; threads and shutdown */
#ifndef SENSOR_INTERNAL_H
#define SENSOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "sensor/sensor.h"

/* ---- map: (tag, text) to a number that the owner chose; keyed, so that no member can choose texts that collide ----
 */

struct map {
    struct match_key key;
    struct map_slot *slots;
    size_t n_slots, used; /* used counts removed slots too, until the next growth */
    size_t n;
};
struct map_slot {
    uint64_t hash; /* 0: free, 1: removed */
    uint32_t value;
};
/* The text that a number stands for: the map keeps none. */
typedef struct slice map_text_fn(const void *owner, uint32_t value, uint8_t *tag_out);

void map_open(struct map *m);
void map_close(struct map *m);
bool map_find(const struct map *m, uint8_t tag, struct slice text, map_text_fn *text_of, const void *owner,
              uint32_t *value_out);
void map_put(struct map *m, uint8_t tag, struct slice text, uint32_t value); /* not there yet */
void map_remove(struct map *m, uint8_t tag, struct slice text, map_text_fn *text_of, const void *owner);

/* ---- brakes (DESIGN.md invariant 9) ---- */

enum { BRAKES_RANGES_MAX = 4096 };

struct brakes;
/* path: the member's own list, one a line: addresses, prefixes, names (with all below them), URLs, hashes, e-mail
   addresses; '#' begins a comment. Empty: only what is built in. A line that is none of these is an error: a brake that
   was meant and does not hold is worse than none. */
int brakes_open(struct slice path, struct brakes **brakes_out, struct err *err);
void brakes_close(struct brakes **b);
/* Why it is never blocked, or NULL. One thread at a time. */
const char *brakes_reason(struct brakes *b, enum stix_value_kind kind, struct slice value);

/* ---- release.c: what the member let go: lines "kind<TAB>value<TAB>source" that stay out until the member takes them
 * out of the file ---- */

struct released {
    struct arena text;
    struct slice *items; /* "value<TAB>source" */
    uint8_t *kinds;
    size_t n, room;
    struct map map;
};
void released_close(struct released *r);
int released_read(struct released *r, struct slice path, struct err *err); /* opens it anew; no file is no line */
bool released_has(const struct released *r, enum stix_value_kind kind, struct slice value, struct slice source);
/* Adds lines to the file, durable when it returns. */
int released_append(struct slice path, struct slice lines, struct err *err);

/* ---- enforce: any thread (one mutex); times are arguments ---- */

struct enforce_conf {
    bool block;                  /* false: alert only */
    bool quiet;                  /* no events */
    const struct slice *sources; /* that may block; none: all */
    size_t n_sources;
    int64_t min_confidence, lease_us, max_entries, max_new_per_minute;
    struct slice hub;                               /* named at the top of the files */
    struct slice export_nft, export_list, released; /* paths; empty: none */
};

struct enforce_offer {
    uint64_t indicator;
    enum stix_value_kind kind;
    struct slice value, source;
    int64_t since_us;   /* first loaded */
    int64_t until_us;   /* 0: no end of its own */
    int64_t confidence; /* -1: none */
    bool loaded_before; /* from the state on disk: not counted as new */
};

struct enforce;
/* Copies conf; uses brakes, which nobody else may use meanwhile. heard_us: when the hub was last heard, as the state on
 * disk says. */
int enforce_open(const struct enforce_conf *conf, struct brakes *brakes, int64_t heard_us, int64_t now_us,
                 struct enforce **enforce_out, struct err *err);
void enforce_close(struct enforce **e);
void enforce_offer(struct enforce *e, const struct enforce_offer *offer, int64_t now_us); /* again: replaces */
void enforce_withdraw(struct enforce *e, uint64_t indicator, enum stix_value_kind kind, struct slice value,
                      int64_t now_us);
void enforce_contact(struct enforce *e, int64_t heard_us); /* the hub was heard: all leases run from here */
/* Lapses leases, ends entries, lets waiting ones in, reads what the member released. */
void enforce_tick(struct enforce *e, int64_t now_us);
/* Writes the files when something changed: at most every 50 ms, and less often when writing takes long. `now`: whatever
 * the clock says. */
int enforce_write(struct enforce *e, int64_t now_us, bool now, struct err *err);
/* What was decided up to now, as a number; and whether the files say all that had been decided at such a moment. */
uint64_t enforce_changes(struct enforce *e);
bool enforce_has_written(struct enforce *e, uint64_t changes);
void enforce_wait(struct enforce *e, int64_t most_us); /* until there is something to write; at most so long */
struct enforce_counts {
    uint64_t blocked, waiting, held;
};
void enforce_counts(struct enforce *e, struct enforce_counts *out);
/* Offers of `source` (empty: of any) since then that block now, to the file of released ones. */
int enforce_release(struct enforce *e, struct slice source, int64_t since_us, int64_t now_us, uint64_t *released_out,
                    struct err *err);

/* ---- telemetry: one input, one thread, one reader of the index ---- */

struct telemetry_conf {
    struct slice path;                 /* "-": standard input */
    const struct match_format *format; /* NULL: told from the first lines */
    struct match_index *index;
    bool from_start;   /* a file that is there already: false begins at its end */
    match_line_fn *fn; /* on the input's thread */
    void *arg;
};
struct telemetry;
/* The file is open, and what is appended from now on is read, when it returns. One that is not there yet is waited for;
   one that is rotated away (another file under the name) or cut is read to its end and then from the start of the new
   one. */
int telemetry_start(const struct telemetry_conf *conf, struct telemetry **telemetry_out, struct err *err);
void telemetry_stop(struct telemetry **t);
void telemetry_stats(struct telemetry *t, struct match_stats *out); /* any thread */

/* ---- live: the indicators that this sensor knows, and their journal on disk ----

   DIR/live is text, a line a change, each with a checksum of what stands before it; what comes last about an id counts:

       A <added> <modified> <until> <loaded> <confidence> <id> <origin> <kind> <value> [<kind> <value>]... #<checksum>
   live G <added> <modified> <id> #<checksum> gone: a tombstone C <heard> <cursor> #<checksum> the stream, up to here

   Fields are separated by one TAB, times are microseconds. Changes come before the cursor that covers them, so whatever
   a crash tears off is sent again. Rewritten whole when it has grown to twice what it needs. */

struct live_value {
    enum stix_value_kind kind;
    struct slice value;
};
struct live_item {
    struct slice id, origin;   /* origin: hub id; empty: not told */
    struct live_value *values; /* what is matched of it; n_values 0: gone */
    uint32_t n_values;
    int64_t added_us; /* date_added of the publication that said so; 0: from a page, which does not tell */
    int64_t modified_us, until_us, loaded_us; /* until 0: no end */
    int64_t confidence;                       /* -1: none */
};

struct live;
int live_open(const char *dir, bool read_only, struct live **live_out, struct err *err);
int live_close(struct live **l, struct err *err); /* everything is on disk when it returns 0 */

/* The writer (one thread at a time). Numbers are stable while it is open; gone items keep theirs. */
size_t live_count(const struct live *l); /* numbers are below this */
const struct live_item *live_at(const struct live *l, uint64_t number);
bool live_find(const struct live *l, struct slice id, uint64_t *number_out);
uint64_t live_set(struct live *l, const struct live_item *item);             /* copies; a new id gets a new number */
void live_set_cursor(struct live *l, struct slice cursor, int64_t heard_us); /* cursor empty: as before */
void live_forget_cursor(struct live *l);
struct slice live_cursor(const struct live *l);  /* empty: from the beginning */
int64_t live_heard(const struct live *l);        /* 0: never */
int live_flush(struct live *l, struct err *err); /* to the file (not to the platter), the cursor last */
int live_sync(struct live *l, struct err *err);  /* to the platter too */

/* Any thread. */
bool live_get_id(struct live *l, uint64_t number, struct arena *a, struct slice *id_out,
                 struct slice *origin_out); /* false: gone */
int live_write_list(struct live *l, const char *path, size_t *n_out,
                    struct err *err); /* "kind<TAB>value", sorted, each once */

bool value_kind_find(struct slice name, enum stix_value_kind *kind_out);

/* ---- apply: any thread; its lock makes them one writer of live set and index ---- */

struct apply;
struct apply *apply_new(struct live *live, struct match_index *index, struct enforce *enforce);
void apply_free(struct apply **a);
void apply_live(struct apply *a,
                int64_t now_us); /* once, at the start: what the state on disk says into index and blocks */
/* One event of the stream, and its cursor. Events may come twice and recalls before what they recall: the later
   publication counts. What cannot be understood is told and passed over. */
void apply_event(struct apply *a, const struct http_event *event, int64_t now_us);
/* A snapshot: begin, every object of all pages, end: what was not among them is gone. */
void apply_snapshot_begin(struct apply *a);
void apply_snapshot_object(struct apply *a, struct json object, int64_t now_us);
void apply_snapshot_end(struct apply *a, int64_t now_us);
/* Ends what valid_until ends, and brings the journal to the file; heard: the hub is there now. */
void apply_tick(struct apply *a, bool heard, int64_t now_us);
void apply_forget_cursor(struct apply *a);
struct slice apply_cursor(struct apply *a, struct arena *to);
size_t apply_count(struct apply *a); /* live indicators */
/* The cursor, when a recall was applied since the last call, and once in each run: index and blocks have let go of
   whatever was recalled up to there, the files perhaps not yet. Empty: nothing new. */
struct slice apply_recalled(struct apply *a, struct arena *to);
int apply_sync(struct apply *a, struct err *err); /* what was applied is on the platter */

/* ---- receipts: one thread ---- */

struct receipts_conf {
    struct taxii_client_conf client; /* its slices, and the others, outlive the receipts */
    struct slice key, follower;      /* key: the seed, in hexadecimal */
    int64_t lease_us;
    struct apply *apply;
};
struct receipts;
int receipts_start(const struct receipts_conf *conf, struct receipts **receipts_out, struct err *err);
void receipts_stop(struct receipts **r);
void receipts_confirm(struct receipts *r, struct slice event); /* whatever was recalled up to this event is done */
/* This sensor's name among those of its member: made once, kept in the file. */
int receipts_follower(const char *path, struct arena *a, struct slice *name_out, struct err *err);

/* ---- follow: one thread ---- */

struct follow_conf {
    struct taxii_client_conf client; /* its slices outlive the follower */
    struct apply *apply;
};
struct follow;
int follow_start(const struct follow_conf *conf, struct follow **follow_out, struct err *err);
void follow_stop(struct follow **f);
bool follow_is_up(struct follow *f);    /* the hub was heard within the last half minute */
bool follow_is_ready(struct follow *f); /* everything that the hub had is loaded, or was loaded once and is on disk */

/* ---- renew: one thread; the member's certificate, where its client file names one ---- */

#define RENEW_PATIENCE_US (INT64_C(10) * 1000000)
struct renew;
int renew_start(const struct taxii_client_conf *client, struct renew **renew_out, struct err *err);
void renew_stop(struct renew **r);
/* Its steps. Only what stands in a file of its own, together with its key, can be replaced in one piece. */
bool renew_can(const struct taxii_client_conf *conf);
bool renew_is_due(int64_t until_us, int64_t now_us); /* 30 days ahead */
int renew_until(const struct taxii_client_conf *conf, int64_t *until_us_out, struct err *err);
int renew_now(const struct taxii_client_conf *conf, struct err *err);

/* ---- sight: hits become alerts in the event log and, as far as the member's rule goes, sightings at the own hub
   (DESIGN.md invariant 8). One STIX sighting an indicator, of which later versions count on: DIR/sightings keeps them
   over restarts and silence of the hub. ---- */

struct sight_conf {
    struct live *live;
    enum sensor_report own; /* none, aggregate (times to the hour, at most every `every_us`; the first at once), full
                               (exact times, each second) */
    bool onward;            /* the own hub may count it in a band for partners */
    int64_t every_us;
    struct slice spool; /* path */
    struct taxii_client_conf client;
};
struct sight;
int sight_start(const struct sight_conf *conf, struct sight **sight_out, struct err *err);
void sight_stop(struct sight **s, struct err *err); /* what is not sent is on disk */
void sight_hit(void *sight, const struct match_line *line,
               const struct match_hit *hit); /* a match_line_fn; any thread; never waits */
/* For one sighting as JSON, in `out`; what is sent. */
struct sighting {
    char id[47]; /* "sighting--" and a UUID */
    struct slice indicator;
    int64_t created_us, first_us, last_us;
    uint64_t count, sent_count;
    int64_t sent_us; /* 0: never */
};
void sighting_put(struct buf *out, const struct sighting *s, const struct sight_conf *conf, int64_t now_us);
bool sighting_is_due(const struct sighting *s, const struct sight_conf *conf, int64_t now_us);

#endif

/* sensor/internal.h: the parts of a sensor, for sensor/ alone.

   map.c        text to a small number, for the tables below
   brakes.c     what is never blocked, whoever submits it
   enforce.c    what is blocked: offers of indicators, leases, ceilings
   release.c    what the member let go, and the files for the enforcement points
   live.c       the live set and its journal on disk
   follow.c     the hub's stream into live set, index and blocks
   telemetry.c  inputs that grow
   sight.c      alerts and sightings
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

#endif

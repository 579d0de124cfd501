/* match/internal.h: the parts of the index, for match/ alone.

   cells.c   memory of the entries, named by 32-bit numbers
   table.c   buckets of tags, the only thing that a lookup without a hit touches
   index.c   the writer: add, remove, grow
   reader.c  epochs, match_value()
   format.c  telemetry lines; eve.c and plain.c are its rows */
#ifndef MATCH_INTERNAL_H
#define MATCH_INTERNAL_H

#include <stdatomic.h>

#include "match/match.h"

/* ---- cells: entries live in chunks of 1 MiB and are named by their place in units of 8 bytes. Never moved. ---- */

enum {
    CELL_UNIT = 8,
    CELL_CHUNK = 1 << 20,
    CELL_CHUNK_UNITS = CELL_CHUNK / CELL_UNIT,
    CELL_CHUNKS = 1 << 15, /* times CELL_CHUNK: 32 GiB, all that 32 bits can name */
    CELL_RESERVE = 64,     /* chunks kept for removals, which copy what stays */
    CELL_SMALL = 512,      /* up to here one free list for each multiple of the unit, above for each power of two */
    CELL_LARGE = 1 << 16,
    CELL_CLASSES = CELL_SMALL / CELL_UNIT + 8
};

struct cells {
    char *_Atomic *chunks; /* CELL_CHUNKS */
    uint32_t n_chunks, at; /* `at`: units used of the newest chunk */
    uint32_t free[CELL_CLASSES];
};

/* What is indexed: immutable once a reader can reach it. A change makes a new entry and retires the old one. */
struct entry {
    uint32_t n; /* indicators that carry the value */
    uint16_t len;
    uint8_t kind;
    bool exact; /* a public suffix: says nothing about the names below it */
    uint64_t indicators[];
    /* the value's bytes follow */
};

void cells_open(struct cells *c);
void cells_close(struct cells *c);
uint32_t cells_take(struct cells *c, size_t size); /* never 0 */
void cells_give(struct cells *c, uint32_t ref, size_t size);

static inline bool cells_are_full(const struct cells *c)
{
    return c->n_chunks >= CELL_CHUNKS - CELL_RESERVE;
}

static inline void *cells_at(const struct cells *c, uint32_t ref)
{
    char *chunk = atomic_load_explicit(&c->chunks[ref / CELL_CHUNK_UNITS], memory_order_acquire);

    return chunk + (size_t)(ref % CELL_CHUNK_UNITS) * CELL_UNIT;
}

static inline size_t entry_size(size_t n, size_t len)
{
    return sizeof(struct entry) + n * sizeof(uint64_t) + len;
}

static inline struct slice entry_value(const struct entry *e)
{
    return slice_n((const char *)&e->indicators[e->n], e->len);
}

/* ---- table: one bucket is one cache line of fifteen tags. The tag is the upper half of the hash, the lower half says
   which bucket is home; a full bucket overflows into the next. The refs stand apart and are read on a hit alone. ----
 */

enum { BUCKET_SLOTS = 15, BUCKET_LOAD = 10 /* entries a bucket on average, before the table grows */ };

struct bucket {
    _Atomic uint32_t tags[BUCKET_SLOTS]; /* 0: free */
    _Atomic uint32_t past;               /* entries that came by here and stand further on; 0: a search ends here */
};

struct table {
    struct bucket *buckets;
    _Atomic uint32_t *refs; /* BUCKET_SLOTS a bucket */
    uint32_t n_buckets;
    size_t used; /* writer only */
};

struct slot {
    uint32_t bucket, at;
};

struct table *table_new(size_t entries);
void table_free(struct table **t);
/* The entry for (kind, value), or NULL. Reader or writer. `slot_out` may be NULL. */
const struct entry *table_find(const struct table *t, const struct cells *cells, uint64_t hash,
                               enum stix_value_kind kind, struct slice value, struct slot *slot_out);
void table_prefetch(const struct table *t, uint64_t hash);
/* Writer only. insert: the value is not there yet, and the table is not full. replace: the same value in a new entry.
 */
struct slot table_insert(struct table *t, uint64_t hash, uint32_t ref);
void table_replace(struct table *t, struct slot slot, uint32_t ref);
void table_remove(struct table *t, uint64_t hash, struct slot slot);

/* The ref in a slot, 0 for a free one. Writer only. */
static inline uint32_t table_ref(const struct table *t, struct slot s)
{
    if (atomic_load_explicit(&t->buckets[s.bucket].tags[s.at], memory_order_relaxed) == 0)
        return 0;
    return atomic_load_explicit(&t->refs[(size_t)s.bucket * BUCKET_SLOTS + s.at], memory_order_relaxed);
}

/* ---- epochs: what the writer takes out is freed once every reader has been seen outside or in a later epoch ---- */

struct retired {
    uint64_t epoch;
    struct table *table; /* or NULL and */
    uint32_t ref, size;
};

struct match_reader {
    _Atomic uint64_t epoch; /* 0: outside */
    atomic_bool taken;
    uint32_t depth; /* enters not yet left; the reader's own */
    struct match_index *index;
    struct arena line; /* what one line of telemetry needs */
} __attribute__((aligned(128)));

/* A moment between two lookups at which the reader holds nothing: lets the writer free what it retired. Cheap. */
void reader_pause(struct match_reader *r);
/* Takes the first label off: false when fewer than two would be left, or the name is longer than any (RFC 1035
 * section 2.3.4). */
bool domain_parent(struct slice *name);

struct match_index {
    struct table *_Atomic table; /* what readers read: always complete */
    struct cells cells;
    struct match_key keys[STIX_VALUE_KINDS]; /* one a kind */
    _Atomic uint64_t epoch;
    atomic_size_t pairs;
    struct match_reader readers[MATCH_READERS_MAX];
    /* the writer's own */
    struct table
        *growing; /* NULL, or the larger table that takes over when bucket `moved` reaches the end of `table` */
    uint32_t moved;
    struct retired *retired; /* a ring, oldest first */
    size_t retired_at, retired_n, retired_cap, retired_seen;
};

/* ---- telemetry: format.c cuts lines and collects what they name; a format only finds the values in one line ---- */

enum {
    SCAN_PROBES = 64, /* lookups in flight: their cache lines are fetched while the next values are still being found */
    SCAN_BATCH = 16 * 1024,  /* bytes of text between two resets of the arena */
    SCAN_LINE_MAX = 1 << 20, /* bytes of one line */
    SCAN_HITS = 64           /* indicators of one line that are remembered, so that each is told once */
};

struct scan_probe {
    uint64_t hash;
    enum stix_value_kind kind;
    bool whole; /* not what is left behind a dot of a domain name */
    struct slice value, seen, field;
    struct slice line, time;
};

struct scan {
    struct match_reader *reader;
    const struct match_format *format;
    match_line_fn *fn;
    void *arg;
    struct match_stats *stats;
    struct arena *arena;     /* lives until the lookups of this line are done */
    struct slice line, time; /* of the line now scanned; `time` as it is written there, empty when it is not */
    struct scan_probe probes[SCAN_PROBES];
    uint32_t n_probes;
    /* of the line whose hits are being told */
    struct slice told_line;
    const struct entry *told_values[SCAN_HITS];
    uint64_t told[SCAN_HITS];
    uint32_t n_told, n_told_values;
};

struct match_format {
    struct slice name;
    bool (*line)(struct scan *s);                          /* false: a bad line */
    int64_t (*time)(struct slice line, struct slice time); /* asked for a line with hits; 0: unknown */
};

bool eve_line(struct scan *s);
int64_t eve_time(struct slice line, struct slice time);
bool eve_detect(struct slice first_line);
bool plain_line(struct scan *s);
int64_t plain_time(struct slice line, struct slice time);

/* One value of the line, as it stands there; it is brought into normal form and looked up. What is no such value is
   passed over. `seen` and `field` stay valid until the line's lookups are done. */
void scan_address(struct scan *s, struct slice seen, struct slice field); /* IPv4 or IPv6 */
void scan_domain(struct scan *s, struct slice seen, struct slice field);
void scan_host(struct scan *s, struct slice seen, struct slice field); /* any of these, perhaps with a port */
void scan_url(struct scan *s, struct slice seen, bool defanged, struct slice field); /* and its host */
void scan_hash(struct scan *s, struct slice seen, struct slice field);
bool scan_email(struct scan *s, struct slice seen, bool defanged,
                struct slice field); /* and the name behind the @; false: it is none */
void scan_normal(struct scan *s, enum stix_value_kind kind, struct slice normal, struct slice seen, struct slice field);

#endif

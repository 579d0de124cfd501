/* match/match.h: does it happen here. Memory in, hits out: no file, no socket. One writer thread (add, remove); any
   number of readers, which never lock and never miss a live entry. Pure but for the random seed that it takes from the
   system. Values are in STIX normal form (stix/stix.h). */
#ifndef MATCH_MATCH_H
#define MATCH_MATCH_H

#include "stix/stix.h"

enum {
    MATCH_VALUE_MAX = 8192,      /* bytes of a value */
    MATCH_INDICATORS_MAX = 4096, /* that may carry one value: each change copies the list */
    MATCH_READERS_MAX = 64       /* of one index at a time */
};

struct match_index;
struct match_hit {
    uint64_t indicator; /* the number it was added under */
    enum stix_value_kind kind;
    struct slice value; /* as indexed */
    struct slice seen;  /* as it stood in the telemetry */
    struct slice field; /* "src_ip", "dns.rrname", "line" */
};
typedef void match_hit_fn(void *arg, const struct match_hit *hit); /* slices valid during the call */

struct match_index *match_index_new(size_t expected); /* values; grows beyond */
void match_index_free(struct match_index **ix);
/* Writer only. A value may carry several indicators, and an indicator several values; adding a pair again changes
   nothing. A domain also matches its subdomains, unless it is a public suffix (co.uk, github.io): that matches exactly.
   ERR_PATTERN_UNSUPPORTED for kinds that are not matched (yet), ERR_LIMIT_STRING and ERR_LIMIT_MEMBERS for the limits
   above, ERR_LIMIT_VALUES when 32 GiB are full. */
int match_index_add(struct match_index *ix, uint64_t indicator, enum stix_value_kind kind, struct slice value,
                    struct err *err);
void match_index_remove(struct match_index *ix, uint64_t indicator, enum stix_value_kind kind,
                        struct slice value);            /* seen by readers on return */
size_t match_index_count(const struct match_index *ix); /* (indicator, value) pairs; any thread */

struct match_reader; /* one a thread; frees memory that the writer retired only when no reader can see it */
struct match_reader *match_reader_new(struct match_index *ix); /* NULL: MATCH_READERS_MAX are there */
void match_reader_free(struct match_reader **r);
/* Brackets around many lookups; they nest. Each lookup enters by itself too, but that is a full memory barrier, which
   costs about as much as a lookup. Memory that the writer retires waits for the leave: leave every few milliseconds. */
void match_reader_enter(struct match_reader *r);
void match_reader_leave(struct match_reader *r);
uint32_t match_value(struct match_reader *r, enum stix_value_kind kind, struct slice normal, struct slice seen,
                     struct slice field, match_hit_fn *fn, void *arg); /* hits */

/* Telemetry: whole lines (the last one may lack its newline). Fields come from one declarative table per format. A bad
 * line is counted, never fatal. */
struct match_format; /* a row: eve, lines */
const struct match_format *match_format_find(struct slice name);
const struct match_format *match_format_detect(struct slice first_lines); /* falls back to plain lines */
struct slice match_format_name(const struct match_format *f);
struct match_stats {
    uint64_t lines, bytes, bad_lines, values, hits;
};
struct match_line { /* what a hit callback may want to know about its line */
    struct slice text;
    int64_t time_us; /* of the event itself; 0: the line does not say */
};
/* One line tells of an indicator once, whichever of its values stand there and however often. */
typedef void match_line_fn(void *arg, const struct match_line *line, const struct match_hit *hit);
void match_lines(struct match_reader *r, const struct match_format *f, struct slice lines, match_line_fn *fn, void *arg,
                 struct match_stats *stats);

/* ---- what the index is made of, for other tables of values ---- */

/* SipHash-1-3 (Aumasson and Bernstein 2012) under a random key: nobody outside can choose values that collide. */
struct match_key {
    uint64_t k0, k1;
};
void match_key_random(struct match_key *keys, size_t n);
uint64_t match_hash(const struct match_key *key, struct slice value);
/* co.uk, github.io (publicsuffix.org, with the rules of companies): whoever names one names everybody below it. `name`
 * in normal form. */
bool match_is_public_suffix(struct slice name);

#endif

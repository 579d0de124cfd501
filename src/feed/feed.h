/* feed/feed.h: other dialects, out: what an enforcement point loads. Pure: entries in, text out; whoever calls writes
   the files. A format is a row of one table. Values are checked again before they are written: nothing in a feed comes
   out as a command. */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include "stix/stix.h"

struct feed_entry {
    enum stix_value_kind kind;
    struct slice value;  /* normal form (stix_value_normal) */
    int64_t until_us;    /* when the block lapses; 0: no end */
    struct slice source; /* whose indicator it is; no format writes it (a list may be seen by others) */
};

struct feed_head { /* for the comment at the top, and the clock that lapses are told from */
    struct slice hub;
    uint64_t serial;
    int64_t made_us;
    int64_t until_us; /* when the whole lapses; 0: not told */
};

struct feed_format {
    struct slice name;    /* "nft", "list" */
    struct slice suffix;  /* of a file: ".nft" */
    struct slice content; /* media type */
    bool (*takes)(enum stix_value_kind kind);
    /* The whole, which replaces what was loaded before. Both return the entries written: those of kinds that the format
       does not take, values that are not safe and entries that have lapsed are passed over. */
    size_t (*write)(struct buf *out, const struct feed_head *head, const struct feed_entry *entries, size_t n);
    /* Only what changed: `removed` first, then `added` (a renewed lease is an added entry). Removing what is not there
       is no error. NULL: the format has no such form. */
    size_t (*write_delta)(struct buf *out, const struct feed_head *head, const struct feed_entry *added, size_t n_added,
                          const struct feed_entry *removed, size_t n_removed);
};

const struct feed_format *feed_formats(size_t *n_out);
const struct feed_format *feed_format_find(struct slice name); /* NULL: none of that name */

#endif

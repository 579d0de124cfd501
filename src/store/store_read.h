/* store/store_read.h: the reading half of the store. There is no unfiltered read of content: a page names the classes
   that its viewer may see. Each call is one short read transaction. A callback may not call the reader that calls it
   (it asserts); another reader it may. */
#ifndef STORE_STORE_READ_H
#define STORE_STORE_READ_H

#include "base/arena.h"
#include "store/store.h"

struct store_reader;
int store_reader_open(struct store *s, struct store_reader **reader_out, struct err *err); /* one thread at a time */
void store_reader_close(struct store_reader **reader);

struct store_query {
    const struct store_list *lists; /* sorted by class */
    size_t n_lists;
    uint64_t owner;     /* also the rows of this owner in `owner_classes`, whatever the lists say; 0: none. Rows with
                           `reach` are not meant */
    bool own_originals; /* of rows of other owners `original` is not read, and empty */
    const struct bits
        *owner_classes;      /* classes (of the asked collection and types) that an owner's rows may have; NULL: all */
    uint32_t viewer;         /* its number: rows with `reach` are for those whose bit is set */
    const struct bits *skip; /* superseded rows, by seq: not given, wherever they stand; NULL: skip none */
    enum store_part part;
    struct store_at after;
    uint64_t upto;    /* nothing past this seq (the head that the caller saw) */
    uint32_t limit;   /* rows given at most */
    size_t max_bytes; /* bodies given at most, but at least one row; 0: no bound */
};
/* `added_us` of a row out of a WIDEN expansion is the reserved instant, kind is STORE_ADD, and `at` tells where the row
   stands. The row is valid during the call; nonzero stops after this row (it counts as given). */
typedef int store_row_fn(void *arg, const struct store_row *row, const struct store_at *at);

/* Rows in order of publication: a merge over lists by (class, seq), so that the cost follows what is given and not what
   is denied. *more_out: a further row exists. *at_out: position of the last row given (query->after when none). Without
   more, a follower may go on from {upto, UINT64_MAX, 0} and so not meet again what `skip` hid. A WIDEN row that reaches
   the viewer stands for the content rows with a body (ADD and EXPIRE) of its classes up to its up_to_seq, in order of
   seq; given are those whose class is in `lists` with this row as its held_from, and that `skip` does not hide. The
   rank, and with it added_us, counts all of them, so no filter moves it. */
int store_page(struct store_reader *r, const struct store_query *q, store_row_fn *fn, void *arg,
               struct store_at *at_out, bool *more_out, struct err *err);
/* The position after which rows have added_us > us: a binary search over seq, into a WIDEN row's range where needed
 * (rank and sub). */
int store_position(struct store_reader *r, int64_t us, uint64_t upto, struct store_at *at_out, struct err *err);
/* One row by seq (not past upto), if its class is in lists (from held_from on or by a widening), or its owner is
   `owner` and its class in owner_classes; a row with `reach` if that names the viewer: else ERR_NOT_FOUND. part, skip,
   after and limit do not matter, and added_us is that of its own place. */
int store_row_get(struct store_reader *r, uint64_t seq, const struct store_query *q, store_row_fn *fn, void *arg,
                  struct err *err);
/* Whom the row is addressed to: the bitmap alone, without a word of content. ERR_NOT_FOUND where the row has none. */
int store_reach(struct store_reader *r, uint64_t seq, struct buf *reach_out, struct err *err);
int store_envelope_get(struct store_reader *r, uint64_t n, struct arena *a, struct store_envelope *out,
                       struct err *err); /* ERR_NOT_FOUND */
int store_leaf_get(struct store_reader *r, uint64_t n, uint8_t leaf_out[32], struct err *err);
int store_get(struct store_reader *r, enum store_table t, struct slice key, struct buf *value_out,
              struct err *err); /* replaces what is there; ERR_NOT_FOUND */
typedef int store_pair_fn(void *arg, struct slice key, struct slice value);
int store_scan(struct store_reader *r, enum store_table t, struct slice from, store_pair_fn *fn, void *arg,
               struct err *err); /* by key; nonzero stops */
/* The narrow side table of the journal, for rebuilding what the committer keeps in memory: no content in it. */
struct store_brief {
    uint64_t seq, key, subject_seq, owner;
    int64_t added_us, source_us, valid_until_us;
    uint32_t facts_class;
    uint64_t id_hash; /* first 8 bytes of SHA-256(id), little endian */
    uint8_t kind;
    bool bare; /* without a body: told of rows without `reach` alone */
};
typedef int store_brief_fn(void *arg, const struct store_brief *brief);
int store_scan_brief(struct store_reader *r, uint64_t after_seq, store_brief_fn *fn, void *arg, struct err *err);
/* Recalls with a body, in order: ids and whom they reach. */
typedef int store_recall_fn(void *arg, uint64_t seq, struct slice id, struct slice reach);
int store_scan_recalls(struct store_reader *r, store_recall_fn *fn, void *arg, struct err *err);
int store_head_seq(struct store_reader *r, uint64_t *seq_out, int64_t *last_added_out, struct err *err);

#endif

/* store/store_index.h: the derived index, index.db beside the journal: pairs of numbers by a number whose order is
   random. Outside the commit (such an index in it made 33,000 objects/s of 190,000), never synced, and made anew from
   the journal when it is missing, damaged, of another version or survived a crash of the machine. Only
   hub/corroborate.c includes this. One thread at a time. */
#ifndef STORE_STORE_INDEX_H
#define STORE_STORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store_index;
struct store_index_pair {
    uint64_t a, b;
};
struct store_index_place { /* of the journal: everything up to and with it was passed. `mark`: something of that row */
    uint64_t seq, mark;
};

/* Opens DIR/index.db (0600), or makes it anew: then the place is {0, 0}. */
int store_index_open(const char *dir, struct store_index **index_out, struct err *err);
void store_index_close(struct store_index **index); /* synced: what is closed so is good after any crash */
/* Closes without a word to the file, and removes it. */
int store_index_remove(const char *dir, struct store_index **index, struct err *err);
struct store_index_place store_index_place(const struct store_index *x);

/* Everything between stands together or not at all. After an error: roll back. */
int store_index_begin(struct store_index *x, struct err *err);
int store_index_commit(struct store_index *x, struct store_index_place place, struct err *err);
void store_index_rollback(struct store_index *x);
int store_index_put(struct store_index *x, uint64_t key, struct store_index_pair pair, struct err *err); /* by key, a */
int store_index_drop(struct store_index *x, uint64_t key, uint64_t a, struct err *err); /* absent is fine */
/* In the order of a, at most `limit`, which pairs_out has room for. */
int store_index_find(struct store_index *x, uint64_t key, size_t limit, struct store_index_pair *pairs_out,
                     size_t *n_out, struct err *err);
void store_index_rest(struct store_index *x); /* nothing will be asked for a while: gives its memory back */

#endif

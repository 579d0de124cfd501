/* store/store_write.h: the writing half of the store. Committer's thread only. After an error in a transaction every
   further call in it answers with that error; roll back, and the store is usable again. */
#ifndef STORE_STORE_WRITE_H
#define STORE_STORE_WRITE_H

#include "store/store.h"

struct store_head {
    uint64_t next_seq, next_envelope; /* from 1 */
    uint64_t next_leaf;               /* from 0: the leaf's index, the size of the tree */
    int64_t last_added_us;            /* with what WIDEN rows reserved */
};

int store_begin(struct store *s, struct store_head *head_out, struct err *err);
/* Asserted: seq is the next one, added_us after last_added_us, a WIDEN row has a grant with up_to_seq before itself and
   no body. `list`s of classes below 2^20 are kept in memory, 8 bytes each. */
int store_append(struct store *s, const struct store_row *row, struct err *err);
int store_append_envelope(struct store *s, const struct store_envelope *e, struct err *err);
int store_append_leaf(struct store *s, uint64_t n, const uint8_t leaf[32], struct slice sealed_record, struct err *err);
int store_put(struct store *s, enum store_table t, struct slice key, struct slice value, struct err *err);
int store_delete(struct store *s, enum store_table t, struct slice key, struct err *err); /* absent is fine */
int store_look(struct store *s, enum store_table t, struct slice key, struct buf *value_out,
               struct err *err); /* also what this transaction put; replaces what is in value_out; ERR_NOT_FOUND */
/* For the grant of a WIDEN row: how many content rows with a body (ADD and EXPIRE without `reach`) the classes hold up
   to and with `upto`, also those of this transaction. `classes` sorted, none twice. Some 30 ns a row. */
int store_count_content(struct store *s, const uint32_t *classes, size_t n, uint64_t upto, uint64_t *n_out,
                        struct err *err);
int store_commit(
    struct store *s,
    struct err *err); /* durable on 0; on -1 (ERR_DISK_FULL, ERR_STORE) nothing happened and the transaction is over */
void store_rollback(struct store *s);

#endif

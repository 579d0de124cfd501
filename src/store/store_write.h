/* store/store_write.h: the writing half of the store. Committer's thread only. */
#ifndef STORE_STORE_WRITE_H
#define STORE_STORE_WRITE_H

#include "store/store.h"

struct store_head {
    uint64_t next_seq, next_envelope, next_leaf;
    int64_t last_added_us; /* with what WIDEN rows reserved */
};

int store_begin(struct store *s, struct store_head *head_out, struct err *err);
int store_append(struct store *s, const struct store_row *row, struct err *err); /* row->seq must be the next one */
int store_append_envelope(struct store *s, const struct store_envelope *e, struct err *err);
int store_append_leaf(struct store *s, uint64_t n, const uint8_t leaf[32], struct slice sealed_record, struct err *err);
int store_put(struct store *s, enum store_table t, struct slice key, struct slice value, struct err *err);
int store_delete(struct store *s, enum store_table t, struct slice key, struct err *err); /* absent is fine */
int store_commit(struct store *s, struct err *err);   /* durable on 0; on -1 (ERR_DISK_FULL, ERR_STORE) nothing happened and the transaction is over */
void store_rollback(struct store *s);

#endif

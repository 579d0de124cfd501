/* ledger/ledger.h: how it is proved. The hash tree of RFC 6962 section 2.1, growing at its right edge, and its proofs.
   Pure; crypto_start() has run. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/buf.h"
#include "base/err.h"

enum { LEDGER_HASH = 32, LEDGER_LEVELS = 64, LEDGER_SALT = 32 };

/* A value: copy it before a transaction, put it back on rollback. */
struct ledger_tree {
    uint64_t size;
    uint8_t edge[LEDGER_LEVELS]
                [LEDGER_HASH]; /* edge[i] holds the full subtree of 2^i leaves where bit i of size is set */
};

/* An entry is SHA-256 of a salted record; its leaf hash is SHA-256(0x00 || entry) (DESIGN.md section 7). */
void ledger_entry(const uint8_t salt[LEDGER_SALT], struct slice record, uint8_t entry_out[LEDGER_HASH]);
void ledger_leaf(const uint8_t entry[LEDGER_HASH], uint8_t leaf_out[LEDGER_HASH]);
void ledger_node(const uint8_t left[LEDGER_HASH], const uint8_t right[LEDGER_HASH], uint8_t out[LEDGER_HASH]);

void ledger_add(struct ledger_tree *t, const uint8_t leaf[LEDGER_HASH]);
void ledger_root(const struct ledger_tree *t, uint8_t root_out[LEDGER_HASH]); /* size 0: SHA-256 of nothing */
void ledger_put(const struct ledger_tree *t, struct buf *out);                /* size and the edges in use */
int ledger_get(struct slice text, struct ledger_tree *t_out, struct err *err);

/* Proofs, RFC 9162 sections 2.1.3 and 2.1.4. `leaf_at` gives the leaf hash of an index, nonzero when it cannot. Making
   one asks for up to `size` leaves and hashes as many nodes: some 0.3 s a million leaves. A path is a run of 32-byte
   hashes. Errors: ERR_LEDGER (index or size out of range, a leaf that cannot be read). Consistency from size 0 says
   nothing: it is neither made nor accepted. */
typedef int ledger_leaf_fn(void *arg, uint64_t index, uint8_t leaf_out[LEDGER_HASH]);
int ledger_prove_inclusion(ledger_leaf_fn *leaf_at, void *arg, uint64_t index, uint64_t size, struct buf *path_out,
                           struct err *err);
int ledger_prove_consistency(ledger_leaf_fn *leaf_at, void *arg, uint64_t old_size, uint64_t size, struct buf *path_out,
                             struct err *err);
bool ledger_check_inclusion(const uint8_t leaf[LEDGER_HASH], uint64_t index, uint64_t size, struct slice path,
                            const uint8_t root[LEDGER_HASH]);
bool ledger_check_consistency(uint64_t old_size, const uint8_t old_root[LEDGER_HASH], uint64_t size,
                              const uint8_t root[LEDGER_HASH], struct slice path);

#endif

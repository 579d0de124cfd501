#include "ledger/ledger.h"

#include <assert.h>

#include "base/crypto.h"

static struct slice hash_slice(const uint8_t hash[LEDGER_HASH])
{
    return slice_n((const char *)hash, LEDGER_HASH);
}

void ledger_entry(const uint8_t salt[LEDGER_SALT], struct slice record, uint8_t entry_out[LEDGER_HASH])
{
    crypto_sha256_2(slice_n((const char *)salt, LEDGER_SALT), record, entry_out);
}

/* RFC 6962 section 2.1: MTH({d(0)}) = SHA-256(0x00 || d(0)). */
void ledger_leaf(const uint8_t entry[LEDGER_HASH], uint8_t leaf_out[LEDGER_HASH])
{
    crypto_sha256_2(slice_n("\x00", 1), hash_slice(entry), leaf_out);
}

/* RFC 6962 section 2.1: SHA-256(0x01 || left || right). `out` may be either child. */
void ledger_node(const uint8_t left[LEDGER_HASH], const uint8_t right[LEDGER_HASH], uint8_t out[LEDGER_HASH])
{
    char node[1 + 2 * LEDGER_HASH] = {1};

    memcpy(node + 1, left, LEDGER_HASH);
    memcpy(node + 1 + LEDGER_HASH, right, LEDGER_HASH);
    crypto_sha256(slice_n(node, sizeof node), out);
}

/* Adding one to `size` carries through its low set bits; each carry joins two full subtrees of one height. */
void ledger_add(struct ledger_tree *t, const uint8_t leaf[LEDGER_HASH])
{
    uint8_t hash[LEDGER_HASH];
    unsigned level = 0;

    assert(t->size < UINT64_MAX);
    memcpy(hash, leaf, LEDGER_HASH);
    for (; t->size >> level & 1; level++)
        ledger_node(t->edge[level], hash, hash);
    memcpy(t->edge[level], hash, LEDGER_HASH);
    t->size++;
}

void ledger_root(const struct ledger_tree *t, uint8_t root_out[LEDGER_HASH])
{
    bool any = false;

    if (t->size == 0) {
        crypto_sha256(slice_n("", 0), root_out);
        return;
    }
    for (unsigned level = 0; level < LEDGER_LEVELS; level++) {
        if (!(t->size >> level & 1))
            continue;
        if (any)
            ledger_node(t->edge[level], root_out, root_out);
        else
            memcpy(root_out, t->edge[level], LEDGER_HASH);
        any = true;
    }
}

/* Kept form: size as 8 bytes little endian, then edge[i] for each set bit i of size, lowest first. */
void ledger_put(const struct ledger_tree *t, struct buf *out)
{
    for (unsigned i = 0; i < 8; i++)
        buf_put_byte(out, (char)(t->size >> 8 * i & 0xff));
    for (unsigned level = 0; level < LEDGER_LEVELS; level++)
        if (t->size >> level & 1)
            buf_put(out, hash_slice(t->edge[level]));
}

int ledger_get(struct slice text, struct ledger_tree *t_out, struct err *err)
{
    size_t at = 8;

    memset(t_out, 0, sizeof *t_out);
    if (text.len < at)
        return err_set(err, ERR_LEDGER, "", "the kept tree has %zu bytes, too few for its size", text.len);
    for (unsigned i = 0; i < 8; i++)
        t_out->size |= (uint64_t)(uint8_t)text.ptr[i] << 8 * i;
    if (text.len != at + LEDGER_HASH * (size_t)__builtin_popcountll(t_out->size))
        return err_set(err, ERR_LEDGER, "", "the kept tree of size %llu has %zu bytes", (unsigned long long)t_out->size,
                       text.len);
    for (unsigned level = 0; level < LEDGER_LEVELS; level++) {
        if (!(t_out->size >> level & 1))
            continue;
        memcpy(t_out->edge[level], text.ptr + at, LEDGER_HASH);
        at += LEDGER_HASH;
    }
    return 0;
}

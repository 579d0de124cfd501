#include "ledger/ledger.h"

/* A proof is a list of subtree hashes. Going down from the root the proof is met from its end: the ranges are kept here
   and hashed in the other order. A tree of 2^64 leaves has at most 64 levels, and a consistency proof one hash more. */
struct range {
    uint64_t from, n;
};
struct ranges {
    struct range items[LEDGER_LEVELS + 1];
    size_t n;
};

static void ranges_add(struct ranges *r, uint64_t from, uint64_t n)
{
    r->items[r->n++] = (struct range){from, n};
}

/* The largest power of two smaller than n, for n > 1. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static int put_ranges(ledger_leaf_fn *leaf_at, void *arg, const struct ranges *r, struct buf *path_out, struct err *err)
{
    uint8_t hash[LEDGER_HASH];

    for (size_t i = r->n; i-- > 0;) {
        struct ledger_tree t = {0};
        for (uint64_t k = 0; k < r->items[i].n; k++) {
            uint64_t index = r->items[i].from + k;
            if (leaf_at(arg, index, hash) != 0)
                return err_set(err, ERR_LEDGER, "", "leaf %llu cannot be read", (unsigned long long)index);
            ledger_add(&t, hash);
        }
        ledger_root(&t, hash);
        buf_put(path_out, slice_n((const char *)hash, LEDGER_HASH));
    }
    return 0;
}

/* RFC 9162 section 2.1.3.1, PATH(m, D[n]). */
int ledger_prove_inclusion(ledger_leaf_fn *leaf_at, void *arg, uint64_t index, uint64_t size, struct buf *path_out,
                           struct err *err)
{
    struct ranges r = {.n = 0};
    uint64_t from = 0, n = size;

    if (index >= size)
        return err_set(err, ERR_LEDGER, "", "leaf %llu is not in a tree of size %llu", (unsigned long long)index,
                       (unsigned long long)size);
    while (n > 1) {
        uint64_t k = split(n);
        if (index - from < k) {
            ranges_add(&r, from + k, n - k);
            n = k;
        } else {
            ranges_add(&r, from, k);
            from += k;
            n -= k;
        }
    }
    return put_ranges(leaf_at, arg, &r, path_out, err);
}

/* RFC 9162 section 2.1.4.1, SUBPROOF(m, D[n], b): b says that the old root is the subtree's own, which the verifier
 * knows. */
int ledger_prove_consistency(ledger_leaf_fn *leaf_at, void *arg, uint64_t old_size, uint64_t size, struct buf *path_out,
                             struct err *err)
{
    struct ranges r = {.n = 0};
    uint64_t from = 0, m = old_size, n = size;
    bool known = true;

    if (old_size == 0 || old_size > size)
        return err_set(err, ERR_LEDGER, "", "no proof leads from size %llu to size %llu", (unsigned long long)old_size,
                       (unsigned long long)size);
    while (m != n) {
        uint64_t k = split(n);
        if (m <= k) {
            ranges_add(&r, from + k, n - k);
            n = k;
        } else {
            ranges_add(&r, from, k);
            from += k;
            m -= k;
            n -= k;
            known = false;
        }
    }
    if (!known)
        ranges_add(&r, from, n);
    return put_ranges(leaf_at, arg, &r, path_out, err);
}

static bool take(struct slice *path, const uint8_t **hash_out)
{
    if (path->len < LEDGER_HASH)
        return false;
    *hash_out = (const uint8_t *)path->ptr;
    *path = slice_from(*path, LEDGER_HASH);
    return true;
}

static void shift(uint64_t *fn, uint64_t *sn)
{
    *fn >>= 1;
    *sn >>= 1;
}

/* RFC 9162 section 2.1.3.2; fn and sn are its names. */
bool ledger_check_inclusion(const uint8_t leaf[LEDGER_HASH], uint64_t index, uint64_t size, struct slice path,
                            const uint8_t root[LEDGER_HASH])
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[LEDGER_HASH];
    const uint8_t *p;

    if (index >= size || path.len % LEDGER_HASH != 0)
        return false;
    memcpy(r, leaf, LEDGER_HASH);
    while (take(&path, &p)) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            ledger_node(p, r, r);
            while ((fn & 1) == 0 && fn != 0)
                shift(&fn, &sn);
        } else {
            ledger_node(r, p, r);
        }
        shift(&fn, &sn);
    }
    return sn == 0 && memcmp(r, root, LEDGER_HASH) == 0;
}

/* RFC 9162 section 2.1.4.2. */
bool ledger_check_consistency(uint64_t old_size, const uint8_t old_root[LEDGER_HASH], uint64_t size,
                              const uint8_t root[LEDGER_HASH], struct slice path)
{
    uint64_t fn = old_size - 1, sn = size - 1;
    uint8_t fr[LEDGER_HASH], sr[LEDGER_HASH];
    const uint8_t *c = old_root;

    if (old_size == 0 || old_size > size || path.len % LEDGER_HASH != 0)
        return false;
    if (old_size == size)
        return path.len == 0 && memcmp(old_root, root, LEDGER_HASH) == 0;
    if (path.len == 0 || ((old_size & (old_size - 1)) != 0 && !take(&path, &c)))
        return false;
    while ((fn & 1) != 0)
        shift(&fn, &sn);
    memcpy(fr, c, LEDGER_HASH);
    memcpy(sr, c, LEDGER_HASH);
    while (take(&path, &c)) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            ledger_node(c, fr, fr);
            ledger_node(c, sr, sr);
            while ((fn & 1) == 0 && fn != 0)
                shift(&fn, &sn);
        } else {
            ledger_node(sr, c, sr);
        }
        shift(&fn, &sn);
    }
    return sn == 0 && memcmp(fr, old_root, LEDGER_HASH) == 0 && memcmp(sr, root, LEDGER_HASH) == 0;
}

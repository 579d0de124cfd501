#include "match/internal.h"

#include <assert.h>
#include <libpsl.h>
#include <stdlib.h>

enum {
    GROW_STEP = 8,     /* buckets moved with each add: the table has grown long before it is full, and no add is slow */
    COLLECT_EVERY = 64 /* retired entries between two looks at the readers */
};

struct match_index *match_index_new(size_t expected)
{
    struct match_index *ix = aligned_alloc(_Alignof(struct match_index), sizeof *ix);

    if (ix == NULL)
        abort();
    memset(ix, 0, sizeof *ix);
    cells_open(&ix->cells);
    /* Without a seed that nobody knows, one member could submit values that all share a bucket. */
    match_key_random(ix->keys, STIX_VALUE_KINDS);
    atomic_init(&ix->table, table_new(expected));
    atomic_init(&ix->epoch, 1);
    return ix;
}

void match_index_free(struct match_index **ix)
{
    struct match_index *gone = *ix;

    *ix = NULL;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < MATCH_READERS_MAX; i++)
        assert(!atomic_load(&gone->readers[i].taken));
    for (size_t i = 0; i < gone->retired_n; i++)
        table_free(&gone->retired[(gone->retired_at + i) % gone->retired_cap].table);
    struct table *table = atomic_load(&gone->table);
    table_free(&table);
    table_free(&gone->growing);
    cells_close(&gone->cells);
    free(gone->retired);
    free(gone);
}

size_t match_index_count(const struct match_index *ix)
{
    return atomic_load_explicit(&ix->pairs, memory_order_relaxed);
}

/* ---- what was taken out: freed when no reader can hold it any more ---- */

static void retire(struct match_index *ix, struct table *table, uint32_t ref, size_t size)
{
    if (ix->retired_n == ix->retired_cap) {
        size_t cap = ix->retired_cap != 0 ? 2 * ix->retired_cap : 256;
        struct retired *ring = mem_alloc(cap * sizeof *ring);
        for (size_t i = 0; i < ix->retired_n; i++)
            ring[i] = ix->retired[(ix->retired_at + i) % ix->retired_cap];
        free(ix->retired);
        ix->retired = ring;
        ix->retired_at = 0;
        ix->retired_cap = cap;
    }
    ix->retired[(ix->retired_at + ix->retired_n++) % ix->retired_cap] =
        (struct retired){atomic_load_explicit(&ix->epoch, memory_order_relaxed), table, ref, (uint32_t)size};
}

/* The oldest epoch that a reader is still in. Everything retired so far carries a smaller number than the epoch begun
   here: a reader that enters it sees the removals (reader_enter), one that is inside already says so by its older
   number. */
static uint64_t oldest_reader(struct match_index *ix)
{
    uint64_t oldest = UINT64_MAX;

    atomic_fetch_add(&ix->epoch, 1);
    for (uint32_t i = 0; i < MATCH_READERS_MAX; i++) {
        uint64_t epoch = atomic_load(&ix->readers[i].epoch);
        if (epoch != 0 && epoch < oldest)
            oldest = epoch;
    }
    return oldest;
}

static void collect(struct match_index *ix)
{
    if (ix->retired_n == 0 || ++ix->retired_seen % COLLECT_EVERY != 0)
        return;
    uint64_t oldest = oldest_reader(ix);
    while (ix->retired_n != 0 && ix->retired[ix->retired_at].epoch < oldest) {
        struct retired *r = &ix->retired[ix->retired_at];
        if (r->table != NULL)
            table_free(&r->table);
        else
            cells_give(&ix->cells, r->ref, r->size);
        ix->retired_at = (ix->retired_at + 1) % ix->retired_cap;
        ix->retired_n--;
    }
}

/* ---- growing: a larger table is filled bucket by bucket while the old one goes on answering ---- */

static uint64_t entry_hash(const struct match_index *ix, const struct entry *e)
{
    return match_hash(&ix->keys[e->kind], entry_value(e));
}

static struct table *table_now(const struct match_index *ix)
{
    return atomic_load_explicit(&ix->table, memory_order_relaxed);
}

static void move_bucket(struct match_index *ix, uint32_t bucket)
{
    for (uint32_t at = 0; at < BUCKET_SLOTS; at++) {
        uint32_t ref = table_ref(table_now(ix), (struct slot){bucket, at});
        if (ref != 0)
            table_insert(ix->growing, entry_hash(ix, cells_at(&ix->cells, ref)), ref);
    }
}

static void grow_some(struct match_index *ix)
{
    struct table *now = table_now(ix);

    if (ix->growing == NULL) {
        if (now->used < (size_t)now->n_buckets * BUCKET_LOAD)
            return;
        ix->growing = table_new(2 * now->used);
        ix->moved = 0;
    }
    for (uint32_t i = 0; i < GROW_STEP && ix->moved < now->n_buckets; i++)
        move_bucket(ix, ix->moved++);
    if (ix->moved < now->n_buckets)
        return;
    atomic_store_explicit(&ix->table, ix->growing, memory_order_release);
    ix->growing = NULL;
    retire(ix, now, 0, 0);
}

/* What stands in a bucket that has been moved already stands in both tables. */
static bool in_both(const struct match_index *ix, struct slot slot)
{
    return ix->growing != NULL && slot.bucket < ix->moved;
}

/* ---- entries ---- */

static bool kind_is_matched(enum stix_value_kind kind)
{
    switch (kind) {
    case STIX_VALUE_IPV4:
    case STIX_VALUE_IPV6:
    case STIX_VALUE_DOMAIN:
    case STIX_VALUE_URL:
    case STIX_VALUE_EMAIL:
    case STIX_VALUE_MD5:
    case STIX_VALUE_SHA1:
    case STIX_VALUE_SHA256:
    case STIX_VALUE_SHA512:
        return true;
    default:
        return false;
    }
}

bool match_is_public_suffix(struct slice name)
{
    char text[256];

    if (name.len >= sizeof text || memchr(name.ptr, '\0', name.len) != NULL)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return psl_is_public_suffix(psl_builtin(), text) != 0;
}

static bool entry_has(const struct entry *e, uint64_t indicator)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (e->indicators[i] == indicator)
            return true;
    return false;
}

/* A new entry for `value` with the old one's indicators, less `without`, plus `with`. */
static uint32_t entry_make(struct match_index *ix, enum stix_value_kind kind, struct slice value,
                           const struct entry *old, const uint64_t *without, const uint64_t *with)
{
    uint32_t n = (old != NULL ? old->n : 0) + (with != NULL) - (without != NULL);
    uint32_t ref = cells_take(&ix->cells, entry_size(n, value.len));
    struct entry *e = cells_at(&ix->cells, ref);

    e->n = 0;
    e->len = (uint16_t)value.len;
    e->kind = (uint8_t)kind;
    e->exact = old != NULL ? old->exact : (kind == STIX_VALUE_DOMAIN && match_is_public_suffix(value));
    for (uint32_t i = 0; old != NULL && i < old->n; i++)
        if (without == NULL || old->indicators[i] != *without)
            e->indicators[e->n++] = old->indicators[i];
    if (with != NULL)
        e->indicators[e->n++] = *with;
    assert(e->n == n);
    memcpy(&e->indicators[n], value.ptr, value.len);
    return ref;
}

static void index_insert(struct match_index *ix, uint64_t hash, uint32_t ref)
{
    struct slot slot = table_insert(table_now(ix), hash, ref);

    if (in_both(ix, slot))
        table_insert(ix->growing, hash, ref);
}

/* Puts another entry (ref 0: none) in the place of the one for the same value, which is retired. */
static void index_change(struct match_index *ix, uint64_t hash, const struct entry *old, struct slot slot, uint32_t ref)
{
    struct table *tables[2] = {table_now(ix), in_both(ix, slot) ? ix->growing : NULL};
    uint32_t old_ref = table_ref(tables[0], slot);
    size_t size = entry_size(old->n, old->len);

    for (uint32_t i = 0; i < 2 && tables[i] != NULL; i++) {
        if (i == 1 && table_find(tables[1], &ix->cells, hash, old->kind, entry_value(old), &slot) == NULL)
            assert(!"a moved entry is in both tables");
        if (ref != 0)
            table_replace(tables[i], slot, ref);
        else
            table_remove(tables[i], hash, slot);
    }
    retire(ix, NULL, old_ref, size);
}

int match_index_add(struct match_index *ix, uint64_t indicator, enum stix_value_kind kind, struct slice value,
                    struct err *err)
{
    if (!kind_is_matched(kind))
        return err_set(err, ERR_PATTERN_UNSUPPORTED, "", "values of this kind are not matched");
    if (value.len == 0)
        return err_set(err, ERR_STIX_VALUE, "", "the value is empty");
    if (value.len > MATCH_VALUE_MAX)
        return err_set(err, ERR_LIMIT_STRING, "", "the value is longer than %d bytes", MATCH_VALUE_MAX);
    collect(ix);
    grow_some(ix);

    struct slot slot;
    uint64_t hash = match_hash(&ix->keys[kind], value);
    const struct entry *old = table_find(table_now(ix), &ix->cells, hash, kind, value, &slot);
    if (old != NULL && entry_has(old, indicator))
        return 0;
    if (old != NULL && old->n == MATCH_INDICATORS_MAX)
        return err_set(err, ERR_LIMIT_MEMBERS, "", "%d indicators carry this value already", MATCH_INDICATORS_MAX);
    if (cells_are_full(&ix->cells))
        return err_set(err, ERR_LIMIT_VALUES, "", "the index is full");
    uint32_t ref = entry_make(ix, kind, value, old, NULL, &indicator);
    if (old != NULL)
        index_change(ix, hash, old, slot, ref);
    else
        index_insert(ix, hash, ref);
    atomic_fetch_add_explicit(&ix->pairs, 1, memory_order_relaxed);
    return 0;
}

void match_index_remove(struct match_index *ix, uint64_t indicator, enum stix_value_kind kind, struct slice value)
{
    if (!kind_is_matched(kind))
        return;
    collect(ix);

    struct slot slot;
    uint64_t hash = match_hash(&ix->keys[kind], value);
    const struct entry *old = table_find(table_now(ix), &ix->cells, hash, kind, value, &slot);
    if (old == NULL || !entry_has(old, indicator))
        return;
    uint32_t ref = old->n > 1 ? entry_make(ix, kind, value, old, &indicator, NULL) : 0;
    index_change(ix, hash, old, slot, ref);
    atomic_fetch_sub_explicit(&ix->pairs, 1, memory_order_relaxed);
}

#include "match/internal.h"

#include <assert.h>

struct match_reader *match_reader_new(struct match_index *ix)
{
    for (uint32_t i = 0; i < MATCH_READERS_MAX; i++) {
        struct match_reader *r = &ix->readers[i];
        bool taken = false;
        if (!atomic_compare_exchange_strong(&r->taken, &taken, true))
            continue;
        r->index = ix;
        r->depth = 0;
        r->line = (struct arena)ARENA_INIT;
        return r;
    }
    return NULL;
}

void match_reader_free(struct match_reader **r)
{
    struct match_reader *gone = *r;

    *r = NULL;
    if (gone == NULL)
        return;
    assert(gone->depth == 0);
    arena_free(&gone->line);
    atomic_store_explicit(&gone->taken, false, memory_order_release);
}

/* Either the writer sees this reader's epoch when it looks at the readers, or the reader, loading the epoch once more
   behind a full barrier, sees everything that the writer had taken out before it looked. */
void match_reader_enter(struct match_reader *r)
{
    if (r->depth++ != 0)
        return;
    atomic_exchange(&r->epoch, atomic_load(&r->index->epoch));
    (void)atomic_load(&r->index->epoch);
}

void match_reader_leave(struct match_reader *r)
{
    assert(r->depth != 0);
    if (--r->depth == 0)
        atomic_store_explicit(&r->epoch, 0, memory_order_release);
}

void reader_pause(struct match_reader *r)
{
    /* No barrier: an epoch that is loaded with acquire shows all removals before it. */
    if (r->depth == 1)
        atomic_store_explicit(&r->epoch, atomic_load_explicit(&r->index->epoch, memory_order_acquire),
                              memory_order_release);
}

struct probe {
    struct match_reader *reader;
    enum stix_value_kind kind;
    struct slice seen, field;
    match_hit_fn *fn;
    void *arg;
};

static uint32_t probe_one(const struct probe *p, struct slice value, bool whole)
{
    const struct match_index *ix = p->reader->index;
    const struct table *table = atomic_load_explicit(&ix->table, memory_order_acquire);
    const struct entry *e = table_find(table, &ix->cells, match_hash(&ix->keys[p->kind], value), p->kind, value, NULL);

    if (__builtin_expect(e == NULL, 1) || (e->exact && !whole))
        return 0;
    struct match_hit hit = {.kind = p->kind, .value = entry_value(e), .seen = p->seen, .field = p->field};
    for (uint32_t i = 0; i < e->n; i++) {
        hit.indicator = e->indicators[i];
        p->fn(p->arg, &hit);
    }
    return e->n;
}

bool domain_parent(struct slice *name)
{
    const char *dot = name->len <= 253 ? memchr(name->ptr, '.', name->len) : NULL;

    if (dot == NULL)
        return false;
    *name = slice_from(*name, (size_t)(dot + 1 - name->ptr));
    return name->len != 0 && memchr(name->ptr, '.', name->len) != NULL;
}

uint32_t match_value(struct match_reader *r, enum stix_value_kind kind, struct slice normal, struct slice seen,
                     struct slice field, match_hit_fn *fn, void *arg)
{
    struct probe p = {r, kind, seen, field, fn, arg};

    assert((unsigned)kind < STIX_VALUE_KINDS);
    if (normal.len == 0 || normal.len > MATCH_VALUE_MAX)
        return 0;
    match_reader_enter(r);
    uint32_t hits = probe_one(&p, normal, true);
    while (kind == STIX_VALUE_DOMAIN && domain_parent(&normal))
        hits += probe_one(&p, normal, false);
    match_reader_leave(r);
    return hits;
}

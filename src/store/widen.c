#include "store/internal.h"

static uint64_t little_endian(const char *at, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t)(uint8_t)at[i] << 8 * i;
    return value;
}

/* n_objects u64, up_to_seq u64, then class u32 each: store_append() has seen to the length. */
struct store_grant store_grant_read(struct slice grant)
{
    if (grant.len < 16)
        return (struct store_grant){0};
    return (struct store_grant){little_endian(grant.ptr, 8), little_endian(grant.ptr + 8, 8), slice_from(grant, 16)};
}

size_t store_grant_classes(const struct store_grant *g)
{
    return g->classes.len / 4;
}

uint32_t store_grant_class(const struct store_grant *g, size_t at)
{
    return (uint32_t)little_endian(g->classes.ptr + 4 * at, 4);
}

bool store_reaches(struct slice reach, uint32_t viewer)
{
    return viewer / 8 < reach.len && ((uint8_t)reach.ptr[viewer / 8] >> (viewer % 8) & 1);
}

bool store_query_owns(const struct store_query *q, uint32_t facts_class)
{
    return q->owner_classes == NULL || bits_has(q->owner_classes, facts_class);
}

const struct store_list *store_query_list(const struct store_query *q, uint32_t facts_class)
{
    size_t from = 0, to = q->n_lists;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (q->lists[middle].facts_class < facts_class)
            from = middle + 1;
        else
            to = middle;
    }
    return from < q->n_lists && q->lists[from].facts_class == facts_class ? &q->lists[from] : NULL;
}

/* A rank counts every content row of the granted classes, also those that this query does not ask for: it must not move
   when the filter does, for date_added hangs on it. So the lists that are not asked for are merged too, unwanted. */
int store_widen_open(struct store_widen *w, struct store_reader *r, const struct store_at *at, int64_t added_us,
                     struct slice grant, const struct store_query *q, struct err *err)
{
    struct store_grant g = store_grant_read(grant);
    size_t n = store_grant_classes(&g);

    *w = (struct store_widen){at->seq, at->sub, at->rank, added_us, g.n_objects, {0}};
    store_merge_init(&w->merge, r, n, q != NULL ? q->limit : 256);
    for (size_t i = 0; i < n; i++) {
        uint32_t facts_class = store_grant_class(&g, i);
        const struct store_list *seen = q != NULL ? store_query_list(q, facts_class) : NULL;
        /* Lost and gained anew since: all of it comes by the later widening. */
        bool wanted = q == NULL || (seen != NULL && seen->held_from == at->seq);
        store_merge_add(&w->merge, store_list_number(facts_class, 0), 0, at->sub, g.upto, wanted);
    }
    if (at->sub != 0)
        return 0;
    /* a rank without its row: found by counting */
    for (w->rank = 0; w->rank < at->rank;) {
        bool wanted;
        int rc = store_widen_next(w, &wanted, err);
        if (rc <= 0)
            return rc;
    }
    return 0;
}

int store_widen_next(struct store_widen *w, bool *wanted_out, struct err *err)
{
    uint64_t seq;
    int rc = w->rank < w->n_objects ? store_merge_peek(&w->merge, &seq, wanted_out, err) : 0;

    if (rc <= 0)
        return rc;
    if (store_merge_pop(&w->merge, err) != 0)
        return -1;
    w->sub = seq;
    w->rank++;
    return 1;
}

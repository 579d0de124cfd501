/* hub/change.c: what a change of the directory means for every viewer: who gains classes gets one widening row, who
   loses them gets restricting rows for what it may hold. A bit of a view turns from 0 to 1 in no other way than by the
   widening rows made here (DESIGN.md section 7). */
#include "hub/internal.h"

#include <stdlib.h>

struct change {
    uint32_t *gained, *lost; /* classes */
    size_t n_gained, n_lost;
    uint64_t from; /* the widening's row; 0: there was nothing to publish anew */
    bool widened;
};

static void compare_lists(struct arena *a, const struct hub_lists *old, const struct hub_lists *now, struct change *out)
{
    size_t i = 0, k = 0;

    *out = (struct change){.gained = arena_array(a, uint32_t, now->n), .lost = arena_array(a, uint32_t, old->n)};
    while (i < old->n || k < now->n) {
        uint32_t x = i < old->n ? old->lists[i].facts_class : UINT32_MAX;
        uint32_t y = k < now->n ? now->lists[k].facts_class : UINT32_MAX;
        if (x < y)
            out->lost[out->n_lost++] = x;
        else if (y < x)
            out->gained[out->n_gained++] = y;
        i += x <= y;
        k += y <= x;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool is_among(const uint32_t *sorted, size_t n, uint32_t one)
{
    return n != 0 && bsearch(&one, sorted, n, sizeof *sorted, by_number) != NULL;
}

static int store_grants(struct hub_commit *c, uint32_t viewer, const struct change *change, struct err *err)
{
    size_t n_old, n = 0;
    const struct hub_grant *old = hub_commit_grants(c, viewer, &n_old);
    struct hub_grant *grants = mem_zero(n_old + change->n_gained, sizeof *grants);

    for (size_t i = 0; i < n_old; i++)
        if (!is_among(change->lost, change->n_lost, old[i].facts_class) &&
            !is_among(change->gained, change->n_gained, old[i].facts_class))
            grants[n++] = old[i];
    for (size_t k = 0; k < change->n_gained && change->from != 0; k++)
        grants[n++] = (struct hub_grant){change->gained[k], change->from};
    return hub_commit_viewer(c, viewer, grants, n, err);
}

static bool same_gain(const struct change *a, const struct change *b)
{
    return a->n_gained == b->n_gained && memcmp(a->gained, b->gained, a->n_gained * sizeof *a->gained) == 0;
}

/* One row for all who gain the same: its cost is that of the classes, not of their viewers. */
static int widen(struct hub_commit *c, struct change *changes, uint32_t first, uint32_t n_viewers, struct err *err)
{
    const struct change *change = &changes[first];
    uint64_t upto = hub_commit_last_seq(c), n_objects, from = 0;
    struct bits classes = BITS_INIT, reach = BITS_INIT;
    struct buf grant = BUF_INIT;
    int result = 0;

    for (size_t i = 0; i < change->n_gained; i++)
        bits_set(&classes, change->gained[i], true);
    for (uint32_t v = first; v < n_viewers; v++)
        if (!changes[v].widened && same_gain(&changes[v], change))
            bits_set(&reach, v, true);
    n_objects = hub_count_class_rows(hub_commit_hub(c), &classes, upto);
    if (n_objects != 0) {
        struct store_row row = {
            .kind = STORE_WIDEN, .id = SLICE("widen"), .reach = slice_n((const char *)reach.words, reach.n_words * 8)};
        buf_put(&grant, slice_n((const char *)&n_objects, 8));
        buf_put(&grant, slice_n((const char *)&upto, 8));
        buf_put(&grant, slice_n((const char *)change->gained, change->n_gained * sizeof change->gained[0]));
        row.grant = buf_slice(&grant);
        result = hub_commit_row(c, &row, 0, (int64_t)n_objects, err);
        from = hub_commit_last_seq(c);
    }
    for (uint32_t v = first; v < n_viewers; v++)
        if (bits_has(&reach, v)) {
            changes[v].widened = true;
            changes[v].from = from;
        }
    bits_free(&classes);
    bits_free(&reach);
    buf_free(&grant);
    return result;
}

static int widen_all(struct hub_commit *c, struct change *changes, uint32_t n_viewers, struct err *err)
{
    for (uint32_t v = 1; v < n_viewers; v++) {
        if (changes[v].n_gained != 0 && !changes[v].widened && widen(c, changes, v, n_viewers, err) != 0)
            return -1;
        if ((changes[v].n_gained != 0 || changes[v].n_lost != 0) && store_grants(c, v, &changes[v], err) != 0)
            return -1;
    }
    return 0;
}

struct loser { /* of one class */
    uint32_t viewer;
    uint64_t from; /* the widening through which it had the older rows; 0: it had them at their own place */
    const struct loser *next;
};

static uint64_t grant_of(struct hub_commit *c, uint32_t viewer, uint32_t facts_class)
{
    size_t n;
    const struct hub_grant *grants = hub_commit_grants(c, viewer, &n);

    for (size_t i = 0; i < n; i++)
        if (grants[i].facts_class == facts_class)
            return grants[i].from;
    return 0;
}

static const struct loser **find_losers(struct hub_commit *c, const struct change *changes, uint32_t n_viewers,
                                        bool *any_out)
{
    struct arena *a = hub_commit_arena(c);
    const struct loser **losers = arena_array(a, const struct loser *, atomic_load(&hub_commit_hub(c)->n_classes));

    *any_out = false;
    for (uint32_t v = 1; v < n_viewers; v++)
        for (size_t i = 0; i < changes[v].n_lost; i++) {
            uint32_t facts_class = changes[v].lost[i];
            struct loser *one = arena_new(a, struct loser);
            *one = (struct loser){v, grant_of(c, v, facts_class), losers[facts_class]};
            losers[facts_class] = one;
            *any_out = true;
        }
    return losers;
}

static int restrict_row(struct hub_commit *c, const struct hub_directory *now, uint64_t seq, const struct loser *losers,
                        struct err *err)
{
    struct bits reach = BITS_INIT;
    int result = 0;

    for (const struct loser *l = losers; l != NULL; l = l->next)
        if (hub_may_hold(hub_commit_hub(c), l->viewer, seq, l->from))
            bits_set(&reach, l->viewer, true);
    if (bits_count(&reach) != 0)
        result = hub_commit_recall(
            c, &(struct hub_recall){.subject = seq, .kind = STORE_RESTRICT, .reach = &reach, .directory = now}, err);
    bits_free(&reach);
    return result;
}

/* Those who lose a class get a retraction of every row of it that they may hold: one row an object, whoever it reaches.
 */
static int restrict_rows(struct hub_commit *c, const struct hub_directory *now, const struct change *changes,
                         uint32_t n_viewers, struct err *err)
{
    const struct hub_rows *rows = &hub_commit_hub(c)->rows;
    uint64_t upto = hub_commit_last_seq(c);
    bool any;
    const struct loser **losers = find_losers(c, changes, n_viewers, &any);

    if (any)
        hub_commit_recalls(c);
    for (uint64_t seq = 1; any && seq <= upto; seq++) {
        const struct loser *of_class = losers[rows->facts_class[seq]];
        bool content = rows->kind[seq] == STORE_ADD || rows->kind[seq] == STORE_EXPIRE;
        if (content && of_class != NULL && !bits_has(&rows->superseded, seq) &&
            restrict_row(c, now, seq, of_class, err) != 0)
            return -1;
    }
    return 0;
}

int hub_commit_views(struct hub_commit *c, const struct hub_directory *old, const struct hub_directory *now,
                     struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    uint32_t n = atomic_load(&h->n_viewers);
    struct change *changes = arena_array(hub_commit_arena(c), struct change, n);

    for (uint32_t v = 1; v < n; v++) {
        bool was = hub_directory_member_of(old, v) != NULL || hub_directory_partner_of(old, v) != NULL;
        bool is = hub_directory_member_of(now, v) != NULL || hub_directory_partner_of(now, v) != NULL;
        if (!was || !is)
            continue; /* who is new starts at 0 without such rows; who left reads no more, and keeps what it holds */
        struct hub_lists *before = hub_lists_decide(h, old, v), *after = hub_lists_decide(h, now, v);
        compare_lists(hub_commit_arena(c), before, after, &changes[v]);
        hub_lists_drop(&before);
        hub_lists_drop(&after);
    }
    return restrict_rows(c, now, changes, n, err) != 0 || widen_all(c, changes, n, err) != 0 ? -1 : 0;
}

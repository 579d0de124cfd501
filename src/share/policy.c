#include "share/internal.h"

#include <stdlib.h>

static int by_slice(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int by_collection(const void *a, const void *b)
{
    return slice_cmp(((const struct share_collection *)a)->id, ((const struct share_collection *)b)->id);
}

static int by_partner(const void *a, const void *b)
{
    const struct share_agreement *one = a, *two = b;
    int order = slice_cmp(one->partner, two->partner);

    return order != 0 ? order : slice_cmp(one->id, two->id);
}

static void sort(void *rows, size_t n, size_t size, int (*order)(const void *, const void *))
{
    if (n > 1)
        qsort(rows, n, size, order);
}

/* A sorted copy without the empty name and without doubles. */
static const struct slice *list_copy(struct arena *a, const struct slice *from, size_t n, size_t *n_out)
{
    struct slice *to = arena_array(a, struct slice, n);
    size_t kept = 0, unique = 0;

    for (size_t i = 0; i < n; i++)
        if (from[i].len != 0)
            to[kept++] = arena_copy(a, from[i]);
    sort(to, kept, sizeof *to, by_slice);
    for (size_t i = 0; i < kept; i++)
        if (unique == 0 || !slice_eq(to[unique - 1], to[i]))
            to[unique++] = to[i];
    *n_out = unique;
    return to;
}

static struct share_collection *collections_copy(struct arena *a, const struct share_collection *from, size_t n)
{
    struct share_collection *to = arena_array(a, struct share_collection, n);

    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].id = arena_copy(a, from[i].id);
        to[i].recipients = list_copy(a, from[i].recipients, from[i].n_recipients, &to[i].n_recipients);
        to[i].partners = list_copy(a, from[i].partners, from[i].n_partners, &to[i].n_partners);
    }
    sort(to, n, sizeof *to, by_collection);
    return to;
}

static struct share_agreement *agreements_copy(struct arena *a, const struct share_agreement *from, size_t n)
{
    struct share_agreement *to = arena_array(a, struct share_agreement, n);

    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].id = arena_copy(a, from[i].id);
        to[i].partner = arena_copy(a, from[i].partner);
        to[i].collections_out =
            list_copy(a, from[i].collections_out, from[i].n_collections_out, &to[i].n_collections_out);
    }
    sort(to, n, sizeof *to, by_partner);
    return to;
}

/* Rows are sorted by id. Those that share an id contradict each other, and one without an id cannot be named: none of
 * them stays. */
static size_t collections_unique(struct share_collection *rows, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && slice_eq(rows[end].id, rows[i].id); end++)
            ;
        if (end == i + 1 && rows[i].id.len != 0)
            rows[kept++] = rows[i];
    }
    return kept;
}

const struct share_policy *share_policy_build(struct arena *a, const struct share_collection *collections,
                                              size_t n_collections, const struct share_agreement *agreements,
                                              size_t n_agreements)
{
    struct share_policy *p = arena_new(a, struct share_policy);
    struct share_collection *c = collections_copy(a, collections, n_collections);

    p->n_collections = collections_unique(c, n_collections);
    p->collections = c;
    p->agreements = agreements_copy(a, agreements, n_agreements);
    p->n_agreements = n_agreements;
    return p;
}

const struct share_collection *share_policy_collection(const struct share_policy *p, struct slice id)
{
    struct share_collection key = {.id = id};

    return p->n_collections == 0 ? NULL : bsearch(&key, p->collections, p->n_collections, sizeof key, by_collection);
}

const struct share_agreement *share_policy_partner(const struct share_policy *p, struct slice partner, size_t *n_out)
{
    size_t low = 0, high = p->n_agreements, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(p->agreements[middle].partner, partner) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < p->n_agreements && slice_eq(p->agreements[end].partner, partner); end++)
        ;
    *n_out = end - low;
    return end == low ? NULL : p->agreements + low;
}

bool share_list_has(const struct slice *sorted, size_t n, struct slice s)
{
    return n != 0 && s.len != 0 && bsearch(&s, sorted, n, sizeof s, by_slice) != NULL;
}

/* ---- canonical bytes: sorted rows, every field, always in this order ---- */

static void put_list(struct buf *out, const char *key, const struct slice *list, size_t n)
{
    json_put_key(out, slice_of(key));
    json_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_put_string(out, list[i]);
    json_put_close(out, ']');
}

static void put_collection(struct buf *out, const struct share_collection *c)
{
    json_put_open(out, '{');
    json_put_text(out, "id", c->id);
    json_put_key(out, SLICE("open"));
    json_put_bool(out, c->open);
    put_list(out, "partners", c->partners, c->n_partners);
    put_list(out, "recipients", c->recipients, c->n_recipients);
    json_put_close(out, '}');
}

static void put_agreement(struct buf *out, const struct share_agreement *g)
{
    json_put_open(out, '{');
    json_put_number(out, "categories", g->categories);
    json_put_text(out, "ceiling", share_tlp_name(g->ceiling));
    put_list(out, "collections_out", g->collections_out, g->n_collections_out);
    json_put_text(out, "id", g->id);
    json_put_number(out, "k", g->k);
    json_put_key(out, SLICE("onward"));
    json_put_bool(out, g->onward);
    json_put_text(out, "partner", g->partner);
    json_put_number(out, "until_us", g->until_us);
    json_put_close(out, '}');
}

void share_policy_hash(const struct share_policy *p, struct buf *canonical_out)
{
    json_put_open(canonical_out, '{');
    json_put_key(canonical_out, SLICE("agreements"));
    json_put_open(canonical_out, '[');
    for (size_t i = 0; i < p->n_agreements; i++)
        put_agreement(canonical_out, &p->agreements[i]);
    json_put_close(canonical_out, ']');
    json_put_key(canonical_out, SLICE("collections"));
    json_put_open(canonical_out, '[');
    for (size_t i = 0; i < p->n_collections; i++)
        put_collection(canonical_out, &p->collections[i]);
    json_put_close(canonical_out, ']');
    json_put_close(canonical_out, '}');
}

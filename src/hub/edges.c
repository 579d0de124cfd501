/* hub/edges.c: which edges there should be between the objects of one value, and their rows.

   An edge says: another organisation submitted the same value. At most one joins an object to any other family, and
   none joins a family to itself. Each family's first object of a facts class stands for it there; it is joined to the
   first object of another family in its own class and in each wider one: a star in every audience, so that N
   submitters make N - 1 edges (times the few classes), not the square of N, and whoever sees some of the classes sees
   their objects joined by what it may see. A pure function of what stands: whatever changes, it is asked again.

   It is a `related-to`: `duplicate-of` (STIX 2.1 section 3.7) would invite a reader to keep one of the two, and to lose
   its protection when that one alone is retracted. */
#include "hub/edges.h"

#include <stdlib.h>

bool hub_edge_end_stands(struct hub *h, uint64_t seq)
{
    const struct share_facts *f = &hub_class_of(h, h->rows.facts_class[seq])->facts;

    return h->rows.kind[seq] == STORE_ADD && hub_row_later(&h->rows, seq) == 0 && !bits_has(&h->rows.superseded, seq) &&
           slice_eq(f->type, SLICE("indicator")) && !f->own_only;
}

struct hub_end hub_edge_end(struct hub *h, const struct hub_families *f, uint64_t seq, uint64_t who)
{
    const struct share_facts *facts = &hub_class_of(h, h->rows.facts_class[seq])->facts;

    return (struct hub_end){seq, hub_row_first(&h->rows, seq), hub_family_of(f, who, facts->origin),
                            h->rows.facts_class[seq], facts};
}

/* ---- which ---- */

/* Wider classes first: fewer levels above, and own before a partner's. */
static uint32_t width(const struct share_facts *f)
{
    return f->tlp * 2 + (f->origin.len != 0);
}

static int by_width(const void *a, const void *b)
{
    const struct hub_end *x = a, *y = b;
    uint32_t wx = width(x->facts), wy = width(y->facts);

    if (wx != wy)
        return wx < wy ? -1 : 1;
    if (x->facts_class != y->facts_class)
        return x->facts_class < y->facts_class ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* The first of each family in each class; the others of it say nothing new. */
static size_t keep_firsts(struct hub_end *ends, size_t n)
{
    size_t kept = 0;

    if (n > 1)
        qsort(ends, n, sizeof *ends, by_width);
    for (size_t i = 0; i < n; i++) {
        bool stands_for_it = true;
        for (size_t k = kept; k > 0 && ends[k - 1].facts_class == ends[i].facts_class && stands_for_it; k--)
            stands_for_it = ends[k - 1].family != ends[i].family;
        if (stands_for_it)
            ends[kept++] = ends[i];
    }
    return kept;
}

struct joined {
    uint32_t a, b; /* places in ends */
};
struct joining {
    const struct hub_end *ends;
    struct joined *items;
    size_t n, room;
    struct arena *arena;
};

static bool is_joined_to(const struct joining *j, uint32_t end, uint64_t family)
{
    for (size_t i = 0; i < j->n; i++)
        if ((j->items[i].a == end && j->ends[j->items[i].b].family == family) ||
            (j->items[i].b == end && j->ends[j->items[i].a].family == family))
            return true;
    return false;
}

static void join(struct joining *j, uint32_t a, uint32_t b)
{
    if (is_joined_to(j, a, j->ends[b].family) || is_joined_to(j, b, j->ends[a].family))
        return;
    if (j->n == j->room) {
        struct joined *more = arena_alloc(j->arena, (j->room * 2 + 16) * sizeof *more);
        if (j->n != 0)
            memcpy(more, j->items, j->n * sizeof *more);
        j->items = more;
        j->room = j->room * 2 + 16;
    }
    j->items[j->n++] = (struct joined){a, b};
}

/* To the first of another family in each class up to its own. */
static void join_one(struct joining *j, uint32_t i)
{
    bool found = false;

    for (uint32_t k = 0; k < i; k++) {
        if (k != 0 && j->ends[k].facts_class != j->ends[k - 1].facts_class)
            found = false;
        if (found || j->ends[k].family == j->ends[i].family)
            continue;
        found = true;
        join(j, i, k);
    }
}

/* ---- as objects ---- */

static struct hub_edge *edges_add(struct arena *a, struct hub_edges *edges)
{
    if (edges->n == edges->room) {
        struct hub_edge *more = arena_alloc(a, (edges->room * 2 + 16) * sizeof *more);
        if (edges->n != 0)
            memcpy(more, edges->items, edges->n * sizeof *more);
        edges->items = more;
        edges->room = edges->room * 2 + 16;
    }
    edges->items[edges->n] = (struct hub_edge){.known = 0};
    return &edges->items[edges->n++];
}

/* The same for the same two objects, whatever their versions and whichever came first. */
static struct slice edge_id(struct hub *h, struct arena *a, const uint8_t key[CRYPTO_KEY], uint64_t one, uint64_t other)
{
    uint64_t pair[2] = {h->rows.key[one], h->rows.key[other]};
    uint8_t mac[CRYPTO_MAC];

    if (pair[0] > pair[1]) {
        pair[0] = h->rows.key[other];
        pair[1] = h->rows.key[one];
    }
    crypto_mac(key, slice_n((const char *)pair, sizeof pair), mac);
    return share_minted_id(a, SLICE("relationship--00000000-0000-4000-8000-000000000000"), mac);
}

void hub_edges_wanted(struct hub_worker *w, struct hub_end *ends, size_t n, const uint8_t key[CRYPTO_KEY],
                      struct hub_edges *out)
{
    struct hub *h = w->hub;
    struct joining j = {.ends = ends, .arena = &w->arena};

    n = keep_firsts(ends, n);
    for (uint32_t i = 1; i < n; i++)
        join_one(&j, i);
    for (size_t i = 0; i < j.n; i++) {
        const struct hub_end *one = &ends[j.items[i].a], *other = &ends[j.items[i].b];
        struct share_facts facts;
        if (!share_edge_facts(one->facts, other->facts, &facts))
            continue;
        bool younger = one->first > other->first;
        struct hub_edge *e = edges_add(&w->arena, out);
        e->ends[0] = younger ? one->seq : other->seq;
        e->ends[1] = younger ? other->seq : one->seq;
        e->facts = facts;
        e->id = edge_id(h, &w->arena, key, one->seq, other->seq);
        e->id_hash = hub_id_hash(e->id);
        e->key = hub_row_key(h->settings.id, facts.collection, e->id, SLICE(""));
        e->known = hub_rows_find(&h->rows, e->id_hash, e->key);
    }
}

bool hub_edges_unwanted(struct hub_worker *w, uint64_t id_hash, uint64_t row_key, struct hub_edges *out)
{
    struct hub *h = w->hub;
    uint64_t known = hub_rows_find(&h->rows, id_hash, row_key);
    const struct share_facts *facts = known != 0 ? &hub_class_of(h, h->rows.facts_class[known])->facts : NULL;
    struct store_row row;

    if (known == 0 || facts->own_only || hub_read_row(w->reader, h, known, 0, &w->arena, &row, NULL) != 0)
        return false;
    struct hub_edge *e = edges_add(&w->arena, out);
    *e = (struct hub_edge){.id = row.id, .id_hash = id_hash, .key = row_key, .known = known};
    e->facts = (struct share_facts){
        .collection = facts->collection, .type = facts->type, .tlp = 1u << SHARE_RED, .own_only = true};
    return true;
}

static bool is_as_it_should_be(struct hub *h, const struct hub_edge *e)
{
    struct buf key = BUF_INIT;

    if (e->known == 0)
        return false;
    share_facts_put(&e->facts, &key);
    bool same = slice_eq(hub_class_of(h, h->rows.facts_class[e->known])->key, buf_slice(&key));
    buf_free(&key);
    return same;
}

void hub_edges_keep_changed(struct hub *h, struct hub_edges *edges, size_t from)
{
    size_t kept = from;

    for (size_t i = from; i < edges->n; i++)
        if (!is_as_it_should_be(h, &edges->items[i]))
            edges->items[kept++] = edges->items[i];
    edges->n = kept;
}

static void put_body(struct buf *out, const struct hub_edge *e, const struct slice ids[2],
                     struct share_release *release)
{
    json_put_open(out, '{');
    json_put_text(out, "type", SLICE("relationship"));
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", e->id);
    release->created_at = hub_made_instant(out, "created");
    release->modified_at = hub_made_instant(out, "modified");
    if (e->ends[0] != 0) {
        json_put_text(out, "relationship_type", SLICE("related-to"));
        json_put_text(out, "description", SLICE("Corroborates: the same value, submitted by another organisation."));
        json_put_text(out, "source_ref", ids[0]);
        json_put_text(out, "target_ref", ids[1]);
    }
    hub_made_markings(out, e->facts.tlp);
    json_put_close(out, '}');
}

/* false: an end cannot be read any more. */
static bool make_item(struct hub_worker *w, struct hub_job *job, const struct hub_edge *e, struct hub_item *item)
{
    struct hub *h = w->hub;
    struct hub_edge_ends *ends = arena_new(&job->arena, struct hub_edge_ends);
    struct slice ids[2] = {SLICE(""), SLICE("")};
    struct buf text = BUF_INIT;

    for (int i = 0; i < 2 && e->ends[0] != 0; i++) {
        struct store_row row;
        if (hub_read_row(w->reader, h, e->ends[i], 0, &w->arena, &row, NULL) != 0)
            return false;
        ids[i] = row.id;
        ends->of[i].seq = e->ends[i];
        ends->of[i].key = h->rows.key[e->ends[i]];
        ends->of[i].id_hash = hub_id_hash(row.id);
    }
    *item = (struct hub_item){.by_hub = true,
                              .kind = STORE_ADD,
                              .facts = e->facts,
                              .id = arena_copy(&job->arena, e->id),
                              .key = e->key,
                              .id_hash = e->id_hash,
                              .source_us = e->known != 0 ? h->rows.source_us[e->known] + 1 : 1,
                              .ends = e->ends[0] != 0 ? ends : NULL};
    item->facts.type = SLICE("relationship");
    share_facts_put(&item->facts, &text);
    item->class_key = arena_copy(&job->arena, buf_slice(&text));
    buf_clear(&text);
    item->release.valid_until_at = item->release.cover_at = SIZE_MAX;
    put_body(&text, e, ids, &item->release);
    item->release.body = arena_copy(&job->arena, buf_slice(&text));
    buf_free(&text);
    return true;
}

struct hub_job *hub_edges_job(struct hub_worker *w, const struct hub_edges *edges)
{
    struct hub_job *job = mem_zero(1, sizeof *job);

    job->hub = w->hub;
    job->items = arena_array(&job->arena, struct hub_item, edges->n);
    for (size_t i = 0; i < edges->n; i++)
        job->n_items += make_item(w, job, &edges->items[i], &job->items[job->n_items]);
    job->directory = hub_directory_hold(w->hub);
    job->ask = (struct submission){.door = HUB_SENSOR, .received_us = time_now_us()};
    return job;
}

bool hub_edge_ends_stand(struct hub *h, const struct hub_edge_ends *ends)
{
    for (int i = 0; i < 2; i++)
        if (hub_rows_find(&h->rows, ends->of[i].id_hash, ends->of[i].key) != ends->of[i].seq)
            return false;
    return true;
}

/* ---- reading ---- */

static bool sees(const struct hub_view *v, struct slice collection, struct slice id)
{
    struct hub *h = v->hub;
    uint64_t *seqs;
    size_t n = hub_rows_candidates(&h->rows, hub_id_hash(id), &v->worker->arena, &seqs);

    for (size_t i = 0; i < n; i++) {
        uint64_t seq = hub_row_shown(&h->rows, seqs[i], v->upto);
        struct store_row row;
        if (seq == 0 || hub_row_content(&h->rows, seq) != seq || !slice_eq(hub_row_collection(h, seq), collection) ||
            hub_read_row(v->worker->reader, h, seq, 0, &v->worker->arena, &row, NULL) != 0 || !slice_eq(row.id, id))
            continue;
        if (hub_lists_find(v->lists, h->rows.facts_class[seq]) != NULL || (v->owner != 0 && row.owner == v->owner))
            return true;
    }
    return false;
}

/* An edge follows its ends after their commit; a reader that comes in between is not told either. */
bool hub_edge_is_seen(const struct hub_view *v, const struct store_row *row)
{
    struct hub *h = v->hub;
    struct json edge;

    if (!hub_class_of(h, row->facts_class)->facts.corroborates || row->kind != STORE_ADD)
        return true;
    if (json_parse(&v->worker->arena, row->body, &json_limits_default, &edge, NULL) != 0)
        return false;
    struct slice collection = hub_row_collection(h, row->seq);
    return sees(v, collection, json_text(json_get(edge, SLICE("source_ref")))) &&
           sees(v, collection, json_text(json_get(edge, SLICE("target_ref"))));
}

/* hub/corroborate.c: corroboration (DESIGN.md invariant 3): the same value under another id is an edge between the two
   objects, seen by those alone who may see both. A task on a worker reads what the committer wrote, some rows at a
   time, and behind everybody else; it keeps value to rows in index.db and makes of them what edges there should be
   (edges.c). Every row of an indicator, and every edge, has the edges of its value looked at anew: so edges follow when
   an end is narrowed, recalled or shared again. Whatever is interrupted is done again: the index counts a row as passed
   when the edges that it asked for are durable. */
#include "hub/edges.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/store_index.h"

enum {
    CORROBORATE_ROWS = 512,  /* of the journal, in one task */
    CORROBORATE_EDGES = 500, /* made or withdrawn by one task: the rest by its repetition */
};

struct hub_corroborate {
    const char *dir;
    uint8_t key[CRYPTO_KEY];
    pthread_mutex_t lock; /* of busy */
    bool busy;            /* a task runs, or its edges are on their way: the rest is that task's own */
    bool unusable;        /* index.db failed: again at the next tick */
    struct store_index *index;
    uint64_t passed; /* rows of the journal whose edges are durable */
    struct hub_families families;
};

/* ---- what a row asks for ---- */

struct values { /* those whose edges are looked at */
    uint64_t *keys;
    size_t n, room;
    struct arena *arena;
};

static void values_add(struct values *v, uint64_t key)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->keys[i] == key)
            return;
    if (v->n == v->room) {
        uint64_t *more = arena_alloc(v->arena, (v->room * 2 + 64) * sizeof *more);
        if (v->n != 0)
            memcpy(more, v->keys, v->n * sizeof *more);
        v->keys = more;
        v->room = v->room * 2 + 64;
    }
    v->keys[v->n++] = key;
}

/* Its one exact value, keyed: nobody can coin two values that share a number. false: it has none, or several. */
static bool value_of(struct hub *h, struct arena *a, struct slice collection, struct json object, uint64_t *key_out)
{
    const struct stix_pattern *pattern;
    struct stix_term *terms;
    uint8_t mac[CRYPTO_MAC];
    struct buf text = BUF_INIT;

    struct slice said = json_string(a, json_get(object, SLICE("pattern")));
    if (said.ptr == NULL || !slice_eq(json_text(json_get(object, SLICE("pattern_type"))), SLICE("stix")) ||
        stix_pattern_parse(a, said, &pattern, NULL) != 0 || stix_pattern_terms(a, pattern, &terms) != 1 ||
        terms[0].kind == STIX_VALUE_NONE || terms[0].kind == STIX_VALUE_OTHER)
        return false;
    buf_put(&text, collection);
    buf_printf(&text, "\n%d\n", (int)terms[0].kind);
    buf_put(&text, terms[0].value);
    crypto_mac(h->corroborate->key, buf_slice(&text), mac);
    buf_free(&text);
    memcpy(key_out, mac, sizeof *key_out);
    return true;
}

static uint64_t edges_of(uint64_t value)
{
    return value ^ 0x9e3779b97f4a7c15; /* in the same table, the edges between the rows of that value */
}

/* Tocsin's extension of indicators (stix.h): a copy of what everybody can read corroborates no other copy. */
static bool is_open_source(struct json object)
{
    struct json extension = json_get(json_get(object, SLICE("extensions")), SLICE(STIX_TOCSIN_INDICATOR));

    return slice_eq(json_text(json_get(extension, SLICE("how_known"))), SLICE("open-source"));
}

/* The value of the last version that has one. */
static bool value_of_row(struct hub_worker *w, uint64_t seq, uint64_t *key_out, uint64_t *who_out)
{
    struct hub *h = w->hub;

    for (seq = hub_row_content(&h->rows, seq); seq != 0;
         seq = hub_row_content(&h->rows, hub_row_subject(&h->rows, seq))) {
        struct store_row row;
        struct json object;
        if (hub_read_row(w->reader, h, seq, 0, &w->arena, &row, NULL) != 0 || row.body.len == 0 ||
            json_parse(&w->arena, row.body, &json_limits_default, &object, NULL) != 0)
            continue;
        *who_out = is_open_source(object) ? HUB_WHO_OPEN_SOURCE : row.owner;
        return value_of(h, &w->arena, hub_row_collection(h, seq), object, key_out);
    }
    return false;
}

static int pass_indicator(struct hub_worker *w, uint64_t seq, struct values *values, struct err *err)
{
    struct hub *h = w->hub;
    struct store_index *x = h->corroborate->index;
    uint64_t key, before, who, subject = hub_row_subject(&h->rows, seq);

    if (subject != 0 && value_of_row(w, subject, &before, &who))
        values_add(values, before);
    if (h->rows.kind[seq] != STORE_ADD || !value_of_row(w, seq, &key, &who))
        return 0;
    values_add(values, key);
    return store_index_put(x, key, (struct store_index_pair){seq, who}, err);
}

/* An edge stands in the index under the value of its ends. */
static int pass_edge(struct hub_worker *w, uint64_t seq, struct values *values, struct err *err)
{
    struct hub *h = w->hub;
    uint64_t key, who, *seqs;
    struct store_row row, end;
    struct json edge;

    if (hub_read_row(w->reader, h, seq, 0, &w->arena, &row, NULL) != 0 ||
        json_parse(&w->arena, row.body, &json_limits_default, &edge, NULL) != 0)
        return 0;
    struct slice id = json_text(json_get(edge, SLICE("source_ref")));
    size_t n = hub_rows_candidates(&h->rows, hub_id_hash(id), &w->arena, &seqs);
    for (size_t i = 0; i < n; i++) {
        uint64_t content = hub_row_content(&h->rows, hub_row_shown(&h->rows, seqs[i], atomic_load(&h->head)));
        if (content == 0 || !slice_eq(hub_row_collection(h, content), hub_row_collection(h, seq)) ||
            hub_read_row(w->reader, h, content, 0, &w->arena, &end, NULL) != 0 || !slice_eq(end.id, id) ||
            !value_of_row(w, content, &key, &who))
            continue;
        values_add(values, key);
        if (store_index_put(h->corroborate->index, edges_of(key),
                            (struct store_index_pair){hub_id_hash(row.id), h->rows.key[seq]}, err) != 0)
            return -1;
    }
    return 0;
}

static int pass_row(struct hub_worker *w, uint64_t seq, struct values *values, struct err *err)
{
    struct hub *h = w->hub;
    enum store_kind kind = h->rows.kind[seq];
    const struct share_facts *facts = &hub_class_of(h, h->rows.facts_class[seq])->facts;

    if (kind != STORE_ADD && kind != STORE_EXPIRE && kind != STORE_RETRACT)
        return 0;
    if (facts->corroborates)
        return hub_row_later(&h->rows, seq) == 0 ? pass_edge(w, seq, values, err) : 0;
    return slice_eq(facts->type, SLICE("indicator")) ? pass_indicator(w, seq, values, err) : 0;
}

/* ---- from a value's rows to its edges ---- */

/* Those that stand; what was taken back, replaced or has expired does not come back under its row: out of the index. */
static int find_ends(struct hub_worker *w, uint64_t value, struct hub_end *ends, size_t *n_out, struct err *err)
{
    struct hub *h = w->hub;
    struct store_index_pair *pairs = arena_alloc(&w->arena, HUB_ENDS_MAX * sizeof *pairs);
    size_t n;

    *n_out = 0;
    if (store_index_find(h->corroborate->index, value, HUB_ENDS_MAX, pairs, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        uint64_t seq = pairs[i].a;
        if (hub_edge_end_stands(h, seq))
            ends[(*n_out)++] = hub_edge_end(h, &h->corroborate->families, seq, pairs[i].b);
        else if (store_index_drop(h->corroborate->index, value, seq, err) != 0)
            return -1;
    }
    return 0;
}

/* Edges that should be and are not, or are otherwise. */
static int make_edges(struct hub_worker *w, uint64_t value, struct hub_edges *out, struct err *err)
{
    struct hub *h = w->hub;
    struct hub_end *ends = arena_alloc(&w->arena, HUB_ENDS_MAX * sizeof *ends);
    struct store_index_pair *known = arena_alloc(&w->arena, HUB_ENDS_MAX * sizeof *known);
    size_t n_ends, n_known;

    if (find_ends(w, value, ends, &n_ends, err) != 0 ||
        store_index_find(h->corroborate->index, edges_of(value), HUB_ENDS_MAX, known, &n_known, err) != 0)
        return -1;
    size_t first = out->n;
    hub_edges_wanted(w, ends, n_ends, h->corroborate->key, out);
    for (size_t i = 0; i < n_known; i++) {
        bool wanted = false;
        for (size_t k = first; k < out->n && !wanted; k++)
            wanted = out->items[k].id_hash == known[i].a;
        if (wanted)
            continue;
        if (!hub_edges_unwanted(w, known[i].a, known[i].b, out) && /* it stays until that is durable */
            store_index_drop(h->corroborate->index, edges_of(value), known[i].a, err) != 0)
            return -1;
    }
    hub_edges_keep_changed(h, out, first);
    return 0;
}

/* ---- the task ---- */

static void start(struct hub *h);

static void end_task(struct hub *h, bool again)
{
    struct hub_corroborate *c = h->corroborate;

    pthread_mutex_lock(&c->lock);
    c->busy = false;
    pthread_mutex_unlock(&c->lock);
    if (again)
        start(h);
}

struct asked { /* in the arena of its job */
    struct hub *hub;
    uint64_t upto;
};

static void edges_done(void *arg, const struct hub_outcome *outcome)
{
    struct asked *asked = arg;

    if (outcome->err == NULL)
        asked->hub->corroborate->passed = asked->upto;
    end_task(asked->hub, outcome->err == NULL); /* else the tick: it looks at those rows again */
}

static struct store_index_place place_of(struct hub *h, uint64_t seq)
{
    return (struct store_index_place){seq, seq != 0 ? (uint64_t)h->rows.first_us[seq] : 0};
}

/* Rows in (passed, upto]: true where there is anything to do with them. */
static bool is_of_interest(struct hub *h, uint64_t seq)
{
    const struct share_facts *facts = &hub_class_of(h, h->rows.facts_class[seq])->facts;

    return (facts->corroborates || slice_eq(facts->type, SLICE("indicator"))) && h->rows.kind[seq] != STORE_RESTRICT &&
           h->rows.kind[seq] != STORE_WIDEN;
}

static int look_at_rows(struct hub_worker *w, uint64_t upto, struct hub_edges *edges, struct err *err)
{
    struct hub_corroborate *c = w->hub->corroborate;
    struct values values = {.arena = &w->arena};

    for (uint64_t seq = c->passed + 1; seq <= upto; seq++)
        if (is_of_interest(w->hub, seq) && pass_row(w, seq, &values, err) != 0)
            return -1;
    for (size_t i = 0; i < values.n && edges->n < CORROBORATE_EDGES; i++)
        if (make_edges(w, values.keys[i], edges, err) != 0)
            return -1;
    return 0;
}

static int reopen(struct hub *h, struct err *err)
{
    struct hub_corroborate *c = h->corroborate;

    if (c->index == NULL && store_index_open(c->dir, &c->index, err) != 0)
        return -1;
    struct store_index_place place = store_index_place(c->index);
    bool ours = place.seq <= atomic_load(&h->head) && place.mark == place_of(h, place.seq).mark;
    if (!ours && (store_index_remove(c->dir, &c->index, err) != 0 || store_index_open(c->dir, &c->index, err) != 0))
        return -1;
    c->passed = store_index_place(c->index).seq;
    if (c->passed < atomic_load(&h->head))
        log_event("index_behind", NUM("passed", c->passed), NUM("head", atomic_load(&h->head)));
    return 0;
}

/* A damaged index is made anew: all it says stands in the journal. */
static void give_up(struct hub *h, const struct err *why)
{
    struct hub_corroborate *c = h->corroborate;
    struct err err;

    log_event("index_failed", ERROR_FIELD(why));
    c->unusable = true;
    if (c->index != NULL)
        store_index_rollback(c->index);
    if (why->code != ERR_DISK_FULL && store_index_remove(c->dir, &c->index, &err) != 0)
        log_event("index_not_removed", ERROR_FIELD(&err));
    end_task(h, false);
}

static void put_edges(struct hub_worker *w, const struct hub_edges *edges, uint64_t upto)
{
    struct hub *h = w->hub;
    struct hub_job *job = hub_edges_job(w, edges);
    struct asked *asked = arena_new(&job->arena, struct asked);
    bool all = edges->n < CORROBORATE_EDGES;

    *asked = (struct asked){h, all ? upto : h->corroborate->passed};
    job->ask.done = edges_done;
    job->ask.arg = asked;
    log_event("corroborated", NUM("edges", edges->n));
    if (hub_commit_put(h, job))
        return;
    hub_job_free(&job);
    end_task(h, false);
}

static void corroborate(struct hub_worker *w, void *arg)
{
    struct hub *h = w->hub;
    struct hub_corroborate *c = h->corroborate;
    struct hub_edges edges = {.n = 0};
    struct err err = ERR_INIT;

    if (c->index == NULL && reopen(h, &err) != 0) {
        give_up(h, &err);
        return;
    }
    uint64_t head = atomic_load(&h->head), upto = c->passed;
    while (upto < head && upto < c->passed + CORROBORATE_ROWS)
        upto++;
    hub_families_learn(h, &c->families);
    if (store_index_begin(c->index, &err) != 0 || look_at_rows(w, upto, &edges, &err) != 0 ||
        store_index_commit(c->index, place_of(h, c->passed), &err) != 0) {
        give_up(h, &err);
        return;
    }
    if (upto == head)
        store_index_rest(c->index);
    if (edges.n != 0) {
        put_edges(w, &edges, upto);
        return;
    }
    c->passed = upto;
    end_task(h, true);
}

static void start(struct hub *h)
{
    struct hub_corroborate *c = h->corroborate;

    pthread_mutex_lock(&c->lock);
    bool due = !c->busy && !c->unusable && (c->index == NULL || c->passed < atomic_load(&h->head));
    c->busy = c->busy || due;
    pthread_mutex_unlock(&c->lock);
    if (due && !hub_work(h, h->n_workers - 1, false, corroborate, NULL))
        end_task(h, false);
}

void hub_corroborate_wake(struct hub *h)
{
    start(h);
}

uint64_t hub_corroborate_passed(struct hub *h)
{
    pthread_mutex_lock(&h->corroborate->lock);
    uint64_t passed = h->corroborate->busy ? 0 : h->corroborate->passed;
    pthread_mutex_unlock(&h->corroborate->lock);
    return passed;
}

void hub_corroborate_tick(struct hub *h)
{
    pthread_mutex_lock(&h->corroborate->lock);
    if (!h->corroborate->busy)
        h->corroborate->unusable = false;
    pthread_mutex_unlock(&h->corroborate->lock);
    start(h);
}

struct hub_corroborate *hub_corroborate_new(const char *dir)
{
    struct hub_corroborate *c = mem_zero(1, sizeof *c);

    c->dir = mem_copy(slice_n(dir, strlen(dir) + 1));
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void hub_corroborate_key(struct hub *h)
{
    crypto_derive(h->token_key, "corroboration", h->corroborate->key);
}

void hub_corroborate_free(struct hub *h)
{
    struct hub_corroborate *c = h->corroborate;
    struct err err;

    h->corroborate = NULL;
    if (c == NULL)
        return;
    if (c->index != NULL && store_index_begin(c->index, &err) == 0 &&
        store_index_commit(c->index, place_of(h, c->passed), &err) != 0)
        store_index_rollback(c->index);
    store_index_close(&c->index);
    hub_families_free(&c->families);
    crypto_wipe(c->key, sizeof c->key);
    pthread_mutex_destroy(&c->lock);
    free((char *)(uintptr_t)c->dir);
    free(c);
}

/* hub/view.c: the one way out, and the only file that reads the store. A view is one viewer's right at one moment:
   which classes, its own rows, up to which row. For its own rows a member gets back the originals, byte for byte, under
   its own ids. */
#include "hub/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "store/store_read.h"

enum { VIEW_VERSIONS = 4096 };

/* ---- at start ---- */

struct loading {
    struct hub *hub;
    struct hub_raw_row *rows;
    size_t n, room;
    struct arena arena;
    enum store_table table;
    struct err *err;
};

static int load_class(void *arg, struct slice key, struct slice value)
{
    struct loading *l = arg;
    bool fresh;
    uint32_t n = hub_class_number(l->hub, value, &fresh);

    assert(fresh && key.len == 4 &&
           n == (uint32_t)((uint8_t)key.ptr[0] << 24 | (uint8_t)key.ptr[1] << 16 | (uint8_t)key.ptr[2] << 8 |
                           (uint8_t)key.ptr[3]));
    return 0;
}

static int load_hidden(void *arg, struct slice key, struct slice value)
{
    struct hub *h = arg;
    uint64_t seq;

    if (slice_u64(key, &seq) && seq < HUB_ROWS_MAX)
        bits_set(&h->rows.hidden, seq, true);
    return 0;
}

static int load_raw_row(void *arg, struct slice key, struct slice value)
{
    struct loading *l = arg;

    if (l->n == l->room) {
        l->room = l->room * 2 + 64;
        l->rows = mem_grow(l->rows, l->room * sizeof *l->rows);
    }
    l->rows[l->n++] = (struct hub_raw_row){l->table, arena_copy(&l->arena, key), arena_copy(&l->arena, value)};
    return 0;
}

static int load_brief(void *arg, const struct store_brief *b)
{
    struct hub *h = arg;

    hub_rows_take(&h->rows, &(struct hub_row){.seq = b->seq,
                                              .key = b->key,
                                              .id_hash = b->id_hash,
                                              .subject = b->subject_seq,
                                              .source_us = b->source_us,
                                              .added_us = b->added_us,
                                              .facts_class = b->facts_class,
                                              .kind = (enum store_kind)b->kind,
                                              .bare = b->bare});
    if (b->subject_seq != 0 && b->kind != STORE_RESTRICT)
        hub_rows_supersede(&h->rows, b->subject_seq, b->seq);
    return 0;
}

/* Value: delivered u64, then grants (class u64, from u64), little endian. Everybody counts as having read everything:
   what was delivered in the last second before a crash is not known, and a recall must not miss it. */
static int load_viewer(void *arg, struct slice key, struct slice value)
{
    struct loading *l = arg;
    uint64_t number, numbers[2];

    if (!slice_u64(key, &number) || number >= HUB_VIEWERS_MAX || value.len < 8)
        return 0;
    while (atomic_load(&l->hub->n_viewers) <= number) {
        struct hub_viewer *v = mem_zero(1, sizeof *v);
        pthread_mutex_init(&v->lock, NULL);
        l->hub->viewers[atomic_load(&l->hub->n_viewers)] = v;
        atomic_fetch_add(&l->hub->n_viewers, 1);
    }
    struct hub_viewer *v = l->hub->viewers[number];
    memcpy(numbers, value.ptr, 8);
    v->read_before = numbers[0] != 0;
    atomic_store(&v->delivered, atomic_load(&l->hub->head));
    v->n_grants = (value.len - 8) / 16;
    v->grants = mem_zero(v->n_grants, sizeof *v->grants);
    for (size_t i = 0; i < v->n_grants; i++) {
        memcpy(numbers, value.ptr + 8 + 16 * i, 16);
        v->grants[i] = (struct hub_grant){(uint32_t)numbers[0], numbers[1]};
    }
    return 0;
}

static int load_recall(void *arg, uint64_t seq, struct slice id, struct slice reach)
{
    struct hub *h = arg;
    bool deleted = h->rows.kind[seq] == STORE_RETRACT && h->rows.key[seq] == 0;

    if (h->rows.kind[seq] == STORE_RESTRICT || deleted)
        hub_again_put(h, seq, id, reach);
    return 0;
}

static int load_tree(struct hub *h, struct store_reader *r, struct err *err)
{
    struct buf text = BUF_INIT;
    int result = store_get(r, STORE_META, SLICE("tree"), &text, err);

    if (result == 0)
        result = ledger_get(buf_slice(&text), &h->tree, err);
    else if (err->code == ERR_NOT_FOUND)
        result = 0; /* the first start: an empty tree */
    buf_free(&text);
    atomic_store(&h->ledger_size, h->tree.size);
    return result;
}

static int load_directory(struct hub *h, struct store_reader *r, struct loading *l, struct err *err)
{
    static const enum store_table tables[] = {STORE_MEMBER, STORE_PARTNER, STORE_COLLECTION};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        l->table = tables[i];
        if (store_scan(r, tables[i], SLICE(""), load_raw_row, l, err) != 0)
            return -1;
    }
    return hub_directory_build(l->rows, l->n, NULL, h->committer_keys, 1, &h->directory, err);
}

int hub_load(struct hub *h, struct err *err)
{
    struct loading l = {.hub = h};
    struct store_reader *r;
    uint64_t head;
    int64_t last;

    if (store_reader_open(h->store, &r, err) != 0)
        return -1;
    int result = store_head_seq(r, &head, &last, err);
    if (result == 0) {
        atomic_store(&h->head, head);
        load_viewer(&l, SLICE("0"), SLICE("\0\0\0\0\0\0\0\0")); /* viewer 0 is nobody */
        result = load_tree(h, r, err) != 0 || store_scan(r, STORE_CLASS, SLICE(""), load_class, &l, err) != 0 ||
                         store_scan(r, STORE_VIEWER, SLICE(""), load_viewer, &l, err) != 0 ||
                         store_scan_brief(r, 0, load_brief, h, err) != 0 ||
                         store_scan(r, STORE_HIDDEN, SLICE(""), load_hidden, h, err) != 0 ||
                         store_scan(r, STORE_RECIPIENT, SLICE(""), hub_recipient_load, h, err) != 0 ||
                         store_scan_recalls(r, load_recall, h, err) != 0 || load_directory(h, r, &l, err) != 0
                     ? -1
                     : 0;
    }
    store_reader_close(&r);
    free(l.rows);
    arena_free(&l.arena);
    return result;
}

struct store_reader *hub_reader_new(struct hub *h, struct err *err)
{
    struct store_reader *r = NULL;

    store_reader_open(h->store, &r, err);
    return r;
}

void hub_reader_free(struct store_reader **r)
{
    store_reader_close(r);
}

int hub_sightings_scan(struct store_reader *r, struct slice from, hub_pair_fn *fn, void *arg, struct err *err)
{
    return store_scan(r, STORE_SIGHTING, from, fn, arg, err);
}

int hub_receipts_scan(struct store_reader *r, struct slice from, hub_pair_fn *fn, void *arg, struct err *err)
{
    return store_scan(r, STORE_RECEIPT, from, fn, arg, err);
}

int hub_cursor_get(struct hub *h, struct arena *a, struct slice name, struct slice *cursor_out)
{
    struct buf value = BUF_INIT;
    struct store_reader *r;
    struct err err;

    *cursor_out = SLICE("");
    if (store_reader_open(h->store, &r, &err) != 0)
        return -1;
    int result = store_get(r, STORE_CURSOR, name, &value, &err);
    if (result == 0)
        *cursor_out = arena_copy(a, buf_slice(&value));
    store_reader_close(&r);
    buf_free(&value);
    return result;
}

uint64_t hub_count_class_rows(struct hub *h, const struct bits *classes, uint64_t upto)
{
    uint64_t n = 0;

    for (uint64_t seq = 1; seq <= upto; seq++)
        n += (h->rows.kind[seq] == STORE_ADD || h->rows.kind[seq] == STORE_EXPIRE) && !bits_has(&h->rows.bare, seq) &&
             bits_has(classes, h->rows.facts_class[seq]);
    return n;
}

/* ---- rows leave the store's call before anything waits: they are copied into the arena, and only then opened and
 * renamed ---- */

struct gathered {
    struct store_row row;
    struct store_at at;
};
struct gathering {
    struct arena *arena;
    struct gathered *items;
    size_t n, room;
};

static void copy_row(struct arena *a, const struct store_row *from, struct store_row *to)
{
    *to = *from;
    to->id = arena_copy(a, from->id);
    to->body = arena_copy(a, from->body);
    to->original = arena_copy(a, from->original);
    to->source = arena_copy(a, from->source);
    to->cover = to->reach = to->grant = SLICE("");
}

static int gather(void *arg, const struct store_row *row, const struct store_at *at)
{
    struct gathering *g = arg;

    if (g->n == g->room) {
        struct gathered *more = arena_alloc(g->arena, (g->room * 2 + 64) * sizeof *more);
        if (g->n != 0)
            memcpy(more, g->items, g->n * sizeof *more);
        g->items = more;
        g->room = g->room * 2 + 64;
    }
    copy_row(g->arena, row, &g->items[g->n].row);
    g->items[g->n++].at = *at;
    return 0;
}

/* For the committer: a row as it is, whatever a view would say. */
int hub_read_row(struct store_reader *r, struct hub *h, uint64_t seq, uint32_t viewer, struct arena *a,
                 struct store_row *out, struct err *err)
{
    struct gathering g = {.arena = a};
    struct store_list list = {h->rows.facts_class[seq], 0};
    struct store_query q = {.lists = &list, .n_lists = 1, .viewer = viewer, .upto = seq, .limit = 1};

    if (store_row_get(r, seq, &q, gather, &g, err) != 0)
        return -1;
    assert(g.n == 1);
    *out = g.items[0].row;
    return 0;
}

int hub_recall_read(struct store_reader *r, struct hub *h, uint64_t seq, struct arena *a, struct slice *reach_out,
                    struct store_row *out, struct err *err)
{
    struct buf reach = BUF_INIT;
    uint32_t viewer = 1;
    int result = store_reach(r, seq, &reach, err);

    *reach_out = arena_copy(a, buf_slice(&reach));
    buf_free(&reach);
    while (result == 0 && viewer / 8 < reach_out->len && !hub_is_reached(*reach_out, viewer))
        viewer++;
    return result == 0 ? hub_read_row(r, h, seq, viewer, a, out, err) : -1;
}

struct sending {
    uint64_t owner, after, next, *seqs;
    int64_t from_us;
    size_t n, most;
};

static int take_sent(void *arg, const struct store_brief *b)
{
    struct sending *s = arg;

    if (b->owner != s->owner || b->added_us < s->from_us ||
        (b->kind != STORE_ADD && b->kind != STORE_EXPIRE && b->kind != STORE_RETRACT))
        return 0;
    if (s->n == s->most) {
        s->next = s->seqs[s->n - 1];
        return 1;
    }
    s->seqs[s->n++] = b->seq;
    return 0;
}

int hub_sent_rows(struct store_reader *r, struct hub *h, uint64_t owner, int64_t since_us, uint64_t after,
                  struct arena *a, uint64_t **seqs_out, size_t *n_out, uint64_t *next_out, struct err *err)
{
    static const int64_t drawn_us = 1000000; /* commit.c, draw_instants() */
    struct sending s = {.owner = owner,
                        .from_us = since_us - drawn_us,
                        .most = h->sent_most,
                        .seqs = arena_array(a, uint64_t, h->sent_most)};
    struct store_at at;

    if (owner == 0 || store_position(r, s.from_us - 1, atomic_load(&h->head), &at, err) != 0)
        return owner == 0 ? err_set(err, ERR_NOT_FOUND, "/name", "nobody's rows") : -1;
    /* The position may stand inside a widening. */
    s.after = at.seq > 0 && at.seq - 1 > after ? at.seq - 1 : after;
    int result = store_scan_brief(r, s.after, take_sent, &s, err);
    *seqs_out = s.seqs;
    *n_out = s.n;
    *next_out = s.next;
    return result;
}

int hub_row_received(struct store_reader *r, struct hub *h, uint64_t seq, uint32_t viewer, struct arena *a,
                     int64_t *us_out, struct err *err)
{
    struct store_row row;
    struct store_envelope e;

    if (hub_read_row(r, h, seq, viewer, a, &row, err) != 0)
        return -1;
    *us_out = row.added_us;
    if (row.envelope == 0)
        return 0;
    if (store_envelope_get(r, row.envelope, a, &e, err) != 0)
        return -1;
    *us_out = e.received_us;
    return 0;
}

int hub_view_open(struct hub_worker *w, const struct hub_party *party, struct hub_view *v, struct err *err)
{
    struct hub *h = w->hub;

    memset(v, 0, sizeof *v);
    v->recalls = atomic_load(&h->recalls);
    /* The head first: whoever sees a widening's row must also see the directory that it came with. */
    v->upto = atomic_load(&h->head);
    v->hub = h;
    v->worker = w;
    v->directory = hub_directory_hold(h);
    v->viewer = party->viewer;
    v->credential = party->credential;
    v->partner = party->kind == HUB_PARTY_PARTNER;
    const struct hub_member *m = hub_directory_member_of(v->directory, v->viewer);
    if (!hub_party_is_good(v->directory, party)) {
        hub_directory_drop(&v->directory);
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this credential has ended");
    }
    v->owner = m != NULL ? m->owner : 0;
    v->lost = atomic_load(&h->viewers[v->viewer]->lost);
    v->owner_text = m != NULL ? m->owner_text : SLICE("");
    v->lists = hub_viewer_lists(h, v->directory, v->viewer);
    return 0;
}

int hub_view_key(struct hub_view *v, uint64_t envelope, struct err *err)
{
    struct store_envelope e;

    if (v->envelope == envelope)
        return 0;
    if (store_envelope_get(v->worker->reader, envelope, &v->worker->arena, &e, err) != 0 ||
        keys_unwrap(v->worker->keys, v->owner_text, e.key, v->data_key, err) != 0)
        return -1;
    v->envelope = envelope;
    return 0;
}

static bool wants_type(const struct taxii_filter *types, struct slice type)
{
    if (types == NULL || types->n == 0)
        return true;
    for (uint32_t i = 0; i < types->n; i++)
        if (slice_eq(types->items[i], type))
            return true;
    return false;
}

static bool is_asked_class(const struct hub_view *v, const struct hub_view_ask *ask, uint32_t facts_class)
{
    const struct share_facts *f = &v->hub->classes[facts_class]->facts;

    return slice_eq(f->collection, ask->collection->id) && wants_type(ask->types, f->type);
}

/* The viewer's classes that are asked for; and, for an owner, every class that its rows may have. */
static void fill_query(struct hub_view *v, const struct hub_view_ask *ask, struct store_query *q,
                       struct bits *owner_classes)
{
    struct arena *a = &v->worker->arena;
    struct store_list *lists = arena_alloc(a, (v->lists->n + 1) * sizeof *lists);
    size_t n = 0;

    for (size_t i = 0; i < v->lists->n; i++)
        if (is_asked_class(v, ask, v->lists->lists[i].facts_class))
            lists[n++] = v->lists->lists[i];
    if (v->owner != 0) {
        uint32_t n_classes = atomic_load(&v->hub->n_classes);
        owner_classes->n_words = n_classes / 64 + 1;
        owner_classes->words = arena_zero(a, owner_classes->n_words * sizeof *owner_classes->words);
        for (uint32_t c = 0; c < n_classes; c++)
            if (is_asked_class(v, ask, c))
                bits_set(owner_classes, c, true);
    }
    *q = (struct store_query){.lists = lists,
                              .n_lists = n,
                              .owner = v->owner,
                              .own_originals = true,
                              .owner_classes = owner_classes,
                              .viewer = v->viewer,
                              .skip = ask->superseded_too       ? NULL
                                      : ask->part == STORE_PAGE ? &v->hub->rows.replaced
                                                                : &v->hub->rows.superseded,
                              .part = ask->part,
                              .upto = v->upto,
                              .limit = ask->limit,
                              .max_bytes = ask->max_bytes};
}

/* "Where a version changes the audience, those who lose see no older version": the row that stands for the object now
 * decides. */
static bool may_see_latest(const struct hub_view *v, const struct store_row *row)
{
    struct hub_rows *rows = &v->hub->rows;
    uint64_t seq = hub_row_latest(rows, row->seq, v->upto);

    if (v->owner != 0 && row->owner == v->owner)
        return rows->key[seq] != 0 && !bits_has(&rows->hidden, row->seq); /* key 0: its owner deleted it */
    return seq == row->seq || hub_lists_find(v->lists, rows->facts_class[seq]) != NULL;
}

struct giving {
    struct hub_view *view;
    const struct hub_view_ask *ask;
    hub_seen_fn *fn;
    void *arg;
    struct gathering later; /* what the store's call cannot wait for, and everything behind it */
    struct store_at last;   /* everything up to and with it was given, or may not be seen */
    bool stopped;           /* fn did not take the row behind it */
    bool recalls;           /* some were given */
};

static void give(struct giving *g, const struct hub_seen *seen, const struct store_at *at)
{
    g->stopped = g->fn(g->arg, seen, at) != 0;
    if (g->stopped)
        return;
    g->last = *at;
    g->recalls = g->recalls || seen->row->kind == STORE_RETRACT || seen->row->kind == STORE_RESTRICT;
    hub_view_given(g->view, seen->row, at->seq, seen->own);
}

/* What its owner deleted is gone from its pages; its followers alone are told. */
static bool is_own_deletion(const struct hub_view *v, const struct store_row *row)
{
    return v->owner != 0 && row->owner == v->owner && v->hub->rows.key[row->seq] == 0;
}

/* Rows addressed to the viewer come whatever was asked for: of another collection, or of a type that is not wanted. */
static bool leaves_out(const struct giving *g, const struct store_row *row)
{
    if (g->ask->part == STORE_PAGE && is_own_deletion(g->view, row))
        return true;
    return !is_asked_class(g->view, g->ask, row->facts_class) ||
           (g->ask->superseded_too && !may_see_latest(g->view, row)) || !hub_edge_is_seen(g->view, row);
}

static int give_or_gather(void *arg, const struct store_row *row, const struct store_at *at)
{
    struct giving *g = arg;
    struct hub_seen seen = hub_form_stored(g->view, row);

    if (!g->ask->at_once || g->later.n != 0 || hub_form_is_work(g->view, &seen))
        return gather(&g->later, row, at);
    if (leaves_out(g, row))
        g->last = *at;
    else
        give(g, &seen, at);
    return g->stopped;
}

static int give_gathered(struct giving *g, struct err *err)
{
    for (size_t i = 0; i < g->later.n && !g->stopped; i++) {
        const struct gathered *one = &g->later.items[i];
        struct hub_seen seen;
        if (leaves_out(g, &one->row))
            g->last = one->at;
        else if (hub_form_make(g->view, &one->row, one->at.seq, &seen, err) != 0)
            return -1;
        else
            give(g, &seen, &one->at);
    }
    return 0;
}

int hub_view_page(struct hub_view *v, const struct hub_view_ask *ask, const struct store_at *after, hub_seen_fn *fn,
                  void *arg, struct store_at *at_out, bool *more_out, struct err *err)
{
    struct giving g = {v, ask, fn, arg, {.arena = &v->worker->arena}, *after, false, false};
    struct bits owner_classes = BITS_INIT;
    uint64_t given = v->n;
    struct store_query q;

    fill_query(v, ask, &q, &owner_classes);
    q.after = *after;
    do { /* where there is more, something is given: a follower that is given nothing waits for the head to move */
        if (store_page(v->worker->reader, &q, give_or_gather, &g, at_out, more_out, err) != 0 ||
            give_gathered(&g, err) != 0)
            return -1;
        q.after = *at_out;
        g.later.n = 0;
    } while (*more_out && v->n == given && !g.stopped);
    if (g.stopped) { /* the next page begins with what was not taken */
        *at_out = g.last;
        *more_out = true;
    }
    hub_view_passed(v, ask, after->seq, at_out->seq, g.recalls);
    return 0;
}

struct slice hub_view_minted(struct hub_view *v, const struct hub_collection *collection, struct slice id)
{
    struct arena *a = &v->worker->arena;
    uint8_t mac[1][CRYPTO_MAC];
    struct slice text = hub_id_text(a, v->owner_text, collection->id, id);

    if (v->owner == 0 || keys_mac(v->worker->keys, KEYS_MAC_ID, &text, 1, mac, NULL) != 0)
        return slice_n(NULL, 0);
    return share_minted_id(a, id, mac[0]);
}

static int by_place(const void *a, const void *b)
{
    const struct store_at *x = &((const struct gathered *)a)->at, *y = &((const struct gathered *)b)->at;

    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->sub < y->sub ? -1 : x->sub > y->sub;
}

/* Where a row stands for this viewer: its own place, or the widening through which it has it. */
static uint64_t place_of(const struct hub_view *v, const struct store_row *row)
{
    const struct store_list *l = hub_lists_find(v->lists, row->facts_class);
    bool content = row->kind == STORE_ADD || row->kind == STORE_EXPIRE;

    return content && l != NULL && l->held_from > row->seq ? l->held_from : row->seq;
}

/* Is `asked` the id by which the viewer knows this version? What was taken from it goes by an earlier one. */
static bool is_known_as(struct hub_view *v, const struct store_row *row, struct slice asked)
{
    uint64_t place = place_of(v, row);
    struct slice in = hub_row_collection(v->hub, row->seq);
    bool content = row->kind == STORE_ADD || row->kind == STORE_EXPIRE;

    if (!v->lost || row->source.len != 0 || (v->owner != 0 && row->owner == v->owner))
        return slice_eq(row->id, asked);
    if (content && hub_again_times(v->hub, v->viewer, in, row->id, place) !=
                       hub_again_times(v->hub, v->viewer, in, row->id, UINT64_MAX))
        return false;
    return slice_eq(hub_form_id(v, row, place), asked);
}

static bool is_version(const struct hub_view *v, const struct hub_view_ask *ask, const struct store_row *row,
                       struct slice id)
{
    return is_asked_class(v, ask, row->facts_class) && slice_eq(row->id, id) && row->body.len != 0 &&
           !is_own_deletion(v, row) && may_see_latest(v, row) && hub_edge_is_seen(v, row);
}

static int gather_versions(struct hub_view *v, const struct hub_view_ask *ask, const struct store_query *q,
                           struct slice asked, bool all, struct gathering *g, struct err *err)
{
    uint64_t *seqs;
    struct slice id = hub_again_base(v->hub, asked);
    size_t n = hub_rows_candidates(&v->hub->rows, hub_id_hash(id), g->arena, &seqs);

    for (size_t i = 0; i < n; i++) {
        uint64_t seq = seqs[i];
        while (seq > v->upto) /* a version that is being committed just now */
            seq = hub_row_subject(&v->hub->rows, seq);
        if (bits_has(&v->hub->rows.bare, seq))
            seq = hub_row_subject(&v->hub->rows, seq);
        for (uint64_t steps = 0; seq != 0 && steps < VIEW_VERSIONS;
             seq = all ? hub_row_subject(&v->hub->rows, seq) : 0, steps++) {
            size_t before = g->n;
            if ((v->hub->rows.kind[seq] != STORE_ADD && v->hub->rows.kind[seq] != STORE_EXPIRE &&
                 v->hub->rows.kind[seq] != STORE_RETRACT))
                continue;
            if (store_row_get(v->worker->reader, seq, q, gather, g, err) != 0 && err->code != ERR_NOT_FOUND)
                return -1;
            if (g->n > before &&
                (!is_version(v, ask, &g->items[before].row, id) || !is_known_as(v, &g->items[before].row, asked)))
                g->n = before;
        }
    }
    return 0;
}

/* The last version of each id that was gathered in [from, g->n): the others go. */
static void keep_last(struct gathering *g, size_t from)
{
    size_t last = from;

    if (g->n <= from + 1)
        return;
    for (size_t i = from; i < g->n; i++)
        if (g->items[i].row.source_us > g->items[last].row.source_us)
            last = i;
    g->items[from] = g->items[last];
    g->n = from + 1;
}

static bool is_behind(const struct store_at *at, const struct store_at *after)
{
    return at->seq > after->seq || (at->seq == after->seq && at->sub > after->sub);
}

static int gather_ids(struct hub_view *v, const struct hub_collection *collection, const struct slice *ids, size_t n,
                      bool all, struct gathering *g, struct err *err)
{
    struct hub_view_ask ask = {
        .collection = collection, .part = STORE_PAGE, .superseded_too = true, .limit = VIEW_VERSIONS};
    struct bits owner_classes = BITS_INIT;
    struct store_query q;

    fill_query(v, &ask, &q, &owner_classes);
    for (size_t i = 0; i < n; i++) {
        struct slice minted = hub_view_minted(v, collection, ids[i]);
        size_t from = g->n;
        if (gather_versions(v, &ask, &q, ids[i], all, g, err) != 0 ||
            (minted.ptr != NULL && !slice_eq(minted, ids[i]) && gather_versions(v, &ask, &q, minted, all, g, err) != 0))
            return -1;
        if (!all)
            keep_last(g, from);
    }
    return 0;
}

int hub_view_objects(struct hub_view *v, const struct hub_collection *collection, const struct slice *ids, size_t n,
                     bool all_versions, const struct store_at *after, hub_seen_fn *fn, void *arg, struct err *err)
{
    struct gathering g = {.arena = &v->worker->arena};

    v->collection = collection;
    if (gather_ids(v, collection, ids, n, all_versions, &g, err) != 0)
        return -1;
    if (g.n > 1)
        qsort(g.items, g.n, sizeof *g.items, by_place);
    for (size_t i = 0; i < g.n; i++) {
        struct hub_seen seen;
        if (!is_behind(&g.items[i].at, after))
            continue;
        if (hub_form_make(v, &g.items[i].row, place_of(v, &g.items[i].row), &seen, err) != 0)
            return -1;
        if (fn(arg, &seen, &g.items[i].at) != 0)
            break;
        hub_view_given(v, seen.row, g.items[i].at.seq, seen.own);
    }
    return 0;
}

int hub_view_position(struct hub_view *v, int64_t added_after_us, struct store_at *at_out, struct err *err)
{
    return store_position(v->worker->reader, added_after_us, v->upto, at_out, err);
}

int hub_view_status(struct hub_view *v, uint64_t envelope, struct slice *status_out, struct err *err)
{
    struct store_envelope e;
    struct buf plain = BUF_INIT;

    if (store_envelope_get(v->worker->reader, envelope, &v->worker->arena, &e, err) != 0)
        return -1;
    if (v->owner == 0 || e.owner != v->owner)
        return err_set(err, ERR_NOT_FOUND, NULL, "");
    if (hub_view_key(v, envelope, err) != 0)
        return -1;
    bool good = crypto_open(v->data_key, e.status, SLICE("status"), &plain);
    *status_out = arena_copy(&v->worker->arena, buf_slice(&plain));
    buf_free(&plain);
    return good ? 0 : err_set(err, ERR_CRYPTO, NULL, "the status does not open with its envelope's key");
}

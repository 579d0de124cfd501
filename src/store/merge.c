#include "store/internal.h"

enum { CHUNK_MOST = 256 };

/* What a cursor fetches at a time follows its share of the rows asked for, and doubles while it is drawn from. */
void store_merge_init(struct store_merge *m, struct store_reader *r, size_t most_cursors, uint32_t rows_hint)
{
    uint64_t share = most_cursors != 0 ? 2 * (uint64_t)rows_hint / most_cursors + 1 : 1;

    *m = (struct store_merge){
        .reader = r, .room = most_cursors, .chunk = share < CHUNK_MOST ? (uint32_t)share : CHUNK_MOST};
    m->cursors = arena_array(&r->scratch, struct store_cursor, most_cursors);
    m->heap = arena_array(&r->scratch, struct store_merge_top, most_cursors);
}

void store_merge_add(struct store_merge *m, int64_t list, uint64_t owner, uint64_t after, uint64_t upto, bool wanted)
{
    assert(m->n < m->room && !m->started);
    if (upto > INT64_MAX)
        upto = INT64_MAX; /* SQLite's integers are signed */
    if (after >= upto || store_lasts_get(&m->reader->store->lasts, list) <= after)
        return;
    m->cursors[m->n++] =
        (struct store_cursor){.list = list, .owner = owner, .last = after, .upto = upto, .wanted = wanted};
}

static int fetch(struct store_merge *m, struct store_cursor *c, struct err *err)
{
    sqlite3_stmt *st;
    int rc = SQLITE_DONE;

    if (store_read_sql(m->reader, c->owner != 0 ? READ_OWNED : READ_LIST, &st, err) != 0)
        return -1;
    store_bind(st, 1, (uint64_t)c->list);
    store_bind(st, 2, c->last);
    store_bind(st, 3, c->upto);
    store_bind(st, 4, c->room);
    if (c->owner != 0)
        store_bind(st, 5, c->owner);
    c->n = c->at = 0;
    while (c->n < c->room && (rc = sqlite3_step(st)) == SQLITE_ROW)
        c->seqs[c->n++] = store_column(st, 0);
    sqlite3_reset(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return store_sql_fail(m->reader->db, "read a list", err);
    c->dry = c->n < c->room;
    if (c->n != 0)
        c->last = c->seqs[c->n - 1];
    return 0;
}

/* 1: the cursor stands on a row; 0: it is at its end. */
static int fill(struct store_merge *m, struct store_cursor *c, struct err *err)
{
    if (c->at < c->n)
        return 1;
    if (c->dry || c->last >= c->upto || store_lasts_get(&m->reader->store->lasts, c->list) <= c->last)
        return 0;
    if (c->room < CHUNK_MOST) {
        uint32_t room = c->room == 0 ? m->chunk : 2 * c->room;
        c->room = room < CHUNK_MOST ? room : CHUNK_MOST;
        c->seqs = arena_array(&m->reader->scratch, uint64_t, c->room);
    }
    if (fetch(m, c, err) != 0)
        return -1;
    return c->n != 0;
}

static void sift_down(struct store_merge *m, size_t at)
{
    struct store_merge_top top = m->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->n_heap)
            break;
        if (child + 1 < m->n_heap && m->heap[child + 1].seq < m->heap[child].seq)
            child++;
        if (m->heap[child].seq >= top.seq)
            break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = top;
}

static int start(struct store_merge *m, struct err *err)
{
    m->started = true;
    for (uint32_t i = 0; i < m->n; i++) {
        int rc = fill(m, &m->cursors[i], err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        m->heap[m->n_heap++] = (struct store_merge_top){m->cursors[i].seqs[0], i};
        m->n_wanted += m->cursors[i].wanted;
    }
    for (size_t at = m->n_heap / 2; at-- > 0;)
        sift_down(m, at);
    return 0;
}

static int drop_top(struct store_merge *m, struct err *err)
{
    struct store_merge_top *top = &m->heap[0];
    struct store_cursor *c = &m->cursors[top->cursor];

    c->at++;
    int rc = fill(m, c, err);
    if (rc < 0)
        return -1;
    if (rc == 1) {
        top->seq = c->seqs[c->at];
    } else {
        m->n_wanted -= c->wanted;
        m->heap[0] = m->heap[--m->n_heap];
    }
    if (m->n_heap != 0)
        sift_down(m, 0);
    return 0;
}

int store_merge_peek(struct store_merge *m, uint64_t *seq_out, bool *wanted_out, struct err *err)
{
    if (!m->started && start(m, err) != 0)
        return -1;
    if (m->n_wanted == 0)
        return 0;
    *seq_out = m->heap[0].seq;
    *wanted_out = m->cursors[m->heap[0].cursor].wanted;
    return 1;
}

/* One row may stand in a list and in its owner's: every entry of its seq goes at once. */
int store_merge_pop(struct store_merge *m, struct err *err)
{
    uint64_t seq = m->heap[0].seq;

    while (m->n_heap != 0 && m->heap[0].seq == seq)
        if (drop_top(m, err) != 0)
            return -1;
    return 0;
}

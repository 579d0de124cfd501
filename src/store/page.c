/* A page: one merge over the viewer's lists, its own rows and the rows addressed to it, in the order of seq; where the
   merge meets a widening for the viewer, what that stands for comes in its place. */
#include "store/internal.h"

struct page {
    struct store_reader *r;
    const struct store_query *q;
    struct store_merge lists;
    sqlite3_stmt *addressed; /* stands on the next row that was not considered, unless `considered` */
    uint64_t addressed_seq;  /* UINT64_MAX: at its end */
    bool considered;
    struct store_widen widen; /* where `widening` */
    bool widening;
};

struct found {
    uint64_t seq;
    struct slice reach;
    bool widened;
    int64_t added_us; /* where widened */
    struct store_at at;
};

static bool is_in_part(enum store_part part, uint64_t what)
{
    if (what == STORE_ADDRESSED_WIDEN)
        return part != STORE_RECALLS;
    if (part == STORE_PAGE)
        return (what & STORE_BARE) == 0;
    return ((what & STORE_RECALL) != 0) == (part == STORE_RECALLS);
}

static bool is_skipped(const struct store_query *q, uint64_t seq)
{
    return q->skip != NULL && bits_has(q->skip, seq);
}

/* The owner's lists of this part that its viewer's own lists do not cover already. */
static int owned_lists(struct page *p, int64_t **lists_out, size_t *n_out, struct err *err)
{
    const struct store_query *q = p->q;
    struct buf found = BUF_INIT;
    sqlite3_stmt *st;
    int rc = SQLITE_DONE;

    *n_out = 0;
    if (q->owner == 0)
        return 0;
    if (store_read_sql(p->r, READ_OWNED_LISTS, &st, err) != 0)
        return -1;
    store_bind(st, 1, q->owner);
    for (int64_t list = -1;;) {
        store_bind(st, 2, (uint64_t)list);
        if ((rc = sqlite3_step(st)) != SQLITE_ROW || sqlite3_column_type(st, 0) == SQLITE_NULL)
            break;
        list = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        uint32_t facts_class = (uint32_t)(list / 4);
        const struct store_list *seen = store_query_list(q, facts_class);
        if (is_in_part(q->part, (uint64_t)list % 4) && store_query_owns(q, facts_class) &&
            (seen == NULL || seen->held_from > q->after.seq))
            buf_put(&found, slice_n((const char *)&list, sizeof list));
    }
    sqlite3_reset(st);
    *n_out = found.len / sizeof **lists_out;
    *lists_out = (int64_t *)(void *)arena_copy(&p->r->scratch, buf_slice(&found)).ptr;
    buf_free(&found);
    return rc == SQLITE_ROW ? 0 : store_sql_fail(p->r->db, "read the lists of an owner", err);
}

static int open_lists(struct page *p, struct err *err)
{
    const struct store_query *q = p->q;
    int64_t *owned = NULL;
    size_t n_owned;

    if (owned_lists(p, &owned, &n_owned, err) != 0)
        return -1;
    store_merge_init(&p->lists, p->r, 2 * q->n_lists + n_owned, q->limit);
    for (size_t i = 0; i < q->n_lists; i++) {
        const struct store_list *l = &q->lists[i];
        uint64_t after = l->held_from > q->after.seq ? l->held_from : q->after.seq;
        assert(i == 0 || q->lists[i - 1].facts_class < l->facts_class);
        for (unsigned flags = 0; flags < 4; flags++)
            if (is_in_part(q->part, flags))
                store_merge_add(&p->lists, store_list_number(l->facts_class, flags), 0, after, q->upto, true);
    }
    for (size_t i = 0; i < n_owned; i++)
        store_merge_add(&p->lists, owned[i], q->owner, q->after.seq, q->upto, true);
    return 0;
}

static int step_addressed(struct page *p, struct err *err)
{
    int rc = sqlite3_step(p->addressed);

    p->considered = false;
    p->addressed_seq = rc == SQLITE_ROW ? store_column(p->addressed, 0) : UINT64_MAX;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_sql_fail(p->r->db, "read addressed rows", err);
}

static int open_addressed(struct page *p, struct err *err)
{
    const struct store_query *q = p->q;

    p->addressed_seq = UINT64_MAX;
    if (q->after.seq > INT64_MAX) /* nobody's cursor: SQLite would take it for a negative one, in front of everything */
        return 0;
    if (store_read_sql(p->r, READ_ADDRESSED, &p->addressed, err) != 0)
        return -1;
    store_bind(p->addressed, 1, q->after.seq);
    store_bind(p->addressed, 2, q->upto < INT64_MAX ? q->upto : INT64_MAX);
    return step_addressed(p, err);
}

/* The row at `after` itself matters only where it is a widening that was not read to its end. */
static bool is_for_viewer(const struct page *p)
{
    const struct store_query *q = p->q;
    uint64_t what = store_column(p->addressed, 1);

    if (p->addressed_seq == q->after.seq && (what != STORE_ADDRESSED_WIDEN || q->after.sub == UINT64_MAX))
        return false;
    return is_in_part(q->part, what) && store_reaches(store_column_bytes(p->addressed, 2), q->viewer);
}

/* 1: the statement stands on a row below `below` that is for this viewer; 0: there is none. */
static int next_addressed(struct page *p, uint64_t below, struct err *err)
{
    if (p->considered && step_addressed(p, err) != 0)
        return -1;
    while (p->addressed_seq < below && !is_for_viewer(p))
        if (step_addressed(p, err) != 0)
            return -1;
    return p->addressed_seq < below;
}

static int open_widening(struct page *p, struct err *err)
{
    const struct store_at *after = &p->q->after;
    struct store_at at = {p->addressed_seq, 0, 0};
    enum store_kind kind;
    int64_t added_us;

    if (at.seq == after->seq)
        at = *after;
    if (store_read_added(p->r, at.seq, &added_us, &kind, err) != 0 ||
        store_widen_open(&p->widen, p->r, &at, added_us, store_column_bytes(p->addressed, 3), p->q, err) != 0)
        return -1;
    p->widening = true;
    return 0;
}

/* 1: the next row inside the widening; 0: it is done. */
static int next_widened(struct page *p, struct found *f, struct err *err)
{
    struct store_widen *w = &p->widen;
    bool wanted;
    int rc;

    while ((rc = store_widen_next(w, &wanted, err)) == 1)
        if (wanted && !is_skipped(p->q, w->sub)) {
            *f = (struct found){w->sub, {NULL, 0}, true, w->added_us + (int64_t)w->rank - 1, {w->seq, w->sub, w->rank}};
            return 1;
        }
    p->widening = false;
    return rc;
}

/* 1: found; 0: at the end; -1. */
static int next(struct page *p, struct found *f, struct err *err)
{
    for (;;) {
        uint64_t seq = UINT64_MAX;
        bool wanted;
        if (p->widening) {
            int rc = next_widened(p, f, err);
            if (rc != 0)
                return rc;
        }
        int listed = store_merge_peek(&p->lists, &seq, &wanted, err);
        int addressed = listed < 0 ? -1 : next_addressed(p, seq, err);
        if (addressed < 0)
            return -1;
        *f = (struct found){.seq = seq, .at = {seq, 0, 0}};
        if (addressed) {
            p->considered = true;
            if (store_column(p->addressed, 1) == STORE_ADDRESSED_WIDEN) {
                if (open_widening(p, err) != 0)
                    return -1;
                continue;
            }
            f->seq = f->at.seq = p->addressed_seq;
            f->reach = store_column_bytes(p->addressed, 2);
        } else if (listed == 0) {
            return 0;
        } else if (store_merge_pop(&p->lists, err) != 0) {
            return -1;
        }
        if (!is_skipped(p->q, f->seq))
            return 1;
    }
}

static int give_rows(struct page *p, store_row_fn *fn, void *arg, struct store_at *at_out, bool *more_out,
                     struct err *err)
{
    const struct store_query *q = p->q;
    size_t most = q->max_bytes != 0 ? q->max_bytes : SIZE_MAX, bytes = 0;
    uint32_t given = 0;
    bool stopped = false;
    struct found f;
    int rc;

    while ((rc = next(p, &f, err)) == 1) {
        struct store_row row;
        *more_out = true;
        if (stopped || given == q->limit)
            return 0;
        if (store_read_at(p->r, f.seq, q, &row, err) != 0)
            return -1;
        if (given != 0 && (bytes > most || row.body.len > most - bytes))
            return 0;
        row.reach = f.reach;
        if (f.widened) {
            row.kind = STORE_ADD;
            row.added_us = f.added_us;
        }
        bytes += row.body.len;
        stopped = fn(arg, &row, &f.at) != 0;
        *at_out = f.at;
        given++;
        *more_out = false;
    }
    return rc;
}

int store_page(struct store_reader *r, const struct store_query *q, store_row_fn *fn, void *arg,
               struct store_at *at_out, bool *more_out, struct err *err)
{
    struct page p = {.r = r, .q = q};

    *at_out = q->after;
    *more_out = false;
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = open_lists(&p, err);
    if (rc == 0)
        rc = open_addressed(&p, err);
    if (rc == 0)
        rc = give_rows(&p, fn, arg, at_out, more_out, err);
    store_read_end(r);
    return rc;
}

/* Where an instant stands in the journal, and one row of it. */
#include "store/internal.h"

static int read_addressed(struct store_reader *r, uint64_t seq, sqlite3_stmt **st_out, bool *is_addressed_out,
                          struct err *err)
{
    if (store_read_sql(r, READ_ADDRESSED_ONE, st_out, err) != 0)
        return -1;
    store_bind(*st_out, 1, seq);
    int rc = sqlite3_step(*st_out);
    *is_addressed_out = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_sql_fail(r->db, "read an addressed row", err);
}

/* `at_out` names a widening that began at `added_us`: how far into it `us` is. */
static int find_inside(struct store_reader *r, int64_t us, int64_t added_us, struct store_at *at_out, struct err *err)
{
    struct store_widen w;
    sqlite3_stmt *st;
    bool addressed;

    if (read_addressed(r, at_out->seq, &st, &addressed, err) != 0)
        return -1;
    struct slice grant = addressed ? store_column_bytes(st, 2) : slice_n(NULL, 0);
    uint64_t past = (uint64_t)us - (uint64_t)added_us, n_objects = store_grant_read(grant).n_objects;
    if (past >= n_objects || past + 1 == n_objects) {
        at_out->sub = UINT64_MAX;
        at_out->rank = n_objects;
        return 0;
    }
    at_out->rank = past + 1;
    if (store_widen_open(&w, r, at_out, added_us, grant, NULL, err) != 0)
        return -1;
    at_out->sub = w.sub;
    at_out->rank = w.rank;
    return 0;
}

/* The last instant that is not after `us`: seq is dense and added_us rises with it. */
static int find_instant(struct store_reader *r, int64_t us, uint64_t upto, struct store_at *at_out, struct err *err)
{
    uint64_t from = 0, to;
    int64_t last, added_us = 0;
    enum store_kind kind = STORE_ADD;
    sqlite3_stmt *st;

    if (store_read_sql(r, READ_HEAD, &st, err) != 0 || store_head_step(st, &to, &last, err) != 0)
        return -1;
    sqlite3_reset(st);
    for (to = to < upto ? to : upto; from < to;) {
        uint64_t middle = to - (to - from) / 2;
        if (store_read_added(r, middle, &added_us, &kind, err) != 0)
            return -1;
        if (added_us <= us)
            from = middle;
        else
            to = middle - 1;
    }
    *at_out = (struct store_at){from, 0, 0};
    if (from == 0)
        return 0;
    if (store_read_added(r, from, &added_us, &kind, err) != 0)
        return -1;
    return kind == STORE_WIDEN ? find_inside(r, us, added_us, at_out, err) : 0;
}

int store_position(struct store_reader *r, int64_t us, uint64_t upto, struct store_at *at_out, struct err *err)
{
    *at_out = (struct store_at){0};
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = find_instant(r, us, upto, at_out, err);
    store_read_end(r);
    return rc;
}

/* 1: a widening gave this viewer the class at that seq. The newest is tried first: it is the widest. */
static int is_widened(struct store_reader *r, const struct store_query *q, uint64_t seq, uint32_t facts_class,
                      struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    if (store_read_sql(r, READ_WIDENINGS, &st, err) != 0)
        return -1;
    store_bind(st, 1, seq);
    store_bind(st, 2, q->upto < INT64_MAX ? q->upto : INT64_MAX);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_grant g = store_grant_read(store_column_bytes(st, 1));
        if (g.upto < seq || !store_reaches(store_column_bytes(st, 0), q->viewer))
            continue;
        for (size_t i = 0; i < store_grant_classes(&g); i++)
            if (store_grant_class(&g, i) == facts_class)
                return 1;
    }
    return rc == SQLITE_DONE ? 0 : store_sql_fail(r->db, "read the widenings", err);
}

static int may_see(struct store_reader *r, const struct store_query *q, struct store_row *row, struct err *err)
{
    sqlite3_stmt *st;
    bool addressed;

    if (read_addressed(r, row->seq, &st, &addressed, err) != 0)
        return -1;
    if (addressed) {
        row->reach = store_column_bytes(st, 1);
        row->grant = store_column_bytes(st, 2);
        return store_reaches(row->reach, q->viewer);
    }
    const struct store_list *l = store_query_list(q, row->facts_class);
    if (l != NULL && row->seq > l->held_from)
        return 1;
    if (q->owner != 0 && row->owner == q->owner && store_query_owns(q, row->facts_class))
        return 1;
    return l != NULL ? is_widened(r, q, row->seq, row->facts_class, err) : 0;
}

static int give_one(struct store_reader *r, uint64_t seq, const struct store_query *q, store_row_fn *fn, void *arg,
                    struct err *err)
{
    struct store_row row;
    struct store_at at = {seq, 0, 0};

    if (seq == 0 || seq > q->upto)
        return err_set(err, ERR_NOT_FOUND, "", "");
    if (store_read_at(r, seq, q, &row, err) != 0)
        return -1;
    int may = may_see(r, q, &row, err);
    if (may <= 0)
        return may == 0 ? err_set(err, ERR_NOT_FOUND, "", "") : -1;
    fn(arg, &row, &at);
    return 0;
}

int store_row_get(struct store_reader *r, uint64_t seq, const struct store_query *q, store_row_fn *fn, void *arg,
                  struct err *err)
{
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = give_one(r, seq, q, fn, arg, err);
    store_read_end(r);
    return rc;
}

int store_reach(struct store_reader *r, uint64_t seq, struct buf *reach_out, struct err *err)
{
    sqlite3_stmt *st;
    bool addressed;

    buf_clear(reach_out);
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = read_addressed(r, seq, &st, &addressed, err);
    if (rc == 0 && addressed)
        buf_put(reach_out, store_column_bytes(st, 1));
    store_read_end(r);
    if (rc == 0 && reach_out->len == 0)
        return err_set(err, ERR_NOT_FOUND, "", "");
    return rc;
}

#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP_OVER = 8 };

static const char *const sql[READ_SQLS] = {
    [READ_BEGIN] = "BEGIN",
    [READ_END] = "COMMIT",
    /* A sealed original is as large as its body, and most readers may not have it: then it is not even copied. */
    [READ_ROW] =
        "SELECT seq, owner, numbers, id, cover, source, CASE WHEN ?2 IS NULL OR owner=?2 THEN original END, body"
        " FROM journal WHERE seq>=?1 ORDER BY seq",
    [READ_LIST] =
        "SELECT seq FROM brief INDEXED BY brief_list WHERE list=?1 AND seq>?2 AND seq<=?3 ORDER BY seq LIMIT ?4",
    [READ_OWNED] = "SELECT seq FROM brief INDEXED BY brief_owner WHERE owner=?5 AND list=?1 AND seq>?2 AND seq<=?3"
                   " ORDER BY seq LIMIT ?4",
    [READ_OWNED_LISTS] = "SELECT min(list) FROM brief INDEXED BY brief_owner WHERE owner=?1 AND list>?2",
    [READ_ADDRESSED] = "SELECT seq, what, reach, grant FROM addressed WHERE seq>=?1 AND seq<=?2 ORDER BY seq",
    [READ_ADDRESSED_ONE] = "SELECT what, reach, grant FROM addressed WHERE seq=?1",
    [READ_WIDENINGS] =
        "SELECT reach, grant FROM addressed INDEXED BY addressed_widen WHERE what=4 AND seq>?1 AND seq<=?2"
        " ORDER BY seq DESC",
    [READ_ADDED] = "SELECT added_us, kind FROM brief WHERE seq=?1",
    [READ_BRIEF] = "SELECT seq, added_us, kind, owner, numbers, list FROM brief WHERE seq>?1 ORDER BY seq",
    [READ_RECALLS] = "SELECT a.seq, j.id, a.reach FROM addressed a JOIN journal j ON j.seq=a.seq WHERE a.what=2"
                     " ORDER BY a.seq",
    [READ_ENVELOPE] = "SELECT received_us, owner, leaf, key, status FROM envelope WHERE n=?1",
    [READ_LEAF] = "SELECT hash FROM leaf WHERE n=?1",
    [READ_HEAD] = STORE_HEAD_SQL,
};

int store_reader_open(struct store *s, struct store_reader **reader_out, struct err *err)
{
    struct store_reader *r = mem_zero(1, sizeof *r);

    /* No mmap: pages by pread were 1.3 times as fast here, and mapped ones would count as resident. */
    r->store = s;
    atomic_fetch_add(&s->readers, 1);
    if (store_sql_open(s->path, SQLITE_OPEN_READONLY, &r->db, err) == 0 &&
        store_sql_exec(r->db, "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY", err) == 0) {
        *reader_out = r;
        return 0;
    }
    store_reader_close(&r);
    *reader_out = NULL;
    return -1;
}

void store_reader_close(struct store_reader **reader)
{
    struct store_reader *r = *reader;

    if (r == NULL)
        return;
    assert(!r->busy);
    for (size_t i = 0; i < READ_SQLS; i++)
        sqlite3_finalize(r->sql[i]);
    for (size_t i = 0; i < STORE_TABLES; i++) {
        sqlite3_finalize(r->get[i]);
        sqlite3_finalize(r->scan[i]);
    }
    int rc = sqlite3_close(r->db);
    assert(rc == SQLITE_OK);
    arena_free(&r->scratch);
    atomic_fetch_sub(&r->store->readers, 1);
    free(r);
    *reader = NULL;
}

int store_read_sql(struct store_reader *r, enum store_read_sql which, sqlite3_stmt **st_out, struct err *err)
{
    if (store_sql_prepare(r->db, sql[which], &r->sql[which], err) != 0)
        return -1;
    *st_out = r->sql[which];
    return 0;
}

static int step_alone(struct store_reader *r, enum store_read_sql which, struct err *err)
{
    sqlite3_stmt *st;

    if (store_read_sql(r, which, &st, err) != 0)
        return -1;
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : store_sql_fail(r->db, sql[which], err);
}

int store_read_begin(struct store_reader *r, struct err *err)
{
    assert(!r->busy); /* a callback may not call the reader that calls it */
    if (step_alone(r, READ_BEGIN, err) != 0)
        return -1;
    r->busy = true;
    return 0;
}

void store_read_end(struct store_reader *r)
{
    for (size_t i = 0; i < READ_SQLS; i++)
        sqlite3_reset(r->sql[i]);
    for (size_t i = 0; i < STORE_TABLES; i++) {
        sqlite3_reset(r->get[i]);
        sqlite3_reset(r->scan[i]);
    }
    if (!sqlite3_get_autocommit(r->db)) /* an I/O error may have ended it */
        step_alone(r, READ_END, NULL);
    assert(sqlite3_get_autocommit(r->db));
    arena_reset(&r->scratch);
    r->row_seq = 0;
    r->busy = false;
}

static bool read_row(sqlite3_stmt *st, struct store_row *row_out)
{
    *row_out = (struct store_row){
        .seq = store_column(st, 0),
        .owner = store_column(st, 1),
        .id = store_column_bytes(st, 3),
        .cover = store_column_bytes(st, 4),
        .source = store_column_bytes(st, 5),
        .original = store_column_bytes(st, 6),
        .body = store_column_bytes(st, 7),
    };
    return store_row_get_numbers(store_column_bytes(st, 2), row_out);
}

/* One row of one statement. 0: it stands on the row; ERR_NOT_FOUND when there is none. */
static int step_to(struct store_reader *r, sqlite3_stmt *st, const char *what, struct err *err)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 0;
    if (rc == SQLITE_DONE)
        return err_set(err, ERR_NOT_FOUND, "", "");
    return store_sql_fail(r->db, what, err);
}

/* Pages ask for rows in the order of seq, often one behind the other: stepping over a few costs less than a new search.
 */
int store_read_at(struct store_reader *r, uint64_t seq, const struct store_query *q, struct store_row *row_out,
                  struct err *err)
{
    sqlite3_stmt *st;
    int rc = SQLITE_ROW;

    if (store_read_sql(r, READ_ROW, &st, err) != 0)
        return -1;
    if (r->row_seq == 0 || seq <= r->row_seq || seq - r->row_seq > STEP_OVER) {
        sqlite3_reset(st);
        store_bind(st, 1, seq);
        if (q->own_originals)
            store_bind(st, 2, q->owner);
        else
            sqlite3_bind_null(st, 2);
        r->row_seq = 0;
    }
    while (r->row_seq < seq && (rc = sqlite3_step(st)) == SQLITE_ROW)
        r->row_seq = store_column(st, 0);
    if (rc == SQLITE_ROW && r->row_seq == seq) {
        return read_row(st, row_out)
                   ? 0
                   : err_set(err, ERR_STORE, "", "row %llu of the journal is damaged", (unsigned long long)seq);
    }
    r->row_seq = 0;
    sqlite3_reset(st);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return err_set(err, ERR_NOT_FOUND, "", "");
    return store_sql_fail(r->db, "read a row", err);
}

int store_read_added(struct store_reader *r, uint64_t seq, int64_t *added_us_out, enum store_kind *kind_out,
                     struct err *err)
{
    sqlite3_stmt *st;

    if (store_read_sql(r, READ_ADDED, &st, err) != 0)
        return -1;
    sqlite3_reset(st);
    store_bind(st, 1, seq);
    if (step_to(r, st, "read a row", err) != 0)
        return -1;
    *added_us_out = (int64_t)store_column(st, 0);
    *kind_out = (enum store_kind)store_column(st, 1);
    return 0;
}

static int get_envelope(struct store_reader *r, uint64_t n, struct arena *a, struct store_envelope *out,
                        struct err *err)
{
    sqlite3_stmt *st;

    if (store_read_sql(r, READ_ENVELOPE, &st, err) != 0)
        return -1;
    store_bind(st, 1, n);
    if (step_to(r, st, "read an envelope", err) != 0)
        return -1;
    *out = (struct store_envelope){
        .n = n,
        .received_us = (int64_t)store_column(st, 0),
        .owner = store_column(st, 1),
        .leaf = store_column(st, 2),
        .key = arena_copy(a, store_column_bytes(st, 3)),
        .status = arena_copy(a, store_column_bytes(st, 4)),
    };
    return 0;
}

int store_envelope_get(struct store_reader *r, uint64_t n, struct arena *a, struct store_envelope *out, struct err *err)
{
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = get_envelope(r, n, a, out, err);
    store_read_end(r);
    return rc;
}

static int get_leaf(struct store_reader *r, uint64_t n, uint8_t leaf_out[32], struct err *err)
{
    sqlite3_stmt *st;

    if (store_read_sql(r, READ_LEAF, &st, err) != 0)
        return -1;
    store_bind(st, 1, n);
    if (step_to(r, st, "read a leaf", err) != 0)
        return -1;
    struct slice hash = store_column_bytes(st, 0);
    if (hash.len != 32)
        return err_set(err, ERR_STORE, "", "leaf %llu has %zu bytes", (unsigned long long)n, hash.len);
    memcpy(leaf_out, hash.ptr, hash.len);
    return 0;
}

int store_leaf_get(struct store_reader *r, uint64_t n, uint8_t leaf_out[32], struct err *err)
{
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = get_leaf(r, n, leaf_out, err);
    store_read_end(r);
    return rc;
}

/* `format` holds one %s for the table; the key is its only parameter. */
static int state_statement(struct store_reader *r, sqlite3_stmt **kept, const char *format, enum store_table t,
                           struct slice key, struct err *err)
{
    char text[100];

    assert(t < STORE_TABLES);
    snprintf(text, sizeof text, format, store_table_names[t]);
    if (store_sql_prepare(r->db, text, kept, err) != 0)
        return -1;
    int rc = sqlite3_bind_blob64(*kept, 1, key.len != 0 ? key.ptr : "", key.len, SQLITE_STATIC);
    assert(rc == SQLITE_OK);
    return 0;
}

int store_get(struct store_reader *r, enum store_table t, struct slice key, struct buf *value_out, struct err *err)
{
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = state_statement(r, &r->get[t], "SELECT v FROM %s WHERE k=?1", t, key, err);
    if (rc == 0 && (rc = step_to(r, r->get[t], "get", err)) == 0) {
        buf_clear(value_out);
        buf_put(value_out, store_column_bytes(r->get[t], 0));
    }
    store_read_end(r);
    return rc;
}

int store_scan(struct store_reader *r, enum store_table t, struct slice from, store_pair_fn *fn, void *arg,
               struct err *err)
{
    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = SQLITE_ERROR;
    if (state_statement(r, &r->scan[t], "SELECT k, v FROM %s WHERE k>=?1 ORDER BY k", t, from, err) == 0) {
        while ((rc = sqlite3_step(r->scan[t])) == SQLITE_ROW)
            if (fn(arg, store_column_bytes(r->scan[t], 0), store_column_bytes(r->scan[t], 1)) != 0)
                break;
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            store_sql_fail(r->db, "scan", err);
    }
    store_read_end(r);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

static int read_brief(sqlite3_stmt *st, struct store_brief *b, struct err *err)
{
    *b = (struct store_brief){
        .seq = store_column(st, 0),
        .added_us = (int64_t)store_column(st, 1),
        .kind = (uint8_t)store_column(st, 2),
        .owner = store_column(st, 3),
        .bare = (store_column(st, 5) & STORE_BARE) != 0,
    };
    return store_brief_get_numbers(store_column_bytes(st, 4), b)
               ? 0
               : err_set(err, ERR_STORE, "", "row %llu of the brief table is damaged", (unsigned long long)b->seq);
}

int store_scan_brief(struct store_reader *r, uint64_t after_seq, store_brief_fn *fn, void *arg, struct err *err)
{
    sqlite3_stmt *st;
    int rc = SQLITE_ERROR;

    if (store_read_begin(r, err) != 0)
        return -1;
    if (store_read_sql(r, READ_BRIEF, &st, err) == 0) {
        store_bind(st, 1, after_seq);
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_brief b;
            if (read_brief(st, &b, err) != 0) {
                store_read_end(r);
                return -1;
            }
            if (fn(arg, &b) != 0)
                break;
        }
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            store_sql_fail(r->db, "scan the journal", err);
    }
    store_read_end(r);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int store_scan_recalls(struct store_reader *r, store_recall_fn *fn, void *arg, struct err *err)
{
    sqlite3_stmt *st;
    int rc = SQLITE_ERROR;

    if (store_read_begin(r, err) != 0)
        return -1;
    if (store_read_sql(r, READ_RECALLS, &st, err) == 0) {
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            if (fn(arg, store_column(st, 0), store_column_bytes(st, 1), store_column_bytes(st, 2)) != 0)
                break;
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            store_sql_fail(r->db, "scan the recalls", err);
    }
    store_read_end(r);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

int store_head_seq(struct store_reader *r, uint64_t *seq_out, int64_t *last_added_out, struct err *err)
{
    sqlite3_stmt *st;

    if (store_read_begin(r, err) != 0)
        return -1;
    int rc = store_read_sql(r, READ_HEAD, &st, err);
    if (rc == 0)
        rc = store_head_step(st, seq_out, last_added_out, err);
    store_read_end(r);
    return rc;
}

#include "store/internal.h"

#include <stdio.h>

#include "base/crypto.h"

static const char *const sql[WRITE_SQLS] = {
    [WRITE_BEGIN] = "BEGIN IMMEDIATE",
    [WRITE_COMMIT] = "COMMIT",
    [WRITE_JOURNAL] = "INSERT INTO journal VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [WRITE_BRIEF] = "INSERT INTO brief VALUES(?1,?2,?3,?4,?5,?6)",
    [WRITE_ADDRESSED] = "INSERT INTO addressed VALUES(?1,?2,?3,?4)",
    [WRITE_ENVELOPE] = "INSERT INTO envelope VALUES(?1,?2,?3,?4,?5,?6)",
    [WRITE_LEAF] = "INSERT INTO leaf VALUES(?1,?2,?3)",
    [WRITE_COUNT] = "SELECT count(*) FROM brief INDEXED BY brief_list WHERE list=?1 AND seq<=?2",
};

/* After an error SQLite may have ended the transaction by itself, and what came next would be committed row by row. */
static int fail(struct store *s, const char *doing, struct err *err)
{
    if (s->failed.code == ERR_NONE)
        store_sql_fail(s->db, doing, &s->failed);
    return err_copy(err, &s->failed);
}

static int statement(struct store *s, enum store_write_sql which, sqlite3_stmt **st_out, struct err *err)
{
    *st_out = NULL;
    assert(s->writing || which == WRITE_BEGIN);
    if (s->failed.code != ERR_NONE)
        return err_copy(err, &s->failed);
    if (store_sql_prepare(s->db, sql[which], &s->sql[which], err) != 0)
        return fail(s, sql[which], err);
    *st_out = s->sql[which];
    return 0;
}

static int run(struct store *s, sqlite3_stmt *st, const char *doing, struct err *err)
{
    int rc = sqlite3_step(st);

    if (rc != SQLITE_DONE)
        fail(s, doing, err);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int store_begin(struct store *s, struct store_head *head_out, struct err *err)
{
    sqlite3_stmt *st;

    assert(!s->writing);
    s->failed = (struct err)ERR_INIT;
    store_wal_turn(&s->wal, s->db);
    if (statement(s, WRITE_BEGIN, &st, err) != 0 || run(s, st, "begin", err) != 0)
        return -1;
    s->writing = true;
    s->head = s->committed;
    *head_out = s->committed;
    return 0;
}

void store_rollback(struct store *s)
{
    if (!s->writing)
        return;
    s->writing = false;
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    assert(sqlite3_get_autocommit(s->db));
}

int store_commit(struct store *s, struct err *err)
{
    sqlite3_stmt *st;

    if (statement(s, WRITE_COMMIT, &st, err) != 0 || run(s, st, "commit", err) != 0) {
        store_rollback(s);
        return -1;
    }
    s->writing = false;
    s->committed = s->head;
    return 0;
}

static int put_journal(struct store *s, const struct store_row *row, struct err *err)
{
    char numbers[STORE_NUMBERS];
    sqlite3_stmt *st;

    if (statement(s, WRITE_JOURNAL, &st, err) != 0)
        return -1;
    store_row_put_numbers(row, numbers);
    store_bind(st, 1, row->seq);
    store_bind(st, 2, row->owner);
    store_bind_bytes(st, 3, slice_n(numbers, sizeof numbers));
    store_bind_bytes(st, 4, row->id);
    store_bind_bytes(st, 5, row->cover);
    store_bind_bytes(st, 6, row->source);
    store_bind_bytes(st, 7, row->original);
    store_bind_bytes(st, 8, row->body);
    return run(s, st, "append to the journal", err);
}

static bool is_addressed(const struct store_row *row)
{
    return row->kind == STORE_WIDEN || row->reach.len != 0;
}

static uint64_t id_hash(struct slice id)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t value = 0;

    crypto_sha256(id, hash);
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)hash[i] << 8 * i;
    return value;
}

static int put_brief(struct store *s, const struct store_row *row, struct err *err)
{
    const struct store_brief brief = {.key = row->key,
                                      .subject_seq = row->subject_seq,
                                      .source_us = row->source_us,
                                      .valid_until_us = row->valid_until_us,
                                      .id_hash = id_hash(row->id),
                                      .facts_class = row->facts_class};
    int64_t list = store_list_number(row->facts_class, store_row_flags(row));
    char numbers[STORE_BRIEF_NUMBERS];
    sqlite3_stmt *st;

    if (statement(s, WRITE_BRIEF, &st, err) != 0)
        return -1;
    store_brief_put_numbers(&brief, numbers);
    store_bind(st, 1, row->seq);
    store_bind(st, 2, (uint64_t)row->added_us);
    store_bind(st, 3, row->kind);
    if (is_addressed(row))
        sqlite3_bind_null(st, 4);
    else
        store_bind(st, 4, (uint64_t)list);
    if (row->owner == 0)
        sqlite3_bind_null(st, 5);
    else
        store_bind(st, 5, row->owner);
    store_bind_bytes(st, 6, slice_n(numbers, sizeof numbers));
    if (!is_addressed(row))
        store_lasts_raise(&s->lasts, list, row->seq);
    return run(s, st, "append to the journal", err);
}

static int put_addressed(struct store *s, const struct store_row *row, struct err *err)
{
    sqlite3_stmt *st;

    if (statement(s, WRITE_ADDRESSED, &st, err) != 0)
        return -1;
    store_bind(st, 1, row->seq);
    store_bind(st, 2, row->kind == STORE_WIDEN ? STORE_ADDRESSED_WIDEN : store_row_flags(row));
    store_bind_bytes(st, 3, row->reach);
    store_bind_bytes(st, 4, row->grant);
    return run(s, st, "append to the journal", err);
}

int store_append(struct store *s, const struct store_row *row, struct err *err)
{
    assert(row->kind >= STORE_ADD && row->kind <= STORE_WIDEN);
    assert(row->seq == s->head.next_seq && row->added_us > s->head.last_added_us);
    assert(row->kind != STORE_WIDEN || (row->grant.len >= 16 && row->grant.len % 4 == 0 && row->body.len == 0));
    if (put_journal(s, row, err) != 0 || put_brief(s, row, err) != 0 ||
        (is_addressed(row) && put_addressed(s, row, err) != 0))
        return -1;
    s->head.next_seq++;
    s->head.last_added_us = row->added_us;
    if (row->kind == STORE_WIDEN) {
        struct store_grant g = store_grant_read(row->grant);
        assert(g.upto < row->seq && g.n_objects < (uint64_t)INT64_MAX - (uint64_t)row->added_us);
        s->head.last_added_us += g.n_objects > 1 ? (int64_t)g.n_objects - 1 : 0;
    }
    return 0;
}

int store_append_envelope(struct store *s, const struct store_envelope *e, struct err *err)
{
    sqlite3_stmt *st;

    assert(e->n == s->head.next_envelope);
    if (statement(s, WRITE_ENVELOPE, &st, err) != 0)
        return -1;
    store_bind(st, 1, e->n);
    store_bind(st, 2, (uint64_t)e->received_us);
    store_bind(st, 3, e->owner);
    store_bind(st, 4, e->leaf);
    store_bind_bytes(st, 5, e->key);
    store_bind_bytes(st, 6, e->status);
    if (run(s, st, "append an envelope", err) != 0)
        return -1;
    s->head.next_envelope++;
    return 0;
}

int store_append_leaf(struct store *s, uint64_t n, const uint8_t leaf[32], struct slice sealed_record, struct err *err)
{
    sqlite3_stmt *st;

    assert(n == s->head.next_leaf);
    if (statement(s, WRITE_LEAF, &st, err) != 0)
        return -1;
    store_bind(st, 1, n);
    store_bind_bytes(st, 2, slice_n((const char *)leaf, 32));
    store_bind_bytes(st, 3, sealed_record);
    if (run(s, st, "append a leaf", err) != 0)
        return -1;
    s->head.next_leaf++;
    return 0;
}

/* `format` holds one %s for the table. */
static int state_statement(struct store *s, sqlite3_stmt **kept, const char *format, enum store_table t,
                           struct err *err)
{
    char text[120];

    assert(s->writing && t < STORE_TABLES);
    if (s->failed.code != ERR_NONE)
        return err_copy(err, &s->failed);
    if (*kept != NULL)
        return 0;
    snprintf(text, sizeof text, format, store_table_names[t]);
    return store_sql_prepare(s->db, text, kept, err) == 0 ? 0 : fail(s, "prepare", err);
}

/* An empty key is a key (x''), not NULL, which the schema refuses. */
static void bind_key(sqlite3_stmt *st, int at, struct slice key)
{
    int rc = sqlite3_bind_blob64(st, at, key.len != 0 ? key.ptr : "", key.len, SQLITE_STATIC);

    assert(rc == SQLITE_OK);
}

int store_put(struct store *s, enum store_table t, struct slice key, struct slice value, struct err *err)
{
    if (state_statement(s, &s->put[t], "INSERT INTO %s(k,v) VALUES(?1,?2) ON CONFLICT(k) DO UPDATE SET v=excluded.v", t,
                        err) != 0)
        return -1;
    bind_key(s->put[t], 1, key);
    store_bind_bytes(s->put[t], 2, value);
    return run(s, s->put[t], "put", err);
}

int store_delete(struct store *s, enum store_table t, struct slice key, struct err *err)
{
    if (state_statement(s, &s->del[t], "DELETE FROM %s WHERE k=?1", t, err) != 0)
        return -1;
    bind_key(s->del[t], 1, key);
    return run(s, s->del[t], "delete", err);
}

int store_look(struct store *s, enum store_table t, struct slice key, struct buf *value_out, struct err *err)
{
    buf_clear(value_out);
    if (state_statement(s, &s->look[t], "SELECT v FROM %s WHERE k=?1", t, err) != 0)
        return -1;
    bind_key(s->look[t], 1, key);
    int rc = sqlite3_step(s->look[t]);
    if (rc == SQLITE_ROW)
        buf_put(value_out, store_column_bytes(s->look[t], 0));
    else if (rc != SQLITE_DONE)
        fail(s, "look", err);
    sqlite3_reset(s->look[t]);
    if (rc == SQLITE_DONE)
        return err_set(err, ERR_NOT_FOUND, "", "");
    return rc == SQLITE_ROW ? 0 : -1;
}

int store_count_content(struct store *s, const uint32_t *classes, size_t n, uint64_t upto, uint64_t *n_out,
                        struct err *err)
{
    sqlite3_stmt *st;

    *n_out = 0;
    if (statement(s, WRITE_COUNT, &st, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        assert(i == 0 || classes[i - 1] < classes[i]);
        store_bind(st, 1, (uint64_t)store_list_number(classes[i], 0));
        store_bind(st, 2, upto);
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            *n_out += store_column(st, 0);
        else
            fail(s, "count", err);
        sqlite3_reset(st);
        if (rc != SQLITE_ROW)
            return -1;
    }
    return 0;
}

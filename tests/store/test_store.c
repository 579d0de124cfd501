/* Opening, every field there and back, errors that leave the store usable. */
#include "store_test.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct err err;

struct opened {
    char *dir;
    struct store *s;
    struct store_reader *r;
};

static struct opened open_new(void)
{
    struct opened o = {.dir = make_dir()};

    OK(store_open(o.dir, &o.s, &err));
    OK(store_reader_open(o.s, &o.r, &err));
    return o;
}

static void close_all(struct opened *o)
{
    store_reader_close(&o->r);
    store_close(&o->s);
    remove_dir(&o->dir);
}

static void reopen(struct opened *o)
{
    store_reader_close(&o->r);
    store_close(&o->s);
    assert_null(o->s);
    OK(store_open(o->dir, &o->s, &err));
    OK(store_reader_open(o->s, &o->r, &err));
}

/* ---- rows ---- */

static const struct store_row rows[] = {
    {.seq = 1, .added_us = 5, .kind = STORE_ADD, .id = SLICE_INIT("indicator--1"), .body = SLICE_INIT("{}")},
    {.seq = 2,
     .added_us = 1763812800123456,
     .created_us = 1,
     .version_us = 2,
     .source_us = 3,
     .first_event_us = 4,
     .valid_until_us = INT64_MAX,
     .kind = STORE_EXPIRE,
     .facts_class = UINT32_MAX,
     .owner = UINT64_MAX,
     .key = UINT64_MAX - 1,
     .subject_seq = 1,
     .envelope = 77,
     .sha256 = {1, 0, 0xff, 3},
     .id = SLICE_INIT("a\0b\xff"),
     .body = SLICE_INIT("\0{\"a\":\xc3\xa9\0}"),
     .original = SLICE_INIT("\0\0\0"),
     .cover = SLICE_INIT("\1\0\0\0"),
     .source = SLICE_INIT("{\"origin\":\"h2.example\"}")},
    {.seq = 3,
     .added_us = 1763812800123457,
     .created_us = -1,
     .version_us = INT64_MIN,
     .kind = STORE_RETRACT,
     .facts_class = 7,
     .owner = (uint64_t)1 << 63,
     .reach = SLICE_INIT("\x81\0\x01"),
     .body = SLICE_INIT("gone")},
    {.seq = 4, .added_us = 1763812800123458, .kind = STORE_RESTRICT, .facts_class = 7, .reach = SLICE_INIT("\x01")},
    {.seq = 5,
     .added_us = 1763812800123459,
     .kind = STORE_WIDEN,
     .reach = SLICE_INIT("\x01"),
     .grant = SLICE_INIT("\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\xff\xff\xff\xff")},
    {.seq = 6, .added_us = 1763812800123462, .kind = STORE_ADD, .facts_class = 7, .body = SLICE_INIT("after")},
};

static void append_rows(struct store *s)
{
    struct store_head head;

    OK(store_begin(s, &head, &err));
    for (size_t i = 0; i < ROWS(rows); i++)
        OK(store_append(s, &rows[i], &err));
    OK(store_commit(s, &err));
}

static int same_row(void *arg, const struct store_row *row, const struct store_at *at)
{
    const struct store_row *want = arg;

    assert_int_equal(row->seq, want->seq);
    assert_int_equal(row->added_us, want->added_us);
    assert_int_equal(row->created_us, want->created_us);
    assert_int_equal(row->version_us, want->version_us);
    assert_int_equal(row->source_us, want->source_us);
    assert_int_equal(row->first_event_us, want->first_event_us);
    assert_int_equal(row->valid_until_us, want->valid_until_us);
    assert_int_equal(row->kind, want->kind);
    assert_int_equal(row->facts_class, want->facts_class);
    assert_int_equal(row->owner, want->owner);
    assert_int_equal(row->key, want->key);
    assert_int_equal(row->subject_seq, want->subject_seq);
    assert_int_equal(row->envelope, want->envelope);
    assert_memory_equal(row->sha256, want->sha256, sizeof row->sha256);
    assert_true(slice_eq(row->id, want->id) && slice_eq(row->body, want->body));
    assert_true(slice_eq(row->original, want->original) && slice_eq(row->cover, want->cover));
    assert_true(slice_eq(row->source, want->source) && slice_eq(row->reach, want->reach));
    assert_true(slice_eq(row->grant, want->grant));
    return 0;
}

static void test_store_store__every_field_comes_back(void **state)
{
    struct opened o = open_new();
    struct store_list lists[] = {{0, 0}, {7, 0}, {UINT32_MAX, 0}};
    struct store_query q = {.lists = lists, .n_lists = ROWS(lists), .viewer = 0, .upto = UINT64_MAX};
    struct store_head head;

    append_rows(o.s);
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < ROWS(rows); i++)
            OK(store_row_get(o.r, i + 1, &q, same_row, (void *)(uintptr_t)&rows[i], &err));
        reopen(&o);
    }
    OK(store_begin(o.s, &head, &err));
    assert_int_equal(head.next_seq, 7);
    assert_int_equal(head.last_added_us, rows[5].added_us);
    store_rollback(o.s);
    close_all(&o);
}

static int original_length(void *arg, const struct store_row *row, const struct store_at *at)
{
    if (row->seq == 2)
        *(size_t *)arg = row->original.len;
    return 0;
}

/* One reader after the other: what the statement was bound to before does not stay. */
static void test_store_store__originals_for_their_owner(void **state)
{
    static const struct {
        bool own_originals;
        uint64_t owner;
        size_t length;
    } cases[] = {{true, UINT64_MAX, 3}, {true, 5, 0},  {false, 5, 3},
                 {true, 0, 0},          {false, 0, 3}, {true, UINT64_MAX, 3}};
    struct opened o = open_new();
    struct store_list list = {UINT32_MAX, 0};

    append_rows(o.s);
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct store_query q = {.lists = &list,
                                .n_lists = 1,
                                .owner = cases[i].owner,
                                .own_originals = cases[i].own_originals,
                                .upto = UINT64_MAX,
                                .limit = 10};
        struct store_at at;
        bool more;
        size_t one = 99, of_page = 99;
        OK(store_row_get(o.r, 2, &q, original_length, &one, &err));
        OK(store_page(o.r, &q, original_length, &of_page, &at, &more, &err));
        assert_int_equal(one, cases[i].length);
        assert_int_equal(of_page, cases[i].length);
    }
    close_all(&o);
}

static size_t n_briefs;

static int same_brief(void *arg, const struct store_brief *b)
{
    const struct store_row *want = &rows[b->seq - 1];
    uint8_t hash[CRYPTO_HASH];
    uint64_t id_hash = 0;

    crypto_sha256(want->id, hash);
    for (int i = 7; i >= 0; i--)
        id_hash = id_hash << 8 | hash[i];
    assert_int_equal(b->id_hash, id_hash);
    assert_int_equal(b->kind, want->kind);
    assert_int_equal(b->key, want->key);
    assert_int_equal(b->owner, want->owner);
    assert_int_equal(b->subject_seq, want->subject_seq);
    assert_int_equal(b->added_us, want->added_us);
    assert_int_equal(b->source_us, want->source_us);
    assert_int_equal(b->valid_until_us, want->valid_until_us);
    assert_int_equal(b->facts_class, want->facts_class);
    return ++n_briefs == *(size_t *)arg;
}

static void test_store_store__brief(void **state)
{
    struct opened o = open_new();
    size_t stop = 0;

    append_rows(o.s);
    n_briefs = 0;
    OK(store_scan_brief(o.r, 0, same_brief, &stop, &err));
    assert_int_equal(n_briefs, ROWS(rows));
    n_briefs = 0;
    OK(store_scan_brief(o.r, 4, same_brief, &stop, &err));
    assert_int_equal(n_briefs, 2);
    n_briefs = 0;
    stop = 3;
    OK(store_scan_brief(o.r, 0, same_brief, &stop, &err));
    assert_int_equal(n_briefs, 3);
    close_all(&o);
}

/* A widening at the end reserves its range: the next row's date_added lies behind it, also after a restart. */
static void test_store_store__head(void **state)
{
    struct opened o = open_new();
    struct store_head head;
    uint64_t seq;
    int64_t added_us;

    OK(store_head_seq(o.r, &seq, &added_us, &err));
    assert_int_equal(seq, 0);
    assert_int_equal(added_us, 0);
    OK(store_begin(o.s, &head, &err));
    assert_true(head.next_seq == 1 && head.next_envelope == 1 && head.next_leaf == 0 && head.last_added_us == 0);
    for (size_t i = 0; i < 5; i++)
        OK(store_append(o.s, &rows[i], &err));
    OK(store_head_seq(o.r, &seq, &added_us, &err));
    assert_int_equal(seq, 0); /* not committed: not seen */
    OK(store_commit(o.s, &err));
    for (int again = 0; again < 2; again++) {
        OK(store_head_seq(o.r, &seq, &added_us, &err));
        assert_int_equal(seq, 5);
        assert_int_equal(added_us, 1763812800123461);
        OK(store_begin(o.s, &head, &err));
        assert_int_equal(head.last_added_us, 1763812800123461);
        store_rollback(o.s);
        reopen(&o);
    }
    close_all(&o);
}

/* ---- envelopes, leaves, state ---- */

static void test_store_store__envelopes_and_leaves(void **state)
{
    struct opened o = open_new();
    struct arena a = ARENA_INIT;
    struct store_head head;
    struct store_envelope e = {1, 5, UINT64_MAX, 9, SLICE("\0key"), SLICE("{\"status\":1}")}, empty = {.n = 2}, got;
    uint8_t leaf[32] = {0, 1, 2, 0xff}, back[32];

    OK(store_begin(o.s, &head, &err));
    OK(store_append_envelope(o.s, &e, &err));
    OK(store_append_envelope(o.s, &empty, &err));
    OK(store_append_leaf(o.s, 0, leaf, SLICE("sealed"), &err));
    leaf[31] = 1;
    OK(store_append_leaf(o.s, 1, leaf, SLICE(""), &err));
    OK(store_commit(o.s, &err));
    reopen(&o);
    OK(store_envelope_get(o.r, 1, &a, &got, &err));
    assert_true(got.n == 1 && got.received_us == 5 && got.owner == UINT64_MAX && got.leaf == 9);
    assert_true(slice_eq(got.key, e.key) && slice_eq(got.status, e.status));
    OK(store_envelope_get(o.r, 2, &a, &got, &err));
    assert_true(got.key.len == 0 && got.status.len == 0);
    assert_int_equal(store_envelope_get(o.r, 3, &a, &got, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    OK(store_leaf_get(o.r, 1, back, &err));
    assert_memory_equal(back, leaf, 32);
    assert_int_equal(store_leaf_get(o.r, 2, back, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    OK(store_begin(o.s, &head, &err));
    assert_true(head.next_envelope == 3 && head.next_leaf == 2);
    store_rollback(o.s);
    arena_free(&a);
    close_all(&o);
}

static int join_pairs(void *arg, struct slice key, struct slice value)
{
    struct buf *out = arg;

    buf_put(out, key);
    buf_put_byte(out, '=');
    buf_put(out, value);
    buf_put_byte(out, ';');
    return slice_eq(key, SLICE("stop"));
}

static void test_store_store__state_tables(void **state)
{
    struct opened o = open_new();
    struct store_head head;
    struct buf value = BUF_INIT, all = BUF_INIT;

    OK(store_begin(o.s, &head, &err));
    for (enum store_table t = 0; t < STORE_TABLES; t++) {
        char text[2] = {(char)('a' + t), 0};
        OK(store_put(o.s, t, SLICE("k\0e"), slice_of(text), &err)); /* the same key in each: own name spaces */
        OK(store_put(o.s, t, SLICE("c"), SLICE("old"), &err));
        OK(store_put(o.s, t, SLICE("c"), SLICE("new"), &err));
        OK(store_put(o.s, t, SLICE(""), SLICE("empty key"), &err));
        OK(store_put(o.s, t, SLICE("stop"), SLICE(""), &err));
        OK(store_put(o.s, t, SLICE("gone"), SLICE("x"), &err));
        OK(store_delete(o.s, t, SLICE("gone"), &err));
        OK(store_delete(o.s, t, SLICE("never there"), &err));
        OK(store_put(o.s, t, SLICE("zz"), SLICE("behind stop"), &err));
    }
    OK(store_commit(o.s, &err));
    for (enum store_table t = 0; t < STORE_TABLES; t++) {
        char text[2] = {(char)('a' + t), 0};
        OK(store_get(o.r, t, SLICE("k\0e"), &value, &err));
        assert_slice(buf_slice(&value), text);
        OK(store_get(o.r, t, SLICE("stop"), &value, &err));
        assert_int_equal(value.len, 0);
        OK(store_get(o.r, t, SLICE(""), &value, &err));
        assert_slice(buf_slice(&value), "empty key");
        assert_int_equal(store_get(o.r, t, SLICE("gone"), &value, &err), -1);
        assert_int_equal(err.code, ERR_NOT_FOUND);
        buf_clear(&all);
        OK(store_scan(o.r, t, SLICE("b"), join_pairs, &all, &err));
        char want[] = "c=new;k\0e=?;stop=;";
        want[strlen("c=new;k") + 3] = text[0];
        if (!slice_eq(buf_slice(&all), slice_n(want, sizeof want - 1)))
            fail_row(t, "scan gave \"" SLICE_FMT "\"", SLICE_ARG(buf_slice(&all)));
    }
    buf_free(&value);
    buf_free(&all);
    close_all(&o);
}

/* ---- rollback and full disk ---- */

static void test_store_store__rollback_leaves_nothing(void **state)
{
    struct opened o = open_new();
    struct store_head head;
    struct store_list list = {0, 0};
    struct store_query q = {.lists = &list, .n_lists = 1, .upto = UINT64_MAX};
    struct buf value = BUF_INIT;

    OK(store_begin(o.s, &head, &err));
    OK(store_append(o.s, &rows[0], &err));
    OK(store_put(o.s, STORE_META, SLICE("tree"), SLICE("x"), &err));
    store_rollback(o.s);
    store_rollback(o.s); /* outside of a transaction: nothing */
    assert_int_equal(store_row_get(o.r, 1, &q, same_row, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(store_get(o.r, STORE_META, SLICE("tree"), &value, &err), -1);
    OK(store_begin(o.s, &head, &err));
    assert_int_equal(head.next_seq, 1);
    OK(store_append(o.s, &rows[0], &err));
    OK(store_commit(o.s, &err));
    OK(store_row_get(o.r, 1, &q, same_row, (void *)(uintptr_t)&rows[0], &err));
    buf_free(&value);
    close_all(&o);
}

static int append_big(struct store *s, size_t n)
{
    struct buf body = BUF_INIT;
    struct store_head head;
    int rc = store_begin(s, &head, &err);

    buf_reserve(&body, 100000);
    memset(body.ptr, 'x', body.len = 100000);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct store_row row = make_row(&head, STORE_ADD, 0, buf_slice(&body));
        rc = store_append(s, &row, &err);
        head.next_seq++;
        head.last_added_us++;
    }
    if (rc == 0)
        rc = store_commit(s, &err);
    else
        store_rollback(s);
    buf_free(&body);
    return rc;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit most;

    getrlimit(RLIMIT_FSIZE, &most);
    most.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
}

/* A file that may not grow stands for a full disk, with a few rows (the commit fails) and with many (pages are written
 * before). */
static void test_store_store__full_disk(void **state)
{
    struct opened o = open_new();
    uint64_t seq;
    int64_t added_us;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(append_big(o.s, 3), 0);
    for (size_t n = 5; n <= 500; n *= 10) {
        limit_files((rlim_t)file_size(o.dir, "store.db-wal") + 40000);
        int rc = append_big(o.s, n);
        enum err_code code = err.code;
        limit_files(RLIM_INFINITY);
        assert_int_equal(rc, -1);
        assert_int_equal(code, ERR_DISK_FULL);
        OK(store_head_seq(o.r, &seq, &added_us, &err));
        assert_int_equal(seq, 3);
    }
    OK(append_big(o.s, 2));
    reopen(&o);
    OK(store_head_seq(o.r, &seq, &added_us, &err));
    assert_int_equal(seq, 5);
    close_all(&o);
}

/* What follows an error in a transaction answers with the same error, and commits nothing. */
static void test_store_store__errors_stay_until_rollback(void **state)
{
    struct opened o = open_new();
    struct store_head head;
    struct buf body = BUF_INIT;
    uint64_t seq;
    int64_t added_us;
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    buf_reserve(&body, 1000000);
    memset(body.ptr, 'x', body.len = 1000000);
    OK(store_begin(o.s, &head, &err));
    limit_files(100000);
    while (rc == 0) {
        struct store_row row = make_row(&head, STORE_ADD, 0, buf_slice(&body));
        rc = store_append(o.s, &row, &err);
        head.next_seq++;
        head.last_added_us++;
    }
    limit_files(RLIM_INFINITY);
    assert_int_equal(err.code, ERR_DISK_FULL);
    err.code = ERR_NONE;
    assert_int_equal(store_put(o.s, STORE_META, SLICE("k"), SLICE("v"), &err), -1);
    assert_int_equal(err.code, ERR_DISK_FULL);
    assert_int_equal(store_commit(o.s, &err), -1);
    OK(store_head_seq(o.r, &seq, &added_us, &err));
    assert_int_equal(seq, 0);
    assert_int_equal(store_get(o.r, STORE_META, SLICE("k"), &body, &err), -1);
    OK(append_big(o.s, 1));
    buf_free(&body);
    close_all(&o);
}

/* ---- opening ---- */

static void test_store_store__opened_once(void **state)
{
    struct opened o = open_new();
    struct store *second = (struct store *)1;
    int status;

    assert_int_equal(store_open(o.dir, &second, &err), -1);
    assert_int_equal(err.code, ERR_STORE);
    assert_string_equal(err.text, "another process has this store open");
    assert_null(second);
    pid_t child = fork();
    if (child == 0)
        _exit(store_open(o.dir, &second, &err) == -1 && err.code == ERR_STORE ? 0 : 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    reopen(&o); /* closing lets go */
    close_all(&o);
}

static void test_store_store__modes(void **state)
{
    struct opened o = open_new();
    struct arena a = ARENA_INIT;
    struct stat st;
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "lock"};

    append_rows(o.s);
    for (size_t i = 0; i < ROWS(names); i++) {
        assert_int_equal(stat(arena_printf(&a, "%s/%s", o.dir, names[i]).ptr, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    const char *inner = arena_printf(&a, "%s/inner", o.dir).ptr;
    struct store *s;
    OK(store_open(inner, &s, &err));
    assert_int_equal(stat(inner, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    store_close(&s);
    char *copy = mem_copy(slice_of(inner));
    remove_dir(&copy);
    assert_int_equal(store_open("/nonexistent/dir", &s, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    arena_free(&a);
    close_all(&o);
}

/* `sql` is run on a good, closed store; what opening it then says. */
static enum err_code open_after(const char *sql, const char *bytes)
{
    struct opened o = open_new();
    struct arena a = ARENA_INIT;
    const char *path = arena_printf(&a, "%s/store.db", o.dir).ptr;
    sqlite3 *db;

    append_rows(o.s);
    store_reader_close(&o.r);
    store_close(&o.s);
    if (sql != NULL) {
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
    } else {
        FILE *f = fopen(path, "w");
        fputs(bytes, f);
        fclose(f);
    }
    err = (struct err)ERR_INIT;
    if (store_open(o.dir, &o.s, &err) == 0)
        store_close(&o.s);
    arena_free(&a);
    remove_dir(&o.dir);
    return err.code;
}

static void test_store_store__versions(void **state)
{
    static const struct {
        const char *sql, *bytes;
        enum err_code code;
    } cases[] = {
        {"SELECT 1", NULL, ERR_NONE},
        {"DROP TABLE state_recipient; DROP TABLE state_receipt; PRAGMA user_version=2", NULL, ERR_NONE}, /* upgraded */
        {"PRAGMA user_version=4", NULL, ERR_STORE_VERSION},
        {"PRAGMA user_version=1", NULL, ERR_STORE_VERSION},
        {"PRAGMA user_version=0", NULL, ERR_STORE_VERSION},
        {"PRAGMA application_id=1", NULL, ERR_STORE_VERSION},
        {"PRAGMA application_id=0; PRAGMA user_version=0", NULL, ERR_STORE_VERSION}, /* somebody's own database */
        {NULL, "", ERR_NONE}, /* a crash between making the file and the first commit: made anew */
        {NULL, "this is no database, and never was one", ERR_STORE},
    };

    for (size_t i = 0; i < ROWS(cases); i++) {
        enum err_code code = open_after(cases[i].sql, cases[i].bytes);
        if (code != cases[i].code)
            fail_row(i, "%s: %s", err_name(code), err.text);
    }
}

/* What a store of version 2 holds stays; what it lacks is there afterwards. */
static void test_store_store__version_2_is_upgraded(void **state)
{
    struct opened o = open_new();
    struct arena a = ARENA_INIT;
    const char *path = arena_printf(&a, "%s/store.db", o.dir).ptr;
    struct store_head head;
    struct buf value = BUF_INIT;
    sqlite3 *db;

    append_rows(o.s);
    OK(store_begin(o.s, &head, &err));
    OK(store_put(o.s, STORE_META, SLICE("k"), SLICE("kept"), &err));
    OK(store_commit(o.s, &err));
    store_reader_close(&o.r);
    store_close(&o.s);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE state_recipient; DROP TABLE state_receipt; PRAGMA user_version=2",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    OK(store_open(o.dir, &o.s, &err));
    OK(store_reader_open(o.s, &o.r, &err));
    OK(store_begin(o.s, &head, &err));
    assert_int_equal(head.next_seq, ROWS(rows) + 1);
    OK(store_put(o.s, STORE_RECEIPT, SLICE("r"), SLICE("new"), &err));
    OK(store_commit(o.s, &err));
    OK(store_get(o.r, STORE_META, SLICE("k"), &value, &err));
    assert_true(slice_eq(buf_slice(&value), SLICE("kept")));
    OK(store_get(o.r, STORE_RECEIPT, SLICE("r"), &value, &err));
    assert_true(slice_eq(buf_slice(&value), SLICE("new")));
    buf_free(&value);
    arena_free(&a);
    close_all(&o);
}

/* The addressed rows tell whom they reach, the others nothing. */
static void test_store_store__reach(void **state)
{
    struct opened o = open_new();
    struct buf reach = BUF_INIT;

    append_rows(o.s);
    OK(store_reach(o.r, 3, &reach, &err));
    assert_true(slice_eq(buf_slice(&reach), SLICE("\x81\0\x01")));
    assert_int_equal(store_reach(o.r, 1, &reach, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(store_reach(o.r, 99, &reach, &err), -1);
    buf_free(&reach);
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_store__every_field_comes_back),
        cmocka_unit_test(test_store_store__originals_for_their_owner),
        cmocka_unit_test(test_store_store__brief),
        cmocka_unit_test(test_store_store__head),
        cmocka_unit_test(test_store_store__envelopes_and_leaves),
        cmocka_unit_test(test_store_store__state_tables),
        cmocka_unit_test(test_store_store__rollback_leaves_nothing),
        cmocka_unit_test(test_store_store__full_disk),
        cmocka_unit_test(test_store_store__errors_stay_until_rollback),
        cmocka_unit_test(test_store_store__opened_once),
        cmocka_unit_test(test_store_store__modes),
        cmocka_unit_test(test_store_store__versions),
        cmocka_unit_test(test_store_store__version_2_is_upgraded),
        cmocka_unit_test(test_store_store__reach),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

/* Threads meet here: readers follow a writer, and the write-ahead log stays bounded under both. */
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

enum { READERS = 3, GROUPS = 200, GROUP = 15, BOUND = 128 << 20 };

static struct store *store;
static atomic_bool stop;

struct follower {
    pthread_t thread;
    uint64_t n, upto;
    int64_t added_us;
    bool out_of_order;
    struct err err;
};

static int follow_row(void *arg, const struct store_row *row, const struct store_at *at)
{
    struct follower *f = arg;

    f->out_of_order |= row->seq != f->n + 1 || row->added_us <= f->added_us || row->body.len != row->seq % 900;
    f->added_us = row->added_us;
    f->n++;
    return 0;
}

/* Reads behind the writer until it has everything; whatever was published is read once, in order. */
static void *follow(void *arg)
{
    struct follower *f = arg;
    struct store_list lists[] = {{0, 0}, {1, 0}, {2, 0}};
    struct store_query q = {.lists = lists, .n_lists = ROWS(lists), .upto = UINT64_MAX, .limit = 40};
    struct store_reader *r = NULL;
    bool more;

    if (store_reader_open(store, &r, &f->err) != 0)
        return NULL;
    q.part = STORE_CONTENT;
    while (f->n < f->upto && store_page(r, &q, follow_row, f, &q.after, &more, &f->err) == 0)
        if (!more)
            usleep(200);
    store_reader_close(&r);
    return NULL;
}

static void append_group(void)
{
    static char body[900];
    struct err err = ERR_INIT;
    struct store_head head;

    OK(store_begin(store, &head, &err));
    for (int i = 0; i < GROUP; i++) {
        struct slice part = slice_n(body, head.next_seq % 900);
        struct store_row row = make_row(&head, STORE_ADD, (uint32_t)head.next_seq % 3, part);
        OK(store_append(store, &row, &err));
        head.next_seq++;
        head.last_added_us++;
    }
}

static void test_store_wal__readers_follow_the_writer(void **state)
{
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct follower followers[READERS] = {0};

    OK(store_open(dir, &store, &err));
    for (int i = 0; i < READERS; i++) {
        followers[i].upto = GROUPS * GROUP;
        assert_int_equal(pthread_create(&followers[i].thread, NULL, follow, &followers[i]), 0);
    }
    for (int g = 0; g < GROUPS; g++) {
        append_group();
        if (g % 10 == 0) { /* nobody ever sees these */
            store_rollback(store);
            append_group();
        }
        OK(store_commit(store, &err));
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(followers[i].thread, NULL);
        assert_int_equal(followers[i].err.code, ERR_NONE);
        assert_int_equal(followers[i].n, GROUPS * GROUP);
        assert_false(followers[i].out_of_order);
    }
    store_close(&store);
    remove_dir(&dir);
}

static void *lock_for_a_moment(void *arg)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(arg, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    atomic_store(&stop, true);
    usleep(100000);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    return NULL;
}

/* SQLite's own readers take the writer's lock for a moment when they meet a head of the log that is just being
 * written: the writer waits, and no commit fails for it. */
static void test_store_wal__the_writer_waits_its_turn(void **state)
{
    char *dir = make_dir(), path[200];
    struct err err = ERR_INIT;
    pthread_t thread;

    OK(store_open(dir, &store, &err));
    append_group();
    OK(store_commit(store, &err));
    snprintf(path, sizeof path, "%s/store.db", dir);
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, lock_for_a_moment, path), 0);
    while (!atomic_load(&stop))
        usleep(100);
    append_group();
    OK(store_commit(store, &err));
    pthread_join(thread, NULL);
    store_close(&store);
    remove_dir(&dir);
}

static void *read_all_the_time(void *arg)
{
    struct store_reader *r = NULL;
    struct buf value = BUF_INIT;
    struct err err = ERR_INIT;

    if (store_reader_open(store, &r, &err) != 0)
        return NULL;
    while (!atomic_load(&stop))
        store_get(r, STORE_META, SLICE("big"), &value, &err);
    store_reader_close(&r);
    buf_free(&value);
    return NULL;
}

/* 400 MB through the log while somebody always reads, so that SQLite itself never finds a moment to begin it anew. */
static void test_store_wal__stays_bounded(void **state)
{
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct buf value = BUF_INIT;
    struct store_head head;
    pthread_t readers[READERS];
    off_t most = 0;

    OK(store_open(dir, &store, &err));
    atomic_store(&stop, false);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all_the_time, NULL), 0);
    buf_reserve(&value, 4 << 20);
    value.len = 4 << 20;
    for (int i = 0; i < 100; i++) {
        memset(value.ptr, 'a' + i % 26, value.len); /* SQLite writes changed pages only */
        OK(store_begin(store, &head, &err));
        OK(store_put(store, STORE_META, SLICE("big"), buf_slice(&value), &err));
        OK(store_commit(store, &err));
        off_t size = file_size(dir, "store.db-wal");
        most = size > most ? size : most;
    }
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    if (most > BOUND + (8 << 20))
        fail_msg("the log grew to %ld MB", (long)(most >> 20));
    store_close(&store);
    assert_int_equal(file_size(dir, "store.db-wal"), 0); /* closing moves everything into the database */
    buf_free(&value);
    remove_dir(&dir);
}

struct inside {
    struct store_reader *other;
    uint64_t n;
};

/* Commits from inside another reader's page: that page keeps to what was there when it began. */
static int commit_one(void *arg, const struct store_row *row, const struct store_at *at)
{
    struct inside *in = arg;
    struct err err = ERR_INIT;
    struct store_head head;
    uint64_t seq;
    int64_t added_us;

    OK(store_begin(store, &head, &err));
    struct store_row next = make_row(&head, STORE_ADD, 0, SLICE("b"));
    OK(store_append(store, &next, &err));
    OK(store_commit(store, &err));
    OK(store_head_seq(in->other, &seq, &added_us, &err));
    assert_int_equal(seq, head.next_seq);
    in->n++;
    return 0;
}

static void test_store_wal__a_page_keeps_its_snapshot(void **state)
{
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct store_head head;
    struct store_reader *r;
    struct store_list list = {0, 0};
    struct store_query q = {.lists = &list, .n_lists = 1, .upto = UINT64_MAX, .limit = 100};
    struct inside in = {0};
    bool more;

    OK(store_open(dir, &store, &err));
    OK(store_reader_open(store, &r, &err));
    OK(store_reader_open(store, &in.other, &err));
    OK(store_begin(store, &head, &err));
    struct store_row row = make_row(&head, STORE_ADD, 0, SLICE("a"));
    OK(store_append(store, &row, &err));
    OK(store_commit(store, &err));
    for (uint64_t want = 1; want <= 4; want *= 2) { /* 1 row, then 2, then 4 */
        struct store_at at;
        in.n = 0;
        OK(store_page(r, &q, commit_one, &in, &at, &more, &err));
        assert_int_equal(in.n, want);
        assert_false(more);
    }
    store_reader_close(&r);
    store_reader_close(&in.other);
    store_close(&store);
    remove_dir(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_wal__the_writer_waits_its_turn),
        cmocka_unit_test(test_store_wal__readers_follow_the_writer),
        cmocka_unit_test(test_store_wal__stays_bounded),
        cmocka_unit_test(test_store_wal__a_page_keeps_its_snapshot),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

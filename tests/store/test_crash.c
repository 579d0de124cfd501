/* The writer killed at any moment: every group that it was told is durable is there, and none is there in part. */
#include "store_test.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { KILLS = 20, GROUP_MOST = 60, BODY = 3000 };

static struct err err;

/* Group g: an envelope g, a leaf g - 1, rows with envelope = g and key = how many rows the group has, and the state
 * "group". */
static int append_group(struct store *s, const struct store_head *at, uint32_t n)
{
    static char body[BODY];
    struct store_head head = *at;
    struct store_envelope e = {.n = head.next_envelope};
    uint8_t leaf[32] = {1};

    for (uint32_t i = 0; i < n; i++) {
        struct store_row row = make_row(&head, STORE_ADD, i % 7, slice_n(body, 1 + (i * 37) % BODY));
        row.envelope = e.n;
        row.key = n;
        if (store_append(s, &row, &err) != 0)
            return -1;
        head.next_seq++;
        head.last_added_us = row.added_us;
    }
    return store_append_envelope(s, &e, &err) == 0 && store_append_leaf(s, head.next_leaf, leaf, SLICE("r"), &err) == 0
               ? store_put(s, STORE_META, SLICE("group"), slice_n((const char *)&e.n, sizeof e.n), &err)
               : -1;
}

/* Writes until it is killed; tells each group after its commit. */
static void child_writes(const char *dir, int tell)
{
    struct store *s;
    struct store_head head;

    if (store_open(dir, &s, &err) != 0)
        _exit(1);
    for (;;) {
        if (store_begin(s, &head, &err) != 0 || append_group(s, &head, 1 + crypto_random_below(GROUP_MOST)) != 0 ||
            store_commit(s, &err) != 0)
            _exit(1);
        if (write(tell, &head.next_envelope, sizeof head.next_envelope) != sizeof head.next_envelope)
            _exit(1);
    }
}

/* Returns the last group that was told, 0 when none was. */
static uint64_t kill_one(const char *dir)
{
    uint64_t group, last = 0;
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        child_writes(dir, ends[1]);
    }
    close(ends[1]);
    usleep(20000 + (useconds_t)crypto_random_below(80000));
    kill(child, SIGKILL);
    while (read(ends[0], &group, sizeof group) == sizeof group)
        last = group;
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

struct seen {
    uint64_t groups, rows, left;
    int64_t added_us;
};

static int check_brief(void *arg, const struct store_brief *b)
{
    struct seen *seen = arg;

    assert_int_equal(b->seq, ++seen->rows);
    assert_true(b->added_us > seen->added_us);
    seen->added_us = b->added_us;
    if (seen->left == 0) {
        seen->groups++;
        seen->left = b->key;
    }
    seen->left--;
    return 0;
}

static int count_page(void *arg, const struct store_row *row, const struct store_at *at)
{
    ++*(uint64_t *)arg;
    return 0;
}

static uint64_t count_rows(struct store_reader *r)
{
    struct store_list lists[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}};
    struct store_query q = {.lists = lists, .n_lists = ROWS(lists), .upto = UINT64_MAX, .limit = UINT32_MAX};
    struct store_at at;
    uint64_t n = 0;
    bool more;

    OK(store_page(r, &q, count_page, &n, &at, &more, &err));
    return n;
}

static uint64_t check_store(const char *dir)
{
    struct seen seen = {0};
    struct store *s;
    struct store_reader *r;
    struct store_head head;
    struct buf value = BUF_INIT;
    uint64_t group = 0;

    OK(store_open(dir, &s, &err));
    OK(store_reader_open(s, &r, &err));
    OK(store_scan_brief(r, 0, check_brief, &seen, &err));
    assert_int_equal(seen.left, 0); /* the last group is whole */
    assert_int_equal(count_rows(r), seen.rows);
    if (store_get(r, STORE_META, SLICE("group"), &value, &err) == 0)
        memcpy(&group, value.ptr, sizeof group);
    assert_int_equal(group, seen.groups);
    OK(store_begin(s, &head, &err));
    assert_int_equal(head.next_seq, seen.rows + 1);
    assert_int_equal(head.next_envelope, seen.groups + 1);
    assert_int_equal(head.next_leaf, seen.groups);
    store_rollback(s);
    store_reader_close(&r);
    store_close(&s);
    buf_free(&value);
    return seen.groups;
}

static int first_text(void *arg, int n, char **values, char **names)
{
    buf_put(arg, slice_of(values[0]));
    return 0;
}

static void check_file(const char *dir)
{
    struct arena a = ARENA_INIT;
    struct buf answer = BUF_INIT;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(arena_printf(&a, "%s/store.db", dir).ptr, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", first_text, &answer, NULL), SQLITE_OK);
    assert_slice(buf_slice(&answer), "ok");
    sqlite3_close(db);
    buf_free(&answer);
    arena_free(&a);
}

static void test_store_crash__killed_writer(void **state)
{
    char *dir = make_dir();
    uint64_t groups = 0, told = 0;

    for (int i = 0; i < KILLS; i++) {
        uint64_t last = kill_one(dir);
        told = last > told ? last : told;
        groups = check_store(dir);
        assert_true(groups >= told && groups <= told + 1); /* one may be durable and not yet told */
        told = groups;
    }
    assert_true(groups > 0);
    check_file(dir);
    remove_dir(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_crash__killed_writer),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sensor/internal.h"

static char dir[] = "/tmp/tocsin-live-XXXXXX";
static char path[64], list_path[64];

static struct live *open_live(void)
{
    struct live *l;
    struct err err = ERR_INIT;

    if (live_open(dir, false, &l, &err) != 0)
        fail_msg("%s %s", err.place, err.text);
    return l;
}

static void close_live(struct live **l)
{
    struct err err = ERR_INIT;

    if (live_close(l, &err) != 0)
        fail_msg("%s", err.text);
}

static uint64_t set(struct live *l, const char *id, int64_t added_us, const char *name)
{
    struct live_value values[] = {{STIX_VALUE_DOMAIN, slice_of(name)}, {STIX_VALUE_IPV4, SLICE("198.51.100.7")}};
    struct live_item item = {
        slice_of(id), SLICE("north"), values, name != NULL ? 2 : 0, added_us, added_us - 1, 99, 7, -1};

    return live_set(l, &item);
}

static void check_item(const struct live *l, const char *id, int64_t added_us, const char *name)
{
    uint64_t number;

    if (!live_find(l, slice_of(id), &number))
        fail_msg("%s is not there", id);
    const struct live_item *item = live_at(l, number);
    assert_slice(item->id, id);
    assert_int_equal(item->added_us, added_us);
    assert_int_equal(item->modified_us, added_us - 1);
    assert_int_equal(item->n_values, name != NULL ? 2 : 0);
    if (name == NULL)
        return;
    assert_slice(item->origin, "north");
    assert_slice(item->values[0].value, name);
    assert_int_equal(item->values[1].kind, STIX_VALUE_IPV4);
    assert_slice(item->values[1].value, "198.51.100.7");
    assert_int_equal(item->until_us, 99);
    assert_int_equal(item->loaded_us, 7);
    assert_int_equal(item->confidence, -1);
}

static void test_sensor_live__comes_back(void **state)
{
    struct live *l = open_live();

    assert_int_equal(live_count(l), 0);
    assert_int_equal(live_heard(l), 0);
    assert_int_equal(set(l, "indicator--a", 10, "a.example"), 0);
    assert_int_equal(set(l, "indicator--b", 11, "b.example"), 1);
    assert_int_equal(set(l, "indicator--a", 12, "c.example"), 0);
    assert_int_equal(set(l, "indicator--b", 13, NULL), 1);
    live_set_cursor(l, SLICE("cursor-1"), 5000);
    assert_int_equal(live_flush(l, NULL), 0);
    live_set_cursor(l, SLICE(""), 6000); /* heard, nothing new */
    close_live(&l);
    for (int i = 0; i < 3; i++) {
        l = open_live();
        assert_int_equal(live_count(l), 2);
        check_item(l, "indicator--a", 12, "c.example");
        check_item(l, "indicator--b", 13, NULL);
        assert_slice(live_cursor(l), "cursor-1");
        assert_int_equal(live_heard(l), 6000);
        close_live(&l);
    }
    l = open_live();
    live_forget_cursor(l);
    close_live(&l);
    l = open_live();
    assert_slice(live_cursor(l), "");
    close_live(&l);
    unlink(path);
}

/* A crash may tear off any number of bytes: what is whole before comes back, and the cursor never runs ahead of it. */
static void test_sensor_live__torn(void **state)
{
    struct live *l = open_live();
    struct stat st;
    struct arena a = ARENA_INIT;
    struct slice whole;

    set(l, "indicator--a", 10, "a.example");
    live_set_cursor(l, SLICE("cursor-1"), 1);
    assert_int_equal(live_flush(l, NULL), 0);
    set(l, "indicator--b", 11, "b.example");
    live_set_cursor(l, SLICE("cursor-2"), 2);
    close_live(&l);
    assert_int_equal(file_read(&a, path, 1 << 20, &whole, NULL), 0);
    for (size_t cut = 0; cut <= whole.len; cut++) {
        assert_int_equal(file_write_atomic(path, slice_to(whole, cut), 0600, NULL), 0);
        l = open_live();
        bool one = live_count(l) >= 1, two = live_count(l) >= 2;
        if (slice_eq(live_cursor(l), SLICE("cursor-2")) ? !two : slice_eq(live_cursor(l), SLICE("cursor-1")) && !one)
            fail_row(cut, "the cursor runs ahead");
        set(l, "indicator--c", 12, "c.example"); /* and it goes on from there */
        close_live(&l);
        l = open_live();
        check_item(l, "indicator--c", 12, "c.example");
        close_live(&l);
    }
    /* One byte changed anywhere is found out. */
    for (size_t at = 0; at < whole.len; at++) {
        char *bad = arena_alloc(&a, whole.len);
        memcpy(bad, whole.ptr, whole.len);
        bad[at] ^= 1;
        assert_int_equal(file_write_atomic(path, slice_n(bad, whole.len), 0600, NULL), 0);
        l = open_live();
        assert_false(slice_eq(live_cursor(l), SLICE("cursor-2")));
        close_live(&l);
    }
    assert_int_equal(stat(path, &st), 0);
    arena_free(&a);
    unlink(path);
}

static void test_sensor_live__rewritten(void **state)
{
    struct live *l = open_live();
    struct stat st;
    struct buf text = BUF_INIT;
    char id[64];

    for (int i = 0; i < 2000; i++)
        buf_put(&text, SLICE("0123456789"));
    buf_put_byte(&text, '\0');
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 50; i++) {
            snprintf(id, sizeof id, "indicator--%d", i);
            set(l, id, 10 + round, text.ptr);
        }
        live_set_cursor(l, SLICE("cursor"), round);
        assert_int_equal(live_flush(l, NULL), 0);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 22 << 20); /* 30 MB were written; 1 MB is needed */
    close_live(&l);
    l = open_live();
    assert_int_equal(live_count(l), 50);
    check_item(l, "indicator--49", 39, text.ptr);
    assert_int_equal(live_heard(l), 29);
    close_live(&l);
    buf_free(&text);
    unlink(path);
}

static void test_sensor_live__read_only_and_list(void **state)
{
    struct live *l = open_live(), *reader;
    struct arena a = ARENA_INIT;
    struct slice text, id, origin;
    size_t n;

    set(l, "indicator--a", 10, "b.example");
    set(l, "indicator--b", 11, "a.example");
    set(l, "indicator--c", 12, "gone.example");
    set(l, "indicator--c", 13, NULL);
    assert_int_equal(live_flush(l, NULL), 0);
    assert_int_equal(live_open(dir, true, &reader, NULL), 0); /* while another writes */
    assert_int_equal(live_count(reader), 3);
    close_live(&reader);
    assert_int_equal(live_write_list(l, list_path, &n, NULL), 0);
    assert_int_equal(file_read(&a, list_path, 1 << 20, &text, NULL), 0);
    assert_slice(text, "domain-name\ta.example\ndomain-name\tb.example\nipv4-addr\t198.51.100.7\n");
    assert_int_equal(n, 3);
    assert_true(live_get_id(l, 1, &a, &id, &origin));
    assert_slice(id, "indicator--b");
    assert_slice(origin, "north");
    assert_false(live_get_id(l, 2, &a, &id, &origin)); /* gone */
    assert_false(live_get_id(l, 3, &a, &id, &origin)); /* never was */
    close_live(&l);
    arena_free(&a);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_live__comes_back),
        cmocka_unit_test(test_sensor_live__torn),
        cmocka_unit_test(test_sensor_live__rewritten),
        cmocka_unit_test(test_sensor_live__read_only_and_list),
    };
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/live", dir);
    snprintf(list_path, sizeof list_path, "%s/live.txt", dir);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(list_path);
    rmdir(dir);
    return failed;
}

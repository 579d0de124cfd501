#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sensor/internal.h"

static const int64_t t0 = INT64_C(1795348800000000), second = 1000000, hour = INT64_C(3600000000);

struct world {
    char dir[32], list[64], nft[64], released[64];
    struct brakes *brakes;
    struct enforce *e;
    struct enforce_conf conf;
    struct arena a;
};

static void open_at(struct world *w, int64_t heard_us, int64_t now_us)
{
    struct err err = ERR_INIT;

    if (enforce_open(&w->conf, w->brakes, heard_us, now_us, &w->e, &err) != 0)
        fail_msg("%s", err.text);
}

static void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "/tmp/tocsin-enforce-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->list, sizeof w->list, "%s/list.txt", w->dir);
    snprintf(w->nft, sizeof w->nft, "%s/set.nft", w->dir);
    snprintf(w->released, sizeof w->released, "%s/released", w->dir);
    assert_int_equal(brakes_open(SLICE(""), &w->brakes, NULL), 0);
    w->conf = (struct enforce_conf){.block = true,
                                    .lease_us = 24 * hour,
                                    .max_entries = 1000,
                                    .max_new_per_minute = 1000,
                                    .hub = SLICE("north"),
                                    .export_nft = slice_of(w->nft),
                                    .export_list = slice_of(w->list),
                                    .released = slice_of(w->released)};
}

static void world_close(struct world *w)
{
    const char *const files[] = {w->list, w->nft, w->released};

    enforce_close(&w->e);
    brakes_close(&w->brakes);
    arena_free(&w->a);
    for (size_t i = 0; i < ROWS(files); i++)
        unlink(files[i]);
    rmdir(w->dir);
}

static void offer(struct world *w, uint64_t indicator, const char *name, const char *source, int64_t now_us)
{
    struct enforce_offer o = {indicator, STIX_VALUE_DOMAIN, slice_of(name), slice_of(source), now_us, 0, -1, false};

    enforce_offer(w->e, &o, now_us);
}

static void withdraw(struct world *w, uint64_t indicator, const char *name, int64_t now_us)
{
    enforce_withdraw(w->e, indicator, STIX_VALUE_DOMAIN, slice_of(name), now_us);
}

/* The lines of the written list that are no comments, joined by blanks; "-" when there is no file. */
static struct slice listed(struct world *w, int64_t now_us)
{
    struct slice text, line;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(enforce_write(w->e, now_us, true, &err), 0);
    if (file_read(&w->a, w->list, 1 << 20, &text, &err) != 0)
        return SLICE("-");
    while (slice_cut(&text, '\n', &line))
        if (line.len != 0 && line.ptr[0] != '#')
            buf_printf(&out, "%s" SLICE_FMT, out.len != 0 ? " " : "", SLICE_ARG(line));
    struct slice result = arena_copy(&w->a, buf_slice(&out));
    buf_free(&out);
    return result;
}

static void test_sensor_enforce__alert_only(void **state)
{
    struct world w;

    world_open(&w);
    w.conf.block = false;
    open_at(&w, t0, t0);
    offer(&w, 1, "bad.example", "north", t0);
    assert_slice(listed(&w, t0), "");
    world_close(&w);
}

static void test_sensor_enforce__offers(void **state)
{
    struct world w;
    struct enforce_counts counts;

    world_open(&w);
    open_at(&w, t0, t0);
    offer(&w, 1, "bad.example", "north", t0);
    offer(&w, 2, "bad.example", "south", t0);
    offer(&w, 3, "worse.example", "south", t0);
    offer(&w, 4, "google.com", "south", t0); /* a brake */
    assert_slice(listed(&w, t0), "bad.example worse.example");
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 2);
    assert_int_equal(counts.held, 1);
    withdraw(&w, 1, "bad.example", t0); /* another indicator still carries it */
    withdraw(&w, 9, "bad.example", t0);
    withdraw(&w, 3, "google.com", t0);
    assert_slice(listed(&w, t0), "bad.example worse.example");
    withdraw(&w, 2, "bad.example", t0);
    assert_slice(listed(&w, t0), "worse.example");
    withdraw(&w, 3, "worse.example", t0);
    withdraw(&w, 4, "google.com", t0);
    assert_slice(listed(&w, t0), "");
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked + counts.held + counts.waiting, 0);
    offer(&w, 5, "bad.example", "north", t0);
    assert_slice(listed(&w, t0), "bad.example");
    world_close(&w);
}

static void test_sensor_enforce__source_and_confidence(void **state)
{
    static const struct {
        const char *source;
        int64_t confidence;
        bool blocked;
    } rows[] = {
        {"north", 80, true},  {"north", 50, true},  {"north", 49, false},
        {"north", -1, false}, {"south", 80, false}, {"", 80, false},
    };
    const struct slice sources[] = {SLICE_INIT("east"), SLICE_INIT("north")};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct world w;
        world_open(&w);
        w.conf.sources = sources;
        w.conf.n_sources = 2;
        w.conf.min_confidence = 50;
        open_at(&w, t0, t0);
        struct enforce_offer o = {
            1, STIX_VALUE_DOMAIN, SLICE("bad.example"), slice_of(rows[i].source), t0, 0, rows[i].confidence, false};
        enforce_offer(w.e, &o, t0);
        bool blocked = listed(&w, t0).len != 0;
        world_close(&w);
        if (blocked != rows[i].blocked)
            fail_row(i, "%s", blocked ? "blocked" : "not blocked");
    }
}

static void test_sensor_enforce__leases(void **state)
{
    struct world w;
    struct slice text;

    world_open(&w);
    open_at(&w, t0, t0);
    offer(&w, 1, "bad.example", "north", t0);
    struct enforce_offer o = {2, STIX_VALUE_IPV4, SLICE("5.8.0.1"), SLICE("north"), t0, t0 + 2 * hour, -1, false};
    enforce_offer(w.e, &o, t0);
    assert_slice(listed(&w, t0), "bad.example 5.8.0.1");
    assert_int_equal(file_read(&w.a, w.nft, 1 << 20, &text, NULL), 0);
    assert_true(slice_find(text, SLICE("5.8.0.1 timeout 7200s")) < text.len); /* its own end comes before the lease's */
    /* Its own end. */
    enforce_tick(w.e, t0 + 2 * hour + second);
    assert_slice(listed(&w, t0 + 2 * hour + second), "bad.example");
    /* The hub is heard; then falls silent. */
    enforce_contact(w.e, t0 + 10 * hour);
    enforce_contact(w.e, t0 + 5 * hour); /* late news of the past change nothing */
    enforce_tick(w.e, t0 + 34 * hour - second);
    assert_slice(listed(&w, t0 + 34 * hour - second), "bad.example");
    enforce_tick(w.e, t0 + 34 * hour);
    assert_slice(listed(&w, t0 + 34 * hour), "");
    offer(&w, 3, "worse.example", "north", t0 + 35 * hour);
    assert_slice(listed(&w, t0 + 35 * hour), "");
    enforce_contact(w.e, t0 + 36 * hour);
    enforce_tick(w.e, t0 + 36 * hour);
    assert_slice(listed(&w, t0 + 36 * hour), "bad.example worse.example");
    world_close(&w);

    /* A start on old state, the hub not heard since: nothing is blocked. */
    world_open(&w);
    open_at(&w, t0 - 25 * hour, t0);
    enforce_tick(w.e, t0);
    offer(&w, 1, "bad.example", "north", t0 - 30 * hour);
    assert_slice(listed(&w, t0), "");
    world_close(&w);
}

static void test_sensor_enforce__ceilings(void **state)
{
    struct world w;
    struct enforce_counts counts;
    char name[32];

    world_open(&w);
    w.conf.max_entries = 30;
    w.conf.max_new_per_minute = 20;
    open_at(&w, t0, t0);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        offer(&w, (uint64_t)i, name, "north", t0);
    }
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 20);
    assert_int_equal(counts.waiting, 30);
    enforce_tick(w.e, t0 + 59 * second);
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 20);
    enforce_tick(w.e, t0 + 61 * second); /* a new minute, and the other ceiling */
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 30);
    withdraw(&w, 0, "n0.example", t0 + 62 * second); /* a place is free */
    enforce_tick(w.e, t0 + 63 * second);
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 30);
    assert_int_equal(counts.waiting, 19);
    world_close(&w);

    /* What was loaded before is no news: a restart is no flood. */
    world_open(&w);
    w.conf.max_new_per_minute = 5;
    open_at(&w, t0, t0);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        struct enforce_offer o = {(uint64_t)i, STIX_VALUE_DOMAIN, slice_of(name), SLICE("north"), t0 - hour, 0, -1,
                                  true};
        enforce_offer(w.e, &o, t0);
    }
    enforce_counts(w.e, &counts);
    assert_int_equal(counts.blocked, 50);
    world_close(&w);
}

static void test_sensor_enforce__release(void **state)
{
    struct world w;
    struct err err = ERR_INIT;
    uint64_t released;

    world_open(&w);
    open_at(&w, t0, t0);
    offer(&w, 1, "old.example", "south", t0);
    offer(&w, 2, "new.example", "south", t0 + hour);
    offer(&w, 3, "both.example", "south", t0 + hour);
    offer(&w, 4, "both.example", "north", t0 + hour);
    offer(&w, 5, "other.example", "north", t0 + hour);
    assert_int_equal(enforce_release(w.e, SLICE("south"), t0 + hour, t0 + hour, &released, &err), 0);
    assert_int_equal(released, 2); /* one of them stays blocked: the north still says so */
    assert_slice(listed(&w, t0 + hour), "old.example both.example other.example");
    /* They stay out: a new version of the indicator, another of that source, a restart. */
    withdraw(&w, 2, "new.example", t0 + hour);
    offer(&w, 22, "new.example", "south", t0 + 2 * hour);
    assert_slice(listed(&w, t0 + 2 * hour), "old.example both.example other.example");
    enforce_close(&w.e);
    open_at(&w, t0 + 2 * hour, t0 + 2 * hour);
    offer(&w, 22, "new.example", "south", t0 + 2 * hour);
    offer(&w, 1, "old.example", "south", t0);
    assert_slice(listed(&w, t0 + 2 * hour), "old.example");
    assert_int_equal(enforce_release(w.e, SLICE(""), 0, t0 + 2 * hour, &released, &err), 0);
    assert_int_equal(released, 1);
    assert_slice(listed(&w, t0 + 2 * hour), "");
    /* The member takes the lines out again, while it runs. */
    unlink(w.released);
    enforce_tick(w.e, t0 + 3 * hour);
    assert_slice(listed(&w, t0 + 3 * hour), "new.example old.example");
    /* Another process releases. */
    assert_int_equal(released_append(w.conf.released, SLICE("domain-name\told.example\tsouth\nnonsense\n\n"), &err), 0);
    enforce_tick(w.e, t0 + 3 * hour + second);
    assert_slice(listed(&w, t0 + 3 * hour + second), "new.example");
    world_close(&w);
}

static void test_sensor_enforce__writes_in_batches(void **state)
{
    struct world w;
    struct stat before, after;

    world_open(&w);
    open_at(&w, t0, t0);
    assert_int_equal(enforce_write(w.e, t0, false, NULL), 0); /* the first file is written even if it is empty */
    assert_int_equal(stat(w.list, &before), 0);
    offer(&w, 1, "bad.example", "north", t0 + 1000);
    assert_int_equal(enforce_write(w.e, t0 + 1000, false, NULL), 0);
    assert_int_equal(stat(w.list, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* too early */
    assert_int_equal(enforce_write(w.e, t0 + 10 * second, false, NULL), 0);
    assert_int_equal(stat(w.list, &after), 0);
    assert_true(after.st_size > before.st_size);
    before = after;
    assert_int_equal(enforce_write(w.e, t0 + 20 * second, false, NULL), 0);
    assert_int_equal(stat(w.list, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* nothing new */
    enforce_contact(w.e, t0 + 7 * hour);
    assert_int_equal(enforce_write(w.e, t0 + 7 * hour, false, NULL), 0);
    assert_int_equal(stat(w.list, &after), 0);
    assert_true(before.st_ino != after.st_ino ||
                before.st_mtim.tv_nsec != after.st_mtim.tv_nsec); /* leases are renewed in the files too */
    world_close(&w);

    /* A place that cannot be written is an error, and is tried again. */
    world_open(&w);
    w.conf.export_list = SLICE("/nonexistent/list.txt");
    open_at(&w, t0, t0);
    struct err err = ERR_INIT;
    assert_int_equal(enforce_write(w.e, t0, false, &err), -1);
    assert_int_equal(enforce_write(w.e, t0 + second, false, &err), -1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_enforce__alert_only),
        cmocka_unit_test(test_sensor_enforce__offers),
        cmocka_unit_test(test_sensor_enforce__source_and_confidence),
        cmocka_unit_test(test_sensor_enforce__leases),
        cmocka_unit_test(test_sensor_enforce__ceilings),
        cmocka_unit_test(test_sensor_enforce__release),
        cmocka_unit_test(test_sensor_enforce__writes_in_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "sensor/internal.h"

struct world {
    char dir[32], path[64], moved[64];
    struct match_index *ix;
    struct telemetry *t;
    atomic_uint hits, wrong;
};

static void hit(void *arg, const struct match_line *line, const struct match_hit *h)
{
    struct world *w = arg;

    if (!slice_eq(h->value, SLICE("198.51.100.7")))
        atomic_fetch_add(&w->wrong, 1);
    atomic_fetch_add(&w->hits, 1);
}

static void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "/tmp/tocsin-input-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/eve.json", w->dir);
    snprintf(w->moved, sizeof w->moved, "%s/eve.json.1", w->dir);
    w->ix = match_index_new(0);
    assert_int_equal(match_index_add(w->ix, 1, STIX_VALUE_IPV4, SLICE("198.51.100.7"), NULL), 0);
}

static void start(struct world *w, bool from_start)
{
    struct telemetry_conf conf = {slice_of(w->path), NULL, w->ix, from_start, hit, w};
    struct err err = ERR_INIT;

    if (telemetry_start(&conf, &w->t, &err) != 0)
        fail_msg("%s", err.text);
}

static void world_close(struct world *w)
{
    telemetry_stop(&w->t);
    match_index_free(&w->ix);
    unlink(w->path);
    unlink(w->moved);
    rmdir(w->dir);
    assert_int_equal(w->wrong, 0);
}

static void append(struct world *w, const char *text)
{
    FILE *f = fopen(w->path, "a");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void expect_hits(struct world *w, unsigned hits)
{
    int64_t until = time_steady_us() + 20 * 1000000; /* a loaded machine */

    while (atomic_load(&w->hits) < hits && time_steady_us() < until)
        usleep(1000);
    assert_int_equal(atomic_load(&w->hits), hits);
}

static void expect_still(struct world *w, unsigned hits)
{
    usleep(100000);
    assert_int_equal(atomic_load(&w->hits), hits);
}

#define LINE "{\"event_type\":\"flow\",\"src_ip\":\"198.51.100.7\"}\n"

static void test_sensor_telemetry__grows(void **state)
{
    struct world w;
    struct match_stats stats;

    world_open(&w);
    append(&w, LINE);
    start(&w, false); /* what is there already is not read */
    append(&w, LINE LINE);
    expect_hits(&w, 2);
    append(&w, "{\"event_type\":\"flow\",\"src_ip\":\"198.5"); /* half a line waits for its end */
    expect_still(&w, 2);
    append(&w, "1.100.7\"}\n{broken\n" LINE);
    expect_hits(&w, 4);
    telemetry_stats(w.t, &stats);
    assert_int_equal(stats.hits, 4);
    assert_int_equal(stats.lines, 5);
    assert_int_equal(stats.bad_lines, 1);
    world_close(&w);
}

static void test_sensor_telemetry__from_start(void **state)
{
    struct world w;

    world_open(&w);
    append(&w, LINE LINE);
    start(&w, true);
    expect_hits(&w, 2);
    world_close(&w);
}

static void test_sensor_telemetry__appears_later(void **state)
{
    struct world w;

    world_open(&w);
    start(&w, false);
    expect_still(&w, 0);
    append(&w, LINE);
    expect_hits(&w, 1);
    world_close(&w);
}

static void test_sensor_telemetry__rotated(void **state)
{
    struct world w;

    world_open(&w);
    append(&w, "");
    start(&w, false);
    append(&w, LINE);
    expect_hits(&w, 1);
    for (unsigned i = 0; i < 5; i++) {
        append(&w, LINE);
        assert_int_equal(rename(w.path, w.moved), 0);
        append(&w, LINE LINE); /* a new file */
        expect_hits(&w, 1 + 3 * (i + 1));
    }
    world_close(&w);
}

static void test_sensor_telemetry__cut(void **state)
{
    struct world w;

    world_open(&w);
    append(&w, LINE LINE LINE);
    start(&w, true);
    expect_hits(&w, 3);
    assert_int_equal(truncate(w.path, 0), 0);
    usleep(400000); /* a file that is cut and grows beyond its old size between two looks cannot be told from one that
                       grew */
    append(&w, LINE);
    expect_hits(&w, 4);
    world_close(&w);
}

/* A line without an end does not eat the memory, and what follows it is read. */
static void test_sensor_telemetry__endless_line(void **state)
{
    struct world w;
    struct buf text = BUF_INIT;
    struct match_stats stats;

    world_open(&w);
    append(&w, "");
    start(&w, false);
    buf_reserve(&text, 5 << 20);
    memset(text.ptr, 'x', 5 << 20);
    text.ptr[(5 << 20) - 1] = '\0';
    append(&w, LINE);
    append(&w, text.ptr);
    append(&w, "\n" LINE);
    expect_hits(&w, 2);
    telemetry_stats(w.t, &stats);
    assert_true(stats.bad_lines >= 1 && stats.bad_lines <= 4);
    buf_free(&text);
    world_close(&w);
}

static void test_sensor_telemetry__standard_input(void **state)
{
    struct world w;
    int saved = dup(STDIN_FILENO), ends[2];

    world_open(&w);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct telemetry_conf conf = {SLICE("-"), match_format_find(SLICE("lines")), w.ix, false, hit, &w};
    assert_int_equal(telemetry_start(&conf, &w.t, NULL), 0);
    assert_int_equal(write(ends[1], "a 198.51.100.7\nb 198.51", 23), 23);
    expect_hits(&w, 1);
    assert_int_equal(write(ends[1], ".100.7", 6), 6);
    close(ends[1]); /* the last line has no end */
    expect_hits(&w, 2);
    telemetry_stop(&w.t);
    dup2(saved, STDIN_FILENO);
    close(saved);
    world_close(&w);
}

static void test_sensor_telemetry__refuses_a_directory(void **state)
{
    struct world w;
    struct err err = ERR_INIT;

    world_open(&w);
    struct telemetry_conf conf = {slice_of(w.dir), NULL, w.ix, false, hit, &w};
    assert_int_equal(telemetry_start(&conf, &w.t, &err), -1);
    assert_int_equal(err.code, ERR_CONF_VALUE);
    assert_null(w.t);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_telemetry__grows),
        cmocka_unit_test(test_sensor_telemetry__from_start),
        cmocka_unit_test(test_sensor_telemetry__appears_later),
        cmocka_unit_test(test_sensor_telemetry__rotated),
        cmocka_unit_test(test_sensor_telemetry__cut),
        cmocka_unit_test(test_sensor_telemetry__endless_line),
        cmocka_unit_test(test_sensor_telemetry__standard_input),
        cmocka_unit_test(test_sensor_telemetry__refuses_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

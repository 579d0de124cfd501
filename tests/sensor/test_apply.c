#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "sensor/internal.h"

static const int64_t now_us = INT64_C(1795348800000000); /* 2026-11-22T12:00:00Z */

struct world {
    char dir[32], list[64];
    struct live *live;
    struct match_index *index;
    struct brakes *brakes;
    struct enforce *enforce;
    struct apply *apply;
    struct match_reader *reader;
    uint32_t events;
};

static void world_start(struct world *w, int64_t at_us)
{
    struct enforce_conf conf = {.block = true,
                                .lease_us = INT64_C(86400000000),
                                .max_entries = 1000,
                                .max_new_per_minute = 1000,
                                .export_list = slice_of(w->list)};

    assert_int_equal(live_open(w->dir, false, &w->live, NULL), 0);
    assert_int_equal(brakes_open(SLICE(""), &w->brakes, NULL), 0);
    assert_int_equal(enforce_open(&conf, w->brakes, at_us, at_us, &w->enforce, NULL), 0);
    w->index = match_index_new(0);
    w->reader = match_reader_new(w->index);
    w->apply = apply_new(w->live, w->index, w->enforce);
    apply_live(w->apply, at_us);
}

static void world_stop(struct world *w)
{
    apply_free(&w->apply);
    enforce_close(&w->enforce);
    brakes_close(&w->brakes);
    match_reader_free(&w->reader);
    match_index_free(&w->index);
    assert_int_equal(live_close(&w->live, NULL), 0);
}

static void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "/tmp/tocsin-apply-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->list, sizeof w->list, "%s/list", w->dir);
    world_start(w, now_us);
}

static void world_close(struct world *w)
{
    char path[64];

    world_stop(w);
    snprintf(path, sizeof path, "%s/live", w->dir);
    unlink(path);
    unlink(w->list);
    rmdir(w->dir);
}

/* An indicator as JSON: id by one letter, version by seconds past noon. */
static void put_object(struct buf *out, char id, int version, const char *name, const char *more)
{
    char text[TIME_TEXT];

    time_put(text, now_us + (int64_t)version * 1000000);
    buf_printf(out,
               "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-"
               "00000000000%c\",\"created\":\"2026-11-22T11:"
               "00:00.000Z\",\"modified\":\"%.*s\",\"pattern\":\"[domain-name:value = "
               "'%s']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-11-22T11:00:"
               "00Z\"%s}",
               id, TIME_TEXT, text, name, more);
}

/* added: seconds past noon, as date_added. name NULL: a tombstone without a body. */
static void event_at(struct world *w, const char *type, char id, int added, int version, const char *name,
                     const char *more, int64_t at_us)
{
    struct buf data = BUF_INIT;
    char cursor[16], text[TIME_TEXT];

    time_put(text, now_us + (int64_t)added * 1000000);
    buf_printf(&data,
               "{\"date_added\":\"%.*s\",\"id\":\"indicator--00000000-0000-4000-8000-00000000000%c\",\"origin\":"
               "\"north\",\"path\":\"north\"",
               TIME_TEXT, text, id);
    if (name != NULL) {
        buf_put(&data, SLICE(",\"object\":"));
        put_object(&data, id, version, name, more);
    }
    buf_put_byte(&data, '}');
    snprintf(cursor, sizeof cursor, "c%u", w->events++);
    struct http_event event = {slice_of(cursor), slice_of(type), buf_slice(&data), 0};
    apply_event(w->apply, &event, at_us);
    buf_free(&data);
}

static void event(struct world *w, const char *type, char id, int added, int version, const char *name)
{
    event_at(w, type, id, added, version, name, "", now_us);
}

static void count(void *arg, const struct match_hit *hit)
{
    (*(uint32_t *)arg)++;
}

/* Whether the index, the live set and the blocks agree on this name being there (or not). */
static bool is_live(struct world *w, const char *name)
{
    uint32_t hits = 0, listed = 0;
    struct enforce_counts counts;

    match_value(w->reader, STIX_VALUE_DOMAIN, slice_of(name), slice_of(name), SLICE("t"), count, &hits);
    for (uint64_t i = 0; i < live_count(w->live); i++)
        for (uint32_t k = 0; k < live_at(w->live, i)->n_values; k++)
            listed += slice_eq(live_at(w->live, i)->values[k].value, slice_of(name));
    assert_int_equal(hits, listed);
    enforce_counts(w->enforce, &counts);
    assert_int_equal(counts.blocked, apply_count(w->apply)); /* one name each here */
    return hits != 0;
}

static void test_sensor_apply__order(void **state)
{
    struct world w;

    world_open(&w);
    event(&w, "add", 'a', 10, 1, "a1.example");
    assert_true(is_live(&w, "a1.example"));
    event(&w, "add", 'a', 11, 2, "a2.example"); /* a version */
    assert_false(is_live(&w, "a1.example"));
    assert_true(is_live(&w, "a2.example"));
    event(&w, "add", 'a', 10, 1, "a1.example"); /* the older one comes late */
    assert_true(is_live(&w, "a2.example"));
    event(&w, "add", 'a', 12, 2, "a2.example"); /* the same again: widened */
    assert_int_equal(apply_count(w.apply), 1);
    event(&w, "retract", 'a', 13, 3, "a2.example");
    assert_false(is_live(&w, "a2.example"));
    event(&w, "add", 'a', 12, 2, "a2.example"); /* content behind the recall */
    assert_false(is_live(&w, "a2.example"));
    assert_int_equal(apply_count(w.apply), 0);
    world_close(&w);
}

static void test_sensor_apply__recall_first(void **state)
{
    static const char *const types[] = {"retract", "restrict", "expire", "suspend"};

    for (size_t i = 0; i < ROWS(types); i++)
        for (int body = 0; body < 2; body++) {
            struct world w;
            world_open(&w);
            event(&w, types[i], 'a', 20, 2, body ? "a.example" : NULL);
            event(&w, "add", 'a', 10, 1, "a.example"); /* published before the recall, read after it */
            if (is_live(&w, "a.example"))
                fail_row(i, "%s", types[i]);
            event(&w, "add", 'a', 30, 3, "a.example"); /* published anew */
            if (!is_live(&w, "a.example"))
                fail_row(i, "%s, anew", types[i]);
            event(&w, types[i], 'a', 20, 2, NULL); /* the old recall once more: a cursor from before a crash */
            if (!is_live(&w, "a.example"))
                fail_row(i, "%s, again", types[i]);
            event(&w, types[i], 'a', 31, 2, NULL);
            if (is_live(&w, "a.example"))
                fail_row(i, "%s, a second", types[i]);
            world_close(&w);
        }
}

static void test_sensor_apply__time(void **state)
{
    struct world w;

    world_open(&w);
    event_at(&w, "add", 'a', 1, 1, "a.example", ",\"valid_until\":\"2026-11-22T12:00:10Z\"", now_us);
    event_at(&w, "add", 'b', 2, 1, "b.example", ",\"valid_until\":\"2026-11-22T11:59:59Z\"", now_us); /* over already */
    event_at(&w, "add", 'c', 3, 1, "c.example", ",\"valid_until\":\"2026-11-22T12:00:20Z\"", now_us);
    event_at(&w, "add", 'd', 4, 1, "d.example", "", now_us);
    event_at(&w, "add", 'c', 5, 2, "c.example", ",\"valid_until\":\"2026-11-22T12:00:40Z\"", now_us); /* longer */
    assert_true(is_live(&w, "a.example"));
    assert_false(is_live(&w, "b.example"));
    apply_tick(w.apply, false, now_us + 9999999);
    assert_true(is_live(&w, "a.example"));
    apply_tick(w.apply, false, now_us + 10000000);
    assert_false(is_live(&w, "a.example"));
    apply_tick(w.apply, false, now_us + 25000000);
    assert_true(is_live(&w, "c.example"));
    apply_tick(w.apply, false, now_us + 40000000);
    assert_false(is_live(&w, "c.example"));
    assert_true(is_live(&w, "d.example"));
    event_at(&w, "add", 'a', 6, 2, "a.example", ",\"valid_until\":\"2026-11-22T13:00:00Z\"",
             now_us + 50000000); /* valid again */
    assert_true(is_live(&w, "a.example"));
    world_close(&w);
}

static void test_sensor_apply__restart(void **state)
{
    struct world w;
    struct arena a = ARENA_INIT;

    world_open(&w);
    event(&w, "add", 'a', 1, 1, "a.example");
    event(&w, "add", 'b', 2, 1, "b.example");
    event(&w, "retract", 'b', 3, 1, NULL);
    event_at(&w, "add", 'c', 4, 1, "c.example", ",\"valid_until\":\"2026-11-22T12:00:10Z\"", now_us);
    world_stop(&w);
    world_start(&w, now_us + 1000000);
    assert_slice(apply_cursor(w.apply, &a), "c3");
    assert_true(is_live(&w, "a.example"));
    assert_false(is_live(&w, "b.example"));
    assert_true(is_live(&w, "c.example"));
    event(&w, "add", 'b', 2, 1, "b.example"); /* said again */
    assert_false(is_live(&w, "b.example"));
    apply_tick(w.apply, false, now_us + 20000000);
    assert_false(is_live(&w, "c.example"));
    arena_free(&a);
    world_close(&w);
}

static void snapshot_object(struct world *w, char id, int version, const char *name, const char *more)
{
    struct arena a = ARENA_INIT;
    struct buf text = BUF_INIT;
    struct json object;

    put_object(&text, id, version, name, more);
    assert_int_equal(json_parse(&a, buf_slice(&text), &json_limits_default, &object, NULL), 0);
    apply_snapshot_object(w->apply, object, now_us);
    buf_free(&text);
    arena_free(&a);
}

static void test_sensor_apply__snapshot(void **state)
{
    struct world w;

    world_open(&w);
    event(&w, "add", 'a', 1, 1, "a.example");
    event(&w, "add", 'b', 2, 1, "b.example");
    event(&w, "retract", 'c', 9, 5, NULL);
    apply_snapshot_begin(w.apply);
    snapshot_object(&w, 'a', 2, "a2.example", "");
    snapshot_object(&w, 'd', 1, "d.example", "");
    snapshot_object(&w, 'd', 1, "d.example", "");
    snapshot_object(&w, 'e', 1, "e.example", ",\"revoked\":true");
    apply_snapshot_end(w.apply, now_us);
    assert_true(is_live(&w, "a2.example"));
    assert_false(is_live(&w, "b.example")); /* not listed any more */
    assert_true(is_live(&w, "d.example"));
    assert_false(is_live(&w, "e.example"));
    assert_int_equal(apply_count(w.apply), 2);
    /* The stream from its beginning says it all once more, and where it comes from. */
    event(&w, "retract", 'e', 8, 1, NULL);
    event(&w, "add", 'a', 3, 1, "a.example");
    event(&w, "add", 'a', 4, 2, "a2.example");
    event(&w, "add", 'd', 5, 1, "d.example");
    assert_int_equal(apply_count(w.apply), 2);
    assert_true(is_live(&w, "a2.example"));
    struct arena a = ARENA_INIT;
    struct slice id, origin;
    uint64_t number;
    assert_true(live_find(w.live, SLICE("indicator--00000000-0000-4000-8000-00000000000d"), &number));
    assert_true(live_get_id(w.live, number, &a, &id, &origin));
    assert_slice(origin, "north");
    arena_free(&a);
    world_close(&w);
}

/* What comes from outside and is no indicator that can be matched changes nothing and breaks nothing. */
static void test_sensor_apply__odd(void **state)
{
    static const struct {
        const char *type, *data;
    } rows[] = {
        {"add", ""},
        {"add", "{"},
        {"add", "{}"},
        {"add", "[]"},
        {"add", "{\"object\":1}"},
        {"add", "{\"object_text\":\"{\"}"},
        {"add", "{\"object\":{\"type\":\"malware\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\"}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"id\":\"indicator--x\"}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-"
                "8000-000000000001\"}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-"
                "8000-000000000001\",\"pattern\":1}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-"
                "8000-000000000001\",\"pattern_type\":\"yara\","
                "\"pattern\":\"rule x {}\"}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-"
                "8000-000000000001\",\"pattern_type\":\"stix\","
                "\"pattern\":\"[file:name = 'a' AND file:size > 3]\"}}"},
        {"add", "{\"object\":{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-"
                "8000-000000000001\",\"pattern_type\":\"stix\","
                "\"pattern\":\"[file:name = 'a']\"}}"},
        {"retract", "{\"id\":\"indicator--a\\tb\"}"},
        {"retract", "{\"id\":7}"},
        {"retract", "{\"id\":\"\"}"},
        {"", "{}"},
        {"hello", "{}"},
    };
    struct world w;

    world_open(&w);
    event(&w, "add", 'a', 1, 1, "a.example");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct http_event e = {SLICE("x"), slice_of(rows[i].type), slice_of(rows[i].data), 0};
        apply_event(w.apply, &e, now_us);
        if (apply_count(w.apply) != 1)
            fail_row(i, "%s", rows[i].data);
    }
    /* An event id that would break the journal is not kept. */
    struct http_event e = {SLICE("a\tb"), SLICE("add"), SLICE("{}"), 0};
    apply_event(w.apply, &e, now_us);
    world_stop(&w);
    world_start(&w, now_us);
    struct arena a = ARENA_INIT;
    assert_slice(apply_cursor(w.apply, &a), "x");
    assert_true(is_live(&w, "a.example"));
    /* A version whose pattern is not matched any more: the old one is not what its producer says now. */
    struct buf data = BUF_INIT;
    buf_put(&data, SLICE("{\"date_added\":\"2026-11-22T12:00:05Z\",\"object\":{\"type\":\"indicator\",\"spec_version\":"
                         "\"2.1\",\"id\":\"indicator--00000000-"
                         "0000-4000-8000-00000000000a\",\"modified\":\"2026-11-22T12:00:05.000Z\",\"pattern_type\":"
                         "\"stix\",\"pattern\":\"[process:name "
                         "LIKE '%x']\"}}"));
    struct http_event change = {SLICE("y"), SLICE("add"), buf_slice(&data), 0};
    apply_event(w.apply, &change, now_us);
    assert_false(is_live(&w, "a.example"));
    buf_free(&data);
    arena_free(&a);
    world_close(&w);
}

/* An object with line ends travels as a string. */
static void test_sensor_apply__object_text(void **state)
{
    struct world w;
    struct buf object = BUF_INIT, data = BUF_INIT;

    world_open(&w);
    put_object(&object, 'a', 1, "a.example", "\n");
    json_put_open(&data, '{');
    json_put_text(&data, "date_added", SLICE("2026-11-22T12:00:05Z"));
    json_put_text(&data, "object_text", buf_slice(&object));
    json_put_close(&data, '}');
    struct http_event e = {SLICE("x"), SLICE("add"), buf_slice(&data), 0};
    apply_event(w.apply, &e, now_us);
    assert_true(is_live(&w, "a.example"));
    buf_free(&object);
    buf_free(&data);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_apply__order),       cmocka_unit_test(test_sensor_apply__recall_first),
        cmocka_unit_test(test_sensor_apply__time),        cmocka_unit_test(test_sensor_apply__restart),
        cmocka_unit_test(test_sensor_apply__snapshot),    cmocka_unit_test(test_sensor_apply__odd),
        cmocka_unit_test(test_sensor_apply__object_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

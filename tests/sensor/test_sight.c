#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/time.h"
#include "sensor/internal.h"

static const int64_t noon_us = INT64_C(1795348800000000), second = 1000000;
static char dir[] = "/tmp/tocsin-sight-XXXXXX";

static void test_sensor_sight__rules(void **state)
{
    static const struct {
        enum sensor_report own;
        uint64_t count, sent_count;
        int64_t sent_ago_s; /* -1: never */
        bool due;
    } rows[] = {
        {SENSOR_REPORT_NONE, 1, 0, -1, false},        {SENSOR_REPORT_AGGREGATE, 1, 0, -1, true}, /* the first at once */
        {SENSOR_REPORT_AGGREGATE, 2, 1, 3599, false}, {SENSOR_REPORT_AGGREGATE, 2, 1, 3600, true},
        {SENSOR_REPORT_AGGREGATE, 2, 2, 9999, false}, /* nothing new */
        {SENSOR_REPORT_FULL, 1, 0, -1, true},         {SENSOR_REPORT_FULL, 2, 1, 0, false},
        {SENSOR_REPORT_FULL, 2, 1, 1, true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct sight_conf conf = {.own = rows[i].own, .every_us = 3600 * second};
        struct sighting s = {.count = rows[i].count,
                             .sent_count = rows[i].sent_count,
                             .sent_us = rows[i].sent_ago_s < 0 ? 0 : noon_us - rows[i].sent_ago_s * second};
        if (sighting_is_due(&s, &conf, noon_us) != rows[i].due)
            fail_row(i, "due %d", !rows[i].due);
    }
}

static void test_sensor_sight__what_is_told(void **state)
{
    struct sighting s = {.id = "sighting--00000000-0000-4000-8000-000000000001",
                         .indicator = SLICE("indicator--00000000-0000-4000-8000-000000000002"),
                         .created_us = noon_us + 600 * second,
                         .first_us = noon_us + 123456,
                         .last_us = noon_us + 900 * second + 5,
                         .count = 3};
    struct sight_conf conf = {.own = SENSOR_REPORT_AGGREGATE, .onward = false};
    struct buf out = BUF_INIT;

    sighting_put(&out, &s, &conf, noon_us + 1000 * second);
    assert_slice(
        buf_slice(&out),
        "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":\"sighting--00000000-0000-4000-8000-000000000001\","
        "\"created\":\"2026-11-22T12:10:00.000Z\",\"modified\":\"2026-11-22T12:16:40.000Z\","
        "\"first_seen\":\"2026-11-22T12:00:00.000Z\",\"last_seen\":\"2026-11-22T12:00:00.000Z\",\"count\":3,"
        "\"sighting_of_ref\":\"indicator--00000000-0000-4000-8000-000000000002\","
        "\"extensions\":{\"" STIX_TOCSIN_SIGHTING
        "\":{\"extension_type\":\"property-extension\",\"onward\":\"none\"}}}");
    buf_clear(&out);
    conf = (struct sight_conf){.own = SENSOR_REPORT_FULL, .onward = true};
    s.count = UINT64_MAX;
    sighting_put(&out, &s, &conf, noon_us + 1000 * second);
    struct slice text = buf_slice(&out);
    assert_true(
        slice_find(text,
                   SLICE("\"first_seen\":\"2026-11-22T12:00:00.123Z\",\"last_seen\":\"2026-11-22T12:15:00.000Z\"")) <
        text.len);
    assert_true(slice_find(text, SLICE("\"onward\":\"aggregate\"")) < text.len);
    assert_true(slice_find(text, SLICE("\"count\":999999999,")) < text.len);
    struct arena a = ARENA_INIT;
    struct json object;
    struct stix_object o;
    struct stix_report report = {.n = 0};
    assert_int_equal(json_parse(&a, text, &json_limits_default, &object, NULL), 0);
    assert_int_equal(stix_object_read(&a, object, &o, NULL), 0);
    assert_int_equal(stix_validate(&a, &o, STIX_STRICT, &report), 0);
    arena_free(&a);
    buf_free(&out);
}

static struct sight *start(struct live *live, const char *spool, enum sensor_report own)
{
    /* Nothing listens on port 1: the hub is not there. */
    struct sight_conf conf = {
        .live = live,
        .own = own,
        .every_us = second,
        .spool = slice_of(spool),
        .client = {.http = {.url = SLICE("https://127.0.0.1:1"), .connect_us = 200000, .total_us = 400000},
                   .root = SLICE("tocsin"),
                   .collection = SLICE("alerts")}};
    struct sight *s;
    struct err err = ERR_INIT;

    if (sight_start(&conf, &s, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static void hit(struct sight *s, uint64_t indicator, int64_t event_us)
{
    struct match_line line = {SLICE("line"), event_us};
    struct match_hit h = {indicator, STIX_VALUE_DOMAIN, SLICE("bad.example"), SLICE("www.bad.example"),
                          SLICE("dns.rrname")};

    sight_hit(s, &line, &h);
}

/* Without a hub nothing is lost: counts are on disk, and go on after a restart under the same id. */
static void test_sensor_sight__spool(void **state)
{
    struct live *live;
    struct arena a = ARENA_INIT;
    struct slice text, first_id, again_id;
    char spool[64];
    struct err err = ERR_INIT;

    snprintf(spool, sizeof spool, "%s/sightings", dir);
    assert_int_equal(live_open(dir, false, &live, NULL), 0);
    struct live_value value = {STIX_VALUE_DOMAIN, SLICE("bad.example")};
    struct live_item item = {.id = SLICE("indicator--00000000-0000-4000-8000-000000000002"),
                             .origin = SLICE("north"),
                             .values = &value,
                             .n_values = 1};
    live_set(live, &item);
    struct sight *s = start(live, spool, SENSOR_REPORT_AGGREGATE);
    for (int i = 0; i < 100; i++)
        hit(s, 0, noon_us + i * second);
    hit(s, 77, noon_us); /* of an indicator that is not there (any more) */
    sight_stop(&s, &err);
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(file_read(&a, spool, 1 << 20, &text, NULL), 0);
    struct slice rest = text;
    assert_true(slice_cut(&rest, '\t', &first_id));
    assert_true(slice_find(text, SLICE("\t100\t0\t0\n")) < text.len); /* counted 100, sent 0, never */
    s = start(live, spool, SENSOR_REPORT_AGGREGATE);
    hit(s, 0, noon_us - second);
    hit(s, 0, time_now_us() + 3600 * second); /* a clock that runs ahead */
    sight_stop(&s, &err);
    assert_int_equal(file_read(&a, spool, 1 << 20, &text, NULL), 0);
    rest = text;
    assert_true(slice_cut(&rest, '\t', &again_id));
    assert_true(slice_eq(first_id, again_id));
    assert_true(slice_find(text, SLICE("\t102\t0\t0\n")) < text.len);
    unlink(spool);
    /* None: alerts alone, nothing is even counted. */
    s = start(live, spool, SENSOR_REPORT_NONE);
    hit(s, 0, noon_us);
    sight_stop(&s, &err);
    assert_false(file_exists(spool));
    assert_int_equal(live_close(&live, NULL), 0);
    arena_free(&a);
    snprintf(spool, sizeof spool, "%s/live", dir);
    unlink(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_sight__rules),
        cmocka_unit_test(test_sensor_sight__what_is_told),
        cmocka_unit_test(test_sensor_sight__spool),
    };
    struct err err = ERR_INIT;

    if (mkdtemp(dir) == NULL || crypto_start(&err) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}

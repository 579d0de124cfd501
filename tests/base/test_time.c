#include "test.h"

#include "base/time.h"

static void test_base_time__parses(void **state)
{
    static const struct {
        const char *text;
        bool liberal, stix; /* which of the two accept it */
        const char *as;     /* the same instant as we write it */
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, true, "1970-01-01T00:00:00.000000Z"},
        {"2026-11-22T12:00:00.000Z", true, true, "2026-11-22T12:00:00.000000Z"},
        {"2026-11-22T12:00:00.1Z", true, true, "2026-11-22T12:00:00.100000Z"},
        {"2026-11-22T12:00:00.123456Z", true, true, "2026-11-22T12:00:00.123456Z"},
        {"2026-11-22T12:00:00.123456789Z", true, true, "2026-11-22T12:00:00.123456Z"},
        {"2026-11-22T12:00:00.999999999Z", true, true, "2026-11-22T12:00:00.999999Z"},
        {"2026-11-22T12:00:00.1234567890Z", false, false, NULL},
        {"2026-11-22T12:00:00.Z", false, false, NULL},
        {"2026-11-22T12:00:00,5Z", false, false, NULL},
        {"0001-01-01T00:00:00Z", true, true, "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", true, true, "9999-12-31T23:59:59.999999Z"},
        {"0000-12-31T23:59:59Z", false, false, NULL},
        {"10000-01-01T00:00:00Z", false, false, NULL},
        /* offsets */
        {"2026-11-22T14:00:00+02:00", true, false, "2026-11-22T12:00:00.000000Z"},
        {"2026-11-22T14:00:00 02:00", true, false, "2026-11-22T12:00:00.000000Z"},
        {"2026-11-22T00:30:00.5-05:30", true, false, "2026-11-22T06:00:00.500000Z"},
        {"2026-11-22T12:00:00-00:00", true, false, "2026-11-22T12:00:00.000000Z"},
        {"2026-01-01T00:30:00+01:00", true, false, "2025-12-31T23:30:00.000000Z"},
        {"2026-11-22T12:00:00+0200", false, false, NULL},
        {"2026-11-22T12:00:00+02", false, false, NULL},
        {"2026-11-22T12:00:00+24:00", false, false, NULL},
        {"2026-11-22T12:00:00+02:60", false, false, NULL},
        {"2026-11-22T12:00:00*02:00", false, false, NULL},
        {"2026-11-22T12:00:00", false, false, NULL},
        {"2026-11-22T12:00:00ZZ", false, false, NULL},
        {"2026-11-22T12:00:00Z ", false, false, NULL},
        {" 2026-11-22T12:00:00Z", false, false, NULL},
        {"0001-01-01T00:00:00+00:01", false, false, NULL}, /* in UTC before the year 1 */
        {"9999-12-31T23:59:59-00:01", false, false, NULL}, /* in UTC the year 10000 */
        /* lower case */
        {"2026-11-22t12:00:00z", true, false, "2026-11-22T12:00:00.000000Z"},
        {"2026-11-22T12:00:00z", true, false, "2026-11-22T12:00:00.000000Z"},
        {"2026-11-22 12:00:00Z", false, false, NULL},
        /* days of months */
        {"2024-02-29T00:00:00Z", true, true, "2024-02-29T00:00:00.000000Z"},
        {"2000-02-29T00:00:00Z", true, true, "2000-02-29T00:00:00.000000Z"},
        {"2026-02-29T00:00:00Z", false, false, NULL},
        {"1900-02-29T00:00:00Z", false, false, NULL},
        {"2026-02-28T23:59:59Z", true, true, "2026-02-28T23:59:59.000000Z"},
        {"2026-04-31T00:00:00Z", false, false, NULL},
        {"2026-12-31T00:00:00Z", true, true, "2026-12-31T00:00:00.000000Z"},
        {"2026-00-10T00:00:00Z", false, false, NULL},
        {"2026-13-10T00:00:00Z", false, false, NULL},
        {"2026-01-00T00:00:00Z", false, false, NULL},
        {"2026-01-32T00:00:00Z", false, false, NULL},
        {"2026-01-01T24:00:00Z", false, false, NULL},
        {"2026-01-01T00:60:00Z", false, false, NULL},
        /* leap seconds */
        {"2016-12-31T23:59:60Z", true, true, "2017-01-01T00:00:00.000000Z"},
        {"2016-12-31T23:59:60.5Z", true, true, "2017-01-01T00:00:00.500000Z"},
        {"2017-01-01T01:59:60+02:00", true, false, "2017-01-01T00:00:00.000000Z"},
        {"2016-12-31T23:59:60+02:00", false, false, NULL},
        {"2016-12-31T23:58:60Z", false, false, NULL},
        {"2016-12-31T23:59:61Z", false, false, NULL},
        {"9999-12-31T23:59:60Z", false, false, NULL},
        /* other things */
        {"", false, false, NULL},
        {"Z", false, false, NULL},
        {"2026-11-22", false, false, NULL},
        {"2026-11-2212:00:00Z", false, false, NULL},
        {"2026/11/22T12:00:00Z", false, false, NULL},
        {"2026-11-22T12.00.00Z", false, false, NULL},
        {"2026-1-022T12:00:00Z", false, false, NULL},
        {"-026-11-22T12:00:00Z", false, false, NULL},
        {"2026-11-22T+1:00:00Z", false, false, NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t us = 0, strict = 0;
        char text[TIME_TEXT];
        if (time_parse(slice_of(rows[i].text), &us) != rows[i].liberal)
            fail_row(i, "%s: accepted by time_parse: %d", rows[i].text, !rows[i].liberal);
        if (time_parse_stix(slice_of(rows[i].text), &strict) != rows[i].stix)
            fail_row(i, "%s: accepted by time_parse_stix: %d", rows[i].text, !rows[i].stix);
        if (!rows[i].liberal)
            continue;
        time_put(text, us);
        if (!slice_eq(slice_n(text, TIME_TEXT), slice_of(rows[i].as)))
            fail_row(i, "%s: %.*s", rows[i].text, TIME_TEXT, text);
        assert_true(!rows[i].stix || strict == us);
    }
}

static void test_base_time__every_day_of_the_calendar(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = -62135596800; /* 0001-01-01 */

    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            int last = days[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= last; day += day == 1 ? last - 1 : 1) {
                char text[64], written[TIME_TEXT];
                int64_t us = 0;
                snprintf(text, sizeof text, "%04d-%02d-%02dT23:59:59.000001Z", year, month, day);
                assert_true(time_parse_stix(slice_of(text), &us));
                assert_int_equal(us, (expected + (day - 1) * 86400 + 86399) * 1000000 + 1);
                time_put(written, us);
                assert_memory_equal(written, text, TIME_TEXT);
            }
            expected += (int64_t)last * 86400;
        }
}

static void test_base_time__writes_what_is_out_of_range_at_its_edge(void **state)
{
    char text[TIME_TEXT];

    time_put(text, INT64_MIN);
    assert_slice(slice_n(text, TIME_TEXT), "0001-01-01T00:00:00.000000Z");
    time_put(text, INT64_MAX);
    assert_slice(slice_n(text, TIME_TEXT), "9999-12-31T23:59:59.999999Z");
    time_put(text, -1);
    assert_slice(slice_n(text, TIME_TEXT), "1969-12-31T23:59:59.999999Z");
}

static void test_base_time__durations(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t us;
    } rows[] = {
        {"30d", true, (int64_t)30 * 86400 * 1000000},
        {"12h", true, (int64_t)12 * 3600 * 1000000},
        {"5m", true, 300000000},
        {"10s", true, 10000000},
        {"250ms", true, 250000},
        {"0s", true, 0},
        {"106751991d", true, 106751991 * (int64_t)86400 * 1000000},
        {"106751992d", false, 0}, /* more than int64_t holds */
        {"99999999999999999999d", false, 0},
        {"", false, 0},
        {"5", false, 0},
        {"m", false, 0},
        {"-5m", false, 0},
        {"+5m", false, 0},
        {"1.5h", false, 0},
        {"5 m", false, 0},
        {"5M", false, 0},
        {"5min", false, 0},
        {"1h30m", false, 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t us = 0;
        bool good = time_parse_duration(slice_of(rows[i].text), &us);
        if (good != rows[i].good || us != rows[i].us)
            fail_row(i, "%s: %d %lld", rows[i].text, good, (long long)us);
    }
}

static void test_base_time__clocks(void **state)
{
    int64_t before = time_steady_us();

    assert_true(time_steady_us() >= before);
    assert_true(time_now_us() > (int64_t)1700000000 * 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_time__parses),
        cmocka_unit_test(test_base_time__every_day_of_the_calendar),
        cmocka_unit_test(test_base_time__writes_what_is_out_of_range_at_its_edge),
        cmocka_unit_test(test_base_time__durations),
        cmocka_unit_test(test_base_time__clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

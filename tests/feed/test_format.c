#include "test.h"

#include "feed/feed.h"

enum { NOW_S = 1795348800 }; /* 2026-11-22T12:00:00Z */

static const int64_t now_us = (int64_t)NOW_S * 1000000;

static struct feed_entry entry(enum stix_value_kind kind, const char *value, int64_t seconds)
{
    return (struct feed_entry){kind, slice_of(value), seconds == 0 ? 0 : now_us + seconds * 1000000, SLICE("bank")};
}

static const struct feed_head head = {SLICE_INIT("hub one"), 42, (int64_t)NOW_S * 1000000,
                                      ((int64_t)NOW_S + 86400) * 1000000};

static void check(struct buf *out, const char *expected)
{
    assert_slice(buf_slice(out), expected);
    buf_free(out);
}

static void test_feed_format__find(void **state)
{
    size_t n;
    const struct feed_format *all = feed_formats(&n);

    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(feed_format_find(all[i].name), &all[i]);
    assert_null(feed_format_find(SLICE("yara")));
    assert_null(feed_format_find(SLICE("list"))->write_delta);
}

static void test_feed_format__list(void **state)
{
    struct buf out = BUF_INIT;
    struct feed_entry entries[] = {
        entry(STIX_VALUE_IPV4, "198.51.100.7", 60),
        entry(STIX_VALUE_DOMAIN, "bad.example", 0),
        entry(STIX_VALUE_URL, "http://bad.example/a", 60),
        entry(STIX_VALUE_IPV4, "198.51.100.8", -1),
        entry(STIX_VALUE_OTHER, "cmd.exe", 60),
    };

    assert_int_equal(feed_format_find(SLICE("list"))->write(&out, &head, entries, ROWS(entries)), 3);
    check(&out,
          "# Tocsin block list: one value a line\n# hub: hub one\n# serial: 42\n# made: 2026-11-22T12:00:00.000000Z\n"
          "# expires: 2026-11-23T12:00:00.000000Z\n198.51.100.7\nbad.example\nhttp://bad.example/a\n");
}

static void test_feed_format__nft(void **state)
{
    struct buf out = BUF_INIT;
    struct feed_entry entries[] = {
        entry(STIX_VALUE_IPV4, "198.51.100.7", 60),  entry(STIX_VALUE_IPV6, "2001:db8::7", 3600),
        entry(STIX_VALUE_DOMAIN, "bad.example", 60), entry(STIX_VALUE_IPV4, "198.51.100.8", 0),
        entry(STIX_VALUE_IPV4, "198.51.100.9", -1),
    };
    struct feed_head short_head = {.hub = SLICE("h"), .serial = 1, .made_us = now_us};

    entries[0].until_us -= 1; /* 59.999999 s: never shorter than told */
    assert_int_equal(feed_format_find(SLICE("nft"))->write(&out, &short_head, entries, ROWS(entries)), 3);
    check(&out, "# Tocsin block sets for nftables: nft -f THIS, as often as you like; your rules are not touched\n"
                "# hub: h\n# serial: 1\n# made: 2026-11-22T12:00:00.000000Z\n"
                "table inet tocsin {\n\tset block4 { type ipv4_addr; flags timeout; }\n"
                "\tset block6 { type ipv6_addr; flags timeout; }\n}\n"
                "flush set inet tocsin block4\nflush set inet tocsin block6\n"
                "add element inet tocsin block4 {\n\t198.51.100.7 timeout 60s,\n\t198.51.100.8,\n}\n"
                "add element inet tocsin block6 {\n\t2001:db8::7 timeout 3600s,\n}\n");
    assert_int_equal(feed_format_find(SLICE("nft"))->write_delta(&out, &short_head, entries, 1, entries + 4, 1), 2);
    check(&out,
          "# Tocsin block sets for nftables: changes\n# hub: h\n# serial: 1\n# made: 2026-11-22T12:00:00.000000Z\n"
          "add element inet tocsin block4 {\n\t198.51.100.9,\n}\n"
          "delete element inet tocsin block4 {\n\t198.51.100.9,\n}\n"
          "add element inet tocsin block4 {\n\t198.51.100.7,\n}\n"
          "delete element inet tocsin block4 {\n\t198.51.100.7,\n}\n"
          "add element inet tocsin block4 {\n\t198.51.100.7 timeout 60s,\n}\n");
}

/* Nothing that a member can put into a value becomes a line or a command of its own. */
static void test_feed_format__injection(void **state)
{
    static const struct {
        enum stix_value_kind kind;
        const char *value;
    } rows[] = {
        {STIX_VALUE_IPV4, "198.51.100.7 }\nflush ruleset\n#"},
        {STIX_VALUE_IPV4, "0.0.0.0/0"},
        {STIX_VALUE_IPV4, "198.51.100.7-198.51.100.255"},
        {STIX_VALUE_IPV4, "localhost"},
        {STIX_VALUE_IPV4, ""},
        {STIX_VALUE_IPV6, "::/0"},
        {STIX_VALUE_IPV6, "2001:db8::7,::1"},
        {STIX_VALUE_IPV6, "fe80::1%eth0"},
        {STIX_VALUE_IPV6, "198.51.100.7"},
        {STIX_VALUE_DOMAIN, "bad.example\n8.8.8.8"},
        {STIX_VALUE_DOMAIN, "bad.example\r"},
        {STIX_VALUE_URL, "http://bad.example/ x"},
        {STIX_VALUE_URL, "#http://bad.example/"},
        {STIX_VALUE_EMAIL, "a\tb@bad.example"},
        {STIX_VALUE_EMAIL, "a\x7f@bad.example"},
    };
    struct feed_head evil = {.hub = SLICE("h\ntable inet filter { }"), .serial = 1, .made_us = now_us};
    size_t n;
    const struct feed_format *all = feed_formats(&n);

    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t f = 0; f < n; f++) {
            struct buf out = BUF_INIT;
            struct feed_entry e = entry(rows[i].kind, rows[i].value, 60);
            if (all[f].write(&out, &evil, &e, 1) != 0 || slice_find(buf_slice(&out), SLICE("element")) != out.len)
                fail_row(i, "%s wrote it: %.*s", rows[i].value, SLICE_ARG(buf_slice(&out)));
            assert_int_equal(slice_find(buf_slice(&out), SLICE("\ntable inet filter")), out.len);
            buf_clear(&out);
            if (all[f].write_delta != NULL && all[f].write_delta(&out, &evil, &e, 1, &e, 1) != 0)
                fail_row(i, "%s wrote it: %.*s", rows[i].value, SLICE_ARG(buf_slice(&out)));
            buf_free(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_format__find),
        cmocka_unit_test(test_feed_format__list),
        cmocka_unit_test(test_feed_format__nft),
        cmocka_unit_test(test_feed_format__injection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

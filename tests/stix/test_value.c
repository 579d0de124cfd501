#include "test.h"

#include <stdlib.h>

#include "base/file.h"
#include "stix/stix.h"

struct row {
    enum stix_value_kind kind;
    const char *text;
    enum stix_value_kind kind_out; /* STIX_VALUE_NONE: refused */
    const char *normal;
};

static void rows_check(const struct row *rows, size_t n, bool defanged)
{
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < n; i++) {
        enum stix_value_kind kind = STIX_VALUE_NONE;
        struct slice normal = {"", 0};
        struct err err = ERR_INIT;
        bool good = stix_value_normal(&a, rows[i].kind, slice_of(rows[i].text), defanged, &kind, &normal, &err) == 0;
        if (good != (rows[i].kind_out != STIX_VALUE_NONE))
            fail_row(i, "%s: %s (%s)", rows[i].text, good ? "taken" : "refused", err.text);
        if (!good && (err.code != ERR_STIX_VALUE || err.text[0] == '\0'))
            fail_row(i, "%s: no reason", rows[i].text);
        if (good && (kind != rows[i].kind_out || !slice_eq(normal, slice_of(rows[i].normal))))
            fail_row(i, "%s gave %.*s of kind %d", rows[i].text, SLICE_ARG(normal), kind);
    }
    arena_free(&a);
}

static void test_stix_value__ipv4(void **state)
{
    static const struct row rows[] = {
        {STIX_VALUE_IPV4, "198.51.100.7", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV4, " 198.51.100.7\n", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV4, "198.51.100.7/32", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV4, "198.51.100.7/24", STIX_VALUE_IPV4_NET, "198.51.100.0/24"}, /* host bits go */
        {STIX_VALUE_IPV4_NET, "198.51.100.7", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV4, "198.51.100.7/31", STIX_VALUE_IPV4_NET, "198.51.100.6/31"},
        {STIX_VALUE_IPV4, "0.0.0.0/0", STIX_VALUE_IPV4_NET, "0.0.0.0/0"},
        {STIX_VALUE_IPV4, "010.0.0.1", STIX_VALUE_NONE, ""}, /* octal 8.0.0.1 to inet_aton */
        {STIX_VALUE_IPV4, "198.51.100.07", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7.", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7.1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.256", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7/33", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7/01", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7/2/2", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "198.51.100.7:80", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "0x7f.0.0.1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "2001:db8::1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV4, "", STIX_VALUE_NONE, ""},
    };

    rows_check(rows, ROWS(rows), false);
}

static void test_stix_value__ipv6(void **state)
{
    static const struct row rows[] = {
        {STIX_VALUE_IPV6, "2001:DB8:0:0:0:0:0:1", STIX_VALUE_IPV6, "2001:db8::1"},
        {STIX_VALUE_IPV6, "2001:0db8:0000:0000:0000:0000:0000:0001", STIX_VALUE_IPV6, "2001:db8::1"},
        {STIX_VALUE_IPV6, "2001:db8::1/128", STIX_VALUE_IPV6, "2001:db8::1"},
        {STIX_VALUE_IPV6, "2001:db8:ffff::1/33", STIX_VALUE_IPV6_NET, "2001:db8:8000::/33"},
        {STIX_VALUE_IPV6, "2001:db8:0:1:1:1:1:1", STIX_VALUE_IPV6, "2001:db8:0:1:1:1:1:1"}, /* one zero group stays */
        {STIX_VALUE_IPV6, "2001:0:0:1:0:0:0:1", STIX_VALUE_IPV6, "2001:0:0:1::1"},          /* the longest run */
        {STIX_VALUE_IPV6, "2001:db8:0:0:1:0:0:1", STIX_VALUE_IPV6, "2001:db8::1:0:0:1"},    /* the first of equals */
        {STIX_VALUE_IPV6, "::", STIX_VALUE_IPV6, "::"},
        {STIX_VALUE_IPV6, "::1", STIX_VALUE_IPV6, "::1"},
        {STIX_VALUE_IPV6, "2001:db8::", STIX_VALUE_IPV6, "2001:db8::"},
        {STIX_VALUE_IPV6, "64:ff9b::198.51.100.7", STIX_VALUE_IPV6, "64:ff9b::c633:6407"},
        {STIX_VALUE_IPV6, "::ffff:198.51.100.7", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV6, "0:0:0:0:0:FFFF:c633:6407", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV6, "::ffff:198.51.100.7/120", STIX_VALUE_IPV4_NET, "198.51.100.0/24"},
        {STIX_VALUE_IPV6, "fe80::1%eth0", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8::1::2", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8:::1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "1:2:3:4:5:6:7", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "1:2:3:4:5:6:7:8:9", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "1:2:3:4:5:6:7::8", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "1:2:3:4:5:6:7:198.51.100.7", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "198.51.100.7::1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, ":1:2:3:4:5:6:7", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8::12345", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8::g", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8::1/129", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, "2001:db8::1/03", STIX_VALUE_NONE, ""},
        {STIX_VALUE_IPV6, ":", STIX_VALUE_NONE, ""},
    };

    rows_check(rows, ROWS(rows), false);
}

static void test_stix_value__domain(void **state)
{
    static const char long_label[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"; /* 64 */
    static const struct row rows[] = {
        {STIX_VALUE_DOMAIN, "Bad.Example.", STIX_VALUE_DOMAIN, "bad.example"},
        {STIX_VALUE_DOMAIN, "_dmarc.bad_name.example", STIX_VALUE_DOMAIN, "_dmarc.bad_name.example"},
        {STIX_VALUE_DOMAIN,
         "b\xc3\xbc"
         "cher.example",
         STIX_VALUE_DOMAIN, "xn--bcher-kva.example"},
        {STIX_VALUE_DOMAIN,
         "B\xc3\x9c"
         "CHER.example",
         STIX_VALUE_DOMAIN, "xn--bcher-kva.example"},
        {STIX_VALUE_DOMAIN,
         "stra\xc3\x9f"
         "e.example",
         STIX_VALUE_DOMAIN, "xn--strae-oqa.example"}, /* non-transitional: not strasse */
        {STIX_VALUE_DOMAIN,
         "bad\xe3\x80\x82"
         "example",
         STIX_VALUE_DOMAIN, "bad.example"}, /* ideographic full stop */
        {STIX_VALUE_DOMAIN, "XN--BCHER-KVA.example", STIX_VALUE_DOMAIN, "xn--bcher-kva.example"},
        {STIX_VALUE_DOMAIN, "wpad", STIX_VALUE_DOMAIN, "wpad"},
        {STIX_VALUE_DOMAIN, "bad..example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, ".bad.example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, ".", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "bad example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "bad.example/path", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "bad.example:80", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "*.bad.example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "198.51.100.7", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "010.0.0.1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "0x7f.0x1", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, "bad.\xff\xfe", STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, long_label, STIX_VALUE_NONE, ""},
        {STIX_VALUE_DOMAIN, long_label + 1, STIX_VALUE_DOMAIN, long_label + 1},
        {STIX_VALUE_DOMAIN, "bad[.]example", STIX_VALUE_NONE, ""},
    };

    rows_check(rows, ROWS(rows), false);
}

static void test_stix_value__url(void **state)
{
    static const struct row rows[] = {
        {STIX_VALUE_URL, "HTTP://Bad.Example", STIX_VALUE_URL, "http://bad.example/"},
        {STIX_VALUE_URL, "https://bad.example:443/A/b?C=d#frag", STIX_VALUE_URL, "https://bad.example/A/b?C=d"},
        {STIX_VALUE_URL, "http://bad.example:443/", STIX_VALUE_URL, "http://bad.example:443/"},
        {STIX_VALUE_URL, "http://bad.example:08080/", STIX_VALUE_URL, "http://bad.example:8080/"},
        {STIX_VALUE_URL, "http://bad.example:/", STIX_VALUE_URL, "http://bad.example/"},
        {STIX_VALUE_URL, "http://good.example@bad.example/", STIX_VALUE_URL, "http://bad.example/"},
        {STIX_VALUE_URL, "http://user:a@b@bad.example/x", STIX_VALUE_URL, "http://bad.example/x"},
        {STIX_VALUE_URL, "http://bad.example/a/./b/../c", STIX_VALUE_URL, "http://bad.example/a/c"},
        {STIX_VALUE_URL, "http://bad.example/../../a/..", STIX_VALUE_URL, "http://bad.example/"},
        {STIX_VALUE_URL, "http://bad.example/%7euser/%2f%zz%", STIX_VALUE_URL, "http://bad.example/~user/%2F%25zz%25"},
        {STIX_VALUE_URL, "http://bad.example/%7%41", STIX_VALUE_URL, "http://bad.example/%257A"}, /* no new escape */
        {STIX_VALUE_URL, "http://bad.example/%2e%2e/a", STIX_VALUE_URL,
         "http://bad.example/a"}, /* dots hidden from a filter */
        {STIX_VALUE_URL, "http://bad.example/\xc3\xbc", STIX_VALUE_URL, "http://bad.example/%C3%BC"},
        {STIX_VALUE_URL,
         "http://b\xc3\xbc"
         "cher.example?q=1",
         STIX_VALUE_URL, "http://xn--bcher-kva.example/?q=1"},
        {STIX_VALUE_URL, "http://198.51.100.7:8080/x", STIX_VALUE_URL, "http://198.51.100.7:8080/x"},
        {STIX_VALUE_URL, "http://[2001:DB8:0::1]:8080/x", STIX_VALUE_URL, "http://[2001:db8::1]:8080/x"},
        {STIX_VALUE_URL, "http://[::ffff:198.51.100.7]/", STIX_VALUE_URL, "http://198.51.100.7/"},
        {STIX_VALUE_URL, "http://bad.example\\x", STIX_VALUE_URL, "http://bad.example/x"},
        {STIX_VALUE_URL, "ftp://bad.example:21/a", STIX_VALUE_URL, "ftp://bad.example/a"},
        {STIX_VALUE_URL, "https://+:443/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "https://bad.example /libs", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http://bad.example:80800/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http://bad.example:0/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http://010.0.0.1/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http://3325256711/", STIX_VALUE_NONE, ""}, /* an address as one number */
        {STIX_VALUE_URL, "http://[2001:db8::1]x/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http:///path", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "http://", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "://bad.example/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "1http://bad.example/", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "bad.example/path", STIX_VALUE_NONE, ""},
        {STIX_VALUE_URL, "hxxp://bad.example/", STIX_VALUE_URL,
         "hxxp://bad.example/"}, /* not defanged: another scheme */
    };

    rows_check(rows, ROWS(rows), false);
}

static void test_stix_value__hash_and_email(void **state)
{
    static const struct row rows[] = {
        {STIX_VALUE_MD5, "D41D8CD98F00B204E9800998ECF8427E", STIX_VALUE_MD5, "d41d8cd98f00b204e9800998ecf8427e"},
        {STIX_VALUE_SHA256, "d41d8cd98f00b204e9800998ecf8427e", STIX_VALUE_MD5, "d41d8cd98f00b204e9800998ecf8427e"},
        {STIX_VALUE_MD5, "da39a3ee5e6b4b0d3255bfef95601890afd80709", STIX_VALUE_SHA1,
         "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {STIX_VALUE_SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709s", STIX_VALUE_NONE, ""}, /* 41 characters */
        {STIX_VALUE_SHA256, "da39a3ee5e6b4b0d3255bfef95601890afd8070900000000000000000000", STIX_VALUE_NONE,
         ""}, /* 60 digits */
        {STIX_VALUE_MD5, "g41d8cd98f00b204e9800998ecf8427e", STIX_VALUE_NONE, ""},
        {STIX_VALUE_EMAIL, "Some.One+x@Bad.EXAMPLE", STIX_VALUE_EMAIL, "Some.One+x@bad.example"},
        {STIX_VALUE_EMAIL, "a@b@bad.example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_EMAIL, "Some One <a@bad.example>", STIX_VALUE_NONE, ""},
        {STIX_VALUE_EMAIL, "@bad.example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_EMAIL, "a@", STIX_VALUE_NONE, ""},
        {STIX_VALUE_EMAIL, "a b@bad.example", STIX_VALUE_NONE, ""},
        {STIX_VALUE_OTHER, " as it is ", STIX_VALUE_OTHER, " as it is "},
        {STIX_VALUE_OTHER, "", STIX_VALUE_NONE, ""},
        {STIX_VALUE_NONE, "x", STIX_VALUE_NONE, ""},
    };

    rows_check(rows, ROWS(rows), false);
}

static void test_stix_value__defanged(void **state)
{
    static const struct row rows[] = {
        {STIX_VALUE_URL, "hxxp://bad[.]example/a", STIX_VALUE_URL, "http://bad.example/a"},
        {STIX_VALUE_URL, "hXXps[:]//bad(.)example/a", STIX_VALUE_URL, "https://bad.example/a"},
        {STIX_VALUE_URL, "hxxps[://]bad[dot]example", STIX_VALUE_URL, "https://bad.example/"},
        {STIX_VALUE_URL, "fxp://bad.example/", STIX_VALUE_URL, "ftp://bad.example/"},
        {STIX_VALUE_URL, "http://[2001:db8::1]/", STIX_VALUE_URL, "http://[2001:db8::1]/"},
        {STIX_VALUE_DOMAIN, "bad[.]example", STIX_VALUE_DOMAIN, "bad.example"},
        {STIX_VALUE_DOMAIN, "bad\\.example", STIX_VALUE_DOMAIN, "bad.example"},
        {STIX_VALUE_DOMAIN, "bad[.example", STIX_VALUE_DOMAIN, "bad.example"},
        {STIX_VALUE_DOMAIN, "hxxp.example", STIX_VALUE_DOMAIN, "hxxp.example"}, /* a name, not a scheme */
        {STIX_VALUE_IPV4, "198[.]51[.]100[.]7", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV4, "198.51.100[.]7", STIX_VALUE_IPV4, "198.51.100.7"},
        {STIX_VALUE_IPV6, "2001[:]db8[:][:]1", STIX_VALUE_IPV6, "2001:db8::1"},
        {STIX_VALUE_EMAIL, "a[at]bad[.]example", STIX_VALUE_EMAIL, "a@bad.example"},
        {STIX_VALUE_EMAIL, "a(@)bad.example", STIX_VALUE_EMAIL, "a@bad.example"},
    };

    rows_check(rows, ROWS(rows), true);
}

static void test_stix_value__long(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    enum stix_value_kind kind;
    struct slice normal;
    char *text = arena_alloc(&a, 8193);

    memset(text, 'a', 8193);
    memcpy(text, "http://bad.example/", 19);
    assert_int_equal(stix_value_normal(&a, STIX_VALUE_URL, slice_n(text, 8192), false, &kind, &normal, &err), 0);
    assert_int_equal(stix_value_normal(&a, STIX_VALUE_URL, slice_n(text, 8193), false, &kind, &normal, &err), -1);
    assert_int_equal(err.code, ERR_STIX_VALUE);
    arena_free(&a);
}

static void test_stix_value__guess(void **state)
{
    static const struct {
        const char *text;
        enum stix_value_kind kind;
    } rows[] = {
        {"198.51.100.7", STIX_VALUE_IPV4},
        {"198.51.100.0/24", STIX_VALUE_IPV4_NET},
        {"198[.]51[.]100[.]7", STIX_VALUE_IPV4},
        {"2001:db8::1", STIX_VALUE_IPV6},
        {"2001:db8::/32", STIX_VALUE_IPV6_NET},
        {"::ffff:198.51.100.7", STIX_VALUE_IPV4},
        {"bad.example", STIX_VALUE_DOMAIN},
        {"bad[.]example", STIX_VALUE_DOMAIN},
        {"bad.xn--p1ai", STIX_VALUE_DOMAIN},
        {"hxxps://bad[.]example/x", STIX_VALUE_URL},
        {"a@bad.example", STIX_VALUE_EMAIL},
        {"d41d8cd98f00b204e9800998ecf8427e", STIX_VALUE_MD5},
        {"da39a3ee5e6b4b0d3255bfef95601890afd80709", STIX_VALUE_SHA1},
        {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", STIX_VALUE_SHA256},
        {"localhost", STIX_VALUE_NONE}, /* one label in a list is a word */
        {"1.94.31.33:0", STIX_VALUE_NONE},
        {"setup.e", STIX_VALUE_NONE},
        {"version 1.2", STIX_VALUE_NONE},
        {"C:\\Windows\\x.dll", STIX_VALUE_NONE},
        {"010.0.0.1", STIX_VALUE_NONE},
        {"", STIX_VALUE_NONE},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        if (stix_value_guess(slice_of(rows[i].text)) != rows[i].kind)
            fail_row(i, "%s looks like %d", rows[i].text, stix_value_guess(slice_of(rows[i].text)));
}

static void test_stix_value__global(void **state)
{
    static const struct {
        const char *text;
        bool global;
    } rows[] = {
        {"8.8.8.8", true},         {"9.255.255.255", true},  {"10.0.0.0", false},       {"10.255.255.255", false},
        {"11.0.0.0", true},        {"100.63.255.255", true}, {"100.64.0.0", false},     {"100.127.255.255", false},
        {"100.128.0.0", true},     {"0.1.2.3", false},       {"127.0.0.1", false},      {"169.254.1.1", false},
        {"172.15.255.255", true},  {"172.16.0.0", false},    {"172.31.255.255", false}, {"172.32.0.0", true},
        {"192.0.0.1", false},      {"192.0.1.0", true},      {"192.0.2.1", false},      {"192.88.99.1", false},
        {"192.168.0.1", false},    {"192.169.0.0", true},    {"198.17.255.255", true},  {"198.18.0.0", false},
        {"198.19.255.255", false}, {"198.20.0.0", true},     {"198.51.100.7", false},   {"203.0.113.9", false},
        {"223.255.255.255", true}, {"224.0.0.1", false},     {"240.0.0.1", false},      {"255.255.255.255", false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint32_t address;
        assert_true(stix_ipv4_parse(slice_of(rows[i].text), &address));
        if (stix_ipv4_is_global(address) != rows[i].global)
            fail_row(i, "%s", rows[i].text);
    }
}

/* Lines that real feeds got wrong: none of them looks like a value, but for names below a top level that nobody
 * delegates. */
static void test_stix_value__malformed_lines(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;
    struct slice rest, line, feed, reason;
    size_t n = 0;

    if (shared == NULL ||
        file_read(&a, file_join(&a, shared, "data/malformed_lines.tsv").ptr, 1 << 20, &rest, NULL) != 0) {
        arena_free(&a);
        leave_out("TOCSIN_SHARED names no malformed lines");
    }
    while (slice_cut(&rest, '\n', &line) && line.len != 0) {
        if (line.ptr[0] == '#')
            continue;
        assert_true(slice_cut(&line, '\t', &feed) && slice_cut(&line, '\t', &reason));
        enum stix_value_kind kind = stix_value_guess(line);
        if (kind != STIX_VALUE_NONE && !(kind == STIX_VALUE_DOMAIN && slice_eq(reason, SLICE("unknown-tld"))))
            fail_row(n, "\"%.*s\" looks like %.*s", SLICE_ARG(line), SLICE_ARG(stix_value_kind_name(kind)));
        n++;
    }
    assert_true(n >= 600);
    arena_free(&a);
}

static void test_stix_value__names(void **state)
{
    assert_slice(stix_value_kind_name(STIX_VALUE_IPV4), "ipv4-addr");
    assert_slice(stix_value_kind_name(STIX_VALUE_SHA256), "sha-256");
    for (int kind = 0; kind < STIX_VALUE_KINDS; kind++)
        assert_true(stix_value_kind_name((enum stix_value_kind)kind).len != 0);
}

static void test_stix_value__hash_names(void **state)
{
    static const struct {
        const char *spelt, *name;
    } rows[] = {
        {"SHA-256", "SHA-256"},
        {"SHA256", "SHA-256"},
        {"sha256", "SHA-256"},
        {"Sha_256", "SHA-256"},
        {"MD5", "MD5"},
        {"md5", "MD5"},
        {"SHA1", "SHA-1"},
        {"SHA-1", "SHA-1"},
        {"sha512", "SHA-512"},
        {"SSDEEP", "SSDEEP"},
        {"ssdeep", "SSDEEP"},
        {"TLSH", "TLSH"},
        {"SHA3-256", "SHA3-256"},
        {"sha3_512", "SHA3-512"},
        {"IMPHASH", "IMPHASH"},
        {"VHASH", "VHASH"},
        {"sha-257", ""},
        {"", ""},
        {"SHA-256-of-the-file", ""},
        {"-", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        if (!slice_eq(stix_hash_name(slice_of(rows[i].spelt)), slice_of(rows[i].name)))
            fail_row(i, "%s", rows[i].spelt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_value__hash_names),
        cmocka_unit_test(test_stix_value__ipv4),
        cmocka_unit_test(test_stix_value__ipv6),
        cmocka_unit_test(test_stix_value__domain),
        cmocka_unit_test(test_stix_value__url),
        cmocka_unit_test(test_stix_value__hash_and_email),
        cmocka_unit_test(test_stix_value__defanged),
        cmocka_unit_test(test_stix_value__long),
        cmocka_unit_test(test_stix_value__guess),
        cmocka_unit_test(test_stix_value__global),
        cmocka_unit_test(test_stix_value__malformed_lines),
        cmocka_unit_test(test_stix_value__names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

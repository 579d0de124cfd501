#include "test.h"

#include <stdlib.h>

#include "match/match.h"

/* One index for all rows: the number that comes out says which value was found. */
static const struct {
    uint64_t indicator;
    enum stix_value_kind kind;
    const char *value;
} known[] = {
    {1, STIX_VALUE_IPV4, "198.51.100.7"},
    {2, STIX_VALUE_IPV6, "2001:db8::7"},
    {3, STIX_VALUE_DOMAIN, "bad.example"},
    {4, STIX_VALUE_URL, "http://shop.test/pay?id=1"},
    {5, STIX_VALUE_EMAIL, "boss@bank.test"},
    {6, STIX_VALUE_MD5, "0123456789abcdef0123456789abcdef"},
    {7, STIX_VALUE_SHA1, "0123456789abcdef0123456789abcdef01234567"},
    {8, STIX_VALUE_SHA256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
    {9, STIX_VALUE_DOMAIN, "xn--bse-sna.example"},
    {10, STIX_VALUE_URL, "http://198.51.100.9:8080/x"},
    {11, STIX_VALUE_SHA512,
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
};

struct told {
    char text[512]; /* "3:dns.rrname 1:src_ip " in the order told */
    int64_t time_us;
    uint32_t n;
};

static void tell(void *arg, const struct match_line *line, const struct match_hit *hit)
{
    struct told *t = arg;
    size_t at = strlen(t->text);

    snprintf(t->text + at, sizeof t->text - at, "%llu:" SLICE_FMT " ", (unsigned long long)hit->indicator,
             SLICE_ARG(hit->field));
    t->time_us = line->time_us;
    t->n++;
}

static struct match_index *known_index(void)
{
    struct match_index *ix = match_index_new(0);

    for (size_t i = 0; i < ROWS(known); i++)
        assert_int_equal(match_index_add(ix, known[i].indicator, known[i].kind, slice_of(known[i].value), NULL), 0);
    return ix;
}

static struct told scan(const char *format, struct slice text, struct match_stats *stats_out)
{
    struct match_index *ix = known_index();
    struct match_reader *r = match_reader_new(ix);
    struct match_stats stats = {0};
    struct told t = {.n = 0};

    match_lines(r, match_format_find(slice_of(format)), text, tell, &t, &stats);
    assert_int_equal(stats.hits, t.n);
    if (stats_out != NULL)
        *stats_out = stats;
    match_reader_free(&r);
    match_index_free(&ix);
    return t;
}

static void test_match_format__eve(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        {"{\"src_ip\":\"198.51.100.7\",\"dest_ip\":\"192.0.2.1\"}", "1:src_ip "},
        {"{\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"2001:0db8:0000:0000:0000:0000:0000:0007\"}", "2:dest_ip "},
        {"{\"src_ip\":\"::ffff:198.51.100.7\"}", "1:src_ip "},
        {"{\"src_ip\":\"198.51.100.07\"}", ""}, /* octal to some: no address */
        {"{\"dns\":{\"type\":\"query\",\"rrname\":\"WWW.Bad.Example\"}}", "3:dns.rrname "},
        {"{\"dns\":{\"rrname\":\"bad.example.\"}}", "3:dns.rrname "},
        {"{\"dns\":{\"rrname\":\"b\\u00f6se.example\"}}", "9:dns.rrname "},
        {"{\"dns\":{\"rrname\":\"BÖSE.example\"}}", "9:dns.rrname "},
        {"{\"dns\":{\"rrname\":\"\\u0062ad.example\"}}", "3:dns.rrname "},
        {"{\"dns\":{\"rrname\":\"x.test\",\"rdata\":\"198.51.100.7\"}}", "1:dns.rdata "},
        {"{\"dns\":{\"version\":3,\"queries\":[{\"rrname\":\"a.test\"},{\"rrname\":\"bad.example\"}]}}",
         "3:dns.rrname "},
        {"{\"dns\":{\"query\":[{\"rrname\":\"bad.example\"}]}}", "3:dns.rrname "},
        {"{\"dns\":{\"answers\":[{\"rrname\":\"a.test\",\"rdata\":\"x.bad.example\"},{\"rdata\":\"198.51.100.7\"}]}}",
         "3:dns.rdata 1:dns.rdata "},
        {"{\"dns\":{\"grouped\":{\"A\":[\"192.0.2.1\",\"198.51.100.7\"],\"CNAME\":[\"bad.example\"]}}}",
         "1:dns.rdata 3:dns.rdata "},
        {"{\"dns\":{\"answer\":{\"grouped\":{\"AAAA\":[\"2001:db8::7\"]}}}}", "2:dns.rdata "},
        {"{\"tls\":{\"sni\":\"bad.example\",\"fingerprint\":\"01:23:45\"}}", "3:tls.sni "},
        {"{\"quic\":{\"sni\":\"bad.example\"}}", "3:quic.sni "},
        {"{\"http\":{\"hostname\":\"bad.example\",\"url\":\"/\"}}", "3:http.hostname "},
        {"{\"http\":{\"hostname\":\"bad.example:8080\"}}", "3:http.hostname "},
        {"{\"http\":{\"hostname\":\"198.51.100.7:8080\"}}", "1:http.hostname "},
        {"{\"http\":{\"hostname\":\"[2001:db8::7]:8080\"}}", "2:http.hostname "},
        {"{\"http\":{\"hostname\":\"Shop.test\",\"url\":\"/pay?id=1\"}}",
         "4:http.url "}, /* made whole by the Host header */
        {"{\"http\":{\"url\":\"http://shop.test:80/pay?id=1#top\"}}", "4:http.url "},
        {"{\"http\":{\"hostname\":\"198.51.100.9\",\"http_port\":8080,\"url\":\"/x\"}}", "10:http.url "},
        {"{\"http\":{\"hostname\":\"198.51.100.9:8080\",\"url\":\"/x\"}}", "10:http.url "},
        {"{\"http\":{\"http_refer\":\"https://www.bad.example/a\"}}", "3:http.http_refer "},
        {"{\"fileinfo\":{\"md5\":\"0123456789ABCDEF0123456789abcdef\",\"sha256\":\"00\"}}", "6:fileinfo.md5 "},
        {"{\"fileinfo\":{\"sha1\":\"0123456789abcdef0123456789abcdef01234567\"}}", "7:fileinfo.sha1 "},
        {"{\"files\":[{\"filename\":\"a\"},{\"sha256\":"
         "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}",
         "8:fileinfo.sha256 "},
        {"{\"smtp\":{\"mail_from\":\"<boss@Bank.test>\"}}", "5:smtp.mail_from "},
        {"{\"email\":{\"from\":\"The Boss <boss@bank.test>\",\"to\":[\"bank@bad.example\"]}}", "5:email.from "},
        {"{\"email\":{\"from\":\"x@bad.example\"}}", "3:email.from "},
        /* one event is one hit for one indicator, whatever it says twice */
        {"{\"src_ip\":\"198.51.100.7\",\"dns\":{\"rrname\":\"bad.example\",\"answers\":[{\"rrname\":\"bad.example\","
         "\"rdata\":\"198.51.100.7\"}]}}",
         "1:src_ip 3:dns.rrname "},
        /* values in other places say nothing */
        {"{\"host\":\"bad.example\",\"alert\":{\"signature\":\"198.51.100.7\"},\"dns\":\"bad.example\",\"src_ip\":{"
         "\"a\":\"198.51.100.7\"}}",
         ""},
        {"{\"src_ip\":198,\"dest_ip\":null,\"dns\":[{\"rrname\":[\"bad.example\"]}],\"http\":{\"hostname\":true}}",
         "3:dns.rrname "},
        {"{}", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct match_stats stats;
        struct told t = scan("eve", slice_of(rows[i].line), &stats);
        if (strcmp(t.text, rows[i].told) != 0 || stats.bad_lines != 0 || stats.lines != 1)
            fail_row(i, "%s gave \"%s\"", rows[i].line, t.text);
    }
}

static void test_match_format__plain(void **state)
{
    static const struct {
        const char *line, *told;
    } rows[] = {
        {"Nov 22 12:00:00 gate sshd[12]: Failed password for root from 198.51.100.7 port 22 ssh2", "1:line "},
        {"198.51.100.7", "1:line "},
        {"198.51.100.7:443 192.0.2.1", "1:line "},
        {"src=198.51.100.7,dst=192.0.2.1;x", "1:line "},
        {"[198.51.100.7]:25", "1:line "},
        {"(198.51.100.7)", "1:line "},
        {"198.51.100.7.", "1:line "},
        {"198.51.100.70 1198.51.100.7 198.51.100.7.1 v198.51.100.7", ""},
        {"198[.]51[.]100[.]7", "1:line "},
        {"198.51.100[.]7:8080", "1:line "},
        {"198(.)51.100.7", "1:line "},
        {"a,\"www.bad.example\",b", "3:line "},
        {"query: www.BAD.example IN A", "3:line "},
        {"bad[.]example", "3:line "},
        {"x.bad[dot]example:443", "3:line "},
        {"bad(dot)example", "3:line "},
        {"notbad.example example bad.exampl", ""},
        {"böse.example", "9:line "},
        {"2001:db8::7", "2:line "},
        {"from 2001:DB8:0:0:0:0:0:7: hello", "2:line "},
        {"[2001:db8::7]:443", "2:line "},
        {"12:00:00 00:16:3e:aa:bb:cc a::b", ""},
        {"GET http://shop.test/pay?id=1 HTTP/1.1", "4:line "},
        {"hxxp://shop[.]test/pay?id=1", "4:line "},
        {"hXXp[:]//shop.test/pay?id=1,", "4:line "},
        {"hxxps[://]www.bad.example/a(b)", "3:line "},
        {"(see http://shop.test/pay?id=1).", "4:line "},
        {"<a href='http://shop.test/pay?id=1'>", "4:line "},
        {"http://198.51.100.9:8080/x", "10:line "},
        {"mail from=<boss@bank.test> to=<x@y.test>", "5:line "},
        {"boss[@]bank.test", "5:line "},
        {"boss[at]bank[.]test", "5:line "},
        {"root@198.51.100.7 x@bad.example", "1:line 3:line "},
        {"md5 0123456789ABCDEF0123456789ABCDEF", "6:line "},
        {"SHA1:0123456789abcdef0123456789abcdef01234567", "7:line "},
        {"sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "8:line "},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc"
         "def0123456789abcdef",
         "11:line "},
        {"{\"a\":\"198.51.100.7\",\"b\":[\"bad.example\"]}", "1:line 3:line "},
        {"198.51.100.7 198.51.100.7 bad.example", "1:line 3:line "}, /* each once a line */
        {"/bad.example/198.51.100.7/", "3:line 1:line "},
        {"", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct told t = scan("lines", slice_of(rows[i].line), NULL);
        if (strcmp(t.text, rows[i].told) != 0)
            fail_row(i, "%s gave \"%s\"", rows[i].line, t.text);
    }
}

static void test_match_format__lines_and_stats(void **state)
{
    struct match_stats stats;
    struct told t;

    t = scan("eve",
             SLICE("{\"src_ip\":\"198.51.100.7\"}\r\n\n{broken\n[1]\n{\"src_ip\":\"198.51.100.7\"} "
                   "x\n{\"dest_ip\":\"198.51.100.7\"}"),
             &stats);
    assert_string_equal(t.text, "1:src_ip 1:dest_ip ");
    assert_int_equal(stats.lines, 5);
    assert_int_equal(stats.bad_lines, 3);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.values, 2);
    assert_int_equal(stats.bytes, 94);
    t = scan("lines", SLICE("198.51.100.7\nbad.example\n"), &stats);
    assert_string_equal(t.text, "1:line 3:line ");
    assert_int_equal(stats.lines, 2);
    t = scan("lines", slice_n(NULL, 0), &stats);
    assert_int_equal(stats.lines, 0);
    assert_int_equal(t.n, 0);
}

/* A line of exactly 1 MiB is read, one byte more is a bad line, and neither keeps the next from being read. */
static void test_match_format__line_limit(void **state)
{
    static const char *const formats[] = {"eve", "lines"};
    size_t limit = (size_t)1 << 20;

    for (size_t f = 0; f < ROWS(formats); f++)
        for (size_t more = 0; more < 2; more++) {
            char *text = malloc(limit + 200);
            size_t n = (size_t)sprintf(text, "{\"src_ip\":\"198.51.100.7\",\"x\":\"");
            memset(text + n, '-', limit + more - n - 2);
            memcpy(text + limit + more - 2, "\"}", 2);
            n = limit + more;
            n += (size_t)sprintf(text + n, "\n{\"src_ip\":\"2001:db8::7\"}\n");
            struct match_stats stats;
            struct told t = scan(formats[f], slice_n(text, n), &stats);
            assert_int_equal(stats.lines, 2);
            assert_int_equal(stats.bad_lines, more);
            assert_int_equal(t.n, 2 - more);
            free(text);
        }
}

static void test_match_format__time(void **state)
{
    static const struct {
        const char *format, *line;
        int64_t us;
    } rows[] = {
        {"eve", "{\"timestamp\":\"2026-11-22T12:00:00.250000+0000\",\"src_ip\":\"198.51.100.7\"}", 1795348800250000},
        {"eve", "{\"src_ip\":\"198.51.100.7\",\"timestamp\":\"2026-11-22T14:00:00.250000+0200\"}", 1795348800250000},
        {"eve", "{\"timestamp\":\"2026-11-22T12:00:00Z\",\"src_ip\":\"198.51.100.7\"}", 1795348800000000},
        {"eve", "{\"timestamp\":\"2026-11-22T06:30:00-05:30\",\"src_ip\":\"198.51.100.7\"}", 1795348800000000},
        {"eve", "{\"timestamp\":\"noon\",\"src_ip\":\"198.51.100.7\"}", 0},
        {"eve", "{\"timestamp\":1,\"src_ip\":\"198.51.100.7\"}", 0},
        {"lines", "2026-11-22T12:00:00Z gate sshd: 198.51.100.7", 1795348800000000},
        {"lines", "<34>1 2026-11-22T12:00:00Z gate sshd: 198.51.100.7", 1795348800000000},
        {"lines", "\"2026-11-22T12:00:00Z\",\"198.51.100.7\"", 1795348800000000},
        {"lines", "Nov 22 12:00:00 gate sshd: 198.51.100.7", 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct told t = scan(rows[i].format, slice_of(rows[i].line), NULL);
        if (t.n != 1 || t.time_us != rows[i].us)
            fail_row(i, "%s gave %lld", rows[i].line, (long long)t.time_us);
    }
}

static void test_match_format__find_and_detect(void **state)
{
    static const struct {
        const char *text, *format;
    } rows[] = {
        {"{\"timestamp\":\"x\",\"event_type\":\"dns\"}\n", "eve"},
        {"\n\n  {\"event_type\":\"dns\"}", "eve"},
        {"{\"ts\":1,\"id.orig_h\":\"192.0.2.1\"}\n{\"event_type\":1}", "lines"},
        {"Nov 22 12:00:00 gate \"event_type\"", "lines"},
        {"", "lines"},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        if (!slice_eq(match_format_name(match_format_detect(slice_of(rows[i].text))), slice_of(rows[i].format)))
            fail_row(i, "%s", rows[i].text);
    assert_null(match_format_find(SLICE("zeek")));
    assert_slice(match_format_name(match_format_find(SLICE("eve"))), "eve");
}

/* Many lines in one call: the batches in which lookups are made lose nothing and mix nothing up. */
static void test_match_format__many_lines(void **state)
{
    struct buf text = BUF_INIT;
    struct match_stats stats;

    for (int i = 0; i < 5000; i++)
        buf_printf(&text,
                   "{\"timestamp\":\"2026-11-22T12:00:00.%06d+0000\",\"src_ip\":\"192.0.2.%d\",\"dns\":{\"rrname\":\"A%"
                   "d.B.c.d.%s\"}}\n",
                   i, i % 250, i, i % 10 == 0 ? "Bad.Example" : "good.example");
    struct told t = scan("eve", buf_slice(&text), &stats);
    assert_int_equal(t.n, 500);
    assert_int_equal(stats.lines, 5000);
    assert_int_equal(stats.bad_lines, 0);
    assert_int_equal(stats.values, 10000);
    assert_int_equal(t.time_us % 1000000, 4990);
    buf_free(&text);
}

/* What costs most: names with the most labels, on lines as long as they may be. Bounded, and nothing is lost behind
 * them. */
static void test_match_format__worst_names(void **state)
{
    struct buf text = BUF_INIT;
    struct match_stats stats;

    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 126; k++)
            buf_put(&text, SLICE("a."));
        buf_put(&text, SLICE("b "));
    }
    buf_put(&text,
            SLICE("198.51.100.7 .... :::: @@@@ [.[.[. hxxp:// http:// https:///// ://bad.example http://[:::1/ x@ @x"));
    struct told t = scan("lines", buf_slice(&text), &stats);
    assert_string_equal(t.text, "1:line 3:line ");
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_format__eve),
        cmocka_unit_test(test_match_format__plain),
        cmocka_unit_test(test_match_format__lines_and_stats),
        cmocka_unit_test(test_match_format__line_limit),
        cmocka_unit_test(test_match_format__time),
        cmocka_unit_test(test_match_format__find_and_detect),
        cmocka_unit_test(test_match_format__many_lines),
        cmocka_unit_test(test_match_format__worst_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

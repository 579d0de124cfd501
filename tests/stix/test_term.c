#include "test.h"

#include "stix/stix.h"

static const char sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* The terms of a pattern as "kind value; kind value"; "" for none. */
static struct slice terms_text(struct arena *a, const char *text)
{
    const struct stix_pattern *p;
    struct stix_term *terms;
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;

    if (stix_pattern_parse(a, slice_of(text), &p, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    uint32_t n = stix_pattern_terms(a, p, &terms);
    for (uint32_t i = 0; i < n; i++) {
        assert_non_null(terms[i].from);
        buf_printf(&out, "%s%.*s %.*s", i != 0 ? "; " : "", SLICE_ARG(stix_value_kind_name(terms[i].kind)),
                   SLICE_ARG(terms[i].value));
    }
    struct slice copy = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return copy;
}

static void test_stix_term__rows(void **state)
{
    static const struct {
        const char *text, *terms;
    } rows[] = {
        {"[ipv4-addr:value = '198.51.100.7']", "ipv4-addr 198.51.100.7"},
        {"[ipv4-addr:value = '198.51.100.7/32']", "ipv4-addr 198.51.100.7"},
        {"[ipv4-addr:value = '198.51.100.0/24']", "ipv4-net 198.51.100.0/24"},
        {"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "ipv4-net 198.51.100.0/24"},
        {"[ipv6-addr:value = '2001:DB8:0::1']", "ipv6-addr 2001:db8::1"},
        {"[domain-name:value = 'BAD.example']", "domain-name bad.example"},
        {"[url:value = 'http://bad.example']", "url http://bad.example/"},
        {"[email-addr:value = 'a@BAD.example']", "email-addr a@bad.example"},
        {"[email-message:from_ref.value = 'a@bad.example']", "email-addr a@bad.example"},
        {"[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']", "md5 d41d8cd98f00b204e9800998ecf8427e"},
        {"[file:hashes.'MD5' = 'd41d8cd98f00b204e9800998ecf8427e']", "md5 d41d8cd98f00b204e9800998ecf8427e"},
        {"[file:hashes.md5 = 'd41d8cd98f00b204e9800998ecf8427e']", "md5 d41d8cd98f00b204e9800998ecf8427e"},
        {"[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
         "sha-1 da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"[file:hashes.SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
         "sha-1 da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"[file:hashes.IMPHASH = 'd41d8cd98f00b204e9800998ecf8427e']", "other d41d8cd98f00b204e9800998ecf8427e"},
        {"[file:hashes.sha_256 = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855']",
         "sha-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"[file:hashes.'Sha-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709' OR file:hashes.SSDEEP = '3:x:Y']",
         "sha-1 da39a3ee5e6b4b0d3255bfef95601890afd80709; other 3:x:Y"},
        /* as long as a SHA-256, and none */
        {"[file:hashes.'SHA3-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']",
         "other e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"[file:hashes.tlsh = 'T1AB']", "other T1AB"},
        {"[file:name = 'Evil.exe']", "other Evil.exe"},
        {"[file:name = 'a' OR file:name = 'b']", "other a; other b"},
        {"[ipv4-addr:value IN ('198.51.100.7', '203.0.113.9')]", "ipv4-addr 198.51.100.7; ipv4-addr 203.0.113.9"},
        {"[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value = 'bad.example']",
         "ipv4-addr 198.51.100.7; domain-name bad.example"},
        {"[(ipv4-addr:value = '198.51.100.7' OR (url:value = 'http://bad.example/'))]",
         "ipv4-addr 198.51.100.7; url http://bad.example/"},
        /* a type guard says nothing that the value does not */
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
         "ipv4-addr 198.51.100.7"},
        {"[network-traffic:src_ref.value = 'bad.example' AND network-traffic:src_ref.type = 'domain-name']",
         "domain-name bad.example"},
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value IN "
         "('198.51.100.7','203.0.113.9')]",
         "ipv4-addr 198.51.100.7; ipv4-addr 203.0.113.9"},
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND (network-traffic:dst_ref.value = '198.51.100.7' OR "
         "network-traffic:dst_ref.value = '203.0.113.9')]",
         "ipv4-addr 198.51.100.7; ipv4-addr 203.0.113.9"},
        {"[(network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7') OR "
         "(network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = '2001:db8::1')]",
         "ipv4-addr 198.51.100.7; ipv6-addr 2001:db8::1"},
        {"[network-traffic:dst_ref.value = '198.51.100.7']", "ipv4-addr 198.51.100.7"},
        {"[network-traffic:dst_ref.value = 'bad.example']", "domain-name bad.example"},
        /* more than one list of values: none */
        {"[network-traffic:dst_ref.type = 'ipv4-addr']", ""},
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:src_ref.value = '198.51.100.7']", ""},
        {"[network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = '198.51.100.7']", ""},
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' AND "
         "network-traffic:dst_port = 443]",
         ""},
        {"[network-traffic:dst_ref.type = 'ipv4-addr' AND (network-traffic:dst_ref.value = '198.51.100.7' OR "
         "network-traffic:dst_port = 443)]",
         ""},
        {"[file:name = 'a' AND file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", ""},
        {"[ipv4-addr:value = '198.51.100.7'] AND [ipv4-addr:value = '203.0.113.9']", ""},
        {"[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.9']", ""},
        {"[ipv4-addr:value = '198.51.100.7'] WITHIN 5 SECONDS", ""},
        {"[ipv4-addr:value = '198.51.100.7'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'", ""},
        {"[ipv4-addr:value != '198.51.100.7']", ""},
        {"[ipv4-addr:value NOT = '198.51.100.7']", ""},
        {"[ipv4-addr:value LIKE '198.51.%']", ""},
        {"[ipv4-addr:value MATCHES '^198']", ""},
        {"[ipv4-addr:value ISSUPERSET '198.51.100.7']", ""},
        {"[file:name ISSUBSET '198.51.100.0/24']", ""},
        {"[EXISTS ipv4-addr:value]", ""},
        {"[ipv4-addr:value IN ()]", ""},
        {"[ipv4-addr:value = '010.0.0.1']", ""},
        {"[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value = 'what']",
         "ipv4-addr 198.51.100.7"}, /* a slip is left out */
        {"[ipv4-addr:value = '198.51.100.7' OR network-traffic:dst_port = 443]", ""},
        {"[network-traffic:dst_port = 443]", ""},
        {"[network-traffic:protocols[0] = 'tcp']", ""},
        {"[file:hashes.'SHA-256' = 'f00']", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice got = terms_text(&a, rows[i].text);
        if (!slice_eq(got, slice_of(rows[i].terms)))
            fail_row(i, "%s gave \"%.*s\"", rows[i].text, SLICE_ARG(got));
        arena_free(&a);
    }
}

static void test_stix_term__hash_spellings(void **state)
{
    static const char *const keys[] = {"'SHA-256'", "SHA256", "sha256", "'sha-256'", "sha_256", "'SHA256'", "Sha256"};

    for (size_t i = 0; i < ROWS(keys); i++) {
        struct arena a = ARENA_INIT;
        struct slice text = arena_printf(&a, "[file:hashes.%s = '%s']", keys[i], sha256);
        struct slice got = terms_text(&a, text.ptr), expected = arena_printf(&a, "sha-256 %s", sha256);
        if (!slice_eq(got, expected))
            fail_row(i, "%s gave \"%.*s\"", text.ptr, SLICE_ARG(got));
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_term__rows),
        cmocka_unit_test(test_stix_term__hash_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "sensor/internal.h"

static const char list[] = "# ours\n"
                           "hospital.example   # and all below\n"
                           "198.51.100.7\n"
                           "203.0.113.0/24\r\n"
                           "\n"
                           "5.6.0.0/15\n"
                           "2a00:1:2::/47\n"
                           "http://shop.test/#pay\n"
                           "boss@bank.test\n"
                           "intranet\n"
                           "0123456789ABCDEF0123456789abcdef\n";

static char path[] = "/tmp/tocsin-brakes-XXXXXX";

static void write_list(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_sensor_brakes__never(void **state)
{
    static const struct {
        enum stix_value_kind kind;
        const char *value;
        const char *word; /* in the reason; NULL: may be blocked */
    } rows[] = {
        {STIX_VALUE_IPV4, "5.8.0.1", NULL},
        {STIX_VALUE_IPV4, "5.6.0.1", "registered"},
        {STIX_VALUE_IPV4, "5.7.255.255", "registered"},
        {STIX_VALUE_IPV4, "198.51.100.7", "registered"},
        {STIX_VALUE_IPV4, "10.0.0.53", "routable"},
        {STIX_VALUE_IPV4, "192.168.1.1", "routable"},
        {STIX_VALUE_IPV4, "127.0.0.1", "routable"},
        {STIX_VALUE_IPV4, "100.64.0.1", "routable"},
        {STIX_VALUE_IPV4, "240.0.0.1", "routable"},
        {STIX_VALUE_IPV4, "192.0.2.1", "routable"},
        {STIX_VALUE_IPV4, "8.8.8.8", "resolver"},
        {STIX_VALUE_IPV4, "9.9.9.9", "resolver"},
        {STIX_VALUE_IPV4, "198.41.0.4", "root"},
        {STIX_VALUE_IPV6, "2001:500:2f::f", "root"},
        {STIX_VALUE_IPV6, "2606:4700:4700::1111", "resolver"},
        {STIX_VALUE_IPV6, "2a02:100::1", NULL},
        {STIX_VALUE_IPV6, "2a00:1:3:ffff::1", "registered"},
        {STIX_VALUE_IPV6, "2a00:1:4::1", NULL},
        {STIX_VALUE_IPV6, "2001:db8::7", "routable"},
        {STIX_VALUE_IPV6, "fd00::1", "routable"},
        {STIX_VALUE_IPV6, "fe80::1", "routable"},
        {STIX_VALUE_IPV6, "::1", "routable"},
        {STIX_VALUE_IPV6, "ff02::1", "routable"},
        {STIX_VALUE_IPV6, "2002:c000:201::", "routable"},
        {STIX_VALUE_IPV6, "not an address", "routable"},
        {STIX_VALUE_DOMAIN, "bad.example", NULL},
        {STIX_VALUE_DOMAIN, "hospital.example", "registered"},
        {STIX_VALUE_DOMAIN, "vpn.hospital.example", "registered"},
        {STIX_VALUE_DOMAIN, "nohospital.example", NULL},
        {STIX_VALUE_DOMAIN, "intranet", "registered"},
        {STIX_VALUE_DOMAIN, "google.com", "everybody"},
        {STIX_VALUE_DOMAIN, "evil.google.com", NULL}, /* popular names are held exactly */
        {STIX_VALUE_DOMAIN, "co.uk", "suffix"},
        {STIX_VALUE_DOMAIN, "github.io", "suffix"},
        {STIX_VALUE_DOMAIN, "com", "suffix"},
        {STIX_VALUE_DOMAIN, "evil.github.io", NULL},
        {STIX_VALUE_URL, "http://bad.example/x", NULL},
        {STIX_VALUE_URL, "http://bad.example/", NULL},
        {STIX_VALUE_URL, "https://hospital.example/x", "registered"},
        {STIX_VALUE_URL, "https://www.hospital.example:8443/x", "registered"},
        {STIX_VALUE_URL, "https://github.com/", "everybody"},
        {STIX_VALUE_URL, "https://github.com/someone/malware", NULL},
        {STIX_VALUE_URL, "http://10.0.0.1/x", "routable"},
        {STIX_VALUE_URL, "http://10.0.0.1:8080/x", "routable"},
        {STIX_VALUE_URL, "http://8.8.8.8/x", "resolver"},
        {STIX_VALUE_URL, "http://[fd00::1]:80/x", "routable"},
        {STIX_VALUE_URL, "http://5.8.0.1/x", NULL},
        {STIX_VALUE_URL, "http://shop.test/", "registered"},
        {STIX_VALUE_EMAIL, "boss@bank.test", "registered"},
        {STIX_VALUE_EMAIL, "other@bank.test", NULL},
        {STIX_VALUE_EMAIL, "a@hospital.example", "registered"},
        {STIX_VALUE_EMAIL, "crook@gmail.com", NULL},
        {STIX_VALUE_MD5, "d41d8cd98f00b204e9800998ecf8427f", "empty"},
        {STIX_VALUE_SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "empty"},
        {STIX_VALUE_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty"},
        {STIX_VALUE_SHA512,
         "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417"
         "a81a538327af927da3e",
         "empty"},
        {STIX_VALUE_MD5, "0123456789abcdef0123456789abcdef", "registered"},
        {STIX_VALUE_MD5, "0123456789abcdef0123456789abcdee", NULL},
        {STIX_VALUE_OTHER, "cmd.exe", "no enforcement"},
        {STIX_VALUE_IPV4_NET, "5.8.0.0/16", "no enforcement"},
    };
    struct brakes *b;
    struct err err = ERR_INIT;

    write_list(list);
    if (brakes_open(slice_of(path), &b, &err) != 0)
        fail_msg("%s %s", err.place, err.text);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *reason = brakes_reason(b, rows[i].kind, slice_of(rows[i].value));
        if ((reason == NULL) != (rows[i].word == NULL) || (reason != NULL && strstr(reason, rows[i].word) == NULL))
            fail_row(i, "%s: %s", rows[i].value, reason != NULL ? reason : "may be blocked");
    }
    brakes_close(&b);
    assert_null(b);
    brakes_close(&b);
}

static void test_sensor_brakes__bad_lists(void **state)
{
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"hospital.example\nnot a value\n", ":2"},
        {"198.51.100.7/33\n", ":1"},
        {"010.0.0.1\n", ":1"},
        {"\n\nhttp://\n", ":3"},
    };
    struct brakes *b;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct err err = ERR_INIT;
        write_list(rows[i].text);
        if (brakes_open(slice_of(path), &b, &err) != -1)
            fail_row(i, "accepted");
        assert_int_equal(err.code, ERR_CONF_VALUE);
        assert_true(slice_ends(slice_of(err.place), slice_of(rows[i].place)));
    }
    struct buf text = BUF_INIT;
    for (int i = 0; i <= BRAKES_RANGES_MAX; i++)
        buf_printf(&text, "5.%d.%d.0/24\n", i / 256, i % 256);
    buf_put_byte(&text, '\0');
    struct err err = ERR_INIT;
    write_list(text.ptr);
    assert_int_equal(brakes_open(slice_of(path), &b, &err), -1);
    assert_int_equal(err.code, ERR_CONF_VALUE);
    text.ptr[slice_find(buf_slice(&text), SLICE("5.16.0.0/24"))] = '\0'; /* one fewer */
    write_list(text.ptr);
    assert_int_equal(brakes_open(slice_of(path), &b, &err), 0);
    brakes_close(&b);
    buf_free(&text);
    unlink(path);
    assert_int_equal(brakes_open(slice_of(path), &b, &err), -1); /* named, and not there */
    assert_int_equal(brakes_open(SLICE(""), &b, &err), 0);
    assert_non_null(brakes_reason(b, STIX_VALUE_IPV4, SLICE("1.1.1.1")));
    brakes_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_brakes__never),
        cmocka_unit_test(test_sensor_brakes__bad_lists),
    };
    int fd = mkstemp(path);

    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}

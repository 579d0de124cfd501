/* What nft itself says, in a network namespace of its own (no rule of this machine is touched). Skipped where there is
   no nft or no namespace to be had. */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "feed/feed.h"

static const int64_t now_us = INT64_C(1795348800000000);

static struct feed_entry address(const char *value, int64_t seconds)
{
    enum stix_value_kind kind = strchr(value, ':') != NULL ? STIX_VALUE_IPV6 : STIX_VALUE_IPV4;

    return (struct feed_entry){kind, slice_of(value), now_us + seconds * 1000000, SLICE("bank")};
}

static int run(const char *command)
{
    return system(command); /* a fixed text and file names of our own */
}

static void put_file(const char *dir, const char *name, struct buf *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text->ptr, 1, text->len, f), text->len);
    fclose(f);
    buf_free(text);
}

static bool have_nft(void)
{
    return run("unshare -rn nft list ruleset >/dev/null 2>&1") == 0;
}

/* Loads the files one after the other and asks for each address whether it is in its set afterwards. */
static void test_feed_nft__loads(void **state)
{
    const struct feed_format *nft = feed_format_find(SLICE("nft"));
    struct feed_head head = {.hub = SLICE("hub"), .serial = 1, .made_us = now_us, .until_us = now_us + 1000000};
    char dir[] = "/tmp/tocsin-nft-XXXXXX", command[2048];
    struct buf text = BUF_INIT;

    if (!have_nft()) {
        leave_out("nft cannot be run in a network namespace here");
    }
    assert_non_null(mkdtemp(dir));
    struct feed_entry first[] = {address("198.51.100.7", 600), address("198.51.100.8", 60),
                                 address("198.51.100.9", 600), address("2001:db8::7", 600)};
    nft->write(&text, &head, first, ROWS(first));
    put_file(dir, "full.nft", &text);
    /* One of two neighbours goes, and one that never was; one lease is renewed, one block is new. */
    struct feed_entry added[] = {address("198.51.100.8", 9000), address("203.0.113.1", 600)};
    struct feed_entry removed[] = {address("198.51.100.7", -5), address("192.0.2.99", 0), address("2001:db8::7", 0)};
    nft->write_delta(&text, &head, added, ROWS(added), removed, ROWS(removed));
    put_file(dir, "delta.nft", &text);
    nft->write(&text, &head, NULL, 0);
    put_file(dir, "empty.nft", &text);

    snprintf(command, sizeof command,
             "cd %s && unshare -rn sh -ec '"
             "has() { nft get element inet tocsin $1 { $2 } >/dev/null 2>&1; }; "
             "lacks() { ! has $1 $2; }; "
             "nft -c -f full.nft; nft -f full.nft; "
             "nft add chain inet tocsin mine; nft add rule inet tocsin mine ip saddr @block4 drop; "
             "has block4 198.51.100.7; has block4 198.51.100.8; has block6 2001:db8::7; "
             "nft -f delta.nft; nft -f delta.nft; "
             "lacks block4 198.51.100.7; has block4 198.51.100.8; has block4 198.51.100.9; has block4 203.0.113.1; "
             "lacks block4 192.0.2.99; lacks block6 2001:db8::7; "
             "nft list set inet tocsin block4 | grep -q \"198.51.100.8 timeout 2h30m\"; "
             "nft -f full.nft; has block4 198.51.100.7; lacks block4 203.0.113.1; "
             "nft -f empty.nft; lacks block4 198.51.100.7; nft list chain inet tocsin mine | grep -q @block4' ",
             dir);
    int status = run(command);
    snprintf(command, sizeof command, "rm -r %s", dir);
    run(command);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_nft__loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

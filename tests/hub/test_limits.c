#include "test.h"

#include "base/crypto.h"
#include "hub/doors.h"

#define SECOND INT64_C(1000000)
#define HOME   SLICE("192.0.2.7")
#define BANK   SLICE("bank")

static int set_up(void **state)
{
    return crypto_start(NULL);
}

static uint32_t wait_of(struct hub_failures *f, const char *peer, const char *user, int64_t now)
{
    return hub_failures_wait(f, slice_of(peer), slice_of(user), now);
}

static void test_hub_limits__a_source_waits_longer_and_longer(void **state)
{
    struct hub_failures *f = hub_failures_new();
    static const uint32_t waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
    int64_t now = SECOND;

    for (int i = 0; i < HUB_FAILURES_FREE; i++) {
        assert_int_equal(hub_failures_wait(f, HOME, BANK, now), 0);
        hub_failures_add(f, HOME, BANK, now);
    }
    for (size_t i = 0; i < ROWS(waits); i++) {
        assert_int_equal(hub_failures_wait(f, HOME, BANK, now), waits[i]);
        assert_int_equal(wait_of(f, "192.0.2.7", "clinic", now), waits[i]); /* whoever it says it is */
        assert_int_equal(hub_failures_wait(f, HOME, BANK, now + waits[i] * SECOND - 1), 1);
        now += waits[i] * SECOND;
        assert_int_equal(hub_failures_wait(f, HOME, BANK, now), 0);
        hub_failures_add(f, HOME, BANK, now);
    }
    now += 2 * HUB_FAILURES_WAIT_S * SECOND + 1; /* it stopped: forgotten */
    hub_failures_add(f, HOME, BANK, now);
    assert_int_equal(hub_failures_wait(f, HOME, BANK, now), 0);
    hub_failures_free(&f);
}

static void test_hub_limits__an_account_under_attack_is_open_to_its_member(void **state)
{
    struct hub_failures *f = hub_failures_new();
    int64_t now = SECOND;
    char peer[32];

    for (int i = 0; i < 200; i++) { /* from two hundred addresses, once each */
        snprintf(peer, sizeof peer, "198.51.100.%d", i);
        assert_int_equal(wait_of(f, peer, "bank", now), 0);
        hub_failures_add(f, slice_of(peer), BANK, now);
    }
    assert_int_equal(hub_failures_wait(f, HOME, BANK, now), 0);     /* the member, from home */
    assert_true(wait_of(f, "198.51.100.9", "bank", now) > 0);       /* one of them, a second time */
    assert_int_equal(wait_of(f, "198.51.100.9", "clinic", now), 0); /* who is also somebody else's address */
    assert_true(wait_of(f, "198.51.100.9", "bank", now) <= HUB_FAILURES_WAIT_S);
    hub_failures_add(f, HOME, BANK, now); /* the member mistypes: others cannot prolong its waiting */
    int64_t until = now + HUB_FAILURES_WAIT_S * SECOND;
    for (int i = 0; i < 100; i++) {
        snprintf(peer, sizeof peer, "203.0.113.%d", i);
        hub_failures_add(f, slice_of(peer), BANK, until - SECOND);
    }
    assert_int_equal(hub_failures_wait(f, HOME, BANK, until), 0);
    hub_failures_clear(f, HOME, BANK);
    assert_int_equal(hub_failures_wait(f, HOME, BANK, now), 0);
    hub_failures_free(&f);
}

static void test_hub_limits__one_good_credential_buys_no_guesses(void **state)
{
    struct hub_failures *f = hub_failures_new();

    for (int i = 0; i < HUB_FAILURES_FREE; i++) {
        hub_failures_add(f, HOME, BANK, SECOND);
        hub_failures_clear(f, HOME, SLICE("clinic")); /* the attacker's own account */
    }
    assert_int_equal(hub_failures_wait(f, HOME, BANK, SECOND), 1);
    hub_failures_free(&f);
}

static void test_hub_limits__sources(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8::1", "2001:db8::ffff:2", true}, /* one customer's /64 */
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"2001:db8::1", "192.0.2.1", false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hub_failures *f = hub_failures_new();
        for (int k = 0; k < HUB_FAILURES_FREE; k++)
            hub_failures_add(f, slice_of(rows[i].one), BANK, SECOND);
        if ((wait_of(f, rows[i].other, "clinic", SECOND) != 0) != rows[i].same)
            fail_row(i, "%s and %s", rows[i].one, rows[i].other);
        hub_failures_free(&f);
    }
}

/* Memory is bounded, and who flooded it does not wash off what another, or it, had failed before. */
static void test_hub_limits__a_flood_of_addresses(void **state)
{
    struct hub_failures *f = hub_failures_new();
    char peer[48], user[16];

    for (int i = 0; i < HUB_FAILURES_FREE + 6; i++)
        hub_failures_add(f, HOME, BANK, SECOND);
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(peer, sizeof peer, "2001:db8:%x:%x::1", i >> 8, i & 255);
        snprintf(user, sizeof user, "user%u", i);
        hub_failures_add(f, slice_of(peer), slice_of(user), 2 * SECOND);
    }
    assert_true(hub_failures_count(f) <= HUB_FAILURES_ROWS);
    assert_true(hub_failures_count(f) > HUB_FAILURES_ROWS / 2);
    assert_int_equal(hub_failures_wait(f, HOME, BANK, 2 * SECOND), 63);
    hub_failures_free(&f);
}

/* ---- rates ---- */

static void test_hub_limits__requests(void **state)
{
    struct hub_rates *r = hub_rates_new();
    const struct hub_rate sixty = {60, 0}, none = {0, 0};
    int64_t now = 1000 * SECOND;

    for (int i = 0; i < 60; i++) /* a minute's worth at once */
        assert_int_equal(hub_rates_take(r, 7, &sixty, now), 0);
    assert_int_equal(hub_rates_take(r, 7, &sixty, now), 1);
    assert_int_equal(hub_rates_take(r, 7, &sixty, now), 1);          /* what is refused does not count */
    assert_int_equal(hub_rates_take(r, 8, &sixty, now), 0);          /* another credential */
    assert_int_equal(hub_rates_take(r, 7, &sixty, now + SECOND), 0); /* one a second after that */
    assert_int_equal(hub_rates_take(r, 7, &sixty, now + SECOND), 1);
    assert_int_equal(hub_rates_take(r, 7, &none, now + SECOND), 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(hub_rates_take(r, 7, &sixty, now + 100 * SECOND), 0);
    assert_int_equal(hub_rates_last(r, 7), now + 100 * SECOND);
    assert_int_equal(hub_rates_last(r, 9), 0);
    hub_rates_free(&r);
}

static void test_hub_limits__objects(void **state)
{
    struct hub_rates *r = hub_rates_new();
    const struct hub_rate thousand = {0, 1000}, none = {0, 0};
    int64_t now = 1000 * SECOND;

    hub_rates_objects(r, 7, &thousand, 1000, now);
    assert_int_equal(hub_rates_take(r, 7, &thousand, now), 1);
    hub_rates_objects(r, 7, &none, 1000000, now);
    assert_int_equal(hub_rates_take(r, 7, &thousand, now + SECOND), 0);
    hub_rates_objects(r, 7, &thousand, 3000, now + SECOND); /* overdrawn: later ones wait */
    assert_in_range(hub_rates_take(r, 7, &thousand, now + SECOND), 170, 181);
    assert_int_equal(hub_rates_take(r, 7, &thousand, now + 200 * SECOND), 0);
    hub_rates_objects(r, 7, &(struct hub_rate){0, 1}, UINT64_MAX, now); /* no overflow */
    assert_true(hub_rates_take(r, 7, &(struct hub_rate){0, 1}, now) > 0);
    hub_rates_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_limits__a_source_waits_longer_and_longer),
        cmocka_unit_test(test_hub_limits__an_account_under_attack_is_open_to_its_member),
        cmocka_unit_test(test_hub_limits__one_good_credential_buys_no_guesses),
        cmocka_unit_test(test_hub_limits__sources),
        cmocka_unit_test(test_hub_limits__a_flood_of_addresses),
        cmocka_unit_test(test_hub_limits__requests),
        cmocka_unit_test(test_hub_limits__objects),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}

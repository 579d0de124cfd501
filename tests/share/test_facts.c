#include "share_test.h"

static const struct {
    struct share_facts facts;
    const char *key;
} key_rows[] = {
    {{.tlp = 0}, "{}"},
    {{.collection = SLICE_INIT("c1"), .type = SLICE_INIT("indicator"), .tlp = 2},
     "{\"collection\":\"c1\",\"type\":\"indicator\",\"tlp\":2}"},
    {{.tlp = 31, .attribution = true, .consent = SHARE_CONSENT_PROPRIETARY},
     "{\"tlp\":31,\"attribution\":true,\"consent\":3}"},
    {{.tlp = 1,
      .origin = SLICE_INIT("h\"1"),
      .path = SLICE_INIT("h1,h2"),
      .agreement = SLICE_INIT("ag"),
      .onward = true},
     "{\"tlp\":1,\"origin\":\"h\\\"1\",\"path\":\"h1,h2\",\"agreement\":\"ag\",\"onward\":true}"},
    {{.organisations = 100, .own_only = true}, "{\"organisations\":100,\"own_only\":true}"},
    {{.type = SLICE_INIT("identity"), .creates = 5}, "{\"type\":\"identity\",\"creates\":5}"},
    {{.tlp = 1, .corroborates = true, .members_only = true}, "{\"tlp\":1,\"corroborates\":true,\"members_only\":true}"},
};

static bool same(const struct share_facts *x, const struct share_facts *y)
{
    return slice_eq(x->collection, y->collection) && slice_eq(x->type, y->type) && x->tlp == y->tlp &&
           x->attribution == y->attribution && x->consent == y->consent && slice_eq(x->origin, y->origin) &&
           slice_eq(x->path, y->path) && slice_eq(x->agreement, y->agreement) && x->onward == y->onward &&
           x->organisations == y->organisations && x->own_only == y->own_only && x->creates == y->creates &&
           x->corroborates == y->corroborates && x->members_only == y->members_only;
}

static void test_share_facts__there_and_back(void **state)
{
    struct arena a = ARENA_INIT;
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < ROWS(key_rows); i++) {
        struct share_facts back;
        struct err err = ERR_INIT;
        buf_clear(&out);
        share_facts_put(&key_rows[i].facts, &out);
        assert_slice(buf_slice(&out), key_rows[i].key);
        if (share_facts_get(&a, buf_slice(&out), &back, &err) != 0 || !same(&key_rows[i].facts, &back))
            fail_row(i, "%s", err.text);
    }
    buf_free(&out);
    arena_free(&a);
}

/* Fewer classes: what decides nothing does not make a class of its own. */
static void test_share_facts__normal_form(void **state)
{
    struct share_facts consent = {.consent = SHARE_CONSENT_EVERYONE}, many = {.organisations = 5000};
    struct buf out = BUF_INIT;

    share_facts_put(&consent, &out);
    assert_slice(buf_slice(&out), "{}");
    buf_clear(&out);
    share_facts_put(&many, &out);
    assert_slice(buf_slice(&out), "{\"organisations\":100}");
    buf_free(&out);
}

static const char *const bad_rows[] = {
    "",
    "[]",
    "3",
    "{\"tlp\":32}",
    "{\"tlp\":-1}",
    "{\"tlp\":\"2\"}",
    "{\"tlp\":1.0}",
    "{\"consent\":4}",
    "{\"organisations\":101}",
    "{\"origin\":null}",
    "{\"onward\":1}",
    "{\"creates\":8}",
    "{\"tlp\":1,\"tlp\":2}",
    "{\"tlp\":1,\"embargo\":true}", /* what a newer build added may restrict */
};

static void test_share_facts__unreadable_is_refused(void **state)
{
    for (size_t i = 0; i < ROWS(bad_rows); i++) {
        struct arena a = ARENA_INIT;
        struct share_facts f;
        struct err err = ERR_INIT;
        if (share_facts_get(&a, slice_of(bad_rows[i]), &f, &err) == 0 || err.code == ERR_NONE)
            fail_row(i, "read: %s", bad_rows[i]);
        arena_free(&a);
    }
}

static void test_share_facts__category(void **state)
{
    assert_int_equal(share_category_of(SLICE("indicator")), SHARE_INDICATOR);
    assert_int_equal(share_category_of(SLICE("sighting")), SHARE_SIGHTING);
    assert_int_equal(share_category_of(SLICE("observed-data")), SHARE_SIGHTING);
    assert_int_equal(share_category_of(SLICE("malware")), SHARE_CONTEXT);
    assert_int_equal(share_category_of(SLICE("x-other")), SHARE_CONTEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_facts__there_and_back),
        cmocka_unit_test(test_share_facts__normal_form),
        cmocka_unit_test(test_share_facts__unreadable_is_refused),
        cmocka_unit_test(test_share_facts__category),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

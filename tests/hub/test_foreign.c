/* The door of partners that are no Tocsin: no signature, but their own name alone, under a ceiling. */
#include "hub_test.h"

#include "base/time.h"

#define FEED "0d0d0d0d-0000-4000-8000-00000000000d"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

/* 'a' accepted, 'u' unchanged, 'r' refused, 'h' held. */
static char receive(struct hub_test *t, struct hub_party *feed, const char *collection, const char *origin,
                    struct slice id, struct slice object)
{
    struct hub_event event = {
        .kind = STORE_ADD, .id = id, .object = object, .origin = slice_of(origin), .path = slice_of(origin)};
    struct hub_answer a;

    hub_answer_init(&a);
    struct submission s = {.door = HUB_PARTNER,
                           .from = feed,
                           .collection = slice_of(collection),
                           .events = &event,
                           .n_events = 1,
                           .cursor_name = SLICE("feed"),
                           .cursor = SLICE("2026-11-22T00:00:00.000000Z 1"),
                           .received_us = time_now_us(),
                           .done = hub_answer_take,
                           .arg = &a};
    assert_int_equal(hub_submit(t->hub, &s, NULL), 0);
    hub_answer_wait(&a);
    assert_int_equal(a.err.code, ERR_NONE);
    char verdict = a.accepted != 0 ? 'a' : a.unchanged != 0 ? 'u' : a.held != 0 ? 'h' : 'r';
    hub_answer_free(&a);
    return verdict;
}

static void test_hub_foreign__what_comes_in(void **state)
{
    static const struct {
        const char *more, *origin, *marking, *object; /* object: further members */
        char first, again;
        size_t seen;
    } rows[] = {
        {",\"default\":\"green\"", FEED, NULL, "", 'a', 'u', 1},
        {",\"default\":\"green\"", FEED, TLP_CLEAR, "", 'a', 'u', 1},
        {",\"default\":\"green\"", FEED, TLP_AMBER, "", 'r', 'r', 0},   /* above the ceiling */
        {"", FEED, NULL, "", 'h', 'h', 0},                              /* unmarked, and no default */
        {",\"default\":\"green\"", HUB_TEST_ID, NULL, "", 'r', 'r', 0}, /* speaks for another */
        {",\"default\":\"green\"", FEED, NULL, ",\"revoked\":true", 'u', 'u', 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hub_test t;
        struct arena a = ARENA_INIT;
        char c[37];
        hub_test_open(&t);
        hub_test_collection(&t, "threats", ",\"open\":true", c);
        struct hub_party *bank = hub_test_member(&t, "bank", "");
        hub_test_act(&t, HUB_PARTNER_PUT, NULL,
                     "{\"name\":\"feed\",\"foreign\":true,\"hub_id\":\"" FEED "\",\"key\":\"" ZERO
                     "\",\"agreement\":{\"id\":\"a-1\",\"ceiling\":\"green\",\"k\":3,\"onward\":false,\"categories\":"
                     "[\"indicator\",\"context\"],\"collections_out\":[]%s}}",
                     rows[i].more);
        struct hub_party *feed = hub_partner_party(t.hub, SLICE("feed"));
        struct slice object = hub_test_indicator(&a, 7, 5, rows[i].marking, rows[i].object),
                     id = hub_test_indicator_id(&a, 7);
        char first = receive(&t, feed, c, rows[i].origin, id, object),
             again = receive(&t, feed, c, rows[i].origin, id, object);
        size_t seen = hub_test_count(&t, bank, c);
        if (first != rows[i].first || again != rows[i].again || seen != rows[i].seen)
            fail_row(i, "%c %c %zu", first, again, seen);
        hub_party_drop(&feed);
        hub_party_drop(&bank);
        hub_test_close(&t);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hub_foreign__what_comes_in)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

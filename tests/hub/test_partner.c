/* The door of partner hubs: what comes over a link, and who may say what. */
#include "hub_test.h"

#include <string.h>

#define SOUTH "0b0b0b0b-0000-4000-8000-00000000000b"
#define WEST  "0c0c0c0c-0000-4000-8000-00000000000c"

enum { SOUTH_SECRET = 50, WEST_SECRET = 51 };

struct scene {
    struct hub_test t;
    struct hub_party *bank, *south;
    char c[37];
    struct arena a;
};

#define AGREEMENT(id, collection)                                                                                      \
    "{\"id\":\"" id "\",\"ceiling\":\"green\",\"k\":1,\"onward\":false,\"categories\":[\"indicator\",\"context\","     \
    "\"sighting\"],\"collections_out\":[\"" collection "\"]}"

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", ",\"open\":true", s->c);
    s->bank = hub_test_member(&s->t, "bank", "");
    s->south = hub_test_partner(&s->t, "south", SOUTH, SOUTH_SECRET, AGREEMENT("agreement-1", "threats"));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    hub_party_drop(&s->bank);
    hub_party_drop(&s->south);
    hub_test_close(&s->t);
    arena_free(&s->a);
    free(s);
    return 0;
}

struct sent {
    enum store_kind kind;
    struct slice id, object;
    const char *origin, *path;
    uint8_t secret;
    bool spoiled; /* one bit of the signature */
};

/* 'a' accepted, 'u' unchanged, 'r' refused, 'h' held. */
static char receive(struct scene *s, const struct sent *e, const char *cursor)
{
    uint8_t signature[CRYPTO_SIGNATURE];
    struct hub_event event = {.kind = e->kind,
                              .id = e->id,
                              .object = e->object,
                              .origin = slice_of(e->origin),
                              .path = slice_of(e->path),
                              .signature = slice_n((const char *)signature, sizeof signature),
                              .first_event_us = 1234567};
    struct hub_answer a;

    hub_test_sign(e->secret, event.origin, event.id, event.kind, event.object, signature);
    signature[10] ^= e->spoiled;
    hub_answer_init(&a);
    struct submission sub = {.door = HUB_PARTNER,
                             .from = s->south,
                             .collection = slice_of(s->c),
                             .events = &event,
                             .n_events = 1,
                             .cursor_name = SLICE("south"),
                             .cursor = slice_of(cursor),
                             .received_us = time_now_us(),
                             .done = hub_answer_take,
                             .arg = &a};
    assert_int_equal(hub_submit(s->t.hub, &sub, NULL), 0);
    hub_answer_wait(&a);
    if (a.err.code != ERR_NONE)
        fail_msg("%s %s", err_name(a.err.code), a.err.text);
    char verdict = a.accepted != 0 ? 'a' : a.unchanged != 0 ? 'u' : a.held != 0 ? 'h' : a.refused != 0 ? 'r' : '-';
    hub_answer_free(&a);
    return verdict;
}

static struct sent indicator(struct scene *s, unsigned n, unsigned version, const char *marking, const char *more)
{
    return (struct sent){STORE_ADD,
                         hub_test_indicator_id(&s->a, n),
                         hub_test_indicator(&s->a, n, version, marking, more),
                         SOUTH,
                         SOUTH,
                         SOUTH_SECRET,
                         false};
}

static struct sent tombstone(struct scene *s, unsigned n, enum store_kind kind)
{
    return (struct sent){kind, hub_test_indicator_id(&s->a, n), SLICE(""), SOUTH, SOUTH, SOUTH_SECRET, false};
}

/* Never trusted on first use: a hub that is to be followed is named by its own authority or key. */
static void test_hub_partner__is_known_before_it_is_followed(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *follow;
        enum err_code code;
    } rows[] = {
        {"\"url\":\"https://192.0.2.1:6443\"", ERR_CONF_VALUE},
        {"\"url\":\"https://192.0.2.1:6443\",\"ca\":\"\",\"pin\":\"\"", ERR_CONF_VALUE},
        {"\"url\":\"https://192.0.2.1:6443\",\"pin\":\"ab\"", ERR_CONF_VALUE},
        {"\"url\":\"http://192.0.2.1:6443\",\"ca\":\"x\"", ERR_CONF_VALUE},
        {"\"url\":\"ftp://192.0.2.1\",\"ca\":\"x\"", ERR_CONF_VALUE},
        {"\"url\":\"https://192.0.2.1:6443\",\"ca\":\"x\",\"cert\":\"y\"", ERR_CONF_VALUE},
        {"\"url\":\"https://192.0.2.1:6443\",\"ca\":\"x\"", ERR_NONE},
        {"\"url\":\"https://192.0.2.1:6443\",\"ca\":\"x\",\"cert\":\"y\",\"key\":\"z\"", ERR_NONE},
        {"\"url\":\"https://192.0.2.1:6443\","
         "\"pin\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         ERR_NONE},
        {"\"url\":\"http://127.0.0.1:6443\"", ERR_NONE},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hub_answer answer;
        struct slice detail =
            arena_printf(&s->a, "{\"name\":\"south\",\"follow\":{%s,\"into\":\"%s\"}}", rows[i].follow, s->c);
        hub_answer_init(&answer);
        hub_test_act_into(&s->t, HUB_PARTNER_PUT, NULL, detail, &answer);
        hub_answer_wait(&answer);
        if (answer.err.code != rows[i].code)
            fail_row(i, "%s: %s", err_name(answer.err.code), answer.err.text);
        hub_answer_free(&answer);
    }
}

static void test_hub_partner__events_come_in_byte_for_byte(void **state)
{
    struct scene *s = *state;
    struct sent e = indicator(s, 1, 1, TLP_GREEN, ", \"x_big\":18446744073709551616,\"x\":1.50");
    struct slice bytes;

    assert_int_equal(receive(s, &e, "1"), 'a');
    assert_true(slice_eq(hub_test_find(&s->t, s->bank, s->c, "n1.example", &s->a, &bytes), e.id));
    assert_true(slice_eq(bytes, e.object));
    assert_int_equal(receive(s, &e, "2"), 'u'); /* again: the link was broken */
    e = indicator(s, 1, 2, TLP_GREEN, "");
    assert_int_equal(receive(s, &e, "3"), 'a');
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    assert_int_equal(hub_test_count(&s->t, s->south, s->c), 0); /* no echo */
}

static void test_hub_partner__who_may_say_what(void **state)
{
    struct scene *s = *state;
    struct hub_party *west = hub_test_partner(&s->t, "west", WEST, WEST_SECRET, AGREEMENT("agreement-2", "threats"));
    struct sent rows[14];

    for (size_t i = 0; i < ROWS(rows); i++)
        rows[i] = indicator(s, (unsigned)i, 1, TLP_GREEN, "");
    rows[0].spoiled = true;
    rows[1].secret = WEST_SECRET;
    rows[2].origin = rows[2].path = WEST; /* signed by the origin, but we do not follow it here */
    rows[2].secret = WEST_SECRET;
    rows[3].origin = WEST;
    rows[4].origin = rows[4].path = HUB_TEST_ID; /* our own */
    rows[5].path = SOUTH "," HUB_TEST_ID;        /* it went through us: an echo */
    rows[6].path = "";
    rows[7].path = WEST "," SOUTH;
    rows[8].path = SOUTH "," WEST "," WEST;
    rows[9] = indicator(s, 9, 1, TLP_AMBER, ""); /* above the ceiling */
    rows[10].id = hub_test_indicator_id(&s->a, 999);
    rows[11].object = SLICE("{\"type\":\"indicator\",");
    rows[12].kind = STORE_WIDEN;
    rows[13].kind = STORE_RETRACT; /* and not revoked */
    for (size_t i = 0; i < ROWS(rows); i++)
        if (receive(s, &rows[i], "1") != 'r')
            fail_row(i, "not refused");
    struct sent empty = tombstone(s, 50, STORE_ADD), unmarked = indicator(s, 51, 1, NULL, "");
    assert_int_equal(receive(s, &empty, "1"), 'r');
    assert_int_equal(receive(s, &unmarked, "1"), 'h');
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 0);
    hub_party_drop(&west);
}

static void test_hub_partner__recalls_of_what_never_came_are_nothing(void **state)
{
    struct scene *s = *state;
    static const enum store_kind kinds[] = {STORE_RETRACT, STORE_RESTRICT, STORE_EXPIRE};

    for (unsigned i = 0; i < ROWS(kinds); i++) {
        struct sent e = tombstone(s, i, kinds[i]);
        assert_int_equal(receive(s, &e, "1"), 'u');
    }
    struct sent revoked = indicator(s, 7, 1, TLP_GREEN, ",\"revoked\":true");
    revoked.kind = STORE_RESTRICT;
    assert_int_equal(receive(s, &revoked, "1"), 'u');
    revoked.kind = STORE_RETRACT;
    assert_int_equal(receive(s, &revoked, "1"), 'u');
    struct hub_copies all = {.n = 0};
    hub_test_fresh(&s->t, s->bank, s->c, &all);
    assert_int_equal(all.n, 0); /* not even the pattern of what was taken back elsewhere */
    hub_copies_free(&all);
}

static size_t recalls_for(struct scene *s, struct hub_party *p, enum store_kind *kind_out)
{
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};

    hub_test_read(&s->t, p, s->c, STORE_RECALLS, false, 7, &at, &got);
    size_t n = got.n;
    if (n != 0)
        *kind_out = got.items[n - 1].kind;
    hub_copies_free(&got);
    return n;
}

static size_t count_content(struct scene *s, struct hub_party *p, enum store_kind kind)
{
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};
    size_t n = 0;

    hub_test_read(&s->t, p, s->c, STORE_CONTENT, false, 7, &at, &got);
    for (size_t i = 0; i < got.n; i++)
        n += got.items[i].kind == kind;
    hub_copies_free(&got);
    return n;
}

static void test_hub_partner__tombstones(void **state)
{
    struct scene *s = *state;
    struct hub_copies got = {.n = 0};
    struct sent e = indicator(s, 1, 1, TLP_GREEN, "");
    enum store_kind kind;

    assert_int_equal(receive(s, &e, "1"), 'a');
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    struct sent gone = tombstone(s, 1, STORE_RESTRICT);
    assert_int_equal(receive(s, &gone, "2"), 'a');
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 0);
    assert_int_equal(recalls_for(s, s->bank, &kind), 1);
    assert_int_equal(receive(s, &gone, "3"), 'u');
    e = indicator(s, 2, 1, TLP_GREEN, "");
    assert_int_equal(receive(s, &e, "4"), 'a');
    struct sent over = tombstone(s, 2, STORE_EXPIRE);
    assert_int_equal(receive(s, &over, "5"), 'a');
    /* The partner's bytes cannot be changed: pages go on as a poller knows it, followers are told. */
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    assert_int_equal(count_content(s, s->bank, STORE_EXPIRE), 1);
    assert_int_equal(count_content(s, s->bank, STORE_ADD), 0);
    assert_int_equal(receive(s, &over, "6"), 'u');
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    assert_int_equal(hub_test_get(&s->t, s->bank, s->c, e.id, false, &got), 0);
    assert_int_equal(got.n, 1);
    hub_copies_free(&got);
    struct sent revoked = indicator(s, 2, 9, TLP_GREEN, ",\"revoked\":true");
    revoked.kind = STORE_RETRACT;
    assert_int_equal(receive(s, &revoked, "7"), 'a');
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 0);
    struct sent again = indicator(s, 2, 10, TLP_GREEN, "");
    assert_int_equal(receive(s, &again, "8"), 'r'); /* final */
}

static void test_hub_partner__cursor_commits_with_the_rows(void **state)
{
    struct scene *s = *state;
    struct sent e = indicator(s, 1, 1, TLP_GREEN, "");
    struct slice cursor;

    assert_int_equal(receive(s, &e, "the first"), 'a');
    assert_int_equal(hub_cursor_get(s->t.hub, &s->a, SLICE("south"), &cursor), 0);
    assert_slice(cursor, "the first");
    e.spoiled = true;
    assert_int_equal(receive(s, &e, "past the bad one"), 'r'); /* else it would be asked for for ever */
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_int_equal(hub_cursor_get(s->t.hub, &s->a, SLICE("south"), &cursor), 0);
    assert_slice(cursor, "past the bad one");
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    e.spoiled = false;
    assert_int_equal(receive(s, &e, "3"), 'u');
}

/* The id that our member's release has: the partner knows it, and may say nothing of it. */
static void test_hub_partner__cannot_touch_a_members_object(void **state)
{
    struct scene *s = *state;
    struct hub_party *reader = hub_test_member(&s->t, "reader", "");
    enum store_kind kind;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_partners\":[\"south\"]}");
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    struct slice id = hub_test_find(&s->t, reader, s->c, "n1.example", &s->a, NULL);
    struct sent e = tombstone(s, 0, STORE_RETRACT);
    e.id = id;
    assert_int_equal(receive(s, &e, "1"), 'u');
    e.kind = STORE_EXPIRE;
    assert_int_equal(receive(s, &e, "1"), 'u');
    /* an object of its own with that id is another object */
    struct slice text = hub_test_indicator(&s->a, 2, 9, TLP_GREEN, "");
    struct buf forged = BUF_INIT;
    buf_printf(&forged, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" SLICE_FMT "\",%s", SLICE_ARG(id),
               strstr(text.ptr, "\"created\""));
    e = (struct sent){STORE_ADD, id, buf_slice(&forged), SOUTH, SOUTH, SOUTH_SECRET, false};
    assert_int_equal(receive(s, &e, "1"), 'a');
    struct hub_copies all = {.n = 0};
    hub_test_fresh(&s->t, reader, s->c, &all);
    bool still = false;
    for (size_t i = 0; i < all.n; i++)
        still = still || (hub_holds(all.items[i].bytes, "n1.example") && !all.items[i].revoked);
    assert_true(still);
    hub_copies_free(&all);
    struct slice bytes;
    assert_true(
        slice_eq(hub_test_find(&s->t, s->bank, s->c, "n1.example", &s->a, &bytes), hub_test_indicator_id(&s->a, 1)));
    assert_int_equal(recalls_for(s, reader, &kind), 0);
    buf_free(&forged);
    hub_party_drop(&reader);
}

/* What came from one partner under GREEN goes to no other. */
static void test_hub_partner__nothing_goes_on_to_third_parties(void **state)
{
    struct scene *s = *state;
    struct hub_party *west =
        hub_test_partner(&s->t, "west", WEST, WEST_SECRET,
                         arena_printf(&s->a,
                                      "{\"id\":\"agreement-2\",\"ceiling\":\"amber\",\"k\":1,\"onward\":true,"
                                      "\"categories\":[\"indicator\",\"context\"],\"collections_out\":[\"%s\"]}",
                                      s->c)
                             .ptr);
    struct sent green = indicator(s, 1, 1, TLP_GREEN, ""), clear = indicator(s, 2, 1, TLP_CLEAR, "");

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_partners\":[\"south\",\"west\"]}");
    assert_int_equal(receive(s, &green, "1"), 'a');
    assert_int_equal(receive(s, &clear, "2"), 'a');
    assert_null(hub_test_find(&s->t, west, s->c, "n1.example", &s->a, NULL).ptr);
    assert_non_null(hub_test_find(&s->t, west, s->c, "n2.example", &s->a, NULL).ptr);
    assert_int_equal(hub_test_count(&s->t, s->south, s->c), 0);
    hub_party_drop(&west);
}

/* Every object that this party sees names a creator that it sees too: how many do. */
static size_t count_created(struct scene *s, struct hub_party *p)
{
    struct hub_copies all = {.n = 0};
    size_t n = 0;

    hub_test_fresh(&s->t, p, s->c, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct json root;
        assert_int_equal(json_parse(&s->a, all.items[i].bytes, NULL, &root, NULL), 0);
        struct slice creator = json_text(json_get(root, SLICE("created_by_ref")));
        if (creator.len != 0 && hub_copies_find(&all, creator) == NULL)
            fail_msg("no creator for " SLICE_FMT, SLICE_ARG(all.items[i].bytes));
        n += creator.len != 0;
    }
    size_t others = all.n - n;
    hub_copies_free(&all);
    assert_true(others <= n); /* and no creator of anything else */
    return n;
}

/* An agreement about one category brings the creators of its objects, and of nothing else. */
static void test_hub_partner__a_category_brings_its_creators(void **state)
{
    static const char *const consents[] = {"none", "everyone"};
    struct scene *s = *state;
    struct slice malware =
        SLICE("{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\","
              "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"x\","
              "\"is_family\":false,\"object_marking_refs\":[\"" TLP_CLEAR "\"]}");
    struct hub_party *west = hub_test_partner(
        &s->t, "west", WEST, WEST_SECRET,
        arena_printf(&s->a,
                     "{\"id\":\"agreement-2\",\"ceiling\":\"green\",\"k\":1,\"categories\":[\"indicator\"],"
                     "\"collections_out\":[\"%s\"]}",
                     s->c)
            .ptr);

    for (size_t i = 0; i < ROWS(consents); i++) {
        struct hub_party *m = hub_test_member(
            &s->t, arena_printf(&s->a, "m%zu", i).ptr,
            arena_printf(&s->a, ",\"organisation\":\"Org %zu\",\"consent\":\"%s\"", i, consents[i]).ptr);
        hub_test_submit_good(&s->t, m, s->c, malware.ptr);
        assert_int_equal(count_created(s, west), i); /* who submitted no indicator does not exist there */
        hub_test_submit_good(&s->t, m, s->c, hub_test_indicator(&s->a, 1, 1, TLP_CLEAR, "").ptr);
        assert_int_equal(count_created(s, west), i + 1);
        hub_party_drop(&m);
    }
    hub_party_drop(&west);
}

static void test_hub_partner__a_hub_is_no_partner_of_itself(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *hub_id;
    } rows[] = {{HUB_TEST_ID}, {"not-a-uuid"}, {""}, {SOUTH}};

    for (size_t i = 0; i < ROWS(rows); i++)
        if (hub_test_act_fails(&s->t, HUB_PARTNER_PUT, NULL,
                               "{\"name\":\"new%zu\",\"hub_id\":\"%s\",\"key\":\"%064d\",\"agreement\":{\"id\":\"x\"}}",
                               i, rows[i].hub_id, 1) != ERR_CONF_VALUE)
            fail_row(i, "taken");
}

/* Partners do not submit at the members' door, and members not at theirs. */
static void test_hub_partner__each_at_its_own_door(void **state)
{
    struct scene *s = *state;
    struct hub_answer *a = hub_test_submit(&s->t, s->south, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);

    assert_int_equal(a->err.code, ERR_FORBIDDEN);
    hub_answer_free(a);
    free(a);
    struct sent e = indicator(s, 1, 1, TLP_GREEN, "");
    struct hub_party *south = s->south;
    struct hub_answer answer;
    struct hub_event event = {.kind = e.kind, .id = e.id, .object = e.object, .origin = SLICE(SOUTH)};
    s->south = south;
    hub_answer_init(&answer);
    struct submission sub = {.door = HUB_PARTNER,
                             .from = s->bank,
                             .collection = slice_of(s->c),
                             .events = &event,
                             .n_events = 1,
                             .done = hub_answer_take,
                             .arg = &answer};
    assert_int_equal(hub_submit(s->t.hub, &sub, NULL), 0);
    hub_answer_wait(&answer);
    assert_int_equal(answer.err.code, ERR_FORBIDDEN);
    hub_answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_partner__is_known_before_it_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__events_come_in_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__who_may_say_what, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__recalls_of_what_never_came_are_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__tombstones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__cursor_commits_with_the_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__cannot_touch_a_members_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__nothing_goes_on_to_third_parties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__a_category_brings_its_creators, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__a_hub_is_no_partner_of_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_partner__each_at_its_own_door, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Corroboration (DESIGN.md invariant 3): the same value under another id is an edge, seen by those who see both ends.
 */
#include "hub_test.h"

#include <string.h>
#include <unistd.h>

#include "hub/edges.h"

#define SOUTH "0b0b0b0b-0000-4000-8000-00000000000b"
#define WEST  "0c0c0c0c-0000-4000-8000-00000000000c"

enum { SUBMITTERS = 5 };

struct scene {
    struct hub_test t;
    struct hub_party *who[SUBMITTERS], *reader, *listed, *south, *west;
    char c[37];
    struct arena a;
};

static struct hub_party *partner(struct scene *s, const char *name, const char *id, uint8_t secret,
                                 const char *categories)
{
    return hub_test_partner(&s->t, name, id, secret,
                            arena_printf(&s->a,
                                         "{\"id\":\"agreement-%s\",\"ceiling\":\"amber\",\"k\":1,\"categories\":[%s],"
                                         "\"collections_out\":[\"%s\"]}",
                                         name, categories, s->c)
                                .ptr);
}

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", ",\"open\":true,\"add_partners\":[\"south\",\"west\"]", s->c);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        s->who[i] =
            hub_test_member(&s->t, arena_printf(&s->a, "m%u", i).ptr,
                            arena_printf(&s->a, ",\"organisation\":\"Org %u\"%s", i == 4 ? 3 : i,
                                         i == 3 ? ",\"client_of\":[\"m2\"]" : "") /* 2, 3 and 4 are one family */
                                .ptr);
    s->reader = hub_test_member(&s->t, "reader", "");
    s->listed = hub_test_member(&s->t, "listed", "");
    s->south = partner(s, "south", SOUTH, 50, "\"indicator\",\"context\"");
    s->west = partner(s, "west", WEST, 51, "\"context\"");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"listed\"]}");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < SUBMITTERS; i++)
        hub_party_drop(&s->who[i]);
    hub_party_drop(&s->reader);
    hub_party_drop(&s->listed);
    hub_party_drop(&s->south);
    hub_party_drop(&s->west);
    hub_test_close(&s->t);
    arena_free(&s->a);
    free(s);
    return 0;
}

/* Indicator `n` of a value that several may name. */
static struct slice named(struct scene *s, unsigned n, unsigned version, const char *value, const char *marking,
                          const char *more)
{
    return arena_printf(&s->a,
                        "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" SLICE_FMT
                        "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:%02u.000Z\","
                        "\"pattern\":\"[domain-name:value = '%s']\",\"pattern_type\":\"stix\",\"valid_from\":"
                        "\"2026-01-01T00:00:00Z\",\"object_marking_refs\":[\"%s\"]%s}",
                        SLICE_ARG(hub_test_indicator_id(&s->a, n)), version, value, marking, more);
}

static void submit(struct scene *s, unsigned who, unsigned n, unsigned version, const char *value, const char *marking,
                   const char *more)
{
    hub_test_submit_good(&s->t, s->who[who], s->c, named(s, n, version, value, marking, more).ptr);
}

/* The edges that a fresh reader holds; both ends of each stand in what it holds too. */
static size_t edges(struct scene *s, struct hub_party *p)
{
    struct hub_copies all = {.n = 0};
    size_t n = 0;

    hub_test_fresh(&s->t, p, s->c, &all);
    for (size_t i = 0; i < all.n; i++) {
        static const char *const ends[] = {"source_ref", "target_ref"};
        struct json root;
        if (!hub_holds(all.items[i].bytes, "Corroborates") || all.items[i].revoked ||
            hub_copies_find(&all, all.items[i].id) != &all.items[i])
            continue;
        assert_int_equal(json_parse(&s->a, all.items[i].bytes, NULL, &root, NULL), 0);
        for (size_t k = 0; k < 2; k++) {
            const struct hub_copy *end = hub_copies_find(&all, json_text(json_get(root, slice_of(ends[k]))));
            if (end == NULL || end->revoked)
                fail_msg("no end: " SLICE_FMT, SLICE_ARG(all.items[i].bytes));
        }
        n++;
    }
    hub_copies_free(&all);
    return n;
}

static void expect(struct scene *s, struct hub_party *p, size_t n)
{
    hub_test_settle(&s->t);
    size_t have = edges(s, p);
    if (have != n)
        fail_msg("%zu edges, not %zu", have, n);
}

static void test_hub_corroborate__two_organisations(void **state)
{
    struct scene *s = *state;

    submit(s, 0, 1, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 0);
    submit(s, 0, 2, 1, "one.example", TLP_GREEN, ""); /* its own second id */
    submit(s, 1, 3, 1, "other.example", TLP_GREEN, "");
    expect(s, s->reader, 0);
    submit(s, 1, 4, 1, "ONE.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    submit(s, 1, 5, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    expect(s, s->south, 1); /* own objects both, under an agreement that has indicators and context */
    expect(s, s->west, 0);
    /* an owner reads it under its own id */
    expect(s, s->who[0], 1);
    struct slice bytes;
    assert_non_null(hub_test_find(&s->t, s->who[0], s->c, "Corroborates", &s->a, &bytes).ptr);
    assert_true(hub_holds(bytes, hub_test_indicator_id(&s->a, 1).ptr));
    assert_false(hub_holds(bytes, hub_test_indicator_id(&s->a, 4).ptr));
    assert_false(hub_holds(bytes, "Org 0") || hub_holds(bytes, "Org 1"));
}

static void test_hub_corroborate__families_are_one_voice(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 2; i < SUBMITTERS; i++)
        submit(s, i, 10 + i, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 0);
    submit(s, 0, 10, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    submit(s, 1, 11, 1, "one.example", TLP_GREEN, ""); /* three voices: a star of two */
    expect(s, s->reader, 2);
}

#define KNOWN                                                                                                          \
    ",\"extensions\":{\"" STIX_TOCSIN_INDICATOR "\":{\"extension_type\":\"property-extension\",\"how_known\":"         \
    "\"open-source\"}}"

static void test_hub_corroborate__copies_of_open_sources_are_one_voice(void **state)
{
    struct scene *s = *state;

    submit(s, 0, 1, 1, "one.example", TLP_GREEN, KNOWN);
    submit(s, 1, 2, 1, "one.example", TLP_GREEN, KNOWN);
    expect(s, s->reader, 0);
    submit(s, 2, 3, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
}

/* Who sees one end sees no edge, no count, and nothing by its id. */
static void test_hub_corroborate__both_ends_or_nothing(void **state)
{
    struct scene *s = *state;
    struct slice bytes;

    submit(s, 0, 1, 1, "one.example", TLP_GREEN, "");
    hub_test_settle(&s->t);
    size_t before = hub_test_count(&s->t, s->reader, s->c);
    submit(s, 1, 2, 1, "one.example", TLP_STRICT, "");
    expect(s, s->listed, 1);
    expect(s, s->reader, 0);
    assert_int_equal(hub_test_count(&s->t, s->reader, s->c), before);
    struct slice id = hub_test_find(&s->t, s->listed, s->c, "Corroborates", &s->a, &bytes);
    struct hub_copies got = {.n = 0};
    hub_test_get(&s->t, s->reader, s->c, id, true, &got);
    assert_int_equal(got.n, 0);
    hub_test_get(&s->t, s->south, s->c, id, true, &got);
    assert_int_equal(got.n, 0);
    hub_test_get(&s->t, s->listed, s->c, id, true, &got);
    assert_int_equal(got.n, 1);
    hub_copies_free(&got);
    /* a wider one takes its place where that can be seen by more */
    submit(s, 1, 3, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    expect(s, s->listed, 1);
}

static void test_hub_corroborate__an_edge_follows_its_ends(void **state)
{
    struct scene *s = *state;

    submit(s, 0, 1, 1, "one.example", TLP_GREEN, "");
    submit(s, 1, 2, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    submit(s, 1, 2, 2, "one.example", TLP_STRICT, ""); /* narrowed */
    expect(s, s->reader, 0);
    expect(s, s->listed, 1);
    submit(s, 1, 2, 3, "one.example", TLP_GREEN, ""); /* and shared again */
    expect(s, s->reader, 1);
    submit(s, 1, 2, 4, "two.example", TLP_GREEN, ""); /* another value */
    expect(s, s->reader, 0);
    submit(s, 1, 2, 5, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    submit(s, 1, 2, 6, "one.example", TLP_GREEN, ",\"valid_until\":\"2026-02-02T00:00:00Z\""); /* expired */
    expect(s, s->reader, 0);
    submit(s, 1, 3, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    submit(s, 1, 3, 2, "one.example", TLP_GREEN, ",\"revoked\":true");
    expect(s, s->reader, 0);
    submit(s, 2, 4, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    struct slice id = hub_test_find(&s->t, s->reader, s->c, "one.example", &s->a, NULL);
    for (unsigned i = 0; i < 3; i += 2)
        if (hub_test_act_fails(&s->t, HUB_DELETE, s->who[i], "{\"collection\":\"%s\",\"id\":\"%.*s\",\"all\":true}",
                               s->c, SLICE_ARG(id)) == ERR_NONE)
            break;
    expect(s, s->reader, 0);
}

static void receive(struct scene *s, enum store_kind kind, unsigned n, struct slice object)
{
    hub_test_receive(&s->t, s->south, 50, s->c,
                     &(struct hub_event){.kind = kind,
                                         .id = hub_test_indicator_id(&s->a, n),
                                         .object = object,
                                         .origin = SLICE(SOUTH),
                                         .path = SLICE(SOUTH)});
}

/* A partner is one voice; what speaks of its objects stays with this hub's members. */
static void test_hub_corroborate__a_partners_end_is_for_members(void **state)
{
    struct scene *s = *state;

    receive(s, STORE_ADD, 50, named(s, 50, 1, "one.example", TLP_CLEAR, ""));
    receive(s, STORE_ADD, 51, named(s, 51, 1, "one.example", TLP_CLEAR, ""));
    expect(s, s->reader, 0);
    submit(s, 0, 1, 1, "one.example", TLP_CLEAR, "");
    expect(s, s->reader, 1);
    expect(s, s->south, 0);
    expect(s, s->west, 0);
    receive(s, STORE_RETRACT, 50, SLICE(""));
    expect(s, s->reader, 1); /* its other one stands for it now */
    receive(s, STORE_RETRACT, 51, SLICE(""));
    expect(s, s->reader, 0);
}

static void restart(struct scene *s)
{
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
}

/* Stopped at any moment, and the index lost or damaged: the same edges, none twice. */
static void test_hub_corroborate__restarts_and_a_lost_index(void **state)
{
    struct scene *s = *state;
    char path[3][128];

    for (unsigned i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/index.db%s", s->t.dir, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 5; i++) {
            const char *value = arena_printf(&s->a, "v%u-%u.example", round, i).ptr;
            submit(s, 0, 100 + round * 10 + i, 1, value, TLP_GREEN, "");
            submit(s, 1, 200 + round * 10 + i, 1, value, TLP_GREEN, "");
        }
        hub_test_stop(&s->t); /* in the middle, or not */
        if (round == 1)
            for (unsigned i = 0; i < 3; i++)
                unlink(path[i]);
        if (round == 2) {
            FILE *f = fopen(path[0], "r+");
            assert_non_null(f);
            for (unsigned i = 0; i < 4096; i++)
                fputc('x', f);
            fclose(f);
        }
        hub_test_start(&s->t);
        expect(s, s->reader, 5 * (round + 1));
    }
    /* narrowed, and the index lost before anybody looked at it */
    submit(s, 1, 200, 2, "v0-0.example", TLP_STRICT, "");
    hub_test_stop(&s->t);
    for (unsigned i = 0; i < 3; i++)
        unlink(path[i]);
    hub_test_start(&s->t);
    expect(s, s->reader, 19);
    uint64_t head = atomic_load(&s->t.hub->head);
    restart(s);
    hub_test_settle(&s->t);
    assert_int_equal(atomic_load(&s->t.hub->head), head); /* nothing new is said */
}

/* An older one, as from a backup: what came since is caught up with. */
static void test_hub_corroborate__an_older_index_catches_up(void **state)
{
    struct scene *s = *state;
    char here[128], there[128];

    submit(s, 0, 1, 1, "one.example", TLP_GREEN, "");
    hub_test_settle(&s->t);
    hub_test_stop(&s->t);
    snprintf(here, sizeof here, "%s/index.db", s->t.dir);
    snprintf(there, sizeof there, "%s/index.db.kept", s->t.dir);
    assert_int_equal(rename(here, there), 0);
    hub_test_start(&s->t);
    submit(s, 1, 2, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 1);
    hub_test_stop(&s->t);
    assert_int_equal(rename(there, here), 0);
    hub_test_start(&s->t);
    submit(s, 2, 3, 1, "one.example", TLP_GREEN, "");
    expect(s, s->reader, 2);
}

/* N submitters make N - 1 edges. */
static void test_hub_corroborate__a_popular_value_is_linear(void **state)
{
    enum { MANY = 40 };
    struct scene *s = *state;

    for (unsigned i = 0; i < MANY; i++) {
        struct hub_party *p = hub_test_member(&s->t, arena_printf(&s->a, "many%u", i).ptr, "");
        hub_test_submit_good(&s->t, p, s->c, named(s, 300 + i, 1, "popular.example", TLP_GREEN, "").ptr);
        hub_party_drop(&p);
    }
    expect(s, s->reader, MANY - 1);
}

/* What a submitter is told is the same with and without what it may not see (invariant 6). */
static void test_hub_corroborate__answers_tell_nothing(void **state)
{
    struct scene *s = *state;

    submit(s, 0, 1, 1, "one.example", TLP_STRICT, "");
    submit(s, 1, 9, 1, "first.example", TLP_GREEN, "");
    hub_test_settle(&s->t);
    struct hub_answer *known =
        hub_test_submit(&s->t, s->who[1], s->c, named(s, 2, 1, "one.example", TLP_GREEN, "").ptr);
    struct hub_answer *fresh =
        hub_test_submit(&s->t, s->who[1], s->c, named(s, 3, 1, "new.example", TLP_GREEN, "").ptr);
    hub_test_settle(&s->t);
    assert_int_equal(known->accepted, fresh->accepted);
    assert_int_equal(known->unchanged, fresh->unchanged);
    assert_int_equal(known->last_seq - known->first_seq, fresh->last_seq - fresh->first_seq);
    assert_int_equal(known->status.len, fresh->status.len);
    expect(s, s->who[1], 0);
    hub_answer_free(known);
    hub_answer_free(fresh);
    free(known);
    free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_corroborate__two_organisations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__families_are_one_voice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__copies_of_open_sources_are_one_voice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__both_ends_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__an_edge_follows_its_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__a_partners_end_is_for_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__restarts_and_a_lost_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__an_older_index_catches_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__a_popular_value_is_linear, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_corroborate__answers_tell_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sightings (DESIGN.md invariant 8): what leaves is a band over organisations, to the hour, without where. */
#include "hub_test.h"

#include <string.h>
#include <unistd.h>

#define SOUTH "0b0b0b0b-0000-4000-8000-00000000000b"
enum { MEMBERS = 6 };

struct scene {
    struct hub_test t;
    struct hub_party *bank, *reader, *south, *seers[MEMBERS];
    char c[37];
    struct slice subject; /* id of the release of the bank's indicator */
    struct arena a;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", ",\"open\":true,\"add_partners\":[\"south\"]", s->c);
    s->bank = hub_test_member(&s->t, "bank", "");
    s->reader = hub_test_member(&s->t, "reader", "");
    for (unsigned i = 0; i < MEMBERS; i++) /* two and two are one organisation */
        s->seers[i] = hub_test_member(
            &s->t, arena_printf(&s->a, "seer%u", i).ptr,
            arena_printf(&s->a, ",\"organisation\":\"Watchers %u\",\"domains\":[\"watch.example\"]", i / 2).ptr);
    s->south = hub_test_partner(&s->t, "south", SOUTH, 50,
                                arena_printf(&s->a,
                                             "{\"id\":\"agreement-1\",\"ceiling\":\"green\",\"k\":3,\"categories\":["
                                             "\"indicator\",\"context\",\"sighting\"],\"collections_out\":[\"%s\"]}",
                                             s->c)
                                    .ptr);
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    s->subject = hub_test_find(&s->t, s->reader, s->c, "n1.example", &s->a, NULL);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    hub_party_drop(&s->bank);
    hub_party_drop(&s->reader);
    hub_party_drop(&s->south);
    for (unsigned i = 0; i < MEMBERS; i++)
        hub_party_drop(&s->seers[i]);
    hub_test_close(&s->t);
    arena_free(&s->a);
    free(s);
    return 0;
}

static struct slice sighting(struct scene *s, unsigned n, unsigned version, struct slice of, unsigned count,
                             const char *more)
{
    return arena_printf(
        &s->a,
        "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":\"sighting--00000000-0000-4000-8000-%012u\","
        "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:%02u.000Z\","
        "\"first_seen\":\"2026-03-04T05:06:07.89Z\",\"last_seen\":\"2026-03-04T09:10:11.12Z\",\"count\":%u,"
        "\"sighting_of_ref\":\"" SLICE_FMT
        "\",\"where_sighted_refs\":[\"identity--00000000-0000-4000-8000-000000000001\"]%s}",
        n, version, count, SLICE_ARG(of), more);
}

#define ONWARD(word)                                                                                                   \
    ",\"extensions\":{\"" STIX_TOCSIN_SIGHTING "\":{\"extension_type\":\"property-extension\",\"onward\":\"" word "\"" \
    "}}"

static void report(struct scene *s, struct hub_party *by, struct slice text)
{
    hub_test_submit_good(&s->t, by, s->c, text.ptr);
}

/* The last band that this party sees; {NULL,0}: none. Bands come a moment after the answer. */
static struct slice band_for(struct scene *s, struct hub_party *p)
{
    struct hub_copies got = {.n = 0};
    struct slice band = {NULL, 0};

    hub_test_fresh(&s->t, p, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        if (!got.items[i].own && slice_starts(got.items[i].id, SLICE("sighting--")))
            band = arena_copy(&s->a, got.items[i].bytes);
    hub_copies_free(&got);
    return band;
}

static struct slice wait_for_band(struct scene *s, struct hub_party *p, const char *text)
{
    struct slice band = band_for(s, p);

    for (int i = 0; i < 500 && (band.ptr == NULL || !hub_holds(band, text)); i++) {
        usleep(10000);
        band = band_for(s, p);
    }
    if (band.ptr == NULL || !hub_holds(band, text))
        fail_msg("no band with %s", text);
    return band;
}

/* Nothing more is under way: a later report of something else has come through. */
static void settle(struct scene *s)
{
    static unsigned n = 100;

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, ++n, 1, TLP_GREEN, "").ptr);
    struct slice other = hub_test_find(&s->t, s->reader, s->c, arena_printf(&s->a, "n%u.example", n).ptr, &s->a, NULL);
    report(s, s->seers[0], sighting(s, n, 1, other, 1, ONWARD("aggregate")));
    wait_for_band(s, s->reader, arena_copy(&s->a, other).ptr);
}

static void test_hub_sighting__nothing_leaves_without_leave(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 5, ""));
    report(s, s->seers[1], sighting(s, 2, 1, s->subject, 5, ONWARD("none")));
    report(s, s->seers[2], sighting(s, 3, 1, s->subject, 5, ONWARD("everything")));
    settle(s);
    struct hub_copies got = {.n = 0};
    hub_test_fresh(&s->t, s->reader, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        assert_false(slice_starts(got.items[i].id, SLICE("sighting--")) &&
                     hub_holds(got.items[i].bytes, s->subject.ptr));
    hub_copies_free(&got);
    /* its reporter has it back, byte for byte */
    hub_test_fresh(&s->t, s->seers[1], s->c, &got);
    const struct hub_copy *own = hub_copies_find(&got, SLICE("sighting--00000000-0000-4000-8000-000000000002"));
    assert_non_null(own);
    assert_true(slice_eq(own->bytes, sighting(s, 2, 1, s->subject, 5, ONWARD("none"))));
    hub_copies_free(&got);
}

static void test_hub_sighting__bands_are_coarse(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 7, ONWARD("aggregate")));
    struct slice band = wait_for_band(s, s->reader, "\"count\":1,");
    assert_true(hub_holds(band, "\"first_seen\":\"2026-03-04T05:00:00.000000Z\""));
    assert_true(hub_holds(band, "\"last_seen\":\"2026-03-04T10:00:00.000000Z\""));
    assert_true(hub_holds(band, "\"summary\":true"));
    assert_true(hub_holds(band, TLP_GREEN));
    for (size_t i = 0; i < 3; i++) {
        static const char *const never[] = {"where_sighted", "watch", "seer"};
        assert_false(hub_holds(band, never[i]));
    }
    report(s, s->seers[2], sighting(s, 1, 1, s->subject, 4, ONWARD("aggregate")));
    wait_for_band(s, s->reader, "\"count\":10,");
    report(s, s->seers[2], sighting(s, 2, 1, s->subject, 400, ONWARD("aggregate")));
    wait_for_band(s, s->reader, "\"count\":100,");
    assert_int_equal(hub_test_count(&s->t, s->reader, s->c), 2); /* versions of one object */
}

static void test_hub_sighting__k_counts_organisations(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < 4; i++) /* four members, two organisations */
        report(s, s->seers[i], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    settle(s);
    assert_null(band_for(s, s->south).ptr);
    report(s, s->seers[4], sighting(s, 1, 1, s->subject, 1, ONWARD("none")));
    settle(s);
    assert_null(band_for(s, s->south).ptr);
    report(s, s->seers[5], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    struct slice band = wait_for_band(s, s->south, s->subject.ptr);
    assert_true(hub_holds(band, "\"count\":1,"));
    assert_false(hub_holds(band, "where_sighted"));
}

static void test_hub_sighting__owner_reads_its_own_id(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    wait_for_band(s, s->reader, s->subject.ptr);
    struct slice band = wait_for_band(s, s->bank, "sighting_of_ref");
    assert_true(hub_holds(band, hub_test_indicator_id(&s->a, 1).ptr));
    assert_false(hub_holds(band, s->subject.ptr));
}

/* Whoever sights its own object does so under its own id. */
static void test_hub_sighting__own_object_under_its_own_id(void **state)
{
    struct scene *s = *state;

    report(s, s->bank, sighting(s, 1, 1, hub_test_indicator_id(&s->a, 1), 1, ONWARD("aggregate")));
    struct slice band = wait_for_band(s, s->reader, s->subject.ptr);
    assert_false(hub_holds(band, hub_test_indicator_id(&s->a, 1).ptr));
}

static void test_hub_sighting__goes_no_wider_than_its_subject(void **state)
{
    struct scene *s = *state;
    struct hub_copies got = {.n = 0};

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"seer0\"]}");
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 2, 1, TLP_STRICT, "").ptr);
    struct slice strict = hub_test_find(&s->t, s->seers[0], s->c, "n2.example", &s->a, NULL);
    report(s, s->seers[0], sighting(s, 1, 1, strict, 1, ONWARD("aggregate")));
    wait_for_band(s, s->seers[0], strict.ptr);
    settle(s);
    hub_test_fresh(&s->t, s->reader, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        assert_false(hub_holds(got.items[i].bytes, strict.ptr));
    hub_copies_free(&got);
}

/* What is for its submitter alone is named to nobody, whoever says that it was seen. */
static void test_hub_sighting__of_what_nobody_sees_is_nothing(void **state)
{
    struct scene *s = *state;
    struct slice items[2] = {
        SLICE("{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000000-0000-4000-8000-"
              "000000000077\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
              "\"name\":\"x\",\"object_marking_refs\":[\"" TLP_GREEN "\"]}"),
        hub_test_indicator(&s->a, 3, 1, TLP_GREEN,
                           ",\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000077\"")};
    struct hub_copies got = {.n = 0};

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_list(&s->a, items, 2).ptr);
    report(s, s->bank,
           sighting(s, 1, 1, SLICE("identity--00000000-0000-4000-8000-000000000077"), 1, ONWARD("aggregate")));
    report(s, s->bank,
           sighting(s, 2, 1, SLICE("indicator--99999999-0000-4000-8000-000000000001"), 1, ONWARD("aggregate")));
    settle(s);
    hub_test_fresh(&s->t, s->reader, s->c, &got);
    size_t bands = 0;
    for (size_t i = 0; i < got.n; i++)
        bands += slice_starts(got.items[i].id, SLICE("sighting--"));
    assert_int_equal(bands, 1); /* that of settle() */
    hub_copies_free(&got);
}

/* A later version counts in the place of the earlier, an older one that comes late does not count, a revoked one is
 * taken out. */
static void test_hub_sighting__versions_count_once(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 5, s->subject, 9, ONWARD("aggregate")));
    report(s, s->seers[0], sighting(s, 1, 6, s->subject, 9, ONWARD("aggregate")));
    report(s, s->seers[0], sighting(s, 1, 2, s->subject, 900, ONWARD("aggregate")));
    settle(s);
    struct hub_copies got = {.n = 0};
    hub_test_fresh(&s->t, s->reader, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        if (slice_starts(got.items[i].id, SLICE("sighting--")) && hub_holds(got.items[i].bytes, s->subject.ptr))
            assert_true(hub_holds(got.items[i].bytes, "\"count\":1,"));
    hub_copies_free(&got);
    report(s, s->seers[0], sighting(s, 1, 7, s->subject, 9, ONWARD("aggregate") ",\"revoked\":true"));
    report(s, s->seers[2], sighting(s, 1, 1, s->subject, 9, ONWARD("aggregate")));
    settle(s);
    hub_test_fresh(&s->t, s->reader, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        if (slice_starts(got.items[i].id, SLICE("sighting--")) && hub_holds(got.items[i].bytes, s->subject.ptr))
            assert_true(hub_holds(got.items[i].bytes, "\"count\":1,"));
    hub_copies_free(&got);
}

/* The band of the subject that this party holds, not revoked; {NULL,0}: none. */
static struct slice holds_band(struct scene *s, struct hub_party *p, struct slice subject)
{
    struct hub_copies got = {.n = 0};
    struct slice band = {NULL, 0};

    hub_test_fresh(&s->t, p, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        if (slice_starts(got.items[i].id, SLICE("sighting--")) && !got.items[i].own && !got.items[i].revoked &&
            hub_copies_find(&got, got.items[i].id) == &got.items[i] && hub_holds(got.items[i].bytes, subject.ptr))
            band = arena_copy(&s->a, got.items[i].bytes);
    hub_copies_free(&got);
    return band;
}

static void wait_until_none(struct scene *s, struct hub_party *p, struct slice subject)
{
    for (int i = 0; i < 500 && holds_band(s, p, subject).ptr != NULL; i++)
        usleep(10000);
    if (holds_band(s, p, subject).ptr != NULL)
        fail_msg("the band is still there");
}

static struct slice wait_until_held(struct scene *s, struct hub_party *p, struct slice subject, const char *text)
{
    struct slice band = {NULL, 0};

    for (int i = 0; i < 500 && (band.ptr == NULL || !hub_holds(band, text)); i++) {
        band = holds_band(s, p, subject);
        usleep(10000);
    }
    if (band.ptr == NULL || !hub_holds(band, text))
        fail_msg("no band with %s", text);
    return band;
}

static size_t recalls_for(struct scene *s, struct hub_party *p)
{
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};

    hub_test_read(&s->t, p, s->c, STORE_RECALLS, false, 7, &at, &got);
    size_t n = got.n;
    hub_copies_free(&got);
    return n;
}

/* The id that a member's sighting has in the journal. */
static struct slice release_of(struct scene *s, struct hub_party *by, unsigned n)
{
    struct hub_view v;
    struct err err;

    assert_int_equal(hub_view_open(&s->t.readers[0], by, &v, &err), 0);
    struct slice id = hub_view_minted(&v, hub_directory_collection(v.directory, slice_of(s->c)),
                                      arena_printf(&s->a, "sighting--00000000-0000-4000-8000-%012u", n));
    id = arena_copy(&s->a, id);
    hub_view_close(&v);
    arena_reset(&s->t.readers[0].arena);
    return id;
}

/* Whatever takes a report back: fewer than k organisations, and the partner hub gives the band back; none, and nobody
   has it; and it can come again. */
static void test_hub_sighting__a_band_shrinks_with_its_reports(void **state)
{
    struct scene *s = *state;

    for (unsigned i = 0; i < 3; i++)
        report(s, s->seers[2 * i], sighting(s, 10 + i, 1, s->subject, 40, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":100,");
    wait_until_held(s, s->south, s->subject, "\"count\":100,");
    report(s, s->seers[0], sighting(s, 10, 2, s->subject, 40, ONWARD("none"))); /* its leave is gone */
    wait_until_none(s, s->south, s->subject);
    assert_int_equal(recalls_for(s, s->south), 1);
    wait_until_held(s, s->reader, s->subject, "\"count\":10,");
    report(s, s->seers[2], sighting(s, 11, 2, s->subject, 40, ONWARD("aggregate") ",\"revoked\":true"));
    hub_test_act(&s->t, HUB_DELETE, s->seers[4], "{\"collection\":\"%s\",\"id\":\"%.*s\",\"all\":true}", s->c,
                 SLICE_ARG(release_of(s, s->seers[4], 12)));
    wait_until_none(s, s->reader, s->subject);
    assert_true(recalls_for(s, s->reader) >= 1);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    settle(s);
    assert_null(holds_band(s, s->reader, s->subject).ptr);
    report(s, s->seers[5], sighting(s, 13, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":1,");
    assert_null(holds_band(s, s->south, s->subject).ptr);
}

/* Counted, and the process ends before the band is made anew. */
static void test_hub_sighting__a_start_looks_at_every_subject(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":1,");
    report(s, s->seers[0], sighting(s, 1, 2, s->subject, 1, ONWARD("aggregate") ",\"revoked\":true"));
    hub_test_stop(&s->t); /* mostly before it gets to it */
    hub_test_start(&s->t);
    wait_until_none(s, s->reader, s->subject);
}

/* A later version of a report may speak of something else. */
static void test_hub_sighting__a_report_counts_for_one_subject(void **state)
{
    struct scene *s = *state;

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 2, 1, TLP_GREEN, "").ptr);
    struct slice other = hub_test_find(&s->t, s->reader, s->c, "n2.example", &s->a, NULL);
    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":1,");
    report(s, s->seers[0], sighting(s, 1, 2, other, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, other, "\"count\":1,");
    wait_until_none(s, s->reader, s->subject);
}

static void test_hub_sighting__a_band_follows_its_subject(void **state)
{
    struct scene *s = *state;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"seer0\"]}");
    for (unsigned i = 0; i < 3; i++)
        report(s, s->seers[2 * i], sighting(s, 10 + i, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":1,");
    wait_until_held(s, s->south, s->subject, "\"count\":1,");
    /* narrowed: who no longer sees the subject no longer holds its band */
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 2, TLP_STRICT, "").ptr);
    wait_until_none(s, s->reader, s->subject);
    wait_until_none(s, s->south, s->subject);
    wait_until_held(s, s->seers[0], s->subject, TLP_STRICT);
    /* taken back: nobody does */
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 3, TLP_STRICT, ",\"revoked\":true").ptr);
    wait_until_none(s, s->seers[0], s->subject);
}

static void test_hub_sighting__a_band_goes_with_its_deleted_subject(void **state)
{
    struct scene *s = *state;

    report(s, s->seers[0], sighting(s, 1, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, s->subject, "\"count\":1,");
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"%.*s\",\"all\":true}", s->c,
                 SLICE_ARG(s->subject));
    wait_until_none(s, s->reader, s->subject);
}

#define WEST "0c0c0c0c-0000-4000-8000-00000000000c"

static void receive(struct scene *s, struct slice id, struct slice object)
{
    hub_test_receive(&s->t, s->south, 50, s->c,
                     &(struct hub_event){
                         .kind = STORE_ADD, .id = id, .object = object, .origin = SLICE(SOUTH), .path = SLICE(SOUTH)});
}

/* Three hubs: what came from the south, and was seen here, the south learns, and the west does not (DESIGN.md
   invariants 7 and 8). */
static void test_hub_sighting__of_a_partners_object_goes_home_alone(void **state)
{
    struct scene *s = *state;
    struct hub_party *west = hub_test_partner(
        &s->t, "west", WEST, 51,
        arena_printf(&s->a,
                     "{\"id\":\"agreement-2\",\"ceiling\":\"amber\",\"k\":1,\"onward\":true,\"categories\":["
                     "\"indicator\",\"context\",\"sighting\"],\"collections_out\":[\"%s\"]}",
                     s->c)
            .ptr);
    struct slice id = hub_test_indicator_id(&s->a, 70);

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_partners\":[\"west\"]}");
    receive(s, id, hub_test_indicator(&s->a, 70, 1, TLP_GREEN, ""));
    for (unsigned i = 0; i < 3; i++)
        report(s, s->seers[2 * i], sighting(s, 10 + i, 1, id, 1, ONWARD("aggregate")));
    wait_until_held(s, s->reader, id, "\"count\":1,");
    wait_until_held(s, s->south, id, "\"count\":1,");
    assert_null(holds_band(s, west, id).ptr);
    /* of an object of this hub's own members the west hears, at k 1 */
    report(s, s->seers[0], sighting(s, 20, 1, s->subject, 1, ONWARD("aggregate")));
    wait_until_held(s, west, s->subject, "\"count\":1,");
    hub_party_drop(&west);
}

/* Times at the ends of what there is. */
static void test_hub_sighting__any_time_is_an_answer(void **state)
{
    struct scene *s = *state;
    static const char *const rows[][2] = {
        {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"},
        {"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"},
    };

    for (unsigned i = 0; i < ROWS(rows); i++)
        report(s, s->seers[2 * i],
               arena_printf(&s->a,
                            "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":\"sighting--00000000-0000-4000-"
                            "8000-%012u\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":"
                            "\"2026-01-01T00:00:00.000Z\",\"first_seen\":\"%s\",\"last_seen\":\"%s\",\"count\":"
                            "999999999,\"sighting_of_ref\":\"" SLICE_FMT "\"" ONWARD("aggregate") "}",
                            i, rows[i][0], rows[i][1], SLICE_ARG(s->subject)));
    wait_for_band(s, s->reader, "\"count\":100,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_sighting__nothing_leaves_without_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__bands_are_coarse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__k_counts_organisations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__owner_reads_its_own_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__own_object_under_its_own_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__goes_no_wider_than_its_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__of_what_nobody_sees_is_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__versions_count_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__any_time_is_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__a_band_shrinks_with_its_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__a_start_looks_at_every_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__a_report_counts_for_one_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__a_band_follows_its_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__a_band_goes_with_its_deleted_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_sighting__of_a_partners_object_goes_home_alone, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

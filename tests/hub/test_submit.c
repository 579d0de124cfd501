#include "hub_test.h"

#include <string.h>

/* A bank that submits, a clinic that reads, one open collection. */
static int set_up(void **state)
{
    return hub_scene_make(
        state, ",\"open\":true",
        ",\"organisation\":\"First Harbour Bank\",\"domains\":[\"harbour.example\"],\"consent\":\"none\"");
}

static const char *text(struct slice s)
{
    return s.ptr; /* of the arena: with a NUL behind */
}

struct counts {
    uint32_t accepted, unchanged, held, refused;
};

static void check(struct hub_scene *s, struct hub_party *from, struct slice objects, struct counts expected)
{
    struct hub_answer *a = hub_test_submit(&s->t, from, s->c, text(objects));

    if (a->err.code != ERR_NONE || a->accepted != expected.accepted || a->unchanged != expected.unchanged ||
        a->held != expected.held || a->refused != expected.refused)
        fail_msg("%s; %u %u %u %u: %.*s", err_name(a->err.code), a->accepted, a->unchanged, a->held, a->refused,
                 SLICE_ARG(buf_slice(&a->status)));
    hub_answer_free(a);
    free(a);
}

static size_t rows_of(struct hub_scene *s)
{
    return (size_t)atomic_load(&s->t.hub->head);
}

static void test_hub_submit__new_object_is_shown(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes;

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    struct slice id = hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, &bytes);
    assert_non_null(id.ptr);
    assert_false(slice_eq(id, hub_test_indicator_id(&s->a, 1)));
    assert_true(
        slice_eq(hub_test_find(&s->t, s->bank, s->c, "n1.example", &s->a, &bytes), hub_test_indicator_id(&s->a, 1)));
    assert_true(slice_eq(bytes, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "")));
}

static void test_hub_submit__same_version_is_no_op(void **state)
{
    struct hub_scene *s = *state;

    check(s, s->bank, hub_test_indicator(&s->a, 1, 5, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    size_t rows = rows_of(s);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 5, TLP_GREEN, ""), (struct counts){0, 1, 0, 0});
    check(s, s->bank, hub_test_indicator(&s->a, 1, 5, TLP_GREEN, ",\"name\":\"other\""), (struct counts){0, 1, 0, 0});
    assert_int_equal(rows_of(s), rows);
    /* twice in one envelope */
    struct slice both[2] = {hub_test_indicator(&s->a, 2, 5, TLP_GREEN, ""),
                            hub_test_indicator(&s->a, 2, 5, TLP_GREEN, "")};
    check(s, s->bank, hub_test_list(&s->a, both, 2), (struct counts){1, 1, 0, 0});
}

static void test_hub_submit__newer_supersedes_older_comes_late(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies all = {.n = 0};
    struct slice bytes;

    check(s, s->bank, hub_test_indicator(&s->a, 1, 5, TLP_GREEN, ",\"name\":\"five\""), (struct counts){1, 0, 0, 0});
    check(s, s->bank, hub_test_indicator(&s->a, 1, 9, TLP_GREEN, ",\"name\":\"nine\""), (struct counts){1, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    struct slice id = hub_test_find(&s->t, s->clinic, s->c, "nine", &s->a, NULL);
    assert_non_null(id.ptr);
    assert_null(hub_test_find(&s->t, s->clinic, s->c, "five", &s->a, NULL).ptr);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 7, TLP_GREEN, ",\"name\":\"seven\""), (struct counts){1, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    assert_true(slice_eq(hub_test_find(&s->t, s->clinic, s->c, "nine", &s->a, &bytes), id));
    assert_int_equal(hub_test_get(&s->t, s->clinic, s->c, id, false, &all), 0);
    assert_int_equal(all.n, 1);
    assert_true(hub_holds(all.items[0].bytes, "nine"));
    hub_copies_free(&all);
    assert_int_equal(hub_test_get(&s->t, s->clinic, s->c, id, true, &all), 0);
    assert_int_equal(all.n, 3); /* the late one too */
    hub_copies_free(&all);
    /* all in one envelope, in disorder */
    struct slice three[3] = {hub_test_indicator(&s->a, 2, 9, TLP_GREEN, ",\"name\":\"z9\""),
                             hub_test_indicator(&s->a, 2, 3, TLP_GREEN, ",\"name\":\"z3\""),
                             hub_test_indicator(&s->a, 2, 11, TLP_GREEN, ",\"name\":\"z11\"")};
    check(s, s->bank, hub_test_list(&s->a, three, 3), (struct counts){3, 0, 0, 0});
    assert_non_null(hub_test_find(&s->t, s->clinic, s->c, "z11", &s->a, NULL).ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 2);
}

static void test_hub_submit__revoked_is_retracted_and_final(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies recalls = {.n = 0};
    struct store_at at = {0, 0, 0};

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    struct slice id = hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, NULL);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"revoked\":true"), (struct counts){1, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    hub_test_read(&s->t, s->clinic, s->c, STORE_RECALLS, false, 7, &at, &recalls);
    assert_int_equal(recalls.n, 1);
    assert_true(slice_eq(recalls.items[0].id, id));
    assert_int_equal(recalls.items[0].kind, STORE_RETRACT);
    assert_true(recalls.items[0].revoked);
    hub_copies_free(&recalls);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 3, TLP_GREEN, ""), (struct counts){0, 0, 0, 1});
    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){0, 1, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    /* its submitter sees what it submitted */
    struct hub_copies own = {.n = 0};
    hub_test_fresh(&s->t, s->bank, s->c, &own);
    const struct hub_copy *copy = hub_copies_find(&own, hub_test_indicator_id(&s->a, 1));
    assert_non_null(copy);
    assert_true(slice_eq(copy->bytes, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"revoked\":true")));
    hub_copies_free(&own);
}

static void test_hub_submit__revoked_first_is_final_too(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies all = {.n = 0};

    check(s, s->bank, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"revoked\":true"), (struct counts){1, 0, 0, 0});
    hub_test_fresh(&s->t, s->clinic, s->c, &all);
    for (size_t i = 0; i < all.n; i++) /* nobody had it: nobody else is told what it was */
        assert_false(hub_holds(all.items[i].bytes, "n1.example"));
    hub_copies_free(&all);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 3, TLP_GREEN, ""), (struct counts){0, 0, 0, 1});
    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){0, 1, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

static void test_hub_submit__who_never_read_is_not_told(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies all = {.n = 0};

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    check(s, s->bank, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"revoked\":true"), (struct counts){1, 0, 0, 0});
    hub_test_fresh(&s->t, s->clinic, s->c, &all);
    for (size_t i = 0; i < all.n; i++)
        assert_false(hub_holds(all.items[i].bytes, "n1.example"));
    hub_copies_free(&all);
}

static void test_hub_submit__validity_in_the_past_expires(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies events = {.n = 0};
    struct store_at at = {0, 0, 0};

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    hub_test_read(&s->t, s->clinic, s->c, STORE_CONTENT, false, 7, &at, &events);
    hub_copies_free(&events);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"valid_until\":\"2026-01-02T00:00:00Z\""),
          (struct counts){1, 0, 0, 0});
    hub_test_read(&s->t, s->clinic, s->c, STORE_CONTENT, false, 7, &at, &events);
    assert_int_equal(events.n, 1);
    assert_int_equal(events.items[0].kind, STORE_EXPIRE);
    assert_true(hub_holds(events.items[0].bytes, "\"2026-01-02T00:00:00Z\""));
    hub_copies_free(&events);
    check(s, s->bank, hub_test_indicator(&s->a, 1, 3, TLP_GREEN, ""), (struct counts){1, 0, 0, 0}); /* not final */
    hub_test_read(&s->t, s->clinic, s->c, STORE_CONTENT, false, 7, &at, &events);
    assert_int_equal(events.n, 1);
    assert_int_equal(events.items[0].kind, STORE_ADD);
    hub_copies_free(&events);
}

static void test_hub_submit__address_twice(void **state)
{
    struct hub_scene *s = *state;
    struct slice green = hub_test_address(&s->a, 1, TLP_GREEN), clear = hub_test_address(&s->a, 1, TLP_CLEAR);

    check(s, s->bank, green, (struct counts){1, 0, 0, 0});
    check(s, s->bank, green, (struct counts){0, 1, 0, 0});
    check(s, s->bank, clear, (struct counts){1, 0, 0, 0}); /* another audience: published anew */
    check(s, s->clinic, green, (struct counts){1, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1); /* one id: the value itself */
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
}

static void test_hub_submit__same_id_by_two_members_are_two(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes;

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ",\"name\":\"of one\""), (struct counts){1, 0, 0, 0});
    check(s, s->clinic, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"name\":\"of two\""),
          (struct counts){1, 0, 0, 0});
    hub_test_settle(&s->t);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 3); /* and the edge between them */
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 3);
    struct hub_party *third = hub_test_member(&s->t, "third", "");
    struct slice one = hub_test_find(&s->t, third, s->c, "of one", &s->a, NULL),
                 two = hub_test_find(&s->t, third, s->c, "of two", &s->a, NULL);
    assert_false(slice_eq(one, two));
    check(s, s->clinic, hub_test_indicator(&s->a, 1, 3, TLP_GREEN, ",\"revoked\":true"), (struct counts){1, 0, 0, 0});
    assert_true(slice_eq(hub_test_find(&s->t, third, s->c, "of one", &s->a, &bytes), one));
    assert_null(hub_test_find(&s->t, third, s->c, "of two", &s->a, NULL).ptr);
    hub_party_drop(&third);
}

static void test_hub_submit__unmarked_is_held_or_takes_the_default(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes;

    check(s, s->bank, hub_test_indicator(&s->a, 1, 1, NULL, ""), (struct counts){0, 0, 1, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 0);
    struct hub_party *kind =
        hub_test_member(&s->t, "kind", ",\"defaults\":[{\"collection\":\"threats\",\"tlp\":\"green\"}]");
    check(s, kind, hub_test_indicator(&s->a, 2, 1, NULL, ""), (struct counts){1, 0, 0, 0});
    assert_non_null(hub_test_find(&s->t, s->clinic, s->c, "n2.example", &s->a, &bytes).ptr);
    assert_true(hub_holds(bytes, TLP_GREEN));
    assert_true(hub_holds(bytes, "\"valid_until\""));
    hub_party_drop(&kind);
}

static void test_hub_submit__tlp_definitions_are_no_op(void **state)
{
    struct hub_scene *s = *state;
    const char *green = "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" TLP_GREEN
                        "\",\"created\":\"2022-10-01T00:00:00.000Z\",\"name\":\"TLP:GREEN\",\"extensions\":{"
                        "\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":{\"extension_type\":"
                        "\"property-extension\",\"tlp_2_0\":\"green\"}}}";
    struct slice both[2] = {slice_of(green), hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "")};

    size_t rows = rows_of(s);
    check(s, s->bank, arena_copy(&s->a, slice_of(green)), (struct counts){1, 0, 0, 0});
    assert_int_equal(rows_of(s), rows);
    check(s, s->bank, hub_test_list(&s->a, both, 2), (struct counts){2, 0, 0, 0});
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
}

/* ---- the status resource ---- */

static uint32_t listed(struct json status, const char *list, const char *count)
{
    int64_t n = -1;

    assert_true(json_int(json_get(status, slice_of(count)), &n));
    assert_int_equal(json_count(json_get(status, slice_of(list))), n);
    return (uint32_t)n;
}

static void test_hub_submit__status_counts_are_consistent(void **state)
{
    struct hub_scene *s = *state;
    struct slice items[4] = {hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""),
                             hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), hub_test_indicator(&s->a, 2, 1, NULL, ""),
                             SLICE("{\"type\":\"indicator\"}")};
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, text(hub_test_list(&s->a, items, 4)));
    struct json status;
    uint64_t envelope;
    int64_t total = -1;

    assert_int_equal(json_parse(&s->a, buf_slice(&a->status), NULL, &status, NULL), 0);
    assert_int_equal(listed(status, "successes", "success_count"), 2);
    assert_int_equal(listed(status, "pendings", "pending_count"), 1);
    assert_int_equal(listed(status, "failures", "failure_count"), 1);
    assert_true(json_int(json_get(status, SLICE("total_count")), &total));
    assert_int_equal(total, 4);
    assert_slice(json_text(json_get(status, SLICE("status"))), "pending");
    assert_slice(json_text(json_get(json_first(json_get(status, SLICE("successes"))), SLICE("id"))),
                 text(hub_test_indicator_id(&s->a, 1))); /* in its own ids */
    assert_true(hub_status_id_get(s->t.hub, json_text(json_get(status, SLICE("id"))), &envelope));
    assert_int_equal(envelope, a->envelope);
    /* it is kept, for its submitter alone */
    struct hub_view v;
    struct slice kept;
    struct err err = ERR_INIT;
    assert_int_equal(hub_view_open(&s->t.readers[0], s->bank, &v, &err), 0);
    assert_int_equal(hub_view_status(&v, envelope, &kept, &err), 0);
    assert_true(slice_eq(kept, buf_slice(&a->status)));
    hub_view_close(&v);
    assert_int_equal(hub_view_open(&s->t.readers[0], s->clinic, &v, &err), 0);
    assert_int_equal(hub_view_status(&v, envelope, &kept, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    hub_view_close(&v);
    hub_answer_free(a);
    free(a);
}

static void test_hub_submit__bad_envelopes_are_answers(void **state)
{
    struct hub_scene *s = *state;
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"", ERR_JSON_SYNTAX},
        {"{", ERR_JSON_SYNTAX},
        {"{\"objects\":[],\"objects\":[]}", ERR_JSON_DUPLICATE_KEY},
        {"{\"objects\":7}", ERR_STIX_SYNTAX},
        {"[]", ERR_STIX_SYNTAX},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hub_answer a;
        hub_answer_init(&a);
        hub_test_submit_into(&s->t, s->bank, s->c, slice_of(rows[i].text), &a);
        hub_answer_wait(&a);
        if (err_http(a.err.code) < 400 || err_http(a.err.code) >= 500)
            fail_row(i, "%s", err_name(a.err.code));
        if (i < 3 && a.err.code != rows[i].code)
            fail_row(i, "%s", err_name(a.err.code));
        hub_answer_free(&a);
    }
    struct hub_answer a;
    hub_answer_init(&a);
    hub_test_submit_into(&s->t, s->bank, "00000000-0000-4000-8000-000000000000", SLICE("{}"), &a);
    hub_answer_wait(&a);
    assert_int_equal(a.err.code, ERR_NOT_FOUND);
    hub_answer_free(&a);
    check(s, s->bank, SLICE(""), (struct counts){0, 0, 0, 0});
}

/* ---- what comes back ---- */

#define ODD                                                                                                            \
    ",\"x_big\" : 18446744073709551616 ,\t\"x_exact\":1.50,\"x_null\":null,\"x_escape\":\"\\u0041\\u00e9\\/\",\n  "    \
    "\"x_list\" : [ 1 , 2.0,3e2 ]"

static void test_hub_submit__originals_come_back_byte_for_byte(void **state)
{
    struct hub_scene *s = *state;
    struct slice object = hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ODD), bytes;
    struct hub_answer *a;

    check(s, s->bank, object, (struct counts){1, 0, 0, 0});
    struct slice id = hub_test_find(&s->t, s->bank, s->c, "n1.example", &s->a, &bytes);
    assert_true(slice_eq(id, hub_test_indicator_id(&s->a, 1)));
    assert_true(slice_eq(bytes, object));
    /* what was not changed in the release is byte for byte, too */
    hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, &bytes);
    assert_true(hub_holds(bytes, ODD));
    /* a single object with white space around */
    a = mem_zero(1, sizeof *a);
    hub_answer_init(a);
    struct slice second = hub_test_indicator(&s->a, 2, 1, TLP_GREEN, ODD);
    hub_test_submit_into(&s->t, s->bank, s->c,
                         arena_printf(&s->a, "\r\n {\"objects\" :[\n " SLICE_FMT " \n]}  ", SLICE_ARG(second)), a);
    hub_answer_wait(a);
    assert_int_equal(a->accepted, 1);
    hub_answer_free(a);
    free(a);
    hub_test_find(&s->t, s->bank, s->c, "n2.example", &s->a, &bytes);
    assert_true(slice_eq(bytes, second));
    /* after a restart as well */
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    hub_test_find(&s->t, s->bank, s->c, "n2.example", &s->a, &bytes);
    assert_true(slice_eq(bytes, second));
}

static void test_hub_submit__names_never_stand_in_a_release(void **state)
{
    static const char *const consents[] = {"none", "government", "everyone", "proprietary"};
    static const char *const secrets[] = {"ferrymen", "Quay Street Trust", "quaystreet.example"};
    struct hub_scene *s = *state;

    struct hub_party *ministry = hub_test_member(&s->t, "ministry", ",\"government\":true");
    for (unsigned i = 0; i < ROWS(consents); i++) {
        struct slice name = arena_printf(&s->a, "ferrymen%u", i);
        struct hub_party *m = hub_test_member(&s->t, text(name),
                                              text(arena_printf(&s->a,
                                                                ",\"organisation\":\"Quay Street Trust\",\"domains\":["
                                                                "\"quaystreet.example\"],\"consent\":\"%s\"",
                                                                consents[i])));
        struct slice identity = arena_printf(
            &s->a,
            "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000000-0000-4000-8000-%012u\","
            "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
            "\"name\":\"Quay Street Trust\",\"identity_class\":\"organization\",\"contact_information\":"
            "\"soc@quaystreet.example\",\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
            i);
        struct slice items[2] = {
            identity, hub_test_indicator(
                          &s->a, 100 + i, 1, TLP_GREEN,
                          text(arena_printf(&s->a,
                                            ",\"created_by_ref\":\"identity--00000000-0000-4000-8000-%012u\","
                                            "\"description\":\"seen at QUAY STREET TRUST, mail.quaystreet.example\"",
                                            i)))};
        check(s, m, hub_test_list(&s->a, items, 2), (struct counts){2, 0, 0, 0});
        for (int who = 0; who < 2; who++) {
            struct hub_copies all = {.n = 0};
            bool named = false;
            hub_test_fresh(&s->t, who == 0 ? s->clinic : ministry, s->c, &all);
            for (size_t k = 0; k < all.n; k++) {
                bool release = !slice_starts(all.items[k].id, SLICE("identity--"));
                for (size_t w = 0; w < ROWS(secrets); w++)
                    if (release && hub_holds(all.items[k].bytes, secrets[w]))
                        fail_row(i, "%s stands in %.*s", secrets[w], SLICE_ARG(all.items[k].bytes));
                if (!release && hub_holds(all.items[k].bytes, "Quay Street Trust"))
                    named = true;
                assert_false(hub_holds(all.items[k].bytes, "quaystreet.example"));
                assert_false(hub_holds(all.items[k].bytes, "ferrymen"));
            }
            /* whoever was named by an earlier consent stays named: only the first rows can tell */
            if (i == 0 && named)
                fail_row(i, "named without consent");
            if (i == 1 && named != (who == 1))
                fail_row(i, "consent for governments: %d", named);
            if (i >= 2 && !named)
                fail_row(i, "not named");
            hub_copies_free(&all);
        }
        hub_party_drop(&m);
    }
    hub_party_drop(&ministry);
}

static void test_hub_submit__whoever_sees_an_object_sees_its_creator(void **state)
{
    static const char *const consents[] = {"none", "government", "everyone"};
    static const char *const markings[] = {TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_STRICT, TLP_RED};
    struct hub_scene *s = *state;
    struct hub_party *readers[3] = {hub_test_member(&s->t, "r0", ""),
                                    hub_test_member(&s->t, "r1", ",\"government\":true"),
                                    hub_test_member(&s->t, "r2", ",\"client_of\":[\"r0\"]")};
    unsigned n = 0;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"r0\"]}");
    for (unsigned i = 0; i < ROWS(consents); i++) {
        struct hub_party *m = hub_test_member(
            &s->t, text(arena_printf(&s->a, "m%u", i)),
            text(arena_printf(&s->a, ",\"organisation\":\"Org %u\",\"consent\":\"%s\"", i, consents[i])));
        for (unsigned k = 0; k < ROWS(markings); k++)
            check(s, m, hub_test_indicator(&s->a, ++n, 1, markings[k], ""), (struct counts){1, 0, 0, 0});
        hub_party_drop(&m);
    }
    size_t seen = 0;
    for (unsigned i = 0; i < ROWS(readers); i++) {
        struct hub_copies all = {.n = 0};
        hub_test_fresh(&s->t, readers[i], s->c, &all);
        for (size_t k = 0; k < all.n; k++) {
            struct arena a = ARENA_INIT;
            struct json root;
            assert_int_equal(json_parse(&a, all.items[k].bytes, NULL, &root, NULL), 0);
            struct slice creator = json_text(json_get(root, SLICE("created_by_ref")));
            if (creator.len != 0 && hub_copies_find(&all, creator) == NULL)
                fail_row(i, "no creator for %.*s", SLICE_ARG(all.items[k].bytes));
            seen += creator.len != 0;
            arena_free(&a);
        }
        hub_copies_free(&all);
        hub_party_drop(&readers[i]);
    }
    assert_true(seen > 20);
}

/* No organisation was told: the named identity still is a valid object. */
static void test_hub_submit__named_without_an_organisation(void **state)
{
    struct hub_scene *s = *state;
    struct hub_party *m = hub_test_member(&s->t, "plain", ",\"consent\":\"everyone\"");
    struct slice bytes;

    check(s, m, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, ""), (struct counts){1, 0, 0, 0});
    assert_non_null(hub_test_find(&s->t, s->clinic, s->c, "\"identity\"", &s->a, &bytes).ptr);
    assert_true(hub_holds(bytes, "\"name\":\"plain\""));
    hub_party_drop(&m);
}

/* All markings and all consents in one envelope: what the hub adds has room. */
static void test_hub_submit__every_marking_and_consent_at_once(void **state)
{
    static const char *const markings[] = {TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_STRICT, TLP_RED};
    static const char *const labels[] = {"ais-consent-none", "ais-consent-usg", "ais-consent-everyone"};
    struct hub_scene *s = *state;
    struct slice items[3 + 3 * 31];
    size_t n = 0;

    for (unsigned c = 0; c < 3; c++)
        items[n++] = arena_printf(
            &s->a,
            "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000000-0000-4000-8000-%012u\","
            "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"x\","
            "\"labels\":[\"%s\"],\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
            c, labels[c]);
    for (unsigned c = 0; c < 3; c++)
        for (unsigned set = 1; set < 32; set++) {
            struct buf refs = BUF_INIT;
            for (unsigned level = 0; level < 5; level++)
                if (set >> level & 1)
                    buf_printf(&refs, "%s\"%s\"", refs.len != 0 ? "," : "", markings[level]);
            items[n++] =
                hub_test_indicator(&s->a, c * 100 + set, 1, NULL,
                                   text(arena_printf(&s->a,
                                                     ",\"object_marking_refs\":[" SLICE_FMT "],\"created_by_ref\":"
                                                     "\"identity--00000000-0000-4000-8000-%012u\"",
                                                     SLICE_ARG(buf_slice(&refs)), c)));
            buf_free(&refs);
        }
    check(s, s->bank, hub_test_list(&s->a, items, n), (struct counts){(uint32_t)n, 0, 0, 0});
}

static void test_hub_submit__who_may_not(void **state)
{
    struct hub_scene *s = *state;
    struct hub_answer *a;
    struct hub_party *gone = hub_test_member(&s->t, "gone", "");

    hub_test_act(&s->t, HUB_MEMBER_REMOVE, NULL, "{\"name\":\"gone\"}");
    a = hub_test_submit(&s->t, gone, s->c, text(hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "")));
    assert_int_equal(a->err.code, ERR_UNAUTHENTICATED);
    hub_answer_free(a);
    free(a);
    hub_test_act(&s->t, HUB_MEMBER_PUT, NULL, "{\"name\":\"reader\",\"may_write\":false}");
    struct hub_party *reader = hub_test_party(&s->t, "reader");
    a = hub_test_submit(&s->t, reader, s->c, text(hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "")));
    assert_int_equal(a->err.code, ERR_FORBIDDEN);
    hub_answer_free(a);
    free(a);
    hub_party_drop(&gone);
    hub_party_drop(&reader);
}

/* ---- what JSON may cost ---- */

static void refused_as(struct hub_scene *s, struct buf *objects, enum err_code code)
{
    buf_put_byte(objects, '\0');
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, objects->ptr);
    if (a->err.code != code)
        fail_msg("%s instead of %s", err_name(a->err.code), err_name(code));
    hub_answer_free(a);
    free(a);
    buf_free(objects);
}

static void put_times(struct buf *out, struct slice what, size_t n)
{
    buf_reserve(out, what.len * n);
    while (n-- > 0)
        buf_put(out, what);
}

/* Each limit of the reader has an answer of its own at the door, none of them a 5xx. */
static void test_hub_submit__json_limits(void **state)
{
    const struct json_limits *max = &json_limits_default;
    struct hub_scene *s = *state;
    struct buf b = BUF_INIT;

    put_times(&b, SLICE("["), max->depth);
    refused_as(s, &b, ERR_LIMIT_DEPTH);
    buf_put(&b, SLICE("{\"a\":[0"));
    put_times(&b, SLICE(",0"), max->values);
    buf_put(&b, SLICE("]}"));
    refused_as(s, &b, ERR_LIMIT_VALUES);
    buf_put(&b, SLICE("{\"a\":0"));
    for (uint32_t i = 0; i < max->members; i++)
        buf_printf(&b, ",\"%u\":0", i);
    buf_put(&b, SLICE("}"));
    refused_as(s, &b, ERR_LIMIT_MEMBERS);
    buf_put(&b, SLICE("{\"a\":\""));
    put_times(&b, SLICE("x"), max->string_max + 1);
    buf_put(&b, SLICE("\"}"));
    refused_as(s, &b, ERR_LIMIT_STRING);
    put_times(&b, SLICE(" "), s->t.hub->settings.max_body);
    buf_put(&b, SLICE("{}"));
    refused_as(s, &b, ERR_LIMIT_BYTES);
    for (enum err_code code = ERR_LIMIT_DEPTH; code <= ERR_LIMIT_BYTES; code++)
        assert_true(err_http(code) >= 400 && err_http(code) < 500);
}

/* Of an envelope that brings both, a translation of what is not there is refused; the rest goes on. */
static void test_hub_submit__translations_are_held_to_their_object(void **state)
{
    struct hub_scene *s = *state;
    struct hub_answer *a = hub_test_submit(
        &s->t, s->bank, s->c,
        arena_printf(&s->a,
                     SLICE_FMT ",{\"type\":\"language-content\",\"spec_version\":\"2.1\",\"id\":\"language-content--"
                               "11111111-1111-4111-8111-111111111111\",\"created\":\"2026-01-01T00:00:00.000Z\","
                               "\"modified\":\"2026-01-01T00:00:00.000Z\",\"object_ref\":\"" SLICE_FMT
                               "\",\"contents\":{\"de\":{\"no_such_thing\":\"nichts\"}},\"object_marking_refs\":"
                               "[\"" TLP_GREEN "\"]}",
                     SLICE_ARG(hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "")),
                     SLICE_ARG(hub_test_indicator_id(&s->a, 1)))
            .ptr);

    assert_int_equal(a->refused, 1);
    assert_int_equal(a->accepted, 1);
    assert_true(hub_holds(buf_slice(&a->status), "/contents/de"));
    hub_answer_free(a);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_submit__translations_are_held_to_their_object, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__new_object_is_shown, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__same_version_is_no_op, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__newer_supersedes_older_comes_late, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__revoked_is_retracted_and_final, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__revoked_first_is_final_too, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__who_never_read_is_not_told, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__validity_in_the_past_expires, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__address_twice, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__same_id_by_two_members_are_two, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__unmarked_is_held_or_takes_the_default, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__tlp_definitions_are_no_op, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__status_counts_are_consistent, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__bad_envelopes_are_answers, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__originals_come_back_byte_for_byte, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__names_never_stand_in_a_release, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__whoever_sees_an_object_sees_its_creator, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__named_without_an_organisation, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__every_marking_and_consent_at_once, set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__who_may_not, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_submit__json_limits, set_up, hub_scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

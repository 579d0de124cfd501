#include "hub_test.h"

#include <string.h>

/* STIX 2.0 through the one way in: a bank that still writes it, a clinic that reads 2.1. */
static int set_up(void **state)
{
    return hub_scene_make(state, ",\"open\":true", ",\"organisation\":\"First Harbour Bank\",\"consent\":\"none\"");
}

#define HEAD(type, n, modified)                                                                                        \
    "{\"type\": \"" type "\",\"id\":\"" type "--00000000-0000-4000-8000-00000000000" n                                 \
    "\",\"created\":\"2017-01-01T00:00:00.000Z\",\"modified\":\"" modified "\",\"object_marking_refs\":[\"" TLP_GREEN  \
    "\"]"
#define FIRST "2017-01-01T00:00:00.000Z"
#define INDICATOR                                                                                                      \
    HEAD("indicator", "1", FIRST)                                                                                      \
    ",\"labels\":[\"malicious-activity\"],\"valid_from\":\"2017-01-01T00:00:00Z\","                                    \
    "\"pattern\":\"[domain-name:value = 'bad.example']\"}"
#define OBSERVED(modified, objects)                                                                                    \
    HEAD("observed-data", "2", modified)                                                                               \
    ",\"first_observed\":\"2017-01-01T00:00:00Z\",\"last_observed\":\"2017-01-01T00:00:00Z\",\"number_observed\":1,"   \
    "\"objects\":{" objects "}}"
#define DOMAIN                                                                                                         \
    "\"0\":{\"type\":\"domain-name\",\"value\":\"seen.example\",\"resolves_to_refs\":[\"1\"]},"                        \
    "\"1\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.77\"},\"2\":{\"type\":\"process\",\"pid\":1971}"

static struct buf submit(struct hub_scene *s, const char *objects, uint32_t accepted, uint32_t unchanged, uint32_t held,
                         uint32_t refused)
{
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, objects);
    struct buf status = a->status;

    if (a->err.code != ERR_NONE || a->accepted != accepted || a->unchanged != unchanged || a->held != held ||
        a->refused != refused)
        fail_msg("%s; %u %u %u %u: %.*s", err_name(a->err.code), a->accepted, a->unchanged, a->held, a->refused,
                 SLICE_ARG(buf_slice(&a->status)));
    a->status = (struct buf)BUF_INIT;
    hub_answer_free(a);
    free(a);
    return status;
}

static void submit_quietly(struct hub_scene *s, const char *objects, uint32_t accepted, uint32_t unchanged,
                           uint32_t held, uint32_t refused)
{
    struct buf status = submit(s, objects, accepted, unchanged, held, refused);

    buf_free(&status);
}

static bool holds(struct slice text, const char *what)
{
    return slice_find(text, slice_of(what)) != text.len;
}

static void test_hub_upgrade__bytes(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes;

    submit_quietly(s, INDICATOR, 1, 0, 0, 0);
    struct slice id = hub_test_find(&s->t, s->bank, s->c, "bad.example", &s->a, &bytes);
    assert_true(slice_eq(bytes, SLICE(INDICATOR))); /* its own, byte for byte */
    struct slice read = hub_test_find(&s->t, s->clinic, s->c, "bad.example", &s->a, &bytes);
    assert_non_null(read.ptr);
    assert_false(slice_eq(read, id));
    assert_true(holds(bytes, "\"spec_version\":\"2.1\""));
    assert_true(holds(bytes, "\"indicator_types\":[\"malicious-activity\"]"));
    assert_true(holds(bytes, "\"pattern_type\":\"stix\""));
    assert_false(holds(bytes, "labels"));
    submit_quietly(s, INDICATOR, 0, 1, 0, 0); /* the same version: no change */
}

static void test_hub_upgrade__objects(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes, whole;

    submit_quietly(s, OBSERVED(FIRST, DOMAIN) "," INDICATOR, 2, 0, 0, 0); /* the status counts what came */
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 5);
    struct slice address = hub_test_find(&s->t, s->clinic, s->c, "\"198.51.100.77\"", &s->a, &bytes);
    assert_true(slice_starts(address, SLICE("ipv4-addr--")));
    assert_true(holds(bytes, TLP_GREEN));
    struct slice process = hub_test_find(&s->t, s->clinic, s->c, "1971", &s->a, &bytes);
    assert_non_null(hub_test_find(&s->t, s->clinic, s->c, "object_refs", &s->a, &whole).ptr);
    assert_true(holds(whole, address.ptr));
    assert_true(holds(whole, process.ptr)); /* minted alike in both */
    assert_false(holds(whole, "\"objects\""));
    assert_non_null(hub_test_find(&s->t, s->bank, s->c, "\"objects\"", &s->a, &bytes).ptr);
    assert_true(slice_eq(bytes, SLICE(OBSERVED(FIRST, DOMAIN))));
    assert_null(hub_test_find(&s->t, s->clinic, s->c, "00000000-0000-4000-8000", &s->a, &bytes).ptr);
    submit_quietly(s, OBSERVED(FIRST, DOMAIN), 0, 1, 0, 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 5);
}

/* A newer version that saw another address: that is another SCO, and the observed-data names it. */
static void test_hub_upgrade__versions(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes, whole;

    submit_quietly(s, OBSERVED(FIRST, DOMAIN), 1, 0, 0, 0);
    submit_quietly(s, OBSERVED("2018-01-01T00:00:00.000Z", "\"0\":{\"type\":\"ipv4-addr\",\"value\":\"203.0.113.9\"}"),
                   1, 0, 0, 0);
    struct slice address = hub_test_find(&s->t, s->clinic, s->c, "\"203.0.113.9\"", &s->a, &bytes);
    hub_test_find(&s->t, s->clinic, s->c, "object_refs", &s->a, &whole);
    assert_non_null(address.ptr);
    assert_true(holds(whole, address.ptr));
}

/* An observed-data and what is in it are accepted together, or not at all; the place is that in what came. */
static void test_hub_upgrade__together(void **state)
{
    static const struct {
        const char *objects, *said;
    } rows[] = {
        {"\"0\":{\"type\":\"domain-name\",\"value\":\"a.example\"},\"1\":{\"type\":\"ipv4-addr\",\"value\":\"x\"}",
         "STIX_VALUE at /objects/1/value"},
        {"\"0\":{\"type\":\"domain-name\",\"value\":\"a.example\",\"resolves_to_refs\":[\"7\"]}",
         "STIX_REFERENCE at /objects/0/resolves_to_refs/0"},
        {"\"0\":{\"type\":\"domain-name\",\"value\":\"a.example\"},\"1\":{\"type\":\"url\"}",
         "STIX_REQUIRED at /objects/1/value"},
        {"\"0\":{\"type\":\"domain-name\",\"value\":\"a.example\"},\"1\":{\"type\":\"A b\"}",
         "STIX_ID at /objects/1/id"},
    };
    struct hub_scene *s = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf objects = BUF_INIT;
        buf_put(&objects, slice_of(OBSERVED(FIRST, "")));
        objects.len -= 2;
        buf_printf(&objects, "%s}}%c", rows[i].objects, '\0');
        struct buf status = submit(s, objects.ptr, 0, 0, 0, 1);
        if (!holds(buf_slice(&status), rows[i].said))
            fail_msg("%.*s", SLICE_ARG(buf_slice(&status)));
        buf_free(&status);
        buf_free(&objects);
    }
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

/* Held for a word that names the submitter: none of it is shown. */
static void test_hub_upgrade__held(void **state)
{
    struct hub_scene *s = *state;

    submit_quietly(s,
                   OBSERVED(FIRST, "\"0\":{\"type\":\"domain-name\",\"value\":\"a.example\"},\"1\":{\"type\":"
                                   "\"user-account\",\"user_id\":\"First Harbour Bank\"}"),
                   0, 0, 1, 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

static void test_hub_upgrade__revoked(void **state)
{
    struct hub_scene *s = *state;

    submit_quietly(s, OBSERVED(FIRST, DOMAIN), 1, 0, 0, 0);
    submit_quietly(
        s,
        HEAD("observed-data", "2", "2018-01-01T00:00:00.000Z") ",\"revoked\":true,\"first_observed\":"
                                                               "\"2017-01-01T00:00:00Z\",\"last_observed\":\"2017-01-"
                                                               "01T00:00:00Z\",\"number_observed\":1,"
                                                               "\"objects\":{" DOMAIN "}}",
        1, 0, 0, 0);
    assert_null(hub_test_find(&s->t, s->clinic, s->c, "object_refs", &s->a, NULL).ptr);
}

/* Small on the way in, large behind it. */
static void test_hub_upgrade__limits(void **state)
{
    struct hub_scene *s = *state;
    struct buf objects = BUF_INIT;

    s->t.hub->settings.max_objects = 4; /* one came; three more would make four, this is five */
    struct buf status = submit(s, OBSERVED(FIRST, DOMAIN ",\"3\":{\"type\":\"mutex\",\"name\":\"m\"}"), 0, 0, 0, 1);
    assert_true(holds(buf_slice(&status), "TOO_LARGE at /objects"));
    buf_free(&status);
    submit_quietly(s, OBSERVED(FIRST, DOMAIN), 1, 0, 0, 0);
    s->t.hub->settings.max_body = 8192;
    buf_put(&objects, slice_of(HEAD("observed-data", "3", FIRST) ",\"objects\":{\"0\":{\"type\":\"x-a\",\"b_refs\":["));
    for (int i = 0; i < 1000; i++)
        buf_put(&objects, i != 0 ? SLICE(",\"0\"") : SLICE("\"0\""));
    buf_put(&objects, slice_n("]}}}", 5));
    status = submit(s, objects.ptr, 0, 0, 0, 1);
    assert_true(holds(buf_slice(&status), "TOO_LARGE"));
    buf_free(&status);
    buf_free(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_upgrade__bytes, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__objects, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__versions, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__together, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__held, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__revoked, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_upgrade__limits, set_up, hub_scene_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "hub_test.h"

#include <string.h>

/* A collection with a profile of its own: what is refused, held and left out, and what the submitter is told. */

#define PROFILE                                                                                                        \
    "profile: mine\\n"                                                                                                 \
    "rules:\\n"                                                                                                        \
    "  - {code: NO-TOOL-NOTE, types: [indicator], properties: [x_forbidden], need: prohibited}\\n"                     \
    "  - {code: LOOK, types: [indicator], properties: [x_doubtful], need: prohibited, outcome: hold}\\n"               \
    "  - {code: WITHOUT, types: [indicator], properties: [x_inside], need: strip, privacy: B}\\n"                      \
    "  - {code: NEEDED, types: [indicator], properties: [pattern], need: strip}\\n"                                    \
    "  - {code: WELL, types: [tool], properties: [description], need: required}\\n"

static int set_up(void **state)
{
    return hub_scene_make(state, ",\"open\":true,\"profile\":\"mine\",\"profile_text\":\"" PROFILE "\"",
                          ",\"consent\":\"none\"");
}

#define TOOL                                                                                                           \
    "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\",\"created\":"   \
    "\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"name\":\"t\",\"object_marking_refs\":["  \
    "\"" TLP_GREEN "\"]"

/* One object: its outcome, and what the status says. */
static void check(struct hub_scene *s, const char *object, enum hub_verdict verdict, const char *says)
{
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, object);
    uint32_t counts[] = {
        [HUB_ACCEPTED] = a->accepted, [HUB_UNCHANGED] = a->unchanged, [HUB_HELD] = a->held, [HUB_REFUSED] = a->refused};
    struct slice status = buf_slice(&a->status);

    if (counts[verdict] != 1 || slice_find(status, slice_of(says)) == status.len)
        fail_msg("%s: %.*s", object, SLICE_ARG(status));
    hub_answer_free(a);
    free(a);
}

static const char *indicator(struct hub_scene *s, unsigned n, const char *more)
{
    return hub_test_indicator(&s->a, n, 1, TLP_GREEN, more).ptr;
}

static void test_hub_profile__refused_and_held_by_the_rule(void **state)
{
    struct hub_scene *s = *state;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL,
                 "{\"name\":\"threats\",\"profile\":\"mine\",\"profile_text\":\"profile: mine\\nrules:\\n"
                 "  - {code: NO-NOTE, types: [indicator], properties: [x_forbidden], need: prohibited}\\n"
                 "  - {code: LOOK, types: [indicator], properties: [x_doubtful], need: prohibited, outcome: hold}\\n"
                 "  - {code: WELL, types: [tool], properties: [description], need: required}\\n\"}");
    check(s, indicator(s, 1, ",\"x_forbidden\":1"), HUB_REFUSED, "PROFILE at /x_forbidden: NO-NOTE: ");
    check(s, indicator(s, 2, ",\"x_doubtful\":1"), HUB_HELD, "HELD_PROFILE at /x_doubtful: LOOK: ");
    check(s, TOOL "}", HUB_REFUSED, "PROFILE at /description: WELL: ");
    check(s, TOOL ",\"description\":\"d\"}", HUB_ACCEPTED, "successes");
    check(s, indicator(s, 3, ""), HUB_ACCEPTED, "successes");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 2);
}

static void test_hub_profile__stripped_for_others_alone(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes, id;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL,
                 "{\"name\":\"threats\",\"profile\":\"mine\",\"profile_text\":\"profile: mine\\nrules:\\n"
                 "  - {code: WITHOUT, types: [indicator], properties: [x_inside], need: strip, privacy: B}\\n\"}");
    const char *text = indicator(s, 1, ",\"x_inside\":\"of the house\",\"x_rest\":1.50");
    check(s, text, HUB_ACCEPTED, "left out of the release: WITHOUT at /x_inside");
    id = hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, &bytes);
    assert_non_null(id.ptr);
    assert_int_equal(slice_find(bytes, SLICE("x_inside")), bytes.len);
    assert_int_not_equal(slice_find(bytes, SLICE("\"x_rest\":1.50")), bytes.len);
    assert_non_null(hub_test_find(&s->t, s->bank, s->c, "n1.example", &s->a, &bytes).ptr);
    assert_slice(bytes, text);
}

static void test_hub_profile__what_cannot_be_left_out_is_held(void **state)
{
    struct hub_scene *s = *state;

    check(s, indicator(s, 1, ""), HUB_HELD, "HELD_PROFILE at /pattern: NEEDED: the profile leaves this out");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

static void test_hub_profile__a_change_without_one_keeps_it(void **state)
{
    struct hub_scene *s = *state;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"profile\":\"ctis\"}");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"description\":\"d\"}");
    check(s, TOOL "}", HUB_REFUSED, "PROFILE at /type: CTIS-TYPE: ");
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    check(s, TOOL "}", HUB_REFUSED, "PROFILE at /type: CTIS-TYPE: ");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"profile\":\"open\"}");
    check(s, TOOL "}", HUB_ACCEPTED, "successes");
}

static void test_hub_profile__unreadable_ones_are_refused(void **state)
{
    struct hub_scene *s = *state;

    assert_int_equal(
        hub_test_act_fails(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"profile\":\"unheard-of\"}"),
        ERR_CONF_VALUE);
    assert_int_equal(hub_test_act_fails(&s->t, HUB_COLLECTION_PUT, NULL,
                                        "{\"name\":\"threats\",\"profile\":\"p\",\"profile_text\":\"rules: 7\"}"),
                     ERR_CONF_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_profile__refused_and_held_by_the_rule, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_profile__stripped_for_others_alone, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_profile__what_cannot_be_left_out_is_held, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_profile__a_change_without_one_keeps_it, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_profile__unreadable_ones_are_refused, set_up, hub_scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

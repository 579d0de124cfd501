/* What was taken from a viewer and comes back is a new release, under an id of its own: revocation is final (DESIGN.md
   invariant 10). */
#include "hub_test.h"

#include <string.h>

/* The port is a recipient by name, and keeps what others lose. */
static int set_up(void **state)
{
    hub_scene_set_up(state);
    struct hub_scene *s = *state;
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"port\"]}");
    return 0;
}

static void audience(struct hub_scene *s, bool open)
{
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":%s}", open ? "true" : "false");
}

static struct slice indicator_of(struct hub_scene *s, struct hub_party *p, struct slice *bytes_out)
{
    return hub_test_find(&s->t, p, s->c, "\"indicator\"", &s->a, bytes_out);
}

/* Copies by id: (all versions). */
static size_t count_get(struct hub_scene *s, struct hub_party *p, struct slice id, bool all, bool *revoked_out)
{
    struct hub_copies got = {.n = 0};

    hub_test_get(&s->t, p, s->c, id, all, &got);
    size_t n = got.n;
    if (revoked_out != NULL)
        *revoked_out = n != 0 && got.items[n - 1].revoked;
    hub_copies_free(&got);
    return n;
}

static void check_new_release(struct hub_scene *s, struct slice before)
{
    struct slice bytes, now = indicator_of(s, s->clinic, &bytes), of_port = indicator_of(s, s->port, NULL);

    assert_non_null(now.ptr);
    assert_true(slice_starts(now, SLICE("indicator--")));
    assert_false(slice_eq(now, before));
    assert_false(hub_holds(bytes, arena_printf(&s->a, SLICE_FMT, SLICE_ARG(before)).ptr));
    assert_true(slice_eq(of_port, before)); /* who never lost it keeps it as it was */
    assert_int_equal(count_get(s, s->clinic, now, false, NULL), 1);
    assert_int_equal(count_get(s, s->clinic, before, true, NULL), 0);
    assert_int_equal(count_get(s, s->port, before, false, NULL), 1);
    assert_int_equal(count_get(s, s->port, now, false, NULL), 0); /* it is not told how others know it */
}

static void test_hub_again__by_a_version(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice before = indicator_of(s, s->clinic, NULL);
    assert_true(slice_eq(indicator_of(s, s->port, NULL), before));
    hub_scene_submit(s, 1, 2, TLP_AMBER, "");
    assert_null(indicator_of(s, s->clinic, NULL).ptr);
    hub_scene_submit(s, 1, 3, TLP_GREEN, "");
    check_new_release(s, before);
}

static void test_hub_again__by_the_audience(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice before = indicator_of(s, s->clinic, NULL);
    indicator_of(s, s->port, NULL);
    audience(s, false);
    assert_null(indicator_of(s, s->clinic, NULL).ptr);
    audience(s, true);
    check_new_release(s, before);
}

static void test_hub_again__and_again(void **state)
{
    struct hub_scene *s = *state;
    struct slice ids[4];

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    for (unsigned i = 0; i < 4; i++) {
        ids[i] = indicator_of(s, s->clinic, NULL);
        assert_non_null(ids[i].ptr);
        for (unsigned k = 0; k < i; k++)
            assert_false(slice_eq(ids[k], ids[i]));
        audience(s, false);
        audience(s, true);
    }
}

/* Each recall names what the viewer held at that moment. */
static void test_hub_again__recalls_name_what_was_held(void **state)
{
    struct hub_scene *s = *state;
    struct hub_holding held = {.n = 0};
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    for (int i = 0; i < 3; i++) {
        hub_test_read(&s->t, s->clinic, s->c, STORE_PAGE, false, 3, &at, &got);
        audience(s, false);
        audience(s, true);
    }
    hub_test_read(&s->t, s->clinic, s->c, STORE_PAGE, false, 3, &at, &got);
    size_t live = 0;
    for (size_t i = 0; i < got.n; i++)
        hub_holding_take(&held, &got.items[i], !got.items[i].revoked);
    for (size_t i = 0; i < held.n; i++)
        live += held.items[i].live && hub_holds(held.items[i].bytes, "\"indicator\"");
    assert_int_equal(live, 1);
    assert_int_equal(held.revived, 0);
    assert_int_equal(held.n, 8); /* four names of the indicator, four of its creator */
    hub_holding_free(&held);
    hub_copies_free(&got);
}

static void test_hub_again__after_a_deletion(void **state)
{
    struct hub_scene *s = *state;
    bool revoked;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice before = indicator_of(s, s->clinic, NULL);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(before));
    assert_int_equal(count_get(s, s->clinic, before, false, &revoked), 1);
    assert_true(revoked);
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice now = indicator_of(s, s->clinic, NULL);
    assert_non_null(now.ptr);
    assert_false(slice_eq(now, before));
    assert_true(slice_eq(indicator_of(s, s->port, NULL), before)); /* it never had it */
    assert_true(slice_eq(indicator_of(s, s->bank, NULL), hub_test_indicator_id(&s->a, 1)));
}

static void test_hub_again__references_follow(void **state)
{
    struct hub_scene *s = *state;
    struct slice bytes;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice before = indicator_of(s, s->clinic, NULL);
    audience(s, false);
    audience(s, true);
    struct slice now = indicator_of(s, s->clinic, NULL);
    hub_test_submit_good(
        &s->t, s->bank, s->c,
        arena_printf(&s->a,
                     "{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--11111111-1111-4111-"
                     "8111-111111111111\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":"
                     "\"2026-01-01T00:00:00.000Z\",\"content\":\"about it\",\"object_refs\":[\"" SLICE_FMT
                     "\"],\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
                     SLICE_ARG(hub_test_indicator_id(&s->a, 1)))
            .ptr);
    hub_test_find(&s->t, s->clinic, s->c, "about it", &s->a, &bytes);
    assert_true(hub_holds(bytes, arena_printf(&s->a, SLICE_FMT, SLICE_ARG(now)).ptr));
    hub_test_find(&s->t, s->port, s->c, "about it", &s->a, &bytes);
    assert_true(hub_holds(bytes, arena_printf(&s->a, SLICE_FMT, SLICE_ARG(before)).ptr));
    hub_test_find(&s->t, s->bank, s->c, "about it", &s->a, &bytes);
    assert_true(hub_holds(bytes, arena_printf(&s->a, SLICE_FMT, SLICE_ARG(hub_test_indicator_id(&s->a, 1))).ptr));
}

static void test_hub_again__the_same_after_a_restart(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, ",\"name\":\"first\"");
    indicator_of(s, s->clinic, NULL);
    hub_scene_submit(s, 2, 1, TLP_GREEN, ",\"name\":\"second\"");
    struct slice second = hub_test_find(&s->t, s->clinic, s->c, "second", &s->a, NULL);
    audience(s, false);
    audience(s, true);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(second));
    hub_scene_submit(s, 2, 1, TLP_GREEN, ",\"name\":\"second\"");
    second = hub_test_find(&s->t, s->clinic, s->c, "second", &s->a, NULL);
    struct slice now = hub_test_find(&s->t, s->clinic, s->c, "first", &s->a, NULL);
    assert_true(now.len != 0 && second.len != 0);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_true(slice_eq(hub_test_find(&s->t, s->clinic, s->c, "first", &s->a, NULL), now));
    assert_true(slice_eq(hub_test_find(&s->t, s->clinic, s->c, "second", &s->a, NULL), second));
}

/* The owner's other programs follow too: they are told its own id, and its pages simply lack it. */
static void test_hub_again__own_followers_are_told_of_a_deletion(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};
    struct slice own = hub_test_indicator_id(&s->a, 1);

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice release = indicator_of(s, s->clinic, NULL);
    indicator_of(s, s->bank, NULL);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(release));
    hub_test_read(&s->t, s->bank, s->c, STORE_RECALLS, false, 7, &at, &got);
    assert_int_equal(got.n, 1);
    assert_true(slice_eq(got.items[0].id, own));
    assert_int_equal(got.items[0].bytes.len, 0);
    assert_null(indicator_of(s, s->bank, NULL).ptr);
    assert_int_equal(count_get(s, s->bank, own, true, NULL), 0);
    hub_copies_free(&got);
    hub_test_fresh(&s->t, s->bank, s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        assert_false(slice_eq(got.items[i].id, own) || got.items[i].revoked);
    hub_copies_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_again__by_a_version, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__by_the_audience, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__and_again, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__recalls_name_what_was_held, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__after_a_deletion, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__references_follow, set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__the_same_after_a_restart, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_again__own_followers_are_told_of_a_deletion, hub_scene_set_up,
                                        hub_scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who is told of a recall: exactly those who may hold what is recalled, whatever happens at the same moment. */
#include "hub_test.h"

#include <string.h>

static size_t recalls_for(struct hub_scene *s, struct hub_party *p)
{
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};

    hub_test_read(&s->t, p, s->c, STORE_RECALLS, false, 7, &at, &got);
    size_t n = got.n;
    hub_copies_free(&got);
    return n;
}

static int take(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    (*(size_t *)arg)++;
    return 0;
}

/* A page that is read but not yet sent. */
static size_t begin_page(struct hub_scene *s, struct hub_party *p, struct hub_view *v)
{
    struct store_at after = {0, 0, 0}, at;
    size_t n = 0;
    bool more;

    assert_int_equal(hub_view_open(&s->t.readers[0], p, v, NULL), 0);
    struct hub_view_ask ask = {
        .collection = hub_directory_collection(v->directory, slice_of(s->c)), .part = STORE_PAGE, .limit = 100};
    assert_int_equal(hub_view_page(v, &ask, &after, take, &n, &at, &more, NULL), 0);
    return n;
}

/* It is not among those who are told, so it must not get the bytes. */
static void test_hub_recall__page_under_way_is_thrown_away(void **state)
{
    struct hub_scene *s = *state;
    struct hub_view v;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    assert_int_equal(begin_page(s, s->clinic, &v), 2);
    hub_scene_submit(s, 1, 2, TLP_GREEN, ",\"revoked\":true");
    assert_false(hub_view_close(&v));
    assert_int_equal(recalls_for(s, s->clinic), 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

static void test_hub_recall__page_under_way_of_who_loses_the_right(void **state)
{
    struct hub_scene *s = *state;
    struct hub_view v;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    begin_page(s, s->clinic, &v);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    assert_false(hub_view_close(&v));
    assert_int_equal(recalls_for(s, s->clinic), 0);
    /* by a version for fewer */
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    begin_page(s, s->port, &v);
    hub_scene_submit(s, 1, 2, TLP_AMBER, "");
    assert_false(hub_view_close(&v));
    assert_int_equal(recalls_for(s, s->port), 0);
}

static void test_hub_recall__page_of_other_things_stands(void **state)
{
    struct hub_scene *s = *state;
    struct hub_view v;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    begin_page(s, s->clinic, &v);
    hub_scene_submit(s, 2, 1, TLP_GREEN, "");
    hub_scene_submit(s, 2, 2, TLP_GREEN, ",\"revoked\":true");
    assert_true(hub_view_close(&v));
    begin_page(s, s->clinic, &v);
    assert_true(hub_view_close(&v));
}

static void test_hub_recall__reaches_who_has_an_older_version(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    hub_scene_submit(s, 1, 2, TLP_GREEN, "");
    hub_scene_submit(s, 1, 3, TLP_GREEN, ",\"revoked\":true");
    assert_int_equal(recalls_for(s, s->clinic), 1);
    assert_int_equal(recalls_for(s, s->port), 0); /* it never read */
}

/* The version that is recalled is of the same transaction: what is held is an older one. */
static void test_hub_recall__reaches_over_versions_of_one_envelope(void **state)
{
    struct hub_scene *s = *state;
    struct slice items[2] = {hub_test_indicator(&s->a, 1, 2, TLP_CLEAR, ""),
                             hub_test_indicator(&s->a, 1, 3, TLP_STRICT, "")};

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_list(&s->a, items, 2).ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    assert_int_equal(recalls_for(s, s->clinic), 1);
    assert_int_equal(recalls_for(s, s->port), 0);
}

static void test_hub_recall__late_version_recalls_nothing(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 5, TLP_GREEN, "");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    hub_scene_submit(s, 1, 3, TLP_STRICT, "");
    assert_int_equal(recalls_for(s, s->clinic), 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
}

static void test_hub_recall__narrower_version_is_restricted_not_for_its_owner(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    hub_scene_submit(s, 1, 2, TLP_AMBER, "");
    assert_int_equal(recalls_for(s, s->clinic), 1);
    assert_int_equal(recalls_for(s, s->bank), 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    hub_scene_submit(s, 1, 3, TLP_GREEN, ""); /* and back: a newer version */
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
}

static void test_hub_recall__stays_in_its_collection(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};
    char other[37];

    hub_test_collection(&s->t, "other", ",\"open\":true", other);
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_test_count(&s->t, s->clinic, s->c);
    hub_scene_submit(s, 1, 2, TLP_GREEN, ",\"revoked\":true");
    hub_test_read(&s->t, s->clinic, other, STORE_RECALLS, false, 1, &at, &got);
    at = (struct store_at){0, 0, 0};
    hub_test_read(&s->t, s->clinic, other, STORE_PAGE, false, 1, &at, &got);
    assert_int_equal(got.n, 0);
    assert_int_equal(recalls_for(s, s->clinic), 1);
}

/* Of what was given in the last second before a crash nothing is written: everybody may have it. */
static void test_hub_recall__reaches_who_read_just_before_a_restart(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_test_tick(&s->t);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    hub_test_stop(&s->t); /* without a further tick */
    hub_test_start(&s->t);
    hub_scene_submit(s, 1, 2, TLP_GREEN, ",\"revoked\":true");
    assert_int_equal(recalls_for(s, s->clinic), 1);
}

static void test_hub_recall__deleted_is_gone_for_all(void **state)
{
    struct hub_scene *s = *state;
    struct slice detail, id;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    id = hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, NULL);
    detail = arena_printf(&s->a, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c, SLICE_ARG(id));
    assert_int_equal(hub_test_act_fails(&s->t, HUB_DELETE, s->clinic, "%s", detail.ptr), ERR_NOT_FOUND);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "%s", detail.ptr);
    assert_int_equal(recalls_for(s, s->clinic), 1);
    assert_int_equal(recalls_for(s, s->bank), 0);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 0);
    assert_int_equal(hub_test_act_fails(&s->t, HUB_DELETE, s->bank, "%s", detail.ptr), ERR_NOT_FOUND);
}

/* What was retracted by a version can still be deleted: then its owner does not see it either. */
static void test_hub_recall__retracted_can_be_deleted(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies got = {.n = 0};

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice id = hub_test_find(&s->t, s->clinic, s->c, "n1.example", &s->a, NULL);
    hub_scene_submit(s, 1, 2, TLP_GREEN, ",\"revoked\":true");
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(id));
    hub_test_fresh(&s->t, s->bank, s->c, &got);
    assert_null(hub_copies_find(&got, hub_test_indicator_id(&s->a, 1)));
    assert_int_equal(recalls_for(s, s->clinic), 1);
    hub_copies_free(&got);
}

/* An act of a member never overtakes what it submitted before, whether it waited for the answer or not. */
static void test_hub_recall__deletion_waits_for_the_submission(void **state)
{
    struct hub_scene *s = *state;
    struct hub_view v;

    for (unsigned n = 1; n <= 30; n++) {
        struct hub_answer submitted, deleted;
        assert_int_equal(hub_view_open(&s->t.readers[0], s->bank, &v, NULL), 0);
        struct slice id = arena_copy(&s->a, hub_view_minted(&v, hub_directory_collection(v.directory, slice_of(s->c)),
                                                            hub_test_indicator_id(&s->a, n)));
        hub_view_close(&v);
        hub_answer_init(&submitted);
        hub_answer_init(&deleted);
        struct slice object = hub_test_indicator(&s->a, n, 1, TLP_GREEN, "");
        hub_test_submit_into(&s->t, s->bank, s->c, object, &submitted);
        hub_test_act_into(
            &s->t, HUB_DELETE, s->bank,
            arena_printf(&s->a, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c, SLICE_ARG(id)),
            &deleted);
        hub_answer_wait(&submitted);
        hub_answer_wait(&deleted);
        if (deleted.err.code != ERR_NONE)
            fail_row(n, "%s", err_name(deleted.err.code));
        hub_answer_free(&submitted);
        hub_answer_free(&deleted);
    }
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
}

/* What a poller holds in the end. */
static size_t poll(struct hub_scene *s, struct hub_party *p, struct store_at *at, struct hub_holding *held)
{
    struct hub_copies got = {.n = 0};
    size_t live = 0;

    hub_test_read(&s->t, p, s->c, STORE_PAGE, false, 7, at, &got);
    for (size_t i = 0; i < got.n; i++)
        if (slice_starts(got.items[i].id, SLICE("indicator--")))
            hub_holding_take(held, &got.items[i], !got.items[i].revoked);
    hub_copies_free(&got);
    for (size_t i = 0; i < held->n; i++)
        live += held->items[i].live;
    return live;
}

/* An audience changes, and in the same transaction a version goes to the new one. */
static void test_hub_recall__version_and_audience_at_once(void **state)
{
    struct hub_scene *s = *state;
    struct hub_holding held = {.n = 0};
    struct store_at at = {0, 0, 0};

    for (unsigned n = 1; n <= 40; n++) {
        struct hub_answer dropped, submitted;
        hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_recipients\":[\"clinic\"]}");
        hub_scene_submit(s, n, 1, TLP_GREEN, "");
        assert_int_equal(poll(s, s->clinic, &at, &held), n);
        hub_answer_init(&dropped);
        hub_answer_init(&submitted);
        struct slice object = hub_test_indicator(&s->a, n, 2, TLP_AMBER, ""),
                     text = arena_printf(&s->a, "{\"objects\":[" SLICE_FMT "]}", SLICE_ARG(object));
        hub_test_submit_into(&s->t, s->bank, s->c, text, &submitted);
        hub_test_act_into(&s->t, HUB_COLLECTION_PUT, NULL,
                          SLICE("{\"name\":\"threats\",\"drop_recipients\":[\"clinic\"]}"), &dropped);
        hub_answer_wait(&submitted);
        hub_answer_wait(&dropped);
        hub_answer_free(&submitted);
        hub_answer_free(&dropped);
        assert_int_equal(poll(s, s->clinic, &at, &held), 0);
    }
    hub_holding_free(&held);
}

/* Between two pages of a widening the right is lost and gained anew: the rest comes by the new widening, so that who is
 * in the middle of the old one counts as one who does not hold it. */
static void test_hub_recall__pages_of_an_earlier_widening(void **state)
{
    struct hub_scene *s = *state;
    struct hub_holding held = {.n = 0};
    struct store_at at = {0, 0, 0}, after;
    struct hub_view v;
    size_t n = 0;
    bool more;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    for (unsigned i = 0; i < 5; i++)
        hub_scene_submit(s, i, 1, TLP_GREEN, "");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    assert_int_equal(hub_view_open(&s->t.readers[0], s->clinic, &v, NULL), 0);
    struct hub_view_ask ask = {
        .collection = hub_directory_collection(v.directory, slice_of(s->c)), .part = STORE_PAGE, .limit = 2};
    after = at;
    assert_int_equal(hub_view_page(&v, &ask, &after, take, &n, &at, &more, NULL), 0);
    assert_true(hub_view_close(&v));
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    assert_int_equal(hub_view_open(&s->t.readers[0], s->clinic, &v, NULL), 0);
    ask.collection = hub_directory_collection(v.directory, slice_of(s->c));
    after = at;
    assert_int_equal(hub_view_page(&v, &ask, &after, take, &n, &at, &more, NULL), 0);
    assert_true(hub_view_close(&v));
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    at = (struct store_at){0, 0, 0};
    assert_int_equal(poll(s, s->clinic, &at, &held), 0);
    size_t told = recalls_for(s, s->clinic);
    assert_true(told >= n - 1); /* every indicator that was given (one was the identity) */
    hub_holding_free(&held);
}

/* The right was lost and gained anew while a page was under way. */
static void test_hub_recall__page_under_way_of_who_gained_it_anew(void **state)
{
    struct hub_scene *s = *state;
    struct hub_holding held = {.n = 0};
    struct store_at at = {0, 0, 0};
    struct hub_view v;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    begin_page(s, s->clinic, &v);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    assert_false(hub_view_close(&v));
    assert_int_equal(poll(s, s->clinic, &at, &held), 1);
    hub_holding_free(&held);
}

/* ---- values: one object to whoever sees any submission of it ---- */

static void test_hub_recall__value_stays_while_another_submission_is_seen(void **state)
{
    struct hub_scene *s = *state;
    struct slice green = hub_test_address(&s->a, 1, TLP_GREEN), id;
    struct json root;

    assert_int_equal(json_parse(&s->a, green, NULL, &root, NULL), 0);
    id = json_text(json_get(root, SLICE("id")));
    hub_test_submit_good(&s->t, s->bank, s->c, green.ptr);
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_address(&s->a, 1, TLP_CLEAR).ptr);
    hub_test_submit_good(&s->t, s->port, s->c, green.ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(id));
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1); /* the port's */
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 1);
    assert_int_equal(recalls_for(s, s->clinic), 0);
    hub_test_act(&s->t, HUB_DELETE, s->port, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(id));
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0); /* all of the bank's are gone, too */
    assert_int_equal(recalls_for(s, s->clinic), 1);
}

/* By id it is found however many submissions there are that the viewer does not see. */
static void test_hub_recall__value_of_many_is_found_by_id(void **state)
{
    enum { MANY = 70 };
    struct hub_scene *s = *state;
    struct slice strict = hub_test_address(&s->a, 1, TLP_STRICT), id;
    struct hub_copies got = {.n = 0};
    struct json root;

    assert_int_equal(json_parse(&s->a, strict, NULL, &root, NULL), 0);
    id = json_text(json_get(root, SLICE("id")));
    for (unsigned i = 0; i < MANY; i++) {
        struct hub_party *m = hub_test_member(&s->t, arena_printf(&s->a, "m%u", i).ptr, "");
        hub_test_submit_good(&s->t, m, s->c, strict.ptr);
        hub_party_drop(&m);
    }
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_address(&s->a, 1, TLP_GREEN).ptr);
    hub_test_get(&s->t, s->clinic, s->c, id, false, &got);
    assert_int_equal(got.n, 1);
    hub_copies_free(&got);
}

/* ---- widening ---- */

/* Two changes at once, as they come into one transaction: each row comes once. */
static void test_hub_recall__two_widenings_at_once(void **state)
{
    struct hub_scene *s = *state;
    char other[37];

    hub_test_collection(&s->t, "closed", "", other);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_test_submit_good(&s->t, s->bank, other, hub_test_indicator(&s->a, 2, 1, TLP_GREEN, "").ptr);
    for (int round = 0; round < 10; round++) {
        struct hub_answer answers[6];
        for (unsigned i = 0; i < 6; i++)
            hub_answer_init(&answers[i]);
        for (unsigned i = 0; i < 2; i++)
            hub_test_act_into(&s->t, HUB_COLLECTION_PUT, NULL,
                              arena_printf(&s->a, "{\"name\":\"%s\",\"open\":true}", i == 0 ? "threats" : "closed"),
                              &answers[i]);
        hub_test_act_into(&s->t, HUB_DELIVERED, NULL, SLICE(""), &answers[2]);
        for (unsigned i = 0; i < 3; i++)
            hub_answer_wait(&answers[i]);
        for (unsigned i = 0; i < 2; i++) {
            struct hub_copies got = {.n = 0};
            struct store_at at = {0, 0, 0};
            const char *c = i == 0 ? s->c : other;
            hub_test_fresh(&s->t, s->clinic, c, &got);
            size_t n = 0;
            for (size_t k = 0; k < got.n; k++)
                n += hub_holds(got.items[k].bytes, ".example'") && !got.items[k].revoked;
            if (n != 1) /* by the last widening, never at its own place or by an earlier one */
                fail_row(round, "%zu", n);
            hub_copies_free(&got);
            hub_test_read(&s->t, s->clinic, c, STORE_CONTENT, false, 7, &at, &got);
            hub_copies_free(&got);
        }
        for (unsigned i = 0; i < 2; i++)
            hub_test_act_into(&s->t, HUB_COLLECTION_PUT, NULL,
                              arena_printf(&s->a, "{\"name\":\"%s\",\"open\":false}", i == 0 ? "threats" : "closed"),
                              &answers[3 + i]);
        hub_test_act_into(&s->t, HUB_DELIVERED, NULL, SLICE(""), &answers[5]);
        for (unsigned i = 3; i < 6; i++)
            hub_answer_wait(&answers[i]);
        for (unsigned i = 0; i < 6; i++)
            hub_answer_free(&answers[i]);
    }
}

static void test_hub_recall__one_widening_for_all_who_gain_the_same(void **state)
{
    struct hub_scene *s = *state;

    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    for (unsigned i = 0; i < 20; i++) {
        struct hub_party *m = hub_test_member(&s->t, arena_printf(&s->a, "m%u", i).ptr, "");
        hub_party_drop(&m);
    }
    uint64_t before = atomic_load(&s->t.hub->head);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    assert_int_equal(atomic_load(&s->t.hub->head), before + 1);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    assert_int_equal(hub_test_count(&s->t, s->port, s->c), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_recall__page_under_way_is_thrown_away, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__page_under_way_of_who_loses_the_right, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__page_of_other_things_stands, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__reaches_who_has_an_older_version, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__reaches_over_versions_of_one_envelope, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__late_version_recalls_nothing, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__narrower_version_is_restricted_not_for_its_owner,
                                        hub_scene_set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__stays_in_its_collection, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__reaches_who_read_just_before_a_restart, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__deleted_is_gone_for_all, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__retracted_can_be_deleted, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__deletion_waits_for_the_submission, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__version_and_audience_at_once, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__page_under_way_of_who_gained_it_anew, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__pages_of_an_earlier_widening, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__value_stays_while_another_submission_is_seen, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__value_of_many_is_found_by_id, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__two_widenings_at_once, hub_scene_set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_recall__one_widening_for_all_who_gain_the_same, hub_scene_set_up,
                                        hub_scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

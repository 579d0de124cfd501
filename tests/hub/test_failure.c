/* A full disk: what was asked for is answered so, nothing of it is there, and the hub goes on. */
#include "hub_test.h"

#include <string.h>

static void test_hub_failure__full_disk_undoes_a_submission(void **state)
{
    static const char *const markings[] = {TLP_GREEN, TLP_CLEAR, TLP_AMBER};
    struct hub_scene *s = *state;
    struct hub *h = s->t.hub;

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    uint64_t head = atomic_load(&h->head), leaves = atomic_load(&h->ledger_size);
    for (unsigned round = 0; round < 3; round++) {
        struct slice items[400];
        for (unsigned i = 0; i < 400; i++) /* also a new version, and classes that were not there */
            items[i] = hub_test_indicator(&s->a, i == 0 ? 1 : round * 1000 + i, 2, markings[round], "");
        hub_test_disk(&s->t, 20000);
        struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, hub_test_list(&s->a, items, 400).ptr);
        hub_test_disk(&s->t, -1);
        assert_int_equal(a->err.code, ERR_DISK_FULL);
        assert_int_equal(a->first_seq, 0);
        assert_int_equal(a->last_seq, 0);
        assert_int_equal(a->accepted, 0);
        hub_answer_free(a);
        free(a);
        assert_int_equal(atomic_load(&h->head), head);
        assert_int_equal(atomic_load(&h->ledger_size), leaves);
        assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
        assert_false(bits_has(&h->rows.superseded, 1));
        hub_test_ledger(&s->t);
    }
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 2, TLP_CLEAR, "").ptr);
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1007, 2, TLP_AMBER, "").ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 2);
    hub_test_ledger(&s->t);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    assert_int_equal(hub_test_count(&s->t, s->bank, s->c), 2);
}

static void test_hub_failure__full_disk_undoes_an_act(void **state)
{
    struct hub_scene *s = *state;
    struct slice items[300];
    uint64_t epoch;

    for (unsigned i = 0; i < 300; i++)
        items[i] = hub_test_indicator(&s->a, i, 1, TLP_GREEN, "");
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_list(&s->a, items, 300).ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 300);
    epoch = hub_directory_epoch(s->t.hub);
    hub_test_disk(&s->t, 20000); /* 300 restrictions do not fit */
    assert_int_equal(hub_test_act_fails(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}"),
                     ERR_DISK_FULL);
    hub_test_disk(&s->t, -1);
    assert_int_equal(hub_directory_epoch(s->t.hub), epoch);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 300);
    hub_test_ledger(&s->t);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":true}");
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 300);
    hub_test_ledger(&s->t);
}

static uint64_t delivered_objects(struct hub_scene *s)
{
    struct hub_viewer *v = s->t.hub->viewers[s->clinic->viewer];

    pthread_mutex_lock(&v->lock);
    uint64_t n = v->objects;
    pthread_mutex_unlock(&v->lock);
    return n;
}

static void test_hub_failure__deliveries_are_counted_again(void **state)
{
    struct hub_scene *s = *state;

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    uint64_t n = delivered_objects(s);
    assert_true(n > 0);
    hub_test_disk(&s->t, 0);
    assert_int_equal(hub_test_act_fails(&s->t, HUB_DELIVERED, NULL, "%s", ""), ERR_DISK_FULL);
    hub_test_disk(&s->t, -1);
    assert_int_equal(delivered_objects(s), n);
    hub_test_tick(&s->t);
    assert_int_equal(delivered_objects(s), 0);
    hub_test_ledger(&s->t);
}

/* The leaf tells under which policy, and how much of what there is that policy denies. */
static void test_hub_failure__deliveries_count_denials(void **state)
{
    struct hub_scene *s = *state;
    struct hub_delivery given = {.first_seq = 1, .last_seq = 2, .objects = 2};
    struct buf text = BUF_INIT;
    struct json record;
    int64_t permitted, denied;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_scene_submit(s, 2, 1, TLP_STRICT, "");
    struct hub_directory *d = hub_directory_hold(s->t.hub);
    hub_delivery_record(s->t.hub, d, s->clinic->viewer, &given, &text);
    assert_int_equal(json_parse(&s->a, buf_slice(&text), NULL, &record, NULL), 0);
    assert_true(json_int(json_get(record, SLICE("permitted")), &permitted));
    assert_true(json_int(json_get(record, SLICE("denied")), &denied));
    assert_int_equal(permitted, 2); /* the indicator and its creator */
    assert_int_equal(denied, 2);
    assert_int_equal(json_text(json_get(record, SLICE("policy"))).len, 2 * CRYPTO_HASH);
    hub_directory_drop(&d);
    buf_free(&text);
}

/* More kinds of objects than there is room for: an answer, not the end. */
static void test_hub_failure__kinds_are_bounded(void **state)
{
    struct hub_scene *s = *state;
    bool fresh;

    for (uint32_t n = atomic_load(&s->t.hub->n_classes); n < HUB_CLASSES_MAX; n++) {
        struct share_facts facts = {.collection = SLICE("none"), .type = SLICE("x"), .tlp = 1 + n % 31};
        struct buf key = BUF_INIT;
        char type[16];
        snprintf(type, sizeof type, "x-%u", n);
        facts.type = slice_of(type);
        share_facts_put(&facts, &key);
        hub_class_number(s->t.hub, buf_slice(&key), &fresh); /* the committer is idle */
        buf_free(&key);
    }
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    assert_int_equal(a->err.code, ERR_NONE);
    assert_int_equal(a->refused, 1);
    hub_answer_free(a);
    free(a);
    hub_test_ledger(&s->t);
}

/* A journal that is full takes nothing more, and still takes back. */
static void test_hub_failure__rows_are_bounded(void **state)
{
    struct hub_scene *s = *state;
    struct hub *h = s->t.hub;

    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 1, TLP_GREEN, "").ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 1);
    h->rows.most = atomic_load(&h->head) + 1 + HUB_ROWS_SPARE;
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 2, 1, TLP_GREEN, "").ptr);
    assert_int_equal(a->err.code, ERR_DISK_FULL);
    hub_answer_free(a);
    free(a);
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 1, 2, TLP_GREEN, ",\"revoked\":true").ptr);
    assert_int_equal(hub_test_count(&s->t, s->clinic, s->c), 0);
    hub_test_ledger(&s->t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_failure__full_disk_undoes_a_submission, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_failure__full_disk_undoes_an_act, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_failure__deliveries_are_counted_again, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_failure__deliveries_count_denials, hub_scene_set_up,
                                        hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_failure__kinds_are_bounded, hub_scene_set_up, hub_scene_tear_down),
        cmocka_unit_test_setup_teardown(test_hub_failure__rows_are_bounded, hub_scene_set_up, hub_scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

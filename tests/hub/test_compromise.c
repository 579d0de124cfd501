/* A member's key in other hands: all that signs it in ends, what it sent since then is held, and comes back once it is
   released. */
#include "hub_test.h"

#include <string.h>
#include <unistd.h>

#include "hub/doors.h"

/* What is behind this came later. */
static int64_t mark(void)
{
    usleep(2000);
    int64_t now = time_now_us();
    usleep(2000);
    return now;
}

/* The answer's "detail", in the arena. */
static struct json act_on(struct hub_scene *s, enum hub_act_kind kind, const char *member, int64_t since_us,
                          const char *more)
{
    struct slice detail =
        arena_printf(&s->a, "{\"name\":\"%s\",\"since_us\":%lld%s}", member, (long long)since_us, more);
    struct hub_answer a;
    struct json answer;

    hub_answer_init(&a);
    hub_test_act_into(&s->t, kind, NULL, detail, &a);
    hub_answer_wait(&a);
    if (a.err.code != ERR_NONE)
        fail_msg("%s at %s: %s", err_name(a.err.code), a.err.place, a.err.text);
    assert_int_equal(json_parse(&s->a, arena_copy(&s->a, buf_slice(&a.detail)), NULL, &answer, NULL), 0);
    hub_answer_free(&a);
    return answer;
}

static int64_t number(struct json answer, const char *name)
{
    int64_t n = -1;

    assert_true(json_int(json_get(answer, slice_of(name)), &n));
    return n;
}

static int64_t objects(struct json answer)
{
    int64_t n = 0;

    json_each (o, json_get(answer, SLICE("objects")))
        n += number(o, "count");
    return n;
}

static size_t recalls_for(struct hub_scene *s, struct hub_party *p)
{
    struct hub_copies got = {.n = 0};
    struct store_at at = {0, 0, 0};

    hub_test_read(&s->t, p, s->c, STORE_RECALLS, false, 7, &at, &got);
    size_t n = got.n;
    hub_copies_free(&got);
    return n;
}

static size_t count(struct hub_scene *s, struct hub_party *p)
{
    return hub_test_count(&s->t, p, s->c);
}

static struct slice find(struct hub_scene *s, struct hub_party *p, const char *value)
{
    return hub_test_find(&s->t, p, s->c, value, &s->a, NULL);
}

static void test_hub_compromise__only_since_then_and_of_that_member(void **state)
{
    struct hub_scene *s = *state;

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_test_submit_good(&s->t, s->port, s->c, hub_test_indicator(&s->a, 8, 1, TLP_GREEN, "").ptr);
    int64_t since_us = mark();
    hub_scene_submit(s, 2, 1, TLP_GREEN, "");
    hub_test_submit_good(&s->t, s->port, s->c, hub_test_indicator(&s->a, 9, 1, TLP_GREEN, "").ptr);
    assert_int_equal(count(s, s->clinic), 4);
    assert_int_equal(count(s, s->bank), 4);
    struct json answer = act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "");
    assert_int_equal(objects(answer), 1);
    assert_int_equal(number(answer, "members"), 1); /* the port never read */
    assert_int_equal(number(answer, "partners"), 0);
    assert_int_equal(recalls_for(s, s->clinic), 1);
    assert_int_equal(recalls_for(s, s->port), 0);
    assert_int_equal(recalls_for(s, s->bank), 0);
    assert_null(find(s, s->clinic, "n2.example").ptr);
    assert_null(find(s, s->port, "n2.example").ptr);
    assert_int_equal(count(s, s->clinic), 3);
    assert_int_equal(count(s, s->bank), 4); /* its own it keeps */
    /* once more: there is nothing left to do */
    assert_int_equal(objects(act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "")), 0);
}

static void test_hub_compromise__version_of_an_older_object_hides_all_of_it(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies got = {.n = 0};

    hub_scene_submit(s, 1, 5, TLP_GREEN, "");
    hub_scene_submit(s, 2, 5, TLP_GREEN, "");
    struct slice id = find(s, s->clinic, "n1.example");
    int64_t since_us = mark();
    hub_scene_submit(s, 1, 6, TLP_GREEN, ",\"description\":\"poison\"");
    hub_scene_submit(s, 2, 4, TLP_GREEN, ",\"description\":\"an older one, late\"");
    assert_int_equal(count(s, s->clinic), 2);
    assert_int_equal(objects(act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "")), 2);
    assert_int_equal(count(s, s->clinic), 0);
    hub_test_get(&s->t, s->clinic, s->c, id, true, &got);
    for (size_t i = 0; i < got.n; i++)
        assert_true(got.items[i].revoked);
    hub_copies_free(&got);
    assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 2);
    assert_int_equal(count(s, s->clinic), 2);
}

static void test_hub_compromise__release_gives_back_under_another_id(void **state)
{
    struct hub_scene *s = *state;
    struct hub_copies own = {.n = 0};

    int64_t since_us = mark();
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice first = find(s, s->clinic, "n1.example"), last = first;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(objects(act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "")), 1);
        assert_null(find(s, s->clinic, "n1.example").ptr);
        assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", mark(), "")), 0); /* it came before */
        assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 1);
        assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 0);
        struct slice now = find(s, s->clinic, "n1.example");
        assert_non_null(now.ptr);
        assert_false(slice_eq(now, first) || slice_eq(now, last));
        last = now;
    }
    assert_true(slice_eq(find(s, s->port, "n1.example"), first)); /* who never had it reads it as it was */
    hub_test_get(&s->t, s->bank, s->c, hub_test_indicator_id(&s->a, 1), true, &own);
    assert_int_equal(own.n, 1); /* of one version, however often it was moved */
    hub_copies_free(&own);
    hub_scene_submit(s, 1, 2, TLP_GREEN, ",\"description\":\"goes on\"");
    assert_int_equal(count(s, s->clinic), 1);
}

/* A newer version by the member is its word after the theft: it goes out. */
static void test_hub_compromise__newer_version_takes_the_place_of_what_is_held(void **state)
{
    struct hub_scene *s = *state;

    int64_t since_us = mark();
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    assert_int_equal(count(s, s->clinic), 1);
    act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "");
    hub_scene_submit(s, 1, 2, TLP_GREEN, "");
    assert_int_equal(count(s, s->clinic), 1);
    assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 0);
}

/* A value's key holds its class: what was moved is still found. */
static void test_hub_compromise__held_value_can_be_deleted_by_its_owner(void **state)
{
    struct hub_scene *s = *state;
    struct slice address = hub_test_address(&s->a, 3, TLP_GREEN), id;
    struct json root;

    assert_int_equal(json_parse(&s->a, address, NULL, &root, NULL), 0);
    id = json_text(json_get(root, SLICE("id")));
    int64_t since_us = mark();
    hub_test_submit_good(&s->t, s->bank, s->c, address.ptr);
    assert_int_equal(count(s, s->clinic), 1);
    act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "");
    assert_int_equal(count(s, s->clinic), 0);
    hub_test_act(&s->t, HUB_DELETE, s->bank, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}", s->c,
                 SLICE_ARG(id));
    assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 0);
    assert_int_equal(count(s, s->clinic), 0);
}

static size_t credentials_of(struct hub_scene *s, const char *member, uint64_t *last_out)
{
    struct hub_directory *d = hub_directory_hold(s->t.hub);
    const struct hub_member *m = hub_directory_member(d, slice_of(member));
    size_t n = m->n_credentials;

    if (n != 0)
        *last_out = m->credentials[n - 1].id;
    assert_int_equal(hub_holds(m->row, "invitation"), n != 0);
    hub_directory_drop(&d);
    return n;
}

static void give_credentials(struct hub_scene *s, const char *member)
{
    hub_test_act(&s->t, HUB_CREDENTIAL_PUT, NULL,
                 "{\"member\":\"%s\",\"name\":\"password\",\"kind\":\"password\",\"password_hash\":\"x\"}", member);
    hub_test_act(&s->t, HUB_CREDENTIAL_PUT, NULL,
                 "{\"member\":\"%s\",\"name\":\"cert\",\"kind\":\"certificate\",\"subject\":\"CN=%s\"}", member,
                 member);
    hub_test_act(&s->t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"%s\",\"name\":\"siem\",\"kind\":\"token\"}", member);
    hub_test_act(&s->t, HUB_INVITE, NULL, "{\"name\":\"%s\",\"valid_us\":60000000}", member);
}

static void test_hub_compromise__all_credentials_end(void **state)
{
    struct hub_scene *s = *state;
    uint64_t id = 0, other = 0;

    give_credentials(s, "bank");
    give_credentials(s, "port");
    assert_int_equal(credentials_of(s, "bank", &id), 3);
    s->bank->credential = id;
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    uint64_t leaves = atomic_load(&s->t.hub->ledger_size);
    struct json answer = act_on(s, HUB_MEMBER_COMPROMISE, "bank", 0, "");
    assert_int_equal(atomic_load(&s->t.hub->ledger_size), leaves + 1); /* one act, one leaf */
    assert_int_equal(json_count(json_get(answer, SLICE("credentials"))), 3);
    assert_int_equal(credentials_of(s, "bank", &other), 0);
    assert_int_equal(credentials_of(s, "port", &other), 3);
    struct hub_answer *a = hub_test_submit(&s->t, s->bank, s->c, hub_test_indicator(&s->a, 2, 1, TLP_GREEN, "").ptr);
    assert_int_equal(a->err.code, ERR_UNAUTHENTICATED);
    hub_answer_free(a);
    free(a);
    /* and what waits for the committer meanwhile is not let in either */
    assert_int_equal(hub_test_act_fails(&s->t, HUB_DELETE, s->bank, "{}"), ERR_UNAUTHENTICATED);
    hub_test_act(&s->t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"bank\",\"name\":\"siem\",\"kind\":\"token\"}");
    s->bank->credential = 0;
    hub_scene_submit(s, 3, 1, TLP_GREEN, "");
    assert_int_equal(count(s, s->clinic), 1);
}

static void test_hub_compromise__dry_run_changes_nothing(void **state)
{
    struct hub_scene *s = *state;
    uint64_t id = 0;

    give_credentials(s, "bank");
    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    hub_scene_submit(s, 2, 1, TLP_AMBER, "");
    hub_scene_submit(s, 3, 1, TLP_GREEN, ",\"revoked\":true");
    assert_int_equal(count(s, s->clinic), 1);
    uint64_t head = atomic_load(&s->t.hub->head), leaves = atomic_load(&s->t.hub->ledger_size);
    uint32_t classes = atomic_load(&s->t.hub->n_classes);
    struct json answer = act_on(s, HUB_MEMBER_COMPROMISE, "bank", 0, ",\"dry_run\":true");
    assert_int_equal(objects(answer), 2);
    assert_int_equal(json_count(json_get(answer, SLICE("objects"))), 1); /* of one collection and type */
    assert_int_equal(json_count(json_get(answer, SLICE("credentials"))), 3);
    assert_int_equal(number(answer, "members"), 1);
    assert_int_equal(number(answer, "retracted"), 1);
    assert_int_equal(atomic_load(&s->t.hub->head), head);
    assert_int_equal(atomic_load(&s->t.hub->ledger_size), leaves);
    assert_int_equal(atomic_load(&s->t.hub->n_classes), classes);
    assert_int_equal(credentials_of(s, "bank", &id), 3);
    assert_int_equal(count(s, s->clinic), 1);
}

static void test_hub_compromise__in_portions_over_a_restart(void **state)
{
    struct hub_scene *s = *state;

    int64_t since_us = mark();
    for (unsigned n = 1; n <= 5; n++)
        hub_scene_submit(s, n, 1, TLP_GREEN, "");
    assert_int_equal(count(s, s->clinic), 5);
    s->t.hub->sent_most = 2;
    struct json answer = act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "");
    assert_int_equal(objects(answer), 2);
    int64_t next = number(answer, "next");
    assert_int_not_equal(next, 0);
    assert_int_equal(count(s, s->clinic), 3);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_int_equal(count(s, s->clinic), 3);
    /* begun anew, or where it stood: the same */
    assert_int_equal(objects(act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us,
                                    arena_printf(&s->a, ",\"after\":%lld", (long long)next).ptr)),
                     3);
    assert_int_equal(objects(act_on(s, HUB_MEMBER_COMPROMISE, "bank", since_us, "")), 0);
    assert_int_equal(count(s, s->clinic), 0);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_int_equal(objects(act_on(s, HUB_MEMBER_RELEASE, "bank", since_us, "")), 5);
    assert_int_equal(count(s, s->clinic), 5);
}

struct reports {
    size_t n, counted;
};

static int look_at(void *arg, struct slice key, struct slice value)
{
    struct reports *r = arg;
    struct hub_report one;

    assert_int_equal(value.len, sizeof one);
    memcpy(&one, value.ptr, sizeof one);
    r->n++;
    r->counted += one.onward != 0;
    return 0;
}

static void test_hub_compromise__reports_count_no_more(void **state)
{
    struct hub_scene *s = *state;
    struct reports r = {0, 0};

    hub_scene_submit(s, 1, 1, TLP_GREEN, "");
    struct slice subject = find(s, s->port, "n1.example");
    int64_t since_us = mark();
    hub_test_submit_good(
        &s->t, s->port, s->c,
        arena_printf(&s->a,
                     "{\"type\":\"sighting\",\"spec_version\":\"2.1\",\"id\":"
                     "\"sighting--00000000-0000-4000-8000-000000000007\",\"created\":\"2026-01-01T00:00:00.000Z\","
                     "\"modified\":\"2026-01-01T00:00:00.000Z\",\"sighting_of_ref\":\"" SLICE_FMT
                     "\",\"extensions\":{\"" STIX_TOCSIN_SIGHTING
                     "\":{\"extension_type\":\"property-extension\",\"onward\":\"aggregate\"}}}",
                     SLICE_ARG(subject))
            .ptr);
    hub_test_settle(&s->t);
    struct json answer = act_on(s, HUB_MEMBER_COMPROMISE, "port", since_us, "");
    assert_int_equal(number(answer, "reports"), 1);
    assert_int_equal(objects(answer), 0); /* a report is its reporter's alone anyway */
    assert_int_equal(hub_sightings_scan(s->t.readers[0].reader, SLICE(HUB_REPORTS_FROM), look_at, &r, NULL), 0);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.counted, 0);
    hub_test_settle(&s->t);
}

static void test_hub_compromise__wrong_asks(void **state)
{
    struct hub_scene *s = *state;
    long long later = (long long)time_now_us() + 3600000000LL;
    static const struct {
        const char *detail;
        enum err_code code;
    } rows[] = {
        {"{\"name\":\"nobody\",\"since_us\":0}", ERR_NOT_FOUND},
        {"{\"since_us\":0}", ERR_NOT_FOUND},
        {"{\"name\":\"bank\"}", ERR_CONF_VALUE},
        {"{\"name\":\"bank\",\"since_us\":-1}", ERR_CONF_VALUE},
        {"{\"name\":\"bank\",\"since_us\":0,\"after\":-1}", ERR_CONF_VALUE},
        {"{\"name\":\"bank\",\"since_us\":0,\"after\":999999}", ERR_CONF_VALUE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hub_test_act_fails(&s->t, HUB_MEMBER_COMPROMISE, NULL, "%s", rows[i].detail), rows[i].code);
        assert_int_equal(hub_test_act_fails(&s->t, HUB_MEMBER_RELEASE, NULL, "%s", rows[i].detail), rows[i].code);
    }
    assert_int_equal(
        hub_test_act_fails(&s->t, HUB_MEMBER_COMPROMISE, NULL, "{\"name\":\"bank\",\"since_us\":%lld}", later),
        ERR_CONF_VALUE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_hub_compromise__##name, hub_scene_set_up, hub_scene_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_since_then_and_of_that_member),
        TEST(version_of_an_older_object_hides_all_of_it),
        TEST(release_gives_back_under_another_id),
        TEST(newer_version_takes_the_place_of_what_is_held),
        TEST(held_value_can_be_deleted_by_its_owner),
        TEST(all_credentials_end),
        TEST(dry_run_changes_nothing),
        TEST(in_portions_over_a_restart),
        TEST(reports_count_no_more),
        TEST(wrong_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

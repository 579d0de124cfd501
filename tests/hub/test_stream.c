/* The stream as a follower meets it: over HTTP, event by event. */
#include "door_test.h"

#include <string.h>

struct heard {
    struct arena *a;
    struct {
        struct slice id, type;
        struct json data;
    } items[64];
    size_t n, wanted;
};

static int set_up(void **state)
{
    struct door *d = mem_zero(1, sizeof *d);

    door_open(d);
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    struct door *d = *state;

    door_close(d);
    free(d);
    return 0;
}

static int hear(void *arg, const struct http_event *e)
{
    struct heard *h = arg;
    struct err err = ERR_INIT;

    assert_true(h->n < ROWS(h->items));
    h->items[h->n].id = arena_copy(h->a, e->id);
    h->items[h->n].type = arena_copy(h->a, e->type);
    if (json_parse(h->a, arena_copy(h->a, e->data), NULL, &h->items[h->n].data, &err) != 0)
        fail_msg("%s: " SLICE_FMT, err.text, SLICE_ARG(e->data));
    return ++h->n == h->wanted;
}

/* Follows until `wanted` events came; the error of what ended it else. */
static enum err_code follow(struct door *d, const char *user, const char *query, struct slice last, size_t wanted,
                            struct heard *h)
{
    struct http_client_conf conf = {.url = arena_printf(&d->arena, "http://127.0.0.1:%u", d->port),
                                    .user = slice_of(user),
                                    .password = SLICE("secret")};
    struct slice lines[2] = {SLICE("Accept: text/event-stream")};
    struct http_client *c;
    struct err err = ERR_INIT;

    *h = (struct heard){.a = &d->arena, .wanted = wanted};
    lines[1] = arena_printf(&d->arena, "Last-Event-ID: " SLICE_FMT, SLICE_ARG(last));
    assert_int_equal(http_client_open(&conf, &c, &err), 0);
    http_client_follow(c, arena_printf(&d->arena, "/tocsin/collections/%s/stream/%s", d->id, query), lines,
                       last.len != 0 ? 2 : 1, 5000000, hear, h, &err);
    http_client_close(&c);
    return h->n == wanted ? ERR_NONE : err.code;
}

static void post(struct door *d, unsigned n, unsigned version, const char *more)
{
    door_post(d, "bank", hub_test_indicator(&d->arena, n, version, TLP_GREEN, more).ptr);
}

static bool is_about(struct door *d, const struct heard *h, size_t i, const char *text)
{
    return hub_holds(json_raw(h->items[i].data), text);
}

static void test_hub_stream__events_come_in_order_and_resume(void **state)
{
    struct door *d = *state;
    struct heard all, first, rest;

    for (unsigned i = 1; i <= 6; i++)
        post(d, i, 1, "");
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 7, &all), ERR_NONE); /* their creator too */
    for (size_t i = 0; i < all.n; i++) {
        struct slice at = door_text(d, all.items[i].data, "date_added");
        assert_slice(all.items[i].type, "add");
        assert_int_equal(at.len, 27); /* six digits */
        if (i > 0)
            assert_true(strncmp(door_text(d, all.items[i - 1].data, "date_added").ptr, at.ptr, at.len) < 0);
    }
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 3, &first), ERR_NONE);
    assert_int_equal(follow(d, "clinic", "", first.items[2].id, 4, &rest), ERR_NONE);
    for (size_t i = 0; i < 7; i++) {
        struct json one = i < 3 ? first.items[i].data : rest.items[i - 3].data;
        assert_true(
            slice_eq(json_raw(json_get(one, SLICE("object"))), json_raw(json_get(all.items[i].data, SLICE("object")))));
    }
}

/* Who comes back is told first of what it should let go. */
static void test_hub_stream__recalls_come_first(void **state)
{
    struct door *d = *state;
    struct heard before, h;

    post(d, 1, 1, "");
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 2, &before), ERR_NONE);
    post(d, 2, 1, "");
    post(d, 1, 2, ",\"revoked\":true");
    assert_int_equal(follow(d, "clinic", "", before.items[1].id, 2, &h), ERR_NONE);
    assert_slice(h.items[0].type, "retract");
    assert_true(is_about(d, &h, 0, "\"revoked\":true"));
    assert_slice(h.items[1].type, "add");
    assert_true(is_about(d, &h, 1, "n2.example"));
}

static void test_hub_stream__expiry_is_told(void **state)
{
    struct door *d = *state;
    struct heard before, h;

    post(d, 1, 1, "");
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 2, &before), ERR_NONE);
    post(d, 1, 2, ",\"valid_until\":\"2026-01-02T00:00:00Z\"");
    assert_int_equal(follow(d, "clinic", "", before.items[1].id, 1, &h), ERR_NONE);
    assert_slice(h.items[0].type, "expire");
}

static void test_hub_stream__begins_where_it_is_asked_to(void **state)
{
    struct door *d = *state;
    struct heard all, h;

    for (unsigned i = 1; i <= 4; i++)
        post(d, i, 1, "");
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 5, &all), ERR_NONE);
    struct slice at = door_text(d, all.items[2].data, "date_added");
    assert_int_equal(
        follow(d, "clinic", arena_printf(&d->arena, "?added_after=" SLICE_FMT, SLICE_ARG(at)).ptr, SLICE(""), 2, &h),
        ERR_NONE);
    assert_slice(door_text(d, h.items[0].data, "date_added"),
                 arena_printf(&d->arena, SLICE_FMT, SLICE_ARG(door_text(d, all.items[3].data, "date_added"))).ptr);
}

static void test_hub_stream__strange_event_ids_are_refused(void **state)
{
    struct door *d = *state;
    struct heard h;
    struct door_answer a;
    char other[37];

    post(d, 1, 1, "");
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 1, &h), ERR_NONE);
    hub_test_collection(&d->t, "other", ",\"open\":true", other);
    const char *id =
        arena_printf(&d->arena, "Accept: text/event-stream\nLast-Event-ID: " SLICE_FMT, SLICE_ARG(h.items[0].id)).ptr;
    door_call(d, "clinic", "GET", arena_printf(&d->arena, "/tocsin/collections/%s/stream/", other).ptr, id, "", &a);
    assert_int_equal(a.status, 400); /* a position in another collection */
    door_call(d, "clinic", "GET", "/tocsin/collections/%C/stream/", "Accept: text/event-stream\nLast-Event-ID: 12345",
              "", &a);
    assert_int_equal(a.status, 400);
    door_call(d, NULL, "GET", "/tocsin/collections/%C/stream/", "Accept: text/event-stream", "", &a);
    assert_int_equal(a.status, 401);
}

/* An event's data is split at line ends, which would change the bytes. */
static void test_hub_stream__line_ends_travel_whole(void **state)
{
    struct door *d = *state;
    struct heard h;
    struct slice text = hub_test_indicator(&d->arena, 1, 1, TLP_GREEN, "");
    struct json root;

    door_post(d, "bank", arena_printf(&d->arena, "{\n" SLICE_FMT, SLICE_ARG(slice_from(text, 1))).ptr);
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 2, &h), ERR_NONE);
    size_t at = is_about(d, &h, 0, "n1.example") ? 0 : 1;
    struct slice object = door_text(d, h.items[at].data, "object_text");
    assert_true(slice_starts(object, SLICE("{\n")));
    assert_int_equal(json_parse(&d->arena, object, NULL, &root, NULL), 0);
}

/* What a member does not want is not told it; what it holds is taken back whatever its type. Its tool's other switches
   are for pages alone: this is read by programs of Tocsin. */
static void test_hub_stream__types_wanted(void **state)
{
    struct door *d = *state;
    struct heard h, rest;

    door_change(d, "clinic", ",\"types\":[\"ipv4-addr\"]");
    post(d, 1, 1, "");
    door_post(d, "bank", hub_test_address(&d->arena, 1, TLP_GREEN).ptr);
    post(d, 2, 1, "");
    door_post(d, "bank", hub_test_address(&d->arena, 2, TLP_GREEN).ptr);
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 2, &h), ERR_NONE);
    assert_true(is_about(d, &h, 0, "198.51.100.1") && is_about(d, &h, 1, "198.51.100.2"));
    door_change(d, "clinic", ",\"types\":[\"indicator\"],\"compat\":[\"stix20\",\"flatten\",\"tlp1\"]");
    post(d, 3, 1, "");
    assert_int_equal(follow(d, "clinic", "", h.items[1].id, 1, &rest), ERR_NONE);
    assert_true(is_about(d, &rest, 0, "n3.example") && is_about(d, &rest, 0, "\"spec_version\":\"2.1\""));
    door_change(d, "clinic", ",\"types\":[\"malware\"]");
    post(d, 3, 2, ",\"revoked\":true");
    assert_int_equal(follow(d, "clinic", "", rest.items[0].id, 1, &h), ERR_NONE);
    assert_slice(h.items[0].type, "retract");
}

struct posting {
    struct door *d;
    struct slice objects;
};

static void *post_later(void *arg)
{
    struct posting *p = arg;
    struct hub_party *bank = hub_test_party(&p->d->t, "bank");

    nanosleep(&(struct timespec){0, 200000000}, NULL);
    hub_test_submit_good(&p->d->t, bank, p->d->id, p->objects.ptr);
    hub_party_drop(&bank);
    return NULL;
}

/* An idle follower is read for when something comes, and its stream ends with its credential. */
static void test_hub_stream__wakes_and_ends(void **state)
{
    struct door *d = *state;
    struct posting p = {d, hub_test_indicator(&d->arena, 1, 1, TLP_GREEN, "")};
    struct heard h;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, post_later, &p), 0);
    assert_int_equal(follow(d, "clinic", "", SLICE(""), 2, &h), ERR_NONE);
    pthread_join(thread, NULL);
    struct slice last = h.items[1].id;
    hub_test_act(&d->t, HUB_MEMBER_REMOVE, NULL, "{\"name\":\"clinic\"}");
    assert_int_not_equal(follow(d, "clinic", "", last, 1, &h), ERR_NONE);
    assert_int_equal(h.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_stream__events_come_in_order_and_resume, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__recalls_come_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__expiry_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__begins_where_it_is_asked_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__strange_event_ids_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__line_ends_travel_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__types_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_stream__wakes_and_ends, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

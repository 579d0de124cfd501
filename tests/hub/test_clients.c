/* What the hub remembers of connected programs, and what it says of them. */
#include "hub_test.h"

#include <stdio.h>

#include "base/time.h"

#include "hub/clients.h"

struct scene {
    struct hub_test t;
    struct hub_party *bank;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);
    char c[37];

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "alerts", ",\"open\":true", c);
    s->bank = hub_test_member(&s->t, "bank", "");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    hub_party_drop(&s->bank);
    hub_test_close(&s->t);
    free(s);
    return 0;
}

#define AGENT "User-Agent"
static const char *const objects = "/tocsin/collections/x/objects/";

struct ask {
    const char *method, *path, *query, *agent, *authorization;
    int status;
    enum err_code code;
    bool page, empty, nobody;
};

static void ask(struct scene *s, const struct ask *q, int64_t at_us)
{
    struct err err = {.code = q->code};
    struct http_header headers[2] = {{SLICE(AGENT), slice_of(q->agent)},
                                     {SLICE("Authorization"), slice_of(q->authorization)}};
    struct http_head head = {.method = slice_of(q->method),
                             .path = slice_of(q->path),
                             .query = slice_of(q->query),
                             .headers = headers,
                             .n_headers = q->authorization != NULL ? 2 : 1,
                             .peer = SLICE("192.0.2.7"),
                             .arrived_us = at_us};
    struct taxii_answered w = {.head = &head,
                               .status = q->status,
                               .err = q->code != ERR_NONE ? &err : NULL,
                               .sent = 10,
                               .is_page = q->page,
                               .is_empty = q->empty};

    hub_clients_note(s->t.hub, q->nobody ? NULL : (struct taxii_who *)s->bank, &w);
}

static struct slice told(struct scene *s, struct arena *a, const char *member)
{
    struct buf out = BUF_INIT;

    hub_put_clients(s->t.hub, slice_of(member), &out);
    struct slice text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

static void test_hub_clients__findings(void **state)
{
    static const struct {
        struct ask ask;
        int times;
        int64_t every_us;
        const char *says, *says_not; /* in the JSON */
    } rows[] = {
        {{"GET", NULL, "limit=500", "taxii2-client/2.3", NULL, 200, 0, true, false, false},
         4,
         60000000,
         "\"no_added_after\"",
         "\"milliseconds\""},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00.123Z", "a", NULL, 200, 0, true, true, false},
         4,
         60000000,
         "\"milliseconds\"",
         "\"no_added_after\""},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00Z", "b", NULL, 200, 0, true, false, false},
         5,
         60000000,
         "\"stuck\"",
         "\"milliseconds\""},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00Z", "b2", NULL, 200, 0, true, true, false},
         5,
         60000000,
         "\"seconds\"",
         "\"stuck\""},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00.000000Z&limit=1", "c", NULL, 200, 0, true, false, false},
         3,
         60000000,
         "\"small_pages\"",
         "\"seconds\""},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00.000000Z", "d", NULL, 200, 0, true, true, false},
         3,
         60000000,
         "\"nothing\"",
         "\"stuck\""},
        {{"GET", NULL, "added_after=2999-01-01T00:00:00.000000Z", "e", NULL, 200, 0, true, true, false},
         3,
         60000000,
         "\"future\"",
         "\"nothing\""},
        {{"GET", "/tocsin/collections/", "", "f", NULL, 200, 0, false, false, false},
         6,
         60000000,
         "\"no_objects\"",
         "\"sign_in\""},
        {{"GET", NULL, "", "g", NULL, 406, ERR_NOT_ACCEPTABLE, false, false, false},
         2,
         60000000,
         "406 since",
         "\"no_objects\""},
        {{"POST", NULL, "", "h", NULL, 415, ERR_MEDIA_TYPE, false, false, false},
         2,
         60000000,
         "415 since",
         "\"sign_in\""},
        {{"GET", NULL, "", "i", "Basic YmFuazp3cm9uZw==", 401, ERR_UNAUTHENTICATED, false, false, true},
         14,
         1000000,
         "14 times: the user name or the password is wrong",
         "no credentials"},
        {{"GET", NULL, "added_after=2026-01-01T00:00:00.000000Z&match[type]=indicator,relationship", "j", NULL, 200, 0,
          true, true, false},
         2,
         60000000,
         "Cortex XSOAR",
         "Elastic"},
        {{"GET", NULL, "next=abc", "k", NULL, 200, 0, true, true, false}, 2, 60000000, "like Elastic Agent", "XSOAR"},
        {{"GET", NULL, "limit=50&next=", "l", "basic YmFuazp4", 200, 0, true, true, false},
         2,
         60000000,
         "MISP",
         "Elastic"},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct scene *s;
        set_up((void **)&s);
        int64_t now = time_now_us();
        struct ask q = rows[i].ask;
        q.path = q.path != NULL ? q.path : objects;
        for (int k = 0; k < rows[i].times; k++)
            ask(s, &q, now - (rows[i].times - 1 - k) * rows[i].every_us);
        struct slice text = told(s, &a, "bank");
        if (slice_find(text, slice_of(rows[i].says)) == text.len ||
            slice_find(text, slice_of(rows[i].says_not)) < text.len)
            fail_row(i, SLICE_FMT, SLICE_ARG(text));
        tear_down((void **)&s);
    }
    arena_free(&a);
}

/* No password, no id of an object, no submission's minute; a user name that is none here may be a password. */
static void test_hub_clients__nothing_secret(void **state)
{
    struct scene *s = *state;
    struct arena a = ARENA_INIT;
    int64_t at;
    static const char *const never[] = {"YmFu", "secret", "d0d0d0d0", "15:17", "token-of-mine", "hunter2"};

    time_parse(SLICE("2026-11-22T15:17:18.5Z"), &at);
    ask(s, &(struct ask){"GET", objects, "", "a", "Basic YmFuazp3cm9uZw==", 401, ERR_UNAUTHENTICATED, .nobody = true},
        at + 3600000000ll);
    ask(s,
        &(struct ask){"GET", objects, "", "a", "Basic aHVudGVyMjpzZWNyZXQ=", 401, ERR_UNAUTHENTICATED, .nobody = true},
        at + 3600000000ll); /* hunter2:secret */
    ask(s,
        &(struct ask){"GET", "/tocsin/collections/x/objects/indicator--d0d0d0d0/", "match[id]=d0d0d0d0&key=secret", "a",
                      NULL, 200, 0, true},
        at + 3600000000ll);
    ask(s, &(struct ask){"GET", objects, "next=token-of-mine", "a", NULL, 200, 0, true}, at + 3600000000ll);
    ask(s, &(struct ask){"POST", objects, "", "a", NULL, 202, 0}, at);
    for (size_t m = 0; m < 2; m++) {
        struct slice text = told(s, &a, m == 0 ? "bank" : "");
        for (size_t i = 0; i < ROWS(never); i++)
            if (slice_find(text, slice_of(never[i])) < text.len)
                fail_row(i, SLICE_FMT, SLICE_ARG(text));
    }
    struct slice text = told(s, &a, "bank");
    assert_true(slice_find(text, SLICE("\"submissions\":1")) < text.len);
    arena_free(&a);
}

/* However many programs come, under whatever names: as many are remembered as the limits say. */
static void test_hub_clients__bounded(void **state)
{
    struct scene *s = *state;
    struct arena a = ARENA_INIT;
    struct json list;
    char agent[32];

    for (int i = 0; i < 300; i++) {
        snprintf(agent, sizeof agent, "agent-%d", i);
        ask(s, &(struct ask){"GET", objects, "", agent, NULL, 200, 0, true}, time_now_us());
    }
    assert_int_equal(json_parse(&a, told(s, &a, "bank"), NULL, &list, NULL), 0);
    assert_int_equal(json_count(list), HUB_CLIENTS_EACH);
    struct json requests = json_get(json_first(list), SLICE("requests"));
    assert_int_equal(json_count(requests), 1);
    for (int i = 0; i < 50; i++)
        ask(s, &(struct ask){"GET", objects, "", "agent-299", NULL, 200, 0, true}, time_now_us());
    assert_int_equal(json_parse(&a, told(s, &a, "bank"), NULL, &list, NULL), 0);
    size_t most = 0;
    json_each (c, list)
        most = json_count(json_get(c, SLICE("requests"))) > most ? json_count(json_get(c, SLICE("requests"))) : most;
    assert_int_equal(most, HUB_CLIENTS_RING);
    arena_free(&a);
}

/* The right password at last: the failures of the same program are forgotten. */
static void test_hub_clients__signed_in_at_last(void **state)
{
    struct scene *s = *state;
    struct arena a = ARENA_INIT;

    ask(s, &(struct ask){"GET", objects, "", "a", "Basic YmFuazp3cm9uZw==", 401, ERR_UNAUTHENTICATED, .nobody = true},
        time_now_us());
    struct slice text = told(s, &a, "bank");
    assert_true(slice_find(text, SLICE("401 since")) < text.len);
    ask(s, &(struct ask){"GET", objects, "", "a", NULL, 200, 0, true, true}, time_now_us());
    text = told(s, &a, "bank");
    assert_true(slice_find(text, SLICE("401 since")) == text.len);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_clients__findings),
        cmocka_unit_test_setup_teardown(test_hub_clients__nothing_secret, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_clients__bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_clients__signed_in_at_last, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

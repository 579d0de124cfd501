/* The rules that TAXII servers in the field get wrong, over a real hub's door: first those of the protocol, then those
   that clients ask for. Each test is named after its rule. */
#include "door_test.h"

#include <string.h>

#define OBJECTS  "/tocsin/collections/threats/objects/"
#define MANIFEST "/tocsin/collections/threats/manifest/"

/* "2026-11-22T10:00:00.123456Z" */
static void assert_instant(struct slice text)
{
    int64_t us;

    assert_int_equal(text.len, TIME_TEXT);
    assert_int_equal(text.ptr[19], '.');
    assert_int_equal(text.ptr[TIME_TEXT - 1], 'Z');
    assert_true(time_parse(text, &us));
}

static int status_of(struct door *d, const char *user, const char *method, const char *path)
{
    struct door_answer a;

    door_call(d, user, method, path, strcmp(method, "POST") == 0 ? DOOR_POST : DOOR_ACCEPT,
              strcmp(method, "POST") == 0 ? "{\"objects\":[]}" : "", &a);
    return a.status;
}

static const char *path_of(struct door *d, unsigned n, const char *rest)
{
    return arena_printf(&d->arena, OBJECTS SLICE_FMT "/%s", SLICE_ARG(hub_test_indicator_id(&d->arena, n)), rest).ptr;
}

/* ---- the protocol ---- */

static void test_taxii_rule_01__timestamps_have_six_digits_and_any_are_taken(void **state)
{
    static const char *const taken[] = {"2020-01-01T00:00:00Z",         "2020-01-01T00:00:00.1Z",
                                        "2020-01-01T00:00:00.123Z",     "2020-01-01T00:00:00.123456Z",
                                        "2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00.123456789Z"};
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 2);
    for (size_t i = 0; i < ROWS(taken); i++) {
        door_get(&d, "bank", arena_printf(&d.arena, MANIFEST "?added_after=%s", taken[i]).ptr, &a);
        assert_instant(a.first);
        assert_instant(a.last);
        json_each (v, json_get(a.json, SLICE("objects")))
            assert_instant(door_text(&d, v, "date_added"));
    }
    door_close(&d);
}

static void test_taxii_rule_02__date_added_rises_so_that_added_after_alone_loses_nothing(void **state)
{
    struct door d;
    struct door_answer a;
    size_t n = 0;
    struct slice after = SLICE("2000-01-01T00:00:00Z");

    door_open(&d);
    door_post_many(&d, "bank", 1, 20); /* one envelope */
    for (;;) {
        door_get(
            &d, "bank",
            arena_printf(&d.arena, OBJECTS "?limit=1&match[type]=indicator&added_after=" SLICE_FMT, SLICE_ARG(after))
                .ptr,
            &a);
        if (door_count(a.json) == 0)
            break;
        n++;
        assert_true(slice_eq(a.first, a.last));
        assert_true(slice_cmp(a.last, after) > 0);
        after = a.last;
        if (n == 10)
            door_post_many(&d, "clinic", 30, 34); /* a writer beside it */
    }
    assert_int_equal(n, 25);
    door_close(&d);
}

static void test_taxii_rule_03__next_is_retryable_and_survives_changes(void **state)
{
    struct door d;
    struct door_answer first, again, a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 9);
    const char *path = OBJECTS "?limit=3&match[type]=indicator";
    door_get(&d, "bank", path, &a);
    const char *next = door_next(&d, path, &a);
    door_get(&d, "bank", next, &first);
    door_get(&d, "bank", next, &again);
    assert_true(slice_eq(first.body, again.body) || slice_eq(json_raw(json_get(first.json, SLICE("objects"))),
                                                             json_raw(json_get(again.json, SLICE("objects")))));
    door_post_many(&d, "bank", 20, 24);
    door_get(&d, "bank", next, &again); /* inserts do not move it */
    assert_true(
        slice_eq(json_raw(json_get(first.json, SLICE("objects"))), json_raw(json_get(again.json, SLICE("objects")))));
    assert_int_equal(status_of(&d, "bank", "DELETE", path_of(&d, 1, "")), 200);
    door_get(&d, "bank", next, &again); /* nor do deletions before it */
    assert_true(
        slice_eq(json_raw(json_get(first.json, SLICE("objects"))), json_raw(json_get(again.json, SLICE("objects")))));
    /* wherever there is more there is next */
    for (unsigned version = 2; version <= 4; version++)
        door_post(&d, "bank", hub_test_indicator(&d.arena, 5, version, TLP_GREEN, "").ptr);
    const char *const paths[] = {OBJECTS "?limit=1", MANIFEST "?limit=1", path_of(&d, 5, "?limit=1&match[version]=all"),
                                 path_of(&d, 5, "versions/?limit=1")};
    for (size_t i = 0; i < ROWS(paths); i++) {
        size_t n = 0;
        for (const char *at = paths[i]; at != NULL; at = door_next(&d, paths[i], &a)) {
            door_get(&d, "bank", at, &a);
            assert_int_equal(json_kind(json_get(a.json, SLICE("more"))) == JSON_TRUE,
                             door_text(&d, a.json, "next").len != 0);
            n += door_count(a.json);
        }
        assert_true(i < 2 ? n > 10 : n == 4);
    }
    door_close(&d);
}

static void test_taxii_rule_04__media_types_without_version_with_weights_and_in_any_case(void **state)
{
    static const struct {
        const char *accept;
        int status;
    } rows[] = {
        {"application/taxii+json", 200},
        {"application/taxii+json;version=2.1", 200},
        {"application/taxii+json ; version=\"2.1\"", 200},
        {"Application/TAXII+JSON;VERSION=2.1", 200},
        {"text/html;q=0.3, application/taxii+json;q=0.2", 200},
        {"application/taxii+json;version=2.0", 406},
        {"application/taxii+json;version=2.1;q=0", 406},
    };
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (size_t i = 0; i < ROWS(rows); i++) {
        door_call(&d, "bank", "GET", OBJECTS, arena_printf(&d.arena, "Accept: %s", rows[i].accept).ptr, "", &a);
        if (a.status != rows[i].status)
            fail_row(i, "%s: %d", rows[i].accept, a.status);
        assert_slice(a.type, "application/taxii+json;version=2.1");
    }
    door_close(&d);
}

static void test_taxii_rule_05__match_version(void **state)
{
    static const struct {
        const char *query;
        size_t n;
    } rows[] = {
        {"", 1},
        {"?match[version]=last", 1},
        {"?match[version]=all", 3},
        {"?match[version]=first,last", 2},
        {"?match[version]=first,2026-01-01T00:00:02Z", 2},
        {"?match[version]=2026-01-01T00:00:02.000000Z", 1}, /* an instant, not a string */
        {"?match[version]=2026-01-01T00:00:02.000Z,2026-01-01T00:00:03Z", 2},
    };
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (unsigned version = 1; version <= 3; version++)
        door_post(&d, "bank", hub_test_indicator(&d.arena, 1, version, TLP_GREEN, "").ptr);
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int manifest = 0; manifest < 2; manifest++) {
            const char *path = manifest ? arena_printf(&d.arena, MANIFEST "%s%smatch[id]=" SLICE_FMT, rows[i].query,
                                                       rows[i].query[0] != '\0' ? "&" : "?",
                                                       SLICE_ARG(hub_test_indicator_id(&d.arena, 1)))
                                              .ptr
                                        : path_of(&d, 1, rows[i].query);
            door_get(&d, "bank", path, &a);
            if (door_count(a.json) != rows[i].n)
                fail_row(i, "%s: %zu", path, door_count(a.json));
        }
    assert_int_equal(status_of(&d, "bank", "GET", OBJECTS "?match[version]=all,first"), 400);
    assert_int_equal(status_of(&d, "bank", "DELETE", path_of(&d, 1, "")), 200); /* without a filter: every version */
    assert_int_equal(status_of(&d, "bank", "GET", path_of(&d, 1, "?match[version]=all")), 404);
    door_close(&d);
}

static void test_taxii_rule_06__versions_of_objects_without_modified(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post(
        &d, "bank",
        "{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--00000000-0000-4000-8000-000000000001\",\"value\":\"198.51.100.9\"}"
        ","
        "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"marking-definition--00000000-0000-4000-"
        "8000-"
        "000000000002\",\"created\":\"2020-05-05T05:05:05.000Z\",\"definition_type\":\"statement\",\"definition\":{"
        "\"statement\":\"c\"}}");
    door_get(&d, "bank", OBJECTS "ipv4-addr--00000000-0000-4000-8000-000000000001/?match[spec_version]=2.1", &a);
    assert_int_equal(door_count(a.json), 1);
    door_get(&d, "bank", OBJECTS "marking-definition--00000000-0000-4000-8000-000000000002/versions/", &a);
    assert_slice(json_text(json_first(json_get(a.json, SLICE("versions")))), "2020-05-05T05:05:05.000000Z");
    door_get(&d, "bank", OBJECTS "?match[spec_version]=2.0", &a);
    assert_slice(a.body, "{}");
    door_close(&d);
}

static void test_taxii_rule_07__empty_lists_are_left_out_and_dates_come_with_objects(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (int manifest = 0; manifest < 2; manifest++) {
        door_get(&d, "bank", manifest ? MANIFEST : OBJECTS, &a);
        assert_slice(a.body, "{}");
        assert_null(a.first.ptr);
        assert_null(a.last.ptr);
    }
    door_post_many(&d, "bank", 1, 1);
    door_get(&d, "bank", OBJECTS "?match[type]=indicator", &a);
    assert_int_equal(door_count(a.json), 1);
    assert_instant(a.first);
    assert_true(slice_eq(a.first, a.last));
    door_close(&d);
}

static void test_taxii_rule_08__not_there_is_404_and_not_allowed_is_403(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        {"POST", OBJECTS, 403},
        {"DELETE", OBJECTS "indicator--00000000-0000-4000-8000-000000000001/", 403},
        {"GET", "/tocsin/collections/reports/objects/", 403},
        {"GET", "/tocsin/collections/x/", 404},
        {"GET", "/tocsin/collections/x/objects/", 404},
        {"POST", "/tocsin/collections/x/objects/", 404},
        {"GET", OBJECTS "nonsense/", 404},
        {"GET", OBJECTS "indicator--00000000-0000-4000-8000-000000000077/", 404},
        {"GET", OBJECTS "indicator--00000000-0000-4000-8000-000000000077/versions/", 404},
        {"GET", "/tocsin/status/xyz/", 404},
        {"GET", "/tocsin/status/00000000-0000-4000-8000-000000000077/", 404},
        {"GET", "/nothing/", 404},
    };
    struct door d;
    char id[37];

    door_open(&d);
    hub_test_collection(&d.t, "reports", ",\"open\":true", id);
    door_change(&d, "clinic", ",\"read_only\":[\"threats\"],\"write_only\":[\"reports\"]");
    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = status_of(&d, "clinic", rows[i].method, rows[i].path);
        if (status != rows[i].status)
            fail_row(i, "%s %s: %d", rows[i].method, rows[i].path, status);
    }
    door_close(&d);
}

static void test_taxii_rule_09__limits_of_pages_and_bodies(void **state)
{
    static const char *const refused[] = {"0", "-1", "x", "1.5"};
    struct door d;
    struct door_answer a;
    struct buf body = BUF_INIT;

    door_open(&d);
    for (size_t i = 0; i < ROWS(refused); i++)
        assert_int_equal(status_of(&d, "bank", "GET", arena_printf(&d.arena, OBJECTS "?limit=%s", refused[i]).ptr),
                         400);
    assert_int_equal(status_of(&d, "bank", "GET", OBJECTS "?limit=999999999999"), 200);
    d.t.hub->settings.max_body = 2000;
    buf_put(&body, SLICE("{\"objects\":[]}"));
    while (body.len < 2000)
        buf_put_byte(&body, ' ');
    for (int over = 0; over < 2; over++) {
        door_call(&d, "bank", "POST", OBJECTS, DOOR_POST, arena_copy(&d.arena, buf_slice(&body)).ptr, &a);
        assert_int_equal(a.status == 413, over);
        buf_put_byte(&body, ' ');
    }
    door_get(&d, "bank", "/tocsin/", &a);
    int64_t most;
    assert_true(json_int(json_get(a.json, SLICE("max_content_length")), &most));
    assert_int_equal(most, 2000);
    buf_free(&body);
    door_close(&d);
}

static int64_t number(struct json status, const char *name)
{
    int64_t n = -1;

    json_int(json_get(status, slice_of(name)), &n);
    return n;
}

static void assert_status(struct json status, int64_t total, int64_t good, int64_t bad)
{
    assert_int_equal(number(status, "total_count"), total);
    assert_int_equal(number(status, "success_count"), good);
    assert_int_equal(number(status, "failure_count"), bad);
    assert_int_equal(number(status, "pending_count"), 0);
    assert_int_equal(json_count(json_get(status, SLICE("successes"))), good);
    assert_int_equal(json_count(json_get(status, SLICE("failures"))), bad);
}

static void test_taxii_rule_10__status_counts_and_failures_of_single_objects(void **state)
{
    struct door d;
    struct door_answer a, kept;
    struct slice good, body;

    door_open(&d);
    good = hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "");
    body = arena_printf(&d.arena,
                        "{\"objects\":[" SLICE_FMT
                        ",{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-"
                        "000000000002\"}]}",
                        SLICE_ARG(good));
    for (int again = 0; again < 2; again++) { /* the same once more: success, and nothing new */
        door_call(&d, "bank", "POST", OBJECTS, DOOR_POST, body.ptr, &a);
        assert_int_equal(a.status, 202);
        assert_slice(door_text(&d, a.json, "status"), "complete");
        assert_status(a.json, 2, 1, 1);
    }
    door_get(&d, "bank",
             arena_printf(&d.arena, "/tocsin/status/" SLICE_FMT "/", SLICE_ARG(door_text(&d, a.json, "id"))).ptr,
             &kept);
    assert_status(kept.json, 2, 1, 1);
    assert_int_equal(door_walk(&d, "bank", OBJECTS "?match[type]=indicator&match[version]=all"), 1);
    door_close(&d);
}

static bool has_header(const struct door_answer *a, const char *name)
{
    return hub_holds(a->headers, name);
}

static void test_taxii_rule_11__errors_have_a_title_and_their_headers(void **state)
{
    static const struct {
        const char *user, *method, *path;
        int status;
        const char *header;
    } rows[] = {
        {NULL, "GET", OBJECTS, 401, "WWW-Authenticate: "},  {"bank", "PUT", OBJECTS, 405, "Allow: "},
        {"bank", "DELETE", MANIFEST, 405, "Allow: "},       {"bank", "GET", OBJECTS "?limit=x", 400, ""},
        {"bank", "GET", "/tocsin/collections/x/", 404, ""},
    };
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (size_t i = 0; i < ROWS(rows); i++) {
        door_call(&d, rows[i].user, rows[i].method, rows[i].path, DOOR_ACCEPT, "", &a);
        if (a.status != rows[i].status || !has_header(&a, rows[i].header))
            fail_row(i, "%d " SLICE_FMT, a.status, SLICE_ARG(a.headers));
        assert_int_not_equal(door_text(&d, a.json, "title").len, 0);
        char text[8];
        snprintf(text, sizeof text, "%d", rows[i].status);
        assert_slice(door_text(&d, a.json, "http_status"), text);
        assert_slice(a.type, TAXII_MEDIA);
    }
    door_close(&d);
}

static void test_taxii_rule_12__objects_come_back_byte_for_byte(void **state)
{
    static const char *const more =
        ",\"confidence\":85, \"x_big\":9007199254740993,\"x_list\":[1, 2.50,null,{\"k\":1e-7}],"
        "\"name\":\"caf\\u00e9 \xe4\xb8\xad\"";
    struct door d;
    struct door_answer a;

    door_open(&d);
    struct slice sent = hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, more);
    door_post(&d, "bank", sent.ptr);
    door_get(&d, "bank", path_of(&d, 1, ""), &a);
    assert_true(slice_eq(json_raw(json_first(json_get(a.json, SLICE("objects")))), sent));
    door_get(&d, "clinic", OBJECTS "?match[type]=indicator", &a); /* others: the release, its values as they were */
    assert_true(slice_find(a.body, SLICE("\"x_big\":9007199254740993,\"x_list\":[1, 2.50,null,{\"k\":1e-7}]")) <
                a.body.len);
    door_close(&d);
}

static void test_taxii_rule_13__roots_are_https_and_an_alias_stands_for_the_id(void **state)
{
    struct door d;
    struct door_answer a, by_alias;
    struct stix_id parts;

    door_open(&d);
    door_call(&d, NULL, "GET", "/taxii2/", DOOR_ACCEPT, "", &a);
    json_each (v, json_get(a.json, SLICE("api_roots")))
        assert_true(slice_starts(json_text(v), SLICE("https://")));
    door_get(&d, "bank", "/tocsin/collections/%C/", &a);
    door_get(&d, "bank", "/tocsin/collections/threats/", &by_alias);
    assert_true(slice_eq(a.body, by_alias.body));
    assert_slice(door_text(&d, a.json, "alias"), "threats");
    struct slice id = arena_printf(&d.arena, "x--" SLICE_FMT, SLICE_ARG(door_text(&d, a.json, "id")));
    assert_true(stix_id_parse(id, &parts));
    assert_int_equal(parts.version, 4);
    assert_int_equal(hub_test_act_fails(&d.t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"two\",\"title\":\"Threats\"}"),
                     ERR_CONF_VALUE); /* nor a title twice */
    door_close(&d);
}

/* ---- what clients ask for ---- */

static void test_taxii_client_rule_01__any_accept_and_one_exact_content_type(void **state)
{
    static const char *const accepts[] = {"Accept: application/json, text/plain, */*",
                                          "Accept: */*",
                                          "Accept:",
                                          "Accept: application/json",
                                          "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                                          "Accept: application/taxii+json; version=2.1"};
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (size_t i = 0; i < ROWS(accepts); i++) {
        door_call(&d, "bank", "GET", "/tocsin/collections/", accepts[i], "", &a);
        if (a.status != 200)
            fail_row(i, "%s: %d", accepts[i], a.status);
        assert_slice(a.type, "application/taxii+json;version=2.1"); /* some compare it as text */
    }
    door_close(&d);
}

static void test_taxii_client_rule_02__with_and_without_the_last_slash(void **state)
{
    static const char *const paths[] = {"/taxii2",
                                        "/tocsin",
                                        "/tocsin/collections",
                                        "/tocsin/collections/%C",
                                        "/tocsin/collections/%C/objects",
                                        "/tocsin/collections/%C/manifest"};
    struct door d;
    struct door_answer with, without;

    door_open(&d);
    for (size_t i = 0; i < ROWS(paths); i++) {
        door_get(&d, "bank", paths[i], &without);
        door_get(&d, "bank", arena_printf(&d.arena, "%s/", paths[i]).ptr, &with);
        assert_true(slice_eq(with.body, without.body));
    }
    door_call(&d, "bank", "POST", "/tocsin/collections/%C/objects", DOOR_POST,
              arena_printf(&d.arena, "{\"objects\":[" SLICE_FMT "]}",
                           SLICE_ARG(hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "")))
                  .ptr,
              &with);
    assert_int_equal(with.status, 202);
    door_close(&d);
}

static void test_taxii_client_rule_03__next_carries_the_query_and_limit_may_change(void **state)
{
    struct door d;
    struct door_answer a, b;

    door_open(&d);
    door_post_many(&d, "bank", 1, 9);
    door_post(&d, "bank", hub_test_address(&d.arena, 1, TLP_GREEN).ptr);
    door_get(&d, "bank", OBJECTS "?limit=4&match[type]=indicator&next=", &a); /* an empty next is none */
    assert_int_equal(door_count(a.json), 4);
    const char *next = arena_copy(&d.arena, door_text(&d, a.json, "next")).ptr;
    door_get(&d, "bank", arena_printf(&d.arena, OBJECTS "?next=%s", next).ptr, &a); /* and nothing else */
    assert_int_equal(door_count(a.json), 5); /* indicators alone, as was asked at first */
    assert_int_equal(json_kind(json_get(a.json, SLICE("next"))), JSON_ABSENT);
    assert_int_not_equal(json_kind(json_get(a.json, SLICE("more"))), JSON_TRUE);
    door_get(&d, "bank", arena_printf(&d.arena, OBJECTS "?limit=2&next=%s", next).ptr, &a);
    assert_int_equal(door_count(a.json), 2);
    door_get(&d, "bank", arena_printf(&d.arena, OBJECTS "?limit=2&match[type]=indicator&next=%s", next).ptr, &b);
    assert_true(slice_eq(json_raw(json_get(a.json, SLICE("objects"))), json_raw(json_get(b.json, SLICE("objects")))));
    assert_int_equal(status_of(&d, "bank", "GET", OBJECTS "?next=garbage"), 400);
    assert_int_equal(status_of(&d, "bank", "GET", arena_printf(&d.arena, OBJECTS "?next=%s%%21", next).ptr), 400);
    assert_int_equal(status_of(&d, "clinic", "GET", arena_printf(&d.arena, OBJECTS "?next=%s", next).ptr), 400);
    door_close(&d);
}

static void test_taxii_client_rule_04__date_headers_with_objects_and_no_word_else(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_get(&d, "bank", OBJECTS "?added_after=2099-01-01T00:00:00Z", &a);
    assert_false(has_header(&a, "X-TAXII-Date-Added"));
    assert_false(has_header(&a, "undefined"));
    door_post_many(&d, "bank", 1, 2);
    door_get(&d, "bank", MANIFEST, &a);
    assert_instant(a.first);
    assert_true(slice_cmp(a.first, a.last) < 0);
    door_close(&d);
}

static void test_taxii_client_rule_05__timestamps_with_offset_and_blank(void **state)
{
    static const char *const forms[] = {"2020-01-01T00:00:00%2B00:00", "2020-01-01T00:00:00.183201+00:00",
                                        "2020-01-01T00:00:00.183201%2000:00", "2020-01-01T02:00:00%2B02:00",
                                        "2020-01-01T00:00:00Z"};
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 1);
    for (size_t i = 0; i < ROWS(forms); i++) {
        door_get(&d, "bank", arena_printf(&d.arena, OBJECTS "?match[type]=indicator&added_after=%s", forms[i]).ptr, &a);
        assert_int_equal(door_count(a.json), 1);
    }
    door_close(&d);
}

static void test_taxii_client_rule_06__every_way_to_sign_in(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    d.t.hub->settings.api_key_header = SLICE("X-API-Key");
    const char *token = door_token(&d, "bank");
    const char *const good[] = {door_basic(&d, "Basic", "bank:secret"),
                                door_basic(&d, "basic", "bank:secret"),
                                door_basic(&d, "BASIC", "bank:secret"),
                                door_basic(&d, "Basic", arena_printf(&d.arena, ":%s", token).ptr),
                                arena_printf(&d.arena, "Authorization: Bearer %s", token).ptr,
                                arena_printf(&d.arena, "Authorization: Token %s", token).ptr,
                                arena_printf(&d.arena, "X-API-Key: %s", token).ptr};
    for (size_t i = 0; i < ROWS(good); i++) {
        door_call(&d, NULL, "GET", "/tocsin/collections/", good[i], "", &a);
        if (a.status != 200)
            fail_row(i, "%s: %d " SLICE_FMT, good[i], a.status, SLICE_ARG(a.body));
    }
    const char *const bad[] = {"X-Nothing: 1", door_basic(&d, "Basic", "bank:wrong"), "Authorization: Bearer wrong"};
    for (size_t i = 0; i < ROWS(bad); i++) {
        door_call(&d, NULL, "GET", "/tocsin/collections/", bad[i], "", &a);
        assert_int_equal(a.status, 401); /* never a redirect */
        assert_true(has_header(&a, "WWW-Authenticate: "));
        assert_slice(door_text(&d, a.json, "http_status"), "401");
    }
    door_close(&d);
}

static void test_taxii_client_rule_07__discovery_names_a_default_root_and_ids_are_uuids(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_call(&d, NULL, "GET", "/taxii2/", DOOR_ACCEPT, "", &a);
    struct slice root = door_text(&d, a.json, "default");
    assert_true(
        slice_starts(slice_from(root, root.len - strlen("/tocsin/")), SLICE("/tocsin/"))); /* a name to pick by */
    door_get(&d, "bank", "/tocsin/collections/", &a);
    json_each (c, json_get(a.json, SLICE("collections"))) {
        struct slice id = door_text(&d, c, "id");
        assert_int_equal(id.len, 36);
        assert_int_equal(id.ptr[14], '4');
        assert_slice(door_text(&d, c, "title"), "Threats");
    }
    door_close(&d);
}

static void test_taxii_client_rule_08__bundles_duplicates_and_tlp_definitions_may_be_posted(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    struct slice body = arena_printf(
        &d.arena,
        "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":[" SLICE_FMT
        "," SLICE_FMT ",{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" TLP_GREEN
        "\",\"created\":\"2022-10-01T00:00:00.000Z\",\"name\":\"TLP:GREEN\",\"extensions\":{\"extension-definition--"
        "60a3c5c5-"
        "0d10-413e-aab3-9e08dde9e88d\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"green\"}}}]}",
        SLICE_ARG(hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "")),
        SLICE_ARG(hub_test_indicator(&d.arena, 2, 1, TLP_GREEN, "")));
    for (int again = 0; again < 2; again++) {
        door_call(&d, "bank", "POST", OBJECTS, DOOR_POST, body.ptr, &a);
        assert_int_equal(a.status, 202);
        assert_slice(door_text(&d, a.json, "status"), "complete"); /* at once: nobody has to ask again */
        assert_status(a.json, 3, 3, 0);
    }
    assert_int_equal(status_of(&d, "bank", "GET", OBJECTS TLP_GREEN "/"),
                     404); /* the standards' own: nothing is kept */
    door_close(&d);
}

static void test_taxii_client_rule_09__pages_of_a_thousand_and_up_to_ten_thousand(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    for (unsigned i = 0; i < 3; i++)
        door_post_many(&d, "bank", 1 + i * 500, (i + 1) * 500);
    door_get(&d, "bank", OBJECTS "?match[type]=indicator", &a);
    assert_int_equal(door_count(a.json), 1000);
    door_get(&d, "bank", OBJECTS "?match[type]=indicator&limit=10000", &a);
    assert_int_equal(door_count(a.json), 1500);
    d.t.hub->settings.page_max = 1200;
    door_get(&d, "bank", OBJECTS "?match[type]=indicator&limit=10000", &a);
    assert_int_equal(door_count(a.json), 1200);
    door_close(&d);
}

static void test_taxii_client_rule_10__a_member_s_switches_are_its_own(void **state)
{
    struct door d;
    struct door_answer a, before, after;

    door_open(&d);
    door_post(
        &d, "bank",
        arena_printf(&d.arena,
                     "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" SLICE_FMT
                     "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
                     "\"pattern\":\"[mutex:name IN ('a','b')]\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T"
                     "00:00:00Z\",\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
                     SLICE_ARG(hub_test_indicator_id(&d.arena, 1)))
            .ptr);
    door_member(&d, "school", "");
    door_get(&d, "school", OBJECTS, &before);
    door_change(&d, "clinic",
                ",\"compat\":[\"empty-list\",\"tlp1\",\"flatten\"],\"types\":[\"indicator\"],\"page_size\":7");
    door_get(&d, "clinic", OBJECTS, &a);
    assert_int_equal(door_count(a.json), 2);
    assert_true(slice_find(a.body, SLICE("34098fce-860f-48ae-8e50-ebd3cc5e41da")) < a.body.len);
    door_get(&d, "clinic", OBJECTS "?match[type]=malware", &a);
    assert_slice(a.body, "{\"objects\":[]}");
    door_get(&d, "school", OBJECTS, &after);
    assert_true(slice_eq(before.body, after.body));
    door_close(&d);
}

static void test_taxii_client_rule_11__a_member_asks_what_it_may_see_and_why(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_get(&d, "clinic", "/tocsin/markings/", &a);
    struct json markings = json_get(json_first(json_get(a.json, SLICE("collections"))), SLICE("markings"));
    assert_int_equal(json_count(markings), SHARE_TLP_LEVELS);
    json_each (m, markings) {
        struct json why = json_first(json_get(m, SLICE("reasons")));
        assert_int_not_equal(door_text(&d, why, "code").len, 0);
        assert_int_not_equal(door_text(&d, why, "text").len, 0);
        assert_true(slice_starts(door_text(&d, m, "id"), SLICE("marking-definition--")));
    }
    door_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taxii_rule_01__timestamps_have_six_digits_and_any_are_taken),
        cmocka_unit_test(test_taxii_rule_02__date_added_rises_so_that_added_after_alone_loses_nothing),
        cmocka_unit_test(test_taxii_rule_03__next_is_retryable_and_survives_changes),
        cmocka_unit_test(test_taxii_rule_04__media_types_without_version_with_weights_and_in_any_case),
        cmocka_unit_test(test_taxii_rule_05__match_version),
        cmocka_unit_test(test_taxii_rule_06__versions_of_objects_without_modified),
        cmocka_unit_test(test_taxii_rule_07__empty_lists_are_left_out_and_dates_come_with_objects),
        cmocka_unit_test(test_taxii_rule_08__not_there_is_404_and_not_allowed_is_403),
        cmocka_unit_test(test_taxii_rule_09__limits_of_pages_and_bodies),
        cmocka_unit_test(test_taxii_rule_10__status_counts_and_failures_of_single_objects),
        cmocka_unit_test(test_taxii_rule_11__errors_have_a_title_and_their_headers),
        cmocka_unit_test(test_taxii_rule_12__objects_come_back_byte_for_byte),
        cmocka_unit_test(test_taxii_rule_13__roots_are_https_and_an_alias_stands_for_the_id),
        cmocka_unit_test(test_taxii_client_rule_01__any_accept_and_one_exact_content_type),
        cmocka_unit_test(test_taxii_client_rule_02__with_and_without_the_last_slash),
        cmocka_unit_test(test_taxii_client_rule_03__next_carries_the_query_and_limit_may_change),
        cmocka_unit_test(test_taxii_client_rule_04__date_headers_with_objects_and_no_word_else),
        cmocka_unit_test(test_taxii_client_rule_05__timestamps_with_offset_and_blank),
        cmocka_unit_test(test_taxii_client_rule_06__every_way_to_sign_in),
        cmocka_unit_test(test_taxii_client_rule_07__discovery_names_a_default_root_and_ids_are_uuids),
        cmocka_unit_test(test_taxii_client_rule_08__bundles_duplicates_and_tlp_definitions_may_be_posted),
        cmocka_unit_test(test_taxii_client_rule_09__pages_of_a_thousand_and_up_to_ten_thousand),
        cmocka_unit_test(test_taxii_client_rule_10__a_member_s_switches_are_its_own),
        cmocka_unit_test(test_taxii_client_rule_11__a_member_asks_what_it_may_see_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The products that talk to TAXII servers, each as it sends its requests: headers, forms of URLs, order. One test for
   each row of what is known of them. */
#include "door_test.h"

#include <string.h>

/* A GET with exactly these header lines; must be answered with `status`. */
static void ask(struct door *d, const char *path, const char *headers, int status, struct door_answer *a)
{
    door_call(d, NULL, "GET", path, headers, "", a);
    if (a->status != status)
        fail_msg("%s: %d " SLICE_FMT, path, a->status, SLICE_ARG(a->body));
}

static const char *lines(struct door *d, const char *authorization, const char *more)
{
    return arena_printf(&d->arena, "%s\n%s", authorization, more).ptr;
}

static struct json first_object(const struct door_answer *a)
{
    return json_first(json_get(a->json, SLICE("objects")));
}

/* cti-taxii-client: checks the type of each answer before anything else, asks for `limit` what the last page held, and
   goes on as long as `more` is true. */
static void test_hub_products__taxii2_client(void **state)
{
    struct door d;
    struct door_answer a;
    size_t n = 0, limit = 4;
    struct slice next = SLICE("");

    door_open(&d);
    door_post_many(&d, "bank", 1, 9);
    const char *h = lines(&d, door_basic(&d, "Basic", "bank:secret"),
                          "Accept: application/taxii+json;version=2.1\nUser-Agent: taxii2-client/2.3.0");
    ask(&d, "/taxii2/", h, 200, &a);
    ask(&d, "/tocsin/", h, 200, &a);
    ask(&d, "/tocsin/collections/", h, 200, &a);
    struct json c = json_first(json_get(a.json, SLICE("collections")));
    const char *const members[] = {"id", "title", "can_read", "can_write"};
    for (size_t i = 0; i < ROWS(members); i++)
        assert_int_not_equal(json_kind(json_get(c, slice_of(members[i]))), JSON_ABSENT);
    for (bool more = true; more;) {
        const char *path = arena_printf(&d.arena,
                                        "/tocsin/collections/%%C/objects/?match[type]=indicator,malware&limit=%zu"
                                        "&added_after=2020-01-01T00:00:00Z%s" SLICE_FMT,
                                        limit, next.len != 0 ? "&next=" : "", SLICE_ARG(next))
                               .ptr;
        ask(&d, path, h, 200, &a);
        assert_true(slice_starts(a.type, SLICE("application/taxii+json")) &&
                    slice_find(a.type, SLICE("version=2.1")) < a.type.len);
        more = json_kind(json_get(a.json, SLICE("more"))) == JSON_TRUE;
        next = door_text(&d, a.json, "next");
        assert_true(!more || (next.len != 0 && door_count(a.json) != 0)); /* else it would never end */
        n += door_count(a.json);
        limit = 3;
    }
    assert_int_equal(n, 9);
    ask(&d, "/tocsin/collections/%C/manifest/?limit=4", h, 200, &a);
    assert_int_not_equal(door_text(&d, a.json, "next").len, 0);
    door_close(&d);
}

/* Its lists must be as long as their counts say. */
static void test_hub_products__taxii2_client_status(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_call(&d, "bank", "POST", "/tocsin/collections/%C/objects/", DOOR_POST,
              arena_printf(&d.arena, "{\"objects\":[" SLICE_FMT ",{\"type\":\"indicator\",\"id\":\"x\"}]}",
                           SLICE_ARG(hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "")))
                  .ptr,
              &a);
    static const char *const parts[][2] = {
        {"success_count", "successes"}, {"failure_count", "failures"}, {"pending_count", "pendings"}};
    for (size_t i = 0; i < ROWS(parts); i++) {
        int64_t n;
        assert_true(json_int(json_get(a.json, slice_of(parts[i][0])), &n));
        assert_int_equal(json_count(json_get(a.json, slice_of(parts[i][1]))), n);
    }
    door_close(&d);
}

/* OpenCTI's own feed: cursor and added_after together, an empty cursor at first, offsets whose '+' arrives as a blank;
   keeps X-TAXII-Date-Added-Last. */
static void test_hub_products__opencti_feed(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 5);
    const char *h = lines(&d, arena_printf(&d.arena, "Authorization: Bearer %s", door_token(&d, "bank")).ptr,
                          "Accept: application/json, text/plain, */*");
    ask(&d, "/tocsin/collections/%C/objects/?next=&added_after=2024-01-17T16:11:20.183201+00:00&limit=3", h, 200, &a);
    assert_int_equal(door_count(a.json), 3);
    struct slice last = a.last, next = door_text(&d, a.json, "next");
    ask(&d,
        arena_printf(&d.arena,
                     "/tocsin/collections/%%C/objects/?next=" SLICE_FMT
                     "&added_after=2024-01-17T16:11:20.183201%%2000:00&limit=100",
                     SLICE_ARG(next))
            .ptr,
        h, 200, &a);
    assert_true(slice_cmp(a.last, last) > 0);
    ask(&d,
        arena_printf(&d.arena, "/tocsin/collections/%%C/objects/?next=&added_after=" SLICE_FMT, SLICE_ARG(a.last)).ptr,
        h, 200, &a);
    assert_null(a.last.ptr); /* nothing since: it keeps what it had */
    door_close(&d);
}

/* Its connector: added_after must be exclusive, else a page's last object comes for ever. */
static void test_hub_products__opencti_connector(void **state)
{
    struct door d;
    struct door_answer a;
    struct slice after = SLICE("2020-01-01T00:00:00.000000Z");
    size_t n = 0;

    door_open(&d);
    door_post_many(&d, "bank", 1, 7); /* one envelope: one instant, at servers that give all the same */
    const char *h = lines(&d, door_basic(&d, "Basic", "bank:secret"), DOOR_ACCEPT);
    for (int rounds = 0; rounds < 10; rounds++) {
        ask(&d,
            arena_printf(&d.arena,
                         "/tocsin/collections/%%C/objects/?match[type]=indicator&limit=2&added_after=" SLICE_FMT,
                         SLICE_ARG(after))
                .ptr,
            h, 200, &a);
        n += door_count(a.json);
        if (a.last.ptr != NULL)
            after = a.last;
    }
    assert_int_equal(n, 7);
    door_close(&d);
}

/* Elastic Agent ti_custom: the objects URL with "/?", next without added_after, a whole second in added_after, and a
   program that needs the list even where it is empty. */
static void test_hub_products__elastic_ti_custom(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_change(&d, "bank", ",\"compat\":[\"empty-list\"]");
    const char *h =
        lines(&d, arena_printf(&d.arena, "Authorization: Bearer %s", door_token(&d, "bank")).ptr,
              "Accept: application/taxii+json;version=2.1\nContent-Type: application/taxii+json;version=2.1");
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2020-01-01T00:00:00Z&limit=4&match[type]=indicator", h, 200,
        &a);
    assert_int_equal(json_kind(json_get(a.json, SLICE("objects"))), JSON_ARRAY);
    door_post_many(&d, "bank", 1, 6);
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2020-01-01T00:00:00Z&limit=4&match[type]=indicator", h, 200,
        &a);
    assert_int_equal(door_count(a.json), 4);
    ask(&d,
        arena_printf(&d.arena, "/tocsin/collections/%%C/objects/?next=" SLICE_FMT "&limit=4",
                     SLICE_ARG(door_text(&d, a.json, "next")))
            .ptr,
        h, 200, &a);
    assert_int_equal(door_count(a.json), 2);
    assert_int_equal(json_kind(json_get(a.json, SLICE("next"))), JSON_ABSENT); /* it asks on as long as there is one */
    assert_non_null(a.last.ptr);
    door_close(&d);
}

/* Cortex XSOAR: discovery, the default root's last segment, the collection by its title, type filter, TLP 1 alone, one
   comparison an indicator; stops at a page without objects. */
static void test_hub_products__xsoar(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_change(&d, "clinic", ",\"compat\":[\"tlp1\",\"flatten\"]");
    door_post_many(&d, "bank", 1, 3);
    const char *token = door_token(&d, "clinic");
    const char *const signs[] = {door_basic(&d, "Basic", "clinic:secret"),
                                 arena_printf(&d.arena, "Authorization: Token %s", token).ptr};
    for (size_t i = 0; i < ROWS(signs); i++) {
        const char *h = lines(&d, signs[i], "Accept: application/taxii+json;version=2.1");
        ask(&d, "/taxii2/", h, 200, &a);
        assert_true(slice_find(door_text(&d, a.json, "default"), SLICE("/tocsin/")) < 100);
        ask(&d, "/tocsin/collections/", h, 200, &a);
        size_t titled = 0;
        json_each (c, json_get(a.json, SLICE("collections")))
            titled += slice_eq(door_text(&d, c, "title"), SLICE("Threats"));
        assert_int_equal(titled, 1);
        ask(&d,
            "/tocsin/collections/%C/objects/?limit=100&match[type]=indicator,relationship"
            "&added_after=2020-01-01T00:00:00.000000Z",
            h, 200, &a);
        assert_int_equal(door_count(a.json), 3);
        assert_true(slice_find(a.body, SLICE("34098fce-860f-48ae-8e50-ebd3cc5e41da")) < a.body.len);
    }
    ask(&d, "/taxii2/", lines(&d, signs[0], "Accept: application/vnd.oasis.taxii+json; version=2.0"), 406, &a);
    door_close(&d);
}

/* Microsoft Sentinel: root URL and collection id (a UUIDv4), user name and password, nothing else. */
static void test_hub_products__sentinel(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 3);
    const char *h = lines(&d, door_basic(&d, "Basic", "clinic:secret"), "Accept: application/taxii+json;version=2.1");
    assert_int_equal(d.id[14], '4');
    assert_non_null(strchr("89ab", d.id[19]));
    ask(&d, "/tocsin/collections/%C", h, 200, &a);
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_read"))), JSON_TRUE);
    ask(&d, "/tocsin/collections/%C/objects?limit=500&added_after=2020-01-01T00:00:00Z&match[type]=indicator", h, 200,
        &a);
    assert_int_equal(door_count(a.json), 3);
    assert_slice(door_text(&d, first_object(&a), "pattern_type"), "stix");
    door_close(&d);
}

/* Splunk Enterprise Security: Basic, the collection by name. */
static void test_hub_products__splunk_es(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 2);
    const char *h = lines(&d, door_basic(&d, "Basic", "clinic:secret"), "Accept: application/taxii+json;version=2.1");
    ask(&d, "/taxii2", h, 200, &a);
    ask(&d, "/tocsin/collections", h, 200, &a);
    ask(&d, "/tocsin/collections/threats/objects/?match[type]=indicator", h, 200, &a);
    assert_int_equal(door_count(a.json), 2);
    door_close(&d);
}

/* The CTIS app: a producer: a bundle with identity, grouping, indicators and TLP 2 definitions; asks for the status
   until it is complete; greys out what it may not write. */
static void test_hub_products__splunk_ctis(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    const char *h =
        lines(&d, door_basic(&d, "Basic", "bank:secret"),
              "Accept: application/taxii+json;version=2.1\nContent-Type: application/taxii+json;version=2.1");
    ask(&d, "/tocsin/collections/", h, 200, &a);
    assert_int_equal(json_kind(json_get(json_first(json_get(a.json, SLICE("collections"))), SLICE("can_write"))),
                     JSON_TRUE);
    struct slice body = arena_printf(
        &d.arena,
        "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":["
        "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" TLP_GREEN
        "\",\"created\":\"2022-10-01T00:00:00.000Z\",\"name\":\"TLP:GREEN\",\"extensions\":{\"extension-definition--"
        "60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"green\"}}},"
        "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000000-0000-4000-8000-000000000002\","
        "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"Contributor\","
        "\"identity_class\":\"organization\",\"object_marking_refs\":[\"" TLP_GREEN "\"]},"
        "{\"type\":\"grouping\",\"spec_version\":\"2.1\",\"id\":\"grouping--00000000-0000-4000-8000-000000000003\","
        "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"context\":"
        "\"suspicious-activity\",\"object_refs\":[\"" SLICE_FMT "\"],\"object_marking_refs\":[\"" TLP_GREEN
        "\"]}," SLICE_FMT "]}",
        SLICE_ARG(hub_test_indicator_id(&d.arena, 1)), SLICE_ARG(hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "")));
    door_call(&d, NULL, "POST", "/tocsin/collections/%C/objects/", h, body.ptr, &a);
    assert_int_equal(a.status, 202);
    ask(&d, arena_printf(&d.arena, "/tocsin/status/" SLICE_FMT "/", SLICE_ARG(door_text(&d, a.json, "id"))).ptr, h, 200,
        &a);
    assert_slice(door_text(&d, a.json, "status"), "complete");
    assert_int_equal(json_count(json_get(a.json, SLICE("failures"))), 0);
    assert_int_equal(door_walk(&d, "clinic", "/tocsin/collections/%C/objects/?match[type]=indicator,grouping"), 2);
    door_close(&d);
}

/* QRadar: Basic; discovery, roots, collections, then a window of time: one that lies wrong is an empty answer, no
 * error. */
static void test_hub_products__qradar(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 2);
    const char *h = lines(&d, door_basic(&d, "Basic", "clinic:secret"), "Accept: application/taxii+json; version=2.1");
    ask(&d, "/taxii2/", h, 200, &a);
    ask(&d, "/tocsin/", h, 200, &a);
    ask(&d, "/tocsin/collections/", h, 200, &a);
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2099-01-01T00:00:00.000Z", h, 200, &a);
    assert_slice(a.body, "{}");
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2020-01-01T00:00:00.000Z&match[type]=indicator", h, 200, &a);
    assert_int_equal(door_count(a.json), 2);
    door_close(&d);
}

/* MISP: the scheme in lower case, Accept and Content-type on a GET, limit=50 with an empty next. */
static void test_hub_products__misp(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 60);
    const char *h =
        lines(&d, door_basic(&d, "basic", "bank:secret"),
              "Accept: application/taxii+json; version=2.1\nContent-type: application/taxii+json; version=2.1");
    ask(&d, "/tocsin/collections/", h, 200, &a);
    assert_int_not_equal(json_count(json_get(a.json, SLICE("collections"))), 0);
    ask(&d, "/tocsin/collections/%C/objects/?limit=50&next=", h, 200, &a);
    assert_int_equal(door_count(a.json), 50);
    ask(&d,
        arena_printf(&d.arena, "/tocsin/collections/%%C/objects/?limit=50&next=" SLICE_FMT,
                     SLICE_ARG(door_text(&d, a.json, "next")))
            .ptr,
        h, 200, &a);
    assert_true(door_count(a.json) >= 10);
    door_close(&d);
}

/* EclecticIQ: from discovery by itself; a hundred objects a run; the date headers to the letter. */
static void test_hub_products__eclecticiq(void **state)
{
    struct door d;
    struct door_answer a;
    int64_t us;

    door_open(&d);
    door_change(&d, "bank", ",\"page_size\":100");
    door_post_many(&d, "bank", 1, 120);
    const char *h = lines(&d, door_basic(&d, "Basic", "bank:secret"), "Accept: application/taxii+json;version=2.1");
    ask(&d, "/taxii2/", h, 200, &a);
    ask(&d, "/tocsin/collections/", h, 200, &a);
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2020-01-01T00:00:00.000000Z", h, 200, &a);
    assert_int_equal(door_count(a.json), 100);
    assert_true(time_parse(a.first, &us) && time_parse(a.last, &us));
    ask(&d, arena_printf(&d.arena, "/tocsin/collections/%%C/objects/?added_after=" SLICE_FMT, SLICE_ARG(a.last)).ptr, h,
        200, &a);
    assert_true(door_count(a.json) >= 20);
    ask(&d, "/tocsin/collections/%C/objects/?added_after=2099-01-01T00:00:00.000000Z", h, 200, &a);
    assert_null(a.first.ptr);
    door_close(&d);
}

/* Malcolm: discovery URL and the name of the collection. */
static void test_hub_products__malcolm(void **state)
{
    struct door d;
    struct door_answer a;
    struct slice id = SLICE("");

    door_open(&d);
    door_post_many(&d, "bank", 1, 2);
    const char *h = lines(&d, door_basic(&d, "Basic", "clinic:secret"), "Accept: application/taxii+json;version=2.1");
    ask(&d, "/taxii2/", h, 200, &a);
    ask(&d, "/tocsin/collections/", h, 200, &a);
    json_each (c, json_get(a.json, SLICE("collections")))
        if (slice_eq(door_text(&d, c, "title"), SLICE("Threats")))
            id = door_text(&d, c, "id");
    ask(&d,
        arena_printf(&d.arena, "/tocsin/collections/" SLICE_FMT "/objects/?match[type]=indicator", SLICE_ARG(id)).ptr,
        h, 200, &a);
    assert_int_equal(door_count(a.json), 2);
    door_close(&d);
}

/* Trend Micro, Trellix, Sumo Logic, Anomali: discovery first; the key as password of an empty user; pages of up to
   15,000, which may be cut. */
static void test_hub_products__trend_trellix_sumo_staxx(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_post_many(&d, "bank", 1, 3);
    const char *key = door_token(&d, "clinic");
    const char *const signs[] = {door_basic(&d, "Basic", arena_printf(&d.arena, ":%s", key).ptr),
                                 door_basic(&d, "Basic", "clinic:secret")};
    for (size_t i = 0; i < ROWS(signs); i++) {
        const char *h = lines(&d, signs[i], "Accept: application/taxii+json;version=2.1");
        ask(&d, "/taxii2/", h, 200, &a);
        ask(&d, "/tocsin/collections/", h, 200, &a);
        ask(&d, "/tocsin/collections/%C/objects/?limit=15000&match[type]=indicator", h, 200, &a);
        assert_int_equal(door_count(a.json), 3);
    }
    door_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_products__taxii2_client),
        cmocka_unit_test(test_hub_products__taxii2_client_status),
        cmocka_unit_test(test_hub_products__opencti_feed),
        cmocka_unit_test(test_hub_products__opencti_connector),
        cmocka_unit_test(test_hub_products__elastic_ti_custom),
        cmocka_unit_test(test_hub_products__xsoar),
        cmocka_unit_test(test_hub_products__sentinel),
        cmocka_unit_test(test_hub_products__splunk_es),
        cmocka_unit_test(test_hub_products__splunk_ctis),
        cmocka_unit_test(test_hub_products__qradar),
        cmocka_unit_test(test_hub_products__misp),
        cmocka_unit_test(test_hub_products__eclecticiq),
        cmocka_unit_test(test_hub_products__malcolm),
        cmocka_unit_test(test_hub_products__trend_trellix_sumo_staxx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

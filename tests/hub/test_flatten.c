/* The forms of objects for a member whose tool reads STIX 2.0 alone, as its requests meet them. */
#include "door_test.h"

#define OBJECTS    "/tocsin/collections/threats/objects/"
#define MANIFEST   "/tocsin/collections/threats/manifest/"
#define TLP1_GREEN "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define VERSION                                                                                                        \
    "\"spec_version\":\"2.1\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
#define MARKED "\"object_marking_refs\":[\"" TLP_GREEN "\"]"
enum { ROOM = 64 };

struct tool {
    struct door d;
    struct slice indicator, address; /* ids as clinic reads them */
    struct json objects[ROOM];
    size_t n;
};

static void post_all(struct door *d)
{
    struct slice indicator = hub_test_indicator_id(&d->arena, 1), address = hub_test_address(&d->arena, 1, TLP_GREEN);
    struct json root;

    assert_int_equal(json_parse(&d->arena, address, NULL, &root, NULL), 0);
    struct slice value = json_text(json_get(root, SLICE("id")));
    struct slice items[] = {
        hub_test_indicator(&d->arena, 1, 1, TLP_GREEN, ",\"indicator_types\":[\"benign\"],\"confidence\":7"),
        address,
        arena_printf(&d->arena,
                     "{\"type\":\"relationship\",\"id\":\"relationship--00000000-0000-4000-8000-000000000001\"," VERSION
                     "\"relationship_type\":\"based-on\",\"source_ref\":\"" SLICE_FMT "\",\"target_ref\":\"" SLICE_FMT
                     "\"," MARKED "}",
                     SLICE_ARG(indicator), SLICE_ARG(value)),
        arena_printf(&d->arena,
                     "{\"type\":\"report\",\"id\":\"report--00000000-0000-4000-8000-000000000001\"," VERSION
                     "\"name\":\"r\",\"published\":\"2026-01-01T00:00:00Z\",\"object_refs\":[\"" SLICE_FMT
                     "\",\"" SLICE_FMT "\"]," MARKED "}",
                     SLICE_ARG(value), SLICE_ARG(indicator)),
        SLICE("{\"type\":\"infrastructure\",\"id\":\"infrastructure--00000000-0000-4000-8000-000000000001\"," VERSION
              "\"name\":\"i\"," MARKED "}"),
        SLICE("{\"type\":\"malware\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\"," VERSION
              "\"name\":\"m\",\"is_family\":true," MARKED "}"),
    };
    door_post(d, "bank", hub_test_list(&d->arena, items, ROWS(items)).ptr);
}

/* By `next` to the end. */
static size_t walk(struct door *d, const char *path, struct json *objects)
{
    struct door_answer page;
    size_t n = 0;

    for (const char *at = path; at != NULL; at = door_next(d, path, &page)) {
        door_get(d, "clinic", at, &page);
        json_each (v, json_get(page.json, SLICE("objects"))) {
            assert_true(n < ROOM);
            objects[n++] = v;
        }
    }
    return n;
}

static struct slice id_of(struct door *d, const struct json *objects, size_t n, const char *type)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(door_text(d, objects[i], "type"), slice_of(type)))
            return door_text(d, objects[i], "id");
    return SLICE("");
}

static int set_up(void **state)
{
    struct tool *t = mem_zero(1, sizeof *t);

    door_open(&t->d);
    post_all(&t->d);
    t->n = walk(&t->d, OBJECTS, t->objects);
    t->indicator = id_of(&t->d, t->objects, t->n, "indicator");
    t->address = id_of(&t->d, t->objects, t->n, "ipv4-addr");
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct tool *t = *state;

    door_close(&t->d);
    free(t);
    return 0;
}

static int status_of(struct tool *t, const char *path)
{
    struct door_answer a;

    door_call(&t->d, "clinic", "GET", path, DOOR_ACCEPT, "", &a);
    return a.status;
}

static void stix20_check(struct tool *t, struct json v)
{
    struct arena *a = &t->d.arena;
    struct stix_object o, again;
    struct stix_upgraded up;
    struct stix_report report;
    struct err err = ERR_INIT;

    if (stix_object_read(a, v, &o, &err) != 0 || !o.is_stix20 || stix_upgrade(a, &o, &up, &err) != 0)
        fail_msg(SLICE_FMT ": %s", SLICE_ARG(json_raw(v)), err.text);
    assert_int_equal(json_kind(json_get(v, SLICE("spec_version"))), JSON_ABSENT);
    assert_true(hub_holds(json_raw(v), TLP1_GREEN) && !hub_holds(json_raw(v), TLP_GREEN));
    assert_int_equal(stix_object_read(a, up.parts[0].json, &again, &err), 0);
    assert_int_equal(stix_validate(a, &again, STIX_LENIENT, &report), 0);
}

static void test_hub_flatten__stix20(void **state)
{
    static const char *const wanted[] = {"identity", "indicator", "report", "malware"};
    struct tool *t = *state;
    struct json objects[ROOM];

    door_change(&t->d, "clinic", ",\"compat\":[\"stix20\",\"tlp1\"]");
    size_t n = walk(&t->d, OBJECTS, objects);
    assert_int_equal(n, ROWS(wanted));
    for (size_t i = 0; i < n; i++)
        stix20_check(t, objects[i]);
    for (size_t i = 0; i < ROWS(wanted); i++) /* each under the id and the version that others read */
        assert_true(id_of(&t->d, objects, n, wanted[i]).len != 0 &&
                    slice_eq(id_of(&t->d, objects, n, wanted[i]), id_of(&t->d, t->objects, t->n, wanted[i])));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < t->n; k++)
            if (slice_eq(door_text(&t->d, objects[i], "id"), door_text(&t->d, t->objects[k], "id")))
                assert_true(
                    slice_eq(door_text(&t->d, objects[i], "modified"), door_text(&t->d, t->objects[k], "modified")));
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(door_text(&t->d, objects[i], "type"), SLICE("report")))
            assert_int_equal(json_count(json_get(objects[i], SLICE("object_refs"))), 1);
        if (slice_eq(door_text(&t->d, objects[i], "type"), SLICE("indicator")))
            assert_true(hub_holds(json_raw(objects[i]), "\"labels\":[\"benign\"]"));
    }
}

/* Pages of one object, the manifest and an object's own endpoints tell of the same. */
static void test_hub_flatten__stix20_everywhere(void **state)
{
    struct tool *t = *state;
    struct arena *a = &t->d.arena;
    struct json objects[ROOM], others[ROOM];
    struct door_answer answer;
    const char *address = arena_printf(a, OBJECTS SLICE_FMT "/", SLICE_ARG(t->address)).ptr,
               *indicator = arena_printf(a, OBJECTS SLICE_FMT "/", SLICE_ARG(t->indicator)).ptr;

    assert_int_equal(status_of(t, address), 200);
    door_get(&t->d, "clinic", arena_printf(a, "%sversions/", indicator).ptr, &answer);
    struct slice versions = answer.body;
    door_change(&t->d, "clinic", ",\"compat\":[\"stix20\"]");
    size_t n = walk(&t->d, OBJECTS, objects);
    assert_int_equal(walk(&t->d, OBJECTS "?limit=1", others), n);
    for (size_t i = 0; i < n; i++)
        assert_true(slice_eq(json_raw(objects[i]), json_raw(others[i])));
    assert_int_equal(walk(&t->d, OBJECTS "?match[version]=all", others), n);
    assert_int_equal(walk(&t->d, MANIFEST, others), n);
    for (size_t i = 0; i < n; i++) {
        assert_true(slice_eq(door_text(&t->d, objects[i], "id"), door_text(&t->d, others[i], "id")));
        assert_slice(door_text(&t->d, others[i], "media_type"), HUB_MEDIA_STIX20);
    }
    assert_int_equal(status_of(t, address), 404);
    assert_int_equal(status_of(t, arena_printf(a, "%sversions/", address).ptr), 404);
    door_get(&t->d, "clinic", indicator, &answer);
    stix20_check(t, json_first(json_get(answer.json, SLICE("objects"))));
    door_get(&t->d, "clinic", arena_printf(a, "%sversions/", indicator).ptr, &answer);
    assert_true(slice_eq(answer.body, versions));
    door_get(&t->d, "clinic", "/tocsin/collections/threats/", &answer);
    assert_true(hub_holds(answer.body, "\"media_types\":[\"" HUB_MEDIA_STIX20 "\",\"" HUB_MEDIA_STIX21 "\"]"));
    door_get(&t->d, "bank", "/tocsin/collections/threats/", &answer);
    assert_true(hub_holds(answer.body, "\"media_types\":[\"" HUB_MEDIA_STIX21 "\"]"));
}

/* match[spec_version] (TAXII 2.1 section 3.4.4); "old": 2.0, "new": as others read it. */
static void test_hub_flatten__stix20_by_match(void **state)
{
    static const struct {
        const char *compat, *query, *gives;
    } rows[] = {
        {"", "", "new"},
        {"", "?match[spec_version]=2.0", "nothing"},
        {"", "?match[spec_version]=2.0,2.1", "new"},
        {"\"tlp1\"", "?match[spec_version]=2.0", "nothing"},
        {"\"stix20\"", "", "old"},
        {"\"stix20\"", "?match[spec_version]=2.0", "old"},
        {"\"stix20\"", "?match[spec_version]=2.0,2.1", "old"},
        {"\"stix20\"", "?match[spec_version]=2.1", "new"},
        {"\"stix20\"", "?match[spec_version]=1.9", "nothing"},
        {"", "", "new"}, /* and nothing stays behind */
    };
    struct tool *t = *state;
    struct door_answer before, a;

    door_get(&t->d, "clinic", OBJECTS, &before);
    for (size_t i = 0; i < ROWS(rows); i++) {
        door_change(&t->d, "clinic", arena_printf(&t->d.arena, ",\"compat\":[%s]", rows[i].compat).ptr);
        door_get(&t->d, "clinic", arena_printf(&t->d.arena, OBJECTS "%s", rows[i].query).ptr, &a);
        bool same = slice_eq(a.body, before.body), none = door_count(a.json) == 0;
        const char *gives = same ? "new" : none ? "nothing" : "old";
        if (strcmp(gives, rows[i].gives) != 0)
            fail_row(i, "%s %s gives %s", rows[i].compat, rows[i].query, gives);
    }
}

/* One comparison an indicator, in 2.0; what is taken back comes revoked. */
static void test_hub_flatten__stix20_parts(void **state)
{
    struct tool *t = *state;
    struct json objects[ROOM];
    struct door_answer a;
    struct slice id = hub_test_indicator_id(&t->d.arena, 9);
    struct slice text = arena_printf(&t->d.arena,
                                     "{\"type\":\"indicator\",\"id\":\"" SLICE_FMT "\"," VERSION
                                     "\"pattern\":\"[mutex:name = 'a' OR file:ctime = 'b']\",\"pattern_type\":\"stix\","
                                     "\"valid_from\":\"2026-01-01T00:00:00Z\"," MARKED "}",
                                     SLICE_ARG(id));

    door_change(&t->d, "clinic", ",\"compat\":[\"stix20\",\"flatten\"],\"types\":[\"indicator\"]");
    size_t before = walk(&t->d, OBJECTS, objects);
    door_post(&t->d, "bank", text.ptr);
    assert_int_equal(walk(&t->d, OBJECTS, objects), before + 2);
    assert_slice(door_text(&t->d, objects[before], "pattern"), "[mutex:name = 'a']");
    assert_slice(door_text(&t->d, objects[before + 1], "pattern"), "[file:created = 'b']");
    for (size_t i = 0; i < before + 2; i++)
        stix20_check(t, objects[i]);
    door_get(&t->d, "clinic", OBJECTS, &a);
    struct slice after = arena_printf(&t->d.arena, OBJECTS "?added_after=" SLICE_FMT, SLICE_ARG(a.last));
    door_call(&t->d, "bank", "DELETE", arena_printf(&t->d.arena, OBJECTS SLICE_FMT "/", SLICE_ARG(id)).ptr, DOOR_ACCEPT,
              "", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(walk(&t->d, after.ptr, objects), 2);
    for (size_t i = 0; i < 2; i++) {
        stix20_check(t, objects[i]);
        assert_int_equal(json_kind(json_get(objects[i], SLICE("revoked"))), JSON_TRUE);
    }
}

/* What it submitted itself comes in the version that its tool reads, too; without the switch byte for byte. */
static void test_hub_flatten__stix20_of_its_own(void **state)
{
    static const char old[] =
        "{\"type\":\"tool\",\"id\":\"tool--00000000-0000-4000-8000-000000000001\","
        "\"created\":\"2017-01-01T00:00:00.000Z\",\"modified\":\"2017-01-01T00:00:00.000Z\", "
        "\"name\":\"t\",\"labels\":[\"remote-access\"],\"object_marking_refs\":[\"" TLP1_GREEN "\"]}";
    struct tool *t = *state;
    struct json objects[ROOM];

    door_change(&t->d, "clinic", ",\"compat\":[\"stix20\"],\"types\":[\"tool\",\"indicator\"]");
    door_post(&t->d, "clinic", old);
    door_post(&t->d, "clinic", hub_test_indicator(&t->d.arena, 7, 1, TLP_GREEN, "").ptr);
    size_t n = walk(&t->d, OBJECTS, objects);
    assert_int_equal(n, 3);
    assert_slice(json_raw(objects[1]), old);
    assert_true(slice_eq(door_text(&t->d, objects[2], "id"), hub_test_indicator_id(&t->d.arena, 7)));
    stix20_check(t, objects[2]);
    door_change(&t->d, "clinic", ",\"compat\":[]");
    assert_int_equal(walk(&t->d, OBJECTS, objects), 3);
    assert_slice(json_raw(objects[2]), hub_test_indicator(&t->d.arena, 7, 1, TLP_GREEN, "").ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_flatten__stix20, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_flatten__stix20_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_flatten__stix20_by_match, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_flatten__stix20_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_flatten__stix20_of_its_own, set_up, tear_down),
    };
    return crypto_start(NULL) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

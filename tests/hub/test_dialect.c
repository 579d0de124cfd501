#include "door_test.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* ---- pure: parts, TLP 1 ---- */

static const struct {
    const char *pattern;
    size_t parts; /* 0: stays whole */
    const char *last;
} split_rows[] = {
    {"[ipv4-addr:value = '198.51.100.1']", 0, ""},
    {"[ipv4-addr:value = '198.51.100.1' OR ipv4-addr:value = '198.51.100.2']", 2, "[ipv4-addr:value = '198.51.100.2']"},
    {"[ipv4-addr:value = '198.51.100.1'] OR [domain-name:value = 'a.example']", 2, "[domain-name:value = 'a.example']"},
    {"[domain-name:value IN ('a.example', 'b.example', 'c.example')]", 3, "[domain-name:value = 'c.example']"},
    {"[domain-name:value = 'a.example' OR domain-name:value = 'a.example']", 0, ""}, /* one value, twice */
    {"[file:hashes.'SHA-256' = 'a' OR file:hashes.MD5 = 'b']", 2, "[file:hashes.MD5 = 'b']"},
    {"[file:hashes.MD5 = 'b' OR file:hashes.'SHA-256' = 'a']", 2, "[file:hashes.'SHA-256' = 'a']"},
    {"[url:value = 'https://a.example/\\'' OR url:value LIKE 'https://b.example/%']", 2,
     "[url:value LIKE 'https://b.example/%']"},
    {"[url:value LIKE 'x' OR url:value = 'https://a.example/\\'\\\\']", 2, "[url:value = 'https://a.example/\\'\\\\']"},
    {"[network-traffic:dst_port = 1 OR network-traffic:dst_port = 2]", 2, "[network-traffic:dst_port = 2]"},
    {"[ipv4-addr:value = 'x' AND domain-name:value = 'y']", 0, ""},
    {"[ipv4-addr:value = 'x' OR (domain-name:value = 'y' AND url:value = 'z')]", 0, ""},
    {"[ipv4-addr:value = 'x'] AND [ipv4-addr:value = 'y']", 0, ""},
    {"[ipv4-addr:value = 'x'] FOLLOWEDBY [ipv4-addr:value = 'y']", 0, ""},
    {"[ipv4-addr:value = 'x'] OR [ipv4-addr:value = 'y'] REPEATS 2 TIMES", 0, ""},
    {"[ipv4-addr:value NOT IN ('x', 'y')]", 0, ""}, /* "none of them" is no alternative */
    {"[ipv4-addr:value = 'x' OR ", 0, ""},
};

static struct slice indicator_of(struct arena *a, const char *pattern)
{
    struct buf out = BUF_INIT;

    buf_put(&out,
            SLICE("{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-8000-000000000001\","
                  "\"pattern_type\":\"stix\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"x_big\":9007199254740993,"));
    json_put_text(&out, "pattern", slice_of(pattern));
    buf_put_byte(&out, '}');
    struct slice text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

static void test_hub_compat__parts(void **state)
{
    struct arena a = ARENA_INIT;
    const struct hub_part *parts, *again;
    const struct stix_pattern *parsed;
    struct stix_id id;

    for (size_t i = 0; i < ROWS(split_rows); i++) {
        size_t n = hub_compat_parts(&a, indicator_of(&a, split_rows[i].pattern), &parts);
        if (n != split_rows[i].parts)
            fail_row(i, "%s: %zu", split_rows[i].pattern, n);
        if (n == 0)
            continue;
        assert_slice(parts[n - 1].pattern, split_rows[i].last);
        for (size_t k = 0; k < n; k++) {
            assert_true(stix_id_parse(parts[k].id, &id));
            assert_int_equal(id.version, 4);
            assert_int_equal(stix_pattern_parse(&a, parts[k].pattern, &parsed, NULL), 0);
        }
        assert_int_equal(hub_compat_parts(&a, indicator_of(&a, split_rows[i].pattern), &again), n);
        assert_true(slice_eq(again[0].id, parts[0].id));
        assert_false(slice_eq(parts[0].id, parts[1].id));
    }
    arena_free(&a);
}

static void test_hub_compat__parts_limit(void **state)
{
    struct arena a = ARENA_INIT;
    const struct hub_part *parts;

    for (int n = HUB_PARTS_MAX; n <= HUB_PARTS_MAX + 1; n++) {
        struct buf pattern = BUF_INIT;
        buf_put(&pattern, SLICE("[mutex:name IN ("));
        for (int i = 0; i < n; i++)
            buf_printf(&pattern, "%s'm%d'", i != 0 ? "," : "", i);
        buf_put(&pattern, SLICE(")]"));
        buf_put_byte(&pattern, '\0');
        assert_int_equal(hub_compat_parts(&a, indicator_of(&a, pattern.ptr), &parts), n > HUB_PARTS_MAX ? 0 : n);
        buf_free(&pattern);
    }
    char *long_name = arena_alloc(&a, HUB_PARTS_BYTES_MAX / 2 + 1); /* two parts of more than half of what may be */
    memset(long_name, 'x', HUB_PARTS_BYTES_MAX / 2);
    long_name[HUB_PARTS_BYTES_MAX / 2] = '\0';
    struct slice object =
        arena_printf(&a,
                     "{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-8000-000000000001\","
                     "\"pattern_type\":\"stix\",\"pattern\":\"[mutex:name IN ('a','b')]\",\"name\":\"%s\"}",
                     long_name);
    struct json_limits limits = json_limits_default;
    assert_true(limits.string_max > HUB_PARTS_BYTES_MAX / 2);
    assert_int_equal(hub_compat_parts(&a, object, &parts), 0);
    arena_free(&a);
}

static void test_hub_compat__part(void **state)
{
    struct arena a = ARENA_INIT;
    const struct hub_part *parts;
    struct slice whole = indicator_of(&a, "[mutex:name = 'a' OR mutex:name = 'b']");

    assert_int_equal(hub_compat_parts(&a, whole, &parts), 2);
    struct slice one = hub_compat_part(&a, whole, &parts[1], SLICE(""));
    struct json root;
    assert_int_equal(json_parse(&a, one, NULL, &root, NULL), 0);
    assert_true(slice_eq(json_text(json_get(root, SLICE("id"))), parts[1].id));
    assert_slice(json_text(json_get(root, SLICE("pattern"))), "[mutex:name = 'b']");
    assert_slice(json_text(json_get(json_first(json_get(root, SLICE("external_references"))), SLICE("external_id"))),
                 "indicator--00000000-0000-4000-8000-000000000001");
    assert_true(slice_find(one, SLICE("\"x_big\":9007199254740993")) < one.len);
    assert_int_equal(json_kind(json_get(root, SLICE("revoked"))), JSON_ABSENT);
    one = hub_compat_part(&a, whole, &parts[1], SLICE("2026-02-02T00:00:00.000000Z"));
    assert_int_equal(json_parse(&a, one, NULL, &root, NULL), 0);
    assert_int_equal(json_kind(json_get(root, SLICE("revoked"))), JSON_TRUE);
    assert_slice(json_text(json_get(root, SLICE("modified"))), "2026-02-02T00:00:00.000000Z");
    arena_free(&a);
}

static void test_hub_compat__tlp1(void **state)
{
#define TLP1_GREEN "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define TLP1_AMBER "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"a\":1.50}", "{\"a\":1.50}"},
        {"{\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
         "{\"object_marking_refs\":[\"" TLP_GREEN "\",\"" TLP1_GREEN "\"]}"},
        {"{\"object_marking_refs\":[\"" TLP_STRICT "\"],\"a\":1.50}",
         "{\"object_marking_refs\":[\"" TLP_STRICT "\",\"" TLP1_AMBER "\"],\"a\":1.50}"},
        {"{\"object_marking_refs\":[\"" TLP1_GREEN "\", \"" TLP_GREEN "\"]}",
         "{\"object_marking_refs\":[\"" TLP1_GREEN "\", \"" TLP_GREEN "\"]}"},
        {"{\"object_marking_refs\":[]}", "{\"object_marking_refs\":[]}"},
        {"{\"object_marking_refs\":7}", "{\"object_marking_refs\":7}"},
        {"{\"object_marking", "{\"object_marking"},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice out = hub_compat_tlp1(&a, slice_of(rows[i].in));
        if (!slice_eq(out, slice_of(rows[i].out)))
            fail_row(i, SLICE_FMT, SLICE_ARG(out));
    }
    arena_free(&a);
}

/* ---- a change of the row ---- */

static void test_hub_dialect__change(void **state)
{
    static const struct {
        const char *change;
        enum err_code code;
    } rows[] = {
        {"\"compat\":[\"stix20\",\"flatten\",\"tlp1\",\"empty-list\"]", ERR_NONE},
        {"\"compat\":[\"flat\"]", ERR_CONF_VALUE},
        {"\"compat\":[7]", ERR_CONF_VALUE},
        {"\"types\":[\"indicator\",\"x-acme-thing\"]", ERR_NONE},
        {"\"types\":[\"Indicator\"]", ERR_CONF_VALUE},
        {"\"types\":[\"\"]", ERR_CONF_VALUE},
        {"\"page_size\":100", ERR_NONE},
        {"\"page_size\":100001", ERR_CONF_VALUE},
        {"\"page_size\":-1", ERR_CONF_VALUE},
        {"\"page_size\":\"x\"", ERR_CONF_VALUE},
        {"\"read_only\":[\"threats\"]", ERR_NONE},
        {"\"read_only\":[\"nothing\"]", ERR_CONF_VALUE},
        {"\"write_only\":[\"nothing\"]", ERR_CONF_VALUE},
    };
    struct door d;
    struct buf out = BUF_INIT;

    door_open(&d);
    struct hub_directory *before = hub_directory_hold(d.t.hub);
    const struct hub_member was = *hub_directory_member(before, SLICE("bank"));
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum err_code code = ERR_NONE;
        if (rows[i].code == ERR_NONE)
            hub_test_act(&d.t, HUB_MEMBER_CHANGE, NULL, "{\"name\":\"bank\",%s}", rows[i].change);
        else
            code = hub_test_act_fails(&d.t, HUB_MEMBER_CHANGE, NULL, "{\"name\":\"bank\",%s}", rows[i].change);
        if (code != rows[i].code)
            fail_row(i, "%s: %s", rows[i].change, err_name(code));
    }
    assert_int_equal(hub_test_act_fails(&d.t, HUB_MEMBER_CHANGE, NULL, "{\"name\":\"nobody\"}"), ERR_NOT_FOUND);
    /* who it is does not change, whatever a change says */
    hub_test_act(&d.t, HUB_MEMBER_CHANGE, NULL, "{\"name\":\"bank\",\"viewer\":77,\"epoch\":78,\"sector\":\"energy\"}");
    struct hub_directory *now = hub_directory_hold(d.t.hub);
    const struct hub_member *m = hub_directory_member(now, SLICE("bank"));
    assert_int_equal(m->viewer, was.viewer);
    assert_int_equal(m->owner, was.owner);
    assert_int_equal(m->n_credentials, was.n_credentials);
    assert_slice(m->sector, "energy");
    json_put_open(&out, '{');
    hub_dialect_put(&m->dialect, &out);
    json_put_close(&out, '}');
    assert_slice(buf_slice(&out), "{\"compat\":[\"empty-list\",\"tlp1\",\"flatten\",\"stix20\"],"
                                  "\"types\":[\"indicator\",\"x-acme-thing\"],\"page_size\":100}");
    buf_free(&out);
    hub_directory_drop(&before);
    hub_directory_drop(&now);
    door_close(&d);
}

static void test_hub_member__titles_are_unique_and_stay(void **state)
{
    struct hub_test t;
    char id[37];

    hub_test_open(&t);
    hub_test_collection(&t, "one", ",\"title\":\"First\"", id);
    assert_int_equal(hub_test_act_fails(&t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"two\",\"title\":\"First\"}"),
                     ERR_CONF_VALUE);
    assert_int_equal(hub_test_act_fails(&t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"First\"}"), ERR_CONF_VALUE);
    assert_int_equal(hub_test_act_fails(&t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"one\",\"title\":\"Other\"}"),
                     ERR_CONF_VALUE);
    hub_test_act(&t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"one\",\"title\":\"First\",\"open\":true}");
    hub_test_act(&t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"two\"}");
    hub_test_close(&t);
}

/* ---- over the door ---- */

#define OBJECTS  "/tocsin/collections/threats/objects/"
#define MANIFEST "/tocsin/collections/threats/manifest/"

static struct slice pattern_indicator(struct door *d, unsigned n, unsigned version, const char *pattern)
{
    return arena_printf(&d->arena,
                        "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" SLICE_FMT
                        "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:%02u.000Z\","
                        "\"pattern\":\"%s\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\","
                        "\"object_marking_refs\":[\"" TLP_GREEN "\"]}",
                        SLICE_ARG(hub_test_indicator_id(&d->arena, n)), version, pattern);
}

/* What a reader has that follows by `next`, by the value in each pattern: "a b !c" ('!': revoked), in order of coming;
   with the ids of the manifest beside. */
static size_t walk(struct door *d, const char *path, struct json *objects, size_t room)
{
    struct door_answer page;
    size_t n = 0;

    for (const char *at = path; at != NULL; at = door_next(d, path, &page)) {
        door_get(d, "clinic", at, &page);
        json_each (v, json_get(page.json, SLICE("objects"))) {
            assert_true(n < room);
            objects[n++] = v;
        }
        assert_int_equal(page.first.ptr != NULL, door_count(page.json) != 0);
    }
    return n;
}

static void describe(struct door *d, const struct json *objects, size_t n, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < n; i++) {
        struct slice pattern = door_text(d, objects[i], "pattern");
        bool revoked = false;
        json_bool(json_get(objects[i], SLICE("revoked")), &revoked);
        if (slice_eq(door_text(d, objects[i], "type"), SLICE("indicator")))
            buf_printf(out, "%s%s" SLICE_FMT, out->len != 0 ? " " : "", revoked ? "!" : "", SLICE_ARG(pattern));
    }
}

static void test_hub_dialect__flatten_follows_versions(void **state)
{
    struct door d;
    struct json objects[64];
    struct buf text = BUF_INIT;
    struct door_answer a;

    door_open(&d);
    door_change(&d, "clinic", ",\"compat\":[\"flatten\"],\"types\":[\"indicator\"]");
    door_post(&d, "bank", pattern_indicator(&d, 1, 1, "[mutex:name = 'a' OR mutex:name = 'b']").ptr);
    size_t n = walk(&d, OBJECTS, objects, 64);
    describe(&d, objects, n, &text);
    assert_slice(buf_slice(&text), "[mutex:name = 'a'] [mutex:name = 'b']");
    struct slice id_a = door_text(&d, objects[0], "id"), id_b = door_text(&d, objects[1], "id");

    door_post(&d, "bank", pattern_indicator(&d, 1, 2, "[mutex:name = 'c' OR mutex:name = 'a']").ptr);
    n = walk(&d, OBJECTS, objects, 64);
    describe(&d, objects, n, &text);
    assert_slice(buf_slice(&text), "[mutex:name = 'c'] [mutex:name = 'a'] ![mutex:name = 'b']");
    assert_true(slice_eq(door_text(&d, objects[1], "id"), id_a)); /* the same value, the same id */
    assert_true(slice_eq(door_text(&d, objects[2], "id"), id_b));
    assert_true(slice_eq(door_text(&d, objects[2], "modified"), door_text(&d, objects[1], "modified")));

    /* the manifest tells of the same */
    struct json entries[64];
    assert_int_equal(walk(&d, MANIFEST, entries, 64), n);
    for (size_t i = 0; i < n; i++)
        assert_true(slice_eq(door_text(&d, entries[i], "id"), door_text(&d, objects[i], "id")));

    door_post(&d, "bank", pattern_indicator(&d, 1, 3, "[mutex:name = 'a']").ptr); /* whole: its own id */
    n = walk(&d, OBJECTS, objects, 64);
    describe(&d, objects, n, &text);
    assert_slice(buf_slice(&text), "[mutex:name = 'a'] ![mutex:name = 'a'] ![mutex:name = 'b'] ![mutex:name = 'c']");
    assert_true(slice_eq(door_text(&d, objects[1], "id"), id_a));

    /* others read it as it is */
    door_get(&d, "bank", OBJECTS "?match[type]=indicator", &a);
    assert_int_equal(door_count(a.json), 1);
    buf_free(&text);
    door_close(&d);
}

static void test_hub_dialect__flatten_revokes(void **state)
{
    struct door d;
    struct json objects[64];
    struct buf text = BUF_INIT;
    struct door_answer a;

    door_open(&d);
    door_change(&d, "clinic", ",\"compat\":[\"flatten\"],\"types\":[\"indicator\"]");
    door_post(&d, "bank", pattern_indicator(&d, 1, 1, "[mutex:name = 'a' OR mutex:name = 'b']").ptr);
    door_get(&d, "clinic", OBJECTS, &a);
    struct slice path = arena_printf(&d.arena, OBJECTS SLICE_FMT "/", SLICE_ARG(hub_test_indicator_id(&d.arena, 1)));
    struct slice after = arena_printf(&d.arena, OBJECTS "?added_after=" SLICE_FMT, SLICE_ARG(a.last));
    door_call(&d, "bank", "DELETE", path.ptr, DOOR_ACCEPT, "", &a);
    assert_int_equal(a.status, 200);
    size_t n = walk(&d, after.ptr, objects, 64); /* who has it is told of each part */
    describe(&d, objects, n, &text);
    assert_slice(buf_slice(&text), "![mutex:name = 'a'] ![mutex:name = 'b']");
    buf_free(&text);
    door_close(&d);
}

static void test_hub_dialect__flatten_pages(void **state)
{
    static const char *const limits[] = {"1", "2", "3", "4", "5", "9", "100"};
    struct door d;
    struct json whole[64], parts[64];
    struct door_answer a;

    door_open(&d);
    door_change(&d, "clinic", ",\"compat\":[\"flatten\",\"tlp1\"],\"types\":[\"indicator\"]");
    for (unsigned i = 1; i <= 4; i++)
        door_post(&d, "bank",
                  pattern_indicator(&d, i, 1,
                                    arena_printf(&d.arena, "[mutex:name IN ('a%u','b%u','c%u')%s]", i, i, i,
                                                 i == 3 ? " OR mutex:name = 'd3'" : "")
                                        .ptr)
                      .ptr);
    size_t n = walk(&d, OBJECTS, whole, 64);
    assert_int_equal(n, 13);
    for (size_t i = 0; i < ROWS(limits); i++) { /* the same, however it is divided */
        struct slice path = arena_printf(&d.arena, OBJECTS "?limit=%s", limits[i]);
        assert_int_equal(walk(&d, path.ptr, parts, 64), n);
        for (size_t k = 0; k < n; k++)
            assert_true(slice_eq(json_raw(parts[k]), json_raw(whole[k])));
        door_get(&d, "clinic", path.ptr, &a);
        assert_true(door_count(a.json) <= (size_t)atoi(limits[i]));
    }
    assert_int_equal(json_count(json_get(whole[0], SLICE("object_marking_refs"))), 2);
    /* a page that stands in the middle of an indicator, which then is taken back: no end without objects, no loop */
    door_get(&d, "clinic", OBJECTS "?limit=1&added_after=2000-01-01T00:00:00Z", &a);
    const char *next = door_next(&d, OBJECTS "?limit=100", &a);
    for (unsigned i = 1; i <= 4; i++) {
        struct slice path =
            arena_printf(&d.arena, OBJECTS SLICE_FMT "/", SLICE_ARG(hub_test_indicator_id(&d.arena, i)));
        door_call(&d, "bank", "DELETE", path.ptr, DOOR_ACCEPT, "", &a);
    }
    door_get(&d, "clinic", next, &a);
    assert_int_equal(door_text(&d, a.json, "next").len, 0);
    door_close(&d);
}

static void test_hub_dialect__empty_list(void **state)
{
    struct door d;
    struct door_answer a;

    door_open(&d);
    door_get(&d, "clinic", OBJECTS, &a);
    assert_slice(a.body, "{}");
    door_change(&d, "clinic", ",\"compat\":[\"empty-list\"]");
    door_get(&d, "clinic", OBJECTS, &a);
    assert_slice(a.body, "{\"objects\":[]}");
    door_get(&d, "clinic", OBJECTS "?match[spec_version]=2.0", &a);
    assert_slice(a.body, "{\"objects\":[]}");
    door_get(&d, "bank", MANIFEST, &a); /* the other member: as the standard says */
    assert_slice(a.body, "{}");
    door_close(&d);
}

static void test_hub_dialect__types_and_page_size(void **state)
{
    struct door d;
    struct door_answer a;
    struct json objects[64];
    struct slice items[9];

    door_open(&d);
    for (unsigned i = 0; i < 8; i++)
        items[i] = hub_test_indicator(&d.arena, i + 1, 1, TLP_GREEN, "");
    items[8] = hub_test_address(&d.arena, 1, TLP_GREEN);
    door_post(&d, "bank", hub_test_list(&d.arena, items, 9).ptr);
    door_change(&d, "clinic", ",\"types\":[\"ipv4-addr\",\"malware\"]");
    door_get(&d, "clinic", OBJECTS, &a);
    assert_int_equal(door_count(a.json), 1);
    door_get(&d, "clinic", OBJECTS "?match[type]=indicator", &a); /* not wanted: nothing */
    assert_slice(a.body, "{}");
    door_get(&d, "clinic", OBJECTS "?match[type]=indicator,ipv4-addr", &a);
    assert_int_equal(door_count(a.json), 1);
    door_change(&d, "clinic", ",\"types\":[\"indicator\"],\"page_size\":3");
    door_get(&d, "clinic", OBJECTS, &a);
    assert_int_equal(door_count(a.json), 3);
    struct slice id = door_text(&d, json_first(json_get(a.json, SLICE("objects"))), "id");
    door_get(&d, "clinic", OBJECTS "?limit=100", &a); /* and at most so many */
    assert_int_equal(door_count(a.json), 3);
    door_get(&d, "clinic", OBJECTS "?limit=2", &a);
    assert_int_equal(door_count(a.json), 2);
    assert_int_equal(walk(&d, OBJECTS, objects, 64), 8);
    door_get(&d, "clinic", arena_printf(&d.arena, OBJECTS SLICE_FMT "/", SLICE_ARG(id)).ptr, &a);
    assert_int_equal(door_count(a.json), 1);
    door_change(&d, "clinic", ",\"types\":[\"malware\"]");
    door_call(&d, "clinic", "GET", arena_printf(&d.arena, OBJECTS SLICE_FMT "/", SLICE_ARG(id)).ptr, DOOR_ACCEPT, "",
              &a);
    assert_int_equal(a.status, 404);
    door_change(&d, "clinic", ",\"types\":[],\"page_size\":0");
    door_get(&d, "clinic", OBJECTS "?match[type]=indicator,ipv4-addr", &a);
    assert_int_equal(door_count(a.json), 9);
    door_close(&d);
}

static void test_hub_dialect__rights_at_a_collection(void **state)
{
    struct door d;
    struct door_answer a;
    static const char *const reads[] = {OBJECTS, MANIFEST, OBJECTS "indicator--00000000-0000-4000-8000-000000000001/",
                                        OBJECTS "indicator--00000000-0000-4000-8000-000000000001/versions/",
                                        "/tocsin/collections/threats/stream/"};

    door_open(&d);
    door_change(&d, "clinic", ",\"write_only\":[\"threats\"]");
    for (size_t i = 0; i < ROWS(reads); i++) {
        door_call(&d, "clinic", "GET", reads[i], DOOR_ACCEPT, "", &a);
        assert_int_equal(a.status, 403);
    }
    door_get(&d, "clinic", "/tocsin/collections/threats/", &a);
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_read"))), JSON_FALSE);
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_write"))), JSON_TRUE);
    door_post(&d, "clinic", hub_test_indicator(&d.arena, 1, 1, TLP_GREEN, "").ptr);
    door_change(&d, "clinic", ",\"write_only\":[],\"read_only\":[\"threats\"]");
    door_get(&d, "clinic", "/tocsin/collections/threats/", &a);
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_read"))), JSON_TRUE);
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_write"))), JSON_FALSE);
    door_call(&d, "clinic", "POST", OBJECTS, DOOR_POST, "{\"objects\":[]}", &a);
    assert_int_equal(a.status, 403);
    door_call(&d, "clinic", "DELETE", reads[2], DOOR_ACCEPT, "", &a);
    assert_int_equal(a.status, 403);
    door_call(&d, "clinic", "DELETE",
              "/tocsin/collections/nothing/objects/ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd/", DOOR_ACCEPT, "",
              &a);
    assert_int_equal(a.status, 404);
    door_get(&d, "bank", "/tocsin/collections/threats/", &a); /* the other member is as it was */
    assert_int_equal(json_kind(json_get(a.json, SLICE("can_write"))), JSON_TRUE);
    door_close(&d);
}

/* match[version] leaves rows out: a request reads at most so many, and `next` goes on. */
static void test_hub_page__rows_limit(void **state)
{
    struct door d;
    struct door_answer page;
    size_t n = 0, pages = 0, empty = 0;

    door_open(&d);
    d.t.hub->settings.page_rows = 10;
    for (unsigned i = 1; i <= 40; i++)
        door_post(&d, "bank", hub_test_indicator(&d.arena, i, i == 33 ? 7 : 1, TLP_GREEN, "").ptr);
    const char *path = OBJECTS "?match[version]=2026-01-01T00:00:07.000Z&match[type]=indicator&limit=5";
    for (const char *at = path; at != NULL; at = door_next(&d, path, &page)) {
        door_get(&d, "bank", at, &page); /* its own: the versions are those that it submitted */
        n += door_count(page.json);
        empty += door_count(page.json) == 0;
        assert_true(++pages < 20);
    }
    assert_int_equal(n, 1);
    assert_true(pages >= 3 && empty >= 2);
    door_get(&d, "bank", OBJECTS "?match[type]=indicator", &page); /* without a filter nothing is cut */
    assert_int_equal(door_count(page.json), 40);
    door_close(&d);
}

static void test_hub_settings__plain_on_loopback_alone(void **state)
{
    static const struct {
        const char *listen, *url; /* NULL: refused */
    } rows[] = {
        {"127.0.0.1:6443", "http://127.0.0.1:6443"},
        {"[::1]:6443", "http://[::1]:6443"},
        {"0.0.0.0:6443", NULL},
        {"192.0.2.1:6443", NULL},
        {"[2001:db8::1]:6443", NULL},
    };
    char dir[] = "/tmp/tocsin-test-settings-XXXXXX", path[64];
    struct arena a = ARENA_INIT;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/tocsin.yaml", dir);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hub_settings settings;
        struct err err = ERR_INIT;
        struct slice text =
            arena_printf(&a, "name: x\nid: " HUB_TEST_ID "\nlisten: \"%s\"\nplain_http: yes\n", rows[i].listen);
        assert_int_equal(file_write_atomic(path, text, 0600, &err), 0);
        int result = hub_settings_read(&a, dir, &settings, &err);
        if ((result == 0) != (rows[i].url != NULL))
            fail_row(i, "%s: %s", rows[i].listen, err.text);
        if (result == 0)
            assert_slice(settings.url, rows[i].url);
        else
            assert_int_equal(err.code, ERR_CONF_VALUE);
    }
    unlink(path);
    rmdir(dir);
    arena_free(&a);
}

/* Policy, and nothing of what is there. */
static void test_hub_markings__tell_policy_alone(void **state)
{
    struct door d;
    struct door_answer before, after;
    char id[37];

    door_open(&d);
    hub_test_collection(&d.t, "closed", ",\"add_recipients\":[\"bank\"]", id);
    door_get(&d, "clinic", "/tocsin/markings/", &before);
    door_post(&d, "bank", hub_test_indicator(&d.arena, 1, 1, TLP_STRICT, "").ptr);
    door_post(&d, "bank", hub_test_indicator(&d.arena, 2, 1, TLP_GREEN, "").ptr);
    door_get(&d, "clinic", "/tocsin/markings/", &after);
    assert_true(slice_eq(before.body, after.body));
    json_each (c, json_get(after.json, SLICE("collections"))) {
        bool closed = slice_eq(door_text(&d, c, "alias"), SLICE("closed"));
        json_each (m, json_get(c, SLICE("markings"))) {
            struct slice marking = door_text(&d, m, "marking");
            bool visible = slice_eq(marking, SLICE("TLP:CLEAR")) || (!closed && slice_eq(marking, SLICE("TLP:GREEN")));
            assert_int_equal(json_kind(json_get(m, SLICE("visible"))), visible ? JSON_TRUE : JSON_FALSE);
            assert_int_not_equal(json_count(json_get(m, SLICE("reasons"))), 0);
        }
    }
    door_get(&d, "bank", "/tocsin/markings/", &before);
    assert_true(slice_find(before.body, SLICE("\"RECIPIENT\"")) < before.body.len);
    assert_true(slice_find(after.body, SLICE("\"RECIPIENT\"")) == after.body.len);
    assert_true(slice_find(after.body, SLICE("bank")) == after.body.len); /* nor who else is there */
    door_change(&d, "clinic", ",\"write_only\":[\"closed\"]");
    door_get(&d, "clinic", "/tocsin/markings/", &after);
    assert_int_equal(json_count(json_get(after.json, SLICE("collections"))), 1);
    door_call(&d, NULL, "GET", "/tocsin/markings/", DOOR_ACCEPT, "", &after);
    assert_int_equal(after.status, 401);
    door_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_compat__parts),
        cmocka_unit_test(test_hub_compat__parts_limit),
        cmocka_unit_test(test_hub_compat__part),
        cmocka_unit_test(test_hub_compat__tlp1),
        cmocka_unit_test(test_hub_dialect__change),
        cmocka_unit_test(test_hub_member__titles_are_unique_and_stay),
        cmocka_unit_test(test_hub_dialect__flatten_follows_versions),
        cmocka_unit_test(test_hub_dialect__flatten_revokes),
        cmocka_unit_test(test_hub_dialect__flatten_pages),
        cmocka_unit_test(test_hub_dialect__empty_list),
        cmocka_unit_test(test_hub_dialect__types_and_page_size),
        cmocka_unit_test(test_hub_dialect__rights_at_a_collection),
        cmocka_unit_test(test_hub_page__rows_limit),
        cmocka_unit_test(test_hub_settings__plain_on_loopback_alone),
        cmocka_unit_test(test_hub_markings__tell_policy_alone),
    };
    return crypto_start(NULL) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

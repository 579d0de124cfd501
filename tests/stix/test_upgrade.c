#include "real.h"

/* STIX 2.0 comes in by an upgrade. */

#define HEAD(type, n)                                                                                                  \
    "{\"type\":\"" type "\",\"id\":\"" type "--00000000-0000-4000-8000-00000000000" n                                  \
    "\",\"created\":\"2017-01-01T00:00:00.000Z\",\"modified\":\"2017-01-01T00:00:00.000Z\""

static int upgrade(struct arena *a, const char *text, struct stix_upgraded *out, struct err *err)
{
    struct stix_object o;
    struct json root;

    assert_int_equal(json_parse(a, slice_of(text), NULL, &root, NULL), 0);
    assert_int_equal(stix_object_read(a, root, &o, NULL), 0);
    return stix_upgrade(a, &o, out, err);
}

/* Each part is valid 2.1. */
static void valid_check(struct arena *a, const char *text, const struct stix_upgraded *u)
{
    for (uint32_t i = 0; i < u->n; i++) {
        struct stix_object o;
        struct stix_report report;
        struct err err = ERR_INIT;
        if (stix_object_read(a, u->parts[i].json, &o, &err) != 0)
            fail_msg("%s\n%.*s: %s", text, SLICE_ARG(u->parts[i].body), err.text);
        assert_false(o.is_stix20);
        if (stix_validate(a, &o, STIX_LENIENT, &report) != 0)
            fail_msg("%s\n%.*s: %s %s", text, SLICE_ARG(u->parts[i].body), report.problems[0].err.place,
                     report.problems[0].err.text);
    }
}

static void assert_part(const char *text, const struct stix_upgraded_part *part, const char *expected)
{
    if (!slice_eq(part->body, slice_of(expected)))
        fail_msg("%s\ngives    %.*s\nexpected %s", text, SLICE_ARG(part->body), expected);
}

static void test_stix_upgrade__rows(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        /* what 2.1 does not speak of stays byte for byte */
        {HEAD("campaign", "1") ", \"name\" : \"x\\u0041\",\"x_n\":12345678901234567890,\"labels\":[\"tag\"]}",
         HEAD("campaign",
              "1") ", \"name\" : "
                   "\"x\\u0041\",\"x_n\":12345678901234567890,\"labels\":[\"tag\"],\"spec_version\":\"2.1\"}"},
        {HEAD("vulnerability", "1") ",\"name\":\"x\",\"spec_version\":\"2.0\"}",
         HEAD("vulnerability", "1") ",\"name\":\"x\",\"spec_version\":\"2.1\"}"},
        /* labels */
        {HEAD("malware", "1") ",\"name\":\"m\",\"labels\":[\"trojan\"]}",
         HEAD("malware",
              "1") ",\"name\":\"m\",\"spec_version\":\"2.1\",\"malware_types\":[\"trojan\"],\"is_family\":true}"},
        {HEAD("malware", "1") ",\"name\":\"m\",\"labels\":[\"tag\",\"Worm\",\"\\u0074ag2\"]}",
         HEAD("malware", "1") ",\"name\":\"m\",\"labels\":[\"tag\",\"\\u0074ag2\"],\"spec_version\":\"2.1\","
                              "\"malware_types\":[\"worm\"],\"is_family\":true}"},
        {HEAD("tool", "1") ",\"labels\":[\"remote-access\"],\"name\":\"t\"}",
         HEAD("tool", "1") ",\"name\":\"t\",\"spec_version\":\"2.1\",\"tool_types\":[\"remote-access\"]}"},
        {HEAD("threat-actor", "1") ",\"name\":\"t\",\"labels\":[\"spy\"],\"roles\":[\"agent\"]}",
         HEAD("threat-actor",
              "1") ",\"name\":\"t\",\"roles\":[\"agent\"],\"spec_version\":\"2.1\",\"threat_actor_types\":[\"spy\"]}"},
        {HEAD("identity", "1") ",\"name\":\"t\",\"identity_class\":\"group\",\"labels\":[\"CEO\"]}",
         HEAD("identity",
              "1") ",\"name\":\"t\",\"identity_class\":\"group\",\"spec_version\":\"2.1\",\"roles\":[\"CEO\"]}"},
        {HEAD("malware", "1") ",\"name\":\"m\",\"is_family\":false,\"malware_types\":[\"bot\"],\"labels\":[\"worm\"]}",
         HEAD("malware", "1") ",\"name\":\"m\",\"is_family\":false,\"malware_types\":[\"bot\"],\"labels\":[\"worm\"],"
                              "\"spec_version\":\"2.1\"}"},
        /* granular markings follow what they select */
        {HEAD("tool", "1") ",\"name\":\"t\",\"labels\":[\"tag\",\"remote-access\"],\"granular_markings\":[{"
                           "\"marking_ref\":\"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82\","
                           "\"selectors\":[\"labels.[1]\",\"name\",\"labels.[0]\",\"labels\"]}]}",
         HEAD("tool", "1") ",\"name\":\"t\",\"labels\":[\"tag\"],\"granular_markings\":[{"
                           "\"marking_ref\":\"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82\","
                           "\"selectors\":[\"tool_types.[0]\",\"name\",\"labels.[0]\",\"labels\",\"tool_types\"]}],"
                           "\"spec_version\":\"2.1\",\"tool_types\":[\"remote-access\"]}"},
        /* indicators */
        {HEAD("indicator", "1") ",\"labels\":[\"malicious-activity\"],\"valid_from\":\"2017-01-01T00:00:00Z\","
                                "\"pattern\":\"[url:value = 'http:\\/\\/bad.example\\/']\"}",
         HEAD("indicator", "1") ",\"valid_from\":\"2017-01-01T00:00:00Z\","
                                "\"pattern\":\"[url:value = 'http:\\/\\/bad.example\\/']\",\"spec_version\":\"2.1\","
                                "\"indicator_types\":[\"malicious-activity\"],\"pattern_type\":\"stix\",\"pattern_"
                                "version\":\"2.1\"}"},
        {HEAD("marking-definition", "1") ",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"x\"}}",
         HEAD("marking-definition", "1") ",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"x\"},"
                                         "\"spec_version\":\"2.1\"}"},
        {HEAD("x-custom", "1") ",\"any\":1}", HEAD("x-custom", "1") ",\"any\":1,\"spec_version\":\"2.1\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = ARENA_INIT;
        struct stix_upgraded u;
        struct err err = ERR_INIT;
        if (upgrade(&a, rows[i].text, &u, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_int_equal(u.n, 1);
        assert_part(rows[i].text, &u.parts[0], rows[i].expected);
        valid_check(&a, rows[i].text, &u);
        arena_free(&a);
    }
}

/* ---- patterns ---- */

static void test_stix_upgrade__patterns(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"[a:b = 'x'] START '2017-01-01T00:00:00Z' STOP '2017-01-02T00:00:00Z'",
         "[a:b = 'x'] START t'2017-01-01T00:00:00Z' STOP t'2017-01-02T00:00:00Z'"},
        {"[a:b = 'x'] START t'2017-01-01T00:00:00Z' STOP t'2017-01-02T00:00:00Z'", NULL},
        {"[a:b = 'START \\'x\\' STOP' ]", NULL},
        {"[file:created = t'2017-01-01T00:00:00Z' AND file:name = 'created']",
         "[file:ctime = t'2017-01-01T00:00:00Z' AND file:name = 'created']"},
        {"[process:name = 'evil.exe']", "[process:image_ref.name = 'evil.exe']"},
        {"[process:parent_ref.name = 'a' OR process:child_refs[*].'name' = 'b']",
         "[process:parent_ref.image_ref.name = 'a' OR process:child_refs[*].image_ref.name = 'b']"},
        {"[process:binary_ref.accessed > t'2017-01-01T00:00:00Z']",
         "[process:image_ref.atime > t'2017-01-01T00:00:00Z']"},
        {"[process:created IN (t'2017-01-01T00:00:00Z')]", "[process:created_time IN (t'2017-01-01T00:00:00Z')]"},
        {"[file:parent_directory_ref.modified = t'2017-01-01T00:00:00Z']",
         "[file:parent_directory_ref.mtime = t'2017-01-01T00:00:00Z']"},
        {"[windows-registry-key:modified = t'2017-01-01T00:00:00Z' AND windows-registry-key:values[0].name = 'n']",
         "[windows-registry-key:modified_time = t'2017-01-01T00:00:00Z' AND windows-registry-key:values[0].name = "
         "'n']"},
        {"[file:hashes.ssdeep = 'x' OR file:hashes.'SHA-256' = 'y']",
         "[file:hashes.SSDEEP = 'x' OR file:hashes.'SHA-256' = 'y']"},
        {"[file:extensions.'archive-ext'.version = '5' OR file:extensions.'archive-ext'.contains_refs[1].created > "
         "t'2017-01-01T00:00:00Z']",
         "[file:extensions.'archive-ext'.x_stix20_version = '5' OR "
         "file:extensions.'archive-ext'.contains_refs[1].ctime > t'2017-01-01T00:00:00Z']"},
        {"[user-account:password_last_changed = t'2017-01-01T00:00:00Z']",
         "[user-account:credential_last_changed = t'2017-01-01T00:00:00Z']"},
        {"[domain-name:value = 'created'] FOLLOWEDBY ([url:value = 'x'] REPEATS 2 TIMES)", NULL},
        {"[x-file:created = 1]", NULL},
        {"[process:name = 'evil.exe", NULL}, /* validation tells */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = ARENA_INIT;
        const char *expected = rows[i].expected != NULL ? rows[i].expected : rows[i].text;
        struct buf text = BUF_INIT;
        struct stix_upgraded u;
        buf_put(&text, slice_of(HEAD("indicator", "1")));
        json_put_text(&text, "pattern", slice_of(rows[i].text));
        buf_put(&text, slice_n("}", 2));
        assert_int_equal(upgrade(&a, text.ptr, &u, NULL), 0);
        struct slice got = json_string(&a, json_get(u.parts[0].json, SLICE("pattern")));
        if (!slice_eq(got, slice_of(expected)))
            fail_msg("%s\ngives    %.*s\nexpected %s", rows[i].text, SLICE_ARG(got), expected);
        buf_free(&text);
        arena_free(&a);
    }
}

/* ---- observed-data ---- */

#define OBSERVED(objects)                                                                                              \
    HEAD("observed-data", "1")                                                                                         \
    ",\"first_observed\":\"2017-01-01T00:00:00Z\",\"last_observed\":\"2017-01-01T00:00:00Z\",\"number_observed\":1,"   \
    "\"objects\":{" objects "}}"
#define AMBER "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
#define RED   "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

static void test_stix_upgrade__objects(void **state)
{
    static const struct {
        const char *text;
        uint32_t n;
        const char *parts[4]; /* what each SCO holds behind its id */
    } rows[] = {
        {OBSERVED("\"0\":{\"type\":\"domain-name\",\"value\":\"bad.example\",\"resolves_to_refs\":[\"1\"]},"
                  "\"1\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"}"),
         2,
         {",\"value\":\"bad.example\",\"resolves_to_refs\":[\"@1\"]}", ",\"value\":\"198.51.100.7\"}"}},
        {OBSERVED("\"t\":{\"type\":\"network-traffic\",\"dst_ref\":\"0\",\"protocols\":[\"tcp\"],\"dst_port\":443,"
                  "\"extensions\":{\"http-request-ext\":{\"request_method\":\"get\",\"request_value\":\"/\","
                  "\"request_header\":{\"Host\":\"bad.example\",\"X\":[\"1\"]}}}},"
                  "\"0\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"}"),
         2,
         {",\"dst_ref\":\"@1\",\"protocols\":[\"tcp\"],\"dst_port\":443,\"extensions\":{\"http-request-ext\":{"
          "\"request_method\":\"get\",\"request_value\":\"/\",\"request_header\":{\"Host\":[\"bad.example\"],\"X\":["
          "\"1\"]}}}}",
          ",\"value\":\"198.51.100.7\"}"}},
        {OBSERVED("\"0\":{\"type\":\"file\",\"name\":\"a\",\"created\":\"2017-01-01T00:00:00Z\",\"is_encrypted\":true,"
                  "\"hashes\":{\"ssdeep\":\"3:x:y\"},\"parent_directory_ref\":\"d\"},"
                  "\"d\":{\"type\":\"directory\",\"path\":\"/tmp\",\"accessed\":\"2017-01-01T00:00:00Z\"}"),
         2,
         {",\"name\":\"a\",\"ctime\":\"2017-01-01T00:00:00Z\",\"x_stix20_is_encrypted\":true,"
          "\"hashes\":{\"SSDEEP\":\"3:x:y\"},\"parent_directory_ref\":\"@1\"}",
          ",\"path\":\"/tmp\",\"atime\":\"2017-01-01T00:00:00Z\"}"}},
        /* a process: no deterministic id; its name is that of its image */
        {OBSERVED("\"0\":{\"type\":\"process\",\"pid\":7,\"name\":\"a.exe\",\"parent_ref\":\"1\"},"
                  "\"1\":{\"type\":\"process\",\"pid\":1,\"child_refs\":[\"0\"],\"binary_ref\":\"f\",\"name\":\"init\","
                  "\"arguments\":[\"-x\"],\"created\":\"2017-01-01T00:00:00Z\"},"
                  "\"f\":{\"type\":\"file\",\"name\":\"init\"}"),
         4,
         {",\"name\":\"a.exe\"}", ",\"pid\":7,\"image_ref\":\"@0\",\"parent_ref\":\"@2\"}",
          ",\"pid\":1,\"child_refs\":[\"@1\"],\"image_ref\":\"@3\",\"x_stix20_name\":\"init\","
          "\"x_stix20_arguments\":[\"-x\"],\"created_time\":\"2017-01-01T00:00:00Z\"}",
          ",\"name\":\"init\"}"}},
        /* the same twice is one; two that only share what makes the id are two */
        {OBSERVED("\"0\":{\"type\":\"url\",\"value\":\"http://bad.example/\"},"
                  "\"1\":{\"type\":\"url\",\"value\":\"http://bad.example/\"}"),
         1,
         {",\"value\":\"http://bad.example/\"}"}},
        {OBSERVED("\"0\":{\"type\":\"file\",\"name\":\"a\",\"size\":1},\"1\":{\"type\":\"file\",\"name\":\"a\"}"),
         2,
         {",\"name\":\"a\",\"size\":1}", ",\"name\":\"a\"}"}},
        /* an archive within itself */
        {OBSERVED("\"0\":{\"type\":\"file\",\"name\":\"a.zip\",\"extensions\":{\"archive-ext\":{\"contains_refs\":"
                  "[\"1\"],\"version\":\"5\"}}},\"1\":{\"type\":\"file\",\"name\":\"b.zip\",\"extensions\":{"
                  "\"archive-ext\":{\"contains_refs\":[\"0\"]}}}"),
         2,
         {",\"name\":\"a.zip\",\"extensions\":{\"archive-ext\":{\"contains_refs\":[\"@1\"],\"x_stix20_version\":"
          "\"5\"}}}",
          ",\"name\":\"b.zip\",\"extensions\":{\"archive-ext\":{\"contains_refs\":[\"@0\"]}}}"}},
        {OBSERVED("\"0\":{\"type\":\"x-thing\",\"any_ref\":\"1\",\"x_b_ref\":\"none\"},"
                  "\"1\":{\"type\":\"mutex\",\"name\":\"m\"}"),
         2,
         {",\"any_ref\":\"@1\",\"x_b_ref\":\"none\"}", ",\"name\":\"m\"}"}},
        {OBSERVED("\"0\":{\"type\":\"file\",\"name\":\"a\",\"created\":\"2017-01-01T00:00:00Z\","
                  "\"ctime\":\"2018-01-01T00:00:00Z\"}"),
         1,
         {",\"name\":\"a\",\"x_stix20_created\":\"2017-01-01T00:00:00Z\",\"ctime\":\"2018-01-01T00:00:00Z\"}"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = ARENA_INIT;
        struct stix_upgraded u, again;
        struct err err = ERR_INIT;
        if (upgrade(&a, rows[i].text, &u, &err) != 0)
            fail_msg("%s: %s %s", rows[i].text, err.place, err.text);
        if (u.n != rows[i].n + 1)
            fail_msg("%s: %u objects", rows[i].text, u.n);
        valid_check(&a, rows[i].text, &u);
        for (uint32_t k = 0; k < rows[i].n; k++) { /* "@1" stands for the id of the second */
            struct buf expected = BUF_INIT;
            struct json part = u.parts[k + 1].json;
            buf_printf(&expected, "{\"type\":\"%.*s\",\"spec_version\":\"2.1\",\"id\":\"%.*s\"",
                       SLICE_ARG(json_string(&a, json_get(part, SLICE("type")))),
                       SLICE_ARG(json_string(&a, json_get(part, SLICE("id")))));
            for (const char *p = rows[i].parts[k]; *p != '\0'; p++)
                if (*p == '@')
                    buf_put(&expected, json_string(&a, json_get(u.parts[*++p - '0' + 1].json, SLICE("id"))));
                else
                    buf_put_byte(&expected, *p);
            buf_put_byte(&expected, '\0');
            assert_part(rows[i].text, &u.parts[k + 1], expected.ptr);
            buf_free(&expected);
        }
        struct json refs = json_get(u.parts[0].json, SLICE("object_refs"));
        assert_int_equal(json_count(refs), rows[i].n);
        assert_int_equal(json_kind(json_get(u.parts[0].json, SLICE("objects"))), JSON_ABSENT);
        assert_int_equal(upgrade(&a, rows[i].text, &again, NULL), 0);
        for (uint32_t k = 0; k < u.n; k++)
            assert_true(slice_eq(u.parts[k].body, again.parts[k].body));
        arena_free(&a);
    }
}

/* What has a deterministic id gets it; what has none gets one in the shape of version 4, which a hub mints anew. */
static void test_stix_upgrade__ids(void **state)
{
    static const char text[] =
        OBSERVED("\"0\":{\"type\":\"process\",\"pid\":7},"
                 "\"1\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.3\"},"
                 "\"2\":{\"type\":\"network-traffic\",\"src_ref\":\"1\",\"protocols\":[\"tcp\"]}");
    struct arena a = ARENA_INIT;
    struct stix_upgraded u;
    struct stix_id id;

    assert_int_equal(upgrade(&a, text, &u, NULL), 0);
    assert_int_equal(u.n, 4);
    for (uint32_t i = 1; i < 4; i++) {
        struct slice given = json_string(&a, json_get(u.parts[i].json, SLICE("id"))), expected;
        assert_true(stix_id_parse(given, &id));
        assert_int_equal(id.version, i == 1 ? 4 : 5);
        if (i != 1) {
            assert_true(stix_id_deterministic(&a, u.parts[i].json, &expected));
            assert_true(slice_eq(given, expected));
        }
    }
    assert_string_equal(u.parts[0].place.ptr, "");
    assert_string_equal(u.parts[3].place.ptr, "/objects/2");
    arena_free(&a);
}

/* What marked the observed-data marks what was in it. */
static void test_stix_upgrade__markings(void **state)
{
    static const char text[] =
        HEAD("observed-data", "1") ",\"first_observed\":\"2017-01-01T00:00:00Z\",\"last_observed\":"
                                   "\"2017-01-01T00:00:00Z\",\"number_observed\":1,\"object_marking_refs\":[\"" AMBER
                                   "\"],\"granular_markings\":[{\"marking_ref\":\"" RED
                                   "\",\"selectors\":[\"objects.1.value\",\"number_observed\"]}],\"objects\":{"
                                   "\"0\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"},"
                                   "\"1\":{\"type\":\"domain-name\",\"value\":\"bad.example\"}}}";
    struct arena a = ARENA_INIT;
    struct stix_upgraded u;

    assert_int_equal(upgrade(&a, text, &u, NULL), 0);
    assert_int_equal(u.n, 3);
    valid_check(&a, text, &u);
    assert_true(slice_eq(json_raw(json_get(u.parts[1].json, SLICE("object_marking_refs"))), SLICE("[\"" AMBER "\"]")));
    assert_true(slice_eq(json_raw(json_get(u.parts[2].json, SLICE("object_marking_refs"))),
                         SLICE("[\"" AMBER "\",\"" RED "\"]")));
    assert_true(
        slice_eq(json_raw(json_get(u.parts[0].json, SLICE("granular_markings"))),
                 SLICE("[{\"marking_ref\":\"" RED "\",\"selectors\":[\"object_refs.[1]\",\"number_observed\"]}]")));
    arena_free(&a);
}

static void test_stix_upgrade__refused(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *place;
    } rows[] = {
        {OBSERVED(""), ERR_STIX_VALUE, "/objects"},
        {HEAD("observed-data", "1") "}", ERR_STIX_REQUIRED, "/objects"},
        {HEAD("observed-data", "1") ",\"objects\":[]}", ERR_STIX_VALUE, "/objects"},
        {OBSERVED("\"0\":{\"value\":\"x\"}"), ERR_STIX_VALUE, "/objects/0"},
        {OBSERVED("\"0\":{\"type\":\"indicator\"}"), ERR_STIX_VALUE, "/objects/0/type"},
        {OBSERVED("\"a/b\":{\"type\":\"domain-name\",\"value\":\"x\",\"resolves_to_refs\":[\"9\"]}"),
         ERR_STIX_REFERENCE, "/objects/a~1b/resolves_to_refs/0"},
        {OBSERVED("\"0\":{\"type\":\"domain-name\",\"value\":\"x\",\"object_marking_refs\":[]}"), ERR_STIX_RULE,
         "/objects/0/object_marking_refs"},
        {HEAD("observed-data", "1") ",\"object_marking_refs\":[\"red\"],\"objects\":{\"0\":{\"type\":\"url\"}}}",
         ERR_STIX_ID, "/object_marking_refs/0"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = ARENA_INIT;
        struct stix_upgraded u;
        struct err err = ERR_INIT;
        assert_int_equal(upgrade(&a, rows[i].text, &u, &err), -1);
        if (err.code != rows[i].code || strcmp(err.place, rows[i].place) != 0)
            fail_msg("%s: %s at \"%s\": %s", rows[i].text, err_name(err.code), err.place, err.text);
        arena_free(&a);
    }
}

/* ---- limits ---- */

static void limit_check(struct buf *text, enum err_code code)
{
    struct arena a = ARENA_INIT;
    struct stix_upgraded u;
    struct err err = ERR_INIT;

    buf_put_byte(text, '\0');
    assert_int_equal(upgrade(&a, text->ptr, &u, &err), code == ERR_NONE ? 0 : -1);
    assert_int_equal(err.code, code);
    arena_free(&a);
    buf_free(text);
}

static void limit_objects(unsigned n, enum err_code code)
{
    struct buf text = BUF_INIT;

    buf_put(&text, slice_of(HEAD("observed-data", "1") ",\"objects\":{"));
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s\"%u\":{\"type\":\"mutex\",\"name\":\"%u\"}", i != 0 ? "," : "", i, i);
    buf_put(&text, SLICE("}}"));
    limit_check(&text, code);
}

/* Archives within archives: each id is made of the next. */
static void limit_depth(unsigned n, enum err_code code)
{
    struct buf text = BUF_INIT;

    buf_put(&text, slice_of(HEAD("observed-data", "1") ",\"objects\":{"));
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text,
                   "\"%u\":{\"type\":\"file\",\"name\":\"%u\",\"extensions\":{\"archive-ext\":{\"contains_refs\":["
                   "\"%u\"]}}},",
                   i, i, i + 1);
    buf_printf(&text, "\"%u\":{\"type\":\"file\",\"name\":\"x\"}}}", n);
    limit_check(&text, code);
}

static void limit_references(unsigned n, enum err_code code)
{
    struct buf text = BUF_INIT;

    buf_put(&text, slice_of(HEAD("observed-data", "1") ",\"objects\":{\"0\":{\"type\":\"x-thing\",\"a_refs\":["));
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s\"0\"", i != 0 ? "," : "");
    buf_put(&text, SLICE("]}}}"));
    limit_check(&text, code);
}

static void limit_markings(unsigned n, enum err_code code)
{
    struct buf text = BUF_INIT;

    buf_put(&text, slice_of(HEAD("observed-data", "1") ",\"objects\":{\"0\":{\"type\":\"url\",\"value\":\"x\"}},"
                                                       "\"object_marking_refs\":["));
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s\"marking-definition--00000000-0000-4000-8000-%012u\"", i != 0 ? "," : "", i);
    buf_put(&text, SLICE("]}"));
    limit_check(&text, code);
}

static void limit_selectors(unsigned n, enum err_code code)
{
    struct buf text = BUF_INIT;

    buf_put(&text,
            slice_of(HEAD("observed-data", "1") ",\"objects\":{\"0\":{\"type\":\"url\",\"value\":\"x\"}},"
                                                "\"granular_markings\":[{\"marking_ref\":\"" RED "\",\"selectors\":["));
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%s\"objects.0\"", i != 0 ? "," : "");
    buf_put(&text, SLICE("]}]}"));
    limit_check(&text, code);
}

static void test_stix_upgrade__limits(void **state)
{
    limit_objects(STIX_UPGRADE_OBJECTS_MAX, ERR_NONE);
    limit_objects(STIX_UPGRADE_OBJECTS_MAX + 1, ERR_LIMIT_MEMBERS);
    limit_depth(STIX_UPGRADE_DEPTH_MAX - 1, ERR_NONE);
    limit_depth(STIX_UPGRADE_DEPTH_MAX, ERR_LIMIT_DEPTH);
    limit_references(STIX_UPGRADE_REFS_MAX, ERR_NONE);
    limit_references(STIX_UPGRADE_REFS_MAX + 1, ERR_LIMIT_VALUES);
    limit_markings(STIX_UPGRADE_MARKINGS_MAX, ERR_NONE);
    limit_markings(STIX_UPGRADE_MARKINGS_MAX + 1, ERR_LIMIT_MEMBERS);
    limit_selectors(STIX_UPGRADE_SELECTORS_MAX, ERR_NONE);
    limit_selectors(STIX_UPGRADE_SELECTORS_MAX + 1, ERR_LIMIT_MEMBERS);
}

/* ---- real ones ---- */

static struct {
    uint32_t objects, parts, accepted, warned;
} seen;

static void real_add(struct arena *a, const char *path, struct json v)
{
    struct stix_object o;
    struct stix_upgraded u;
    struct stix_report report;
    struct err err = ERR_INIT;
    bool good = true, warned = false;

    if (stix_object_read(a, v, &o, NULL) != 0 || !o.is_stix20)
        return;
    seen.objects++;
    if (stix_upgrade(a, &o, &u, &err) != 0) {
        print_message("# %s: %s: %s\n", path, err.place, err.text);
        return;
    }
    for (uint32_t i = 0; good && i < u.n; i++) {
        assert_int_equal(stix_object_read(a, u.parts[i].json, &o, &err), 0);
        good = stix_validate(a, &o, STIX_LENIENT, &report) == 0;
        warned |= report.warnings != 0;
        if (!good)
            print_message("# %s: %.*s: %s: %s\n", path, SLICE_ARG(o.id), report.problems[0].err.place,
                          report.problems[0].err.text);
    }
    seen.accepted += good;
    seen.warned += good && warned;
    seen.parts += u.n - 1;
}

static void test_stix_upgrade__real(void **state)
{
    if (!real_each(real_add))
        leave_out("TOCSIN_SHARED names no STIX data");
    print_message("# %u objects of STIX 2.0: %u accepted after the upgrade (%u with warnings), with %u SCOs\n",
                  seen.objects, seen.accepted, seen.warned, seen.parts);
    assert_true(seen.objects > 600);
    assert_true(seen.accepted >= seen.objects - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_upgrade__rows),     cmocka_unit_test(test_stix_upgrade__patterns),
        cmocka_unit_test(test_stix_upgrade__objects),  cmocka_unit_test(test_stix_upgrade__ids),
        cmocka_unit_test(test_stix_upgrade__markings), cmocka_unit_test(test_stix_upgrade__refused),
        cmocka_unit_test(test_stix_upgrade__limits),   cmocka_unit_test(test_stix_upgrade__real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

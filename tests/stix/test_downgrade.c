/* STIX 2.1 for readers of 2.0 alone. */
#include "test.h"

#include "stix/stix.h"

#define AT(type, n)                                                                                                    \
    "{\"type\":\"" type "\",\"id\":\"" type "--00000000-0000-4000-8000-00000000000" n                                  \
    "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-02T00:00:00.000Z\""
#define NEW ",\"spec_version\":\"2.1\""

/* ids that the function below maps */
#define NARROW "marking-definition--00000000-0000-4000-8000-0000000000a1"
#define PLAIN  "marking-definition--00000000-0000-4000-8000-0000000000a2"
#define OLD    "marking-definition--00000000-0000-4000-8000-0000000000b1"
#define OTHER  "marking-definition--00000000-0000-4000-8000-0000000000c1"

static struct slice marking(struct slice id, bool *beside_out)
{
    *beside_out = slice_eq(id, SLICE(NARROW));
    return *beside_out || slice_eq(id, SLICE(PLAIN)) ? SLICE(OLD) : slice_n(NULL, 0);
}

static void read_object(struct arena *a, const char *text, struct stix_object *out)
{
    struct json root;
    struct err err = ERR_INIT;

    if (json_parse(a, slice_of(text), NULL, &root, &err) != 0 || stix_object_read(a, root, out, &err) != 0)
        fail_msg("%s: %s %s", text, err.place, err.text);
}

static int downgrade(struct arena *a, const char *text, struct slice *out, struct err *err)
{
    struct stix_object o;

    read_object(a, text, &o);
    return stix_downgrade(a, &o, marking, out, err);
}

static void test_stix_downgrade__rows(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        /* what is not named stays byte for byte */
        {AT("campaign", "1") NEW ", \"name\" : \"x\\u0041\",\"x_n\":12345678901234567890,\"labels\":[\"tag\"]}",
         AT("campaign", "1") ",\"name\" : \"x\\u0041\",\"x_n\":12345678901234567890,\"labels\":[\"tag\"]}"},
        {AT("campaign", "1") NEW ",\"name\":\"x\",\"revoked\":true,\"confidence\":7,\"lang\":\"de\",\"extensions\":{}}",
         AT("campaign", "1") ",\"name\":\"x\",\"revoked\":true}"},
        /* what is 2.0 already */
        {AT("tool", "1") ",\"name\":\"t\",\"labels\":[\"x\"],\"spec_version\":\"2.0\"}",
         AT("tool", "1") ",\"name\":\"t\",\"labels\":[\"x\"],\"spec_version\":\"2.0\"}"},
        {AT("observed-data", "1") ",\"objects\":{}}", AT("observed-data", "1") ",\"objects\":{}}"},
        /* labels */
        {AT("malware", "1") NEW ",\"name\":\"m\",\"malware_types\":[\"worm\"],\"is_family\":true,\"labels\":[\"t\"]}",
         AT("malware", "1") ",\"name\":\"m\",\"labels\":[\"worm\",\"t\"]}"},
        {AT("malware", "1") NEW ",\"name\":\"m\",\"is_family\":false,\"aliases\":[\"n\"],\"sample_refs\":[\"f\"]}",
         AT("malware", "1") ",\"name\":\"m\",\"labels\":[\"unknown\"]}"},
        {AT("tool", "1") NEW ",\"name\":\"t\",\"tool_types\":[],\"labels\":[\"tag\"],\"tool_version\":\"1\"}",
         AT("tool", "1") ",\"name\":\"t\",\"tool_version\":\"1\",\"labels\":[\"tag\"]}"},
        {AT("threat-actor", "1") NEW ",\"name\":\"t\",\"threat_actor_types\":[\"spy\"],\"roles\":[\"agent\"]}",
         AT("threat-actor", "1") ",\"name\":\"t\",\"roles\":[\"agent\"],\"labels\":[\"spy\"]}"},
        {AT("identity", "1") NEW ",\"name\":\"i\",\"roles\":[\"CEO\"],\"identity_class\":\"individual\"}",
         AT("identity", "1") ",\"name\":\"i\",\"identity_class\":\"individual\",\"labels\":[\"CEO\"]}"},
        {AT("identity", "1") NEW ",\"name\":\"i\"}",
         AT("identity", "1") ",\"name\":\"i\",\"identity_class\":\"unknown\"}"},
        {AT("attack-pattern", "1") NEW ",\"name\":\"a\",\"aliases\":[\"b\"]}",
         AT("attack-pattern", "1") ",\"name\":\"a\"}"},
        {AT("intrusion-set", "1") NEW ",\"name\":\"a\",\"aliases\":[\"b\"]}",
         AT("intrusion-set", "1") ",\"name\":\"a\",\"aliases\":[\"b\"]}"},
        /* indicators */
        {AT("indicator", "1") NEW ",\"pattern\":\"[url:value = 'http:\\/\\/bad.example\\/']\",\"pattern_type\":"
                                  "\"stix\",\"pattern_version\":\"2.1\",\"valid_from\":\"2026-01-01T00:00:00Z\","
                                  "\"indicator_types\":[\"benign\"]}",
         AT("indicator", "1") ",\"pattern\":\"[url:value = 'http:\\/\\/bad.example\\/']\",\"valid_from\":"
                              "\"2026-01-01T00:00:00Z\",\"labels\":[\"benign\"]}"},
        /* references */
        {AT("report", "1") NEW ",\"name\":\"r\",\"report_types\":[\"malware\"],\"object_refs\":["
                               "\"ipv4-addr--00000000-0000-4000-8000-000000000004\","
                               "\"malware--00000000-0000-4000-8000-000000000005\","
                               "\"note--00000000-0000-4000-8000-000000000006\","
                               "\"x-acme--00000000-0000-4000-8000-000000000007\"],\"granular_markings\":[{"
                               "\"marking_ref\":\"" OTHER "\",\"selectors\":[\"object_refs.[0]\"]}]}",
         AT("report", "1") ",\"name\":\"r\",\"object_refs\":[\"malware--00000000-0000-4000-8000-000000000005\","
                           "\"x-acme--00000000-0000-4000-8000-000000000007\"],\"granular_markings\":[{"
                           "\"marking_ref\":\"" OTHER "\",\"selectors\":[\"object_refs\"]}],\"labels\":[\"malware\"]}"},
        {AT("sighting", "1") NEW ",\"description\":\"d\",\"sighting_of_ref\":\"indicator--00000000-0000-4000-8000-"
                                 "000000000001\",\"where_sighted_refs\":[\"location--00000000-0000-4000-8000-"
                                 "000000000002\"],\"observed_data_refs\":[\"observed-data--00000000-0000-4000-8000-"
                                 "000000000003\"],\"count\":3,\"granular_markings\":[{\"marking_ref\":\"" OTHER
                                 "\",\"selectors\":[\"where_sighted_refs\",\"where_sighted_refs.[0]\"]}]}",
         AT("sighting", "1") ",\"sighting_of_ref\":\"indicator--00000000-0000-4000-8000-000000000001\",\"count\":3}"},
        {AT("relationship", "1") NEW ",\"relationship_type\":\"uses\",\"source_ref\":\"tool--00000000-0000-4000-8000-"
                                     "000000000001\",\"target_ref\":\"malware--00000000-0000-4000-8000-000000000001\","
                                     "\"start_time\":\"2026-01-01T00:00:00Z\"}",
         AT("relationship", "1") ",\"relationship_type\":\"uses\",\"source_ref\":\"tool--00000000-0000-4000-8000-"
                                 "000000000001\",\"target_ref\":\"malware--00000000-0000-4000-8000-000000000001\"}"},
        /* markings */
        {AT("vulnerability", "1") NEW ",\"name\":\"v\",\"object_marking_refs\":[\"" OTHER "\",\"" PLAIN "\"]}",
         AT("vulnerability", "1") ",\"name\":\"v\",\"object_marking_refs\":[\"" OTHER "\",\"" OLD "\"]}"},
        {AT("vulnerability", "1") NEW ",\"name\":\"v\",\"object_marking_refs\":[\"" NARROW "\"]}",
         AT("vulnerability", "1") ",\"name\":\"v\",\"object_marking_refs\":[\"" OLD "\",\"" NARROW "\"]}"},
        {AT("tool", "1") NEW ",\"name\":\"t\",\"tool_types\":[\"a\",\"b\"],\"labels\":[\"c\",\"d\"],"
                             "\"granular_markings\":[{\"marking_ref\":\"" PLAIN
                             "\",\"selectors\":[\"labels.[1]\",\"tool_types.[1]\",\"name\",\"labels\",\"tool_types\","
                             "\"aliases.[0]\"]},{\"lang\":\"de\",\"selectors\":[\"name\"]},{\"marking_ref\":\"" OTHER
                             "\",\"selectors\":[\"spec_version\"]},{\"marking_ref\":\"" NARROW
                             "\",\"lang\":\"de\",\"selectors\":[\"name\"]}]}",
         AT("tool", "1") ",\"name\":\"t\",\"granular_markings\":[{\"marking_ref\":\"" OLD
                         "\",\"selectors\":[\"labels.[3]\",\"labels.[1]\",\"name\",\"labels\",\"labels\"]},{"
                         "\"marking_ref\":\"" OLD "\",\"selectors\":[\"name\"]},{\"marking_ref\":\"" NARROW
                         "\",\"selectors\":[\"name\"]}],\"labels\":[\"a\",\"b\",\"c\",\"d\"]}"},
        {"{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" OTHER
         "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"name\":\"n\",\"definition_type\":\"statement\","
         "\"definition\":{\"statement\":\"x\"}}",
         "{\"type\":\"marking-definition\",\"id\":\"" OTHER "\",\"created\":\"2026-01-01T00:00:00.000Z\","
         "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"x\"}}"},
        /* custom objects and properties stay */
        {AT("x-acme", "1") NEW ",\"any\":1,\"labels\":[],\"is_family\":true,\"confidence\":1}",
         AT("x-acme", "1") ",\"any\":1,\"labels\":[],\"is_family\":true}"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct stix_object o;
        struct slice out;
        struct err err = ERR_INIT;
        if (downgrade(&a, rows[i].text, &out, &err) != 0)
            fail_row(i, "%s: %s %s", rows[i].text, err.place, err.text);
        if (!slice_eq(out, slice_of(rows[i].expected)))
            fail_row(i, "%s\ngives    " SLICE_FMT "\nexpected %s", rows[i].text, SLICE_ARG(out), rows[i].expected);
        read_object(&a, rows[i].expected, &o);
        assert_true(o.is_stix20);
        arena_free(&a);
    }
}

static void test_stix_downgrade__left_out(void **state)
{
#define ENDS(from, to)                                                                                                 \
    AT("relationship", "1")                                                                                            \
    NEW ",\"relationship_type\":\"x\",\"source_ref\":\"" from "--00000000-0000-4000-8000-000000000001\","              \
        "\"target_ref\":\"" to "--00000000-0000-4000-8000-000000000002\"}"
    static const struct {
        const char *text, *place;
    } rows[] = {
        {AT("infrastructure", "1") NEW ",\"name\":\"i\"}", "/type"},
        {AT("malware-analysis", "1") NEW "}", "/type"},
        {AT("note", "1") NEW "}", "/type"},
        {AT("opinion", "1") NEW "}", "/type"},
        {AT("grouping", "1") NEW "}", "/type"},
        {AT("location", "1") NEW "}", "/type"},
        {AT("incident", "1") NEW "}", "/type"},
        {AT("language-content", "1") NEW "}", "/type"},
        {AT("extension-definition", "1") NEW "}", "/type"},
        {AT("observed-data", "1") NEW ",\"object_refs\":[]}", "/object_refs"},
        {"{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--00000000-0000-4000-8000-000000000004\","
         "\"value\":\"198.51.100.7\"}",
         "/type"},
        {"{\"type\":\"url\",\"id\":\"url--00000000-0000-4000-8000-000000000004\",\"value\":\"http://bad.example/\"}",
         "/type"},
        {"{\"type\":\"x-value\",\"id\":\"x-value--00000000-0000-4000-8000-000000000004\"}", "/type"},
        {AT("indicator", "1") NEW ",\"pattern\":\"rule x {}\",\"pattern_type\":\"yara\"}", "/pattern_type"},
        {AT("indicator", "1") NEW ",\"pattern\":\"[EXISTS file:name]\",\"pattern_type\":\"stix\"}", "/pattern"},
        {AT("indicator", "1") NEW ",\"pattern\":\"[file:name = 'x\",\"pattern_type\":\"stix\"}", "/pattern"},
        {AT("indicator", "1") NEW ",\"pattern\":\"'\",\"pattern_type\":\"stix\"}", "/pattern"},
        {AT("indicator", "1") NEW ",\"pattern\":7,\"pattern_type\":\"stix\"}", "/pattern"},
        {AT("malware", "1") NEW ",\"is_family\":false}", "/name"},
        {AT("marking-definition", "1") NEW ",\"extensions\":{}}", "/definition"},
        {ENDS("infrastructure", "malware"), "/source_ref"},
        {ENDS("indicator", "ipv4-addr"), "/target_ref"},
        {ENDS("indicator", "observed-data"), "/target_ref"},
        {AT("sighting", "1") NEW ",\"sighting_of_ref\":\"location--00000000-0000-4000-8000-000000000001\"}",
         "/sighting_of_ref"},
        {AT("report", "1") NEW ",\"object_refs\":[\"url--00000000-0000-4000-8000-000000000001\"]}", "/object_refs"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice out;
        struct err err = ERR_INIT;
        if (downgrade(&a, rows[i].text, &out, &err) == 0)
            fail_row(i, "%s gives " SLICE_FMT, rows[i].text, SLICE_ARG(out));
        if (err.code != ERR_STIX_VERSION || strcmp(err.place, rows[i].place) != 0 || err.text[0] == '\0')
            fail_row(i, "%s: %s at %s: %s", rows[i].text, err_name(err.code), err.place, err.text);
        arena_free(&a);
    }
}

/* ---- there and back ---- */

static struct slice indicator_of(struct arena *a, const char *pattern)
{
    struct buf out = BUF_INIT;

    buf_put(&out, SLICE(AT("indicator", "1") NEW
                        ",\"name\":\"n\",\"pattern_type\":\"stix\",\"pattern_version\":\"2.1\","
                        "\"valid_from\":\"2026-01-01T00:00:00Z\",\"indicator_types\":[\"malicious-activity\"],"
                        "\"labels\":[\"tag\"],\"object_marking_refs\":[\"" OLD "\",\"" OTHER "\"]"));
    json_put_text(&out, "pattern", slice_of(pattern));
    buf_put(&out, slice_n("}", 2));
    struct slice text = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

static void assert_same(struct arena *a, struct json x, struct json y, const char *pattern)
{
    static const char *const kept[] = {"type",
                                       "id",
                                       "created",
                                       "modified",
                                       "pattern",
                                       "pattern_type",
                                       "labels",
                                       "spec_version",
                                       "indicator_types",
                                       "name",
                                       "object_marking_refs"};

    for (size_t i = 0; i < ROWS(kept); i++) {
        struct buf one = BUF_INIT, other = BUF_INIT;
        stix_canon(a, &one, json_get(x, slice_of(kept[i])));
        stix_canon(a, &other, json_get(y, slice_of(kept[i])));
        if (!slice_eq(buf_slice(&one), buf_slice(&other)))
            fail_msg("%s: %s: " SLICE_FMT " became " SLICE_FMT, pattern, kept[i], SLICE_ARG(buf_slice(&one)),
                     SLICE_ARG(buf_slice(&other)));
        buf_free(&one);
        buf_free(&other);
    }
}

static void test_stix_downgrade__there_and_back(void **state)
{
    static const struct {
        const char *pattern, *old;
    } rows[] = {
        {"[ipv4-addr:value = '198.51.100.7']", "[ipv4-addr:value = '198.51.100.7']"},
        {"[domain-name:value = 't\\'x\\'' OR url:value  LIKE 'a%']",
         "[domain-name:value = 't\\'x\\'' OR url:value  LIKE 'a%']"},
        {"[a:b = 'x'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
         "[a:b = 'x'] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'"},
        {"[file:ctime = t'2026-01-01T00:00:00Z' AND file:name = 'ctime']",
         "[file:created = t'2026-01-01T00:00:00Z' AND file:name = 'ctime']"},
        {"[process:image_ref.name = 'evil.exe']", "[process:binary_ref.name = 'evil.exe']"},
        {"[process:parent_ref.image_ref.atime > t'2026-01-01T00:00:00Z']",
         "[process:parent_ref.binary_ref.accessed > t'2026-01-01T00:00:00Z']"},
        {"[file:hashes.SSDEEP = 'x' OR file:hashes.'SHA-256' = 'y']",
         "[file:hashes.ssdeep = 'x' OR file:hashes.'SHA-256' = 'y']"},
        {"[windows-registry-key:modified_time = t'2026-01-01T00:00:00Z']",
         "[windows-registry-key:modified = t'2026-01-01T00:00:00Z']"},
        {"[file:extensions.'archive-ext'.x_stix20_version = '5']", "[file:extensions.'archive-ext'.version = '5']"},
        {"[a:b = 'x'] FOLLOWEDBY ([c:d = 'EXISTS'] REPEATS 2 TIMES)",
         "[a:b = 'x'] FOLLOWEDBY ([c:d = 'EXISTS'] REPEATS 2 TIMES)"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice text = indicator_of(&a, rows[i].pattern), down;
        struct stix_object before, between;
        struct stix_upgraded up;
        struct stix_report report;
        struct json root;
        read_object(&a, text.ptr, &before);
        assert_int_equal(stix_downgrade(&a, &before, marking, &down, NULL), 0);
        assert_int_equal(json_parse(&a, down, NULL, &root, NULL), 0);
        assert_int_equal(stix_object_read(&a, root, &between, NULL), 0);
        assert_slice(json_string(&a, json_get(root, SLICE("pattern"))), rows[i].old);
        assert_int_equal(stix_upgrade(&a, &between, &up, NULL), 0);
        assert_same(&a, before.json, up.parts[0].json, rows[i].pattern);
        assert_int_equal(stix_object_read(&a, up.parts[0].json, &between, NULL), 0);
        assert_int_equal(stix_validate(&a, &between, STIX_LENIENT, &report), 0);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_downgrade__rows),
        cmocka_unit_test(test_stix_downgrade__left_out),
        cmocka_unit_test(test_stix_downgrade__there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

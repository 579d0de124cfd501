#include "test.h"

#include "stix/stix.h"

#define UUID "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"

static struct json parse(struct arena *a, const char *text)
{
    struct json root;
    struct err err = ERR_INIT;

    if (json_parse(a, slice_of(text), &json_limits_default, &root, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void test_stix_object__read(void **state)
{
    struct arena a = ARENA_INIT;
    struct stix_object o;

    assert_int_equal(
        stix_object_read(
            &a,
            parse(&a, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" UUID
                      "\",\"created\":\"1970-01-01T00:00:01.000Z\",\"modified\":\"1970-01-01T00:00:02.000001Z\","
                      "\"revoked\":true}"),
            &o, NULL),
        0);
    assert_slice(o.type, "indicator");
    assert_slice(o.id, "indicator--" UUID);
    assert_non_null(o.kind);
    assert_true(o.revoked && o.has_modified && !o.is_stix20);
    assert_int_equal(o.created_us, 1000000);
    assert_int_equal(o.modified_us, 2000001);

    assert_int_equal(
        stix_object_read(
            &a,
            parse(&a, "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"marking-definition--" UUID
                      "\",\"created\":\"1970-01-01T00:00:01.000Z\"}"),
            &o, NULL),
        0);
    assert_false(o.has_modified);
    assert_int_equal(o.modified_us, 1000000); /* the version of what has no modified */

    assert_int_equal(stix_object_read(&a, parse(&a, "{\"type\":\"x-new\",\"id\":\"x-new--" UUID "\"}"), &o, NULL), 0);
    assert_null(o.kind);
    assert_int_equal(o.modified_us, 0);
    arena_free(&a);
}

static void test_stix_object__refused(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *place;
    } rows[] = {
        {"[]", ERR_STIX_SYNTAX, ""},
        {"\"x\"", ERR_STIX_SYNTAX, ""},
        {"{}", ERR_STIX_REQUIRED, "/type"},
        {"{\"type\":\"indicator\"}", ERR_STIX_REQUIRED, "/id"},
        {"{\"type\":1,\"id\":\"indicator--" UUID "\"}", ERR_STIX_VALUE, "/type"},
        {"{\"type\":\"\",\"id\":\"indicator--" UUID "\"}", ERR_STIX_EMPTY, "/type"},
        {"{\"type\":\"indicator\",\"id\":null}", ERR_STIX_VALUE, "/id"},
        {"{\"type\":\"tool\",\"id\":\"tool--blablabla\"}", ERR_STIX_ID, "/id"},
        {"{\"type\":\"indicator\",\"id\":\"malware--" UUID "\"}", ERR_STIX_ID, "/id"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct stix_object o;
        struct err err = ERR_INIT;
        if (stix_object_read(&a, parse(&a, rows[i].text), &o, &err) == 0)
            fail_row(i, "%s was read", rows[i].text);
        if (err.code != rows[i].code || strcmp(err.place, rows[i].place) != 0 || err.text[0] == '\0')
            fail_row(i, "%s: %s %s %s", rows[i].text, err_name(err.code), err.place, err.text);
        arena_free(&a);
    }
}

static void test_stix_object__is_stix20(void **state)
{
    static const struct {
        const char *rest;
        bool is_stix20;
    } rows[] = {
        {"\"type\":\"malware\",\"id\":\"malware--" UUID "\"", true},
        {"\"type\":\"malware\",\"id\":\"malware--" UUID "\",\"spec_version\":\"2.1\"", false},
        {"\"type\":\"malware\",\"id\":\"malware--" UUID "\",\"spec_version\":\"2.0\"", true},
        {"\"type\":\"indicator\",\"id\":\"indicator--" UUID "\"", true},
        {"\"type\":\"indicator\",\"id\":\"indicator--" UUID "\",\"pattern_type\":\"stix\"",
         false},                                                          /* 2.1 that forgot to say so */
        {"\"type\":\"grouping\",\"id\":\"grouping--" UUID "\"", false},   /* no such type in 2.0 */
        {"\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--" UUID "\"", false}, /* may leave it out */
        {"\"type\":\"x-new\",\"id\":\"x-new--" UUID "\"", false},
        {"\"type\":\"x-new\",\"id\":\"x-new--" UUID "\",\"created\":\"2020-01-01T00:00:00.000Z\"", true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct stix_object o;
        assert_int_equal(stix_object_read(&a, parse(&a, arena_printf(&a, "{%s}", rows[i].rest).ptr), &o, NULL), 0);
        if (o.is_stix20 != rows[i].is_stix20)
            fail_row(i, "%s", rows[i].rest);
        arena_free(&a);
    }
}

struct told {
    struct buf text;
    int stop_at, n;
};

static int tell(void *arg, struct json value, struct slice key, struct slice id)
{
    struct told *t = arg;
    struct stix_id parsed;

    assert_true(stix_id_parse(id, &parsed));
    assert_int_equal(json_kind(value), JSON_STRING);
    buf_printf(&t->text, "%.*s=%.*s ", SLICE_ARG(key), SLICE_ARG(parsed.type));
    return ++t->n == t->stop_at ? 7 : 0;
}

static const char referring[] =
    "{\"type\":\"report\",\"id\":\"report--" UUID "\",\"created_by_ref\":\"identity--" UUID
    "\",\"object_refs\":[\"malware--" UUID "\",\"not an id\",\"x-new--" UUID
    "\"],\"object_marking_refs\":[\"marking-definition--" UUID "\"],"
    "\"granular_markings\":[{\"marking_ref\":\"marking-definition--" UUID "\",\"selectors\":[\"name\"]}],"
    "\"extensions\":{\"extension-definition--" UUID "\":{\"deep\":[{\"owner_ref\":\"identity--" UUID "\"}]}},"
    "\"name\":\"tool--" UUID "\",\"some_ref\":{\"inner_refs\":[\"file--" UUID "\"]},\"self_ref\":\"report--" UUID "\"}";

static void test_stix_object__references(void **state)
{
    struct arena a = ARENA_INIT;
    struct stix_object o;
    struct told t = {BUF_INIT, 0, 0};

    assert_int_equal(stix_object_read(&a, parse(&a, referring), &o, NULL), 0);
    assert_int_equal(stix_each_reference(&a, &o, tell, &t), 0);
    assert_slice(buf_slice(&t.text),
                 "created_by_ref=identity object_refs=malware object_refs=x-new "
                 "object_marking_refs=marking-definition marking_ref=marking-definition owner_ref=identity "
                 "inner_refs=file self_ref=report ");
    buf_free(&t.text);
    t = (struct told){BUF_INIT, 2, 0};
    assert_int_equal(stix_each_reference(&a, &o, tell, &t), 7); /* stops there */
    assert_int_equal(t.n, 2);
    buf_free(&t.text);
    arena_free(&a);
}

static void test_stix_object__container(void **state)
{
    static const struct {
        const char *text;
        int rc;
        enum json_kind kind;
        bool single;
    } rows[] = {
        {"{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[{}]}", 0, JSON_ARRAY, false},
        {"{\"type\":\"b\\u0075ndle\",\"objects\":[]}", 0, JSON_ARRAY, false},
        {"{\"objects\":[{}]}", 0, JSON_ARRAY, false},
        {"{\"more\":false,\"objects\":[]}", 0, JSON_ARRAY, false},
        {"{}", 0, JSON_ABSENT, false},
        {"{\"type\":\"bundle\"}", 0, JSON_ABSENT, false},
        {"{\"type\":\"indicator\"}", 0, JSON_OBJECT, true},
        {"{\"type\":\"observed-data\",\"objects\":{\"0\":{}}}", 0, JSON_OBJECT, true},
        {"{\"objects\":{}}", -1, JSON_ABSENT, false},
        {"{\"objects\":null}", -1, JSON_ABSENT, false},
        {"[]", -1, JSON_ABSENT, false},
        {"3", -1, JSON_ABSENT, false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct json objects;
        struct err err = ERR_INIT;
        bool single;
        int rc = stix_container(parse(&a, rows[i].text), &objects, &single, &err);
        if (rc != rows[i].rc || (rc == 0 && (json_kind(objects) != rows[i].kind || single != rows[i].single)))
            fail_row(i, "%s", rows[i].text);
        if (rc != 0)
            assert_int_equal(err.code, ERR_STIX_SYNTAX);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_object__read),      cmocka_unit_test(test_stix_object__refused),
        cmocka_unit_test(test_stix_object__is_stix20), cmocka_unit_test(test_stix_object__references),
        cmocka_unit_test(test_stix_object__container),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

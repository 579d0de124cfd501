#include "test.h"

#include "stix/stix.h"

static struct json parse(struct arena *a, const char *text)
{
    struct json root;

    assert_int_equal(json_parse(a, slice_of(text), NULL, &root, NULL), 0);
    return root;
}

static void test_stix_selector__select(void **state)
{
    static const char object[] = "{\"name\":\"n\",\"labels\":[\"a\",\"b\"],\"l\":[[1,2],{\"x\":[3]}],"
                                 "\"hashes\":{\"SHA-256\":\"h\",\"[0]\":\"k\"},\"e\":[],\"z\":null}";
    static const struct {
        const char *selector, *raw; /* NULL: nothing */
    } rows[] = {
        {"name", "\"n\""},
        {"labels", "[\"a\",\"b\"]"},
        {"labels.[0]", "\"a\""},
        {"labels.[1]", "\"b\""},
        {"labels.[2]", NULL},
        {"labels.[18446744073709551615]", NULL},
        {"labels.[18446744073709551616]", NULL},
        {"labels.0", NULL},
        {"labels.[]", NULL},
        {"labels.[-1]", NULL},
        {"l.[0].[1]", "2"},
        {"l.[1].x.[0]", "3"},
        {"hashes.SHA-256", "\"h\""},
        {"hashes.[0]", NULL}, /* an index, not a key */
        {"name.x", NULL},
        {"name.[0]", NULL},
        {"e.[0]", NULL},
        {"z", "null"},
        {"other", NULL},
        {"", NULL},
        {".", NULL},
        {"name.", NULL},
    };
    struct arena a = ARENA_INIT;
    struct json root = parse(&a, object);

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct json v = stix_select(root, slice_of(rows[i].selector));
        bool there = json_kind(v) != JSON_ABSENT;
        if (there != (rows[i].raw != NULL) || (there && !slice_eq(json_raw(v), slice_of(rows[i].raw))))
            fail_row(i, "%s", rows[i].selector);
    }
    arena_free(&a);
}

static void test_stix_selector__language(void **state)
{
    static const char object[] = "{\"name\":\"n\",\"labels\":[\"a\",\"b\"],\"goals\":[{\"x\":\"y\"}],\"confidence\":7,"
                                 "\"x_d\":{\"k\":\"v\",\"l\":\"w\"}}";
    static const struct {
        const char *contents, *place; /* NULL: good */
    } rows[] = {
        {"{\"de\":{\"name\":\"N\"},\"fr\":{\"labels\":[\"\",\"B\"]}}", NULL},
        {"{\"de\":{\"x_d\":{\"k\":\"V\"}}}", NULL},
        {"{\"de\":{\"goals\":[{\"x\":\"Y\"}]}}", NULL},
        {"{\"de\":{}}", NULL},
        {"{\"de\":{\"name\":\"N\",\"title\":\"T\"}}", "/contents/de/title"},
        {"{\"de\":{\"labels\":[\"A\"]}}", "/contents/de/labels"},
        {"{\"de\":{\"labels\":[\"A\",\"B\",\"C\"]}}", "/contents/de/labels"},
        {"{\"de\":{\"labels\":\"A\"}}", "/contents/de/labels"},
        {"{\"de\":{\"name\":[\"A\"]}}", "/contents/de/name"},
        {"{\"de\":{\"confidence\":8}}", "/contents/de/confidence"},
        {"{\"de\":{\"x_d\":{\"m\":\"V\"}}}", "/contents/de/x_d/m"},
        {"{\"de\":{\"goals\":[{\"z\":\"Y\"}]}}", "/contents/de/goals/0/z"},
        {"{\"de\":{\"labels\":[\"A\",7]}}", "/contents/de/labels/1"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct json content = parse(&a, arena_printf(&a, "{\"contents\":%s}", rows[i].contents).ptr);
        int result = stix_language_check(&a, content, parse(&a, object), &err);
        if ((result == 0) != (rows[i].place == NULL) || strcmp(err.place, result != 0 ? rows[i].place : "") != 0)
            fail_row(i, "%s: \"%s\" %s", rows[i].contents, err.place, err.text);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_selector__select),
        cmocka_unit_test(test_stix_selector__language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

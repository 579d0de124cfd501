#include "test.h"

#include "stix/stix.h"

#define UUID   "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define TIMES  "\"created\":\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\""
#define SDO(t) "{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" UUID "\"," TIMES
#define GREEN2 ",\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"
#define IND                                                                                                            \
    SDO("indicator")                                                                                                   \
    GREEN2 ",\"pattern\":\"[url:value = 'https://bad.example/']\",\"pattern_type\":\"stix\",\"valid_from\":"           \
           "\"2026-01-02T03:04:05Z\",\"indicator_types\":[\"malicious-activity\"]"
#define MAKER ",\"created_by_ref\":\"identity--" UUID "\""
#define IDENTITY                                                                                                       \
    SDO("identity") GREEN2 MAKER ",\"name\":\"n\",\"identity_class\":\"organization\",\"sectors\":[\"energy\"]"

static const struct stix_profile *profile_of(struct arena *a, const char *text)
{
    const struct stix_profile *p;
    struct err err = ERR_INIT;

    if (stix_profile_parse(a, "p.yaml", slice_of(text), &p, &err) != 0)
        fail_msg("%s: %s", err.place, err.text);
    return p;
}

static const struct stix_profile *builtin(struct arena *a, const char *name)
{
    struct slice text;

    assert_true(stix_profile_builtin(slice_of(name), &text));
    return profile_of(a, arena_copy(a, text).ptr);
}

struct row {
    const char *object;
    const char *rule;   /* of the first finding; "": none */
    enum err_code code; /* ERR_NONE: a warning, or a strip where `place` names no place */
    const char *place;
};

/* What the profile says first: an error, else a warning, else what it strips. */
static void rows_check(const char *name, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a = ARENA_INIT;
        const struct stix_profile *p = builtin(&a, name);
        struct json root;
        struct stix_object o;
        struct stix_report report = {.n = 0};
        const struct stix_strip *strips;
        size_t n_strips;
        assert_int_equal(json_parse(&a, slice_of(rows[i].object), &json_limits_default, &root, NULL), 0);
        assert_int_equal(stix_object_read(&a, root, &o, NULL), 0);
        uint32_t errors = stix_profile_check(&a, p, &o, &report, &strips, &n_strips);
        const struct stix_problem *first = report.n != 0 ? &report.problems[0] : NULL;
        struct slice rule = first != NULL ? first->rule : n_strips != 0 ? strips[0].rule : SLICE("");
        const char *place = first != NULL ? first->err.place : n_strips != 0 ? strips[0].property.ptr : "";
        enum err_code code = first != NULL && first->severity == STIX_ERROR ? first->err.code : ERR_NONE;
        if (!slice_eq(rule, slice_of(rows[i].rule)) || code != rows[i].code || errors != report.errors ||
            !slice_starts(slice_of(place), slice_of(rows[i].place)))
            fail_row(i, "%s: %.*s %s %s %s", rows[i].object, SLICE_ARG(rule), err_name(code), place,
                     first != NULL ? first->err.text : "");
        arena_free(&a);
    }
}

static void test_stix_profile__ais(void **state)
{
    static const struct row rows[] = {
        {IDENTITY ",\"labels\":[\"ais-consent-usg\",\"own\"]}", "", ERR_NONE, ""},
        {IDENTITY "}", "AIS-CONSENT", ERR_PROFILE, "/labels"},
        {IDENTITY ",\"labels\":[\"own\"]}", "AIS-CONSENT", ERR_PROFILE, "/labels"},
        {IDENTITY ",\"labels\":[\"ais-consent-usg\",\"ais-consent-none\"]}", "AIS-CONSENT", ERR_PROFILE, "/labels"},
        {SDO("identity") GREEN2
         ",\"created_by_ref\":\"identity--f431f809-377b-45e0-aa1c-6a4751cae5ff\",\"name\":\"v\"}",
         "", ERR_NONE, ""}, /* somebody's description of a victim */
        {SDO("identity") GREEN2 ",\"name\":\"n\",\"identity_class\":\"individual\",\"sectors\":[\"energy\"],"
                                "\"labels\":[\"ais-consent-none\"]}",
         "AIS-IDENTITY-CLASS", ERR_PROFILE, "/identity_class"},
        {SDO("location") GREEN2 ",\"country\":\"XA\",\"administrative_area\":\"XA-01\"}", "", ERR_NONE, ""},
        {SDO("location") GREEN2 ",\"country\":\"Xanadu\"}", "AIS-COUNTRY", ERR_PROFILE, "/country"},
        {SDO("location") GREEN2 ",\"country\":\"XA\",\"administrative_area\":\"01\"}", "AIS-AREA", ERR_PROFILE,
         "/administrative_area"},
        {IND "}", "", ERR_NONE, ""},
        {IND ",\"x_own\":1}", "AIS-CUSTOM", ERR_NONE, "x_own"},
        {SDO("tool") ",\"name\":\"t\"}", "AIS-MARKING", ERR_NONE, "/object_marking_refs"},
        {SDO("tool") ",\"name\":\"t\",\"object_marking_refs\":[\"marking-definition--5e57c739-391a-4eb3-b6be-"
                     "7d15ca92d5ed\"]}",
         "AIS-TLP-RED", ERR_PROFILE, "/object_marking_refs/0"},
        {"{\"type\":\"email-addr\",\"id\":\"email-addr--" UUID "\",\"value\":\"a@bad.example\",\"display_name\":\"A\"}",
         "AIS-PRIVACY-NAME", ERR_NONE, "display_name"},
        {SDO("x-own") "}", "AIS-TYPE", ERR_HELD_PROFILE, "/type"},
        {SDO("incident") ",\"name\":\"i\"}", "AIS-TYPE", ERR_HELD_PROFILE, "/type"},
    };

    rows_check("ais-2.0-observed", rows, ROWS(rows));
}

static void test_stix_profile__ctis(void **state)
{
#define GROUPING SDO("grouping") GREEN2 MAKER ",\"name\":\"n\",\"description\":\"d\""
    static const struct row rows[] = {
        {IND MAKER ",\"name\":\"n\",\"description\":\"d\",\"confidence\":100}", "", ERR_NONE, ""},
        {IND MAKER ",\"name\":\"n\",\"description\":\"d\"}", "CTIS-INDICATOR-CONFIDENCE", ERR_PROFILE, "/confidence"},
        {IND MAKER ",\"name\":\"n\",\"description\":\"\",\"confidence\":50}", "CTIS-INDICATOR-TEXT", ERR_PROFILE,
         "/description"},
        {IND ",\"name\":\"n\",\"description\":\"d\",\"confidence\":50}", "CTIS-INDICATOR-MAKER", ERR_PROFILE,
         "/created_by_ref"},
        {SDO("identity") ",\"name\":\"n\",\"identity_class\":\"group\"}", "CTIS-TLP", ERR_PROFILE,
         "/object_marking_refs"},
        {SDO("identity") GREEN2 ",\"name\":\"n\",\"identity_class\":\"club\"}", "CTIS-IDENTITY-CLASS", ERR_PROFILE,
         "/identity_class"},
        {GROUPING ",\"context\":\"unspecified\",\"object_refs\":[\"identity--" UUID "\",\"indicator--" UUID "\"]}", "",
         ERR_NONE, ""},
        {GROUPING ",\"context\":\"unspecified\",\"object_refs\":[\"identity--" UUID "\"]}", "CTIS-GROUPING-INDICATOR",
         ERR_PROFILE, "/object_refs"},
        {GROUPING ",\"context\":\"malware-analysis\",\"object_refs\":[\"indicator--" UUID "\"]}",
         "CTIS-GROUPING-CONTEXT", ERR_PROFILE, "/context"},
        {SDO("malware") GREEN2 ",\"is_family\":false}", "CTIS-TYPE", ERR_PROFILE, "/type"},
    };
#undef GROUPING

    rows_check("ctis", rows, ROWS(rows));
}

static void test_stix_profile__open(void **state)
{
    static const struct row rows[] = {
        {SDO("x-own") ",\"any\":1}", "", ERR_NONE, ""},
        {IND ",\"x_own\":1}", "", ERR_NONE, ""},
    };
    struct slice text;

    rows_check("open", rows, ROWS(rows));
    assert_slice(stix_profile_builtin_name(0), "open");
    assert_null(stix_profile_builtin_name(3).ptr);
    assert_false(stix_profile_builtin(SLICE("none"), &text));
}

#define RULE(text) "profile: p\nrules:\n  - {code: C, properties: [name], " text "}\n"

static void test_stix_profile__files(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: read */
    } rows[] = {
        {"profile: p\n", NULL},
        {RULE("need: required"), NULL},
        {RULE("types: [tool, custom], max: 2.5"), NULL},
        {"rules: []\n", "\"profile\" must be given"},
        {"profile: \"\"\n", "1 to 64 characters"},
        {"profile: p\nrules:\n  - {properties: [name]}\n", "\"code\" must be given"},
        {"profile: p\nrules:\n  - {code: C}\n", "\"properties\" must be given"},
        {"profile: p\nrules: [x]\n", "rules: expected a list of maps"},
        {"profile: p\nrules: x\n", "rules: expected a list of maps, found one value"},
        {"profile: p\nrules:\n  - {code: C, properties: [name], own: 1}\n", "\"own\" is not a setting"},
        {"profile: p\nrules:\n  - {code: C, code: D, properties: [name]}\n", "\"code\" stands twice"},
        {RULE("need: wanted"), "need is required, optional, prohibited or strip, found \"wanted\""},
        {RULE("outcome: shout"), "outcome is refuse, hold or warn"},
        {RULE("form: round"), "form is country or subdivision"},
        {RULE("privacy: E"), "privacy is A, B, C or D"},
        {RULE("when: never"), "when is submitter"},
        {RULE("min: few"), "min is a number"},
        {RULE("types: [gadget]"), "types are STIX 2.1 types"},
        {"profile: p\nrules:\n  - {code: C, properties: [custom], need: required}\n", "prohibited or stripped"},
        {"profile: p\ntypes: [gadget]\n", "\"gadget\" is no STIX 2.1 type"},
        {"profile: p\ntypes_outcome: warn\n", "types_outcome is refuse or hold"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        const struct stix_profile *p;
        struct err err = ERR_INIT;
        bool read = stix_profile_parse(&a, "p.yaml", slice_of(rows[i].text), &p, &err) == 0;
        if (read != (rows[i].says == NULL) || (!read && strstr(err.text, rows[i].says) == NULL) ||
            (!read && !slice_starts(slice_of(err.place), SLICE("p.yaml"))))
            fail_row(i, "%s %s", err.place, err.text);
        arena_free(&a);
    }
}

static void test_stix_profile__size(void **state)
{
    struct arena a = ARENA_INIT;
    const struct stix_profile *p;
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;

    buf_put(&text, SLICE("profile: p\n#"));
    while (text.len <= STIX_PROFILE_MAX)
        buf_put_byte(&text, '.');
    assert_int_equal(stix_profile_parse(&a, "p.yaml", buf_slice(&text), &p, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    text.len = STIX_PROFILE_MAX;
    assert_int_equal(stix_profile_parse(&a, "p.yaml", buf_slice(&text), &p, &err), 0);
    assert_slice(stix_profile_name(p), "p");
    buf_free(&text);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_profile__ais),  cmocka_unit_test(test_stix_profile__ctis),
        cmocka_unit_test(test_stix_profile__open), cmocka_unit_test(test_stix_profile__files),
        cmocka_unit_test(test_stix_profile__size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

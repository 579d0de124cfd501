#include "share_test.h"

#define DEF           "marking-definition--"
#define CLEAR2        "\"" DEF "94868c89-83c2-464b-929b-a1a8aa3c8487\""
#define GREEN2        "\"" DEF "bab4a63c-aed9-4cf5-a766-dfca5abac2bb\""
#define AMBER2        "\"" DEF "55d920b0-5e8b-4f79-9ee9-91f868d9b421\""
#define STRICT2       "\"" DEF "939a9414-2ddd-4d32-a0cd-375ea402b003\""
#define RED2          "\"" DEF "e828b379-4e03-4974-9ac4-e53a884c97c1\""
#define WHITE1        "\"" DEF "613f2e26-407d-48c7-9eca-b8e91df99dc9\""
#define GREEN1        "\"" DEF "34098fce-860f-48ae-8e50-ebd3cc5e41da\""
#define AMBER1        "\"" DEF "f88d31f6-486f-44da-b317-01333bde0b82\""
#define RED1          "\"" DEF "5e57c739-391a-4eb3-b6be-7d15ca92d5ed\""
#define STATEMENT     "\"" DEF "00000000-0000-4000-8000-000000000001\""
#define ACS           "\"" DEF "00000000-0000-4000-8000-000000000002\""
#define PAP           "\"" DEF "00000000-0000-4000-8000-000000000003\""
#define ODD           "\"" DEF "00000000-0000-4000-8000-000000000004\""
#define BOTH          "\"" DEF "00000000-0000-4000-8000-000000000005\""
#define MIXED         "\"" DEF "00000000-0000-4000-8000-000000000006\""
#define ABSENT        "\"" DEF "00000000-0000-4000-8000-0000000000ff\""
#define TLP2_KEY      "\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\""
#define ACS_KEY       "\"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce\""
#define PAP_KEY       "\"extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b\""
#define MARK          "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":"
#define STATEMENT_DEF "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"Copyright\"}"
#define INDICATOR     "{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-8000-00000000aaaa\""
#define MARKED(refs)  INDICATOR ",\"object_marking_refs\":[" refs "]}"
#define TLP1(id, tlp) MARK id ",\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"" tlp "\"}"
#define TLP2(id, tlp)                                                                                                  \
    MARK id ",\"extensions\":{" TLP2_KEY ":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"" tlp "\"}}"

/* clang-format off */
static const char envelope[] = "["                                               /* what stands beside the object */
    MARK STATEMENT "," STATEMENT_DEF "},"
    MARK ACS ",\"extensions\":{" ACS_KEY ":{\"identifier\":\"x\"}}},"
    MARK PAP ",\"extensions\":{" PAP_KEY ":{\"pap\":\"red\"}}},"
    MARK ODD ",\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"green\"}},"
    MARK BOTH "," STATEMENT_DEF ",\"extensions\":{" ACS_KEY ":{}}},"
    MARK MIXED "," STATEMENT_DEF "},"
    MARK MIXED ",\"definition_type\":\"x-ours\"},"
    TLP2(GREEN2, "green") ",\"name\":\"TLP:GREEN\"},"
    TLP1(RED1, "white") "},"
    TLP1(WHITE1, "clear") ",\"name\":\"TLP:CLEAR\"},"
    "{\"type\":7},7]";
/* clang-format on */

enum { D = 1 << 8, NONE = 0 }; /* D: the default was taken */
#define B(level) (1u << SHARE_##level)

static const struct {
    const char *object;
    uint32_t tlp; /* 0: held */
    enum err_code code;
    const char *place, *says;
} rows[] = {
    {MARKED(CLEAR2), B(CLEAR)},
    {MARKED(GREEN2), B(GREEN)},
    {MARKED(AMBER2), B(AMBER)},
    {MARKED(STRICT2), B(STRICT)},
    {MARKED(RED2), B(RED)},
    {MARKED(WHITE1), B(CLEAR)}, /* the envelope calls it "clear", as OpenCTI does: the same level */
    {MARKED(GREEN1), B(GREEN)},
    {MARKED(AMBER1), B(STRICT)}, /* TLP 1 knew no STRICT: the narrower reading */
    {MARKED(GREEN2 "," AMBER2 "," GREEN1), B(GREEN) | B(AMBER)},
    {MARKED(STATEMENT "," GREEN2), B(GREEN)},
    /* unmarked: the default, which is GREEN here */
    {INDICATOR "}", B(GREEN) | D},
    {MARKED(""), B(GREEN) | D},
    {MARKED(STATEMENT), B(GREEN) | D},
    {INDICATOR ",\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"name\"]}]}", B(GREEN) | D},
    {"{\"type\":\"report\",\"id\":\"r\",\"object_refs\":[" RED2 "]}", B(GREEN) | D}, /* listed, not marked */
    /* every granular marking counts for the whole */
    {INDICATOR ",\"object_marking_refs\":[" GREEN2 "],\"granular_markings\":[{\"marking_ref\":" AMBER2
               ",\"selectors\":[\"name\"]},{\"marking_ref\":" RED2 ",\"selectors\":[\"pattern\"]}]}",
     B(GREEN) | B(AMBER) | B(RED)},
    {"{\"type\":\"observed-data\",\"id\":\"o\",\"objects\":{\"0\":{\"type\":\"file\",\"object_marking_refs\":[" RED2
     "]}},\"object_marking_refs\":[" GREEN2 "]}",
     B(GREEN) | B(RED)},
    {"{\"type\":\"indicator\",\"id\":\"i\",\"object\\u005fmarking_refs\":[" RED2 "]}", B(RED)},
    {"{\"type\":\"indicator\",\"id\":\"i\",\"object_marking_refs\":[\"marking-definition--e828b379-4e03-4974-9ac4-"
     "e53a884c97c\\u0031\"]}",
     B(RED)},
    /* held, and it is said which marking */
    {MARKED(GREEN2 "," ABSENT), NONE, ERR_HELD_MARKING, "/object_marking_refs/1", "000000ff is not known"},
    {MARKED(ACS "," GREEN2), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "ACS 3.0"},
    {MARKED(PAP), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "PAP"},
    {MARKED(ODD), NONE, ERR_HELD_MARKING, "/object_marking_refs/0",
     "\"tlp\""}, /* GREEN under an id that is not GREEN's */
    {MARKED(BOTH), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "ACS 3.0"},
    {MARKED(MIXED), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "x-ours"}, /* two definitions under one id */
    {MARKED(RED1), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "contradict"},
    {MARKED("\"MARKING-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\""), NONE, ERR_HELD_MARKING,
     "/object_marking_refs/0", "not known"},
    {MARKED("\"\""), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "not known"},
    {MARKED("null"), NONE, ERR_HELD_MARKING, "/object_marking_refs/0", "cannot be read"},
    {INDICATOR ",\"object_marking_refs\":" GREEN2 "}", NONE, ERR_HELD_MARKING, "/object_marking_refs",
     "cannot be read"},
    {INDICATOR ",\"object_marking_refs\":null}", NONE, ERR_HELD_MARKING, "/object_marking_refs", "cannot be read"},
    {INDICATOR ",\"granular_markings\":{}}", NONE, ERR_HELD_MARKING, "/granular_markings", "cannot be read"},
    {INDICATOR ",\"granular_markings\":[{\"selectors\":[\"name\"]}]}", NONE, ERR_HELD_MARKING, "/granular_markings/0",
     "cannot be read"},
    {INDICATOR ",\"granular_markings\":[7]}", NONE, ERR_HELD_MARKING, "/granular_markings/0", "cannot be read"},
    {INDICATOR ",\"granular_markings\":[{\"lang\":\"en\"},{\"marking_ref\":" ABSENT "}]}", NONE, ERR_HELD_MARKING,
     "/granular_markings/1/marking_ref", "not known"},
    {"{\"type\":\"x-a\",\"id\":\"x\",\"x_b\":[{\"marking_ref\":[]}]}", NONE, ERR_HELD_MARKING, "/x_b/0/marking_ref",
     "cannot be read"},
    /* marking definitions themselves: the published ones are public, and only they */
    {TLP1(AMBER1, "amber") "}", B(CLEAR)},
    {TLP1(AMBER1, "amber") ",\"name\":\"TLP:AMBER\",\"created\":\"2017-01-20T00:00:00.000Z\"}", B(CLEAR)},
    {TLP2(STRICT2, "amber+strict") ",\"name\":\"TLP:AMBER+STRICT\"}", B(CLEAR)},
    {TLP2(RED2, "red") ",\"description\":\"ours\"}", B(GREEN) | D},
    {TLP2(RED2, "red") ",\"description\":\"ours\",\"object_marking_refs\":[" RED2 "]}", B(RED)},
    {MARK STATEMENT "," STATEMENT_DEF "}", B(GREEN) | D},
    {MARK STATEMENT "," STATEMENT_DEF ",\"object_marking_refs\":[" CLEAR2 "]}", B(CLEAR)},
    {TLP2(RED2, "clear") "}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {TLP2(GREEN2, "green") ",\"name\":\"TLP:RED\"}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {TLP2(GREEN2, "green") ",\"name\":7}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {TLP2(GREEN2, "green") ",\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"red\"}}", NONE, ERR_HELD_MARKING,
     "/id", "contradict"},
    {TLP1(GREEN2, "green") "}", NONE, ERR_HELD_MARKING, "/id", "contradict"}, /* TLP 2's id in TLP 1's form */
    {TLP1(GREEN1, "amber") "}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {TLP1(GREEN1, "green") ",\"extensions\":{" ACS_KEY ":{}}}", NONE, ERR_HELD_MARKING, "/id", "ACS 3.0"},
    {MARK RED2 "}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {MARK RED1 "}", NONE, ERR_HELD_MARKING, "/id", "contradict"},
    {MARK ACS ",\"extensions\":{" ACS_KEY ":{}},\"object_marking_refs\":[" CLEAR2 "]}", NONE, ERR_HELD_MARKING, "/id",
     "ACS 3.0"},
    {MARK ODD ",\"definition_type\":\"statement\"}", NONE, ERR_HELD_MARKING, "/id", "statement"},
};

static void check_row(size_t i, const struct share_context *context)
{
    struct arena a = ARENA_INIT;
    struct stix_object o = test_object(&a, rows[i].object);
    struct share_facts f = {0};
    struct err err = ERR_INIT;
    bool defaulted = false;
    int rc = share_facts_read(&a, &o, context, &f, &defaulted, &err);

    if (err.code != rows[i].code || (rc != 0) != (rows[i].tlp == NONE))
        fail_row(i, "%d %s %s: %s", rc, err_name(err.code), err.place, err.text);
    if (rc == 0 && (f.tlp | (defaulted ? D : 0)) != rows[i].tlp)
        fail_row(i, "levels %x%s", f.tlp, defaulted ? " by default" : "");
    if (rc != 0 && (strcmp(err.place, rows[i].place) != 0 || strstr(err.text, rows[i].says) == NULL))
        fail_row(i, "%s: %s", err.place, err.text);
    arena_free(&a);
}

static void test_share_marking__rows(void **state)
{
    struct arena a = ARENA_INIT;
    struct share_context context = {.collection = SLICE_INIT("c"),
                                    .has_default = true,
                                    .default_tlp = SHARE_GREEN,
                                    .strict_amber1 = true,
                                    .objects = test_json(&a, envelope)};

    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(i, &context);
    context.definitions = share_definitions_read(&a, context.objects);
    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(i, &context);
    arena_free(&a);
}

static void test_share_marking__no_default_holds(void **state)
{
    static const char *const unmarked[] = {INDICATOR "}", MARKED(""), MARKED(STATEMENT)};
    struct arena a = ARENA_INIT;
    struct share_context context = {.objects = test_json(&a, envelope)};

    for (size_t i = 0; i < ROWS(unmarked); i++) {
        struct stix_object o = test_object(&a, unmarked[i]);
        struct share_facts f;
        struct err err = ERR_INIT;
        bool defaulted;
        assert_int_equal(share_facts_read(&a, &o, &context, &f, &defaulted, &err), -1);
        assert_int_equal(err.code, ERR_HELD_UNMARKED);
    }
    arena_free(&a);
}

static void test_share_marking__facts_of_the_submission(void **state)
{
    struct arena a = ARENA_INIT;
    struct share_context context = {.collection = SLICE_INIT("c"),
                                    .origin = SLICE_INIT("h1"),
                                    .path = SLICE_INIT("h1,h2"),
                                    .agreement = SLICE_INIT("ag"),
                                    .onward = true};
    struct stix_object o = test_object(&a, MARKED(AMBER1));
    struct share_facts f;
    struct err err = ERR_INIT;
    bool defaulted = true;

    assert_int_equal(share_facts_read(&a, &o, &context, &f, &defaulted, &err), 0);
    assert_slice(f.collection, "c");
    assert_slice(f.type, "indicator");
    assert_slice(f.origin, "h1");
    assert_slice(f.path, "h1,h2");
    assert_slice(f.agreement, "ag");
    assert_true(f.onward && !f.attribution && !f.own_only && !defaulted && f.organisations == 0);
    assert_int_equal(f.tlp, B(AMBER)); /* agreed otherwise: strict_amber1 is off */
    arena_free(&a);
}

/* The place is below the object, wherever it stands in the envelope. */
static void test_share_marking__place_below_the_object(void **state)
{
    struct arena a = ARENA_INIT;
    struct json root = test_json(&a, "{\"objects\":[1," MARKED(GREEN2 "," ABSENT) "]}");
    struct share_context context = {.objects = json_get(root, SLICE("objects"))};
    struct stix_object o = test_object_of(&a, json_next(json_first(context.objects)));
    struct share_facts f;
    struct err err = ERR_INIT;
    bool defaulted;

    assert_int_equal(share_facts_read(&a, &o, &context, &f, &defaulted, &err), -1);
    assert_string_equal(err.place, "/object_marking_refs/1");
    arena_free(&a);
}

static void test_share_marking__tlp_words(void **state)
{
    static const struct {
        const char *word;
        int level; /* -1: no level */
    } words[] = {{"TLP:CLEAR", SHARE_CLEAR},
                 {"white", SHARE_CLEAR},
                 {"tlp:Green", SHARE_GREEN},
                 {"amber", SHARE_AMBER},
                 {"Amber+Strict", SHARE_STRICT},
                 {"TLP:AMBER+STRICT", SHARE_STRICT},
                 {"red", SHARE_RED},
                 {"", -1},
                 {"TLP:", -1},
                 {"TLP:TLP:RED", -1},
                 {"amber strict", -1},
                 {"redd", -1},
                 {" red", -1}};

    for (size_t i = 0; i < ROWS(words); i++) {
        enum share_tlp level = SHARE_TLP_LEVELS;
        bool is = share_tlp_parse(slice_of(words[i].word), &level);
        if (is != (words[i].level >= 0) || (is && (int)level != words[i].level))
            fail_row(i, "%s", words[i].word);
    }
    for (int level = 0; level < SHARE_TLP_LEVELS; level++) {
        enum share_tlp back = SHARE_TLP_LEVELS;
        assert_true(share_tlp_parse(share_tlp_name((enum share_tlp)level), &back) && (int)back == level);
        assert_true(share_is_tlp_definition(share_tlp_id((enum share_tlp)level)));
    }
    assert_slice(share_tlp_id(SHARE_STRICT), "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003");
    assert_false(share_is_tlp_definition(SLICE("marking-definition--00000000-0000-4000-8000-000000000001")));
}

/* Nobody reads more by the TLP 1 id than by that of TLP 2: where TLP 1 has no such level, both are to stand. */
static void test_share_marking__tlp1_instead(void **state)
{
    bool beside = true;

    for (int level = 0; level < SHARE_TLP_LEVELS; level++) {
        struct slice id = share_tlp_id((enum share_tlp)level), one = share_tlp1_instead(id, &beside);
        assert_true(one.ptr != NULL && share_is_tlp_definition(one) && !slice_eq(one, id));
        assert_int_equal(beside, level == SHARE_STRICT);
        assert_null(share_tlp1_instead(one, &beside).ptr); /* of TLP 1 itself */
        assert_false(beside);
    }
    assert_null(share_tlp1_instead(SLICE("marking-definition--00000000-0000-4000-8000-000000000001"), &beside).ptr);
}

#define IDENTITY(labels) "{\"type\":\"identity\",\"id\":\"identity--1\",\"labels\":" labels "}"

static const struct {
    const char *identity;
    bool found;
    int consent; /* -1: held */
} consent_rows[] = {
    {"{\"type\":\"identity\",\"id\":\"i\"}", false, SHARE_CONSENT_NONE},
    {IDENTITY("[]"), false, SHARE_CONSENT_NONE},
    {IDENTITY("[\"elevated\",\"cisa-proprietary-false\"]"), false, SHARE_CONSENT_NONE},
    {IDENTITY("[\"ais-consent-none\"]"), true, SHARE_CONSENT_NONE},
    {IDENTITY("[\"x\",\"ais-consent-usg\",\"y\"]"), true, SHARE_CONSENT_GOVERNMENT},
    {IDENTITY("[\"AIS-Consent-Everyone\"]"), true, SHARE_CONSENT_EVERYONE},
    {IDENTITY("[\"ais-consent-everyone-cisa-proprietary\"]"), true, SHARE_CONSENT_PROPRIETARY},
    {IDENTITY("[\"ais-consent-usg\",\"ais-consent-usg\"]"), true, SHARE_CONSENT_GOVERNMENT},
    {IDENTITY("[\"ais-consent-\\u006eone\"]"), true, SHARE_CONSENT_NONE},
    {IDENTITY("[\"ais-consent-none\",\"ais-consent-everyone\"]"), true, -1},
    {IDENTITY("[\"ais-consent-everyone\",\"ais-consent-none\",\"ais-consent-everyone\"]"), true, -1},
    {IDENTITY("[\"ais-consent-usg-cisa-proprietary\"]"), true, -1}, /* proprietary goes with everyone alone */
    {IDENTITY("[\"ais-consent-everyone\",\"ais-consent-later\"]"), true, -1},
    {IDENTITY("\"ais-consent-none\""), false, -1},
    {IDENTITY("null"), false, -1},
    {IDENTITY("[7]"), false, -1},
};

static void test_share_marking__consent(void **state)
{
    for (size_t i = 0; i < ROWS(consent_rows); i++) {
        struct arena a = ARENA_INIT;
        struct stix_object o = test_object(&a, consent_rows[i].identity);
        enum share_consent consent = SHARE_CONSENT_NONE;
        bool found = false;
        struct err err = ERR_INIT;
        int rc = share_consent_read(&o, &consent, &found, &err);
        if ((rc != 0) != (consent_rows[i].consent < 0) || (rc != 0) != (err.code == ERR_HELD_CONSENT))
            fail_row(i, "%d %s", rc, err.text);
        if (rc == 0 && (found != consent_rows[i].found || (int)consent != consent_rows[i].consent))
            fail_row(i, "%d %d", found, (int)consent);
        arena_free(&a);
    }
}

/* OASIS's own ACS examples: each object that carries one is held, and the marking is named. */
static void test_share_marking__acs_examples(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    uint32_t held = 0;

    if (shared == NULL) {
        leave_out("TOCSIN_SHARED is not set");
    }
    for (int n = 1; n <= 5; n++) {
        struct arena a = ARENA_INIT;
        struct slice text;
        struct err err = ERR_INIT;
        char path[400];
        snprintf(path, sizeof path, "%s/data/stix/oasis-acs-markings/acs-spec-use-case-%d.json", shared, n);
        if (file_read(&a, path, 1 << 20, &text, &err) != 0) {
            arena_free(&a);
            leave_out("%s", err.text);
        }
        struct json root;
        assert_int_equal(json_parse(&a, text, &json_limits_default, &root, &err), 0);
        struct share_context context = {
            .has_default = true, .default_tlp = SHARE_CLEAR, .objects = json_get(root, SLICE("objects"))};
        json_each (v, context.objects) {
            struct stix_object o = test_object_of(&a, v);
            struct share_facts f;
            bool defaulted, marked = slice_eq(o.type, SLICE("marking-definition")) ||
                                     json_kind(json_get(v, SLICE("object_marking_refs"))) == JSON_ARRAY;
            err = (struct err)ERR_INIT;
            assert_int_equal(share_facts_read(&a, &o, &context, &f, &defaulted, &err), marked ? -1 : 0);
            assert_true(!marked || strstr(err.text, "ACS 3.0") != NULL);
            held += marked;
        }
        arena_free(&a);
    }
    assert_int_equal(held, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_marking__rows),
        cmocka_unit_test(test_share_marking__no_default_holds),
        cmocka_unit_test(test_share_marking__facts_of_the_submission),
        cmocka_unit_test(test_share_marking__place_below_the_object),
        cmocka_unit_test(test_share_marking__tlp_words),
        cmocka_unit_test(test_share_marking__tlp1_instead),
        cmocka_unit_test(test_share_marking__consent),
        cmocka_unit_test(test_share_marking__acs_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

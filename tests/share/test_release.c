#include "release_test.h"

#define U(n)     "00000000-0000-4000-8000-0000000000" n
#define V5       "11111111-1111-5111-8111-111111111111"
#define IND      "indicator--" U("a1")
#define MAL      "malware--" U("a2")
#define WHO      "identity--" U("aa")
#define MITRE    "attack-pattern--f0f0f0f0-0000-4000-8000-0000000000a3"
#define ADDR     "ipv4-addr--" V5
#define ADDR4    "ipv4-addr--" U("a4")
#define HEAD     "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\""
#define IN       HEAD IND "\","
#define OUT      HEAD "~" IND "\","
#define BY_WHO   "\"created_by_ref\":\"" WHO "\","
#define BY_COVER "\"created_by_ref\":\"" COVER "\","
#define WHEN     "\"created\":\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678901Z\","
#define EPOCH    "\"created\":\"" INSTANT "\",\"modified\":\"" INSTANT "\","
#define BODY                                                                                                           \
    "\"pattern\":\"[ipv4-addr:value = "                                                                                \
    "'192.0.2.7']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T03:04:05Z\""
#define INDIC IN WHEN BODY
#define UNTIL "\"valid_until\":\"2027-01-01T00:00:00Z\""
#define GREEN "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define SAID  "marking-definition--" U("dd")

enum { NOTHING = 0, MARK = 1, EXPIRY = 2, LAPSE = 4 };

static const struct row {
    int what;
    const char *object, *release; /* NULL: held */
    uint32_t withheld;
    const char *place; /* of what holds */
} rows[] = {
    /* who and when */
    {NOTHING, IN BY_WHO WHEN BODY "," UNTIL "}", OUT BY_COVER EPOCH BODY "," UNTIL "}"},
    {NOTHING, IN WHEN BODY "}", OUT EPOCH BODY ",\"created_by_ref\":\"" COVER "\"}"},
    {NOTHING, IN "\"created_by_ref\":\"identity--f0f0f0f0-0000-4000-8000-000000000000\"," WHEN BODY "}",
     OUT BY_COVER EPOCH BODY "}"},
    {NOTHING, "{\"id\":\"" MAL "\",\"type\":\"malware\",\"is_family\":true}",
     "{\"id\":\"~" MAL "\",\"type\":\"malware\",\"is_family\":true,\"created\":\"" INSTANT "\",\"modified\":\"" INSTANT
     "\",\"created_by_ref\":\"" COVER "\"}"},
    /* byte for byte: blanks, order, numbers, escapes, null, what nobody knows */
    {NOTHING,
     "{ \"id\" :\t\"" IND
     "\" ,\n \"x_big\" : 18446744073709551616, \"type\":\"indicator\"\n, \"x_real\": 1.50,\"x_e\":1E+2 , " WHEN BY_WHO
         BODY ",\"x_null\":null,\"name\":\"\\u00e9\\/\\ud83d\\ude00 \\\"\",\"x_deep\":[{\"a\":[ ]},{ }, -0.0]\n} ",
     "{ \"id\" :\t\"~" IND
     "\" ,\n \"x_big\" : 18446744073709551616, \"type\":\"indicator\"\n, \"x_real\": 1.50,\"x_e\":1E+2 , " EPOCH
         BY_COVER BODY
     ",\"x_null\":null,\"name\":\"\\u00e9\\/\\ud83d\\ude00 \\\"\",\"x_deep\":[{\"a\":[ ]},{ }, -0.0]\n}"},
    /* defaults */
    {MARK | EXPIRY, IN BY_WHO WHEN BODY "}",
     OUT BY_COVER EPOCH BODY ",\"object_marking_refs\":[\"" GREEN "\"],\"valid_until\":\"" INSTANT "\"}"},
    {MARK | EXPIRY, IN BY_WHO WHEN BODY "," UNTIL " , \"object_marking_refs\" : [ ] }",
     OUT BY_COVER EPOCH BODY "," UNTIL " , \"object_marking_refs\" : [\"" GREEN "\"] }"},
    {MARK, IN BY_WHO WHEN BODY ",\"object_marking_refs\":[\"" SAID "\" ]}",
     OUT BY_COVER EPOCH BODY ",\"object_marking_refs\":[\"" SAID "\" ,\"" GREEN "\"]}"},
    {EXPIRY, IN BY_WHO WHEN BODY ",\"valid_until\":\"\"}", OUT BY_COVER EPOCH BODY ",\"valid_until\":\"" INSTANT "\"}"},
    {EXPIRY, IN BY_WHO WHEN BODY ",\"valid_until\":null}", OUT BY_COVER EPOCH BODY ",\"valid_until\":\"" INSTANT "\"}"},
    {EXPIRY | LAPSE, IN BY_WHO WHEN BODY "}", OUT BY_COVER EPOCH BODY "}"},
    {EXPIRY | LAPSE, IN BY_WHO WHEN BODY "," UNTIL "}", OUT BY_COVER EPOCH BODY "," UNTIL "}"},
    {EXPIRY, "{\"type\":\"malware\",\"id\":\"" MAL "\"," WHEN BY_WHO "\"is_family\":false}",
     "{\"type\":\"malware\",\"id\":\"~" MAL "\"," EPOCH BY_COVER "\"is_family\":false}"},
    /* which ids are the submitter's */
    {NOTHING,
     "{\"type\":\"report\",\"id\":\"report--" V5 "\"," WHEN BY_WHO "\"object_refs\":[\"" IND "\",\"" MITRE "\",\"" ADDR
     "\",\"" ADDR4 "\",\"" SAID "\",\"" WHO "\"],\"name\":\"r\",\"published\":\"2026-01-02T03:04:05Z\"}",
     "{\"type\":\"report\",\"id\":\"~report--" V5 "\"," EPOCH BY_COVER "\"object_refs\":[\"~" IND "\",\"" MITRE
     "\",\"" ADDR "\",\"~" ADDR4 "\",\"" SAID "\",\"~" WHO
     "\"],\"name\":\"r\",\"published\":\"2026-01-02T03:04:05Z\"}"},
    {MARK,
     "{\"type\":\"ipv4-addr\",\"id\":\"" ADDR
     "\",\"value\":\"192.0.2.7\",\"resolves_to_refs\":[\"mac-addr--" U("a5") "\"]}",
     "{\"type\":\"ipv4-addr\",\"id\":\"" ADDR
     "\",\"value\":\"192.0.2.7\",\"resolves_to_refs\":[\"~mac-addr--" U("a5") "\"]}"},
    {MARK, "{\"type\":\"ipv4-addr\",\"id\":\"" ADDR4 "\",\"value\":\"192.0.2.7\"}",
     "{\"type\":\"ipv4-addr\",\"id\":\"~" ADDR4 "\",\"value\":\"192.0.2.7\",\"object_marking_refs\":[\"" GREEN "\"]}"},
    {MARK, "{\"type\":\"attack-pattern\",\"id\":\"" MITRE "\"," WHEN "\"name\":\"T1\"}",
     "{\"type\":\"attack-pattern\",\"id\":\"" MITRE "\"," WHEN "\"name\":\"T1\"}"},
    {MARK, "{\"type\":\"marking-definition\",\"id\":\"" SAID "\"," BY_WHO "\"definition_type\":\"statement\"}",
     "{\"type\":\"marking-definition\",\"id\":\"" SAID "\"," BY_COVER "\"definition_type\":\"statement\"}"},
    {NOTHING, "{\"type\":\"x-a\",\"id\":\"x-a--" U("01") "\",\"b_ref\":\"" IND "\",\"c\":{\"d_refs\":[\"" MAL "\"]}}",
     "{\"type\":\"x-a\",\"id\":\"~x-a--" U("01") "\",\"b_ref\":\"~" IND "\",\"c\":{\"d_refs\":[\"~" MAL "\"]}}"},
    {NOTHING, "{\"type\":\"x-a\",\"id\":\"x-a--" U("01") "\"," WHEN "\"b\":1}",
     "{\"type\":\"x-a\",\"id\":\"~x-a--" U("01") "\"," EPOCH "\"b\":1,\"created_by_ref\":\"" COVER "\"}"},
    {NOTHING,
     "{\"type\":\"language-content\",\"id\":\"language-content--" U(
         "01") "\"," WHEN BY_WHO "\"object_ref\":\"" IND
               "\",\"object_modified\":\"2026-01-01T00:00:00Z\",\"contents\":{\"de\":{\"name\":\"x\"}}}",
     "{\"type\":\"language-content\",\"id\":\"~language-content--" U(
         "01") "\"," EPOCH BY_COVER "\"object_ref\":\"~" IND "\",\"contents\":{\"de\":{\"name\":\"x\"}}}"},
    /* ids inside text */
    {NOTHING,
     INDIC ",\"description\":\"see " MAL ", (" IND ") and\\n\\\"" MITRE "\\\" " ADDR ".\",\"x_b\":[\"<" WHO
           ">\"]," BY_WHO UNTIL "}",
     OUT EPOCH BODY ",\"description\":\"see ~" MAL ", (~" IND ") and\\n\\\"" MITRE "\\\" " ADDR ".\",\"x_b\":[\"<~" WHO
                    ">\"]," BY_COVER UNTIL "}"},
    {NOTHING, INDIC ",\"description\":\"malware--00000000-0000-4000-8000-0000000000A2\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY ",\"description\":\"~" MAL "\"," BY_COVER UNTIL "}"},
    {NOTHING, INDIC ",\"description\":\"no {3f2504e0-4f89-41d3-9a0c-0305e82c3301} of ours\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY ",\"description\":\"no {3f2504e0-4f89-41d3-9a0c-0305e82c3301} of ours\"," BY_COVER UNTIL "}"},
    {NOTHING, INDIC ",\"description\":\"https://misp.example/" U("A1") "/view\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 1},
    {NOTHING, INDIC ",\"x_map\":{\"" IND "\":1}," BY_WHO UNTIL "}", OUT EPOCH BODY "," BY_COVER UNTIL "}", 1},
    /* what names the submitter: "Gotham National Bank", "gotham.example", "אבגד", "Śląsk" */
    {NOTHING, INDIC ",\"description\":\"seen at GOTHAM national-bank\",\"name\":\"n\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY ",\"name\":\"n\"," BY_COVER UNTIL "}", 1},
    {NOTHING,
     INDIC ",\"description\":\"GothamNationalBank_1\",\"name\":\"a mail to "
           "ceo@gotham.example\",\"labels\":[\"x\",\"gotham[.]example\"]," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 3},
    {NOTHING, INDIC ",\"description\":\"\\u0047otham%20National+Bank\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 1},
    {NOTHING,
     INDIC ",\"external_references\":[{\"source_name\":\"x\",\"url\":\"https://wiki.gotham.example/1\"}]," BY_WHO UNTIL
           "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 1},
    {NOTHING, INDIC ",\"name\":\"באבגד\",\"description\":\"śLĄSK\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 2},
    {NOTHING, INDIC ",\"x_b\":{\"GOTHAM.example\":1},\"name\":\"gotham\\\\.example\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 2},
    {NOTHING, INDIC ",\"x_gotham_example_score\":3,\"x_b\":{\"x_Gotham.Example\":[]}," BY_WHO UNTIL "}",
     OUT EPOCH BODY "," BY_COVER UNTIL "}", 2},
    {NOTHING, INDIC ",\"name\":\"gotham.examples, xgotham.example, gotham\",\"description\":\"ab\"," BY_WHO UNTIL "}",
     OUT EPOCH BODY ",\"name\":\"gotham.examples, xgotham.example, gotham\",\"description\":\"ab\"," BY_COVER UNTIL
                    "}"},
    {NOTHING,
     IN WHEN "\"pattern\":\"[domain-name:value = "
             "'vpn.gotham.example']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T03:04:05Z\"}",
     NULL, 0, "/pattern"},
    {NOTHING,
     "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" U("01") "\"," WHEN
                                                                           "\"name\":\"gotham.example kit\"}",
     NULL, 0, "/name"},
    {NOTHING,
     "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" WHO "\"," WHEN BY_WHO
     "\"name\":\"somebody\",\"contact_information\":\"soc@gotham.example\"}",
     "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"~" WHO "\"," EPOCH BY_COVER "\"name\":\"somebody\"}"},
    {NOTHING, "{\"type\":\"identity\",\"id\":\"" WHO "\"," WHEN "\"name\":\"Gotham National Bank\"}", NULL, 0, "/name"},
    {NOTHING, "{\"type\":\"domain-name\",\"id\":\"domain-name--" V5 "\",\"value\":\"gotham.example\"}", NULL, 0,
     "/value"},
    {NOTHING,
     "{\"type\":\"email-addr\",\"id\":\"email-addr--" V5
     "\",\"value\":\"a@b.example\",\"display_name\":\"Gotham National Bank\"}",
     NULL, 0, "/display_name"},
    {NOTHING,
     "{\"type\":\"email-addr\",\"id\":\"email-addr--" U(
         "01") "\",\"value\":\"a@b.example\",\"display_name\":\"Gotham National Bank\"}",
     "{\"type\":\"email-addr\",\"id\":\"~email-addr--" U("01") "\",\"value\":\"a@b.example\"}", 1},
    {NOTHING, "{\"type\":\"file\",\"id\":\"file--" U("01") "\",\"name\":\"gotham.example.exe\"}", NULL, 0, "/name"},
    {NOTHING,
     "{\"type\":\"file\",\"id\":\"file--" U(
         "01") "\",\"name\":\"gotham.example.exe\",\"hashes\":{\"MD5\":\"d41d8cd98f00b204e9800998ecf8427f\"}}",
     "{\"type\":\"file\",\"id\":\"~file--" U("01") "\",\"hashes\":{\"MD5\":\"d41d8cd98f00b204e9800998ecf8427f\"}}", 1},
    {NOTHING,
     "{\"type\":\"marking-definition\",\"id\":\"" SAID
     "\",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"(c) Gotham National Bank\"}}",
     NULL, 0, "/definition"},
    {NOTHING, "{\"type\":\"x-a\",\"id\":\"x-a--" U("01") "\",\"note\":\"gotham.example\"}", NULL, 0, "/note"},
    {NOTHING, "{\"type\":\"x-gotham-example\",\"id\":\"x-gotham-example--" U("01") "\",\"note\":\"\"}", NULL, 0,
     "/type"},
    {NOTHING,
     "{\"type\":\"relationship\",\"id\":\"relationship--" U(
         "01") "\"," WHEN "\"relationship_type\":\"uses\",\"source_ref\":\"" IND
               "\",\"target_ref\":\"x-gotham-example--" U("02") "\"}",
     NULL, 0, "/target_ref"},
    {NOTHING,
     INDIC ",\"description\":\"gotham.example\",\"granular_markings\":[{\"marking_ref\":\"" GREEN
           "\",\"selectors\":[\"description\"]}]}",
     NULL, 0, "/description"},
    {NOTHING,
     INDIC ",\"labels\":[\"gotham.example\"],\"granular_markings\":[{\"marking_ref\":\"" GREEN
           "\",\"selectors\":[\"labels.[0]\"]}]}",
     NULL, 0, "/labels"},
    {NOTHING, INDIC ",\"granular_markings\":[{\"marking_ref\":\"" GREEN "\",\"selectors\":[\"x_gotham.example\"]}]}",
     NULL, 0, "/granular_markings"},
    {NOTHING,
     "{\"type\":\"attack-pattern\",\"id\":\"" MITRE "\"," WHEN "\"name\":\"T1\",\"description\":\"gotham.example\"}",
     NULL, 0, "/description"},
};

static const struct slice secrets[] = {SLICE_INIT("Gotham National Bank"),
                                       SLICE_INIT(" gotham.example"),
                                       SLICE_INIT("אבגד"),
                                       SLICE_INIT("Śląsk"),
                                       SLICE_INIT("ab"),
                                       SLICE_INIT("")};

static void check_row(size_t i)
{
    const struct row *row = &rows[i];
    struct arena a = ARENA_INIT;
    struct stix_object o = test_object(&a, row->object);
    struct share_release_ask ask = {
        .object = &o,
        .cover_id = SLICE_INIT(COVER),
        .default_marking = (row->what & MARK) != 0,
        .default_tlp = SHARE_GREEN,
        .default_valid_for_us = (row->what & EXPIRY) != 0 ? 77 : 0,
        .expire = (row->what & LAPSE) != 0,
        .secrets = {secrets, ROWS(secrets)},
    };
    struct share_release r = {0};
    struct err err = ERR_INIT;
    int rc = test_release(&a, &ask, &r, &err);

    if ((rc == 0) != (row->release != NULL))
        fail_row(i, "%d %s %s %.*s", rc, err_name(err.code), err.place, SLICE_ARG(r.body));
    if (rc != 0 && (err.code != ERR_HELD_PRIVACY || strcmp(err.place, row->place) != 0))
        fail_row(i, "%s at %s", err_name(err.code), err.place);
    if (rc == 0) {
        struct slice expected = test_expected(&a, row->release);
        if (!slice_eq(r.body, expected) || r.withheld != row->withheld)
            fail_row(i, "withheld %u\n%.*s\nexpected\n%.*s", r.withheld, SLICE_ARG(r.body), SLICE_ARG(expected));
        test_places(&r);
        assert_true((r.valid_until_at != SIZE_MAX) == (r.valid_for_us == 77));
    }
    arena_free(&a);
}

static void test_share_release__rows(void **state)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(i);
}

/* The committer writes over these places; a view writes its own cover. */
static void test_share_release__places(void **state)
{
    static const char *const objects[] = {INDIC "," BY_WHO UNTIL "}", INDIC "\n\t}", INDIC ",\"x\":[1] }", IN BODY "}"};

    for (size_t i = 0; i < ROWS(objects); i++) {
        struct arena a = ARENA_INIT;
        struct stix_object o = test_object(&a, objects[i]);
        struct share_release_ask ask = {
            .object = &o, .cover_id = SLICE_INIT(COVER), .default_marking = true, .default_valid_for_us = 1};
        struct share_release r;
        struct err err = ERR_INIT;
        assert_int_equal(test_release(&a, &ask, &r, &err), 0);
        assert_true(r.created_at != SIZE_MAX && r.modified_at != SIZE_MAX && r.cover_at != SIZE_MAX);
        assert_true((r.valid_until_at == SIZE_MAX) == (i == 0));
        test_places(&r);
        test_json(&a, (const char *)r.body.ptr);
        arena_free(&a);
    }
}

static void test_share_release__no_cover(void **state)
{
    struct arena a = ARENA_INIT;
    struct stix_object o = test_object(&a, INDIC "," BY_WHO UNTIL "}");
    struct share_release_ask ask = {.object = &o};
    struct share_release r;
    struct err err = ERR_INIT;

    assert_int_equal(test_release(&a, &ask, &r, &err), 0);
    assert_true(slice_eq(r.body, test_expected(&a, OUT EPOCH BODY "," UNTIL "}")) && r.cover_at == SIZE_MAX);
    arena_free(&a);
}

static void test_share_release__names(void **state)
{
    struct arena a = ARENA_INIT;
    struct stix_object o = test_object(&a, IN BY_WHO "\"description\":\"" MAL " " MAL " " IND " " MITRE
                                                     "\",\"x_ref\":\"" IND "\",\"k\":{\"" ADDR4 "\":\"" ADDR "\"}}");
    struct share_names names;
    struct err err = ERR_INIT;
    static const struct {
        const char *id;
        bool in_text;
    } expected[] = {{IND, false}, {WHO, false}, {IND, false}, {ADDR4, true}, {MAL, true}};

    assert_int_equal(share_names_find(&a, &o, test_is_foreign, NULL, &names, &err), 0);
    assert_int_equal(names.n, ROWS(expected));
    for (size_t i = 0; i < names.n; i++) {
        assert_slice(names.items[i].id, expected[i].id);
        assert_int_equal(json_kind(names.items[i].at) == JSON_ABSENT, expected[i].in_text);
    }
    assert_int_equal(share_names_find(&a, &o, NULL, NULL, &names, &err), 0);
    assert_int_equal(names.n, ROWS(expected) + 1); /* nobody is foreign */
    o.json = (struct json){NULL, 0};
    assert_int_equal(share_names_find(&a, &o, NULL, NULL, &names, &err), -1);
    arena_free(&a);
}

static void test_share_release__minted_id_shape(void **state)
{
    struct arena a = ARENA_INIT;
    uint8_t mac[32];
    struct stix_id id;

    for (int byte = 0; byte < 256; byte++) {
        memset(mac, byte, sizeof mac);
        struct slice minted = share_minted_id(&a, SLICE(MAL), mac);
        assert_true(stix_id_parse(minted, &id) && id.version == 4 && slice_starts(minted, SLICE("malware--")));
    }
    assert_slice(share_minted_id(&a, SLICE(MAL), mac), "malware--ffffffff-ffff-4fff-bfff-ffffffffffff");
    arena_free(&a);
}

static void test_share_release__rename(void **state)
{
    static const struct slice from[] = {SLICE_INIT(MAL), SLICE_INIT(IND)},
                              to[] = {SLICE_INIT("malware--x"), SLICE_INIT("indicator--y")};
    struct arena a = ARENA_INIT;
    struct buf out = BUF_INIT;

    share_rename(&a,
                 test_json(&a, "{\"sighting_of_ref\":\"" IND "\", \"object_refs\":[\"" MAL "\",\"" WHO
                               "\"],\"x\":{\"y\":\"on " IND "\\n\"},\"n\":1.0}"),
                 from, to, 2, &out);
    assert_slice(buf_slice(&out), "{\"sighting_of_ref\":\"indicator--y\", \"object_refs\":[\"malware--x\",\"" WHO
                                  "\"],\"x\":{\"y\":\"on indicator--y\\n\"},\"n\":1.0}");
    buf_clear(&out);
    share_rename(&a, test_json(&a, "{\"a\":\"" IND "\"}"), NULL, NULL, 0, &out);
    assert_slice(buf_slice(&out), "{\"a\":\"" IND "\"}");
    buf_free(&out);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_release__rows),
        cmocka_unit_test(test_share_release__places),
        cmocka_unit_test(test_share_release__no_cover),
        cmocka_unit_test(test_share_release__names),
        cmocka_unit_test(test_share_release__minted_id_shape),
        cmocka_unit_test(test_share_release__rename),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "stix/stix.h"

#define UUID   "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define TIMES  "\"created\":\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\""
#define SDO(t) "{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" UUID "\"," TIMES
#define SCO(t) "{\"type\":\"" t "\",\"spec_version\":\"2.1\",\"id\":\"" t "--" UUID "\""
#define IND                                                                                                            \
    SDO("indicator")                                                                                                   \
    ",\"name\":\"n\",\"description\":\"d\",\"indicator_types\":[\"benign\"],\"pattern_type\":\"stix\",\"valid_from\":" \
    "\"2026-01-02T03:04:05Z\""
#define GOOD  ",\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\""
#define NAMED ",\"name\":\"n\""
#define MD5   "d41d8cd98f00b204e9800998ecf8427e"

enum verdict {
    FINE,   /* no word */
    WARNED, /* told, in both modes */
    SOFTLY, /* a warning when lenient, else an error */
    HABIT,  /* an error only when strict */
    FIRMLY, /* an error in both */
};

struct row {
    const char *text;
    enum verdict verdict;
    enum err_code code;
    const char *place;
};

static void validate(struct arena *a, const char *text, enum stix_mode mode, struct stix_report *report)
{
    struct json root;
    struct stix_object o;
    struct err err = ERR_INIT;

    if (json_parse(a, slice_of(text), &json_limits_default, &root, &err) != 0 ||
        stix_object_read(a, root, &o, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    uint32_t errors = stix_validate(a, &o, mode, report);
    assert_int_equal(errors, report->errors);
}

static void row_check(size_t i, const struct row *row)
{
    static const bool is_error[3][5] = {
        [STIX_LENIENT] = {[FIRMLY] = true},
        [STIX_STANDARD] = {[SOFTLY] = true, [FIRMLY] = true},
        [STIX_STRICT] = {[SOFTLY] = true, [HABIT] = true, [FIRMLY] = true},
    };
    static const char *const modes[] = {"lenient", "standard", "strict"};

    for (int mode = STIX_LENIENT; mode <= STIX_STRICT; mode++) {
        struct arena a = ARENA_INIT;
        struct stix_report r;
        validate(&a, row->text, (enum stix_mode)mode, &r);
        bool found = row->verdict == FINE && r.n == 0;
        for (uint32_t k = 0; k < r.n && !found; k++)
            found = row->verdict != FINE && r.problems[k].err.code == row->code &&
                    strcmp(r.problems[k].err.place, row->place) == 0 && r.problems[k].err.text[0] != '\0' &&
                    (r.problems[k].severity == STIX_ERROR) == is_error[mode][row->verdict];
        bool refused = r.errors != 0;
        if (!found || refused != is_error[mode][row->verdict])
            fail_row(i, "%s\n%s: %u errors, %u warnings; first %s %s: %s", row->text, modes[mode], r.errors, r.warnings,
                     r.n != 0 ? err_name(r.problems[0].err.code) : "", r.n != 0 ? r.problems[0].err.place : "",
                     r.n != 0 ? r.problems[0].err.text : "");
        arena_free(&a);
    }
}

static void rows_check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row_check(i, &rows[i]);
}

static void test_stix_validate__common(void **state)
{
    static const struct row rows[] = {
        {SDO("tool") NAMED "}", FINE, 0, ""},
        {SDO("tool") "}", FIRMLY, ERR_STIX_REQUIRED, "/name"},
        {SDO("tool") ",\"name\":\"\"}", FIRMLY, ERR_STIX_EMPTY, "/name"},
        {SDO("tool") ",\"name\":7}", FIRMLY, ERR_STIX_VALUE, "/name"},
        {SDO("tool") NAMED ",\"description\":\"\"}", HABIT, ERR_STIX_EMPTY, "/description"},
        {SDO("tool") NAMED ",\"aliases\":[]}", HABIT, ERR_STIX_EMPTY, "/aliases"},
        {SDO("tool") NAMED ",\"aliases\":null}", HABIT, ERR_STIX_EMPTY, "/aliases"},
        {SDO("tool") NAMED ",\"aliases\":\"a\"}", FIRMLY, ERR_STIX_VALUE, "/aliases"},
        {SDO("tool") NAMED ",\"aliases\":[\"a\",7]}", FIRMLY, ERR_STIX_VALUE, "/aliases/1"},
        {SDO("tool") NAMED ",\"revoked\":\"true\"}", FIRMLY, ERR_STIX_VALUE, "/revoked"},
        {SDO("tool") NAMED ",\"confidence\":100}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"confidence\":101}", FIRMLY, ERR_STIX_VALUE, "/confidence"},
        {SDO("tool") NAMED ",\"confidence\":-1}", FIRMLY, ERR_STIX_VALUE, "/confidence"},
        {SDO("tool") NAMED ",\"confidence\":50.0}", FIRMLY, ERR_STIX_VALUE, "/confidence"},
        {SDO("tool") NAMED ",\"lang\":\"pt-BR\"}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"lang\":\"not a language\"}", SOFTLY, ERR_STIX_VALUE, "/lang"},
        {SDO("tool") NAMED ",\"lang\":\"foo\"}", SOFTLY, ERR_STIX_VALUE, "/lang"}, /* no language has this code */
        {SDO("tool") NAMED ",\"lang\":\"haw-US\"}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"lang\":\"x-own\"}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"created_by_ref\":\"identity--" UUID "\"}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"created_by_ref\":\"nobody\"}", FIRMLY, ERR_STIX_ID, "/created_by_ref"},
        {SDO("tool") NAMED ",\"created_by_ref\":\"tool--" UUID "\"}", SOFTLY, ERR_STIX_REFERENCE, "/created_by_ref"},
        {SDO("tool") NAMED ",\"object_marking_refs\":[\"identity--" UUID "\"]}", FIRMLY, ERR_STIX_REFERENCE,
         "/object_marking_refs/0"},
        {SDO("tool") NAMED ",\"x_own\":{\"any\":[1]}}", WARNED, ERR_STIX_SYNTAX, "/x_own"},
        {SDO("tool") NAMED ",\"mp\":1}", SOFTLY, ERR_STIX_SYNTAX, "/mp"},
        {SDO("tool") NAMED ",\"x-own\":1}", SOFTLY, ERR_STIX_SYNTAX, "/x-own"},
        {SDO("tool") NAMED ",\"a/b~c\":1}", SOFTLY, ERR_STIX_SYNTAX, "/a~1b~0c"},
        {SDO("tool") NAMED ",\"x_own\":[]}", SOFTLY, ERR_STIX_EMPTY, "/x_own"},
        {SDO("tool") NAMED ",\"severity\":\"high\"}", SOFTLY, ERR_STIX_RULE, "/severity"},
        {SDO("tool") NAMED ",\"tool_types\":[\"remote-access\",\"own-word\"]}", WARNED, ERR_STIX_VALUE,
         "/tool_types/1"},
        {SDO("tool") NAMED ",\"kill_chain_phases\":[{\"kill_chain_name\":\"k\"}]}", FIRMLY, ERR_STIX_REQUIRED,
         "/kill_chain_phases/0/phase_name"},
        {SDO("tool") NAMED ",\"kill_chain_phases\":[\"k\"]}", FIRMLY, ERR_STIX_VALUE, "/kill_chain_phases/0"},
    };

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__versions_and_ids(void **state)
{
    static const struct row rows[] = {
        {"{\"type\":\"tool\",\"id\":\"tool--" UUID "\"," TIMES NAMED "}", FIRMLY, ERR_STIX_VERSION, "/spec_version"},
        {"{\"type\":\"tool\",\"spec_version\":\"2.0\",\"id\":\"tool--" UUID "\"," TIMES NAMED "}", FIRMLY,
         ERR_STIX_VERSION, "/spec_version"},
        {"{\"type\":\"tool\",\"spec_version\":\"3.0\",\"id\":\"tool--" UUID "\"," TIMES NAMED "}", FIRMLY,
         ERR_STIX_VERSION, "/spec_version"},
        {"{\"type\":\"tool\",\"spec_version\":2.1,\"id\":\"tool--" UUID "\"," TIMES NAMED "}", FIRMLY, ERR_STIX_VERSION,
         "/spec_version"},
        {"{\"type\":\"incident\",\"id\":\"incident--" UUID "\"," TIMES NAMED "}", FIRMLY, ERR_STIX_REQUIRED,
         "/spec_version"},
        {"{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\"" NAMED "}", FINE, 0, ""},
        {"{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--8e2e2d2b-17d4-9cbf-938f-98ee46b3cd3f\"," TIMES
             NAMED "}",
         SOFTLY, ERR_STIX_ID, "/id"},
        {"{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"value\":\"198.51.100."
         "3\"}",
         FINE, 0, ""},
        {"{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd\",\"value\":\"198.51.100."
         "3\"}",
         WARNED, ERR_STIX_ID, "/id"},
        {SCO("ipv4-addr") ",\"value\":\"198.51.100.3\"}", FINE, 0, ""}, /* a random id is allowed */
    };

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__timestamps(void **state)
{
#define TOOL_AT(created, modified)                                                                                     \
    "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" UUID "\",\"created\":\"" created                     \
    "\",\"modified\":\"" modified "\"" NAMED "}"
    static const struct row rows[] = {
        {TOOL_AT("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"), FINE, 0, ""},
        {TOOL_AT("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z"), SOFTLY, ERR_STIX_TIMESTAMP, "/created"},
        {TOOL_AT("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.677Z"), SOFTLY, ERR_STIX_RULE, "/modified"},
        {TOOL_AT("2026-02-30T03:04:05.678Z", "2026-03-02T03:04:05.678Z"), FIRMLY, ERR_STIX_TIMESTAMP, "/created"},
        {TOOL_AT("2026-01-02T03:04:05.678+00:00", "2026-03-02T03:04:05.678Z"), FIRMLY, ERR_STIX_TIMESTAMP, "/created"},
        {TOOL_AT("2026-01-02t03:04:05.678z", "2026-03-02T03:04:05.678Z"), FIRMLY, ERR_STIX_TIMESTAMP, "/created"},
        {SDO("campaign") NAMED ",\"first_seen\":\"2026-01-02T00:00:00Z\",\"last_seen\":\"2026-01-02T00:00:00Z\"}", FINE,
         0, ""},
        {SDO("campaign") NAMED ",\"first_seen\":\"2026-01-02T00:00:00Z\",\"last_seen\":\"2026-01-01T00:00:00Z\"}",
         SOFTLY, ERR_STIX_RULE, "/last_seen"},
        {SDO("campaign") NAMED ",\"first_seen\":7}", FIRMLY, ERR_STIX_TIMESTAMP, "/first_seen"},
    };
#undef TOOL_AT

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__indicator(void **state)
{
    static const struct row rows[] = {
        {IND GOOD "}", FINE, 0, ""},
        {SDO("indicator") ",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T03:04:05Z\",\"name\":\"n\"" GOOD "}",
         WARNED, ERR_STIX_ADVICE, "/description"},
        {IND "}", FIRMLY, ERR_STIX_REQUIRED, "/pattern"},
        {IND ",\"pattern\":\"\"}", FIRMLY, ERR_STIX_EMPTY, "/pattern"},
        {IND ",\"pattern\":\"[ipv4-addr:value = '198.51.100.7'\"}", FIRMLY, ERR_PATTERN_SYNTAX, "/pattern"},
        {IND ",\"pattern\":\"[f:name = 'x']\"}", SOFTLY, ERR_PATTERN_SYNTAX, "/pattern"},
        {IND ",\"pattern\":\"[file:n = 'x' OR file:name = 'x']\"}", SOFTLY, ERR_PATTERN_SYNTAX, "/pattern"},
        {IND ",\"pattern\":\"[file:hashes.'SHA-256' = '" MD5 "']\"}", SOFTLY, ERR_STIX_VALUE, "/pattern"},
        {IND ",\"pattern\":\"[file:hashes.MD5 IN ('" MD5 "', 'f00')]\"}", SOFTLY, ERR_STIX_VALUE, "/pattern"},
        {IND ",\"pattern\":\"[file:hashes.MD5 = '" MD5 "' OR file:hashes.own = 'f00']\"}", FINE, 0, ""},
        {IND GOOD ",\"valid_until\":\"2026-01-02T03:04:06Z\"}", FINE, 0, ""},
        {IND GOOD ",\"valid_until\":\"2026-01-02T03:04:05.000Z\"}", FIRMLY, ERR_STIX_RULE,
         "/valid_until"}, /* later, not equal */
        {SDO("indicator") ",\"pattern_type\":\"stix\"" GOOD "}", FIRMLY, ERR_STIX_REQUIRED, "/valid_from"},
        {SDO("indicator") ",\"valid_from\":\"2026-01-02T03:04:05Z\"" GOOD "}", FIRMLY, ERR_STIX_REQUIRED,
         "/pattern_type"},
        {SDO("indicator") ",\"name\":\"n\",\"description\":\"d\",\"indicator_types\":[\"benign\"],\"pattern_type\":"
                          "\"yara\",\"valid_from\":\"2026-01-02T03:04:05Z\",\"pattern\":\"rule x "
                          "{}\"}",
         FINE, 0, ""},
        {SDO("indicator") ",\"pattern_type\":\"own\",\"valid_from\":\"2026-01-02T03:04:05Z\",\"pattern\":\"x\"}",
         WARNED, ERR_STIX_VALUE, "/pattern_type"},
    };

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__domain_objects(void **state)
{
    static const struct row rows[] = {
        {SDO("location") ",\"country\":\"IL\"}", FINE, 0, ""},
        {SDO("location") ",\"latitude\":31.5,\"longitude\":34.75,\"precision\":10.5}", FINE, 0, ""},
        {SDO("location") ",\"latitude\":31.5}", FIRMLY, ERR_STIX_RULE, "/longitude"},
        {SDO("location") ",\"latitude\":90.5,\"longitude\":1}", FIRMLY, ERR_STIX_VALUE, "/latitude"},
        {SDO("location") ",\"country\":\"IL\",\"precision\":1}", SOFTLY, ERR_STIX_RULE, "/precision"},
        {SDO("location") NAMED "}", SOFTLY, ERR_STIX_RULE, ""},
        {SDO("malware") ",\"is_family\":false}", FINE, 0, ""},
        {SDO("malware") ",\"is_family\":true}", FIRMLY, ERR_STIX_REQUIRED, "/name"},
        {SDO("malware") NAMED "}", FIRMLY, ERR_STIX_REQUIRED, "/is_family"},
        {SDO("malware") NAMED ",\"is_family\":\"true\"}", FIRMLY, ERR_STIX_VALUE, "/is_family"},
        {SDO("malware-analysis") ",\"product\":\"p\",\"result\":\"benign\"}", FINE, 0, ""},
        {SDO("malware-analysis") ",\"product\":\"p\"}", FIRMLY, ERR_STIX_RULE, ""},
        {SDO("opinion") ",\"opinion\":\"agree\",\"object_refs\":[\"tool--" UUID "\"]}", FINE, 0, ""},
        {SDO("opinion") ",\"opinion\":\"maybe\",\"object_refs\":[\"tool--" UUID "\"]}", FIRMLY, ERR_STIX_VALUE,
         "/opinion"},
        {SDO("note") ",\"content\":\"c\",\"object_refs\":[]}", FIRMLY, ERR_STIX_EMPTY, "/object_refs"},
        {SDO("grouping") ",\"context\":\"unspecified\",\"object_refs\":[\"x-own--" UUID "\",\"url--" UUID "\"]}", FINE,
         0, ""},
        {SDO("report") NAMED ",\"published\":\"2026-01-02T03:04:05Z\",\"object_refs\":[\"bundle--" UUID "\"]}", FIRMLY,
         ERR_STIX_REFERENCE, "/object_refs/0"},
        {SDO("identity") NAMED ",\"identity_class\":\"club\"}", WARNED, ERR_STIX_VALUE, "/identity_class"},
    };

    rows_check(rows, ROWS(rows));
}

#define OBSERVED                                                                                                       \
    SDO("observed-data") ",\"first_observed\":\"2026-01-02T00:00:00Z\",\"last_observed\":\"2026-01-02T00:00:00Z\""

static void test_stix_validate__observed_data(void **state)
{
    static const struct row rows[] = {
        {OBSERVED ",\"number_observed\":1,\"object_refs\":[\"url--" UUID "\"]}", FINE, 0, ""},
        {OBSERVED ",\"number_observed\":0,\"object_refs\":[\"url--" UUID "\"]}", FIRMLY, ERR_STIX_VALUE,
         "/number_observed"},
        {OBSERVED ",\"number_observed\":1000000000,\"object_refs\":[\"url--" UUID "\"]}", FIRMLY, ERR_STIX_VALUE,
         "/number_observed"},
        {OBSERVED ",\"number_observed\":1}", FIRMLY, ERR_STIX_RULE, ""},
        {OBSERVED ",\"number_observed\":1,\"object_refs\":[\"url--" UUID
                  "\"],\"objects\":{\"0\":{\"type\":\"mutex\",\"name\":\"m\"}}}",
         FIRMLY, ERR_STIX_RULE, ""},
        {OBSERVED ",\"number_observed\":1,\"object_refs\":[\"tool--" UUID "\"]}", FIRMLY, ERR_STIX_REFERENCE,
         "/object_refs/0"},
        {OBSERVED ",\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"},"
                  "\"1\":{\"type\":\"network-traffic\",\"protocols\":[\"tcp\"],\"dst_ref\":\"0\"}}}",
         FINE, 0, ""}, /* deprecated form: neither ids nor spec_version, references are keys */
        {OBSERVED ",\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"mutex\"}}}", FIRMLY, ERR_STIX_REQUIRED,
         "/objects/0/name"},
        {OBSERVED ",\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"tool\"}}}", FIRMLY, ERR_STIX_VALUE,
         "/objects/0"},
        {OBSERVED ",\"number_observed\":1,\"objects\":[{\"type\":\"mutex\",\"name\":\"m\"}]}", FIRMLY, ERR_STIX_VALUE,
         "/objects"},
    };

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__relationship_objects(void **state)
{
#define REL(type, from, to)                                                                                            \
    SDO("relationship")                                                                                                \
    ",\"relationship_type\":\"" type "\",\"source_ref\":\"" from "--" UUID "\",\"target_ref\":\"" to "--" UUID "\""
    static const struct row rows[] = {
        {REL("indicates", "indicator", "malware") "}", FINE, 0, ""},
        {REL("own-word", "x-own", "ipv4-addr") "}", FINE, 0, ""},
        {REL("Indicates", "indicator", "malware") "}", SOFTLY, ERR_STIX_VALUE, "/relationship_type"},
        {REL("uses", "sighting", "malware") "}", FIRMLY, ERR_STIX_REFERENCE, "/source_ref"},
        {REL("uses", "malware", "marking-definition") "}", FIRMLY, ERR_STIX_REFERENCE, "/target_ref"},
        {REL("uses", "malware", "bundle") "}", FIRMLY, ERR_STIX_REFERENCE, "/target_ref"},
        {REL("uses", "malware",
             "tool") ",\"start_time\":\"2026-01-02T00:00:00Z\",\"stop_time\":\"2026-01-02T00:00:00Z\"}",
         SOFTLY, ERR_STIX_RULE, "/stop_time"},
        {SDO("relationship") ",\"relationship_type\":\"uses\",\"source_ref\":\"tool--" UUID "\"}", FIRMLY,
         ERR_STIX_REQUIRED, "/target_ref"},
        {SDO("sighting") ",\"sighting_of_ref\":\"indicator--" UUID "\",\"count\":0}", FINE, 0, ""},
        {SDO("sighting") ",\"sighting_of_ref\":\"indicator--" UUID "\",\"count\":-1}", FIRMLY, ERR_STIX_VALUE,
         "/count"},
        {SDO("sighting") ",\"sighting_of_ref\":\"sighting--" UUID "\"}", FIRMLY, ERR_STIX_REFERENCE,
         "/sighting_of_ref"},
        {SDO("sighting") ",\"sighting_of_ref\":\"indicator--" UUID "\",\"observed_data_refs\":[\"url--" UUID "\"]}",
         FIRMLY, ERR_STIX_REFERENCE, "/observed_data_refs/0"},
        {SDO("sighting") ",\"sighting_of_ref\":\"indicator--" UUID "\",\"where_sighted_refs\":[\"location--" UUID
                         "\",\"tool--" UUID "\"]}",
         FIRMLY, ERR_STIX_REFERENCE, "/where_sighted_refs/1"},
    };
#undef REL

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__observables(void **state)
{
    static const struct row rows[] = {
        {SCO("ipv4-addr") ",\"value\":\"198.51.100.0/24\"}", FINE, 0, ""},
        {SCO("ipv4-addr") ",\"value\":\"010.0.0.1\"}", FIRMLY, ERR_STIX_VALUE, "/value"},
        {SCO("ipv6-addr") ",\"value\":\"2001:db8::1\"}", FINE, 0, ""},
        {SCO("ipv6-addr") ",\"value\":\"2001:db8::1/129\"}", FIRMLY, ERR_STIX_VALUE, "/value"},
        {SCO("mac-addr") ",\"value\":\"d2:fb:49:24:37:18\"}", FINE, 0, ""},
        {SCO("mac-addr") ",\"value\":\"D2-FB-49-24-37-18\"}", SOFTLY, ERR_STIX_VALUE, "/value"},
        {SCO("domain-name") ",\"value\":\"bad.example\"}", FINE, 0, ""},
        {SCO("domain-name") ",\"value\":\"not a name\"}", SOFTLY, ERR_STIX_VALUE, "/value"},
        {SCO("url") ",\"value\":\"mailto:a@bad.example\"}", FINE, 0, ""},
        {SCO("url") ",\"value\":\"foo\"}", SOFTLY, ERR_STIX_VALUE, "/value"},
        {SCO("email-addr") ",\"value\":\"a@bad.example\"}", FINE, 0, ""},
        {SCO("email-addr") ",\"value\":\"A <a@bad.example>\"}", SOFTLY, ERR_STIX_VALUE, "/value"},
        {SCO("autonomous-system") ",\"number\":4294967295}", FINE, 0, ""},
        {SCO("autonomous-system") ",\"number\":4294967296}", FIRMLY, ERR_STIX_VALUE, "/number"},
        {SCO("artifact") ",\"payload_bin\":\"AQID\"}", FINE, 0, ""},
        {SCO("artifact") ",\"payload_bin\":\"not base64\"}", FIRMLY, ERR_STIX_VALUE, "/payload_bin"},
        {SCO("artifact") ",\"url\":\"https://bad.example/\",\"hashes\":{\"MD5\":\"" MD5 "\"}}", FINE, 0, ""},
        {SCO("artifact") ",\"url\":\"https://bad.example/\"}", FIRMLY, ERR_STIX_REQUIRED, "/hashes"},
        {SCO("artifact") ",\"mime_type\":\"text/plain\"}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("artifact") ",\"payload_bin\":\"AQID\",\"encryption_algorithm\":\"rot13\"}", FIRMLY, ERR_STIX_VALUE,
         "/encryption_algorithm"},
        {SCO("artifact") ",\"payload_bin\":\"AQID\",\"decryption_key\":\"k\"}", SOFTLY, ERR_STIX_RULE,
         "/decryption_key"},
        {SCO("file") ",\"hashes\":{\"MD5\":\"" MD5 "\"}}", FINE, 0, ""},
        {SCO("file") ",\"hashes\":{\"SHA-256\":\"" MD5 "\"}}", FIRMLY, ERR_STIX_VALUE, "/hashes/SHA-256"},
        {SCO("file") ",\"hashes\":{\"sha256\":\"" MD5 "\"}}", WARNED, ERR_STIX_VALUE, "/hashes/sha256"},
        {SCO("file") ",\"hashes\":{\"MD5\":7}}", FIRMLY, ERR_STIX_VALUE, "/hashes/MD5"},
        {SCO("file") NAMED ",\"name_enc\":\"windows-1252\"}", FINE, 0, ""},
        {SCO("file") NAMED ",\"name_enc\":\"own\"}", SOFTLY, ERR_STIX_VALUE, "/name_enc"},
        {SCO("artifact") ",\"payload_bin\":\"AQID\",\"mime_type\":\"text/plain; charset=utf-8\"}", FINE, 0, ""},
        {SCO("artifact") ",\"payload_bin\":\"AQID\",\"mime_type\":\"own/plain\"}", SOFTLY, ERR_STIX_VALUE,
         "/mime_type"},
        {SCO("artifact") ",\"payload_bin\":\"AQID\",\"mime_type\":\"text\"}", SOFTLY, ERR_STIX_VALUE, "/mime_type"},
        {SCO("software") NAMED ",\"cpe\":\"cpe:2.3:a:v\\\\:x:p:1:*:*:*:*:*:*:*\"}", FINE, 0, ""},
        {SCO("software") NAMED ",\"cpe\":\"cpe:/a:v:p\"}", SOFTLY, ERR_STIX_VALUE, "/cpe"},
        {"{\"type\":\"process\",\"id\":\"process--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"pid\":7}", SOFTLY,
         ERR_STIX_ID, "/id"},
        {SCO("file") ",\"size\":1}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("file") NAMED ",\"size\":-1}", FIRMLY, ERR_STIX_VALUE, "/size"},
        {SCO("file") NAMED ",\"magic_number_hex\":\"abc\"}", FIRMLY, ERR_STIX_VALUE, "/magic_number_hex"},
        {SCO("file") NAMED ",\"parent_directory_ref\":\"file--" UUID "\"}", SOFTLY, ERR_STIX_REFERENCE,
         "/parent_directory_ref"},
        {SCO("email-message") ",\"is_multipart\":false,\"body\":\"b\"}", FINE, 0, ""},
        {SCO("email-message") ",\"is_multipart\":true,\"body\":\"b\"}", FIRMLY, ERR_STIX_RULE, "/body"},
        {SCO("email-message") ",\"is_multipart\":false,\"body_multipart\":[{\"body\":\"b\"}]}", FIRMLY, ERR_STIX_RULE,
         "/body_multipart"},
        {SCO("email-message") ",\"is_multipart\":true,\"body_multipart\":[{\"content_type\":\"text/plain\"}]}", SOFTLY,
         ERR_STIX_RULE, "/body_multipart/0"},
        {SCO("network-traffic") ",\"protocols\":[\"tcp\"],\"src_ref\":\"ipv4-addr--" UUID "\",\"dst_port\":65535}",
         FINE, 0, ""},
        {SCO("network-traffic") ",\"protocols\":[\"tcp\"],\"src_ref\":\"ipv4-addr--" UUID "\",\"dst_port\":65536}",
         FIRMLY, ERR_STIX_VALUE, "/dst_port"},
        {SCO("network-traffic") ",\"protocols\":[\"tcp\"]}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("network-traffic") ",\"src_ref\":\"ipv4-addr--" UUID "\"}", FIRMLY, ERR_STIX_REQUIRED, "/protocols"},
        {SCO("network-traffic") ",\"protocols\":[\"tcp\"],\"src_ref\":\"ipv4-addr--" UUID
                                "\",\"is_active\":true,\"end\":\"2026-01-02T00:00:00Z\"}",
         FIRMLY, ERR_STIX_RULE, "/end"},
        {SCO("process") ",\"pid\":7}", FINE, 0, ""},
        {SCO("process") "}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("user-account") ",\"user_id\":\"u\"}", FINE, 0, ""},
        {SCO("user-account") "}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("windows-registry-key") ",\"key\":\"HKEY_LOCAL_MACHINE\\\\x\",\"values\":[{\"name\":\"n\",\"data_type\":"
                                     "\"REG_SZ\"}]}",
         FINE, 0, ""},
        {SCO("windows-registry-key") ",\"key\":\"HKLM\\\\x\"}", SOFTLY, ERR_STIX_VALUE, "/key"},
        {SCO("windows-registry-key") ",\"key\":\"k\",\"values\":[{\"data_type\":\"REG_TEXT\"}]}", FIRMLY,
         ERR_STIX_VALUE, "/values/0/data_type"},
        {SCO("x509-certificate") "}", FIRMLY, ERR_STIX_RULE, ""},
        {SCO("x509-certificate") ",\"x509_v3_extensions\":{\"private_key_usage_period_not_before\":\"2026-02-30T00:00:"
                                 "00Z\"}}",
         FIRMLY, ERR_STIX_TIMESTAMP, "/x509_v3_extensions/private_key_usage_period_not_before"},
    };

    rows_check(rows, ROWS(rows));
}

#define DEFINITION "extension-definition--" UUID

static void test_stix_validate__extensions(void **state)
{
    static const struct row rows[] = {
        {SCO("file") NAMED ",\"extensions\":{\"ntfs-ext\":{\"sid\":\"s\"}}}", FINE, 0, ""},
        {SCO("file") NAMED ",\"extensions\":{\"ntfs-ext\":{\"alternate_data_streams\":[{\"size\":1}]}}}", FIRMLY,
         ERR_STIX_REQUIRED, "/extensions/ntfs-ext/alternate_data_streams/0/name"},
        {SCO("file") NAMED ",\"extensions\":{\"ntfs-ext\":{}}}", FIRMLY, ERR_STIX_VALUE, "/extensions/ntfs-ext"},
        {SCO("file") NAMED ",\"extensions\":{\"ntfs-ext\":\"x\"}}", FIRMLY, ERR_STIX_VALUE, "/extensions/ntfs-ext"},
        {SCO("file") NAMED ",\"extensions\":{\"own-ext\":{\"a\":1}}}", WARNED, ERR_STIX_VALUE, "/extensions/own-ext"},
        {SCO("file") NAMED ",\"extensions\":{\"own\":{\"a\":1}}}", SOFTLY, ERR_STIX_VALUE, "/extensions/own"},
        {SCO("file") NAMED ",\"extensions\":[]}", HABIT, ERR_STIX_EMPTY, "/extensions"},
        {SCO("file") NAMED ",\"extensions\":[1]}", FIRMLY, ERR_STIX_VALUE, "/extensions"},
        {SDO("tool") NAMED ",\"extensions\":{\"" DEFINITION
                           "\":{\"extension_type\":\"property-extension\",\"rank\":5}}}",
         FINE, 0, ""},
        {SDO("tool") NAMED ",\"extensions\":{\"" DEFINITION "\":{\"extension_type\":\"other\"}}}", FIRMLY,
         ERR_STIX_VALUE, "/extensions/" DEFINITION "/extension_type"},
        {SDO("tool") NAMED ",\"extensions\":{\"" DEFINITION "\":{\"rank\":5}}}", SOFTLY, ERR_STIX_REQUIRED,
         "/extensions/" DEFINITION "/extension_type"},
        {SDO("tool") NAMED ",\"rank\":5,\"extensions\":{\"" DEFINITION
                           "\":{\"extension_type\":\"toplevel-property-extension\"}}}",
         FINE, 0, ""},
    };

    rows_check(rows, ROWS(rows));
}

#define MARKING(id)                                                                                                    \
    "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"marking-definition--" id                       \
    "\",\"created\":\"2017-01-20T00:00:00.000Z\""
#define TLP(level) ",\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"" level "\"}}"
#define TLP_GREEN  "34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define TLP_WHITE  "613f2e26-407d-48c7-9eca-b8e91df99dc9"

static void test_stix_validate__markings(void **state)
{
    static const struct row rows[] = {
        {MARKING(UUID) ",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"s\"}}", FINE, 0, ""},
        {MARKING(UUID) ",\"definition_type\":\"statement\",\"definition\":{\"tlp\":\"s\"}}", FIRMLY, ERR_STIX_REQUIRED,
         "/definition/statement"},
        {MARKING(UUID) ",\"definition_type\":\"statement\"}", FIRMLY, ERR_STIX_REQUIRED, "/definition"},
        {MARKING(UUID) "}", FIRMLY, ERR_STIX_REQUIRED, "/definition"},
        {MARKING(UUID) ",\"extensions\":{\"" DEFINITION
                       "\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"clear\"}}}",
         FINE, 0, ""},
        {MARKING(TLP_GREEN) TLP("green"), FINE, 0, ""},
        {MARKING(TLP_GREEN) TLP("white"), FIRMLY, ERR_STIX_RULE, "/definition"}, /* one id, two meanings */
        {MARKING(TLP_WHITE) TLP("clear"), SOFTLY, ERR_STIX_RULE, "/definition"},
        {MARKING(UUID) TLP("amber+strict"), SOFTLY, ERR_STIX_RULE, "/definition"},
        {MARKING(UUID) ",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"s\"},\"object_marking_"
                       "refs\":[\"marking-definition--" UUID "\"]}",
         SOFTLY, ERR_STIX_REFERENCE, "/object_marking_refs/0"},
        {SDO("tool") NAMED ",\"labels\":[\"a\"],\"granular_markings\":[{\"marking_ref\":\"marking-definition--" UUID
                           "\",\"selectors\":[\"name\",\"labels.[0]\",\"id\"]}]}",
         FINE, 0, ""},
        {SDO("tool") NAMED ",\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"name\"]}]}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"granular_markings\":[{\"selectors\":[\"name\"]}]}", FIRMLY, ERR_STIX_RULE,
         "/granular_markings/0"},
        {SDO("tool") NAMED ",\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"description\"]}]}", SOFTLY,
         ERR_STIX_REFERENCE, "/granular_markings/0/selectors/0"},
        {SDO("tool") NAMED ",\"granular_markings\":[{\"lang\":\"en\",\"selectors\":[\"[0]\"]}]}", FIRMLY,
         ERR_STIX_VALUE, "/granular_markings/0/selectors/0"},
        {SDO("tool") NAMED ",\"granular_markings\":[{\"marking_ref\":\"identity--" UUID
                           "\",\"selectors\":[\"name\"]}]}",
         FIRMLY, ERR_STIX_REFERENCE, "/granular_markings/0/marking_ref"},
    };

    rows_check(rows, ROWS(rows));
}

/* What an extension declares a type to be decides what it must have (section 7.3). */
static void test_stix_validate__declared_types(void **state)
{
#define DECLARED(word) ",\"extensions\":{\"" DEFINITION "\":{\"extension_type\":\"" word "\"}}"
    static const struct row rows[] = {
        {SDO("own") ",\"anything\":1" DECLARED("new-sdo") "}", FINE, 0, ""},
        {SDO("own") ",\"anything\":1" DECLARED("new-sro") "}", FINE, 0, ""},
        {SCO("own") ",\"anything\":1" DECLARED("new-sco") "}", FINE, 0, ""},
        {SCO("own") ",\"anything\":1" DECLARED("new-sdo") "}", FIRMLY, ERR_STIX_REQUIRED, "/created"},
        {SCO("own") ",\"anything\":1" DECLARED("new-sro") "}", FIRMLY, ERR_STIX_REQUIRED, "/created"},
        {SDO("tool") NAMED DECLARED("new-sdo") "}", SOFTLY, ERR_STIX_RULE, "/extensions/" DEFINITION "/extension_type"},
        {SDO("tool") NAMED DECLARED("property-extension") "}", FINE, 0, ""},
        {SDO("tool") NAMED ",\"anything\":1" DECLARED("toplevel-property-extension") "}", FINE, 0, ""},
        {SDO("own") ",\"extensions\":{\"" DEFINITION "\":{\"extension_type\":\"new-sdo\"},\"extension-definition--"
                    "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd40\":{\"extension_type\":\"new-sro\"}}}",
         FIRMLY, ERR_STIX_RULE,
         "/extensions/extension-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd40/extension_type"},
    };

    rows_check(rows, ROWS(rows));
}

static void test_stix_validate__others(void **state)
{
    static const struct row rows[] = {
        {SDO("language-content") ",\"object_ref\":\"tool--" UUID "\",\"contents\":{\"de\":{\"name\":\"n\"}}}", FINE, 0,
         ""},
        {SDO("language-content") ",\"object_ref\":\"language-content--" UUID
                                 "\",\"contents\":{\"de\":{\"name\":\"n\"}}}",
         FIRMLY, ERR_STIX_REFERENCE, "/object_ref"},
        {SDO("language-content") ",\"object_ref\":\"tool--" UUID "\",\"contents\":{\"de\":\"n\"}}", FIRMLY,
         ERR_STIX_VALUE, "/contents/de"},
        {SDO("extension-definition") NAMED ",\"created_by_ref\":\"identity--" UUID
                                           "\",\"schema\":\"s\",\"version\":\"1\",\"extension_types\":[\"new-sdo\"]}",
         FINE, 0, ""},
        {SDO("extension-definition") NAMED ",\"schema\":\"s\",\"version\":\"1\",\"extension_types\":[\"new-sdo\"]}",
         SOFTLY, ERR_STIX_REQUIRED, "/created_by_ref"},
        {SDO("extension-definition") NAMED ",\"created_by_ref\":\"identity--" UUID
                                           "\",\"schema\":\"s\",\"version\":\"1\",\"extension_types\":[\"new\"]}",
         FIRMLY, ERR_STIX_VALUE, "/extension_types/0"},
        {SDO("tool") NAMED ",\"external_references\":[{\"source_name\":\"s\"}]}", SOFTLY, ERR_STIX_RULE,
         "/external_references/0"},
        {SDO("tool") NAMED ",\"external_references\":[{\"url\":\"https://example.com/\"}]}", FIRMLY, ERR_STIX_REQUIRED,
         "/external_references/0/source_name"},
        {SDO("tool") NAMED ",\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2026-12345\"}]}",
         FINE, 0, ""},
        {SDO("tool") NAMED ",\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"cve-2026-1\"}]}",
         SOFTLY, ERR_STIX_VALUE, "/external_references/0/external_id"},
        {SDO("tool") NAMED ",\"external_references\":[{\"source_name\":\"s\",\"url\":\"www.example.com\"}]}", SOFTLY,
         ERR_STIX_VALUE, "/external_references/0/url"},
        {SDO("x-own") ",\"anything\":1}", WARNED, ERR_STIX_TYPE, "/type"},
        {SCO("x-own") ",\"anything\":1}", WARNED, ERR_STIX_TYPE, "/type"},
        {SDO("x-own") ",\"revoked\":1}", FIRMLY, ERR_STIX_VALUE, "/revoked"},
        {SDO("x_own") "}", SOFTLY, ERR_STIX_TYPE, "/type"},
        {"{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[{}]}", FINE, 0, ""},
        {"{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[1]}", FIRMLY, ERR_STIX_SYNTAX, "/objects/0"},
        {"{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"spec_version\":\"2.1\"}", WARNED, ERR_STIX_SYNTAX,
         "/spec_version"},
    };

    rows_check(rows, ROWS(rows));
}

/* Sixteen findings are kept, all are counted, and the first error is kept even behind sixteen warnings. */
static void test_stix_validate__many(void **state)
{
    struct arena a = ARENA_INIT;
    struct stix_report r;
    struct buf text = BUF_INIT;

    buf_put(&text, SLICE(SDO("tool")));
    for (int i = 0; i < 40; i++)
        buf_printf(&text, ",\"own_%d\":1", i);
    buf_put(&text, SLICE(",\"revoked\":1,\"name\":7}"));
    buf_put_byte(&text, '\0');
    validate(&a, text.ptr, STIX_LENIENT, &r);
    assert_int_equal(r.n, STIX_PROBLEMS_MAX);
    assert_int_equal(r.warnings, 40);
    assert_int_equal(r.errors, 2);
    assert_int_equal(r.problems[STIX_PROBLEMS_MAX - 1].severity, STIX_ERROR);
    assert_string_equal(r.problems[STIX_PROBLEMS_MAX - 1].err.place, "/revoked");
    buf_free(&text);
    arena_free(&a);
}

/* A thousand selectors are looked up; more of them cost no more. */
static void test_stix_validate__selectors(void **state)
{
    for (int n = 1000; n <= 1001; n++) {
        struct arena a = ARENA_INIT;
        struct stix_report r;
        struct buf text = BUF_INIT;
        buf_put(&text, SLICE(SDO("tool") NAMED ",\"granular_markings\":[{\"lang\":\"en\",\"selectors\":["));
        for (int i = 0; i < n; i++)
            buf_put(&text, i == 0 ? SLICE("\"none\"") : SLICE(",\"none\""));
        buf_put(&text, SLICE("]}]}"));
        buf_put_byte(&text, '\0');
        validate(&a, text.ptr, STIX_LENIENT, &r);
        assert_int_equal(r.warnings, 1000);
        buf_free(&text);
        arena_free(&a);
    }
}

/* Inside a bundle the place is still the way below the object, not below the bundle. */
static void test_stix_validate__place_in_bundle(void **state)
{
    struct arena a = ARENA_INIT;
    struct json root;
    struct stix_object o;
    struct stix_report r;

    assert_int_equal(json_parse(&a,
                                SLICE("{\"objects\":[" SDO("tool") NAMED
                                      "}," SDO("tool") ",\"name\":\"n\",\"aliases\":[\"a\",7]}]}"),
                                &json_limits_default, &root, NULL),
                     0);
    struct json second = json_next(json_first(json_get(root, SLICE("objects"))));
    assert_int_equal(stix_object_read(&a, second, &o, NULL), 0);
    assert_int_equal(stix_validate(&a, &o, STIX_LENIENT, &r), 1);
    assert_string_equal(r.problems[0].err.place, "/aliases/1");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_validate__common),
        cmocka_unit_test(test_stix_validate__versions_and_ids),
        cmocka_unit_test(test_stix_validate__timestamps),
        cmocka_unit_test(test_stix_validate__indicator),
        cmocka_unit_test(test_stix_validate__domain_objects),
        cmocka_unit_test(test_stix_validate__observed_data),
        cmocka_unit_test(test_stix_validate__relationship_objects),
        cmocka_unit_test(test_stix_validate__observables),
        cmocka_unit_test(test_stix_validate__extensions),
        cmocka_unit_test(test_stix_validate__markings),
        cmocka_unit_test(test_stix_validate__declared_types),
        cmocka_unit_test(test_stix_validate__others),
        cmocka_unit_test(test_stix_validate__many),
        cmocka_unit_test(test_stix_validate__selectors),
        cmocka_unit_test(test_stix_validate__place_in_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

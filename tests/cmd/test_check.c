#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/check.h"
#include "cmd/commands.h"

#define UUID "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define GOOD "{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\",\"name\":\"m\"}"
#define EMPTY                                                                                                          \
    "{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" UUID                                                 \
    "\",\"name\":\"t\",\"created\":\"2026-01-02T03:04:05."                                                             \
    "678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"aliases\":[]}"
#define GOOD_OWN "{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\",\"name\":\"m\",\"x_own\":1}"
#define SOFT     "{\"type\":\"url\",\"id\":\"url--" UUID "\",\"value\":\"foo\"}"
#define BAD      "{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\"}"
#define OLD                                                                                                            \
    "{\"type\":\"tool\",\"id\":\"tool--" UUID "\",\"name\":\"t\",\"labels\":[\"remote-access\"],\"created\":\"2026-"   \
    "01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\"}"

static char dir[] = "/tmp/tocsin-check-XXXXXX";

/* Runs the command on one file of this text, its output in a file; gives the exit status. `options` are words between
 * blanks. */
static int check(struct arena *a, struct slice text, const char *options, struct slice *output_out)
{
    struct slice in = file_join(a, dir, "in.json"), out = file_join(a, dir, "out.txt"), rest = slice_of(options), word;
    char name[] = "check", *argv[8] = {name, (char *)in.ptr};
    int argc = 2;

    while (rest.len != 0 && slice_cut(&rest, ' ', &word))
        argv[argc++] = (char *)arena_copy(a, word).ptr;
    assert_int_equal(file_write_atomic(in.ptr, text, 0600, NULL), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(out.ptr, "w", stdout));
    int status = cmd_check(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(file_read(a, out.ptr, 1 << 20, output_out, NULL), 0);
    unlink(in.ptr);
    unlink(out.ptr);
    return status;
}

struct row {
    const char *text, *options;
    int status;
    const char *says; /* a whole line where it ends with a line feed */
};

static void rows_check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a = ARENA_INIT;
        struct slice output;
        int status = check(&a, slice_of(rows[i].text), rows[i].options, &output);
        if (status != rows[i].status ||
            (rows[i].says[0] != '\0' && slice_find(output, slice_of(rows[i].says)) == output.len))
            fail_row(i, "%s %s: status %d: %.*s", rows[i].text, rows[i].options, status, SLICE_ARG(output));
        arena_free(&a);
    }
}

static void test_cmd_check__verdicts(void **state)
{
    static const struct row rows[] = {
        {"{\"objects\":[" GOOD "]}", "", 0, "1 objects in 1 files: 1 accepted (0 with warnings), 0 refused"},
        {GOOD, "", 0, "1 accepted"},
        {"{}", "", 0, "0 objects in 1 files"},
        {"{\"objects\":[" GOOD "," BAD "]}", "", 1,
         "mutex--" UUID ": refused STIX_REQUIRED at /name: \"name\" is missing"},
        {"{\"objects\":[" OLD "]}", "--warnings", 0, "warning STIX_VERSION at /spec_version: a STIX 2.0 object"},
        {"{\"objects\":[" OLD "]}", "--strict", 1, "refused STIX_VERSION at /spec_version: a STIX 2.0 object"},
        {EMPTY, "", 0, "1 accepted (1 with warnings)"},
        {EMPTY, "--warnings", 0, "warning STIX_EMPTY at /aliases"},
        {EMPTY, "--strict", 1, "refused STIX_EMPTY at /aliases"},
        {SOFT, "", 1, "refused STIX_VALUE at /value"},
        {SOFT, "--profile open", 0, "1 accepted (1 with warnings)"},
        {"{\"type\":\"bundle\",\"id\":\"x\",\"objects\":[" GOOD "]}", "", 1,
         "1 accepted (0 with warnings), 0 refused"}, /* the bundle */
        {"{\"objects\":[7]}", "", 1, "refused STIX_SYNTAX"},
        {"{\"objects\":7}", "", 1, "refused STIX_SYNTAX at /objects"},
        {"not JSON", "", 1, "refused JSON_SYNTAX"},
        {"", "", 1, "1 texts that are no STIX"},
        {GOOD, "--profile nobodys", 2, ""},
        {GOOD, "--profile /nowhere.yaml", 2, ""},
    };

    rows_check(rows, ROWS(rows));
}

static void test_cmd_check__json(void **state)
{
    static const struct row rows[] = {
        {GOOD, "--json", 0, "{\"id\":\"mutex--" UUID "\",\"valid\":true,\"reasons\":[],\"file\":\""},
        {BAD, "--json", 1, "\"valid\":false,\"reasons\":[{\"code\":\"STIX_REQUIRED\",\"where\":\"/name\",\"text\":\""},
        {BAD, "--json", 1, "\",\"level\":\"error\"}],\"file\":\""},
        {EMPTY, "--json", 0, "\"valid\":true,\"reasons\":[{\"code\":\"STIX_EMPTY\",\"where\":\"/aliases\",\"text\":\""},
        {"{", "--json", 1, "{\"id\":null,\"valid\":false,\"reasons\":[{\"code\":\"JSON_SYNTAX\""},
        {BAD, "--json --summary", 1,
         "{\"name\":\"in.json\",\"files\":1,\"objects\":1,\"stix20\":0,\"accepted\":0,\"with_warnings\":0,"
         "\"refused\":1,\"no_stix\":0,\"why\":\"STIX_REQUIRED 1\"}\n"},
        {OLD, "--json --profile ctis", 1, "{\"code\":\"CTIS-TYPE\",\"where\":\"/type\""},
        {SOFT, "--json --profile ctis", 1, "{\"code\":\"CTIS-TYPE\",\"where\":\"/type\""},
        {GOOD_OWN, "--json --profile ais-2.0-observed", 0,
         "{\"code\":\"AIS-CUSTOM\",\"where\":\"/x_own\",\"text\":\"left out of the release (privacy class D)\","
         "\"level\":\"warning\"}"},
    };

    rows_check(rows, ROWS(rows));
}

/* Several documents in one file, lists and lines of them. */
static void test_cmd_check__several_documents(void **state)
{
    static const struct row rows[] = {
        {GOOD "\n" GOOD "\n", "", 0, "2 objects"},
        {GOOD "\r\n\r\n" GOOD, "", 0, "2 objects"},
        {GOOD GOOD " " GOOD, "", 0, "3 objects"},
        {"{\n\"objects\":[" GOOD "]}\n{\n\"objects\":[" GOOD "," GOOD "]}\n", "", 0, "3 objects"},
        {"[" GOOD ",{\"objects\":[" GOOD "]}]", "", 0, "2 objects"},
        {"[]", "", 0, "0 objects"},
        {"[7]", "", 1, "refused STIX_SYNTAX"},
        {GOOD "\nbroken\n" GOOD "\n", "", 1, "2 objects in 1 files: 2 accepted (0 with warnings), 0 refused; 1 texts"},
        {GOOD "\n{\n\"objects\": oops", "", 1, "1 objects"},
    };

    rows_check(rows, ROWS(rows));
}

static void test_cmd_check__references(void **state)
{
#define NOTE_ON(id)                                                                                                    \
    "{\"objects\":[" GOOD ",{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--" UUID "\",\"created\":"        \
    "\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"content\":\"c\",\"object_marking_"       \
    "refs\":["                                                                                                         \
    "\"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9\"],\"object_refs\":[\"" id "\"]}]}"
    static const struct row rows[] = {
        {NOTE_ON("mutex--" UUID), "--warnings", 0, "2 accepted (0 with warnings)"},
        {NOTE_ON("tool--" UUID), "--warnings", 0,
         "warning STIX_REFERENCE: \"object_refs\" names tool--" UUID ", which is not in this file"},
        {NOTE_ON("tool--" UUID), "", 0, "2 accepted (1 with warnings)"},
    };

    rows_check(rows, ROWS(rows));
}

/* A translation is held to what it translates, where the file has both. */
static void test_cmd_check__translations(void **state)
{
#define TRANSLATED(contents, of)                                                                                       \
    "{\"objects\":[{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--" UUID "\",\"created\":"                 \
    "\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"name\":\"saw\"},{\"type\":"              \
    "\"language-content\",\"spec_version\":\"2.1\",\"id\":\"language-content--" UUID "\",\"created\":"                 \
    "\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"object_ref\":\"tool--" UUID "\","        \
    "\"object_modified\":\"" of "\",\"contents\":{\"de\":{" contents "}}}]}"
    static const struct row rows[] = {
        {TRANSLATED("\"name\":\"Saege\"", "2026-01-02T03:04:05.678Z"), "", 0, "2 accepted"},
        {TRANSLATED("\"label\":\"Saege\"", "2026-01-02T03:04:05.678Z"), "", 1,
         "refused STIX_REFERENCE at /contents/de"},
        {TRANSLATED("\"name\":[\"Saege\"]", "2026-01-02T03:04:05.678Z"), "", 1,
         "refused STIX_REFERENCE at /contents/de"},
        {TRANSLATED("\"label\":\"Saege\"", "2025-01-02T03:04:05.678Z"), "", 0, "2 accepted"}, /* of another version */
    };

    rows_check(rows, ROWS(rows));
}

static void refused_as(struct buf *text, const char *code)
{
    struct arena a = ARENA_INIT;
    struct slice output;

    assert_int_equal(check(&a, buf_slice(text), "", &output), 1);
    if (slice_find(output, slice_of(code)) == output.len)
        fail_msg("%s: %.*s", code, SLICE_ARG(slice_to(output, 300)));
    arena_free(&a);
    buf_free(text);
}

/* What the reader of JSON bounds is told by its own name. */
static void test_cmd_check__limits(void **state)
{
    struct buf b = BUF_INIT;

    for (int i = 0; i <= CHECK_DEPTH_MAX; i++)
        buf_put_byte(&b, '[');
    refused_as(&b, "refused LIMIT_DEPTH at /0/0/");
    buf_put(&b, SLICE("[\""));
    for (int i = 0; i <= CHECK_STRING_MAX; i++)
        buf_put_byte(&b, 'a');
    buf_put(&b, SLICE("\"]"));
    refused_as(&b, "refused LIMIT_STRING at /0");
    buf_put(&b, SLICE("{\"a\":0"));
    for (int i = 0; i < CHECK_MEMBERS_MAX; i++)
        buf_printf(&b, ",\"%d\":0", i);
    buf_put(&b, SLICE("}"));
    refused_as(&b, "refused LIMIT_MEMBERS");
}

/* What the two reference implementations say alike. */
static void test_cmd_check__conformance(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT, scratch = ARENA_INIT;
    struct slice rest, line, output;
    size_t n = 0;

    if (shared == NULL ||
        file_read(&a, file_join(&a, shared, "conformance/stix_cases.jsonl").ptr, 64 << 20, &rest, NULL) != 0) {
        arena_free(&a);
        leave_out("TOCSIN_SHARED names no conformance cases");
    }
    for (size_t i = 0; slice_cut(&rest, '\n', &line) && line.len != 0; i++) {
        struct json row;
        bool valid = false, agree = false;
        assert_int_equal(json_parse(&scratch, line, NULL, &row, NULL), 0);
        json_bool(json_get(row, SLICE("valid")), &valid);
        json_bool(json_get(row, SLICE("agree")), &agree);
        n += agree;
        if (agree && check(&scratch, json_raw(json_get(row, SLICE("object"))), "", &output) != (valid ? 0 : 1))
            fail_row(i, "%.*s: %.*s", SLICE_ARG(json_raw(json_get(row, SLICE("case")))), SLICE_ARG(output));
        arena_reset(&scratch);
    }
    assert_true(n >= 277);
    arena_free(&scratch);
    arena_free(&a);
}

static int dir_make(void **state)
{
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int dir_remove(void **state)
{
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmd_check__verdicts),          cmocka_unit_test(test_cmd_check__json),
        cmocka_unit_test(test_cmd_check__several_documents), cmocka_unit_test(test_cmd_check__references),
        cmocka_unit_test(test_cmd_check__translations),      cmocka_unit_test(test_cmd_check__limits),
        cmocka_unit_test(test_cmd_check__conformance),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}

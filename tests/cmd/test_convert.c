#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/commands.h"

#define UUID "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define HEAD(type)                                                                                                     \
    "{\"type\":\"" type "\",\"id\":\"" type "--" UUID                                                                  \
    "\",\"created\":\"2017-01-01T00:00:00.000Z\",\"modified\":\"2017-01-01T00:00:00.000Z\""
#define OLD  HEAD("tool") ",\"name\":\"t\",\"labels\":[\"exploitation\"]}"
#define NEW  HEAD("tool") ",\"name\":\"t\",\"spec_version\":\"2.1\",\"tool_types\":[\"exploitation\"]}"
#define SEEN HEAD("observed-data") ",\"objects\":{\"0\":{\"type\":\"mutex\",\"name\":\"m\"}}}"
#define BAD  HEAD("observed-data") ",\"objects\":{\"0\":{\"type\":\"file\",\"content_ref\":\"7\"}}}"

static char dir[] = "/tmp/tocsin-convert-XXXXXX";

static void run(struct arena *a, int (*command)(int, char **), const char *text, const char *option, int *status_out,
                struct slice *output_out)
{
    struct slice in = file_join(a, dir, "in.json"), out = file_join(a, dir, "out.txt");
    char name[] = "convert", *argv[] = {name, (char *)in.ptr, (char *)option, NULL};

    assert_int_equal(file_write_atomic(in.ptr, slice_of(text), 0600, NULL), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(out.ptr, "w", stdout));
    *status_out = command(option != NULL ? 3 : 2, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(file_read(a, out.ptr, 1 << 20, output_out, NULL), 0);
    unlink(in.ptr);
    unlink(out.ptr);
}

static void test_cmd_convert__rows(void **state)
{
    static const struct {
        const char *text, *option;
        int status;
        const char *output; /* NULL: not asked */
    } rows[] = {
        {OLD, NULL, 0, NEW "\n"},
        {NEW, NULL, 0, NEW "\n"},
        {"{\"objects\":[" OLD ", " NEW "]}", "--to=2.1", 0, "{\"objects\":[\n" NEW ",\n" NEW "\n]}\n"},
        {"{\"type\":\"bundle\",\"spec_version\":\"2.0\",\"id\":\"bundle--" UUID "\",\"objects\":[" OLD "]}", NULL, 0,
         "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[\n" NEW "\n]}\n"},
        {"{}", NULL, 0, "{\"objects\":[\n]}\n"},
        {SEEN, NULL, 0,
         "{\"objects\":[\n" HEAD(
             "observed-data") ",\"spec_version\":\"2.1\",\"object_refs\":["
                              "\"mutex--07f2b411-b577-5759-885d-c3058bce0b29\"]},\n{\"type\":\"mutex\",\"spec_"
                              "version\":\"2.1\",\"id\":"
                              "\"mutex--07f2b411-b577-5759-885d-c3058bce0b29\",\"name\":\"m\"}\n]}\n"},
        {"{\"objects\":[" SEEN "," BAD "]}", "--json", 1, NULL},
        {BAD, NULL, 1, ""},
        {"[", NULL, 2, ""},
        {OLD, "--to=2.0", 0, OLD "\n"},
        {NEW, "--to=2.0", 0, OLD "\n"},
        {"{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[" NEW "]}", "--to=2.0", 0,
         "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"spec_version\":\"2.0\",\"objects\":[\n" OLD "\n]}\n"},
        {"{\"objects\":[" NEW "," HEAD("note") ",\"spec_version\":\"2.1\"}]}", "--to=2.0", 1,
         "{\"objects\":[\n" OLD "\n]}\n"},
        {OLD, "--to=2.2", 2, ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice output;
        int status;
        run(&a, cmd_convert, rows[i].text, rows[i].option, &status, &output);
        if (status != rows[i].status || (rows[i].output != NULL && !slice_eq(output, slice_of(rows[i].output))))
            fail_row(i, "status %d: %.*s", status, SLICE_ARG(output));
        arena_free(&a);
    }
}

/* One SCO, though two observed-data saw it. */
static void test_cmd_convert__same_value_once(void **state)
{
    struct arena a = ARENA_INIT;
    struct slice output;
    int status;

    run(&a, cmd_convert, "{\"objects\":[" SEEN "," SEEN "]}", NULL, &status, &output);
    size_t at = slice_find(output, SLICE("\"name\":\"m\""));
    assert_true(at != output.len);
    output = slice_from(output, at + 1);
    assert_int_equal(slice_find(output, SLICE("\"name\":\"m\"")), output.len);
    arena_free(&a);
}

static void test_cmd_convert__tells(void **state)
{
    struct arena a = ARENA_INIT;
    struct slice output;
    int status;

    run(&a, cmd_convert, "{\"objects\":[" SEEN "," NEW "," BAD "]}", "--json", &status, &output);
    assert_true(slice_find(output, SLICE("\"verdict\":\"converted\",\"objects\":2}")) != output.len);
    assert_true(slice_find(output, SLICE("\"verdict\":\"unchanged\",\"objects\":1}")) != output.len);
    assert_true(slice_find(output, SLICE("\"verdict\":\"refused\",\"objects\":0,\"code\":\"STIX_REFERENCE\",\"place\":"
                                         "\"/objects/0/content_ref\"")) != output.len);
    arena_free(&a);
}

static void test_cmd_canon__rows(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *output;
    } rows[] = {
        {" { \"b\" : 1.0 , \"a\" : [ ] } ", 0, "{\"a\":[],\"b\":1}"},
        {"1e400", 1, ""},
        {"{\"a\":1,\"a\":2}", 1, ""},
        {"", 1, ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice output;
        int status;
        run(&a, cmd_canon, rows[i].text, NULL, &status, &output);
        if (status != rows[i].status || !slice_eq(output, slice_of(rows[i].output)))
            fail_row(i, "status %d: %.*s", status, SLICE_ARG(output));
        arena_free(&a);
    }
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
        cmocka_unit_test(test_cmd_convert__rows),
        cmocka_unit_test(test_cmd_convert__same_value_once),
        cmocka_unit_test(test_cmd_convert__tells),
        cmocka_unit_test(test_cmd_canon__rows),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}

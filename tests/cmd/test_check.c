#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/commands.h"

#define UUID "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
#define GOOD "{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\",\"name\":\"m\"}"
#define SOFT "{\"type\":\"url\",\"id\":\"url--" UUID "\",\"value\":\"foo\"}"
#define BAD  "{\"type\":\"mutex\",\"id\":\"mutex--" UUID "\"}"
#define OLD  "{\"type\":\"tool\",\"id\":\"tool--" UUID "\",\"name\":\"t\",\"created\":\"2026-01-02T03:04:05.678Z\"}"

static char dir[] = "/tmp/tocsin-check-XXXXXX";

/* Runs the command on one file of this text, its output in a file; gives the exit status. */
static int check(struct arena *a, const char *text, const char *option, struct slice *output_out)
{
    struct slice in = file_join(a, dir, "in.json"), out = file_join(a, dir, "out.txt");
    char name[] = "check", *argv[] = {name, (char *)in.ptr, (char *)option, NULL};

    assert_int_equal(file_write_atomic(in.ptr, slice_of(text), 0600, NULL), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(out.ptr, "w", stdout));
    int status = cmd_check(option != NULL ? 3 : 2, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(file_read(a, out.ptr, 1 << 20, output_out, NULL), 0);
    unlink(in.ptr);
    unlink(out.ptr);
    return status;
}

static void test_cmd_check__verdicts(void **state)
{
    static const struct {
        const char *text, *option;
        int status;
        const char *says;
    } rows[] = {
        {"{\"objects\":[" GOOD "]}", NULL, 0, "1 objects in 1 files: 1 accepted (0 with warnings), 0 refused"},
        {GOOD, NULL, 0, "1 accepted"},
        {"{}", NULL, 0, "0 objects in 1 files"},
        {"{\"objects\":[" GOOD "," BAD "]}", NULL, 1,
         "mutex--" UUID ": refused STIX_REQUIRED at /name: \"name\" is missing"},
        {"{\"objects\":[" OLD "]}", NULL, 1, "refused STIX_VERSION at /spec_version: a STIX 2.0 object"},
        {SOFT, NULL, 0, "1 accepted (1 with warnings)"},
        {SOFT, "--warnings", 0, "warning STIX_VALUE at /value"},
        {SOFT, "--strict", 1, "refused STIX_VALUE at /value"},
        {SOFT, "--json", 0,
         "\"verdict\":\"accepted\",\"problems\":[{\"severity\":\"warning\",\"code\":\"STIX_VALUE\",\"place\":\"/"
         "value\""},
        {GOOD, "--json", 0,
         "{\"files\":1,\"objects\":1,\"accepted\":1,\"with_warnings\":0,\"refused\":0,\"unreadable\":0}"},
        {"{\"type\":\"bundle\",\"id\":\"x\",\"objects\":[" GOOD "]}", NULL, 1,
         "1 accepted (0 with warnings), 0 refused"}, /* the bundle */
        {"{\"objects\":[7]}", NULL, 1, "refused STIX_SYNTAX"},
        {"{\"objects\":7}", NULL, 2, "unreadable STIX_SYNTAX at /objects"},
        {"not JSON", NULL, 2, "unreadable JSON_SYNTAX"},
        {"", NULL, 2, "1 files unreadable"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice output;
        int status = check(&a, rows[i].text, rows[i].option, &output);
        if (status != rows[i].status || slice_find(output, slice_of(rows[i].says)) == output.len)
            fail_row(i, "status %d: %.*s", status, SLICE_ARG(output));
        arena_free(&a);
    }
}

static void put_times(struct buf *out, const char *what, size_t n)
{
    while (n-- > 0)
        buf_put(out, slice_of(what));
}

static void unreadable_as(struct buf *text, const char *code)
{
    struct arena a = ARENA_INIT;
    struct slice output;

    buf_put_byte(text, '\0');
    assert_int_equal(check(&a, text->ptr, NULL, &output), 2);
    if (slice_find(output, slice_of(code)) == output.len)
        fail_msg("%s: %.*s", code, SLICE_ARG(slice_to(output, 300)));
    arena_free(&a);
    buf_free(text);
}

/* What the reader of JSON bounds is told by its own name. */
static void test_cmd_check__limits(void **state)
{
    struct buf b = BUF_INIT;

    put_times(&b, "[", 65);
    unreadable_as(&b, "unreadable LIMIT_DEPTH at /0/0/");
    buf_put(&b, SLICE("[\""));
    put_times(&b, "0123456789abcdef", (1 << 20) + 1);
    buf_put(&b, SLICE("\"]"));
    unreadable_as(&b, "unreadable LIMIT_STRING at /0");
    buf_put(&b, SLICE("{\"a\":0"));
    for (int i = 0; i < 1000000; i++)
        buf_printf(&b, ",\"%d\":0", i);
    buf_put(&b, SLICE("}"));
    unreadable_as(&b, "unreadable LIMIT_MEMBERS");
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
        cmocka_unit_test(test_cmd_check__verdicts),
        cmocka_unit_test(test_cmd_check__limits),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}

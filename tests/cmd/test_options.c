#include "test.h"

#include "cmd/commands.h"
#include "cmd/options.h"

static const struct option_row rows_of_init[] = {
    {"name", "NAME", "The name of the hub.", OPTIONS_REQUIRED},
    {"listen", "ADDR:PORT", "Where it listens (127.0.0.1:6443).", OPTIONS_ONCE},
    {"host", "NAME_OR_IP", "A name in its certificate.", OPTIONS_REPEATED},
    {"json", NULL, "Print JSON.", OPTIONS_ONCE},
};
static const struct option_command init = {"init", "DIR", 1, 1, "Makes a hub.", rows_of_init, ROWS(rows_of_init)};

/* A line cut at blanks; at most 15 words. */
static int parse(struct arena *a, const char *line, struct options *out, struct err *err)
{
    char *argv[16];
    int argc = 0;
    struct slice rest = slice_of(line), word;

    while (argc < 15 && slice_cut(&rest, ' ', &word))
        argv[argc++] = (char *)arena_copy(a, word).ptr;
    argv[argc] = NULL;
    return options_parse(a, &init, argc, argv, out, err);
}

static void test_cmd_options__good_lines(void **state)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct slice *hosts;

    assert_int_equal(parse(&a, "init --name bank /srv/hub --host a.example --json --host=b.example=c", &o, NULL), 0);
    assert_slice(options_get(&o, "name"), "bank");
    assert_int_equal(o.n_operands, 1);
    assert_slice(o.operands[0], "/srv/hub");
    assert_true(options_has(&o, "json"));
    assert_false(options_has(&o, "listen"));
    assert_null(options_get(&o, "listen").ptr);
    assert_slice(options_get_or(&o, "listen", "[::1]:1"), "[::1]:1");
    assert_int_equal(options_all(&a, &o, "host", &hosts), 2);
    assert_slice(hosts[0], "a.example");
    assert_slice(hosts[1], "b.example=c");
    assert_int_equal(parse(&a, "init --name= -- --json", &o, NULL), 0);
    assert_slice(options_get(&o, "name"), ""); /* given, and empty */
    assert_non_null(options_get(&o, "name").ptr);
    assert_false(options_has(&o, "json"));
    assert_slice(o.operands[0], "--json");
    assert_int_equal(parse(&a, "init --name --json -", &o, NULL), 0); /* a value may look like an option */
    assert_slice(options_get(&o, "name"), "--json");
    assert_slice(o.operands[0], "-");
    arena_free(&a);
}

static void test_cmd_options__wrong_lines(void **state)
{
    static const struct {
        const char *line, *place, *text;
    } rows[] = {
        {"init DIR", "--name", "--name is required"},
        {"init --name x", "", "DIR is missing"},
        {"init DIR --name x OTHER", "", "\"OTHER\" is one too many"},
        {"init DIR --name", "--name", "--name needs a value"},
        {"init DIR --name x --name y", "--name", "--name is given twice"},
        {"init DIR --name x --json=1", "--json", "--json takes no value"},
        {"init DIR --name x --lis y", "--lis", "there is no option --lis"},
        {"init DIR --name x --lis=y", "--lis=y", "there is no option --lis"},
        {"init DIR --name x -j", "-j", "there is no option -j"},
        {"init DIR --name x --=y", "--=y", "there is no option --"},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct options o;
        struct err err = ERR_INIT;
        if (parse(&a, rows[i].line, &o, &err) != -1 || err.code != ERR_USAGE || strcmp(err.text, rows[i].text) != 0 ||
            strcmp(err.place, rows[i].place) != 0)
            fail_row(i, "got \"%s\" at \"%s\"", err.text, err.place);
    }
    arena_free(&a);
}

static void test_cmd_options__help(void **state)
{
    struct arena a = ARENA_INIT;
    struct buf text = BUF_INIT;
    struct options o;

    assert_int_equal(parse(&a, "init --help", &o, NULL), 0); /* nothing else is asked for */
    assert_true(o.help);
    assert_int_equal(parse(&a, "init --name x -h", &o, NULL), 0);
    assert_true(o.help);
    options_help(&init, &text);
    assert_slice(buf_slice(&text),
                 "Usage: tocsin init DIR --name NAME [--listen ADDR:PORT] [--host NAME_OR_IP ...] [--json]\n\n"
                 "Makes a hub.\n\n"
                 "  --name NAME         The name of the hub.\n"
                 "  --listen ADDR:PORT  Where it listens (127.0.0.1:6443).\n"
                 "  --host NAME_OR_IP   A name in its certificate.\n"
                 "  --json              Print JSON.\n"
                 "  --help              Print this and leave.\n");
    buf_free(&text);
    arena_free(&a);
}

static void test_cmd_options__begin_tells_the_status(void **state)
{
    struct arena a = ARENA_INIT;
    struct options o;
    int status = -1;
    char name[] = "init", short_one[] = "--nam", option[] = "--name", value[] = "x";
    char *wrong[] = {name, short_one, NULL}, *good[] = {name, option, value, value, NULL};

    assert_false(options_begin(&a, &init, 2, wrong, &o, &status));
    assert_int_equal(status, STATUS_USAGE);
    assert_true(options_begin(&a, &init, 4, good, &o, &status));
    arena_free(&a);
}

static void test_cmd_options__fail_tells_the_status(void **state)
{
    static const struct {
        enum err_code code;
        int status;
    } rows[] = {{ERR_USAGE, 2}, {ERR_CONF_SYNTAX, 78}, {ERR_CONF_VALUE, 78}, {ERR_PORT_IN_USE, 1}, {ERR_SYSTEM, 1}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct err err = ERR_INIT;
        err_set(&err, rows[i].code, "/place", "");
        if (options_fail(&init, &err) != rows[i].status)
            fail_row(i, "%s", err_name(rows[i].code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmd_options__good_lines),
        cmocka_unit_test(test_cmd_options__wrong_lines),
        cmocka_unit_test(test_cmd_options__help),
        cmocka_unit_test(test_cmd_options__begin_tells_the_status),
        cmocka_unit_test(test_cmd_options__fail_tells_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"

struct settings {
    struct slice listen, certificate, note;
    int64_t workers, keep, wait;
    bool verbose;
    uint64_t size;
    struct conf_list peers, ciphers;
};

#define FIELD(name, kind, member, standard, help, min, max)                                                            \
    {                                                                                                                  \
        name, kind, offsetof(struct settings, member), standard, help, min, max                                        \
    }

static const struct conf_field fields[] = {
    FIELD("listen", CONF_TEXT, listen, "127.0.0.1:9000", "address and port", 0, 0),
    FIELD("tls.certificate", CONF_TEXT, certificate, "", "the server's certificate", 0, 0),
    FIELD("limits.workers", CONF_INT, workers, "2", "threads - more or less", 1, 64),
    FIELD("tls.ciphers", CONF_LIST, ciphers, "one, two", "which ciphers", 0, 0),
    FIELD("limits.time.keep", CONF_DURATION, keep, "30d", "how long to keep", 1000, (int64_t)365 * 86400 * 1000000),
    FIELD("limits.time.wait", CONF_DURATION, wait, "250ms", "how long to wait", 0, 0),
    FIELD("verbose", CONF_BOOL, verbose, "false", "more lines", 0, 0),
    FIELD("limits.size", CONF_SIZE, size, "10MiB", "largest envelope", 1024, 1 << 30),
    FIELD("peers", CONF_LIST, peers, "", "other hubs", 0, 0),
    FIELD("note", CONF_TEXT, note, "say \"#: \\ \xd7\xa9\t'\n- x", "a text that YAML would misread", 0, 0),
};

static int parse(struct arena *a, const char *text, struct settings *s, struct err *err)
{
    memset(s, 0xa5, sizeof *s); /* every field is set, given or not */
    return conf_parse(a, "hub.yaml", slice_of(text), fields, ROWS(fields), s, err);
}

static void assert_standard(const struct settings *s)
{
    assert_slice(s->listen, "127.0.0.1:9000");
    assert_slice(s->certificate, "");
    assert_int_equal(s->workers, 2);
    assert_int_equal(s->ciphers.n, 2);
    assert_slice(s->ciphers.items[0], "one");
    assert_slice(s->ciphers.items[1], "two");
    assert_int_equal(s->keep, (int64_t)30 * 86400 * 1000000);
    assert_int_equal(s->wait, 250000);
    assert_false(s->verbose);
    assert_int_equal(s->size, 10 << 20);
    assert_int_equal(s->peers.n, 0);
    assert_slice(s->note, fields[9].standard);
}

static void test_base_conf__standards(void **state)
{
    static const char *const empty[] = {
        "", "\n", "# nothing\n", "---\n", "--- {}\n", "~", "tls:\n", "limits:\n  time:\n", "limits: {time: {}}\n"};

    for (size_t i = 0; i < ROWS(empty); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct settings s;
        if (parse(&a, empty[i], &s, &err) != 0)
            fail_row(i, "%s %s", err.place, err.text);
        assert_standard(&s);
        arena_free(&a);
    }
}

static void test_base_conf__reads_every_kind(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct settings s;

    if (parse(&a,
              "listen: 192.0.2.1:443   # here\n"
              "tls:\n"
              "    certificate: \"a\\u05e9.pem\"\n"
              "    ciphers: []\n"
              "limits: {workers: 64, time: {keep: 1ms, wait: '12h'}, size: 1GiB}\n"
              "verbose: yes\n"
              "peers:\n- one.example\n- 'two.example'\n- \"\"\n- 4\n- five\n"
              "note: |\n  two\n  lines\n",
              &s, &err) != 0)
        fail_msg("%s %s", err.place, err.text);
    assert_slice(s.listen, "192.0.2.1:443");
    assert_int_equal(s.listen.ptr[s.listen.len], '\0');
    assert_slice(s.certificate, "a\xd7\xa9.pem");
    assert_int_equal(s.ciphers.n, 0);
    assert_int_equal(s.workers, 64);
    assert_int_equal(s.keep, 1000);
    assert_int_equal(s.wait, (int64_t)12 * 3600 * 1000000);
    assert_int_equal(s.size, 1 << 30);
    assert_true(s.verbose);
    assert_int_equal(s.peers.n, 5);
    assert_slice(s.peers.items[0], "one.example");
    assert_slice(s.peers.items[2], "");
    assert_slice(s.peers.items[4], "five");
    assert_slice(s.note, "two\nlines\n");
    arena_free(&a);
}

static void test_base_conf__errors_say_where_and_what(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *place, *says;
    } rows[] = {
        {"lissten: x\n", ERR_CONF_SYNTAX, "hub.yaml:1:1", "\"lissten\" is not a setting"},
        {"tls:\n  certificat: x\n", ERR_CONF_SYNTAX, "hub.yaml:2:3", "\"tls.certificat\" is not a setting"},
        {"limits:\n  time:\n    size: 1\n", ERR_CONF_SYNTAX, "hub.yaml:3:5", "\"limits.time.size\" is not a setting"},
        {"limi: {}\n", ERR_CONF_SYNTAX, "hub.yaml:1:1", "\"limi\" is not a setting"},
        {"listen: x\nverbose: on\nlisten: y\n", ERR_CONF_SYNTAX, "hub.yaml:3:1", "\"listen\" stands twice"},
        {"tls: {certificate: a}\ntls: {ciphers: []}\n", ERR_CONF_SYNTAX, "hub.yaml:2:1", "\"tls\" stands twice"},
        {"tls: {certificate: a, certificate: a}\n", ERR_CONF_SYNTAX, "hub.yaml:1:23",
         "\"tls.certificate\" stands twice"},
        {"tls.certificate: a\ntls: {certificate: b}\n", ERR_CONF_SYNTAX, "hub.yaml:2:7", "stands twice"},
        {"listen:\n", ERR_CONF_VALUE, "hub.yaml:1:8", "listen: expected a text, found nothing"},
        {"listen: [a]\n", ERR_CONF_VALUE, "hub.yaml:1:9", "listen: expected a text, found a list"},
        {"listen: {a: b}\n", ERR_CONF_VALUE, "hub.yaml:1:9", "listen: expected a text, found a map"},
        {"listen: \"a\\0b\"\n", ERR_CONF_VALUE, "hub.yaml:1:9", "NUL"},
        {"peers: [\"a\\0b\"]\n", ERR_CONF_VALUE, "hub.yaml:1:9", "NUL"},
        {"peers: one\n", ERR_CONF_VALUE, "hub.yaml:1:8", "peers: expected a list, found one value"},
        {"peers: [a, [b]]\n", ERR_CONF_VALUE, "hub.yaml:1:12", "peers: expected a list of texts"},
        {"peers: [a, ~]\n", ERR_CONF_VALUE, "hub.yaml:1:12", "peers: expected a list of texts"},
        {"tls: x\n", ERR_CONF_VALUE, "hub.yaml:1:6", "tls: expected a map"},
        {"tls: [x]\n", ERR_CONF_VALUE, "hub.yaml:1:6", "tls: expected a map"},
        {"verbose: maybe\n", ERR_CONF_VALUE, "hub.yaml:1:10", "expected true or false, found \"maybe\""},
        {"limits:\n  workers: many\n", ERR_CONF_VALUE, "hub.yaml:2:12", "expected a whole number, found \"many\""},
        {"limits: {workers: 2.5}\n", ERR_CONF_VALUE, "hub.yaml:1:19", "expected a whole number"},
        {"limits: {workers: 0}\n", ERR_CONF_VALUE, "hub.yaml:1:19", "expected number from 1 to 64, found \"0\""},
        {"limits: {workers: -1}\n", ERR_CONF_VALUE, "hub.yaml:1:19", "expected number from 1 to 64"},
        {"limits: {workers: 65}\n", ERR_CONF_VALUE, "hub.yaml:1:19", "expected number from 1 to 64"},
        {"limits: {workers: 99999999999999999999}\n", ERR_CONF_VALUE, "hub.yaml:1:19", "expected a whole number"},
        {"limits: {size: 1023}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected size from 1KiB to 1GiB"},
        {"limits: {size: 2GiB}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected size from 1KiB to 1GiB"},
        {"limits: {size: 10MB}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected a size such as"},
        {"limits: {size: 10 MiB}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected a size such as"},
        {"limits: {size: 99999999TiB}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected a size such as"},
        {"limits: {size: -1}\n", ERR_CONF_VALUE, "hub.yaml:1:16", "expected a size such as"},
        {"limits: {time: {keep: 366d}}\n", ERR_CONF_VALUE, "hub.yaml:1:23", "expected duration from 1ms to 365d"},
        {"limits: {time: {wait: 5}}\n", ERR_CONF_VALUE, "hub.yaml:1:23", "expected a duration such as"},
        {"- listen\n", ERR_CONF_SYNTAX, "hub.yaml:1:1", "expected \"name: value\" lines"},
        {"just a text\n", ERR_CONF_SYNTAX, "hub.yaml:1:1", "expected \"name: value\" lines"},
        {"listen: &x a\nnote: *x\n", ERR_CONF_SYNTAX, "hub.yaml:2:7", "aliases are not accepted"},
        {"[a]: b\n", ERR_CONF_SYNTAX, "hub.yaml:1:1", "a key was expected"},
        {"listen: a\n---\nlisten: b\n", ERR_CONF_SYNTAX, "hub.yaml:2:1", "a second document is not accepted"},
        {"listen: \"a\n", ERR_CONF_SYNTAX, "hub.yaml:2:1", "found unexpected end of stream"},
        {"listen: a\n\tverbose: on\n", ERR_CONF_SYNTAX, "hub.yaml:2:", ""},
        {"listen: \xff\n", ERR_CONF_SYNTAX, "hub.yaml:", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct settings s;
        if (parse(&a, rows[i].text, &s, &err) != -1)
            fail_row(i, "accepted: %s", rows[i].text);
        if (err.code != rows[i].code || !slice_starts(slice_of(err.place), slice_of(rows[i].place)) ||
            strstr(err.text, rows[i].says) == NULL)
            fail_row(i, "%s\n%s %s: %s", rows[i].text, err_name(err.code), err.place, err.text);
        arena_free(&a);
    }
}

static void test_base_conf__what_must_be_given(void **state)
{
    struct must {
        struct slice name;
        int64_t n;
    };
    static const struct conf_field must[] = {
        {"hub.name", CONF_TEXT, offsetof(struct must, name), NULL, "how members call it", 0, 0},
        {"hub.n", CONF_INT, offsetof(struct must, n), "1", "a number", 0, 0},
    };
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct must m;
    struct buf out = BUF_INIT;

    assert_int_equal(conf_parse(&a, "f", SLICE("hub: {name: h1}"), must, 2, &m, &err), 0);
    assert_slice(m.name, "h1");
    assert_int_equal(conf_parse(&a, "f", SLICE("hub:\n  n: 2\n"), must, 2, &m, &err), -1);
    assert_int_equal(err.code, ERR_CONF_VALUE);
    assert_string_equal(err.place, "f:3:1");
    assert_string_equal(err.text, "\"hub.name\" must be given: how members call it");
    conf_print_defaults(must, 2, &out); /* is printed as a comment */
    assert_slice(buf_slice(&out), "hub:\n  # how members call it (text; must be given)\n  #name: \n"
                                  "  # a number (number)\n  n: 1\n");
    buf_free(&out);
    arena_free(&a);
}

static void test_base_conf__printed_defaults_read_back(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct settings s;
    struct buf out = BUF_INIT;

    conf_print_defaults(fields, ROWS(fields), &out);
    buf_put_byte(&out, '\0');
    if (parse(&a, out.ptr, &s, &err) != 0)
        fail_msg("%s %s\n%s", err.place, err.text, out.ptr);
    assert_standard(&s);
    /* Really all of them: each line that is neither a comment nor the head of a map is a field. */
    struct slice rest = slice_n(out.ptr, out.len - 1), line;
    size_t n = 0;
    while (rest.len != 0 && slice_cut(&rest, '\n', &line))
        n += slice_trim(line).ptr[0] != '#' && !slice_ends(line, SLICE(":"));
    assert_int_equal(n, ROWS(fields));
    assert_non_null(strstr(out.ptr, "# largest envelope (size from 1KiB to 1GiB)\n  size: 10MiB\n"));
    buf_free(&out);
    arena_free(&a);
}

static void test_base_conf__prints_the_manual(void **state)
{
    struct buf out = BUF_INIT;

    conf_print_manual(&fields[2], 1, &out);
    assert_slice(buf_slice(&out),
                 ".TP\n\\fBlimits.workers\\fR (number from 1 to 64; default 2)\nthreads \\- more or less.\n");
    buf_clear(&out);
    conf_print_manual(&fields[8], 1, &out);
    assert_slice(buf_slice(&out), ".TP\n\\fBpeers\\fR (list; default empty)\nother hubs.\n");
    buf_free(&out);
}

static void test_base_conf__reads_files(void **state)
{
    char path[] = "/tmp/tocsin-test-conf-XXXXXX";
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct settings s;
    struct buf big = BUF_INIT;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_atomic(path, SLICE("listen: here\n"), 0600, &err), 0);
    assert_int_equal(conf_read(&a, path, fields, ROWS(fields), &s, &err), 0);
    assert_slice(s.listen, "here");
    assert_int_equal(file_write_atomic(path, SLICE("\nlisten: [\n"), 0600, &err), 0);
    assert_int_equal(conf_read(&a, path, fields, ROWS(fields), &s, &err), -1);
    assert_true(slice_starts(slice_of(err.place), slice_of(path)));
    while (big.len <= 1 << 20)
        buf_put(&big, SLICE("# 1 MiB is too much\n"));
    assert_int_equal(file_write_atomic(path, buf_slice(&big), 0600, &err), 0);
    assert_int_equal(conf_read(&a, path, fields, ROWS(fields), &s, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    unlink(path);
    assert_int_equal(conf_read(&a, path, fields, ROWS(fields), &s, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    buf_free(&big);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_conf__standards),
        cmocka_unit_test(test_base_conf__reads_every_kind),
        cmocka_unit_test(test_base_conf__errors_say_where_and_what),
        cmocka_unit_test(test_base_conf__what_must_be_given),
        cmocka_unit_test(test_base_conf__printed_defaults_read_back),
        cmocka_unit_test(test_base_conf__prints_the_manual),
        cmocka_unit_test(test_base_conf__reads_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cmd/commands.h"

static char home[] = "/tmp/tocsin-test-init-XXXXXX";
static char dir[60], told[60];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static int setup(void **state)
{
    if (mkdtemp(home) == NULL)
        return -1;
    snprintf(dir, sizeof dir, "%s/hub", home);
    snprintf(told, sizeof told, "%s/told", home);
    return 0;
}

static int teardown(void **state)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static int teardown_all(void **state)
{
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Runs "init DIR" with these words; what it prints lands in *text_out. */
static int init(struct arena *a, const char *words, struct slice *text_out)
{
    char *argv[20] = {(char[]){"init"}, dir};
    int argc = 2;
    struct slice rest = slice_of(words), word;

    while (argc < 19 && slice_cut(&rest, ' ', &word))
        argv[argc++] = (char *)arena_copy(a, word).ptr;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(told, "w", stdout));
    int status = cmd_init(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(file_read(a, told, 100000, text_out, NULL), 0);
    return status;
}

struct settings {
    struct slice name, id, country, listen, url;
};
static const struct conf_field fields[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), NULL, "", 0, 0},
    {"id", CONF_TEXT, offsetof(struct settings, id), NULL, "", 0, 0},
    {"country", CONF_TEXT, offsetof(struct settings, country), "none", "", 0, 0},
    {"listen", CONF_TEXT, offsetof(struct settings, listen), NULL, "", 0, 0},
    {"url", CONF_TEXT, offsetof(struct settings, url), "none", "", 0, 0},
};

static struct settings read_settings(struct arena *a)
{
    struct settings s;
    struct err err = ERR_INIT;

    if (conf_read(a, file_join(a, dir, "tocsin.yaml").ptr, fields, ROWS(fields), &s, &err) != 0)
        fail_msg("%s: %s", err.place, err.text);
    return s;
}

static void test_cmd_init__makes_a_hub(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } rows[] = {
        {"", 0700},
        {"keys", 0700},
        {"tls", 0700},
        {"data", 0700},
        {"tocsin.yaml", 0600},
        {"keys/secret", 0600},
        {"keys/authority.key", 0600},
        {"tls/authority.pem", 0644},
        {"tls/members.pem", 0644},
        {"tls/server.pem", 0644},
        {"tls/server.key", 0600},
    };
    struct arena a = ARENA_INIT;
    struct slice text;

    assert_int_equal(
        init(&a, "--name Harbour --country XA --listen 192.0.2.1:6443 --host hub.example --host 198.51.100.7", &text),
        0);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct stat st;
        if (stat(file_join(&a, dir, rows[i].name).ptr, &st) != 0 || (st.st_mode & 0777) != rows[i].mode)
            fail_row(i, "%s: mode %o", rows[i].name, st.st_mode & 0777u);
    }
    struct settings s = read_settings(&a);
    assert_slice(s.name, "Harbour");
    assert_slice(s.country, "XA");
    assert_slice(s.listen, "192.0.2.1:6443");
    assert_slice(s.url, "https://hub.example:6443");
    assert_int_equal(s.id.len, 36);
    assert_true(slice_find(text, SLICE("hub.example, 198.51.100.7, 192.0.2.1")) < text.len);
    assert_true(slice_find(text, arena_printf(&a, "Next: tocsin hub %s\n", dir)) < text.len);
    arena_free(&a);
}

static void test_cmd_init__tells_as_json(void **state)
{
    struct arena a = ARENA_INIT;
    struct slice text, pem;
    struct json root;
    uint8_t pin[CRYPTO_HASH];
    struct buf hex = BUF_INIT;
    int64_t until, told_until;

    assert_int_equal(init(&a, "--name \"x:\\ --json", &text), 0); /* a name that YAML would trip over */
    assert_int_equal(json_parse(&a, text, &json_limits_default, &root, NULL), 0);
    assert_slice(json_string(&a, json_get(root, SLICE("name"))), "\"x:\\");
    assert_slice(read_settings(&a).name, "\"x:\\");
    assert_slice(json_text(json_get(root, SLICE("url"))), "https://127.0.0.1:6443");
    assert_int_equal(json_count(json_get(root, SLICE("hosts"))), 2); /* and localhost */
    assert_int_equal(file_read(&a, file_join(&a, dir, "tls/authority.pem").ptr, 10000, &pem, NULL), 0);
    assert_int_equal(crypto_cert_pin(pem, pin, NULL), 0);
    crypto_put_hex(&hex, pin, sizeof pin);
    assert_true(slice_eq(json_text(json_get(root, SLICE("authority_pin"))), buf_slice(&hex)));
    assert_int_equal(crypto_cert_until(pem, &until, NULL), 0);
    assert_true(time_parse(json_text(json_get(root, SLICE("authority_until"))), &told_until));
    assert_int_equal(until / 1000000, told_until / 1000000);
    buf_free(&hex);
    arena_free(&a);
}

static void test_cmd_init__hosts_and_url(void **state)
{
    static const struct {
        const char *words, *url;
        uint32_t hosts; /* 0: depends on this machine's name */
    } rows[] = {
        {"--listen [::1]:1", "https://[::1]:1", 2},
        {"--listen 127.0.0.1:0", "none", 2},
        {"--listen 0.0.0.0:6443 --host 2001:db8::5", "https://[2001:db8::5]:6443", 2},
        {"--listen 127.0.0.1:6443 --host LOCALHOST", "https://LOCALHOST:6443", 2},
        {"--listen [::]:6443", NULL, 0},
        {"--listen 203.0.113.1:6443", "https://203.0.113.1:6443", 1},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct slice text;
        struct json root;
        if (init(&a, arena_printf(&a, "--name x --json %s", rows[i].words).ptr, &text) != 0)
            fail_row(i, "refused");
        assert_int_equal(json_parse(&a, text, &json_limits_default, &root, NULL), 0);
        if (rows[i].url != NULL && !slice_eq(read_settings(&a).url, slice_of(rows[i].url)))
            fail_row(i, SLICE_FMT, SLICE_ARG(read_settings(&a).url));
        if (rows[i].hosts != 0 && json_count(json_get(root, SLICE("hosts"))) != rows[i].hosts)
            fail_row(i, SLICE_FMT, SLICE_ARG(text));
        teardown(state);
        arena_free(&a);
    }
}

static void test_cmd_init__refuses(void **state)
{
    static const struct {
        const char *words;
        int status;
    } rows[] = {
        {"--country XA", 2},
        {"--name ", 2},
        {"--name 01234567890123456789012345678901234567890123456789012345678901234", 2},
        {"--name x --country xa", 2},
        {"--name x --country XAA", 2},
        {"--name x --listen 6443", 2},
        {"--name x --listen :6443", 2},
        {"--name x --listen 127.0.0.1:65536", 2},
        {"--name x --listen 127.0.0.1:", 2},
        {"--name x --host a,b", 78},
        {"--name x another", 2},
    };
    struct arena a = ARENA_INIT;
    struct slice text;

    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = init(&a, rows[i].words, &text);
        if (status != rows[i].status || text.len != 0 || file_exists(dir))
            fail_row(i, "status %d", status);
    }
    arena_free(&a);
}

static void test_cmd_init__touches_no_hub_that_is_there(void **state)
{
    struct arena a = ARENA_INIT;
    struct slice text, before, after;

    assert_int_equal(init(&a, "--name first", &text), 0);
    assert_int_equal(file_read(&a, file_join(&a, dir, "keys/secret").ptr, 100, &before, NULL), 0);
    assert_int_equal(init(&a, "--name second", &text), 1);
    assert_slice(read_settings(&a).name, "first");
    assert_int_equal(file_read(&a, file_join(&a, dir, "keys/secret").ptr, 100, &after, NULL), 0);
    assert_true(slice_eq(before, after));
    teardown(state);
    assert_int_equal(mkdir(dir, 0700), 0); /* an empty folder is fine */
    assert_int_equal(init(&a, "--name third", &text), 0);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_cmd_init__makes_a_hub, teardown),
        cmocka_unit_test_teardown(test_cmd_init__tells_as_json, teardown),
        cmocka_unit_test_teardown(test_cmd_init__hosts_and_url, teardown),
        cmocka_unit_test_teardown(test_cmd_init__refuses, teardown),
        cmocka_unit_test_teardown(test_cmd_init__touches_no_hub_that_is_there, teardown),
    };
    return cmocka_run_group_tests(tests, setup, teardown_all);
}

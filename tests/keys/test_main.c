#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/file.h"
#include "keys/keys.h"

struct home {
    char dir[40], secret[60];
};

static int setup(void **state)
{
    struct home *h = mem_zero(1, sizeof *h);

    snprintf(h->dir, sizeof h->dir, "/tmp/tocsin-test-keys-XXXXXX");
    if (mkdtemp(h->dir) == NULL)
        return -1;
    snprintf(h->secret, sizeof h->secret, "%s/secret", h->dir);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct home *h = *state;

    unlink(h->secret);
    rmdir(h->dir);
    free(h);
    return 0;
}

/* The process, with one channel; NULL keys_out: none. */
static pid_t start(const struct home *h, struct keys **keys_out)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pair[1]);
        _exit(keys_main(h->dir, pair, 1));
    }
    close(pair[0]);
    assert_int_equal(keys_open(pair[1], keys_out, NULL), 0);
    return child;
}

static int status_of(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_keys_main__answers_and_ends_with_its_channels(void **state)
{
    struct keys *k;
    uint8_t key[CRYPTO_KEY], again[CRYPTO_KEY];
    struct slice in = SLICE("member");
    uint8_t mac[1][CRYPTO_MAC];
    struct buf wrapped = BUF_INIT;

    assert_int_equal(keys_make(((struct home *)*state)->dir, NULL), 0);
    pid_t child = start(*state, &k);
    assert_int_equal(keys_token_key(k, key, NULL), 0);
    kill(child, SIGTERM); /* a service manager signals everybody: keys goes last, by itself */
    kill(child, SIGINT);
    kill(child, SIGHUP);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(keys_mac(k, KEYS_MAC_OWNER, &in, 1, mac, NULL), 0);
    assert_int_equal(keys_data_key(k, SLICE("owner"), key, &wrapped, NULL), 0);
    assert_int_equal(keys_unwrap(k, SLICE("owner"), buf_slice(&wrapped), again, NULL), 0);
    assert_int_equal(keys_sign(k, KEYS_SIGN_EVENT, in, (uint8_t[CRYPTO_SIGNATURE]){0}, NULL), 0);
    keys_close(&k);
    assert_int_equal(status_of(child), 0); /* and no system call was missing in the filter */
    buf_free(&wrapped);
}

static void test_keys_main__is_confined(void **state)
{
    struct keys *k;
    uint8_t key[CRYPTO_KEY];
    struct arena a = ARENA_INIT;
    struct slice text;

    assert_int_equal(keys_make(((struct home *)*state)->dir, NULL), 0);
    pid_t child = start(*state, &k);
    assert_int_equal(keys_token_key(k, key, NULL), 0); /* it answers: it is past its start */
    struct slice path = arena_printf(&a, "/proc/%d/status", (int)child);
    assert_int_equal(file_read(&a, path.ptr, 100000, &text, NULL), 0);
    assert_true(slice_find(text, SLICE("NoNewPrivs:\t1")) < text.len);
    if (!CONFINE_SANITIZED)
        assert_true(slice_find(text, SLICE("Seccomp:\t2")) < text.len);
    keys_close(&k);
    assert_int_equal(status_of(child), 0);
    arena_free(&a);
}

static void test_keys_main__make_refuses_a_second_secret(void **state)
{
    const struct home *h = *state;
    struct err err = ERR_INIT;
    struct stat st;
    struct arena a = ARENA_INIT;
    struct slice before, after;

    assert_int_equal(keys_make(h->dir, NULL), 0);
    assert_int_equal(stat(h->secret, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, CRYPTO_KEY);
    assert_int_equal(file_read(&a, h->secret, 100, &before, NULL), 0);
    assert_int_equal(keys_make(h->dir, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(file_read(&a, h->secret, 100, &after, NULL), 0);
    assert_true(slice_eq(before, after));
    arena_free(&a);
}

static void test_keys_main__refuses_a_secret_that_is_none(void **state)
{
    const struct home *h = *state;
    static const struct {
        const char *text;
        mode_t mode;
    } rows[] = {
        {NULL, 0}, /* no file */
        {"short", 0600},
        {"0123456789012345678901234567890x", 0640},
        {"0123456789012345678901234567890x", 0604},
        {"0123456789012345678901234567890xy", 0600},
        {"", 0600},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct keys *k;
        if (rows[i].text != NULL)
            assert_int_equal(file_write_atomic(h->secret, slice_of(rows[i].text), (int)rows[i].mode, NULL), 0);
        int status = status_of(start(h, &k));
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 78)
            fail_row(i, "status %x", (unsigned)status);
        keys_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys_main__answers_and_ends_with_its_channels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_main__is_confined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_main__make_refuses_a_second_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_main__refuses_a_secret_that_is_none, setup, teardown),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/time.h"
#include "sensor/internal.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* A hub that signs what it is asked to, or as badly as the row says. */
struct world {
    struct arena arena;
    struct http_server *http;
    struct taxii_server *taxii;
    int fd;
    uint16_t port;
    struct buf ca, ca_key;
    enum { SIGNS, REFUSES, SIGNS_ANOTHER_KEY } way;
    char dir[40];
    struct slice pem; /* path */
    struct taxii_client_conf conf;
};

static void put_cert(struct world *w, struct slice csr, int64_t until_us, struct buf *out)
{
    struct crypto_cert_ask ask = {SLICE("bank"), NULL, 0, time_now_us() - DAY_US, until_us, CRYPTO_CERT_CLIENT};
    struct err err = ERR_INIT;

    if (crypto_csr_sign(&ask, csr, buf_slice(&w->ca), buf_slice(&w->ca_key), out, &err) != 0)
        fail_msg("%s", err.text);
}

static void certify(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct world *w = hub;
    struct arena a = ARENA_INIT;
    struct json body;
    struct buf cert = BUF_INIT, out = BUF_INIT, csr = BUF_INIT, key = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(json_parse(&a, taxii_reply_body(reply), NULL, &body, NULL), 0);
    assert_int_equal(json_kind(json_get(body, SLICE("code"))), JSON_ABSENT);
    struct slice wanted = json_string(&a, json_get(body, SLICE("csr")));
    crypto_csr_make(SLICE("x"), &csr, &key, NULL);
    put_cert(w, w->way == SIGNS_ANOTHER_KEY ? buf_slice(&csr) : wanted, time_now_us() + 365 * DAY_US, &cert);
    json_put_open(&out, '{');
    json_put_text(&out, "certificate", buf_slice(&cert));
    json_put_close(&out, '}');
    if (w->way == REFUSES) {
        err_set(&err, ERR_FORBIDDEN, "", "no");
        taxii_reply_error(reply, &err);
    } else {
        taxii_reply_json(reply, 201, buf_ref_copy(buf_slice(&out)));
    }
    buf_free(&cert);
    buf_free(&out);
    buf_free(&csr);
    buf_free(&key);
    arena_free(&a);
}

static const struct taxii_backend backend = {.certify = certify};

static void write_first(struct world *w, int64_t until_us)
{
    struct buf csr = BUF_INIT, pem = BUF_INIT;

    assert_int_equal(crypto_csr_make(SLICE("bank"), &csr, &pem, NULL), 0);
    put_cert(w, buf_slice(&csr), until_us, &pem);
    assert_int_equal(file_write_atomic(w->pem.ptr, buf_slice(&pem), 0600, NULL), 0);
    buf_free(&csr);
    buf_free(&pem);
}

static int set_up(void **state)
{
    struct world *w = mem_zero(1, sizeof *w);
    struct http_server_conf conf = http_server_conf_default;
    struct crypto_cert_ask ask = {SLICE("ca"),          NULL, 0, time_now_us() - DAY_US, time_now_us() + 1000 * DAY_US,
                                  CRYPTO_CERT_AUTHORITY};
    struct err err = ERR_INIT;

    strcpy(w->dir, "/tmp/tocsin-test-renew-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->pem = file_join(&w->arena, w->dir, "bank.pem");
    assert_int_equal(crypto_cert_make(&ask, SLICE(""), SLICE(""), &w->ca, &w->ca_key, &err), 0);
    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 16, &w->fd, &w->port, &err), 0);
    w->taxii = taxii_server_new(&backend, w, SLICE("tocsin"));
    conf.listen_fd = w->fd;
    assert_int_equal(http_server_start(&conf, taxii_server_handler(w->taxii), &w->http, &err), 0);
    w->conf = (struct taxii_client_conf){
        .http = {.url = arena_printf(&w->arena, "http://127.0.0.1:%u", w->port), .cert = w->pem, .key = w->pem},
        .root = SLICE("tocsin")};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    http_server_stop(&w->http);
    taxii_server_free(&w->taxii);
    close(w->fd);
    unlink(w->pem.ptr);
    rmdir(w->dir);
    buf_free(&w->ca);
    buf_free(&w->ca_key);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static int64_t until_of(struct world *w)
{
    int64_t until = 0;
    struct err err = ERR_INIT;

    if (renew_until(&w->conf, &until, &err) != 0)
        fail_msg("%s", err.text);
    return until;
}

static void test_sensor_renew__in_one_piece(void **state)
{
    struct world *w = *state;
    struct err err = ERR_INIT;
    struct slice before, after;
    struct stat st;

    write_first(w, time_now_us() + 20 * DAY_US);
    assert_int_equal(file_read(&w->arena, w->pem.ptr, 100000, &before, NULL), 0);
    assert_true(renew_can(&w->conf));
    assert_true(renew_is_due(until_of(w), time_now_us()));
    if (renew_now(&w->conf, &err) != 0)
        fail_msg("%s", err.text);
    assert_false(renew_is_due(until_of(w), time_now_us()));
    assert_int_equal(file_read(&w->arena, w->pem.ptr, 100000, &after, NULL), 0);
    assert_true(crypto_cert_fits(after, after)); /* key and certificate, both new */
    assert_false(crypto_cert_fits(after, before));
    assert_int_equal(stat(w->pem.ptr, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_sensor_renew__failure_keeps_the_old(void **state)
{
    struct world *w = *state;

    write_first(w, time_now_us() + 20 * DAY_US);
    for (int i = REFUSES; i <= SIGNS_ANOTHER_KEY + 1; i++) {
        struct err err = ERR_INIT;
        struct slice before, after;
        w->way = i;
        if (i > SIGNS_ANOTHER_KEY)
            w->conf.http.url = SLICE("http://127.0.0.1:1");
        assert_int_equal(file_read(&w->arena, w->pem.ptr, 100000, &before, NULL), 0);
        assert_int_equal(renew_now(&w->conf, &err), -1);
        assert_int_equal(file_read(&w->arena, w->pem.ptr, 100000, &after, NULL), 0);
        assert_true(slice_eq(before, after));
    }
}

static void test_sensor_renew__when(void **state)
{
    static const struct {
        int64_t left_us;
        bool due;
        int warned;
    } rows[] = {
        {31 * DAY_US, false, -1},
        {30 * DAY_US + 1, false, -1},
        {30 * DAY_US - 1, true, 30},
        {8 * DAY_US, true, 30},
        {7 * DAY_US - 1, true, 7},
        {DAY_US + 1, true, 7},
        {DAY_US - 1, true, 1},
        {1, true, 1},
        {0, true, 0},
        {-DAY_US, true, 0},
    };
    int64_t now = time_now_us();

    for (size_t i = 0; i < ROWS(rows); i++)
        if (renew_is_due(now + rows[i].left_us, now) != rows[i].due ||
            crypto_cert_warning(now + rows[i].left_us, now) != rows[i].warned)
            fail_row(i, "%d", crypto_cert_warning(now + rows[i].left_us, now));
}

/* By itself, when it starts; what does not stand in one file is left to its member. */
static void test_sensor_renew__by_itself(void **state)
{
    struct world *w = *state;
    struct renew *r;

    write_first(w, time_now_us() + 20 * DAY_US);
    assert_int_equal(renew_start(&w->conf, &r, NULL), 0);
    for (int i = 0; i < 5000 && renew_is_due(until_of(w), time_now_us()); i++)
        usleep(1000);
    renew_stop(&r);
    assert_false(renew_is_due(until_of(w), time_now_us()));
    struct taxii_client_conf apart = w->conf, text = w->conf;
    apart.http.key = SLICE("/elsewhere/bank.key");
    assert_false(renew_can(&apart));
    text.http.cert = text.http.key = SLICE("-----BEGIN CERTIFICATE-----");
    assert_false(renew_can(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sensor_renew__in_one_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sensor_renew__failure_keeps_the_old, set_up, tear_down),
        cmocka_unit_test(test_sensor_renew__when),
        cmocka_unit_test_setup_teardown(test_sensor_renew__by_itself, set_up, tear_down),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

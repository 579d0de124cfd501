#include "net/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"

enum { DAY_S = 24 * 3600 };

/* A server with a certificate for `host`, in a state that start() and stop() keep. */
struct tls {
    struct web web;
    struct certs certs;
};

static void tls_start(struct tls *t, const char *host, int64_t from_s, int64_t until_s)
{
    struct http_server_conf conf = http_server_conf_default;

    certs_make(&t->certs, host, from_s, until_s);
    conf.cert_file = t->certs.cert;
    conf.key_file = t->certs.key;
    conf.head_us = 500 * 1000;
    web_start(&t->web, &conf);
}

static void tls_stop(struct tls *t)
{
    web_stop(&t->web);
    certs_remove(&t->certs);
}

/* GET /hello with a client of its own: 0 and the status, or the error's code. */
static enum err_code get(uint16_t port, struct http_client_conf conf, const char *host, struct err *err)
{
    struct http_client *c;
    struct http_result result;
    char url[64];
    int status = 0;

    snprintf(url, sizeof url, "https://%s:%u", host, port);
    conf.url = slice_of(url);
    *err = (struct err)ERR_INIT;
    assert_int_equal(http_client_open(&conf, &c, err), 0);
    if (http_client_send(c, "GET", SLICE("/hello"), NULL, 0, slice_n(NULL, 0), 1000, &result, err) == 0) {
        status = result.status;
        assert_slice(buf_slice(&result.body), "hello");
        http_result_free(&result);
    }
    http_client_close(&c);
    assert_int_equal(status == 200, err->code == ERR_NONE);
    return err->code;
}

static void expect(enum err_code code, const char *words, enum err_code got, const struct err *err)
{
    if (got != code || slice_find(slice_of(err->text), slice_of(words)) == strlen(err->text))
        fail_msg("expected %s with \"%s\", got %s: %s", err_name(code), words, err_name(got), err->text);
}

static void test_net_http_tls__trust(void **state)
{
    struct tls t;
    struct certs foreign;
    struct err err;
    struct http_client_conf conf = {0};
    char pin[65] = "", wrong[65];

    tls_start(&t, "127.0.0.1", -DAY_S, DAY_S);
    certs_make(&foreign, "127.0.0.1", -DAY_S, DAY_S);
    for (int i = 0; i < 32; i++)
        snprintf(pin + 2 * i, 3, "%02x", t.certs.pin[i]);
    memset(wrong, 'a', 64);
    wrong[64] = '\0';

    conf.ca_file = slice_of(t.certs.ca);
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    conf.pin = slice_of(pin);
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    struct arena a = ARENA_INIT;
    assert_int_equal(file_read(&a, t.certs.ca, 100000, &conf.ca_file, &err), 0); /* the authority as text */
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    assert_int_equal(file_read(&a, foreign.ca, 100000, &conf.ca_file, &err), 0);
    expect(ERR_TLS, "authority that is not known", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.ca_file = SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect(ERR_TLS, "ca file cannot be read", get(t.web.port, conf, "127.0.0.1", &err), &err);
    assert_string_equal(err.place, "");
    arena_free(&a);
    conf.ca_file = slice_of(t.certs.ca);
    conf.pin = slice_of(wrong);
    expect(ERR_TLS, "another key than the pin", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.ca_file = slice_n(NULL, 0); /* the pin alone decides */
    expect(ERR_TLS, "another key than the pin", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.pin = slice_of(pin);
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    conf.pin = slice_n(NULL, 0); /* no authority given: the system's do not know ours */
    expect(ERR_TLS, "authority that is not known", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.ca_file = slice_of(foreign.ca);
    expect(ERR_TLS, "authority that is not known", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.pin = slice_of(pin); /* both must hold */
    expect(ERR_TLS, "authority that is not known", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.pin = slice_n(NULL, 0);
    conf.ca_file = SLICE("/nonexistent/ca.pem");
    expect(ERR_TLS, "ca file cannot be read", get(t.web.port, conf, "127.0.0.1", &err), &err);
    certs_remove(&foreign);
    tls_stop(&t);
}

static void test_net_http_tls__other_name(void **state)
{
    struct tls t;
    struct err err;

    tls_start(&t, "hub.example", -DAY_S, DAY_S);
    struct http_client_conf conf = {.ca_file = slice_of(t.certs.ca)};
    expect(ERR_TLS, "another name", get(t.web.port, conf, "127.0.0.1", &err), &err);
    tls_stop(&t);
}

static void test_net_http_tls__dates(void **state)
{
    struct tls t;
    struct err err;

    tls_start(&t, "127.0.0.1", -2 * DAY_S, -DAY_S);
    struct http_client_conf conf = {.ca_file = slice_of(t.certs.ca)};
    expect(ERR_TLS, "has expired", get(t.web.port, conf, "127.0.0.1", &err), &err);
    tls_stop(&t);
    tls_start(&t, "127.0.0.1", DAY_S, 2 * DAY_S);
    conf.ca_file = slice_of(t.certs.ca);
    expect(ERR_TLS, "not valid yet", get(t.web.port, conf, "127.0.0.1", &err), &err);
    tls_stop(&t);
}

static void test_net_http_tls__not_tls(void **state)
{
    struct web w;
    struct err err;
    struct http_client_conf conf = {.ca_file = SLICE("/etc/ssl/certs/ca-certificates.crt")};

    web_start(&w, NULL); /* plain */
    expect(ERR_TLS, "does that port speak https", get(w.port, conf, "127.0.0.1", &err), &err);
    uint16_t port = w.port;
    web_stop(&w);
    expect(ERR_CONNECT, "refused", get(port, conf, "127.0.0.1", &err), &err);
}

/* Garbage, silence and a handshake cut short cost nobody else anything, and the silent ones are cut off. */
static void test_net_http_tls__bad_handshakes(void **state)
{
    struct tls t;
    struct err err;
    struct buf out = BUF_INIT;
    int fds[30];

    tls_start(&t, "127.0.0.1", -DAY_S, DAY_S);
    struct http_client_conf conf = {.ca_file = slice_of(t.certs.ca)};
    for (size_t i = 0; i < ROWS(fds); i++) {
        fds[i] = raw_connect(t.web.port);
        if (i % 3 == 1)
            raw_send(fds[i], SLICE("GET /hello HTTP/1.1\r\nHost: h.example\r\n\r\n"));
        if (i % 3 == 2)
            raw_send(fds[i], SLICE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"));
    }
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    for (size_t i = 0; i < ROWS(fds); i++) {
        assert_true(raw_read(fds[i], &out, 5000));
        close(fds[i]);
    }
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    tls_stop(&t);
    buf_free(&out);
}

static struct http_client *open_client(const struct tls *t)
{
    struct http_client *c;
    struct err err = ERR_INIT;
    char url[64];

    snprintf(url, sizeof url, "https://127.0.0.1:%u", t->web.port);
    struct http_client_conf conf = {.url = slice_of(url), .ca_file = slice_of(t->certs.ca)};
    if (http_client_open(&conf, &c, &err) != 0)
        fail_msg("%s", err.text);
    return c;
}

static void test_net_http_tls__large_bodies(void **state)
{
    struct tls t;
    struct err err = ERR_INIT;
    struct http_result result;
    struct buf body = BUF_INIT;

    tls_start(&t, "127.0.0.1", -DAY_S, DAY_S);
    struct http_client *c = open_client(&t);
    for (int i = 0; i < 800 * 1000; i++) /* 8 MB up and down; curl asks with Expect first */
        buf_printf(&body, "%09d\n", i);
    for (int i = 0; i < 3; i++) {
        if (http_client_send(c, "POST", SLICE("/echo"), NULL, 0, buf_slice(&body), 16 * 1000 * 1000, &result, &err) !=
            0)
            fail_msg("%s", err.text);
        assert_int_equal(result.status, 200);
        assert_true(slice_eq(buf_slice(&result.body), buf_slice(&body)));
        http_result_free(&result);
    }
    struct http_server_counts counts;
    http_server_count(t.web.server, &counts);
    assert_int_equal(counts.accepted, 1); /* one connection, kept */
    http_client_close(&c);
    tls_stop(&t);
    buf_free(&body);
}

static void test_net_http_tls__reload(void **state)
{
    struct tls t;
    struct certs next;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct slice text;
    struct http_result result;

    tls_start(&t, "127.0.0.1", -DAY_S, DAY_S);
    certs_make(&next, "127.0.0.1", -DAY_S, DAY_S);
    struct http_client *old = open_client(&t);
    assert_int_equal(http_client_send(old, "GET", SLICE("/hello"), NULL, 0, slice_n(NULL, 0), 1000, &result, &err), 0);
    http_result_free(&result);

    assert_int_equal(file_write_atomic(t.certs.cert, SLICE("garbage"), 0600, &err), 0);
    assert_int_equal(http_server_reload(t.web.server, &err), -1); /* the old one goes on */
    assert_int_equal(err.code, ERR_TLS);
    struct http_client_conf conf = {.ca_file = slice_of(t.certs.ca)};
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);

    assert_int_equal(file_read(&a, next.cert, 100000, &text, &err), 0);
    assert_int_equal(file_write_atomic(t.certs.cert, text, 0600, &err), 0);
    assert_int_equal(http_server_reload(t.web.server, &err), -1); /* the key does not belong to it */
    assert_int_equal(file_read(&a, next.key, 100000, &text, &err), 0);
    assert_int_equal(file_write_atomic(t.certs.key, text, 0600, &err), 0);
    if (http_server_reload(t.web.server, &err) != 0)
        fail_msg("%s", err.text);
    expect(ERR_TLS, "authority that is not known", get(t.web.port, conf, "127.0.0.1", &err), &err);
    conf.ca_file = slice_of(next.ca);
    assert_int_equal(get(t.web.port, conf, "127.0.0.1", &err), ERR_NONE);
    assert_int_equal(http_client_send(old, "GET", SLICE("/hello"), NULL, 0, slice_n(NULL, 0), 1000, &result, &err),
                     0); /* kept alive */
    http_result_free(&result);
    http_client_close(&old);
    arena_free(&a);
    certs_remove(&next);
    tls_stop(&t);
}

static void test_net_http_tls__bad_files(void **state)
{
    struct certs c, other;
    struct err err = ERR_INIT;
    struct http_server_conf conf = http_server_conf_default;
    struct http_server *server = NULL;
    struct web w;

    certs_make(&c, "127.0.0.1", -DAY_S, DAY_S);
    certs_make(&other, "127.0.0.1", -DAY_S, DAY_S);
    web_start(&w, NULL); /* for its handler's functions alone */
    struct http_handler handler = {.head = NULL};
    handler.head = (int (*)(void *, struct http_request *, uint64_t *, void **, struct err *))abort;
    handler.request = (void (*)(void *, struct http_request *))abort;
    conf.listen_fd = w.conf.listen_fd;
    const char *rows[][3] = {
        {"/nonexistent/cert.pem", c.key, "certificate cannot be used"},
        {c.cert, "/nonexistent/key.pem", "private key cannot be used"},
        {c.cert, other.key, "private key cannot be used"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        conf.cert_file = rows[i][0];
        conf.key_file = rows[i][1];
        assert_int_equal(http_server_start(&conf, &handler, &server, &err), -1);
        expect(ERR_TLS, rows[i][2], err.code, &err);
    }
    web_stop(&w);
    certs_remove(&c);
    certs_remove(&other);
}

static int take_event(void *arg, const struct http_event *e)
{
    buf_put(arg, e->data);
    return slice_eq(e->data, SLICE("end"));
}

static void *feed_stream(void *arg)
{
    struct web *w = arg;
    struct http_stream *s = web_take_stream(w);

    for (int i = 0; i < 100; i++)
        http_stream_send(s, buf_ref_copy(SLICE("id: 1\ndata: x\n\n")));
    http_stream_send(s, buf_ref_copy(SLICE("data: end\n\n")));
    return s;
}

static void test_net_http_tls__stream(void **state)
{
    struct tls t;
    struct err err = ERR_INIT;
    struct buf got = BUF_INIT;
    pthread_t thread;
    void *stream;

    tls_start(&t, "127.0.0.1", -DAY_S, DAY_S);
    struct http_client *c = open_client(&t);
    pthread_create(&thread, NULL, feed_stream, &t.web);
    if (http_client_follow(c, SLICE("/stream"), NULL, 0, 5 * 1000000, take_event, &got, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, 103);
    http_client_close(&c);
    pthread_join(thread, &stream);
    web_wait(&t.web.closeds, 1);
    http_stream_release(stream);
    tls_stop(&t);
    buf_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_http_tls__trust),          cmocka_unit_test(test_net_http_tls__other_name),
        cmocka_unit_test(test_net_http_tls__dates),          cmocka_unit_test(test_net_http_tls__not_tls),
        cmocka_unit_test(test_net_http_tls__bad_handshakes), cmocka_unit_test(test_net_http_tls__large_bodies),
        cmocka_unit_test(test_net_http_tls__reload),         cmocka_unit_test(test_net_http_tls__bad_files),
        cmocka_unit_test(test_net_http_tls__stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "net/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/time.h"

enum { DAY_S = 24 * 3600 };
#define S_US INT64_C(1000000)

/* A server with an authority for clients beside its own, and two clients. */
struct pem {
    struct buf cert, key;
};
struct scene {
    struct web web;
    struct certs certs;
    struct arena arena;
    char clients[96], crl[96], ocsp[96];
    struct pem authority, bank, clinic;
};

static void make(struct pem *p, const char *name, enum crypto_cert_kind kind, int64_t from_s, int64_t until_s,
                 const struct pem *issuer)
{
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {slice_of(name), NULL, 0, now + from_s * S_US, now + until_s * S_US, kind};
    struct err err = ERR_INIT;

    *p = (struct pem){BUF_INIT, BUF_INIT};
    if (crypto_cert_make(&ask, issuer != NULL ? buf_slice(&issuer->cert) : SLICE(""),
                         issuer != NULL ? buf_slice(&issuer->key) : SLICE(""), &p->cert, &p->key, &err) != 0)
        fail_msg("%s", err.text);
}

static void pem_free(struct pem *p)
{
    buf_free(&p->cert);
    buf_free(&p->key);
}

static void write_text(const char *path, struct slice text)
{
    struct err err = ERR_INIT;

    if (file_write_atomic(path, text, 0600, &err) != 0)
        fail_msg("%s", err.text);
}

static void scene_start(struct scene *s)
{
    struct http_server_conf conf = http_server_conf_default;

    memset(s, 0, sizeof *s);
    certs_make(&s->certs, "127.0.0.1", -DAY_S, DAY_S);
    snprintf(s->clients, sizeof s->clients, "%s/clients.pem", s->certs.dir);
    snprintf(s->crl, sizeof s->crl, "%s/crl.pem", s->certs.dir);
    snprintf(s->ocsp, sizeof s->ocsp, "%s/ocsp.der", s->certs.dir);
    make(&s->authority, "members' authority", CRYPTO_CERT_AUTHORITY, -DAY_S, DAY_S, NULL);
    make(&s->bank, "bank", CRYPTO_CERT_CLIENT, -DAY_S, DAY_S, &s->authority);
    make(&s->clinic, "clinic", CRYPTO_CERT_CLIENT, -DAY_S, DAY_S, &s->authority);
    write_text(s->clients, buf_slice(&s->authority.cert));
    conf.cert_file = s->certs.cert;
    conf.key_file = s->certs.key;
    conf.clients_file = s->clients;
    conf.crl_file = s->crl;
    conf.ocsp_file = s->ocsp;
    conf.head_us = 2 * S_US;
    web_start(&s->web, &conf);
}

static void scene_stop(struct scene *s)
{
    web_stop(&s->web);
    unlink(s->clients);
    unlink(s->crl);
    unlink(s->ocsp);
    certs_remove(&s->certs);
    pem_free(&s->authority);
    pem_free(&s->bank);
    pem_free(&s->clinic);
    arena_free(&s->arena);
}

static struct http_client *open_as(struct scene *s, const struct pem *who)
{
    struct http_client *c;
    struct err err = ERR_INIT;
    struct http_client_conf conf = {.url = arena_printf(&s->arena, "https://127.0.0.1:%u", s->web.port),
                                    .ca_file = slice_of(s->certs.ca)};

    if (who != NULL) {
        conf.cert = buf_slice(&who->cert);
        conf.key = buf_slice(&who->key);
    }
    if (http_client_open(&conf, &c, &err) != 0)
        fail_msg("%s", err.text);
    return c;
}

/* What the server makes of this client now. */
static struct slice seen(struct scene *s, struct http_client *c)
{
    struct http_result result;
    struct err err = ERR_INIT;

    if (http_client_send(c, "GET", SLICE("/certificate"), NULL, 0, slice_n(NULL, 0), 1000, &result, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(result.status, 200);
    struct slice text = arena_copy(&s->arena, buf_slice(&result.body));
    http_result_free(&result);
    return text;
}

static void expect(struct slice got, const char *words)
{
    if (slice_find(got, slice_of(words)) == got.len)
        fail_msg("expected \"%s\", got \"" SLICE_FMT "\"", words, SLICE_ARG(got));
}

static void see_once(struct scene *s, const struct pem *who, const char *words)
{
    struct http_client *c = open_as(s, who);

    expect(seen(s, c), words);
    http_client_close(&c);
}

static void reload(struct scene *s)
{
    struct err err = ERR_INIT;

    if (http_server_reload(s->web.server, &err) != 0)
        fail_msg("%s", err.text);
}

/* A list of the members' authority with these in it. */
static void write_list(struct scene *s, const struct pem *const *who, size_t n, int64_t until_s)
{
    struct crypto_revoked list[4];
    struct buf crl = BUF_INIT;
    struct err err = ERR_INIT;
    int64_t now = time_now_us();

    for (size_t i = 0; i < n; i++) {
        struct crypto_cert told;
        assert_int_equal(crypto_cert_read(&s->arena, buf_slice(&who[i]->cert), &told, &err), 0);
        list[i] = (struct crypto_revoked){told.serial, now - S_US};
    }
    if (crypto_crl_make(list, n, 1, now - 2 * DAY_S * S_US, now + until_s * S_US, buf_slice(&s->authority.cert),
                        buf_slice(&s->authority.key), &crl, &err) != 0)
        fail_msg("%s", err.text);
    write_text(s->crl, buf_slice(&crl));
    buf_free(&crl);
}

/* Optional, and judged: what is not good is as good as none, and the handler is told why. */
static void test_net_http_peer__who_is_seen(void **state)
{
    struct scene s;
    struct pem stranger, other, old, early, server, self;

    scene_start(&s);
    make(&stranger, "stranger's authority", CRYPTO_CERT_AUTHORITY, -DAY_S, DAY_S, NULL);
    make(&other, "bank", CRYPTO_CERT_CLIENT, -DAY_S, DAY_S, &stranger);
    make(&old, "bank", CRYPTO_CERT_CLIENT, -2 * DAY_S, -DAY_S, &s.authority);
    make(&early, "bank", CRYPTO_CERT_CLIENT, DAY_S / 2, DAY_S, &s.authority);
    make(&server, "bank", CRYPTO_CERT_SERVER, -DAY_S, DAY_S, &s.authority);
    make(&self, "bank", CRYPTO_CERT_CLIENT, -DAY_S, DAY_S, NULL);
    const struct {
        const struct pem *who;
        const char *words;
    } rows[] = {
        {NULL, "none"},
        {&s.bank, "certificate CN=bank"},
        {&s.clinic, "certificate CN=clinic"},
        {&other, "refused the client certificate is of an authority that this hub does not know"},
        {&self, "refused the client certificate is of an authority"},
        {&old, "refused the client certificate, or its authority's, has expired"},
        {&early, "refused the client certificate is not valid yet"},
        {&server, "refused the certificate was not made for a client"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        see_once(&s, rows[i].who, rows[i].words);
    pem_free(&stranger);
    pem_free(&other);
    pem_free(&old);
    pem_free(&early);
    pem_free(&server);
    pem_free(&self);
    scene_stop(&s);
}

/* The one who signs in is told what stands in the certificate. */
static void test_net_http_peer__what_is_told(void **state)
{
    struct arena a = ARENA_INIT;
    struct pem one;
    struct crypto_cert told;
    struct slice hosts[] = {SLICE("sensor.example"), SLICE("192.0.2.1"), SLICE("2001:db8::1")};
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {SLICE("B\xc3\xa4nk, \"Ltd\"\n"), hosts, 3, now, now + S_US, CRYPTO_CERT_CLIENT};

    one = (struct pem){BUF_INIT, BUF_INIT};
    assert_int_equal(crypto_cert_make(&ask, SLICE(""), SLICE(""), &one.cert, &one.key, NULL), 0);
    assert_int_equal(crypto_cert_read(&a, buf_slice(&one.cert), &told, NULL), 0);
    assert_slice(told.subject, "CN=B\xc3\xa4nk\\, \\\"Ltd\\\"\\0A");
    assert_slice(told.common_name, "B\xc3\xa4nk, \"Ltd\"\n");
    assert_int_equal(told.n_names, 3);
    assert_slice(told.names[0], "DNS:sensor.example");
    assert_slice(told.names[1], "IP:192.0.2.1");
    assert_slice(told.names[2], "IP:2001:db8::1");
    assert_int_equal(told.serial.len, 32);
    assert_int_equal(told.until_us / S_US, (now + S_US) / S_US);
    assert_false(told.authority);
    pem_free(&one);
    arena_free(&a);
}

/* Revocation counts from the next request on, also on a connection that is open; other clients go on. */
static void test_net_http_peer__revoked(void **state)
{
    struct scene s;
    const struct pem *both[] = {&s.bank, &s.clinic};

    scene_start(&s);
    write_list(&s, NULL, 0, DAY_S);
    reload(&s);
    struct http_client *bank = open_as(&s, &s.bank), *clinic = open_as(&s, &s.clinic);
    expect(seen(&s, bank), "certificate CN=bank");
    expect(seen(&s, clinic), "certificate CN=clinic");
    assert_false(http_server_has_changed(s.web.server));
    write_list(&s, both, 1, DAY_S);
    expect(seen(&s, bank), "certificate CN=bank"); /* not read yet */
    assert_true(http_server_has_changed(s.web.server));
    reload(&s);
    expect(seen(&s, bank), "refused the client certificate has been revoked");
    expect(seen(&s, clinic), "certificate CN=clinic");
    struct http_server_counts counts;
    http_server_count(s.web.server, &counts);
    assert_int_equal(counts.accepted, 2); /* the connections were kept */
    see_once(&s, &s.bank, "revoked");

    write_list(&s, both, 1,
               -DAY_S); /* a list that should have been replaced yesterday refuses what it names, and no more */
    reload(&s);
    expect(seen(&s, bank), "revoked");
    expect(seen(&s, clinic), "certificate CN=clinic");
    struct http_server_ends ends;
    http_server_ends(s.web.server, &ends);
    assert_true(ends.crl_us < time_now_us());
    assert_true(ends.cert_us > time_now_us() && ends.cert_us < time_now_us() + 2 * DAY_S * S_US);
    assert_int_equal(ends.ocsp_us, INT64_MAX);

    write_text(s.crl, SLICE("no list")); /* what was read before goes on */
    assert_int_equal(http_server_reload(s.web.server, NULL), -1);
    expect(seen(&s, bank), "revoked");
    unlink(s.crl);
    reload(&s);
    expect(seen(&s, bank), "certificate CN=bank");
    http_client_close(&bank);
    http_client_close(&clinic);
    scene_stop(&s);
}

/* Another authority, without a restart: what it did not sign is refused on open connections too. */
static void test_net_http_peer__authorities_change(void **state)
{
    struct scene s;
    struct pem next, guest;
    struct buf both = BUF_INIT;

    scene_start(&s);
    make(&next, "next authority", CRYPTO_CERT_AUTHORITY, -DAY_S, DAY_S, NULL);
    make(&guest, "guest", CRYPTO_CERT_CLIENT, -DAY_S, DAY_S, &next);
    struct http_client *bank = open_as(&s, &s.bank), *visitor = open_as(&s, &guest);
    expect(seen(&s, bank), "certificate CN=bank");
    expect(seen(&s, visitor), "refused");
    buf_put(&both, buf_slice(&s.authority.cert));
    buf_put(&both, buf_slice(&next.cert));
    write_text(s.clients, buf_slice(&both));
    reload(&s);
    expect(seen(&s, bank), "certificate CN=bank");
    expect(seen(&s, visitor), "certificate CN=guest");
    write_text(s.clients, buf_slice(&next.cert));
    reload(&s);
    expect(seen(&s, bank), "refused the client certificate is of an authority");
    expect(seen(&s, visitor), "certificate CN=guest");
    write_text(s.clients, SLICE("garbage"));
    assert_int_equal(http_server_reload(s.web.server, NULL), -1);
    expect(seen(&s, visitor), "certificate CN=guest");
    unlink(s.clients);
    reload(&s);
    expect(seen(&s, visitor), "refused this hub takes no client certificates");
    see_once(&s, &guest, "none");
    http_client_close(&bank);
    http_client_close(&visitor);
    buf_free(&both);
    pem_free(&next);
    pem_free(&guest);
    scene_stop(&s);
}

static int count_event(void *arg, const struct http_event *e)
{
    (void)e;
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

struct follower {
    struct http_client *client;
    atomic_int events;
    struct err err;
    int result;
};

static void *follow(void *arg)
{
    struct follower *f = arg;

    f->err = (struct err)ERR_INIT;
    f->result = http_client_follow(f->client, SLICE("/stream"), NULL, 0, 20 * S_US, count_event, &f->events, &f->err);
    return NULL;
}

/* A stream asks nothing more, so it is ended when its certificate is revoked. */
static void test_net_http_peer__stream_ends(void **state)
{
    struct scene s;
    struct follower f = {.result = 1};
    const struct pem *revoked[] = {&s.clinic, &s.bank};
    pthread_t thread;

    scene_start(&s);
    f.client = open_as(&s, &s.bank);
    pthread_create(&thread, NULL, follow, &f);
    struct http_stream *stream = web_take_stream(&s.web);
    http_stream_send(stream, buf_ref_copy(SLICE("data: x\n\n")));
    web_wait(&f.events, 1);
    write_list(&s, revoked, 1, DAY_S); /* somebody else's */
    reload(&s);
    http_stream_send(stream, buf_ref_copy(SLICE("data: x\n\n")));
    web_wait(&f.events, 2);
    usleep(600 * 1000); /* ticks pass */
    assert_int_equal(atomic_load(&s.web.closeds), 0);
    write_list(&s, revoked, 2, DAY_S);
    reload(&s);
    web_wait(&s.web.closeds, 1);
    pthread_join(thread, NULL);
    assert_int_equal(f.result, -1);
    http_stream_release(stream);
    http_client_close(&f.client);
    scene_stop(&s);
}

/* ---- a client that looks into TLS itself ---- */

struct look {
    bool resumed;
    long stapled; /* bytes of the OCSP response; -1: none */
    SSL_SESSION *session;
    struct slice seen;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **to = SSL_get_app_data(ssl);

    SSL_SESSION_free(*to);
    *to = session;
    return 1;
}

static SSL_CTX *look_context(int version, const struct pem *who)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    if (who != NULL) {
        BIO *cert = BIO_new_mem_buf(who->cert.ptr, (int)who->cert.len);
        BIO *key = BIO_new_mem_buf(who->key.ptr, (int)who->key.len);
        X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
        EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
        assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, k), 1);
        X509_free(x);
        EVP_PKEY_free(k);
        BIO_free(cert);
        BIO_free(key);
    }
    return ctx;
}

/* One request on a connection of its own; `session` (NULL: none) is offered for resumption. */
static struct look look(struct scene *s, SSL_CTX *ctx, SSL_SESSION *session)
{
    static const char request[] = "GET /certificate HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n\r\n";
    struct look l = {.stapled = -1};
    const unsigned char *response;
    char got[4096];
    size_t len = 0, n;
    int fd = raw_connect(s->web.port);
    SSL *ssl = SSL_new(ctx);

    SSL_set_app_data(ssl, &l.session);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    if (session != NULL)
        assert_int_equal(SSL_set_session(ssl, session), 1);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_write(ssl, request, sizeof request - 1), sizeof request - 1);
    while (len < sizeof got && SSL_read_ex(ssl, got + len, sizeof got - len, &n) == 1)
        len += n;
    l.resumed = SSL_session_reused(ssl) == 1;
    l.stapled = SSL_get_tlsext_status_ocsp_resp(ssl, &response);
    l.seen = arena_copy(&s->arena, slice_n(got, len));
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return l;
}

/* A ticket must not outlive a revocation: with a certificate every handshake is a full one, without it none need be. */
static void test_net_http_peer__sessions(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct scene s;

    scene_start(&s);
    for (size_t i = 0; i < ROWS(versions); i++)
        for (int with = 0; with < 2; with++) {
            SSL_CTX *ctx = look_context(versions[i], with ? &s.bank : NULL);
            struct look first = look(&s, ctx, NULL);
            assert_false(first.resumed);
            expect(first.seen, with ? "certificate CN=bank" : "none");
            struct look second = look(&s, ctx, first.session);
            if (second.resumed == (bool)with || (!with && first.session == NULL))
                fail_row(i, "with %d: resumed %d", with, second.resumed);
            expect(second.seen, with ? "certificate CN=bank" : "none");
            SSL_SESSION_free(first.session);
            SSL_SESSION_free(second.session);
            SSL_CTX_free(ctx);
        }
    scene_stop(&s);
}

static void staple(struct scene *s, const struct pem *of, const struct pem *issuer, int64_t from_s, int64_t until_s)
{
    struct buf response = BUF_INIT;
    struct err err = ERR_INIT;
    int64_t now = time_now_us();

    if (crypto_ocsp_make(buf_slice(&of->cert), 0, now + from_s * S_US, now + until_s * S_US, buf_slice(&issuer->cert),
                         buf_slice(&issuer->key), &response, &err) != 0)
        fail_msg("%s", err.text);
    write_text(s->ocsp, buf_slice(&response));
    buf_free(&response);
    reload(s);
}

static long stapled_now(struct scene *s)
{
    SSL_CTX *ctx = look_context(TLS1_3_VERSION, NULL);
    struct look l = look(s, ctx, NULL);

    SSL_SESSION_free(l.session);
    SSL_CTX_free(ctx);
    return l.stapled;
}

/* A response is shown while it is valid and about this certificate; else none is, and nobody is turned away. */
static void test_net_http_peer__stapling(void **state)
{
    struct scene s;
    struct pem server, other;

    scene_start(&s);
    make(&server, "server", CRYPTO_CERT_SERVER, -DAY_S, DAY_S, &s.authority);
    make(&other, "other", CRYPTO_CERT_SERVER, -DAY_S, DAY_S, &s.authority);
    write_text(s.certs.cert, buf_slice(&server.cert));
    write_text(s.certs.key, buf_slice(&server.key));
    reload(&s);
    assert_int_equal(stapled_now(&s), -1);
    staple(&s, &server, &s.authority, -60, DAY_S);
    assert_true(stapled_now(&s) > 100);
    struct http_server_ends ends;
    http_server_ends(s.web.server, &ends);
    assert_true(ends.ocsp_us > time_now_us() && ends.ocsp_us < time_now_us() + 2 * DAY_S * S_US);
    staple(&s, &other, &s.authority, -60, DAY_S);
    assert_int_equal(stapled_now(&s), -1);
    staple(&s, &server, &s.authority, -DAY_S, -60);
    assert_int_equal(stapled_now(&s), -1);
    staple(&s, &server, &s.authority, -60, 2); /* it ends while the server runs */
    assert_true(stapled_now(&s) > 100);
    sleep(3);
    assert_int_equal(stapled_now(&s), -1);
    write_text(s.ocsp, SLICE("garbage"));
    reload(&s);
    assert_int_equal(stapled_now(&s), -1);
    pem_free(&server);
    pem_free(&other);
    scene_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_http_peer__who_is_seen), cmocka_unit_test(test_net_http_peer__what_is_told),
        cmocka_unit_test(test_net_http_peer__revoked),     cmocka_unit_test(test_net_http_peer__authorities_change),
        cmocka_unit_test(test_net_http_peer__stream_ends), cmocka_unit_test(test_net_http_peer__sessions),
        cmocka_unit_test(test_net_http_peer__stapling),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

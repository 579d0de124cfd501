#include "test.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/crypto_cert.h"

enum { DAY_S = 86400 };
static const int64_t from_us = 1767225600000000;                    /* 2026-01-01 */
static const int64_t until_us = from_us + 3650ll * DAY_S * 1000000; /* past 2036 */

static X509 *parse(const struct buf *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->ptr, (int)pem->len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

struct pair {
    struct buf cert, key;
};

static void pair_free(struct pair *p)
{
    buf_free(&p->cert);
    buf_free(&p->key);
}

static struct pair make_authority(void)
{
    struct pair p = {BUF_INIT, BUF_INIT};
    struct crypto_cert_ask ask = {SLICE("Example hub authority"), NULL, 0, from_us, until_us, CRYPTO_CERT_AUTHORITY};
    struct err err = ERR_INIT;

    if (crypto_cert_make(&ask, slice_n(NULL, 0), slice_n(NULL, 0), &p.cert, &p.key, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static int verify(X509 *authority, X509 *cert, int purpose, const char *host, const char *address)
{
    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    X509_STORE_add_cert(trusted, authority);
    X509_STORE_CTX_init(ctx, trusted, cert, NULL);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)(from_us / 1000000 + DAY_S));
    X509_STORE_CTX_set_purpose(ctx, purpose);
    if (host != NULL)
        X509_VERIFY_PARAM_set1_host(param, host, 0);
    if (address != NULL)
        X509_VERIFY_PARAM_set1_ip_asc(param, address);
    int good = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(trusted);
    return good;
}

static void test_base_crypto_cert__server_is_trusted_by_its_authority_alone(void **state)
{
    struct pair authority = make_authority(), stranger = make_authority(), server = {BUF_INIT, BUF_INIT};
    struct slice hosts[] = {SLICE("hub.example"), SLICE("192.0.2.1"), SLICE("2001:db8::1")};
    struct crypto_cert_ask ask = {SLICE("hub.example"), hosts, 3, from_us, until_us, CRYPTO_CERT_BOTH};

    assert_int_equal(
        crypto_cert_make(&ask, buf_slice(&authority.cert), buf_slice(&authority.key), &server.cert, &server.key, NULL),
        0);
    X509 *a = parse(&authority.cert), *s = parse(&server.cert), *x = parse(&stranger.cert);
    static const struct {
        int purpose;
        const char *host, *address;
        int result;
    } rows[] = {
        {X509_PURPOSE_SSL_SERVER, "hub.example", NULL, X509_V_OK},
        {X509_PURPOSE_SSL_CLIENT, NULL, NULL, X509_V_OK},
        {X509_PURPOSE_SSL_SERVER, NULL, "192.0.2.1", X509_V_OK},
        {X509_PURPOSE_SSL_SERVER, NULL, "2001:db8::1", X509_V_OK},
        {X509_PURPOSE_SSL_SERVER, "other.example", NULL, X509_V_ERR_HOSTNAME_MISMATCH},
        {X509_PURPOSE_SSL_SERVER, NULL, "192.0.2.2", X509_V_ERR_IP_ADDRESS_MISMATCH},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int result = verify(a, s, rows[i].purpose, rows[i].host, rows[i].address);
        if (result != rows[i].result)
            fail_row(i, "%s", X509_verify_cert_error_string(result));
    }
    assert_int_not_equal(verify(x, s, X509_PURPOSE_SSL_SERVER, NULL, NULL), X509_V_OK);
    assert_int_equal(X509_check_ca(a), 1);
    assert_int_equal(X509_check_ca(s), 0);
    assert_int_equal(X509_get_extension_flags(a) & EXFLAG_KUSAGE, EXFLAG_KUSAGE);
    assert_int_equal(X509_get_key_usage(a), KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_key_usage(s), KU_DIGITAL_SIGNATURE);
    X509_free(a);
    X509_free(s);
    X509_free(x);
    pair_free(&authority);
    pair_free(&stranger);
    pair_free(&server);
}

static void test_base_crypto_cert__pin_and_end(void **state)
{
    struct pair one = make_authority(), two = make_authority();
    uint8_t pin[CRYPTO_HASH], again[CRYPTO_HASH], own[CRYPTO_HASH];
    int64_t until = 0;
    struct err err = ERR_INIT;
    X509 *cert = parse(&one.cert);
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(X509_get0_pubkey(cert), &spki);

    assert_int_equal(crypto_cert_pin(buf_slice(&one.cert), pin, NULL), 0);
    crypto_sha256(slice_n((char *)spki, (size_t)len), own);
    assert_memory_equal(pin, own, sizeof pin);
    assert_int_equal(crypto_cert_pin(buf_slice(&two.cert), again, NULL), 0);
    assert_memory_not_equal(pin, again, sizeof pin);
    assert_int_equal(crypto_cert_until(buf_slice(&one.cert), &until, NULL), 0);
    assert_int_equal(until, until_us);
    assert_int_equal(crypto_cert_pin(SLICE("no certificate"), pin, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_equal(crypto_cert_until(SLICE(""), &until, &err), -1);
    OPENSSL_free(spki);
    X509_free(cert);
    pair_free(&one);
    pair_free(&two);
}

static void test_base_crypto_cert__refuses(void **state)
{
    struct pair authority = make_authority(), other = make_authority(), out = {BUF_INIT, BUF_INIT};
    static const struct {
        const char *name, *host;
        enum err_code code;
    } rows[] = {
        {"", "hub.example", ERR_CONF_VALUE},
        {"0123456789012345678901234567890123456789012345678901234567890123", "hub.example", ERR_NONE},
        {"01234567890123456789012345678901234567890123456789012345678901234", "hub.example", ERR_CONF_VALUE},
        {"hub", "", ERR_CONF_VALUE},
        {"hub", "hub..example", ERR_CONF_VALUE},
        {"hub", "hub.example,IP:192.0.2.9", ERR_CONF_VALUE},
        {"hub", "hub example", ERR_CONF_VALUE},
        {"hub", "localhost", ERR_NONE},
        {"hub", "::1", ERR_NONE},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice host = slice_of(rows[i].host);
        struct crypto_cert_ask ask = {slice_of(rows[i].name), &host, 1, from_us, until_us, CRYPTO_CERT_BOTH};
        struct err err = ERR_INIT;
        crypto_cert_make(&ask, buf_slice(&authority.cert), buf_slice(&authority.key), &out.cert, &out.key, &err);
        if (err.code != rows[i].code)
            fail_row(i, "%s: %s", err_name(err.code), err.text);
    }
    struct crypto_cert_ask ask = {SLICE("hub"), NULL, 0, from_us, until_us, CRYPTO_CERT_BOTH};
    struct err err = ERR_INIT;
    assert_int_equal(
        crypto_cert_make(&ask, buf_slice(&authority.cert), buf_slice(&other.key), &out.cert, &out.key, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_equal(crypto_cert_make(&ask, SLICE("x"), buf_slice(&other.key), &out.cert, &out.key, &err), -1);
    pair_free(&authority);
    pair_free(&other);
    pair_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_crypto_cert__server_is_trusted_by_its_authority_alone),
        cmocka_unit_test(test_base_crypto_cert__pin_and_end),
        cmocka_unit_test(test_base_crypto_cert__refuses),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Certificates, requests for them and OCSP responses as peers send them: read or refused, and nothing that says who
 * somebody is holds a NUL or a line end. */
#include <assert.h>

#include "base/crypto_cert.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf issuer, issuer_key;
static struct crypto_trust *trust;

static void make_issuer(void)
{
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {SLICE("issuer"), NULL, 0, now, now + INT64_C(86400000000), CRYPTO_CERT_AUTHORITY};
    int status = crypto_start(NULL);

    status |= crypto_cert_make(&ask, SLICE(""), SLICE(""), &issuer, &issuer_key, NULL);
    status |= crypto_trust_make(buf_slice(&issuer), SLICE(""), &trust, NULL);
    assert(status == 0);
}

static void check_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        assert((unsigned char)text.ptr[i] >= ' ' && text.ptr[i] != 0x7f);
}

static void read_cert(struct slice der)
{
    struct arena a = ARENA_INIT;
    struct crypto_cert told;

    if (crypto_cert_read(&a, der, &told, NULL) == 0) {
        check_text(told.subject);
        check_text(told.issuer);
        check_text(told.serial);
        for (size_t i = 0; i < told.n_names; i++)
            check_text(told.names[i]);
    }
    crypto_trust_check(trust, der, &der, 1, time_now_us(), NULL);
    arena_free(&a);
}

static void sign_request(struct slice der)
{
    struct buf pem = BUF_INIT, cert = BUF_INIT;
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {SLICE("member"), NULL, 0, now, now + 1000000, CRYPTO_CERT_CLIENT};
    struct arena a = ARENA_INIT;
    struct crypto_cert told;

    buf_put(&pem, SLICE("-----BEGIN CERTIFICATE REQUEST-----\n"));
    crypto_put_base64(&pem, der, false);
    buf_put(&pem, SLICE("\n-----END CERTIFICATE REQUEST-----\n"));
    if (crypto_csr_sign(&ask, buf_slice(&pem), buf_slice(&issuer), buf_slice(&issuer_key), &cert, NULL) == 0) {
        int status = crypto_cert_read(&a, buf_slice(&cert), &told, NULL);
        assert(status == 0 && !told.authority && slice_eq(told.subject, SLICE("CN=member")));
    }
    buf_free(&pem);
    buf_free(&cert);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t until;

    if (trust == NULL)
        make_issuer();
    if (size == 0)
        return 0;
    struct slice rest = slice_n((const char *)data + 1, size - 1);
    if (data[0] == 'c')
        read_cert(rest);
    else if (data[0] == 'r')
        sign_request(rest);
    else if (data[0] == 'o')
        crypto_ocsp_until(rest, buf_slice(&issuer), time_now_us(), &until, NULL);
    return 0;
}

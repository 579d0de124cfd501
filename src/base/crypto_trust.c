#include "base/crypto_cert_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { CHAIN_MAX = 8, OCSP_SKEW_S = 300, OCSP_NO_END_US = 86400 };

struct crypto_trust {
    atomic_uint owners;
    X509_STORE *store; /* OpenSSL locks what it keeps in it */
    int64_t crl_until_us;
};

struct crypto_trust *crypto_trust_hold(struct crypto_trust *t)
{
    atomic_fetch_add(&t->owners, 1);
    return t;
}

void crypto_trust_drop(struct crypto_trust **trust)
{
    struct crypto_trust *t = *trust;

    *trust = NULL;
    if (t == NULL || atomic_fetch_sub(&t->owners, 1) != 1)
        return;
    X509_STORE_free(t->store);
    free(t);
}

/* The end of a PEM file is an error in OpenSSL's queue; anything else is one of the file. */
static bool at_end_of_pem(void)
{
    unsigned long code = ERR_peek_last_error();
    bool end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;

    if (end)
        ERR_clear_error();
    return end;
}

static int add_authorities(struct crypto_trust *t, struct slice pem, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *cert;
    size_t n = 0;
    bool good = bio != NULL;

    while (good && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        good = X509_STORE_add_cert(t->store, cert) == 1;
        X509_free(cert);
        n++;
    }
    good = good && at_end_of_pem();
    BIO_free(bio);
    if (!good)
        return crypto_cert_failed(err, ERR_TLS, "the authorities cannot be read");
    return n != 0 ? 0 : err_set(err, ERR_TLS, "", "there is no certificate of an authority in PEM form");
}

static int add_lists(struct crypto_trust *t, struct slice pem, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509_CRL *crl;
    size_t n = 0;
    int64_t until;
    bool good = bio != NULL;

    while (good && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        good = X509_STORE_add_crl(t->store, crl) == 1;
        if (crypto_cert_time(X509_CRL_get0_nextUpdate(crl), &until) && until < t->crl_until_us)
            t->crl_until_us = until;
        X509_CRL_free(crl);
        n++;
    }
    good = good && at_end_of_pem();
    BIO_free(bio);
    if (!good)
        return crypto_cert_failed(err, ERR_TLS, "the revocation list cannot be read");
    if (n == 0)
        return err_set(err, ERR_TLS, "", "there is no revocation list in PEM form");
    return 0;
}

/* See crypto_trust_check() in the header: the age of a list, and its absence, refuse nobody. */
static int on_verify(int good, X509_STORE_CTX *ctx)
{
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    default:
        return good;
    }
}

int crypto_trust_make(struct slice authorities, struct slice crls, struct crypto_trust **trust_out, struct err *err)
{
    struct crypto_trust *t = mem_zero(1, sizeof *t);
    /* an operator who names an intermediate authority means that one and not what its root signs besides */
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

    atomic_init(&t->owners, 1);
    t->crl_until_us = INT64_MAX;
    t->store = X509_STORE_new();
    X509_STORE_set_verify_cb(t->store, on_verify);
    if (crls.len != 0)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_STORE_set_flags(t->store, flags);
    if (add_authorities(t, authorities, err) != 0 || (crls.len != 0 && add_lists(t, crls, err) != 0)) {
        crypto_trust_drop(&t);
        return -1;
    }
    *trust_out = t;
    return 0;
}

int64_t crypto_trust_crl_until(const struct crypto_trust *t)
{
    return t->crl_until_us;
}

static int refusal(int why, struct err *err)
{
    switch (why) {
    case X509_V_ERR_CERT_REVOKED:
        return err_set(err, ERR_TLS, "", "the client certificate has been revoked");
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return err_set(err, ERR_TLS, "", "the client certificate, or its authority's, has expired");
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return err_set(err, ERR_TLS, "", "the client certificate is not valid yet: compare the clocks");
    case X509_V_ERR_INVALID_PURPOSE:
        return err_set(err, ERR_TLS, "", "the certificate was not made for a client (extended key usage)");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return err_set(err, ERR_TLS, "", "the client certificate is of an authority that this hub does not know");
    default:
        return err_set(err, ERR_TLS, "", "the client certificate is not accepted: %s",
                       X509_verify_cert_error_string(why));
    }
}

static int verify(const struct crypto_trust *t, X509 *cert, STACK_OF(X509) * chain, int64_t now_us)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int why = X509_V_ERR_UNSPECIFIED;

    if (ctx != NULL && X509_STORE_CTX_init(ctx, t->store, cert, chain) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, (time_t)(now_us / 1000000));
        X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
        why = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return why;
}

int crypto_trust_check(const struct crypto_trust *t, struct slice cert, const struct slice *chain, size_t n_chain,
                       int64_t now_us, struct err *err)
{
    X509 *x = crypto_cert_parse(cert);
    STACK_OF(X509) *others = sk_X509_new_null();

    for (size_t i = 0; i < n_chain && i < CHAIN_MAX; i++) {
        X509 *other = crypto_cert_parse(chain[i]);
        if (other != NULL && sk_X509_push(others, other) == 0)
            X509_free(other);
    }
    int why = x != NULL ? verify(t, x, others, now_us) : X509_V_ERR_UNSPECIFIED;
    X509_free(x);
    sk_X509_pop_free(others, X509_free);
    return why == X509_V_OK ? 0 : refusal(why, err);
}

/* ---- OCSP ---- */

/* Any of the answers in it that is about this serial. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, X509 *cert)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ASN1_INTEGER *serial = NULL;
        if (OCSP_id_get0_info(NULL, NULL, NULL, &serial, (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single)) == 1 &&
            ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(cert)) == 0)
            return single;
    }
    return NULL;
}

static int judge_single(OCSP_SINGLERESP *single, int64_t now_us, int64_t *until_us_out, struct err *err)
{
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int64_t from_us;

    if (OCSP_single_get0_status(single, NULL, NULL, &from, &until) != V_OCSP_CERTSTATUS_GOOD)
        return err_set(err, ERR_TLS, "", "the OCSP response does not call the certificate good");
    if (!crypto_cert_time(from, &from_us) || from_us > now_us + OCSP_SKEW_S * INT64_C(1000000))
        return err_set(err, ERR_TLS, "", "the OCSP response is not valid yet");
    if (!crypto_cert_time(until, until_us_out))
        *until_us_out = from_us + OCSP_NO_END_US * INT64_C(1000000);
    if (*until_us_out <= now_us)
        return err_set(err, ERR_TLS, "", "the OCSP response is out of date");
    return 0;
}

int crypto_ocsp_until(struct slice response, struct slice cert, int64_t now_us, int64_t *until_us_out, struct err *err)
{
    const unsigned char *der = (const unsigned char *)response.ptr;
    OCSP_RESPONSE *r = response.len != 0 ? d2i_OCSP_RESPONSE(NULL, &der, (long)response.len) : NULL;
    OCSP_BASICRESP *basic =
        r != NULL && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(r) : NULL;
    X509 *x = crypto_cert_parse(cert);
    OCSP_SINGLERESP *single = basic != NULL && x != NULL ? find_single(basic, x) : NULL;
    int result;

    if (basic == NULL)
        result = crypto_cert_failed(err, ERR_TLS, "the OCSP response cannot be read");
    else if (single == NULL)
        result = err_set(err, ERR_TLS, "", "the OCSP response is not about this certificate");
    else
        result = judge_single(single, now_us, until_us_out, err);
    X509_free(x);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(r);
    ERR_clear_error();
    return result;
}

#include "base/crypto_cert_internal.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

/* scrypt: 16 MiB for each guess, as openssl pkcs8 -scrypt has it (more than it reads back without being told to) */
enum { SERIAL_DIGITS_MAX = 40, SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1 };

/* ---- revocation lists ---- */

static bool set_serial(ASN1_INTEGER *to, struct slice hex)
{
    char text[SERIAL_DIGITS_MAX + 1];
    BIGNUM *number = NULL;

    if (hex.len == 0 || hex.len > SERIAL_DIGITS_MAX) /* RFC 5280 section 4.1.2.2: 20 bytes */
        return false;
    memcpy(text, hex.ptr, hex.len);
    text[hex.len] = '\0';
    bool good = BN_hex2bn(&number, text) == (int)hex.len && BN_to_ASN1_INTEGER(number, to) != NULL;
    BN_free(number);
    return good;
}

static bool add_revoked(X509_CRL *crl, const struct crypto_revoked *r)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(r->at_us / 1000000));
    bool good = entry != NULL && serial != NULL && at != NULL && set_serial(serial, r->serial) &&
                X509_REVOKED_set_serialNumber(entry, serial) == 1 && X509_REVOKED_set_revocationDate(entry, at) == 1 &&
                X509_CRL_add0_revoked(crl, entry) == 1;

    if (!good)
        X509_REVOKED_free(entry);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(at);
    return good;
}

static bool add_number(X509_CRL *crl, uint64_t number)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    bool good = n != NULL && ASN1_INTEGER_set_uint64(n, number) == 1 &&
                X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;

    ASN1_INTEGER_free(n);
    return good;
}

static bool add_issuer_id(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *id = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
    bool good = id != NULL && X509_CRL_add_ext(crl, id, -1) == 1;
    X509_EXTENSION_free(id);
    return good;
}

static bool set_times(X509_CRL *crl, int64_t from_us, int64_t until_us)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(from_us / 1000000)),
              *until = ASN1_TIME_set(NULL, (time_t)(until_us / 1000000));
    bool good = from != NULL && until != NULL && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                X509_CRL_set1_nextUpdate(crl, until) == 1;

    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return good;
}

int crypto_crl_make(const struct crypto_revoked *revoked, size_t n, uint64_t number, int64_t from_us, int64_t until_us,
                    struct slice issuer_cert, struct slice issuer_key, struct buf *crl_out, struct err *err)
{
    X509 *issuer = crypto_cert_parse(issuer_cert);
    EVP_PKEY *key = crypto_cert_key(issuer_key);
    X509_CRL *crl = X509_CRL_new();
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = issuer != NULL && key != NULL && crl != NULL && bio != NULL &&
                X509_check_private_key(issuer, key) == 1 && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
                set_times(crl, from_us, until_us) && add_issuer_id(crl, issuer) && add_number(crl, number);

    for (size_t i = 0; good && i < n; i++)
        good = add_revoked(crl, &revoked[i]);
    good = good && X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, key, EVP_sha256()) != 0 &&
           PEM_write_bio_X509_CRL(bio, crl) == 1;
    good = crypto_cert_put(bio, good, crl_out);
    X509_CRL_free(crl);
    EVP_PKEY_free(key);
    X509_free(issuer);
    return good ? 0 : crypto_cert_failed(err, ERR_CRYPTO, "the revocation list could not be made");
}

/* ---- OCSP ---- */

static bool add_status(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer, int64_t revoked_us, int64_t from_us,
                       int64_t until_us)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer); /* the hash that clients look it up by */
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(from_us / 1000000)),
              *until = ASN1_TIME_set(NULL, (time_t)(until_us / 1000000)),
              *at = revoked_us != 0 ? ASN1_TIME_set(NULL, (time_t)(revoked_us / 1000000)) : NULL;
    int status = revoked_us != 0 ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
    bool good = id != NULL && from != NULL && until != NULL &&
                OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_NOSTATUS, at, from, until) != NULL;

    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(at);
    return good;
}

static bool put_response(OCSP_BASICRESP *basic, struct buf *out)
{
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int len = response != NULL ? i2d_OCSP_RESPONSE(response, &der) : -1;

    if (len > 0)
        buf_put(out, slice_n((const char *)der, (size_t)len));
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    return len > 0;
}

int crypto_ocsp_make(struct slice cert, int64_t revoked_us, int64_t from_us, int64_t until_us, struct slice issuer_cert,
                     struct slice issuer_key, struct buf *response_out, struct err *err)
{
    X509 *x = crypto_cert_parse(cert), *issuer = crypto_cert_parse(issuer_cert);
    EVP_PKEY *key = crypto_cert_key(issuer_key);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    int status;

    if (x == NULL || issuer == NULL || key == NULL || basic == NULL)
        status = crypto_cert_failed(err, ERR_CRYPTO, "a certificate or the key cannot be read");
    else if (X509_verify(x, X509_get0_pubkey(issuer)) != 1)
        status = crypto_cert_failed(err, ERR_CRYPTO, "the certificate is not of this authority");
    else if (!add_status(basic, x, issuer, revoked_us, from_us, until_us) ||
             OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL, OCSP_NOCERTS) != 1 ||
             !put_response(basic, response_out))
        status = crypto_cert_failed(err, ERR_CRYPTO, "the OCSP response could not be made");
    else
        status = 0;
    X509_free(x);
    X509_free(issuer);
    EVP_PKEY_free(key);
    OCSP_BASICRESP_free(basic);
    ERR_clear_error();
    return status;
}

/* ---- keys under a passphrase ---- */

static struct slice passphrase_or_empty(struct slice passphrase)
{
    return passphrase.ptr != NULL ? passphrase : SLICE("");
}

static X509_SIG *lock(EVP_PKEY *key, struct slice passphrase)
{
    unsigned char salt[16];

    crypto_random(salt, sizeof salt);
    X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    X509_SIG *locked =
        how != NULL && plain != NULL ? PKCS8_set0_pbe(passphrase.ptr, (int)passphrase.len, plain, how) : NULL;
    if (locked == NULL) /* else it belongs to `locked` */
        X509_ALGOR_free(how);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return locked;
}

int crypto_key_lock(struct slice key, struct slice passphrase, struct buf *locked_out, struct err *err)
{
    EVP_PKEY *k = crypto_cert_key(key);
    X509_SIG *locked = k != NULL ? lock(k, passphrase_or_empty(passphrase)) : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    bool good =
        crypto_cert_put(bio, locked != NULL && bio != NULL && PEM_write_bio_PKCS8(bio, locked) == 1, locked_out);

    X509_SIG_free(locked);
    EVP_PKEY_free(k);
    return good ? 0 : crypto_cert_failed(err, ERR_CRYPTO, "the key could not be locked");
}

bool crypto_key_is_locked(struct slice key)
{
    return slice_find(key, SLICE("BEGIN ENCRYPTED PRIVATE KEY")) < key.len;
}

static int give_passphrase(char *text, int size, int writing, void *arg)
{
    const struct slice *passphrase = arg;

    (void)writing;
    if (passphrase->len > (size_t)size)
        return -1;
    memcpy(text, passphrase->ptr, passphrase->len);
    return (int)passphrase->len;
}

int crypto_key_unlock(struct slice locked, struct slice passphrase, struct buf *key_out, struct err *err)
{
    struct slice given = passphrase_or_empty(passphrase);
    BIO *bio = BIO_new_mem_buf(locked.ptr, (int)locked.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &given) : NULL;
    bool good = key != NULL && crypto_cert_put_key(key, key_out);

    EVP_PKEY_free(key);
    BIO_free(bio);
    if (good)
        return 0;
    ERR_clear_error();
    return err_set(err, ERR_CRYPTO, "",
                   crypto_key_is_locked(locked) ? "the passphrase is wrong, or the key is damaged"
                                                : "this is no private key in PEM form");
}

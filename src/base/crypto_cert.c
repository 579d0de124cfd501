#include "base/crypto.h"

#include <arpa/inet.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { NAME_MAX_BYTES = 64, HOST_MAX_BYTES = 253, SERIAL_BITS = 127 };

/* Everything that one certificate needs while it is made; freed as a whole. */
struct work {
    X509 *cert, *issuer;
    EVP_PKEY *key, *issuer_key;
};

static void work_free(struct work *w)
{
    X509_free(w->cert);
    X509_free(w->issuer);
    EVP_PKEY_free(w->key);
    EVP_PKEY_free(w->issuer_key);
}

static int openssl_failed(struct err *err, const char *what)
{
    char text[200] = "";
    unsigned long code = ERR_peek_last_error();

    if (code != 0)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error(); /* the queue belongs to the thread: TLS must not find our error in it */
    return err_set(err, ERR_CRYPTO, "", "%s%s%s", what, text[0] != '\0' ? ": " : "", text);
}

static X509 *read_cert(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

static EVP_PKEY *read_key(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* A host name as it stands in DNS: letters, digits, '-', '_' and dots between non-empty labels. */
static bool is_host_name(struct slice host)
{
    struct slice rest = host, label;

    if (host.len == 0 || host.len > HOST_MAX_BYTES)
        return false;
    while (slice_cut(&rest, '.', &label)) {
        if (label.len == 0 || label.len > 63)
            return false;
        for (size_t i = 0; i < label.len; i++) {
            char c = label.ptr[i];
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
                return false;
        }
    }
    return true;
}

/* Length of the address in its network form, 0 when it is none. */
static size_t read_address(struct slice host, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (host.len >= sizeof text)
        return 0;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static GENERAL_NAME *general_name(struct slice host)
{
    uint8_t address[16];
    size_t address_len = read_address(host, address);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = address_len != 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    const void *bytes = address_len != 0 ? (const void *)address : host.ptr;

    if (name == NULL || value == NULL ||
        ASN1_STRING_set(value, bytes, (int)(address_len != 0 ? address_len : host.len)) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, address_len != 0 ? GEN_IPADD : GEN_DNS, value);
    return name;
}

/* Built from values and not from OpenSSL's extension text, in which a comma in a host would start another extension. */
static bool add_hosts(X509 *cert, const struct slice *hosts, size_t n)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool good = names != NULL;

    for (size_t i = 0; good && i < n; i++) {
        GENERAL_NAME *name = general_name(hosts[i]);
        good = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
        if (!good)
            GENERAL_NAME_free(name);
    }
    good = good && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return good;
}

static bool add_extension(struct work *w, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, w->issuer != NULL ? w->issuer : w->cert, w->cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool good = extension != NULL && X509_add_ext(w->cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* RFC 5280 section 4.2.1: an authority signs certificates and nothing else; the others sign handshakes, on either side.
 */
static bool add_extensions(struct work *w, const struct crypto_cert_ask *ask)
{
    if (!add_extension(w, NID_subject_key_identifier, "hash") ||
        !add_extension(w, NID_authority_key_identifier, "keyid"))
        return false;
    if (ask->authority)
        return add_extension(w, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(w, NID_key_usage, "critical,keyCertSign,cRLSign");
    return add_extension(w, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(w, NID_key_usage, "critical,digitalSignature") &&
           add_extension(w, NID_ext_key_usage, "serverAuth,clientAuth") &&
           (ask->n_hosts == 0 || add_hosts(w->cert, ask->hosts, ask->n_hosts));
}

static bool set_serial(X509 *cert)
{
    BIGNUM *number = BN_new();
    bool good = number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;

    BN_free(number);
    return good;
}

static bool fill_cert(struct work *w, const struct crypto_cert_ask *ask)
{
    X509_NAME *subject;

    return X509_set_version(w->cert, X509_VERSION_3) == 1 && set_serial(w->cert) &&
           ASN1_TIME_set(X509_getm_notBefore(w->cert), (time_t)(ask->from_us / 1000000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(w->cert), (time_t)(ask->until_us / 1000000)) != NULL &&
           (subject = X509_get_subject_name(w->cert)) != NULL &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)ask->name.ptr,
                                      (int)ask->name.len, -1, 0) == 1 &&
           X509_set_issuer_name(w->cert, w->issuer != NULL ? X509_get_subject_name(w->issuer) : subject) == 1 &&
           X509_set_pubkey(w->cert, w->key) == 1 && add_extensions(w, ask);
}

static bool put_bio(BIO *bio, struct buf *out)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    if (len <= 0)
        return false;
    buf_put(out, slice_n(text, (size_t)len));
    return true;
}

static bool put_pem(const struct work *w, struct buf *cert_out, struct buf *key_out)
{
    BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_secmem());
    bool good = cert != NULL && key != NULL && PEM_write_bio_X509(cert, w->cert) == 1 &&
                PEM_write_bio_PKCS8PrivateKey(key, w->key, NULL, NULL, 0, NULL, NULL) == 1 && put_bio(cert, cert_out) &&
                put_bio(key, key_out);

    BIO_free(cert);
    BIO_free(key);
    return good;
}

static int check_ask(const struct crypto_cert_ask *ask, struct err *err)
{
    uint8_t address[16];

    /* RFC 5280 appendix A.1: ub-common-name is 64 */
    if (ask->name.len == 0 || ask->name.len > NAME_MAX_BYTES)
        return err_set(err, ERR_CONF_VALUE, "", "the name in a certificate has 1 to %d bytes", NAME_MAX_BYTES);
    for (size_t i = 0; i < ask->n_hosts; i++)
        if (read_address(ask->hosts[i], address) == 0 && !is_host_name(ask->hosts[i]))
            return err_set(err, ERR_CONF_VALUE, "", "\"" SLICE_FMT "\" is neither a host name nor an address",
                           SLICE_ARG(ask->hosts[i]));
    return 0;
}

int crypto_cert_make(const struct crypto_cert_ask *ask, struct slice issuer_cert, struct slice issuer_key,
                     struct buf *cert_out, struct buf *key_out, struct err *err)
{
    struct work w = {0};
    int status = -1;

    if (check_ask(ask, err) != 0)
        return -1;
    w.cert = X509_new();
    w.key = EVP_EC_gen("P-256");
    if (issuer_cert.len != 0) {
        w.issuer = read_cert(issuer_cert);
        w.issuer_key = read_key(issuer_key);
    }
    if (w.cert == NULL || w.key == NULL)
        openssl_failed(err, "no key pair could be made");
    else if (issuer_cert.len != 0 && (w.issuer == NULL || w.issuer_key == NULL))
        openssl_failed(err, "the authority's certificate or key cannot be read");
    else if (w.issuer != NULL && X509_check_private_key(w.issuer, w.issuer_key) != 1)
        openssl_failed(err, "the authority's certificate and key do not belong together");
    else if (!fill_cert(&w, ask) || X509_sign(w.cert, w.issuer_key != NULL ? w.issuer_key : w.key, EVP_sha256()) == 0 ||
             !put_pem(&w, cert_out, key_out))
        openssl_failed(err, "the certificate could not be made");
    else
        status = 0;
    work_free(&w);
    return status;
}

int crypto_cert_pin(struct slice cert_pem, uint8_t pin_out[CRYPTO_HASH], struct err *err)
{
    X509 *cert = read_cert(cert_pem);
    unsigned char *spki = NULL;
    int len = cert != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : -1;

    X509_free(cert);
    if (len <= 0)
        return openssl_failed(err, "the certificate cannot be read");
    crypto_sha256(slice_n((const char *)spki, (size_t)len), pin_out);
    OPENSSL_free(spki);
    return 0;
}

int crypto_cert_until(struct slice cert_pem, int64_t *until_us_out, struct err *err)
{
    X509 *cert = read_cert(cert_pem);
    struct tm until;
    bool good = cert != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &until) == 1;

    X509_free(cert);
    if (!good)
        return openssl_failed(err, "the certificate cannot be read");
    *until_us_out = (int64_t)timegm(&until) * 1000000;
    return 0;
}

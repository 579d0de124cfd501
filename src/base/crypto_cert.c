#include "base/crypto_cert_internal.h"

#include <arpa/inet.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum {
    NAME_MAX_BYTES = 64,
    HOST_MAX_BYTES = 253,
    SERIAL_BITS = 127,
    CSR_MAX = 16 * 1024,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192 /* what is larger costs the verifier more than it is worth */
};

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

static int no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text, (void)size, (void)writing, (void)arg;
    return -1; /* OpenSSL would ask at the terminal */
}

EVP_PKEY *crypto_cert_key(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

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

/* RFC 5280 section 4.2.1: an authority signs certificates, lists and OCSP responses; the others sign handshakes. */
static bool add_extensions(struct work *w, const struct crypto_cert_ask *ask)
{
    static const char *const basic[] = {"critical,CA:FALSE", "critical,CA:TRUE,pathlen:0", "critical,CA:TRUE,pathlen:1",
                                        "critical,CA:FALSE", "critical,CA:FALSE"};
    static const char *const purpose[] = {"serverAuth,clientAuth", NULL, NULL, "serverAuth", "clientAuth"};
    bool signs = purpose[ask->kind] == NULL;

    return add_extension(w, NID_subject_key_identifier, "hash") &&
           add_extension(w, NID_authority_key_identifier, "keyid") &&
           add_extension(w, NID_basic_constraints, basic[ask->kind]) &&
           add_extension(w, NID_key_usage,
                         signs ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature") &&
           (signs || add_extension(w, NID_ext_key_usage, purpose[ask->kind])) &&
           (signs || ask->n_hosts == 0 || add_hosts(w->cert, ask->hosts, ask->n_hosts));
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

bool crypto_cert_put(BIO *bio, bool good, struct buf *out)
{
    char *text = NULL;
    long len = bio != NULL ? BIO_get_mem_data(bio, &text) : 0;

    good = good && len > 0;
    if (good)
        buf_put(out, slice_n(text, (size_t)len));
    BIO_free(bio);
    return good;
}

bool crypto_cert_put_key(EVP_PKEY *key, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    return crypto_cert_put(bio, bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
                           out);
}

static bool put_cert(X509 *cert, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return crypto_cert_put(bio, bio != NULL && PEM_write_bio_X509(bio, cert) == 1, out);
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

static int read_issuer(struct work *w, struct slice issuer_cert, struct slice issuer_key, struct err *err)
{
    w->issuer = crypto_cert_parse(issuer_cert);
    w->issuer_key = crypto_cert_key(issuer_key);
    if (w->issuer == NULL || w->issuer_key == NULL)
        return crypto_cert_failed(err, ERR_CRYPTO, "the authority's certificate or key cannot be read");
    if (X509_check_private_key(w->issuer, w->issuer_key) != 1)
        return crypto_cert_failed(err, ERR_CRYPTO, "the authority's certificate and key do not belong together");
    return 0;
}

static int finish(struct work *w, const struct crypto_cert_ask *ask, struct buf *cert_out, struct err *err)
{
    w->cert = X509_new();
    if (w->cert == NULL || !fill_cert(w, ask) ||
        X509_sign(w->cert, w->issuer_key != NULL ? w->issuer_key : w->key, EVP_sha256()) == 0 ||
        !put_cert(w->cert, cert_out))
        return crypto_cert_failed(err, ERR_CRYPTO, "the certificate could not be made");
    return 0;
}

int crypto_cert_make(const struct crypto_cert_ask *ask, struct slice issuer_cert, struct slice issuer_key,
                     struct buf *cert_out, struct buf *key_out, struct err *err)
{
    struct work w = {0};
    int status = -1;

    if (check_ask(ask, err) != 0)
        return -1;
    w.key = EVP_EC_gen("P-256");
    if (w.key == NULL || !crypto_cert_put_key(w.key, key_out))
        crypto_cert_failed(err, ERR_CRYPTO, "no key pair could be made");
    else if (issuer_cert.len == 0 || read_issuer(&w, issuer_cert, issuer_key, err) == 0)
        status = finish(&w, ask, cert_out, err);
    work_free(&w);
    return status;
}

/* ---- requests ---- */

static bool fill_request(X509_REQ *request, struct slice name, EVP_PKEY *key)
{
    X509_NAME *subject = X509_REQ_get_subject_name(request);

    return X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)name.ptr,
                                      (int)name.len, -1, 0) == 1 &&
           X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, EVP_sha256()) != 0;
}

int crypto_csr_make(struct slice name, struct buf *csr_out, struct buf *key_out, struct err *err)
{
    const struct crypto_cert_ask ask = {.name = name};

    if (check_ask(&ask, err) != 0)
        return -1;
    X509_REQ *request = X509_REQ_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = request != NULL && key != NULL && bio != NULL && fill_request(request, name, key) &&
                PEM_write_bio_X509_REQ(bio, request) == 1;
    good = crypto_cert_put(bio, good, csr_out) && crypto_cert_put_key(key, key_out);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return good ? 0 : crypto_cert_failed(err, ERR_CRYPTO, "the request for a certificate could not be made");
}

static bool is_good_key(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC    ? bits >= 256
           : EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX
                                                       : false;
}

/* The key of the request, which its sender holds. */
static EVP_PKEY *request_key(struct slice csr, struct err *err)
{
    BIO *bio = csr.len <= CSR_MAX ? BIO_new_mem_buf(csr.ptr, (int)csr.len) : NULL;
    X509_REQ *request = bio != NULL ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = request != NULL ? X509_REQ_get_pubkey(request) : NULL;

    if (key == NULL) {
        crypto_cert_failed(err, ERR_CRYPTO, "the request for a certificate (PKCS #10, PEM) cannot be read");
    } else if (!is_good_key(key)) {
        err_set(err, ERR_CONF_VALUE, "", "the key in the request is of a kind that is not signed here: use P-256");
        EVP_PKEY_free(key);
        key = NULL;
    } else if (X509_REQ_verify(request, key) != 1) {
        crypto_cert_failed(err, ERR_CRYPTO, "the request is not signed by its own key");
        EVP_PKEY_free(key);
        key = NULL;
    }
    X509_REQ_free(request);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

int crypto_csr_sign(const struct crypto_cert_ask *ask, struct slice csr, struct slice issuer_cert,
                    struct slice issuer_key, struct buf *cert_out, struct err *err)
{
    struct work w = {0};
    int status = -1;

    if (check_ask(ask, err) != 0)
        return -1;
    w.key = request_key(csr, err);
    if (w.key != NULL && read_issuer(&w, issuer_cert, issuer_key, err) == 0)
        status = finish(&w, ask, cert_out, err);
    work_free(&w);
    return status;
}

/* ---- about one ---- */

bool crypto_cert_fits(struct slice cert, struct slice key)
{
    X509 *x = crypto_cert_parse(cert);
    EVP_PKEY *k = crypto_cert_key(key);
    bool fits = x != NULL && k != NULL && X509_check_private_key(x, k) == 1;

    X509_free(x);
    EVP_PKEY_free(k);
    ERR_clear_error();
    return fits;
}

int crypto_cert_pin(struct slice cert_pem, uint8_t pin_out[CRYPTO_HASH], struct err *err)
{
    X509 *cert = crypto_cert_parse(cert_pem);
    unsigned char *spki = NULL;
    int len = cert != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : -1;

    X509_free(cert);
    if (len <= 0)
        return crypto_cert_failed(err, ERR_CRYPTO, "the certificate cannot be read");
    crypto_sha256(slice_n((const char *)spki, (size_t)len), pin_out);
    OPENSSL_free(spki);
    return 0;
}

int crypto_cert_until(struct slice cert_pem, int64_t *until_us_out, struct err *err)
{
    X509 *cert = crypto_cert_parse(cert_pem);
    bool good = cert != NULL && crypto_cert_time(X509_get0_notAfter(cert), until_us_out);

    X509_free(cert);
    return good ? 0 : crypto_cert_failed(err, ERR_CRYPTO, "the certificate cannot be read");
}

#include "base/crypto_cert_internal.h"

#include <arpa/inet.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { NAMES_MAX = 64 }; /* of subjectAltName that are told: no real client has so many */

int crypto_cert_failed(struct err *err, enum err_code code, const char *what)
{
    char text[200] = "";
    unsigned long reason = ERR_peek_last_error();

    if (reason != 0)
        ERR_error_string_n(reason, text, sizeof text);
    ERR_clear_error(); /* the queue belongs to the thread: TLS must not find our error in it */
    return err_set(err, code, "", "%s%s%s", what, text[0] != '\0' ? ": " : "", text);
}

X509 *crypto_cert_parse(struct slice cert)
{
    const unsigned char *der = (const unsigned char *)cert.ptr;

    if (cert.len == 0 || cert.len > INT32_MAX)
        return NULL;
    if (der[0] == 0x30) /* a SEQUENCE: PEM begins with text */
        return d2i_X509(NULL, &der, (long)cert.len);
    BIO *bio = BIO_new_mem_buf(cert.ptr, (int)cert.len);
    X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return x;
}

bool crypto_cert_time(const ASN1_TIME *time, int64_t *us_out)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *us_out = (int64_t)timegm(&tm) * 1000000;
    return true;
}

int crypto_cert_warning(int64_t until_us, int64_t now_us)
{
    static const int days[] = {0, 1, 7, 30};

    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        if (until_us - now_us <= days[i] * INT64_C(86400000000))
            return days[i];
    return -1;
}

static struct slice bio_text(struct arena *a, BIO *bio)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    return arena_copy(a, slice_n(text, len > 0 ? (size_t)len : 0));
}

/* RFC 2253, the most specific part first; UTF-8 stays as it is, control characters are escaped. */
static struct slice name_text(struct arena *a, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());

    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    struct slice text = bio_text(a, bio);
    BIO_free(bio);
    return text;
}

static struct slice common_name(struct arena *a, X509_NAME *name)
{
    unsigned char *utf8 = NULL;
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(name, at) : NULL;
    int len = entry != NULL ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry)) : -1;

    if (len < 0)
        return SLICE("");
    struct slice text = arena_copy(a, slice_n((const char *)utf8, (size_t)len));
    OPENSSL_free(utf8);
    return memchr(text.ptr, '\0', text.len) == NULL ? text : SLICE(""); /* "bank\0.example" is a lie */
}

static struct slice address_text(struct arena *a, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(address);

    if ((len != 4 && len != 16) ||
        inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text) == NULL)
        return SLICE("");
    return arena_printf(a, "IP:%s", text);
}

/* Of a kind that could name a client; empty: another kind, or not honest text. */
static struct slice alternative_name(struct arena *a, const GENERAL_NAME *name)
{
    const char *kind = name->type == GEN_DNS ? "DNS:" : name->type == GEN_EMAIL ? "email:" : "URI:";

    if (name->type == GEN_IPADD)
        return address_text(a, name->d.iPAddress);
    if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI)
        return SLICE("");
    struct slice text =
        slice_n((const char *)ASN1_STRING_get0_data(name->d.ia5), (size_t)ASN1_STRING_length(name->d.ia5));
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f)
            return SLICE("");
    return arena_printf(a, "%s" SLICE_FMT, kind, SLICE_ARG(text));
}

static void read_names(struct arena *a, X509 *cert, struct crypto_cert *out)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    struct slice *names = arena_array(a, struct slice, NAMES_MAX);

    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all) && out->n_names < NAMES_MAX; i++) {
        struct slice name = alternative_name(a, sk_GENERAL_NAME_value(all, i));
        if (name.len != 0)
            names[out->n_names++] = name;
    }
    out->names = names;
    GENERAL_NAMES_free(all);
}

static struct slice serial_text(struct arena *a, X509 *cert)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL; /* upper case, whole bytes */
    struct slice text = arena_copy(a, slice_of(hex != NULL ? hex : ""));

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            ((char *)text.ptr)[i] += 'a' - 'A';
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static bool fingerprint(X509 *cert, uint8_t out[CRYPTO_HASH])
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len <= 0)
        return false;
    crypto_sha256(slice_n((const char *)der, (size_t)len), out);
    OPENSSL_free(der);
    return true;
}

int crypto_cert_read(struct arena *a, struct slice cert, struct crypto_cert *out, struct err *err)
{
    X509 *x = crypto_cert_parse(cert);

    *out = (struct crypto_cert){0};
    if (x == NULL || !crypto_cert_time(X509_get0_notBefore(x), &out->from_us) ||
        !crypto_cert_time(X509_get0_notAfter(x), &out->until_us) || !fingerprint(x, out->fingerprint)) {
        X509_free(x);
        return crypto_cert_failed(err, ERR_CRYPTO, "the certificate cannot be read");
    }
    out->subject = name_text(a, X509_get_subject_name(x));
    out->issuer = name_text(a, X509_get_issuer_name(x));
    out->common_name = common_name(a, X509_get_subject_name(x));
    out->serial = serial_text(a, x);
    out->authority = X509_check_ca(x) != 0;
    out->server = !out->authority && X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) == 1;
    out->client = !out->authority && X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0) == 1;
    read_names(a, x, out);
    X509_free(x);
    ERR_clear_error(); /* an extension that cannot be read is none */
    return 0;
}

/* base/crypto_cert_internal.h: what the files about certificates share. */
#ifndef BASE_CRYPTO_CERT_INTERNAL_H
#define BASE_CRYPTO_CERT_INTERNAL_H

#include <openssl/x509.h>

#include "base/crypto_cert.h"

int crypto_cert_failed(struct err *err, enum err_code code, const char *what); /* -1; with OpenSSL's own reason */
X509 *crypto_cert_parse(struct slice cert);                                    /* PEM or DER; NULL: neither */
EVP_PKEY *crypto_cert_key(struct slice pem);                                   /* never asks for a passphrase */
bool crypto_cert_put(BIO *bio, bool good, struct buf *out); /* what was written, where it is good; frees bio */
bool crypto_cert_put_key(EVP_PKEY *key, struct buf *out);
bool crypto_cert_time(const ASN1_TIME *time, int64_t *us_out);

#endif

/* base/crypto_cert.h: X.509 certificates (RFC 5280), the only door to OpenSSL's. Keys made here are P-256: Ed25519
   certificates are refused by clients in the field (Schannel, Java before 15). PEM goes in and comes out; where it says
   so, DER too. Bytes of peers may be given to everything that reads. Any thread. */
#ifndef BASE_CRYPTO_CERT_H
#define BASE_CRYPTO_CERT_H

#include "base/crypto.h"

/* PEM text in `out`. A hub's own authority signs its server certificate; clients are given the authority. */
enum crypto_cert_kind {
    CRYPTO_CERT_BOTH,      /* server and client */
    CRYPTO_CERT_AUTHORITY, /* signs others, but no further authority */
    CRYPTO_CERT_ROOT,      /* may sign authorities */
    CRYPTO_CERT_SERVER,
    CRYPTO_CERT_CLIENT,
};
struct crypto_cert_ask {
    struct slice name;         /* common name */
    const struct slice *hosts; /* DNS names and IP addresses for subjectAltName */
    size_t n_hosts;
    int64_t from_us, until_us;
    enum crypto_cert_kind kind;
};
int crypto_cert_make(const struct crypto_cert_ask *ask, struct slice issuer_cert,
                     struct slice issuer_key, /* empty: self-signed */
                     struct buf *cert_out, struct buf *key_out, struct err *err);
int crypto_cert_pin(struct slice cert_pem, uint8_t pin_out[CRYPTO_HASH],
                    struct err *err); /* SHA-256 of the public key (SPKI) */
int crypto_cert_until(struct slice cert_pem, int64_t *until_us_out, struct err *err);

/* ---- signing for others ---- */

/* A key of its own and a request for a certificate (PKCS #10), PEM: the key never leaves whoever asks. */
int crypto_csr_make(struct slice name, struct buf *csr_out, struct buf *key_out, struct err *err);
/* Signs the key of a request, after a proof that the asker holds it (ERR_CRYPTO). Name, hosts and kind are the ask's:
   what the request says of them counts for nothing. P-256, P-384, P-521 and RSA from 2048 bits (ERR_CONF_VALUE). */
int crypto_csr_sign(const struct crypto_cert_ask *ask, struct slice csr, struct slice issuer_cert,
                    struct slice issuer_key, struct buf *cert_out, struct err *err);
bool crypto_cert_fits(struct slice cert, struct slice key); /* do they belong together */

struct crypto_revoked {
    struct slice serial; /* hexadecimal */
    int64_t at_us;
};
/* A revocation list (RFC 5280 section 5), PEM. number: grows with every list. */
int crypto_crl_make(const struct crypto_revoked *revoked, size_t n, uint64_t number, int64_t from_us, int64_t until_us,
                    struct slice issuer_cert, struct slice issuer_key, struct buf *crl_out, struct err *err);
/* An OCSP response (RFC 6960) about one certificate (PEM) of this issuer, signed by it, DER. revoked_us 0: good. */
int crypto_ocsp_make(struct slice cert, int64_t revoked_us, int64_t from_us, int64_t until_us, struct slice issuer_cert,
                     struct slice issuer_key, struct buf *response_out, struct err *err);

/* A private key under a passphrase (PKCS #8, scrypt and AES-256), and back; without one it is given as it is. A wrong
   passphrase: ERR_CRYPTO. Wipe what comes out. */
int crypto_key_lock(struct slice key, struct slice passphrase, struct buf *locked_out, struct err *err);
int crypto_key_unlock(struct slice locked, struct slice passphrase, struct buf *key_out, struct err *err);
bool crypto_key_is_locked(struct slice key);

/* ---- reading ---- */

struct crypto_cert {              /* what a certificate says; texts in the arena */
    struct slice subject, issuer; /* RFC 2253: "CN=bank,O=Example" */
    struct slice common_name;     /* empty: none */
    const struct slice *names; /* subjectAltName: "DNS:hub.example", "IP:192.0.2.1", "email:a@b.example", "URI:x:y" */
    size_t n_names;
    struct slice serial;              /* hexadecimal, lower case, whole bytes */
    uint8_t fingerprint[CRYPTO_HASH]; /* SHA-256 of the certificate (DER) */
    int64_t from_us, until_us;
    bool authority;      /* may sign others */
    bool server, client; /* what it may be used for in TLS */
};
/* PEM (its first certificate) or DER. ERR_CRYPTO. */
int crypto_cert_read(struct arena *a, struct slice cert, struct crypto_cert *out, struct err *err);

/* What there is to say of an end: 30, 7 or 1 when no more than so many days are left, 0 when it is over, -1: nothing.
 */
int crypto_cert_warning(int64_t until_us, int64_t now_us);

/* ---- trusting ---- */

/* Authorities and revocation lists to check certificates against; immutable, counted. */
struct crypto_trust;
/* authorities: PEM, one or more; each is trusted as it stands, whether it is a root or was signed by another. crls:
   PEM, any number, may be empty. */
int crypto_trust_make(struct slice authorities, struct slice crls, struct crypto_trust **trust_out, struct err *err);
struct crypto_trust *crypto_trust_hold(struct crypto_trust *t);
void crypto_trust_drop(struct crypto_trust **t);
/* Is this a good certificate of a client at `now_us`? DER; chain: what else the client sent. ERR_TLS with the sentence:
   unknown authority, expired, revoked, made for something else. A revoked one is refused also by a list that should
   have been replaced meanwhile: an old list is better than none, and refusing everybody would let a forgotten file end
   all sharing (crypto_trust_crl_until() is there to warn). An authority without a list revokes nothing. */
int crypto_trust_check(const struct crypto_trust *t, struct slice cert, const struct slice *chain, size_t n_chain,
                       int64_t now_us, struct err *err);
/* When the first of the lists has to be replaced; INT64_MAX: there is none, or none says so. */
int64_t crypto_trust_crl_until(const struct crypto_trust *t);

/* ---- OCSP (RFC 6960) ---- */

/* Is this (DER) a response that says "good" for that certificate (PEM), and until when may it be shown? A response
   without an end is good for a day. ERR_TLS. Its signature is for the client to check. */
int crypto_ocsp_until(struct slice response, struct slice cert, int64_t now_us, int64_t *until_us_out, struct err *err);

#endif

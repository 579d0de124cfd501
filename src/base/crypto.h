/* base/crypto.h: the only door to OpenSSL's and libsodium's primitives (TLS itself stays in net/). Any thread after
   crypto_start(). Sizes are in the types. Functions that cannot fail but by our own mistake assert. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    CRYPTO_HASH = 32,
    CRYPTO_SHA1 = 20,
    CRYPTO_KEY = 32,
    CRYPTO_MAC = 32,
    CRYPTO_SIGN_PUBLIC = 32,
    CRYPTO_SIGN_SECRET = 64,
    CRYPTO_SIGNATURE = 64,
    CRYPTO_SEAL_OVERHEAD = 40 /* 24 nonce in front, 16 tag behind */
};

int crypto_start(struct err *err); /* once, before threads */

void crypto_sha256(struct slice in, uint8_t out[CRYPTO_HASH]);
void crypto_sha256_2(struct slice first, struct slice second,
                     uint8_t out[CRYPTO_HASH]); /* of both, one after the other */
/* For the name-based UUIDs of STIX alone (RFC 9562 section 5.5); never where a collision could hurt. Needs no
 * crypto_start(). */
void crypto_sha1(struct slice in, uint8_t out[CRYPTO_SHA1]);
struct crypto_hash; /* streaming */
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *h, struct slice in);
void crypto_hash_end(struct crypto_hash **h, uint8_t out[CRYPTO_HASH]);

void crypto_random(void *out, size_t n);
uint64_t crypto_random_below(uint64_t bound);              /* uniform in [0, bound) */
bool crypto_equal(const void *a, const void *b, size_t n); /* constant time */
void crypto_wipe(void *at, size_t n);
void *crypto_secret_new(size_t size); /* locked in memory, between guard pages, not in core dumps; cleared */
void crypto_secret_free(void **at);   /* wiped; accepts NULL, leaves NULL */

void crypto_mac(const uint8_t key[CRYPTO_KEY], struct slice in, uint8_t out[CRYPTO_MAC]); /* keyed BLAKE2b-256 */
void crypto_derive(const uint8_t key[CRYPTO_KEY], const char *purpose, uint8_t out[CRYPTO_KEY]);

/* XChaCha20-Poly1305; `bound` is authenticated and not sent. seal appends plain.len + CRYPTO_SEAL_OVERHEAD bytes. */
void crypto_seal(const uint8_t key[CRYPTO_KEY], struct slice plain, struct slice bound, struct buf *out);
bool crypto_open(const uint8_t key[CRYPTO_KEY], struct slice sealed, struct slice bound,
                 struct buf *out); /* false: forged */

void crypto_sign_make(uint8_t public_out[CRYPTO_SIGN_PUBLIC], uint8_t secret_out[CRYPTO_SIGN_SECRET]);
void crypto_sign_make_from(const uint8_t seed[32], uint8_t public_out[CRYPTO_SIGN_PUBLIC],
                           uint8_t secret_out[CRYPTO_SIGN_SECRET]);
/* Not crypto_sign: libsodium has a function of that name with other arguments, and the linker would take either. */
void crypto_sign_message(const uint8_t secret[CRYPTO_SIGN_SECRET], struct slice message, uint8_t out[CRYPTO_SIGNATURE]);
bool crypto_verify(const uint8_t public_key[CRYPTO_SIGN_PUBLIC], struct slice message,
                   const uint8_t signature[CRYPTO_SIGNATURE]);

/* Argon2id, 19 MiB, 2 passes; the text form carries its own salt and parameters. Slow on purpose: a worker, one at a
 * time. */
void crypto_password_hash(struct slice password, struct buf *text_out);
bool crypto_password_check(struct slice password, struct slice text);

void crypto_put_hex(struct buf *out, const void *bytes, size_t n);     /* lower case */
bool crypto_hex(struct slice text, void *out, size_t n);               /* exactly 2n digits, either case */
void crypto_put_base64(struct buf *out, struct slice bytes, bool url); /* standard with padding; url: URL-safe, none */
bool crypto_base64(struct slice text, bool url, struct buf *out);

/* A UUIDv4-shaped text of 36 characters out of 16 bytes (RFC 9562 section 5.4): version and variant bits are set over
 * them. */
void crypto_put_uuid(char out[36], const uint8_t bytes[16]);
void crypto_uuid_random(char out[36]);

#endif

#include "base/crypto.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <sodium.h>

/* The RFC 9106 figure of OWASP's first choice: 19 MiB and 2 passes. libsodium's INTERACTIVE preset takes 64 MiB, which
   would be the whole memory of a small hub for one sign-in. */
enum { PASSWORD_BYTES = 19456 * 1024, PASSWORD_PASSES = 2 };

_Static_assert((int)CRYPTO_SEAL_OVERHEAD ==
                   (int)crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + (int)crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce and tag");
_Static_assert((int)CRYPTO_KEY == (int)crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key of the AEAD");
_Static_assert((int)CRYPTO_SIGN_SECRET == (int)crypto_sign_SECRETKEYBYTES, "Ed25519 secret");
_Static_assert((int)CRYPTO_SIGNATURE == (int)crypto_sign_BYTES, "Ed25519 signature");

static EVP_MD *sha256;
static pthread_key_t context_key; /* frees a thread's context when the thread ends */
static _Thread_local EVP_MD_CTX *context;

static const unsigned char *bytes_of(struct slice s)
{
    return (const unsigned char *)s.ptr;
}

static void free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

int crypto_start(struct err *err)
{
    if (sha256 != NULL)
        return 0;
    if (sodium_init() < 0)
        return err_set(err, ERR_CRYPTO, "", "libsodium cannot be started");
    if (pthread_key_create(&context_key, free_context) != 0)
        return err_set(err, ERR_SYSTEM, "", "no thread key is left");
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL)
        return err_set(err, ERR_CRYPTO, "", "OpenSSL offers no SHA-256");
    return 0;
}

/* Fetching the algorithm and making a context cost more than hashing a small object: one of each is kept. */
static EVP_MD_CTX *thread_context(void)
{
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        if (context == NULL || pthread_setspecific(context_key, context) != 0)
            abort();
    }
    return context;
}

static void hash_begin(EVP_MD_CTX *ctx)
{
    int good = EVP_DigestInit_ex2(ctx, sha256, NULL);

    assert(sha256 != NULL); /* crypto_start() comes first */
    assert(good == 1);
}

static void hash_add(EVP_MD_CTX *ctx, struct slice in)
{
    int good = in.len == 0 || EVP_DigestUpdate(ctx, in.ptr, in.len) == 1;

    assert(good);
}

static void hash_end(EVP_MD_CTX *ctx, uint8_t out[CRYPTO_HASH])
{
    int good = EVP_DigestFinal_ex(ctx, out, NULL);

    assert(good == 1);
}

void crypto_sha256(struct slice in, uint8_t out[CRYPTO_HASH])
{
    crypto_sha256_2(in, slice_n(NULL, 0), out);
}

void crypto_sha256_2(struct slice first, struct slice second, uint8_t out[CRYPTO_HASH])
{
    EVP_MD_CTX *ctx = thread_context();

    hash_begin(ctx);
    hash_add(ctx, first);
    hash_add(ctx, second);
    hash_end(ctx, out);
}

struct crypto_hash {
    EVP_MD_CTX *ctx;
};

struct crypto_hash *crypto_hash_new(void)
{
    struct crypto_hash *h = mem_alloc(sizeof *h);

    h->ctx = EVP_MD_CTX_new();
    assert(h->ctx != NULL);
    hash_begin(h->ctx);
    return h;
}

void crypto_hash_add(struct crypto_hash *h, struct slice in)
{
    hash_add(h->ctx, in);
}

void crypto_hash_end(struct crypto_hash **h, uint8_t out[CRYPTO_HASH])
{
    hash_end((*h)->ctx, out);
    EVP_MD_CTX_free((*h)->ctx);
    free(*h);
    *h = NULL;
}

void crypto_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

uint64_t crypto_random_below(uint64_t bound)
{
    uint64_t value;

    assert(bound != 0);
    /* 2^64 mod bound values at the lower end would make the small results likelier: draw again. */
    uint64_t uneven = (0 - bound) % bound;
    do
        crypto_random(&value, sizeof value);
    while (value < uneven);
    return value % bound;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void crypto_wipe(void *at, size_t n)
{
    sodium_memzero(at, n);
}

void *crypto_secret_new(size_t size)
{
    void *at = sodium_malloc(size);

    if (at == NULL) {
        fputs("tocsin: out of memory\n", stderr);
        abort();
    }
    memset(at, 0, size);
    return at;
}

void crypto_secret_free(void **at)
{
    sodium_free(*at);
    *at = NULL;
}

void crypto_mac(const uint8_t key[CRYPTO_KEY], struct slice in, uint8_t out[CRYPTO_MAC])
{
    int bad = crypto_generichash(out, CRYPTO_MAC, bytes_of(in), in.len, key, CRYPTO_KEY);

    assert(bad == 0);
}

void crypto_derive(const uint8_t key[CRYPTO_KEY], const char *purpose, uint8_t out[CRYPTO_KEY])
{
    /* The prefix keeps a derived key from ever being the MAC of a message that the same key authenticates. */
    static const char prefix[] = "tocsin derive 1";
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, CRYPTO_KEY, CRYPTO_KEY);
    crypto_generichash_update(&state, (const unsigned char *)prefix, sizeof prefix); /* with its NUL */
    crypto_generichash_update(&state, (const unsigned char *)purpose, strlen(purpose));
    crypto_generichash_final(&state, out, CRYPTO_KEY);
    crypto_wipe(&state, sizeof state);
}

void crypto_seal(const uint8_t key[CRYPTO_KEY], struct slice plain, struct slice bound, struct buf *out)
{
    buf_reserve(out, plain.len + CRYPTO_SEAL_OVERHEAD);
    unsigned char *nonce = (unsigned char *)out->ptr + out->len;
    unsigned char *sealed = nonce + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

    /* 24 random bytes: no counter to keep, and no collision to fear (draft-irtf-cfrg-xchacha section 3.1). */
    crypto_random(nonce, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, bytes_of(plain), plain.len, bytes_of(bound), bound.len,
                                               NULL, nonce, key);
    out->len += plain.len + CRYPTO_SEAL_OVERHEAD;
}

bool crypto_open(const uint8_t key[CRYPTO_KEY], struct slice sealed, struct slice bound, struct buf *out)
{
    if (sealed.len < CRYPTO_SEAL_OVERHEAD)
        return false;
    struct slice nonce = slice_to(sealed, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    struct slice body = slice_from(sealed, nonce.len);

    buf_reserve(out, sealed.len - CRYPTO_SEAL_OVERHEAD + 1); /* + 1: never asked for nothing at all */
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)out->ptr + out->len, NULL, NULL, bytes_of(body),
                                                   body.len, bytes_of(bound), bound.len, bytes_of(nonce), key) != 0)
        return false;
    out->len += sealed.len - CRYPTO_SEAL_OVERHEAD;
    return true;
}

void crypto_sign_make(uint8_t public_out[CRYPTO_SIGN_PUBLIC], uint8_t secret_out[CRYPTO_SIGN_SECRET])
{
    crypto_sign_keypair(public_out, secret_out);
}

void crypto_sign_make_from(const uint8_t seed[32], uint8_t public_out[CRYPTO_SIGN_PUBLIC],
                           uint8_t secret_out[CRYPTO_SIGN_SECRET])
{
    crypto_sign_seed_keypair(public_out, secret_out, seed);
}

void crypto_sign_message(const uint8_t secret[CRYPTO_SIGN_SECRET], struct slice message, uint8_t out[CRYPTO_SIGNATURE])
{
    crypto_sign_detached(out, NULL, bytes_of(message), message.len, secret);
}

bool crypto_verify(const uint8_t public_key[CRYPTO_SIGN_PUBLIC], struct slice message,
                   const uint8_t signature[CRYPTO_SIGNATURE])
{
    return crypto_sign_verify_detached(signature, bytes_of(message), message.len, public_key) == 0;
}

void crypto_password_hash(struct slice password, struct buf *text_out)
{
    char text[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str_alg(text, password.ptr, password.len, PASSWORD_PASSES, PASSWORD_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        fputs("tocsin: out of memory\n", stderr); /* its only failure */
        abort();
    }
    buf_put(text_out, slice_of(text));
    crypto_wipe(text, sizeof text);
}

bool crypto_password_check(struct slice password, struct slice text)
{
    char copy[crypto_pwhash_STRBYTES] = {0};

    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    bool same = crypto_pwhash_str_verify(copy, password.ptr, password.len) == 0;
    crypto_wipe(copy, sizeof copy);
    return same;
}

void crypto_put_hex(struct buf *out, const void *bytes, size_t n)
{
    buf_reserve(out, 2 * n + 1);
    sodium_bin2hex(out->ptr + out->len, 2 * n + 1, bytes, n);
    out->len += 2 * n;
}

bool crypto_hex(struct slice text, void *out, size_t n)
{
    return text.len == 2 * n && (n == 0 || sodium_hex2bin(out, n, text.ptr, text.len, NULL, NULL, NULL) == 0);
}

static int base64_variant(bool url)
{
    return url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
}

void crypto_put_base64(struct buf *out, struct slice bytes, bool url)
{
    size_t room = sodium_base64_encoded_len(bytes.len, base64_variant(url)); /* counts a NUL */

    buf_reserve(out, room);
    sodium_bin2base64(out->ptr + out->len, room, bytes_of(bytes), bytes.len, base64_variant(url));
    out->len += room - 1;
}

bool crypto_base64(struct slice text, bool url, struct buf *out)
{
    size_t room = text.len / 4 * 3 + 3, len = 0;

    if (text.len == 0)
        return true;
    buf_reserve(out, room);
    if (sodium_base642bin((unsigned char *)out->ptr + out->len, room, text.ptr, text.len, NULL, &len, NULL,
                          base64_variant(url)) != 0)
        return false;
    out->len += len;
    return true;
}

void crypto_put_uuid(char out[36], const uint8_t bytes[16])
{
    uint8_t shaped[16];
    char hex[33];

    memcpy(shaped, bytes, 16);
    shaped[6] = (shaped[6] & 0x0f) | 0x40; /* version 4 */
    shaped[8] = (shaped[8] & 0x3f) | 0x80; /* variant 10 */
    sodium_bin2hex(hex, sizeof hex, shaped, sizeof shaped);
    static const struct {
        uint8_t to, from, n;
    } groups[] = {{0, 0, 8}, {9, 8, 4}, {14, 12, 4}, {19, 16, 4}, {24, 20, 12}};
    memset(out, '-', 36);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        memcpy(out + groups[i].to, hex + groups[i].from, groups[i].n);
}

void crypto_uuid_random(char out[36])
{
    uint8_t bytes[16];

    crypto_random(bytes, sizeof bytes);
    crypto_put_uuid(out, bytes);
}

#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/crypto.h"

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
    struct buf hex = BUF_INIT;

    crypto_put_hex(&hex, bytes, n);
    assert_slice(buf_slice(&hex), expected);
    buf_free(&hex);
}

/* A hex text of any length as bytes in `out`. */
static struct slice unhex(const char *text, struct buf *out)
{
    size_t n = strlen(text) / 2, at = out->len;

    buf_reserve(out, n + 1);
    assert_true(crypto_hex(slice_of(text), out->ptr + at, n));
    out->len += n;
    return slice_n(out->ptr + at, n);
}

static const uint8_t key_0_to_31[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* FIPS 180-4 examples */
static void test_base_crypto__sha256(void **state)
{
    static const struct {
        const char *text, *hash;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice text = slice_of(rows[i].text);
        uint8_t hash[CRYPTO_HASH];
        crypto_sha256(text, hash);
        assert_hex(hash, sizeof hash, rows[i].hash);
        for (size_t cut = 0; cut <= text.len; cut++) {
            crypto_sha256_2(slice_to(text, cut), slice_from(text, cut), hash);
            assert_hex(hash, sizeof hash, rows[i].hash);
        }
    }
}

static void test_base_crypto__sha256_streams(void **state)
{
    struct crypto_hash *h = crypto_hash_new();
    uint8_t hash[CRYPTO_HASH], other[CRYPTO_HASH];
    char thousand[1000];

    memset(thousand, 'a', sizeof thousand);
    for (int i = 0; i < 1000; i++) {
        crypto_hash_add(h, slice_n(thousand, sizeof thousand));
        crypto_sha256(SLICE("between"), other); /* the thread's own context does not disturb a stream */
    }
    crypto_hash_end(&h, hash);
    assert_null(h);
    assert_hex(hash, sizeof hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 7693 keyed; made with Python's hashlib.blake2b(key=..., digest_size=32), another implementation */
static void test_base_crypto__mac(void **state)
{
    static const struct {
        const char *text, *mac;
    } rows[] = {
        {"", "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d"},
        {"abc", "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t mac[CRYPTO_MAC];
        crypto_mac(key_0_to_31, slice_of(rows[i].text), mac);
        assert_hex(mac, sizeof mac, rows[i].mac);
    }
}

static void test_base_crypto__derived_keys_differ(void **state)
{
    uint8_t owner[CRYPTO_KEY], id[CRYPTO_KEY], mac[CRYPTO_MAC];

    crypto_derive(key_0_to_31, "owner", owner);
    crypto_derive(key_0_to_31, "id", id);
    crypto_mac(key_0_to_31, SLICE("owner"), mac);
    assert_hex(owner, sizeof owner,
               "ab889272b6bc08bdaad85bf3913a82277c17e79dcf4337ba1b9267bd308af501"); /* fixed for ever: rows on disk
                                                                                       depend on it */
    assert_memory_not_equal(owner, id, sizeof id);
    assert_memory_not_equal(owner, mac, sizeof mac);
}

/* draft-irtf-cfrg-xchacha-03 appendix A.3.1 */
static void test_base_crypto__xchacha_vector(void **state)
{
    struct buf bytes = BUF_INIT, plain = BUF_INIT;
    buf_reserve(&bytes, 1000);
    struct slice key = unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", &bytes);
    struct slice bound = unhex("50515253c0c1c2c3c4c5c6c7", &bytes);
    struct slice sealed = unhex("404142434445464748494a4b4c4d4e4f5051525354555657"
                                "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                                "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                                "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                                "21f9664c97637da9768812f615c68b13b52e"
                                "c0875924c1c7987947deafd8780acf49",
                                &bytes);

    assert_true(crypto_open((const uint8_t *)key.ptr, sealed, bound, &plain));
    assert_slice(buf_slice(&plain),
                 "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
                 "future, sunscreen would be it.");
    buf_free(&bytes);
    buf_free(&plain);
}

static void test_base_crypto__sealed_opens_only_unchanged(void **state)
{
    struct buf sealed = BUF_INIT, plain = BUF_INIT;
    uint8_t other_key[CRYPTO_KEY] = {1};
    struct slice text = SLICE("what the submitter wrote"), bound = SLICE("owner");

    crypto_seal(key_0_to_31, text, bound, &sealed);
    assert_int_equal(sealed.len, text.len + CRYPTO_SEAL_OVERHEAD);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] ^= 1;
        assert_false(crypto_open(key_0_to_31, buf_slice(&sealed), bound, &plain));
        sealed.ptr[i] ^= 1;
        assert_false(crypto_open(key_0_to_31, slice_to(buf_slice(&sealed), i), bound, &plain));
    }
    assert_false(crypto_open(key_0_to_31, buf_slice(&sealed), SLICE("another"), &plain));
    assert_false(crypto_open(other_key, buf_slice(&sealed), bound, &plain));
    assert_int_equal(plain.len, 0);
    assert_true(crypto_open(key_0_to_31, buf_slice(&sealed), bound, &plain));
    assert_true(slice_eq(buf_slice(&plain), text));

    size_t first = sealed.len;
    crypto_seal(key_0_to_31, text, bound, &sealed); /* appends, under another nonce */
    assert_memory_not_equal(sealed.ptr, sealed.ptr + first, CRYPTO_SEAL_OVERHEAD);
    buf_clear(&plain);
    crypto_seal(key_0_to_31, SLICE(""), SLICE(""), &plain);
    buf_clear(&sealed);
    assert_true(crypto_open(key_0_to_31, buf_slice(&plain), SLICE(""), &sealed));
    assert_int_equal(sealed.len, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

/* RFC 8032 section 7.1, TEST 1 */
static void test_base_crypto__ed25519_signs(void **state)
{
    uint8_t seed[32], public_key[CRYPTO_SIGN_PUBLIC], secret[CRYPTO_SIGN_SECRET], signature[CRYPTO_SIGNATURE];

    assert_true(
        crypto_hex(SLICE("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), seed, sizeof seed));
    crypto_sign_make_from(seed, public_key, secret);
    assert_hex(public_key, sizeof public_key, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    crypto_sign_message(secret, SLICE(""), signature);
    assert_hex(
        signature, sizeof signature,
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
        "be24655141438e7a100b");
    assert_true(crypto_verify(public_key, SLICE(""), signature));
    assert_false(crypto_verify(public_key, SLICE("x"), signature));
    crypto_sign_make(public_key, secret);
    assert_false(crypto_verify(public_key, SLICE(""), signature));
}

static bool wycheproof_agrees(const uint8_t public_key[CRYPTO_SIGN_PUBLIC], json_t *test)
{
    struct buf bytes = BUF_INIT;
    buf_reserve(&bytes, 10000);
    struct slice message = unhex(json_string_value(json_object_get(test, "msg")), &bytes);
    struct slice signature = unhex(json_string_value(json_object_get(test, "sig")), &bytes);
    bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
    bool found =
        signature.len == CRYPTO_SIGNATURE && crypto_verify(public_key, message, (const uint8_t *)signature.ptr);

    buf_free(&bytes);
    return valid == found;
}

static void test_base_crypto__ed25519_wycheproof(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    char path[4096];

    snprintf(path, sizeof path, "%s/vectors/ed25519/ed25519_test.json", shared != NULL ? shared : "");
    if (shared == NULL || access(path, R_OK) != 0) {
        leave_out("TOCSIN_SHARED names no folder with the Wycheproof vectors");
    }
    json_t *file = json_load_file(path, 0, NULL), *group, *test;
    size_t g, t, n = 0;
    assert_non_null(file);
    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        uint8_t public_key[CRYPTO_SIGN_PUBLIC];
        const char *pk = json_string_value(json_object_get(json_object_get(group, "publicKey"), "pk"));
        assert_true(crypto_hex(slice_of(pk), public_key, sizeof public_key));
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            if (!wycheproof_agrees(public_key, test))
                fail_row(json_integer_value(json_object_get(test, "tcId")), "verdict differs");
            n++;
        }
    }
    assert_int_equal(n, json_integer_value(json_object_get(file, "numberOfTests")));
    json_decref(file);
}

static void test_base_crypto__password(void **state)
{
    struct buf one = BUF_INIT, two = BUF_INIT;

    crypto_password_hash(SLICE("correct horse"), &one);
    crypto_password_hash(SLICE("correct horse"), &two);
    assert_true(slice_starts(buf_slice(&one), SLICE("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_false(slice_eq(buf_slice(&one), buf_slice(&two))); /* salted */
    assert_true(crypto_password_check(SLICE("correct horse"), buf_slice(&one)));
    assert_false(crypto_password_check(SLICE("correct horsf"), buf_slice(&one)));
    assert_false(crypto_password_check(SLICE(""), buf_slice(&one)));
    assert_false(crypto_password_check(SLICE("correct horse"), SLICE("")));
    assert_false(crypto_password_check(SLICE("correct horse"), slice_to(buf_slice(&one), one.len - 1)));
    buf_reserve(&two, 1000);
    memset(two.ptr, 'a', 1000);
    assert_false(crypto_password_check(SLICE("correct horse"), slice_n(two.ptr, 1000)));
    buf_free(&one);
    buf_free(&two);
}

static void test_base_crypto__hex(void **state)
{
    uint8_t out[2];

    assert_true(crypto_hex(SLICE("0aFf"), out, 2));
    assert_int_equal(out[0], 0x0a);
    assert_int_equal(out[1], 0xff);
    assert_false(crypto_hex(SLICE("0aF"), out, 2));
    assert_false(crypto_hex(SLICE("0aFf0"), out, 2));
    assert_false(crypto_hex(SLICE("0aFf00"), out, 2));
    assert_false(crypto_hex(SLICE("0aFg"), out, 2));
    assert_false(crypto_hex(SLICE(" 0aF"), out, 2));
    assert_true(crypto_hex(SLICE(""), out, 0));
}

/* RFC 4648 section 10; what is not the one canonical form is refused */
static void test_base_crypto__base64(void **state)
{
    static const struct {
        const char *text;
        bool url;
        const char *plain; /* NULL: not valid */
    } rows[] = {
        {"", false, ""},
        {"Zg==", false, "f"},
        {"Zm8=", false, "fo"},
        {"Zm9v", false, "foo"},
        {"Zm9vYg==", false, "foob"},
        {"Zm9vYmE=", false, "fooba"},
        {"Zm9vYmFy", false, "foobar"},
        {"YT8+", false, "a?>"},
        {"YT8-", true, "a?>"},
        {"Zg", true, "f"},
        {"YT8-", false, NULL}, /* the other alphabet */
        {"YT8+", true, NULL},
        {"Zg", false, NULL}, /* padding missing */
        {"Zg=", false, NULL},
        {"Zg==", true, NULL},  /* padding where there is none */
        {"Zh==", false, NULL}, /* stray bits behind the last byte */
        {"Zg===", false, NULL},
        {"Z", false, NULL},
        {"Zm9v\n", false, NULL},
        {"Zm 9v", false, NULL},
        {"Zm9vZg==Zg==", false, NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out = BUF_INIT;
        bool good = crypto_base64(slice_of(rows[i].text), rows[i].url, &out);
        if (good != (rows[i].plain != NULL))
            fail_row(i, "%s", rows[i].text);
        if (good)
            assert_slice(buf_slice(&out), rows[i].plain);
        else
            assert_int_equal(out.len, 0);
        buf_clear(&out);
        if (good) {
            crypto_put_base64(&out, slice_of(rows[i].plain), rows[i].url);
            assert_slice(buf_slice(&out), rows[i].text);
        }
        buf_free(&out);
    }
}

static void test_base_crypto__uuid(void **state)
{
    uint8_t bytes[16];
    char text[36], other[36];

    memset(bytes, 0xff, sizeof bytes);
    crypto_put_uuid(text, bytes);
    assert_slice(slice_n(text, 36), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    crypto_put_uuid(text, key_0_to_31);
    assert_slice(slice_n(text, 36), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    crypto_uuid_random(text);
    crypto_uuid_random(other);
    assert_memory_not_equal(text, other, 36);
    assert_true(text[14] == '4' && strchr("89ab", text[19]) != NULL);
}

static void test_base_crypto__random_below(void **state)
{
    int seen[3] = {0};

    for (int i = 0; i < 1000; i++)
        seen[crypto_random_below(3)]++;
    assert_true(seen[0] > 200 && seen[1] > 200 && seen[2] > 200);
    assert_int_equal(crypto_random_below(1), 0);
    assert_true(crypto_random_below(((uint64_t)1 << 63) + 1) <= (uint64_t)1 << 63);
}

static void *hash_in_thread(void *out)
{
    for (int i = 0; i < 1000; i++)
        crypto_sha256(SLICE("abc"), out);
    return NULL;
}

static void test_base_crypto__threads(void **state)
{
    pthread_t threads[4];
    uint8_t hashes[4][CRYPTO_HASH];

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, hashes[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_hex(hashes[i], CRYPTO_HASH, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void test_base_crypto__equal_and_wipe(void **state)
{
    char a[4] = "abc", b[4] = "abd";

    assert_true(crypto_equal(a, b, 2));
    assert_false(crypto_equal(a, b, 3));
    crypto_wipe(a, sizeof a);
    crypto_wipe(b, sizeof b);
    assert_true(crypto_equal(a, b, 4));
    assert_int_equal(a[0], 0);
}

static void test_base_crypto__secret_memory(void **state)
{
    uint8_t *secret = crypto_secret_new(100);
    void *gone = secret;

    for (int i = 0; i < 100; i++)
        assert_int_equal(secret[i], 0);
    memset(secret, 1, 100);
    crypto_secret_free(&gone);
    assert_null(gone);
    crypto_secret_free(&gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_crypto__sha256),
        cmocka_unit_test(test_base_crypto__sha256_streams),
        cmocka_unit_test(test_base_crypto__mac),
        cmocka_unit_test(test_base_crypto__derived_keys_differ),
        cmocka_unit_test(test_base_crypto__xchacha_vector),
        cmocka_unit_test(test_base_crypto__sealed_opens_only_unchanged),
        cmocka_unit_test(test_base_crypto__ed25519_signs),
        cmocka_unit_test(test_base_crypto__ed25519_wycheproof),
        cmocka_unit_test(test_base_crypto__password),
        cmocka_unit_test(test_base_crypto__hex),
        cmocka_unit_test(test_base_crypto__base64),
        cmocka_unit_test(test_base_crypto__uuid),
        cmocka_unit_test(test_base_crypto__random_below),
        cmocka_unit_test(test_base_crypto__threads),
        cmocka_unit_test(test_base_crypto__equal_and_wipe),
        cmocka_unit_test(test_base_crypto__secret_memory),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

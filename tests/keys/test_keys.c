#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/time.h"
#include "keys/internal.h"

/* The loop in a thread of its own, over pairs of channels. */
enum { CHANNELS = 3 };
struct fake {
    struct keys_secrets secrets;
    int theirs[CHANNELS], ours[CHANNELS];
    struct keys *keys[CHANNELS];
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct fake *f = arg;

    keys_serve(&f->secrets, f->theirs, CHANNELS);
    return NULL;
}

static void start(struct fake *f, uint8_t secret_byte)
{
    uint8_t secret[CRYPTO_KEY];

    memset(secret, secret_byte, sizeof secret);
    keys_secrets_derive(secret, &f->secrets);
    for (int i = 0; i < CHANNELS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        f->theirs[i] = pair[0];
        f->ours[i] = pair[1];
        assert_int_equal(keys_open(pair[1], &f->keys[i], NULL), 0);
    }
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop(struct fake *f)
{
    for (int i = 0; i < CHANNELS; i++)
        keys_close(&f->keys[i]);
    pthread_join(f->thread, NULL); /* it ends when the last channel closes */
}

static void test_keys_keys__macs_are_stable_and_apart(void **state)
{
    struct fake f, again, other;
    const struct slice in[] = {SLICE("member-1"), SLICE("member-2"), SLICE(""), SLICE("member-1")};
    uint8_t one[4][CRYPTO_MAC], two[4][CRYPTO_MAC];

    start(&f, 1);
    start(&again, 1);
    start(&other, 2);
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_OWNER, in, 4, one, NULL), 0);
    assert_memory_equal(one[0], one[3], CRYPTO_MAC);
    assert_memory_not_equal(one[0], one[1], CRYPTO_MAC);
    assert_memory_not_equal(one[0], one[2], CRYPTO_MAC);
    assert_int_equal(keys_mac(again.keys[1], KEYS_MAC_OWNER, in, 4, two, NULL), 0);
    assert_memory_equal(one, two, sizeof one); /* over a restart */
    for (enum keys_mac kind = KEYS_MAC_ID; kind <= KEYS_MAC_SIGHTING; kind++) {
        assert_int_equal(keys_mac(f.keys[0], kind, in, 1, two, NULL), 0);
        assert_memory_not_equal(one[0], two[0], CRYPTO_MAC);
    }
    assert_int_equal(keys_mac(other.keys[0], KEYS_MAC_OWNER, in, 1, two, NULL), 0);
    assert_memory_not_equal(one[0], two[0], CRYPTO_MAC);
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_OWNER, NULL, 0, NULL, NULL), 0);
    stop(&f);
    stop(&again);
    stop(&other);
}

static void give_issuer(struct keys_secrets *s)
{
    struct buf cert = BUF_INIT, key = BUF_INIT;
    int64_t now = time_now_us(), day = INT64_C(86400000000);
    struct crypto_cert_ask ask = {SLICE("issuer"), NULL, 0, now - day, now + 100 * day, CRYPTO_CERT_AUTHORITY};

    assert_int_equal(crypto_cert_make(&ask, SLICE(""), SLICE(""), &cert, &key, NULL), 0);
    s->issuer_len = cert.len;
    s->issuer_key_len = key.len;
    memcpy(s->issuer, cert.ptr, cert.len);
    memcpy(s->issuer_key, key.ptr, key.len);
    buf_free(&cert);
    buf_free(&key);
}

/* A client's certificate and nothing else, whoever asks; no longer than the issuer. */
static void test_keys_keys__certify(void **state)
{
    static const struct {
        const char *name, *csr; /* csr NULL: a good one */
        uint32_t days;
        enum err_code code;
        int lasts; /* days */
    } rows[] = {
        {"bank", NULL, 30, ERR_NONE, 30},       {"bank", NULL, 398, ERR_NONE, 100}, /* as long as the issuer */
        {"bank", NULL, 0, ERR_CRYPTO, 0},       {"", NULL, 30, ERR_CRYPTO, 0},      {"bank", "", 30, ERR_CRYPTO, 0},
        {"bank", "garbage", 30, ERR_CRYPTO, 0}, {"bank", NULL, 399, ERR_KEYS, 0}, /* our own mistake: it loses its
                                                                                     channel */
    };
    struct fake f;
    struct buf csr = BUF_INIT, key = BUF_INIT, cert = BUF_INIT;
    struct arena a = ARENA_INIT;

    start(&f, 1);
    assert_int_equal(crypto_csr_make(SLICE("root of all"), &csr, &key, NULL), 0);
    assert_int_equal(keys_certify(f.keys[0], SLICE("bank"), 30, buf_slice(&csr), &cert, NULL), -1); /* no issuer */
    stop(&f);
    start(&f, 1);
    give_issuer(&f.secrets);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct err err = ERR_INIT;
        struct crypto_cert told;
        buf_clear(&cert);
        keys_certify(f.keys[0], slice_of(rows[i].name), rows[i].days,
                     rows[i].csr != NULL ? slice_of(rows[i].csr) : buf_slice(&csr), &cert, &err);
        if (err.code != rows[i].code)
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        if (err.code != ERR_NONE)
            continue;
        assert_int_equal(crypto_cert_read(&a, buf_slice(&cert), &told, NULL), 0);
        int64_t lasts = told.until_us - time_now_us(), wanted = rows[i].lasts * INT64_C(86400000000);
        if (!told.client || told.server || told.authority || !slice_eq(told.subject, SLICE("CN=bank")) ||
            lasts > wanted || lasts < wanted - 60000000 || !crypto_cert_fits(buf_slice(&cert), buf_slice(&key)))
            fail_row(i, SLICE_FMT, SLICE_ARG(told.subject));
    }
    stop(&f);
    buf_free(&csr);
    buf_free(&key);
    buf_free(&cert);
    arena_free(&a);
}

static void test_keys_keys__large_batches_are_split(void **state)
{
    enum { MANY = 5000, BIG = 40000 };
    struct fake f;
    struct slice *in = mem_zero(MANY, sizeof *in);
    uint8_t(*out)[CRYPTO_MAC] = mem_zero(MANY, CRYPTO_MAC), single[1][CRYPTO_MAC];
    char *big = mem_zero(1, KEYS_FRAME);
    struct err err = ERR_INIT;

    start(&f, 1);
    for (size_t i = 0; i < MANY; i++)
        in[i] = slice_n((const char *)&in[i], i % 7);
    for (size_t i = 0; i < 5; i++)
        in[i * 1000] = slice_n(big, BIG + i);
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_ID, in, MANY, out, NULL), 0);
    for (size_t i = 0; i < MANY; i += 97) {
        assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_ID, &in[i], 1, single, NULL), 0);
        assert_memory_equal(single[0], out[i], CRYPTO_MAC);
    }
    in[0] = slice_n(big, KEYS_FRAME - KEYS_REQUEST_HEAD - KEYS_ITEM_HEAD); /* just fits */
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_ID, in, 1, out, NULL), 0);
    in[0].len++;
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_ID, in, 1, out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    assert_int_equal(keys_mac(f.keys[0], KEYS_MAC_ID, in + 1, 1, out, NULL),
                     0); /* nothing was sent: the channel is good */
    stop(&f);
    free(big);
    free(in);
    free(out);
}

static void test_keys_keys__data_keys_open_for_their_owner(void **state)
{
    struct fake f;
    uint8_t key[CRYPTO_KEY], other[CRYPTO_KEY], opened[CRYPTO_KEY];
    struct buf wrapped = BUF_INIT;
    struct err err = ERR_INIT;

    start(&f, 1);
    assert_int_equal(keys_data_key(f.keys[0], SLICE("owner"), other, &wrapped, NULL), 0);
    buf_clear(&wrapped);
    assert_int_equal(keys_data_key(f.keys[0], SLICE("owner"), key, &wrapped, NULL), 0);
    assert_memory_not_equal(key, other, sizeof key);
    assert_int_equal(keys_unwrap(f.keys[1], SLICE("owner"), buf_slice(&wrapped), opened, NULL), 0);
    assert_memory_equal(key, opened, sizeof key);
    assert_int_equal(keys_unwrap(f.keys[1], SLICE("another"), buf_slice(&wrapped), opened, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    wrapped.ptr[50] ^= 1;
    assert_int_equal(keys_unwrap(f.keys[1], SLICE("owner"), buf_slice(&wrapped), opened, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    wrapped.ptr[50] ^= 1;
    assert_int_equal(keys_unwrap(f.keys[1], SLICE("owner"), slice_to(buf_slice(&wrapped), 40), opened, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_equal(keys_unwrap(f.keys[1], SLICE("owner"), buf_slice(&wrapped), opened, NULL),
                     0); /* the channel is good */
    stop(&f);
    buf_free(&wrapped);
}

static void test_keys_keys__signatures_are_bound_to_their_kind(void **state)
{
    struct fake f;
    struct slice head = SLICE("hub.example/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    uint8_t public_key[CRYPTO_SIGN_PUBLIC], signature[CRYPTO_SIGNATURE];
    struct err err = ERR_INIT;

    start(&f, 1);
    assert_int_equal(keys_public(f.keys[0], public_key, NULL), 0);
    assert_int_equal(keys_sign(f.keys[0], KEYS_SIGN_HEAD, head, signature, NULL), 0);
    assert_true(keys_check(public_key, KEYS_SIGN_HEAD, head, signature));
    assert_true(crypto_verify(public_key, head, signature)); /* as any other tool checks a note */
    assert_false(keys_check(public_key, KEYS_SIGN_EVENT, head, signature));
    assert_false(keys_check(public_key, KEYS_SIGN_HEAD, slice_from(head, 1), signature));

    assert_int_equal(keys_sign(f.keys[0], KEYS_SIGN_EVENT, head, signature, NULL), 0);
    assert_true(keys_check(public_key, KEYS_SIGN_EVENT, head, signature));
    assert_false(keys_check(public_key, KEYS_SIGN_HEAD, head, signature));
    assert_false(crypto_verify(public_key, head, signature));
    signature[0] ^= 1;
    assert_false(keys_check(public_key, KEYS_SIGN_EVENT, head, signature));

    assert_int_equal(keys_sign(f.keys[0], KEYS_SIGN_RECEIPT, head, signature, NULL), 0);
    assert_true(keys_check(public_key, KEYS_SIGN_RECEIPT, head, signature));
    assert_false(keys_check(public_key, KEYS_SIGN_EVENT, head, signature));
    assert_false(keys_check(public_key, KEYS_SIGN_HEAD, head, signature));
    uint8_t own[CRYPTO_SIGN_SECRET];
    crypto_sign_make(public_key, own);
    keys_sign_own(own, KEYS_SIGN_RECEIPT, head, signature);
    assert_true(keys_check(public_key, KEYS_SIGN_RECEIPT, head, signature));
    assert_false(keys_check(public_key, KEYS_SIGN_EVENT, head, signature));
    assert_int_equal(keys_public(f.keys[0], public_key, NULL), 0);

    assert_int_equal(keys_sign(f.keys[0], KEYS_SIGN_HEAD, SLICE("\0tocsin event 1\0"), signature, &err), -1);
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_equal(keys_sign(f.keys[0], KEYS_SIGN_HEAD, SLICE(""), signature, &err), -1);
    assert_false(keys_check(public_key, (enum keys_sign)0, head, signature));
    assert_int_equal(keys_sign(f.keys[0], (enum keys_sign)9, head, signature, &err), -1);
    stop(&f);
}

static void test_keys_keys__signs_many_and_large(void **state)
{
    enum { MANY = 2500 };
    struct fake f;
    struct slice *in = mem_zero(MANY, sizeof *in);
    uint8_t(*out)[CRYPTO_SIGNATURE] = mem_zero(MANY, CRYPTO_SIGNATURE), public_key[CRYPTO_SIGN_PUBLIC];
    char *big = mem_zero(1, 1 << 20);

    start(&f, 1);
    for (size_t i = 0; i < MANY; i++)
        in[i] = slice_n(big, i);
    in[7] = slice_n(big, 1 << 20); /* far over a frame: its hash travels */
    assert_int_equal(keys_public(f.keys[0], public_key, NULL), 0);
    assert_int_equal(keys_sign_all(f.keys[0], KEYS_SIGN_EVENT, in, MANY, out, NULL), 0);
    for (size_t i = 7; i < MANY; i += 89)
        assert_true(keys_check(public_key, KEYS_SIGN_EVENT, in[i], out[i]));
    assert_false(keys_check(public_key, KEYS_SIGN_EVENT, in[7], out[8]));
    stop(&f);
    free(big);
    free(in);
    free(out);
}

static void test_keys_keys__token_key(void **state)
{
    struct fake f, other;
    uint8_t one[CRYPTO_KEY], two[CRYPTO_KEY];

    start(&f, 1);
    start(&other, 2);
    assert_int_equal(keys_token_key(f.keys[0], one, NULL), 0);
    assert_int_equal(keys_token_key(f.keys[2], two, NULL), 0);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(keys_token_key(other.keys[0], two, NULL), 0);
    assert_memory_not_equal(one, two, sizeof one);
    for (size_t at = 0; at + CRYPTO_KEY <= sizeof f.secrets;
         at++) /* of all secrets it gives away the token key alone */
        assert_true((const uint8_t *)&f.secrets + at == f.secrets.token ||
                    memcmp((const uint8_t *)&f.secrets + at, one, CRYPTO_KEY) != 0);
    stop(&f);
    stop(&other);
}

static void test_keys_keys__nonsense_costs_its_own_channel_only(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT("\x01"),                             /* no whole head */
        SLICE_INIT("\x00\x00\x00\x00"),                 /* no such op */
        SLICE_INIT("\x63\x00\x00\x00"),                 /* nor this */
        SLICE_INIT("\x01\x00\x00\x00"),                 /* no such kind of MAC */
        SLICE_INIT("\x01\x01\x02\x00\x00\x00\x00\x00"), /* an item is missing */
        SLICE_INIT("\x01\x01\x01\x00\x05\x00\x00\x00"
                   "abcd"), /* an item is cut */
        SLICE_INIT("\x01\x01\x01\x00\x04\x00\x00\x00"
                   "abcde"),                            /* a byte too many */
        SLICE_INIT("\x01\x01\x01\x00\xff\xff\xff\xff"), /* a length near the end of all numbers */
        SLICE_INIT("\x03\x00\x01\x00\x00\x00\x00\x00"), /* an item where there is none */
        SLICE_INIT("\x06\x00\x01\x00\x00\x00\x00\x00"), /* the wrapped key is missing */
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct fake f;
        uint8_t key[CRYPTO_KEY];
        char answer[10];
        struct err err = ERR_INIT;
        start(&f, 1);
        assert_int_equal(send(f.ours[0], rows[i].ptr, rows[i].len, MSG_NOSIGNAL), rows[i].len);
        if (recv(f.ours[0], answer, sizeof answer, 0) != 1 || answer[0] != KEYS_NOT_UNDERSTOOD)
            fail_row(i, "understood");
        assert_int_equal(keys_token_key(f.keys[0], key, &err), -1);
        assert_int_equal(err.code, ERR_KEYS);
        assert_int_equal(keys_token_key(f.keys[1], key, NULL), 0);
        stop(&f);
    }
}

static void test_keys_keys__overlong_frame_is_cut_off(void **state)
{
    struct fake f;
    uint8_t key[CRYPTO_KEY];
    char *frame = mem_zero(1, KEYS_FRAME + 1);
    struct err err = ERR_INIT;

    start(&f, 1);
    assert_int_equal(send(f.ours[0], frame, KEYS_FRAME + 1, MSG_NOSIGNAL), KEYS_FRAME + 1);
    assert_int_equal(recv(f.ours[0], frame, KEYS_FRAME, 0), 0);
    assert_int_equal(keys_token_key(f.keys[0], key, &err), -1);
    assert_int_equal(keys_token_key(f.keys[1], key, NULL), 0);
    stop(&f);
    free(frame);
}

static void test_keys_keys__whoever_takes_no_answer_is_dropped(void **state)
{
    struct fake f;
    uint8_t key[CRYPTO_KEY];
    struct buf frame = BUF_INIT;

    start(&f, 1);
    keys_request_begin(&frame, KEYS_OP_MAC, KEYS_MAC_ID);
    while (keys_request_add(&frame, SLICE("")))
        ;
    while (send(f.ours[0], frame.ptr, frame.len, MSG_NOSIGNAL) > 0)
        ; /* until the loop gives the channel up; were it to wait, neither side would end */
    assert_int_equal(keys_token_key(f.keys[1], key, NULL), 0);
    stop(&f);
    buf_free(&frame);
}

static void test_keys_keys__a_broken_channel_stays_broken(void **state)
{
    int pair[2];
    struct keys *k = NULL;
    uint8_t key[CRYPTO_KEY];
    struct err err = ERR_INIT;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(keys_open(pair[1], &k, NULL), 0);
    close(pair[0]);
    for (int i = 0; i < 2; i++) {
        err.code = ERR_NONE;
        assert_int_equal(keys_token_key(k, key, &err), -1);
        assert_int_equal(err.code, ERR_KEYS);
    }
    keys_close(&k);
    assert_null(k);
    keys_close(&k); /* NULL is fine */

    assert_int_equal(pipe(pair), 0);
    assert_int_equal(keys_open(pair[1], &k, &err), -1);
    assert_int_equal(err.code, ERR_KEYS);
    assert_int_equal(close(pair[1]), -1); /* taken over all the same */
    close(pair[0]);
}

static void test_keys_keys__order_of_service(void **state)
{
    static const struct {
        enum keys_op waiting[4];
        bool everybody, chosen[4];
    } rows[] = {
        {{KEYS_OP_UNWRAP, KEYS_OP_SIGN, KEYS_OP_MAC, KEYS_OP_MAC}, false, {false, false, true, true}},
        {{KEYS_OP_UNWRAP, KEYS_OP_SIGN, KEYS_OP_NONE, KEYS_OP_UNWRAP}, false, {false, true, false, false}},
        {{KEYS_OP_UNWRAP, KEYS_OP_END, KEYS_OP_NONE, KEYS_OP_UNWRAP},
         false,
         {true, true, false, true}}, /* END: a channel that closed */
        {{KEYS_OP_UNWRAP, KEYS_OP_SIGN, KEYS_OP_MAC, KEYS_OP_NONE}, true, {true, true, true, false}},
        {{KEYS_OP_NONE, KEYS_OP_NONE, KEYS_OP_NONE, KEYS_OP_NONE}, true, {false, false, false, false}},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        bool chosen[4];
        keys_choose(rows[i].waiting, 4, rows[i].everybody, chosen);
        if (memcmp(chosen, rows[i].chosen, sizeof chosen) != 0)
            fail_row(i, "%d %d %d %d", chosen[0], chosen[1], chosen[2], chosen[3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_keys__macs_are_stable_and_apart),
        cmocka_unit_test(test_keys_keys__certify),
        cmocka_unit_test(test_keys_keys__large_batches_are_split),
        cmocka_unit_test(test_keys_keys__data_keys_open_for_their_owner),
        cmocka_unit_test(test_keys_keys__signatures_are_bound_to_their_kind),
        cmocka_unit_test(test_keys_keys__signs_many_and_large),
        cmocka_unit_test(test_keys_keys__token_key),
        cmocka_unit_test(test_keys_keys__nonsense_costs_its_own_channel_only),
        cmocka_unit_test(test_keys_keys__overlong_frame_is_cut_off),
        cmocka_unit_test(test_keys_keys__whoever_takes_no_answer_is_dropped),
        cmocka_unit_test(test_keys_keys__a_broken_channel_stays_broken),
        cmocka_unit_test(test_keys_keys__order_of_service),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "keys/internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/time.h"

#define DAY_US (INT64_C(86400) * 1000000)

void keys_secrets_derive(const uint8_t secret[CRYPTO_KEY], struct keys_secrets *out)
{
    static const char *const purposes[] = {[KEYS_MAC_OWNER] = "mac owner",
                                           [KEYS_MAC_ID] = "mac id",
                                           [KEYS_MAC_COVER] = "mac cover",
                                           [KEYS_MAC_SIGHTING] = "mac sighting"};
    uint8_t seed[32];

    for (int kind = KEYS_MAC_OWNER; kind <= KEYS_MAC_SIGHTING; kind++)
        crypto_derive(secret, purposes[kind], out->mac[kind]);
    out->issuer_len = out->issuer_key_len = 0;
    crypto_derive(secret, "wrap", out->wrap);
    crypto_derive(secret, "token", out->token);
    crypto_derive(secret, "sign", seed);
    crypto_sign_make_from(seed, out->sign_public, out->sign_secret);
    crypto_wipe(seed, sizeof seed);
}

static void put_bytes(struct buf *out, const uint8_t *bytes, size_t n)
{
    buf_put(out, slice_n((const char *)bytes, n));
}

static enum keys_status answer_macs(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    if (r->kind < KEYS_MAC_OWNER || r->kind > KEYS_MAC_SIGHTING)
        return KEYS_NOT_UNDERSTOOD;
    for (uint16_t i = 0; i < r->n; i++) {
        uint8_t mac[CRYPTO_MAC];
        crypto_mac(s->mac[r->kind], keys_item_next(&r->items), mac);
        put_bytes(answer, mac, sizeof mac);
    }
    return KEYS_GOOD;
}

static enum keys_status answer_signatures(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    struct buf covered = BUF_INIT;
    enum keys_status status = KEYS_GOOD;

    for (uint16_t i = 0; status == KEYS_GOOD && i < r->n; i++) {
        uint8_t signature[CRYPTO_SIGNATURE];
        buf_clear(&covered);
        if (!keys_signed_bytes((enum keys_sign)r->kind, keys_item_next(&r->items), &covered)) {
            status = KEYS_REFUSED;
            break;
        }
        crypto_sign_message(s->sign_secret, buf_slice(&covered), signature);
        put_bytes(answer, signature, sizeof signature);
    }
    buf_free(&covered);
    return status;
}

static enum keys_status answer_data_key(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    uint8_t key[CRYPTO_KEY];

    if (r->n != 1)
        return KEYS_NOT_UNDERSTOOD;
    crypto_random(key, sizeof key);
    put_bytes(answer, key, sizeof key);
    crypto_seal(s->wrap, slice_n((const char *)key, sizeof key), keys_item_next(&r->items), answer);
    crypto_wipe(key, sizeof key);
    return KEYS_GOOD;
}

static enum keys_status answer_unwrap(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    if (r->n != 2)
        return KEYS_NOT_UNDERSTOOD;
    struct slice owner = keys_item_next(&r->items), wrapped = keys_item_next(&r->items);
    if (wrapped.len != CRYPTO_KEY + CRYPTO_SEAL_OVERHEAD || !crypto_open(s->wrap, wrapped, owner, answer))
        return KEYS_REFUSED;
    return KEYS_GOOD;
}

static enum keys_status answer_fixed(const uint8_t bytes[CRYPTO_KEY], const struct keys_request *r, struct buf *answer)
{
    if (r->n != 0)
        return KEYS_NOT_UNDERSTOOD;
    put_bytes(answer, bytes, CRYPTO_KEY);
    return KEYS_GOOD;
}

/* Whatever core asks for: a client's certificate it is, and no other, and of the issuer's own time. */
static int certify(const struct keys_secrets *s, struct slice name, uint32_t days, struct slice csr, struct buf *out,
                   struct err *err)
{
    struct slice issuer = slice_n(s->issuer, s->issuer_len), key = slice_n(s->issuer_key, s->issuer_key_len);
    struct arena a = ARENA_INIT;
    struct crypto_cert told;
    int64_t now = time_now_us();
    int status = -1;

    if (issuer.len == 0 || crypto_cert_read(&a, issuer, &told, err) != 0) {
        arena_free(&a);
        return err_set(err, ERR_CRYPTO, "", "this hub issues no certificates");
    }
    struct crypto_cert_ask ask = {.name = name,
                                  .from_us = now - DAY_US, /* the member's clock may be behind */
                                  .until_us = now + days * DAY_US,
                                  .kind = CRYPTO_CERT_CLIENT};
    if (ask.until_us > told.until_us)
        ask.until_us = told.until_us;
    if (days >= 1 && days <= KEYS_CERTIFICATE_DAYS_MAX)
        status = crypto_csr_sign(&ask, csr, issuer, key, out, err);
    if (status == 0 && !slice_eq(told.subject, told.issuer))
        buf_put(out, issuer); /* so that it leads to the root */
    arena_free(&a);
    return status;
}

static enum keys_status answer_certify(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    uint64_t days;

    if (r->n != 3)
        return KEYS_NOT_UNDERSTOOD;
    struct slice name = keys_item_next(&r->items), text = keys_item_next(&r->items), csr = keys_item_next(&r->items);
    if (!slice_u64(text, &days) || days > KEYS_CERTIFICATE_DAYS_MAX)
        return KEYS_NOT_UNDERSTOOD;
    return certify(s, name, (uint32_t)days, csr, answer, NULL) == 0 ? KEYS_GOOD : KEYS_REFUSED;
}

int keys_try_issuer(const struct keys_secrets *s, struct err *err)
{
    struct buf csr = BUF_INIT, key = BUF_INIT, cert = BUF_INIT;
    int status = crypto_csr_make(SLICE("try"), &csr, &key, err);

    if (status == 0)
        status = certify(s, SLICE("try"), 1, buf_slice(&csr), &cert, err);
    buf_free(&csr);
    buf_free(&key);
    buf_free(&cert);
    return status;
}

static enum keys_status answer_request(const struct keys_secrets *s, struct keys_request *r, struct buf *answer)
{
    switch (r->op) {
    case KEYS_OP_MAC:
        return answer_macs(s, r, answer);
    case KEYS_OP_SIGN:
        return answer_signatures(s, r, answer);
    case KEYS_OP_PUBLIC:
        return answer_fixed(s->sign_public, r, answer);
    case KEYS_OP_TOKEN_KEY:
        return answer_fixed(s->token, r, answer);
    case KEYS_OP_DATA_KEY:
        return answer_data_key(s, r, answer);
    case KEYS_OP_UNWRAP:
        return answer_unwrap(s, r, answer);
    case KEYS_OP_CERTIFY:
        return answer_certify(s, r, answer);
    case KEYS_OP_NONE:
    case KEYS_OP_END:
        break;
    }
    return KEYS_NOT_UNDERSTOOD;
}

void keys_answer(const struct keys_secrets *s, struct slice frame, struct buf *answer)
{
    struct keys_request request;
    enum keys_status status = KEYS_NOT_UNDERSTOOD;

    buf_clear(answer);
    buf_put_byte(answer, KEYS_GOOD);
    if (keys_request_parse(frame, &request))
        status = answer_request(s, &request, answer);
    answer->ptr[0] = (char)status;
    if (status != KEYS_GOOD)
        answer->len = 1;
    assert(answer->len <= KEYS_FRAME);
}

/* ---- the loop ---- */

enum { EVERYBODY_EACH = 16 }; /* a steady stream of pseudonyms must not starve the others */

struct loop {
    const struct keys_secrets *secrets;
    struct pollfd *channels; /* fd -1: closed */
    enum keys_op *waiting;   /* of each channel */
    bool *chosen;
    size_t n;
    char *frame; /* KEYS_FRAME bytes, and one more to see that a frame was longer */
    struct buf answer;
};

/* Pseudonyms stand in the way of every commit, heads once a second, unsealing only of a submitter's own page. */
static int urgency_of(enum keys_op op)
{
    return op == KEYS_OP_MAC ? 0 : op == KEYS_OP_SIGN ? 1 : 2;
}

void keys_choose(const enum keys_op *waiting, size_t n, bool everybody, bool *chosen_out)
{
    int most = 2;

    for (size_t i = 0; i < n; i++)
        if (waiting[i] != KEYS_OP_NONE && urgency_of(waiting[i]) < most)
            most = urgency_of(waiting[i]);
    for (size_t i = 0; i < n; i++)
        chosen_out[i] = waiting[i] != KEYS_OP_NONE && (everybody || urgency_of(waiting[i]) == most);
}

static enum keys_op op_waiting(const struct pollfd *channel)
{
    char first;

    if (channel->revents == 0)
        return KEYS_OP_NONE;
    if (recv(channel->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
        return KEYS_OP_END; /* closed: seen to with the least urgent */
    return keys_request_op(slice_n(&first, 1));
}

static void close_channel(struct pollfd *channel)
{
    close(channel->fd);
    channel->fd = -1;
}

/* One request and its answer. Whoever sends nonsense or does not take its answer loses its channel. */
static void serve_one(struct loop *l, struct pollfd *channel)
{
    ssize_t n = recv(channel->fd, l->frame, KEYS_FRAME + 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0 || n > KEYS_FRAME) {
        close_channel(channel);
        return;
    }
    keys_answer(l->secrets, slice_n(l->frame, (size_t)n), &l->answer);
    if (send(channel->fd, l->answer.ptr, l->answer.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)l->answer.len ||
        l->answer.ptr[0] == KEYS_NOT_UNDERSTOOD)
        close_channel(channel);
    crypto_wipe(l->frame, (size_t)n);
    crypto_wipe(l->answer.ptr, l->answer.len);
}

/* One request of each chosen channel. */
static void serve_ready(struct loop *l, bool everybody)
{
    for (size_t i = 0; i < l->n; i++)
        l->waiting[i] = op_waiting(&l->channels[i]);
    keys_choose(l->waiting, l->n, everybody, l->chosen);
    for (size_t i = 0; i < l->n; i++)
        if (l->chosen[i])
            serve_one(l, &l->channels[i]);
}

static bool any_open(const struct loop *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->channels[i].fd >= 0)
            return true;
    return false;
}

void keys_serve(const struct keys_secrets *s, const int *channels, size_t n)
{
    struct loop l = {.secrets = s,
                     .channels = mem_zero(n, sizeof *l.channels),
                     .waiting = mem_zero(n, sizeof *l.waiting),
                     .chosen = mem_zero(n, sizeof *l.chosen),
                     .n = n,
                     .frame = mem_alloc(KEYS_FRAME + 1),
                     .answer = BUF_INIT};

    buf_reserve(&l.answer, KEYS_FRAME); /* never moved: a copy left behind would hold keys */
    for (size_t i = 0; i < n; i++)
        l.channels[i] = (struct pollfd){channels[i], POLLIN, 0};
    for (size_t round = 1; any_open(&l); round++) {
        int n_ready = poll(l.channels, l.n, -1);
        if (n_ready > 0)
            serve_ready(&l, n_ready == 1 || round % EVERYBODY_EACH == 0);
        else if (n_ready < 0 && errno != EINTR)
            break;
    }
    for (size_t i = 0; i < n; i++)
        if (l.channels[i].fd >= 0)
            close_channel(&l.channels[i]);
    buf_free(&l.answer);
    free(l.frame);
    free(l.chosen);
    free(l.waiting);
    free(l.channels);
}

#include "keys/keys.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "keys/internal.h"

enum { ANSWER_SECONDS = 10 };
#define ANY_SIZE SIZE_MAX

struct keys {
    int fd; /* -1: broken */
    struct buf frame;
    char *answer; /* KEYS_FRAME bytes */
    size_t answer_len;
};

static int broken(struct keys *k, struct err *err, const char *why)
{
    /* A late answer would be taken for the next request's. */
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
    return err_set(err, ERR_KEYS, "", "the keys process did not answer: %s", why);
}

int keys_open(int fd, struct keys **keys_out, struct err *err)
{
    struct timeval patience = {ANSWER_SECONDS, 0};
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
        close(fd);
        return err_set(err, ERR_KEYS, "", "descriptor %d is no channel to the keys process", fd);
    }
    struct keys *k = mem_zero(1, sizeof *k);
    k->fd = fd;
    k->answer = mem_alloc(KEYS_FRAME);
    *keys_out = k;
    return 0;
}

static void wipe_answer(struct keys *k)
{
    crypto_wipe(k->answer, k->answer_len);
    k->answer_len = 0;
}

void keys_close(struct keys **keys)
{
    struct keys *k = *keys;

    *keys = NULL;
    if (k == NULL)
        return;
    if (k->fd >= 0)
        close(k->fd);
    buf_free(&k->frame);
    free(k->answer);
    free(k);
}

static int send_frame(struct keys *k, struct err *err)
{
    ssize_t n;

    do
        n = send(k->fd, k->frame.ptr, k->frame.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)k->frame.len ? 0 : broken(k, err, strerror(errno));
}

static int take_answer(struct keys *k, struct err *err)
{
    ssize_t n;

    do
        n = recv(k->fd, k->answer, KEYS_FRAME, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return broken(k, err, errno == EAGAIN ? "no answer in time" : strerror(errno));
    if (n == 0 || n > KEYS_FRAME)
        return broken(k, err, n == 0 ? "it has ended" : "an answer is too long");
    k->answer_len = (size_t)n;
    return 0;
}

/* Sends the frame; 0 when a good answer of `size` bytes behind the status is there. Wiped by the caller. */
static int exchange(struct keys *k, size_t size, struct err *err)
{
    if (k->fd < 0)
        return err_set(err, ERR_KEYS, "", "the channel to the keys process is broken");
    if (send_frame(k, err) != 0 || take_answer(k, err) != 0)
        return -1;
    if (k->answer[0] == KEYS_REFUSED)
        return err_set(err, ERR_CRYPTO, "", "refused by the keys process: forged, or not what may be signed or opened");
    if (k->answer[0] != KEYS_GOOD || (size != ANY_SIZE && k->answer_len != 1 + size))
        return broken(k, err, "request and answer do not fit");
    return 0;
}

/* As many items a frame as fit, until all n are answered: `size` bytes each, one after the other in `out`. An event is
   signed by its hash, so that a large object does not have to come along. */
static int ask_each(struct keys *k, enum keys_op op, uint8_t kind, const struct slice *in, size_t n, uint8_t *out,
                    struct err *err)
{
    size_t size = keys_answer_size(op);

    for (size_t done = 0, taken; done < n; done += taken) {
        keys_request_begin(&k->frame, op, kind);
        for (taken = 0; done + taken < n; taken++) {
            uint8_t hash[CRYPTO_HASH];
            struct slice item = in[done + taken];
            if (op == KEYS_OP_SIGN && kind != KEYS_SIGN_HEAD) {
                crypto_sha256(item, hash);
                item = slice_n((const char *)hash, sizeof hash);
            }
            if (!keys_request_add(&k->frame, item))
                break;
        }
        if (taken == 0)
            return err_set(err, ERR_LIMIT_BYTES, "", "%zu bytes do not fit in a request to the keys process",
                           in[done].len);
        if (exchange(k, taken * size, err) != 0)
            return -1;
        memcpy(out + done * size, k->answer + 1, taken * size);
        wipe_answer(k);
    }
    return 0;
}

int keys_mac(struct keys *k, enum keys_mac kind, const struct slice *in, size_t n, uint8_t (*out)[CRYPTO_MAC],
             struct err *err)
{
    return ask_each(k, KEYS_OP_MAC, (uint8_t)kind, in, n, (uint8_t *)out, err);
}

int keys_sign_all(struct keys *k, enum keys_sign kind, const struct slice *messages, size_t n,
                  uint8_t (*out)[CRYPTO_SIGNATURE], struct err *err)
{
    return ask_each(k, KEYS_OP_SIGN, (uint8_t)kind, messages, n, (uint8_t *)out, err);
}

int keys_sign(struct keys *k, enum keys_sign kind, struct slice message, uint8_t signature_out[CRYPTO_SIGNATURE],
              struct err *err)
{
    return ask_each(k, KEYS_OP_SIGN, (uint8_t)kind, &message, 1, signature_out, err);
}

/* One request whose answer is a key, then perhaps its wrapped form. */
static int ask_key(struct keys *k, enum keys_op op, const struct slice *items, size_t n, uint8_t key_out[CRYPTO_KEY],
                   struct buf *wrapped_out, struct err *err)
{
    keys_request_begin(&k->frame, op, 0);
    for (size_t i = 0; i < n; i++)
        if (!keys_request_add(&k->frame, items[i]))
            return err_set(err, ERR_LIMIT_BYTES, "", "%zu bytes do not fit in a request to the keys process",
                           items[i].len);
    size_t wrapped = wrapped_out != NULL ? CRYPTO_KEY + CRYPTO_SEAL_OVERHEAD : 0;
    if (exchange(k, CRYPTO_KEY + wrapped, err) != 0)
        return -1;
    memcpy(key_out, k->answer + 1, CRYPTO_KEY);
    if (wrapped_out != NULL)
        buf_put(wrapped_out, slice_n(k->answer + 1 + CRYPTO_KEY, wrapped));
    wipe_answer(k);
    return 0;
}

int keys_data_key(struct keys *k, struct slice owner, uint8_t key_out[CRYPTO_KEY], struct buf *wrapped_out,
                  struct err *err)
{
    return ask_key(k, KEYS_OP_DATA_KEY, &owner, 1, key_out, wrapped_out, err);
}

int keys_unwrap(struct keys *k, struct slice owner, struct slice wrapped, uint8_t key_out[CRYPTO_KEY], struct err *err)
{
    const struct slice items[] = {owner, wrapped};

    return ask_key(k, KEYS_OP_UNWRAP, items, 2, key_out, NULL, err);
}

int keys_certify(struct keys *k, struct slice name, uint32_t days, struct slice csr, struct buf *cert_out,
                 struct err *err)
{
    struct buf text = BUF_INIT;

    buf_put_u64(&text, days);
    const struct slice items[] = {name, buf_slice(&text), csr};
    int status = 0;
    keys_request_begin(&k->frame, KEYS_OP_CERTIFY, 0);
    for (size_t i = 0; status == 0 && i < 3; i++)
        if (!keys_request_add(&k->frame, items[i]))
            status = err_set(err, ERR_LIMIT_BYTES, "", "the request for a certificate is too long");
    buf_free(&text);
    if (status != 0 || exchange(k, ANY_SIZE, err) != 0)
        return -1;
    buf_put(cert_out, slice_n(k->answer + 1, k->answer_len - 1));
    wipe_answer(k);
    return 0;
}

int keys_public(struct keys *k, uint8_t public_out[CRYPTO_SIGN_PUBLIC], struct err *err)
{
    return ask_key(k, KEYS_OP_PUBLIC, NULL, 0, public_out, NULL, err);
}

int keys_token_key(struct keys *k, uint8_t key_out[CRYPTO_KEY], struct err *err)
{
    return ask_key(k, KEYS_OP_TOKEN_KEY, NULL, 0, key_out, NULL, err);
}

/* What the signature covers, of a message that may be long. */
static bool covered_bytes(enum keys_sign kind, struct slice message, struct buf *out)
{
    uint8_t hash[CRYPTO_HASH];

    if (kind == KEYS_SIGN_HEAD)
        return keys_signed_bytes(kind, message, out);
    crypto_sha256(message, hash);
    return keys_signed_bytes(kind, slice_n((const char *)hash, sizeof hash), out);
}

void keys_sign_own(const uint8_t secret[CRYPTO_SIGN_SECRET], enum keys_sign kind, struct slice message,
                   uint8_t signature_out[CRYPTO_SIGNATURE])
{
    struct buf covered = BUF_INIT;
    bool good = covered_bytes(kind, message, &covered);

    assert(good);
    crypto_sign_message(secret, buf_slice(&covered), signature_out);
    buf_free(&covered);
}

bool keys_check(const uint8_t public_key[CRYPTO_SIGN_PUBLIC], enum keys_sign kind, struct slice message,
                const uint8_t signature[CRYPTO_SIGNATURE])
{
    struct buf covered = BUF_INIT;
    bool good = covered_bytes(kind, message, &covered) && crypto_verify(public_key, buf_slice(&covered), signature);
    buf_free(&covered);
    return good;
}

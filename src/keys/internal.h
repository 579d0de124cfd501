/* keys/internal.h: the frames on a channel, both sides. One request, one answer, in order.

       request   op(1) kind(1) n(2) then n items: length(4) bytes
       answer    status(1) then what the op gives

   Numbers are little endian. A frame has at most KEYS_FRAME bytes and is one packet of a SOCK_SEQPACKET pair. */
#ifndef KEYS_INTERNAL_H
#define KEYS_INTERNAL_H

#include "keys/keys.h"

enum {
    KEYS_PEM_MAX = 8 * 1024,
    KEYS_FRAME = 64 * 1024,
    KEYS_REQUEST_HEAD = 4,
    KEYS_ITEM_HEAD = 4,
    KEYS_ITEMS_MAX = UINT16_MAX
};

enum keys_op { /* items, answer: */
               KEYS_OP_NONE,
               KEYS_OP_MAC,       /* n texts of `kind`: n MACs */
               KEYS_OP_SIGN,      /* n messages of `kind`: n signatures */
               KEYS_OP_PUBLIC,    /* none: the public key */
               KEYS_OP_TOKEN_KEY, /* none: the key */
               KEYS_OP_DATA_KEY,  /* owner: a new key, then its wrapped form */
               KEYS_OP_UNWRAP,    /* owner, wrapped: the key */
               KEYS_OP_CERTIFY,   /* name, days in decimal, request: the certificate, PEM */
               KEYS_OP_END,
};
enum keys_status { KEYS_GOOD, KEYS_NOT_UNDERSTOOD, KEYS_REFUSED };

struct keys_request {
    enum keys_op op;
    uint8_t kind;
    uint16_t n;
    struct slice items; /* checked: exactly n whole items */
};

/* protocol.c */
void keys_request_begin(struct buf *frame, enum keys_op op, uint8_t kind);
bool keys_request_add(struct buf *frame, struct slice item); /* false: does not fit */
bool keys_request_parse(struct slice frame, struct keys_request *out);
struct slice keys_item_next(struct slice *items);
enum keys_op keys_request_op(struct slice first_byte); /* for the order of service; KEYS_OP_END when it is none */
size_t keys_answer_size(enum keys_op op);              /* bytes an item, or for all where an op takes no list */

/* What a signature of `kind` covers. A tree head is a note that others verify with their own tools (C2SP signed-note),
   so it is signed as it stands; whatever else is signed starts with a NUL, which no note may contain: neither can be
   taken for the other. false: not a note. The message of an event goes in as its SHA-256. */
bool keys_signed_bytes(enum keys_sign kind, struct slice message, struct buf *out);

/* serve.c: the secrets and what is done with them. */
struct keys_secrets {
    uint8_t mac[KEYS_MAC_SIGHTING + 1][CRYPTO_KEY];
    uint8_t wrap[CRYPTO_KEY], token[CRYPTO_KEY];
    uint8_t sign_secret[CRYPTO_SIGN_SECRET], sign_public[CRYPTO_SIGN_PUBLIC];
    size_t issuer_len, issuer_key_len; /* 0: this hub issues no certificates */
    char issuer[KEYS_PEM_MAX], issuer_key[KEYS_PEM_MAX];
};
/* All but the issuer, which does not derive from the secret: none. */
void keys_secrets_derive(const uint8_t secret[CRYPTO_KEY], struct keys_secrets *out);
void keys_answer(const struct keys_secrets *s, struct slice frame, struct buf *answer);
/* Signs a request made on the spot: does the issuer work, and has OpenSSL read by now what it reads when first used? */
int keys_try_issuer(const struct keys_secrets *s, struct err *err);
/* Which channels are served now: those with the most urgent kind of request, or everybody. */
void keys_choose(const enum keys_op *waiting, size_t n, bool everybody, bool *chosen_out);
/* Answers on all channels until all are closed. Closes each when it ends. */
void keys_serve(const struct keys_secrets *s, const int *channels, size_t n);

#endif

/* keys/keys.h: who may sign and unseal. All long-lived secrets of a hub live in the keys process, which has no network;
   everybody else asks it over a socket pair, in frames of at most 64 KB. A `struct keys` is one channel: one thread at
   a time. */
#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "base/crypto.h"

struct keys;

/* Pseudonyms: MACs under separate keys derived from the hub's secret. Deterministic; useless without the hub's secret.
 */
enum keys_mac {
    KEYS_MAC_OWNER = 1, /* member and epoch: the owner handle in rows */
    KEYS_MAC_ID,        /* owner, collection, submitter's id: the minted id */
    KEYS_MAC_COVER,     /* owner and epoch: the cover identity */
    KEYS_MAC_SIGHTING,  /* subject and reporter: ids of sightings that the hub itself issues */
};
enum keys_sign {
    KEYS_SIGN_HEAD = 1,
    KEYS_SIGN_EVENT,
    KEYS_SIGN_RECEIPT,
}; /* tree heads; events sent to partner hubs; receipts for their recalls. The kind is signed too */

/* Every call blocks until the answer is there: microseconds when idle, ERR_KEYS after 10 s or when the process has
   ended. After ERR_KEYS the channel is of no more use. */
int keys_open(int fd, struct keys **keys_out, struct err *err); /* takes the descriptor over, also when it fails */
void keys_close(struct keys **keys);
int keys_mac(struct keys *k, enum keys_mac kind, const struct slice *in, size_t n, uint8_t (*out)[CRYPTO_MAC],
             struct err *err);
/* A fresh data key for one envelope and its wrapped form, which opens for this owner only. */
int keys_data_key(struct keys *k, struct slice owner, uint8_t key_out[CRYPTO_KEY], struct buf *wrapped_out,
                  struct err *err);
int keys_unwrap(struct keys *k, struct slice owner, struct slice wrapped, uint8_t key_out[CRYPTO_KEY], struct err *err);
int keys_sign(struct keys *k, enum keys_sign kind, struct slice message, uint8_t signature_out[CRYPTO_SIGNATURE],
              struct err *err);
/* The same for many messages, in as few frames as they need. A head is text (C2SP signed-note: no control character but
   the newline) and is signed as it stands; ERR_CRYPTO when it is not text. An event, and a receipt, is signed by its
   SHA-256 under a prefix of its kind, which no text can have. */
int keys_sign_all(struct keys *k, enum keys_sign kind, const struct slice *messages, size_t n,
                  uint8_t (*out)[CRYPTO_SIGNATURE], struct err *err);
int keys_public(struct keys *k, uint8_t public_out[CRYPTO_SIGN_PUBLIC], struct err *err);
bool keys_check(const uint8_t public_key[CRYPTO_SIGN_PUBLIC], enum keys_sign kind, struct slice message,
                const uint8_t signature[CRYPTO_SIGNATURE]);
/* The same signature with a key of one's own, without a keys process: a sensor's receipts. Asserts where a head is not
 * text. */
void keys_sign_own(const uint8_t secret[CRYPTO_SIGN_SECRET], enum keys_sign kind, struct slice message,
                   uint8_t signature_out[CRYPTO_SIGNATURE]);
/* A key for the core's own tokens (paging cursors, status ids): stable over restarts, unknown outside this hub. */
int keys_token_key(struct keys *k, uint8_t key_out[CRYPTO_KEY], struct err *err);

/* A client's certificate (PEM, with the issuer's behind it where that is not a root) for the key of a request (PKCS
   #10, PEM), made out to `name`. The issuer is DIR/issuer.{pem,key}, such as an offline root has signed (tocsin ca
   issue
   --profile issuer), else the authority that tocsin init made. ERR_CRYPTO: there is none, or the request is not good.
 */
enum { KEYS_CERTIFICATE_DAYS_MAX = 398 };
int keys_certify(struct keys *k, struct slice name, uint32_t days, struct slice csr, struct buf *cert_out,
                 struct err *err);

/* Makes DIR/secret: 32 random bytes, mode 0600. ERR_SYSTEM when it is there already. */
int keys_make(const char *dir, struct err *err);

/* The process: reads DIR/secret and the issuer of certificates, answers on all channels until all are closed. Memory
   locked and not dumpable, no new privileges, no network and no file any more (seccomp). Signals that ask a service to
   end are ignored: it ends when nobody can ask any more. Returns the exit status: 0, or 78 (EX_CONFIG) when the secret
   cannot be used. */
int keys_main(const char *dir, const int *channels, size_t n);

#endif

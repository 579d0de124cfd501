/* cmd/ca.h: an authority in a directory, apart from any hub. Plain files, each written whole or not at all, so that a
   kill at any moment leaves a state that the next command goes on from:

       DIR/ca.pem, DIR/ca.key     its certificate; its key, under a passphrase or plain (mode 0600)
       DIR/issued/SERIAL.pem      every certificate that it has signed; there before anybody is given it
       DIR/revoked/SERIAL         when it was revoked (RFC 3339)
       DIR/crl.pem, DIR/crl.number  the last revocation list, and the number of lists so far */
#ifndef CMD_CA_H
#define CMD_CA_H

#include "base/crypto_cert.h"

struct ca {
    const char *dir;
    struct slice cert;       /* PEM */
    struct buf key;          /* PEM, open; secret; empty when only looking */
    struct crypto_cert told; /* of cert */
};

struct ca_issued {
    struct crypto_cert told;
    struct slice pem;
    int64_t revoked_us; /* 0: it is not */
};

/* Makes DIR and all in it. passphrase empty: the key is plain. */
int ca_make(struct arena *a, const char *dir, const struct crypto_cert_ask *ask, struct slice passphrase,
            struct err *err);
int ca_open(struct arena *a, const char *dir, struct ca *out, struct err *err); /* to look */
int ca_unlock(struct arena *a, struct ca *ca, struct slice passphrase, struct err *err);
bool ca_is_locked(struct arena *a, const struct ca *ca);
void ca_close(struct ca *ca); /* wipes the key */
/* Signs (csr empty: with a key made here, in key_out) and records; what is asked to last longer than the authority
   lasts as long. cert_out: with the authority's own behind it where that one was signed by another. */
int ca_issue(struct arena *a, struct ca *ca, const struct crypto_cert_ask *ask, struct slice csr, struct buf *cert_out,
             struct buf *key_out, struct crypto_cert *told_out, struct err *err);
/* All that were issued, by the day they end. */
int ca_list(struct arena *a, const struct ca *ca, struct ca_issued **list_out, size_t *n_out, struct err *err);
int ca_revoke(struct arena *a, const struct ca *ca, struct slice serial, int64_t at_us, struct err *err);
int ca_write_list(struct arena *a, struct ca *ca, int64_t until_us, struct slice *pem_out, size_t *n_out,
                  struct err *err); /* to DIR/crl.pem too */

#endif

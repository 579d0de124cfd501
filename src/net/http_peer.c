#include "net/http_internal.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/time.h"

enum { CHAIN_MAX = 8 }; /* of what a client sends besides; more is not looked at */

static struct slice der_of(struct arena *a, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    struct slice copy = len > 0 ? arena_copy(a, slice_n((const char *)der, (size_t)len)) : SLICE("");

    OPENSSL_free(der);
    return copy;
}

static void describe(struct http_peer *p)
{
    struct crypto_cert told;

    if (crypto_cert_read(&p->arena, p->der, &told, NULL) != 0) {
        told = (struct crypto_cert){0}; /* and crypto_trust_check() will refuse it */
        crypto_sha256(p->der, told.fingerprint);
    }
    p->certificate = (struct http_certificate){.subject = told.subject,
                                               .issuer = told.issuer,
                                               .common_name = told.common_name,
                                               .names = told.names,
                                               .n_names = told.n_names,
                                               .serial = told.serial,
                                               .until_us = told.until_us};
    memcpy(p->certificate.fingerprint, told.fingerprint, sizeof told.fingerprint);
}

struct http_peer *http_peer_of(SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl); /* on this side without the first */

    if (cert == NULL)
        return NULL;
    struct http_peer *p = mem_zero(1, sizeof *p);
    atomic_init(&p->owners, 1);
    p->der = der_of(&p->arena, cert);
    p->chain = arena_array(&p->arena, struct slice, CHAIN_MAX);
    for (int i = 0; chain != NULL && i < sk_X509_num(chain) && p->n_chain < CHAIN_MAX; i++)
        p->chain[p->n_chain++] = der_of(&p->arena, sk_X509_value(chain, i));
    p->judged_by = UINT_MAX; /* by none yet */
    describe(p);
    ERR_clear_error();
    return p;
}

struct http_peer *http_peer_hold(struct http_peer *p)
{
    atomic_fetch_add(&p->owners, 1);
    return p;
}

void http_peer_drop(struct http_peer **peer)
{
    struct http_peer *p = *peer;

    *peer = NULL;
    if (p == NULL || atomic_fetch_sub(&p->owners, 1) != 1)
        return;
    arena_free(&p->arena);
    free(p);
}

bool http_conn_peer_is_good(struct http_conn *c)
{
    struct http_peer *p = c->peer_certificate;
    unsigned generation = atomic_load(&c->loop->server->tls_generation);
    int64_t now = time_now_us();

    if (p == NULL)
        return true;
    if (p->judged_by != generation || (p->refused.code == ERR_NONE && now >= p->certificate.until_us)) {
        struct http_tls *t = http_server_tls(c->loop->server);
        p->judged_by = generation;
        p->refused = (struct err)ERR_INIT;
        if (t->trust == NULL)
            err_set(&p->refused, ERR_TLS, "", "this hub takes no client certificates any more");
        else
            crypto_trust_check(t->trust, p->der, p->chain, p->n_chain, now, &p->refused);
        http_tls_drop(&t);
    }
    return p->refused.code == ERR_NONE;
}

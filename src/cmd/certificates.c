#include "cmd/certificates.h"

#include <stdlib.h>

#include "base/crypto_cert.h"
#include "base/log.h"
#include "base/time.h"

#define LOOK_EVERY_US (INT64_C(3600) * 1000000)

/* What was last told of this; made where it is new. */
static struct certificates_told *find(struct certificates *c, struct slice kind, struct slice whose)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t what;

    crypto_sha256_2(kind, whose, hash);
    memcpy(&what, hash, sizeof what);
    for (size_t i = 0; i < c->n; i++)
        if (c->told[i].what == what)
            return &c->told[i];
    if (c->n == c->room) {
        c->room = c->room != 0 ? 2 * c->room : 16;
        c->told = mem_grow(c->told, c->room * sizeof *c->told);
    }
    c->told[c->n] = (struct certificates_told){what, -1};
    return &c->told[c->n++];
}

static void tell(struct certificates *c, struct slice kind, struct slice whose, int64_t until_us)
{
    struct certificates_told *told = find(c, kind, whose);
    int days = until_us != INT64_MAX ? crypto_cert_warning(until_us, time_now_us()) : -1;
    char text[TIME_TEXT];

    time_put(text, until_us);
    if (days >= 0 && days != told->days)
        log_event("certificate_ends", TEXT("kind", kind), TEXT("whose", whose),
                  TEXT("until", slice_n(text, sizeof text)), NUM("days", days));
    told->days = days;
}

static void tell_member(void *arg, struct slice member, int64_t until_us)
{
    tell(arg, SLICE("member"), member, until_us);
}

static void tell_partners(struct certificates *c, struct hub *h)
{
    struct arena a = ARENA_INIT;
    struct hub_link *links;
    size_t n = hub_links(h, &a, &links);
    int64_t until_us;

    for (size_t i = 0; i < n; i++)
        if (links[i].cert.len != 0 && crypto_cert_until(links[i].cert, &until_us, NULL) == 0)
            tell(c, SLICE("at partner"), links[i].name, until_us);
    arena_free(&a);
}

void certificates_look(struct certificates *c, struct http_server *server, struct hub *h)
{
    struct http_server_ends ends;
    int64_t now = time_steady_us();

    if (now < c->next_us)
        return;
    c->next_us = now + LOOK_EVERY_US;
    http_server_ends(server, &ends);
    tell(c, SLICE("server"), SLICE("own"), ends.cert_us);
    tell(c, SLICE("revocation list"), SLICE("own"), ends.crl_us);
    tell(c, SLICE("OCSP response"), SLICE("own"), ends.ocsp_us);
    hub_certificate_ends(h, tell_member, c);
    tell_partners(c, h);
}

void certificates_free(struct certificates *c)
{
    free(c->told);
    *c = (struct certificates){NULL, 0, 0, 0};
}

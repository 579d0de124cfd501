/* hub/doors.c: who is it: signing in. A token is looked up at once; a verified password is remembered under a keyed
   hash for a short life; a password check takes 20 ms and 19 MiB and belongs to a thread of its own, one after the
   other. */
#include "hub/doors.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    DOORS_CACHE = 4096,         /* sign-ins remembered */
    DOORS_CACHE_US = 300000000, /* for five minutes, or until the credential changes */
    DOORS_WAITING = 64,         /* password checks waiting; over it: 503 */
};

struct hub_cached {
    uint8_t mac[CRYPTO_MAC]; /* of user and password, under the hub's key */
    int64_t until_us;
    struct hub_party *party;
};

struct hub_doors *hub_doors_new(void)
{
    struct hub_doors *d = mem_zero(1, sizeof *d);

    pthread_mutex_init(&d->lock, NULL);
    d->cache = mem_zero(DOORS_CACHE, sizeof *d->cache);
    d->failures = hub_failures_new();
    d->rates = hub_rates_new();
    d->clock = time_steady_us;
    d->waiting = queue_new(1, DOORS_WAITING);
    return d;
}

void hub_doors_free(struct hub_doors **doors)
{
    struct hub_doors *d = *doors;

    *doors = NULL;
    if (d == NULL)
        return;
    for (size_t i = 0; i < DOORS_CACHE; i++)
        hub_party_drop(&d->cache[i].party);
    free(d->cache);
    hub_failures_free(&d->failures);
    hub_rates_free(&d->rates);
    queue_free(&d->waiting);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

/* ---- a credential was named: may it be used, here and now? ---- */

static struct hub_party *party_of(const struct hub_directory *d, const struct hub_credential *c)
{
    const struct hub_member *m = hub_directory_member_of(d, c->viewer);
    const struct hub_partner *p = m == NULL ? hub_directory_partner_of(d, c->viewer) : NULL;
    struct hub_party *party = m != NULL ? hub_party_new(HUB_PARTY_MEMBER, m->viewer, m->owner, m->name)
                                        : hub_party_new(HUB_PARTY_PARTNER, p->viewer, 0, p->name);

    party->credential = c->id;
    return party;
}

static bool may_enter(const struct hub_credential *c, struct slice peer)
{
    return c != NULL && hub_credential_is_on(c, time_now_us()) && hub_credential_is_from(c, peer);
}

static struct hub_rate rate_of(const struct hub *h, const struct hub_credential *c)
{
    return (struct hub_rate){c->requests != 0 ? c->requests : h->settings.requests,
                             c->objects != 0 ? c->objects : h->settings.objects};
}

static int take_rate(struct hub *h, const struct hub_credential *c, struct err *err)
{
    struct hub_rate rate = rate_of(h, c);
    uint32_t wait = hub_rates_take(h->doors->rates, c->id, &rate, h->doors->clock());

    if (wait == 0)
        return 0;
    err_set(err, ERR_TOO_MANY, NULL, "this credential is over its rate: try again in %u s", wait);
    err->retry_s = wait;
    return -1;
}

/* One answer for whatever is wrong: an expired credential, or one from an address that is not on its list, looks like
   one that does not exist. */
static int refuse(struct hub *h, const struct hub_ask *ask, struct err *err)
{
    hub_failures_add(h->doors->failures, ask->peer, ask->claim.user, h->doors->clock());
    log_event("sign_in_refused", TEXT("peer", ask->peer));
    return err_set(err, ERR_UNAUTHENTICATED, NULL, "this credential is not known here, or not good from where it came");
}

static int must_wait(struct hub *h, const struct hub_ask *ask, struct err *err)
{
    uint32_t wait = hub_failures_wait(h->doors->failures, ask->peer, ask->claim.user, h->doors->clock());

    if (wait == 0)
        return 0;
    err_set(err, ERR_TOO_MANY, NULL, "too many wrong credentials: try again in %u s", wait);
    err->retry_s = wait;
    return -1;
}

/* ---- tokens ---- */

/* The user name, where one is sent with a token, must be its member's. */
static const struct hub_credential *find_token(const struct hub *h, const struct hub_directory *d,
                                               const struct hub_claim *claim)
{
    struct slice token = claim->secret.len != 0 ? claim->secret : claim->user; /* curl -u TOKEN: */
    uint8_t key[CRYPTO_HASH];

    if (!slice_starts(token, SLICE(HUB_TOKEN_PREFIX)))
        return NULL;
    hub_token_key(h, token, key);
    const struct hub_credential *c = hub_credential_by_key(d, HUB_TOKEN, key);
    const struct hub_member *m = c != NULL ? hub_directory_member_of(d, c->viewer) : NULL;
    if (m == NULL || (claim->secret.len != 0 && claim->user.len != 0 && !slice_eq(claim->user, m->name)))
        return NULL;
    return c;
}

/* By its fingerprint, else by its subject, for which the authority vouches: so it may be renewed. */
static const struct hub_credential *find_certificate(const struct hub_directory *d, const struct hub_claim *claim)
{
    const struct hub_credential *c;
    uint8_t key[CRYPTO_HASH];

    if (claim->kind != HUB_CLAIM_CERTIFICATE)
        return NULL;
    c = hub_credential_by_key(d, HUB_CERTIFICATE, claim->certificate->fingerprint);
    if (c != NULL || claim->certificate->subject.len == 0)
        return c;
    hub_subject_key(claim->certificate->subject, key);
    return hub_credential_by_key(d, HUB_CERTIFICATE, key);
}

/* ---- passwords ---- */

static void mac_of(const struct hub *h, const struct hub_claim *claim, uint8_t out[CRYPTO_MAC])
{
    struct buf text = BUF_INIT;

    buf_put_u64(&text, claim->user.len);
    buf_put_byte(&text, ':');
    buf_put(&text, claim->user);
    buf_put(&text, claim->secret);
    crypto_mac(h->token_key, buf_slice(&text), out);
    crypto_wipe(text.ptr, text.len);
    buf_free(&text);
}

static struct hub_party *cache_find(struct hub *h, const uint8_t mac[CRYPTO_MAC])
{
    struct hub_doors *d = h->doors;
    struct hub_cached *slot = &d->cache[mac[0] | (mac[1] & 15) << 8];
    struct hub_party *party = NULL;

    pthread_mutex_lock(&d->lock);
    if (slot->party != NULL && slot->until_us > d->clock() && crypto_equal(slot->mac, mac, CRYPTO_MAC))
        party = hub_party_hold(slot->party);
    pthread_mutex_unlock(&d->lock);
    return party;
}

static void cache_put(struct hub *h, const uint8_t mac[CRYPTO_MAC], struct hub_party *party)
{
    struct hub_doors *d = h->doors;
    struct hub_cached *slot = &d->cache[mac[0] | (mac[1] & 15) << 8];

    pthread_mutex_lock(&d->lock);
    hub_party_drop(&slot->party);
    *slot = (struct hub_cached){.until_us = d->clock() + DOORS_CACHE_US, .party = hub_party_hold(party)};
    memcpy(slot->mac, mac, CRYPTO_MAC);
    pthread_mutex_unlock(&d->lock);
}

/* Verified lately, and its credential holds still: a changed or removed one has another id. */
static const struct hub_credential *find_cached(struct hub *h, const struct hub_directory *d,
                                                const struct hub_claim *claim)
{
    uint8_t mac[CRYPTO_MAC];

    mac_of(h, claim, mac);
    struct hub_party *party = cache_find(h, mac);
    const struct hub_credential *c = party != NULL ? hub_credential_of(d, party->viewer, party->credential) : NULL;
    hub_party_drop(&party);
    return c;
}

/* An unknown user costs as much time as a wrong password: this is the hash that it is checked against. */
static const struct slice nobody =
    SLICE_INIT("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

static int check_password(struct hub *h, const struct hub_ask *ask, struct hub_party **party_out, struct err *err)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_credential *c = find_cached(h, d, &ask->claim); /* by a request beside it, while this one waited */
    int result = -1;

    if (c != NULL && may_enter(c, ask->peer)) {
        result = 0;
    } else if (must_wait(h, ask, err) == 0) {
        c = hub_credential_password(d, ask->claim.user);
        bool good = crypto_password_check(ask->claim.secret, c != NULL ? c->check : nobody);
        result = good && may_enter(c, ask->peer) ? 0 : refuse(h, ask, err);
    }
    if (result == 0) {
        uint8_t mac[CRYPTO_MAC];
        *party_out = party_of(d, c);
        mac_of(h, &ask->claim, mac);
        cache_put(h, mac, *party_out);
        hub_failures_clear(h->doors->failures, ask->peer, ask->claim.user);
        result = take_rate(h, c, err);
        if (result != 0)
            hub_party_drop(party_out);
    }
    hub_directory_drop(&d);
    return result;
}

/* ---- asking ---- */

static void ask_free(struct hub_ask *ask)
{
    arena_free(&ask->arena);
    free(ask);
}

static void *doors_main(void *arg)
{
    struct hub *h = arg;
    struct hub_ask *ask;

    while ((ask = queue_take(h->doors->waiting, -1)) != NULL) {
        struct hub_party *party = NULL;
        struct err err = ERR_INIT;
        if (atomic_load(&h->stopping))
            err_set(&err, ERR_UNAVAILABLE, NULL, "this hub is stopping");
        else
            check_password(h, ask, &party, &err);
        ask->done(h, ask->arg, party, &err);
        ask_free(ask);
    }
    return NULL;
}

int hub_doors_start(struct hub *h, struct err *err)
{
    if (pthread_create(&h->doors->thread, NULL, doors_main, h) != 0)
        return err_set(err, ERR_SYSTEM, NULL, "cannot start the doors' thread");
    h->doors->runs = true;
    return 0;
}

void hub_doors_stop(struct hub *h)
{
    queue_close(h->doors->waiting);
    if (h->doors->runs)
        pthread_join(h->doors->thread, NULL);
    h->doors->runs = false;
}

static int ask_later(struct hub *h, const struct hub_ask *ask, struct err *err)
{
    struct hub_ask *kept = mem_alloc(sizeof *kept);

    *kept = *ask;
    if (queue_put(h->doors->waiting, kept, false))
        return HTTP_LATER;
    free(kept);
    return err_set(err, ERR_BUSY, NULL, "");
}

/* What can be said at once; HTTP_LATER: only a password check can tell. */
static int ask_now(struct hub *h, const struct hub_ask *ask, const struct hub_directory *d,
                   struct hub_party **party_out, struct err *err)
{
    const struct hub_claim *claim = &ask->claim;

    if (claim->kind == HUB_CLAIM_NOTHING)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this needs a credential: Basic, Bearer or Token");
    const struct hub_credential *c = find_certificate(d, claim);
    if (c == NULL)
        c = find_token(h, d, claim);
    if (c == NULL && claim->kind == HUB_CLAIM_BEARER)
        c = hub_access_find(h, d, claim->secret, time_now_us());
    if (c == NULL && claim->kind == HUB_CLAIM_BASIC)
        c = find_cached(h, d, claim);
    if (may_enter(c, ask->peer)) {
        if (take_rate(h, c, err) != 0)
            return -1;
        *party_out = party_of(d, c);
        return 0;
    }
    if (must_wait(h, ask, err) != 0)
        return -1;
    return claim->kind == HUB_CLAIM_BASIC && claim->user.len != 0 ? HTTP_LATER : refuse(h, ask, err);
}

int hub_ask(struct hub *h, struct hub_ask *ask, struct hub_party **party_out, struct err *err)
{
    int result;

    if (atomic_load(&h->stopping)) {
        result = err_set(err, ERR_UNAVAILABLE, NULL, "this hub is stopping");
    } else {
        struct hub_directory *d = hub_directory_hold(h);
        result = ask_now(h, ask, d, party_out, err);
        hub_directory_drop(&d);
        if (result == HTTP_LATER)
            result = ask_later(h, ask, err);
    }
    if (result != HTTP_LATER)
        arena_free(&ask->arena);
    return result;
}

void hub_doors_count(struct hub *h, const struct hub_party *party, uint64_t objects)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_credential *c =
        party->credential != 0 ? hub_credential_of(d, party->viewer, party->credential) : NULL;

    if (c != NULL) {
        struct hub_rate rate = rate_of(h, c);
        hub_rates_objects(h->doors->rates, c->id, &rate, objects, h->doors->clock());
    }
    hub_directory_drop(&d);
}

/* ---- the TAXII door ---- */

static int may_write(const struct hub_directory *d, const struct hub_party *party, const struct taxii_reply *reply,
                     struct err *err)
{
    const struct hub_collection *c = hub_directory_collection(d, taxii_reply_want(reply)->collection);

    if (c == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (!hub_member_may_write(hub_directory_member_of(d, party->viewer), c))
        return err_set(err, ERR_FORBIDDEN, NULL, "this credential may not submit to this collection");
    return 0;
}

/* Before a body is read: may this party do that there? */
static int may_do(struct hub *h, const struct hub_party *party, const struct taxii_reply *reply, struct err *err)
{
    struct slice method = taxii_reply_head(reply)->method;
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_credential *c = hub_credential_of(d, party->viewer, party->credential);
    /* whoever may read a recall may confirm it; whoever may sign in may renew its certificate */
    bool posts = slice_eq(method, SLICE("POST")) && !taxii_reply_want(reply)->receipt &&
                 taxii_reply_want(reply)->collection.len != 0,
         deletes = slice_eq(method, SLICE("DELETE"));
    int result = 0;

    if (c == NULL)
        result = err_set(err, ERR_UNAUTHENTICATED, NULL, "this credential has ended");
    else if (c->rights == HUB_RIGHTS_READ && (posts || deletes))
        result = err_set(err, ERR_FORBIDDEN, NULL, "this credential may only read");
    else if (c->rights == HUB_RIGHTS_RETRACT && !deletes)
        result = err_set(err, ERR_FORBIDDEN, NULL, "this credential may only delete what its member submitted");
    else if (posts)
        result = may_write(d, party, reply, err);
    hub_directory_drop(&d);
    return result;
}

static void finish_sign_in(struct hub *h, void *arg, struct hub_party *party, const struct err *why)
{
    struct taxii_reply *reply = arg;
    struct err err = *why;

    if (party != NULL && may_do(h, party, reply, &err) != 0)
        hub_party_drop(&party);
    taxii_signed_in(reply, (struct taxii_who *)party, party != NULL ? NULL : &err);
}

int hub_sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err)
{
    struct hub *h = hub;
    const struct http_head *head = taxii_reply_head(reply);
    struct hub_ask ask = {.arena = ARENA_INIT, .peer = head->peer, .done = finish_sign_in, .arg = reply};
    struct hub_party *party = NULL;

    if (hub_claim_read(head, h->settings.api_key_header, &ask.arena, &ask.claim, err) != 0) {
        arena_free(&ask.arena);
        return -1;
    }
    int result = hub_ask(h, &ask, &party, err);
    if (result == 0 && may_do(h, party, reply, err) != 0) {
        hub_party_drop(&party);
        result = -1;
    }
    if (result == 0)
        *who_out = (struct taxii_who *)party;
    return result;
}

void hub_sign_out(void *hub, struct taxii_who **who)
{
    struct hub_party *party = (struct hub_party *)*who;

    *who = NULL;
    hub_party_drop(&party);
}

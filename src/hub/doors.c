/* hub/doors.c: who is it: sign-in by Basic authentication (RFC 7617). A verified password is remembered under a keyed
   hash for a short life; a password check takes 20 ms and belongs to a worker. */
#include "hub/internal.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    DOORS_CACHE = 4096,         /* sign-ins remembered */
    DOORS_CACHE_US = 300000000, /* for five minutes, or until the password changes */
    DOORS_FAILURES = 10,        /* wrong passwords a user and minute, then 429 */
    DOORS_WAITING = 64,         /* password checks waiting: each takes 20 ms */
};

struct cached {
    uint8_t mac[CRYPTO_MAC];
    uint64_t password; /* hash of the stored hash that it was checked against: a changed or removed one ends it */
    int64_t until_us;
    struct hub_party *party;
};
struct failures {
    uint64_t user; /* hash */
    int64_t since_us;
    uint32_t n;
};
struct hub_doors {
    pthread_mutex_t lock;  /* of the tables */
    pthread_mutex_t argon; /* one password check at a time: 19 MiB each */
    struct cached cache[DOORS_CACHE];
    struct failures failures[256];
    atomic_int waiting;
};

struct hub_doors *hub_doors_new(void)
{
    struct hub_doors *d = mem_zero(1, sizeof *d);

    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->argon, NULL);
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
    free(d);
}

struct credential {
    struct slice user, password;
    uint8_t mac[CRYPTO_MAC];
    uint64_t user_hash;
};

static int read_credential(struct hub *h, const struct http_head *head, struct arena *a, struct credential *out,
                           struct err *err)
{
    struct slice header = slice_trim(http_head_get(head, SLICE("Authorization")));
    struct buf plain = BUF_INIT;

    if (header.ptr == NULL || header.len == 0)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this needs a user name and a password (Basic authentication)");
    if (header.len < 6 || !slice_eq_nocase(slice_to(header, 6), SLICE("Basic ")) ||
        !crypto_base64(slice_trim(slice_from(header, 6)), false, &plain)) {
        buf_free(&plain);
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "the Authorization header is not Basic authentication");
    }
    struct slice text = arena_copy(a, buf_slice(&plain));
    crypto_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    struct slice rest = text;
    slice_cut(&rest, ':', &out->user);
    out->password = rest.ptr != NULL ? rest : SLICE("");
    crypto_mac(h->token_key, text, out->mac);
    out->user_hash = hub_id_hash(out->user);
    return 0;
}

/* Of the hash that the directory holds for this viewer now; 0: there is no such party any more. */
static uint64_t password_now(struct hub *h, uint32_t viewer)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member_of(d, viewer);
    const struct hub_partner *p = m == NULL ? hub_directory_partner_of(d, viewer) : NULL;
    uint64_t hash = m != NULL ? hub_id_hash(m->password) : p != NULL ? hub_id_hash(p->password) : 0;

    hub_directory_drop(&d);
    return hash;
}

static struct hub_party *cache_find(struct hub *h, const struct credential *c)
{
    struct hub_doors *d = h->doors;
    struct cached *slot = &d->cache[c->mac[0] | (c->mac[1] & 15) << 8];
    struct hub_party *party = NULL;
    uint64_t password = 0;

    pthread_mutex_lock(&d->lock);
    if (slot->party != NULL && slot->until_us > time_steady_us() && crypto_equal(slot->mac, c->mac, CRYPTO_MAC)) {
        party = hub_party_hold(slot->party);
        password = slot->password;
    }
    pthread_mutex_unlock(&d->lock);
    if (party != NULL && password_now(h, party->viewer) != password)
        hub_party_drop(&party);
    return party;
}

static void cache_put(struct hub *h, const struct credential *c, uint64_t password, struct hub_party *party)
{
    struct hub_doors *d = h->doors;
    struct cached *slot = &d->cache[c->mac[0] | (c->mac[1] & 15) << 8];

    pthread_mutex_lock(&d->lock);
    hub_party_drop(&slot->party);
    *slot = (struct cached){
        .password = password, .until_us = time_steady_us() + DOORS_CACHE_US, .party = hub_party_hold(party)};
    memcpy(slot->mac, c->mac, CRYPTO_MAC);
    pthread_mutex_unlock(&d->lock);
}

/* Counts a failure, or asks whether there were too many. */
static bool too_many_failures(struct hub *h, const struct credential *c, bool failed)
{
    struct hub_doors *d = h->doors;
    struct failures *f = &d->failures[c->user_hash & 255];
    int64_t now = time_steady_us();

    pthread_mutex_lock(&d->lock);
    if (f->user != c->user_hash || now - f->since_us > 60000000)
        *f = (struct failures){c->user_hash, now, 0};
    f->n += failed;
    bool too_many = f->n > DOORS_FAILURES;
    pthread_mutex_unlock(&d->lock);
    return too_many;
}

/* An unknown user costs as much time as a wrong password: this is the hash that it is checked against. */
static const struct slice nobody =
    SLICE_INIT("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

static struct hub_party *check_password(struct hub *h, const struct credential *c)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member(d, c->user);
    const struct hub_partner *p = m == NULL ? hub_directory_partner(d, c->user) : NULL;
    struct slice hash = m != NULL ? m->password : p != NULL ? p->password : nobody;
    struct hub_party *party = NULL;

    pthread_mutex_lock(&h->doors->argon);
    bool good = crypto_password_check(c->password, hash);
    pthread_mutex_unlock(&h->doors->argon);
    if (good && m != NULL)
        party = hub_party_new(HUB_PARTY_MEMBER, m->viewer, m->owner, m->name);
    else if (good && p != NULL)
        party = hub_party_new(HUB_PARTY_PARTNER, p->viewer, 0, p->name);
    if (party != NULL)
        cache_put(h, c, hub_id_hash(hash), party);
    hub_directory_drop(&d);
    return party;
}

static bool is_write(const struct http_head *head)
{
    return slice_eq(head->method, SLICE("POST"));
}

/* Before a body is read: may this party write there? */
static int may_write(struct hub *h, const struct hub_party *party, struct taxii_reply *reply, struct err *err)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member_of(d, party->viewer);
    const struct hub_collection *c = hub_directory_collection(d, taxii_reply_want(reply)->collection);
    int result = 0;

    if (c == NULL)
        result = err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    else if (!hub_member_may_write(m, c))
        result = err_set(err, ERR_FORBIDDEN, NULL, "this credential may not submit to this collection");
    hub_directory_drop(&d);
    return result;
}

static void finish_sign_in(struct hub_worker *w, void *arg)
{
    struct taxii_reply *reply = arg;
    struct credential c;
    struct err err = ERR_INIT;
    struct hub_party *party = NULL;

    if (read_credential(w->hub, taxii_reply_head(reply), &w->arena, &c, &err) == 0) {
        party = check_password(w->hub, &c);
        if (party == NULL) {
            too_many_failures(w->hub, &c, true);
            err_set(&err, ERR_UNAUTHENTICATED, NULL, "the user name or the password is wrong");
            log_event("sign_in_refused", TEXT("peer", taxii_reply_head(reply)->peer));
        } else if (is_write(taxii_reply_head(reply)) && may_write(w->hub, party, reply, &err) != 0) {
            hub_party_drop(&party);
        }
    }
    atomic_fetch_sub(&w->hub->doors->waiting, 1);
    taxii_signed_in(reply, (struct taxii_who *)party, party != NULL ? NULL : &err);
}

int hub_sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err)
{
    struct hub *h = hub;
    struct arena scratch = ARENA_INIT;
    struct credential c;
    int result = 0;

    if (atomic_load(&h->stopping))
        return err_set(err, ERR_UNAVAILABLE, NULL, "this hub is stopping");
    if (read_credential(h, taxii_reply_head(reply), &scratch, &c, err) != 0) {
        result = -1;
    } else {
        struct hub_party *party = cache_find(h, &c);
        if (party != NULL && is_write(taxii_reply_head(reply)) && may_write(h, party, reply, err) != 0) {
            hub_party_drop(&party);
            result = -1;
        } else if (party != NULL) {
            *who_out = (struct taxii_who *)party;
        } else if (too_many_failures(h, &c, false)) {
            result = err_set(err, ERR_TOO_MANY, NULL, "too many wrong passwords for this user: wait a minute");
        } else if (atomic_fetch_add(&h->doors->waiting, 1) >= DOORS_WAITING ||
                   !hub_work(h, c.user_hash, true, finish_sign_in, reply)) {
            atomic_fetch_sub(&h->doors->waiting, 1);
            result = err_set(err, ERR_BUSY, NULL, "");
        } else {
            result = HTTP_LATER;
        }
    }
    arena_free(&scratch);
    return result;
}

void hub_sign_out(void *hub, struct taxii_who **who)
{
    struct hub_party *party = (struct hub_party *)*who;

    *who = NULL;
    hub_party_drop(&party);
}

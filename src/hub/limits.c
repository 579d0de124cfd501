/* hub/limits.c: how often: wrong secrets by source and account, and rates by credential. Tables of a fixed size, each
   key in one of eight places; what is forgotten first costs the least. */
#include "hub/doors.h"

#include <stdlib.h>

enum { WAYS = 8 };
static const int64_t second_us = 1000000, minute_us = 60000000;

/* ---- wrong secrets ---- */

struct failures_row {
    uint64_t key; /* 0: free */
    uint32_t n;
    int64_t last_us;
};
struct hub_failures {
    pthread_mutex_t lock;
    uint8_t secret[CRYPTO_KEY]; /* nobody outside can choose who shares a place with whom */
    struct failures_row rows[HUB_FAILURES_ROWS];
};

struct hub_failures *hub_failures_new(void)
{
    struct hub_failures *f = mem_zero(1, sizeof *f);

    pthread_mutex_init(&f->lock, NULL);
    crypto_random(f->secret, sizeof f->secret);
    return f;
}

void hub_failures_free(struct hub_failures **f)
{
    if (*f != NULL)
        pthread_mutex_destroy(&(*f)->lock);
    free(*f);
    *f = NULL;
}

/* How long after n failures, of which some are free: 1 s, then twice as long each time. */
static int64_t delay_us(uint32_t n, uint32_t free_ones)
{
    int64_t longest = HUB_FAILURES_WAIT_S * second_us;

    if (n < free_ones)
        return 0;
    return n - free_ones >= 10 || second_us << (n - free_ones) > longest ? longest : second_us << (n - free_ones);
}

static bool is_forgotten(const struct failures_row *row, int64_t now_us)
{
    return row->key == 0 || now_us - row->last_us > 2 * HUB_FAILURES_WAIT_S * second_us;
}

struct failures_keys {
    uint64_t source, account, pair;
};

static uint64_t key_of(const struct hub_failures *f, char what, struct slice first, struct slice second)
{
    struct buf text = BUF_INIT;
    uint8_t mac[CRYPTO_MAC];
    uint64_t key;

    buf_put_byte(&text, what);
    buf_put_u64(&text, first.len);
    buf_put_byte(&text, ' ');
    buf_put(&text, first);
    buf_put(&text, second);
    crypto_mac(f->secret, buf_slice(&text), mac);
    buf_free(&text);
    memcpy(&key, mac, sizeof key);
    return key != 0 ? key : 1;
}

static struct failures_keys keys_of(const struct hub_failures *f, struct slice peer, struct slice user)
{
    uint8_t bytes[16];
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct slice source = peer;

    if (hub_address_parse(peer, bytes)) /* one customer has a /64 */
        source = slice_n((const char *)bytes, memcmp(bytes, mapped, sizeof mapped) == 0 ? 16 : 8);
    return (struct failures_keys){key_of(f, 's', source, SLICE("")), key_of(f, 'a', user, SLICE("")),
                                  key_of(f, 'p', source, user)};
}

static struct failures_row *row_find(struct hub_failures *f, uint64_t key, int64_t now_us)
{
    struct failures_row *set = &f->rows[key % (HUB_FAILURES_ROWS / WAYS) * WAYS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == key && !is_forgotten(&set[i], now_us))
            return &set[i];
    return NULL;
}

static void row_add(struct hub_failures *f, uint64_t key, int64_t now_us)
{
    struct failures_row *set = &f->rows[key % (HUB_FAILURES_ROWS / WAYS) * WAYS], *row = row_find(f, key, now_us);

    for (size_t i = 0; row == NULL && i < WAYS; i++)
        if (is_forgotten(&set[i], now_us))
            row = &set[i];
    if (row == NULL) {
        row = &set[0];
        for (size_t i = 1; i < WAYS; i++)
            if (set[i].n < row->n || (set[i].n == row->n && set[i].last_us < row->last_us))
                row = &set[i];
    }
    if (row->key != key || is_forgotten(row, now_us))
        *row = (struct failures_row){.key = key};
    row->n++;
    row->last_us = now_us;
}

uint32_t hub_failures_wait(struct hub_failures *f, struct slice peer, struct slice user, int64_t now_us)
{
    struct failures_keys keys = keys_of(f, peer, user);
    int64_t until = 0;

    pthread_mutex_lock(&f->lock);
    const struct failures_row *source = row_find(f, keys.source, now_us), *pair = row_find(f, keys.pair, now_us),
                              *account = row_find(f, keys.account, now_us);
    if (source != NULL)
        until = source->last_us + delay_us(source->n, HUB_FAILURES_FREE);
    /* Counted from its own last failure: what others do cannot keep it waiting for ever. */
    if (pair != NULL && account != NULL && pair->last_us + delay_us(account->n, HUB_FAILURES_FREE_ACCOUNT) > until)
        until = pair->last_us + delay_us(account->n, HUB_FAILURES_FREE_ACCOUNT);
    pthread_mutex_unlock(&f->lock);
    return until > now_us ? (uint32_t)((until - now_us + second_us - 1) / second_us) : 0;
}

void hub_failures_add(struct hub_failures *f, struct slice peer, struct slice user, int64_t now_us)
{
    struct failures_keys keys = keys_of(f, peer, user);

    pthread_mutex_lock(&f->lock);
    row_add(f, keys.source, now_us);
    row_add(f, keys.account, now_us);
    row_add(f, keys.pair, now_us);
    pthread_mutex_unlock(&f->lock);
}

/* Not the source's own count: whoever has one good credential must not buy guesses at others' with it. */
void hub_failures_clear(struct hub_failures *f, struct slice peer, struct slice user)
{
    uint64_t pair = keys_of(f, peer, user).pair;
    struct failures_row *set = &f->rows[pair % (HUB_FAILURES_ROWS / WAYS) * WAYS];

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == pair)
            set[i] = (struct failures_row){.key = 0};
    pthread_mutex_unlock(&f->lock);
}

size_t hub_failures_count(struct hub_failures *f)
{
    size_t n = 0;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < HUB_FAILURES_ROWS; i++)
        n += f->rows[i].key != 0;
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* ---- rates: how far ahead of its rate a credential is (the generic cell rate algorithm) ---- */

struct rates_row {
    uint64_t credential;             /* 0: free */
    int64_t requests_us, objects_us; /* when what was used is paid for */
    int64_t last_us;
};
struct hub_rates {
    pthread_mutex_t lock;
    struct rates_row rows[HUB_RATES_ROWS];
};

struct hub_rates *hub_rates_new(void)
{
    struct hub_rates *r = mem_zero(1, sizeof *r);

    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void hub_rates_free(struct hub_rates **r)
{
    if (*r != NULL)
        pthread_mutex_destroy(&(*r)->lock);
    free(*r);
    *r = NULL;
}

static struct rates_row *rate_set(struct hub_rates *r, uint64_t credential)
{
    return &r->rows[(credential ^ credential >> 29) % (HUB_RATES_ROWS / WAYS) * WAYS];
}

/* Its row, or the one of its eight that was asked least lately. */
static struct rates_row *rate_row(struct hub_rates *r, uint64_t credential)
{
    struct rates_row *set = rate_set(r, credential), *row = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].credential == credential)
            return &set[i];
        if (set[i].last_us < row->last_us)
            row = &set[i];
    }
    *row = (struct rates_row){.credential = credential};
    return row;
}

/* Microseconds that n of `limit` a minute stand for; a limit of 0 costs nothing. */
static int64_t cost_us(uint64_t n, int64_t limit)
{
    return limit > 0 ? (int64_t)(n < (1u << 30) ? n : 1u << 30) * minute_us / limit : 0;
}

static int64_t wait_us(int64_t paid_us, int64_t cost, int64_t now_us)
{
    return paid_us + cost - minute_us - now_us;
}

uint32_t hub_rates_take(struct hub_rates *r, uint64_t credential, const struct hub_rate *rate, int64_t now_us)
{
    int64_t cost = cost_us(1, rate->requests);

    pthread_mutex_lock(&r->lock);
    struct rates_row *row = rate_row(r, credential);
    int64_t paid = row->requests_us > now_us ? row->requests_us : now_us;
    int64_t wait = rate->requests > 0 ? wait_us(paid, cost, now_us) : 0;
    if (rate->objects > 0 && wait_us(row->objects_us, 1, now_us) > wait)
        wait = wait_us(row->objects_us, 1, now_us);
    if (wait <= 0)
        row->requests_us = paid + cost;
    row->last_us = now_us;
    pthread_mutex_unlock(&r->lock);
    return wait > 0 ? (uint32_t)((wait + second_us - 1) / second_us) : 0;
}

void hub_rates_objects(struct hub_rates *r, uint64_t credential, const struct hub_rate *rate, uint64_t n,
                       int64_t now_us)
{
    if (rate->objects <= 0 || n == 0)
        return;
    pthread_mutex_lock(&r->lock);
    struct rates_row *row = rate_row(r, credential);
    row->objects_us = (row->objects_us > now_us ? row->objects_us : now_us) + cost_us(n, rate->objects);
    pthread_mutex_unlock(&r->lock);
}

int64_t hub_rates_last(struct hub_rates *r, uint64_t credential)
{
    int64_t last = 0;

    pthread_mutex_lock(&r->lock);
    const struct rates_row *set = rate_set(r, credential);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].credential == credential)
            last = set[i].last_us;
    pthread_mutex_unlock(&r->lock);
    return last;
}

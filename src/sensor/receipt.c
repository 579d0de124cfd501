/* sensor/receipt.c: tells the hub what is done of its recalls (DESIGN.md invariant 10): only once live set, index and
   the files for the enforcement points have let go, and the state on disk says so too. Signed with the key whose seed
   stands in the client file. One thread; at most one receipt a second, the last one stands for all before it. */
#include "sensor/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "keys/keys.h"

enum { RECEIPT_EVERY_US = 1000000, RECEIPT_BACKOFF_MOST_US = 60 * 1000000 };

struct receipts {
    struct receipts_conf conf;
    uint8_t secret[CRYPTO_SIGN_SECRET];
    pthread_t thread;
    pthread_mutex_t lock; /* event, client, stopping */
    pthread_cond_t changed;
    struct buf event; /* to be sent; empty: nothing */
    struct taxii_client *client;
    bool stopping;
    int64_t pause_us;
};

int receipts_follower(const char *path, struct arena *a, struct slice *name_out, struct err *err)
{
    char uuid[36];

    if (file_exists(path)) {
        if (file_read(a, path, 4096, name_out, err) != 0)
            return -1;
        *name_out = slice_trim(*name_out);
        if (taxii_is_follower(*name_out))
            return 0;
    }
    crypto_uuid_random(uuid);
    *name_out = arena_copy(a, slice_n(uuid, sizeof uuid));
    return file_write_atomic(path, *name_out, 0600, err);
}

/* ---- sending ---- */

static int open_client(struct receipts *r, struct err *err)
{
    struct taxii_client *client;

    if (r->client != NULL)
        return 0;
    if (taxii_client_open(&r->conf.client, &client, err) != 0)
        return -1;
    pthread_mutex_lock(&r->lock);
    r->client = client;
    if (r->stopping)
        taxii_client_stop(client);
    pthread_mutex_unlock(&r->lock);
    return 0;
}

static void close_client(struct receipts *r)
{
    pthread_mutex_lock(&r->lock);
    struct taxii_client *client = r->client;
    r->client = NULL;
    pthread_mutex_unlock(&r->lock);
    taxii_client_close(&client);
}

static int send_receipt(struct receipts *r, struct arena *a, struct slice event, struct err *err)
{
    struct taxii_receipt receipt = {
        .follower = r->conf.follower, .event = event, .sent_us = time_now_us(), .lease_us = r->conf.lease_us};
    struct buf message = BUF_INIT;

    /* What is said to be done stays done, even if the machine loses its power now. */
    if (apply_sync(r->conf.apply, err) != 0 || open_client(r, err) != 0)
        return -1;
    taxii_receipt_message(&receipt, &message);
    keys_sign_own(r->secret, KEYS_SIGN_RECEIPT, buf_slice(&message), receipt.signature);
    buf_free(&message);
    int result = taxii_confirm(r->client, a, &receipt, err);
    if (result != 0)
        close_client(r); /* a new connection the next time */
    return result;
}

/* The event that was sent, or will never be taken, is no longer due; a later one may be. */
static void settle(struct receipts *r, struct slice event)
{
    pthread_mutex_lock(&r->lock);
    if (slice_eq(buf_slice(&r->event), event))
        buf_clear(&r->event);
    pthread_mutex_unlock(&r->lock);
}

static void send_due(struct receipts *r, struct slice event)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;

    r->pause_us = r->pause_us * 2 < RECEIPT_BACKOFF_MOST_US ? r->pause_us * 2 : RECEIPT_BACKOFF_MOST_US;
    if (send_receipt(r, &a, event, &err) == 0) {
        r->pause_us = RECEIPT_EVERY_US / 2;
        settle(r, event);
        log_event("recalls_confirmed", NUM("lease_us", r->conf.lease_us));
    } else {
        log_event("receipt_not_sent", ERROR_FIELD(&err));
        if (err.code == ERR_FORBIDDEN || err.code == ERR_NOT_FOUND) /* another key, or a hub that takes none */
            settle(r, event);
    }
    arena_free(&a);
}

/* Until something is due; then until the pause is over. false: stopping. */
static bool wait_for(struct receipts *r, int64_t pause_us, struct arena *a, struct slice *event_out)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += pause_us / 1000000;
    until.tv_nsec += pause_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&r->lock);
    while (!r->stopping && pause_us != 0 && pthread_cond_timedwait(&r->changed, &r->lock, &until) != ETIMEDOUT)
        ;
    while (!r->stopping && r->event.len == 0)
        pthread_cond_wait(&r->changed, &r->lock);
    *event_out = arena_copy(a, buf_slice(&r->event));
    bool go_on = !r->stopping;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct receipts *r = arg;
    struct arena a = ARENA_INIT;
    struct slice event;
    int64_t pause_us = 0;

    while (wait_for(r, pause_us, &a, &event)) {
        send_due(r, event);
        pause_us = r->pause_us > RECEIPT_EVERY_US ? r->pause_us : RECEIPT_EVERY_US;
        arena_reset(&a);
    }
    arena_free(&a);
    return NULL;
}

void receipts_confirm(struct receipts *r, struct slice event)
{
    pthread_mutex_lock(&r->lock);
    buf_clear(&r->event);
    buf_put(&r->event, event);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* ---- start and stop ---- */

int receipts_start(const struct receipts_conf *conf, struct receipts **receipts_out, struct err *err)
{
    uint8_t seed[32], public_key[CRYPTO_SIGN_PUBLIC];
    pthread_condattr_t attr;

    if (!crypto_hex(conf->key, seed, sizeof seed))
        return err_set(err, ERR_CONF_VALUE, "/receipt_key", "64 hexadecimal digits, as the client file came with");
    struct receipts *r = mem_zero(1, sizeof *r);
    r->conf = *conf;
    r->pause_us = RECEIPT_EVERY_US / 2;
    crypto_sign_make_from(seed, public_key, r->secret);
    crypto_wipe(seed, sizeof seed);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        abort(); /* no threads at the start: nothing can go on */
    *receipts_out = r;
    return 0;
}

void receipts_stop(struct receipts **receipts)
{
    struct receipts *r = *receipts;

    *receipts = NULL;
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    if (r->client != NULL)
        taxii_client_stop(r->client);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    taxii_client_close(&r->client);
    buf_free(&r->event);
    crypto_wipe(r->secret, sizeof r->secret);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

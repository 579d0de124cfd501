/* sensor/follow.c: the connection to the hub. The first time, and whenever the hub does not know the cursor any more:
   all pages, then the stream from its beginning (which says of each object when it was published and where it comes
   from). After that the stream alone, from where it was. */
#include "sensor/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/time.h"

enum {
    FOLLOW_SILENT_US = 30 * 1000000, /* the hub sends a comment every 10 s */
    FOLLOW_BACKOFF_FIRST_US = 250000,
    FOLLOW_BACKOFF_MOST_US = 15 * 1000000,
    FOLLOW_PAGE = 1000,
    FOLLOW_REFUSALS = 2 /* of the cursor, one after the other, before it is given up */
};

struct follow {
    struct follow_conf conf;
    pthread_t thread;
    pthread_mutex_t lock; /* client, stopping */
    pthread_cond_t changed;
    struct taxii_client *client;
    bool stopping;
    atomic_bool up, ready;
    uint64_t events; /* of the connection now open */
    uint32_t refusals;
    int64_t backoff_us;
};

static int on_event(void *arg, const struct http_event *event)
{
    struct follow *f = arg;

    f->events++;
    if (event->retry_us > 0 && event->retry_us < FOLLOW_BACKOFF_MOST_US)
        f->backoff_us = event->retry_us;
    apply_event(f->conf.apply, event, time_now_us());
    return 0;
}

/* Every page of indicators. */
static int take_snapshot(struct follow *f, struct err *err)
{
    struct taxii_want want = {.added_after_us = INT64_MIN,
                              .limit = FOLLOW_PAGE,
                              .versions = TAXII_LAST,
                              .types = {.items = {SLICE_INIT("indicator")}, .n = 1}};
    struct arena a = ARENA_INIT, next = ARENA_INIT;
    struct taxii_page page = {.more = true};
    int result = 0;

    apply_snapshot_begin(f->conf.apply);
    while (page.more && (result = taxii_pull(f->client, &a, &want, &page, err)) == 0) {
        json_each (object, page.objects)
            apply_snapshot_object(f->conf.apply, object, time_now_us());
        if (page.more && (page.next.len == 0 || slice_eq(page.next, want.next))) {
            result = err_set(err, ERR_PEER, "", "the server says that there is more, but not where");
            break;
        }
        struct arena old = next;
        next = (struct arena)ARENA_INIT;
        want.next = arena_copy(&next, page.next);
        arena_free(&old);
        arena_reset(&a);
    }
    if (result == 0)
        apply_snapshot_end(f->conf.apply, time_now_us());
    arena_free(&a);
    arena_free(&next);
    return result;
}

/* A GET that every reader may do: says early and in words what is wrong with address, certificate or password. */
static int greet(struct follow *f, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct json answer;
    int result = taxii_get(f->client, &a, SLICE("collections/"), &answer, err);

    arena_free(&a);
    return result;
}

static int follow_once(struct follow *f, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice cursor = apply_cursor(f->conf.apply, &a);
    int result = greet(f, err);

    if (result == 0 && cursor.len == 0)
        result = take_snapshot(f, err);
    if (result == 0) {
        atomic_store(&f->ready, true);
        atomic_store(&f->up, true);
        log_event("stream_up", TEXT("hub", f->conf.client.http.url), NUM("indicators", apply_count(f->conf.apply)));
        f->events = 0;
        result = taxii_follow(f->client, cursor, FOLLOW_SILENT_US, on_event, f, err);
        atomic_store(&f->up, false);
        /* Not a stream at all, twice, and the hub is there: it does not know this cursor (another epoch, another hub's
         * data). */
        bool refused = result != 0 && err->code == ERR_PEER && f->events == 0 && cursor.len != 0;
        f->refusals = refused ? f->refusals + 1 : 0;
        if (f->refusals >= FOLLOW_REFUSALS) {
            log_event("cursor_refused", ERROR_FIELD(err));
            apply_forget_cursor(f->conf.apply);
            f->refusals = 0;
        }
        if (f->events != 0)
            f->backoff_us = FOLLOW_BACKOFF_FIRST_US;
    }
    arena_free(&a);
    return result;
}

static bool set_client(struct follow *f, struct taxii_client *client)
{
    pthread_mutex_lock(&f->lock);
    struct taxii_client *old = f->client;
    bool stopping = f->stopping;
    f->client = client;
    if (stopping && client != NULL)
        taxii_client_stop(client);
    pthread_mutex_unlock(&f->lock);
    if (client == NULL)
        taxii_client_close(&old);
    return stopping;
}

/* Half of it for sure and half by chance, so that a thousand sensors do not come back at once. true: stop. */
static bool wait_before_next(struct follow *f)
{
    int64_t wait_us = f->backoff_us / 2 + (int64_t)crypto_random_below((uint64_t)f->backoff_us / 2 + 1);
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_us / 1000000;
    until.tv_nsec += wait_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&f->lock);
    while (!f->stopping && pthread_cond_timedwait(&f->changed, &f->lock, &until) != ETIMEDOUT)
        ;
    bool stopping = f->stopping;
    pthread_mutex_unlock(&f->lock);
    f->backoff_us = 2 * f->backoff_us < FOLLOW_BACKOFF_MOST_US ? 2 * f->backoff_us : FOLLOW_BACKOFF_MOST_US;
    return stopping;
}

static void *run(void *arg)
{
    struct follow *f = arg;

    do {
        struct taxii_client *client;
        struct err err = ERR_INIT;
        int result = taxii_client_open(&f->conf.client, &client, &err);
        if (result == 0) {
            set_client(f, client);
            result = follow_once(f, &err);
            if (set_client(f, NULL))
                break;
        }
        if (result != 0)
            log_event("stream_down", ERROR_FIELD(&err));
    } while (!wait_before_next(f));
    return NULL;
}

int follow_start(const struct follow_conf *conf, struct follow **follow_out, struct err *err)
{
    struct follow *f = mem_zero(1, sizeof *f);
    struct arena a = ARENA_INIT;
    pthread_condattr_t attr;

    f->conf = *conf;
    f->backoff_us = FOLLOW_BACKOFF_FIRST_US;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &attr);
    pthread_condattr_destroy(&attr);
    atomic_store(&f->ready, apply_cursor(conf->apply, &a).len != 0);
    arena_free(&a);
    if (pthread_create(&f->thread, NULL, run, f) != 0) {
        pthread_cond_destroy(&f->changed);
        pthread_mutex_destroy(&f->lock);
        free(f);
        return err_set(err, ERR_SYSTEM, "", "no thread can be started");
    }
    *follow_out = f;
    return 0;
}

void follow_stop(struct follow **follow)
{
    struct follow *f = *follow;

    *follow = NULL;
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    if (f->client != NULL)
        taxii_client_stop(f->client);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

bool follow_is_up(struct follow *f)
{
    return atomic_load(&f->up);
}

bool follow_is_ready(struct follow *f)
{
    return atomic_load(&f->ready);
}

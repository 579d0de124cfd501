/* link/receipt.c: tells a partner what became of its recalls here: at once that they are committed, and from then on
   how many of this hub's own recipients have confirmed them: one count, no names. Signed with the hub's key. One thread
   a link; at most one receipt a second. */
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "link/internal.h"

enum {
    RECEIPT_LOOK_US = 1000000,
    RECEIPT_BATCHES = 64, /* whose counts are still awaited; what comes beyond joins the last */
    RECEIPT_TRIES = 60,   /* of one receipt */
};
static const int64_t counted_for_us = INT64_C(24) * 3600 * 1000000; /* by then leases have lapsed */

struct batch {
    struct buf event;
    uint64_t first_seq, last_seq; /* here; first 0: nothing of it concerned anybody here */
    int64_t done, of, since_us;
    bool sent;
    unsigned tries;
};
struct link_receipts {
    struct hub *hub;
    const struct hub_link *info;
    struct taxii_client_conf conf;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch items[RECEIPT_BATCHES];
    size_t n;
    struct taxii_client *client;
    bool stopping;
};

void link_receipts_note(struct link_receipts *r, struct slice event, uint64_t first_seq, uint64_t last_seq)
{
    pthread_mutex_lock(&r->lock);
    bool joins = r->n != 0 && (!r->items[r->n - 1].sent || r->n == RECEIPT_BATCHES);
    struct batch *b = joins ? &r->items[r->n - 1] : &r->items[r->n++];
    if (!joins)
        *b = (struct batch){.event = BUF_INIT};
    b->first_seq = joins && b->first_seq != 0 ? b->first_seq : first_seq;
    b->last_seq = last_seq != 0 ? last_seq : b->last_seq;
    b->since_us = time_steady_us();
    b->sent = false;
    b->tries = 0;
    buf_clear(&b->event);
    buf_put(&b->event, event);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* ---- one receipt ---- */

static int send_receipt(struct link_receipts *r, const struct batch *b, struct arena *a, struct err *err)
{
    struct taxii_receipt receipt = {.follower = SLICE(LINK_FOLLOWER),
                                    .event = buf_slice(&b->event),
                                    .sent_us = time_now_us(),
                                    .done = b->done,
                                    .of = b->of};
    struct taxii_client *client = NULL;
    struct buf message = BUF_INIT;

    if (r->client == NULL) {
        if (taxii_client_open(&r->conf, &client, err) != 0)
            return -1;
        pthread_mutex_lock(&r->lock);
        r->client = client;
        if (r->stopping)
            taxii_client_stop(client);
        pthread_mutex_unlock(&r->lock);
    }
    taxii_receipt_message(&receipt, &message);
    int result = hub_sign_receipt(r->hub, buf_slice(&message), receipt.signature, err);
    buf_free(&message);
    if (result == 0)
        result = taxii_confirm(r->client, a, &receipt, err);
    if (result != 0) { /* a new connection the next time */
        pthread_mutex_lock(&r->lock);
        client = r->client;
        r->client = NULL;
        pthread_mutex_unlock(&r->lock);
        taxii_client_close(&client);
    }
    return result;
}

/* ---- which one is due ---- */

static void drop(struct link_receipts *r, size_t at)
{
    buf_free(&r->items[at].event);
    memmove(&r->items[at], &r->items[at + 1], (r->n - at - 1) * sizeof r->items[0]);
    r->n--;
}

/* A copy of the first whose count the partner does not know, with that count. */
static bool take_due(struct link_receipts *r, struct batch *out)
{
    struct err err = ERR_INIT;

    for (size_t i = 0;; i++) {
        pthread_mutex_lock(&r->lock);
        bool over = i >= r->n;
        if (!over) {
            *out = r->items[i];
            out->event = (struct buf)BUF_INIT;
            buf_put(&out->event, buf_slice(&r->items[i].event));
        }
        pthread_mutex_unlock(&r->lock);
        if (over)
            return false;
        int64_t done = out->done, of = out->of;
        if (out->first_seq != 0 &&
            hub_recalls_count(r->hub, out->first_seq, out->last_seq, &out->done, &out->of, &err) != 0)
            log_event("recalls_not_counted", ERROR_FIELD(&err));
        if (!out->sent || out->done != done || out->of != of)
            return true;
        buf_free(&out->event);
    }
}

/* What was said is kept, unless more joined it meanwhile; what nobody will add to any more goes. */
static void settle(struct link_receipts *r, const struct batch *said, bool good)
{
    int64_t now = time_steady_us();

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n; i++) {
        struct batch *b = &r->items[i];
        if (said == NULL || !slice_eq(buf_slice(&b->event), buf_slice(&said->event)))
            continue;
        b->tries++;
        if (good) {
            b->sent = true;
            b->tries = 0;
            b->done = said->done;
            b->of = said->of;
        }
    }
    for (size_t i = r->n; i > 0; i--) {
        const struct batch *b = &r->items[i - 1];
        if ((b->sent && (b->done == b->of || now - b->since_us > counted_for_us)) || b->tries >= RECEIPT_TRIES)
            drop(r, i - 1);
    }
    pthread_mutex_unlock(&r->lock);
}

/* false: stopping. */
static bool wait_a_while(struct link_receipts *r)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RECEIPT_LOOK_US / 1000000;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping && r->n == 0)
        pthread_cond_wait(&r->changed, &r->lock);
    bool fresh = r->n != 0 && !r->items[r->n - 1].sent && r->items[r->n - 1].tries == 0;
    if (!r->stopping && !fresh)
        pthread_cond_timedwait(&r->changed, &r->lock, &until);
    bool go_on = !r->stopping;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct link_receipts *r = arg;
    const struct timespec pause = {1, 0};
    struct arena a = ARENA_INIT;
    struct batch due;

    while (wait_a_while(r)) {
        struct err err = ERR_INIT;
        if (!take_due(r, &due)) {
            settle(r, NULL, true);
            continue;
        }
        bool good = send_receipt(r, &due, &a, &err) == 0;
        if (!good)
            log_event("receipt_not_sent", TEXT("partner", r->info->name), ERROR_FIELD(&err));
        else
            log_event("receipt_sent", TEXT("partner", r->info->name), NUM("done", due.done), NUM("of", due.of));
        settle(r, &due, good);
        buf_free(&due.event);
        arena_reset(&a);
        nanosleep(&pause, NULL);
    }
    arena_free(&a);
    return NULL;
}

/* ---- start and stop ---- */

struct link_receipts *link_receipts_start(struct hub *h, const struct hub_link *info,
                                          const struct taxii_client_conf *conf)
{
    struct link_receipts *r = mem_zero(1, sizeof *r);

    r->hub = h;
    r->info = info;
    r->conf = *conf;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (info->cursor.len != 0) /* what was committed before this start, and perhaps not told */
        link_receipts_note(r, info->cursor, 0, 0);
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        abort(); /* a process that gets no thread is started again by its monitor */
    return r;
}

void link_receipts_stop(struct link_receipts **receipts)
{
    struct link_receipts *r = *receipts;

    *receipts = NULL;
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    if (r->client != NULL)
        taxii_client_stop(r->client);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    taxii_client_close(&r->client);
    while (r->n != 0)
        drop(r, r->n - 1);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

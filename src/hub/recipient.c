/* hub/recipient.c: who reads behind a credential. A sensor and a partner's link name themselves with every request
   (Tocsin-Follower), so that two sensors of one member are two recipients; whatever does not, is one recipient without
   a name: a foreign client, which can confirm nothing. Of each it is kept how far it was given, which recalls, and when
   it was last there. Durable as deliveries are: within a second, with their leaf.

   STORE_RECIPIENT   "viewer/collection/follower" -> since, given, last_us, lease_us, open: u64 each, little endian
   STORE_RECEIPT     "viewer/collection/follower/d/seq" -> from u64, at_us u64: the recalls behind `from`, up to seq,
   were delivered then; ".../c/seq": hub/receipt.c */
#include <stdio.h>
#include <stdlib.h>

#include "hub/internal.h"

enum { RECIPIENT_NUMBERS = 5 };

struct slice hub_recipient_key(struct arena *a, uint32_t viewer, struct slice collection, struct slice follower)
{
    return arena_printf(a, "%08x/" SLICE_FMT "/" SLICE_FMT, viewer, SLICE_ARG(collection), SLICE_ARG(follower));
}

struct slice hub_receipt_key(struct arena *a, struct slice recipient, char what, uint64_t seq)
{
    return arena_printf(a, SLICE_FMT "/%c/%016llx", SLICE_ARG(recipient), what, (unsigned long long)seq);
}

struct slice hub_follower_name(const struct http_head *head)
{
    struct slice name = http_head_get(head, SLICE(TAXII_FOLLOWER_HEADER));

    return name.ptr != NULL && taxii_is_follower(slice_trim(name)) ? slice_trim(name) : SLICE("");
}

/* ---- in memory, under the viewer's lock ---- */

static struct hub_recipient *find(const struct hub_viewer *v, struct slice collection, struct slice follower)
{
    for (struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        if (slice_eq(hub_recipient_collection(r), collection) && slice_eq(slice_of(r->follower), follower))
            return r;
    return NULL;
}

static size_t count_named(const struct hub_viewer *v, struct slice collection)
{
    size_t n = 0;

    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        n += r->follower[0] != '\0' && slice_eq(hub_recipient_collection(r), collection);
    return n;
}

/* A name too many is one without a name: nobody makes the hub keep more by making names up. `since`: what was recalled
   up to there never concerned it. */
static struct hub_recipient *see(struct hub_viewer *v, struct slice collection, struct slice follower, uint64_t since)
{
    struct hub_recipient *r = find(v, collection, follower);

    if (r == NULL && follower.len != 0 && count_named(v, collection) >= HUB_RECIPIENTS_MAX)
        return see(v, collection, SLICE(""), since);
    if (r == NULL) {
        r = mem_zero(1, sizeof *r);
        memcpy(r->collection, collection.ptr, sizeof r->collection);
        if (follower.len != 0)
            memcpy(r->follower, follower.ptr, follower.len);
        r->since_seq = since;
        r->changed = true;
        r->next = v->recipients;
        v->recipients = r;
    }
    r->last_us = time_now_us();
    return r;
}

void hub_recipients_free(struct hub_viewer *v)
{
    while (v->recipients != NULL) {
        struct hub_recipient *next = v->recipients->next;
        free(v->recipients);
        v->recipients = next;
    }
}

/* Neighbouring spans become one; when there is no room, what is least wrong is to say nothing. */
static void note_span(struct hub_recipient *r, uint64_t from, uint64_t to)
{
    struct hub_span *last = r->n_spans > r->n_storing ? &r->spans[r->n_spans - 1] : NULL;

    if (last != NULL && from <= last->to && to > last->from) {
        last->from = from < last->from ? from : last->from;
        last->to = to > last->to ? to : last->to;
    } else if (r->n_spans < HUB_SPANS_MAX) {
        r->spans[r->n_spans++] = (struct hub_span){from, to, r->last_us};
    }
}

void hub_recipient_given(struct hub_view *v, bool stands)
{
    struct hub_viewer *viewer = v->hub->viewers[v->viewer];

    if (v->collection == NULL || v->collection->id.len != sizeof viewer->recipients->collection)
        return;
    pthread_mutex_lock(&viewer->lock);
    struct hub_recipient *r = see(viewer, v->collection->id, v->follower, v->upto);
    if (v->last_seq > r->given_seq) {
        r->given_seq = v->last_seq;
        r->changed = true;
    }
    if (stands && v->recalls_to != 0)
        note_span(r, v->recalls_from, v->recalls_to);
    pthread_mutex_unlock(&viewer->lock);
}

void hub_recipient_stream(struct hub *h, uint32_t viewer, struct slice collection, struct slice follower, int change,
                          uint64_t given)
{
    struct hub_viewer *v = h->viewers[viewer];
    uint64_t head = atomic_load(&h->head);

    pthread_mutex_lock(&v->lock);
    struct hub_recipient *r = see(v, collection, follower, given != 0 && given < head ? given : head);
    if (change > 0 || r->streams > 0) /* not beyond what was opened */
        r->streams = (unsigned)((int)r->streams + change);
    if (given > r->given_seq)
        r->given_seq = given;
    r->changed = true;
    pthread_mutex_unlock(&v->lock);
}

bool hub_recipient_confirms(struct hub *h, uint32_t viewer, struct slice collection, struct slice follower,
                            uint64_t upto, int64_t lease_us)
{
    struct hub_viewer *v = h->viewers[viewer];
    int64_t now = time_steady_us();

    pthread_mutex_lock(&v->lock);
    struct hub_recipient *r = see(v, collection, follower, upto);
    bool may = slice_eq(slice_of(r->follower), follower) &&
               (r->receipt_us == 0 || now - r->receipt_us >= HUB_RECEIPT_EVERY_US);
    if (may) {
        r->receipt_us = now;
        r->changed = r->changed || r->lease_us != lease_us;
        r->lease_us = lease_us;
    }
    pthread_mutex_unlock(&v->lock);
    return may;
}

size_t hub_recipients_of(struct hub *h, uint32_t viewer, struct slice collection, struct arena *a,
                         struct hub_recipient **out)
{
    struct hub_viewer *v = h->viewers[viewer];
    size_t n = 0;

    pthread_mutex_lock(&v->lock);
    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        n++;
    *out = arena_array(a, struct hub_recipient, n);
    n = 0;
    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        if (slice_eq(hub_recipient_collection(r), collection))
            (*out)[n++] = *r;
    pthread_mutex_unlock(&v->lock);
    return n;
}

bool hub_is_recipient(struct hub *h, uint32_t viewer)
{
    struct hub_viewer *v = h->viewers[viewer];

    pthread_mutex_lock(&v->lock);
    bool any = v->recipients != NULL;
    pthread_mutex_unlock(&v->lock);
    return any;
}

/* ---- durable ---- */

bool hub_recipients_changed(const struct hub_viewer *v)
{
    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        if (r->changed || r->n_spans != 0)
            return true;
    return false;
}

static int store_recipient(struct hub_commit *c, uint32_t viewer, const struct hub_recipient *r, struct err *err)
{
    struct arena *a = hub_commit_arena(c);
    struct slice key = hub_recipient_key(a, viewer, hub_recipient_collection(r), slice_of(r->follower));
    uint64_t numbers[RECIPIENT_NUMBERS] = {r->since_seq, r->given_seq, (uint64_t)r->last_us, (uint64_t)r->lease_us,
                                           r->streams != 0};

    if (hub_commit_state(c, STORE_RECIPIENT, key, slice_n((const char *)numbers, sizeof numbers), err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_spans; i++) {
        uint64_t span[2] = {r->spans[i].from, (uint64_t)r->spans[i].at_us};
        struct slice at = hub_receipt_key(a, key, 'd', r->spans[i].to);
        if (hub_commit_state(c, STORE_RECEIPT, at, slice_n((const char *)span, sizeof span), err) != 0)
            return -1;
    }
    return 0;
}

/* Copied under the lock, written without it: nobody waits for the disk. */
int hub_recipients_store(struct hub_commit *c, uint32_t viewer, struct err *err)
{
    struct hub_viewer *v = hub_commit_hub(c)->viewers[viewer];
    struct hub_recipient *copies;
    size_t n = 0;

    pthread_mutex_lock(&v->lock);
    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        n += r->changed || r->n_spans != 0;
    copies = arena_array(hub_commit_arena(c), struct hub_recipient, n);
    n = 0;
    for (struct hub_recipient *r = v->recipients; r != NULL; r = r->next) {
        if (!r->changed && r->n_spans == 0)
            continue;
        copies[n++] = *r;
        r->changed = false;
        r->storing = true;
        r->n_storing = r->n_spans;
    }
    pthread_mutex_unlock(&v->lock);
    for (size_t i = 0; i < n; i++)
        if (store_recipient(c, viewer, &copies[i], err) != 0)
            return -1;
    if (n != 0)
        hub_commit_recipients(c);
    return 0;
}

void hub_recipients_stored(struct hub *h, bool good)
{
    uint32_t n = atomic_load(&h->n_viewers);

    for (uint32_t i = 1; i < n; i++) {
        struct hub_viewer *v = h->viewers[i];
        pthread_mutex_lock(&v->lock);
        for (struct hub_recipient *r = v->recipients; r != NULL; r = r->next) {
            if (!r->storing)
                continue;
            if (good) {
                r->n_spans -= r->n_storing;
                memmove(r->spans, r->spans + r->n_storing, r->n_spans * sizeof *r->spans);
            } else {
                r->changed = true;
            }
            r->n_storing = 0;
            r->storing = false;
        }
        pthread_mutex_unlock(&v->lock);
    }
}

/* ---- at start ---- */

static bool cut_key(struct slice key, uint64_t *viewer_out, struct slice *collection_out, struct slice *follower_out)
{
    struct slice hex;
    uint8_t bytes[4];

    if (!slice_cut(&key, '/', &hex) || hex.len != 8 || !crypto_hex(hex, bytes, sizeof bytes) ||
        !slice_cut(&key, '/', collection_out))
        return false;
    *viewer_out = (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
    *follower_out = key;
    return true;
}

/* Whoever held a stream open when the hub ended may have been given more than is known, and heard it until just now: a
   recall must not miss it, and nothing of it has lapsed yet. */
int hub_recipient_load(void *hub, struct slice key, struct slice value)
{
    struct hub *h = hub;
    struct slice collection, follower;
    uint64_t viewer, numbers[RECIPIENT_NUMBERS];
    struct hub_recipient sizes;

    if (!cut_key(key, &viewer, &collection, &follower) || viewer >= atomic_load(&h->n_viewers) ||
        collection.len != sizeof sizes.collection || follower.len >= sizeof sizes.follower ||
        value.len != sizeof numbers)
        return 0;
    memcpy(numbers, value.ptr, sizeof numbers);
    struct hub_recipient *r = see(h->viewers[viewer], collection, follower, numbers[0]);
    r->changed = numbers[4] != 0;
    r->given_seq = numbers[4] != 0 ? atomic_load(&h->head) : numbers[1];
    r->lease_us = (int64_t)numbers[3];
    if (numbers[4] == 0)
        r->last_us = (int64_t)numbers[2];
    return 0;
}

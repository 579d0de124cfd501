#include "sensor/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/time.h"

enum {
    SIGHT_QUEUE = 65536,  /* hits that wait to be told */
    SIGHT_ENVELOPE = 100, /* sightings in one */
    SIGHT_LOOK_US = 50000,
    SIGHT_FULL_EVERY_US = 1000000,
    SIGHT_SAVE_EVERY_US = 1000000,
    SIGHT_BACKOFF_FIRST_US = 500000,
    SIGHT_BACKOFF_MOST_US = 60 * 1000000
};

static const int64_t hour_us = INT64_C(3600000000);

struct hit { /* on its way from a reader */
    uint64_t indicator;
    enum stix_value_kind kind;
    int64_t event_us;
    struct slice value, seen, field; /* behind it */
};

struct sight {
    struct sight_conf conf;
    struct queue *hits;
    atomic_ulong dropped;
    pthread_t teller, sender;
    pthread_mutex_t lock; /* sightings; client; stopping */
    pthread_cond_t changed;
    struct sighting *items;
    size_t n, room;
    struct map map;
    bool dirty, stopping;
    int64_t saved_us, sent_until_us, backoff_us; /* not before; the pause after the next failure */
    struct taxii_client *client;
};

static struct slice item_text(const void *owner, uint32_t value, uint8_t *tag_out)
{
    *tag_out = 0;
    return ((const struct sight *)owner)->items[value].indicator;
}

/* ---- readers ---- */

static struct slice put_text(char **at, struct slice s)
{
    struct slice copy = {*at, s.len};

    if (s.len != 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copy;
}

void sight_hit(void *sight, const struct match_line *line, const struct match_hit *hit)
{
    struct sight *s = sight;
    struct slice seen = slice_to(hit->seen, 1024);
    struct hit *h = mem_alloc(sizeof *h + hit->value.len + seen.len + hit->field.len);
    char *at = (char *)(h + 1);

    *h =
        (struct hit){hit->indicator,           hit->kind, line->time_us, put_text(&at, hit->value), put_text(&at, seen),
                     put_text(&at, hit->field)};
    if (queue_put(s->hits, h, false))
        return;
    atomic_fetch_add(&s->dropped, 1);
    free(h);
}

/* ---- one sighting ---- */

static int64_t to_the_hour(int64_t us)
{
    return us - us % hour_us;
}

/* Exactly three digits of fraction (STIX 2.1 sections 3.2 and 3.5). */
static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    text[23] = 'Z';
    json_put_text(out, name, slice_n(text, 24));
}

void sighting_put(struct buf *out, const struct sighting *s, const struct sight_conf *conf, int64_t now_us)
{
    bool full = conf->own == SENSOR_REPORT_FULL;

    json_put_open(out, '{');
    json_put_text(out, "type", SLICE("sighting"));
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", slice_of(s->id));
    put_time(out, "created", s->created_us);
    put_time(out, "modified", now_us);
    put_time(out, "first_seen", full ? s->first_us : to_the_hour(s->first_us));
    put_time(out, "last_seen", full ? s->last_us : to_the_hour(s->last_us));
    json_put_number(out, "count", (int64_t)(s->count < 999999999 ? s->count : 999999999)); /* section 5.2 */
    json_put_text(out, "sighting_of_ref", s->indicator);
    json_put_key(out, SLICE("extensions"));
    json_put_open(out, '{');
    json_put_key(out, SLICE(STIX_TOCSIN_SIGHTING));
    json_put_open(out, '{');
    json_put_text(out, "extension_type", SLICE("property-extension"));
    json_put_text(out, "onward", conf->onward ? SLICE("aggregate") : SLICE("none"));
    json_put_close(out, '}');
    json_put_close(out, '}');
    json_put_close(out, '}');
}

bool sighting_is_due(const struct sighting *s, const struct sight_conf *conf, int64_t now_us)
{
    int64_t every_us = conf->own == SENSOR_REPORT_FULL ? SIGHT_FULL_EVERY_US : conf->every_us;

    if (conf->own == SENSOR_REPORT_NONE || s->count <= s->sent_count)
        return false;
    return s->sent_us == 0 || now_us - s->sent_us >= every_us || now_us < s->sent_us;
}

static struct sighting *sighting_of(struct sight *s, struct slice indicator)
{
    uint32_t at;

    if (map_find(&s->map, 0, indicator, item_text, s, &at))
        return &s->items[at];
    if (s->n == s->room) {
        s->room = 2 * s->room + 64;
        s->items = mem_grow(s->items, s->room * sizeof *s->items);
    }
    s->items[s->n] = (struct sighting){.indicator = slice_n(mem_copy(indicator), indicator.len)};
    map_put(&s->map, 0, indicator, (uint32_t)s->n);
    return &s->items[s->n++];
}

static void count(struct sight *s, struct slice indicator, int64_t event_us, int64_t now_us)
{
    char uuid[36];

    if (event_us == 0 || event_us > now_us)
        event_us = now_us;
    pthread_mutex_lock(&s->lock);
    struct sighting *item = sighting_of(s, indicator);
    if (item->count == 0) {
        crypto_uuid_random(uuid);
        snprintf(item->id, sizeof item->id, "sighting--%.36s", uuid);
        item->created_us = now_us;
        item->first_us = item->last_us = event_us;
    }
    item->count++;
    if (event_us < item->first_us)
        item->first_us = event_us;
    if (event_us > item->last_us)
        item->last_us = event_us;
    s->dirty = true;
    if (sighting_is_due(item, &s->conf, now_us))
        pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* ---- alerts ---- */

static void tell(struct sight *s, const struct hit *h, struct arena *a)
{
    int64_t now_us = time_now_us();
    struct slice indicator, origin;

    if (!live_get_id(s->conf.live, h->indicator, a, &indicator, &origin))
        return; /* gone meanwhile */
    log_event("alert", TEXT("value", h->value), TEXT("kind", stix_value_kind_name(h->kind)), TEXT("field", h->field),
              TEXT("seen", h->seen), TEXT("indicator", indicator), TEXT("origin", origin),
              NUM("after_us", h->event_us != 0 ? now_us - h->event_us : 0));
    if (s->conf.own != SENSOR_REPORT_NONE)
        count(s, indicator, h->event_us, now_us);
}

static void *run_teller(void *arg)
{
    struct sight *s = arg;
    struct arena a = ARENA_INIT;
    struct hit *h;
    unsigned long told = 0;

    while ((h = queue_take(s->hits, -1)) != NULL) {
        tell(s, h, &a);
        free(h);
        arena_reset(&a);
        unsigned long dropped = atomic_load(&s->dropped);
        if (dropped != told)
            log_event("alerts_dropped", NUM("hits", dropped - told));
        told = dropped;
    }
    arena_free(&a);
    return NULL;
}

/* ---- the spool ---- */

static void save(struct sight *s, struct err *err)
{
    struct buf out = BUF_INIT;

    pthread_mutex_lock(&s->lock);
    if (!s->dirty) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct sighting *item = &s->items[i];
        buf_printf(&out, "%s\t" SLICE_FMT "\t%lld\t%lld\t%lld\t%llu\t%llu\t%lld\n", item->id,
                   SLICE_ARG(item->indicator), (long long)item->created_us, (long long)item->first_us,
                   (long long)item->last_us, (unsigned long long)item->count, (unsigned long long)item->sent_count,
                   (long long)item->sent_us);
    }
    s->dirty = false;
    pthread_mutex_unlock(&s->lock);
    if (file_write_atomic(s->conf.spool.ptr, buf_slice(&out), 0600, err) != 0) {
        pthread_mutex_lock(&s->lock);
        s->dirty = true;
        pthread_mutex_unlock(&s->lock);
    }
    buf_free(&out);
}

static bool load_line(struct sight *s, struct slice line)
{
    struct slice id, indicator, field;
    uint64_t numbers[6];

    if (!slice_cut(&line, '\t', &id) || id.len + 1 != sizeof s->items->id || !slice_cut(&line, '\t', &indicator) ||
        indicator.len == 0)
        return false;
    for (int i = 0; i < 6; i++)
        if (!slice_cut(&line, '\t', &field) || !slice_u64(field, &numbers[i]) || numbers[i] > INT64_MAX)
            return false;
    struct sighting *item = sighting_of(s, indicator);
    snprintf(item->id, sizeof item->id, SLICE_FMT, SLICE_ARG(id));
    item->created_us = (int64_t)numbers[0];
    item->first_us = (int64_t)numbers[1];
    item->last_us = (int64_t)numbers[2];
    item->count = numbers[3];
    item->sent_count = numbers[4];
    item->sent_us = (int64_t)numbers[5];
    return true;
}

static int load(struct sight *s, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice text, line;
    int result = 0;

    if (file_exists(s->conf.spool.ptr) && (result = file_read(&a, s->conf.spool.ptr, (size_t)1 << 30, &text, err)) == 0)
        while (slice_cut(&text, '\n', &line))
            if (line.len != 0 && !load_line(s, line))
                log_event("spool_line_not_read", NUM("bytes", line.len));
    arena_free(&a);
    return result;
}

/* ---- sending ---- */

static size_t take_due(struct sight *s, struct buf *out, size_t *which, uint64_t *counts, int64_t now_us)
{
    size_t n = 0;

    json_put_open(out, '{');
    json_put_key(out, SLICE("objects"));
    json_put_open(out, '[');
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n && n < SIGHT_ENVELOPE; i++) {
        if (!sighting_is_due(&s->items[i], &s->conf, now_us))
            continue;
        sighting_put(out, &s->items[i], &s->conf, now_us);
        which[n] = i;
        counts[n++] = s->items[i].count;
    }
    pthread_mutex_unlock(&s->lock);
    json_put_close(out, ']');
    json_put_close(out, '}');
    return n;
}

static int push(struct sight *s, struct slice envelope, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct taxii_client *client = NULL;
    struct json status;
    int64_t failures = 0;
    int result = 0;

    if (s->client == NULL && taxii_client_open(&s->conf.client, &client, err) != 0)
        return -1;
    pthread_mutex_lock(&s->lock);
    if (client != NULL)
        s->client = client;
    if (s->stopping)
        taxii_client_stop(s->client);
    pthread_mutex_unlock(&s->lock);
    result = taxii_push(s->client, &a, envelope, 0, &status, err);
    if (result == 0 && json_int(json_get(status, SLICE("failure_count")), &failures) && failures != 0)
        log_event("sightings_refused", NUM("count", failures));
    if (result != 0) { /* a new connection the next time */
        pthread_mutex_lock(&s->lock);
        client = s->client;
        s->client = NULL;
        pthread_mutex_unlock(&s->lock);
        taxii_client_close(&client);
    }
    arena_free(&a);
    return result;
}

static void note_sent(struct sight *s, const size_t *which, const uint64_t *counts, size_t n, int64_t now_us)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        struct sighting *item = &s->items[which[i]];
        item->sent_count = counts[i];
        item->sent_us = now_us;
        log_event("sighting_sent", TEXT("indicator", item->indicator), NUM("count", counts[i]));
    }
    s->dirty = true;
    pthread_mutex_unlock(&s->lock);
}

static void send_due(struct sight *s, int64_t now_us)
{
    size_t which[SIGHT_ENVELOPE];
    uint64_t counts[SIGHT_ENVELOPE];
    struct buf envelope = BUF_INIT;
    struct err err = ERR_INIT;

    if (now_us < s->sent_until_us && s->sent_until_us - now_us <= SIGHT_BACKOFF_MOST_US)
        return;
    size_t n = take_due(s, &envelope, which, counts, now_us);
    if (n != 0 && push(s, buf_slice(&envelope), &err) == 0) {
        note_sent(s, which, counts, n, now_us);
        s->backoff_us = SIGHT_BACKOFF_FIRST_US;
    } else if (n != 0) {
        log_event("sightings_not_sent", NUM("count", n), ERROR_FIELD(&err));
        s->sent_until_us = now_us + s->backoff_us;
        s->backoff_us = 2 * s->backoff_us < SIGHT_BACKOFF_MOST_US ? 2 * s->backoff_us : SIGHT_BACKOFF_MOST_US;
    }
    buf_free(&envelope);
}

/* false: stop. */
static bool wait_for_work(struct sight *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += SIGHT_LOOK_US * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    if (!s->stopping)
        pthread_cond_timedwait(&s->changed, &s->lock, &until);
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return !stopping;
}

static void *run_sender(void *arg)
{
    struct sight *s = arg;

    while (wait_for_work(s)) {
        struct err err = ERR_INIT;
        int64_t now_us = time_now_us();
        send_due(s, now_us);
        if (now_us - s->saved_us < SIGHT_SAVE_EVERY_US && now_us >= s->saved_us)
            continue;
        save(s, &err);
        s->saved_us = now_us;
        if (err.code != ERR_NONE)
            log_event("spool_not_written", ERROR_FIELD(&err));
    }
    return NULL;
}

/* ---- start and stop ---- */

static void sight_free(struct sight *s)
{
    for (size_t i = 0; i < s->n; i++)
        free((char *)(uintptr_t)s->items[i].indicator.ptr);
    free(s->items);
    map_close(&s->map);
    queue_free(&s->hits);
    taxii_client_close(&s->client);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int sight_start(const struct sight_conf *conf, struct sight **sight_out, struct err *err)
{
    struct sight *s = mem_zero(1, sizeof *s);

    s->conf = *conf;
    s->hits = queue_new(1, SIGHT_QUEUE);
    s->backoff_us = SIGHT_BACKOFF_FIRST_US;
    map_open(&s->map);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (load(s, err) != 0) {
        sight_free(s);
        return -1;
    }
    if (pthread_create(&s->teller, NULL, run_teller, s) != 0 || pthread_create(&s->sender, NULL, run_sender, s) != 0)
        abort(); /* no threads at the start: nothing can go on */
    *sight_out = s;
    return 0;
}

void sight_stop(struct sight **sight, struct err *err)
{
    struct sight *s = *sight;

    *sight = NULL;
    if (s == NULL)
        return;
    queue_close(s->hits);
    pthread_join(s->teller, NULL);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    if (s->client != NULL)
        taxii_client_stop(s->client);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->sender, NULL);
    save(s, err);
    sight_free(s);
}

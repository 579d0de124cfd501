/* link/link.c: one link: a reader of the partner's stream and a submitter of what has come. What the submitter takes at
   a time is what has come meanwhile: one event when little comes, hundreds in a burst. */
#include "link/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"

enum {
    LINK_BATCH = 500,          /* events of one submission */
    LINK_QUEUE = 4000,         /* events that wait; then the reader waits, and the partner's hub with it */
    LINK_SILENT_US = 30000000, /* the partner sends a comment each 10 s */
    LINK_BACKOFF_FIRST_US = 250000,
    LINK_BACKOFF_MOST_US = 15000000,
};

struct link {
    struct hub *hub;
    struct arena arena;
    struct hub_link info;
    struct hub_party *party;
    pthread_t reader, submitter;
    struct link_receipts *receipts;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct taxii_client *client; /* while the reader has one */
    struct link_event *first, **end;
    size_t n;
    struct buf last;       /* event id of the last event taken over from the stream */
    struct buf committed;  /* ... of the last one that is durable here */
    bool stopping, failed; /* failed: go back to what is committed */
    bool answered;
    struct err answer;
    struct hub_outcome outcome;
};

/* ---- events ---- */

static bool kind_of(struct slice type, enum store_kind *out)
{
    static const struct {
        const char *name;
        enum store_kind kind;
    } kinds[] = {
        {"add", STORE_ADD}, {"expire", STORE_EXPIRE}, {"retract", STORE_RETRACT}, {"restrict", STORE_RESTRICT}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_eq(type, slice_of(kinds[i].name))) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

static struct slice text_of(struct arena *a, struct json data, const char *name)
{
    struct slice text = json_string(a, json_get(data, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
}

/* An object with line ends in it came as a string, any other as itself. */
static struct slice object_of(struct arena *a, struct json data)
{
    struct json object = json_get(data, SLICE("object"));

    return json_kind(object) == JSON_OBJECT ? json_raw(object) : text_of(a, data, "object_text");
}

static struct link_event *read_event(const struct http_event *e, struct err *err)
{
    struct link_event *l = mem_zero(1, sizeof *l);
    struct arena *a = &l->arena;
    struct buf signature = BUF_INIT;
    struct json data;

    if (!kind_of(e->type, &l->event.kind) ||
        json_parse(a, arena_copy(a, e->data), &json_limits_default, &data, err) != 0) {
        arena_free(a);
        free(l);
        return NULL;
    }
    l->cursor = arena_copy(a, e->id);
    l->event.id = text_of(a, data, "id");
    l->event.object = object_of(a, data);
    l->event.origin = text_of(a, data, "origin");
    l->event.path = text_of(a, data, "path");
    if (crypto_base64(text_of(a, data, "signature"), false, &signature))
        l->event.signature = arena_copy(a, buf_slice(&signature));
    buf_free(&signature);
    if (!time_parse(text_of(a, data, "first_event"), &l->event.first_event_us))
        l->event.first_event_us = 0;
    return l;
}

static void event_free(struct link_event *e)
{
    arena_free(&e->arena);
    free(e);
}

bool link_put(struct link *l, struct link_event *event)
{
    pthread_mutex_lock(&l->lock);
    while (l->n >= LINK_QUEUE && !l->stopping && !l->failed)
        pthread_cond_wait(&l->changed, &l->lock);
    bool over = l->stopping || l->failed;
    if (!over) {
        *l->end = event;
        l->end = &event->next;
        l->n++;
        buf_clear(&l->last);
        buf_put(&l->last, event->cursor);
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    if (over)
        event_free(event);
    return over;
}

static int on_event(void *arg, const struct http_event *e)
{
    struct link *l = arg;
    struct err err = ERR_INIT;
    struct link_event *event = read_event(e, &err);

    if (event == NULL) { /* a kind of a later version: passed over, but told */
        log_event("link_event_unknown", TEXT("partner", l->info.name), TEXT("type", e->type));
        return 0;
    }
    return link_put(l, event);
}

/* ---- the reader ---- */

/* false: stopping. */
bool link_pause(struct link *l, int64_t us)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += us / 1000000;
    until.tv_nsec += us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&l->lock);
    while (!l->stopping && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
        ;
    bool go_on = !l->stopping;
    pthread_mutex_unlock(&l->lock);
    return go_on;
}

static struct taxii_client_conf conf_of(const struct link *l)
{
    struct taxii_client_file file = {.url = l->info.url,
                                     .ca = l->info.ca,
                                     .pin = l->info.pin,
                                     .cert = l->info.cert,
                                     .key = l->info.key_pem,
                                     .user = l->info.user,
                                     .password = l->info.password,
                                     .root = l->info.root,
                                     .collection = l->info.collection};
    struct taxii_client_conf conf;

    taxii_client_conf_from(&file, &conf);
    conf.http.known_peer = true;
    conf.http.header = SLICE(TAXII_FOLLOWER_HEADER ": " LINK_FOLLOWER);
    return conf;
}

static int open_client(struct link *l, struct arena *a, struct taxii_client **client_out, struct err *err)
{
    struct taxii_client_conf conf = conf_of(l);
    struct json about;

    if (taxii_client_open(&conf, client_out, err) != 0)
        return -1;
    /* Asked first, so that a wrong password or collection is told as such. */
    struct slice path = arena_printf(a, "collections/" SLICE_FMT "/", SLICE_ARG(l->info.collection));
    if (taxii_get(*client_out, a, path, &about, err) == 0)
        return 0;
    taxii_client_close(client_out);
    return -1;
}

static bool set_client(struct link *l, struct taxii_client *client)
{
    pthread_mutex_lock(&l->lock);
    l->client = client;
    bool go_on = !l->stopping;
    pthread_mutex_unlock(&l->lock);
    return go_on;
}

/* After a failed submission what waits is dropped and read again from what is committed. */
static struct slice resume_from(struct link *l, struct arena *a)
{
    pthread_mutex_lock(&l->lock);
    if (l->failed) {
        while (l->first != NULL) {
            struct link_event *next = l->first->next;
            event_free(l->first);
            l->first = next;
        }
        l->end = &l->first;
        l->n = 0;
        buf_clear(&l->last);
        buf_put(&l->last, buf_slice(&l->committed));
        l->failed = false;
    }
    struct slice from = arena_copy(a, buf_slice(&l->last));
    pthread_mutex_unlock(&l->lock);
    return from;
}

/* One connection. Returns true when it stood for a while: then the next try comes soon. */
static bool follow_once(struct link *l)
{
    struct arena a = ARENA_INIT;
    struct taxii_client *client = NULL;
    struct err err = ERR_INIT;
    int64_t begun = time_steady_us();
    bool up = false;

    if (open_client(l, &a, &client, &err) == 0 && set_client(l, client)) {
        up = true;
        log_event("link_up", TEXT("partner", l->info.name));
        if (l->info.foreign)
            link_pull(l, client, &l->info, resume_from(l, &a), &err);
        else
            taxii_follow(client, resume_from(l, &a), LINK_SILENT_US, on_event, l, &err);
    }
    set_client(l, NULL);
    taxii_client_close(&client);
    if (err.code == ERR_NONE)
        err_set(&err, ERR_PEER, NULL, "the stream ended");
    log_event("link_down", TEXT("partner", l->info.name), ERROR_FIELD(&err));
    arena_free(&a);
    return up && time_steady_us() - begun > LINK_BACKOFF_MOST_US;
}

static void *reader_main(void *arg)
{
    struct link *l = arg;
    int64_t wait_us = LINK_BACKOFF_FIRST_US;
    bool go_on = true;

    while (go_on) {
        if (follow_once(l))
            wait_us = LINK_BACKOFF_FIRST_US;
        go_on = link_pause(l, wait_us / 2 + (int64_t)crypto_random_below((uint64_t)wait_us));
        wait_us = wait_us * 2 < LINK_BACKOFF_MOST_US ? wait_us * 2 : LINK_BACKOFF_MOST_US;
    }
    return NULL;
}

/* ---- the submitter ---- */

static void on_done(void *arg, const struct hub_outcome *o)
{
    struct link *l = arg;

    pthread_mutex_lock(&l->lock);
    l->answered = true;
    l->answer = o->err != NULL ? *o->err : (struct err)ERR_INIT;
    l->outcome = *o;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

/* Waits for events and takes what is there. 0: stopping. */
static size_t take_batch(struct link *l, struct link_event **batch, struct hub_event *events)
{
    size_t n = 0;

    pthread_mutex_lock(&l->lock);
    while (l->n == 0 && !l->stopping)
        pthread_cond_wait(&l->changed, &l->lock);
    while (l->first != NULL && n < LINK_BATCH && !l->stopping) {
        batch[n] = l->first;
        events[n++] = l->first->event;
        l->first = l->first->next;
        l->n--;
    }
    if (l->first == NULL)
        l->end = &l->first;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    return n;
}

static int submit_batch(struct link *l, const struct hub_event *events, size_t n, struct slice cursor, struct err *err)
{
    struct submission s = {.door = HUB_PARTNER,
                           .from = l->party,
                           .collection = l->info.into,
                           .events = events,
                           .n_events = n,
                           .cursor_name = l->info.name,
                           .cursor = cursor,
                           .received_us = time_now_us(),
                           .done = on_done,
                           .arg = l};

    l->answered = false;
    if (hub_submit(l->hub, &s, err) != 0)
        return -1;
    pthread_mutex_lock(&l->lock);
    while (!l->answered)
        pthread_cond_wait(&l->changed, &l->lock);
    int result = l->answer.code != ERR_NONE ? err_copy(err, &l->answer) : 0;
    if (result == 0) {
        buf_clear(&l->committed);
        buf_put(&l->committed, cursor);
    }
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < n && result == 0; i++)
        if (events[i].kind == STORE_RETRACT || events[i].kind == STORE_RESTRICT) {
            link_receipts_note(l->receipts, cursor, l->outcome.first_seq, l->outcome.last_seq);
            break;
        }
    return result;
}

static void fail_batch(struct link *l, const struct err *err)
{
    log_event("link_submission_failed", TEXT("partner", l->info.name), ERROR_FIELD(err));
    pthread_mutex_lock(&l->lock);
    l->failed = true;
    if (l->client != NULL)
        taxii_client_stop(l->client);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void *submitter_main(void *arg)
{
    struct link *l = arg;
    struct link_event *batch[LINK_BATCH];
    struct hub_event events[LINK_BATCH];
    size_t n;

    while ((n = take_batch(l, batch, events)) != 0) {
        struct err err = ERR_INIT;
        bool failed = false;
        pthread_mutex_lock(&l->lock);
        failed = l->failed;
        pthread_mutex_unlock(&l->lock);
        if (!failed && submit_batch(l, events, n, batch[n - 1]->cursor, &err) != 0)
            fail_batch(l, &err);
        else if (!failed)
            log_event("link_committed", TEXT("partner", l->info.name), NUM("objects", l->outcome.accepted),
                      NUM("unchanged", l->outcome.unchanged), NUM("held", l->outcome.held),
                      NUM("refused", l->outcome.refused), NUM("first_seq", l->outcome.first_seq),
                      NUM("last_seq", l->outcome.last_seq), NUM("envelope", l->outcome.envelope),
                      NUM("first_event_us", events[0].first_event_us));
        for (size_t i = 0; i < n; i++)
            event_free(batch[i]);
    }
    return NULL;
}

/* ---- start and stop ---- */

struct link *link_start(struct hub *h, const struct hub_link *info)
{
    struct link *l = mem_zero(1, sizeof *l);
    struct arena *a = &l->arena;

    l->hub = h;
    l->info = *info;
    l->info.name = arena_copy(a, info->name);
    l->info.hub_id = arena_copy(a, info->hub_id);
    l->info.url = arena_copy(a, info->url);
    l->info.ca = arena_copy(a, info->ca);
    l->info.pin = arena_copy(a, info->pin);
    l->info.cert = arena_copy(a, info->cert);
    l->info.key_pem = arena_copy(a, info->key_pem);
    l->info.user = arena_copy(a, info->user);
    l->info.password = arena_copy(a, info->password);
    l->info.root = arena_copy(a, info->root);
    l->info.collection = arena_copy(a, info->collection);
    l->info.into = arena_copy(a, info->into);
    l->party = hub_partner_party(h, info->name);
    l->end = &l->first;
    buf_put(&l->last, info->cursor);
    buf_put(&l->committed, info->cursor);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    if (l->party == NULL || pthread_create(&l->reader, NULL, reader_main, l) != 0) {
        hub_party_drop(&l->party);
        arena_free(a);
        free(l);
        return NULL;
    }
    struct taxii_client_conf conf = conf_of(l);
    l->receipts = link_receipts_start(h, &l->info, &conf);
    pthread_create(&l->submitter, NULL, submitter_main, l);
    return l;
}

bool link_is(const struct link *l, const struct hub_link *info)
{
    return slice_eq(l->info.name, info->name) && slice_eq(l->info.hub_id, info->hub_id) &&
           slice_eq(l->info.url, info->url) && slice_eq(l->info.ca, info->ca) && slice_eq(l->info.pin, info->pin) &&
           slice_eq(l->info.cert, info->cert) && slice_eq(l->info.key_pem, info->key_pem) &&
           slice_eq(l->info.user, info->user) && slice_eq(l->info.root, info->root) &&
           slice_eq(l->info.password, info->password) && slice_eq(l->info.collection, info->collection) &&
           slice_eq(l->info.into, info->into) && l->info.foreign == info->foreign && l->info.poll_us == info->poll_us;
}

void link_stop(struct link **link)
{
    struct link *l = *link;

    *link = NULL;
    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    if (l->client != NULL)
        taxii_client_stop(l->client);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->reader, NULL);
    pthread_join(l->submitter, NULL);
    link_receipts_stop(&l->receipts);
    while (l->first != NULL) {
        struct link_event *next = l->first->next;
        event_free(l->first);
        l->first = next;
    }
    hub_party_drop(&l->party);
    buf_free(&l->last);
    buf_free(&l->committed);
    arena_free(&l->arena);
    free(l);
}

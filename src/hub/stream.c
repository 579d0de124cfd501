/* hub/stream.c: followers: members' sensors and partner hubs that hold a stream open. A follower is two positions,
   recalls and content; recalls are read first. It is pulled, never pushed at: when the head moves, whoever is idle is
   read for by a worker; when its bytes have gone out, it is read for again, until nothing is left. */
#include "hub/internal.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    STREAM_RECALLS = 256, /* rows a pull */
    STREAM_CONTENT = 512,
    STREAM_BYTES = 256 * 1024, /* of objects a pull */
    STREAM_QUEUE = 4 * 1024 * 1024,
    STREAM_HEARTBEAT_S = 10,
    STREAM_NUMBERS = HUB_EVENT_NUMBERS
};

enum follower_state { FOLLOWER_IDLE, FOLLOWER_PULLING, FOLLOWER_SENDING };

struct follower {
    struct hub *hub;
    struct hub_party *party;
    struct http_stream *stream;
    char collection[36], name[TAXII_FOLLOWER_MAX + 1]; /* name: as it names itself, or "" */
    struct store_at recalls, content;
    uint64_t given; /* as its event id says */
    atomic_int state;
    atomic_uint owners; /* the list, and every task under way */
    atomic_bool closed;
    uint64_t seen; /* head of the last pull that found nothing */
    struct follower *next, **link;
};
struct hub_followers {
    pthread_mutex_t lock;
    pthread_cond_t gone;
    struct follower *first;
    size_t n;
    unsigned ticks;
};

struct hub_followers *hub_followers_new(struct hub *h)
{
    struct hub_followers *f = mem_zero(1, sizeof *f);

    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->gone, NULL);
    return f;
}

void hub_followers_free(struct hub_followers **f)
{
    free(*f);
    *f = NULL;
}

static void follower_drop(struct follower *f)
{
    if (atomic_fetch_sub(&f->owners, 1) != 1)
        return;
    if (f->stream != NULL)
        http_stream_release(f->stream);
    hub_party_drop(&f->party);
    free(f);
}

static void pull(struct hub_worker *w, void *arg);

static void queue_pull(struct follower *f)
{
    atomic_fetch_add(&f->owners, 1);
    if (hub_work(f->hub, (uint64_t)(uintptr_t)f >> 6, true, pull, f))
        return;
    http_stream_close(f->stream); /* it comes back with its last event id */
    follower_drop(f);
}

static void on_ready(void *arg, struct http_stream *s)
{
    struct follower *f = arg;
    int sending = FOLLOWER_SENDING;

    if (!atomic_load(&f->closed) && atomic_compare_exchange_strong(&f->state, &sending, FOLLOWER_PULLING))
        queue_pull(f);
}

static void on_closed(void *arg)
{
    struct follower *f = arg;
    struct hub_followers *all = f->hub->followers;

    atomic_store(&f->closed, true);
    hub_recipient_stream(f->hub, f->party->viewer, slice_n(f->collection, sizeof f->collection), slice_of(f->name), -1,
                         0);
    pthread_mutex_lock(&all->lock);
    if (f->link != NULL) {
        *f->link = f->next;
        if (f->next != NULL)
            f->next->link = f->link;
        f->link = NULL;
        all->n--;
    }
    pthread_cond_broadcast(&all->gone);
    pthread_mutex_unlock(&all->lock);
    follower_drop(f);
}

/* ---- events ---- */

static const char *event_name(enum store_kind kind)
{
    switch (kind) {
    case STORE_EXPIRE:
        return "expire";
    case STORE_RETRACT:
        return "retract";
    case STORE_RESTRICT:
        return "restrict";
    case STORE_ADD:
    case STORE_WIDEN:
        break;
    }
    return "add";
}

struct gathered_event {
    struct hub_seen seen;
    struct store_at at;
    uint8_t signature[CRYPTO_SIGNATURE];
};
struct pulling {
    struct follower *follower;
    struct hub_worker *worker;
    struct hub_view *view;
    const struct taxii_filter *types; /* that the member wants; NULL: all */
    struct gathered_event items[STREAM_CONTENT];
    size_t n;
    struct buf out;
    struct err *err;
};

static void put_event_id(struct pulling *p)
{
    const struct follower *f = p->follower;
    uint64_t numbers[STREAM_NUMBERS] = {
        f->recalls.seq,
        f->recalls.sub,
        f->recalls.rank,
        f->content.seq,
        f->content.sub,
        f->content.rank,
        hub_event_place(slice_n(f->collection, sizeof f->collection), f->party->viewer)};

    buf_put(&p->out, SLICE("id: "));
    hub_token_put(f->hub, "event", numbers, STREAM_NUMBERS, &p->out);
    buf_put_byte(&p->out, '\n');
}

static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    json_put_text(out, name, slice_n(text, sizeof text));
}

/* Line ends would be changed on the way (an event's data is split at them): such an object travels as a string. */
static void put_object(struct buf *out, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    if (memchr(bytes.ptr, '\n', bytes.len) == NULL && memchr(bytes.ptr, '\r', bytes.len) == NULL) {
        json_put_key(out, SLICE("object"));
        json_put_raw(out, bytes);
    } else {
        json_put_text(out, "object_text", bytes);
    }
}

static bool is_ours(const struct hub_seen *seen)
{
    return seen->row->source.len == 0;
}

/* A partner gets this hub's signature with what this hub issued, and can show it to others. One request for all. */
static int sign_events(struct pulling *p)
{
    struct arena *a = &p->worker->arena;
    struct slice *messages = arena_array(a, struct slice, p->n);
    uint8_t(*signatures)[CRYPTO_SIGNATURE] = arena_alloc(a, (p->n + 1) * sizeof *signatures);
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct hub_seen *seen = &p->items[i].seen;
        struct buf message = BUF_INIT;
        if (!is_ours(seen))
            continue;
        hub_event_message(p->view->hub->settings.id, seen->id, seen->row->kind, seen->bytes, &message);
        messages[n++] = arena_copy(a, buf_slice(&message));
        buf_free(&message);
    }
    if (n != 0 && keys_sign_all(p->worker->keys, KEYS_SIGN_EVENT, messages, n, signatures, p->err) != 0)
        return -1;
    for (size_t i = p->n; i > 0; i--)
        if (is_ours(&p->items[i - 1].seen))
            memcpy(p->items[i - 1].signature, signatures[--n], CRYPTO_SIGNATURE);
    return 0;
}

static void put_foreign_source(struct pulling *p, const struct hub_seen *seen)
{
    struct arena *a = &p->worker->arena;
    struct slice own_id = p->view->hub->settings.id;
    struct json source;

    if (json_parse(a, seen->row->source, &json_limits_default, &source, NULL) != 0)
        return;
    struct slice path = json_string(a, json_get(source, SLICE("path")));
    json_put_text(&p->out, "origin", json_string(a, json_get(source, SLICE("origin"))));
    json_put_text(&p->out, "path",
                  p->view->partner ? arena_printf(a, SLICE_FMT "," SLICE_FMT, SLICE_ARG(path), SLICE_ARG(own_id))
                                   : path);
    if (p->view->partner)
        json_put_text(&p->out, "signature", json_string(a, json_get(source, SLICE("signature"))));
}

static void put_source(struct pulling *p, const struct gathered_event *e)
{
    struct slice own_id = p->view->hub->settings.id;
    struct buf text = BUF_INIT;

    if (!is_ours(&e->seen)) {
        put_foreign_source(p, &e->seen);
        return;
    }
    json_put_text(&p->out, "origin", own_id);
    json_put_text(&p->out, "path", own_id);
    if (!p->view->partner)
        return;
    crypto_put_base64(&text, slice_n((const char *)e->signature, sizeof e->signature), false);
    json_put_text(&p->out, "signature", buf_slice(&text));
    buf_free(&text);
}

static void put_event(struct pulling *p, const struct gathered_event *e)
{
    const struct hub_seen *seen = &e->seen;

    put_event_id(p);
    buf_printf(&p->out, "event: %s\ndata: ", event_name(seen->row->kind));
    json_put_open(&p->out, '{');
    put_time(&p->out, "date_added", seen->row->added_us);
    json_put_text(&p->out, "id", seen->id);
    if (seen->row->first_event_us != 0)
        put_time(&p->out, "first_event", seen->row->first_event_us);
    put_time(&p->out, "sent", time_now_us());
    put_source(p, e);
    put_object(&p->out, seen->bytes);
    json_put_close(&p->out, '}');
    buf_put(&p->out, SLICE("\n\n"));
}

static int take_event(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    struct pulling *p = arg;

    p->items[p->n++] = (struct gathered_event){.seen = *seen, .at = *at};
    return 0;
}

static int pull_part(struct pulling *p, const struct hub_collection *c, enum store_part part, struct store_at *cursor,
                     uint32_t limit)
{
    /* Recalls come of every type: what is held was wanted once. */
    struct hub_view_ask ask = {.collection = c,
                               .types = part == STORE_CONTENT ? p->types : NULL,
                               .part = part,
                               .limit = limit,
                               .max_bytes = STREAM_BYTES};
    struct store_at after = *cursor, at;
    bool more;

    p->n = 0;
    if (hub_view_page(p->view, &ask, &after, take_event, p, &at, &more, p->err) != 0 ||
        (p->view->partner && sign_events(p) != 0))
        return -1;
    for (size_t i = 0; i < p->n; i++) {
        *cursor = p->items[i].at;
        put_event(p, &p->items[i]);
    }
    /* Nothing more up to the head that was read: what is denied in between need not be read again. */
    *cursor = more ? at : (struct store_at){p->view->upto, UINT64_MAX, 0};
    return 0;
}

static int pull_events(struct pulling *p)
{
    struct follower *f = p->follower;
    const struct hub_collection *c =
        hub_directory_collection(p->view->directory, slice_n(f->collection, sizeof f->collection));

    if (c == NULL)
        return err_set(p->err, ERR_NOT_FOUND, NULL, "the collection is gone");
    const struct hub_member *m = hub_directory_member_of(p->view->directory, p->view->viewer);
    if (!hub_member_may_read(m, c))
        return err_set(p->err, ERR_FORBIDDEN, NULL, "this credential may no longer read here");
    p->types = m != NULL ? &m->dialect.types : NULL;
    return pull_part(p, c, STORE_RECALLS, &f->recalls, STREAM_RECALLS) != 0 ||
                   pull_part(p, c, STORE_CONTENT, &f->content, STREAM_CONTENT) != 0
               ? -1
               : 0;
}

static void idle(struct follower *f, uint64_t upto)
{
    int expected = FOLLOWER_IDLE;

    f->seen = upto;
    atomic_store(&f->state, FOLLOWER_IDLE);
    if (atomic_load(&f->hub->head) != upto && atomic_compare_exchange_strong(&f->state, &expected, FOLLOWER_PULLING))
        queue_pull(f);
}

static void pull(struct hub_worker *w, void *arg)
{
    struct follower *f = arg;
    struct err err = ERR_INIT;
    struct hub_view v = {.upto = 0};
    struct pulling *p = arena_new(&w->arena, struct pulling);
    struct store_at recalls = f->recalls, content = f->content;
    int result;

    *p = (struct pulling){.follower = f, .worker = w, .view = &v, .err = &err};
    do { /* once, but where something of it is recalled at this moment */
        result = -1;
        buf_clear(&p->out);
        f->recalls = recalls;
        f->content = content;
        if (atomic_load(&f->closed) || hub_view_open(w, f->party, &v, &err) != 0)
            break;
        v.follower = slice_of(f->name);
        result = pull_events(p);
    } while (!hub_view_close(&v) && result == 0);
    uint64_t upto = v.upto;
    if (result != 0) {
        if (err.code != ERR_NONE)
            log_event("stream_closed", ERROR_FIELD(&err));
        http_stream_close(f->stream);
    } else if (p->out.len == 0) {
        idle(f, upto);
    } else {
        atomic_store(&f->state, FOLLOWER_SENDING);
        if (!http_stream_send(f->stream, buf_ref_take(&p->out)))
            http_stream_close(f->stream);
    }
    buf_free(&p->out);
    follower_drop(f);
}

/* ---- opening ---- */

static int first_position(struct hub_view *v, struct follower *f, struct slice last_event_id, int64_t added_after_us,
                          struct err *err)
{
    uint64_t n[STREAM_NUMBERS];

    if (last_event_id.len == 0) {
        if (added_after_us != INT64_MIN && hub_view_position(v, added_after_us, &f->content, err) != 0)
            return -1;
        f->recalls = f->content;
        return 0;
    }
    if (!hub_token_get(f->hub, "event", last_event_id, n, STREAM_NUMBERS) ||
        (n[6] != hub_event_place(slice_n(f->collection, sizeof f->collection), v->viewer) &&
         n[6] != hub_id_hash(slice_n(f->collection, sizeof f->collection)))) /* as versions before receipts gave them */
        return err_set(err, ERR_QUERY_FILTER, "Last-Event-ID",
                       "this is no event id that this hub gave for this collection");
    f->recalls = (struct store_at){n[0], n[1], n[2]};
    f->content = (struct store_at){n[3], n[4], n[5]};
    f->given = n[0] < n[3] ? n[3] : n[0];
    return 0;
}

struct opening {
    struct hub_party *party;
    struct taxii_reply *reply;
    struct slice last_event_id;
};

static void start_follower(struct follower *f, struct taxii_reply *reply)
{
    struct hub_followers *all = f->hub->followers;
    struct http_stream_events events = {f, on_ready, on_closed, &f->stream};
    struct buf hello = BUF_INIT;

    atomic_store(&f->state, FOLLOWER_SENDING); /* the hello below; then `ready` pulls */
    atomic_store(&f->owners, 2);
    pthread_mutex_lock(&all->lock);
    f->next = all->first;
    f->link = &all->first;
    if (f->next != NULL)
        f->next->link = &f->next;
    all->first = f;
    all->n++;
    pthread_mutex_unlock(&all->lock);
    hub_clients_note(f->hub, (struct taxii_who *)f->party,
                     &(struct taxii_answered){.head = taxii_reply_head(reply), .status = 200});
    http_stream_open(taxii_reply_stream(reply), SLICE("text/event-stream"), STREAM_QUEUE, &events);
    buf_put(&hello, SLICE("retry: 1000\n: tocsin\n\n"));
    if (!http_stream_send(f->stream, buf_ref_take(&hello)))
        http_stream_close(f->stream);
    follower_drop(f);
}

static void open_follower(struct hub_worker *w, void *arg)
{
    struct opening *o = arg;
    const struct taxii_want *want = taxii_reply_want(o->reply);
    struct err err = ERR_INIT;
    struct hub_view v;
    struct follower *f = mem_zero(1, sizeof *f);

    f->hub = w->hub;
    f->party = o->party;
    struct slice name = hub_follower_name(taxii_reply_head(o->reply));
    memcpy(f->name, name.ptr, name.len);
    int result = hub_view_open(w, o->party, &v, &err);
    if (result == 0) {
        const struct hub_collection *c = hub_directory_collection(v.directory, want->collection);
        if (c == NULL || c->id.len != sizeof f->collection) {
            result = err_set(&err, ERR_NOT_FOUND, NULL, "no such collection");
        } else if (!hub_member_may_read(hub_directory_member_of(v.directory, v.viewer), c)) {
            result = err_set(&err, ERR_FORBIDDEN, NULL, "this credential may not read this collection");
        } else {
            memcpy(f->collection, c->id.ptr, sizeof f->collection);
            result = first_position(&v, f, o->last_event_id, want->added_after_us, &err);
        }
        hub_view_close(&v);
    }
    if (result == 0) {
        hub_recipient_stream(w->hub, o->party->viewer, slice_n(f->collection, sizeof f->collection), slice_of(f->name),
                             1, f->given);
        start_follower(f, o->reply);
    } else {
        taxii_reply_error(o->reply, &err);
        hub_party_drop(&f->party);
        free(f);
    }
    free(o);
}

void hub_follow(void *hub, struct taxii_who *who, struct slice last_event_id, struct taxii_reply *reply)
{
    struct hub *h = hub;
    struct opening *o = mem_alloc(sizeof *o);
    struct err err;

    *o = (struct opening){hub_party_hold((struct hub_party *)who), reply, last_event_id};
    if (hub_work(h, o->party->owner + o->party->viewer, true, open_follower, o))
        return;
    hub_party_drop(&o->party);
    free(o);
    err_set(&err, ERR_BUSY, NULL, "");
    taxii_reply_error(reply, &err);
}

/* ---- the head moved, time passed, the end ---- */

void hub_followers_wake(struct hub *h)
{
    struct hub_followers *all = h->followers;

    pthread_mutex_lock(&all->lock);
    for (struct follower *f = all->first; f != NULL; f = f->next) {
        int state = FOLLOWER_IDLE;
        if (atomic_compare_exchange_strong(&f->state, &state, FOLLOWER_PULLING))
            queue_pull(f);
    }
    pthread_mutex_unlock(&all->lock);
}

/* Whose credential is changed or removed is closed at its next pull, which every change of the directory brings. A
   credential that expires brings none: its followers are pulled for here. */
static void end_expired(struct hub *h)
{
    struct hub_followers *all = h->followers;
    struct hub_directory *d = hub_directory_hold(h);

    pthread_mutex_lock(&all->lock);
    for (struct follower *f = all->first; f != NULL; f = f->next) {
        int state = FOLLOWER_IDLE;
        if (!hub_party_is_good(d, f->party) && atomic_compare_exchange_strong(&f->state, &state, FOLLOWER_PULLING))
            queue_pull(f);
    }
    pthread_mutex_unlock(&all->lock);
    hub_directory_drop(&d);
}

/* A comment now and then: a follower that hears nothing for long knows that the hub is gone, and a firewall between
 * keeps the connection. */
void hub_followers_tick(struct hub *h)
{
    struct hub_followers *all = h->followers;

    end_expired(h);
    if (++all->ticks % STREAM_HEARTBEAT_S != 0)
        return;
    struct buf_ref *beat = buf_ref_copy(SLICE(": beat\n\n"));
    pthread_mutex_lock(&all->lock);
    for (struct follower *f = all->first; f != NULL; f = f->next)
        if (atomic_load(&f->state) == FOLLOWER_IDLE)
            http_stream_send(f->stream, buf_ref_hold(beat));
    pthread_mutex_unlock(&all->lock);
    buf_ref_drop(&beat);
}

void hub_followers_stop(struct hub *h)
{
    struct hub_followers *all = h->followers;
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&all->lock);
    for (struct follower *f = all->first; f != NULL; f = f->next)
        if (f->stream != NULL) /* else it is being opened: the server that stops closes it */
            http_stream_close(f->stream);
    while (all->first != NULL && pthread_cond_timedwait(&all->gone, &all->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&all->lock);
}

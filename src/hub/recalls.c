/* hub/recalls.c: who has done what was recalled, for the operator; and as one count, for the hub it came from. Nobody
   is taken for done who has not said so under its signature (DESIGN.md invariant 10). */
#include "hub/internal.h"

#include <stdlib.h>

enum {
    RECALLS_LIMIT = 100, /* recalls told, where the question names no limit */
    RECALLS_LIMIT_MAX = 1000,
    RECALLS_TOLD = 5000,     /* recipients told one by one in an answer; all are counted */
    RECALLS_LOOKUPS = 200000 /* recipients looked at for an answer: some seconds */
};

enum recall_state { RECALL_CONFIRMED, RECALL_DELIVERED, RECALL_LAPSED, RECALL_CANNOT, RECALL_WAITING, RECALL_STATES };
static const char *const state_names[RECALL_STATES] = {"confirmed", "delivered", "lapsed", "cannot confirm", "waiting"};

struct standing { /* of one recipient, about one recall */
    enum recall_state state;
    int64_t at_us;      /* confirmed, delivered; lapsed: when its lease ended. 0: not known, or not yet */
    uint64_t done, of;  /* a hub's own recipients */
    int64_t counted_us; /* when it said so */
};
struct asking {
    struct hub *hub;
    struct hub_directory *directory;
    struct store_reader *reader;
    struct arena arena, scratch; /* scratch: of one recipient */
    uint64_t lookups, told;
    struct buf *out;
};

static int asking_open(struct asking *q, struct hub *h, struct err *err)
{
    *q = (struct asking){.hub = h, .reader = hub_reader_new(h, err)};
    if (q->reader == NULL)
        return -1;
    q->directory = hub_directory_hold(h);
    return 0;
}

static void asking_close(struct asking *q)
{
    hub_reader_free(&q->reader);
    hub_directory_drop(&q->directory);
    arena_free(&q->arena);
    arena_free(&q->scratch);
}

/* ---- one recipient, one recall ---- */

struct span_found {
    struct slice prefix;
    uint64_t seq;
    int64_t at_us; /* 0: not delivered */
};

static int take_span(void *arg, struct slice key, struct slice value)
{
    struct span_found *f = arg;
    uint64_t span[2];

    if (slice_starts(key, f->prefix) && value.len == sizeof span) {
        memcpy(span, value.ptr, sizeof span);
        f->at_us = span[0] < f->seq ? (int64_t)span[1] : 0;
    }
    return 1; /* the first that reaches so far is the one */
}

static int delivered_at(struct asking *q, struct slice recipient, uint64_t seq, int64_t *at_out, struct err *err)
{
    struct slice from = hub_receipt_key(&q->scratch, recipient, 'd', seq);
    struct span_found f = {.prefix = slice_to(from, from.len - 16), .seq = seq};
    int result = hub_receipts_scan(q->reader, from, take_span, &f, err);

    *at_out = f.at_us;
    return result;
}

/* A sensor's blocks end by themselves when it has not heard the hub for its lease; how long that is, it has signed. */
static bool has_lapsed(const struct hub_recipient *r, int64_t *at_out)
{
    *at_out = r->last_us + r->lease_us;
    return r->lease_us != 0 && r->streams == 0 && *at_out <= time_now_us();
}

static int stand_of(struct asking *q, uint32_t viewer, const struct hub_recipient *r, uint64_t seq,
                    struct standing *out, struct err *err)
{
    struct slice key = hub_recipient_key(&q->scratch, viewer, hub_recipient_collection(r), slice_of(r->follower));
    struct hub_receipt receipt;
    uint64_t upto;
    int64_t lapsed_us, at_us;
    int found = r->follower[0] != '\0' ? hub_receipt_find(q->reader, &q->scratch, key, seq, &receipt, &upto, err) : 0;

    q->lookups++;
    if (found == 1)
        *out = (struct standing){RECALL_CONFIRMED, receipt.at_us, receipt.done, receipt.of, receipt.counted_us};
    if (found != 0)
        return found > 0 ? 0 : -1;
    if (delivered_at(q, key, seq, &at_us, err) != 0)
        return -1;
    *out = (struct standing){at_us != 0 ? RECALL_DELIVERED : RECALL_WAITING, at_us, 0, 0, 0};
    if (r->follower[0] == '\0')
        out->state = RECALL_CANNOT;
    else if (has_lapsed(r, &lapsed_us))
        *out = (struct standing){RECALL_LAPSED, lapsed_us, 0, 0, 0};
    return 0;
}

/* ---- all recipients of a recall ---- */

/* May it hold what was recalled? As hub_may_hold() asks of its viewer. */
static bool may_hold(struct hub *h, const struct hub_recipient *r, uint64_t seq)
{
    uint64_t subject = hub_row_subject(&h->rows, seq);

    if (h->classes[h->rows.facts_class[seq]]->of_values)
        return r->given_seq != 0;
    return r->given_seq >= hub_row_first(&h->rows, subject != 0 ? subject : seq);
}

/* Those of the viewer that the recall concerns. Where it is not known which of them holds it, all do; one that was
   never seen stands for a viewer that read before this hub told its readers apart. */
static size_t concerned(struct asking *q, uint32_t viewer, struct slice collection, uint64_t seq,
                        struct hub_recipient **out)
{
    struct hub *h = q->hub;
    size_t all = hub_recipients_of(h, viewer, collection, &q->arena, out), n = 0, holding = 0;
    bool none = h->viewers[viewer]->read_before && all == 0 && !hub_is_recipient(h, viewer);

    for (size_t i = 0; i < all; i++)
        if ((*out)[i].since_seq < seq)
            (*out)[n++] = (*out)[i];
    for (size_t i = 0; i < n; i++)
        holding += may_hold(h, &(*out)[i], seq);
    if (holding != 0) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (may_hold(h, &(*out)[i], seq))
                (*out)[kept++] = (*out)[i];
        n = kept;
    }
    if (none) {
        *out = arena_new(&q->arena, struct hub_recipient);
        memcpy((*out)->collection, collection.ptr, sizeof(*out)->collection);
        n = 1;
    }
    return n;
}

static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    if (us == 0)
        return;
    time_put(text, us);
    json_put_text(out, name, slice_n(text, sizeof text));
}

static void put_standing(struct asking *q, uint32_t viewer, const struct hub_recipient *r, const struct standing *s)
{
    const struct hub_member *m = hub_directory_member_of(q->directory, viewer);
    const struct hub_partner *p = hub_directory_partner_of(q->directory, viewer);

    if (q->told++ >= RECALLS_TOLD)
        return;
    json_put_open(q->out, '{');
    json_put_text(q->out, "who",
                  m != NULL   ? m->name
                  : p != NULL ? p->name
                              : arena_printf(&q->scratch, "(left: %u)", viewer));
    json_put_text(q->out, "kind",
                  r->follower[0] == '\0' ? SLICE("client")
                  : p != NULL            ? SLICE("hub")
                                         : SLICE("sensor"));
    json_put_text(q->out, "follower", slice_of(r->follower));
    json_put_text(q->out, "state", slice_of(state_names[s->state]));
    put_time(q->out, s->state == RECALL_CANNOT ? "delivered" : "at", s->at_us);
    if (s->of != 0) {
        json_put_number(q->out, "done", (int64_t)s->done);
        json_put_number(q->out, "of", (int64_t)s->of);
        put_time(q->out, "counted", s->counted_us);
    }
    json_put_close(q->out, '}');
}

static int put_recipients(struct asking *q, uint64_t seq, struct slice reach, uint64_t counts[RECALL_STATES],
                          struct err *err)
{
    struct slice collection = hub_row_collection(q->hub, seq);
    uint32_t n_viewers = atomic_load(&q->hub->n_viewers);

    for (uint32_t v = 1; v < n_viewers && v / 8 < reach.len; v++) {
        struct hub_recipient *recipients;
        size_t n = hub_is_reached(reach, v) ? concerned(q, v, collection, seq, &recipients) : 0;
        for (size_t i = 0; i < n; i++) {
            struct standing s;
            if (stand_of(q, v, &recipients[i], seq, &s, err) != 0)
                return -1;
            counts[s.state]++;
            put_standing(q, v, &recipients[i], &s);
            arena_reset(&q->scratch);
        }
    }
    return 0;
}

static int put_recall(struct asking *q, const struct store_row *row, struct slice reach, struct err *err)
{
    const struct hub_collection *c = hub_directory_collection(q->directory, hub_row_collection(q->hub, row->seq));
    uint64_t counts[RECALL_STATES] = {0}, all = 0;

    json_put_open(q->out, '{');
    json_put_text(q->out, "id", row->id);
    json_put_text(q->out, "kind", row->kind == STORE_RETRACT ? SLICE("retract") : SLICE("restrict"));
    put_time(q->out, "at", row->added_us);
    json_put_text(q->out, "collection", c != NULL ? c->name : hub_row_collection(q->hub, row->seq));
    json_put_key(q->out, SLICE("recipients"));
    json_put_open(q->out, '[');
    if (put_recipients(q, row->seq, reach, counts, err) != 0)
        return -1;
    json_put_close(q->out, ']');
    json_put_key(q->out, SLICE("counts"));
    json_put_open(q->out, '{');
    for (size_t i = 0; i < RECALL_STATES; i++) {
        json_put_number(q->out, state_names[i], (int64_t)counts[i]);
        all += counts[i];
    }
    json_put_number(q->out, "all", (int64_t)all);
    json_put_close(q->out, '}');
    json_put_close(q->out, '}');
    return 0;
}

/* ---- the question ---- */

static int64_t number_or(struct json ask, const char *name, int64_t standard, int64_t most)
{
    int64_t value;

    if (!json_int(json_get(ask, slice_of(name)), &value) || value < 0)
        return standard;
    return value < most ? value : most;
}

/* A recall whose place another one took is told by that. */
static bool is_recall(const struct hub_rows *rows, uint64_t seq)
{
    return (rows->kind[seq] == STORE_RETRACT || rows->kind[seq] == STORE_RESTRICT) && !bits_has(&rows->superseded, seq);
}

static int put_list(struct asking *q, struct json ask, bool *more_out, struct err *err)
{
    struct slice id, reach;
    int64_t since_us = number_or(ask, "since_us", 0, INT64_MAX),
            left = number_or(ask, "limit", RECALLS_LIMIT, RECALLS_LIMIT_MAX);
    struct arena one = ARENA_INIT;
    struct store_row row;
    int result = 0;

    *more_out = false;
    for (uint64_t seq = atomic_load(&q->hub->head); seq > 0 && result == 0 && !*more_out; seq--) {
        if (!is_recall(&q->hub->rows, seq))
            continue;
        arena_reset(&one);
        arena_reset(&q->arena);
        id = json_string(&q->arena, json_get(ask, SLICE("id")));
        q->lookups++;
        if (hub_recall_read(q->reader, q->hub, seq, &one, &reach, &row, err) != 0) {
            result = err->code == ERR_NOT_FOUND ? 0 : -1; /* it reached nobody */
            continue;
        }
        if (row.added_us < since_us)
            break;
        if (id.len != 0 && !slice_eq(id, row.id))
            continue;
        *more_out = left-- == 0 || q->lookups >= RECALLS_LOOKUPS;
        if (!*more_out)
            result = put_recall(q, &row, reach, err);
    }
    arena_free(&one);
    return result;
}

int hub_put_recalls(struct hub *h, struct json ask, struct buf *out, struct err *err)
{
    struct asking q;
    bool more;

    if (asking_open(&q, h, err) != 0)
        return -1;
    q.out = out;
    json_put_open(out, '{');
    json_put_key(out, SLICE("recalls"));
    json_put_open(out, '[');
    int result = put_list(&q, ask, &more, err);
    json_put_close(out, ']');
    json_put_key(out, SLICE("more"));
    json_put_bool(out, more || q.told > RECALLS_TOLD);
    json_put_close(out, '}');
    asking_close(&q);
    return result;
}

/* ---- for the hub that it came from: a count, no names ---- */

static int last_of_each(struct asking *q, uint64_t first, uint64_t last, uint64_t *last_seq, uint32_t n_viewers,
                        struct err *err)
{
    struct store_row row;
    struct slice reach;

    for (uint64_t seq = first; seq <= last; seq++) {
        enum store_kind kind = q->hub->rows.kind[seq];
        if (kind != STORE_RETRACT && kind != STORE_RESTRICT)
            continue;
        if (hub_recall_read(q->reader, q->hub, seq, &q->scratch, &reach, &row, err) != 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
            reach = SLICE("");
        }
        for (uint32_t v = 1; v < n_viewers && v / 8 < reach.len; v++)
            if (hub_is_reached(reach, v))
                last_seq[v] = seq;
        arena_reset(&q->scratch);
    }
    return 0;
}

/* Whoever confirmed the last one that it was told of has confirmed them all. */
int hub_recalls_count(struct hub *h, uint64_t first, uint64_t last, int64_t *done_out, int64_t *of_out, struct err *err)
{
    uint32_t n_viewers = atomic_load(&h->n_viewers);
    struct asking q;

    *done_out = *of_out = 0;
    if (asking_open(&q, h, err) != 0)
        return -1;
    uint64_t *last_seq = mem_zero(n_viewers, sizeof *last_seq);
    int result = last_of_each(&q, first, last, last_seq, n_viewers, err);
    for (uint32_t v = 1; v < n_viewers && result == 0; v++) {
        struct hub_recipient *recipients;
        uint64_t seq = last_seq[v];
        size_t n = seq != 0 ? concerned(&q, v, hub_row_collection(h, seq), seq, &recipients) : 0;
        for (size_t i = 0; i < n && result == 0; i++) {
            struct standing s;
            result = stand_of(&q, v, &recipients[i], seq, &s, err);
            *of_out += 1;
            *done_out += result == 0 && s.state == RECALL_CONFIRMED;
        }
        arena_reset(&q.scratch);
    }
    free(last_seq);
    asking_close(&q);
    return result;
}

/* ---- signing: only workers have a channel to the keys process ---- */

struct signing {
    struct slice message;
    uint8_t *signature;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    int result;
    struct err err;
};

static void run_sign(struct hub_worker *w, void *arg)
{
    struct signing *s = arg;
    int result = keys_sign(w->keys, KEYS_SIGN_RECEIPT, s->message, s->signature, &s->err);

    pthread_mutex_lock(&s->lock);
    s->result = result;
    s->done = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

int hub_sign_receipt(struct hub *h, struct slice message, uint8_t signature_out[CRYPTO_SIGNATURE], struct err *err)
{
    struct signing s = {message, signature_out, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false,
                        0,       ERR_INIT};

    if (!hub_work(h, 0, true, run_sign, &s))
        return err_set(err, ERR_BUSY, NULL, "");
    pthread_mutex_lock(&s.lock);
    while (!s.done)
        pthread_cond_wait(&s.changed, &s.lock);
    pthread_mutex_unlock(&s.lock);
    return s.result == 0 ? 0 : err_copy(err, &s.err);
}

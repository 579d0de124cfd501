/* sensor/enforce.c: what is blocked. An entry is a value; the indicators that carry it are its offers. It is blocked
   while one of them may block, no brake holds it and the hub was heard within the lease; the ceilings let entries in
   one after the other. */
#include "sensor/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

enum { WRITE_EVERY_US = 50000, RELEASED_EVERY_US = 100000, WAITING_EVERY_US = 1000000 };

static const int64_t minute_us = 60 * 1000000;

enum entry_state { ENTRY_IDLE, ENTRY_WAITING, ENTRY_BLOCKED };

struct offer {
    uint64_t indicator;
    uint32_t source;
    bool may_block, released, loaded_before;
    int64_t since_us, until_us;
};

struct block {
    enum stix_value_kind kind;
    enum entry_state state;
    struct slice value; /* owned; NULL: a free place */
    const char *brake;  /* why it is never blocked; NULL: it may be */
    uint32_t source;    /* of its first offer: named in events */
    struct offer *offers;
    size_t n_offers;
};

struct told { /* an event that waits until the files say so too */
    bool blocked;
    enum stix_value_kind kind;
    uint32_t source;
    struct slice value; /* owned */
};

struct enforce {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* dirty */
    struct arena arena;     /* of the settings and the names of sources */
    struct enforce_conf conf;
    struct brakes *brakes;
    struct block *blocks;
    size_t n_blocks, room;
    uint32_t *free;
    size_t n_free, free_room;
    struct map map;
    struct slice *sources;
    size_t n_sources;
    struct enforce_counts counts;
    int64_t contact_us;
    bool lapsed;
    int64_t window_us; /* the minute that n_new counts */
    int64_t n_new;
    bool ceiling_told;
    int64_t waiting_us;
    struct released released;
    struct stat released_stat;
    int64_t released_us;
    /* writing: one thread */
    bool dirty;
    uint64_t changes, written;  /* decided so far; of those, in the files */
    int64_t write_us, renew_us; /* not before; at the latest */
    uint64_t serial;
    struct told *told;
    size_t n_told, told_room;
};

static struct slice block_text(const void *owner, uint32_t value, uint8_t *tag_out)
{
    const struct enforce *e = owner;

    *tag_out = (uint8_t)e->blocks[value].kind;
    return e->blocks[value].value;
}

static struct slice copy(struct slice s)
{
    return slice_n(mem_copy(s), s.len);
}

static void drop(struct slice *s)
{
    free((char *)(uintptr_t)s->ptr);
    *s = (struct slice){NULL, 0};
}

/* ---- sources ---- */

static uint32_t source_number(struct enforce *e, struct slice source)
{
    for (uint32_t i = 0; i < e->n_sources; i++)
        if (slice_eq(e->sources[i], source))
            return i;
    e->sources = mem_grow(e->sources, (e->n_sources + 1) * sizeof *e->sources);
    e->sources[e->n_sources] = arena_copy(&e->arena, source);
    return (uint32_t)e->n_sources++;
}

static bool source_may_block(const struct enforce *e, struct slice source)
{
    for (size_t i = 0; i < e->conf.n_sources; i++)
        if (slice_eq(e->conf.sources[i], source))
            return true;
    return e->conf.n_sources == 0;
}

/* ---- deciding ---- */

static void tell(struct enforce *e, const struct block *b, bool blocked)
{
    bool loaded_before = b->n_offers != 0;

    for (size_t i = 0; i < b->n_offers; i++)
        loaded_before = loaded_before && b->offers[i].loaded_before;
    if (e->conf.quiet || (blocked && loaded_before))
        return; /* was told when it was new; a start says how many */
    if (e->n_told == e->told_room) {
        e->told_room = 2 * e->told_room + 64;
        e->told = mem_grow(e->told, e->told_room * sizeof *e->told);
    }
    e->told[e->n_told++] = (struct told){blocked, b->kind, b->source, copy(b->value)};
}

static void set_state(struct enforce *e, struct block *b, enum entry_state state)
{
    if (b->state == state)
        return;
    e->counts.waiting -= b->state == ENTRY_WAITING;
    e->counts.waiting += state == ENTRY_WAITING;
    if (b->state == ENTRY_BLOCKED || state == ENTRY_BLOCKED) {
        e->dirty = true;
        e->changes++;
        pthread_cond_signal(&e->changed);
        e->counts.blocked += state == ENTRY_BLOCKED ? 1 : (uint64_t)-1;
        tell(e, b, state == ENTRY_BLOCKED);
    }
    b->state = state;
}

static bool offer_holds(const struct offer *o, int64_t now_us)
{
    return o->may_block && !o->released && (o->until_us == 0 || o->until_us > now_us);
}

static bool wants(const struct enforce *e, const struct block *b, int64_t now_us, bool *is_new_out)
{
    bool found = false;

    *is_new_out = true;
    if (!e->conf.block || e->lapsed || b->brake != NULL)
        return false;
    for (size_t i = 0; i < b->n_offers; i++)
        if (offer_holds(&b->offers[i], now_us)) {
            found = true;
            *is_new_out = *is_new_out && !b->offers[i].loaded_before;
        }
    return found;
}

/* Room under both ceilings; the first refusal of a minute is told. */
static bool has_room(struct enforce *e, bool is_new, int64_t now_us)
{
    if (now_us - e->window_us >= minute_us || now_us < e->window_us) {
        e->window_us = now_us;
        e->n_new = 0;
        e->ceiling_told = false;
    }
    bool full = e->counts.blocked >= (uint64_t)e->conf.max_entries;
    if (!full && (!is_new || e->n_new < e->conf.max_new_per_minute))
        return true;
    if (!e->ceiling_told && !e->conf.quiet)
        log_event("ceiling_reached", TEXT("ceiling", full ? SLICE("max_entries") : SLICE("max_new_per_minute")),
                  NUM("blocked", e->counts.blocked));
    e->ceiling_told = true;
    return false;
}

static void decide(struct enforce *e, struct block *b, int64_t now_us)
{
    bool is_new;

    if (!wants(e, b, now_us, &is_new)) {
        set_state(e, b, ENTRY_IDLE);
    } else if (b->state != ENTRY_BLOCKED) {
        bool room = has_room(e, is_new, now_us);
        e->n_new += room && is_new;
        set_state(e, b, room ? ENTRY_BLOCKED : ENTRY_WAITING);
    }
}

static void decide_all(struct enforce *e, int64_t now_us)
{
    for (size_t i = 0; i < e->n_blocks; i++)
        if (e->blocks[i].value.ptr != NULL)
            decide(e, &e->blocks[i], now_us);
}

/* ---- offers ---- */

static struct block *block_new(struct enforce *e, const struct enforce_offer *o, uint32_t source)
{
    uint32_t at;

    if (e->n_free != 0) {
        at = e->free[--e->n_free];
    } else {
        if (e->n_blocks == e->room) {
            e->room = 2 * e->room + 256;
            e->blocks = mem_grow(e->blocks, e->room * sizeof *e->blocks);
        }
        at = (uint32_t)e->n_blocks++;
    }
    e->blocks[at] = (struct block){.kind = o->kind,
                                   .value = copy(o->value),
                                   .brake = brakes_reason(e->brakes, o->kind, o->value),
                                   .source = source};
    map_put(&e->map, (uint8_t)o->kind, o->value, at);
    e->counts.held += e->blocks[at].brake != NULL;
    if (e->blocks[at].brake != NULL && e->conf.block && !e->conf.quiet && !o->loaded_before)
        log_event("never_blocked", TEXT("value", o->value), TEXT("kind", stix_value_kind_name(o->kind)),
                  TEXT("reason", slice_of(e->blocks[at].brake)));
    return &e->blocks[at];
}

static void block_free(struct enforce *e, uint32_t at)
{
    struct block *b = &e->blocks[at];

    map_remove(&e->map, (uint8_t)b->kind, b->value, block_text, e);
    e->counts.held -= b->brake != NULL;
    free(b->offers);
    drop(&b->value);
    if (e->n_free == e->free_room) {
        e->free_room = 2 * e->free_room + 64;
        e->free = mem_grow(e->free, e->free_room * sizeof *e->free);
    }
    e->free[e->n_free++] = at;
}

static struct offer *offer_find(struct block *b, uint64_t indicator)
{
    for (size_t i = 0; i < b->n_offers; i++)
        if (b->offers[i].indicator == indicator)
            return &b->offers[i];
    return NULL;
}

void enforce_offer(struct enforce *e, const struct enforce_offer *o, int64_t now_us)
{
    uint32_t at;

    pthread_mutex_lock(&e->lock);
    uint32_t source = source_number(e, o->source);
    struct block *b =
        map_find(&e->map, (uint8_t)o->kind, o->value, block_text, e, &at) ? &e->blocks[at] : block_new(e, o, source);
    struct offer *offer = offer_find(b, o->indicator);
    if (offer == NULL) {
        b->offers = mem_grow(b->offers, (b->n_offers + 1) * sizeof *b->offers);
        offer = &b->offers[b->n_offers++];
    }
    *offer = (struct offer){
        .indicator = o->indicator,
        .source = source,
        .may_block =
            source_may_block(e, o->source) && (e->conf.min_confidence <= 0 || o->confidence >= e->conf.min_confidence),
        .released = released_has(&e->released, o->kind, o->value, o->source),
        .loaded_before = o->loaded_before,
        .since_us = o->since_us,
        .until_us = o->until_us,
    };
    if (b->n_offers == 1)
        b->source = source; /* a page does not say whose it is, the stream does */
    if (b->state == ENTRY_BLOCKED)
        e->dirty = true; /* its end may have moved */
    decide(e, b, now_us);
    pthread_mutex_unlock(&e->lock);
}

void enforce_withdraw(struct enforce *e, uint64_t indicator, enum stix_value_kind kind, struct slice value,
                      int64_t now_us)
{
    uint32_t at;

    pthread_mutex_lock(&e->lock);
    if (map_find(&e->map, (uint8_t)kind, value, block_text, e, &at)) {
        struct block *b = &e->blocks[at];
        struct offer *offer = offer_find(b, indicator);
        if (offer != NULL)
            *offer = b->offers[--b->n_offers];
        decide(e, b, now_us);
        if (b->n_offers == 0)
            block_free(e, at);
    }
    pthread_mutex_unlock(&e->lock);
}

/* ---- time ---- */

void enforce_contact(struct enforce *e, int64_t heard_us)
{
    pthread_mutex_lock(&e->lock);
    if (heard_us > e->contact_us)
        e->contact_us = heard_us;
    pthread_mutex_unlock(&e->lock);
}

static void read_released(struct enforce *e, int64_t now_us)
{
    struct err err = ERR_INIT;
    struct stat now = {.st_size = 0};

    if (e->conf.released.len == 0 || (now_us < e->released_us && e->released_us - now_us <= RELEASED_EVERY_US))
        return;
    e->released_us = now_us + RELEASED_EVERY_US;
    if (stat(e->conf.released.ptr, &now) != 0)
        memset(&now, 0, sizeof now);
    if (now.st_ino == e->released_stat.st_ino && now.st_size == e->released_stat.st_size &&
        now.st_mtim.tv_sec == e->released_stat.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == e->released_stat.st_mtim.tv_nsec)
        return;
    e->released_stat = now;
    if (released_read(&e->released, e->conf.released, &err) != 0)
        log_event("released_not_read", ERROR_FIELD(&err));
    for (size_t i = 0; i < e->n_blocks; i++) {
        struct block *b = &e->blocks[i];
        for (size_t k = 0; b->value.ptr != NULL && k < b->n_offers; k++)
            b->offers[k].released = released_has(&e->released, b->kind, b->value, e->sources[b->offers[k].source]);
    }
    decide_all(e, now_us);
}

static void check_lease(struct enforce *e, int64_t now_us)
{
    bool lapsed = now_us >= e->contact_us + e->conf.lease_us;

    if (lapsed == e->lapsed)
        return;
    e->lapsed = lapsed;
    if (e->conf.block && !e->conf.quiet)
        log_event(lapsed ? "leases_lapsed" : "leases_renewed", NUM("blocked", e->counts.blocked));
    decide_all(e, now_us);
}

void enforce_tick(struct enforce *e, int64_t now_us)
{
    pthread_mutex_lock(&e->lock);
    check_lease(e, now_us);
    read_released(e, now_us);
    if (now_us >= e->waiting_us || e->waiting_us - now_us > WAITING_EVERY_US) {
        e->waiting_us = now_us + WAITING_EVERY_US;
        decide_all(e, now_us);
    }
    pthread_mutex_unlock(&e->lock);
}

/* ---- files ---- */

/* The latest end of the offers that hold it, cut at the lease. */
static int64_t block_until(const struct enforce *e, const struct block *b, int64_t now_us)
{
    int64_t lease_us = e->contact_us + e->conf.lease_us, until_us = 0;

    for (size_t i = 0; i < b->n_offers; i++) {
        if (!offer_holds(&b->offers[i], now_us))
            continue;
        if (b->offers[i].until_us == 0)
            return lease_us;
        if (b->offers[i].until_us > until_us)
            until_us = b->offers[i].until_us;
    }
    return until_us < lease_us ? until_us : lease_us;
}

struct writing {
    struct buf nft, list;
    struct told *told;
    size_t n_told, told_room;
};

static void put_files(struct enforce *e, int64_t now_us, struct writing *w)
{
    struct feed_entry *entries = mem_alloc((e->counts.blocked + 1) * sizeof *entries);
    struct feed_head head = {e->conf.hub, ++e->serial, now_us, e->contact_us + e->conf.lease_us};
    size_t n = 0;

    for (size_t i = 0; i < e->n_blocks; i++) {
        const struct block *b = &e->blocks[i];
        if (b->value.ptr != NULL && b->state == ENTRY_BLOCKED)
            entries[n++] =
                (struct feed_entry){b->kind, b->value, block_until(e, b, now_us), e->sources[b->offers[0].source]};
    }
    assert(n == e->counts.blocked);
    if (e->conf.export_nft.len != 0)
        feed_format_find(SLICE("nft"))->write(&w->nft, &head, entries, n);
    if (e->conf.export_list.len != 0)
        feed_format_find(SLICE("list"))->write(&w->list, &head, entries, n);
    free(entries);
}

static void tell_all(struct enforce *e, struct writing *w)
{
    for (size_t i = 0; i < w->n_told; i++) {
        struct told *t = &w->told[i];
        pthread_mutex_lock(&e->lock);
        struct slice source = e->sources[t->source];
        pthread_mutex_unlock(&e->lock);
        log_event(t->blocked ? "blocked" : "unblocked", TEXT("value", t->value),
                  TEXT("kind", stix_value_kind_name(t->kind)), TEXT("source", source));
        drop(&t->value);
    }
    free(w->told);
}

static bool is_due(const struct enforce *e, int64_t now_us, bool now)
{
    if (now || now_us < e->write_us - minute_us) /* or the clock was set back */
        return true;
    return now_us >= e->write_us && (e->dirty || now_us >= e->renew_us);
}

static int write_files(struct enforce *e, struct writing *w, struct err *err)
{
    if (e->conf.export_nft.len != 0 && file_write_atomic(e->conf.export_nft.ptr, buf_slice(&w->nft), 0644, err) != 0)
        return -1;
    if (e->conf.export_list.len != 0 && file_write_atomic(e->conf.export_list.ptr, buf_slice(&w->list), 0644, err) != 0)
        return -1;
    return 0;
}

int enforce_write(struct enforce *e, int64_t now_us, bool now, struct err *err)
{
    struct writing w = {.n_told = 0};
    int64_t start_us = time_steady_us();

    pthread_mutex_lock(&e->lock);
    if (!is_due(e, now_us, now)) {
        pthread_mutex_unlock(&e->lock);
        return 0;
    }
    put_files(e, now_us, &w);
    uint64_t changes = e->changes;
    w.told = e->told;
    w.n_told = e->n_told;
    e->told = NULL;
    e->n_told = e->told_room = 0;
    e->dirty = false;
    pthread_mutex_unlock(&e->lock);

    int result = write_files(e, &w, err);
    tell_all(e, &w);
    buf_free(&w.nft);
    buf_free(&w.list);
    int64_t took_us = time_steady_us() - start_us;
    pthread_mutex_lock(&e->lock);
    e->dirty = e->dirty || result != 0;
    e->written = result == 0 ? changes : e->written;
    e->write_us = now_us + took_us + (took_us > WRITE_EVERY_US ? took_us : WRITE_EVERY_US);
    e->renew_us = now_us + e->conf.lease_us / 4;
    pthread_mutex_unlock(&e->lock);
    return result;
}

uint64_t enforce_changes(struct enforce *e)
{
    pthread_mutex_lock(&e->lock);
    uint64_t changes = e->changes;
    pthread_mutex_unlock(&e->lock);
    return changes;
}

bool enforce_has_written(struct enforce *e, uint64_t changes)
{
    pthread_mutex_lock(&e->lock);
    bool written = e->written >= changes;
    pthread_mutex_unlock(&e->lock);
    return written;
}

void enforce_wait(struct enforce *e, int64_t most_us)
{
    struct timespec until;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += most_us / 1000000;
    until.tv_nsec += most_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&e->lock);
    while (!e->dirty && result == 0)
        result = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    pthread_mutex_unlock(&e->lock);
}

void enforce_counts(struct enforce *e, struct enforce_counts *out)
{
    pthread_mutex_lock(&e->lock);
    *out = e->counts;
    pthread_mutex_unlock(&e->lock);
}

/* ---- release ---- */

int enforce_release(struct enforce *e, struct slice source, int64_t since_us, int64_t now_us, uint64_t *released_out,
                    struct err *err)
{
    struct buf lines = BUF_INIT;

    *released_out = 0;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < e->n_blocks; i++) {
        const struct block *b = &e->blocks[i];
        bool found = false;
        for (size_t k = 0; b->value.ptr != NULL && b->state != ENTRY_IDLE && k < b->n_offers; k++) {
            const struct offer *o = &b->offers[k];
            struct slice from = e->sources[o->source];
            if (!offer_holds(o, now_us) || o->since_us < since_us || (source.len != 0 && !slice_eq(source, from)))
                continue;
            buf_printf(&lines, SLICE_FMT "\t" SLICE_FMT "\t" SLICE_FMT "\n", SLICE_ARG(stix_value_kind_name(b->kind)),
                       SLICE_ARG(b->value), SLICE_ARG(from));
            found = true;
        }
        *released_out += found;
    }
    pthread_mutex_unlock(&e->lock);
    int result = lines.len != 0 ? released_append(e->conf.released, buf_slice(&lines), err) : 0;
    buf_free(&lines);
    if (result == 0) {
        pthread_mutex_lock(&e->lock);
        e->released_us = 0;
        read_released(e, now_us);
        pthread_mutex_unlock(&e->lock);
    }
    return result;
}

/* ---- opening ---- */

static void copy_conf(struct enforce *e, const struct enforce_conf *conf)
{
    struct slice *sources = arena_array(&e->arena, struct slice, conf->n_sources + 1);

    e->conf = *conf;
    for (size_t i = 0; i < conf->n_sources; i++)
        sources[i] = arena_copy(&e->arena, conf->sources[i]);
    e->conf.sources = sources;
    e->conf.hub = arena_copy(&e->arena, conf->hub);
    e->conf.export_nft = arena_copy(&e->arena, conf->export_nft);
    e->conf.export_list = arena_copy(&e->arena, conf->export_list);
    e->conf.released = arena_copy(&e->arena, conf->released);
}

int enforce_open(const struct enforce_conf *conf, struct brakes *brakes, int64_t heard_us, int64_t now_us,
                 struct enforce **enforce_out, struct err *err)
{
    struct enforce *e = mem_zero(1, sizeof *e);

    pthread_condattr_t attr;

    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->changed, &attr);
    pthread_condattr_destroy(&attr);
    copy_conf(e, conf);
    e->brakes = brakes;
    map_open(&e->map);
    e->contact_us = heard_us;
    e->window_us = now_us;
    e->serial = (uint64_t)now_us / 1000; /* rises over restarts: there are fewer than a thousand writes a second */
    e->dirty = true;
    e->changes = 1; /* what the files say is of another run */
    if (stat(e->conf.released.ptr, &e->released_stat) != 0)
        memset(&e->released_stat, 0, sizeof e->released_stat);
    if (released_read(&e->released, e->conf.released, err) != 0) {
        enforce_close(&e);
        return -1;
    }
    *enforce_out = e;
    return 0;
}

void enforce_close(struct enforce **e)
{
    struct enforce *gone = *e;

    *e = NULL;
    if (gone == NULL)
        return;
    for (size_t i = 0; i < gone->n_blocks; i++) {
        if (gone->blocks[i].value.ptr == NULL)
            continue;
        drop(&gone->blocks[i].value);
        free(gone->blocks[i].offers);
    }
    for (size_t i = 0; i < gone->n_told; i++)
        drop(&gone->told[i].value);
    released_close(&gone->released);
    map_close(&gone->map);
    free(gone->told);
    free(gone->blocks);
    free(gone->free);
    free(gone->sources);
    arena_free(&gone->arena);
    pthread_cond_destroy(&gone->changed);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
}

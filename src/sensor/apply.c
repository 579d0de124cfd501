/* sensor/apply.c: what the hub says, into the live set, the index and the blocks.

   The order of things. A stream has two cursors, recalls before content, so the recall of an object may come before the
   object. Each event carries date_added, which grows with every publication of a hub: about one id the greatest
   date_added counts. What is gone stays as a tombstone with it. */
#include "sensor/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"

enum { FLUSH_EVERY_US = 100000, HEARD_EVERY_US = 10 * 1000000, ID_MAX = 200, ORIGIN_MAX = 200 };

struct ending { /* a valid_until; of an older version when the item says another time now */
    int64_t until_us;
    uint64_t number;
};

struct apply {
    pthread_mutex_t lock;
    struct live *live;
    struct match_index *index;
    struct enforce *enforce;
    struct arena arena;     /* of one event */
    struct ending *endings; /* a heap, the earliest on top */
    size_t n_endings, endings_room;
    size_t n_live;
    struct bits listed; /* by the snapshot now taken */
    int64_t flushed_us, heard_us;
    bool flush_failed;
    bool recalled, told; /* since the last apply_recalled(); one was told in this run */
};

struct apply *apply_new(struct live *live, struct match_index *index, struct enforce *enforce)
{
    struct apply *a = mem_zero(1, sizeof *a);

    pthread_mutex_init(&a->lock, NULL);
    a->live = live;
    a->index = index;
    a->enforce = enforce;
    return a;
}

void apply_free(struct apply **apply)
{
    struct apply *a = *apply;

    *apply = NULL;
    if (a == NULL)
        return;
    arena_free(&a->arena);
    bits_free(&a->listed);
    free(a->endings);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* ---- endings ---- */

static void ending_put(struct apply *a, int64_t until_us, uint64_t number)
{
    size_t at = a->n_endings++;

    if (a->n_endings > a->endings_room) {
        a->endings_room = 2 * a->endings_room + 256;
        a->endings = mem_grow(a->endings, a->endings_room * sizeof *a->endings);
    }
    for (; at > 0 && a->endings[(at - 1) / 2].until_us > until_us; at = (at - 1) / 2)
        a->endings[at] = a->endings[(at - 1) / 2];
    a->endings[at] = (struct ending){until_us, number};
}

static struct ending ending_take(struct apply *a)
{
    struct ending top = a->endings[0], last = a->endings[--a->n_endings];
    size_t at = 0, below;

    while ((below = 2 * at + 1) < a->n_endings) {
        if (below + 1 < a->n_endings && a->endings[below + 1].until_us < a->endings[below].until_us)
            below++;
        if (a->endings[below].until_us >= last.until_us)
            break;
        a->endings[at] = a->endings[below];
        at = below;
    }
    a->endings[at] = last;
    return top;
}

/* ---- one item into index and blocks ---- */

static bool has_value(const struct live_item *item, const struct live_value *v)
{
    for (uint32_t i = 0; i < item->n_values; i++)
        if (item->values[i].kind == v->kind && slice_eq(item->values[i].value, v->value))
            return true;
    return false;
}

static void offer(struct apply *a, uint64_t number, const struct live_item *item, bool loaded_before, int64_t now_us)
{
    for (uint32_t i = 0; i < item->n_values; i++) {
        struct enforce_offer o = {number,          item->values[i].kind, item->values[i].value, item->origin,
                                  item->loaded_us, item->until_us,       item->confidence,      loaded_before};
        enforce_offer(a->enforce, &o, now_us);
    }
}

/* Blocks first: what must stop, stops before anything else is done. */
static void withdraw(struct apply *a, uint64_t number, const struct live_item *old, const struct live_item *new,
                     int64_t now_us)
{
    for (uint32_t i = 0; i < old->n_values; i++)
        if (!has_value(new, &old->values[i]))
            enforce_withdraw(a->enforce, number, old->values[i].kind, old->values[i].value, now_us);
    for (uint32_t i = 0; i < old->n_values; i++)
        if (!has_value(new, &old->values[i]))
            match_index_remove(a->index, number, old->values[i].kind, old->values[i].value);
}

/* Keeps of the new values those that the index takes. */
static void index_values(struct apply *a, uint64_t number, struct live_item *item)
{
    struct err err = ERR_INIT;
    uint32_t n = 0;

    for (uint32_t i = 0; i < item->n_values; i++) {
        if (match_index_add(a->index, number, item->values[i].kind, item->values[i].value, &err) == 0)
            item->values[n++] = item->values[i];
        else if (err.code != ERR_PATTERN_UNSUPPORTED)
            log_event("value_not_indexed", TEXT("id", item->id), ERROR_FIELD(&err));
    }
    item->n_values = n;
}

static const struct live_item nothing = {.n_values = 0};

static void item_gone(struct apply *a, struct live_item *tombstone, const char *why, int64_t now_us)
{
    uint64_t number;
    bool was_live = false;

    tombstone->n_values = 0;
    if (live_find(a->live, tombstone->id, &number)) {
        const struct live_item *old = live_at(a->live, number);
        was_live = old->n_values != 0;
        if (tombstone->modified_us < old->modified_us)
            tombstone->modified_us = old->modified_us;
        if (tombstone->added_us < old->added_us)
            tombstone->added_us = old->added_us;
        withdraw(a, number, old, &nothing, now_us);
    }
    live_set(a->live, tombstone);
    if (!was_live)
        return;
    a->n_live--;
    log_event("indicator_gone", TEXT("id", tombstone->id), TEXT("reason", slice_of(why)));
}

struct news { /* what an event says beside the object */
    int64_t added_us, first_event_us, sent_us;
    bool quiet; /* a snapshot tells its number alone */
};

static void tell_loaded(const struct live_item *item, const struct news *news, int64_t now_us)
{
    log_event("indicator_loaded", TEXT("id", item->id), TEXT("origin", item->origin),
              TEXT("value", item->values[0].value), NUM("values", item->n_values),
              NUM("sent_us", news->sent_us != 0 ? now_us - news->sent_us : 0),
              NUM("window_us", news->first_event_us != 0 ? now_us - news->first_event_us : 0));
}

static void item_live(struct apply *a, struct live_item *item, const struct news *news, int64_t now_us)
{
    uint64_t number;
    const struct live_item *old = live_find(a->live, item->id, &number) ? live_at(a->live, number) : NULL;
    bool was_live = old != NULL && old->n_values != 0;

    if (old == NULL)
        number = live_count(a->live); /* the number that live_set() will give it */
    item->loaded_us = was_live ? old->loaded_us : now_us;
    index_values(a, number, item);
    if (item->n_values == 0) {
        log_event("indicator_unsupported", TEXT("id", item->id));
        item_gone(a, item, "its new pattern is not matched", now_us);
        return;
    }
    if (was_live)
        withdraw(a, number, old, item, now_us);
    offer(a, number, item, false, now_us);
    if (item->until_us != 0 && !(was_live && old->until_us == item->until_us))
        ending_put(a, item->until_us, number);
    bool is_newer = !was_live || item->modified_us > old->modified_us;
    live_set(a->live, item);
    a->n_live += !was_live;
    if (!was_live && !news->quiet)
        tell_loaded(item, news, now_us);
    else if (was_live && is_newer)
        log_event("indicator_changed", TEXT("id", item->id));
}

/* ---- objects ---- */

static bool is_printable(struct slice s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
            return false;
    return s.len <= max;
}

static int read_values(struct arena *a, struct json object, struct live_item *item, struct err *err)
{
    struct slice type = json_string(a, json_get(object, SLICE("pattern_type")));
    const struct stix_pattern *pattern;
    struct stix_term *terms;

    if (type.len != 0 && !slice_eq(type, SLICE("stix")))
        return err_set(err, ERR_PATTERN_UNSUPPORTED, "/pattern_type",
                       "patterns of type \"" SLICE_FMT "\" are not matched", SLICE_ARG(type));
    if (stix_pattern_parse(a, json_string(a, json_get(object, SLICE("pattern"))), &pattern, err) != 0)
        return -1;
    uint32_t n = stix_pattern_terms(a, pattern, &terms);
    item->values = arena_array(a, struct live_value, n + 1);
    for (uint32_t i = 0; i < n; i++)
        if (terms[i].kind != STIX_VALUE_OTHER && is_printable(terms[i].value, MATCH_VALUE_MAX))
            item->values[item->n_values++] = (struct live_value){terms[i].kind, terms[i].value};
    return item->n_values != 0 ? 0 : err_set(err, ERR_PATTERN_UNSUPPORTED, "/pattern", "");
}

/* Which of the two is later: see the head of this file. Pages carry no date_added: there the version decides. */
static bool is_stale(struct apply *a, const struct stix_object *o, struct slice id, int64_t added_us, bool recall)
{
    uint64_t number;

    if (!live_find(a->live, id, &number))
        return false;
    const struct live_item *old = live_at(a->live, number);
    if (added_us != 0 && old->added_us != 0 &&
        (added_us < old->added_us || (added_us == old->added_us && (recall || old->n_values == 0))))
        return true;
    if (o == NULL || recall)
        return false;
    return o->modified_us < old->modified_us ||
           (added_us == 0 && old->n_values == 0 && o->modified_us == old->modified_us);
}

static void object_live(struct apply *a, const struct stix_object *o, struct live_item *item, const struct news *news,
                        int64_t now_us)
{
    struct err err = ERR_INIT;
    struct json until = json_get(o->json, SLICE("valid_until"));
    int64_t confidence;

    item->modified_us = o->modified_us;
    if (!time_parse(json_string(&a->arena, until), &item->until_us))
        item->until_us = 0;
    item->confidence = json_int(json_get(o->json, SLICE("confidence")), &confidence) ? confidence : -1;
    if (o->revoked) {
        item_gone(a, item, "revoked", now_us);
    } else if (item->until_us != 0 && item->until_us <= now_us) {
        item_gone(a, item, "ended", now_us);
    } else if (read_values(&a->arena, o->json, item, &err) != 0) {
        log_event("indicator_unsupported", TEXT("id", item->id), ERROR_FIELD(&err));
        item_gone(a, item, "its new pattern is not matched", now_us);
    } else {
        item_live(a, item, news, now_us);
    }
}

/* ---- events ---- */

static struct json object_of(struct arena *a, struct json data)
{
    struct json object = json_get(data, SLICE("object")), root;
    struct slice text = json_string(a, json_get(data, SLICE("object_text")));

    if (json_kind(object) == JSON_OBJECT)
        return object;
    if (text.len != 0 && json_parse(a, text, &json_limits_default, &root, NULL) == 0)
        return root;
    return (struct json){NULL, 0};
}

static int64_t time_of(struct arena *a, struct json data, const char *name)
{
    int64_t us;

    return time_parse(json_string(a, json_get(data, slice_of(name))), &us) ? us : 0;
}

static const char *recall_reason(struct slice type)
{
    static const struct {
        const char *type, *reason;
    } rows[] = {{"expire", "expired"}, {"retract", "retracted"}, {"restrict", "restricted"}, {"suspend", "suspended"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (slice_eq(type, slice_of(rows[i].type)))
            return rows[i].reason;
    return NULL;
}

static void take_event(struct apply *a, const struct http_event *event, int64_t now_us)
{
    struct arena *arena = &a->arena;
    const char *reason = recall_reason(event->type);
    struct err err = ERR_INIT;
    struct json data;
    struct stix_object o;

    bool is_add = slice_eq(event->type, SLICE("add")) || slice_eq(event->type, SLICE("resume"));
    if (reason == NULL && !is_add)
        return; /* a kind of a later version */
    if (json_parse(arena, event->data, &json_limits_default, &data, &err) != 0) {
        log_event("event_not_read", ERROR_FIELD(&err));
        return;
    }
    struct json object = object_of(arena, data);
    bool has_object = stix_object_read(arena, object, &o, &err) == 0;
    struct news news = {.added_us = time_of(arena, data, "date_added"),
                        .first_event_us = time_of(arena, data, "first_event"),
                        .sent_us = time_of(arena, data, "sent")};
    struct live_item item = {.id = has_object ? o.id : json_string(arena, json_get(data, SLICE("id"))),
                             .origin = json_string(arena, json_get(data, SLICE("origin"))),
                             .added_us = news.added_us,
                             .confidence = -1};
    if (!slice_starts(item.id, SLICE("indicator--")) || !is_printable(item.id, ID_MAX) || (is_add && !has_object))
        return;
    if (item.origin.ptr == NULL || !is_printable(item.origin, ORIGIN_MAX))
        item.origin = SLICE("");
    if (is_stale(a, has_object ? &o : NULL, item.id, item.added_us, reason != NULL))
        return;
    if (reason != NULL) {
        item.modified_us = has_object ? o.modified_us : 0;
        item_gone(a, &item, reason, now_us);
    } else {
        object_live(a, &o, &item, &news, now_us);
    }
}

static void flush(struct apply *a, int64_t now_us)
{
    struct err err = ERR_INIT;

    a->flushed_us = now_us;
    bool failed = live_flush(a->live, &err) != 0;
    if (failed && !a->flush_failed)
        log_event("state_not_written", ERROR_FIELD(&err)); /* once, until it can be written again */
    a->flush_failed = failed;
}

void apply_event(struct apply *a, const struct http_event *event, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    take_event(a, event, now_us);
    arena_reset(&a->arena);
    a->heard_us = now_us;
    if (is_printable(event->id, 4096))
        live_set_cursor(a->live, event->id, now_us);
    if (slice_eq(event->type, SLICE("retract")) || slice_eq(event->type, SLICE("restrict")))
        a->recalled = true; /* whatever it is of: what this sensor does not hold, it does not block */
    if (now_us - a->flushed_us >= FLUSH_EVERY_US || now_us < a->flushed_us)
        flush(a, now_us);
    pthread_mutex_unlock(&a->lock);
}

/* ---- snapshots ---- */

void apply_snapshot_begin(struct apply *a)
{
    pthread_mutex_lock(&a->lock);
    bits_free(&a->listed);
    pthread_mutex_unlock(&a->lock);
}

void apply_snapshot_object(struct apply *a, struct json object, int64_t now_us)
{
    struct news news = {.quiet = true};
    struct stix_object o;
    uint64_t number;

    pthread_mutex_lock(&a->lock);
    if (stix_object_read(&a->arena, object, &o, NULL) == 0 && slice_eq(o.type, SLICE("indicator")) &&
        is_printable(o.id, ID_MAX)) {
        struct live_item item = {.id = o.id, .origin = SLICE(""), .confidence = -1};
        if (live_find(a->live, o.id, &number)) { /* the page does not say again what the stream said */
            item.origin = arena_copy(&a->arena, live_at(a->live, number)->origin);
            item.added_us = live_at(a->live, number)->added_us;
        }
        if (!is_stale(a, &o, o.id, 0, false))
            object_live(a, &o, &item, &news, now_us);
        if (live_find(a->live, o.id, &number))
            bits_set(&a->listed, number, true);
    }
    arena_reset(&a->arena);
    pthread_mutex_unlock(&a->lock);
}

void apply_snapshot_end(struct apply *a, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    for (uint64_t number = 0; number < live_count(a->live); number++) {
        const struct live_item *old = live_at(a->live, number);
        if (old->n_values == 0 || bits_has(&a->listed, number))
            continue;
        struct live_item gone = {.id = arena_copy(&a->arena, old->id), .origin = SLICE("")};
        item_gone(a, &gone, "no longer there", now_us);
        arena_reset(&a->arena);
    }
    bits_free(&a->listed);
    a->heard_us = now_us;
    live_set_cursor(a->live, SLICE(""), now_us);
    log_event("snapshot_loaded", NUM("indicators", a->n_live));
    pthread_mutex_unlock(&a->lock);
}

/* ---- start and time ---- */

void apply_live(struct apply *a, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    for (uint64_t number = 0; number < live_count(a->live); number++) {
        const struct live_item *item = live_at(a->live, number);
        struct err err = ERR_INIT;
        if (item->n_values == 0)
            continue;
        for (uint32_t i = 0; i < item->n_values; i++)
            if (match_index_add(a->index, number, item->values[i].kind, item->values[i].value, &err) != 0)
                log_event("value_not_indexed", TEXT("id", item->id), ERROR_FIELD(&err));
        offer(a, number, item, true, now_us);
        if (item->until_us != 0)
            ending_put(a, item->until_us, number);
        a->n_live++;
    }
    a->heard_us = live_heard(a->live);
    pthread_mutex_unlock(&a->lock);
}

void apply_tick(struct apply *a, bool heard, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    while (a->n_endings != 0 && a->endings[0].until_us <= now_us) {
        struct ending e = ending_take(a);
        const struct live_item *old = live_at(a->live, e.number);
        if (old->n_values == 0 || old->until_us != e.until_us)
            continue;
        struct live_item gone = {.id = arena_copy(&a->arena, old->id), .origin = SLICE("")};
        item_gone(a, &gone, "ended", now_us);
        arena_reset(&a->arena);
    }
    if (heard && now_us - a->heard_us >= HEARD_EVERY_US) {
        a->heard_us = now_us;
        live_set_cursor(a->live, SLICE(""), now_us);
    }
    if (heard)
        enforce_contact(a->enforce, now_us);
    flush(a, now_us);
    pthread_mutex_unlock(&a->lock);
}

void apply_forget_cursor(struct apply *a)
{
    pthread_mutex_lock(&a->lock);
    live_forget_cursor(a->live);
    pthread_mutex_unlock(&a->lock);
}

struct slice apply_cursor(struct apply *a, struct arena *to)
{
    pthread_mutex_lock(&a->lock);
    struct slice cursor = arena_copy(to, live_cursor(a->live));
    pthread_mutex_unlock(&a->lock);
    return cursor;
}

size_t apply_count(struct apply *a)
{
    pthread_mutex_lock(&a->lock);
    size_t n = a->n_live;
    pthread_mutex_unlock(&a->lock);
    return n;
}

struct slice apply_recalled(struct apply *a, struct arena *to)
{
    struct slice cursor = SLICE("");

    pthread_mutex_lock(&a->lock);
    if (a->recalled || !a->told)
        cursor = arena_copy(to, live_cursor(a->live));
    if (cursor.len != 0) {
        a->recalled = false;
        a->told = true;
    }
    pthread_mutex_unlock(&a->lock);
    return cursor;
}

int apply_sync(struct apply *a, struct err *err)
{
    pthread_mutex_lock(&a->lock);
    int result = live_sync(a->live, err);
    pthread_mutex_unlock(&a->lock);
    return result;
}

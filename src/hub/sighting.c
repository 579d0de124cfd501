/* hub/sighting.c: sightings are the most sensitive data here (DESIGN.md invariant 8). What a member reports is for
   itself and the hub alone; what leaves is a band (1+, 10+, 100+) over the organisations that allowed it, to the hour,
   without where. */
#include "hub/internal.h"

#include <stdlib.h>

#include "base/log.h"

static const int64_t hour_us = 3600LL * 1000000;

static struct slice onward_of(const struct stix_object *o)
{
    struct json extension = json_get(json_get(o->json, SLICE("extensions")), SLICE(STIX_TOCSIN_SIGHTING));

    return json_text(json_get(extension, SLICE("onward")));
}

static int64_t instant_of(const struct stix_object *o, const char *name, int64_t standard)
{
    int64_t us;

    return time_parse(json_text(json_get(o->json, slice_of(name))), &us) ? us : standard;
}

/* ---- subjects whose bands may have changed ---- */

struct hub_bands {
    pthread_mutex_t lock;
    bool all; /* at start: what was committed, but not released */
    struct slice *subjects;
    size_t n, room;
};

struct hub_bands *hub_bands_new(void)
{
    struct hub_bands *b = mem_zero(1, sizeof *b);

    pthread_mutex_init(&b->lock, NULL);
    b->all = true;
    return b;
}

static void subjects_free(struct slice *subjects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)subjects[i].ptr);
    free(subjects);
}

void hub_bands_free(struct hub_bands **bands)
{
    struct hub_bands *b = *bands;

    *bands = NULL;
    if (b == NULL)
        return;
    subjects_free(b->subjects, b->n);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void note_subject(struct hub *h, struct slice subject)
{
    struct hub_bands *b = h->bands;
    bool known = false;

    pthread_mutex_lock(&b->lock);
    for (size_t i = b->n; i > 0 && b->n - i < 16 && !known; i--) /* often the same one behind itself */
        known = slice_eq(b->subjects[i - 1], subject);
    if (!known && b->n == b->room) {
        b->room = b->room * 2 + 16;
        b->subjects = mem_grow(b->subjects, b->room * sizeof *b->subjects);
    }
    if (!known)
        b->subjects[b->n++] = slice_n(mem_copy(subject), subject.len);
    pthread_mutex_unlock(&b->lock);
}

/* Its own object is sighted under its own id, but the band speaks of the release. */
static struct slice subject_of(struct hub *h, const struct hub_item *item, struct arena *a)
{
    struct slice subject = json_string(a, json_get(item->object.json, SLICE("sighting_of_ref")));
    uint64_t *seqs;

    subject = subject.ptr != NULL ? hub_again_base(h, subject) : SLICE("");
    for (size_t i = 0; i < item->names.n; i++) {
        const struct share_name *name = &item->names.items[i];
        if (!slice_eq_nocase(name->id, subject))
            continue;
        struct slice minted = share_minted_id(a, name->id, name->mac);
        if (hub_rows_candidates(&h->rows, hub_id_hash(minted), a, &seqs) != 0)
            return minted;
    }
    return subject;
}

/* Key: subject, owner, the sighting's own id: a later version of one takes the place of the earlier. Value:
 * organisation as a keyed hash, count, first, last, onward. */
int hub_sighting_count(struct hub_commit *c, struct hub_job *job, struct hub_item *item, struct err *err)
{
    struct arena *a = hub_commit_arena(c);
    const struct stix_object *o = &item->object;
    struct slice subject = subject_of(hub_commit_hub(c), item, a);
    struct slice organisation = job->member->organisation.len != 0 ? job->member->organisation : job->member->name;
    uint8_t mac[CRYPTO_MAC];
    int64_t count = 1;
    uint64_t numbers[5];

    json_int(json_get(o->json, SLICE("count")), &count);
    crypto_mac(hub_commit_hub(c)->record_key, organisation, mac);
    memcpy(&numbers[0], mac, sizeof numbers[0]);
    numbers[1] = (uint64_t)(count > 0 ? count : 1);
    numbers[2] = (uint64_t)instant_of(o, "first_seen", job->ask.received_us);
    numbers[3] = (uint64_t)instant_of(o, "last_seen", job->ask.received_us);
    numbers[4] = slice_eq(onward_of(o), SLICE("aggregate"));
    struct slice key = arena_printf(a, SLICE_FMT "|%016llx|" SLICE_FMT, SLICE_ARG(subject),
                                    (unsigned long long)job->member->owner, SLICE_ARG(item->id));
    log_event("sighting_received", TEXT("subject", subject), NUM("count", numbers[1]), NUM("onward", numbers[4]));
    note_subject(hub_commit_hub(c), subject);
    if (o->revoked)
        return hub_commit_state(c, STORE_SIGHTING, key, slice_n(NULL, 0), err);
    return hub_commit_state(c, STORE_SIGHTING, key, slice_n((const char *)numbers, sizeof numbers), err);
}

/* ---- bands ---- */

struct band {
    struct slice subject;
    uint64_t organisations[SHARE_ORGS_CAP];
    size_t n;
    uint64_t count;
    int64_t first_us, last_us;
};
struct bands {
    struct hub_worker *worker;
    struct slice only; /* this subject; empty: all */
    struct band *items;
    size_t n, room;
};

static int add_report(void *arg, struct slice key, struct slice value)
{
    struct bands *b = arg;
    struct slice rest = key, subject;
    uint64_t numbers[5];
    size_t i = 0;

    if (value.len != sizeof numbers || !slice_cut(&rest, '|', &subject))
        return 0;
    if (b->only.len != 0 && !slice_eq(subject, b->only))
        return 1; /* behind it */
    memcpy(numbers, value.ptr, sizeof numbers);
    if (numbers[4] == 0)
        return 0; /* its reporter lets nothing out */
    if (b->n == 0 || !slice_eq(b->items[b->n - 1].subject, subject)) {
        if (b->n == b->room) {
            b->room = b->room * 2 + 64;
            b->items = mem_grow(b->items, b->room * sizeof *b->items);
        }
        b->items[b->n++] = (struct band){.subject = arena_copy(&b->worker->arena, subject), .first_us = INT64_MAX};
    }
    struct band *band = &b->items[b->n - 1];
    while (i < band->n && band->organisations[i] != numbers[0])
        i++;
    if (i == band->n && band->n < SHARE_ORGS_CAP)
        band->organisations[band->n++] = numbers[0];
    band->count += numbers[1];
    if ((int64_t)numbers[2] < band->first_us)
        band->first_us = (int64_t)numbers[2];
    if ((int64_t)numbers[3] > band->last_us)
        band->last_us = (int64_t)numbers[3];
    return 0;
}

static int64_t band_floor(uint64_t count)
{
    return count >= 100 ? 100 : count >= 10 ? 10 : 1;
}

static void put_hour(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us - us % hour_us);
    json_put_text(out, name, slice_n(text, sizeof text));
}

static size_t put_instant(struct buf *out, const char *name)
{
    json_put_text(out, name, SLICE("1970-01-01T00:00:00.000000Z"));
    return out->len - TIME_TEXT - 1;
}

static void put_body(struct buf *out, const struct band *band, struct slice id, uint32_t tlp,
                     struct share_release *release)
{
    json_put_open(out, '{');
    json_put_text(out, "type", SLICE("sighting"));
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", id);
    release->created_at = put_instant(out, "created");
    release->modified_at = put_instant(out, "modified");
    put_hour(out, "first_seen", band->first_us);
    put_hour(out, "last_seen", band->last_us + hour_us - 1);
    json_put_number(out, "count", band_floor(band->count));
    json_put_key(out, SLICE("summary"));
    json_put_bool(out, true);
    json_put_text(out, "sighting_of_ref", band->subject);
    json_put_key(out, SLICE("object_marking_refs"));
    json_put_open(out, '[');
    for (int level = 0; level < SHARE_TLP_LEVELS; level++)
        if (tlp >> level & 1)
            json_put_string(out, share_tlp_id((enum share_tlp)level));
    json_put_close(out, ']');
    json_put_close(out, '}');
}

/* Grows with every further organisation or band, and with nothing else: merging finds what is out already. */
static int64_t band_version(const struct band *band)
{
    return (int64_t)band->n * 1000 + band_floor(band->count);
}

/* The band goes where its subject goes, and no wider. What its submitter alone reads, or what was taken back, has none.
 */
static bool subject_facts(struct hub_worker *w, struct slice subject, struct share_facts *out)
{
    struct hub *h = w->hub;
    uint64_t *seqs;
    size_t n = hub_rows_candidates(&h->rows, hub_id_hash(subject), &w->arena, &seqs);

    for (size_t i = 0; i < n; i++) {
        struct store_row row;
        const struct hub_class *c = hub_class_of(h, h->rows.facts_class[seqs[i]]);
        if (c->facts.own_only || (h->rows.kind[seqs[i]] != STORE_ADD && h->rows.kind[seqs[i]] != STORE_EXPIRE) ||
            hub_read_row(w->reader, h, seqs[i], 0, &w->arena, &row, NULL) != 0 || !slice_eq(row.id, subject))
            continue;
        *out = c->facts;
        return true;
    }
    return false;
}

static void release_band(struct hub_worker *w, const struct band *band)
{
    struct hub *h = w->hub;
    struct share_facts facts;
    uint8_t mac[1][CRYPTO_MAC];
    struct buf body = BUF_INIT, key = BUF_INIT;

    if (!subject_facts(w, band->subject, &facts) ||
        keys_mac(w->keys, KEYS_MAC_SIGHTING, &band->subject, 1, mac, NULL) != 0)
        return;
    struct slice id = share_minted_id(&w->arena, SLICE("sighting--00000000-0000-4000-8000-000000000000"), mac[0]);
    uint64_t row_key = hub_row_key(h->settings.id, facts.collection, id, SLICE("")), id_hash = hub_id_hash(id);
    uint64_t known = hub_rows_find(&h->rows, id_hash, row_key);
    if (known != 0 && h->rows.source_us[known] == band_version(band))
        return;
    struct hub_job *job = mem_zero(1, sizeof *job);
    struct hub_item *item = job->items = arena_new(&job->arena, struct hub_item);
    job->hub = h;
    job->n_items = 1;
    job->directory = hub_directory_hold(h);
    job->ask.door = HUB_SENSOR;
    job->ask.received_us = time_now_us();
    facts = (struct share_facts){.collection = facts.collection,
                                 .type = SLICE("sighting"),
                                 .tlp = facts.tlp,
                                 .attribution = facts.attribution,
                                 .consent = facts.consent,
                                 .organisations = (uint32_t)band->n};
    share_facts_put(&facts, &key);
    *item = (struct hub_item){.by_hub = true,
                              .kind = STORE_ADD,
                              .id = arena_copy(&job->arena, id),
                              .key = row_key,
                              .id_hash = id_hash,
                              .source_us = band_version(band)};
    item->class_key = arena_copy(&job->arena, buf_slice(&key));
    item->release.valid_until_at = item->release.cover_at = SIZE_MAX;
    put_body(&body, band, id, facts.tlp, &item->release);
    item->release.body = arena_copy(&job->arena, buf_slice(&body));
    buf_free(&body);
    buf_free(&key);
    log_event("sighting_released", TEXT("subject", band->subject), NUM("organisations", band->n),
              NUM("count", band_floor(band->count)));
    if (!hub_commit_put(h, job)) {
        note_subject(h, band->subject); /* hub_tick asks again */
        hub_job_free(&job);
    }
}

static void release_subject(struct hub_worker *w, struct slice subject)
{
    struct bands b = {.worker = w, .only = subject};
    struct slice from = subject.len != 0 ? arena_printf(&w->arena, SLICE_FMT "|", SLICE_ARG(subject)) : SLICE("");
    struct err err = ERR_INIT;

    if (hub_sightings_scan(w->reader, from, add_report, &b, &err) != 0)
        log_event("sightings_not_read", ERROR_FIELD(&err));
    for (size_t i = 0; i < b.n; i++)
        release_band(w, &b.items[i]);
    free(b.items);
}

static void release_bands(struct hub_worker *w, void *arg)
{
    struct hub_bands *b = w->hub->bands;

    atomic_store(&w->hub->bands_waiting, false);
    pthread_mutex_lock(&b->lock);
    struct slice *subjects = b->subjects;
    size_t n = b->n;
    bool all = b->all;
    b->subjects = NULL;
    b->n = b->room = 0;
    b->all = false;
    pthread_mutex_unlock(&b->lock);
    if (all)
        release_subject(w, SLICE(""));
    for (size_t i = 0; i < n && !all; i++)
        release_subject(w, subjects[i]);
    subjects_free(subjects, n);
}

void hub_sightings_changed(struct hub *h)
{
    struct hub_bands *b = h->bands;

    pthread_mutex_lock(&b->lock);
    bool some = b->all || b->n != 0;
    pthread_mutex_unlock(&b->lock);
    if (some && !atomic_exchange(&h->bands_waiting, true) && !hub_work(h, 0, false, release_bands, NULL))
        atomic_store(&h->bands_waiting, false);
}

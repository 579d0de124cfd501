/* hub/band.c: what leaves of sightings (DESIGN.md invariant 8): a band (1+, 10+, 100+) over the organisations that
   allowed it, to the hour, without where. It is derived from what was counted and from its subject's row, after the
   commit and on a worker, and follows both: down as well as up, and to nobody where its subject is taken back. */
#include "hub/internal.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    BANDS_AT_ONCE = 64,  /* kept while the table is read through */
    BAND_PLACES_MAX = 8, /* collections in which one subject stands */
};
static const int64_t hour_us = 3600LL * 1000000;

/* ---- subjects whose bands may have changed ---- */

struct subjects {
    struct slice *items;
    size_t n, room;
};
struct hub_bands {
    uint64_t *watched; /* hashes of the ids of subjects that were reported on, open addressing; the committer's */
    size_t n_watched, n_cells;
    struct subjects told; /* in the open transaction; the committer's */
    pthread_mutex_t lock;
    struct subjects ready, later; /* later: a queue was full, at the next tick */
    bool all;                     /* at start: what was committed, but not released */
    unsigned busy;                /* the task that makes them, and rows of them that are on their way */
    int64_t last_version;         /* the task's */
};

struct hub_bands *hub_bands_new(void)
{
    struct hub_bands *b = mem_zero(1, sizeof *b);

    pthread_mutex_init(&b->lock, NULL);
    b->all = true;
    b->n_cells = 64;
    b->watched = mem_zero(b->n_cells, sizeof *b->watched);
    return b;
}

static void subjects_free(struct subjects *s)
{
    for (size_t i = 0; i < s->n; i++)
        free((char *)(uintptr_t)s->items[i].ptr);
    free(s->items);
    *s = (struct subjects){.n = 0};
}

void hub_bands_free(struct hub_bands **bands)
{
    struct hub_bands *b = *bands;

    *bands = NULL;
    if (b == NULL)
        return;
    subjects_free(&b->told);
    subjects_free(&b->ready);
    subjects_free(&b->later);
    free(b->watched);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void subjects_add(struct subjects *s, struct slice subject)
{
    for (size_t i = s->n; i > 0 && s->n - i < 16; i--) /* often the same one behind itself */
        if (slice_eq(s->items[i - 1], subject))
            return;
    if (s->n == s->room) {
        s->room = s->room * 2 + 16;
        s->items = mem_grow(s->items, s->room * sizeof *s->items);
    }
    s->items[s->n++] = slice_n(mem_copy(subject), subject.len);
}

static void subjects_move(struct subjects *from, struct subjects *to)
{
    for (size_t i = 0; i < from->n; i++)
        subjects_add(to, from->items[i]);
    subjects_free(from);
}

/* 0 stands for an empty cell; a subject whose hash it is was never born. */
static uint64_t *watch_cell(const struct hub_bands *b, uint64_t hash)
{
    size_t at = hash & (b->n_cells - 1);

    while (b->watched[at] != 0 && b->watched[at] != hash)
        at = (at + 1) & (b->n_cells - 1);
    return &b->watched[at];
}

static void watch(struct hub_bands *b, uint64_t hash)
{
    if (*watch_cell(b, hash) == hash)
        return;
    if (++b->n_watched * 2 > b->n_cells) {
        uint64_t *old = b->watched;
        size_t n = b->n_cells;
        b->n_cells *= 2;
        b->watched = mem_zero(b->n_cells, sizeof *b->watched);
        for (size_t i = 0; i < n; i++)
            if (old[i] != 0)
                *watch_cell(b, old[i]) = old[i];
        free(old);
    }
    *watch_cell(b, hash) = hash;
}

static int load_report(void *arg, struct slice key, struct slice value)
{
    struct slice rest = key, subject;

    if (slice_cut(&rest, '|', &subject))
        watch(arg, hub_id_hash(subject));
    return 0;
}

int hub_bands_load(struct hub *h, struct err *err)
{
    struct store_reader *r = hub_reader_new(h, err);

    if (r == NULL)
        return -1;
    int result = hub_sightings_scan(r, SLICE(HUB_REPORTS_FROM), load_report, h->bands, err);
    hub_reader_free(&r);
    return result;
}

void hub_bands_report(struct hub *h, struct slice subject)
{
    watch(h->bands, hub_id_hash(subject));
    subjects_add(&h->bands->told, subject);
}

void hub_bands_row(struct hub *h, struct slice id, uint64_t id_hash)
{
    if (id_hash != 0 && *watch_cell(h->bands, id_hash) == id_hash)
        subjects_add(&h->bands->told, id);
}

/* ---- reports become bands ---- */

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
    struct band items[BANDS_AT_ONCE];
    size_t n;
    bool more; /* behind the last of them */
};

/* A subject with no report that counts has a band too: of nobody. */
static struct band *band_for(struct bands *b, struct slice subject)
{
    if (b->n != 0 && slice_eq(b->items[b->n - 1].subject, subject))
        return &b->items[b->n - 1];
    b->more = b->n == BANDS_AT_ONCE;
    if (b->more)
        return NULL;
    b->items[b->n++] = (struct band){.subject = arena_copy(&b->worker->arena, subject), .first_us = INT64_MAX};
    return &b->items[b->n - 1];
}

static int add_report(void *arg, struct slice key, struct slice value)
{
    struct bands *b = arg;
    struct slice rest = key, subject;
    struct hub_report r;
    size_t i = 0;

    if (value.len != sizeof r || !slice_cut(&rest, '|', &subject))
        return 0;
    if (b->only.len != 0 && !slice_eq(subject, b->only))
        return 1; /* behind it */
    struct band *band = band_for(b, subject);
    if (band == NULL)
        return 1;
    memcpy(&r, value.ptr, sizeof r);
    if (r.onward == 0)
        return 0; /* its reporter lets nothing out */
    while (i < band->n && band->organisations[i] != r.organisation)
        i++;
    if (i == band->n && band->n < SHARE_ORGS_CAP)
        band->organisations[band->n++] = r.organisation;
    band->count += r.count;
    if (r.first_us < band->first_us)
        band->first_us = r.first_us;
    if (r.last_us > band->last_us)
        band->last_us = r.last_us;
    return 0;
}

static int64_t band_floor(const struct band *band)
{
    return band->count >= 100 ? 100 : band->count >= 10 ? 10 : 1;
}

/* ---- the object ---- */

static void put_hour(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us - us % hour_us);
    json_put_text(out, name, slice_n(text, sizeof text));
}

static void put_body(struct buf *out, const struct band *band, struct slice id, const struct share_facts *facts,
                     struct share_release *release)
{
    json_put_open(out, '{');
    json_put_text(out, "type", SLICE("sighting"));
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", id);
    release->created_at = hub_made_instant(out, "created");
    release->modified_at = hub_made_instant(out, "modified");
    if (!facts->own_only) {
        put_hour(out, "first_seen", band->first_us);
        put_hour(out, "last_seen", band->last_us + hour_us - 1);
        json_put_number(out, "count", band_floor(band));
    }
    json_put_key(out, SLICE("summary"));
    json_put_bool(out, true);
    json_put_text(out, "sighting_of_ref", band->subject);
    hub_made_markings(out, facts->tlp);
    json_put_close(out, '}');
}

/* ---- where it goes ---- */

struct place {                /* a collection that the subject stands in */
    struct share_facts facts; /* own_only: nobody may see the subject there */
    uint64_t first;           /* the object's first row */
};

static struct place *place_in(struct place *places, size_t *n, struct slice collection)
{
    for (size_t i = 0; i < *n; i++)
        if (slice_eq(places[i].facts.collection, collection))
            return &places[i];
    if (*n == BAND_PLACES_MAX)
        return NULL;
    places[*n] = (struct place){.facts = {.collection = collection, .own_only = true}, .first = UINT64_MAX};
    return &places[(*n)++];
}

/* What its submitter alone reads, or what was taken back, shows its band to nobody. Of a value that several submitted
   the first counts. */
static size_t find_places(struct hub_worker *w, struct slice subject, struct place places[BAND_PLACES_MAX])
{
    struct hub *h = w->hub;
    uint64_t *seqs, head = atomic_load(&h->head);
    size_t n = hub_rows_candidates(&h->rows, hub_id_hash(subject), &w->arena, &seqs), n_places = 0;

    for (size_t i = 0; i < n; i++) {
        struct store_row row;
        uint64_t seq = hub_row_shown(&h->rows, seqs[i], head), content = hub_row_content(&h->rows, seq);
        if (content == 0 || hub_read_row(w->reader, h, content, 0, &w->arena, &row, NULL) != 0 ||
            !slice_eq(row.id, subject))
            continue;
        const struct share_facts *facts = &hub_class_of(h, h->rows.facts_class[seq])->facts;
        struct place *p = place_in(places, &n_places, facts->collection);
        bool stands = !facts->own_only && content == seq;
        if (p != NULL && stands && hub_row_first(&h->rows, seq) < p->first)
            *p = (struct place){*facts, hub_row_first(&h->rows, seq)};
    }
    return n_places;
}

/* A band goes where its subject goes, back to where that came from, and no wider (share/decide.c). */
static struct share_facts band_facts(const struct band *band, const struct place *place, bool here)
{
    struct share_facts f = place->facts;

    if (!here || band->n == 0)
        return (struct share_facts){
            .collection = f.collection, .type = SLICE("sighting"), .tlp = 1u << SHARE_RED, .own_only = true};
    f.type = SLICE("sighting");
    f.creates = 0;
    f.organisations = (uint32_t)band->n;
    return f;
}

/* ---- releasing ---- */

struct asked { /* in the arena of its job */
    struct hub *hub;
    struct slice subject;
};

static void start(struct hub *h);

static void end_one(struct hub *h)
{
    struct hub_bands *b = h->bands;

    pthread_mutex_lock(&b->lock);
    bool last = --b->busy == 0;
    pthread_mutex_unlock(&b->lock);
    if (last)
        start(h);
}

static void note_later(struct hub *h, struct slice subject)
{
    pthread_mutex_lock(&h->bands->lock);
    subjects_add(&h->bands->later, subject);
    pthread_mutex_unlock(&h->bands->lock);
}

static void band_done(void *arg, const struct hub_outcome *outcome)
{
    struct asked *asked = arg;

    if (outcome->err != NULL)
        note_later(asked->hub, asked->subject);
    end_one(asked->hub);
}

/* Grows with every version, over restarts too: merging takes a later one for newer, whatever it says. */
static int64_t next_version(struct hub *h, uint64_t known)
{
    struct hub_bands *b = h->bands;
    int64_t now = time_now_us(), least = known != 0 ? h->rows.source_us[known] + 1 : 0;

    if (least <= b->last_version)
        least = b->last_version + 1;
    b->last_version = now > least ? now : least;
    return b->last_version;
}

static bool is_out_already(struct hub_worker *w, uint64_t known, struct slice class_key, const struct band *band)
{
    struct hub *h = w->hub;
    const struct hub_class *c = hub_class_of(h, h->rows.facts_class[known]);
    struct store_row row;
    struct json root;
    int64_t floor = 0;

    if (!slice_eq(c->key, class_key))
        return false;
    if (c->facts.own_only)
        return true;
    return hub_read_row(w->reader, h, known, 0, &w->arena, &row, NULL) == 0 &&
           json_parse(&w->arena, row.body, &json_limits_default, &root, NULL) == 0 &&
           json_int(json_get(root, SLICE("count")), &floor) && floor == band_floor(band);
}

static void put_job(struct hub *h, const struct band *band, const struct share_facts *facts,
                    const struct hub_item *like)
{
    struct hub_job *job = mem_zero(1, sizeof *job);
    struct hub_item *item = job->items = arena_new(&job->arena, struct hub_item);
    struct asked *asked = arena_new(&job->arena, struct asked);
    struct buf body = BUF_INIT;

    *asked = (struct asked){h, arena_copy(&job->arena, band->subject)};
    *item = *like;
    item->id = arena_copy(&job->arena, like->id);
    item->class_key = arena_copy(&job->arena, like->class_key);
    item->release.valid_until_at = item->release.cover_at = SIZE_MAX;
    put_body(&body, band, item->id, facts, &item->release);
    item->release.body = arena_copy(&job->arena, buf_slice(&body));
    buf_free(&body);
    job->hub = h;
    job->n_items = 1;
    job->directory = hub_directory_hold(h);
    job->ask = (struct submission){.door = HUB_SENSOR, .received_us = time_now_us(), .done = band_done, .arg = asked};
    pthread_mutex_lock(&h->bands->lock);
    h->bands->busy++;
    pthread_mutex_unlock(&h->bands->lock);
    if (hub_commit_put(h, job))
        return;
    note_later(h, band->subject);
    end_one(h);
    hub_job_free(&job);
}

static void release_in(struct hub_worker *w, const struct band *band, struct slice id, const struct share_facts *facts)
{
    struct hub *h = w->hub;
    struct hub_item item = {.by_hub = true,
                            .kind = STORE_ADD,
                            .id = id,
                            .key = hub_row_key(h->settings.id, facts->collection, id, SLICE("")),
                            .id_hash = hub_id_hash(id)};
    uint64_t known = hub_rows_find(&h->rows, item.id_hash, item.key);
    struct buf key = BUF_INIT;

    share_facts_put(facts, &key);
    item.class_key = buf_slice(&key);
    if (known != 0 ? !is_out_already(w, known, item.class_key, band) : !facts->own_only) {
        item.source_us = next_version(h, known);
        if (facts->own_only)
            log_event("sighting_withdrawn", TEXT("subject", band->subject));
        else
            log_event("sighting_released", TEXT("subject", band->subject), NUM("organisations", band->n),
                      NUM("count", band_floor(band)));
        put_job(h, band, facts, &item);
    }
    buf_free(&key);
}

static void release_band(struct hub_worker *w, const struct band *band)
{
    struct place places[BAND_PLACES_MAX];
    size_t n = find_places(w, band->subject, places), first = 0;
    uint8_t mac[1][CRYPTO_MAC];

    if (n == 0)
        return; /* nothing is known of it */
    if (keys_mac(w->keys, KEYS_MAC_SIGHTING, &band->subject, 1, mac, NULL) != 0) {
        note_later(w->hub, band->subject);
        return;
    }
    struct slice id = share_minted_id(&w->arena, SLICE("sighting--00000000-0000-4000-8000-000000000000"), mac[0]);
    for (size_t i = 1; i < n; i++)
        if (places[i].first < places[first].first)
            first = i;
    for (size_t i = 0; i < n; i++) {
        struct share_facts facts = band_facts(band, &places[i], i == first && !places[i].facts.own_only);
        release_in(w, band, id, &facts);
    }
}

static void release_subject(struct hub_worker *w, struct slice subject)
{
    struct bands *b = mem_zero(1, sizeof *b);
    struct slice from =
        subject.len != 0 ? arena_printf(&w->arena, SLICE_FMT "|", SLICE_ARG(subject)) : SLICE(HUB_REPORTS_FROM);
    struct err err = ERR_INIT;

    *b = (struct bands){.worker = w, .only = subject, .more = true};
    while (b->more) {
        b->more = false;
        b->n = 0;
        if (hub_sightings_scan(w->reader, from, add_report, b, &err) != 0)
            log_event("sightings_not_read", ERROR_FIELD(&err));
        for (size_t i = 0; i < b->n; i++)
            release_band(w, &b->items[i]);
        if (b->more) /* '}' stands behind '|' */
            from = arena_printf(&w->arena, SLICE_FMT "}", SLICE_ARG(b->items[b->n - 1].subject));
    }
    free(b);
}

static void release_bands(struct hub_worker *w, void *arg)
{
    struct hub_bands *b = w->hub->bands;
    struct subjects subjects = {.n = 0};

    pthread_mutex_lock(&b->lock);
    subjects_move(&b->ready, &subjects);
    bool all = b->all;
    b->all = false;
    pthread_mutex_unlock(&b->lock);
    if (all)
        release_subject(w, SLICE(""));
    for (size_t i = 0; i < subjects.n && !all; i++)
        release_subject(w, subjects.items[i]);
    subjects_free(&subjects);
    end_one(w->hub);
}

/* One at a time, and the next when its rows are durable: what is out already is then what the journal says. */
static void start(struct hub *h)
{
    struct hub_bands *b = h->bands;

    pthread_mutex_lock(&b->lock);
    bool due = b->busy == 0 && (b->all || b->ready.n != 0);
    if (due)
        b->busy = 1;
    pthread_mutex_unlock(&b->lock);
    if (!due || hub_work(h, 0, false, release_bands, NULL))
        return;
    pthread_mutex_lock(&b->lock);
    b->busy = 0;
    pthread_mutex_unlock(&b->lock);
}

void hub_bands_committed(struct hub *h)
{
    struct hub_bands *b = h->bands;

    if (b->told.n == 0)
        return;
    pthread_mutex_lock(&b->lock);
    subjects_move(&b->told, &b->ready);
    pthread_mutex_unlock(&b->lock);
    start(h);
}

void hub_bands_tick(struct hub *h)
{
    pthread_mutex_lock(&h->bands->lock);
    subjects_move(&h->bands->later, &h->bands->ready);
    pthread_mutex_unlock(&h->bands->lock);
    start(h);
}

bool hub_bands_are_out(struct hub *h)
{
    struct hub_bands *b = h->bands;

    pthread_mutex_lock(&b->lock);
    bool out = b->busy == 0 && !b->all && b->ready.n == 0 && b->later.n == 0;
    pthread_mutex_unlock(&b->lock);
    return out;
}

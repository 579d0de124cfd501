/* hub/hub.c: opening and closing, workers, viewers' lists. */
#include "hub/doors.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

struct hub_task {
    hub_task_fn *fn;
    void *arg;
};

static void *worker_main(void *arg)
{
    struct hub_worker *w = arg;
    struct hub_task *task;

    while ((task = queue_take(w->queue, -1)) != NULL) {
        task->fn(w, task->arg);
        free(task);
        arena_reset(&w->arena);
    }
    return NULL;
}

bool hub_work(struct hub *h, uint64_t lane, bool urgent, hub_task_fn *fn, void *arg)
{
    struct hub_task *task = mem_alloc(sizeof *task);

    *task = (struct hub_task){fn, arg};
    if (queue_put(h->workers[lane % h->n_workers].queue, task, urgent))
        return true;
    free(task);
    return false;
}

static int worker_start(struct hub *h, struct hub_worker *w, int channel, struct err *err)
{
    w->hub = h;
    if (keys_open(channel, &w->keys, err) != 0)
        return -1;
    w->reader = hub_reader_new(h, err);
    if (w->reader == NULL)
        return -1;
    w->queue = queue_new(HUB_VIEWERS_MAX, HUB_QUEUE);
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
        return err_set(err, ERR_SYSTEM, NULL, "cannot start a worker thread");
    h->n_workers++;
    return 0;
}

static int read_hub_keys(struct hub *h, struct err *err)
{
    if (keys_token_key(h->committer_keys, h->token_key, err) != 0 ||
        keys_public(h->committer_keys, h->public_key, err) != 0)
        return -1;
    crypto_derive(h->token_key, "ledger records of the hub itself", h->record_key);
    h->again = hub_again_new(h->token_key);
    hub_corroborate_key(h);
    return 0;
}

static void copy_settings(struct hub *h, const struct hub_settings *s)
{
    struct arena *a = &h->arena;

    h->settings = *s;
    h->settings.name = arena_copy(a, s->name);
    h->settings.id = arena_copy(a, s->id);
    h->settings.country = arena_copy(a, s->country);
    h->settings.listen = arena_copy(a, s->listen);
    h->settings.url = arena_copy(a, s->url);
    h->settings.api_key_header = arena_copy(a, s->api_key_header);
}

static size_t count_workers(const struct hub_settings *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = s->workers > 0 ? (size_t)s->workers : (size_t)(cores > 1 ? cores : 2);

    return n < HUB_WORKERS_MAX ? n : HUB_WORKERS_MAX;
}

static struct hub *hub_new(const struct hub_conf *conf)
{
    struct hub *h = mem_zero(1, sizeof *h);

    copy_settings(h, &conf->settings);
    hub_rows_init(&h->rows);
    h->sent_most = HUB_SENT_MAX;
    h->classes = mem_zero(HUB_CLASSES_MAX, sizeof *h->classes);
    h->viewers = mem_zero(HUB_VIEWERS_MAX, sizeof *h->viewers);
    pthread_mutex_init(&h->directory_lock, NULL);
    pthread_mutex_init(&h->ledger_lock, NULL);
    h->commits = queue_new(HUB_QUEUE, HUB_QUEUE);
    h->followers = hub_followers_new(h);
    h->doors = hub_doors_new();
    h->clients = hub_clients_new();
    h->bands = hub_bands_new();
    h->corroborate = hub_corroborate_new(conf->dir);
    return h;
}

int hub_open(const struct hub_conf *conf, struct hub **hub_out, struct err *err)
{
    size_t n_workers = count_workers(&conf->settings);
    struct hub *h = hub_new(conf);

    assert(conf->n_channels >= n_workers + 1);
    if (keys_open(conf->channels[0], &h->committer_keys, err) != 0 || read_hub_keys(h, err) != 0 ||
        store_open(conf->dir, &h->store, err) != 0 || hub_load(h, err) != 0 || hub_bands_load(h, err) != 0 ||
        hub_commit_start(h, err) != 0)
        goto failed;
    for (size_t i = 0; i < n_workers; i++)
        if (worker_start(h, &h->workers[i], conf->channels[i + 1], err) != 0)
            goto failed;
    if (hub_doors_start(h, err) != 0)
        goto failed;
    hub_bands_tick(h);
    hub_corroborate_tick(h);
    *hub_out = h;
    return 0;
failed:
    hub_stop(h);
    hub_close(&h);
    return -1;
}

/* Who was there, and what it was given, up to the end: the next start need not think the worst. */
static void store_deliveries(struct hub *h)
{
    struct hub_job *job = mem_zero(1, sizeof *job);

    job->hub = h;
    job->is_act = true;
    job->act.kind = HUB_DELIVERED;
    if (!h->committer_runs || !hub_commit_put(h, job))
        hub_job_free(&job);
}

void hub_stop(struct hub *h)
{
    atomic_store(&h->stopping, true);
    hub_doors_stop(h);
    hub_followers_stop(h);
    store_deliveries(h);
    for (size_t i = 0; i < h->n_workers; i++)
        queue_close(h->workers[i].queue);
    for (size_t i = 0; i < h->n_workers; i++)
        pthread_join(h->workers[i].thread, NULL);
    hub_commit_stop(h);
}

static void viewer_free(struct hub_viewer *v)
{
    if (v == NULL)
        return;
    hub_lists_drop(&v->lists);
    free(v->grants);
    hub_recipients_free(v);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

static void class_free(struct hub_class *c)
{
    if (c == NULL)
        return;
    free((char *)(uintptr_t)c->key.ptr);
    free(c);
}

void hub_close(struct hub **hub)
{
    struct hub *h = *hub;

    *hub = NULL;
    if (h == NULL)
        return;
    for (size_t i = 0; i < HUB_WORKERS_MAX; i++) {
        hub_reader_free(&h->workers[i].reader);
        keys_close(&h->workers[i].keys);
        arena_free(&h->workers[i].arena);

        queue_free(&h->workers[i].queue);
    }
    keys_close(&h->committer_keys);
    store_close(&h->store);
    hub_followers_free(&h->followers);
    hub_doors_free(&h->doors);
    hub_clients_free(&h->clients);
    hub_bands_free(&h->bands);
    hub_corroborate_free(h);
    hub_again_free(&h->again);
    hub_directory_drop(&h->directory);
    for (uint32_t i = 0; i < atomic_load(&h->n_viewers); i++)
        viewer_free(h->viewers[i]);
    for (uint32_t i = 0; i < atomic_load(&h->n_classes); i++)
        class_free(h->classes[i]);
    queue_free(&h->commits);
    hub_rows_free(&h->rows);
    free(h->classes);
    free(h->class_cells);
    free(h->viewers);
    crypto_wipe(h->token_key, sizeof h->token_key);
    crypto_wipe(h->record_key, sizeof h->record_key);
    arena_free(&h->arena);
    free(h);
}

const struct hub_settings *hub_settings(const struct hub *h)
{
    return &h->settings;
}

/* ---- viewers' lists: decided once per (class, viewer, directory), then a lookup ---- */

const struct hub_class *hub_class_of(struct hub *h, uint32_t n)
{
    return h->classes[n];
}

struct slice hub_row_collection(struct hub *h, uint64_t seq)
{
    return h->classes[h->rows.facts_class[seq]]->facts.collection;
}

bool hub_viewer_is(const struct hub_directory *d, uint32_t number, struct share_viewer *out)
{
    const struct hub_member *m = hub_directory_member_of(d, number);
    const struct hub_partner *p = m == NULL ? hub_directory_partner_of(d, number) : NULL;

    if (m != NULL)
        *out = (struct share_viewer){SHARE_MEMBER, m->name, SLICE(""), m->client_of, m->n_client_of, m->government};
    else if (p != NULL)
        *out = (struct share_viewer){SHARE_PARTNER, p->name, p->hub_id, NULL, 0, false};
    return m != NULL || p != NULL;
}

bool hub_may_see(struct hub *h, const struct hub_directory *d, uint32_t viewer, uint32_t facts_class)
{
    struct share_decision decision;
    struct share_viewer to;

    if (!hub_viewer_is(d, viewer, &to))
        return false;
    share_decide(d->policy, &h->classes[facts_class]->facts, &to, SHARE_DELIVER, time_now_us(), &decision);
    return decision.verdict == SHARE_WHOLE;
}

static uint64_t grant_of(const struct hub_viewer *v, uint32_t facts_class)
{
    for (size_t i = 0; i < v->n_grants; i++)
        if (v->grants[i].facts_class == facts_class)
            return v->grants[i].from;
    return 0;
}

/* Under the viewer's lock. Somebody who is in no row any more sees nothing. `known`: what still holds, so that a class
   that comes new costs each viewer one decision; or NULL. */
static struct hub_lists *decide_all(struct hub *h, const struct hub_directory *d, uint32_t number,
                                    const struct hub_viewer *v, const struct hub_lists *known)
{
    uint32_t n_classes = atomic_load_explicit(&h->n_classes, memory_order_acquire);
    struct hub_lists *l = mem_zero(1, sizeof *l + n_classes * sizeof l->lists[0]);
    int64_t now = time_now_us();
    struct share_viewer viewer;

    atomic_init(&l->owners, 1);
    l->epoch = d->epoch;
    l->n_classes = n_classes;
    l->holds_until_us = INT64_MAX;
    if (!hub_viewer_is(d, number, &viewer))
        return l;
    if (known != NULL) {
        l->n = known->n;
        l->holds_until_us = known->holds_until_us;
        memcpy(l->lists, known->lists, known->n * sizeof known->lists[0]);
    }
    for (uint32_t c = known != NULL ? known->n_classes : 0; c < n_classes; c++) {
        struct share_decision decision;
        share_decide(d->policy, &h->classes[c]->facts, &viewer, SHARE_DELIVER, now, &decision);
        if (decision.holds_until_us < l->holds_until_us)
            l->holds_until_us = decision.holds_until_us;
        if (decision.verdict == SHARE_WHOLE)
            l->lists[l->n++] = (struct store_list){c, grant_of(v, c)};
    }
    return l;
}

struct hub_lists *hub_lists_decide(struct hub *h, const struct hub_directory *d, uint32_t viewer)
{
    const struct hub_viewer none = {.n_grants = 0};

    return decide_all(h, d, viewer, &none, NULL);
}

static struct hub_lists *lists_hold(struct hub_lists *l)
{
    atomic_fetch_add(&l->owners, 1);
    return l;
}

struct hub_lists *hub_viewer_lists(struct hub *h, const struct hub_directory *d, uint32_t viewer)
{
    struct hub_viewer *v = h->viewers[viewer];
    struct hub_lists *result;

    pthread_mutex_lock(&v->lock);
    bool holds = v->lists != NULL && v->lists->epoch == d->epoch && v->lists->holds_until_us > time_now_us();
    if (!holds || v->lists->n_classes != atomic_load(&h->n_classes)) {
        result = decide_all(h, d, viewer, v, holds ? v->lists : NULL);
        if (v->lists == NULL || v->lists->epoch <= d->epoch) { /* a reader that is late keeps its own to itself */
            hub_lists_drop(&v->lists);
            v->lists = lists_hold(result);
        }
    } else {
        result = lists_hold(v->lists);
    }
    pthread_mutex_unlock(&v->lock);
    return result;
}

void hub_lists_drop(struct hub_lists **l)
{
    struct hub_lists *gone = *l;

    *l = NULL;
    if (gone != NULL && atomic_fetch_sub(&gone->owners, 1) == 1)
        free(gone);
}

bool hub_may_hold(struct hub *h, uint32_t viewer, uint64_t seq, uint64_t from)
{
    uint64_t delivered = atomic_load(&h->viewers[viewer]->delivered);

    /* Of a value it may hold another submission: hub_commit_recall looks closer. */
    if (h->classes[h->rows.facts_class[seq]]->of_values)
        return delivered != 0;
    return delivered >= (seq < from ? from : hub_row_first(&h->rows, seq));
}

const struct store_list *hub_lists_find(const struct hub_lists *l, uint32_t facts_class)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->lists[middle].facts_class == facts_class)
            return &l->lists[middle];
        if (l->lists[middle].facts_class < facts_class)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Called before the bytes leave, so that a recall never misses one who has them. */
void hub_viewer_delivered(struct hub *h, uint32_t viewer, uint64_t first_seq, uint64_t last_seq, uint64_t n,
                          const uint8_t root[CRYPTO_HASH])
{
    struct hub_viewer *v = h->viewers[viewer];
    uint8_t both[2 * CRYPTO_HASH];

    pthread_mutex_lock(&v->lock);
    if (last_seq > atomic_load(&v->delivered))
        atomic_store(&v->delivered, last_seq);
    if (n != 0) {
        if (v->objects == 0 || first_seq < v->from_seq)
            v->from_seq = first_seq;
        if (last_seq > v->to_seq)
            v->to_seq = last_seq;
        v->objects += n;
        memcpy(both, v->root, CRYPTO_HASH);
        memcpy(both + CRYPTO_HASH, root, CRYPTO_HASH);
        crypto_sha256(slice_n((const char *)both, sizeof both), v->root);
    }
    pthread_mutex_unlock(&v->lock);
}

void hub_job_free(struct hub_job **job)
{
    struct hub_job *gone = *job;

    *job = NULL;
    if (gone == NULL)
        return;
    crypto_wipe(gone->data_key, sizeof gone->data_key);
    hub_party_drop(&gone->ask.from);
    hub_party_drop(&gone->act.by);
    buf_ref_drop(&gone->ask.bytes);
    buf_free(&gone->wrapped);
    hub_directory_drop(&gone->directory);
    arena_free(&gone->arena);
    free(gone);
}

void hub_job_done(struct hub_job **job)
{
    struct hub_job *j = *job;
    hub_done_fn *done = j->is_act ? j->act.done : j->ask.done;
    void *arg = j->is_act ? j->act.arg : j->ask.arg;

    const struct hub_outcome *o = &j->outcome;

    if (!j->is_act && j->ask.door == HUB_TAXII)
        hub_doors_count(j->hub, j->ask.from, (uint64_t)o->accepted + o->unchanged + o->held + o->refused);
    j->outcome.err = j->err.code != ERR_NONE ? &j->err : NULL;
    if (done != NULL)
        done(arg, &j->outcome);
    hub_job_free(job);
}

void hub_put_status(struct hub *h, struct buf *out)
{
    uint8_t root[LEDGER_HASH];
    struct arena a = ARENA_INIT;
    struct hub_link *links;

    pthread_mutex_lock(&h->ledger_lock);
    uint64_t size = h->tree.size;
    ledger_root(&h->tree, root);
    pthread_mutex_unlock(&h->ledger_lock);
    json_put_open(out, '{');
    json_put_text(out, "name", h->settings.name);
    json_put_text(out, "hub_id", h->settings.id);
    json_put_hex(out, "public_key", h->public_key, sizeof h->public_key);
    json_put_text(out, "url", h->settings.url);
    json_put_number(out, "rows", (int64_t)atomic_load(&h->head));
    json_put_number(out, "classes", atomic_load(&h->n_classes));
    json_put_number(out, "ledger_size", (int64_t)size);
    json_put_hex(out, "ledger_root", root, sizeof root);
    json_put_key(out, SLICE("links"));
    json_put_open(out, '[');
    size_t n = hub_links(h, &a, &links);
    for (size_t i = 0; i < n; i++) {
        json_put_open(out, '{');
        json_put_text(out, "partner", links[i].name);
        json_put_text(out, "url", links[i].url);
        json_put_text(out, "cursor", links[i].cursor);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    json_put_close(out, '}');
    arena_free(&a);
}

/* Delivery leaves: at most one a viewer and second, and only for those who were given something. */
static void note_deliveries(struct hub *h)
{
    uint32_t n = atomic_load(&h->n_viewers);
    struct act act = {.kind = HUB_DELIVERED};
    struct err err;

    for (uint32_t i = 1; i < n; i++) {
        struct hub_viewer *v = h->viewers[i];
        pthread_mutex_lock(&v->lock);
        bool some = v->objects != 0 || hub_recipients_changed(v);
        pthread_mutex_unlock(&v->lock);
        if (!some)
            continue;
        if (hub_act(h, &act, &err) != 0)
            log_event("deliveries_not_logged_yet", ERROR_FIELD(&err));
        return;
    }
}

void hub_tick(struct hub *h)
{
    note_deliveries(h);
    hub_bands_tick(h);
    hub_corroborate_tick(h);
    hub_followers_tick(h);
}

/* hub/commit.c: the committer, the only thread that writes. It takes what is waiting (recalls first), up to a group,
   into one durable transaction: journal rows, envelopes, ledger leaves, cursors; then shows the new head, wakes who
   follows and answers. What readers see in memory changes only after the transaction is durable; the index alone is
   changed inside and undone on failure. */
#include "hub/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/store_write.h"

enum { COMMIT_INSTANTS = HUB_GROUP_OBJECTS + 512 };

struct taken {
    uint64_t seq, id_hash, supersedes;
    bool hidden; /* not a new row: an old version that its owner hides */
};
struct hub_commit {
    struct hub *hub;
    struct arena arena;
    struct store_head head;
    struct ledger_tree tree;
    int64_t instants[COMMIT_INSTANTS];
    size_t n_instants, instant;
    struct taken *taken;
    size_t n_taken, room;
    struct hub_directory *directory; /* the new one, or NULL */
    struct {
        uint32_t viewer;
        struct hub_grant *grants;
        size_t n;
    } * granted;
    size_t n_granted;
    struct told {
        uint32_t viewer;
        uint64_t first_seq, last_seq, n;
        uint8_t root[CRYPTO_HASH];
    } * told;
    size_t n_told;
    struct given_back {
        uint64_t seq;
        struct slice id, reach; /* in the group's arena */
    } * again;
    size_t n_again, again_room;
    uint32_t classes_stored;
    struct hub_job *jobs[HUB_GROUP_OBJECTS], *next; /* next: taken, but for another group */
    size_t n_jobs;
    bool recalling;
    struct arena scratch; /* of one recall */
    struct store_reader *reader;
    bool sightings; /* some were counted */
    struct hub_reaches *reaches;
    bool recipients; /* some were stored */
};

/* A class stays in memory even when the transaction that brought it fails: it is stored with the next one. */
static int store_classes(struct hub_commit *c, struct err *err)
{
    uint32_t n = atomic_load(&c->hub->n_classes);

    for (; c->classes_stored < n; c->classes_stored++) {
        uint32_t i = c->classes_stored;
        char key[4] = {(char)(i >> 24), (char)(i >> 16), (char)(i >> 8), (char)i};
        if (store_put(c->hub->store, STORE_CLASS, slice_n(key, 4), c->hub->classes[i]->key, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- instants: a group's date_added are sorted random instants in (last, now], so that gaps do not count what is
 * denied ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void draw_instants(struct hub_commit *c, size_t n)
{
    int64_t last = c->head.last_added_us, now = time_now_us();
    int64_t upper = now > last + 2 * (int64_t)n ? now : last + 2 * (int64_t)n;

    /* After a pause the whole pause is the interval: what came in late in it is dated as if it came anywhere in it. A
     * second is enough to hide in. */
    if (upper - last > 1000000)
        last = upper - 1000000;
    c->n_instants = n < COMMIT_INSTANTS ? n : COMMIT_INSTANTS;
    /* One call for all: each is a system call. Of 2^64 the remainder favours nobody by more than 2^-40. */
    crypto_random(c->instants, c->n_instants * sizeof c->instants[0]);
    for (size_t i = 0; i < c->n_instants; i++)
        c->instants[i] = last + 1 + (int64_t)((uint64_t)c->instants[i] % (uint64_t)(upper - last));
    qsort(c->instants, c->n_instants, sizeof c->instants[0], by_value);
    c->instant = 0;
}

int64_t hub_commit_instant(struct hub_commit *c)
{
    int64_t drawn = c->instant < c->n_instants ? c->instants[c->instant] : 0;

    return drawn > c->head.last_added_us ? drawn : c->head.last_added_us + 1;
}

/* ---- what a transaction is made of ---- */

struct hub *hub_commit_hub(struct hub_commit *c)
{
    return c->hub;
}

struct arena *hub_commit_arena(struct hub_commit *c)
{
    return &c->arena;
}

uint64_t hub_commit_last_seq(const struct hub_commit *c)
{
    return c->head.next_seq - 1;
}

static void note_taken(struct hub_commit *c, uint64_t seq, uint64_t id_hash, uint64_t supersedes)
{
    if (c->n_taken == c->room) {
        c->room = c->room * 2 + 1024;
        c->taken = mem_grow(c->taken, c->room * sizeof *c->taken);
    }
    c->taken[c->n_taken++] = (struct taken){seq, id_hash, supersedes, false};
}

int hub_commit_row(struct hub_commit *c, struct store_row *row, uint64_t id_hash, int64_t reserve_us, struct err *err)
{
    uint64_t spare = row->kind == STORE_ADD || row->kind == STORE_EXPIRE ? HUB_ROWS_SPARE : 0;

    if (c->head.next_seq + spare >= c->hub->rows.most)
        return err_set(err, ERR_DISK_FULL, NULL, "this hub keeps %llu rows and no more",
                       (unsigned long long)c->hub->rows.most);
    row->added_us = hub_commit_instant(c);
    row->seq = c->head.next_seq;
    crypto_sha256(row->body, row->sha256);
    if (store_append(c->hub->store, row, err) != 0)
        return -1;
    c->instant++;
    c->head.next_seq++;
    c->head.last_added_us = row->added_us + reserve_us;
    hub_rows_take(&c->hub->rows, &(struct hub_row){.seq = row->seq,
                                                   .key = row->key,
                                                   .id_hash = id_hash,
                                                   .subject = row->subject_seq,
                                                   .source_us = row->source_us,
                                                   .added_us = row->added_us,
                                                   .facts_class = row->facts_class,
                                                   .kind = row->kind,
                                                   .bare = row->body.len == 0});
    note_taken(c, row->seq, id_hash, row->kind == STORE_RESTRICT ? 0 : row->subject_seq);
    hub_bands_row(c->hub, row->id, id_hash);
    return 0;
}

int hub_commit_state(struct hub_commit *c, enum store_table t, struct slice key, struct slice value, struct err *err)
{
    return value.ptr != NULL ? store_put(c->hub->store, t, key, value, err) : store_delete(c->hub->store, t, key, err);
}

int hub_commit_look(struct hub_commit *c, enum store_table t, struct slice key, struct buf *value_out, struct err *err)
{
    return store_look(c->hub->store, t, key, value_out, err);
}

int hub_commit_leaf(struct hub_commit *c, const uint8_t key[CRYPTO_KEY], struct slice record, uint64_t *leaf_out,
                    struct err *err)
{
    uint8_t salt[LEDGER_SALT], entry[LEDGER_HASH], leaf[LEDGER_HASH];
    struct buf salted = BUF_INIT, sealed = BUF_INIT;

    crypto_random(salt, sizeof salt);
    ledger_entry(salt, record, entry);
    ledger_leaf(entry, leaf);
    buf_put(&salted, slice_n((const char *)salt, sizeof salt));
    buf_put(&salted, record);
    crypto_seal(key, buf_slice(&salted), SLICE("leaf"), &sealed);
    *leaf_out = c->tree.size;
    int result = store_append_leaf(c->hub->store, c->tree.size, leaf, buf_slice(&sealed), err);
    if (result == 0)
        ledger_add(&c->tree, leaf);
    buf_free(&salted);
    buf_free(&sealed);
    return result;
}

void hub_commit_directory(struct hub_commit *c, struct hub_directory *d)
{
    hub_directory_drop(&c->directory);
    c->directory = d;
    hub_reaches_forget_audience(c->reaches);
}

struct hub_directory *hub_commit_directory_now(struct hub_commit *c)
{
    return c->directory != NULL ? c->directory : c->hub->directory; /* this thread alone swaps it */
}

void hub_commit_hide(struct hub_commit *c, uint64_t seq)
{
    note_taken(c, seq, 0, 0);
    c->taken[c->n_taken - 1].hidden = true;
}

static int store_viewer(struct hub_commit *c, uint32_t viewer, const struct hub_grant *grants, size_t n,
                        struct err *err)
{
    struct hub_viewer *v = c->hub->viewers[viewer];
    struct buf value = BUF_INIT;
    uint64_t delivered = atomic_load(&v->delivered);

    buf_put(&value, slice_n((const char *)&delivered, sizeof delivered));
    for (size_t i = 0; i < n; i++) {
        uint64_t pair[2] = {grants[i].facts_class, grants[i].from};
        buf_put(&value, slice_n((const char *)pair, sizeof pair));
    }
    struct slice key = arena_printf(&c->arena, "%u", viewer);
    int result = store_put(c->hub->store, STORE_VIEWER, key, buf_slice(&value), err);
    buf_free(&value);
    return result;
}

int hub_commit_viewer(struct hub_commit *c, uint32_t viewer, struct hub_grant *grants, size_t n, struct err *err)
{
    c->granted = mem_grow(c->granted, (c->n_granted + 1) * sizeof *c->granted);
    c->granted[c->n_granted].viewer = viewer;
    c->granted[c->n_granted].grants = grants;
    c->granted[c->n_granted++].n = n;
    return store_viewer(c, viewer, grants, n, err);
}

const struct hub_grant *hub_commit_grants(const struct hub_commit *c, uint32_t viewer, size_t *n_out)
{
    const struct hub_viewer *v = c->hub->viewers[viewer]; /* this thread alone changes them */

    for (size_t i = c->n_granted; i > 0; i--)
        if (c->granted[i - 1].viewer == viewer) {
            *n_out = c->granted[i - 1].n;
            return c->granted[i - 1].grants;
        }
    *n_out = v->n_grants;
    return v->grants;
}

void hub_commit_told(struct hub_commit *c, uint32_t viewer, uint64_t first_seq, uint64_t last_seq, uint64_t n,
                     const uint8_t root[CRYPTO_HASH])
{
    c->told = mem_grow(c->told, (c->n_told + 1) * sizeof *c->told);
    c->told[c->n_told] = (struct told){viewer, first_seq, last_seq, n, {0}};
    memcpy(c->told[c->n_told++].root, root, CRYPTO_HASH);
}

void hub_commit_recalls(struct hub_commit *c)
{
    if (!c->recalling)
        atomic_fetch_add(&c->hub->recalls, 1);
    c->recalling = true;
}

static void end_recalls(struct hub_commit *c)
{
    if (c->recalling)
        atomic_fetch_add(&c->hub->recalls, 1);
    c->recalling = false;
}

void hub_commit_again(struct hub_commit *c, uint64_t seq, struct slice id, struct slice reach)
{
    if (c->n_again == c->again_room) {
        c->again_room = c->again_room * 2 + 64;
        c->again = mem_grow(c->again, c->again_room * sizeof *c->again);
    }
    c->again[c->n_again++] = (struct given_back){seq, arena_copy(&c->arena, id), arena_copy(&c->arena, reach)};
}

struct hub_reaches **hub_commit_reaches(struct hub_commit *c)
{
    return &c->reaches;
}

struct store_reader *hub_commit_reader(struct hub_commit *c)
{
    return c->reader;
}

struct arena *hub_commit_scratch(struct hub_commit *c)
{
    return &c->scratch;
}

uint64_t hub_commit_envelope_number(const struct hub_commit *c)
{
    return c->head.next_envelope;
}

int hub_commit_envelope(struct hub_commit *c, const struct store_envelope *e, struct err *err)
{
    c->head.next_envelope++;
    return store_append_envelope(c->hub->store, e, err);
}

void hub_commit_recipients(struct hub_commit *c)
{
    c->recipients = true;
}

/* ---- groups ---- */

static bool is_fatal(const struct err *err)
{
    return err->code == ERR_STORE || err->code == ERR_DISK_FULL || err->code == ERR_SYSTEM;
}

/* It may have waited here while its credential was ended: that holds at once. */
static bool may_still(struct hub_commit *c, struct hub_job *job)
{
    const struct hub_party *by = job->is_act ? job->act.by : job->ask.from;

    if (by == NULL || by->credential == 0 || hub_party_is_good(hub_commit_directory_now(c), by))
        return true;
    err_set(&job->err, ERR_UNAUTHENTICATED, NULL, "this credential has ended");
    return false;
}

static int run_jobs(struct hub_commit *c, struct err *err)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct hub_job *job = c->jobs[i];
        struct err why = ERR_INIT;
        if (!may_still(c, job))
            continue;
        if ((job->is_act ? hub_act_run(c, job, &why) : hub_commit_submission(c, job, &why)) == 0)
            continue;
        if (!job->is_act || is_fatal(&why))
            return err_copy(err, &why);
        job->err = why; /* an act that is refused has written nothing */
    }
    return 0;
}

static int write_group(struct hub_commit *c, size_t objects, struct err *err)
{
    struct hub *h = c->hub;
    struct buf tree = BUF_INIT;

    if (store_begin(h->store, &c->head, err) != 0)
        return -1;
    c->tree = h->tree;
    draw_instants(c, objects);
    int result = run_jobs(c, err);
    ledger_put(&c->tree, &tree);
    if (result != 0 || store_classes(c, err) != 0 ||
        store_put(h->store, STORE_META, SLICE("tree"), buf_slice(&tree), err) != 0) {
        store_rollback(h->store);
        result = -1;
    }
    buf_free(&tree);
    return result == 0 ? store_commit(h->store, err) : -1;
}

static void undo_group(struct hub_commit *c, uint32_t classes_stored)
{
    for (size_t i = c->n_taken; i > 0; i--)
        if (!c->taken[i - 1].hidden)
            hub_rows_forget(&c->hub->rows, c->taken[i - 1].seq, c->taken[i - 1].id_hash);
    c->classes_stored = classes_stored;
    hub_directory_drop(&c->directory);
    for (size_t i = 0; i < c->n_granted; i++)
        free(c->granted[i].grants);
    for (size_t i = 0; i < c->n_told; i++)
        hub_viewer_delivered(c->hub, c->told[i].viewer, c->told[i].first_seq, c->told[i].last_seq, c->told[i].n,
                             c->told[i].root);
}

static void swap_grants(struct hub_commit *c)
{
    for (size_t i = 0; i < c->n_granted; i++) {
        struct hub_viewer *v = c->hub->viewers[c->granted[i].viewer];
        pthread_mutex_lock(&v->lock);
        free(v->grants);
        v->grants = c->granted[i].grants;
        v->n_grants = c->granted[i].n;
        hub_lists_drop(&v->lists);
        pthread_mutex_unlock(&v->lock);
    }
}

/* In this order: grants, directory, superseded rows, ids given anew, head. A reader takes the head first, then the
 * directory. */
static void show_group(struct hub_commit *c)
{
    struct hub *h = c->hub;

    swap_grants(c);
    if (c->directory != NULL) {
        pthread_mutex_lock(&h->directory_lock);
        struct hub_directory *old = h->directory;
        h->directory = c->directory;
        pthread_mutex_unlock(&h->directory_lock);
        hub_directory_drop(&old);
        c->directory = NULL;
    }
    for (size_t i = 0; i < c->n_taken; i++)
        if (c->taken[i].hidden)
            bits_set(&h->rows.hidden, c->taken[i].seq, true);
        else if (c->taken[i].supersedes != 0)
            hub_rows_supersede(&h->rows, c->taken[i].supersedes, c->taken[i].seq);
    for (size_t i = 0; i < c->n_again; i++)
        hub_again_put(h, c->again[i].seq, c->again[i].id, c->again[i].reach);
    pthread_mutex_lock(&h->ledger_lock);
    h->tree = c->tree;
    pthread_mutex_unlock(&h->ledger_lock);
    atomic_store(&h->ledger_size, c->tree.size);
    atomic_store(&h->head, c->head.next_seq - 1);
}

static void log_job(const struct hub_job *job)
{
    const struct hub_outcome *o = &job->outcome;

    if (!job->is_act && job->err.code == ERR_NONE)
        log_event("envelope_committed", NUM("envelope", o->envelope), NUM("leaf", o->leaf), NUM("objects", o->accepted),
                  NUM("held", o->held), NUM("refused", o->refused), NUM("first_seq", o->first_seq),
                  NUM("last_seq", o->last_seq), NUM("received_us", job->ask.received_us),
                  NUM("first_event_us", job->ask.first_event_us), NUM("took_us", time_now_us() - job->ask.received_us));
}

static void answer_group(struct hub_commit *c, const struct err *failed)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        if (failed != NULL) {
            c->jobs[i]->err = *failed;
            c->jobs[i]->outcome = (struct hub_outcome){.err = NULL}; /* nothing was written */
        } else {
            log_job(c->jobs[i]);
        }
        hub_job_done(&c->jobs[i]);
    }
}

static void run_group(struct hub_commit *c, size_t objects)
{
    struct err err = ERR_INIT;
    uint32_t classes_stored = c->classes_stored;
    int64_t begun = time_steady_us();
    bool moved = false;

    if (write_group(c, objects, &err) == 0) {
        moved = c->n_taken != 0 || c->directory != NULL;
        show_group(c);
        end_recalls(c);
        if (moved)
            hub_followers_wake(c->hub);
        if (c->recipients)
            hub_recipients_stored(c->hub, true);
        hub_bands_committed(c->hub);
        hub_corroborate_wake(c->hub);
        answer_group(c, NULL);
        if (moved)
            log_event("announced", NUM("head", c->head.next_seq - 1), NUM("rows", c->n_taken),
                      NUM("took_us", time_steady_us() - begun));
    } else {
        undo_group(c, classes_stored);
        if (c->recipients)
            hub_recipients_stored(c->hub, false);
        end_recalls(c);
        log_event("commit_failed", ERROR_FIELD(&err));
        answer_group(c, &err);
    }
    c->n_jobs = c->n_taken = c->n_granted = c->n_told = c->n_again = 0;
    c->sightings = false;
    c->reaches = NULL;
    c->recipients = false;
    arena_reset(&c->arena);
}

static size_t weight(const struct hub_job *job)
{
    return job->n_items + 4;
}

static void note_taken_job(struct hub_commit *c, const struct hub_job *job)
{
    if (!job->is_act && job->ask.from != NULL)
        atomic_fetch_sub(&c->hub->viewers[job->ask.from->viewer]->waiting, 1);
}

/* An act reads what is durable: it never shares a group with submissions that stand before it. One that walks a
   member's rows follows on nothing at all. */
static bool fits_group(const struct hub_commit *c, const struct hub_job *job)
{
    bool walks = job->is_act && (job->act.kind == HUB_MEMBER_COMPROMISE || job->act.kind == HUB_MEMBER_RELEASE);

    return !job->is_act || (!walks && c->jobs[c->n_jobs - 1]->is_act);
}

static size_t take_group(struct hub_commit *c, struct hub_job *job)
{
    size_t objects = 0;

    while (job != NULL) {
        if (c->n_jobs != 0 && !fits_group(c, job)) {
            c->next = job;
            break;
        }
        note_taken_job(c, job);
        c->jobs[c->n_jobs++] = job;
        objects += weight(job);
        bool full = objects >= HUB_GROUP_OBJECTS || c->n_jobs == HUB_GROUP_OBJECTS;
        job = full ? NULL : queue_try(c->hub->commits);
    }
    return objects;
}

static void *committer_main(void *arg)
{
    struct hub_commit *c = arg;

    for (;;) {
        struct hub_job *job = c->next != NULL ? c->next : queue_take(c->hub->commits, -1);
        c->next = NULL;
        if (job == NULL)
            break;
        run_group(c, take_group(c, job));
    }
    hub_reader_free(&c->reader);
    arena_free(&c->arena);
    arena_free(&c->scratch);
    free(c->taken);
    free(c->granted);
    free(c->told);
    free(c->again);
    free(c);
    return NULL;
}

int hub_commit_start(struct hub *h, struct err *err)
{
    struct hub_commit *c = mem_zero(1, sizeof *c);

    c->hub = h;
    c->classes_stored = atomic_load(&h->n_classes);
    c->reader = hub_reader_new(h, err);
    if (c->reader == NULL || pthread_create(&h->committer, NULL, committer_main, c) != 0) {
        hub_reader_free(&c->reader);
        free(c);
        return err != NULL && err->code != ERR_NONE
                   ? -1
                   : err_set(err, ERR_SYSTEM, NULL, "cannot start the committer's thread");
    }
    h->committer_runs = true;
    return 0;
}

void hub_commit_stop(struct hub *h)
{
    queue_close(h->commits);
    if (h->committer_runs)
        pthread_join(h->committer, NULL);
    h->committer_runs = false;
}

/* Recalls and acts overtake submissions, but no act of a party what the same party submitted before. */
static bool is_urgent(struct hub *h, const struct hub_job *job)
{
    if (job->is_act)
        return job->act.by == NULL || atomic_load(&h->viewers[job->act.by->viewer]->waiting) == 0;
    for (size_t i = 0; i < job->n_items; i++)
        if (job->items[i].kind == STORE_RETRACT && job->items[i].verdict == HUB_ACCEPTED)
            return true;
    return false;
}

bool hub_commit_put(struct hub *h, struct hub_job *job)
{
    atomic_uint *waiting = !job->is_act && job->ask.from != NULL ? &h->viewers[job->ask.from->viewer]->waiting : NULL;

    if (waiting != NULL) /* before the committer can take it */
        atomic_fetch_add(waiting, 1);
    if (queue_put(h->commits, job, is_urgent(h, job)))
        return true;
    if (waiting != NULL)
        atomic_fetch_sub(waiting, 1);
    return false;
}

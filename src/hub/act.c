/* hub/act.c: every change of what anybody may see that is not new content. An act checks everything before it writes
   anything; it runs in the committer's transaction. A bit of a view turns from 0 to 1 in no other way than by the
   widening rows made here (DESIGN.md section 7). */
#include "hub/internal.h"

#include <stdlib.h>

static const struct json_limits act_limits = {16, 10000, 1000, 1 << 20, 1 << 21};

static void run_queued(struct hub_worker *w, void *arg)
{
    struct hub_job *job = arg;

    if (hub_commit_put(w->hub, job))
        return;
    err_set(&job->err, ERR_BUSY, NULL, "");
    hub_job_done(&job);
}

int hub_act(struct hub *h, const struct act *act, struct err *err)
{
    struct hub_job *job = mem_zero(1, sizeof *job);

    job->hub = h;
    job->is_act = true;
    job->act = *act;
    job->act.by = hub_party_hold(act->by);
    job->act.detail = arena_copy(&job->arena, act->detail);
    /* Through a worker's queue where a party acts, so that it does not overtake what the same party submitted before.
     */
    if (atomic_load(&h->stopping))
        goto busy;
    if (act->by != NULL ? hub_work(h, act->by->owner + act->by->viewer, false, run_queued, job)
                        : hub_commit_put(h, job))
        return 0;
busy:
    hub_job_free(&job);
    return err_set(err, ERR_BUSY, NULL, "");
}

/* ---- rows of the directory ---- */

static struct slice text_of(struct arena *a, struct json row, const char *name)
{
    struct slice text = json_string(a, json_get(row, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
}

static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > 64)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.'))
            return false;
    }
    return true;
}

/* The new set of rows: the old ones with one put in, replaced or (value.ptr NULL) taken out. */
static struct hub_raw_row *rows_with(struct arena *a, const struct hub_directory *d, enum store_table table,
                                     struct slice key, struct slice value, size_t *n_out)
{
    struct hub_raw_row *rows = arena_array(a, struct hub_raw_row, d->n_members + d->n_partners + d->n_collections + 1);
    size_t n = 0;

    for (size_t i = 0; i < d->n_members; i++)
        rows[n++] = (struct hub_raw_row){STORE_MEMBER, d->members[i].name, d->members[i].row};
    for (size_t i = 0; i < d->n_partners; i++)
        rows[n++] = (struct hub_raw_row){STORE_PARTNER, d->partners[i].name, d->partners[i].row};
    for (size_t i = 0; i < d->n_collections; i++)
        rows[n++] = (struct hub_raw_row){STORE_COLLECTION, d->collections[i].id, d->collections[i].row};
    for (size_t i = 0; i < n; i++)
        if (rows[i].table == table && slice_eq(rows[i].key, key)) {
            rows[i] = rows[--n];
            break;
        }
    if (value.ptr != NULL)
        rows[n++] = (struct hub_raw_row){table, key, value};
    *n_out = n;
    return rows;
}

/* A new number for a member or partner; numbers are never used again, so that old reach bitmaps keep their meaning. */
static int new_viewer(struct hub_commit *c, uint32_t *number_out, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    uint32_t n = atomic_load(&h->n_viewers);

    if (n >= HUB_VIEWERS_MAX)
        return err_set(err, ERR_FORBIDDEN, NULL, "no more than %d members and partners ever", HUB_VIEWERS_MAX);
    struct hub_viewer *v = mem_zero(1, sizeof *v);
    pthread_mutex_init(&v->lock, NULL);
    h->viewers[n] = v;
    atomic_store(&h->n_viewers, n + 1);
    *number_out = n;
    return hub_commit_viewer(c, n, NULL, 0, err);
}

/* ---- what a change of the directory means for every viewer ---- */

struct change {
    uint32_t *gained, *lost; /* classes */
    size_t n_gained, n_lost;
    uint64_t from; /* the widening's row; 0: there was nothing to publish anew */
    bool widened;
};

static void compare_lists(struct arena *a, const struct hub_lists *old, const struct hub_lists *now, struct change *out)
{
    size_t i = 0, k = 0;

    *out = (struct change){.gained = arena_array(a, uint32_t, now->n), .lost = arena_array(a, uint32_t, old->n)};
    while (i < old->n || k < now->n) {
        uint32_t x = i < old->n ? old->lists[i].facts_class : UINT32_MAX;
        uint32_t y = k < now->n ? now->lists[k].facts_class : UINT32_MAX;
        if (x < y)
            out->lost[out->n_lost++] = x;
        else if (y < x)
            out->gained[out->n_gained++] = y;
        i += x <= y;
        k += y <= x;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool is_among(const uint32_t *sorted, size_t n, uint32_t one)
{
    return n != 0 && bsearch(&one, sorted, n, sizeof *sorted, by_number) != NULL;
}

static int store_grants(struct hub_commit *c, uint32_t viewer, const struct change *change, struct err *err)
{
    size_t n_old, n = 0;
    const struct hub_grant *old = hub_commit_grants(c, viewer, &n_old);
    struct hub_grant *grants = mem_zero(n_old + change->n_gained, sizeof *grants);

    for (size_t i = 0; i < n_old; i++)
        if (!is_among(change->lost, change->n_lost, old[i].facts_class) &&
            !is_among(change->gained, change->n_gained, old[i].facts_class))
            grants[n++] = old[i];
    for (size_t k = 0; k < change->n_gained && change->from != 0; k++)
        grants[n++] = (struct hub_grant){change->gained[k], change->from};
    return hub_commit_viewer(c, viewer, grants, n, err);
}

static bool same_gain(const struct change *a, const struct change *b)
{
    return a->n_gained == b->n_gained && memcmp(a->gained, b->gained, a->n_gained * sizeof *a->gained) == 0;
}

/* One row for all who gain the same: its cost is that of the classes, not of their viewers. */
static int widen(struct hub_commit *c, struct change *changes, uint32_t first, uint32_t n_viewers, struct err *err)
{
    const struct change *change = &changes[first];
    uint64_t upto = hub_commit_last_seq(c), n_objects, from = 0;
    struct bits classes = BITS_INIT, reach = BITS_INIT;
    struct buf grant = BUF_INIT;
    int result = 0;

    for (size_t i = 0; i < change->n_gained; i++)
        bits_set(&classes, change->gained[i], true);
    for (uint32_t v = first; v < n_viewers; v++)
        if (!changes[v].widened && same_gain(&changes[v], change))
            bits_set(&reach, v, true);
    n_objects = hub_count_class_rows(hub_commit_hub(c), &classes, upto);
    if (n_objects != 0) {
        struct store_row row = {
            .kind = STORE_WIDEN, .id = SLICE("widen"), .reach = slice_n((const char *)reach.words, reach.n_words * 8)};
        buf_put(&grant, slice_n((const char *)&n_objects, 8));
        buf_put(&grant, slice_n((const char *)&upto, 8));
        buf_put(&grant, slice_n((const char *)change->gained, change->n_gained * sizeof change->gained[0]));
        row.grant = buf_slice(&grant);
        result = hub_commit_row(c, &row, 0, (int64_t)n_objects, err);
        from = hub_commit_last_seq(c);
    }
    for (uint32_t v = first; v < n_viewers; v++)
        if (bits_has(&reach, v)) {
            changes[v].widened = true;
            changes[v].from = from;
        }
    bits_free(&classes);
    bits_free(&reach);
    buf_free(&grant);
    return result;
}

static int widen_all(struct hub_commit *c, struct change *changes, uint32_t n_viewers, struct err *err)
{
    for (uint32_t v = 1; v < n_viewers; v++) {
        if (changes[v].n_gained != 0 && !changes[v].widened && widen(c, changes, v, n_viewers, err) != 0)
            return -1;
        if ((changes[v].n_gained != 0 || changes[v].n_lost != 0) && store_grants(c, v, &changes[v], err) != 0)
            return -1;
    }
    return 0;
}

struct loser { /* of one class */
    uint32_t viewer;
    uint64_t from; /* the widening through which it had the older rows; 0: it had them at their own place */
    const struct loser *next;
};

static uint64_t grant_of(struct hub_commit *c, uint32_t viewer, uint32_t facts_class)
{
    size_t n;
    const struct hub_grant *grants = hub_commit_grants(c, viewer, &n);

    for (size_t i = 0; i < n; i++)
        if (grants[i].facts_class == facts_class)
            return grants[i].from;
    return 0;
}

static const struct loser **find_losers(struct hub_commit *c, const struct change *changes, uint32_t n_viewers,
                                        bool *any_out)
{
    struct arena *a = hub_commit_arena(c);
    const struct loser **losers = arena_array(a, const struct loser *, atomic_load(&hub_commit_hub(c)->n_classes));

    *any_out = false;
    for (uint32_t v = 1; v < n_viewers; v++)
        for (size_t i = 0; i < changes[v].n_lost; i++) {
            uint32_t facts_class = changes[v].lost[i];
            struct loser *one = arena_new(a, struct loser);
            *one = (struct loser){v, grant_of(c, v, facts_class), losers[facts_class]};
            losers[facts_class] = one;
            *any_out = true;
        }
    return losers;
}

static int restrict_row(struct hub_commit *c, const struct hub_directory *now, uint64_t seq, const struct loser *losers,
                        struct err *err)
{
    struct bits reach = BITS_INIT;
    int result = 0;

    for (const struct loser *l = losers; l != NULL; l = l->next)
        if (hub_may_hold(hub_commit_hub(c), l->viewer, seq, l->from))
            bits_set(&reach, l->viewer, true);
    if (bits_count(&reach) != 0)
        result = hub_commit_recall(
            c, &(struct hub_recall){.subject = seq, .kind = STORE_RESTRICT, .reach = &reach, .directory = now}, err);
    bits_free(&reach);
    return result;
}

/* Those who lose a class get a retraction of every row of it that they may hold: one row an object, whoever it reaches.
 */
static int restrict_rows(struct hub_commit *c, const struct hub_directory *now, const struct change *changes,
                         uint32_t n_viewers, struct err *err)
{
    const struct hub_rows *rows = &hub_commit_hub(c)->rows;
    uint64_t upto = hub_commit_last_seq(c);
    bool any;
    const struct loser **losers = find_losers(c, changes, n_viewers, &any);

    if (any)
        hub_commit_recalls(c);
    for (uint64_t seq = 1; any && seq <= upto; seq++) {
        const struct loser *of_class = losers[rows->facts_class[seq]];
        bool content = rows->kind[seq] == STORE_ADD || rows->kind[seq] == STORE_EXPIRE;
        if (content && of_class != NULL && !bits_has(&rows->superseded, seq) &&
            restrict_row(c, now, seq, of_class, err) != 0)
            return -1;
    }
    return 0;
}

static int change_views(struct hub_commit *c, const struct hub_directory *old, const struct hub_directory *now,
                        struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    uint32_t n = atomic_load(&h->n_viewers);
    struct change *changes = arena_array(hub_commit_arena(c), struct change, n);

    for (uint32_t v = 1; v < n; v++) {
        bool was = hub_directory_member_of(old, v) != NULL || hub_directory_partner_of(old, v) != NULL;
        bool is = hub_directory_member_of(now, v) != NULL || hub_directory_partner_of(now, v) != NULL;
        if (!was || !is)
            continue; /* who is new starts at 0 without such rows; who left reads no more, and keeps what it holds */
        struct hub_lists *before = hub_lists_decide(h, old, v), *after = hub_lists_decide(h, now, v);
        compare_lists(hub_commit_arena(c), before, after, &changes[v]);
        hub_lists_drop(&before);
        hub_lists_drop(&after);
    }
    return restrict_rows(c, now, changes, n, err) != 0 || widen_all(c, changes, n, err) != 0 ? -1 : 0;
}

static int put_row(struct hub_commit *c, struct hub_job *job, enum store_table table, struct slice key,
                   struct slice value, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_directory *old = hub_commit_directory_now(c), *now;
    struct buf record = BUF_INIT;
    size_t n;
    struct hub_raw_row *rows = rows_with(hub_commit_arena(c), old, table, key, value, &n);

    if (hub_directory_build(rows, n, h->committer_keys, old->epoch + 1, &now, err) != 0)
        return -1;
    if (change_views(c, old, now, err) != 0 || hub_commit_state(c, table, key, value, err) != 0) {
        hub_directory_drop(&now);
        if (err->code != ERR_DISK_FULL && err->code != ERR_SYSTEM)
            err->code = ERR_STORE; /* some of it is written: the whole group goes back */
        return -1;
    }
    json_put_open(&record, '{');
    json_put_text(&record, "act", SLICE("administer"));
    json_put_number(&record, "kind", job->act.kind);
    json_put_number(&record, "at_us", time_now_us());
    json_put_text(&record, "key", key);
    json_put_close(&record, '}');
    int result = hub_commit_leaf(c, h->record_key, buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    hub_commit_directory(c, now);
    return result;
}

/* Strings and lists that the command line sent, with what only the hub knows put in. */
static struct slice row_with(struct hub_job *job, struct json detail, const char *drop, struct slice append)
{
    struct buf out = BUF_INIT;
    struct json dropped = json_get(detail, slice_of(drop));
    struct json_edit edit = {dropped, {NULL, 0}, 0};

    json_splice(&out, detail, &edit, json_kind(dropped) != JSON_ABSENT ? 1 : 0, append);
    struct slice row = arena_copy(&job->arena, buf_slice(&out));
    buf_free(&out);
    return row;
}

static int put_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                     struct err *err)
{
    struct slice name = text_of(&job->arena, detail, "name");
    const struct hub_directory *d = hub_commit_directory_now(c);
    uint32_t viewer = 0;

    if (!is_name(name))
        return err_set(err, ERR_CONF_VALUE, "/name", "a name has 1 to 64 letters, digits, '-', '_' or '.'");
    if (hub_directory_member(d, name) != NULL || hub_directory_partner(d, name) != NULL)
        return err_set(err, ERR_CONF_VALUE, "/name", "there is a member or partner \"" SLICE_FMT "\" already",
                       SLICE_ARG(name));
    if (new_viewer(c, &viewer, err) != 0)
        return -1;
    /* The epoch sets a name that is given again apart from its earlier bearer: the handle in rows is another. */
    struct slice row =
        row_with(job, detail, "viewer", arena_printf(&job->arena, "\"viewer\":%u,\"epoch\":%u", viewer, viewer));
    job->outcome.detail = arena_printf(&job->arena, "{\"viewer\":%u}", viewer);
    return put_row(c, job, table, name, row, err);
}

/* The follow part alone: how this hub reads at that partner. */
static int follow_partner(struct hub_commit *c, struct hub_job *job, struct json detail, const struct hub_partner *p,
                          struct err *err)
{
    struct json row, follow = json_get(detail, SLICE("follow"));
    struct slice into = text_of(&job->arena, follow, "into");
    const struct hub_collection *collection = hub_directory_collection(hub_commit_directory_now(c), into);

    if (collection == NULL)
        return err_set(err, ERR_CONF_VALUE, "/follow/into", "no collection \"" SLICE_FMT "\" here", SLICE_ARG(into));
    struct json_edit edit = {json_get(follow, SLICE("into")),
                             arena_printf(&job->arena, "\"" SLICE_FMT "\"", SLICE_ARG(collection->id)), 0};
    struct buf text = BUF_INIT;
    buf_put(&text, SLICE("\"follow\":"));
    json_splice(&text, follow, &edit, 1, SLICE(""));
    if (json_parse(&job->arena, p->row, &act_limits, &row, err) != 0) {
        buf_free(&text);
        return -1;
    }
    struct slice changed = row_with(job, row, "follow", arena_copy(&job->arena, buf_slice(&text)));
    buf_free(&text);
    return put_row(c, job, STORE_PARTNER, p->name, changed, err);
}

/* Rows, agreements and signatures are told apart by it: never ours, and never that of two. */
static int check_hub_id(struct hub_commit *c, struct slice id, struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    char text[64] = "hub--";
    struct stix_id parts;

    if (id.len == 36)
        memcpy(text + 5, id.ptr, id.len);
    if (id.len != 36 || !stix_id_parse(slice_n(text, 5 + 36), &parts))
        return err_set(err, ERR_CONF_VALUE, "/hub_id", "a hub's id is a UUID (tocsin status shows it at the partner)");
    if (slice_eq(id, hub_commit_hub(c)->settings.id))
        return err_set(err, ERR_CONF_VALUE, "/hub_id", "this is this hub's own id");
    for (size_t i = 0; i < d->n_partners; i++)
        if (slice_eq(d->partners[i].hub_id, id))
            return err_set(err, ERR_CONF_VALUE, "/hub_id", "partner " SLICE_FMT " has this id",
                           SLICE_ARG(d->partners[i].name));
    return 0;
}

static int put_partner(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    const struct hub_partner *p = hub_directory_partner(d, text_of(&job->arena, detail, "name"));
    struct json out = json_get(json_get(detail, SLICE("agreement")), SLICE("collections_out"));

    if (p != NULL && json_kind(json_get(detail, SLICE("follow"))) == JSON_OBJECT)
        return follow_partner(c, job, detail, p, err);
    json_each (v, out)
        if (hub_directory_collection(d, json_string(&job->arena, v)) == NULL)
            return err_set(err, ERR_CONF_VALUE, "/agreement/collections_out", "no collection \"" SLICE_FMT "\" here",
                           SLICE_ARG(json_string(&job->arena, v)));
    if (check_hub_id(c, text_of(&job->arena, detail, "hub_id"), err) != 0)
        return -1;
    uint8_t key[CRYPTO_SIGN_PUBLIC];
    if (!crypto_hex(text_of(&job->arena, detail, "key"), key, sizeof key))
        return err_set(err, ERR_CONF_VALUE, "/key",
                       "the partner's public key is 64 hexadecimal digits (tocsin status shows it at the partner)");
    return put_party(c, job, detail, STORE_PARTNER, err);
}

/* A list of a collection's row: what is there, plus what is added, less what is dropped. */
static void put_names(struct hub_job *job, struct buf *out, const char *name, struct json old, struct json add,
                      struct json drop)
{
    struct arena *a = &job->arena;

    json_put_key(out, slice_of(name));
    json_put_open(out, '[');
    for (int pass = 0; pass < 2; pass++)
        json_each (v, pass == 0 ? old : add) {
            struct slice word = json_string(a, v);
            bool out_of_it = false;
            json_each (gone, drop)
                out_of_it = out_of_it || slice_eq(json_string(a, gone), word);
            for (struct json seen = json_first(old); pass == 1 && json_kind(seen) != JSON_ABSENT;
                 seen = json_next(seen))
                out_of_it = out_of_it || slice_eq(json_string(a, seen), word);
            if (!out_of_it)
                json_put_string(out, word);
        }
    json_put_close(out, ']');
}

static void put_text_or_old(struct hub_job *job, struct buf *out, const char *name, struct json detail, struct json old)
{
    struct json from = json_kind(json_get(detail, slice_of(name))) == JSON_STRING ? detail : old;

    json_put_text(out, name, text_of(&job->arena, from, name));
}

/* detail: name, title, description, open, add_recipients, drop_recipients, add_partners, drop_partners: what is missing
 * stays. */
static int put_collection(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct slice name = text_of(&job->arena, detail, "name");
    const struct hub_collection *known = hub_directory_collection(hub_commit_directory_now(c), name);
    struct json old = {NULL, 0};
    struct buf row = BUF_INIT;
    bool open = false;
    char id[36];

    if (!is_name(name))
        return err_set(err, ERR_CONF_VALUE, "/name", "a name has 1 to 64 letters, digits, '-', '_' or '.'");
    if (known != NULL && json_parse(&job->arena, known->row, &act_limits, &old, err) != 0)
        return -1;
    if (!json_bool(json_get(detail, SLICE("open")), &open))
        json_bool(json_get(old, SLICE("open")), &open);
    crypto_uuid_random(id);
    struct slice key = known != NULL ? known->id : arena_copy(&job->arena, slice_n(id, sizeof id));
    json_put_open(&row, '{');
    json_put_text(&row, "id", key);
    json_put_text(&row, "name", known != NULL ? known->name : name);
    put_text_or_old(job, &row, "title", detail, old);
    put_text_or_old(job, &row, "description", detail, old);
    json_put_key(&row, SLICE("open"));
    json_put_bool(&row, open);
    put_names(job, &row, "recipients", json_get(old, SLICE("recipients")), json_get(detail, SLICE("add_recipients")),
              json_get(detail, SLICE("drop_recipients")));
    put_names(job, &row, "partners", json_get(old, SLICE("partners")), json_get(detail, SLICE("add_partners")),
              json_get(detail, SLICE("drop_partners")));
    json_put_close(&row, '}');
    job->outcome.detail = arena_copy(&job->arena, buf_slice(&row));
    buf_free(&row);
    return put_row(c, job, STORE_COLLECTION, key, job->outcome.detail, err);
}

static int remove_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                        struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    struct slice name = text_of(&job->arena, detail, "name");

    if (table == STORE_MEMBER ? hub_directory_member(d, name) == NULL : hub_directory_partner(d, name) == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "no such %s: \"" SLICE_FMT "\"",
                       table == STORE_MEMBER ? "member" : "partner", SLICE_ARG(name));
    return put_row(c, job, table, name, slice_n(NULL, 0), err);
}

/* ---- TAXII DELETE: detail {"collection": id, "id": the release's, "all", "first", "last", "times"} by its owner ----
 */

/* The member's own current rows of this id: one, or for a deterministic SCO one a class. */
static size_t find_own(struct hub *h, const struct hub_member *m, struct slice collection, struct slice id,
                       struct arena *a, uint64_t **seqs_out)
{
    size_t n = hub_rows_candidates(&h->rows, hub_id_hash(id), a, seqs_out), own = 0;
    uint64_t *seqs = *seqs_out, plain = hub_row_key(m->owner_text, collection, id, SLICE(""));

    for (size_t i = 0; i < n; i++) {
        uint64_t key = h->rows.key[seqs[i]];
        const struct hub_class *of = h->classes[h->rows.facts_class[seqs[i]]];
        if (key == plain || key == hub_row_key(m->owner_text, collection, id, of->key))
            seqs[own++] = seqs[i];
    }
    return own;
}

static int delete_row(struct hub_commit *c, const struct hub_member *m, uint64_t seq, struct err *err)
{
    struct bits reach = BITS_INIT;
    struct hub_recall recall = {.subject = seq,
                                .kind = STORE_RETRACT,
                                .deleted = true,
                                .by = m->viewer,
                                .reach = &reach,
                                .directory = hub_commit_directory_now(c)};

    hub_commit_reach(c, seq, &reach);   /* of what is retracted already too: this row takes that one's place */
    bits_set(&reach, m->viewer, false); /* for its owner it is simply gone */
    int result = hub_commit_recall(c, &recall, err);
    bits_free(&reach);
    return result;
}

static bool names_version(struct json detail, const struct hub_rows *rows, uint64_t seq)
{
    int64_t us;
    bool first = false;

    json_bool(json_get(detail, SLICE("first")), &first);
    if (first && rows->subject[seq] == 0)
        return true;
    json_each (v, json_get(detail, SLICE("times")))
        if (json_int(v, &us) && us == rows->source_us[seq])
            return true;
    return false;
}

/* Of single versions: its owner no longer sees them; what others were given stays in the record. The last one stands
 * for the object and cannot go alone. */
static int hide_versions(struct hub_commit *c, struct json detail, uint64_t last, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    bool of_last = false;
    size_t n = 0;

    json_bool(json_get(detail, SLICE("last")), &of_last);
    if (of_last || names_version(detail, &h->rows, last))
        return err_set(err, ERR_BAD_REQUEST, "match[version]",
                       "the last version stands for the object: delete all versions, or submit a newer one");
    for (uint64_t seq = h->rows.subject[last]; seq != 0; seq = h->rows.subject[seq]) {
        if (!names_version(detail, &h->rows, seq) || bits_has(&h->rows.hidden, seq))
            continue;
        if (hub_commit_state(c, STORE_HIDDEN, arena_printf(hub_commit_arena(c), "%llu", (unsigned long long)seq),
                             SLICE(""), err) != 0)
            return -1;
        hub_commit_hide(c, seq);
        n++;
    }
    return n != 0 ? 0 : err_set(err, ERR_NOT_FOUND, NULL, "no such version");
}

static int delete_object(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    uint64_t before = hub_commit_last_seq(c);
    const struct hub_member *m = hub_directory_member_of(hub_commit_directory_now(c), job->act.by->viewer);
    uint64_t *seqs;
    size_t n = m != NULL ? find_own(h, m, text_of(&job->arena, detail, "collection"),
                                    text_of(&job->arena, detail, "id"), &job->arena, &seqs)
                         : 0;
    struct buf record = BUF_INIT;
    int result = 0;
    bool all;

    if (n == 0)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such object");
    if (!json_bool(json_get(detail, SLICE("all")), &all) || !all)
        return hide_versions(c, detail, seqs[0], err);
    for (size_t i = 0; i < n && result == 0; i++)
        result = delete_row(c, m, seqs[i], err);
    if (result != 0 && hub_commit_last_seq(c) != before && err->code != ERR_DISK_FULL)
        err->code = ERR_STORE; /* some of it is written: the whole group goes back */
    json_put_open(&record, '{');
    json_put_text(&record, "act", SLICE("delete"));
    json_put_number(&record, "at_us", time_now_us());
    json_put_number(&record, "seq", (int64_t)seqs[0]);
    json_put_close(&record, '}');
    if (result == 0)
        result = hub_commit_leaf(c, h->record_key, buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    return result;
}

/* ---- deliveries: one leaf a viewer for what it was given since the last one ---- */

static int deliver_leaf(struct hub_commit *c, uint32_t viewer, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_viewer *v = h->viewers[viewer];
    struct buf record = BUF_INIT;
    uint8_t root[CRYPTO_HASH];
    uint64_t leaf;
    size_t n;

    pthread_mutex_lock(&v->lock);
    uint64_t from = v->from_seq, to = v->to_seq, objects = v->objects;
    memcpy(root, v->root, sizeof root);
    v->from_seq = v->to_seq = v->objects = 0;
    memset(v->root, 0, sizeof v->root);
    pthread_mutex_unlock(&v->lock);
    if (objects == 0)
        return 0;
    hub_commit_told(c, viewer, from, to, objects, root);
    json_put_open(&record, '{');
    json_put_text(&record, "act", SLICE("deliver"));
    json_put_number(&record, "at_us", time_now_us());
    json_put_number(&record, "viewer", viewer);
    json_put_number(&record, "directory", (int64_t)hub_commit_directory_now(c)->epoch);
    json_put_number(&record, "first_seq", (int64_t)from);
    json_put_number(&record, "last_seq", (int64_t)to);
    json_put_number(&record, "objects", (int64_t)objects);
    json_put_key(&record, SLICE("root"));
    buf_put_byte(&record, '"');
    crypto_put_hex(&record, root, sizeof root);
    buf_put_byte(&record, '"');
    json_put_close(&record, '}');
    int result = hub_commit_leaf(c, h->record_key, buf_slice(&record), &leaf, err);
    buf_free(&record);
    if (result != 0)
        return -1;
    const struct hub_grant *now = hub_commit_grants(c, viewer, &n);
    struct hub_grant *grants = mem_zero(n, sizeof *grants);
    if (n != 0)
        memcpy(grants, now, n * sizeof *grants);
    return hub_commit_viewer(c, viewer, grants, n, err);
}

static int deliveries(struct hub_commit *c, struct err *err)
{
    uint32_t n = atomic_load(&hub_commit_hub(c)->n_viewers);

    for (uint32_t v = 1; v < n; v++)
        if (deliver_leaf(c, v, err) != 0)
            return -1;
    return 0;
}

int hub_act_run(struct hub_commit *c, struct hub_job *job, struct err *err)
{
    struct json detail = {NULL, 0};

    if (job->act.kind == HUB_DELIVERED)
        return deliveries(c, err);
    if (json_parse(&job->arena, job->act.detail, &act_limits, &detail, err) != 0)
        return -1;
    switch (job->act.kind) {
    case HUB_MEMBER_PUT:
        return put_party(c, job, detail, STORE_MEMBER, err);
    case HUB_MEMBER_REMOVE:
        return remove_party(c, job, detail, STORE_MEMBER, err);
    case HUB_COLLECTION_PUT:
        return put_collection(c, job, detail, err);
    case HUB_PARTNER_PUT:
        return put_partner(c, job, detail, err);
    case HUB_PARTNER_REMOVE:
        return remove_party(c, job, detail, STORE_PARTNER, err);
    case HUB_DELETE:
        return delete_object(c, job, detail, err);
    case HUB_DELIVERED:
        break;
    }
    return err_set(err, ERR_BAD_REQUEST, NULL, "no such act");
}

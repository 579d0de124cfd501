/* hub/compromise.c: a member's key is in other hands. In one act all that signs the member in ends, and what it sent
   since an instant is held: everybody else gets a restriction of what they hold, and the object's row is moved, by a
   version of the same bytes, to a class that nobody but its submitter sees. Restricted and not retracted: revocation by
   its submitter is final, and most of it may be good. Once reviewed it is released: moved back, by a further version,
   to the class that it had; who lost it reads it under another id (again.c). An object of which any version came since
   then is held whole. Runs in the committer's transaction; looks at HUB_SENT_MAX rows at a time.

   detail: {"name", "since_us", "after"?: the last answer's "next", "dry_run"?: look, and change nothing}.
   outcome.detail: {"member", "since", "credentials": [{"name","kind"}], "invitation", "streams",
     "objects": [{"collection","type","count"}]: held, or released; "retracted": rows since then that are final,
     "reports": sightings taken out of their bands, "members", "partners": how many may hold some of it,
     "next": where to go on; 0: that was all} */
#include "hub/doors.h"

struct tally {
    struct slice collection, type;
    int64_t n;
};
struct move {
    uint64_t seq;
    uint32_t facts_class; /* where it goes; of a dry run where it is */
};
struct plan {
    struct hub_commit *c;
    struct hub *hub;
    struct arena *arena;        /* of the job */
    struct slice name;          /* of the member */
    const struct hub_member *m; /* NULL once its row has changed */
    uint32_t viewer;
    uint64_t owner, after, next;
    int64_t since_us, retracted, streams;
    bool release, dry_run, invitation;
    struct move *moves;
    struct slice *reports; /* ids */
    struct tally *tallies;
    size_t n_moves, n_reports, n_tallies;
    struct bits seen, reach;
    struct buf credentials; /* the list as JSON */
    size_t n_credentials;
};

static const struct share_facts *facts_at(const struct plan *p, uint64_t seq)
{
    return &hub_class_of(p->hub, p->hub->rows.facts_class[seq])->facts;
}

/* ---- where a row goes ---- */

/* The one class a collection and type that hides: as bands have it that are out no more. */
static int class_to_hold(struct plan *p, const struct share_facts *f, uint32_t *class_out, struct err *err)
{
    struct share_facts hidden = {
        .collection = f->collection, .type = f->type, .tlp = 1u << SHARE_RED, .own_only = true};
    struct buf key = BUF_INIT;
    bool fresh;
    int result = 0;

    share_facts_put(&hidden, &key);
    if (!hub_class_is_known(p->hub, buf_slice(&key)) && atomic_load(&p->hub->n_classes) >= HUB_CLASSES_MAX)
        result = err_set(err, ERR_FORBIDDEN, NULL, "this hub keeps no further kinds of objects");
    else
        *class_out = hub_class_number(p->hub, buf_slice(&key), &fresh);
    buf_free(&key);
    return result;
}

/* A row that holds is its object's version over again, hidden: the one that it hid tells where the object was. */
static bool class_before(const struct plan *p, uint64_t held, uint32_t *class_out)
{
    const struct hub_rows *rows = &p->hub->rows;

    for (uint64_t seq = hub_row_subject(rows, held); seq != 0; seq = hub_row_subject(rows, seq))
        if (rows->source_us[seq] == rows->source_us[held] && !facts_at(p, seq)->own_only) {
            *class_out = rows->facts_class[seq];
            return true;
        }
    return false;
}

/* ---- what there is ---- */

static void count(struct plan *p, const struct share_facts *f)
{
    size_t i = 0;

    while (i < p->n_tallies &&
           (!slice_eq(p->tallies[i].collection, f->collection) || !slice_eq(p->tallies[i].type, f->type)))
        i++;
    if (i == p->n_tallies)
        p->tallies[p->n_tallies++] = (struct tally){f->collection, f->type, 0};
    p->tallies[i].n++;
}

static int plan_report(struct plan *p, uint64_t seq, struct err *err)
{
    struct store_row row;

    if (p->release || !slice_eq(facts_at(p, seq)->type, SLICE("sighting")))
        return 0;
    if (hub_read_row(hub_commit_reader(p->c), p->hub, seq, p->viewer, hub_commit_scratch(p->c), &row, err) != 0)
        return -1;
    p->reports[p->n_reports++] = arena_copy(p->arena, row.id);
    return 0;
}

/* `seq` stands for the object now. */
static int plan_object(struct plan *p, uint64_t seq, struct err *err)
{
    struct move move = {seq, p->hub->rows.facts_class[seq]};
    const struct share_facts *f = facts_at(p, seq);

    if (p->release) {
        if (!f->own_only || !class_before(p, seq, &move.facts_class))
            return 0;
    } else if (f->own_only) {
        uint32_t before;
        return class_before(p, seq, &before) ? 0 : plan_report(p, seq, err);
    } else {
        hub_commit_reach(p->c, seq, &p->reach);
        if (!p->dry_run && class_to_hold(p, f, &move.facts_class, err) != 0)
            return -1;
    }
    count(p, f);
    p->moves[p->n_moves++] = move;
    return 0;
}

static int plan_row(struct plan *p, uint64_t seq, struct err *err)
{
    struct hub_rows *rows = &p->hub->rows;
    uint64_t now = hub_row_latest(rows, seq, atomic_load(&p->hub->head));
    int64_t received_us;

    if (bits_has(&p->seen, now))
        return 0;
    int result =
        hub_row_received(hub_commit_reader(p->c), p->hub, seq, p->viewer, hub_commit_scratch(p->c), &received_us, err);
    arena_reset(hub_commit_scratch(p->c));
    if (result != 0 || received_us < p->since_us)
        return result;
    bits_set(&p->seen, now, true);
    if (rows->kind[now] != STORE_ADD && rows->kind[now] != STORE_EXPIRE) {
        p->retracted += rows->kind[seq] == STORE_RETRACT;
        return 0;
    }
    result = plan_object(p, now, err);
    arena_reset(hub_commit_scratch(p->c));
    return result;
}

static int plan_rows(struct plan *p, struct err *err)
{
    uint64_t *seqs;
    size_t n;

    if (hub_sent_rows(hub_commit_reader(p->c), p->hub, p->owner, p->since_us, p->after, p->arena, &seqs, &n, &p->next,
                      err) != 0)
        return -1;
    p->moves = arena_array(p->arena, struct move, n);
    p->reports = arena_array(p->arena, struct slice, n);
    p->tallies = arena_array(p->arena, struct tally, n);
    for (size_t i = 0; i < n; i++)
        if (plan_row(p, seqs[i], err) != 0)
            return -1;
    bits_set(&p->reach, p->viewer, false); /* whoever submitted it keeps it */
    return 0;
}

static void plan_credentials(struct plan *p)
{
    struct hub_viewer *v = p->hub->viewers[p->viewer];
    struct json row;

    json_put_open(&p->credentials, '[');
    for (size_t i = 0; i < p->m->n_credentials; i++) {
        const struct hub_credential *one = &p->m->credentials[i];
        json_put_open(&p->credentials, '{');
        json_put_text(&p->credentials, "name", one->name);
        json_put_text(&p->credentials, "kind", slice_of(hub_credential_kind_word(one->kind)));
        json_put_close(&p->credentials, '}');
    }
    json_put_close(&p->credentials, ']');
    p->n_credentials = p->m->n_credentials;
    p->invitation = json_parse(p->arena, p->m->row, &hub_act_limits, &row, NULL) == 0 &&
                    json_kind(json_get(row, SLICE("invitation"))) == JSON_OBJECT;
    pthread_mutex_lock(&v->lock);
    for (const struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        p->streams += r->streams;
    pthread_mutex_unlock(&v->lock);
}

/* ---- doing it ---- */

static int move_row(struct plan *p, const struct move *move, struct err *err)
{
    struct store_row row;

    if (hub_commit_restrict_losers(p->c, move->seq, move->facts_class, err) != 0 ||
        hub_read_row(hub_commit_reader(p->c), p->hub, move->seq, p->viewer, hub_commit_scratch(p->c), &row, err) != 0)
        return -1;
    row.facts_class = move->facts_class;
    row.subject_seq = move->seq;
    int result = hub_commit_row(p->c, &row, hub_id_hash(row.id), 0, err);
    arena_reset(hub_commit_scratch(p->c));
    if (result != 0)
        return -1;
    /* To its owner it is one version, of one instant: it reads the last row of it alone. */
    hub_commit_hide(p->c, move->seq);
    return hub_commit_state(p->c, STORE_HIDDEN, arena_printf(p->arena, "%llu", (unsigned long long)move->seq),
                            SLICE(""), err);
}

static int put_leaf(struct plan *p, struct hub_job *job, struct err *err)
{
    struct buf record = BUF_INIT;

    json_put_open(&record, '{');
    json_put_text(&record, "act", p->release ? SLICE("release") : SLICE("compromise"));
    json_put_number(&record, "at_us", time_now_us());
    json_put_text(&record, "key", p->name);
    json_put_number(&record, "since_us", p->since_us);
    json_put_number(&record, "objects", (int64_t)p->n_moves);
    json_put_number(&record, "last_seq", (int64_t)hub_commit_last_seq(p->c));
    json_put_close(&record, '}');
    int result = hub_commit_leaf(p->c, p->hub->record_key, buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    return result;
}

static int carry_out(struct plan *p, struct hub_job *job, struct err *err)
{
    bool opens = !p->release && (p->n_credentials != 0 || p->invitation);
    int result = opens ? hub_credentials_end(p->c, p->arena, p->m, err) : 0;

    p->m = NULL;
    for (size_t i = 0; i < p->n_reports && result == 0; i++)
        result = hub_sighting_deleted(p->c, p->owner, p->reports[i], err);
    for (size_t i = 0; i < p->n_moves && result == 0; i++)
        result = move_row(p, &p->moves[i], err);
    if (result == 0 && (opens || p->n_reports != 0 || p->n_moves != 0))
        result = put_leaf(p, job, err);
    if (result != 0 && err->code != ERR_DISK_FULL && err->code != ERR_SYSTEM)
        err->code = ERR_STORE; /* some of it may be written: the whole group goes back */
    return result;
}

/* ---- the answer ---- */

static void put_objects(const struct plan *p, struct buf *out)
{
    const struct hub_directory *d = hub_commit_directory_now(p->c);

    json_put_key(out, SLICE("objects"));
    json_put_open(out, '[');
    for (size_t i = 0; i < p->n_tallies; i++) {
        const struct hub_collection *c = hub_directory_collection(d, p->tallies[i].collection);
        json_put_open(out, '{');
        json_put_text(out, "collection", c != NULL ? c->name : p->tallies[i].collection);
        json_put_text(out, "type", p->tallies[i].type);
        json_put_number(out, "count", p->tallies[i].n);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_holders(const struct plan *p, struct buf *out)
{
    const struct hub_directory *d = hub_commit_directory_now(p->c);
    int64_t members = 0, partners = 0;

    for (size_t i = 0; i < d->n_members; i++)
        members += bits_has(&p->reach, d->members[i].viewer);
    for (size_t i = 0; i < d->n_partners; i++)
        partners += bits_has(&p->reach, d->partners[i].viewer);
    json_put_number(out, "members", members);
    json_put_number(out, "partners", partners);
}

static void put_answer(struct plan *p, struct hub_job *job)
{
    struct buf out = BUF_INIT;
    char since[TIME_TEXT];

    time_put(since, p->since_us);
    json_put_open(&out, '{');
    json_put_text(&out, "member", p->name);
    json_put_text(&out, "since", slice_n(since, sizeof since));
    if (!p->release) {
        json_put_key(&out, SLICE("credentials"));
        json_put_raw(&out, buf_slice(&p->credentials));
        json_put_key(&out, SLICE("invitation"));
        json_put_bool(&out, p->invitation);
        json_put_number(&out, "streams", p->streams);
    }
    put_objects(p, &out);
    if (!p->release) {
        json_put_number(&out, "retracted", p->retracted);
        json_put_number(&out, "reports", (int64_t)p->n_reports);
        put_holders(p, &out);
    }
    json_put_number(&out, "next", (int64_t)p->next);
    json_put_close(&out, '}');
    job->outcome.detail = arena_copy(&job->arena, buf_slice(&out));
    buf_free(&out);
}

static int read_detail(struct plan *p, struct json detail, struct err *err)
{
    int64_t after = 0;

    p->name = hub_text_of(p->arena, detail, "name");
    p->m = hub_directory_member(hub_commit_directory_now(p->c), p->name);
    if (p->m == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "no such member");
    if (!json_int(json_get(detail, SLICE("since_us")), &p->since_us) || p->since_us < 0 || p->since_us > time_now_us())
        return err_set(err, ERR_CONF_VALUE, "/since_us", "since when: an instant of the past");
    json_int(json_get(detail, SLICE("after")), &after);
    if (after < 0 || (uint64_t)after > atomic_load(&p->hub->head))
        return err_set(err, ERR_CONF_VALUE, "/after", "what the last answer named");
    json_bool(json_get(detail, SLICE("dry_run")), &p->dry_run);
    p->after = (uint64_t)after;
    p->viewer = p->m->viewer;
    p->owner = p->m->owner;
    return 0;
}

int hub_compromise_act(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct plan p = {.c = c,
                     .hub = hub_commit_hub(c),
                     .arena = &job->arena,
                     .release = job->act.kind == HUB_MEMBER_RELEASE,
                     .seen = BITS_INIT,
                     .reach = BITS_INIT,
                     .credentials = BUF_INIT};
    int result = read_detail(&p, detail, err);

    if (result == 0 && !p.release)
        plan_credentials(&p);
    if (result == 0)
        result = plan_rows(&p, err);
    if (result == 0 && !p.dry_run)
        result = carry_out(&p, job, err);
    if (result == 0)
        put_answer(&p, job);
    bits_free(&p.seen);
    bits_free(&p.reach);
    buf_free(&p.credentials);
    return result;
}

/* hub/act.c: every change of what anybody may see that is not new content. An act checks everything before it writes
   anything; it runs in the committer's transaction. */
#include "hub/doors.h"

const struct json_limits hub_act_limits = {16, 10000, 1000, 1 << 20, 1 << 21};

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

struct slice hub_text_of(struct arena *a, struct json row, const char *name)
{
    struct slice text = json_string(a, json_get(row, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
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
        /* What was held and released was moved between classes: its key is of the first. */
        const struct hub_class *of = h->classes[h->rows.facts_class[hub_row_first(&h->rows, seqs[i])]];
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

    hub_commit_reach(c, seq, &reach);  /* of what is retracted already too: this row takes that one's place */
    bits_set(&reach, m->viewer, true); /* its own sensors follow too; a page shows its owner nothing of it */
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
    size_t n = m != NULL ? find_own(h, m, hub_text_of(&job->arena, detail, "collection"),
                                    hub_text_of(&job->arena, detail, "id"), &job->arena, &seqs)
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
    if (result == 0)
        result = hub_sighting_deleted(c, m->owner, hub_text_of(&job->arena, detail, "id"), err);
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

int hub_act_run(struct hub_commit *c, struct hub_job *job, struct err *err)
{
    struct json detail = {NULL, 0};

    if (job->act.kind == HUB_DELIVERED)
        return hub_commit_deliveries(c, err);
    if (json_parse(&job->arena, job->act.detail, &hub_act_limits, &detail, err) != 0)
        return -1;
    switch (job->act.kind) {
    case HUB_MEMBER_PUT:
        return hub_commit_put_party(c, job, detail, STORE_MEMBER, err);
    case HUB_MEMBER_CHANGE:
        return hub_commit_change_member(c, job, detail, err);
    case HUB_MEMBER_REMOVE:
        return hub_commit_remove_party(c, job, detail, STORE_MEMBER, err);
    case HUB_COLLECTION_PUT:
        return hub_commit_put_collection(c, job, detail, err);
    case HUB_PARTNER_PUT:
        return hub_commit_put_partner(c, job, detail, err);
    case HUB_PARTNER_REMOVE:
        return hub_commit_remove_party(c, job, detail, STORE_PARTNER, err);
    case HUB_DELETE:
        return delete_object(c, job, detail, err);
    case HUB_CREDENTIAL_PUT:
        return hub_credential_put(c, job, detail, err);
    case HUB_CREDENTIAL_REMOVE:
        return hub_credential_remove(c, job, detail, err);
    case HUB_RECEIPT:
        return hub_receipt_act(c, job, detail, err);
    case HUB_INVITE:
        return hub_invite(c, job, detail, err);
    case HUB_CERTIFY:
        return hub_certify_put(c, job, detail, err);
    case HUB_MEMBER_COMPROMISE:
    case HUB_MEMBER_RELEASE:
        return hub_compromise_act(c, job, detail, err);
    case HUB_DELIVERED:
        break;
    }
    return err_set(err, ERR_BAD_REQUEST, NULL, "no such act");
}

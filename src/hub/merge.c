/* hub/merge.c: submissions in the committer's transaction: what is known already by owner and id, and the rows, the
   leaf and the envelope that are written of the rest. */
#include "hub/internal.h"

static void place_instant(struct slice body, size_t at, int64_t us)
{
    if (at != SIZE_MAX)
        time_put((char *)(uintptr_t)body.ptr + at, us); /* our own arena's bytes, made with room for it */
}

/* Known already, by owner and id? Returns false when no row is to be written. */
static bool merge_item(struct hub_commit *c, struct hub_item *item, uint64_t *subject_out)
{
    struct hub_rows *rows = &hub_commit_hub(c)->rows;
    uint64_t known = hub_rows_find(rows, item->id_hash, item->key);
    bool tombstone = item->object.type.len == 0 && !item->by_hub;

    *subject_out = known;
    if (known == 0) {
        bool recall = item->kind == STORE_RETRACT || item->kind == STORE_RESTRICT;
        if (tombstone || (recall && item->source.len != 0))
            item->verdict = HUB_UNCHANGED; /* about something that never came here */
        if (!recall)                       /* a member's is kept for itself, and is final */
            item->kind = STORE_ADD;
        return item->verdict == HUB_ACCEPTED;
    }
    if (tombstone) {
        if (rows->kind[known] == STORE_RETRACT || rows->kind[known] == item->kind)
            item->verdict = HUB_UNCHANGED;
        return item->verdict == HUB_ACCEPTED;
    }
    if (item->source_us == rows->source_us[known] || rows->kind[known] == STORE_RETRACT) {
        item->verdict = HUB_UNCHANGED;
        if (item->source_us > rows->source_us[known]) {
            item->verdict = HUB_REFUSED;
            err_set(&item->err, ERR_STIX_RULE, "/id",
                    "this object was revoked, which is final (STIX 2.1 section 3.6): submit it under a new id");
        }
        return false;
    }
    return true;
}

static void fill_row(struct hub_commit *c, struct hub_job *job, struct hub_item *item, uint64_t subject,
                     struct store_row *row)
{
    struct hub_rows *rows = &hub_commit_hub(c)->rows;
    bool ours = job->ask.door != HUB_PARTNER;
    bool fresh;
    int64_t instant = hub_commit_instant(c);
    uint32_t cover = (uint32_t)item->release.cover_at;

    place_instant(item->release.body, item->release.created_at, subject != 0 ? rows->first_us[subject] : instant);
    place_instant(item->release.body, item->release.modified_at, instant);
    if (item->release.valid_until_at != SIZE_MAX) {
        item->valid_until_us = instant + item->release.valid_for_us;
        place_instant(item->release.body, item->release.valid_until_at, item->valid_until_us);
    }
    *row = (struct store_row){.created_us = !ours          ? item->object.created_us
                                            : subject != 0 ? rows->first_us[subject]
                                                           : instant,
                              .version_us = ours && (item->by_hub || item->release.modified_at != SIZE_MAX)
                                                ? instant
                                                : item->object.modified_us,
                              .source_us = item->source_us,
                              .first_event_us = ours ? job->ask.first_event_us : 0,
                              .valid_until_us = item->valid_until_us,
                              .kind = item->kind == STORE_RESTRICT ? STORE_RETRACT : item->kind,
                              .owner = ours && job->member != NULL && !item->by_hub ? job->member->owner : 0,
                              .key = item->key,
                              .subject_seq = subject,
                              .envelope = hub_commit_envelope_number(c),
                              .id = item->id,
                              .body = item->release.body,
                              .original = item->original,
                              .source = item->source};
    row->facts_class = item->class_key.len != 0 ? hub_class_number(hub_commit_hub(c), item->class_key, &fresh)
                                                : rows->facts_class[subject];
    if (item->release.cover_at != SIZE_MAX)
        row->cover = arena_copy(hub_commit_arena(c), slice_n((const char *)&cover, sizeof cover));
}

/* Is there room for a class of its own, if it is new? */
static bool class_fits(struct hub_commit *c, struct hub_item *item)
{
    struct hub *h = hub_commit_hub(c);
    uint32_t n = atomic_load(&h->n_classes);
    uint32_t most = stix_type_find(item->facts.type) != NULL ? HUB_CLASSES_MAX : HUB_CLASSES_MAX / 2;

    if (n < most || item->class_key.len == 0)
        return true;
    if (hub_class_is_known(h, item->class_key))
        return true;
    item->verdict = HUB_REFUSED;
    err_set(&item->err, ERR_STIX_TYPE, "/type", "this hub keeps no further kinds of objects");
    return false;
}

static int commit_item(struct hub_commit *c, struct hub_job *job, struct hub_item *item, size_t i, struct err *err)
{
    struct bits reach = BITS_INIT;
    struct store_row row;
    uint64_t subject;

    if (item->ends != NULL && !hub_edge_ends_stand(hub_commit_hub(c), item->ends))
        item->verdict = HUB_UNCHANGED;
    if (item->verdict != HUB_ACCEPTED)
        return 0;
    hub_commit_creates(c, item);
    if (!merge_item(c, item, &subject))
        return 0;
    if (item->object.type.len == 0 && !item->by_hub) { /* a partner's tombstone */
        item->source_us = hub_commit_hub(c)->rows.source_us[subject];
        item->class_key = SLICE("");
    }
    if (subject != 0 && (item->kind == STORE_RETRACT || item->kind == STORE_RESTRICT))
        item->class_key = SLICE(""); /* a recall goes where the object went */
    if (!class_fits(c, item))
        return 0;
    fill_row(c, job, item, subject, &row);
    if (job->ask.door == HUB_PARTNER)
        row.first_event_us = job->ask.events[i].first_event_us;
    if (row.kind == STORE_RETRACT) {
        if (subject != 0)
            hub_commit_reach(c, subject, &reach);
        hub_commit_spare_who_sees_another(c, hub_commit_directory_now(c), subject, row.id, &reach);
        arena_reset(hub_commit_scratch(c));
        if (job->member != NULL)
            bits_set(&reach, job->member->viewer, true); /* its own view shows what it submitted */
        row.reach = arena_copy(hub_commit_arena(c), hub_reach_slice(&reach));
        bits_free(&reach);
    } else if (subject != 0 && hub_row_is_newer(&hub_commit_hub(c)->rows, subject, row.source_us) &&
               row.facts_class != hub_commit_hub(c)->rows.facts_class[subject] &&
               hub_commit_restrict_losers(c, subject, row.facts_class, err) != 0) {
        return -1;
    }
    if (hub_commit_row(c, &row, item->id_hash, 0, err) != 0)
        return -1;
    item->seq = row.seq;
    memcpy(item->sha256, row.sha256, sizeof item->sha256);
    if (job->outcome.first_seq == 0)
        job->outcome.first_seq = row.seq;
    job->outcome.last_seq = row.seq;
    if (!item->own_only || !slice_eq(item->object.type, SLICE("sighting")) ||
        hub_commit_hub(c)->rows.later[row.seq] != 0 ||
        (subject != 0 && !hub_row_is_newer(&hub_commit_hub(c)->rows, subject, row.source_us)))
        return 0;
    return hub_sighting_count(c, job, item, err);
}

static int hold_item(struct hub_commit *c, const struct hub_item *item, size_t i, struct err *err)
{
    struct slice key =
        arena_printf(hub_commit_arena(c), "%020llu:%06zu", (unsigned long long)hub_commit_envelope_number(c), i);
    struct buf value = BUF_INIT;

    buf_printf(&value, "%s %s", err_name(item->err.code), item->err.place);
    buf_put_byte(&value, '\0');
    buf_put(&value, item->original);
    int result = hub_commit_state(c, STORE_HELD, key, buf_slice(&value), err);
    buf_free(&value);
    return result;
}

/* The leaf of a submission: what came, under which policy, and a root over what was stored of it: the hash of
 * its rows' hashes, one behind the other. */
static int submission_leaf(struct hub_commit *c, struct hub_job *job, const uint8_t root[CRYPTO_HASH], struct err *err)
{
    struct buf record = BUF_INIT;

    json_put_open(&record, '{');
    json_put_text(&record, "act", job->ask.door == HUB_PARTNER ? SLICE("receive") : SLICE("submit"));
    json_put_number(&record, "at_us", job->ask.received_us);
    json_put_number(&record, "envelope", (int64_t)hub_commit_envelope_number(c));
    json_put_number(&record, "first_seq", (int64_t)job->outcome.first_seq);
    json_put_number(&record, "last_seq", (int64_t)job->outcome.last_seq);
    json_put_hex(&record, "root", root, CRYPTO_HASH);
    json_put_hex(&record, "policy", job->directory->policy_hash, CRYPTO_HASH);
    json_put_close(&record, '}');
    int result = hub_commit_leaf(c, job->wrapped.len != 0 ? job->data_key : hub_commit_hub(c)->record_key,
                                 buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    return result;
}

static int append_envelope(struct hub_commit *c, struct hub_job *job, struct err *err)
{
    struct store_envelope e = {.n = hub_commit_envelope_number(c),
                               .received_us = job->ask.received_us,
                               .leaf = job->outcome.leaf,
                               .key = buf_slice(&job->wrapped)};
    struct buf status = BUF_INIT, sealed = BUF_INIT;

    job->outcome.envelope = e.n;
    hub_submit_status(job, &status);
    job->outcome.status = arena_copy(&job->arena, buf_slice(&status));
    if (job->member != NULL) {
        e.owner = job->member->owner;
        crypto_seal(job->data_key, buf_slice(&status), SLICE("status"), &sealed);
        e.status = buf_slice(&sealed);
    }
    int result = hub_commit_envelope(c, &e, err);
    buf_free(&status);
    buf_free(&sealed);
    return result;
}

int hub_commit_submission(struct hub_commit *c, struct hub_job *job, struct err *err)
{
    struct crypto_hash *hash = crypto_hash_new();
    uint8_t root[CRYPTO_HASH];
    int result = 0;

    for (size_t i = 0; i < job->n_items && result == 0; i++) {
        struct hub_item *item = &job->items[i];
        if (item->verdict == HUB_HELD)
            result = hold_item(c, item, i, err);
        else if (item->verdict == HUB_ACCEPTED && !item->no_op)
            result = commit_item(c, job, item, i, err);
        if (item->seq != 0)
            crypto_hash_add(hash, slice_n((const char *)item->sha256, sizeof item->sha256));
    }
    crypto_hash_end(&hash, root);
    if (result == 0 && job->ask.cursor_name.len != 0)
        result = hub_commit_state(c, STORE_CURSOR, job->ask.cursor_name, job->ask.cursor, err);
    return result == 0 && submission_leaf(c, job, root, err) == 0 && append_envelope(c, job, err) == 0 ? 0 : -1;
}

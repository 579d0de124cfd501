/* hub/sighting.c: sightings are the most sensitive data here (DESIGN.md invariant 8). What a member reports is for
   itself and the hub alone: here it is counted, in the transaction that brings it. band.c makes of it what leaves. */
#include "hub/internal.h"

#include "base/log.h"

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

/* ---- the table: a report under its subject, and under "=" its subject by who reported it ---- */

static struct slice report_key(struct arena *a, struct slice subject, uint64_t owner, struct slice id)
{
    return arena_printf(a, SLICE_FMT "|%016llx|" SLICE_FMT, SLICE_ARG(subject), (unsigned long long)owner,
                        SLICE_ARG(id));
}

static struct slice subject_key(struct arena *a, uint64_t owner, struct slice id)
{
    return arena_printf(a, "=%016llx|" SLICE_FMT, (unsigned long long)owner, SLICE_ARG(id));
}

static int put_report(struct hub_commit *c, struct slice subject, uint64_t owner, struct slice id,
                      const struct hub_report *report, struct err *err)
{
    hub_bands_report(hub_commit_hub(c), subject);
    return hub_commit_state(c, STORE_SIGHTING, report_key(hub_commit_arena(c), subject, owner, id),
                            slice_n((const char *)report, sizeof *report), err);
}

/* It stays, counting nothing: at the next start the band is looked at once more. */
static int withdraw(struct hub_commit *c, struct slice subject, uint64_t owner, struct slice id, struct err *err)
{
    const struct hub_report none = {.onward = 0};

    return put_report(c, subject, owner, id, &none, err);
}

struct searching {
    struct slice end; /* of the key */
    struct arena *arena;
    struct slice subject;
};

static int is_it(void *arg, struct slice key, struct slice value)
{
    struct searching *s = arg;

    if (!slice_ends(key, s->end))
        return 0;
    s->subject = arena_copy(s->arena, slice_to(key, key.len - s->end.len));
    return 1;
}

/* What an earlier version of this program counted stands under its subject alone. */
static int search_subject(struct hub_commit *c, uint64_t owner, struct slice id, struct slice *subject_out,
                          struct err *err)
{
    struct arena *a = hub_commit_arena(c);
    struct searching s = {.end = report_key(a, SLICE(""), owner, id), .arena = a};
    int result = hub_sightings_scan(hub_commit_reader(c), SLICE(HUB_REPORTS_FROM), is_it, &s, err);

    *subject_out = s.subject;
    return result;
}

/* Of what this report was counted so far; {NULL,0}: it is new. */
static int known_subject(struct hub_commit *c, uint64_t owner, struct slice id, struct slice *subject_out,
                         struct err *err)
{
    struct buf value = BUF_INIT;
    int result = hub_commit_look(c, STORE_SIGHTING, subject_key(hub_commit_arena(c), owner, id), &value, err);

    *subject_out = slice_n(NULL, 0);
    if (result == 0)
        *subject_out = arena_copy(hub_commit_arena(c), buf_slice(&value));
    else if (err->code == ERR_NOT_FOUND)
        result = 0;
    buf_free(&value);
    return result;
}

int hub_sighting_deleted(struct hub_commit *c, uint64_t owner, struct slice id, struct err *err)
{
    struct slice subject;

    if (!slice_starts(id, SLICE("sighting--")))
        return 0;
    if (known_subject(c, owner, id, &subject, err) != 0 ||
        (subject.ptr == NULL && search_subject(c, owner, id, &subject, err) != 0))
        return -1;
    return subject.ptr != NULL ? withdraw(c, subject, owner, id, err) : 0;
}

static void read_report(struct hub_commit *c, const struct hub_job *job, const struct hub_item *item,
                        struct hub_report *out)
{
    struct slice organisation = job->member->organisation.len != 0 ? job->member->organisation : job->member->name;
    const struct stix_object *o = &item->object;
    uint8_t mac[CRYPTO_MAC];
    int64_t count = 1;

    json_int(json_get(o->json, SLICE("count")), &count);
    crypto_mac(hub_commit_hub(c)->record_key, organisation, mac);
    *out = (struct hub_report){.count = (uint64_t)(count > 0 ? count : 1),
                               .first_us = instant_of(o, "first_seen", job->ask.received_us),
                               .last_us = instant_of(o, "last_seen", job->ask.received_us),
                               .onward = slice_eq(onward_of(o), SLICE("aggregate"))};
    memcpy(&out->organisation, mac, sizeof out->organisation);
}

/* A later version of a sighting takes the place of the earlier, also where it speaks of something else. */
int hub_sighting_count(struct hub_commit *c, struct hub_job *job, struct hub_item *item, struct err *err)
{
    struct arena *a = hub_commit_arena(c);
    struct slice before, subject = subject_of(hub_commit_hub(c), item, a);
    uint64_t owner = job->member->owner;
    struct hub_report report;

    read_report(c, job, item, &report);
    log_event("sighting_received", TEXT("subject", subject), NUM("count", report.count), NUM("onward", report.onward));
    if (known_subject(c, owner, item->id, &before, err) != 0 ||
        (before.ptr != NULL && !slice_eq(before, subject) && withdraw(c, before, owner, item->id, err) != 0))
        return -1;
    if (item->object.revoked)
        return withdraw(c, subject, owner, item->id, err);
    return put_report(c, subject, owner, item->id, &report, err) != 0 ||
                   hub_commit_state(c, STORE_SIGHTING, subject_key(a, owner, item->id), subject, err) != 0
               ? -1
               : 0;
}

/* hub/submit.c: the one way in. Every door builds the same submission; it passes the stages below on a worker, and what
   is left of it goes to the committer. A stage fails for the whole submission (-1) or marks single objects as held or
   refused and lets the rest go on. */
#include "hub/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

/* What hub_submit_attribute may add for each set of TLP levels: one item without consent, one with everyone's, three
 * for governments. */
enum { SUBMIT_BY_HUB_MAX = 5 * (1 << SHARE_TLP_LEVELS) };

static int submit_admit(struct hub_worker *w, struct hub_job *job, struct err *err);
static int submit_parse(struct hub_worker *w, struct hub_job *job, struct err *err);
static int submit_validate(struct hub_worker *w, struct hub_job *job, struct err *err);
static int submit_authorise(struct hub_worker *w, struct hub_job *job, struct err *err);
static int submit_anonymise(struct hub_worker *w, struct hub_job *job, struct err *err);
static int submit_seal(struct hub_worker *w, struct hub_job *job, struct err *err);

static const struct {
    const char *name;
    int (*run)(struct hub_worker *w, struct hub_job *job, struct err *err);
} stages[] = {
    {"admit", submit_admit},         /* is the credential still good, may it write here */
    {"parse", submit_parse},         /* bytes become STIX objects, bounded in size, depth and count */
    {"validate", submit_validate},   /* STIX 2.1, the profile; patterns compile; signatures of a partner's events */
    {"authorise", submit_authorise}, /* markings or the declared default, consent, agreement: the facts */
    {"anonymise",
     submit_anonymise}, /* scrub and release: minted ids, the cover, words that must not be read withheld */
    {"attribute", hub_submit_attribute}, /* the identities that releases name as their creator */
    {"seal", submit_seal},               /* originals, under the envelope's data key */
};                                       /* then the committer: merge, commit, announce (commit.c) */

static void verdict(struct hub_item *item, enum hub_verdict verdict, const struct err *why)
{
    item->verdict = verdict;
    item->err = *why;
}

/* Held or refused, by the error's kind: 202 means held. */
void hub_item_reject(struct hub_item *item, const struct err *why)
{
    verdict(item, err_http(why->code) == 202 ? HUB_HELD : HUB_REFUSED, why);
}

bool hub_item_goes_on(const struct hub_item *item)
{
    return item->verdict == HUB_ACCEPTED && !item->no_op;
}

static int submit_admit(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    const struct hub_party *from = job->ask.from;

    job->directory = hub_directory_hold(w->hub);
    job->collection = hub_directory_collection(job->directory, job->ask.collection);
    if (job->collection == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (from->kind == HUB_PARTY_SELF)
        return 0;
    job->member = hub_directory_member_of(job->directory, from->viewer);
    job->partner = hub_directory_partner_of(job->directory, from->viewer);
    if (!hub_party_is_good(job->directory, from))
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this credential has ended");
    if (job->member != NULL && !job->member->may_write)
        return err_set(err, ERR_FORBIDDEN, NULL, "this credential may not submit");
    if (job->member == NULL && job->ask.door != HUB_PARTNER)
        return err_set(err, ERR_FORBIDDEN, NULL, "a partner hub does not submit: its stream is followed");
    if (job->partner == NULL && job->ask.door == HUB_PARTNER)
        return err_set(err, ERR_FORBIDDEN, NULL, "this is no partner hub");
    return 0;
}

static void read_item(struct hub_job *job, struct hub_item *item, struct json value)
{
    struct err err = ERR_INIT;

    item->object.json = value;
    if (stix_object_read(&job->arena, value, &item->object, &err) == 0 &&
        stix_type_class(item->object.kind) == STIX_BUNDLE)
        err_set(&err, ERR_STIX_TYPE, "/type", "a bundle is no object of an envelope: send its objects");
    if (err.code != ERR_NONE)
        verdict(item, HUB_REFUSED, &err);
    item->source_us = item->object.modified_us;
}

static int parse_envelope(struct hub_job *job, struct err *err)
{
    const struct hub_settings *s = &job->hub->settings;
    struct json_limits limits = json_limits_default;
    struct json root, objects;
    bool single;

    limits.bytes = s->max_body;
    if (json_parse(&job->arena, buf_ref_slice(job->ask.bytes), &limits, &root, err) != 0 ||
        stix_container(root, &objects, &single, err) != 0)
        return -1;
    uint32_t n = single ? 1 : json_count(objects);
    if (n > s->max_objects)
        return err_set(err, ERR_TOO_LARGE, "/objects", "%u objects in one envelope; at most %lld", n,
                       (long long)s->max_objects);
    if (!single)
        json_each (v, objects)
            if (json_kind(v) != JSON_OBJECT) {
                struct slice place = json_pointer(&job->arena, v);
                return err_set_at(err, ERR_STIX_SYNTAX, place, "not an object");
            }
    job->objects = single ? (struct json){NULL, 0} : objects;
    job->items = arena_array(&job->arena, struct hub_item, n);
    if (single)
        read_item(job, &job->items[job->n_items++], root);
    else
        json_each (v, objects)
            read_item(job, &job->items[job->n_items++], v);
    hub_upgrade(job, SUBMIT_BY_HUB_MAX);
    return 0;
}

static int parse_events(struct hub_job *job, struct err *err)
{
    job->items = arena_array(&job->arena, struct hub_item, job->ask.n_events);
    for (size_t i = 0; i < job->ask.n_events; i++) {
        const struct hub_event *e = &job->ask.events[i];
        struct hub_item *item = &job->items[job->n_items++];
        struct json root;
        item->kind = e->kind;
        item->id = e->id;
        if (e->object.len == 0)
            continue;
        if (json_parse(&job->arena, e->object, &json_limits_default, &root, &item->err) != 0)
            item->verdict = HUB_REFUSED;
        else
            read_item(job, item, root);
        if (item->object.revoked && item->kind != STORE_RESTRICT)
            item->kind = STORE_RETRACT; /* whatever the event is called */
    }
    return 0;
}

static int submit_parse(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    return job->ask.door == HUB_PARTNER ? parse_events(job, err) : parse_envelope(job, err);
}

/* The first error that a producer can act on; a place below the object is prefixed by nothing: the status names the
 * object, and the rule where it is a profile's. */
static void item_reject_first(struct hub_item *item, const struct stix_report *report)
{
    for (uint32_t i = 0; i < report->n; i++) {
        const struct stix_problem *p = &report->problems[i];
        struct err err = p->err;
        if (p->severity != STIX_ERROR)
            continue;
        if (p->rule.len != 0)
            err_set(&err, p->err.code, p->err.place, SLICE_FMT ": %s", SLICE_ARG(p->rule), p->err.text);
        hub_item_reject(item, &err);
        return;
    }
}

/* What members submit is held to the collection's profile. What a partner hub sends was released there: its bytes are
 * signed and nothing can be left out of them, and the agreement says what may come. */
static void profile_item(struct hub_job *job, struct hub_item *item, struct stix_report *report)
{
    struct err err = ERR_INIT;

    if (job->member == NULL)
        return;
    if (job->collection->profile == NULL) {
        err_set(&err, ERR_HELD_PROFILE, "", "held: the profile of this collection cannot be read");
        hub_item_reject(item, &err);
    } else if (stix_profile_check(&job->arena, job->collection->profile, &item->object, report, &item->strips,
                                  &item->n_strips) != 0) {
        item_reject_first(item, report);
    }
}

static void validate_item(struct hub_job *job, struct hub_item *item)
{
    struct stix_report report = {.n = 0};

    if (item->object.type.len == 0)
        return;
    if (stix_validate(&job->arena, &item->object, STIX_LENIENT | STIX_ERRORS_ONLY, &report) != 0) {
        item_reject_first(item, &report);
        return;
    }
    report.n = 0; /* warnings: room for what the profile says */
    profile_item(job, item, &report);
}

void hub_event_message(struct slice origin, struct slice id, enum store_kind kind, struct slice object, struct buf *out)
{
    uint8_t hash[CRYPTO_HASH];

    crypto_sha256(object, hash);
    buf_printf(out, "tocsin event 1\n" SLICE_FMT "\n" SLICE_FMT "\n%d\n", SLICE_ARG(origin), SLICE_ARG(id), (int)kind);
    crypto_put_hex(out, hash, sizeof hash);
}

/* Does the event say something that can be kept? */
static int check_kind(const struct hub_item *item, const struct hub_event *e, struct err *err)
{
    bool recall = e->kind == STORE_RETRACT || e->kind == STORE_RESTRICT;

    if (e->kind != STORE_ADD && e->kind != STORE_EXPIRE && !recall)
        return err_set(err, ERR_BAD_REQUEST, "/event", "not an event that a partner sends");
    if (e->kind == STORE_ADD && e->object.len == 0)
        return err_set(err, ERR_STIX_REQUIRED, "/object", "nothing is added");
    if (recall && e->object.len != 0 && !item->object.revoked)
        return err_set(err, ERR_STIX_RULE, "/object/revoked", "what is taken back is not marked as revoked");
    return 0;
}

/* What the partner itself issued comes straight from it: what went out from here does not come in again. The path is
 * part of a facts class, of which there are only so many. */
static int check_path(const struct hub_event *e, struct err *err)
{
    return slice_eq(e->path, e->origin) ? 0 : err_set(err, ERR_FORBIDDEN, "/path", "this came another way");
}

/* A partner speaks for what it issued itself; what it hands on of others needs their signature under a key that we
 * know, which this hub does not have yet. */
static void validate_event(struct hub_job *job, struct hub_item *item, const struct hub_event *e)
{
    struct buf message = BUF_INIT;
    struct err err = ERR_INIT;

    if (item->verdict != HUB_ACCEPTED)
        return;
    hub_event_message(e->origin, e->id, e->kind, e->object, &message);
    if (!slice_eq(e->origin, job->partner->hub_id))
        err_set(&err, ERR_FORBIDDEN, "/origin", "partner " SLICE_FMT " speaks for another hub",
                SLICE_ARG(job->partner->name));
    else if (!job->partner->foreign &&
             (e->signature.len != CRYPTO_SIGNATURE ||
              !keys_check(job->partner->key, KEYS_SIGN_EVENT, buf_slice(&message), (const uint8_t *)e->signature.ptr)))
        err_set(&err, ERR_FORBIDDEN, "/signature", "the signature of hub " SLICE_FMT " does not fit the event",
                SLICE_ARG(e->origin));
    else if (e->object.len != 0 && !slice_eq(item->object.id, e->id))
        err_set(&err, ERR_STIX_ID, "/id", "the event names another id than its object");
    buf_free(&message);
    if (err.code != ERR_NONE || check_kind(item, e, &err) != 0 || check_path(e, &err) != 0)
        verdict(item, HUB_REFUSED, &err);
}

static int submit_validate(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    for (size_t i = 0; i < job->n_items; i++) {
        struct hub_item *item = &job->items[i];
        if (item->verdict == HUB_ACCEPTED)
            validate_item(job, item);
        if (job->ask.door == HUB_PARTNER)
            validate_event(job, item, &job->ask.events[i]);
    }
    hub_upgrade_agree(job);
    return 0;
}

static const struct hub_default *default_of(const struct hub_job *job)
{
    for (size_t i = 0; job->member != NULL && i < job->member->n_defaults; i++)
        if (slice_eq(job->member->defaults[i].collection, job->collection->id) ||
            slice_eq(job->member->defaults[i].collection, job->collection->name))
            return &job->member->defaults[i];
    return NULL;
}

static struct share_context context_of(const struct hub_job *job, size_t i)
{
    const struct hub_default *d = default_of(job);
    struct share_context c = {.collection = job->collection->id,
                              .has_default = d != NULL,
                              .default_tlp = d != NULL ? d->tlp : SHARE_RED,
                              .strict_amber1 = true};

    if (job->ask.door == HUB_PARTNER) {
        c.origin = job->ask.events[i].origin;
        c.path = job->ask.events[i].path;
        c.agreement = job->partner->agreement.id;
        c.has_default = job->partner->has_default;
        c.default_tlp = job->partner->has_default ? job->partner->default_tlp : SHARE_RED;
    } else {
        c.objects = job->objects;
        c.definitions = job->definitions;
    }
    return c;
}

/* What the content asks for: a revoked version is a retraction, one whose validity has ended an expiry (DESIGN.md
 * section 7, Doors). */
static enum store_kind kind_of(struct hub_item *item, int64_t now_us)
{
    struct slice until = json_text(json_get(item->object.json, SLICE("valid_until")));

    if (until.ptr == NULL || !time_parse(until, &item->valid_until_us))
        item->valid_until_us = 0;
    if (item->object.revoked)
        return STORE_RETRACT;
    return item->valid_until_us != 0 && item->valid_until_us <= now_us ? STORE_EXPIRE : STORE_ADD;
}

struct slice hub_item_creator(const struct stix_object *o)
{
    return json_text(json_get(o->json, SLICE("created_by_ref")));
}

static int by_text(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    int order = memcmp(x->len != 0 ? x->ptr : "", y->len != 0 ? y->ptr : "", x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int by_object_id(const void *a, const void *b)
{
    const struct hub_item *x = *(struct hub_item *const *)a, *y = *(struct hub_item *const *)b;

    return by_text(&x->object.id, &y->object.id);
}

/* An identity that objects of this envelope, or it itself, name as their creator tells who the submitter is: its
 * submitter alone gets it back. */
static bool is_creator(const struct hub_job *job, const struct hub_item *item)
{
    return slice_eq(item->object.type, SLICE("identity")) && job->n_creators != 0 &&
           bsearch(&item->object.id, job->creators, job->n_creators, sizeof *job->creators, by_text) != NULL;
}

/* An envelope's objects are asked for each other: by id, and who is named as a creator. */
static void index_items(struct hub_job *job)
{
    job->n_came = job->n_items;
    job->by_id = arena_array(&job->arena, struct hub_item *, job->n_items);
    job->creators = arena_array(&job->arena, struct slice, job->n_items);
    for (size_t i = 0; i < job->n_items; i++) {
        struct slice creator = hub_item_creator(&job->items[i].object);
        job->by_id[i] = &job->items[i];
        if (creator.len != 0)
            job->creators[job->n_creators++] = creator;
    }
    if (job->n_items > 1)
        qsort(job->by_id, job->n_items, sizeof(struct hub_item *), by_object_id);
    if (job->n_creators > 1)
        qsort(job->creators, job->n_creators, sizeof *job->creators, by_text);
}

/* What its submitter alone will read needs no marking: it goes nowhere. */
static int read_facts(struct hub_job *job, struct hub_item *item, size_t i, struct err *err)
{
    struct share_context context = context_of(job, i);

    if (share_facts_read(&job->arena, &item->object, &context, &item->facts, &item->defaulted, err) == 0) {
        item->facts.own_only = item->own_only;
        return 0;
    }
    if (!item->own_only || err->code != ERR_HELD_UNMARKED)
        return -1;
    *err = (struct err)ERR_INIT;
    item->facts = (struct share_facts){
        .collection = job->collection->id, .type = item->object.type, .tlp = 1u << SHARE_RED, .own_only = true};
    return 0;
}

static void authorise_item(struct hub_job *job, struct hub_item *item, size_t i)
{
    bool of_partner = job->ask.door == HUB_PARTNER;
    struct err err = ERR_INIT;
    struct buf key = BUF_INIT;

    if (of_partner && item->object.type.len == 0)
        return; /* a tombstone: what it is about decides */
    enum store_kind kind = kind_of(item, job->ask.received_us);
    if (!of_partner || job->partner->foreign) { /* another partner's event says its kind */
        item->kind = kind;
        item->no_op = share_is_tlp_definition(item->object.id);
    }
    if (!of_partner) {
        item->own_only = slice_eq(item->object.type, SLICE("sighting")) || is_creator(job, item);
    }
    if (read_facts(job, item, i, &err) != 0 ||
        (of_partner && share_accept(job->directory->policy, &item->facts, job->partner->agreement.id,
                                    job->ask.received_us, &err) != 0)) {
        hub_item_reject(item, &err);
        return;
    }
    share_facts_put(&item->facts, &key);
    item->class_key = arena_copy(&job->arena, buf_slice(&key));
    buf_free(&key);
}

/* A translation is held to the object that it translates, where the envelope brings both. */
static void check_translation(struct hub_job *job, struct hub_item *item)
{
    struct slice of = json_string(&job->arena, json_get(item->object.json, SLICE("object_ref")));
    struct err err = ERR_INIT;

    for (size_t i = hub_submit_first_of(job, of); i < job->n_came && slice_eq(job->by_id[i]->object.id, of); i++)
        if (stix_translates(item->object.json, job->by_id[i]->object.json) &&
            stix_language_check(&job->arena, item->object.json, job->by_id[i]->object.json, &err) != 0) {
            hub_item_reject(item, &err);
            return;
        }
}

static int submit_authorise(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    job->definitions = share_definitions_read(&job->arena, job->objects);
    index_items(job);
    for (size_t i = 0; i < job->n_items; i++) {
        if (job->items[i].verdict == HUB_ACCEPTED && slice_eq(job->items[i].object.type, SLICE("language-content")))
            check_translation(job, &job->items[i]);
        if (job->items[i].verdict == HUB_ACCEPTED)
            authorise_item(job, &job->items[i], i);
    }
    hub_upgrade_agree(job);
    return 0;
}

struct slice hub_id_text(struct arena *a, struct slice owner_text, struct slice collection, struct slice id)
{
    return arena_printf(a, SLICE_FMT "\n" SLICE_FMT "\n" SLICE_FMT, SLICE_ARG(owner_text), SLICE_ARG(collection),
                        SLICE_ARG(id));
}

/* No reference objects of other producers are loaded yet: every coined id is remapped. */
static bool is_foreign(void *arg, struct slice id)
{
    return false;
}

/* One request to keys for all ids of an envelope. */
static int mint_ids(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < job->n_items; i++) {
        struct hub_item *item = &job->items[i];
        struct err bad = ERR_INIT;
        if (hub_item_goes_on(item) &&
            share_names_find(&job->arena, &item->object, is_foreign, NULL, &item->names, &bad) != 0)
            hub_item_reject(item, &bad);
        n += item->names.n;
    }
    struct slice *texts = arena_array(&job->arena, struct slice, n);
    uint8_t(*macs)[CRYPTO_MAC] = arena_alloc(&job->arena, (n + 1) * sizeof *macs);
    for (size_t i = 0; i < job->n_items; i++)
        for (size_t k = 0; k < job->items[i].names.n; k++)
            texts[at++] =
                hub_id_text(&job->arena, job->member->owner_text, job->collection->id, job->items[i].names.items[k].id);
    if (n != 0 && keys_mac(w->keys, KEYS_MAC_ID, texts, n, macs, err) != 0)
        return -1;
    at = 0;
    for (size_t i = 0; i < job->n_items; i++)
        for (size_t k = 0; k < job->items[i].names.n; k++)
            memcpy(job->items[i].names.items[k].mac, macs[at++], CRYPTO_MAC);
    return 0;
}

static struct slice release_id(struct hub_job *job, const struct hub_item *item)
{
    for (size_t k = 0; k < item->names.n; k++)
        if (slice_eq(item->names.items[k].id, item->object.id))
            return share_minted_id(&job->arena, item->object.id, item->names.items[k].mac);
    return item->object.id;
}

/* Where in by_id this id begins, or would. */
size_t hub_submit_first_of(const struct hub_job *job, struct slice id)
{
    size_t low = 0, high = id.len != 0 ? job->n_came : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (by_text(&job->by_id[middle]->object.id, &id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return id.len != 0 ? low : job->n_came;
}

static struct share_secrets secrets_of(struct hub_job *job)
{
    const struct hub_member *m = job->member;
    struct slice *words = arena_array(&job->arena, struct slice, m->n_domains + 2);
    size_t n = 0;

    words[n++] = m->name;
    if (m->organisation.len != 0)
        words[n++] = m->organisation;
    for (size_t i = 0; i < m->n_domains; i++)
        words[n++] = m->domains[i];
    return (struct share_secrets){words, n};
}

bool hub_item_is_version(const struct stix_object *o)
{
    return o->has_modified || o->created_us != 0;
}

/* For its submitter alone: nothing of it stands in a release. */
static void keep_to_owner(struct hub_job *job, struct hub_item *item)
{
    item->release = (struct share_release){.body = arena_printf(&job->arena,
                                                                "{\"type\":\"" SLICE_FMT "\",\"id\":\"" SLICE_FMT "\"}",
                                                                SLICE_ARG(item->object.type), SLICE_ARG(item->id)),
                                           .created_at = SIZE_MAX,
                                           .modified_at = SIZE_MAX,
                                           .valid_until_at = SIZE_MAX,
                                           .cover_at = SIZE_MAX};
}

/* The end of validity counts from acceptance: an indicator that begins to hold after that would end before it begins.
 */
static int check_beginning(const struct hub_item *item, int64_t valid_for_us, int64_t received_us, struct err *err)
{
    struct json until = json_get(item->object.json, SLICE("valid_until"));
    int64_t from_us;

    if (json_kind(until) != JSON_ABSENT ||
        !time_parse(json_text(json_get(item->object.json, SLICE("valid_from"))), &from_us) ||
        from_us < received_us + valid_for_us - 1000000)
        return 0;
    return err_set(err, ERR_HELD_CLOCK, "/valid_from",
                   "valid_from lies behind the end of validity that this collection gives: name a valid_until");
}

static void anonymise_item(struct hub_job *job, struct hub_item *item, struct share_secrets secrets)
{
    const struct hub_default *d = default_of(job);
    bool named = hub_consent_names_everybody(hub_consent_of(job, item));
    struct err err = ERR_INIT;

    item->id = release_id(job, item);
    if (item->verdict != HUB_ACCEPTED)
        return;
    if (item->own_only) {
        keep_to_owner(job, item);
    } else {
        struct share_release_ask ask = {
            .object = &item->object,
            .names = &item->names,
            .cover_id = hub_creator_for(job, named ? job->member->named_id : job->member->cover_id, item->facts.tlp),
            .default_marking = item->defaulted,
            .default_tlp = d != NULL ? d->tlp : SHARE_RED,
            .default_valid_for_us =
                d != NULL && d->valid_for_us > 0 ? d->valid_for_us : job->hub->settings.default_valid_for_us,
            .secrets = secrets,
            .expire = item->kind == STORE_EXPIRE,
            .strips = item->strips,
            .n_strips = item->n_strips};
        if (check_beginning(item, ask.default_valid_for_us, job->ask.received_us, &err) != 0 ||
            share_release_make(&job->arena, &ask, &item->release, &err) != 0) {
            hub_item_reject(item, &err);
            return;
        }
    }
    /* A deterministic SCO is its value: where it comes again under another marking, that is another publication of it.
     */
    struct slice variant = hub_item_is_version(&item->object) ? SLICE("") : item->class_key;
    item->key = hub_row_key(job->member->owner_text, job->collection->id, item->id, variant);
}

static int submit_anonymise(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    if (job->ask.door == HUB_PARTNER || job->member == NULL) {
        for (size_t i = 0; i < job->n_items; i++) { /* released already: byte for byte */
            struct hub_item *item = &job->items[i];
            if (item->id.len == 0)
                item->id = item->object.id;
            item->release = (struct share_release){.body = json_raw(item->object.json),
                                                   .created_at = SIZE_MAX,
                                                   .modified_at = SIZE_MAX,
                                                   .valid_until_at = SIZE_MAX,
                                                   .cover_at = SIZE_MAX};
            struct slice origin = job->ask.door == HUB_PARTNER ? job->ask.events[i].origin : job->hub->settings.id;
            item->key = hub_row_key(origin, job->collection->id, item->id, SLICE(""));
        }
    } else {
        if (mint_ids(w, job, err) != 0)
            return -1;
        struct share_secrets secrets = secrets_of(job);
        for (size_t i = 0; i < job->n_items; i++)
            if (hub_item_goes_on(&job->items[i]))
                anonymise_item(job, &job->items[i], secrets);
        hub_upgrade_agree(job);
    }
    for (size_t i = 0; i < job->n_items; i++)
        if (job->items[i].id.len != 0)
            job->items[i].id_hash = hub_id_hash(job->items[i].id);
    return 0;
}

static void seal_item(struct hub_job *job, struct hub_item *item)
{
    struct slice raw = item->submitted.len != 0 ? item->submitted : json_raw(item->object.json);
    struct buf sealed = BUF_INIT;

    if (item->verdict == HUB_ACCEPTED && slice_eq(raw, item->release.body))
        return; /* needed no change: it is its own release */
    crypto_seal(job->data_key, raw, item->id, &sealed);
    item->original = arena_copy(&job->arena, buf_slice(&sealed));
    buf_free(&sealed);
}

static void tell_source(struct hub_job *job, struct hub_item *item, const struct hub_event *e)
{
    struct buf source = BUF_INIT;
    struct buf signature = BUF_INIT;

    crypto_put_base64(&signature, e->signature, false);
    json_put_open(&source, '{');
    json_put_text(&source, "origin", e->origin);
    json_put_text(&source, "path", e->path);
    json_put_text(&source, "agreement", job->partner->agreement.id);
    json_put_text(&source, "signature", buf_slice(&signature));
    json_put_close(&source, '}');
    item->source = arena_copy(&job->arena, buf_slice(&source));
    buf_free(&source);
    buf_free(&signature);
}

static int submit_seal(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    if (job->ask.door == HUB_PARTNER) {
        for (size_t i = 0; i < job->n_items; i++)
            tell_source(job, &job->items[i], &job->ask.events[i]);
        return 0;
    }
    if (job->member == NULL)
        return 0;
    if (keys_data_key(w->keys, job->member->owner_text, job->data_key, &job->wrapped, err) != 0)
        return -1;
    for (size_t i = 0; i < job->n_items; i++) {
        struct hub_item *item = &job->items[i];
        if (!item->by_hub && !item->no_op && item->verdict != HUB_REFUSED)
            seal_item(job, item);
    }
    return 0;
}

static void run_stages(struct hub_worker *w, void *arg)
{
    struct hub_job *job = arg;

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (stages[i].run(w, job, &job->err) != 0) {
            log_event("envelope_refused", TEXT("stage", slice_of(stages[i].name)), ERROR_FIELD(&job->err));
            hub_job_done(&job);
            return;
        }
    log_event("envelope_received", TEXT("collection", job->collection->name), NUM("objects", job->n_items),
              NUM("first_event_us", job->ask.first_event_us));
    if (!hub_commit_put(w->hub, job)) {
        err_set(&job->err, ERR_BUSY, NULL, "");
        hub_job_done(&job);
    }
}

int hub_submit(struct hub *h, const struct submission *s, struct err *err)
{
    struct hub_job *job = mem_zero(1, sizeof *job);

    job->hub = h;
    job->ask = *s;
    job->ask.from = hub_party_hold(s->from);
    job->ask.collection = arena_copy(&job->arena, s->collection);
    job->ask.bytes = s->bytes != NULL ? buf_ref_hold(s->bytes) : NULL;
    if (!atomic_load(&h->stopping) && hub_work(h, s->from->owner + s->from->viewer, false, run_stages, job)) {
        struct buf_ref *taken = s->bytes;
        buf_ref_drop(&taken);
        return 0;
    }
    hub_job_free(&job);
    return err_set(err, ERR_BUSY, NULL, "");
}

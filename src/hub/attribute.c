/* hub/attribute.c: as whom a release names its creator: a cover, or the organisation where it consented (AIS: none,
 * government, everyone). */
#include "hub/internal.h"

#include <assert.h>

#define INSTANT "\"1970-01-01T00:00:00.000000Z\"" /* the committer writes the time of its commit over it */

/* What the creator's identity says, where it came too; else what the member declared. */
enum share_consent hub_consent_of(struct hub_job *job, struct hub_item *item)
{
    struct slice creator = hub_item_creator(&item->object);
    enum share_consent consent = job->member->consent, said;

    for (size_t i = hub_submit_first_of(job, creator); i < job->n_came; i++) {
        const struct stix_object *identity = &job->by_id[i]->object;
        struct err err = ERR_INIT;
        bool found;
        if (!slice_eq(identity->id, creator))
            break;
        if (job->by_id[i]->verdict == HUB_REFUSED)
            continue;
        if (share_consent_read(identity, &said, &found, &err) != 0)
            hub_item_reject(item, &err);
        else if (found)
            consent = said;
    }
    return consent;
}

bool hub_consent_names_everybody(enum share_consent c)
{
    return c == SHARE_CONSENT_EVERYONE || c == SHARE_CONSENT_PROPRIETARY;
}

/* A creator's identity is another for every marking: it goes where objects of that marking go, and an id that had a
   version in one audience and another in the next would be no object at all. */
struct slice hub_creator_for(struct hub_job *job, struct slice base, uint32_t tlp)
{
    uint8_t mac[CRYPTO_HASH], mask = (uint8_t)tlp;

    crypto_sha256_2(base, slice_n((const char *)&mask, 1), mac);
    return share_minted_id(&job->arena, base, mac);
}

/* ---- identities that the hub itself makes ---- */

void hub_made_markings(struct buf *out, uint32_t tlp)
{
    json_put_key(out, SLICE("object_marking_refs"));
    json_put_open(out, '[');
    for (int level = 0; level < SHARE_TLP_LEVELS; level++)
        if (tlp >> level & 1)
            json_put_string(out, share_tlp_id((enum share_tlp)level));
    json_put_close(out, ']');
}

size_t hub_made_instant(struct buf *out, const char *name)
{
    json_put_key(out, slice_of(name));
    json_put_raw(out, SLICE(INSTANT));
    return out->len - TIME_TEXT - 1;
}

static void put_head(struct buf *out, const char *type, struct slice id, struct share_release *release)
{
    json_put_open(out, '{');
    json_put_text(out, "type", slice_of(type));
    json_put_text(out, "spec_version", SLICE("2.1"));
    json_put_text(out, "id", id);
    release->created_at = hub_made_instant(out, "created");
    release->modified_at = hub_made_instant(out, "modified");
}

/* `body` lacks its markings and the closing brace. An item with this key that is there already merges as unchanged. */
static void add_by_hub(struct hub_job *job, const struct hub_item *like, const char *type, struct slice id,
                       uint32_t creates, bool attribution, enum share_consent consent, struct share_release release,
                       struct buf *body)
{
    struct buf key = BUF_INIT;

    assert(job->n_items < job->room);
    struct hub_item *item = &job->items[job->n_items++];
    hub_made_markings(body, like->facts.tlp);
    json_put_close(body, '}');
    *item = (struct hub_item){
        .by_hub = true, .kind = STORE_ADD, .facts = like->facts, .id = id, .source_us = 1, .release = release};
    item->release.body = arena_copy(&job->arena, buf_slice(body));
    item->release.valid_until_at = item->release.cover_at = SIZE_MAX;
    item->facts.type = slice_of(type);
    item->facts.attribution = attribution;
    item->facts.consent = consent;
    item->facts.own_only = false;
    share_facts_put(&item->facts, &key);
    item->key = hub_row_key(job->member->owner_text, job->collection->id, id, buf_slice(&key));
    item->facts.creates = creates; /* its row has one key whatever names it: hub_commit_creates() */
    buf_clear(&key);
    share_facts_put(&item->facts, &key);
    item->class_key = arena_copy(&job->arena, buf_slice(&key));
    item->id_hash = hub_id_hash(id);
    buf_free(&key);
    buf_free(body);
}

static void add_identity(struct hub_job *job, const struct hub_item *like, struct slice id, struct slice name,
                         uint32_t creates, bool attribution, enum share_consent consent)
{
    struct share_release release = {.withheld = 0};
    struct buf body = BUF_INIT;

    put_head(&body, "identity", id, &release);
    json_put_text(&body, "name", name);
    json_put_text(&body, "identity_class", SLICE("organization"));
    add_by_hub(job, like, "identity", id, creates, attribution, consent, release, &body);
}

/* An identity needs a name (STIX 2.1 section 4.5). */
static struct slice public_name(const struct hub_member *m)
{
    return m->organisation.len != 0 ? m->organisation : m->name;
}

/* Who consented to governments alone: they, and nobody else, read which organisation stands behind the cover. */
static void add_attribution(struct hub_job *job, const struct hub_item *like)
{
    const struct hub_member *m = job->member;
    struct share_release release = {.withheld = 0};
    struct buf body = BUF_INIT;
    uint8_t mac[CRYPTO_HASH];

    struct slice cover = hub_creator_for(job, m->cover_id, like->facts.tlp),
                 named = hub_creator_for(job, m->named_id, like->facts.tlp);
    add_identity(job, like, named, public_name(m), 0, true, SHARE_CONSENT_GOVERNMENT);
    crypto_sha256_2(named, cover, mac);
    struct slice id = share_minted_id(&job->arena, SLICE("relationship--"), mac);
    put_head(&body, "relationship", id, &release);
    json_put_text(&body, "relationship_type", SLICE("related-to"));
    json_put_text(&body, "source_ref", cover);
    json_put_text(&body, "target_ref", named);
    add_by_hub(job, like, "relationship", id, 0, true, SHARE_CONSENT_GOVERNMENT, release, &body);
}

static void add_creator(struct hub_job *job, const struct hub_item *like, enum share_consent consent, uint32_t creates)
{
    const struct hub_member *m = job->member;

    if (hub_consent_names_everybody(consent))
        add_identity(job, like, hub_creator_for(job, m->named_id, like->facts.tlp), public_name(m), creates, true,
                     consent);
    else
        add_identity(job, like, hub_creator_for(job, m->cover_id, like->facts.tlp), m->cover_name, creates, false,
                     SHARE_CONSENT_NONE);
    if (consent == SHARE_CONSENT_GOVERNMENT)
        add_attribution(job, like);
}

/* One creator a marking and consent: it goes wherever an object that names it goes, and nowhere else. */
int hub_submit_attribute(struct hub_worker *w, struct hub_job *job, struct err *err)
{
    struct {
        const struct hub_item *like;
        uint32_t creates;
    } found[SHARE_CONSENT_PROPRIETARY][1 << SHARE_TLP_LEVELS] = {{{NULL, 0}}};

    if (job->member == NULL || job->ask.door == HUB_PARTNER)
        return 0;
    for (size_t i = 0; i < job->n_items; i++) {
        struct hub_item *item = &job->items[i];
        if (!hub_item_goes_on(item) || item->own_only || !hub_item_is_version(&item->object))
            continue;
        enum share_consent consent = hub_consent_of(job, item);
        if (consent == SHARE_CONSENT_PROPRIETARY)
            consent = SHARE_CONSENT_EVERYONE;
        uint32_t tlp = item->facts.tlp % (1u << SHARE_TLP_LEVELS);
        found[consent][tlp].like = item;
        found[consent][tlp].creates |= share_categories(&item->facts);
    }
    for (size_t consent = 0; consent < SHARE_CONSENT_PROPRIETARY; consent++)
        for (size_t tlp = 0; tlp < 1 << SHARE_TLP_LEVELS; tlp++)
            if (found[consent][tlp].like != NULL)
                add_creator(job, found[consent][tlp].like, (enum share_consent)consent, found[consent][tlp].creates);
    return 0;
}

/* In the committer: what this identity was known to create already, and what is new. A partner whose agreement covers
   what it creates now for the first time gets a version; whoever had it keeps it. */
void hub_commit_creates(struct hub_commit *c, struct hub_item *item)
{
    struct hub *h = hub_commit_hub(c);
    uint64_t known = item->by_hub && item->facts.creates != 0 ? hub_rows_find(&h->rows, item->id_hash, item->key) : 0;
    struct buf key = BUF_INIT;

    if (known == 0)
        return;
    uint32_t before = share_categories(&h->classes[h->rows.facts_class[known]]->facts);
    item->facts.creates |= before;
    item->source_us = h->rows.source_us[known] + (item->facts.creates != before);
    share_facts_put(&item->facts, &key);
    item->class_key = arena_copy(hub_commit_arena(c), buf_slice(&key));
    buf_free(&key);
}

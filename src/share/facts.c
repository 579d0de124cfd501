#include "share/internal.h"

enum share_category share_category_of(struct slice stix_type)
{
    if (slice_eq(stix_type, SLICE("indicator")))
        return SHARE_INDICATOR;
    if (slice_eq(stix_type, SLICE("sighting")) || slice_eq(stix_type, SLICE("observed-data")))
        return SHARE_SIGHTING; /* both tell what was seen at somebody's site */
    return SHARE_CONTEXT;
}

uint32_t share_categories(const struct share_facts *f)
{
    if (f->corroborates)
        return 1u << SHARE_INDICATOR | 1u << SHARE_CONTEXT;
    return f->creates != 0 ? f->creates : 1u << share_category_of(f->type);
}

static bool is_from_partner(const struct share_facts *f)
{
    return f->origin.len != 0 || f->path.len != 0 || f->agreement.len != 0;
}

bool share_edge_facts(const struct share_facts *one, const struct share_facts *other, struct share_facts *out)
{
    if (!slice_eq(one->collection, other->collection) || one->own_only || other->own_only || one->attribution ||
        other->attribution || one->tlp == 0 || other->tlp == 0)
        return false;
    *out = (struct share_facts){.collection = one->collection,
                                .type = SLICE("relationship"),
                                .tlp = one->tlp | other->tlp,
                                .corroborates = true,
                                .members_only = is_from_partner(one) || is_from_partner(other)};
    return true;
}

/* ---- the key of a class: JSON with the members in this order, what is at its default left out, so that equal facts
 * give equal bytes ---- */

static void put_flag(struct buf *out, const char *key, bool value)
{
    if (!value)
        return;
    json_put_key(out, slice_of(key));
    json_put_bool(out, true);
}

static void put_text(struct buf *out, const char *key, struct slice value)
{
    if (value.len != 0)
        json_put_text(out, key, value);
}

static void put_count(struct buf *out, const char *key, uint32_t value)
{
    if (value != 0)
        json_put_number(out, key, value);
}

void share_facts_put(const struct share_facts *f, struct buf *out)
{
    uint32_t orgs = f->organisations < SHARE_ORGS_CAP ? f->organisations : SHARE_ORGS_CAP;

    json_put_open(out, '{');
    put_text(out, "collection", f->collection);
    put_text(out, "type", f->type);
    put_count(out, "tlp", f->tlp);
    put_flag(out, "attribution", f->attribution);
    put_count(out, "consent", f->attribution ? f->consent : 0);
    put_text(out, "origin", f->origin);
    put_text(out, "path", f->path);
    put_text(out, "agreement", f->agreement);
    put_flag(out, "onward", f->onward);
    put_count(out, "organisations", orgs);
    put_flag(out, "own_only", f->own_only);
    put_count(out, "creates", f->creates);
    put_flag(out, "corroborates", f->corroborates);
    put_flag(out, "members_only", f->members_only);
    json_put_close(out, '}');
}

/* Each reader returns false when the member is there with a wrong kind of value, and counts it when it is there. */

static bool get_text(struct arena *a, struct json o, const char *key, struct slice *out, uint32_t *seen)
{
    struct json v = json_get(o, slice_of(key));

    if (json_kind(v) == JSON_ABSENT)
        return true;
    *out = json_string(a, v);
    (*seen)++;
    return json_kind(v) == JSON_STRING;
}

static bool get_flag(struct json o, const char *key, bool *out, uint32_t *seen)
{
    struct json v = json_get(o, slice_of(key));

    if (json_kind(v) == JSON_ABSENT)
        return true;
    (*seen)++;
    return json_bool(v, out);
}

static bool get_count(struct json o, const char *key, uint32_t max, uint32_t *out, uint32_t *seen)
{
    struct json v = json_get(o, slice_of(key));
    int64_t value = 0;

    if (json_kind(v) == JSON_ABSENT)
        return true;
    (*seen)++;
    if (!json_int(v, &value) || value < 0 || value > (int64_t)max)
        return false;
    *out = (uint32_t)value;
    return true;
}

int share_facts_get(struct arena *a, struct slice key, struct share_facts *out, struct err *err)
{
    struct share_facts f = {0};
    struct json o;
    uint32_t seen = 0, consent = 0;
    bool ok;

    if (json_parse(a, arena_copy(a, key), &json_limits_default, &o, err) != 0)
        return -1;
    ok = get_text(a, o, "collection", &f.collection, &seen) && get_text(a, o, "type", &f.type, &seen) &&
         get_count(o, "tlp", (1u << SHARE_TLP_LEVELS) - 1, &f.tlp, &seen) &&
         get_flag(o, "attribution", &f.attribution, &seen) &&
         get_count(o, "consent", SHARE_CONSENT_PROPRIETARY, &consent, &seen) &&
         get_text(a, o, "origin", &f.origin, &seen) && get_text(a, o, "path", &f.path, &seen) &&
         get_text(a, o, "agreement", &f.agreement, &seen) && get_flag(o, "onward", &f.onward, &seen) &&
         get_count(o, "organisations", SHARE_ORGS_CAP, &f.organisations, &seen) &&
         get_flag(o, "own_only", &f.own_only, &seen) &&
         get_count(o, "creates", (1u << SHARE_CATEGORIES) - 1, &f.creates, &seen) &&
         get_flag(o, "corroborates", &f.corroborates, &seen) && get_flag(o, "members_only", &f.members_only, &seen);
    /* A member that this build does not know may be a restriction: such a class is not readable here. */
    if (!ok || json_kind(o) != JSON_OBJECT || seen != json_count(o))
        return err_set(err, ERR_STORE, "", "a facts class cannot be read");
    f.consent = (enum share_consent)consent;
    *out = f;
    return 0;
}

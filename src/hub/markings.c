/* hub/markings.c: "which markings may I see here, and why?" Policy put into words for the one who asks: one row for
   each marking in each collection, as share_decide() gives it. The answer is made of the viewer, the audience
   statements and the agreements; nothing that the hub holds is looked at, so it tells nothing about what there is
   (DESIGN.md invariant 6). */
#include "hub/internal.h"

static const struct {
    const char *name, *type; /* of the category */
    enum share_category category;
} categories[] = {
    {"indicator", "indicator", SHARE_INDICATOR},
    {"context", "malware", SHARE_CONTEXT},
    {"sighting", "sighting", SHARE_SIGHTING},
};

struct asking {
    const struct hub_view *view;
    struct share_viewer viewer;
    int64_t now_us;
    struct buf *out;
};

static void put_reasons(const struct share_decision *d, struct buf *out)
{
    json_put_key(out, SLICE("reasons"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < d->n_reasons; i++) {
        json_put_open(out, '{');
        json_put_text(out, "code", slice_of(share_reason_name(d->reasons[i])));
        json_put_text(out, "text", slice_of(share_reason_text(d->reasons[i])));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_decision(struct asking *q, const struct share_facts *facts)
{
    struct share_decision d;
    char text[TIME_TEXT];

    share_decide(q->view->directory->policy, facts, &q->viewer, SHARE_DELIVER, q->now_us, &d);
    json_put_key(q->out, SLICE("visible"));
    json_put_bool(q->out, d.verdict == SHARE_WHOLE);
    put_reasons(&d, q->out);
    if (d.verdict == SHARE_WHOLE && d.holds_until_us != INT64_MAX) {
        time_put(text, d.holds_until_us);
        json_put_text(q->out, "until", slice_n(text, sizeof text));
    }
}

/* A partner's agreement names categories; a member's rights do not differ by them. */
static void put_level(struct asking *q, const struct hub_collection *c, enum share_tlp level, size_t category)
{
    struct share_facts facts = {.collection = c->id, .type = slice_of(categories[category].type), .tlp = 1u << level};

    if (categories[category].category == SHARE_SIGHTING)
        facts.organisations = SHARE_ORGS_CAP; /* of enough organisations: fewer are denied whatever the marking */
    json_put_open(q->out, '{');
    json_put_text(q->out, "marking", share_tlp_name(level));
    json_put_text(q->out, "id", share_tlp_id(level));
    if (q->viewer.kind == SHARE_PARTNER)
        json_put_text(q->out, "category", slice_of(categories[category].name));
    put_decision(q, &facts);
    json_put_close(q->out, '}');
}

/* An object that names its submitter needs its consent besides: shown for CLEAR, where nothing else stands in the way.
 */
static void put_consent(struct asking *q, const struct hub_collection *c, enum share_consent consent, const char *name)
{
    struct share_facts facts = {.collection = c->id,
                                .type = SLICE("identity"),
                                .tlp = 1u << SHARE_CLEAR,
                                .attribution = true,
                                .consent = consent};

    json_put_open(q->out, '{');
    json_put_text(q->out, "consent", slice_of(name));
    put_decision(q, &facts);
    json_put_close(q->out, '}');
}

static void put_collection(struct asking *q, const struct hub_collection *c)
{
    size_t n = q->viewer.kind == SHARE_PARTNER ? sizeof categories / sizeof categories[0] : 1;

    json_put_open(q->out, '{');
    json_put_text(q->out, "id", c->id);
    json_put_text(q->out, "alias", c->name);
    json_put_key(q->out, SLICE("markings"));
    json_put_open(q->out, '[');
    for (int level = SHARE_CLEAR; level < SHARE_TLP_LEVELS; level++)
        for (size_t category = 0; category < n; category++)
            put_level(q, c, (enum share_tlp)level, category);
    json_put_close(q->out, ']');
    json_put_key(q->out, SLICE("named_submitters"));
    json_put_open(q->out, '[');
    put_consent(q, c, SHARE_CONSENT_NONE, "none");
    put_consent(q, c, SHARE_CONSENT_GOVERNMENT, "government");
    put_consent(q, c, SHARE_CONSENT_EVERYONE, "everyone");
    put_consent(q, c, SHARE_CONSENT_PROPRIETARY, "proprietary");
    json_put_close(q->out, ']');
    json_put_close(q->out, '}');
}

void hub_put_markings(const struct hub_view *v, struct buf *out)
{
    const struct hub_member *m = hub_directory_member_of(v->directory, v->viewer);
    struct asking q = {.view = v, .now_us = time_now_us(), .out = out};
    size_t n = 0;

    if (!hub_viewer_is(v->directory, v->viewer, &q.viewer))
        q.viewer = (struct share_viewer){.kind = SHARE_MEMBER};
    json_put_open(out, '{');
    json_put_text(out, "viewer", q.viewer.name);
    if (m != NULL)
        hub_dialect_put(&m->dialect, out);
    for (size_t i = 0; i < v->directory->n_collections; i++) {
        if (!hub_member_may_read(m, &v->directory->collections[i]))
            continue;
        if (n++ == 0) {
            json_put_key(out, SLICE("collections"));
            json_put_open(out, '[');
        }
        put_collection(&q, &v->directory->collections[i]);
    }
    if (n != 0)
        json_put_close(out, ']');
    json_put_close(out, '}');
}

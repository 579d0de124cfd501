#include "share/internal.h"

/* Reasons are gathered as a set: a decision tells all of them, in the order of reasons.def, none twice. */
typedef uint64_t reason_set;
_Static_assert(SHARE_REASON_COUNT <= 64, "reasons fit a set");
#define BIT(name) (UINT64_C(1) << SHARE_REASON_##name)

static const struct {
    const char *name, *text;
} reason_rows[SHARE_REASON_COUNT] = {
    {"NONE", ""},
#define REASON(name, text) {#name, text},
#include "share/reasons.def"
#undef REASON
};

static const reason_set permits = BIT(TLP_CLEAR) | BIT(TLP_GREEN_MEMBER) | BIT(TLP_GREEN_PARTNER) |
                                  BIT(TLP_AMBER_PARTNER) | BIT(RECIPIENT) | BIT(CLIENT);

const char *share_reason_name(enum share_reason r)
{
    return (size_t)r < SHARE_REASON_COUNT ? reason_rows[r].name : "?";
}

const char *share_reason_text(enum share_reason r)
{
    return (size_t)r < SHARE_REASON_COUNT ? reason_rows[r].text : "";
}

bool share_reason_permits(enum share_reason r)
{
    return (size_t)r < SHARE_REASON_COUNT && (permits >> r & 1) != 0;
}

static bool has_level(const struct share_facts *f, enum share_tlp level)
{
    return (f->tlp >> level & 1) != 0;
}

/* ---- what binds every viewer ---- */

static reason_set common_reasons(const struct share_facts *f, const struct share_collection *c,
                                 const struct share_viewer *to)
{
    reason_set set = 0;

    if (f->tlp == 0 || f->tlp >> SHARE_TLP_LEVELS != 0)
        set |= BIT(NO_MARKING); /* a level that this build does not know counts as none */
    if (c == NULL)
        set |= BIT(COLLECTION_UNKNOWN);
    if (f->own_only)
        set |= BIT(OWN_ONLY);
    if (f->attribution &&
        (f->consent == SHARE_CONSENT_NONE || (f->consent == SHARE_CONSENT_GOVERNMENT && !to->government)))
        set |= BIT(CONSENT);
    if (has_level(f, SHARE_CLEAR))
        set |= BIT(TLP_CLEAR);
    if (has_level(f, SHARE_RED))
        set |= BIT(TLP_RED);
    return set;
}

/* ---- members of this hub ---- */

static bool is_client_of_recipient(const struct share_collection *c, const struct share_viewer *to)
{
    for (size_t i = 0; i < to->n_client_of; i++)
        if (share_list_has(c->recipients, c->n_recipients, to->client_of[i]))
            return true;
    return false;
}

/* DESIGN.md invariant 5: each level present gives a reason that permits or one that denies. */
static reason_set member_reasons(const struct share_facts *f, const struct share_collection *c,
                                 const struct share_viewer *to)
{
    bool listed = c != NULL && share_list_has(c->recipients, c->n_recipients, to->name);
    bool client = c != NULL && is_client_of_recipient(c, to);
    reason_set standing = (listed ? BIT(RECIPIENT) : 0) | (client ? BIT(CLIENT) : 0);
    reason_set set = 0;

    if (has_level(f, SHARE_GREEN)) {
        set |= c != NULL && c->open ? BIT(TLP_GREEN_MEMBER) : 0;
        set |= standing;
        if (set == 0)
            set |= BIT(TLP_GREEN_CLOSED);
    }
    if (has_level(f, SHARE_AMBER))
        set |= standing != 0 ? standing : BIT(TLP_AMBER);
    if (has_level(f, SHARE_STRICT))
        set |= listed ? BIT(RECIPIENT) : BIT(TLP_STRICT);
    return set;
}

/* ---- partner hubs ---- */

static bool passed(const struct share_facts *f, struct slice hub)
{
    struct slice rest = f->path, one;

    if (hub.len != 0 && slice_eq(f->origin, hub))
        return true;
    while (slice_cut(&rest, ',', &one))
        if (hub.len != 0 && slice_eq(one, hub))
            return true;
    return false;
}

static reason_set agreement_reasons(const struct share_agreement *g, const struct share_facts *f, int64_t now_us)
{
    reason_set set = 0;

    if (now_us >= g->until_us)
        set |= BIT(AGREEMENT_ENDED);
    if (!share_list_has(g->collections_out, g->n_collections_out, f->collection))
        set |= BIT(AGREEMENT_COLLECTION);
    uint32_t agreed = g->categories & share_categories(f);
    if (agreed == 0 || (f->corroborates && agreed != share_categories(f)))
        set |= BIT(AGREEMENT_CATEGORY);
    if (f->tlp >> g->ceiling > 1)
        set |= BIT(AGREEMENT_CEILING);
    if (f->organisations != 0 && f->organisations < g->k)
        set |= BIT(K);
    return set;
}

/* One agreement that refuses nothing is enough; when each refuses something, all that they refuse is told. A permit
   holds until the last of those that permit ends. */
static reason_set agreements_reasons(const struct share_policy *p, const struct share_facts *f, struct slice partner,
                                     int64_t now_us, int64_t *until_out)
{
    size_t n = 0;
    const struct share_agreement *g = partner.len != 0 ? share_policy_partner(p, partner, &n) : NULL;
    reason_set refused = n == 0 ? BIT(NO_AGREEMENT) : 0;
    bool permitted = false;

    for (size_t i = 0; i < n; i++) {
        reason_set one = agreement_reasons(&g[i], f, now_us);
        refused |= one;
        if (one == 0 && (!permitted || g[i].until_us > *until_out)) {
            permitted = true;
            *until_out = g[i].until_us;
        }
    }
    return permitted ? 0 : refused;
}

/* A sighting that the hub made of several. For the hubs that its subject came through it is news, not an echo, and
   they are no third parties to it. */
static bool is_band(const struct share_facts *f)
{
    return f->organisations != 0;
}

/* CLEAR needs the agreement alone; GREEN and AMBER leave to named partners only, under the agreement's ceiling; STRICT
   is one company's and RED one person's: a hub is neither. What a partner sent us goes on to third parties only if it
   is CLEAR or its agreement says so (invariant 7). */
static reason_set partner_reasons(const struct share_policy *p, const struct share_facts *f,
                                  const struct share_collection *c, const struct share_viewer *to, int64_t now_us,
                                  int64_t *until_out)
{
    bool named = c != NULL && share_list_has(c->partners, c->n_partners, to->hub);
    bool received = f->origin.len != 0 || f->path.len != 0 || f->agreement.len != 0;
    bool back = passed(f, to->hub);
    reason_set set = agreements_reasons(p, f, to->hub, now_us, until_out);

    if (has_level(f, SHARE_GREEN))
        set |= named ? BIT(TLP_GREEN_PARTNER) : BIT(PARTNER_NOT_NAMED);
    if (has_level(f, SHARE_AMBER))
        set |= named ? BIT(TLP_AMBER_PARTNER) : BIT(PARTNER_NOT_NAMED);
    if (has_level(f, SHARE_STRICT))
        set |= BIT(TLP_STRICT);
    if (f->members_only)
        set |= BIT(MEMBERS_ONLY);
    if (back && !is_band(f))
        set |= BIT(ECHO);
    if (received && f->tlp != 1u << SHARE_CLEAR && !f->onward && !(back && is_band(f)))
        set |= BIT(ONWARD);
    return set;
}

static void decision_fill(struct share_decision *out, reason_set set)
{
    reason_set denied = set & ~permits;
    reason_set told = denied != 0 ? denied : set;

    out->verdict = denied == 0 && set != 0 ? SHARE_WHOLE : SHARE_DENY;
    for (uint16_t r = 1; r < SHARE_REASON_COUNT && out->n_reasons < SHARE_REASONS_MAX; r++)
        if ((told >> r & 1) != 0)
            out->reasons[out->n_reasons++] = r;
}

void share_decide(const struct share_policy *p, const struct share_facts *f, const struct share_viewer *to,
                  enum share_action action, int64_t now_us, struct share_decision *out)
{
    const struct share_collection *c = share_policy_collection(p, f->collection);
    reason_set set = common_reasons(f, c, to);
    int64_t until_us = INT64_MAX;

    (void)action; /* TLP says who, not what for: both actions have one audience until a marking that knows of actions is
                     read */
    if (to->kind == SHARE_MEMBER)
        set |= member_reasons(f, c, to);
    else
        set |= partner_reasons(p, f, c, to, now_us, &until_us);
    *out = (struct share_decision){.verdict = SHARE_DENY, .holds_until_us = INT64_MAX};
    decision_fill(out, set);
    if (out->verdict == SHARE_WHOLE) /* only a permit can lapse: an agreement that has ended does not return */
        out->holds_until_us = until_us;
}

/* Whoever takes an object in takes in who it says made it: an agreement about indicators alone brings their creators.
 */
static bool is_covered(const struct share_agreement *g, struct slice type)
{
    return (g->categories >> share_category_of(type) & 1) != 0 ||
           (g->categories != 0 && slice_eq(type, SLICE("identity")));
}

static int accept_under(const struct share_agreement *g, const struct share_facts *f, int64_t now_us, struct err *err)
{
    if (now_us >= g->until_us)
        return err_set(err, ERR_AGREEMENT_EXPIRED, "", "");
    if (f->tlp == 0 || f->tlp >> SHARE_TLP_LEVELS != 0 || f->tlp >> g->ceiling > 1)
        return err_set(err, ERR_CEILING, "/object_marking_refs", "above the ceiling of the agreement, " SLICE_FMT,
                       SLICE_ARG(share_tlp_name(g->ceiling)));
    if (!is_covered(g, f->type))
        return err_set(err, ERR_CEILING, "/type", "the agreement does not cover objects of type \"" SLICE_FMT "\"",
                       SLICE_ARG(f->type));
    return 0;
}

/* Rows that share the id must all accept. */
int share_accept(const struct share_policy *p, const struct share_facts *f, struct slice agreement, int64_t now_us,
                 struct err *err)
{
    bool found = false;

    for (size_t i = 0; i < p->n_agreements; i++) {
        if (agreement.len == 0 || !slice_eq(p->agreements[i].id, agreement))
            continue;
        found = true;
        if (accept_under(&p->agreements[i], f, now_us, err) != 0)
            return -1;
    }
    return found ? 0 : err_set(err, ERR_FORBIDDEN, "", "no such agreement is known here");
}

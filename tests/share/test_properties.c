#include "share_test.h"

/* What must hold for every policy, fact and viewer, tried on chance, and a second reading of the rules: an oracle
   written from the prose of DESIGN.md invariants 4 to 8 as tables, over the rows as they were given, without sets,
   sorting or reasons. */

enum { COLLECTIONS = 3, AGREEMENTS = 4, LISTED = 3, NOW = 1000 };

static const struct slice collection_names[] = {SLICE_INIT("c0"), SLICE_INIT("c1"), SLICE_INIT("c2"), SLICE_INIT("c3")};
static const struct slice members[] = {SLICE_INIT("bank"), SLICE_INIT("power"), SLICE_INIT("clinic"), SLICE_INIT("")};
static const struct slice hubs[] = {SLICE_INIT("h1"), SLICE_INIT("h2"), SLICE_INIT("h3"), SLICE_INIT("h")};
static const struct slice types[] = {SLICE_INIT("indicator"), SLICE_INIT("sighting"), SLICE_INIT("malware"),
                                     SLICE_INIT("observed-data")};

struct world { /* the rows of one policy, with the room that they point into */
    struct share_collection collections[COLLECTIONS];
    struct share_agreement agreements[AGREEMENTS];
    size_t n_collections, n_agreements;
    struct slice recipients[COLLECTIONS][LISTED], partners[COLLECTIONS][LISTED], out[AGREEMENTS][LISTED], client_of[2];
    struct share_facts facts;
    struct share_viewer viewer;
    char path[32];
};

static size_t some(struct chance *c, const struct slice pool[4], struct slice *to, uint32_t max)
{
    size_t n = chance_below(c, max + 1);

    for (size_t i = 0; i < n; i++)
        to[i] = pool[chance_below(c, 4)];
    return n;
}

static void world_policy(struct chance *c, struct world *w)
{
    w->n_collections = 1 + chance_below(c, COLLECTIONS);
    w->n_agreements = chance_below(c, AGREEMENTS + 1);
    for (size_t i = 0; i < w->n_collections; i++)
        w->collections[i] = (struct share_collection){
            .id = collection_names[chance_one_in(c, 20) ? 0 : i],
            .open = chance_one_in(c, 2),
            .recipients = w->recipients[i],
            .n_recipients = some(c, members, w->recipients[i], LISTED),
            .partners = w->partners[i],
            .n_partners = some(c, hubs, w->partners[i], LISTED),
        };
    for (size_t i = 0; i < w->n_agreements; i++)
        w->agreements[i] = (struct share_agreement){
            .id = collection_names[i],
            .partner = hubs[chance_below(c, 3)],
            .collections_out = w->out[i],
            .n_collections_out = some(c, collection_names, w->out[i], LISTED),
            .ceiling = (enum share_tlp)(chance_one_in(c, 2) ? SHARE_STRICT : chance_below(c, SHARE_TLP_LEVELS)),
            .categories = chance_one_in(c, 2) ? 7 : chance_below(c, 8),
            .k = chance_below(c, 5),
            .onward = chance_one_in(c, 2),
            .until_us = chance_one_in(c, 8) ? NOW : NOW + 1 + chance_below(c, 1000),
        };
}

static void world_facts(struct chance *c, struct world *w)
{
    struct share_facts *f = &w->facts;

    *f = (struct share_facts){
        .collection = collection_names[chance_below(c, (uint32_t)w->n_collections + chance_one_in(c, 10))],
        .type = types[chance_below(c, 4)],
        .tlp = 1u << (chance_one_in(c, 2) ? chance_below(c, 3) : chance_below(c, SHARE_TLP_LEVELS)),
        .attribution = chance_one_in(c, 8),
        .own_only = chance_one_in(c, 20),
        .onward = chance_one_in(c, 2),
        .organisations = chance_one_in(c, 5) ? chance_below(c, 6) : 0,
        .corroborates = chance_one_in(c, 8),
        .members_only = chance_one_in(c, 16),
        .creates = chance_one_in(c, 8) ? chance_below(c, 1u << SHARE_CATEGORIES) : 0,
    };
    if (f->attribution)
        f->consent = (enum share_consent)chance_below(c, 4);
    for (uint32_t more = chance_one_in(c, 2) ? chance_below(c, 3) : 0; more != 0; more--)
        f->tlp |= 1u << chance_below(c, SHARE_TLP_LEVELS);
    if (chance_one_in(c, 40))
        f->tlp = chance_one_in(c, 2) ? 0 : f->tlp | 1u << (SHARE_TLP_LEVELS + chance_below(c, 27));
    if (!chance_one_in(c, 3))
        return;
    f->origin = hubs[chance_below(c, 3)];
    f->agreement = SLICE("in");
    int n = snprintf(w->path, sizeof w->path, "%.*s%s", SLICE_ARG(f->origin),
                     chance_one_in(c, 2)   ? ""
                     : chance_one_in(c, 2) ? ",h2"
                                           : ",hx,h3");
    f->path = slice_n(w->path, (size_t)n);
}

static void world_make(struct chance *c, struct world *w)
{
    memset(w, 0, sizeof *w);
    world_policy(c, w);
    world_facts(c, w);
    w->viewer = (struct share_viewer){
        .kind = chance_one_in(c, 2) ? SHARE_MEMBER : SHARE_PARTNER,
        .client_of = w->client_of,
        .n_client_of = some(c, members, w->client_of, 2),
        .government = chance_one_in(c, 2),
    };
    if (w->viewer.kind == SHARE_MEMBER)
        w->viewer.name = members[chance_below(c, 4)];
    else
        w->viewer.hub = hubs[chance_below(c, chance_one_in(c, 10) ? 4 : 3)];
}

static void decide(struct arena *a, const struct world *w, int64_t now_us, struct share_decision *out)
{
    const struct share_policy *p =
        share_policy_build(a, w->collections, w->n_collections, w->agreements, w->n_agreements);

    share_decide(p, &w->facts, &w->viewer, SHARE_DELIVER, now_us, out);
}

static bool is_whole(struct arena *a, const struct world *w)
{
    struct share_decision d;

    decide(a, w, NOW, &d);
    return d.verdict == SHARE_WHOLE;
}

/* ---- the oracle ---- */

/* Who may read a level, by what he is to the collection. A member may be several of these: then any of its columns. */
static const bool member_table[SHARE_TLP_LEVELS][4] = {
    /*            closed  open   client  recipient */
    /* CLEAR  */ {true, true, true, true},
    /* GREEN  */ {false, true, true, true},
    /* AMBER  */ {false, false, true, true},
    /* STRICT */ {false, false, false, true},
    /* RED    */ {false, false, false, false},
};
static const bool partner_table[SHARE_TLP_LEVELS][2] = {
    /*            unnamed named */
    /* CLEAR  */ {true, true},
    /* GREEN  */ {false, true},
    /* AMBER  */ {false, true},
    /* STRICT */ {false, false},
    /* RED    */ {false, false},
};
/* Who may learn the name, by consent: [government] */
static const bool consent_table[4][2] = {{false, false}, {false, true}, {true, true}, {true, true}};

static bool on(const struct slice *list, size_t n, struct slice s)
{
    for (size_t i = 0; i < n; i++)
        if (s.len > 0 && list[i].len == s.len && memcmp(list[i].ptr, s.ptr, s.len) == 0)
            return true;
    return false;
}

static bool oracle_member(const struct share_collection *c, const struct share_viewer *v, int level)
{
    bool client = false, open = c->open;

    for (size_t i = 0; i < v->n_client_of; i++)
        client = client || on(c->recipients, c->n_recipients, v->client_of[i]);
    return member_table[level][0] || (open && member_table[level][1]) || (client && member_table[level][2]) ||
           (on(c->recipients, c->n_recipients, v->name) && member_table[level][3]);
}

static int oracle_category(struct slice type)
{
    static const char *const table[][2] = {{"indicator", "0"}, {"sighting", "2"}, {"observed-data", "2"}};

    for (size_t i = 0; i < ROWS(table); i++)
        if (slice_eq(type, slice_of(table[i][0])))
            return table[i][1][0] - '0';
    return 1;
}

static bool oracle_covers(const struct share_agreement *g, const struct share_facts *f)
{
    if (f->corroborates)
        return (g->categories & 1) != 0 && (g->categories & 2) != 0;
    return (g->categories & (f->creates > 0 ? f->creates : 1u << oracle_category(f->type))) != 0;
}

static bool oracle_agreement(const struct world *w, const struct share_agreement *g)
{
    const struct share_facts *f = &w->facts;
    bool below = true;

    for (int level = 0; level < 32; level++)
        below = below && ((f->tlp & 1u << level) == 0 || level <= (int)g->ceiling);
    return slice_eq(g->partner, w->viewer.hub) && g->until_us > NOW && below &&
           on(g->collections_out, g->n_collections_out, f->collection) && oracle_covers(g, f) &&
           (f->organisations == 0 || f->organisations >= g->k);
}

static bool oracle_partner(const struct world *w, const struct share_collection *c)
{
    const struct share_facts *f = &w->facts;
    bool agreed = false, named = on(c->partners, c->n_partners, w->viewer.hub);
    char path[64], hub[16];

    snprintf(path, sizeof path, ",%.*s,%.*s,", SLICE_ARG(f->origin), SLICE_ARG(f->path));
    snprintf(hub, sizeof hub, ",%.*s,", SLICE_ARG(w->viewer.hub));
    if (f->members_only)
        return false;
    bool home = f->organisations > 0 && strstr(path, hub) != NULL;
    if (strstr(path, hub) != NULL && !home)
        return false;
    if (f->origin.len > 0 && f->tlp != 1 && !f->onward && !home)
        return false;
    for (int level = 0; level < SHARE_TLP_LEVELS; level++)
        if ((f->tlp & 1u << level) != 0 && !partner_table[level][named])
            return false;
    for (size_t i = 0; i < w->n_agreements; i++)
        agreed = agreed || oracle_agreement(w, &w->agreements[i]);
    return agreed;
}

static bool oracle(const struct world *w)
{
    const struct share_facts *f = &w->facts;
    const struct share_collection *c = NULL;

    for (size_t i = 0; i < w->n_collections; i++)
        if (slice_eq(w->collections[i].id, f->collection)) {
            if (c != NULL)
                return false; /* two statements on one collection */
            c = &w->collections[i];
        }
    if (c == NULL || f->own_only || f->tlp == 0 || f->tlp >= 32)
        return false;
    if (f->attribution && !consent_table[f->consent][w->viewer.government])
        return false;
    if (w->viewer.kind == SHARE_PARTNER)
        return oracle_partner(w, c);
    for (int level = 0; level < SHARE_TLP_LEVELS; level++)
        if ((f->tlp & 1u << level) != 0 && !oracle_member(c, &w->viewer, level))
            return false;
    return true;
}

/* ---- the properties ---- */

static const char *broken_reasons(const struct share_decision *d)
{
    bool denies = false, permits = false;

    for (uint32_t i = 0; i < d->n_reasons; i++) {
        if (d->reasons[i] == 0 || d->reasons[i] >= SHARE_REASON_COUNT || (i > 0 && d->reasons[i] <= d->reasons[i - 1]))
            return "a reason is unknown or stands twice";
        denies = denies || !share_reason_permits(d->reasons[i]);
        permits = permits || share_reason_permits(d->reasons[i]);
    }
    if (d->n_reasons == 0)
        return "no reason at all";
    if (denies == permits || denies != (d->verdict == SHARE_DENY))
        return "the reasons do not fit the verdict";
    return NULL;
}

static const char *broken_time(struct arena *a, const struct world *w, const struct share_decision *d)
{
    struct share_decision later;

    if (d->verdict == SHARE_DENY) {
        decide(a, w, NOW + 5000, &later);
        return later.verdict == SHARE_DENY ? NULL : "time alone made it readable";
    }
    if (d->holds_until_us == INT64_MAX)
        return w->viewer.kind == SHARE_MEMBER ? NULL : "a partner's permit has no end";
    decide(a, w, d->holds_until_us - 1, &later);
    if (later.verdict != SHARE_WHOLE)
        return "ended before its time";
    decide(a, w, d->holds_until_us, &later);
    return later.verdict == SHARE_DENY ? NULL : "outlived its time";
}

static bool passed(const struct world *w)
{
    struct slice rest = w->facts.path, hub;

    while (slice_cut(&rest, ',', &hub))
        if (slice_eq(hub, w->viewer.hub))
            return true;
    return false;
}

/* One thing less in the policy, or one marking more on the object: whoever may read then could before. */
static struct world smaller(struct chance *c, const struct world *w)
{
    struct world s = *w;
    struct share_collection *one = &s.collections[chance_below(c, (uint32_t)s.n_collections)];
    uint32_t what = chance_below(c, 7);

    if (what <= 1 && s.facts.tlp != 0)
        s.facts.tlp |= 1u << chance_below(c, SHARE_TLP_LEVELS);
    else if (what == 2 && s.n_agreements != 0)
        s.agreements[chance_below(c, (uint32_t)s.n_agreements)] = s.agreements[s.n_agreements - 1], s.n_agreements--;
    else if (what == 3 && one->n_recipients != 0)
        one->n_recipients--;
    else if (what == 4 && one->n_partners != 0)
        one->n_partners--;
    else if (what == 5 && s.viewer.n_client_of != 0)
        s.viewer.n_client_of--;
    else
        one->open = false;
    return s;
}

static const char *broken_partner(const struct world *w)
{
    int top = -1;

    for (int level = 0; level < SHARE_TLP_LEVELS; level++)
        top = (w->facts.tlp & 1u << level) != 0 ? level : top;
    for (size_t i = 0; i < w->n_agreements; i++)
        if (slice_eq(w->agreements[i].partner, w->viewer.hub) && (int)w->agreements[i].ceiling >= top)
            return passed(w) && w->facts.organisations == 0 ? "it went back where it came from" : NULL;
    return "above the ceiling";
}

static const char *broken(struct arena *a, struct chance *c, const struct world *w, bool *whole_out)
{
    struct share_decision d;
    struct world less = smaller(c, w);
    const char *wrong;

    decide(a, w, NOW, &d);
    *whole_out = d.verdict == SHARE_WHOLE;
    if (*whole_out != oracle(w))
        return "the oracle says otherwise";
    if ((wrong = broken_reasons(&d)) != NULL || (wrong = broken_time(a, w, &d)) != NULL)
        return wrong;
    if (!*whole_out)
        return is_whole(a, &less) ? "less permission, or one marking more, enlarged the audience" : NULL;
    if ((w->facts.tlp & 1u << SHARE_RED) != 0)
        return "RED was read";
    return w->viewer.kind == SHARE_PARTNER ? broken_partner(w) : NULL;
}

static void test_share_properties__hold_by_chance(void **state)
{
    struct chance c = chance_start("properties");
    struct arena a = ARENA_INIT;
    uint32_t cases = test_cases(200000), whole = 0, whole_partner = 0;

    for (uint32_t i = 0; i < cases; i++) {
        struct world w;
        bool is = false;
        world_make(&c, &w);
        const char *wrong = broken(&a, &c, &w, &is);
        if (wrong != NULL)
            fail_msg("case %u: %s (tlp %x, %s)", i, wrong, w.facts.tlp,
                     w.viewer.kind == SHARE_MEMBER ? "member" : "partner");
        whole += is;
        whole_partner += is && w.viewer.kind == SHARE_PARTNER;
        arena_reset(&a);
    }
    print_message("# %u cases, %u permits, %u of them to partners\n", cases, whole, whole_partner);
    assert_true(whole > cases / 20 && whole_partner > cases / 200); /* not vacuous */
    arena_free(&a);
}

/* ---- reasons are faithful: mending what they name, and nothing else, permits ---- */

static void mend_agreements(struct world *w, uint16_t reason)
{
    for (size_t i = 0; i < w->n_agreements; i++) {
        struct share_agreement *g = &w->agreements[i];
        if (reason == SHARE_REASON_AGREEMENT_ENDED)
            g->until_us = INT64_MAX;
        else if (reason == SHARE_REASON_AGREEMENT_CEILING)
            g->ceiling = SHARE_RED;
        else if (reason == SHARE_REASON_AGREEMENT_CATEGORY)
            g->categories = 7;
        else if (reason == SHARE_REASON_AGREEMENT_COLLECTION)
            g->collections_out = &w->facts.collection, g->n_collections_out = 1;
    }
}

static void mend_collection(struct world *w, uint16_t reason)
{
    for (size_t i = 0; i < w->n_collections; i++) {
        struct share_collection *one = &w->collections[i];
        if (reason == SHARE_REASON_PARTNER_NOT_NAMED)
            one->partners = &w->viewer.hub, one->n_partners = 1;
        else if (reason == SHARE_REASON_TLP_GREEN_CLOSED)
            one->open = true;
        else if (reason == SHARE_REASON_TLP_AMBER || reason == SHARE_REASON_TLP_STRICT)
            one->recipients = &w->viewer.name, one->n_recipients = 1;
    }
}

static void mend(struct world *w, uint16_t reason)
{
    struct share_facts *f = &w->facts;

    mend_agreements(w, reason);
    mend_collection(w, reason);
    if (reason == SHARE_REASON_NO_MARKING)
        f->tlp &= 31;
    else if (reason == SHARE_REASON_TLP_RED)
        f->tlp &= ~(1u << SHARE_RED);
    else if (reason == SHARE_REASON_TLP_STRICT && w->viewer.kind == SHARE_PARTNER)
        f->tlp &= ~(1u << SHARE_STRICT);
    else if (reason == SHARE_REASON_ECHO)
        f->origin = f->path = SLICE("hz");
    else if (reason == SHARE_REASON_ONWARD)
        f->onward = true;
    else if (reason == SHARE_REASON_K)
        f->organisations = 100;
    else if (reason == SHARE_REASON_CONSENT)
        f->consent = SHARE_CONSENT_EVERYONE;
    else if (reason == SHARE_REASON_OWN_ONLY)
        f->own_only = false;
    else if (reason == SHARE_REASON_MEMBERS_ONLY)
        f->members_only = false;
}

/* Those that no row of this policy can mend. */
static bool is_mendable(const struct world *w, const struct share_decision *d)
{
    for (uint32_t i = 0; i < d->n_reasons; i++)
        if (d->reasons[i] == SHARE_REASON_COLLECTION_UNKNOWN || d->reasons[i] == SHARE_REASON_NO_AGREEMENT)
            return false;
    return w->viewer.kind == SHARE_PARTNER || w->viewer.name.len != 0;
}

static void test_share_properties__reasons_mend(void **state)
{
    struct chance c = chance_start("reasons");
    struct arena a = ARENA_INIT;
    uint32_t tried = 0;

    for (uint32_t i = 0; i < test_cases(50000); i++) {
        struct world w;
        struct share_decision d;
        arena_reset(&a);
        world_make(&c, &w);
        decide(&a, &w, NOW, &d);
        if (d.verdict == SHARE_WHOLE || !is_mendable(&w, &d))
            continue;
        for (uint32_t k = 0; k < d.n_reasons; k++)
            mend(&w, d.reasons[k]);
        if (w.facts.tlp == 0)
            continue; /* nothing left that could permit */
        tried++;
        if (!is_whole(&a, &w))
            fail_msg("case %u: %s and %u more were mended, and it is still denied", i, share_reason_name(d.reasons[0]),
                     d.n_reasons - 1);
    }
    assert_true(tried > 5000);
    arena_free(&a);
}

/* Whoever may have an edge may have both of its ends (DESIGN.md invariant 3). */
static void test_share_properties__an_edge_is_no_wider_than_its_ends(void **state)
{
    struct chance c = chance_start("edges");
    struct arena a = ARENA_INIT;
    uint32_t seen = 0;

    for (uint32_t i = 0; i < test_cases(50000); i++) {
        struct world w, other;
        struct share_facts one, edge;
        arena_reset(&a);
        world_make(&c, &w);
        world_make(&c, &other);
        one = w.facts;
        one.type = other.facts.type = SLICE("indicator");
        one.organisations = other.facts.organisations = one.creates = other.facts.creates = 0;
        one.corroborates = other.facts.corroborates = one.members_only = other.facts.members_only = false;
        other.facts.collection = chance_one_in(&c, 10) ? other.facts.collection : one.collection;
        if (!share_edge_facts(&one, &other.facts, &edge))
            continue;
        w.facts = edge;
        if (!is_whole(&a, &w))
            continue;
        seen++;
        w.facts = one;
        if (!is_whole(&a, &w))
            fail_msg("case %u: an edge without its one end", i);
        w.facts = other.facts;
        if (!is_whole(&a, &w))
            fail_msg("case %u: an edge without its other end", i);
    }
    assert_true(seen > 500);
    arena_free(&a);
}

/* Two worlds that differ in what makes no class decide alike: the key of the class holds all that decides. */
static void test_share_properties__class_key_decides(void **state)
{
    struct chance c = chance_start("classes");
    struct arena a = ARENA_INIT;
    struct buf key = BUF_INIT;

    for (uint32_t i = 0; i < test_cases(20000); i++) {
        struct world w;
        struct err err = ERR_INIT;
        arena_reset(&a);
        buf_clear(&key);
        world_make(&c, &w);
        if (w.facts.tlp >= 32)
            continue; /* no class is made of what cannot be read */
        bool before = is_whole(&a, &w);
        share_facts_put(&w.facts, &key);
        assert_int_equal(share_facts_get(&a, buf_slice(&key), &w.facts, &err), 0);
        assert_int_equal(is_whole(&a, &w), before);
    }
    buf_free(&key);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_properties__hold_by_chance),
        cmocka_unit_test(test_share_properties__reasons_mend),
        cmocka_unit_test(test_share_properties__an_edge_is_no_wider_than_its_ends),
        cmocka_unit_test(test_share_properties__class_key_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

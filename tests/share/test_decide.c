#include "share_test.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
enum { NOW = 1000, LATER = 2000 };

/* ---- rows: one hub with two collections, three members and a client, two partners under agreement and one without
 * ---- */

static const struct slice bank_list[] = {SLICE_INIT("bank"), SLICE_INIT("power")};
static const struct slice bank_only[] = {SLICE_INIT("bank")};
static const struct slice partner_list[] = {SLICE_INIT("hub-b"), SLICE_INIT("hub-c"), SLICE_INIT("hub-d")};
static const struct slice both[] = {SLICE_INIT("open"), SLICE_INIT("closed")};
static const struct slice open_only[] = {SLICE_INIT("open")};
static const struct share_collection collections[] = {
    {SLICE_INIT("open"), true, bank_list, 2, partner_list, 3},
    {SLICE_INIT("closed"), false, bank_only, 1, NULL, 0},
};
enum { ALL = 7 };
static const struct share_agreement agreements[] = {
    {SLICE_INIT("ag-b"), SLICE_INIT("hub-b"), both, 2, SHARE_GREEN, ALL, 3, false, LATER},
    {SLICE_INIT("ag-c"), SLICE_INIT("hub-c"), open_only, 1, SHARE_AMBER, 1u << SHARE_INDICATOR, 1, true, LATER},
    {SLICE_INIT("ag-e"), SLICE_INIT("hub-e"), both, 2, SHARE_RED, ALL, 1, false, NOW},
};

#define T(level) (1u << SHARE_##level)
#define OPEN     .collection = SLICE_INIT("open"), .type = SLICE_INIT("indicator")
#define CLOSED   .collection = SLICE_INIT("closed"), .type = SLICE_INIT("indicator")
#define IDENTITY .collection = SLICE_INIT("open"), .type = SLICE_INIT("identity")
#define EDGE     .collection = SLICE_INIT("open"), .type = SLICE_INIT("relationship"), .corroborates = true
#define BAND     .collection = SLICE_INIT("open"), .type = SLICE_INIT("sighting"), .organisations = 3
#define FROM_B   .origin = SLICE_INIT("hub-b"), .path = SLICE_INIT("hub-b"), .agreement = SLICE_INIT("ag-b")
#define FROM_C   .origin = SLICE_INIT("hub-c"), .path = SLICE_INIT("hub-x,hub-c"), .agreement = SLICE_INIT("in-c")
#define R(name)  SHARE_REASON_##name

static const struct row {
    const char *viewer; /* hub-…: a partner; power-shop: client of power; agency: government */
    struct share_facts facts;
    enum share_verdict verdict;
    uint16_t reasons[4]; /* in the order of reasons.def */
} rows[] = {
    {"clinic", {OPEN, .tlp = T(CLEAR)}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"clinic", {CLOSED, .tlp = T(CLEAR)}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"clinic", {OPEN, .tlp = T(GREEN)}, SHARE_WHOLE, {R(TLP_GREEN_MEMBER)}},
    {"bank", {OPEN, .tlp = T(GREEN)}, SHARE_WHOLE, {R(TLP_GREEN_MEMBER), R(RECIPIENT)}},
    {"clinic", {CLOSED, .tlp = T(GREEN)}, SHARE_DENY, {R(TLP_GREEN_CLOSED)}},
    {"bank", {CLOSED, .tlp = T(GREEN)}, SHARE_WHOLE, {R(RECIPIENT)}},
    {"power-shop", {CLOSED, .tlp = T(GREEN)}, SHARE_DENY, {R(TLP_GREEN_CLOSED)}},
    {"clinic", {OPEN, .tlp = T(AMBER)}, SHARE_DENY, {R(TLP_AMBER)}},
    {"power", {OPEN, .tlp = T(AMBER)}, SHARE_WHOLE, {R(RECIPIENT)}},
    {"power-shop", {OPEN, .tlp = T(AMBER)}, SHARE_WHOLE, {R(CLIENT)}},
    {"power-shop", {OPEN, .tlp = T(STRICT)}, SHARE_DENY, {R(TLP_STRICT)}},
    {"power", {OPEN, .tlp = T(STRICT)}, SHARE_WHOLE, {R(RECIPIENT)}},
    {"power", {OPEN, .tlp = T(RED)}, SHARE_DENY, {R(TLP_RED)}},
    {"power", {OPEN, .tlp = T(RED) | T(CLEAR)}, SHARE_DENY, {R(TLP_RED)}},
    {"power", {OPEN}, SHARE_DENY, {R(NO_MARKING)}},
    {"power", {OPEN, .tlp = 1u << SHARE_TLP_LEVELS | T(CLEAR)}, SHARE_DENY, {R(NO_MARKING)}}, /* an unknown level */
    {"power", {.collection = SLICE_INIT("other"), .tlp = T(CLEAR)}, SHARE_DENY, {R(COLLECTION_UNKNOWN)}},
    {"power", {OPEN, .tlp = T(CLEAR), .own_only = true}, SHARE_DENY, {R(OWN_ONLY)}},
    /* an AMBER on top of a GREEN never lets a named outsider in who is not in the community: both must allow */
    {"power-shop", {CLOSED, .tlp = T(GREEN) | T(AMBER)}, SHARE_DENY, {R(TLP_GREEN_CLOSED), R(TLP_AMBER)}},
    {"", {OPEN, .tlp = T(STRICT)}, SHARE_DENY, {R(TLP_STRICT)}}, /* no name is on no list */
    /* consent binds what names the submitter, and only that */
    {"bank", {OPEN, .tlp = T(CLEAR), .attribution = true}, SHARE_DENY, {R(CONSENT)}},
    {"bank",
     {OPEN, .tlp = T(CLEAR), .attribution = true, .consent = SHARE_CONSENT_GOVERNMENT},
     SHARE_DENY,
     {R(CONSENT)}},
    {"agency",
     {OPEN, .tlp = T(CLEAR), .attribution = true, .consent = SHARE_CONSENT_GOVERNMENT},
     SHARE_WHOLE,
     {R(TLP_CLEAR)}},
    {"agency", {OPEN, .tlp = T(CLEAR), .attribution = true}, SHARE_DENY, {R(CONSENT)}},
    {"bank",
     {OPEN, .tlp = T(CLEAR), .attribution = true, .consent = SHARE_CONSENT_PROPRIETARY},
     SHARE_WHOLE,
     {R(TLP_CLEAR)}},
    /* partners */
    {"hub-b", {OPEN, .tlp = T(CLEAR)}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"hub-b", {CLOSED, .tlp = T(CLEAR)}, SHARE_WHOLE, {R(TLP_CLEAR)}}, /* CLEAR needs no naming by the collection */
    {"hub-c", {CLOSED, .tlp = T(CLEAR)}, SHARE_DENY, {R(AGREEMENT_COLLECTION)}},
    {"hub-d", {OPEN, .tlp = T(CLEAR)}, SHARE_DENY, {R(NO_AGREEMENT)}},
    {"hub-e", {OPEN, .tlp = T(CLEAR)}, SHARE_DENY, {R(AGREEMENT_ENDED)}},
    {"hub-", {OPEN, .tlp = T(CLEAR)}, SHARE_DENY, {R(NO_AGREEMENT)}},
    {"hub-b", {OPEN, .tlp = T(GREEN)}, SHARE_WHOLE, {R(TLP_GREEN_PARTNER)}},
    {"hub-b", {CLOSED, .tlp = T(GREEN)}, SHARE_DENY, {R(PARTNER_NOT_NAMED)}},
    {"hub-b", {OPEN, .tlp = T(AMBER)}, SHARE_DENY, {R(AGREEMENT_CEILING)}},
    {"hub-c", {OPEN, .tlp = T(AMBER)}, SHARE_WHOLE, {R(TLP_AMBER_PARTNER)}},
    {"hub-c", {OPEN, .tlp = T(STRICT)}, SHARE_DENY, {R(TLP_STRICT), R(AGREEMENT_CEILING)}},
    {"hub-e", {OPEN, .tlp = T(STRICT)}, SHARE_DENY, {R(TLP_STRICT), R(AGREEMENT_ENDED)}},
    {"hub-c",
     {.collection = SLICE_INIT("open"), .type = SLICE_INIT("report"), .tlp = T(CLEAR)},
     SHARE_DENY,
     {R(AGREEMENT_CATEGORY)}},
    /* what came from a partner */
    {"clinic",
     {OPEN, .tlp = T(GREEN), FROM_C},
     SHARE_WHOLE,
     {R(TLP_GREEN_MEMBER)}}, /* own members are no third parties */
    {"hub-b", {OPEN, .tlp = T(CLEAR), FROM_C}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"hub-b", {OPEN, .tlp = T(GREEN), FROM_C}, SHARE_DENY, {R(ONWARD)}},
    {"hub-b", {OPEN, .tlp = T(GREEN), FROM_C, .onward = true}, SHARE_WHOLE, {R(TLP_GREEN_PARTNER)}},
    {"hub-c", {OPEN, .tlp = T(CLEAR), FROM_C}, SHARE_DENY, {R(ECHO)}},
    {"hub-x", {OPEN, .tlp = T(CLEAR), FROM_C}, SHARE_DENY, {R(NO_AGREEMENT), R(ECHO)}},
    /* who sees an object sees its creator, whatever else is agreed */
    {"hub-c", {IDENTITY, .tlp = T(GREEN)}, SHARE_DENY, {R(AGREEMENT_CATEGORY)}},
    {"hub-c", {IDENTITY, .tlp = T(GREEN), .creates = 1u << SHARE_CONTEXT}, SHARE_DENY, {R(AGREEMENT_CATEGORY)}},
    {"hub-c",
     {IDENTITY, .tlp = T(GREEN), .creates = 1u << SHARE_CONTEXT | 1u << SHARE_INDICATOR},
     SHARE_WHOLE,
     {R(TLP_GREEN_PARTNER)}},
    {"clinic", {IDENTITY, .tlp = T(GREEN), .creates = 1u << SHARE_SIGHTING}, SHARE_WHOLE, {R(TLP_GREEN_MEMBER)}},
    /* a band of sightings of what came from a partner goes home, and to third parties no more than its subject */
    {"clinic", {BAND, .tlp = T(GREEN), FROM_B}, SHARE_WHOLE, {R(TLP_GREEN_MEMBER)}},
    {"hub-b", {BAND, .tlp = T(GREEN), FROM_B}, SHARE_WHOLE, {R(TLP_GREEN_PARTNER)}},
    {"hub-b", {BAND, .tlp = T(GREEN), FROM_C}, SHARE_DENY, {R(ONWARD)}},
    {"hub-b", {BAND, .tlp = T(GREEN), FROM_C, .onward = true}, SHARE_WHOLE, {R(TLP_GREEN_PARTNER)}},
    {"hub-b", {BAND, .tlp = T(CLEAR), FROM_C}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"hub-b", {BAND, .tlp = T(AMBER), FROM_B}, SHARE_DENY, {R(AGREEMENT_CEILING)}},
    /* an edge between indicators leaves where they and context do; one with an end from a partner never */
    {"hub-b", {EDGE, .tlp = T(GREEN)}, SHARE_WHOLE, {R(TLP_GREEN_PARTNER)}},
    {"hub-c", {EDGE, .tlp = T(GREEN)}, SHARE_DENY, {R(AGREEMENT_CATEGORY)}},
    {"hub-b", {EDGE, .tlp = T(CLEAR), .members_only = true}, SHARE_DENY, {R(MEMBERS_ONLY)}},
    {"clinic", {EDGE, .tlp = T(CLEAR), .members_only = true}, SHARE_WHOLE, {R(TLP_CLEAR)}},
    {"clinic", {EDGE, .tlp = T(GREEN) | T(STRICT)}, SHARE_DENY, {R(TLP_STRICT)}},
    {"bank", {EDGE, .tlp = T(GREEN) | T(STRICT)}, SHARE_WHOLE, {R(TLP_GREEN_MEMBER), R(RECIPIENT)}},
    /* sightings */
    {"hub-b",
     {.collection = SLICE_INIT("open"), .type = SLICE_INIT("sighting"), .tlp = T(GREEN), .organisations = 2},
     SHARE_DENY,
     {R(K)}},
    {"hub-b",
     {.collection = SLICE_INIT("open"), .type = SLICE_INIT("sighting"), .tlp = T(GREEN), .organisations = 3},
     SHARE_WHOLE,
     {R(TLP_GREEN_PARTNER)}},
    {"clinic",
     {.collection = SLICE_INIT("open"), .type = SLICE_INIT("sighting"), .tlp = T(GREEN), .organisations = 1},
     SHARE_WHOLE,
     {R(TLP_GREEN_MEMBER)}},
    /* all reasons, no short circuit */
    {"hub-d",
     {CLOSED, .tlp = T(RED) | T(GREEN), .own_only = true},
     SHARE_DENY,
     {R(TLP_RED), R(PARTNER_NOT_NAMED), R(NO_AGREEMENT), R(OWN_ONLY)}},
};

static const struct share_policy *rows_policy(struct arena *a)
{
    return share_policy_build(a, collections, COUNT(collections), agreements, COUNT(agreements));
}

static struct share_viewer row_viewer(const char *name)
{
    static const struct slice power[] = {SLICE_INIT("nobody"), SLICE_INIT("power")};
    struct share_viewer v = {.kind = SHARE_MEMBER, .name = slice_of(name)};

    if (slice_starts(v.name, SLICE("hub-")))
        v = (struct share_viewer){.kind = SHARE_PARTNER, .hub = v.name};
    if (slice_eq(v.name, SLICE("power-shop"))) {
        v.client_of = power;
        v.n_client_of = 2;
    }
    v.government = slice_eq(v.name, SLICE("agency"));
    return v;
}

static void check_row(size_t i, const struct share_policy *p)
{
    const struct row *row = &rows[i];
    struct share_viewer v = row_viewer(row->viewer);
    struct share_decision d;
    uint32_t n = 0;

    share_decide(p, &row->facts, &v, SHARE_DELIVER, NOW, &d);
    while (n < COUNT(row->reasons) && row->reasons[n] != 0)
        n++;
    if (d.verdict != row->verdict || d.n_reasons != n || memcmp(d.reasons, row->reasons, n * sizeof *d.reasons) != 0) {
        for (uint32_t k = 0; k < d.n_reasons; k++)
            print_error("%s ", share_reason_name(d.reasons[k]));
        fail_row(i, "%s: verdict %d", row->viewer, d.verdict);
    }
    assert_true(d.holds_until_us == (v.kind == SHARE_PARTNER && d.verdict == SHARE_WHOLE ? LATER : INT64_MAX));
}

static void test_share_decide__rows(void **state)
{
    struct arena a = ARENA_INIT;
    const struct share_policy *p = rows_policy(&a);

    for (size_t i = 0; i < ROWS(rows); i++)
        check_row(i, p);
    arena_free(&a);
}

static void test_share_decide__ends_at_the_microsecond(void **state)
{
    struct arena a = ARENA_INIT;
    const struct share_policy *p = rows_policy(&a);
    struct share_facts f = {OPEN, .tlp = T(GREEN)};
    struct share_viewer v = row_viewer("hub-b");
    struct share_decision d;

    share_decide(p, &f, &v, SHARE_DELIVER, LATER - 1, &d);
    assert_true(d.verdict == SHARE_WHOLE && d.holds_until_us == LATER);
    share_decide(p, &f, &v, SHARE_DELIVER, LATER, &d);
    assert_true(d.verdict == SHARE_DENY && d.n_reasons == 1 && d.reasons[0] == R(AGREEMENT_ENDED));
    arena_free(&a);
}

/* Two agreements with one partner: one that refuses nothing is enough, and it is its end that counts. */
static void test_share_decide__several_agreements(void **state)
{
    static const struct share_agreement two[] = {
        {SLICE_INIT("short"), SLICE_INIT("hub-b"), both, 2, SHARE_GREEN, ALL, 1, false, LATER},
        {SLICE_INIT("long"), SLICE_INIT("hub-b"), open_only, 1, SHARE_GREEN, ALL, 1, false, 2 * LATER},
    };
    struct arena a = ARENA_INIT;
    const struct share_policy *p = share_policy_build(&a, collections, COUNT(collections), two, 2);
    struct share_facts open = {OPEN, .tlp = T(GREEN)}, closed = {CLOSED, .tlp = T(CLEAR)};
    struct share_viewer v = row_viewer("hub-b");
    struct share_decision d;

    share_decide(p, &open, &v, SHARE_DELIVER, NOW, &d);
    assert_true(d.verdict == SHARE_WHOLE && d.holds_until_us == 2 * LATER);
    share_decide(p, &closed, &v, SHARE_DELIVER, NOW, &d);
    assert_true(d.verdict == SHARE_WHOLE && d.holds_until_us == LATER);
    share_decide(p, &closed, &v, SHARE_DELIVER, LATER, &d);
    assert_true(d.verdict == SHARE_DENY && d.n_reasons == 2); /* what each of them refuses */
    arena_free(&a);
}

static void test_share_decide__a_collection_twice_is_none(void **state)
{
    static const struct share_collection twice[] = {{SLICE_INIT("open"), true}, {SLICE_INIT("open"), false}};
    struct arena a = ARENA_INIT;
    const struct share_policy *p = share_policy_build(&a, twice, 2, NULL, 0);
    struct share_facts f = {OPEN, .tlp = T(CLEAR)};
    struct share_viewer v = row_viewer("clinic");
    struct share_decision d;

    share_decide(p, &f, &v, SHARE_DELIVER, NOW, &d);
    assert_true(d.verdict == SHARE_DENY && d.n_reasons == 1 && d.reasons[0] == R(COLLECTION_UNKNOWN));
    arena_free(&a);
}

static void test_share_decide__reasons_have_words(void **state)
{
    for (int r = 1; r < SHARE_REASON_COUNT; r++)
        assert_true(share_reason_name(r)[0] != 0 && share_reason_text(r)[0] != 0);
    assert_string_equal(share_reason_name(R(TLP_CLEAR)), "TLP_CLEAR");
    assert_string_equal(share_reason_name(SHARE_REASON_COUNT), "?");
    assert_true(share_reason_permits(R(CLIENT)) && !share_reason_permits(R(K)) && !share_reason_permits(0));
}

static void test_share_decide__policy_bytes(void **state)
{
    struct share_collection turned[2] = {collections[1], collections[0]};
    struct arena a = ARENA_INIT;
    struct buf one = BUF_INIT, two = BUF_INIT;

    share_policy_hash(rows_policy(&a), &one);
    share_policy_hash(share_policy_build(&a, turned, 2, agreements, COUNT(agreements)), &two);
    assert_true(one.len > 100 && slice_eq(buf_slice(&one), buf_slice(&two))); /* order of the rows does not matter */
    test_json(&a, "{}");
    buf_clear(&two);
    turned[1].open = false;
    share_policy_hash(share_policy_build(&a, turned, 2, agreements, COUNT(agreements)), &two);
    assert_false(slice_eq(buf_slice(&one), buf_slice(&two)));
    buf_free(&one);
    buf_free(&two);
    arena_free(&a);
}

static const struct {
    const char *agreement;
    struct share_facts facts;
    int64_t now_us;
    enum err_code code;
} accept_rows[] = {
    {"ag-b", {OPEN, .tlp = T(GREEN)}, NOW, ERR_NONE},
    {"ag-b", {OPEN, .tlp = T(GREEN)}, LATER, ERR_AGREEMENT_EXPIRED},
    {"ag-b", {OPEN, .tlp = T(AMBER)}, NOW, ERR_CEILING},
    {"ag-b", {OPEN, .tlp = T(GREEN) | T(RED)}, NOW, ERR_CEILING},
    {"ag-b", {OPEN}, NOW, ERR_CEILING},
    {"ag-b", {OPEN, .tlp = 1u << 7 | T(CLEAR)}, NOW, ERR_CEILING},
    {"ag-c", {OPEN, .tlp = T(AMBER)}, NOW, ERR_NONE},
    {"ag-c", {.type = SLICE_INIT("report"), .tlp = T(CLEAR)}, NOW, ERR_CEILING},
    {"ag-c", {IDENTITY, .tlp = T(AMBER)}, NOW, ERR_NONE}, /* whoever made the indicators */
    {"ag-e", {OPEN, .tlp = T(RED)}, NOW - 1, ERR_NONE},
    {"ag-x", {OPEN, .tlp = T(CLEAR)}, NOW, ERR_FORBIDDEN},
    {"", {OPEN, .tlp = T(CLEAR)}, NOW, ERR_FORBIDDEN},
};

static void test_share_decide__accept(void **state)
{
    struct arena a = ARENA_INIT;
    const struct share_policy *p = rows_policy(&a);

    for (size_t i = 0; i < ROWS(accept_rows); i++) {
        struct err err = ERR_INIT;
        int rc =
            share_accept(p, &accept_rows[i].facts, slice_of(accept_rows[i].agreement), accept_rows[i].now_us, &err);
        if (err.code != accept_rows[i].code || (rc != 0) != (err.code != ERR_NONE))
            fail_row(i, "%s %s", err_name(err.code), err.text);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_decide__rows),
        cmocka_unit_test(test_share_decide__ends_at_the_microsecond),
        cmocka_unit_test(test_share_decide__several_agreements),
        cmocka_unit_test(test_share_decide__a_collection_twice_is_none),
        cmocka_unit_test(test_share_decide__reasons_have_words),
        cmocka_unit_test(test_share_decide__policy_bytes),
        cmocka_unit_test(test_share_decide__accept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

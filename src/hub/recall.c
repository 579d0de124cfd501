/* hub/recall.c: whom a recall reaches, and the row that takes back what they hold. Runs in the committer's transaction.
 */
#include "hub/internal.h"

/* Who sees a class is found once a transaction: then a recall costs its viewers a comparison each, and thousands of
 * recalls of one class do not decide it thousands of times. In the group's arena. */
struct seer {
    uint32_t viewer;
    uint64_t from; /* the widening through which it has the older rows */
};
struct seers {
    size_t n;
    struct seer items[];
};
struct hub_reaches {
    const struct seers *of_class[HUB_CLASSES_MAX]; /* under the directory before the transaction */
    const struct bits *may[HUB_CLASSES_MAX];       /* ... and under the one that will be */
};

static struct hub_reaches *reaches_of(struct hub_commit *c)
{
    struct hub_reaches **r = hub_commit_reaches(c);

    if (*r == NULL)
        *r = arena_zero(hub_commit_arena(c), sizeof **r);
    return *r;
}

void hub_reaches_forget_audience(struct hub_reaches *r)
{
    if (r != NULL)
        memset(r->may, 0, sizeof r->may);
}

static const struct seers *seers_of(struct hub_commit *c, uint32_t facts_class)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_reaches *r = reaches_of(c);
    uint32_t n = atomic_load(&h->n_viewers);

    if (r->of_class[facts_class] != NULL)
        return r->of_class[facts_class];
    struct seers *s = arena_alloc(hub_commit_arena(c), sizeof *s + n * sizeof s->items[0]);
    s->n = 0;
    for (uint32_t i = 1; i < n; i++) {
        struct hub_lists *l = hub_viewer_lists(h, h->directory, i);
        const struct store_list *seen = hub_lists_find(l, facts_class);
        if (seen != NULL)
            s->items[s->n++] = (struct seer){i, seen->held_from};
        hub_lists_drop(&l);
    }
    return r->of_class[facts_class] = s;
}

static const struct bits *who_may(struct hub_commit *c, uint32_t facts_class)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_reaches *r = reaches_of(c);
    uint32_t n = atomic_load(&h->n_viewers);

    if (r->may[facts_class] != NULL)
        return r->may[facts_class];
    struct bits *may = arena_new(hub_commit_arena(c), struct bits);
    *may = (struct bits){arena_zero(hub_commit_arena(c), (n / 64 + 1) * sizeof *may->words), n / 64 + 1};
    for (uint32_t i = 1; i < n; i++)
        if (hub_may_see(h, hub_commit_directory_now(c), i, facts_class))
            bits_set(may, i, true);
    return r->may[facts_class] = may;
}

/* `kept`: who keeps it nevertheless; NULL: nobody. */
static void reach_of(struct hub_commit *c, uint64_t seq, const struct bits *kept, struct bits *reach_out)
{
    struct hub *h = hub_commit_hub(c);

    hub_commit_recalls(c);
    const struct seers *s = seers_of(c, h->rows.facts_class[seq]);
    for (size_t i = 0; i < s->n; i++)
        if ((kept == NULL || !bits_has(kept, s->items[i].viewer)) &&
            hub_may_hold(h, s->items[i].viewer, seq, s->items[i].from))
            bits_set(reach_out, s->items[i].viewer, true);
}

void hub_commit_reach(struct hub_commit *c, uint64_t seq, struct bits *reach_out)
{
    reach_of(c, seq, NULL, reach_out);
}

struct slice hub_reach_slice(const struct bits *reach)
{
    /* Never empty: an empty reach would mean "whoever sees the class". */
    return reach->n_words != 0 ? slice_n((const char *)reach->words, reach->n_words * sizeof *reach->words)
                               : SLICE("\0");
}

/* A version of the release that says revoked. Only what the hub minted has versions of the hub: the rest gets a
 * tombstone. */
static struct slice revoked_body(struct hub_commit *c, const struct store_row *row, int64_t instant_us)
{
    struct json root;
    struct buf out = BUF_INIT;
    char text[TIME_TEXT + 2];

    if (row->source.len != 0 || row->body.len == 0 ||
        json_parse(hub_commit_scratch(c), row->body, &json_limits_default, &root, NULL) != 0 ||
        json_kind(json_get(root, SLICE("modified"))) == JSON_ABSENT)
        return SLICE("");
    text[0] = text[TIME_TEXT + 1] = '"';
    time_put(text + 1, instant_us);
    struct json_edit edits[2] = {{json_get(root, SLICE("modified")), slice_n(text, sizeof text), 0}};
    size_t n = 1;
    struct json revoked = json_get(root, SLICE("revoked"));
    bool has = json_kind(revoked) != JSON_ABSENT;
    if (has)
        edits[n++] = (struct json_edit){revoked, SLICE("true"), 0};
    json_edit_sort(edits, n);
    json_splice(&out, root, edits, n, has ? SLICE("") : SLICE("\"revoked\":true"));
    struct slice body = arena_copy(hub_commit_arena(c), buf_slice(&out));
    buf_free(&out);
    return body;
}

/* Whoever submitted it keeps it, whatever others lose. */
static void spare_owner(struct hub_commit *c, uint64_t owner, struct bits *reach)
{
    const struct hub_directory *d = hub_commit_directory_now(c);

    for (size_t i = 0; owner != 0 && i < d->n_members; i++)
        if (d->members[i].owner == owner)
            bits_set(reach, d->members[i].viewer, false);
}

static bool is_value(struct slice id)
{
    struct stix_id parts;

    return stix_id_parse(id, &parts) && parts.version == 5 && stix_type_class(stix_type_find(parts.type)) == STIX_SCO;
}

/* A deterministic SCO is the value itself, one object to whoever may see any of its submissions: who sees another one
 * keeps it. */
void hub_commit_spare_who_sees_another(struct hub_commit *c, const struct hub_directory *d, uint64_t subject,
                                       struct slice id, struct bits *reach)
{
    struct hub_rows *rows = &hub_commit_hub(c)->rows;
    uint64_t *seqs, first = hub_row_first(rows, subject);
    size_t n = is_value(id) ? hub_rows_candidates(rows, hub_id_hash(id), hub_commit_scratch(c), &seqs) : 0;

    for (size_t i = 0; i < n && bits_count(reach) != 0; i++) {
        struct store_row other;
        struct slice collection = hub_commit_hub(c)->classes[rows->facts_class[seqs[i]]]->facts.collection;
        if (seqs[i] == subject ||
            !slice_eq(collection, hub_commit_hub(c)->classes[rows->facts_class[subject]]->facts.collection))
            continue;
        first = hub_row_first(rows, seqs[i]) < first ? hub_row_first(rows, seqs[i]) : first;
        if ((rows->kind[seqs[i]] != STORE_ADD && rows->kind[seqs[i]] != STORE_EXPIRE) ||
            hub_read_row(hub_commit_reader(c), hub_commit_hub(c), seqs[i], 0, hub_commit_scratch(c), &other, NULL) !=
                0 ||
            !slice_eq(other.id, id))
            continue;
        spare_owner(c, other.owner, reach);
        for (uint32_t v = 1; v < reach->n_words * 64; v++)
            if (bits_has(reach, v) && hub_may_see(hub_commit_hub(c), d, v, other.facts_class))
                bits_set(reach, v, false);
    }
    for (uint32_t v = 1; v < reach->n_words * 64; v++)
        if (bits_has(reach, v) && atomic_load(&hub_commit_hub(c)->viewers[v]->delivered) < first)
            bits_set(reach, v, false);
}

static int append_recall(struct hub_commit *c, const struct hub_recall *recall, const struct store_row *old,
                         const struct bits *reach, struct err *err)
{
    int64_t instant = hub_commit_instant(c);
    struct store_row row = {.created_us = old->created_us,
                            .version_us = instant,
                            .source_us = hub_commit_hub(c)->rows.source_us[recall->subject],
                            .kind = recall->kind,
                            .facts_class = hub_commit_hub(c)->rows.facts_class[recall->subject],
                            .owner = recall->deleted ? old->owner : 0,
                            .key = recall->deleted ? 0 : old->key, /* 0: nothing merges with it any more */
                            .subject_seq = recall->subject,
                            .id = old->id,
                            .body = revoked_body(c, old, instant),
                            .source = old->source,
                            .reach = hub_reach_slice(reach)};

    if (hub_commit_row(c, &row, hub_id_hash(old->id), 0, err) != 0)
        return -1;
    /* What its submitter retracts stays so; a tombstone says nothing of the id's further life. */
    if (row.body.len != 0 && (row.kind == STORE_RESTRICT || recall->deleted))
        hub_commit_again(c, row.seq, row.id, row.reach);
    return 0;
}

int hub_commit_recall(struct hub_commit *c, const struct hub_recall *recall, struct err *err)
{
    struct bits left = BITS_INIT;
    struct store_row old;
    uint64_t from = recall->subject;

    while (from > atomic_load(&hub_commit_hub(c)->head)) /* of this transaction: what is held is an older version */
        from = hub_row_subject(&hub_commit_hub(c)->rows, from);
    if (from == 0)
        return 0;
    int result =
        hub_read_row(hub_commit_reader(c), hub_commit_hub(c), from, recall->by, hub_commit_scratch(c), &old, err);
    if (result == 0) {
        bits_copy(&left, recall->reach);
        if (recall->kind == STORE_RESTRICT)
            spare_owner(c, old.owner, &left);
        hub_commit_spare_who_sees_another(c, recall->directory, recall->subject, old.id, &left);
        if (recall->kind != STORE_RESTRICT || bits_count(&left) != 0)
            result = append_recall(c, recall, &old, &left, err);
    }
    bits_free(&left);
    arena_reset(hub_commit_scratch(c));
    return result;
}

int hub_commit_restrict_losers(struct hub_commit *c, uint64_t subject, uint32_t new_class, struct err *err)
{
    struct bits losers = BITS_INIT;
    int result = 0;

    reach_of(c, subject, who_may(c, new_class), &losers);
    if (bits_count(&losers) != 0)
        result = hub_commit_recall(
            c,
            &(struct hub_recall){
                .subject = subject, .kind = STORE_RESTRICT, .reach = &losers, .directory = hub_commit_directory_now(c)},
            err);
    bits_free(&losers);
    return result;
}

/* Pages against a model that reads the whole journal and asks each row in turn. */
#include "store_test.h"

enum { ROWS_MOST = 400, CLASSES = 6, VIEWERS = 5, OWNERS = 3 };

static struct kept_row {
    struct store_row row;
    char body[16], reach[1];
    uint32_t granted[CLASSES];
    size_t n_granted;
    uint64_t upto, n_objects;
} kept[ROWS_MOST + 1];
static size_t n_kept;
static uint64_t seed;

static uint32_t below(uint32_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

/* ---- the model ---- */

struct given {
    uint64_t seq;
    int64_t added_us;
    enum store_kind kind;
    struct store_at at;
};
static struct given expected[ROWS_MOST * 20], got[ROWS_MOST * 20];
static size_t n_expected, n_got;

static bool model_content(const struct store_row *row)
{
    return row->kind == STORE_ADD || row->kind == STORE_EXPIRE;
}

static bool model_in_part(const struct store_row *row, enum store_part part)
{
    bool recall = row->kind == STORE_RETRACT || row->kind == STORE_RESTRICT;

    if (part == STORE_PAGE)
        return row->body.len != 0;
    return part == STORE_RECALLS ? recall : model_content(row);
}

static const struct store_list *model_list(const struct store_query *q, uint32_t facts_class)
{
    for (size_t i = 0; i < q->n_lists; i++)
        if (q->lists[i].facts_class == facts_class)
            return &q->lists[i];
    return NULL;
}

static bool model_reaches(const struct store_row *row, uint32_t viewer)
{
    return row->reach.len != 0 && ((uint8_t)row->reach.ptr[0] >> viewer & 1);
}

static bool model_sees(const struct store_row *row, const struct store_query *q)
{
    const struct store_list *l = model_list(q, row->facts_class);

    if (row->reach.len != 0)
        return model_reaches(row, q->viewer);
    return (l != NULL && row->seq > l->held_from) ||
           (q->owner != 0 && row->owner == q->owner && bits_has(q->owner_classes, row->facts_class));
}

static bool model_granted(const struct kept_row *widen, const struct store_row *row)
{
    if (row->seq > widen->upto || !model_content(row) || row->body.len == 0 || row->reach.len != 0)
        return false;
    for (size_t i = 0; i < widen->n_granted; i++)
        if (widen->granted[i] == row->facts_class)
            return true;
    return false;
}

static void model_expand(const struct kept_row *widen, const struct store_query *q)
{
    uint64_t rank = 0;

    for (size_t i = 1; i <= widen->upto; i++) {
        const struct store_row *row = &kept[i].row;
        if (!model_granted(widen, row))
            continue;
        rank++;
        const struct store_list *l = model_list(q, row->facts_class);
        if (l != NULL && l->held_from == widen->row.seq && (q->skip == NULL || !bits_has(q->skip, row->seq)))
            expected[n_expected++] = (struct given){
                row->seq, widen->row.added_us + (int64_t)rank - 1, STORE_ADD, {widen->row.seq, row->seq, rank}};
    }
    assert_int_equal(rank, widen->n_objects);
}

static void model_all(const struct store_query *q)
{
    n_expected = 0;
    for (size_t i = 1; i <= n_kept && i <= q->upto; i++) {
        const struct store_row *row = &kept[i].row;
        if (row->kind == STORE_WIDEN) {
            if (q->part != STORE_RECALLS && model_reaches(row, q->viewer))
                model_expand(&kept[i], q);
        } else if (model_in_part(row, q->part) && model_sees(row, q) &&
                   (q->skip == NULL || !bits_has(q->skip, row->seq))) {
            expected[n_expected++] = (struct given){row->seq, row->added_us, row->kind, {row->seq, 0, 0}};
        }
    }
}

/* ---- a random journal ---- */

static void put_little(struct buf *out, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_put_byte(out, (char)(value >> 8 * i));
}

static void make_widen(struct store *s, struct kept_row *k, struct buf *grant)
{
    struct err err = ERR_INIT;
    uint64_t n_objects = 0, counted;

    k->upto = below((uint32_t)k->row.seq);
    for (uint32_t c = 0; c < CLASSES; c++)
        if (below(3) == 0)
            k->granted[k->n_granted++] = c;
    for (size_t i = 1; i <= k->upto; i++)
        n_objects += model_granted(k, &kept[i].row);
    OK(store_count_content(s, k->granted, k->n_granted, k->upto, &counted, &err));
    assert_int_equal(counted, n_objects);
    k->n_objects = n_objects;
    put_little(grant, n_objects, 8);
    put_little(grant, k->upto, 8);
    for (size_t i = 0; i < k->n_granted; i++)
        put_little(grant, k->granted[i], 4);
    k->row.grant = buf_slice(grant);
    k->row.body = SLICE("");
}

static void append_random(struct store *s, struct store_head *head)
{
    struct kept_row *k = &kept[++n_kept];
    struct buf grant = BUF_INIT;
    struct err err = ERR_INIT;
    uint32_t dice = below(40);

    *k = (struct kept_row){.row = {.seq = head->next_seq, .added_us = head->last_added_us + 1 + below(3)}};
    k->row.kind = dice < 28   ? STORE_ADD
                  : dice < 32 ? STORE_EXPIRE
                  : dice < 35 ? STORE_RETRACT
                  : dice < 38 ? STORE_RESTRICT
                              : STORE_WIDEN;
    k->row.facts_class = below(CLASSES);
    k->row.owner = below(OWNERS + 1);
    snprintf(k->body, sizeof k->body, "%zu", n_kept);
    k->row.body = below(4) != 0 ? slice_of(k->body) : SLICE("");
    k->reach[0] = (char)(1 + below(255));
    if (k->row.kind == STORE_WIDEN || below(k->row.kind <= STORE_EXPIRE ? 20 : 2) == 0)
        k->row.reach = slice_n(k->reach, 1);
    if (k->row.kind == STORE_WIDEN)
        make_widen(s, k, &grant);
    OK(store_append(s, &k->row, &err));
    k->row.grant = (struct slice){NULL, 0};
    buf_free(&grant);
    head->next_seq++;
    head->last_added_us = k->row.added_us + (int64_t)(k->n_objects > 1 ? k->n_objects - 1 : 0);
}

static void make_journal(struct store *s, uint32_t n)
{
    struct err err = ERR_INIT;

    n_kept = 0;
    while (n_kept < n) {
        struct store_head head;
        OK(store_begin(s, &head, &err));
        assert_int_equal(head.next_seq, n_kept + 1);
        for (uint32_t group = 1 + below(20); group > 0 && n_kept < n; group--)
            append_random(s, &head);
        OK(store_commit(s, &err));
    }
}

/* ---- a random question ---- */

static void ask_random(struct store_query *q, struct store_list *lists, struct bits *owner_classes, struct bits *skip)
{
    *q = (struct store_query){.lists = lists, .viewer = below(VIEWERS), .upto = UINT64_MAX};
    for (uint32_t c = 0; c < CLASSES; c++)
        if (below(2) == 0)
            lists[q->n_lists++] = (struct store_list){c, below(2) == 0 ? 0 : below((uint32_t)n_kept + 1)};
    q->owner = below(OWNERS + 1);
    for (uint32_t c = 0; c < CLASSES; c++)
        bits_set(owner_classes, c, below(2) == 0);
    q->owner_classes = owner_classes;
    for (size_t i = 1; i <= n_kept; i++)
        bits_set(skip, i, below(4) == 0);
    q->skip = below(2) == 0 ? skip : NULL;
    q->part = (enum store_part[]){STORE_PAGE, STORE_CONTENT, STORE_RECALLS}[below(3)];
    if (below(4) == 0)
        q->upto = below((uint32_t)n_kept + 1);
}

static uint32_t stop_after;

static int take(void *arg, const struct store_row *row, const struct store_at *at)
{
    const struct kept_row *k = &kept[row->seq];

    assert_true(slice_eq(row->body, k->row.body) && slice_eq(row->reach, k->row.reach));
    assert_int_equal(row->facts_class, k->row.facts_class);
    assert_int_equal(row->owner, k->row.owner);
    got[n_got++] = (struct given){row->seq, row->added_us, row->kind, *at};
    return stop_after != 0 && --stop_after == 0;
}

static void assert_same(const struct given *a, const struct given *b, size_t i)
{
    if (a->seq != b->seq || a->added_us != b->added_us || a->kind != b->kind || a->at.seq != b->at.seq ||
        a->at.sub != b->at.sub || a->at.rank != b->at.rank)
        fail_row(i, "got %d seq %zu us %zu at %zu,%zu,%zu; expected %d seq %zu us %zu at %zu,%zu,%zu", a->kind,
                 (size_t)a->seq, (size_t)a->added_us, (size_t)a->at.seq, (size_t)a->at.sub, (size_t)a->at.rank, b->kind,
                 (size_t)b->seq, (size_t)b->added_us, (size_t)b->at.seq, (size_t)b->at.sub, (size_t)b->at.rank);
}

/* Pages of random size from where `q` stands; their rows are those from `first` on in `expected`. */
static void read_pages(struct store_reader *r, struct store_query *q, size_t first, bool fixed)
{
    struct err err = ERR_INIT;
    bool more = true;

    n_got = 0;
    while (more) {
        size_t before = n_got;
        struct store_at at;
        q->limit = fixed ? 1 : below(12);
        q->max_bytes = below(3) == 0 ? 1 + below(20) : 0;
        stop_after = below(5) == 0 ? 1 + below(4) : 0;
        OK(store_page(r, q, take, NULL, &at, &more, &err));
        assert_true(n_got - before <= q->limit);
        assert_int_equal(more, first + n_got < n_expected);
        size_t bytes = 0;
        for (size_t i = before; i < n_got; i++)
            bytes += kept[got[i].seq].row.body.len;
        assert_true(q->max_bytes == 0 || n_got - before <= 1 || bytes <= q->max_bytes);
        if (n_got == before)
            assert_memory_equal(&at, &q->after, sizeof at);
        else
            assert_memory_equal(&at, &got[n_got - 1].at, sizeof at);
        q->after = at;
    }
    assert_int_equal(n_got, n_expected - first);
    for (size_t i = 0; i < n_got; i++)
        assert_same(&got[i], &expected[first + i], i);
}

static void test_store_page__pages_are_the_model(void **state)
{
    struct err err = ERR_INIT;

    for (unsigned round = 0; round < 12; round++) {
        char *dir = make_dir();
        struct store *s;
        struct store_reader *r;
        seed = 1000 + round;
        OK(store_open(dir, &s, &err));
        OK(store_reader_open(s, &r, &err));
        make_journal(s, 1 + below(round < 3 ? 20 : ROWS_MOST));
        for (unsigned question = 0; question < 40; question++) {
            struct store_list lists[CLASSES];
            struct bits owner_classes = BITS_INIT, skip = BITS_INIT;
            struct store_query q;
            ask_random(&q, lists, &owner_classes, &skip);
            model_all(&q);
            read_pages(r, &q, 0, question == 0);
            bits_free(&owner_classes);
            bits_free(&skip);
        }
        store_reader_close(&r);
        store_close(&s);
        remove_dir(&dir);
    }
}

/* From any instant on, a page gives exactly what has a later date_added. */
static void test_store_page__position_is_the_model(void **state)
{
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct store *s;
    struct store_reader *r;

    seed = 77;
    OK(store_open(dir, &s, &err));
    OK(store_reader_open(s, &r, &err));
    make_journal(s, 150);
    int64_t last = kept[n_kept].row.added_us + (int64_t)kept[n_kept].n_objects + 3;
    for (int64_t us = -1; us < last; us += 1 + below(4)) {
        struct store_list lists[CLASSES];
        struct bits owner_classes = BITS_INIT, skip = BITS_INIT;
        struct store_query q;
        size_t first = 0;
        ask_random(&q, lists, &owner_classes, &skip);
        model_all(&q);
        while (first < n_expected && expected[first].added_us <= us)
            first++;
        OK(store_position(r, us, q.upto, &q.after, &err));
        if (q.after.sub != 0 && q.after.sub != UINT64_MAX && below(2) == 0)
            q.after.sub = 0; /* a rank alone is enough */
        read_pages(r, &q, first, false);
        bits_free(&owner_classes);
        bits_free(&skip);
    }
    store_reader_close(&r);
    store_close(&s);
    remove_dir(&dir);
}

static int seen_seq(void *arg, const struct store_row *row, const struct store_at *at)
{
    *(uint64_t *)arg = row->seq;
    return 0;
}

/* One row by seq: seen if a page would give it, whatever part and skip say, and never otherwise. */
static void test_store_page__one_row(void **state)
{
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct store *s;
    struct store_reader *r;

    seed = 5;
    OK(store_open(dir, &s, &err));
    OK(store_reader_open(s, &r, &err));
    make_journal(s, 120);
    for (unsigned question = 0; question < 30; question++) {
        struct store_list lists[CLASSES];
        struct bits owner_classes = BITS_INIT, skip = BITS_INIT;
        struct store_query q;
        ask_random(&q, lists, &owner_classes, &skip);
        q.skip = NULL;
        for (uint64_t seq = 0; seq <= n_kept + 1; seq++) {
            bool want = seq >= 1 && seq <= n_kept && seq <= q.upto;
            if (want) {
                const struct store_row *row = &kept[seq].row;
                want = row->kind == STORE_WIDEN ? model_reaches(row, q.viewer) : model_sees(row, &q);
                /* a widening brings whatever it held of a class in lists, also tombstones and recalls */
                for (size_t w = seq; !want && w <= n_kept && w <= q.upto; w++)
                    for (size_t i = 0; i < kept[w].n_granted; i++)
                        want = want ||
                               (row->reach.len == 0 && model_reaches(&kept[w].row, q.viewer) && seq <= kept[w].upto &&
                                kept[w].granted[i] == row->facts_class && model_list(&q, row->facts_class) != NULL);
            }
            uint64_t seen = 0;
            int rc = store_row_get(r, seq, &q, seen_seq, &seen, &err);
            if ((rc == 0) != want || (rc == 0 && seen != seq) || (rc != 0 && (err.code != ERR_NOT_FOUND || seen != 0)))
                fail_row(seq, "question %u: answered %d, expected %d", question, rc, want);
        }
        bits_free(&owner_classes);
        bits_free(&skip);
    }
    store_reader_close(&r);
    store_close(&s);
    remove_dir(&dir);
}

/* Positions that no page ever gave (a peer may send any bytes as a cursor) give nothing that is denied, and no error.
 */
static void test_store_page__foreign_positions(void **state)
{
    static const uint64_t odd[] = {
        0, 1, 2, 7, 1000, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
    char *dir = make_dir();
    struct err err = ERR_INIT;
    struct store *s;
    struct store_reader *r;

    seed = 9;
    OK(store_open(dir, &s, &err));
    OK(store_reader_open(s, &r, &err));
    make_journal(s, 100);
    for (size_t i = 0; i < ROWS(odd) * ROWS(odd) * ROWS(odd); i++) {
        struct store_list lists[CLASSES];
        struct bits owner_classes = BITS_INIT, skip = BITS_INIT;
        struct store_query q;
        struct store_at at;
        bool more;
        ask_random(&q, lists, &owner_classes, &skip);
        q.limit = 1000;
        q.after = (struct store_at){odd[i % ROWS(odd)], odd[i / ROWS(odd) % ROWS(odd)], odd[i / ROWS(odd) / ROWS(odd)]};
        model_all(&q);
        n_got = stop_after = 0;
        OK(store_page(r, &q, take, NULL, &at, &more, &err));
        assert_false(more);
        for (size_t k = 0; k < n_got; k++) {
            size_t m = 0;
            while (m < n_expected && expected[m].seq != got[k].seq)
                m++;
            assert_true(m < n_expected);
            assert_true(got[k].at.seq >= q.after.seq);
        }
        bits_free(&owner_classes);
        bits_free(&skip);
    }
    store_reader_close(&r);
    store_close(&s);
    remove_dir(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_page__pages_are_the_model),
        cmocka_unit_test(test_store_page__position_is_the_model),
        cmocka_unit_test(test_store_page__one_row),
        cmocka_unit_test(test_store_page__foreign_positions),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}

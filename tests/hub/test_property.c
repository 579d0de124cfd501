/* DESIGN.md invariant 1 by chance: members, partners and collections come, go and change; objects of every marking are
   submitted, changed, expired, retracted and deleted; and at every moment a poller that only ever used added_after, a
   follower of the stream and a fresh reader end with the same set, which is what share_decide() gives. The seed is
   printed; TOCSIN_SEED repeats one, TOCSIN_LONG=1 takes more steps. */
#include "hub_test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COLLECTIONS = 3, PEOPLE = 40, OBJECTS = 4000, BATCH = 4, CLASSES = 4096 };

struct hashes {
    uint64_t *items; /* sorted */
    size_t n, room;
};

struct person {
    char name[16], hub_id[37];
    struct hub_party *party;
    bool partner, active, lazy;
    uint8_t secret;
    int64_t polled_us[COLLECTIONS];
    struct store_at recalls[COLLECTIONS], content[COLLECTIONS];
    struct hub_holding poller[COLLECTIONS], follower[COLLECTIONS];
    bool entitled[CLASSES]; /* ever */
};
struct object {
    unsigned by, collection, version;
    bool address, deleted;
};
struct world {
    struct hub_test t;
    struct chance chance;
    struct person people[PEOPLE];
    unsigned n_people;
    char collections[COLLECTIONS][37];
    struct object objects[OBJECTS];
    unsigned n_objects, step;
    struct arena arena; /* of one step */
    struct hub_directory *before;
    bool moved;           /* an audience, in this step */
    uint64_t noted_epoch; /* up to which entitlements were noted, */
    uint32_t noted;       /* of so many classes */
};

/* ---- sets ---- */

static size_t place_in(const struct hashes *h, uint64_t value)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->items[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool hashes_has(const struct hashes *h, uint64_t value)
{
    size_t at = place_in(h, value);

    return at < h->n && h->items[at] == value;
}

static void hashes_add(struct hashes *h, uint64_t value)
{
    size_t at = place_in(h, value);

    if (at < h->n && h->items[at] == value)
        return;
    if (h->n == h->room) {
        h->room = h->room * 2 + 16;
        h->items = mem_grow(h->items, h->room * sizeof *h->items);
    }
    memmove(h->items + at + 1, h->items + at, (h->n - at) * sizeof *h->items);
    h->items[at] = value;
    h->n++;
}

#define check(world, person, condition, ...)                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error("step %u, %s: ", (world)->step, (person)->name);                                               \
            fail_msg(__VA_ARGS__);                                                                                     \
        }                                                                                                              \
    } while (0)

/* ---- what the rows and share_decide() say, without any view ---- */

struct expecting {
    struct world *w;
    const struct hub_directory *directory;
    struct share_viewer viewer;
    uint64_t owner, head;
    uint32_t number;
    const char *collection;
    struct hashes out;
    bool *verdicts;
};

static bool viewer_of(const struct hub_directory *d, uint32_t number, struct share_viewer *out, uint64_t *owner_out)
{
    const struct hub_member *m = hub_directory_member_of(d, number);
    const struct hub_partner *p = hub_directory_partner_of(d, number);

    *owner_out = m != NULL ? m->owner : 0;
    if (m != NULL)
        *out = (struct share_viewer){SHARE_MEMBER, m->name, SLICE(""), m->client_of, m->n_client_of, m->government};
    else if (p != NULL)
        *out = (struct share_viewer){SHARE_PARTNER, p->name, p->hub_id, NULL, 0, false};
    return m != NULL || p != NULL;
}

static bool may_see(const struct expecting *e, uint32_t facts_class)
{
    struct share_decision decision;

    share_decide(e->directory->policy, &e->w->t.hub->classes[facts_class]->facts, &e->viewer, SHARE_DELIVER,
                 time_now_us(), &decision);
    return decision.verdict == SHARE_WHOLE;
}

static int expect_row(void *arg, const struct store_brief *b)
{
    struct expecting *e = arg;
    const struct hub_class *c = e->w->t.hub->classes[b->facts_class];

    if ((b->kind == STORE_ADD || b->kind == STORE_EXPIRE) && b->seq <= e->head &&
        e->w->t.hub->rows.later[b->seq] == 0 &&
        (e->collection == NULL || slice_eq(c->facts.collection, slice_of(e->collection))) &&
        ((e->owner != 0 && b->owner == e->owner) || e->verdicts[b->facts_class]))
        hashes_add(&e->out, b->id_hash);
    return 0;
}

/* Hashes of the releases that this person must hold; collection NULL: of all. false: it has left. */
static bool expect(struct world *w, const struct person *p, const char *collection, struct expecting *e)
{
    *e = (struct expecting){.w = w, .collection = collection, .number = p->party->viewer};
    struct hub_directory *d = hub_directory_hold(w->t.hub);
    uint32_t n_classes = atomic_load(&w->t.hub->n_classes);

    e->directory = d;
    e->head = atomic_load(&w->t.hub->head);
    bool there = viewer_of(d, p->party->viewer, &e->viewer, &e->owner);
    if (there) {
        e->verdicts = mem_zero(n_classes + 1, sizeof *e->verdicts);
        for (uint32_t i = 0; i < n_classes; i++)
            e->verdicts[i] = may_see(e, i);
        assert_int_equal(store_scan_brief(w->t.readers[0].reader, 0, expect_row, e, NULL), 0);
    }
    hub_directory_drop(&d);
    return there;
}

static void expect_free(struct expecting *e)
{
    free(e->verdicts);
    free(e->out.items);
}

/* ---- readers ---- */

static void poll_all(struct world *w, struct person *p, unsigned c)
{
    struct hub_copies got = {.n = 0};
    struct hub_view v;
    struct store_at at;
    int64_t last = p->polled_us[c];

    assert_int_equal(hub_view_open(&w->t.readers[0], p->party, &v, NULL), 0);
    assert_int_equal(hub_view_position(&v, p->polled_us[c], &at, NULL), 0);
    hub_view_close(&v);
    hub_test_read(&w->t, p->party, w->collections[c], STORE_PAGE, false, 1 + chance_below(&w->chance, 20), &at, &got);
    for (size_t i = 0; i < got.n; i++) {
        check(w, p, got.items[i].added_us > last, "date_added does not rise");
        last = got.items[i].added_us;
        hub_holding_take(&p->poller[c], &got.items[i], !got.items[i].revoked);
    }
    p->polled_us[c] = last;
    hub_copies_free(&got);
}

static void follow_all(struct world *w, struct person *p, unsigned c, struct store_at *recalls,
                       struct store_at *content, struct hub_holding *into)
{
    struct hub_copies got = {.n = 0};

    hub_test_read(&w->t, p->party, w->collections[c], STORE_RECALLS, false, 1 + chance_below(&w->chance, 20), recalls,
                  &got);
    for (size_t i = 0; i < got.n; i++)
        check(w, p, got.items[i].own || p->entitled[got.items[i].facts_class],
              "a recall of what it was never entitled to: %.*s", SLICE_ARG(got.items[i].id));
    hub_test_read(&w->t, p->party, w->collections[c], STORE_CONTENT, false, 1 + chance_below(&w->chance, 20), content,
                  &got);
    for (size_t i = 0; i < got.n; i++)
        hub_holding_take(into, &got.items[i], !hub_copy_is_recall(&got.items[i]) && !got.items[i].revoked);
    hub_copies_free(&got);
}

/* Its owner deleted it, and is not told what it did. Of a value it may hold another submission, of which it was not
 * told while it still had its own. */
static bool was_deleted(struct world *w, const struct person *p, const struct hub_entry *e)
{
    struct arena a = ARENA_INIT;
    bool deleted = false;

    for (unsigned i = 0; i < w->n_objects && !deleted; i++) {
        struct json root;
        struct slice id = hub_test_indicator_id(&a, i);
        if (!w->objects[i].deleted || w->objects[i].by != (unsigned)(p - w->people))
            continue;
        if (w->objects[i].address && json_parse(&a, hub_test_address(&a, i % 5, NULL), NULL, &root, NULL) == 0)
            id = json_text(json_get(root, SLICE("id")));
        deleted = hub_id_hash(id) == e->id;
    }
    arena_free(&a);
    return deleted;
}

static bool is_among(const struct hub_copies *fresh, struct slice bytes, uint64_t id)
{
    for (size_t i = 0; i < fresh->n; i++)
        if (slice_eq(fresh->items[i].bytes, bytes) && hub_id_hash(fresh->items[i].id) == id)
            return true;
    return false;
}

static void compare_follower(struct world *w, struct person *p, const struct hub_holding *held,
                             const struct hub_holding *fresh, const char *what)
{
    for (size_t i = 0; i < fresh->n; i++) {
        const struct hub_entry *e = hub_holding_find(held, fresh->items[i].id);
        check(w, p, !fresh->items[i].live || (e != NULL && e->live), "%s lacks %.*s", what,
              SLICE_ARG(fresh->items[i].bytes));
    }
    for (size_t i = 0; i < held->n; i++) {
        const struct hub_entry *e = hub_holding_find(fresh, held->items[i].id);
        check(w, p, !held->items[i].live || (e != NULL && e->live) || was_deleted(w, p, &held->items[i]),
              "%s still holds %.*s", what, SLICE_ARG(held->items[i].bytes));
    }
}

/* What is withdrawn without a version of its own is told to followers alone (DESIGN.md section 7). */
static void compare_poller(struct world *w, struct person *p, unsigned c, const struct hub_copies *copies,
                           const struct hub_holding *fresh)
{
    const struct hub_holding *held = &p->poller[c];

    for (size_t i = 0; i < fresh->n; i++) {
        const struct hub_entry *e = hub_holding_find(held, fresh->items[i].id);
        if (!fresh->items[i].live)
            continue;
        check(w, p, e != NULL && e->live, "the poller lacks %.*s", SLICE_ARG(fresh->items[i].bytes));
        check(w, p, is_among(copies, e->bytes, e->id) || hub_holds(e->bytes, "\"ipv4-addr\""),
              "the poller has other bytes: %.*s", SLICE_ARG(e->bytes));
    }
    for (size_t i = 0; i < held->n; i++) {
        const struct hub_entry *e = hub_holding_find(fresh, held->items[i].id),
                               *told = hub_holding_find(&p->follower[c], held->items[i].id);
        check(w, p,
              !held->items[i].live || (e != NULL && e->live) || was_deleted(w, p, &held->items[i]) ||
                  (told != NULL && !told->live),
              "the poller still holds %.*s", SLICE_ARG(held->items[i].bytes));
    }
}

static void check_fresh(struct world *w, struct person *p, unsigned c, const struct hub_copies *copies,
                        struct hub_holding *fresh)
{
    struct expecting e;
    int64_t last = INT64_MIN;

    assert_true(expect(w, p, w->collections[c], &e));
    for (size_t i = 0; i < copies->n; i++) {
        const struct hub_copy *copy = &copies->items[i];
        check(w, p, copy->added_us > last, "date_added does not rise");
        last = copy->added_us;
        check(w, p, slice_eq(w->t.hub->classes[copy->facts_class]->facts.collection, slice_of(w->collections[c])),
              "of another collection: %.*s", SLICE_ARG(copy->bytes));
        check(w, p, copy->own || hub_copy_is_recall(copy) || e.verdicts[copy->facts_class], "denied: %.*s",
              SLICE_ARG(copy->bytes));
        check(w, p, copy->own || !hub_holds(copy->bytes, "secretorg"), "names its submitter: %.*s",
              SLICE_ARG(copy->bytes));
        hub_holding_take(fresh, copy, !copy->revoked);
    }
    struct hashes live = {NULL, 0, 0};
    for (size_t i = 0; i < fresh->n; i++)
        if (fresh->items[i].live) {
            check(w, p, hashes_has(&e.out, fresh->items[i].release), "not expected: %.*s",
                  SLICE_ARG(fresh->items[i].bytes));
            hashes_add(&live, fresh->items[i].release);
        }
    check(w, p, live.n == e.out.n, "%zu of %zu objects are shown in %u", live.n, e.out.n, c);
    free(live.items);
    expect_free(&e);
}

static void check_person(struct world *w, struct person *p)
{
    hub_test_settle(&w->t); /* edges and bands come after their commit */
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        struct hub_copies copies = {.n = 0};
        struct hub_holding fresh = {.n = 0}, late = {.n = 0};
        struct store_at recalls = {0, 0, 0}, content = {0, 0, 0};

        poll_all(w, p, c);
        follow_all(w, p, c, &p->recalls[c], &p->content[c], &p->follower[c]);
        hub_test_fresh(&w->t, p->party, w->collections[c], &copies);
        check_fresh(w, p, c, &copies, &fresh);
        compare_poller(w, p, c, &copies, &fresh);
        check(w, p, p->poller[c].revived + p->follower[c].revived + fresh.revived == 0, "what was revoked comes back");
        compare_follower(w, p, &p->follower[c], &fresh, "the follower");
        follow_all(w, p, c, &recalls, &content, &late);
        compare_follower(w, p, &late, &fresh, "a new follower");
        hub_copies_free(&copies);
        hub_holding_free(&fresh);
        hub_holding_free(&late);
    }
}

/* By the audiences before the step and behind it. */
static void note_entitled(struct world *w)
{
    struct hub_directory *now = hub_directory_hold(w->t.hub);
    uint32_t n = atomic_load(&w->t.hub->n_classes);
    uint32_t from = now->epoch == w->noted_epoch && w->before->epoch == w->noted_epoch ? w->noted : 0;

    assert_true(n <= CLASSES);
    for (unsigned i = 0; i < w->n_people; i++)
        for (uint32_t c = from; w->people[i].active && c < n; c++)
            w->people[i].entitled[c] = w->people[i].entitled[c] ||
                                       hub_may_see(w->t.hub, now, w->people[i].party->viewer, c) ||
                                       hub_may_see(w->t.hub, w->before, w->people[i].party->viewer, c);
    w->noted_epoch = now->epoch;
    w->noted = n;
    hub_directory_drop(&now);
}

/* ---- steps ---- */

struct batch {
    struct world *w;
    struct hub_answer answers[BATCH];
    unsigned n;
};

static struct hub_answer *next_answer(struct batch *b)
{
    hub_answer_init(&b->answers[b->n]);
    return &b->answers[b->n++];
}

static const char *marking_by_chance(struct world *w)
{
    static const char *const rows[] = {TLP_CLEAR, TLP_GREEN,  TLP_GREEN, TLP_AMBER,
                                       TLP_AMBER, TLP_STRICT, TLP_RED,   NULL};

    return rows[chance_below(&w->chance, sizeof rows / sizeof rows[0])];
}

static struct slice text_by_chance(struct world *w, unsigned i)
{
    struct object *o = &w->objects[i];
    const char *marking = marking_by_chance(w), *more = "";
    unsigned version = o->version;

    if (o->address)
        return hub_test_address(&w->arena, i % 5, marking); /* few values: several submit the same */
    if (chance_one_in(&w->chance, 5) && version > 0)
        version -= 1 + chance_below(&w->chance, version < 3 ? version : 3); /* an older one, late */
    else
        o->version = version = version + chance_below(&w->chance, 3);
    switch (chance_below(&w->chance, 12)) {
    case 0:
        more = ",\"revoked\":true";
        break;
    case 1:
        more = ",\"valid_until\":\"2026-01-02T00:00:00Z\"";
        break;
    case 2:
        more = ",\"description\":\"seen at SecretOrg, of course\"";
        break;
    case 3:
        more = ",\"object_marking_refs\":[\"" TLP_GREEN "\",\"" TLP_AMBER "\"]";
        marking = NULL;
        break;
    }
    return hub_test_indicator_of(&w->arena, i, i % 20, version, marking, more); /* several submit the same value */
}

static struct person *person_by_chance(struct world *w, bool partner)
{
    for (int tries = 0; tries < 100; tries++) {
        struct person *p = &w->people[chance_below(&w->chance, w->n_people)];
        if (p->active && p->partner == partner)
            return p;
    }
    return NULL;
}

static void submit_some(struct batch *b)
{
    struct world *w = b->w;
    struct person *p = person_by_chance(w, false);
    unsigned c = chance_below(&w->chance, COLLECTIONS), n = 1 + chance_below(&w->chance, 4);
    struct buf text = BUF_INIT;

    if (p == NULL)
        return;
    buf_put(&text, SLICE("{\"objects\":["));
    for (unsigned k = 0; k < n; k++) {
        unsigned i = chance_below(&w->chance, w->n_objects + 1);
        if (i == w->n_objects || w->objects[i].by != (unsigned)(p - w->people) || w->objects[i].collection != c) {
            if (w->n_objects == OBJECTS)
                continue;
            i = w->n_objects++;
            w->objects[i] = (struct object){(unsigned)(p - w->people), c, 1, chance_one_in(&w->chance, 5), false};
        }
        struct slice object = text_by_chance(w, i);
        buf_printf(&text, "%s" SLICE_FMT, text.ptr[text.len - 1] == '[' ? "" : ",", SLICE_ARG(object));
    }
    buf_put(&text, SLICE("]}"));
    hub_test_submit_into(&w->t, p->party, w->collections[c], buf_slice(&text), next_answer(b));
    buf_free(&text);
}

/* A new version of what is there: more often than chance over all objects would have it. */
static void change_one(struct batch *b)
{
    struct world *w = b->w;

    if (w->n_objects == 0)
        return;
    unsigned from = w->n_objects > 40 ? w->n_objects - 40 : 0, i = from + chance_below(&w->chance, w->n_objects - from);
    struct person *p = &w->people[w->objects[i].by];
    if (!p->active || p->partner)
        return;
    struct slice object = text_by_chance(w, i);
    struct slice text = arena_printf(&w->arena, "{\"objects\":[" SLICE_FMT "]}", SLICE_ARG(object));
    hub_test_submit_into(&w->t, p->party, w->collections[w->objects[i].collection], text, next_answer(b));
}

static void delete_one(struct batch *b)
{
    struct world *w = b->w;
    struct hub_view v;
    struct json root;

    if (w->n_objects == 0)
        return;
    unsigned i = chance_below(&w->chance, w->n_objects);
    struct object *o = &w->objects[i];
    struct person *p = &w->people[o->by];
    if (!p->active || p->partner || hub_view_open(&w->t.readers[0], p->party, &v, NULL) != 0)
        return;
    struct slice id = hub_test_indicator_id(&w->arena, i);
    const struct hub_collection *c = hub_directory_collection(v.directory, slice_of(w->collections[o->collection]));
    if (o->address) {
        assert_int_equal(json_parse(&w->arena, hub_test_address(&w->arena, i % 5, NULL), NULL, &root, NULL), 0);
        id = json_text(json_get(root, SLICE("id")));
    } else {
        id = arena_copy(&w->arena, hub_view_minted(&v, c, id));
    }
    hub_view_close(&v);
    arena_reset(&w->t.readers[0].arena);
    o->deleted = true;
    hub_test_act_into(&w->t, HUB_DELETE, p->party,
                      arena_printf(&w->arena, "{\"collection\":\"%s\",\"id\":\"" SLICE_FMT "\",\"all\":true}",
                                   w->collections[o->collection], SLICE_ARG(id)),
                      next_answer(b));
}

/* A member's key is stolen, or what was held of it comes back: its party in these tests stays, as if it had a new one.
 */
static void compromise_one(struct batch *b)
{
    struct world *w = b->w;
    struct person *p = person_by_chance(w, false);
    bool back = chance_one_in(&w->chance, 2); /* all of it: else little would be left in the end */
    enum hub_act_kind kind = back ? HUB_MEMBER_RELEASE : HUB_MEMBER_COMPROMISE;
    int64_t since_us = back ? 0 : time_now_us() - (int64_t)chance_below(&w->chance, 500000);

    if (p == NULL)
        return;
    hub_test_act_into(&w->t, kind, NULL,
                      arena_printf(&w->arena, "{\"name\":\"%s\",\"since_us\":%lld}", p->name, (long long)since_us),
                      next_answer(b));
}

static void change_collection(struct batch *b)
{
    struct world *w = b->w;
    unsigned c = chance_below(&w->chance, COLLECTIONS);
    struct person *p = person_by_chance(w, chance_one_in(&w->chance, 3));
    const char *list = p != NULL && p->partner ? "partners" : "recipients";
    struct slice detail;

    if (w->moved)
        return;
    w->moved = true;
    if (chance_one_in(&w->chance, 4) || p == NULL)
        detail = arena_printf(&w->arena, "{\"name\":\"c%u\",\"open\":%s}", c,
                              chance_one_in(&w->chance, 2) ? "true" : "false");
    else
        detail = arena_printf(&w->arena, "{\"name\":\"c%u\",\"%s_%s\":[\"%s\"]}", c,
                              chance_one_in(&w->chance, 2) ? "add" : "drop", list, p->name);
    hub_test_act_into(&w->t, HUB_COLLECTION_PUT, NULL, detail, next_answer(b));
}

static void add_member(struct world *w)
{
    static const char *const consents[] = {"none", "none", "government"};
    struct person *p = &w->people[w->n_people];
    struct arena *a = &w->arena;

    if (w->n_people == PEOPLE)
        return;
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "m%u", w->n_people);
    struct slice more =
        arena_printf(a, ",\"organisation\":\"%s\",\"consent\":\"%s\",\"government\":%s,\"client_of\":[\"m%u\"]%s",
                     "SecretOrg", consents[w->n_people == 0 ? 0 : chance_below(&w->chance, 2)],
                     chance_one_in(&w->chance, 4) ? "true" : "false", chance_below(&w->chance, w->n_people + 1),
                     chance_one_in(&w->chance, 2) ? ",\"defaults\":[{\"collection\":\"c0\",\"tlp\":\"green\"}]" : "");
    p->party = hub_test_member(&w->t, p->name, more.ptr);
    p->active = true;
    p->lazy = chance_one_in(&w->chance, 3);
    for (unsigned c = 0; c < COLLECTIONS; c++)
        p->polled_us[c] = INT64_MIN;
    w->n_people++;
}

static void add_partner(struct world *w)
{
    static const char *const ceilings[] = {"clear", "green", "amber"};
    struct person *p = &w->people[w->n_people];

    if (w->n_people == PEOPLE)
        return;
    memset(p, 0, sizeof *p);
    p->secret = (uint8_t)(100 + w->n_people);
    snprintf(p->name, sizeof p->name, "p%u", w->n_people);
    snprintf(p->hub_id, sizeof p->hub_id, "0b0b0b0b-0000-4000-8000-%012u", w->n_people);
    struct slice agreement = arena_printf(
        &w->arena,
        "{\"id\":\"agreement-%u\",\"ceiling\":\"%s\",\"k\":1,\"onward\":%s,\"categories\":[\"indicator\",\"context\"],"
        "\"collections_out\":[\"%s\",\"%s\"]}",
        w->n_people, ceilings[chance_below(&w->chance, 3)], chance_one_in(&w->chance, 2) ? "true" : "false",
        w->collections[0], w->collections[1]);
    p->party = hub_test_partner(&w->t, p->name, p->hub_id, p->secret, agreement.ptr);
    p->active = p->partner = true;
    p->lazy = chance_one_in(&w->chance, 3);
    for (unsigned c = 0; c < COLLECTIONS; c++)
        p->polled_us[c] = INT64_MIN;
    w->n_people++;
}

static void remove_one(struct world *w)
{
    struct person *p = person_by_chance(w, chance_one_in(&w->chance, 3));

    if (p == NULL)
        return;
    hub_test_act(&w->t, p->partner ? HUB_PARTNER_REMOVE : HUB_MEMBER_REMOVE, NULL, "{\"name\":\"%s\"}", p->name);
    p->active = false;
}

/* What a partner hub's stream brings. */
static void receive_one(struct batch *b)
{
    static const enum store_kind kinds[] = {STORE_ADD,    STORE_ADD,     STORE_ADD,
                                            STORE_EXPIRE, STORE_RETRACT, STORE_RESTRICT};
    struct world *w = b->w;
    struct person *p = person_by_chance(w, true);
    struct arena *a = &w->arena;
    static struct hub_event e;
    static uint8_t signature[CRYPTO_SIGNATURE];

    if (p == NULL || b->n != 0)
        return; /* alone in its batch: the event stays until the answer */
    enum store_kind kind = kinds[chance_below(&w->chance, sizeof kinds / sizeof kinds[0])];
    unsigned n = 900000 + 100 * (unsigned)(p - w->people) + chance_below(&w->chance, 12);
    bool recall = kind == STORE_RETRACT || kind == STORE_RESTRICT;
    bool bare = recall && chance_one_in(&w->chance, 2);
    struct slice object = hub_test_indicator(a, n, w->step + 1, chance_one_in(&w->chance, 3) ? TLP_GREEN : TLP_CLEAR,
                                             recall ? ",\"revoked\":true" : "");
    e = (struct hub_event){.kind = kind,
                           .id = hub_test_indicator_id(a, n),
                           .object = bare ? SLICE("") : object,
                           .origin = slice_of(p->hub_id),
                           .path = slice_of(p->hub_id),
                           .signature = slice_n((const char *)signature, sizeof signature)};
    hub_test_sign(p->secret, e.origin, e.id, e.kind, e.object, signature);
    struct hub_answer *answer = next_answer(b);
    struct submission s = {.door = HUB_PARTNER,
                           .from = p->party,
                           .collection = slice_of(w->collections[chance_below(&w->chance, COLLECTIONS)]),
                           .events = &e,
                           .n_events = 1,
                           .cursor_name = slice_of(p->name),
                           .cursor = SLICE("cursor"),
                           .received_us = time_now_us(),
                           .done = hub_answer_take,
                           .arg = answer};
    assert_int_equal(hub_submit(w->t.hub, &s, NULL), 0);
    hub_answer_wait(answer);
}

static void take_step(struct world *w)
{
    struct batch b = {.w = w};

    w->before = hub_directory_hold(w->t.hub);
    w->moved = false;
    switch (chance_below(&w->chance, 40)) {
    case 0:
        add_member(w);
        break;
    case 1:
        add_partner(w);
        break;
    case 2:
        remove_one(w);
        break;
    case 3:
        hub_test_tick(&w->t);
        break;
    case 4:
    case 5:
    case 6:
        receive_one(&b);
        break;
    default:
        if (chance_one_in(&w->chance, 15))
            hub_test_disk(&w->t, (long)chance_below(&w->chance, 60000));
        for (unsigned n = 1 + chance_below(&w->chance, BATCH); n > 0; n--) {
            unsigned what = chance_below(&w->chance, 10);
            if (what < 4)
                submit_some(&b);
            else if (what < 7)
                change_one(&b);
            else if (what < 8 && chance_one_in(&w->chance, 3))
                compromise_one(&b);
            else if (what < 8)
                delete_one(&b);
            else
                change_collection(&b);
        }
    }
    for (unsigned i = 0; i < b.n; i++) {
        hub_answer_wait(&b.answers[i]);
        enum err_code code = b.answers[i].err.code;
        if (code != ERR_NONE && code != ERR_NOT_FOUND && code != ERR_UNAUTHENTICATED && code != ERR_DISK_FULL)
            fail_msg("step %u: %s %s", w->step, err_name(code), b.answers[i].err.text);
        hub_answer_free(&b.answers[i]);
    }
    hub_test_disk(&w->t, -1);
    note_entitled(w);
    hub_directory_drop(&w->before);
    arena_reset(&w->arena);
    w->step++;
}

/* ---- the journal as a whole ---- */

struct order {
    int64_t last;
    uint64_t seq;
};

static int check_order(void *arg, const struct store_brief *b)
{
    struct order *o = arg;

    assert_true(b->added_us > o->last);
    assert_int_equal(b->seq, o->seq + 1);
    *o = (struct order){b->added_us, b->seq};
    return 0;
}

static void check_all(struct world *w)
{
    struct order o = {INT64_MIN, 0};

    for (unsigned i = 0; i < w->n_people; i++)
        if (w->people[i].active)
            check_person(w, &w->people[i]);
    assert_int_equal(store_scan_brief(w->t.readers[0].reader, 0, check_order, &o, NULL), 0);
    assert_int_equal(o.seq, atomic_load(&w->t.hub->head));
    hub_test_ledger(&w->t);
}

/* ---- memory before and after ---- */

struct memory {
    struct buf rows;
    struct hub_copies copies[PEOPLE][COLLECTIONS];
};

static void remember(struct world *w, struct memory *m)
{
    const struct hub_rows *r = &w->t.hub->rows;

    for (uint64_t seq = 1; seq <= atomic_load(&w->t.hub->head); seq++)
        buf_printf(&m->rows, "%llu: %llx %lld %lld %u %u %u %u %d%d\n", (unsigned long long)seq,
                   (unsigned long long)r->key[seq], (long long)r->source_us[seq], (long long)r->first_us[seq],
                   r->facts_class[seq], r->subject[seq], r->later[seq], r->kind[seq], bits_has(&r->superseded, seq),
                   bits_has(&r->hidden, seq));
    for (unsigned i = 0; i < w->n_people; i++)
        for (unsigned c = 0; w->people[i].active && c < COLLECTIONS; c++)
            hub_test_fresh(&w->t, w->people[i].party, w->collections[c], &m->copies[i][c]);
}

static void memory_free(struct memory *m)
{
    buf_free(&m->rows);
    for (unsigned i = 0; i < PEOPLE; i++)
        for (unsigned c = 0; c < COLLECTIONS; c++)
            hub_copies_free(&m->copies[i][c]);
    free(m);
}

static void reopen(struct world *w)
{
    struct memory *before = mem_zero(1, sizeof *before), *after = mem_zero(1, sizeof *after);

    hub_test_settle(&w->t);
    remember(w, before);
    hub_test_stop(&w->t);
    hub_test_start(&w->t);
    remember(w, after);
    if (!slice_eq(buf_slice(&before->rows), buf_slice(&after->rows)))
        fail_msg("step %u: rows differ after reopening", w->step);
    for (unsigned i = 0; i < w->n_people; i++)
        for (unsigned c = 0; c < COLLECTIONS; c++) {
            const struct hub_copies *x = &before->copies[i][c], *y = &after->copies[i][c];
            check(w, &w->people[i], x->n == y->n, "%zu rows became %zu", x->n, y->n);
            for (size_t k = 0; k < x->n; k++)
                check(w, &w->people[i],
                      slice_eq(x->items[k].bytes, y->items[k].bytes) && x->items[k].added_us == y->items[k].added_us,
                      "row %zu differs: %.*s", k, SLICE_ARG(y->items[k].bytes));
        }
    memory_free(before);
    memory_free(after);
}

/* ---- the tests ---- */

static uint64_t seed(void)
{
    const char *given = getenv("TOCSIN_SEED");
    uint64_t value = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time_now_us();

    print_message("# TOCSIN_SEED=%llu\n", (unsigned long long)value);
    return value | 1;
}

static unsigned steps(unsigned usual, unsigned most)
{
    const char *given = getenv("TOCSIN_STEPS");

    return given != NULL ? (unsigned)atoi(given) : getenv("TOCSIN_LONG") != NULL ? most : usual;
}

static void people_the_world(struct world *w)
{
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        char name[8];
        snprintf(name, sizeof name, "c%u", c);
        hub_test_collection(&w->t, name, c == 0 ? ",\"open\":true" : "", w->collections[c]);
    }
    for (unsigned i = 0; i < 5; i++)
        add_member(w);
    for (unsigned i = 0; i < 2; i++)
        add_partner(w);
    arena_reset(&w->arena);
}

static void end_the_world(struct world *w)
{
    hub_test_close(&w->t);
    arena_free(&w->arena);
    for (unsigned i = 0; i < w->n_people; i++) {
        hub_party_drop(&w->people[i].party);
        for (unsigned c = 0; c < COLLECTIONS; c++) {
            hub_holding_free(&w->people[i].poller[c]);
            hub_holding_free(&w->people[i].follower[c]);
        }
    }
    free(w);
}

static size_t count_edges(const struct world *w)
{
    struct hub *h = w->t.hub;
    size_t n = 0;

    for (uint64_t seq = 1; seq <= atomic_load(&h->head); seq++)
        n += hub_class_of(h, h->rows.facts_class[seq])->facts.corroborates && h->rows.kind[seq] == STORE_ADD;
    return n;
}

static void test_hub_property__poller_follower_and_fresh_reader_agree(void **state)
{
    struct world *w = mem_zero(1, sizeof *w);
    unsigned n = steps(250, 1500);

    w->chance.state = seed();
    hub_test_open(&w->t);
    people_the_world(w);
    while (w->step < n) {
        take_step(w);
        for (unsigned i = 0; i < w->n_people; i++)
            if (w->people[i].active && chance_one_in(&w->chance, w->people[i].lazy ? 20 : 3))
                check_person(w, &w->people[i]);
        if (chance_one_in(&w->chance, 60))
            reopen(w);
    }
    check_all(w);
    reopen(w);
    check_all(w);
    print_message("# %zu edges\n", count_edges(w));
    assert_true(count_edges(w) > 0);
    end_the_world(w);
}

/* The child says what it was answered, and ends in the middle of things. */
static void run_child(struct world *w, int out, unsigned n)
{
    hub_test_start(&w->t);
    people_the_world(w);
    while (w->step < n) {
        take_step(w);
        uint64_t head = atomic_load(&w->t.hub->head);
        if (write(out, &head, sizeof head) != sizeof head)
            _exit(1);
    }
    struct batch b = {.w = w};
    while (b.n < BATCH)
        submit_some(&b);
    usleep(chance_below(&w->chance, 20000));
    _exit(0);
}

static void test_hub_property__what_was_answered_survives_a_crash(void **state)
{
    struct world *w = mem_zero(1, sizeof *w);
    uint64_t head = 0, at;
    int ends[2], status;

    w->chance.state = seed();
    hub_test_open(&w->t);
    hub_test_stop(&w->t);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(w, ends[1], steps(40, 400));
    }
    close(ends[1]);
    while (read(ends[0], &at, sizeof at) == sizeof at)
        head = at;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    hub_test_start(&w->t);
    assert_true(head > 0 && atomic_load(&w->t.hub->head) >= head);
    hub_test_ledger(&w->t);
    /* whoever is there reads what it may, and goes on */
    struct hub_directory *d = hub_directory_hold(w->t.hub);
    for (unsigned c = 0; c < COLLECTIONS; c++) {
        char name[8];
        snprintf(name, sizeof name, "c%u", c);
        const struct hub_collection *found = hub_directory_collection(d, slice_of(name));
        memcpy(w->collections[c], found->id.ptr, 36);
    }
    for (size_t i = 0; i < d->n_members; i++) {
        struct person *p = &w->people[w->n_people++];
        snprintf(p->name, sizeof p->name, SLICE_FMT, SLICE_ARG(d->members[i].name));
        p->party = hub_test_party(&w->t, p->name);
        p->active = true;
        for (unsigned c = 0; c < COLLECTIONS; c++)
            p->polled_us[c] = INT64_MIN;
    }
    hub_directory_drop(&d);
    for (unsigned i = 0; i < w->n_people; i++)
        for (unsigned c = 0; c < COLLECTIONS; c++) {
            struct hub_copies copies = {.n = 0};
            struct hub_holding fresh = {.n = 0};
            hub_test_fresh(&w->t, w->people[i].party, w->collections[c], &copies);
            check_fresh(w, &w->people[i], c, &copies, &fresh);
            hub_copies_free(&copies);
            hub_holding_free(&fresh);
        }
    struct hub_answer *a = hub_test_submit(&w->t, w->people[0].party, w->collections[0],
                                           hub_test_indicator(&w->arena, 800000, 1, TLP_GREEN, "").ptr);
    assert_int_equal(a->accepted, 1);
    hub_answer_free(a);
    free(a);
    hub_test_ledger(&w->t);
    end_the_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_property__what_was_answered_survives_a_crash), /* first: it forks */
        cmocka_unit_test(test_hub_property__poller_follower_and_fresh_reader_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

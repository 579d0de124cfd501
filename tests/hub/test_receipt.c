/* Who has done what was recalled: each recipient of its own, and only by its own signed word. */
#include "hub_test.h"

#include <string.h>
#include <unistd.h>

#define SENSOR "5e5e5e5e-0000-4000-8000-00000000005e"
#define OTHER  "77777777-0000-4000-8000-000000000077"

struct scene {
    struct hub_test t;
    struct hub_party *bank, *clinic, *shop, *south;
    char c[37];
    uint8_t secret[CRYPTO_SIGN_SECRET];
    struct arena a;
};

static struct hub_party *member_with_key(struct scene *s, const char *name)
{
    uint8_t seed[32], public_key[CRYPTO_SIGN_PUBLIC];
    struct buf hex = BUF_INIT;

    memset(seed, 7, sizeof seed);
    crypto_sign_make_from(seed, public_key, s->secret);
    crypto_put_hex(&hex, public_key, sizeof public_key);
    struct hub_party *p = hub_test_member(
        &s->t, name, arena_printf(&s->a, ",\"receipt_key\":\"" SLICE_FMT "\"", SLICE_ARG(buf_slice(&hex))).ptr);
    buf_free(&hex);
    return p;
}

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", ",\"open\":true", s->c);
    s->bank = hub_test_member(&s->t, "bank", "");
    s->clinic = member_with_key(s, "clinic");
    s->shop = hub_test_member(&s->t, "shop", "");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    hub_party_drop(&s->bank);
    hub_party_drop(&s->clinic);
    hub_party_drop(&s->shop);
    hub_party_drop(&s->south);
    hub_test_close(&s->t);
    arena_free(&s->a);
    free(s);
    return 0;
}

static void submit(struct scene *s, unsigned n, unsigned version, const char *more)
{
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, n, version, TLP_GREEN, more).ptr);
}

static void retract(struct scene *s, unsigned n)
{
    submit(s, n, 2, ",\"revoked\":true");
}

/* ---- reading ---- */

static int take(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    (*(size_t *)arg)++;
    return 0;
}

/* Everything there is, as this follower ("": a client that does not name itself); how many rows came. */
static size_t read_as(struct scene *s, struct hub_party *p, const char *follower, enum store_part part)
{
    struct store_at after = {0, 0, 0}, at;
    struct hub_view v;
    size_t n = 0;
    bool more;

    assert_int_equal(hub_view_open(&s->t.readers[0], p, &v, NULL), 0);
    v.follower = slice_of(follower);
    struct hub_view_ask ask = {
        .collection = hub_directory_collection(v.directory, slice_of(s->c)), .part = part, .limit = 1000};
    assert_int_equal(hub_view_page(&v, &ask, &after, take, &n, &at, &more, NULL), 0);
    assert_true(hub_view_close(&v));
    arena_reset(&s->t.readers[0].arena);
    return n;
}

static void stream(struct scene *s, struct hub_party *p, const char *follower, int change)
{
    hub_recipient_stream(s->t.hub, p->viewer, slice_of(s->c), slice_of(follower), change, 0);
}

/* ---- confirming ---- */

static struct slice token(struct scene *s, struct hub_party *p, const char *collection, uint64_t recalls)
{
    uint64_t n[HUB_EVENT_NUMBERS] = {recalls, 0, 0, 1, 0, 0, hub_event_place(slice_of(collection), p->viewer)};
    struct buf text = BUF_INIT;

    hub_token_put(s->t.hub, "event", n, HUB_EVENT_NUMBERS, &text);
    struct slice copy = arena_copy(&s->a, buf_slice(&text));
    buf_free(&text);
    return copy;
}

static struct taxii_receipt receipt_of(struct scene *s, struct hub_party *p, const char *follower, uint64_t recalls)
{
    return (struct taxii_receipt){.follower = slice_of(follower),
                                  .event = token(s, p, s->c, recalls),
                                  .sent_us = time_now_us(),
                                  .lease_us = 3600000000};
}

static struct slice signed_text(struct scene *s, struct taxii_receipt *r, const uint8_t secret[CRYPTO_SIGN_SECRET])
{
    struct buf message = BUF_INIT, text = BUF_INIT;

    taxii_receipt_message(r, &message);
    keys_sign_own(secret, KEYS_SIGN_RECEIPT, buf_slice(&message), r->signature);
    taxii_receipt_put(r, &text);
    struct slice copy = arena_copy(&s->a, buf_slice(&text));
    buf_free(&message);
    buf_free(&text);
    return copy;
}

/* Not held up by the pause between two receipts: that has a test of its own. */
static void forget_pause(struct scene *s, struct hub_party *p)
{
    struct hub_viewer *v = s->t.hub->viewers[p->viewer];

    pthread_mutex_lock(&v->lock);
    for (struct hub_recipient *r = v->recipients; r != NULL; r = r->next)
        r->receipt_us = 0;
    pthread_mutex_unlock(&v->lock);
}

static enum err_code post(struct scene *s, struct hub_party *p, struct slice text, char place_out[64])
{
    struct hub_answer answer;
    struct err err = ERR_INIT;

    hub_answer_init(&answer);
    if (hub_receipt_take(&s->t.readers[0], p, slice_of(s->c), text, hub_answer_take, &answer, &err) == 0) {
        hub_answer_wait(&answer);
        err = answer.err;
    }
    arena_reset(&s->t.readers[0].arena);
    hub_answer_free(&answer);
    if (place_out != NULL)
        snprintf(place_out, 64, "%s", err.place);
    return err.code;
}

static void confirm(struct scene *s, struct hub_party *p, const char *follower, uint64_t recalls)
{
    struct taxii_receipt r = receipt_of(s, p, follower, recalls);

    forget_pause(s, p);
    assert_int_equal(post(s, p, signed_text(s, &r, s->secret), NULL), ERR_NONE);
}

/* ---- what the operator is told ---- */

static struct json ask(struct scene *s, const char *question)
{
    struct json detail, root;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(json_parse(&s->a, slice_of(question), NULL, &detail, NULL), 0);
    if (hub_put_recalls(s->t.hub, detail, &out, &err) != 0)
        fail_msg("%s %s", err_name(err.code), err.text);
    assert_int_equal(json_parse(&s->a, arena_copy(&s->a, buf_slice(&out)), NULL, &root, NULL), 0);
    buf_free(&out);
    return root;
}

/* "who/follower state, ..." of the newest recall, sorted as told; "-" when there is none. */
static const char *standing(struct scene *s)
{
    struct json recall = json_first(json_get(ask(s, "{}"), SLICE("recalls")));
    struct buf out = BUF_INIT;

    if (json_kind(recall) == JSON_ABSENT)
        return "-";
    json_each (r, json_get(recall, SLICE("recipients"))) {
        struct slice who = json_text(json_get(r, SLICE("who"))), name = json_text(json_get(r, SLICE("follower"))),
                     state = json_text(json_get(r, SLICE("state")));
        buf_printf(&out, "%s" SLICE_FMT "/" SLICE_FMT " " SLICE_FMT, out.len != 0 ? ", " : "", SLICE_ARG(who),
                   SLICE_ARG(slice_to(name, 2)), SLICE_ARG(state));
    }
    const char *text = arena_copy(&s->a, buf_slice(&out)).ptr;
    buf_free(&out);
    return text;
}

static int64_t count_of(struct json recall, const char *what)
{
    int64_t n;

    assert_true(json_int(json_get(json_get(recall, SLICE("counts")), slice_of(what)), &n));
    return n;
}

/* ---- states ---- */

static void test_hub_receipt__states(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    stream(s, s->clinic, SENSOR, 1);
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    read_as(s, s->shop, "", STORE_PAGE);
    assert_string_equal(standing(s), "-");
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    assert_string_equal(standing(s), "clinic/5e waiting, shop/ cannot confirm");
    assert_int_equal(read_as(s, s->clinic, SENSOR, STORE_RECALLS), 1);
    hub_test_tick(&s->t);
    assert_string_equal(standing(s), "clinic/5e delivered, shop/ cannot confirm");
    read_as(s, s->shop, "", STORE_PAGE);
    hub_test_tick(&s->t);
    assert_string_equal(standing(s), "clinic/5e delivered, shop/ cannot confirm"); /* whatever it reads */
    confirm(s, s->clinic, SENSOR, recall - 1);                                     /* one of before */
    assert_string_equal(standing(s), "clinic/5e delivered, shop/ cannot confirm");
    confirm(s, s->clinic, SENSOR, recall);
    assert_string_equal(standing(s), "clinic/5e confirmed, shop/ cannot confirm");
    struct json told = json_first(json_get(ask(s, "{}"), SLICE("recalls")));
    assert_int_equal(count_of(told, "confirmed"), 1);
    assert_int_equal(count_of(told, "cannot confirm"), 1);
    assert_int_equal(count_of(told, "all"), 2);
    struct json shop = json_next(json_first(json_get(told, SLICE("recipients"))));
    assert_int_equal(json_kind(json_get(shop, SLICE("delivered"))), JSON_STRING); /* it read the recall */
}

/* Each says it for itself; the one that was never there when it mattered is not asked. */
static void test_hub_receipt__two_sensors_of_one_member(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    read_as(s, s->clinic, OTHER, STORE_CONTENT);
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    confirm(s, s->clinic, SENSOR, recall);
    assert_string_equal(standing(s), "clinic/77 waiting, clinic/5e confirmed");
    stream(s, s->clinic, "late", 1);
    assert_string_equal(standing(s), "clinic/77 waiting, clinic/5e confirmed");
    confirm(s, s->clinic, OTHER, recall);
    assert_string_equal(standing(s), "clinic/77 confirmed, clinic/5e confirmed");
}

/* It never had what was published after it was last there. */
static void test_hub_receipt__one_that_does_not_hold_it(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    read_as(s, s->clinic, OTHER, STORE_CONTENT);
    submit(s, 2, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    retract(s, 2);
    assert_string_equal(standing(s), "clinic/5e waiting");
    retract(s, 1);
    assert_string_equal(standing(s), "clinic/5e waiting, clinic/77 waiting");
}

static void set_gone(struct scene *s, struct hub_party *p, int64_t last_us)
{
    struct hub_viewer *v = s->t.hub->viewers[p->viewer];

    pthread_mutex_lock(&v->lock);
    for (struct hub_recipient *r = v->recipients; r != NULL; r = r->next) {
        r->last_us = last_us;
        r->changed = true;
    }
    pthread_mutex_unlock(&v->lock);
}

/* By the lease that it told under its signature, from when it was last there; never while it is there. */
static void test_hub_receipt__lapsed(void **state)
{
    struct scene *s = *state;
    int64_t now = time_now_us();

    submit(s, 1, 1, "");
    stream(s, s->clinic, SENSOR, 1);
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    read_as(s, s->shop, SENSOR, STORE_CONTENT); /* names itself, and never confirmed anything */
    confirm(s, s->clinic, SENSOR, 1);
    retract(s, 1);
    set_gone(s, s->shop, now - 7200000000);
    set_gone(s, s->clinic, now - 7200000000);
    assert_string_equal(standing(s), "clinic/5e waiting, shop/5e waiting");
    stream(s, s->clinic, SENSOR, -1);
    set_gone(s, s->clinic, now - 3599000000);
    assert_string_equal(standing(s), "clinic/5e waiting, shop/5e waiting");
    set_gone(s, s->clinic, now - 3601000000);
    assert_string_equal(standing(s), "clinic/5e lapsed, shop/5e waiting");
    hub_test_tick(&s->t);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_string_equal(standing(s), "clinic/5e lapsed, shop/5e waiting");
    stream(s, s->clinic, SENSOR, 1); /* it is back, and will confirm */
    assert_string_equal(standing(s), "clinic/5e waiting, shop/5e waiting");
}

/* What was known is known; whoever was there when the hub ended has not lapsed, and may hold all. */
static void test_hub_receipt__restart(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    stream(s, s->clinic, SENSOR, 1);
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    read_as(s, s->shop, "", STORE_PAGE);
    confirm(s, s->clinic, SENSOR, 1);
    set_gone(s, s->clinic, 1);
    hub_test_tick(&s->t);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    submit(s, 2, 1, "");
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    assert_string_equal(standing(s), "clinic/5e waiting, shop/ cannot confirm");
    read_as(s, s->clinic, SENSOR, STORE_RECALLS);
    hub_test_stop(&s->t); /* in the second before deliveries are stored: stopping stores them */
    hub_test_start(&s->t);
    assert_string_equal(standing(s), "clinic/5e delivered, shop/ cannot confirm");
    confirm(s, s->clinic, SENSOR, recall);
    hub_test_stop(&s->t);
    hub_test_start(&s->t);
    assert_string_equal(standing(s), "clinic/5e confirmed, shop/ cannot confirm");
    hub_test_ledger(&s->t);
}

/* A full disk forgets nothing of it. */
static void test_hub_receipt__disk_full(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    read_as(s, s->clinic, SENSOR, STORE_RECALLS);
    hub_test_disk(&s->t, 0);
    assert_int_equal(hub_test_act_fails(&s->t, HUB_DELIVERED, NULL, "%s", ""), ERR_DISK_FULL);
    struct taxii_receipt r = receipt_of(s, s->clinic, SENSOR, recall);
    assert_int_equal(post(s, s->clinic, signed_text(s, &r, s->secret), NULL), ERR_DISK_FULL);
    assert_string_equal(standing(s), "clinic/5e waiting");
    hub_test_disk(&s->t, -1);
    hub_test_tick(&s->t);
    assert_string_equal(standing(s), "clinic/5e delivered");
    confirm(s, s->clinic, SENSOR, recall);
    assert_string_equal(standing(s), "clinic/5e confirmed");
}

/* ---- what is refused ---- */

static void test_hub_receipt__refused(void **state)
{
    struct scene *s = *state;
    uint8_t other[CRYPTO_SIGN_SECRET], seed[32] = {9}, public_key[CRYPTO_SIGN_PUBLIC];
    char place[64], elsewhere[37];

    crypto_sign_make_from(seed, public_key, other);
    submit(s, 1, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    hub_test_collection(&s->t, "else", ",\"open\":true", elsewhere);
    struct taxii_receipt good = receipt_of(s, s->clinic, SENSOR, recall), r;
    const struct {
        struct slice event;
        const uint8_t *secret;
        struct hub_party *by;
        int64_t sent_us;
        enum err_code code;
        const char *place;
    } rows[] = {
        {good.event, other, s->clinic, 0, ERR_FORBIDDEN, "/signature"},
        {token(s, s->shop, s->c, recall), s->secret, s->clinic, 0, ERR_BAD_REQUEST, "/event"},        /* another's */
        {token(s, s->clinic, elsewhere, recall), s->secret, s->clinic, 0, ERR_BAD_REQUEST, "/event"}, /* elsewhere */
        {token(s, s->clinic, s->c, recall + 1), s->secret, s->clinic, 0, ERR_BAD_REQUEST, "/event"},  /* ahead */
        {SLICE("AAAA"), s->secret, s->clinic, 0, ERR_BAD_REQUEST, "/event"},                          /* made up */
        {good.event, s->secret, s->shop, 0, ERR_BAD_REQUEST, "/event"},
        {token(s, s->shop, s->c, recall), s->secret, s->shop, 0, ERR_FORBIDDEN, "/signature"}, /* it has no key */
        {good.event, s->secret, s->clinic, 3600000000, ERR_BAD_REQUEST, "/sent"},
    };
    uint64_t leaves = atomic_load(&s->t.hub->ledger_size);

    for (size_t i = 0; i < ROWS(rows); i++) {
        r = good;
        r.event = rows[i].event;
        r.sent_us += rows[i].sent_us;
        enum err_code code = post(s, rows[i].by, signed_text(s, &r, rows[i].secret), place);
        if (code != rows[i].code || strcmp(place, rows[i].place) != 0)
            fail_row(i, "%s at %s", err_name(code), place);
    }
    struct slice text = signed_text(s, &good, s->secret);
    ((char *)(uintptr_t)text.ptr)[slice_find(text, SLICE("\"lease_us\":3")) + 11] = '4'; /* what is signed is signed */
    assert_int_equal(post(s, s->clinic, text, place), ERR_FORBIDDEN);
    assert_int_equal(post(s, s->clinic, SLICE("{"), place), ERR_JSON_SYNTAX);
    assert_string_equal(standing(s), "clinic/5e waiting");
    assert_int_equal(atomic_load(&s->t.hub->ledger_size), leaves);
}

static void test_hub_receipt__replayed(void **state)
{
    struct scene *s = *state;

    submit(s, 1, 1, "");
    submit(s, 2, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    retract(s, 1);
    struct taxii_receipt first = receipt_of(s, s->clinic, SENSOR, atomic_load(&s->t.hub->head));
    struct slice text = signed_text(s, &first, s->secret);
    assert_int_equal(post(s, s->clinic, text, NULL), ERR_NONE);
    assert_string_equal(standing(s), "clinic/5e confirmed");
    retract(s, 2);
    uint64_t leaves = atomic_load(&s->t.hub->ledger_size);
    assert_int_equal(post(s, s->clinic, text, NULL), ERR_TOO_MANY);
    forget_pause(s, s->clinic);
    assert_int_equal(post(s, s->clinic, text, NULL), ERR_NONE);
    assert_string_equal(standing(s), "clinic/5e waiting");
    assert_int_equal(atomic_load(&s->t.hub->ledger_size), leaves);
}

/* Followers are names that a member makes up: after so many they are clients without one. */
static void test_hub_receipt__too_many_followers(void **state)
{
    struct scene *s = *state;
    struct hub_recipient *all;
    char name[16];

    submit(s, 1, 1, "");
    for (int i = 0; i < HUB_RECIPIENTS_MAX + 9; i++) {
        snprintf(name, sizeof name, "s%d", i);
        read_as(s, s->clinic, name, STORE_CONTENT);
    }
    assert_int_equal(hub_recipients_of(s->t.hub, s->clinic->viewer, slice_of(s->c), &s->a, &all),
                     HUB_RECIPIENTS_MAX + 1);
    retract(s, 1);
    struct taxii_receipt r = receipt_of(s, s->clinic, name, atomic_load(&s->t.hub->head));
    assert_int_equal(post(s, s->clinic, signed_text(s, &r, s->secret), NULL), ERR_TOO_MANY);
    assert_int_equal(count_of(json_first(json_get(ask(s, "{}"), SLICE("recalls"))), "cannot confirm"), 1);
}

/* ---- partners ---- */

#define SOUTH_ID "0b0b0b0b-0000-4000-8000-00000000000b"

static void test_hub_receipt__a_hub_tells_a_count(void **state)
{
    struct scene *s = *state;
    uint8_t secret[CRYPTO_KEY];
    struct keys_secrets keys;
    struct json hub;
    int64_t n;

    s->south = hub_test_partner(
        &s->t, "south", SOUTH_ID, 2,
        arena_printf(&s->a,
                     "{\"id\":\"g\",\"collections_out\":[\"%s\"],\"ceiling\":\"green\",\"categories\":[\"indicator\"]}",
                     s->c)
            .ptr);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"add_partners\":[\"south\"]}");
    memset(secret, 2, sizeof secret);
    keys_secrets_derive(secret, &keys);
    submit(s, 1, 1, "");
    read_as(s, s->south, "hub", STORE_CONTENT);
    retract(s, 1);
    uint64_t recall = atomic_load(&s->t.hub->head);
    assert_string_equal(standing(s), "south/hu waiting");
    const struct {
        int64_t done, of, later_us, told;
    } rows[] = {{0, 3, 0, 0}, {2, 3, 10, 2}, {1, 3, 5, 2} /* older */, {3, 3, 20, 3}};
    int64_t sent_us = time_now_us() - 1000000;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct taxii_receipt r = receipt_of(s, s->south, "hub", recall);
        r.lease_us = 0;
        r.sent_us = sent_us + rows[i].later_us;
        r.done = rows[i].done;
        r.of = rows[i].of;
        forget_pause(s, s->south);
        assert_int_equal(post(s, s->south, signed_text(s, &r, s->secret), NULL), ERR_FORBIDDEN); /* not its key */
        assert_int_equal(post(s, s->south, signed_text(s, &r, keys.sign_secret), NULL), ERR_NONE);
        assert_string_equal(standing(s), "south/hu confirmed");
        hub = json_first(json_get(json_first(json_get(ask(s, "{}"), SLICE("recalls"))), SLICE("recipients")));
        assert_true(json_int(json_get(hub, SLICE("of")), &n) && n == 3);
        if (!json_int(json_get(hub, SLICE("done")), &n) || n != rows[i].told)
            fail_row(i, "%d", (int)n);
    }
    hub_test_ledger(&s->t);
}

/* The other side: of its own recipients, how many have confirmed. */
static void test_hub_receipt__counted(void **state)
{
    struct scene *s = *state;
    int64_t done, of;

    submit(s, 1, 1, "");
    submit(s, 2, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    read_as(s, s->shop, "", STORE_PAGE);
    retract(s, 1);
    uint64_t first = atomic_load(&s->t.hub->head);
    retract(s, 2);
    uint64_t last = atomic_load(&s->t.hub->head);
    assert_int_equal(hub_recalls_count(s->t.hub, first, last, &done, &of, NULL), 0);
    assert_int_equal(of, 2);
    assert_int_equal(done, 0);
    confirm(s, s->clinic, SENSOR, first);
    assert_int_equal(hub_recalls_count(s->t.hub, first, last, &done, &of, NULL), 0);
    assert_int_equal(done, 0);
    assert_int_equal(hub_recalls_count(s->t.hub, first, first, &done, &of, NULL), 0);
    assert_int_equal(done, 1);
    confirm(s, s->clinic, SENSOR, last);
    assert_int_equal(hub_recalls_count(s->t.hub, first, last, &done, &of, NULL), 0);
    assert_int_equal(done, 1);
    assert_int_equal(of, 2); /* the client that cannot confirm is never done */
    uint8_t signature[CRYPTO_SIGNATURE];
    assert_int_equal(hub_sign_receipt(s->t.hub, SLICE("message"), signature, NULL), 0);
    assert_true(keys_check(s->t.hub->public_key, KEYS_SIGN_RECEIPT, SLICE("message"), signature));
}

/* ---- the question ---- */

static void test_hub_receipt__asked(void **state)
{
    struct scene *s = *state;

    for (unsigned n = 1; n <= 5; n++)
        submit(s, n, 1, "");
    read_as(s, s->clinic, SENSOR, STORE_CONTENT);
    for (unsigned n = 1; n <= 4; n++)
        retract(s, n);
    hub_test_act(&s->t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"threats\",\"open\":false}");
    struct json all = json_get(ask(s, "{}"), SLICE("recalls"));
    assert_true(json_count(all) >= 5);
    bool restricted = false;
    json_each (r, all)
        restricted = restricted || slice_eq(json_text(json_get(r, SLICE("kind"))), SLICE("restrict"));
    assert_true(restricted);
    struct json two = ask(s, "{\"limit\":2}");
    bool more = false;
    assert_int_equal(json_count(json_get(two, SLICE("recalls"))), 2);
    assert_true(json_bool(json_get(two, SLICE("more")), &more) && more);
    struct slice id = json_text(json_get(json_first(all), SLICE("id")));
    struct json one = ask(s, arena_printf(&s->a, "{\"id\":\"" SLICE_FMT "\"}", SLICE_ARG(id)).ptr);
    assert_int_equal(json_count(json_get(one, SLICE("recalls"))), 1);
    struct json none = ask(s, arena_printf(&s->a, "{\"since_us\":%lld}", (long long)time_now_us() + 1000000).ptr);
    assert_int_equal(json_count(json_get(none, SLICE("recalls"))), 0);
    assert_int_equal(json_count(json_get(ask(s, "{\"limit\":-1,\"since_us\":\"x\"}"), SLICE("recalls"))),
                     json_count(all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hub_receipt__states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__two_sensors_of_one_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__one_that_does_not_hold_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__lapsed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__disk_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__replayed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__too_many_followers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__a_hub_tells_a_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hub_receipt__asked, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

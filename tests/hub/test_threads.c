/* Everything at once: members submit, the operator changes audiences, readers poll and follow. In the end each holds
   what a fresh reader gets. For the thread sanitizer above all. */
#include "hub_test.h"

#include <string.h>
#include <unistd.h>

enum { SUBMITTERS = 3, FOLLOWERS = HUB_TEST_READERS - 1 };

struct scene {
    struct hub_test t;
    struct hub_party *submitters[SUBMITTERS], *readers[FOLLOWERS];
    char c[37];
    atomic_bool stop;
    atomic_uint submitted;
};
struct actor {
    struct scene *s;
    unsigned number;
    struct chance chance;
    struct hub_holding poller, follower;
    int64_t polled_us;
    struct store_at recalls, content;
};

static void *run_submitter(void *arg)
{
    static const char *const markings[] = {TLP_GREEN, TLP_GREEN, TLP_AMBER, TLP_CLEAR, TLP_STRICT};
    struct actor *a = arg;
    struct arena arena = ARENA_INIT;
    unsigned versions[1000] = {0}, n = 1;

    while (!atomic_load(&a->s->stop)) {
        struct slice items[3];
        for (unsigned i = 0; i < 3; i++) {
            unsigned k = chance_one_in(&a->chance, 3) && n < 990 ? n++ : chance_below(&a->chance, n);
            items[i] = hub_test_indicator(&arena, a->number * 10000 + k, ++versions[k] % 3600,
                                          markings[chance_below(&a->chance, 5)],
                                          chance_one_in(&a->chance, 10) ? ",\"revoked\":true" : "");
        }
        struct hub_answer *answer =
            hub_test_submit(&a->s->t, a->s->submitters[a->number], a->s->c, hub_test_list(&arena, items, 3).ptr);
        if (answer->err.code != ERR_NONE && answer->err.code != ERR_BUSY)
            fail_msg("%s %s", err_name(answer->err.code), answer->err.text);
        hub_answer_free(answer);
        free(answer);
        atomic_fetch_add(&a->s->submitted, 1);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

static void *run_operator(void *arg)
{
    struct actor *a = arg;

    for (unsigned n = 0; !atomic_load(&a->s->stop); n++) {
        struct hub_answer answer;
        char detail[200];
        enum hub_act_kind kind = HUB_COLLECTION_PUT;
        switch (chance_below(&a->chance, 5)) {
        case 0:
            snprintf(detail, sizeof detail, "{\"name\":\"threats\",\"open\":%s}",
                     chance_one_in(&a->chance, 2) ? "true" : "false");
            break;
        case 1:
            snprintf(detail, sizeof detail, "{\"name\":\"threats\",\"%s_recipients\":[\"r%u\"]}",
                     chance_one_in(&a->chance, 2) ? "add" : "drop", chance_below(&a->chance, FOLLOWERS));
            break;
        case 2:
            snprintf(detail, sizeof detail, "{\"name\":\"new%u\",\"may_write\":true}", n);
            kind = HUB_MEMBER_PUT;
            break;
        default:
            detail[0] = '\0';
            kind = HUB_DELIVERED;
        }
        hub_answer_init(&answer);
        hub_test_act_into(&a->s->t, kind, NULL, slice_of(detail), &answer);
        hub_answer_wait(&answer);
        if (answer.err.code != ERR_NONE && answer.err.code != ERR_BUSY)
            fail_msg("%s %s", err_name(answer.err.code), answer.err.text);
        hub_answer_free(&answer);
        struct buf recalls = BUF_INIT;
        assert_int_equal(hub_put_recalls(a->s->t.hub, (struct json){NULL, 0}, &recalls, NULL), 0);
        buf_free(&recalls);
        hub_tick(a->s->t.hub);
        usleep(2000);
    }
    return NULL;
}

static void poll_and_follow(struct actor *a)
{
    struct hub_worker *w = &a->s->t.readers[1 + a->number];
    struct hub_party *p = a->s->readers[a->number];
    struct hub_copies got = {.n = 0};
    struct hub_view v;
    struct store_at at;

    assert_int_equal(hub_view_open(w, p, &v, NULL), 0);
    assert_int_equal(hub_view_position(&v, a->polled_us, &at, NULL), 0);
    hub_view_close(&v);
    hub_test_read_by(w, p, a->s->c, STORE_PAGE, false, 1 + chance_below(&a->chance, 50), &at, &got);
    for (size_t i = 0; i < got.n; i++) {
        assert_true(got.items[i].added_us > a->polled_us);
        a->polled_us = got.items[i].added_us;
        hub_holding_take(&a->poller, &got.items[i], !got.items[i].revoked);
    }
    hub_copies_free(&got);
    hub_test_read_by(w, p, a->s->c, STORE_RECALLS, false, 50, &a->recalls, &got);
    hub_test_read_by(w, p, a->s->c, STORE_CONTENT, false, 50, &a->content, &got);
    for (size_t i = 0; i < got.n; i++)
        hub_holding_take(&a->follower, &got.items[i], !hub_copy_is_recall(&got.items[i]) && !got.items[i].revoked);
    hub_copies_free(&got);
}

static void *run_reader(void *arg)
{
    struct actor *a = arg;

    while (!atomic_load(&a->s->stop)) {
        poll_and_follow(a);
        usleep(chance_below(&a->chance, 3000));
    }
    return NULL;
}

static size_t differences(const struct hub_holding *held, const struct hub_holding *fresh)
{
    size_t n = 0;

    for (size_t i = 0; i < fresh->n; i++) {
        const struct hub_entry *e = hub_holding_find(held, fresh->items[i].id);
        bool lacks = fresh->items[i].live && (e == NULL || !e->live);
        if (lacks)
            print_error("lacks %.*s\n", SLICE_ARG(fresh->items[i].bytes));
        n += lacks;
    }
    for (size_t i = 0; i < held->n; i++) {
        const struct hub_entry *e = hub_holding_find(fresh, held->items[i].id);
        bool more = held->items[i].live && (e == NULL || !e->live);
        if (more)
            print_error("still holds %.*s\n", SLICE_ARG(held->items[i].bytes));
        n += more;
    }
    return n;
}

static void check_reader(struct actor *a)
{
    struct hub_copies got = {.n = 0};
    struct hub_holding fresh = {.n = 0};

    poll_and_follow(a);
    hub_test_fresh(&a->s->t, a->s->readers[a->number], a->s->c, &got);
    for (size_t i = 0; i < got.n; i++)
        hub_holding_take(&fresh, &got.items[i], !got.items[i].revoked);
    assert_int_equal(differences(&a->poller, &fresh), 0);
    assert_int_equal(differences(&a->follower, &fresh), 0);
    hub_copies_free(&got);
    hub_holding_free(&fresh);
}

static void test_hub_threads__everything_at_once(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);
    pthread_t threads[SUBMITTERS + FOLLOWERS + 1];
    struct actor actors[SUBMITTERS + FOLLOWERS + 1];
    char name[16];
    size_t n = 0;

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", ",\"open\":true", s->c);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        snprintf(name, sizeof name, "s%u", i);
        s->submitters[i] = hub_test_member(&s->t, name, ",\"organisation\":\"Org\"");
    }
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        snprintf(name, sizeof name, "r%u", i);
        s->readers[i] = hub_test_member(&s->t, name, "");
    }
    for (unsigned i = 0; i < SUBMITTERS + FOLLOWERS + 1; i++) {
        bool submits = i < SUBMITTERS, reads = !submits && i < SUBMITTERS + FOLLOWERS;
        actors[i] = (struct actor){.s = s,
                                   .number = submits ? i : i - SUBMITTERS,
                                   .chance = {(uint64_t)time_now_us() * 2 + 1 + i * 1000},
                                   .polled_us = INT64_MIN};
        pthread_create(&threads[n++], NULL, submits ? run_submitter : reads ? run_reader : run_operator, &actors[i]);
    }
    usleep(getenv("TOCSIN_LONG") != NULL ? 30000000 : 2000000);
    atomic_store(&s->stop, true);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    print_message("# %u envelopes, %llu rows\n", atomic_load(&s->submitted),
                  (unsigned long long)atomic_load(&s->t.hub->head));
    for (unsigned i = 0; i < FOLLOWERS; i++)
        check_reader(&actors[SUBMITTERS + i]);
    hub_test_ledger(&s->t);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        hub_party_drop(&s->submitters[i]);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        hub_party_drop(&s->readers[i]);
        hub_holding_free(&actors[SUBMITTERS + i].poller);
        hub_holding_free(&actors[SUBMITTERS + i].follower);
    }
    hub_test_close(&s->t);
    free(s);
}

/* Asked to stop in the middle of things: every submission that was taken is answered. */
static void test_hub_threads__stopping_answers_everybody(void **state)
{
    enum { MANY = 100 };
    struct hub_test t;
    char c[37];
    struct arena a = ARENA_INIT;
    static struct hub_answer answers[MANY];
    unsigned taken = 0;

    hub_test_open(&t);
    hub_test_collection(&t, "threats", ",\"open\":true", c);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    for (unsigned i = 0; i < MANY; i++) {
        struct slice object = hub_test_indicator(&a, i, 1, TLP_GREEN, "");
        hub_answer_init(&answers[i]);
        hub_test_submit_into(&t, bank, c, object, &answers[i]);
        taken += answers[i].failed == 0;
    }
    hub_test_close(&t);
    for (unsigned i = 0; i < MANY; i++) {
        assert_false(answers[i].waiting);
        hub_answer_free(&answers[i]);
    }
    assert_true(taken > 0);
    hub_party_drop(&bank);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_threads__everything_at_once),
        cmocka_unit_test(test_hub_threads__stopping_answers_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

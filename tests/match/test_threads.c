#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "match/match.h"

/* One writer at full speed, readers that never stop: a value that stays is always found, one that is gone never is, and
   whatever is found is what was added. Meant for ThreadSanitizer as well. */

enum { STAY = 3000, COME_AND_GO = 3000, READERS = 2, ROUNDS = 12 };

struct world {
    struct match_index *ix;
    atomic_bool done;
    atomic_ulong lookups, missed, wrong;
};

static struct slice name_of(char *to, size_t size, const char *sort, uint64_t i)
{
    return slice_n(to, (size_t)snprintf(to, size, "%s%llu.bad.example", sort, (unsigned long long)i));
}

struct expected {
    struct world *w;
    struct slice value;
    uint64_t indicator;
    uint32_t found;
};

static void check(void *arg, const struct match_hit *hit)
{
    struct expected *e = arg;

    if (!slice_eq(hit->value, e->value))
        atomic_fetch_add(&e->w->wrong, 1);
    if (hit->indicator == e->indicator)
        e->found++;
}

static uint32_t look(struct match_reader *r, struct world *w, const char *sort, uint64_t i)
{
    char text[64];
    struct expected e = {w, name_of(text, sizeof text, sort, i), i, 0};

    match_value(r, STIX_VALUE_DOMAIN, e.value, e.value, SLICE("test"), check, &e);
    return e.found;
}

static void *read_on(void *arg)
{
    struct world *w = arg;
    struct match_reader *r = match_reader_new(w->ix);

    for (uint64_t i = 0; !atomic_load(&w->done); i++) {
        bool inside = i % 3 != 0;
        if (inside)
            match_reader_enter(r);
        for (uint64_t k = 0; k < 50; k++) {
            if (look(r, w, "stays", (i * 50 + k) % STAY) != 1)
                atomic_fetch_add(&w->missed, 1);
            if (look(r, w, "flaps", (i * 37 + k) % COME_AND_GO) > 1)
                atomic_fetch_add(&w->wrong, 1);
            if (look(r, w, "never", k) != 0)
                atomic_fetch_add(&w->wrong, 1);
        }
        atomic_fetch_add(&w->lookups, 150);
        if (inside)
            match_reader_leave(r);
    }
    match_reader_free(&r);
    return NULL;
}

static void write_round(struct world *w, uint64_t round)
{
    char text[64];

    for (uint64_t i = 0; i < COME_AND_GO; i++)
        match_index_add(w->ix, i, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "flaps", i), NULL);
    /* A second indicator on values that stay: the entry is replaced under the readers' eyes. */
    for (uint64_t i = 0; i < STAY; i++)
        match_index_add(w->ix, 1000000 + round, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "stays", i), NULL);
    for (uint64_t i = 0; i < COME_AND_GO; i++)
        match_index_remove(w->ix, i, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "flaps", i));
    for (uint64_t i = 0; i < STAY; i++)
        match_index_remove(w->ix, 1000000 + round, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "stays", i));
    /* More values than before: the table keeps growing. */
    for (uint64_t i = round * 4000; i < (round + 1) * 4000; i++)
        match_index_add(w->ix, i, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "more", i), NULL);
}

static void test_match_threads__one_writer_two_readers(void **state)
{
    struct world w = {.ix = match_index_new(0)};
    pthread_t threads[READERS];
    char text[64];

    for (uint64_t i = 0; i < STAY; i++)
        assert_int_equal(match_index_add(w.ix, i, STIX_VALUE_DOMAIN, name_of(text, sizeof text, "stays", i), NULL), 0);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &w), 0);
    for (uint64_t round = 0; round < ROUNDS; round++)
        write_round(&w, round);
    while (atomic_load(&w.lookups) < 1000) /* a loaded machine may not have let the readers run yet */
        write_round(&w, 0);
    atomic_store(&w.done, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(w.missed, 0);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(match_index_count(w.ix), STAY + ROUNDS * 4000);
    match_index_free(&w.ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_threads__one_writer_two_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

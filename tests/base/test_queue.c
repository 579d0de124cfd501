#include "test.h"

#include <pthread.h>

#include "base/queue.h"
#include "base/time.h"

static int items[8];

static void test_base_queue__urgent_first_then_in_order(void **state)
{
    struct queue *q = queue_new(2, 3);

    assert_true(queue_put(q, &items[0], false));
    assert_true(queue_put(q, &items[1], false));
    assert_true(queue_put(q, &items[2], true));
    assert_true(queue_put(q, &items[3], true));
    assert_int_equal(queue_length(q), 4);
    assert_ptr_equal(queue_try(q), &items[2]);
    assert_ptr_equal(queue_take(q, -1), &items[3]);
    assert_ptr_equal(queue_take(q, 0), &items[0]);
    assert_true(queue_put(q, &items[4], true));
    assert_ptr_equal(queue_try(q), &items[4]);
    assert_ptr_equal(queue_try(q), &items[1]);
    assert_null(queue_try(q));
    queue_free(&q);
    assert_null(q);
    queue_free(&q);
}

static void test_base_queue__each_class_has_its_bound(void **state)
{
    struct queue *q = queue_new(1, 2);

    for (int round = 0; round < 3; round++) { /* around the end of the ring */
        assert_true(queue_put(q, &items[0], false));
        assert_true(queue_put(q, &items[1], false));
        assert_false(queue_put(q, &items[2], false));
        assert_true(queue_put(q, &items[3], true));
        assert_false(queue_put(q, &items[4], true));
        assert_ptr_equal(queue_try(q), &items[3]);
        assert_ptr_equal(queue_try(q), &items[0]);
        assert_true(queue_put(q, &items[5], false));
        assert_ptr_equal(queue_try(q), &items[1]);
        assert_ptr_equal(queue_try(q), &items[5]);
    }
    queue_free(&q);
    q = queue_new(0, 1);
    assert_false(queue_put(q, &items[0], true));
    queue_free(&q);
}

static void test_base_queue__waits_as_long_as_asked(void **state)
{
    struct queue *q = queue_new(1, 1);
    int64_t before = time_steady_us();

    assert_null(queue_take(q, 20000));
    assert_true(time_steady_us() - before >= 20000);
    queue_free(&q);
}

static void test_base_queue__closed_gives_what_is_left(void **state)
{
    struct queue *q = queue_new(1, 1);

    assert_true(queue_put(q, &items[0], false));
    assert_false(queue_is_closed(q));
    queue_close(q);
    assert_true(queue_is_closed(q));
    assert_false(queue_put(q, &items[1], true));
    assert_ptr_equal(queue_take(q, -1), &items[0]);
    assert_null(queue_take(q, -1));
    queue_free(&q);
}

enum { PUTTERS = 4, TAKERS = 3, EACH = 20000 };

struct shared {
    struct queue *q;
    uint64_t sums[TAKERS], counts[TAKERS];
};

struct worker {
    pthread_t thread;
    struct shared *shared;
    uintptr_t number;
};

static void *put_all(void *arg)
{
    struct worker *w = arg;

    for (uintptr_t i = 0; i < EACH; i++)
        while (!queue_put(w->shared->q, (void *)(w->number * EACH + i + 1), i % 7 == 0))
            sched_yield();
    return NULL;
}

static void *take_all(void *arg)
{
    struct worker *w = arg;

    for (void *item; (item = queue_take(w->shared->q, -1)) != NULL;) {
        w->shared->sums[w->number] += (uintptr_t)item;
        w->shared->counts[w->number]++;
    }
    return NULL;
}

static void test_base_queue__threads_lose_nothing(void **state)
{
    struct shared shared = {.q = queue_new(16, 64)};
    struct worker putters[PUTTERS], takers[TAKERS];
    uint64_t n = (uint64_t)PUTTERS * EACH, sum = 0, count = 0;

    for (uintptr_t i = 0; i < TAKERS; i++) {
        takers[i] = (struct worker){.shared = &shared, .number = i};
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]), 0);
    }
    for (uintptr_t i = 0; i < PUTTERS; i++) {
        putters[i] = (struct worker){.shared = &shared, .number = i};
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]), 0);
    }
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(putters[i].thread, NULL);
    queue_close(shared.q);
    for (int i = 0; i < TAKERS; i++) {
        pthread_join(takers[i].thread, NULL);
        sum += shared.sums[i];
        count += shared.counts[i];
    }
    assert_int_equal(count, n);
    assert_int_equal(sum, n * (n + 1) / 2);
    queue_free(&shared.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_queue__urgent_first_then_in_order),
        cmocka_unit_test(test_base_queue__each_class_has_its_bound),
        cmocka_unit_test(test_base_queue__waits_as_long_as_asked),
        cmocka_unit_test(test_base_queue__closed_gives_what_is_left),
        cmocka_unit_test(test_base_queue__threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

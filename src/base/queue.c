#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

struct ring {
    void **items;
    size_t capacity, first, n;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct ring urgent, normal;
    bool closed;
};

static void ring_init(struct ring *r, size_t capacity)
{
    *r = (struct ring){mem_zero(capacity, sizeof *r->items), capacity, 0, 0};
}

static bool ring_put(struct ring *r, void *item)
{
    if (r->n == r->capacity)
        return false;
    r->items[(r->first + r->n++) % r->capacity] = item;
    return true;
}

static void *ring_take(struct ring *r)
{
    if (r->n == 0)
        return NULL;
    void *item = r->items[r->first];
    r->first = (r->first + 1) % r->capacity;
    r->n--;
    return item;
}

struct queue *queue_new(size_t capacity_urgent, size_t capacity_normal)
{
    struct queue *q = mem_zero(1, sizeof *q);
    pthread_condattr_t steady;

    ring_init(&q->urgent, capacity_urgent);
    ring_init(&q->normal, capacity_normal);
    pthread_mutex_init(&q->lock, NULL);
    /* Waits are measured on the steady clock: a clock that jumps must not wake or hold anybody. */
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&q->arrived, &steady);
    pthread_condattr_destroy(&steady);
    return q;
}

void queue_free(struct queue **q)
{
    struct queue *gone = *q;

    *q = NULL;
    if (gone == NULL)
        return;
    assert(gone->urgent.n == 0 && gone->normal.n == 0);
    pthread_cond_destroy(&gone->arrived);
    pthread_mutex_destroy(&gone->lock);
    free(gone->urgent.items);
    free(gone->normal.items);
    free(gone);
}

bool queue_put(struct queue *q, void *item, bool urgent)
{
    assert(item != NULL);
    pthread_mutex_lock(&q->lock);
    bool taken = !q->closed && ring_put(urgent ? &q->urgent : &q->normal, item);
    if (taken)
        pthread_cond_signal(&q->arrived);
    pthread_mutex_unlock(&q->lock);
    return taken;
}

static void *take_locked(struct queue *q)
{
    void *item = ring_take(&q->urgent);

    return item != NULL ? item : ring_take(&q->normal);
}

static struct timespec deadline_in(int64_t wait_us)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_us / 1000000;
    at.tv_nsec += wait_us % 1000000 * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

void *queue_take(struct queue *q, int64_t wait_us)
{
    struct timespec until = wait_us > 0 ? deadline_in(wait_us) : (struct timespec){0, 0};
    bool in_time = wait_us != 0;

    pthread_mutex_lock(&q->lock);
    void *item = take_locked(q);
    while (item == NULL && !q->closed && in_time) {
        if (wait_us < 0)
            pthread_cond_wait(&q->arrived, &q->lock);
        else
            in_time = pthread_cond_timedwait(&q->arrived, &q->lock, &until) != ETIMEDOUT;
        item = take_locked(q);
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

void *queue_try(struct queue *q)
{
    return queue_take(q, 0);
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->arrived);
    pthread_mutex_unlock(&q->lock);
}

bool queue_is_closed(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

size_t queue_length(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->urgent.n + q->normal.n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

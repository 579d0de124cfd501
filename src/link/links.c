/* link/links.c: the set of links, kept as the directory says. */
#include <stdlib.h>

#include "base/log.h"
#include "link/internal.h"

enum { LINKS_MAX = 256, LINKS_LOOK_NS = 250000000 };

struct links {
    struct hub *hub;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    struct link *items[LINKS_MAX];
    size_t n;
};

static bool is_wanted(const struct link *l, const struct hub_link *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (link_is(l, &wanted[i]))
            return true;
    return false;
}

static bool is_running(const struct links *all, const struct hub_link *wanted)
{
    for (size_t i = 0; i < all->n; i++)
        if (link_is(all->items[i], wanted))
            return true;
    return false;
}

static void adjust(struct links *all)
{
    struct arena a = ARENA_INIT;
    struct hub_link *wanted;
    size_t n = hub_links(all->hub, &a, &wanted);

    for (size_t i = 0; i < all->n;) {
        if (is_wanted(all->items[i], wanted, n)) {
            i++;
            continue;
        }
        link_stop(&all->items[i]);
        all->items[i] = all->items[--all->n];
    }
    /* Read again: a link that has just stopped may have moved its cursor. */
    n = hub_links(all->hub, &a, &wanted);
    for (size_t i = 0; i < n; i++) {
        struct link *l = !is_running(all, &wanted[i]) && all->n < LINKS_MAX ? link_start(all->hub, &wanted[i]) : NULL;
        if (l != NULL)
            all->items[all->n++] = l;
    }
    arena_free(&a);
}

static void *links_main(void *arg)
{
    struct links *all = arg;
    uint64_t epoch = 0;

    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        uint64_t now = hub_directory_epoch(all->hub);
        struct timespec until;
        if (now != epoch) {
            pthread_mutex_unlock(&all->lock);
            adjust(all);
            epoch = now;
            pthread_mutex_lock(&all->lock);
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LINKS_LOOK_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&all->stop, &all->lock, &until);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

int links_start(struct hub *h, struct links **links_out, struct err *err)
{
    struct links *all = mem_zero(1, sizeof *all);

    all->hub = h;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->stop, NULL);
    if (pthread_create(&all->thread, NULL, links_main, all) != 0) {
        free(all);
        return err_set(err, ERR_SYSTEM, NULL, "cannot start the thread of the links");
    }
    *links_out = all;
    return 0;
}

void links_stop(struct links **links)
{
    struct links *all = *links;

    *links = NULL;
    if (all == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_signal(&all->stop);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    for (size_t i = 0; i < all->n; i++)
        link_stop(&all->items[i]);
    free(all);
}

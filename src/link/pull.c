/* link/pull.c: a partner that is no Tocsin: a TAXII 2.1 server whose pages are polled. The position commits with the
   last row of each page, so an outage loses nothing; what comes again after one is known by origin, id and modified. */
#include <stdlib.h>

#include "link/internal.h"

struct puller {
    struct link *link;
    struct slice origin;
    struct buf position; /* before the page that is being taken */
};

static bool pause_link(void *arg, int64_t us)
{
    return link_pause(((struct puller *)arg)->link, us);
}

/* It speaks for itself alone: origin and path are the partner. Its kind is what its content says (hub/submit.c). */
static struct link_event *event_of(const struct puller *p, struct json object, struct slice cursor)
{
    struct link_event *e = mem_zero(1, sizeof *e);
    struct slice id = json_text(json_get(object, SLICE("id")));

    e->event.kind = STORE_ADD;
    e->event.id = arena_copy(&e->arena, id.ptr != NULL ? id : SLICE(""));
    e->event.object = arena_copy(&e->arena, json_raw(object));
    e->event.origin = e->event.path = arena_copy(&e->arena, p->origin);
    e->cursor = arena_copy(&e->arena, cursor);
    return e;
}

static int take(void *arg, const struct taxii_walk_page *page, struct err *err)
{
    struct puller *p = arg;

    for (size_t i = 0; i < page->n; i++) {
        bool last = i + 1 == page->n;
        if (link_put(p->link, event_of(p, page->objects[i], last ? page->position : buf_slice(&p->position))))
            return err_set(err, ERR_UNAVAILABLE, NULL, "the link stops");
    }
    buf_clear(&p->position);
    buf_put(&p->position, page->position);
    return 0;
}

int link_pull(struct link *l, struct taxii_client *client, const struct hub_link *info, struct slice from,
              struct err *err)
{
    struct puller p = {.link = l, .origin = info->hub_id};
    struct taxii_walk_conf conf = {.pause = pause_link, .arg = &p};
    struct taxii_walk *walk = taxii_walk_new(client, &conf);
    int result = taxii_walk_at(walk, from, err);

    buf_put(&p.position, from);
    while (result == 0 && (result = taxii_walk_run(walk, take, &p, err)) == 0 && link_pause(l, info->poll_us))
        ;
    taxii_walk_free(&walk);
    buf_free(&p.position);
    return result;
}

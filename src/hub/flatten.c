/* hub/flatten.c: the forms in which an object leaves to a member with switches. What the view gives is the whole of it:
   forms are made of what this viewer has been given, and of nothing else. */
#include "hub/internal.h"

struct forming {
    struct arena *a;
    struct hub_form *items;
    size_t n, room;
};

static void add_form(struct forming *f, struct slice id, struct slice bytes, int64_t version_us)
{
    if (f->n == f->room) {
        f->room = f->room * 2 + 16;
        struct hub_form *more = arena_array(f->a, struct hub_form, f->room);
        if (f->n != 0)
            memcpy(more, f->items, f->n * sizeof *more);
        f->items = more;
    }
    f->items[f->n++] = (struct hub_form){id, bytes, version_us};
}

static bool has_form(const struct forming *f, struct slice id)
{
    for (size_t i = 0; i < f->n; i++)
        if (slice_eq(f->items[i].id, id))
            return true;
    return false;
}

struct earlier { /* versions before the one that is formed */
    struct arena *a;
    uint64_t seq;
    int64_t version_us;
    struct slice *bytes;
    size_t n, room;
};

static int take_earlier(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    struct earlier *e = arg;

    (void)at;
    if (seen->row->seq == e->seq || seen->version_us >= e->version_us)
        return 0;
    if (e->n == e->room) {
        e->room = e->room * 2 + 16;
        struct slice *more = arena_array(e->a, struct slice, e->room);
        if (e->n != 0)
            memcpy(more, e->bytes, e->n * sizeof *more);
        e->bytes = more;
    }
    e->bytes[e->n++] = seen->bytes;
    return 0;
}

/* A reader that knows the parts by their ids is told of each that this version no longer has. */
static void revoke_earlier(struct forming *f, const struct earlier *e, struct slice id, uint32_t compat)
{
    char text[TIME_TEXT];
    const struct hub_part *parts;

    time_put(text, e->version_us);
    struct slice modified = slice_n(text, sizeof text);
    for (size_t i = 0; i < e->n; i++) {
        struct slice bytes = compat & HUB_COMPAT_TLP1 ? hub_compat_tlp1(f->a, e->bytes[i]) : e->bytes[i];
        size_t n = hub_compat_parts(f->a, bytes, &parts);
        for (size_t k = 0; k < n; k++)
            if (!has_form(f, parts[k].id))
                add_form(f, parts[k].id, hub_compat_part(f->a, bytes, &parts[k], modified), e->version_us);
        if (n == 0 && !has_form(f, id))
            add_form(f, id, hub_compat_part(f->a, bytes, NULL, modified), e->version_us);
    }
}

static int flatten(struct hub_view *v, const struct hub_collection *c, uint32_t compat, const struct hub_seen *seen,
                   struct slice bytes, struct forming *f, struct err *err)
{
    const struct hub_rows *rows = &v->hub->rows;
    const struct hub_part *parts;
    size_t n = hub_compat_parts(f->a, bytes, &parts);

    for (size_t i = 0; i < n; i++)
        add_form(f, parts[i].id, hub_compat_part(f->a, bytes, &parts[i], SLICE("")), seen->version_us);
    if (n == 0)
        add_form(f, seen->id, bytes, seen->version_us);
    if (hub_row_subject(rows, seen->row->seq) == 0)
        return 0;
    struct earlier e = {.a = f->a, .seq = seen->row->seq, .version_us = seen->version_us};
    if (hub_view_objects(v, c, &seen->id, 1, true, &(struct store_at){0, 0, 0}, take_earlier, &e, err) != 0)
        return -1;
    revoke_earlier(f, &e, seen->id, compat);
    return 0;
}

static void keep_stix20(struct forming *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct hub_form form = f->items[i];
        if (hub_compat_stix20(f->a, form.bytes, &form.bytes))
            f->items[kept++] = form;
    }
    f->n = kept;
}

int hub_forms(struct hub_view *v, const struct hub_collection *c, uint32_t compat, const struct hub_seen *seen,
              const struct hub_form **forms_out, size_t *n_out, struct err *err)
{
    struct forming f = {.a = &v->worker->arena};
    struct stix_id id;
    struct slice bytes = compat & HUB_COMPAT_TLP1 ? hub_compat_tlp1(f.a, seen->bytes) : seen->bytes;
    int result = 0;

    if ((compat & HUB_COMPAT_FLATTEN) && stix_id_parse(seen->id, &id) && slice_eq(id.type, SLICE("indicator")))
        result = flatten(v, c, compat, seen, bytes, &f, err);
    else
        add_form(&f, seen->id, bytes, seen->version_us);
    if (compat & HUB_COMPAT_STIX20)
        keep_stix20(&f);
    *forms_out = f.items;
    *n_out = f.n;
    return result;
}

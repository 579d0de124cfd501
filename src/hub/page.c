/* hub/page.c: a page of a TAXII collection: objects, manifest or versions (TAXII 2.1 sections 5.3 to 5.8), read through
 * a view. */
#include "hub/doors.h"

#include <stdlib.h>

enum { PAGE_BYTES = 8 * 1024 * 1024 /* of objects in one page, whatever the limit says */ };

struct paging {
    struct hub_view *view;
    const struct taxii_want *want;
    struct buf body;
    uint32_t limit, n;
    int64_t first_us, last_us;
    bool full;
    struct store_at *last_at; /* of ids: where the last one taken stands */
};

static void put_seen(struct paging *p, const struct hub_seen *seen)
{
    char text[TIME_TEXT];

    if (p->want->part == TAXII_OBJECTS) {
        json_put_raw(&p->body, seen->bytes);
        return;
    }
    int64_t version = seen->version_us != 0 ? seen->version_us : seen->row->added_us;
    time_put(text, version);
    if (p->want->part == TAXII_VERSIONS) {
        json_put_string(&p->body, slice_n(text, sizeof text));
        return;
    }
    json_put_open(&p->body, '{');
    json_put_text(&p->body, "id", seen->id);
    json_put_text(&p->body, "version", slice_n(text, sizeof text));
    time_put(text, seen->row->added_us);
    json_put_text(&p->body, "date_added", slice_n(text, sizeof text));
    json_put_text(&p->body, "media_type", SLICE("application/stix+json;version=2.1"));
    json_put_close(&p->body, '}');
}

/* match[version] (TAXII 2.1 section 3.4): last by default; first, last and instants combine; all stands alone. */
static bool is_wanted_version(const struct paging *p, const struct hub_seen *seen)
{
    const struct taxii_want *want = p->want;
    const struct hub_rows *rows = &p->view->hub->rows;

    if (want->versions & TAXII_ALL)
        return true;
    if ((want->versions & TAXII_LAST) && !bits_has(&rows->replaced, seen->row->seq))
        return true;
    if ((want->versions & TAXII_FIRST) && seen->row->subject_seq == 0)
        return true;
    for (uint32_t i = 0; i < want->n_version_times; i++)
        if (seen->version_us == want->version_times[i])
            return true;
    return false;
}

static int take_seen(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    struct paging *p = arg;

    if (!is_wanted_version(p, seen))
        return 0;
    if (p->n == p->limit) {
        p->full = true;
        return 1;
    }
    put_seen(p, seen);
    if (p->last_at != NULL)
        *p->last_at = *at;
    if (p->n++ == 0)
        p->first_us = seen->row->added_us;
    p->last_us = seen->row->added_us;
    return 0;
}

static bool only_last(const struct taxii_want *want)
{
    return want->versions == TAXII_LAST && want->n_version_times == 0;
}

static void open_list(struct paging *p)
{
    json_put_open(&p->body, '{');
    json_put_key(&p->body, p->want->part == TAXII_VERSIONS ? SLICE("versions") : SLICE("objects"));
    json_put_open(&p->body, '[');
}

/* An empty list is left out: {} (TAXII 2.1 section 3.7). */
static void close_list(struct paging *p)
{
    if (p->n == 0)
        buf_clear(&p->body);
    else
        json_put_close(&p->body, ']');
    if (p->n == 0)
        json_put_open(&p->body, '{');
}

/* A token carries the whole position; the filters come again with the request, so their hash must be the same. */
static uint64_t filters_hash(const struct taxii_want *want, const struct hub_collection *c, uint32_t viewer)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, SLICE_FMT "|%u|%d", SLICE_ARG(c->id), viewer, (int)want->part);
    uint64_t hash = hub_id_hash(buf_slice(&text));
    buf_free(&text);
    return hash;
}

static int start_of(struct hub_view *v, const struct taxii_want *want, const struct hub_collection *c,
                    struct store_at *at, struct err *err)
{
    uint64_t numbers[4];

    *at = (struct store_at){0, 0, 0};
    if (want->next.len != 0) {
        if (!hub_token_get(v->hub, "next", want->next, numbers, 4) || numbers[3] != filters_hash(want, c, v->viewer))
            return err_set(err, ERR_QUERY_FILTER, "next",
                           "this is no value of next that this hub gave for this request");
        *at = (struct store_at){numbers[0], numbers[1], numbers[2]};
        return 0;
    }
    return want->added_after_us != INT64_MIN ? hub_view_position(v, want->added_after_us, at, err) : 0;
}

static int read_list(struct paging *p, const struct hub_collection *c, struct store_at *at, bool *more, struct err *err)
{
    struct hub_view_ask ask = {.collection = c,
                               .types = &p->want->types,
                               .part = STORE_PAGE,
                               .superseded_too = !only_last(p->want),
                               .max_bytes = PAGE_BYTES,
                               .at_once = true};

    /* With a version filter rows are left out behind the store's back: go on until the page is full or the end is
     * reached. */
    do {
        ask.limit = p->limit - p->n + (ask.superseded_too ? 1 : 0);
        struct store_at after = *at;
        if (hub_view_page(p->view, &ask, &after, take_seen, p, at, more, err) != 0)
            return -1;
    } while (*more && !p->full && p->n < p->limit && p->body.len < PAGE_BYTES);
    return 0;
}

static bool wants_stix21(const struct taxii_want *want)
{
    for (uint32_t i = 0; i < want->spec_versions.n; i++)
        if (slice_eq(want->spec_versions.items[i], SLICE("2.1")))
            return true;
    return want->spec_versions.n == 0;
}

static bool wants_type_of(const struct taxii_want *want, struct slice id)
{
    struct stix_id parts;

    for (uint32_t i = 0; i < want->types.n; i++)
        if (stix_id_parse(id, &parts) && slice_eq(parts.type, want->types.items[i]))
            return true;
    return want->types.n == 0;
}

/* By id: straight from the index. */
static int read_ids(struct paging *p, const struct hub_collection *c, const struct slice *ids, size_t n,
                    struct store_at *at, bool *more, struct err *err)
{
    struct slice *wanted = arena_array(&p->view->worker->arena, struct slice, n);
    size_t n_wanted = 0;

    for (size_t i = 0; i < n; i++)
        if (wants_type_of(p->want, ids[i]))
            wanted[n_wanted++] = ids[i];
    struct store_at after = *at;
    p->last_at = at;
    if (hub_view_objects(p->view, c, wanted, n_wanted, !only_last(p->want), &after, take_seen, p, err) != 0)
        return -1;
    *more = p->full;
    return 0;
}

static void put_more(struct paging *p, const struct hub_collection *c, const struct store_at *at, bool more)
{
    struct buf token = BUF_INIT;
    uint64_t numbers[4] = {at->seq, at->sub, at->rank, filters_hash(p->want, c, p->view->viewer)};

    if (!more)
        return;
    hub_token_put(p->view->hub, "next", numbers, 4, &token);
    json_put_key(&p->body, SLICE("more"));
    json_put_bool(&p->body, true);
    json_put_text(&p->body, "next", buf_slice(&token));
    buf_free(&token);
}

static int make_page(struct paging *p, struct err *err)
{
    const struct taxii_want *want = p->want;
    const struct hub_collection *c = hub_directory_collection(p->view->directory, want->collection);
    struct store_at at = {0, 0, 0};
    bool more = false;
    size_t ids = want->object_id.len != 0 ? 1 : want->ids.n;
    int result = 0;

    if (c == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (!hub_member_may_read(hub_directory_member_of(p->view->directory, p->view->viewer), c))
        return err_set(err, ERR_FORBIDDEN, NULL, "this credential may not read this collection");
    open_list(p);
    bool none = want->object_id.len == 0 && !wants_stix21(want);
    if (!none && start_of(p->view, want, c, &at, err) != 0)
        result = -1;
    else if (!none && ids != 0)
        result = read_ids(p, c, want->object_id.len != 0 ? &want->object_id : want->ids.items, ids, &at, &more, err);
    else if (!none)
        result = read_list(p, c, &at, &more, err);
    if (result == 0 && p->n == 0 && want->object_id.len != 0 && want->added_after_us == INT64_MIN &&
        want->next.len == 0)
        result = err_set(err, ERR_NOT_FOUND, NULL, "no such object");
    close_list(p);
    put_more(p, c, &at, more && p->n != 0);
    json_put_close(&p->body, '}');
    return result;
}

void hub_page(struct hub_worker *w, const struct hub_party *party, struct taxii_reply *reply)
{
    const struct hub_settings *s = &w->hub->settings;
    struct paging p = {.want = taxii_reply_want(reply)};
    struct err err = ERR_INIT;
    struct hub_view v;
    int result;

    p.limit = p.want->limit != 0 ? p.want->limit : (uint32_t)s->page_default;
    if (p.limit > (uint32_t)s->page_max)
        p.limit = (uint32_t)s->page_max;
    do { /* once, but where something of the page is recalled at this moment */
        buf_clear(&p.body);
        p = (struct paging){.view = &v, .want = p.want, .limit = p.limit, .body = p.body};
        result = hub_view_open(w, party, &v, &err);
        if (result != 0)
            break;
        result = make_page(&p, &err);
    } while (!hub_view_close(&v) && result == 0); /* counted as delivered before a byte leaves */
    if (result == 0) {
        hub_doors_count(w->hub, party, p.n);
        taxii_reply_page(reply, buf_ref_take(&p.body), p.first_us, p.last_us);
    } else {
        taxii_reply_error(reply, &err);
    }
    buf_free(&p.body);
}

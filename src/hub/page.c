/* hub/page.c: a page of a TAXII collection: objects, manifest or versions (TAXII 2.1 sections 5.3 to 5.8), read through
 * a view. */
#include "hub/doors.h"

#include <stdlib.h>

enum { PAGE_BYTES = 8 * 1024 * 1024 /* of objects in one page, whatever the limit says */ };

struct paging {
    struct hub_view *view;
    const struct taxii_want *want;
    const struct hub_dialect *dialect; /* of the member; one of zeros for a partner */
    uint32_t compat;                   /* of its bits those that change what is in this page */
    const struct hub_collection *collection;
    const struct taxii_filter *types; /* asked for and wanted */
    struct err *err;
    struct buf body;
    uint32_t limit, n;
    uint64_t rows;          /* read so far */
    struct store_at before; /* everything up to here was given whole */
    uint64_t from_of, from; /* of `next`: this row goes on with this part */
    uint64_t part_of, part; /* the row after `before` was given up to this part; 0: none of it */
    bool none, failed;      /* nothing can match; a form could not be made */
    int64_t first_us, last_us;
    bool full;
};

static void put_form(struct paging *p, const struct hub_form *form, int64_t added_us)
{
    char text[TIME_TEXT];

    if (p->want->part == TAXII_OBJECTS) {
        json_put_raw(&p->body, form->bytes);
        return;
    }
    int64_t version = form->version_us != 0 ? form->version_us : added_us;
    time_put(text, version);
    if (p->want->part == TAXII_VERSIONS) {
        json_put_string(&p->body, slice_n(text, sizeof text));
        return;
    }
    json_put_open(&p->body, '{');
    json_put_text(&p->body, "id", form->id);
    json_put_text(&p->body, "version", slice_n(text, sizeof text));
    time_put(text, added_us);
    json_put_text(&p->body, "date_added", slice_n(text, sizeof text));
    json_put_text(&p->body, "media_type",
                  p->compat & HUB_COMPAT_STIX20 ? SLICE(HUB_MEDIA_STIX20) : SLICE(HUB_MEDIA_STIX21));
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

static void count_form(struct paging *p, int64_t added_us)
{
    if (p->n++ == 0)
        p->first_us = added_us;
    p->last_us = added_us;
}

static bool makes_forms(const struct paging *p)
{
    return p->compat != 0;
}

static size_t size_of(const struct hub_form *forms, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += forms[i].bytes.len;
    return size;
}

/* A row that comes in several forms stands in one page where it fits one: only what is longer than a whole page is
   divided, and `next` then names the part. */
static int take_forms(struct paging *p, const struct hub_seen *seen, const struct store_at *at)
{
    const struct hub_form *forms;
    size_t n, from = p->from_of == seen->row->seq ? p->from : 0;

    p->failed = hub_forms(p->view, p->collection, p->compat, seen, &forms, &n, p->err) != 0;
    if (p->failed)
        return 1;
    from = from < n ? from : 0;
    if (p->n != 0 && (n - from > p->limit - p->n || p->body.len + size_of(forms + from, n - from) > PAGE_BYTES)) {
        p->full = true;
        return 1;
    }
    for (; from < n && p->n < p->limit; from++) {
        put_form(p, &forms[from], seen->row->added_us);
        count_form(p, seen->row->added_us);
    }
    if (from < n) { /* given, as the view counts it; the position stays before it */
        p->full = true;
        p->part_of = seen->row->seq;
        p->part = from;
    } else {
        p->before = *at;
    }
    return 0;
}

static int take_seen(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    struct paging *p = arg;

    p->rows++;
    if (!is_wanted_version(p, seen))
        return 0;
    if (p->n == p->limit || p->full) {
        p->full = true;
        return 1;
    }
    if (makes_forms(p))
        return take_forms(p, seen, at);
    put_form(p, &(struct hub_form){seen->id, seen->bytes, seen->version_us}, seen->row->added_us);
    p->before = *at;
    count_form(p, seen->row->added_us);
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

/* An empty list is left out: {} (TAXII 2.1 section 3.7), but for a member whose tool stumbles over that. */
static void close_list(struct paging *p)
{
    if (p->n != 0 || (p->dialect->compat & HUB_COMPAT_EMPTY_LIST)) {
        json_put_close(&p->body, ']');
        return;
    }
    buf_clear(&p->body);
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

enum { NEXT_NUMBERS = 4, NEXT_PART_NUMBERS = 6 }; /* of a token: seq, sub, rank, hash; row and part of a divided row */

static int start_of(struct paging *p, struct store_at *at, struct err *err)
{
    const struct taxii_want *want = p->want;
    uint64_t n[NEXT_PART_NUMBERS] = {0};

    *at = (struct store_at){0, 0, 0};
    if (want->next.len != 0) {
        if ((!hub_token_get(p->view->hub, "next", want->next, n, NEXT_NUMBERS) &&
             !hub_token_get(p->view->hub, "next part", want->next, n, NEXT_PART_NUMBERS)) ||
            n[3] != filters_hash(want, p->collection, p->view->viewer))
            return err_set(err, ERR_QUERY_FILTER, "next",
                           "this is no value of next that this hub gave for this request");
        *at = (struct store_at){n[0], n[1], n[2]};
        p->from_of = n[4];
        p->from = n[5];
    } else if (want->added_after_us != INT64_MIN && hub_view_position(p->view, want->added_after_us, at, err) != 0) {
        return -1;
    }
    p->before = *at;
    return 0;
}

/* Of a row that is divided the rest is still to come. */
static void hold_back(const struct paging *p, struct store_at *at, bool *more)
{
    if (p->part_of == 0)
        return;
    *at = p->before;
    *more = true;
}

static int read_list(struct paging *p, struct store_at *at, bool *more, struct err *err)
{
    struct hub_view_ask ask = {.collection = p->collection,
                               .types = p->types,
                               .part = STORE_PAGE,
                               .superseded_too = !only_last(p->want),
                               .max_bytes = PAGE_BYTES,
                               .at_once = !makes_forms(p)};
    uint64_t most = (uint64_t)p->view->hub->settings.page_rows;

    /* With a version filter rows are left out behind the store's back: go on until the page is full, the end is
       reached, or enough was read for one request: `next` goes on from there, even where nothing was found so far. */
    do {
        ask.limit = p->limit - p->n + (ask.superseded_too ? 1 : 0);
        struct store_at after = *at;
        if (hub_view_page(p->view, &ask, &after, take_seen, p, at, more, err) != 0 || p->failed)
            return -1;
    } while (*more && !p->full && p->n < p->limit && p->body.len < PAGE_BYTES && p->rows < most);
    hold_back(p, at, more);
    return 0;
}

static bool wants_spec(const struct taxii_want *want, struct slice version)
{
    for (uint32_t i = 0; i < want->spec_versions.n; i++)
        if (slice_eq(want->spec_versions.items[i], version))
            return true;
    return want->spec_versions.n == 0;
}

/* Which bits count here, by match[spec_version] (TAXII 2.1 section 3.4.4) and by what is asked for: of versions only
   that there are any. STIX 2.0 is for who has the switch alone; it has that of each object unless it asks for 2.1. */
static void take_compat(struct paging *p)
{
    uint32_t forming = p->dialect->compat & (HUB_COMPAT_TLP1 | HUB_COMPAT_FLATTEN);

    if ((p->dialect->compat & HUB_COMPAT_STIX20) && wants_spec(p->want, SLICE("2.0")))
        p->compat = HUB_COMPAT_STIX20 | (forming & HUB_COMPAT_FLATTEN); /* TLP 1 stands in the place of TLP 2 */
    else if (wants_spec(p->want, SLICE("2.1")))
        p->compat = forming;
    else
        p->none = true;
    if (p->want->part == TAXII_VERSIONS)
        p->compat &= HUB_COMPAT_STIX20;
}

static bool has_type(const struct taxii_filter *types, struct slice type)
{
    for (uint32_t i = 0; i < types->n; i++)
        if (slice_eq(type, types->items[i]))
            return true;
    return types->n == 0;
}

/* What is asked for and what the member wants at all: both must have it. */
static void join_types(struct paging *p)
{
    const struct taxii_filter *asked = &p->want->types, *wanted = &p->dialect->types;

    p->types = asked->n != 0 ? asked : wanted;
    if (asked->n == 0 || wanted->n == 0)
        return;
    struct taxii_filter *both = arena_new(&p->view->worker->arena, struct taxii_filter);
    for (uint32_t i = 0; i < asked->n; i++)
        if (has_type(wanted, asked->items[i]))
            both->items[both->n++] = asked->items[i];
    p->types = both;
    p->none = both->n == 0;
}

static bool wants_type_of(const struct paging *p, struct slice id)
{
    struct stix_id parts;

    return p->types->n == 0 || (stix_id_parse(id, &parts) && has_type(p->types, parts.type));
}

/* By id: straight from the index. */
static int read_ids(struct paging *p, const struct slice *ids, size_t n, struct store_at *at, bool *more,
                    struct err *err)
{
    struct slice *wanted = arena_array(&p->view->worker->arena, struct slice, n);
    size_t n_wanted = 0;

    for (size_t i = 0; i < n; i++)
        if (wants_type_of(p, ids[i]))
            wanted[n_wanted++] = ids[i];
    if (hub_view_objects(p->view, p->collection, wanted, n_wanted, !only_last(p->want), at, take_seen, p, err) != 0 ||
        p->failed)
        return -1;
    *more = p->full;
    *at = p->before;
    return 0;
}

static void put_more(struct paging *p, const struct store_at *at, bool more)
{
    struct buf token = BUF_INIT;
    uint64_t numbers[NEXT_PART_NUMBERS] = {
        at->seq, at->sub, at->rank, filters_hash(p->want, p->collection, p->view->viewer), p->part_of, p->part};

    if (!more)
        return;
    if (p->part_of != 0)
        hub_token_put(p->view->hub, "next part", numbers, NEXT_PART_NUMBERS, &token);
    else
        hub_token_put(p->view->hub, "next", numbers, NEXT_NUMBERS, &token);
    json_put_key(&p->body, SLICE("more"));
    json_put_bool(&p->body, true);
    taxii_put_next(&p->body, p->want, buf_slice(&token));
    buf_free(&token);
}

/* The member's switches; of a partner none. */
static void take_dialect(struct paging *p, const struct hub_member *m)
{
    static const struct hub_dialect none = {.compat = 0};
    const struct hub_settings *s = &p->view->hub->settings;

    p->dialect = m != NULL ? &m->dialect : &none;
    uint32_t most = p->dialect->page_size != 0 ? p->dialect->page_size : (uint32_t)s->page_max;
    uint32_t standard = p->dialect->page_size != 0 ? p->dialect->page_size : (uint32_t)s->page_default;
    p->limit = p->want->limit != 0 ? p->want->limit : standard;
    if (p->limit > most)
        p->limit = most;
    join_types(p);
    take_compat(p);
}

/* An object's own endpoints answer 404 where there is nothing, also for a type that the member does not want. */
static bool is_missing(const struct paging *p)
{
    return p->n == 0 && p->want->object_id.len != 0 && p->want->added_after_us == INT64_MIN && p->want->next.len == 0;
}

static int make_page(struct paging *p, struct err *err)
{
    const struct taxii_want *want = p->want;
    const struct hub_member *m = hub_directory_member_of(p->view->directory, p->view->viewer);
    struct store_at at = {0, 0, 0};
    bool more = false;
    size_t ids = want->object_id.len != 0 ? 1 : want->ids.n;
    int result = 0;

    p->collection = hub_directory_collection(p->view->directory, want->collection);
    if (p->collection == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (!hub_member_may_read(m, p->collection))
        return err_set(err, ERR_FORBIDDEN, NULL, "this credential may not read this collection");
    take_dialect(p, m);
    open_list(p);
    if (!p->none && start_of(p, &at, err) != 0)
        result = -1;
    else if (!p->none && ids != 0)
        result = read_ids(p, want->object_id.len != 0 ? &want->object_id : want->ids.items, ids, &at, &more, err);
    else if (!p->none)
        result = read_list(p, &at, &more, err);
    if (result == 0 && is_missing(p))
        result = err_set(err, ERR_NOT_FOUND, NULL, "no such object");
    close_list(p);
    put_more(p, &at, more);
    json_put_close(&p->body, '}');
    return result;
}

void hub_page(struct hub_worker *w, const struct hub_party *party, struct taxii_reply *reply)
{
    struct paging p = {.want = taxii_reply_want(reply)};
    struct err err = ERR_INIT;
    struct hub_view v;
    int result;

    do { /* once, but where something of the page is recalled at this moment */
        buf_clear(&p.body);
        p = (struct paging){.view = &v, .want = p.want, .err = &err, .body = p.body};
        result = hub_view_open(w, party, &v, &err);
        if (result != 0)
            break;
        v.follower = hub_follower_name(taxii_reply_head(reply));
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

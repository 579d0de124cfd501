/* taxii/request.c: paths and queries of the client's requests (TAXII 2.1 sections 3.4, 4 and 5). */
#include "taxii/internal.h"

struct slice taxii_root_path(struct arena *a, struct slice url)
{
    size_t scheme = slice_find(url, SLICE("://"));

    if (scheme < url.len) {
        struct slice rest = slice_from(url, scheme + 3);
        url = slice_from(rest, slice_find(rest, SLICE("/")));
    }
    while (url.len != 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    while (url.len != 0 && url.ptr[0] == '/')
        url = slice_from(url, 1);
    return url.len != 0 ? arena_printf(a, "/" SLICE_FMT "/", SLICE_ARG(url)) : SLICE("/");
}

static void put_escaped(struct buf *out, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char b = (unsigned char)text.ptr[i];
        if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || strchr("-._~", b) != NULL) {
            buf_put_byte(out, (char)b);
        } else {
            buf_put_byte(out, '%');
            buf_put_byte(out, digits[b >> 4]);
            buf_put_byte(out, digits[b & 15]);
        }
    }
}

struct query {
    struct buf *out;
    char mark; /* '?' before the first parameter, '&' before the others */
};

static void put_parameter(struct query *q, const char *name, struct slice value)
{
    buf_put_byte(q->out, q->mark);
    q->mark = '&';
    buf_put(q->out, slice_of(name));
    buf_put_byte(q->out, '=');
    put_escaped(q->out, value);
}

static void put_filter(struct query *q, const char *name, const struct taxii_filter *f)
{
    struct buf list = BUF_INIT;

    for (uint32_t i = 0; i < f->n; i++) {
        if (i != 0)
            buf_put_byte(&list, ',');
        buf_put(&list, f->items[i]);
    }
    if (f->n != 0)
        put_parameter(q, name, buf_slice(&list));
    buf_free(&list);
}

static void put_versions(struct query *q, const struct taxii_want *want)
{
    struct buf list = BUF_INIT;

    if (want->versions & TAXII_ALL)
        buf_put(&list, SLICE("all"));
    if (want->versions & TAXII_FIRST)
        buf_put(&list, list.len != 0 ? SLICE(",first") : SLICE("first"));
    if ((want->versions & TAXII_LAST) && (list.len != 0 || want->n_version_times != 0)) /* alone it is the default */
        buf_put(&list, list.len != 0 ? SLICE(",last") : SLICE("last"));
    for (uint32_t i = 0; i < want->n_version_times; i++) {
        char text[TIME_TEXT];
        time_put(text, want->version_times[i]);
        if (list.len != 0)
            buf_put_byte(&list, ',');
        buf_put(&list, slice_n(text, sizeof text));
    }
    if (list.len != 0)
        put_parameter(q, "match[version]", buf_slice(&list));
    buf_free(&list);
}

void taxii_put_collection_path(const struct taxii_client *c, struct slice collection, const char *below,
                               struct buf *out)
{
    buf_put(out, c->root);
    buf_put(out, SLICE("collections/"));
    put_escaped(out, collection.len != 0 ? collection : c->collection);
    buf_printf(out, "/%s/", below);
}

void taxii_put_page_path(const struct taxii_client *c, const struct taxii_want *want, struct buf *out)
{
    struct query q = {out, '?'};
    char text[TIME_TEXT];
    struct buf number = BUF_INIT;

    taxii_put_collection_path(c, want->collection, want->part == TAXII_MANIFEST ? "manifest" : "objects", out);
    if (want->object_id.len != 0) {
        put_escaped(out, want->object_id);
        buf_put(out, want->part == TAXII_VERSIONS ? SLICE("/versions/") : SLICE("/"));
    }
    if (want->added_after_us != INT64_MIN) {
        time_put(text, want->added_after_us);
        put_parameter(&q, "added_after", slice_n(text, sizeof text));
    }
    if (want->next.len != 0)
        put_parameter(&q, "next", want->next);
    if (want->limit != 0) {
        buf_put_u64(&number, want->limit);
        put_parameter(&q, "limit", buf_slice(&number));
    }
    put_filter(&q, "match[type]", &want->types);
    put_filter(&q, "match[id]", &want->ids);
    put_filter(&q, "match[spec_version]", &want->spec_versions);
    put_versions(&q, want);
    buf_free(&number);
}

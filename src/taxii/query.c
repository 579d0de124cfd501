#include "taxii/internal.h"

#include "base/crypto.h"

static bool is_twice(struct arena *a, struct slice query, struct slice name)
{
    struct slice pair, key;
    size_t n = 0;

    while (slice_cut(&query, '&', &pair)) {
        slice_cut(&pair, '=', &key);
        n += http_percent_decode(a, key, &key) && slice_eq(key, name);
    }
    return n > 1;
}

/* Values of one field are alternatives in one list (section 3.4.1): two lists of it could mean either. */
static int take_filter(struct arena *a, struct slice query, const char *name, struct taxii_filter *out, struct err *err)
{
    struct slice value = http_query_get(a, query, slice_of(name)), item;

    if (value.ptr == NULL)
        return 0;
    if (is_twice(a, query, slice_of(name)))
        return err_set(err, ERR_QUERY_FILTER, name, "given twice: write one list, with commas");
    while (slice_cut(&value, ',', &item)) {
        if (item.len == 0)
            continue;
        if (out->n == TAXII_FILTER_MAX)
            return err_set(err, ERR_QUERY_FILTER, name, "at most %d values", TAXII_FILTER_MAX);
        out->items[out->n++] = item;
    }
    return 0;
}

static int take_version(struct slice word, struct taxii_want *want, struct err *err)
{
    if (slice_eq(word, SLICE("last")))
        want->versions |= TAXII_LAST;
    else if (slice_eq(word, SLICE("first")))
        want->versions |= TAXII_FIRST;
    else if (slice_eq(word, SLICE("all")))
        want->versions |= TAXII_ALL;
    else if (time_parse(word, &want->version_times[want->n_version_times]))
        want->n_version_times++;
    else
        return err_set(err, ERR_QUERY_FILTER, "match[version]",
                       "\"" SLICE_FMT "\" is neither last, first, all nor a time", SLICE_ARG(word));
    return 0;
}

/* Section 3.4.1: last by default; "all" stands alone. */
static int take_versions(struct arena *a, struct slice query, struct taxii_want *want, struct err *err)
{
    struct taxii_filter words = {.n = 0};

    want->versions = 0;
    if (take_filter(a, query, "match[version]", &words, err) != 0)
        return -1;
    for (uint32_t i = 0; i < words.n; i++)
        if (take_version(words.items[i], want, err) != 0)
            return -1;
    if ((want->versions & TAXII_ALL) && words.n > 1)
        return err_set(err, ERR_QUERY_FILTER, "match[version]", "\"all\" stands alone");
    if (words.n == 0)
        want->versions = want->part == TAXII_VERSIONS ? TAXII_ALL : TAXII_LAST; /* section 5.8 lists every version */
    return 0;
}

static int take_limit(struct slice text, uint32_t *limit_out, struct err *err)
{
    uint64_t limit;

    if (text.ptr == NULL || text.len == 0)
        return 0;
    if (!slice_u64(text, &limit) || limit == 0)
        return err_set(err, ERR_QUERY_FILTER, "limit", "a whole number from 1");
    *limit_out = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
    return 0;
}

/* The pairs of a query that are filters, as they were sent. */
static struct slice filters_of(struct arena *a, struct slice query)
{
    struct buf out = BUF_INIT;
    struct slice pair;

    while (slice_cut(&query, '&', &pair)) {
        struct slice rest = pair, key;
        slice_cut(&rest, '=', &key);
        if (http_percent_decode(a, key, &key) && slice_starts(key, SLICE("match[")))
            buf_printf(&out, "%s" SLICE_FMT, out.len != 0 ? "&" : "", SLICE_ARG(pair));
    }
    struct slice filters = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return filters;
}

/* "TOKEN~FILTERS" */
static int take_next(struct arena *a, struct slice next, struct taxii_want *want, struct err *err)
{
    struct slice rest = next, token;
    struct buf carried = BUF_INIT;

    want->next = SLICE("");
    if (next.ptr == NULL || next.len == 0)
        return 0; /* MISP sends an empty one with its first page */
    slice_cut(&rest, '~', &token);
    want->next = token;
    if (rest.ptr == NULL)
        return 0;
    if (rest.len > 2 * TAXII_NEXT_FILTERS_MAX || !crypto_base64(rest, true, &carried) ||
        (carried.len != 0 && memchr(carried.ptr, '\0', carried.len) != NULL)) {
        buf_free(&carried);
        return err_set(err, ERR_QUERY_FILTER, "next", "this is no value of next that this server gave");
    }
    if (want->filters.len == 0)
        want->filters = arena_copy(a, buf_slice(&carried));
    buf_free(&carried);
    return 0;
}

void taxii_put_next(struct buf *out, const struct taxii_want *want, struct slice token)
{
    struct buf text = BUF_INIT;

    buf_put(&text, token);
    if (want->filters.len != 0 && want->filters.len <= TAXII_NEXT_FILTERS_MAX) {
        buf_put_byte(&text, '~');
        crypto_put_base64(&text, want->filters, true);
    }
    json_put_text(out, "next", buf_slice(&text));
    buf_free(&text);
}

int taxii_query(struct arena *a, struct slice query, struct taxii_want *want, struct err *err)
{
    struct slice after = http_query_get(a, query, SLICE("added_after")),
                 limit = http_query_get(a, query, SLICE("limit"));

    want->filters = filters_of(a, query);
    if (take_next(a, http_query_get(a, query, SLICE("next")), want, err) != 0)
        return -1;
    query = want->filters;
    want->added_after_us = INT64_MIN;
    if (after.ptr != NULL && after.len != 0 && !time_parse(after, &want->added_after_us))
        return err_set(err, ERR_QUERY_FILTER, "added_after", "not a time (RFC 3339)");
    return take_limit(limit, &want->limit, err) != 0 || take_filter(a, query, "match[type]", &want->types, err) != 0 ||
                   take_filter(a, query, "match[id]", &want->ids, err) != 0 ||
                   take_filter(a, query, "match[spec_version]", &want->spec_versions, err) != 0 ||
                   take_versions(a, query, want, err) != 0
               ? -1
               : 0;
}

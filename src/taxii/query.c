#include "taxii/internal.h"

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

int taxii_query(struct arena *a, struct slice query, struct taxii_want *want, struct err *err)
{
    struct slice after = http_query_get(a, query, SLICE("added_after")), next = http_query_get(a, query, SLICE("next"));

    want->added_after_us = INT64_MIN;
    if (after.ptr != NULL && after.len != 0 && !time_parse(after, &want->added_after_us))
        return err_set(err, ERR_QUERY_FILTER, "added_after", "not a time (RFC 3339)");
    want->next = next.ptr != NULL ? next : SLICE("");
    return take_limit(http_query_get(a, query, SLICE("limit")), &want->limit, err) != 0 ||
                   take_filter(a, query, "match[type]", &want->types, err) != 0 ||
                   take_filter(a, query, "match[id]", &want->ids, err) != 0 ||
                   take_filter(a, query, "match[spec_version]", &want->spec_versions, err) != 0 ||
                   take_versions(a, query, want, err) != 0
               ? -1
               : 0;
}

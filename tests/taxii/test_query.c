#include "test.h"

#include <inttypes.h>

#include "taxii/internal.h"

static void test_taxii_route__rows(void **state)
{
    static const struct {
        const char *path;
        enum taxii_endpoint at;
        const char *collection, *object;
    } rows[] = {
        {"/taxii2/", TAXII_AT_DISCOVERY, "", ""},
        {"/taxii2", TAXII_AT_DISCOVERY, "", ""},
        {"/r/", TAXII_AT_ROOT, "", ""},
        {"/r", TAXII_AT_ROOT, "", ""},
        {"/r/status/x1/", TAXII_AT_STATUS, "", "x1"},
        {"/r/status/", TAXII_AT_NOTHING, "", ""},
        {"/r/collections", TAXII_AT_COLLECTIONS, "", ""},
        {"/r/collections/c/", TAXII_AT_COLLECTION, "c", ""},
        {"/r/collections/a%20b/", TAXII_AT_COLLECTION, "a b", ""},
        {"/r/collections/c/manifest/", TAXII_AT_MANIFEST, "c", ""},
        {"/r/collections/c/objects", TAXII_AT_OBJECTS, "c", ""},
        {"/r/collections/c/objects/o/", TAXII_AT_OBJECT, "c", "o"},
        {"/r/collections/c/objects/o/versions/", TAXII_AT_VERSIONS, "c", "o"},
        {"/r/collections/c/stream/", TAXII_AT_STREAM, "c", ""},
        {"/r/markings/", TAXII_AT_MARKINGS, "", ""},
        {"/r/markings/x/", TAXII_AT_NOTHING, "", ""},
        {"/r/collections/c/receipts/", TAXII_AT_RECEIPTS, "c", ""},
        {"/r/collections/c/receipts/x/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/c/objects/o/versions/x/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/c/objects/o/else/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/c/else/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/else/", TAXII_AT_NOTHING, NULL, NULL},
        {"/x/collections/", TAXII_AT_NOTHING, NULL, NULL},
        {"/", TAXII_AT_NOTHING, NULL, NULL},
        {"*", TAXII_AT_NOTHING, NULL, NULL},
        {"/taxii2/x/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/%zz/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/a%00/", TAXII_AT_NOTHING, NULL, NULL},
        {"/r/collections/a%2fb/", TAXII_AT_COLLECTION, "a/b", ""},
        {"/r/1/2/3/4/5/6/7/8/9/10/11/12", TAXII_AT_NOTHING, NULL, NULL},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct taxii_want want = {.n_version_times = 0};
        enum taxii_endpoint at = taxii_route(&a, SLICE("r"), slice_of(rows[i].path), &want);
        if (at != rows[i].at)
            fail_row(i, "%s: %d", rows[i].path, (int)at);
        if (rows[i].collection != NULL) {
            assert_slice(want.collection, rows[i].collection);
            assert_slice(want.object_id, rows[i].object);
        }
    }
    arena_free(&a);
}

static void test_taxii_route__methods(void **state)
{
    static const struct {
        enum taxii_endpoint at;
        const char *method;
        bool allowed;
    } rows[] = {
        {TAXII_AT_OBJECTS, "GET", true},    {TAXII_AT_OBJECTS, "POST", true},    {TAXII_AT_OBJECTS, "DELETE", false},
        {TAXII_AT_OBJECT, "DELETE", true},  {TAXII_AT_OBJECT, "POST", false},    {TAXII_AT_MANIFEST, "POST", false},
        {TAXII_AT_DISCOVERY, "HEAD", true}, {TAXII_AT_DISCOVERY, "PUT", false},  {TAXII_AT_STREAM, "POST", false},
        {TAXII_AT_VERSIONS, "GET", true},   {TAXII_AT_COLLECTIONS, "GE", false}, {TAXII_AT_OBJECTS, "GET, HEAD", false},
        {TAXII_AT_RECEIPTS, "POST", true},  {TAXII_AT_RECEIPTS, "GET", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        if (taxii_route_allows(rows[i].at, slice_of(rows[i].method)) != rows[i].allowed)
            fail_row(i, "%s", rows[i].method);
}

/* The want as text: "after next limit types ids spec versions times". */
static void describe(const struct taxii_want *w, struct buf *out)
{
    const struct taxii_filter *filters[] = {&w->types, &w->ids, &w->spec_versions};

    if (w->added_after_us != INT64_MIN)
        buf_printf(out, "after=%" PRId64 " ", w->added_after_us);
    if (w->next.len != 0)
        buf_printf(out, "next=" SLICE_FMT " ", SLICE_ARG(w->next));
    if (w->limit != 0)
        buf_printf(out, "limit=%u ", w->limit);
    for (size_t f = 0; f < 3; f++)
        for (uint32_t i = 0; i < filters[f]->n; i++)
            buf_printf(out, "%c:" SLICE_FMT " ", "tis"[f], SLICE_ARG(filters[f]->items[i]));
    if (w->versions != TAXII_LAST)
        buf_printf(out, "v%u ", w->versions);
    for (uint32_t i = 0; i < w->n_version_times; i++)
        buf_printf(out, "@%" PRId64 " ", w->version_times[i]);
}

static const struct {
    const char *query, *out; /* "!" and the place where refused */
} query_rows[] = {
    {"", ""},
    {"unknown=1", ""},
    {"limit=7&next=abc", "next=abc limit=7 "},
    {"next=", ""}, /* as MISP sends on its first page */
    {"next=a%2Bb%3D", "next=a+b= "},
    {"next=abc~bWF0Y2hbdHlwZV09bWFsd2FyZQ", "next=abc t:malware "}, /* "match[type]=malware" */
    {"next=abc~bWF0Y2hbdHlwZV09bWFsd2FyZQ&match[type]=identity", "next=abc t:identity "},
    {"next=abc~", "next=abc "},
    {"next=abc~*", "!next"},
    {"next=abc~bWF0Y2hbdmVyc2lvbl09bmV3ZXN0", "!match[version]"}, /* "match[version]=newest" */
    {"next=abc~AA", "!next"},                                     /* NUL */
    {"limit=0", "!limit"},
    {"limit=-1", "!limit"},
    {"limit=1x", "!limit"},
    {"limit=99999999999999999999", "!limit"},
    {"limit=4294967296", "limit=4294967295 "},
    {"added_after=1970-01-01T00:00:01Z", "after=1000000 "},
    {"added_after=1970-01-01T00:00:01.000001Z", "after=1000001 "},
    {"added_after=1970-01-01T00:00:01.5+00:00", "after=1500000 "},
    {"added_after=1970-01-01T00:00:01.5%2B00:00", "after=1500000 "},
    {"added_after=1970-01-01T00:00:01.5%2000:00", "after=1500000 "},
    {"added_after=1970-01-01T01:00:01%2B01:00", "after=1000000 "},
    {"added_after=yesterday", "!added_after"},
    {"added_after=%zz", "!added_after"},
    {"added_after=", ""},
    {"match[type]=indicator", "t:indicator "},
    {"match%5Btype%5D=indicator,malware", "t:indicator t:malware "},
    {"match[type]=indicator&match[type]=malware", "!match[type]"},
    {"match[type]=indicator&match%5Btype%5D=malware", "!match[type]"},
    {"match[type]=&match[type]=", "!match[type]"},
    {"match[id]=a--1&match[type]=a", "t:a i:a--1 "},
    {"match[type]=indicator,,malware,", "t:indicator t:malware "},
    {"match[id]=indicator--1,malware--2", "i:indicator--1 i:malware--2 "},
    {"match[spec_version]=2.0,2.1", "s:2.0 s:2.1 "},
    {"match[version]=last", ""},
    {"match[version]=first", "v2 "},
    {"match[version]=first,last", "v3 "},
    {"match[version]=all", "v4 "},
    {"match[version]=all,first", "!match[version]"},
    {"match[version]=1970-01-01T00:00:01Z", "v0 @1000000 "},
    {"match[version]=last,1970-01-01T00:00:01.5Z,1970-01-01T00:00:02Z", "@1500000 @2000000 "},
    {"match[version]=newest", "!match[version]"},
    {"match[version]=Last", "!match[version]"},
};

static void test_taxii_query__rows(void **state)
{
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(query_rows); i++) {
        struct taxii_want want = {.versions = TAXII_LAST};
        struct err err = ERR_INIT;
        struct buf out = BUF_INIT;
        if (taxii_query(&a, slice_of(query_rows[i].query), &want, &err) == 0) {
            describe(&want, &out);
        } else {
            assert_int_equal(err.code, ERR_QUERY_FILTER);
            buf_printf(&out, "!%s", err.place);
        }
        if (!slice_eq(buf_slice(&out), slice_of(query_rows[i].out)))
            fail_row(i, "%s: got \"" SLICE_FMT "\"", query_rows[i].query, SLICE_ARG(buf_slice(&out)));
        buf_free(&out);
    }
    arena_free(&a);
}

/* What a page carries on is what its own next brings back. */
static void test_taxii_query__next_carries_filters(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;

    for (int n = 1; n <= TAXII_NEXT_FILTERS_MAX + 1;
         n += TAXII_NEXT_FILTERS_MAX) { /* of short ones, and of too long ones */
        struct buf query = BUF_INIT, page = BUF_INIT;
        struct taxii_want want = {.versions = TAXII_LAST}, again = {.versions = TAXII_LAST};
        struct json root;
        buf_put(&query, SLICE("limit=1&match%5Btype%5D="));
        for (int i = 0; i < n; i++)
            buf_put_byte(&query, 'x');
        assert_int_equal(taxii_query(&a, buf_slice(&query), &want, &err), 0);
        json_put_open(&page, '{');
        taxii_put_next(&page, &want, SLICE("token"));
        json_put_close(&page, '}');
        assert_int_equal(json_parse(&a, buf_slice(&page), NULL, &root, &err), 0);
        struct slice next = json_string(&a, json_get(root, SLICE("next")));
        buf_clear(&query);
        buf_printf(&query, "next=" SLICE_FMT, SLICE_ARG(next));
        assert_int_equal(taxii_query(&a, buf_slice(&query), &again, &err), 0);
        assert_slice(again.next, "token");
        assert_int_equal(again.types.n, n == 1 ? 1 : 0); /* too long: the client sends them again */
        buf_free(&query);
        buf_free(&page);
    }
    arena_free(&a);
}

static void test_taxii_query__limits(void **state)
{
    static const char *const names[] = {"match[type]", "match[id]", "match[spec_version]", "match[version]"};
    struct arena a = ARENA_INIT;

    for (size_t k = 0; k < ROWS(names); k++)
        for (int n = TAXII_FILTER_MAX; n <= TAXII_FILTER_MAX + 1; n++) {
            struct taxii_want want = {.versions = TAXII_LAST};
            struct err err = ERR_INIT;
            struct buf query = BUF_INIT;
            buf_printf(&query, "%s=", names[k]);
            for (int i = 0; i < n; i++)
                buf_put(&query, SLICE("1970-01-01T00:00:01Z,"));
            assert_int_equal(taxii_query(&a, buf_slice(&query), &want, &err), n > TAXII_FILTER_MAX ? -1 : 0);
            buf_free(&query);
        }
    arena_free(&a);
}

static void test_taxii_media__accepts(void **state)
{
    static const struct {
        const char *accept; /* NULL: no header */
        bool page, stream;
    } rows[] = {
        {NULL, true, true},
        {"", true, true},
        {"*/*", true, true},
        {"application/taxii+json;version=2.1", true, true},
        {"application/taxii+json; version=2.1", true, true},
        {"application/taxii+json ; version = \"2.1\"", true, true},
        {"APPLICATION/TAXII+JSON;VERSION=2.1", true, true},
        {"application/taxii+json", true, true}, /* without version: the latest */
        {"application/json", true, true},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true, true}, /* a browser */
        {"text/html, application/taxii+json;version=2.1;q=0.5", true, true},
        {"application/taxii+json;version=2.0, application/taxii+json;version=2.1", true, true},
        {"application/taxii+json;version=2.0", false, false},
        {"application/taxii+json;version=3.0", false, false},
        {"application/taxii+json;version=2.1;q=0", false, false},
        {"application/taxii+json;version=2.1;q=0.000, */*", false, false},
        {"*/*;q=0", false, false},
        {"application/taxii+json;q=.", true, true}, /* not a weight: no reason to refuse */
        {"text/html", false, false},
        {"text/event-stream", false, true},
        {"application/vnd.oasis.stix+json; version=2.0", false, false},
        {";;;,,,", false, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        if (taxii_media_accepts(slice_of(rows[i].accept), false) != rows[i].page ||
            taxii_media_accepts(slice_of(rows[i].accept), true) != rows[i].stream)
            fail_row(i, "%s", rows[i].accept);
}

static void test_taxii_media__takes(void **state)
{
    static const struct {
        const char *type;
        bool taken;
    } rows[] = {
        {"application/taxii+json;version=2.1", true},
        {"application/taxii+json; version=2.1", true},
        {"application/taxii+json", true},
        {"Application/Taxii+Json;Version=\"2.1\"", true},
        {"application/taxii+json;version=2.0", false},
        {"application/json", false},
        {"text/plain", false},
        {"", false},
        {NULL, false},
        {"application/taxii+json;version=2.1;charset=utf-8", true},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        if (taxii_media_takes(slice_of(rows[i].type)) != rows[i].taken)
            fail_row(i, "%s", rows[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taxii_route__rows),
        cmocka_unit_test(test_taxii_route__methods),
        cmocka_unit_test(test_taxii_query__rows),
        cmocka_unit_test(test_taxii_query__limits),
        cmocka_unit_test(test_taxii_query__next_carries_filters),
        cmocka_unit_test(test_taxii_media__accepts),
        cmocka_unit_test(test_taxii_media__takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

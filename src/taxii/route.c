#include "taxii/internal.h"

enum { ROUTE_SEGMENTS = 8 };

static size_t split(struct arena *a, struct slice path, struct slice *segments)
{
    struct slice rest = path, segment;
    size_t n = 0;

    while (slice_cut(&rest, '/', &segment)) {
        if (segment.len == 0)
            continue; /* with or without a last slash; doubled ones are nobody's business */
        if (n == ROUTE_SEGMENTS || !http_percent_decode(a, segment, &segments[n++]))
            return 0;
    }
    return n;
}

static enum taxii_endpoint below_collection(const struct slice *s, size_t n, struct taxii_want *want)
{
    if (n == 3)
        return TAXII_AT_COLLECTION;
    if (n == 4 && slice_eq(s[3], SLICE("manifest"))) {
        want->part = TAXII_MANIFEST;
        return TAXII_AT_MANIFEST;
    }
    if (n == 4 && slice_eq(s[3], SLICE("stream")))
        return TAXII_AT_STREAM;
    if (n == 4 && slice_eq(s[3], SLICE("receipts"))) {
        want->receipt = true;
        return TAXII_AT_RECEIPTS;
    }
    if (!slice_eq(s[3], SLICE("objects")))
        return TAXII_AT_NOTHING;
    if (n == 4)
        return TAXII_AT_OBJECTS;
    want->object_id = s[4];
    if (n == 5)
        return TAXII_AT_OBJECT;
    if (n == 6 && slice_eq(s[5], SLICE("versions"))) {
        want->part = TAXII_VERSIONS;
        return TAXII_AT_VERSIONS;
    }
    return TAXII_AT_NOTHING;
}

enum taxii_endpoint taxii_route(struct arena *a, struct slice root, struct slice path, struct taxii_want *want)
{
    struct slice s[ROUTE_SEGMENTS];
    size_t n = split(a, path, s);

    if (n == 1 && slice_eq(s[0], SLICE("taxii2")))
        return TAXII_AT_DISCOVERY;
    if (n == 0 || !slice_eq(s[0], root))
        return TAXII_AT_NOTHING;
    want->root = s[0];
    if (n == 1)
        return TAXII_AT_ROOT;
    if (n == 2 && slice_eq(s[1], SLICE("certificate")))
        return TAXII_AT_CERTIFICATE;
    if (n == 3 && slice_eq(s[1], SLICE("status"))) {
        want->object_id = s[2];
        return TAXII_AT_STATUS;
    }
    if (n == 2 && slice_eq(s[1], SLICE("markings")))
        return TAXII_AT_MARKINGS;
    if (!slice_eq(s[1], SLICE("collections")))
        return TAXII_AT_NOTHING;
    if (n == 2)
        return TAXII_AT_COLLECTIONS;
    want->collection = s[2];
    return below_collection(s, n, want);
}

struct slice taxii_route_methods(enum taxii_endpoint at)
{
    switch (at) {
    case TAXII_AT_OBJECTS:
        return SLICE("GET, HEAD, POST");
    case TAXII_AT_OBJECT:
        return SLICE("GET, HEAD, DELETE");
    case TAXII_AT_RECEIPTS:
    case TAXII_AT_CERTIFICATE:
        return SLICE("POST");
    default:
        return SLICE("GET, HEAD");
    }
}

bool taxii_route_allows(enum taxii_endpoint at, struct slice method)
{
    struct slice rest = taxii_route_methods(at), one;

    while (slice_cut(&rest, ',', &one))
        if (slice_eq(slice_trim(one), method))
            return true;
    return false;
}

/* taxii/internal.h: what the files of taxii/ share. */
#ifndef TAXII_INTERNAL_H
#define TAXII_INTERNAL_H

#include "base/time.h"
#include "taxii/taxii.h"

enum taxii_endpoint {
    TAXII_AT_NOTHING,
    TAXII_AT_DISCOVERY,   /* /taxii2/ */
    TAXII_AT_ROOT,        /* /{root}/ */
    TAXII_AT_STATUS,      /* /{root}/status/{id}/ */
    TAXII_AT_COLLECTIONS, /* /{root}/collections/ */
    TAXII_AT_COLLECTION,  /* .../{id}/ */
    TAXII_AT_MANIFEST,    /* .../{id}/manifest/ */
    TAXII_AT_OBJECTS,     /* .../{id}/objects/ */
    TAXII_AT_OBJECT,      /* .../objects/{object-id}/ */
    TAXII_AT_VERSIONS,    /* .../objects/{object-id}/versions/ */
    TAXII_AT_STREAM,      /* .../{id}/stream/ */
};

/* route.c: the path into want (root, collection, object_id, part); TAXII_AT_NOTHING for any other path. */
enum taxii_endpoint taxii_route(struct arena *a, struct slice root, struct slice path, struct taxii_want *want);
bool taxii_route_allows(enum taxii_endpoint at, struct slice method);
struct slice taxii_route_methods(enum taxii_endpoint at); /* for Allow */

/* query.c: the parameters of a request (TAXII 2.1 section 3.4) into want. ERR_QUERY_FILTER names the parameter. */
int taxii_query(struct arena *a, struct slice query, struct taxii_want *want, struct err *err);

/* media.c: content negotiation (section 1.6.8) */
bool taxii_media_accepts(struct slice accept, bool stream); /* accept.ptr NULL: no header */
bool taxii_media_takes(struct slice content_type);

#endif

/* The input's first line is a path, its second a query, its third an Accept header: what a peer may put into a request
 * head. */
#include <assert.h>
#include <stdlib.h>

#include "taxii/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_n((const char *)data, size), path, query, accept;
    struct arena a = ARENA_INIT;
    struct taxii_want want = {.added_after_us = INT64_MIN};
    struct err err = ERR_INIT;

    if (!slice_cut(&rest, '\n', &path) || !slice_cut(&rest, '\n', &query) || !slice_cut(&rest, '\n', &accept))
        return 0;
    enum taxii_endpoint at = taxii_route(&a, SLICE("tocsin"), path, &want);
    assert(at != TAXII_AT_OBJECT || want.object_id.ptr != NULL);
    if (taxii_query(&a, query, &want, &err) == 0) {
        assert(want.types.n <= TAXII_FILTER_MAX && want.n_version_times <= TAXII_FILTER_MAX);
        assert(want.versions != 0 || want.n_version_times != 0);
        assert(!(want.versions & TAXII_ALL) || (want.versions == TAXII_ALL && want.n_version_times == 0));
    } else {
        assert(err.code == ERR_QUERY_FILTER && err.place[0] != '\0');
    }
    if (taxii_media_takes(accept)) /* what may be sent here may be asked for: unless q=0 says otherwise */
        assert(taxii_media_accepts(accept, false) || slice_find(accept, SLICE("0")) < accept.len ||
               memchr(accept.ptr, ',', accept.len) != NULL);
    arena_free(&a);
    return 0;
}

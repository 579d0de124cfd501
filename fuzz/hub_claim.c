/* The input's first line is an Authorization header, its second an API key's, the rest the body of a token request:
 * what a peer may say about who it is. */
#include <assert.h>
#include <stdlib.h>

#include "hub/doors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct hub_claim *claim)
{
    assert(claim->user.len <= HUB_SECRET_MAX && claim->secret.len <= HUB_SECRET_MAX);
    assert(claim->kind != HUB_CLAIM_BEARER || (claim->user.len == 0 && claim->secret.len != 0));
    assert(claim->kind != HUB_CLAIM_NOTHING || (claim->user.len == 0 && claim->secret.len == 0));
    assert(claim->kind != HUB_CLAIM_CERTIFICATE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_n((const char *)data, size), authorization, key;
    struct http_header headers[2];
    struct http_head head = {.headers = headers};
    struct arena a = ARENA_INIT;
    struct hub_claim claim;
    struct hub_network network;
    struct err err = ERR_INIT;

    if (!slice_cut(&rest, '\n', &authorization) || !slice_cut(&rest, '\n', &key))
        return 0;
    if (authorization.len != 0)
        headers[head.n_headers++] = (struct http_header){SLICE("Authorization"), authorization};
    if (key.len != 0)
        headers[head.n_headers++] = (struct http_header){SLICE("X-API-Key"), key};
    if (hub_claim_read(&head, SLICE("X-API-Key"), &a, &claim, &err) == 0)
        check(&claim);
    else
        assert(err.code == ERR_UNAUTHENTICATED);
    if (rest.ptr != NULL && hub_oauth_read(rest, &head, &a, &claim, &err) == 0)
        check(&claim);
    if (hub_network_parse(key, &network))
        assert(network.bits <= 128);
    arena_free(&a);
    return 0;
}

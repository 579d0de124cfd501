/* The input is one object as it was stored: its parts and its markings in the dialects of members' tools must be JSON
   again, each part's pattern a pattern of one comparison, and its id the same a second time. */
#include <assert.h>

#include "hub/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(struct arena *a, struct slice object, const struct hub_part *part)
{
    const struct stix_pattern *pattern;
    struct json root;

    assert(stix_pattern_parse(a, part->pattern, &pattern, NULL) == 0 && pattern->comparisons == 1);
    for (int revoked = 0; revoked < 2; revoked++) {
        struct slice one = hub_compat_part(a, object, part, revoked ? SLICE("2026-01-01T00:00:00.000000Z") : SLICE(""));
        assert(json_parse(a, one, NULL, &root, NULL) == 0);
        assert(slice_eq(json_string(a, json_get(root, SLICE("id"))), part->id));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice object = slice_n((const char *)data, size);
    struct arena a = ARENA_INIT;
    const struct hub_part *parts, *again;
    struct json root;

    assert(crypto_start(NULL) == 0);
    if (json_parse(&a, object, NULL, &root, NULL) == 0 && json_kind(root) == JSON_OBJECT) {
        assert(json_parse(&a, hub_compat_tlp1(&a, object), NULL, &root, NULL) == 0);
        size_t n = hub_compat_parts(&a, object, &parts);
        assert(n != 1 && n <= HUB_PARTS_MAX && hub_compat_parts(&a, object, &again) == n);
        for (size_t i = 0; i < n && i < 8; i++) {
            assert(slice_eq(parts[i].id, again[i].id));
            check_part(&a, object, &parts[i]);
        }
    }
    arena_free(&a);
    return 0;
}

/* A profile, a line of dashes ("----"), and an object that is checked against it. */
#include <assert.h>

#include "stix/stix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_n((const char *)data, size);
    size_t cut = slice_find(text, SLICE("\n----\n"));
    const struct stix_profile *p;
    struct stix_report report = {.n = 0};
    const struct stix_strip *strips;
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct stix_object o;
    struct json root;
    size_t n;

    if (stix_profile_parse(&a, "p.yaml", slice_to(text, cut), &p, &err) != 0) {
        assert(err.code != ERR_NONE && slice_starts(slice_of(err.place), SLICE("p.yaml")));
    } else if (cut < size && json_parse(&a, slice_from(text, cut + 6), NULL, &root, &err) == 0 &&
               stix_object_read(&a, root, &o, &err) == 0) {
        uint32_t errors = stix_profile_check(&a, p, &o, &report, &strips, &n);
        assert(errors == report.errors);
        for (uint32_t i = 0; i < report.n; i++)
            assert(report.problems[i].rule.len != 0 && report.problems[i].rule.len <= STIX_RULE_MAX);
    }
    arena_free(&a);
    return 0;
}

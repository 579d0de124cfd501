#include "stix/stix.h"

#include <assert.h>

/* Any bytes as a pattern, and as a value of a kind chosen by their number. A normal form is its own normal form. */

static void value_check(struct arena *a, enum stix_value_kind kind, struct slice text, bool defanged)
{
    enum stix_value_kind once, twice;
    struct slice normal, again;

    if (stix_value_normal(a, kind, text, defanged, &once, &normal, NULL) != 0)
        return;
    if (stix_value_normal(a, once, normal, false, &twice, &again, NULL) == 0)
        assert(twice == once && slice_eq(again, normal));
    else
        assert(normal.len > 8192); /* percent-encoding made it longer than a value may be */
}

static void pattern_check(struct arena *a, struct slice text)
{
    const struct stix_pattern *p;
    struct stix_term *terms;
    struct err err = ERR_INIT;

    if (stix_pattern_parse(a, text, &p, &err) != 0) {
        assert((err.code == ERR_PATTERN_SYNTAX || err.code == ERR_PATTERN_LIMIT) && err.text[0] != '\0');
        return;
    }
    assert(p->comparisons <= 4096 && p->observations >= 1 && p->depth <= 1024);
    uint32_t n = stix_pattern_terms(a, p, &terms);
    for (uint32_t i = 0; i < n; i++)
        assert(terms[i].kind != STIX_VALUE_NONE && terms[i].value.len != 0 && terms[i].from != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct slice text = slice_n((const char *)data, size);

    pattern_check(&a, text);
    value_check(&a, (enum stix_value_kind)(size % STIX_VALUE_KINDS), text, size % 2 != 0);
    value_check(&a, stix_value_guess(text), text, true);
    arena_free(&a);
    return 0;
}

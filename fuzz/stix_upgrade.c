#include "base/json.h"
#include "stix/stix.h"

#include <assert.h>

/* Any bytes as objects of STIX 2.0: what comes out reads as 2.1 and comes out the same again; what does not, says why.
 */

static void part_check(struct arena *a, const struct stix_upgraded_part *part)
{
    struct stix_report report;
    struct stix_object o;
    struct err err = ERR_INIT;

    if (stix_object_read(a, part->json, &o, &err) != 0) {
        assert(err.code != ERR_NONE && err.text[0] != '\0');
        return;
    }
    assert(!o.is_stix20);
    stix_validate(a, &o, STIX_LENIENT, &report);
}

static void object_check(struct arena *a, struct json v)
{
    struct stix_upgraded once, twice;
    struct stix_object o;
    struct err err = ERR_INIT;

    if (stix_object_read(a, v, &o, NULL) != 0 || !o.is_stix20)
        return;
    if (stix_upgrade(a, &o, &once, &err) != 0) {
        assert(err.code != ERR_NONE && err.text[0] != '\0' && (err.place[0] == '/' || err.place[0] == '\0'));
        return;
    }
    assert(once.n >= 1 && stix_upgrade(a, &o, &twice, NULL) == 0 && once.n == twice.n);
    for (uint32_t i = 0; i < once.n; i++) {
        assert(slice_eq(once.parts[i].body, twice.parts[i].body));
        part_check(a, &once.parts[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct json root, objects;
    bool single;

    if (json_parse(&a, slice_n((const char *)data, size), NULL, &root, NULL) == 0 &&
        stix_container(root, &objects, &single, NULL) == 0) {
        if (single)
            object_check(&a, root);
        else
            json_each (v, objects)
                object_check(&a, v);
    }
    arena_free(&a);
    return 0;
}

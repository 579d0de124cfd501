#include "base/json.h"
#include "stix/stix.h"

#include <assert.h>

/* Any bytes: read, checked in both modes, walked for references, made canonical; what is refused says why. */

static int reference(void *arg, struct json value, struct slice key, struct slice id)
{
    struct stix_id parsed;

    assert(stix_id_parse(id, &parsed));
    return 0;
}

static void canon_check(struct arena *a, struct json v)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;
    struct json again;

    stix_canon(a, &once, v);
    if (json_parse(a, buf_slice(&once), &json_limits_default, &again, NULL) == 0) {
        stix_canon(a, &twice, again);
        assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
    buf_free(&once);
    buf_free(&twice);
}

static void object_check(struct arena *a, struct json v)
{
    struct stix_report lenient, strict;
    struct stix_object o;
    struct err err = ERR_INIT;
    struct slice id;

    stix_id_deterministic(a, v, &id);
    if (stix_object_read(a, v, &o, &err) != 0) {
        assert(err.code != ERR_NONE && err.text[0] != '\0');
        return;
    }
    assert(stix_each_reference(a, &o, reference, NULL) == 0);
    stix_validate(a, &o, STIX_LENIENT, &lenient);
    stix_validate(a, &o, STIX_STRICT, &strict);
    assert(lenient.errors <= strict.errors);
    assert(lenient.errors + lenient.warnings == strict.errors + strict.warnings);
    for (uint32_t i = 0; i < strict.n; i++)
        assert(strict.problems[i].err.code != ERR_NONE && strict.problems[i].err.text[0] != '\0');
    canon_check(a, v);
    if (stix_language_check(a, v, v, &err) != 0)
        assert(err.code == ERR_STIX_REFERENCE && err.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct json root, objects;
    bool single;

    if (json_parse(&a, slice_n((const char *)data, size), &json_limits_default, &root, NULL) == 0 &&
        stix_container(root, &objects, &single, NULL) == 0) {
        object_check(&a, root);
        json_each (v, objects) {
            object_check(&a, v);
        }
    }
    arena_free(&a);
    return 0;
}

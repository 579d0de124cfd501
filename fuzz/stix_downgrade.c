/* Any bytes as objects of STIX 2.1 on their way to a reader of 2.0 alone: what comes out reads as 2.0, is the same a
   second time, and comes back up as the same object; what does not come out, says why. */
#include "share/share.h"
#include "stix/stix.h"

#include <assert.h>

static uint32_t comparisons_of(struct arena *a, struct json object)
{
    const struct stix_pattern *p;
    struct slice text = json_string(a, json_get(object, SLICE("pattern")));

    return text.ptr != NULL && stix_pattern_parse(a, text, &p, NULL) == 0 ? p->comparisons : 0;
}

/* An observed-data of 2.0 goes through as it came: the upgrade may refuse it. */
static void back_check(struct arena *a, const struct stix_object *o, struct slice text)
{
    struct stix_upgraded up;
    struct stix_object down, again;
    struct json root;

    assert(json_parse(a, text, NULL, &root, NULL) == 0 && stix_object_read(a, root, &down, NULL) == 0);
    assert(slice_eq(down.id, o->id) && down.modified_us == o->modified_us && down.revoked == o->revoked);
    if (json_kind(json_get(root, SLICE("pattern_type"))) != JSON_ABSENT) /* someone's own, on what is no indicator */
        return;
    assert(down.is_stix20);
    if (stix_upgrade(a, &down, &up, NULL) != 0) {
        assert(o->is_stix20 || o->kind == NULL);
        return;
    }
    assert(stix_object_read(a, up.parts[0].json, &again, NULL) == 0);
    assert(slice_eq(again.id, o->id) && again.modified_us == o->modified_us);
    if (!o->is_stix20 && slice_eq(o->type, SLICE("indicator")))
        assert(comparisons_of(a, o->json) == comparisons_of(a, again.json));
}

static void object_check(struct arena *a, struct json v)
{
    struct stix_object o;
    struct err err = ERR_INIT;
    struct slice once, twice;

    if (stix_object_read(a, v, &o, NULL) != 0)
        return;
    if (stix_downgrade(a, &o, share_tlp1_instead, &once, &err) != 0) {
        assert(err.code == ERR_STIX_VERSION && err.text[0] != '\0' && err.place[0] == '/');
        return;
    }
    assert(stix_downgrade(a, &o, share_tlp1_instead, &twice, NULL) == 0 && slice_eq(once, twice));
    back_check(a, &o, once);
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

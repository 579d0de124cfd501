#include "stix/internal.h"

#include "base/time.h"

/* What one object says about parts of another: selectors (STIX 2.1 section 7.2.3.1), translations (section 7.1). */

static struct json list_at(struct json list, uint64_t index)
{
    struct json v = json_first(list);

    while (index-- > 0 && json_kind(v) != JSON_ABSENT)
        v = json_next(v);
    return v;
}

struct json stix_select(struct json object, struct slice selector)
{
    const struct json nothing = {NULL, 0};
    struct slice part;
    bool first = true;

    while (slice_cut(&selector, '.', &part)) {
        uint64_t index;
        if (part.len > 2 && part.ptr[0] == '[' && slice_u64(slice_n(part.ptr + 1, part.len - 2), &index))
            object = json_kind(object) == JSON_ARRAY ? list_at(object, index) : nothing;
        else
            object = json_get(object, part);
        first = false;
    }
    return first ? nothing : object;
}

/* ---- translations ---- */

struct translation {
    struct arena *arena;
    struct json root; /* of places */
    struct err *err;
};

static int fail(const struct translation *t, struct json at, const char *sentence)
{
    struct slice whole = json_pointer(t->arena, t->root), place = json_pointer(t->arena, at);

    return err_set_at(t->err, ERR_STIX_REFERENCE, slice_from(place, whole.len), "%s", sentence);
}

static int same_shape(const struct translation *t, struct json translated, struct json original);

static int same_members(const struct translation *t, struct json translated, struct json original)
{
    json_each (v, translated) {
        struct json of = json_get(original, json_key(t->arena, v));
        if (json_kind(of) == JSON_ABSENT)
            return fail(t, v, "translates a property that the object does not have");
        if (same_shape(t, v, of) != 0)
            return -1;
    }
    return 0;
}

/* Text for text; a list for a list of as many, an empty string standing for what is not translated; a dictionary for a
   dictionary, of which it may have only some keys. Depth is bounded by the JSON reader. */
static int same_shape(const struct translation *t, struct json translated, struct json original)
{
    enum json_kind kind = json_kind(translated);

    if (kind != json_kind(original) || (kind != JSON_STRING && kind != JSON_ARRAY && kind != JSON_OBJECT))
        return fail(t, translated, "a translation has the shape of what it translates: text, a list or a dictionary");
    if (kind == JSON_OBJECT)
        return same_members(t, translated, original);
    if (kind == JSON_ARRAY && json_count(translated) != json_count(original))
        return fail(t, translated, "a translated list has as many items as the original");
    struct json of = json_first(original);
    json_each (v, translated) {
        if (same_shape(t, v, of) != 0)
            return -1;
        of = json_next(of);
    }
    return 0;
}

bool stix_translates(struct json content, struct json object)
{
    struct slice made_for = json_text(json_get(content, SLICE("object_modified")));
    int64_t wanted, is;

    if (json_kind(content) != JSON_OBJECT || json_kind(object) != JSON_OBJECT)
        return false;
    return made_for.ptr == NULL || (time_parse(made_for, &wanted) &&
                                    time_parse(json_text(json_get(object, SLICE("modified"))), &is) && wanted == is);
}

int stix_language_check(struct arena *a, struct json content, struct json object, struct err *err)
{
    struct translation t = {a, content, err};

    json_each (language, json_get(content, SLICE("contents")))
        if (same_members(&t, language, object) != 0)
            return -1;
    return 0;
}

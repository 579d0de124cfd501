#include "base/time.h"
#include "stix/internal.h"

/* What everybody asks of an object, found in one walk over its members. */
struct members {
    struct json type, id, spec_version, pattern_type, created, modified, revoked;
};

static void member_take(struct arena *a, struct json v, struct members *m)
{
    static const struct {
        struct slice name;
        size_t at;
    } wanted[] = {
        {SLICE_INIT("type"), offsetof(struct members, type)},
        {SLICE_INIT("id"), offsetof(struct members, id)},
        {SLICE_INIT("spec_version"), offsetof(struct members, spec_version)},
        {SLICE_INIT("pattern_type"), offsetof(struct members, pattern_type)},
        {SLICE_INIT("created"), offsetof(struct members, created)},
        {SLICE_INIT("modified"), offsetof(struct members, modified)},
        {SLICE_INIT("revoked"), offsetof(struct members, revoked)},
    };
    struct slice key = json_key(a, v);

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (wanted[i].name.len == key.len && wanted[i].name.ptr[0] == key.ptr[0] && slice_eq(wanted[i].name, key)) {
            *(struct json *)((char *)m + wanted[i].at) = v;
            return;
        }
}

static int64_t time_of(struct arena *a, struct json v, bool *found_out)
{
    int64_t us = 0;

    *found_out = json_kind(v) == JSON_STRING && time_parse_stix(json_string(a, v), &us);
    return *found_out ? us : 0;
}

/* No spec_version where 2.1 demands one, on a type that 2.0 had already; an indicator with a pattern_type is 2.1 all
 * the same. */
static bool has_20_shape(const struct stix_object *o, const struct members *m)
{
    if (stix_type_class(o->kind) == STIX_BUNDLE) /* its objects say it themselves */
        return false;
    if (json_kind(m->spec_version) == JSON_STRING)
        return slice_eq(json_text(m->spec_version), SLICE("2.0"));
    if (json_kind(m->spec_version) != JSON_ABSENT)
        return false;
    if (o->kind == NULL)
        return json_kind(m->created) != JSON_ABSENT;
    return type_is_in_stix20(o->kind) && json_kind(m->pattern_type) == JSON_ABSENT;
}

static int text_of(struct arena *a, struct json v, const char *place, struct slice *out, struct err *err)
{
    const char *name = place + 1;

    if (json_kind(v) == JSON_ABSENT)
        return err_set(err, ERR_STIX_REQUIRED, place, "a STIX object has a \"%s\"", name);
    if (json_kind(v) != JSON_STRING)
        return err_set(err, ERR_STIX_VALUE, place, "\"%s\" must be a string", name);
    *out = json_string(a, v);
    if (out->len == 0)
        return err_set(err, ERR_STIX_EMPTY, place, "\"%s\" is empty", name);
    return 0;
}

int stix_object_read(struct arena *a, struct json value, struct stix_object *out, struct err *err)
{
    struct stix_object o = {.json = value};
    struct members m = {.type = {NULL, 0}};
    struct stix_id id;
    bool has_created;

    if (json_kind(value) != JSON_OBJECT)
        return err_set(err, ERR_STIX_SYNTAX, "", "a STIX object is a JSON object");
    json_each (v, value)
        member_take(a, v, &m);
    if (text_of(a, m.type, "/type", &o.type, err) != 0 || text_of(a, m.id, "/id", &o.id, err) != 0)
        return -1;
    if (!stix_id_parse(o.id, &id))
        return err_set(err, ERR_STIX_ID, "/id",
                       "\"" SLICE_FMT "\" is not an identifier: the type, two hyphens and a UUID are expected",
                       SLICE_ARG(slice_to(o.id, 100)));
    if (!slice_eq(id.type, o.type))
        return err_set(err, ERR_STIX_ID, "/id",
                       "the id of this " SLICE_FMT " begins with \"" SLICE_FMT "\": it must begin with the type",
                       SLICE_ARG(slice_to(o.type, 100)), SLICE_ARG(slice_to(id.type, 100)));
    o.kind = stix_type_find(o.type);
    o.is_stix20 = has_20_shape(&o, &m);
    json_bool(m.revoked, &o.revoked);
    o.created_us = time_of(a, m.created, &has_created);
    o.modified_us = time_of(a, m.modified, &o.has_modified);
    if (!o.has_modified)
        o.modified_us = o.created_us;
    *out = o;
    return 0;
}

/* ---- references ---- */

struct walk {
    struct arena *arena;
    stix_ref_fn *fn;
    void *arg;
};

static int reference_tell(const struct walk *w, struct json v, struct slice key)
{
    struct slice text = json_string(w->arena, v);
    struct stix_id id;

    return text.ptr != NULL && stix_id_parse(text, &id) ? w->fn(w->arg, v, key, text) : 0;
}

static int references_below(const struct walk *w, struct json container);

static int reference_member(const struct walk *w, struct json v, struct slice key)
{
    enum json_kind kind = json_kind(v);

    if (kind == JSON_STRING)
        return slice_ends(key, SLICE("_ref")) ? reference_tell(w, v, key) : 0;
    if (kind == JSON_ARRAY && slice_ends(key, SLICE("_refs"))) {
        json_each (item, v) {
            int stop = json_kind(item) == JSON_STRING ? reference_tell(w, item, key) : references_below(w, item);
            if (stop != 0)
                return stop;
        }
        return 0;
    }
    return references_below(w, v);
}

/* Depth is bounded by the JSON reader's own limit. */
static int references_below(const struct walk *w, struct json container)
{
    bool is_object = json_kind(container) == JSON_OBJECT;

    json_each (v, container) {
        int stop = is_object ? reference_member(w, v, json_key(w->arena, v)) : references_below(w, v);
        if (stop != 0)
            return stop;
    }
    return 0;
}

int stix_each_reference(struct arena *a, const struct stix_object *o, stix_ref_fn *fn, void *arg)
{
    struct walk w = {a, fn, arg};

    return references_below(&w, o->json);
}

/* ---- containers ---- */

int stix_container(struct json root, struct json *objects_out, bool *is_single_out, struct err *err)
{
    struct json type = json_get(root, SLICE("type")), objects = json_get(root, SLICE("objects"));
    struct arena scratch = ARENA_INIT;
    bool is_bundle = slice_eq(json_string(&scratch, type), SLICE("bundle"));

    arena_free(&scratch);
    *is_single_out = false;
    *objects_out = objects;
    if (json_kind(root) != JSON_OBJECT)
        return err_set(err, ERR_STIX_SYNTAX, "",
                       "a bundle, an envelope {\"objects\": [...]} or one STIX object is expected");
    if (json_kind(type) != JSON_ABSENT && !is_bundle) {
        *objects_out = root;
        *is_single_out = true;
        return 0;
    }
    if (json_kind(objects) != JSON_ARRAY && json_kind(objects) != JSON_ABSENT)
        return err_set(err, ERR_STIX_SYNTAX, "/objects", "\"objects\" must be a list of STIX objects");
    return 0;
}

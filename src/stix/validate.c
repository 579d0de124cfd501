#include "stix/internal.h"
#include "stix/words.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- findings ---- */

/* The pointer of `at` below the object, written down the way from the object: only findings that are kept pay for it.
 */
static void place_put(struct check *c, struct json at, const char *name, char *out, size_t size)
{
    struct json here = c->object->json;
    size_t len = 0;

    while (here.at != at.at) {
        bool is_object = json_kind(here) == JSON_OBJECT;
        struct json child = json_first(here), next;
        unsigned index = 0;
        while (next = json_next(child), json_kind(next) != JSON_ABSENT && next.at <= at.at) {
            child = next;
            index++;
        }
        if (json_kind(child) == JSON_ABSENT)
            break;
        struct slice key = is_object ? json_key(c->arena, child) : arena_printf(c->arena, "%u", index);
        if (len + 2 * key.len + 2 > size) /* no room: the way to the container must do */
            break;
        out[len++] = '/';
        for (size_t i = 0; i < key.len; i++) { /* RFC 6901 section 3 */
            bool escaped = key.ptr[i] == '~' || key.ptr[i] == '/';
            out[len++] = escaped ? '~' : key.ptr[i];
            if (escaped)
                out[len++] = key.ptr[i] == '~' ? '0' : '1';
        }
        here = child;
    }
    out[len] = '\0';
    if (name != NULL && len + strlen(name) + 2 <= size)
        snprintf(out + len, size - len, "/%s", name);
}

void check_report(struct check *c, enum weight weight, enum err_code code, struct json at, const char *name,
                  const char *format, ...)
{
    struct stix_report *r = c->report;
    bool is_error =
        weight == HARD || (weight == SOFT && c->mode != STIX_LENIENT) || (weight == HABIT && c->mode == STIX_STRICT);
    char place[sizeof(((struct err *)0)->place)], text[sizeof(((struct err *)0)->text)];
    va_list args;

    *(is_error ? &r->errors : &r->warnings) += 1;
    if ((!is_error && c->errors_only) || (r->n == STIX_PROBLEMS_MAX && !(is_error && r->errors == 1)))
        return;
    place_put(c, at, name, place, sizeof(place));
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* the first error is kept even behind sixteen warnings: it is what the producer is told */
    struct stix_problem *p = &r->problems[r->n == STIX_PROBLEMS_MAX ? STIX_PROBLEMS_MAX - 1 : r->n++];
    p->severity = is_error ? STIX_ERROR : STIX_WARNING;
    p->rule = c->rule;
    err_set(&p->err, code, place, "%s", text);
}

/* ---- the walk ---- */

/* Every member of every object is looked for here: length and first byte tell most of them apart. */
static const struct prop *prop_find(const struct shape *s, struct slice key, size_t *at_out)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct prop *prop = &s->props[i];
        if (prop->name.len == key.len && prop->name.ptr[0] == key.ptr[0] &&
            memcmp(prop->name.ptr, key.ptr, key.len) == 0) {
            *at_out = i;
            return prop;
        }
    }
    return NULL;
}

/* Empty stands for absent with many producers (2.7 % of real objects): told, and refused only when strict. null is no
   value in STIX at all. */
static bool is_empty(struct json v)
{
    switch (json_kind(v)) {
    case JSON_NULL:
        return true;
    case JSON_STRING:
        return json_raw(v).len == 2;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_kind(json_first(v)) == JSON_ABSENT;
    default:
        return false;
    }
}

static void empty_report(struct check *c, struct json v, struct slice key, bool required)
{
    check_report(c, required ? HARD : HABIT, ERR_STIX_EMPTY, v, NULL, "\"" SLICE_FMT "\" is %s: %s",
                 SLICE_ARG(slice_to(key, 80)), json_kind(v) == JSON_NULL ? "null" : "empty",
                 required ? "a value is required" : "leave it out instead");
}

static void list_check(struct check *c, struct json list, const struct prop *prop)
{
    if (json_kind(list) != JSON_ARRAY) {
        check_report(c, HARD, ERR_STIX_VALUE, list, NULL, "\"" SLICE_FMT "\" must be a list", SLICE_ARG(prop->name));
        return;
    }
    json_each (v, list) {
        check_value(c, v, prop);
    }
}

static void member_check(struct check *c, struct json v, const struct prop *prop)
{
    if (is_empty(v))
        empty_report(c, v, prop->name, (prop->flags & PROP_REQUIRED) != 0);
    else if (prop->flags & PROP_LIST)
        list_check(c, v, prop);
    else
        check_value(c, v, prop);
}

static void required_check(struct check *c, struct json object, const struct shape *s, uint64_t seen)
{
    const struct stix_type *type = c->object->kind;
    bool is_top = object.at == c->object->json.at;

    for (size_t i = 0; i < s->n; i++) {
        const struct prop *prop = &s->props[i];
        if (!(prop->flags & PROP_REQUIRED) || (seen >> i & 1) || (c->in_container && prop->kind == PROP_TYPE_ID))
            continue;
        struct slice what = !is_top && s->name.len != 0 ? s->name : c->object->type;
        check_report(c, HARD, ERR_STIX_REQUIRED, object, prop->name.ptr,
                     "\"" SLICE_FMT "\" is missing: every " SLICE_FMT " has one%s%s%s", SLICE_ARG(prop->name),
                     SLICE_ARG(slice_to(what, 80)), type != NULL ? " (STIX 2.1 section " : "",
                     type != NULL ? type->section : "", type != NULL ? ")" : "");
    }
}

void check_shape(struct check *c, struct json object, const struct shape *shape)
{
    uint64_t own = 0, common = 0;

    json_each (v, object) {
        struct slice key = json_key(c->arena, v);
        size_t at;
        const struct prop *prop = prop_find(shape, key, &at);
        if (prop != NULL) {
            own |= UINT64_C(1) << at;
        } else if (shape->common != NULL && (prop = prop_find(shape->common, key, &at)) != NULL) {
            common |= UINT64_C(1) << at;
        }
        if (prop == NULL)
            check_custom(c, v, key);
        else if (prop->kind == PROP_EXTENSIONS && json_kind(v) == JSON_OBJECT)
            check_extensions(c, v, shape);
        else
            member_check(c, v, prop);
    }
    required_check(c, object, shape, own);
    if (shape->common != NULL)
        required_check(c, object, shape->common, common);
    if (shape->at_least_one && own == 0)
        check_report(c, HARD, ERR_STIX_RULE, object, NULL,
                     "at least one property that tells something is required here");
    if (shape->rule != NULL)
        shape->rule(c, object);
    if (shape->common != NULL && shape->common->rule != NULL)
        shape->common->rule(c, object);
}

/* ---- whole objects ---- */

bool stix_type_has(const struct stix_type *t, struct slice property)
{
    size_t at;

    return prop_find(t->shape, property, &at) != NULL ||
           (t->shape->common != NULL && prop_find(t->shape->common, property, &at) != NULL);
}

static bool is_top_level_extension(struct json extension)
{
    return slice_eq(json_text(json_get(extension, SLICE("extension_type"))), SLICE("toplevel-property-extension"));
}

static bool has_top_level(struct json object)
{
    json_each (v, json_get(object, SLICE("extensions"))) {
        if (is_top_level_extension(v))
            return true;
    }
    return false;
}

static void id_check(struct check *c)
{
    const struct stix_object *o = c->object;
    struct json at = json_get(o->json, SLICE("id"));
    struct slice expected;
    struct stix_id id;

    if (stix_id_parse(o->id, &id) && id.version == 0)
        check_report(c, SOFT, ERR_STIX_ID, at, NULL,
                     "the UUID of this id has a version or variant that RFC 9562 does not know");
    if (o->kind != NULL && type_index(o->kind) == TYPE_PROCESS && id.version == 5)
        check_report(c, SOFT, ERR_STIX_ID, at, NULL,
                     "a process has no value that an id could be made of: its UUID is a random one (section 6.13)");
    if (stix_type_class(o->kind) == STIX_SCO && id.version == 5 &&
        stix_id_deterministic(c->arena, o->json, &expected) && !slice_eq_nocase(expected, o->id))
        check_report(c, NOTE, ERR_STIX_ID, at, NULL,
                     "not the deterministic id of this value, which is " SLICE_FMT " (STIX 2.1 section 2.9)",
                     SLICE_ARG(expected));
}

static void stix20_report(struct check *c)
{
    check_report(c, HARD, ERR_STIX_VERSION, c->object->json, "spec_version",
                 "a STIX 2.0 object: STIX 2.1 is kept here. Convert it first (spec_version \"2.1\"; an indicator also "
                 "needs pattern_type, "
                 "and its labels become indicator_types)");
}

/* What the object's extensions say that its type is (section 7.3: new-sdo, new-sro, new-sco); {NULL,0}: nothing. */
static struct slice declared_class(struct check *c)
{
    struct slice declared = {NULL, 0};

    json_each (v, json_get(c->object->json, SLICE("extensions"))) {
        struct json type = json_get(v, SLICE("extension_type"));
        struct slice word = json_text(type);
        if (!slice_starts(word, SLICE("new-")))
            continue;
        if (c->object->kind != NULL)
            check_report(c, SOFT, ERR_STIX_RULE, type, NULL,
                         "\"" SLICE_FMT "\" is a type of the standard: no extension makes it anew (section 7.3)",
                         SLICE_ARG(c->object->type));
        else if (declared.ptr != NULL && !slice_eq(declared, word))
            check_report(c, HARD, ERR_STIX_RULE, type, NULL,
                         "one extension makes this a " SLICE_FMT ", another a " SLICE_FMT,
                         SLICE_ARG(slice_to(declared, 16)), SLICE_ARG(slice_to(word, 16)));
        declared = word;
    }
    return declared;
}

/* A type that is not of the standard: the common properties of what an extension declares it to be, else an SCO's where
   it has no created (section 11.2). */
static void custom_check(struct check *c)
{
    const struct stix_object *o = c->object;
    struct json type = json_get(o->json, SLICE("type"));
    struct slice declared = declared_class(c);
    bool is_sco = declared.ptr != NULL ? slice_eq(declared, SLICE("new-sco"))
                                       : json_kind(json_get(o->json, SLICE("created"))) == JSON_ABSENT &&
                                             json_kind(json_get(o->json, SLICE("modified"))) == JSON_ABSENT;

    if (!kind_is_type_name(o->type))
        check_report(c, SOFT, ERR_STIX_TYPE, type, NULL,
                     "a type has 3 to 250 characters, of a to z, 0 to 9 and single hyphens");
    else if (declared.ptr == NULL)
        check_report(c, NOTE, ERR_STIX_TYPE, type, NULL,
                     "\"" SLICE_FMT "\" is not a STIX 2.1 type: kept, but nothing here reads it",
                     SLICE_ARG(slice_to(o->type, 80)));
    c->has_top_level = true; /* its own properties are what it is for */
    check_shape(c, o->json, is_sco ? &shape_common_sco : &shape_common);
}

uint32_t stix_validate(struct arena *a, const struct stix_object *o, enum stix_mode mode, struct stix_report *report)
{
    struct check c = {.arena = a,
                      .object = o,
                      .mode = (enum stix_mode)((unsigned)mode & ~(unsigned)STIX_ERRORS_ONLY),
                      .errors_only = ((unsigned)mode & STIX_ERRORS_ONLY) != 0,
                      .report = report,
                      .has_top_level = has_top_level(o->json)};

    report->n = report->errors = report->warnings = 0;
    if (o->is_stix20) {
        stix20_report(&c);
        return report->errors;
    }
    if (o->kind == NULL) {
        custom_check(&c);
    } else {
        check_shape(&c, o->json, o->kind->shape);
        declared_class(&c);
    }
    id_check(&c);
    return report->errors;
}

/* ---- what hangs below ---- */

void check_extensions(struct check *c, struct json v, const struct shape *of)
{
    if (json_kind(json_first(v)) == JSON_ABSENT)
        empty_report(c, v, SLICE("extensions"), false);
    json_each (extension, v) {
        struct slice key = json_key(c->arena, extension);
        const struct shape *const *known = of->extensions;
        struct stix_id id;
        bool is_definition = stix_id_parse(key, &id) && slice_eq(id.type, SLICE("extension-definition"));
        while (known != NULL && *known != NULL && !slice_eq((*known)->name, key))
            known++;
        if (json_kind(extension) != JSON_OBJECT || json_count(extension) == 0) {
            check_report(c, HARD, ERR_STIX_VALUE, extension, NULL,
                         "an extension is an object with at least one property");
        } else if (known != NULL && *known != NULL) {
            check_shape(c, extension, *known);
        } else if (is_definition) {
            struct json type = json_get(extension, SLICE("extension_type"));
            static const struct prop row = {
                .name = SLICE_INIT("extension_type"), .kind = PROP_CLOSED, .words = &words_extension_type};
            if (json_kind(type) == JSON_ABSENT)
                check_report(c, SOFT, ERR_STIX_REQUIRED, extension, "extension_type",
                             "an extension names its extension_type (STIX 2.1 section 7.3)");
            else
                check_value(c, type, &row);
        } else if (!slice_ends(key, SLICE("-ext"))) {
            check_report(
                c, SOFT, ERR_STIX_VALUE, extension, NULL,
                "the key of an extension is the id of its extension-definition, or a predefined name ending in -ext");
        } else {
            check_report(c, NOTE, ERR_STIX_VALUE, extension, NULL,
                         "\"" SLICE_FMT "\" is not a predefined extension of this type", SLICE_ARG(slice_to(key, 80)));
        }
    }
}

/* observed-data.objects (deprecated): SCOs without ids, which name each other by their keys. */
static void contained_check(struct check *c, struct json object)
{
    struct json name = json_get(object, SLICE("type"));
    const struct stix_type *type = stix_type_find(json_string(c->arena, name));

    if (json_kind(object) != JSON_OBJECT || json_kind(name) != JSON_STRING)
        check_report(c, HARD, ERR_STIX_VALUE, object, NULL, "an object with a type is expected");
    else if (stix_type_class(type) == STIX_SCO)
        check_shape(c, object, type->shape);
    else if (type != NULL)
        check_report(c, HARD, ERR_STIX_VALUE, object, NULL, "only cyber-observable objects may stand here");
}

void check_container(struct check *c, struct json v)
{
    bool is_bundle = stix_type_class(c->object->kind) == STIX_BUNDLE;

    if (json_kind(v) != (is_bundle ? JSON_ARRAY : JSON_OBJECT)) {
        check_report(c, HARD, ERR_STIX_VALUE, v, NULL,
                     is_bundle ? "\"objects\" must be a list" : "\"objects\" must be a dictionary");
        return;
    }
    c->in_container = true;
    json_each (object, v) {
        if (!is_bundle)
            contained_check(c, object);
    }
    c->in_container = false;
}

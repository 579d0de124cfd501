/* STIX 2.1 to 2.0 (OASIS Committee Specification 01, July 2017), for readers that know no other: the way back of
   upgrade.c, by the same tables. It loses what 2.0 cannot say, and never makes a marking weaker. */
#include "stix/types.h"
#include "stix/upgrade.h"

enum { CUTS = 3 };

struct cut { /* a list that may be another one in 2.0: what selects a place in it selects all of it */
    struct slice name;
    struct json list; /* absent: not on this object */
    uint32_t kept;
};
struct downgrade {
    struct arena *arena;
    const struct stix_object *o;
    stix_marking_fn *marking;
    const struct upgrade_vocabulary *vocabulary; /* NULL: labels are labels */
    uint32_t n_types;                            /* that stand before the labels now */
    struct cut cuts[CUTS];
    struct buf out;
    struct err *err;
};

static struct json member(const struct downgrade *d, const char *name)
{
    return json_get(d->o->json, slice_of(name));
}

static bool is_a(const struct downgrade *d, const char *type)
{
    return slice_eq(d->o->type, slice_of(type));
}

static int has_not(const struct downgrade *d, const char *place, const char *sentence)
{
    return err_set(d->err, ERR_STIX_VERSION, place, "%s", sentence);
}

/* ---- what 2.0 has ---- */

/* Properties that came with 2.1, and those whose place in 2.0 another one takes; type empty: of all types. An
   observed-data is left out, and with it what names one beside the point. */
static bool is_dropped(const struct downgrade *d, struct slice name)
{
    static const struct {
        struct slice type, name;
    } rows[] = {
        {SLICE_INIT(""), SLICE_INIT("spec_version")},
        {SLICE_INIT(""), SLICE_INIT("confidence")},
        {SLICE_INIT(""), SLICE_INIT("lang")},
        {SLICE_INIT(""), SLICE_INIT("extensions")},
        {SLICE_INIT("attack-pattern"), SLICE_INIT("aliases")},
        {SLICE_INIT("indicator"), SLICE_INIT("pattern_type")},
        {SLICE_INIT("indicator"), SLICE_INIT("pattern_version")},
        {SLICE_INIT("malware"), SLICE_INIT("is_family")},
        {SLICE_INIT("malware"), SLICE_INIT("aliases")},
        {SLICE_INIT("malware"), SLICE_INIT("first_seen")},
        {SLICE_INIT("malware"), SLICE_INIT("last_seen")},
        {SLICE_INIT("malware"), SLICE_INIT("operating_system_refs")},
        {SLICE_INIT("malware"), SLICE_INIT("architecture_execution_envs")},
        {SLICE_INIT("malware"), SLICE_INIT("implementation_languages")},
        {SLICE_INIT("malware"), SLICE_INIT("capabilities")},
        {SLICE_INIT("malware"), SLICE_INIT("sample_refs")},
        {SLICE_INIT("threat-actor"), SLICE_INIT("first_seen")},
        {SLICE_INIT("threat-actor"), SLICE_INIT("last_seen")},
        {SLICE_INIT("tool"), SLICE_INIT("aliases")},
        {SLICE_INIT("relationship"), SLICE_INIT("start_time")},
        {SLICE_INIT("relationship"), SLICE_INIT("stop_time")},
        {SLICE_INIT("sighting"), SLICE_INIT("description")},
        {SLICE_INIT("sighting"), SLICE_INIT("observed_data_refs")},
        {SLICE_INIT("marking-definition"), SLICE_INIT("name")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((rows[i].type.len == 0 || slice_eq(rows[i].type, d->o->type)) && slice_eq(rows[i].name, name))
            return true;
    return false;
}

/* An observed-data holds its objects in 2.0, and names them in 2.1: this one object does not have them. */
static bool has_type(struct slice type)
{
    const struct stix_type *kind = stix_type_find(type);

    return kind == NULL || (type_is_in_stix20(kind) && !slice_eq(type, SLICE("observed-data")));
}

static bool has_object(const struct downgrade *d, struct json ref)
{
    struct slice text = json_string(d->arena, ref);
    struct stix_id id;

    return text.ptr == NULL || !stix_id_parse(text, &id) || has_type(id.type);
}

static bool is_text(const struct downgrade *d, const char *name)
{
    return json_kind(member(d, name)) == JSON_STRING;
}

static int ends_check(const struct downgrade *d)
{
    static const struct {
        const char *type, *name, *place;
    } rows[] = {
        {"relationship", "source_ref", "/source_ref"},
        {"relationship", "target_ref", "/target_ref"},
        {"sighting", "sighting_of_ref", "/sighting_of_ref"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_a(d, rows[i].type) && !has_object(d, member(d, rows[i].name)))
            return has_not(d, rows[i].place, "names an object that cannot be written as STIX 2.0");
    return 0;
}

static int object_check(const struct downgrade *d)
{
    if (is_a(d, "observed-data"))
        return has_not(d, "/object_refs", "an observed-data of STIX 2.0 holds its objects, and this one names them");
    if (!has_type(d->o->type))
        return err_set(d->err, ERR_STIX_VERSION, "/type", "STIX 2.0 has no " SLICE_FMT, SLICE_ARG(d->o->type));
    if (d->o->kind == NULL && (!is_text(d, "created") || !is_text(d, "modified")))
        return has_not(d, "/type", "a custom object of STIX 2.0 has versions");
    if (is_a(d, "indicator") && !slice_eq(json_string(d->arena, member(d, "pattern_type")), SLICE("stix")))
        return has_not(d, "/pattern_type", "STIX 2.0 knows the patterns of STIX alone");
    if (is_a(d, "malware") && !is_text(d, "name"))
        return has_not(d, "/name", "a malware of STIX 2.0 has a name");
    if (is_a(d, "marking-definition") &&
        (!is_text(d, "definition_type") || json_kind(member(d, "definition")) != JSON_OBJECT))
        return has_not(d, "/definition", "a marking of STIX 2.0 is no extension");
    return ends_check(d);
}

/* ---- lists of references ---- */

static const struct cut *cut_of(const struct downgrade *d, struct slice name)
{
    for (size_t i = 0; i < CUTS; i++)
        if (json_kind(d->cuts[i].list) == JSON_ARRAY && slice_eq(d->cuts[i].name, name))
            return &d->cuts[i];
    return NULL;
}

static int cuts_read(struct downgrade *d)
{
    static const struct {
        const char *type, *name; /* type NULL: of all */
    } rows[CUTS] = {{"report", "object_refs"}, {"sighting", "where_sighted_refs"}, {NULL, "object_marking_refs"}};

    for (size_t i = 0; i < CUTS; i++) {
        struct cut *cut = &d->cuts[i];
        if (rows[i].type != NULL && !is_a(d, rows[i].type))
            continue;
        *cut = (struct cut){slice_of(rows[i].name), member(d, rows[i].name), 0};
        json_each (v, cut->list)
            cut->kept += has_object(d, v);
    }
    if (d->cuts[0].kept == 0 && is_a(d, "report"))
        return has_not(d, "/object_refs", "names nothing that STIX 2.0 has");
    return 0;
}

static void cut_put(struct downgrade *d, const struct cut *cut)
{
    if (cut->kept == 0)
        return;
    json_put_key(&d->out, cut->name);
    json_put_open(&d->out, '[');
    json_each (v, cut->list)
        if (has_object(d, v))
            json_put_raw(&d->out, json_raw(v));
    json_put_close(&d->out, ']');
}

/* ---- markings ---- */

static struct slice marking_for(const struct downgrade *d, struct json ref, bool *beside_out)
{
    struct slice id = json_string(d->arena, ref);

    *beside_out = false;
    return d->marking != NULL && id.ptr != NULL ? d->marking(id, beside_out) : slice_n(NULL, 0);
}

/* Where a producer wrote both already, the one is written twice: that says the same. */
static void markings_put(struct downgrade *d, struct json refs)
{
    json_put_key(&d->out, SLICE("object_marking_refs"));
    json_put_open(&d->out, '[');
    json_each (v, refs) {
        bool beside;
        struct slice other = marking_for(d, v, &beside);
        if (other.ptr != NULL)
            json_put_string(&d->out, other);
        if (other.ptr == NULL || beside)
            json_put_raw(&d->out, json_raw(v));
    }
    json_put_close(&d->out, ']');
}

/* The types stand before the labels that were there: their own places stay, those of labels move behind. */
static void label_selector_put(const struct downgrade *d, struct slice rest, bool is_type, struct buf *out)
{
    uint64_t index;

    if (rest.len < 4 || rest.ptr[1] != '[' || !slice_u64(slice_n(rest.ptr + 2, rest.len - 3), &index))
        json_put_string(out, SLICE("labels"));
    else
        json_put_string(
            out, arena_printf(d->arena, "labels.[%llu]", (unsigned long long)index + (is_type ? 0 : d->n_types)));
}

static void selector_put(const struct downgrade *d, struct json selector, struct buf *out)
{
    struct slice text = json_string(d->arena, selector), rest = text, top;

    slice_cut(&rest, '.', &top);
    const struct cut *cut = cut_of(d, top);
    rest = slice_from(text, top.len);
    bool is_type = d->vocabulary != NULL && slice_eq(top, d->vocabulary->property);
    if (text.ptr == NULL || is_dropped(d, top) || (cut != NULL && cut->kept == 0))
        return;
    if (is_type || (d->n_types != 0 && slice_eq(top, SLICE("labels"))))
        label_selector_put(d, rest, is_type, out);
    else if (cut != NULL)
        json_put_string(out, cut->name);
    else
        json_put_raw(out, json_raw(selector));
}

/* `ref` ptr NULL: as it is. */
static void granular_put(const struct downgrade *d, struct json marking, struct slice selectors, struct slice ref,
                         struct buf *out)
{
    json_put_open(out, '{');
    json_each (v, marking) {
        struct slice key = json_key(d->arena, v);
        if (slice_eq(key, SLICE("lang")))
            continue;
        json_put_key(out, key);
        if (slice_eq(key, SLICE("selectors")))
            json_put_raw(out, selectors);
        else if (slice_eq(key, SLICE("marking_ref")) && ref.ptr != NULL)
            json_put_string(out, ref);
        else
            json_put_raw(out, json_raw(v));
    }
    json_put_close(out, '}');
}

/* One that names a language is of 2.1 alone; so is one that selects nothing any more. */
static void granular_downgrade(const struct downgrade *d, struct json marking, struct buf *out)
{
    struct json ref = json_get(marking, SLICE("marking_ref"));
    struct buf selectors = BUF_INIT;
    bool beside;

    json_put_open(&selectors, '[');
    json_each (v, json_get(marking, SLICE("selectors")))
        selector_put(d, v, &selectors);
    json_put_close(&selectors, ']');
    if (json_kind(ref) == JSON_STRING && selectors.len > 2) {
        struct slice other = marking_for(d, ref, &beside);
        granular_put(d, marking, buf_slice(&selectors), other, out);
        if (beside)
            granular_put(d, marking, buf_slice(&selectors), slice_n(NULL, 0), out);
    }
    buf_free(&selectors);
}

static void all_granular_put(struct downgrade *d, struct json markings)
{
    struct buf list = BUF_INIT;

    json_put_open(&list, '[');
    json_each (v, markings)
        granular_downgrade(d, v, &list);
    json_put_close(&list, ']');
    if (list.len > 2) {
        json_put_key(&d->out, SLICE("granular_markings"));
        json_put_raw(&d->out, buf_slice(&list));
    }
    buf_free(&list);
}

/* ---- members ---- */

/* 2.0 part 2 asks for labels where a vocabulary names them; an identity's are free. */
static void labels_put(struct downgrade *d)
{
    struct json types = json_get(d->o->json, d->vocabulary->property), labels = member(d, "labels");
    bool is_needed = d->vocabulary->words != NULL && json_count(types) + json_count(labels) == 0;

    if (json_count(types) + json_count(labels) == 0 && !is_needed)
        return;
    json_put_key(&d->out, SLICE("labels"));
    json_put_open(&d->out, '[');
    json_each (v, types)
        json_put_raw(&d->out, json_raw(v));
    json_each (v, labels)
        json_put_raw(&d->out, json_raw(v));
    if (is_needed)
        json_put_string(&d->out, SLICE("unknown"));
    json_put_close(&d->out, ']');
}

static int pattern_put(struct downgrade *d, struct json pattern)
{
    struct slice was = json_string(d->arena, pattern), text;

    if (was.ptr == NULL)
        return has_not(d, "/pattern", "a pattern is a string");
    if (downgrade_pattern(d->arena, was, &text, d->err) != 0)
        return -1;
    json_put_key(&d->out, SLICE("pattern"));
    if (text.ptr == was.ptr)
        json_put_raw(&d->out, json_raw(pattern));
    else
        json_put_string(&d->out, text);
    return 0;
}

static int member_put(struct downgrade *d, struct json v)
{
    struct slice key = json_key(d->arena, v);
    const struct cut *cut = cut_of(d, key);

    if (is_dropped(d, key))
        return 0;
    if (d->vocabulary != NULL && (slice_eq(key, SLICE("labels")) || slice_eq(key, d->vocabulary->property)))
        return 0; /* together, at the end */
    if (is_a(d, "indicator") && slice_eq(key, SLICE("pattern")))
        return pattern_put(d, v);
    if (cut != NULL && cut->kept != 0 && slice_eq(key, SLICE("object_marking_refs")))
        markings_put(d, v);
    else if (slice_eq(key, SLICE("granular_markings")) && json_kind(v) == JSON_ARRAY)
        all_granular_put(d, v);
    else if (cut != NULL)
        cut_put(d, cut);
    else
        json_put_raw(&d->out, json_raw_member(v));
    return 0;
}

static int object_downgrade(struct downgrade *d)
{
    if (object_check(d) != 0 || cuts_read(d) != 0)
        return -1;
    d->vocabulary = upgrade_vocabulary_of(d->o->type);
    if (d->vocabulary != NULL)
        d->n_types = json_count(json_get(d->o->json, d->vocabulary->property));
    json_put_open(&d->out, '{');
    json_each (v, d->o->json)
        if (member_put(d, v) != 0)
            return -1;
    if (d->vocabulary != NULL)
        labels_put(d);
    if (is_a(d, "identity") &&
        json_kind(member(d, "identity_class")) == JSON_ABSENT) /* which 2.0 part 2 section 2.4.1 asks for */
        json_put_text(&d->out, "identity_class", SLICE("unknown"));
    json_put_close(&d->out, '}');
    return 0;
}

int stix_downgrade(struct arena *a, const struct stix_object *o, stix_marking_fn *marking, struct slice *out,
                   struct err *err)
{
    struct downgrade d = {.arena = a, .o = o, .marking = marking, .err = err};

    if (o->is_stix20) {
        *out = json_raw(o->json);
        return 0;
    }
    int result = object_downgrade(&d);
    if (result == 0)
        *out = arena_copy(a, buf_slice(&d.out));
    buf_free(&d.out);
    return result;
}

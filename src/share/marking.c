#include "share/internal.h"

#include <stdlib.h>

/* ---- TLP: the nine definitions that the standards fix, by id (STIX 2.1 section 7.2.1.4; TLP 2.0 extension of OASIS)
 * ---- */

#define TLP2_EXTENSION   "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#define MARKING_ID(uuid) SLICE_INIT("marking-definition--" uuid)

struct tlp_row {
    struct slice id, value; /* value: of definition.tlp (TLP 1) or tlp_2_0 */
    enum share_tlp level;
    int version;
};
static const struct tlp_row tlp_rows[] = {
    {MARKING_ID("94868c89-83c2-464b-929b-a1a8aa3c8487"), SLICE_INIT("clear"), SHARE_CLEAR, 2},
    {MARKING_ID("bab4a63c-aed9-4cf5-a766-dfca5abac2bb"), SLICE_INIT("green"), SHARE_GREEN, 2},
    {MARKING_ID("55d920b0-5e8b-4f79-9ee9-91f868d9b421"), SLICE_INIT("amber"), SHARE_AMBER, 2},
    {MARKING_ID("939a9414-2ddd-4d32-a0cd-375ea402b003"), SLICE_INIT("amber+strict"), SHARE_STRICT, 2},
    {MARKING_ID("e828b379-4e03-4974-9ac4-e53a884c97c1"), SLICE_INIT("red"), SHARE_RED, 2},
    {MARKING_ID("613f2e26-407d-48c7-9eca-b8e91df99dc9"), SLICE_INIT("white"), SHARE_CLEAR, 1},
    {MARKING_ID("34098fce-860f-48ae-8e50-ebd3cc5e41da"), SLICE_INIT("green"), SHARE_GREEN, 1},
    {MARKING_ID("f88d31f6-486f-44da-b317-01333bde0b82"), SLICE_INIT("amber"), SHARE_AMBER, 1},
    {MARKING_ID("5e57c739-391a-4eb3-b6be-7d15ca92d5ed"), SLICE_INIT("red"), SHARE_RED, 1},
};
enum { TLP_ROWS = sizeof tlp_rows / sizeof *tlp_rows };

/* Marking extensions whose rules this hub does not evaluate: named, so that the submitter knows what held the object.
 */
static const struct {
    struct slice id;
    const char *name;
} extension_rows[] = {
    {SLICE_INIT("extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce"), "ACS 3.0"},
    {SLICE_INIT("extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"), "IEP 2.0"},
    {SLICE_INIT("extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"), "PAP"},
    {SLICE_INIT("extension-definition--dff17fb3-edcb-4f99-ad1b-4b751c95738a"), "CUI"},
};

static const struct tlp_row *tlp_row_find(struct slice id)
{
    for (size_t i = 0; i < TLP_ROWS; i++)
        if (slice_eq(tlp_rows[i].id, id))
            return &tlp_rows[i];
    return NULL;
}

struct slice share_tlp1_for(struct slice tlp2_id)
{
    const struct tlp_row *row = tlp_row_find(tlp2_id);

    for (size_t i = 0; i < TLP_ROWS && row != NULL && row->version == 2; i++)
        if (tlp_rows[i].version == 1 && tlp_rows[i].level == (row->level == SHARE_STRICT ? SHARE_AMBER : row->level))
            return tlp_rows[i].id;
    return slice_n(NULL, 0);
}

struct slice share_tlp1_instead(struct slice id, bool *beside_out)
{
    const struct tlp_row *row = tlp_row_find(id);

    *beside_out = row != NULL && row->level == SHARE_STRICT;
    return share_tlp1_for(id);
}

bool share_is_tlp_definition(struct slice id)
{
    return tlp_row_find(id) != NULL;
}

struct slice share_tlp_name(enum share_tlp tlp)
{
    static const struct slice names[SHARE_TLP_LEVELS] = {SLICE_INIT("TLP:CLEAR"), SLICE_INIT("TLP:GREEN"),
                                                         SLICE_INIT("TLP:AMBER"), SLICE_INIT("TLP:AMBER+STRICT"),
                                                         SLICE_INIT("TLP:RED")};

    return (size_t)tlp < SHARE_TLP_LEVELS ? names[tlp] : SLICE("TLP:?");
}

struct slice share_tlp_id(enum share_tlp tlp)
{
    return (size_t)tlp < SHARE_TLP_LEVELS ? tlp_rows[tlp].id : (struct slice){NULL, 0};
}

bool share_tlp_parse(struct slice word, enum share_tlp *out)
{
    if (word.len > 4 && slice_eq_nocase(slice_to(word, 4), SLICE("TLP:")))
        word = slice_from(word, 4);
    for (size_t i = 0; i < TLP_ROWS; i++)
        if (slice_eq_nocase(tlp_rows[i].value, word)) {
            *out = tlp_rows[i].level;
            return true;
        }
    return false;
}

/* ---- one marking definition ---- */

enum verdict { STATEMENT, TLP, HELD };
struct definition {
    struct slice id;
    enum verdict verdict;
    struct slice why; /* HELD */
};
struct share_definitions {
    const struct definition *items; /* by id, none twice */
    size_t n;
};

/* A level named in words: absent is silence, anything but this level contradicts. "clear" under TLP 1's WHITE is the
   same level under its new name, and OpenCTI sends it so. */
static bool level_agrees(struct arena *a, struct json word, enum share_tlp level)
{
    enum share_tlp said;

    return json_kind(word) == JSON_ABSENT || (share_tlp_parse(json_string(a, word), &said) && said == level);
}

/* The extension member that the definition may not have; JSON_ABSENT when there is none besides `allowed`. */
static struct json other_extension(struct arena *a, struct json o, struct slice allowed)
{
    struct json extensions = json_get(o, SLICE("extensions"));

    json_each (e, extensions)
        if (!slice_eq(json_key(a, e), allowed))
            return e;
    return (struct json){NULL, 0};
}

static struct slice extension_why(struct arena *a, struct json extension)
{
    struct slice id = json_key(a, extension);

    for (size_t i = 0; i < sizeof extension_rows / sizeof *extension_rows; i++)
        if (slice_eq(extension_rows[i].id, id))
            return arena_printf(a, "its %s rules (" SLICE_FMT ") are not evaluated by this hub", extension_rows[i].name,
                                SLICE_ARG(id));
    return arena_printf(a, "its extension " SLICE_FMT " is not known to this hub", SLICE_ARG(id));
}

/* Id, name and value are pinned together: an object with RED's id and the value "clear" is contradictory, and nobody
 * guesses which was meant. */
static struct definition tlp_definition(struct arena *a, struct json o, const struct tlp_row *row)
{
    struct definition d = {row->id, HELD, SLICE("its name, id and value contradict each other")};
    struct json mine = json_get(json_get(o, SLICE("extensions")), SLICE(TLP2_EXTENSION));
    struct json kind = json_get(o, SLICE("definition_type")),
                old = json_get(json_get(o, SLICE("definition")), SLICE("tlp"));
    struct json value = row->version == 1 ? old : json_get(mine, SLICE("tlp_2_0"));
    struct json other = other_extension(a, o, SLICE(TLP2_EXTENSION));

    if (json_kind(other) != JSON_ABSENT) {
        d.why = extension_why(a, other);
        return d;
    }
    bool typed = row->version == 2 ? json_kind(kind) == JSON_ABSENT : slice_eq(json_string(a, kind), SLICE("tlp"));
    if (typed && json_kind(value) == JSON_STRING && level_agrees(a, value, row->level) &&
        level_agrees(a, old, row->level) && level_agrees(a, json_get(mine, SLICE("tlp_2_0")), row->level) &&
        level_agrees(a, json_get(o, SLICE("name")), row->level))
        d = (struct definition){row->id, TLP, {NULL, 0}};
    return d;
}

static struct definition definition_read(struct arena *a, struct json o, struct slice id)
{
    const struct tlp_row *row = tlp_row_find(id);
    struct slice kind = json_string(a, json_get(o, SLICE("definition_type")));
    struct json extension = other_extension(a, o, SLICE(""));
    struct json statement = json_get(json_get(o, SLICE("definition")), SLICE("statement"));

    if (row != NULL)
        return tlp_definition(a, o, row);
    if (json_kind(extension) != JSON_ABSENT)
        return (struct definition){id, HELD, extension_why(a, extension)};
    if (slice_eq(kind, SLICE("statement")) && json_kind(statement) == JSON_STRING)
        return (struct definition){id, STATEMENT, {NULL, 0}};
    return (struct definition){
        id, HELD, arena_printf(a, "its definition_type \"" SLICE_FMT "\" is not known to this hub", SLICE_ARG(kind))};
}

/* ---- those of an envelope ---- */

static int by_id(const void *a, const void *b)
{
    return slice_cmp(((const struct definition *)a)->id, ((const struct definition *)b)->id);
}

const struct share_definitions *share_definitions_read(struct arena *a, struct json objects)
{
    struct share_definitions *out = arena_new(a, struct share_definitions);
    size_t n = 0, unique = 0;

    json_each (o, objects)
        n += slice_eq(json_string(a, json_get(o, SLICE("type"))), SLICE("marking-definition"));
    struct definition *items = arena_array(a, struct definition, n);
    n = 0;
    json_each (o, objects)
        if (slice_eq(json_string(a, json_get(o, SLICE("type"))), SLICE("marking-definition")))
            items[n++] = definition_read(a, o, json_string(a, json_get(o, SLICE("id"))));
    if (n > 1)
        qsort(items, n, sizeof *items, by_id);
    for (size_t i = 0; i < n; i++) { /* of several with one id, the one that holds is the answer */
        if (unique == 0 || !slice_eq(items[unique - 1].id, items[i].id))
            items[unique++] = items[i];
        else if (items[i].verdict == HELD)
            items[unique - 1] = items[i];
    }
    out->items = items;
    out->n = unique;
    return out;
}

static const struct definition *definition_find(const struct share_definitions *d, struct slice id)
{
    struct definition key = {.id = id};

    return d->n == 0 ? NULL : bsearch(&key, d->items, d->n, sizeof key, by_id);
}

/* ---- the markings of one object ---- */

struct reading {
    struct arena *arena;
    const struct stix_object *object;
    const struct share_context *context;
    const struct share_definitions *definitions;
    uint32_t levels;
    struct err *err;
};

/* The place below the object, as everywhere in what is told to its submitter. */
static struct slice place_in(struct reading *r, struct json v)
{
    size_t above = json_pointer(r->arena, r->object->json).len;

    return slice_from(json_pointer(r->arena, v), above);
}

static int unreadable(struct reading *r, struct json v)
{
    return err_set_at(r->err, ERR_HELD_MARKING, place_in(r, v), "held: this marking cannot be read");
}

static int marking_add(struct reading *r, struct json ref)
{
    struct slice id = json_string(r->arena, ref);
    const struct tlp_row *row = tlp_row_find(id);
    const struct definition *d = definition_find(r->definitions, id);

    if (json_kind(ref) != JSON_STRING)
        return unreadable(r, ref);
    if (d != NULL && d->verdict == HELD)
        return err_set_at(r->err, ERR_HELD_MARKING, place_in(r, ref), "held: " SLICE_FMT ": " SLICE_FMT, SLICE_ARG(id),
                          SLICE_ARG(d->why));
    if (d == NULL && row == NULL)
        return err_set_at(r->err, ERR_HELD_MARKING, place_in(r, ref),
                          "held: " SLICE_FMT " is not known to this hub and does not stand in the envelope",
                          SLICE_ARG(id));
    if (row == NULL)
        return 0; /* a statement restricts nobody */
    bool strict = row->version == 1 && row->level == SHARE_AMBER && r->context->strict_amber1;
    r->levels |= 1u << (strict ? SHARE_STRICT : row->level);
    return 0;
}

static int markings_add(struct reading *r, struct json refs)
{
    if (json_kind(refs) != JSON_ARRAY)
        return unreadable(r, refs);
    json_each (ref, refs)
        if (marking_add(r, ref) != 0)
            return -1;
    return 0;
}

/* STIX 2.1 section 7.2.3: an entry names a marking or a language. */
static int granular_check(struct reading *r, struct json granular)
{
    if (json_kind(granular) == JSON_ABSENT)
        return 0;
    if (json_kind(granular) != JSON_ARRAY)
        return unreadable(r, granular);
    json_each (entry, granular)
        if (json_kind(json_get(entry, SLICE("marking_ref"))) == JSON_ABSENT &&
            json_kind(json_get(entry, SLICE("lang"))) == JSON_ABSENT)
            return unreadable(r, entry);
    return 0;
}

/* At any depth: the objects inside observed-data and inside extensions carry markings of their own. */
static int markings_walk(struct reading *r, struct json container)
{
    bool named = json_kind(container) == JSON_OBJECT;

    json_each (v, container) {
        struct slice key = named ? json_key(r->arena, v) : SLICE("");
        int bad = 0;
        if (slice_eq(key, SLICE("object_marking_refs")))
            bad = markings_add(r, v);
        else if (slice_eq(key, SLICE("marking_ref")))
            bad = marking_add(r, v);
        else if (json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT)
            bad = markings_walk(r, v);
        if (bad != 0)
            return -1;
    }
    return 0;
}

/* ---- a marking definition as an object of its own ---- */

/* The published object and no more: what else stands in it is the submitter's and is marked like anything of his. */
static bool is_published_tlp(struct arena *a, struct json o)
{
    static const struct slice known[] = {
        SLICE_INIT("type"), SLICE_INIT("spec_version"),    SLICE_INIT("id"),         SLICE_INIT("created"),
        SLICE_INIT("name"), SLICE_INIT("definition_type"), SLICE_INIT("definition"), SLICE_INIT("extensions")};
    struct json mine = json_get(json_get(o, SLICE("extensions")), SLICE(TLP2_EXTENSION));

    json_each (member, o) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || slice_eq(json_key(a, member), known[i]);
        if (!found)
            return false;
    }
    uint32_t in_mine = json_kind(json_get(mine, SLICE("extension_type"))) == JSON_ABSENT ? 1 : 2;
    return json_count(json_get(o, SLICE("definition"))) <= 1 && (json_count(mine) == 0 || json_count(mine) == in_mine);
}

/* *done_out: the facts are settled (a published TLP definition is public knowledge). */
static int own_definition(struct reading *r, bool *done_out)
{
    struct json o = r->object->json;
    struct definition d = definition_read(r->arena, o, r->object->id);

    *done_out = false;
    if (d.verdict == HELD)
        return err_set(r->err, ERR_HELD_MARKING, "/id", "held: " SLICE_FMT ": " SLICE_FMT, SLICE_ARG(d.id),
                       SLICE_ARG(d.why));
    if (d.verdict == TLP && is_published_tlp(r->arena, o)) {
        r->levels = 1u << SHARE_CLEAR;
        *done_out = true;
    }
    return 0;
}

static int levels_read(struct reading *r)
{
    bool done = false;

    if (slice_eq(r->object->type, SLICE("marking-definition")) && own_definition(r, &done) != 0)
        return -1;
    if (done)
        return 0;
    if (granular_check(r, json_get(r->object->json, SLICE("granular_markings"))) != 0)
        return -1;
    return markings_walk(r, r->object->json);
}

int share_facts_read(struct arena *a, const struct stix_object *o, const struct share_context *context,
                     struct share_facts *facts_out, bool *defaulted_out, struct err *err)
{
    const struct share_definitions *known = context->definitions;
    struct reading r = {a, o, context, known != NULL ? known : share_definitions_read(a, context->objects), 0, err};
    bool defaulted;

    if (levels_read(&r) != 0)
        return -1;
    defaulted = r.levels == 0;
    if (defaulted && !context->has_default)
        return err_set(err, ERR_HELD_UNMARKED, "/object_marking_refs", "");
    if (defaulted)
        r.levels = 1u << context->default_tlp;
    *facts_out = (struct share_facts){.collection = context->collection,
                                      .type = o->type,
                                      .tlp = r.levels,
                                      .origin = context->origin,
                                      .path = context->path,
                                      .agreement = context->agreement,
                                      .onward = context->onward};
    *defaulted_out = defaulted;
    return 0;
}

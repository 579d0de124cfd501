#include "stix/internal.h"
#include "stix/rules.h"

/* Rules of sections 7 (markings, language content, extension definitions) and 8 (bundle). */

/* ---- granular markings (section 7.2.3) ---- */

enum {
    SELECTORS_MAX = 1000
}; /* looked up in one object: each walks it from the start, and a peer chooses both numbers */

void rule_granular_marking(struct check *c, struct json object)
{
    if (rule_has(object, SLICE("lang")) == rule_has(object, SLICE("marking_ref")))
        check_report(c, HARD, ERR_STIX_RULE, object, NULL, "a granular marking has either a marking_ref or a lang");
    json_each (v, json_get(object, SLICE("selectors"))) {
        struct slice selector = json_string(c->arena, v);
        if (selector.ptr == NULL || ++c->selectors > SELECTORS_MAX)
            continue;
        if (json_kind(stix_select(c->object->json, selector)) == JSON_ABSENT)
            check_report(c, SOFT, ERR_STIX_REFERENCE, v, NULL,
                         "the selector \"" SLICE_FMT "\" names nothing in this object",
                         SLICE_ARG(slice_to(selector, 100)));
    }
}

/* ---- marking definitions (section 7.2.1) ---- */

/* Section 7.2.1.4: four definitions and no other. One of those ids with another level would mean two things; a level
   under an id of its own (OpenCTI exports TLP:CLEAR and AMBER+STRICT so) is for the reader of markings to hold or to
   know. */
static void tlp_check(struct check *c, struct json object, struct json definition)
{
    static const struct {
        struct slice level, id;
    } levels[] = {
        {SLICE_INIT("white"), SLICE_INIT("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9")},
        {SLICE_INIT("green"), SLICE_INIT("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da")},
        {SLICE_INIT("amber"), SLICE_INIT("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82")},
        {SLICE_INIT("red"), SLICE_INIT("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed")},
    };
    struct slice text = json_string(c->arena, json_get(definition, SLICE("tlp")));
    enum weight weight = SOFT;

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        bool same_id = slice_eq(levels[i].id, c->object->id), same_level = slice_eq_nocase(levels[i].level, text);
        if (same_id && slice_eq(levels[i].level, text)) {
            if (!slice_eq(json_text(json_get(object, SLICE("created"))), SLICE("2017-01-20T00:00:00.000Z")))
                check_report(c, SOFT, ERR_STIX_RULE, object, "created",
                             "the TLP markings were created at 2017-01-20T00:00:00.000Z");
            return;
        }
        bool is_clear = i == 0 && slice_eq_nocase(text, SLICE("clear")); /* TLP 2.0's word for white */
        if (same_id && !same_level && !is_clear)
            weight = HARD;
    }
    check_report(c, weight, ERR_STIX_RULE, object, "definition",
                 "not one of the four TLP markings of STIX 2.1 (section 7.2.1.4): they are named by their ids, never "
                 "defined anew");
}

static void definition_check(struct check *c, struct json object)
{
    struct json definition = json_get(object, SLICE("definition"));
    struct slice type = json_string(c->arena, json_get(object, SLICE("definition_type")));

    if (json_kind(definition) != JSON_OBJECT)
        check_report(c, HARD, ERR_STIX_VALUE, definition, NULL, "\"definition\" must be an object");
    else if (slice_eq(type, SLICE("tlp")))
        tlp_check(c, object, definition);
    else if (slice_eq(type, SLICE("statement")) && json_kind(json_get(definition, SLICE("statement"))) != JSON_STRING)
        check_report(c, HARD, ERR_STIX_REQUIRED, definition, "statement", "a statement marking has a statement");
    else if (!slice_eq(type, SLICE("statement")))
        check_report(c, NOTE, ERR_STIX_VALUE, definition, NULL,
                     "a marking that is neither tlp nor statement is given as an extension");
}

void rule_marking_definition(struct check *c, struct json object)
{
    bool definition = rule_has(object, SLICE("definition")), type = rule_has(object, SLICE("definition_type"));

    if (definition != type)
        check_report(c, HARD, ERR_STIX_REQUIRED, object, definition ? "definition_type" : "definition",
                     "definition_type and definition stand together");
    else if (!definition && !rule_has(object, SLICE("extensions")))
        check_report(c, HARD, ERR_STIX_REQUIRED, object, "definition",
                     "a marking definition has a definition, or an extension that is one");
    else if (definition)
        definition_check(c, object);
    json_each (v, json_get(object, SLICE("object_marking_refs"))) {
        if (slice_eq(json_string(c->arena, v), c->object->id))
            check_report(c, SOFT, ERR_STIX_REFERENCE, v, NULL, "a marking may not mark itself");
    }
    json_each (entry, json_get(object, SLICE("granular_markings"))) {
        struct json v = json_get(entry, SLICE("marking_ref"));
        if (slice_eq(json_string(c->arena, v), c->object->id))
            check_report(c, SOFT, ERR_STIX_REFERENCE, v, NULL, "a marking may not mark itself");
    }
}

/* ---- the others ---- */

void rule_language_content(struct check *c, struct json object)
{
    json_each (v, json_get(object, SLICE("contents"))) {
        if (!kind_is_language(json_key(c->arena, v)))
            check_report(c, SOFT, ERR_STIX_VALUE, v, NULL, "the keys of contents are language tags of RFC 5646");
        else if (json_kind(v) != JSON_OBJECT || json_count(v) == 0)
            check_report(c, HARD, ERR_STIX_VALUE, v, NULL, "a language holds an object of translated properties");
        else
            json_each (property, v)
                if (!kind_is_property_name(json_key(c->arena, property)))
                    check_report(c, SOFT, ERR_STIX_SYNTAX, property, NULL,
                                 "what is translated is named like a property: 3 to 250 characters, of a to z, 0 to 9 "
                                 "and underscore");
    }
}

void rule_extension_definition(struct check *c, struct json object)
{
    struct json properties = json_get(object, SLICE("extension_properties"));
    bool is_top_level = false;

    json_each (v, json_get(object, SLICE("extension_types"))) {
        is_top_level |= slice_eq(json_string(c->arena, v), SLICE("toplevel-property-extension"));
    }
    if (!rule_has(object, SLICE("created_by_ref")))
        check_report(c, SOFT, ERR_STIX_REQUIRED, object, "created_by_ref",
                     "an extension-definition names who made it (STIX 2.1 section 7.3)");
    if (rule_has(object, SLICE("extension_properties")) && !is_top_level)
        check_report(c, SOFT, ERR_STIX_RULE, properties, NULL,
                     "extension_properties are those of a toplevel-property-extension");
}

/* The objects themselves are checked one by one by whoever opened the bundle. */
void rule_bundle(struct check *c, struct json object)
{
    json_each (v, json_get(object, SLICE("objects"))) {
        if (json_kind(v) != JSON_OBJECT) {
            check_report(c, HARD, ERR_STIX_SYNTAX, v, NULL, "a bundle holds STIX objects");
            return;
        }
    }
}

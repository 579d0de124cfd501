#include "stix/rows.h"

/* Section 2: objects within objects. */

static const struct prop kill_chain_phase[] = {
    PROP("kill_chain_name", TEXT, REQ),
    PROP("phase_name", TEXT, REQ),
};
const struct shape shape_kill_chain_phase = {ROWS_OF(kill_chain_phase), .name = SLICE_INIT("kill-chain-phase")};

static const struct prop external_reference[] = {
    PROP("source_name", TEXT, REQ), PROP("description", TEXT, 0), PROP("url", LINK, 0),
    PROP("hashes", HASHES, 0),      PROP("external_id", TEXT, 0),
};
const struct shape shape_external_reference = {
    ROWS_OF(external_reference),
    .name = SLICE_INIT("external-reference"),
    .rule = rule_external_reference,
};

/* Section 7.2.3 */
static const struct prop granular_marking[] = {
    PROP("lang", LANGUAGE, 0),
    PROP_OF("marking_ref", 0, TYPE_BIT(MARKING_DEFINITION)),
    PROP("selectors", SELECTOR, REQ | LIST),
};
static const struct shape shape_granular_marking = {
    ROWS_OF(granular_marking),
    .name = SLICE_INIT("granular-marking"),
    .rule = rule_granular_marking,
};

/* Section 3.2: common properties. */

static const struct prop common[] = {
    PROP("type", TYPE_ID, REQ),
    PROP("spec_version", VERSION, REQ),
    PROP("id", TYPE_ID, REQ),
    PROP_OF("created_by_ref", 0, TYPE_BIT(IDENTITY)),
    PROP("created", TIME_MS, REQ),
    PROP("modified", TIME_MS, REQ),
    PROP("revoked", BOOL, 0),
    PROP("labels", TEXT, LIST),
    PROP_IN("confidence", INT, 0, 0, 100),
    PROP("lang", LANGUAGE, 0),
    PROP_IS("external_references", LIST, external_reference),
    PROP_OF("object_marking_refs", LIST, TYPE_BIT(MARKING_DEFINITION)),
    PROP_IS("granular_markings", LIST, granular_marking),
    PROP("extensions", EXTENSIONS, 0),
};
const struct shape shape_common = {ROWS_OF(common), .rule = rule_versions};

static const struct prop common_sco[] = {
    PROP("type", TYPE_ID, REQ),
    PROP("spec_version", VERSION, 0),
    PROP("id", TYPE_ID, REQ),
    PROP_OF("object_marking_refs", LIST, TYPE_BIT(MARKING_DEFINITION)),
    PROP_IS("granular_markings", LIST, granular_marking),
    PROP("defanged", BOOL, 0),
    PROP("extensions", EXTENSIONS, 0),
};
const struct shape shape_common_sco = {ROWS_OF(common_sco)};

/* Section 7: meta objects, and the bundle of section 8. */

static const struct prop language_content[] = {
    PROP_OF("object_ref", REQ, TYPE_OBJECT_BITS & ~TYPE_BIT(LANGUAGE_CONTENT)),
    PROP("object_modified", TIME, 0),
    PROP("contents", DICT, REQ),
};
const struct shape shape_language_content = {ROWS_OF(language_content), .common = &shape_common,
                                             .rule = rule_language_content};

/* A marking definition has no modified, revoked, confidence and lang (section 7.2.1). */
static const struct prop marking_definition[] = {
    PROP("type", TYPE_ID, REQ),
    PROP("spec_version", VERSION, REQ),
    PROP("id", TYPE_ID, REQ),
    PROP_OF("created_by_ref", 0, TYPE_BIT(IDENTITY)),
    PROP("created", TIME_MS, REQ),
    PROP_IS("external_references", LIST, external_reference),
    PROP_OF("object_marking_refs", LIST, TYPE_BIT(MARKING_DEFINITION)),
    PROP_IS("granular_markings", LIST, granular_marking),
    PROP("extensions", EXTENSIONS, 0),
    PROP("name", TEXT, 0),
    PROP("definition_type", TEXT, 0),
    PROP("definition", ANY, 0),
};
const struct shape shape_marking_definition = {ROWS_OF(marking_definition), .rule = rule_marking_definition};

static const struct prop extension_definition[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP("schema", TEXT, REQ),
    PROP("version", TEXT, REQ),
    PROP_OUT_OF("extension_types", CLOSED, REQ | LIST, extension_type),
    PROP("extension_properties", TEXT, LIST),
};
const struct shape shape_extension_definition = {ROWS_OF(extension_definition), .common = &shape_common,
                                                 .rule = rule_extension_definition};

static const struct prop bundle[] = {
    PROP("type", TYPE_ID, REQ),
    PROP("id", TYPE_ID, REQ),
    PROP("objects", CONTAINER, 0),
};
const struct shape shape_bundle = {ROWS_OF(bundle), .rule = rule_bundle};

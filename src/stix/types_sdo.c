#include "stix/rows.h"

/* Sections 4 (domain objects) and 5 (relationship objects), in the order of the standard. */

static const struct prop attack_pattern[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP("aliases", TEXT, LIST),
    PROP_IS("kill_chain_phases", LIST, kill_chain_phase),
};
const struct shape shape_attack_pattern = {ROWS_OF(attack_pattern), .common = &shape_common};

static const struct prop campaign[] = {
    PROP("name", TEXT, REQ),     PROP("description", TEXT, 0), PROP("aliases", TEXT, LIST),
    PROP("first_seen", TIME, 0), PROP("last_seen", TIME, 0),   PROP("objective", TEXT, 0),
};
const struct shape shape_campaign = {ROWS_OF(campaign), .common = &shape_common, .rule = rule_seen};

static const struct prop course_of_action[] = {
    PROP("name", TEXT, REQ), PROP("description", TEXT, 0), PROP("action", ANY, 0), /* reserved */
};
const struct shape shape_course_of_action = {ROWS_OF(course_of_action), .common = &shape_common};

static const struct prop grouping[] = {
    PROP("name", TEXT, 0),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("context", OPEN, REQ, grouping_context),
    PROP_OF("object_refs", REQ | LIST, TYPE_OBJECT_BITS),
};
const struct shape shape_grouping = {ROWS_OF(grouping), .common = &shape_common};

static const struct prop identity[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP("roles", TEXT, LIST),
    PROP_OUT_OF("identity_class", OPEN, 0, identity_class),
    PROP_OUT_OF("sectors", OPEN, LIST, industry_sector),
    PROP("contact_information", TEXT, 0),
};
const struct shape shape_identity = {ROWS_OF(identity), .common = &shape_common};

static const struct prop incident[] = {
    /* a stub in STIX 2.1 */
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
};
const struct shape shape_incident = {ROWS_OF(incident), .common = &shape_common};

static const struct prop indicator[] = {
    PROP("name", TEXT, 0),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("indicator_types", OPEN, LIST, indicator_type),
    PROP("pattern", TEXT, REQ),
    PROP_OUT_OF("pattern_type", OPEN, REQ, pattern_type),
    PROP("pattern_version", TEXT, 0),
    PROP("valid_from", TIME, REQ),
    PROP("valid_until", TIME, 0),
    PROP_IS("kill_chain_phases", LIST, kill_chain_phase),
};
const struct shape shape_indicator = {ROWS_OF(indicator), .common = &shape_common, .rule = rule_indicator};

static const struct prop infrastructure[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("infrastructure_types", OPEN, LIST, infrastructure_type),
    PROP("aliases", TEXT, LIST),
    PROP_IS("kill_chain_phases", LIST, kill_chain_phase),
    PROP("first_seen", TIME, 0),
    PROP("last_seen", TIME, 0),
};
const struct shape shape_infrastructure = {ROWS_OF(infrastructure), .common = &shape_common, .rule = rule_seen};

static const struct prop intrusion_set[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP("aliases", TEXT, LIST),
    PROP("first_seen", TIME, 0),
    PROP("last_seen", TIME, 0),
    PROP("goals", TEXT, LIST),
    PROP_OUT_OF("resource_level", OPEN, 0, attack_resource_level),
    PROP_OUT_OF("primary_motivation", OPEN, 0, attack_motivation),
    PROP_OUT_OF("secondary_motivations", OPEN, LIST, attack_motivation),
};
const struct shape shape_intrusion_set = {ROWS_OF(intrusion_set), .common = &shape_common, .rule = rule_seen};

static const struct prop location[] = {
    PROP("name", TEXT, 0),
    PROP("description", TEXT, 0),
    PROP_IN("latitude", NUMBER, 0, -90, 90),
    PROP_IN("longitude", NUMBER, 0, -180, 180),
    PROP_IN("precision", NUMBER, 0, 0, 1e12),
    PROP_OUT_OF("region", OPEN, 0, region),
    PROP("country", TEXT, 0),
    PROP("administrative_area", TEXT, 0),
    PROP("city", TEXT, 0),
    PROP("street_address", TEXT, 0),
    PROP("postal_code", TEXT, 0),
};
const struct shape shape_location = {ROWS_OF(location), .common = &shape_common, .rule = rule_location};

static const struct prop malware[] = {
    PROP("name", TEXT, 0),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("malware_types", OPEN, LIST, malware_type),
    PROP("is_family", BOOL, REQ),
    PROP("aliases", TEXT, LIST),
    PROP_IS("kill_chain_phases", LIST, kill_chain_phase),
    PROP("first_seen", TIME, 0),
    PROP("last_seen", TIME, 0),
    PROP_OF("operating_system_refs", LIST, TYPE_BIT(SOFTWARE)),
    PROP_OUT_OF("architecture_execution_envs", OPEN, LIST, processor_architecture),
    PROP_OUT_OF("implementation_languages", OPEN, LIST, implementation_language),
    PROP_OUT_OF("capabilities", OPEN, LIST, malware_capability),
    PROP_OF("sample_refs", LIST, TYPE_BIT(ARTIFACT) | TYPE_BIT(FILE)),
};
const struct shape shape_malware = {ROWS_OF(malware), .common = &shape_common, .rule = rule_malware};

static const struct prop malware_analysis[] = {
    PROP("product", TEXT, REQ),
    PROP("version", TEXT, 0),
    PROP_OF("host_vm_ref", 0, TYPE_BIT(SOFTWARE)),
    PROP_OF("operating_system_ref", 0, TYPE_BIT(SOFTWARE)),
    PROP_OF("installed_software_refs", LIST, TYPE_BIT(SOFTWARE)),
    PROP("configuration_version", TEXT, 0),
    PROP("modules", TEXT, LIST),
    PROP("analysis_engine_version", TEXT, 0),
    PROP("analysis_definition_version", TEXT, 0),
    PROP("submitted", TIME, 0),
    PROP("analysis_started", TIME, 0),
    PROP("analysis_ended", TIME, 0),
    PROP("result_name", TEXT, 0),
    PROP_OUT_OF("result", OPEN, 0, malware_result),
    PROP_OF("analysis_sco_refs", LIST, TYPE_SCO_BITS | TYPE_CUSTOM_BIT),
    PROP_OF("sample_ref", 0, TYPE_BIT(ARTIFACT) | TYPE_BIT(FILE) | TYPE_BIT(NETWORK_TRAFFIC)),
};
const struct shape shape_malware_analysis = {ROWS_OF(malware_analysis), .common = &shape_common,
                                             .rule = rule_malware_analysis};

static const struct prop note[] = {
    PROP("abstract", TEXT, 0),
    PROP("content", TEXT, REQ),
    PROP("authors", TEXT, LIST),
    PROP_OF("object_refs", REQ | LIST, TYPE_OBJECT_BITS),
};
const struct shape shape_note = {ROWS_OF(note), .common = &shape_common};

static const struct prop observed_data[] = {
    PROP("first_observed", TIME, REQ),
    PROP("last_observed", TIME, REQ),
    PROP_IN("number_observed", INT, REQ, 1, 999999999),
    PROP("objects", CONTAINER, 0), /* deprecated */
    PROP_OF("object_refs", LIST, TYPE_SCO_BITS | TYPE_SRO_BITS | TYPE_CUSTOM_BIT),
};
const struct shape shape_observed_data = {ROWS_OF(observed_data), .common = &shape_common, .rule = rule_observed_data};

static const struct prop opinion[] = {
    PROP("explanation", TEXT, 0),
    PROP("authors", TEXT, LIST),
    PROP_OUT_OF("opinion", CLOSED, REQ, opinion),
    PROP_OF("object_refs", REQ | LIST, TYPE_OBJECT_BITS),
};
const struct shape shape_opinion = {ROWS_OF(opinion), .common = &shape_common};

static const struct prop report[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("report_types", OPEN, LIST, report_type),
    PROP("published", TIME, REQ),
    PROP_OF("object_refs", REQ | LIST, TYPE_OBJECT_BITS),
};
const struct shape shape_report = {ROWS_OF(report), .common = &shape_common};

static const struct prop threat_actor[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("threat_actor_types", OPEN, LIST, threat_actor_type),
    PROP("aliases", TEXT, LIST),
    PROP("first_seen", TIME, 0),
    PROP("last_seen", TIME, 0),
    PROP_OUT_OF("roles", OPEN, LIST, threat_actor_role),
    PROP("goals", TEXT, LIST),
    PROP_OUT_OF("sophistication", OPEN, 0, threat_actor_sophistication),
    PROP_OUT_OF("resource_level", OPEN, 0, attack_resource_level),
    PROP_OUT_OF("primary_motivation", OPEN, 0, attack_motivation),
    PROP_OUT_OF("secondary_motivations", OPEN, LIST, attack_motivation),
    PROP_OUT_OF("personal_motivations", OPEN, LIST, attack_motivation),
};
const struct shape shape_threat_actor = {ROWS_OF(threat_actor), .common = &shape_common, .rule = rule_seen};

static const struct prop tool[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
    PROP_OUT_OF("tool_types", OPEN, LIST, tool_type),
    PROP("aliases", TEXT, LIST),
    PROP_IS("kill_chain_phases", LIST, kill_chain_phase),
    PROP("tool_version", TEXT, 0),
};
const struct shape shape_tool = {ROWS_OF(tool), .common = &shape_common};

static const struct prop vulnerability[] = {
    PROP("name", TEXT, REQ),
    PROP("description", TEXT, 0),
};
const struct shape shape_vulnerability = {ROWS_OF(vulnerability), .common = &shape_common};

/* Section 5. A relationship links SDOs, SCOs and custom objects, never another relationship. */

#define LINKED (TYPE_SDO_BITS | TYPE_SCO_BITS | TYPE_CUSTOM_BIT)

static const struct prop relationship[] = {
    PROP("relationship_type", TEXT, REQ), PROP("description", TEXT, 0), PROP_OF("source_ref", REQ, LINKED),
    PROP_OF("target_ref", REQ, LINKED),   PROP("start_time", TIME, 0),  PROP("stop_time", TIME, 0),
};
const struct shape shape_relationship = {ROWS_OF(relationship), .common = &shape_common, .rule = rule_relationship};

static const struct prop sighting[] = {
    PROP("description", TEXT, 0),
    PROP("first_seen", TIME, 0),
    PROP("last_seen", TIME, 0),
    PROP_IN("count", INT, 0, 0, 999999999),
    PROP_OF("sighting_of_ref", REQ, TYPE_SDO_BITS | TYPE_CUSTOM_BIT),
    PROP_OF("observed_data_refs", LIST, TYPE_BIT(OBSERVED_DATA)),
    PROP_OF("where_sighted_refs", LIST, TYPE_BIT(IDENTITY) | TYPE_BIT(LOCATION)),
    PROP("summary", BOOL, 0),
};
const struct shape shape_sighting = {ROWS_OF(sighting), .common = &shape_common, .rule = rule_seen};

/* stix/rules.h: what a table of properties cannot say, one small function a rule. Private to stix/. */
#ifndef STIX_RULES_H
#define STIX_RULES_H

#include "stix/types.h"

rule_fn rule_artifact, rule_body_part, rule_bundle, rule_email_message, rule_extension_definition,
    rule_external_reference, rule_file, rule_granular_marking, rule_indicator, rule_language_content, rule_location,
    rule_malware, rule_malware_analysis, rule_marking_definition, rule_network_traffic, rule_observed_data,
    rule_registry_key, rule_relationship, rule_seen, rule_versions;

bool rule_has(struct json object, struct slice name); /* there, and not null */

#endif

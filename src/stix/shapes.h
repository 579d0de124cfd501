/* stix/shapes.h: the shapes of the types, defined in types_*.c. Private to stix/. */
#ifndef STIX_SHAPES_H
#define STIX_SHAPES_H

#include "stix/types.h"

extern const struct shape shape_attack_pattern, shape_campaign, shape_course_of_action, shape_grouping, shape_identity,
    shape_incident, shape_indicator, shape_infrastructure, shape_intrusion_set, shape_location, shape_malware,
    shape_malware_analysis, shape_note, shape_observed_data, shape_opinion, shape_report, shape_threat_actor,
    shape_tool, shape_vulnerability, shape_relationship, shape_sighting, shape_artifact, shape_autonomous_system,
    shape_directory, shape_domain_name, shape_email_addr, shape_email_message, shape_file, shape_ipv4_addr,
    shape_ipv6_addr, shape_mac_addr, shape_mutex, shape_network_traffic, shape_process, shape_software, shape_url,
    shape_user_account, shape_windows_registry_key, shape_x509_certificate, shape_language_content,
    shape_marking_definition, shape_extension_definition, shape_bundle;

#endif

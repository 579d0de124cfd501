/* stix/words.h: vocabularies and enumerations of STIX 2.1 section 10. Private to stix/. */
#ifndef STIX_WORDS_H
#define STIX_WORDS_H

#include "stix/types.h"

extern const struct words words_account_type, words_attack_motivation, words_attack_resource_level,
    words_encryption_algorithm, words_extension_type, words_grouping_context, words_hash_algorithm,
    words_identity_class, words_implementation_language, words_indicator_type, words_industry_sector,
    words_infrastructure_type, words_malware_capability, words_malware_result, words_malware_type,
    words_network_socket_address_family, words_network_socket_type, words_opinion, words_pattern_type,
    words_processor_architecture, words_region, words_report_type, words_threat_actor_role,
    words_threat_actor_sophistication, words_threat_actor_type, words_tool_type, words_windows_integrity_level,
    words_windows_pe_type, words_windows_registry_type, words_windows_service_start, words_windows_service_status,
    words_windows_service_type;

#endif

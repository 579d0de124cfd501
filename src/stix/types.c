#include "stix/types.h"

#include "stix/shapes.h"

/* Id contributing properties (section 2.9 and the types of section 6), in the order of RFC 8785: by name. */
static const struct slice from_artifact[] = {SLICE_INIT("hashes"), SLICE_INIT("payload_bin"), {NULL, 0}};
static const struct slice from_autonomous_system[] = {SLICE_INIT("number"), {NULL, 0}};
static const struct slice from_directory[] = {SLICE_INIT("path"), {NULL, 0}};
static const struct slice from_value[] = {SLICE_INIT("value"), {NULL, 0}};
static const struct slice from_email_message[] = {
    SLICE_INIT("body"), SLICE_INIT("from_ref"), SLICE_INIT("subject"), {NULL, 0}};
static const struct slice from_file[] = {
    SLICE_INIT("extensions"), SLICE_INIT("hashes"), SLICE_INIT("name"), SLICE_INIT("parent_directory_ref"), {NULL, 0}};
static const struct slice from_name[] = {SLICE_INIT("name"), {NULL, 0}};
static const struct slice from_network_traffic[] = {
    SLICE_INIT("dst_port"),   SLICE_INIT("dst_ref"),   SLICE_INIT("end"),
    SLICE_INIT("extensions"), SLICE_INIT("protocols"), SLICE_INIT("src_port"),
    SLICE_INIT("src_ref"),    SLICE_INIT("start"),     {NULL, 0}};
static const struct slice from_software[] = {SLICE_INIT("cpe"),    SLICE_INIT("name"),    SLICE_INIT("swid"),
                                             SLICE_INIT("vendor"), SLICE_INIT("version"), {NULL, 0}};
static const struct slice from_user_account[] = {
    SLICE_INIT("account_login"), SLICE_INIT("account_type"), SLICE_INIT("user_id"), {NULL, 0}};
static const struct slice from_windows_registry_key[] = {SLICE_INIT("key"), SLICE_INIT("values"), {NULL, 0}};
static const struct slice from_x509_certificate[] = {SLICE_INIT("hashes"), SLICE_INIT("serial_number"), {NULL, 0}};

static const struct stix_type types[TYPE_COUNT] = {
    [TYPE_ATTACK_PATTERN] = {SLICE_INIT("attack-pattern"), STIX_SDO, "4.1", &shape_attack_pattern, NULL},
    [TYPE_CAMPAIGN] = {SLICE_INIT("campaign"), STIX_SDO, "4.2", &shape_campaign, NULL},
    [TYPE_COURSE_OF_ACTION] = {SLICE_INIT("course-of-action"), STIX_SDO, "4.3", &shape_course_of_action, NULL},
    [TYPE_GROUPING] = {SLICE_INIT("grouping"), STIX_SDO, "4.4", &shape_grouping, NULL},
    [TYPE_IDENTITY] = {SLICE_INIT("identity"), STIX_SDO, "4.5", &shape_identity, NULL},
    [TYPE_INCIDENT] = {SLICE_INIT("incident"), STIX_SDO, "4.6", &shape_incident, NULL},
    [TYPE_INDICATOR] = {SLICE_INIT("indicator"), STIX_SDO, "4.7", &shape_indicator, NULL},
    [TYPE_INFRASTRUCTURE] = {SLICE_INIT("infrastructure"), STIX_SDO, "4.8", &shape_infrastructure, NULL},
    [TYPE_INTRUSION_SET] = {SLICE_INIT("intrusion-set"), STIX_SDO, "4.9", &shape_intrusion_set, NULL},
    [TYPE_LOCATION] = {SLICE_INIT("location"), STIX_SDO, "4.10", &shape_location, NULL},
    [TYPE_MALWARE] = {SLICE_INIT("malware"), STIX_SDO, "4.11", &shape_malware, NULL},
    [TYPE_MALWARE_ANALYSIS] = {SLICE_INIT("malware-analysis"), STIX_SDO, "4.12", &shape_malware_analysis, NULL},
    [TYPE_NOTE] = {SLICE_INIT("note"), STIX_SDO, "4.13", &shape_note, NULL},
    [TYPE_OBSERVED_DATA] = {SLICE_INIT("observed-data"), STIX_SDO, "4.14", &shape_observed_data, NULL},
    [TYPE_OPINION] = {SLICE_INIT("opinion"), STIX_SDO, "4.15", &shape_opinion, NULL},
    [TYPE_REPORT] = {SLICE_INIT("report"), STIX_SDO, "4.16", &shape_report, NULL},
    [TYPE_THREAT_ACTOR] = {SLICE_INIT("threat-actor"), STIX_SDO, "4.17", &shape_threat_actor, NULL},
    [TYPE_TOOL] = {SLICE_INIT("tool"), STIX_SDO, "4.18", &shape_tool, NULL},
    [TYPE_VULNERABILITY] = {SLICE_INIT("vulnerability"), STIX_SDO, "4.19", &shape_vulnerability, NULL},
    [TYPE_RELATIONSHIP] = {SLICE_INIT("relationship"), STIX_SRO, "5.1", &shape_relationship, NULL},
    [TYPE_SIGHTING] = {SLICE_INIT("sighting"), STIX_SRO, "5.2", &shape_sighting, NULL},
    [TYPE_ARTIFACT] = {SLICE_INIT("artifact"), STIX_SCO, "6.1", &shape_artifact, from_artifact},
    [TYPE_AUTONOMOUS_SYSTEM] = {SLICE_INIT("autonomous-system"), STIX_SCO, "6.2", &shape_autonomous_system,
                                from_autonomous_system},
    [TYPE_DIRECTORY] = {SLICE_INIT("directory"), STIX_SCO, "6.3", &shape_directory, from_directory},
    [TYPE_DOMAIN_NAME] = {SLICE_INIT("domain-name"), STIX_SCO, "6.4", &shape_domain_name, from_value},
    [TYPE_EMAIL_ADDR] = {SLICE_INIT("email-addr"), STIX_SCO, "6.5", &shape_email_addr, from_value},
    [TYPE_EMAIL_MESSAGE] = {SLICE_INIT("email-message"), STIX_SCO, "6.6", &shape_email_message, from_email_message},
    [TYPE_FILE] = {SLICE_INIT("file"), STIX_SCO, "6.7", &shape_file, from_file},
    [TYPE_IPV4_ADDR] = {SLICE_INIT("ipv4-addr"), STIX_SCO, "6.8", &shape_ipv4_addr, from_value},
    [TYPE_IPV6_ADDR] = {SLICE_INIT("ipv6-addr"), STIX_SCO, "6.9", &shape_ipv6_addr, from_value},
    [TYPE_MAC_ADDR] = {SLICE_INIT("mac-addr"), STIX_SCO, "6.10", &shape_mac_addr, from_value},
    [TYPE_MUTEX] = {SLICE_INIT("mutex"), STIX_SCO, "6.11", &shape_mutex, from_name},
    [TYPE_NETWORK_TRAFFIC] = {SLICE_INIT("network-traffic"), STIX_SCO, "6.12", &shape_network_traffic,
                              from_network_traffic},
    [TYPE_PROCESS] = {SLICE_INIT("process"), STIX_SCO, "6.13", &shape_process, NULL},
    [TYPE_SOFTWARE] = {SLICE_INIT("software"), STIX_SCO, "6.14", &shape_software, from_software},
    [TYPE_URL] = {SLICE_INIT("url"), STIX_SCO, "6.15", &shape_url, from_value},
    [TYPE_USER_ACCOUNT] = {SLICE_INIT("user-account"), STIX_SCO, "6.16", &shape_user_account, from_user_account},
    [TYPE_WINDOWS_REGISTRY_KEY] = {SLICE_INIT("windows-registry-key"), STIX_SCO, "6.17", &shape_windows_registry_key,
                                   from_windows_registry_key},
    [TYPE_X509_CERTIFICATE] = {SLICE_INIT("x509-certificate"), STIX_SCO, "6.18", &shape_x509_certificate,
                               from_x509_certificate},
    [TYPE_LANGUAGE_CONTENT] = {SLICE_INIT("language-content"), STIX_META, "7.1", &shape_language_content, NULL},
    [TYPE_MARKING_DEFINITION] = {SLICE_INIT("marking-definition"), STIX_META, "7.2.1", &shape_marking_definition, NULL},
    [TYPE_EXTENSION_DEFINITION] = {SLICE_INIT("extension-definition"), STIX_META, "7.3", &shape_extension_definition,
                                   NULL},
    [TYPE_BUNDLE] = {SLICE_INIT("bundle"), STIX_BUNDLE, "8", &shape_bundle, NULL},
};

/* A perfect hash over the names above: 1 + their place in the table. test_types.c finds each of them. */
static const uint8_t places[128] = {
    0,  0,  0,  11, 0,  22, 0,  36, 0,  0, 0,  0,  24, 0,  0,  0,  0,  32, 0,  37, 0,  0,  0,  0,  0, 0,
    0,  0,  0,  0,  17, 0,  0,  38, 0,  0, 0,  0,  0,  0,  0,  23, 0,  35, 0,  9,  16, 15, 0,  0,  0, 0,
    0,  12, 39, 1,  0,  0,  20, 0,  33, 0, 0,  26, 0,  2,  10, 8,  13, 0,  0,  5,  0,  0,  0,  6,  0, 7,
    19, 31, 28, 4,  0,  0,  0,  0,  0,  0, 0,  0,  0,  42, 0,  21, 0,  0,  34, 3,  0,  29, 0,  0,  0, 30,
    0,  0,  0,  0,  0,  14, 0,  0,  25, 0, 43, 41, 0,  0,  0,  0,  0,  0,  18, 0,  0,  0,  40, 27,
};

const struct stix_type *stix_type_find(struct slice name)
{
    if (name.len < 3)
        return NULL;
    size_t hash = name.len * 38 + (unsigned char)name.ptr[0] * 45u + (unsigned char)name.ptr[name.len / 3] * 2u +
                  (unsigned char)name.ptr[name.len - 1] * 24u;
    uint8_t place = places[hash % 128];
    return place != 0 && slice_eq(types[place - 1].name, name) ? &types[place - 1] : NULL;
}

enum stix_class stix_type_class(const struct stix_type *t)
{
    return t != NULL ? t->class : STIX_CUSTOM;
}

struct slice stix_type_name(const struct stix_type *t)
{
    return t != NULL ? t->name : slice_n(NULL, 0);
}

enum type_at type_index(const struct stix_type *t)
{
    return (enum type_at)(t - types);
}

bool type_is_in_stix20(const struct stix_type *t)
{
    const uint64_t since = TYPE_BIT(GROUPING) | TYPE_BIT(INCIDENT) | TYPE_BIT(INFRASTRUCTURE) | TYPE_BIT(LOCATION) |
                           TYPE_BIT(MALWARE_ANALYSIS) | TYPE_BIT(NOTE) | TYPE_BIT(OPINION) |
                           TYPE_BIT(LANGUAGE_CONTENT) | TYPE_BIT(EXTENSION_DEFINITION) | TYPE_BIT(BUNDLE) |
                           TYPE_SCO_BITS;

    return (since >> type_index(t) & 1) == 0;
}

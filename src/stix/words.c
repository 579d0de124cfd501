#include "stix/words.h"

bool words_have(const struct words *w, struct slice word)
{
    for (size_t i = 0; i < w->n; i++)
        if (slice_eq(w->items[i], word))
            return true;
    return false;
}

#define WORD(text) SLICE_INIT(text)
#define LIST(array)                                                                                                    \
    {                                                                                                                  \
        array, sizeof(array) / sizeof((array)[0])                                                                      \
    }

/* In the order of STIX 2.1 section 10. "closed" ones are enumerations: no other word is allowed. */

/* account-type */
static const struct slice account_type[] = {
    WORD("facebook"), WORD("ldap"),    WORD("nis"),  WORD("openid"),        WORD("radius"),        WORD("skype"),
    WORD("tacacs"),   WORD("twitter"), WORD("unix"), WORD("windows-local"), WORD("windows-domain")};
const struct words words_account_type = LIST(account_type);

/* attack-motivation */
static const struct slice attack_motivation[] = {WORD("accidental"),    WORD("coercion"),
                                                 WORD("dominance"),     WORD("ideology"),
                                                 WORD("notoriety"),     WORD("organizational-gain"),
                                                 WORD("personal-gain"), WORD("personal-satisfaction"),
                                                 WORD("revenge"),       WORD("unpredictable")};
const struct words words_attack_motivation = LIST(attack_motivation);

/* attack-resource-level */
static const struct slice attack_resource_level[] = {WORD("individual"), WORD("club"),         WORD("contest"),
                                                     WORD("team"),       WORD("organization"), WORD("government")};
const struct words words_attack_resource_level = LIST(attack_resource_level);

/* encryption-algorithm, closed */
static const struct slice encryption_algorithm[] = {WORD("AES-256-GCM"), WORD("ChaCha20-Poly1305"),
                                                    WORD("mime-type-indicated")};
const struct words words_encryption_algorithm = LIST(encryption_algorithm);

/* extension-type, closed */
static const struct slice extension_type[] = {WORD("new-sdo"), WORD("new-sco"), WORD("new-sro"),
                                              WORD("property-extension"), WORD("toplevel-property-extension")};
const struct words words_extension_type = LIST(extension_type);

/* grouping-context */
static const struct slice grouping_context[] = {WORD("suspicious-activity"), WORD("malware-analysis"),
                                                WORD("unspecified")};
const struct words words_grouping_context = LIST(grouping_context);

/* hash-algorithm */
static const struct slice hash_algorithm[] = {WORD("MD5"),      WORD("SHA-1"),    WORD("SHA-256"), WORD("SHA-512"),
                                              WORD("SHA3-256"), WORD("SHA3-512"), WORD("SSDEEP"),  WORD("TLSH")};
const struct words words_hash_algorithm = LIST(hash_algorithm);

/* identity-class */
static const struct slice identity_class[] = {WORD("individual"),   WORD("group"), WORD("system"),
                                              WORD("organization"), WORD("class"), WORD("unknown")};
const struct words words_identity_class = LIST(identity_class);

/* implementation-language */
static const struct slice implementation_language[] = {
    WORD("applescript"),  WORD("bash"),       WORD("c"),     WORD("c++"),         WORD("c#"),    WORD("go"),
    WORD("java"),         WORD("javascript"), WORD("lua"),   WORD("objective-c"), WORD("perl"),  WORD("php"),
    WORD("powershell"),   WORD("python"),     WORD("ruby"),  WORD("scala"),       WORD("swift"), WORD("typescript"),
    WORD("visual-basic"), WORD("x86-32"),     WORD("x86-64")};
const struct words words_implementation_language = LIST(implementation_language);

/* indicator-type */
static const struct slice indicator_type[] = {
    WORD("anomalous-activity"), WORD("anonymization"), WORD("benign"), WORD("compromised"),
    WORD("malicious-activity"), WORD("attribution"),   WORD("unknown")};
const struct words words_indicator_type = LIST(indicator_type);

/* industry-sector */
static const struct slice industry_sector[] = {WORD("agriculture"),
                                               WORD("aerospace"),
                                               WORD("automotive"),
                                               WORD("chemical"),
                                               WORD("commercial"),
                                               WORD("communications"),
                                               WORD("construction"),
                                               WORD("defense"),
                                               WORD("education"),
                                               WORD("energy"),
                                               WORD("entertainment"),
                                               WORD("financial-services"),
                                               WORD("government"),
                                               WORD("emergency-services"),
                                               WORD("government-local"),
                                               WORD("government-national"),
                                               WORD("government-public-services"),
                                               WORD("government-regional"),
                                               WORD("healthcare"),
                                               WORD("hospitality-leisure"),
                                               WORD("infrastructure"),
                                               WORD("dams"),
                                               WORD("nuclear"),
                                               WORD("water"),
                                               WORD("insurance"),
                                               WORD("manufacturing"),
                                               WORD("mining"),
                                               WORD("non-profit"),
                                               WORD("pharmaceuticals"),
                                               WORD("retail"),
                                               WORD("technology"),
                                               WORD("telecommunications"),
                                               WORD("transportation"),
                                               WORD("utilities")};
const struct words words_industry_sector = LIST(industry_sector);

/* infrastructure-type */
static const struct slice infrastructure_type[] = {WORD("amplification"),
                                                   WORD("anonymization"),
                                                   WORD("botnet"),
                                                   WORD("command-and-control"),
                                                   WORD("exfiltration"),
                                                   WORD("hosting-malware"),
                                                   WORD("hosting-target-lists"),
                                                   WORD("phishing"),
                                                   WORD("reconnaissance"),
                                                   WORD("staging"),
                                                   WORD("unknown")};
const struct words words_infrastructure_type = LIST(infrastructure_type);

/* malware-result */
static const struct slice malware_result[] = {WORD("malicious"), WORD("suspicious"), WORD("benign"), WORD("unknown")};
const struct words words_malware_result = LIST(malware_result);

/* malware-capability */
static const struct slice malware_capability[] = {WORD("accesses-remote-machines"),
                                                  WORD("anti-debugging"),
                                                  WORD("anti-disassembly"),
                                                  WORD("anti-emulation"),
                                                  WORD("anti-memory-forensics"),
                                                  WORD("anti-sandbox"),
                                                  WORD("anti-vm"),
                                                  WORD("captures-input-peripherals"),
                                                  WORD("captures-output-peripherals"),
                                                  WORD("captures-system-state-data"),
                                                  WORD("cleans-traces-of-infection"),
                                                  WORD("commits-fraud"),
                                                  WORD("communicates-with-c2"),
                                                  WORD("compromises-data-availability"),
                                                  WORD("compromises-data-integrity"),
                                                  WORD("compromises-system-availability"),
                                                  WORD("controls-local-machine"),
                                                  WORD("degrades-security-software"),
                                                  WORD("degrades-system-updates"),
                                                  WORD("determines-c2-server"),
                                                  WORD("emails-spam"),
                                                  WORD("escalates-privileges"),
                                                  WORD("evades-av"),
                                                  WORD("exfiltrates-data"),
                                                  WORD("fingerprints-host"),
                                                  WORD("hides-artifacts"),
                                                  WORD("hides-executing-code"),
                                                  WORD("infects-files"),
                                                  WORD("infects-remote-machines"),
                                                  WORD("installs-other-components"),
                                                  WORD("persists-after-system-reboot"),
                                                  WORD("prevents-artifact-access"),
                                                  WORD("prevents-artifact-deletion"),
                                                  WORD("probes-network-environment"),
                                                  WORD("self-modifies"),
                                                  WORD("steals-authentication-credentials"),
                                                  WORD("violates-system-operational-integrity")};
const struct words words_malware_capability = LIST(malware_capability);

/* malware-type */
static const struct slice malware_type[] = {WORD("adware"),
                                            WORD("backdoor"),
                                            WORD("bot"),
                                            WORD("bootkit"),
                                            WORD("ddos"),
                                            WORD("downloader"),
                                            WORD("dropper"),
                                            WORD("exploit-kit"),
                                            WORD("keylogger"),
                                            WORD("ransomware"),
                                            WORD("remote-access-trojan"),
                                            WORD("resource-exploitation"),
                                            WORD("rogue-security-software"),
                                            WORD("rootkit"),
                                            WORD("screen-capture"),
                                            WORD("spyware"),
                                            WORD("trojan"),
                                            WORD("unknown"),
                                            WORD("virus"),
                                            WORD("webshell"),
                                            WORD("wiper"),
                                            WORD("worm")};
const struct words words_malware_type = LIST(malware_type);

/* network-socket-address-family, closed */
static const struct slice network_socket_address_family[] = {WORD("AF_UNSPEC"),    WORD("AF_INET"),    WORD("AF_IPX"),
                                                             WORD("AF_APPLETALK"), WORD("AF_NETBIOS"), WORD("AF_INET6"),
                                                             WORD("AF_IRDA"),      WORD("AF_BTH")};
const struct words words_network_socket_address_family = LIST(network_socket_address_family);

/* network-socket-type, closed */
static const struct slice network_socket_type[] = {WORD("SOCK_STREAM"), WORD("SOCK_DGRAM"), WORD("SOCK_RAW"),
                                                   WORD("SOCK_RDM"), WORD("SOCK_SEQPACKET")};
const struct words words_network_socket_type = LIST(network_socket_type);

/* opinion, closed */
static const struct slice opinion[] = {WORD("strongly-disagree"), WORD("disagree"), WORD("neutral"), WORD("agree"),
                                       WORD("strongly-agree")};
const struct words words_opinion = LIST(opinion);

/* pattern-type */
static const struct slice pattern_type[] = {WORD("stix"),  WORD("pcre"),     WORD("sigma"),
                                            WORD("snort"), WORD("suricata"), WORD("yara")};
const struct words words_pattern_type = LIST(pattern_type);

/* processor-architecture */
static const struct slice processor_architecture[] = {WORD("alpha"),   WORD("arm"),   WORD("ia-64"), WORD("mips"),
                                                      WORD("powerpc"), WORD("sparc"), WORD("x86"),   WORD("x86-64")};
const struct words words_processor_architecture = LIST(processor_architecture);

/* region */
static const struct slice region[] = {WORD("africa"),
                                      WORD("eastern-africa"),
                                      WORD("middle-africa"),
                                      WORD("northern-africa"),
                                      WORD("southern-africa"),
                                      WORD("western-africa"),
                                      WORD("americas"),
                                      WORD("latin-america-caribbean"),
                                      WORD("south-america"),
                                      WORD("caribbean"),
                                      WORD("central-america"),
                                      WORD("northern-america"),
                                      WORD("asia"),
                                      WORD("central-asia"),
                                      WORD("eastern-asia"),
                                      WORD("southern-asia"),
                                      WORD("south-eastern-asia"),
                                      WORD("western-asia"),
                                      WORD("europe"),
                                      WORD("eastern-europe"),
                                      WORD("northern-europe"),
                                      WORD("southern-europe"),
                                      WORD("western-europe"),
                                      WORD("oceania"),
                                      WORD("australia-new-zealand"),
                                      WORD("melanesia"),
                                      WORD("micronesia"),
                                      WORD("polynesia"),
                                      WORD("antarctica")};
const struct words words_region = LIST(region);

/* report-type */
static const struct slice report_type[] = {WORD("attack-pattern"), WORD("campaign"),      WORD("identity"),
                                           WORD("indicator"),      WORD("intrusion-set"), WORD("malware"),
                                           WORD("observed-data"),  WORD("threat-actor"),  WORD("threat-report"),
                                           WORD("tool"),           WORD("vulnerability")};
const struct words words_report_type = LIST(report_type);

/* threat-actor-type */
static const struct slice threat_actor_type[] = {WORD("activist"),
                                                 WORD("competitor"),
                                                 WORD("crime-syndicate"),
                                                 WORD("criminal"),
                                                 WORD("hacker"),
                                                 WORD("insider-accidental"),
                                                 WORD("insider-disgruntled"),
                                                 WORD("nation-state"),
                                                 WORD("sensationalist"),
                                                 WORD("spy"),
                                                 WORD("terrorist"),
                                                 WORD("unknown")};
const struct words words_threat_actor_type = LIST(threat_actor_type);

/* threat-actor-role */
static const struct slice threat_actor_role[] = {WORD("agent"),
                                                 WORD("director"),
                                                 WORD("independent"),
                                                 WORD("infrastructure-architect"),
                                                 WORD("infrastructure-operator"),
                                                 WORD("malware-author"),
                                                 WORD("sponsor")};
const struct words words_threat_actor_role = LIST(threat_actor_role);

/* threat-actor-sophistication */
static const struct slice threat_actor_sophistication[] = {WORD("none"),     WORD("minimal"), WORD("intermediate"),
                                                           WORD("advanced"), WORD("expert"),  WORD("innovator"),
                                                           WORD("strategic")};
const struct words words_threat_actor_sophistication = LIST(threat_actor_sophistication);

/* tool-type */
static const struct slice tool_type[] = {
    WORD("denial-of-service"),       WORD("exploitation"),  WORD("information-gathering"),  WORD("network-capture"),
    WORD("credential-exploitation"), WORD("remote-access"), WORD("vulnerability-scanning"), WORD("unknown")};
const struct words words_tool_type = LIST(tool_type);

/* windows-integrity-level, closed */
static const struct slice windows_integrity_level[] = {WORD("low"), WORD("medium"), WORD("high"), WORD("system")};
const struct words words_windows_integrity_level = LIST(windows_integrity_level);

/* windows-pe-type */
static const struct slice windows_pe_type[] = {WORD("dll"), WORD("exe"), WORD("sys")};
const struct words words_windows_pe_type = LIST(windows_pe_type);

/* windows-registry-type, closed */
static const struct slice windows_registry_type[] = {WORD("REG_NONE"),
                                                     WORD("REG_SZ"),
                                                     WORD("REG_EXPAND_SZ"),
                                                     WORD("REG_BINARY"),
                                                     WORD("REG_DWORD"),
                                                     WORD("REG_DWORD_BIG_ENDIAN"),
                                                     WORD("REG_DWORD_LITTLE_ENDIAN"),
                                                     WORD("REG_LINK"),
                                                     WORD("REG_MULTI_SZ"),
                                                     WORD("REG_RESOURCE_LIST"),
                                                     WORD("REG_FULL_RESOURCE_DESCRIPTION"),
                                                     WORD("REG_RESOURCE_REQUIREMENTS_LIST"),
                                                     WORD("REG_QWORD"),
                                                     WORD("REG_INVALID_TYPE")};
const struct words words_windows_registry_type = LIST(windows_registry_type);

/* windows-service-start, closed */
static const struct slice windows_service_start[] = {WORD("SERVICE_AUTO_START"), WORD("SERVICE_BOOT_START"),
                                                     WORD("SERVICE_DEMAND_START"), WORD("SERVICE_DISABLED"),
                                                     WORD("SERVICE_SYSTEM_ALERT")};
const struct words words_windows_service_start = LIST(windows_service_start);

/* windows-service-type, closed */
static const struct slice windows_service_type[] = {WORD("SERVICE_KERNEL_DRIVER"), WORD("SERVICE_FILE_SYSTEM_DRIVER"),
                                                    WORD("SERVICE_WIN32_OWN_PROCESS"),
                                                    WORD("SERVICE_WIN32_SHARE_PROCESS")};
const struct words words_windows_service_type = LIST(windows_service_type);

/* windows-service-status, closed */
static const struct slice windows_service_status[] = {
    WORD("SERVICE_CONTINUE_PENDING"), WORD("SERVICE_PAUSE_PENDING"), WORD("SERVICE_PAUSED"), WORD("SERVICE_RUNNING"),
    WORD("SERVICE_START_PENDING"),    WORD("SERVICE_STOP_PENDING"),  WORD("SERVICE_STOPPED")};
const struct words words_windows_service_status = LIST(windows_service_status);

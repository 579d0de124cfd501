#include "stix/rows.h"

/* Section 6: cyber-observable objects, in the order of the standard; predefined extensions stand before their type. */

#define ADDRESSES (TYPE_BIT(IPV4_ADDR) | TYPE_BIT(IPV6_ADDR))
#define MACS      TYPE_BIT(MAC_ADDR)
#define FILES     (TYPE_BIT(FILE) | TYPE_BIT(DIRECTORY))

static const struct prop artifact[] = {
    PROP("mime_type", MEDIA, 0),
    PROP("payload_bin", BINARY, 0),
    PROP("url", LINK, 0),
    PROP("hashes", HASHES, 0),
    PROP_OUT_OF("encryption_algorithm", CLOSED, 0, encryption_algorithm),
    PROP("decryption_key", TEXT, 0),
};
const struct shape shape_artifact = {ROWS_OF(artifact), .common = &shape_common_sco, .rule = rule_artifact};

static const struct prop autonomous_system[] = {
    PROP_IN("number", INT, REQ, 0, 4294967295.0),
    PROP("name", TEXT, 0),
    PROP("rir", TEXT, 0),
};
const struct shape shape_autonomous_system = {ROWS_OF(autonomous_system), .common = &shape_common_sco};

static const struct prop directory[] = {
    PROP("path", TEXT, REQ), PROP("path_enc", CHARSET, 0), PROP("ctime", TIME, 0),
    PROP("mtime", TIME, 0),  PROP("atime", TIME, 0),       PROP_OF("contains_refs", LIST, FILES),
};
const struct shape shape_directory = {ROWS_OF(directory), .common = &shape_common_sco};

static const struct prop domain_name[] = {
    PROP_OBSERVED("value", DOMAIN),
    PROP_OF("resolves_to_refs", LIST, ADDRESSES | TYPE_BIT(DOMAIN_NAME)), /* deprecated */
};
const struct shape shape_domain_name = {ROWS_OF(domain_name), .common = &shape_common_sco};

static const struct prop email_addr[] = {
    PROP_OBSERVED("value", EMAIL),
    PROP("display_name", TEXT, 0),
    PROP_OF("belongs_to_ref", 0, TYPE_BIT(USER_ACCOUNT)),
};
const struct shape shape_email_addr = {ROWS_OF(email_addr), .common = &shape_common_sco};

static const struct prop body_part[] = {
    PROP("body", TEXT, 0),
    PROP_OF("body_raw_ref", 0, TYPE_BIT(ARTIFACT) | TYPE_BIT(FILE)),
    PROP("content_type", TEXT, 0),
    PROP("content_disposition", TEXT, 0),
};
static const struct shape shape_body_part = {ROWS_OF(body_part), .name = SLICE_INIT("MIME part"),
                                             .rule = rule_body_part};

static const struct prop email_message[] = {
    PROP("is_multipart", BOOL, REQ),
    PROP("date", TIME, 0),
    PROP("content_type", TEXT, 0),
    PROP_OF("from_ref", 0, TYPE_BIT(EMAIL_ADDR)),
    PROP_OF("sender_ref", 0, TYPE_BIT(EMAIL_ADDR)),
    PROP_OF("to_refs", LIST, TYPE_BIT(EMAIL_ADDR)),
    PROP_OF("cc_refs", LIST, TYPE_BIT(EMAIL_ADDR)),
    PROP_OF("bcc_refs", LIST, TYPE_BIT(EMAIL_ADDR)),
    PROP("message_id", TEXT, 0),
    PROP("subject", TEXT, 0),
    PROP("received_lines", TEXT, LIST),
    PROP("additional_header_fields", DICT, 0),
    PROP("body", TEXT, 0),
    PROP_IS("body_multipart", LIST, body_part),
    PROP_OF("raw_email_ref", 0, TYPE_BIT(ARTIFACT)),
};
const struct shape shape_email_message = {ROWS_OF(email_message), .common = &shape_common_sco,
                                          .rule = rule_email_message};

/* 6.7 file and its extensions */

static const struct prop archive_ext[] = {
    PROP_OF("contains_refs", REQ | LIST, FILES),
    PROP("comment", TEXT, 0),
};
static const struct shape shape_archive_ext = {ROWS_OF(archive_ext), .name = SLICE_INIT("archive-ext")};

static const struct prop alternate_data_stream[] = {
    PROP("name", TEXT, REQ),
    PROP("hashes", HASHES, 0),
    PROP_IN("size", INT, 0, 0, NO_MAX),
};
static const struct shape shape_alternate_data_stream = {ROWS_OF(alternate_data_stream),
                                                         .name = SLICE_INIT("alternate-data-stream")};

static const struct prop ntfs_ext[] = {
    PROP("sid", TEXT, 0),
    PROP_IS("alternate_data_streams", LIST, alternate_data_stream),
};
static const struct shape shape_ntfs_ext = {ROWS_OF(ntfs_ext), .name = SLICE_INIT("ntfs-ext"), .at_least_one = true};

static const struct prop pdf_ext[] = {
    PROP("version", TEXT, 0), PROP("is_optimized", BOOL, 0), PROP("document_info_dict", DICT, 0),
    PROP("pdfid0", TEXT, 0),  PROP("pdfid1", TEXT, 0),
};
static const struct shape shape_pdf_ext = {ROWS_OF(pdf_ext), .name = SLICE_INIT("pdf-ext"), .at_least_one = true};

static const struct prop raster_image_ext[] = {
    PROP("image_height", INT, 0),
    PROP("image_width", INT, 0),
    PROP("bits_per_pixel", INT, 0),
    PROP("exif_tags", DICT, 0),
};
static const struct shape shape_raster_image_ext = {ROWS_OF(raster_image_ext), .name = SLICE_INIT("raster-image-ext"),
                                                    .at_least_one = true};

static const struct prop pe_optional_header[] = {
    PROP("magic_hex", HEX, 0),
    PROP("major_linker_version", INT, 0),
    PROP("minor_linker_version", INT, 0),
    PROP_IN("size_of_code", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_initialized_data", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_uninitialized_data", INT, 0, 0, NO_MAX),
    PROP("address_of_entry_point", INT, 0),
    PROP("base_of_code", INT, 0),
    PROP("base_of_data", INT, 0),
    PROP("image_base", INT, 0),
    PROP("section_alignment", INT, 0),
    PROP("file_alignment", INT, 0),
    PROP("major_os_version", INT, 0),
    PROP("minor_os_version", INT, 0),
    PROP("major_image_version", INT, 0),
    PROP("minor_image_version", INT, 0),
    PROP("major_subsystem_version", INT, 0),
    PROP("minor_subsystem_version", INT, 0),
    PROP("win32_version_value_hex", HEX, 0),
    PROP_IN("size_of_image", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_headers", INT, 0, 0, NO_MAX),
    PROP("checksum_hex", HEX, 0),
    PROP("subsystem_hex", HEX, 0),
    PROP("dll_characteristics_hex", HEX, 0),
    PROP_IN("size_of_stack_reserve", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_stack_commit", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_heap_reserve", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_heap_commit", INT, 0, 0, NO_MAX),
    PROP("loader_flags_hex", HEX, 0),
    PROP("number_of_rva_and_sizes", INT, 0),
    PROP("hashes", HASHES, 0),
};
static const struct shape shape_pe_optional_header = {ROWS_OF(pe_optional_header),
                                                      .name = SLICE_INIT("optional header"), .at_least_one = true};

static const struct prop pe_section[] = {
    PROP("name", TEXT, REQ),
    PROP_IN("size", INT, 0, 0, NO_MAX),
    PROP("entropy", NUMBER, 0),
    PROP("hashes", HASHES, 0),
};
static const struct shape shape_pe_section = {ROWS_OF(pe_section), .name = SLICE_INIT("section")};

static const struct prop windows_pebinary_ext[] = {
    PROP_OUT_OF("pe_type", OPEN, REQ, windows_pe_type),
    PROP("imphash", TEXT, 0),
    PROP("machine_hex", HEX, 0),
    PROP_IN("number_of_sections", INT, 0, 0, NO_MAX),
    PROP("time_date_stamp", TIME, 0),
    PROP("pointer_to_symbol_table_hex", HEX, 0),
    PROP_IN("number_of_symbols", INT, 0, 0, NO_MAX),
    PROP_IN("size_of_optional_header", INT, 0, 0, NO_MAX),
    PROP("characteristics_hex", HEX, 0),
    PROP("file_header_hashes", HASHES, 0),
    PROP_IS("optional_header", 0, pe_optional_header),
    PROP_IS("sections", LIST, pe_section),
};
static const struct shape shape_windows_pebinary_ext = {ROWS_OF(windows_pebinary_ext),
                                                        .name = SLICE_INIT("windows-pebinary-ext")};

static const struct prop file[] = {
    PROP("hashes", HASHES, 0),
    PROP_IN("size", INT, 0, 0, NO_MAX),
    PROP("name", TEXT, 0),
    PROP("name_enc", CHARSET, 0),
    PROP("magic_number_hex", HEX, 0),
    PROP("mime_type", TEXT, 0),
    PROP("ctime", TIME, 0),
    PROP("mtime", TIME, 0),
    PROP("atime", TIME, 0),
    PROP_OF("parent_directory_ref", 0, TYPE_BIT(DIRECTORY)),
    PROP_OF("contains_refs", LIST, TYPE_SCO_BITS | TYPE_CUSTOM_BIT),
    PROP_OF("content_ref", 0, TYPE_BIT(ARTIFACT)),
};
static const struct shape *const file_extensions[] = {
    &shape_archive_ext, &shape_ntfs_ext, &shape_pdf_ext, &shape_raster_image_ext, &shape_windows_pebinary_ext, NULL};
const struct shape shape_file = {ROWS_OF(file), .common = &shape_common_sco, .extensions = file_extensions,
                                 .rule = rule_file};

static const struct prop ipv4_addr[] = {
    PROP_OBSERVED("value", IPV4),
    PROP_OF("resolves_to_refs", LIST, MACS), /* deprecated, as the next */
    PROP_OF("belongs_to_refs", LIST, TYPE_BIT(AUTONOMOUS_SYSTEM)),
};
const struct shape shape_ipv4_addr = {ROWS_OF(ipv4_addr), .common = &shape_common_sco};

static const struct prop ipv6_addr[] = {
    PROP_OBSERVED("value", IPV6),
    PROP_OF("resolves_to_refs", LIST, MACS),
    PROP_OF("belongs_to_refs", LIST, TYPE_BIT(AUTONOMOUS_SYSTEM)),
};
const struct shape shape_ipv6_addr = {ROWS_OF(ipv6_addr), .common = &shape_common_sco};

static const struct prop mac_addr[] = {
    PROP_OBSERVED("value", OTHER)}; /* OTHER on this type: six pairs of lower-case hex */
const struct shape shape_mac_addr = {ROWS_OF(mac_addr), .common = &shape_common_sco};

static const struct prop mutex[] = {PROP("name", TEXT, REQ)};
const struct shape shape_mutex = {ROWS_OF(mutex), .common = &shape_common_sco};

/* 6.12 network-traffic and its extensions */

static const struct prop http_request_ext[] = {
    PROP("request_method", TEXT, REQ),   PROP("request_value", TEXT, REQ),
    PROP("request_version", TEXT, 0),    PROP("request_header", DICT, 0),
    PROP("message_body_length", INT, 0), PROP_OF("message_body_data_ref", 0, TYPE_BIT(ARTIFACT)),
};
static const struct shape shape_http_request_ext = {ROWS_OF(http_request_ext), .name = SLICE_INIT("http-request-ext")};

static const struct prop icmp_ext[] = {PROP("icmp_type_hex", HEX, REQ), PROP("icmp_code_hex", HEX, REQ)};
static const struct shape shape_icmp_ext = {ROWS_OF(icmp_ext), .name = SLICE_INIT("icmp-ext")};

static const struct prop socket_ext[] = {
    PROP_OUT_OF("address_family", CLOSED, REQ, network_socket_address_family),
    PROP("is_blocking", BOOL, 0),
    PROP("is_listening", BOOL, 0),
    PROP("options", DICT, 0),
    PROP_OUT_OF("socket_type", CLOSED, 0, network_socket_type),
    PROP_IN("socket_descriptor", INT, 0, 0, NO_MAX),
    PROP("socket_handle", INT, 0),
};
static const struct shape shape_socket_ext = {ROWS_OF(socket_ext), .name = SLICE_INIT("socket-ext")};

static const struct prop tcp_ext[] = {PROP("src_flags_hex", HEX, 0), PROP("dst_flags_hex", HEX, 0)};
static const struct shape shape_tcp_ext = {ROWS_OF(tcp_ext), .name = SLICE_INIT("tcp-ext"), .at_least_one = true};

#define ENDPOINTS (ADDRESSES | MACS | TYPE_BIT(DOMAIN_NAME))

static const struct prop network_traffic[] = {
    PROP("start", TIME, 0),
    PROP("end", TIME, 0),
    PROP("is_active", BOOL, 0),
    PROP_OF("src_ref", 0, ENDPOINTS),
    PROP_OF("dst_ref", 0, ENDPOINTS),
    PROP_IN("src_port", INT, 0, 0, 65535),
    PROP_IN("dst_port", INT, 0, 0, 65535),
    PROP("protocols", TEXT, REQ | LIST),
    PROP_IN("src_byte_count", INT, 0, 0, NO_MAX),
    PROP_IN("dst_byte_count", INT, 0, 0, NO_MAX),
    PROP_IN("src_packets", INT, 0, 0, NO_MAX),
    PROP_IN("dst_packets", INT, 0, 0, NO_MAX),
    PROP("ipfix", DICT, 0),
    PROP_OF("src_payload_ref", 0, TYPE_BIT(ARTIFACT)),
    PROP_OF("dst_payload_ref", 0, TYPE_BIT(ARTIFACT)),
    PROP_OF("encapsulates_refs", LIST, TYPE_BIT(NETWORK_TRAFFIC)),
    PROP_OF("encapsulated_by_ref", 0, TYPE_BIT(NETWORK_TRAFFIC)),
};
static const struct shape *const network_traffic_extensions[] = {&shape_http_request_ext, &shape_icmp_ext,
                                                                 &shape_socket_ext, &shape_tcp_ext, NULL};
const struct shape shape_network_traffic = {ROWS_OF(network_traffic), .common = &shape_common_sco,
                                            .extensions = network_traffic_extensions, .rule = rule_network_traffic};

/* 6.13 process and its extensions */

static const struct prop windows_process_ext[] = {
    PROP("aslr_enabled", BOOL, 0),
    PROP("dep_enabled", BOOL, 0),
    PROP("priority", TEXT, 0),
    PROP("owner_sid", TEXT, 0),
    PROP("window_title", TEXT, 0),
    PROP("startup_info", DICT, 0),
    PROP_OUT_OF("integrity_level", CLOSED, 0, windows_integrity_level),
};
static const struct shape shape_windows_process_ext = {ROWS_OF(windows_process_ext),
                                                       .name = SLICE_INIT("windows-process-ext"), .at_least_one = true};

static const struct prop windows_service_ext[] = {
    PROP("service_name", TEXT, 0),
    PROP("descriptions", TEXT, LIST),
    PROP("display_name", TEXT, 0),
    PROP("group_name", TEXT, 0),
    PROP_OUT_OF("start_type", CLOSED, 0, windows_service_start),
    PROP_OF("service_dll_refs", LIST, TYPE_BIT(FILE)),
    PROP_OUT_OF("service_type", CLOSED, 0, windows_service_type),
    PROP_OUT_OF("service_status", CLOSED, 0, windows_service_status),
};
static const struct shape shape_windows_service_ext = {ROWS_OF(windows_service_ext),
                                                       .name = SLICE_INIT("windows-service-ext"), .at_least_one = true};

static const struct prop process[] = {
    PROP("extensions", EXTENSIONS, 0), /* common, and here one of those that suffice */
    PROP("is_hidden", BOOL, 0),
    PROP("pid", INT, 0),
    PROP("created_time", TIME, 0),
    PROP("cwd", TEXT, 0),
    PROP("command_line", TEXT, 0),
    PROP("environment_variables", DICT, 0),
    PROP_OF("opened_connection_refs", LIST, TYPE_BIT(NETWORK_TRAFFIC)),
    PROP_OF("creator_user_ref", 0, TYPE_BIT(USER_ACCOUNT)),
    PROP_OF("image_ref", 0, TYPE_BIT(FILE)),
    PROP_OF("parent_ref", 0, TYPE_BIT(PROCESS)),
    PROP_OF("child_refs", LIST, TYPE_BIT(PROCESS)),
};
static const struct shape *const process_extensions[] = {&shape_windows_process_ext, &shape_windows_service_ext, NULL};
const struct shape shape_process = {ROWS_OF(process), .common = &shape_common_sco, .extensions = process_extensions,
                                    .at_least_one = true};

static const struct prop software[] = {
    PROP("name", TEXT, REQ),           PROP("cpe", CPE, 0),     PROP("swid", TEXT, 0),
    PROP("languages", LANGUAGE, LIST), PROP("vendor", TEXT, 0), PROP("version", TEXT, 0),
};
const struct shape shape_software = {ROWS_OF(software), .common = &shape_common_sco};

static const struct prop url[] = {PROP_OBSERVED("value", URL)};
const struct shape shape_url = {ROWS_OF(url), .common = &shape_common_sco};

/* 6.16 user-account and its extension */

static const struct prop unix_account_ext[] = {
    PROP("gid", INT, 0),
    PROP("groups", TEXT, LIST),
    PROP("home_dir", TEXT, 0),
    PROP("shell", TEXT, 0),
};
static const struct shape shape_unix_account_ext = {ROWS_OF(unix_account_ext), .name = SLICE_INIT("unix-account-ext"),
                                                    .at_least_one = true};

static const struct prop user_account[] = {
    PROP("extensions", EXTENSIONS, 0),
    PROP("user_id", TEXT, 0),
    PROP("credential", TEXT, 0),
    PROP("account_login", TEXT, 0),
    PROP_OUT_OF("account_type", OPEN, 0, account_type),
    PROP("display_name", TEXT, 0),
    PROP("is_service_account", BOOL, 0),
    PROP("is_privileged", BOOL, 0),
    PROP("can_escalate_privs", BOOL, 0),
    PROP("is_disabled", BOOL, 0),
    PROP("account_created", TIME, 0),
    PROP("account_expires", TIME, 0),
    PROP("credential_last_changed", TIME, 0),
    PROP("account_first_login", TIME, 0),
    PROP("account_last_login", TIME, 0),
};
static const struct shape *const user_account_extensions[] = {&shape_unix_account_ext, NULL};
const struct shape shape_user_account = {ROWS_OF(user_account), .common = &shape_common_sco,
                                         .extensions = user_account_extensions, .at_least_one = true};

static const struct prop registry_value[] = {
    PROP("name", TEXT, 0),
    PROP("data", TEXT, 0),
    PROP_OUT_OF("data_type", CLOSED, 0, windows_registry_type),
};
static const struct shape shape_registry_value = {ROWS_OF(registry_value), .name = SLICE_INIT("registry value"),
                                                  .at_least_one = true};

static const struct prop windows_registry_key[] = {
    PROP("key", TEXT, 0),
    PROP_IS("values", LIST, registry_value),
    PROP("modified_time", TIME, 0),
    PROP_OF("creator_user_ref", 0, TYPE_BIT(USER_ACCOUNT)),
    PROP_IN("number_of_subkeys", INT, 0, 0, NO_MAX),
};
const struct shape shape_windows_registry_key = {ROWS_OF(windows_registry_key), .common = &shape_common_sco,
                                                 .at_least_one = true, .rule = rule_registry_key};

static const struct prop x509_v3_extensions[] = {
    PROP("basic_constraints", TEXT, 0),
    PROP("name_constraints", TEXT, 0),
    PROP("policy_constraints", TEXT, 0),
    PROP("key_usage", TEXT, 0),
    PROP("extended_key_usage", TEXT, 0),
    PROP("subject_key_identifier", TEXT, 0),
    PROP("authority_key_identifier", TEXT, 0),
    PROP("subject_alternative_name", TEXT, 0),
    PROP("issuer_alternative_name", TEXT, 0),
    PROP("subject_directory_attributes", TEXT, 0),
    PROP("crl_distribution_points", TEXT, 0),
    PROP("inhibit_any_policy", TEXT, 0),
    PROP("private_key_usage_period_not_before", TIME, 0),
    PROP("private_key_usage_period_not_after", TIME, 0),
    PROP("certificate_policies", TEXT, 0),
    PROP("policy_mappings", TEXT, 0),
};
static const struct shape shape_x509_v3_extensions = {ROWS_OF(x509_v3_extensions),
                                                      .name = SLICE_INIT("X.509 v3 extensions"), .at_least_one = true};

static const struct prop x509_certificate[] = {
    PROP("is_self_signed", BOOL, 0),
    PROP("hashes", HASHES, 0),
    PROP("version", TEXT, 0),
    PROP("serial_number", TEXT, 0),
    PROP("signature_algorithm", TEXT, 0),
    PROP("issuer", TEXT, 0),
    PROP("validity_not_before", TIME, 0),
    PROP("validity_not_after", TIME, 0),
    PROP("subject", TEXT, 0),
    PROP("subject_public_key_algorithm", TEXT, 0),
    PROP("subject_public_key_modulus", TEXT, 0),
    PROP("subject_public_key_exponent", INT, 0),
    PROP_IS("x509_v3_extensions", 0, x509_v3_extensions),
};
const struct shape shape_x509_certificate = {ROWS_OF(x509_certificate), .common = &shape_common_sco,
                                             .at_least_one = true};

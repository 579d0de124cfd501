#include "stix/rules.h"

#include "base/time.h"
#include "stix/internal.h"

/* What the rows of the types table cannot say. Kinds were checked before: a value of the wrong kind was told there and
   is passed over here. */

bool rule_has(struct json object, struct slice name)
{
    enum json_kind kind = json_kind(json_get(object, name));

    return kind != JSON_ABSENT && kind != JSON_NULL;
}

static struct slice text_of(struct check *c, struct json object, struct slice name)
{
    return json_string(c->arena, json_get(object, name));
}

/* The later time may not be before the earlier one, nor equal to it where `strictly`. */
static void order_check(struct check *c, struct json object, struct slice earlier, struct slice later, bool strictly,
                        enum weight weight)
{
    struct json first = json_get(object, earlier), second = json_get(object, later);
    int64_t from, until;

    if (json_kind(first) == JSON_ABSENT || json_kind(second) == JSON_ABSENT)
        return;
    if (!time_parse_stix(json_string(c->arena, first), &from) ||
        !time_parse_stix(json_string(c->arena, second), &until))
        return;
    if (until < from || (strictly && until == from))
        check_report(c, weight, ERR_STIX_RULE, second, NULL, "\"" SLICE_FMT "\" must be later than %s\"" SLICE_FMT "\"",
                     SLICE_ARG(later), strictly ? "" : "or equal to ", SLICE_ARG(earlier));
}

/* Section 3.2: modified is not before created. Versions are told apart by modified alone, so an earlier one still
 * works. */
void rule_versions(struct check *c, struct json object)
{
    const struct stix_object *o = c->object;

    if (object.at == o->json.at && o->has_modified && o->modified_us >= o->created_us && o->created_us > 0)
        return; /* read already */
    order_check(c, object, SLICE("created"), SLICE("modified"), false, SOFT);
}

/* Campaign, infrastructure, intrusion set, malware, threat actor, sighting. */
void rule_seen(struct check *c, struct json object)
{
    order_check(c, object, SLICE("first_seen"), SLICE("last_seen"), false, SOFT);
}

/* ---- section 4 ---- */

/* file:hashes.'SHA-256' = '...' that no file can have: found only by whoever looks for it in vain (AIS carried SHA-256
 * values as MD5). */
static void pattern_hash_check(struct check *c, struct json at, const struct stix_node *node)
{
    const struct stix_step *algorithm = node->path->next;

    if (!slice_eq(node->path->name, SLICE("hashes")) || algorithm == NULL || algorithm->kind != STIX_STEP_NAME ||
        (node->op != STIX_EQ && node->op != STIX_IN))
        return;
    for (const struct stix_const *v = node->constant; v != NULL; v = v->next)
        if (v->kind == STIX_STRING && !kind_is_hash(algorithm->name, v->text))
            check_report(c, SOFT, ERR_STIX_VALUE, at, NULL, "offset %u: \"" SLICE_FMT "\" is not a " SLICE_FMT " hash",
                         node->offset, SLICE_ARG(slice_to(v->text, 80)), SLICE_ARG(algorithm->name));
}

/* Names in the pattern that the grammar allows and section 3.1 does not: f:name, file:n. */
static void pattern_names_check(struct check *c, struct json at, const struct stix_node *node)
{
    if (node->kind == STIX_CMP)
        pattern_hash_check(c, at, node);
    if (node->kind == STIX_CMP || node->kind == STIX_EXISTS) {
        if (node->type.len < 3)
            check_report(c, SOFT, ERR_PATTERN_SYNTAX, at, NULL,
                         "offset %u: the object type \"" SLICE_FMT "\" is shorter than 3 characters", node->offset,
                         SLICE_ARG(node->type));
        if (node->path->name.len < 3 && !slice_eq(node->path->name, SLICE("id")))
            check_report(c, SOFT, ERR_PATTERN_SYNTAX, at, NULL,
                         "offset %u: the property \"" SLICE_FMT "\" is shorter than 3 characters", node->offset,
                         SLICE_ARG(node->path->name));
        return;
    }
    pattern_names_check(c, at, node->left);
    if (node->right != NULL)
        pattern_names_check(c, at, node->right);
}

static void pattern_check(struct check *c, struct json object)
{
    struct json v = json_get(object, SLICE("pattern"));
    const struct stix_pattern *pattern;
    struct err err = ERR_INIT;

    if (json_kind(v) != JSON_STRING || !slice_eq(text_of(c, object, SLICE("pattern_type")), SLICE("stix")))
        return;
    struct slice text = json_string(c->arena, v);
    if (text.len == 0)
        return;
    if (stix_pattern_parse(c->arena, text, &pattern, &err) != 0)
        check_report(c, HARD, err.code, v, NULL, "%s", err.text);
    else
        pattern_names_check(c, v, pattern->root);
}

void rule_indicator(struct check *c, struct json object)
{
    order_check(c, object, SLICE("valid_from"), SLICE("valid_until"), true, HARD);
    pattern_check(c, object);
    if (!rule_has(object, SLICE("name")) || !rule_has(object, SLICE("description")))
        check_report(c, NOTE, ERR_STIX_ADVICE, object, rule_has(object, SLICE("name")) ? "description" : "name",
                     "an indicator should have a name and a description");
    if (!rule_has(object, SLICE("indicator_types")))
        check_report(c, NOTE, ERR_STIX_ADVICE, object, "indicator_types",
                     "an indicator should tell its indicator_types");
}

void rule_location(struct check *c, struct json object)
{
    bool latitude = rule_has(object, SLICE("latitude")), longitude = rule_has(object, SLICE("longitude"));

    if (latitude != longitude)
        check_report(c, HARD, ERR_STIX_RULE, object, latitude ? "longitude" : "latitude",
                     "latitude and longitude stand together or not at all");
    if (rule_has(object, SLICE("precision")) && !(latitude && longitude))
        check_report(c, SOFT, ERR_STIX_RULE, object, "precision",
                     "precision says something only beside latitude and longitude");
    if (!latitude && !longitude && !rule_has(object, SLICE("region")) && !rule_has(object, SLICE("country")))
        check_report(c, SOFT, ERR_STIX_RULE, object, NULL,
                     "a location has a region, a country, or latitude and longitude");
}

void rule_malware(struct check *c, struct json object)
{
    bool is_family = false;

    rule_seen(c, object);
    if (json_bool(json_get(object, SLICE("is_family")), &is_family) && is_family && !rule_has(object, SLICE("name")))
        check_report(c, HARD, ERR_STIX_REQUIRED, object, "name", "a malware family has a name");
}

void rule_malware_analysis(struct check *c, struct json object)
{
    if (!rule_has(object, SLICE("result")) && !rule_has(object, SLICE("analysis_sco_refs")))
        check_report(c, HARD, ERR_STIX_RULE, object, NULL, "a malware-analysis has a result or analysis_sco_refs");
}

void rule_observed_data(struct check *c, struct json object)
{
    order_check(c, object, SLICE("first_observed"), SLICE("last_observed"), false, SOFT);
    if (rule_has(object, SLICE("objects")) == rule_has(object, SLICE("object_refs")))
        check_report(c, HARD, ERR_STIX_RULE, object, NULL,
                     "an observed-data has object_refs (or the deprecated objects), and not both");
}

/* ---- section 5 ---- */

void rule_relationship(struct check *c, struct json object)
{
    struct slice type = text_of(c, object, SLICE("relationship_type"));

    order_check(c, object, SLICE("start_time"), SLICE("stop_time"), true, SOFT);
    for (size_t i = 0; i < type.len; i++)
        if (!((type.ptr[i] >= 'a' && type.ptr[i] <= 'z') || (type.ptr[i] >= '0' && type.ptr[i] <= '9') ||
              type.ptr[i] == '-')) {
            check_report(c, SOFT, ERR_STIX_VALUE, json_get(object, SLICE("relationship_type")), NULL,
                         "a relationship_type has only a to z, 0 to 9 and hyphens");
            return;
        }
}

/* ---- section 6 ---- */

void rule_artifact(struct check *c, struct json object)
{
    bool payload = rule_has(object, SLICE("payload_bin")), url = rule_has(object, SLICE("url"));

    if (payload == url)
        check_report(c, HARD, ERR_STIX_RULE, object, NULL, "an artifact has either payload_bin or url");
    if (url && !rule_has(object, SLICE("hashes")))
        check_report(c, HARD, ERR_STIX_REQUIRED, object, "hashes", "an artifact behind a url has hashes");
    if (rule_has(object, SLICE("decryption_key")) && !rule_has(object, SLICE("encryption_algorithm")))
        check_report(c, SOFT, ERR_STIX_RULE, object, "decryption_key",
                     "a decryption_key stands only beside an encryption_algorithm");
}

void rule_body_part(struct check *c, struct json object)
{
    if (rule_has(object, SLICE("body")) == rule_has(object, SLICE("body_raw_ref")))
        check_report(c, SOFT, ERR_STIX_RULE, object, NULL, "a MIME part has either body or body_raw_ref");
}

void rule_email_message(struct check *c, struct json object)
{
    bool multipart;

    if (!json_bool(json_get(object, SLICE("is_multipart")), &multipart))
        return;
    if (multipart && rule_has(object, SLICE("body")))
        check_report(c, HARD, ERR_STIX_RULE, object, "body", "a message of several parts has body_multipart, not body");
    if (!multipart && rule_has(object, SLICE("body_multipart")))
        check_report(c, HARD, ERR_STIX_RULE, object, "body_multipart",
                     "a message of one part has body, not body_multipart");
}

void rule_file(struct check *c, struct json object)
{
    if (!rule_has(object, SLICE("hashes")) && !rule_has(object, SLICE("name")))
        check_report(c, HARD, ERR_STIX_RULE, object, NULL, "a file has hashes or a name");
}

void rule_network_traffic(struct check *c, struct json object)
{
    bool is_active = false;

    order_check(c, object, SLICE("start"), SLICE("end"), false, SOFT);
    if (!rule_has(object, SLICE("src_ref")) && !rule_has(object, SLICE("dst_ref")))
        check_report(c, HARD, ERR_STIX_RULE, object, NULL, "network-traffic has a src_ref or a dst_ref");
    if (json_bool(json_get(object, SLICE("is_active")), &is_active) && is_active && rule_has(object, SLICE("end")))
        check_report(c, HARD, ERR_STIX_RULE, object, "end", "traffic that is active has not ended");
}

void rule_registry_key(struct check *c, struct json object)
{
    static const struct slice hives[] = {SLICE_INIT("HKLM"), SLICE_INIT("HKCC"), SLICE_INIT("HKCR"), SLICE_INIT("HKCU"),
                                         SLICE_INIT("HKU")};
    struct json v = json_get(object, SLICE("key"));
    struct slice key = json_string(c->arena, v), hive;

    if (!slice_cut(&key, '\\', &hive))
        return;
    for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++)
        if (slice_eq_nocase(hives[i], hive))
            check_report(c, SOFT, ERR_STIX_VALUE, v, NULL,
                         "the hive is written out, not \"" SLICE_FMT "\": HKEY_LOCAL_MACHINE, ...", SLICE_ARG(hive));
}

/* ---- section 2.5 ---- */

static bool is_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len != 0;
}

static bool is_cve(struct slice s)
{
    return s.len >= 13 && slice_starts(s, SLICE("CVE-")) && is_digits(slice_n(s.ptr + 4, 4)) && s.ptr[8] == '-' &&
           is_digits(slice_from(s, 9));
}

void rule_external_reference(struct check *c, struct json object)
{
    struct json v = json_get(object, SLICE("external_id"));
    struct slice source = text_of(c, object, SLICE("source_name")), id = json_string(c->arena, v);

    if (!rule_has(object, SLICE("external_id")) && !rule_has(object, SLICE("description")) &&
        !rule_has(object, SLICE("url")))
        check_report(c, SOFT, ERR_STIX_RULE, object, NULL,
                     "an external reference has a description, a url or an external_id");
    if (id.ptr == NULL)
        return;
    if (slice_eq_nocase(source, SLICE("cve")) && !slice_eq(source, SLICE("cve")) && is_cve(id))
        check_report(c, SOFT, ERR_STIX_VALUE, json_get(object, SLICE("source_name")), NULL,
                     "the source of a CVE id is written \"cve\"");
    if (slice_eq(source, SLICE("cve")) && !is_cve(id))
        check_report(c, SOFT, ERR_STIX_VALUE, v, NULL, "a CVE id looks like CVE-2026-12345");
    if (slice_eq(source, SLICE("capec")) && !(slice_starts(id, SLICE("CAPEC-")) && is_digits(slice_from(id, 6))))
        check_report(c, SOFT, ERR_STIX_VALUE, v, NULL, "a CAPEC id looks like CAPEC-163");
}

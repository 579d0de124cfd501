#include "base/time.h"
#include "stix/internal.h"
#include "stix/words.h"

#include <stdlib.h>

/* One small function a kind of property; the table at the end names them. */
typedef void kind_fn(struct check *c, struct json v, const struct prop *prop);

static void wrong(struct check *c, struct json v, const struct prop *prop, const char *what)
{
    check_report(c, HARD, ERR_STIX_VALUE, v, NULL, "\"" SLICE_FMT "\" must be %s", SLICE_ARG(prop->name), what);
}

/* ---- scalars ---- */

static void any_check(struct check *c, struct json v, const struct prop *prop)
{
}

static void text_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING)
        wrong(c, v, prop, "a string");
}

static void bool_check(struct check *c, struct json v, const struct prop *prop)
{
    bool value;

    if (!json_bool(v, &value))
        wrong(c, v, prop, "true or false, without quotes");
}

/* A row without min and max takes any number. */
static void range_check(struct check *c, struct json v, const struct prop *prop, double value)
{
    if ((prop->min == 0 && prop->max == 0) || (value >= prop->min && value <= prop->max))
        return;
    check_report(c, HARD, ERR_STIX_VALUE, v, NULL, "\"" SLICE_FMT "\" must be between %.10g and %.10g",
                 SLICE_ARG(prop->name), prop->min, prop->max);
}

static void int_check(struct check *c, struct json v, const struct prop *prop)
{
    int64_t value;

    if (!json_int(v, &value))
        wrong(c, v, prop, "a whole number, without quotes");
    else
        range_check(c, v, prop, (double)value);
}

static void number_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_NUMBER) {
        wrong(c, v, prop, "a number, without quotes");
        return;
    }
    double value = strtod(arena_copy(c->arena, json_raw(v)).ptr, NULL);
    range_check(c, v, prop, value);
}

static bool time_check(struct check *c, struct json v, const struct prop *prop)
{
    int64_t us;

    if (json_kind(v) == JSON_STRING && time_parse_stix(json_string(c->arena, v), &us))
        return true;
    check_report(c, HARD, ERR_STIX_TIMESTAMP, v, NULL,
                 "\"" SLICE_FMT "\" must be a UTC time like 2026-01-02T03:04:05.678Z, on a day that exists",
                 SLICE_ARG(prop->name));
    return false;
}

static void time_any_check(struct check *c, struct json v, const struct prop *prop)
{
    time_check(c, v, prop);
}

static void time_ms_check(struct check *c, struct json v, const struct prop *prop)
{
    if (!time_check(c, v, prop))
        return;
    struct slice text = json_string(c->arena, v);
    if (text.len < sizeof("2026-01-02T03:04:05.678Z") - 1)
        check_report(c, SOFT, ERR_STIX_TIMESTAMP, v, NULL,
                     "\"" SLICE_FMT "\" must have milliseconds (STIX 2.1 section 3.2)", SLICE_ARG(prop->name));
}

/* ---- words ---- */

static void closed_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING || !words_have(prop->words, json_string(c->arena, v)))
        check_report(c, HARD, ERR_STIX_VALUE, v, NULL,
                     "\"" SLICE_FMT "\" must be one of its enumeration, for example \"" SLICE_FMT "\"",
                     SLICE_ARG(prop->name), SLICE_ARG(prop->words->items[0]));
}

static void open_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING) {
        wrong(c, v, prop, "a string");
        return;
    }
    struct slice word = json_string(c->arena, v);
    if (!words_have(prop->words, word))
        check_report(c, NOTE, ERR_STIX_VALUE, v, NULL,
                     "\"" SLICE_FMT "\" is not in the open vocabulary of \"" SLICE_FMT "\"",
                     SLICE_ARG(slice_to(word, 80)), SLICE_ARG(prop->name));
}

static bool is_alnum(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* RFC 5646 section 2.1, well-formed: a language of 2 to 8 letters (or x, i), then subtags of 1 to 8 letters and digits.
   The language must be a registered one; whether the registry knows the other subtags changes month by month and is
   not asked. */
bool kind_is_language(struct slice s)
{
    struct slice rest = s, part;

    for (bool first = true; slice_cut(&rest, '-', &part); first = false) {
        if (part.len == 0 || part.len > 8)
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (!is_alnum(part.ptr[i]) || (first && part.ptr[i] <= '9'))
                return false;
        if (first && part.len == 1 && (rest.ptr == NULL || memchr("xXiI", part.ptr[0], 4) == NULL))
            return false;
        if (first && part.len != 1 && !language_is_registered(part))
            return false;
    }
    return s.len != 0;
}

bool kind_is_type_name(struct slice s)
{
    if (s.len < 3 || s.len > 250 || s.ptr[0] < 'a' || s.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-') ||
            (i != 0 && s.ptr[i] == '-' && s.ptr[i - 1] == '-'))
            return false;
    return !slice_eq(s, SLICE("action")); /* reserved */
}

static void language_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING || !kind_is_language(json_string(c->arena, v)))
        check_report(c, SOFT, ERR_STIX_VALUE, v, NULL,
                     "\"" SLICE_FMT "\" must be a language tag of RFC 5646, like \"en\" or \"pt-BR\"",
                     SLICE_ARG(prop->name));
}

/* RFC 3986: a scheme, a colon, and no blank or control character. */
static bool is_uri(struct slice s)
{
    size_t colon = slice_find(s, SLICE(":"));

    if (colon == 0 || colon >= s.len - (s.len != 0) || !(is_alnum(s.ptr[0]) && s.ptr[0] > '9'))
        return false;
    for (size_t i = 0; i < colon; i++)
        if (!is_alnum(s.ptr[i]) && memchr("+-.", s.ptr[i], 3) == NULL)
            return false;
    for (size_t i = colon; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static void named_check(struct check *c, struct json v, const struct prop *prop, bool (*is_good)(struct slice),
                        const char *what)
{
    if (json_kind(v) != JSON_STRING)
        wrong(c, v, prop, "a string");
    else if (!is_good(json_string(c->arena, v)))
        check_report(c, SOFT, ERR_STIX_VALUE, v, NULL, "\"" SLICE_FMT "\" must be %s", SLICE_ARG(prop->name), what);
}

static void media_check(struct check *c, struct json v, const struct prop *prop)
{
    named_check(c, v, prop, media_type_is_registered, "a media type of the IANA registry, like \"text/plain\"");
}

static void charset_check(struct check *c, struct json v, const struct prop *prop)
{
    named_check(c, v, prop, charset_is_registered, "a character set of the IANA registry, like \"UTF-8\"");
}

static void cpe_check(struct check *c, struct json v, const struct prop *prop)
{
    named_check(c, v, prop, cpe_is_formatted, "a CPE 2.3 name: \"cpe:2.3:\" and eleven fields");
}

static void link_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING)
        wrong(c, v, prop, "a string");
    else if (!is_uri(json_string(c->arena, v)))
        check_report(c, SOFT, ERR_STIX_VALUE, v, NULL,
                     "\"" SLICE_FMT "\" must be a URL with its scheme, like https://example.com/",
                     SLICE_ARG(prop->name));
}

/* ---- identifiers ---- */

static bool reference_allowed(const struct prop *prop, struct slice type)
{
    const struct stix_type *t = stix_type_find(type);

    return (prop->types & (t != NULL ? UINT64_C(1) << type_index(t) : TYPE_CUSTOM_BIT)) != 0;
}

/* What is said about who may see an object and what relates to what must be right; a maker or an observable's neighbour
   of the wrong type is understood all the same. */
static enum weight reference_weight(const struct check *c, const struct prop *prop)
{
    bool is_marking = prop->types == TYPE_BIT(MARKING_DEFINITION), is_maker = prop->types == TYPE_BIT(IDENTITY);

    return is_marking || (!is_maker && stix_type_class(c->object->kind) != STIX_SCO) ? HARD : SOFT;
}

static void reference_check(struct check *c, struct json v, const struct prop *prop)
{
    struct stix_id id;

    if (json_kind(v) != JSON_STRING) {
        wrong(c, v, prop, "an identifier");
        return;
    }
    if (c->in_container)
        return;
    struct slice text = json_string(c->arena, v);
    if (!stix_id_parse(text, &id))
        check_report(c, HARD, ERR_STIX_ID, v, NULL,
                     "\"" SLICE_FMT "\" is not an identifier: a type, two hyphens and a UUID are expected",
                     SLICE_ARG(slice_to(text, 100)));
    else if (!reference_allowed(prop, id.type))
        check_report(c, reference_weight(c, prop), ERR_STIX_REFERENCE, v, NULL,
                     "\"" SLICE_FMT "\" may not name an object of type \"" SLICE_FMT "\"", SLICE_ARG(prop->name),
                     SLICE_ARG(slice_to(id.type, 80)));
    else if (id.version == 0)
        check_report(c, SOFT, ERR_STIX_ID, v, NULL,
                     "the UUID of this reference has a version or variant that RFC 9562 does not know");
}

static void version_check(struct check *c, struct json v, const struct prop *prop)
{
    struct slice text = json_string(c->arena, v);

    if (!slice_eq(text, SLICE("2.1")) &&
        !(slice_eq(text, SLICE("2.0")) && stix_type_class(c->object->kind) == STIX_SCO))
        check_report(c, HARD, ERR_STIX_VERSION, v, NULL, "\"spec_version\" must be the string \"2.1\"");
}

/* ---- dictionaries ---- */

static bool is_hex_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') && !((s.ptr[i] | 32) >= 'a' && (s.ptr[i] | 32) <= 'f'))
            return false;
    return true;
}

bool kind_is_hash(struct slice name, struct slice value)
{
    static const struct {
        struct slice name;
        size_t digits;
    } sizes[] = {
        {SLICE_INIT("MD5"), 32},      {SLICE_INIT("SHA-1"), 40},    {SLICE_INIT("SHA-256"), 64},
        {SLICE_INIT("SHA-512"), 128}, {SLICE_INIT("SHA3-256"), 64}, {SLICE_INIT("SHA3-512"), 128},
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (slice_eq(sizes[i].name, name))
            return value.len == sizes[i].digits && is_hex_digits(value);
    return true;
}

static bool is_key(struct slice key, size_t min)
{
    for (size_t i = 0; i < key.len; i++)
        if (!is_alnum(key.ptr[i]) && key.ptr[i] != '_' && key.ptr[i] != '-')
            return false;
    return key.len >= min && key.len <= 250;
}

static void hashes_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_OBJECT) {
        wrong(c, v, prop, "a dictionary of hashes");
        return;
    }
    json_each (hash, v) {
        struct slice name = json_key(c->arena, hash), value = json_string(c->arena, hash);
        if (json_kind(hash) != JSON_STRING || value.len == 0)
            check_report(c, HARD, ERR_STIX_VALUE, hash, NULL, "a hash is a string");
        else if (!kind_is_hash(name, value))
            check_report(c, HARD, ERR_STIX_VALUE, hash, NULL,
                         "not a " SLICE_FMT " hash: %zu characters, or not hexadecimal", SLICE_ARG(name), value.len);
        else if (!is_key(name, 3))
            check_report(c, SOFT, ERR_STIX_VALUE, hash, NULL,
                         "the name of a hash has 3 to 250 letters, digits, hyphens or underscores");
        else if (!words_have(&words_hash_algorithm, name))
            check_report(c, NOTE, ERR_STIX_VALUE, hash, NULL,
                         "\"" SLICE_FMT "\" is not a hash name of STIX 2.1 (MD5, SHA-1, SHA-256, ...)",
                         SLICE_ARG(slice_to(name, 80)));
    }
}

static void dict_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_OBJECT) {
        wrong(c, v, prop, "a dictionary (an object)");
        return;
    }
    json_each (entry, v) {
        if (!is_key(json_key(c->arena, entry), 1))
            check_report(c, SOFT, ERR_STIX_VALUE, entry, NULL,
                         "a dictionary's key has up to 250 letters, digits, hyphens or underscores");
        else if (json_kind(entry) == JSON_NULL)
            check_report(c, SOFT, ERR_STIX_EMPTY, entry, NULL, "null is no value in STIX: leave it out instead");
    }
}

static void shape_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) == JSON_OBJECT)
        check_shape(c, v, prop->shape);
    else
        wrong(c, v, prop, "an object");
}

static void extensions_check(struct check *c, struct json v, const struct prop *prop)
{
    wrong(c, v, prop, "a dictionary of extensions"); /* objects go to check_extensions */
}

static void container_check(struct check *c, struct json v, const struct prop *prop)
{
    check_container(c, v);
}

/* ---- encodings ---- */

static void binary_check(struct check *c, struct json v, const struct prop *prop)
{
    struct slice s = json_string(c->arena, v);
    size_t padding = slice_ends(s, SLICE("==")) ? 2 : slice_ends(s, SLICE("=")) ? 1 : 0;
    bool good = json_kind(v) == JSON_STRING && s.len != 0 && s.len % 4 == 0;

    for (size_t i = 0; good && i < s.len - padding; i++)
        good = is_alnum(s.ptr[i]) || s.ptr[i] == '+' || s.ptr[i] == '/';
    if (!good)
        wrong(c, v, prop, "base64 with its padding (RFC 4648 section 4)");
}

static void hex_check(struct check *c, struct json v, const struct prop *prop)
{
    struct slice s = json_string(c->arena, v);

    if (json_kind(v) != JSON_STRING || s.len % 2 != 0 || !is_hex_digits(s))
        wrong(c, v, prop, "pairs of hexadecimal digits");
}

/* Section 7.2.3.1: names and [n], parted by dots. */
static bool is_selector(struct slice s)
{
    struct slice rest = s, part;

    for (bool first = true; slice_cut(&rest, '.', &part); first = false) {
        bool is_index = part.len >= 3 && part.ptr[0] == '[' && part.ptr[part.len - 1] == ']';
        uint64_t index;
        if (part.len == 0 || part.len > 250 || (first && is_index))
            return false;
        if (is_index && !slice_u64(slice_n(part.ptr + 1, part.len - 2), &index))
            return false;
        if (!is_index && !is_key(part, 1))
            return false;
    }
    return s.len != 0;
}

static void selector_check(struct check *c, struct json v, const struct prop *prop)
{
    if (json_kind(v) != JSON_STRING || !is_selector(json_string(c->arena, v)))
        check_report(c, HARD, ERR_STIX_VALUE, v, NULL,
                     "not a selector: property names and [n] are parted by dots, like \"labels.[0]\"");
}

static bool is_mac(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (i % 3 == 2 ? s.ptr[i] != ':'
                       : !((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return s.len == 17;
}

/* An address that is none cannot be compared with anything; names, URLs and mail addresses come in forms that consumers
 * manage. */
static void observed_check(struct check *c, struct json v, const struct prop *prop)
{
    enum stix_value_kind kind;
    struct slice normal, text = json_string(c->arena, v);
    bool is_address = prop->value == STIX_VALUE_IPV4 || prop->value == STIX_VALUE_IPV6;

    if (json_kind(v) != JSON_STRING) {
        wrong(c, v, prop, "a string");
        return;
    }
    if (prop->value == STIX_VALUE_OTHER ? is_mac(text) : prop->value == STIX_VALUE_URL && is_uri(text))
        return;
    if (prop->value < STIX_VALUE_OTHER &&
        stix_value_normal(c->arena, prop->value, text, false, &kind, &normal, NULL) == 0)
        return;
    check_report(c, is_address ? HARD : SOFT, ERR_STIX_VALUE, v, NULL,
                 "\"" SLICE_FMT "\" is not a value of this type%s", SLICE_ARG(slice_to(text, 120)),
                 prop->value == STIX_VALUE_OTHER ? ": six pairs of lower-case hexadecimal digits, parted by colons"
                                                 : "");
}

void check_value(struct check *c, struct json v, const struct prop *prop)
{
    static kind_fn *const kinds[] = {
        [PROP_ANY] = any_check,           [PROP_TEXT] = text_check,
        [PROP_BOOL] = bool_check,         [PROP_INT] = int_check,
        [PROP_NUMBER] = number_check,     [PROP_TIME] = time_any_check,
        [PROP_TIME_MS] = time_ms_check,   [PROP_REF] = reference_check,
        [PROP_CLOSED] = closed_check,     [PROP_OPEN] = open_check,
        [PROP_HASHES] = hashes_check,     [PROP_DICT] = dict_check,
        [PROP_SHAPE] = shape_check,       [PROP_EXTENSIONS] = extensions_check,
        [PROP_BINARY] = binary_check,     [PROP_HEX] = hex_check,
        [PROP_LANGUAGE] = language_check, [PROP_LINK] = link_check,
        [PROP_SELECTOR] = selector_check, [PROP_TYPE_ID] = any_check,
        [PROP_VERSION] = version_check,   [PROP_CONTAINER] = container_check,
        [PROP_VALUE] = observed_check,    [PROP_MEDIA] = media_check,
        [PROP_CHARSET] = charset_check,   [PROP_CPE] = cpe_check,
    };

    kinds[prop->kind](c, v, prop);
}

/* ---- properties that no row knows (section 11) ---- */

bool kind_is_property_name(struct slice key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!((key.ptr[i] >= 'a' && key.ptr[i] <= 'z') || (key.ptr[i] >= '0' && key.ptr[i] <= '9') ||
              key.ptr[i] == '_'))
            return false;
    return key.len >= 3 && key.len <= 250 && key.ptr[0] > '9';
}

void check_custom(struct check *c, struct json v, struct slice key)
{
    static const struct slice reserved[] = {SLICE_INIT("severity"), SLICE_INIT("action"), SLICE_INIT("username"),
                                            SLICE_INIT("phone_numbers")};
    bool is_empty_list = json_kind(v) == JSON_ARRAY && json_count(v) == 0;

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (slice_eq(reserved[i], key)) {
            check_report(c, SOFT, ERR_STIX_RULE, v, NULL,
                         "\"" SLICE_FMT "\" is a reserved name: name the property otherwise", SLICE_ARG(key));
            return;
        }
    if (!kind_is_property_name(key))
        check_report(c, SOFT, ERR_STIX_SYNTAX, v, NULL,
                     "a property's name has 3 to 250 characters, of a to z, 0 to 9 and underscore");
    else if (is_empty_list || json_kind(v) == JSON_NULL)
        check_report(c, SOFT, ERR_STIX_EMPTY, v, NULL, "\"" SLICE_FMT "\" is %s: leave it out instead",
                     SLICE_ARG(slice_to(key, 80)), is_empty_list ? "an empty list" : "null");
    else if (!c->has_top_level)
        check_report(c, NOTE, ERR_STIX_SYNTAX, v, NULL,
                     "\"" SLICE_FMT "\" is not a property of STIX 2.1: kept, but nothing here reads it",
                     SLICE_ARG(slice_to(key, 80)));
}

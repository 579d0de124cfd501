#include "stix/value.h"

struct slice stix_value_kind_name(enum stix_value_kind kind)
{
    static const struct slice names[STIX_VALUE_KINDS] = {
        [STIX_VALUE_NONE] = SLICE_INIT("none"),         [STIX_VALUE_IPV4] = SLICE_INIT("ipv4-addr"),
        [STIX_VALUE_IPV4_NET] = SLICE_INIT("ipv4-net"), [STIX_VALUE_IPV6] = SLICE_INIT("ipv6-addr"),
        [STIX_VALUE_IPV6_NET] = SLICE_INIT("ipv6-net"), [STIX_VALUE_DOMAIN] = SLICE_INIT("domain-name"),
        [STIX_VALUE_URL] = SLICE_INIT("url"),           [STIX_VALUE_EMAIL] = SLICE_INIT("email-addr"),
        [STIX_VALUE_MD5] = SLICE_INIT("md5"),           [STIX_VALUE_SHA1] = SLICE_INIT("sha-1"),
        [STIX_VALUE_SHA256] = SLICE_INIT("sha-256"),    [STIX_VALUE_SHA512] = SLICE_INIT("sha-512"),
        [STIX_VALUE_OTHER] = SLICE_INIT("other"),
    };

    return (unsigned)kind < STIX_VALUE_KINDS ? names[kind] : names[STIX_VALUE_NONE];
}

struct slice stix_hash_name(struct slice name)
{
    static const struct {
        struct slice plain, name;
    } names[] = {
        {SLICE_INIT("md5"), SLICE_INIT("MD5")},          {SLICE_INIT("sha1"), SLICE_INIT("SHA-1")},
        {SLICE_INIT("sha256"), SLICE_INIT("SHA-256")},   {SLICE_INIT("sha512"), SLICE_INIT("SHA-512")},
        {SLICE_INIT("sha3256"), SLICE_INIT("SHA3-256")}, {SLICE_INIT("sha3512"), SLICE_INIT("SHA3-512")},
        {SLICE_INIT("ssdeep"), SLICE_INIT("SSDEEP")},    {SLICE_INIT("tlsh"), SLICE_INIT("TLSH")},
        {SLICE_INIT("sha224"), SLICE_INIT("SHA-224")},   {SLICE_INIT("sha384"), SLICE_INIT("SHA-384")},
        {SLICE_INIT("imphash"), SLICE_INIT("IMPHASH")},  {SLICE_INIT("vhash"), SLICE_INIT("VHASH")},
    };
    char plain[16];
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '-' || c == '_')
            continue;
        if (n == sizeof(plain))
            return slice_n("", 0);
        plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_eq(slice_n(plain, n), names[i].plain))
            return names[i].name;
    return slice_n("", 0);
}

/* By length alone: a producer who writes a SHA-256 under "MD5" means the SHA-256, and lengths cannot collide. */
static bool hash_normal(struct arena *a, struct slice text, enum stix_value_kind *kind_out, struct slice *normal_out)
{
    switch (text.len) {
    case 32:
        *kind_out = STIX_VALUE_MD5;
        break;
    case 40:
        *kind_out = STIX_VALUE_SHA1;
        break;
    case 64:
        *kind_out = STIX_VALUE_SHA256;
        break;
    case 128:
        *kind_out = STIX_VALUE_SHA512;
        break;
    default:
        return false;
    }
    char *out = arena_alloc(a, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        out[i] = (char)(c >= 'A' && c <= 'F' ? c + 32 : c);
        if (!((out[i] >= '0' && out[i] <= '9') || (out[i] >= 'a' && out[i] <= 'f')))
            return false;
    }
    out[text.len] = '\0';
    *normal_out = slice_n(out, text.len);
    return true;
}

static bool value_as(struct arena *a, enum stix_value_kind kind, struct slice text, enum stix_value_kind *kind_out,
                     struct slice *normal_out)
{
    *kind_out = kind;
    switch (kind) {
    case STIX_VALUE_IPV4:
    case STIX_VALUE_IPV4_NET:
        return value_ipv4(a, text, kind_out, normal_out);
    case STIX_VALUE_IPV6:
    case STIX_VALUE_IPV6_NET:
        return value_ipv6(a, text, kind_out, normal_out);
    case STIX_VALUE_DOMAIN:
        return value_domain(a, text, normal_out);
    case STIX_VALUE_URL:
        return value_url(a, text, normal_out);
    case STIX_VALUE_EMAIL:
        return value_email(a, text, normal_out);
    case STIX_VALUE_MD5:
    case STIX_VALUE_SHA1:
    case STIX_VALUE_SHA256:
    case STIX_VALUE_SHA512:
        return hash_normal(a, text, kind_out, normal_out);
    default:
        *normal_out = text;
        return kind == STIX_VALUE_OTHER && text.len != 0;
    }
}

int stix_value_normal(struct arena *a, enum stix_value_kind kind, struct slice text, bool defanged,
                      enum stix_value_kind *kind_out, struct slice *normal_out, struct err *err)
{
    struct slice plain = kind == STIX_VALUE_OTHER ? text : slice_trim(text);
    struct slice name = stix_value_kind_name(kind);

    if (text.len > VALUE_MAX)
        return err_set(err, ERR_STIX_VALUE, "", "a value of %zu bytes: at most %d are compared", text.len, VALUE_MAX);
    if (defanged && kind != STIX_VALUE_OTHER)
        plain = value_refang(a, plain);
    if (plain.len != 0 && value_as(a, kind, plain, kind_out, normal_out))
        return 0;
    if (kind >= STIX_VALUE_MD5 && kind <= STIX_VALUE_SHA512)
        return err_set(err, ERR_STIX_VALUE, "",
                       "\"" SLICE_FMT "\" is not a hash: 32, 40, 64 or 128 hexadecimal digits are expected",
                       SLICE_ARG(slice_to(text, 140)));
    return err_set(err, ERR_STIX_VALUE, "", "\"" SLICE_FMT "\" is not a value of kind " SLICE_FMT,
                   SLICE_ARG(slice_to(text, 140)), SLICE_ARG(name));
}

/* The last label of a name in running text: two letters or more, or an A-label. */
static bool has_top_level(struct slice name)
{
    size_t at = name.len;

    while (at > 0 && name.ptr[at - 1] != '.')
        at--;
    struct slice last = slice_from(name, at);
    if (at == 0 || last.len < 2)
        return false;
    if (slice_starts(last, SLICE("xn--")))
        return true;
    for (size_t i = 0; i < last.len; i++)
        if (last.ptr[i] < 'a' || last.ptr[i] > 'z')
            return false;
    return true;
}

enum stix_value_kind stix_value_guess(struct slice text)
{
    static const enum stix_value_kind order[] = {STIX_VALUE_IPV4, STIX_VALUE_IPV6,  STIX_VALUE_SHA256,
                                                 STIX_VALUE_URL,  STIX_VALUE_EMAIL, STIX_VALUE_DOMAIN};
    enum stix_value_kind kind = STIX_VALUE_NONE;
    struct arena scratch = ARENA_INIT;
    struct slice normal;
    bool found = false;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !found; i++)
        found = stix_value_normal(&scratch, order[i], text, true, &kind, &normal, NULL) == 0 &&
                ((kind != STIX_VALUE_DOMAIN && kind != STIX_VALUE_EMAIL) || has_top_level(normal));
    arena_free(&scratch);
    return found ? kind : STIX_VALUE_NONE;
}

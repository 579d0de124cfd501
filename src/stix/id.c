#include "stix/internal.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/crypto.h"

#if defined(__SSE2__)
/* Sixteen bytes at a time: hexadecimal, but a hyphen where the mask has a bit. Every object, and every reference of
   one, passes here. */
static bool is_hex16(const char *p, int hyphens)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), small = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1)));
    __m128i letter =
        _mm_and_si128(_mm_cmpgt_epi8(small, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(small, _mm_set1_epi8('f' + 1)));
    int hex = _mm_movemask_epi8(_mm_or_si128(digit, letter));

    return (hex | hyphens) == 0xffff && _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('-'))) == hyphens;
}

/* 8-4-4-4-12 hexadecimal digits */
static bool is_uuid(struct slice s)
{
    return s.len == 36 && is_hex16(s.ptr, 1 << 8 | 1 << 13) && is_hex16(s.ptr + 16, 1 << 2 | 1 << 7) &&
           is_hex16(s.ptr + 20, 1 << 3);
}
#else
static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 8-4-4-4-12 hexadecimal digits */
static bool is_uuid(struct slice s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_hyphen ? s.ptr[i] != '-' : !is_hex(s.ptr[i]))
            return false;
    }
    return true;
}
#endif

bool stix_id_parse(struct slice text, struct stix_id *out)
{
    if (text.len < 1 + 2 + 36)
        return false;
    struct slice type = slice_to(text, text.len - 38), uuid = slice_from(text, text.len - 36);
    if (type.len > 250 || memcmp(text.ptr + type.len, "--", 2) != 0 || !is_uuid(uuid))
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!((type.ptr[i] >= 'a' && type.ptr[i] <= 'z') || (type.ptr[i] >= '0' && type.ptr[i] <= '9') ||
              type.ptr[i] == '-' || type.ptr[i] == '_')) /* "_": custom types of STIX 2.0 age */
            return false;
    char version = uuid.ptr[14], variant = (char)(uuid.ptr[19] | 0x20); /* '8' and '9' have that bit */
    *out = (struct stix_id){type, uuid, 0};
    if (version >= '1' && version <= '8' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b'))
        out->version = version - '0';
    return true;
}

/* Of several hashes one contributes: the first there is of these, else the first of all (section 2.9). */
static void hash_put(struct arena *a, struct buf *out, struct json hashes)
{
    static const struct slice order[] = {SLICE_INIT("MD5"), SLICE_INIT("SHA-1"), SLICE_INIT("SHA-256"),
                                         SLICE_INIT("SHA-512")};
    struct json chosen = json_first(hashes);
    struct slice name = json_key(a, chosen);

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct json v = json_get(hashes, order[i]);
        if (json_kind(v) != JSON_ABSENT) {
            chosen = v;
            name = order[i];
            break;
        }
    }
    buf_put_byte(out, '{');
    stix_canon_string(out, name);
    buf_put_byte(out, ':');
    stix_canon(a, out, chosen);
    buf_put_byte(out, '}');
}

static bool contributing_put(struct arena *a, struct buf *out, struct json object, const struct slice *names)
{
    bool any = false;

    buf_put_byte(out, '{');
    for (const struct slice *name = names; name->ptr != NULL; name++) {
        struct json v = json_get(object, *name);
        if (json_kind(v) == JSON_ABSENT)
            continue;
        if (any)
            buf_put_byte(out, ',');
        any = true;
        stix_canon_string(out, *name);
        buf_put_byte(out, ':');
        if (slice_eq(*name, SLICE("hashes")) && json_kind(v) == JSON_OBJECT && json_count(v) != 0)
            hash_put(a, out, v);
        else
            stix_canon(a, out, v);
    }
    buf_put_byte(out, '}');
    return any;
}

bool stix_id_deterministic(struct arena *a, struct json object, struct slice *id_out)
{
    static const uint8_t space[16] = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
                                      0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
    const struct stix_type *type = stix_type_find(json_string(a, json_get(object, SLICE("type"))));
    struct buf name = BUF_INIT;
    uint8_t b[CRYPTO_SHA1];

    if (type == NULL || type->id_from == NULL)
        return false;
    buf_put(&name, slice_n((const char *)space, sizeof(space)));
    bool any = contributing_put(a, &name, object, type->id_from);
    crypto_sha1(buf_slice(&name), b); /* RFC 9562 section 5.5: cut to 16 bytes, version 5 */
    buf_free(&name);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x50);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    *id_out = arena_printf(a, SLICE_FMT "--%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           SLICE_ARG(type->name), b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
                           b[11], b[12], b[13], b[14], b[15]);
    return any;
}

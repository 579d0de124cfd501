/* hub/token.c: opaque texts for positions and statuses. Plain numbers would tell how much lies between two objects that
 * a viewer sees. */
#include "hub/internal.h"

enum { TOKEN_NUMBERS_MAX = 16 };

void hub_token_put(const struct hub *h, const char *purpose, const uint64_t *numbers, size_t n, struct buf *out)
{
    struct buf sealed = BUF_INIT;

    crypto_seal(h->token_key, slice_n((const char *)numbers, n * sizeof *numbers), slice_of(purpose), &sealed);
    crypto_put_base64(out, buf_slice(&sealed), true);
    buf_free(&sealed);
}

bool hub_token_get(const struct hub *h, const char *purpose, struct slice text, uint64_t *numbers_out, size_t n)
{
    struct buf sealed = BUF_INIT, plain = BUF_INIT;
    bool good = text.len < 64 * TOKEN_NUMBERS_MAX && crypto_base64(text, true, &sealed) &&
                crypto_open(h->token_key, buf_slice(&sealed), slice_of(purpose), &plain) &&
                plain.len == n * sizeof *numbers_out;

    if (good)
        memcpy(numbers_out, plain.ptr, plain.len);
    buf_free(&sealed);
    buf_free(&plain);
    return good;
}

/* A status id is a UUID that only this hub can make, and read back to the envelope's number without an index: bytes 8
   to 15 (less the variant's two bits) are a MAC of the number, bytes 0 to 5 the number masked by a MAC of those. 2^48
   envelopes. */
static void status_tag(const struct hub *h, uint64_t envelope, uint8_t tag_out[8])
{
    uint8_t text[16] = "status-t", mac[CRYPTO_MAC];

    memcpy(text + 8, &envelope, 8);
    crypto_mac(h->token_key, slice_n((const char *)text, sizeof text), mac);
    memcpy(tag_out, mac, 8);
    tag_out[0] = (uint8_t)((tag_out[0] & 0x3f) | 0x80);
}

static uint64_t status_mask(const struct hub *h, const uint8_t tag[8])
{
    uint8_t text[16] = "status-m", mac[CRYPTO_MAC];
    uint64_t mask;

    memcpy(text + 8, tag, 8);
    crypto_mac(h->token_key, slice_n((const char *)text, sizeof text), mac);
    memcpy(&mask, mac, sizeof mask);
    return mask & 0xffffffffffff;
}

void hub_status_id_put(const struct hub *h, uint64_t envelope, char out[36])
{
    uint8_t bytes[16] = {0};

    status_tag(h, envelope, bytes + 8);
    uint64_t masked = envelope ^ status_mask(h, bytes + 8);
    memcpy(bytes, &masked, 6);
    crypto_put_uuid(out, bytes);
}

bool hub_status_id_get(const struct hub *h, struct slice text, uint64_t *envelope_out)
{
    struct stix_id id;
    struct buf whole = BUF_INIT;
    uint8_t bytes[16], tag[8];
    char digits[32], again[36];
    uint64_t masked = 0;

    buf_printf(&whole, "status--" SLICE_FMT, SLICE_ARG(text));
    bool shaped = text.len == 36 && stix_id_parse(buf_slice(&whole), &id);
    buf_free(&whole);
    if (!shaped)
        return false;
    for (size_t i = 0, n = 0; i < text.len; i++)
        if (text.ptr[i] != '-')
            digits[n++] = text.ptr[i];
    if (!crypto_hex(slice_n(digits, sizeof digits), bytes, sizeof bytes))
        return false;
    memcpy(&masked, bytes, 6);
    *envelope_out = masked ^ status_mask(h, bytes + 8);
    status_tag(h, *envelope_out, tag);
    if (!crypto_equal(tag, bytes + 8, sizeof tag))
        return false;
    hub_status_id_put(h, *envelope_out, again); /* the bits that carry nothing, and the case of the digits */
    return slice_eq(text, slice_n(again, sizeof again));
}

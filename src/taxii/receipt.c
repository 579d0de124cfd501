/* taxii/receipt.c: a receipt on the wire: a small JSON object. What is signed is a text of its members, so that no way
   of writing JSON matters:

       {"follower": "...", "event": "...", "sent": "2026-11-22T12:00:00.000000Z", "lease_us": 86400000000,
        "done": 2, "of": 3, "signature": base64 of 64 bytes}

   lease_us, done and of may be left out: 0. */
#include "base/json.h"
#include "taxii/internal.h"

enum { RECEIPT_COUNT_MAX = 100000000 };

static const struct json_limits receipt_limits = {2, 32, 16, 1024, TAXII_RECEIPT_MAX};

static bool is_word(struct slice s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(more, c) != NULL)))
            return false;
    }
    return s.len != 0;
}

bool taxii_is_follower(struct slice name)
{
    return name.len <= TAXII_FOLLOWER_MAX && is_word(name, "-");
}

void taxii_receipt_message(const struct taxii_receipt *r, struct buf *out)
{
    buf_printf(out, SLICE_FMT "\n" SLICE_FMT "\n%lld\n%lld\n%lld\n%lld\n", SLICE_ARG(r->follower), SLICE_ARG(r->event),
               (long long)r->sent_us, (long long)r->lease_us, (long long)r->done, (long long)r->of);
}

void taxii_receipt_put(const struct taxii_receipt *r, struct buf *out)
{
    struct buf signature = BUF_INIT;
    char sent[TIME_TEXT];

    time_put(sent, r->sent_us);
    crypto_put_base64(&signature, slice_n((const char *)r->signature, sizeof r->signature), false);
    json_put_open(out, '{');
    json_put_text(out, "follower", r->follower);
    json_put_text(out, "event", r->event);
    json_put_text(out, "sent", slice_n(sent, sizeof sent));
    json_put_number(out, "lease_us", r->lease_us);
    json_put_number(out, "done", r->done);
    json_put_number(out, "of", r->of);
    json_put_text(out, "signature", buf_slice(&signature));
    json_put_close(out, '}');
    buf_free(&signature);
}

static int read_number(struct json root, const char *name, const char *place, int64_t most, int64_t *out,
                       struct err *err)
{
    struct json v = json_get(root, slice_of(name));

    *out = 0;
    if (json_kind(v) == JSON_ABSENT)
        return 0;
    if (!json_int(v, out) || *out < 0 || *out > most)
        return err_set(err, ERR_BAD_REQUEST, place, "a whole number from 0 to %lld", (long long)most);
    return 0;
}

static int read_numbers(struct json root, struct taxii_receipt *out, struct err *err)
{
    if (read_number(root, "lease_us", "/lease_us", INT64_MAX / 4, &out->lease_us, err) != 0 ||
        read_number(root, "done", "/done", RECEIPT_COUNT_MAX, &out->done, err) != 0 ||
        read_number(root, "of", "/of", RECEIPT_COUNT_MAX, &out->of, err) != 0)
        return -1;
    return out->done <= out->of ? 0 : err_set(err, ERR_BAD_REQUEST, "/done", "more than there are recipients");
}

static bool read_signature(struct slice text, uint8_t out[CRYPTO_SIGNATURE])
{
    struct buf bytes = BUF_INIT;
    bool good = text.ptr != NULL && crypto_base64(text, false, &bytes) && bytes.len == CRYPTO_SIGNATURE;

    if (good)
        memcpy(out, bytes.ptr, bytes.len);
    buf_free(&bytes);
    return good;
}

int taxii_receipt_read(struct arena *a, struct slice text, struct taxii_receipt *out, struct err *err)
{
    struct json root;

    if (json_parse(a, text, &receipt_limits, &root, err) != 0)
        return -1;
    if (json_kind(root) != JSON_OBJECT)
        return err_set(err, ERR_BAD_REQUEST, "", "a receipt is one JSON object");
    *out = (struct taxii_receipt){.follower = json_string(a, json_get(root, SLICE("follower"))),
                                  .event = json_string(a, json_get(root, SLICE("event")))};
    if (!taxii_is_follower(out->follower))
        return err_set(err, ERR_BAD_REQUEST, "/follower", "1 to %d letters, digits or '-'", TAXII_FOLLOWER_MAX);
    if (out->event.len > TAXII_EVENT_ID_MAX || !is_word(out->event, "-_"))
        return err_set(err, ERR_BAD_REQUEST, "/event", "not an event id, as the stream gives them");
    if (!time_parse(json_string(a, json_get(root, SLICE("sent"))), &out->sent_us))
        return err_set(err, ERR_BAD_REQUEST, "/sent", "not a time (RFC 3339)");
    if (read_numbers(root, out, err) != 0)
        return -1;
    if (!read_signature(json_string(a, json_get(root, SLICE("signature"))), out->signature))
        return err_set(err, ERR_BAD_REQUEST, "/signature", "base64 of an Ed25519 signature, 64 bytes");
    return 0;
}

/* hub/claim.c: what a request says about who sends it: Basic (RFC 7617), Bearer (RFC 6750 section 2.1), "Token" as some
   clients call it, or a header that the operator names. */
#include "hub/doors.h"

/* "user:password"; without a colon all of it is the user. Some clients send their key as either half. */
static int read_basic(struct slice text, struct arena *a, struct hub_claim *out, struct err *err)
{
    struct buf plain = BUF_INIT;
    bool good = text.len != 0 && crypto_base64(text, false, &plain);

    if (!good && slice_find(text, SLICE("=")) == text.len && text.len % 4 != 0) { /* its padding left out */
        struct slice padded = arena_printf(a, SLICE_FMT "%s", SLICE_ARG(text), text.len % 4 == 2 ? "==" : "=");
        buf_clear(&plain);
        good = crypto_base64(padded, false, &plain);
    }
    struct slice rest = arena_copy(a, buf_slice(&plain));
    crypto_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    if (!good)
        return err_set(err, ERR_UNAUTHENTICATED, "Authorization", "Basic is not followed by base64");
    out->kind = HUB_CLAIM_BASIC;
    out->user = SLICE("");
    slice_cut(&rest, ':', &out->user);
    out->secret = rest.ptr != NULL ? rest : SLICE("");
    return 0;
}

/* RFC 6750 section 2.1: b64token. Other bytes are in no token. */
static int read_token(struct slice text, struct hub_claim *out, struct err *err)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f)
            return err_set(err, ERR_UNAUTHENTICATED, "Authorization", "a token has no blanks or foreign letters");
    if (text.len == 0)
        return err_set(err, ERR_UNAUTHENTICATED, "Authorization", "the token is missing");
    *out = (struct hub_claim){HUB_CLAIM_BEARER, SLICE(""), text, NULL};
    return 0;
}

static int read_authorization(struct slice header, struct arena *a, struct hub_claim *out, struct err *err)
{
    size_t blank = slice_find(header, SLICE(" "));
    struct slice scheme = slice_to(header, blank), text = slice_trim(slice_from(header, blank));

    if (slice_eq_nocase(scheme, SLICE("Basic")))
        return read_basic(text, a, out, err);
    if (slice_eq_nocase(scheme, SLICE("Bearer")) || slice_eq_nocase(scheme, SLICE("Token")))
        return read_token(text, out, err);
    return err_set(err, ERR_UNAUTHENTICATED, "Authorization", "the schemes known here are Basic, Bearer and Token");
}

static int read_certificate(const struct http_head *head, struct hub_claim *out, struct err *err)
{
    struct slice why = head->certificate_refused;

    if (head->certificate == NULL && why.len != 0)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "the client certificate is not good: " SLICE_FMT,
                       SLICE_ARG(why));
    out->kind = head->certificate != NULL ? HUB_CLAIM_CERTIFICATE : HUB_CLAIM_NOTHING;
    out->certificate = head->certificate;
    return 0;
}

int hub_claim_read(const struct http_head *head, struct slice header, struct arena *a, struct hub_claim *out,
                   struct err *err)
{
    struct slice authorization = {NULL, 0}, key = {NULL, 0};

    *out = (struct hub_claim){HUB_CLAIM_NOTHING, SLICE(""), SLICE(""), NULL};
    for (size_t i = 0; i < head->n_headers; i++) {
        bool is_it = slice_eq_nocase(head->headers[i].name, SLICE("Authorization"));
        if (is_it && authorization.ptr != NULL) /* which of the two would a proxy in between have looked at? */
            return err_set(err, ERR_BAD_REQUEST, "Authorization", "this header stands twice");
        if (is_it)
            authorization = slice_trim(head->headers[i].value);
        else if (header.len != 0 && slice_eq_nocase(head->headers[i].name, header))
            key = slice_trim(head->headers[i].value);
    }
    if (authorization.ptr == NULL && key.ptr == NULL)
        return read_certificate(head, out, err);
    int result = authorization.ptr != NULL ? read_authorization(authorization, a, out, err) : read_token(key, out, err);
    if (result == 0 && (out->user.len > HUB_SECRET_MAX || out->secret.len > HUB_SECRET_MAX))
        return err_set(err, ERR_UNAUTHENTICATED, "Authorization", "no credential is so long");
    return result;
}

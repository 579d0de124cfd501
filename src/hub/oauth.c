/* hub/oauth.c: short tokens: OAuth 2 client credentials (RFC 6749 section 4.4) at POST /oauth2/token. The client is a
   member: client_id its name, client_secret its password or one of its tokens. What it gets is sealed, names the
   credential that it was given for, and dies with it. */
#include "hub/doors.h"

enum { OAUTH_BODY_MAX = 8192 };

/* ---- what was asked for (section 4.4.2, application/x-www-form-urlencoded) ---- */

struct wanted {
    struct slice grant_type, client_id, client_secret, scope;
};

static bool form_decode(struct arena *a, struct slice in, struct slice *out)
{
    struct slice spaced = arena_copy(a, in);

    for (size_t i = 0; i < spaced.len; i++)
        if (spaced.ptr[i] == '+')
            ((char *)(uintptr_t)spaced.ptr)[i] = ' ';
    return http_percent_decode(a, spaced, out);
}

static int take_parameter(struct wanted *w, struct slice name, struct slice value, struct err *err)
{
    struct {
        const char *name;
        struct slice *into;
    } const rows[] = {{"grant_type", &w->grant_type},
                      {"client_id", &w->client_id},
                      {"client_secret", &w->client_secret},
                      {"scope", &w->scope}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!slice_eq(name, slice_of(rows[i].name)) || value.len == 0)
            continue; /* section 3.2: without a value is as if left out; unknown ones are ignored */
        if (rows[i].into->ptr != NULL)
            return err_set(err, ERR_BAD_REQUEST, rows[i].name, "this parameter stands twice");
        *rows[i].into = value;
    }
    return 0;
}

static int read_form(struct slice body, struct arena *a, struct wanted *out, struct err *err)
{
    struct slice rest = body, part, name, value;

    *out = (struct wanted){.grant_type = {NULL, 0}};
    while (rest.len != 0 && slice_cut(&rest, '&', &part)) {
        size_t equals = slice_find(part, SLICE("="));
        if (!form_decode(a, slice_to(part, equals), &name) || !form_decode(a, slice_from(part, equals + 1), &value))
            return err_set(err, ERR_BAD_REQUEST, NULL, "the body is not a form");
        if (take_parameter(out, name, value, err) != 0)
            return -1;
    }
    return 0;
}

int hub_oauth_read(struct slice body, const struct http_head *head, struct arena *a, struct hub_claim *out,
                   struct err *err)
{
    struct wanted w;

    if (read_form(body, a, &w, err) != 0 || hub_claim_read(head, SLICE(""), a, out, err) != 0)
        return -1;
    if (w.grant_type.ptr == NULL)
        return err_set(err, ERR_BAD_REQUEST, NULL, "grant_type is missing");
    if (!slice_eq(w.grant_type, SLICE("client_credentials")))
        return err_set(err, ERR_BAD_REQUEST, "grant_type", "only client_credentials is granted here");
    if (w.scope.ptr != NULL && !slice_eq(w.scope, SLICE("taxii"))) /* all tokens are good for that */
        return err_set(err, ERR_BAD_REQUEST, "scope", "the only scope here is taxii");
    if (out->kind == HUB_CLAIM_BEARER)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "a client signs in by Basic, by the form, or by a certificate");
    if (out->kind == HUB_CLAIM_BASIC) { /* section 2.3: one way, not two */
        if (w.client_secret.ptr != NULL || (w.client_id.ptr != NULL && !slice_eq(w.client_id, out->user)))
            return err_set(err, ERR_BAD_REQUEST, NULL, "the client signs in twice");
    } else if (w.client_secret.ptr != NULL) {
        if (w.client_id.ptr == NULL)
            return err_set(err, ERR_BAD_REQUEST, NULL, "client_id is missing");
        *out = (struct hub_claim){HUB_CLAIM_BASIC, w.client_id, w.client_secret, NULL};
    }
    if (out->user.len > HUB_SECRET_MAX || out->secret.len > HUB_SECRET_MAX)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "no credential is so long");
    return 0;
}

/* ---- the tokens ---- */

void hub_access_put(const struct hub *h, const struct hub_party *party, int64_t until_us, struct buf *out)
{
    uint64_t numbers[3] = {party->viewer, party->credential, (uint64_t)until_us};

    buf_put(out, SLICE(HUB_ACCESS_PREFIX));
    hub_token_put(h, "access", numbers, 3, out);
}

const struct hub_credential *hub_access_find(const struct hub *h, const struct hub_directory *d, struct slice text,
                                             int64_t now_us)
{
    uint64_t n[3];

    if (!slice_starts(text, SLICE(HUB_ACCESS_PREFIX)) ||
        !hub_token_get(h, "access", slice_from(text, strlen(HUB_ACCESS_PREFIX)), n, 3) || now_us >= (int64_t)n[2])
        return NULL;
    return hub_credential_of(d, (uint32_t)n[0], n[1]);
}

/* ---- the door ---- */

static int on_head(void *arg, struct http_request *request, uint64_t *max_body_out, void **user_out, struct err *err)
{
    const struct http_head *head = http_request_head(request);
    struct slice rest = http_head_get(head, SLICE("Content-Type")), type = SLICE("");

    *user_out = NULL;
    if (!slice_eq(head->path, SLICE(HUB_OAUTH_PATH "/token")))
        return err_set(err, ERR_NOT_FOUND, NULL, "tokens are at " HUB_OAUTH_PATH "/token");
    if (!slice_eq(head->method, SLICE("POST")))
        return err_set(err, ERR_METHOD, NULL, "");
    if (rest.ptr != NULL)
        slice_cut(&rest, ';', &type);
    if (!slice_eq_nocase(slice_trim(type), SLICE("application/x-www-form-urlencoded")))
        return err_set(err, ERR_BAD_REQUEST, "Content-Type", "this takes application/x-www-form-urlencoded");
    *max_body_out = OAUTH_BODY_MAX;
    return 0;
}

/* Section 5.1 */
static void reply_token(struct hub *h, struct http_request *request, const struct hub_party *party)
{
    static const struct http_header headers[] = {{SLICE_INIT("Cache-Control"), SLICE_INIT("no-store")},
                                                 {SLICE_INIT("Pragma"), SLICE_INIT("no-cache")}};
    struct buf token = BUF_INIT, body = BUF_INIT;
    int64_t life_us = h->settings.token_life_us;

    hub_access_put(h, party, time_now_us() + life_us, &token);
    json_put_open(&body, '{');
    json_put_text(&body, "access_token", buf_slice(&token));
    json_put_text(&body, "token_type", SLICE("Bearer"));
    json_put_number(&body, "expires_in", life_us / 1000000);
    json_put_text(&body, "scope", SLICE("taxii"));
    json_put_close(&body, '}');
    struct http_answer answer = {200, SLICE("application/json"), headers, 2, buf_ref_take(&body)};
    http_reply(request, &answer);
    buf_free(&token);
}

static void finish(struct hub *h, void *arg, struct hub_party *party, const struct err *why)
{
    struct http_request *request = arg;

    if (party != NULL)
        reply_token(h, request, party);
    else
        http_reply_error(request, why, NULL, 0);
    hub_party_drop(&party);
}

static void on_request(void *arg, struct http_request *request)
{
    struct hub *h = arg;
    const struct http_head *head = http_request_head(request);
    struct hub_ask ask = {.arena = ARENA_INIT, .peer = head->peer, .done = finish, .arg = request};
    struct hub_party *party = NULL;
    struct err err = ERR_INIT;

    if (hub_oauth_read(http_request_body(request), head, &ask.arena, &ask.claim, &err) != 0) {
        arena_free(&ask.arena);
        http_reply_error(request, &err, NULL, 0);
        return;
    }
    if (hub_ask(h, &ask, &party, &err) != HTTP_LATER)
        finish(h, request, party, &err);
}

/* Section 5.2 */
static const char *error_of(const struct err *err, int status)
{
    if (status == 401)
        return "invalid_client";
    if (err->code == ERR_BAD_REQUEST && strcmp(err->place, "grant_type") == 0)
        return "unsupported_grant_type";
    if (err->code == ERR_BAD_REQUEST && strcmp(err->place, "scope") == 0)
        return "invalid_scope";
    return status == 429 || status == 503 ? "temporarily_unavailable" : "invalid_request";
}

static void error_body(void *arg, const struct err *err, int status, struct buf *out, struct slice *media_type_out)
{
    json_put_open(out, '{');
    json_put_text(out, "error", slice_of(error_of(err, status)));
    json_put_text(out, "error_description", slice_of(err->text));
    json_put_close(out, '}');
    *media_type_out = SLICE("application/json");
}

static size_t error_headers(void *arg, struct arena *a, const struct http_head *head, const struct err *err, int status,
                            struct http_header out[HTTP_ERROR_HEADERS])
{
    size_t n = 0;

    out[n++] = (struct http_header){SLICE("Cache-Control"), SLICE("no-store")};
    if (status == 401)
        out[n++] = (struct http_header){SLICE("WWW-Authenticate"), SLICE("Basic realm=\"tocsin\", charset=\"UTF-8\"")};
    if (status == 405)
        out[n++] = (struct http_header){SLICE("Allow"), SLICE("POST")};
    if (status == 429 || status == 503)
        out[n++] =
            (struct http_header){SLICE("Retry-After"), arena_printf(a, "%u", err->retry_s != 0 ? err->retry_s : 1)};
    return n;
}

struct http_mount hub_oauth_mount(struct hub *h)
{
    return (struct http_mount){.path = SLICE(HUB_OAUTH_PATH),
                               .handler = {.arg = h,
                                           .head = on_head,
                                           .request = on_request,
                                           .error_body = error_body,
                                           .error_headers = error_headers}};
}

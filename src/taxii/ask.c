/* taxii/ask.c: one GET, bearing with what servers get wrong. */
#include "taxii/internal.h"

enum { ASK_TRIES = 12, ASK_REDIRECTS = 5 };

static const struct json_limits client_limits = {64, 50000000, 1000000, 16u << 20, CLIENT_BODY_MAX};

static const struct slice accepts[] = {
    SLICE_INIT("Accept: " TAXII_MEDIA),
    SLICE_INIT("Accept: application/taxii+json; version=2.1"),
    SLICE_INIT("Accept: application/taxii+json"),
    SLICE_INIT("Accept: application/json"),
};
enum { ACCEPTS = sizeof accepts / sizeof accepts[0] };

/* ---- quirks ---- */

static const struct taxii_quirk_text texts[] = {
#define QUIRK(name, what, why, does) {#name, what, why, does},
#include "taxii/quirks.def"
#undef QUIRK
};

const struct taxii_quirk_text *taxii_quirk_text(enum taxii_quirk q)
{
    return &texts[q];
}

/* ---- answers ---- */

static enum err_code code_of(int status)
{
    switch (status) {
    case 400:
        return ERR_BAD_REQUEST;
    case 401:
        return ERR_UNAUTHENTICATED;
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 406:
        return ERR_NOT_ACCEPTABLE;
    case 413:
        return ERR_TOO_LARGE;
    case 429:
        return ERR_TOO_MANY;
    case 503:
        return ERR_BUSY;
    case 507:
        return ERR_DISK_FULL;
    default:
        return ERR_PEER;
    }
}

/* What the peer says of its error, in its own words where it has some. */
static int peer_error(struct taxii_client *c, struct arena *a, const struct http_result *r, struct err *err)
{
    struct json root;
    struct slice text = SLICE(""), code = SLICE("");

    if (json_parse(a, arena_copy(a, buf_slice(&r->body)), &client_limits, &root, NULL) == 0) {
        text = json_string(a, json_get(root, SLICE("description")));
        if (text.len == 0)
            text = json_string(a, json_get(root, SLICE("title")));
        code = json_string(a, json_get(root, SLICE("error_code")));
        if (json_kind(json_get(root, SLICE("title"))) != JSON_STRING)
            taxii_quirk(c, TAXII_QUIRK_error_body);
    } else {
        taxii_quirk(c, TAXII_QUIRK_error_body);
    }
    return err_set(err, code_of(r->status), NULL, "the server answered %d%s" SLICE_FMT "%s" SLICE_FMT, r->status,
                   code.len != 0 ? " " : "", SLICE_ARG(code), text.len != 0 ? ": " : "", SLICE_ARG(text));
}

int taxii_answer(struct taxii_client *c, struct arena *a, struct http_result *r, struct json *out, struct err *err)
{
    if (r->status < 200 || r->status > 299)
        return peer_error(c, a, r, err);
    struct slice text = arena_copy(a, buf_slice(&r->body));
    if (json_parse(a, text, &client_limits, out, err) != 0)
        return err_set(err, ERR_PEER, NULL, "the server's answer is not JSON: is this a TAXII server?");
    return 0;
}

/* TAXII 2.1 section 1.6.8.1; blanks, quotes and case do not matter here. */
static bool is_taxii(struct slice type)
{
    return taxii_media_takes(type) && slice_find(type, SLICE("2.1")) < type.len;
}

static struct slice header(struct arena *a, const struct http_result *r, struct slice name)
{
    struct slice value = http_result_header(r, name);

    return value.ptr != NULL ? arena_copy(a, value) : value;
}

static void hear(struct taxii_client *c, struct arena *a, const struct http_result *r, struct taxii_heard *heard)
{
    struct slice after = http_result_header(r, SLICE("Retry-After"));
    uint64_t seconds;
    int64_t at_us, unit;

    *heard = (struct taxii_heard){.status = r->status,
                                  .media_type = header(a, r, SLICE("Content-Type")),
                                  .first = header(a, r, SLICE("X-TAXII-Date-Added-First")),
                                  .last = header(a, r, SLICE("X-TAXII-Date-Added-Last")),
                                  .challenge = header(a, r, SLICE("WWW-Authenticate")),
                                  .bytes = r->body.len};
    if (slice_u64(after, &seconds) && seconds < 1000000)
        heard->retry_after_us = (int64_t)seconds * 1000000;
    else if (after.len != 0 && taxii_date(after, &at_us, &unit) && at_us > time_now_us())
        heard->retry_after_us = at_us - time_now_us();
    if (r->status < 300 && !is_taxii(heard->media_type))
        taxii_quirk(c, TAXII_QUIRK_media_type);
    if (r->status == 401 && heard->challenge.ptr == NULL)
        taxii_quirk(c, TAXII_QUIRK_challenge_missing);
    if ((r->status == 429 || r->status == 503) && heard->retry_after_us == 0 && after.ptr == NULL)
        taxii_quirk(c, TAXII_QUIRK_busy_silent);
}

/* ---- asking ---- */

/* Without the slash before the query, or at the end. */
static struct slice bare_path(struct arena *a, struct slice path)
{
    size_t query = slice_find(path, SLICE("?"));

    if (query < 2 || path.ptr[query - 1] != '/')
        return path;
    struct slice rest = slice_from(path, query);
    return arena_printf(a, SLICE_FMT SLICE_FMT, (int)query - 1, path.ptr, SLICE_ARG(rest));
}

/* Where a redirect leads, if that is this very host by the same scheme: a password goes nowhere else. */
static int redirected(struct taxii_client *c, struct arena *a, const struct http_result *r, struct slice *path,
                      struct err *err)
{
    struct slice to = http_result_header(r, SLICE("Location"));
    size_t len = c->origin.len;

    taxii_quirk(c, TAXII_QUIRK_redirect);
    if (to.len > len && slice_eq_nocase(slice_to(to, len), c->origin) && to.ptr[len] == '/')
        to = slice_from(to, len);
    if (to.len == 0 || to.ptr[0] != '/' || (to.len > 1 && to.ptr[1] == '/'))
        return err_set(err, ERR_PEER, NULL,
                       "the server redirects to \"" SLICE_FMT
                       "\", another host: nothing was sent there; give that address if it is right",
                       SLICE_ARG(to));
    *path = arena_copy(a, to);
    return 0;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* What is tried next after this answer; false: it stands. */
static bool try_other(struct taxii_client *c, struct arena *a, int status, struct slice *path, uint32_t *accept,
                      bool *bare)
{
    if ((status == 406 || status == 415) && *accept + 1 < ACCEPTS) {
        taxii_quirk(c, TAXII_QUIRK_accept);
        ++*accept;
        return true;
    }
    struct slice other = bare_path(a, *path);
    if (status == 404 && !*bare && !c->slash && other.len != path->len) {
        *bare = true;
        *path = other;
        return true;
    }
    return false;
}

int taxii_ask(struct taxii_client *c, struct arena *a, struct slice path, struct taxii_heard *heard, struct json *out,
              struct err *err)
{
    uint32_t accept = c->accept, redirects = 0;
    bool bare = c->bare;
    struct slice at = bare ? bare_path(a, path) : path;

    *heard = (struct taxii_heard){.status = 0};
    for (int i = 0; i < ASK_TRIES; i++) {
        struct http_result r;
        if (http_client_send(c->http, "GET", at, &accepts[accept], 1, SLICE(""), CLIENT_BODY_MAX, &r, err) != 0)
            return -1;
        hear(c, a, &r, heard);
        int status = is_redirect(r.status) ? (redirects++ < ASK_REDIRECTS ? redirected(c, a, &r, &at, err) : 1)
                     : try_other(c, a, r.status, &at, &accept, &bare) ? 0
                                                                      : 1;
        if (status == 1)
            status = taxii_answer(c, a, &r, out, err) == 0 ? 2 : -1;
        http_result_free(&r);
        if (status == 2) { /* what worked is kept */
            c->accept = accept;
            c->slash = c->slash || (!bare && bare_path(a, path).len != path.len);
            if (bare && !c->bare && bare_path(a, path).len != path.len) {
                c->bare = true;
                taxii_quirk(c, TAXII_QUIRK_slash);
            }
        }
        if (status != 0)
            return status < 0 ? -1 : 0;
    }
    return err_set(err, ERR_PEER, NULL, "the server redirects in a circle");
}

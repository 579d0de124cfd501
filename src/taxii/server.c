/* taxii/server.c: the server's side: routes, negotiates and checks a request, signs its sender in, hands it to the
 * backend, formats the answer. */
#include "taxii/internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { NO_BODY_MAX = 4096 }; /* of a request that has no use for a body, and of one that nobody signed */

struct taxii_server {
    atomic_uint owners; /* its owner and every request: one may be answered after the HTTP server stopped */
    const struct taxii_backend *backend;
    void *hub;
    char *root;
    struct http_handler handler;
};

struct taxii_reply {
    struct taxii_server *server;
    struct http_request *request;
    enum taxii_endpoint at;
    struct taxii_want want;
    struct taxii_who *who;
};

const struct taxii_want *taxii_reply_want(const struct taxii_reply *r)
{
    return &r->want;
}

const struct http_head *taxii_reply_head(const struct taxii_reply *r)
{
    return http_request_head(r->request);
}

struct arena *taxii_reply_arena(struct taxii_reply *r)
{
    return http_request_arena(r->request);
}

struct slice taxii_reply_body(const struct taxii_reply *r)
{
    return http_request_body(r->request);
}

struct http_request *taxii_reply_stream(struct taxii_reply *r)
{
    return r->request;
}

/* ---- before the body ---- */

/* May it be asked without saying who asks? */
static bool is_for_nobody(const struct taxii_reply *r, const struct http_head *head)
{
    return (r->at == TAXII_AT_DISCOVERY || r->at == TAXII_AT_CERTIFICATE) &&
           http_head_get(head, SLICE("Authorization")).ptr == NULL && head->certificate == NULL;
}

static int check_head(struct taxii_reply *r, const struct http_head *head, struct err *err)
{
    struct slice accept = http_head_get(head, SLICE("Accept")), type = http_head_get(head, SLICE("Content-Type"));

    if (r->at == TAXII_AT_CERTIFICATE) /* not TAXII's */
        return 0;
    if (!taxii_media_accepts(accept, r->at == TAXII_AT_STREAM))
        return err_set(err, ERR_NOT_ACCEPTABLE, "Accept", "this server sends " TAXII_MEDIA);
    if (slice_eq(head->method, SLICE("POST")) && !taxii_media_takes(type))
        return err_set(err, ERR_MEDIA_TYPE, "Content-Type", "this server takes " TAXII_MEDIA);
    return 0;
}

static void server_drop(struct taxii_server *s)
{
    if (atomic_fetch_sub(&s->owners, 1) != 1)
        return;
    free(s->root);
    free(s);
}

static struct taxii_reply *reply_new(struct taxii_server *s, struct http_request *request)
{
    struct taxii_reply *r = mem_zero(1, sizeof *r);

    atomic_fetch_add(&s->owners, 1);
    r->server = s;
    r->request = request;
    r->want.versions = TAXII_LAST;
    r->want.added_after_us = INT64_MIN;
    r->at = taxii_route(http_request_arena(request), slice_of(s->root), http_request_head(request)->path, &r->want);
    return r;
}

static void reply_free(struct taxii_reply *r)
{
    struct taxii_server *s = r->server;

    if (r->who != NULL)
        s->backend->sign_out(s->hub, &r->who);
    free(r);
    server_drop(s);
}

/* A body is let in where it means something, as far as its sender may. */
static uint64_t body_max(const struct taxii_reply *r)
{
    if (r->who == NULL || !slice_eq(http_request_head(r->request)->method, SLICE("POST")))
        return NO_BODY_MAX;
    if (r->want.receipt)
        return TAXII_RECEIPT_MAX;
    return r->server->backend->max_body(r->server->hub, r->who);
}

static void tell(struct taxii_reply *r, const struct taxii_answered *answer)
{
    if (r->server->backend->answered != NULL)
        r->server->backend->answered(r->server->hub, r->who, answer);
}

static int on_head(void *arg, struct http_request *request, uint64_t *max_body_out, void **user_out, struct err *err)
{
    struct taxii_server *s = arg;
    struct taxii_reply *r = reply_new(s, request);
    const struct http_head *head = http_request_head(request);
    int result;

    *user_out = r; /* before signing in: that may be over, in another thread, before it returns here */
    if (r->at == TAXII_AT_NOTHING)
        result = err_set(err, ERR_NOT_FOUND, NULL, "there is nothing at this path; TAXII discovery is at /taxii2/");
    else if (!taxii_route_allows(r->at, head->method))
        result = err_set(err, ERR_METHOD, NULL, "");
    else if (r->at == TAXII_AT_CERTIFICATE && s->backend->certify == NULL)
        result = err_set(err, ERR_NOT_FOUND, NULL, "there is nothing at this path; TAXII discovery is at /taxii2/");
    else if (is_for_nobody(r, head))
        result = check_head(r, head, err);
    else if ((result = s->backend->sign_in(s->hub, r, &r->who, err)) == 0)
        result = check_head(r, head, err);
    if (result == 0)
        *max_body_out = body_max(r);
    else if (result < 0) {
        tell(r, &(struct taxii_answered){.head = head, .status = err_http(err->code), .err = err});
        reply_free(r);
    }
    return result;
}

void taxii_signed_in(struct taxii_reply *r, struct taxii_who *who, const struct err *refused)
{
    struct err err = ERR_INIT;

    r->who = who;
    if (refused == NULL && check_head(r, http_request_head(r->request), &err) != 0)
        refused = &err;
    if (refused != NULL)
        tell(r, &(struct taxii_answered){
                    .head = http_request_head(r->request), .status = err_http(refused->code), .err = refused});
    http_admit(r->request, refused == NULL ? body_max(r) : 0, r, refused);
}

/* ---- the body is there ---- */

static void describe(struct taxii_reply *r, enum taxii_describe what)
{
    r->server->backend->describe(r->server->hub, r->who, what, r);
}

static void dispatch(struct taxii_reply *r)
{
    const struct taxii_backend *backend = r->server->backend;
    const struct http_head *head = http_request_head(r->request);
    struct slice last;

    switch (r->at) {
    case TAXII_AT_NOTHING:
        break;
    case TAXII_AT_DISCOVERY:
        describe(r, TAXII_DISCOVERY);
        return;
    case TAXII_AT_ROOT:
        describe(r, TAXII_ROOT);
        return;
    case TAXII_AT_STATUS:
        describe(r, TAXII_STATUS);
        return;
    case TAXII_AT_MARKINGS:
        describe(r, TAXII_MARKINGS);
        return;
    case TAXII_AT_COLLECTIONS:
        describe(r, TAXII_COLLECTIONS);
        return;
    case TAXII_AT_COLLECTION:
        describe(r, TAXII_COLLECTION);
        return;
    case TAXII_AT_CERTIFICATE:
        backend->certify(r->server->hub, r->who, r);
        return;
    case TAXII_AT_STREAM:
        last = http_head_get(head, SLICE("Last-Event-ID"));
        backend->follow(r->server->hub, r->who, last.ptr != NULL ? last : SLICE(""), r);
        return;
    case TAXII_AT_RECEIPTS:
        backend->confirm(r->server->hub, r->who, r);
        return;
    case TAXII_AT_OBJECTS:
    case TAXII_AT_OBJECT:
    case TAXII_AT_MANIFEST:
    case TAXII_AT_VERSIONS:
        if (slice_eq(head->method, SLICE("POST")))
            backend->add(r->server->hub, r->who, r);
        else if (slice_eq(head->method, SLICE("DELETE")))
            backend->remove(r->server->hub, r->who, r);
        else
            backend->page(r->server->hub, r->who, r);
        return;
    }
}

static void on_request(void *arg, struct http_request *request)
{
    struct taxii_reply *r = http_request_user(request);
    const struct http_head *head = http_request_head(request);
    struct err err = ERR_INIT;

    if (taxii_query(http_request_arena(request), head->query, &r->want, &err) != 0) {
        taxii_reply_error(r, &err);
        return;
    }
    if (slice_eq(head->method, SLICE("DELETE")) &&
        http_query_get(http_request_arena(request), head->query, SLICE("match[version]")).ptr == NULL)
        r->want.versions = TAXII_ALL; /* section 5.7: without a filter all versions go */
    dispatch(r);
}

static void on_done(void *arg, void *user)
{
    reply_free(user);
}

/* ---- answers ---- */

void taxii_put_error(struct buf *out, const struct err *err, int status)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, "%d", status);
    json_put_open(out, '{');
    json_put_text(out, "title", slice_of(err_text(err->code)));
    json_put_text(out, "description", slice_of(err->text));
    json_put_text(out, "error_code", slice_of(err_name(err->code)));
    json_put_text(out, "http_status", buf_slice(&text));
    if (err->place[0] != '\0') {
        json_put_key(out, SLICE("details"));
        json_put_open(out, '{');
        json_put_text(out, "place", slice_of(err->place));
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
    buf_free(&text);
}

static void error_body(void *arg, const struct err *err, int status, struct buf *body_out, struct slice *media_type_out)
{
    taxii_put_error(body_out, err, status);
    *media_type_out = SLICE(TAXII_MEDIA);
}

/* RFC 6750 section 3: the reason is told to those who sent a token, and to nobody else. */
static struct slice bearer_challenge(const struct http_head *head)
{
    struct slice sent = head != NULL ? http_head_get(head, SLICE("Authorization")) : SLICE("");

    return slice_eq_nocase(slice_to(sent, 7), SLICE("Bearer "))
               ? SLICE("Bearer realm=\"tocsin\", error=\"invalid_token\"")
               : SLICE("Bearer realm=\"tocsin\"");
}

static size_t error_headers(void *arg, struct arena *a, const struct http_head *head, const struct err *err, int status,
                            struct http_header out[HTTP_ERROR_HEADERS])
{
    struct taxii_server *s = arg;
    struct taxii_want want;

    if (status == 401) {
        out[0] = (struct http_header){SLICE("WWW-Authenticate"), SLICE("Basic realm=\"tocsin\", charset=\"UTF-8\"")};
        out[1] = (struct http_header){SLICE("WWW-Authenticate"), bearer_challenge(head)};
        return 2;
    }
    if (status == 405 && head != NULL) {
        out[0] = (struct http_header){SLICE("Allow"),
                                      taxii_route_methods(taxii_route(a, slice_of(s->root), head->path, &want))};
        return 1;
    }
    if (status == 503 || status == 429) {
        uint32_t seconds = err->retry_s != 0 ? err->retry_s : status == 429 ? 60 : 1;
        out[0] = (struct http_header){SLICE("Retry-After"), arena_printf(a, "%u", seconds)};
        return 1;
    }
    return 0;
}

void taxii_reply_json(struct taxii_reply *r, int status, struct buf_ref *body)
{
    struct http_answer answer = {.status = status, .media_type = SLICE(TAXII_MEDIA), .body = body};

    tell(r, &(struct taxii_answered){
                .head = http_request_head(r->request), .status = status, .sent = buf_ref_slice(body).len});
    http_reply(r->request, &answer);
}

void taxii_reply_page(struct taxii_reply *r, struct buf_ref *body, int64_t first_us, int64_t last_us)
{
    char first[TIME_TEXT] = {0}, last[TIME_TEXT] = {0};
    struct http_header dates[2] = {{SLICE("X-TAXII-Date-Added-First"), slice_n(first, TIME_TEXT)},
                                   {SLICE("X-TAXII-Date-Added-Last"), slice_n(last, TIME_TEXT)}};
    struct http_answer answer = {.status = 200,
                                 .media_type = SLICE(TAXII_MEDIA),
                                 .headers = dates,
                                 .n_headers = first_us != 0 ? 2 : 0,
                                 .body = body};

    time_put(first, first_us);
    time_put(last, last_us);
    tell(r, &(struct taxii_answered){.head = http_request_head(r->request),
                                     .status = 200,
                                     .sent = buf_ref_slice(body).len,
                                     .is_page = true,
                                     .is_empty = first_us == 0});
    http_reply(r->request, &answer);
}

void taxii_reply_error(struct taxii_reply *r, const struct err *err)
{
    tell(r, &(struct taxii_answered){.head = http_request_head(r->request), .status = err_http(err->code), .err = err});
    http_reply_error(r->request, err, NULL, 0);
}

struct taxii_server *taxii_server_new(const struct taxii_backend *backend, void *hub, struct slice root)
{
    struct taxii_server *s = mem_zero(1, sizeof *s);

    atomic_init(&s->owners, 1);
    s->backend = backend;
    s->hub = hub;
    s->root = mem_copy(root);
    s->handler = (struct http_handler){.arg = s,
                                       .head = on_head,
                                       .request = on_request,
                                       .error_body = error_body,
                                       .error_headers = error_headers,
                                       .done = on_done};
    return s;
}

void taxii_server_free(struct taxii_server **server)
{
    struct taxii_server *s = *server;

    *server = NULL;
    if (s != NULL)
        server_drop(s);
}

const struct http_handler *taxii_server_handler(struct taxii_server *s)
{
    return &s->handler;
}

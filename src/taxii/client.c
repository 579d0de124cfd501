/* taxii/client.c: the client's side. Blocking, one thread; another thread may stop it. */
#include "taxii/internal.h"

#include <stddef.h>
#include <stdlib.h>

enum { CLIENT_BODY_MAX = 256 * 1024 * 1024 };

static const struct json_limits client_limits = {64, 50000000, 1000000, 16u << 20, CLIENT_BODY_MAX};

struct taxii_client {
    struct http_client *http;
    struct arena arena;
    struct slice root, collection; /* root: "/tocsin/" */
};

/* ---- client files ---- */

#define AT(member) offsetof(struct taxii_client_file, member)
const struct conf_field taxii_client_fields[] = {
    {"url", CONF_TEXT, AT(url), NULL, "where the server is reached: https://host:port", 0, 0},
    {"ca", CONF_TEXT, AT(ca), "",
     "authority of the server's certificate: PEM text, or the path of a PEM file; empty: the system's", 0, 0},
    {"pin", CONF_TEXT, AT(pin), "", "SHA-256 of the server's public key in hexadecimal; empty: none", 0, 0},
    {"user", CONF_TEXT, AT(user), "", "user name (Basic authentication)", 0, 0},
    {"password", CONF_TEXT, AT(password), "", "password", 0, 0},
    {"cert", CONF_TEXT, AT(cert), "", "client certificate instead of a password: path of a PEM file, or PEM text", 0,
     0},
    {"key", CONF_TEXT, AT(key), "", "private key of the client certificate: path of a PEM file, or PEM text", 0, 0},
    {"root", CONF_TEXT, AT(root), "", "API root; empty: the server's default", 0, 0},
    {"collection", CONF_TEXT, AT(collection), "", "collection id or alias", 0, 0},
};
const size_t taxii_client_n_fields = sizeof taxii_client_fields / sizeof taxii_client_fields[0];

void taxii_client_conf_from(const struct taxii_client_file *f, struct taxii_client_conf *out)
{
    *out = (struct taxii_client_conf){.root = f->root, .collection = f->collection};
    out->http = (struct http_client_conf){.url = f->url,
                                          .ca_file = f->ca,
                                          .pin = f->pin,
                                          .user = f->user,
                                          .password = f->password,
                                          .cert = f->cert,
                                          .key = f->key,
                                          .connect_us = 5000000,
                                          .total_us = 60000000};
}

/* ---- answers ---- */

/* What the peer says of its error, in its own words where it has some. */
static int peer_error(struct arena *a, const struct http_result *r, struct err *err)
{
    struct json root;
    struct slice text = SLICE(""), code = SLICE("");

    if (json_parse(a, arena_copy(a, buf_slice(&r->body)), &client_limits, &root, NULL) == 0) {
        text = json_string(a, json_get(root, SLICE("description")));
        if (text.len == 0)
            text = json_string(a, json_get(root, SLICE("title")));
        code = json_string(a, json_get(root, SLICE("error_code")));
    }
    enum err_code kind = r->status == 401   ? ERR_UNAUTHENTICATED
                         : r->status == 403 ? ERR_FORBIDDEN
                         : r->status == 404 ? ERR_NOT_FOUND
                         : r->status == 413 ? ERR_TOO_LARGE
                         : r->status == 503 ? ERR_BUSY
                         : r->status == 507 ? ERR_DISK_FULL
                                            : ERR_PEER;
    return err_set(err, kind, NULL, "the server answered %d%s" SLICE_FMT "%s" SLICE_FMT, r->status,
                   code.len != 0 ? " " : "", SLICE_ARG(code), text.len != 0 ? ": " : "", SLICE_ARG(text));
}

static int parse_answer(struct arena *a, struct http_result *r, struct json *out, struct err *err)
{
    if (r->status < 200 || r->status > 299)
        return peer_error(a, r, err);
    struct slice text = arena_copy(a, buf_slice(&r->body));
    if (json_parse(a, text, &client_limits, out, err) != 0)
        return err_set(err, ERR_PEER, NULL, "the server's answer is not JSON: is this a TAXII server?");
    return 0;
}

static int get(struct taxii_client *c, struct arena *a, struct slice path, struct http_result *result, struct json *out,
               struct err *err)
{
    const struct slice headers[] = {SLICE_INIT("Accept: " TAXII_MEDIA)};

    if (http_client_send(c->http, "GET", path, headers, 1, SLICE(""), CLIENT_BODY_MAX, result, err) != 0)
        return -1;
    return parse_answer(a, result, out, err);
}

/* ---- opening ---- */

/* The path of an API root URL, absolute or relative, with one slash at its end. */
static struct slice root_path(struct arena *a, struct slice url)
{
    size_t scheme = slice_find(url, SLICE("://"));

    if (scheme < url.len) {
        struct slice rest = slice_from(url, scheme + 3);
        url = slice_from(rest, slice_find(rest, SLICE("/")));
    }
    while (url.len != 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    while (url.len != 0 && url.ptr[0] == '/')
        url = slice_from(url, 1);
    return arena_printf(a, "/" SLICE_FMT "/", SLICE_ARG(url));
}

static int discover(struct taxii_client *c, struct err *err)
{
    struct http_result result = {.status = 0};
    struct json about;

    if (get(c, &c->arena, SLICE("/taxii2/"), &result, &about, err) != 0) {
        http_result_free(&result);
        return -1;
    }
    http_result_free(&result);
    struct slice url = json_string(&c->arena, json_get(about, SLICE("default")));
    if (url.len == 0)
        url = json_string(&c->arena, json_first(json_get(about, SLICE("api_roots"))));
    if (url.len == 0)
        return err_set(err, ERR_PEER, NULL, "the server names no API root: set root in the client file");
    c->root = root_path(&c->arena, url);
    return 0;
}

int taxii_client_open(const struct taxii_client_conf *conf, struct taxii_client **client_out, struct err *err)
{
    struct taxii_client *c = mem_zero(1, sizeof *c);

    if (http_client_open(&conf->http, &c->http, err) != 0) {
        free(c);
        return -1;
    }
    c->collection = arena_copy(&c->arena, conf->collection);
    if (conf->root.len != 0)
        c->root = root_path(&c->arena, conf->root);
    else if (discover(c, err) != 0) {
        taxii_client_close(&c);
        return -1;
    }
    *client_out = c;
    return 0;
}

void taxii_client_close(struct taxii_client **client)
{
    struct taxii_client *c = *client;

    *client = NULL;
    if (c == NULL)
        return;
    http_client_close(&c->http);
    arena_free(&c->arena);
    free(c);
}

struct http_client *taxii_client_http(struct taxii_client *c)
{
    return c->http;
}

void taxii_client_stop(struct taxii_client *c)
{
    http_client_stop(c->http);
}

/* ---- requests ---- */

static void put_escaped(struct buf *out, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char b = (unsigned char)text.ptr[i];
        if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || strchr("-._~", b) != NULL) {
            buf_put_byte(out, (char)b);
        } else {
            buf_put_byte(out, '%');
            buf_put_byte(out, digits[b >> 4]);
            buf_put_byte(out, digits[b & 15]);
        }
    }
}

struct query {
    struct buf *out;
    char mark; /* '?' before the first parameter, '&' before the others */
};

static void put_parameter(struct query *q, const char *name, struct slice value)
{
    buf_put_byte(q->out, q->mark);
    q->mark = '&';
    buf_put(q->out, slice_of(name));
    buf_put_byte(q->out, '=');
    put_escaped(q->out, value);
}

static void put_filter(struct query *q, const char *name, const struct taxii_filter *f)
{
    struct buf list = BUF_INIT;

    for (uint32_t i = 0; i < f->n; i++) {
        if (i != 0)
            buf_put_byte(&list, ',');
        buf_put(&list, f->items[i]);
    }
    if (f->n != 0)
        put_parameter(q, name, buf_slice(&list));
    buf_free(&list);
}

static void put_versions(struct query *q, const struct taxii_want *want)
{
    struct buf list = BUF_INIT;

    if (want->versions & TAXII_ALL)
        buf_put(&list, SLICE("all"));
    if (want->versions & TAXII_FIRST)
        buf_put(&list, list.len != 0 ? SLICE(",first") : SLICE("first"));
    if ((want->versions & TAXII_LAST) && (list.len != 0 || want->n_version_times != 0)) /* alone it is the default */
        buf_put(&list, list.len != 0 ? SLICE(",last") : SLICE("last"));
    for (uint32_t i = 0; i < want->n_version_times; i++) {
        char text[TIME_TEXT];
        time_put(text, want->version_times[i]);
        if (list.len != 0)
            buf_put_byte(&list, ',');
        buf_put(&list, slice_n(text, sizeof text));
    }
    if (list.len != 0)
        put_parameter(q, "match[version]", buf_slice(&list));
    buf_free(&list);
}

static void put_collection_path(struct taxii_client *c, const struct taxii_want *want, const char *below,
                                struct buf *out)
{
    buf_put(out, c->root);
    buf_put(out, SLICE("collections/"));
    put_escaped(out, want != NULL && want->collection.len != 0 ? want->collection : c->collection);
    buf_printf(out, "/%s/", below);
}

static void put_page_path(struct taxii_client *c, const struct taxii_want *want, struct buf *out)
{
    struct query q = {out, '?'};
    char text[TIME_TEXT];
    struct buf number = BUF_INIT;

    put_collection_path(c, want, want->part == TAXII_MANIFEST ? "manifest" : "objects", out);
    if (want->object_id.len != 0) {
        put_escaped(out, want->object_id);
        buf_put(out, want->part == TAXII_VERSIONS ? SLICE("/versions/") : SLICE("/"));
    }
    if (want->added_after_us != INT64_MIN) {
        time_put(text, want->added_after_us);
        put_parameter(&q, "added_after", slice_n(text, sizeof text));
    }
    if (want->next.len != 0)
        put_parameter(&q, "next", want->next);
    if (want->limit != 0) {
        buf_put_u64(&number, want->limit);
        put_parameter(&q, "limit", buf_slice(&number));
    }
    put_filter(&q, "match[type]", &want->types);
    put_filter(&q, "match[id]", &want->ids);
    put_filter(&q, "match[spec_version]", &want->spec_versions);
    put_versions(&q, want);
    buf_free(&number);
}

static void read_date(const struct http_result *r, struct slice name, int64_t *us_out)
{
    struct slice text = http_result_header(r, name);

    if (text.ptr == NULL || !time_parse(slice_trim(text), us_out))
        *us_out = 0;
}

int taxii_pull(struct taxii_client *c, struct arena *a, const struct taxii_want *want, struct taxii_page *page_out,
               struct err *err)
{
    struct buf path = BUF_INIT;
    struct http_result result = {.status = 0};
    struct json root;

    put_page_path(c, want, &path);
    int status = get(c, a, buf_slice(&path), &result, &root, err);
    buf_free(&path);
    if (status == 0) {
        struct json next = json_get(root, SLICE("next"));
        *page_out = (struct taxii_page){
            .objects = json_get(root, want->part == TAXII_VERSIONS ? SLICE("versions") : SLICE("objects"))};
        json_bool(json_get(root, SLICE("more")), &page_out->more);
        page_out->next = json_kind(next) == JSON_STRING   ? json_string(a, next)
                         : json_kind(next) == JSON_NUMBER ? json_raw(next)
                                                          : SLICE("");
        read_date(&result, SLICE("X-TAXII-Date-Added-First"), &page_out->first_us);
        read_date(&result, SLICE("X-TAXII-Date-Added-Last"), &page_out->last_us);
    }
    http_result_free(&result);
    return status;
}

int taxii_push(struct taxii_client *c, struct arena *a, struct slice envelope, int64_t first_event_us,
               struct json *status_out, struct err *err)
{
    struct slice headers[3] = {SLICE("Accept: " TAXII_MEDIA), SLICE("Content-Type: " TAXII_MEDIA)};
    struct buf path = BUF_INIT;
    struct http_result result = {.status = 0};
    char text[TIME_TEXT];
    size_t n = 2;

    if (first_event_us != 0) {
        time_put(text, first_event_us);
        headers[n++] = arena_printf(a, "Tocsin-First-Event: %.*s", (int)sizeof text, text);
    }
    put_collection_path(c, NULL, "objects", &path);
    int status =
        http_client_send(c->http, "POST", buf_slice(&path), headers, n, envelope, CLIENT_BODY_MAX, &result, err);
    if (status == 0)
        status = parse_answer(a, &result, status_out, err);
    buf_free(&path);
    http_result_free(&result);
    return status;
}

int taxii_get(struct taxii_client *c, struct arena *a, struct slice path_below_root, struct json *out, struct err *err)
{
    struct buf path = BUF_INIT;
    struct http_result result = {.status = 0};

    buf_put(&path, c->root);
    buf_put(&path, path_below_root);
    int status = get(c, a, buf_slice(&path), &result, out, err);
    buf_free(&path);
    http_result_free(&result);
    return status;
}

int taxii_follow(struct taxii_client *c, struct slice last_event_id, int64_t silent_us, http_event_fn *fn, void *arg,
                 struct err *err)
{
    struct slice headers[1];
    struct buf path = BUF_INIT, line = BUF_INIT;
    size_t n = 0;

    if (last_event_id.len != 0) {
        buf_printf(&line, "Last-Event-ID: " SLICE_FMT, SLICE_ARG(last_event_id));
        headers[n++] = buf_slice(&line);
    }
    put_collection_path(c, NULL, "stream", &path);
    int status = http_client_follow(c->http, buf_slice(&path), headers, n, silent_us, fn, arg, err);
    buf_free(&path);
    buf_free(&line);
    return status;
}

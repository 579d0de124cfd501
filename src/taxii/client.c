/* taxii/client.c: the client's side. Blocking, one thread; another thread may stop it. */
#include "taxii/internal.h"

#include <stddef.h>
#include <stdlib.h>

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
    {"receipt_key", CONF_TEXT, AT(receipt_key), "",
     "seed of the key that signs a sensor's receipts, in hexadecimal; empty: it sends none", 0, 0},
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

/* ---- opening ---- */

struct taxii_parts {
    struct slice origin, path, collection;
};

/* An address as people have it: of the server, of its discovery, of an API root, or of a collection in it. */
static struct taxii_parts split_url(struct slice url)
{
    size_t scheme = slice_find(url, SLICE("://"));
    size_t host = scheme < url.len ? scheme + 3 : 0;
    size_t end = host + slice_find(slice_from(url, host), SLICE("/"));
    struct taxii_parts p = {slice_to(url, end), slice_from(url, end), SLICE("")};

    p.path = slice_to(p.path, slice_find(p.path, SLICE("?")));
    size_t at = slice_find(p.path, SLICE("/collections/"));
    if (at < p.path.len) {
        struct slice rest = slice_from(p.path, at + 13);
        slice_cut(&rest, '/', &p.collection);
    } else if (slice_ends(p.path, SLICE("/collections"))) {
        at = p.path.len - 12;
    }
    p.path = slice_to(p.path, at);
    return p;
}

/* The root that discovery names, on our own host whatever host it names. */
static int take_root(struct taxii_client *c, struct json about, struct err *err)
{
    struct slice url = json_string(&c->arena, json_get(about, SLICE("default")));

    if (url.len == 0) {
        taxii_quirk(c, TAXII_QUIRK_no_root);
        url = json_string(&c->arena, json_first(json_get(about, SLICE("api_roots"))));
    }
    if (url.len == 0)
        return err_set(err, ERR_PEER, NULL, "the server names no API root: set root in the client file");
    if (slice_find(url, SLICE("://")) < url.len && !slice_eq_nocase(split_url(url).origin, c->origin))
        taxii_quirk(c, TAXII_QUIRK_root_elsewhere);
    c->root = taxii_root_path(&c->arena, url);
    return 0;
}

static int discover(struct taxii_client *c, struct slice path, struct err *err)
{
    bool given = path.len > 1;
    struct taxii_heard heard;
    struct json about;

    path = given ? taxii_root_path(&c->arena, path) : SLICE("/taxii2/");
    if (taxii_ask(c, &c->arena, path, &heard, &about, err) != 0) {
        if (heard.status == 404)
            taxii_quirk(c, TAXII_QUIRK_no_discovery);
        return -1;
    }
    if (given && json_kind(json_get(about, SLICE("api_roots"))) == JSON_ABSENT &&
        json_kind(json_get(about, SLICE("default"))) == JSON_ABSENT) { /* an API root itself */
        c->root = path;
        return 0;
    }
    return take_root(c, about, err);
}

int taxii_client_make(const struct taxii_client_conf *conf, struct taxii_client **client_out, struct err *err)
{
    struct taxii_client *c = mem_zero(1, sizeof *c);
    struct http_client_conf http = conf->http;
    struct taxii_parts parts = split_url(conf->http.url);

    http.url = parts.origin;
    if (http_client_open(&http, &c->http, err) != 0) {
        free(c);
        return -1;
    }
    c->origin = arena_copy(&c->arena, parts.origin);
    c->root = SLICE("");
    c->collection = arena_copy(&c->arena, conf->collection.len != 0 ? conf->collection : parts.collection);
    if (slice_eq_nocase(slice_to(c->origin, 7), SLICE("http://")))
        taxii_quirk(c, TAXII_QUIRK_plain);
    *client_out = c;
    return 0;
}

int taxii_client_find_root(struct taxii_client *c, const struct taxii_client_conf *conf, struct err *err)
{
    struct taxii_parts parts = split_url(conf->http.url);

    if (conf->root.len != 0)
        c->root = taxii_root_path(&c->arena, conf->root);
    else if (parts.collection.len != 0)
        c->root = taxii_root_path(&c->arena, parts.path);
    else
        return discover(c, parts.path, err);
    return 0;
}

int taxii_client_open(const struct taxii_client_conf *conf, struct taxii_client **client_out, struct err *err)
{
    if (taxii_client_make(conf, client_out, err) != 0)
        return -1;
    if (taxii_client_find_root(*client_out, conf, err) == 0)
        return 0;
    taxii_client_close(client_out);
    return -1;
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

uint64_t taxii_client_quirks(const struct taxii_client *c)
{
    return c->quirks;
}

void taxii_client_stop(struct taxii_client *c)
{
    http_client_stop(c->http);
}

/* ---- requests ---- */

static void read_dates(struct taxii_client *c, const struct taxii_heard *heard, struct taxii_page *page)
{
    int64_t unit;

    if (heard->first.ptr != NULL && !taxii_date(heard->first, &page->first_us, &unit))
        page->first_us = 0;
    if (heard->last.ptr == NULL)
        return;
    if (!taxii_date(heard->last, &page->last_us, &page->unit_us)) {
        page->last_us = page->unit_us = 0;
        taxii_quirk(c, TAXII_QUIRK_date_form);
    } else if (heard->last.len != 0 && heard->last.ptr[0] >= 'A') {
        taxii_quirk(c, TAXII_QUIRK_date_form);
    } else if (page->unit_us > 1) {
        taxii_quirk(c, TAXII_QUIRK_date_precision);
    }
}

/* An envelope, a bundle, or (as some gateways have it) the bare list. */
static void read_page(struct taxii_client *c, struct arena *a, struct json root, const struct taxii_want *want,
                      struct taxii_page *page)
{
    struct json next = json_get(root, SLICE("next"));

    page->objects = json_kind(root) == JSON_ARRAY
                        ? root
                        : json_get(root, want->part == TAXII_VERSIONS ? SLICE("versions") : SLICE("objects"));
    json_bool(json_get(root, SLICE("more")), &page->more);
    page->next = json_kind(next) == JSON_STRING   ? json_string(a, next)
                 : json_kind(next) == JSON_NUMBER ? json_raw(next)
                                                  : SLICE("");
    if (json_kind(next) == JSON_NUMBER)
        taxii_quirk(c, TAXII_QUIRK_next_number);
    bool silent = json_kind(json_get(root, SLICE("more"))) == JSON_ABSENT;
    page->guessed = silent && page->next.len == 0 && want->limit != 0 && json_count(page->objects) >= want->limit;
    if (page->guessed || (silent && page->next.len != 0))
        page->more = true; /* a next says so, too */
    else if (page->next.len != 0 && !page->more)
        taxii_quirk(c, TAXII_QUIRK_next_last);
    if (slice_eq(json_text(json_get(root, SLICE("type"))), SLICE("bundle")))
        taxii_quirk(c, TAXII_QUIRK_bundle);
    if (json_kind(page->objects) == JSON_ARRAY && json_count(page->objects) == 0)
        taxii_quirk(c, TAXII_QUIRK_empty_list);
}

int taxii_pull(struct taxii_client *c, struct arena *a, const struct taxii_want *want, struct taxii_page *page_out,
               struct err *err)
{
    struct buf path = BUF_INIT;
    struct taxii_heard heard;
    struct json root;

    taxii_put_page_path(c, want, &path);
    int status = taxii_ask(c, a, buf_slice(&path), &heard, &root, err);
    buf_free(&path);
    *page_out = (struct taxii_page){
        .status = heard.status, .retry_after_us = heard.retry_after_us, .bytes = heard.bytes, .next = SLICE("")};
    if (status == 0) {
        read_page(c, a, root, want, page_out);
        read_dates(c, &heard, page_out);
    }
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
    taxii_put_collection_path(c, SLICE(""), "objects", &path);
    int status =
        http_client_send(c->http, "POST", buf_slice(&path), headers, n, envelope, CLIENT_BODY_MAX, &result, err);
    if (status == 0)
        status = taxii_answer(c, a, &result, status_out, err);
    buf_free(&path);
    http_result_free(&result);
    return status;
}

int taxii_confirm(struct taxii_client *c, struct arena *a, const struct taxii_receipt *receipt, struct err *err)
{
    const struct slice headers[] = {SLICE_INIT("Accept: " TAXII_MEDIA), SLICE_INIT("Content-Type: " TAXII_MEDIA)};
    struct buf path = BUF_INIT, body = BUF_INIT;
    struct http_result result = {.status = 0};
    struct json answer;

    taxii_put_collection_path(c, SLICE(""), "receipts", &path);
    taxii_receipt_put(receipt, &body);
    int status = http_client_send(c->http, "POST", buf_slice(&path), headers, 2, buf_slice(&body), CLIENT_BODY_MAX,
                                  &result, err);
    if (status == 0)
        status = taxii_answer(c, a, &result, &answer, err);
    buf_free(&path);
    buf_free(&body);
    http_result_free(&result);
    return status;
}

int taxii_get(struct taxii_client *c, struct arena *a, struct slice path_below_root, struct json *out, struct err *err)
{
    struct buf path = BUF_INIT;
    struct taxii_heard heard;

    buf_put(&path, c->root);
    buf_put(&path, path_below_root);
    int status = taxii_ask(c, a, buf_slice(&path), &heard, out, err);
    buf_free(&path);
    return status;
}

int taxii_certify(struct taxii_client *c, struct arena *a, struct slice code, struct slice csr, struct json *out,
                  struct err *err)
{
    static const struct slice headers[] = {SLICE_INIT("Accept: " TAXII_MEDIA),
                                           SLICE_INIT("Content-Type: application/json")};
    struct buf path = BUF_INIT, body = BUF_INIT;
    struct http_result result = {.status = 0};

    json_put_open(&body, '{');
    if (code.len != 0)
        json_put_text(&body, "code", code);
    json_put_text(&body, "csr", csr);
    json_put_close(&body, '}');
    buf_put(&path, c->root);
    buf_put(&path, SLICE("certificate/"));
    int status = http_client_send(c->http, "POST", buf_slice(&path), headers, 2, buf_slice(&body), CLIENT_BODY_MAX,
                                  &result, err);
    if (status == 0)
        status = taxii_answer(c, a, &result, out, err);
    buf_free(&path);
    buf_free(&body);
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
    taxii_put_collection_path(c, SLICE(""), "stream", &path);
    int status = http_client_follow(c->http, buf_slice(&path), headers, n, silent_us, fn, arg, err);
    buf_free(&path);
    buf_free(&line);
    return status;
}

#include "door_test.h"

#include <string.h>
#include <unistd.h>

static const char *password_hash(void)
{
    static char text[200];
    struct buf hash = BUF_INIT;

    if (text[0] == '\0') {
        crypto_password_hash(SLICE("secret"), &hash);
        snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(buf_slice(&hash)));
        buf_free(&hash);
    }
    return text;
}

void door_member(struct door *d, const char *name, const char *more)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, ",\"password_hash\":\"%s\",\"defaults\":[{\"collection\":\"threats\",\"tlp\":\"green\"}]%s",
               password_hash(), more);
    buf_put_byte(&text, '\0');
    struct hub_party *p = hub_test_member(&d->t, name, text.ptr);
    hub_party_drop(&p);
    buf_free(&text);
}

void door_change(struct door *d, const char *name, const char *more)
{
    hub_test_act(&d->t, HUB_MEMBER_CHANGE, NULL, "{\"name\":\"%s\"%s}", name, more);
}

void door_open(struct door *d)
{
    struct http_server_conf conf = http_server_conf_default;
    struct err err = ERR_INIT;

    memset(d, 0, sizeof *d);
    hub_test_open(&d->t);
    hub_test_collection(&d->t, "threats", ",\"open\":true,\"title\":\"Threats\"", d->id);
    door_member(d, "bank", "");
    door_member(d, "clinic", "");
    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 64, &d->fd, &d->port, &err), 0);
    d->taxii = taxii_server_new(hub_taxii_backend(), d->t.hub, SLICE("tocsin"));
    conf.listen_fd = d->fd;
    assert_int_equal(http_server_start(&conf, taxii_server_handler(d->taxii), &d->http, &err), 0);
}

void door_close(struct door *d)
{
    http_server_stop(&d->http);
    hub_test_close(&d->t);
    taxii_server_free(&d->taxii);
    close(d->fd);
    arena_free(&d->arena);
}

static struct slice with_id(struct door *d, const char *path)
{
    const char *at = strstr(path, "%C");

    return at == NULL ? slice_of(path)
                      : arena_printf(&d->arena, "%.*s%s%s", (int)(at - path), path, d->id, at + strlen("%C"));
}

static size_t lines_of(struct door *d, const char *user, const char *headers, struct slice lines[16])
{
    struct slice rest = slice_of(headers), line;
    struct buf text = BUF_INIT, basic = BUF_INIT;
    size_t n = 0;

    while (slice_cut(&rest, '\n', &line))
        if (line.len != 0)
            lines[n++] = arena_copy(&d->arena, line);
    if (user != NULL) {
        buf_printf(&text, "%s:secret", user);
        crypto_put_base64(&basic, buf_slice(&text), false);
        lines[n++] = arena_printf(&d->arena, "Authorization: Basic " SLICE_FMT, SLICE_ARG(buf_slice(&basic)));
    }
    buf_free(&text);
    buf_free(&basic);
    return n;
}

static struct slice header(struct door *d, const struct http_result *r, const char *name)
{
    struct slice value = http_result_header(r, slice_of(name));

    return value.ptr != NULL ? arena_copy(&d->arena, value) : value;
}

void door_call(struct door *d, const char *user, const char *method, const char *path, const char *headers,
               const char *body, struct door_answer *out)
{
    struct slice lines[16];
    size_t n = lines_of(d, user, headers, lines);
    struct http_client_conf conf = {.url = arena_printf(&d->arena, "http://127.0.0.1:%u", d->port)};
    struct http_client *c;
    struct http_result r;
    struct err err = ERR_INIT;

    memset(out, 0, sizeof *out);
    assert_int_equal(http_client_open(&conf, &c, &err), 0);
    if (http_client_send(c, method, with_id(d, path), lines, n, slice_of(body), 64 << 20, &r, &err) != 0)
        fail_msg("%s %s: %s", method, path, err.text);
    out->status = r.status;
    out->body = arena_copy(&d->arena, buf_slice(&r.body));
    out->headers = arena_copy(&d->arena, buf_slice(&r.headers));
    out->first = header(d, &r, "X-TAXII-Date-Added-First");
    out->last = header(d, &r, "X-TAXII-Date-Added-Last");
    out->type = header(d, &r, "Content-Type");
    if (out->body.len != 0 && json_parse(&d->arena, out->body, NULL, &out->json, &err) != 0)
        fail_msg("%s %s: %s: " SLICE_FMT, method, path, err.text, SLICE_ARG(out->body));
    http_result_free(&r);
    http_client_close(&c);
}

void door_get(struct door *d, const char *user, const char *path, struct door_answer *out)
{
    door_call(d, user, "GET", path, DOOR_ACCEPT, "", out);
    if (out->status != 200)
        fail_msg("GET %s: %d " SLICE_FMT, path, out->status, SLICE_ARG(out->body));
}

void door_post(struct door *d, const char *user, const char *objects)
{
    struct slice body = arena_printf(&d->arena, "{\"objects\":[%s]}", objects);
    struct door_answer a;
    int64_t total, good;

    door_call(d, user, "POST", "/tocsin/collections/%C/objects/", DOOR_POST, body.ptr, &a);
    if (a.status != 202 || !json_int(json_get(a.json, SLICE("total_count")), &total) ||
        !json_int(json_get(a.json, SLICE("success_count")), &good) || total != good)
        fail_msg("%d " SLICE_FMT, a.status, SLICE_ARG(a.body));
}

void door_post_many(struct door *d, const char *user, unsigned from, unsigned to)
{
    struct slice *items = arena_array(&d->arena, struct slice, to - from + 1);

    for (unsigned i = from; i <= to; i++)
        items[i - from] = hub_test_indicator(&d->arena, i, 1, TLP_GREEN, "");
    door_post(d, user, hub_test_list(&d->arena, items, to - from + 1).ptr);
}

const char *door_token(struct door *d, const char *member)
{
    struct hub_answer a;
    struct json detail;

    hub_answer_init(&a);
    hub_test_act_into(&d->t, HUB_CREDENTIAL_PUT, NULL,
                      arena_printf(&d->arena, "{\"member\":\"%s\",\"name\":\"tool\",\"kind\":\"token\"}", member), &a);
    hub_answer_wait(&a);
    struct slice text = arena_copy(&d->arena, buf_slice(&a.detail));
    assert_int_equal(json_parse(&d->arena, text, NULL, &detail, NULL), 0);
    hub_answer_free(&a);
    return arena_copy(&d->arena, door_text(d, detail, "secret")).ptr;
}

const char *door_basic(struct door *d, const char *scheme, const char *text)
{
    struct buf basic = BUF_INIT;

    crypto_put_base64(&basic, slice_of(text), false);
    struct slice line = arena_printf(&d->arena, "Authorization: %s " SLICE_FMT, scheme, SLICE_ARG(buf_slice(&basic)));
    buf_free(&basic);
    return line.ptr;
}

size_t door_walk(struct door *d, const char *user, const char *path)
{
    struct door_answer page;
    struct slice *ids = arena_array(&d->arena, struct slice, 10000);
    size_t n = 0, pages = 0;

    for (const char *at = path; at != NULL; at = door_next(d, path, &page)) {
        door_get(d, user, at, &page);
        assert_true(++pages < 10000);
        json_each (v, json_get(page.json, SLICE("objects"))) {
            ids[n] = door_text(d, v, "id");
            for (size_t i = 0; i < n; i++)
                assert_false(slice_eq(ids[i], ids[n]));
            assert_true(++n < 10000);
        }
    }
    return n;
}

struct slice door_text(struct door *d, struct json object, const char *member)
{
    struct slice text = json_string(&d->arena, json_get(object, slice_of(member)));

    return text.ptr != NULL ? text : SLICE("");
}

size_t door_count(struct json envelope)
{
    return json_count(json_get(envelope, SLICE("objects"))) + json_count(json_get(envelope, SLICE("versions")));
}

const char *door_next(struct door *d, const char *path, const struct door_answer *page)
{
    struct slice next = door_text(d, page->json, "next");

    if (next.len == 0)
        return NULL;
    return arena_printf(&d->arena, "%s%cnext=" SLICE_FMT, path, strchr(path, '?') != NULL ? '&' : '?', SLICE_ARG(next))
        .ptr;
}

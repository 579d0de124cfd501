#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "taxii/taxii.h"

/* A backend of ten objects, added at 1 to 10 s of 1970. Who: "user:pass" at once, "late:pass" by another thread,
   "reader:pass" may not write. */
struct taxii_who {
    bool may_write;
};

struct hub {
    struct http_server *http;
    struct taxii_server *taxii;
    struct taxii_client *client;
    int fd;
    uint16_t port;
    atomic_int whos, adds, removes, closeds;
    struct slice first_event, last_event_id; /* of the last POST and stream, copied */
    struct arena arena;
    struct buf posted;
    _Atomic(struct http_stream *) stream;
    _Atomic(struct taxii_reply *) held;
};

static int check_credential(struct hub *h, struct slice given, struct taxii_who **who_out, struct err *err)
{
    if (given.ptr == NULL)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "");
    bool reader = slice_eq(given, SLICE("Basic cmVhZGVyOnBhc3M="));
    if (!reader && !slice_eq(given, SLICE("Basic dXNlcjpwYXNz")) && !slice_eq(given, SLICE("Basic bGF0ZTpwYXNz")))
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "wrong password");
    *who_out = mem_zero(1, sizeof **who_out);
    (*who_out)->may_write = !reader;
    atomic_fetch_add(&h->whos, 1);
    return 0;
}

struct late {
    struct hub *hub;
    struct taxii_reply *reply;
};

static void *sign_in_late(void *arg)
{
    struct late *l = arg;
    struct taxii_who *who = NULL;
    struct err err = ERR_INIT;

    usleep(10 * 1000);
    int result =
        check_credential(l->hub, http_head_get(taxii_reply_head(l->reply), SLICE("Authorization")), &who, &err);
    taxii_signed_in(l->reply, who, result != 0 ? &err : NULL);
    free(l);
    return NULL;
}

static int sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err)
{
    const struct http_head *head = taxii_reply_head(reply);
    struct slice given = http_head_get(head, SLICE("Authorization"));

    if (slice_starts(given, SLICE("Basic bGF0ZT"))) { /* "late:" */
        struct late *l = mem_alloc(sizeof *l);
        pthread_t t;
        *l = (struct late){hub, reply};
        pthread_create(&t, NULL, sign_in_late, l);
        pthread_detach(t);
        return HTTP_LATER;
    }
    if (check_credential(hub, given, who_out, err) != 0)
        return -1;
    if (slice_eq(head->method, SLICE("POST")) && !(*who_out)->may_write)
        return err_set(err, ERR_FORBIDDEN, NULL, "you may not write here");
    return 0;
}

static void sign_out(void *hub, struct taxii_who **who)
{
    atomic_fetch_sub(&((struct hub *)hub)->whos, 1);
    free(*who);
    *who = NULL;
}

static uint64_t max_body(void *hub, struct taxii_who *who)
{
    (void)hub, (void)who;
    return 1000;
}

static void describe(void *hub, struct taxii_who *who, enum taxii_describe what, struct taxii_reply *reply)
{
    static const char *const bodies[] = {
        [TAXII_DISCOVERY] = "{\"title\":\"test\",\"default\":\"https://hub.example/api/\",\"api_roots\":[\"/api/\"]}",
        [TAXII_ROOT] = "{\"title\":\"root\",\"versions\":[\"" TAXII_MEDIA "\"],\"max_content_length\":1000}",
        [TAXII_COLLECTIONS] = "{\"collections\":[]}",
        [TAXII_COLLECTION] = "{\"id\":\"c\"}",
        [TAXII_STATUS] = "{\"id\":\"s\",\"status\":\"complete\"}",
    };
    struct err err = ERR_INIT;

    (void)hub;
    assert_true(who != NULL || what == TAXII_DISCOVERY);
    if (what == TAXII_STATUS && slice_eq(taxii_reply_want(reply)->object_id, SLICE("hold"))) {
        atomic_store(&((struct hub *)hub)->held, reply);
    } else if (what == TAXII_COLLECTION && !slice_eq(taxii_reply_want(reply)->collection, SLICE("c"))) {
        err_set(&err, ERR_NOT_FOUND, "/id", "no collection \"" SLICE_FMT "\"",
                SLICE_ARG(taxii_reply_want(reply)->collection));
        taxii_reply_error(reply, &err);
    } else {
        taxii_reply_json(reply, 200, buf_ref_copy(slice_of(bodies[what])));
    }
}

static void page(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    const struct taxii_want *want = taxii_reply_want(reply);
    struct buf b = BUF_INIT;
    uint64_t from = 1, n = want->limit != 0 ? want->limit : 10, last = 0, first = 0;

    (void)hub, (void)who;
    if (want->next.len != 0)
        slice_u64(want->next, &from);
    else if (want->added_after_us != INT64_MIN)
        from = (uint64_t)(want->added_after_us / 1000000) + 1;
    json_put_open(&b, '{');
    if (from <= 10) {
        json_put_key(&b, want->part == TAXII_VERSIONS ? SLICE("versions") : SLICE("objects"));
        json_put_open(&b, '[');
        for (uint64_t i = from; i <= 10 && i < from + n; i++) {
            json_put_int(&b, (int64_t)i);
            first = first != 0 ? first : i;
            last = i;
        }
        json_put_close(&b, ']');
        if (last < 10) {
            json_put_key(&b, SLICE("more"));
            json_put_bool(&b, true);
            json_put_number(&b, "next", (int64_t)last + 1); /* a number, as some servers send it */
        }
    }
    json_put_close(&b, '}');
    taxii_reply_page(reply, buf_ref_take(&b), (int64_t)first * 1000000, (int64_t)last * 1000000);
}

static void add(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct hub *h = hub;

    (void)who;
    buf_clear(&h->posted);
    buf_put(&h->posted, taxii_reply_body(reply));
    h->first_event = arena_copy(&h->arena, http_head_get(taxii_reply_head(reply), SLICE("Tocsin-First-Event")));
    atomic_fetch_add(&h->adds, 1);
    taxii_reply_json(reply, 202, buf_ref_copy(SLICE("{\"id\":\"s\",\"status\":\"complete\",\"total_count\":1}")));
}

static void remove_object(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    (void)who;
    assert_slice(taxii_reply_want(reply)->object_id, "o");
    assert_int_equal(taxii_reply_want(reply)->versions, TAXII_ALL);
    atomic_fetch_add(&((struct hub *)hub)->removes, 1);
    taxii_reply_json(reply, 200, NULL);
}

static void on_closed(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void follow(void *hub, struct taxii_who *who, struct slice last_event_id, struct taxii_reply *reply)
{
    struct hub *h = hub;
    struct http_stream_events events = {.arg = &h->closeds, .closed = on_closed};

    (void)who;
    h->last_event_id = arena_copy(&h->arena, last_event_id);
    struct http_stream *s = http_stream_open(taxii_reply_stream(reply), SLICE("text/event-stream"), 10000, &events);
    http_stream_send(s, buf_ref_copy(SLICE("id: 8\nevent: add\ndata: {}\n\n")));
    http_stream_close(s);
    atomic_store(&h->stream, s);
}

static void confirm(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    assert_true(taxii_reply_want(reply)->receipt);
    taxii_reply_json(reply, 200, buf_ref_copy(taxii_reply_body(reply)));
}

static const struct taxii_backend backend = {sign_in, describe, page,     add,    remove_object,
                                             follow,  sign_out, max_body, confirm};

/* ---- fixture ---- */

static struct http_client_conf http_conf(struct hub *h, const char *user)
{
    struct slice url = arena_printf(&h->arena, "http://127.0.0.1:%u", h->port);

    return (struct http_client_conf){
        .url = url, .user = slice_of(user), .password = user[0] != '\0' ? SLICE("pass") : SLICE("")};
}

static int start(void **state)
{
    struct hub *h = mem_zero(1, sizeof *h);
    struct err err = ERR_INIT;
    struct http_server_conf conf = http_server_conf_default;

    assert_int_equal(http_listen(SLICE("127.0.0.1:0"), 64, &h->fd, &h->port, &err), 0);
    h->taxii = taxii_server_new(&backend, h, SLICE("api"));
    conf.listen_fd = h->fd;
    assert_int_equal(http_server_start(&conf, taxii_server_handler(h->taxii), &h->http, &err), 0);
    struct taxii_client_conf client = {.http = http_conf(h, "user"), .collection = SLICE("c")};
    if (taxii_client_open(&client, &h->client, &err) != 0) /* the root comes from discovery */
        fail_msg("%s", err.text);
    *state = h;
    return 0;
}

static int stop(void **state)
{
    struct hub *h = *state;

    taxii_client_close(&h->client);
    http_server_stop(&h->http);
    taxii_server_free(&h->taxii);
    close(h->fd);
    assert_int_equal(atomic_load(&h->whos), 0); /* everybody signed out */
    arena_free(&h->arena);
    buf_free(&h->posted);
    free(h);
    return 0;
}

/* ---- the server ---- */

static const struct {
    const char *user, *method, *path, *header, *body;
    int status;
    const char *answer; /* part of the body */
} rows[] = {
    {"", "GET", "/taxii2/", "", "", 200, "\"title\":\"test\""}, /* discovery is open */
    {"", "GET", "/taxii2", "", "", 200, "\"title\":\"test\""},
    {"wrong", "GET", "/taxii2/", "", "", 401, "wrong password"},
    {"", "GET", "/api/", "", "", 401, "\"http_status\":\"401\""},
    {"", "POST", "/api/collections/c/objects/", "Content-Type: " TAXII_MEDIA, "{}", 401, "UNAUTHENTICATED"},
    {"", "GET", "/", "", "", 404, "/taxii2/"},
    {"user", "GET", "/else/", "", "", 404, "\"title\":"},
    {"user", "GET", "/api/", "", "", 200, "max_content_length"},
    {"late", "GET", "/api/", "", "", 200, "max_content_length"},
    {"user", "GET", "/api/collections/", "", "", 200, "{\"collections\":[]}"},
    {"user", "GET", "/api/collections/c/", "", "", 200, "{\"id\":\"c\"}"},
    {"user", "GET", "/api/collections/x%22y/", "", "", 404, "\"description\":\"no collection \\\"x\\\"y\\\"\""},
    {"user", "GET", "/api/collections/x/", "", "", 404, "\"details\":{\"place\":\"/id\"}"},
    {"user", "GET", "/api/status/1/", "", "", 200, "complete"},
    {"user", "GET", "/api/collections/c/objects/", "", "", 200, "{\"objects\":[1,2,3,4,5,6,7,8,9,10]}"},
    {"user", "GET", "/api/collections/c/manifest/?limit=2", "", "", 200,
     "{\"objects\":[1,2],\"more\":true,\"next\":3}"},
    {"user", "GET", "/api/collections/c/objects/o/versions/?limit=2", "", "", 200, "{\"versions\":[1,2]"},
    {"user", "GET", "/api/collections/c/objects/?limit=0", "", "", 400, "QUERY_FILTER"},
    {"user", "GET", "/api/collections/c/objects/?added_after=x", "", "", 400, "\"place\":\"added_after\""},
    {"user", "GET", "/api/collections/c/objects/", "Accept: text/html", "", 406, TAXII_MEDIA},
    {"late", "GET", "/api/collections/c/objects/", "Accept: text/html", "", 406, TAXII_MEDIA},
    {"user", "GET", "/api/collections/c/objects/", "Accept: application/taxii+json; version=2.0", "", 406, ""},
    {"user", "PUT", "/api/collections/c/objects/", "", "{}", 405, "METHOD"},
    {"late", "PUT", "/api/collections/c/objects/", "", "{}", 405, "METHOD"},
    {"user", "POST", "/api/collections/", "Content-Type: " TAXII_MEDIA, "{}", 405, "METHOD"},
    {"user", "POST", "/api/collections/c/objects/", "Content-Type: " TAXII_MEDIA, "{\"objects\":[]}", 202,
     "total_count"},
    {"late", "POST", "/api/collections/c/objects/", "Content-Type: application/taxii+json", "{}", 202, "total_count"},
    {"reader", "POST", "/api/collections/c/objects/", "Content-Type: " TAXII_MEDIA, "{}", 403, "may not write"},
    {"user", "POST", "/api/collections/c/objects/", "Content-Type: application/json", "{}", 415, "MEDIA_TYPE"},
    {"user", "POST", "/api/collections/c/objects/", "", "{}", 415, "MEDIA_TYPE"},
    {"user", "POST", "/api/collections/c/receipts/", "Content-Type: " TAXII_MEDIA, "{\"event\":1}", 200, "event"},
    {"user", "POST", "/api/collections/c/receipts/", "", "{}", 415, "MEDIA_TYPE"},
    {"user", "GET", "/api/collections/c/receipts/", "", "", 405, "METHOD"},
    {"", "POST", "/api/collections/c/receipts/", "Content-Type: " TAXII_MEDIA, "{}", 401, "UNAUTHENTICATED"},
    {"user", "DELETE", "/api/collections/c/objects/o/", "", "", 200, ""},
    {"user", "HEAD", "/api/collections/c/objects/", "", "", 200, ""},
};

static void test_taxii_server__rows(void **state)
{
    struct hub *h = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct http_client_conf conf = http_conf(h, rows[i].user);
        struct http_client *c;
        struct http_result result;
        struct err err = ERR_INIT;
        struct slice header = slice_of(rows[i].header);
        assert_int_equal(http_client_open(&conf, &c, &err), 0);
        if (http_client_send(c, rows[i].method, slice_of(rows[i].path), &header, header.len != 0 ? 1 : 0,
                             slice_of(rows[i].body), 10000, &result, &err) != 0)
            fail_row(i, "%s", err.text);
        struct slice body = buf_slice(&result.body), wanted = slice_of(rows[i].answer);
        if (result.status != rows[i].status || (wanted.len != 0 && slice_find(body, wanted) == body.len))
            fail_row(i, "%s %s: %d " SLICE_FMT, rows[i].method, rows[i].path, result.status, SLICE_ARG(body));
        assert_slice(http_result_header(&result, SLICE("Content-Type")), TAXII_MEDIA);
        assert_int_equal(http_result_header(&result, SLICE("WWW-Authenticate")).ptr != NULL, result.status == 401);
        assert_int_equal(http_result_header(&result, SLICE("Allow")).ptr != NULL, result.status == 405);
        http_result_free(&result);
        http_client_close(&c);
    }
    assert_int_equal(atomic_load(&h->adds), 2);
    assert_int_equal(atomic_load(&h->removes), 1);
}

static void test_taxii_server__body_limit(void **state)
{
    struct hub *h = *state;
    struct http_client_conf conf = http_conf(h, "user");
    struct http_client *c;
    struct http_result result;
    struct err err = ERR_INIT;
    struct slice header = SLICE("Content-Type: " TAXII_MEDIA);
    struct buf body = BUF_INIT;

    assert_int_equal(http_client_open(&conf, &c, &err), 0);
    for (int i = 0; i < 1000; i++)
        buf_put_byte(&body, ' ');
    for (int over = 0; over < 2; over++) { /* max_content_length itself is allowed */
        assert_int_equal(http_client_send(c, "POST", SLICE("/api/collections/c/objects/"), &header, 1, buf_slice(&body),
                                          1000, &result, &err),
                         0);
        assert_int_equal(result.status, over ? 413 : 202);
        http_result_free(&result);
        buf_put_byte(&body, ' ');
    }
    while (body.len < 5000)
        buf_put_byte(&body, ' ');
    assert_int_equal(http_client_send(c, "PATCH", SLICE("/taxii2/"), &header, 1, buf_slice(&body), 1000, &result, &err),
                     0);
    assert_int_equal(result.status, 405);
    http_result_free(&result);
    assert_int_equal(http_client_send(c, "DELETE", SLICE("/api/collections/c/objects/o/"), &header, 1, buf_slice(&body),
                                      1000, &result, &err),
                     0);
    assert_int_equal(result.status, 413); /* a body where none means anything */
    http_result_free(&result);
    http_client_close(&c);
    buf_free(&body);
}

/* A request answered after the server is gone: its sender is signed out all the same. */
static void test_taxii_server__answered_late(void **state)
{
    struct hub *h = *state;
    struct http_client_conf conf = http_conf(h, "user");
    struct http_client *c;
    struct http_result result;
    struct err err = ERR_INIT;

    conf.total_us = 200 * 1000;
    assert_int_equal(http_client_open(&conf, &c, &err), 0);
    assert_int_equal(http_client_send(c, "GET", SLICE("/api/status/hold/"), NULL, 0, SLICE(""), 1000, &result, &err),
                     -1);
    http_client_close(&c);
    http_server_stop(&h->http);
    taxii_server_free(&h->taxii);
    assert_int_equal(atomic_load(&h->whos), 1);
    err_set(&err, ERR_BUSY, NULL, "");
    taxii_reply_error(atomic_load(&h->held), &err);
    assert_int_equal(atomic_load(&h->whos), 0);
}

/* ---- the client ---- */

static struct taxii_want want_all(void)
{
    return (struct taxii_want){.added_after_us = INT64_MIN, .versions = TAXII_LAST};
}

static void test_taxii_client__pulls(void **state)
{
    struct hub *h = *state;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct taxii_want want = want_all();
    struct taxii_page p;
    int64_t expected = 1, got;

    want.limit = 4;
    do {
        if (taxii_pull(h->client, &a, &want, &p, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(p.first_us, expected * 1000000);
        json_each (v, p.objects) {
            assert_true(json_int(v, &got));
            assert_int_equal(got, expected++);
        }
        assert_int_equal(p.last_us, (expected - 1) * 1000000);
        want.next = p.next;
    } while (p.more);
    assert_int_equal(expected, 11);
    assert_int_equal(p.next.len, 0);

    want = want_all();
    want.added_after_us = 10 * 1000000; /* nothing since: no objects, no dates */
    assert_int_equal(taxii_pull(h->client, &a, &want, &p, &err), 0);
    assert_int_equal(json_kind(p.objects), JSON_ABSENT);
    assert_false(p.more);
    assert_int_equal(p.first_us, 0);
    want.added_after_us = 8 * 1000000;
    want.part = TAXII_VERSIONS;
    want.object_id = SLICE("o");
    assert_int_equal(taxii_pull(h->client, &a, &want, &p, &err), 0);
    assert_int_equal(json_count(p.objects), 2);
    arena_free(&a);
}

static void test_taxii_client__pushes(void **state)
{
    struct hub *h = *state;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct json status;

    assert_int_equal(taxii_push(h->client, &a, SLICE("{\"objects\":[1]}"), 0, &status, &err), 0);
    assert_slice(json_string(&a, json_get(status, SLICE("status"))), "complete");
    assert_slice(buf_slice(&h->posted), "{\"objects\":[1]}");
    assert_int_equal(h->first_event.len, 0);
    assert_int_equal(taxii_push(h->client, &a, SLICE("{}"), 1500000, &status, &err), 0);
    assert_slice(h->first_event, "1970-01-01T00:00:01.500000Z");
    arena_free(&a);
}

static void test_taxii_client__errors(void **state)
{
    struct hub *h = *state;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct json out;
    struct taxii_client *c;
    struct taxii_client_conf conf = {.http = http_conf(h, "wrong"), .collection = SLICE("c")};

    assert_int_equal(taxii_client_open(&conf, &c, &err), -1); /* discovery */
    assert_int_equal(err.code, ERR_UNAUTHENTICATED);
    assert_true(slice_find(slice_of(err.text), SLICE("wrong password")) < strlen(err.text)); /* in the peer's words */
    assert_int_equal(taxii_get(h->client, &a, SLICE("collections/x/"), &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(taxii_get(h->client, &a, SLICE("collections/c/"), &out, &err), 0);
    assert_slice(json_string(&a, json_get(out, SLICE("id"))), "c");
    conf = (struct taxii_client_conf){.http = http_conf(h, "reader"), .root = SLICE("api"), .collection = SLICE("c")};
    assert_int_equal(taxii_client_open(&conf, &c, &err), 0);
    assert_int_equal(taxii_push(c, &a, SLICE("{}"), 0, &out, &err), -1);
    assert_int_equal(err.code, ERR_FORBIDDEN);
    taxii_client_close(&c);
    arena_free(&a);
}

static int take(void *arg, const struct http_event *e)
{
    buf_printf(arg, SLICE_FMT " " SLICE_FMT " " SLICE_FMT, SLICE_ARG(e->id), SLICE_ARG(e->type), SLICE_ARG(e->data));
    return 1;
}

static void test_taxii_client__follows(void **state)
{
    struct hub *h = *state;
    struct err err = ERR_INIT;
    struct buf got = BUF_INIT;

    for (int i = 0; i < 2; i++) {
        buf_clear(&got);
        if (taxii_follow(h->client, i == 0 ? SLICE("") : SLICE("7"), 5000000, take, &got, &err) != 0)
            fail_msg("%s", err.text);
        assert_slice(buf_slice(&got), "8 add {}");
        for (int k = 0; k < 5000 && atomic_load(&h->closeds) != i + 1; k++)
            usleep(1000);
        assert_slice(h->last_event_id, i == 0 ? "" : "7");
        http_stream_release(atomic_load(&h->stream));
    }
    buf_free(&got);
}

static void test_taxii_client__versions_in_the_query(void **state)
{
    struct hub *h = *state;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct taxii_want want = want_all();
    struct taxii_page p;

    want.versions = TAXII_LAST | TAXII_FIRST; /* the server's rows say how these are read: here, that it takes them */
    want.version_times[want.n_version_times++] = 1500000;
    want.types.items[want.types.n++] = SLICE("a b&c");
    if (taxii_pull(h->client, &a, &want, &p, &err) != 0)
        fail_msg("%s", err.text);
    want.versions = TAXII_ALL;
    assert_int_equal(taxii_pull(h->client, &a, &want, &p, &err), -1); /* all stands alone: both sides agree */
    want.n_version_times = 0;
    assert_int_equal(taxii_pull(h->client, &a, &want, &p, &err), 0);
    arena_free(&a);
}

#define HUB(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB(test_taxii_server__rows),          HUB(test_taxii_server__body_limit),
        HUB(test_taxii_server__answered_late), HUB(test_taxii_client__pulls),
        HUB(test_taxii_client__pushes),        HUB(test_taxii_client__errors),
        HUB(test_taxii_client__follows),       HUB(test_taxii_client__versions_in_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "net/web.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/time.h"

static void nap(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* ---- the handler ---- */

static bool path_is(const struct http_request *r, const char *path)
{
    return slice_eq(http_request_head(r)->path, slice_of(path));
}

struct admission {
    struct http_request *request;
    struct web *web;
};

static void *admit_later(void *arg)
{
    struct admission *a = arg;
    struct err err = ERR_INIT;

    nap(20);
    if (path_is(a->request, "/sign-out"))
        err_set(&err, ERR_UNAUTHENTICATED, "", "who are you?");
    http_admit(a->request, 0, a->web, err.code != ERR_NONE ? &err : NULL);
    free(a);
    return NULL;
}

static void in_thread(void *(*run)(void *), void *arg)
{
    pthread_t t;

    pthread_create(&t, NULL, run, arg);
    pthread_detach(t);
}

static int web_head(void *arg, struct http_request *r, uint64_t *max_body, void **user, struct err *err)
{
    struct web *w = arg;

    atomic_fetch_add(&w->heads, 1);
    *user = w;
    if (path_is(r, "/never-body"))
        return err_set(err, ERR_FORBIDDEN, "/head", "not here");
    if (path_is(r, "/small"))
        *max_body = 100;
    if (path_is(r, "/sign-in") || path_is(r, "/sign-out")) {
        struct admission *a = mem_alloc(sizeof *a);
        *a = (struct admission){r, w};
        in_thread(admit_later, a);
        return HTTP_LATER;
    }
    return 0;
}

static void reply(struct http_request *r, struct buf_ref *body)
{
    struct http_answer answer = {200, SLICE("text/plain"), NULL, 0, body};

    http_reply(r, &answer);
}

static void *reply_later(void *arg)
{
    nap(20);
    reply(arg, buf_ref_copy(SLICE("from another thread")));
    return NULL;
}

static struct buf_ref *describe(struct http_request *r)
{
    const struct http_head *h = http_request_head(r);
    struct buf b = BUF_INIT;

    buf_printf(&b, SLICE_FMT " " SLICE_FMT " " SLICE_FMT " " SLICE_FMT " %zu %d", SLICE_ARG(h->method),
               SLICE_ARG(h->path), SLICE_ARG(h->query), SLICE_ARG(h->peer), h->n_headers, h->has_body);
    return buf_ref_take(&b);
}

static struct buf_ref *describe_certificate(struct http_request *r)
{
    const struct http_head *h = http_request_head(r);
    struct buf b = BUF_INIT;

    if (h->certificate != NULL)
        buf_printf(&b, "certificate " SLICE_FMT, SLICE_ARG(h->certificate->subject));
    else if (h->certificate_refused.len != 0)
        buf_printf(&b, "refused " SLICE_FMT, SLICE_ARG(h->certificate_refused));
    else
        buf_put(&b, SLICE("none"));
    return buf_ref_take(&b);
}

/* "000000000\n", "000000001\n" and so on: 5 MB. */
static struct buf_ref *numbers(void)
{
    struct buf b = BUF_INIT;
    char line[] = "000000000\n";

    buf_reserve(&b, 5 * 1000 * 1000);
    for (int i = 0; i < 500 * 1000; i++) {
        buf_put(&b, slice_n(line, 10));
        int at = 8;
        while (line[at] == '9')
            line[at--] = '0';
        line[at]++;
    }
    return buf_ref_take(&b);
}

static void on_ready(void *arg, struct http_stream *s)
{
    struct web *w = arg;

    (void)s;
    atomic_fetch_add(&w->readies, 1);
}

static void on_closed(void *arg)
{
    struct web *w = arg;

    atomic_fetch_add(&w->closeds, 1);
}

static void web_request(void *arg, struct http_request *r)
{
    struct web *w = arg;
    struct err err = ERR_INIT;

    atomic_fetch_add(&w->requests, 1);
    if (path_is(r, "/hello") || path_is(r, "/sign-in")) {
        reply(r, buf_ref_copy(SLICE("hello")));
    } else if (path_is(r, "/big")) {
        reply(r, numbers());
    } else if (path_is(r, "/echo") || path_is(r, "/small")) {
        reply(r, buf_ref_copy(http_request_body(r)));
    } else if (path_is(r, "/thread")) {
        in_thread(reply_later, r);
    } else if (path_is(r, "/certificate")) {
        reply(r, describe_certificate(r));
    } else if (path_is(r, "/head")) {
        reply(r, describe(r));
    } else if (path_is(r, "/hold") || path_is(r, "/stream")) {
        pthread_mutex_lock(&w->lock);
        if (path_is(r, "/hold"))
            w->held = r;
        else
            http_stream_open(r, SLICE("text/event-stream"), w->queue_max,
                             &(struct http_stream_events){w, on_ready, on_closed, &w->stream});
        pthread_mutex_unlock(&w->lock);
    } else {
        err_set(&err, ERR_NOT_FOUND, "", "nothing here");
        http_reply_error(r, &err, NULL, 0);
    }
}

static size_t web_error_headers(void *arg, struct arena *a, const struct http_head *head, const struct err *err,
                                int status, struct http_header out[HTTP_ERROR_HEADERS])
{
    (void)arg, (void)a, (void)head, (void)err;
    if (status != 401)
        return 0;
    out[0] = (struct http_header){SLICE("WWW-Authenticate"), SLICE("Basic realm=\"test\"")};
    return 1;
}

static void web_done(void *arg, void *user)
{
    struct web *w = arg;

    assert(user == w);
    atomic_fetch_add(&w->dones, 1);
}

void web_start(struct web *w, const struct http_server_conf *conf)
{
    struct err err = ERR_INIT;
    struct http_handler handler = {w, web_head, web_request, NULL, web_error_headers, web_done};

    *w = (struct web){.conf = conf != NULL ? *conf : http_server_conf_default, .queue_max = 64 * 1024};
    pthread_mutex_init(&w->lock, NULL);
    w->conf.loops = 2;
    if (http_listen(SLICE("127.0.0.1:0"), 512, &w->conf.listen_fd, &w->port, &err) != 0 ||
        http_server_start(&w->conf, &handler, &w->server, &err) != 0)
        fail_msg("%s", err.text);
}

void web_stop(struct web *w)
{
    http_server_stop(&w->server);
    close(w->conf.listen_fd);
    pthread_mutex_destroy(&w->lock);
}

void web_wait(atomic_int *value, int wanted)
{
    for (int i = 0; i < 5000 && atomic_load(value) != wanted; i++)
        nap(1);
    assert_int_equal(atomic_load(value), wanted);
}

struct http_request *web_take_held(struct web *w)
{
    struct http_request *r = NULL;

    for (int i = 0; i < 5000 && r == NULL; i++) {
        pthread_mutex_lock(&w->lock);
        r = w->held;
        w->held = NULL;
        pthread_mutex_unlock(&w->lock);
        nap(1);
    }
    assert_non_null(r);
    return r;
}

struct http_stream *web_take_stream(struct web *w)
{
    struct http_stream *s = NULL;

    for (int i = 0; i < 5000 && s == NULL; i++) {
        pthread_mutex_lock(&w->lock);
        s = w->stream;
        w->stream = NULL;
        pthread_mutex_unlock(&w->lock);
        nap(1);
    }
    assert_non_null(s);
    return s;
}

/* ---- raw client ---- */

bool raw_was_reset;

int raw_connect(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    raw_was_reset = false;
    return fd;
}

void raw_send(int fd, struct slice bytes)
{
    while (bytes.len != 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        raw_was_reset = raw_was_reset || n < 0;
        if (n <= 0)
            return;
        bytes = slice_from(bytes, (size_t)n);
    }
}

bool raw_read(int fd, struct buf *out, int ms)
{
    int64_t until = time_steady_us() + ms * 1000LL;
    char got[64 * 1024];

    for (;;) {
        int64_t left = until - time_steady_us();
        struct pollfd p = {fd, POLLIN, 0};
        if (left <= 0 || poll(&p, 1, (int)(left / 1000 + 1)) == 0)
            return false;
        ssize_t n = recv(fd, got, sizeof got, 0);
        raw_was_reset = raw_was_reset || n < 0;
        if (n <= 0)
            return true;
        buf_put(out, slice_n(got, (size_t)n));
    }
}

size_t count_of(struct slice text, const char *what)
{
    size_t n = 0, at;

    while ((at = slice_find(text, slice_of(what))) < text.len) {
        n++;
        text = slice_from(text, at + 1);
    }
    return n;
}

void raw_read_until(int fd, struct buf *out, const char *text, size_t n)
{
    int64_t until = time_steady_us() + 10 * 1000000;

    while (count_of(buf_slice(out), text) < n) {
        struct pollfd p = {fd, POLLIN, 0};
        char got[64 * 1024];
        ssize_t len = time_steady_us() < until && poll(&p, 1, 1000) == 1 ? recv(fd, got, sizeof got, 0) : -2;
        if (len == 0 || len == -1 || time_steady_us() >= until)
            fail_msg("waiting for \"%s\": got \"%.*s\"", text, SLICE_ARG(buf_slice(out)));
        if (len > 0)
            buf_put(out, slice_n(got, (size_t)len));
    }
}

int raw_status(const struct buf *answer)
{
    struct slice s = buf_slice(answer);
    uint64_t status;

    return slice_starts(s, SLICE("HTTP/1.1 ")) && slice_u64(slice_to(slice_from(s, 9), 3), &status) ? (int)status : 0;
}

/* ---- certificates ---- */

static void write_file(char *path, size_t size, const char *dir, const char *name, struct slice text)
{
    struct err err = ERR_INIT;

    snprintf(path, size, "%s/%s", dir, name);
    if (file_write_atomic(path, text, 0600, &err) != 0)
        fail_msg("%s", err.text);
}

void certs_make(struct certs *c, const char *host, int64_t from_s, int64_t until_s)
{
    struct err err = ERR_INIT;
    struct buf ca = BUF_INIT, ca_key = BUF_INIT, cert = BUF_INIT, key = BUF_INIT;
    int64_t now = time_now_us(), day = 24 * 3600 * 1000000LL;
    struct slice hosts[] = {slice_of(host)};
    struct crypto_cert_ask authority = {SLICE("test authority"), NULL,           0,
                                        now - 10 * day,          now + 10 * day, CRYPTO_CERT_AUTHORITY};
    struct crypto_cert_ask ask = {slice_of(host),          hosts,           1, now + from_s * 1000000,
                                  now + until_s * 1000000, CRYPTO_CERT_BOTH};

    assert_int_equal(crypto_start(&err), 0);
    if (crypto_cert_make(&authority, slice_n(NULL, 0), slice_n(NULL, 0), &ca, &ca_key, &err) != 0 ||
        crypto_cert_make(&ask, buf_slice(&ca), buf_slice(&ca_key), &cert, &key, &err) != 0 ||
        crypto_cert_pin(buf_slice(&cert), c->pin, &err) != 0)
        fail_msg("%s", err.text);
    strcpy(c->dir, "/tmp/tocsin-net-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    write_file(c->ca, sizeof c->ca, c->dir, "ca.pem", buf_slice(&ca));
    write_file(c->cert, sizeof c->cert, c->dir, "cert.pem", buf_slice(&cert));
    write_file(c->key, sizeof c->key, c->dir, "key.pem", buf_slice(&key));
    buf_free(&ca);
    buf_free(&ca_key);
    buf_free(&cert);
    buf_free(&key);
}

void certs_remove(struct certs *c)
{
    unlink(c->ca);
    unlink(c->cert);
    unlink(c->key);
    rmdir(c->dir);
}

#include "net/http_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/time.h"
#include "net/http_client_internal.h"
#include "net/sse.h"

enum { HEADERS_MAX = 64 * 1024, POLL_MS = 1000 };

/* What one exchange collects. */
struct exchange {
    struct http_client *client;
    struct http_result *result;
    size_t max_body;
    struct sse *sse; /* NULL: not a stream */
    http_event_fn *fn;
    void *arg;
    bool told_to_stop, too_large;
    int64_t last_us; /* when a byte last came */
    struct err *err;
    bool failed; /* err is set */
};

/* ---- opening ---- */

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_plain(struct slice url)
{
    return slice_eq_nocase(slice_to(url, 7), SLICE("http://"));
}

static bool is_loopback(struct slice url)
{
    struct slice rest = slice_from(url, slice_find(url, SLICE("://")) + 3);

    return slice_starts(rest, SLICE("127.")) || slice_starts(rest, SLICE("[::1]")) ||
           slice_starts(rest, SLICE("localhost:")) || slice_starts(rest, SLICE("localhost/")) ||
           slice_eq(rest, SLICE("localhost"));
}

int http_client_check(const struct http_client_conf *conf, struct err *err)
{
    uint8_t pin[CRYPTO_HASH];
    bool https = slice_eq_nocase(slice_to(conf->url, 8), SLICE("https://"));

    if (!https && !is_plain(conf->url))
        return err_set(err, ERR_CONF_VALUE, "", "\"" SLICE_FMT "\" is not an address such as https://hub.example:6443",
                       SLICE_ARG(conf->url));
    if (conf->pin.len != 0 && !crypto_hex(conf->pin, pin, sizeof pin))
        return err_set(err, ERR_CONF_VALUE, "", "the pin is not 64 hexadecimal digits");
    if (is_plain(conf->url) && !is_loopback(conf->url) && conf->user.len + conf->password.len != 0)
        return err_set(err, ERR_CONF_VALUE, "",
                       "a password is not sent over plain http: use https in \"" SLICE_FMT "\"", SLICE_ARG(conf->url));
    if ((conf->cert.len == 0) != (conf->key.len == 0))
        return err_set(err, ERR_CONF_VALUE, "", "a client certificate needs both: cert and key");
    if (conf->known_peer && !https && !is_loopback(conf->url))
        return err_set(err, ERR_CONF_VALUE, "", "another hub is followed over https: \"" SLICE_FMT "\" is not",
                       SLICE_ARG(conf->url));
    if (conf->known_peer && https && conf->ca_file.len == 0 && conf->pin.len == 0)
        return err_set(
            err, ERR_CONF_VALUE, "",
            "another hub is known by its own authority (ca) or key (pin): the system's would vouch for anybody");
    return 0;
}

static char *curl_pin(struct slice hex)
{
    uint8_t pin[CRYPTO_HASH];
    struct buf text = BUF_INIT;

    crypto_hex(hex, pin, sizeof pin);
    buf_put(&text, SLICE("sha256//"));
    crypto_put_base64(&text, slice_n((const char *)pin, sizeof pin), false);
    char *copy = mem_copy(buf_slice(&text));
    buf_free(&text);
    return copy;
}

static char *copy_or_null(struct slice s)
{
    return s.len != 0 ? mem_copy(s) : NULL;
}

int http_client_open(const struct http_client_conf *conf, struct http_client **client_out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct slice url = conf->url;

    if (http_client_check(conf, err) != 0)
        return -1;
    pthread_once(&once, curl_start);
    struct http_client *c = mem_zero(1, sizeof *c);
    while (slice_ends(url, SLICE("/")))
        url.len--;
    c->url = mem_copy(url);
    c->ca_file = copy_or_null(conf->ca_file);
    c->pin = conf->pin.len != 0 ? curl_pin(conf->pin) : NULL;
    c->user = mem_copy(conf->user);
    c->password = mem_copy(conf->password);
    c->header = copy_or_null(conf->header);
    c->cert = copy_or_null(conf->cert);
    c->key = copy_or_null(conf->key);
    c->connect_us = conf->connect_us != 0 ? conf->connect_us : 5 * 1000000;
    c->total_us = conf->total_us != 0 ? conf->total_us : 60 * 1000000;
    c->multi = curl_multi_init();
    c->easy = curl_easy_init();
    assert(c->multi != NULL && c->easy != NULL);
    *client_out = c;
    return 0;
}

void http_client_close(struct http_client **client)
{
    struct http_client *c = *client;

    *client = NULL;
    if (c == NULL)
        return;
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    crypto_wipe(c->password, strlen(c->password));
    free(c->url);
    free(c->ca_file);
    free(c->pin);
    free(c->user);
    free(c->password);
    free(c->header);
    if (c->key != NULL)
        crypto_wipe(c->key, strlen(c->key));
    free(c->cert);
    free(c->key);
    free(c);
}

void http_client_stop(struct http_client *c)
{
    atomic_store(&c->stopped, true);
    curl_multi_wakeup(c->multi);
}

/* ---- one exchange ---- */

static size_t on_header(char *at, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * n;

    x->last_us = time_steady_us();
    if (len >= 5 && memcmp(at, "HTTP/", 5) == 0) /* an interim answer (100) came before */
        buf_clear(&x->result->headers);
    else if (len > 2)
        buf_put(&x->result->headers, slice_n(at, len));
    x->too_large = x->result->headers.len > HEADERS_MAX;
    return x->too_large ? 0 : len;
}

static bool is_event_stream(struct exchange *x)
{
    long status = 0;
    char *type = NULL;

    curl_easy_getinfo(x->client->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->client->easy, CURLINFO_CONTENT_TYPE, &type);
    return status == 200 && type != NULL && slice_eq_nocase(slice_to(slice_of(type), 17), SLICE("text/event-stream"));
}

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    struct slice bytes = slice_n(at, size * n);

    x->last_us = time_steady_us();
    if (atomic_load(&x->client->stopped))
        return 0;
    if (x->sse != NULL && is_event_stream(x)) {
        int got = sse_feed(x->sse, bytes, x->fn, x->arg, x->err);
        x->told_to_stop = got > 0;
        x->failed = got < 0;
        return got == 0 ? bytes.len : 0;
    }
    if (bytes.len > x->max_body - x->result->body.len) {
        x->too_large = true;
        return 0;
    }
    buf_put(&x->result->body, bytes);
    return bytes.len;
}

static struct curl_slist *header_list(const char *always, const struct slice *headers, size_t n, bool has_body)
{
    struct curl_slist *list = always != NULL ? curl_slist_append(NULL, always) : NULL;
    bool typed = false;

    for (size_t i = 0; i < n; i++) {
        char *line = mem_copy(headers[i]);
        typed = typed || slice_eq_nocase(slice_to(headers[i], 13), SLICE("Content-Type:"));
        list = curl_slist_append(list, line);
        free(line);
    }
    return has_body && !typed ? curl_slist_append(list, "Content-Type:") : list; /* else curl would call it a form */
}

/* A path, or the text itself. */
static void set_pem(struct http_client *c, char *text, CURLoption by_path, CURLoption by_blob)
{
    struct curl_blob pem = {text, strlen(text), CURL_BLOB_COPY};

    if (strncmp(text, "-----BEGIN ", 11) == 0)
        curl_easy_setopt(c->easy, by_blob, &pem);
    else
        curl_easy_setopt(c->easy, by_path, text);
}

static void set_trust(struct http_client *c)
{
    bool by_pin = c->pin != NULL && c->ca_file == NULL;

    curl_easy_setopt(c->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->ca_file != NULL) {
        set_pem(c, c->ca_file, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
        curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
    }
    if (c->cert != NULL) {
        set_pem(c, c->cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
        set_pem(c, c->key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
    }
    if (c->pin != NULL)
        curl_easy_setopt(c->easy, CURLOPT_PINNEDPUBLICKEY, c->pin);
    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, by_pin ? 0L : 1L);
    curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, by_pin ? 0L : 2L);
}

static void set_method(CURL *easy, const char *method, struct slice body)
{
    struct slice name = slice_of(method);

    if (slice_eq(name, SLICE("HEAD"))) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (body.len != 0 || slice_eq(name, SLICE("POST")) || slice_eq(name, SLICE("PUT"))) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len != 0 ? body.ptr : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

static void set_common(struct http_client *c, struct exchange *x, const char *url, struct curl_slist *headers)
{
    curl_easy_reset(c->easy); /* keeps connections and sessions */
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
    curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_us / 1000));
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, x);
    if (is_loopback(slice_of(c->url)))
        curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
    if (c->user[0] != '\0' || c->password[0] != '\0') {
        curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(c->easy, CURLOPT_USERNAME, c->user);
        curl_easy_setopt(c->easy, CURLOPT_PASSWORD, c->password);
    }
    set_trust(c);
    c->why[0] = '\0';
}

/* Is the transfer over? */
static bool take_outcome(struct http_client *c, CURLcode *code_out)
{
    int left;
    CURLMsg *m;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE) {
            *code_out = m->data.result;
            return true;
        }
    return false;
}

static int silent_error(struct http_client *c, int64_t silent_us, struct err *err)
{
    return err_set(err, ERR_TIMEOUT, "", "%s has sent nothing for %lld s", c->url, (long long)(silent_us / 1000000));
}

/* Drives the transfer to its end: 0 with *code_out, 1 stopped from outside, -1 silent for too long. */
static int drive(struct http_client *c, struct exchange *x, int64_t silent_us, CURLcode *code_out, struct err *err)
{
    int running;

    x->last_us = time_steady_us();
    for (;;) {
        if (atomic_load(&c->stopped))
            return 1;
        curl_multi_perform(c->multi, &running);
        if (take_outcome(c, code_out))
            return 0;
        int64_t left_us = silent_us != 0 ? x->last_us + silent_us - time_steady_us() : POLL_MS * 1000;
        if (left_us <= 0)
            return silent_error(c, silent_us, err);
        int64_t wait_ms = left_us / 1000 + 1;
        curl_multi_poll(c->multi, NULL, 0, wait_ms < POLL_MS ? (int)wait_ms : POLL_MS, NULL);
    }
}

static int exchange(struct http_client *c, struct exchange *x, const char *method, struct slice path,
                    const struct slice *headers, size_t n_headers, struct slice body, int64_t silent_us,
                    CURLcode *code_out)
{
    struct buf url = BUF_INIT;
    struct curl_slist *list = header_list(c->header, headers, n_headers, body.len != 0);

    assert(path.len != 0 && path.ptr[0] == '/');
    buf_printf(&url, "%s" SLICE_FMT "%c", c->url, SLICE_ARG(path), '\0');
    set_common(c, x, url.ptr, list);
    set_method(c->easy, method, body);
    if (silent_us == 0) {
        curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(c->total_us / 1000));
        /* Unpacked while it comes: max_body bounds what is unpacked. */
        curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    curl_multi_add_handle(c->multi, c->easy);
    int result = drive(c, x, silent_us, code_out, x->err);
    curl_multi_remove_handle(c->multi, c->easy);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    buf_free(&url);
    return result;
}

int http_client_send(struct http_client *c, const char *method, struct slice path, const struct slice *headers,
                     size_t n_headers, struct slice body, size_t max_body, struct http_result *result_out,
                     struct err *err)
{
    struct exchange x = {.client = c, .result = result_out, .max_body = max_body, .err = err};
    CURLcode code = CURLE_OK;
    long status = 0;

    *result_out = (struct http_result){0, BUF_INIT, BUF_INIT};
    int ended = exchange(c, &x, method, path, headers, n_headers, body, 0, &code);
    if (ended == 0 && code == CURLE_OK) {
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        result_out->status = (int)status;
        return 0;
    }
    http_result_free(result_out);
    if (ended > 0 || atomic_load(&c->stopped))
        return err_set(err, ERR_UNAVAILABLE, "", "stopped before %s answered", c->url);
    if (x.too_large)
        return err_set(err, ERR_LIMIT_BYTES, "", "the answer of %s is over %zu bytes", c->url, max_body);
    return http_client_curl_error(c, code, err);
}

/* ---- following a stream ---- */

static int follow_end(struct http_client *c, struct exchange *x, int ended, CURLcode code, struct slice path,
                      struct err *err)
{
    long status = 0;

    if (x->told_to_stop || ended > 0 || atomic_load(&c->stopped))
        return 0;
    if (ended < 0 || x->failed)
        return -1;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 0 && !is_event_stream(x))
        return http_client_status_error(c, (int)status, path, err);
    if (code == CURLE_OK)
        return err_set(err, ERR_CONNECT, "", "%s ended the stream", c->url);
    return http_client_curl_error(c, code, err);
}

int http_client_follow(struct http_client *c, struct slice path, const struct slice *headers, size_t n_headers,
                       int64_t silent_us, http_event_fn *fn, void *arg, struct err *err)
{
    struct http_result result = {0, BUF_INIT, BUF_INIT};
    struct err own = ERR_INIT;
    struct sse sse;
    struct exchange x = {
        .client = c, .result = &result, .max_body = HEADERS_MAX, .sse = &sse, .fn = fn, .arg = arg, .err = &own};
    CURLcode code = CURLE_OK;
    struct slice all[16];

    assert(n_headers < sizeof all / sizeof *all && silent_us > 0);
    for (size_t i = 0; i < n_headers; i++)
        all[i] = headers[i];
    all[n_headers] = SLICE("Accept: text/event-stream");
    sse_init(&sse, SSE_MAX);
    int ended = exchange(c, &x, "GET", path, all, n_headers + 1, slice_n(NULL, 0), silent_us, &code);
    int answer = follow_end(c, &x, ended, code, path, &own);
    if (answer != 0)
        err_copy(err, &own);
    sse_free(&sse);
    http_result_free(&result);
    return answer;
}

/* ---- results ---- */

struct slice http_result_header(const struct http_result *r, struct slice name)
{
    struct slice rest = buf_slice(&r->headers), line;

    while (rest.len != 0 && slice_cut(&rest, '\n', &line)) {
        size_t colon = slice_find(line, SLICE(":"));
        if (colon < line.len && slice_eq_nocase(slice_to(line, colon), name))
            return slice_trim(slice_from(line, colon + 1));
    }
    return slice_n(NULL, 0);
}

void http_result_free(struct http_result *r)
{
    buf_free(&r->body);
    buf_free(&r->headers);
    *r = (struct http_result){0, BUF_INIT, BUF_INIT};
}

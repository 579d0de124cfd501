#include "net/http_parse.h"

#include <assert.h>

enum { EXTRA_MAX = 4096 };

/* ---- llhttp's callbacks ---- */

static int on_url(llhttp_t *l, const char *at, size_t len)
{
    struct http_parse *p = l->data;

    if (p->url.len == 0)
        p->url.ptr = at;
    p->url.len += len;
    return 0;
}

/* Trailers come by the same callbacks as headers; they mean nothing here and are only counted. */
static int count_extra(struct http_parse *p, size_t len)
{
    p->extra += len;
    if (p->extra <= EXTRA_MAX)
        return 0;
    p->refused = ERR_BAD_REQUEST;
    return HPE_USER;
}

/* The head is fed in one piece, so the parts of a name or value lie side by side. */
static int on_header_field(llhttp_t *l, const char *at, size_t len)
{
    struct http_parse *p = l->data;

    if (p->state == HTTP_IN_BODY)
        return count_extra(p, len);
    if (p->n_headers == 0 || p->in_value) {
        if (p->n_headers == HTTP_PARSE_HEADERS) {
            p->refused = ERR_HEAD_TOO_LARGE;
            return HPE_USER;
        }
        p->headers[p->n_headers++] = (struct http_header){slice_n(at, 0), slice_n(at, 0)};
        p->in_value = false;
    }
    p->headers[p->n_headers - 1].name.len += len;
    return 0;
}

static int on_header_value(llhttp_t *l, const char *at, size_t len)
{
    struct http_parse *p = l->data;

    if (p->state == HTTP_IN_BODY)
        return count_extra(p, len);
    struct slice *value = &p->headers[p->n_headers - 1].value;
    if (!p->in_value)
        *value = slice_n(at, 0);
    p->in_value = true;
    value->len += len;
    return 0;
}

/* An Upgrade is ignored, as a server may (RFC 9110 section 7.8): every request begins with a fresh llhttp. */
static int on_headers_complete(llhttp_t *l)
{
    struct http_parse *p = l->data;

    p->keep_alive = llhttp_should_keep_alive(l) != 0;
    return 0;
}

static int on_chunk_extension(llhttp_t *l, const char *at, size_t len)
{
    (void)at;
    return count_extra(l->data, len);
}

static int on_body(llhttp_t *l, const char *at, size_t len)
{
    struct http_parse *p = l->data;

    if (len > p->max_body - p->body.len) {
        p->refused = ERR_TOO_LARGE;
        return HPE_USER;
    }
    buf_put(&p->body, slice_n(at, len));
    return 0;
}

static int on_message_complete(llhttp_t *l)
{
    struct http_parse *p = l->data;

    p->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- the head: raw checks ---- */

void http_parse_init(struct http_parse *p, uint64_t max_head, uint64_t max_body)
{
    *p = (struct http_parse){.max_head = max_head, .max_body = max_body};
}

void http_parse_free(struct http_parse *p)
{
    buf_free(&p->head);
    buf_free(&p->body);
}

void http_parse_restart(struct http_parse *p)
{
    assert(p->head.len == 0 && (p->state == HTTP_IN_HEAD || p->complete));
    p->state = HTTP_IN_HEAD;
}

bool http_parse_is_idle(const struct http_parse *p)
{
    return p->state == HTTP_IN_HEAD && p->head.len == 0;
}

/* One line without its CRLF. `first` is the request line. */
static int check_line(struct slice line, bool first, struct err *err)
{
    if (line.len == 0)
        return err_set(err, ERR_BAD_REQUEST, "", "empty lines stand before the request line");
    if (memchr(line.ptr, '\0', line.len) != NULL)
        return err_set(err, ERR_BAD_REQUEST, "", "a NUL stands in the request head");
    if (memchr(line.ptr, '\r', line.len) != NULL)
        return err_set(err, ERR_BAD_REQUEST, "", "a CR without LF stands in the request head");
    if (first)
        return 0;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return err_set(err, ERR_BAD_REQUEST, "", "a header is folded over two lines");
    const char *colon = memchr(line.ptr, ':', line.len);
    if (colon == NULL || colon == line.ptr)
        return err_set(err, ERR_BAD_REQUEST, "", "a header line has no name or no colon");
    if (colon[-1] == ' ' || colon[-1] == '\t')
        return err_set(err, ERR_BAD_REQUEST, "", "a blank stands before the colon of a header");
    return 0;
}

/* Line by line as bytes come in, so that a broken head is refused at once and not at its deadline. */
static enum http_parse_step scan_head(struct http_parse *p, struct err *err)
{
    char *lf;

    while ((lf = memchr(p->head.ptr + p->scanned, '\n', p->head.len - p->scanned)) != NULL) {
        size_t end = (size_t)(lf - p->head.ptr);
        if (end == p->line || lf[-1] != '\r') {
            err_set(err, ERR_BAD_REQUEST, "", "a line of the request head ends without CR");
            return HTTP_PARSE_REFUSED;
        }
        struct slice line = slice_n(p->head.ptr + p->line, end - 1 - p->line);
        bool first = p->line == 0;
        p->scanned = p->line = end + 1;
        if (line.len == 0 && !first) {
            p->state = HTTP_AT_HEAD_END;
            return HTTP_PARSE_HEAD;
        }
        if (line.len == 0 &&
            !p->skipped) { /* one empty line before the request line is passed over (RFC 9112 section 2.2) */
            p->skipped = true;
            buf_drop_front(&p->head, 2);
            p->scanned = p->line = 0;
        } else if (check_line(line, first, err) != 0) {
            return HTTP_PARSE_REFUSED;
        }
    }
    p->scanned = p->head.len;
    return HTTP_PARSE_MORE;
}

static enum http_parse_step feed_head(struct http_parse *p, struct slice *in, struct err *err)
{
    size_t before = p->head.len, room = (size_t)p->max_head - before;
    struct slice piece = slice_to(*in, room);

    buf_put(&p->head, piece);
    enum http_parse_step step = p->head.len != 0 ? scan_head(p, err) : HTTP_PARSE_MORE;
    if (step == HTTP_PARSE_HEAD) { /* what lies behind the head stays in the input */
        size_t behind = p->head.len - p->line;
        p->head.len = p->line;
        *in = slice_from(*in, piece.len - behind);
        return step;
    }
    *in = slice_from(*in, piece.len);
    if (step == HTTP_PARSE_MORE && in->len != 0 && p->head.len == p->max_head) {
        err_set(err, ERR_HEAD_TOO_LARGE, "", "the request head is over %llu bytes", (unsigned long long)p->max_head);
        return HTTP_PARSE_REFUSED;
    }
    return step;
}

/* ---- the head: what it says ---- */

/* origin-form, absolute-form (RFC 9112 section 3.2.2: every server must take it) or "*". */
static int split_target(struct slice target, struct http_head *head, struct err *err)
{
    static const struct slice schemes[] = {SLICE_INIT("http://"), SLICE_INIT("https://")};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (target.len > schemes[i].len && slice_eq_nocase(slice_to(target, schemes[i].len), schemes[i])) {
            struct slice rest = slice_from(target, schemes[i].len);
            target = slice_from(rest, slice_find(rest, SLICE("/")));
            if (target.len == 0)
                target = SLICE("/");
        }
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || (unsigned char)target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return err_set(err, ERR_BAD_REQUEST, "", "the request target holds a byte that must be percent-encoded");
    if (target.len == 0 || (target.ptr[0] != '/' && !slice_eq(target, SLICE("*"))))
        return err_set(err, ERR_BAD_REQUEST, "", "the request target does not begin with '/'");
    size_t mark = slice_find(target, SLICE("?"));
    head->path = slice_to(target, mark);
    head->query = slice_from(target, mark + 1);
    return 0;
}

struct seen { /* headers that decide where a message ends and whom it is for */
    unsigned host, length, encoding;
    struct slice host_value, length_value, encoding_value;
};

static void look_at_headers(struct http_parse *p, struct seen *seen)
{
    for (size_t i = 0; i < p->n_headers; i++) {
        struct slice name = p->headers[i].name, value = p->headers[i].value = slice_trim(p->headers[i].value);
        if (slice_eq_nocase(name, SLICE("Host"))) {
            seen->host++;
            seen->host_value = value;
        } else if (slice_eq_nocase(name, SLICE("Content-Length"))) {
            seen->length++;
            seen->length_value = value;
        } else if (slice_eq_nocase(name, SLICE("Transfer-Encoding"))) {
            seen->encoding++;
            seen->encoding_value = value;
        } else if (slice_eq_nocase(name, SLICE("Expect"))) {
            p->expects_continue = slice_eq_nocase(value, SLICE("100-continue"));
        }
    }
}

static int check_host(const struct seen *seen, bool http_1_0, struct err *err)
{
    if (seen->host > 1)
        return err_set(err, ERR_BAD_REQUEST, "", "two Host headers");
    if (seen->host == 0 && !http_1_0)
        return err_set(err, ERR_BAD_REQUEST, "", "no Host header");
    for (size_t i = 0; i < seen->host_value.len; i++)
        if (memchr(" \t/@,?#\\", seen->host_value.ptr[i], 8) != NULL)
            return err_set(err, ERR_BAD_REQUEST, "", "the Host header is not a host and port");
    return 0;
}

static int check_framing(const struct seen *seen, bool http_1_0, struct http_head *head, struct err *err)
{
    if (seen->length > 1)
        return err_set(err, ERR_BAD_REQUEST, "", "two Content-Length headers");
    if (seen->length != 0 && seen->encoding != 0)
        return err_set(err, ERR_BAD_REQUEST, "", "Content-Length and Transfer-Encoding exclude each other");
    if (seen->encoding > 1 || (seen->encoding == 1 && !slice_eq_nocase(seen->encoding_value, SLICE("chunked"))))
        return err_set(err, ERR_BAD_REQUEST, "", "a Transfer-Encoding other than \"chunked\" is not served");
    if (seen->encoding != 0 && http_1_0)
        return err_set(err, ERR_BAD_REQUEST, "", "Transfer-Encoding does not exist in HTTP/1.0");
    if (seen->length == 1 && !slice_u64(seen->length_value, &head->content_length))
        return err_set(err, ERR_BAD_REQUEST, "", "Content-Length is not a number");
    if (seen->encoding == 1)
        head->content_length = UINT64_MAX;
    head->has_body = head->content_length != 0;
    return 0;
}

static int refuse_llhttp(const struct http_parse *p, struct err *err)
{
    if (p->refused == ERR_HEAD_TOO_LARGE)
        return err_set(err, ERR_HEAD_TOO_LARGE, "", "more than %d headers", HTTP_PARSE_HEADERS);
    if (p->refused == ERR_TOO_LARGE)
        return err_set(err, ERR_TOO_LARGE, "", "the request body is over %llu bytes", (unsigned long long)p->max_body);
    if (p->refused != ERR_NONE)
        return err_set(err, p->refused, "", "too many chunk extensions or trailers");
    const char *reason = llhttp_get_error_reason(&p->llhttp);
    return err_set(err, ERR_BAD_REQUEST, "", "not HTTP/1.1: %s", reason != NULL ? reason : "syntax");
}

static int run_llhttp(struct http_parse *p, struct slice raw, struct err *err)
{
    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    llhttp_errno_t got = llhttp_execute(&p->llhttp, raw.ptr, raw.len);
    if (got == HPE_PAUSED && p->complete)
        return 0;
    if (got != HPE_OK)
        return refuse_llhttp(p, err);
    return 0;
}

int http_parse_head(struct http_parse *p, struct arena *a, struct buf *raw_out, struct http_head *head_out,
                    struct err *err)
{
    struct seen seen = {0};

    assert(p->state == HTTP_AT_HEAD_END);
    *raw_out = p->head;
    p->head = (struct buf)BUF_INIT;
    p->scanned = p->line = 0;
    p->headers = arena_alloc(a, HTTP_PARSE_HEADERS * sizeof *p->headers);
    p->n_headers = 0;
    p->url = slice_n(NULL, 0);
    p->extra = 0;
    p->complete = p->in_value = p->expects_continue = p->keep_alive = p->skipped = false;
    p->refused = ERR_NONE;

    int result = run_llhttp(p, buf_slice(raw_out), err);
    bool http_1_0 = p->llhttp.http_major == 1 && p->llhttp.http_minor == 0;
    if (result == 0 && p->llhttp.http_major != 1)
        result = err_set(err, ERR_BAD_REQUEST, "", "only HTTP/1.1 and HTTP/1.0 are served");
    if (result == 0 && p->llhttp.method == HTTP_CONNECT)
        result = err_set(err, ERR_BAD_REQUEST, "", "no tunnels are made here");
    if (result == 0)
        result = split_target(p->url, head_out, err);
    look_at_headers(p, &seen);
    if (result == 0)
        result = check_host(&seen, http_1_0, err);
    if (result == 0)
        result = check_framing(&seen, http_1_0, head_out, err);
    if (result == 0)
        head_out->method = slice_of(llhttp_method_name((llhttp_method_t)p->llhttp.method));
    head_out->headers = p->headers;
    head_out->n_headers = p->n_headers;
    p->headers = NULL;
    p->state = HTTP_IN_BODY;
    if (http_1_0)
        p->expects_continue = false;
    return result;
}

/* ---- the body ---- */

static enum http_parse_step feed_body(struct http_parse *p, struct slice *in, struct err *err)
{
    if (!p->complete && in->len == 0)
        return HTTP_PARSE_MORE;
    if (!p->complete) {
        llhttp_errno_t got = llhttp_execute(&p->llhttp, in->ptr, in->len);
        if (got == HPE_OK) {
            *in = slice_from(*in, in->len);
            return HTTP_PARSE_MORE;
        }
        if (got != HPE_PAUSED || !p->complete) {
            refuse_llhttp(p, err);
            return HTTP_PARSE_REFUSED;
        }
        *in = slice_from(*in, (size_t)(llhttp_get_error_pos(&p->llhttp) - in->ptr));
    }
    p->state = HTTP_IN_HEAD;
    return HTTP_PARSE_BODY;
}

enum http_parse_step http_parse_feed(struct http_parse *p, struct slice *in, struct err *err)
{
    assert(p->state != HTTP_AT_HEAD_END);
    return p->state == HTTP_IN_HEAD ? feed_head(p, in, err) : feed_body(p, in, err);
}

#include "taxii/faulty.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"
#include "stix/stix.h"

#define MEDIA "application/taxii+json;version=2.1"

static const char *const names[] = {
    "no-next",      "next-number", "next-consumed", "next-same",     "next-last",        "more-empty",  "more-nothing",
    "repeats",      "inclusive",   "after-ignored", "no-dates",      "js-dates",         "ms-dates",    "undefined",
    "unsorted",     "same-date",   "cut",           "short-memory",  "media-json",       "media-blank", "accept-blank",
    "accept-none",  "redirect",    "redirect-away", "busy",          "busy-silent",      "too-many",    "breaks",
    "bundle",       "list",        "empty-list",    "root-relative", "root-elsewhere",   "no-default",  "no-discovery",
    "no-slash",     "gzip",        "limit-refused", "no-manifest",   "manifest-no-next", "no-versions", "error-text",
    "no-challenge", "no-id",       "stix-20",
};

const char *faulty_name(enum faulty_fault f)
{
    return names[f];
}

static bool has(const struct faulty *f, enum faulty_fault fault)
{
    return f->faults >> fault & 1;
}

/* ---- gzip (RFC 1952) in stored blocks ---- */

static uint32_t crc_of(struct slice s)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.ptr[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void put_le(struct buf *out, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_put_byte(out, (char)(value >> (8 * i)));
}

static void pack(struct slice text, struct buf *out)
{
    struct slice rest = text;

    buf_put(out, SLICE("\x1f\x8b\x08\0\0\0\0\0\0\xff"));
    do {
        struct slice piece = slice_to(rest, 60000);
        rest = slice_from(rest, piece.len);
        buf_put_byte(out, rest.len == 0);
        put_le(out, (uint32_t)piece.len, 2);
        put_le(out, ~(uint32_t)piece.len, 2);
        buf_put(out, piece);
    } while (rest.len != 0);
    put_le(out, crc_of(text), 4);
    put_le(out, (uint32_t)text.len, 4);
}

/* ---- answers ---- */

struct answer {
    int status;
    struct buf body;
    struct http_header headers[6];
    size_t n;
};

static void add_header(struct answer *a, const char *name, struct slice value)
{
    a->headers[a->n++] = (struct http_header){slice_of(name), value};
}

static void send(const struct faulty *f, struct http_request *r, struct answer *a)
{
    struct slice media = has(f, FAULT_MEDIA_JSON)    ? SLICE("application/json")
                         : has(f, FAULT_MEDIA_BLANK) ? SLICE("application/taxii+json; version=2.1")
                                                     : SLICE(MEDIA);
    struct buf packed = BUF_INIT;

    if (has(f, FAULT_GZIP) && a->body.len != 0) {
        pack(buf_slice(&a->body), &packed);
        buf_free(&a->body);
        a->body = packed;
        add_header(a, "Content-Encoding", SLICE("gzip"));
    }
    struct http_answer answer = {a->status, media, a->headers, a->n, buf_ref_take(&a->body)};
    http_reply(r, &answer);
}

static void refuse(const struct faulty *f, struct http_request *r, int status, const char *header, const char *value)
{
    struct answer a = {.status = status};

    if (has(f, FAULT_ERROR_TEXT))
        buf_printf(&a.body, "Oops");
    else
        buf_printf(&a.body, "{\"title\":\"refused\",\"http_status\":\"%d\"}", status);
    if (header != NULL)
        add_header(&a, header, slice_of(value));
    send(f, r, &a);
}

static void put_date(const struct faulty *f, struct arena *a, struct answer *answer, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    if (has(f, FAULT_NO_DATES))
        return;
    time_put(text, us);
    struct slice date = arena_copy(a, slice_n(text, sizeof text));
    if (has(f, FAULT_MS_DATES))
        date = arena_printf(a, "%.23sZ", date.ptr);
    if (has(f, FAULT_JS_DATES)) /* the samples live in the first hours of 22 November 2026, a Sunday */
        date = arena_printf(a, "Sun Nov %.2s 2026 %.8s GMT+0000 (Coordinated Universal Time)", date.ptr + 8,
                            date.ptr + 11);
    if (has(f, FAULT_UNDEFINED_DATES))
        date = SLICE("undefined");
    add_header(answer, name, date);
}

/* ---- pages ---- */

static void put_id(struct buf *out, size_t i)
{
    buf_printf(out, "indicator--00000000-0000-4000-8000-%012zu", i);
}

static void put_object(const struct faulty *f, struct buf *out, size_t i)
{
    const char *at = "2026-11-01T00:00:00.000Z";

    buf_printf(out, "{\"type\":\"indicator\",%s\"id\":\"", has(f, FAULT_STIX_20) ? "" : "\"spec_version\":\"2.1\",");
    put_id(out, i);
    buf_printf(out, "\",\"created\":\"%s\",\"modified\":\"%s\",\"pattern\":\"[domain-name:value = 'n%zu.example']\",",
               at, at, i);
    buf_printf(out, "\"pattern_type\":\"stix\",\"valid_from\":\"%s\"}", at);
}

static void put_record(struct buf *out, size_t i, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    buf_printf(out, "{\"id\":\"");
    put_id(out, i);
    buf_printf(out, "\",\"date_added\":\"%.27s\",\"version\":\"2026-11-01T00:00:00.000Z\"}", text);
}

struct query {
    int64_t after_us;
    uint64_t limit, from, token; /* from: place in the list of what fits */
    bool has_limit, has_next, manifest;
    struct slice id;
};

static struct query read_query(const struct faulty *f, struct http_request *r, struct slice path)
{
    struct arena *a = http_request_arena(r);
    struct slice text = http_request_head(r)->query;
    struct slice after = http_query_get(a, text, SLICE("added_after")), next = http_query_get(a, text, SLICE("next")),
                 limit = http_query_get(a, text, SLICE("limit"));
    struct query q = {.after_us = INT64_MIN, .limit = 100, .manifest = slice_find(path, SLICE("/manifest")) < path.len};

    if (after.ptr != NULL && !has(f, FAULT_AFTER_IGNORED))
        time_parse(after, &q.after_us);
    q.has_limit = limit.ptr != NULL;
    if (q.has_limit && !slice_u64(limit, &q.limit))
        q.limit = 1;
    q.limit = q.limit > 100 ? 100 : q.limit;
    if (has(f, FAULT_CUT) && q.limit > 7)
        q.limit = 7;
    q.has_next = next.ptr != NULL;
    if (q.has_next && slice_u64(next, &q.token))
        q.from = q.token % 1000000; /* above it: what makes tokens differ */
    q.id = http_query_get(a, text, SLICE("match[id]"));
    return q;
}

static bool fits(const struct faulty *f, const struct query *q, size_t i)
{
    if (q->id.ptr != NULL)
        return faulty_number(q->id) == (long)i;
    if (has(f, FAULT_SHORT_MEMORY) && i < f->n / 2)
        return false;
    return has(f, FAULT_INCLUSIVE) ? f->dates[i] >= q->after_us : f->dates[i] > q->after_us;
}

/* The objects that fit, in the order in which this server has them. */
static size_t select_all(const struct faulty *f, const struct query *q, size_t *out)
{
    size_t n = 0;

    for (size_t k = 0; k < f->n; k++) {
        size_t i = has(f, FAULT_UNSORTED) ? f->n - 1 - k : k;
        if (fits(f, q, i))
            out[n++] = i;
    }
    return n;
}

static void put_next(struct faulty *f, const struct query *q, size_t at, struct buf *out)
{
    bool none = has(f, FAULT_NO_NEXT) || has(f, FAULT_MORE_NOTHING) || (q->manifest && has(f, FAULT_MANIFEST_NO_NEXT));
    uint64_t token = at;

    if (none)
        return;
    if (has(f, FAULT_REPEATS) || has(f, FAULT_MORE_EMPTY) || has(f, FAULT_NEXT_CONSUMED))
        token = ++f->tokens * 1000000 + (has(f, FAULT_REPEATS) ? 0 : at);
    if (has(f, FAULT_NEXT_SAME))
        token = 0;
    json_put_key(out, SLICE("next"));
    if (has(f, FAULT_NEXT_NUMBER))
        json_put_int(out, (int64_t)token);
    else
        buf_printf(out, "\"%llu\"", (unsigned long long)token);
}

/* What a next that was used up brings: the page behind. */
static void use_up(struct faulty *f, struct query *q)
{
    if (!q->has_next || !has(f, FAULT_NEXT_CONSUMED))
        return;
    if (f->used_token == q->token)
        q->from += q->limit;
    f->used_token = q->token;
}

static void page(struct faulty *f, struct http_request *r, struct slice path)
{
    struct query q = read_query(f, r, path);
    struct answer a = {.status = 200};
    static size_t all[FAULTY_OBJECTS];

    if (has(f, FAULT_LIMIT_REFUSED) && q.has_limit) {
        refuse(f, r, 400, NULL, NULL);
        return;
    }
    use_up(f, &q);
    if (has(f, FAULT_BREAKS) && ++f->pages % 3 == 2) {
        refuse(f, r, 500, NULL, NULL);
        return;
    }
    size_t n = select_all(f, &q, all), end = q.from + q.limit < n ? q.from + q.limit : n;
    bool more = end < n || has(f, FAULT_NEXT_SAME) || has(f, FAULT_REPEATS);
    bool nothing = q.from >= n;
    if (nothing && (has(f, FAULT_MORE_EMPTY) || has(f, FAULT_MORE_NOTHING)))
        more = true;
    if (end == n && !nothing && (has(f, FAULT_MORE_EMPTY) || has(f, FAULT_MORE_NOTHING)))
        more = true;
    bool list = has(f, FAULT_LIST) && !q.manifest;
    if (!list) {
        json_put_open(&a.body, '{');
        if (has(f, FAULT_BUNDLE) && !q.manifest) {
            json_put_text(&a.body, "type", SLICE("bundle"));
            json_put_text(&a.body, "id", SLICE("bundle--00000000-0000-4000-8000-000000000000"));
        }
        json_put_key(&a.body, SLICE("more"));
        json_put_bool(&a.body, more);
        if (more || has(f, FAULT_NEXT_LAST))
            put_next(f, &q, end, &a.body);
    }
    if (!nothing || has(f, FAULT_EMPTY_LIST) || list) {
        if (!list)
            json_put_key(&a.body, SLICE("objects"));
        json_put_open(&a.body, '[');
        for (size_t k = q.from; k < end; k++) {
            if (k > q.from)
                buf_put_byte(&a.body, ',');
            if (q.manifest)
                put_record(&a.body, all[k], f->dates[all[k]]);
            else
                put_object(f, &a.body, all[k]);
        }
        json_put_close(&a.body, ']');
    }
    if (!list)
        json_put_close(&a.body, '}');
    if (!nothing) {
        put_date(f, http_request_arena(r), &a, "X-TAXII-Date-Added-First", f->dates[all[q.from]]);
        put_date(f, http_request_arena(r), &a, "X-TAXII-Date-Added-Last", f->dates[all[end - 1]]);
    }
    send(f, r, &a);
}

/* ---- resources ---- */

static const char *collection_id(const struct faulty *f)
{
    return has(f, FAULT_NO_ID) ? "alerts" : FAULTY_COLLECTION;
}

static void describe(const struct faulty *f, struct http_request *r, struct slice path)
{
    struct answer a = {.status = 200};

    if (slice_starts(path, SLICE("/taxii2"))) {
        const char *root = has(f, FAULT_ROOT_RELATIVE)    ? "/api/"
                           : has(f, FAULT_ROOT_ELSEWHERE) ? "https://internal.example:8443/api/"
                                                          : NULL;
        char own[64];
        snprintf(own, sizeof own, "http://127.0.0.1:%u/api/", f->port);
        root = root != NULL ? root : own;
        buf_printf(&a.body, "{\"title\":\"faulty\",%s%s%s\"api_roots\":[\"%s\"]}",
                   has(f, FAULT_NO_DEFAULT) ? "" : "\"default\":\"", has(f, FAULT_NO_DEFAULT) ? "" : root,
                   has(f, FAULT_NO_DEFAULT) ? "" : "\",", root);
    } else if (slice_starts(path, SLICE("/api/collections"))) {
        bool one = slice_find(path, slice_of(collection_id(f))) < path.len;
        buf_printf(&a.body, "%s{\"id\":\"%s\",\"title\":\"Alerts\",\"can_read\":true,\"can_write\":false}%s",
                   one ? "" : "{\"collections\":[", collection_id(f), one ? "" : "]}");
    } else {
        buf_printf(&a.body, "{\"title\":\"root\",\"versions\":[\"%s\"],\"max_content_length\":1000000}", MEDIA);
    }
    send(f, r, &a);
}

static void versions(const struct faulty *f, struct http_request *r)
{
    struct answer a = {.status = 200};

    buf_printf(&a.body, "{\"versions\":[\"2026-11-01T00:00:00.000Z\"]}");
    send(f, r, &a);
}

/* What is wrong with the request before it is looked at. true: answered. */
static bool turned_away(struct faulty *f, struct http_request *r)
{
    const struct http_head *head = http_request_head(r);
    struct slice accept = http_head_get(head, SLICE("Accept"));
    bool blank = slice_find(accept, SLICE("; version")) < accept.len,
         version = slice_find(accept, SLICE("version")) < accept.len;
    bool third = f->requests % 3 == 0;
    char away[160];

    if (!slice_eq(http_head_get(head, SLICE("Authorization")), SLICE("Basic dXNlcjpwYXNz"))) {
        refuse(f, r, 401, has(f, FAULT_NO_CHALLENGE) ? NULL : "WWW-Authenticate", "Basic realm=\"faulty\"");
        return true;
    }
    f->signed_requests++;
    if (has(f, FAULT_REDIRECT_AWAY) || (has(f, FAULT_REDIRECT) && slice_starts(head->path, SLICE("/api/")))) {
        struct slice tail = slice_from(head->path, 5);
        if (has(f, FAULT_REDIRECT_AWAY))
            snprintf(away, sizeof away, "%s%.*s", f->elsewhere, SLICE_ARG(head->path));
        else
            snprintf(away, sizeof away, "/v2/%.*s%s%.*s", SLICE_ARG(tail), head->query.len != 0 ? "?" : "",
                     SLICE_ARG(head->query));
        refuse(f, r, 307, "Location", away);
    } else if ((has(f, FAULT_ACCEPT_BLANK) && !blank) || (has(f, FAULT_ACCEPT_NONE) && version)) {
        refuse(f, r, 406, NULL, NULL);
    } else if (third && (has(f, FAULT_BUSY) || has(f, FAULT_BUSY_SILENT))) {
        refuse(f, r, 503, has(f, FAULT_BUSY) ? "Retry-After" : NULL, "7");
    } else if (third && has(f, FAULT_TOO_MANY)) {
        refuse(f, r, 429, "Retry-After", "7");
    } else if ((has(f, FAULT_NO_SLASH) && slice_ends(head->path, SLICE("/"))) ||
               (has(f, FAULT_NO_DISCOVERY) && slice_starts(head->path, SLICE("/taxii2")))) {
        refuse(f, r, 404, NULL, NULL);
    } else {
        return false;
    }
    return true;
}

static void on_request(void *arg, struct http_request *r)
{
    struct faulty *f = arg;
    struct slice path = http_request_head(r)->path;

    pthread_mutex_lock(&f->lock);
    f->requests++;
    if (turned_away(f, r)) {
        pthread_mutex_unlock(&f->lock);
        return;
    }
    if (slice_starts(path, SLICE("/v2/")))
        path = arena_printf(http_request_arena(r), "/api/" SLICE_FMT, (int)path.len - 4, path.ptr + 4);
    bool manifest = slice_find(path, SLICE("/manifest")) < path.len;
    if (slice_find(path, SLICE("/versions")) < path.len && !has(f, FAULT_NO_VERSIONS))
        versions(f, r);
    else if (slice_find(path, SLICE("/versions")) < path.len || (manifest && has(f, FAULT_NO_MANIFEST)))
        refuse(f, r, 404, NULL, NULL);
    else if (manifest || slice_find(path, SLICE("/objects")) < path.len)
        page(f, r, path);
    else
        describe(f, r, path);
    pthread_mutex_unlock(&f->lock);
}

static int on_head(void *arg, struct http_request *r, uint64_t *max_body, void **user, struct err *err)
{
    (void)arg, (void)r, (void)max_body, (void)user, (void)err;
    return 0;
}

/* ---- start and stop ---- */

void faulty_start(struct faulty *f, uint64_t faults)
{
    struct http_server_conf conf = http_server_conf_default;
    struct http_handler handler = {.arg = f, .head = on_head, .request = on_request};
    struct err err = ERR_INIT;

    *f = (struct faulty){.faults = faults};
    pthread_mutex_init(&f->lock, NULL);
    if (http_listen(SLICE("127.0.0.1:0"), 64, &f->fd, &f->port, &err) != 0)
        fail_msg("%s", err.text);
    conf.listen_fd = f->fd;
    conf.loops = 1;
    if (http_server_start(&conf, &handler, &f->server, &err) != 0)
        fail_msg("%s", err.text);
}

void faulty_stop(struct faulty *f)
{
    http_server_stop(&f->server);
    close(f->fd);
    pthread_mutex_destroy(&f->lock);
}

/* A publication a minute; its objects 137 microseconds apart, or all at once. */
void faulty_publish(struct faulty *f, size_t n)
{
    int64_t at = 0;

    time_parse(SLICE("2026-11-22T01:00:00.000137Z"), &at);
    pthread_mutex_lock(&f->lock);
    if (f->n != 0)
        at = f->dates[f->n - 1] - f->dates[f->n - 1] % 60000000 + 60000000 + 137;
    for (size_t i = 0; i < n; i++, at += has(f, FAULT_SAME_DATE) ? 0 : 137)
        f->dates[f->n++] = at;
    pthread_mutex_unlock(&f->lock);
}

struct slice faulty_url(struct faulty *f, struct arena *a)
{
    return arena_printf(a, "http://127.0.0.1:%u", f->port);
}

long faulty_number(struct slice id)
{
    uint64_t n;

    return id.len == 47 && slice_u64(slice_from(id, 35), &n) ? (long)n : -1;
}

#include "net/sse.h"

void sse_init(struct sse *s, size_t max)
{
    *s = (struct sse){.max = max};
}

void sse_free(struct sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
    buf_free(&s->type);
    buf_free(&s->last_id);
}

static void set(struct buf *to, struct slice value)
{
    buf_clear(to);
    buf_put(to, value);
}

/* An event without data is none, but its id counts (the standard's "last event ID buffer"). */
static int dispatch(struct sse *s, http_event_fn *fn, void *arg)
{
    struct http_event event = {buf_slice(&s->last_id), buf_slice(&s->type), buf_slice(&s->data), s->retry_us};
    int stop = 0;

    if (s->data.len != 0) {
        event.data.len--; /* the line end behind the last line */
        stop = fn(arg, &event) != 0;
    }
    buf_clear(&s->data);
    buf_clear(&s->type);
    return stop;
}

static void take_retry(struct sse *s, struct slice value)
{
    uint64_t ms;

    if (slice_u64(value, &ms) && ms <= 24 * 3600 * 1000)
        s->retry_us = (int64_t)ms * 1000;
}

static int take_line(struct sse *s, struct slice line, http_event_fn *fn, void *arg, struct err *err)
{
    if (line.len == 0)
        return dispatch(s, fn, arg);
    size_t colon = slice_find(line, SLICE(":"));
    struct slice field = slice_to(line, colon), value = slice_from(line, colon + 1);
    if (value.len != 0 && value.ptr[0] == ' ')
        value = slice_from(value, 1);
    if (slice_eq(field, SLICE("data"))) {
        if (s->data.len + value.len + 1 > s->max)
            return err_set(err, ERR_LIMIT_BYTES, "", "an event of the stream is over %zu bytes", s->max);
        buf_put(&s->data, value);
        buf_put_byte(&s->data, '\n');
    } else if (slice_eq(field, SLICE("event"))) {
        set(&s->type, value);
    } else if (slice_eq(field, SLICE("id"))) {
        if (value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL)
            set(&s->last_id, value);
    } else if (slice_eq(field, SLICE("retry"))) {
        take_retry(s, value);
    }
    return 0;
}

/* A byte order mark in front of everything is not part of the first line. */
static void drop_bom(struct sse *s)
{
    if (s->started)
        return;
    s->started = true;
    if (s->line.len >= 3 && memcmp(s->line.ptr, "\xef\xbb\xbf", 3) == 0)
        buf_drop_front(&s->line, 3);
}

int sse_feed(struct sse *s, struct slice bytes, http_event_fn *fn, void *arg, struct err *err)
{
    while (bytes.len != 0) {
        if (s->after_cr && bytes.ptr[0] == '\n') { /* CRLF is one line end, also when cut in the middle */
            bytes = slice_from(bytes, 1);
            s->after_cr = false;
            continue;
        }
        s->after_cr = false;
        const char *lf = memchr(bytes.ptr, '\n', bytes.len);
        size_t end = lf != NULL ? (size_t)(lf - bytes.ptr) : bytes.len;
        const char *cr = memchr(bytes.ptr, '\r', end);
        end = cr != NULL ? (size_t)(cr - bytes.ptr) : end;
        if (s->line.len + end > s->max)
            return err_set(err, ERR_LIMIT_BYTES, "", "a line of the stream is over %zu bytes", s->max);
        buf_put(&s->line, slice_to(bytes, end));
        if (end == bytes.len)
            return 0;
        s->after_cr = bytes.ptr[end] == '\r';
        bytes = slice_from(bytes, end + 1);
        drop_bom(s);
        int result = take_line(s, buf_slice(&s->line), fn, arg, err);
        buf_clear(&s->line);
        if (result != 0)
            return result;
    }
    return 0;
}

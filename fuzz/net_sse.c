/* Bytes to server-sent events, whole and byte by byte: both must give the same events. */
#include <assert.h>
#include <stdlib.h>

#include "net/sse.h"

static int take(void *arg, const struct http_event *e)
{
    struct slice parts[] = {e->id, e->type, e->data};

    for (size_t i = 0; i < 3; i++) {
        buf_put(arg, parts[i]);
        buf_put_byte(arg, '\1');
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_n((const char *)data, size);
    struct buf whole = BUF_INIT, bytes = BUF_INIT;
    struct err err;
    struct sse s;
    int got = 0;

    sse_init(&s, 1 << 20);
    sse_feed(&s, in, take, &whole, &err);
    sse_free(&s);
    sse_init(&s, 1 << 20);
    for (size_t i = 0; i < in.len && got == 0; i++)
        got = sse_feed(&s, slice_n(in.ptr + i, 1), take, &bytes, &err);
    sse_free(&s);
    assert(slice_eq(buf_slice(&whole), buf_slice(&bytes)));
    buf_free(&whole);
    buf_free(&bytes);
    return 0;
}

/* net/sse.h: server-sent events as they come off the wire (WHATWG HTML section 9.2.6), in pieces cut anywhere. */
#ifndef NET_SSE_H
#define NET_SSE_H

#include "net/http_client.h"

enum { SSE_MAX = 16 * 1024 * 1024 }; /* one line, or the data of one event */

struct sse {
    struct buf line; /* unfinished */
    struct buf data, type, last_id;
    bool after_cr, started;
    int64_t retry_us;
    size_t max;
};

void sse_init(struct sse *s, size_t max);
void sse_free(struct sse *s);
/* Calls fn for every event that `bytes` completes. 0; 1 when fn returned nonzero (the rest is not read); -1: over the
 * limit. */
int sse_feed(struct sse *s, struct slice bytes, http_event_fn *fn, void *arg, struct err *err);

#endif

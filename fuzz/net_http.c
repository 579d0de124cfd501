/* Bytes of one connection to requests: the input is cut where its first bytes say, then read again whole. Both readings
   must agree, or where a peer cuts its packets would decide what a request is. */
#include <assert.h>
#include <stdlib.h>

#include "net/http_parse.h"

enum { CUTS = 8 };

/* What came out, as text: heads, bodies, the refusal. */
static void read_all(struct slice in, const uint8_t *cuts, size_t n_cuts, struct buf *out)
{
    struct http_parse p;
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    bool refused = false;

    http_parse_init(&p, 4096, 4096);
    for (size_t i = 0; in.len != 0 && !refused; i++) {
        size_t len = n_cuts != 0 ? (size_t)cuts[i % n_cuts] + 1 : in.len;
        struct slice part = slice_to(in, len);
        in = slice_from(in, part.len);
        while (!refused && (part.len != 0 || (p.state == HTTP_IN_BODY && p.complete))) {
            struct buf raw = BUF_INIT;
            struct http_head head = {0};
            switch (http_parse_feed(&p, &part, &err)) {
            case HTTP_PARSE_HEAD:
                refused = http_parse_head(&p, &a, &raw, &head, &err) != 0;
                for (size_t h = 0; h < head.n_headers && !refused; h++) {
                    buf_put(out, head.headers[h].name);
                    buf_put_byte(out, '=');
                    buf_put(out, head.headers[h].value);
                }
                if (!refused)
                    buf_printf(out, "[" SLICE_FMT " " SLICE_FMT " %d%d]", SLICE_ARG(head.path), SLICE_ARG(head.query),
                               p.keep_alive, head.has_body);
                break;
            case HTTP_PARSE_BODY:
                assert(p.body.len <= 4096);
                buf_put(out, buf_slice(&p.body));
                buf_put_byte(out, '\n');
                buf_clear(&p.body);
                break;
            case HTTP_PARSE_REFUSED:
                refused = true;
                break;
            case HTTP_PARSE_MORE:
                assert(part.len == 0);
                break;
            }
            buf_free(&raw);
        }
    }
    if (refused)
        buf_put(out, slice_of(err_name(err.code)));
    http_parse_free(&p);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf cut = BUF_INIT, whole = BUF_INIT;

    if (size < CUTS)
        return 0;
    struct slice in = slice_n((const char *)data + CUTS, size - CUTS);
    read_all(in, data, CUTS, &cut);
    read_all(in, NULL, 0, &whole);
    assert(slice_eq(buf_slice(&cut), buf_slice(&whole)));
    buf_free(&cut);
    buf_free(&whole);
    return 0;
}

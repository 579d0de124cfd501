/* net/http_parse.h: bytes of one connection become heads and bodies, one request after another; no socket here. Raw
   head bytes are checked first for what llhttp lets through (a blank before a colon, folded lines, NUL, bare CR or LF),
   then llhttp reads them, then the rules that keep two servers from reading one message differently (RFC 9112
   sections 3.2, 6.1, 6.3). */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include <llhttp.h>

#include "net/http_server.h"

enum http_parse_step {
    HTTP_PARSE_MORE,    /* all of the input was used */
    HTTP_PARSE_HEAD,    /* a head is complete: call http_parse_head, then go on feeding for the body */
    HTTP_PARSE_BODY,    /* the body (possibly empty) is complete: take it; the next feed begins the next request */
    HTTP_PARSE_REFUSED, /* err is set; nothing more may be fed */
};

enum { HTTP_PARSE_HEADERS = 100 };

struct http_parse {
    llhttp_t llhttp;
    enum { HTTP_IN_HEAD, HTTP_AT_HEAD_END, HTTP_IN_BODY } state;
    uint64_t max_head, max_body;
    struct buf head;      /* raw, up to and with the empty line */
    size_t scanned, line; /* in head: how far checked; where the current line begins */
    struct buf body;
    size_t extra; /* bytes of chunk extensions and trailers of this body */
    bool skipped, complete, keep_alive, expects_continue;
    /* only within http_parse_head: */
    struct slice url;
    struct http_header *headers;
    size_t n_headers;
    bool in_value;
    enum err_code refused;
};

void http_parse_init(struct http_parse *p, uint64_t max_head, uint64_t max_body);
void http_parse_free(struct http_parse *p);
bool http_parse_is_idle(const struct http_parse *p); /* between requests: not a byte of the next one seen */

void http_parse_restart(
    struct http_parse *p); /* the next byte begins a request: also after one refused that had no body */

/* Takes from the front of `in` what belongs to the current step. */
enum http_parse_step http_parse_feed(struct http_parse *p, struct slice *in, struct err *err);
/* After HTTP_PARSE_HEAD. The raw bytes move to `raw_out`; head_out points into them and into `a`. Leaves peer and
   arrived_us alone. Afterwards p->keep_alive and p->expects_continue tell, and p->max_body may be lowered. */
int http_parse_head(struct http_parse *p, struct arena *a, struct buf *raw_out, struct http_head *head_out,
                    struct err *err);

#endif

#include "base/json_tape.h"

/* All texts here were checked by json_parse(): every escape is whole, every surrogate has its pair. */

static uint32_t hex4(const char *p)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value * 16 + (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return value;
}

static size_t put_utf8(char *to, uint32_t c)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(lead[n] | c);
    return n;
}

/* Resolves the escape at *p and steps behind it; returns the bytes written, at most 4. */
static size_t read_escape(const char **p, char *to)
{
    static const char plain[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    const char *at = *p;

    if (at[1] != 'u') {
        *p = at + 2;
        *to = plain[(unsigned char)at[1]];
        return 1;
    }
    uint32_t c = hex4(at + 2);
    *p = at + 6;
    if (c >= 0xd800 && c <= 0xdbff) {
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(at + 8) - 0xdc00);
        *p = at + 12;
    }
    return put_utf8(to, c);
}

size_t json_unescape(char *to, struct slice raw)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    char *out = to;

    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((escape != NULL ? escape : end) - p);
        memcpy(out, p, run);
        out += run;
        p += run;
        if (escape != NULL)
            out += read_escape(&p, out);
    }
    return (size_t)(out - to);
}

/* A text read byte by byte without its escapes. */
struct bytes {
    const char *p, *end;
    char ahead[4];
    size_t at, n;
    bool escaped;
};

static int next_byte(struct bytes *b)
{
    if (b->at < b->n)
        return (unsigned char)b->ahead[b->at++];
    if (b->p == b->end)
        return -1;
    if (!b->escaped || *b->p != '\\')
        return (unsigned char)*b->p++;
    b->n = read_escape(&b->p, b->ahead);
    b->at = 1;
    return (unsigned char)b->ahead[0];
}

bool json_same(struct slice x, bool x_escaped, struct slice y, bool y_escaped)
{
    struct bytes a = {.p = x.ptr, .end = x.ptr + x.len, .escaped = x_escaped};
    struct bytes b = {.p = y.ptr, .end = y.ptr + y.len, .escaped = y_escaped};
    int c, d;

    do {
        c = next_byte(&a);
        d = next_byte(&b);
    } while (c == d && c >= 0);
    return c == d;
}

void json_put_token(struct buf *out, struct slice key)
{
    buf_put_byte(out, '/');
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~')
            buf_put(out, SLICE("~0"));
        else if (key.ptr[i] == '/')
            buf_put(out, SLICE("~1"));
        else
            buf_put_byte(out, key.ptr[i]);
    }
}

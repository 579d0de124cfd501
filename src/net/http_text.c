#include "net/http_internal.h"

struct slice http_head_get(const struct http_head *head, struct slice name)
{
    for (size_t i = 0; i < head->n_headers; i++)
        if (slice_eq_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return slice_n(NULL, 0);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(struct arena *a, struct slice in, struct slice *out)
{
    if (in.len == 0 || memchr(in.ptr, '%', in.len) == NULL) {
        *out = in.len != 0 ? in : SLICE("");
        return in.len == 0 || memchr(in.ptr, '\0', in.len) == NULL;
    }
    char *to = arena_alloc(a, in.len);
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.ptr[i + 1]) : -1, low = high >= 0 ? hex_digit(in.ptr[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return false;
        to[len++] = c;
    }
    *out = slice_n(to, len);
    return true;
}

struct slice http_query_get(struct arena *a, struct slice query, struct slice name)
{
    struct slice rest = query, part, key, value;

    while (rest.len != 0 && slice_cut(&rest, '&', &part)) {
        size_t equals = slice_find(part, SLICE("="));
        if (!http_percent_decode(a, slice_to(part, equals), &key) || !slice_eq(key, name))
            continue;
        struct slice sent = slice_from(part, equals + 1);
        return http_percent_decode(a, sent, &value) ? value : sent;
    }
    return slice_n(NULL, 0);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "";
}

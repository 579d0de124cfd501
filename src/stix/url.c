#include "stix/value.h"

static bool is_unreserved(unsigned char c) /* RFC 3986 section 2.3 */
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 section 6.2.2: %41 becomes A, %2f becomes %2F, a byte outside ASCII becomes %XX, and so does a
   percent sign that begins no escape (else "%7%41" would become one); all else stays as it came. */
static void percent_put(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        int high = c == '%' && i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1,
            low = high >= 0 ? hex_value(s.ptr[i + 2]) : -1;
        if (low >= 0) {
            c = (unsigned char)(high << 4 | low);
            i += 2;
        }
        if ((low >= 0 && !is_unreserved(c)) || c >= 0x80 || c == '%')
            buf_printf(out, "%%%02X", c);
        else
            buf_put_byte(out, (char)c);
    }
}

/* RFC 3986 section 5.2.4 over a path that begins with '/'. */
static void path_put(struct buf *out, struct slice path)
{
    size_t start = out->len;
    struct slice rest = slice_from(path, 1), segment;

    while (slice_cut(&rest, '/', &segment)) {
        bool is_last = rest.ptr == NULL;
        if (slice_eq(segment, SLICE("..")))
            while (out->len > start && out->ptr[--out->len] != '/')
                ;
        if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."))) {
            if (is_last)
                buf_put_byte(out, '/');
            continue;
        }
        buf_put_byte(out, '/');
        buf_put(out, segment);
    }
}

static bool scheme_cut(struct arena *a, struct slice *rest, struct slice *scheme_out)
{
    size_t n = slice_find(*rest, SLICE("://"));
    char *lower = arena_alloc(a, n + 1);

    if (n == 0 || n >= rest->len || n > 32)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = rest->ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (!((lower[i] >= 'a' && lower[i] <= 'z') ||
              (i != 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))))
            return false;
    }
    *scheme_out = slice_n(lower, n);
    *rest = slice_from(*rest, n + 3);
    return true;
}

static bool host_normal(struct arena *a, struct slice host, struct slice *out)
{
    enum stix_value_kind kind;

    if (slice_starts(host, SLICE("[")) && slice_ends(host, SLICE("]"))) {
        struct slice address;
        if (!value_ipv6(a, slice_n(host.ptr + 1, host.len - 2), &kind, &address) || kind == STIX_VALUE_IPV6_NET ||
            kind == STIX_VALUE_IPV4_NET)
            return false;
        *out = kind == STIX_VALUE_IPV4 ? address : arena_printf(a, "[" SLICE_FMT "]", SLICE_ARG(address));
        return true;
    }
    uint32_t quad;
    if (stix_ipv4_parse(host, &quad)) {
        *out = host;
        return true;
    }
    return value_domain(a, host, out); /* refuses what ends in a number: octal and short forms of addresses */
}

/* A port that is the scheme's own says nothing: *port_out comes out empty. */
static bool port_normal(struct slice scheme, struct slice text, struct slice *port_out)
{
    static const struct {
        struct slice scheme;
        uint64_t port;
    } own[] = {{SLICE_INIT("http"), 80},
               {SLICE_INIT("https"), 443},
               {SLICE_INIT("ftp"), 21},
               {SLICE_INIT("ws"), 80},
               {SLICE_INIT("wss"), 443}};
    uint64_t port;

    while (text.len > 1 && text.ptr[0] == '0')
        text = slice_from(text, 1);
    *port_out = text;
    if (text.len == 0)
        return true;
    if (!slice_u64(text, &port) || port == 0 || port > 65535)
        return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (own[i].port == port && slice_eq(own[i].scheme, scheme))
            *port_out = (struct slice){"", 0};
    return true;
}

static bool authority_put(struct arena *a, struct buf *out, struct slice scheme, struct slice authority)
{
    struct slice host, port = {"", 0}, normal;

    for (size_t i = authority.len; i > 0; i--) /* userinfo: all before the last '@', http://good.example@bad.example/ */
        if (authority.ptr[i - 1] == '@') {
            authority = slice_from(authority, i);
            break;
        }
    size_t colon = authority.len;
    for (size_t i = authority.len; i > 0 && authority.ptr[i - 1] != ']'; i--)
        if (authority.ptr[i - 1] == ':') {
            colon = i - 1;
            break;
        }
    host = slice_to(authority, colon);
    if (colon < authority.len)
        port = slice_from(authority, colon + 1);
    if (!port_normal(scheme, port, &port) || !host_normal(a, host, &normal))
        return false;
    buf_put(out, normal);
    if (port.len != 0) {
        buf_put_byte(out, ':');
        buf_put(out, port);
    }
    return true;
}

static size_t find_any(struct slice s, const char *set, size_t n)
{
    size_t i = 0;

    while (i < s.len && memchr(set, s.ptr[i], n) == NULL)
        i++;
    return i;
}

/* RFC 3986: scheme and host in lower case, userinfo, fragment and the scheme's own port dropped, dot segments removed.
 */
bool value_url(struct arena *a, struct slice text, struct slice *normal_out)
{
    struct buf path = BUF_INIT, out = BUF_INIT;
    struct slice scheme, rest = text;

    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return false;
    if (!scheme_cut(a, &rest, &scheme))
        return false;
    rest = slice_to(rest, find_any(rest, "#", 1));
    struct slice authority = slice_to(rest, find_any(rest, "/?\\", 3));
    rest = slice_from(rest, authority.len);
    size_t query = find_any(rest, "?", 1);
    buf_put(&out, scheme);
    buf_put(&out, SLICE("://"));
    bool good = authority_put(a, &out, scheme, authority);
    if (good) {
        percent_put(&path, slice_to(rest, query));
        if (path.len == 0)
            buf_put_byte(&out, '/');
        else
            path_put(&out, buf_slice(&path));
        percent_put(&out, slice_from(rest, query));
        *normal_out = arena_copy(a, buf_slice(&out));
    }
    buf_free(&path);
    buf_free(&out);
    return good;
}

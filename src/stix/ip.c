#include "stix/value.h"

#include <stdio.h>

static int decimal(struct slice s, unsigned max)
{
    unsigned value = 0;

    if (s.len == 0 || s.len > 3 ||
        (s.len > 1 && s.ptr[0] == '0')) /* a leading zero is octal to some readers: refused */
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        value = value * 10 + (unsigned)(s.ptr[i] - '0');
    }
    return value <= max ? (int)value : -1;
}

bool stix_ipv4_parse(struct slice text, uint32_t *host_order_out)
{
    uint32_t address = 0;
    struct slice part;

    if (text.len < 7 || text.len > 15)
        return false;
    for (int i = 0; i < 4; i++) {
        if (!slice_cut(&text, '.', &part))
            return false;
        int byte = decimal(part, 255);
        if (byte < 0)
            return false;
        address = address << 8 | (uint32_t)byte;
    }
    *host_order_out = address;
    return text.ptr == NULL; /* nothing behind the fourth part */
}

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its additions), where "globally reachable" is false;
   multicast and the future-use block beside it. 192.0.0.9 and .10 (anycast) are left inside their block: never an
   indicator. */
bool stix_ipv4_is_global(uint32_t host_order)
{
    static const struct {
        uint32_t address;
        int bits;
    } special[] = {
        {0x00000000, 8},  /* this network */
        {0x0a000000, 8},  /* private, RFC 1918 */
        {0x64400000, 10}, /* carrier-grade NAT, RFC 6598 */
        {0x7f000000, 8},  /* loopback */
        {0xa9fe0000, 16}, /* link-local */
        {0xac100000, 12}, /* private */
        {0xc0000000, 24}, /* IETF protocol assignments */
        {0xc0000200, 24}, /* documentation, TEST-NET-1 */
        {0xc0586300, 24}, /* 6to4 relay anycast, withdrawn by RFC 7526 */
        {0xc0a80000, 16}, /* private */
        {0xc6120000, 15}, /* benchmarking */
        {0xc6336400, 24}, /* documentation, TEST-NET-2 */
        {0xcb007100, 24}, /* documentation, TEST-NET-3 */
        {0xe0000000, 4},  /* multicast */
        {0xf0000000, 4},  /* reserved, and limited broadcast */
    };

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (((host_order ^ special[i].address) >> (32 - special[i].bits)) == 0)
            return false;
    return true;
}

/* Cuts "/n" off; *bits_out is `max` where there is none. */
static bool prefix_cut(struct slice *text, int max, int *bits_out)
{
    struct slice rest = *text, head;

    *bits_out = max;
    slice_cut(&rest, '/', &head);
    *text = head;
    if (rest.ptr == NULL)
        return true;
    *bits_out = decimal(rest, (unsigned)max);
    return *bits_out >= 0;
}

static void ipv4_write(struct arena *a, uint32_t address, int bits, enum stix_value_kind *kind_out,
                       struct slice *normal_out)
{
    uint32_t net = bits == 0 ? 0 : address & (UINT32_MAX << (32 - bits));
    struct slice quad = arena_printf(a, "%u.%u.%u.%u", net >> 24, net >> 16 & 255, net >> 8 & 255, net & 255);

    *kind_out = bits == 32 ? STIX_VALUE_IPV4 : STIX_VALUE_IPV4_NET;
    *normal_out = bits == 32 ? quad : arena_printf(a, SLICE_FMT "/%d", SLICE_ARG(quad), bits);
}

bool value_ipv4(struct arena *a, struct slice text, enum stix_value_kind *kind_out, struct slice *normal_out)
{
    uint32_t address;
    int bits;

    if (!prefix_cut(&text, 32, &bits) || !stix_ipv4_parse(text, &address))
        return false;
    ipv4_write(a, address, bits, kind_out, normal_out);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Groups of one side of "::", an IPv4 quad allowed as the last two; -1 or how many. */
static int groups_read(struct slice text, bool quad_allowed, uint16_t out[8])
{
    struct slice part;
    int n = 0;

    if (text.len == 0)
        return 0;
    while (slice_cut(&text, ':', &part)) {
        uint32_t value = 0;
        if (text.ptr == NULL && quad_allowed && stix_ipv4_parse(part, &value)) {
            if (n > 6)
                return -1;
            out[n++] = (uint16_t)(value >> 16);
            out[n++] = (uint16_t)value;
            return n;
        }
        if (n == 8 || part.len == 0 || part.len > 4)
            return -1;
        for (size_t i = 0; i < part.len; i++) {
            int digit = hex_digit(part.ptr[i]);
            if (digit < 0)
                return -1;
            value = value << 4 | (uint32_t)digit;
        }
        out[n++] = (uint16_t)value;
    }
    return n;
}

/* RFC 4291 section 2.2. A zone ("%eth0") means something on one host only: refused. */
static bool ipv6_read(struct slice text, uint16_t out[8])
{
    uint16_t head[8], tail[8];
    size_t gap = slice_find(text, SLICE("::"));

    if (gap == text.len)
        return groups_read(text, true, out) == 8;
    int n_head = groups_read(slice_to(text, gap), false, head),
        n_tail = groups_read(slice_from(text, gap + 2), true, tail);
    if (n_head < 0 || n_tail < 0 || n_head + n_tail > 7)
        return false;
    memset(out, 0, 8 * sizeof(out[0]));
    memcpy(out, head, (size_t)n_head * sizeof(out[0]));
    memcpy(out + 8 - n_tail, tail, (size_t)n_tail * sizeof(out[0]));
    return true;
}

/* RFC 5952 section 4: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as
 * "::". */
static struct slice ipv6_write(struct arena *a, const uint16_t group[8])
{
    int best = -1, best_len = 1, len = 0;
    char text[48];

    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && group[i + n] == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
        i += n; /* the group behind a run is not zero */
    }
    for (int i = 0; i < 8; i++) {
        bool is_run = i == best;
        const char *colon = i != 0 && i != best + best_len ? ":" : "";
        len += is_run ? snprintf(text + len, sizeof(text) - (size_t)len, "::")
                      : snprintf(text + len, sizeof(text) - (size_t)len, "%s%x", colon, group[i]);
        i += is_run ? best_len - 1 : 0;
    }
    return arena_copy(a, slice_n(text, (size_t)len));
}

static void bits_clear(uint16_t group[8], int bits)
{
    for (int i = 0; i < 8; i++) {
        int keep = bits - i * 16;
        if (keep <= 0)
            group[i] = 0;
        else if (keep < 16)
            group[i] &= (uint16_t)(0xffff << (16 - keep));
    }
}

bool value_ipv6(struct arena *a, struct slice text, enum stix_value_kind *kind_out, struct slice *normal_out)
{
    static const uint16_t mapped[6] = {0, 0, 0, 0, 0, 0xffff};
    uint16_t group[8];
    int bits;

    if (text.len > 49 || !prefix_cut(&text, 128, &bits) || !ipv6_read(text, group))
        return false;
    if (memcmp(group, mapped, sizeof(mapped)) == 0 && bits >= 96) {
        ipv4_write(a, (uint32_t)group[6] << 16 | group[7], bits - 96, kind_out, normal_out);
        return true;
    }
    bits_clear(group, bits);
    struct slice address = ipv6_write(a, group);
    *kind_out = bits == 128 ? STIX_VALUE_IPV6 : STIX_VALUE_IPV6_NET;
    *normal_out = bits == 128 ? address : arena_printf(a, SLICE_FMT "/%d", SLICE_ARG(address), bits);
    return true;
}

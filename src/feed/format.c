#include "feed/internal.h"

#include <arpa/inet.h>

#include "base/time.h"

static const struct feed_format formats[] = {
    {SLICE_INIT("nft"), SLICE_INIT(".nft"), SLICE_INIT("text/plain; charset=utf-8"), feed_nft_takes, feed_nft_write,
     feed_nft_write_delta},
    {SLICE_INIT("list"), SLICE_INIT(".txt"), SLICE_INIT("text/plain; charset=utf-8"), feed_list_takes, feed_list_write,
     NULL},
};

const struct feed_format *feed_formats(size_t *n_out)
{
    *n_out = sizeof(formats) / sizeof(formats[0]);
    return formats;
}

const struct feed_format *feed_format_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (slice_eq(formats[i].name, name))
            return &formats[i];
    return NULL;
}

/* A name that somebody chose must not end the comment that it stands in. */
static void put_comment(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_put_byte(out, (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? '?' : text.ptr[i]);
}

static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    buf_printf(out, "# %s: " SLICE_FMT "\n", name, SLICE_ARG(slice_n(text, sizeof text)));
}

void feed_put_head(struct buf *out, const char *title, const struct feed_head *head)
{
    buf_printf(out, "# %s\n# hub: ", title);
    put_comment(out, head->hub);
    buf_put(out, SLICE("\n# serial: "));
    buf_put_u64(out, head->serial);
    buf_put_byte(out, '\n');
    put_time(out, "made", head->made_us);
    if (head->until_us != 0)
        put_time(out, "expires", head->until_us);
}

bool feed_is_address(enum stix_value_kind kind, struct slice value)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    uint32_t quad;

    if (kind == STIX_VALUE_IPV4)
        return stix_ipv4_parse(value, &quad);
    if (kind != STIX_VALUE_IPV6 || value.len == 0 || value.len >= sizeof text ||
        memchr(value.ptr, '\0', value.len) != NULL)
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

bool feed_entry_is_good(const struct feed_head *head, const struct feed_entry *e)
{
    if (e->value.len == 0 || e->value.ptr[0] == '#' || (e->until_us != 0 && e->until_us <= head->made_us))
        return false;
    for (size_t i = 0; i < e->value.len; i++)
        if ((unsigned char)e->value.ptr[i] <= ' ' || e->value.ptr[i] == 0x7f)
            return false;
    return (e->kind != STIX_VALUE_IPV4 && e->kind != STIX_VALUE_IPV6) || feed_is_address(e->kind, e->value);
}

/* One value a line under a '#' header: what firewalls ("external dynamic list"), proxies and scripts read. */
#include "feed/internal.h"

bool feed_list_takes(enum stix_value_kind kind)
{
    return kind != STIX_VALUE_NONE && kind != STIX_VALUE_OTHER;
}

size_t feed_list_write(struct buf *out, const struct feed_head *head, const struct feed_entry *entries, size_t n)
{
    size_t written = 0;

    feed_put_head(out, "Tocsin block list: one value a line", head);
    for (size_t i = 0; i < n; i++) {
        if (!feed_list_takes(entries[i].kind) || !feed_entry_is_good(head, &entries[i]))
            continue;
        buf_put(out, entries[i].value);
        buf_put_byte(out, '\n');
        written++;
    }
    return written;
}

/* feed/internal.h: what the formats share, for feed/ alone. */
#ifndef FEED_INTERNAL_H
#define FEED_INTERNAL_H

#include "feed/feed.h"

/* "# hub: ...", "# serial: ...", "# made: ...", "# expires: ..." */
void feed_put_head(struct buf *out, const char *title, const struct feed_head *head);
/* Has not lapsed, and can stand in a line of text: printable, no blank, no '#' in front; addresses are addresses. */
bool feed_entry_is_good(const struct feed_head *head, const struct feed_entry *e);
/* Whether `value` is what its kind says, for the kinds that go into firewalls. */
bool feed_is_address(enum stix_value_kind kind, struct slice value);

bool feed_nft_takes(enum stix_value_kind kind);
size_t feed_nft_write(struct buf *out, const struct feed_head *head, const struct feed_entry *entries, size_t n);
size_t feed_nft_write_delta(struct buf *out, const struct feed_head *head, const struct feed_entry *added,
                            size_t n_added, const struct feed_entry *removed, size_t n_removed);
bool feed_list_takes(enum stix_value_kind kind);
size_t feed_list_write(struct buf *out, const struct feed_head *head, const struct feed_entry *entries, size_t n);

#endif

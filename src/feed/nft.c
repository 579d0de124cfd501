/* nftables (nft -f): the sets block4 and block6 of table inet tocsin; the rules that use them stay the member's own,
   for instance `ip saddr @block4 drop`. Every element carries its timeout, so that the kernel lets a block lapse by
   itself.

   Sets of single addresses, without "interval" and "auto-merge": auto-merge joins neighbours (198.51.100.7 and .8) into
   one range with one timeout, from which nft 1.0.6 cannot delete one of the two again. A false positive must be
   released alone. */
#include "feed/internal.h"

static const struct {
    enum stix_value_kind kind;
    const char *set, *type;
} sets[] = {
    {STIX_VALUE_IPV4, "block4", "ipv4_addr"},
    {STIX_VALUE_IPV6, "block6", "ipv6_addr"},
};

enum { SETS = sizeof(sets) / sizeof(sets[0]) };

bool feed_nft_takes(enum stix_value_kind kind)
{
    return kind == STIX_VALUE_IPV4 || kind == STIX_VALUE_IPV6;
}

/* One statement with all good entries of one kind; nothing at all when there are none: nft takes no empty braces. */
static size_t put_statement(struct buf *out, const struct feed_head *head, const char *verb, size_t set,
                            const struct feed_entry *entries, size_t n, bool timeouts)
{
    size_t written = 0;

    for (size_t i = 0; i < n; i++) {
        const struct feed_entry *e = &entries[i];
        if (e->kind != sets[set].kind || !feed_entry_is_good(head, e))
            continue;
        if (written++ == 0)
            buf_printf(out, "%s element inet tocsin %s {\n", verb, sets[set].set);
        buf_put_byte(out, '\t');
        buf_put(out, e->value);
        if (timeouts && e->until_us != 0) {
            buf_put(out, SLICE(" timeout "));
            buf_put_u64(out, (uint64_t)((e->until_us - head->made_us + 999999) / 1000000));
            buf_put_byte(out, 's');
        }
        buf_put(out, SLICE(",\n"));
    }
    if (written != 0)
        buf_put(out, SLICE("}\n"));
    return written;
}

size_t feed_nft_write(struct buf *out, const struct feed_head *head, const struct feed_entry *entries, size_t n)
{
    size_t written = 0;

    feed_put_head(out, "Tocsin block sets for nftables: nft -f THIS, as often as you like; your rules are not touched",
                  head);
    buf_put(out, SLICE("table inet tocsin {\n"));
    for (size_t i = 0; i < SETS; i++)
        buf_printf(out, "\tset %s { type %s; flags timeout; }\n", sets[i].set, sets[i].type);
    buf_put(out, SLICE("}\n"));
    for (size_t i = 0; i < SETS; i++)
        buf_printf(out, "flush set inet tocsin %s\n", sets[i].set);
    for (size_t i = 0; i < SETS; i++)
        written += put_statement(out, head, "add", i, entries, n, true);
    return written;
}

/* nft applies a file as one transaction, and one element that is not there makes it refuse all of it: so whatever is to
   go is added before it is deleted. An element that is there keeps its old timeout when added again (before
   Linux 6.12): so whatever is added is deleted first, too. */
size_t feed_nft_write_delta(struct buf *out, const struct feed_head *head, const struct feed_entry *added,
                            size_t n_added, const struct feed_entry *removed, size_t n_removed)
{
    const struct feed_head no_clock = {.made_us = 0}; /* what is removed may have lapsed already */
    size_t written = 0;

    feed_put_head(out, "Tocsin block sets for nftables: changes", head);
    for (size_t i = 0; i < SETS; i++) {
        put_statement(out, &no_clock, "add", i, removed, n_removed, false);
        written += put_statement(out, &no_clock, "delete", i, removed, n_removed, false);
        put_statement(out, head, "add", i, added, n_added, false);
        put_statement(out, head, "delete", i, added, n_added, false);
        written += put_statement(out, head, "add", i, added, n_added, true);
    }
    return written;
}

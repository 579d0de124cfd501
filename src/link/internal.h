/* link/internal.h: one link to one partner hub. */
#ifndef LINK_INTERNAL_H
#define LINK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "link/link.h"

/* ---- receipt.c: one a link ---- */

#define LINK_FOLLOWER "hub" /* a partner's credential has one follower: its link */

struct link_receipts;
/* `info`, and what conf points to, outlive it. */
struct link_receipts *link_receipts_start(struct hub *h, const struct hub_link *info,
                                          const struct taxii_client_conf *conf);
void link_receipts_stop(struct link_receipts **r);
/* Recalls up to this event are committed here, in these rows (0: it is not known in which). Any thread. */
void link_receipts_note(struct link_receipts *r, struct slice event, uint64_t first_seq, uint64_t last_seq);

struct link;
struct link_event { /* on the heap; the link's once it is put */
    struct arena arena;
    struct hub_event event;
    struct slice cursor; /* committed with it */
    struct link_event *next;
};
/* Waits for room. true: the link stops or failed, and the event was freed. */
bool link_put(struct link *l, struct link_event *e);
bool link_pause(struct link *l, int64_t us); /* false: stopping */
/* pull.c: polls a foreign server from `from` on, until the link stops or fails. */
int link_pull(struct link *l, struct taxii_client *client, const struct hub_link *info, struct slice from,
              struct err *err);
/* `info` is copied. Starts both threads. */
struct link *link_start(struct hub *h, const struct hub_link *info);
void link_stop(struct link **link);
bool link_is(const struct link *l, const struct hub_link *info); /* the same partner, followed in the same way */

#endif

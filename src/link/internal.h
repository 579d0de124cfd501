/* link/internal.h: one link to one partner hub. */
#ifndef LINK_INTERNAL_H
#define LINK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "link/link.h"

struct link;
/* `info` is copied. Starts both threads. */
struct link *link_start(struct hub *h, const struct hub_link *info);
void link_stop(struct link **link);
bool link_is(const struct link *l, const struct hub_link *info); /* the same partner, followed in the same way */

#endif

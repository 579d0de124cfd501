/* link/link.h: partner hubs. A link is a follower of the partner's stream: nothing is pushed, the cursor commits with
   the rows, so an outage on either side loses nothing and repeats nothing. */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "hub/hub.h"

struct links;
/* One thread keeps the set of links as the directory says (partners come and go while the hub runs); each link has two
   threads, one that reads the stream and one that submits what has come, as much at a time as has come. Reconnects with
   backoff (250 ms doubling to 15 s) and jitter. */
int links_start(struct hub *h, struct links **links_out, struct err *err);
void links_stop(struct links **links);

#endif

/* cmd/control.h: how the command line reaches a running hub: a socket in its directory, one JSON object a line each
   way. Only the hub's own user (and root) may connect: the socket's mode says so, and the peer's user id is asked for
   besides. */
#ifndef CMD_CONTROL_H
#define CMD_CONTROL_H

#include "base/json.h"
#include "hub/hub.h"

struct control;
int control_start(struct hub *h, const char *path, struct control **control_out, struct err *err);
void control_stop(struct control **control);

/* The client: sends {"do": ..., ...} and waits for the answer, in `a`. -1 with ERR_CONNECT when no hub runs in that
   directory; an answer {"error": {...}} becomes err. */
int control_ask(struct arena *a, const char *hub_dir, struct slice request, struct json *answer_out, struct err *err);

#endif

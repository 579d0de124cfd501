/* cmd/client.h: what the commands that talk to a hub as a member share. */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include "cmd/options.h"
#include "taxii/taxii.h"

#define CLIENT_ROWS                                                                                                    \
    {"as", "FILE", "client file (tocsin member add writes it)", OPTIONS_REQUIRED},                                     \
    {                                                                                                                  \
        "collection", "NAME", "collection id or alias; standard: the client file's", OPTIONS_ONCE                      \
    }

/* Opens a client from --as and --collection. Prints the error; returns an exit status. */
int client_open(struct arena *a, const struct options *o, struct taxii_client **client_out);

#endif

/* cmd/certificates.h: says in time what ends: the hub's own certificate, what it judges members' by, theirs, and those
   that it shows to partners. An event "certificate_ends" when 30, 7 and 1 days are left, and when it is over; again
   after a restart. */
#ifndef CMD_CERTIFICATES_H
#define CMD_CERTIFICATES_H

#include "hub/hub.h"

struct certificates {
    struct certificates_told {
        uint64_t what; /* hash */
        int days;      /* as last told; see crypto_cert_warning() */
    } * told;
    size_t n, room;
    int64_t next_us; /* steady: looks once an hour */
};
void certificates_look(struct certificates *c, struct http_server *server, struct hub *h);
void certificates_free(struct certificates *c);

#endif

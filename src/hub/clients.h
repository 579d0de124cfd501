/* hub/clients.h: what clients.c remembers and clients_say.c puts into words. */
#ifndef HUB_CLIENTS_H
#define HUB_CLIENTS_H

#include "hub/internal.h"

enum {
    HUB_CLIENTS_MAX = 4096,   /* programs remembered; then the one that came longest ago goes */
    HUB_CLIENTS_EACH = 4,     /* of one member: told apart by User-Agent */
    HUB_CLIENTS_UNKNOWN = 64, /* addresses from which nobody could be signed in */
    HUB_CLIENTS_RING = 16,    /* last requests of each */
    HUB_CLIENTS_TEXT = 120,   /* bytes kept of a header or a request line */
};

enum client_fraction { CLIENT_SECONDS, CLIENT_MILLIS, CLIENT_MICROS, CLIENT_OTHER, CLIENT_FRACTIONS };

/* No bodies, no credentials, no ids of objects. Times are whole minutes; what was accepted of a member is counted by
   the hour alone and stands in no list, since its minute would tell who submitted what was published then. */
struct client_request {
    int64_t at_us;
    int status;
    enum err_code code;
    int64_t took_us;
    uint64_t sent;
    char line[HUB_CLIENTS_TEXT];
};
struct client {
    struct client *next; /* of the same viewer's cell */
    uint32_t viewer;     /* UINT32_MAX: nobody was signed in */
    uint64_t agent_hash; /* 1: sign-ins of a member that failed; for nobody: of the address */
    uint64_t used;
    bool is_partner, starts_at_discovery, lower_basic, type_relationship, tls;
    char name[65], agent[HUB_CLIENTS_TEXT], accept[HUB_CLIENTS_TEXT], peer[48], bad_media[64];
    int64_t first_us, last_us;
    uint64_t n, ok, refused;
    /* reading objects */
    uint64_t polls, polls_from_start, polls_stuck, pages, empty_pages, next_alone, next_and_after, next_blank, no_slash,
        offsets, streams, manifests, fractions[CLIENT_FRACTIONS], limits, largest_limit;
    int64_t last_after_us, poll_us, interval_us; /* poll_us: the last poll, exactly; never shown */
    /* submitting */
    uint64_t posts, posts_refused;
    int64_t posts_hour_us;
    /* the failures since the last success */
    int streak_status;
    enum err_code streak_code;
    uint64_t streak_n;
    int64_t streak_since_us;
    bool streak_is_bare; /* no credential was sent at all */
    char streak_text[HUB_CLIENTS_TEXT];
    struct client_request ring[HUB_CLIENTS_RING];
    uint64_t ring_n;
};

/* clients_say.c */
void client_put(const struct client *c, int64_t now_us, bool whole, struct buf *out);

#endif

/* hub/edges.h: which edges there should be between the objects of one value, and their rows: for corroborate.c. */
#ifndef HUB_EDGES_H
#define HUB_EDGES_H

#include "hub/internal.h"

enum {
    HUB_ENDS_MAX = 512
}; /* objects of one value that are looked at, the oldest ones: of more, the rest has no edges */
#define HUB_WHO_OPEN_SOURCE                                                                                            \
    UINT64_MAX /* in the place of an owner's handle: a copy of an open source, whoever sent it */

/* families.c: members of one organisation, and clients with those whose clients they are, speak with one voice. */
struct hub_families {
    const struct hub_directory *of; /* compared only */
    uint64_t epoch;
    struct hub_family {
        uint64_t owner, family;
    } * items; /* by owner */
    size_t n;
};
void hub_families_learn(struct hub *h, struct hub_families *f); /* of the directory that is; cheap when it is known */
void hub_families_free(struct hub_families *f);
/* Of the row's submitter; a partner hub is one, all copies of open sources are one. */
uint64_t hub_family_of(const struct hub_families *f, uint64_t who, struct slice origin);

struct hub_end {
    uint64_t seq, first, family; /* first: of the object's rows */
    uint32_t facts_class;
    const struct share_facts *facts;
};
bool hub_edge_end_stands(struct hub *h,
                         uint64_t seq); /* an indicator's current version, neither expired nor recalled */
struct hub_end hub_edge_end(struct hub *h, const struct hub_families *f, uint64_t seq, uint64_t who);

struct hub_edge_ends { /* as the committer must still find them */
    struct {
        uint64_t seq, key, id_hash;
    } of[2];
};
struct hub_edge {
    uint64_t ends[2]; /* rows, the younger object first; 0: the edge is withdrawn */
    struct slice id;
    uint64_t id_hash, key, known; /* known: its row; 0: none yet */
    struct share_facts facts;
};
struct hub_edges {
    struct hub_edge *items;
    size_t n, room;
};
void hub_edges_wanted(struct hub_worker *w, struct hub_end *ends, size_t n, const uint8_t key[CRYPTO_KEY],
                      struct hub_edges *out);
/* false: it is seen by nobody already, or was never made. */
bool hub_edges_unwanted(struct hub_worker *w, uint64_t id_hash, uint64_t row_key, struct hub_edges *out);
void hub_edges_keep_changed(struct hub *h, struct hub_edges *edges, size_t from); /* what is as it should be goes */
struct hub_job *hub_edges_job(struct hub_worker *w, const struct hub_edges *edges);

#endif

/* share/internal.h: what the files of share/ tell each other. */
#ifndef SHARE_INTERNAL_H
#define SHARE_INTERNAL_H

#include "share/share.h"

/* policy.c: sorted copies, so that lookups are binary searches. */
struct share_policy {
    const struct share_collection *collections; /* by id, none twice */
    size_t n_collections;
    const struct share_agreement *agreements; /* by partner, then id */
    size_t n_agreements;
};
const struct share_collection *share_policy_collection(const struct share_policy *p, struct slice id); /* or NULL */
const struct share_agreement *share_policy_partner(const struct share_policy *p, struct slice partner,
                                                   size_t *n_out);           /* all agreements of one partner */
bool share_list_has(const struct slice *sorted, size_t n, struct slice s); /* the empty name is on no list */

#endif

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
                                                   size_t *n_out);         /* all agreements of one partner */
bool share_list_has(const struct slice *sorted, size_t n, struct slice s); /* the empty name is on no list */

/* text.c: identifiers inside text. */
enum { SHARE_UUID_TEXT = 36 };
struct share_mention {
    size_t at;         /* where in the text */
    struct slice text; /* what stands there: "type--uuid", or a UUID alone */
    struct slice id;   /* the identifier, its UUID in lower case; empty for a UUID alone */
};
/* The next one from *from on, which moves behind it; false when there is none. */
bool share_mention_next(struct arena *a, struct slice text, size_t *from, struct share_mention *out);
struct slice share_id_lower(struct arena *a, struct slice id); /* the normal form of an id: one MAC for both cases */
/* What an identifier is replaced by; {NULL, 0}: it stays. */
typedef struct slice share_replace_fn(void *arg, struct slice id);
/* The text with its identifiers replaced; the same slice when nothing was. */
struct slice share_text_replace(struct arena *a, struct slice text, share_replace_fn *fn, void *arg);
struct slice share_quote(struct arena *a, struct slice text); /* as a JSON string */

struct share_edits { /* in document order */
    struct json_edit *items;
    size_t n, cap;
};
void share_edits_add(struct arena *a, struct share_edits *edits, struct json at, struct slice with);

/* names.c: which name an identifier has. */
struct share_name_index {
    const struct share_name **items; /* by UUID without case, then type */
    size_t n;
};
void share_name_index_make(struct arena *a, const struct share_names *names, struct share_name_index *out);
const struct share_name *share_name_of(const struct share_name_index *ix, struct slice id);
bool share_name_has_uuid(const struct share_name_index *ix, struct slice uuid); /* of any type, in any case */

/* secret.c: words that must not be read, found whatever their case and whatever separates their parts. */
struct share_secret_finder {
    const struct slice *words; /* those that count */
    size_t n;
    bool starts[256]; /* bytes with which an occurrence may begin */
};
void share_secret_finder_make(struct arena *a, const struct share_secrets *secrets, struct share_secret_finder *out);
bool share_secret_in(const struct share_secret_finder *f, struct slice text);

#endif

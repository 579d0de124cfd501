/* stix/upgrade.h: what the files of the upgrade from STIX 2.0, and of the way back, share. Private to stix/. */
#ifndef STIX_UPGRADE_H
#define STIX_UPGRADE_H

#include "base/crypto.h"
#include "stix/stix.h"

/* 2.0 had one list, labels, for tags and for what 2.1 calls types: where the types of a type of object stand. */
struct upgrade_vocabulary {
    struct slice type, property;
    const struct words *words; /* NULL: all labels are meant; and 2.0 did not ask for any */
};
const struct upgrade_vocabulary *upgrade_vocabulary_of(struct slice type); /* NULL: labels are labels */

/* What becomes of the `objects` of an observed-data (STIX 2.0 part 2 section 2.6.1, part 4). */
struct upgrade_contained;
struct upgrade_container {
    struct arena *arena;
    const struct stix_object *owner;
    struct upgrade_contained *items; /* in the order of the dictionary */
    struct upgrade_contained **by_key;
    uint32_t n, depth, references;
    uint8_t
        digest[CRYPTO_SHA1]; /* of the dictionary's bytes: what ids of types without deterministic ones are made of */
    struct slice *markings;  /* of all of them: the owner's, and those of selectors "objects" */
    uint32_t n_markings;
    struct stix_upgraded_part *parts; /* bodies and places; first one left for the owner */
    uint32_t n_parts;
    struct err *err;
};

/* Fills everything but parts[0]. */
int upgrade_container_read(struct arena *a, const struct stix_object *owner, struct upgrade_container *out,
                           struct err *err);
/* The list for object_refs, as JSON. */
void upgrade_container_refs_put(const struct upgrade_container *c, struct buf *out);
/* Where the entry with this key stands in that list; UINT32_MAX: there is none. */
uint32_t upgrade_container_place(const struct upgrade_container *c, struct slice key);

/* A pattern by the grammar and the names of 2.1. false: it needs no change, or is no pattern (which validation says).
 */
bool upgrade_pattern(struct arena *a, struct slice text, struct slice *out);

/* The 2.1 name of a property; `of`: a type or the key of an extension. The same slice where it kept its name. */
struct slice upgrade_name(struct slice of, struct slice name);
/* And back: the 2.0 name of a property of 2.1. */
struct slice downgrade_name(struct slice of, struct slice name);

/* A pattern of 2.1 by the grammar and the names of 2.0; the same slice where it needs no change. -1: 2.0 has no such
   pattern (EXISTS), or it is none, or longer than is read. */
int downgrade_pattern(struct arena *a, struct slice text, struct slice *out, struct err *err);

#endif

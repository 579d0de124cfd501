/* share/share.h: who may know. Pure: no I/O, no clock (time is an argument), no keys. Every failure is a deny with its
   reason; every marking present must allow (policy.md shows why "the most restrictive wins" leaks); what is unknown,
   contradictory, expired or cannot be read is held. Any thread. */
#ifndef SHARE_SHARE_H
#define SHARE_SHARE_H

#include "stix/stix.h"

/* ---- facts: what about an object decides; equal facts are one class ---- */

enum share_tlp { SHARE_CLEAR, SHARE_GREEN, SHARE_AMBER, SHARE_STRICT, SHARE_RED, SHARE_TLP_LEVELS };
enum share_consent {
    SHARE_CONSENT_NONE,        /* AIS: none */
    SHARE_CONSENT_GOVERNMENT,  /* usg */
    SHARE_CONSENT_EVERYONE,    /* everyone */
    SHARE_CONSENT_PROPRIETARY, /* everyone-cisa-proprietary */
};
enum share_category {
    SHARE_INDICATOR,
    SHARE_CONTEXT,  /* every type that is not one of the others */
    SHARE_SIGHTING, /* sighting, observed-data */
    SHARE_CATEGORIES
};

struct share_facts {
    struct slice collection;    /* its id */
    struct slice type;          /* STIX type */
    uint32_t tlp;               /* bit 1 << enum share_tlp for every level present; 0 never passes */
    bool attribution;           /* this object names the submitter: `consent` decides besides */
    enum share_consent consent; /* meaningful with attribution only, else NONE (so that classes stay few) */
    struct slice origin;        /* id of the hub that issued the release; empty: this hub */
    struct slice path;      /* ids of the hubs it passed, comma-separated, origin first; empty: this hub issued it. Of a
                               sighting with `organisations` these are its subject's */
    struct slice agreement; /* id of the agreement it came under; empty: none */
    bool onward; /* that agreement allows handing it on to members of named partners (CLEAR needs no leave) */
    uint32_t organisations; /* of a sighting that the hub issued: distinct organisations behind it, capped at
                               SHARE_ORGS_CAP; else 0 */
    bool own_only;          /* for the submitter alone (a raw sighting, for instance) */
    bool corroborates; /* an edge that the hub made between two indicators: leaves where these and context may leave */
    bool members_only; /* made by the hub, of something that a partner sent: for its own members */
    uint32_t creates; /* of an identity that the hub made for a creator: the categories (bits) of what names it. It goes
                         wherever one of them goes; 0: its own type's category decides */
};
enum { SHARE_ORGS_CAP = 100 };
enum share_category share_category_of(struct slice stix_type);
uint32_t share_categories(const struct share_facts *f); /* bits: one of them must be agreed; corroborates: all */
/* An edge between two objects: whoever may have it may have both. false: there is none (of two collections, or of what
   names its submitter or is for its submitter alone). */
bool share_edge_facts(const struct share_facts *one, const struct share_facts *other, struct share_facts *out);
void share_facts_put(const struct share_facts *f, struct buf *out); /* canonical bytes: the key of the class (JSON) */
int share_facts_get(struct arena *a, struct slice key, struct share_facts *out, struct err *err);

/* The marking definitions of an envelope's array, read once for all its objects. */
struct share_definitions;
const struct share_definitions *share_definitions_read(struct arena *a, struct json objects);

/* What is known of the submission that an object stands in. */
struct share_context {
    struct slice collection;
    bool has_default; /* the submitter declared a default marking for this collection */
    enum share_tlp default_tlp;
    bool strict_amber1;  /* TLP 1 AMBER reads as AMBER+STRICT (the rule unless agreed otherwise) */
    struct json objects; /* the envelope's array: marking definitions are looked up there */
    /* of `objects`; NULL: read anew for each object, which costs the square of their number */
    const struct share_definitions *definitions;
    struct slice origin, path, agreement; /* from a partner; else empty */
    bool onward;
};
/* Facts of one object. -1 with ERR_HELD_UNMARKED or ERR_HELD_MARKING (place: which marking). *defaulted_out: the
   default was taken and must be written into the release. TLP 1 and 2 by their exact ids (a marking-definition object
   whose id, name and value disagree is contradictory), statement markings restrict nobody, granular markings: every one
   counts for the whole object (projection comes later: so the object goes to fewer, never to more). ACS, IEP, PAP and
   unknown extensions: held. */
int share_facts_read(struct arena *a, const struct stix_object *o, const struct share_context *context,
                     struct share_facts *facts_out, bool *defaulted_out, struct err *err);
/* The AIS consent label on an identity; *found_out false: none there. -1 ERR_HELD_CONSENT: two different ones. */
int share_consent_read(const struct stix_object *identity, enum share_consent *consent_out, bool *found_out,
                       struct err *err);
/* none, government, everyone, proprietary, and the ais-consent-* labels */
bool share_consent_parse(struct slice word, enum share_consent *out);
struct slice share_tlp_name(enum share_tlp tlp); /* "TLP:AMBER+STRICT" */
struct slice share_tlp_id(enum share_tlp tlp);   /* TLP 2.0 marking-definition id */
/* The TLP 1 id for a reader that does not know this TLP 2 id: the nearest that is not wider (AMBER for AMBER+STRICT).
   {NULL,0}: not the id of a TLP 2 level. */
struct slice share_tlp1_for(struct slice tlp2_id);
/* The same for a reader of STIX 2.0, in its place (a stix_marking_fn). Beside it: AMBER+STRICT, which TLP 1 has not. */
struct slice share_tlp1_instead(struct slice id, bool *beside_out);
bool share_tlp_parse(struct slice word, enum share_tlp *out); /* "TLP:GREEN", "green", "amber+strict" */
bool share_is_tlp_definition(struct slice id);                /* one of the nine known marking-definition ids */

/* ---- policy: audience statements and agreements, immutable once built ---- */

struct share_collection { /* a collection's audience statement (DESIGN.md invariant 5) */
    struct slice id;
    bool open; /* members of this hub may read what is GREEN without being listed */
    /* members by name: AMBER+STRICT reaches them, AMBER also their registered clients */
    const struct slice *recipients;
    size_t n_recipients;
    const struct slice *partners; /* hubs by id: GREEN, and AMBER where the ceiling allows, leave to these only */
    size_t n_partners;
};
struct share_agreement {                 /* the minimal one, in the partner's row */
    struct slice id, partner;            /* partner: hub id */
    const struct slice *collections_out; /* ids */
    size_t n_collections_out;
    enum share_tlp ceiling; /* nothing above leaves */
    uint32_t categories;    /* bits 1 << enum share_category */
    uint32_t k;             /* organisations behind a sighting; 3 by default */
    bool onward;            /* what we send may go on to third parties' members */
    int64_t until_us;
};
struct share_policy;
/* Copies all. Collections that share an id contradict each other: none of them counts. A partner may have several
   agreements: one that refuses nothing is enough. */
const struct share_policy *share_policy_build(struct arena *a, const struct share_collection *collections,
                                              size_t n_collections, const struct share_agreement *agreements,
                                              size_t n_agreements);
/* Canonical bytes, whatever the order of the rows; the caller hashes them. */
void share_policy_hash(const struct share_policy *p, struct buf *canonical_out);

/* ---- the decision ---- */

enum share_viewer_kind { SHARE_MEMBER, SHARE_PARTNER };
struct share_viewer {
    enum share_viewer_kind kind;
    struct slice name;             /* member's name */
    struct slice hub;              /* PARTNER: its hub id */
    const struct slice *client_of; /* members whose registered client this one is */
    size_t n_client_of;
    bool government;
};
enum share_action { SHARE_DELIVER, SHARE_EXPORT_BLOCK };
enum share_verdict { SHARE_DENY, SHARE_WHOLE };
enum { SHARE_REASONS_MAX = 16 };
struct share_decision {
    enum share_verdict verdict;
    uint32_t n_reasons;
    uint16_t reasons[SHARE_REASONS_MAX]; /* all of them, no short circuit; enum share_reason */
    int64_t holds_until_us;              /* INT64_MAX: for ever */
};
enum share_reason {
    SHARE_REASON_NONE,
#define REASON(name, text) SHARE_REASON_##name,
#include "share/reasons.def"
#undef REASON
    SHARE_REASON_COUNT
};
const char *share_reason_name(enum share_reason r);
const char *share_reason_text(enum share_reason r);
bool share_reason_permits(enum share_reason r); /* a permit tells only such reasons, a denial none of them */

/* May `to` have what these facts describe? (Its owner sees it anyhow; that is not asked here.) */
void share_decide(const struct share_policy *p, const struct share_facts *f, const struct share_viewer *to,
                  enum share_action action, int64_t now_us, struct share_decision *out);
/* Ceiling of an incoming agreement: may this come in from that partner? -1 ERR_CEILING, ERR_AGREEMENT_EXPIRED,
 * ERR_FORBIDDEN (no such agreement). */
int share_accept(const struct share_policy *p, const struct share_facts *f, struct slice agreement, int64_t now_us,
                 struct err *err);

/* ---- anonymise: names out, minted ids in (DESIGN.md invariant 2 and section 7) ---- */

/* Ids that the submitter coined and that must be remapped: the object's own, every string that is an id (references,
   wherever they stand) and the ids inside text and keys (each once), except deterministic SCO ids (UUIDv5, and every
   SCO id of version 5), marking definitions, extension definitions, and what is_foreign() knows (objects of other known
   producers). */
typedef bool share_foreign_fn(void *arg, struct slice id);
struct share_name {
    struct json at;  /* the JSON string; its kind JSON_ABSENT: an id inside free text */
    struct slice id; /* its UUID in lower case, whatever the submitter wrote */
    uint8_t mac[32]; /* the caller fills it: keys' MAC of (owner, collection, id) */
};
struct share_names {
    struct share_name *items;
    size_t n;
};
int share_names_find(struct arena *a, const struct stix_object *o, share_foreign_fn *is_foreign, void *arg,
                     struct share_names *out, struct err *err);
/* "type--" and the MAC in the shape of a UUIDv4 */
struct slice share_minted_id(struct arena *a, struct slice id, const uint8_t mac[32]);

/* What must not be read in a release: the submitter's names, domains, mail domains, in any case. */
struct share_secrets {
    const struct slice *words;
    size_t n;
};
struct share_release_ask {
    const struct stix_object *object;
    const struct share_names *names; /* with macs */
    struct slice cover_id;           /* stands for the submitter in created_by_ref; empty: that is left out */
    bool default_marking;            /* write default_tlp in (where the id is minted: the release is the hub's) */
    enum share_tlp default_tlp;
    int64_t default_valid_for_us; /* indicators without valid_until get one; 0: not */
    struct share_secrets secrets;
    bool expire;                     /* an expiry: no valid_until but the submitter's own */
    const struct stix_strip *strips; /* what the collection's profile leaves out */
    size_t n_strips;
};
/* Offsets in body of the instants that the committer writes in at commit, TIME_TEXT bytes each, and of the cover's id;
 * SIZE_MAX: not there. */
struct share_release {
    struct slice body;
    size_t created_at, modified_at, valid_until_at, cover_at;
    int64_t valid_for_us; /* what to add to the acceptance for valid_until */
    uint32_t withheld;    /* optional properties left out: they held a secret word, or the profile strips them */
};
/* Everything not named comes out byte for byte. Objects with a minted id: id and references minted; those with versions
   (SDOs, SROs, language-content, custom ones with `created`) get INSTANTs (1970-01-01T00:00:00.000000Z, for the
   committer to write over) as created and modified, the cover as created_by_ref also where there was none. Objects
   whose id stays (SCOs of version 5, markings, known producers'): references alone, and the cover for a created_by_ref
   that is the submitter's. contact_information of an identity never stays. A top-level property whose strings hold a
   secret word (in any case, its parts separated anyhow), the submitter's bare UUIDs, or an id as a key is left out. -1
   ERR_HELD_PRIVACY (place: which) where that cannot be: the rest would be no valid STIX, the id stays, the type is
   custom, or a marking speaks of the property. What the profile strips goes the same way, with ERR_HELD_PROFILE. */
int share_release_make(struct arena *a, const struct share_release_ask *ask, struct share_release *out,
                       struct err *err);
/* The other way: the submitter's own view of what others said about its objects (sighting_of_ref, object_refs of
   opinions and notes): replaces these ids, as references and inside text. Always 0. */
int share_rename(struct arena *a, struct json object, const struct slice *from, const struct slice *to, size_t n,
                 struct buf *out);

#endif

/* stix/stix.h: what is said. STIX 2.1 (OASIS Standard, 10 June 2021): the types, one object's validity, observable
   values in normal form, and the pattern language to a tree. Pure: bytes in, verdicts out; no file, clock or key. Any
   thread. */
#ifndef STIX_STIX_H
#define STIX_STIX_H

#include "base/json.h"

/* ---- types (types.c): one table of all STIX 2.1 types, section numbers beside them ---- */

enum stix_class { STIX_SDO, STIX_SRO, STIX_SCO, STIX_META, STIX_CUSTOM, STIX_BUNDLE };

struct stix_type;                                           /* a row of the table */
const struct stix_type *stix_type_find(struct slice name);  /* NULL: not a STIX 2.1 type (perhaps a custom one) */
enum stix_class stix_type_class(const struct stix_type *t); /* NULL: STIX_CUSTOM */
struct slice stix_type_name(const struct stix_type *t);
bool stix_type_has(const struct stix_type *t, struct slice property); /* a top-level property of the standard */

/* ---- identifiers (section 2.9) ---- */

struct stix_id {
    struct slice type, uuid; /* uuid: 36 characters */
    int version;             /* of the UUID, 1 to 8; 0: one that RFC 9562 does not know (10 of 6,281 real ids) */
};
bool stix_id_parse(struct slice text, struct stix_id *out);
/* The deterministic id of an SCO (section 2.9, UUIDv5 over its id contributing properties); false when the type has
   none or none of them is there. out: "type--uuid", in the arena. */
bool stix_id_deterministic(struct arena *a, struct json object, struct slice *id_out);

/* ---- objects (object.c, validate.c) ---- */

struct stix_object { /* what everybody asks of an object, found once */
    struct json json;
    struct slice type, id;
    const struct stix_type *kind; /* NULL: custom */
    bool is_stix20;               /* no spec_version and a 2.0 shape: reported by validate */
    bool revoked, has_modified;
    int64_t created_us, modified_us; /* version: modified, else created, else 0 (an SCO without either) */
};

enum { STIX_PROBLEMS_MAX = 16 };
enum stix_severity { STIX_ERROR, STIX_WARNING };
struct stix_problem {
    enum stix_severity severity;
    struct err err;    /* code, JSON Pointer below the object, a sentence that a producer can act on */
    struct slice rule; /* the code of a profile's rule (ERR_PROFILE, ERR_HELD_PROFILE); else empty */
};
struct stix_report {
    struct stix_problem problems[STIX_PROBLEMS_MAX];
    uint32_t n, errors, warnings; /* n: kept; errors and warnings count all */
};

/* Modes. Strict refuses whatever breaks a MUST. Standard does the same but for what real producers do by the thousand
   (2.7 % of real objects): an empty string, list or null in an optional property is told as a warning. Lenient tells as
   warnings also what consumers can live with (created without milliseconds, modified before created, names of
   properties, URLs and domain names out of shape, selectors that name nothing): a hub is lenient at the door and
   byte-true inside. Always only a warning: the standard's SHOULDs, custom objects and properties, open vocabularies,
   non-standard hash names, an SCO id that is not the deterministic one. Never an error: a dangling reference (6 % of
   real ones), an unknown property, an unknown type with the common properties. Always an error: what makes an object
   unusable or ambiguous. */
enum stix_mode {
    STIX_LENIENT,
    STIX_STANDARD,
    STIX_STRICT,
    STIX_ERRORS_ONLY = 4 /* with one of the above: warnings are counted and not kept */
};

/* Reads what everybody asks. -1: not an object with a type and an id. */
int stix_object_read(struct arena *a, struct json value, struct stix_object *out, struct err *err);
/* Full check against the type's rows: required properties, kinds, ids and the types they may name, timestamps and their
   order, closed lists, hash lengths, patterns (pattern_type stix), extensions, granular markings, type rules of
   sections 4 to 7. Returns report->errors. */
uint32_t stix_validate(struct arena *a, const struct stix_object *o, enum stix_mode mode, struct stix_report *report);

/* ---- profiles (profile.c): what a community asks for beyond the standard, as data (profiles/ names the keys) ----

   Per type and property: required, optional, prohibited or strip (left out of releases); vocabularies, ranges, forms; a
   privacy class; the code of the rule, and whether breaking it refuses, holds or only warns. */
struct stix_profile;
enum { STIX_PROFILE_MAX = 256 * 1024, STIX_RULE_MAX = 64 }; /* bytes of a profile; of a rule's code */
struct stix_strip {
    struct slice property, rule, privacy; /* privacy: the rule's class, A to D */
};
/* All of it is copied into `a`. ERR_CONF_SYNTAX, ERR_CONF_VALUE with `name` (and line and column where known) as place,
   ERR_LIMIT_BYTES. */
int stix_profile_parse(struct arena *a, const char *name, struct slice text, const struct stix_profile **out,
                       struct err *err);
struct slice stix_profile_name(const struct stix_profile *p);
struct slice stix_profile_about(const struct stix_profile *p);
/* Adds what the profile finds to a report that stix_validate has filled: errors are ERR_PROFILE, or ERR_HELD_PROFILE
   where the rule holds. Returns how many errors it added. Strips: top-level properties that a release leaves out. */
uint32_t stix_profile_check(struct arena *a, const struct stix_profile *p, const struct stix_object *o,
                            struct stix_report *report, const struct stix_strip **strips_out, size_t *n_strips_out);
/* The profiles that come with Tocsin, compiled in: their text by name. False: no such profile. */
bool stix_profile_builtin(struct slice name, struct slice *text_out);
struct slice stix_profile_builtin_name(size_t i); /* {NULL, 0} behind the last */

/* References (section 2.9: identifiers under names ending in _ref and _refs, at any depth, also inside extensions):
   every one in document order. The object's own "id" is none; an object that refers to itself does. */
typedef int stix_ref_fn(void *arg, struct json value, struct slice key, struct slice id);
int stix_each_reference(struct arena *a, const struct stix_object *o, stix_ref_fn *fn,
                        void *arg); /* stops on nonzero and returns it */

/* A bundle ({"type":"bundle","objects":[...]}) or a TAXII envelope ({"objects":[...]}) or one object: calls nothing,
   gives the array. An absent objects member is an empty array (JSON_ABSENT in objects_out). With
   *is_single_out set it is the object itself. stix_validate on a bundle checks the bundle alone, not what it holds. */
int stix_container(struct json root, struct json *objects_out, bool *is_single_out, struct err *err);

/* ---- what one object says about parts of another (selector.c) ---- */

/* What a selector names (section 7.2.3.1: names and [n], parted by dots, from the top of the object); JSON_ABSENT:
   nothing. Walks lists from their start. */
struct json stix_select(struct json object, struct slice selector);
/* Section 7.1: every translated property is one that the object has, in its shape, lists of the same length. `content`:
   a language-content, `object`: what its object_ref names, in the version that it was made for (the caller sees to
   that). -1 with ERR_STIX_REFERENCE at the place in the language-content. */
/* Is this the version that the translation was made for (object_modified, where it says so)? false also where either is
   absent. */
bool stix_translates(struct json content, struct json object);
int stix_language_check(struct arena *a, struct json content, struct json object, struct err *err);

/* ---- STIX 2.0 (upgrade*.c): the same in 2.1 ---- */

struct stix_upgraded_part {
    struct json json;   /* a 2.1 object, in bytes of its own */
    struct slice place; /* where it stood in the 2.0 object: "" for the object itself, "/objects/0" below it */
    struct slice body;  /* its bytes */
};
struct stix_upgraded {
    struct stix_upgraded_part *parts; /* [0] is the object; then the SCOs that its objects (observed-data) became */
    uint32_t n;
};
enum {
    STIX_UPGRADE_OBJECTS_MAX = 1000,   /* in one observed-data: ERR_LIMIT_MEMBERS */
    STIX_UPGRADE_MARKINGS_MAX = 64,    /* on one observed-data: ERR_LIMIT_MEMBERS */
    STIX_UPGRADE_SELECTORS_MAX = 1000, /* of granular markings in one object: ERR_LIMIT_MEMBERS */
    STIX_UPGRADE_REFS_MAX = 10000,     /* between the objects of one observed-data: ERR_LIMIT_VALUES */
    STIX_UPGRADE_DEPTH_MAX = 64        /* ids made of ids made of ids: ERR_LIMIT_DEPTH */
};
/* One object with is_stix20. The same bytes give the same result, ids too. What 2.1 does not speak of comes out byte
   for byte. Labels that 2.1 knows as types move (indicator_types, malware_types, report_types, threat_actor_types,
   tool_types; an identity's all, to roles), others stay labels; malware is a family; patterns are written by the 2.1
   grammar; objects become SCOs with deterministic ids (section 2.9), or where there is none, ids made of the
   dictionary's bytes in the shape of UUIDv4, under every marking of the observed-data; properties without a successor
   go on as x_stix20_NAME. Granular markings follow what they select; those that select in `objects` mark the whole SCO.
   Errors, with the place in the 2.0 object: objects that name no other of them, or are none (ERR_STIX_REFERENCE,
   ERR_STIX_VALUE, ERR_STIX_REQUIRED), a marking that cannot be read (ERR_STIX_ID), the limits above. What else is wrong
   with it stays as it is: the parts are to be validated. */
int stix_upgrade(struct arena *a, const struct stix_object *o, struct stix_upgraded *out, struct err *err);

/* ---- and back (downgrade.c), for readers of STIX 2.0 alone ---- */

/* The id that stands for a marking's in 2.0; {NULL,0}: the same. *beside_out: it says less, so that both are written.
 */
typedef struct slice stix_marking_fn(struct slice id, bool *beside_out);
/* One object as STIX 2.0 has it; in `a`. Id, created, modified and revoked stay, as does what is not named here, byte
   for byte; one of 2.0 stays as it is. Left out of it: spec_version, confidence, lang, extensions, and what 2.1 added
   to its type. Types move back in front of labels, "unknown" where 2.0 asks for one and 2.1 has none; patterns go by
   the 2.0 grammar; references to what 2.0 has not are left out of lists; markings by `marking` (NULL: as they are).
   Granular markings follow what they select, on the whole list where its places are others.
   -1 with ERR_STIX_VERSION and the place: 2.0 has no such object: SCOs and the other types that came with 2.1,
   observed-data, what names one of them where it must name something, a malware without a name, a marking that is an
   extension, an indicator in another language or with EXISTS, a custom object without versions. */
int stix_downgrade(struct arena *a, const struct stix_object *o, stix_marking_fn *marking, struct slice *out,
                   struct err *err);

/* RFC 8785 canonical JSON (canon.c): what deterministic ids are made of, and what can be compared byte by byte. */
void stix_canon(struct arena *a, struct buf *out, struct json v);
/* What has no canonical form: -1 with ERR_JSON_SYNTAX at the first number that no double holds (1e400; RFC 8785 section
   3.2.2.3). stix_canon writes 0 for such a one. */
int stix_canon_check(struct arena *a, struct json v, struct err *err);

/* ---- observable values (value.c): the normal form in which values are compared, and its rejects ---- */

enum stix_value_kind {
    STIX_VALUE_NONE,
    STIX_VALUE_IPV4, /* "198.51.100.7"; a /32 is dropped; other prefixes: STIX_VALUE_IPV4_NET */
    STIX_VALUE_IPV4_NET,
    STIX_VALUE_IPV6, /* RFC 5952; ::ffff:a.b.c.d becomes IPv4 */
    STIX_VALUE_IPV6_NET,
    STIX_VALUE_DOMAIN, /* lower case, A-labels (libidn2, UTS 46 non-transitional), no trailing dot */
    STIX_VALUE_URL,
    STIX_VALUE_EMAIL,
    STIX_VALUE_MD5, /* lower hex; the length decides */
    STIX_VALUE_SHA1,
    STIX_VALUE_SHA256,
    STIX_VALUE_SHA512,
    STIX_VALUE_OTHER, /* any other path: bytes as they are */
    STIX_VALUE_KINDS
};
struct slice stix_value_kind_name(enum stix_value_kind kind); /* "ipv4-addr", "domain-name", "sha-256", ... */
/* Normal form of `text` as `kind` (for a kind of a family the more special one may come out: IPV4 for a mapped IPv6).
   Defanged forms (hxxp, [.], (.), [at]) are understood when `defanged`. -1 with ERR_STIX_VALUE: not such a value (octal
   010.x is refused). */
int stix_value_normal(struct arena *a, enum stix_value_kind kind, struct slice text, bool defanged,
                      enum stix_value_kind *kind_out, struct slice *normal_out, struct err *err);
/* The name of a hash as STIX 2.1 spells it (section 10.8), whatever the producer writes: "SHA-256" for sha256, Sha_256;
   empty: not known. For matching only: names in objects stay as they are. */
struct slice stix_hash_name(struct slice name);
enum stix_value_kind stix_value_guess(struct slice text);          /* for plain lists: what it looks like */
bool stix_ipv4_parse(struct slice text, uint32_t *host_order_out); /* dotted quad, no leading zeros */
/* RFC 6890 and friends: private, loopback, link-local, CGNAT, documentation, multicast, reserved, benchmarking. */
bool stix_ipv4_is_global(uint32_t host_order);

/* ---- patterns (pattern.c; section 9): the whole grammar to a tree ---- */

enum stix_node_kind {
    STIX_OBS_AND,
    STIX_OBS_OR,
    STIX_OBS_FOLLOWEDBY, /* between observation expressions */
    STIX_OBS,            /* [ ... ]: left is the comparison expression */
    STIX_QUALIFIED,      /* left is the observation expression; qualifier in `op` */
    STIX_CMP_AND,
    STIX_CMP_OR,
    STIX_CMP,    /* path op constant */
    STIX_EXISTS, /* EXISTS path */
};
enum stix_op {
    STIX_EQ,
    STIX_NE,
    STIX_GT,
    STIX_LT,
    STIX_GE,
    STIX_LE,
    STIX_IN,
    STIX_LIKE,
    STIX_MATCHES,
    STIX_ISSUBSET,
    STIX_ISSUPERSET,
    STIX_WITHIN,
    STIX_REPEATS,
    STIX_START_STOP
};
enum stix_const_kind { STIX_STRING, STIX_INT, STIX_FLOAT, STIX_BOOL, STIX_HEX, STIX_BINARY, STIX_TIMESTAMP };
struct stix_const {
    enum stix_const_kind kind;
    struct slice text; /* string, hex and binary decoded; numbers as written */
    int64_t number;    /* int, bool, timestamp (us) */
    double real;
    struct stix_const *next; /* in a set */
};
struct stix_step {                                                /* one step of an object path behind the type */
    struct slice name;                                            /* unquoted, unescaped */
    enum { STIX_STEP_NAME, STIX_STEP_INDEX, STIX_STEP_ANY } kind; /* .name, [3], [*] */
    int64_t index;
    struct stix_step *next;
};
struct stix_node {
    enum stix_node_kind kind;
    enum stix_op op;
    bool negated;
    struct stix_node *left, *right;
    struct slice type; /* of the object path */
    struct stix_step *path;
    struct stix_const *constant; /* first of the set for IN */
    int64_t start_us, stop_us;   /* START ... STOP */
    double within_s;
    int64_t repeats;
    uint32_t offset; /* in the text, for error places */
};
struct stix_pattern {
    struct slice text;
    const struct stix_node *root;
    uint32_t comparisons, observations, depth; /* depth: of the tree */
};
/* The tree lives in `a` and points into `text`: keep both. A chain of one operator comes out as a balanced tree, its
   operands in order from left to right, so that recursion over it stays shallow. At most 64 levels deep, 64 KiB long,
   4,096 comparisons: ERR_PATTERN_LIMIT. */
int stix_pattern_parse(struct arena *a, struct slice text, const struct stix_pattern **pattern_out, struct err *err);

/* The exact values a pattern asks for when it is no more than one OR list of equalities on known paths, whichever way
   producers write it (a guard like network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '...'
   is one value; IN is a list; hashes under all spellings; '=' with a prefix and ISSUBSET are the network). An
   alternative that is no value of its kind is never seen and left out. Returns the number, 0 when the pattern asks for
   more than that (the caller keeps it unmatched: ERR_PATTERN_UNSUPPORTED). */
struct stix_term {
    enum stix_value_kind kind;
    struct slice value; /* normal form; of OTHER the bytes as they are, which mean little without their path */
    const struct stix_node *from; /* the comparison that names it: its path tells what a STIX_VALUE_OTHER is */
};
uint32_t stix_pattern_terms(struct arena *a, const struct stix_pattern *p, struct stix_term **terms_out);

/* ---- Tocsin's own extension of sightings (STIX 2.1 section 7.3): what its reporter lets go beyond its own hub ----
   "extensions": {STIX_TOCSIN_SIGHTING: {"extension_type": "property-extension", "onward": "none" or "aggregate"}} */
#define STIX_TOCSIN_SIGHTING "extension-definition--7c5f9e5e-3b1c-4b62-9d55-1f0c7d1a4f02"
/* The same of indicators: "how_known": "open-source", a copy of what everybody can read. */
#define STIX_TOCSIN_INDICATOR "extension-definition--5d0a4f6a-6f5c-4f3e-8a57-2e9d1c7b3a11"

#endif

/* stix/types.h: the rows behind stix_type: what STIX 2.1 says about each type, as data. Private to stix/.

   A shape is a list of properties (an object's, or of an object within one); a type is a shape with a name. What does
   not fit a row is a named rule (rules.c), pointed to by the shape. */
#ifndef STIX_TYPES_H
#define STIX_TYPES_H

#include "stix/stix.h"

enum type_at { /* order of the table; a reference's allowed types are bits of it */
               TYPE_ATTACK_PATTERN,
               TYPE_CAMPAIGN,
               TYPE_COURSE_OF_ACTION,
               TYPE_GROUPING,
               TYPE_IDENTITY,
               TYPE_INCIDENT,
               TYPE_INDICATOR,
               TYPE_INFRASTRUCTURE,
               TYPE_INTRUSION_SET,
               TYPE_LOCATION,
               TYPE_MALWARE,
               TYPE_MALWARE_ANALYSIS,
               TYPE_NOTE,
               TYPE_OBSERVED_DATA,
               TYPE_OPINION,
               TYPE_REPORT,
               TYPE_THREAT_ACTOR,
               TYPE_TOOL,
               TYPE_VULNERABILITY,
               TYPE_RELATIONSHIP,
               TYPE_SIGHTING,
               TYPE_ARTIFACT,
               TYPE_AUTONOMOUS_SYSTEM,
               TYPE_DIRECTORY,
               TYPE_DOMAIN_NAME,
               TYPE_EMAIL_ADDR,
               TYPE_EMAIL_MESSAGE,
               TYPE_FILE,
               TYPE_IPV4_ADDR,
               TYPE_IPV6_ADDR,
               TYPE_MAC_ADDR,
               TYPE_MUTEX,
               TYPE_NETWORK_TRAFFIC,
               TYPE_PROCESS,
               TYPE_SOFTWARE,
               TYPE_URL,
               TYPE_USER_ACCOUNT,
               TYPE_WINDOWS_REGISTRY_KEY,
               TYPE_X509_CERTIFICATE,
               TYPE_LANGUAGE_CONTENT,
               TYPE_MARKING_DEFINITION,
               TYPE_EXTENSION_DEFINITION,
               TYPE_BUNDLE,
               TYPE_COUNT
};

#define TYPE_BIT(name)   (UINT64_C(1) << TYPE_##name)
#define TYPE_CUSTOM_BIT  (UINT64_C(1) << 63)
#define TYPE_SDO_BITS    (TYPE_BIT(RELATIONSHIP) - 1)
#define TYPE_SRO_BITS    (TYPE_BIT(RELATIONSHIP) | TYPE_BIT(SIGHTING))
#define TYPE_SCO_BITS    ((TYPE_BIT(LANGUAGE_CONTENT) - 1) & ~(TYPE_SDO_BITS | TYPE_SRO_BITS))
#define TYPE_OBJECT_BITS (~TYPE_BIT(BUNDLE)) /* whatever may stand in a bundle */

enum prop_kind {
    PROP_ANY,
    PROP_TEXT,
    PROP_BOOL,
    PROP_INT,     /* within min and max, where the row has them */
    PROP_NUMBER,  /* the same */
    PROP_TIME,    /* section 2.? timestamp */
    PROP_TIME_MS, /* created, modified: with milliseconds at least */
    PROP_REF,     /* identifier of one of `types` */
    PROP_CLOSED,  /* one of `words` (an enumeration) */
    PROP_OPEN,    /* one of `words`, or another (an open vocabulary) */
    PROP_HASHES,  /* dictionary of hashes */
    PROP_DICT,    /* dictionary */
    PROP_SHAPE,   /* an object of `shape` */
    PROP_EXTENSIONS,
    PROP_BINARY, /* base64 */
    PROP_HEX,
    PROP_LANGUAGE,  /* RFC 5646 */
    PROP_LINK,      /* a URL as context, not as an observable */
    PROP_MEDIA,     /* a media type of the IANA registry */
    PROP_CHARSET,   /* a character set of the IANA registry */
    PROP_CPE,       /* CPE 2.3 */
    PROP_SELECTOR,  /* of a granular marking */
    PROP_TYPE_ID,   /* type and id, which stix_object_read has looked at */
    PROP_VERSION,   /* spec_version */
    PROP_CONTAINER, /* objects: observed-data's deprecated dictionary, a bundle's list */
    PROP_VALUE,     /* an observable value in its own syntax; `value` says which */
};

enum { PROP_REQUIRED = 1, PROP_LIST = 2 };

struct check;
typedef void rule_fn(struct check *c, struct json object);

struct words {
    const struct slice *items;
    size_t n;
};

struct prop {
    struct slice name;
    enum prop_kind kind;
    unsigned flags;
    const struct words *words;
    const struct shape *shape;
    uint64_t types;
    double min, max;
    enum stix_value_kind value;
};

struct shape {
    const struct prop *props;
    size_t n;
    const struct shape *common;            /* more of them; NULL: none */
    const struct shape *const *extensions; /* predefined ones of this type, NULL at the end; NULL: none */
    struct slice name;                     /* of a predefined extension, or for sentences */
    bool at_least_one;                     /* of its own properties must be there */
    rule_fn *rule;                         /* NULL: the rows say all */
};

struct stix_type {
    struct slice name;
    enum stix_class class;
    const char *section; /* of STIX 2.1 */
    const struct shape *shape;
    const struct slice *id_from; /* id contributing properties (section 2.9), ended by an empty slice; NULL: none */
};

enum type_at type_index(const struct stix_type *t);
bool type_is_in_stix20(const struct stix_type *t);
bool words_have(const struct words *w, struct slice word);

extern const struct shape shape_common;     /* section 3.2: SDO, SRO and meta objects */
extern const struct shape shape_common_sco; /* the same for SCOs */
extern const struct shape shape_kill_chain_phase, shape_external_reference;

#endif

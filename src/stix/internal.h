/* stix/internal.h: what the files of validation share. Private to stix/. */
#ifndef STIX_INTERNAL_H
#define STIX_INTERNAL_H

#include "stix/types.h"

/* How bad a finding is: HARD refuses in every mode; SOFT (the standard's MUST, with which consumers can live) not when
 * lenient; HABIT (the same, but real producers do it by the thousand) only when strict; NOTE (a SHOULD) only warns. */
enum weight { HARD, SOFT, HABIT, NOTE };

struct check {
    struct arena *arena;
    const struct stix_object *object;
    enum stix_mode mode;
    bool errors_only;
    struct stix_report *report;
    bool in_container;  /* below observed-data.objects: references are keys of that dictionary */
    uint32_t selectors; /* how many were looked up */
    bool has_top_level; /* an extension allows properties of its own at the top level */
    struct slice rule;  /* of a profile, while one speaks */
};

/* One finding. `at` is the value (its pointer below the object becomes the place), `name` a member of it that is
 * missing. */
void check_report(struct check *c, enum weight weight, enum err_code code, struct json at, const char *name,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Walks one object against a shape and then asks the shape's rule. */
void check_shape(struct check *c, struct json object, const struct shape *shape);
/* One value against the kind of its property (kinds.c). */
void check_value(struct check *c, struct json v, const struct prop *prop);
void check_custom(struct check *c, struct json v, struct slice key);
void check_extensions(struct check *c, struct json v, const struct shape *of);
void check_container(struct check *c, struct json v);

bool kind_is_language(struct slice s); /* well-formed by RFC 5646 section 2.1, of a registered language */
bool kind_is_hash(struct slice name, struct slice value); /* true for names that it does not know */
bool kind_is_property_name(struct slice s);               /* section 3.1 */

/* registries.c */
bool language_is_registered(struct slice subtag);
bool charset_is_registered(struct slice name);
bool media_type_is_registered(struct slice text);
bool cpe_is_formatted(struct slice text);
bool kind_is_type_name(struct slice s); /* section 3.1 */

void stix_canon_string(struct buf *out, struct slice s);

#endif

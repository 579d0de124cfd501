/* stix/value.h: the parts of value.c, one file a family. Private to stix/. All give a normal form in the arena, or
 * false. */
#ifndef STIX_VALUE_H
#define STIX_VALUE_H

#include "stix/stix.h"

enum { VALUE_MAX = 8192 }; /* bytes of one value; longer than any URL that a browser keeps */

/* ip.c: an address, or a prefix with its host bits cleared. */
bool value_ipv4(struct arena *a, struct slice text, enum stix_value_kind *kind_out, struct slice *normal_out);
bool value_ipv6(struct arena *a, struct slice text, enum stix_value_kind *kind_out, struct slice *normal_out);

/* name.c */
bool value_domain(struct arena *a, struct slice text, struct slice *normal_out);
bool value_email(struct arena *a, struct slice text, struct slice *normal_out);

/* url.c */
bool value_url(struct arena *a, struct slice text, struct slice *normal_out);

/* defang.c: hxxp, [.], (.), [at] and their kin undone; the same slice when there is none of them. */
struct slice value_refang(struct arena *a, struct slice text);

#endif

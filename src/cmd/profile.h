/* cmd/profile.h: a profile as an operator names it: one that is compiled in, a file, or one installed beside the
 * program. */
#ifndef CMD_PROFILE_H
#define CMD_PROFILE_H

#include "stix/stix.h"

struct profile_found {
    const struct stix_profile *profile;
    struct slice name, text;
    bool is_builtin;
};
/* "open", "./mine.yaml", or "mine" for PREFIX/share/tocsin/profiles/mine.yaml. All of it lives in `a`. */
int profile_find(struct arena *a, struct slice wanted, struct profile_found *out, struct err *err);

#endif

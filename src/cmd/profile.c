#include "cmd/profile.h"

#include <limits.h>
#include <unistd.h>

#include "base/file.h"

static bool is_path(struct slice wanted)
{
    return memchr(wanted.ptr, '/', wanted.len) != NULL || slice_ends(wanted, SLICE(".yaml")) ||
           slice_ends(wanted, SLICE(".yml"));
}

/* PREFIX/bin/tocsin has its profiles in PREFIX/share/tocsin/profiles. */
static struct slice installed_path(struct arena *a, struct slice wanted)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    struct slice dir = slice_n(self, n > 0 ? (size_t)n : 0);

    for (int up = 0; up < 2; up++) {
        while (dir.len != 0 && dir.ptr[dir.len - 1] != '/')
            dir.len--;
        dir.len -= dir.len != 0;
    }
    return arena_printf(a, SLICE_FMT "/share/tocsin/profiles/" SLICE_FMT ".yaml", SLICE_ARG(dir), SLICE_ARG(wanted));
}

int profile_find(struct arena *a, struct slice wanted, struct profile_found *out, struct err *err)
{
    struct slice path = wanted;

    out->is_builtin = !is_path(wanted) && stix_profile_builtin(wanted, &out->text);
    if (!out->is_builtin) {
        path = is_path(wanted) ? arena_copy(a, wanted) : installed_path(a, wanted);
        if (!is_path(wanted) && !file_exists(path.ptr))
            return err_set(err, ERR_USAGE, "--profile",
                           "no profile \"" SLICE_FMT "\": open, ais-2.0-observed, ctis, or a file with a / or .yaml",
                           SLICE_ARG(slice_to(wanted, 60)));
        if (file_read(a, path.ptr, STIX_PROFILE_MAX, &out->text, err) != 0)
            return -1;
    }
    if (stix_profile_parse(a, arena_copy(a, path).ptr, out->text, &out->profile, err) != 0)
        return -1;
    out->name = stix_profile_name(out->profile);
    return 0;
}

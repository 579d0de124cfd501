/* Real STIX, where TOCSIN_SHARED has it: every object of every file. */
#ifndef TESTS_STIX_REAL_H
#define TESTS_STIX_REAL_H

#include "test.h"

#include <ftw.h>
#include <stdlib.h>

#include "base/file.h"
#include "stix/stix.h"

typedef void real_object_fn(struct arena *a, const char *path, struct json object);

static real_object_fn *real_fn;

static int real_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    struct arena a = ARENA_INIT;
    struct slice name = slice_of(path), text;
    struct json root, objects;
    bool single;

    if (type != FTW_F || !(slice_ends(name, SLICE(".json")) || slice_ends(name, SLICE(".stix2"))))
        return 0;
    assert_int_equal(file_read(&a, path, 256 << 20, &text, NULL), 0);
    if (json_parse(&a, text, NULL, &root, NULL) == 0 && stix_container(root, &objects, &single, NULL) == 0) {
        if (single)
            real_fn(&a, path, root);
        else
            json_each (v, objects)
                real_fn(&a, path, v);
    }
    arena_free(&a);
    return 0;
}

/* false: the data is not there. */
static bool real_each(real_object_fn *fn)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;

    real_fn = fn;
    bool there = shared != NULL && nftw(file_join(&a, shared, "data/stix").ptr, real_file, 16, FTW_PHYS) == 0;
    arena_free(&a);
    return there;
}

#endif

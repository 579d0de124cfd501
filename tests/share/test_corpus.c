#include "release_test.h"

#include <ftw.h>

/* Real objects of many producers: each is released, and the release is as valid as what was submitted. */

static const char *files[2000];
static size_t n_files;
static struct arena names = ARENA_INIT;

static int file_add(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    if (kind == FTW_F && slice_ends(slice_of(path), SLICE(".json")) && n_files < ROWS(files))
        files[n_files++] = arena_copy(&names, slice_of(path)).ptr;
    return 0;
}

static struct {
    uint32_t objects, marked, unmarked, held;
} seen;

static uint32_t errors_of(struct arena *a, const struct stix_object *o)
{
    struct stix_report report = {0};

    return stix_validate(a, o, STIX_LENIENT, &report);
}

/* As the committer does, at an instant behind all others. */
static void write_instants(struct share_release *r)
{
    size_t places[] = {r->created_at, r->modified_at, r->valid_until_at};
    int64_t instants[] = {INT64_C(253360000000000000), INT64_C(253360000000000000), INT64_C(253370764800000000)};

    for (size_t i = 0; i < ROWS(places); i++)
        if (places[i] != SIZE_MAX)
            time_put((char *)(uintptr_t)r->body.ptr + places[i], instants[i]);
}

static void check_facts(struct arena *a, const struct stix_object *o, const struct share_context *context)
{
    struct share_facts f;
    struct err err = ERR_INIT;
    bool defaulted;

    if (share_facts_read(a, o, context, &f, &defaulted, &err) != 0) {
        assert_int_equal(err.code, ERR_HELD_MARKING);
        seen.held++;
    } else {
        assert_true(f.tlp != 0 && f.tlp < 32);
        seen.marked += !defaulted;
        seen.unmarked += defaulted;
    }
}

static void check_release(struct arena *a, const char *path, const struct stix_object *o)
{
    static const struct slice word = SLICE_INIT("qzxkvwj");
    struct share_release_ask ask = {
        .object = o, .cover_id = SLICE_INIT(COVER), .default_valid_for_us = 1, .secrets = {&word, 1}};
    struct share_release r;
    struct stix_object released;
    struct json root;
    struct err err = ERR_INIT;

    if (test_release(a, &ask, &r, &err) != 0 || r.withheld != 0)
        fail_msg("%s: %.*s: %s at %s, %u withheld", path, SLICE_ARG(o->id), err.text, err.place, r.withheld);
    write_instants(&r);
    if (json_parse(a, r.body, &json_limits_default, &root, &err) != 0 ||
        stix_object_read(a, root, &released, &err) != 0)
        fail_msg("%s: %.*s: %s", path, SLICE_ARG(o->id), err.text);
    if (errors_of(a, &released) > errors_of(a, o))
        fail_msg("%s: %.*s became %.*s", path, SLICE_ARG(json_raw(o->json)), SLICE_ARG(r.body));
    for (size_t i = 0; i < ask.names->n; i++)
        if (slice_find(r.body, ask.names->items[i].id) != r.body.len)
            fail_msg("%s: %.*s is still in %.*s", path, SLICE_ARG(ask.names->items[i].id), SLICE_ARG(r.body));
}

static void check_file(const char *path)
{
    struct arena a = ARENA_INIT;
    struct slice text;
    struct json root, objects;
    struct stix_object o;
    struct err err = ERR_INIT;
    bool single;

    if (file_read(&a, path, 64 << 20, &text, &err) == 0 &&
        json_parse(&a, text, &json_limits_default, &root, &err) == 0 &&
        stix_container(root, &objects, &single, &err) == 0 && !single) {
        struct share_context context = {.has_default = true, .default_tlp = SHARE_GREEN, .objects = objects};
        context.definitions = share_definitions_read(&a, objects);
        json_each (v, objects) {
            if (stix_object_read(&a, v, &o, &err) != 0)
                continue;
            seen.objects++;
            check_facts(&a, &o, &context);
            check_release(&a, path, &o);
        }
    }
    arena_free(&a);
}

static void test_share_corpus__real_objects(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");

    if (shared == NULL || nftw(file_join(&names, shared, "data/stix").ptr, file_add, 16, FTW_PHYS) != 0 ||
        nftw(file_join(&names, shared, "vectors/ais").ptr, file_add, 16, FTW_PHYS) != 0) {
        leave_out("TOCSIN_SHARED names no STIX data");
    }
    for (size_t i = 0; i < n_files; i++)
        check_file(files[i]);
    print_message("# %u objects: %u marked, %u unmarked, %u held for a marking\n", seen.objects, seen.marked,
                  seen.unmarked, seen.held);
    assert_true(seen.objects > 1000 && seen.marked > 100 && seen.held > 10);
    arena_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_share_corpus__real_objects)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

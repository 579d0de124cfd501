#include "test.h"

#include <ftw.h>
#include <stdlib.h>

#include "base/file.h"
#include "stix/stix.h"

/* Real bundles, where they are at hand: each object is accepted, or refused with a code, a place and a sentence. */

static struct {
    uint32_t files, objects, accepted, warned, terms, patterns;
    uint32_t refused[ERR_COUNT], warnings[ERR_COUNT];
} seen;

static int count_reference(void *arg, struct json value, struct slice key, struct slice id)
{
    return 0;
}

static void refused_add(const char *path, const struct err *err)
{
    seen.refused[err->code]++;
    if (err->code == ERR_NONE || err->text[0] == '\0' || (err->place[0] != '\0' && err->place[0] != '/'))
        fail_msg("%s: refused without a reason: %s \"%s\" \"%s\"", path, err_name(err->code), err->place, err->text);
    if (getenv("TOCSIN_STIX_REAL_ALL") != NULL)
        print_message("# %s: %s %s: %s\n", path, err_name(err->code), err->place, err->text);
}

static void terms_add(struct arena *a, struct json v)
{
    const struct stix_pattern *p;
    struct stix_term *terms;

    if (stix_pattern_parse(a, json_string(a, json_get(v, SLICE("pattern"))), &p, NULL) == 0) {
        seen.patterns++;
        seen.terms += stix_pattern_terms(a, p, &terms) != 0;
    }
}

static void object_add(struct arena *a, const char *path, struct json v)
{
    struct stix_object o;
    struct err err = ERR_INIT;
    struct stix_report report;

    seen.objects++;
    if (stix_object_read(a, v, &o, &err) != 0) {
        refused_add(path, &err);
        return;
    }
    assert_int_equal(stix_each_reference(a, &o, count_reference, NULL), 0);
    uint32_t errors = stix_validate(a, &o, STIX_LENIENT, &report);
    seen.accepted += errors == 0;
    seen.warned += errors == 0 && report.warnings != 0;
    bool told = errors == 0;
    for (uint32_t i = 0; i < report.n; i++) {
        if (report.problems[i].severity == STIX_WARNING)
            seen.warnings[report.problems[i].err.code]++;
        if (report.problems[i].severity == STIX_ERROR && !told)
            refused_add(path, &report.problems[i].err);
        told = told || report.problems[i].severity == STIX_ERROR;
    }
    assert_true(told);
    if (slice_eq(o.type, SLICE("indicator")))
        terms_add(a, v);
}

static int file_add(const char *path, const struct stat *st, int type, struct FTW *where)
{
    struct arena a = ARENA_INIT;
    struct slice name = slice_of(path), text;
    struct json root, objects;
    bool single;
    struct err err = ERR_INIT;

    if (type != FTW_F || !(slice_ends(name, SLICE(".json")) || slice_ends(name, SLICE(".stix2"))))
        return 0;
    assert_int_equal(file_read(&a, path, 256 << 20, &text, &err), 0);
    seen.files++;
    if (json_parse(&a, text, &json_limits_default, &root, &err) != 0 ||
        stix_container(root, &objects, &single, &err) != 0) {
        seen.objects++;
        refused_add(path, &err);
    } else if (single) {
        object_add(&a, path, root);
    } else {
        json_each (v, objects) {
            object_add(&a, path, v);
        }
    }
    arena_free(&a);
    return 0;
}

static void test_stix_real__walk(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;

    if (shared == NULL || nftw(file_join(&a, shared, "data/stix").ptr, file_add, 16, FTW_PHYS) != 0) {
        arena_free(&a);
        leave_out("TOCSIN_SHARED names no STIX data");
    }
    print_message("# %u files, %u objects: %u accepted (%u with warnings); terms for %u of %u patterns\n", seen.files,
                  seen.objects, seen.accepted, seen.warned, seen.terms, seen.patterns);
    for (int code = 0; code < ERR_COUNT; code++)
        if (seen.refused[code] != 0 || seen.warnings[code] != 0)
            print_message("#   %-20s refused %u, warnings %u\n", err_name((enum err_code)code), seen.refused[code],
                          seen.warnings[code]);
    assert_true(seen.objects > 1000);
    assert_true(seen.accepted > seen.objects / 2);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_real__walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The walk against a server with one fault a row: nothing is lost, nothing comes twice, and it ends. */
#include "taxii/faulty.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "taxii/taxii.h"

#define BIT(fault) (1ull << FAULT_##fault)

struct reader {
    uint32_t got[FAULTY_OBJECTS];
    size_t n, strange, pauses;
    int64_t longest_us;
};

static int take(void *arg, const struct taxii_walk_page *page, struct err *err)
{
    struct reader *r = arg;

    (void)err;
    for (size_t i = 0; i < page->n; i++) {
        long at = faulty_number(json_text(json_get(page->objects[i], SLICE("id"))));
        r->n++;
        if (at < 0)
            r->strange++;
        else
            r->got[at]++;
    }
    return 0;
}

static bool no_pause(void *arg, int64_t us)
{
    struct reader *r = arg;

    r->pauses++;
    r->longest_us = us > r->longest_us ? us : r->longest_us;
    return true;
}

static int open_client(struct faulty *f, struct arena *a, const char *root, struct taxii_client **out, struct err *err)
{
    struct taxii_client_file file = {.url = faulty_url(f, a),
                                     .user = SLICE("user"),
                                     .password = SLICE("pass"),
                                     .root = slice_of(root),
                                     .collection = SLICE(FAULTY_COLLECTION)};
    struct taxii_client_conf conf;

    taxii_client_conf_from(&file, &conf);
    return taxii_client_open(&conf, out, err);
}

/* Every published object once; how many are missing, and how many came twice. */
static void count(const struct reader *r, size_t published, size_t *lost, size_t *twice)
{
    *lost = *twice = 0;
    for (size_t i = 0; i < published; i++) {
        *lost += r->got[i] == 0;
        *twice += r->got[i] > 1;
    }
}

/* Three runs with publications between them; before the third the state is saved and loaded into another walk. */
static void run_three(struct faulty *f, size_t i, struct taxii_client *c, struct reader *r)
{
    struct taxii_walk_conf conf = {.limit = 40, .pause = no_pause, .arg = r};
    struct taxii_walk *w = taxii_walk_new(c, &conf);
    struct err err = ERR_INIT;
    struct buf state = BUF_INIT;
    static const size_t more[] = {230, 57, 3};

    for (size_t k = 0; k < 3; k++) {
        faulty_publish(f, more[k]);
        if (k == 2) {
            taxii_walk_save(w, SLICE("faulty"), &state);
            taxii_walk_free(&w);
            w = taxii_walk_new(c, &conf);
            assert_int_equal(taxii_walk_load(w, buf_slice(&state), SLICE("faulty"), &err), 0);
        }
        if (taxii_walk_run(w, take, r, &err) != 0)
            fail_row(i, "run %zu: %s", k, err.text);
    }
    taxii_walk_free(&w);
    buf_free(&state);
}

static void test_taxii_client_walk__each_fault(void **state)
{
    static const struct {
        uint64_t faults, quirks; /* quirks: what the client must have noticed */
        const char *root;
        bool waits;
    } rows[] = {
#define QUIRK_BIT(name) (1ull << TAXII_QUIRK_##name)
        {0, 0, "", false},
        {BIT(NO_NEXT), QUIRK_BIT(next_missing), "", false},
        {BIT(NEXT_NUMBER), QUIRK_BIT(next_number), "", false},
        {BIT(NEXT_CONSUMED), 0, "", false},
        {BIT(NEXT_CONSUMED) | BIT(BREAKS), 0, "", true},
        {BIT(NEXT_LAST), QUIRK_BIT(next_last), "", false},
        {BIT(NEXT_SAME), QUIRK_BIT(next_repeated), "", false},
        {BIT(MORE_EMPTY), QUIRK_BIT(more_empty), "", false},
        {BIT(MORE_NOTHING), QUIRK_BIT(next_missing), "", false},
        {BIT(INCLUSIVE), 0, "", false},
        {BIT(INCLUSIVE) | BIT(NO_NEXT), QUIRK_BIT(next_missing), "", false},
        {BIT(AFTER_IGNORED), QUIRK_BIT(after_ignored), "", false},
        {BIT(NO_DATES), QUIRK_BIT(date_missing), "", false},
        {BIT(NO_DATES) | BIT(NO_MANIFEST), QUIRK_BIT(date_missing), "", false},
        {BIT(JS_DATES), QUIRK_BIT(date_form), "", false},
        {BIT(MS_DATES), QUIRK_BIT(date_precision), "", false},
        {BIT(MS_DATES) | BIT(NO_NEXT), QUIRK_BIT(date_precision), "", false},
        {BIT(UNDEFINED_DATES), QUIRK_BIT(date_form), "", false},
        {BIT(UNSORTED), QUIRK_BIT(unsorted), "", false},
        {BIT(SAME_DATE), 0, "", false},
        {BIT(CUT), QUIRK_BIT(page_cut), "", false},
        {BIT(MEDIA_JSON), QUIRK_BIT(media_type), "", false},
        {BIT(MEDIA_BLANK), 0, "", false},
        {BIT(ACCEPT_BLANK), QUIRK_BIT(accept), "", false},
        {BIT(ACCEPT_NONE), QUIRK_BIT(accept), "", false},
        {BIT(REDIRECT), QUIRK_BIT(redirect), "", false},
        {BIT(BUSY), 0, "", true},
        {BIT(BUSY_SILENT), QUIRK_BIT(busy_silent), "", true},
        {BIT(TOO_MANY), 0, "", true},
        {BIT(BREAKS), 0, "", true},
        {BIT(BUNDLE), QUIRK_BIT(bundle), "", false},
        {BIT(EMPTY_LIST), 0, "", false},
        {BIT(LIST), 0, "", false},
        {BIT(ROOT_RELATIVE), 0, "", false},
        {BIT(ROOT_ELSEWHERE), QUIRK_BIT(root_elsewhere), "", false},
        {BIT(NO_DEFAULT), QUIRK_BIT(no_root), "", false},
        {BIT(NO_DISCOVERY), 0, "api", false},
        {BIT(NO_SLASH), QUIRK_BIT(slash), "", false},
        {BIT(GZIP), 0, "", false},
        {BIT(LIMIT_REFUSED), QUIRK_BIT(limit_refused), "", false},
        {BIT(STIX_20), 0, "", false},
    };
    struct arena a = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct faulty f;
        struct taxii_client *c;
        struct err err = ERR_INIT;
        struct reader *r = mem_zero(1, sizeof *r);
        size_t lost, twice;
        faulty_start(&f, rows[i].faults);
        if (rows[i].waits) /* discovery has no second try */
            f.requests = 0;
        if (open_client(&f, &a, rows[i].root, &c, &err) != 0)
            fail_row(i, "%s", err.text);
        run_three(&f, i, c, r);
        count(r, f.n, &lost, &twice);
        if (lost != 0 || twice != 0 || r->strange != 0)
            fail_row(i, "%zu lost, %zu twice of %zu", lost, twice, f.n);
        if ((taxii_client_quirks(c) & rows[i].quirks) != rows[i].quirks)
            fail_row(i, "not noticed: %llx of %llx", (unsigned long long)taxii_client_quirks(c),
                     (unsigned long long)rows[i].quirks);
        if (rows[i].waits != (r->pauses != 0))
            fail_row(i, "%zu pauses", r->pauses);
        taxii_client_close(&c);
        faulty_stop(&f);
        free(r);
    }
    arena_free(&a);
}

/* What a server will not give cannot be had; it ends, and it is told. */
static void test_taxii_client_walk__what_is_out_of_reach(void **state)
{
    static const struct {
        uint64_t faults;
        size_t at_least; /* of 230 objects */
        bool fails, told;
    } rows[] = {
        {BIT(REPEATS), 40, false, true},                   /* nothing but its first page */
        {BIT(NO_NEXT) | BIT(NO_DATES), 40, true, false},   /* neither next nor dates */
        {BIT(NO_NEXT) | BIT(SAME_DATE), 100, false, true}, /* more of one date than a page holds */
        {BIT(NO_NEXT) | BIT(SAME_DATE) | BIT(INCLUSIVE), 100, false, true},
        {BIT(NO_NEXT) | BIT(JS_DATES), 100, false, true}, /* more of one second */
        {BIT(UNSORTED) | BIT(BREAKS), 80, true, false},   /* no position before its end, and never an end */
        {BIT(SHORT_MEMORY), 115, false, false},
    };
    struct arena a = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct faulty f;
        struct taxii_client *c;
        struct err err = ERR_INIT;
        struct reader *r = mem_zero(1, sizeof *r);
        struct taxii_walk_conf conf = {.limit = 40, .pause = no_pause, .arg = r};
        faulty_start(&f, rows[i].faults);
        faulty_publish(&f, 230);
        assert_int_equal(open_client(&f, &a, "", &c, &err), 0);
        struct taxii_walk *w = taxii_walk_new(c, &conf);
        int result = taxii_walk_run(w, take, r, &err);
        if ((result != 0) != rows[i].fails)
            fail_row(i, "result %d: %s", result, err.text);
        if (r->n < rows[i].at_least || r->n > 230)
            fail_row(i, "%zu objects", r->n);
        if ((taxii_walk_counts(w)->out_of_reach != 0) != rows[i].told)
            fail_row(i, "%llu dates stepped over", (unsigned long long)taxii_walk_counts(w)->out_of_reach);
        taxii_walk_free(&w);
        taxii_client_close(&c);
        faulty_stop(&f);
        free(r);
    }
    arena_free(&a);
}

/* After a date that was stepped over the walk goes on. */
static void test_taxii_client_walk__goes_on_behind_a_date(void **state)
{
    struct faulty f;
    struct taxii_client *c;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct reader *r = mem_zero(1, sizeof *r);
    struct taxii_walk_conf conf = {.limit = 40, .pause = no_pause, .arg = r};
    size_t lost, twice;

    (void)state;
    faulty_start(&f, BIT(NO_NEXT) | BIT(SAME_DATE));
    faulty_publish(&f, 120); /* more than its pages of 100 hold */
    faulty_publish(&f, 60);
    assert_int_equal(open_client(&f, &a, "", &c, &err), 0);
    struct taxii_walk *w = taxii_walk_new(c, &conf);
    assert_int_equal(taxii_walk_run(w, take, r, &err), 0);
    count(r, f.n, &lost, &twice);
    assert_int_equal(lost, 20);
    assert_int_equal(twice, 0);
    assert_int_equal(taxii_walk_counts(w)->out_of_reach, 1);
    taxii_walk_free(&w);
    taxii_client_close(&c);
    faulty_stop(&f);
    free(r);
    arena_free(&a);
}

/* A redirect to another host gets no request at all, and so no password. */
static void test_taxii_client_walk__never_to_another_host(void **state)
{
    struct faulty f, other;
    struct taxii_client *c = NULL;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;

    (void)state;
    faulty_start(&other, 0);
    faulty_start(&f, BIT(REDIRECT_AWAY));
    snprintf(f.elsewhere, sizeof f.elsewhere, "http://127.0.0.1:%u", other.port);
    assert_int_equal(open_client(&f, &a, "", &c, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_true(slice_find(slice_of(err.text), SLICE("another host")) < strlen(err.text));
    assert_int_equal(other.requests, 0);
    assert_true(f.signed_requests > 0);
    faulty_stop(&f);
    faulty_stop(&other);
    arena_free(&a);
}

static int stop_after_two(void *arg, const struct taxii_walk_page *page, struct err *err)
{
    struct reader *r = arg;

    if (r->n >= 80)
        return err_set(err, ERR_DISK_FULL, NULL, "no room");
    return take(r, page, err);
}

/* A page that its taker refused comes again. */
static void test_taxii_client_walk__a_page_not_taken_comes_again(void **state)
{
    struct faulty f;
    struct taxii_client *c;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct reader *r = mem_zero(1, sizeof *r);
    struct taxii_walk_conf conf = {.limit = 40, .pause = no_pause, .arg = r};
    size_t lost, twice;

    (void)state;
    faulty_start(&f, BIT(UNSORTED));
    faulty_publish(&f, 200);
    assert_int_equal(open_client(&f, &a, "", &c, &err), 0);
    struct taxii_walk *w = taxii_walk_new(c, &conf);
    assert_int_equal(taxii_walk_run(w, stop_after_two, r, &err), -1);
    assert_int_equal(err.code, ERR_DISK_FULL);
    assert_int_equal(taxii_walk_run(w, take, r, &err), 0);
    count(r, f.n, &lost, &twice);
    assert_int_equal(lost, 0);
    assert_int_equal(twice, 0);
    taxii_walk_free(&w);
    taxii_client_close(&c);
    faulty_stop(&f);
    free(r);
    arena_free(&a);
}

static void test_taxii_client_walk__limits(void **state)
{
    struct faulty f;
    struct taxii_client *c;
    struct err err = ERR_INIT;
    struct arena a = ARENA_INIT;
    struct reader *r = mem_zero(1, sizeof *r);
    const struct {
        struct taxii_walk_conf conf;
        enum err_code code;
    } rows[] = {
        {{.limit = 10, .max_pages = 3}, ERR_LIMIT_VALUES},
        {{.limit = 10, .max_bytes = 5000}, ERR_LIMIT_BYTES},
        {{.limit = 10, .max_us = 1}, ERR_TIMEOUT},
    };

    (void)state;
    faulty_start(&f, 0);
    faulty_publish(&f, 200);
    assert_int_equal(open_client(&f, &a, "", &c, &err), 0);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct taxii_walk *w = taxii_walk_new(c, &rows[i].conf);
        size_t lost, twice;
        *r = (struct reader){.n = 0};
        int failures = 0;
        while (taxii_walk_run(w, take, r, &err) != 0 && failures++ < 100 && rows[i].code != ERR_TIMEOUT)
            if (err.code != rows[i].code)
                fail_row(i, "%s", err.text);
        if (failures == 0)
            fail_row(i, "the limit did nothing");
        count(r, f.n, &lost, &twice);
        if (rows[i].code != ERR_TIMEOUT && (lost != 0 || twice != 0)) /* the next runs went on from there */
            fail_row(i, "%zu lost, %zu twice", lost, twice);
        taxii_walk_free(&w);
    }
    taxii_client_close(&c);
    faulty_stop(&f);
    free(r);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taxii_client_walk__each_fault),
        cmocka_unit_test(test_taxii_client_walk__what_is_out_of_reach),
        cmocka_unit_test(test_taxii_client_walk__goes_on_behind_a_date),
        cmocka_unit_test(test_taxii_client_walk__never_to_another_host),
        cmocka_unit_test(test_taxii_client_walk__a_page_not_taken_comes_again),
        cmocka_unit_test(test_taxii_client_walk__limits),
    };
    struct err err;
    return crypto_start(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

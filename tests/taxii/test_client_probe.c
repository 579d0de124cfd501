/* Looking at a server with one fault a row: the fault is named, and none that is not there. */
#include "taxii/faulty.h"

#include "base/crypto.h"
#include "taxii/taxii.h"

#define BIT(fault)   (1ull << FAULT_##fault)
#define QUIRK_(name) (1ull << TAXII_QUIRK_##name)

static bool no_pause(void *arg, int64_t us)
{
    (void)arg, (void)us;
    return true;
}

static int probe(struct faulty *f, struct arena *a, struct taxii_probe *out, struct err *err)
{
    struct taxii_client_file file = {.url = faulty_url(f, a), .user = SLICE("user"), .password = SLICE("pass")};
    struct taxii_client_conf conf;

    *err = (struct err)ERR_INIT;
    taxii_client_conf_from(&file, &conf);
    return taxii_probe(&conf, a, no_pause, NULL, out, err);
}

static void test_taxii_client_probe__names_each_fault(void **state)
{
    static const struct {
        uint64_t faults, quirks;
        int result;
    } rows[] = {
        {0, 0, 0},
        {BIT(NO_NEXT), QUIRK_(next_missing) | QUIRK_(manifest_next_missing), 0},
        {BIT(NEXT_NUMBER), QUIRK_(next_number), 0},
        {BIT(NEXT_CONSUMED), QUIRK_(next_consumed), 0},
        {BIT(NEXT_SAME), QUIRK_(next_repeated) | QUIRK_(repeats) | QUIRK_(more_empty), 0},
        {BIT(NEXT_LAST), QUIRK_(next_last), 0},
        {BIT(MORE_EMPTY), QUIRK_(more_empty), 0},
        {BIT(MORE_NOTHING), QUIRK_(more_empty) | QUIRK_(next_missing) | QUIRK_(manifest_next_missing), 0},
        {BIT(REPEATS), QUIRK_(repeats) | QUIRK_(more_empty), 0},
        {BIT(INCLUSIVE), QUIRK_(after_inclusive), 0},
        {BIT(AFTER_IGNORED), QUIRK_(after_ignored), 0},
        {BIT(NO_DATES), QUIRK_(date_missing), 0},
        {BIT(JS_DATES), QUIRK_(date_form), 0},
        {BIT(MS_DATES), QUIRK_(date_precision), 0},
        {BIT(UNDEFINED_DATES), QUIRK_(date_form), 0},
        {BIT(UNSORTED), QUIRK_(unsorted), 0},
        {BIT(CUT), QUIRK_(page_cut), 0},
        {BIT(MEDIA_JSON), QUIRK_(media_type), 0},
        {BIT(MEDIA_BLANK), 0, 0},
        {BIT(ACCEPT_BLANK), QUIRK_(accept), 0},
        {BIT(ACCEPT_NONE), QUIRK_(accept), 0},
        {BIT(REDIRECT), QUIRK_(redirect), 0},
        {BIT(REDIRECT_AWAY), QUIRK_(redirect), -1},
        {BIT(BUSY), 0, 0},
        {BIT(BUSY_SILENT), QUIRK_(busy_silent), 0},
        {BIT(BUNDLE), QUIRK_(bundle), 0},
        {BIT(EMPTY_LIST), QUIRK_(empty_list), 0},
        {BIT(ROOT_RELATIVE), 0, 0},
        {BIT(ROOT_ELSEWHERE), QUIRK_(root_elsewhere), 0},
        {BIT(NO_DEFAULT), QUIRK_(no_root), 0},
        {BIT(NO_DISCOVERY), QUIRK_(no_discovery), -1},
        {BIT(NO_SLASH), QUIRK_(slash), 0},
        {BIT(GZIP), 0, 0},
        {BIT(LIMIT_REFUSED), QUIRK_(limit_refused), 0},
        {BIT(NO_MANIFEST), QUIRK_(manifest_missing), 0},
        {BIT(MANIFEST_NO_NEXT), QUIRK_(manifest_next_missing), 0},
        {BIT(NO_VERSIONS), QUIRK_(versions_missing), 0},
        {BIT(ERROR_TEXT), QUIRK_(error_body), 0},
        {BIT(NO_CHALLENGE), QUIRK_(challenge_missing), 0},
        {BIT(NO_ID), QUIRK_(collection_id), 0},
        {BIT(STIX_20), QUIRK_(stix_version), 0},
    };
    struct arena a = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct faulty f;
        struct taxii_probe out;
        struct err err;
        faulty_start(&f, rows[i].faults);
        snprintf(f.elsewhere, sizeof f.elsewhere, "https://elsewhere.example");
        faulty_publish(&f, 230);
        int result = probe(&f, &a, &out, &err);
        if (result != rows[i].result)
            fail_row(i, "%d: %s", result, err.text);
        out.quirks &= ~QUIRK_(plain); /* it listens on loopback */
        for (int q = 0; q < TAXII_QUIRKS; q++)
            if ((out.quirks ^ rows[i].quirks) >> q & 1)
                fail_row(i, "%s %s", taxii_quirk_text(q)->name, out.quirks >> q & 1 ? "is not there" : "is not named");
        faulty_stop(&f);
    }
    arena_free(&a);
}

static void test_taxii_client_probe__nobody_there(void **state)
{
    struct faulty f;
    struct taxii_probe out;
    struct err err;
    struct arena a = ARENA_INIT;

    (void)state;
    faulty_start(&f, 0);
    uint16_t port = f.port;
    faulty_stop(&f);
    f.port = port;
    assert_int_equal(probe(&f, &a, &out, &err), -1);
    assert_int_equal(err.code, ERR_CONNECT);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taxii_client_probe__names_each_fault),
        cmocka_unit_test(test_taxii_client_probe__nobody_there),
    };
    struct err err;
    return crypto_start(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

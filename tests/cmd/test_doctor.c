#include "test.h"

#include "cmd/doctor.h"

/* Each product's own words for its fields, with what they must hold for this hub. */
static void test_cmd_doctor__products(void **state)
{
    static const struct {
        const char *product;
        const char *lines[4];
    } rows[] = {
        {"sentinel",
         {"API root URL           https://hub.example:6443/tocsin/\n", "Collection ID          5b1b1c1e-0000\n",
          "Username               bank\n", "--compat flatten"}},
        {"splunk", {"URL                    https://hub.example:6443/taxii2/\n", "API root               tocsin\n"}},
        {"qradar", {"TAXII Endpoint         https://hub.example:6443/taxii2/\n", "Version                2.1\n"}},
        {"xsoar",
         {"Discovery Service URL  https://hub.example:6443/taxii2/\n", "Fetch Indicators From   Alerts\n",
          "Default API Root       tocsin\n", "--compat tlp1"}},
        {"elastic",
         {"URL                    https://hub.example:6443/tocsin/collections/5b1b1c1e-0000/objects\n",
          "--compat empty-list"}},
        {"opencti", {"TAXII server URL       https://hub.example:6443/tocsin/\n", "TAXII version          2.1\n"}},
        {"misp", {"Baseurl                https://hub.example:6443\n", "API Root               tocsin\n"}},
        {"eclecticiq", {"Discovery URL          https://hub.example:6443/taxii2/\n"}},
    };
    const struct doctor_target target = {SLICE("https://hub.example:6443/"),
                                         SLICE("tocsin"),
                                         SLICE("5b1b1c1e-0000"),
                                         SLICE("Alerts"),
                                         SLICE("bank"),
                                         SLICE("")};

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out = BUF_INIT;
        assert_true(doctor_product_put(slice_of(rows[i].product), &target, &out));
        for (size_t k = 0; k < 4 && rows[i].lines[k] != NULL; k++)
            if (slice_find(buf_slice(&out), slice_of(rows[i].lines[k])) == out.len)
                fail_row(i, "\"%s\" is not in\n" SLICE_FMT, rows[i].lines[k], SLICE_ARG(buf_slice(&out)));
        if (slice_find(buf_slice(&out), SLICE("{")) < out.len)
            fail_row(i, "a word was not filled in: " SLICE_FMT, SLICE_ARG(buf_slice(&out)));
        buf_free(&out);
    }
    struct buf out = BUF_INIT;
    assert_false(doctor_product_put(SLICE("teapot"), &target, &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cmd_doctor__products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

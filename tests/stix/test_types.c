#include "test.h"

#include "stix/stix.h"

/* Every name of the standard is found, and nothing that only looks like one: the table's hash is perfect over these. */
static void test_stix_types__all(void **state)
{
    static const struct {
        const char *name;
        enum stix_class class;
    } rows[] = {
        {"attack-pattern", STIX_SDO},
        {"campaign", STIX_SDO},
        {"course-of-action", STIX_SDO},
        {"grouping", STIX_SDO},
        {"identity", STIX_SDO},
        {"incident", STIX_SDO},
        {"indicator", STIX_SDO},
        {"infrastructure", STIX_SDO},
        {"intrusion-set", STIX_SDO},
        {"location", STIX_SDO},
        {"malware", STIX_SDO},
        {"malware-analysis", STIX_SDO},
        {"note", STIX_SDO},
        {"observed-data", STIX_SDO},
        {"opinion", STIX_SDO},
        {"report", STIX_SDO},
        {"threat-actor", STIX_SDO},
        {"tool", STIX_SDO},
        {"vulnerability", STIX_SDO},
        {"relationship", STIX_SRO},
        {"sighting", STIX_SRO},
        {"artifact", STIX_SCO},
        {"autonomous-system", STIX_SCO},
        {"directory", STIX_SCO},
        {"domain-name", STIX_SCO},
        {"email-addr", STIX_SCO},
        {"email-message", STIX_SCO},
        {"file", STIX_SCO},
        {"ipv4-addr", STIX_SCO},
        {"ipv6-addr", STIX_SCO},
        {"mac-addr", STIX_SCO},
        {"mutex", STIX_SCO},
        {"network-traffic", STIX_SCO},
        {"process", STIX_SCO},
        {"software", STIX_SCO},
        {"url", STIX_SCO},
        {"user-account", STIX_SCO},
        {"windows-registry-key", STIX_SCO},
        {"x509-certificate", STIX_SCO},
        {"language-content", STIX_META},
        {"marking-definition", STIX_META},
        {"extension-definition", STIX_META},
        {"bundle", STIX_BUNDLE},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct stix_type *t = stix_type_find(slice_of(rows[i].name));
        if (t == NULL || stix_type_class(t) != rows[i].class || !slice_eq(stix_type_name(t), slice_of(rows[i].name)))
            fail_row(i, "%s", rows[i].name);
    }
}

static void test_stix_types__none(void **state)
{
    static const char *const names[] = {"",          "x",         "ur",       "urls",   "URL",
                                        "ipv5-addr", "indicatos", "x-custom", "bundlf", "file "};

    for (size_t i = 0; i < ROWS(names); i++)
        if (stix_type_find(slice_of(names[i])) != NULL)
            fail_row(i, "%s", names[i]);
    assert_int_equal(stix_type_class(NULL), STIX_CUSTOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_types__all),
        cmocka_unit_test(test_stix_types__none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

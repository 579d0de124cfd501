/* Receipts on the wire: what is written is read, whatever is out of shape is named. */
#include "test.h"

#include "taxii/internal.h"

#define SIGNATURE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define GOOD      "\"follower\":\"s-1\",\"event\":\"e_1\",\"sent\":\"2026-11-22T12:00:00Z\""

static void test_taxii_receipt__rows(void **state)
{
    static const struct {
        const char *text, *place; /* NULL: good */
    } rows[] = {
        {"{" GOOD ",\"signature\":\"" SIGNATURE "\"}", NULL},
        {"{" GOOD ",\"lease_us\":5,\"done\":2,\"of\":2,\"signature\":\"" SIGNATURE "\",\"more\":1}", NULL},
        {"[]", ""},
        {"{}", "/follower"},
        {"{\"follower\":\"a b\"}", "/follower"},
        {"{\"follower\":\"0123456789012345678901234567890123456\"}", "/follower"},
        {"{\"follower\":\"a\",\"event\":\"a\\nb\"}", "/event"},
        {"{\"follower\":\"a\",\"event\":7}", "/event"},
        {"{\"follower\":\"a\",\"event\":\"b\",\"sent\":\"now\"}", "/sent"},
        {"{" GOOD ",\"lease_us\":-1}", "/lease_us"},
        {"{" GOOD ",\"lease_us\":\"1\"}", "/lease_us"},
        {"{" GOOD ",\"of\":100000001}", "/of"},
        {"{" GOOD ",\"done\":1.5}", "/done"},
        {"{" GOOD ",\"done\":3,\"of\":2}", "/done"},
        {"{" GOOD "}", "/signature"},
        {"{" GOOD ",\"signature\":\"AAEC\"}", "/signature"},
    };
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct taxii_receipt r;
        struct err err = ERR_INIT;
        int result = taxii_receipt_read(&a, slice_of(rows[i].text), &r, &err);
        if ((result == 0) != (rows[i].place == NULL))
            fail_row(i, "%s: %s", rows[i].text, err.text);
        if (result != 0 && (strcmp(err.place, rows[i].place) != 0 || err.code != ERR_BAD_REQUEST))
            fail_row(i, "%s at %s", err_name(err.code), err.place);
    }
    arena_free(&a);
}

static void test_taxii_receipt__comes_back(void **state)
{
    struct taxii_receipt r = {SLICE("s-1"), SLICE("abc_-9"), 1763812800123456, 86400000000, 2, 3, {1, 2, 3}}, again;
    struct buf text = BUF_INIT, before = BUF_INIT, after = BUF_INIT;
    struct arena a = ARENA_INIT;

    taxii_receipt_put(&r, &text);
    assert_int_equal(taxii_receipt_read(&a, buf_slice(&text), &again, NULL), 0);
    taxii_receipt_message(&r, &before);
    taxii_receipt_message(&again, &after);
    assert_slice(buf_slice(&before), "s-1\nabc_-9\n1763812800123456\n86400000000\n2\n3\n");
    assert_true(slice_eq(buf_slice(&before), buf_slice(&after)));
    assert_memory_equal(r.signature, again.signature, sizeof r.signature);
    buf_free(&text);
    buf_free(&before);
    buf_free(&after);
    arena_free(&a);
}

static void test_taxii_receipt__too_long(void **state)
{
    struct arena a = ARENA_INIT;
    struct taxii_receipt r;
    struct err err = ERR_INIT;
    struct slice text = arena_printf(&a, "{\"event\":\"%05000d\"}", 1);

    assert_int_equal(taxii_receipt_read(&a, text, &r, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taxii_receipt__rows),
        cmocka_unit_test(test_taxii_receipt__comes_back),
        cmocka_unit_test(test_taxii_receipt__too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

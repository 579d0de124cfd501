#include "store_test.h"

#include "store/internal.h"

static const struct store_row full = {.added_us = INT64_MAX,
                                      .created_us = INT64_MIN,
                                      .version_us = -1,
                                      .source_us = 1,
                                      .first_event_us = 2,
                                      .valid_until_us = 3,
                                      .kind = STORE_WIDEN,
                                      .facts_class = UINT32_MAX,
                                      .key = UINT64_MAX,
                                      .subject_seq = 4,
                                      .envelope = 5,
                                      .sha256 = {0xff, 1, 2}};

static void test_store_row__numbers_come_back(void **state)
{
    char numbers[STORE_NUMBERS];
    struct store_row row = {0};

    store_row_put_numbers(&full, numbers);
    assert_true(store_row_get_numbers(slice_n(numbers, sizeof numbers), &row));
    assert_memory_equal(&row, &full, sizeof row);
    assert_int_equal((unsigned char)numbers[72], STORE_WIDEN); /* little endian, as row.c draws it */
}

static void test_store_row__brief_numbers_come_back(void **state)
{
    const struct store_brief all = {.key = UINT64_MAX,
                                    .subject_seq = 1,
                                    .source_us = INT64_MIN,
                                    .valid_until_us = INT64_MAX,
                                    .id_hash = UINT64_MAX - 1,
                                    .facts_class = UINT32_MAX};
    char numbers[STORE_BRIEF_NUMBERS];
    struct store_brief b = {0};

    store_brief_put_numbers(&all, numbers);
    assert_true(store_brief_get_numbers(slice_n(numbers, sizeof numbers), &b));
    assert_true(b.key == all.key && b.subject_seq == all.subject_seq && b.source_us == all.source_us);
    assert_true(b.valid_until_us == all.valid_until_us && b.id_hash == all.id_hash);
    assert_int_equal(b.facts_class, all.facts_class);
    assert_false(store_brief_get_numbers(slice_n(numbers, sizeof numbers - 1), &b));
}

static void test_store_row__what_is_damaged_is_none(void **state)
{
    static const size_t lengths[] = {0, 1, STORE_NUMBERS - 1, STORE_NUMBERS + 1};
    char numbers[STORE_NUMBERS + 1] = {0};
    struct store_row row;

    for (size_t i = 0; i < ROWS(lengths); i++)
        assert_false(store_row_get_numbers(slice_n(numbers, lengths[i]), &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_row__numbers_come_back),
        cmocka_unit_test(test_store_row__brief_numbers_come_back),
        cmocka_unit_test(test_store_row__what_is_damaged_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

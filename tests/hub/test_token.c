#include "hub_test.h"

static struct hub *fake_hub(uint8_t byte)
{
    struct hub *h = mem_zero(1, sizeof *h);

    memset(h->token_key, byte, sizeof h->token_key);
    return h;
}

static void test_hub_token__round_trip(void **state)
{
    struct hub *h = fake_hub(1);
    uint64_t in[16], out[16];
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < 16; i++)
        in[i] = UINT64_MAX / (i + 1);
    for (size_t n = 1; n <= 16; n++) {
        buf_clear(&text);
        hub_token_put(h, "next", in, n, &text);
        assert_true(hub_token_get(h, "next", buf_slice(&text), out, n));
        assert_memory_equal(in, out, n * sizeof in[0]);
        assert_false(hub_token_get(h, "next", buf_slice(&text), out, n - 1));
        assert_false(hub_token_get(h, "next", buf_slice(&text), out, n + 1));
    }
    buf_free(&text);
    free(h);
}

static void test_hub_token__forged_are_refused(void **state)
{
    struct hub *h = fake_hub(1), *other = fake_hub(2);
    uint64_t in[4] = {1, 2, 3, 4}, out[4];
    struct buf text = BUF_INIT, big = BUF_INIT;

    hub_token_put(h, "next", in, 4, &text);
    assert_false(hub_token_get(h, "event", buf_slice(&text), out, 4));
    assert_false(hub_token_get(other, "next", buf_slice(&text), out, 4));
    for (size_t i = 0; i < text.len; i++) {
        char was = text.ptr[i];
        text.ptr[i] = was == 'A' ? 'B' : 'A';
        if (hub_token_get(h, "next", buf_slice(&text), out, 4))
            fail_row(i, "a changed token was taken");
        text.ptr[i] = was;
        assert_false(hub_token_get(h, "next", slice_to(buf_slice(&text), i), out, 4));
    }
    assert_true(hub_token_get(h, "next", buf_slice(&text), out, 4));
    for (size_t i = 0; i < 100000; i++)
        buf_put_byte(&big, 'A');
    assert_false(hub_token_get(h, "next", buf_slice(&big), out, 4));
    assert_false(hub_token_get(h, "next", SLICE(""), out, 4));
    assert_false(hub_token_get(h, "next", SLICE("!"), out, 4));
    buf_free(&text);
    buf_free(&big);
    free(h);
    free(other);
}

static void test_hub_token__the_same_place_reads_differently(void **state)
{
    struct hub *h = fake_hub(1);
    uint64_t in[1] = {7};
    struct buf one = BUF_INIT, two = BUF_INIT;

    hub_token_put(h, "next", in, 1, &one);
    hub_token_put(h, "next", in, 1, &two);
    assert_false(slice_eq(buf_slice(&one), buf_slice(&two)));
    buf_free(&one);
    buf_free(&two);
    free(h);
}

static void test_hub_token__status_ids_round_trip(void **state)
{
    static const uint64_t rows[] = {1, 2, 3, 255, 256, 1ull << 32, (1ull << 48) - 1};
    struct hub *h = fake_hub(1);
    char id[36];
    struct stix_id parts;
    uint64_t n;

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf whole = BUF_INIT;
        hub_status_id_put(h, rows[i], id);
        if (!hub_status_id_get(h, slice_n(id, 36), &n) || n != rows[i])
            fail_row(i, "read back as %llu", (unsigned long long)n);
        buf_printf(&whole, "x--%.36s", id);
        assert_true(stix_id_parse(buf_slice(&whole), &parts));
        assert_int_equal(parts.version, 4); /* TAXII 2.1 section 4.3: a UUIDv4 */
        buf_free(&whole);
    }
    free(h);
}

static void test_hub_token__forged_status_ids_are_refused(void **state)
{
    struct hub *h = fake_hub(1), *other = fake_hub(2);
    char id[36], changed[36];
    uint64_t n;

    hub_status_id_put(h, 42, id);
    assert_false(hub_status_id_get(other, slice_n(id, 36), &n));
    for (size_t i = 0; i < sizeof id; i++)
        for (const char *c = "0123456789abcdefABCDEF-"; *c != '\0'; c++) {
            memcpy(changed, id, sizeof id);
            changed[i] = *c;
            if (*c != id[i] && hub_status_id_get(h, slice_n(changed, 36), &n))
                fail_row(i, "changed to '%c' it was taken", *c);
        }
    assert_false(hub_status_id_get(h, slice_n(id, 35), &n));
    assert_false(hub_status_id_get(h, SLICE(""), &n));
    assert_false(hub_status_id_get(h, SLICE("00000000-0000-0000-0000-000000000000"), &n));
    free(h);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_token__round_trip),
        cmocka_unit_test(test_hub_token__forged_are_refused),
        cmocka_unit_test(test_hub_token__the_same_place_reads_differently),
        cmocka_unit_test(test_hub_token__status_ids_round_trip),
        cmocka_unit_test(test_hub_token__forged_status_ids_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

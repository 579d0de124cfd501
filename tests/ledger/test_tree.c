#include "test.h"

#include "base/crypto.h"
#include "ledger/ledger.h"

/* The eight inputs and roots that implementations of RFC 6962 test themselves with. */
static const struct {
    struct slice data;
    const char *root; /* of the tree up to and with this leaf */
} known[] = {
    {SLICE_INIT(""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {SLICE_INIT("\x00"), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {SLICE_INIT("\x10"), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {SLICE_INIT("\x20\x21"), "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {SLICE_INIT("\x30\x31"), "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {SLICE_INIT("\x40\x41\x42\x43"), "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {SLICE_INIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {SLICE_INIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void assert_hash(const uint8_t hash[LEDGER_HASH], const char *hex)
{
    struct buf text = BUF_INIT;

    crypto_put_hex(&text, hash, LEDGER_HASH);
    assert_slice(buf_slice(&text), hex);
    buf_free(&text);
}

static void test_ledger_tree__known_roots(void **state)
{
    struct ledger_tree t = {0};
    uint8_t hash[LEDGER_HASH];

    ledger_root(&t, hash);
    assert_hash(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < ROWS(known); i++) {
        crypto_sha256_2(slice_n("\x00", 1), known[i].data, hash);
        ledger_add(&t, hash);
        assert_int_equal(t.size, i + 1);
        ledger_root(&t, hash);
        assert_hash(hash, known[i].root);
    }
}

static void test_ledger_tree__leaf_of_a_salted_record(void **state)
{
    uint8_t salt[LEDGER_SALT], entry[LEDGER_HASH], leaf[LEDGER_HASH], want[LEDGER_HASH];
    char bytes[LEDGER_SALT + 6];

    memset(salt, 7, sizeof salt);
    memcpy(bytes, salt, sizeof salt);
    memcpy(bytes + sizeof salt, "record", 6);
    ledger_entry(salt, SLICE("record"), entry);
    crypto_sha256(slice_n(bytes, sizeof bytes), want);
    assert_memory_equal(entry, want, LEDGER_HASH);
    ledger_leaf(entry, leaf);
    crypto_sha256_2(slice_n("\0", 1), slice_n((const char *)entry, LEDGER_HASH), want);
    assert_memory_equal(leaf, want, LEDGER_HASH);
    salt[0] ^= 1; /* the same record under another salt is another entry */
    ledger_entry(salt, SLICE("record"), want);
    assert_memory_not_equal(entry, want, LEDGER_HASH);
}

static void leaf_number(uint64_t i, uint8_t leaf_out[LEDGER_HASH])
{
    crypto_sha256(slice_n((const char *)&i, sizeof i), leaf_out);
}

/* A copy taken before a transaction brings the tree back, and a kept tree grows on as if it had never been away. */
static void test_ledger_tree__kept_and_copied(void **state)
{
    struct ledger_tree t = {0}, copy, back;
    uint8_t leaf[LEDGER_HASH], root[LEDGER_HASH], again[LEDGER_HASH];
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;

    for (uint64_t i = 0; i < 200; i++) {
        buf_clear(&text);
        ledger_put(&t, &text);
        assert_int_equal(text.len, 8 + LEDGER_HASH * __builtin_popcountll(i));
        assert_int_equal(ledger_get(buf_slice(&text), &back, &err), 0);
        copy = t;
        leaf_number(i, leaf);
        ledger_add(&t, leaf);
        ledger_add(&copy, leaf);
        ledger_add(&back, leaf);
        ledger_root(&t, root);
        ledger_root(&back, again);
        assert_memory_equal(root, again, LEDGER_HASH);
        ledger_root(&copy, again);
        assert_memory_equal(root, again, LEDGER_HASH);
    }
    buf_free(&text);
}

static void test_ledger_tree__refuses_a_damaged_tree(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT(""),
        SLICE_INIT("\1\0\0\0\0\0\0"),    /* a byte short of a size */
        SLICE_INIT("\1\0\0\0\0\0\0\0"),  /* an edge is missing */
        SLICE_INIT("\0\0\0\0\0\0\0\0x"), /* one byte more */
        SLICE_INIT("\3\0\0\0\0\0\0\0"
                   "0123456789abcdef0123456789abcdef"), /* one edge of two */
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct ledger_tree t;
        struct err err = ERR_INIT;
        if (ledger_get(rows[i], &t, &err) != -1 || err.code != ERR_LEDGER)
            fail_row(i, "accepted");
    }
}

static int start(void **state)
{
    return crypto_start(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_tree__known_roots),
        cmocka_unit_test(test_ledger_tree__leaf_of_a_salted_record),
        cmocka_unit_test(test_ledger_tree__kept_and_copied),
        cmocka_unit_test(test_ledger_tree__refuses_a_damaged_tree),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

#include "test.h"

#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "ledger/ledger.h"

enum { MOST = 40 };

static uint8_t leaves[MOST][LEDGER_HASH], roots[MOST + 1][LEDGER_HASH];

static int make_leaves(void **state)
{
    struct ledger_tree t = {0};

    if (crypto_start(NULL) != 0)
        return -1;
    ledger_root(&t, roots[0]);
    for (uint64_t i = 0; i < MOST; i++) {
        crypto_sha256(slice_n((const char *)&i, sizeof i), leaves[i]);
        ledger_add(&t, leaves[i]);
        ledger_root(&t, roots[i + 1]);
    }
    return 0;
}

static int leaf_at(void *arg, uint64_t index, uint8_t leaf_out[LEDGER_HASH])
{
    uint64_t *missing = arg;

    if (missing != NULL && *missing == index)
        return -1;
    memcpy(leaf_out, leaves[index], LEDGER_HASH);
    return 0;
}

/* A good proof passes; with any bit flipped, any hash dropped, added or cut, or for another place, it does not. */
static void test_ledger_proof__inclusion(void **state)
{
    struct buf path = BUF_INIT;
    struct err err = ERR_INIT;

    for (uint64_t size = 1; size <= MOST; size++)
        for (uint64_t i = 0; i < size; i++) {
            buf_clear(&path);
            assert_int_equal(ledger_prove_inclusion(leaf_at, NULL, i, size, &path, &err), 0);
            struct slice good = buf_slice(&path);
            assert_true(ledger_check_inclusion(leaves[i], i, size, good, roots[size]));
            assert_false(ledger_check_inclusion(leaves[i], i + 1, size, good, roots[size]));
            assert_false(ledger_check_inclusion(leaves[i], i, size, good, roots[size - 1]));
            assert_false(ledger_check_inclusion(leaves[(i + 1) % MOST], i, size, good, roots[size]));
            if (path.len > 0) {
                size_t bit = (size_t)(i * 37 + size) % (path.len * 8);
                path.ptr[bit / 8] ^= (char)(1 << bit % 8);
                assert_false(ledger_check_inclusion(leaves[i], i, size, good, roots[size]));
                path.ptr[bit / 8] ^= (char)(1 << bit % 8);
                assert_false(ledger_check_inclusion(leaves[i], i, size, slice_to(good, good.len - 1), roots[size]));
                assert_false(ledger_check_inclusion(leaves[i], i, size, slice_from(good, LEDGER_HASH), roots[size]));
            }
            buf_put(&path, slice_n((const char *)leaves[0], LEDGER_HASH));
            assert_false(ledger_check_inclusion(leaves[i], i, size, buf_slice(&path), roots[size]));
        }
    assert_false(ledger_check_inclusion(leaves[0], 0, 0, SLICE(""), roots[0]));
    buf_free(&path);
}

static void test_ledger_proof__consistency(void **state)
{
    struct buf path = BUF_INIT;
    struct err err = ERR_INIT;

    for (uint64_t size = 1; size <= MOST; size++)
        for (uint64_t old = 1; old <= size; old++) {
            buf_clear(&path);
            assert_int_equal(ledger_prove_consistency(leaf_at, NULL, old, size, &path, &err), 0);
            struct slice good = buf_slice(&path);
            assert_true(ledger_check_consistency(old, roots[old], size, roots[size], good));
            assert_false(ledger_check_consistency(old, roots[old - 1], size, roots[size], good));
            assert_false(ledger_check_consistency(old, roots[old], size, roots[old - 1], good));
            assert_false(ledger_check_consistency(size + 1, roots[old], size, roots[size], good));
            if (path.len > 0) {
                size_t bit = (size_t)(old * 37 + size) % (path.len * 8);
                path.ptr[bit / 8] ^= (char)(1 << bit % 8);
                assert_false(ledger_check_consistency(old, roots[old], size, roots[size], good));
                path.ptr[bit / 8] ^= (char)(1 << bit % 8);
                assert_false(
                    ledger_check_consistency(old, roots[old], size, roots[size], slice_to(good, good.len - 1)));
                assert_false(ledger_check_consistency(old, roots[old], size, roots[size],
                                                      slice_to(good, good.len - LEDGER_HASH)));
            }
            buf_put(&path, slice_n((const char *)leaves[0], LEDGER_HASH));
            assert_false(ledger_check_consistency(old, roots[old], size, roots[size], buf_slice(&path)));
        }
    buf_free(&path);
}

static void test_ledger_proof__refuses_what_is_not_there(void **state)
{
    struct buf path = BUF_INIT;
    struct err err = ERR_INIT;
    uint64_t missing = 3;

    assert_int_equal(ledger_prove_inclusion(leaf_at, NULL, 5, 5, &path, &err), -1);
    assert_int_equal(err.code, ERR_LEDGER);
    assert_int_equal(ledger_prove_consistency(leaf_at, NULL, 0, 5, &path, &err), -1);
    assert_int_equal(ledger_prove_consistency(leaf_at, NULL, 6, 5, &path, &err), -1);
    assert_int_equal(ledger_prove_inclusion(leaf_at, &missing, 0, 5, &path, &err), -1);
    assert_int_equal(err.code, ERR_LEDGER);
    assert_string_equal(err.text, "leaf 3 cannot be read");
    buf_free(&path);
}

/* The vectors of transparency-dev/merkle. jansson cannot read the integer 2^64-1, which two files hold. One file calls
   texts of 12 bytes roots and expects them to be accepted; a root here has 32 bytes. */
static const char lenient[] = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json";
static unsigned n_unreadable, n_agreed, n_short, n_differ;

static bool get_hashes(json_t *value, struct buf *out)
{
    size_t before = out->len;
    const char *text = json_string_value(value);

    return text != NULL && crypto_base64(slice_of(text), false, out) && out->len - before == LEDGER_HASH;
}

static bool get_path(json_t *value, struct buf *out)
{
    size_t i;
    json_t *item;
    bool good = true;

    json_array_foreach(value, i, item) good = get_hashes(item, out) && good;
    return good;
}

static bool check_vector(json_t *v)
{
    struct buf one = BUF_INIT, two = BUF_INIT, path = BUF_INIT;
    bool consistency = json_object_get(v, "size1") != NULL, good;

    good = get_hashes(json_object_get(v, consistency ? "root1" : "leafHash"), &one) &&
           get_hashes(json_object_get(v, consistency ? "root2" : "root"), &two) &&
           get_path(json_object_get(v, "proof"), &path);
    if (good && consistency)
        good = ledger_check_consistency((uint64_t)json_integer_value(json_object_get(v, "size1")), (uint8_t *)one.ptr,
                                        (uint64_t)json_integer_value(json_object_get(v, "size2")), (uint8_t *)two.ptr,
                                        buf_slice(&path));
    else if (good)
        good = ledger_check_inclusion((uint8_t *)one.ptr, (uint64_t)json_integer_value(json_object_get(v, "leafIdx")),
                                      (uint64_t)json_integer_value(json_object_get(v, "treeSize")), buf_slice(&path),
                                      (uint8_t *)two.ptr);
    buf_free(&one);
    buf_free(&two);
    buf_free(&path);
    return good;
}

static int on_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    if (kind != FTW_F || !slice_ends(slice_of(path), SLICE(".json")))
        return 0;
    json_t *v = json_load_file(path, 0, NULL);
    if (v == NULL) {
        n_unreadable++;
        return 0;
    }
    bool want = !json_is_true(json_object_get(v, "wantErr")), got = check_vector(v);
    json_decref(v);
    if (want == got) {
        n_agreed++;
    } else if (slice_ends(slice_of(path), slice_of(lenient))) {
        n_short++;
    } else {
        print_error("%s: expected %d\n", path, want);
        n_differ++;
    }
    return 0;
}

static void test_ledger_proof__vectors(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;

    if (shared == NULL || shared[0] == '\0') {
        leave_out("TOCSIN_SHARED is not set: the vectors of transparency-dev/merkle were not read");
    }
    static const char *const folders[] = {"inclusion", "consistency"};
    for (size_t i = 0; i < ROWS(folders); i++)
        nftw(arena_printf(&a, "%s/vectors/merkle/testdata/%s", shared, folders[i]).ptr, on_file, 8, FTW_PHYS);
    arena_free(&a);
    assert_int_equal(n_differ, 0);
    assert_int_equal(n_agreed, 193);
    assert_int_equal(n_short, 1);
    assert_int_equal(n_unreadable, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_proof__inclusion),
        cmocka_unit_test(test_ledger_proof__consistency),
        cmocka_unit_test(test_ledger_proof__refuses_what_is_not_there),
        cmocka_unit_test(test_ledger_proof__vectors),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}

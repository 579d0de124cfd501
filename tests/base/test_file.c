#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static struct arena arena = ARENA_INIT;
static char dir[] = "/tmp/tocsin-test-file-XXXXXX";

static const char *path_of(const char *name)
{
    return file_join(&arena, dir, name).ptr;
}

static int count_files(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

static int setup(void **state)
{
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a", "big", "empty", "f"};

    for (size_t i = 0; i < ROWS(names); i++)
        unlink(path_of(names[i]));
    rmdir(path_of("sub"));
    arena_free(&arena);
    return rmdir(dir);
}

static void test_base_file__writes_and_reads_back(void **state)
{
    struct err err = ERR_INIT;
    struct slice text;
    struct stat st;

    assert_int_equal(file_write_atomic(path_of("a"), SLICE("one\0two"), 0640, &err), 0);
    assert_int_equal(file_read(&arena, path_of("a"), 7, &text, &err), 0);
    assert_true(slice_eq(text, SLICE("one\0two")));
    assert_int_equal(text.ptr[text.len], '\0');
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(file_write_atomic(path_of("a"), SLICE("new"), 0600, &err), 0);
    assert_int_equal(file_read(&arena, path_of("a"), 100, &text, &err), 0);
    assert_slice(text, "new");
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_files(), 1); /* no temporary file stays */
    assert_true(file_exists(path_of("a")));
    assert_false(file_exists(path_of("b")));
}

static void test_base_file__limit(void **state)
{
    struct err err = ERR_INIT;
    struct slice text;
    struct buf b = BUF_INIT;

    for (int i = 0; i < 10000; i++)
        buf_put(&b, SLICE("0123456789"));
    assert_int_equal(file_write_atomic(path_of("big"), buf_slice(&b), 0600, &err), 0);
    assert_int_equal(file_read(&arena, path_of("big"), b.len, &text, &err), 0);
    assert_true(slice_eq(text, buf_slice(&b)));
    assert_int_equal(file_read(&arena, path_of("big"), b.len - 1, &text, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    /* A file without a size is bounded as it is read. */
    assert_int_equal(file_read(&arena, "/dev/zero", 10000, &text, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT_BYTES);
    assert_int_equal(file_read(&arena, "/proc/self/status", 1 << 20, &text, &err), 0);
    assert_true(text.len > 100);
    buf_free(&b);
}

static void test_base_file__says_which_file_and_why(void **state)
{
    struct err err = ERR_INIT;
    struct slice text;

    assert_int_equal(file_read(&arena, path_of("none"), 100, &text, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_string_equal(err.place, path_of("none"));
    assert_string_equal(err.text, "cannot open: No such file or directory");
    assert_int_equal(file_map(path_of("none"), &text, &err), -1);
    assert_int_equal(file_write_atomic(path_of("none/a"), SLICE("x"), 0600, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(file_read(&arena, dir, 100, &text, &err), -1);
    assert_int_equal(file_map(dir, &text, &err), -1);
}

/* A limit on the size of files stands for the full disk: a test cannot fill one. */
static void test_base_file__failed_write_leaves_the_old_file(void **state)
{
    struct err err = ERR_INIT;
    struct slice text;
    struct rlimit old, small;

    assert_int_equal(file_write_atomic(path_of("f"), SLICE("old"), 0600, &err), 0);
    int before = count_files();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){8, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = file_write_atomic(path_of("f"), SLICE("a text longer than the limit"), 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(result, -1);
    assert_string_equal(err.place, path_of("f"));
    assert_int_equal(err.code, ERR_DISK_FULL);
    assert_int_equal(file_read(&arena, path_of("f"), 100, &text, &err), 0);
    assert_slice(text, "old");
    assert_int_equal(count_files(), before);
}

static void test_base_file__makes_directories(void **state)
{
    struct err err = ERR_INIT;

    assert_int_equal(file_make_dir(path_of("sub"), 0700, &err), 0);
    assert_int_equal(file_make_dir(path_of("sub"), 0700, &err), 0);
    assert_int_equal(file_make_dir(path_of("none/sub"), 0700, &err), -1);
    assert_int_equal(file_write_atomic(path_of("a"), SLICE("x"), 0600, &err), 0);
    assert_int_equal(file_make_dir(path_of("a"), 0700, &err), -1);
    assert_string_equal(err.text, "is there and is not a directory");
}

static void test_base_file__maps(void **state)
{
    struct err err = ERR_INIT;
    struct slice map;

    assert_int_equal(file_write_atomic(path_of("a"), SLICE("mapped"), 0600, &err), 0);
    assert_int_equal(file_map(path_of("a"), &map, &err), 0);
    assert_slice(map, "mapped");
    file_unmap(&map);
    assert_null(map.ptr);
    assert_int_equal(file_write_atomic(path_of("empty"), SLICE(""), 0600, &err), 0);
    assert_int_equal(file_map(path_of("empty"), &map, &err), 0);
    assert_int_equal(map.len, 0);
    assert_non_null(map.ptr);
    file_unmap(&map);
    file_unmap(&map);
}

static void test_base_file__joins(void **state)
{
    static const struct {
        const char *dir, *name, *expected;
    } rows[] = {
        {"/a", "b", "/a/b"}, {"/a/", "b", "/a/b"}, {"/a//", "b", "/a/b"},
        {"/", "b", "/b"},    {"", "b", "b"},       {".", "b", "./b"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct slice joined = file_join(&arena, rows[i].dir, rows[i].name);
        assert_slice(joined, rows[i].expected);
        assert_int_equal(joined.ptr[joined.len], '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_file__writes_and_reads_back),
        cmocka_unit_test(test_base_file__limit),
        cmocka_unit_test(test_base_file__says_which_file_and_why),
        cmocka_unit_test(test_base_file__failed_write_leaves_the_old_file),
        cmocka_unit_test(test_base_file__makes_directories),
        cmocka_unit_test(test_base_file__maps),
        cmocka_unit_test(test_base_file__joins),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

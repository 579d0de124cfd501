#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"

static struct arena arena = ARENA_INIT;
static char path[] = "/tmp/tocsin-test-log-XXXXXX";

static int setup(void **state)
{
    int fd = mkstemp(path);

    return fd >= 0 ? close(fd) : -1;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return unlink(path);
}

static void open_log(const char *to)
{
    struct err err = ERR_INIT;

    if (log_open("core", to, &err) != 0)
        fail_msg("%s", err.text);
}

/* All lines of the file, which is emptied. Each is one JSON object of at most 1 KiB. */
static size_t read_lines(struct json *lines, size_t max)
{
    struct slice text, line;
    struct err err = ERR_INIT;
    size_t n = 0;

    assert_int_equal(file_read(&arena, path, 64 << 20, &text, &err), 0);
    assert_int_equal(truncate(path, 0), 0);
    while (text.len != 0 && slice_cut(&text, '\n', &line)) {
        assert_true(line.len < 1024 && n < max);
        if (json_parse(&arena, line, NULL, &lines[n], &err) != 0)
            fail_msg("%s: %.*s", err.text, SLICE_ARG(line));
        n++;
    }
    return n;
}

static struct slice text_of(struct json line, const char *key)
{
    return json_string(&arena, json_get(line, slice_of(key)));
}

static void test_base_log__fields(void **state)
{
    struct json line;
    struct err err = ERR_INIT;
    int64_t us, now = time_now_us();

    open_log(path);
    err_set(&err, ERR_STIX_SYNTAX, "/pattern", "it is \"empty\"");
    log_event("refused", TEXT("id", SLICE("a\"\\\n\x7f\xd7\xa9")), NUM("n", INT64_MIN), ERROR_FIELD(&err),
              NUM("last", 7));
    log_close();
    assert_int_equal(read_lines(&line, 1), 1);
    assert_true(time_parse_stix(text_of(line, "time"), &us) && us >= now && us - now < (int64_t)60 * 1000000);
    assert_slice(text_of(line, "process"), "core");
    assert_slice(text_of(line, "event"), "refused");
    assert_slice(text_of(line, "id"), "a\"\\\n\x7f\xd7\xa9");
    assert_slice(json_raw(json_get(line, SLICE("n"))), "-9223372036854775808");
    assert_slice(text_of(line, "error"), "STIX_SYNTAX");
    assert_slice(text_of(line, "place"), "/pattern");
    assert_slice(text_of(line, "text"), "it is \"empty\"");
    assert_slice(json_raw(json_get(line, SLICE("last"))), "7");
    assert_int_equal(json_count(line), 9);
}

static void test_base_log__any_bytes_make_valid_lines(void **state)
{
    static const struct {
        struct slice in, out;
    } rows[] = {
        {SLICE_INIT("\xff"), SLICE_INIT("?")},
        {SLICE_INIT("a\xc0\x80z"), SLICE_INIT("a??z")},
        {SLICE_INIT("\xed\xa0\x80"), SLICE_INIT("???")},
        {SLICE_INIT("\xe0\x80\x80"), SLICE_INIT("???")},
        {SLICE_INIT("\xf0\x80\x80\x80"), SLICE_INIT("????")},
        {SLICE_INIT("\xf4\x90\x80\x80"), SLICE_INIT("????")},
        {SLICE_INIT("\xe2\x82"), SLICE_INIT("??")},
        {SLICE_INIT("\xf0\x9f\x94\x94"), SLICE_INIT("\xf0\x9f\x94\x94")},
        {SLICE_INIT("\x01\x1b[31m"), SLICE_INIT("\x01\x1b[31m")},
        {SLICE_INIT(""), SLICE_INIT("")},
    };
    struct json lines[ROWS(rows)];

    open_log(path);
    for (size_t i = 0; i < ROWS(rows); i++)
        log_event("bytes", TEXT("t", rows[i].in));
    log_close();
    assert_int_equal(read_lines(lines, ROWS(rows)), ROWS(rows));
    for (size_t i = 0; i < ROWS(rows); i++)
        if (!slice_eq(text_of(lines[i], "t"), rows[i].out))
            fail_row(i, "%.*s", SLICE_ARG(json_raw(lines[i])));
}

/* Texts of every length around the limit, plain and with escapes: a cut line stays valid, and says that it is cut. */
static void test_base_log__long_lines_are_cut(void **state)
{
    enum { FROM = 850, TO = 1100 };
    static const char *const pieces[] = {"x", "\n", "\xe2\x82\xac"};
    static struct json lines[TO - FROM];

    for (size_t i = 0; i < ROWS(pieces); i++) {
        size_t cut = 0;
        open_log(path);
        for (size_t len = FROM; len < TO; len++) {
            struct buf b = BUF_INIT;
            while (b.len < len)
                buf_put(&b, slice_of(pieces[i]));
            log_event("long", TEXT("t", buf_slice(&b)), NUM("n", 1234567), TEXT("behind", SLICE("y")));
            buf_free(&b);
        }
        log_close();
        assert_int_equal(read_lines(lines, TO - FROM), TO - FROM);
        for (size_t k = 0; k < TO - FROM; k++) {
            bool is_cut = json_kind(json_get(lines[k], SLICE("cut"))) == JSON_TRUE;
            bool whole = slice_eq(text_of(lines[k], "behind"), SLICE("y"));
            assert_int_equal(is_cut, !whole);
            cut += is_cut;
        }
        assert_true(cut > 100);
    }
}

enum { WRITERS = 4, LINES = 2000 };

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_event("line", NUM("writer", *(int *)arg), NUM("i", i));
    return NULL;
}

/* From many threads: every line is whole, in its writer's order, and written or counted as dropped. */
static void test_base_log__threads(void **state)
{
    static struct json lines[WRITERS * LINES + 100];
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    int64_t next[WRITERS] = {0}, dropped = 0, kept = 0;

    open_log(path);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    log_close();
    size_t n = read_lines(lines, ROWS(lines));
    for (size_t k = 0; k < n; k++) {
        int64_t writer, i, count;
        if (json_int(json_get(lines[k], SLICE("lines")), &count)) {
            dropped += count;
            continue;
        }
        assert_true(json_int(json_get(lines[k], SLICE("writer")), &writer));
        assert_true(json_int(json_get(lines[k], SLICE("i")), &i) && i >= next[writer]);
        next[writer] = i + 1;
        kept++;
    }
    assert_int_equal(kept + dropped, WRITERS * LINES);
}

static void *close_log(void *unused)
{
    log_close();
    return NULL;
}

/* A reader that does not read: callers are not held up, and what was dropped is told once it reads again. */
static void test_base_log__full_ring_drops_and_counts(void **state)
{
    enum { MANY = 20000 };
    char fifo[sizeof path + 5], bytes[65536];
    int64_t dropped = 0, kept = 0, count;
    struct buf b = BUF_INIT;
    struct slice text, line;
    pthread_t closer;

    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    open_log(fifo);
    for (int i = 0; i < MANY; i++)
        log_event("line", TEXT("filler", SLICE("0123456789012345678901234567890123456789")));
    assert_int_equal(pthread_create(&closer, NULL, close_log, NULL), 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
        buf_put(&b, slice_n(bytes, (size_t)n));
    pthread_join(closer, NULL);
    close(fd);
    unlink(fifo);
    for (text = buf_slice(&b); text.len != 0 && slice_cut(&text, '\n', &line);) {
        struct json v;
        assert_int_equal(json_parse(&arena, line, NULL, &v, NULL), 0);
        if (slice_eq(text_of(v, "event"), SLICE("log_dropped"))) {
            assert_true(json_int(json_get(v, SLICE("lines")), &count) && count > 0);
            dropped += count;
        } else {
            kept++;
        }
    }
    assert_true(dropped > 0 && kept > 1000);
    assert_int_equal(kept + dropped, MANY);
    buf_free(&b);
}

static void test_base_log__opens_again_and_refuses_what_it_cannot_open(void **state)
{
    struct json lines[2];
    struct err err = ERR_INIT;

    open_log(path);
    log_event("one");
    log_close();
    log_close(); /* twice is fine */
    open_log(path);
    log_event("two");
    log_close();
    assert_int_equal(read_lines(lines, 2), 2); /* appended */
    assert_slice(text_of(lines[1], "event"), "two");
    assert_int_equal(log_open("core", "/nonexistent.example/log", &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
}

/* Before log_open() and after log_close() lines go straight to standard error. */
static void test_base_log__without_open(void **state)
{
    struct json line;
    int kept = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_true(kept >= 0 && fd >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    log_event("early", NUM("n", 1));
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    assert_int_equal(read_lines(&line, 1), 1);
    assert_slice(text_of(line, "event"), "early");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_log__without_open),
        cmocka_unit_test(test_base_log__fields),
        cmocka_unit_test(test_base_log__any_bytes_make_valid_lines),
        cmocka_unit_test(test_base_log__long_lines_are_cut),
        cmocka_unit_test(test_base_log__threads),
        cmocka_unit_test(test_base_log__full_ring_drops_and_counts),
        cmocka_unit_test(test_base_log__opens_again_and_refuses_what_it_cannot_open),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* Real telemetry (TOCSIN_SHARED): what jansson finds in a line is what match_lines() must find there. */
#include "test.h"

#include <stdlib.h>

#include "base/file.h"
#include "eve_peer.h"
#include "match/match.h"

struct run {
    struct match_index *ix;
    struct arena arena;
    struct buf wanted, found; /* "line number:value" lines */
    struct slice text;
};

static bool normal(struct run *r, const char *text, enum stix_value_kind *kind, struct slice *out)
{
    static const enum stix_value_kind kinds[] = {STIX_VALUE_IPV4, STIX_VALUE_IPV6, STIX_VALUE_MD5, STIX_VALUE_DOMAIN};

    for (size_t i = 0; i < ROWS(kinds); i++)
        if (stix_value_normal(&r->arena, kinds[i], slice_of(text), false, kind, out, NULL) == 0)
            return true;
    return false;
}

/* Indexes what jansson sees, each value under its line's offset, and remembers the pair. */
static void want(struct run *r, struct slice line)
{
    static char values[EVE_PEER_FIELDS][EVE_PEER_TEXT];
    enum stix_value_kind kind;
    struct slice value;

    if (!eve_peer(line.ptr, line.len, values))
        fail_msg("jansson cannot read %.*s", SLICE_ARG(line));
    for (size_t i = 0; i < EVE_PEER_FIELDS; i++) {
        if (values[i][0] == '\0' || !normal(r, values[i], &kind, &value))
            continue;
        uint64_t offset = (uint64_t)(line.ptr - r->text.ptr);
        struct err err = ERR_INIT;
        if (match_index_add(r->ix, offset * 10 + i, kind, value, &err) == 0)
            buf_printf(&r->wanted, "%llu\n", (unsigned long long)(offset * 10 + i));
        else
            assert_int_equal(err.code, ERR_LIMIT_MEMBERS); /* the same address on more than 4,096 lines */
    }
}

static void found(void *arg, const struct match_line *line, const struct match_hit *hit)
{
    struct run *r = arg;

    if (hit->indicator / 10 == (uint64_t)(line->text.ptr - r->text.ptr))
        buf_printf(&r->found, "%llu\n", (unsigned long long)hit->indicator);
    assert_true(line->time_us > 0);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same numbers, in whatever order. */
static void assert_same(struct buf *a, struct buf *b)
{
    struct buf *sides[2] = {a, b};
    char **words[2];
    size_t n[2] = {0, 0};

    for (int s = 0; s < 2; s++) {
        struct slice rest = buf_slice(sides[s]), word;
        words[s] = calloc(sides[s]->len + 1, sizeof(char *));
        while (slice_cut(&rest, '\n', &word))
            words[s][n[s]++] = mem_copy(word);
        qsort(words[s], n[s], sizeof(char *), by_text);
    }
    assert_int_equal(n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++)
        assert_string_equal(words[0][i], words[1][i]);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < n[s]; i++)
            free(words[s][i]);
        free(words[s]);
    }
}

static void check_file(const char *shared, const char *name)
{
    struct run r = {.ix = match_index_new(0), .arena = ARENA_INIT};
    struct arena files = ARENA_INIT;
    struct match_stats stats = {0};
    struct slice rest, line;
    uint64_t lines = 0;
    struct err err = ERR_INIT;

    if (file_read(&files, file_join(&files, shared, name).ptr, 64 << 20, &r.text, &err) != 0)
        fail_msg("%s: %s", name, err.text);
    rest = r.text;
    while (slice_cut(&rest, '\n', &line))
        if (line.len != 0) {
            want(&r, line);
            lines++;
        }
    assert_true(r.wanted.len > 1000);
    assert_slice(match_format_name(match_format_detect(r.text)), "eve");
    struct match_reader *reader = match_reader_new(r.ix);
    match_lines(reader, match_format_find(SLICE("eve")), r.text, found, &r, &stats);
    assert_int_equal(stats.lines, lines);
    assert_int_equal(stats.bad_lines, 0);
    assert_same(&r.found, &r.wanted);
    match_reader_free(&reader);
    match_index_free(&r.ix);
    buf_free(&r.found);
    buf_free(&r.wanted);
    arena_free(&r.arena);
    arena_free(&files);
}

static void test_match_telemetry__suricata(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");

    if (shared == NULL) {
        leave_out("TOCSIN_SHARED is not set");
    }
    check_file(shared, "data/telemetry/suricata-frank/first-org-conf-2015.eve.jsonl");
    check_file(shared, "data/telemetry/suricata-frank/wrccdc-2018.eve.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_telemetry__suricata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

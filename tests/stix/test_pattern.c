#include "test.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "stix/stix.h"

/* The tree as text, chains flat: (and [1] [2]); a leaf is its type. */
static void dump(struct buf *out, const struct stix_node *node, enum stix_node_kind parent)
{
    static const char *const names[] = {"AND", "OR", "FOLLOWEDBY", "[", "Q", "and", "or"};

    if (node->kind == STIX_CMP || node->kind == STIX_EXISTS) {
        buf_put(out, node->type);
        return;
    }
    if (node->kind == parent) {
        dump(out, node->left, parent);
        buf_put_byte(out, ' ');
        dump(out, node->right, parent);
        return;
    }
    buf_printf(out, node->kind == STIX_OBS ? "%s" : "(%s ", names[node->kind]);
    dump(out, node->left, node->kind == STIX_OBS || node->kind == STIX_QUALIFIED ? STIX_CMP : node->kind);
    if (node->right != NULL) {
        buf_put_byte(out, ' ');
        dump(out, node->right, node->kind);
    }
    buf_put_byte(out, node->kind == STIX_OBS ? ']' : ')');
}

static void test_stix_pattern__precedence(void **state)
{
    static const struct {
        const char *text, *tree;
    } rows[] = {
        {"[a:x=1]", "[a]"},
        {"[a:x=1 AND b:x=1 OR c:x=1]", "[(or (and a b) c)]"},
        {"[a:x=1 OR b:x=1 AND c:x=1]", "[(or a (and b c))]"},
        {"[(a:x=1 OR b:x=1) AND c:x=1]", "[(and (or a b) c)]"},
        {"[a:x=1 AND b:x=1 AND c:x=1 AND d:x=1 AND e:x=1]", "[(and a b c d e)]"},
        {"[a:x=1] AND [b:x=1] OR [c:x=1]", "(OR (AND [a] [b]) [c])"},
        {"[a:x=1] OR [b:x=1] AND [c:x=1]", "(OR [a] (AND [b] [c]))"},
        {"[a:x=1] FOLLOWEDBY [b:x=1] OR [c:x=1]", "(FOLLOWEDBY [a] (OR [b] [c]))"},
        {"[a:x=1] OR [b:x=1] FOLLOWEDBY [c:x=1]", "(FOLLOWEDBY (OR [a] [b]) [c])"},
        {"([a:x=1] FOLLOWEDBY [b:x=1]) AND [c:x=1]", "(AND (FOLLOWEDBY [a] [b]) [c])"},
        {"[a:x=1] FOLLOWEDBY [b:x=1] WITHIN 5 SECONDS", "(FOLLOWEDBY [a] (Q [b]))"}, /* binds to [b] alone */
        {"([a:x=1] FOLLOWEDBY [b:x=1]) WITHIN 5 SECONDS", "(Q (FOLLOWEDBY [a] [b]))"},
        {"[a:x=1] REPEATS 2 TIMES WITHIN 5 SECONDS OR [b:x=1]", "(OR (Q (Q [a])) [b])"},
        {"[EXISTS a:x AND b:x=1]", "[(and a b)]"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        const struct stix_pattern *p;
        struct buf out = BUF_INIT;
        if (stix_pattern_parse(&a, slice_of(rows[i].text), &p, &err) != 0)
            fail_row(i, "%s: %s", rows[i].text, err.text);
        dump(&out, p->root, STIX_CMP);
        if (!slice_eq(buf_slice(&out), slice_of(rows[i].tree)))
            fail_row(i, "%s gave %.*s", rows[i].text, SLICE_ARG(buf_slice(&out)));
        buf_free(&out);
        arena_free(&a);
    }
}

static const struct stix_node *one(struct arena *a, const char *text)
{
    const struct stix_pattern *p = NULL;
    struct err err = ERR_INIT;

    if (stix_pattern_parse(a, slice_of(text), &p, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return p->root->kind == STIX_OBS ? p->root->left : p->root;
}

static void test_stix_pattern__paths(void **state)
{
    struct arena a = ARENA_INIT;
    const struct stix_node *n =
        one(&a, "[file:extensions.'windows-pebinary-ext'.sections[*].x[3].'it\\'s' NOT != 'a\\\\b']");

    assert_slice(n->type, "file");
    const struct stix_step *s = n->path;
    assert_slice(s->name, "extensions");
    s = s->next;
    assert_slice(s->name, "windows-pebinary-ext");
    s = s->next->next;
    assert_int_equal(s->kind, STIX_STEP_ANY);
    s = s->next;
    assert_slice(s->name, "x");
    s = s->next;
    assert_int_equal(s->kind, STIX_STEP_INDEX);
    assert_int_equal(s->index, 3);
    s = s->next;
    assert_slice(s->name, "it's");
    assert_null(s->next);
    assert_true(n->negated);
    assert_int_equal(n->op, STIX_NE);
    assert_slice(n->constant->text, "a\\b");
    assert_int_equal(n->offset, 1);
    arena_free(&a);
}

static void test_stix_pattern__constants(void **state)
{
    struct arena a = ARENA_INIT;
    const struct stix_const *c;

    c = one(&a, "[a:x IN (-4, .5, +7, -0.25, true, h'0aFF', b'AQIDBA==', t'1970-01-01T00:00:01.5Z', 'x', '')]")
            ->constant;
    assert_int_equal(c->kind, STIX_INT);
    assert_int_equal(c->number, -4);
    c = c->next;
    assert_int_equal(c->kind, STIX_FLOAT);
    assert_true(c->real == 0.5);
    c = c->next;
    assert_int_equal(c->number, 7);
    c = c->next;
    assert_true(c->real == -0.25);
    c = c->next;
    assert_int_equal(c->kind, STIX_BOOL);
    assert_int_equal(c->number, 1);
    c = c->next;
    assert_int_equal(c->kind, STIX_HEX);
    assert_slice(c->text, "\x0a\xff");
    c = c->next;
    assert_int_equal(c->kind, STIX_BINARY);
    assert_slice(c->text, "\x01\x02\x03\x04");
    c = c->next;
    assert_int_equal(c->kind, STIX_TIMESTAMP);
    assert_int_equal(c->number, 1500000);
    c = c->next;
    assert_slice(c->text, "x");
    c = c->next;
    assert_slice(c->text, "");
    assert_null(c->next);
    c = one(&a, "[a:x = -9223372036854775808]")->constant;
    assert_true(c->number == INT64_MIN);
    arena_free(&a);
}

static void test_stix_pattern__qualifiers(void **state)
{
    struct arena a = ARENA_INIT;
    const struct stix_node *n = one(
        &a, "[a:x=1] REPEATS 3 TIMES WITHIN 1.5 SECONDS START t'1970-01-01T00:00:01Z' STOP t'1970-01-01T00:00:02Z'");

    assert_int_equal(n->op, STIX_START_STOP);
    assert_int_equal(n->start_us, 1000000);
    assert_int_equal(n->stop_us, 2000000);
    n = n->left;
    assert_int_equal(n->op, STIX_WITHIN);
    assert_true(n->within_s == 1.5);
    n = n->left;
    assert_int_equal(n->op, STIX_REPEATS);
    assert_int_equal(n->repeats, 3);
    assert_int_equal(n->left->kind, STIX_OBS);
    arena_free(&a);
}

/* What a producer gets wrong, and the words that tell it. */
static void test_stix_pattern__errors(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "offset 0: expected '['"},
        {"file:size = 1", "offset 0: expected '[' (each observation stands in square brackets)"},
        {"[file:size = 1", "offset 14: expected ']', but the pattern ends here"},
        {"[file:size = ]", "offset 13: expected a value"},
        {"[file:size 1]", "expected a comparison"},
        {"[file.size = 1]", "expected ':', found ."},
        {"[file:name = \"a\"]", "single quotes"},
        {"[file:name = 'a]", "never closed"},
        {"[file:name = 'C:\\temp']", "a backslash in a string is written \\\\"},
        {"[file:hashes.SHA-256 = 'a']", "a property name with a hyphen is written in single quotes"},
        {"[file:a = 1 and file:b = 2]", "keywords are upper case"},
        {"[file:a = True]", "keywords are upper case"},
        {"[file:a = 1] /* x", "comment that begins here is never closed"},
        {"[file:a = 05]", "not a number"},
        {"[file:a = 1e5]", "not a number"},
        {"[file:a = 5.]", "expected ']'"},
        {"[file:a = 99999999999999999999]", "at most 64 bits"},
        {"[file:a = 9223372036854775808]", "at most 64 bits"},
        {"[file:a > true]", "a value that has an order"},
        {"[file:a LIKE 5]", "a string in single quotes"},
        {"[file:a IN 5]", "expected '('"},
        {"[file:a IN (5,)]", "expected a value"},
        {"[NOT file:a = 1]", "an object type"},
        {"[file:a = h'abc']", "pairs of hexadecimal digits"},
        {"[file:a = b'====']", "base64"},
        {"[file:a = b'AQI']", "base64"},
        {"[file:a = t'2026-01-02 03:04:05Z']", "not a timestamp"},
        {"[file:a = t'2026-02-30T03:04:05Z']", "a day that exists"},
        {"[file:a = 1] WITHIN 5 HOURS", "expected SECONDS, found HOURS"},
        {"[file:a = 1] WITHIN -5 SECONDS", "a positive number of seconds"},
        {"[file:a = 1] REPEATS 0 TIMES", "a positive whole number of times"},
        {"[file:a = 1] REPEATS 1.5 TIMES", "a positive whole number of times"},
        {"[file:a = 1] START '2026-01-02T03:04:05Z' STOP t'2026-01-02T03:04:05Z'", "a timestamp like t'"},
        {"[file:a = 1] START t'2026-01-02T03:04:05Z'", "expected STOP, but the pattern ends here"},
        {"[file:a = 1] REPEATS 2 TIMES REPEATS 2 TIMES", "the same qualifier stands twice"},
        {"[file:a = 1] [file:b = 1]", "expected AND, OR, FOLLOWEDBY"},
        {"[file:a = 1]]", "the end of the pattern"},
        {"([file:a = 1]", "expected ')'"},
        {"[file:a[b] = 1]", "a list index or '*'"},
        {"[file:a[1 = 1]", "expected ']'"},
        {"[file:'x = 1]", "never closed"},
        {"[file:a \xe2\x80\x98= 1]", "a character outside ASCII"},
        {"[file:a = 1 & file:b = 1]", "'&' is no part of the pattern language"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        const struct stix_pattern *p;
        if (stix_pattern_parse(&a, slice_of(rows[i].text), &p, &err) == 0)
            fail_row(i, "%s was taken", rows[i].text);
        if (err.code != ERR_PATTERN_SYNTAX || strcmp(err.place, "/pattern") != 0 ||
            strstr(err.text, rows[i].says) == NULL)
            fail_row(i, "%s: %s %s: %s", rows[i].text, err_name(err.code), err.place, err.text);
        arena_free(&a);
    }
}

static void test_stix_pattern__blanks_and_comments(void **state)
{
    static const char *const rows[] = {
        " [ a:x = 1 ] ",
        "[a:x\t=\r\n1]\v\f",
        "[a:x\xc2\xa0=\xe2\x80\x83 1\xe3\x80\x80]", /* no-break, em, ideographic space */
        "[a:x = 1 /* why */ OR // the rest\n b:x = 1]",
        "/**/[a:x = 1]//",
        "[a:x IN(1,2)]",
        "[a:x MATCHES'^a$']",
        "[a : x . y [ * ] = 1]",
        "[a:x == 1 AND a:x <> 2]",
        "[a:x IN ()]",
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        const struct stix_pattern *p;
        if (stix_pattern_parse(&a, slice_of(rows[i]), &p, &err) != 0)
            fail_row(i, "%s: %s", rows[i], err.text);
        arena_free(&a);
    }
}

static void repeat(struct buf *out, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        buf_put(out, slice_of(text));
}

/* `n` of `open`, a core, `n` of `close`. */
static enum err_code nested(const char *open, const char *core, const char *close, int n)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    const struct stix_pattern *p;

    repeat(&text, open, n);
    buf_put(&text, slice_of(core));
    repeat(&text, close, n);
    stix_pattern_parse(&a, buf_slice(&text), &p, &err);
    buf_free(&text);
    arena_free(&a);
    return err.code;
}

static void test_stix_pattern__limits(void **state)
{
    assert_int_equal(nested("(", "[a:x=1]", ")", 63), ERR_NONE);
    assert_int_equal(nested("(", "[a:x=1]", ")", 64), ERR_PATTERN_LIMIT);
    assert_int_equal(nested("(", "[a:x=1]", "", 60000), ERR_PATTERN_LIMIT);
    assert_int_equal(nested("[", "a:x=1", "", 60000), ERR_PATTERN_SYNTAX); /* no bracket inside brackets */

    assert_int_equal(nested("", "[a:x=1", " OR a:x=1", 4095),
                     ERR_PATTERN_SYNTAX); /* ends too early, but is not too much */
    assert_int_equal(nested("", "[a:x=1", " OR a:x=1", 4096), ERR_PATTERN_LIMIT);

    struct arena a = ARENA_INIT;
    struct buf text = BUF_INIT;
    const struct stix_pattern *p;
    buf_put(&text, SLICE("[a:x=1]"));
    repeat(&text, " ", 64 * 1024 - 7);
    assert_int_equal(stix_pattern_parse(&a, buf_slice(&text), &p, NULL), 0);
    buf_put_byte(&text, ' ');
    struct err err = ERR_INIT;
    assert_int_equal(stix_pattern_parse(&a, buf_slice(&text), &p, &err), -1);
    assert_int_equal(err.code, ERR_PATTERN_LIMIT);

    buf_clear(&text); /* a long chain stays shallow */
    buf_put(&text, SLICE("[a:x=1"));
    repeat(&text, " OR a:x=1", 4095);
    buf_put_byte(&text, ']');
    assert_int_equal(stix_pattern_parse(&a, buf_slice(&text), &p, NULL), 0);
    assert_int_equal(p->comparisons, 4096);
    assert_int_equal(p->observations, 1);
    assert_int_equal(p->depth, 14);
    buf_free(&text);
    arena_free(&a);
}

/* A constant t'2024-02-30...' is a timestamp to the reference grammar, which checks digits by regular expression.
   STIX 2.1 section 9.3 takes timestamp constants to be those of section 3.2, which are RFC 3339's, and RFC 3339
   section 5.7 restricts the day by month: 30 February names no instant that anything could be compared with. */
static bool is_exception(struct slice pattern)
{
    static const struct slice days[] = {SLICE_INIT("t'2024-02-30T12:00:00Z'"), SLICE_INIT("t'2024-04-31T12:00:00Z'")};

    for (size_t i = 0; i < ROWS(days); i++)
        if (slice_find(pattern, days[i]) != pattern.len)
            return true;
    return false;
}

static void test_stix_pattern__conformance(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;
    struct slice rest, line;
    size_t n = 0, exceptions = 0;

    if (shared == NULL || file_read(&a, file_join(&a, shared, "conformance/pattern_syntax_cases.jsonl").ptr, 64 << 20,
                                    &rest, NULL) != 0) {
        arena_free(&a);
        leave_out("TOCSIN_SHARED names no conformance cases");
    }
    while (slice_cut(&rest, '\n', &line) && line.len != 0) {
        struct json row;
        struct err err = ERR_INIT;
        const struct stix_pattern *p;
        bool valid = false;
        assert_int_equal(json_parse(&a, line, &json_limits_default, &row, &err), 0);
        struct slice text = json_string(&a, json_get(row, SLICE("pattern")));
        assert_true(json_bool(json_get(row, SLICE("valid")), &valid));
        bool taken = stix_pattern_parse(&a, text, &p, &err) == 0;
        exceptions += is_exception(text);
        if (taken != (valid && !is_exception(text)))
            fail_row(n, "%.*s: %s", SLICE_ARG(text), taken ? "taken" : err.text);
        n++;
    }
    assert_true(n >= 268);
    assert_int_equal(exceptions, 2);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stix_pattern__precedence), cmocka_unit_test(test_stix_pattern__paths),
        cmocka_unit_test(test_stix_pattern__constants),  cmocka_unit_test(test_stix_pattern__qualifiers),
        cmocka_unit_test(test_stix_pattern__errors),     cmocka_unit_test(test_stix_pattern__blanks_and_comments),
        cmocka_unit_test(test_stix_pattern__limits),     cmocka_unit_test(test_stix_pattern__conformance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ours against jansson: what one accepts the other accepts, and both read the same values. Two differences: ours keeps
   a number as its text, and so accepts what no double holds (1e400); and jansson skips a NUL that stands behind a
   number. */
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "json_peer.h"

enum { DEPTH = 2048 }; /* jansson's own */

static const struct json_limits limits = {DEPTH, UINT32_MAX, UINT32_MAX, UINT32_MAX, SIZE_MAX};

static void put(struct arena *a, struct buf *out, struct json v)
{
    enum json_kind kind = json_kind(v);

    if (kind == JSON_STRING) {
        json_peer_put_string(out, json_string(a, v));
    } else if (kind == JSON_NUMBER) {
        json_peer_put_real(out, strtod(arena_copy(a, json_raw(v)).ptr, NULL));
    } else if (kind == JSON_ARRAY || kind == JSON_OBJECT) {
        buf_printf(out, "%c%u:", kind == JSON_ARRAY ? 'a' : 'o', json_count(v));
        json_each (child, v) {
            if (kind == JSON_OBJECT)
                json_peer_put_string(out, json_key(a, child));
            put(a, out, child);
        }
    } else {
        buf_put_byte(out, kind == JSON_TRUE ? 't' : kind == JSON_FALSE ? 'f' : 'z');
    }
}

/* Returns whether ours accepts. */
static bool agree(struct slice text, const char *what)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct buf read = BUF_INIT, expected = BUF_INIT;
    struct json root;
    char why[200];
    bool ours = json_parse(&a, text, &limits, &root, &err) == 0;
    bool theirs = json_peer_accepts(text, &expected, why);

    bool too_big = ours && strstr(why, "real number overflow") != NULL;
    bool has_nul = theirs && memchr(text.ptr, '\0', text.len) != NULL;
    if (ours != theirs && !too_big && !has_nul)
        fail_msg("%s: ours %s %s, jansson \"%s\": " SLICE_FMT, what, ours ? "accepts" : "refuses", err.text, why,
                 SLICE_ARG(slice_to(text, 300)));
    if (ours && theirs) {
        put(&a, &read, root);
        if (!slice_eq(buf_slice(&read), buf_slice(&expected)))
            fail_msg("%s: read differently: " SLICE_FMT, what, SLICE_ARG(slice_to(text, 300)));
    }
    buf_free(&read);
    buf_free(&expected);
    arena_free(&a);
    return ours;
}

static const struct slice seeds[] = {
    SLICE_INIT(
        "{\"type\":\"indicator\",\"id\":\"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\",\"labels\":[\"a\",\"b\"],"
        "\"n\":-12.50e+3,\"t\":true,\"f\":false,\"z\":null,\"e\":{},\"l\":[]}"),
    SLICE_INIT(
        " [ 0 , -1 , 10 , 0.5 , 1e1 , 1E-2 , \"\\\"\\\\\\/\\b\\f\\n\\r\\t\" , \"\\u05e9\\ud83d\\ude00\" ]\r\n\t"),
    SLICE_INIT("[\"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x82\xac \xf0\x9f\x94\x94 \xed\x9f\xbf "
               "\xef\xbf\xbd\",{\"\xc3\xa9\":[[[{}]]]}]"),
    SLICE_INIT("{\"a\":1,\"b\":{\"a\":1,\"b\":2},\"\\u0063\":[{\"a\":1},{\"a\":2}],\"\":\"\"}"),
};

/* Every byte of every seed replaced by each of a choice of bytes, removed, and each put in before it; and every
 * beginning. */
static void test_base_json_oracle__agrees_on_mutations(void **state)
{
    static const struct slice bytes =
        SLICE_INIT("\"\\{}[]:, \t\n\rtfnu0159-+.eEaAb/\x00\x01\x1f\x7f\x80\xbf\xc0\xc3\xd7\xdf\xe0\xe2\xed"
                   "\xef\xf0\xf4\xf5\xff");
    size_t accepted = 0, refused = 0;

    for (size_t i = 0; i < ROWS(seeds); i++) {
        assert_true(agree(seeds[i], "seed"));
        for (size_t at = 0; at < seeds[i].len; at++) {
            agree(slice_to(seeds[i], at), "beginning");
            for (size_t k = 0; k < 2 * bytes.len + 1; k++) {
                struct buf b = BUF_INIT;
                buf_put(&b, slice_to(seeds[i], at));
                if (k < 2 * bytes.len)
                    buf_put_byte(&b, bytes.ptr[k / 2]);
                buf_put(&b, slice_from(seeds[i], at + (k % 2 == 0)));
                if (agree(buf_slice(&b), "mutation"))
                    accepted++;
                else
                    refused++;
                buf_free(&b);
            }
        }
    }
    assert_true(accepted > 1000 && refused > 1000);
}

/* All sequences of one to three tokens, and many of four. */
static void test_base_json_oracle__agrees_on_token_sequences(void **state)
{
    static const char *const tokens[] = {"{",     "}",    "[",        "]",  ",",  ":",          "\"a\"", "\"\\u0061\"",
                                         "\"b\"", "1",    "-",        "01", "1.", "null",       "nul",   "true ",
                                         "1e5",   "\xc3", "\"\xff\"", "\"", "\\", "\"\\ud800\""};
    enum { N = ROWS(tokens) };
    size_t accepted = 0;

    for (size_t i = 0; i < (size_t)N * N * N * N; i += i < (size_t)N * N * N ? 1 : 7) {
        char text[64] = "";
        for (size_t rest = i; rest != 0 || text[0] == '\0'; rest /= N)
            strcat(text, tokens[rest % N]);
        accepted += agree(slice_of(text), "tokens");
    }
    assert_true(accepted > 20);
}

/* ---- generated documents ---- */

enum { GENERATED = 15000, MUTATIONS = 3, GENERATED_DEPTH = 7 };

struct generator {
    uint64_t state; /* a fixed seed: a failure comes again */
    struct buf out;
};

static uint32_t below(struct generator *g, uint32_t n) /* xorshift64*, by Vigna */
{
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return (uint32_t)((g->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static void generate_blanks(struct generator *g)
{
    while (below(g, 8) == 0)
        buf_put_byte(&g->out, " \t\n\r"[below(g, 4)]);
}

/* UTF-8 of all lengths, every escape, plain runs on both sides of sixteen bytes; `unique`: begins with it. */
static void generate_string(struct generator *g, uint32_t unique)
{
    static const struct slice parts[] = {
        SLICE_INIT("a"),
        SLICE_INIT(" "),
        SLICE_INIT("0123456789abcdefg"),
        SLICE_INIT("\\n"),
        SLICE_INIT("\\\""),
        SLICE_INIT("\\\\"),
        SLICE_INIT("\\/"),
        SLICE_INIT("\\u0041"),
        SLICE_INIT("\\ud83d\\ude00"),
        SLICE_INIT("\\uFFFF"),
        SLICE_INIT("\\u00e9"),
        SLICE_INIT("\xc3\xa9"),
        SLICE_INIT("\xe2\x82\xac"),
        SLICE_INIT("\xf0\x9f\x94\x94"),
        SLICE_INIT("\xf4\x8f\xbf\xbf"),
        SLICE_INIT("\x7f"),
    };

    buf_printf(&g->out, "\"%u", unique);
    for (uint32_t n = below(g, 8); n > 0; n--)
        buf_put(&g->out, parts[below(g, ROWS(parts))]);
    buf_put_byte(&g->out, '"');
}

static void generate_number(struct generator *g)
{
    buf_printf(&g->out, "%s%u", below(g, 3) == 0 ? "-" : "", below(g, 4) == 0 ? 0 : 1 + below(g, 2000000000));
    if (below(g, 3) == 0)
        buf_printf(&g->out, ".%u", below(g, 100000));
    if (below(g, 4) == 0)
        buf_printf(&g->out, "%c%s%u", below(g, 2) ? 'e' : 'E', (const char *[]){"", "+", "-"}[below(g, 3)],
                   below(g, 290));
}

static void generate(struct generator *g, int depth)
{
    uint32_t kind = below(g, depth > 0 ? 9 : 5), n = below(g, below(g, 20) == 0 ? 50 : 5);
    bool is_object = kind >= 7;

    generate_blanks(g);
    if (kind < 3) {
        buf_put(&g->out, (const struct slice[]){SLICE("null"), SLICE("true"), SLICE("false")}[kind]);
    } else if (kind == 3) {
        generate_number(g);
    } else if (kind == 4) {
        generate_string(g, 0);
    } else {
        buf_put_byte(&g->out, is_object ? '{' : '[');
        for (uint32_t i = 0; i < n; i++) {
            if (i != 0)
                buf_put_byte(&g->out, ',');
            generate_blanks(g);
            if (is_object) {
                generate_string(g, i);
                generate_blanks(g);
                buf_put_byte(&g->out, ':');
            }
            generate(g, depth - 1);
        }
        generate_blanks(g);
        buf_put_byte(&g->out, is_object ? '}' : ']');
    }
    generate_blanks(g);
}

/* One to four changes: a byte replaced, left out or put in, a piece twice, a piece gone, two bytes changing places. */
static struct slice mutate(struct generator *g, struct slice text, struct buf *out)
{
    buf_clear(out);
    buf_put(out, text);
    for (uint32_t n = 1 + below(g, 4); n > 0 && out->len > 2; n--) {
        uint32_t at = below(g, (uint32_t)out->len - 1), len = 1 + below(g, 12);
        struct slice rest = slice_from(text, at < text.len ? at : 0);
        uint32_t how = below(g, 5);
        if (how == 0) {
            out->ptr[at] = "\"\\{}[]:,0e-.\x80\xff\x01 utn"[below(g, 19)];
        } else if (how == 1) {
            memmove(out->ptr + at, out->ptr + at + 1, out->len - at - 1);
            out->len--;
        } else if (how == 2) {
            buf_put(out, slice_to(rest, len)); /* a piece of the original at the end */
        } else if (how == 3) {
            size_t cut = at + len < out->len ? len : out->len - at;
            memmove(out->ptr + at, out->ptr + at + cut, out->len - at - cut);
            out->len -= cut;
        } else {
            char c = out->ptr[at];
            out->ptr[at] = out->ptr[at + 1];
            out->ptr[at + 1] = c;
        }
    }
    return buf_slice(out);
}

static void test_base_json_oracle__agrees_on_generated(void **state)
{
    struct generator g = {.state = 8259};
    struct buf mutated = BUF_INIT;
    size_t accepted = 0, refused = 0;

    for (int i = 0; i < GENERATED; i++) {
        buf_clear(&g.out);
        generate(&g, GENERATED_DEPTH);
        struct slice text = buf_slice(&g.out);
        if (!agree(text, "generated"))
            fail_msg("a generated document is refused: " SLICE_FMT, SLICE_ARG(slice_to(text, 300)));
        for (int k = 0; k < MUTATIONS; k++) {
            bool good = agree(mutate(&g, text, &mutated), "mutated");
            accepted += good;
            refused += !good;
        }
    }
    print_message("# %d documents generated; of their mutations %zu accepted, %zu refused\n", GENERATED, accepted,
                  refused);
    assert_true(accepted > GENERATED / 4 && refused > GENERATED);
    buf_free(&g.out);
    buf_free(&mutated);
}

static void test_base_json_oracle__agrees_on_depth(void **state)
{
    for (int depth = DEPTH - 2; depth < DEPTH + 3; depth++) {
        struct buf b = BUF_INIT;
        for (int i = 0; i < depth; i++)
            buf_put_byte(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_put_byte(&b, ']');
        agree(buf_slice(&b), "depth");
        buf_free(&b);
    }
}

static size_t agree_on_directory(struct arena *a, const char *path)
{
    DIR *d = opendir(path);
    struct stat st;
    size_t n = 0;

    if (d == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        struct slice name = slice_of(entry->d_name), text;
        const char *full = file_join(a, path, entry->d_name).ptr;
        if (name.ptr[0] == '.' || stat(full, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            n += agree_on_directory(a, full);
        } else if (slice_ends(name, SLICE(".json")) || slice_ends(name, SLICE(".stix2"))) {
            assert_int_equal(file_map(full, &text, NULL), 0);
            agree(text, full);
            file_unmap(&text);
            n++;
        }
    }
    closedir(d);
    return n;
}

static void test_base_json_oracle__agrees_on_real_files(void **state)
{
    const char *shared = getenv("TOCSIN_SHARED");
    struct arena a = ARENA_INIT;

    if (shared == NULL || !file_exists(file_join(&a, shared, "data/stix").ptr)) {
        arena_free(&a);
        leave_out("TOCSIN_SHARED names no directory with data/stix");
    }
    assert_true(agree_on_directory(&a, file_join(&a, shared, "data/stix").ptr) > 100);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_json_oracle__agrees_on_mutations),
        cmocka_unit_test(test_base_json_oracle__agrees_on_token_sequences),
        cmocka_unit_test(test_base_json_oracle__agrees_on_generated),
        cmocka_unit_test(test_base_json_oracle__agrees_on_depth),
        cmocka_unit_test(test_base_json_oracle__agrees_on_real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "release_test.h"

/* Releases of objects made by chance: what is not named comes out byte for byte, and what must not be read never comes
 * out. */

static const char *any(struct chance *c, const char *const *list, uint32_t n)
{
    return list[chance_below(c, n)];
}

#define ANY(c, list) any(c, list, (uint32_t)ROWS(list))

/* ---- byte for byte: the object and what is expected of it are written side by side ---- */

struct pair {
    struct chance *chance;
    struct buf in, out;
};

static void both(struct pair *p, const char *text)
{
    buf_put(&p->in, slice_of(text));
    buf_put(&p->out, slice_of(text));
}

static void blanks(struct pair *p)
{
    static const char *const some[] = {"", "", "", " ", "\n\t", "  \r\n"};

    both(p, ANY(p->chance, some));
}

static void either(struct pair *p, const char *in, const char *out)
{
    buf_put(&p->in, slice_of(in));
    buf_put(&p->out, slice_of(out));
}

/* A reference: most often to something of the submitter's. */
static void reference(struct pair *p, struct arena *a)
{
    static const char *const kept[] = {"\"attack-pattern--f0f0f0f0-0000-4000-8000-000000000001\"",
                                       "\"ipv4-addr--11111111-1111-5111-8111-111111111111\"",
                                       "\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"", "\"0\"", "\"\""};
    struct slice id = arena_printf(a, "malware--%08x-0000-4000-9000-00000000000%x", chance_below(p->chance, 1 << 20),
                                   chance_below(p->chance, 16));

    if (chance_one_in(p->chance, 3)) {
        both(p, ANY(p->chance, kept));
        return;
    }
    buf_printf(&p->in, "\"%.*s\"", SLICE_ARG(id));
    buf_printf(&p->out, "\"%.*s\"", SLICE_ARG(test_minted(a, id)));
}

static void value(struct pair *p, struct arena *a, uint32_t depth)
{
    static const char *const plain[] = {"18446744073709551616",
                                        "1.50",
                                        "-0.0",
                                        "1E+400",
                                        "null",
                                        "true",
                                        "false",
                                        "[ ]",
                                        "{}",
                                        "\"\"",
                                        "\"\\u0041\\/\\ud83d\\ude00\\\"\\\\\"",
                                        "\"שלום é\"",
                                        "\"2026-01-01T00:00:00Z\"",
                                        "\"--\"",
                                        "\"a-b-c-d 00000000-0000-0000-0000-00000000000\""};
    uint32_t what = chance_below(p->chance, depth < 4 ? 8 : 6), n = chance_below(p->chance, 4);

    if (what < 5) {
        both(p, ANY(p->chance, plain));
    } else if (what == 5) {
        reference(p, a);
    } else {
        both(p, what == 6 ? "[" : "{");
        for (uint32_t i = 0; i < n; i++) {
            blanks(p);
            if (what == 7) {
                buf_printf(&p->in, "\"k\\u00%02x\":", 0x61 + i);
                buf_printf(&p->out, "\"k\\u00%02x\":", 0x61 + i);
            }
            value(p, a, depth + 1);
            both(p, i + 1 < n ? "," : "");
            blanks(p);
        }
        both(p, what == 6 ? "]" : "}");
    }
}

static void member(struct pair *p, const char *key)
{
    blanks(p);
    both(p, "\"");
    both(p, key);
    both(p, "\"");
    blanks(p);
    both(p, ":");
    blanks(p);
}

#define OWN_ID "indicator--00000000-0000-4000-8000-0000000000a1"

static void pair_write(struct pair *p, struct arena *a)
{
    static const char when[] = "\"2026-01-02T03:04:05.678901Z\"", epoch[] = "\"" INSTANT "\"";
    struct slice minted = test_minted(a, SLICE(OWN_ID));
    bool has_by = chance_one_in(p->chance, 2), has_marks = chance_one_in(p->chance, 2),
         has_until = chance_one_in(p->chance, 2);

    buf_clear(&p->in);
    buf_clear(&p->out);
    both(p, "{");
    member(p, "created");
    either(p, when, epoch);
    for (uint32_t i = 0, n = chance_below(p->chance, 6); i < n; i++) {
        char key[] = "x_a";
        key[2] = (char)('a' + i);
        both(p, ",");
        member(p, key);
        value(p, a, 0);
    }
    both(p, ",");
    member(p, "id");
    buf_printf(&p->in, "\"%s\"", OWN_ID);
    buf_printf(&p->out, "\"%.*s\"", SLICE_ARG(minted));
    both(p, ",\"type\":\"indicator\" , \"modified\":");
    either(p, when, epoch);
    if (has_by)
        either(p, ",\"created_by_ref\":\"identity--00000000-0000-4000-8000-0000000000aa\"",
               ",\"created_by_ref\":\"" COVER "\"");
    if (has_marks)
        either(p, ",\"object_marking_refs\":[]",
               ",\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"]");
    if (has_until)
        both(p, ",\"valid_until\":\"2030-01-01T00:00:00Z\"");
    if (!has_by)
        either(p, "", ",\"created_by_ref\":\"" COVER "\"");
    if (!has_marks)
        either(p, "", ",\"object_marking_refs\":[\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\"]");
    if (!has_until)
        either(p, "", ",\"valid_until\":\"" INSTANT "\"");
    blanks(p);
    both(p, "}");
}

static void test_share_release_chance__byte_for_byte(void **state)
{
    static const struct slice word = SLICE_INIT("gotham");
    struct chance c = chance_start("byte for byte");
    struct pair p = {&c, BUF_INIT, BUF_INIT};
    struct arena a = ARENA_INIT;

    for (uint32_t i = 0; i < test_cases(10000); i++) {
        arena_reset(&a);
        pair_write(&p, &a);
        buf_put_byte(&p.in, 0);
        struct stix_object o = test_object(&a, p.in.ptr);
        struct share_release_ask ask = {.object = &o,
                                        .cover_id = SLICE_INIT(COVER),
                                        .default_marking = true,
                                        .default_tlp = SHARE_CLEAR,
                                        .default_valid_for_us = 5,
                                        .secrets = {&word, 1}};
        struct share_release r;
        struct err err = ERR_INIT;
        if (test_release(&a, &ask, &r, &err) != 0)
            fail_msg("case %u: %s", i, err.text);
        if (!slice_eq(r.body, buf_slice(&p.out)))
            fail_msg("case %u: %s\n%.*s\nexpected\n%.*s", i, p.in.ptr, SLICE_ARG(r.body), (int)p.out.len, p.out.ptr);
        test_places(&r);
        assert_int_equal(r.withheld, 0);
    }
    buf_free(&p.in);
    buf_free(&p.out);
    arena_free(&a);
}

/* ---- the canary ---- */

struct planting {
    struct chance *chance;
    struct buf out;
    char parts[2][8]; /* the secret is one or two words */
    uint32_t n_parts, planted;
};

static void put_char(struct planting *p, char ch)
{
    if (chance_one_in(p->chance, 2) && ch >= 'a' && ch <= 'z')
        ch = (char)(ch - 32);
    if (chance_one_in(p->chance, 8))
        buf_printf(&p->out, "\\u%04x", (unsigned)ch);
    else
        buf_put_byte(&p->out, ch);
}

static void put_canary(struct planting *p)
{
    static const char *const before[] = {"", " ", "x ", "(", "www.", "a@", "1", "é", "/", "\\n", "\\\"", "_"};
    static const char *const between[] = {"", " ", "-", "_", ".", "  ", "%20", "[.]", "\\n"};
    static const char *const after[] = {"", " x", ".example", ",", "2", "ש", "_a", "'s"};

    buf_put(&p->out, slice_of(ANY(p->chance, before)));
    for (uint32_t part = 0; part < p->n_parts; part++) {
        if (part > 0)
            buf_put(&p->out, slice_of(ANY(p->chance, between)));
        for (const char *ch = p->parts[part]; *ch != 0; ch++)
            put_char(p, *ch);
    }
    buf_put(&p->out, slice_of(ANY(p->chance, after)));
    p->planted++;
}

static void put_text(struct planting *p)
{
    static const char *const harmless[] = {"", "a phishing page", "see malware--00000000-0000-4000-8000-0000000000a2",
                                           "\\u00e9\\n", "[ipv4-addr:value = '192.0.2.7']"};

    buf_put_byte(&p->out, '"');
    buf_put(&p->out, slice_of(ANY(p->chance, harmless)));
    if (chance_one_in(p->chance, 10)) {
        buf_put_byte(&p->out, ' ');
        put_canary(p);
    }
    buf_put_byte(&p->out, '"');
}

static void put_any(struct planting *p, uint32_t depth)
{
    uint32_t what = chance_below(p->chance, depth < 3 ? 4 : 2), n = 1 + chance_below(p->chance, 3);

    if (what < 2) {
        put_text(p);
        return;
    }
    buf_put_byte(&p->out, what == 2 ? '[' : '{');
    for (uint32_t i = 0; i < n; i++) {
        buf_put(&p->out, slice_of(i > 0 ? "," : ""));
        if (what == 3) {
            buf_printf(&p->out, "\"x_%u", i);
            if (chance_one_in(p->chance, 10))
                put_canary(p);
            buf_put(&p->out, SLICE("\":"));
        }
        put_any(p, depth + 1);
    }
    buf_put_byte(&p->out, what == 2 ? ']' : '}');
}

static void planting_word(struct planting *p)
{
    p->planted = 0;
    p->n_parts = 1 + chance_below(p->chance, 2);
    for (uint32_t part = 0; part < 2; part++) {
        for (int i = 0; i < 6; i++)
            p->parts[part][i] = (char)('a' + chance_below(p->chance, 26));
        p->parts[part][6] = 0;
    }
}

/* A property in the shape that STIX asks for, of strings that may hold the canary. */
static void put_property(struct planting *p, const char *key)
{
    buf_printf(&p->out, ",\"%s\":", key);
    if (strncmp(key, "x_", 2) == 0) {
        put_any(p, 0);
    } else if (strcmp(key, "external_references") == 0) {
        buf_put(&p->out, SLICE("[{\"source_name\":\"x\",\"description\":"));
        put_text(p);
        buf_put(&p->out, SLICE("}]"));
    } else if (strcmp(key, "labels") == 0 || strcmp(key, "aliases") == 0 || strcmp(key, "roles") == 0) {
        buf_put(&p->out, SLICE("[\"x\","));
        put_text(p);
        buf_put(&p->out, SLICE("]"));
    } else {
        put_text(p);
    }
}

#define DATES                                                                                                          \
    "\"spec_version\":\"2.1\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","
#define UUID "00000000-0000-4000-8000-0000000000"

static void planting_object(struct planting *p)
{
    static const struct {
        const char *head;
        const char *keys[6]; /* of them some */
    } shapes[] = {
        {"{\"type\":\"indicator\",\"id\":\"indicator--" UUID "a1\"," DATES "\"pattern\":\"[ipv4-addr:value = "
         "'192.0.2.7']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\"",
         {"name", "description", "labels", "external_references", "x_more", "x_other"}},
        {"{\"type\":\"malware\",\"id\":\"malware--" UUID "a2\"," DATES "\"is_family\":false",
         {"name", "description", "aliases", "external_references", "x_more"}},
        {"{\"type\":\"identity\",\"id\":\"identity--" UUID "a3\"," DATES "\"identity_class\":\"group\"",
         {"name", "description", "roles", "contact_information", "x_more"}},
        {"{\"type\":\"domain-name\",\"spec_version\":\"2.1\",\"id\":\"domain-name--11111111-1111-5111-8111-"
         "111111111111\",\"value\":\"bad.example\"",
         {"x_more"}},
        {"{\"type\":\"email-addr\",\"spec_version\":\"2.1\",\"id\":\"email-addr--" UUID
         "a4\",\"value\":\"a@bad.example\"",
         {"display_name", "x_more"}},
        {"{\"type\":\"x-thing\",\"spec_version\":\"2.1\",\"id\":\"x-thing--" UUID "a5\"", {"name", "x_more"}},
        {"{\"type\":\"relationship\",\"id\":\"relationship--" UUID "a6\"," DATES
         "\"relationship_type\":\"uses\",\"source_ref\":\"malware--" UUID "a7\",\"target_ref\":\"tool--" UUID "a8\"",
         {"description", "labels", "x_more"}},
        {"{\"type\":\"tool\",\"id\":\"tool--" UUID "a9\"," DATES "\"revoked\":false",
         {"name", "description", "aliases"}},
    };
    uint32_t shape = chance_below(p->chance, ROWS(shapes));
    const char *last = "";

    buf_clear(&p->out);
    buf_put(&p->out, slice_of(shapes[shape].head));
    for (size_t i = 0; i < 6 && shapes[shape].keys[i] != NULL; i++) {
        const char *key = shapes[shape].keys[i];
        if (strcmp(key, last) == 0 || chance_one_in(p->chance, 3))
            continue;
        put_property(p, key);
        last = key;
    }
    buf_put(&p->out, SLICE("}"));
    buf_put_byte(&p->out, 0);
}

/* Lower case, without what may separate: whatever way it was written, it reads the same. */
static void bare(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        if (text.len - i >= 3 && memcmp(text.ptr + i, "%20", 3) == 0)
            i += 2;
        else if (strchr(" -_.+\n\r\t[]()", ch) == NULL || ch == 0)
            buf_put_byte(out, ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch);
    }
}

static bool reads(struct arena *a, struct json v, struct slice word)
{
    struct buf text = BUF_INIT;
    bool found;

    bare(json_key(a, v), &text);
    buf_put_byte(&text, '\n');
    bare(json_string(a, v), &text);
    found = slice_find(buf_slice(&text), word) != text.len;
    buf_free(&text);
    json_each (inner, v)
        found = found || reads(a, inner, word);
    return found;
}

static void test_share_release_chance__canary(void **state)
{
    struct chance c = chance_start("canary");
    struct planting p = {.chance = &c, .out = BUF_INIT};
    struct arena a = ARENA_INIT;
    uint32_t withheld = 0, holds = 0, whole = 0;

    for (uint32_t i = 0; i < test_cases(20000); i++) {
        arena_reset(&a);
        planting_word(&p);
        planting_object(&p);
        struct slice words[2] = {SLICE("unrelated"), arena_printf(&a, "%s%s%s", p.parts[0], p.n_parts > 1 ? " " : "",
                                                                  p.n_parts > 1 ? p.parts[1] : "")};
        struct stix_object o = test_object(&a, p.out.ptr);
        struct share_release_ask ask = {.object = &o,
                                        .cover_id = SLICE_INIT(COVER),
                                        .default_marking = chance_one_in(&c, 2),
                                        .default_valid_for_us = chance_below(&c, 2),
                                        .secrets = {words, 2}};
        struct share_release r;
        struct err err = ERR_INIT;
        if (test_release(&a, &ask, &r, &err) != 0) {
            assert_int_equal(err.code, ERR_HELD_PRIVACY);
            if (p.planted == 0)
                fail_msg("case %u: held without cause at %s: %s", i, err.place, p.out.ptr);
            holds++;
            continue;
        }
        struct slice plain = arena_printf(&a, "%s%s", p.parts[0], p.n_parts > 1 ? p.parts[1] : "");
        if (reads(&a, test_json(&a, arena_copy(&a, r.body).ptr), plain))
            fail_msg("case %u: \"%.*s\" is read in %.*s\nmade of %s", i, SLICE_ARG(words[1]), SLICE_ARG(r.body),
                     p.out.ptr);
        assert_true(r.withheld == 0 || p.planted > 0);
        withheld += r.withheld != 0;
        whole += r.withheld == 0;
    }
    print_message("# %u whole, %u with something withheld, %u held\n", whole, withheld, holds);
    assert_true(whole > 1000 && withheld > 1000 && holds > 1000);
    buf_free(&p.out);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_release_chance__byte_for_byte),
        cmocka_unit_test(test_share_release_chance__canary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

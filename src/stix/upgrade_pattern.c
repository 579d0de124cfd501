/* Patterns of STIX 2.0 (part 5) by the grammar of 2.1: START and STOP take timestamps, not strings, and object paths go
   by the 2.1 names of properties; and the way back. Word by word: everything else, blanks too, comes out as it went in.
 */
#include "stix/lex.h"
#include "stix/upgrade.h"

enum { PATTERN_MAX = 64 * 1024 }; /* what stix_pattern_parse reads */

struct rewriting {
    struct arena *arena;
    struct lex lex;
    struct buf out;
    size_t copied;         /* of the text */
    enum lex_kind before;  /* the word before this one */
    struct slice word, of; /* that word; what the next step is a property of, empty where that is not known */
    bool in_path, in_index;
    bool back;   /* from 2.1 to 2.0 */
    bool exists; /* EXISTS stands in it: of 2.1 alone */
};

/* What the step behind this one is a property of: of what a reference names, where that can be one type only, or types
   that changed alike; of an extension; of a dictionary of hashes. */
static struct slice behind(struct slice of, struct slice step)
{
    static const struct {
        struct slice step, type;
    } rows[] = {
        {SLICE_INIT("image_ref"), SLICE_INIT("file")},
        {SLICE_INIT("service_dll_refs"), SLICE_INIT("file")},
        {SLICE_INIT("contains_refs"), SLICE_INIT("file")},
        {SLICE_INIT("parent_directory_ref"), SLICE_INIT("directory")},
        {SLICE_INIT("creator_user_ref"), SLICE_INIT("user-account")},
        {SLICE_INIT("belongs_to_ref"), SLICE_INIT("user-account")},
        {SLICE_INIT("parent_ref"), SLICE_INIT("process")},
        {SLICE_INIT("child_refs"), SLICE_INIT("process")},
        {SLICE_INIT("extensions"), SLICE_INIT("extensions")},
        {SLICE_INIT("hashes"), SLICE_INIT("hashes")},
        {SLICE_INIT("file_header_hashes"), SLICE_INIT("hashes")},
    };

    if (slice_eq(of, SLICE("extensions")))
        return step;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_eq(rows[i].step, step))
            return rows[i].type;
    return SLICE("");
}

static void replace_word(struct rewriting *r, struct slice with)
{
    buf_put(&r->out, slice_n(r->lex.text.ptr + r->copied, r->lex.offset - r->copied));
    buf_put(&r->out, with);
    r->copied = r->lex.at;
}

/* A process had a name of its own in 2.0; in 2.1 it is that of its image. */
static struct slice step_name(struct slice of, struct slice step)
{
    if (slice_eq(of, SLICE("process")) && slice_eq(step, SLICE("name")))
        return SLICE("image_ref.name");
    return upgrade_name(of, step);
}

static void step_rewrite(struct rewriting *r)
{
    struct slice step = r->lex.kind == LEX_STRING ? lex_string(r->arena, &r->lex) : r->lex.word;
    struct slice with = r->back ? downgrade_name(r->of, step) : step_name(r->of, step);

    if (with.ptr != step.ptr)
        replace_word(r, with);
    r->of = behind(r->of, r->back ? step : with); /* which goes by the names of 2.1 */
}

static void path_follow(struct rewriting *r)
{
    enum lex_kind kind = r->lex.kind;

    if ((kind == LEX_NAME || kind == LEX_STRING) && (r->before == LEX_COLON || r->before == LEX_DOT))
        step_rewrite(r);
    else if (kind == LEX_OPEN)
        r->in_index = true;
    else if (kind == LEX_CLOSE && r->in_index)
        r->in_index = false;
    else if (kind != LEX_DOT && !r->in_index)
        r->in_path = false;
}

/* STIX 2.0 part 5 section 4.1.1: START and STOP take a string. */
static void instant_rewrite(struct rewriting *r)
{
    buf_put(&r->out, slice_n(r->lex.text.ptr + r->copied, r->lex.offset - r->copied));
    r->copied = r->lex.offset;
    if (r->back)
        r->copied++; /* the t before the quote */
    else
        buf_put_byte(&r->out, 't');
}

static void word_rewrite(struct rewriting *r)
{
    enum lex_kind instant = r->back ? LEX_TIMESTAMP : LEX_STRING;

    r->exists = r->exists || r->lex.kind == LEX_EXISTS;
    if (r->lex.kind == LEX_COLON) {
        r->in_path = true;
        r->in_index = false;
        r->of = r->word;
    } else if (r->in_path) {
        path_follow(r);
    } else if (r->lex.kind == instant && (r->before == LEX_START || r->before == LEX_STOP)) {
        instant_rewrite(r);
    }
    r->before = r->lex.kind;
    r->word = r->lex.word;
}

/* false: not to be read to its end. *out is the text itself where nothing in it changes. */
static bool pattern_rewrite(struct rewriting *r, struct slice *out)
{
    struct slice text = r->lex.text;
    int result;

    while ((result = lex_next(&r->lex, NULL)) == 0 && r->lex.kind != LEX_END)
        word_rewrite(r);
    *out = text;
    if (result == 0 && r->copied != 0) {
        buf_put(&r->out, slice_from(text, r->copied));
        *out = arena_copy(r->arena, buf_slice(&r->out));
    }
    buf_free(&r->out);
    return result == 0;
}

bool upgrade_pattern(struct arena *a, struct slice text, struct slice *out)
{
    struct rewriting r = {.arena = a, .lex = {.text = text}};

    return text.len <= PATTERN_MAX && pattern_rewrite(&r, out) && out->ptr != text.ptr;
}

int downgrade_pattern(struct arena *a, struct slice text, struct slice *out, struct err *err)
{
    struct rewriting r = {.arena = a, .lex = {.text = text}, .back = true};

    if (text.len > PATTERN_MAX || !pattern_rewrite(&r, out))
        return err_set(err, ERR_STIX_VERSION, "/pattern", "cannot be read as a pattern of STIX 2.1");
    if (r.exists)
        return err_set(err, ERR_STIX_VERSION, "/pattern", "STIX 2.0 has no EXISTS");
    return 0;
}

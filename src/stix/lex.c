#include "stix/lex.h"

#include "base/time.h"

static const struct {
    struct slice word;
    enum lex_kind kind;
} keywords[] = {
    {SLICE_INIT("AND"), LEX_AND},
    {SLICE_INIT("OR"), LEX_OR},
    {SLICE_INIT("NOT"), LEX_NOT},
    {SLICE_INIT("FOLLOWEDBY"), LEX_FOLLOWEDBY},
    {SLICE_INIT("LIKE"), LEX_LIKE},
    {SLICE_INIT("MATCHES"), LEX_MATCHES},
    {SLICE_INIT("ISSUPERSET"), LEX_ISSUPERSET},
    {SLICE_INIT("ISSUBSET"), LEX_ISSUBSET},
    {SLICE_INIT("EXISTS"), LEX_EXISTS},
    {SLICE_INIT("IN"), LEX_IN},
    {SLICE_INIT("START"), LEX_START},
    {SLICE_INIT("STOP"), LEX_STOP},
    {SLICE_INIT("SECONDS"), LEX_SECONDS},
    {SLICE_INIT("TIMES"), LEX_TIMES},
    {SLICE_INIT("WITHIN"), LEX_WITHIN},
    {SLICE_INIT("REPEATS"), LEX_REPEATS},
    {SLICE_INIT("true"), LEX_TRUE},
    {SLICE_INIT("false"), LEX_FALSE},
};

const char *lex_kind_text(enum lex_kind kind)
{
    static const char *const texts[LEX_KINDS] = {
        [LEX_END] = "the end of the pattern",
        [LEX_OPEN] = "'['",
        [LEX_CLOSE] = "']'",
        [LEX_LEFT] = "'('",
        [LEX_RIGHT] = "')'",
        [LEX_COLON] = "':'",
        [LEX_DOT] = "'.'",
        [LEX_COMMA] = "','",
        [LEX_STAR] = "'*'",
        [LEX_STRING] = "a string in single quotes",
        [LEX_INT] = "a whole number",
        [LEX_TIMESTAMP] = "a timestamp like t'2026-01-02T03:04:05Z'",
        [LEX_STOP] = "STOP",
        [LEX_SECONDS] = "SECONDS",
        [LEX_TIMES] = "TIMES",
    };

    return texts[kind] != NULL ? texts[kind] : "a word of the pattern language";
}

static struct slice shown(const struct lex *l)
{
    struct slice from = slice_n(l->text.ptr + l->offset, l->at - l->offset);
    size_t n = from.len < 40 ? from.len : 40;

    while (n > 0 && n < from.len && ((unsigned char)from.ptr[n] & 0xc0) == 0x80) /* not within a character */
        n--;
    return slice_to(from, n);
}

static bool is_keyword_in_lower_case(struct slice word)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (slice_eq_nocase(word, keywords[i].word) && !slice_eq(word, keywords[i].word))
            return true;
    return false;
}

int lex_expected(const struct lex *l, const char *what, struct err *err)
{
    const char *hint = "";

    if (l->kind == LEX_END)
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: expected %s, but the pattern ends here",
                       l->offset, what);
    if (l->kind == LEX_NAME && is_keyword_in_lower_case(l->word))
        hint = " (keywords are upper case, true and false lower case)";
    else if (l->kind == LEX_HYPHENS)
        hint = " (a property name with a hyphen is written in single quotes)";
    return err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: expected %s, found " SLICE_FMT "%s", l->offset,
                   what, SLICE_ARG(shown(l)), hint);
}

/* ---- what is skipped ---- */

/* Bytes of a blank at `at`: ASCII white space and the Unicode spaces that copying out of a document leaves behind. */
static size_t blank_len(struct slice text, size_t at)
{
    static const struct slice wide[] = {
        SLICE_INIT("\xc2\x85"),     SLICE_INIT("\xc2\xa0"),     SLICE_INIT("\xe1\x9a\x80"), SLICE_INIT("\xe2\x80\xa8"),
        SLICE_INIT("\xe2\x80\xa9"), SLICE_INIT("\xe2\x80\xaf"), SLICE_INIT("\xe2\x81\x9f"), SLICE_INIT("\xe3\x80\x80"),
    };
    unsigned char c = (unsigned char)text.ptr[at];
    struct slice rest = slice_from(text, at);

    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c < 0x80)
        return 0;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (slice_starts(rest, wide[i]))
            return wide[i].len;
    if (rest.len >= 3 && slice_starts(rest, SLICE("\xe2\x80")) &&
        (unsigned char)rest.ptr[2] <= 0x8a) /* U+2000 to U+200A */
        return 3;
    return 0;
}

static int comment_skip(struct lex *l, struct err *err)
{
    struct slice rest = slice_from(l->text, l->at);

    if (slice_starts(rest, SLICE("//"))) {
        while (l->at < l->text.len && l->text.ptr[l->at] != '\n' && l->text.ptr[l->at] != '\r')
            l->at++;
        return 0;
    }
    size_t end = slice_find(slice_from(rest, 2), SLICE("*/"));
    if (end + 2 >= rest.len)
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: the comment that begins here is never closed",
                       l->at);
    l->at += 2 + end + 2;
    return 0;
}

static int blanks_skip(struct lex *l, struct err *err)
{
    while (l->at < l->text.len) {
        struct slice rest = slice_from(l->text, l->at);
        size_t n = blank_len(l->text, l->at);
        l->at += n;
        if (n != 0)
            continue;
        if (!slice_starts(rest, SLICE("//")) && !slice_starts(rest, SLICE("/*")))
            return 0;
        if (comment_skip(l, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Between single quotes; only \' and \\ may follow a backslash (section 9.3). */
static int quoted_next(struct lex *l, enum lex_kind kind, struct err *err)
{
    size_t start = ++l->at; /* behind the quote */

    l->kind = kind;
    l->has_escape = false;
    while (l->at < l->text.len && l->text.ptr[l->at] != '\'') {
        if (l->text.ptr[l->at] == '\\') {
            char next = l->at + 1 < l->text.len ? l->text.ptr[l->at + 1] : '\0';
            if (next != '\'' && next != '\\')
                return err_set(err, ERR_PATTERN_SYNTAX, "/pattern",
                               "offset %zu: a backslash in a string is written \\\\ and a quote \\'", l->at);
            l->has_escape = true;
            l->at++;
        }
        l->at++;
    }
    if (l->at >= l->text.len)
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: the string that begins here is never closed",
                       l->offset);
    l->word = slice_n(l->text.ptr + start, l->at - start);
    l->at++;
    return 0;
}

static int name_next(struct lex *l, struct err *err)
{
    bool has_hyphen = false;

    while (l->at < l->text.len &&
           (is_name_char(l->text.ptr[l->at]) || is_digit(l->text.ptr[l->at]) || l->text.ptr[l->at] == '-')) {
        has_hyphen |= l->text.ptr[l->at] == '-';
        l->at++;
    }
    l->word = slice_n(l->text.ptr + l->offset, l->at - l->offset);
    if (l->word.len == 1 && l->at < l->text.len && l->text.ptr[l->at] == '\'') {
        if (l->word.ptr[0] == 't')
            return quoted_next(l, LEX_TIMESTAMP, err);
        if (l->word.ptr[0] == 'h')
            return quoted_next(l, LEX_HEX, err);
        if (l->word.ptr[0] == 'b')
            return quoted_next(l, LEX_BINARY, err);
    }
    l->kind = has_hyphen ? LEX_HYPHENS : LEX_NAME;
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]) && !has_hyphen; i++)
        if (slice_eq(l->word, keywords[i].word))
            l->kind = keywords[i].kind;
    return 0;
}

/* Sign, digits without a leading zero, and for a float a point with digits behind it: .5, +3, -0.25. */
static int number_next(struct lex *l, struct err *err)
{
    const char *p = l->text.ptr;
    size_t digits, n = l->text.len;

    if (p[l->at] == '+' || p[l->at] == '-')
        l->at++;
    digits = l->at;
    while (l->at < n && is_digit(p[l->at]))
        l->at++;
    bool is_float = l->at + 1 < n && p[l->at] == '.' && is_digit(p[l->at + 1]);
    size_t whole = l->at - digits;
    l->at += is_float;
    while (is_float && l->at < n && is_digit(p[l->at]))
        l->at++;
    l->kind = is_float ? LEX_FLOAT : LEX_INT;
    l->word = slice_n(p + l->offset, l->at - l->offset);
    if ((whole == 0 && !is_float) || (!is_float && whole > 1 && p[digits] == '0') ||
        (l->at < n && is_name_char(p[l->at])))
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern",
                       "offset %zu: not a number; text values stand in single quotes", l->offset);
    return 0;
}

static int sign_next(struct lex *l, struct err *err)
{
    static const struct {
        struct slice sign;
        enum lex_kind kind;
    } signs[] = {
        {SLICE_INIT("=="), LEX_EQ},   {SLICE_INIT("="), LEX_EQ},   {SLICE_INIT("!="), LEX_NE},
        {SLICE_INIT("<>"), LEX_NE},   {SLICE_INIT("<="), LEX_LE},  {SLICE_INIT("<"), LEX_LT},
        {SLICE_INIT(">="), LEX_GE},   {SLICE_INIT(">"), LEX_GT},   {SLICE_INIT("["), LEX_OPEN},
        {SLICE_INIT("]"), LEX_CLOSE}, {SLICE_INIT("("), LEX_LEFT}, {SLICE_INIT(")"), LEX_RIGHT},
        {SLICE_INIT(":"), LEX_COLON}, {SLICE_INIT("."), LEX_DOT},  {SLICE_INIT(","), LEX_COMMA},
        {SLICE_INIT("*"), LEX_STAR},
    };
    struct slice rest = slice_from(l->text, l->at);

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (slice_starts(rest, signs[i].sign)) {
            l->kind = signs[i].kind;
            l->word = slice_to(rest, signs[i].sign.len);
            l->at += l->word.len;
            return 0;
        }
    if (rest.ptr[0] == '"')
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern",
                       "offset %zu: strings and quoted names stand in single quotes, not double ones", l->at);
    if ((unsigned char)rest.ptr[0] >= 0x80)
        return err_set(err, ERR_PATTERN_SYNTAX, "/pattern",
                       "offset %zu: a character outside ASCII may stand only inside quotes", l->at);
    return err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: '%c' is no part of the pattern language", l->at,
                   rest.ptr[0]);
}

int lex_next(struct lex *l, struct err *err)
{
    if (blanks_skip(l, err) != 0)
        return -1;
    l->offset = l->at;
    if (l->at == l->text.len) {
        l->kind = LEX_END;
        l->word = slice_from(l->text, l->at);
        return 0;
    }
    char c = l->text.ptr[l->at], next = l->at + 1 < l->text.len ? l->text.ptr[l->at + 1] : '\0';
    if (c == '\'')
        return quoted_next(l, LEX_STRING, err);
    if (is_name_char(c))
        return name_next(l, err);
    if (is_digit(c) || c == '+' || c == '-' || (c == '.' && is_digit(next)))
        return number_next(l, err);
    return sign_next(l, err);
}

/* ---- constants ---- */

struct slice lex_string(struct arena *a, const struct lex *l)
{
    size_t n = 0;

    if (!l->has_escape)
        return l->word;
    char *out = arena_alloc(a, l->word.len);
    for (size_t i = 0; i < l->word.len; i++) {
        if (l->word.ptr[i] == '\\')
            i++;
        out[n++] = l->word.ptr[i];
    }
    return slice_n(out, n);
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int lex_hex(struct arena *a, const struct lex *l, struct slice *bytes_out, struct err *err)
{
    char *out = arena_alloc(a, l->word.len / 2 + 1);
    bool good = l->word.len % 2 == 0;

    for (size_t i = 0; good && i < l->word.len; i += 2) {
        int high = hex_digit(l->word.ptr[i]), low = hex_digit(l->word.ptr[i + 1]);
        good = high >= 0 && low >= 0;
        out[i / 2] = (char)(high * 16 + low);
    }
    *bytes_out = slice_n(out, l->word.len / 2);
    return good ? 0
                : err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: h'...' holds pairs of hexadecimal digits",
                          l->offset);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int lex_binary(struct arena *a, const struct lex *l, struct slice *bytes_out, struct err *err)
{
    struct slice text = l->word;
    size_t n = 0, padding = slice_ends(text, SLICE("==")) ? 2 : slice_ends(text, SLICE("=")) ? 1 : 0;
    char *out = arena_alloc(a, text.len / 4 * 3 + 3);
    uint32_t bits = 0;
    bool good = text.len != 0 && text.len % 4 == 0;

    for (size_t i = 0; good && i < text.len - padding; i++) {
        int digit = base64_digit(text.ptr[i]);
        good = digit >= 0;
        bits = bits << 6 | (uint32_t)(digit & 63);
        if (i % 4 != 0)
            out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    *bytes_out = slice_n(out, n);
    return good ? 0
                : err_set(err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: b'...' holds base64 with its padding",
                          l->offset);
}

int lex_timestamp(const struct lex *l, int64_t *us_out, struct err *err)
{
    if (time_parse_stix(l->word, us_out))
        return 0;
    return err_set(err, ERR_PATTERN_SYNTAX, "/pattern",
                   "offset %zu: not a timestamp: t'2026-01-02T03:04:05.678Z' is the form, with T and Z in upper case "
                   "and a day that exists",
                   l->offset);
}

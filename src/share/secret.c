#include "share/internal.h"

/* How a name is recognised. Case does not matter (Latin, Greek, Cyrillic). What separates its parts does not either:
   "Gotham National" is found in "gotham-national.example", "GothamNational", "gotham[.]national" and
   "gotham\\.national". A match counts only where the name is not part of a longer word: no Latin letter may go on where
   it begins or ends with one, no digit where with one. Scripts that write prefixes together with the name, or no blanks
   at all, know no such border.
 */

enum { WORD_MIN = 3 };

static uint32_t fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) /* capital and small in turn, the capital even */
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) /* the capital odd */
        return c + (c & 1);
    return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

/* The character at *at, folded; *at moves behind it. The text is valid UTF-8: JSON was checked; what is not counts by
 * byte. */
static uint32_t next_char(struct slice s, size_t *at)
{
    unsigned char c = (unsigned char)s.ptr[(*at)++];
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC2 ? 1 : 0;
    uint32_t value = c;

    if (c < 0x80)
        return fold(c);
    if (*at + (size_t)more > s.len || more == 0)
        return value;
    value &= 0x3Fu >> more;
    for (; more > 0; more--)
        value = value << 6 | ((unsigned char)s.ptr[(*at)++] & 0x3Fu);
    return fold(value);
}

static bool is_separator(char c)
{
    return c != 0 && strchr(" -_.+\t\n\r[]()\\", c) != NULL;
}

static size_t skip_separators(struct slice s, size_t at)
{
    for (;;) {
        if (at < s.len && is_separator(s.ptr[at]))
            at++;
        else if (at + 3 <= s.len && memcmp(s.ptr + at, "%20", 3) == 0)
            at += 3;
        else
            return at;
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool goes_on(char one, char next)
{
    return (is_letter(one) && is_letter(next)) || (is_digit(one) && is_digit(next));
}

/* Names come as people write them; separators around them say nothing. */
static struct slice word_trim(struct slice word)
{
    size_t at = skip_separators(word, 0);

    word = slice_from(word, at);
    while (word.len != 0 && is_separator(word.ptr[word.len - 1]))
        word.len--;
    return word;
}

static bool word_counts(struct slice word)
{
    size_t n = 0;

    for (size_t i = 0; i < word.len; i++)
        n += !is_separator(word.ptr[i]);
    return n >= WORD_MIN;
}

/* Folding keeps ASCII apart from the rest; there it may change the first byte. */
static bool may_begin(char c, char first)
{
    return (unsigned char)first >= 0x80 ? (unsigned char)c >= 0x80
                                        : ((c ^ first) & ~(is_letter(first) ? 0x20 : 0)) == 0;
}

/* `at` is a place where no word goes on. */
static bool matches_at(struct slice text, size_t begin, struct slice word)
{
    size_t at = begin, w = 0;

    while (w < word.len) {
        size_t part = skip_separators(word, w);
        if (part != w) {
            w = part;
            at = skip_separators(text, at);
        }
        if (at >= text.len || next_char(text, &at) != next_char(word, &w))
            return false;
    }
    return at >= text.len || !goes_on(word.ptr[word.len - 1], text.ptr[at]);
}

void share_secret_finder_make(struct arena *a, const struct share_secrets *secrets, struct share_secret_finder *out)
{
    struct slice *words = arena_array(a, struct slice, secrets->n);

    memset(out, 0, sizeof *out);
    out->words = words;
    for (size_t i = 0; i < secrets->n; i++) {
        struct slice word = word_trim(secrets->words[i]);
        if (!word_counts(word))
            continue;
        unsigned char first = (unsigned char)word.ptr[0];
        words[out->n++] = word;
        if (first >= 0x80) /* folding may change the first byte */
            memset(out->starts + 0x80, true, 0x80);
        out->starts[first] = true;
        if (is_letter((char)first))
            out->starts[first ^ 0x20] = true;
    }
}

/* Most text is passed over here: a candidate begins where no word goes on, with the first letter of a name. */
bool share_secret_in(const struct share_secret_finder *f, struct slice text)
{
    if (f->n == 0)
        return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (!f->starts[(unsigned char)c] || (at > 0 && goes_on(c, text.ptr[at - 1])))
            continue;
        for (size_t i = 0; i < f->n; i++)
            if (may_begin(c, f->words[i].ptr[0]) && matches_at(text, at, f->words[i]))
                return true;
    }
    return false;
}

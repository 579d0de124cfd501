/* taxii/date.c: date headers as servers send them. TAXII 2.1 section 3.2 wants RFC 3339 with six digits; the field
   sends milliseconds, JavaScript's "Sun Nov 22 2026 12:00:00 GMT+0000 (Coordinated Universal Time)", and HTTP's own
   "Sun, 22 Nov 2026 12:00:00 GMT". */
#include "taxii/internal.h"

#include <stdio.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int month_of(struct slice word)
{
    size_t at = word.len >= 3 ? slice_find(slice_of(months), slice_to(word, 3)) : sizeof months;

    return at < sizeof months - 1 && at % 3 == 0 ? (int)(at / 3) + 1 : 0;
}

/* The next word between blanks and commas. */
static struct slice word_of(struct slice *rest)
{
    while (rest->len != 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == ','))
        *rest = slice_from(*rest, 1);
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != ',')
        n++;
    struct slice word = slice_to(*rest, n);
    *rest = slice_from(*rest, n);
    return word;
}

/* "GMT", "UTC", "GMT+0100": as RFC 3339 writes it. false: a zone by name. */
static bool zone_of(struct slice word, char out[8])
{
    bool named = slice_starts(word, SLICE("GMT")) || slice_starts(word, SLICE("UTC"));

    if (named && word.len == 8 && (word.ptr[3] == '+' || word.ptr[3] == '-'))
        snprintf(out, 8, "%c%.2s:%.2s", word.ptr[3], word.ptr + 4, word.ptr + 6);
    else
        snprintf(out, 8, "Z");
    return named && (word.len == 3 || word.len == 8);
}

/* Weekday, then month and day in either order, year, time, zone. */
static bool parse_words(struct slice text, int64_t *us_out)
{
    struct slice rest = text;
    word_of(&rest);
    struct slice first = word_of(&rest), second = word_of(&rest), year = word_of(&rest), clock = word_of(&rest);
    int month = month_of(first);
    struct slice day_text = month != 0 ? second : first;
    uint64_t day, y;
    char zone[8], whole[48];

    if (month == 0)
        month = month_of(second);
    if (month == 0 || !slice_u64(day_text, &day) || day > 31 || !slice_u64(year, &y) || y > 9999 || clock.len != 8 ||
        !zone_of(word_of(&rest), zone))
        return false;
    int n = snprintf(whole, sizeof whole, "%04d-%02d-%02dT%.8s%s", (int)y, month, (int)day, clock.ptr, zone);
    return n > 0 && time_parse(slice_n(whole, (size_t)n), us_out);
}

static int64_t unit_of(struct slice text)
{
    size_t dot = slice_find(text, SLICE(".")), n = 0;

    while (dot + 1 + n < text.len && text.ptr[dot + 1 + n] >= '0' && text.ptr[dot + 1 + n] <= '9')
        n++;
    return n == 0 ? 1000000 : n < 6 ? 1000 : 1;
}

bool taxii_date(struct slice text, int64_t *us_out, int64_t *unit_us_out)
{
    text = slice_trim(text);
    if (time_parse(text, us_out)) {
        *unit_us_out = unit_of(text);
        return true;
    }
    *unit_us_out = 1000000;
    return parse_words(text, us_out);
}

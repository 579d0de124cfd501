/* fuzz/match_lines.h: what the targets over telemetry share. Whole text at once and line by line must say the same. */
#ifndef FUZZ_MATCH_LINES_H
#define FUZZ_MATCH_LINES_H

#include <stdlib.h>

#include "match/match.h"

static void fuzz_count(void *arg, const struct match_line *line, const struct match_hit *hit)
{
    uint64_t *sum = arg;

    /* Everything told can be read. */
    for (size_t i = 0; i < hit->seen.len; i++)
        *sum += (unsigned char)hit->seen.ptr[i];
    *sum += hit->indicator * 1000 + hit->value.len + hit->field.len + line->text.len;
}

static struct match_reader *fuzz_reader(void)
{
    static struct match_index *ix;
    static const struct {
        enum stix_value_kind kind;
        struct slice value;
    } rows[] = {
        {STIX_VALUE_IPV4, SLICE_INIT("198.51.100.7")},
        {STIX_VALUE_IPV6, SLICE_INIT("2001:db8::7")},
        {STIX_VALUE_DOMAIN, SLICE_INIT("bad.example")},
        {STIX_VALUE_URL, SLICE_INIT("http://bad.example/a")},
        {STIX_VALUE_EMAIL, SLICE_INIT("x@bad.example")},
        {STIX_VALUE_MD5, SLICE_INIT("0123456789abcdef0123456789abcdef")},
        {STIX_VALUE_DOMAIN, SLICE_INIT("xn--bse-sna.example")},
    };

    if (ix == NULL) {
        ix = match_index_new(0);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            match_index_add(ix, i + 1, rows[i].kind, rows[i].value, NULL);
    }
    return match_reader_new(ix);
}

static void fuzz_lines(const char *format, const uint8_t *data, size_t size)
{
    struct match_reader *r = fuzz_reader();
    const struct match_format *f = match_format_find(slice_of(format));
    struct match_stats all = {0}, single = {0};
    struct slice rest = slice_n((const char *)data, size), line;
    uint64_t sum = 0, single_sum = 0;

    match_format_detect(rest);
    match_lines(r, f, rest, fuzz_count, &sum, &all);
    while (size != 0 && slice_cut(&rest, '\n', &line))
        match_lines(r, f, line, fuzz_count, &single_sum, &single);
    if (sum != single_sum || all.hits != single.hits || all.lines != single.lines || all.values != single.values ||
        all.bad_lines != single.bad_lines)
        abort();
    match_reader_free(&r);
}

#endif

#include "stix/value.h"

/* How analysts write addresses so that nobody clicks on them. Longest first where one begins like another. */
static const struct {
    struct slice from, to;
} table[] = {
    {SLICE_INIT("[://]"), SLICE_INIT("://")}, {SLICE_INIT("[:]//"), SLICE_INIT("://")},
    {SLICE_INIT("[dot]"), SLICE_INIT(".")},   {SLICE_INIT("(dot)"), SLICE_INIT(".")},
    {SLICE_INIT("{dot}"), SLICE_INIT(".")},   {SLICE_INIT("[.]"), SLICE_INIT(".")},
    {SLICE_INIT("(.)"), SLICE_INIT(".")},     {SLICE_INIT("{.}"), SLICE_INIT(".")},
    {SLICE_INIT("[."), SLICE_INIT(".")},      {SLICE_INIT(".]"), SLICE_INIT(".")},
    {SLICE_INIT("\\."), SLICE_INIT(".")},     {SLICE_INIT("[:]"), SLICE_INIT(":")},
    {SLICE_INIT("[/]"), SLICE_INIT("/")},     {SLICE_INIT("[at]"), SLICE_INIT("@")},
    {SLICE_INIT("(at)"), SLICE_INIT("@")},    {SLICE_INIT("{at}"), SLICE_INIT("@")},
    {SLICE_INIT("[@]"), SLICE_INIT("@")},     {SLICE_INIT("(@)"), SLICE_INIT("@")},
};

static const struct {
    struct slice from, to;
} schemes[] = {
    {SLICE_INIT("hxxps"), SLICE_INIT("https")}, {SLICE_INIT("hxxp"), SLICE_INIT("http")},
    {SLICE_INIT("htxps"), SLICE_INIT("https")}, {SLICE_INIT("htxp"), SLICE_INIT("http")},
    {SLICE_INIT("h**ps"), SLICE_INIT("https")}, {SLICE_INIT("h**p"), SLICE_INIT("http")},
    {SLICE_INIT("httx"), SLICE_INIT("http")},   {SLICE_INIT("fxp"), SLICE_INIT("ftp")},
    {SLICE_INIT("meow"), SLICE_INIT("http")},
};

/* A scheme counts only where its "://" (or a defanged one) follows, so that a host named hxxp stays itself. */
static size_t scheme_put(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct slice from = schemes[i].from, behind = slice_from(text, from.len);
        if (slice_eq_nocase(slice_to(text, from.len), from) && behind.len != 0 &&
            (behind.ptr[0] == ':' || behind.ptr[0] == '[')) {
            buf_put(out, schemes[i].to);
            return from.len;
        }
    }
    return 0;
}

static bool is_defanged(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr("[({\\", text.ptr[i], 4) != NULL)
            return true;
    return slice_find(text, SLICE(":")) != text.len;
}

struct slice value_refang(struct arena *a, struct slice text)
{
    struct buf out = BUF_INIT;

    if (!is_defanged(text))
        return text;
    for (size_t at = scheme_put(text, &out); at < text.len;) {
        size_t i = 0;
        while (i < sizeof(table) / sizeof(table[0]) &&
               !slice_eq_nocase(slice_to(slice_from(text, at), table[i].from.len), table[i].from))
            i++;
        if (i < sizeof(table) / sizeof(table[0])) {
            buf_put(&out, table[i].to);
            at += table[i].from.len;
        } else {
            buf_put_byte(&out, text.ptr[at++]);
        }
    }
    struct slice plain = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return plain;
}

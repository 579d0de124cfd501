/* Any other text: syslog, CSV, TSV, access logs, mail, notes. Every run of bytes that can stand in a value is looked at
   once: addresses, names, hashes, URLs and e-mail addresses, defanged ones too ("hxxp", "[.]", "(dot)"). */
#include "match/internal.h"

#include "base/time.h"

enum { RUN_MAX = 1024 }; /* bytes: longer runs are encoded data, no value */

enum { OUTSIDE, INSIDE, BRACKET };

static const uint8_t class_of[256] = {
    ['0' ... '9'] = INSIDE, ['A' ... 'Z'] = INSIDE, ['a' ... 'z'] = INSIDE, [0x80 ... 0xff] = INSIDE, ['.'] = INSIDE,
    ['-'] = INSIDE,         ['_'] = INSIDE,         [':'] = INSIDE,         ['@'] = INSIDE,           ['+'] = INSIDE,
    ['['] = BRACKET,        ['('] = BRACKET,        ['{'] = BRACKET,
};

static const struct slice line_field = SLICE_INIT("line");

/* What analysts put in brackets; 0 when it is only a bracket. */
static size_t defang_at(struct slice rest)
{
    static const struct slice forms[] = {SLICE_INIT("."), SLICE_INIT("dot"), SLICE_INIT("://"),
                                         SLICE_INIT(":"), SLICE_INIT("@"),   SLICE_INIT("at")};
    struct slice inside = slice_from(rest, 1);

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct slice behind = slice_from(inside, forms[i].len);
        if (slice_eq_nocase(slice_to(inside, forms[i].len), forms[i]) && behind.len != 0 &&
            (behind.ptr[0] == ']' || behind.ptr[0] == ')' || behind.ptr[0] == '}'))
            return 1 + forms[i].len + 1;
    }
    return 0;
}

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.ptr[i] | 32);
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* Has a letter behind its last dot: neither a number, a version nor a file's size. */
static bool looks_like_name(struct slice s)
{
    size_t at = s.len;

    while (at > 0 && s.ptr[at - 1] != '.')
        at--;
    return at > 0 && s.len - at >= 2 && !(s.ptr[at] >= '0' && s.ptr[at] <= '9');
}

/* Between colons: an address, a name, a hash. */
static void take_part(struct scan *s, struct slice part)
{
    uint32_t address;

    while (part.len != 0 && (part.ptr[0] == '.' || part.ptr[0] == '-' || part.ptr[0] == '+'))
        part = slice_from(part, 1);
    while (part.len != 0 && (part.ptr[part.len - 1] == '.' || part.ptr[part.len - 1] == '-'))
        part.len--;
    if (part.len < 4)
        return;
    struct slice behind = slice_from(part, slice_find(part, SLICE("@")) + 1);
    if (behind.len != 0) { /* or root@198.51.100.7 */
        if (!scan_email(s, part, false, line_field))
            scan_host(s, behind, line_field);
    } else if (memchr(part.ptr, '.', part.len) != NULL) {
        if (stix_ipv4_parse(part, &address))
            scan_normal(s, STIX_VALUE_IPV4, part, part, line_field);
        else if (looks_like_name(part))
            scan_domain(s, part, line_field);
    } else if (part.len >= 32 && is_hex(part))
        scan_hash(s, part, line_field);
}

/* Hexadecimal groups with a "::" or seven colons: no time of day and no MAC address. */
static bool looks_like_ipv6(struct slice run)
{
    size_t colons = 0;
    bool gap = false;

    for (size_t i = 0; i < run.len; i++) {
        char c = run.ptr[i];
        if (c == ':') {
            colons++;
            gap = gap || (i != 0 && run.ptr[i - 1] == ':');
        } else if (c != '.' && !is_hex(slice_n(&run.ptr[i], 1)))
            return false;
    }
    return gap || colons == 7;
}

static void take_run(struct scan *s, struct slice run)
{
    struct slice part;

    while (run.len >= 2 && run.ptr[run.len - 1] == ':' && run.ptr[run.len - 2] != ':')
        run.len--;
    if (run.len < 4 || run.len > RUN_MAX)
        return;
    if (memchr(run.ptr, ':', run.len) == NULL)
        take_part(s, run);
    else if (run.len <= 45 && looks_like_ipv6(run))
        scan_address(s, run, line_field);
    else
        while (slice_cut(&run, ':', &part))
            take_part(s, part);
}

/* The whole run as whichever value it is once the brackets are undone; stix/ knows how. */
static void take_defanged(struct scan *s, struct slice run)
{
    enum stix_value_kind kind;
    struct slice normal;

    if (run.len > RUN_MAX)
        return;
    while (run.len != 0 && (run.ptr[run.len - 1] == '.' || run.ptr[run.len - 1] == ':'))
        run.len--;
    for (size_t at = run.len; at > 0 && run.ptr[at - 1] >= '0' && run.ptr[at - 1] <= '9'; at--)
        if (at > 1 && run.ptr[at - 2] == ':' && slice_find(run, SLICE("::")) == run.len) {
            run.len = at - 2; /* a port */
            break;
        }
    if (stix_value_normal(s->arena, STIX_VALUE_EMAIL, run, true, &kind, &normal, NULL) == 0)
        scan_email(s, run, true, line_field);
    else if (stix_value_normal(s->arena, STIX_VALUE_IPV4, run, true, &kind, &normal, NULL) == 0 ||
             stix_value_normal(s->arena, STIX_VALUE_IPV6, run, true, &kind, &normal, NULL) == 0)
        scan_normal(s, kind, normal, run, line_field);
    else if (stix_value_normal(s->arena, STIX_VALUE_DOMAIN, run, true, &kind, &normal, NULL) == 0 &&
             looks_like_name(normal))
        scan_normal(s, kind, normal, run, line_field);
}

static bool is_url_end(char c)
{
    return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == '|' ||
           c == 0x7f;
}

/* A URL runs on to a blank or a quote; the full stop, the comma or the bracket of the sentence around it is not its
 * own. */
static size_t take_url(struct scan *s, struct slice rest)
{
    size_t end = 0;

    while (end < rest.len && !is_url_end(rest.ptr[end]))
        end++;
    struct slice url = slice_to(rest, end);
    while (url.len != 0 && memchr(".,;:!?)]}*", url.ptr[url.len - 1], 10) != NULL)
        url.len--;
    if (url.len <= MATCH_VALUE_MAX)
        scan_url(s, url, true, line_field);
    return end;
}

static bool is_scheme(struct slice run)
{
    if (run.len < 2 || run.len > 8)
        return false;
    for (size_t i = 0; i < run.len; i++)
        if (!((run.ptr[i] | 32) >= 'a' && (run.ptr[i] | 32) <= 'z'))
            return false;
    return true;
}

static bool is_url_mark(struct slice here)
{
    return slice_starts(here, SLICE("://")) || slice_starts(here, SLICE("[:]//")) || slice_starts(here, SLICE("[://]"));
}

/* One run from the start of `rest`; how many bytes it took. */
static size_t run_at(struct scan *s, struct slice rest)
{
    bool defanged = false;
    size_t at = 0;

    while (at < rest.len) {
        unsigned char c = (unsigned char)rest.ptr[at];
        if (class_of[c] == INSIDE && c != ':') {
            at++;
            continue;
        }
        if (class_of[c] == OUTSIDE)
            break;
        struct slice here = slice_from(rest, at);
        if (is_scheme(slice_to(rest, at)) && is_url_mark(here))
            return take_url(s, rest);
        size_t form = c == ':' ? 1 : at != 0 ? defang_at(here) : 0;
        if (form == 0)
            break;
        at += form;
        defanged = defanged || c != ':';
    }
    if (defanged)
        take_defanged(s, slice_to(rest, at));
    else
        take_run(s, slice_to(rest, at));
    return at;
}

bool plain_line(struct scan *s)
{
    struct slice rest = s->line;

    while (rest.len != 0) {
        if (class_of[(unsigned char)rest.ptr[0]] == INSIDE)
            rest = slice_from(rest, run_at(s, rest));
        else
            rest = slice_from(rest, 1);
    }
    return true;
}

/* RFC 3339 at the start of the line, as rsyslog and most programs write it since RFC 5424 ("<34>1 2026-..." included).
 */
int64_t plain_time(struct slice line, struct slice time)
{
    struct slice word;
    int64_t us;

    for (int i = 0; i < 2 && slice_cut(&line, ' ', &word); i++) {
        size_t quote = slice_starts(word, SLICE("\"")) ? 1 : 0;
        word = slice_from(word, quote);
        word = slice_to(word, slice_find(word, SLICE(",")));
        word = slice_to(word, slice_find(word, SLICE("\"")));
        if (time_parse(word, &us))
            return us;
    }
    return 0;
}

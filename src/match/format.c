#include "match/internal.h"

#include "base/time.h"

static const struct match_format formats[] = {
    {SLICE_INIT("eve"), eve_line, eve_time},
    {SLICE_INIT("lines"), plain_line, plain_time},
};

enum { FORMAT_EVE, FORMAT_LINES, FORMATS };

const struct match_format *match_format_find(struct slice name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (slice_eq(formats[i].name, name))
            return &formats[i];
    return NULL;
}

const struct match_format *match_format_detect(struct slice first_lines)
{
    struct slice line;

    while (slice_cut(&first_lines, '\n', &line)) {
        line = slice_trim(line);
        if (line.len != 0)
            return &formats[eve_detect(line) ? FORMAT_EVE : FORMAT_LINES];
    }
    return &formats[FORMAT_LINES];
}

struct slice match_format_name(const struct match_format *f)
{
    return f->name;
}

/* ---- lookups, a batch at a time ---- */

/* A line that names a value twice, or two values of one indicator, tells of it once. What goes beyond the two short
   lists (a value that more than 64 indicators carry beside another one) may be told twice. */
static bool told_value(struct scan *s, struct slice line, const struct entry *e)
{
    if (s->told_line.ptr != line.ptr) {
        s->told_line = line;
        s->n_told = s->n_told_values = 0;
    }
    for (uint32_t i = 0; i < s->n_told_values; i++)
        if (s->told_values[i] == e)
            return true;
    if (s->n_told_values < SCAN_HITS)
        s->told_values[s->n_told_values++] = e;
    return false;
}

static bool told_indicator(struct scan *s, uint64_t indicator)
{
    for (uint32_t i = 0; i < s->n_told; i++)
        if (s->told[i] == indicator)
            return true;
    if (s->n_told < SCAN_HITS)
        s->told[s->n_told++] = indicator;
    return false;
}

static void tell(struct scan *s, const struct scan_probe *p, const struct entry *e)
{
    if (told_value(s, p->line, e))
        return;
    struct match_hit hit = {.kind = p->kind, .value = entry_value(e), .seen = p->seen, .field = p->field};
    struct match_line line = {p->line, s->format->time(p->line, p->time)};
    for (uint32_t i = 0; i < e->n; i++) {
        hit.indicator = e->indicators[i];
        if (told_indicator(s, hit.indicator))
            continue;
        s->stats->hits++;
        s->fn(s->arg, &line, &hit);
    }
}

static void flush(struct scan *s)
{
    const struct match_index *ix = s->reader->index;
    const struct table *table = atomic_load_explicit(&ix->table, memory_order_acquire);

    for (uint32_t i = 0; i < s->n_probes; i++) {
        const struct scan_probe *p = &s->probes[i];
        const struct entry *e = table_find(table, &ix->cells, p->hash, p->kind, p->value, NULL);
        if (__builtin_expect(e != NULL, 0) && (p->whole || !e->exact))
            tell(s, p, e);
    }
    s->n_probes = 0;
}

static void probe(struct scan *s, enum stix_value_kind kind, struct slice value, bool whole, struct slice seen,
                  struct slice field)
{
    const struct match_index *ix = s->reader->index;
    uint64_t hash = match_hash(&ix->keys[kind], value);

    if (s->n_probes == SCAN_PROBES)
        flush(s);
    table_prefetch(atomic_load_explicit(&ix->table, memory_order_acquire), hash);
    s->probes[s->n_probes++] = (struct scan_probe){hash, kind, whole, value, seen, field, s->line, s->time};
}

void scan_normal(struct scan *s, enum stix_value_kind kind, struct slice normal, struct slice seen, struct slice field)
{
    s->stats->values++;
    probe(s, kind, normal, true, seen, field);
    while (kind == STIX_VALUE_DOMAIN && domain_parent(&normal))
        probe(s, kind, normal, false, seen, field);
}

/* ---- values as they stand in telemetry ---- */

static struct slice lower(struct scan *s, struct slice text)
{
    size_t at = 0;

    while (at < text.len && !(text.ptr[at] >= 'A' && text.ptr[at] <= 'Z'))
        at++;
    if (at == text.len)
        return text;
    char *out = arena_alloc(s->arena, text.len);
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
    return slice_n(out, text.len);
}

static bool scan_as(struct scan *s, enum stix_value_kind kind, struct slice text, bool defanged, struct slice seen,
                    struct slice field)
{
    enum stix_value_kind found;
    struct slice normal;

    if (stix_value_normal(s->arena, kind, text, defanged, &found, &normal, NULL) != 0)
        return false;
    scan_normal(s, found, normal, seen, field);
    return true;
}

void scan_address(struct scan *s, struct slice seen, struct slice field)
{
    uint32_t address;

    if (stix_ipv4_parse(seen, &address))
        scan_normal(s, STIX_VALUE_IPV4, seen, seen, field);
    else if (seen.len <= 64 && memchr(seen.ptr, ':', seen.len) != NULL)
        scan_as(s, STIX_VALUE_IPV6, seen, false, seen, field);
}

/* A name in ASCII needs only lower case and no dot at the end to be what the index holds. What is no valid name is not
   in the index; only letters beyond ASCII are worth the long way. */
void scan_domain(struct scan *s, struct slice seen, struct slice field)
{
    struct slice name = seen;

    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] >= 0x80) {
            scan_as(s, STIX_VALUE_DOMAIN, name, false, seen, field);
            return;
        }
    if (slice_ends(name, SLICE(".")))
        name.len--;
    if (name.len != 0 && name.len <= 253)
        scan_normal(s, STIX_VALUE_DOMAIN, lower(s, name), seen, field);
}

/* "name", "name:443", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1" */
void scan_host(struct scan *s, struct slice seen, struct slice field)
{
    struct slice host = seen;
    uint32_t address;

    if (slice_starts(host, SLICE("["))) {
        struct slice rest = slice_from(host, 1);
        if (slice_cut(&rest, ']', &host))
            scan_address(s, host, field);
        return;
    }
    const char *colon = host.len != 0 ? memchr(host.ptr, ':', host.len) : NULL;
    if (colon != NULL && memchr(colon + 1, ':', host.len - (size_t)(colon + 1 - host.ptr)) != NULL) {
        scan_address(s, host, field);
        return;
    }
    if (colon != NULL)
        host = slice_to(host, (size_t)(colon - host.ptr));
    if (stix_ipv4_parse(host, &address))
        scan_normal(s, STIX_VALUE_IPV4, host, seen, field);
    else
        scan_domain(s, host, field);
}

void scan_url(struct scan *s, struct slice seen, bool defanged, struct slice field)
{
    enum stix_value_kind kind;
    struct slice normal, rest, host;

    if (stix_value_normal(s->arena, STIX_VALUE_URL, seen, defanged, &kind, &normal, NULL) != 0)
        return;
    scan_normal(s, kind, normal, seen, field);
    rest = slice_from(normal, slice_find(normal, SLICE("://")) + 3);
    if (slice_cut(&rest, '/', &host)) /* the normal form has a '/' behind every host */
        scan_host(s, host, field);
}

void scan_hash(struct scan *s, struct slice seen, struct slice field)
{
    enum stix_value_kind kind = STIX_VALUE_NONE;
    struct slice text = lower(s, seen);

    switch (text.len) {
    case 32:
        kind = STIX_VALUE_MD5;
        break;
    case 40:
        kind = STIX_VALUE_SHA1;
        break;
    case 64:
        kind = STIX_VALUE_SHA256;
        break;
    case 128:
        kind = STIX_VALUE_SHA512;
        break;
    default:
        return;
    }
    scan_normal(s, kind, text, seen, field);
}

bool scan_email(struct scan *s, struct slice seen, bool defanged, struct slice field)
{
    enum stix_value_kind kind;
    struct slice normal, rest;

    if (stix_value_normal(s->arena, STIX_VALUE_EMAIL, seen, defanged, &kind, &normal, NULL) != 0)
        return false;
    scan_normal(s, kind, normal, seen, field);
    rest = slice_from(normal, slice_find(normal, SLICE("@")) + 1);
    scan_domain(s, rest, field);
    return true;
}

/* ---- lines ---- */

static void scan_line(struct scan *s, struct slice line)
{
    if (slice_ends(line, SLICE("\r")))
        line.len--;
    if (line.len == 0)
        return;
    s->stats->lines++;
    s->line = line;
    s->time = (struct slice){NULL, 0};
    if (line.len > SCAN_LINE_MAX || !s->format->line(s))
        s->stats->bad_lines++;
}

void match_lines(struct match_reader *r, const struct match_format *f, struct slice lines, match_line_fn *fn, void *arg,
                 struct match_stats *stats)
{
    struct scan s;
    struct slice line;
    size_t scanned = 0;

    s.reader = r;
    s.format = f;
    s.fn = fn;
    s.arg = arg;
    s.stats = stats;
    s.arena = &r->line;
    s.n_probes = s.n_told = s.n_told_values = 0;
    s.told_line = (struct slice){NULL, 0};
    stats->bytes += lines.len;
    match_reader_enter(r);
    while (slice_cut(&lines, '\n', &line)) {
        scan_line(&s, line);
        scanned += line.len;
        if (scanned < SCAN_BATCH)
            continue;
        flush(&s);
        arena_reset(s.arena);
        reader_pause(r);
        scanned = 0;
    }
    flush(&s);
    arena_reset(s.arena);
    match_reader_leave(r);
}

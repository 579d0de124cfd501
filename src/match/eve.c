/* Suricata's EVE: one JSON object a line. The tables below say where the values stand (doc/userguide/output/eve of
   Suricata 7 and 8). A list stands for each of its elements, so dns.query[].rrname is the row "rrname" of "query". */
#include "match/internal.h"

#include "base/time.h"

struct eve_field {
    struct slice key;
    struct slice name; /* what a hit calls it */
    void (*take)(struct scan *s, struct json value, struct json around, struct slice name);
    const struct eve_field *below; /* rows of the object's own members; ends with an empty key */
};

#define FIELD_END                                                                                                      \
    {                                                                                                                  \
        .take = NULL                                                                                                   \
    }

static struct slice text_of(struct scan *s, struct json value)
{
    struct slice text = json_text(value);

    return text.ptr != NULL ? text : json_string(s->arena, value);
}

static void take_address(struct scan *s, struct json value, struct json around, struct slice name)
{
    scan_address(s, text_of(s, value), name);
}

static void take_host(struct scan *s, struct json value, struct json around, struct slice name)
{
    scan_host(s, text_of(s, value), name);
}

static void take_hash(struct scan *s, struct json value, struct json around, struct slice name)
{
    scan_hash(s, text_of(s, value), name);
}

static void take_url(struct scan *s, struct json value, struct json around, struct slice name)
{
    scan_url(s, text_of(s, value), false, name);
}

/* http.url is what stood in the request line: absolute towards a proxy, else a path, which makes a URL only together
   with the Host header; http_port is there when that header names a port. */
static void take_http_url(struct scan *s, struct json value, struct json around, struct slice name)
{
    struct slice path = text_of(s, value), host = text_of(s, json_get(around, SLICE("hostname")));
    int64_t port;

    if (!slice_starts(path, SLICE("/"))) {
        scan_url(s, path, false, name);
        return;
    }
    if (host.len == 0 || host.len + path.len > MATCH_VALUE_MAX)
        return;
    bool has_port = json_int(json_get(around, SLICE("http_port")), &port) && memchr(host.ptr, ':', host.len) == NULL;
    struct slice url = has_port
                           ? arena_printf(s->arena, "http://" SLICE_FMT ":%lld" SLICE_FMT, SLICE_ARG(host),
                                          (long long)port, SLICE_ARG(path))
                           : arena_printf(s->arena, "http://" SLICE_FMT SLICE_FMT, SLICE_ARG(host), SLICE_ARG(path));
    enum stix_value_kind kind;
    struct slice normal;
    if (stix_value_normal(s->arena, STIX_VALUE_URL, url, false, &kind, &normal, NULL) == 0)
        scan_normal(s, kind, normal, url, name);
}

/* "Name <x@bad.example>" or the bare address. */
static void take_email(struct scan *s, struct json value, struct json around, struct slice name)
{
    struct slice text = slice_trim(text_of(s, value)), head;
    struct slice angle = slice_from(text, slice_find(text, SLICE("<")));

    if (angle.len > 1) {
        angle = slice_from(angle, 1);
        if (slice_cut(&angle, '>', &head))
            text = head;
    }
    scan_email(s, text, false, name);
}

static const struct eve_field dns_record[] = {
    {SLICE_INIT("rrname"), SLICE_INIT("dns.rrname"), take_host, NULL},
    {SLICE_INIT("rdata"), SLICE_INIT("dns.rdata"), take_host, NULL},
    FIELD_END,
};

static const struct eve_field dns_grouped[] = {
    {SLICE_INIT("A"), SLICE_INIT("dns.rdata"), take_address, NULL},
    {SLICE_INIT("AAAA"), SLICE_INIT("dns.rdata"), take_address, NULL},
    {SLICE_INIT("CNAME"), SLICE_INIT("dns.rdata"), take_host, NULL},
    {SLICE_INIT("NS"), SLICE_INIT("dns.rdata"), take_host, NULL},
    {SLICE_INIT("MX"), SLICE_INIT("dns.rdata"), take_host, NULL},
    FIELD_END,
};

static const struct eve_field dns_answer[] = {
    /* version 1 put the whole answer below the query's own event */
    {SLICE_INIT("rrname"), SLICE_INIT("dns.rrname"), take_host, NULL},
    {SLICE_INIT("rdata"), SLICE_INIT("dns.rdata"), take_host, NULL},
    {SLICE_INIT("grouped"), SLICE_INIT(""), NULL, dns_grouped},
    FIELD_END,
};

static const struct eve_field dns[] = {
    {SLICE_INIT("rrname"), SLICE_INIT("dns.rrname"), take_host, NULL},
    {SLICE_INIT("rdata"), SLICE_INIT("dns.rdata"), take_host, NULL},
    {SLICE_INIT("query"), SLICE_INIT(""), NULL, dns_record},
    {SLICE_INIT("queries"), SLICE_INIT(""), NULL, dns_record},
    {SLICE_INIT("answer"), SLICE_INIT(""), NULL, dns_answer},
    {SLICE_INIT("answers"), SLICE_INIT(""), NULL, dns_record},
    {SLICE_INIT("grouped"), SLICE_INIT(""), NULL, dns_grouped},
    FIELD_END,
};

static const struct eve_field tls[] = {
    {SLICE_INIT("sni"), SLICE_INIT("tls.sni"), take_host, NULL},
    FIELD_END,
};

static const struct eve_field quic[] = {
    {SLICE_INIT("sni"), SLICE_INIT("quic.sni"), take_host, NULL},
    FIELD_END,
};

static const struct eve_field http[] = {
    {SLICE_INIT("hostname"), SLICE_INIT("http.hostname"), take_host, NULL},
    {SLICE_INIT("url"), SLICE_INIT("http.url"), take_http_url, NULL},
    {SLICE_INIT("http_refer"), SLICE_INIT("http.http_refer"), take_url, NULL},
    {SLICE_INIT("redirect"), SLICE_INIT("http.redirect"), take_url, NULL},
    {SLICE_INIT("xff"), SLICE_INIT("http.xff"), take_address, NULL},
    FIELD_END,
};

static const struct eve_field file[] = {
    {SLICE_INIT("md5"), SLICE_INIT("fileinfo.md5"), take_hash, NULL},
    {SLICE_INIT("sha1"), SLICE_INIT("fileinfo.sha1"), take_hash, NULL},
    {SLICE_INIT("sha256"), SLICE_INIT("fileinfo.sha256"), take_hash, NULL},
    FIELD_END,
};

static const struct eve_field smtp[] = {
    {SLICE_INIT("mail_from"), SLICE_INIT("smtp.mail_from"), take_email, NULL},
    {SLICE_INIT("helo"), SLICE_INIT("smtp.helo"), take_host, NULL},
    FIELD_END,
};

static const struct eve_field email[] = {
    {SLICE_INIT("from"), SLICE_INIT("email.from"), take_email, NULL},
    {SLICE_INIT("url"), SLICE_INIT("email.url"), take_url, NULL},
    FIELD_END,
};

static const struct eve_field top[] = {
    {SLICE_INIT("src_ip"), SLICE_INIT("src_ip"), take_address, NULL},
    {SLICE_INIT("dest_ip"), SLICE_INIT("dest_ip"), take_address, NULL},
    {SLICE_INIT("xff"), SLICE_INIT("xff"), take_address, NULL},
    {SLICE_INIT("dns"), SLICE_INIT(""), NULL, dns},
    {SLICE_INIT("tls"), SLICE_INIT(""), NULL, tls},
    {SLICE_INIT("quic"), SLICE_INIT(""), NULL, quic},
    {SLICE_INIT("http"), SLICE_INIT(""), NULL, http},
    {SLICE_INIT("fileinfo"), SLICE_INIT(""), NULL, file},
    {SLICE_INIT("files"), SLICE_INIT(""), NULL, file},
    {SLICE_INIT("smtp"), SLICE_INIT(""), NULL, smtp},
    {SLICE_INIT("email"), SLICE_INIT(""), NULL, email},
    FIELD_END,
};

static const struct eve_field *row_of(const struct eve_field *rows, struct slice key)
{
    for (; rows->key.len != 0; rows++)
        if (rows->key.len == key.len && rows->key.ptr[0] == key.ptr[0] && memcmp(rows->key.ptr, key.ptr, key.len) == 0)
            return rows;
    return NULL;
}

static void walk(struct scan *s, const struct eve_field *rows, struct json object);

static void take(struct scan *s, const struct eve_field *row, struct json value, struct json around)
{
    enum json_kind kind = json_kind(value);

    if (kind == JSON_STRING && row->take != NULL)
        row->take(s, value, around, row->name);
    else if (kind == JSON_OBJECT && row->below != NULL)
        walk(s, row->below, value);
}

/* As deep as the tables are: four levels. */
static void walk(struct scan *s, const struct eve_field *rows, struct json object)
{
    json_each (member, object) {
        const struct eve_field *row = row_of(rows, json_key(s->arena, member));
        if (row == NULL)
            continue;
        if (json_kind(member) != JSON_ARRAY) {
            take(s, row, member, object);
            continue;
        }
        json_each (element, member)
            take(s, row, element, object);
    }
}

bool eve_line(struct scan *s)
{
    static const struct json_limits limits = {
        .depth = 32, .values = 100000, .members = 10000, .string_max = SCAN_LINE_MAX, .bytes = SCAN_LINE_MAX};
    struct json root;

    if (json_parse(s->arena, s->line, &limits, &root, NULL) != 0 || json_kind(root) != JSON_OBJECT)
        return false;
    s->time = json_text(json_get(root, SLICE("timestamp"))); /* Suricata writes it first */
    walk(s, top, root);
    return true;
}

/* "2026-11-22T12:00:00.000000+0000": RFC 3339 but for the colon of the offset. */
int64_t eve_time(struct slice line, struct slice time)
{
    char text[64];
    int64_t us;

    if (time.len < 6 || time.len + 1 > sizeof text)
        return 0;
    size_t head = time.len - 2;
    bool bare = (time.ptr[head - 3] == '+' || time.ptr[head - 3] == '-') && time.ptr[head - 1] != ':';
    if (!bare)
        return time_parse(time, &us) ? us : 0;
    memcpy(text, time.ptr, head);
    text[head] = ':';
    memcpy(text + head + 1, time.ptr + head, 2);
    return time_parse(slice_n(text, time.len + 1), &us) ? us : 0;
}

bool eve_detect(struct slice first_line)
{
    return slice_starts(first_line, SLICE("{")) && slice_find(first_line, SLICE("\"event_type\"")) != first_line.len;
}

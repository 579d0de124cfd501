#include "taxii/internal.h"

/* One media range: type, version parameter, q. Case does not matter, nor do blanks and quotes. */
struct media {
    struct slice type, version;
    bool refused; /* q=0 */
};

static struct slice unquote(struct slice s)
{
    return s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"' ? slice_n(s.ptr + 1, s.len - 2) : s;
}

static bool is_zero(struct slice q)
{
    for (size_t i = 0; i < q.len; i++)
        if (q.ptr[i] != '0' && q.ptr[i] != '.')
            return false;
    return q.len != 0 && q.ptr[0] == '0';
}

static struct media read_media(struct slice text)
{
    struct media m = {.version = {NULL, 0}};
    struct slice rest = text, part, name;

    slice_cut(&rest, ';', &m.type);
    m.type = slice_trim(m.type);
    while (slice_cut(&rest, ';', &part)) {
        slice_cut(&part, '=', &name);
        struct slice value = part.ptr != NULL ? unquote(slice_trim(part)) : SLICE("");
        if (slice_eq_nocase(slice_trim(name), SLICE("version")))
            m.version = value;
        else if (slice_eq_nocase(slice_trim(name), SLICE("q")))
            m.refused = is_zero(value);
    }
    return m;
}

static bool is_ours(const struct media *m)
{
    return slice_eq_nocase(m->type, SLICE("application/taxii+json")) &&
           (m->version.ptr == NULL || slice_eq(m->version, SLICE("2.1")));
}

bool taxii_media_accepts(struct slice accept, bool stream)
{
    struct slice rest = accept, one;
    bool any = false;

    if (slice_trim(accept).len == 0)
        return true;
    while (slice_cut(&rest, ',', &one)) {
        struct media m = read_media(one);
        bool fits = is_ours(&m) || slice_eq(m.type, SLICE("*/*")) || slice_eq_nocase(m.type, SLICE("application/*")) ||
                    slice_eq_nocase(m.type, SLICE("application/json")) ||
                    (stream && slice_eq_nocase(m.type, SLICE("text/event-stream")));
        if (fits && m.refused && is_ours(&m))
            return false; /* named and refused: a wider range does not bring it back */
        any = any || (fits && !m.refused);
    }
    return any;
}

bool taxii_media_takes(struct slice content_type)
{
    struct media m = read_media(content_type);

    return is_ours(&m);
}

#include "base/json.h"

#if defined(__SSE2__) && !defined(JSON_PORTABLE)
#include <emmintrin.h>
#endif

#include "base/json_tape.h"

const struct json_limits json_limits_default = {64, 4000000, 100000, 4 << 20, 64 << 20};

/* Up to FEW members a duplicate key is looked for as it is read; larger objects are hashed once, when they close. */
enum { FEW = 32, MASK_WORDS = 4, FIRST_FRAMES = 32 };

struct frame {
    uint32_t open, key; /* nodes: the container, and the key of its current member */
    uint32_t count;
    char close;
    uint64_t seen[MASK_WORDS]; /* one bit for each key seen, by a hash of 8 bits */
};

struct parser {
    const char *text, *end;
    struct json_node *nodes;
    struct frame *frames;
    uint32_t n_nodes, depth, frames_cap, values;
    const struct json_limits *max;
    struct arena *arena;
    struct err *err;
};

/* ---- where it went wrong ---- */

/* The pointer to the innermost value begun. Only the error path pays for it. */
static void put_place(const struct parser *ps, struct buf *out)
{
    for (uint32_t i = 0; i < ps->depth; i++) {
        const struct frame *f = &ps->frames[i];
        if (f->count == 0)
            return;
        if (f->close == ']') {
            buf_printf(out, "/%u", f->count - 1);
            continue;
        }
        json_put_token(out, json_node_plain(ps->arena, ps->text, ps->nodes[f->key]));
    }
}

/* Cut to what err->place holds, but never inside a character. */
static struct slice fit_place(struct slice place)
{
    size_t len = sizeof((struct err *)NULL)->place - 1;

    if (place.len <= len)
        return place;
    while (len > 0 && ((unsigned char)place.ptr[len] & 0xc0) == 0x80)
        len--;
    return slice_to(place, len);
}

static const char *fail(const struct parser *ps, const char *p, enum err_code code, const char *sentence)
{
    struct buf place = BUF_INIT;

    if (ps->err == NULL)
        return NULL;
    put_place(ps, &place);
    err_set_at(ps->err, code, fit_place(buf_slice(&place)), "%s (at byte %zu)", sentence, (size_t)(p - ps->text));
    buf_free(&place);
    return NULL;
}

static const char *fail_syntax(const struct parser *ps, const char *p, const char *sentence)
{
    return fail(ps, p, ERR_JSON_SYNTAX, p == ps->end ? "the text ends too early" : sentence);
}

/* ---- the tape ---- */

static inline uint32_t push(struct parser *ps, uint32_t start, uint32_t end)
{
    ps->nodes[ps->n_nodes] = (struct json_node){start, end};
    return ps->n_nodes++;
}

static inline uint32_t offset(const struct parser *ps, const char *p)
{
    return (uint32_t)(p - ps->text);
}

/* ---- strings ---- */

/* Bytes of the character at p, by table 3-7 of the Unicode standard: no overlong form, no surrogate, nothing above
   U+10FFFF. 0 when it is not one. */
static size_t utf8_length(const char *text, const char *end)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = (size_t)(end - text);
    unsigned char low = 0x80, high = 0xbf;
    size_t n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;

    if (n == 0 || left < n)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Steps over characters that are not ASCII, and over blanks, which stand between the words of such texts. p is at one
   of the former. Returns the first byte that is neither, or NULL with the place of a byte that is not UTF-8 in
   *bad_out. */
static const char *scan_utf8(const char *p, const char *end, const char **bad_out)
{
    while (p < end && ((unsigned char)*p >= 0x80 || *p == ' ')) {
        unsigned char c = (unsigned char)*p;
        if (c == ' ') {
            p++;
        } else if (c >= 0xc2 && c <= 0xdf && end - p >= 2 && ((unsigned char)p[1] & 0xc0) == 0x80) {
            p += 2;
        } else {
            size_t n = utf8_length(p, end);
            if (n == 0) {
                *bad_out = p;
                return NULL;
            }
            p += n;
        }
    }
    return p;
}

/* Four hexadecimal digits; -1 when they are not. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i], lower = (char)(c | 0x20);
        int32_t digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* p is at the backslash; returns what stands behind the escape. */
static const char *scan_escape(const struct parser *ps, const char *p)
{
    if (ps->end - p < 2)
        return fail_syntax(ps, ps->end, "");
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : fail_syntax(ps, p, "not an escape of JSON");
    int32_t unit = hex4(p + 2, ps->end);
    if (unit < 0)
        return fail_syntax(ps, p, "\\u without four hexadecimal digits");
    if (unit == 0)
        return fail_syntax(ps, p, "\\u0000 is not accepted");
    if (unit < 0xd800 || unit > 0xdfff)
        return p + 6;
    int32_t low = ps->end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, ps->end) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return fail(ps, p, ERR_JSON_UTF8, "a lone surrogate");
    return p + 12;
}

static inline bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte that is a quote, a backslash, a control character or not ASCII; `end` when there is none. */
static inline const char *scan_plain(const char *p, const char *end)
{
#if defined(__SSE2__) && !defined(JSON_PORTABLE)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* As signed bytes everything that is not ASCII is below a blank too. */
        __m128i special = _mm_or_si128(_mm_cmplt_epi8(v, space),
                                       _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
        int mask = _mm_movemask_epi8(special);
        if (mask != 0)
            return p + __builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && is_plain(*p))
        p++;
    return p;
}

/* p is at the opening quote. Returns what stands behind the closing one. */
static inline const char *scan_string(const struct parser *ps, const char *p, bool *escaped_out)
{
    const char *first = p + 1;

    *escaped_out = false;
    for (p = scan_plain(first, ps->end); p != ps->end && *p != '"'; p = scan_plain(p, ps->end)) {
        if (*p == '\\') {
            *escaped_out = true;
            p = scan_escape(ps, p);
            if (p == NULL)
                return NULL;
        } else if ((unsigned char)*p < 0x20) {
            return fail_syntax(ps, p, "a control character in a string");
        } else {
            const char *bad = p;
            p = scan_utf8(p, ps->end, &bad);
            if (p == NULL)
                return fail(ps, bad, ERR_JSON_UTF8, "not valid UTF-8");
        }
    }
    if (p == ps->end)
        return fail_syntax(ps, p, "");
    if ((size_t)(p - first) > ps->max->string_max)
        return fail(ps, first, ERR_LIMIT_STRING, "a string is too long");
    return p + 1;
}

/* ---- numbers and words ---- */

static inline const char *scan_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* RFC 8259 section 6. Any size and precision: the text itself is the value. */
static const char *scan_number(const struct parser *ps, const char *p)
{
    const char *whole = p + (*p == '-'), *next = scan_digits(whole, ps->end);

    if (next == whole)
        return fail_syntax(ps, next, "a number without digits");
    if (*whole == '0' && next - whole > 1)
        return fail_syntax(ps, whole, "a number with a leading zero");
    if (next < ps->end && *next == '.') {
        const char *fraction = next + 1;
        next = scan_digits(fraction, ps->end);
        if (next == fraction)
            return fail_syntax(ps, next, "a number without digits behind its point");
    }
    if (next < ps->end && (*next == 'e' || *next == 'E')) {
        const char *exponent = next + 1;
        if (exponent < ps->end && (*exponent == '+' || *exponent == '-'))
            exponent++;
        next = scan_digits(exponent, ps->end);
        if (next == exponent)
            return fail_syntax(ps, next, "a number without digits in its exponent");
    }
    return next;
}

static const char *scan_word(const struct parser *ps, const char *p, struct slice word)
{
    if (slice_starts(slice_n(p, (size_t)(ps->end - p)), word))
        return p + word.len;
    return fail_syntax(ps, p, "not a value");
}

/* ---- duplicate keys ---- */

static const char *fail_duplicate(struct parser *ps, struct frame *f, uint32_t key)
{
    f->key = key;
    return fail(ps, ps->text + (ps->nodes[key].start & JSON_OFFSET), ERR_JSON_DUPLICATE_KEY,
                "a key stands twice in one object");
}

/* Whether the newest key of an object with few members stands there already. */
static bool stands_before(const struct parser *ps, const struct frame *f)
{
    struct json_node key = ps->nodes[f->key];

    for (uint32_t at = f->open + 1; at != f->key; at = json_node_skip(ps->text, ps->nodes, at + 1))
        if (json_node_same(ps->text, ps->nodes[at], key))
            return true;
    return false;
}

/* While the members are few: a cheap hash into a set of 256 bits, and a look at the keys only where the bit was set.
   "\u0061" and "a" are the same key: from the first escape on every key is looked at. */
static inline bool is_duplicate(struct parser *ps, struct frame *f)
{
    struct slice key = json_node_text(ps->text, ps->nodes[f->key]);
    uint32_t h = (uint32_t)key.len * 0x9e3779b1u;

    if (ps->nodes[f->key].end & JSON_ESCAPED) {
        memset(f->seen, 0xff, sizeof f->seen);
        return stands_before(ps, f);
    }
    if (key.len != 0)
        h ^= ((uint32_t)(unsigned char)key.ptr[0] * 0x85ebca6bu) ^
             ((uint32_t)(unsigned char)key.ptr[key.len - 1] * 0xc2b2ae35u) ^
             ((uint32_t)(unsigned char)key.ptr[key.len / 2] * 0x27d4eb2fu);
    h >>= 24;
    uint64_t bit = (uint64_t)1 << (h % 64), *word = &f->seen[h / 64];
    bool maybe = *word & bit;
    *word |= bit;
    return maybe && stands_before(ps, f);
}

/* ---- containers ---- */

static void grow_frames(struct parser *ps)
{
    uint32_t cap = ps->frames_cap * 2;
    struct frame *frames = arena_alloc(ps->arena, cap * sizeof *frames);

    memcpy(frames, ps->frames, ps->depth * sizeof *frames);
    ps->frames = frames;
    ps->frames_cap = cap;
}

static const char *open_container(struct parser *ps, const char *p)
{
    if (ps->depth == ps->max->depth)
        return fail(ps, p, ERR_LIMIT_DEPTH, "nested too deeply");
    if (ps->depth == ps->frames_cap)
        grow_frames(ps);
    uint32_t open = push(ps, offset(ps, p), 0);
    ps->frames[ps->depth++] = (struct frame){open, 0, 0, *p == '{' ? '}' : ']', {0}};
    return p + 1;
}

static const char *close_container(struct parser *ps, struct frame *f, const char *p)
{
    uint32_t twice = f->close == '}' && f->count > FEW ? json_keys_twice(ps->text, ps->nodes, f->open, f->count) : 0;
    if (twice != 0)
        return fail_duplicate(ps, f, twice);
    push(ps, offset(ps, p), f->count);
    ps->nodes[f->open].end = ps->n_nodes;
    ps->depth--;
    return p + 1;
}

static inline const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && json_is_blank(*p))
        p++;
    return p;
}

/* p is at a key; returns the start of its value. */
static inline const char *read_key(struct parser *ps, struct frame *f, const char *p)
{
    const char *start = p;
    bool escaped;

    if (p == ps->end || *p != '"')
        return fail_syntax(ps, p, "a key was expected");
    if (f->count == ps->max->members)
        return fail(ps, p, ERR_LIMIT_MEMBERS, "too many members in one object");
    p = scan_string(ps, p, &escaped);
    if (p == NULL)
        return NULL;
    f->key = push(ps, offset(ps, start) | JSON_KEY, offset(ps, p) | (escaped ? JSON_ESCAPED : 0));
    f->count++;
    if (f->count <= FEW && is_duplicate(ps, f))
        return fail_duplicate(ps, f, f->key);
    p = skip_blanks(p, ps->end);
    if (p == ps->end || *p != ':')
        return fail_syntax(ps, p, "':' was expected");
    return skip_blanks(p + 1, ps->end);
}

/* One scalar, or the opening of a container. */
static inline const char *read_value(struct parser *ps, const char *p)
{
    const char *start = p;
    bool escaped = false;

    if (p == ps->end)
        return fail_syntax(ps, p, "");
    if (++ps->values > ps->max->values)
        return fail(ps, p, ERR_LIMIT_VALUES, "too many values");
    switch (*p) {
    case '"':
        p = scan_string(ps, p, &escaped);
        break;
    case '{':
    case '[':
        return open_container(ps, p);
    case 't':
        p = scan_word(ps, p, SLICE("true"));
        break;
    case 'f':
        p = scan_word(ps, p, SLICE("false"));
        break;
    case 'n':
        p = scan_word(ps, p, SLICE("null"));
        break;
    default:
        p = *p == '-' || (*p >= '0' && *p <= '9') ? scan_number(ps, p) : fail_syntax(ps, p, "a value was expected");
    }
    if (p != NULL)
        push(ps, offset(ps, start), offset(ps, p) | (escaped ? JSON_ESCAPED : 0));
    return p;
}

/* Behind a value or an opening bracket: closes what ends here, and returns the start of the next value, or what stands
   behind the root. */
static inline const char *read_between(struct parser *ps, const char *p)
{
    while (ps->depth != 0) {
        struct frame *f = &ps->frames[ps->depth - 1];
        p = skip_blanks(p, ps->end);
        if (p == ps->end)
            return fail_syntax(ps, p, "");
        if (*p == f->close) {
            p = close_container(ps, f, p);
            if (p == NULL)
                return NULL;
            continue;
        }
        if (f->count != 0 && *p++ != ',')
            return fail_syntax(ps, p - 1, f->close == '}' ? "',' or '}' was expected" : "',' or ']' was expected");
        p = skip_blanks(p, ps->end);
        if (f->close == '}')
            return read_key(ps, f, p);
        f->count++;
        return p;
    }
    return p;
}

/* Where the value ends, behind blanks; NULL: it does not. */
static const char *parse_document(struct parser *ps)
{
    const char *p = skip_blanks(ps->text, ps->end);

    if (slice_starts(slice_n(p, (size_t)(ps->end - p)), SLICE("\xef\xbb\xbf"))) {
        return fail_syntax(ps, p, "a byte order mark is not accepted");
    }
    do {
        p = read_value(ps, p);
        if (p != NULL)
            p = read_between(ps, p);
        if (p == NULL)
            return NULL;
    } while (ps->depth != 0);
    return skip_blanks(p, ps->end);
}

/* Nodes of the largest tape that the text and the limits allow: a byte is at most one node, a value at most three (key,
   opening and closing). Memory never touched costs nothing, and what is not used goes back. */
static size_t most_nodes(size_t len, uint32_t values)
{
    return len < (size_t)values * 3 + 3 ? len : (size_t)values * 3 + 3;
}

int json_parse_first(struct arena *a, struct slice text, const struct json_limits *max, struct json *root_out,
                     struct slice *rest_out, struct err *err)
{
    struct frame frames[FIRST_FRAMES];
    struct parser ps = {.text = text.ptr,
                        .end = text.ptr + text.len,
                        .frames = frames,
                        .frames_cap = FIRST_FRAMES,
                        .max = max != NULL ? max : &json_limits_default,
                        .arena = a,
                        .err = err};

    if (text.len > ps.max->bytes || text.len >= JSON_OFFSET)
        return err_set(err, ERR_LIMIT_BYTES, "", "%zu bytes, at most %zu are accepted", text.len, ps.max->bytes);
    if (text.len == 0)
        return err_set(err, ERR_JSON_SYNTAX, "", "the text is empty");
    struct json_doc *doc = arena_new(a, struct json_doc);
    ps.nodes = arena_alloc(a, most_nodes(text.len, ps.max->values) * sizeof *ps.nodes);
    const char *end = parse_document(&ps);
    if (end != NULL && rest_out == NULL && end != ps.end)
        end = fail_syntax(&ps, end, "something stands behind the value");
    if (end != NULL && ps.frames == frames) /* else frames stand behind the tape */
        arena_give_back(a, ps.nodes, ps.n_nodes * sizeof *ps.nodes);
    if (end == NULL)
        return -1;
    if (rest_out != NULL)
        *rest_out = slice_n(end, (size_t)(ps.end - end));
    *doc = (struct json_doc){text.ptr, ps.nodes, ps.n_nodes};
    *root_out = (struct json){doc, 0};
    return 0;
}

int json_parse(struct arena *a, struct slice text, const struct json_limits *max, struct json *root_out,
               struct err *err)
{
    return json_parse_first(a, text, max, root_out, NULL, err);
}

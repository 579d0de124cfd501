/* base/slice.h: text that somebody else owns, pointer and length, by value. Peer bytes never meet strlen. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_INIT(literal)                                                                                            \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    } /* for static tables */
#define SLICE_FMT    "%.*s"
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static inline struct slice slice_n(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* From `at` to the end; empty when `at` is past the end. Of {NULL,0} itself. */
static inline struct slice slice_from(struct slice s, size_t at)
{
    if (s.len == 0)
        return s;
    return at < s.len ? (struct slice){s.ptr + at, s.len - at} : (struct slice){s.ptr + s.len, 0};
}

static inline struct slice slice_to(struct slice s, size_t len)
{
    return (struct slice){s.ptr, len < s.len ? len : s.len};
}

int slice_cmp(struct slice a, struct slice b);          /* by byte, shorter first */
bool slice_eq_nocase(struct slice a, struct slice b);   /* ASCII letters only */
struct slice slice_trim(struct slice s);                /* ASCII blanks at both ends */
size_t slice_find(struct slice s, struct slice needle); /* s.len when not there */
bool slice_cut(struct slice *rest, char at,
               struct slice *head_out);              /* next field up to `at`; false when rest is used up */
bool slice_u64(struct slice s, uint64_t *value_out); /* whole slice, decimal, no sign, no overflow */

#endif

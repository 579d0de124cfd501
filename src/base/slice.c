#include "base/slice.h"

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n != 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len != 0 && is_blank(s.ptr[0]))
        s = slice_from(s, 1);
    while (s.len != 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

size_t slice_find(struct slice s, struct slice needle)
{
    const char *at = needle.len <= s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;

    return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

bool slice_cut(struct slice *rest, char at, struct slice *head_out)
{
    if (rest->ptr == NULL)
        return false;
    const char *end = rest->len != 0 ? memchr(rest->ptr, at, rest->len) : NULL;
    if (end == NULL) {
        *head_out = *rest;
        *rest = (struct slice){NULL, 0};
        return true;
    }
    *head_out = slice_to(*rest, (size_t)(end - rest->ptr));
    *rest = slice_from(*rest, head_out->len + 1);
    return true;
}

bool slice_u64(struct slice s, uint64_t *value_out)
{
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *value_out = value;
    return true;
}

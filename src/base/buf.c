#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

void buf_reserve(struct buf *b, size_t more)
{
    if (b->cap - b->len >= more)
        return;
    size_t cap = b->cap < 128 ? 128 : b->cap;
    while (cap - b->len < more)
        cap += cap / 2;
    b->ptr = mem_grow(b->ptr, cap);
    b->cap = cap;
}

void buf_put(struct buf *b, struct slice s)
{
    if (s.len == 0)
        return;
    buf_reserve(b, s.len);
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
}

void buf_put_byte(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->ptr[b->len++] = c;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_put(b, slice_n(digits + at, sizeof digits - at));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    buf_reserve(b, (size_t)len + 1);
    vsnprintf(b->ptr + b->len, (size_t)len + 1, format, again);
    b->len += (size_t)len;
    va_end(again);
    va_end(args);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_free(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf)BUF_INIT;
}

void buf_drop_front(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}

struct buf_ref {
    atomic_uint owners;
    size_t len;
    char *ptr;
};

struct buf_ref *buf_ref_take(struct buf *b)
{
    struct buf_ref *r = mem_alloc(sizeof *r);

    atomic_init(&r->owners, 1);
    r->ptr = b->ptr;
    r->len = b->len;
    *b = (struct buf)BUF_INIT;
    return r;
}

struct buf_ref *buf_ref_copy(struct slice s)
{
    struct buf b = BUF_INIT;

    buf_put(&b, s);
    return buf_ref_take(&b);
}

struct buf_ref *buf_ref_hold(struct buf_ref *r)
{
    atomic_fetch_add_explicit(&r->owners, 1, memory_order_relaxed);
    return r;
}

void buf_ref_drop(struct buf_ref **r)
{
    struct buf_ref *gone = *r;

    *r = NULL;
    if (gone == NULL || atomic_fetch_sub_explicit(&gone->owners, 1, memory_order_acq_rel) != 1)
        return;
    free(gone->ptr);
    free(gone);
}

struct slice buf_ref_slice(const struct buf_ref *r)
{
    return r != NULL ? slice_n(r->ptr, r->len) : slice_n(NULL, 0);
}

void bits_set(struct bits *s, size_t at, bool value)
{
    size_t word = at / 64;

    if (word >= s->n_words) {
        if (!value)
            return;
        size_t n = word + 1 > 2 * s->n_words ? word + 1 : 2 * s->n_words;
        s->words = mem_grow(s->words, n * sizeof *s->words);
        memset(s->words + s->n_words, 0, (n - s->n_words) * sizeof *s->words);
        s->n_words = n;
    }
    uint64_t bit = (uint64_t)1 << (at % 64);
    uint64_t now = value ? s->words[word] | bit : s->words[word] & ~bit;
    __atomic_store_n(&s->words[word], now, __ATOMIC_RELAXED);
}

void bits_free(struct bits *s)
{
    free(s->words);
    *s = (struct bits)BITS_INIT;
}

void bits_copy(struct bits *to, const struct bits *from)
{
    to->words = mem_grow(to->words, from->n_words * sizeof *to->words);
    if (from->n_words != 0)
        memcpy(to->words, from->words, from->n_words * sizeof *to->words);
    to->n_words = from->n_words;
}

size_t bits_count(const struct bits *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_words; i++)
        n += (size_t)__builtin_popcountll(s->words[i]);
    return n;
}

/* base/buf.h: bytes that grow (buf), bytes that several threads share (buf_ref), and bit sets. Never NULL, see arena.h.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
    char *ptr; /* owned; free with buf_free */
    size_t len, cap;
};

#define BUF_INIT                                                                                                       \
    {                                                                                                                  \
        NULL, 0, 0                                                                                                     \
    }

void buf_reserve(struct buf *b, size_t more);
void buf_put(struct buf *b, struct slice s);
void buf_put_byte(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t value); /* decimal */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b); /* keeps the memory */
void buf_free(struct buf *b);
void buf_drop_front(struct buf *b, size_t n); /* moves the rest down */

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_n(b->ptr, b->len);
}

/* Immutable bytes with a count of owners: made in one thread, sent and let go in another. */
struct buf_ref;

struct buf_ref *buf_ref_take(struct buf *b); /* takes b's memory, leaves b empty; count 1 */
struct buf_ref *buf_ref_copy(struct slice s);
struct buf_ref *buf_ref_hold(struct buf_ref *r);     /* one more owner; returns r */
void buf_ref_drop(struct buf_ref **r);               /* accepts NULL, leaves NULL; the last owner frees */
struct slice buf_ref_slice(const struct buf_ref *r); /* empty for NULL */

/* A set of small numbers; grows on set, reads past the end are false. One writer; as long as the words need not grow,
   readers in other threads see each bit before or after its change. */
struct bits {
    uint64_t *words;
    size_t n_words;
};

#define BITS_INIT                                                                                                      \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }

void bits_set(struct bits *s, size_t at, bool value);
void bits_free(struct bits *s);
void bits_copy(struct bits *to, const struct bits *from);
size_t bits_count(const struct bits *s);

static inline bool bits_has(const struct bits *s, size_t at)
{
    return at / 64 < s->n_words && (__atomic_load_n(&s->words[at / 64], __ATOMIC_RELAXED) >> (at % 64) & 1);
}

#endif

/* base/arena.h: memory of one unit of work. What a request creates lives in its arena and goes at once. Never returns
   NULL: sizes are bounded at the door, and out of memory ends the process (the monitor restarts it from a durable
   state). One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena {
    struct arena_block *blocks; /* newest first */
    char *at, *end;
};

#define ARENA_INIT                                                                                                     \
    {                                                                                                                  \
        NULL, NULL, NULL                                                                                               \
    }

void *arena_alloc(struct arena *a, size_t size);          /* 16-byte aligned, not cleared */
void *arena_zero(struct arena *a, size_t size);           /* cleared */
struct slice arena_copy(struct arena *a, struct slice s); /* with a NUL behind, not counted */
struct slice arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_give_back(struct arena *a, void *newest, size_t used); /* the newest allocation shrinks to `used` bytes */
void arena_reset(struct arena *a);                                /* keeps the first block for the next unit of work */
void arena_free(struct arena *a);                                 /* leaves an empty arena */

#define arena_new(a, type)      ((type *)arena_zero((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_zero((a), (n) * sizeof(type)))

/* malloc family that ends the process instead of returning NULL; for what outlives a unit of work. */
void *mem_alloc(size_t size);
void *mem_zero(size_t n, size_t size);
void *mem_grow(void *ptr, size_t size);
char *mem_copy(struct slice s); /* NUL-terminated */

#endif

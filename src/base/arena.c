#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    char bytes[] __attribute__((aligned(16)));
};

static void out_of_memory(void)
{
    fputs("tocsin: out of memory\n", stderr);
    abort();
}

static void arena_grow(struct arena *a, size_t size)
{
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block = mem_alloc(sizeof *block + room);

    block->next = a->blocks;
    block->size = room;
    a->blocks = block;
    a->at = block->bytes;
    a->end = block->bytes + room;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

    if (rounded < size)
        out_of_memory();
    if (a->at == NULL || (size_t)(a->end - a->at) < rounded)
        arena_grow(a, rounded);
    void *result = a->at;
    a->at += rounded;
    return result;
}

void *arena_zero(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *copy = arena_alloc(a, s.len + 1);

    if (s.len != 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return slice_n(copy, s.len);
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return slice_n(text, (size_t)len);
}

void arena_give_back(struct arena *a, void *newest, size_t used)
{
    char *end = (char *)newest + ((used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1));

    assert(a->blocks->bytes <= (char *)newest && end <= a->at);
    a->at = end;
}

void arena_reset(struct arena *a)
{
    while (a->blocks != NULL && a->blocks->next != NULL) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    if (a->blocks != NULL) {
        a->at = a->blocks->bytes;
        a->end = a->at + a->blocks->size;
    }
}

void arena_free(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->at = a->end = NULL;
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size != 0 ? size : 1);

    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *mem_zero(size_t n, size_t size)
{
    void *ptr = calloc(n != 0 ? n : 1, size != 0 ? size : 1);

    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *mem_grow(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size != 0 ? size : 1);

    if (grown == NULL)
        out_of_memory();
    return grown;
}

char *mem_copy(struct slice s)
{
    char *copy = mem_alloc(s.len + 1);

    if (s.len != 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

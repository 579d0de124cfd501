#include "match/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_THREAD__)
#define TABLE_SIMD 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TABLE_SIMD 0
#endif
#endif
#if !defined(TABLE_SIMD) && defined(__SSE2__)
#define TABLE_SIMD 1
#include <emmintrin.h>
#endif

/* Zeroed pages straight from the system: a new table costs nothing until it is filled, so that growing does not stop
   the writer, and large ones come as huge pages (a lookup misses the TLB less often). */
static void *pages_take(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED) {
        fputs("tocsin: out of memory\n", stderr);
        abort();
    }
    madvise(at, size, MADV_HUGEPAGE); /* only advice */
    return at;
}

struct table *table_new(size_t entries)
{
    struct table *t = mem_zero(1, sizeof *t);
    size_t n = entries / BUCKET_LOAD + 1;

    assert(n <= UINT32_MAX);
    t->n_buckets = n < 8 ? 8 : (uint32_t)n;
    t->buckets = pages_take(t->n_buckets * sizeof *t->buckets);
    t->refs = pages_take((size_t)t->n_buckets * BUCKET_SLOTS * sizeof *t->refs);
    return t;
}

void table_free(struct table **t)
{
    if (*t == NULL)
        return;
    munmap((*t)->buckets, (*t)->n_buckets * sizeof *(*t)->buckets);
    munmap((*t)->refs, (size_t)(*t)->n_buckets * BUCKET_SLOTS * sizeof *(*t)->refs);
    free(*t);
    *t = NULL;
}

static uint32_t tag_of(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    return tag != 0 ? tag : 1;
}

/* Spreads the lower half of the hash over any number of buckets. */
static uint32_t home_of(const struct table *t, uint64_t hash)
{
    return (uint32_t)((hash & UINT32_MAX) * t->n_buckets >> 32);
}

static uint32_t next_of(const struct table *t, uint32_t bucket)
{
    return bucket + 1 < t->n_buckets ? bucket + 1 : 0;
}

/* Which of the fifteen tags are this one, a bit each. */
static uint32_t bucket_match(const struct bucket *b, uint32_t tag)
{
#if TABLE_SIMD
    /* Aligned 16-byte loads are whole for each of the four tags in them on every x86-64; whoever finds his tag loads it
       again with acquire before he follows it. ThreadSanitizer gets the portable form below. */
    const __m128i *at = (const __m128i *)(const void *)b;
    __m128i want = _mm_set1_epi32((int)tag);
    __m128i low =
        _mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(at), want), _mm_cmpeq_epi32(_mm_load_si128(at + 1), want));
    __m128i high =
        _mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(at + 2), want), _mm_cmpeq_epi32(_mm_load_si128(at + 3), want));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ((1u << BUCKET_SLOTS) - 1);
#else
    uint32_t found = 0;
    for (uint32_t i = 0; i < BUCKET_SLOTS; i++)
        found |= (uint32_t)(atomic_load_explicit(&b->tags[i], memory_order_relaxed) == tag) << i;
    return found;
#endif
}

static bool entry_is(const struct entry *e, enum stix_value_kind kind, struct slice value)
{
    return e->kind == kind && slice_eq(entry_value(e), value);
}

const struct entry *table_find(const struct table *t, const struct cells *cells, uint64_t hash,
                               enum stix_value_kind kind, struct slice value, struct slot *slot_out)
{
    uint32_t tag = tag_of(hash);
    uint32_t bucket = home_of(t, hash);

    for (uint32_t tried = 0; tried < t->n_buckets; tried++) {
        const struct bucket *b = &t->buckets[bucket];
        for (uint32_t found = bucket_match(b, tag); found != 0; found &= found - 1) {
            uint32_t at = (uint32_t)__builtin_ctz(found);
            /* The slot may have been freed or taken by another value meanwhile: then its tag or its value differs. */
            if (atomic_load_explicit(&b->tags[at], memory_order_acquire) != tag)
                continue;
            uint32_t ref = atomic_load_explicit(&t->refs[(size_t)bucket * BUCKET_SLOTS + at], memory_order_acquire);
            const struct entry *e = cells_at(cells, ref);
            if (!entry_is(e, kind, value))
                continue;
            if (slot_out != NULL)
                *slot_out = (struct slot){bucket, at};
            return e;
        }
        if (__builtin_expect(atomic_load_explicit(&b->past, memory_order_acquire) == 0, 1))
            return NULL;
        bucket = next_of(t, bucket);
    }
    return NULL;
}

void table_prefetch(const struct table *t, uint64_t hash)
{
    __builtin_prefetch(&t->buckets[home_of(t, hash)]);
}

struct slot table_insert(struct table *t, uint64_t hash, uint32_t ref)
{
    uint32_t bucket = home_of(t, hash);
    uint32_t found;

    assert(t->used < (size_t)t->n_buckets * BUCKET_SLOTS);
    while ((found = bucket_match(&t->buckets[bucket], 0)) == 0) {
        /* Told before the entry stands there: a reader never stops short of it. */
        atomic_fetch_add_explicit(&t->buckets[bucket].past, 1, memory_order_release);
        bucket = next_of(t, bucket);
    }
    uint32_t at = (uint32_t)__builtin_ctz(found);
    atomic_store_explicit(&t->refs[(size_t)bucket * BUCKET_SLOTS + at], ref, memory_order_release);
    atomic_store_explicit(&t->buckets[bucket].tags[at], tag_of(hash), memory_order_release);
    t->used++;
    return (struct slot){bucket, at};
}

void table_replace(struct table *t, struct slot slot, uint32_t ref)
{
    atomic_store_explicit(&t->refs[(size_t)slot.bucket * BUCKET_SLOTS + slot.at], ref, memory_order_release);
}

void table_remove(struct table *t, uint64_t hash, struct slot slot)
{
    atomic_store_explicit(&t->buckets[slot.bucket].tags[slot.at], 0, memory_order_release);
    for (uint32_t bucket = home_of(t, hash); bucket != slot.bucket; bucket = next_of(t, bucket))
        atomic_fetch_sub_explicit(&t->buckets[bucket].past, 1, memory_order_release);
    t->used--;
}

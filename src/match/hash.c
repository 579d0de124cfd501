#include "match/internal.h"

#include <assert.h>
#include <sys/random.h>

/* SipHash with the reduced rounds that Python, Ruby and Rust use for their tables. */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_take(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

/* Loads in the machine's own byte order: the hash never leaves the process. */
static inline uint64_t load(const char *at, size_t n)
{
    uint64_t word = 0;

    memcpy(&word, at, n);
    return word;
}

/* The bytes behind the last whole word, and the length. No loop: its end would be mispredicted on every other value. */
static inline uint64_t last_word(struct slice value)
{
    size_t left = value.len % 8;
    uint64_t word = 0;

    if (value.len >= 8)
        word = load(value.ptr + value.len - 8, 8) >> 1 >> (63 - 8 * left);
    else if (left >= 4)
        word = load(value.ptr, 4) | load(value.ptr + left - 4, 4) << (8 * (left - 4));
    else if (left != 0)
        word = load(value.ptr, 1) | load(value.ptr + left / 2, 1) << (8 * (left / 2)) |
               load(value.ptr + left - 1, 1) << (8 * (left - 1));
    return word | (uint64_t)value.len << 56;
}

void match_key_random(struct match_key *keys, size_t n)
{
    size_t size = n * sizeof *keys;
    ssize_t got = getrandom(keys, size, 0);

    assert(size <= 256 && got == (ssize_t)size); /* so much comes whole and at once (getrandom(2)) */
}

uint64_t match_hash(const struct match_key *key, struct slice value)
{
    struct sip s = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d, key->k0 ^ 0x6c7967656e657261,
                    key->k1 ^ 0x7465646279746573};

    for (size_t at = 0; at + 8 <= value.len; at += 8)
        sip_take(&s, load(value.ptr + at, 8));
    sip_take(&s, last_word(value));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/json_tape.h"

struct key_seed {
    uint64_t a, b;
};

static struct key_seed seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

/* A peer that could foresee the hash could make every lookup collide. */
static void seed_make(void)
{
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (struct key_seed){(uint64_t)getpid() * 0x9e3779b97f4a7c15, (uintptr_t)&seed};
    seed.a |= 1;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t key_hash(struct slice s)
{
    uint64_t h = seed.b ^ s.len, word = 0;

    for (; s.len >= 8; s = slice_from(s, 8)) {
        memcpy(&word, s.ptr, 8);
        h = mix(h ^ word, seed.a);
    }
    word = 0;
    memcpy(&word, s.ptr, s.len);
    return mix(h ^ word, seed.a ^ 0xa0761d6478bd642f);
}

struct slot {
    uint32_t key, hash; /* key 0: empty; no key is the first node */
};

uint32_t json_keys_twice(const char *text, const struct json_node *nodes, uint32_t open, uint32_t count)
{
    struct arena scratch = ARENA_INIT;
    uint32_t size = 128, twice = 0, key = open + 1;

    pthread_once(&seed_once, seed_make);
    while (size < 2 * count)
        size *= 2;
    struct slot *table = arena_array(&scratch, struct slot, size);
    for (uint32_t i = 0; i < count && twice == 0; i++, key = json_node_skip(text, nodes, key + 1)) {
        uint32_t hash = (uint32_t)key_hash(json_node_plain(&scratch, text, nodes[key])), at = hash & (size - 1);
        for (; table[at].key != 0 && twice == 0; at = (at + 1) & (size - 1))
            if (table[at].hash == hash && json_node_same(text, nodes[table[at].key], nodes[key]))
                twice = key;
        table[at] = (struct slot){key, hash};
    }
    arena_free(&scratch);
    return twice;
}

/* tests/share/share_test.h: what the tests of share/ have in common: one object from text, and seeded chance. */
#ifndef TESTS_SHARE_TEST_H
#define TESTS_SHARE_TEST_H

#include "test.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/time.h"
#include "share/share.h"

static inline struct json test_json(struct arena *a, const char *text)
{
    struct json root;
    struct err err = ERR_INIT;

    if (json_parse(a, slice_of(text), &json_limits_default, &root, &err) != 0)
        fail_msg("%s: %s", err.text, text);
    return root;
}

static inline struct stix_object test_object_of(struct arena *a, struct json v)
{
    struct stix_object o = {.json = v};

    o.type = json_string(a, json_get(v, SLICE("type")));
    o.id = json_string(a, json_get(v, SLICE("id")));
    o.kind = stix_type_find(o.type);
    return o;
}

static inline struct stix_object test_object(struct arena *a, const char *text)
{
    return test_object_of(a, test_json(a, text));
}

/* xorshift64*: the same cases for the same seed, on every machine. */
struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * UINT64_C(2685821657736338717);
}

static inline uint32_t chance_below(struct chance *c, uint32_t n)
{
    return (uint32_t)((chance_next(c) >> 32) * n >> 32);
}

static inline bool chance_one_in(struct chance *c, uint32_t n)
{
    return chance_below(c, n) == 0;
}

/* A new seed each run, printed; TOCSIN_SEED repeats one. */
static inline struct chance chance_start(const char *what)
{
    const char *given = getenv("TOCSIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time_now_us();

    print_message("# %s: TOCSIN_SEED=%llu\n", what, (unsigned long long)seed);
    return (struct chance){seed * 2 + 1};
}

static inline uint32_t test_cases(uint32_t normal)
{
    return getenv("TOCSIN_LONG") != NULL ? normal * 50 : normal;
}

#endif

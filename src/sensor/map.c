#include "sensor/internal.h"

#include <stdlib.h>

enum { MAP_FREE, MAP_REMOVED, MAP_FIRST };

void map_open(struct map *m)
{
    *m = (struct map){.n = 0};
    match_key_random(&m->key, 1);
}

void map_close(struct map *m)
{
    free(m->slots);
    m->slots = NULL;
}

static uint64_t hash_of(const struct map *m, uint8_t tag, struct slice text)
{
    struct match_key key = {m->key.k0 ^ tag, m->key.k1};
    uint64_t hash = match_hash(&key, text);

    return hash < MAP_FIRST ? hash + MAP_FIRST : hash;
}

static struct map_slot *slot_find(const struct map *m, uint8_t tag, struct slice text, map_text_fn *text_of,
                                  const void *owner)
{
    uint64_t hash = hash_of(m, tag, text);
    uint8_t found_tag;

    for (size_t at = m->n_slots != 0 ? hash % m->n_slots : 0; m->n_slots != 0; at = at + 1 < m->n_slots ? at + 1 : 0) {
        struct map_slot *s = &m->slots[at];
        if (s->hash == MAP_FREE)
            return NULL;
        if (s->hash == hash && slice_eq(text_of(owner, s->value, &found_tag), text) && found_tag == tag)
            return s;
    }
    return NULL;
}

bool map_find(const struct map *m, uint8_t tag, struct slice text, map_text_fn *text_of, const void *owner,
              uint32_t *value_out)
{
    const struct map_slot *s = slot_find(m, tag, text, text_of, owner);

    if (s == NULL)
        return false;
    *value_out = s->value;
    return true;
}

static void slot_put(struct map *m, uint64_t hash, uint32_t value)
{
    size_t at = hash % m->n_slots;

    while (m->slots[at].hash >= MAP_FIRST)
        at = at + 1 < m->n_slots ? at + 1 : 0;
    m->used += m->slots[at].hash == MAP_FREE;
    m->slots[at] = (struct map_slot){hash, value};
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->n_slots = 4 * m->n + 64;
    m->slots = mem_zero(m->n_slots, sizeof *m->slots);
    m->used = 0;
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].hash >= MAP_FIRST)
            slot_put(m, old.slots[i].hash, old.slots[i].value);
    free(old.slots);
}

void map_put(struct map *m, uint8_t tag, struct slice text, uint32_t value)
{
    if (2 * (m->used + 1) > m->n_slots)
        grow(m);
    slot_put(m, hash_of(m, tag, text), value);
    m->n++;
}

void map_remove(struct map *m, uint8_t tag, struct slice text, map_text_fn *text_of, const void *owner)
{
    struct map_slot *s = slot_find(m, tag, text, text_of, owner);

    if (s == NULL)
        return;
    s->hash = MAP_REMOVED;
    m->n--;
}

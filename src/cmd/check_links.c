#include "cmd/check.h"

#include "base/crypto.h"
#include "stix/stix.h"

/* Open addressing over the ids as they stand in the text. A file's maker could choose ids that collide: the key is
   random and the table is twice as large as what is in it. */
struct check_cell {
    struct slice id;
    struct json object;
};
struct check_ids {
    struct check_cell *cells;
    size_t mask;
    uint64_t key;
};

static size_t cell_of(const struct check_ids *ids, struct slice id)
{
    uint64_t hash = ids->key ^ id.len, word = 0;
    const char *p = id.ptr;
    size_t left = id.len;

    for (; left >= sizeof word; p += sizeof word, left -= sizeof word) {
        memcpy(&word, p, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, p, left);
    hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    return (size_t)(hash ^ hash >> 32);
}

static struct check_cell *cell_find(const struct check_ids *ids, struct slice id)
{
    for (size_t at = cell_of(ids, id);; at++) {
        struct check_cell *cell = &ids->cells[at & ids->mask];
        if (cell->id.ptr == NULL || slice_eq(cell->id, id))
            return cell;
    }
}

struct check_ids *check_ids_make(struct arena *a, struct json objects)
{
    struct check_ids *ids = arena_new(a, struct check_ids);
    size_t room = 4;

    while (room < (size_t)json_count(objects) * 2)
        room *= 2;
    ids->cells = arena_array(a, struct check_cell, room);
    ids->mask = room - 1;
    crypto_random((uint8_t *)&ids->key, sizeof ids->key);
    json_each (v, objects) {
        struct slice id = json_text(json_get(v, SLICE("id")));
        if (id.len != 0)
            *cell_find(ids, id) = (struct check_cell){id, v}; /* of several versions the last */
    }
    return ids;
}

/* The TLP markings of STIX 2.1 (section 7.2.1.4) and of TLP 2.0's extension, and that extension: everybody has them. */
static bool is_everywhere(struct slice id)
{
    static const struct slice ids[] = {
        SLICE_INIT("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"),
        SLICE_INIT("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"),
        SLICE_INIT("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"),
        SLICE_INIT("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
        SLICE_INIT("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
        SLICE_INIT("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
        SLICE_INIT("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
        SLICE_INIT("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"),
        SLICE_INIT("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"),
    };

    if (!slice_starts(id, SLICE("marking-definition--")))
        return false;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (slice_eq(ids[i], id))
            return true;
    return false;
}

bool check_ids_have(const struct check_ids *ids, struct slice id)
{
    return cell_find(ids, id)->id.ptr != NULL || is_everywhere(id);
}

struct json check_ids_object(const struct check_ids *ids, struct slice id)
{
    return cell_find(ids, id)->object;
}

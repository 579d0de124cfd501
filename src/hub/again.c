/* hub/again.c: what a viewer lost and gets back is a new release (DESIGN.md invariant 10): STIX revocation is final,
   and whoever was sent the revoked version never takes that id again. A viewer reads such an object under another
   minted id, one for each time that it was taken from it; all viewers from whom it was taken equally often read the
   same one. Derived from the recall rows of the journal: rebuilt at start, and kept here by object. */
#include "hub/internal.h"

#include <stdlib.h>

enum { AGAIN_CELLS_FIRST = 256, AGAIN_REACHES_LOOKED_AT = 16 };

struct again_recall {
    uint64_t seq;
    const struct bits *reach;
    uint32_t next; /* of the same object; 0: none, else its place + 1 */
};
struct again_object {
    struct slice collection, id; /* the id that its rows have */
    uint32_t first, n;
};
struct again_cell {
    uint64_t hash;   /* of collection and id of its rows, or of an id under which it is read */
    uint32_t object; /* place + 1; 0: empty */
};
struct hub_again {
    pthread_rwlock_t lock;
    uint8_t key[CRYPTO_KEY];
    struct arena arena; /* ids and reaches: for ever */
    struct again_object *objects;
    struct again_recall *recalls;
    const struct bits **reaches; /* each of the last ones once */
    struct again_cell *cells;
    size_t n_objects, objects_room, n_recalls, recalls_room, n_reaches, reaches_room, n_cells, used;
};

struct hub_again *hub_again_new(const uint8_t token_key[CRYPTO_KEY])
{
    struct hub_again *g = mem_zero(1, sizeof *g);

    crypto_derive(token_key, "releases given again", g->key);
    pthread_rwlock_init(&g->lock, NULL);
    g->n_cells = AGAIN_CELLS_FIRST;
    g->cells = mem_zero(g->n_cells, sizeof *g->cells);
    return g;
}

void hub_again_free(struct hub_again **again)
{
    struct hub_again *g = *again;

    *again = NULL;
    if (g == NULL)
        return;
    crypto_wipe(g->key, sizeof g->key);
    pthread_rwlock_destroy(&g->lock);
    arena_free(&g->arena);
    free(g->objects);
    free(g->recalls);
    free(g->reaches);
    free(g->cells);
    free(g);
}

struct slice hub_again_id(const struct hub *h, struct arena *a, struct slice collection, struct slice id,
                          uint32_t times)
{
    uint8_t mac[CRYPTO_MAC];

    if (times == 0)
        return id;
    crypto_mac(h->again->key,
               arena_printf(a, SLICE_FMT "\n" SLICE_FMT "\n%u", SLICE_ARG(collection), SLICE_ARG(id), times), mac);
    return share_minted_id(a, id, mac);
}

/* ---- under the lock ---- */

static struct again_cell *find_cell(const struct hub_again *g, uint64_t hash)
{
    size_t at = hash & (g->n_cells - 1);

    while (g->cells[at].object != 0 && g->cells[at].hash != hash)
        at = (at + 1) & (g->n_cells - 1);
    return &g->cells[at];
}

static void name_object(struct hub_again *g, uint64_t hash, uint32_t object)
{
    if (g->used * 2 >= g->n_cells) {
        struct again_cell *old = g->cells;
        size_t n = g->n_cells;
        g->n_cells *= 2;
        g->cells = mem_zero(g->n_cells, sizeof *g->cells);
        for (size_t i = 0; i < n; i++)
            if (old[i].object != 0)
                *find_cell(g, old[i].hash) = old[i];
        free(old);
    }
    *find_cell(g, hash) = (struct again_cell){hash, object};
    g->used++;
}

static uint64_t object_hash(struct slice collection, struct slice id)
{
    return hub_row_key(SLICE(""), collection, id, SLICE(""));
}

static uint32_t object_for(struct hub_again *g, struct slice collection, struct slice id)
{
    uint64_t hash = object_hash(collection, id);
    uint32_t known = find_cell(g, hash)->object;

    if (known != 0)
        return known;
    if (g->n_objects == g->objects_room) {
        g->objects_room = g->objects_room * 2 + 64;
        g->objects = mem_grow(g->objects, g->objects_room * sizeof *g->objects);
    }
    g->objects[g->n_objects++] = (struct again_object){.collection = collection, .id = arena_copy(&g->arena, id)};
    name_object(g, hash, (uint32_t)g->n_objects);
    return (uint32_t)g->n_objects;
}

/* Recalls of one act mostly reach the same viewers: those share one bitmap. */
static const struct bits *reach_for(struct hub_again *g, struct slice reach)
{
    size_t n_words = (reach.len + 7) / 8;

    for (size_t i = g->n_reaches; i > 0 && g->n_reaches - i < AGAIN_REACHES_LOOKED_AT; i--) {
        const struct bits *one = g->reaches[i - 1];
        if (one->n_words == n_words && memcmp(one->words, reach.ptr, reach.len) == 0)
            return one;
    }
    struct bits *fresh = arena_new(&g->arena, struct bits);
    *fresh = (struct bits){arena_zero(&g->arena, n_words * sizeof *fresh->words), n_words};
    memcpy(fresh->words, reach.ptr, reach.len);
    if (g->n_reaches == g->reaches_room) {
        g->reaches_room = g->reaches_room * 2 + 16;
        g->reaches = mem_grow(g->reaches, g->reaches_room * sizeof *g->reaches);
    }
    g->reaches[g->n_reaches++] = fresh;
    return fresh;
}

static const struct bits *put(struct hub *h, uint64_t seq, struct slice id, struct slice reach)
{
    struct hub_again *g = h->again;
    /* A class is for ever, and so is what it names. */
    uint32_t place = object_for(g, hub_row_collection(h, seq), id);
    struct again_object *object = &g->objects[place - 1];
    struct arena scratch = ARENA_INIT;

    if (g->n_recalls == g->recalls_room) {
        g->recalls_room = g->recalls_room * 2 + 64;
        g->recalls = mem_grow(g->recalls, g->recalls_room * sizeof *g->recalls);
    }
    struct again_recall *recall = &g->recalls[g->n_recalls++];
    *recall = (struct again_recall){seq, reach_for(g, reach), object->first};
    object->first = (uint32_t)g->n_recalls;
    object->n++;
    name_object(g, hub_id_hash(hub_again_id(h, &scratch, object->collection, object->id, object->n)), place);
    arena_free(&scratch);
    return recall->reach;
}

/* ---- for everybody ---- */

void hub_again_put(struct hub *h, uint64_t seq, struct slice id, struct slice reach)
{
    pthread_rwlock_wrlock(&h->again->lock);
    const struct bits *viewers = put(h, seq, id, reach);
    pthread_rwlock_unlock(&h->again->lock);
    uint32_t n = atomic_load(&h->n_viewers);
    for (uint32_t v = 1; v < n && v < viewers->n_words * 64; v++)
        if (bits_has(viewers, v))
            atomic_store(&h->viewers[v]->lost, true);
}

uint32_t hub_again_times(struct hub *h, uint32_t viewer, struct slice collection, struct slice id, uint64_t before)
{
    struct hub_again *g = h->again;
    uint32_t times = 0;

    if (!atomic_load(&h->viewers[viewer]->lost))
        return 0;
    uint64_t hash = object_hash(collection, id);
    pthread_rwlock_rdlock(&g->lock);
    uint32_t place = find_cell(g, hash)->object;
    for (uint32_t at = place != 0 ? g->objects[place - 1].first : 0; at != 0; at = g->recalls[at - 1].next)
        times += g->recalls[at - 1].seq < before && bits_has(g->recalls[at - 1].reach, viewer);
    pthread_rwlock_unlock(&g->lock);
    return times;
}

struct slice hub_again_base(struct hub *h, struct slice id)
{
    struct hub_again *g = h->again;
    struct slice base = id;

    uint64_t hash = hub_id_hash(id);
    pthread_rwlock_rdlock(&g->lock);
    uint32_t place = find_cell(g, hash)->object;
    if (place != 0)
        base = g->objects[place - 1].id; /* for ever */
    pthread_rwlock_unlock(&g->lock);
    return base;
}

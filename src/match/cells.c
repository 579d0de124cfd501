#include "match/internal.h"

#include <assert.h>
#include <stdlib.h>

/* Free lists: multiples of the unit up to CELL_SMALL, then powers of two up to CELL_LARGE. */
static uint32_t cell_class(size_t size, size_t *rounded_out)
{
    assert(size <= CELL_LARGE);
    if (size <= CELL_SMALL) {
        size_t units = (size + CELL_UNIT - 1) / CELL_UNIT;
        *rounded_out = units * CELL_UNIT;
        return (uint32_t)units;
    }
    uint32_t class = CELL_SMALL / CELL_UNIT + 1;
    size_t room = 2 * CELL_SMALL;
    for (; room < size; room *= 2)
        class ++;
    assert(class < CELL_CLASSES);
    *rounded_out = room;
    return class;
}

void cells_open(struct cells *c)
{
    *c = (struct cells){.chunks = mem_zero(CELL_CHUNKS, sizeof *c->chunks)};
}

void cells_close(struct cells *c)
{
    for (uint32_t i = 0; i < c->n_chunks; i++)
        free(atomic_load_explicit(&c->chunks[i], memory_order_relaxed));
    free(c->chunks);
    c->chunks = NULL;
}

uint32_t cells_take(struct cells *c, size_t size)
{
    size_t rounded;
    uint32_t class = cell_class(size, &rounded);
    uint32_t ref = c->free[class];

    if (ref != 0) {
        memcpy(&c->free[class], cells_at(c, ref), sizeof ref);
        return ref;
    }
    uint32_t units = (uint32_t)(rounded / CELL_UNIT);
    if (c->n_chunks == 0 || CELL_CHUNK_UNITS - c->at < units) {
        assert(c->n_chunks < CELL_CHUNKS); /* cells_are_full() was asked before anything was added */
        atomic_store_explicit(&c->chunks[c->n_chunks], mem_alloc(CELL_CHUNK), memory_order_release);
        c->at = c->n_chunks == 0 ? 1 : 0; /* number 0 is no cell */
        c->n_chunks++;
    }
    ref = (c->n_chunks - 1) * CELL_CHUNK_UNITS + c->at;
    c->at += units;
    return ref;
}

void cells_give(struct cells *c, uint32_t ref, size_t size)
{
    size_t rounded;
    uint32_t class = cell_class(size, &rounded);

    memcpy(cells_at(c, ref), &c->free[class], sizeof ref);
    c->free[class] = ref;
}

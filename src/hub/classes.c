/* hub/classes.c: facts classes: equal facts are one class, numbered in the order in which they first came. The
 * committer's thread alone adds. */
#include "hub/internal.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t text_hash(struct slice s)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.ptr[i]) * 0x100000001b3;
    return hash;
}

/* The cell of this key, or the empty one where it belongs. At least a quarter of the cells is empty. */
static uint32_t *class_cell(struct hub *h, uint64_t hash, struct slice key)
{
    uint32_t mask = h->n_class_cells - 1;

    for (uint32_t at = (uint32_t)(hash >> 32) & mask;; at = (at + 1) & mask) {
        uint32_t *cell = &h->class_cells[at];
        if (*cell == 0 || (h->classes[*cell - 1]->hash == hash && slice_eq(h->classes[*cell - 1]->key, key)))
            return cell;
    }
}

static void class_cells_grow(struct hub *h, uint32_t n_classes)
{
    if (n_classes < h->n_class_cells / 4 * 3)
        return;
    free(h->class_cells);
    h->n_class_cells = h->n_class_cells != 0 ? 2 * h->n_class_cells : 1024;
    h->class_cells = mem_zero(h->n_class_cells, sizeof *h->class_cells);
    for (uint32_t i = 0; i < n_classes; i++)
        *class_cell(h, h->classes[i]->hash, h->classes[i]->key) = i + 1;
}

uint32_t hub_class_number(struct hub *h, struct slice key, bool *new_out)
{
    uint32_t n = atomic_load(&h->n_classes);
    uint64_t hash = text_hash(key);

    class_cells_grow(h, n);
    uint32_t *cell = class_cell(h, hash, key);
    *new_out = *cell == 0;
    if (*cell != 0)
        return *cell - 1;
    assert(n < HUB_CLASSES_MAX);
    *cell = n + 1;
    struct hub_class *c = mem_zero(1, sizeof *c);
    c->key = slice_n(mem_copy(key), key.len);
    c->hash = hash;
    int read = share_facts_get(&h->arena, c->key, &c->facts, NULL);
    assert(read == 0); /* our own canonical bytes */
    c->of_values = stix_type_class(stix_type_find(c->facts.type)) == STIX_SCO;
    h->classes[n] = c;
    atomic_store_explicit(&h->n_classes, n + 1, memory_order_release);
    return n;
}

bool hub_class_is_known(struct hub *h, struct slice key)
{
    class_cells_grow(h, atomic_load(&h->n_classes));
    return *class_cell(h, text_hash(key), key) != 0;
}

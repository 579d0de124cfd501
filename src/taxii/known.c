/* taxii/known.c: versions of objects that a walk has met. */
#include "taxii/internal.h"

#include <stdlib.h>

#include "base/crypto.h"

static uint32_t cell_of(const struct taxii_known *k, const uint8_t hash[16])
{
    uint32_t at;

    memcpy(&at, hash, sizeof at);
    return at & (k->n_cells - 1);
}

static void index_all(struct taxii_known *k)
{
    memset(k->cells, 0, k->n_cells * sizeof *k->cells);
    for (size_t i = 0; i < k->n; i++) {
        uint32_t at = cell_of(k, k->items[i].hash);
        while (k->cells[at] != 0)
            at = (at + 1) & (k->n_cells - 1);
        k->cells[at] = (uint32_t)i + 1;
    }
}

static void grow(struct taxii_known *k)
{
    if (k->n == k->room) {
        k->room = k->room != 0 ? k->room * 2 : 256;
        k->items = mem_grow(k->items, k->room * sizeof *k->items);
    }
    if ((k->n + 1) * 2 <= k->n_cells)
        return;
    k->n_cells = k->n_cells != 0 ? k->n_cells * 2 : 1024;
    k->cells = mem_grow(k->cells, k->n_cells * sizeof *k->cells);
    index_all(k);
}

void taxii_known_free(struct taxii_known *k)
{
    free(k->items);
    free(k->cells);
    *k = (struct taxii_known){NULL, NULL, 0, 0, 0};
}

struct taxii_known_item *taxii_known_put(struct taxii_known *k, const uint8_t hash[16], bool *new_out)
{
    grow(k);
    uint32_t at = cell_of(k, hash);
    for (; k->cells[at] != 0; at = (at + 1) & (k->n_cells - 1))
        if (memcmp(k->items[k->cells[at] - 1].hash, hash, 16) == 0) {
            *new_out = false;
            return &k->items[k->cells[at] - 1];
        }
    struct taxii_known_item *item = &k->items[k->n];
    *item = (struct taxii_known_item){.at_us = INT64_MAX};
    memcpy(item->hash, hash, 16);
    k->cells[at] = (uint32_t)++k->n;
    *new_out = true;
    return item;
}

void taxii_known_drop_last(struct taxii_known *k, size_t n)
{
    if (n == k->n)
        return;
    k->n = n;
    index_all(k);
}

void taxii_known_trim(struct taxii_known *k, int64_t before_us, size_t keep, size_t most)
{
    size_t over = k->n > most ? k->n - most : 0, surplus = k->n > keep ? k->n - keep : 0, gone = 0, kept = 0;

    if (surplus < keep && over == 0)
        return; /* not worth the work yet */
    for (size_t i = 0; i < k->n; i++)
        if (gone < over || (gone < surplus && k->items[i].at_us < before_us))
            gone++;
        else
            k->items[kept++] = k->items[i];
    k->n = kept;
    index_all(k);
}

/* TAXII 2.1 section 3.4: the version of an object is its modified, else its created; what has neither is its bytes. */
void taxii_known_hash(struct json object, uint8_t out[16])
{
    struct slice id = json_text(json_get(object, SLICE("id"))),
                 version = json_text(json_get(object, SLICE("modified")));
    char text[TIME_TEXT];
    uint8_t hash[CRYPTO_HASH], whole[CRYPTO_HASH];
    int64_t us;

    if (version.ptr == NULL)
        version = json_text(json_get(object, SLICE("created")));
    if (id.ptr == NULL || version.ptr == NULL) {
        crypto_sha256(json_raw(object), whole);
        version = slice_n((const char *)whole, sizeof whole);
    } else if (time_parse(version, &us)) { /* by instant, however it is written */
        time_put(text, us);
        version = slice_n(text, sizeof text);
    }
    crypto_sha256_2(id.ptr != NULL ? id : SLICE(""), version, hash);
    memcpy(out, hash, 16);
}

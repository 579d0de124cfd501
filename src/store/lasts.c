#include "store/internal.h"

#include <stdlib.h>

static atomic_ullong *chunk_of(struct store_lasts *l, int64_t list, bool make)
{
    size_t at = (size_t)(list / STORE_LASTS_CHUNK);
    atomic_ullong *chunk = atomic_load_explicit(&l->chunks[at], memory_order_acquire);

    if (chunk == NULL && make) {
        chunk = mem_zero(STORE_LASTS_CHUNK, sizeof *chunk);
        atomic_store_explicit(&l->chunks[at], chunk, memory_order_release);
    }
    return chunk;
}

static bool is_inside(int64_t list)
{
    return list / STORE_LASTS_CHUNK < STORE_LASTS_CHUNKS;
}

void store_lasts_raise(struct store_lasts *l, int64_t list, uint64_t seq)
{
    if (is_inside(list))
        atomic_store_explicit(&chunk_of(l, list, true)[list % STORE_LASTS_CHUNK], seq, memory_order_release);
}

uint64_t store_lasts_get(struct store_lasts *l, int64_t list)
{
    if (!is_inside(list))
        return UINT64_MAX;
    atomic_ullong *chunk = chunk_of(l, list, false);
    return chunk != NULL ? atomic_load_explicit(&chunk[list % STORE_LASTS_CHUNK], memory_order_acquire) : 0;
}

/* Two steps into the index a list, however long the lists are. */
int store_lasts_load(struct store_lasts *l, sqlite3 *db, struct err *err)
{
    static const char sql[] = "SELECT list, seq FROM brief INDEXED BY brief_list WHERE list ="
                              " (SELECT min(list) FROM brief INDEXED BY brief_list WHERE list > ?1)"
                              " ORDER BY list DESC, seq DESC LIMIT 1";
    sqlite3_stmt *st = NULL;
    int64_t list = -1;
    int rc;

    if (store_sql_prepare(db, sql, &st, err) != 0)
        return -1;
    for (;;) {
        store_bind(st, 1, (uint64_t)list);
        if ((rc = sqlite3_step(st)) != SQLITE_ROW)
            break;
        list = sqlite3_column_int64(st, 0);
        store_lasts_raise(l, list, store_column(st, 1));
        sqlite3_reset(st);
    }
    if (rc != SQLITE_DONE)
        store_sql_fail(db, "read the lists", err);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

void store_lasts_free(struct store_lasts *l)
{
    for (size_t i = 0; i < STORE_LASTS_CHUNKS; i++)
        free(atomic_load(&l->chunks[i]));
}

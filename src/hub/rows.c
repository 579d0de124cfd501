/* hub/rows.c: what merging and reading need of every row of the journal, in memory. The index keeps current rows only:
 * history hangs on `subject`. */
#include "hub/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

struct hub_cell {
    uint32_t tag, seq; /* seq 0: empty; HUB_CELL_GONE: was taken out */
};

enum { CELLS_FIRST = 1024 };
#define CELL_GONE UINT32_MAX

/* Address space only: pages come as rows come. */
static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert(at != MAP_FAILED);
    return at;
}

void hub_rows_init(struct hub_rows *r)
{
    const size_t n = HUB_ROWS_MAX;

    r->key = reserve(n * sizeof *r->key);
    r->source_us = reserve(n * sizeof *r->source_us);
    r->first_us = reserve(n * sizeof *r->first_us);
    r->facts_class = reserve(n * sizeof *r->facts_class);
    r->subject = reserve(n * sizeof *r->subject);
    r->later = reserve(n * sizeof *r->later);
    r->leap = reserve(n * sizeof *r->leap);
    r->most = n;
    r->first = reserve(n * sizeof *r->first);
    r->kind = reserve(n * sizeof *r->kind);
    r->superseded = (struct bits){reserve(n / 8), n / 64};
    r->replaced = (struct bits){reserve(n / 8), n / 64};
    r->bare = (struct bits){reserve(n / 8), n / 64};
    r->hidden = (struct bits){reserve(n / 8), n / 64};
    r->n_cells = CELLS_FIRST;
    r->used = 0;
    r->cells = mem_zero(r->n_cells, sizeof *r->cells);
    pthread_rwlock_init(&r->lock, NULL);
}

void hub_rows_free(struct hub_rows *r)
{
    const size_t n = HUB_ROWS_MAX;

    if (r->key == NULL)
        return;
    munmap(r->key, n * sizeof *r->key);
    munmap(r->source_us, n * sizeof *r->source_us);
    munmap(r->first_us, n * sizeof *r->first_us);
    munmap(r->facts_class, n * sizeof *r->facts_class);
    munmap(r->subject, n * sizeof *r->subject);
    munmap(r->later, n * sizeof *r->later);
    munmap(r->leap, n * sizeof *r->leap);
    munmap(r->first, n * sizeof *r->first);
    munmap(r->kind, n * sizeof *r->kind);
    munmap(r->superseded.words, n / 8);
    munmap(r->replaced.words, n / 8);
    munmap(r->bare.words, n / 8);
    munmap(r->hidden.words, n / 8);
    free(r->cells);
    pthread_rwlock_destroy(&r->lock);
    r->key = NULL;
}

static uint64_t first_eight(const uint8_t hash[CRYPTO_HASH])
{
    uint64_t value;

    memcpy(&value, hash, sizeof value);
    return le64toh(value);
}

uint64_t hub_id_hash(struct slice id)
{
    uint8_t hash[CRYPTO_HASH];

    crypto_sha256(id, hash);
    return first_eight(hash);
}

uint64_t hub_row_key(struct slice who, struct slice collection, struct slice id, struct slice variant)
{
    struct buf text = BUF_INIT;
    uint8_t hash[CRYPTO_HASH];

    buf_put(&text, who);
    buf_put_byte(&text, '\0');
    buf_put(&text, collection);
    buf_put_byte(&text, '\0');
    buf_put(&text, id);
    buf_put_byte(&text, '\0');
    buf_put(&text, variant);
    crypto_sha256(buf_slice(&text), hash);
    buf_free(&text);
    return first_eight(hash);
}

static uint32_t tag_of(uint64_t id_hash)
{
    return (uint32_t)(id_hash >> 32);
}

static void cell_put(struct hub_cell *cells, uint32_t n_cells, uint32_t tag, uint32_t seq)
{
    uint32_t at = tag & (n_cells - 1);

    while (cells[at].seq != 0)
        at = (at + 1) & (n_cells - 1);
    cells[at] = (struct hub_cell){tag, seq};
}

/* Under the write lock. The tag's low bits choose the cell, so that growing needs no hash of the id. */
static void grow(struct hub_rows *r)
{
    uint32_t n_cells = r->n_cells, live = 0;

    for (uint32_t i = 0; i < r->n_cells; i++)
        live += r->cells[i].seq != 0 && r->cells[i].seq != CELL_GONE;
    while (live * 2 >= n_cells)
        n_cells *= 2;
    struct hub_cell *cells = mem_zero(n_cells, sizeof *cells);
    for (uint32_t i = 0; i < r->n_cells; i++)
        if (r->cells[i].seq != 0 && r->cells[i].seq != CELL_GONE)
            cell_put(cells, n_cells, r->cells[i].tag, r->cells[i].seq);
    free(r->cells);
    r->cells = cells;
    r->n_cells = n_cells;
    r->used = live;
}

static void index_add(struct hub_rows *r, uint64_t id_hash, uint64_t seq)
{
    pthread_rwlock_wrlock(&r->lock);
    if ((uint64_t)r->used * 10 >= (uint64_t)r->n_cells * 7)
        grow(r);
    cell_put(r->cells, r->n_cells, tag_of(id_hash), (uint32_t)seq);
    r->used++;
    pthread_rwlock_unlock(&r->lock);
}

/* `now` 0 takes the row out. */
static void index_change(struct hub_rows *r, uint32_t tag, uint64_t seq, uint64_t now)
{
    pthread_rwlock_wrlock(&r->lock);
    for (uint32_t at = tag & (r->n_cells - 1); r->cells[at].seq != 0; at = (at + 1) & (r->n_cells - 1))
        if (r->cells[at].seq == seq && r->cells[at].tag == tag) {
            r->cells[at].seq = now != 0 ? (uint32_t)now : CELL_GONE;
            break;
        }
    pthread_rwlock_unlock(&r->lock);
}

static uint64_t step_later(const struct hub_rows *r, uint64_t seq, uint64_t upto)
{
    uint64_t far = __atomic_load_n(&r->leap[seq], __ATOMIC_ACQUIRE), next = hub_row_later(r, seq);

    if (far != 0 && far <= upto)
        return far;
    return next <= upto ? next : 0;
}

/* Whoever walked a chain of versions leaves leaps to its end behind: an object of thousands of versions is walked once
 * and not once for each of them. A leap only ever leads further along the same chain. */
uint64_t hub_row_latest(struct hub_rows *r, uint64_t seq, uint64_t upto)
{
    uint64_t last = seq;

    for (uint64_t next = step_later(r, seq, upto); next != 0; next = step_later(r, last, upto))
        last = next;
    for (uint64_t at = seq; at != last;) {
        uint64_t next = step_later(r, at, upto);
        __atomic_store_n(&r->leap[at], (uint32_t)last, __ATOMIC_RELEASE);
        at = next;
    }
    return last;
}

bool hub_row_is_newer(const struct hub_rows *r, uint64_t seq, int64_t source_us)
{
    return source_us > r->source_us[seq];
}

static bool is_object_row(enum store_kind kind)
{
    return kind == STORE_ADD || kind == STORE_EXPIRE || kind == STORE_RETRACT;
}

/* Does this row stand for its object from now on? An older version that arrives late does not. */
static bool takes_over(const struct hub_rows *r, uint64_t subject, int64_t source_us)
{
    return subject == 0 || source_us >= r->source_us[subject];
}

/* Most rows are first versions that nothing replaced: the pages of those arrays that hold zeros alone stay untouched,
 * and take no memory. */
static void put_rare(uint32_t *at, uint32_t value)
{
    if (__atomic_load_n(at, __ATOMIC_RELAXED) != value)
        __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

void hub_rows_take(struct hub_rows *r, const struct hub_row *row)
{
    uint64_t seq = row->seq, subject = row->subject;

    assert(seq < HUB_ROWS_MAX && subject < seq);
    r->key[seq] = row->key;
    r->source_us[seq] = row->source_us;
    r->first_us[seq] = subject != 0 ? r->first_us[subject] : row->added_us;
    put_rare(&r->first[seq], subject != 0 ? (uint32_t)hub_row_first(r, subject) : 0);
    r->facts_class[seq] = row->facts_class;
    put_rare(&r->subject[seq], (uint32_t)subject);
    put_rare(&r->later[seq], 0);
    put_rare(&r->leap[seq], 0);
    r->kind[seq] = (uint8_t)row->kind;
    if (row->bare && row->kind == STORE_EXPIRE)
        bits_set(&r->bare, seq, true);
    else if (bits_has(&r->bare, seq)) /* of a transaction that failed */
        bits_set(&r->bare, seq, false);
    if (!is_object_row(row->kind))
        return;
    if (subject == 0)
        index_add(r, row->id_hash, seq);
    else if (takes_over(r, subject, row->source_us))
        index_change(r, tag_of(row->id_hash), subject, seq);
}

/* With what only a bare expiry stood before. */
static void replace(struct hub_rows *r, uint64_t seq)
{
    for (; seq != 0 && !bits_has(&r->replaced, seq); seq = hub_row_subject(r, seq))
        bits_set(&r->replaced, seq, true);
}

void hub_rows_supersede(struct hub_rows *r, uint64_t seq, uint64_t later)
{
    if (takes_over(r, seq, r->source_us[later])) {
        __atomic_store_n(&r->later[seq], (uint32_t)later, __ATOMIC_RELEASE);
        bits_set(&r->superseded, seq, true);
        if (!bits_has(&r->bare, later))
            replace(r, seq);
    } else {
        /* An older version that came late: the current one leads to it, it to what the current one led to. */
        __atomic_store_n(&r->subject[later], r->subject[seq], __ATOMIC_RELEASE);
        __atomic_store_n(&r->subject[seq], (uint32_t)later, __ATOMIC_RELEASE);
        __atomic_store_n(&r->later[later], (uint32_t)seq, __ATOMIC_RELEASE);
        bits_set(&r->superseded, later, true);
        bits_set(&r->replaced, later, true);
    }
}

void hub_rows_forget(struct hub_rows *r, uint64_t seq, uint64_t id_hash)
{
    uint64_t subject = r->subject[seq];

    if (!is_object_row(r->kind[seq]))
        return;
    if (subject == 0 || takes_over(r, subject, r->source_us[seq]))
        index_change(r, tag_of(id_hash), seq, subject);
}

static size_t find_all(const struct hub_rows *r, uint32_t tag, uint64_t *seqs_out, size_t room)
{
    size_t n = 0;

    for (uint32_t at = tag & (r->n_cells - 1); r->cells[at].seq != 0; at = (at + 1) & (r->n_cells - 1))
        if (r->cells[at].tag == tag && r->cells[at].seq != CELL_GONE && n++ < room)
            seqs_out[n - 1] = r->cells[at].seq;
    return n;
}

/* Few, but for a value that everybody submits. */
size_t hub_rows_candidates(struct hub_rows *r, uint64_t id_hash, struct arena *a, uint64_t **seqs_out)
{
    size_t room, n = 8;

    do {
        room = n;
        *seqs_out = arena_alloc(a, room * sizeof **seqs_out);
        pthread_rwlock_rdlock(&r->lock);
        n = find_all(r, tag_of(id_hash), *seqs_out, room);
        pthread_rwlock_unlock(&r->lock);
    } while (n > room);
    return n;
}

uint64_t hub_rows_find(struct hub_rows *r, uint64_t id_hash, uint64_t key)
{
    uint32_t tag = tag_of(id_hash);
    uint64_t found = 0;

    pthread_rwlock_rdlock(&r->lock);
    for (uint32_t at = tag & (r->n_cells - 1); r->cells[at].seq != 0 && found == 0; at = (at + 1) & (r->n_cells - 1))
        if (r->cells[at].tag == tag && r->cells[at].seq != CELL_GONE && r->key[r->cells[at].seq] == key)
            found = r->cells[at].seq;
    pthread_rwlock_unlock(&r->lock);
    return found;
}

uint64_t hub_row_shown(const struct hub_rows *r, uint64_t seq, uint64_t upto)
{
    while (seq > upto)
        seq = hub_row_subject(r, seq);
    return seq;
}

uint64_t hub_row_content(const struct hub_rows *r, uint64_t seq)
{
    while (seq != 0 && r->kind[seq] != STORE_ADD && r->kind[seq] != STORE_EXPIRE)
        seq = hub_row_subject(r, seq);
    return seq;
}

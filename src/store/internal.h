/* store/internal.h: what the files of the store share. SQLite stays inside this folder. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "store/store_read.h"
#include "store/store_write.h"

/* ---- sql.c: SQLite with our errors ---- */

int store_sql_open(const char *path, int flags, sqlite3 **db_out,
                   struct err *err); /* each connection: one thread at a time */
int store_sql_fail(sqlite3 *db, const char *doing,
                   struct err *err); /* ERR_DISK_FULL, or ERR_STORE with SQLite's sentence */
int store_sql_exec(sqlite3 *db, const char *sql, struct err *err);
int store_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st_out,
                      struct err *err); /* kept: *st_out not NULL is left */
int store_sql_number(sqlite3 *db, const char *sql, uint64_t *value_out, struct err *err); /* first column; no row: 0 */

static inline void store_bind(sqlite3_stmt *st, int at, uint64_t value)
{
    int rc = sqlite3_bind_int64(st, at, (sqlite3_int64)value);
    assert(rc == SQLITE_OK);
}

/* Empty bytes are kept as NULL, which takes one byte. The bytes stay with the caller until the statement is reset. */
static inline void store_bind_bytes(sqlite3_stmt *st, int at, struct slice s)
{
    int rc = s.len == 0 ? sqlite3_bind_null(st, at) : sqlite3_bind_blob64(st, at, s.ptr, s.len, SQLITE_STATIC);
    assert(rc == SQLITE_OK);
}

static inline uint64_t store_column(sqlite3_stmt *st, int at)
{
    return (uint64_t)sqlite3_column_int64(st, at);
}

static inline struct slice store_column_bytes(sqlite3_stmt *st, int at)
{
    const char *ptr = sqlite3_column_blob(st, at);
    return slice_n(ptr, (size_t)sqlite3_column_bytes(st, at));
}

/* ---- schema.c ---- */

/* A list orders rows of one kind of one class by seq. Its number, and what an addressed row is, end in these two bits,
   so that the indexes alone tell what a part of the journal holds. */
enum store_flag {
    STORE_BARE = 1,   /* no body: a tombstone */
    STORE_RECALL = 2, /* RETRACT or RESTRICT */
};
enum { STORE_ADDRESSED_WIDEN = 4 }; /* `what` of a WIDEN row in table addressed; otherwise its flags */

static inline int64_t store_list_number(uint32_t facts_class, unsigned flags)
{
    return (int64_t)facts_class * 4 + (int64_t)flags;
}

static inline unsigned store_row_flags(const struct store_row *row)
{
    bool recall = row->kind == STORE_RETRACT || row->kind == STORE_RESTRICT;
    return (recall ? STORE_RECALL : 0) | (row->body.len == 0 ? STORE_BARE : 0);
}

/* ---- row.c: what of a row stands in the columns `numbers` of the journal and of the brief table ---- */

enum { STORE_NUMBERS = 10 * 8 + 32, STORE_BRIEF_NUMBERS = 6 * 8 };
void store_brief_put_numbers(const struct store_brief *b, char out[STORE_BRIEF_NUMBERS]);
bool store_brief_get_numbers(struct slice numbers, struct store_brief *b_out);
void store_row_put_numbers(const struct store_row *row, char out[STORE_NUMBERS]);
bool store_row_get_numbers(struct slice numbers, struct store_row *row_out); /* false: these are none */

extern const char *const store_table_names[STORE_TABLES];
int store_schema_open(sqlite3 *db, struct err *err); /* creates it in an empty file; ERR_STORE_VERSION */

/* ---- lasts.c: the last seq of each list, in memory ---- */

/* A reader asks here before it asks the index, so that a follower at the head of 300 lists pays for those that grew. An
   upper bound: raised before the commit, not lowered by a rollback. One writer, any number of readers, no lock. */
enum { STORE_LASTS_CHUNK = 1024, STORE_LASTS_CHUNKS = 4096 };
struct store_lasts {
    _Atomic(atomic_ullong *) chunks[STORE_LASTS_CHUNKS];
};
int store_lasts_load(struct store_lasts *l, sqlite3 *db, struct err *err);
void store_lasts_raise(struct store_lasts *l, int64_t list, uint64_t seq);
uint64_t store_lasts_get(struct store_lasts *l, int64_t list); /* UINT64_MAX past the end of the table: ask the index */
void store_lasts_free(struct store_lasts *l);

/* ---- wal.c ---- */

struct store_wal {
    pthread_t thread;
    pthread_mutex_t state; /* guards stop and due */
    pthread_cond_t wake;
    bool running, stop, due;
    pthread_mutex_t checkpoint; /* held by whoever checkpoints: SQLite would answer busy */
    sqlite3 *db;                /* the thread's own connection */
    atomic_uint frames;         /* in the WAL after the last commit */
    atomic_uint moved;          /* of those, already in the database */
    unsigned told, retry_at;    /* writer's: frames at the last wake, and when to try again */
};
int store_wal_start(struct store_wal *w, const char *path, sqlite3 *writer, struct err *err);
void store_wal_stop(struct store_wal *w);
enum {
    STORE_WRITER_WAIT_MS = 2000
}; /* a reader that met a half-written head of the log looks again under the writer's lock */
void store_wal_turn(struct store_wal *w, sqlite3 *writer); /* between two transactions of the writer */

/* ---- store.c ---- */

enum store_write_sql {
    WRITE_BEGIN,
    WRITE_COMMIT,
    WRITE_JOURNAL,
    WRITE_BRIEF,
    WRITE_ADDRESSED,
    WRITE_ENVELOPE,
    WRITE_LEAF,
    WRITE_COUNT,
    WRITE_SQLS
};
struct store {
    struct arena arena;
    const char *path; /* of the database */
    int lock;
    sqlite3 *db; /* the writer's */
    sqlite3_stmt *sql[WRITE_SQLS], *put[STORE_TABLES], *del[STORE_TABLES], *look[STORE_TABLES];
    struct store_head head, committed; /* head: with what the open transaction appended */
    bool writing;
    struct err failed; /* the first error of the open transaction: it can only be rolled back */
    struct store_lasts lasts;
    struct store_wal wal;
    atomic_int readers;
};
#define STORE_HEAD_SQL                                                                                                 \
    "SELECT seq, added_us, grant FROM brief LEFT JOIN addressed USING (seq) ORDER BY seq DESC LIMIT 1"
int store_head_step(sqlite3_stmt *st, uint64_t *seq_out, int64_t *last_added_out,
                    struct err *err); /* of that statement */

/* ---- read.c ---- */

enum store_read_sql {
    READ_BEGIN,
    READ_END,
    READ_ROW,
    READ_LIST,
    READ_OWNED,
    READ_OWNED_LISTS,
    READ_ADDRESSED,
    READ_ADDRESSED_ONE,
    READ_WIDENINGS,
    READ_ADDED,
    READ_BRIEF,
    READ_RECALLS,
    READ_ENVELOPE,
    READ_LEAF,
    READ_HEAD,
    READ_SQLS
};
struct store_reader {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *sql[READ_SQLS], *get[STORE_TABLES], *scan[STORE_TABLES];
    struct arena scratch; /* of one call */
    uint64_t row_seq;     /* where READ_ROW stands; 0: nowhere */
    bool busy;
};
int store_read_begin(struct store_reader *r, struct err *err); /* one read transaction a call */
void store_read_end(struct store_reader *r);
int store_read_sql(struct store_reader *r, enum store_read_sql which, sqlite3_stmt **st_out, struct err *err);
/* By seq, ERR_NOT_FOUND. The row points into its statement: until the next one. `reach` and `grant` stand elsewhere and
 * stay empty. */
int store_read_at(struct store_reader *r, uint64_t seq, const struct store_query *q, struct store_row *row_out,
                  struct err *err);
int store_read_added(struct store_reader *r, uint64_t seq, int64_t *added_us_out, enum store_kind *kind_out,
                     struct err *err);

/* ---- merge.c: rows of many lists in the order of seq ---- */

struct store_cursor {
    int64_t list;
    uint64_t owner;      /* 0: all rows of the list; else this owner's */
    uint64_t last, upto; /* everything up to and with `last` was fetched */
    uint64_t *seqs;
    uint32_t n, at, room;
    bool dry, wanted;
};
struct store_merge {
    struct store_reader *reader;
    struct store_cursor *cursors;
    struct store_merge_top {
        uint64_t seq;
        uint32_t cursor;
    } * heap;
    size_t n, room, n_heap, n_wanted;
    uint32_t chunk;
    bool started;
};
void store_merge_init(struct store_merge *m, struct store_reader *r, size_t most_cursors, uint32_t rows_hint);
void store_merge_add(struct store_merge *m, int64_t list, uint64_t owner, uint64_t after, uint64_t upto, bool wanted);
/* 1: the lowest seq, and whether one of its lists was added as wanted; 0: at the end, or nothing wanted is left; -1:
 * failed. */
int store_merge_peek(struct store_merge *m, uint64_t *seq_out, bool *wanted_out, struct err *err);
int store_merge_pop(struct store_merge *m, struct err *err); /* past every entry of that seq */

/* ---- widen.c: what a WIDEN row stands for ---- */

struct store_grant {
    uint64_t n_objects, upto;
    struct slice classes; /* u32 each, little endian */
};
struct store_grant store_grant_read(struct slice grant);
uint32_t store_grant_class(const struct store_grant *g, size_t at);
size_t store_grant_classes(const struct store_grant *g);

struct store_widen {
    uint64_t seq, sub, rank; /* position inside: as struct store_at */
    int64_t added_us;
    uint64_t n_objects;
    struct store_merge merge;
};
/* Stands behind `at`. `lists`: the classes that are wanted; NULL: all. */
int store_widen_open(struct store_widen *w, struct store_reader *r, const struct store_at *at, int64_t added_us,
                     struct slice grant, const struct store_query *q, struct err *err);
/* 1: stands on the next content row (w->sub, its rank w->rank - 1), `wanted_out` tells whether its class is asked for;
 * 0: at the end. */
int store_widen_next(struct store_widen *w, bool *wanted_out, struct err *err);

bool store_query_owns(const struct store_query *q, uint32_t facts_class);
const struct store_list *store_query_list(const struct store_query *q, uint32_t facts_class); /* NULL: not in lists */
bool store_reaches(struct slice reach, uint32_t viewer);

#endif

/* index.db: one table of pairs by key, and how far in the journal it is. Pages are small: keys are random, and each
   one that is put dirties a page of its own. */
#include "store/store_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/internal.h"

enum { INDEX_VERSION = 1, INDEX_APPLICATION = 0x54435358 };

enum index_sql { INDEX_BEGIN, INDEX_COMMIT, INDEX_PUT, INDEX_DROP, INDEX_FIND, INDEX_MOVE, INDEX_SQLS };
static const char *const texts[INDEX_SQLS] = {
    [INDEX_BEGIN] = "BEGIN IMMEDIATE",
    [INDEX_COMMIT] = "COMMIT",
    [INDEX_PUT] = "INSERT INTO pair(key,a,b) VALUES(?1,?2,?3) ON CONFLICT(key,a) DO UPDATE SET b=excluded.b",
    [INDEX_DROP] = "DELETE FROM pair WHERE key=?1 AND a=?2",
    [INDEX_FIND] = "SELECT a,b FROM pair WHERE key=?1 ORDER BY a LIMIT ?2",
    [INDEX_MOVE] = "UPDATE place SET seq=?1, mark=?2",
};

struct store_index {
    sqlite3 *db;
    sqlite3_stmt *sql[INDEX_SQLS];
    struct store_index_place place;
};

static void names(const char *dir, char out[3][4096])
{
    static const char *const ends[3] = {"", "-wal", "-shm"};

    for (int i = 0; i < 3; i++)
        snprintf(out[i], sizeof out[i], "%s/index.db%s", dir, ends[i]);
}

/* What was written and not synced is whole as long as this machine runs. */
static void boot_id(char out[64])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f == NULL || fgets(out, 40, f) == NULL)
        snprintf(out, 64, "unknown %llx", (unsigned long long)getpid());
    if (f != NULL)
        fclose(f);
    out[strcspn(out, "\n")] = '\0';
}

static int set_boot(sqlite3 *db, const char *boot, struct err *err)
{
    char sql[120];

    snprintf(sql, sizeof sql, "UPDATE place SET boot='%s'", boot);
    return store_sql_exec(db, sql, err);
}

static int set_up(sqlite3 *db, struct err *err)
{
    return store_sql_exec(db,
                          "PRAGMA page_size=2048; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                          "PRAGMA cache_size=-1024; PRAGMA wal_autocheckpoint=2000; PRAGMA temp_store=MEMORY;"
                          "PRAGMA journal_size_limit=4194304",
                          err);
}

static int create(sqlite3 *db, struct err *err)
{
    char sql[400];

    snprintf(sql, sizeof sql,
             "BEGIN IMMEDIATE;"
             "CREATE TABLE pair(key INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(key, a))"
             " WITHOUT ROWID;"
             "CREATE TABLE place(seq INTEGER NOT NULL, mark INTEGER NOT NULL, boot TEXT NOT NULL);"
             "INSERT INTO place VALUES(0,0,'');"
             "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             INDEX_APPLICATION, INDEX_VERSION);
    return store_sql_exec(db, sql, err);
}

static bool is_same_boot(const char *told, const char *now)
{
    return told[0] == '\0' || strcmp(told, now) == 0;
}

/* -1: not usable, and to be made anew. */
static int read_place(struct store_index *x, const char *boot, struct err *err)
{
    uint64_t version, application;
    sqlite3_stmt *st = NULL;

    if (store_sql_number(x->db, "PRAGMA user_version", &version, err) != 0 ||
        store_sql_number(x->db, "PRAGMA application_id", &application, err) != 0)
        return -1;
    if (version != INDEX_VERSION || application != INDEX_APPLICATION)
        return err_set(err, ERR_STORE_VERSION, "", "index.db is of another version");
    if (store_sql_prepare(x->db, "SELECT seq, mark, boot FROM place", &st, err) != 0)
        return -1;
    int rc = sqlite3_step(st);
    bool good = rc == SQLITE_ROW && is_same_boot((const char *)sqlite3_column_text(st, 2), boot);
    if (good)
        x->place = (struct store_index_place){store_column(st, 0), store_column(st, 1)};
    sqlite3_finalize(st);
    return good ? 0 : err_set(err, ERR_STORE, "", "index.db was not closed before this machine started");
}

static void let_go(struct store_index *x)
{
    for (size_t i = 0; i < INDEX_SQLS; i++) {
        sqlite3_finalize(x->sql[i]);
        x->sql[i] = NULL;
    }
    sqlite3_close(x->db);
    x->db = NULL;
}

static int open_it(struct store_index *x, const char *path, bool fresh, struct err *err)
{
    char boot[64];

    boot_id(boot);
    x->place = (struct store_index_place){0, 0};
    if (store_sql_open(path, SQLITE_OPEN_READWRITE, &x->db, err) != 0)
        return -1;
    if (set_up(x->db, err) != 0 || (fresh && create(x->db, err) != 0) || read_place(x, boot, err) != 0 ||
        set_boot(x->db, boot, err) != 0) {
        let_go(x);
        return -1;
    }
    return 0;
}

static int remove_files(const char *dir, struct err *err)
{
    char paths[3][4096];

    names(dir, paths);
    for (int i = 0; i < 3; i++)
        if (unlink(paths[i]) != 0 && errno != ENOENT)
            return err_set(err, ERR_SYSTEM, paths[i], "cannot be removed: %s", strerror(errno));
    return 0;
}

/* SQLite gives its other files the same mode. */
static int make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_SYSTEM, path, "cannot be made: %s", strerror(errno));
    close(fd);
    return 0;
}

int store_index_open(const char *dir, struct store_index **index_out, struct err *err)
{
    struct store_index *x = mem_zero(1, sizeof *x);
    struct err why = ERR_INIT;
    char paths[3][4096];

    names(dir, paths);
    *index_out = x;
    if (access(paths[0], F_OK) == 0 && open_it(x, paths[0], false, &why) == 0)
        return 0;
    if (remove_files(dir, err) == 0 && make_file(paths[0], err) == 0 && open_it(x, paths[0], true, err) == 0)
        return 0;
    free(x);
    *index_out = NULL;
    return -1;
}

void store_index_close(struct store_index **index)
{
    struct store_index *x = *index;
    struct err err;

    *index = NULL;
    if (x == NULL)
        return;
    if (store_sql_exec(x->db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=FULL", &err) == 0 &&
        set_boot(x->db, "", &err) == 0)
        store_sql_exec(x->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err);
    let_go(x);
    free(x);
}

int store_index_remove(const char *dir, struct store_index **index, struct err *err)
{
    if (*index != NULL)
        let_go(*index);
    free(*index);
    *index = NULL;
    return remove_files(dir, err);
}

struct store_index_place store_index_place(const struct store_index *x)
{
    return x->place;
}

static int prepare(struct store_index *x, enum index_sql which, struct err *err)
{
    return store_sql_prepare(x->db, texts[which], &x->sql[which], err);
}

static int run(struct store_index *x, enum index_sql which, struct err *err)
{
    int rc = sqlite3_step(x->sql[which]);

    if (rc != SQLITE_DONE)
        store_sql_fail(x->db, texts[which], err);
    sqlite3_reset(x->sql[which]);
    return rc == SQLITE_DONE ? 0 : -1;
}

int store_index_begin(struct store_index *x, struct err *err)
{
    return prepare(x, INDEX_BEGIN, err) != 0 ? -1 : run(x, INDEX_BEGIN, err);
}

int store_index_commit(struct store_index *x, struct store_index_place place, struct err *err)
{
    if (prepare(x, INDEX_MOVE, err) != 0 || prepare(x, INDEX_COMMIT, err) != 0)
        return -1;
    store_bind(x->sql[INDEX_MOVE], 1, place.seq);
    store_bind(x->sql[INDEX_MOVE], 2, place.mark);
    if (run(x, INDEX_MOVE, err) != 0 || run(x, INDEX_COMMIT, err) != 0)
        return -1;
    x->place = place;
    return 0;
}

void store_index_rollback(struct store_index *x)
{
    struct err err;

    if (!sqlite3_get_autocommit(x->db))
        store_sql_exec(x->db, "ROLLBACK", &err);
}

int store_index_put(struct store_index *x, uint64_t key, struct store_index_pair pair, struct err *err)
{
    if (prepare(x, INDEX_PUT, err) != 0)
        return -1;
    store_bind(x->sql[INDEX_PUT], 1, key);
    store_bind(x->sql[INDEX_PUT], 2, pair.a);
    store_bind(x->sql[INDEX_PUT], 3, pair.b);
    return run(x, INDEX_PUT, err);
}

int store_index_drop(struct store_index *x, uint64_t key, uint64_t a, struct err *err)
{
    if (prepare(x, INDEX_DROP, err) != 0)
        return -1;
    store_bind(x->sql[INDEX_DROP], 1, key);
    store_bind(x->sql[INDEX_DROP], 2, a);
    return run(x, INDEX_DROP, err);
}

int store_index_find(struct store_index *x, uint64_t key, size_t limit, struct store_index_pair *pairs_out,
                     size_t *n_out, struct err *err)
{
    int rc;

    *n_out = 0;
    if (prepare(x, INDEX_FIND, err) != 0)
        return -1;
    sqlite3_stmt *st = x->sql[INDEX_FIND];
    store_bind(st, 1, key);
    store_bind(st, 2, limit);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && *n_out < limit)
        pairs_out[(*n_out)++] = (struct store_index_pair){store_column(st, 0), store_column(st, 1)};
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        store_sql_fail(x->db, texts[INDEX_FIND], err);
    sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

void store_index_rest(struct store_index *x)
{
    sqlite3_db_release_memory(x->db);
}

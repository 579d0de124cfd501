#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_system(const char *path, const char *doing, struct err *err)
{
    enum err_code code = errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_SYSTEM;

    return err_set(err, code, path, "cannot %s: %s", doing, strerror(errno));
}

/* Made here, so that the database is born readable by its owner alone; SQLite gives its other files the same mode. The
   directory is synced: a database whose name a power cut takes away would be an empty one at the next start. */
static int make_file(const char *dir, const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail_system(path, "open", err);
    close(fd);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_system(dir, "open", err);
    int rc = fsync(fd);
    close(fd);
    return rc == 0 ? 0 : fail_system(dir, "sync", err);
}

static int take_lock(struct store *s, const char *dir, struct err *err)
{
    const char *path = arena_printf(&s->arena, "%s/lock", dir).ptr;

    s->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return fail_system(path, "open", err);
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(err, ERR_STORE, dir, "another process has this store open");
    return fail_system(path, "lock", err);
}

int store_head_step(sqlite3_stmt *st, uint64_t *seq_out, int64_t *last_added_out, struct err *err)
{
    int rc = sqlite3_step(st);

    *seq_out = 0;
    *last_added_out = 0;
    if (rc == SQLITE_ROW) {
        struct slice grant = store_column_bytes(st, 2);
        uint64_t n = grant.len != 0 ? store_grant_read(grant).n_objects : 0;
        *seq_out = store_column(st, 0);
        *last_added_out = (int64_t)(store_column(st, 1) + (n > 1 ? n - 1 : 0));
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_sql_fail(sqlite3_db_handle(st), "read the head", err);
}

static int read_head(struct store *s, struct err *err)
{
    struct store_head *head = &s->committed;
    sqlite3_stmt *st = NULL;

    if (store_sql_number(s->db, "SELECT max(n) FROM envelope", &head->next_envelope, err) != 0 ||
        store_sql_number(s->db, "SELECT max(n) + 1 FROM leaf", &head->next_leaf, err) != 0 ||
        store_sql_prepare(s->db, STORE_HEAD_SQL, &st, err) != 0)
        return -1;
    int rc = store_head_step(st, &head->next_seq, &head->last_added_us, err);
    sqlite3_finalize(st);
    head->next_seq++;
    head->next_envelope++;
    return rc;
}

static int open_in(struct store *s, const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fail_system(dir, "make the directory", err);
    s->path = arena_printf(&s->arena, "%s/store.db", dir).ptr;
    if (take_lock(s, dir, err) != 0 || make_file(dir, s->path, err) != 0 ||
        store_sql_open(s->path, SQLITE_OPEN_READWRITE, &s->db, err) != 0 || store_schema_open(s->db, err) != 0 ||
        read_head(s, err) != 0 || store_lasts_load(&s->lasts, s->db, err) != 0)
        return -1;
    return store_wal_start(&s->wal, s->path, s->db, err);
}

int store_open(const char *dir, struct store **store_out, struct err *err)
{
    struct store *s = mem_zero(1, sizeof *s);

    s->lock = -1;
    if (open_in(s, dir, err) == 0) {
        *store_out = s;
        return 0;
    }
    store_close(&s);
    *store_out = NULL;
    return -1;
}

void store_close(struct store **store)
{
    struct store *s = *store;

    if (s == NULL)
        return;
    assert(atomic_load(&s->readers) == 0 && !s->writing);
    store_wal_stop(&s->wal);
    for (size_t i = 0; i < WRITE_SQLS; i++)
        sqlite3_finalize(s->sql[i]);
    for (size_t i = 0; i < STORE_TABLES; i++) {
        sqlite3_finalize(s->put[i]);
        sqlite3_finalize(s->del[i]);
        sqlite3_finalize(s->look[i]);
    }
    int rc = sqlite3_close(s->db); /* the last connection: moves the log into the database and removes it */
    assert(rc == SQLITE_OK);
    if (s->lock >= 0)
        close(s->lock);
    store_lasts_free(&s->lasts);
    arena_free(&s->arena);
    free(s);
    *store = NULL;
}

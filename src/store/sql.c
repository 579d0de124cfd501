#include "store/internal.h"

#include <errno.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The memory statistics take a process-wide mutex at each allocation. Too late (SQLITE_MISUSE) only costs speed. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

int store_sql_open(const char *path, int flags, sqlite3 **db_out, struct err *err)
{
    pthread_once(&once, configure);
    if (sqlite3_open_v2(path, db_out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK) {
        sqlite3_extended_result_codes(*db_out, 1);
        return 0;
    }
    store_sql_fail(*db_out, "open", err);
    sqlite3_close(*db_out);
    *db_out = NULL;
    return -1;
}

static int last_errno(sqlite3 *db, int which)
{
    sqlite3_file *f = NULL;
    int number = 0;

    if (sqlite3_file_control(db, "main", which, &f) == SQLITE_OK && f != NULL && f->pMethods != NULL)
        f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

static bool says_full(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

/* SQLite says SQLITE_FULL only where write() answered ENOSPC; a quota and a file size limit come as I/O errors, of the
   database or of the log. (sqlite3_system_errno() is that of whatever was called last.) */
static bool is_full(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff;

    return code == SQLITE_FULL || (code == SQLITE_IOERR && (says_full(last_errno(db, SQLITE_FCNTL_JOURNAL_POINTER)) ||
                                                            says_full(last_errno(db, SQLITE_FCNTL_FILE_POINTER))));
}

int store_sql_fail(sqlite3 *db, const char *doing, struct err *err)
{
    if (is_full(db))
        return err_set(err, ERR_DISK_FULL, "", "");
    return err_set(err, ERR_STORE, "", "%s: %s (%d)", doing, sqlite3_errmsg(db), sqlite3_extended_errcode(db));
}

int store_sql_exec(sqlite3 *db, const char *sql, struct err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return store_sql_fail(db, sql, err);
}

int store_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st_out, struct err *err)
{
    if (*st_out != NULL || sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, st_out, NULL) == SQLITE_OK)
        return 0;
    return store_sql_fail(db, sql, err);
}

int store_sql_number(sqlite3 *db, const char *sql, uint64_t *value_out, struct err *err)
{
    sqlite3_stmt *st = NULL;

    *value_out = 0;
    if (store_sql_prepare(db, sql, &st, err) != 0)
        return -1;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *value_out = store_column(st, 0);
    else if (rc != SQLITE_DONE)
        store_sql_fail(db, sql, err);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

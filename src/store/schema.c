/* The tables, their bytes, and why they are cut this way. One file, store.db, in pages of 16 KB: a group of objects
   then dirties few pages, and the tree is shallow (measured against 4 KB: 1.15 times the commits, p99 21 for 163 ms).

   Inside a commit stand only tables that grow at their end (measured: 190,000 objects/s; with one index by random id
   33,000):

     journal     one row a publication: the release's bytes, the sealed original, all of struct store_row that is not
                 in `addressed`. Its numbers stand in one column (row.c): each column costs 40 ns to read and to write,
                 and 19 of them were most of a row of a page. A rowid table, rowid = seq: WITHOUT ROWID makes 0.37
                 times the commits with rows of 1 KB. The large columns stand last: the narrow ones are read without.
     brief       one row a publication, 70 to 90 bytes: struct store_brief, which the committer reads whole at start
                 (the journal would bring every body along), with its numbers in one column too, and `list`.
                 store_position searches here.
     addressed   one row for each publication with a `reach` (recalls) and for each widening. reach is a bitmap over
                 viewers, 8 a byte: a page reads the rows in its own range of seq and tests one bit in each. Widenings
                 keep their grant here, and have a small index for store_row_get.
     envelope    one row a submission.
     leaf        one row an act: 32 bytes of hash and the sealed record.
     state_*     small keyed state, WITHOUT ROWID; state_held keeps sealed bodies and is therefore a rowid table.

   Two indexes, both of numbers that are few, so that a group's inserts meet few pages. The rowid (seq) ends each entry,
   so that they order by it:

     brief_list  (list), 12 bytes a row. list = class * 4 + flags (1: no body, 2: recall). What a viewer may see is a
                 merge over its lists; what it may not see is never touched, so a page neither scans nor times it.
                 NULL, and not in the index, for what stands in `addressed`.
     brief_owner (owner, list), 22 bytes a row: the submitter's own rows, whatever its lists say. Not for this hub's.

   Numbers of 64 bits that are not counts (owner, key, id_hash) are kept as SQLite's signed ones, bit by bit. Absent
   bytes are NULL. Times are microseconds. Keys of state tables are compared by byte. */
#include "store/internal.h"

#include <stdio.h>

/* 3: state_recipient and state_receipt. A store of version 2 is brought up to it when it is opened. */
enum { SCHEMA_VERSION = 3, SCHEMA_OLDEST = 2, APPLICATION_ID = 0x54435349 };

const char *const store_table_names[STORE_TABLES] = {
    [STORE_CLASS] = "state_class",           [STORE_MEMBER] = "state_member",       [STORE_PARTNER] = "state_partner",
    [STORE_COLLECTION] = "state_collection", [STORE_CURSOR] = "state_cursor",       [STORE_HELD] = "state_held",
    [STORE_VIEWER] = "state_viewer",         [STORE_SIGHTING] = "state_sighting",   [STORE_META] = "state_meta",
    [STORE_HIDDEN] = "state_hidden",         [STORE_RECIPIENT] = "state_recipient", [STORE_RECEIPT] = "state_receipt",
};

static const char tables[] =
    "CREATE TABLE journal(seq INTEGER PRIMARY KEY, owner INTEGER NOT NULL, numbers BLOB NOT NULL, id BLOB,"
    " cover BLOB, source BLOB, original BLOB, body BLOB);"
    "CREATE TABLE brief(seq INTEGER PRIMARY KEY, added_us INTEGER NOT NULL, kind INTEGER NOT NULL, list INTEGER,"
    " owner INTEGER, numbers BLOB NOT NULL);"
    "CREATE INDEX brief_list ON brief(list) WHERE list IS NOT NULL;"
    "CREATE INDEX brief_owner ON brief(owner, list) WHERE owner IS NOT NULL AND list IS NOT NULL;"
    "CREATE TABLE addressed(seq INTEGER PRIMARY KEY, what INTEGER NOT NULL, reach BLOB, grant BLOB);"
    "CREATE INDEX addressed_widen ON addressed(seq) WHERE what = 4;"
    "CREATE TABLE envelope(n INTEGER PRIMARY KEY, received_us INTEGER NOT NULL, owner INTEGER NOT NULL,"
    " leaf INTEGER NOT NULL, key BLOB, status BLOB);"
    "CREATE TABLE leaf(n INTEGER PRIMARY KEY, hash BLOB NOT NULL, record BLOB);";

static int create_state(sqlite3 *db, enum store_table t, struct err *err)
{
    char sql[160];

    snprintf(sql, sizeof sql, "CREATE TABLE IF NOT EXISTS %s(k BLOB NOT NULL PRIMARY KEY, v BLOB)%s",
             store_table_names[t], t == STORE_HELD ? "" : " WITHOUT ROWID");
    return store_sql_exec(db, sql, err);
}

/* In one transaction: what is missing of an empty store, or of one of an older version, whose tables only ever grew in
   number. */
static int create(sqlite3 *db, bool empty, struct err *err)
{
    char sql[120];

    if (store_sql_exec(db, "BEGIN IMMEDIATE", err) != 0 || (empty && store_sql_exec(db, tables, err) != 0))
        return -1;
    for (enum store_table t = 0; t < STORE_TABLES; t++)
        if (create_state(db, t, err) != 0)
            return -1;
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", APPLICATION_ID,
             SCHEMA_VERSION);
    return store_sql_exec(db, sql, err);
}

/* An empty file, also one that a crash left between its making and its first commit, is made ours. */
int store_schema_open(sqlite3 *db, struct err *err)
{
    uint64_t version, application, objects;

    if (store_sql_exec(db, "PRAGMA page_size=16384", err) != 0 ||
        store_sql_number(db, "PRAGMA user_version", &version, err) != 0 ||
        store_sql_number(db, "PRAGMA application_id", &application, err) != 0 ||
        store_sql_number(db, "SELECT count(*) FROM sqlite_schema", &objects, err) != 0)
        return -1;
    bool empty = version == 0 && application == 0 && objects == 0;
    if (!empty && application != APPLICATION_ID)
        return err_set(err, ERR_STORE_VERSION, "", "store.db is not a store of Tocsin");
    if (!empty && (version < SCHEMA_OLDEST || version > SCHEMA_VERSION))
        return err_set(err, ERR_STORE_VERSION, "", "the store has version %llu, this program reads %d to %d",
                       (unsigned long long)version, SCHEMA_OLDEST, SCHEMA_VERSION);
    if (store_sql_exec(db,
                       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                       "PRAGMA journal_size_limit=33554432; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY",
                       err) != 0)
        return -1;
    return version != SCHEMA_VERSION ? create(db, empty, err) : 0;
}

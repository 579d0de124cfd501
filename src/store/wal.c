/* The write-ahead log. A commit appends to it; a thread of its own moves what is there into the database (passive
   checkpoints wait for nobody), and the writer turns it to its beginning between two transactions. Passive checkpoints
   alone never do that under a continuous writer: the file grew to 2.6 GB in one run. */
#include "store/internal.h"

#include <signal.h>
#include <time.h>

enum {
    WAKE_FRAMES = 1024,  /* 16 MB: below, pages that each commit rewrites would be moved over and over */
    TURN_FRAMES = 3072,  /* 48 MB: turn when little is left to move, as just after a round of the thread: */
    TURN_LEFT = 400,     /* the writer moves this much itself */
    BOUND_FRAMES = 8192, /* 128 MB: turn whatever it costs */
    RETRY_FRAMES = 512,
    TURN_WAIT_MS = 250 /* for readers, whose transactions are one call long */
};

/* Called by SQLite on the writer's thread, after a commit. */
static int on_commit(void *arg, sqlite3 *db, const char *name, int frames)
{
    struct store_wal *w = arg;
    unsigned now = (unsigned)frames;

    if (now < atomic_load(&w->frames)) { /* SQLite itself began the log anew */
        atomic_store(&w->moved, 0);
        w->told = w->retry_at = 0;
    }
    atomic_store(&w->frames, now);
    if (now - w->told >= WAKE_FRAMES) {
        w->told = now;
        pthread_mutex_lock(&w->state);
        w->due = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->state);
    }
    return SQLITE_OK;
}

/* Errors (a full disk) leave the log as it is: the next round tries again, and commits tell their own errors. */
static void move(struct store_wal *w)
{
    int frames = 0, moved = 0;

    pthread_mutex_lock(&w->checkpoint);
    if (sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved) == SQLITE_OK && moved > 0)
        atomic_store(&w->moved, (unsigned)moved);
    pthread_mutex_unlock(&w->checkpoint);
}

/* Waits for work, or a second; false: stop. */
static bool wait_due(struct store_wal *w)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&w->state);
    while (!w->stop && !w->due)
        if (pthread_cond_timedwait(&w->wake, &w->state, &until) != 0)
            break;
    w->due = false;
    bool go_on = !w->stop;
    pthread_mutex_unlock(&w->state);
    return go_on;
}

static void *run(void *arg)
{
    struct store_wal *w = arg;

    while (wait_due(w))
        if (atomic_load(&w->frames) != atomic_load(&w->moved))
            move(w);
    return NULL;
}

static int start_thread(struct store_wal *w, struct err *err)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old); /* signals belong to the main thread */
    w->running = pthread_create(&w->thread, NULL, run, w) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return w->running ? 0 : err_set(err, ERR_SYSTEM, "", "cannot start the thread of the write-ahead log");
}

int store_wal_start(struct store_wal *w, const char *path, sqlite3 *writer, struct err *err)
{
    pthread_condattr_t steady;
    uint64_t tables;

    pthread_mutex_init(&w->state, NULL);
    pthread_mutex_init(&w->checkpoint, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &steady);
    pthread_condattr_destroy(&steady);
    sqlite3_wal_hook(writer, on_commit, w);
    sqlite3_busy_timeout(writer, STORE_WRITER_WAIT_MS);
    /* A connection that has not read yet answers OK to a checkpoint and does nothing: read once. */
    if (store_sql_open(path, SQLITE_OPEN_READWRITE, &w->db, err) != 0 ||
        store_sql_exec(w->db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-256", err) != 0 ||
        store_sql_number(w->db, "SELECT count(*) FROM sqlite_schema", &tables, err) != 0)
        return -1;
    return start_thread(w, err);
}

void store_wal_stop(struct store_wal *w)
{
    if (w->running) {
        pthread_mutex_lock(&w->state);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->state);
        pthread_join(w->thread, NULL);
    }
    sqlite3_close(w->db);
    w->db = NULL;
}

void store_wal_turn(struct store_wal *w, sqlite3 *writer)
{
    unsigned frames = atomic_load(&w->frames), moved = atomic_load(&w->moved);
    bool bound = frames >= BOUND_FRAMES;

    if (frames < TURN_FRAMES || frames < w->retry_at || (!bound && frames - moved > TURN_LEFT))
        return;
    if (bound)
        pthread_mutex_lock(&w->checkpoint);
    else if (pthread_mutex_trylock(&w->checkpoint) != 0)
        return;
    sqlite3_busy_timeout(writer, TURN_WAIT_MS);
    if (sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL) == SQLITE_OK) {
        atomic_store(&w->frames, 0);
        atomic_store(&w->moved, 0);
        w->told = w->retry_at = 0;
    } else {
        w->retry_at = frames + RETRY_FRAMES;
    }
    sqlite3_busy_timeout(writer, STORE_WRITER_WAIT_MS);
    pthread_mutex_unlock(&w->checkpoint);
}

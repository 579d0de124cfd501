#include "sensor/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum {
    READ_SIZE = 256 * 1024,
    LINE_MAX_SIZE = 2 << 20, /* a line that is longer is cut there: match_lines() has called it bad long before */
    POLL_MS = 20,            /* without inotify */
    LOOK_MS = 250            /* with it: rotation is looked for now and then too */
};

struct telemetry {
    struct telemetry_conf conf;
    char *path; /* NULL: standard input */
    pthread_t thread;
    int stop_fd, notify_fd, watch;
    int fd; /* of the file now read; -1: not there */
    dev_t device;
    ino_t inode;
    off_t offset;
    bool told_missing;
    struct buf rest; /* bytes that no line end has followed yet come first */
    struct match_reader *reader;
    pthread_mutex_t lock;
    struct match_stats stats;
};

static void look_at(struct telemetry *t, struct slice lines)
{
    struct match_stats stats = {0};

    if (lines.len == 0)
        return;
    if (t->conf.format == NULL)
        t->conf.format = match_format_detect(lines);
    match_lines(t->reader, t->conf.format, lines, t->conf.fn, t->conf.arg, &stats);
    pthread_mutex_lock(&t->lock);
    t->stats.lines += stats.lines;
    t->stats.bytes += stats.bytes;
    t->stats.bad_lines += stats.bad_lines;
    t->stats.values += stats.values;
    t->stats.hits += stats.hits;
    pthread_mutex_unlock(&t->lock);
}

static void take_whole_lines(struct telemetry *t)
{
    const char *end = t->rest.len != 0 ? memrchr(t->rest.ptr, '\n', t->rest.len) : NULL;
    size_t whole = end != NULL ? (size_t)(end + 1 - t->rest.ptr) : 0;

    if (whole == 0 && t->rest.len >= LINE_MAX_SIZE)
        whole = t->rest.len;
    look_at(t, slice_n(t->rest.ptr, whole));
    buf_drop_front(&t->rest, whole);
}

/* What there is to read now. 0: the end of the file, for the moment; -1: it cannot be read. */
static ssize_t read_some(struct telemetry *t, int fd)
{
    buf_reserve(&t->rest, READ_SIZE);
    ssize_t n = read(fd, t->rest.ptr + t->rest.len, READ_SIZE);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n > 0) {
        t->rest.len += (size_t)n;
        t->offset += n;
        take_whole_lines(t);
    }
    return n;
}

/* ---- files ---- */

static void file_shut(struct telemetry *t)
{
    look_at(t, buf_slice(&t->rest)); /* a last line without its end */
    buf_clear(&t->rest);
    if (t->fd >= 0)
        close(t->fd);
    if (t->watch >= 0)
        inotify_rm_watch(t->notify_fd, t->watch);
    t->fd = t->watch = -1;
}

static bool file_open(struct telemetry *t, bool at_end)
{
    struct stat st;

    t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0 || fstat(t->fd, &st) != 0) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_SYSTEM, t->path, "%s", strerror(errno));
        if (!t->told_missing)
            log_event("input_missing", ERROR_FIELD(&err));
        t->told_missing = true;
        return false;
    }
    t->told_missing = false;
    t->device = st.st_dev;
    t->inode = st.st_ino;
    t->offset = at_end && S_ISREG(st.st_mode) ? lseek(t->fd, 0, SEEK_END) : 0;
    if (t->notify_fd >= 0)
        t->watch = inotify_add_watch(t->notify_fd, t->path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
    return true;
}

/* Another file stands under the name: the old one has been read to its end, or is gone. */
static bool was_rotated(const struct telemetry *t)
{
    struct stat st;

    return stat(t->path, &st) == 0 && (st.st_ino != t->inode || st.st_dev != t->device);
}

static bool was_cut(const struct telemetry *t)
{
    struct stat st;

    return fstat(t->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < t->offset;
}

/* Everything that is there now. */
static void drain(struct telemetry *t)
{
    bool rotated = was_rotated(t); /* asked before: what the old file got until then is read first */

    if (was_cut(t)) {
        buf_clear(&t->rest);
        t->offset = lseek(t->fd, 0, SEEK_SET);
    }
    while (read_some(t, t->fd) > 0)
        ;
    if (rotated)
        file_shut(t);
}

/* false: stop. */
static bool wait_for_more(struct telemetry *t)
{
    struct pollfd fds[2] = {{t->stop_fd, POLLIN, 0}, {t->watch >= 0 ? t->notify_fd : -1, POLLIN, 0}};
    char events[4096];

    poll(fds, 2, t->watch >= 0 ? LOOK_MS : POLL_MS);
    if (fds[1].revents != 0)
        while (read(t->notify_fd, events, sizeof events) > 0)
            ;
    return fds[0].revents == 0;
}

static void *run_file(void *arg)
{
    struct telemetry *t = arg;

    do {
        while (t->fd >= 0 || file_open(t, false)) {
            drain(t);
            if (t->fd >= 0)
                break;
        }
    } while (wait_for_more(t));
    if (t->fd >= 0)
        drain(t);
    file_shut(t);
    return NULL;
}

/* ---- standard input ---- */

static void *run_standard_input(void *arg)
{
    struct telemetry *t = arg;
    struct pollfd fds[2] = {{t->stop_fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};

    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents != 0)
            break;
        if (fds[1].revents == 0)
            continue;
        if (read_some(t, STDIN_FILENO) > 0)
            continue;
        log_event("input_ended", TEXT("input", SLICE("-")));
        break;
    }
    file_shut(t);
    return NULL;
}

int telemetry_start(const struct telemetry_conf *conf, struct telemetry **telemetry_out, struct err *err)
{
    struct telemetry *t = mem_zero(1, sizeof *t);
    struct stat st;

    t->conf = *conf;
    t->fd = t->watch = -1;
    t->path = slice_eq(conf->path, SLICE("-")) ? NULL : mem_copy(conf->path);
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    t->notify_fd = t->path != NULL ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    pthread_mutex_init(&t->lock, NULL);
    t->reader = match_reader_new(conf->index);
    *telemetry_out = t;
    int result = 0;
    if (t->reader == NULL)
        result = err_set(err, ERR_LIMIT_VALUES, "inputs", "at most %d inputs", MATCH_READERS_MAX);
    else if (t->path != NULL && stat(t->path, &st) == 0 && S_ISDIR(st.st_mode))
        result = err_set(err, ERR_CONF_VALUE, "inputs", "%s is a directory", t->path);
    else if (t->path != NULL)
        file_open(t, !conf->from_start);
    if (result == 0 && pthread_create(&t->thread, NULL, t->path != NULL ? run_file : run_standard_input, t) != 0)
        result = err_set(err, ERR_SYSTEM, "", "no thread can be started");
    if (result != 0) {
        t->conf.fn = NULL;
        telemetry_stop(telemetry_out);
    }
    return result;
}

void telemetry_stop(struct telemetry **telemetry)
{
    struct telemetry *t = *telemetry;
    uint64_t one = 1;

    *telemetry = NULL;
    if (t == NULL)
        return;
    if (t->conf.fn != NULL && write(t->stop_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(t->thread, NULL);
    match_reader_free(&t->reader);
    if (t->fd >= 0)
        close(t->fd);
    close(t->stop_fd);
    if (t->notify_fd >= 0)
        close(t->notify_fd);
    buf_free(&t->rest);
    pthread_mutex_destroy(&t->lock);
    free(t->path);
    free(t);
}

void telemetry_stats(struct telemetry *t, struct match_stats *out)
{
    pthread_mutex_lock(&t->lock);
    *out = t->stats;
    pthread_mutex_unlock(&t->lock);
}

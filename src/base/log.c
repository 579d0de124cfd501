#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

/* One line, cut to LINE_MAX bytes with its newline; TAIL keeps room for what closes a cut line. */
enum { LOG_LINE_MAX = 1024, LOG_RING = 512 * 1024, LOG_NUMBER = 21 };

static const struct slice tail_whole = SLICE_INIT("}\n");
static const struct slice tail_cut = SLICE_INIT(",\"cut\":true}\n");

struct line {
    char text[LOG_LINE_MAX];
    size_t len;
    bool cut;
};

/* Two buffers make the ring: callers fill one while the writer writes the other out, and they are swapped under the
 * lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_t writer;
    struct buf filling;
    uint64_t dropped;
    char process[32];
    int fd;
    bool open, stop;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, .fd = STDERR_FILENO};

static size_t line_room(const struct line *l)
{
    return sizeof l->text - tail_cut.len - l->len;
}

static bool line_put(struct line *l, struct slice s)
{
    if (l->cut || s.len > line_room(l)) {
        l->cut = true;
        return false;
    }
    memcpy(l->text + l->len, s.ptr, s.len);
    l->len += s.len;
    return true;
}

/* Bytes of the UTF-8 character at the start of s, 0 when there is none: a peer's text may be anything. */
static size_t character(struct slice s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
            return 0;
    unsigned char second = n > 1 ? (unsigned char)s.ptr[1] : 0;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f))
        return 0;
    return n;
}

/* There is room for two quotes. A string that is cut still closes, so that every line stays valid JSON. */
static void line_put_string(struct line *l, struct slice s)
{
    line_put(l, SLICE("\""));
    for (size_t n; s.len != 0; s = slice_from(s, n)) {
        char escape[8];
        struct slice piece = slice_to(s, n = character(s));
        unsigned char c = (unsigned char)s.ptr[0];
        if (n == 0) {
            n = 1;
            piece = SLICE("?");
        } else if (c == '"' || c == '\\') {
            piece = slice_n(escape, (size_t)snprintf(escape, sizeof escape, "\\%c", c));
        } else if (c < 0x20 || c == 0x7f) {
            piece = slice_n(escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        }
        if (piece.len + 1 > line_room(l)) {
            line_put(l, SLICE("\""));
            l->cut = true;
            return;
        }
        line_put(l, piece);
    }
    line_put(l, SLICE("\""));
}

/* A field goes in whole up to its value, or not at all. */
static bool line_put_key(struct line *l, const char *key, size_t least)
{
    if (line_room(l) < strlen(key) + 4 + least) {
        l->cut = true;
        return false;
    }
    return line_put(l, SLICE(",\"")) && line_put(l, slice_of(key)) && line_put(l, SLICE("\":"));
}

static void line_put_text(struct line *l, const char *key, struct slice value)
{
    if (!l->cut && line_put_key(l, key, 2))
        line_put_string(l, value);
}

static void line_put_number(struct line *l, const char *key, int64_t value)
{
    char digits[LOG_NUMBER + 1];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);

    if (!l->cut && line_put_key(l, key, (size_t)n))
        line_put(l, slice_n(digits, (size_t)n));
}

static void line_begin(struct line *l, const char *process, const char *event)
{
    char now[TIME_TEXT];

    l->len = 0;
    l->cut = false;
    time_put(now, time_now_us());
    line_put(l, SLICE("{\"time\":\""));
    line_put(l, slice_n(now, TIME_TEXT));
    line_put(l, SLICE("\""));
    line_put_text(l, "process", slice_of(process));
    line_put_text(l, "event", slice_of(event));
}

static void line_end(struct line *l)
{
    struct slice tail = l->cut ? tail_cut : tail_whole;

    memcpy(l->text + l->len, tail.ptr, tail.len);
    l->len += tail.len;
}

static void line_put_field(struct line *l, const struct log_field *f)
{
    if (f->kind == LOG_TEXT) {
        line_put_text(l, f->key, f->text);
    } else if (f->kind == LOG_NUM) {
        line_put_number(l, f->key, f->num);
    } else if (f->err != NULL) {
        line_put_text(l, f->key, slice_of(err_name(f->err->code)));
        if (f->err->place[0] != '\0')
            line_put_text(l, "place", slice_of(f->err->place));
        line_put_text(l, "text", slice_of(f->err->text));
    }
}

static bool write_out(int fd, struct slice text)
{
    while (text.len != 0) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n >= 0)
            text = slice_from(text, (size_t)n);
        else if (errno == EAGAIN)
            poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

static uint64_t count_lines(struct slice text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* Called with the lock held, which is let go while writing: the only place that may block. */
static void write_filled(struct buf *writing)
{
    struct buf full = ring.filling;
    uint64_t dropped = ring.dropped;
    int fd = ring.fd;

    ring.filling = *writing;
    ring.dropped = 0;
    pthread_mutex_unlock(&ring.lock);
    if (dropped != 0) {
        struct line l;
        line_begin(&l, ring.process, "log_dropped");
        line_put_number(&l, "lines", (int64_t)dropped);
        line_end(&l);
        buf_put(&full, slice_n(l.text, l.len));
    }
    uint64_t lost = write_out(fd, buf_slice(&full)) ? 0 : count_lines(buf_slice(&full));
    buf_clear(&full);
    *writing = full;
    pthread_mutex_lock(&ring.lock);
    ring.dropped += lost;
}

static void *writer_run(void *unused)
{
    struct buf writing = BUF_INIT;

    pthread_mutex_lock(&ring.lock);
    for (;;) {
        while (ring.filling.len == 0 && !ring.stop)
            pthread_cond_wait(&ring.filled, &ring.lock);
        if (ring.filling.len == 0)
            break;
        write_filled(&writing);
    }
    pthread_mutex_unlock(&ring.lock);
    buf_free(&writing);
    return NULL;
}

/* Signals belong to the main thread. */
static int start_writer(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&ring.writer, NULL, writer_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

int log_open(const char *process, const char *path, struct err *err)
{
    int fd = path == NULL ? STDERR_FILENO : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    char text[128];

    if (fd < 0)
        return err_set(err, ERR_SYSTEM, path, "cannot open the log: %s", strerror_r(errno, text, sizeof text));
    pthread_mutex_lock(&ring.lock);
    assert(!ring.open);
    snprintf(ring.process, sizeof ring.process, "%s", process);
    ring.fd = fd;
    ring.stop = false;
    ring.open = start_writer() == 0;
    bool started = ring.open;
    pthread_mutex_unlock(&ring.lock);
    if (started)
        return 0;
    if (fd != STDERR_FILENO)
        close(fd);
    return err_set(err, ERR_SYSTEM, path, "cannot start the thread that writes the log");
}

void log_close(void)
{
    pthread_mutex_lock(&ring.lock);
    if (!ring.open) {
        pthread_mutex_unlock(&ring.lock);
        return;
    }
    ring.open = false;
    ring.stop = true;
    pthread_cond_signal(&ring.filled);
    pthread_mutex_unlock(&ring.lock);
    pthread_join(ring.writer, NULL);
    pthread_mutex_lock(&ring.lock);
    buf_free(&ring.filling);
    if (ring.fd != STDERR_FILENO)
        close(ring.fd);
    ring.fd = STDERR_FILENO;
    pthread_mutex_unlock(&ring.lock);
}

/* The time is taken under the lock, so that lines stand in the order of their times. */
void log_write(const char *event, const struct log_field *fields)
{
    struct line l;

    pthread_mutex_lock(&ring.lock);
    line_begin(&l, ring.process[0] != '\0' ? ring.process : "tocsin", event);
    for (const struct log_field *f = fields; f->kind != LOG_END; f++)
        line_put_field(&l, f);
    line_end(&l);
    if (!ring.open) {
        write_out(STDERR_FILENO, slice_n(l.text, l.len));
    } else if (ring.filling.len + l.len > LOG_RING) {
        ring.dropped++;
    } else {
        buf_put(&ring.filling, slice_n(l.text, l.len));
        pthread_cond_signal(&ring.filled);
    }
    pthread_mutex_unlock(&ring.lock);
}

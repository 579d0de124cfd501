#include "sensor/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { LIVE_SLACK = 16 << 20, LIVE_LINE_VALUES = 4096 };

struct live {
    pthread_mutex_t lock; /* items: the writer changes them under it, other threads read them under it */
    char *path;
    int fd; /* -1: read only */
    struct live_item *items;
    size_t n, room;
    struct map map;
    struct buf pending; /* lines that are not in the file yet */
    struct buf cursor;
    int64_t heard_us;
    bool cursor_moved;
    uint64_t file_size, size_after_rewrite;
};

static struct slice item_text(const void *owner, uint32_t value, uint8_t *tag_out)
{
    const struct live *l = owner;

    *tag_out = 0;
    return l->items[value].id;
}

/* ---- lines ---- */

/* FNV-1a: tells a torn line from a whole one; nobody but this sensor writes here. */
static uint32_t checksum(struct slice s)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        sum = (sum ^ (unsigned char)s.ptr[i]) * 16777619u;
    return sum;
}

static void end_line(struct buf *out, size_t start)
{
    buf_printf(out, "\t#%08x\n", checksum(slice_n(out->ptr + start, out->len - start)));
}

static void put_item(struct buf *out, const struct live_item *item)
{
    size_t start = out->len;

    if (item->n_values == 0) {
        buf_printf(out, "G\t%lld\t%lld\t" SLICE_FMT, (long long)item->added_us, (long long)item->modified_us,
                   SLICE_ARG(item->id));
    } else {
        buf_printf(out, "A\t%lld\t%lld\t%lld\t%lld\t%lld\t" SLICE_FMT "\t" SLICE_FMT, (long long)item->added_us,
                   (long long)item->modified_us, (long long)item->until_us, (long long)item->loaded_us,
                   (long long)item->confidence, SLICE_ARG(item->id), SLICE_ARG(item->origin));
        for (uint32_t i = 0; i < item->n_values; i++) {
            buf_put_byte(out, '\t');
            buf_put(out, stix_value_kind_name(item->values[i].kind));
            buf_put_byte(out, '\t');
            buf_put(out, item->values[i].value);
        }
    }
    end_line(out, start);
}

static void put_cursor(struct buf *out, const struct live *l)
{
    size_t start = out->len;

    buf_printf(out, "C\t%lld\t" SLICE_FMT, (long long)l->heard_us, SLICE_ARG(buf_slice(&l->cursor)));
    end_line(out, start);
}

static bool cut_number(struct slice *rest, int64_t *out)
{
    struct slice field;
    uint64_t value;

    if (!slice_cut(rest, '\t', &field))
        return false;
    bool negative = slice_starts(field, SLICE("-"));
    if (!slice_u64(slice_from(field, negative), &value) || value > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool parse_values(struct slice rest, struct live_value *values, struct live_item *item)
{
    struct slice name;

    item->values = values;
    while (slice_cut(&rest, '\t', &name)) {
        struct live_value *v = &values[item->n_values++];
        if (item->n_values > LIVE_LINE_VALUES || !value_kind_find(name, &v->kind) || !slice_cut(&rest, '\t', &v->value))
            return false;
    }
    return item->n_values != 0;
}

/* One line without its checksum into what the journal says. */
static bool read_line(struct live *l, struct slice line, struct live_value *values)
{
    struct live_item item = {.confidence = -1};
    struct slice word;
    int64_t heard_us;

    if (!slice_cut(&line, '\t', &word))
        return false;
    if (slice_eq(word, SLICE("C"))) {
        if (!cut_number(&line, &heard_us))
            return false;
        buf_clear(&l->cursor); /* an empty one was forgotten */
        live_set_cursor(l, line, heard_us);
        return true;
    }
    bool live = slice_eq(word, SLICE("A"));
    if (!(live || slice_eq(word, SLICE("G"))) || !cut_number(&line, &item.added_us) ||
        !cut_number(&line, &item.modified_us))
        return false;
    if (live && (!cut_number(&line, &item.until_us) || !cut_number(&line, &item.loaded_us) ||
                 !cut_number(&line, &item.confidence)))
        return false;
    if (!slice_cut(&line, '\t', &item.id) || item.id.len == 0)
        return false;
    if (live && (!slice_cut(&line, '\t', &item.origin) || !parse_values(line, values, &item)))
        return false;
    live_set(l, &item);
    return true;
}

/* The length of the good part: up to the first line that is torn or was never written. */
static size_t read_lines(struct live *l, struct slice text)
{
    struct live_value *values = mem_zero(LIVE_LINE_VALUES + 1, sizeof *values);
    struct slice rest = text, line;
    size_t good = 0;

    while (slice_cut(&rest, '\n', &line) && rest.ptr != NULL) {
        char expected[11];
        if (line.len < 11)
            break;
        struct slice head = slice_to(line, line.len - 10);
        snprintf(expected, sizeof expected, "\t#%08x", checksum(head));
        if (memcmp(line.ptr + head.len, expected, 10) != 0 || !read_line(l, head, values))
            break;
        good += line.len + 1;
    }
    free(values);
    return good;
}

/* ---- opening ---- */

static int read_journal(struct live *l, bool quiet, struct err *err)
{
    struct slice text;

    if (!file_exists(l->path))
        return 0;
    if (file_map(l->path, &text, err) != 0)
        return -1;
    size_t good = read_lines(l, text);
    if (good != text.len && !quiet)
        log_event("state_torn", NUM("bytes", text.len - good)); /* the stream says it again */
    file_unmap(&text);
    l->file_size = l->size_after_rewrite = good;
    return 0;
}

static int open_journal(struct live *l, struct err *err)
{
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0 || ftruncate(l->fd, (off_t)l->file_size) != 0 || lseek(l->fd, 0, SEEK_END) < 0)
        return err_set(err, ERR_SYSTEM, l->path, "%s", strerror(errno));
    return 0;
}

int live_open(const char *dir, bool read_only, struct live **live_out, struct err *err)
{
    struct live *l = mem_zero(1, sizeof *l);
    struct buf path = BUF_INIT;

    buf_printf(&path, "%s/live", dir);
    l->path = mem_copy(buf_slice(&path));
    buf_free(&path);
    l->fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    map_open(&l->map);
    int result = read_journal(l, read_only, err);
    buf_clear(&l->pending); /* what was read is there already */
    l->cursor_moved = false;
    if (result == 0 && !read_only)
        result = open_journal(l, err);
    if (result != 0) {
        live_close(&l, NULL);
        return -1;
    }
    *live_out = l;
    return 0;
}

static void item_free(struct live_item *item)
{
    free((char *)(uintptr_t)item->id.ptr);
    free(item->values);
}

int live_close(struct live **live, struct err *err)
{
    struct live *l = *live;

    *live = NULL;
    if (l == NULL)
        return 0;
    int result = l->fd >= 0 ? live_flush(l, err) : 0;
    if (l->fd >= 0 && fsync(l->fd) != 0 && result == 0)
        result = err_set(err, ERR_SYSTEM, l->path, "%s", strerror(errno));
    if (l->fd >= 0)
        close(l->fd);
    for (size_t i = 0; i < l->n; i++)
        item_free(&l->items[i]);
    free(l->items);
    map_close(&l->map);
    buf_free(&l->pending);
    buf_free(&l->cursor);
    pthread_mutex_destroy(&l->lock);
    free(l->path);
    free(l);
    return result;
}

/* ---- the writer ---- */

size_t live_count(const struct live *l)
{
    return l->n;
}

const struct live_item *live_at(const struct live *l, uint64_t number)
{
    return &l->items[number];
}

bool live_find(const struct live *l, struct slice id, uint64_t *number_out)
{
    uint32_t at;

    if (!map_find(&l->map, 0, id, item_text, l, &at))
        return false;
    *number_out = at;
    return true;
}

/* Id and origin in one piece, the values and their text in another. */
static struct live_item item_copy(const struct live_item *from)
{
    struct live_item item = *from;
    size_t size = from->n_values * sizeof *from->values;
    char *names = mem_alloc(from->id.len + from->origin.len + 1);

    for (uint32_t i = 0; i < from->n_values; i++)
        size += from->values[i].value.len;
    memcpy(names, from->id.ptr, from->id.len);
    if (from->origin.len != 0)
        memcpy(names + from->id.len, from->origin.ptr, from->origin.len);
    item.id = slice_n(names, from->id.len);
    item.origin = slice_n(names + from->id.len, from->origin.len);
    item.values = mem_alloc(size);
    char *at = (char *)(item.values + from->n_values);
    for (uint32_t i = 0; i < from->n_values; i++) {
        struct slice value = from->values[i].value;
        memcpy(at, value.ptr, value.len);
        item.values[i] = (struct live_value){from->values[i].kind, slice_n(at, value.len)};
        at += value.len;
    }
    return item;
}

uint64_t live_set(struct live *l, const struct live_item *from)
{
    struct live_item item = item_copy(from), old = {.n_values = 0};
    uint64_t number;

    pthread_mutex_lock(&l->lock);
    if (live_find(l, item.id, &number)) {
        old = l->items[number];
        l->items[number] = item;
    } else {
        if (l->n == l->room) {
            l->room = 2 * l->room + 256;
            l->items = mem_grow(l->items, l->room * sizeof *l->items);
        }
        number = l->n;
        l->items[l->n++] = item;
        map_put(&l->map, 0, item.id, (uint32_t)number);
    }
    pthread_mutex_unlock(&l->lock);
    item_free(&old);
    put_item(&l->pending, &l->items[number]);
    return number;
}

void live_set_cursor(struct live *l, struct slice cursor, int64_t heard_us)
{
    if (cursor.len != 0) {
        buf_clear(&l->cursor);
        buf_put(&l->cursor, cursor);
    }
    l->heard_us = heard_us;
    l->cursor_moved = true;
}

void live_forget_cursor(struct live *l)
{
    buf_clear(&l->cursor);
    l->cursor_moved = true;
}

struct slice live_cursor(const struct live *l)
{
    return buf_slice(&l->cursor);
}

int64_t live_heard(const struct live *l)
{
    return l->heard_us;
}

/* ---- to the file ---- */

static int rewrite(struct live *l, struct err *err)
{
    struct buf all = BUF_INIT;

    for (size_t i = 0; i < l->n; i++)
        put_item(&all, &l->items[i]);
    put_cursor(&all, l);
    int result = file_write_atomic(l->path, buf_slice(&all), 0600, err);
    if (result == 0) {
        l->file_size = l->size_after_rewrite = all.len;
        if (l->fd >= 0)
            close(l->fd);
        result = open_journal(l, err);
    }
    buf_free(&all);
    return result;
}

static int append(struct live *l, struct err *err)
{
    size_t done = 0;

    while (done < l->pending.len) {
        ssize_t n = write(l->fd, l->pending.ptr + done, l->pending.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* A half line would hide all that follows it. */
            int reason = errno;
            if (ftruncate(l->fd, (off_t)l->file_size) != 0 || lseek(l->fd, 0, SEEK_END) < 0)
                reason = errno;
            return err_set(err, reason == ENOSPC ? ERR_DISK_FULL : ERR_SYSTEM, l->path, "%s", strerror(reason));
        }
        done += (size_t)n;
    }
    l->file_size += l->pending.len;
    buf_clear(&l->pending);
    return 0;
}

int live_flush(struct live *l, struct err *err)
{
    if (l->pending.len == 0 && !l->cursor_moved)
        return 0;
    if (l->cursor_moved)
        put_cursor(&l->pending, l);
    l->cursor_moved = false;
    if (append(l, err) != 0)
        return -1;
    return l->file_size > 2 * l->size_after_rewrite + LIVE_SLACK ? rewrite(l, err) : 0;
}

int live_sync(struct live *l, struct err *err)
{
    if (live_flush(l, err) != 0)
        return -1;
    return fsync(l->fd) == 0 ? 0 : err_set(err, ERR_SYSTEM, l->path, "%s", strerror(errno));
}

/* ---- other threads ---- */

bool live_get_id(struct live *l, uint64_t number, struct arena *a, struct slice *id_out, struct slice *origin_out)
{
    bool live;

    pthread_mutex_lock(&l->lock);
    live = number < l->n && l->items[number].n_values != 0;
    if (live) {
        *id_out = arena_copy(a, l->items[number].id);
        *origin_out = arena_copy(a, l->items[number].origin);
    }
    pthread_mutex_unlock(&l->lock);
    return live;
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

int live_write_list(struct live *l, const char *path, size_t *n_out, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct buf out = BUF_INIT;
    size_t n = 0, lines = 0;

    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->n; i++)
        n += l->items[i].n_values;
    struct slice *texts = mem_alloc(n * sizeof *texts);
    n = 0;
    for (size_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < l->items[i].n_values; k++) {
            const struct live_value *v = &l->items[i].values[k];
            texts[n++] = arena_printf(&a, SLICE_FMT "\t" SLICE_FMT, SLICE_ARG(stix_value_kind_name(v->kind)),
                                      SLICE_ARG(v->value));
        }
    pthread_mutex_unlock(&l->lock);
    qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i != 0 && slice_eq(texts[i], texts[i - 1]))
            continue;
        buf_put(&out, texts[i]);
        buf_put_byte(&out, '\n');
        lines++;
    }
    int result = file_write_atomic(path, buf_slice(&out), 0600, err);
    *n_out = lines;
    free(texts);
    buf_free(&out);
    arena_free(&a);
    return result;
}

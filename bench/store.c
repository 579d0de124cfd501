/* What the store does beside what the disk does: durable commits against plain append and fdatasync in the same run,
   the scan, and pages for viewers of few and of many classes. Usage: store [objects] [directory] */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/time.h"
#include "store/store_read.h"
#include "store/store_write.h"

enum { CLASSES = 300, OWNERS = 40, BODY = 700, ENVELOPE = 100 };

static char bytes[BODY + 4096];
static struct err err;

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", err_name(err.code), err.text);
    exit(1);
}

static int64_t steady_us(void)
{
    return time_steady_us();
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double at_percent(int64_t *took, size_t n, size_t percent)
{
    qsort(took, n, sizeof *took, by_time);
    return (double)took[n * percent / 100 < n ? n * percent / 100 : n - 1] / 1000;
}

/* The floor: the same bytes, one write and one fdatasync a group. */
static double bench_floor(const char *dir, size_t n, size_t group)
{
    struct arena a = ARENA_INIT;
    const char *path = arena_printf(&a, "%s/floor", dir).ptr;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char *chunk = mem_zero(group, BODY);
    int64_t start = steady_us();

    for (size_t i = 0; i < n; i += group)
        if (write(fd, chunk, group * BODY) != (ssize_t)(group * BODY) || fdatasync(fd) != 0)
            abort();
    double rate = (double)n * 1e6 / (double)(steady_us() - start);
    close(fd);
    unlink(path);
    free(chunk);
    arena_free(&a);
    return rate;
}

/* Classes come in runs, as envelopes do: one envelope has one submitter and mostly one class. */
static void append(struct store *s, struct store_head *head, size_t n_classes)
{
    uint64_t envelope = head->next_seq / ENVELOPE;
    struct store_row row = {.seq = head->next_seq,
                            .added_us = head->last_added_us + 1 + (int64_t)(head->next_seq % 7),
                            .kind = STORE_ADD,
                            .facts_class = (uint32_t)((envelope * 2654435761u >> 8) % n_classes),
                            .owner = 0x9e3779b97f4a7c15u * (1 + envelope % OWNERS),
                            .key = head->next_seq * 0x9e3779b97f4a7c15u,
                            .envelope = envelope,
                            .source_us = 1700000000000000,
                            .id = SLICE("indicator--2f6c6a5c-5a4e-4b6e-9a53-0c6f8a3d5a11")};

    row.body = slice_n(bytes + head->next_seq % 4096, BODY);
    memcpy(row.sha256, bytes + head->next_seq % 4000, sizeof row.sha256);
    must(store_append(s, &row, &err));
    if (head->next_seq % ENVELOPE == 0) {
        struct store_envelope e = {head->next_envelope++,     1,          row.owner, head->next_leaf,
                                   SLICE("0123456789abcdef"), SLICE("{}")};
        must(store_append_envelope(s, &e, &err));
        must(store_append_leaf(s, head->next_leaf++, row.sha256, SLICE("a sealed record of some length, say this"),
                               &err));
    }
    head->next_seq++;
    head->last_added_us = row.added_us;
}

static void bench_write(struct store *s, const char *dir, size_t n, size_t group, size_t n_classes)
{
    int64_t *took = mem_zero(n / group + 1, sizeof *took);
    double floor_rate = bench_floor(dir, n, group);
    size_t groups = 0;
    int64_t start = steady_us(), before = start;

    for (size_t done = 0; done < n; done += group) {
        struct store_head head;
        must(store_begin(s, &head, &err));
        for (size_t i = 0; i < group; i++)
            append(s, &head, n_classes);
        must(store_put(s, STORE_META, SLICE("tree"), slice_n(bytes, 200), &err));
        must(store_commit(s, &err));
        int64_t now = steady_us();
        took[groups++] = now - before;
        before = now;
    }
    double rate = (double)n * 1e6 / (double)(before - start);
    double p50 = at_percent(took, groups, 50), p99 = at_percent(took, groups, 99);
    printf("write, group %4zu, %3zu classes: %8.0f objects/s durable; append+fdatasync %8.0f: ratio %.2f; group p50 "
           "%.2f p99 %.2f ms\n",
           group, n_classes, rate, floor_rate, rate / floor_rate, p50, p99);
    free(took);
}

static int count_brief(void *arg, const struct store_brief *brief)
{
    ++*(uint64_t *)arg;
    return 0;
}

static int add_body(void *arg, const struct store_row *row, const struct store_at *at)
{
    *(uint64_t *)arg += row->body.len;
    return 0;
}

static struct store_query query(struct store_list *lists, size_t n_lists)
{
    for (size_t i = 0; i < n_lists; i++)
        lists[i] = (struct store_list){(uint32_t)(i * (CLASSES / n_lists)), 0};
    return (struct store_query){
        .lists = lists, .n_lists = n_lists, .part = STORE_PAGE, .upto = UINT64_MAX, .limit = 1000};
}

static void bench_scan(struct store_reader *r)
{
    uint64_t n = 0;
    int64_t start = steady_us();

    must(store_scan_brief(r, 0, count_brief, &n, &err));
    printf("scan of the brief table: %.2f M rows/s\n", (double)n / (double)(steady_us() - start));
}

/* Pages one after the other until all is read, at most three seconds. */
static void bench_page(struct store_reader *r, size_t n_lists, uint32_t limit)
{
    struct store_list lists[CLASSES];
    struct store_query q = query(lists, n_lists);
    int64_t took[4096], start = steady_us(), before = start;
    size_t n = 0;
    uint64_t body = 0;
    bool more = true;

    q.limit = limit;
    while (more && n < 4096 && before - start < 3000000) {
        must(store_page(r, &q, add_body, &body, &q.after, &more, &err));
        int64_t now = steady_us();
        took[n++] = now - before;
        before = now;
    }
    printf("pages of %4u, %3zu classes: %6.0f pages/s, %5.2f M objects/s; p50 %.3f p99 %.3f ms\n", limit, n_lists,
           (double)n * 1e6 / (double)(before - start), (double)body / BODY / (double)(before - start),
           at_percent(took, n, 50), at_percent(took, n, 99));
}

/* A follower at the head: the one question that each announcement brings from everybody. */
static void bench_head(struct store_reader *r, size_t n_lists)
{
    struct store_list lists[CLASSES];
    struct store_query q = query(lists, n_lists);
    int64_t last, start;
    uint64_t body = 0;
    bool more;

    must(store_head_seq(r, &q.after.seq, &last, &err));
    q.after.seq--;
    start = steady_us();
    for (int i = 0; i < 10000; i++) {
        struct store_at at;
        must(store_page(r, &q, add_body, &body, &at, &more, &err));
    }
    printf("one row behind the head, %3zu classes: %.0f pages/s\n", n_lists, 1e10 / (double)(steady_us() - start));
}

static void remove_made(const char *dir)
{
    static const char *const names[] = {"store.db", "lock"};
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(arena_printf(&a, "%s/%s", dir, names[i]).ptr);
    rmdir(dir);
    arena_free(&a);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) / 1000 * 1000 : 300000;
    char made[] = "/tmp/tocsin-bench-XXXXXX", *dir = argc > 2 ? argv[2] : mkdtemp(made);
    struct store *s;
    struct store_reader *r;

    must(crypto_start(&err));
    crypto_random(bytes, sizeof bytes);
    must(store_open(dir, &s, &err));
    bench_write(s, dir, n, 1000, 10);
    bench_write(s, dir, n, 1000, CLASSES);
    bench_write(s, dir, n / 4, 100, 10);
    bench_write(s, dir, n / 100, 1, 10);
    must(store_reader_open(s, &r, &err));
    bench_scan(r);
    bench_page(r, 1, 1000);
    bench_page(r, 10, 1000);
    bench_page(r, CLASSES, 1000);
    bench_head(r, 1);
    bench_head(r, CLASSES);
    store_reader_close(&r);
    store_close(&s);
    if (dir == made)
        remove_made(dir);
    return 0;
}

/* Load for a hub that runs on loopback, bounded in count and time; the client of tools/bench-hub. One thread, so that
   on a small machine it takes no more than it must. Prints one JSON object a run.

     load post  port= path= as= connections= objects= seconds= [count=] [rate=] [seed=]   envelopes of new indicators
     load get   port= path= as= connections= seconds= [ids=FILE]                          the same page, or objects by
   id load wake  port= path= as= to_port= to_path= to_as= connections= count= [seed=]     one event to all who follow
     load disk  dir= bytes= count=                                                        append and fdatasync
     load trip  count=                                                                    round trips over loopback TCP

   `as`: a file with a line a credential, USER:PASSWORD; connection n is the n-th of them, around. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/time.h"
#include "peer.h"

enum { SECONDS_MAX = 120, WAKE_US = 20000000, MARK = 40 };

struct option {
    const char *name;
    struct slice text;
};
static struct option options[] = {{"port"}, {"path"},        {"as"},      {"to_port"}, {"to_path"}, {"to_as"},
                                  {"ids"},  {"connections"}, {"objects"}, {"seconds"}, {"count"},   {"rate"},
                                  {"seed"}, {"dir"},         {"bytes"},   {NULL}};
static char scratch[PEER_SCRATCH];

static struct slice text_of(const char *name)
{
    for (struct option *o = options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o->text;
    abort();
}

static uint64_t number_of(const char *name, uint64_t standard)
{
    uint64_t number = standard;

    if (text_of(name).len != 0 && !slice_u64(text_of(name), &number))
        peer_die("not a number:", text_of(name));
    return number;
}

static void read_options(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        struct slice rest = slice_of(argv[i]), name;
        struct option *o = options;
        slice_cut(&rest, '=', &name);
        while (o->name != NULL && !slice_eq(slice_of(o->name), name))
            o++;
        if (o->name == NULL)
            peer_die("there is no option", name);
        o->text = rest;
    }
}

struct lines {
    struct slice *items;
    size_t n;
};

static struct lines lines_of(struct arena *a, const char *option)
{
    struct slice text, line;
    struct lines l = {NULL, 0};
    struct err err;

    if (file_read(a, arena_copy(a, text_of(option)).ptr, 1 << 26, &text, &err) != 0)
        peer_die(err.text, text_of(option));
    while (slice_cut(&text, '\n', &line))
        if (line.len != 0) {
            l.items = mem_grow(l.items, (l.n + 1) * sizeof *l.items);
            l.items[l.n++] = line;
        }
    if (l.n == 0)
        peer_die("nothing in", text_of(option));
    return l;
}

static struct lines credentials(struct arena *a, const char *option)
{
    struct lines l = lines_of(a, option);

    for (size_t i = 0; i < l.n; i++) {
        struct buf header = BUF_INIT;
        buf_put(&header, SLICE("Basic "));
        crypto_put_base64(&header, l.items[i], false);
        l.items[i] = arena_copy(a, buf_slice(&header));
        buf_free(&header);
    }
    return l;
}

/* ---- times ---- */

struct times {
    int64_t *us;
    size_t n, room;
};

static void time_add(struct times *t, int64_t us)
{
    if (t->n == t->room) {
        t->room = t->room * 2 + 1024;
        t->us = mem_grow(t->us, t->room * sizeof *t->us);
    }
    t->us[t->n++] = us;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void put_times(const char *name, struct times *t)
{
    if (t->n == 0)
        time_add(t, 0);
    qsort(t->us, t->n, sizeof *t->us, by_time);
    printf("\"%s_p50_us\":%lld,\"%s_p99_us\":%lld,\"%s_max_us\":%lld,", name, (long long)t->us[t->n / 2], name,
           (long long)t->us[t->n * 99 / 100], name, (long long)t->us[t->n - 1]);
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- content: indicators of about 750 bytes, none like another ---- */

static void put_indicator(struct buf *out, uint32_t seed, uint64_t n)
{
    buf_printf(out,
               "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08x-0000-4000-8000-%012llx\","
               "\"created\":\"2026-01-02T03:04:05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\","
               "\"name\":\"Command and control of a loader, case %llu\","
               "\"description\":\"Beacons every 60 seconds over HTTPS with a made-up browser name; the second stage is "
               "fetched from the same host under a path of eight letters. First seen in a mail with an invoice as an "
               "attachment, then on two more hosts of the same network within the hour.\","
               "\"indicator_types\":[\"malicious-activity\"],"
               "\"pattern\":\"[domain-name:value = 'w%08x-%llu.bench.example' OR ipv4-addr:value = '198.51.100.%u']\","
               "\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T03:04:05.678Z\",\"confidence\":80,"
               "\"labels\":[\"loader\",\"c2\"]}",
               seed, (unsigned long long)n, (unsigned long long)n, seed, (unsigned long long)n, (unsigned)(n & 255));
}

static void put_envelope(struct buf *out, uint32_t seed, uint64_t first, uint64_t n)
{
    buf_clear(out);
    buf_put(out, SLICE("{\"objects\":["));
    for (uint64_t i = 0; i < n; i++) {
        if (i != 0)
            buf_put_byte(out, ',');
        put_indicator(out, seed, first + i);
    }
    buf_put(out, SLICE("]}"));
}

static void check_accepted(const struct peer *p, uint64_t objects)
{
    char want[64];
    int n = snprintf(want, sizeof want, "\"success_count\":%llu,", (unsigned long long)objects);

    if (p->status != 202 || memmem(p->head, p->head_len, want, (size_t)n) == NULL)
        peer_die("not all was accepted:", slice_n(p->head, p->head_len));
}

/* ---- many requests over kept connections ---- */

struct load {
    bool post;
    struct arena arena;
    struct peer *peers;
    size_t n_peers;
    struct slice path;
    struct lines ids;
    uint64_t objects, asked, count, done, bytes;
    uint32_t seed;
    double rate; /* objects a second; 0: as fast as it goes */
    int64_t begun_us, until_us;
    struct buf body;
    struct times times;
};

static bool may_ask(const struct load *l, int64_t now)
{
    if (now >= l->until_us || l->asked >= l->count)
        return false;
    return l->rate == 0 || (double)(l->asked * l->objects) <= (double)(now - l->begun_us) / 1e6 * l->rate;
}

static void ask(struct load *l, struct peer *p)
{
    char path[256];

    if (l->post) {
        put_envelope(&l->body, l->seed, l->asked * l->objects, l->objects);
        peer_post(p, l->path, buf_slice(&l->body));
    } else if (l->ids.n != 0) {
        struct slice id = l->ids.items[l->asked * 7919 % l->ids.n];
        int n = snprintf(path, sizeof path, SLICE_FMT SLICE_FMT "/", SLICE_ARG(l->path), SLICE_ARG(id));
        peer_get(p, slice_n(path, (size_t)n), "application/taxii+json;version=2.1");
    } else {
        peer_get(p, l->path, "application/taxii+json;version=2.1");
    }
    l->asked++;
}

static void answered(struct load *l, struct peer *p)
{
    int64_t now = time_steady_us();

    if (l->post)
        check_accepted(p, l->objects);
    else if (p->status != 200)
        peer_die("refused:", slice_n(p->head, p->head_len));
    time_add(&l->times, now - p->asked_us);
    l->done++;
    l->bytes += p->body_len;
    p->asked_us = 0;
}

static void run_load(struct load *l, int epoll)
{
    struct epoll_event ready[64];
    int64_t now = time_steady_us(), give_up = l->until_us + WAKE_US;

    do {
        for (size_t i = 0; i < l->n_peers; i++)
            if (l->peers[i].asked_us == 0 && may_ask(l, now))
                ask(l, &l->peers[i]);
        int n = epoll_wait(epoll, ready, 64, l->rate != 0 ? 1 : 100);
        for (int i = 0; i < n; i++) {
            struct peer *p = ready[i].data.ptr;
            if (p->asked_us == 0 || !peer_answered(p, scratch))
                continue;
            answered(l, p);
            if (may_ask(l, time_steady_us()))
                ask(l, p);
        }
        now = time_steady_us();
        if (now > give_up)
            peer_die("no answer for 20 s", SLICE(""));
    } while (l->done < l->asked || (now < l->until_us && l->asked < l->count));
}

static void load_open(struct load *l, int epoll)
{
    struct lines who = credentials(&l->arena, "as");

    l->n_peers = number_of("connections", 1);
    l->peers = mem_zero(l->n_peers, sizeof *l->peers);
    for (size_t i = 0; i < l->n_peers; i++) {
        peer_open(&l->peers[i], (uint16_t)number_of("port", 0), who.items[i % who.n]);
        peer_watch(&l->peers[i], epoll);
    }
    free(who.items);
}

static void load_main(bool post)
{
    struct load l = {.post = post,
                     .path = text_of("path"),
                     .objects = number_of("objects", post ? 100 : 1),
                     .count = number_of("count", UINT64_MAX),
                     .seed = (uint32_t)number_of("seed", 1),
                     .rate = (double)number_of("rate", 0)};
    uint64_t seconds = number_of("seconds", 3);
    int epoll = epoll_create1(0);

    if (text_of("ids").len != 0)
        l.ids = lines_of(&l.arena, "ids");
    load_open(&l, epoll);
    double cpu = cpu_s();
    l.begun_us = time_steady_us();
    l.until_us = l.begun_us + (int64_t)(seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000000;
    run_load(&l, epoll);
    double took = (double)(time_steady_us() - l.begun_us) / 1e6;
    printf("{\"requests\":%llu,\"objects\":%llu,\"seconds\":%.6f,\"bytes\":%llu,\"cpu_s\":%.3f,",
           (unsigned long long)l.done, (unsigned long long)(l.done * l.objects), took, (unsigned long long)l.bytes,
           cpu_s() - cpu);
    put_times("answer", &l.times);
    printf("\"connections\":%zu}\n", l.n_peers);
    for (size_t i = 0; i < l.n_peers; i++)
        peer_close(&l.peers[i]);
    buf_free(&l.body);
    free(l.peers);
    free(l.times.us);
    free(l.ids.items);
    arena_free(&l.arena);
    close(epoll);
}

/* ---- one event to all who follow ---- */

struct follower {
    struct peer peer;
    char tail[MARK]; /* the mark may come in two pieces */
    size_t tail_len, round;
};
struct wake {
    struct follower *followers;
    size_t n, left, round;
    char mark[MARK];
    size_t mark_len;
    struct peer poster;
    bool answered;
    struct times first, last, all, answers;
};

static bool has_mark(struct follower *f, const char *bytes, size_t n, const struct wake *w)
{
    char joint[2 * MARK];
    size_t head = n < MARK ? n : MARK;

    memcpy(joint, f->tail, f->tail_len);
    memcpy(joint + f->tail_len, bytes, head);
    bool found = memmem(joint, f->tail_len + head, w->mark, w->mark_len) != NULL ||
                 memmem(bytes, n, w->mark, w->mark_len) != NULL;
    size_t joined = f->tail_len + head, keep = joined < w->mark_len - 1 ? joined : w->mark_len - 1;
    if (n >= MARK)
        memcpy(f->tail, bytes + n - keep, keep);
    else
        memcpy(f->tail, joint + joined - keep, keep);
    f->tail_len = keep;
    return found;
}

static void read_follower(struct wake *w, struct follower *f, int64_t begun)
{
    size_t n;

    peer_write(&f->peer);
    while ((n = peer_read(&f->peer, scratch)) != 0) {
        if (f->peer.status == 0 && peer_take(&f->peer, scratch, n) && f->peer.status != 200)
            peer_die("no stream:", slice_n(f->peer.head, f->peer.head_len));
        if (w->mark_len == 0 || f->round == w->round || !has_mark(f, scratch, n, w))
            continue;
        f->round = w->round;
        if (w->left == w->n)
            time_add(&w->first, time_steady_us() - begun);
        time_add(&w->all, time_steady_us() - begun);
        if (--w->left == 0)
            time_add(&w->last, time_steady_us() - begun);
    }
}

/* One round of what is ready; until `until`, or everybody has the mark and the answer is there. */
static void read_all(struct wake *w, int epoll, int64_t begun, int64_t until)
{
    struct epoll_event ready[256];

    while ((w->left != 0 || !w->answered) && time_steady_us() < until) {
        int n = epoll_wait(epoll, ready, 256, 10);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr != &w->poster) {
                read_follower(w, ready[i].data.ptr, begun);
            } else if (!w->answered && peer_answered(&w->poster, scratch)) {
                check_accepted(&w->poster, 1);
                time_add(&w->answers, time_steady_us() - begun);
                w->answered = true;
            }
        }
    }
}

static void wake_once(struct wake *w, int epoll, uint32_t seed, size_t round)
{
    struct buf body = BUF_INIT;

    w->mark_len = (size_t)snprintf(w->mark, sizeof w->mark, "'w%08x-%zu.bench", seed, round);
    w->round = round;
    w->left = w->n;
    w->answered = false;
    for (size_t i = 0; i < w->n; i++)
        w->followers[i].tail_len = 0;
    put_envelope(&body, seed, round, 1);
    int64_t begun = time_steady_us();
    peer_post(&w->poster, text_of("path"), buf_slice(&body));
    read_all(w, epoll, begun, begun + WAKE_US);
    if (w->left != 0)
        peer_die("not everybody got the event within 20 s", SLICE(""));
    buf_free(&body);
}

static void wake_open(struct wake *w, struct arena *a, int epoll)
{
    struct lines who = credentials(a, "to_as"), poster = credentials(a, "as");

    w->n = number_of("connections", 1);
    w->followers = mem_zero(w->n, sizeof *w->followers);
    for (size_t i = 0; i < w->n; i++) {
        peer_open(&w->followers[i].peer, (uint16_t)number_of("to_port", 0), who.items[i % who.n]);
        peer_get(&w->followers[i].peer, text_of("to_path"), "text/event-stream");
        peer_watch(&w->followers[i].peer, epoll);
    }
    peer_open(&w->poster, (uint16_t)number_of("port", 0), poster.items[0]);
    peer_watch(&w->poster, epoll);
    free(who.items);
    free(poster.items);
}

/* Prints "open" when all follow, and waits for a line, so that the hub's memory can be looked at between. */
static void wake_main(void)
{
    struct wake w = {.answered = true};
    struct arena arena = ARENA_INIT;
    int epoll = epoll_create1(0);
    size_t count = number_of("count", 10);
    uint32_t seed = (uint32_t)number_of("seed", 1);
    int64_t begun = time_steady_us();
    char line[16];

    wake_open(&w, &arena, epoll);
    int64_t opened = time_steady_us();
    w.left = 1; /* reads what was there before, for a while */
    read_all(&w, epoll, opened, opened + 1000000 + (int64_t)w.n * 200);
    printf("{\"open\":%zu,\"seconds\":%.3f}\n", w.n, (double)(opened - begun) / 1e6);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return;
    for (size_t i = 0; i <= count; i++) { /* the first opens paths that are not measured */
        if (i == 1)
            w.first.n = w.last.n = w.all.n = w.answers.n = 0;
        wake_once(&w, epoll, seed, i + 1);
        usleep(w.n > 100 ? 100000 : 3000);
    }
    printf("{");
    put_times("first", &w.first);
    put_times("last", &w.last);
    put_times("event", &w.all);
    put_times("answer", &w.answers);
    printf("\"followers\":%zu,\"events\":%zu}\n", w.n, count);
    arena_free(&arena); /* connections end with the program */
}

/* ---- what the machine does by itself ---- */

static void disk_main(void)
{
    struct arena a = ARENA_INIT;
    struct slice path = file_join(&a, arena_copy(&a, text_of("dir")).ptr, "load-disk");
    size_t bytes = number_of("bytes", 4096), count = number_of("count", 500);
    char *chunk = mem_zero(1, bytes);
    struct times times = {NULL, 0, 0};
    int fd = open(path.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

    crypto_random(chunk, bytes);
    int64_t begun = time_steady_us();
    for (size_t i = 0; i < count; i++) {
        int64_t from = time_steady_us();
        if (write(fd, chunk, bytes) != (ssize_t)bytes || fdatasync(fd) != 0)
            peer_die("cannot write", path);
        time_add(&times, time_steady_us() - from);
    }
    double took = (double)(time_steady_us() - begun) / 1e6;
    close(fd);
    unlink(path.ptr);
    printf("{");
    put_times("sync", &times);
    printf("\"syncs_per_s\":%.1f}\n", (double)count / took);
    free(chunk);
    free(times.us);
    arena_free(&a);
}

static void echo(int listener)
{
    char byte;
    int fd = accept(listener, NULL, NULL);

    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
        ;
    _exit(0);
}

static void trip_main(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof to;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct times times = {NULL, 0, 0};
    char byte = 0;

    if (bind(listener, (struct sockaddr *)&to, len) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&to, &len) != 0)
        peer_die("cannot listen", SLICE(""));
    pid_t child = fork();
    if (child == 0)
        echo(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, len) != 0)
        peer_die("cannot connect", SLICE(""));
    for (size_t i = 0; i < number_of("count", 1000); i++) {
        int64_t from = time_steady_us();
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
            peer_die("no echo", SLICE(""));
        time_add(&times, time_steady_us() - from);
    }
    close(fd);
    waitpid(child, NULL, 0);
    printf("{");
    put_times("trip", &times);
    printf("\"count\":%zu}\n", times.n);
    free(times.us);
}

int main(int argc, char **argv)
{
    struct slice mode = argc > 1 ? slice_of(argv[1]) : SLICE("");
    struct rlimit files;
    struct err err;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (crypto_start(&err) != 0)
        peer_die(err.text, SLICE(""));
    read_options(argc, argv);
    if (slice_eq(mode, SLICE("post")) || slice_eq(mode, SLICE("get")))
        load_main(slice_eq(mode, SLICE("post")));
    else if (slice_eq(mode, SLICE("wake")))
        wake_main();
    else if (slice_eq(mode, SLICE("disk")))
        disk_main();
    else if (slice_eq(mode, SLICE("trip")))
        trip_main();
    else
        peer_die("load post|get|wake|disk|trip, see bench/load.c", SLICE(""));
    return 0;
}

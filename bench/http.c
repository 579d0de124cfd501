/* The HTTP server alone: requests a second, a large page, and one event to many subscribers. The server is a process of
   its own (its memory is what is printed), the client one thread with epoll. Usage: bench_http [subscribers] */
#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/tcp.h>
#include <event2/util.h>
#include <openssl/ssl.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/time.h"
#include "net/http_server.h"

enum { SMALL = 300, PAGE = 759 * 1000, STREAMS_MAX = 20000, EVENT = 200, EVENTS = 10 };

static void die(const char *what)
{
    fprintf(stderr, "bench_http: %s\n", what);
    exit(1);
}

/* ---- the server's process ---- */

static struct buf_ref *small, *page;
static struct http_stream *streams[STREAMS_MAX];
static atomic_size_t n_streams;

static int on_head(void *arg, struct http_request *r, uint64_t *max_body, void **user, struct err *err)
{
    (void)arg, (void)r, (void)max_body, (void)user, (void)err;
    return 0;
}

static void on_closed(void *arg)
{
    (void)arg;
}

static void on_request(void *arg, struct http_request *r)
{
    struct slice path = http_request_head(r)->path;
    struct http_stream_events events = {NULL, NULL, on_closed};

    (void)arg;
    if (slice_eq(path, SLICE("/stream"))) {
        struct http_stream *s = http_stream_open(r, SLICE("text/event-stream"), 1 << 20, &events);
        size_t at = atomic_fetch_add(&n_streams, 1);
        streams[at] = s;
        return;
    }
    struct http_answer answer = {200, SLICE("application/json"), NULL, 0,
                                 buf_ref_hold(slice_eq(path, SLICE("/page")) ? page : small)};
    http_reply(r, &answer);
}

/* Sends one event to all for every byte on `orders`. */
static void serve(int listen_fd, uint32_t loops, const char *cert, const char *key, int orders)
{
    struct http_server_conf conf = http_server_conf_default;
    struct http_handler handler = {.head = on_head, .request = on_request};
    struct http_server *server;
    struct err err;
    char order;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    conf.listen_fd = listen_fd;
    conf.loops = loops;
    conf.cert_file = cert;
    conf.key_file = key;
    conf.max_per_address = 0;
    conf.max_connections = STREAMS_MAX + 100;
    struct buf b = BUF_INIT;
    buf_printf(&b, "%0*d", SMALL, 0);
    small = buf_ref_take(&b);
    buf_printf(&b, "%0*d", PAGE, 0);
    page = buf_ref_take(&b);
    if (http_server_start(&conf, &handler, &server, &err) != 0)
        die(err.text);
    while (read(orders, &order, 1) == 1) {
        buf_printf(&b, "data: %0*lld\n\n", EVENT - 8, (long long)time_steady_us());
        struct buf_ref *event = buf_ref_take(&b);
        for (size_t i = 0; i < atomic_load(&n_streams); i++)
            http_stream_send(streams[i], buf_ref_hold(event));
        buf_ref_drop(&event);
    }
    _exit(0);
}

/* ---- the client ---- */

struct peer {
    int fd;
    SSL *ssl;
    size_t got;
};

static struct peer peer_new(uint16_t port, SSL_CTX *tls)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct peer p = {socket(AF_INET, SOCK_STREAM, 0), NULL, 0};
    int one = 1;

    if (p.fd < 0 || connect(p.fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("cannot connect");
    setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls != NULL) {
        p.ssl = SSL_new(tls);
        SSL_set_fd(p.ssl, p.fd);
        if (SSL_connect(p.ssl) != 1)
            die("no TLS");
    }
    return p;
}

static void peer_send(struct peer *p, const char *text)
{
    int len = (int)strlen(text);

    if ((p->ssl != NULL ? SSL_write(p->ssl, text, len) : (int)send(p->fd, text, (size_t)len, 0)) != len)
        die("cannot send");
}

/* Bytes there are now; 0: none. */
static size_t peer_read(struct peer *p, char *to, size_t max)
{
    int n;

    if (p->ssl == NULL) {
        n = (int)recv(p->fd, to, max, MSG_DONTWAIT);
        return n > 0 ? (size_t)n : 0;
    }
    n = SSL_read(p->ssl, to, (int)max);
    if (n <= 0 && SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ)
        die("the server closed");
    return n > 0 ? (size_t)n : 0;
}

static void peer_free(struct peer *p)
{
    if (p->ssl != NULL)
        SSL_free(p->ssl);
    close(p->fd);
}

static void watch(int ep, struct peer *p)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};

    if (p->ssl != NULL)
        evutil_make_socket_nonblocking(p->fd);
    epoll_ctl(ep, EPOLL_CTL_ADD, p->fd, &ev);
}

static double requests(uint16_t port, SSL_CTX *tls, const char *path, size_t answer_len, int n, double seconds)
{
    static char scratch[1 << 20];
    struct peer *peers = mem_zero((size_t)n, sizeof *peers);
    struct epoll_event ready[64];
    char request[200];
    int ep = epoll_create1(0);
    uint64_t done = 0;

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h.example\r\nAccept: application/json\r\n\r\n", path);
    for (int i = 0; i < n; i++) {
        peers[i] = peer_new(port, tls);
        watch(ep, &peers[i]);
        peer_send(&peers[i], request);
    }
    int64_t from = time_steady_us(), until = from + (int64_t)(seconds * 1e6);
    while (time_steady_us() < until) {
        int k = epoll_wait(ep, ready, 64, 100);
        for (int i = 0; i < k; i++) {
            struct peer *p = ready[i].data.ptr;
            size_t got;
            while ((got = peer_read(p, scratch, sizeof scratch)) != 0)
                p->got += got;
            if (p->got >= answer_len) {
                done++;
                p->got = 0;
                peer_send(p, request);
            }
        }
    }
    double took = (double)(time_steady_us() - from) / 1e6;
    for (int i = 0; i < n; i++)
        peer_free(&peers[i]);
    close(ep);
    free(peers);
    return (double)done / took;
}

/* How long one answer is, head included. */
static size_t length_of(uint16_t port, const char *path)
{
    struct peer p = peer_new(port, NULL);
    char request[200], got[4096];
    size_t len = 0, n;

    snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: h.example\r\n\r\n", path);
    peer_send(&p, request);
    while (len < 4 || memcmp(got + len - 4, "\r\n\r\n", 4) != 0)
        if ((n = peer_read(&p, got + len, sizeof got - len)) != 0)
            len += n;
    peer_free(&p);
    return len;
}

static long resident_kb(pid_t pid)
{
    char path[64], line[200];
    long kb = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        sscanf(line, "VmRSS: %ld", &kb);
    if (f != NULL)
        fclose(f);
    return kb;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void subscribers(uint16_t port, SSL_CTX *tls, int n, pid_t server, int orders)
{
    static char scratch[1 << 16];
    struct peer *peers = mem_zero((size_t)n, sizeof *peers);
    int64_t last[EVENTS];
    struct epoll_event ready[256];
    int ep = epoll_create1(0);
    long before = resident_kb(server);
    int64_t from = time_steady_us();

    for (int i = 0; i < n; i++) {
        peers[i] = peer_new(port, tls);
        peer_send(&peers[i], "GET /stream HTTP/1.1\r\nHost: h.example\r\n\r\n");
        while (peer_read(&peers[i], scratch, sizeof scratch) == 0)
            ;
        watch(ep, &peers[i]);
    }
    double connect_s = (double)(time_steady_us() - from) / 1e6;
    for (int e = 0; e < EVENTS; e++) {
        usleep(200 * 1000);
        from = time_steady_us();
        if (write(orders, "x", 1) != 1)
            die("no server");
        for (int left = n; left > 0;) {
            int k = epoll_wait(ep, ready, 256, 1000);
            for (int i = 0; i < k; i++) {
                struct peer *p = ready[i].data.ptr;
                size_t got;
                while ((got = peer_read(p, scratch, sizeof scratch)) != 0)
                    p->got += got;
                if (p->got >= EVENT) {
                    p->got -= EVENT;
                    left--;
                }
            }
        }
        last[e] = time_steady_us() - from;
    }
    qsort(last, EVENTS, sizeof *last, compare);
    printf("%d subscribers%s: %.1f KB each, connected in %.1f s, one event at the last of them after %.0f ms (median "
           "of %d; best %.0f, worst %.0f)\n",
           n, tls != NULL ? ", TLS" : "", (double)(resident_kb(server) - before) / n, connect_s,
           (double)last[EVENTS / 2] / 1e3, EVENTS, (double)last[0] / 1e3, (double)last[EVENTS - 1] / 1e3);
    for (int i = 0; i < n; i++)
        peer_free(&peers[i]);
    free(peers);
    close(ep);
}

/* ---- both ---- */

static void make_certificate(char cert[64], char key[64])
{
    char dir[] = "/tmp/tocsin-bench-XXXXXX";
    struct buf cert_pem = BUF_INIT, key_pem = BUF_INIT;
    struct err err;
    struct slice hosts[] = {SLICE("127.0.0.1")};
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {SLICE("bench"),         hosts,           1, now - 3600 * 1000000LL,
                                  now + 3600 * 1000000LL, CRYPTO_CERT_BOTH};

    if (crypto_start(&err) != 0 || mkdtemp(dir) == NULL ||
        crypto_cert_make(&ask, slice_n(NULL, 0), slice_n(NULL, 0), &cert_pem, &key_pem, &err) != 0)
        die("no certificate");
    snprintf(cert, 64, "%s/cert.pem", dir);
    snprintf(key, 64, "%s/key.pem", dir);
    if (file_write_atomic(cert, buf_slice(&cert_pem), 0600, &err) != 0 ||
        file_write_atomic(key, buf_slice(&key_pem), 0600, &err) != 0)
        die(err.text);
    buf_free(&cert_pem);
    buf_free(&key_pem);
}

struct child {
    pid_t pid;
    uint16_t port;
    int orders;
};

static struct child start(uint32_t loops, const char *cert, const char *key)
{
    struct child c;
    struct err err;
    int fd, pipes[2];

    if (http_listen(SLICE("127.0.0.1:0"), 4096, &fd, &c.port, &err) != 0 || pipe(pipes) != 0)
        die(err.text);
    c.pid = fork();
    if (c.pid == 0)
        serve(fd, loops, cert, key, pipes[0]);
    close(fd);
    c.orders = pipes[1];
    return c;
}

static void end(struct child *c)
{
    close(c->orders);
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
}

int main(int argc, char **argv)
{
    char cert[64], key[64];
    int n = argc > 1 ? atoi(argv[1]) : 2000;
    struct rlimit files = {65536, 65536};

    setvbuf(stdout, NULL, _IOLBF, 0);
    setrlimit(RLIMIT_NOFILE, &files);
    make_certificate(cert, key);
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    struct child plain = start(1, NULL, NULL), secure = start(1, cert, key);
    size_t small_len = length_of(plain.port, "/small") + SMALL, page_len = length_of(plain.port, "/page") + PAGE;
    for (int i = 0; i < 2; i++) {
        printf("GET %d B, 16 connections, 1 loop: plain %.0f requests/s, TLS %.0f\n", SMALL,
               requests(plain.port, NULL, "/small", small_len, 16, 1),
               requests(secure.port, tls, "/small", small_len, 16, 1));
        double page_plain = requests(plain.port, NULL, "/page", page_len, 16, 1),
               page_tls = requests(secure.port, tls, "/page", page_len, 16, 1);
        printf("GET %d KB, 16 connections, 1 loop: plain %.0f requests/s (%.0f MB/s), TLS %.0f (%.0f MB/s)\n",
               PAGE / 1000, page_plain, page_plain * PAGE / 1e6, page_tls, page_tls * PAGE / 1e6);
    }
    end(&plain);
    end(&secure);
    secure = start(2, cert, key);
    subscribers(secure.port, tls, n, secure.pid, secure.orders);
    end(&secure);
    SSL_CTX_free(tls);
    unlink(cert);
    unlink(key);
    *strrchr(cert, '/') = '\0';
    rmdir(cert);
    return 0;
}

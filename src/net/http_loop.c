#include "net/http_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

enum {
    ACCEPTS_A_TURN = 16, /* a storm of handshakes must not hold up those who are in */
    ROUNDS_A_TURN = 8,
    TICK_MIN_US = 10 * 1000,
    TICK_MAX_US = 1000 * 1000,
    STOP_US = 2 * 1000 * 1000
};

static _Thread_local const struct http_loop *this_loop;

bool http_loop_is_here(const struct http_loop *l)
{
    return this_loop == l;
}

void http_loop_wake(struct http_loop *l)
{
    uint64_t one = 1;
    ssize_t n;

    do
        n = write(l->wake_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR); /* EAGAIN: it is awake already */
}

/* ---- mailbox ---- */

/* What comes after the loop ended is disposed of by whoever brings it. */
static void mail_refuse(struct http_mail *m)
{
    if (m->kind == HTTP_MAIL_STREAM) {
        http_stream_letter_drop((struct http_stream *)m);
        return;
    }
    struct http_request *r = (struct http_request *)m;
    if (m->kind == HTTP_MAIL_OPEN)
        http_stream_attach(r->stream, NULL);
    http_request_dispose(r);
}

void http_loop_post(struct http_loop *l, struct http_mail *m)
{
    struct http_server *s =
        http_server_hold(l->server); /* once posted, the letter may be answered and the last owner gone */

    m->next = NULL;
    pthread_mutex_lock(&l->mail_lock);
    bool ended = l->ended, first = l->mail == NULL;
    if (!ended) {
        *l->mail_end = m;
        l->mail_end = &m->next;
    }
    pthread_mutex_unlock(&l->mail_lock);
    if (ended)
        mail_refuse(m);
    else if (first && !http_loop_is_here(l)) /* on the loop itself the current callback ends with http_loop_work */
        http_loop_wake(l);
    http_server_drop(s);
}

static struct http_mail *mail_take(struct http_loop *l, bool end)
{
    pthread_mutex_lock(&l->mail_lock);
    struct http_mail *all = l->mail;
    l->mail = NULL;
    l->mail_end = &l->mail;
    l->ended = l->ended || end;
    pthread_mutex_unlock(&l->mail_lock);
    return all;
}

static void mail_open(struct http_mail *m)
{
    struct http_request *r = (struct http_request *)m;

    switch (m->kind) {
    case HTTP_MAIL_REPLY:
        if (r->conn != NULL)
            http_conn_answer(r->conn, r);
        else
            http_request_dispose(r);
        break;
    case HTTP_MAIL_ADMIT:
        if (r->conn != NULL)
            http_conn_admit(r->conn, r);
        else
            http_request_dispose(r);
        break;
    case HTTP_MAIL_OPEN:
        if (r->conn != NULL)
            http_conn_stream(r->conn, r);
        else
            mail_refuse(m);
        break;
    case HTTP_MAIL_STREAM:
        http_stream_mail((struct http_stream *)m);
        break;
    }
}

void http_loop_again(struct http_loop *l, struct http_conn *c)
{
    if (c->in_again)
        return;
    c->in_again = true;
    c->again = l->again;
    l->again = c;
}

/* A bounded number of rounds: what then remains waits for the next turn of the loop, behind the other sockets. */
void http_loop_work(struct http_loop *l)
{
    for (int round = 0; round < ROUNDS_A_TURN; round++) {
        struct http_mail *m = mail_take(l, false);
        if (m == NULL)
            break;
        while (m != NULL) {
            struct http_mail *next = m->next; /* opening it may free it */
            mail_open(m);
            m = next;
        }
    }
    pthread_mutex_lock(&l->mail_lock);
    bool more = l->mail != NULL;
    pthread_mutex_unlock(&l->mail_lock);
    if (more || l->again != NULL)
        http_loop_wake(l);
}

static void set_tick(struct http_loop *l, int64_t us)
{
    struct timeval every = {us / 1000000, us % 1000000};

    event_add(&l->tick, &every);
}

static void look_at_stopping(struct http_loop *l, int64_t now)
{
    bool busy = false;

    if (l->stop_at_us == 0) {
        l->stop_at_us = now + STOP_US;
        if (l->accept_on)
            event_del(&l->accepting);
        l->accept_on = false;
        set_tick(l, TICK_MIN_US);
    }
    for (struct http_conn *c = l->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (http_conn_is_busy(c))
            busy = true;
        else
            http_conn_free(c);
    }
    if (!busy || now >= l->stop_at_us)
        event_base_loopbreak(l->base);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct http_loop *l = arg;
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof n) < 0)
        assert(errno == EAGAIN || errno == EINTR);
    struct http_conn *c = l->again;
    l->again = NULL;
    while (c != NULL) { /* running one connection never frees another */
        struct http_conn *next = c->again;
        c->in_again = false;
        http_conn_run(c);
        c = next;
    }
    http_loop_work(l);
    if (atomic_load(&l->server->stopping))
        look_at_stopping(l, time_steady_us());
}

/* ---- accepting ---- */

static void turn_away(struct http_server *s, int fd)
{
    static const char busy[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";

    atomic_fetch_add(&s->refused, 1);
    if (http_server_is_plain(s) && send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        shutdown(fd, SHUT_WR);
    close(fd);
}

static void take_in(struct http_loop *l, int fd, const struct sockaddr_storage *from)
{
    struct http_server *s = l->server;
    struct http_address address;
    char peer[INET6_ADDRSTRLEN];
    int one = 1;

    http_address_of(from, &address, peer);
    if (atomic_fetch_add(&s->connections, 1) >= s->conf.max_connections) {
        atomic_fetch_sub(&s->connections, 1);
        turn_away(s, fd);
        return;
    }
    if (!http_addresses_enter(&s->addresses, &address, s->conf.max_per_address)) {
        atomic_fetch_sub(&s->connections, 1);
        turn_away(s, fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    atomic_fetch_add(&s->accepted, 1);
    http_conn_new(l, fd, &address, peer);
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
    struct http_loop *l = arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN && !atomic_load(&l->server->stopping); i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_in(l, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            event_del(&l->accepting); /* else the loop would spin on it: the next tick tries again */
            l->accept_on = false;
        }
        if (errno != EINTR && errno != ECONNABORTED)
            break;
    }
    http_loop_work(l);
}

/* ---- time ---- */

/* Deadlines are looked at now and then instead of keeping a timer a connection: a store instead of a heap operation
 * each. */
static int64_t tick_of(const struct http_server_conf *conf)
{
    const int64_t all[] = {conf->head_us, conf->body_us, conf->idle_us, conf->write_us};
    int64_t least = all[0];

    for (size_t i = 1; i < sizeof all / sizeof *all; i++)
        least = all[i] < least ? all[i] : least;
    least /= 8;
    return least < TICK_MIN_US ? TICK_MIN_US : least > TICK_MAX_US ? TICK_MAX_US : least;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http_loop *l = arg;
    int64_t now = time_steady_us();

    (void)fd, (void)what;
    for (struct http_conn *c = l->conns, *next; c != NULL; c = next) {
        next = c->next;
        http_conn_expire(c, now);
    }
    if (atomic_load(&l->server->stopping))
        look_at_stopping(l, now);
    else if (!l->accept_on)
        l->accept_on = event_add(&l->accepting, NULL) == 0;
    http_loop_work(l);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct http_loop *l = arg;

    this_loop = l;
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    while (l->conns != NULL)
        http_conn_free(l->conns);
    this_loop = NULL;
    for (struct http_mail *m = mail_take(l, true), *next; m != NULL; m = next) {
        next = m->next;
        mail_refuse(m);
    }
    return NULL;
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* one thread a base; the others write to an eventfd */
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int http_loop_start(struct http_loop *l, struct http_server *server, struct err *err)
{
    l->server = server;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->base = base_new();
    l->mail_end = &l->mail;
    l->tick_us = tick_of(&server->conf);
    l->scratch = mem_alloc(HTTP_SCRATCH);
    l->gather = mem_alloc(HTTP_TLS_RECORD);
    pthread_mutex_init(&l->mail_lock, NULL);
    if (l->wake_fd < 0 || l->base == NULL)
        return err_set(err, ERR_SYSTEM, "", "an event loop cannot be made: %s", strerror(errno));
    event_assign(&l->accepting, l->base, server->conf.listen_fd, EV_READ | EV_PERSIST, on_accept, l);
    event_assign(&l->woken, l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    event_assign(&l->tick, l->base, -1, EV_PERSIST, on_tick, l);
    l->accept_on = event_add(&l->accepting, NULL) == 0;
    event_add(&l->woken, NULL);
    set_tick(l, l->tick_us);
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        return err_set(err, ERR_SYSTEM, "", "no thread for an event loop");
    l->started = true;
    return 0;
}

void http_loop_free(struct http_loop *l)
{
    if (l->base != NULL)
        event_base_free(l->base);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    for (size_t i = 0; i < l->n_spare; i++)
        arena_free(&l->spare[i]);
    free(l->scratch);
    free(l->gather);
    pthread_mutex_destroy(&l->mail_lock);
}

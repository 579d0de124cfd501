#include "cmd/monitor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "net/http_server.h"

enum {
    MS = 1000,
    BACKOFF_FIRST_US = 100 * MS,
    BACKOFF_LAST_US = 5000 * MS,
    LIVED_US = 30000 * MS, /* a life this long makes the next failure the first again */
    STOP_US = 10000 * MS,
    LAST_CHILD_US = 500 * MS, /* what ends by itself once its sibling is gone */
    LISTEN_BACKLOG = 4096
};

struct child {
    const char *command; /* "hub-keys" */
    pid_t pid;           /* 0: not running */
};

enum state {
    RUNNING,
    ENDING,  /* one child has ended unasked, the other is to follow */
    WAITING, /* both are gone; started again at `at_us` */
    STOPPING
};

struct monitor {
    const struct monitor_conf *conf;
    int listen_fd, signal_fd, ready_fd; /* ready_fd -1: core has told, or is gone */
    uint16_t port;
    struct child keys, core;
    enum state state;
    int64_t at_us; /* ENDING, STOPPING: what still runs is killed then */
    int64_t started_us, backoff_us;
    bool refused, over; /* refused: a child ended with EX_CONFIG */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- systemd ---- */

/* sd_notify(3), by hand: one datagram to the socket named in the environment; '@' stands for the abstract namespace. */
static void notify(struct slice state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct slice path = slice_of(getenv("NOTIFY_SOCKET"));

    if (path.len < 2 || path.len >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path.ptr, path.len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, state.ptr, state.len, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len));
    close(fd);
}

/* ---- starting ---- */

/* What one child is handed down; -1: nothing. */
struct heritage {
    const int *channels;
    size_t n_channels;
    int listen_fd, ready_fd;
    uint16_t port;
};

static void keep_over_exec(int fd)
{
    fcntl(fd, F_SETFD, 0);
}

static void hand_down_fd(const char *name, int fd)
{
    char text[12];

    unsetenv(name);
    if (fd < 0)
        return;
    snprintf(text, sizeof text, "%d", fd);
    setenv(name, text, 1);
    keep_over_exec(fd);
}

static void hand_down(const struct heritage *h)
{
    struct buf list = BUF_INIT;
    char port[8];

    for (size_t i = 0; i < h->n_channels; i++) {
        buf_printf(&list, "%s%d", i != 0 ? "," : "", h->channels[i]);
        keep_over_exec(h->channels[i]);
    }
    buf_put_byte(&list, '\0');
    snprintf(port, sizeof port, "%u", h->port);
    setenv("TOCSIN_CHANNELS", list.ptr, 1);
    hand_down_fd("TOCSIN_LISTEN", h->listen_fd);
    hand_down_fd("TOCSIN_READY", h->ready_fd);
    setenv("TOCSIN_PORT", port, 1);
    unsetenv("NOTIFY_SOCKET"); /* the monitor speaks for all three */
    buf_free(&list);
}

/* In the new process, the monitor being of one thread. */
static void become(const struct child *child, const struct heritage *h, const char *dir, pid_t monitor)
{
    sigset_t none;
    char *const argv[] = {(char[]){"tocsin"}, mem_copy(slice_of(child->command)), mem_copy(slice_of(dir)), NULL};

    /* A group of its own: the terminal's Ctrl-C reaches the monitor alone, which ends core first and keys last. */
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != monitor) /* it may have died before prctl() */
        _exit(EX_OSERR);
    hand_down(h);
    execv("/proc/self/exe", argv);
    _exit(EX_OSERR);
}

static int start_child(struct child *child, const struct heritage *h, const char *dir, struct err *err)
{
    pid_t monitor = getpid(), pid = fork();

    if (pid < 0)
        return err_set(err, ERR_SYSTEM, "", "%s cannot be started: %s", child->command, strerror(errno));
    if (pid == 0)
        become(child, h, dir, monitor);
    child->pid = pid;
    return 0;
}

static int start_both(struct monitor *m, int (*pairs)[2], int ready_fd, struct err *err)
{
    int ends[2][MONITOR_CHANNELS_MAX];
    size_t n = m->conf->n_channels;

    for (size_t i = 0; i < n; i++) {
        ends[0][i] = pairs[i][0];
        ends[1][i] = pairs[i][1];
    }
    const struct heritage of_keys = {ends[0], n, -1, -1, 0}, of_core = {ends[1], n, m->listen_fd, ready_fd, m->port};
    if (start_child(&m->keys, &of_keys, m->conf->dir, err) != 0)
        return -1;
    return start_child(&m->core, &of_core, m->conf->dir, err);
}

/* Both children with fresh channels. Nothing of a channel stays here: keys ends when core's ends are gone. */
static int start(struct monitor *m, struct err *err)
{
    int pairs[MONITOR_CHANNELS_MAX][2], ready[2];
    size_t made = 0;
    int status = -1;

    if (pipe2(ready, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "", "no pipe: %s", strerror(errno));
    while (made < m->conf->n_channels && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[made]) == 0)
        made++;
    if (made < m->conf->n_channels)
        err_set(err, ERR_SYSTEM, "", "no channel between the processes: %s", strerror(errno));
    else
        status = start_both(m, pairs, ready[1], err);
    for (size_t i = 0; i < made; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    close(ready[1]);
    m->ready_fd = ready[0];
    m->started_us = time_steady_us();
    m->state = RUNNING;
    if (status == 0)
        log_event("hub_started", NUM("keys", m->keys.pid), NUM("core", m->core.pid), NUM("port", m->port));
    return status;
}

/* ---- ending ---- */

static void signal_child(const struct child *child, int number)
{
    if (child->pid != 0)
        kill(child->pid, number);
}

static void end_others(struct monitor *m, enum state state, int64_t patience_us)
{
    m->state = state;
    m->at_us = time_steady_us() + patience_us;
}

static void stop(struct monitor *m, int number)
{
    if (m->state == STOPPING) {
        if (number == SIGINT) /* Ctrl-C once more */
            m->at_us = 0;
        return;
    }
    notify(SLICE("STOPPING=1"));
    log_event("hub_stopping", NUM("signal", number));
    signal_child(&m->core, SIGTERM); /* keys ends when core has closed its channels */
    end_others(m, STOPPING, m->conf->stop_us != 0 ? m->conf->stop_us : STOP_US);
}

static void child_ended(struct monitor *m, struct child *child, int status)
{
    bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;

    child->pid = 0;
    m->refused = m->refused || (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG);
    if (m->state == STOPPING) {
        if (child == &m->core && m->at_us > time_steady_us() + LAST_CHILD_US)
            end_others(m, STOPPING, LAST_CHILD_US);
        return;
    }
    log_event("hub_child_ended", TEXT("child", slice_of(child->command)),
              NUM("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
              NUM("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
    /* Keys ends in order when core has let go of its channels: core is ending by itself and its own status tells why.
       Core without keys can do nothing more. */
    if (m->state == RUNNING)
        end_others(m, ENDING, child == &m->keys && !in_order ? 0 : LAST_CHILD_US);
}

static void reap(struct monitor *m)
{
    struct child *children[] = {&m->core, &m->keys};
    int status;

    for (size_t i = 0; i < 2; i++)
        if (children[i]->pid != 0 && waitpid(children[i]->pid, &status, WNOHANG) == children[i]->pid)
            child_ended(m, children[i], status);
}

static void wait_to_start(struct monitor *m)
{
    int64_t now = time_steady_us();

    if (now - m->started_us >= LIVED_US)
        m->backoff_us = BACKOFF_FIRST_US;
    m->state = WAITING;
    m->at_us = now + m->backoff_us;
    m->backoff_us = m->backoff_us * 2 < BACKOFF_LAST_US ? m->backoff_us * 2 : BACKOFF_LAST_US;
}

static void start_again(struct monitor *m)
{
    struct err err = ERR_INIT;

    if (start(m, &err) == 0)
        return;
    log_event("hub_start_failed", ERROR_FIELD(&err));
    end_others(m, ENDING, 0);
}

/* What time and the children's ends lead to. */
static void step(struct monitor *m)
{
    bool due = time_steady_us() >= m->at_us, none_left = m->keys.pid == 0 && m->core.pid == 0;

    if ((m->state == ENDING || m->state == STOPPING) && none_left) {
        close_fd(&m->ready_fd);
        m->over = m->state == STOPPING || m->refused;
        wait_to_start(m);
    } else if ((m->state == ENDING || m->state == STOPPING) && due) {
        signal_child(&m->core, SIGKILL);
        signal_child(&m->keys, SIGKILL);
        m->at_us = INT64_MAX; /* once: what is killed ends */
    } else if (m->state == WAITING && due) {
        start_again(m);
    }
}

/* ---- the loop ---- */

static void take_signals(struct monitor *m)
{
    struct signalfd_siginfo info;

    while (read(m->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            signal_child(&m->core, SIGHUP);
        else if (info.ssi_signo != SIGCHLD)
            stop(m, (int)info.ssi_signo);
    }
}

static void take_ready(struct monitor *m)
{
    char byte;

    if (read(m->ready_fd, &byte, 1) == 1) {
        log_event("hub_ready", NUM("port", m->port), NUM("took_us", time_steady_us() - m->started_us));
        notify(SLICE("READY=1"));
    }
    close_fd(&m->ready_fd);
}

static int wait_ms(const struct monitor *m)
{
    if (m->state == RUNNING || m->at_us == INT64_MAX)
        return -1;
    int64_t left = m->at_us - time_steady_us();
    return left <= 0 ? 0 : (int)(left / MS + 1);
}

static void run(struct monitor *m)
{
    while (!m->over) {
        struct pollfd fds[] = {{m->signal_fd, POLLIN, 0}, {m->ready_fd, POLLIN, 0}};
        if (poll(fds, 2, wait_ms(m)) > 0) {
            if (fds[1].revents != 0)
                take_ready(m);
            take_signals(m);
        }
        reap(m);
        step(m);
    }
}

int monitor_run(const struct monitor_conf *conf, struct err *err)
{
    struct monitor m = {.conf = conf,
                        .listen_fd = -1,
                        .signal_fd = -1,
                        .ready_fd = -1,
                        .keys = {"hub-keys", 0},
                        .core = {"hub-core", 0},
                        .backoff_us = BACKOFF_FIRST_US};
    sigset_t taken, before;
    int status = -1;

    assert(conf->n_channels >= 1 && conf->n_channels <= MONITOR_CHANNELS_MAX);
    if (http_listen(conf->listen, LISTEN_BACKLOG, &m.listen_fd, &m.port, err) != 0)
        return -1;
    sigemptyset(&taken);
    for (size_t i = 0; i < 4; i++)
        sigaddset(&taken, (const int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP}[i]);
    sigprocmask(SIG_BLOCK, &taken, &before);
    m.signal_fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (m.signal_fd < 0) {
        err_set(err, ERR_SYSTEM, "", "signals cannot be taken: %s", strerror(errno));
    } else {
        start_again(&m);
        run(&m);
        status = m.refused
                     ? err_set(err, ERR_CONF_VALUE, "", "the hub cannot run as it is set up: the event before says why")
                     : 0;
    }
    close_fd(&m.signal_fd);
    close_fd(&m.listen_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

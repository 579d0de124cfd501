#include "cmd/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { CONTROL_LINE_MAX = 4 * 1024 * 1024, CONTROL_WAIT_MS = 30000 };

static const struct json_limits control_limits = {16, 100000, 10000, 1 << 20, CONTROL_LINE_MAX};

struct control {
    struct hub *hub;
    pthread_t thread;
    int listen_fd, stop_fd;
    char *path;
};

static int address_of(const char *path, struct sockaddr_un *out, struct err *err)
{
    if (strlen(path) >= sizeof out->sun_path)
        return err_set(err, ERR_CONF_VALUE, path,
                       "the hub's directory has too long a name for a socket in it (at most %zu bytes)",
                       sizeof out->sun_path - 1);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(out->sun_path, path);
    return 0;
}

/* A line into `line`, its end cut off. -1: closed, too long, or nothing for half a minute. */
static int read_line(int fd, struct buf *line)
{
    struct pollfd p = {fd, POLLIN, 0};

    for (;;) {
        char piece[4096];
        if (poll(&p, 1, CONTROL_WAIT_MS) <= 0)
            return -1;
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0 || line->len + (size_t)n > CONTROL_LINE_MAX)
            return -1;
        buf_put(line, slice_n(piece, (size_t)n));
        if (line->ptr[line->len - 1] == '\n') {
            line->len--;
            return 0;
        }
    }
}

static int write_all(int fd, struct slice text)
{
    while (text.len != 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text = slice_from(text, (size_t)n);
    }
    return 0;
}

/* ---- the hub's side ---- */

struct waiting { /* for an act's end */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_over;
    struct err err;
    struct buf detail;
};

static void on_done(void *arg, const struct hub_outcome *o)
{
    struct waiting *w = arg;

    pthread_mutex_lock(&w->lock);
    if (o->err != NULL)
        w->err = *o->err;
    buf_put(&w->detail, o->detail);
    w->is_over = true;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->lock);
}

static int run_act(struct hub *h, enum hub_act_kind kind, struct slice detail, struct buf *out, struct err *err)
{
    struct waiting w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, ERR_INIT, BUF_INIT};
    struct act act = {.kind = kind, .detail = detail, .done = on_done, .arg = &w};

    if (hub_act(h, &act, err) != 0)
        return -1;
    pthread_mutex_lock(&w.lock);
    while (!w.is_over)
        pthread_cond_wait(&w.ended, &w.lock);
    pthread_mutex_unlock(&w.lock);
    if (w.err.code == ERR_NONE)
        buf_put(out, w.detail.len != 0 ? buf_slice(&w.detail) : SLICE("{}"));
    buf_free(&w.detail);
    return w.err.code == ERR_NONE ? 0 : err_copy(err, &w.err);
}

/* The password that came in plain goes into the row as its hash. */
static int put_with_password(struct hub *h, struct arena *a, enum hub_act_kind kind, struct json row, struct buf *out,
                             struct err *err)
{
    struct json password = json_get(row, SLICE("password"));
    struct buf hash = BUF_INIT, member = BUF_INIT, text = BUF_INIT;

    if (json_kind(password) != JSON_STRING)
        return run_act(h, kind, json_raw(row), out, err);
    crypto_password_hash(json_string(a, password), &hash);
    json_put_text(&member, "password_hash", buf_slice(&hash));
    struct json_edit edit = {password, {NULL, 0}, 0};
    json_splice(&text, row, &edit, 1, buf_slice(&member));
    int result = run_act(h, kind, buf_slice(&text), out, err);
    buf_free(&hash);
    buf_free(&member);
    buf_free(&text);
    return result;
}

static const struct {
    const char *name;
    void (*put)(struct hub *h, struct buf *out);
} questions[] = {
    {"status", hub_put_status},           {"members", hub_put_members},   {"credentials", hub_put_credentials},
    {"collections", hub_put_collections}, {"partners", hub_put_partners},
};

static const struct {
    const char *name;
    enum hub_act_kind kind;
} acts[] = {
    {"member-put", HUB_MEMBER_PUT},         {"member-change", HUB_MEMBER_CHANGE},
    {"member-remove", HUB_MEMBER_REMOVE},   {"collection-put", HUB_COLLECTION_PUT},
    {"partner-put", HUB_PARTNER_PUT},       {"partner-remove", HUB_PARTNER_REMOVE},
    {"credential-put", HUB_CREDENTIAL_PUT}, {"credential-remove", HUB_CREDENTIAL_REMOVE},
    {"member-invite", HUB_INVITE},          {"member-compromise", HUB_MEMBER_COMPROMISE},
    {"member-release", HUB_MEMBER_RELEASE},
};

static int answer(struct hub *h, struct arena *a, struct slice line, struct buf *out, struct err *err)
{
    struct json request;

    if (json_parse(a, line, &control_limits, &request, err) != 0)
        return -1;
    struct slice what = json_string(a, json_get(request, SLICE("do")));
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (slice_eq(what, slice_of(questions[i].name))) {
            questions[i].put(h, out);
            return 0;
        }
    if (slice_eq(what, SLICE("clients"))) {
        struct slice member = json_string(a, json_get(json_get(request, SLICE("row")), SLICE("name")));
        hub_put_clients(h, member, out);
        return 0;
    }
    if (slice_eq(what, SLICE("recalls")))
        return hub_put_recalls(h, json_get(request, SLICE("row")), out, err);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (slice_eq(what, slice_of(acts[i].name)))
            return put_with_password(h, a, acts[i].kind, json_get(request, SLICE("row")), out, err);
    return err_set(err, ERR_BAD_REQUEST, "/do", "the hub does not know \"" SLICE_FMT "\"", SLICE_ARG(what));
}

static void put_control_error(struct buf *out, const struct err *err)
{
    json_put_open(out, '{');
    json_put_key(out, SLICE("error"));
    json_put_open(out, '{');
    json_put_number(out, "code", err->code);
    json_put_text(out, "place", slice_of(err->place));
    json_put_text(out, "text", slice_of(err->text));
    json_put_close(out, '}');
    json_put_close(out, '}');
}

static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void serve_one(struct control *c, int fd)
{
    struct arena a = ARENA_INIT;
    struct buf line = BUF_INIT, out = BUF_INIT;
    struct err err = ERR_INIT;

    if (is_allowed(fd) && read_line(fd, &line) == 0) {
        if (answer(c->hub, &a, buf_slice(&line), &out, &err) != 0) {
            buf_clear(&out);
            put_control_error(&out, &err);
        }
        buf_put_byte(&out, '\n');
        write_all(fd, buf_slice(&out));
    }
    buf_free(&line);
    buf_free(&out);
    arena_free(&a);
    close(fd);
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    struct pollfd fds[2] = {{c->listen_fd, POLLIN, 0}, {c->stop_fd, POLLIN, 0}};

    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents != 0)
            return NULL;
        int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve_one(c, fd);
    }
}

int control_start(struct hub *h, const char *path, struct control **control_out, struct err *err)
{
    struct sockaddr_un address;

    if (address_of(path, &address, err) != 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path); /* the store's lock says that no other hub runs here */
    mode_t old = umask(0177);
    int bound = fd >= 0 ? bind(fd, (struct sockaddr *)&address, sizeof address) : -1;
    umask(old);
    if (bound != 0 || listen(fd, 16) != 0) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_SYSTEM, path, "the control socket cannot be made: %s", strerror(errno));
    }
    struct control *c = mem_zero(1, sizeof *c);
    *c = (struct control){
        .hub = h, .listen_fd = fd, .stop_fd = eventfd(0, EFD_CLOEXEC), .path = mem_copy(slice_of(path))};
    pthread_create(&c->thread, NULL, control_main, c);
    *control_out = c;
    return 0;
}

void control_stop(struct control **control)
{
    struct control *c = *control;
    uint64_t one = 1;

    *control = NULL;
    if (c == NULL)
        return;
    if (write(c->stop_fd, &one, sizeof one) != sizeof one)
        log_event("control_not_woken");
    pthread_join(c->thread, NULL);
    close(c->listen_fd);
    close(c->stop_fd);
    unlink(c->path);
    free(c->path);
    free(c);
}

/* ---- the command line's side ---- */

static int dial(struct arena *a, const char *hub_dir, struct err *err)
{
    struct sockaddr_un address;
    struct slice path = file_join(a, hub_dir, "data/control.sock");

    if (address_of(path.ptr, &address, err) != 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return err_set(err, ERR_CONNECT, hub_dir, "no hub is running in this directory (%s): start it with tocsin hub %s",
                   strerror(errno), hub_dir);
}

int control_ask(struct arena *a, const char *hub_dir, struct slice request, struct json *answer_out, struct err *err)
{
    struct buf line = BUF_INIT;
    int fd = dial(a, hub_dir, err);

    if (fd < 0)
        return -1;
    buf_put(&line, request);
    buf_put_byte(&line, '\n');
    int result = write_all(fd, buf_slice(&line));
    buf_clear(&line);
    if (result != 0 || read_line(fd, &line) != 0)
        result = err_set(err, ERR_CONNECT, hub_dir, "the hub ended the conversation: see its events");
    else
        result = json_parse(a, arena_copy(a, buf_slice(&line)), &control_limits, answer_out, err);
    close(fd);
    buf_free(&line);
    struct json error = result == 0 ? json_get(*answer_out, SLICE("error")) : (struct json){NULL, 0};
    int64_t code;
    if (json_kind(error) != JSON_OBJECT)
        return result;
    if (!json_int(json_get(error, SLICE("code")), &code) || code <= ERR_NONE || code >= ERR_COUNT)
        code = ERR_INTERNAL;
    struct slice text = json_string(a, json_get(error, SLICE("text")));
    return err_set_at(err, (enum err_code)code, json_string(a, json_get(error, SLICE("place"))), SLICE_FMT,
                      SLICE_ARG(text));
}

/* cmd/core.c: the daemon's process (`tocsin hub-core DIR`, started by the monitor): confined, it opens the hub, serves
   TAXII, follows partners and listens to the operator. */
#include "cmd/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/certificates.h"
#include "cmd/confine.h"
#include "cmd/control.h"
#include "cmd/monitor.h"
#include "hub/hub.h"
#include "link/link.h"

enum { EXIT_CONFIG = 78 };

struct core {
    struct arena arena;
    struct hub_settings settings;
    int channels[MONITOR_CHANNELS_MAX];
    size_t n_channels;
    int listen_fd;
    uint16_t port;
    struct hub *hub;
    struct taxii_server *taxii;
    struct http_server *http;
    struct links *links;
    struct control *control;
    struct certificates certificates;
};

/* The authorities of members' certificates: tocsin init writes the hub's own there; a hub made before that has none. */
static const char *clients_file(struct core *c, const char *dir)
{
    struct slice own = file_join(&c->arena, dir, "tls/members.pem");

    return file_exists(own.ptr) ? own.ptr : file_join(&c->arena, dir, "tls/authority.pem").ptr;
}

static int open_core(struct core *c, const char *dir, struct err *err)
{
    struct slice data = file_join(&c->arena, dir, "data");
    struct hub_conf conf = {data.ptr, c->settings, c->channels, c->n_channels};

    if (hub_open(&conf, &c->hub, err) != 0)
        return -1;
    c->taxii = taxii_server_new(hub_taxii_backend(), c->hub, SLICE("tocsin"));
    struct http_server_conf http = http_server_conf_default;
    struct slice cert = file_join(&c->arena, dir, "tls/server.pem"), key = file_join(&c->arena, dir, "tls/server.key");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    http.loops = cores > 0 ? (uint32_t)cores : 1;
    http.listen_fd = c->listen_fd;
    if (!c->settings.plain_http) {
        http.cert_file = cert.ptr;
        http.key_file = key.ptr;
        http.clients_file = clients_file(c, dir);
        http.crl_file = file_join(&c->arena, dir, "tls/crl.pem").ptr;
        http.ocsp_file = file_join(&c->arena, dir, "tls/server.ocsp").ptr;
    }
    http.max_body = c->settings.max_body;
    http.max_connections = (uint32_t)c->settings.max_connections;
    http.max_per_address = (uint32_t)c->settings.max_per_address;
    const struct http_mount mounts[] = {hub_oauth_mount(c->hub)};
    http.mounts = mounts;
    http.n_mounts = sizeof mounts / sizeof mounts[0];
    if (http_server_start(&http, taxii_server_handler(c->taxii), &c->http, err) != 0 ||
        links_start(c->hub, &c->links, err) != 0)
        return -1;
    struct slice socket_path = file_join(&c->arena, data.ptr, "control.sock");
    return control_start(c->hub, socket_path.ptr, &c->control, err);
}

static void close_core(struct core *c)
{
    control_stop(&c->control);
    links_stop(&c->links);
    http_server_stop(&c->http);
    if (c->hub != NULL)
        hub_stop(c->hub);
    hub_close(&c->hub);
    taxii_server_free(&c->taxii);
    certificates_free(&c->certificates);
    arena_free(&c->arena);
}

static void reload(struct core *c)
{
    struct err err = ERR_INIT;

    if (http_server_reload(c->http, &err) != 0)
        log_event("certificates_not_reloaded", ERROR_FIELD(&err));
    else
        log_event("certificates_reloaded");
}

/* A file of DIR/tls that was replaced counts within a second, without anybody's saying so. Core reads there and cannot
   write (cmd/confine.c): the operator's commands do. */
static void tick(struct core *c)
{
    hub_tick(c->hub);
    if (http_server_has_changed(c->http)) {
        reload(c);
        c->certificates.next_us = 0;
    }
    certificates_look(&c->certificates, c->http, c->hub);
}

/* Until SIGTERM or SIGINT; SIGHUP reads the certificates again. */
static void serve(struct core *c, int signals)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const struct itimerspec second = {{1, 0}, {1, 0}};
    struct pollfd fds[2] = {{signals, POLLIN, 0}, {timer, POLLIN, 0}};

    timerfd_settime(timer, 0, &second, NULL);
    for (;;) {
        struct signalfd_siginfo info;
        uint64_t ticks;
        if (poll(fds, 2, -1) < 0)
            continue;
        if (read(timer, &ticks, sizeof ticks) == sizeof ticks)
            tick(c);
        if (read(signals, &info, sizeof info) != sizeof info)
            continue;
        if (info.ssi_signo != SIGHUP)
            break;
        reload(c);
    }
    close(timer);
}

static int block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int fail(const char *what, const struct err *err, int status)
{
    log_event(what, ERROR_FIELD(err));
    log_close();
    return status;
}

int cmd_hub_core(int argc, char **argv)
{
    static struct core core;
    struct err err = ERR_INIT;
    const char *dir = argc == 2 ? argv[1] : "";
    int signals = block_signals();

    if (hub_settings_read(&core.arena, dir, &core.settings, &err) != 0)
        return fail("configuration_refused", &err, EXIT_CONFIG);
    int n = monitor_child_channels(core.channels, MONITOR_CHANNELS_MAX);
    core.n_channels = n > 0 ? (size_t)n : 0;
    core.listen_fd = monitor_child_listen(&core.port);
    if (n <= 0 || core.listen_fd < 0) {
        err_set(&err, ERR_USAGE, NULL, "started by hand: use tocsin hub DIR");
        return fail("core_not_started", &err, EXIT_CONFIG);
    }
    if (crypto_start(&err) != 0 || confine_core(dir, &err) != 0 || log_open("core", NULL, &err) != 0)
        return fail("core_not_started", &err, 1);
    if (open_core(&core, dir, &err) != 0) {
        close_core(&core);
        return fail("core_not_started", &err, err.code == ERR_STORE_VERSION ? EXIT_CONFIG : 1);
    }
    log_event("hub_ready", TEXT("name", core.settings.name), TEXT("hub_id", core.settings.id),
              TEXT("listen", core.settings.listen), NUM("port", core.port));
    monitor_child_ready();
    serve(&core, signals);
    log_event("hub_stopping");
    close_core(&core);
    log_close();
    return 0;
}

int cmd_hub_keys(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    int channels[MONITOR_CHANNELS_MAX];
    int n = monitor_child_channels(channels, MONITOR_CHANNELS_MAX);

    if (argc != 2 || n <= 0) {
        fprintf(stderr, "tocsin hub-keys is started by tocsin hub DIR\n");
        return EXIT_CONFIG;
    }
    struct slice dir = file_join(&a, argv[1], "keys");
    int status = keys_main(dir.ptr, channels, (size_t)n);
    arena_free(&a);
    return status;
}

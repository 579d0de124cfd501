#include "net/http_server.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "net/http_internal.h"

const struct http_server_conf http_server_conf_default = {
    .listen_fd = -1,
    .loops = 1,
    .max_head = 32 * 1024,
    .max_body = 10 * 1024 * 1024,
    .max_connections = 20000,
    .max_per_address = 1000,
    .head_us = 10 * 1000000,
    .body_us = 60 * 1000000,
    .idle_us = 75 * 1000000,
    .write_us = 30 * 1000000,
    .max_body_memory = 256 * 1024 * 1024,
};

struct http_server *http_server_hold(struct http_server *s)
{
    atomic_fetch_add(&s->owners, 1);
    return s;
}

void http_server_drop(struct http_server *s)
{
    if (atomic_fetch_sub(&s->owners, 1) != 1)
        return;
    for (uint32_t i = 0; i < s->conf.loops; i++)
        http_loop_free(&s->loops[i]);
    free(s->loops);
    http_addresses_free(&s->addresses);
    http_tls_drop(&s->tls);
    pthread_mutex_destroy(&s->tls_lock);
    for (size_t i = 0; i < HTTP_TLS_FILES; i++)
        free(s->files.path[i]);
    free(s);
}

const struct http_handler *http_server_handler(const struct http_server *s, struct slice path)
{
    for (size_t i = 0; i < s->conf.n_mounts; i++) {
        struct slice mount = s->mounts[i].path;
        if (slice_starts(path, mount) && (path.len == mount.len || path.ptr[mount.len] == '/'))
            return &s->mounts[i].handler;
    }
    return &s->handler;
}

static void stop_loops(struct http_server *s)
{
    atomic_store(&s->stopping, true);
    for (uint32_t i = 0; i < s->conf.loops; i++)
        if (s->loops[i].started)
            http_loop_wake(&s->loops[i]);
    for (uint32_t i = 0; i < s->conf.loops; i++)
        if (s->loops[i].started)
            pthread_join(s->loops[i].thread, NULL);
}

static struct http_server *server_new(const struct http_server_conf *conf, const struct http_handler *handler)
{
    struct http_server *s = mem_zero(1, sizeof *s);

    atomic_init(&s->owners, 1);
    s->conf = *conf;
    if (s->conf.max_per_address == 0)
        s->conf.max_per_address = UINT32_MAX;
    s->handler = *handler;
    for (size_t i = 0; i < conf->n_mounts; i++)
        s->mounts[i] = conf->mounts[i];
    s->plain = conf->cert_file == NULL;
    pthread_mutex_init(&s->tls_lock, NULL);
    http_addresses_init(&s->addresses, conf->max_connections);
    s->loops = mem_zero(conf->loops, sizeof *s->loops);
    for (uint32_t i = 0; i < conf->loops; i++)
        s->loops[i].wake_fd = -1;
    return s;
}

static void copy_paths(const struct http_server_conf *conf, struct http_tls_files *files)
{
    const char *const paths[HTTP_TLS_FILES] = {[HTTP_TLS_CERT] = conf->cert_file,
                                               [HTTP_TLS_KEY] = conf->key_file,
                                               [HTTP_TLS_CLIENTS] = conf->clients_file,
                                               [HTTP_TLS_CRL] = conf->crl_file,
                                               [HTTP_TLS_OCSP] = conf->ocsp_file};

    for (size_t i = 0; i < HTTP_TLS_FILES; i++)
        files->path[i] = paths[i] != NULL ? mem_copy(slice_of(paths[i])) : NULL;
}

int http_server_start(const struct http_server_conf *conf, const struct http_handler *handler,
                      struct http_server **server_out, struct err *err)
{
    int result = 0;

    assert(conf->listen_fd >= 0 && conf->loops != 0 && handler->head != NULL && handler->request != NULL);
    assert(conf->n_mounts <= HTTP_MOUNTS_MAX);
    assert((conf->cert_file == NULL) == (conf->key_file == NULL));
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write() */
    struct http_server *s = server_new(conf, handler);
    if (!s->plain) {
        copy_paths(conf, &s->files);
        http_tls_look(&s->files);
        result = http_tls_make(&s->files, &s->tls, err);
    }
    for (uint32_t i = 0; i < conf->loops && result == 0; i++)
        result = http_loop_start(&s->loops[i], s, err);
    if (result != 0) {
        stop_loops(s);
        http_server_drop(s);
        return -1;
    }
    *server_out = s;
    return 0;
}

void http_server_stop(struct http_server **server)
{
    struct http_server *s = *server;

    *server = NULL;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->conf.loops; i++)
        assert(!http_loop_is_here(&s->loops[i]));
    stop_loops(s);
    http_server_drop(s);
}

struct http_tls *http_server_tls(struct http_server *s)
{
    pthread_mutex_lock(&s->tls_lock);
    struct http_tls *t = http_tls_hold(s->tls);
    pthread_mutex_unlock(&s->tls_lock);
    return t;
}

bool http_server_has_changed(struct http_server *s)
{
    if (http_server_is_plain(s))
        return false;
    pthread_mutex_lock(&s->tls_lock);
    bool changed = http_tls_look(&s->files);
    pthread_mutex_unlock(&s->tls_lock);
    return changed;
}

int http_server_reload(struct http_server *s, struct err *err)
{
    struct http_tls *fresh, *old;

    if (http_server_is_plain(s))
        return 0;
    http_server_has_changed(s); /* before reading: what changes meanwhile is seen at the next look */
    if (http_tls_make(&s->files, &fresh, err) != 0)
        return -1;
    pthread_mutex_lock(&s->tls_lock);
    old = s->tls;
    s->tls = fresh;
    atomic_fetch_add(&s->tls_generation, 1);
    pthread_mutex_unlock(&s->tls_lock);
    http_tls_drop(&old);
    return 0;
}

void http_server_ends(struct http_server *s, struct http_server_ends *out)
{
    *out = (struct http_server_ends){INT64_MAX, INT64_MAX, INT64_MAX};
    if (http_server_is_plain(s))
        return;
    struct http_tls *t = http_server_tls(s);
    out->cert_us = t->cert_until_us;
    if (t->trust != NULL)
        out->crl_us = crypto_trust_crl_until(t->trust);
    if (t->ocsp.len != 0)
        out->ocsp_us = t->ocsp_until_us;
    http_tls_drop(&t);
}

void http_server_count(const struct http_server *s, struct http_server_counts *out)
{
    out->connections = atomic_load(&s->connections);
    out->accepted = atomic_load(&s->accepted);
    out->refused = atomic_load(&s->refused);
    out->requests = atomic_load(&s->requests);
    out->body_memory = atomic_load(&s->body_memory);
}

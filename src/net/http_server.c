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
    SSL_CTX_free(s->tls);
    pthread_mutex_destroy(&s->tls_lock);
    free(s->cert_file);
    free(s->key_file);
    free(s);
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
    pthread_mutex_init(&s->tls_lock, NULL);
    http_addresses_init(&s->addresses, conf->max_connections);
    s->loops = mem_zero(conf->loops, sizeof *s->loops);
    for (uint32_t i = 0; i < conf->loops; i++)
        s->loops[i].wake_fd = -1;
    return s;
}

int http_server_start(const struct http_server_conf *conf, const struct http_handler *handler,
                      struct http_server **server_out, struct err *err)
{
    int result = 0;

    assert(conf->listen_fd >= 0 && conf->loops != 0 && handler->head != NULL && handler->request != NULL);
    assert((conf->cert_file == NULL) == (conf->key_file == NULL));
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write() */
    struct http_server *s = server_new(conf, handler);
    if (conf->cert_file != NULL) {
        s->cert_file = mem_copy(slice_of(conf->cert_file));
        s->key_file = mem_copy(slice_of(conf->key_file));
        result = http_tls_make(s->cert_file, s->key_file, &s->tls, err);
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

SSL *http_server_tls_new(struct http_server *s, int fd)
{
    if (http_server_is_plain(s))
        return NULL;
    pthread_mutex_lock(&s->tls_lock);
    SSL *ssl = SSL_new(s->tls);
    pthread_mutex_unlock(&s->tls_lock);
    if (ssl != NULL && SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ssl = NULL;
    }
    return ssl;
}

int http_server_reload(struct http_server *s, struct err *err)
{
    SSL_CTX *fresh, *old;

    if (http_server_is_plain(s))
        return 0;
    if (http_tls_make(s->cert_file, s->key_file, &fresh, err) != 0)
        return -1;
    pthread_mutex_lock(&s->tls_lock);
    old = s->tls;
    s->tls = fresh;
    pthread_mutex_unlock(&s->tls_lock);
    SSL_CTX_free(old);
    return 0;
}

void http_server_count(const struct http_server *s, struct http_server_counts *out)
{
    out->connections = atomic_load(&s->connections);
    out->accepted = atomic_load(&s->accepted);
    out->refused = atomic_load(&s->refused);
    out->requests = atomic_load(&s->requests);
    out->body_memory = atomic_load(&s->body_memory);
}

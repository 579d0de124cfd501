/* sensor/renew.c: the member's certificate, renewed before it ends: a new key, signed by the hub over the channel that
   the old one opens, put in the place of the old in one piece. Connections made from then on use it
   (net/http_client.h); nothing is restarted. */
#include "sensor/internal.h"

#include <stdlib.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

enum { PEM_MAX = 1024 * 1024 };
#define RENEW_AHEAD_US (INT64_C(30) * 86400 * 1000000)
#define RENEW_EVERY_US (INT64_C(3600) * 1000000)

struct renew {
    struct taxii_client_conf client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
    int warned; /* see crypto_cert_warning() */
};

static int ask(const struct taxii_client_conf *conf, struct arena *a, struct buf *pem_out, struct err *err)
{
    struct taxii_client *client;
    struct buf csr = BUF_INIT;
    struct json answer;

    if (crypto_csr_make(SLICE("renewal"), &csr, pem_out, err) != 0)
        return -1;
    int status = taxii_client_open(conf, &client, err);
    if (status == 0) {
        status = taxii_certify(client, a, SLICE(""), buf_slice(&csr), &answer, err);
        taxii_client_close(&client);
    }
    buf_free(&csr);
    if (status != 0)
        return -1;
    struct slice cert = json_string(a, json_get(answer, SLICE("certificate")));
    if (!crypto_cert_fits(cert, buf_slice(pem_out)))
        return err_set(err, ERR_PEER, "", "the hub answered with a certificate for another key");
    buf_put(pem_out, cert);
    return 0;
}

bool renew_can(const struct taxii_client_conf *conf)
{
    return conf->http.cert.len != 0 && slice_eq(conf->http.cert, conf->http.key) &&
           !slice_starts(conf->http.cert, SLICE("-----BEGIN "));
}

int renew_until(const struct taxii_client_conf *conf, int64_t *until_us_out, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice cert = conf->http.cert;
    int status = 0;

    if (!slice_starts(cert, SLICE("-----BEGIN ")))
        status = file_read(&a, arena_copy(&a, cert).ptr, PEM_MAX, &cert, err);
    if (status == 0)
        status = crypto_cert_until(cert, until_us_out, err);
    if (cert.len != 0 && cert.ptr != conf->http.cert.ptr)
        crypto_wipe((char *)cert.ptr, cert.len); /* the key stands in it too */
    arena_free(&a);
    return status;
}

int renew_now(const struct taxii_client_conf *conf, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct buf pem = BUF_INIT;
    int status = ask(conf, &a, &pem, err);

    if (status == 0)
        status = file_write_atomic(arena_copy(&a, conf->http.cert).ptr, buf_slice(&pem), 0600, err);
    if (pem.ptr != NULL)
        crypto_wipe(pem.ptr, pem.len);
    buf_free(&pem);
    arena_free(&a);
    return status;
}

bool renew_is_due(int64_t until_us, int64_t now_us)
{
    return until_us - now_us < RENEW_AHEAD_US;
}

static void warn(struct renew *r, int64_t until_us)
{
    char text[TIME_TEXT];
    int days = crypto_cert_warning(until_us, time_now_us());

    time_put(text, until_us);
    if (days >= 0 && days != r->warned)
        log_event("certificate_ends", TEXT("whose", SLICE("own")), TEXT("until", slice_n(text, sizeof text)),
                  NUM("days", days));
    r->warned = days;
}

static void look(struct renew *r)
{
    struct err err = ERR_INIT;
    int64_t until_us = 0;

    if (renew_until(&r->client, &until_us, &err) != 0) {
        log_event("certificate_not_read", ERROR_FIELD(&err));
        return;
    }
    if (renew_can(&r->client) && renew_is_due(until_us, time_now_us())) {
        if (renew_now(&r->client, &err) == 0 && renew_until(&r->client, &until_us, &err) == 0) {
            char text[TIME_TEXT];
            time_put(text, until_us);
            log_event("certificate_renewed", TEXT("until", slice_n(text, sizeof text)));
        } else {
            log_event("certificate_not_renewed", ERROR_FIELD(&err));
        }
    }
    warn(r, until_us);
}

static void *renew_main(void *arg)
{
    struct renew *r = arg;
    struct timespec until;

    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        pthread_mutex_unlock(&r->lock);
        look(r);
        pthread_mutex_lock(&r->lock);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += RENEW_EVERY_US / 1000000;
        while (!r->stopping && pthread_cond_timedwait(&r->stop, &r->lock, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

int renew_start(const struct taxii_client_conf *client, struct renew **renew_out, struct err *err)
{
    struct renew *r = mem_zero(1, sizeof *r);

    *renew_out = NULL;
    r->client = *client;
    r->client.http.total_us = RENEW_PATIENCE_US; /* a sensor that ends waits no longer than this for it */
    r->warned = -1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->stop, NULL);
    if (pthread_create(&r->thread, NULL, renew_main, r) != 0) {
        free(r);
        return err_set(err, ERR_SYSTEM, "", "no thread can be started");
    }
    *renew_out = r;
    return 0;
}

void renew_stop(struct renew **renew)
{
    struct renew *r = *renew;

    *renew = NULL;
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->stop);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->stop);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

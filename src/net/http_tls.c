#include "net/http_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/err.h>

#include "base/file.h"
#include "base/time.h"

enum { PEM_FILE_MAX = 16 * 1024 * 1024, OCSP_FILE_MAX = 64 * 1024 }; /* a list of 300,000 revoked ones is 12 MB */

/* The deepest reason that OpenSSL gives: "no such file", "key values mismatch". */
static const char *tls_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = ERR_reason_error_string(code);

    ERR_clear_error();
    return text != NULL ? text : "not readable";
}

/* Only http/1.1 is spoken: a client that offers other protocols alone is told so, and cannot carry them here (RFC 7301
 * section 3.2). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";

    (void)ssl, (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Everything is let through here: TLS itself sees to it that the client holds the key, and the certificate is judged
   with every request (http_conn_peer_is_good()). */
static int accept_any(X509_STORE_CTX *ctx, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* A session that a certificate has opened is never resumed: the chain that came with it is not in the ticket, so that
   it could not be judged again, and a ticket would outlive a revocation. */
static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                   SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl, (void)name, (void)name_len, (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (SSL_SESSION_get0_peer(session) != NULL)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static int on_status(SSL *ssl, void *arg)
{
    const struct http_tls *t = arg;

    if (t->ocsp.len == 0 || time_now_us() >= t->ocsp_until_us) /* an old one makes clients refuse */
        return SSL_TLSEXT_ERR_NOACK;
    unsigned char *copy = OPENSSL_memdup(t->ocsp.ptr, t->ocsp.len);
    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)t->ocsp.len);
    return SSL_TLSEXT_ERR_OK;
}

static void set_policy(SSL_CTX *tls)
{
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    /* Idle subscribers are many: their buffers go back to the heap. */
    SSL_CTX_set_mode(tls,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF); /* tickets alone: no state per client */
    SSL_CTX_set_num_tickets(tls, 1);
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"tocsin", 6);
    SSL_CTX_set_alpn_select_cb(tls, choose_alpn, NULL);
    SSL_CTX_set_session_ticket_cb(tls, NULL, on_ticket, NULL);
}

/* ---- files ---- */

static int use_certificate(SSL_CTX *tls, const char *cert_file, const char *key_file, struct err *err)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1)
        return err_set(err, ERR_TLS, cert_file,
                       "the certificate cannot be used (%s): it must be a PEM file that this user may read",
                       tls_reason());
    if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
        return err_set(err, ERR_TLS, key_file,
                       "the private key cannot be used (%s): it must be the PEM key of the certificate", tls_reason());
    if (SSL_CTX_check_private_key(tls) != 1)
        return err_set(err, ERR_TLS, key_file, "the private key does not belong to the certificate");
    return 0;
}

/* The names of authorities that are sent with the request: a client with several certificates finds the right one. */
static void name_authorities(SSL_CTX *tls, const char *file)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);

    if (names != NULL)
        SSL_CTX_set_client_CA_list(tls, names);
    ERR_clear_error();
}

static struct slice read_optional(struct arena *a, const char *path, size_t max, int *status, struct err *err)
{
    struct slice text = SLICE("");

    if (*status == 0 && path != NULL && file_exists(path))
        *status = file_read(a, path, max, &text, err);
    return text;
}

static int make_trust(struct http_tls *t, const struct http_tls_files *files, struct slice authorities,
                      struct slice lists, struct err *err)
{
    struct err why = ERR_INIT;

    if (crypto_trust_make(authorities, lists, &t->trust, &why) == 0)
        return 0;
    bool of_list = crypto_trust_make(authorities, SLICE(""), &t->trust, NULL) == 0;
    return err_set(err, ERR_TLS, files->path[of_list ? HTTP_TLS_CRL : HTTP_TLS_CLIENTS], "%s", why.text);
}

static int take_clients(struct http_tls *t, const struct http_tls_files *files, struct err *err)
{
    struct arena a = ARENA_INIT;
    int status = 0;
    struct slice authorities = read_optional(&a, files->path[HTTP_TLS_CLIENTS], PEM_FILE_MAX, &status, err);
    struct slice lists = read_optional(&a, files->path[HTTP_TLS_CRL], PEM_FILE_MAX, &status, err);

    if (status == 0 && authorities.len != 0) {
        status = make_trust(t, files, authorities, lists, err);
        if (status == 0) {
            name_authorities(t->ctx, files->path[HTTP_TLS_CLIENTS]);
            SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
            SSL_CTX_set_cert_verify_callback(t->ctx, accept_any, NULL);
        }
    }
    arena_free(&a);
    return status;
}

/* What cannot be stapled is left out: a client that insists on it says so, and the others go on. */
static int take_response(struct http_tls *t, const struct http_tls_files *files, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice cert;
    int status = file_read(&a, files->path[HTTP_TLS_CERT], PEM_FILE_MAX, &cert, err);
    struct slice response = read_optional(&a, files->path[HTTP_TLS_OCSP], OCSP_FILE_MAX, &status, err);

    if (status == 0)
        status = crypto_cert_until(cert, &t->cert_until_us, err);
    if (status == 0 && response.len != 0 &&
        crypto_ocsp_until(response, cert, time_now_us(), &t->ocsp_until_us, NULL) == 0)
        t->ocsp = slice_n(mem_copy(response), response.len);
    if (t->ocsp.len != 0) {
        SSL_CTX_set_tlsext_status_cb(t->ctx, on_status);
        SSL_CTX_set_tlsext_status_arg(t->ctx, t);
    }
    arena_free(&a);
    return status;
}

int http_tls_make(const struct http_tls_files *files, struct http_tls **tls_out, struct err *err)
{
    struct http_tls *t = mem_zero(1, sizeof *t);

    atomic_init(&t->owners, 1);
    t->ctx = SSL_CTX_new(TLS_server_method());
    if (t->ctx == NULL) {
        http_tls_drop(&t);
        return err_set(err, ERR_TLS, "", "TLS cannot be set up: %s", tls_reason());
    }
    set_policy(t->ctx);
    if (use_certificate(t->ctx, files->path[HTTP_TLS_CERT], files->path[HTTP_TLS_KEY], err) != 0 ||
        take_clients(t, files, err) != 0 || take_response(t, files, err) != 0) {
        http_tls_drop(&t);
        return -1;
    }
    *tls_out = t;
    return 0;
}

struct http_tls *http_tls_hold(struct http_tls *t)
{
    atomic_fetch_add(&t->owners, 1);
    return t;
}

void http_tls_drop(struct http_tls **tls)
{
    struct http_tls *t = *tls;

    *tls = NULL;
    if (t == NULL || atomic_fetch_sub(&t->owners, 1) != 1)
        return;
    SSL_CTX_free(t->ctx);
    crypto_trust_drop(&t->trust);
    free((char *)t->ocsp.ptr);
    free(t);
}

/* Not the modification time alone: a file may be replaced by an older one, or twice within its resolution. */
static uint64_t stamp_of(const char *path)
{
    struct stat st;

    if (path == NULL || stat(path, &st) != 0)
        return 0;
    const uint64_t parts[] = {(uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                              (uint64_t)st.st_mtim.tv_nsec};
    uint64_t stamp = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        stamp = (stamp ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15) + (stamp >> 29);
    return stamp != 0 ? stamp : 1;
}

bool http_tls_look(struct http_tls_files *files)
{
    bool changed = false;

    for (size_t i = 0; i < HTTP_TLS_FILES; i++) {
        uint64_t stamp = stamp_of(files->path[i]);
        changed = changed || stamp != files->stamp[i];
        files->stamp[i] = stamp;
    }
    return changed;
}

#include <openssl/err.h>

#include "net/http_internal.h"

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
}

int http_tls_make(const char *cert_file, const char *key_file, SSL_CTX **tls_out, struct err *err)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (tls == NULL)
        return err_set(err, ERR_TLS, "", "TLS cannot be set up: %s", tls_reason());
    ERR_clear_error();
    set_policy(tls);
    int result = 0;
    if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1)
        result =
            err_set(err, ERR_TLS, cert_file,
                    "the certificate cannot be used (%s): it must be a PEM file that this user may read", tls_reason());
    else if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
        result =
            err_set(err, ERR_TLS, key_file,
                    "the private key cannot be used (%s): it must be the PEM key of the certificate", tls_reason());
    else if (SSL_CTX_check_private_key(tls) != 1)
        result = err_set(err, ERR_TLS, key_file, "the private key does not belong to the certificate");
    if (result != 0)
        SSL_CTX_free(tls);
    else
        *tls_out = tls;
    return result;
}

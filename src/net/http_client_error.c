#include <errno.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "net/http_client_internal.h"

static int certificate_error(struct http_client *c, struct err *err)
{
    long verdict = 0;

    curl_easy_getinfo(c->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return err_set(
            err, ERR_TLS, "",
            "the certificate of %s has expired: its operator must renew it (or this machine's clock is wrong)", c->url);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return err_set(err, ERR_TLS, "", "the certificate of %s is not valid yet: check this machine's clock", c->url);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return err_set(
            err, ERR_TLS, "",
            "the certificate of %s is signed by an authority that is not known here: give its ca file (now: %s)",
            c->url,
            c->ca_file == NULL     ? "the system's authorities"
            : c->ca_file[0] == '-' ? "the authority in its client file"
                                   : c->ca_file);
    case X509_V_OK: /* curl compares the name itself, and then has no verdict of OpenSSL's */
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return err_set(err, ERR_TLS, "",
                       "the certificate of %s is made out to another name: use the name that it carries", c->url);
    default:
        return err_set(err, ERR_TLS, "", "the certificate of %s was not accepted: %s", c->url,
                       X509_verify_cert_error_string(verdict));
    }
}

static int connect_error(struct http_client *c, struct err *err)
{
    long why = 0;

    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &why);
    if (why == ECONNREFUSED)
        return err_set(err, ERR_CONNECT, "",
                       "%s refused the connection: nothing listens there; check address and port, and that it runs",
                       c->url);
    if (why != 0)
        return err_set(err, ERR_CONNECT, "", "%s cannot be reached: %s", c->url, strerror((int)why));
    return err_set(err, ERR_CONNECT, "", "%s cannot be reached: %s", c->url, c->why);
}

int http_client_curl_error(struct http_client *c, CURLcode code, struct err *err)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_CONNECT, "",
                       "the name in %s is not known to DNS: check its spelling, and this machine's resolver", c->url);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(err, ERR_CONNECT, "", "the proxy's name is not known to DNS: check https_proxy");
    case CURLE_URL_MALFORMAT:
        return err_set(err, ERR_CONF_VALUE, "", "%s is not an address that can be used", c->url);
    case CURLE_COULDNT_CONNECT:
        return connect_error(c, err);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_TIMEOUT, "", "%s did not answer in time (%s)", c->url, c->why);
    case CURLE_PEER_FAILED_VERIFICATION:
        return certificate_error(c, err);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return err_set(err, ERR_TLS, "",
                       "%s has another key than the pin says: ask its operator whether the key was changed", c->url);
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(err, ERR_TLS, c->ca_file[0] == '-' ? "" : c->ca_file,
                       "the ca file cannot be read: it must hold PEM certificates");
    case CURLE_SSL_CERTPROBLEM:
        return err_set(err, ERR_TLS, c->cert == NULL || c->cert[0] == '-' ? "" : c->cert,
                       "the client certificate or its key cannot be used: both must be PEM and belong together");
    case CURLE_SSL_CONNECT_ERROR:
        return err_set(err, ERR_TLS, "", "no TLS with %s: does that port speak https? (%s)", c->url, c->why);
    default:
        return err_set(err, ERR_CONNECT, "", "the exchange with %s broke off: %s", c->url,
                       c->why[0] != '\0' ? c->why : curl_easy_strerror(code));
    }
}

int http_client_status_error(struct http_client *c, int status, struct slice path, struct err *err)
{
    switch (status) {
    case 401:
        return err_set(err, ERR_UNAUTHENTICATED, "",
                       c->cert != NULL && c->user[0] == '\0' ? "%s does not accept this client certificate"
                                                             : "%s does not accept this user and password",
                       c->url);
    case 403:
        return err_set(err, ERR_FORBIDDEN, "", "%s does not allow this user to read " SLICE_FMT, c->url,
                       SLICE_ARG(path));
    case 404:
        return err_set(err, ERR_NOT_FOUND, "", "%s has no " SLICE_FMT, c->url, SLICE_ARG(path));
    case 429:
        return err_set(err, ERR_TOO_MANY, "", "%s asks to slow down (429)", c->url);
    case 503:
        return err_set(err, ERR_BUSY, "", "%s is too busy (503)", c->url);
    case 200:
        return err_set(err, ERR_PEER, "", "%s" SLICE_FMT " is not an event stream", c->url, SLICE_ARG(path));
    default:
        return err_set(err, ERR_PEER, "", "%s answered %d instead of a stream", c->url, status);
    }
}

/* net/http_client_internal.h: the client, and what to tell a person when an exchange fails. */
#ifndef NET_HTTP_CLIENT_INTERNAL_H
#define NET_HTTP_CLIENT_INTERNAL_H

#include <stdatomic.h>

#include <curl/curl.h>

#include "net/http_client.h"

struct http_client {
    CURLM *multi; /* keeps the connections; curl_multi_poll can be woken from another thread */
    CURL *easy;
    char *url, *ca_file, *pin, *user, *password, *cert, *key, *header;
    int64_t connect_us, total_us;
    atomic_bool stopped;
    char why[CURL_ERROR_SIZE];
};

int http_client_curl_error(struct http_client *c, CURLcode code, struct err *err);
/* A stream was asked for, and something else was answered. */
int http_client_status_error(struct http_client *c, int status, struct slice path, struct err *err);

#endif

#include "net/http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"

/* ---- connections an address ---- */

struct http_address_row {
    struct http_address_row *next;
    struct http_address address;
    uint32_t n;
};

void http_addresses_init(struct http_addresses *t, uint32_t max_connections)
{
    t->n_rows = 64;
    while (t->n_rows < max_connections && t->n_rows < 65536)
        t->n_rows *= 2;
    t->rows = mem_zero(t->n_rows, sizeof *t->rows);
    pthread_mutex_init(&t->lock, NULL);
    crypto_random(&t->seed, sizeof t->seed);
}

void http_addresses_free(struct http_addresses *t)
{
    for (size_t i = 0; i < t->n_rows; i++)
        while (t->rows[i] != NULL) {
            struct http_address_row *row = t->rows[i];
            t->rows[i] = row->next;
            free(row);
        }
    free(t->rows);
    pthread_mutex_destroy(&t->lock);
}

/* Keyed, so that nobody picks addresses that fall into one row. */
static struct http_address_row **find_row(struct http_addresses *t, const struct http_address *a)
{
    uint64_t h = t->seed;

    for (size_t i = 0; i < sizeof a->bytes; i++) {
        h = (h ^ a->bytes[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    struct http_address_row **at = &t->rows[h & (t->n_rows - 1)];
    while (*at != NULL && memcmp(&(*at)->address, a, sizeof *a) != 0)
        at = &(*at)->next;
    return at;
}

bool http_addresses_enter(struct http_addresses *t, const struct http_address *a, uint32_t max)
{
    pthread_mutex_lock(&t->lock);
    struct http_address_row **at = find_row(t, a);
    if (*at == NULL) {
        *at = mem_zero(1, sizeof **at);
        (*at)->address = *a;
    }
    bool may = (*at)->n < max;
    if (may)
        (*at)->n++;
    pthread_mutex_unlock(&t->lock);
    return may;
}

void http_addresses_leave(struct http_addresses *t, const struct http_address *a)
{
    pthread_mutex_lock(&t->lock);
    struct http_address_row **at = find_row(t, a), *row = *at;
    if (--row->n == 0) {
        *at = row->next;
        free(row);
    }
    pthread_mutex_unlock(&t->lock);
}

void http_address_of(const struct sockaddr_storage *from, struct http_address *out, char peer_out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

    *out = (struct http_address){0};
    peer_out[0] = '\0';
    if (from->ss_family == AF_INET) {
        out->bytes[0] = 4;
        memcpy(out->bytes + 1, &v4->sin_addr, 4);
        inet_ntop(AF_INET, &v4->sin_addr, peer_out, INET6_ADDRSTRLEN);
    } else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        out->bytes[0] = 4;
        memcpy(out->bytes + 1, v6->sin6_addr.s6_addr + 12, 4);
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, peer_out, INET6_ADDRSTRLEN);
    } else if (from->ss_family == AF_INET6) {
        out->bytes[0] = 6;
        memcpy(out->bytes + 1, v6->sin6_addr.s6_addr, 8);
        inet_ntop(AF_INET6, &v6->sin6_addr, peer_out, INET6_ADDRSTRLEN);
    }
}

/* ---- listening ---- */

static int parse_address(struct slice text, struct sockaddr_storage *to, socklen_t *len_out, struct err *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    char host[INET6_ADDRSTRLEN];
    uint64_t port;
    size_t colon = text.len;

    memset(to, 0, sizeof *to);
    while (colon != 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct slice name = slice_to(text, colon != 0 ? colon - 1 : 0), digits = slice_from(text, colon);
    bool bracketed = name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (bracketed)
        name = slice_n(name.ptr + 1, name.len - 2);
    if (colon == 0 || name.len == 0 || name.len >= sizeof host || !slice_u64(digits, &port) || port > 65535)
        return err_set(err, ERR_CONF_VALUE, "",
                       "\"" SLICE_FMT "\" is not an address and port, as in 127.0.0.1:6443 or [::1]:6443",
                       SLICE_ARG(text));
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    if (!bracketed && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len_out = sizeof *v4;
        return 0;
    }
    if (bracketed && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *len_out = sizeof *v6;
        return 0;
    }
    return err_set(err, ERR_CONF_VALUE, "", "\"" SLICE_FMT "\" is not a numeric address: names are not resolved here",
                   SLICE_ARG(text));
}

static int listen_error(struct slice address, int why, struct err *err)
{
    switch (why) {
    case EADDRINUSE:
        return err_set(err, ERR_PORT_IN_USE, "",
                       SLICE_FMT
                       " is in use by another program: stop it (\"ss -ltnp\" shows which), or listen elsewhere",
                       SLICE_ARG(address));
    case EADDRNOTAVAIL:
        return err_set(err, ERR_CONF_VALUE, "",
                       "this machine has no address " SLICE_FMT ": \"ip address\" shows those it has",
                       SLICE_ARG(address));
    case EACCES:
        return err_set(err, ERR_SYSTEM, "",
                       "not allowed to listen on " SLICE_FMT ": ports below 1024 need CAP_NET_BIND_SERVICE",
                       SLICE_ARG(address));
    default:
        return err_set(err, ERR_SYSTEM, "", "cannot listen on " SLICE_FMT ": %s", SLICE_ARG(address), strerror(why));
    }
}

int http_listen(struct slice address, int backlog, int *fd_out, uint16_t *port_out, struct err *err)
{
    struct sockaddr_storage at;
    socklen_t len;
    int one = 1;

    if (parse_address(address, &at, &len, err) != 0)
        return -1;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_error(address, errno, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* a restart need not wait for TIME_WAIT */
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        int why = errno;
        close(fd);
        return listen_error(address, why, err);
    }
    *port_out = ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port
                                              : ((struct sockaddr_in6 *)&at)->sin6_port);
    *fd_out = fd;
    return 0;
}

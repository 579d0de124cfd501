/* What init makes:

       DIR/tocsin.yaml          settings; written last: without it there is no hub
       DIR/keys/secret          what every pseudonym, seal and signature of the hub derives from
       DIR/keys/authority.key   signs certificates; with the keys, since core cannot read there (cmd/confine.c)
       DIR/tls/authority.pem    what members are given to know the hub by
       DIR/tls/members.pem      authorities whose client certificates are looked at: the hub's own to begin with
       DIR/tls/server.{pem,key} the hub's own certificate
       DIR/data/                what core writes */
#include "cmd/commands.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cmd/options.h"
#include "keys/keys.h"

enum { NAME_BYTES = 64, UUID_TEXT = 36 };
#define DAY_US          (INT64_C(86400) * 1000000)
#define AUTHORITY_DAYS  7300
#define SERVER_DAYS     1825
#define STANDARD_LISTEN "127.0.0.1:6443"

static const struct option_row rows[] = {
    {"name", "NAME", "Name of the hub, shown to its members.", OPTIONS_REQUIRED},
    {"country", "CC", "Country of the hub (ISO 3166-1 alpha-2).", OPTIONS_ONCE},
    {"listen", "ADDR:PORT", "Where the HTTPS server listens (" STANDARD_LISTEN ").", OPTIONS_ONCE},
    {"host", "NAME_OR_IP", "Name or address by which members reach the hub; the first one stands in its URL.",
     OPTIONS_REPEATED},
    {"json", NULL, "Tell what was made as JSON.", OPTIONS_ONCE},
};
static const struct option_command command = {"init",
                                              "DIR",
                                              1,
                                              1,
                                              "Makes the folder of a new hub: settings, keys and certificates.",
                                              rows,
                                              sizeof rows / sizeof rows[0]};

struct plan {
    const char *dir;
    struct slice name, id, country, listen, url;
    struct slice address, port; /* of listen; address without brackets */
    struct slice *hosts;        /* of the certificate */
    size_t n_hosts;
    int64_t now_us, authority_until_us, server_until_us;
    struct buf authority_cert, authority_key, server_cert, server_key;
    uint8_t pin[CRYPTO_HASH]; /* of the authority */
};

/* ---- what was asked for ---- */

static int split_listen(struct plan *p, struct err *err)
{
    const char *colon = memrchr(p->listen.ptr, ':', p->listen.len);
    uint64_t port;

    if (colon == NULL)
        return err_set(err, ERR_USAGE, "--listen", "--listen needs ADDR:PORT");
    p->address = slice_n(p->listen.ptr, (size_t)(colon - p->listen.ptr));
    p->port = slice_from(p->listen, p->address.len + 1);
    if (slice_starts(p->address, SLICE("[")) && slice_ends(p->address, SLICE("]")))
        p->address = slice_n(p->address.ptr + 1, p->address.len - 2);
    if (p->address.len == 0 || !slice_u64(p->port, &port) || port > UINT16_MAX)
        return err_set(err, ERR_USAGE, "--listen", "--listen needs ADDR:PORT");
    return 0;
}

static void add_host(struct plan *p, struct slice host)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        if (slice_eq_nocase(p->hosts[i], host))
            return;
    p->hosts[p->n_hosts++] = host;
}

/* The names asked for, and those by which the listening address is reached from this machine. */
static void choose_hosts(struct arena *a, struct plan *p, const struct options *o)
{
    struct slice *given;
    size_t n = options_all(a, o, "host", &given);
    bool everywhere = slice_eq(p->address, SLICE("0.0.0.0")) || slice_eq(p->address, SLICE("::"));
    bool loopback = slice_starts(p->address, SLICE("127.")) || slice_eq(p->address, SLICE("::1"));
    char own[256] = "";

    p->hosts = arena_array(a, struct slice, n + 3);
    for (size_t i = 0; i < n; i++)
        add_host(p, given[i]);
    if (everywhere && n == 0 && gethostname(own, sizeof own - 1) == 0 && own[0] != '\0')
        add_host(p, arena_copy(a, slice_of(own)));
    if (!everywhere)
        add_host(p, p->address);
    if (everywhere || loopback)
        add_host(p, SLICE("localhost"));
}

static bool is_country(struct slice c)
{
    return c.len == 2 && c.ptr[0] >= 'A' && c.ptr[0] <= 'Z' && c.ptr[1] >= 'A' && c.ptr[1] <= 'Z';
}

static int make_plan(struct arena *a, const struct options *o, struct plan *p, struct err *err)
{
    char id[UUID_TEXT];

    crypto_uuid_random(id);
    p->dir = o->operands[0].ptr;
    p->name = options_get(o, "name");
    p->id = arena_copy(a, slice_n(id, sizeof id));
    p->country = options_get_or(o, "country", "");
    p->listen = options_get_or(o, "listen", STANDARD_LISTEN);
    if (p->name.len == 0 || p->name.len > NAME_BYTES)
        return err_set(err, ERR_USAGE, "--name", "--name needs 1 to %d bytes", NAME_BYTES);
    if (p->country.len != 0 && !is_country(p->country))
        return err_set(err, ERR_USAGE, "--country", "--country needs two capital letters (ISO 3166-1 alpha-2)");
    if (split_listen(p, err) != 0)
        return -1;
    choose_hosts(a, p, o);
    bool v6 = slice_find(p->hosts[0], SLICE(":")) < p->hosts[0].len;
    if (slice_eq(p->port, SLICE("0"))) /* any free port: known only when the hub runs */
        p->url = SLICE("");
    else
        p->url = arena_printf(a, "https://%s" SLICE_FMT "%s:" SLICE_FMT, v6 ? "[" : "", SLICE_ARG(p->hosts[0]),
                              v6 ? "]" : "", SLICE_ARG(p->port));
    return 0;
}

/* Not the hub's name in both: a certificate whose subject is its issuer's would pass for self-signed. */
static int make_certificates(struct plan *p, struct err *err)
{
    p->now_us = time_now_us();
    p->authority_until_us = p->now_us + AUTHORITY_DAYS * DAY_US;
    p->server_until_us = p->now_us + SERVER_DAYS * DAY_US;
    /* from yesterday: a member's clock may be behind */
    struct crypto_cert_ask authority = {
        p->name, NULL, 0, p->now_us - DAY_US, p->authority_until_us, CRYPTO_CERT_AUTHORITY};
    struct crypto_cert_ask server = {p->id,           p->hosts, p->n_hosts, p->now_us - DAY_US, p->server_until_us,
                                     CRYPTO_CERT_BOTH};

    if (crypto_cert_make(&authority, slice_n(NULL, 0), slice_n(NULL, 0), &p->authority_cert, &p->authority_key, err) !=
            0 ||
        crypto_cert_make(&server, buf_slice(&p->authority_cert), buf_slice(&p->authority_key), &p->server_cert,
                         &p->server_key, err) != 0)
        return -1;
    return crypto_cert_pin(buf_slice(&p->authority_cert), p->pin, err);
}

/* ---- on disk ---- */

/* A folder that a package or an operator has made for it is fine; one with anything in it is somebody's. */
static int take_dir(const char *path, struct err *err)
{
    if (file_make_dir(path, 0700, err) != 0)
        return -1;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    bool empty = true;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(dir);
    return empty ? 0 : err_set(err, ERR_SYSTEM, path, "there is something in this folder already: nothing was touched");
}

/* A JSON string is a YAML double-quoted scalar. */
static void put_setting(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, "%s: ", name);
    json_put_string(out, value);
    buf_put_byte(out, '\n');
}

static void put_settings(const struct plan *p, struct buf *out)
{
    buf_put(out, SLICE("# Settings of this hub; those not named here have their defaults.\n"));
    put_setting(out, "name", p->name);
    put_setting(out, "id", p->id);
    if (p->country.len != 0)
        put_setting(out, "country", p->country);
    put_setting(out, "listen", p->listen);
    if (p->url.len != 0)
        put_setting(out, "url", p->url);
}

static int write_hub(struct arena *a, const struct plan *p, struct err *err)
{
    struct buf settings = BUF_INIT;

    put_settings(p, &settings);
    const char *keys = file_join(a, p->dir, "keys").ptr;
    int status = take_dir(p->dir, err);
    for (size_t i = 0; status == 0 && i < 3; i++)
        status = file_make_dir(file_join(a, p->dir, (const char *const[]){"keys", "tls", "data"}[i]).ptr, 0700, err);
    if (status == 0)
        status = keys_make(keys, err);
    const struct {
        const char *name;
        struct slice text;
        int mode;
    } files[] = {
        {"keys/authority.key", buf_slice(&p->authority_key), 0600},
        {"tls/authority.pem", buf_slice(&p->authority_cert), 0644},
        {"tls/members.pem", buf_slice(&p->authority_cert), 0644},
        {"tls/server.key", buf_slice(&p->server_key), 0600},
        {"tls/server.pem", buf_slice(&p->server_cert), 0644},
        {"tocsin.yaml", buf_slice(&settings), 0600},
    };
    for (size_t i = 0; status == 0 && i < sizeof files / sizeof files[0]; i++)
        status = file_write_atomic(file_join(a, p->dir, files[i].name).ptr, files[i].text, files[i].mode, err);
    buf_free(&settings);
    return status;
}

/* ---- what was made ---- */

static void put_as_json(const struct plan *p, struct buf *out)
{
    char until[TIME_TEXT];
    struct buf pin = BUF_INIT;

    json_put_open(out, '{');
    json_put_text(out, "dir", slice_of(p->dir));
    json_put_text(out, "name", p->name);
    json_put_text(out, "id", p->id);
    json_put_text(out, "country", p->country);
    json_put_text(out, "listen", p->listen);
    json_put_text(out, "url", p->url);
    json_put_key(out, SLICE("hosts"));
    json_put_open(out, '[');
    for (size_t i = 0; i < p->n_hosts; i++)
        json_put_string(out, p->hosts[i]);
    json_put_close(out, ']');
    crypto_put_hex(&pin, p->pin, sizeof p->pin);
    json_put_text(out, "authority_pin", buf_slice(&pin));
    time_put(until, p->authority_until_us);
    json_put_text(out, "authority_until", slice_n(until, sizeof until));
    time_put(until, p->server_until_us);
    json_put_text(out, "server_until", slice_n(until, sizeof until));
    json_put_close(out, '}');
    buf_put_byte(out, '\n');
    buf_free(&pin);
}

static void put_as_text(const struct plan *p, struct buf *out)
{
    char authority[TIME_TEXT], server[TIME_TEXT];

    time_put(authority, p->authority_until_us);
    time_put(server, p->server_until_us);
    buf_printf(out, "Made the hub \"" SLICE_FMT "\" in %s:\n", SLICE_ARG(p->name), p->dir);
    buf_put(
        out,
        SLICE(
            "  tocsin.yaml         settings\n"
            "  keys/               its secrets: keep a copy apart; what they sealed cannot be opened without them\n"));
    buf_printf(out,
               "  tls/authority.pem   for members to know the hub by, until %.10s; SHA-256 of its public key:\n        "
               "              ",
               authority);
    crypto_put_hex(out, p->pin, sizeof p->pin);
    buf_printf(out, "\n  tls/server.pem      until %.10s, for", server);
    for (size_t i = 0; i < p->n_hosts; i++)
        buf_printf(out, "%s " SLICE_FMT, i != 0 ? "," : "", SLICE_ARG(p->hosts[i]));
    buf_printf(out, "\n  data/               what it will hold\n\nNext: tocsin hub %s\n", p->dir);
}

static int run(struct arena *a, const struct options *o, struct plan *p, struct err *err)
{
    struct buf told = BUF_INIT;

    /* Everything that may be refused comes before the first thing is written. */
    if (crypto_start(err) != 0 || make_plan(a, o, p, err) != 0 || make_certificates(p, err) != 0 ||
        write_hub(a, p, err) != 0)
        return -1;
    if (options_has(o, "json"))
        put_as_json(p, &told);
    else
        put_as_text(p, &told);
    fwrite(told.ptr, 1, told.len, stdout);
    buf_free(&told);
    return 0;
}

static void plan_free(struct plan *p)
{
    if (p->authority_key.ptr != NULL)
        crypto_wipe(p->authority_key.ptr, p->authority_key.len);
    if (p->server_key.ptr != NULL)
        crypto_wipe(p->server_key.ptr, p->server_key.len);
    buf_free(&p->authority_cert);
    buf_free(&p->authority_key);
    buf_free(&p->server_cert);
    buf_free(&p->server_key);
}

int cmd_init(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct plan plan = {0};
    struct err err = ERR_INIT;
    int status = EXIT_SUCCESS;

    if (options_begin(&a, &command, argc, argv, &o, &status) && run(&a, &o, &plan, &err) != 0)
        status = options_fail(&command, &err);
    plan_free(&plan);
    arena_free(&a);
    return status;
}

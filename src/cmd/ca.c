/* cmd/ca.c: `tocsin ca`: an authority that is kept offline, for a hub's own certificate, for the authority that the hub
   issues members' certificates with, and for members'. */
#include "cmd/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cmd/commands.h"
#include "cmd/options.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PASSPHRASE_MAX = 1024, DAYS_MAX = 36500 };
#define DAY_US (INT64_C(86400) * 1000000)

static const struct option_row rows[] = {
    {"name", "NAME", "name in the certificate: of the authority (init), the hub or the member (issue)", OPTIONS_ONCE},
    {"profile", "WORD", "issue: hub (a server), member (a client), issuer (an authority that signs members)",
     OPTIONS_ONCE},
    {"host", "NAME_OR_IP", "issue: by which the hub is reached; of a member optional", OPTIONS_REPEATED},
    {"csr", "FILE", "issue, renew: sign this request (PKCS #10, PEM); without it a key is made too", OPTIONS_ONCE},
    {"cert", "FILE", "ocsp: the certificate that the response is about", OPTIONS_ONCE},
    {"days", "N", "how long it lasts: authority 7300, issuer 1825, hub 397, member 365, list 30, response 7",
     OPTIONS_ONCE},
    {"out", "PATH", "issue, renew: writes PATH.pem and PATH.key; crl, ocsp: the file", OPTIONS_ONCE},
    {"passphrase-file", "FILE", "its first line opens the authority's key", OPTIONS_ONCE},
    {"passphrase-fd", "N", "the same from an open descriptor", OPTIONS_ONCE},
    {"passphrase-env", "NAME", "the same from a variable of the environment", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "ca",
    "init DIR | issue DIR | list DIR | renew DIR SERIAL | revoke DIR SERIAL_OR_NAME | crl DIR | ocsp DIR",
    2,
    3,
    "Keeps an authority in a directory of its own, on a machine of its own: makes it, signs certificates of hubs and "
    "members,\nrevokes them, and makes the files that a hub reads: revocation lists and OCSP responses.\n\n"
    "Example: tocsin ca init root --name \"Harbour root\" --passphrase-file pass\n"
    "         tocsin ca issue root --profile hub --name hub-a --host hub.example --out server --passphrase-file pass\n"
    "         tocsin ca revoke root bank && tocsin ca crl root --out /var/lib/tocsin/hub-a/tls/crl.pem "
    "--passphrase-file pass",
    rows,
    sizeof rows / sizeof rows[0]};

struct profile {
    const char *name;
    enum crypto_cert_kind kind;
    int64_t days;
};
static const struct profile profiles[] = {
    {"hub", CRYPTO_CERT_SERVER, 397},
    {"member", CRYPTO_CERT_CLIENT, 365},
    {"issuer", CRYPTO_CERT_AUTHORITY, 1825},
    {"hub and member", CRYPTO_CERT_BOTH, 397}, /* of tocsin init; not offered */
};
enum { PROFILES_OFFERED = 3 };

/* What one call works with. */
struct call {
    struct arena *a;
    const struct options *o;
    struct ca ca;
    struct buf out; /* what is printed */
    int64_t now_us;
};

/* ---- what was asked for ---- */

static int days(const struct call *c, int64_t standard, int64_t *us_out, struct err *err)
{
    struct slice text = options_get(c->o, "days");
    uint64_t n = (uint64_t)standard;

    if (text.ptr != NULL && (!slice_u64(text, &n) || n == 0 || n > DAYS_MAX))
        return err_set(err, ERR_USAGE, "--days", "--days needs a number from 1 to %d", DAYS_MAX);
    *us_out = (int64_t)n * DAY_US;
    return 0;
}

static int needed(const struct call *c, const char *option, struct slice *value_out, struct err *err)
{
    *value_out = options_get(c->o, option);
    if (value_out->ptr == NULL || value_out->len == 0)
        return err_set(err, ERR_USAGE, option, "--%s is needed for ca " SLICE_FMT, option,
                       SLICE_ARG(c->o->operands[0]));
    return 0;
}

static int read_fd(struct call *c, struct slice number, struct slice *out, struct err *err)
{
    char text[PASSPHRASE_MAX];
    uint64_t fd;
    size_t len = 0;
    ssize_t n;

    if (!slice_u64(number, &fd) || fd > INT32_MAX)
        return err_set(err, ERR_USAGE, "--passphrase-fd", "--passphrase-fd needs the number of an open descriptor");
    while (len < sizeof text && (n = read((int)fd, text + len, sizeof text - len)) > 0)
        len += (size_t)n;
    *out = arena_copy(c->a, slice_n(text, len));
    crypto_wipe(text, sizeof text);
    return 0;
}

/* {NULL, 0}: none was given. */
static int passphrase(struct call *c, struct slice *out, struct err *err)
{
    struct slice file = options_get(c->o, "passphrase-file"), fd = options_get(c->o, "passphrase-fd"),
                 variable = options_get(c->o, "passphrase-env"), text = {NULL, 0};

    *out = text;
    if ((file.ptr != NULL) + (fd.ptr != NULL) + (variable.ptr != NULL) > 1)
        return err_set(err, ERR_USAGE, "--passphrase-file", "one source of the passphrase, not several");
    if (file.ptr != NULL && file_read(c->a, file.ptr, PASSPHRASE_MAX, &text, err) != 0)
        return -1;
    if (fd.ptr != NULL && read_fd(c, fd, &text, err) != 0)
        return -1;
    if (variable.ptr != NULL)
        text = slice_of(getenv(variable.ptr));
    if (file.ptr == NULL && fd.ptr == NULL && variable.ptr == NULL)
        return 0;
    struct slice rest = text;
    if (text.ptr == NULL || !slice_cut(&rest, '\n', out) || out->len == 0)
        return err_set(err, ERR_USAGE, "--passphrase-file", "the passphrase is empty");
    return 0;
}

static int unlock(struct call *c, struct err *err)
{
    struct slice phrase;

    if (passphrase(c, &phrase, err) != 0)
        return -1;
    if (phrase.ptr == NULL && ca_is_locked(c->a, &c->ca))
        return err_set(err, ERR_USAGE, "--passphrase-file",
                       "this authority's key is under a passphrase: give --passphrase-file, -fd or -env");
    return ca_unlock(c->a, &c->ca, phrase, err);
}

/* ---- telling ---- */

static const char *profile_of(const struct crypto_cert *told)
{
    if (told->authority)
        return profiles[2].name;
    return told->server && told->client ? profiles[3].name : told->server ? profiles[0].name : profiles[1].name;
}

static void put_row(struct buf *out, const struct ca_issued *row)
{
    char text[TIME_TEXT];
    struct buf hex = BUF_INIT;

    json_put_open(out, '{');
    json_put_text(out, "serial", row->told.serial);
    json_put_text(out, "name", row->told.common_name);
    json_put_text(out, "profile", slice_of(profile_of(&row->told)));
    crypto_put_hex(&hex, row->told.fingerprint, CRYPTO_HASH);
    json_put_text(out, "fingerprint", buf_slice(&hex));
    time_put(text, row->told.until_us);
    json_put_text(out, "until", slice_n(text, sizeof text));
    if (row->revoked_us != 0) {
        time_put(text, row->revoked_us);
        json_put_text(out, "revoked", slice_n(text, sizeof text));
    }
    json_put_close(out, '}');
    buf_free(&hex);
}

/* ---- the verbs ---- */

static int run_init(struct call *c, struct err *err)
{
    struct crypto_cert_ask ask = {.from_us = c->now_us - DAY_US, .kind = CRYPTO_CERT_ROOT};
    struct slice phrase;
    const char *dir = c->o->operands[1].ptr;
    int64_t lasts;

    if (needed(c, "name", &ask.name, err) != 0 || days(c, 7300, &lasts, err) != 0 || passphrase(c, &phrase, err) != 0)
        return -1;
    ask.until_us = c->now_us + lasts;
    if (ca_make(c->a, dir, &ask, phrase, err) != 0 || ca_open(c->a, dir, &c->ca, err) != 0)
        return -1;
    if (phrase.ptr == NULL)
        fprintf(stderr,
                "tocsin ca: warning: %s/ca.key is not under a passphrase: whoever copies it is this authority\n", dir);
    char until[TIME_TEXT];
    uint8_t pin[CRYPTO_HASH];
    struct buf hex = BUF_INIT;
    time_put(until, ask.until_us);
    crypto_cert_pin(c->ca.cert, pin, NULL);
    crypto_put_hex(&hex, pin, sizeof pin);
    if (options_has(c->o, "json")) {
        json_put_open(&c->out, '{');
        json_put_text(&c->out, "dir", slice_of(dir));
        json_put_text(&c->out, "pin", buf_slice(&hex));
        json_put_text(&c->out, "until", slice_n(until, sizeof until));
        json_put_close(&c->out, '}');
        buf_put_byte(&c->out, '\n');
    } else {
        buf_printf(&c->out,
                   "Made the authority \"" SLICE_FMT "\" in %s, until %.10s. SHA-256 of its public key:\n  " SLICE_FMT
                   "\n",
                   SLICE_ARG(ask.name), dir, until, SLICE_ARG(buf_slice(&hex)));
    }
    buf_free(&hex);
    return 0;
}

static int write_pair(struct call *c, struct slice out, const struct buf *cert, const struct buf *key, struct err *err)
{
    struct slice pem = arena_printf(c->a, SLICE_FMT ".pem", SLICE_ARG(out)),
                 secret = arena_printf(c->a, SLICE_FMT ".key", SLICE_ARG(out));

    if (key->len != 0 && file_write_atomic(secret.ptr, buf_slice(key), 0600, err) != 0)
        return -1;
    return file_write_atomic(pem.ptr, buf_slice(cert), 0644, err);
}

/* A key that somebody uses is not written over by one that was made for something else. */
static int check_free(struct call *c, struct slice out, bool with_key, struct err *err)
{
    static const char *const endings[] = {".pem", ".key"};

    for (size_t i = 0; i < (with_key ? 2 : 1); i++) {
        struct slice path = arena_printf(c->a, SLICE_FMT "%s", SLICE_ARG(out), endings[i]);
        if (file_exists(path.ptr))
            return err_set(err, ERR_SYSTEM, path.ptr, "is there already: nothing was signed");
    }
    return 0;
}

static int issue(struct call *c, const struct crypto_cert_ask *ask, struct err *err)
{
    struct slice out, csr = SLICE(""), csr_file = options_get(c->o, "csr");
    struct buf cert = BUF_INIT, key = BUF_INIT;
    struct ca_issued row = {0};
    int status = -1;

    if (needed(c, "out", &out, err) != 0 || check_free(c, out, csr_file.ptr == NULL, err) != 0 ||
        (csr_file.ptr != NULL && file_read(c->a, csr_file.ptr, FILE_BYTES_MAX, &csr, err) != 0) || unlock(c, err) != 0)
        return -1;
    if (ca_issue(c->a, &c->ca, ask, csr, &cert, &key, &row.told, err) == 0)
        status = write_pair(c, out, &cert, &key, err);
    if (key.ptr != NULL)
        crypto_wipe(key.ptr, key.len);
    if (status == 0 && options_has(c->o, "json")) {
        put_row(&c->out, &row);
        buf_put_byte(&c->out, '\n');
    } else if (status == 0) {
        char until[TIME_TEXT];
        time_put(until, row.told.until_us);
        buf_printf(&c->out, "Signed " SLICE_FMT " (%s) until %.10s: " SLICE_FMT ".pem%s\n  serial " SLICE_FMT "\n",
                   SLICE_ARG(row.told.common_name), profile_of(&row.told), until, SLICE_ARG(out),
                   key.len != 0 ? " and .key" : "", SLICE_ARG(row.told.serial));
    }
    buf_free(&cert);
    buf_free(&key);
    return status;
}

static int run_issue(struct call *c, struct err *err)
{
    struct crypto_cert_ask ask = {.from_us = c->now_us - DAY_US};
    struct slice *hosts, word;
    const struct profile *profile = NULL;
    int64_t lasts;

    if (needed(c, "profile", &word, err) != 0 || needed(c, "name", &ask.name, err) != 0)
        return -1;
    for (size_t i = 0; i < PROFILES_OFFERED; i++)
        if (slice_eq(word, slice_of(profiles[i].name)))
            profile = &profiles[i];
    if (profile == NULL)
        return err_set(err, ERR_USAGE, "--profile", "--profile is hub, member or issuer");
    ask.n_hosts = options_all(c->a, c->o, "host", &hosts);
    ask.hosts = hosts;
    ask.kind = profile->kind;
    if (profile->kind == CRYPTO_CERT_SERVER && ask.n_hosts == 0)
        return err_set(err, ERR_USAGE, "--host",
                       "a hub's certificate needs --host: clients compare the name they dial");
    if (days(c, profile->days, &lasts, err) != 0)
        return -1;
    ask.until_us = c->now_us + lasts;
    return issue(c, &ask, err);
}

static int find(struct call *c, struct slice wanted, struct ca_issued **list_out, size_t *n_out, struct err *err)
{
    struct ca_issued *all;
    size_t n;

    if (ca_list(c->a, &c->ca, &all, &n, err) != 0)
        return -1;
    *list_out = all;
    *n_out = 0;
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(all[i].told.serial, wanted) || slice_eq(all[i].told.common_name, wanted))
            all[(*n_out)++] = all[i];
    return *n_out != 0 ? 0
                       : err_set(err, ERR_NOT_FOUND, c->ca.dir,
                                 "this authority has signed nothing with the serial number or the name " SLICE_FMT,
                                 SLICE_ARG(wanted));
}

/* "DNS:hub.example" as --host takes it. */
static size_t hosts_of(struct call *c, const struct crypto_cert *told, struct slice **hosts_out)
{
    size_t n = 0;

    *hosts_out = arena_array(c->a, struct slice, told->n_names + 1);
    for (size_t i = 0; i < told->n_names; i++)
        if (slice_starts(told->names[i], SLICE("DNS:")) || slice_starts(told->names[i], SLICE("IP:")))
            (*hosts_out)[n++] = slice_from(told->names[i], slice_find(told->names[i], SLICE(":")) + 1);
    return n;
}

static int run_renew(struct call *c, struct err *err)
{
    struct ca_issued *old;
    struct slice *hosts;
    size_t n;
    int64_t lasts;

    if (find(c, c->o->operands[2], &old, &n, err) != 0)
        return -1;
    const struct crypto_cert *told = &old[n - 1].told; /* the one that lasts longest */
    size_t at = told->authority ? 2 : told->server && told->client ? 3 : told->server ? 0 : 1;
    if (days(c, profiles[at].days, &lasts, err) != 0)
        return -1;
    struct crypto_cert_ask ask = {.name = told->common_name,
                                  .n_hosts = hosts_of(c, told, &hosts),
                                  .from_us = c->now_us - DAY_US,
                                  .until_us = c->now_us + lasts,
                                  .kind = profiles[at].kind};
    ask.hosts = hosts;
    return issue(c, &ask, err);
}

static int run_list(struct call *c, struct err *err)
{
    struct ca_issued *all;
    size_t n;
    char until[TIME_TEXT];

    if (ca_list(c->a, &c->ca, &all, &n, err) != 0)
        return -1;
    if (options_has(c->o, "json")) {
        json_put_open(&c->out, '[');
        for (size_t i = 0; i < n; i++)
            put_row(&c->out, &all[i]);
        json_put_close(&c->out, ']');
        buf_put_byte(&c->out, '\n');
        return 0;
    }
    buf_printf(&c->out, "%-33s %-8s %-11s %-9s %s\n", "serial", "profile", "until", "state", "name");
    for (size_t i = 0; i < n; i++) {
        const char *state = all[i].revoked_us != 0 ? "revoked" : all[i].told.until_us < c->now_us ? "expired" : "good";
        time_put(until, all[i].told.until_us);
        buf_printf(&c->out, "%-33.*s %-8s %-11.10s %-9s " SLICE_FMT "\n", SLICE_ARG(all[i].told.serial),
                   profile_of(&all[i].told), until, state, SLICE_ARG(all[i].told.common_name));
    }
    return 0;
}

static int run_revoke(struct call *c, struct err *err)
{
    struct ca_issued *found;
    size_t n;
    bool json = options_has(c->o, "json");

    if (find(c, c->o->operands[2], &found, &n, err) != 0)
        return -1;
    if (json)
        json_put_open(&c->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (ca_revoke(c->a, &c->ca, found[i].told.serial, c->now_us, err) != 0)
            return -1;
        if (found[i].revoked_us == 0)
            found[i].revoked_us = c->now_us;
        if (json)
            put_row(&c->out, &found[i]);
        else
            buf_printf(&c->out, "Revoked " SLICE_FMT ", serial " SLICE_FMT "\n", SLICE_ARG(found[i].told.common_name),
                       SLICE_ARG(found[i].told.serial));
    }
    if (json) {
        json_put_close(&c->out, ']');
        buf_put_byte(&c->out, '\n');
    } else {
        buf_printf(&c->out, "Hubs know it when they have the new list: tocsin ca crl %s --out HUB/tls/crl.pem\n",
                   c->ca.dir);
    }
    return 0;
}

static int run_crl(struct call *c, struct err *err)
{
    struct slice out = options_get(c->o, "out"), pem;
    int64_t lasts;
    size_t n;

    if (days(c, 30, &lasts, err) != 0 || unlock(c, err) != 0 ||
        ca_write_list(c->a, &c->ca, c->now_us + lasts, &pem, &n, err) != 0)
        return -1;
    if (out.ptr != NULL && file_write_atomic(out.ptr, pem, 0644, err) != 0)
        return -1;
    if (options_has(c->o, "json"))
        buf_printf(&c->out, "{\"revoked\":%zu}\n", n);
    else
        buf_printf(&c->out, "Wrote a list of %zu revoked certificates to %s; make the next one within %lld days\n", n,
                   out.ptr != NULL ? out.ptr : file_join(c->a, c->ca.dir, "crl.pem").ptr, (long long)(lasts / DAY_US));
    return 0;
}

/* Good only for what this authority knows as its own and has not revoked. */
static int run_ocsp(struct call *c, struct err *err)
{
    struct slice file, out, pem;
    struct crypto_cert told;
    struct ca_issued *found;
    struct buf response = BUF_INIT;
    size_t n;
    int64_t lasts;

    if (needed(c, "cert", &file, err) != 0 || needed(c, "out", &out, err) != 0 || days(c, 7, &lasts, err) != 0 ||
        file_read(c->a, file.ptr, FILE_BYTES_MAX, &pem, err) != 0 || crypto_cert_read(c->a, pem, &told, err) != 0 ||
        find(c, told.serial, &found, &n, err) != 0 || unlock(c, err) != 0)
        return -1;
    int status = crypto_ocsp_make(pem, found[0].revoked_us, c->now_us, c->now_us + lasts, c->ca.cert,
                                  buf_slice(&c->ca.key), &response, err);
    if (status == 0)
        status = file_write_atomic(out.ptr, buf_slice(&response), 0644, err);
    buf_free(&response);
    const char *state = found[0].revoked_us != 0 ? "revoked" : "good";
    if (status == 0 && options_has(c->o, "json"))
        buf_printf(&c->out, "{\"status\":\"%s\"}\n", state);
    else if (status == 0)
        buf_printf(&c->out, "Wrote a response \"%s\" for " SLICE_FMT " to %s; make the next one within %lld days\n",
                   state, SLICE_ARG(told.common_name), out.ptr, (long long)(lasts / DAY_US));
    return status;
}

static const struct {
    const char *name;
    size_t operands; /* with the verb */
    bool opens;
    int (*run)(struct call *c, struct err *err);
} verbs[] = {
    {"init", 2, false, run_init},  {"issue", 2, true, run_issue},   {"list", 2, true, run_list},
    {"renew", 3, true, run_renew}, {"revoke", 3, true, run_revoke}, {"crl", 2, true, run_crl},
    {"ocsp", 2, true, run_ocsp},
};

static int run(struct call *c, struct err *err)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (!slice_eq(c->o->operands[0], slice_of(verbs[i].name)) || c->o->n_operands != verbs[i].operands)
            continue;
        if (verbs[i].opens && ca_open(c->a, c->o->operands[1].ptr, &c->ca, err) != 0)
            return -1;
        return verbs[i].run(c, err);
    }
    return err_set(err, ERR_USAGE, "", "tocsin ca %s", command.operands);
}

int cmd_ca(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct err err = ERR_INIT;
    struct call c = {.a = &a, .o = &o, .out = BUF_INIT, .now_us = time_now_us()};
    int status = STATUS_DONE;

    if (options_begin(&a, &command, argc, argv, &o, &status)) {
        if (crypto_start(&err) != 0 || run(&c, &err) != 0)
            status = options_fail(&command, &err);
        else
            fwrite(c.out.ptr, 1, c.out.len, stdout);
    }
    ca_close(&c.ca);
    buf_free(&c.out);
    arena_free(&a);
    return status;
}

/* cmd/enrol.c: `tocsin enrol`: the member's side of an invitation. The key is made here and stays here. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto_cert.h"
#include "base/time.h"
#include "cmd/admin.h"
#include "cmd/commands.h"
#include "taxii/taxii.h"

static const struct option_row rows[] = {
    {"code", "CODE", "what the hub's operator gave (tocsin member invite)", OPTIONS_REQUIRED},
    {"pin", "HEX", "SHA-256 of the hub's public key, given beside the code", OPTIONS_REQUIRED},
    {"out", "FILE", "client file to write; key and certificate are written beside it, in FILE's name with .pem",
     OPTIONS_REQUIRED},
    {"root", "NAME", "the hub's API root (tocsin)", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "enrol",
    "URL",
    1,
    1,
    "Makes a key that never leaves this machine, has the hub sign it by a one-time code, and writes a client file that "
    "works with it.\nA sensor that uses the file renews the certificate by itself, 30 days before it ends.\n\n"
    "Example: tocsin enrol https://hub.example:6443 --code 7QJ2-V0XK-9M4T-3RWE --pin 4f...c1 --out bank.yaml",
    rows,
    sizeof rows / sizeof rows[0]};

struct enrolment {
    struct slice url, root, file, pem; /* pem: absolute, since a sensor may run elsewhere */
    struct buf key;
    struct json answer;
};

static int choose_files(struct arena *a, const struct options *o, struct enrolment *e, struct err *err)
{
    struct slice out = options_get(o, "out"), stem = out, folder = SLICE("."), name;
    char real[PATH_MAX];

    if (slice_ends(stem, SLICE(".yaml")))
        stem.len -= 5;
    const char *slash = memrchr(stem.ptr, '/', stem.len);
    name = stem;
    if (slash != NULL) {
        folder = arena_copy(a, slice_n(stem.ptr, slash == stem.ptr ? 1 : (size_t)(slash - stem.ptr)));
        name = slice_from(stem, (size_t)(slash - stem.ptr) + 1);
    }
    if (name.len == 0 || realpath(folder.ptr, real) == NULL)
        return err_set(err, ERR_USAGE, "--out", "--out needs the name of a file in a folder that is there");
    e->file = arena_copy(a, out);
    e->pem = arena_printf(a, "%s/" SLICE_FMT ".pem", real, SLICE_ARG(name));
    if (file_exists(e->file.ptr) || file_exists(e->pem.ptr)) /* the key in it may be in use */
        return err_set(err, ERR_SYSTEM, file_exists(e->pem.ptr) ? e->pem.ptr : e->file.ptr,
                       "is there already: nothing was asked for");
    return 0;
}

static int ask(struct arena *a, const struct options *o, struct enrolment *e, struct err *err)
{
    struct taxii_client_conf conf = {.http = {.url = e->url, .pin = options_get(o, "pin"), .known_peer = true},
                                     .root = e->root};
    struct taxii_client *client;
    struct buf csr = BUF_INIT;

    if (crypto_csr_make(SLICE("member"), &csr, &e->key, err) != 0)
        return -1;
    int status = taxii_client_open(&conf, &client, err);
    if (status == 0) {
        status = taxii_certify(client, a, options_get(o, "code"), buf_slice(&csr), &e->answer, err);
        taxii_client_close(&client);
    }
    buf_free(&csr);
    return status;
}

static int write_files(struct arena *a, struct enrolment *e, struct err *err)
{
    struct slice cert = json_string(a, json_get(e->answer, SLICE("certificate"))),
                 member = json_string(a, json_get(e->answer, SLICE("member")));
    struct buf pem = BUF_INIT, out = BUF_INIT;

    if (!crypto_cert_fits(cert, buf_slice(&e->key)))
        return err_set(err, ERR_PEER, "", "the hub answered with a certificate for another key");
    buf_put(&pem, buf_slice(&e->key));
    buf_put(&pem, cert);
    buf_printf(&out,
               "# Tocsin client file of " SLICE_FMT "; its key is in the file that key names. Keep both secret.\n",
               SLICE_ARG(member));
    admin_put_line(&out, "url", e->url);
    admin_put_line(&out, "cert", e->pem);
    admin_put_line(&out, "key", e->pem);
    admin_put_line(&out, "root", e->root);
    admin_put_line(&out, "collection", json_string(a, json_get(e->answer, SLICE("collection"))));
    admin_put_line(&out, "ca", json_string(a, json_get(e->answer, SLICE("ca"))));
    int status = file_write_atomic(e->pem.ptr, buf_slice(&pem), 0600, err);
    if (status == 0)
        status = file_write_atomic(e->file.ptr, buf_slice(&out), 0600, err);
    crypto_wipe(pem.ptr, pem.len);
    buf_free(&pem);
    buf_free(&out);
    return status;
}

static void tell(struct arena *a, const struct options *o, const struct enrolment *e)
{
    struct slice member = json_string(a, json_get(e->answer, SLICE("member"))),
                 until = json_string(a, json_get(e->answer, SLICE("until")));
    struct buf out = BUF_INIT;

    if (options_has(o, "json")) {
        json_put_open(&out, '{');
        json_put_text(&out, "member", member);
        json_put_text(&out, "until", until);
        json_put_text(&out, "client_file", e->file);
        json_put_text(&out, "certificate", e->pem);
        json_put_close(&out, '}');
    } else {
        buf_printf(
            &out, "Enrolled as " SLICE_FMT ", until %.10s. Client file: " SLICE_FMT "; key and certificate: " SLICE_FMT,
            SLICE_ARG(member), until.ptr, SLICE_ARG(e->file), SLICE_ARG(e->pem));
    }
    printf(SLICE_FMT "\n", (int)out.len, out.ptr);
    buf_free(&out);
}

int cmd_enrol(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct enrolment e = {.key = BUF_INIT};
    struct options o;
    struct err err = ERR_INIT;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    e.url = o.operands[0];
    e.root = options_get_or(&o, "root", "tocsin");
    if (choose_files(&a, &o, &e, &err) != 0)
        return options_fail(&command, &err);
    int result = ask(&a, &o, &e, &err) != 0 || write_files(&a, &e, &err) != 0 ? -1 : 0;
    if (e.key.ptr != NULL)
        crypto_wipe(e.key.ptr, e.key.len);
    buf_free(&e.key);
    if (result != 0)
        return options_fail(&command, &err);
    tell(&a, &o, &e);
    return STATUS_DONE;
}

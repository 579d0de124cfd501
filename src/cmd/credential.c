#include <stdio.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/time.h"
#include "cmd/admin.h"
#include "cmd/commands.h"

enum { CERTIFICATE_MAX = 1 << 20 };

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"kind", "KIND",
     "token (the standard: for Bearer, Token, X-API-Key, or in a password's place), password, certificate",
     OPTIONS_ONCE},
    {"certificate", "FILE", "with add: this client certificate (PEM), by its SHA-256; a renewed one is another",
     OPTIONS_ONCE},
    {"subject", "NAME", "with add: whatever certificate bears this subject, \"CN=bank,O=Example\"; it may be renewed",
     OPTIONS_ONCE},
    {"read-only", NULL, "it may read, and neither submit nor delete", OPTIONS_ONCE},
    {"retract-only", NULL, "it may delete what its member submitted, and nothing else: for one who leaves",
     OPTIONS_ONCE},
    {"all-rights", NULL, "with change: whatever its member may", OPTIONS_ONCE},
    {"from", "NETWORK", "good from there only: 192.0.2.0/24, 2001:db8::/32, an address", OPTIONS_REPEATED},
    {"from-anywhere", NULL, "with change: without such a list", OPTIONS_ONCE},
    {"expires", "DURATION", "after so long, such as 90d or 12h; never (the standard)", OPTIONS_ONCE},
    {"requests", "N", "most requests a minute; 0: what the hub's settings say", OPTIONS_ONCE},
    {"objects", "N", "most objects sent and read a minute; 0: what the hub's settings say", OPTIONS_ONCE},
    {"out", "FILE", "with add: write a client file that works with it, instead of printing the secret", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "member credential",
    "add MEMBER NAME | change MEMBER NAME | remove MEMBER NAME | list [MEMBER]",
    1,
    3,
    "Credentials of the members of a running hub. A secret is shown once, and kept nowhere in plain. What is changed\n"
    "or removed holds at once: for requests, streams, and tokens issued for it. The password that tocsin member add\n"
    "made is the credential named \"password\".\n\n"
    "Example: tocsin member credential add bank siem --hub hub-a --read-only --from 192.0.2.0/24 --expires 90d",
    rows,
    sizeof rows / sizeof rows[0]};

static int put_expiry(const struct options *o, struct buf *row, struct err *err)
{
    struct slice text = options_get(o, "expires");
    int64_t us = INT64_MAX;

    if (text.ptr == NULL)
        return 0;
    if (!slice_eq(text, SLICE("never"))) {
        if (!time_parse_duration(text, &us) || us <= 0)
            return err_set(err, ERR_USAGE, "--expires", "a duration such as 90d or 12h, or never");
        us += time_now_us();
    }
    json_put_number(row, "until_us", us);
    return 0;
}

static int put_count(const struct options *o, const char *name, struct buf *row, struct err *err)
{
    static const uint64_t most = 1000000000;
    struct slice text = options_get(o, name);
    uint64_t n;

    if (text.ptr == NULL)
        return 0;
    if (!slice_u64(text, &n) || n > most)
        return err_set(err, ERR_USAGE, name, "a number of a minute, at most %llu", (unsigned long long)most);
    json_put_number(row, name, (int64_t)n);
    return 0;
}

static int put_limits(struct arena *a, const struct options *o, struct buf *row, struct err *err)
{
    bool read = options_has(o, "read-only"), retract = options_has(o, "retract-only"),
         all = options_has(o, "all-rights"), from = options_has(o, "from"), anywhere = options_has(o, "from-anywhere");

    if (read + retract + all > 1)
        return err_set(err, ERR_USAGE, "--read-only", "one of --read-only, --retract-only and --all-rights");
    if (from && anywhere)
        return err_set(err, ERR_USAGE, "--from", "either --from or --from-anywhere");
    if (read || retract || all)
        json_put_text(row, "rights", read ? SLICE("read") : retract ? SLICE("retract") : SLICE("all"));
    if (from || anywhere)
        admin_put_list(a, o, "from", "networks", row);
    return put_expiry(o, row, err) != 0 || put_count(o, "requests", row, err) != 0 ||
                   put_count(o, "objects", row, err) != 0
               ? -1
               : 0;
}

/* What names a certificate; it must also come from an authority that the hub trusts for its members. */
static int put_certificate(struct arena *a, const struct options *o, struct buf *row, struct err *err)
{
    struct slice file = options_get(o, "certificate"), text;
    struct crypto_cert cert;
    struct buf hex = BUF_INIT;

    if ((file.ptr != NULL) == options_has(o, "subject"))
        return err_set(err, ERR_USAGE, "--certificate", "either --certificate FILE or --subject NAME");
    admin_put_option(o, "subject", "subject", row);
    if (file.ptr == NULL)
        return 0;
    if (file_read(a, file.ptr, CERTIFICATE_MAX, &text, err) != 0 || crypto_cert_read(a, text, &cert, err) != 0)
        return -1;
    crypto_put_hex(&hex, cert.fingerprint, sizeof cert.fingerprint);
    json_put_text(row, "fingerprint", buf_slice(&hex));
    buf_free(&hex);
    return 0;
}

/* Named by --kind, or by what only one kind has. */
static struct slice kind_of(const struct options *o)
{
    bool certificate = options_has(o, "certificate") || options_has(o, "subject");

    return options_get_or(o, "kind", certificate ? "certificate" : "token");
}

static int put_row(struct arena *a, const struct options *o, bool is_new, struct slice password, struct buf *row,
                   struct err *err)
{
    struct slice kind = kind_of(o);
    bool certificate = slice_eq(kind, SLICE("certificate"));

    if (!is_new && (options_has(o, "kind") || options_has(o, "out") || certificate))
        return err_set(err, ERR_USAGE, "--kind", "only with add: another secret is another credential");
    if (certificate && options_has(o, "out"))
        return err_set(err, ERR_USAGE, "--out", "a client file holds a password: a certificate has its own files");
    json_put_open(row, '{');
    json_put_text(row, "member", o->operands[1]);
    json_put_text(row, "name", o->operands[2]);
    if (is_new)
        json_put_text(row, "kind", kind);
    if (is_new && slice_eq(kind, SLICE("password")))
        json_put_text(row, "password", password);
    int result = is_new && certificate ? put_certificate(a, o, row, err) : 0;
    if (result == 0)
        result = put_limits(a, o, row, err);
    json_put_close(row, '}');
    return result;
}

static void show_new(const struct options *o, struct slice kind, struct slice secret)
{
    struct buf out = BUF_INIT;
    struct slice member = o->operands[1], name = o->operands[2], file = options_get(o, "out");

    if (options_has(o, "json")) {
        json_put_open(&out, '{');
        json_put_text(&out, "member", member);
        json_put_text(&out, "name", name);
        json_put_text(&out, "kind", kind);
        if (file.ptr != NULL)
            json_put_text(&out, "client_file", file);
        else if (secret.len != 0)
            json_put_text(&out, "secret", secret);
        json_put_close(&out, '}');
    } else {
        buf_printf(&out, "credential " SLICE_FMT " of " SLICE_FMT " added", SLICE_ARG(name), SLICE_ARG(member));
        if (file.ptr != NULL)
            buf_printf(&out, "; a client file for it is " SLICE_FMT " (secret: hand it over safely)", SLICE_ARG(file));
        else if (secret.len != 0)
            buf_printf(&out, ". Its " SLICE_FMT ", shown this once:\n" SLICE_FMT, SLICE_ARG(kind), SLICE_ARG(secret));
    }
    printf(SLICE_FMT "\n", (int)out.len, out.ptr);
    buf_free(&out);
}

/* As for a new member: its first collection. */
static int write_client(struct arena *a, const struct options *o, struct slice secret)
{
    struct admin_credential c = {.user = o->operands[1], .password = secret, .root = SLICE("tocsin")};
    struct json list;
    int status = admin_ask(a, o, "collections", slice_n(NULL, 0), &list);

    c.collection = SLICE("");
    if (status == STATUS_DONE && json_count(list) != 0)
        c.collection = json_string(a, json_get(json_first(list), SLICE("id")));
    return status == STATUS_DONE ? admin_write_client(a, o, &c, options_get(o, "out")) : status;
}

static int put_credential(struct arena *a, const struct options *o, bool is_new)
{
    struct slice password, kind = kind_of(o), secret;
    struct buf row = BUF_INIT;
    struct json answer;
    struct err err = ERR_INIT;

    admin_make_password(a, &password);
    int status = put_row(a, o, is_new, password, &row, &err) != 0
                     ? command_fail(&err)
                     : admin_ask(a, o, "credential-put", buf_slice(&row), &answer);
    buf_free(&row);
    if (status != STATUS_DONE || !is_new)
        return status;
    secret = json_string(a, json_get(answer, SLICE("secret")));
    if (secret.ptr == NULL)
        secret = slice_eq(kind, SLICE("password")) ? password : SLICE("");
    if (options_has(o, "out") && secret.len != 0)
        status = write_client(a, o, secret);
    if (status == STATUS_DONE)
        show_new(o, kind, secret);
    return status;
}

static int remove_credential(struct arena *a, const struct options *o)
{
    struct buf row = BUF_INIT;
    struct json answer;

    json_put_open(&row, '{');
    json_put_text(&row, "member", o->operands[1]);
    json_put_text(&row, "name", o->operands[2]);
    json_put_close(&row, '}');
    int status = admin_ask(a, o, "credential-remove", buf_slice(&row), &answer);
    buf_free(&row);
    return status;
}

/* Of one member, or of all. */
static int list_credentials(struct arena *a, const struct options *o)
{
    static const char *const columns[] = {"member", "name", "kind", "rights", "networks", "until", "used"};
    struct json all;
    struct buf text = BUF_INIT;
    int status = admin_ask(a, o, "credentials", slice_n(NULL, 0), &all);

    if (status != STATUS_DONE)
        return status;
    json_put_open(&text, '[');
    json_each (c, all)
        if (o->n_operands == 1 || slice_eq(json_string(a, json_get(c, SLICE("member"))), o->operands[1]))
            json_put_raw(&text, json_raw(c));
    json_put_close(&text, ']');
    struct json shown;
    if (json_parse(a, arena_copy(a, buf_slice(&text)), NULL, &shown, NULL) == 0)
        admin_print(a, o, shown, columns, sizeof columns / sizeof columns[0]);
    buf_free(&text);
    return status;
}

int cmd_credential(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (o.n_operands == 3 && (slice_eq(o.operands[0], SLICE("add")) || slice_eq(o.operands[0], SLICE("change"))))
        return put_credential(&a, &o, slice_eq(o.operands[0], SLICE("add")));
    if (o.n_operands == 3 && slice_eq(o.operands[0], SLICE("remove")))
        return remove_credential(&a, &o);
    if (o.n_operands <= 2 && slice_eq(o.operands[0], SLICE("list")))
        return list_credentials(&a, &o);
    fprintf(stderr,
            "tocsin member credential: add MEMBER NAME, change MEMBER NAME, remove MEMBER NAME or list [MEMBER]\n");
    return STATUS_USAGE;
}

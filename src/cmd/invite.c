/* cmd/invite.c: `tocsin member invite`: a code by which a member comes to its certificate. */
#include <stdio.h>

#include "base/crypto_cert.h"
#include "base/time.h"
#include "cmd/admin.h"
#include "cmd/commands.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"valid", "DURATION", "how long the code is good: 24h (the standard), at most 30d", OPTIONS_ONCE},
    {"collection", "NAME", "the collection in the member's client file; standard: the first", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "member invite",
    "NAME",
    1,
    1,
    "Prints a code with which a member that was added makes itself a key and is given a certificate, once. A new code "
    "takes the place of\nan older one. Hand code and pin over by a way that only the member reads.\n\n"
    "Example: tocsin member add bank --hub hub-a --no-password && tocsin member invite bank --hub hub-a --valid 2h",
    rows,
    sizeof rows / sizeof rows[0]};

struct invitation {
    struct slice url, code, pin, ca, collection;
    int64_t valid_us;
};

static int read_hub(struct arena *a, const struct options *o, struct invitation *i, struct err *err)
{
    struct slice dir = options_get(o, "hub"), server;
    uint8_t pin[CRYPTO_HASH];
    struct buf hex = BUF_INIT;

    if (!time_parse_duration(options_get_or(o, "valid", "24h"), &i->valid_us))
        return err_set(err, ERR_USAGE, "--valid", "--valid needs a duration such as 2h");
    if (file_read(a, file_join(a, dir.ptr, "tls/authority.pem").ptr, 1 << 20, &i->ca, err) != 0 ||
        file_read(a, file_join(a, dir.ptr, "tls/server.pem").ptr, 1 << 20, &server, err) != 0 ||
        crypto_cert_pin(server, pin, err) != 0)
        return -1;
    crypto_put_hex(&hex, pin, sizeof pin);
    i->pin = arena_copy(a, buf_slice(&hex));
    buf_free(&hex);
    return 0;
}

static int ask(struct arena *a, const struct options *o, struct invitation *i)
{
    struct buf row = BUF_INIT;
    struct json answer, about;
    int status = admin_ask(a, o, "status", slice_n(NULL, 0), &about);

    if (status == STATUS_DONE)
        status = admin_find_collection(a, o, &i->collection);
    json_put_open(&row, '{');
    json_put_text(&row, "name", o->operands[0]);
    json_put_number(&row, "valid_us", i->valid_us);
    json_put_text(&row, "ca", i->ca);
    json_put_text(&row, "collection", i->collection);
    json_put_close(&row, '}');
    if (status == STATUS_DONE)
        status = admin_ask(a, o, "member-invite", buf_slice(&row), &answer);
    buf_free(&row);
    if (status == STATUS_DONE) {
        i->url = json_string(a, json_get(about, SLICE("url")));
        i->code = json_string(a, json_get(answer, SLICE("code")));
    }
    return status;
}

static void tell(const struct options *o, const struct invitation *i)
{
    struct buf out = BUF_INIT;
    char until[TIME_TEXT];

    time_put(until, time_now_us() + i->valid_us);
    if (options_has(o, "json")) {
        json_put_open(&out, '{');
        json_put_text(&out, "name", o->operands[0]);
        json_put_text(&out, "url", i->url);
        json_put_text(&out, "code", i->code);
        json_put_text(&out, "pin", i->pin);
        json_put_text(&out, "until", slice_n(until, sizeof until));
        json_put_close(&out, '}');
        buf_put_byte(&out, '\n');
    } else {
        buf_printf(&out,
                   "Once, until %.16sZ, at " SLICE_FMT ":\n\n  tocsin enrol " SLICE_FMT " --code " SLICE_FMT
                   " \\\n      --pin " SLICE_FMT " --out " SLICE_FMT ".yaml\n\n"
                   "The pin is the hub's own key: with it nobody between can pass for the hub.\n",
                   until, SLICE_ARG(o->operands[0]), SLICE_ARG(i->url), SLICE_ARG(i->code), SLICE_ARG(i->pin),
                   SLICE_ARG(o->operands[0]));
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
}

int cmd_invite(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct invitation i = {.collection = SLICE("")};
    struct options o;
    struct err err = ERR_INIT;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (read_hub(&a, &o, &i, &err) != 0)
        return options_fail(&command, &err);
    status = ask(&a, &o, &i);
    if (status == STATUS_DONE)
        tell(&o, &i);
    return status;
}

/* cmd/doctor_server.c: what somebody else's TAXII server gets wrong. */
#include "cmd/doctor.h"

#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "cmd/commands.h"

enum { DOCTOR_PAUSE_MOST_US = 5000000 };

static bool pause_for(void *arg, int64_t us)
{
    (void)arg;
    us = us < DOCTOR_PAUSE_MOST_US ? us : DOCTOR_PAUSE_MOST_US;
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
    return true;
}

static int read_conf(struct arena *a, const struct options *o, struct taxii_client_conf *out, struct err *err)
{
    struct taxii_client_file file = {.url = SLICE("")};
    struct slice text;

    if (options_has(o, "as")) {
        if (conf_read(a, options_get(o, "as").ptr, taxii_client_fields, taxii_client_n_fields, &file, err) != 0)
            return -1;
    } else {
        file.user = options_get_or(o, "user", "");
        file.ca = options_get_or(o, "ca", "");
    }
    if (o->n_operands == 1)
        file.url = o->operands[0];
    if (options_has(o, "collection"))
        file.collection = options_get(o, "collection");
    if (options_has(o, "password-file")) {
        if (file_read(a, options_get(o, "password-file").ptr, 4096, &text, err) != 0)
            return -1;
        slice_cut(&text, '\n', &file.password);
        file.password = slice_trim(file.password);
    }
    taxii_client_conf_from(&file, out);
    return 0;
}

/* What to do about an error that ended it, in the words of whoever sits before it. */
static const char *advice(const struct err *err)
{
    switch (err->code) {
    case ERR_UNAUTHENTICATED:
        return "user name or password are wrong there, or it wants another kind (a token, a client certificate): ask "
               "its operator";
    case ERR_FORBIDDEN:
        return "the credentials are right, but this user may not read there: ask its operator";
    case ERR_NOT_FOUND:
        return "give the address of the API root, or of discovery, as its operator has it; a collection by its id";
    case ERR_NOT_ACCEPTABLE:
        return "it may speak TAXII 2.0 or 1.x alone: ask its operator for TAXII 2.1";
    case ERR_PEER:
        return "see that this is the address of a TAXII 2.1 server";
    default:
        return "";
    }
}

static void put_finding(struct buf *out, const struct taxii_quirk_text *t)
{
    json_put_open(out, '{');
    json_put_text(out, "code", slice_of(t->name));
    json_put_text(out, "what", slice_of(t->what));
    json_put_text(out, "why", slice_of(t->why));
    json_put_text(out, "pull", slice_of(t->does));
    json_put_close(out, '}');
}

static void print_json(const struct taxii_probe *p, const struct err *err)
{
    struct buf out = BUF_INIT;
    char text[TIME_TEXT];

    json_put_open(&out, '{');
    json_put_text(&out, "root", p->root);
    json_put_text(&out, "collection", p->collection);
    json_put_text(&out, "title", p->title);
    json_put_number(&out, "requests", p->requests);
    json_put_number(&out, "collections", p->collections);
    if (p->oldest_us != 0) {
        time_put(text, p->oldest_us);
        json_put_text(&out, "oldest", slice_n(text, sizeof text));
    }
    json_put_key(&out, SLICE("findings"));
    json_put_open(&out, '[');
    for (int q = 0; q < TAXII_QUIRKS; q++)
        if (p->quirks >> q & 1)
            put_finding(&out, taxii_quirk_text(q));
    json_put_close(&out, ']');
    if (err->code != ERR_NONE) {
        json_put_text(&out, "stopped", slice_of(err->text));
        json_put_text(&out, "change", slice_of(advice(err)));
    }
    json_put_close(&out, '}');
    printf(SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

static void print_people(const struct taxii_probe *p, const struct err *err)
{
    char text[TIME_TEXT];
    uint32_t n = 0;

    if (p->root.len != 0)
        printf("API root   " SLICE_FMT "\n", SLICE_ARG(p->root));
    if (p->collection.len != 0)
        printf("collection " SLICE_FMT " (\"" SLICE_FMT "\"), one of %u\n", SLICE_ARG(p->collection),
               SLICE_ARG(p->title), p->collections);
    if (p->oldest_us != 0) {
        time_put(text, p->oldest_us);
        printf("oldest     %.19sZ: what was published before cannot be had there\n", text);
    }
    for (int q = 0; q < TAXII_QUIRKS; q++) {
        if (!(p->quirks >> q & 1))
            continue;
        const struct taxii_quirk_text *t = taxii_quirk_text(q);
        printf("\n! %s: it %s\n  why it matters: %s\n  tocsin pull:    %s\n", t->name, t->what, t->why, t->does);
        n++;
    }
    if (err->code != ERR_NONE)
        printf("\n! stopped: %s\n  %s\n", err->text, advice(err));
    printf("\n%u findings in %u requests\n", n + (err->code != ERR_NONE), p->requests);
}

int doctor_server(struct arena *a, const struct options *o)
{
    struct taxii_client_conf conf;
    struct taxii_probe probe;
    struct err err = ERR_INIT;

    if (read_conf(a, o, &conf, &err) != 0)
        return command_fail(&err);
    if (taxii_probe(&conf, a, pause_for, NULL, &probe, &err) == 0)
        err = (struct err)ERR_INIT;
    int status = command_status(&err);
    if (status == STATUS_CONNECT || status == STATUS_CONFIG)
        return command_fail(&err);
    if (options_has(o, "json"))
        print_json(&probe, &err);
    else
        print_people(&probe, &err);
    return probe.quirks != 0 || err.code != ERR_NONE ? STATUS_REFUSED : STATUS_DONE;
}

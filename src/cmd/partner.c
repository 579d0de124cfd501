#include "cmd/commands.h"

#include <stdio.h>

#include "base/crypto.h"
#include "base/time.h"
#include "cmd/admin.h"
#include "share/share.h"
#include "taxii/taxii.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"hub-id", "UUID", "with add: the partner's hub id (tocsin status there shows it)", OPTIONS_ONCE},
    {"hub-key", "HEX", "with add: the partner's public key (tocsin status there); never trusted on first use",
     OPTIONS_ONCE},
    {"accept", "FILE", "with add: where to write the client file with which the partner reads here", OPTIONS_ONCE},
    {"collection-out", "NAME", "with add: a collection that the agreement names", OPTIONS_REPEATED},
    {"ceiling", "TLP", "with add: nothing above leaves; standard: green", OPTIONS_ONCE},
    {"category", "WORD", "with add: indicator, context or sighting; standard: indicator and context", OPTIONS_REPEATED},
    {"until", "TIME", "with add: when the agreement ends", OPTIONS_ONCE},
    {"k", "N", "with add: organisations behind a sighting that leaves; standard: 3", OPTIONS_ONCE},
    {"onward", NULL, "with add: what is sent may go on to third parties", OPTIONS_ONCE},
    {"foreign", NULL, "with add: a TAXII 2.1 server that is no Tocsin: it is polled, and nothing leaves to it",
     OPTIONS_ONCE},
    {"default", "TLP", "with add --foreign: the marking of what it sends unmarked; without, that is held",
     OPTIONS_ONCE},
    {"poll", "DURATION", "with follow, of a foreign one: pause between polls; standard: 60s", OPTIONS_ONCE},
    {"with", "FILE", "with follow: the client file that the partner's operator gave", OPTIONS_ONCE},
    {"into", "COLLECTION", "with follow: where its objects go here", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "partner",
    "add NAME | follow NAME | remove NAME | list",
    1,
    2,
    "The agreement with another hub, and the link that follows it.\n\n"
    "Example: tocsin partner add hub-b --hub hub-a --hub-id UUID --hub-key HEX --collection-out threats --accept "
    "for-hub-b.yaml\n"
    "         tocsin partner follow hub-b --hub hub-a --with from-hub-b.yaml --into threats\n"
    "         tocsin partner add feed --hub hub-a --foreign --ceiling green --default green",
    rows,
    sizeof rows / sizeof rows[0]};

/* Names to ids: the agreement names collections by what never changes. */
static int put_collections(struct arena *a, const struct options *o, struct buf *row, struct slice *first_out)
{
    struct slice *names;
    size_t n = options_all(a, o, "collection-out", &names);
    struct json list;
    int status = admin_ask(a, o, "collections", slice_n(NULL, 0), &list);

    *first_out = SLICE("");
    if (status != STATUS_DONE)
        return status;
    json_put_key(row, SLICE("collections_out"));
    json_put_open(row, '[');
    for (size_t i = 0; i < n; i++) {
        struct slice id = names[i];
        json_each (c, list)
            if (slice_eq(json_string(a, json_get(c, SLICE("name"))), names[i]))
                id = json_string(a, json_get(c, SLICE("id")));
        json_put_string(row, id);
        if (i == 0)
            *first_out = id;
    }
    json_put_close(row, ']');
    return STATUS_DONE;
}

static int put_agreement(struct arena *a, const struct options *o, struct buf *row, struct slice *first_out,
                         struct err *err)
{
    struct slice *categories, until = options_get(o, "until");
    size_t n = options_all(a, o, "category", &categories);
    int64_t until_us = INT64_MAX;
    uint64_t k = 3;
    char id[36];

    if (until.ptr != NULL && !time_parse(until, &until_us))
        return err_set(err, ERR_USAGE, "--until", "not a time (RFC 3339), such as 2027-01-01T00:00:00Z");
    if (options_has(o, "k") && (!slice_u64(options_get(o, "k"), &k) || k == 0 || k > 100))
        return err_set(err, ERR_USAGE, "--k", "a number from 1 to 100");
    crypto_uuid_random(id);
    json_put_key(row, SLICE("agreement"));
    json_put_open(row, '{');
    json_put_text(row, "id", slice_n(id, sizeof id));
    if (options_has(o, "default"))
        json_put_text(row, "default", options_get(o, "default"));
    json_put_text(row, "ceiling", options_get_or(o, "ceiling", "green"));
    json_put_number(row, "k", (int64_t)k);
    json_put_number(row, "until_us", until_us);
    json_put_key(row, SLICE("onward"));
    json_put_bool(row, options_has(o, "onward"));
    json_put_key(row, SLICE("categories"));
    json_put_open(row, '[');
    for (size_t i = 0; i < n; i++)
        json_put_string(row, categories[i]);
    if (n == 0) {
        json_put_string(row, SLICE("indicator"));
        json_put_string(row, SLICE("context"));
    }
    json_put_close(row, ']');
    int status = put_collections(a, o, row, first_out);
    json_put_close(row, '}');
    return status == STATUS_DONE ? 0 : err_set(err, ERR_FORBIDDEN, NULL, "the agreement was not made");
}

/* A server that is no Tocsin: this hub gives it an id of its own, there is no key, and nothing leaves to it. */
static int add_foreign(struct arena *a, const struct options *o)
{
    struct buf row = BUF_INIT;
    struct slice ignored;
    struct json answer;
    struct err err = ERR_INIT;
    enum share_tlp tlp;
    char id[36];

    if ((options_has(o, "default") && !share_tlp_parse(options_get(o, "default"), &tlp)) ||
        (options_has(o, "ceiling") && !share_tlp_parse(options_get(o, "ceiling"), &tlp))) {
        fprintf(stderr, "tocsin partner add: --default and --ceiling: clear, green, amber, amber+strict or red\n");
        return STATUS_USAGE;
    }
    crypto_uuid_random(id);
    json_put_open(&row, '{');
    json_put_text(&row, "name", o->operands[1]);
    json_put_key(&row, SLICE("foreign"));
    json_put_bool(&row, true);
    json_put_text(&row, "hub_id", slice_n(id, sizeof id));
    json_put_text(&row, "key", SLICE("0000000000000000000000000000000000000000000000000000000000000000"));
    int status = put_agreement(a, o, &row, &ignored, &err) == 0 ? STATUS_DONE : command_fail(&err);
    json_put_close(&row, '}');
    if (status == STATUS_DONE)
        status = admin_ask(a, o, "partner-put", buf_slice(&row), &answer);
    buf_free(&row);
    if (status == STATUS_DONE)
        printf("foreign partner " SLICE_FMT " added; follow it:\n  tocsin partner follow " SLICE_FMT
               " --hub DIR --with FILE --into COLLECTION --poll 60s\n",
               SLICE_ARG(o->operands[1]), SLICE_ARG(o->operands[1]));
    return status;
}

static int add_partner(struct arena *a, const struct options *o)
{
    static const char *const needed[] = {"hub-id", "hub-key", "accept", "collection-out"};
    struct admin_credential c = {.user = o->operands[1], .root = SLICE("tocsin")};
    struct buf row = BUF_INIT;
    struct json answer;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!options_has(o, needed[i])) {
            fprintf(stderr, "tocsin partner add: --%s is missing\n", needed[i]);
            return STATUS_USAGE;
        }
    admin_make_password(a, &c.password);
    json_put_open(&row, '{');
    json_put_text(&row, "name", o->operands[1]);
    json_put_text(&row, "hub_id", options_get(o, "hub-id"));
    json_put_text(&row, "key", options_get(o, "hub-key"));
    json_put_text(&row, "password", c.password);
    int status = put_agreement(a, o, &row, &c.collection, &err) == 0 ? STATUS_DONE : command_fail(&err);
    json_put_close(&row, '}');
    if (status == STATUS_DONE)
        status = admin_ask(a, o, "partner-put", buf_slice(&row), &answer);
    if (status == STATUS_DONE)
        status = admin_write_client(a, o, &c, options_get(o, "accept"));
    buf_free(&row);
    if (status == STATUS_DONE)
        printf("agreement with " SLICE_FMT " made; hand " SLICE_FMT
               " to its operator, and name the partner in a collection:\n"
               "  tocsin collection change COLLECTION --hub DIR --add-partner " SLICE_FMT "\n",
               SLICE_ARG(c.user), SLICE_ARG(options_get(o, "accept")), SLICE_ARG(c.user));
    return status;
}

/* Authority, certificate and key go into the row as text: files may move, and core reads none but its own. */
static int read_files(struct arena *a, struct taxii_client_file *file, struct err *err)
{
    struct slice *const all[] = {&file->ca, &file->cert, &file->key};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->len != 0 && !slice_starts(*all[i], SLICE("-----BEGIN ")) &&
            file_read(a, all[i]->ptr, 1 << 20, all[i], err) != 0)
            return -1;
    return 0;
}

static int follow_partner(struct arena *a, const struct options *o)
{
    struct taxii_client_file file;
    struct buf row = BUF_INIT;
    int64_t poll_us = 0;
    struct json answer;
    struct err err = ERR_INIT;

    if (!options_has(o, "with") || !options_has(o, "into")) {
        fprintf(stderr, "tocsin partner follow: --with FILE and --into COLLECTION\n");
        return STATUS_USAGE;
    }
    if (options_has(o, "poll") && (!time_parse_duration(options_get(o, "poll"), &poll_us) || poll_us < 1000000)) {
        fprintf(stderr, "tocsin partner follow: --poll: a duration from 1s\n");
        return STATUS_USAGE;
    }
    struct slice path = arena_copy(a, options_get(o, "with"));
    if (conf_read(a, path.ptr, taxii_client_fields, taxii_client_n_fields, &file, &err) != 0 ||
        read_files(a, &file, &err) != 0)
        return command_fail(&err);
    json_put_open(&row, '{');
    json_put_text(&row, "name", o->operands[1]);
    json_put_key(&row, SLICE("follow"));
    json_put_open(&row, '{');
    json_put_text(&row, "url", file.url);
    json_put_text(&row, "ca", file.ca);
    json_put_text(&row, "pin", file.pin);
    json_put_text(&row, "cert", file.cert);
    json_put_text(&row, "key", file.key);
    json_put_text(&row, "user", file.user);
    json_put_text(&row, "password", file.password);
    json_put_text(&row, "root", file.root);
    json_put_text(&row, "collection", file.collection);
    json_put_text(&row, "into", options_get(o, "into"));
    if (poll_us != 0)
        json_put_number(&row, "poll_us", poll_us);
    json_put_close(&row, '}');
    json_put_close(&row, '}');
    int status = admin_ask(a, o, "partner-put", buf_slice(&row), &answer);
    buf_free(&row);
    if (status == STATUS_DONE)
        printf("following " SLICE_FMT " at " SLICE_FMT " into " SLICE_FMT "\n", SLICE_ARG(o->operands[1]),
               SLICE_ARG(file.url), SLICE_ARG(options_get(o, "into")));
    return status;
}

int cmd_partner(int argc, char **argv)
{
    static const char *const columns[] = {"name", "hub_id", "follows", "ceiling", "k"};
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    bool named = o.n_operands == 2;
    if (slice_eq(o.operands[0], SLICE("add")) && named) {
        status = options_has(&o, "foreign") ? add_foreign(&a, &o) : add_partner(&a, &o);
    } else if (slice_eq(o.operands[0], SLICE("follow")) && named) {
        status = follow_partner(&a, &o);
    } else if (slice_eq(o.operands[0], SLICE("remove")) && named) {
        status = admin_remove(&a, &o, "partner-remove");
    } else if (slice_eq(o.operands[0], SLICE("list")) && !named) {
        status = admin_list(&a, &o, "partners", columns, 5);
    } else {
        fprintf(stderr, "tocsin partner: add NAME, follow NAME, remove NAME or list\n");
        status = STATUS_USAGE;
    }
    return status;
}

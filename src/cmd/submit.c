#include "cmd/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "base/crypto.h"
#include "cmd/client.h"
#include "share/share.h"

enum { SUBMIT_FILE_MAX = 1 << 30, SUBMIT_OBJECTS = 5000, SUBMIT_BYTES = 8 << 20 };

static const struct option_row rows[] = {
    CLIENT_ROWS,
    {"first-event", "TIME", "when the victim first saw it: the replication window is counted from here", OPTIONS_ONCE},
    {"pattern", "PATTERN", "submit one indicator with this STIX pattern, instead of files", OPTIONS_ONCE},
    {"name", "TEXT", "with --pattern: name of the indicator", OPTIONS_ONCE},
    {"marking", "TLP", "with --pattern: clear, green, amber, amber+strict; standard: the declared default",
     OPTIONS_ONCE},
    {"valid-until", "TIME", "with --pattern: end of validity", OPTIONS_ONCE},
    {"json", NULL, "print the TAXII status resource", OPTIONS_ONCE},
};
static const struct option_command command = {
    "submit",
    "[FILE ...]",
    0,
    10000,
    "Submits bundles, envelopes or single objects (- reads standard input), or one pattern. Files of more than 1,000 "
    "objects go in pieces.\n"
    "Exit status 1 when an object was refused or held.\n\nExample: tocsin submit --as bank.yaml --pattern "
    "\"[domain-name:value = 'bad.example']\" --marking green",
    rows,
    sizeof rows / sizeof rows[0]};

struct totals {
    int64_t accepted, refused, held;
};

static void print_details(struct arena *a, struct json list, const char *what)
{
    json_each (d, list) {
        struct slice id = json_string(a, json_get(d, SLICE("id"))),
                     message = json_string(a, json_get(d, SLICE("message")));
        fprintf(stderr, "%s " SLICE_FMT ": " SLICE_FMT "\n", what, SLICE_ARG(id), SLICE_ARG(message));
    }
}

static int push(struct arena *a, const struct options *o, struct taxii_client *client, struct slice envelope,
                int64_t first_event_us, struct totals *totals)
{
    struct json status;
    struct err err = ERR_INIT;
    int64_t n;

    if (taxii_push(client, a, envelope, first_event_us, &status, &err) != 0)
        return command_fail(&err);
    totals->accepted += json_int(json_get(status, SLICE("success_count")), &n) ? n : 0;
    totals->refused += json_int(json_get(status, SLICE("failure_count")), &n) ? n : 0;
    totals->held += json_int(json_get(status, SLICE("pending_count")), &n) ? n : 0;
    if (options_has(o, "json")) {
        printf(SLICE_FMT "\n", SLICE_ARG(json_raw(status)));
        fflush(stdout);
    }
    print_details(a, json_get(status, SLICE("failures")), "refused");
    print_details(a, json_get(status, SLICE("pendings")), "held");
    return STATUS_DONE;
}

/* What the objects' markings refer to has to stand in every piece. Returns how many there are. */
static uint32_t put_definitions(struct json objects, struct buf *out)
{
    uint32_t n = 0;

    json_each (object, objects) {
        if (!slice_eq(json_text(json_get(object, SLICE("type"))), SLICE("marking-definition")))
            continue;
        if (n++ != 0)
            buf_put_byte(out, ',');
        buf_put(out, json_raw(object));
    }
    return n;
}

static void begin_piece(struct buf *piece, const struct buf *definitions)
{
    buf_clear(piece);
    buf_put(piece, SLICE("{\"objects\":["));
    buf_put(piece, buf_slice(definitions));
}

/* Objects of one file, byte for byte, in as few envelopes as the limits allow. */
static int push_objects(struct arena *a, const struct options *o, struct taxii_client *client, struct json objects,
                        int64_t first_event_us, struct totals *totals)
{
    struct buf piece = BUF_INIT, definitions = BUF_INIT;
    uint32_t n = 0, done = 0, total = json_count(objects), repeated = 0;
    int status = STATUS_DONE;

    begin_piece(&piece, &definitions);
    json_each (object, objects) {
        struct slice raw = json_raw(object);
        if (n != 0 && (n == SUBMIT_OBJECTS || piece.len + raw.len > SUBMIT_BYTES)) {
            buf_put(&piece, SLICE("]}"));
            status = push(a, o, client, buf_slice(&piece), first_event_us, totals);
            if (status != STATUS_DONE)
                break;
            if (definitions.len == 0)
                repeated = put_definitions(objects, &definitions);
            begin_piece(&piece, &definitions);
            totals->accepted -= repeated; /* they were counted with the first piece */
            n = repeated;
            if (isatty(2))
                fprintf(stderr, "\r%u of %u objects submitted", done, total);
        }
        if (n++ != 0)
            buf_put_byte(&piece, ',');
        buf_put(&piece, raw);
        done++;
    }
    buf_put(&piece, SLICE("]}"));
    if (status == STATUS_DONE && n != 0)
        status = push(a, o, client, buf_slice(&piece), first_event_us, totals);
    buf_free(&piece);
    buf_free(&definitions);
    return status;
}

static int read_input(struct arena *a, struct slice path, struct slice *text_out, struct err *err)
{
    struct buf text = BUF_INIT;
    char piece[65536];
    size_t n;

    if (!slice_eq(path, SLICE("-")))
        return file_read(a, path.ptr, SUBMIT_FILE_MAX, text_out, err);
    while ((n = fread(piece, 1, sizeof piece, stdin)) != 0)
        buf_put(&text, slice_n(piece, n));
    *text_out = arena_copy(a, buf_slice(&text));
    buf_free(&text);
    return 0;
}

static int push_file(struct arena *a, const struct options *o, struct taxii_client *client, struct slice path,
                     int64_t first_event_us, struct totals *totals)
{
    const struct json_limits limits = {64, 50000000, 1000000, 16u << 20, SUBMIT_FILE_MAX};
    struct slice text;
    struct json root, objects;
    struct err err = ERR_INIT;
    bool single;

    if (read_input(a, path, &text, &err) != 0)
        return command_fail(&err);
    if (json_parse(a, text, &limits, &root, &err) != 0 || stix_container(root, &objects, &single, &err) != 0) {
        fprintf(stderr, "tocsin: " SLICE_FMT ": ", SLICE_ARG(path));
        return command_fail(&err);
    }
    return single ? push(a, o, client, text, first_event_us, totals)
                  : push_objects(a, o, client, objects, first_event_us, totals);
}

static int make_indicator(const struct options *o, struct buf *out, struct err *err)
{
    struct slice marking = options_get(o, "marking"), until = options_get(o, "valid-until");
    char id[36], now[TIME_TEXT];
    enum share_tlp tlp;
    int64_t until_us;

    crypto_uuid_random(id);
    time_put(now, time_now_us());
    buf_put(out, SLICE("{\"objects\":["));
    json_put_open(out, '{');
    json_put_text(out, "type", SLICE("indicator"));
    json_put_text(out, "spec_version", SLICE("2.1"));
    buf_printf(out, ",\"id\":\"indicator--%.36s\"", id);
    json_put_text(out, "created", slice_n(now, sizeof now));
    json_put_text(out, "modified", slice_n(now, sizeof now));
    if (options_has(o, "name"))
        json_put_text(out, "name", options_get(o, "name"));
    json_put_text(out, "pattern", options_get(o, "pattern"));
    json_put_text(out, "pattern_type", SLICE("stix"));
    json_put_text(out, "valid_from", slice_n(now, sizeof now));
    if (until.ptr != NULL && !time_parse(until, &until_us))
        return err_set(err, ERR_USAGE, "--valid-until", "not a time (RFC 3339)");
    if (until.ptr != NULL) {
        time_put(now, until_us);
        json_put_text(out, "valid_until", slice_n(now, sizeof now));
    }
    if (marking.ptr != NULL && !share_tlp_parse(marking, &tlp))
        return err_set(err, ERR_USAGE, "--marking", "clear, green, amber, amber+strict or red");
    if (marking.ptr != NULL) {
        json_put_key(out, SLICE("object_marking_refs"));
        json_put_open(out, '[');
        json_put_string(out, share_tlp_id(tlp));
        json_put_close(out, ']');
    }
    json_put_close(out, '}');
    buf_put(out, SLICE("]}"));
    return 0;
}

static int submit_all(struct arena *a, const struct options *o, struct taxii_client *client, int64_t first_event_us,
                      struct totals *totals)
{
    struct buf envelope = BUF_INIT;
    struct err err = ERR_INIT;
    int status = STATUS_DONE;

    if (options_has(o, "pattern")) {
        status = make_indicator(o, &envelope, &err) == 0
                     ? push(a, o, client, buf_slice(&envelope), first_event_us, totals)
                     : command_fail(&err);
        buf_free(&envelope);
    }
    for (size_t i = 0; i < o->n_operands && status == STATUS_DONE; i++)
        status = push_file(a, o, client, o->operands[i], first_event_us, totals);
    return status;
}

int cmd_submit(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct taxii_client *client = NULL;
    struct totals totals = {0, 0, 0};
    int64_t first_event_us = 0;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (o.n_operands == 0 && !options_has(&o, "pattern")) {
        fprintf(stderr, "tocsin submit: name a FILE (- for standard input), or give --pattern\n");
        return STATUS_USAGE;
    }
    if (options_has(&o, "first-event") && !time_parse(options_get(&o, "first-event"), &first_event_us)) {
        fprintf(stderr, "tocsin submit: --first-event: not a time (RFC 3339)\n");
        return STATUS_USAGE;
    }
    status = client_open(&a, &o, &client);
    if (status == STATUS_DONE)
        status = submit_all(&a, &o, client, first_event_us, &totals);
    taxii_client_close(&client);
    if (!options_has(&o, "json") && (status == STATUS_DONE || totals.accepted != 0))
        printf("accepted %lld, held %lld, refused %lld\n", (long long)totals.accepted, (long long)totals.held,
               (long long)totals.refused);
    return status == STATUS_DONE && totals.refused + totals.held != 0 ? STATUS_REFUSED : status;
}

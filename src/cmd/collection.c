#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/admin.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"title", "TEXT", "title, shown to clients", OPTIONS_ONCE},
    {"description", "TEXT", "what the collection is for", OPTIONS_ONCE},
    {"open", NULL, "TLP:GREEN reaches every member of the hub", OPTIONS_ONCE},
    {"closed", NULL, "TLP:GREEN reaches listed recipients and their clients only (the standard)", OPTIONS_ONCE},
    {"recipient", "MEMBER", "a recipient: AMBER+STRICT reaches it, AMBER its clients too (with add)", OPTIONS_REPEATED},
    {"partner", "PARTNER", "a partner hub that GREEN may leave to (with add)", OPTIONS_REPEATED},
    {"add-recipient", "MEMBER", "with change: widens; older objects reach it under new dates", OPTIONS_REPEATED},
    {"drop-recipient", "MEMBER", "with change: what it holds is taken back", OPTIONS_REPEATED},
    {"add-partner", "PARTNER", "with change", OPTIONS_REPEATED},
    {"drop-partner", "PARTNER", "with change", OPTIONS_REPEATED},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {"collection",
                                              "add NAME | change NAME | list",
                                              1,
                                              2,
                                              "Collections of a running hub and their audience statements.\n\nExample: "
                                              "tocsin collection add threats --hub hub-a --open --title \"Threats\"",
                                              rows,
                                              sizeof rows / sizeof rows[0]};

static void put_row(struct arena *a, const struct options *o, bool is_new, struct buf *row)
{
    json_put_open(row, '{');
    json_put_text(row, "name", o->operands[1]);
    admin_put_option(o, "title", "title", row);
    admin_put_option(o, "description", "description", row);
    if (options_has(o, "open") || options_has(o, "closed")) {
        json_put_key(row, SLICE("open"));
        json_put_bool(row, options_has(o, "open"));
    }
    admin_put_list(a, o, is_new ? "recipient" : "add-recipient", "add_recipients", row);
    admin_put_list(a, o, "drop-recipient", "drop_recipients", row);
    admin_put_list(a, o, is_new ? "partner" : "add-partner", "add_partners", row);
    admin_put_list(a, o, "drop-partner", "drop_partners", row);
    json_put_close(row, '}');
}

static int put_collection(struct arena *a, const struct options *o, bool is_new)
{
    struct buf row = BUF_INIT;
    struct json list, answer;
    bool known = false;
    int status = admin_ask(a, o, "collections", slice_n(NULL, 0), &list);

    if (status != STATUS_DONE)
        return status;
    json_each (c, list)
        known = known || slice_eq(json_string(a, json_get(c, SLICE("name"))), o->operands[1]);
    if (known == is_new) {
        fprintf(stderr, "tocsin: there is %s collection \"" SLICE_FMT "\"\n", known ? "already a" : "no",
                SLICE_ARG(o->operands[1]));
        return STATUS_REFUSED;
    }
    put_row(a, o, is_new, &row);
    status = admin_ask(a, o, "collection-put", buf_slice(&row), &answer);
    buf_free(&row);
    if (status != STATUS_DONE)
        return status;
    struct slice text = options_has(o, "json") ? json_raw(answer) : json_string(a, json_get(answer, SLICE("id")));
    printf(options_has(o, "json") ? SLICE_FMT "\n" : "collection " SLICE_FMT "\n", SLICE_ARG(text));
    return STATUS_DONE;
}

int cmd_collection(int argc, char **argv)
{
    static const char *const columns[] = {"name", "open", "title", "id"};
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if ((slice_eq(o.operands[0], SLICE("add")) || slice_eq(o.operands[0], SLICE("change"))) && o.n_operands == 2) {
        status = put_collection(&a, &o, slice_eq(o.operands[0], SLICE("add")));
    } else if (slice_eq(o.operands[0], SLICE("list")) && o.n_operands == 1) {
        status = admin_list(&a, &o, "collections", columns, 4);
    } else {
        fprintf(stderr, "tocsin collection: add NAME, change NAME or list\n");
        status = STATUS_USAGE;
    }
    return status;
}

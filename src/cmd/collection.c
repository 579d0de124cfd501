#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/admin.h"
#include "cmd/profile.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"title", "TEXT", "title, shown to clients", OPTIONS_ONCE},
    {"description", "TEXT", "what the collection is for", OPTIONS_ONCE},
    {"profile", "NAME or FILE", "what objects must look like: open (the standard), ais-2.0-observed, ctis, or a file",
     OPTIONS_ONCE},
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

static const struct option_command command = {
    "collection",
    "add NAME | change NAME | list",
    1,
    2,
    "Collections of a running hub and their audience statements.\n\nExample: "
    "tocsin collection add threats --hub hub-a --open --profile ais-2.0-observed",
    rows,
    sizeof rows / sizeof rows[0]};

/* The text of a profile that is not compiled in goes along: the hub opens no files. */
static int put_profile(struct arena *a, const struct options *o, struct buf *row)
{
    struct slice wanted = options_get(o, "profile");
    struct profile_found found;
    struct err err = ERR_INIT;

    if (wanted.ptr == NULL)
        return STATUS_DONE;
    if (profile_find(a, wanted, &found, &err) != 0)
        return command_fail(&err);
    json_put_text(row, "profile", found.name);
    if (!found.is_builtin)
        json_put_text(row, "profile_text", found.text);
    return STATUS_DONE;
}

static int put_row(struct arena *a, const struct options *o, bool is_new, struct buf *row)
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
    int status = put_profile(a, o, row);
    json_put_close(row, '}');
    return status;
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
    status = put_row(a, o, is_new, &row);
    if (status == STATUS_DONE)
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
    static const char *const columns[] = {"name", "open", "profile", "title", "id"};
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if ((slice_eq(o.operands[0], SLICE("add")) || slice_eq(o.operands[0], SLICE("change"))) && o.n_operands == 2) {
        status = put_collection(&a, &o, slice_eq(o.operands[0], SLICE("add")));
    } else if (slice_eq(o.operands[0], SLICE("list")) && o.n_operands == 1) {
        status = admin_list(&a, &o, "collections", columns, 5);
    } else {
        fprintf(stderr, "tocsin collection: add NAME, change NAME or list\n");
        status = STATUS_USAGE;
    }
    return status;
}

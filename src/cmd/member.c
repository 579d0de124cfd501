#include "cmd/commands.h"

#include <stdio.h>

#include "base/time.h"
#include "cmd/admin.h"
#include "share/share.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"organisation", "NAME", "name of the organisation", OPTIONS_ONCE},
    {"country", "CC", "ISO 3166-1 alpha-2", OPTIONS_ONCE},
    {"sector", "WORD", "of the STIX industry-sector vocabulary", OPTIONS_ONCE},
    {"domain", "NAME", "a domain of the member: what names it is not released", OPTIONS_REPEATED},
    {"consent", "WORD", "who may learn its name: none (the standard), government, everyone, proprietary", OPTIONS_ONCE},
    {"government", NULL, "the member belongs to this country's government", OPTIONS_ONCE},
    {"client-of", "MEMBER", "registered client of that member", OPTIONS_REPEATED},
    {"default", "COLLECTION=TLP[,VALIDITY]", "marking of what it submits there unmarked: green, or green,30d",
     OPTIONS_REPEATED},
    {"no-write", NULL, "it may read only", OPTIONS_ONCE},
    {"write", NULL, "with change: it may submit again", OPTIONS_ONCE},
    {"read-only", "COLLECTION", "it may read there, and not submit", OPTIONS_REPEATED},
    {"write-only", "COLLECTION", "it may submit there, and not read", OPTIONS_REPEATED},
    {"both-ways", NULL, "with change: no collection is read-only or write-only any more", OPTIONS_ONCE},
    {"compat", "WORD,...",
     "what its tool needs: empty-list, tlp1, flatten, stix20 (docs/interoperability.md); none: nothing", OPTIONS_ONCE},
    {"types", "TYPE,...", "STIX types that it wants, such as indicator,identity; all: every one", OPTIONS_ONCE},
    {"page-size", "N", "objects in a page, where its tool names no limit and at most; 0: as the hub has it",
     OPTIONS_ONCE},
    {"receipt-key", NULL, "with change: a new key for its sensors' receipts; prints the line for its client files",
     OPTIONS_ONCE},
    {"collection", "NAME", "the collection in the client file; standard: the first", OPTIONS_ONCE},
    {"out", "FILE", "where to write the client file (with add)", OPTIONS_ONCE},
    {"no-password", NULL, "with add: it gets no client file, and signs in with what it is given later", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command command = {
    "member",
    "add NAME | change NAME | remove NAME | list | invite NAME | compromise NAME | release NAME | credential ...",
    1,
    2,
    "Adds a member to a running hub and writes the client file that it works with, changes what is named of one,\n"
    "removes one, or lists them.\n"
    "Its tokens and other credentials: tocsin member credential --help. Its key was stolen: tocsin member compromise "
    "--help.\n\n"
    "Example: tocsin member add bank --hub hub-a --organisation \"First Bank\" --default threats=green --out "
    "bank.yaml\n"
    "         tocsin member change bank --hub hub-a --compat tlp1,flatten --types indicator --page-size 500",
    rows,
    sizeof rows / sizeof rows[0]};

/* "threats=green,30d" */
static int put_default(struct slice text, struct buf *row, struct err *err)
{
    struct slice rest = text, collection, tlp, validity = SLICE("");
    enum share_tlp level;
    int64_t valid_for_us = 0;

    slice_cut(&rest, '=', &collection);
    if (rest.ptr == NULL)
        return err_set(err, ERR_USAGE, "--default", "COLLECTION=TLP[,VALIDITY], such as threats=green,30d");
    slice_cut(&rest, ',', &tlp);
    if (rest.ptr != NULL)
        validity = rest;
    if (!share_tlp_parse(tlp, &level) || (validity.len != 0 && !time_parse_duration(validity, &valid_for_us)))
        return err_set(err, ERR_USAGE, "--default",
                       "\"" SLICE_FMT "\": TLP is clear, green, amber, amber+strict; validity 30d or 12h",
                       SLICE_ARG(text));
    json_put_open(row, '{');
    json_put_text(row, "collection", collection);
    json_put_text(row, "tlp", tlp);
    json_put_number(row, "valid_for_us", valid_for_us);
    json_put_close(row, '}');
    return 0;
}

static int put_defaults(struct arena *a, const struct options *o, struct buf *row, struct err *err)
{
    struct slice *values;
    size_t n = options_all(a, o, "default", &values);

    json_put_key(row, SLICE("defaults"));
    json_put_open(row, '[');
    for (size_t i = 0; i < n; i++)
        if (put_default(values[i], row, err) != 0)
            return -1;
    json_put_close(row, ']');
    return 0;
}

/* "a,b,c" as a list; the word for nothing ("none", "all") as an empty one. */
static void put_words(const struct options *o, const char *option, const char *member, const char *nothing,
                      struct buf *row)
{
    struct slice rest = options_get(o, option), word;

    if (rest.ptr == NULL)
        return;
    json_put_key(row, slice_of(member));
    json_put_open(row, '[');
    while (!slice_eq(options_get(o, option), slice_of(nothing)) && slice_cut(&rest, ',', &word))
        if (slice_trim(word).len != 0)
            json_put_string(row, slice_trim(word));
    json_put_close(row, ']');
}

/* Rights at single collections, and the switches of its dialect: what was named, and no more. */
static int put_rights(struct arena *a, const struct options *o, struct buf *row, struct err *err)
{
    struct slice size = options_get(o, "page-size");
    uint64_t n = 0;

    if (options_has(o, "read-only") || options_has(o, "both-ways"))
        admin_put_list(a, o, "read-only", "read_only", row);
    if (options_has(o, "write-only") || options_has(o, "both-ways"))
        admin_put_list(a, o, "write-only", "write_only", row);
    put_words(o, "compat", "compat", "none", row);
    put_words(o, "types", "types", "all", row);
    if (size.ptr != NULL && (!slice_u64(size, &n) || n > 100000))
        return err_set(err, ERR_USAGE, "--page-size", "a whole number up to 100000");
    if (size.ptr != NULL)
        json_put_number(row, "page_size", (int64_t)n);
    return 0;
}

static int put_row(struct arena *a, const struct options *o, struct slice password, struct slice receipt_key,
                   struct buf *row, struct err *err)
{
    enum share_consent consent;

    if (!share_consent_parse(options_get_or(o, "consent", "none"), &consent))
        return err_set(err, ERR_USAGE, "--consent", "none, government, everyone or proprietary");
    json_put_open(row, '{');
    json_put_text(row, "name", o->operands[1]);
    json_put_text(row, "organisation", options_get_or(o, "organisation", o->operands[1].ptr));
    admin_put_option(o, "country", "country", row);
    admin_put_option(o, "sector", "sector", row);
    json_put_text(row, "consent", options_get_or(o, "consent", "none"));
    if (password.len != 0)
        json_put_text(row, "password", password);
    if (receipt_key.len != 0)
        json_put_text(row, "receipt_key", receipt_key);
    admin_put_list(a, o, "domain", "domains", row);
    admin_put_list(a, o, "client-of", "client_of", row);
    json_put_key(row, SLICE("government"));
    json_put_bool(row, options_has(o, "government"));
    json_put_key(row, SLICE("may_write"));
    json_put_bool(row, !options_has(o, "no-write"));
    if (put_rights(a, o, row, err) != 0)
        return -1;
    if (put_defaults(a, o, row, err) != 0)
        return -1;
    json_put_close(row, '}');
    return 0;
}

static int add_member(struct arena *a, const struct options *o)
{
    struct admin_credential c = {.user = o->operands[1], .root = SLICE("tocsin"), .collection = SLICE("")};
    struct buf row = BUF_INIT;
    struct json answer;
    struct err err = ERR_INIT;
    struct slice receipt_key = SLICE("");

    bool invited = options_has(o, "no-password");
    if (options_has(o, "out") == invited) {
        err_set(&err, ERR_USAGE, "--out", "where to write the client file; or --no-password, and no such file");
        return command_fail(&err);
    }
    if (!invited) {
        admin_make_password(a, &c.password);
        admin_make_receipt_key(a, &c.receipt_key, &receipt_key);
    }
    int status = admin_find_collection(a, o, &c.collection);
    if (status == STATUS_DONE && put_row(a, o, c.password, receipt_key, &row, &err) != 0)
        status = command_fail(&err);
    if (status == STATUS_DONE)
        status = admin_ask(a, o, "member-put", buf_slice(&row), &answer);
    buf_free(&row);
    if (invited) {
        if (status == STATUS_DONE && options_has(o, "json"))
            printf("{\"name\":\"" SLICE_FMT "\"}\n", SLICE_ARG(c.user));
        else if (status == STATUS_DONE)
            printf("member " SLICE_FMT " added; invite it: tocsin member invite " SLICE_FMT " --hub " SLICE_FMT "\n",
                   SLICE_ARG(c.user), SLICE_ARG(c.user), SLICE_ARG(options_get(o, "hub")));
        return status;
    }
    if (status == STATUS_DONE)
        status = admin_write_client(a, o, &c, options_get(o, "out"));
    if (status == STATUS_DONE && options_has(o, "json"))
        printf("{\"name\":\"" SLICE_FMT "\",\"client_file\":\"" SLICE_FMT "\"}\n", SLICE_ARG(c.user),
               SLICE_ARG(options_get(o, "out")));
    else if (status == STATUS_DONE)
        printf("member " SLICE_FMT " added; its client file is " SLICE_FMT " (secret: hand it over safely)\n",
               SLICE_ARG(c.user), SLICE_ARG(options_get(o, "out")));
    return status;
}

/* What is named takes the place of what is there; nothing else moves. */
static int put_change(struct arena *a, const struct options *o, struct slice receipt_key, struct buf *row,
                      struct err *err)
{
    enum share_consent consent;

    if (!share_consent_parse(options_get_or(o, "consent", "none"), &consent))
        return err_set(err, ERR_USAGE, "--consent", "none, government, everyone or proprietary");
    json_put_open(row, '{');
    json_put_text(row, "name", o->operands[1]);
    admin_put_option(o, "organisation", "organisation", row);
    admin_put_option(o, "country", "country", row);
    admin_put_option(o, "sector", "sector", row);
    admin_put_option(o, "consent", "consent", row);
    if (options_has(o, "receipt-key"))
        json_put_text(row, "receipt_key", receipt_key);
    if (options_has(o, "domain"))
        admin_put_list(a, o, "domain", "domains", row);
    if (options_has(o, "client-of"))
        admin_put_list(a, o, "client-of", "client_of", row);
    if (options_has(o, "no-write") || options_has(o, "write")) {
        json_put_key(row, SLICE("may_write"));
        json_put_bool(row, options_has(o, "write"));
    }
    if (put_rights(a, o, row, err) != 0 || (options_has(o, "default") && put_defaults(a, o, row, err) != 0))
        return -1;
    json_put_close(row, '}');
    return 0;
}

static int change_member(struct arena *a, const struct options *o)
{
    struct buf row = BUF_INIT;
    struct json answer;
    struct err err = ERR_INIT;
    struct slice seed, receipt_key;
    int status;

    if (o->n_given <= 1 + (size_t)options_has(o, "json")) {
        err_set(&err, ERR_USAGE, "change", "name what is to change, such as --compat tlp1");
        return command_fail(&err);
    }
    admin_make_receipt_key(a, &seed, &receipt_key);
    status = put_change(a, o, receipt_key, &row, &err) != 0
                 ? command_fail(&err)
                 : admin_ask(a, o, "member-change", buf_slice(&row), &answer);
    buf_free(&row);
    if (status != STATUS_DONE)
        return status;
    if (!options_has(o, "receipt-key"))
        seed = SLICE("");
    if (options_has(o, "json"))
        printf("{\"name\":\"" SLICE_FMT "\"%s" SLICE_FMT "%s}\n", SLICE_ARG(o->operands[1]),
               seed.len != 0 ? ",\"receipt_key\":\"" : "", SLICE_ARG(seed), seed.len != 0 ? "\"" : "");
    else if (seed.len != 0)
        printf("member " SLICE_FMT " changed; in place of the old line, its client files get this one (secret):\n"
               "receipt_key: \"" SLICE_FMT "\"\n",
               SLICE_ARG(o->operands[1]), SLICE_ARG(seed));
    else
        printf("member " SLICE_FMT " changed\n", SLICE_ARG(o->operands[1]));
    return status;
}

int cmd_member(int argc, char **argv)
{
    static const char *const columns[] = {"name", "organisation", "country", "sector", "may_write"};
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (argc > 1 && slice_eq(slice_of(argv[1]), SLICE("credential")))
        return cmd_credential(argc - 1, argv + 1);
    if (argc > 1 && slice_eq(slice_of(argv[1]), SLICE("invite")))
        return cmd_invite(argc - 1, argv + 1);
    if (argc > 1 && (slice_eq(slice_of(argv[1]), SLICE("compromise")) || slice_eq(slice_of(argv[1]), SLICE("release"))))
        return cmd_compromise(argc - 1, argv + 1);
    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (slice_eq(o.operands[0], SLICE("add")) && o.n_operands == 2) {
        status = add_member(&a, &o);
    } else if (slice_eq(o.operands[0], SLICE("change")) && o.n_operands == 2) {
        status = change_member(&a, &o);
    } else if (slice_eq(o.operands[0], SLICE("remove")) && o.n_operands == 2) {
        status = admin_remove(&a, &o, "member-remove");
    } else if (slice_eq(o.operands[0], SLICE("list")) && o.n_operands == 1) {
        status = admin_list(&a, &o, "members", columns, 5);
    } else {
        fprintf(stderr, "tocsin member: add NAME, change NAME, remove NAME or list\n");
        status = STATUS_USAGE;
    }
    return status;
}

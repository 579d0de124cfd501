/* cmd/doctor.c: what is wrong between a hub and the programs that talk to it. */
#include "cmd/doctor.h"

#include <stdio.h>

#include "cmd/commands.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "what this hub knows of its connected programs; with --product, the hub that is configured for",
     OPTIONS_ONCE},
    {"product", "NAME",
     "print a configuration to paste: sentinel, splunk, qradar, xsoar, elastic, opencti, misp or eclecticiq",
     OPTIONS_ONCE},
    {"member", "NAME", "with --product and --hub: the member that the product acts for", OPTIONS_ONCE},
    {"as", "FILE", "client file: of the member (with --product), or of the server to look at", OPTIONS_ONCE},
    {"user", "NAME", "with a URL: user name", OPTIONS_ONCE},
    {"password-file", "FILE", "with a URL: file with the password in its first line", OPTIONS_ONCE},
    {"ca", "FILE", "with a URL: authority of its certificate; standard: the system's", OPTIONS_ONCE},
    {"collection", "NAME", "with a URL: the collection to look at; standard: the first that may be read", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};
static const struct option_command command = {
    "doctor",
    "[MEMBER | URL]",
    0,
    1,
    "Tells what each connected program is, what goes wrong with it and what to change; prints a configuration for a\n"
    "product; or looks at somebody else's TAXII server and names what it gets wrong.\n"
    "Exit status 0: nothing found; 1: findings; 3: cannot connect.\n\n"
    "Example: tocsin doctor --hub north\n"
    "         tocsin doctor --hub north bank\n"
    "         tocsin doctor --product sentinel --as bank.yaml\n"
    "         tocsin doctor https://feed.example/taxii2/ --user me --password-file pw",
    rows,
    sizeof rows / sizeof rows[0]};

static void print_text(struct arena *a, struct json object, const char *name, const char *before)
{
    struct slice text = json_string(a, json_get(object, slice_of(name)));

    if (text.len != 0)
        printf("%s" SLICE_FMT, before, SLICE_ARG(text));
}

static int64_t number(struct json object, const char *name)
{
    int64_t n;

    return json_int(json_get(object, slice_of(name)), &n) ? n : 0;
}

static void print_requests(struct arena *a, struct json c)
{
    if (json_kind(json_get(c, SLICE("requests"))) == JSON_ARRAY)
        printf("  last requests (times to the minute; submissions are not listed):\n");
    json_each (r, json_get(c, SLICE("requests"))) {
        print_text(a, r, "at", "    ");
        printf("  %lld", (long long)number(r, "status"));
        print_text(a, r, "error", " ");
        printf("  %lld B  %lld ms", (long long)number(r, "bytes"), (long long)number(r, "took_ms"));
        print_text(a, r, "request", "  ");
        printf("\n");
    }
}

static bool print_client(struct arena *a, struct json c)
{
    bool found = false;

    struct slice name = json_string(a, json_get(c, SLICE("member")));
    if (name.len == 0)
        name = SLICE("(nobody)");
    printf(SLICE_FMT, SLICE_ARG(name));
    print_text(a, c, "is", ": ");
    print_text(a, c, "address", ", from ");
    print_text(a, c, "user_agent", "\n  User-Agent ");
    printf("\n  answered %lld, refused %lld, polls %lld", (long long)number(c, "answered"),
           (long long)number(c, "refused"), (long long)number(c, "polls"));
    if (number(c, "every_s") != 0)
        printf(" (every %lld s)", (long long)number(c, "every_s"));
    printf(", submissions %lld", (long long)number(c, "submissions"));
    print_text(a, c, "last", "; last seen ");
    printf("\n");
    json_each (f, json_get(c, SLICE("findings"))) {
        print_text(a, f, "what", "  ! ");
        print_text(a, f, "change", "\n    -> ");
        printf("\n");
        found = true;
    }
    print_requests(a, c);
    return found;
}

int doctor_clients(struct arena *a, const struct options *o)
{
    struct buf row = BUF_INIT;
    struct json list;
    bool found = false;

    json_put_open(&row, '{');
    if (o->n_operands == 1)
        json_put_text(&row, "name", o->operands[0]);
    json_put_close(&row, '}');
    int status = admin_ask(a, o, "clients", buf_slice(&row), &list);
    buf_free(&row);
    if (status != STATUS_DONE)
        return status;
    if (options_has(o, "json"))
        printf(SLICE_FMT "\n", SLICE_ARG(json_raw(list)));
    else if (json_count(list) == 0)
        printf("no request since the hub started%s\n", o->n_operands == 1 ? " by a member of this name" : "");
    json_each (c, list)
        found |= options_has(o, "json") ? json_count(json_get(c, SLICE("findings"))) != 0 : print_client(a, c);
    return found ? STATUS_REFUSED : STATUS_DONE;
}

int cmd_doctor(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    bool url = o.n_operands == 1 && slice_find(o.operands[0], SLICE("://")) < o.operands[0].len;
    if (options_has(&o, "product"))
        return doctor_product(&a, &o);
    if (url || (options_has(&o, "as") && !options_has(&o, "hub")))
        return doctor_server(&a, &o);
    if (options_has(&o, "hub"))
        return doctor_clients(&a, &o);
    fprintf(stderr, "tocsin doctor: --hub DIR, --product NAME, or the address of a server (--help tells more)\n");
    return STATUS_USAGE;
}

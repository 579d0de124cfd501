#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "cmd/admin.h"
#include "cmd/commands.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"since", "TIME", "what came since then: 2026-11-22T03:00:00Z, or 6h for hours ago", OPTIONS_REQUIRED},
    {"dry-run", NULL, "show what it would touch, and change nothing", OPTIONS_ONCE},
    {"yes", NULL, "do not ask", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};

static const struct option_command compromise = {
    "member compromise",
    "NAME",
    1,
    1,
    "A member's key was stolen: ends its passwords, tokens, certificates and its code for one (no revocation list is\n"
    "needed), with them its streams, and holds all that it sent since TIME: everybody else gets a restriction of it.\n"
    "Shows first what it would touch, and asks. Give the member a new credential with tocsin member credential add;\n"
    "what proves good comes back with tocsin member release.\n\n"
    "Example: tocsin member compromise bank --since 2026-11-22T03:00:00Z --hub hub-a --dry-run",
    rows,
    sizeof rows / sizeof rows[0]};

static const struct option_command release = {
    "member release",
    "NAME",
    1,
    1,
    "Gives back what tocsin member compromise holds of a member, as far as it came since TIME; who lost it reads it\n"
    "under a new id, since a revoked id is final. What is bad the member deletes first, with a new credential.\n\n"
    "Example: tocsin member release bank --since 2026-11-22T03:00:00Z --hub hub-a",
    rows,
    sizeof rows / sizeof rows[0]};

enum { KINDS_MAX = 256 }; /* of collection and type, that are told apart here */

struct told { /* of all answers together */
    struct slice since;
    int64_t credentials, streams, retracted, reports, members, partners, objects;
    struct slice names, kinds[KINDS_MAX], types[KINDS_MAX];
    int64_t counts[KINDS_MAX];
    size_t n_kinds;
    bool invitation, several; /* several: one answer did not hold all of it */
};

static int64_t number_of(struct json v, const char *name)
{
    int64_t n;

    return json_int(json_get(v, slice_of(name)), &n) ? n : 0;
}

static struct slice text_of(struct arena *a, struct json v, const char *name)
{
    struct slice text = json_string(a, json_get(v, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
}

static int64_t larger(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static void add_objects(struct arena *a, struct told *t, struct json answer)
{
    json_each (o, json_get(answer, SLICE("objects"))) {
        struct slice collection = text_of(a, o, "collection"), type = text_of(a, o, "type");
        size_t i = 0;
        t->objects += number_of(o, "count");
        while (i < t->n_kinds && (!slice_eq(t->kinds[i], collection) || !slice_eq(t->types[i], type)))
            i++;
        if (i == KINDS_MAX)
            continue;
        if (i == t->n_kinds) {
            t->kinds[i] = collection;
            t->types[i] = type;
            t->n_kinds++;
        }
        t->counts[i] += number_of(o, "count");
    }
}

static void add_answer(struct arena *a, struct told *t, struct json answer)
{
    struct json list = json_get(answer, SLICE("credentials"));
    bool invitation = false;

    t->since = text_of(a, answer, "since");
    if (json_count(list) != 0 && t->credentials == 0) {
        t->credentials = (int64_t)json_count(list);
        t->names = arena_copy(a, json_raw(list));
    }
    json_bool(json_get(answer, SLICE("invitation")), &invitation);
    t->invitation = t->invitation || invitation;
    t->streams = larger(t->streams, number_of(answer, "streams"));
    t->members = larger(t->members, number_of(answer, "members"));
    t->partners = larger(t->partners, number_of(answer, "partners"));
    t->retracted += number_of(answer, "retracted");
    t->reports += number_of(answer, "reports");
    t->several = t->several || number_of(answer, "next") != 0;
    add_objects(a, t, answer);
}

/* As often as it takes: the hub does so much at a time, and goes on with its other work in between. */
static int ask_all(struct arena *a, const struct options *o, bool back, int64_t since_us, bool dry_run, struct told *t)
{
    struct json answer;
    int64_t after = 0;
    int status;

    do {
        struct buf row = BUF_INIT;
        json_put_open(&row, '{');
        json_put_text(&row, "name", o->operands[0]);
        json_put_number(&row, "since_us", since_us);
        json_put_number(&row, "after", after);
        json_put_key(&row, SLICE("dry_run"));
        json_put_bool(&row, dry_run);
        json_put_close(&row, '}');
        status = admin_ask(a, o, back ? "member-release" : "member-compromise", buf_slice(&row), &answer);
        buf_free(&row);
        if (status == STATUS_DONE) {
            add_answer(a, t, answer);
            after = number_of(answer, "next");
        }
    } while (status == STATUS_DONE && after != 0);
    return status;
}

static void put_credentials(struct arena *a, const struct told *t, struct buf *out)
{
    struct json list;

    buf_printf(out, "  credentials that end: %lld", (long long)t->credentials);
    if (t->credentials != 0 && json_parse(a, t->names, NULL, &list, NULL) == 0) {
        const char *before = " (";
        json_each (c, list) {
            struct slice name = text_of(a, c, "name"), kind = text_of(a, c, "kind");
            buf_printf(out, "%s" SLICE_FMT ": " SLICE_FMT, before, SLICE_ARG(name), SLICE_ARG(kind));
            before = ", ";
        }
        buf_printf(out, ")");
    }
    buf_printf(out, "%s\n  streams that are cut: %lld\n", t->invitation ? ", and a code for a certificate" : "",
               (long long)t->streams);
}

static void print_text(struct arena *a, const struct options *o, bool back, bool done, const struct told *t)
{
    struct buf out = BUF_INIT;
    struct slice name = o->operands[0];

    buf_printf(&out, "member " SLICE_FMT ", what came since " SLICE_FMT "%s\n", SLICE_ARG(name), SLICE_ARG(t->since),
               done ? ": done" : "");
    if (!back)
        put_credentials(a, t, &out);
    buf_printf(&out, "  objects %s: %lld\n", back ? "given back" : done ? "held" : "to hold", (long long)t->objects);
    for (size_t i = 0; i < t->n_kinds; i++)
        buf_printf(&out, "    " SLICE_FMT " " SLICE_FMT ": %lld\n", SLICE_ARG(t->kinds[i]), SLICE_ARG(t->types[i]),
                   (long long)t->counts[i]);
    if (!back)
        buf_printf(&out,
                   "  may hold some of it: %s%lld members, %lld partner hubs\n"
                   "  sightings that count no more: %lld\n  retracted since then, which stays: %lld\n",
                   t->several ? "at least " : "", (long long)t->members, (long long)t->partners, (long long)t->reports,
                   (long long)t->retracted);
    fwrite(out.ptr, 1, out.len, stdout);
    fflush(stdout);
    buf_free(&out);
}

static void print_json(const struct options *o, bool back, bool done, const struct told *t)
{
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_put_text(&out, "member", o->operands[0]);
    json_put_text(&out, "since", t->since);
    json_put_key(&out, SLICE("done"));
    json_put_bool(&out, done);
    json_put_key(&out, SLICE("objects"));
    json_put_open(&out, '[');
    for (size_t i = 0; i < t->n_kinds; i++) {
        json_put_open(&out, '{');
        json_put_text(&out, "collection", t->kinds[i]);
        json_put_text(&out, "type", t->types[i]);
        json_put_number(&out, "count", t->counts[i]);
        json_put_close(&out, '}');
    }
    json_put_close(&out, ']');
    if (!back) {
        json_put_key(&out, SLICE("credentials"));
        json_put_raw(&out, t->credentials != 0 ? t->names : SLICE("[]"));
        json_put_key(&out, SLICE("invitation"));
        json_put_bool(&out, t->invitation);
        json_put_number(&out, "streams", t->streams);
        json_put_number(&out, "members", t->members);
        json_put_number(&out, "partners", t->partners);
        json_put_number(&out, "reports", t->reports);
        json_put_number(&out, "retracted", t->retracted);
    }
    json_put_close(&out, '}');
    printf(SLICE_FMT "\n", (int)out.len, out.ptr);
    buf_free(&out);
}

static void print_told(struct arena *a, const struct options *o, bool back, bool done, const struct told *t)
{
    if (options_has(o, "json"))
        print_json(o, back, done, t);
    else
        print_text(a, o, back, done, t);
}

static bool is_meant(const struct options *o, bool back)
{
    char line[16];

    fprintf(stderr, "%s this of member " SLICE_FMT "? Type yes: ", back ? "Give back" : "End and hold",
            SLICE_ARG(o->operands[0]));
    return fgets(line, sizeof line, stdin) != NULL && slice_eq(slice_of(line), SLICE("yes\n"));
}

static int run(struct arena *a, const struct options *o, bool back)
{
    static struct told before, after;
    struct slice text = options_get(o, "since");
    int64_t since_us, ago_us;
    struct err err = ERR_INIT;

    if (!time_parse(text, &since_us)) {
        if (!time_parse_duration(text, &ago_us)) {
            err_set(&err, ERR_USAGE, "--since", "a time such as 2026-11-22T03:00:00Z, or how long ago, such as 6h");
            return command_fail(&err);
        }
        since_us = time_now_us() - ago_us;
    }
    bool ask = !options_has(o, "yes") && !options_has(o, "dry-run");
    if (ask && isatty(STDIN_FILENO) != 1) {
        err_set(&err, ERR_USAGE, "--yes", "there is nobody to ask: --yes does it, --dry-run shows it");
        return command_fail(&err);
    }
    if (ask || options_has(o, "dry-run")) {
        int status = ask_all(a, o, back, since_us, true, &before);
        if (status != STATUS_DONE)
            return status;
        print_told(a, o, back, false, &before);
        if (options_has(o, "dry-run"))
            return STATUS_DONE;
    }
    if (ask && !is_meant(o, back)) {
        fprintf(stderr, "nothing was changed\n");
        return STATUS_REFUSED;
    }
    int status = ask_all(a, o, back, since_us, false, &after);
    if (status == STATUS_DONE)
        print_told(a, o, back, true, &after);
    return status;
}

int cmd_compromise(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    bool back = slice_eq(slice_of(argv[0]), SLICE("release"));
    struct options o;
    int status;

    if (!options_begin(&a, back ? &release : &compromise, argc, argv, &o, &status))
        return status;
    return run(&a, &o, back);
}

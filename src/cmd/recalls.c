#include "cmd/commands.h"

#include <stdio.h>

#include "base/time.h"
#include "cmd/admin.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"id", "ID", "of this object alone, by the id that others read", OPTIONS_ONCE},
    {"since", "TIME", "what was recalled since then: 2026-11-22T12:00:00Z, or 7d for days ago; standard: 24h",
     OPTIONS_ONCE},
    {"limit", "N", "recalls at most, the newest first; standard: 100, at most 1000", OPTIONS_ONCE},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};
static const struct option_command command = {
    "recalls",
    NULL,
    0,
    0,
    "Who has done what was recalled: one line a recall, and one for each recipient. A recipient is a sensor, a\n"
    "partner hub, or whatever else reads with a member's credential.\n\n"
    "  confirmed       it says so under its signature: its blocks are gone (of a hub: handed on)\n"
    "  delivered       it was given the recall, and has not confirmed it\n"
    "  waiting         it may hold the object and was not given the recall yet\n"
    "  lapsed          it was not there for longer than its blocks last\n"
    "  cannot confirm  a client that sends no receipts, whether it read the recall or not: never done\n\n"
    "Example: tocsin recalls --hub hub-a --since 7d",
    rows,
    sizeof rows / sizeof rows[0]};

static int read_since(const struct options *o, int64_t *since_out, struct err *err)
{
    struct slice text = options_get_or(o, "since", "24h");
    int64_t ago_us;

    if (time_parse(text, since_out))
        return 0;
    if (!time_parse_duration(text, &ago_us))
        return err_set(err, ERR_USAGE, "--since", "a time such as 2026-11-22T12:00:00Z, or how long ago, such as 7d");
    *since_out = time_now_us() - ago_us;
    return 0;
}

static int put_question(const struct options *o, struct buf *row, struct err *err)
{
    int64_t since_us;
    uint64_t limit = 100;

    if (read_since(o, &since_us, err) != 0)
        return -1;
    if (options_has(o, "limit") && (!slice_u64(options_get(o, "limit"), &limit) || limit < 1 || limit > 1000))
        return err_set(err, ERR_USAGE, "--limit", "a number from 1 to 1000");
    json_put_open(row, '{');
    json_put_number(row, "since_us", since_us);
    json_put_number(row, "limit", (int64_t)limit);
    if (options_has(o, "id"))
        json_put_text(row, "id", options_get(o, "id"));
    json_put_close(row, '}');
    return 0;
}

static struct slice text_of(struct arena *a, struct json v, const char *name)
{
    struct slice text = json_string(a, json_get(v, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
}

static int64_t number_of(struct json v, const char *name)
{
    int64_t n;

    return json_int(json_get(v, slice_of(name)), &n) ? n : 0;
}

/* To the second: what a person reads. */
static struct slice short_time(struct arena *a, struct slice time)
{
    return time.len > 19 ? arena_printf(a, SLICE_FMT "Z", SLICE_ARG(slice_to(time, 19))) : time;
}

static void print_recipient(struct arena *a, struct json r)
{
    struct slice who = text_of(a, r, "who"), kind = text_of(a, r, "kind"), state = text_of(a, r, "state");
    struct slice follower = slice_to(text_of(a, r, "follower"), 8), read = text_of(a, r, "delivered");
    struct slice reader = slice_eq(kind, SLICE("sensor")) ? arena_printf(a, "sensor " SLICE_FMT, SLICE_ARG(follower))
                          : slice_eq(kind, SLICE("hub"))  ? SLICE("partner hub")
                                                          : SLICE("other client");

    printf("    %-16.*s %-16.*s %-14.*s " SLICE_FMT, SLICE_ARG(who), SLICE_ARG(reader), SLICE_ARG(state),
           SLICE_ARG(short_time(a, text_of(a, r, "at"))));
    if (read.len != 0)
        printf("read it at " SLICE_FMT, SLICE_ARG(short_time(a, read)));
    if (number_of(r, "of") != 0)
        printf(", %lld of %lld of its own", (long long)number_of(r, "done"), (long long)number_of(r, "of"));
    printf("\n");
}

static void print_recall(struct arena *a, struct json recall)
{
    struct json counts = json_get(recall, SLICE("counts"));

    printf("%-20.*s %-8.*s " SLICE_FMT " in " SLICE_FMT ": ", SLICE_ARG(short_time(a, text_of(a, recall, "at"))),
           SLICE_ARG(text_of(a, recall, "kind")), SLICE_ARG(text_of(a, recall, "id")),
           SLICE_ARG(text_of(a, recall, "collection")));
    printf("%lld of %lld confirmed", (long long)number_of(counts, "confirmed"), (long long)number_of(counts, "all"));
    json_each (n, counts) {
        struct slice name = json_key(a, n);
        int64_t count;
        if (json_int(n, &count) && count != 0 && !slice_eq(name, SLICE("all")) && !slice_eq(name, SLICE("confirmed")))
            printf(", %lld " SLICE_FMT, (long long)count, SLICE_ARG(name));
    }
    printf("\n");
    json_each (r, json_get(recall, SLICE("recipients")))
        print_recipient(a, r);
}

static void print_answer(struct arena *a, const struct options *o, struct json answer)
{
    bool more = false;

    if (options_has(o, "json")) {
        printf(SLICE_FMT "\n", SLICE_ARG(json_raw(answer)));
        return;
    }
    json_each (recall, json_get(answer, SLICE("recalls")))
        print_recall(a, recall);
    if (json_count(json_get(answer, SLICE("recalls"))) == 0)
        printf("nothing was recalled\n");
    if (json_bool(json_get(answer, SLICE("more")), &more) && more)
        printf("... and more: ask with --id, --since or --limit\n");
}

int cmd_recalls(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct buf row = BUF_INIT;
    struct options o;
    struct json answer = {NULL, 0};
    struct err err = ERR_INIT;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (put_question(&o, &row, &err) != 0)
        status = options_fail(&command, &err);
    else
        status = admin_ask(&a, &o, "recalls", buf_slice(&row), &answer);
    buf_free(&row);
    if (status == STATUS_DONE)
        print_answer(&a, &o, answer);
    return status;
}

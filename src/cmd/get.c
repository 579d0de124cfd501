#include "cmd/commands.h"

#include <stdio.h>

#include "base/time.h"
#include "cmd/client.h"

static const struct option_row rows[] = {
    CLIENT_ROWS,
    {"id", "ID", "one object", OPTIONS_ONCE},
    {"type", "TYPE", "only this STIX type", OPTIONS_REPEATED},
    {"added-after", "TIME", "only what was published after", OPTIONS_ONCE},
    {"versions", "WORD", "last (the standard), first or all", OPTIONS_ONCE},
    {"manifest", NULL, "ids, versions and dates instead of the objects", OPTIONS_ONCE},
    {"limit", "N", "objects at most; standard: all", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON an object (the standard)", OPTIONS_ONCE},
};
static const struct option_command command = {
    "get",
    NULL,
    0,
    0,
    "Reads a collection page by page and prints one object a line.\n\nExample: tocsin get --as clinic.yaml --type "
    "indicator --added-after 2026-11-22T00:00:00Z",
    rows,
    sizeof rows / sizeof rows[0]};

static int fill_want(struct arena *a, const struct options *o, struct taxii_want *want, struct err *err)
{
    struct slice *types, versions = options_get_or(o, "versions", "last");
    size_t n = options_all(a, o, "type", &types);
    uint64_t limit = 0;

    *want =
        (struct taxii_want){.added_after_us = INT64_MIN, .object_id = options_get_or(o, "id", ""), .next = SLICE("")};
    want->part = options_has(o, "manifest") ? TAXII_MANIFEST : TAXII_OBJECTS;
    if (options_has(o, "added-after") && !time_parse(options_get(o, "added-after"), &want->added_after_us))
        return err_set(err, ERR_USAGE, "--added-after", "not a time (RFC 3339)");
    if (options_has(o, "limit") && (!slice_u64(options_get(o, "limit"), &limit) || limit == 0))
        return err_set(err, ERR_USAGE, "--limit", "a whole number from 1");
    want->versions = slice_eq(versions, SLICE("all"))     ? TAXII_ALL
                     : slice_eq(versions, SLICE("first")) ? TAXII_FIRST
                                                          : TAXII_LAST;
    for (size_t i = 0; i < n && i < TAXII_FILTER_MAX; i++)
        want->types.items[want->types.n++] = types[i];
    return 0;
}

/* An object on one line: JSON allows line ends between tokens only, where a blank does as well. */
static void print_line(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        putchar(text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i]);
    putchar('\n');
}

static int get_all(struct taxii_client *client, struct taxii_want *want, uint64_t limit)
{
    struct arena pages[2] = {ARENA_INIT, ARENA_INIT}; /* the next page's token lives in the last page's arena */
    struct err err = ERR_INIT;
    uint64_t n = 0;
    int status = STATUS_DONE;

    for (size_t turn = 0; status == STATUS_DONE; turn++) {
        struct arena *a = &pages[turn & 1];
        struct taxii_page page;
        arena_reset(a);
        want->limit = limit != 0 && limit - n < 1000 ? (uint32_t)(limit - n) : 1000;
        if (taxii_pull(client, a, want, &page, &err) != 0) {
            status = command_fail(&err);
            break;
        }
        json_each (object, page.objects) {
            print_line(json_raw(object));
            n++;
        }
        if (!page.more || page.next.len == 0 || (limit != 0 && n >= limit))
            break;
        want->next = page.next;
    }
    arena_free(&pages[0]);
    arena_free(&pages[1]);
    return status;
}

int cmd_get(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct taxii_client *client = NULL;
    struct taxii_want want;
    struct err err = ERR_INIT;
    uint64_t limit = 0;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    if (fill_want(&a, &o, &want, &err) != 0)
        return command_fail(&err);
    if (options_has(&o, "limit"))
        slice_u64(options_get(&o, "limit"), &limit);
    status = client_open(&a, &o, &client);
    if (status == STATUS_DONE)
        status = get_all(client, &want, limit);
    taxii_client_close(&client);
    return status;
}

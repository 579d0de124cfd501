#include "cmd/commands.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/client.h"

static const struct option_row rows[] = {
    CLIENT_ROWS,
    {"from", "EVENTID", "begin after this event; standard: at the beginning", OPTIONS_ONCE},
    {"count", "N", "end after so many events", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON an event", OPTIONS_ONCE},
};
static const struct option_command command = {
    "watch",
    NULL,
    0,
    0,
    "Follows a collection's stream and prints its events; comes back by itself after an outage, where it "
    "stopped.\n\nExample: tocsin watch --as clinic.yaml",
    rows,
    sizeof rows / sizeof rows[0]};

struct watch {
    bool json;
    struct buf last;
    uint64_t left;
};

static int print_event(void *arg, const struct http_event *e)
{
    struct watch *w = arg;
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct json data;

    buf_clear(&w->last);
    buf_put(&w->last, e->id);
    if (w->json) {
        printf("{\"event_id\":\"" SLICE_FMT "\",\"event\":\"" SLICE_FMT "\",\"data\":" SLICE_FMT "}\n",
               SLICE_ARG(e->id), SLICE_ARG(e->type), SLICE_ARG(e->data));
    } else if (json_parse(&a, e->data, &json_limits_default, &data, NULL) == 0) {
        struct slice date = json_string(&a, json_get(data, SLICE("date_added"))),
                     id = json_string(&a, json_get(data, SLICE("id")));
        struct slice pattern = json_string(&a, json_get(json_get(data, SLICE("object")), SLICE("pattern")));
        printf(SLICE_FMT " %-8.*s " SLICE_FMT " " SLICE_FMT "\n", SLICE_ARG(date), (int)e->type.len, e->type.ptr,
               SLICE_ARG(id), SLICE_ARG(pattern));
    }
    fflush(stdout);
    return w->left != 0 && --w->left == 0;
}

int cmd_watch(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct taxii_client *client = NULL;
    struct watch w = {.json = false};
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    w.json = options_has(&o, "json");
    if (options_has(&o, "count"))
        slice_u64(options_get(&o, "count"), &w.left);
    buf_put(&w.last, options_get_or(&o, "from", ""));
    status = client_open(&a, &o, &client);
    while (status == STATUS_DONE) {
        struct err err = ERR_INIT;
        if (taxii_follow(client, buf_slice(&w.last), 30000000, print_event, &w, &err) == 0)
            break;
        if (err.code != ERR_CONNECT && err.code != ERR_TIMEOUT && err.code != ERR_PEER && err.code != ERR_BUSY) {
            status = command_fail(&err);
            break;
        }
        fprintf(stderr, "tocsin: %s; trying again\n", err.text);
        sleep(1);
    }
    taxii_client_close(&client);
    buf_free(&w.last);
    return status;
}

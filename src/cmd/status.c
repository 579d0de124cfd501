#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/admin.h"

static const struct option_row rows[] = {
    {"hub", "DIR", "the hub's directory", OPTIONS_REQUIRED},
    {"json", NULL, "print JSON", OPTIONS_ONCE},
};
static const struct option_command command = {"status",
                                              NULL,
                                              0,
                                              0,
                                              "What a running hub says of itself: its id and public key (a partner's "
                                              "operator needs both), its address, ledger and links.\n\n"
                                              "Example: tocsin status --hub hub-a",
                                              rows,
                                              sizeof rows / sizeof rows[0]};

int cmd_status(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct json answer;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    status = admin_ask(&a, &o, "status", slice_n(NULL, 0), &answer);
    if (status == STATUS_DONE && options_has(&o, "json")) {
        printf(SLICE_FMT "\n", SLICE_ARG(json_raw(answer)));
    } else if (status == STATUS_DONE) {
        json_each (v, answer) {
            struct slice text = json_kind(v) == JSON_STRING ? json_string(&a, v) : json_raw(v);
            printf("%-12.*s " SLICE_FMT "\n", SLICE_ARG(json_key(&a, v)), SLICE_ARG(text));
        }
    }
    return status;
}

#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/options.h"

static const struct option_row rows[] = {{"json", NULL, "print JSON", OPTIONS_ONCE}};
static const struct option_command command = {
    "version", NULL, 0, 0, "Prints the version.\n\nExample: tocsin version --json", rows, 1};

int cmd_version(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    printf(options_has(&o, "json") ? "{\"name\":\"tocsin\",\"version\":\"%s\"}\n" : "tocsin %s\n", TOCSIN_VERSION);
    return STATUS_DONE;
}

/* cmd/main.c: the table of commands. */
#include <stdio.h>

#include "base/crypto.h"
#include "cmd/commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* NULL: not for people */
} commands[] = {
    {"init", cmd_init, "make a hub's directory, keys and certificates"},
    {"hub", cmd_hub, "run a hub"},
    {"sensor", cmd_sensor, "follow a hub, match telemetry, alert and block"},
    {"ca", cmd_ca, "an offline authority: certificates of hubs and members, revocation"},
    {"member", cmd_member, "add, remove and list members of a hub"},
    {"enrol", cmd_enrol, "come to a client certificate by the code that a hub's operator gave"},
    {"partner", cmd_partner, "agree with another hub, and follow it"},
    {"collection", cmd_collection, "add, change and list collections and their audiences"},
    {"recalls", cmd_recalls, "who has done what was recalled"},
    {"status", cmd_status, "what a running hub says of itself"},
    {"submit", cmd_submit, "submit STIX objects, or one pattern, to a hub"},
    {"get", cmd_get, "read objects of a collection"},
    {"pull", cmd_pull, "read any TAXII 2.1 server, bearing with what it gets wrong"},
    {"doctor", cmd_doctor, "what is wrong between a hub and the programs that talk to it"},
    {"watch", cmd_watch, "follow a collection's stream"},
    {"check", cmd_check, "check STIX 2.1 files"},
    {"convert", cmd_convert, "print STIX 2.0 files as STIX 2.1"},
    {"canon", cmd_canon, "print JSON in its canonical form"},
    {"match", cmd_match, "look for indicators in telemetry"},
    {"config", cmd_config, "print defaults and manuals of the configuration, check a file"},
    {"version", cmd_version, "print the version"},
    {"hub-core", cmd_hub_core, NULL},
    {"hub-keys", cmd_hub_keys, NULL},
};

static void print_usage(FILE *out)
{
    fprintf(out, "Tocsin: automated indicator sharing. Usage: tocsin COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (commands[i].help != NULL)
            fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\ntocsin COMMAND --help tells more, with an example. Exit status: 0 done, 1 refused or not all of "
                 "it, 2 wrong use,\n"
                 "3 cannot connect or no hub is running, 78 the configuration cannot be used.\n");
}

int main(int argc, char **argv)
{
    struct slice name = slice_of(argc > 1 ? argv[1] : "");
    struct err err = ERR_INIT;

    if (slice_eq(name, SLICE("--help")) || slice_eq(name, SLICE("-h")) || slice_eq(name, SLICE("help"))) {
        print_usage(stdout);
        return STATUS_DONE;
    }
    if (slice_eq(name, SLICE("--version")))
        name = SLICE("version");
    if (crypto_start(&err) != 0)
        return command_fail(&err);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (slice_eq(name, slice_of(commands[i].name)))
            return commands[i].run(argc - 1, argv + 1);
    if (argc > 1)
        fprintf(stderr, "tocsin: no command \"%s\"\n\n", argv[1]);
    print_usage(stderr);
    return STATUS_USAGE;
}

#include "cmd/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/monitor.h"
#include "cmd/options.h"
#include "hub/hub.h"

static const struct option_command command = {
    "hub",
    "DIR",
    1,
    1,
    "Runs the hub of that directory (made by tocsin init) in the foreground: a monitor, the keys process and the core. "
    "Events go to standard error, a JSON\n"
    "object a line. SIGTERM ends it, SIGHUP reads the certificate again.\n\nExample: tocsin hub /var/lib/tocsin/hub-a",
    NULL,
    0};

static size_t channels_for(const struct hub_settings *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t workers = s->workers > 0 ? (size_t)s->workers : (size_t)(cores > 2 ? cores : 2);

    return workers + 1; /* one for the committer */
}

int cmd_hub(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct hub_settings settings;
    struct options o;
    struct err err = ERR_INIT;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    struct slice dir = arena_copy(&a, o.operands[0]);
    if (hub_settings_read(&a, dir.ptr, &settings, &err) != 0)
        return command_fail(&err);
    struct monitor_conf conf = {.dir = dir.ptr, .listen = settings.listen, .n_channels = channels_for(&settings)};
    status = monitor_run(&conf, &err) == 0 ? STATUS_DONE : command_fail(&err);
    return status;
}

#include "cmd/commands.h"

#include <signal.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/time.h"
#include "cmd/options.h"
#include "sensor/sensor.h"

static const struct option_command command = {
    "sensor",
    "FILE",
    1,
    1,
    "Runs a member's sensor with the settings in FILE (tocsin config defaults sensor): follows the hub, matches "
    "telemetry, alerts and, where "
    "its member switched that on, blocks. SIGUSR1 writes the live set to live.txt in its state directory; SIGTERM ends "
    "it.\n\n"
    "`tocsin sensor release FILE` undoes blocks without the hub: see its own help.\n\n"
    "Example: tocsin sensor sensor.yaml",
    NULL,
    0};

static const struct option_row release_rows[] = {
    {"source", "HUB", "id of the hub that the indicators came from; without it: every hub", OPTIONS_ONCE},
    {"since", "TIME", "only what was loaded since then (2026-11-22T12:00:00Z, or 2h for two hours ago)", OPTIONS_ONCE},
};
static const struct option_command release_command = {
    "sensor release",
    "FILE",
    1,
    1,
    "Undoes blocks at once and without the hub, whether the sensor runs or not. What is released stays out, and only "
    "alerts, until its line is taken "
    "out of the file `released` in the state directory.\n\n"
    "Example: tocsin sensor release sensor.yaml --source 6f1c... --since 2h",
    release_rows,
    sizeof release_rows / sizeof release_rows[0]};

static int read_since(struct slice text, int64_t *since_us, struct err *err)
{
    int64_t ago_us;

    if (text.len == 0 || time_parse(text, since_us))
        return 0;
    if (!time_parse_duration(text, &ago_us))
        return err_set(err, ERR_USAGE, "--since", "\"" SLICE_FMT "\" is neither a time nor a duration",
                       SLICE_ARG(text));
    *since_us = time_now_us() - ago_us;
    return 0;
}

static int release(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct sensor_settings settings;
    struct options o;
    uint64_t released;
    int64_t since_us = 0;
    int status;

    if (!options_begin(&a, &release_command, argc, argv, &o, &status))
        return status;
    status = STATUS_DONE;
    if (read_since(options_get(&o, "since"), &since_us, &err) != 0 ||
        sensor_settings_read(&a, o.operands[0].ptr, &settings, &err) != 0 ||
        sensor_release(&settings, options_get_or(&o, "source", ""), since_us, &released, &err) != 0) {
        status = command_fail(&err);
    } else {
        printf("released: %llu\n", (unsigned long long)released);
    }
    arena_free(&a);
    return status;
}

/* The signals are taken here alone; the threads that start later inherit the mask. */
static void wait_for_signals(struct sensor *sensor, const sigset_t *signals)
{
    int got;

    while (sigwait(signals, &got) == 0 && got == SIGUSR1)
        sensor_write_live(sensor);
}

static void mask(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(struct arena *a, const char *path, struct err *err)
{
    struct sensor_settings settings;
    struct sensor *sensor;
    sigset_t signals;

    if (sensor_settings_read(a, path, &settings, err) != 0)
        return -1;
    mask(&signals);
    if (crypto_start(err) != 0 || log_open("sensor", settings.log.len != 0 ? settings.log.ptr : NULL, err) != 0)
        return -1;
    int result = sensor_start(&settings, &sensor, err);
    if (result == 0) {
        wait_for_signals(sensor, &signals);
        sensor_stop(&sensor);
    }
    log_close();
    return result;
}

int cmd_sensor(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct options o;
    int status;

    if (argc > 1 && slice_eq(slice_of(argv[1]), SLICE("release")))
        return release(argc - 1, argv + 1);
    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    status = STATUS_DONE;
    if (run(&a, o.operands[0].ptr, &err) != 0)
        status = command_fail(&err);
    arena_free(&a);
    return status;
}

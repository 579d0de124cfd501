#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/options.h"
#include "hub/hub.h"
#include "sensor/sensor.h"

static const struct option_command command = {
    "config",
    "defaults|manual|check hub|sensor|client [FILE]",
    2,
    3,
    "Prints the configuration of a hub, a sensor or a client file with its defaults, or as a manual; or checks a "
    "file.\n\nExample: tocsin config check hub hub-a/tocsin.yaml",
    NULL,
    0};

union any_settings {
    struct hub_settings hub;
    struct sensor_settings sensor;
    struct taxii_client_file client;
};

static const struct conf_field *fields_of(struct slice what, size_t *n_out)
{
    if (slice_eq(what, SLICE("hub"))) {
        *n_out = hub_settings_n_fields;
        return hub_settings_fields;
    }
    if (slice_eq(what, SLICE("sensor"))) {
        *n_out = sensor_settings_n_fields;
        return sensor_settings_fields;
    }
    *n_out = taxii_client_n_fields;
    return slice_eq(what, SLICE("client")) ? taxii_client_fields : NULL;
}

static int check_file(struct arena *a, const struct options *o, const struct conf_field *fields, size_t n)
{
    union any_settings settings;
    struct err err = ERR_INIT;

    if (o->n_operands != 3) {
        fprintf(stderr, "tocsin config check: name the FILE\n");
        return STATUS_USAGE;
    }
    if (conf_read(a, o->operands[2].ptr, fields, n, &settings, &err) != 0)
        return command_fail(&err);
    printf("good\n");
    return STATUS_DONE;
}

int cmd_config(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct buf out = BUF_INIT;
    size_t n;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    const struct conf_field *fields = fields_of(o.operands[1], &n);
    status = STATUS_DONE;
    if (fields == NULL) {
        fprintf(stderr, "tocsin config: hub, sensor or client\n");
        status = STATUS_USAGE;
    } else if (slice_eq(o.operands[0], SLICE("defaults"))) {
        conf_print_defaults(fields, n, &out);
    } else if (slice_eq(o.operands[0], SLICE("manual"))) {
        conf_print_manual(fields, n, &out);
    } else if (slice_eq(o.operands[0], SLICE("check"))) {
        status = check_file(&a, &o, fields, n);
    } else {
        fprintf(stderr, "tocsin config: defaults, manual or check\n");
        status = STATUS_USAGE;
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_free(&out);
    return status;
}

#include <stdio.h>

#include "cmd/commands.h"

int command_status(const struct err *err)
{
    switch (err->code) {
    case ERR_NONE:
        return STATUS_DONE;
    case ERR_USAGE:
        return STATUS_USAGE;
    case ERR_CONF_SYNTAX:
    case ERR_CONF_VALUE:
        return STATUS_CONFIG;
    case ERR_CONNECT:
    case ERR_TLS:
    case ERR_TIMEOUT:
        return STATUS_CONNECT;
    default:
        return STATUS_REFUSED;
    }
}

int command_fail(const struct err *err)
{
    fprintf(stderr, "tocsin: %s%s%s\n", err->place, err->place[0] != '\0' ? ": " : "", err->text);
    return command_status(err);
}

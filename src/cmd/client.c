#include "cmd/client.h"

#include "cmd/commands.h"

int client_open(struct arena *a, const struct options *o, struct taxii_client **client_out)
{
    struct taxii_client_file file;
    struct taxii_client_conf conf;
    struct err err = ERR_INIT;
    struct slice path = arena_copy(a, options_get(o, "as"));

    if (conf_read(a, path.ptr, taxii_client_fields, taxii_client_n_fields, &file, &err) != 0)
        return command_fail(&err);
    taxii_client_conf_from(&file, &conf);
    if (options_has(o, "collection"))
        conf.collection = options_get(o, "collection");
    return taxii_client_open(&conf, client_out, &err) == 0 ? STATUS_DONE : command_fail(&err);
}

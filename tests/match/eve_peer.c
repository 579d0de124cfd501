#include "eve_peer.h"

#include <jansson.h>
#include <stdio.h>

bool eve_peer(const char *line, size_t len, char values_out[EVE_PEER_FIELDS][EVE_PEER_TEXT])
{
    static const char *const paths[EVE_PEER_FIELDS][2] = {
        {"src_ip"}, {"dest_ip"}, {"http", "hostname"}, {"dns", "rrname"}, {"tls", "sni"}, {"fileinfo", "md5"},
    };
    json_t *root = json_loadb(line, len, 0, NULL);

    if (root == NULL)
        return false;
    for (size_t i = 0; i < EVE_PEER_FIELDS; i++) {
        json_t *at = json_object_get(root, paths[i][0]);
        if (paths[i][1] != NULL)
            at = json_object_get(at, paths[i][1]);
        snprintf(values_out[i], EVE_PEER_TEXT, "%s", json_is_string(at) ? json_string_value(at) : "");
    }
    json_decref(root);
    return true;
}

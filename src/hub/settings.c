#include <stddef.h>

#include "base/file.h"
#include "hub/hub.h"

#define AT(member) offsetof(struct hub_settings, member)

const struct conf_field hub_settings_fields[] = {
    {"name", CONF_TEXT, AT(name), NULL, "name of this hub, shown to its members", 0, 0},
    {"id", CONF_TEXT, AT(id), NULL, "identifier of this hub (UUID), made by tocsin init", 0, 0},
    {"country", CONF_TEXT, AT(country), "", "country of this hub (ISO 3166-1 alpha-2)", 0, 0},
    {"listen", CONF_TEXT, AT(listen), "127.0.0.1:6443", "address and port of the HTTPS server", 0, 0},
    {"url", CONF_TEXT, AT(url), "", "how members reach this hub; empty: https:// and the listen address", 0, 0},
    {"max_body", CONF_SIZE, AT(max_body), "10MiB", "largest envelope accepted in one request", 1024, 1 << 30},
    {"max_objects", CONF_INT, AT(max_objects), "10000", "most objects in one envelope", 1, 1000000},
    {"page_default", CONF_INT, AT(page_default), "1000", "objects in a page when the client names no limit", 1, 100000},
    {"page_max", CONF_INT, AT(page_max), "10000", "most objects in a page", 1, 100000},
    {"page_rows", CONF_INT, AT(page_rows), "100000",
     "rows read for one page at most, where match[version] leaves rows out", 100, 100000000},
    {"max_connections", CONF_INT, AT(max_connections), "20000", "most open connections", 1, 1000000},
    {"max_per_address", CONF_INT, AT(max_per_address), "1000", "most open connections from one address", 1, 1000000},
    {"default_valid_for", CONF_DURATION, AT(default_valid_for_us), "90d", "validity of indicators that name no end", 1,
     INT64_MAX},
    {"plain_http", CONF_BOOL, AT(plain_http), "no",
     "HTTP without TLS: on a loopback address only, for a proxy on the same machine or a test", 0, 0},
    {"api_key_header", CONF_TEXT, AT(api_key_header), "X-API-Key", "header that may carry a token; empty: none", 0, 0},
    {"requests_per_minute", CONF_INT, AT(requests), "0", "requests of one credential a minute; 0: no limit", 0,
     1000000000},
    {"objects_per_minute", CONF_INT, AT(objects), "0",
     "objects that one credential sends and reads a minute; 0: no limit", 0, 1000000000},
    {"token_life", CONF_DURATION, AT(token_life_us), "15m", "how long a token of /oauth2/token is good", 1000000,
     INT64_C(86400000000)},
    {"workers", CONF_INT, AT(workers), "0", "worker threads; 0: one a core", 0, 16},
};
const size_t hub_settings_n_fields = sizeof hub_settings_fields / sizeof hub_settings_fields[0];

int hub_settings_read(struct arena *a, const char *dir, struct hub_settings *out, struct err *err)
{
    struct slice path = file_join(a, dir, "tocsin.yaml");

    if (conf_read(a, path.ptr, hub_settings_fields, hub_settings_n_fields, out, err) != 0)
        return -1;
    if (out->plain_http && !slice_starts(out->listen, SLICE("127.")) && !slice_starts(out->listen, SLICE("[::1]:")))
        return err_set(err, ERR_CONF_VALUE, "/plain_http",
                       "passwords would cross the network in plain: listen on 127.0.0.1 or [::1]");
    if (out->url.len == 0)
        out->url = arena_printf(a, "%s://" SLICE_FMT, out->plain_http ? "http" : "https", SLICE_ARG(out->listen));
    return 0;
}

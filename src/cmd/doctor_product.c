/* cmd/doctor_product.c: configurations to paste, by the products' own words for their fields. In a text {origin} is
   https://host:port, {root} the API root's path with slashes, {rootname} its last part, {collection} the id, {title}
   its title, {user} the user name, {password} where the password stands, {member} the member's name. */
#include "cmd/doctor.h"

#include <stdio.h>

#include "cmd/commands.h"

static const struct {
    const char *name, *text;
} products[] = {
    {"sentinel",
     "Microsoft Sentinel: Data connectors > Threat intelligence - TAXII > Open connector page\n"
     "  Friendly name          {title}\n"
     "  API root URL           {origin}{root}\n"
     "  Collection ID          {collection}\n"
     "  Username               {user}\n"
     "  Password               {password}\n"
     "  Import indicators      All available, then Once a minute\n\n"
     "Switches for this member:\n"
     "  tocsin member change {member} --hub DIR --compat flatten --types indicator\n\n"
     "Traps\n"
     "  - It wants the API root, not discovery, and a collection id that is a UUID: an alias does not pass its form.\n"
     "  - It signs in with user and password only; no token, no client certificate.\n"
     "  - It comes from Microsoft's addresses: the hub must be reachable from there, by a certificate of a public\n"
     "    authority. An allow-list of addresses for this member must hold them all.\n"
     "  - It tells its user nothing when it fails: tocsin doctor --hub DIR {member} does.\n"},
    {"splunk",
     "Splunk Enterprise Security: Configure > Threat intelligence > Threat intelligence management > Add > TAXII 2.1\n"
     "  URL                    {origin}/taxii2/\n"
     "  API root               {rootname}\n"
     "  Collection             {collection}\n"
     "  Credential             stored for user {user}; {password}\n"
     "  Interval               60 seconds\n\n"
     "Splunk CTIS app (to submit): API root URL {origin}{root}, user {user}, {password}, collection {title}\n\n"
     "Switches for this member:\n"
     "  tocsin member change {member} --hub DIR --compat flatten --types indicator\n\n"
     "Traps\n"
     "  - Older releases take TAXII 1.x or 2.0 only.\n"
     "  - The CTIS app posts bundles with TLP definitions in them, and shows a collection grey where can_write is "
     "false:\n"
     "    add the member without --no-write. It waits up to 60 s for the status.\n"},
    {"qradar",
     "IBM QRadar Threat Intelligence app: Add Threat Feed > TAXII 2.1\n"
     "  TAXII Endpoint         {origin}/taxii2/\n"
     "  Version                2.1\n"
     "  Authentication         Basic, {user}, {password}\n"
     "  Collection             {title}  (after Discover)\n"
     "  Poll Interval          the shortest\n"
     "  Poll Initial Date      far enough back\n\n"
     "Switches for this member:\n"
     "  tocsin member change {member} --hub DIR --compat tlp1,flatten --types indicator\n\n"
     "Traps\n"
     "  - It connects and takes in nothing where its initial date lies behind all that is there: tocsin doctor says\n"
     "    \"all pages were empty\" then.\n"
     "  - The authority of the hub's certificate must be among those that the app trusts.\n"},
    {"xsoar", "Cortex XSOAR or XSIAM: Integrations > TAXII 2 Feed > Add instance\n"
              "  Discovery Service URL  {origin}/taxii2/\n"
              "  Username / API Key     {user}\n"
              "  Password               {password}\n"
              "  Default API Root       {rootname}\n"
              "  Collection Name To Fetch Indicators From   {title}\n"
              "  Incremental Feed       on\n"
              "  First Fetch Time       30 days\n"
              "  Feed Fetch Interval    1 minute\n\n"
              "Switches for this member:\n"
              "  tocsin member change {member} --hub DIR --compat tlp1,flatten\n\n"
              "Traps\n"
              "  - It chooses the collection by title: do not rename it.\n"
              "  - It knows the four TLP 1 markings alone: without tlp1 everything gets its default colour.\n"
              "  - It stops at the first page without objects.\n"
              "  - For a token: user _api_token_key, and the token as password; or _header:X-API-Key.\n"},
    {"elastic",
     "Elastic: Integrations > Custom Threat Intelligence (ti_custom) > Add > TAXII 2.1\n"
     "  URL                    {origin}{root}collections/{collection}/objects\n"
     "  Authentication         Basic: {user}, {password}   (or Bearer)\n"
     "  Initial interval       720h\n"
     "  Interval               1m\n"
     "  Page size              1000\n\n"
     "Switches for this member:\n"
     "  tocsin member change {member} --hub DIR --compat empty-list --types indicator\n\n"
     "Traps\n"
     "  - The address is that of the objects, without a slash at its end.\n"
     "  - Without empty-list it fails on each page without objects: it asks for a list that TAXII leaves out.\n"
     "  - It follows next without added_after; the hub's next holds the whole query, so nothing comes twice.\n"},
    {"opencti",
     "OpenCTI: Data > Ingestion > TAXII feeds > +\n"
     "  TAXII server URL       {origin}{root}\n"
     "  TAXII version          2.1\n"
     "  TAXII collection       {collection}\n"
     "  Authentication         Basic: {user}, {password}\n"
     "  Import from date       as far back as wanted\n\n"
     "connector-taxii2 instead: TAXII2_DISCOVERY_URL={origin}/taxii2/, TAXII2_USERNAME={user}, TAXII2_PASSWORD,\n"
     "  TAXII2_COLLECTIONS={rootname}.{title}, TAXII2_V21=true, TAXII2_INTERVAL=1\n\n"
     "Switches for this member: none are needed; TLP 2 is known since 5.4, before that: --compat tlp1\n\n"
     "Traps\n"
     "  - It ends a request after 30 s: tocsin member change {member} --hub DIR --page-size 500 on a slow line.\n"
     "  - The built-in feed takes one page a tick: the first fill takes a while.\n"},
    {"misp",
     "MISP: Sync Actions > List Taxii Servers > Add\n"
     "  Name                   {title}\n"
     "  Baseurl                {origin}\n"
     "  API Root               {rootname}\n"
     "  Collection             {collection}\n"
     "  API Key                base64 of {user}:PASSWORD ({password}):\n"
     "                         printf '%s' '{user}:PASSWORD' | base64\n\n"
     "Switches for this member:\n"
     "  tocsin member change {member} --hub DIR --compat empty-list,tlp1\n\n"
     "Traps\n"
     "  - It puts the slashes itself: no slash at the end of Baseurl or API Root.\n"
     "  - It shows a collection without objects as an error.\n"
     "  - To push, the member must be added without --no-write, and events need a distribution and a TLP tag.\n"},
    {"eclecticiq", "EclecticIQ Intelligence Center: Data configuration > Incoming feeds > + > Transport TAXII 2.1\n"
                   "  Auto discovery         on\n"
                   "  Discovery URL          {origin}/taxii2/\n"
                   "  API root URL           {origin}{root}\n"
                   "  Collection             {collection}\n"
                   "  Authentication         Basic: {user}, {password}\n"
                   "  Objects per request    1000\n"
                   "  Start ingesting from   as far back as wanted\n"
                   "  Execution schedule     every minute\n\n"
                   "Switches for this member: none are needed\n\n"
                   "Traps\n"
                   "  - It takes 100 objects a run where that is not changed: it falls behind in a burst.\n"
                   "  - It is strict about X-TAXII-Date-Added-Last; the hub sends six digits.\n"},
};
enum { N_PRODUCTS = sizeof products / sizeof products[0] };

void doctor_product_names(struct buf *out)
{
    for (size_t i = 0; i < N_PRODUCTS; i++)
        buf_printf(out, "%s%s", i != 0 ? ", " : "", products[i].name);
}

/* ---- filling in ---- */

struct words {
    const struct {
        const char *name;
        struct slice value;
    } items[8];
};

static struct slice last_part(struct slice root)
{
    while (slice_ends(root, SLICE("/")))
        root.len--;
    size_t at = root.len;
    while (at != 0 && root.ptr[at - 1] != '/')
        at--;
    return slice_from(root, at);
}

static struct slice origin_of(struct slice url)
{
    size_t host = slice_find(url, SLICE("://"));

    host = host < url.len ? host + 3 : 0;
    return slice_to(url, host + slice_find(slice_from(url, host), SLICE("/")));
}

static struct slice or_word(struct slice value, const char *standard)
{
    return value.len != 0 ? value : slice_of(standard);
}

static void fill(const char *text, const struct words *w, struct buf *out)
{
    struct slice rest = slice_of(text);

    while (rest.len != 0) {
        size_t at = slice_find(rest, SLICE("{"));
        buf_put(out, slice_to(rest, at));
        rest = slice_from(rest, at);
        if (rest.len == 0)
            return;
        size_t end = slice_find(rest, SLICE("}"));
        struct slice name = slice_n(rest.ptr + 1, end - 1);
        for (size_t i = 0; i < sizeof w->items / sizeof w->items[0]; i++)
            if (slice_eq(name, slice_of(w->items[i].name)))
                buf_put(out, w->items[i].value);
        rest = slice_from(rest, end + 1);
    }
}

bool doctor_product_put(struct slice product, const struct doctor_target *t, struct buf *out)
{
    struct arena a = ARENA_INIT;
    struct slice root = slice_ends(t->root, SLICE("/"))
                            ? t->root
                            : arena_printf(&a, SLICE_FMT "/", SLICE_ARG(or_word(t->root, "/tocsin")));
    if (!slice_starts(root, SLICE("/")))
        root = arena_printf(&a, "/" SLICE_FMT, SLICE_ARG(root));
    const struct words w = {{{"origin", origin_of(t->url)},
                             {"root", root},
                             {"rootname", last_part(root)},
                             {"collection", or_word(t->collection, "(an id of tocsin collection list)")},
                             {"title", or_word(t->title, "(its title)")},
                             {"user", or_word(t->user, "(none: a client certificate)")},
                             {"password", or_word(t->password_place, "the password in its client file")},
                             {"member", or_word(t->user, "MEMBER")}}};
    bool found = false;

    for (size_t i = 0; i < N_PRODUCTS; i++)
        if (slice_eq(product, slice_of(products[i].name))) {
            fill(products[i].text, &w, out);
            found = true;
        }
    arena_free(&a);
    return found;
}

/* ---- where to take it from ---- */

/* The title is asked of the hub; one that is not there now leaves a word in its place. */
static int target_of_file(struct arena *a, const struct options *o, struct doctor_target *t, struct err *err)
{
    struct taxii_client_file file;
    struct taxii_client_conf conf;
    struct taxii_client *client;
    struct json about;

    if (conf_read(a, options_get(o, "as").ptr, taxii_client_fields, taxii_client_n_fields, &file, err) != 0)
        return -1;
    *t = (struct doctor_target){file.url, file.root, file.collection, SLICE(""), file.user, SLICE("")};
    t->password_place = arena_printf(a, "the password in " SLICE_FMT, SLICE_ARG(options_get(o, "as")));
    taxii_client_conf_from(&file, &conf);
    if (taxii_client_open(&conf, &client, NULL) != 0)
        return 0;
    if (taxii_get(client, a, arena_printf(a, "collections/" SLICE_FMT "/", SLICE_ARG(file.collection)), &about, NULL) ==
        0) {
        t->collection = json_string(a, json_get(about, SLICE("id"))); /* an alias does not pass every form */
        t->title = json_string(a, json_get(about, SLICE("title")));
    }
    taxii_client_close(&client);
    return 0;
}

static int target_of_hub(struct arena *a, const struct options *o, struct doctor_target *t)
{
    struct json about, list;
    struct slice wanted = options_get_or(o, "collection", "");
    int status = admin_ask(a, o, "status", slice_n(NULL, 0), &about);

    if (status == STATUS_DONE)
        status = admin_ask(a, o, "collections", slice_n(NULL, 0), &list);
    if (status != STATUS_DONE)
        return status;
    *t = (struct doctor_target){.url = json_string(a, json_get(about, SLICE("url"))),
                                .root = SLICE("/tocsin/"),
                                .user = options_get_or(o, "member", "")};
    json_each (c, list) {
        struct slice id = json_string(a, json_get(c, SLICE("id"))), name = json_string(a, json_get(c, SLICE("name")));
        if (wanted.len != 0 ? !slice_eq(wanted, id) && !slice_eq(wanted, name) : t->collection.len != 0)
            continue;
        t->collection = id;
        t->title = json_string(a, json_get(c, SLICE("title")));
        if (t->title.len == 0)
            t->title = name;
    }
    return STATUS_DONE;
}

int doctor_product(struct arena *a, const struct options *o)
{
    struct doctor_target t = {.url = SLICE("https://HUB:6443"), .root = SLICE("/tocsin/")};
    struct buf out = BUF_INIT, names = BUF_INIT;
    struct err err = ERR_INIT;
    int status = STATUS_DONE;

    if (options_has(o, "as"))
        status = target_of_file(a, o, &t, &err) == 0 ? STATUS_DONE : command_fail(&err);
    else if (options_has(o, "hub"))
        status = target_of_hub(a, o, &t);
    if (status == STATUS_DONE && doctor_product_put(options_get(o, "product"), &t, &out)) {
        fwrite(out.ptr, 1, out.len, stdout);
    } else if (status == STATUS_DONE) {
        doctor_product_names(&names);
        fprintf(stderr, "tocsin doctor: --product: one of " SLICE_FMT "\n", SLICE_ARG(buf_slice(&names)));
        status = STATUS_USAGE;
    }
    buf_free(&out);
    buf_free(&names);
    return status;
}

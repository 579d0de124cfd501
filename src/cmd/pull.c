/* cmd/pull.c: objects from any TAXII 2.1 server, to standard output or into a hub. */
#include "cmd/commands.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "cmd/options.h"
#include "taxii/taxii.h"

enum { PULL_STATE_MAX = 512 << 20, PULL_OBJECTS = 1000, PULL_BYTES = 4 << 20, PULL_SAVE_US = 1000000 };
#define PULL_HISTORY_US (48 * 3600 * 1000000ll) /* what AIS keeps */

static const struct option_row rows[] = {
    {"from", "FILE|URL", "client file of the server, or its address (of discovery, an API root or a collection)",
     OPTIONS_REQUIRED},
    {"collection", "NAME", "collection id or alias there; standard: the client file's, or the only one",
     OPTIONS_REPEATED},
    {"user", "NAME", "with a URL: user name", OPTIONS_ONCE},
    {"password-file", "FILE", "with a URL: file with the password in its first line", OPTIONS_ONCE},
    {"ca", "FILE", "with a URL: authority of its certificate; standard: the system's", OPTIONS_ONCE},
    {"into", "FILE", "client file of a member of our hub: objects are submitted there, instead of printed",
     OPTIONS_ONCE},
    {"state", "DIR", "keep the position there: the next run brings what is new", OPTIONS_ONCE},
    {"since", "TIME", "without a state yet: only what was published after", OPTIONS_ONCE},
    {"type", "TYPE", "only this STIX type", OPTIONS_REPEATED},
    {"limit", "N", "objects a page asked for; standard: 1000", OPTIONS_ONCE},
    {"max-pages", "N", "end after so many pages (exit status 1); the next run goes on from there", OPTIONS_ONCE},
    {"max-time", "DURATION", "end after so long; standard: 24h", OPTIONS_ONCE},
    {"poll", "DURATION", "go on, with such a pause between runs, until ended by a signal", OPTIONS_ONCE},
};
static const struct option_command command = {
    "pull",
    NULL,
    0,
    0,
    "Reads collections of any TAXII 2.1 server, bearing with what servers get wrong, and prints each object version\n"
    "once as a line of JSON, or submits it to our hub as a member whose default marking was declared.\n"
    "Exit status 1 when an object was refused or held, or something was out of reach.\n\n"
    "Example: tocsin pull --from https://feed.example/taxii2/ --user me --password-file pw --collection alerts --state "
    "state\n"
    "         tocsin pull --from feed.yaml --into bank.yaml --state state --poll 60s",
    rows,
    sizeof rows / sizeof rows[0]};

static atomic_bool ended;

struct pull {
    struct arena arena;
    const struct options *options;
    struct taxii_client_conf conf;
    struct taxii_walk_conf walk_conf;
    struct taxii_filter types;
    struct taxii_client *client, *into;
    struct taxii_walk *walk;
    struct slice state, server; /* the state file; empty: none */
    int64_t saved_us, since_us, poll_us;
    uint64_t accepted, held, refused;
    uint64_t told; /* quirks */
};

static void on_signal(int number)
{
    (void)number;
    atomic_store(&ended, true);
}

static bool pause_for(void *arg, int64_t us)
{
    int64_t until = time_steady_us() + us;

    (void)arg;
    while (!atomic_load(&ended) && time_steady_us() < until)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
    return !atomic_load(&ended);
}

/* ---- where from ---- */

static int read_server(struct pull *p, struct err *err)
{
    const struct options *o = p->options;
    struct slice from = options_get(o, "from"), text;
    struct taxii_client_file file = {.url = from};

    if (slice_find(from, SLICE("://")) == from.len) {
        if (conf_read(&p->arena, from.ptr, taxii_client_fields, taxii_client_n_fields, &file, err) != 0)
            return -1;
    } else {
        file.user = options_get_or(o, "user", "");
        file.ca = options_get_or(o, "ca", "");
        if (options_has(o, "password-file")) {
            if (file_read(&p->arena, options_get(o, "password-file").ptr, 4096, &text, err) != 0)
                return -1;
            slice_cut(&text, '\n', &file.password);
            file.password = slice_trim(file.password);
        }
    }
    taxii_client_conf_from(&file, &p->conf);
    return 0;
}

/* The only collection that may be read, where none was named. */
static int choose_collection(struct pull *p, struct slice *id_out, struct err *err)
{
    struct json list;
    uint32_t n = 0;

    if (taxii_get(p->client, &p->arena, SLICE("collections/"), &list, err) != 0)
        return -1;
    json_each (c, json_get(list, SLICE("collections"))) {
        bool can_read = true;
        json_bool(json_get(c, SLICE("can_read")), &can_read);
        if (!can_read)
            continue;
        *id_out = json_string(&p->arena, json_get(c, SLICE("id")));
        fprintf(stderr, "collection " SLICE_FMT ": " SLICE_FMT "\n", SLICE_ARG(*id_out),
                SLICE_ARG(json_text(json_get(c, SLICE("title")))));
        n++;
    }
    return n == 1 ? 0
                  : err_set(err, ERR_USAGE, "--collection", "%s",
                            n == 0 ? "this server shows no collection to read" : "name one of them");
}

/* ---- state ---- */

static int load_state(struct pull *p, struct slice collection, struct err *err)
{
    struct slice dir = options_get(p->options, "state"), text;
    struct buf name = BUF_INIT, server = BUF_INIT;

    buf_printf(&server, SLICE_FMT " " SLICE_FMT, SLICE_ARG(p->conf.http.url), SLICE_ARG(collection));
    p->server = arena_copy(&p->arena, buf_slice(&server));
    p->state = SLICE("");
    for (size_t i = 0; i < server.len; i++) /* a name that any file system takes */
        if (slice_find(SLICE("/:?# \\\"'<>|*"), slice_n(server.ptr + i, 1)) < 12)
            server.ptr[i] = '_';
    buf_printf(&name, SLICE_FMT ".json", SLICE_ARG(buf_slice(&server)));
    int result = 0;
    if (dir.ptr != NULL) {
        struct slice path = file_join(&p->arena, dir.ptr, arena_copy(&p->arena, buf_slice(&name)).ptr);
        p->state = path;
        if (file_make_dir(dir.ptr, 0700, err) != 0 ||
            (file_exists(path.ptr) && (file_read(&p->arena, path.ptr, PULL_STATE_MAX, &text, err) != 0 ||
                                       taxii_walk_load(p->walk, text, p->server, err) != 0)))
            result = -1;
        else if (!file_exists(path.ptr) && p->since_us != INT64_MIN)
            taxii_walk_since(p->walk, p->since_us);
    } else if (p->since_us != INT64_MIN) {
        taxii_walk_since(p->walk, p->since_us);
    }
    buf_free(&name);
    buf_free(&server);
    return result;
}

static int save_state(struct pull *p, bool now, struct err *err)
{
    struct buf text = BUF_INIT;

    if (p->state.len == 0 || (!now && time_steady_us() - p->saved_us < PULL_SAVE_US))
        return 0;
    taxii_walk_save(p->walk, p->server, &text);
    int result = file_write_atomic(p->state.ptr, buf_slice(&text), 0600, err);
    buf_free(&text);
    p->saved_us = time_steady_us();
    return result;
}

/* ---- where to ---- */

/* An object on one line: JSON allows line ends between tokens only, where a blank does as well. */
static int print_all(const struct taxii_walk_page *page, struct err *err)
{
    for (size_t i = 0; i < page->n; i++) {
        struct slice text = json_raw(page->objects[i]);
        for (size_t k = 0; k < text.len; k++)
            putchar(text.ptr[k] == '\n' || text.ptr[k] == '\r' ? ' ' : text.ptr[k]);
        putchar('\n');
    }
    return fflush(stdout) == 0 ? 0 : err_set(err, ERR_SYSTEM, NULL, "standard output takes nothing more");
}

static void tell_details(struct arena *a, struct json list, const char *what)
{
    json_each (d, list) {
        struct slice id = json_string(a, json_get(d, SLICE("id"))),
                     message = json_string(a, json_get(d, SLICE("message")));
        fprintf(stderr, "%s " SLICE_FMT ": " SLICE_FMT "\n", what, SLICE_ARG(id), SLICE_ARG(message));
    }
}

static int submit_piece(struct pull *p, struct buf *piece, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct json status;
    int64_t n;

    buf_put(piece, SLICE("]}"));
    int result = taxii_push(p->into, &a, buf_slice(piece), 0, &status, err);
    for (int i = 0; result != 0 && (err->code == ERR_BUSY || err->code == ERR_TOO_MANY) && i < TAXII_WALK_WAITS &&
                    pause_for(NULL, 1000000ll << i);
         i++)
        result = taxii_push(p->into, &a, buf_slice(piece), 0, &status, err);
    if (result == 0) {
        *err = (struct err)ERR_INIT;
        p->accepted += json_int(json_get(status, SLICE("success_count")), &n) ? (uint64_t)n : 0;
        p->refused += json_int(json_get(status, SLICE("failure_count")), &n) ? (uint64_t)n : 0;
        p->held += json_int(json_get(status, SLICE("pending_count")), &n) ? (uint64_t)n : 0;
        tell_details(&a, json_get(status, SLICE("failures")), "refused");
        tell_details(&a, json_get(status, SLICE("pendings")), "held");
    }
    arena_free(&a);
    buf_clear(piece);
    return result;
}

static int submit_all(struct pull *p, const struct taxii_walk_page *page, struct err *err)
{
    struct buf piece = BUF_INIT;
    int result = 0;
    size_t n = 0;

    for (size_t i = 0; i < page->n && result == 0; i++) {
        struct slice raw = json_raw(page->objects[i]);
        if (n != 0 && (n == PULL_OBJECTS || piece.len + raw.len > PULL_BYTES)) {
            result = submit_piece(p, &piece, err);
            n = 0;
        }
        buf_put(&piece, n++ == 0 ? SLICE("{\"objects\":[") : SLICE(","));
        buf_put(&piece, raw);
    }
    if (n != 0 && result == 0)
        result = submit_piece(p, &piece, err);
    buf_free(&piece);
    return result;
}

static int take(void *arg, const struct taxii_walk_page *page, struct err *err)
{
    struct pull *p = arg;

    if (atomic_load(&ended))
        return err_set(err, ERR_UNAVAILABLE, NULL, "ended by a signal");
    /* What came before this page is durable where it went to. */
    if (save_state(p, false, err) != 0)
        return -1;
    return p->into != NULL ? submit_all(p, page, err) : print_all(page, err);
}

/* ---- runs ---- */

static void tell_quirks(struct pull *p)
{
    uint64_t quirks = taxii_client_quirks(p->client);

    for (int q = 0; q < TAXII_QUIRKS; q++)
        if ((quirks & ~p->told) >> q & 1)
            fprintf(stderr, "note: the server %s; tocsin %s\n", taxii_quirk_text(q)->what, taxii_quirk_text(q)->does);
    p->told |= quirks;
}

static int end_run(struct pull *p, int result, struct err *err)
{
    const struct taxii_walk_counts *c = taxii_walk_counts(p->walk);
    struct err saving = ERR_INIT;

    if (save_state(p, true, &saving) != 0 && result == 0)
        result = err_copy(err, &saving);
    tell_quirks(p);
    fprintf(stderr, "%llu objects in %llu pages, %llu known already", (unsigned long long)c->objects,
            (unsigned long long)c->pages, (unsigned long long)c->known);
    if (p->into != NULL)
        fprintf(stderr, "; accepted %llu, held %llu, refused %llu", (unsigned long long)p->accepted,
                (unsigned long long)p->held, (unsigned long long)p->refused);
    if (c->out_of_reach != 0)
        fprintf(stderr, "; %llu times the server would not give the rest", (unsigned long long)c->out_of_reach);
    fprintf(stderr, "\n");
    if (result != 0)
        return atomic_load(&ended) ? STATUS_DONE : command_fail(err);
    return c->out_of_reach + p->held + p->refused != 0 ? STATUS_REFUSED : STATUS_DONE;
}

static int pull_collection(struct pull *p, struct slice collection)
{
    struct err err = ERR_INIT;
    int status;

    p->conf.collection = collection.ptr != NULL ? collection : p->conf.collection;
    if (taxii_client_open(&p->conf, &p->client, &err) != 0)
        return command_fail(&err);
    struct slice id = p->conf.collection;
    if (id.len == 0 && slice_find(p->conf.http.url, SLICE("/collections/")) == p->conf.http.url.len) {
        if (choose_collection(p, &id, &err) != 0)
            return command_fail(&err);
        taxii_client_close(&p->client);
        p->conf.collection = id;
        if (taxii_client_open(&p->conf, &p->client, &err) != 0)
            return command_fail(&err);
    }
    p->walk = taxii_walk_new(p->client, &p->walk_conf);
    if (load_state(p, id, &err) != 0) {
        status = command_fail(&err);
    } else {
        do {
            err = (struct err)ERR_INIT;
            int result = taxii_walk_run(p->walk, take, p, &err);
            status = end_run(p, result, &err);
        } while (p->poll_us != 0 && pause_for(NULL, p->poll_us));
    }
    taxii_walk_free(&p->walk);
    taxii_client_close(&p->client);
    return status;
}

static int read_numbers(struct pull *p, struct err *err)
{
    const struct options *o = p->options;
    struct slice *types;
    size_t n = options_all(&p->arena, o, "type", &types);
    uint64_t limit = 0, pages = 0;

    p->since_us = INT64_MIN;
    if (options_has(o, "since") && !time_parse(options_get(o, "since"), &p->since_us))
        return err_set(err, ERR_USAGE, "--since", "not a time (RFC 3339), such as 2026-11-22T00:00:00Z");
    if (options_has(o, "limit") && (!slice_u64(options_get(o, "limit"), &limit) || limit == 0 || limit > 100000))
        return err_set(err, ERR_USAGE, "--limit", "a whole number from 1 to 100000");
    if (options_has(o, "max-pages") &&
        (!slice_u64(options_get(o, "max-pages"), &pages) || pages == 0 || pages > UINT32_MAX))
        return err_set(err, ERR_USAGE, "--max-pages", "a whole number from 1");
    if (options_has(o, "max-time") &&
        (!time_parse_duration(options_get(o, "max-time"), &p->walk_conf.max_us) || p->walk_conf.max_us <= 0))
        return err_set(err, ERR_USAGE, "--max-time", "a duration, such as 10m");
    if (options_has(o, "poll") && (!time_parse_duration(options_get(o, "poll"), &p->poll_us) || p->poll_us <= 0))
        return err_set(err, ERR_USAGE, "--poll", "a duration, such as 60s");
    if (p->since_us != INT64_MIN && time_now_us() - p->since_us > PULL_HISTORY_US)
        fprintf(stderr, "note: some servers (AIS) keep 48 hours only; what is older may be gone\n");
    if (n > TAXII_FILTER_MAX)
        return err_set(err, ERR_USAGE, "--type", "at most %d types", TAXII_FILTER_MAX);
    for (size_t i = 0; i < n; i++)
        p->types.items[p->types.n++] = types[i];
    p->walk_conf.limit = (uint32_t)limit;
    p->walk_conf.max_pages = (uint32_t)pages;
    p->walk_conf.types = &p->types;
    p->walk_conf.pause = pause_for;
    return 0;
}

static int open_into(struct pull *p, struct err *err)
{
    struct taxii_client_file file;
    struct taxii_client_conf conf;
    struct slice path = options_get(p->options, "into");

    if (path.ptr == NULL)
        return 0;
    if (conf_read(&p->arena, path.ptr, taxii_client_fields, taxii_client_n_fields, &file, err) != 0)
        return -1;
    taxii_client_conf_from(&file, &conf);
    return taxii_client_open(&conf, &p->into, err);
}

int cmd_pull(int argc, char **argv)
{
    static struct pull p; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct err err = ERR_INIT;
    struct slice *collections;
    int status;

    if (!options_begin(&p.arena, &command, argc, argv, &o, &status))
        return status;
    p.options = &o;
    size_t n = options_all(&p.arena, &o, "collection", &collections);
    if (n > 1 && options_has(&o, "poll"))
        err_set(&err, ERR_USAGE, "--poll", "follows one collection");
    else if (read_numbers(&p, &err) == 0 && read_server(&p, &err) == 0)
        open_into(&p, &err);
    if (err.code != ERR_NONE)
        return command_fail(&err);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    if (n == 0)
        status = pull_collection(&p, slice_n(NULL, 0));
    for (size_t i = 0; i < n; i++) {
        int one = pull_collection(&p, collections[i]);
        status = status != STATUS_DONE ? status : one;
    }
    taxii_client_close(&p.into);
    return status;
}

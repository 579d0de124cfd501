/* taxii/probe.c: looks at somebody else's server as a careful client would, and notes what it gets wrong. A dozen
   requests of a few objects each; nothing is written. */
#include "taxii/internal.h"

#include "base/crypto.h"

enum { PROBE_LIMIT = 10, PROBE_TRIES = 4 };
#define DAY_US (24 * 3600 * 1000000ll)

struct probe {
    struct taxii_client *client;
    struct arena *arena;
    struct taxii_probe *out;
    bool (*pause)(void *arg, int64_t us);
    void *arg;
    bool no_limit;
};

static void found(struct probe *p, enum taxii_quirk q)
{
    taxii_quirk(p->client, q);
}

/* Once more where the server is busy. */
static int pull(struct probe *p, struct taxii_want *want, struct taxii_page *page, struct err *err)
{
    want->limit = p->no_limit ? 0 : PROBE_LIMIT;
    for (int i = 1;; i++) {
        *err = (struct err)ERR_INIT;
        p->out->requests++;
        if (taxii_pull(p->client, p->arena, want, page, err) == 0)
            return 0;
        bool busy = page->status == 429 || page->status >= 500;
        if (!busy || i == PROBE_TRIES || !p->pause(p->arg, 1000000ll * i))
            return -1;
    }
}

static int ask(struct probe *p, const char *path, struct json *out, struct err *err)
{
    struct taxii_heard heard;
    struct slice whole = arena_printf(p->arena, SLICE_FMT "%s", SLICE_ARG(p->client->root), path);

    for (int i = 1;; i++) {
        *err = (struct err)ERR_INIT;
        p->out->requests++;
        if (taxii_ask(p->client, p->arena, whole, &heard, out, err) == 0)
            return 0;
        if ((heard.status != 429 && heard.status < 500) || i == PROBE_TRIES || !p->pause(p->arg, 1000000ll * i))
            return -1;
    }
}

static struct taxii_want want_from(int64_t after_us)
{
    return (struct taxii_want){.added_after_us = after_us, .versions = TAXII_LAST, .next = SLICE("")};
}

static bool is_uuid(struct slice text)
{
    size_t dashes = 0;

    for (size_t i = 0; i < text.len; i++)
        dashes += text.ptr[i] == '-';
    return text.len == 36 && dashes == 4;
}

/* ---- collections ---- */

static int choose(struct probe *p, struct err *err)
{
    struct json list;

    if (ask(p, "collections/", &list, err) != 0)
        return -1;
    json_each (c, json_get(list, SLICE("collections"))) {
        struct slice id = json_string(p->arena, json_get(c, SLICE("id"))),
                     alias = json_string(p->arena, json_get(c, SLICE("alias")));
        bool can_read = true;
        p->out->collections++;
        json_bool(json_get(c, SLICE("can_read")), &can_read);
        if (!is_uuid(id))
            found(p, TAXII_QUIRK_collection_id);
        bool wanted = p->client->collection.len != 0
                          ? slice_eq(p->client->collection, id) || slice_eq(p->client->collection, alias)
                          : can_read && p->out->collection.len == 0;
        if (wanted) {
            p->out->collection = id;
            p->out->title = json_string(p->arena, json_get(c, SLICE("title")));
        }
    }
    if (p->client->collection.len == 0)
        p->client->collection = arena_copy(&p->client->arena, p->out->collection);
    return p->client->collection.len != 0
               ? 0
               : err_set(err, ERR_NOT_FOUND, NULL, "this user is shown no collection to read");
}

/* ---- pages ---- */

static struct slice id_at(const struct taxii_page *page, uint32_t at)
{
    uint32_t i = 0;

    json_each (o, page->objects)
        if (i++ == at)
            return json_text(json_get(o, SLICE("id")));
    return SLICE("");
}

static bool holds(const struct taxii_page *page, struct slice id)
{
    json_each (o, page->objects)
        if (slice_eq(json_text(json_get(o, SLICE("id"))), id))
            return true;
    return false;
}

static bool is_same(const struct taxii_page *a, const struct taxii_page *b)
{
    return json_count(a->objects) == json_count(b->objects) && json_count(a->objects) != 0 &&
           slice_eq(id_at(a, 0), id_at(b, 0));
}

static void look_at_objects(struct probe *p, const struct taxii_page *page)
{
    json_each (o, page->objects) {
        bool versioned = json_kind(json_get(o, SLICE("created"))) == JSON_STRING;
        if (versioned && !slice_eq(json_text(json_get(o, SLICE("spec_version"))), SLICE("2.1")))
            found(p, TAXII_QUIRK_stix_version);
    }
    if (page->last_us == 0 && json_count(page->objects) != 0 && !(p->client->quirks >> TAXII_QUIRK_date_form & 1))
        found(p, TAXII_QUIRK_date_missing);
    if (page->first_us > page->last_us && page->last_us != 0)
        found(p, TAXII_QUIRK_unsorted);
}

static int first_page(struct probe *p, struct taxii_page *page, struct err *err)
{
    struct taxii_want want = want_from(INT64_MIN);

    if (pull(p, &want, page, err) != 0) {
        if (page->status != 400)
            return -1;
        p->no_limit = true;
        if (pull(p, &want, page, err) != 0)
            return -1;
        found(p, TAXII_QUIRK_limit_refused);
    }
    uint32_t n = json_count(page->objects);
    p->out->objects = n;
    p->out->oldest_us = page->first_us;
    look_at_objects(p, page);
    if (page->more && !page->guessed && page->next.len == 0)
        found(p, TAXII_QUIRK_next_missing);
    if (page->more && n != 0 && n < PROBE_LIMIT && !p->no_limit)
        found(p, TAXII_QUIRK_page_cut);
    return 0;
}

/* The second page, and once more: the same? */
static void follow_next(struct probe *p, const struct taxii_page *first)
{
    struct taxii_want want = want_from(INT64_MIN);
    struct taxii_page second, again;
    struct err err;

    if (first->next.len == 0 || !first->more)
        return;
    want.next = first->next;
    if (pull(p, &want, &second, &err) != 0)
        return;
    if (is_same(first, &second))
        found(p, TAXII_QUIRK_repeats);
    if (second.more && slice_eq(second.next, first->next))
        found(p, TAXII_QUIRK_next_repeated);
    else if (pull(p, &want, &again, &err) != 0 || (!is_same(&second, &again) && json_count(second.objects) != 0))
        found(p, TAXII_QUIRK_next_consumed);
}

static void look_at_added_after(struct probe *p, const struct taxii_page *first)
{
    uint32_t n = json_count(first->objects);
    struct taxii_want want = want_from(first->last_us);
    struct taxii_page page;
    struct err err;

    if (first->last_us != 0 && n != 0 && pull(p, &want, &page, &err) == 0) {
        if (first->first_us < first->last_us && holds(&page, id_at(first, 0)))
            found(p, TAXII_QUIRK_after_ignored);
        else if (first->unit_us == 1 && holds(&page, id_at(first, n - 1)))
            found(p, TAXII_QUIRK_after_inclusive);
    }
    want = want_from(time_now_us() + DAY_US);
    if (pull(p, &want, &page, &err) != 0)
        return;
    if (json_count(page.objects) != 0)
        found(p, TAXII_QUIRK_after_ignored);
    else if (page.more)
        found(p, TAXII_QUIRK_more_empty);
}

static void look_at_manifest(struct probe *p)
{
    struct taxii_want want = want_from(INT64_MIN);
    struct taxii_page page;
    struct err err;

    want.part = TAXII_MANIFEST;
    if (pull(p, &want, &page, &err) != 0)
        found(p, TAXII_QUIRK_manifest_missing);
    else if (page.more && !page.guessed && page.next.len == 0)
        found(p, TAXII_QUIRK_manifest_next_missing);
}

static void look_at_versions(struct probe *p, const struct taxii_page *first)
{
    struct taxii_want want = want_from(INT64_MIN);
    struct taxii_page page;
    struct err err;

    want.part = TAXII_VERSIONS;
    want.object_id = id_at(first, 0);
    if (want.object_id.len != 0 && pull(p, &want, &page, &err) != 0)
        found(p, TAXII_QUIRK_versions_missing);
}

/* What errors look like: of something that is not there, and without a password. */
static void look_at_errors(struct probe *p, const struct taxii_client_conf *conf)
{
    struct http_client_conf bare = conf->http;
    struct http_client *mine = p->client->http, *other;
    struct json ignored;
    struct err err;
    char id[36];

    crypto_uuid_random(id);
    struct slice path = arena_printf(p->arena, "collections/%.36s/", id);
    ask(p, path.ptr, &ignored, &err);
    bare.url = p->client->origin;
    bare.user = bare.password = bare.cert = bare.key = SLICE("");
    if (conf->http.user.len + conf->http.password.len == 0 || http_client_open(&bare, &other, &err) != 0)
        return;
    p->client->http = other;
    ask(p, "collections/", &ignored, &err);
    p->client->http = mine;
    http_client_close(&other);
}

/* ---- all of it ---- */

static int look(struct probe *p, const struct taxii_client_conf *conf, struct err *err)
{
    struct json about;
    struct taxii_page first;

    if (ask(p, "", &about, err) != 0 || choose(p, err) != 0 || first_page(p, &first, err) != 0)
        return -1;
    follow_next(p, &first);
    look_at_added_after(p, &first);
    look_at_manifest(p);
    look_at_versions(p, &first);
    look_at_errors(p, conf);
    return 0;
}

int taxii_probe(const struct taxii_client_conf *conf, struct arena *a, bool (*pause)(void *arg, int64_t us), void *arg,
                struct taxii_probe *out, struct err *err)
{
    struct probe p = {.arena = a, .out = out, .pause = pause, .arg = arg};

    *out = (struct taxii_probe){.root = SLICE(""), .collection = SLICE(""), .title = SLICE("")};
    if (taxii_client_make(conf, &p.client, err) != 0)
        return -1;
    int result = 0;
    for (int i = 1; (result = taxii_client_find_root(p.client, conf, err)) != 0; i++)
        if ((err->code != ERR_BUSY && err->code != ERR_TOO_MANY) || i == PROBE_TRIES || !pause(arg, 1000000ll * i))
            break;
    out->root = arena_copy(a, p.client->root);
    if (result == 0)
        result = look(&p, conf, err);
    out->quirks = p.client->quirks;
    taxii_client_close(&p.client);
    return result;
}

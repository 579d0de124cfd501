/* hub/taxii.c: the TAXII door: the backend that gives the protocol (taxii/) its meaning. Calls come on a loop and are
 * handed to a worker at once. */
#include "hub/internal.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    DOORS_CACHE = 4096,          /* sign-ins remembered */
    DOORS_CACHE_US = 300000000,  /* for five minutes, or until the password changes */
    DOORS_FAILURES = 10,         /* wrong passwords a user and minute, then 429 */
    DOORS_WAITING = 64,          /* password checks waiting: each takes 20 ms */
    PAGE_BYTES = 8 * 1024 * 1024 /* of objects in one page, whatever the limit says */
};

struct cached {
    uint8_t mac[CRYPTO_MAC];
    uint64_t password; /* hash of the stored hash that it was checked against: a changed or removed one ends it */
    int64_t until_us;
    struct hub_party *party;
};
struct failures {
    uint64_t user; /* hash */
    int64_t since_us;
    uint32_t n;
};
struct hub_doors {
    pthread_mutex_t lock;  /* of the tables */
    pthread_mutex_t argon; /* one password check at a time: 19 MiB each */
    struct cached cache[DOORS_CACHE];
    struct failures failures[256];
    atomic_int waiting;
};

struct hub_doors *hub_doors_new(void)
{
    struct hub_doors *d = mem_zero(1, sizeof *d);

    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->argon, NULL);
    return d;
}

void hub_doors_free(struct hub_doors **doors)
{
    struct hub_doors *d = *doors;

    *doors = NULL;
    if (d == NULL)
        return;
    for (size_t i = 0; i < DOORS_CACHE; i++)
        hub_party_drop(&d->cache[i].party);
    free(d);
}

/* ---- sign-in: Basic (RFC 7617); a verified password is remembered under a keyed hash for a short life ---- */

struct credential {
    struct slice user, password;
    uint8_t mac[CRYPTO_MAC];
    uint64_t user_hash;
};

static int read_credential(struct hub *h, const struct http_head *head, struct arena *a, struct credential *out,
                           struct err *err)
{
    struct slice header = slice_trim(http_head_get(head, SLICE("Authorization")));
    struct buf plain = BUF_INIT;

    if (header.ptr == NULL || header.len == 0)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this needs a user name and a password (Basic authentication)");
    if (header.len < 6 || !slice_eq_nocase(slice_to(header, 6), SLICE("Basic ")) ||
        !crypto_base64(slice_trim(slice_from(header, 6)), false, &plain)) {
        buf_free(&plain);
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "the Authorization header is not Basic authentication");
    }
    struct slice text = arena_copy(a, buf_slice(&plain));
    crypto_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    struct slice rest = text;
    slice_cut(&rest, ':', &out->user);
    out->password = rest.ptr != NULL ? rest : SLICE("");
    crypto_mac(h->token_key, text, out->mac);
    out->user_hash = hub_id_hash(out->user);
    return 0;
}

/* Of the hash that the directory holds for this viewer now; 0: there is no such party any more. */
static uint64_t password_now(struct hub *h, uint32_t viewer)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member_of(d, viewer);
    const struct hub_partner *p = m == NULL ? hub_directory_partner_of(d, viewer) : NULL;
    uint64_t hash = m != NULL ? hub_id_hash(m->password) : p != NULL ? hub_id_hash(p->password) : 0;

    hub_directory_drop(&d);
    return hash;
}

static struct hub_party *cache_find(struct hub *h, const struct credential *c)
{
    struct hub_doors *d = h->doors;
    struct cached *slot = &d->cache[c->mac[0] | (c->mac[1] & 15) << 8];
    struct hub_party *party = NULL;
    uint64_t password = 0;

    pthread_mutex_lock(&d->lock);
    if (slot->party != NULL && slot->until_us > time_steady_us() && crypto_equal(slot->mac, c->mac, CRYPTO_MAC)) {
        party = hub_party_hold(slot->party);
        password = slot->password;
    }
    pthread_mutex_unlock(&d->lock);
    if (party != NULL && password_now(h, party->viewer) != password)
        hub_party_drop(&party);
    return party;
}

static void cache_put(struct hub *h, const struct credential *c, uint64_t password, struct hub_party *party)
{
    struct hub_doors *d = h->doors;
    struct cached *slot = &d->cache[c->mac[0] | (c->mac[1] & 15) << 8];

    pthread_mutex_lock(&d->lock);
    hub_party_drop(&slot->party);
    *slot = (struct cached){
        .password = password, .until_us = time_steady_us() + DOORS_CACHE_US, .party = hub_party_hold(party)};
    memcpy(slot->mac, c->mac, CRYPTO_MAC);
    pthread_mutex_unlock(&d->lock);
}

/* Counts a failure, or asks whether there were too many. */
static bool too_many_failures(struct hub *h, const struct credential *c, bool failed)
{
    struct hub_doors *d = h->doors;
    struct failures *f = &d->failures[c->user_hash & 255];
    int64_t now = time_steady_us();

    pthread_mutex_lock(&d->lock);
    if (f->user != c->user_hash || now - f->since_us > 60000000)
        *f = (struct failures){c->user_hash, now, 0};
    f->n += failed;
    bool too_many = f->n > DOORS_FAILURES;
    pthread_mutex_unlock(&d->lock);
    return too_many;
}

/* An unknown user costs as much time as a wrong password: this is the hash that it is checked against. */
static const struct slice nobody =
    SLICE_INIT("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

static struct hub_party *check_password(struct hub *h, const struct credential *c)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member(d, c->user);
    const struct hub_partner *p = m == NULL ? hub_directory_partner(d, c->user) : NULL;
    struct slice hash = m != NULL ? m->password : p != NULL ? p->password : nobody;
    struct hub_party *party = NULL;

    pthread_mutex_lock(&h->doors->argon);
    bool good = crypto_password_check(c->password, hash);
    pthread_mutex_unlock(&h->doors->argon);
    if (good && m != NULL)
        party = hub_party_new(HUB_PARTY_MEMBER, m->viewer, m->owner, m->name);
    else if (good && p != NULL)
        party = hub_party_new(HUB_PARTY_PARTNER, p->viewer, 0, p->name);
    if (party != NULL)
        cache_put(h, c, hub_id_hash(hash), party);
    hub_directory_drop(&d);
    return party;
}

static bool is_write(const struct http_head *head)
{
    return slice_eq(head->method, SLICE("POST"));
}

/* Before a body is read: may this party write there? */
static int may_write(struct hub *h, const struct hub_party *party, struct taxii_reply *reply, struct err *err)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_member *m = hub_directory_member_of(d, party->viewer);
    int result = 0;

    if (hub_directory_collection(d, taxii_reply_want(reply)->collection) == NULL)
        result = err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    else if (m == NULL || !m->may_write)
        result = err_set(err, ERR_FORBIDDEN, NULL, "this credential may not submit to this collection");
    hub_directory_drop(&d);
    return result;
}

static void finish_sign_in(struct hub_worker *w, void *arg)
{
    struct taxii_reply *reply = arg;
    struct credential c;
    struct err err = ERR_INIT;
    struct hub_party *party = NULL;

    if (read_credential(w->hub, taxii_reply_head(reply), &w->arena, &c, &err) == 0) {
        party = check_password(w->hub, &c);
        if (party == NULL) {
            too_many_failures(w->hub, &c, true);
            err_set(&err, ERR_UNAUTHENTICATED, NULL, "the user name or the password is wrong");
            log_event("sign_in_refused", TEXT("peer", taxii_reply_head(reply)->peer));
        } else if (is_write(taxii_reply_head(reply)) && may_write(w->hub, party, reply, &err) != 0) {
            hub_party_drop(&party);
        }
    }
    atomic_fetch_sub(&w->hub->doors->waiting, 1);
    taxii_signed_in(reply, (struct taxii_who *)party, party != NULL ? NULL : &err);
}

static int sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err)
{
    struct hub *h = hub;
    struct arena scratch = ARENA_INIT;
    struct credential c;
    int result = 0;

    if (atomic_load(&h->stopping))
        return err_set(err, ERR_UNAVAILABLE, NULL, "this hub is stopping");
    if (read_credential(h, taxii_reply_head(reply), &scratch, &c, err) != 0) {
        result = -1;
    } else {
        struct hub_party *party = cache_find(h, &c);
        if (party != NULL && is_write(taxii_reply_head(reply)) && may_write(h, party, reply, err) != 0) {
            hub_party_drop(&party);
            result = -1;
        } else if (party != NULL) {
            *who_out = (struct taxii_who *)party;
        } else if (too_many_failures(h, &c, false)) {
            result = err_set(err, ERR_TOO_MANY, NULL, "too many wrong passwords for this user: wait a minute");
        } else if (atomic_fetch_add(&h->doors->waiting, 1) >= DOORS_WAITING ||
                   !hub_work(h, c.user_hash, true, finish_sign_in, reply)) {
            atomic_fetch_sub(&h->doors->waiting, 1);
            result = err_set(err, ERR_BUSY, NULL, "");
        } else {
            result = HTTP_LATER;
        }
    }
    arena_free(&scratch);
    return result;
}

static void sign_out(void *hub, struct taxii_who **who)
{
    struct hub_party *party = (struct hub_party *)*who;

    *who = NULL;
    hub_party_drop(&party);
}

static uint64_t max_body(void *hub, struct taxii_who *who)
{
    return ((struct hub *)hub)->settings.max_body;
}

/* ---- requests: from the loop to a worker ---- */

struct visit {
    struct hub_party *party;
    struct taxii_reply *reply;
    enum taxii_describe what;
    void (*run)(struct hub_worker *w, struct visit *v);
};

static void run_visit(struct hub_worker *w, void *arg)
{
    struct visit *v = arg;

    v->run(w, v);
    hub_party_drop(&v->party);
    free(v);
}

static void hand_over(void *hub, struct taxii_who *who, struct taxii_reply *reply, enum taxii_describe what,
                      void (*run)(struct hub_worker *, struct visit *))
{
    struct hub_party *party = (struct hub_party *)who;
    struct visit *v = mem_alloc(sizeof *v);
    struct err err;

    *v = (struct visit){hub_party_hold(party), reply, what, run};
    if (hub_work(hub, party != NULL ? party->owner + party->viewer : 0, true, run_visit, v))
        return;
    hub_party_drop(&v->party);
    free(v);
    err_set(&err, ERR_BUSY, NULL, "");
    taxii_reply_error(reply, &err);
}

static void reply_buf(struct taxii_reply *reply, int status, struct buf *body)
{
    taxii_reply_json(reply, status, buf_ref_take(body));
}

/* ---- describing ---- */

static void put_media_types(struct buf *out)
{
    json_put_key(out, SLICE("media_types"));
    json_put_open(out, '[');
    json_put_string(out, SLICE("application/stix+json;version=2.1"));
    json_put_close(out, ']');
}

static void put_collection(const struct hub_view *v, const struct hub_collection *c, struct buf *out)
{
    const struct hub_member *m = hub_directory_member_of(v->directory, v->viewer);

    json_put_open(out, '{');
    json_put_text(out, "id", c->id);
    json_put_text(out, "title", c->title.len != 0 ? c->title : c->name);
    if (c->description.len != 0)
        json_put_text(out, "description", c->description);
    json_put_text(out, "alias", c->name);
    json_put_key(out, SLICE("can_read"));
    json_put_bool(out, true);
    json_put_key(out, SLICE("can_write"));
    json_put_bool(out, m != NULL && m->may_write);
    put_media_types(out);
    json_put_close(out, '}');
}

static void put_discovery(struct hub *h, struct buf *out)
{
    struct buf root = BUF_INIT;

    buf_printf(&root, SLICE_FMT "/tocsin/", SLICE_ARG(h->settings.url));
    json_put_open(out, '{');
    json_put_text(out, "title", h->settings.name);
    json_put_text(out, "default", buf_slice(&root));
    json_put_key(out, SLICE("api_roots"));
    json_put_open(out, '[');
    json_put_string(out, buf_slice(&root));
    json_put_close(out, ']');
    json_put_close(out, '}');
    buf_free(&root);
}

static void put_root(struct hub *h, struct buf *out)
{
    json_put_open(out, '{');
    json_put_text(out, "title", h->settings.name);
    json_put_key(out, SLICE("versions"));
    json_put_open(out, '[');
    json_put_string(out, SLICE("application/taxii+json;version=2.1"));
    json_put_close(out, ']');
    json_put_number(out, "max_content_length", (int64_t)h->settings.max_body);
    json_put_close(out, '}');
}

static void put_collections(const struct hub_view *v, struct buf *out)
{
    json_put_open(out, '{');
    for (size_t i = 0; i < v->directory->n_collections; i++) {
        if (i == 0) {
            json_put_key(out, SLICE("collections"));
            json_put_open(out, '[');
        }
        put_collection(v, &v->directory->collections[i], out);
    }
    if (v->directory->n_collections != 0)
        json_put_close(out, ']');
    json_put_close(out, '}');
}

static int put_description(struct hub_view *v, struct visit *visit, struct buf *out, struct err *err)
{
    const struct taxii_want *want = taxii_reply_want(visit->reply);
    const struct hub_collection *c;
    struct slice status;
    uint64_t envelope;

    switch (visit->what) {
    case TAXII_DISCOVERY:
        put_discovery(v->hub, out);
        return 0;
    case TAXII_ROOT:
        put_root(v->hub, out);
        return 0;
    case TAXII_COLLECTIONS:
        put_collections(v, out);
        return 0;
    case TAXII_COLLECTION:
        c = hub_directory_collection(v->directory, want->collection);
        if (c == NULL)
            return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
        put_collection(v, c, out);
        return 0;
    case TAXII_STATUS:
        if (!hub_status_id_get(v->hub, want->object_id, &envelope) || hub_view_status(v, envelope, &status, err) != 0)
            return err_set(err, ERR_NOT_FOUND, NULL, "no such status");
        buf_put(out, status);
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND, NULL, "");
}

static void run_describe(struct hub_worker *w, struct visit *visit)
{
    struct buf body = BUF_INIT;
    struct err err = ERR_INIT;
    struct hub_view v;

    if (visit->party == NULL && visit->what == TAXII_DISCOVERY) {
        put_discovery(w->hub, &body);
        reply_buf(visit->reply, 200, &body);
        return;
    }
    if (hub_view_open(w, visit->party, &v, &err) != 0) {
        taxii_reply_error(visit->reply, &err);
        return;
    }
    if (put_description(&v, visit, &body, &err) == 0)
        reply_buf(visit->reply, 200, &body);
    else
        taxii_reply_error(visit->reply, &err);
    buf_free(&body);
    hub_view_close(&v);
}

static void describe(void *hub, struct taxii_who *who, enum taxii_describe what, struct taxii_reply *reply)
{
    hand_over(hub, who, reply, what, run_describe);
}

/* ---- pages ---- */

struct paging {
    struct hub_view *view;
    const struct taxii_want *want;
    struct buf body;
    uint32_t limit, n;
    int64_t first_us, last_us;
    bool full;
    struct store_at *last_at; /* of ids: where the last one taken stands */
};

static void put_seen(struct paging *p, const struct hub_seen *seen)
{
    char text[TIME_TEXT];

    if (p->want->part == TAXII_OBJECTS) {
        json_put_raw(&p->body, seen->bytes);
        return;
    }
    int64_t version = seen->version_us != 0 ? seen->version_us : seen->row->added_us;
    time_put(text, version);
    if (p->want->part == TAXII_VERSIONS) {
        json_put_string(&p->body, slice_n(text, sizeof text));
        return;
    }
    json_put_open(&p->body, '{');
    json_put_text(&p->body, "id", seen->id);
    json_put_text(&p->body, "version", slice_n(text, sizeof text));
    time_put(text, seen->row->added_us);
    json_put_text(&p->body, "date_added", slice_n(text, sizeof text));
    json_put_text(&p->body, "media_type", SLICE("application/stix+json;version=2.1"));
    json_put_close(&p->body, '}');
}

/* match[version] (TAXII 2.1 section 3.4): last by default; first, last and instants combine; all stands alone. */
static bool is_wanted_version(const struct paging *p, const struct hub_seen *seen)
{
    const struct taxii_want *want = p->want;
    const struct hub_rows *rows = &p->view->hub->rows;

    if (want->versions & TAXII_ALL)
        return true;
    if ((want->versions & TAXII_LAST) && !bits_has(&rows->superseded, seen->row->seq))
        return true;
    if ((want->versions & TAXII_FIRST) && seen->row->subject_seq == 0)
        return true;
    for (uint32_t i = 0; i < want->n_version_times; i++)
        if (seen->version_us == want->version_times[i])
            return true;
    return false;
}

static int take_seen(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    struct paging *p = arg;

    if (!is_wanted_version(p, seen))
        return 0;
    if (p->n == p->limit) {
        p->full = true;
        return 1;
    }
    put_seen(p, seen);
    if (p->last_at != NULL)
        *p->last_at = *at;
    if (p->n++ == 0)
        p->first_us = seen->row->added_us;
    p->last_us = seen->row->added_us;
    return 0;
}

static bool only_last(const struct taxii_want *want)
{
    return want->versions == TAXII_LAST && want->n_version_times == 0;
}

static void open_list(struct paging *p)
{
    json_put_open(&p->body, '{');
    json_put_key(&p->body, p->want->part == TAXII_VERSIONS ? SLICE("versions") : SLICE("objects"));
    json_put_open(&p->body, '[');
}

/* An empty list is left out: {} (TAXII 2.1 section 3.7). */
static void close_list(struct paging *p)
{
    if (p->n == 0)
        buf_clear(&p->body);
    else
        json_put_close(&p->body, ']');
    if (p->n == 0)
        json_put_open(&p->body, '{');
}

/* A token carries the whole position; the filters come again with the request, so their hash must be the same. */
static uint64_t filters_hash(const struct taxii_want *want, const struct hub_collection *c, uint32_t viewer)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, SLICE_FMT "|%u|%d", SLICE_ARG(c->id), viewer, (int)want->part);
    uint64_t hash = hub_id_hash(buf_slice(&text));
    buf_free(&text);
    return hash;
}

static int start_of(struct hub_view *v, const struct taxii_want *want, const struct hub_collection *c,
                    struct store_at *at, struct err *err)
{
    uint64_t numbers[4];

    *at = (struct store_at){0, 0, 0};
    if (want->next.len != 0) {
        if (!hub_token_get(v->hub, "next", want->next, numbers, 4) || numbers[3] != filters_hash(want, c, v->viewer))
            return err_set(err, ERR_QUERY_FILTER, "next",
                           "this is no value of next that this hub gave for this request");
        *at = (struct store_at){numbers[0], numbers[1], numbers[2]};
        return 0;
    }
    return want->added_after_us != INT64_MIN ? hub_view_position(v, want->added_after_us, at, err) : 0;
}

static int read_list(struct paging *p, const struct hub_collection *c, struct store_at *at, bool *more, struct err *err)
{
    struct hub_view_ask ask = {.collection = c,
                               .types = &p->want->types,
                               .part = STORE_PAGE,
                               .superseded_too = !only_last(p->want),
                               .max_bytes = PAGE_BYTES,
                               .at_once = true};

    /* With a version filter rows are left out behind the store's back: go on until the page is full or the end is
     * reached. */
    do {
        ask.limit = p->limit - p->n + (ask.superseded_too ? 1 : 0);
        struct store_at after = *at;
        if (hub_view_page(p->view, &ask, &after, take_seen, p, at, more, err) != 0)
            return -1;
    } while (*more && !p->full && p->n < p->limit && p->body.len < PAGE_BYTES);
    return 0;
}

static bool wants_stix21(const struct taxii_want *want)
{
    for (uint32_t i = 0; i < want->spec_versions.n; i++)
        if (slice_eq(want->spec_versions.items[i], SLICE("2.1")))
            return true;
    return want->spec_versions.n == 0;
}

static bool wants_type_of(const struct taxii_want *want, struct slice id)
{
    struct stix_id parts;

    for (uint32_t i = 0; i < want->types.n; i++)
        if (stix_id_parse(id, &parts) && slice_eq(parts.type, want->types.items[i]))
            return true;
    return want->types.n == 0;
}

/* By id: straight from the index. */
static int read_ids(struct paging *p, const struct hub_collection *c, const struct slice *ids, size_t n,
                    struct store_at *at, bool *more, struct err *err)
{
    struct slice *wanted = arena_array(&p->view->worker->arena, struct slice, n);
    size_t n_wanted = 0;

    for (size_t i = 0; i < n; i++)
        if (wants_type_of(p->want, ids[i]))
            wanted[n_wanted++] = ids[i];
    struct store_at after = *at;
    p->last_at = at;
    if (hub_view_objects(p->view, c, wanted, n_wanted, !only_last(p->want), &after, take_seen, p, err) != 0)
        return -1;
    *more = p->full;
    return 0;
}

static void put_more(struct paging *p, const struct hub_collection *c, const struct store_at *at, bool more)
{
    struct buf token = BUF_INIT;
    uint64_t numbers[4] = {at->seq, at->sub, at->rank, filters_hash(p->want, c, p->view->viewer)};

    if (!more)
        return;
    hub_token_put(p->view->hub, "next", numbers, 4, &token);
    json_put_key(&p->body, SLICE("more"));
    json_put_bool(&p->body, true);
    json_put_text(&p->body, "next", buf_slice(&token));
    buf_free(&token);
}

static int make_page(struct paging *p, struct err *err)
{
    const struct taxii_want *want = p->want;
    const struct hub_collection *c = hub_directory_collection(p->view->directory, want->collection);
    struct store_at at = {0, 0, 0};
    bool more = false;
    size_t ids = want->object_id.len != 0 ? 1 : want->ids.n;
    int result = 0;

    if (c == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    open_list(p);
    bool none = want->object_id.len == 0 && !wants_stix21(want);
    if (!none && start_of(p->view, want, c, &at, err) != 0)
        result = -1;
    else if (!none && ids != 0)
        result = read_ids(p, c, want->object_id.len != 0 ? &want->object_id : want->ids.items, ids, &at, &more, err);
    else if (!none)
        result = read_list(p, c, &at, &more, err);
    if (result == 0 && p->n == 0 && want->object_id.len != 0 && want->added_after_us == INT64_MIN &&
        want->next.len == 0)
        result = err_set(err, ERR_NOT_FOUND, NULL, "no such object");
    close_list(p);
    put_more(p, c, &at, more && p->n != 0);
    json_put_close(&p->body, '}');
    return result;
}

static void run_page(struct hub_worker *w, struct visit *visit)
{
    const struct hub_settings *s = &w->hub->settings;
    struct paging p = {.want = taxii_reply_want(visit->reply)};
    struct err err = ERR_INIT;
    struct hub_view v;
    int result;

    p.limit = p.want->limit != 0 ? p.want->limit : (uint32_t)s->page_default;
    if (p.limit > (uint32_t)s->page_max)
        p.limit = (uint32_t)s->page_max;
    do { /* once, but where something of the page is recalled at this moment */
        buf_clear(&p.body);
        p = (struct paging){.view = &v, .want = p.want, .limit = p.limit, .body = p.body};
        result = hub_view_open(w, visit->party, &v, &err);
        if (result != 0)
            break;
        result = make_page(&p, &err);
    } while (!hub_view_close(&v) && result == 0); /* counted as delivered before a byte leaves */
    if (result == 0)
        taxii_reply_page(visit->reply, buf_ref_take(&p.body), p.first_us, p.last_us);
    else
        taxii_reply_error(visit->reply, &err);
    buf_free(&p.body);
}

static void page(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    hand_over(hub, who, reply, 0, run_page);
}

/* ---- submitting ---- */

static void answer_add(void *arg, const struct hub_outcome *o)
{
    struct taxii_reply *reply = arg;

    if (o->err != NULL)
        taxii_reply_error(reply, o->err);
    else
        taxii_reply_json(reply, 202, buf_ref_copy(o->status));
}

static void add(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct hub *h = hub;
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_collection *c = hub_directory_collection(d, taxii_reply_want(reply)->collection);
    const struct http_head *head = taxii_reply_head(reply);
    struct slice first = http_head_get(head, SLICE("Tocsin-First-Event"));
    struct submission s = {.door = HUB_TAXII,
                           .from = (struct hub_party *)who,
                           .received_us = head->arrived_us,
                           .done = answer_add,
                           .arg = reply};
    struct err err = ERR_INIT;
    int result = -1;

    if (c == NULL) {
        err_set(&err, ERR_NOT_FOUND, NULL, "no such collection");
    } else if (first.ptr != NULL && !time_parse(first, &s.first_event_us)) {
        err_set(&err, ERR_BAD_REQUEST, "Tocsin-First-Event", "not a time (RFC 3339)");
    } else {
        s.collection = c->id;
        s.bytes = buf_ref_copy(taxii_reply_body(reply));
        result = hub_submit(h, &s, &err);
        if (result != 0)
            buf_ref_drop(&s.bytes);
    }
    hub_directory_drop(&d);
    if (result != 0)
        taxii_reply_error(reply, &err);
}

/* ---- deleting ---- */

static void answer_remove(void *arg, const struct hub_outcome *o)
{
    struct taxii_reply *reply = arg;
    struct buf body = BUF_INIT;

    if (o->err != NULL) {
        taxii_reply_error(reply, o->err);
        return;
    }
    buf_put(&body, SLICE("{}"));
    reply_buf(reply, 200, &body);
}

/* All versions, or those that match[version] names. */
static void put_deletion(struct buf *out, const struct hub_collection *c, struct slice id,
                         const struct taxii_want *want)
{
    json_put_open(out, '{');
    json_put_text(out, "collection", c->id);
    json_put_text(out, "id", id);
    json_put_key(out, SLICE("all"));
    json_put_bool(out, want->versions & TAXII_ALL);
    json_put_key(out, SLICE("first"));
    json_put_bool(out, want->versions & TAXII_FIRST);
    json_put_key(out, SLICE("last"));
    json_put_bool(out, want->versions & TAXII_LAST);
    json_put_key(out, SLICE("times"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < want->n_version_times; i++)
        json_put_int(out, want->version_times[i]);
    json_put_close(out, ']');
    json_put_close(out, '}');
}

static void run_remove(struct hub_worker *w, struct visit *visit)
{
    const struct taxii_want *want = taxii_reply_want(visit->reply);
    struct err err = ERR_INIT;
    struct buf detail = BUF_INIT;
    struct hub_view v;

    if (hub_view_open(w, visit->party, &v, &err) != 0) {
        taxii_reply_error(visit->reply, &err);
        return;
    }
    const struct hub_collection *c = hub_directory_collection(v.directory, want->collection);
    struct slice id = c != NULL ? hub_view_minted(&v, c, want->object_id) : slice_n(NULL, 0);
    struct stix_id parts;
    if (stix_id_parse(want->object_id, &parts) && parts.version == 5 &&
        stix_type_class(stix_type_find(parts.type)) == STIX_SCO)
        id = want->object_id; /* a deterministic id is never minted */
    if (id.ptr == NULL) {
        err_set(&err, ERR_NOT_FOUND, NULL, "no such object");
    } else {
        put_deletion(&detail, c, id, want);
        struct act act = {.kind = HUB_DELETE,
                          .by = visit->party,
                          .detail = buf_slice(&detail),
                          .done = answer_remove,
                          .arg = visit->reply};
        hub_act(w->hub, &act, &err);
    }
    hub_view_close(&v);
    buf_free(&detail);
    if (err.code != ERR_NONE)
        taxii_reply_error(visit->reply, &err);
}

static void remove_object(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    hand_over(hub, who, reply, 0, run_remove);
}

const struct taxii_backend *hub_taxii_backend(void)
{
    static const struct taxii_backend backend = {sign_in,       describe,   page,     add,
                                                 remove_object, hub_follow, sign_out, max_body};

    return &backend;
}

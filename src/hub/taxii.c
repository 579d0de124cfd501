/* hub/taxii.c: the TAXII door: the backend that gives the protocol (taxii/) its meaning. Calls come on a loop and are
 * handed to a worker at once. */
#include "hub/doors.h"

#include <stdlib.h>

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

/* What it gets where it names nothing stands first. */
static void put_media_types(const struct hub_member *m, struct buf *out)
{
    json_put_key(out, SLICE("media_types"));
    json_put_open(out, '[');
    if (m != NULL && (m->dialect.compat & HUB_COMPAT_STIX20))
        json_put_string(out, SLICE(HUB_MEDIA_STIX20));
    json_put_string(out, SLICE(HUB_MEDIA_STIX21));
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
    json_put_bool(out, hub_member_may_read(m, c));
    json_put_key(out, SLICE("can_write"));
    json_put_bool(out, hub_member_may_write(m, c) && hub_credential_may_submit(v->directory, v->viewer, v->credential));
    put_media_types(m, out);
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
    case TAXII_MARKINGS:
        hub_put_markings(v, out);
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

static void run_page(struct hub_worker *w, struct visit *visit)
{
    hub_page(w, visit->party, visit->reply);
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

/* Under which id the hub keeps it. */
static int find_deletion(struct hub_view *v, const struct hub_collection *c, struct slice object_id,
                         struct slice *id_out, struct err *err)
{
    struct stix_id parts;

    if (c == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (!hub_member_may_write(hub_directory_member_of(v->directory, v->viewer), c))
        return err_set(err, ERR_FORBIDDEN, NULL, "this credential may not delete in this collection");
    *id_out = hub_view_minted(v, c, object_id);
    if (stix_id_parse(object_id, &parts) && parts.version == 5 &&
        stix_type_class(stix_type_find(parts.type)) == STIX_SCO)
        *id_out = object_id; /* a deterministic id is never minted */
    return id_out->ptr != NULL ? 0 : err_set(err, ERR_NOT_FOUND, NULL, "no such object");
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
    struct slice id;
    if (find_deletion(&v, c, want->object_id, &id, &err) == 0) {
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
    static const struct taxii_backend backend = {hub_sign_in,   describe,         page,         add,
                                                 remove_object, hub_follow,       hub_sign_out, max_body,
                                                 hub_confirm,   hub_clients_note, hub_certify};

    return &backend;
}

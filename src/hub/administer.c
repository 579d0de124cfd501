/* hub/administer.c: the rows of the directory: members, partners and collections come, change and go. Runs in the
   committer's transaction. */
#include "hub/internal.h"
#include "net/http_client.h"

bool hub_is_name(struct slice name)
{
    if (name.len == 0 || name.len > 64)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.'))
            return false;
    }
    return true;
}

/* The new set of rows: the old ones with one put in, replaced or (value.ptr NULL) taken out. */
static struct hub_raw_row *rows_with(struct arena *a, const struct hub_directory *d, enum store_table table,
                                     struct slice key, struct slice value, size_t *n_out)
{
    struct hub_raw_row *rows = arena_array(a, struct hub_raw_row, d->n_members + d->n_partners + d->n_collections + 1);
    size_t n = 0;

    for (size_t i = 0; i < d->n_members; i++)
        rows[n++] = (struct hub_raw_row){STORE_MEMBER, d->members[i].name, d->members[i].row};
    for (size_t i = 0; i < d->n_partners; i++)
        rows[n++] = (struct hub_raw_row){STORE_PARTNER, d->partners[i].name, d->partners[i].row};
    for (size_t i = 0; i < d->n_collections; i++)
        rows[n++] = (struct hub_raw_row){STORE_COLLECTION, d->collections[i].id, d->collections[i].row};
    for (size_t i = 0; i < n; i++)
        if (rows[i].table == table && slice_eq(rows[i].key, key)) {
            rows[i] = rows[--n];
            break;
        }
    if (value.ptr != NULL)
        rows[n++] = (struct hub_raw_row){table, key, value};
    *n_out = n;
    return rows;
}

/* A new number for a member or partner; numbers are never used again, so that old reach bitmaps keep their meaning. */
static int new_viewer(struct hub_commit *c, uint32_t *number_out, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    uint32_t n = atomic_load(&h->n_viewers);

    if (n >= HUB_VIEWERS_MAX)
        return err_set(err, ERR_FORBIDDEN, NULL, "no more than %d members and partners ever", HUB_VIEWERS_MAX);
    struct hub_viewer *v = mem_zero(1, sizeof *v);
    pthread_mutex_init(&v->lock, NULL);
    h->viewers[n] = v;
    atomic_store(&h->n_viewers, n + 1);
    *number_out = n;
    return hub_commit_viewer(c, n, NULL, 0, err);
}

int hub_commit_change_row(struct hub_commit *c, enum store_table table, struct slice key, struct slice value,
                          struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_directory *old = hub_commit_directory_now(c), *now;
    size_t n;
    struct hub_raw_row *rows = rows_with(hub_commit_arena(c), old, table, key, value, &n);

    if (hub_directory_build(rows, n, old, h->committer_keys, old->epoch + 1, &now, err) != 0)
        return -1;
    if (hub_commit_views(c, old, now, err) != 0 || hub_commit_state(c, table, key, value, err) != 0) {
        hub_directory_drop(&now);
        if (err->code != ERR_DISK_FULL && err->code != ERR_SYSTEM)
            err->code = ERR_STORE; /* some of it is written: the whole group goes back */
        return -1;
    }
    hub_commit_directory(c, now);
    return 0;
}

int hub_commit_put_row(struct hub_commit *c, struct hub_job *job, enum store_table table, struct slice key,
                       struct slice value, struct err *err)
{
    struct buf record = BUF_INIT;

    key = arena_copy(hub_commit_arena(c), key); /* it may be of a directory that ends here */
    if (hub_commit_change_row(c, table, key, value, err) != 0)
        return -1;
    json_put_open(&record, '{');
    json_put_text(&record, "act", SLICE("administer"));
    json_put_number(&record, "kind", job->act.kind);
    json_put_number(&record, "at_us", time_now_us());
    json_put_text(&record, "key", key);
    json_put_close(&record, '}');
    int result = hub_commit_leaf(c, hub_commit_hub(c)->record_key, buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    return result;
}

/* Strings and lists that the command line sent, with what only the hub knows put in. */
static struct slice row_with(struct hub_job *job, struct json detail, const char *drop, struct slice append)
{
    struct buf out = BUF_INIT;
    struct json dropped = json_get(detail, slice_of(drop));
    struct json_edit edit = {dropped, {NULL, 0}, 0};

    json_splice(&out, detail, &edit, json_kind(dropped) != JSON_ABSENT ? 1 : 0, append);
    struct slice row = arena_copy(&job->arena, buf_slice(&out));
    buf_free(&out);
    return row;
}

int hub_commit_put_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                         struct err *err)
{
    struct slice name = hub_text_of(&job->arena, detail, "name");
    const struct hub_directory *d = hub_commit_directory_now(c);
    uint32_t viewer = 0;

    if (!hub_is_name(name))
        return err_set(err, ERR_CONF_VALUE, "/name", "a name has 1 to 64 letters, digits, '-', '_' or '.'");
    if (hub_directory_member(d, name) != NULL || hub_directory_partner(d, name) != NULL)
        return err_set(err, ERR_CONF_VALUE, "/name", "there is a member or partner \"" SLICE_FMT "\" already",
                       SLICE_ARG(name));
    if ((table == STORE_MEMBER && hub_dialect_check(d, &job->arena, detail, err) != 0) ||
        new_viewer(c, &viewer, err) != 0)
        return -1;
    /* The epoch sets a name that is given again apart from its earlier bearer: the handle in rows is another. */
    struct slice row =
        row_with(job, detail, "viewer", arena_printf(&job->arena, "\"viewer\":%u,\"epoch\":%u", viewer, viewer));
    job->outcome.detail = arena_printf(&job->arena, "{\"viewer\":%u}", viewer);
    return hub_commit_put_row(c, job, table, name, row, err);
}

int hub_commit_change_member(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    const struct hub_member *m = hub_directory_member(d, hub_text_of(&job->arena, detail, "name"));
    struct slice row;

    if (m == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "there is no such member");
    if (hub_dialect_check(d, &job->arena, detail, err) != 0 ||
        hub_member_row_changed(&job->arena, m, detail, &row, err) != 0)
        return -1;
    return hub_commit_put_row(c, job, STORE_MEMBER, m->name, row, err);
}

/* The follow part alone: how this hub reads at that partner. */
static int follow_partner(struct hub_commit *c, struct hub_job *job, struct json detail, const struct hub_partner *p,
                          struct err *err)
{
    struct json row, follow = json_get(detail, SLICE("follow"));
    struct slice into = hub_text_of(&job->arena, follow, "into");
    const struct hub_collection *collection = hub_directory_collection(hub_commit_directory_now(c), into);
    const struct http_client_conf link = {.url = hub_text_of(&job->arena, follow, "url"),
                                          .ca_file = hub_text_of(&job->arena, follow, "ca"),
                                          .pin = hub_text_of(&job->arena, follow, "pin"),
                                          .cert = hub_text_of(&job->arena, follow, "cert"),
                                          .key = hub_text_of(&job->arena, follow, "key"),
                                          .known_peer = true};
    struct err why = ERR_INIT;

    if (http_client_check(&link, &why) != 0)
        return err_set(err, ERR_CONF_VALUE, "/follow", "%s", why.text);
    if (collection == NULL)
        return err_set(err, ERR_CONF_VALUE, "/follow/into", "no collection \"" SLICE_FMT "\" here", SLICE_ARG(into));
    struct json_edit edit = {json_get(follow, SLICE("into")),
                             arena_printf(&job->arena, "\"" SLICE_FMT "\"", SLICE_ARG(collection->id)), 0};
    struct buf text = BUF_INIT;
    buf_put(&text, SLICE("\"follow\":"));
    json_splice(&text, follow, &edit, 1, SLICE(""));
    if (json_parse(&job->arena, p->row, &hub_act_limits, &row, err) != 0) {
        buf_free(&text);
        return -1;
    }
    struct slice changed = row_with(job, row, "follow", arena_copy(&job->arena, buf_slice(&text)));
    buf_free(&text);
    return hub_commit_put_row(c, job, STORE_PARTNER, p->name, changed, err);
}

/* Rows, agreements and signatures are told apart by it: never ours, and never that of two. */
static int check_hub_id(struct hub_commit *c, struct slice id, struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    char text[64] = "hub--";
    struct stix_id parts;

    if (id.len == 36)
        memcpy(text + 5, id.ptr, id.len);
    if (id.len != 36 || !stix_id_parse(slice_n(text, 5 + 36), &parts))
        return err_set(err, ERR_CONF_VALUE, "/hub_id", "a hub's id is a UUID (tocsin status shows it at the partner)");
    if (slice_eq(id, hub_commit_hub(c)->settings.id))
        return err_set(err, ERR_CONF_VALUE, "/hub_id", "this is this hub's own id");
    for (size_t i = 0; i < d->n_partners; i++)
        if (slice_eq(d->partners[i].hub_id, id))
            return err_set(err, ERR_CONF_VALUE, "/hub_id", "partner " SLICE_FMT " has this id",
                           SLICE_ARG(d->partners[i].name));
    return 0;
}

int hub_commit_put_partner(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    const struct hub_partner *p = hub_directory_partner(d, hub_text_of(&job->arena, detail, "name"));
    struct json out = json_get(json_get(detail, SLICE("agreement")), SLICE("collections_out"));

    if (p != NULL && json_kind(json_get(detail, SLICE("follow"))) == JSON_OBJECT)
        return follow_partner(c, job, detail, p, err);
    json_each (v, out)
        if (hub_directory_collection(d, json_string(&job->arena, v)) == NULL)
            return err_set(err, ERR_CONF_VALUE, "/agreement/collections_out", "no collection \"" SLICE_FMT "\" here",
                           SLICE_ARG(json_string(&job->arena, v)));
    if (check_hub_id(c, hub_text_of(&job->arena, detail, "hub_id"), err) != 0)
        return -1;
    uint8_t key[CRYPTO_SIGN_PUBLIC];
    if (!crypto_hex(hub_text_of(&job->arena, detail, "key"), key, sizeof key))
        return err_set(err, ERR_CONF_VALUE, "/key",
                       "the partner's public key is 64 hexadecimal digits (tocsin status shows it at the partner)");
    return hub_commit_put_party(c, job, detail, STORE_PARTNER, err);
}

/* A list of a collection's row: what is there, plus what is added, less what is dropped. */
static void put_names(struct hub_job *job, struct buf *out, const char *name, struct json old, struct json add,
                      struct json drop)
{
    struct arena *a = &job->arena;

    json_put_key(out, slice_of(name));
    json_put_open(out, '[');
    for (int pass = 0; pass < 2; pass++)
        json_each (v, pass == 0 ? old : add) {
            struct slice word = json_string(a, v);
            bool out_of_it = false;
            json_each (gone, drop)
                out_of_it = out_of_it || slice_eq(json_string(a, gone), word);
            for (struct json seen = json_first(old); pass == 1 && json_kind(seen) != JSON_ABSENT;
                 seen = json_next(seen))
                out_of_it = out_of_it || slice_eq(json_string(a, seen), word);
            if (!out_of_it)
                json_put_string(out, word);
        }
    json_put_close(out, ']');
}

static void put_text_or_old(struct hub_job *job, struct buf *out, const char *name, struct json detail, struct json old)
{
    struct json from = json_kind(json_get(detail, slice_of(name))) == JSON_STRING ? detail : old;

    json_put_text(out, name, hub_text_of(&job->arena, from, name));
}

/* The profile that is named now, or the one that the collection had. */
static int put_profile(struct hub_job *job, struct buf *out, struct json detail, struct json old, struct err *err)
{
    struct json from = json_kind(json_get(detail, SLICE("profile"))) == JSON_STRING ? detail : old;
    struct slice text = hub_text_of(&job->arena, from, "profile_text");
    const struct stix_profile *profile;

    if (hub_profile_read(&job->arena, from, &profile, err) != 0)
        return -1;
    json_put_text(out, "profile", stix_profile_name(profile));
    if (text.len != 0)
        json_put_text(out, "profile_text", text);
    return 0;
}

/* detail: name, title, description, profile (and profile_text where it is none of those compiled in), open,
 * add_recipients, drop_recipients, add_partners, drop_partners: what is missing stays. */
int hub_commit_put_collection(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct slice name = hub_text_of(&job->arena, detail, "name");
    const struct hub_collection *known = hub_directory_collection(hub_commit_directory_now(c), name);
    struct json old = {NULL, 0};
    struct buf row = BUF_INIT;
    bool open = false;
    char id[36];

    if (!hub_is_name(name))
        return err_set(err, ERR_CONF_VALUE, "/name", "a name has 1 to 64 letters, digits, '-', '_' or '.'");
    if (known != NULL && json_parse(&job->arena, known->row, &hub_act_limits, &old, err) != 0)
        return -1;
    if (!json_bool(json_get(detail, SLICE("open")), &open))
        json_bool(json_get(old, SLICE("open")), &open);
    if (hub_directory_check_title(hub_commit_directory_now(c), known, name, hub_text_of(&job->arena, detail, "title"),
                                  err) != 0)
        return -1;
    crypto_uuid_random(id);
    struct slice key = known != NULL ? known->id : arena_copy(&job->arena, slice_n(id, sizeof id));
    json_put_open(&row, '{');
    json_put_text(&row, "id", key);
    json_put_text(&row, "name", known != NULL ? known->name : name);
    put_text_or_old(job, &row, "title", detail, old);
    put_text_or_old(job, &row, "description", detail, old);
    if (put_profile(job, &row, detail, old, err) != 0) {
        buf_free(&row);
        return -1;
    }
    json_put_key(&row, SLICE("open"));
    json_put_bool(&row, open);
    put_names(job, &row, "recipients", json_get(old, SLICE("recipients")), json_get(detail, SLICE("add_recipients")),
              json_get(detail, SLICE("drop_recipients")));
    put_names(job, &row, "partners", json_get(old, SLICE("partners")), json_get(detail, SLICE("add_partners")),
              json_get(detail, SLICE("drop_partners")));
    json_put_close(&row, '}');
    job->outcome.detail = arena_copy(&job->arena, buf_slice(&row));
    buf_free(&row);
    return hub_commit_put_row(c, job, STORE_COLLECTION, key, job->outcome.detail, err);
}

int hub_commit_remove_party(struct hub_commit *c, struct hub_job *job, struct json detail, enum store_table table,
                            struct err *err)
{
    const struct hub_directory *d = hub_commit_directory_now(c);
    struct slice name = hub_text_of(&job->arena, detail, "name");

    if (table == STORE_MEMBER ? hub_directory_member(d, name) == NULL : hub_directory_partner(d, name) == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "no such %s: \"" SLICE_FMT "\"",
                       table == STORE_MEMBER ? "member" : "partner", SLICE_ARG(name));
    return hub_commit_put_row(c, job, table, name, slice_n(NULL, 0), err);
}

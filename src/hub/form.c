/* hub/form.c: the form in which a viewer reads a row: for its owner the original, byte for byte, under its own ids;
   what others say of a member's objects names them by the member's ids. */
#include "hub/internal.h"

static int open_original(struct hub_view *v, const struct store_row *row, struct hub_seen *seen, struct err *err)
{
    struct buf plain = BUF_INIT;
    struct stix_object object;
    struct json root;

    if (hub_view_key(v, row->envelope, err) != 0)
        return -1;
    bool good = crypto_open(v->data_key, row->original, row->id, &plain);
    struct slice bytes = arena_copy(&v->worker->arena, buf_slice(&plain));
    buf_free(&plain);
    if (!good)
        return err_set(err, ERR_CRYPTO, NULL, "the original does not open with its envelope's key");
    if (json_parse(&v->worker->arena, bytes, &json_limits_default, &root, err) != 0 ||
        stix_object_read(&v->worker->arena, root, &object, err) != 0)
        return -1;
    seen->id = object.id;
    seen->bytes = bytes;
    seen->version_us = object.modified_us;
    return 0;
}

struct own_ids {
    struct hub_view *view;
    struct slice from[64], to[64];
    size_t n;
};

/* What others say of a member's objects names them by the member's own ids (DESIGN.md invariant 2). */
static int find_own_id(void *arg, struct json value, struct slice key, struct slice id)
{
    struct own_ids *own = arg;
    struct hub_view *v = own->view;
    uint64_t id_hash = hub_id_hash(id);
    struct err err;

    for (size_t i = 0; i < v->directory->n_collections && own->n < 64; i++) {
        uint64_t row_key = hub_row_key(v->owner_text, v->directory->collections[i].id, id, SLICE(""));
        uint64_t seq = hub_rows_find(&v->hub->rows, id_hash, row_key);
        struct store_row row;
        struct hub_seen seen;
        while (seq > v->upto) /* a version that is being committed just now */
            seq = hub_row_subject(&v->hub->rows, seq);
        if (seq == 0 || hub_read_row(v->worker->reader, v->hub, seq, v->viewer, &v->worker->arena, &row, &err) != 0 ||
            row.original.len == 0 || open_original(v, &row, &seen, &err) != 0)
            continue;
        own->from[own->n] = id;
        own->to[own->n++] = seen.id;
        break;
    }
    return 0;
}

static bool is_about_others(struct slice type)
{
    return slice_eq(type, SLICE("sighting")) || slice_eq(type, SLICE("opinion")) || slice_eq(type, SLICE("note"));
}

static int rename_for_owner(struct hub_view *v, struct hub_seen *seen, struct err *err)
{
    struct arena *a = &v->worker->arena;
    struct own_ids own = {.view = v};
    struct stix_object object;
    struct json root;
    struct buf out = BUF_INIT;

    if (json_parse(a, seen->bytes, &json_limits_default, &root, err) != 0 ||
        stix_object_read(a, root, &object, err) != 0)
        return -1;
    stix_each_reference(a, &object, find_own_id, &own);
    if (own.n == 0)
        return 0;
    int result = share_rename(a, root, own.from, own.to, own.n, &out);
    seen->bytes = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return result;
}

struct hub_seen hub_form_stored(const struct hub_view *v, const struct store_row *row)
{
    return (struct hub_seen){row, row->id, row->body, row->version_us, v->owner != 0 && row->owner == v->owner};
}

/* Does the viewer's form have to be made, with keys and reads that take time? */
bool hub_form_is_work(const struct hub_view *v, const struct hub_seen *seen)
{
    return seen->own ? seen->row->original.len != 0
                     : v->owner != 0 && is_about_others(v->hub->classes[seen->row->facts_class]->facts.type);
}

int hub_form_make(struct hub_view *v, const struct store_row *row, struct hub_seen *seen, struct err *err)
{
    *seen = hub_form_stored(v, row);
    if (!hub_form_is_work(v, seen))
        return 0;
    return seen->own ? open_original(v, row, seen, err) : rename_for_owner(v, seen, err);
}

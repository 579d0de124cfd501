/* hub/form.c: the form in which a viewer reads a row: for its owner the original, byte for byte, under its own ids;
   what others say of a member's objects names them by the member's ids; what a viewer lost and got back has another id.
 */
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

/* What it deleted itself: its other programs are told its own id, and that it is gone. */
static int tell_own_deletion(struct hub_view *v, const struct store_row *row, struct hub_seen *seen, struct err *err)
{
    struct hub_rows *rows = &v->hub->rows;
    struct store_row deleted;
    uint64_t seq = hub_row_subject(rows, row->seq);

    seen->bytes = SLICE("");
    while (seq != 0 && rows->kind[seq] != STORE_ADD && rows->kind[seq] != STORE_EXPIRE)
        seq = hub_row_subject(rows, seq);
    if (seq == 0)
        return 0;
    if (hub_read_row(v->worker->reader, v->hub, seq, v->viewer, &v->worker->arena, &deleted, err) != 0)
        return -1;
    struct hub_seen own = hub_form_stored(v, &deleted);
    if (deleted.original.len != 0 && open_original(v, &deleted, &own, err) != 0)
        return -1;
    seen->id = own.id;
    return 0;
}

/* ---- names ---- */

struct renaming {
    struct hub_view *view;
    struct slice collection; /* of the row */
    uint64_t place;          /* where it stands for this viewer */
    struct slice *from, *to;
    size_t n, room;
};

static void rename_add(struct renaming *r, struct slice from, struct slice to)
{
    struct arena *a = &r->view->worker->arena;

    if (r->n == r->room) {
        struct slice *old_from = r->from, *old_to = r->to;
        r->room = r->room * 2 + 16;
        r->from = arena_alloc(a, r->room * sizeof *r->from);
        r->to = arena_alloc(a, r->room * sizeof *r->to);
        if (r->n != 0) {
            memcpy(r->from, old_from, r->n * sizeof *r->from);
            memcpy(r->to, old_to, r->n * sizeof *r->to);
        }
    }
    r->from[r->n] = from;
    r->to[r->n++] = to;
}

/* The viewer's own object behind this id? Under its own id then (DESIGN.md invariant 2). */
static bool own_id(struct hub_view *v, struct slice id, struct slice *own_out)
{
    uint64_t id_hash = hub_id_hash(id);
    struct err err;

    for (size_t i = 0; v->owner != 0 && i < v->directory->n_collections; i++) {
        uint64_t row_key = hub_row_key(v->owner_text, v->directory->collections[i].id, id, SLICE(""));
        uint64_t seq = hub_rows_find(&v->hub->rows, id_hash, row_key);
        struct store_row row;
        struct hub_seen seen;
        while (seq > v->upto) /* a version that is being committed just now */
            seq = hub_row_subject(&v->hub->rows, seq);
        if (seq == 0 || hub_read_row(v->worker->reader, v->hub, seq, v->viewer, &v->worker->arena, &row, &err) != 0 ||
            row.original.len == 0 || open_original(v, &row, &seen, &err) != 0)
            continue;
        *own_out = seen.id;
        return true;
    }
    return false;
}

static struct slice known_id(struct hub_view *v, struct slice collection, struct slice id, uint64_t place)
{
    return hub_again_id(v->hub, &v->worker->arena, collection, id,
                        hub_again_times(v->hub, v->viewer, collection, id, place));
}

/* The name by which this viewer knows what the reference means: a partner may know it by yet another one. */
static int rename_reference(void *arg, struct json value, struct slice key, struct slice id)
{
    struct renaming *r = arg;
    struct hub_view *v = r->view;
    struct slice base = hub_again_base(v->hub, id), known;

    if (!own_id(v, base, &known))
        known = known_id(v, r->collection, base, r->place);
    if (!slice_eq(known, id))
        rename_add(r, id, known);
    return 0;
}

static int rename_for_viewer(struct hub_view *v, uint64_t place, struct hub_seen *seen, struct err *err)
{
    struct arena *a = &v->worker->arena;
    struct renaming r = {.view = v, .collection = hub_row_collection(v->hub, seen->row->seq), .place = place};
    struct stix_object object;
    struct json root;
    struct buf out = BUF_INIT;

    if (seen->bytes.len == 0)
        return 0;
    if (json_parse(a, seen->bytes, &json_limits_default, &root, err) != 0 ||
        stix_object_read(a, root, &object, err) != 0)
        return -1;
    seen->id = hub_form_id(v, seen->row, place);
    if (!slice_eq(seen->id, seen->row->id))
        rename_add(&r, seen->row->id, seen->id);
    stix_each_reference(a, &object, rename_reference, &r);
    if (r.n == 0)
        return 0;
    int result = share_rename(a, root, r.from, r.to, r.n, &out);
    seen->bytes = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return result;
}

struct slice hub_form_id(struct hub_view *v, const struct store_row *row, uint64_t place)
{
    if (row->source.len != 0) /* its origin signed it */
        return row->id;
    return known_id(v, hub_row_collection(v->hub, row->seq), row->id, place);
}

/* ---- forms ---- */

static bool is_about_others(struct slice type)
{
    return slice_eq(type, SLICE("sighting")) || slice_eq(type, SLICE("opinion")) || slice_eq(type, SLICE("note"));
}

static bool is_own_deletion(const struct hub_view *v, const struct hub_seen *seen)
{
    return seen->own && seen->row->kind == STORE_RETRACT && v->hub->rows.key[seen->row->seq] == 0;
}

struct hub_seen hub_form_stored(const struct hub_view *v, const struct store_row *row)
{
    return (struct hub_seen){row, row->id, row->body, row->version_us, v->owner != 0 && row->owner == v->owner};
}

bool hub_form_is_work(const struct hub_view *v, const struct hub_seen *seen)
{
    if (seen->own)
        return seen->row->original.len != 0 || is_own_deletion(v, seen);
    const struct share_facts *facts = &v->hub->classes[seen->row->facts_class]->facts;
    if (facts->corroborates || (v->owner != 0 && is_about_others(facts->type)))
        return true;
    return v->lost && seen->row->source.len == 0;
}

int hub_form_make(struct hub_view *v, const struct store_row *row, uint64_t place, struct hub_seen *seen,
                  struct err *err)
{
    *seen = hub_form_stored(v, row);
    if (!hub_form_is_work(v, seen))
        return 0;
    if (is_own_deletion(v, seen))
        return tell_own_deletion(v, row, seen, err);
    return seen->own ? open_original(v, row, seen, err) : rename_for_viewer(v, place, seen, err);
}

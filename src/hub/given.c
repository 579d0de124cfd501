/* hub/given.c: what a view gave: counted as delivered before its bytes leave, and thrown away where something of it is
   recalled at this moment by a transaction that did not count this viewer. */
#include "hub/internal.h"

#include <time.h>

static bool is_superseded_since(const struct hub_view *v, uint64_t seq)
{
    struct hub_rows *rows = &v->hub->rows;

    return hub_row_later(rows, hub_row_latest(rows, seq, v->upto)) != 0;
}

/* Lost, or lost and gained anew: then it comes again by that widening, and who has not read so far counts as not having
 * it. */
static bool is_lost_since(const struct hub_view *v, const struct hub_lists *now, uint64_t seq)
{
    const struct hub_rows *rows = &v->hub->rows;
    const struct store_list *l = hub_lists_find(now, rows->facts_class[seq]);

    if (rows->kind[seq] == STORE_RETRACT || rows->kind[seq] == STORE_RESTRICT)
        return false;
    return l == NULL || (l->held_from > v->upto && l->held_from > seq);
}

/* Was something that is on its way recalled by a transaction that did not count this viewer among those who have it?
   The committer first makes `recalls` odd, then asks what was delivered; here it is the other way round, so that one
   of the two sees the other. A transaction under way is waited for: which rows it recalls shows at its end. */
static bool is_recalled(struct hub_view *v)
{
    struct hub *h = v->hub;
    uint64_t recalls = atomic_load(&h->recalls);
    bool gone = false;

    if (recalls == v->recalls && recalls % 2 == 0)
        return false;
    while (recalls % 2 != 0 && atomic_load(&h->recalls) == recalls)
        nanosleep(&(struct timespec){0, 100000}, NULL);
    struct hub_directory *d = hub_directory_hold(h);
    struct hub_lists *now = hub_viewer_lists(h, d, v->viewer);
    for (uint64_t i = 0; i < v->n && !gone; i++)
        gone = is_superseded_since(v, v->given[i].seq) || (!v->given[i].own && is_lost_since(v, now, v->given[i].seq));
    hub_lists_drop(&now);
    hub_directory_drop(&d);
    return gone;
}

bool hub_view_close(struct hub_view *v)
{
    uint8_t root[CRYPTO_HASH];
    bool stands = true;

    if (v->n != 0) {
        crypto_hash_end(&v->hashes, root);
        hub_viewer_delivered(v->hub, v->viewer, v->first_seq, v->last_seq, 0, root);
        hub_recipient_given(v, false);
        stands = !is_recalled(v);
        if (stands) {
            hub_viewer_delivered(v->hub, v->viewer, v->first_seq, v->last_seq, v->n, root);
            hub_recipient_given(v, true);
        }
    }
    crypto_wipe(v->data_key, sizeof v->data_key);
    hub_lists_drop(&v->lists);
    hub_directory_drop(&v->directory);
    return stands;
}

void hub_view_given(struct hub_view *v, const struct store_row *row, uint64_t at_seq, bool own)
{
    if (v->n == v->room) {
        struct hub_given *more = arena_alloc(&v->worker->arena, (v->room * 2 + 64) * sizeof *more);
        if (v->n != 0)
            memcpy(more, v->given, v->n * sizeof *more);
        v->given = more;
        v->room = v->room * 2 + 64;
    }
    v->given[v->n] = (struct hub_given){row->seq, own};
    if (v->n++ == 0) {
        v->first_seq = at_seq;
        v->hashes = crypto_hash_new();
    }
    if (at_seq > v->last_seq)
        v->last_seq = at_seq;
    crypto_hash_add(v->hashes, slice_n((const char *)row->sha256, sizeof row->sha256));
}

/* A page that leaves out types or shows old versions does not prove that every recall on its way was given. */
void hub_view_passed(struct hub_view *v, const struct hub_view_ask *ask, uint64_t from, uint64_t to, bool recalls)
{
    v->collection = ask->collection;
    if (!recalls || ask->superseded_too || (ask->types != NULL && ask->types->n != 0))
        return;
    if (v->recalls_to == 0 || from < v->recalls_from)
        v->recalls_from = from;
    v->recalls_to = to;
}

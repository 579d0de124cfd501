/* hub/deliver.c: deliveries in the ledger (DESIGN.md invariant 12): at most one leaf a viewer and second for what it
   was given, with a root over it, the policy that permitted it, and how many classes that policy denies the viewer. */
#include "hub/internal.h"

#include <stdlib.h>

void hub_delivery_record(struct hub *h, const struct hub_directory *d, uint32_t viewer,
                         const struct hub_delivery *given, struct buf *out)
{
    struct hub_lists *lists = hub_viewer_lists(h, d, viewer);

    json_put_open(out, '{');
    json_put_text(out, "act", SLICE("deliver"));
    json_put_number(out, "at_us", time_now_us());
    json_put_number(out, "viewer", viewer);
    json_put_number(out, "directory", (int64_t)d->epoch);
    json_put_hex(out, "policy", d->policy_hash, CRYPTO_HASH);
    json_put_number(out, "permitted", (int64_t)lists->n);
    json_put_number(out, "denied", (int64_t)(lists->n_classes - lists->n));
    json_put_number(out, "first_seq", (int64_t)given->first_seq);
    json_put_number(out, "last_seq", (int64_t)given->last_seq);
    json_put_number(out, "objects", (int64_t)given->objects);
    json_put_hex(out, "root", given->root, CRYPTO_HASH);
    json_put_close(out, '}');
    hub_lists_drop(&lists);
}

static void take_given(struct hub_viewer *v, struct hub_delivery *out)
{
    pthread_mutex_lock(&v->lock);
    *out = (struct hub_delivery){.first_seq = v->from_seq, .last_seq = v->to_seq, .objects = v->objects};
    memcpy(out->root, v->root, sizeof out->root);
    v->from_seq = v->to_seq = v->objects = 0;
    memset(v->root, 0, sizeof v->root);
    pthread_mutex_unlock(&v->lock);
}

static int deliver_leaf(struct hub_commit *c, uint32_t viewer, struct err *err)
{
    struct hub *h = hub_commit_hub(c);
    struct hub_delivery given;
    struct buf record = BUF_INIT;
    uint64_t leaf;
    size_t n;

    take_given(h->viewers[viewer], &given);
    if (given.objects == 0)
        return 0;
    hub_commit_told(c, viewer, given.first_seq, given.last_seq, given.objects, given.root);
    hub_delivery_record(h, hub_commit_directory_now(c), viewer, &given, &record);
    int result = hub_commit_leaf(c, h->record_key, buf_slice(&record), &leaf, err);
    buf_free(&record);
    if (result != 0)
        return -1;
    const struct hub_grant *now = hub_commit_grants(c, viewer, &n);
    struct hub_grant *grants = mem_zero(n, sizeof *grants);
    if (n != 0)
        memcpy(grants, now, n * sizeof *grants);
    return hub_commit_viewer(c, viewer, grants, n, err);
}

int hub_commit_deliveries(struct hub_commit *c, struct err *err)
{
    uint32_t n = atomic_load(&hub_commit_hub(c)->n_viewers);

    for (uint32_t v = 1; v < n; v++)
        if (deliver_leaf(c, v, err) != 0 || hub_recipients_store(c, v, err) != 0)
            return -1;
    return 0;
}

/* hub/status.c: the TAXII status resource (section 4.3) of a submission, in the submitter's own ids. */
#include "hub/internal.h"

static void put_version(struct buf *out, const struct hub_item *item, int64_t received_us)
{
    char text[TIME_TEXT];

    time_put(text, item->object.modified_us != 0 ? item->object.modified_us : received_us);
    json_put_text(out, "version", slice_n(text, sizeof text));
}

/* What went wrong, or what a profile's rules left out of the release. */
static void put_message(struct buf *out, const struct hub_item *item)
{
    struct buf text = BUF_INIT;

    if (item->err.code != ERR_NONE)
        buf_printf(&text, "%s%s%s: %s", err_name(item->err.code), item->err.place[0] != '\0' ? " at " : "",
                   item->err.place, item->err.text);
    for (size_t i = 0; item->err.code == ERR_NONE && !item->own_only && i < item->n_strips; i++)
        buf_printf(&text, "%s" SLICE_FMT " at /" SLICE_FMT, i == 0 ? "left out of the release: " : ", ",
                   SLICE_ARG(item->strips[i].rule), SLICE_ARG(item->strips[i].property));
    if (text.len != 0)
        json_put_text(out, "message", buf_slice(&text));
    buf_free(&text);
}

static void put_list(struct buf *out, const struct hub_job *job, const char *name, enum hub_verdict from,
                     enum hub_verdict to)
{
    bool open = false;

    for (size_t i = 0; i < job->n_items; i++) {
        const struct hub_item *item = &job->items[i];
        if (item->by_hub || item->is_part || item->verdict < from || item->verdict > to)
            continue;
        if (!open) {
            json_put_key(out, slice_of(name));
            json_put_open(out, '[');
        }
        open = true;
        json_put_open(out, '{');
        json_put_text(out, "id", item->object.id.len != 0 ? item->object.id : SLICE("unknown"));
        put_version(out, item, job->ask.received_us);
        put_message(out, item);
        json_put_close(out, '}');
    }
    if (open)
        json_put_close(out, ']');
}

void hub_submit_status(struct hub_job *job, struct buf *out)
{
    struct hub_outcome *o = &job->outcome;
    char id[36], text[TIME_TEXT];

    for (size_t i = 0; i < job->n_items; i++) {
        if (job->items[i].by_hub || job->items[i].is_part)
            continue;
        o->accepted += job->items[i].verdict == HUB_ACCEPTED;
        o->unchanged += job->items[i].verdict == HUB_UNCHANGED;
        o->held += job->items[i].verdict == HUB_HELD;
        o->refused += job->items[i].verdict == HUB_REFUSED;
    }
    hub_status_id_put(job->hub, o->envelope, id);
    time_put(text, job->ask.received_us);
    json_put_open(out, '{');
    json_put_text(out, "id", slice_n(id, sizeof id));
    json_put_text(out, "status", o->held != 0 ? SLICE("pending") : SLICE("complete"));
    json_put_text(out, "request_timestamp", slice_n(text, sizeof text));
    json_put_number(out, "total_count", o->accepted + o->unchanged + o->held + o->refused);
    json_put_number(out, "success_count", o->accepted + o->unchanged);
    put_list(out, job, "successes", HUB_ACCEPTED, HUB_UNCHANGED);
    json_put_number(out, "failure_count", o->refused);
    put_list(out, job, "failures", HUB_REFUSED, HUB_REFUSED);
    json_put_number(out, "pending_count", o->held);
    put_list(out, job, "pendings", HUB_HELD, HUB_HELD);
    json_put_close(out, '}');
}

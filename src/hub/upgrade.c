/* hub/upgrade.c: objects of STIX 2.0 in an envelope (stage parse). The item is the 2.1 object from here on; what came
   is sealed as the original and goes back to its submitter alone, byte for byte. The SCOs that were inside an
   observed-data become items of their own, right behind it: they share its fate, and the status of the envelope counts
   what was submitted, not what became of it. */
#include "hub/internal.h"

struct growth { /* what one envelope may become */
    size_t items, bytes;
};

static bool is_to_upgrade(const struct hub_item *item)
{
    return item->verdict == HUB_ACCEPTED && item->object.is_stix20;
}

/* Few bytes of 2.0 may ask for many of 2.1: a key of two bytes stands for an id. */
static int growth_check(const struct hub_settings *s, const struct growth *g, struct err *err)
{
    if (g->items > (size_t)s->max_objects)
        return err_set(err, ERR_TOO_LARGE, "/objects", "more than %lld objects after the upgrade from STIX 2.0",
                       (long long)s->max_objects);
    if (g->bytes > 2 * s->max_body)
        return err_set(err, ERR_TOO_LARGE, "", "the envelope is too large after the upgrade from STIX 2.0");
    return 0;
}

static int upgrade_one(struct hub_job *job, const struct hub_item *item, struct growth *g, struct stix_upgraded *out,
                       struct err *err)
{
    if (stix_upgrade(&job->arena, &item->object, out, err) != 0)
        return -1;
    if (item->object.revoked)
        out->n = 1; /* nothing is observed any more */
    g->items += out->n - 1;
    for (uint32_t i = 0; i < out->n; i++)
        g->bytes += out->parts[i].body.len;
    return growth_check(&job->hub->settings, g, err);
}

/* "/value" of the SCO is "/objects/0/value" of what came. */
static void fail_at(struct hub_job *job, struct hub_item *whole, struct slice place, const struct err *why)
{
    struct err err = ERR_INIT;

    err_set_at(&err, why->code, arena_printf(&job->arena, SLICE_FMT "%s", SLICE_ARG(place), why->place), "%s",
               why->text);
    hub_item_reject(whole, &err);
}

/* The upgraded object takes the item over; its SCOs stand behind it. */
static void parts_take(struct hub_job *job, size_t whole, const struct stix_upgraded *u)
{
    struct hub_item *item = &job->items[whole];
    struct err err = ERR_INIT;

    item->submitted = json_raw(item->object.json);
    if (stix_object_read(&job->arena, u->parts[0].json, &item->object, &err) != 0)
        fail_at(job, item, u->parts[0].place, &err);
    for (uint32_t i = 1; i < u->n; i++) {
        struct hub_item *part = &job->items[job->n_items++];
        *part = (struct hub_item){.is_part = true, .part_of = whole, .place = u->parts[i].place};
        part->object.json = u->parts[i].json;
        if (stix_object_read(&job->arena, u->parts[i].json, &part->object, &err) != 0)
            hub_item_reject(part, &err);
        part->source_us = part->object.modified_us;
    }
}

void hub_upgrade(struct hub_job *job, size_t spare)
{
    size_t n = job->n_items;
    struct hub_item *came = job->items;
    struct stix_upgraded *upgraded = arena_array(&job->arena, struct stix_upgraded, n);
    struct growth g = {.items = n};

    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_INIT;
        if (!is_to_upgrade(&came[i]) || upgrade_one(job, &came[i], &g, &upgraded[i], &err) == 0)
            continue;
        upgraded[i].n = 0;
        hub_item_reject(&came[i], &err);
    }
    job->room = n + spare;
    for (size_t i = 0; i < n; i++)
        job->room += upgraded[i].n;
    job->items = arena_array(&job->arena, struct hub_item, job->room);
    job->n_items = 0;
    for (size_t i = 0; i < n; i++) {
        job->items[job->n_items++] = came[i];
        if (upgraded[i].n != 0)
            parts_take(job, job->n_items - 1, &upgraded[i]);
    }
    hub_upgrade_agree(job);
}

void hub_upgrade_agree(struct hub_job *job)
{
    for (size_t i = 0; i < job->n_items; i++) {
        const struct hub_item *part = &job->items[i];
        struct hub_item *whole = &job->items[part->part_of];
        if (part->is_part && part->verdict != HUB_ACCEPTED && whole->verdict == HUB_ACCEPTED)
            fail_at(job, whole, part->place, &part->err);
    }
    for (size_t i = 0; i < job->n_items; i++) {
        struct hub_item *part = &job->items[i];
        if (part->is_part && job->items[part->part_of].verdict != HUB_ACCEPTED)
            part->verdict = HUB_REFUSED; /* what is held is the whole, as it came */
    }
}

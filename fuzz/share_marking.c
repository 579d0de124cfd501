/* Bytes to the markings of an envelope, to the facts of each object and to its release. What is told must hold: facts
   that read back, a release that is JSON and does not carry the id that its submitter coined. */
#include <assert.h>
#include <stdlib.h>

#include "share/share.h"

static const struct json_limits limits = {32, 5000, 500, 4000, 1 << 16};

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_facts(struct arena *a, const struct share_facts *f)
{
    static const struct slice partner[] = {SLICE_INIT("h1")};
    static const struct share_collection collection = {SLICE_INIT("c"), true, partner, 1, partner, 1};
    static const struct share_agreement agreement = {
        SLICE_INIT("ag"), SLICE_INIT("h1"), &collection.id, 1, SHARE_RED, 7, 0, true, INT64_MAX};
    const struct share_policy *p = share_policy_build(a, &collection, 1, &agreement, 1);
    struct share_viewer hub = {.kind = SHARE_PARTNER, .hub = partner[0]},
                        member = {.kind = SHARE_MEMBER, .name = SLICE("h1")};
    struct share_decision one, two;
    struct share_facts back;
    struct buf key = BUF_INIT;
    struct err err = ERR_INIT;

    must(f->tlp != 0 && f->tlp >> SHARE_TLP_LEVELS == 0);
    share_facts_put(f, &key);
    must(share_facts_get(a, buf_slice(&key), &back, &err) == 0 && back.tlp == f->tlp && slice_eq(back.type, f->type));
    buf_free(&key);
    share_decide(p, f, &hub, SHARE_DELIVER, 0, &one);
    share_decide(p, f, &member, SHARE_DELIVER, 0, &two);
    must(one.n_reasons != 0 && two.n_reasons != 0);
    must((f->tlp >> SHARE_RED & 1) == 0 || (one.verdict == SHARE_DENY && two.verdict == SHARE_DENY));
}

static bool is_coined(struct share_names *names, struct slice id)
{
    for (size_t i = 0; i < names->n; i++)
        if (slice_eq_nocase(names->items[i].id, id))
            return true;
    return false;
}

static void check_release(struct arena *a, const struct stix_object *o, bool defaulted)
{
    static const struct slice words[] = {SLICE_INIT("Gotham Bank"), SLICE_INIT("Śląsk"), SLICE_INIT("a.b-c")};
    struct share_names names;
    struct share_release_ask ask = {.object = o,
                                    .names = &names,
                                    .cover_id = SLICE_INIT("identity--c0c0c0c0-0000-4000-8000-00000000c0c0"),
                                    .default_marking = defaulted,
                                    .default_valid_for_us = 1,
                                    .secrets = {words, 3}};
    struct share_release r;
    struct err err = ERR_INIT;
    struct json root;

    must(share_names_find(a, o, NULL, NULL, &names, &err) == 0);
    for (size_t i = 0; i < names.n; i++)
        memset(names.items[i].mac, (int)i + 1, sizeof names.items[i].mac);
    if (share_release_make(a, &ask, &r, &err) != 0) {
        must(err.code == ERR_HELD_PRIVACY && err.place[0] == '/');
        return;
    }
    must(json_parse(a, r.body, &json_limits_default, &root, &err) == 0);
    must(!is_coined(&names, o->id) || slice_find(r.body, o->id) == r.body.len);
    must(r.cover_at == SIZE_MAX || slice_eq(slice_to(slice_from(r.body, r.cover_at), ask.cover_id.len), ask.cover_id));
    must(r.valid_until_at == SIZE_MAX || r.body.ptr[r.valid_until_at + 26] == 'Z');
}

static void check_object(struct arena *a, struct json v, const struct share_context *context)
{
    struct stix_object o;
    struct share_facts f;
    struct err err = ERR_INIT;
    enum share_consent consent;
    bool defaulted = false, found;

    if (stix_object_read(a, v, &o, &err) != 0)
        return;
    if (share_consent_read(&o, &consent, &found, &err) != 0)
        must(err.code == ERR_HELD_CONSENT);
    if (share_facts_read(a, &o, context, &f, &defaulted, &err) == 0)
        check_facts(a, &f);
    else
        must(err.code == ERR_HELD_MARKING || err.code == ERR_HELD_UNMARKED);
    check_release(a, &o, defaulted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct json root;

    if (size < 2)
        return 0;
    char *text = malloc(size - 1); /* of exactly that size: a read past the end is seen */
    memcpy(text, data + 1, size - 1);
    if (json_parse(&a, slice_n(text, size - 1), &limits, &root, &err) == 0) {
        struct json objects = json_get(root, SLICE("objects"));
        struct share_context context = {.collection = SLICE_INIT("c"),
                                        .has_default = (data[0] & 1) != 0,
                                        .default_tlp = (enum share_tlp)(data[0] >> 1 & 3),
                                        .strict_amber1 = (data[0] & 8) != 0,
                                        .objects = objects};
        context.definitions = (data[0] & 16) != 0 ? share_definitions_read(&a, objects) : NULL;
        if (json_kind(objects) != JSON_ARRAY)
            check_object(&a, root, &context);
        json_each (v, objects)
            check_object(&a, v, &context);
    }
    free(text);
    arena_free(&a);
    return 0;
}

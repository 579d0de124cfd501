/* What the rules of sharing cost: decisions, facts and releases a second on one core, beside the reading of the same
 * JSON. Usage: share [seconds] */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "share/share.h"

enum { OBJECTS = 200, WORDS = 8, MEMBERS = 1000 };

static volatile uint64_t sink;
static struct arena arena = ARENA_INIT;
static struct json root;
static struct stix_object objects[OBJECTS];
static size_t bytes;

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s at %s: %s\n", err_name(err->code), err->place, err->text);
    exit(1);
}

/* The size and shape of real ones (mean 544 bytes), with their producer and what he says about them. */
static void put_indicator(struct buf *out, int i)
{
    buf_printf(
        out,
        "%s{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08x-0000-4000-8000-00000000%04x\","
        "\"created_by_ref\":\"identity--00000000-0000-4000-8000-0000000000aa\",\"created\":\"2026-11-22T10:00:00."
        "000Z\","
        "\"modified\":\"2026-11-22T10:00:00.000Z\",\"name\":\"Malicious address %d\",\"description\":\"Command and "
        "control of a "
        "loader, seen by the mail gateway; second stage follows within "
        "minutes.\",\"indicator_types\":[\"malicious-activity\"],"
        "\"pattern\":\"[ipv4-addr:value = "
        "'198.51.100.%d']\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-11-22T10:00:00Z\","
        "\"confidence\":80%s}",
        i > 0 ? "," : "", i, i, i, i % 256,
        i % 20 == 0 ? ",\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]" : "");
}

static void load(void)
{
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    size_t n = 0;

    buf_put(&text, SLICE("{\"objects\":["));
    for (int i = 0; i < OBJECTS; i++)
        put_indicator(&text, i);
    buf_put(&text, SLICE("]}"));
    bytes = text.len;
    must(json_parse(&arena, arena_copy(&arena, buf_slice(&text)), &json_limits_default, &root, &err), &err);
    buf_free(&text);
    json_each (v, json_get(root, SLICE("objects")))
        must(stix_object_read(&arena, v, &objects[n++], &err), &err);
}

/* ---- what is measured: each run works through all objects once ---- */

static void run_parse(struct arena *a)
{
    struct err err = ERR_INIT;
    struct json again;

    must(json_parse(a, json_raw(root), &json_limits_default, &again, &err), &err);
    sink += json_count(again);
}

static void run_facts(struct arena *a)
{
    struct share_context context = {
        .collection = SLICE_INIT("collection--1"), .has_default = true, .default_tlp = SHARE_GREEN};
    struct buf key = BUF_INIT;
    struct share_facts f;
    struct err err = ERR_INIT;
    bool defaulted;

    context.definitions = share_definitions_read(a, json_get(root, SLICE("objects")));
    for (size_t i = 0; i < OBJECTS; i++) {
        must(share_facts_read(a, &objects[i], &context, &f, &defaulted, &err), &err);
        buf_clear(&key);
        share_facts_put(&f, &key);
        sink += key.len;
    }
    buf_free(&key);
}

static void run_names(struct arena *a)
{
    struct share_names names;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < OBJECTS; i++) {
        must(share_names_find(a, &objects[i], NULL, NULL, &names, &err), &err);
        sink += names.n;
    }
}

static void run_release(struct arena *a)
{
    static const struct slice words[WORDS] = {SLICE_INIT("Gotham National Bank"), SLICE_INIT("gotham.example"),
                                              SLICE_INIT("gnb.example"),          SLICE_INIT("GNB"),
                                              SLICE_INIT("mail.gotham.example"),  SLICE_INIT("Wayne Holdings"),
                                              SLICE_INIT("wayne.example"),        SLICE_INIT("Arkham Campus")};
    struct share_names names;
    struct share_release r;
    struct err err = ERR_INIT;

    for (size_t i = 0; i < OBJECTS; i++) {
        struct share_release_ask ask = {.object = &objects[i],
                                        .names = &names,
                                        .cover_id = SLICE_INIT("identity--c0c0c0c0-0000-4000-8000-00000000c0c0"),
                                        .default_marking = i % 20 != 0,
                                        .default_tlp = SHARE_GREEN,
                                        .default_valid_for_us = 1,
                                        .secrets = {words, WORDS}};
        must(share_names_find(a, &objects[i], NULL, NULL, &names, &err), &err);
        for (size_t n = 0; n < names.n; n++)
            memset(names.items[n].mac, (int)(i + n), sizeof names.items[n].mac);
        must(share_release_make(a, &ask, &r, &err), &err);
        sink += r.body.len;
    }
}

static const struct share_policy *policy;
static struct slice members[MEMBERS];

static void build_policy(void)
{
    static struct share_collection c[20];
    static struct share_agreement g[20];

    for (int i = 0; i < MEMBERS; i++)
        members[i] = arena_printf(&arena, "member-%04d", i);
    for (int i = 0; i < 20; i++) {
        c[i] = (struct share_collection){
            .id = arena_printf(&arena, "collection--%d", i), .recipients = members, .n_recipients = MEMBERS};
        c[i].partners = &members[0];
        c[i].n_partners = 20;
        g[i] = (struct share_agreement){
            arena_printf(&arena, "ag-%d", i), members[i], &c[i].id, 1, SHARE_AMBER, 7, 3, false, INT64_MAX};
    }
    policy = share_policy_build(&arena, c, 20, g, 20);
}

static void run_decide(struct arena *a)
{
    struct share_facts f = {.collection = SLICE_INIT("collection--7"),
                            .type = SLICE_INIT("indicator"),
                            .tlp = 1u << SHARE_GREEN | 1u << SHARE_AMBER};
    struct share_decision d;

    for (size_t i = 0; i < OBJECTS; i++) {
        struct share_viewer v = {.kind = i % 4 == 0 ? SHARE_PARTNER : SHARE_MEMBER,
                                 .name = members[i * 7 % MEMBERS],
                                 .hub = members[i % 20]};
        share_decide(policy, &f, &v, SHARE_DELIVER, 1, &d);
        sink += d.verdict;
    }
}

static double rate(double seconds, void (*run)(struct arena *a))
{
    struct arena a = ARENA_INIT;
    int64_t start = time_steady_us(), now = start;
    uint64_t n = 0;

    for (; now - start < (int64_t)(seconds * 1e6); now = time_steady_us()) {
        arena_reset(&a);
        run(&a);
        n += OBJECTS;
    }
    arena_free(&a);
    return (double)n * 1e6 / (double)(now - start);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        void (*run)(struct arena *a);
    } runs[] = {{"read as JSON", run_parse},
                {"facts and class key", run_facts},
                {"names found", run_names},
                {"releases, names and all", run_release},
                {"decisions", run_decide}};
    double seconds = argc > 1 ? atof(argv[1]) : 1, parse = 0;

    load();
    build_policy();
    printf("%d indicators of %zu bytes, one core\n", OBJECTS, bytes / OBJECTS);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        double per_second = rate(seconds, runs[i].run);
        parse = i == 0 ? per_second : parse;
        printf("%-24s %10.0f /s  %6.2f of reading\n", runs[i].what, per_second, per_second / parse);
    }
    arena_free(&arena);
    return 0;
}

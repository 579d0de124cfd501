#include "cmd/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/options.h"
#include "share/share.h"
#include "stix/stix.h"

enum { CONVERT_FILE_MAX = 1 << 30, STATUS_UNREADABLE = 2 };

static const struct option_row rows[] = {
    {"to", "VERSION", "the version of STIX to write, 2.1 or 2.0; standard: 2.1", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON an object: what became of it; no objects", OPTIONS_ONCE},
};
static const struct option_command command = {
    "convert",
    "FILE ...",
    1,
    100000,
    "Prints STIX 2.0 as STIX 2.1, as a hub takes it in (- is standard input): a bundle as a bundle, anything else of "
    "several objects as an envelope. What is 2.1 already stays as it is, byte for byte. What was inside an "
    "observed-data becomes objects of its own. Whether the outcome is valid, tocsin check tells. With --to 2.0 it "
    "prints "
    "STIX 2.1 as a hub gives it to a member with the switch stix20; of what 2.0 has not it tells why.\n"
    "Exit status 1 when an object cannot be converted (it is left out, and told), 2 when a file cannot be read.\n\n"
    "Example: tocsin convert old.json | tocsin check -\n"
    "         tocsin convert --to 2.0 new.json",
    rows,
    sizeof rows / sizeof rows[0]};

struct part { /* one object of the outcome */
    struct slice bytes, id;
    size_t at;
    bool made, again; /* made: out of an observed-data, where the same may come out of another */
};

struct converter {
    struct arena arena; /* of one file */
    const char *file;
    bool json, down; /* down: to 2.0 */
    struct part *parts;
    size_t n, room;
    uint64_t refused, unreadable;
};

static void part_add(struct converter *c, struct slice bytes, struct slice id, bool made)
{
    if (c->n == c->room) {
        struct part *more = arena_array(&c->arena, struct part, c->room * 2 + 64);
        if (c->n != 0)
            memcpy(more, c->parts, c->n * sizeof *more);
        c->parts = more;
        c->room = c->room * 2 + 64;
    }
    c->parts[c->n] = (struct part){bytes, id, c->n, made, false};
    c->n++;
}

/* ---- what is told of an object ---- */

static void line_print(const struct converter *c, struct slice id, const char *verdict, uint32_t n,
                       const struct err *err)
{
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_put_text(&out, "file", slice_of(c->file));
    json_put_text(&out, "id", id);
    json_put_text(&out, "verdict", slice_of(verdict));
    json_put_number(&out, "objects", n);
    if (err != NULL) {
        json_put_text(&out, "code", slice_of(err_name(err->code)));
        json_put_text(&out, "place", slice_of(err->place));
        json_put_text(&out, "text", slice_of(err->text));
    }
    json_put_close(&out, '}');
    printf(SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

static void refusal_print(const struct converter *c, struct slice id, const char *verdict, const struct err *err)
{
    if (c->json)
        line_print(c, id, verdict, 0, err);
    else
        fprintf(stderr, "%s: " SLICE_FMT "%s%s %s%s%s: %s\n", c->file, SLICE_ARG(id), id.len != 0 ? ": " : "", verdict,
                err_name(err->code), err->place[0] != '\0' ? " at " : "", err->place, err->text);
}

/* ---- objects ---- */

static int upgrade(struct converter *c, const struct stix_object *o, struct err *err)
{
    struct stix_upgraded u;

    if (stix_upgrade(&c->arena, o, &u, err) != 0)
        return -1;
    for (uint32_t i = 0; i < u.n; i++)
        part_add(c, u.parts[i].body, json_string(&c->arena, json_get(u.parts[i].json, SLICE("id"))), i != 0);
    if (c->json)
        line_print(c, o->id, "converted", u.n, NULL);
    return 0;
}

static int downgrade(struct converter *c, const struct stix_object *o, struct err *err)
{
    struct slice bytes;

    if (stix_downgrade(&c->arena, o, share_tlp1_instead, &bytes, err) != 0)
        return -1;
    part_add(c, bytes, o->id, false);
    if (c->json)
        line_print(c, o->id, o->is_stix20 ? "unchanged" : "converted", 1, NULL);
    return 0;
}

static int keep(struct converter *c, const struct stix_object *o)
{
    part_add(c, json_raw(o->json), o->id, false);
    if (c->json)
        line_print(c, o->id, "unchanged", 1, NULL);
    return 0;
}

static int object_write(struct converter *c, const struct stix_object *o, struct err *err)
{
    if (c->down)
        return downgrade(c, o, err);
    return o->is_stix20 ? upgrade(c, o, err) : keep(c, o);
}

static void object_convert(struct converter *c, struct json v)
{
    struct stix_object o = {.id = {"", 0}};
    struct err err = ERR_INIT;
    struct slice id = json_string(&c->arena, json_get(v, SLICE("id")));

    if (id.ptr == NULL)
        id = SLICE("");
    if (stix_object_read(&c->arena, v, &o, &err) != 0 || object_write(c, &o, &err) != 0) {
        c->refused++;
        refusal_print(c, id, "refused", &err);
    }
}

/* ---- the outcome ---- */

static int by_id(const void *a, const void *b)
{
    const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;
    int order = slice_cmp(x->id, y->id);

    return order != 0 ? order : x->at < y->at ? -1 : 1;
}

/* The same address seen twice is one object. */
static void again_mark(struct converter *c)
{
    struct part **sorted = arena_array(&c->arena, struct part *, c->n + 1);

    for (size_t i = 0; i < c->n; i++)
        sorted[i] = &c->parts[i];
    if (c->n > 1)
        qsort(sorted, c->n, sizeof *sorted, by_id);
    for (size_t i = 1; i < c->n; i++)
        sorted[i]->again = sorted[i]->made && slice_eq(sorted[i]->id, sorted[i - 1]->id) &&
                           slice_eq(sorted[i]->bytes, sorted[i - 1]->bytes);
}

static void put_line(struct slice s)
{
    fwrite(s.ptr, 1, s.len, stdout);
}

/* Members of the bundle but for its objects; spec_version only 2.0 had there. */
static void head_print(struct converter *c, struct json root)
{
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_each (v, root) {
        struct slice key = json_key(&c->arena, v);
        if (slice_eq(key, SLICE("objects")) || slice_eq(key, SLICE("spec_version")))
            continue;
        json_put_key(&out, key);
        json_put_raw(&out, json_raw(v));
    }
    if (c->down && slice_eq(json_string(&c->arena, json_get(root, SLICE("type"))), SLICE("bundle")))
        json_put_text(&out, "spec_version", SLICE("2.0")); /* 2.0 part 1 section 5 */
    json_put_key(&out, SLICE("objects"));
    put_line(buf_slice(&out));
    buf_free(&out);
}

static void outcome_print(struct converter *c, struct json root, bool single)
{
    bool first = true;

    again_mark(c);
    if (single && c->n <= 1) {
        for (size_t i = 0; i < c->n; i++)
            put_line(c->parts[i].bytes);
        put_line(c->n != 0 ? SLICE("\n") : SLICE(""));
        return;
    }
    if (single)
        put_line(SLICE("{\"objects\":"));
    else
        head_print(c, root);
    put_line(SLICE("["));
    for (size_t i = 0; i < c->n; i++) {
        if (c->parts[i].again)
            continue;
        put_line(first ? SLICE("\n") : SLICE(",\n"));
        put_line(c->parts[i].bytes);
        first = false;
    }
    put_line(SLICE("\n]}\n"));
}

static int file_convert(struct converter *c, struct err *err)
{
    static const struct json_limits limits = {64, 50000000, 1000000, 16u << 20, CONVERT_FILE_MAX};
    const char *path = strcmp(c->file, "-") == 0 ? "/dev/stdin" : c->file;
    struct json root, objects;
    struct slice text;
    bool single;

    if (file_read(&c->arena, path, CONVERT_FILE_MAX, &text, err) != 0 ||
        json_parse(&c->arena, text, &limits, &root, err) != 0 || stix_container(root, &objects, &single, err) != 0)
        return -1;
    if (single)
        object_convert(c, root);
    else
        json_each (v, objects)
            object_convert(c, v);
    if (!c->json)
        outcome_print(c, root, single);
    return 0;
}

int cmd_convert(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct converter c = {.n = 0};
    int status = STATUS_DONE;

    if (!options_begin(&a, &command, argc, argv, &o, &status)) {
        arena_free(&a);
        return status;
    }
    c.json = options_has(&o, "json");
    c.down = slice_eq(options_get_or(&o, "to", "2.1"), SLICE("2.0"));
    if (!c.down && !slice_eq(options_get_or(&o, "to", "2.1"), SLICE("2.1"))) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_USAGE, "--to", "STIX 2.1 and 2.0 are what can be written");
        status = options_fail(&command, &err);
        arena_free(&a);
        return status;
    }
    for (size_t i = 0; i < o.n_operands; i++) {
        struct err err = ERR_INIT;
        c = (struct converter){.file = o.operands[i].ptr,
                               .json = c.json,
                               .down = c.down,
                               .refused = c.refused,
                               .unreadable = c.unreadable};
        if (file_convert(&c, &err) != 0) {
            c.unreadable++;
            refusal_print(&c, SLICE(""), "unreadable", &err);
        }
        arena_free(&c.arena);
    }
    arena_free(&a);
    return c.unreadable != 0 ? STATUS_UNREADABLE : c.refused != 0 ? STATUS_REFUSED : STATUS_DONE;
}

/* STIX 2.0 (OASIS Committee Specification 01, July 2017) to 2.1: the object itself. What hangs below an observed-data
   is in upgrade_objects.c, patterns are in upgrade_pattern.c. Nothing here guesses: where 2.0 said less than 2.1 asks
   for, the rule stands beside the line. */
#include "stix/upgrade.h"

#include "stix/words.h"

enum { MOVED = 1u << 31, EDITS_MAX = 8 };

struct upgrade {
    struct arena *arena;
    const struct stix_object *o;
    struct json_edit edits[EDITS_MAX];
    size_t n;
    struct buf append;
    struct upgrade_container container;
    struct slice types_name; /* where labels moved to; empty: they did not */
    uint32_t *label_at;      /* of each label: its place in what stayed, or MOVED and its place in what moved */
    uint32_t n_labels, n_moved;
    struct err *err;
};

static struct json member(const struct upgrade *u, const char *name)
{
    return json_get(u->o->json, slice_of(name));
}

static bool has(const struct upgrade *u, const char *name)
{
    return json_kind(member(u, name)) != JSON_ABSENT;
}

static bool is_a(const struct upgrade *u, const char *type)
{
    return slice_eq(u->o->type, slice_of(type));
}

/* ptr NULL drops the member. */
static void edit(struct upgrade *u, struct json at, struct slice with)
{
    u->edits[u->n++] = (struct json_edit){at, with, 0};
}

static void edit_take(struct upgrade *u, struct json at, struct buf *with)
{
    edit(u, at, arena_copy(u->arena, buf_slice(with)));
    buf_free(with);
}

static void version_upgrade(struct upgrade *u)
{
    if (has(u, "spec_version"))
        edit(u, member(u, "spec_version"), SLICE("\"2.1\""));
    else
        json_put_text(&u->append, "spec_version", SLICE("2.1"));
}

/* ---- labels ---- */

/* 2.0 had one list for tags and for what 2.1 calls types. A label in the vocabulary is a type; another one may be
   either, and stays where whoever wrote it put it. An identity's labels were its roles, all of them (2.0 part 2
   section 2.4.1). */
static const struct upgrade_vocabulary vocabularies[] = {
    {SLICE_INIT("indicator"), SLICE_INIT("indicator_types"), &words_indicator_type},
    {SLICE_INIT("malware"), SLICE_INIT("malware_types"), &words_malware_type},
    {SLICE_INIT("report"), SLICE_INIT("report_types"), &words_report_type},
    {SLICE_INIT("threat-actor"), SLICE_INIT("threat_actor_types"), &words_threat_actor_type},
    {SLICE_INIT("tool"), SLICE_INIT("tool_types"), &words_tool_type},
    {SLICE_INIT("identity"), SLICE_INIT("roles"), NULL},
};

const struct upgrade_vocabulary *upgrade_vocabulary_of(struct slice type)
{
    for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++)
        if (slice_eq(vocabularies[i].type, type))
            return &vocabularies[i];
    return NULL;
}

/* The vocabulary's own spelling of the word ("Threat-Report" is common); empty: not in it. */
static struct slice word_of(const struct upgrade_vocabulary *v, struct slice label)
{
    for (size_t i = 0; v->words != NULL && i < v->words->n; i++)
        if (slice_eq_nocase(v->words->items[i], label))
            return v->words->items[i];
    return v->words == NULL ? label : slice_n("", 0);
}

static bool is_list_of_strings(struct json list)
{
    json_each (v, list)
        if (json_kind(v) != JSON_STRING)
            return false;
    return json_kind(list) == JSON_ARRAY;
}

static void labels_upgrade(struct upgrade *u)
{
    const struct upgrade_vocabulary *v = upgrade_vocabulary_of(u->o->type);
    struct json labels = member(u, "labels");
    struct buf stay = BUF_INIT, move = BUF_INIT;
    uint32_t n_stay = 0;

    if (v == NULL || !is_list_of_strings(labels) || json_kind(json_get(u->o->json, v->property)) != JSON_ABSENT)
        return;
    u->label_at = arena_array(u->arena, uint32_t, json_count(labels) + 1);
    json_put_open(&stay, '[');
    json_put_open(&move, '[');
    json_each (label, labels) {
        struct slice word = word_of(v, json_string(u->arena, label));
        if (word.len != 0)
            json_put_string(&move, word);
        else
            json_put_raw(&stay, json_raw(label));
        u->label_at[u->n_labels++] = word.len != 0 ? MOVED | u->n_moved++ : n_stay++;
    }
    json_put_close(&stay, ']');
    json_put_close(&move, ']');
    if (u->n_moved != 0) {
        u->types_name = v->property;
        edit(u, labels, n_stay != 0 ? arena_copy(u->arena, buf_slice(&stay)) : slice_n(NULL, 0));
        json_put_key(&u->append, v->property);
        json_put_raw(&u->append, buf_slice(&move));
    }
    buf_free(&stay);
    buf_free(&move);
}

/* ---- types with something of their own ---- */

/* 2.0 knew one language of patterns. */
static void indicator_upgrade(struct upgrade *u)
{
    struct json pattern = member(u, "pattern");
    struct slice text;

    if (!has(u, "pattern_type"))
        json_put_text(&u->append, "pattern_type", SLICE("stix"));
    if (!has(u, "pattern_version"))
        json_put_text(&u->append, "pattern_version", SLICE("2.1"));
    if (json_kind(pattern) == JSON_STRING && upgrade_pattern(u->arena, json_string(u->arena, pattern), &text)) {
        struct buf quoted = BUF_INIT;
        json_put_string(&quoted, text);
        edit_take(u, pattern, &quoted);
    }
}

/* 2.0's malware has a name and no samples: what 2.1 calls a family. MITRE's ATT&CK made the same of it. */
static void malware_upgrade(struct upgrade *u)
{
    if (has(u, "is_family"))
        return;
    json_put_key(&u->append, SLICE("is_family"));
    json_put_bool(&u->append, true);
}

static int observed_data_upgrade(struct upgrade *u)
{
    if (!has(u, "objects") && has(u, "object_refs"))
        return 0; /* of 2.1 but for its spec_version */
    if (upgrade_container_read(u->arena, u->o, &u->container, u->err) != 0)
        return -1;
    edit(u, member(u, "objects"), slice_n(NULL, 0));
    json_put_key(&u->append, SLICE("object_refs"));
    upgrade_container_refs_put(&u->container, &u->append);
    return 0;
}

/* ---- granular markings (2.0 part 1 section 4.3): they follow what they select ---- */

static void label_selector_put(const struct upgrade *u, struct slice rest, struct buf *out)
{
    struct buf to = BUF_INIT;
    uint64_t index;

    if (rest.len == 0) { /* the whole list: wherever its parts are now */
        if (u->n_moved < u->n_labels)
            json_put_string(out, SLICE("labels"));
        json_put_string(out, u->types_name);
        return;
    }
    if (rest.len < 4 || rest.ptr[1] != '[' || !slice_u64(slice_n(rest.ptr + 2, rest.len - 3), &index) ||
        index >= u->n_labels)
        return; /* it selects nothing */
    uint32_t at = u->label_at[index];
    buf_printf(&to, SLICE_FMT ".[%u]", SLICE_ARG((at & MOVED) != 0 ? u->types_name : SLICE("labels")), at & ~MOVED);
    json_put_string(out, buf_slice(&to));
    buf_free(&to);
}

/* The marking itself is on the SCO (upgrade_objects.c); but its id tells the value to whoever can guess it. */
static void object_selector_put(const struct upgrade *u, struct slice rest, struct buf *out)
{
    struct slice key;
    struct buf to = BUF_INIT;

    if (rest.len == 0) {
        json_put_string(out, SLICE("object_refs"));
        return;
    }
    rest = slice_from(rest, 1);
    slice_cut(&rest, '.', &key);
    uint32_t at = upgrade_container_place(&u->container, key);
    if (at == UINT32_MAX)
        return;
    buf_printf(&to, "object_refs.[%u]", at);
    json_put_string(out, buf_slice(&to));
    buf_free(&to);
}

/* Is it this property or something in it? *rest_out begins with a dot, or is empty. */
static bool selects(struct slice selector, struct slice property, struct slice *rest_out)
{
    *rest_out = slice_from(selector, property.len);
    return slice_starts(selector, property) && (rest_out->len == 0 || rest_out->ptr[0] == '.');
}

static void selectors_put(const struct upgrade *u, struct json selectors, struct buf *out)
{
    struct slice rest;

    json_put_open(out, '[');
    json_each (v, selectors) {
        struct slice selector = json_string(u->arena, v);
        if (selector.ptr != NULL && u->types_name.len != 0 && selects(selector, SLICE("labels"), &rest))
            label_selector_put(u, rest, out);
        else if (selector.ptr != NULL && u->container.n != 0 && selects(selector, SLICE("objects"), &rest))
            object_selector_put(u, rest, out);
        else
            json_put_raw(out, json_raw(v));
    }
    json_put_close(out, ']');
}

static void marking_put(const struct upgrade *u, struct json marking, struct buf *out)
{
    json_put_open(out, '{');
    json_each (v, marking) {
        struct slice key = json_key(u->arena, v);
        json_put_key(out, key);
        if (slice_eq(key, SLICE("selectors")) && json_kind(v) == JSON_ARRAY)
            selectors_put(u, v, out);
        else
            json_put_raw(out, json_raw(v));
    }
    json_put_close(out, '}');
}

static void granular_upgrade(struct upgrade *u)
{
    struct json markings = member(u, "granular_markings");
    struct buf out = BUF_INIT;

    if ((u->types_name.len == 0 && u->container.n == 0) || json_kind(markings) != JSON_ARRAY)
        return;
    json_put_open(&out, '[');
    json_each (v, markings) {
        if (json_kind(v) == JSON_OBJECT)
            marking_put(u, v, &out);
        else
            json_put_raw(&out, json_raw(v));
    }
    json_put_close(&out, ']');
    edit_take(u, markings, &out);
}

/* ---- all of it ---- */

static int own_upgrade(struct upgrade *u)
{
    version_upgrade(u);
    labels_upgrade(u);
    if (is_a(u, "indicator"))
        indicator_upgrade(u);
    if (is_a(u, "malware"))
        malware_upgrade(u);
    if (is_a(u, "observed-data") && observed_data_upgrade(u) != 0)
        return -1;
    granular_upgrade(u);
    return 0;
}

/* A custom property of the 2.0 object may have the name that the upgrade needs. */
static int part_read(struct arena *a, struct stix_upgraded_part *part, struct err *err)
{
    struct err why = ERR_INIT;

    if (json_parse(a, part->body, &json_limits_default, &part->json, &why) == 0)
        return 0;
    return err_set_at(err, why.code, part->place, "cannot be written as STIX 2.1: %s", why.text);
}

static int parts_read(struct upgrade *u, struct stix_upgraded *out)
{
    for (uint32_t i = 0; i < out->n; i++)
        if (part_read(u->arena, &out->parts[i], u->err) != 0)
            return -1;
    return 0;
}

int stix_upgrade(struct arena *a, const struct stix_object *o, struct stix_upgraded *out, struct err *err)
{
    struct upgrade u = {.arena = a, .o = o, .err = err};
    struct buf body = BUF_INIT;
    int result = own_upgrade(&u);

    if (result == 0) {
        json_edit_sort(u.edits, u.n);
        json_splice(&body, o->json, u.edits, u.n, buf_slice(&u.append));
        *out = (struct stix_upgraded){u.container.parts, u.container.n_parts};
        if (out->n == 0)
            *out = (struct stix_upgraded){arena_new(a, struct stix_upgraded_part), 1};
        out->parts[0] = (struct stix_upgraded_part){.body = arena_copy(a, buf_slice(&body)), .place = SLICE("")};
        result = parts_read(&u, out);
    }
    buf_free(&u.append);
    buf_free(&body);
    return result;
}

#include "base/conf.h"
#include "stix/internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A profile is a list of rules; compiled, each type of the standard has the list of those that speak about it, so that
   an object is asked only what concerns it. */

enum need { OPTIONAL, REQUIRED, PROHIBITED, STRIP };
enum outcome { REFUSE, HOLD, WARN };

struct row { /* as the file says it */
    struct slice code, when, need, outcome, form, privacy, min, max, text;
    struct conf_list types, properties, words, one_of, none_of, refers_to;
};

struct file {
    struct slice profile, about, types_code, types_outcome;
    struct conf_list types;
    struct conf_rows rules;
};

struct rule {
    struct row row;
    enum need need;
    enum outcome outcome;
    bool (*form)(struct slice text);
    bool has_min, has_max;
    bool is_custom;    /* about every property that the standard does not know */
    bool of_submitter; /* about identities that describe who submits */
    double min, max;
};

struct list { /* the rules of one type */
    const struct rule **items;
    size_t n;
};

struct stix_profile {
    struct slice name, about, types_code;
    enum outcome types_outcome;
    bool takes[TYPE_COUNT + 1];
    struct list rules[TYPE_COUNT + 1]; /* the last: types that the standard does not know */
};

/* ---- reading ---- */

#define ROW(field, kind, standard, help)                                                                               \
    {                                                                                                                  \
#field, kind, offsetof(struct row, field), standard, help, 0, 0                                                \
    }
static const struct conf_field row_fields[] = {
    ROW(code, CONF_TEXT, NULL, "what a submitter is told, like AIS-IDENTITY-SECTORS"),
    ROW(types, CONF_LIST, "*", "STIX types; * is all, \"custom\" those that the standard does not know"),
    ROW(properties, CONF_LIST, NULL, "top-level properties; \"custom\": those that the standard does not know"),
    ROW(when, CONF_TEXT, "", "submitter: only identities that name themselves, or nobody, as their maker"),
    ROW(need, CONF_TEXT, "optional", "required, optional, prohibited, or strip: left out of the release"),
    ROW(outcome, CONF_TEXT, "refuse", "what a broken rule means: refuse, hold or warn"),
    ROW(words, CONF_LIST, "", "the value, or each of the list, is one of these"),
    ROW(one_of, CONF_LIST, "", "of these at most one stands in it, exactly one where it is required"),
    ROW(none_of, CONF_LIST, "", "none of these stands in it"),
    ROW(refers_to, CONF_LIST, "", "it names an object of one of these types"),
    ROW(form, CONF_TEXT, "", "country (ISO 3166-1 alpha-2) or subdivision (ISO 3166-2)"),
    ROW(min, CONF_TEXT, "", "smallest number, or shortest list"),
    ROW(max, CONF_TEXT, "", "largest number, or longest list"),
    ROW(privacy, CONF_TEXT, "A", "A: machine-typed, B: may identify a person, C: free text, D: not accepted unseen"),
    ROW(text, CONF_TEXT, "", "a sentence for the submitter"),
};
static const struct conf_table row_table = {row_fields, sizeof row_fields / sizeof row_fields[0], sizeof(struct row)};

static const struct conf_field file_fields[] = {
    {"profile", CONF_TEXT, offsetof(struct file, profile), NULL, "its name", 0, 0},
    {"about", CONF_TEXT, offsetof(struct file, about), "", "where its rules come from", 0, 0},
    {"types", CONF_LIST, offsetof(struct file, types), "", "the STIX types taken; none named: all", 0, 0},
    {"types_code", CONF_TEXT, offsetof(struct file, types_code), "TYPE", "what a submitter of another type is told", 0,
     0},
    {"types_outcome", CONF_TEXT, offsetof(struct file, types_outcome), "refuse", "and what it means: refuse or hold", 0,
     0},
    {"rules", CONF_ROWS, offsetof(struct file, rules), "", "the rules", 0, 0, &row_table},
};

static bool is_country(struct slice s)
{
    return s.len == 2 && isupper((unsigned char)s.ptr[0]) && isupper((unsigned char)s.ptr[1]);
}

static bool is_subdivision(struct slice s)
{
    if (s.len < 4 || s.len > 6 || !is_country(slice_to(s, 2)) || s.ptr[2] != '-')
        return false;
    for (size_t i = 3; i < s.len; i++)
        if (!isupper((unsigned char)s.ptr[i]) && !isdigit((unsigned char)s.ptr[i]))
            return false;
    return true;
}

/* Place of a word in a list that ends with NULL; -1: none of them. */
static int word_place(struct slice word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (slice_eq(word, slice_of(words[i])))
            return i;
    return -1;
}

static bool read_limit(struct slice text, bool *has_out, double *out)
{
    char *end;

    *has_out = text.len != 0;
    if (text.len == 0)
        return true;
    errno = 0;
    *out = strtod(text.ptr, &end); /* the reader of settings puts a NUL behind every text */
    return end == text.ptr + text.len && errno == 0;
}

static int wrong(struct err *err, const char *name, const struct row *row, const char *what, struct slice found)
{
    return err_set(err, ERR_CONF_VALUE, name, "rule " SLICE_FMT ": %s, found \"" SLICE_FMT "\"",
                   SLICE_ARG(slice_to(row->code, 60)), what, SLICE_ARG(slice_to(found, 60)));
}

static const char *const outcomes[] = {"refuse", "hold", "warn", NULL};

static int rule_read(struct rule *r, const char *name, struct err *err)
{
    static const char *const needs[] = {"optional", "required", "prohibited", "strip", NULL};
    static const char *const forms[] = {"", "country", "subdivision", NULL};
    static bool (*const checks[])(struct slice) = {NULL, is_country, is_subdivision};
    static const char *const classes[] = {"A", "B", "C", "D", NULL}, *const moments[] = {"", "submitter", NULL};
    const struct row *row = &r->row;
    int need = word_place(row->need, needs), outcome = word_place(row->outcome, outcomes);
    int form = word_place(row->form, forms);

    if (row->code.len == 0 || row->code.len > STIX_RULE_MAX)
        return err_set(err, ERR_CONF_VALUE, name, "the code of a rule has 1 to %d characters", (int)STIX_RULE_MAX);
    if (need < 0)
        return wrong(err, name, row, "need is required, optional, prohibited or strip", row->need);
    if (word_place(row->when, moments) < 0)
        return wrong(err, name, row, "when is submitter, or nothing", row->when);
    if (outcome < 0)
        return wrong(err, name, row, "outcome is refuse, hold or warn", row->outcome);
    if (form < 0)
        return wrong(err, name, row, "form is country or subdivision", row->form);
    if (word_place(row->privacy, classes) < 0)
        return wrong(err, name, row, "privacy is A, B, C or D", row->privacy);
    if (!read_limit(row->min, &r->has_min, &r->min))
        return wrong(err, name, row, "min is a number", row->min);
    if (!read_limit(row->max, &r->has_max, &r->max))
        return wrong(err, name, row, "max is a number", row->max);
    r->need = (enum need)need;
    r->outcome = (enum outcome)outcome;
    r->form = checks[form];
    r->of_submitter = row->when.len != 0;
    r->is_custom = row->properties.n == 1 && slice_eq(row->properties.items[0], SLICE("custom"));
    if (r->is_custom && r->need != PROHIBITED && r->need != STRIP)
        return wrong(err, name, row, "custom properties are prohibited or stripped", row->need);
    return 0;
}

/* Place in the tables; TYPE_COUNT for "custom", -1 for a name that the standard does not know. */
static int type_place(struct slice name)
{
    const struct stix_type *t = stix_type_find(name);

    return t != NULL ? (int)type_index(t) : slice_eq(name, SLICE("custom")) ? TYPE_COUNT : -1;
}

static void list_add(struct arena *a, struct list *l, const struct rule *rule)
{
    if ((l->n & (l->n - 1)) == 0) { /* full: room doubles */
        const struct rule **items = arena_alloc(a, (l->n == 0 ? 1 : 2 * l->n) * sizeof *items);
        if (l->n != 0)
            memcpy(items, l->items, l->n * sizeof *items);
        l->items = items;
    }
    l->items[l->n++] = rule;
}

static int rule_enter(struct arena *a, struct stix_profile *p, const struct rule *r, const char *name, struct err *err)
{
    for (size_t i = 0; i < r->row.types.n; i++) {
        struct slice type = r->row.types.items[i];
        bool all = slice_eq(type, SLICE("*"));
        int place = type_place(type);
        if (!all && place < 0)
            return wrong(err, name, &r->row, "types are STIX 2.1 types, custom or *", type);
        for (int at = all ? 0 : place; at <= (all ? TYPE_COUNT : place); at++)
            if (at != TYPE_BUNDLE)
                list_add(a, &p->rules[at], r);
    }
    return 0;
}

static int types_read(struct stix_profile *p, const struct file *file, const char *name, struct err *err)
{
    for (int i = 0; i <= TYPE_COUNT; i++)
        p->takes[i] = file->types.n == 0;
    for (size_t i = 0; i < file->types.n; i++) {
        int place = type_place(file->types.items[i]);
        if (place < 0)
            return err_set(err, ERR_CONF_VALUE, name, "types: \"" SLICE_FMT "\" is no STIX 2.1 type",
                           SLICE_ARG(slice_to(file->types.items[i], 60)));
        p->takes[place] = true;
    }
    p->takes[TYPE_BUNDLE] = true; /* a wrapping, not an object */
    int outcome = word_place(file->types_outcome, outcomes);
    if (outcome != REFUSE && outcome != HOLD)
        return err_set(err, ERR_CONF_VALUE, name, "types_outcome is refuse or hold");
    p->types_outcome = (enum outcome)outcome;
    return 0;
}

int stix_profile_parse(struct arena *a, const char *name, struct slice text, const struct stix_profile **out,
                       struct err *err)
{
    struct stix_profile *p = arena_new(a, struct stix_profile);
    struct file file;

    if (text.len > STIX_PROFILE_MAX)
        return err_set(err, ERR_LIMIT_BYTES, name, "a profile has at most %d bytes", (int)STIX_PROFILE_MAX);
    if (conf_parse(a, name, text, file_fields, sizeof file_fields / sizeof file_fields[0], &file, err) != 0 ||
        types_read(p, &file, name, err) != 0)
        return -1;
    if (file.profile.len == 0 || file.profile.len > 64 || file.types_code.len > STIX_RULE_MAX)
        return err_set(err, ERR_CONF_VALUE, name, "the name of a profile has 1 to 64 characters, a code at most %d",
                       (int)STIX_RULE_MAX);
    p->name = file.profile;
    p->about = file.about;
    p->types_code = file.types_code;
    struct rule *rules = arena_array(a, struct rule, file.rules.n);
    for (size_t i = 0; i < file.rules.n; i++) {
        rules[i].row = ((struct row *)file.rules.items)[i];
        if (rule_read(&rules[i], name, err) != 0 || rule_enter(a, p, &rules[i], name, err) != 0)
            return -1;
    }
    *out = p;
    return 0;
}

struct slice stix_profile_name(const struct stix_profile *p)
{
    return p->name;
}

struct slice stix_profile_about(const struct stix_profile *p)
{
    return p->about;
}

/* ---- checking ---- */

struct judging {
    struct check check; /* findings go the way of validation's */
    struct stix_strip *strips;
    size_t n_strips, room;
};

static void tell(struct judging *j, const struct rule *r, struct json at, const char *name, const char *what,
                 struct slice property)
{
    struct slice text = r->row.text;
    enum err_code code = r->outcome == HOLD ? ERR_HELD_PROFILE : ERR_PROFILE;

    j->check.rule = r->row.code;
    check_report(&j->check, r->outcome == WARN ? NOTE : HARD, code, at, name, "\"" SLICE_FMT "\" %s%s" SLICE_FMT,
                 SLICE_ARG(slice_to(property, 80)), what, text.len != 0 ? ": " : "", SLICE_ARG(text));
    j->check.rule = slice_n(NULL, 0);
}

static bool list_has(const struct conf_list *list, struct slice word)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_eq(list->items[i], word))
            return true;
    return false;
}

/* One word of the value; `hits` counts those of one_of. */
static bool word_check(struct judging *j, const struct rule *r, struct json v, struct slice property, size_t *hits)
{
    struct slice word = json_string(j->check.arena, v);

    *hits += word.ptr != NULL && list_has(&r->row.one_of, word);
    if (r->row.words.n != 0 && (word.ptr == NULL || !list_has(&r->row.words, word)))
        tell(j, r, v, NULL, "has a value that this profile does not take", property);
    else if (word.ptr != NULL && list_has(&r->row.none_of, word))
        tell(j, r, v, NULL, "has a value that this profile forbids", property);
    else if (r->form != NULL && (word.ptr == NULL || !r->form(word)))
        tell(j, r, v, NULL, "has not the form that this profile asks for", property);
    else
        return true;
    return false;
}

static bool refers(struct judging *j, const struct rule *r, struct json v)
{
    struct stix_id id;

    if (json_kind(v) == JSON_ARRAY) {
        json_each (item, v)
            if (refers(j, r, item))
                return true;
        return false;
    }
    return json_kind(v) == JSON_STRING && stix_id_parse(json_string(j->check.arena, v), &id) &&
           list_has(&r->row.refers_to, id.type);
}

static void value_check(struct judging *j, const struct rule *r, struct json v, struct slice property)
{
    bool is_list = json_kind(v) == JSON_ARRAY, is_number = json_kind(v) == JSON_NUMBER;
    double size = is_list ? json_count(v) : is_number ? strtod(arena_copy(j->check.arena, json_raw(v)).ptr, NULL) : 0;
    size_t hits = 0;

    if ((r->has_min || r->has_max) && !is_list && !is_number)
        tell(j, r, v, NULL, "must be a number or a list", property);
    else if ((r->has_min && size < r->min) || (r->has_max && size > r->max))
        tell(j, r, v, NULL, is_list ? "has too few or too many entries" : "is out of the profile's range", property);
    if (r->row.refers_to.n != 0 && !refers(j, r, v))
        tell(j, r, v, NULL, "names no object of the type that this profile asks for", property);
    if (r->row.words.n + r->row.one_of.n + r->row.none_of.n == 0 && r->form == NULL)
        return;
    if (is_list) {
        json_each (item, v)
            if (!word_check(j, r, item, property, &hits))
                return;
    } else if (!word_check(j, r, v, property, &hits)) {
        return;
    }
    if (r->row.one_of.n != 0 && (hits > 1 || (hits == 0 && r->need == REQUIRED)))
        tell(j, r, v, NULL,
             hits == 0 ? "has none of the values of which one must stand there"
                       : "has more than one of the values of which one must stand there",
             property);
}

static void strip_add(struct judging *j, const struct rule *r, struct slice property)
{
    if (j->n_strips == j->room) {
        struct stix_strip *grown = arena_array(j->check.arena, struct stix_strip, j->room == 0 ? 4 : 2 * j->room);
        if (j->n_strips != 0)
            memcpy(grown, j->strips, j->n_strips * sizeof *grown);
        j->strips = grown;
        j->room = j->room == 0 ? 4 : 2 * j->room;
    }
    j->strips[j->n_strips++] = (struct stix_strip){property, r->row.code, r->row.privacy};
}

static void member_judge(struct judging *j, const struct rule *r, struct json v, struct slice property)
{
    if (r->need == PROHIBITED)
        tell(j, r, v, NULL, "does not belong here", property);
    else if (r->need == STRIP)
        strip_add(j, r, property);
    else
        value_check(j, r, v, property);
}

/* "" and null stand for absent with many producers. */
static bool is_there(struct json v)
{
    return json_kind(v) != JSON_ABSENT && json_kind(v) != JSON_NULL && !slice_eq(json_raw(v), SLICE("\"\"")) &&
           !(json_kind(v) == JSON_ARRAY && json_count(v) == 0);
}

/* An identity that names itself as its maker, or nobody, describes its submitter. */
static bool is_submitter(struct judging *j)
{
    struct json maker = json_get(j->check.object->json, SLICE("created_by_ref"));

    return !is_there(maker) || slice_eq(json_string(j->check.arena, maker), j->check.object->id);
}

static void rule_judge(struct judging *j, const struct rule *r)
{
    struct json object = j->check.object->json;

    if (r->of_submitter && !is_submitter(j))
        return;

    for (size_t i = 0; i < r->row.properties.n && !r->is_custom; i++) {
        struct slice property = r->row.properties.items[i];
        struct json v = json_get(object, property);
        if (is_there(v))
            member_judge(j, r, v, property);
        else if (r->need == REQUIRED)
            tell(j, r, object, property.ptr, "is missing", property);
    }
    if (!r->is_custom || j->check.object->kind == NULL)
        return; /* an object of a custom type is all custom: whether it is taken is its type's matter */
    json_each (v, object) {
        struct slice key = json_key(j->check.arena, v);
        if (!stix_type_has(j->check.object->kind, key))
            member_judge(j, r, v, key);
    }
}

uint32_t stix_profile_check(struct arena *a, const struct stix_profile *p, const struct stix_object *o,
                            struct stix_report *report, const struct stix_strip **strips_out, size_t *n_strips_out)
{
    struct judging j = {.check = {.arena = a, .object = o, .mode = STIX_LENIENT, .report = report}};
    int place = o->kind != NULL ? (int)type_index(o->kind) : TYPE_COUNT;
    uint32_t before = report->errors;

    if (!p->takes[place]) {
        j.check.rule = p->types_code;
        check_report(&j.check, HARD, p->types_outcome == HOLD ? ERR_HELD_PROFILE : ERR_PROFILE,
                     json_get(o->json, SLICE("type")), NULL,
                     "profile " SLICE_FMT " takes no objects of type \"" SLICE_FMT "\"", SLICE_ARG(p->name),
                     SLICE_ARG(slice_to(o->type, 80)));
    } else {
        for (size_t i = 0; i < p->rules[place].n; i++)
            rule_judge(&j, p->rules[place].items[i]);
    }
    *strips_out = j.strips;
    *n_strips_out = j.n_strips;
    return report->errors - before;
}

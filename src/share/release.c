#include "share/internal.h"

#include "base/time.h"

/* A release is the submitter's own bytes with edits: one pass over the top-level members in their order, so that the
 * edits come out sorted. */

static const struct slice instant_quoted =
    SLICE_INIT("\"1970-01-01T00:00:00.000000Z\""); /* the committer writes over it */
_Static_assert(sizeof "1970-01-01T00:00:00.000000Z" - 1 == TIME_TEXT, "an instant has room for time_put()");

enum place { CREATED, MODIFIED, VALID_UNTIL, COVER, PLACES };

struct making {
    struct arena *arena;
    const struct share_release_ask *ask;
    struct share_name_index names;
    struct share_secret_finder secrets;
    struct share_edits edits;
    struct buf append;
    size_t edit_of[PLACES];   /* index of the edit + 1 whose text it is; 0: none */
    size_t append_of[PLACES]; /* offset of its text in `append`; 0: none */
    bool minted;              /* the object's own id is the submitter's: the release is the hub's */
    bool versioned;           /* and it is an object with versions: SDO, SRO, and what is like them */
    bool leaky;               /* while a member is looked at: it holds what must not be read */
    uint32_t withheld;
    struct slice first_withheld, first_rule; /* the rule: of the profile, where one strips it */
    struct err *err;
};

static void edit_add(struct making *m, struct json at, struct slice with)
{
    share_edits_add(m->arena, &m->edits, at, with);
}

static void edit_drop(struct making *m, struct json at)
{
    edit_add(m, at, (struct slice){NULL, 0});
}

static void edit_place(struct making *m, enum place which, struct json at, struct slice with)
{
    edit_add(m, at, with);
    m->edit_of[which] = m->edits.n;
}

/* Ids need no escapes. */
static struct slice quoted_id(struct making *m, struct slice id)
{
    char *text = arena_alloc(m->arena, id.len + 2);

    text[0] = text[id.len + 1] = '"';
    memcpy(text + 1, id.ptr, id.len);
    return slice_n(text, id.len + 2);
}

static struct slice minted(void *arg, struct slice id)
{
    struct making *m = arg;
    const struct share_name *name = share_name_of(&m->names, id);

    return name != NULL ? share_minted_id(m->arena, name->id, name->mac) : (struct slice){NULL, 0};
}

/* ---- looking at what a member holds ---- */

/* Instants cannot name anybody, and a name like "2026" would be found in each of them. */
static bool is_instant(struct slice text)
{
    int64_t us;

    return text.len >= 20 && text.len <= 30 && text.ptr[10] == 'T' && time_parse_stix(text, &us);
}

/* A UUID of the submitter's that stands without its type: nothing can be put in its place. With a type it is an id,
   which is replaced or, as the id of a value, stays. */
static bool mentions_uuid(struct making *m, struct slice text)
{
    struct share_mention one;
    size_t from = 0;

    while (share_mention_next(m->arena, text, &from, &one))
        if (one.id.len == 0 && share_name_has_uuid(&m->names, one.text))
            return true;
    return false;
}

static bool mentions_name(struct making *m, struct slice text)
{
    struct share_mention one;
    size_t from = 0;

    while (share_mention_next(m->arena, text, &from, &one))
        if (one.id.len != 0 && share_name_of(&m->names, one.id) != NULL)
            return true;
    return false;
}

static void look_at_text(struct making *m, struct json v, struct slice text)
{
    struct slice replaced = text;

    if (text.len >= SHARE_UUID_TEXT) {
        m->leaky = m->leaky || mentions_uuid(m, text);
        replaced = share_text_replace(m->arena, text, minted, m);
    }
    if (!is_instant(text) && share_secret_in(&m->secrets, replaced))
        m->leaky = true;
    if (replaced.ptr != text.ptr)
        edit_add(m, v, share_quote(m->arena, replaced));
}

static void look_at_string(struct making *m, struct json v)
{
    struct slice text = json_string(m->arena, v);
    struct stix_id id;

    if (text.len <= SHARE_UUID_TEXT || !stix_id_parse(text, &id)) {
        look_at_text(m, v, text);
        return;
    }
    struct slice with = minted(m, text);
    if (with.ptr != NULL)
        edit_add(m, v, quoted_id(m, with));
    if (stix_type_find(id.type) == NULL && share_secret_in(&m->secrets, id.type))
        m->leaky = true; /* an invented type may carry its inventor's name */
}

/* The standard's own keys are small letters, digits and underscores and name nobody; those that producers invent begin
   with x_ (STIX 2.1 section 11.1), and a dictionary's keys may be anything. */
static bool is_invented(struct slice key)
{
    if (slice_starts(key, SLICE("x_")))
        return true;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return true;
    }
    return false;
}

/* An id in a key cannot be replaced. */
static void look_at_key(struct making *m, struct slice key)
{
    if ((is_invented(key) && share_secret_in(&m->secrets, key)) || mentions_uuid(m, key) || mentions_name(m, key))
        m->leaky = true;
}

static void look_at(struct making *m, struct json v, bool named)
{
    enum json_kind kind = json_kind(v);

    if (named)
        look_at_key(m, json_key(m->arena, v));
    if (kind == JSON_STRING)
        look_at_string(m, v);
    else
        json_each (inner, v)
            look_at(m, inner, kind == JSON_OBJECT);
}

static int held(struct making *m, struct slice key, struct slice rule)
{
    struct slice place = arena_printf(m->arena, "/" SLICE_FMT, SLICE_ARG(key));

    if (rule.len != 0)
        return err_set_at(m->err, ERR_HELD_PROFILE, place,
                          SLICE_FMT ": the profile leaves this out, and the object cannot stand without it",
                          SLICE_ARG(rule));
    return err_set_at(m->err, ERR_HELD_PRIVACY, place, "held: this may name the submitter and cannot be left out");
}

/* Leaving one of these out would change who may read the rest, or what the object is. */
static bool is_marking(struct slice key)
{
    return slice_eq(key, SLICE("object_marking_refs")) || slice_eq(key, SLICE("granular_markings"));
}

static bool is_selected(struct making *m, struct slice key)
{
    json_each (entry, json_get(m->ask->object->json, SLICE("granular_markings")))
        json_each (v, json_get(entry, SLICE("selectors"))) {
            struct slice selector = json_string(m->arena, v);
            if (slice_starts(selector, key) && (selector.len == key.len || selector.ptr[key.len] == '.'))
                return true;
        }
    return false;
}

/* An optional property that holds a secret is left out. Not where the id stays, since then the id stands for the whole
   (an SCO's is made of its value) and others hold the same object; not where nothing tells what is required; not where
   a marking speaks of the property, which would be lost with it. */
static int member_withhold(struct making *m, struct json v, struct slice key, struct slice rule)
{
    if (!m->minted || m->ask->object->kind == NULL || is_marking(key) || is_selected(m, key))
        return held(m, key, rule);
    if (m->withheld++ == 0) {
        m->first_withheld = key;
        m->first_rule = rule;
    }
    edit_drop(m, v);
    return 0;
}

static int member_other(struct making *m, struct json v, struct slice key)
{
    size_t before = m->edits.n;

    m->leaky = false;
    look_at(m, v, true);
    if (!m->leaky)
        return 0;
    m->edits.n = before; /* what was to be changed in it goes with it */
    return member_withhold(m, v, key, SLICE(""));
}

/* ---- the members that a release treats by name ---- */

static int member_id(struct making *m, struct json v, struct slice key)
{
    struct slice with = minted(m, m->ask->object->id);

    if (with.ptr != NULL)
        edit_add(m, v, quoted_id(m, with));
    return 0;
}

static int member_type(struct making *m, struct json v, struct slice key)
{
    bool named = m->ask->object->kind == NULL && share_secret_in(&m->secrets, m->ask->object->type);

    return named ? held(m, key, SLICE("")) : 0;
}

static int member_created(struct making *m, struct json v, struct slice key)
{
    if (!m->versioned)
        return member_other(m, v, key);
    edit_place(m, slice_eq(key, SLICE("created")) ? CREATED : MODIFIED, v, instant_quoted);
    return 0;
}

/* A producer that is known stays where the object is not ours; the submitter's own identity never does. */
static int member_created_by(struct making *m, struct json v, struct slice key)
{
    bool own = minted(m, json_string(m->arena, v)).ptr != NULL;

    if (!own && !m->versioned)
        return member_other(m, v, key);
    if (m->ask->cover_id.len != 0)
        edit_place(m, COVER, v, quoted_id(m, m->ask->cover_id));
    else
        edit_drop(m, v);
    return 0;
}

/* Statements stay; the default level joins them. */
static int member_markings(struct making *m, struct json v, struct slice key)
{
    struct slice level = share_tlp_id(m->ask->default_tlp), raw = json_raw(v);
    bool empty = json_kind(v) != JSON_ARRAY || json_count(v) == 0;
    size_t before = m->edits.n;

    if (member_other(m, v, key) != 0)
        return -1;
    if (!m->minted || !m->ask->default_marking)
        return 0;
    if (m->edits.n != before)
        return held(m, key, SLICE("")); /* an id in it that is no marking's */
    if (empty)
        raw = SLICE("[]");
    edit_add(m, v,
             arena_printf(m->arena, SLICE_FMT "%s\"" SLICE_FMT "\"]", (int)raw.len - 1, raw.ptr, empty ? "" : ",",
                          SLICE_ARG(level)));
    return 0;
}

static bool gets_valid_until(const struct making *m)
{
    return m->versioned && !m->ask->expire && m->ask->default_valid_for_us > 0 &&
           slice_eq(m->ask->object->type, SLICE("indicator"));
}

/* Empty properties are common (2.7 % of real objects): one is as good as none. */
static int member_valid_until(struct making *m, struct json v, struct slice key)
{
    bool empty = json_kind(v) == JSON_NULL || slice_eq(json_raw(v), SLICE("\"\""));

    if (!empty || !gets_valid_until(m))
        return member_other(m, v, key);
    edit_place(m, VALID_UNTIL, v, instant_quoted);
    return 0;
}

static int member_contact(struct making *m, struct json v, struct slice key)
{
    if (!slice_eq(m->ask->object->type, SLICE("identity")))
        return member_other(m, v, key);
    edit_drop(m, v);
    return 0;
}

/* STIX 2.1 section 7.1: the version that a translation was made for. The object that it names has the hub's versions
 * now. */
static int member_object_modified(struct making *m, struct json v, struct slice key)
{
    struct json named = json_get(m->ask->object->json, SLICE("object_ref"));

    if (!slice_eq(m->ask->object->type, SLICE("language-content")) ||
        minted(m, json_string(m->arena, named)).ptr == NULL)
        return member_other(m, v, key);
    edit_drop(m, v);
    return 0;
}

static const struct {
    struct slice key;
    int (*edit)(struct making *m, struct json v, struct slice key);
} members[] = {
    {SLICE_INIT("id"), member_id},
    {SLICE_INIT("type"), member_type},
    {SLICE_INIT("created"), member_created},
    {SLICE_INIT("modified"), member_created},
    {SLICE_INIT("created_by_ref"), member_created_by},
    {SLICE_INIT("object_marking_refs"), member_markings},
    {SLICE_INIT("valid_until"), member_valid_until},
    {SLICE_INIT("contact_information"), member_contact},
    {SLICE_INIT("object_modified"), member_object_modified},
};

static int member_edit(struct making *m, struct json v)
{
    struct slice key = json_key(m->arena, v);

    for (size_t i = 0; i < m->ask->n_strips; i++)
        if (slice_eq(m->ask->strips[i].property, key))
            return member_withhold(m, v, key, m->ask->strips[i].rule);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (slice_eq(members[i].key, key))
            return members[i].edit(m, v, key);
    return member_other(m, v, key);
}

/* ---- what was not there ---- */

static bool is_there(const struct making *m, struct slice key)
{
    return json_kind(json_get(m->ask->object->json, key)) != JSON_ABSENT;
}

static void append_place(struct making *m, enum place which, struct slice key, struct slice quoted)
{
    json_put_key(&m->append, key);
    m->append_of[which] = m->append.len + 1;
    buf_put(&m->append, quoted);
}

static void append_missing(struct making *m)
{
    if (m->versioned && !is_there(m, SLICE("created")))
        append_place(m, CREATED, SLICE("created"), instant_quoted);
    if (m->versioned && !is_there(m, SLICE("modified")))
        append_place(m, MODIFIED, SLICE("modified"), instant_quoted);
    if (m->versioned && m->ask->cover_id.len != 0 && !is_there(m, SLICE("created_by_ref")))
        append_place(m, COVER, SLICE("created_by_ref"), quoted_id(m, m->ask->cover_id));
    if (m->minted && m->ask->default_marking && !is_there(m, SLICE("object_marking_refs"))) {
        json_put_key(&m->append, SLICE("object_marking_refs"));
        json_put_open(&m->append, '[');
        json_put_string(&m->append, share_tlp_id(m->ask->default_tlp));
        json_put_close(&m->append, ']');
    }
    if (gets_valid_until(m) && !is_there(m, SLICE("valid_until")))
        append_place(m, VALID_UNTIL, SLICE("valid_until"), instant_quoted);
}

/* ---- what is left must still be STIX ---- */

static bool is_valid(struct arena *a, struct slice body)
{
    struct json root;
    struct stix_object o;
    struct stix_report report = {0};
    struct err err = ERR_INIT;

    return json_parse(a, body, &json_limits_default, &root, &err) == 0 && stix_object_read(a, root, &o, &err) == 0 &&
           stix_validate(a, &o, STIX_LENIENT, &report) == 0;
}

/* The type's own rows say what is required: the submitter's object, less what is left out, is validated. */
static int withheld_check(struct making *m)
{
    struct arena scratch = ARENA_INIT;
    struct json_edit *drops = arena_array(&scratch, struct json_edit, m->edits.n);
    struct buf rest = BUF_INIT;
    size_t n = 0;
    bool valid;

    for (size_t i = 0; i < m->edits.n; i++)
        if (m->edits.items[i].with.ptr == NULL)
            drops[n++] = m->edits.items[i];
    json_splice(&rest, m->ask->object->json, drops, n, SLICE(""));
    valid = is_valid(&scratch, buf_slice(&rest));
    buf_free(&rest);
    arena_free(&scratch);
    return valid ? 0 : held(m, m->first_withheld, m->first_rule);
}

/* ---- all of it ---- */

static void making_start(struct making *m, struct arena *a, const struct share_release_ask *ask, struct err *err)
{
    const struct stix_object *o = ask->object;
    enum stix_class class = stix_type_class(o->kind);

    memset(m, 0, sizeof *m);
    m->arena = a;
    m->ask = ask;
    m->err = err;
    share_name_index_make(a, ask->names, &m->names);
    share_secret_finder_make(a, &ask->secrets, &m->secrets);
    m->minted = share_name_of(&m->names, o->id) != NULL;
    m->versioned = m->minted && class != STIX_SCO &&
                   (class != STIX_CUSTOM || json_kind(json_get(o->json, SLICE("created"))) != JSON_ABSENT);
}

/* Where in the body the text between the quotes begins. Appended members end right before the blanks and the brace that
 * close the object. */
static size_t place_of(const struct making *m, enum place which, struct slice body)
{
    size_t end = body.len - 1;

    if (m->edit_of[which] != 0)
        return m->edits.items[m->edit_of[which] - 1].out_at + 1;
    if (m->append_of[which] == 0)
        return SIZE_MAX;
    while (body.ptr[end - 1] != '"' && body.ptr[end - 1] != ']')
        end--;
    return end - m->append.len + m->append_of[which];
}

static void release_write(struct making *m, struct share_release *out)
{
    struct buf body = BUF_INIT;

    json_splice(&body, m->ask->object->json, m->edits.items, m->edits.n, buf_slice(&m->append));
    out->body = arena_copy(m->arena, buf_slice(&body));
    buf_free(&body);
    out->created_at = place_of(m, CREATED, out->body);
    out->modified_at = place_of(m, MODIFIED, out->body);
    out->valid_until_at = place_of(m, VALID_UNTIL, out->body);
    out->cover_at = place_of(m, COVER, out->body);
    out->valid_for_us = out->valid_until_at != SIZE_MAX ? m->ask->default_valid_for_us : 0;
    out->withheld = m->withheld;
}

int share_release_make(struct arena *a, const struct share_release_ask *ask, struct share_release *out, struct err *err)
{
    struct making m;

    making_start(&m, a, ask, err);
    json_each (v, ask->object->json)
        if (member_edit(&m, v) != 0)
            return -1;
    if (m.withheld != 0 && withheld_check(&m) != 0)
        return -1;
    append_missing(&m);
    release_write(&m, out);
    buf_free(&m.append);
    return 0;
}

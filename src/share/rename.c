#include "share/internal.h"

struct renaming {
    struct arena *arena;
    struct share_name_index names;
    const struct share_name *first;
    const struct slice *to; /* beside the names */
    struct share_edits edits;
};

static struct slice other_name(void *arg, struct slice id)
{
    struct renaming *r = arg;
    const struct share_name *name = share_name_of(&r->names, id);

    return name != NULL ? r->to[name - r->first] : (struct slice){NULL, 0};
}

static void rename_string(struct renaming *r, struct json v)
{
    struct slice text = json_string(r->arena, v), with;

    if (text.len <= SHARE_UUID_TEXT)
        return;
    with = share_text_replace(r->arena, text, other_name, r);
    if (with.ptr == text.ptr)
        return;
    share_edits_add(r->arena, &r->edits, v, share_quote(r->arena, with));
}

static void rename_in(struct renaming *r, struct json v)
{
    if (json_kind(v) == JSON_STRING)
        rename_string(r, v);
    else
        json_each (inner, v)
            rename_in(r, inner);
}

int share_rename(struct arena *a, struct json object, const struct slice *from, const struct slice *to, size_t n,
                 struct buf *out)
{
    struct renaming r = {.arena = a, .to = to};
    struct share_name *names = arena_array(a, struct share_name, n);

    for (size_t i = 0; i < n; i++)
        names[i].id = from[i];
    r.first = names;
    share_name_index_make(a, &(struct share_names){names, n}, &r.names);
    rename_in(&r, object);
    json_splice(out, object, r.edits.items, r.edits.n, SLICE(""));
    return 0;
}

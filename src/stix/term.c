#include "stix/stix.h"

/* From a pattern's tree to the exact values that it asks for. Whatever cannot be said as one list of values gives none
   at all: a term never matches more than its pattern. */

struct terms {
    struct arena *arena;
    struct stix_term *items;
    uint32_t n, cap;
};

static const struct stix_step *last_step(const struct stix_step *path)
{
    while (path->next != NULL)
        path = path->next;
    return path;
}

static bool is_name(const struct stix_step *step, struct slice name)
{
    return step->kind == STIX_STEP_NAME && slice_eq(step->name, name);
}

/* ---- which kind a path names ---- */

/* Those whose values compare as bytes of hexadecimal, and whose length tells which. */
static bool is_hash_name(struct slice key)
{
    static const struct slice names[] = {SLICE_INIT("MD5"), SLICE_INIT("SHA-1"), SLICE_INIT("SHA-256"),
                                         SLICE_INIT("SHA-512")};
    struct slice name = stix_hash_name(key);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_eq(name, names[i]))
            return true;
    return false;
}

static enum stix_value_kind kind_of_type(struct slice type)
{
    static const struct {
        struct slice type;
        enum stix_value_kind kind;
    } types[] = {
        {SLICE_INIT("ipv4-addr"), STIX_VALUE_IPV4},   {SLICE_INIT("ipv6-addr"), STIX_VALUE_IPV6},
        {SLICE_INIT("url"), STIX_VALUE_URL},          {SLICE_INIT("domain-name"), STIX_VALUE_DOMAIN},
        {SLICE_INIT("email-addr"), STIX_VALUE_EMAIL},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_eq(types[i].type, type))
            return types[i].kind;
    return STIX_VALUE_NONE;
}

static bool is_reference(const struct stix_step *step)
{
    return step->kind == STIX_STEP_NAME &&
           (slice_ends(step->name, SLICE("_ref")) || slice_ends(step->name, SLICE("_refs")));
}

/* The kind of what stands at the end of a path: of the object itself (url:value), of one that it refers to
   (dst_ref.value; the guard says its type, else the value itself must look like one), of a hash. */
static enum stix_value_kind kind_of_path(const struct stix_node *cmp, const struct stix_node *guard, struct slice value)
{
    const struct stix_step *first = cmp->path;

    if (first->next == NULL && is_name(first, SLICE("value"))) {
        enum stix_value_kind kind = kind_of_type(cmp->type);
        return kind != STIX_VALUE_NONE ? kind : STIX_VALUE_OTHER;
    }
    if (is_reference(first) && is_name(last_step(first), SLICE("value"))) {
        if (guard != NULL)
            return kind_of_type(guard->constant->text);
        if (slice_eq(cmp->type, SLICE("email-message")))
            return STIX_VALUE_EMAIL;
        enum stix_value_kind looks = stix_value_guess(value);
        return slice_eq(cmp->type, SLICE("network-traffic")) && looks != STIX_VALUE_NONE ? looks : STIX_VALUE_OTHER;
    }
    const struct stix_step *last = last_step(first), *before = first;
    while (before != last && before->next != last)
        before = before->next;
    if (before != last && is_name(before, SLICE("hashes")) && last->kind == STIX_STEP_NAME && is_hash_name(last->name))
        return STIX_VALUE_SHA256; /* the length tells which */
    return STIX_VALUE_OTHER;
}

/* ---- guards ---- */

/* X_ref.type = 'some-type': says only what X_ref.value is. */
static bool is_guard(const struct stix_node *node)
{
    if (node->kind != STIX_CMP || node->op != STIX_EQ || node->negated || node->constant->kind != STIX_STRING)
        return false;
    return is_reference(node->path) && node->path->next != NULL && node->path->next->next == NULL &&
           is_name(node->path->next, SLICE("type"));
}

/* The comparison is on .value of the very reference whose type the guard tells. */
static bool is_guarded(const struct stix_node *cmp, const struct stix_node *guard)
{
    return slice_eq(cmp->type, guard->type) && is_name(cmp->path, guard->path->name) && cmp->path->next != NULL &&
           is_name(cmp->path->next, SLICE("value")) && cmp->path->next->next == NULL;
}

/* ---- the walk ---- */

static void term_add(struct terms *t, enum stix_value_kind kind, struct slice value, const struct stix_node *from)
{
    if (t->n == t->cap) {
        uint32_t cap = t->cap == 0 ? 4 : t->cap * 2;
        struct stix_term *items = arena_array(t->arena, struct stix_term, cap);
        if (t->n != 0)
            memcpy(items, t->items, t->n * sizeof(*items));
        t->items = items;
        t->cap = cap;
    }
    t->items[t->n++] = (struct stix_term){kind, value, from};
}

static bool has_index(const struct stix_step *path)
{
    for (; path != NULL; path = path->next)
        if (path->kind == STIX_STEP_INDEX)
            return true;
    return false;
}

/* Equality and IN on text, and ISSUBSET of a network, are exact; '=' with a prefix means the network, as its producers
 * do. */
static bool comparison_collect(struct terms *t, const struct stix_node *cmp, const struct stix_node *guard)
{
    bool is_subset = cmp->op == STIX_ISSUBSET;

    if (cmp->negated || has_index(cmp->path) || is_guard(cmp) || (guard != NULL && !is_guarded(cmp, guard)))
        return false;
    if ((cmp->op != STIX_EQ && cmp->op != STIX_IN && !is_subset) || cmp->constant == NULL)
        return false;
    for (const struct stix_const *c = cmp->constant; c != NULL; c = c->next) {
        enum stix_value_kind kind;
        struct slice normal;
        if (c->kind != STIX_STRING)
            return false;
        if (stix_value_normal(t->arena, kind_of_path(cmp, guard, c->text), c->text, false, &kind, &normal, NULL) != 0)
            continue; /* what is no value of its kind is never seen: one slip in a list does not disarm the rest */
        if (is_subset && (kind < STIX_VALUE_IPV4 || kind > STIX_VALUE_IPV6_NET))
            return false;
        term_add(t, kind, normal, cmp);
    }
    return true;
}

/* An AND is one list of values only when all of it but one operand are guards, and one guard. */
static bool and_split(const struct stix_node *node, const struct stix_node **guard, const struct stix_node **rest)
{
    if (node->kind == STIX_CMP_AND)
        return and_split(node->left, guard, rest) && and_split(node->right, guard, rest);
    const struct stix_node **slot = is_guard(node) ? guard : rest;
    if (*slot != NULL)
        return false;
    *slot = node;
    return true;
}

static bool collect(struct terms *t, const struct stix_node *node, const struct stix_node *guard)
{
    switch (node->kind) {
    case STIX_OBS:
        return collect(t, node->left, NULL);
    case STIX_OBS_OR:
    case STIX_CMP_OR:
        return collect(t, node->left, guard) && collect(t, node->right, guard);
    case STIX_CMP_AND: {
        const struct stix_node *inner = NULL, *rest = NULL;
        return guard == NULL && and_split(node, &inner, &rest) && rest != NULL && collect(t, rest, inner);
    }
    case STIX_CMP:
        return comparison_collect(t, node, guard);
    default:
        return false;
    }
}

uint32_t stix_pattern_terms(struct arena *a, const struct stix_pattern *p, struct stix_term **terms_out)
{
    struct terms t = {a, NULL, 0, 0};

    if (!collect(&t, p->root, NULL))
        t.n = 0;
    *terms_out = t.items;
    return t.n;
}

#include "stix/lex.h"

#include <stdlib.h>

/* Recursive descent over the grammar of STIX 2.1 section 9. Between observation expressions AND binds tighter than OR,
   OR tighter than FOLLOWEDBY; between comparisons AND tighter than OR; a qualifier belongs to the observation
   expression right before it. */

enum { TEXT_MAX = 64 * 1024, DEPTH_MAX = 64, COMPARISONS_MAX = 4096 };

struct parser {
    struct lex lex;
    struct arena *arena;
    struct err *err;
    uint32_t comparisons, observations, nesting;
};

/* The operands of one chain (a OR b OR c), until it is known how many there are. */
struct chain {
    struct stix_node **items;
    size_t n, cap;
};

static struct stix_node *observations_parse(struct parser *p);
static struct stix_node *comparisons_parse(struct parser *p);

static bool advance(struct parser *p)
{
    return lex_next(&p->lex, p->err) == 0;
}

static bool expect(struct parser *p, enum lex_kind kind)
{
    if (p->lex.kind == kind)
        return advance(p);
    lex_expected(&p->lex, lex_kind_text(kind), p->err);
    return false;
}

static struct stix_node *node_new(struct parser *p, enum stix_node_kind kind)
{
    struct stix_node *node = arena_new(p->arena, struct stix_node);

    node->kind = kind;
    node->offset = (uint32_t)p->lex.offset;
    return node;
}

static bool nesting_enter(struct parser *p)
{
    if (++p->nesting <= DEPTH_MAX)
        return true;
    err_set(p->err, ERR_PATTERN_LIMIT, "/pattern", "offset %zu: brackets and parentheses stand more than %d deep",
            p->lex.offset, DEPTH_MAX);
    return false;
}

/* ---- chains ---- */

static void chain_add(struct parser *p, struct chain *c, struct stix_node *node)
{
    if (c->n == c->cap) {
        size_t cap = c->cap == 0 ? 4 : c->cap * 2;
        struct stix_node **items = arena_array(p->arena, struct stix_node *, cap);
        for (size_t i = 0; i < c->n; i++)
            items[i] = c->items[i];
        c->items = items;
        c->cap = cap;
    }
    c->items[c->n++] = node;
}

/* All three operators are associative, so a chain of thousands becomes a balanced tree that recursion can walk;
   operands keep their order from left to right. */
static struct stix_node *chain_tree(struct parser *p, struct stix_node **items, size_t n, enum stix_node_kind kind)
{
    if (n == 1)
        return items[0];
    struct stix_node *node = arena_new(p->arena, struct stix_node);
    node->kind = kind;
    node->left = chain_tree(p, items, (n + 1) / 2, kind);
    node->right = chain_tree(p, items + (n + 1) / 2, n / 2, kind);
    node->offset = node->left->offset;
    return node;
}

static struct stix_node *chain_parse(struct parser *p, enum lex_kind word, enum stix_node_kind kind,
                                     struct stix_node *(*operand)(struct parser *p))
{
    struct chain c = {NULL, 0, 0};

    for (;;) {
        struct stix_node *node = operand(p);
        if (node == NULL)
            return NULL;
        if (c.n == 0 && p->lex.kind != word)
            return node;
        chain_add(p, &c, node);
        if (p->lex.kind != word)
            return chain_tree(p, c.items, c.n, kind);
        if (!advance(p))
            return NULL;
    }
}

/* ---- object paths (section 9.7) ---- */

static bool step_name_parse(struct parser *p, struct stix_step *step)
{
    step->kind = STIX_STEP_NAME;
    if (p->lex.kind != LEX_NAME && p->lex.kind != LEX_STRING) {
        lex_expected(&p->lex, "a property name", p->err);
        return false;
    }
    step->name = p->lex.kind == LEX_STRING ? lex_string(p->arena, &p->lex) : p->lex.word;
    return advance(p);
}

static bool int_parse(const struct lex *l, int64_t *value_out)
{
    struct slice digits = l->word;
    bool negative = digits.ptr[0] == '-';
    uint64_t value;

    if (negative || digits.ptr[0] == '+')
        digits = slice_from(digits, 1);
    if (!slice_u64(digits, &value) || value > (uint64_t)INT64_MAX + negative)
        return false;
    *value_out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool step_index_parse(struct parser *p, struct stix_step *step)
{
    if (p->lex.kind == LEX_STAR) {
        step->kind = STIX_STEP_ANY;
    } else if (p->lex.kind == LEX_INT && int_parse(&p->lex, &step->index)) {
        step->kind = STIX_STEP_INDEX; /* the grammar allows a negative one; it finds nothing */
    } else {
        lex_expected(&p->lex, "a list index or '*'", p->err);
        return false;
    }
    return advance(p) && expect(p, LEX_CLOSE);
}

static bool path_parse(struct parser *p, struct stix_node *node)
{
    struct stix_step **tail = &node->path;
    enum lex_kind before = LEX_DOT;

    if (p->lex.kind != LEX_NAME && p->lex.kind != LEX_HYPHENS) {
        lex_expected(&p->lex, "an object type like ipv4-addr", p->err);
        return false;
    }
    node->type = p->lex.word;
    if (!advance(p) || !expect(p, LEX_COLON))
        return false;
    for (;;) {
        struct stix_step *step = arena_new(p->arena, struct stix_step);
        if (!(before == LEX_DOT ? step_name_parse(p, step) : step_index_parse(p, step)))
            return false;
        *tail = step;
        tail = &step->next;
        before = p->lex.kind;
        if (before != LEX_DOT && before != LEX_OPEN)
            return true;
        if (!advance(p))
            return false;
    }
}

/* ---- constants (section 9.3) ---- */

static const char constant_words[] = "a value: 'text', a number, true, false, t'...', h'...' or b'...'";

static bool number_parse(struct parser *p, struct stix_const *c)
{
    struct slice text = p->lex.word;
    char copy[64];

    c->kind = p->lex.kind == LEX_INT ? STIX_INT : STIX_FLOAT;
    c->text = text;
    if (c->kind == STIX_INT && !int_parse(&p->lex, &c->number)) {
        err_set(p->err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: a whole number has at most 64 bits",
                p->lex.offset);
        return false;
    }
    if (text.len >= sizeof(copy)) {
        err_set(p->err, ERR_PATTERN_SYNTAX, "/pattern", "offset %zu: a number of more than 63 digits", p->lex.offset);
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    c->real = strtod(copy, NULL);
    return true;
}

static bool constant_read(struct parser *p, struct stix_const *c)
{
    switch (p->lex.kind) {
    case LEX_STRING:
        c->kind = STIX_STRING;
        c->text = lex_string(p->arena, &p->lex);
        return true;
    case LEX_INT:
    case LEX_FLOAT:
        return number_parse(p, c);
    case LEX_TRUE:
    case LEX_FALSE:
        c->kind = STIX_BOOL;
        c->text = p->lex.word;
        c->number = p->lex.kind == LEX_TRUE;
        return true;
    case LEX_HEX:
        c->kind = STIX_HEX;
        return lex_hex(p->arena, &p->lex, &c->text, p->err) == 0;
    case LEX_BINARY:
        c->kind = STIX_BINARY;
        return lex_binary(p->arena, &p->lex, &c->text, p->err) == 0;
    case LEX_TIMESTAMP:
        c->kind = STIX_TIMESTAMP;
        c->text = p->lex.word;
        return lex_timestamp(&p->lex, &c->number, p->err) == 0;
    default:
        lex_expected(&p->lex, constant_words, p->err);
        return false;
    }
}

static struct stix_const *constant_parse(struct parser *p)
{
    struct stix_const *c = arena_new(p->arena, struct stix_const);

    return constant_read(p, c) && advance(p) ? c : NULL;
}

static bool set_parse(struct parser *p, struct stix_node *node)
{
    struct stix_const **tail = &node->constant;

    if (!expect(p, LEX_LEFT))
        return false;
    if (p->lex.kind == LEX_RIGHT)
        return advance(p); /* the grammar allows an empty set; it holds nothing */
    for (;;) {
        *tail = constant_parse(p);
        if (*tail == NULL)
            return false;
        tail = &(*tail)->next;
        if (p->lex.kind != LEX_COMMA)
            return expect(p, LEX_RIGHT);
        if (!advance(p))
            return false;
    }
}

/* ---- comparisons (section 9.6) ---- */

static bool operator_read(enum lex_kind kind, enum stix_op *op_out)
{
    static const struct {
        enum lex_kind kind;
        enum stix_op op;
    } operators[] = {
        {LEX_EQ, STIX_EQ},
        {LEX_NE, STIX_NE},
        {LEX_GT, STIX_GT},
        {LEX_LT, STIX_LT},
        {LEX_GE, STIX_GE},
        {LEX_LE, STIX_LE},
        {LEX_IN, STIX_IN},
        {LEX_LIKE, STIX_LIKE},
        {LEX_MATCHES, STIX_MATCHES},
        {LEX_ISSUBSET, STIX_ISSUBSET},
        {LEX_ISSUPERSET, STIX_ISSUPERSET},
    };

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (operators[i].kind == kind) {
            *op_out = operators[i].op;
            return true;
        }
    return false;
}

static bool operand_parse(struct parser *p, struct stix_node *node)
{
    if (node->op == STIX_IN)
        return set_parse(p, node);
    if (node->op >= STIX_LIKE && node->op <= STIX_ISSUPERSET && p->lex.kind != LEX_STRING) {
        lex_expected(&p->lex, lex_kind_text(LEX_STRING), p->err);
        return false;
    }
    if (node->op >= STIX_GT && node->op <= STIX_LE && (p->lex.kind == LEX_TRUE || p->lex.kind == LEX_FALSE)) {
        lex_expected(&p->lex, "a value that has an order (not true or false)", p->err);
        return false;
    }
    node->constant = constant_parse(p);
    return node->constant != NULL;
}

static bool comparison_count(struct parser *p)
{
    if (++p->comparisons <= COMPARISONS_MAX)
        return true;
    err_set(p->err, ERR_PATTERN_LIMIT, "/pattern", "offset %zu: more than %d comparisons in one pattern", p->lex.offset,
            COMPARISONS_MAX);
    return false;
}

static struct stix_node *comparison_parse(struct parser *p)
{
    if (p->lex.kind == LEX_LEFT) {
        struct stix_node *inner = nesting_enter(p) && advance(p) ? comparisons_parse(p) : NULL;
        p->nesting--;
        return inner != NULL && expect(p, LEX_RIGHT) ? inner : NULL;
    }
    bool is_exists = p->lex.kind == LEX_EXISTS;
    struct stix_node *node = node_new(p, is_exists ? STIX_EXISTS : STIX_CMP);
    if (!comparison_count(p) || (is_exists && !advance(p)) || !path_parse(p, node))
        return NULL;
    if (is_exists)
        return node;
    if (p->lex.kind == LEX_NOT) {
        node->negated = true;
        if (!advance(p))
            return NULL;
    }
    if (!operator_read(p->lex.kind, &node->op)) {
        lex_expected(&p->lex, "a comparison: =, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET or ISSUPERSET", p->err);
        return NULL;
    }
    return advance(p) && operand_parse(p, node) ? node : NULL;
}

static struct stix_node *comparisons_and_parse(struct parser *p)
{
    return chain_parse(p, LEX_AND, STIX_CMP_AND, comparison_parse);
}

static struct stix_node *comparisons_parse(struct parser *p)
{
    return chain_parse(p, LEX_OR, STIX_CMP_OR, comparisons_and_parse);
}

/* ---- qualifiers (section 9.5) ---- */

static bool times_parse(struct parser *p, struct stix_node *node)
{
    if (p->lex.kind != LEX_INT || !int_parse(&p->lex, &node->repeats) || node->repeats <= 0) {
        lex_expected(&p->lex, "a positive whole number of times", p->err);
        return false;
    }
    return advance(p) && expect(p, LEX_TIMES);
}

static bool seconds_parse(struct parser *p, struct stix_node *node)
{
    struct stix_const seconds = {0};

    if ((p->lex.kind != LEX_INT && p->lex.kind != LEX_FLOAT) || p->lex.word.ptr[0] == '-') {
        lex_expected(&p->lex, "a positive number of seconds", p->err);
        return false;
    }
    if (!number_parse(p, &seconds))
        return false;
    node->within_s = seconds.real;
    return advance(p) && expect(p, LEX_SECONDS);
}

static bool interval_parse(struct parser *p, struct stix_node *node)
{
    if (p->lex.kind != LEX_TIMESTAMP)
        return expect(p, LEX_TIMESTAMP);
    if (lex_timestamp(&p->lex, &node->start_us, p->err) != 0 || !advance(p) || !expect(p, LEX_STOP))
        return false;
    if (p->lex.kind != LEX_TIMESTAMP)
        return expect(p, LEX_TIMESTAMP);
    return lex_timestamp(&p->lex, &node->stop_us, p->err) == 0 && advance(p);
}

/* Each kind of qualifier at most once behind one observation expression. */
static struct stix_node *qualifiers_parse(struct parser *p, struct stix_node *left)
{
    unsigned seen = 0;

    while (left != NULL && (p->lex.kind == LEX_START || p->lex.kind == LEX_WITHIN || p->lex.kind == LEX_REPEATS)) {
        struct stix_node *node = node_new(p, STIX_QUALIFIED);
        enum lex_kind word = p->lex.kind;
        node->op = word == LEX_START ? STIX_START_STOP : word == LEX_WITHIN ? STIX_WITHIN : STIX_REPEATS;
        node->left = left;
        if ((seen >> node->op & 1) != 0) {
            err_set(p->err, ERR_PATTERN_SYNTAX, "/pattern",
                    "offset %zu: the same qualifier stands twice behind one observation", p->lex.offset);
            return NULL;
        }
        seen |= 1u << node->op;
        if (!advance(p) || !(word == LEX_START    ? interval_parse(p, node)
                             : word == LEX_WITHIN ? seconds_parse(p, node)
                                                  : times_parse(p, node)))
            return NULL;
        left = node;
    }
    return left;
}

/* ---- observation expressions (section 9.4) ---- */

static struct stix_node *observation_parse(struct parser *p)
{
    struct stix_node *node = NULL, *inner;
    enum lex_kind open = p->lex.kind;

    if (open != LEX_OPEN && open != LEX_LEFT) {
        lex_expected(&p->lex, "'[' (each observation stands in square brackets)", p->err);
        return NULL;
    }
    if (open == LEX_OPEN) {
        node = node_new(p, STIX_OBS);
        p->observations++;
    }
    inner = nesting_enter(p) && advance(p) ? (open == LEX_OPEN ? comparisons_parse(p) : observations_parse(p)) : NULL;
    p->nesting--;
    if (inner == NULL || !expect(p, open == LEX_OPEN ? LEX_CLOSE : LEX_RIGHT))
        return NULL;
    if (open == LEX_OPEN)
        node->left = inner;
    return qualifiers_parse(p, open == LEX_OPEN ? node : inner);
}

static struct stix_node *observations_and_parse(struct parser *p)
{
    return chain_parse(p, LEX_AND, STIX_OBS_AND, observation_parse);
}

static struct stix_node *observations_or_parse(struct parser *p)
{
    return chain_parse(p, LEX_OR, STIX_OBS_OR, observations_and_parse);
}

static struct stix_node *observations_parse(struct parser *p)
{
    return chain_parse(p, LEX_FOLLOWEDBY, STIX_OBS_FOLLOWEDBY, observations_or_parse);
}

static uint32_t tree_depth(const struct stix_node *node)
{
    if (node == NULL)
        return 0;
    uint32_t left = tree_depth(node->left), right = tree_depth(node->right);
    return 1 + (left > right ? left : right);
}

int stix_pattern_parse(struct arena *a, struct slice text, const struct stix_pattern **pattern_out, struct err *err)
{
    struct parser p = {.lex = {.text = text}, .arena = a, .err = err};

    if (text.len > TEXT_MAX)
        return err_set(err, ERR_PATTERN_LIMIT, "/pattern", "the pattern has %zu bytes; at most %d are read", text.len,
                       TEXT_MAX);
    struct stix_node *root = advance(&p) ? observations_parse(&p) : NULL;
    if (root == NULL)
        return -1;
    if (p.lex.kind != LEX_END)
        return lex_expected(&p.lex, "AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end of the pattern", err);
    struct stix_pattern *pattern = arena_new(a, struct stix_pattern);
    *pattern = (struct stix_pattern){text, root, p.comparisons, p.observations, tree_depth(root)};
    *pattern_out = pattern;
    return 0;
}

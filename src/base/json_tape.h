/* base/json_tape.h: the tape behind base/json.h, shared by the json*.c files alone.

   A document is an array of nodes of 8 bytes in the order of the text:

     scalar       start, end                       end: offset behind the value
     container    start, index behind its close    its children follow, then its close
     key          start | KEY, end                 the value is the next node
     close        start of '}' or ']', count       elements or members of the container

   The kind of a value is read from the first byte of its text. ESCAPED in the end of a key or string says that it holds
   a backslash. Both flags are the top bit: texts are shorter than 2 GiB. */
#ifndef BASE_JSON_TAPE_H
#define BASE_JSON_TAPE_H

#include "base/json.h"

#define JSON_KEY     ((uint32_t)1 << 31) /* in start */
#define JSON_ESCAPED ((uint32_t)1 << 31) /* in end */
#define JSON_OFFSET  (JSON_KEY - 1)

struct json_node {
    uint32_t start, end;
};

struct json_doc {
    const char *text;
    const struct json_node *nodes;
    uint32_t n_nodes;
};

/* Between the quotes of a key or string. */
static inline struct slice json_node_text(const char *text, struct json_node n)
{
    uint32_t start = n.start & JSON_OFFSET, end = n.end & JSON_OFFSET;

    return slice_n(text + start + 1, end - start - 2);
}

static inline bool json_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The node behind this value and all that is in it. */
static inline uint32_t json_node_skip(const char *text, const struct json_node *nodes, uint32_t at)
{
    char first = text[nodes[at].start];

    return first == '{' || first == '[' ? nodes[at].end : at + 1;
}

/* Resolves the escapes of a checked string. `to` holds at least raw.len bytes; returns the bytes written. */
size_t json_unescape(char *to, struct slice raw);

/* A key or string as it reads without escapes; copied only if it has one. */
struct slice json_node_plain(struct arena *a, const char *text, struct json_node n);

/* Whether two texts read the same, each with or without escapes to resolve. Takes no memory: a peer may send many. */
bool json_same(struct slice x, bool x_escaped, struct slice y, bool y_escaped);

static inline bool json_node_same(const char *text, struct json_node x, struct json_node y)
{
    struct slice a = json_node_text(text, x), b = json_node_text(text, y);

    if (((x.end | y.end) & JSON_ESCAPED) == 0)
        return slice_eq(a, b);
    return json_same(a, x.end & JSON_ESCAPED, b, y.end & JSON_ESCAPED);
}

/* A key that stands twice among the `count` members behind `open`, or 0. By hashing: linear whatever a peer sends. */
uint32_t json_keys_twice(const char *text, const struct json_node *nodes, uint32_t open, uint32_t count);

/* Appends "/" and the reference token of one key (RFC 6901 section 3). */
void json_put_token(struct buf *out, struct slice key);

#endif

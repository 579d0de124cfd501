/* base/json.h: strict reader (RFC 8259 and I-JSON: no duplicate key, no lone surrogate, no NUL, valid UTF-8, numbers by
   the grammar) to a flat tape, and edits by splicing. Pure, any thread. The tape lives in the arena and points into the
   text: keep both. Only the first error is told: a JSON Pointer in err->place where one is known, the byte offset in
   the sentence. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json_limits {
    uint32_t depth, values, members,
        string_max; /* each exceeded: its own ERR_LIMIT_*. members: of one object; string_max: bytes */
    size_t bytes;   /* between the quotes as sent, of keys too. Texts of 2 GiB are never read. */
};

extern const struct json_limits json_limits_default; /* 64 deep, 4 M values, 100,000 members, 4 MiB a string, 64 MiB */

enum json_kind { JSON_ABSENT, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_doc;
struct json { /* one value; pass by value; {NULL, 0} is JSON_ABSENT */
    const struct json_doc *doc;
    uint32_t at;
};

/* `max` NULL: json_limits_default. Errors: ERR_JSON_SYNTAX, ERR_JSON_UTF8, ERR_JSON_DUPLICATE_KEY, ERR_LIMIT_*.
   Whatever a peer sends, time is linear in the text, the tape takes 8 bytes for each value, key and end of a container,
   and nothing is read past the end of the text. The stack does not grow with depth. */
int json_parse(struct arena *a, struct slice text, const struct json_limits *max, struct json *root_out,
               struct err *err);
/* The value that the text begins with, where others may stand behind it; *rest_out is what does, without blanks before
   it. */
int json_parse_first(struct arena *a, struct slice text, const struct json_limits *max, struct json *root_out,
                     struct slice *rest_out, struct err *err);

enum json_kind json_kind(struct json v);
struct json json_get(struct json object, struct slice key); /* JSON_ABSENT when not there, or not an object */
struct json json_first(struct json container);              /* then json_next() until JSON_ABSENT: O(1) a step */
struct json json_next(struct json v);
uint32_t json_count(struct json container);                 /* elements or members; 0 for anything else */
struct slice json_key(struct arena *a, struct json member); /* unescaped; copied only if it held an escape */
struct slice json_string(struct arena *a, struct json v);   /* the same for a string; {NULL,0} for any other kind */
struct slice json_text(struct json v);            /* a string without escapes, no arena; {NULL,0} if it has one */
struct slice json_raw(struct json v);             /* the peer's own bytes: big integers and 1.50 stay so */
struct slice json_raw_member(struct json member); /* from the key's opening quote to the end of the value */
bool json_int(struct json v, int64_t *value_out); /* false unless an exact integer in range (3, not 3.0) */
bool json_bool(struct json v, bool *value_out);
struct slice json_pointer(struct arena *a, struct json v); /* RFC 6901, for err->place */

#define json_each(v, container)                                                                                        \
    for (struct json v = json_first(container); json_kind(v) != JSON_ABSENT; v = json_next(v))

/* Scrub, anonymise and projection are edits on the original bytes: everything not named comes out byte for byte.
   Edits are sorted by offset, disjoint, and below `root`. with.ptr NULL drops the member (or element) and one comma.
   `append` is raw text put in before the closing brace (or bracket) of root, written as members without a leading comma
   ("\"a\":1,\"b\":2"); empty for none. out_at receives where a replacement stands in `out`, counted from the start of
   what this call wrote. */
struct json_edit {
    struct json at;
    struct slice with;
    size_t out_at;
};
void json_edit_sort(struct json_edit *edits, size_t n);
void json_splice(struct buf *out, struct json root, struct json_edit *edits, size_t n, struct slice append);

/* Append-only writer. It keeps commas right by looking at the last byte written (none is due behind a blank or a
   newline); it escapes strings and never checks them: what is not UTF-8 comes out as it went in. */
void json_put_open(struct buf *out, char brace);       /* '{' or '[', with a comma before it where one is due */
void json_put_close(struct buf *out, char brace);      /* '}' or ']' */
void json_put_key(struct buf *out, struct slice key);  /* comma where due, key and colon */
void json_put_string(struct buf *out, struct slice s); /* as value or element; comma where due */
void json_put_int(struct buf *out, int64_t value);
void json_put_bool(struct buf *out, bool value);
void json_put_raw(struct buf *out, struct slice text);                            /* a complete value */
void json_put_text(struct buf *out, const char *key, struct slice s);             /* key and string */
void json_put_hex(struct buf *out, const char *key, const void *bytes, size_t n); /* ... of hexadecimal digits */
void json_put_number(struct buf *out, const char *key, int64_t value);            /* key and number */

#endif

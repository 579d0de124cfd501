/* stix/lex.h: the words of the STIX pattern language (STIX 2.1 section 9.3). Private to stix/. */
#ifndef STIX_LEX_H
#define STIX_LEX_H

#include "stix/stix.h"

enum lex_kind {
    LEX_END,
    LEX_OPEN, /* [ */
    LEX_CLOSE,
    LEX_LEFT, /* ( */
    LEX_RIGHT,
    LEX_COLON,
    LEX_DOT,
    LEX_COMMA,
    LEX_STAR,
    LEX_EQ,
    LEX_NE,
    LEX_GT,
    LEX_LT,
    LEX_GE,
    LEX_LE,
    LEX_NAME,    /* an identifier without a hyphen */
    LEX_HYPHENS, /* an identifier with one */
    LEX_STRING,
    LEX_INT,
    LEX_FLOAT,
    LEX_HEX,
    LEX_BINARY,
    LEX_TIMESTAMP,
    LEX_TRUE,
    LEX_FALSE,
    LEX_AND,
    LEX_OR,
    LEX_NOT,
    LEX_FOLLOWEDBY,
    LEX_LIKE,
    LEX_MATCHES,
    LEX_ISSUPERSET,
    LEX_ISSUBSET,
    LEX_EXISTS,
    LEX_IN,
    LEX_START,
    LEX_STOP,
    LEX_SECONDS,
    LEX_TIMES,
    LEX_WITHIN,
    LEX_REPEATS,
    LEX_KINDS
};

struct lex {
    struct slice text;
    size_t at;          /* behind the current word */
    enum lex_kind kind; /* of the current word */
    struct slice word;  /* its bytes in the text; of a quoted constant what stands between the quotes */
    size_t offset;      /* where it begins */
    bool has_escape;    /* a string with a backslash in it */
};

/* Moves to the next word. -1: not a word of the language; the sentence says which byte and why. */
int lex_next(struct lex *l, struct err *err);
/* How an error calls a kind: "']'", "a string in single quotes". */
const char *lex_kind_text(enum lex_kind kind);
/* An error at the current word: "offset 12: expected X, found Y". */
int lex_expected(const struct lex *l, const char *what, struct err *err);

/* Constants out of the current word. */
struct slice lex_string(struct arena *a, const struct lex *l);
int lex_hex(struct arena *a, const struct lex *l, struct slice *bytes_out, struct err *err);
int lex_binary(struct arena *a, const struct lex *l, struct slice *bytes_out, struct err *err);
int lex_timestamp(const struct lex *l, int64_t *us_out, struct err *err);

#endif

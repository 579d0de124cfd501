/* cmd/check.h: what the files of `tocsin check` share. Private to them and their tests. */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/* ---- check_files.c: from operands to containers ---- */

/* What one file may be: each limit has its own error (LIMIT_BYTES, LIMIT_DEPTH, LIMIT_VALUES, LIMIT_MEMBERS,
   LIMIT_STRING). */
enum {
    CHECK_BYTES_MAX = 1 << 30,
    CHECK_DEPTH_MAX = 64,
    CHECK_VALUES_MAX = 50000000,
    CHECK_MEMBERS_MAX = 1000000,
    CHECK_STRING_MAX = 16 << 20
};

struct check_reader {
    void *arg;
    /* One object (`single`), or a bundle or an envelope and what is in it. Valid during the call. */
    void (*container)(void *arg, struct arena *a, struct json root, struct json objects, bool single);
    /* A document, a line or an element that is none of these; the rest of the file goes on where it can. */
    void (*broken)(void *arg, const struct err *err);
};
/* One text: a document, several one behind another, JSON Lines, or a list of any of these. */
void check_text(const struct check_reader *r, struct slice text);
/* A file, or every .json, .jsonl, .stix and .stix2 below a directory in the order of their names; `begin` is told each
   path ("-" is standard input). -1: one of them cannot be opened. */
int check_path(const char *path, int (*begin)(void *arg, const char *path, struct err *err), void *arg,
               struct err *err);

/* ---- check_links.c: references that name nothing in their container ---- */

struct check_ids;
/* The ids of the objects of one container. */
struct check_ids *check_ids_make(struct arena *a, struct json objects);
bool check_ids_have(const struct check_ids *ids, struct slice id);
struct json check_ids_object(const struct check_ids *ids, struct slice id); /* JSON_ABSENT: not there */

#endif

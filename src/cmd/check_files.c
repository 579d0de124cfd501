#include "cmd/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "stix/stix.h"

/* ---- texts ---- */

static const struct json_limits limits = {CHECK_DEPTH_MAX, CHECK_VALUES_MAX, CHECK_MEMBERS_MAX, CHECK_STRING_MAX,
                                          CHECK_BYTES_MAX};

static void one(const struct check_reader *r, struct arena *a, struct json root)
{
    struct json objects;
    struct err err = ERR_INIT;
    bool single;

    if (stix_container(root, &objects, &single, &err) != 0)
        r->broken(r->arg, &err);
    else
        r->container(r->arg, a, root, objects, single);
}

static void document(const struct check_reader *r, struct arena *a, struct json root)
{
    if (json_kind(root) != JSON_ARRAY) {
        one(r, a, root);
        return;
    }
    json_each (v, root)
        one(r, a, v);
}

static struct slice after_blanks(struct slice s)
{
    while (s.len != 0 && memchr(" \t\r\n", s.ptr[0], 4) != NULL)
        s = slice_n(s.ptr + 1, s.len - 1);
    return s;
}

/* JSON Lines first: a line that is a whole value, and then a bad line costs that line alone. */
static bool read_line(const struct check_reader *r, struct arena *a, struct slice *rest, bool is_lines)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct slice line = slice_n(rest->ptr, end != NULL ? (size_t)(end - rest->ptr) : rest->len);
    struct err err = ERR_INIT;
    struct json root;

    if (json_parse(a, line, &limits, &root, &err) == 0)
        document(r, a, root);
    else if (is_lines)
        r->broken(r->arg, &err);
    else
        return false;
    *rest = slice_from(*rest, line.len);
    return true;
}

void check_text(const struct check_reader *r, struct slice text)
{
    struct slice rest = after_blanks(text);
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct json root;
    bool is_lines = false;

    if (text.len > CHECK_BYTES_MAX || rest.len == 0) {
        err_set(&err, rest.len == 0 ? ERR_JSON_SYNTAX : ERR_LIMIT_BYTES, "",
                rest.len == 0 ? "there is nothing in it" : "more than 1 GiB");
        r->broken(r->arg, &err);
    }
    while (rest.len != 0 && err.code == ERR_NONE) {
        if (read_line(r, &a, &rest, is_lines))
            is_lines = rest.len != 0;
        else if (json_parse_first(&a, rest, &limits, &root, &rest, &err) == 0)
            document(r, &a, root);
        else
            r->broken(r->arg, &err); /* nothing tells where the next one begins */
        rest = after_blanks(rest);
        arena_reset(&a);
    }
    arena_free(&a);
}

/* ---- files and directories ---- */

typedef int begin_fn(void *arg, const char *path, struct err *err);

static bool is_wanted(const char *name)
{
    static const struct slice ends[] = {SLICE_INIT(".json"), SLICE_INIT(".jsonl"), SLICE_INIT(".stix"),
                                        SLICE_INIT(".stix2")};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (slice_ends(slice_of(name), ends[i]))
            return name[0] != '.';
    return false;
}

static int directory(const char *path, begin_fn *begin, void *arg, unsigned depth, struct err *err)
{
    struct dirent **names;
    struct arena a = ARENA_INIT;
    int n = scandir(path, &names, NULL, alphasort), result = 0;

    if (n < 0)
        return err_set(err, ERR_SYSTEM, path, "%s", strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *below = file_join(&a, path, names[i]->d_name).ptr;
        struct stat st;
        if (names[i]->d_name[0] != '.' && result == 0 && lstat(below, &st) == 0) {
            if (S_ISDIR(st.st_mode) && depth < CHECK_DEPTH_MAX)
                result = directory(below, begin, arg, depth + 1, err);
            else if (S_ISREG(st.st_mode) && is_wanted(names[i]->d_name))
                result = begin(arg, below, err);
        }
        free(names[i]);
    }
    free(names);
    arena_free(&a);
    return result;
}

int check_path(const char *path, begin_fn *begin, void *arg, struct err *err)
{
    struct stat st;

    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return directory(path, begin, arg, 0, err);
    return begin(arg, path, err);
}

#include "cmd/commands.h"

#include <stdio.h>

#include "cmd/options.h"
#include "stix/stix.h"

enum { CANON_FILE_MAX = 1 << 30 };

static const struct option_command command = {
    "canon",
    "FILE",
    1,
    1,
    "Prints JSON in its canonical form (RFC 8785; - is standard input): no blanks, members sorted, numbers as "
    "ECMAScript "
    "writes them, and no line end behind it. Two texts that mean the same give the same bytes, to be compared, hashed "
    "or "
    "signed.\nExit status 1 when it is no JSON, or has no canonical form.\n\nExample: tocsin canon object.json | "
    "sha256sum",
    NULL,
    0};

static int canon(struct arena *a, const char *path, struct buf *out, struct err *err)
{
    static const struct json_limits limits = {64, 50000000, 1000000, 64u << 20, CANON_FILE_MAX};
    struct json root;
    struct slice text;

    if (file_read(a, strcmp(path, "-") == 0 ? "/dev/stdin" : path, CANON_FILE_MAX, &text, err) != 0 ||
        json_parse(a, text, &limits, &root, err) != 0 || stix_canon_check(a, root, err) != 0)
        return -1;
    stix_canon(a, out, root);
    return 0;
}

int cmd_canon(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    int status = STATUS_DONE;

    if (options_begin(&a, &command, argc, argv, &o, &status)) {
        if (canon(&a, o.operands[0].ptr, &out, &err) != 0)
            status = command_fail(&err);
        else if (fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
            status = STATUS_REFUSED;
    }
    buf_free(&out);
    arena_free(&a);
    return status;
}

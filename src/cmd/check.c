#include "cmd/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "cmd/options.h"
#include "stix/stix.h"

enum { CHECK_FILE_MAX = 1 << 30, PROGRESS_US = 500000, STATUS_UNREADABLE = 2 };

static const struct option_row rows[] = {
    {"strict", NULL, "refuse also what most consumers can live with", OPTIONS_ONCE},
    {"warnings", NULL, "print warnings too, not only what is refused", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON an object, and one for the summary", OPTIONS_ONCE},
};
static const struct option_command command = {"check",
                                              "FILE ...",
                                              1,
                                              100000,
                                              "Checks STIX 2.1: bundles, TAXII envelopes or single objects (- is "
                                              "standard input). Tells of every refused object the code, the "
                                              "place in it and what to do. Exit status 0 when all is accepted, 1 when "
                                              "something is refused, 2 when a file cannot be read.\n\n"
                                              "Example: tocsin check --strict bundle.json",
                                              rows,
                                              sizeof rows / sizeof rows[0]};

struct checker {
    enum stix_mode mode;
    bool json, warnings, progress, is_shown;
    const char *file;
    uint64_t files, objects, accepted, warned, refused, unreadable, bundles_refused;
    int64_t next_progress_us;
};

static void progress_show(struct checker *c)
{
    int64_t now = c->progress ? time_steady_us() : 0;

    if (!c->progress || now < c->next_progress_us)
        return;
    c->next_progress_us = now + PROGRESS_US;
    c->is_shown = true;
    fprintf(stderr, "\r%llu objects checked, %llu refused", (unsigned long long)c->objects,
            (unsigned long long)c->refused);
}

static void progress_clear(struct checker *c)
{
    if (c->is_shown)
        fprintf(stderr, "\r\033[K");
    c->is_shown = false;
}

static void problem_print(struct checker *c, struct slice id, const char *verdict, const struct err *err)
{
    progress_clear(c);
    printf("%s: " SLICE_FMT "%s%s %s%s%s: %s\n", c->file, SLICE_ARG(id), id.len != 0 ? ": " : "", verdict,
           err_name(err->code), err->place[0] != '\0' ? " at " : "", err->place, err->text);
}

static void problem_put(struct buf *out, const char *severity, const struct err *err)
{
    json_put_open(out, '{');
    json_put_text(out, "severity", slice_of(severity));
    json_put_text(out, "code", slice_of(err_name(err->code)));
    json_put_text(out, "place", slice_of(err->place));
    json_put_text(out, "text", slice_of(err->text));
    json_put_close(out, '}');
}

/* What is said of one object; `report` is NULL where it could not even be read, and err says why. */
static void verdict_print(struct checker *c, const char *verdict, struct slice id, const struct stix_report *report,
                          const struct err *err)
{
    uint32_t n = report != NULL ? report->n : 1;
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_put_text(&out, "file", slice_of(c->file));
    json_put_text(&out, "id", id);
    json_put_text(&out, "verdict", slice_of(verdict));
    json_put_key(&out, SLICE("problems"));
    json_put_open(&out, '[');
    for (uint32_t i = 0; i < n; i++) {
        bool is_error = report == NULL || report->problems[i].severity == STIX_ERROR;
        const struct err *problem = report != NULL ? &report->problems[i].err : err;
        problem_put(&out, is_error ? "error" : "warning", problem);
        if (!c->json && (is_error || c->warnings))
            problem_print(c, id, is_error ? verdict : "warning", problem);
    }
    json_put_close(&out, ']');
    json_put_close(&out, '}');
    if (c->json)
        printf(SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

enum verdict { REFUSED, WARNED, ACCEPTED };

static enum verdict object_check(struct arena *a, struct checker *c, struct json v)
{
    struct stix_object o = {.id = {"", 0}};
    struct stix_report report;
    struct err err = ERR_INIT;
    bool is_read = stix_object_read(a, v, &o, &err) == 0;
    uint32_t errors = is_read ? stix_validate(a, &o, c->mode, &report) : 1;
    struct slice id = is_read ? o.id : json_string(a, json_get(v, SLICE("id")));
    enum verdict verdict = errors != 0 ? REFUSED : report.warnings != 0 ? WARNED : ACCEPTED;

    if (c->json || verdict == REFUSED || (c->warnings && verdict == WARNED))
        verdict_print(c, verdict == REFUSED ? "refused" : "accepted", id.ptr != NULL ? id : SLICE(""),
                      is_read ? &report : NULL, &err);
    return verdict;
}

static void object_add(struct arena *a, struct checker *c, struct json v)
{
    enum verdict verdict = object_check(a, c, v);

    c->objects++;
    c->refused += verdict == REFUSED;
    c->warned += verdict == WARNED;
    c->accepted += verdict != REFUSED;
    progress_show(c);
}

static int file_check(struct arena *a, struct checker *c, struct err *err)
{
    static const struct json_limits limits = {64, 50000000, 1000000, 16u << 20, CHECK_FILE_MAX};
    struct json root, objects;
    struct slice text;
    bool single;
    const char *path = strcmp(c->file, "-") == 0 ? "/dev/stdin" : c->file;

    if (file_read(a, path, CHECK_FILE_MAX, &text, err) != 0 || json_parse(a, text, &limits, &root, err) != 0 ||
        stix_container(root, &objects, &single, err) != 0)
        return -1;
    if (single) {
        object_add(a, c, root);
        return 0;
    }
    json_each (v, objects) {
        object_add(a, c, v);
    }
    if (json_kind(json_get(root, SLICE("type"))) !=
        JSON_ABSENT) /* the bundle's own id and shape: not one of the objects */
        c->bundles_refused += object_check(a, c, root) == REFUSED;
    return 0;
}

static void summary_print(const struct checker *c)
{
    struct buf out = BUF_INIT;

    if (c->json) {
        json_put_open(&out, '{');
        json_put_number(&out, "files", (int64_t)c->files);
        json_put_number(&out, "objects", (int64_t)c->objects);
        json_put_number(&out, "accepted", (int64_t)c->accepted);
        json_put_number(&out, "with_warnings", (int64_t)c->warned);
        json_put_number(&out, "refused", (int64_t)c->refused);
        json_put_number(&out, "unreadable", (int64_t)c->unreadable);
        json_put_close(&out, '}');
    } else {
        buf_printf(
            &out, "%llu objects in %llu files: %llu accepted (%llu with warnings), %llu refused; %llu files unreadable",
            (unsigned long long)c->objects, (unsigned long long)c->files, (unsigned long long)c->accepted,
            (unsigned long long)c->warned, (unsigned long long)c->refused, (unsigned long long)c->unreadable);
    }
    printf(SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

int cmd_check(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    int status = STATUS_DONE;

    if (!options_begin(&a, &command, argc, argv, &o, &status)) {
        arena_free(&a);
        return status;
    }
    struct checker c = {.mode = options_has(&o, "strict") ? STIX_STRICT : STIX_LENIENT,
                        .json = options_has(&o, "json"),
                        .warnings = options_has(&o, "warnings"),
                        .progress = isatty(STDERR_FILENO) == 1};
    c.next_progress_us = time_steady_us() + PROGRESS_US;
    for (size_t i = 0; i < o.n_operands; i++) {
        struct arena file = ARENA_INIT;
        struct err err = ERR_INIT;
        c.file = o.operands[i].ptr;
        c.files++;
        if (file_check(&file, &c, &err) != 0) {
            c.unreadable++;
            verdict_print(&c, "unreadable", SLICE(""), NULL, &err);
        }
        arena_free(&file);
    }
    progress_clear(&c);
    summary_print(&c);
    arena_free(&a);
    if (c.unreadable != 0)
        return STATUS_UNREADABLE;
    return c.refused + c.bundles_refused != 0 ? STATUS_REFUSED : STATUS_DONE;
}

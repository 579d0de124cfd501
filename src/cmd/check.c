#include "cmd/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "cmd/check.h"
#include "cmd/options.h"
#include "cmd/profile.h"

enum { PROGRESS_US = 500000, OUTPUT_MAX = 1 << 16, WHYS = 4 };

static const struct option_row rows[] = {
    {"profile", "NAME or FILE", "as a hub takes it into a collection of this profile (open, ais-2.0-observed, ctis)",
     OPTIONS_ONCE},
    {"strict", NULL, "refuse also what real producers do by the thousand: empty optional properties, STIX 2.0",
     OPTIONS_ONCE},
    {"warnings", NULL, "print warnings too, not only what is refused", OPTIONS_ONCE},
    {"summary", NULL, "a row for each FILE instead of the objects: how many, accepted, refused and why", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON an object: id, valid, reasons (code, where, text, level), file", OPTIONS_ONCE},
};
static const struct option_command command = {
    "check",
    "FILE ...",
    1,
    100000,
    "Checks STIX 2.1: bundles, TAXII envelopes, single objects, lists and lines of them, directories (- is standard "
    "input). Tells of every refused object the code, the place in it and what to do. STIX 2.0 is judged by the 2.1 "
    "that it "
    "becomes. Exit status 0 when all is valid, 1 when something is not, 2 for wrong use or a file that cannot be "
    "opened.\n\n"
    "Example: tocsin check --profile ais-2.0-observed --json bundle.json",
    rows,
    sizeof rows / sizeof rows[0]};

struct tally {
    uint64_t files, objects, old, accepted, warned, refused, broken;
    uint64_t codes[ERR_COUNT]; /* of the refused: the first error of each */
};

struct checker {
    enum stix_mode mode;
    const struct stix_profile *profile;
    bool json, warnings, summary, progress, is_shown;
    const char *file;
    struct tally total, row;
    uint64_t bundles_refused;
    struct buf out; /* what is to be printed, in large pieces */
    int64_t next_progress_us;
};

/* ---- output ---- */

static void flush(struct checker *c)
{
    if (c->is_shown)
        fprintf(stderr, "\r\033[K");
    c->is_shown = false;
    fwrite(c->out.ptr != NULL ? c->out.ptr : "", 1, c->out.len, stdout);
    c->out.len = 0;
}

static void progress_show(struct checker *c)
{
    int64_t now = c->progress ? time_steady_us() : 0;

    if (!c->progress || now < c->next_progress_us)
        return;
    c->next_progress_us = now + PROGRESS_US;
    c->is_shown = true;
    fprintf(stderr, "\r%llu objects checked, %llu refused", (unsigned long long)c->total.objects,
            (unsigned long long)c->total.refused);
}

static const char *level_of(const struct stix_problem *p)
{
    return p->severity == STIX_ERROR ? "error" : "warning";
}

static struct slice code_of(const struct stix_problem *p)
{
    return p->rule.len != 0 ? p->rule : slice_of(err_name(p->err.code));
}

static void put_json(struct checker *c, struct slice id, const struct stix_report *report)
{
    struct buf *out = &c->out;

    json_put_open(out, '{');
    if (id.len != 0) {
        json_put_text(out, "id", id);
    } else {
        json_put_key(out, SLICE("id"));
        json_put_raw(out, SLICE("null"));
    }
    json_put_key(out, SLICE("valid"));
    json_put_bool(out, report->errors == 0);
    json_put_key(out, SLICE("reasons"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < report->n; i++) {
        json_put_open(out, '{');
        json_put_text(out, "code", code_of(&report->problems[i]));
        json_put_text(out, "where", slice_of(report->problems[i].err.place));
        json_put_text(out, "text", slice_of(report->problems[i].err.text));
        json_put_text(out, "level", slice_of(level_of(&report->problems[i])));
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    json_put_text(out, "file", slice_of(c->file));
    json_put_close(out, '}');
    buf_put_byte(out, '\n');
}

static void put_lines(struct checker *c, struct slice id, const struct stix_report *report)
{
    for (uint32_t i = 0; i < report->n; i++) {
        const struct stix_problem *p = &report->problems[i];
        if (p->severity == STIX_ERROR || c->warnings)
            buf_printf(&c->out, "%s: " SLICE_FMT "%s%s " SLICE_FMT "%s%s: %s\n", c->file, SLICE_ARG(slice_to(id, 300)),
                       id.len != 0 ? ": " : "", p->severity == STIX_ERROR ? "refused" : "warning",
                       SLICE_ARG(code_of(p)), p->err.place[0] != '\0' ? " at " : "", p->err.place, p->err.text);
    }
}

static void report_print(struct checker *c, struct slice id, const struct stix_report *report)
{
    if (c->summary)
        return;
    if (c->json)
        put_json(c, id, report);
    else if (report->errors != 0 || c->warnings)
        put_lines(c, id, report);
    if (c->out.len > OUTPUT_MAX)
        flush(c);
}

/* ---- one object ---- */

static void problem_add(struct stix_report *r, const struct stix_problem *p)
{
    bool is_error = p->severity == STIX_ERROR;

    *(is_error ? &r->errors : &r->warnings) += 1;
    if (r->n < STIX_PROBLEMS_MAX || (is_error && r->errors == 1))
        r->problems[r->n < STIX_PROBLEMS_MAX ? r->n++ : STIX_PROBLEMS_MAX - 1] = *p;
}

static void report_add(struct stix_report *r, enum stix_severity severity, const struct err *err)
{
    struct stix_problem p = {.severity = severity, .err = *err};

    problem_add(r, &p);
}

static void profile_judge(struct arena *a, const struct checker *c, const struct stix_object *o, struct stix_report *r)
{
    const struct stix_strip *strips;
    size_t n;

    if (c->profile == NULL || stix_type_class(o->kind) == STIX_BUNDLE)
        return;
    stix_profile_check(a, c->profile, o, r, &strips, &n);
    for (size_t i = 0; i < n; i++) {
        struct stix_problem p = {.severity = STIX_WARNING, .rule = strips[i].rule};
        struct slice place = arena_printf(a, "/" SLICE_FMT, SLICE_ARG(strips[i].property));
        err_set_at(&p.err, ERR_PROFILE, place, "left out of the release (privacy class " SLICE_FMT ")",
                   SLICE_ARG(strips[i].privacy));
        problem_add(r, &p);
    }
}

/* STIX 2.0: what it becomes decides. */
static void old_judge(struct arena *a, const struct checker *c, const struct stix_object *o, struct stix_report *r)
{
    struct stix_upgraded up;
    struct err err = ERR_INIT;

    if (stix_upgrade(a, o, &up, &err) != 0) {
        report_add(r, STIX_ERROR, &err);
        return;
    }
    err_set(&err, ERR_STIX_VERSION, "/spec_version", "a STIX 2.0 object: judged by the 2.1 that it becomes");
    report_add(r, STIX_WARNING, &err);
    for (uint32_t i = 0; i < up.n; i++) {
        struct stix_object part;
        struct stix_report more;
        if (stix_object_read(a, up.parts[i].json, &part, &err) != 0) {
            report_add(r, STIX_ERROR, &err);
            continue;
        }
        stix_validate(a, &part, c->mode, &more);
        profile_judge(a, c, &part, &more);
        for (uint32_t k = 0; k < more.n; k++)
            problem_add(r, &more.problems[k]);
    }
}

struct linking {
    const struct check_ids *ids;
    struct arena *arena;
    struct stix_report *report;
    bool keep;
};

static int link_check(void *arg, struct json value, struct slice key, struct slice id)
{
    struct linking *l = arg;
    struct err err = ERR_INIT;

    if (check_ids_have(l->ids, id))
        return 0;
    if (!l->keep || l->report->n == STIX_PROBLEMS_MAX) {
        l->report->warnings++;
        return 0;
    }
    err_set(&err, ERR_STIX_REFERENCE, "", "\"" SLICE_FMT "\" names " SLICE_FMT ", which is not in this file",
            SLICE_ARG(slice_to(key, 80)), SLICE_ARG(slice_to(id, 120)));
    report_add(l->report, STIX_WARNING, &err);
    return 0;
}

/* A translation is held to the object that it translates, where both are there and of the version that it names. */
static void translation_judge(struct arena *a, const struct check_ids *ids, const struct stix_object *o,
                              struct stix_report *r)
{
    struct slice of = json_string(a, json_get(o->json, SLICE("object_ref")));
    struct err err = ERR_INIT;

    if (!slice_eq(o->type, SLICE("language-content")) || of.len == 0)
        return;
    struct json object = check_ids_object(ids, of);
    if (stix_translates(o->json, object) && stix_language_check(a, o->json, object, &err) != 0)
        report_add(r, STIX_ERROR, &err);
}

static void object_judge(struct arena *a, struct checker *c, struct json v, const struct check_ids *ids,
                         struct stix_report *r, struct slice *id_out)
{
    struct stix_object o;
    struct err err = ERR_INIT;
    bool keep = c->json || c->warnings;

    r->n = r->errors = r->warnings = 0;
    if (stix_object_read(a, v, &o, &err) != 0) {
        *id_out = json_string(a, json_get(v, SLICE("id")));
        report_add(r, STIX_ERROR, &err);
        return;
    }
    *id_out = o.id;
    if (o.is_stix20 && c->mode != STIX_STRICT) {
        c->row.old++;
        old_judge(a, c, &o, r);
    } else {
        stix_validate(a, &o, keep ? c->mode : c->mode | STIX_ERRORS_ONLY, r);
        profile_judge(a, c, &o, r);
    }
    if (ids != NULL) {
        struct linking l = {.ids = ids, .arena = a, .report = r, .keep = keep};
        stix_each_reference(a, &o, link_check, &l);
        translation_judge(a, ids, &o, r);
    }
}

static enum err_code first_code(const struct stix_report *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->problems[i].severity == STIX_ERROR)
            return r->problems[i].err.code;
    return ERR_NONE;
}

static void object_count(struct checker *c, const struct stix_report *r)
{
    struct tally *row = &c->row;

    row->objects++;
    row->refused += r->errors != 0;
    row->accepted += r->errors == 0;
    row->warned += r->errors == 0 && r->warnings != 0;
    if (r->errors != 0)
        row->codes[first_code(r)]++;
}

static void object_check(struct arena *a, struct checker *c, struct json v, const struct check_ids *ids)
{
    struct stix_report report;
    struct slice id;

    object_judge(a, c, v, ids, &report, &id);
    object_count(c, &report);
    report_print(c, id.ptr != NULL ? id : SLICE(""), &report);
    progress_show(c);
}

/* ---- containers and files ---- */

/* A bundle's own id and shape are not one of the objects: it is told of only where it is refused. */
static void bundle_check(struct arena *a, struct checker *c, struct json root)
{
    struct stix_report report;
    struct slice id;

    object_judge(a, c, root, NULL, &report, &id);
    if (report.errors == 0)
        return;
    c->bundles_refused++;
    report_print(c, id.ptr != NULL ? id : SLICE(""), &report);
}

static void on_container(void *arg, struct arena *a, struct json root, struct json objects, bool single)
{
    struct checker *c = arg;
    struct arena scratch = ARENA_INIT;

    if (single) {
        object_check(&scratch, c, root, NULL);
    } else {
        const struct check_ids *ids = check_ids_make(a, objects);
        json_each (v, objects) {
            object_check(&scratch, c, v, ids);
            arena_reset(&scratch);
        }
        if (json_kind(json_get(root, SLICE("type"))) != JSON_ABSENT)
            bundle_check(&scratch, c, root);
    }
    arena_free(&scratch);
}

static void on_broken(void *arg, const struct err *err)
{
    struct checker *c = arg;
    struct stix_report report = {.n = 0};

    c->row.broken++;
    report_add(&report, STIX_ERROR, err);
    report_print(c, SLICE(""), &report);
}

static int on_file(void *arg, const char *path, struct err *err)
{
    struct checker *c = arg;
    const struct check_reader reader = {c, on_container, on_broken};
    struct arena a = ARENA_INIT;
    struct err why = ERR_INIT;
    struct slice text;
    bool is_stdin = strcmp(path, "-") == 0;

    c->file = path;
    c->row.files++;
    int result = file_read(&a, is_stdin ? "/dev/stdin" : path, CHECK_BYTES_MAX, &text, &why);
    if (result == 0)
        check_text(&reader, text);
    else if (why.code == ERR_LIMIT_BYTES)
        on_broken(c, &why);
    arena_free(&a);
    return result == 0 || why.code == ERR_LIMIT_BYTES ? 0 : err_copy(err, &why);
}

/* ---- what there was ---- */

static void tally_add(struct tally *to, const struct tally *row)
{
    to->files += row->files;
    to->objects += row->objects;
    to->old += row->old;
    to->accepted += row->accepted;
    to->warned += row->warned;
    to->refused += row->refused;
    to->broken += row->broken;
    for (int i = 0; i < ERR_COUNT; i++)
        to->codes[i] += row->codes[i];
}

/* The commonest codes first. */
static void put_why(struct buf *out, const struct tally *row)
{
    uint64_t left[ERR_COUNT];

    memcpy(left, row->codes, sizeof left);
    for (int k = 0; k < WHYS; k++) {
        int most = 0;
        for (int i = 1; i < ERR_COUNT; i++)
            if (left[i] > left[most])
                most = i;
        if (left[most] == 0)
            break;
        buf_printf(out, "%s%s %llu", k != 0 ? ", " : "", err_name((enum err_code)most), (unsigned long long)left[most]);
        left[most] = 0;
    }
}

static void row_put(struct checker *c, struct slice name, const struct tally *row)
{
    struct buf why = BUF_INIT;

    put_why(&why, row);
    if (c->json) {
        json_put_open(&c->out, '{');
        json_put_text(&c->out, "name", name);
        json_put_number(&c->out, "files", (int64_t)row->files);
        json_put_number(&c->out, "objects", (int64_t)row->objects);
        json_put_number(&c->out, "stix20", (int64_t)row->old);
        json_put_number(&c->out, "accepted", (int64_t)row->accepted);
        json_put_number(&c->out, "with_warnings", (int64_t)row->warned);
        json_put_number(&c->out, "refused", (int64_t)row->refused);
        json_put_number(&c->out, "no_stix", (int64_t)row->broken);
        json_put_text(&c->out, "why", buf_slice(&why));
        json_put_close(&c->out, '}');
    } else {
        buf_printf(&c->out, "%-26.*s %6llu %8llu %8llu %9llu %9llu %8llu %8llu  " SLICE_FMT,
                   SLICE_ARG(slice_to(name, 60)), (unsigned long long)row->files, (unsigned long long)row->objects,
                   (unsigned long long)row->old, (unsigned long long)row->accepted, (unsigned long long)row->warned,
                   (unsigned long long)row->refused, (unsigned long long)row->broken, SLICE_ARG(buf_slice(&why)));
    }
    buf_put_byte(&c->out, '\n');
    buf_free(&why);
}

static struct slice base_name(struct slice path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = path.len; i-- > 0;)
        if (path.ptr[i] == '/')
            return slice_from(path, i + 1);
    return path;
}

static void total_put(struct checker *c)
{
    const struct tally *t = &c->total;

    if (c->summary) {
        row_put(c, SLICE("all"), t);
    } else if (!c->json) {
        buf_printf(&c->out, "%llu objects in %llu files: %llu accepted (%llu with warnings), %llu refused",
                   (unsigned long long)t->objects, (unsigned long long)t->files, (unsigned long long)t->accepted,
                   (unsigned long long)t->warned, (unsigned long long)t->refused);
        if (t->broken != 0)
            buf_printf(&c->out, "; %llu texts that are no STIX", (unsigned long long)t->broken);
        buf_put_byte(&c->out, '\n');
    }
}

static int files_check(struct checker *c, const struct options *o)
{
    int status = STATUS_DONE;

    if (c->summary && !c->json)
        buf_printf(&c->out, "%-26s %6s %8s %8s %9s %9s %8s %8s  %s\n", "", "files", "objects", "STIX 2.0", "accepted",
                   "(warned)", "refused", "no STIX", "why");
    for (size_t i = 0; i < o->n_operands; i++) {
        struct err err = ERR_INIT;
        c->row = (struct tally){.files = 0};
        if (check_path(o->operands[i].ptr, on_file, c, &err) != 0) {
            flush(c);
            fprintf(stderr, "tocsin check: %s: %s\n", err.place, err.text);
            status = STATUS_USAGE;
        }
        tally_add(&c->total, &c->row);
        if (c->summary)
            row_put(c, base_name(o->operands[i]), &c->row);
    }
    total_put(c);
    flush(c);
    if (status == STATUS_DONE && c->total.refused + c->total.broken + c->bundles_refused != 0)
        status = STATUS_REFUSED;
    return status;
}

int cmd_check(int argc, char **argv)
{
    struct arena a = ARENA_INIT;
    struct options o;
    struct profile_found found = {.profile = NULL};
    struct err err = ERR_INIT;
    int status = STATUS_DONE;

    if (!options_begin(&a, &command, argc, argv, &o, &status)) {
        arena_free(&a);
        return status;
    }
    struct slice profile = options_get(&o, "profile");
    if (profile.ptr != NULL && profile_find(&a, profile, &found, &err) != 0) {
        fprintf(stderr, "tocsin check: %s: %s\n", err.place, err.text);
        arena_free(&a);
        return STATUS_USAGE;
    }
    struct checker c = {.mode = options_has(&o, "strict") ? STIX_STRICT
                                : profile.ptr != NULL     ? STIX_LENIENT
                                                          : STIX_STANDARD,
                        .profile = found.profile,
                        .json = options_has(&o, "json"),
                        .warnings = options_has(&o, "warnings"),
                        .summary = options_has(&o, "summary"),
                        .progress = isatty(STDERR_FILENO) == 1,
                        .next_progress_us = time_steady_us() + PROGRESS_US};
    status = files_check(&c, &o);
    buf_free(&c.out);
    arena_free(&a);
    return status;
}

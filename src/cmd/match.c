#include "cmd/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/options.h"
#include "match/match.h"

enum { MATCH_FILE_MAX = 1 << 30, MATCH_PIECE = 1 << 20 };

static const struct option_row rows[] = {
    {"indicators", "FILE", "bundle, envelope, one object, or a plain list of values", OPTIONS_REQUIRED},
    {"format", "WORD", "eve, lines or auto (the standard)", OPTIONS_ONCE},
    {"json", NULL, "one line of JSON a hit (the standard)", OPTIONS_ONCE},
};
static const struct option_command command = {
    "match",
    "[FILE ...]",
    0,
    10000,
    "Looks for the values of indicators in telemetry (standard input when no FILE, or -) and prints a line of JSON a "
    "hit. Exit status 1 when nothing was found.\n\n"
    "Example: tocsin match --indicators bundle.json eve.json",
    rows,
    sizeof rows / sizeof rows[0]};

struct known { /* by indicator number */
    struct slice *names;
    size_t n, room;
    uint64_t values, unmatched;
};

static uint64_t add_name(struct known *k, struct slice name)
{
    if (k->n == k->room) {
        k->room = k->room * 2 + 1024;
        k->names = mem_grow(k->names, k->room * sizeof *k->names);
    }
    k->names[k->n] = name;
    return k->n++;
}

static void add_value(struct match_index *ix, struct known *k, uint64_t indicator, enum stix_value_kind kind,
                      struct slice value)
{
    if (match_index_add(ix, indicator, kind, value, NULL) == 0)
        k->values++;
    else
        k->unmatched++;
}

static void add_object(struct arena *a, struct match_index *ix, struct known *k, struct json value)
{
    const struct stix_pattern *pattern;
    struct stix_object o;
    struct stix_term *terms;
    struct slice text = json_string(a, json_get(value, SLICE("pattern")));

    if (stix_object_read(a, value, &o, NULL) != 0 || !slice_eq(o.type, SLICE("indicator")))
        return;
    uint64_t indicator = add_name(k, o.id);
    uint32_t n = stix_pattern_parse(a, text, &pattern, NULL) == 0 ? stix_pattern_terms(a, pattern, &terms) : 0;
    k->unmatched += n == 0;
    for (uint32_t i = 0; i < n; i++)
        add_value(ix, k, indicator, terms[i].kind, terms[i].value);
}

static void add_line(struct arena *a, struct match_index *ix, struct known *k, struct slice line)
{
    enum stix_value_kind kind;
    struct slice normal;

    line = slice_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (stix_value_normal(a, stix_value_guess(line), line, true, &kind, &normal, NULL) == 0)
        add_value(ix, k, add_name(k, normal), kind, normal);
    else
        k->unmatched++;
}

static int load(struct arena *a, struct slice path, struct match_index *ix, struct known *k, struct err *err)
{
    const struct json_limits limits = {64, 50000000, 1000000, 16u << 20, MATCH_FILE_MAX};
    struct slice text, line;
    struct json root, objects;
    bool single;

    if (file_read(a, path.ptr, MATCH_FILE_MAX, &text, err) != 0)
        return -1;
    struct slice start = slice_trim(text);
    if (start.len == 0 || start.ptr[0] != '{') {
        while (slice_cut(&text, '\n', &line))
            add_line(a, ix, k, line);
        return 0;
    }
    if (json_parse(a, text, &limits, &root, err) != 0 || stix_container(root, &objects, &single, err) != 0)
        return -1;
    if (single)
        add_object(a, ix, k, root);
    else
        json_each (o, objects)
            add_object(a, ix, k, o);
    return 0;
}

static void print_hit(void *arg, const struct match_line *line, const struct match_hit *hit)
{
    struct known *k = arg;
    struct buf out = BUF_INIT;

    json_put_open(&out, '{');
    json_put_text(&out, "indicator", k->names[hit->indicator]);
    json_put_text(&out, "kind", stix_value_kind_name(hit->kind));
    json_put_text(&out, "value", hit->value);
    json_put_text(&out, "field", hit->field);
    json_put_text(&out, "seen", hit->seen);
    json_put_close(&out, '}');
    printf(SLICE_FMT "\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

struct scan {
    struct match_reader *reader;
    const struct match_format *format; /* NULL: by the first lines */
    struct known *known;
    struct match_stats stats;
};

static int scan_file(struct scan *s, struct slice path, struct err *err)
{
    int fd = slice_eq(path, SLICE("-")) ? dup(0) : open(path.ptr, O_RDONLY | O_CLOEXEC);
    const struct match_format *format = s->format;
    struct buf piece = BUF_INIT;

    if (fd < 0)
        return err_set_at(err, ERR_SYSTEM, path, "cannot be read");
    for (;;) {
        buf_reserve(&piece, MATCH_PIECE);
        ssize_t n = read(fd, piece.ptr + piece.len, (size_t)MATCH_PIECE);
        if (n > 0)
            piece.len += (size_t)n;
        const char *last = piece.ptr != NULL && piece.len != 0 ? memrchr(piece.ptr, '\n', piece.len) : NULL;
        size_t whole = n <= 0 ? piece.len : last != NULL ? (size_t)(last - piece.ptr) + 1 : 0;
        if (format == NULL && whole != 0)
            format = match_format_detect(slice_to(buf_slice(&piece), whole));
        if (whole != 0)
            match_lines(s->reader, format, slice_to(buf_slice(&piece), whole), print_hit, s->known, &s->stats);
        buf_drop_front(&piece, whole);
        if (n <= 0)
            break;
    }
    close(fd);
    buf_free(&piece);
    return 0;
}

int cmd_match(int argc, char **argv)
{
    static struct arena a; /* whichever way the command ends, its memory goes with the process */
    struct options o;
    struct known known = {NULL, 0, 0, 0, 0};
    struct err err = ERR_INIT;
    int status;

    if (!options_begin(&a, &command, argc, argv, &o, &status))
        return status;
    struct match_index *ix = match_index_new(100000);
    struct scan s = {.known = &known};
    struct slice format = options_get_or(&o, "format", "auto");
    if (!slice_eq(format, SLICE("auto")) && (s.format = match_format_find(format)) == NULL)
        err_set(&err, ERR_USAGE, "--format", "eve, lines or auto");
    else if (load(&a, options_get(&o, "indicators"), ix, &known, &err) == 0) {
        s.reader = match_reader_new(ix);
        for (size_t i = 0; i < o.n_operands && err.code == ERR_NONE; i++)
            scan_file(&s, o.operands[i], &err);
        if (o.n_operands == 0)
            scan_file(&s, SLICE("-"), &err);
        match_reader_free(&s.reader);
        fprintf(stderr, "%llu values of %zu indicators (%llu not matched here); %llu lines, %llu bad, %llu hits\n",
                (unsigned long long)known.values, known.n, (unsigned long long)known.unmatched,
                (unsigned long long)s.stats.lines, (unsigned long long)s.stats.bad_lines,
                (unsigned long long)s.stats.hits);
    }
    match_index_free(&ix);
    free(known.names);
    if (err.code != ERR_NONE)
        return command_fail(&err);
    return s.stats.hits != 0 ? STATUS_DONE : STATUS_REFUSED;
}

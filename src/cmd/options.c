#include "cmd/options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/commands.h"

static const struct option_row help_row = {"help", NULL, "Print this and leave.", OPTIONS_ONCE};

static const struct option_row *find_row(const struct option_command *command, struct slice name)
{
    for (size_t i = 0; i < command->n_rows; i++)
        if (slice_eq(slice_of(command->rows[i].name), name))
            return &command->rows[i];
    return slice_eq(name, slice_of(help_row.name)) ? &help_row : NULL;
}

static size_t count_given(const struct options *o, const struct option_row *row)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n_given; i++)
        n += o->given[i].row == row;
    return n;
}

static int usage(struct err *err, const struct option_row *row, const char *what)
{
    char place[100];

    snprintf(place, sizeof place, "--%s", row->name);
    return err_set(err, ERR_USAGE, place, "--%s %s", row->name, what);
}

/* One "--name", "--name=VALUE" or "--name VALUE"; *next_out counts the arguments used up. */
static int take_option(struct options *o, int argc, char **argv, int at, int *next_out, struct err *err)
{
    struct slice value = slice_from(slice_of(argv[at]), 2), name;
    bool attached = slice_find(value, SLICE("=")) < value.len;

    slice_cut(&value, '=', &name);
    const struct option_row *row = find_row(o->command, name);
    if (row == NULL)
        return err_set(err, ERR_USAGE, argv[at], "there is no option --" SLICE_FMT, SLICE_ARG(name));
    *next_out = at + 1;
    if (row->argument == NULL && attached)
        return usage(err, row, "takes no value");
    if (row->argument != NULL && !attached) {
        if (at + 1 >= argc)
            return usage(err, row, "needs a value");
        value = slice_of(argv[at + 1]);
        *next_out = at + 2;
    }
    if (row->times != OPTIONS_REPEATED && row != &help_row && count_given(o, row) != 0)
        return usage(err, row, "is given twice");
    o->help = o->help || row == &help_row;
    o->given[o->n_given++] = (struct option_given){row, value};
    return 0;
}

static int check_whole(const struct options *o, struct err *err)
{
    const struct option_command *c = o->command;

    for (size_t i = 0; i < c->n_rows; i++)
        if (c->rows[i].times == OPTIONS_REQUIRED && count_given(o, &c->rows[i]) == 0)
            return usage(err, &c->rows[i], "is required");
    if (o->n_operands < c->operands_min)
        return err_set(err, ERR_USAGE, "", "%s is missing", c->operands);
    if (o->n_operands > c->operands_max)
        return err_set(err, ERR_USAGE, "", "\"" SLICE_FMT "\" is one too many",
                       SLICE_ARG(o->operands[c->operands_max]));
    return 0;
}

int options_parse(struct arena *a, const struct option_command *command, int argc, char **argv, struct options *out,
                  struct err *err)
{
    size_t room = argc > 0 ? (size_t)argc : 1;
    bool ended = false;

    *out = (struct options){.command = command,
                            .given = arena_array(a, struct option_given, room),
                            .operands = arena_array(a, struct slice, room)};
    for (int at = 1, next; at < argc; at = next) {
        struct slice text = slice_of(argv[at]);
        next = at + 1;
        if (ended || !slice_starts(text, SLICE("-")) || slice_eq(text, SLICE("-")))
            out->operands[out->n_operands++] = text;
        else if (slice_eq(text, SLICE("--")))
            ended = true;
        else if (slice_eq(text, SLICE("-h")))
            out->help = true;
        else if (!slice_starts(text, SLICE("--")))
            return err_set(err, ERR_USAGE, argv[at], "there is no option " SLICE_FMT, SLICE_ARG(text));
        else if (take_option(out, argc, argv, at, &next, err) != 0)
            return -1;
    }
    return out->help ? 0 : check_whole(out, err);
}

static void put_option(const struct option_row *row, struct buf *out)
{
    buf_printf(out, "--%s%s%s", row->name, row->argument != NULL ? " " : "",
               row->argument != NULL ? row->argument : "");
}

static void put_usage(const struct option_command *command, struct buf *out)
{
    buf_printf(out, "Usage: tocsin %s", command->name);
    if (command->operands != NULL)
        buf_printf(out, " %s", command->operands);
    for (size_t i = 0; i < command->n_rows; i++) {
        const struct option_row *row = &command->rows[i];
        buf_put(out, row->times == OPTIONS_REQUIRED ? SLICE(" ") : SLICE(" ["));
        put_option(row, out);
        buf_put(out, row->times == OPTIONS_REPEATED ? SLICE(" ...") : SLICE(""));
        buf_put(out, row->times == OPTIONS_REQUIRED ? SLICE("") : SLICE("]"));
    }
    buf_put_byte(out, '\n');
}

static size_t option_width(const struct option_row *row)
{
    return 2 + strlen(row->name) + (row->argument != NULL ? 1 + strlen(row->argument) : 0);
}

void options_help(const struct option_command *command, struct buf *out)
{
    size_t width = option_width(&help_row);

    for (size_t i = 0; i < command->n_rows; i++)
        width = option_width(&command->rows[i]) > width ? option_width(&command->rows[i]) : width;
    put_usage(command, out);
    buf_printf(out, "\n%s\n\n", command->help);
    for (size_t i = 0; i <= command->n_rows; i++) {
        const struct option_row *row = i < command->n_rows ? &command->rows[i] : &help_row;
        buf_put(out, SLICE("  "));
        put_option(row, out);
        buf_printf(out, "%*s%s\n", (int)(width - option_width(row) + 2), "", row->help);
    }
}

int options_fail(const struct option_command *command, const struct err *err)
{
    bool usage_error = err->code == ERR_USAGE; /* its sentence names the place already */

    fprintf(stderr, "tocsin %s: %s%s%s\n", command->name, usage_error ? "" : err->place,
            usage_error || err->place[0] == '\0' ? "" : ": ", err->text);
    if (usage_error)
        fprintf(stderr, "Try: tocsin %s --help\n", command->name);
    return command_status(err);
}

bool options_begin(struct arena *a, const struct option_command *command, int argc, char **argv, struct options *out,
                   int *status_out)
{
    struct err err = ERR_INIT;

    if (options_parse(a, command, argc, argv, out, &err) != 0) {
        *status_out = options_fail(command, &err);
        return false;
    }
    if (!out->help)
        return true;
    struct buf text = BUF_INIT;
    options_help(command, &text);
    fwrite(text.ptr, 1, text.len, stdout);
    buf_free(&text);
    *status_out = EXIT_SUCCESS;
    return false;
}

static const struct option_row *known_row(const struct options *o, const char *name)
{
    const struct option_row *row = find_row(o->command, slice_of(name));

    assert(row != NULL);
    return row;
}

bool options_has(const struct options *o, const char *name)
{
    return count_given(o, known_row(o, name)) != 0;
}

struct slice options_get(const struct options *o, const char *name)
{
    return options_get_or(o, name, NULL);
}

struct slice options_get_or(const struct options *o, const char *name, const char *standard)
{
    const struct option_row *row = known_row(o, name);

    for (size_t i = 0; i < o->n_given; i++)
        if (o->given[i].row == row)
            return o->given[i].value;
    return slice_of(standard);
}

size_t options_all(struct arena *a, const struct options *o, const char *name, struct slice **values_out)
{
    const struct option_row *row = known_row(o, name);
    size_t n = 0;

    *values_out = arena_array(a, struct slice, count_given(o, row) + 1);
    for (size_t i = 0; i < o->n_given; i++)
        if (o->given[i].row == row)
            (*values_out)[n++] = o->given[i].value;
    return n;
}

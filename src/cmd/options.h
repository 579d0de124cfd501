/* cmd/options.h: the options of one command as a table: the same rows parse the command line, check it and print the
   help.
   "--name VALUE", "--name=VALUE", a bare "--switch"; "--" ends the options; operands may stand anywhere. "--help" and
   "-h" are known to every command. No abbreviations: a script written today means the same when an option is added. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum options_times {
    OPTIONS_ONCE = 0, /* at most once */
    OPTIONS_REQUIRED, /* exactly once */
    OPTIONS_REPEATED, /* any number of times */
};

struct option_row {
    const char *name;     /* "listen" for --listen */
    const char *argument; /* "ADDR:PORT"; NULL: a switch */
    const char *help;     /* a sentence; tells the default where there is one */
    enum options_times times;
};

struct option_command {
    const char *name;                  /* "init" */
    const char *operands;              /* "DIR", "[FILE ...]"; NULL: none */
    size_t operands_min, operands_max; /* how many */
    const char *help;                  /* what the command does */
    const struct option_row *rows;
    size_t n_rows;
};

struct options { /* values point into argv: each has a NUL behind */
    const struct option_command *command;
    struct option_given {
        const struct option_row *row;
        struct slice value;
    } * given; /* in the order of the command line */
    size_t n_given;
    struct slice *operands;
    size_t n_operands;
    bool help; /* --help was among them; nothing else was checked */
};

/* argv[0] is the command's name. ERR_USAGE with the option as place ("--listen"). */
int options_parse(struct arena *a, const struct option_command *command, int argc, char **argv, struct options *out,
                  struct err *err);
void options_help(const struct option_command *command, struct buf *out);

/* What a command starts with: parses, prints the help or the error. false: leave with *status_out. */
bool options_begin(struct arena *a, const struct option_command *command, int argc, char **argv, struct options *out,
                   int *status_out);

/* What a command ends with: tells the error, gives the exit status: 2 for ERR_USAGE, 78 (EX_CONFIG) for a
 * configuration, else 1. */
int options_fail(const struct option_command *command, const struct err *err);

/* A name that the command's table does not have is our own mistake. */
bool options_has(const struct options *o, const char *name);
struct slice options_get(const struct options *o, const char *name); /* {NULL, 0} when not given */
struct slice options_get_or(const struct options *o, const char *name, const char *standard);
size_t options_all(struct arena *a, const struct options *o, const char *name, struct slice **values_out);

#endif

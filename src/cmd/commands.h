/* cmd/commands.h: the commands: one function and one file each; the table stands in main.c. Each gets its own argv
   (argv[0] is the command's name) and returns the exit status. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "base/err.h"
#include "base/file.h"

enum {
    STATUS_DONE = 0,
    STATUS_REFUSED = 1, /* what was asked for was refused, or not all of it happened */
    STATUS_USAGE = 2,
    STATUS_CONNECT = 3, /* cannot connect, or no hub is running */
    STATUS_CONFIG = 78,
};

int cmd_init(int argc, char **argv);
int cmd_hub(int argc, char **argv);
int cmd_hub_core(int argc, char **argv);
int cmd_hub_keys(int argc, char **argv);
int cmd_sensor(int argc, char **argv);
int cmd_ca(int argc, char **argv);
int cmd_enrol(int argc, char **argv);
int cmd_invite(int argc, char **argv);
int cmd_compromise(int argc, char **argv);
int cmd_member(int argc, char **argv);
int cmd_credential(int argc, char **argv); /* of cmd_member: "member credential ..." */
int cmd_partner(int argc, char **argv);
int cmd_collection(int argc, char **argv);
int cmd_recalls(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_submit(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_pull(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_canon(int argc, char **argv);
int cmd_match(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_version(int argc, char **argv);

int command_status(const struct err *err); /* which exit status an error means */
/* Prints the error as a person reads it, and says which exit status it means. */
int command_fail(const struct err *err);

#endif

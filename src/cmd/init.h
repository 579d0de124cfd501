/* cmd/init.h: `tocsin init DIR`: a new hub's folder, with all that `tocsin hub DIR` needs. */
#ifndef CMD_INIT_H
#define CMD_INIT_H

int cmd_init(int argc, char **argv); /* argv[0] is "init"; returns the exit status */

#endif

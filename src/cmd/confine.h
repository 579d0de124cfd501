/* cmd/confine.h: what the processes of a hub give up before they read a byte of a peer. Once, before any thread. */
#ifndef CMD_CONFINE_H
#define CMD_CONFINE_H

#include "base/err.h"

/* Core: writes below DIR/data alone (store, control socket), reads DIR/tocsin.yaml, DIR/tls and what the C library and
   OpenSSL read of the system; DIR/keys is closed to it. Binds no port, signals nobody outside, executes, traces and
   mounts nothing. What this kernel's Landlock cannot do is told as an event and left out. Temporary files elsewhere
   than in DIR/data are refused (SQLite: temp_store=MEMORY). */
int confine_core(const char *dir, struct err *err);

#endif

/* cmd/monitor.h: `tocsin hub` as started. It binds the port, starts keys and core (itself again, as `tocsin hub-keys
   DIR` and `tocsin hub-core DIR`) and keeps them running. It never reads a byte of a peer; one thread. When it dies,
   however, its children die with it and the port is free. */
#ifndef CMD_MONITOR_H
#define CMD_MONITOR_H

#include "base/err.h"

enum { MONITOR_CHANNELS_MAX = 64 };

struct monitor_conf {
    const char *dir;
    struct slice listen; /* see http_listen() */
    size_t n_channels;   /* between core and keys, 1 to MONITOR_CHANNELS_MAX */
    int64_t stop_us;     /* how long core may take to end; 0: 10 s */
};

/* Returns 0 when SIGTERM or SIGINT asked for the end and all is over; -1 with ERR_PORT_IN_USE, or ERR_CONF_VALUE when a
   child ended with status 78 (EX_CONFIG): it has said why, and starting it again would not help. A child that ends
   otherwise is started again, with its sibling and fresh channels, after 100 ms, doubling to 5 s. SIGHUP goes on to
   core. Tells systemd (sd_notify) when core is ready and when it stops. */
int monitor_run(const struct monitor_conf *conf, struct err *err);

/* In the children: what the monitor handed down. Once each, at the start. */
int monitor_child_channels(int *fds, size_t max); /* how many; 0 when not started by a monitor */
int monitor_child_listen(uint16_t *port_out);     /* the listening socket, the caller's from now on; -1: none */
void monitor_child_ready(void);                   /* core serves now */

#endif

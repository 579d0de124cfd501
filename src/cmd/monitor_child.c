#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/monitor.h"

/* An open descriptor by its number in text, closed over exec from now on; -1: none. */
static int take_fd(struct slice text)
{
    uint64_t fd;

    if (!slice_u64(text, &fd) || fd > INT32_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return (int)fd;
}

/* Taken out, so that nothing takes it a second time. */
static int take_fd_of(const char *name)
{
    int fd = take_fd(slice_of(getenv(name)));

    unsetenv(name);
    return fd;
}

int monitor_child_channels(int *fds, size_t max)
{
    struct slice rest = slice_of(getenv("TOCSIN_CHANNELS")), text;
    int n = 0;

    while ((size_t)n < max && slice_cut(&rest, ',', &text)) {
        fds[n] = take_fd(text);
        if (fds[n] < 0)
            return 0;
        n++;
    }
    unsetenv("TOCSIN_CHANNELS");
    return n;
}

int monitor_child_listen(uint16_t *port_out)
{
    uint64_t port = 0;

    slice_u64(slice_of(getenv("TOCSIN_PORT")), &port);
    *port_out = (uint16_t)port;
    return take_fd_of("TOCSIN_LISTEN");
}

void monitor_child_ready(void)
{
    int fd = take_fd_of("TOCSIN_READY");

    if (fd < 0)
        return;
    ssize_t n = write(fd, "1", 1);
    (void)n; /* where it fails the monitor is gone, and so will this process be */
    close(fd);
}

/* The monitor over real processes: this program is its own hub-keys (the real one) and hub-core (a small one, below).
 */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cmd/monitor.h"
#include "keys/keys.h"

enum { CHANNELS = 3, PATIENCE_US = 20 * 1000000 };

/* ---- hub-core ---- */

static volatile sig_atomic_t hangups;

static void count_hangup(int number)
{
    hangups++;
}

/* What core tells the test, in a file replaced as a whole. */
static void tell(const char *dir, uint16_t port, bool listening)
{
    struct arena a = ARENA_INIT;
    struct slice text =
        arena_printf(&a, "%d %d %u %d %d", (int)getpid(), (int)getppid(), port, listening, (int)hangups);

    file_write_atomic(file_join(&a, dir, "told").ptr, text, 0600, NULL);
    arena_free(&a);
}

static bool mode_is(const char *dir, const char *mode)
{
    struct arena a = ARENA_INIT;
    struct slice text = {NULL, 0};

    file_read(&a, file_join(&a, dir, "mode").ptr, 100, &text, NULL);
    bool same = slice_eq(text, slice_of(mode));
    arena_free(&a);
    return same;
}

static bool channels_answer(const int *fds, int n)
{
    uint8_t key[CRYPTO_KEY];

    for (int i = 0; i < n; i++) {
        struct keys *k; /* never closed: channels live as long as core */
        if (keys_open(fds[i], &k, NULL) != 0 || keys_token_key(k, key, NULL) != 0)
            return false;
    }
    return n == CHANNELS;
}

static int core(const char *dir)
{
    int fds[MONITOR_CHANNELS_MAX];
    uint16_t port = 0;
    sigset_t hangup, none;

    if (mode_is(dir, "refuse"))
        return 78;
    if (mode_is(dir, "crash"))
        abort();
    if (mode_is(dir, "stuck"))
        signal(SIGTERM, SIG_IGN);
    sigemptyset(&none);
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL); /* seen in ppoll() alone */
    signal(SIGHUP, count_hangup);
    int n = monitor_child_channels(fds, MONITOR_CHANNELS_MAX);
    int listen_fd = monitor_child_listen(&port);
    bool whole = channels_answer(fds, n) && getenv("TOCSIN_LISTEN") == NULL && fcntl(listen_fd, F_GETFD) == FD_CLOEXEC;
    if (!whole)
        return 1;
    monitor_child_ready();
    for (;;) {
        tell(dir, port, listen_fd >= 0);
        ppoll(NULL, 0, NULL, &none);
    }
}

/* ---- the test's side ---- */

struct hub {
    char dir[40];
    pid_t monitor;
    int pid, ppid, listening, hangups; /* as core told */
    unsigned port;
};

static void write_mode(const struct hub *h, const char *mode)
{
    struct arena a = ARENA_INIT;

    assert_int_equal(file_write_atomic(file_join(&a, h->dir, "mode").ptr, slice_of(mode), 0600, NULL), 0);
    arena_free(&a);
}

static int setup(void **state)
{
    struct hub *h = mem_zero(1, sizeof *h);
    struct arena a = ARENA_INIT;

    snprintf(h->dir, sizeof h->dir, "/tmp/tocsin-test-monitor-XXXXXX");
    if (mkdtemp(h->dir) == NULL)
        return -1;
    struct slice keys = file_join(&a, h->dir, "keys");
    int failed = mkdir(keys.ptr, 0700) != 0 || keys_make(keys.ptr, NULL) != 0;
    write_mode(h, "");
    arena_free(&a);
    *state = h;
    return failed ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static int teardown(void **state)
{
    struct hub *h = *state;

    if (h->monitor > 0) {
        kill(h->monitor, SIGKILL);
        waitpid(h->monitor, NULL, 0);
    }
    nftw(h->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(h);
    return 0;
}

static void start_at(struct hub *h, const char *listen)
{
    h->monitor = fork();
    if (h->monitor == 0) {
        struct monitor_conf conf = {h->dir, slice_of(listen), CHANNELS, 300000};
        struct err err = ERR_INIT;
        int status = monitor_run(&conf, &err);
        _exit(status == 0 ? 0 : err.code == ERR_CONF_VALUE ? 1 : err.code == ERR_PORT_IN_USE ? 2 : 3);
    }
}

static bool read_told(struct hub *h)
{
    struct arena a = ARENA_INIT;
    struct slice text;
    bool good = file_read(&a, file_join(&a, h->dir, "told").ptr, 100, &text, NULL) == 0 &&
                sscanf(text.ptr, "%d %d %u %d %d", &h->pid, &h->ppid, &h->port, &h->listening, &h->hangups) == 5;

    arena_free(&a);
    return good;
}

/* Until core, another one than `not_pid`, has told of itself. */
static void wait_for_core(struct hub *h, int not_pid)
{
    int64_t until = time_steady_us() + PATIENCE_US;

    while (!read_told(h) || h->pid == not_pid) {
        if (time_steady_us() > until)
            fail_msg("no core came up");
        usleep(5000);
    }
}

static int wait_for_end(struct hub *h)
{
    int status = 0;

    assert_int_equal(waitpid(h->monitor, &status, 0), h->monitor);
    h->monitor = 0;
    return status;
}

/* Pid of the monitor's child with this command; 0: none. */
static pid_t child_named(pid_t monitor, const char *command)
{
    struct arena a = ARENA_INIT;
    struct slice rest, word, line;
    pid_t found = 0;
    uint64_t pid;

    struct slice path = arena_printf(&a, "/proc/%d/task/%d/children", (int)monitor, (int)monitor);
    assert_int_equal(file_read(&a, path.ptr, 1000, &rest, NULL),
                     0); /* CONFIG_PROC_CHILDREN: Debian's kernels have it */
    while (slice_cut(&rest, ' ', &word))
        if (slice_u64(word, &pid) &&
            file_read(&a, arena_printf(&a, "/proc/%d/cmdline", (int)pid).ptr, 1000, &line, NULL) == 0 &&
            slice_find(line, slice_of(command)) < line.len)
            found = (pid_t)pid;
    arena_free(&a);
    return found;
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 400; i++) {
        if (kill(pid, 0) != 0)
            return true;
        usleep(5000);
    }
    return false;
}

static bool port_answers(unsigned port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;

    close(fd);
    return answers;
}

static void test_cmd_monitor__runs_and_stops_in_order(void **state)
{
    struct hub *h = *state;

    start_at(h, "127.0.0.1:0");
    wait_for_core(h, 0);
    assert_int_equal(h->ppid, h->monitor);
    assert_true(h->listening && port_answers(h->port));
    pid_t keys = child_named(h->monitor, "hub-keys");
    kill(h->monitor, SIGHUP);
    while (h->hangups == 0) { /* forwarded; the test's time limit ends it otherwise */
        read_told(h);
        usleep(5000);
    }
    assert_int_equal(kill(h->pid, 0), 0);
    kill(h->monitor, SIGTERM);
    assert_int_equal(wait_for_end(h), 0);
    assert_true(is_gone(h->pid) && is_gone(keys));
    assert_false(port_answers(h->port));
}

static void test_cmd_monitor__starts_both_again(void **state)
{
    struct hub *h = *state;

    start_at(h, "127.0.0.1:0");
    wait_for_core(h, 0);
    for (int round = 0; round < 2; round++) {
        pid_t core_pid = h->pid, keys = child_named(h->monitor, "hub-keys");
        unsigned port = h->port;
        kill(round == 0 ? core_pid : keys, SIGKILL);
        wait_for_core(h, core_pid);
        assert_true(is_gone(keys) && is_gone(core_pid));
        assert_int_equal(h->port, port);
        assert_true(port_answers(port)); /* the socket outlived both */
    }
    kill(h->monitor, SIGINT);
    assert_int_equal(wait_for_end(h), 0);
}

static void test_cmd_monitor__its_death_is_theirs(void **state)
{
    struct hub *h = *state;

    start_at(h, "127.0.0.1:0");
    wait_for_core(h, 0);
    pid_t keys = child_named(h->monitor, "hub-keys");
    assert_int_not_equal(keys, 0);
    kill(h->monitor, SIGKILL);
    assert_true(WIFSIGNALED(wait_for_end(h)));
    assert_true(is_gone(h->pid) && is_gone(keys));
    assert_false(port_answers(h->port));
    char listen[40];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", h->port);
    int before = h->pid;
    start_at(h, listen); /* the port is free at once */
    wait_for_core(h, before);
    kill(h->monitor, SIGTERM);
    assert_int_equal(wait_for_end(h), 0);
}

static void test_cmd_monitor__gives_up_on_a_broken_configuration(void **state)
{
    struct hub *h = *state;
    struct arena a = ARENA_INIT;

    write_mode(h, "refuse");
    start_at(h, "127.0.0.1:0");
    assert_int_equal(WEXITSTATUS(wait_for_end(h)), 1);
    write_mode(h, "");
    assert_int_equal(unlink(file_join(&a, h->dir, "keys/secret").ptr), 0); /* the same of keys */
    start_at(h, "127.0.0.1:0");
    assert_int_equal(WEXITSTATUS(wait_for_end(h)), 1);
    arena_free(&a);
}

static void test_cmd_monitor__backs_off_and_can_be_stopped_meanwhile(void **state)
{
    struct hub *h = *state;
    int64_t begin = time_steady_us();

    write_mode(h, "crash");
    start_at(h, "127.0.0.1:0");
    usleep(500000); /* two or three lives */
    write_mode(h, "");
    wait_for_core(h, 0);
    assert_true(time_steady_us() - begin > 100000);
    write_mode(h, "crash");
    kill(h->pid, SIGKILL);
    usleep(200000);
    kill(h->monitor, SIGTERM);
    assert_int_equal(wait_for_end(h), 0);
}

static void test_cmd_monitor__kills_a_core_that_does_not_stop(void **state)
{
    struct hub *h = *state;

    write_mode(h, "stuck");
    start_at(h, "127.0.0.1:0");
    wait_for_core(h, 0);
    int64_t begin = time_steady_us();
    kill(h->monitor, SIGTERM);
    assert_int_equal(wait_for_end(h), 0);
    assert_true(time_steady_us() - begin >= 300000);
    assert_true(is_gone(h->pid));
}

static void test_cmd_monitor__busy_port_is_told_at_once(void **state)
{
    struct hub *h = *state;
    char listen[40];

    start_at(h, "127.0.0.1:0");
    wait_for_core(h, 0);
    struct hub other = *h;
    snprintf(listen, sizeof listen, "127.0.0.1:%u", h->port);
    start_at(&other, listen);
    assert_int_equal(WEXITSTATUS(wait_for_end(&other)), 2);
}

static void test_cmd_monitor__tells_systemd(void **state)
{
    struct hub *h = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {20, 0};
    char text[100];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", h->dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    start_at(h, "127.0.0.1:0");
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(recv(fd, text, sizeof text, 0), 7);
    assert_memory_equal(text, "READY=1", 7);
    kill(h->monitor, SIGTERM);
    assert_int_equal(recv(fd, text, sizeof text, 0), 10);
    assert_memory_equal(text, "STOPPING=1", 10);
    assert_int_equal(wait_for_end(h), 0);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cmd_monitor__runs_and_stops_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__starts_both_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__its_death_is_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__gives_up_on_a_broken_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__backs_off_and_can_be_stopped_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__kills_a_core_that_does_not_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__busy_port_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_monitor__tells_systemd, setup, teardown),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    if (argc == 3 && strcmp(argv[1], "hub-core") == 0)
        return core(argv[2]);
    if (argc == 3 && strcmp(argv[1], "hub-keys") == 0) {
        struct arena a = ARENA_INIT;
        int channels[MONITOR_CHANNELS_MAX], n = monitor_child_channels(channels, MONITOR_CHANNELS_MAX);
        int status = keys_main(file_join(&a, argv[2], "keys").ptr, channels, (size_t)n);
        arena_free(&a);
        return status;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

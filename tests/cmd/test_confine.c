#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/crypto.h"
#include "base/file.h"
#include "cmd/confine.h"

static char dir[] = "/tmp/tocsin-test-confine-XXXXXX";

static int setup(void **state)
{
    static const char *const dirs[] = {"keys", "data", "tls"};
    static const char *const files[] = {"keys/secret", "tls/server.pem", "tocsin.yaml"};
    struct arena a = ARENA_INIT;

    if (mkdtemp(dir) == NULL)
        return -1;
    for (size_t i = 0; i < ROWS(dirs); i++)
        mkdir(file_join(&a, dir, dirs[i]).ptr, 0700);
    for (size_t i = 0; i < ROWS(files); i++)
        file_write_atomic(file_join(&a, dir, files[i]).ptr, SLICE("x"), 0600, NULL);
    arena_free(&a);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"keys/secret", "tls/server.pem", "tocsin.yaml", "data/new", "data/sub/new",
                                        "data/sub",    "data/control",   "keys",        "data",     "tls"};
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < ROWS(names); i++)
        remove(file_join(&a, dir, names[i]).ptr);
    rmdir(dir);
    arena_free(&a);
    return 0;
}

/* errno of an act in a confined child; 0 when it was let do it. */
static int confined(int (*act)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct err err = ERR_INIT;
        if (confine_core(dir, &err) != 0) {
            print_error("%s: %s\n", err.place, err.text);
            _exit(255);
        }
        _exit(act() < 0 ? errno : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("status %x", (unsigned)status);
    return WEXITSTATUS(status);
}

static int open_in_dir(const char *name, int flags)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static int read_secret(void)
{
    return open_in_dir("keys/secret", O_RDONLY);
}

static int read_settings(void)
{
    return open_in_dir("tocsin.yaml", O_RDONLY);
}

static int write_settings(void)
{
    return open_in_dir("tocsin.yaml", O_WRONLY);
}

static int read_certificate(void)
{
    return open_in_dir("tls/server.pem", O_RDONLY);
}

static int write_beside(void)
{
    return open_in_dir("new", O_WRONLY | O_CREAT);
}

static int write_elsewhere(void)
{
    return open("/tmp/tocsin-test-confine-elsewhere", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int read_system(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int read_home(void)
{
    return open("/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Store and control socket: what core does in its own folder. */
static int work_in_data(void)
{
    char path[200], other[200];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct err err = ERR_INIT;

    snprintf(path, sizeof path, "%s/data/sub", dir);
    if (mkdir(path, 0700) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/data/sub/new", dir);
    if (file_write_atomic(path, SLICE("one"), 0600, &err) != 0 ||
        file_write_atomic(path, SLICE("two"), 0600, &err) != 0)
        return -1;
    snprintf(other, sizeof other, "%s/data/new", dir);
    if (rename(path, other) != 0 || truncate(other, 1) != 0 || unlink(other) != 0)
        return -1;
    snprintf(at.sun_path, sizeof at.sun_path, "%s/data/control", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

static int bind_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

static int signal_parent(void)
{
    return kill(getppid(), 0);
}

static int execute(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    return execv("/bin/true", argv);
}

static void *hash(void *out)
{
    crypto_sha256(SLICE("abc"), out);
    return out;
}

static int threads_and_random(void)
{
    pthread_t thread;
    uint8_t out[CRYPTO_HASH];

    crypto_random(out, sizeof out);
    errno = pthread_create(&thread, NULL, hash, out);
    if (errno != 0)
        return -1;
    pthread_join(thread, NULL);
    return 0;
}

static void test_cmd_confine__core(void **state)
{
    static const struct {
        const char *what;
        int (*act)(void);
        int number;
        int abi; /* of Landlock, from which on it is refused; 0: not its doing */
    } rows[] = {
        {"read the secret", read_secret, EACCES, 1},
        {"read the settings", read_settings, 0, 0},
        {"write the settings", write_settings, EACCES, 1},
        {"read a certificate", read_certificate, 0, 0},
        {"write beside data", write_beside, EACCES, 1},
        {"write elsewhere", write_elsewhere, EACCES, 1},
        {"read /etc", read_system, 0, 0},
        {"read a home", read_home, EACCES, 1},
        {"work in data", work_in_data, 0, 0},
        {"bind a port", bind_port, EACCES, 4},
        {"signal the monitor", signal_parent, EPERM, 6},
        {"threads and random", threads_and_random, 0, 0},
    };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    for (size_t i = 0; i < ROWS(rows); i++) {
        if (abi < rows[i].abi) {
            print_message("# not tried, this kernel has no such Landlock: %s\n", rows[i].what);
            continue;
        }
        int number = confined(rows[i].act);
        if (number != rows[i].number)
            fail_row(i, "%s: %s", rows[i].what, strerror(number));
    }
}

static void test_cmd_confine__core_executes_nothing(void **state)
{
    if (CONFINE_SANITIZED) {
        leave_out("no filter under a sanitizer");
    }
    assert_int_equal(confined(execute), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmd_confine__core),
        cmocka_unit_test(test_cmd_confine__core_executes_nothing),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, setup, teardown);
}

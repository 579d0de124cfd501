#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/confine.h"

/* What a child that runs `act` under a filter ends with. */
static int status_of(enum confine_rule rule, const struct confine_call *calls, size_t n, void (*act)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (confine_privileges(NULL) != 0 || confine_calls(rule, calls, n, NULL) != 0)
            _exit(100);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void open_socket(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) < 0)
        _exit(errno);
}

static void map_code(void)
{
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(errno);
}

static void map_data(void)
{
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(errno);
}

static void test_base_confine__only_what_is_named(void **state)
{
    const struct confine_call calls[] = {
        {SCMP_SYS(exit_group)},
        {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    };
    const struct {
        void (*act)(void);
        int signal;
    } rows[] = {{open_socket, SIGSYS}, {map_code, SIGSYS}, {map_data, 0}};

    if (CONFINE_SANITIZED) {
        leave_out("no filter under a sanitizer");
    }
    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = status_of(CONFINE_ONLY, calls, ROWS(calls), rows[i].act);
        if (rows[i].signal == 0 ? status != 0 : !WIFSIGNALED(status) || WTERMSIG(status) != rows[i].signal)
            fail_row(i, "status %x", (unsigned)status);
    }
}

static void test_base_confine__all_but_what_is_named(void **state)
{
    const struct confine_call calls[] = {{SCMP_SYS(socket)}};

    if (CONFINE_SANITIZED) {
        leave_out("no filter under a sanitizer");
    }
    assert_int_equal(WEXITSTATUS(status_of(CONFINE_EXCEPT, calls, ROWS(calls), open_socket)), EPERM);
    assert_int_equal(status_of(CONFINE_EXCEPT, calls, ROWS(calls), map_code), 0);
}

static void look_at_privileges(void)
{
    if (prctl(PR_GET_DUMPABLE) != CONFINE_SANITIZED || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        _exit(1);
}

static void test_base_confine__privileges(void **state)
{
    assert_int_equal(status_of(CONFINE_EXCEPT, NULL, 0, look_at_privileges), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_confine__only_what_is_named),
        cmocka_unit_test(test_base_confine__all_but_what_is_named),
        cmocka_unit_test(test_base_confine__privileges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

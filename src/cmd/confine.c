#include "cmd/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/arena.h"
#include "base/confine.h"
#include "base/file.h"
#include "base/log.h"

/* Landlock grew: rights by ABI version. The header of Debian 12 knows the first two. */
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6 };
#define FS_FIRST    ((1ull << 13) - 1)
#define FS_REFER    (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL    (1ull << 15)
#define NET_BIND    (1ull << 0)
#define SCOPE_BOTH  (3ull) /* abstract sockets and signals of processes outside */

#define FS_READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define FS_READ      (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* No device, no symbolic link (one could lead a privileged reader elsewhere), nothing to execute. */
#define FS_WRITE                                                                                                       \
    (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |        \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | FS_REFER |             \
     FS_TRUNCATE)
#define FS_OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

struct ruleset { /* struct landlock_ruleset_attr as of ABI 6; older kernels want the rest zero */
    uint64_t fs, net, scoped;
};

struct place {
    const char *path;
    uint64_t rights;
};

static const struct place system_places[] = {
    {"/etc", FS_READ}, /* resolver, certificates of authorities */
    {"/usr", FS_READ}, /* time zones, public suffixes, name service modules */
    {"/lib", FS_READ},
    {"/lib64", FS_READ},
    {"/run/systemd/resolve", FS_READ}, /* where /etc/resolv.conf may lead */
    {"/run/resolvconf", FS_READ},
    {"/run/NetworkManager", FS_READ},
    {"/proc/self", FS_READ},
    {"/proc/sys", FS_READ}, /* overcommit, for malloc */
    {"/sys/devices/system/cpu", FS_READ},
    {"/dev/urandom", FS_READ_FILE},
    {"/dev/random", FS_READ_FILE},
    {"/dev/null", FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE},
};

static const struct place hub_places[] = {
    {"tocsin.yaml", FS_READ_FILE},
    {"tls", FS_READ},
    {"data", FS_WRITE},
};

/* What no part of core ever does, but whoever takes it over might. */
static const struct confine_call denied[] = {
    {SCMP_SYS(execve)},
    {SCMP_SYS(execveat)},
    {SCMP_SYS(ptrace)},
    {SCMP_SYS(process_vm_readv)},
    {SCMP_SYS(process_vm_writev)},
    {SCMP_SYS(pidfd_getfd)},
    {SCMP_SYS(kcmp)},
    {SCMP_SYS(mount)},
    {SCMP_SYS(umount2)},
    {SCMP_SYS(pivot_root)},
    {SCMP_SYS(chroot)},
    {SCMP_SYS(move_mount)},
    {SCMP_SYS(open_tree)},
    {SCMP_SYS(fsopen)},
    {SCMP_SYS(fsmount)},
    {SCMP_SYS(unshare)},
    {SCMP_SYS(setns)},
    {SCMP_SYS(open_by_handle_at)},
    {SCMP_SYS(bpf)},
    {SCMP_SYS(perf_event_open)},
    {SCMP_SYS(userfaultfd)},
    {SCMP_SYS(io_uring_setup)},
    {SCMP_SYS(keyctl)},
    {SCMP_SYS(add_key)},
    {SCMP_SYS(request_key)},
    {SCMP_SYS(init_module)},
    {SCMP_SYS(finit_module)},
    {SCMP_SYS(delete_module)},
    {SCMP_SYS(kexec_load)},
    {SCMP_SYS(kexec_file_load)},
    {SCMP_SYS(reboot)},
    {SCMP_SYS(swapon)},
    {SCMP_SYS(swapoff)},
    {SCMP_SYS(acct)},
    {SCMP_SYS(quotactl)},
    {SCMP_SYS(syslog)},
    {SCMP_SYS(settimeofday)},
    {SCMP_SYS(clock_settime)},
    {SCMP_SYS(clock_adjtime)},
    {SCMP_SYS(adjtimex)},
    {SCMP_SYS(personality)},
    {SCMP_SYS(setuid)},
    {SCMP_SYS(setgid)},
    {SCMP_SYS(setresuid)},
    {SCMP_SYS(setresgid)},
};

static uint64_t rights_known(long abi)
{
    return FS_FIRST | (abi >= ABI_REFER ? FS_REFER : 0) | (abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0) |
           (abi >= ABI_IOCTL ? FS_IOCTL : 0);
}

/* A place that is not there needs no right. */
static int allow(int rules, const char *path, uint64_t rights, struct err *err)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(err, ERR_SYSTEM, path, "cannot be looked at: %s", strerror(errno));
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FS_OF_A_FILE;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    int status = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (status != 0)
        err_set(err, ERR_SYSTEM, path, "access cannot be confined: %s", strerror(errno));
    close(fd);
    return status;
}

static int allow_places(int rules, const char *dir, uint64_t known, struct err *err)
{
    struct arena a = ARENA_INIT;
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof system_places / sizeof system_places[0]; i++)
        status = allow(rules, system_places[i].path, system_places[i].rights & known, err);
    for (size_t i = 0; status == 0 && i < sizeof hub_places / sizeof hub_places[0]; i++)
        status = allow(rules, file_join(&a, dir, hub_places[i].path).ptr, hub_places[i].rights & known, err);
    arena_free(&a);
    return status;
}

static int confine_files(const char *dir, struct err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (abi < 1) {
        log_event("landlock_unavailable", TEXT("reason", slice_of(strerror(errno))));
        return 0;
    }
    struct ruleset all = {rights_known(abi), abi >= ABI_NET ? NET_BIND : 0, abi >= ABI_SCOPE ? SCOPE_BOTH : 0};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0)
        return err_set(err, ERR_SYSTEM, "", "access to files cannot be confined: %s", strerror(errno));
    int status = allow_places(rules, dir, all.fs, err);
    if (status == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        status = err_set(err, ERR_SYSTEM, "", "access to files cannot be confined: %s", strerror(errno));
    close(rules);
    return status;
}

int confine_core(const char *dir, struct err *err)
{
    if (confine_privileges(err) != 0 || confine_files(dir, err) != 0)
        return -1;
    return confine_calls(CONFINE_EXCEPT, denied, sizeof denied / sizeof denied[0], err);
}

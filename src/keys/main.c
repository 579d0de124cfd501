#include "keys/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "keys/internal.h"

#define SECRET_NAME "secret"

int keys_make(const char *dir, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct slice path = file_join(&a, dir, SECRET_NAME);
    uint8_t secret[CRYPTO_KEY];
    int status = -1;

    crypto_random(secret, sizeof secret);
    if (file_exists(path.ptr)) /* everything that was ever minted or sealed here hangs on it */
        err_set(err, ERR_SYSTEM, path.ptr, "there is a secret already");
    else
        status = file_write_atomic(path.ptr, slice_n((const char *)secret, sizeof secret), 0600, err);
    crypto_wipe(secret, sizeof secret);
    arena_free(&a);
    return status;
}

static int check_secret(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size != CRYPTO_KEY)
        return err_set(err, ERR_CONF_VALUE, path, "is not a secret of %d bytes", CRYPTO_KEY);
    if ((st.st_mode & 077) != 0)
        return err_set(err, ERR_CONF_VALUE, path, "may be read by others (mode %03o): it must be 600",
                       st.st_mode & 0777u);
    return 0;
}

/* Read by hand and not by file_read(), whose arena would keep a copy. */
static int read_secret(const char *path, uint8_t secret[CRYPTO_KEY], struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    int status = check_secret(fd, path, err);
    if (status == 0 && read(fd, secret, CRYPTO_KEY) != CRYPTO_KEY)
        status = err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    close(fd);
    return status;
}

/* Into `to`; 0 bytes where there is no such file. */
static int read_pem(const char *path, bool secret, char to[KEYS_PEM_MAX], size_t *len_out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), status = 0;

    *len_out = 0;
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    ssize_t n = read(fd, to, KEYS_PEM_MAX);
    if (n < 0)
        status = err_set(err, ERR_SYSTEM, path, "cannot be read: %s", strerror(errno));
    else if (n == KEYS_PEM_MAX)
        status = err_set(err, ERR_CONF_VALUE, path, "is too long");
    else if (secret && fstat(fd, &st) == 0 && (st.st_mode & 077) != 0)
        status =
            err_set(err, ERR_CONF_VALUE, path, "may be read by others (mode %03o): it must be 600", st.st_mode & 0777u);
    *len_out = n > 0 ? (size_t)n : 0;
    close(fd);
    return status;
}

/* A pair that does not work ends nothing: the hub goes on without issuing, and says so. */
static void load_issuer(const char *dir, struct keys_secrets *s)
{
    static const char *const pairs[][2] = {{"issuer.pem", "issuer.key"}, {"../tls/authority.pem", "authority.key"}};
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;

    s->issuer_len = 0;
    for (size_t i = 0; i < 2 && s->issuer_len == 0; i++) {
        const char *cert = file_join(&a, dir, pairs[i][0]).ptr, *key = file_join(&a, dir, pairs[i][1]).ptr;
        if (!file_exists(key))
            continue;
        if (read_pem(key, true, s->issuer_key, &s->issuer_key_len, &err) != 0 ||
            read_pem(cert, false, s->issuer, &s->issuer_len, &err) != 0 || keys_try_issuer(s, &err) != 0) {
            log_event("issuer_not_used", TEXT("key", slice_of(key)), ERROR_FIELD(&err));
            s->issuer_len = 0;
            break; /* not another one than the operator meant */
        }
    }
    arena_free(&a);
}

static int load_secrets(const char *dir, struct keys_secrets *out, struct err *err)
{
    struct arena a = ARENA_INIT;
    void *secret = crypto_secret_new(CRYPTO_KEY);
    int status = read_secret(file_join(&a, dir, SECRET_NAME).ptr, secret, err);

    if (status == 0) {
        keys_secrets_derive(secret, out);
        load_issuer(dir, out);
    }
    crypto_secret_free(&secret);
    arena_free(&a);
    return status;
}

/* What the loop, malloc, the random numbers and an assert that fails need; nothing that opens, connects, executes or
 * maps code. */
static const struct confine_call allowed[] = {
    {SCMP_SYS(poll)},
    {SCMP_SYS(restart_syscall)},
    {SCMP_SYS(recvfrom)},
    {SCMP_SYS(sendto)},
    {SCMP_SYS(close)},
    {SCMP_SYS(write), 0, UINT32_MAX, STDERR_FILENO},
    {SCMP_SYS(brk)},
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    {SCMP_SYS(munmap)},
    {SCMP_SYS(mremap)},
    {SCMP_SYS(madvise)},
    {SCMP_SYS(munlock)},
    {SCMP_SYS(futex)},
    {SCMP_SYS(getrandom)},
    {SCMP_SYS(clock_gettime)},
    {SCMP_SYS(rt_sigreturn)},
    {SCMP_SYS(rt_sigprocmask)},
    {SCMP_SYS(getpid)},
    {SCMP_SYS(gettid)},
    {SCMP_SYS(tgkill)},
    {SCMP_SYS(exit)},
    {SCMP_SYS(exit_group)},
};

static void ignore_signals(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_IGN);
}

/* MCL_ONFAULT: only what is touched, else all of OpenSSL would become resident. Under a limit the next malloc() beyond
   it would end the process, so all or nothing; the secrets are locked by themselves in any case (crypto_secret_new),
   what passes through the buffers and is wiped there is not. */
static void lock_memory(void)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    if (CONFINE_SANITIZED) /* shadow memory of terabytes */
        return;
    if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0 || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        log_event("keys_memory_not_locked", TEXT("reason", slice_of(strerror(errno))));
}

static int confine(struct err *err)
{
    lock_memory();
    if (confine_privileges(err) != 0)
        return -1;
    return confine_calls(CONFINE_ONLY, allowed, sizeof allowed / sizeof allowed[0], err);
}

int keys_main(const char *dir, const int *channels, size_t n)
{
    struct err err = ERR_INIT;
    void *secrets = NULL;
    int status = EX_CONFIG;

    ignore_signals();
    if (crypto_start(&err) == 0) {
        secrets = crypto_secret_new(sizeof(struct keys_secrets));
        status = load_secrets(dir, secrets, &err) == 0 && confine(&err) == 0 ? EX_OK : EX_CONFIG;
    }
    if (status == EX_OK)
        keys_serve(secrets, channels, n);
    else
        log_event("keys_failed", ERROR_FIELD(&err));
    crypto_secret_free(&secrets);
    return status;
}

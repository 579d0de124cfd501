#include "base/confine.h"

#include <errno.h>
#include <sys/prctl.h>

#include <seccomp.h>

int confine_privileges(struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || (!CONFINE_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0))
        return err_set(err, ERR_SYSTEM, "", "privileges cannot be given up: %s", strerror(errno));
    return 0;
}

static int add_call(scmp_filter_ctx filter, uint32_t action, const struct confine_call *c)
{
    if (c->call == __NR_SCMP_ERROR) /* this libseccomp knows no call of that name: nothing to allow or to deny */
        return 0;
    if (c->mask == 0)
        return seccomp_rule_add(filter, action, c->call, 0);
    return seccomp_rule_add(filter, action, c->call, 1, SCMP_CMP(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value));
}

int confine_calls(enum confine_rule rule, const struct confine_call *calls, size_t n, struct err *err)
{
    uint32_t otherwise = rule == CONFINE_ONLY ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
    uint32_t action = rule == CONFINE_ONLY ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);

    if (CONFINE_SANITIZED)
        return 0;
    scmp_filter_ctx filter = seccomp_init(otherwise);
    int failed = filter == NULL ? -ENOMEM : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; failed == 0 && i < n; i++)
        failed = add_call(filter, action, &calls[i]);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed != 0)
        return err_set(err, ERR_SYSTEM, "", "the filter of system calls cannot be set: %s", strerror(-failed));
    return 0;
}

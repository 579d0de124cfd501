/* base/confine.h: a process gives up what it will not need again. Once, before its threads. */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include "base/err.h"

/* Built with a sanitizer: its runtime opens files, ptraces itself to look for leaks and maps where it likes, so that a
   filter would end the tests and not the attacker. confine_calls() then does nothing, and the process stays dumpable.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

/* A system call (SCMP_SYS(name)), with a condition on one argument: (argument & mask) == value. mask 0: no condition.
 */
struct confine_call {
    int call;
    unsigned argument; /* counted from 0 */
    uint64_t mask, value;
};

enum confine_rule {
    CONFINE_ONLY,  /* these calls and no others: any other ends the process at once */
    CONFINE_EXCEPT /* every call but these, which fail with EPERM */
};

int confine_privileges(
    struct err *err); /* no new privileges by exec, no core dump, no ptrace by others of the same user */
int confine_calls(enum confine_rule rule, const struct confine_call *calls, size_t n,
                  struct err *err); /* all threads */

#endif

/* tests/test.h: what every unit test includes. Tests are rows: a new case is a new line. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* A slice equals a C string, with both printed when not. */
#define assert_slice(actual, expected)                                                                                 \
    do {                                                                                                               \
        struct slice actual_ = (actual);                                                                               \
        if (!slice_eq(actual_, slice_of(expected)))                                                                    \
            fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARG(actual_), (expected));                                 \
    } while (0)

/* The row that failed, in front of what went wrong. */
#define fail_row(i, ...)                                                                                               \
    do {                                                                                                               \
        print_error("row %zu: ", (size_t)(i));                                                                         \
        fail_msg(__VA_ARGS__);                                                                                         \
    } while (0)

/* Leaves a case out and says why: it needs what stands outside the repository, or what this machine cannot do.
   (cmocka's skip() prints a line that Meson counts as a failure.) tools/run-tests counts these lines as skipped. */
#define leave_out(...)                                                                                                 \
    do {                                                                                                               \
        print_message("# left out: " __VA_ARGS__);                                                                     \
        print_message("\n");                                                                                           \
        return;                                                                                                        \
    } while (0)

#endif

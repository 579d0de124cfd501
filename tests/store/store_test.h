/* tests/store/store_test.h: a store in a directory that goes with the test. */
#ifndef TESTS_STORE_STORE_TEST_H
#define TESTS_STORE_STORE_TEST_H

#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "store/store_read.h"
#include "store/store_write.h"

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if ((call) != 0)                                                                                               \
            fail_msg("%s: %s: %s", #call, err_name(err.code), err.text);                                               \
    } while (0)

static inline int start_crypto(void **state)
{
    return crypto_start(NULL);
}

static inline char *make_dir(void)
{
    char *dir = mem_copy(SLICE("/tmp/tocsin-store-XXXXXX"));

    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void remove_dir(char **dir)
{
    DIR *d = opendir(*dir);
    struct arena a = ARENA_INIT;

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        unlink(arena_printf(&a, "%s/%s", *dir, e->d_name).ptr);
    closedir(d);
    rmdir(*dir);
    arena_free(&a);
    free(*dir);
    *dir = NULL;
}

static inline struct store_row make_row(const struct store_head *head, enum store_kind kind, uint32_t facts_class,
                                        struct slice body)
{
    return (struct store_row){.seq = head->next_seq,
                              .added_us = head->last_added_us + 1,
                              .kind = kind,
                              .facts_class = facts_class,
                              .id = SLICE("indicator--1"),
                              .body = body};
}

static inline off_t file_size(const char *dir, const char *name)
{
    struct arena a = ARENA_INIT;
    struct stat st = {0};

    stat(arena_printf(&a, "%s/%s", dir, name).ptr, &st);
    arena_free(&a);
    return st.st_size;
}

#endif

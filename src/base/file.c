#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 4096 };

static int fail(struct err *err, const char *path, const char *what)
{
    int number = errno;
    char text[128];
    /* EFBIG: a limit on the size of files, which is room that this process does not have. */
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;

    return err_set(err, full ? ERR_DISK_FULL : ERR_SYSTEM, path, "%s: %s", what, strerror_r(number, text, sizeof text));
}

static int fail_too_large(struct err *err, const char *path, size_t max)
{
    return err_set(err, ERR_LIMIT_BYTES, path, "larger than %zu bytes", max);
}

/* Reads to the end whatever stat() said: files in /proc and pipes have no size, and a file may grow meanwhile. */
static int read_all(int fd, struct buf *b, size_t max, const char *path, struct err *err)
{
    for (;;) {
        buf_reserve(b, FIRST_READ);
        ssize_t n = read(fd, b->ptr + b->len, b->cap - b->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, path, "cannot read");
        if (n == 0)
            return 0;
        b->len += (size_t)n;
        if (b->len > max)
            return fail_too_large(err, path, max);
    }
}

int file_read(struct arena *a, const char *path, size_t max, struct slice *text_out, struct err *err)
{
    struct stat st;
    struct buf b = BUF_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(err, path, "cannot open");
    int result = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if ((uint64_t)st.st_size > max)
            result = fail_too_large(err, path, max);
        else
            buf_reserve(&b, (size_t)st.st_size + 1);
    }
    if (result == 0)
        result = read_all(fd, &b, max, path, err);
    if (result == 0)
        *text_out = arena_copy(a, buf_slice(&b));
    buf_free(&b);
    close(fd);
    return result;
}

static int write_all(int fd, struct slice text)
{
    while (text.len != 0) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            text = slice_from(text, (size_t)n);
    }
    return 0;
}

/* A rename is durable only once its directory is. */
static int sync_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir =
        slash == NULL ? mem_copy(SLICE(".")) : mem_copy(slice_n(path, slash == path ? 1 : (size_t)(slash - path)));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(dir);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    int number = errno;
    close(fd);
    errno = number;
    return result;
}

static int write_temp(int fd, struct slice text, int mode)
{
    int result = fchmod(fd, (mode_t)mode) == 0 && write_all(fd, text) == 0 && fsync(fd) == 0 ? 0 : -1;
    int number = errno;

    if (close(fd) != 0 && result == 0)
        return -1;
    errno = number;
    return result;
}

int file_write_atomic(const char *path, struct slice text, int mode, struct err *err)
{
    char *temp = NULL;

    /* Beside the target: rename() does not cross file systems. The name is new each time, so that two writers of one
       path do not mix their bytes. */
    if (asprintf(&temp, "%s.XXXXXX", path) < 0)
        return err_set(err, ERR_SYSTEM, path, "out of memory");
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        free(temp);
        return fail(err, path, "cannot create a temporary file beside it");
    }
    int result = 0;
    if (write_temp(fd, text, mode) != 0)
        result = fail(err, path, "cannot write");
    else if (rename(temp, path) != 0)
        result = fail(err, path, "cannot rename the temporary file to it");
    if (result != 0)
        unlink(temp);
    else if (sync_dir_of(path) != 0)
        result = fail(err, path, "cannot sync its directory");
    free(temp);
    return result;
}

int file_make_dir(const char *path, int mode, struct err *err)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0)
        return 0;
    if (errno != EEXIST)
        return fail(err, path, "cannot create the directory");
    if (stat(path, &st) != 0)
        return fail(err, path, "cannot look at it");
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_SYSTEM, path, "is there and is not a directory");
    return 0;
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

int file_map(const char *path, struct slice *map_out, struct err *err)
{
    struct stat st;
    int result = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(err, path, "cannot open");
    if (fstat(fd, &st) != 0) {
        result = fail(err, path, "cannot look at it");
    } else if (!S_ISREG(st.st_mode)) {
        result = err_set(err, ERR_SYSTEM, path, "is not a regular file");
    } else if (st.st_size == 0) {
        *map_out = SLICE(""); /* mmap() refuses nothing at all */
    } else {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            result = fail(err, path, "cannot map");
        else
            *map_out = slice_n(at, (size_t)st.st_size);
    }
    close(fd);
    return result;
}

void file_unmap(struct slice *map)
{
    if (map->len != 0)
        munmap((void *)(uintptr_t)map->ptr, map->len);
    *map = slice_n(NULL, 0);
}

struct slice file_join(struct arena *a, const char *dir, const char *name)
{
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    bool root = len == 1 && dir[0] == '/';
    return arena_printf(a, "%.*s%s%s", (int)len, dir, root || len == 0 ? "" : "/", name);
}

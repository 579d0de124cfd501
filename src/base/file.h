/* base/file.h: whole files in and out, written so that a crash leaves the old or the new one. Any thread. Errors are
   ERR_SYSTEM with the system's reason, or ERR_DISK_FULL (no room, quota, size limit); err->place is the path. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

int file_read(struct arena *a, const char *path, size_t max, struct slice *text_out,
              struct err *err); /* ERR_LIMIT_BYTES */
/* Temporary file beside it, fsync, rename, fsync of the directory. The mode is exactly `mode`, whatever the umask. */
int file_write_atomic(const char *path, struct slice text, int mode, struct err *err);
int file_make_dir(const char *path, int mode, struct err *err); /* existing directory is fine */
bool file_exists(const char *path);
int file_map(const char *path, struct slice *map_out, struct err *err); /* read-only; file_unmap when done */
void file_unmap(struct slice *map);
struct slice file_join(struct arena *a, const char *dir, const char *name); /* NUL behind */

#endif

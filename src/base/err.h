/* base/err.h: the one error value: a code, a place in the peer's document (JSON Pointer, RFC 6901, or a file and line),
   a sentence for a person. Passed, never global. All codes with their HTTP status stand in errors.def. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/slice.h"

enum err_code {
    ERR_NONE,
#define ERROR(name, http, text) ERR_##name,
#include "base/errors.def"
#undef ERROR
    ERR_COUNT
};

struct err {
    enum err_code code;
    char place[200];  /* may be empty */
    char text[300];   /* printable UTF-8, cut where too long */
    uint32_t retry_s; /* whoever asks again does well to wait so long; 0: not known. err_set clears it */
};

#define ERR_INIT                                                                                                       \
    {                                                                                                                  \
        ERR_NONE, "", "", 0                                                                                            \
    }

/* Fills err (which may be NULL) and returns -1, so that `return err_set(...)` reads well. `text` may quote a peer's
   bytes: control characters come out as '?'. An empty format takes the table's sentence. */
int err_set(struct err *err, enum err_code code, const char *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int err_set_at(struct err *err, enum err_code code, struct slice place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int err_copy(struct err *to, const struct err *from); /* returns -1 */

const char *err_name(enum err_code code); /* "STIX_SYNTAX" */
int err_http(enum err_code code);         /* HTTP status for a peer; 0 where a peer never sees it */
const char *err_text(enum err_code code); /* the table's sentence */

#endif

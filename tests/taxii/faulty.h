/* tests/taxii/faulty.h: a TAXII 2.1 server on loopback that gets wrong what it is told to: each fault was met in the
   field. Without a fault it does what the standard says. */
#ifndef TESTS_TAXII_FAULTY_H
#define TESTS_TAXII_FAULTY_H

#include <pthread.h>

#include "test.h"

#include "net/http_server.h"

enum faulty_fault {
    FAULT_NO_NEXT,         /* more:true without next */
    FAULT_NEXT_NUMBER,     /* next as a number */
    FAULT_NEXT_CONSUMED,   /* next is used up by reading: asked for again it brings the page behind */
    FAULT_NEXT_SAME,       /* the same next and the same page for ever */
    FAULT_NEXT_LAST,       /* next with the last page */
    FAULT_MORE_EMPTY,      /* an empty page with more:true and a new next, for ever */
    FAULT_MORE_NOTHING,    /* an empty page with more:true and no next, for ever */
    FAULT_REPEATS,         /* always new tokens, the first page again and again */
    FAULT_INCLUSIVE,       /* added_after is inclusive */
    FAULT_AFTER_IGNORED,   /* added_after is not looked at */
    FAULT_NO_DATES,        /* no X-TAXII-Date-Added headers */
    FAULT_JS_DATES,        /* as JavaScript writes them */
    FAULT_MS_DATES,        /* milliseconds, cut */
    FAULT_UNDEFINED_DATES, /* "undefined" */
    FAULT_UNSORTED,        /* the newest first */
    FAULT_SAME_DATE,       /* all of one publication share one date */
    FAULT_CUT,             /* seven objects a page at most */
    FAULT_SHORT_MEMORY,    /* the older half of its history is gone: 48 hours */
    FAULT_MEDIA_JSON,      /* answers application/json */
    FAULT_MEDIA_BLANK,     /* answers with a blank before version */
    FAULT_ACCEPT_BLANK,    /* 406 unless Accept has a blank before version */
    FAULT_ACCEPT_NONE,     /* 406 as soon as Accept names a version */
    FAULT_REDIRECT,        /* to another path of its own */
    FAULT_REDIRECT_AWAY,   /* to `elsewhere` */
    FAULT_BUSY,            /* every third request: 503 with Retry-After */
    FAULT_BUSY_SILENT,     /* every third request: 503 without */
    FAULT_TOO_MANY,        /* every third request: 429 with Retry-After */
    FAULT_BREAKS,          /* every third page: 500, after the token was used up */
    FAULT_BUNDLE,          /* bundles instead of envelopes */
    FAULT_LIST,            /* a bare list */
    FAULT_EMPTY_LIST,      /* "objects":[] */
    FAULT_ROOT_RELATIVE,   /* discovery names "/api/" */
    FAULT_ROOT_ELSEWHERE,  /* discovery names another host */
    FAULT_NO_DEFAULT,      /* discovery has no default */
    FAULT_NO_DISCOVERY,
    FAULT_NO_SLASH,      /* paths without a slash at the end only */
    FAULT_GZIP,          /* compressed, asked or not */
    FAULT_LIMIT_REFUSED, /* 400 to any limit */
    FAULT_NO_MANIFEST,
    FAULT_MANIFEST_NO_NEXT,
    FAULT_NO_VERSIONS,
    FAULT_ERROR_TEXT,   /* errors in plain text */
    FAULT_NO_CHALLENGE, /* 401 without WWW-Authenticate */
    FAULT_NO_ID,        /* the collection's id is a word */
    FAULT_STIX_20,      /* objects of STIX 2.0 */
    FAULTS
};
const char *faulty_name(enum faulty_fault f);

enum { FAULTY_OBJECTS = 4000 };
#define FAULTY_COLLECTION "5b1b1c1e-0000-4000-8000-00000000000c"

struct faulty {
    struct http_server *server;
    int fd;
    uint16_t port;
    uint64_t faults; /* bits 1 << enum faulty_fault */
    char elsewhere[64];
    pthread_mutex_t lock;
    int64_t dates[FAULTY_OBJECTS]; /* of object i */
    size_t n, requests, pages, signed_requests;
    uint64_t tokens, used_token;
};
void faulty_start(struct faulty *f, uint64_t faults);
void faulty_stop(struct faulty *f);
void faulty_publish(struct faulty *f, size_t n); /* n more objects */
struct slice faulty_url(struct faulty *f, struct arena *a);
long faulty_number(struct slice id); /* of the object with this id; -1: none of ours */

#endif

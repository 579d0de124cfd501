/* tests/hub/door_test.h: a hub of hub_test.h behind its HTTP door, in plain on loopback, and requests that look exactly
   as a client's product sends them. */
#ifndef TESTS_HUB_DOOR_TEST_H
#define TESTS_HUB_DOOR_TEST_H

#include "hub_test.h"
#include "net/http_client.h"

#define DOOR_ACCEPT "Accept: " TAXII_MEDIA
#define DOOR_POST   DOOR_ACCEPT "\nContent-Type: " TAXII_MEDIA

struct door {
    struct hub_test t;
    struct http_server *http;
    struct taxii_server *taxii;
    int fd;
    uint16_t port;
    char id[37];        /* of collection `threats`, open to members */
    struct arena arena; /* of answers */
};
void door_open(struct door *d);
void door_close(struct door *d);
/* A member whose password is "secret". `more`: further members of its row, each with a comma in front. */
void door_member(struct door *d, const char *name, const char *more);
void door_change(struct door *d, const char *name, const char *more); /* the same members in place of its own */

struct door_answer {
    int status;
    struct slice body;
    struct json json;               /* absent where the body is none */
    struct slice first, last, type; /* X-TAXII-Date-Added-*, Content-Type; {NULL,0}: not there */
    struct slice headers;           /* lines */
};
/* Header lines are separated by line feeds; `user` NULL: what the lines say. "%C" in the path is the collection's id.
 */
void door_call(struct door *d, const char *user, const char *method, const char *path, const char *headers,
               const char *body, struct door_answer *out);
/* A GET with the usual headers that must be answered with 200. */
void door_get(struct door *d, const char *user, const char *path, struct door_answer *out);
/* An envelope of these objects (with commas) into `threats`; all must be taken. */
void door_post(struct door *d, const char *user, const char *objects);
/* Indicators `from` to `to` of hub_test.h in one envelope. */
void door_post_many(struct door *d, const char *user, unsigned from, unsigned to);
const char *door_token(struct door *d, const char *member); /* a new token of it */
/* `text` as Basic authentication: "Authorization: Basic ...". */
const char *door_basic(struct door *d, const char *scheme, const char *text);
/* By `next` to the end: how many objects there were; none came twice. */
size_t door_walk(struct door *d, const char *user, const char *path);
struct slice door_text(struct door *d, struct json object, const char *member); /* "" when absent */
size_t door_count(struct json envelope);                                        /* of "objects", "versions" */
/* The path again, with the page's `next`; {NULL,0}: there is no more. */
const char *door_next(struct door *d, const char *path, const struct door_answer *page);

#endif

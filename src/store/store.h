/* store/store.h: the journal and what hangs on it. Rows are never rewritten; seq, added_us (strictly increasing) and
   visibility are one order. Add, expire, retract, restrict and widen are rows: the journal is the outbox, a peer is a
   cursor in it. One writer, on the committer's thread only; a reader per thread. No read transaction outlives a call
   (else the WAL cannot shrink). The writing half stands in store_write.h, the reading half in store_read.h: only
   hub/commit.c includes the first, only hub/view.c (and the tests) the second. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"

enum store_kind {
    STORE_ADD = 1,  /* a version of a release: content */
    STORE_EXPIRE,   /* no longer current. Body: the expired version; empty for what has no versions (a tombstone) */
    STORE_RETRACT,  /* wrong. Body: the revoked version, or empty: a tombstone */
    STORE_RESTRICT, /* shared too widely; `reach` names those who lose it. Body as RETRACT */
    STORE_WIDEN, /* some viewers gained classes: `reach` names them, `grant` says which classes and up to which seq. No
                    body */
};

struct store_row {
    uint64_t seq;           /* 1, 2, 3, ... */
    int64_t added_us;       /* date_added: strictly increasing with seq; a WIDEN row reserves [added_us, added_us + its
                               n_objects) */
    int64_t created_us;     /* of the release's first version */
    int64_t version_us;     /* of this version of the release */
    int64_t source_us;      /* the submitter's own `modified`: what merging compares */
    int64_t first_event_us; /* the victim's own first event; 0: not told */
    int64_t valid_until_us; /* of an indicator; 0: none */
    enum store_kind kind;
    uint32_t facts_class;
    uint64_t owner;        /* handle of the submitter (MAC); 0: this hub itself */
    uint64_t key;          /* fingerprint of (owner or origin, id): what merging looks up */
    uint64_t subject_seq;  /* the row whose object this is a later version of; 0: the first */
    uint64_t envelope;     /* row in the envelope table */
    uint8_t sha256[32];    /* of body */
    struct slice id;       /* of the release */
    struct slice body;     /* the published bytes */
    struct slice original; /* sealed original; empty: the release is the original, or came from a partner */
    struct slice cover; /* offsets in body of the cover identity's id: pairs for splicing another viewer's cover in; may
                           be empty */
    struct slice source; /* JSON: origin hub, path, agreement, signature; empty: this hub */
    struct slice reach;  /* bitmap of viewer numbers, 8 a byte, lowest bit first; empty: whoever sees the class (of a
                            WIDEN row: nobody) */
    struct slice grant;  /* WIDEN: n_objects u64, up_to_seq u64, then class u32 each, little endian */
};

struct store_envelope { /* one submission */
    uint64_t n;         /* 1, 2, 3, ... */
    int64_t received_us;
    uint64_t owner, leaf;
    struct slice key;    /* sealed data key, or empty */
    struct slice status; /* the TAXII status resource as JSON, in the submitter's own ids */
};

enum store_table {              /* small state, key to value; each table is its own name space */
                   STORE_CLASS, /* class number (u32 big endian) -> canonical facts */
                   STORE_MEMBER,
                   STORE_PARTNER,
                   STORE_COLLECTION,
                   STORE_CURSOR,    /* link name -> cursors */
                   STORE_HELD,      /* held objects: envelope and index -> sealed bytes and reason */
                   STORE_VIEWER,    /* viewer number -> delivered seq */
                   STORE_SIGHTING,  /* subject and reporter -> counts */
                   STORE_META,      /* tree, versions, clock */
                   STORE_HIDDEN,    /* seq of a version that its owner took out of its own view */
                   STORE_RECIPIENT, /* viewer, collection, follower -> how far it read, when it was last there */
                   STORE_RECEIPT,   /* viewer, collection, follower, seq -> recalls up to there delivered, confirmed */
                   STORE_TABLES
};

/* What a view is made of, and positions in it (the functions that read stand in store_read.h). */
struct store_list { /* a class that the viewer may see, and from where on directly */
    uint32_t facts_class;
    uint64_t held_from; /* rows with seq > held_from stand at their own place; older ones come by WIDEN rows only */
};
struct store_at {  /* a position: everything up to and with it has been read */
    uint64_t seq;  /* of the row; of the WIDEN row while inside its expansion */
    uint64_t sub;  /* inside a WIDEN row: the last subject seq given; 0: none. UINT64_MAX: the row is done */
    uint64_t rank; /* inside a WIDEN row: how many were counted, given or skipped */
};
enum store_part {                /* what a cursor follows */
                  STORE_PAGE,    /* TAXII: every row with a body */
                  STORE_CONTENT, /* stream: ADD and EXPIRE rows, and WIDEN expansions */
                  STORE_RECALLS, /* stream: RETRACT and RESTRICT rows */
};

struct store;
/* Opens or makes the database in directory `dir` (0700; its files 0600). ERR_STORE_VERSION when another version wrote
   it; ERR_STORE when another store (of this process or another) has the directory open. Also starts the WAL thread
   (passive checkpoints on a connection of its own). */
int store_open(const char *dir, struct store **store_out, struct err *err);
void store_close(struct store **store); /* readers are closed by then */

#endif
